//! Lua patterns: a backtracking matcher over bytes.
//!
//! The matcher works on positions; two values above every position stand for
//! "no match" and "malformed pattern", so that results stay in one register.
//! Matching may take time exponential in the pattern, so it looks at a word
//! now and then that tells it to give up.

use std::sync::atomic::{AtomicU32, Ordering};

/// Most captures in a pattern.
pub const MAX_CAPTURES: usize = 32;
/// Nested steps of the matcher before a pattern counts as too complex.
const MAX_DEPTH: u32 = 200;

/// Steps between two looks at the word that ends a match.
const STEPS: usize = 1 << 14;

const ESC: u8 = b'%';

/// No match here.
const NONE: usize = usize::MAX;
/// The pattern is malformed; see [`Matcher::error`].
const ERROR: usize = usize::MAX - 1;

/// What is wrong with a pattern or its use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PatternError {
    /// `%` is the last byte.
    #[error("malformed pattern (ends with '%')")]
    EndsWithPercent,
    /// A set has no end.
    #[error("malformed pattern (missing ']')")]
    MissingBracket,
    /// `%b` is not followed by two bytes.
    #[error("malformed pattern (missing arguments to '%b')")]
    MissingBalance,
    /// `%f` is not followed by a set.
    #[error("missing '[' after '%f' in pattern")]
    MissingFrontier,
    /// More than [`MAX_CAPTURES`] captures.
    #[error("too many captures")]
    TooManyCaptures,
    /// Too much nesting.
    #[error("pattern too complex")]
    TooComplex,
    /// A `)` without a `(`.
    #[error("invalid pattern capture")]
    InvalidCapture,
    /// It was asked to give up; the caller knows why.
    #[error("interrupted")]
    Interrupted,
    /// A `(` without a `)`.
    #[error("unfinished capture")]
    UnfinishedCapture,
    /// A back reference or replacement names a capture that is not there.
    #[error("invalid capture index %{0}")]
    CaptureIndex(usize),
}

/// One capture of a match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Capture {
    /// A part of the subject: start and end.
    Part(usize, usize),
    /// A position capture, from 1.
    Position(usize),
}

const UNFINISHED: usize = usize::MAX;
const POSITION: usize = usize::MAX - 1;

/// A pattern at work on a subject.
pub struct Matcher<'a> {
    src: &'a [u8],
    pat: &'a [u8],
    depth: u32,
    /// Since the latest look at the word.
    steps: usize,
    level: usize,
    error: PatternError,
    /// Start, and length or one of the marks above.
    captures: [(usize, usize); MAX_CAPTURES],
}

