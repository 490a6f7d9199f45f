//! When two reports of a program agree.

use crate::batch::Report;
use crate::modes::Ready;

/// How two reports are compared.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// The two are modes of one implementation: traversal order counts.
    pub same_implementation: bool,
    /// Leave variable names in error messages out.
    pub ignore_names: bool,
}

impl Comparison {
    /// The comparison of two modes.
    pub fn of(a: &Ready, b: &Ready, ignore_names: bool) -> Self {
        Comparison {
            same_implementation: a.mode.program == b.mode.program && a.mode.program != "puc",
            ignore_names,
        }
    }

    fn line(self, line: &str) -> Option<String> {
        if line.starts_with("~ ") && !self.same_implementation {
            return None;
        }
        Some(if self.ignore_names {
            without_names(line)
        } else {
            line.to_owned()
        })
    }

    /// The first difference: both lines. `None` if the reports agree.
    pub fn difference(self, a: &Report, b: &Report) -> Option<(String, String)> {
        if a.status != b.status {
            return Some((
                format!("status {}: {}", a.status, last(&a.output)),
                format!("status {}: {}", b.status, last(&b.output)),
            ));
        }
        let mut left = a.output.lines().filter_map(|l| self.line(l));
        let mut right = b.output.lines().filter_map(|l| self.line(l));
        loop {
            match (left.next(), right.next()) {
                (None, None) => return None,
                (x, y) if x == y => {}
                (x, y) => {
                    let end = || "(end of output)".to_owned();
                    return Some((x.unwrap_or_else(end), y.unwrap_or_else(end)));
                }
            }
        }
    }
}

fn last(text: &str) -> &str {
    text.lines().last().unwrap_or("")
}

/// Takes `(local 'x')` and the like out of a message.
fn without_names(line: &str) -> String {
    const KINDS: [&str; 7] = [
        "local",
        "global",
        "field",
        "upvalue",
        "method",
        "constant",
        "metamethod",
    ];
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(" (") {
        let tail = &rest[at + 2..];
        let named = KINDS
            .iter()
            .any(|k| tail.strip_prefix(k).is_some_and(|t| t.starts_with(" '")));
        match (named, tail.find("')")) {
            (true, Some(end)) => {
                out.push_str(&rest[..at]);
                rest = &tail[end + 2..];
            }
            _ => {
                out.push_str(&rest[..at + 2]);
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{Comparison, without_names};
    use crate::batch::Report;

    fn report(status: &str, output: &str) -> Report {
        Report {
            status: status.into(),
            output: output.into(),
            compiled: None,
            exits: None,
        }
    }

    #[test]
    fn names_are_taken_out() {
        let text = "p:3: attempt to index a nil value (local 'x') (y) and (field 'z')";
        assert_eq!(
            without_names(text),
            "p:3: attempt to index a nil value (y) and"
        );
    }

    #[test]
    fn traversal_order_counts_only_within_an_implementation() {
        let a = report("ok", "x\n~ 1 2\ny");
        let b = report("ok", "x\n~ 2 1\ny");
        let across = Comparison {
            same_implementation: false,
            ignore_names: false,
        };
        let within = Comparison {
            same_implementation: true,
            ignore_names: false,
        };
        assert!(across.difference(&a, &b).is_none());
        assert_eq!(
            within.difference(&a, &b),
            Some(("~ 1 2".into(), "~ 2 1".into()))
        );
    }

    #[test]
    fn missing_lines_and_status_differ() {
        let c = Comparison {
            same_implementation: true,
            ignore_names: false,
        };
        assert!(
            c.difference(&report("ok", "a"), &report("error", "a"))
                .is_some()
        );
        assert!(
            c.difference(&report("ok", "a\nb"), &report("ok", "a"))
                .is_some()
        );
        assert!(
            c.difference(&report("ok", "a"), &report("ok", "a"))
                .is_none()
        );
    }
}
