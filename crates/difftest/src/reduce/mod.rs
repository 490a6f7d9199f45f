//! Reduces a failing program to a small one.
//!
//! Delta debugging over the syntax tree of the source: statements and list items go in shrinking
//! chunks, blocks take the place of the statements around them, expressions become one of their
//! parts or a constant. The caller's oracle judges many candidates at a time, so that one process
//! runs a whole batch; of a batch all successful edits that do not overlap are tried at once.

mod syntax;

use std::ops::Range;
use std::time::{Duration, Instant};

use syntax::{Kind, Node, parse};

/// Bounds of a reduction.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Candidates judged at most.
    pub candidates: usize,
    /// Time at most.
    pub time: Duration,
    /// Candidates judged at a time.
    pub batch: usize,
}

/// What came of a reduction.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// The smallest failing source found.
    pub source: String,
    /// Candidates judged.
    pub candidates: usize,
}

/// A replacement of a byte range.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edit {
    span: Range<usize>,
    text: String,
}

impl Edit {
    fn cut(span: Range<usize>) -> Self {
        Edit {
            span,
            text: String::new(),
        }
    }
}

/// Reduces a source for which the oracle says that it fails. The oracle tells of each candidate
/// whether it fails, too.
///
/// # Errors
/// What the oracle reports.
pub fn reduce<E>(
    source: &str,
    limits: Limits,
    oracle: impl FnMut(&[String]) -> Result<Vec<bool>, E>,
) -> Result<Reduced, E> {
    let mut search = Search {
        source: source.to_owned(),
        candidates: 0,
        limits,
        end: Instant::now() + limits.time,
        oracle,
    };
    loop {
        let before = search.source.len();
        search.statements()?;
        search.pass(hoists)?;
        search.pass(lists)?;
        search.pass(expressions)?;
        search.pass(constants)?;
        if search.source.len() >= before || search.spent() {
            break;
        }
    }
    Ok(Reduced {
        source: search.source,
        candidates: search.candidates,
    })
}

struct Search<O> {
    source: String,
    candidates: usize,
    limits: Limits,
    end: Instant,
    oracle: O,
}