impl<'a> Matcher<'a> {
    /// A matcher for `pattern` (without the anchor) on `subject`.
    #[must_use]
    pub fn new(subject: &'a [u8], pattern: &'a [u8]) -> Matcher<'a> {
        Matcher {
            src: subject,
            pat: pattern,
            depth: MAX_DEPTH,
            steps: 0,
            level: 0,
            error: PatternError::TooComplex,
            captures: [(0, 0); MAX_CAPTURES],
        }
    }

    /// Matches the whole pattern at `start`; the end of the match if there is
    /// one.
    ///
    /// # Errors
    /// What is wrong with the pattern, as far as matching got to see it;
    /// [`PatternError::Interrupted`] some time after `stop` was set to
    /// something that is not 0.
    #[inline]
    pub fn match_at(
        &mut self,
        start: usize,
        stop: &AtomicU32,
    ) -> Result<Option<usize>, PatternError> {
        self.level = 0;
        self.depth = MAX_DEPTH;
        match self.run(start, 0, stop) {
            NONE => Ok(None),
            ERROR => Err(self.error),
            end => Ok(Some(end)),
        }
    }

    /// Number of captures of the latest match.
    #[must_use]
    pub fn level(&self) -> usize {
        self.level
    }

    /// Capture `i` of the match from `start` to `end`; the whole match counts
    /// as capture 0 if the pattern has none.
    ///
    /// # Errors
    /// If there is no such capture, or it has no end.
    #[inline]
    pub fn capture(&self, i: usize, start: usize, end: usize) -> Result<Capture, PatternError> {
        if i >= self.level {
            return if i == 0 {
                Ok(Capture::Part(start, end))
            } else {
                Err(PatternError::CaptureIndex(i + 1))
            };
        }
        match self.captures[i] {
            (_, UNFINISHED) => Err(PatternError::UnfinishedCapture),
            (at, POSITION) => Ok(Capture::Position(at + 1)),
            (at, len) => Ok(Capture::Part(at, at + len)),
        }
    }

    #[cold]
    fn fail(&mut self, e: PatternError) -> usize {
        self.error = e;
        ERROR
    }

    #[inline]
    fn pat_at(&self, p: usize) -> Option<u8> {
        self.pat.get(p).copied()
    }

    /// Counts steps; whether to give up.
    #[inline]
    fn spend(&mut self, steps: usize, stop: &AtomicU32) -> bool {
        self.steps += steps;
        if self.steps < STEPS {
            return false;
        }
        self.steps = 0;
        stop.load(Ordering::Relaxed) != 0
    }

    fn run(&mut self, mut s: usize, mut p: usize, stop: &AtomicU32) -> usize {
        if self.depth == 0 {
            return self.fail(PatternError::TooComplex);
        }
        if self.spend(1, stop) {
            return self.fail(PatternError::Interrupted);
        }
        self.depth -= 1;
        let result = loop {
            let Some(c) = self.pat_at(p) else { break s };
            match c {
                b'(' => {
                    break if self.pat_at(p + 1) == Some(b')') {
                        self.start_capture(s, p + 2, POSITION, stop)
                    } else {
                        self.start_capture(s, p + 1, UNFINISHED, stop)
                    };
                }
                b')' => break self.end_capture(s, p + 1, stop),
                b'$' if p + 1 == self.pat.len() => {
                    break if s == self.src.len() { s } else { NONE };
                }
                ESC => match self.pat_at(p + 1) {
                    Some(b'b') => {
                        s = self.balance(s, p + 2, stop);
                        if s >= ERROR {
                            break s;
                        }
                        p += 4;
                        continue;
                    }
                    Some(b'f') => {
                        p += 2;
                        if self.pat_at(p) != Some(b'[') {
                            break self.fail(PatternError::MissingFrontier);
                        }
                        let end = self.class_end(p);
                        if end == ERROR {
                            break ERROR;
                        }
                        let before = if s == 0 { 0 } else { self.src[s - 1] };
                        let here = self.src.get(s).copied().unwrap_or(0);
                        let set = &self.pat[p..end];
                        if in_set(before, set) || !in_set(here, set) {
                            break NONE;
                        }
                        p = end;
                        continue;
                    }
                    Some(d @ b'0'..=b'9') => {
                        s = self.back_reference(s, d);
                        if s >= ERROR {
                            break s;
                        }
                        p += 2;
                        continue;
                    }
                    _ => {}
                },
                _ => {}
            }
            let end = self.class_end(p);
            if end == ERROR {
                break ERROR;
            }
            match self.pat_at(end) {
                Some(b'?') => {
                    if self.single(s, p, end) {
                        let r = self.run(s + 1, end + 1, stop);
                        if r != NONE {
                            break r;
                        }
                    }
                    p = end + 1;
                }
                Some(b'+') => {
                    break if self.single(s, p, end) {
                        self.max_expand(s + 1, p, end, stop)
                    } else {
                        NONE
                    };
                }
                Some(b'*') => break self.max_expand(s, p, end, stop),
                Some(b'-') => break self.min_expand(s, p, end, stop),
                _ => {
                    if !self.single(s, p, end) {
                        break NONE;
                    }
                    s += 1;
                    p = end;
                }
            }
        };
        self.depth += 1;
        result
    }

    /// Where the single-byte class at `p` ends.
    #[inline]
    fn class_end(&mut self, p: usize) -> usize {
        match self.pat[p] {
            ESC => {
                if p + 1 == self.pat.len() {
                    return self.fail(PatternError::EndsWithPercent);
                }
                p + 2
            }
            b'[' => self.set_end(p),
            _ => p + 1,
        }
    }

    fn set_end(&mut self, p: usize) -> usize {
        let mut p = p + 1;
        if self.pat_at(p) == Some(b'^') {
            p += 1;
        }
        // A `]` right at the start is a member.
        let mut first = true;
        loop {
            match self.pat_at(p) {
                None => return self.fail(PatternError::MissingBracket),
                Some(b']') if !first => return p + 1,
                Some(ESC) => p += 2,
                Some(_) => p += 1,
            }
            first = false;
        }
    }

    /// Whether the byte at `s` is in the class `pat[p..end]`.
    #[inline]
    fn single(&self, s: usize, p: usize, end: usize) -> bool {
        match self.src.get(s) {
            Some(&c) => self.class_has(c, p, end),
            None => false,
        }
    }

    #[inline]
    fn class_has(&self, c: u8, p: usize, end: usize) -> bool {
        match self.pat[p] {
            b'.' => true,
            ESC => in_class(c, self.pat[p + 1]),
            b'[' => in_set(c, &self.pat[p..end]),
            other => other == c,
        }
    }

    fn max_expand(&mut self, s: usize, p: usize, end: usize, stop: &AtomicU32) -> usize {
        let rest = &self.src[s..];
        let mut n = match self.pat[p] {
            b'.' => rest.len(),
            ESC => {
                let class = self.pat[p + 1];
                run_length(rest, |c| in_class(c, class))
            }
            b'[' => {
                let set = &self.pat[p..end];
                run_length(rest, |c| in_set(c, set))
            }
            other => run_length(rest, |c| c == other),
        };
        if self.spend(n / 8, stop) {
            return self.fail(PatternError::Interrupted);
        }
        if end + 1 == self.pat.len() {
            // Nothing follows: the longest run matches.
            return s + n;
        }
        loop {
            let r = self.run(s + n, end + 1, stop);
            if r != NONE {
                return r;
            }
            if n == 0 {
                return NONE;
            }
            n -= 1;
        }
    }

    fn min_expand(&mut self, mut s: usize, p: usize, end: usize, stop: &AtomicU32) -> usize {
        loop {
            let r = self.run(s, end + 1, stop);
            if r != NONE {
                return r;
            }
            if !self.single(s, p, end) {
                return NONE;
            }
            s += 1;
        }
    }

    fn start_capture(&mut self, s: usize, p: usize, what: usize, stop: &AtomicU32) -> usize {
        if self.level >= MAX_CAPTURES {
            return self.fail(PatternError::TooManyCaptures);
        }
        self.captures[self.level] = (s, what);
        self.level += 1;
        let r = self.run(s, p, stop);
        if r == NONE {
            self.level -= 1;
        }
        r
    }

    fn end_capture(&mut self, s: usize, p: usize, stop: &AtomicU32) -> usize {
        let open = (0..self.level)
            .rev()
            .find(|&i| self.captures[i].1 == UNFINISHED);
        let Some(i) = open else {
            return self.fail(PatternError::InvalidCapture);
        };
        self.captures[i].1 = s - self.captures[i].0;
        let r = self.run(s, p, stop);
        if r == NONE {
            self.captures[i].1 = UNFINISHED;
        }
        r
    }

    fn balance(&mut self, s: usize, p: usize, stop: &AtomicU32) -> usize {
        let (Some(open), Some(close)) = (self.pat_at(p), self.pat_at(p + 1)) else {
            return self.fail(PatternError::MissingBalance);
        };
        if self.src.get(s) != Some(&open) {
            return NONE;
        }
        if self.spend((self.src.len() - s) / 8, stop) {
            return self.fail(PatternError::Interrupted);
        }
        let mut nested = 1;
        for (i, &c) in self.src.iter().enumerate().skip(s + 1) {
            if c == close {
                nested -= 1;
                if nested == 0 {
                    return i + 1;
                }
            } else if c == open {
                nested += 1;
            }
        }
        NONE
    }

    fn back_reference(&mut self, s: usize, digit: u8) -> usize {
        let i = usize::from(digit).wrapping_sub(usize::from(b'1'));
        if i >= self.level || self.captures[i].1 == UNFINISHED {
            return self.fail(PatternError::CaptureIndex(i.wrapping_add(1)));
        }
        let (at, len) = match self.captures[i] {
            // A position has no text of its own; no subject is that long.
            (_, POSITION) => return NONE,
            part => part,
        };
        if self.src[s..].starts_with(&self.src[at..at + len]) {
            s + len
        } else {
            NONE
        }
    }
}

