//! The oracle of the tests: patterns as the reference manual has them and as
//! PUC Lua raises their errors, read from the text at every step, with nothing
//! done ahead.

use super::{Capture, ESC, MAX_CAPTURES, MAX_DEPTH, PatternError};
use crate::string::class::{in_set, of_class};

/// What is noted of a capture.
#[derive(Clone, Copy)]
enum Noted {
    Open(usize),
    Part(usize, usize),
    Position(usize),
}

struct Reference<'a> {
    src: &'a [u8],
    captures: Vec<Noted>,
    depth: u32,
}

type Outcome = Result<Option<usize>, PatternError>;

/// The first match from `from` on that does not end at `last`, with all its
/// captures, or the whole match if there are none.
#[allow(clippy::type_complexity)]
pub(super) fn next(
    subject: &[u8],
    pattern: &[u8],
    from: usize,
    last: usize,
) -> Result<Option<(usize, usize, Vec<Capture>)>, PatternError> {
    let (anchored, text) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    };
    for at in from..=subject.len() {
        let mut r = Reference {
            src: subject,
            captures: Vec::new(),
            depth: MAX_DEPTH,
        };
        if let Some(end) = r.run(at, text)?
            && end != last
        {
            if r.captures.is_empty() {
                return Ok(Some((at, end, vec![Capture::Part(at, end)])));
            }
            let mut captures = Vec::new();
            for noted in r.captures {
                captures.push(match noted {
                    Noted::Open(_) => return Err(PatternError::UnfinishedCapture),
                    Noted::Part(from, to) => Capture::Part(from, to),
                    Noted::Position(at) => Capture::Position(at + 1),
                });
            }
            return Ok(Some((at, end, captures)));
        }
        if anchored {
            break;
        }
    }
    Ok(None)
}

/// Where the test of one byte that begins `p` ends.
fn test_end(p: &[u8]) -> Result<usize, PatternError> {
    match p {
        [ESC] => Err(PatternError::EndsWithPercent),
        [ESC, ..] => Ok(2),
        [b'[', ..] => {
            let mut i = 1;
            if p.get(i) == Some(&b'^') {
                i += 1;
            }
            loop {
                let c = p.get(i).ok_or(PatternError::MissingBracket)?;
                i += 1;
                if *c == ESC && i < p.len() {
                    i += 1;
                }
                if p.get(i) == Some(&b']') {
                    return Ok(i + 1);
                }
            }
        }
        _ => Ok(1),
    }
}

fn passes(c: u8, test: &[u8]) -> bool {
    match test {
        [b'.'] => true,
        [ESC, class] => of_class(*class).has(c),
        [b'[', ..] => in_set(c, test),
        other => other[0] == c,
    }
}

impl Reference<'_> {
    fn run(&mut self, s: usize, p: &[u8]) -> Outcome {
        if self.depth == 0 {
            return Err(PatternError::TooComplex);
        }
        self.depth -= 1;
        let result = self.steps(s, p);
        self.depth += 1;
        result
    }

    fn steps(&mut self, mut s: usize, mut p: &[u8]) -> Outcome {
        loop {
            match *p {
                [] => return Ok(Some(s)),
                [b'(', b')', ref rest @ ..] => return self.open(Noted::Position(s), s, rest),
                [b'(', ref rest @ ..] => return self.open(Noted::Open(s), s, rest),
                [b')', ref rest @ ..] => return self.close(s, rest),
                [b'$'] => return Ok((s == self.src.len()).then_some(s)),
                [ESC, b'b', ref rest @ ..] => {
                    let [open, close, rest @ ..] = rest else {
                        return Err(PatternError::MissingBalance);
                    };
                    let Some(end) = self.balance(s, *open, *close) else {
                        return Ok(None);
                    };
                    (s, p) = (end, rest);
                    continue;
                }
                [ESC, b'f', ref rest @ ..] => {
                    if rest.first() != Some(&b'[') {
                        return Err(PatternError::MissingFrontier);
                    }
                    let (set, rest) = rest.split_at(test_end(rest)?);
                    let before = if s == 0 { 0 } else { self.src[s - 1] };
                    let here = self.src.get(s).copied().unwrap_or(0);
                    if in_set(before, set) || !in_set(here, set) {
                        return Ok(None);
                    }
                    p = rest;
                    continue;
                }
                [ESC, digit @ b'0'..=b'9', ref rest @ ..] => {
                    let number = digit - b'0';
                    let at = usize::from(number).wrapping_sub(1);
                    let part = match self.captures.get(at) {
                        None | Some(Noted::Open(_)) => {
                            return Err(PatternError::CaptureIndex(number));
                        }
                        Some(Noted::Position(_)) => return Ok(None),
                        Some(&Noted::Part(from, to)) => &self.src[from..to],
                    };
                    if !self.src[s..].starts_with(part) {
                        return Ok(None);
                    }
                    (s, p) = (s + part.len(), rest);
                    continue;
                }
                _ => {}
            }
            let (test, rest) = p.split_at(test_end(p)?);
            let here = self.src.get(s).is_some_and(|&c| passes(c, test));
            match *rest {
                [b'?', ref rest @ ..] => {
                    if here && let Some(end) = self.run(s + 1, rest)? {
                        return Ok(Some(end));
                    }
                    p = rest;
                }
                [b'+', ref rest @ ..] => {
                    return if here {
                        self.longest(s + 1, test, rest)
                    } else {
                        Ok(None)
                    };
                }
                [b'*', ref rest @ ..] => return self.longest(s, test, rest),
                [b'-', ref rest @ ..] => return self.shortest(s, test, rest),
                _ if !here => return Ok(None),
                _ => (s, p) = (s + 1, rest),
            }
        }
    }

    fn longest(&mut self, s: usize, test: &[u8], rest: &[u8]) -> Outcome {
        let text = &self.src[s..];
        let n = text.iter().take_while(|&&c| passes(c, test)).count();
        for i in (0..=n).rev() {
            if let Some(end) = self.run(s + i, rest)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn shortest(&mut self, mut s: usize, test: &[u8], rest: &[u8]) -> Outcome {
        loop {
            if let Some(end) = self.run(s, rest)? {
                return Ok(Some(end));
            }
            if !self.src.get(s).is_some_and(|&c| passes(c, test)) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn open(&mut self, noted: Noted, s: usize, rest: &[u8]) -> Outcome {
        if self.captures.len() >= MAX_CAPTURES {
            return Err(PatternError::TooManyCaptures);
        }
        self.captures.push(noted);
        let result = self.run(s, rest)?;
        if result.is_none() {
            self.captures.pop();
        }
        Ok(result)
    }

    fn close(&mut self, s: usize, rest: &[u8]) -> Outcome {
        let open = |c: &Noted| matches!(c, Noted::Open(_));
        let i = self.captures.iter().rposition(open);
        let i = i.ok_or(PatternError::InvalidCapture)?;
        let before = self.captures[i];
        if let Noted::Open(from) = before {
            self.captures[i] = Noted::Part(from, s);
        }
        let result = self.run(s, rest)?;
        if result.is_none() {
            self.captures[i] = before;
        }
        Ok(result)
    }

    fn balance(&self, s: usize, open: u8, close: u8) -> Option<usize> {
        if *self.src.get(s)? != open {
            return None;
        }
        let mut nested = 1;
        for at in s + 1..self.src.len() {
            if self.src[at] == close {
                nested -= 1;
                if nested == 0 {
                    return Some(at + 1);
                }
            } else if self.src[at] == open {
                nested += 1;
            }
        }
        None
    }
}
