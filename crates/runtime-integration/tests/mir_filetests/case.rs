//! A test's file: options, checks, program, expected text.

use std::fmt::Write;
use vela_mir::analysis::{Cfg, loops};
use vela_mir::ir::{Block, Func};
use vela_mir::text::is_op;

/// Parts the program from what is expected.
pub const SEPARATOR: &str = "-- expect";

/// A message and the line it is about.
type Error = (usize, String);

/// The first line: `-- test`, then words.
#[derive(Clone, Debug)]
pub struct Options {
    /// `optimize`: behind all passes; `build`: as the builder made it.
    pub optimize: bool,
    /// Unless `no-speculation`.
    pub speculate: bool,
    /// `settled`: as after too many failures.
    pub settled: bool,
    /// `osr=N`: the code that is entered at the N-th loop of the function, in
    /// the order of the source. The program's other results are the arguments
    /// of the call during which it is entered.
    pub osr: Option<usize>,
    /// `code-size=N`: bytes of machine code that each callee has already.
    pub code_size: usize,
}

impl Options {
    fn parse(line: &str) -> Result<Options, String> {
        let words = line
            .strip_prefix("-- test ")
            .ok_or("the first line is not '-- test ...'")?;
        let mut out = Options {
            optimize: false,
            speculate: true,
            settled: false,
            osr: None,
            code_size: 0,
        };
        let mut shows = 0;
        for word in words.split_whitespace() {
            let (name, number) = match word.split_once('=') {
                Some((name, n)) => {
                    let n = n.parse::<usize>();
                    (name, Some(n.map_err(|e| format!("'{word}': {e}"))?))
                }
                None => (word, None),
            };
            match (name, number) {
                ("build", None) => shows += 1,
                ("optimize", None) => (shows, out.optimize) = (shows + 1, true),
                ("no-speculation", None) => out.speculate = false,
                ("settled", None) => out.settled = true,
                ("osr", Some(n @ 1..)) => out.osr = Some(n),
                ("code-size", Some(n)) => out.code_size = n,
                _ => return Err(format!("no option '{word}'")),
            }
        }
        match shows {
            1 => Ok(out),
            _ => Err("either 'build' or 'optimize'".into()),
        }
    }
}

/// Where a check looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    /// The whole function.
    All,
    /// ` in hot code`: blocks that are not cold.
    Hot,
    /// ` in loops`: hot blocks of loops.
    Loops,
    /// ` in inner loops`: hot blocks of loops that have no loop in them.
    InnerLoops,
}

impl Scope {
    const NAMES: [(&str, Scope); 4] = [
        ("", Scope::All),
        (" in hot code", Scope::Hot),
        (" in loops", Scope::Loops),
        (" in inner loops", Scope::InnerLoops),
    ];

    /// The instructions there, and the watched facts as `watch`.
    fn ops(self, func: &Func) -> Vec<String> {
        let cfg = Cfg::new(func);
        let all = loops(func, &cfg);
        let inside = |b: Block| match self {
            Scope::All | Scope::Hot => true,
            Scope::Loops => all.iter().any(|l| l.blocks.contains(&b)),
            Scope::InnerLoops => {
                let holds_other = |l: &vela_mir::analysis::Loop| {
                    let other = |o: &vela_mir::analysis::Loop| {
                        o.header != l.header && l.blocks.contains(&o.header)
                    };
                    all.iter().any(other)
                };
                all.iter().any(|l| l.blocks.contains(&b) && !holds_other(l))
            }
        };
        let mut out = Vec::new();
        for &b in &cfg.order {
            let data = &func.blocks[b.index()];
            if inside(b) && (self == Scope::All || !data.cold) {
                out.extend(data.insts.iter().map(|&i| func.inst(i).op.to_string()));
            }
        }
        if self == Scope::All {
            out.extend(func.watches.iter().map(|_| "watch".to_string()));
        }
        out
    }
}

/// What must hold of the MIR, on a line of its own before the separator:
///
/// ```text
/// -- present: op op        each is there
/// -- absent: op op         none is there
/// -- count: op=n op=n      each is there so often
/// ```
///
/// where `op` names operations as the text form does, with all of their
/// immediates (`int_op.add`) or without (`int_op`); `watch` is a watched fact.
/// Before the colon a scope may stand, such as `absent in loops`.
#[derive(Debug)]
pub struct Check {
    /// Line in the file.
    pub line: usize,
    scope: Scope,
    /// Name of the operation, how often it must be there, `None` for at least
    /// once.
    wanted: Vec<(String, Option<usize>)>,
}