#[inline]
fn run_length(bytes: &[u8], mut has: impl FnMut(u8) -> bool) -> usize {
    bytes.iter().position(|&c| !has(c)).unwrap_or(bytes.len())
}

/// Whether `c` is in a set such as `[^%a_-z]`, brackets included in `set`.
fn in_set(c: u8, set: &[u8]) -> bool {
    let (negated, mut rest) = match set[1] {
        b'^' => (true, &set[2..set.len() - 1]),
        _ => (false, &set[1..set.len() - 1]),
    };
    loop {
        match *rest {
            [] => return negated,
            [ESC, class, ..] => {
                if in_class(c, class) {
                    return !negated;
                }
                rest = &rest[2..];
            }
            [from, b'-', to, ..] => {
                if from <= c && c <= to {
                    return !negated;
                }
                rest = &rest[3..];
            }
            [one, ..] => {
                if one == c {
                    return !negated;
                }
                rest = &rest[1..];
            }
        }
    }
}

const ALPHA: u16 = 1;
const DIGIT: u16 = 2;
const LOWER: u16 = 4;
const SPACE: u16 = 8;
const UPPER: u16 = 16;
const PUNCT: u16 = 32;
const CNTRL: u16 = 64;
const XDIGIT: u16 = 128;

/// Classes of each byte in the C locale.
static CLASSES: [u16; 256] = {
    let mut t = [0; 256];
    let mut i = 0;
    while i < 128 {
        let c = i as u8;
        let mut f = 0;
        if c.is_ascii_alphabetic() {
            f |= ALPHA;
        }
        if c.is_ascii_digit() {
            f |= DIGIT;
        }
        if c.is_ascii_lowercase() {
            f |= LOWER;
        }
        if matches!(c, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r') {
            f |= SPACE;
        }
        if c.is_ascii_uppercase() {
            f |= UPPER;
        }
        if c.is_ascii_punctuation() {
            f |= PUNCT;
        }
        if c.is_ascii_control() {
            f |= CNTRL;
        }
        if c.is_ascii_hexdigit() {
            f |= XDIGIT;
        }
        t[i] = f;
        i += 1;
    }
    t
};

