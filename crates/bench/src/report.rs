//! Tables of results, for the terminal and as Markdown.

use std::collections::BTreeMap;

use crate::engine::{Engine, Kind};
use crate::machine::Machine;
use crate::program::Program;
use crate::runner::Outcome;
use crate::stats::{Summary, geometric_mean};
use crate::tables;

/// All results of a program.
#[derive(Debug, Clone)]
pub struct Row {
    /// The program.
    pub program: Program,
    /// What each engine made of it; engines that do not take part are absent.
    pub outcomes: BTreeMap<Kind, Outcome>,
}

impl Row {
    /// Summary of an engine's times; `None` if it did not take part or failed.
    #[must_use]
    pub fn summary(&self, kind: Kind) -> Option<Summary> {
        let outcome = self.outcomes.get(&kind)?;
        if outcome.failure.is_some() {
            None
        } else {
            Summary::of(&outcome.seconds)
        }
    }

    /// Median of `kind` as a multiple of the median of `base`.
    #[must_use]
    pub fn ratio(&self, kind: Kind, base: Kind) -> Option<f64> {
        let (time, base) = (self.summary(kind)?.median, self.summary(base)?.median);
        (base > 0.0).then_some(time / base)
    }

    /// Whether the program ends later with the JIT on than with it off, beyond noise (2 %
    /// and 10 ms), and by how many seconds. The fastest runs are compared, which others on
    /// the machine disturb least. The outer `None` means that a side is missing.
    #[must_use]
    pub fn later(&self) -> Option<Option<f64>> {
        let on = self.summary(Kind::VelaOn)?.min;
        let off = self.summary(Kind::VelaOff)?.min;
        Some((on > off * 1.02 + 0.010).then_some(on - off))
    }

    /// Text of a cell without a number: why there is none.
    fn missing(&self, kind: Kind) -> &'static str {
        match self.outcomes.get(&kind) {
            Some(Outcome {
                failure: Some(f), ..
            }) => f.word(),
            _ => "-",
        }
    }
}

/// A comparison of two engines over all programs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overall {
    /// Geometric mean of the ratios.
    pub mean: f64,
    /// Number of programs that both engines ran.
    pub programs: usize,
}

/// Geometric mean of `kind`'s ratios to `base`; `None` when no program has both.
#[must_use]
pub fn overall(rows: &[Row], kind: Kind, base: Kind) -> Option<Overall> {
    let ratios: Vec<f64> = rows.iter().filter_map(|r| r.ratio(kind, base)).collect();
    Some(Overall {
        mean: geometric_mean(&ratios)?,
        programs: ratios.len(),
    })
}

/// The ratio columns that make sense for these engines: each to lua5.4, and the JIT to the interpreter.
fn ratio_columns(engines: &[Engine]) -> Vec<(Kind, Kind)> {
    let has = |k: Kind| engines.iter().any(|e| e.kind == k);
    let mut columns = Vec::new();
    if has(Kind::Lua54) {
        columns.extend(
            engines
                .iter()
                .map(|e| e.kind)
                .filter(|k| *k != Kind::Lua54)
                .map(|k| (k, Kind::Lua54)),
        );
    }
    if has(Kind::VelaOn) && has(Kind::VelaOff) {
        columns.push((Kind::VelaOn, Kind::VelaOff));
    }
    columns
}

/// The table of times: a head, then one line per program with median and range per engine.
fn time_cells(rows: &[Row], engines: &[Engine]) -> Vec<Vec<String>> {
    let mut table = vec![vec!["program".to_owned()]];
    for e in engines {
        table[0].push(format!("{} s", e.kind));
        table[0].push("min-max".to_owned());
    }
    for row in rows {
        let mut line = vec![row.program.name.clone()];
        for e in engines {
            if let Some(s) = row.summary(e.kind) {
                line.push(format!("{:.3}", s.median));
                line.push(format!("{:.3}-{:.3}", s.min, s.max));
            } else {
                line.push(row.missing(e.kind).to_owned());
                line.push(String::new());
            }
        }
        table.push(line);
    }
    table
}