impl<O, E> Search<O>
where
    O: FnMut(&[String]) -> Result<Vec<bool>, E>,
{
    fn spent(&self) -> bool {
        self.candidates >= self.limits.candidates || Instant::now() >= self.end
    }

    fn judge(&mut self, candidates: &[String]) -> Result<Vec<bool>, E> {
        self.candidates += candidates.len();
        (self.oracle)(candidates)
    }

    /// Removes statements: halves of every block first, then ever smaller runs.
    fn statements(&mut self) -> Result<(), E> {
        let Some(tree) = parse(&self.source) else {
            return Ok(());
        };
        let mut size = longest_block(&tree).next_power_of_two() / 2;
        while size > 0 {
            while self.pass(|tree, _| runs(tree, size))? && !self.spent() {}
            size /= 2;
        }
        Ok(())
    }

    /// Tries the edits that `propose` finds; true if one of them was taken.
    fn pass(&mut self, propose: impl Fn(&Node, &str) -> Vec<Edit>) -> Result<bool, E> {
        let mut taken = false;
        // Where to go on after an edit was taken, counted from the end: what lies behind an edit
        // keeps its distance from there.
        let mut rest = usize::MAX;
        loop {
            let Some(tree) = parse(&self.source) else {
                return Ok(taken);
            };
            let length = self.source.len();
            let mut edits = propose(&tree, &self.source);
            edits.retain(|e| self.source[e.span.clone()] != e.text && length - e.span.start < rest);
            // In order of their place, the large ones first.
            edits.sort_by_key(|e| (e.span.start, std::cmp::Reverse(e.span.end)));
            edits.dedup();
            let more = edits.len() > self.limits.batch;
            let mut count = self.limits.batch.min(edits.len());
            // The next round begins behind this one's last place.
            while count < edits.len() && edits[count].span.start == edits[count - 1].span.start {
                count += 1;
            }
            edits.truncate(count);
            let Some(last) = edits.last() else {
                return Ok(taken);
            };
            if self.spent() {
                return Ok(taken);
            }
            rest = length - last.span.start;
            let candidates: Vec<String> = edits.iter().map(|e| self.apply(&[e])).collect();
            let verdicts = self.judge(&candidates)?;
            let mut good: Vec<&Edit> = Vec::new();
            for (edit, fails) in edits.iter().zip(&verdicts) {
                if *fails && good.last().is_none_or(|g| g.span.end <= edit.span.start) {
                    good.push(edit);
                }
            }
            if good.is_empty() {
                if !more {
                    return Ok(taken);
                }
                continue;
            }
            // All of them, or the first half, or the first alone.
            while good.len() > 1 {
                let together = self.apply(&good);
                if self.judge(std::slice::from_ref(&together))?[0] {
                    break;
                }
                good.truncate(good.len() / 2);
            }
            self.source = self.apply(&good);
            taken = true;
        }
    }

    fn apply(&self, edits: &[&Edit]) -> String {
        let mut text = String::with_capacity(self.source.len());
        let mut at = 0;
        for e in edits {
            text.push_str(&self.source[at..e.span.start]);
            text.push_str(&e.text);
            at = e.span.end;
            if e.text.is_empty()
                && text
                    .lines()
                    .next_back()
                    .is_some_and(|l| l.trim().is_empty())
            {
                // A line that loses all it had goes as a whole.
                let line = self.source[at..].find(|c: char| !c.is_whitespace());
                let skipped = &self.source[at..at + line.unwrap_or(self.source.len() - at)];
                if let Some(newline) = skipped.find('\n') {
                    at += newline + 1;
                    text.truncate(text.trim_end_matches([' ', '\t']).len());
                }
            }
        }
        text.push_str(&self.source[at..]);
        text
    }
}

fn walk(node: &Node, visit: &mut impl FnMut(&Node)) {
    visit(node);
    for part in &node.parts {
        walk(part, visit);
    }
}

fn longest_block(tree: &Node) -> usize {
    let mut longest = 0;
    walk(tree, &mut |n| {
        if n.kind == Kind::Block {
            longest = longest.max(n.parts.len());
        }
    });
    longest
}

/// Runs of `size` statements; one statement and the arms of `if` at size 1.
fn runs(tree: &Node, size: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    walk(tree, &mut |n| {
        if n.kind == Kind::Block {
            for run in n.parts.chunks(size) {
                if run.len() == size || size == 1 {
                    edits.push(Edit::cut(run[0].span.start..run[run.len() - 1].span.end));
                }
            }
        } else if n.kind == Kind::Statement && size == 1 {
            for arm in n.parts.iter().filter(|p| p.kind == Kind::Statement) {
                edits.push(Edit::cut(arm.span.clone()));
            }
        }
    });
    edits
}

/// A block in place of the statement that contains it.
fn hoists(tree: &Node, source: &str) -> Vec<Edit> {
    fn blocks(node: &Node, found: &mut Vec<Range<usize>>) {
        for part in &node.parts {
            match part.kind {
                Kind::Block => found.push(part.span.clone()),
                _ => blocks(part, found),
            }
        }
    }
    let mut edits = Vec::new();
    walk(tree, &mut |n| {
        if n.kind == Kind::Block {
            for statement in &n.parts {
                let mut inner = Vec::new();
                blocks(statement, &mut inner);
                for block in inner {
                    // As a block of its own, and without: the latter lets its locals be seen.
                    for text in [
                        source[block.clone()].to_owned(),
                        format!("do {} end", &source[block]),
                    ] {
                        edits.push(Edit {
                            span: statement.span.clone(),
                            text,
                        });
                    }
                }
            }
        }
    });
    edits
}