/// Whether `c` is in class `%class`; bytes that name no class stand for
/// themselves.
#[inline]
fn in_class(c: u8, class: u8) -> bool {
    let mask = match class | 0x20 {
        b'a' => ALPHA,
        b'c' => CNTRL,
        b'd' => DIGIT,
        b'g' => ALPHA | DIGIT | PUNCT,
        b'l' => LOWER,
        b'p' => PUNCT,
        b's' => SPACE,
        b'u' => UPPER,
        b'w' => ALPHA | DIGIT,
        b'x' => XDIGIT,
        // Deprecated in Lua 5.2 and still there.
        b'z' if class.is_ascii_alphabetic() => return (c == 0) != class.is_ascii_uppercase(),
        _ => return class == c,
    };
    if !class.is_ascii_alphabetic() {
        return class == c;
    }
    (CLASSES[usize::from(c)] & mask != 0) != class.is_ascii_uppercase()
}

/// Whether a pattern matches nothing but itself.
#[must_use]
pub fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|c| {
        matches!(
            c,
            b'^' | b'$' | b'*' | b'+' | b'?' | b'.' | b'(' | b'[' | b'%' | b'-'
        )
    })
}

/// Splits the anchor off a pattern.
#[must_use]
pub fn anchored(pattern: &[u8]) -> (bool, &[u8]) {
    match pattern.split_first() {
        Some((b'^', rest)) => (true, rest),
        _ => (false, pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static GO_ON: AtomicU32 = AtomicU32::new(0);

    fn find(s: &str, p: &str) -> Result<Option<(usize, usize)>, PatternError> {
        let (anchor, p) = anchored(p.as_bytes());
        let mut m = Matcher::new(s.as_bytes(), p);
        for i in 0..=s.len() {
            if let Some(e) = m.match_at(i, &GO_ON)? {
                return Ok(Some((i, e)));
            }
            if anchor {
                break;
            }
        }
        Ok(None)
    }

    #[test]
    fn matches() {
        for (s, p, want) in [
            ("hello", "l+", Some((2, 4))),
            ("hello", "^l", None),
            ("hello", "o$", Some((4, 5))),
            ("a.b", "%.", Some((1, 2))),
            ("key = value", "%w+%s*=%s*%w+", Some((0, 11))),
            ("x[[y]]", "%b[]", Some((1, 6))),
            ("THE (quick) fox", "%f[%a]%a+%f[%A]", Some((0, 3))),
            ("abcabc", "(abc)%1", Some((0, 6))),
            ("aaa", "a-b", None),
            ("aab", "a-b", Some((0, 3))),
            ("]", "[]]", Some((0, 1))),
            ("x]", "[^]]", Some((0, 1))),
            ("a-b", "[a%-]+", Some((0, 2))),
            ("a-", "[a-]+", Some((0, 2))),
            ("", "", Some((0, 0))),
            ("aXb", "%u", Some((1, 2))),
            ("aXb", "%L", Some((1, 2))),
            ("a$", "a$$", Some((0, 2))),
            ("ab", "a?b?c?", Some((0, 2))),
            ("\u{e9}", "%a", None),
        ] {
            assert_eq!(find(s, p), Ok(want), "{s:?} {p:?}");
        }
    }

    #[test]
    fn errors() {
        use PatternError as E;
        for (p, want) in [
            ("%", E::EndsWithPercent),
            ("[a", E::MissingBracket),
            ("[]", E::MissingBracket),
            ("[%", E::MissingBracket),
            ("%b", E::MissingBalance),
            ("%bx", E::MissingBalance),
            ("%fa", E::MissingFrontier),
            ("a)", E::InvalidCapture),
            ("%1", E::CaptureIndex(1)),
            ("(%1)", E::CaptureIndex(1)),
            ("%0", E::CaptureIndex(0)),
        ] {
            assert_eq!(find("aaa", p), Err(want), "{p:?}");
        }
        assert_eq!(find("x", &"()".repeat(33)), Err(E::TooManyCaptures));
        assert_eq!(
            find(&"x".repeat(300), &"x?".repeat(300)),
            Err(E::TooComplex)
        );
        let mut m = Matcher::new(b"ab", b"(a");
        assert_eq!(m.match_at(0, &GO_ON), Ok(Some(1)));
        assert_eq!(m.capture(0, 0, 1), Err(E::UnfinishedCapture));
    }

    #[test]
    fn a_match_gives_up_when_asked_to() {
        let subject = "a".repeat(60);
        let pattern = "a-".repeat(30) + "b";
        let mut m = Matcher::new(subject.as_bytes(), pattern.as_bytes());
        let stop = AtomicU32::new(1);
        assert_eq!(m.match_at(0, &stop), Err(PatternError::Interrupted));
    }

    #[test]
    fn captures() {
        let mut m = Matcher::new(b"key=value", b"()(%w+)=(%w+)()");
        assert_eq!(m.match_at(0, &GO_ON), Ok(Some(9)));
        assert_eq!(m.level(), 4);
        assert_eq!(m.capture(0, 0, 9), Ok(Capture::Position(1)));
        assert_eq!(m.capture(1, 0, 9), Ok(Capture::Part(0, 3)));
        assert_eq!(m.capture(2, 0, 9), Ok(Capture::Part(4, 9)));
        assert_eq!(m.capture(3, 0, 9), Ok(Capture::Position(10)));
        assert_eq!(m.capture(4, 0, 9), Err(PatternError::CaptureIndex(5)));
    }
}