/// The table of ratios of medians; the last line holds geometric means and how many
/// programs they cover.
fn ratio_cells(rows: &[Row], engines: &[Engine]) -> Vec<Vec<String>> {
    let columns = ratio_columns(engines);
    let both = columns.contains(&(Kind::VelaOn, Kind::VelaOff));
    let mut table = vec![vec!["program".to_owned()]];
    table[0].extend(columns.iter().map(|(k, base)| format!("{k} / {base}")));
    if both {
        table[0].push("ends later".to_owned());
    }
    for row in rows {
        let mut line = vec![row.program.name.clone()];
        line.extend(columns.iter().map(|(k, base)| {
            row.ratio(*k, *base)
                .map_or_else(|| row.missing(*k).to_owned(), |r| format!("{r:.3}"))
        }));
        if both {
            line.push(match row.later() {
                None => "-".to_owned(),
                Some(None) => "no".to_owned(),
                Some(Some(seconds)) => format!("by {seconds:.3} s"),
            });
        }
        table.push(line);
    }
    let mut mean = vec!["geometric mean".to_owned()];
    mean.extend(columns.iter().map(|(k, base)| {
        overall(rows, *k, *base).map_or("-".to_owned(), |o| {
            format!("{:.3} (of {})", o.mean, o.programs)
        })
    }));
    if both {
        let later = rows.iter().filter(|r| matches!(r.later(), Some(Some(_))));
        mean.push(format!("{} later", later.count()));
    }
    table.push(mean);
    table
}

/// The table of JIT counters; only its head when no run printed any.
fn jit_cells(rows: &[Row]) -> Vec<Vec<String>> {
    let head = [
        "program",
        "functions compiled",
        "deopts",
        "OSR entries",
        "compile ms",
        "code bytes",
    ];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    let whole = |v: Option<u64>| v.map_or("-".to_owned(), |v| v.to_string());
    for row in rows {
        if let Some(j) = row.outcomes.get(&Kind::VelaOn).and_then(|o| o.jit) {
            table.push(vec![
                row.program.name.clone(),
                whole(j.functions_compiled),
                whole(j.deopts),
                whole(j.osr_entries),
                j.compile_ms.map_or("-".to_owned(), |ms| format!("{ms:.1}")),
                whole(j.code_bytes),
            ]);
        }
    }
    table
}

/// All failures, one line each; empty when there were none.
#[must_use]
pub fn failures(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .flat_map(|row| {
            row.outcomes.iter().filter_map(|(kind, o)| {
                o.failure
                    .as_ref()
                    .map(|f| format!("{} under {kind}: {f}", row.program.name))
            })
        })
        .collect()
}

/// The report for a terminal.
#[must_use]
pub fn terminal(rows: &[Row], engines: &[Engine]) -> String {
    let mut out = tables::plain(&time_cells(rows, engines));
    if !ratio_columns(engines).is_empty() {
        out.push('\n');
        out.push_str(&tables::plain(&ratio_cells(rows, engines)));
    }
    let jit = jit_cells(rows);
    if jit.len() > 1 {
        out.push('\n');
        out.push_str(&tables::plain(&jit));
    }
    out
}

/// What a Markdown report says besides the results.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Where it was measured.
    pub machine: &'a Machine,
    /// Rounds per program and engine.
    pub rounds: usize,
    /// Settings in the environment that change Vela's behaviour, as `NAME=value`.
    pub settings: &'a [String],
}

/// What every section of a Markdown report begins with: where, when and what.
#[must_use]
pub fn head(engines: &[Engine], context: &Context<'_>) -> String {
    let machine = context.machine;
    let mut lines = vec![
        format!("Measured on {} with `vela-bench`.\n", machine.date),
        format!("- Machine: {}, {}", machine.cpu, machine.memory),
        format!("- System: {}", machine.system),
    ];
    if let Some(commit) = &machine.commit {
        lines.push(format!("- Source: commit {commit}"));
    }
    lines.extend(
        engines
            .iter()
            .map(|e| format!("- {}: {}", e.kind, e.version)),
    );
    if !context.settings.is_empty() {
        lines.push(format!("- Settings: {}", context.settings.join(" ")));
    }
    lines.join("\n") + "\n"
}