impl Check {
    /// The check on a line, if there is one.
    fn parse(line: usize, text: &str) -> Result<Option<Check>, Error> {
        let Some((head, list)) = text.strip_prefix("-- ").and_then(|t| t.split_once(':')) else {
            return Ok(None);
        };
        let (kind, scope) = match head.find(' ') {
            Some(at) => head.split_at(at),
            None => (head, ""),
        };
        if !["present", "absent", "count"].contains(&kind) {
            return Ok(None);
        }
        let fail = |e: String| (line, e);
        let named = Scope::NAMES.iter().find(|s| s.0 == scope);
        let scope = named.ok_or_else(|| fail(format!("no scope '{scope}'")))?.1;
        let mut wanted = Vec::new();
        for word in list.split_whitespace() {
            let (name, times) = match kind {
                "present" => (word, None),
                "absent" => (word, Some(0)),
                _ => {
                    let (name, n) = word
                        .split_once('=')
                        .ok_or_else(|| fail(format!("'{word}' is not 'op=n'")))?;
                    let n = n.parse().map_err(|e| fail(format!("'{word}': {e}")))?;
                    (name, Some(n))
                }
            };
            if !is_op(name) && (name != "watch" || scope != Scope::All) {
                return Err(fail(format!("no operation '{name}'")));
            }
            wanted.push((name.to_string(), times));
        }
        if wanted.is_empty() {
            return Err(fail("no operations".into()));
        }
        Ok(Some(Check {
            line,
            scope,
            wanted,
        }))
    }

    /// Whether it holds.
    pub fn run(&self, func: &Func) -> Result<(), String> {
        let ops = self.scope.ops(func);
        for (name, times) in &self.wanted {
            let is = |op: &&String| {
                let op = op.split(' ').next().unwrap_or_default();
                op.strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let found = ops.iter().filter(is).count();
            let wrong = match times {
                Some(n) => found != *n,
                None => found == 0,
            };
            if wrong {
                let wanted = times.map_or("at least 1".into(), |n| n.to_string());
                let place = Scope::NAMES.iter().find(|s| s.1 == self.scope);
                let place = place.map_or("", |s| s.0);
                return Err(format!("{found} '{name}'{place}, {wanted} wanted,"));
            }
        }
        Ok(())
    }
}

/// A file.
#[derive(Debug)]
pub struct Case<'a> {
    /// Options.
    pub options: Options,
    /// What is never rewritten.
    pub checks: Vec<Check>,
    /// The whole file, which is a program.
    pub source: &'a str,
    /// Everything before the separator.
    pub head: String,
    /// What follows it.
    pub expected: &'a str,
}

impl<'a> Case<'a> {
    /// Reads a file.
    pub fn parse(source: &'a str) -> Result<Case<'a>, Error> {
        let first = source.lines().next().unwrap_or_default();
        let options = Options::parse(first).map_err(|e| (1, e))?;
        let mark = format!("\n{SEPARATOR}\n");
        let (head, expected) = match source.find(&mark) {
            Some(at) => (&source[..=at], &source[at + mark.len()..]),
            None => (source, ""),
        };
        let mut checks = Vec::new();
        for (n, line) in head.lines().enumerate() {
            checks.extend(Check::parse(n + 1, line)?);
        }
        if checks.is_empty() {
            return Err((
                1,
                "no line '-- present:', '-- absent:' or '-- count:'".into(),
            ));
        }
        let newline = if head.ends_with('\n') { "" } else { "\n" };
        Ok(Case {
            options,
            checks,
            source,
            head: format!("{head}{newline}"),
            expected,
        })
    }

    /// The first line that differs, and the lines there.
    pub fn difference(&self, actual: &str) -> (usize, String) {
        let first = self.head.lines().count() + 2;
        let (mut old, mut new) = (self.expected.lines(), actual.lines());
        let mut n = 0;
        loop {
            let (a, b) = (old.next(), new.next());
            if a != b || a.is_none() {
                let a = a.unwrap_or("the end");
                let b = b.unwrap_or("the end");
                return (first + n, format!("expected: {a}\nfound:    {b}"));
            }
            n += 1;
        }
    }
}

/// Text as Lua comments.
pub fn as_comments(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let _ = writeln!(out, "-- {line}");
    }
    out
}