/// Items of lists go, with a comma.
fn lists(tree: &Node, _: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    walk(tree, &mut |n| {
        if n.kind != Kind::List {
            return;
        }
        let items = &n.parts;
        if items.len() > 1 {
            edits.push(Edit::cut(items[0].span.end..n.span.end));
        }
        for (i, item) in items.iter().enumerate() {
            edits.push(Edit::cut(match (items.get(i + 1), i.checked_sub(1)) {
                (Some(next), _) => item.span.start..next.span.start,
                (None, Some(before)) => items[before].span.end..item.span.end,
                (None, None) => item.span.clone(),
            }));
        }
    });
    edits
}

/// An expression becomes one of its parts.
fn expressions(tree: &Node, source: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    walk(tree, &mut |n| {
        if n.kind != Kind::Expression {
            return;
        }
        for part in &n.parts {
            let spans = match part.kind {
                Kind::List => part.parts.iter().map(|p| p.span.clone()).collect(),
                Kind::Expression | Kind::Atom => vec![part.span.clone()],
                Kind::Block | Kind::Statement => Vec::new(),
            };
            edits.extend(spans.into_iter().map(|span| Edit {
                span: n.span.clone(),
                text: source[span].to_owned(),
            }));
        }
    });
    edits
}

/// An expression becomes a constant.
fn constants(tree: &Node, source: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    walk(tree, &mut |n| {
        let text = &source[n.span.clone()];
        if n.kind != Kind::Expression && (n.kind != Kind::Atom || text.len() == 1) {
            return;
        }
        for constant in ["1", "nil"] {
            if text.len() > constant.len() {
                edits.push(Edit {
                    span: n.span.clone(),
                    text: constant.to_owned(),
                });
            }
        }
    });
    edits
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use super::{Limits, reduce, syntax};

    fn reduced(source: &str, fails: impl Fn(&str) -> bool) -> (String, usize) {
        let limits = Limits {
            candidates: 5_000,
            time: Duration::from_secs(60),
            batch: 16,
        };
        let outcome = reduce(source, limits, |candidates| {
            let verdicts = candidates
                .iter()
                .map(|c| syntax::parse(c).is_some() && fails(c));
            Ok::<_, Infallible>(verdicts.collect())
        });
        let outcome = outcome.unwrap_or_else(|e| match e {});
        (outcome.source, outcome.candidates)
    }

    #[test]
    fn one_call_is_left_of_a_long_program() {
        let mut source = String::from("local u = 1\n");
        for i in 0..200 {
            source += &format!(
                "function f{i}(a, b)\n  if a then\n    for i = 1, 3 do u = u + (a * {i}) end\n  \
                 else return g(b, {{x = {i}}}) end\nend\n"
            );
        }
        source += "for i = 1, 9 do\n  if u then show(1, (2 + bad(i, u, {3}))) end\nend\n";
        source += &source.clone();
        let (small, candidates) = reduced(&source, |s| s.contains("bad("));
        assert_eq!(small.trim(), "bad()");
        assert!(candidates < 1_000, "{candidates}");
    }

    #[test]
    fn two_places_that_need_each_other_stay() {
        let source = "local a = 1\nlocal b = 2\nprint(a)\nlocal c = 3\nprint(a, b, c)\n";
        let (small, _) = reduced(source, |s| s.contains("b = ") && s.contains("c)"));
        assert!(small.len() < 30, "{small}");
    }

    #[test]
    fn bounds_hold() {
        let source = "x = 1\n".repeat(500);
        let limits = Limits {
            candidates: 40,
            time: Duration::from_secs(60),
            batch: 16,
        };
        let outcome = reduce(&source, limits, |c| {
            Ok::<_, Infallible>(vec![false; c.len()])
        });
        let outcome = outcome.unwrap_or_else(|e| match e {});
        assert!(outcome.candidates < 40 + 16);
        assert_eq!(outcome.source, source);
    }
}