/// The generated section for whole programs, without its markers.
#[must_use]
pub fn markdown(rows: &[Row], engines: &[Engine], context: &Context<'_>) -> String {
    let mut out = head(engines, context);
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!(
        "\nWhole processes, {} interleaved rounds per program; times are wall-clock seconds, outputs agree unless noted.",
        context.rounds
    ));
    let problems = failures(rows);
    if !problems.is_empty() {
        line("\n### Failures\n".to_owned());
        for p in &problems {
            line(format!("- {p}"));
        }
    }
    line("\n### Ratios of medians (smaller is faster)\n".to_owned());
    line(tables::markdown(&ratio_cells(rows, engines)));
    line("### Times: median and range\n".to_owned());
    line(tables::markdown(&time_cells(rows, engines)));
    let jit = jit_cells(rows);
    if jit.len() > 1 {
        line("### What the JIT did\n".to_owned());
        line(tables::markdown(&jit));
    }
    line("### Programs\n".to_owned());
    for row in rows {
        line(format!("- `{}`: {}", row.program.name, row.program.title));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::jit_stats::JitStats;
    use crate::runner::Failure;

    fn engine(kind: Kind) -> Engine {
        Engine {
            kind,
            command: PathBuf::from("x"),
            args: vec![],
            version: format!("{kind} test"),
        }
    }

    fn row(name: &str, times: &[(Kind, f64)]) -> Row {
        let program = Program::parse(
            name,
            &PathBuf::from("x"),
            &format!("-- {name}: a test.\n-- quick: 1\n"),
        )
        .unwrap();
        let outcomes = times
            .iter()
            .map(|(k, t)| {
                (
                    *k,
                    Outcome {
                        seconds: vec![*t],
                        ..Outcome::default()
                    },
                )
            })
            .collect();
        Row { program, outcomes }
    }

    fn engines() -> Vec<Engine> {
        Kind::WHOLE.into_iter().map(engine).collect()
    }

    #[test]
    fn means_cover_the_programs_that_both_engines_ran() {
        let mut rows = vec![
            row("a", &[(Kind::Lua54, 1.0), (Kind::LuaJit, 0.25)]),
            row("b", &[(Kind::Lua54, 2.0), (Kind::LuaJit, 2.0)]),
            row("c", &[(Kind::Lua54, 2.0)]),
        ];
        assert_eq!(
            overall(&rows, Kind::LuaJit, Kind::Lua54),
            Some(Overall {
                mean: 0.5,
                programs: 2
            })
        );
        rows[0].outcomes.get_mut(&Kind::LuaJit).unwrap().failure = Some(Failure::Timeout(1));
        assert_eq!(
            overall(&rows, Kind::LuaJit, Kind::Lua54),
            Some(Overall {
                mean: 1.0,
                programs: 1
            })
        );
        assert_eq!(overall(&rows, Kind::VelaOn, Kind::Lua54), None);
    }

    #[test]
    fn the_terminal_report_shows_times_ratios_and_failures() {
        let mut r = row(
            "a",
            &[
                (Kind::Lua54, 2.0),
                (Kind::VelaOff, 3.0),
                (Kind::VelaOn, 0.5),
                (Kind::LuaJit, 9.0),
            ],
        );
        r.outcomes.get_mut(&Kind::LuaJit).unwrap().failure =
            Some(Failure::Mismatch("line 1".to_owned()));
        r.outcomes.get_mut(&Kind::VelaOn).unwrap().jit = Some(JitStats {
            functions_compiled: Some(12),
            ..JitStats::default()
        });
        let text = terminal(&[r], &engines());
        let words = |start: &str, nth: usize| -> Vec<String> {
            let line = text
                .lines()
                .filter(|l| l.starts_with(start))
                .nth(nth)
                .unwrap();
            line.split_whitespace().map(str::to_owned).collect()
        };
        assert_eq!(
            words("a ", 0),
            [
                "a",
                "2.000",
                "2.000-2.000",
                "3.000",
                "3.000-3.000",
                "0.500",
                "0.500-0.500",
                "wrong",
                "output"
            ]
        );
        assert_eq!(
            words("a ", 1),
            ["a", "1.500", "0.250", "wrong", "output", "0.167", "no"]
        );
        assert_eq!(words("a ", 2), ["a", "12", "-", "-", "-", "-"]);
    }

    #[test]
    fn later_means_beyond_noise() {
        let later = |on, off| row("a", &[(Kind::VelaOn, on), (Kind::VelaOff, off)]).later();
        assert_eq!(later(1.029, 1.0), Some(None));
        assert!(matches!(later(1.5, 1.0), Some(Some(s)) if (s - 0.5).abs() < 1e-9));
        assert_eq!(row("a", &[(Kind::VelaOn, 1.0)]).later(), None);
    }

    #[test]
    fn markdown_names_machine_versions_and_failures() {
        let machine = Machine {
            cpu: "Fast, 2 cores".to_owned(),
            memory: "8 GiB".to_owned(),
            system: "Linux".to_owned(),
            date: "2026-01-02".to_owned(),
            commit: Some("abc123".to_owned()),
        };
        let mut r = row("a", &[(Kind::Lua54, 2.0), (Kind::VelaOn, 1.0)]);
        let context = Context {
            machine: &machine,
            rounds: 3,
            settings: &["VELA_JIT_X=1".to_owned()],
        };
        let text = markdown(std::slice::from_ref(&r), &engines(), &context);
        for part in [
            "2026-01-02",
            "Fast, 2 cores",
            "abc123",
            "luajit test",
            "VELA_JIT_X=1",
            "| a | - | 0.500 |",
            "`a`: a test",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        assert!(!text.contains("### Failures"));
        r.outcomes.get_mut(&Kind::VelaOn).unwrap().failure = Some(Failure::Timeout(9));
        assert!(
            markdown(&[r], &engines(), &context).contains("- a under vela-on: no end after 9 s")
        );
    }
}
