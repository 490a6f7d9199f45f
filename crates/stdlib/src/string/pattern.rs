//! Lua patterns: a backtracking matcher over bytes.
//!
//! The matcher works on positions; two values above every position stand for
//! "no match" and "malformed pattern", so that results stay in one register.
//! Matching may take time exponential in the pattern, so it looks at a word
//! now and then that tells it to give up.

use super::class::{ByteSet, in_set, of_class};
use memchr::memchr;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU32, Ordering};

/// Most captures in a pattern.
pub const MAX_CAPTURES: usize = 32;
/// Nested steps of the matcher before a pattern counts as too complex.
const MAX_DEPTH: u32 = 200;

/// Steps between two looks at the word that ends a match.
const STEPS: usize = 1 << 14;

pub(super) const ESC: u8 = b'%';

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
    error: PatternError,
    /// Start, and length or one of the marks above.
    captures: SmallVec<[(usize, usize); 8]>,
    /// The latest set that was tested often, by its place in the pattern.
    set: Option<(usize, ByteSet)>,
}

/// What a match begins or goes on with.
enum Start {
    /// Nothing that could be told.
    Any,
    Byte(u8),
    In(ByteSet),
}

impl Start {
    /// Whether the byte, or the end of the subject, may come.
    #[inline(always)]
    fn allows(&self, c: Option<&u8>) -> bool {
        match (self, c) {
            (Start::Any, _) => true,
            (_, None) => false,
            (Start::Byte(b), Some(c)) => b == c,
            (Start::In(set), Some(&c)) => set.has(c),
        }
    }
}

impl<'a> Matcher<'a> {
    /// A matcher for `pattern` (without the anchor) on `subject`.
    #[inline]
    #[must_use]
    pub fn new(subject: &'a [u8], pattern: &'a [u8]) -> Matcher<'a> {
        Matcher {
            src: subject,
            pat: pattern,
            depth: MAX_DEPTH,
            steps: 0,
            error: PatternError::TooComplex,
            captures: SmallVec::new(),
            set: None,
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
        self.captures.clear();
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
        self.captures.len()
    }

    /// Capture `i` of the match from `start` to `end`; the whole match counts
    /// as capture 0 if the pattern has none.
    ///
    /// # Errors
    /// If there is no such capture, or it has no end.
    #[inline]
    pub fn capture(&self, i: usize, start: usize, end: usize) -> Result<Capture, PatternError> {
        if i >= self.captures.len() {
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
            ESC => of_class(self.pat[p + 1]).has(c),
            b'[' => in_set(c, &self.pat[p..end]),
            other => other == c,
        }
    }

    /// The set `pat[p..end]`.
    #[inline]
    fn set_at(&mut self, p: usize, end: usize) -> ByteSet {
        match self.set {
            Some((at, set)) if at == p => set,
            _ => {
                let set = ByteSet::of(&self.pat[p..end]);
                self.set = Some((p, set));
                set
            }
        }
    }

    /// The first position from `from` on where a match could begin, going by
    /// what the pattern begins with; the end of the subject if there is none
    /// but perhaps that. Ends the latest match. What is wrong with a pattern is
    /// left to [`Matcher::match_at`] to find, at the same position as if all
    /// had been tried.
    #[must_use]
    pub fn candidate(&mut self, from: usize) -> usize {
        self.captures.clear();
        self.depth = MAX_DEPTH;
        let rest = &self.src[from.min(self.src.len())..];
        let skipped = match self.next_bytes(0) {
            Start::Any => 0,
            Start::Byte(b) => memchr(b, rest).unwrap_or(rest.len()),
            Start::In(set) => run_length(rest, |c| !set.has(c)),
        };
        from + skipped
    }

    /// What the subject must go on with where the pattern is at `p`. Nothing
    /// that could be told if matching from there could fail for another reason
    /// first.
    fn next_bytes(&mut self, mut p: usize) -> Start {
        let mut open = self.captures.iter().filter(|c| c.1 == UNFINISHED).count();
        let mut nested = 1;
        loop {
            match self.pat_at(p) {
                Some(b'(') if self.captures.len() + (nested as usize) < MAX_CAPTURES => open += 1,
                Some(b')') if open > 0 => open -= 1,
                _ => break,
            }
            nested += 1;
            p += 1;
        }
        let Some(c) = self.pat_at(p) else {
            return Start::Any;
        };
        let end = match c {
            b'(' | b')' | b'$' | b'.' => return Start::Any,
            ESC => match self.pat_at(p + 1) {
                None | Some(b'f' | b'b' | b'0'..=b'9') => return Start::Any,
                _ => p + 2,
            },
            b'[' => match self.set_end(p) {
                ERROR => return Start::Any,
                end => end,
            },
            _ => p + 1,
        };
        if self.depth <= nested || matches!(self.pat_at(end), Some(b'*' | b'?' | b'-')) {
            return Start::Any;
        }
        match c {
            ESC => Start::In(*of_class(self.pat[p + 1])),
            b'[' => Start::In(self.set_at(p, end)),
            byte => Start::Byte(byte),
        }
    }

    fn max_expand(&mut self, s: usize, p: usize, end: usize, stop: &AtomicU32) -> usize {
        let rest = &self.src[s..];
        let mut n = match self.pat[p] {
            b'.' => rest.len(),
            ESC => {
                let class = of_class(self.pat[p + 1]);
                run_length(rest, |c| class.has(c))
            }
            b'[' => match self.pat[p..end] {
                [_, b'^', one, _] => memchr(one, rest).unwrap_or(rest.len()),
                _ => {
                    let set = self.set_at(p, end);
                    run_length(rest, |c| set.has(c))
                }
            },
            other => run_length(rest, |c| c == other),
        };
        if self.spend(n / 8, stop) {
            return self.fail(PatternError::Interrupted);
        }
        if end + 1 == self.pat.len() {
            // Nothing follows: the longest run matches.
            return s + n;
        }
        let next = self.next_bytes(end + 1);
        loop {
            if !next.allows(self.src.get(s + n)) {
                if self.spend(1, stop) {
                    return self.fail(PatternError::Interrupted);
                }
            } else {
                let r = self.run(s + n, end + 1, stop);
                if r != NONE {
                    return r;
                }
            }
            if n == 0 {
                return NONE;
            }
            n -= 1;
        }
    }

    fn min_expand(&mut self, mut s: usize, p: usize, end: usize, stop: &AtomicU32) -> usize {
        let next = self.next_bytes(end + 1);
        loop {
            if !next.allows(self.src.get(s)) {
                if self.spend(1, stop) {
                    return self.fail(PatternError::Interrupted);
                }
            } else {
                let r = self.run(s, end + 1, stop);
                if r != NONE {
                    return r;
                }
            }
            if !self.single(s, p, end) {
                return NONE;
            }
            s += 1;
        }
    }

    fn start_capture(&mut self, s: usize, p: usize, what: usize, stop: &AtomicU32) -> usize {
        if self.captures.len() >= MAX_CAPTURES {
            return self.fail(PatternError::TooManyCaptures);
        }
        self.captures.push((s, what));
        let r = self.run(s, p, stop);
        if r == NONE {
            self.captures.pop();
        }
        r
    }

    fn end_capture(&mut self, s: usize, p: usize, stop: &AtomicU32) -> usize {
        let open = self.captures.iter().rposition(|c| c.1 == UNFINISHED);
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
        if i >= self.captures.len() || self.captures[i].1 == UNFINISHED {
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

#[inline(always)]
fn run_length(bytes: &[u8], mut has: impl FnMut(u8) -> bool) -> usize {
    bytes.iter().position(|&c| !has(c)).unwrap_or(bytes.len())
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
        let mut found = Ok(None);
        for i in 0..=s.len() {
            found = m.match_at(i, &GO_ON).map(|end| Some((i, end?)));
            if anchor || found != Ok(None) {
                break;
            }
        }
        if !anchor {
            // Only candidates need to be tried.
            let mut m = Matcher::new(s.as_bytes(), p);
            let mut at = 0;
            let again = loop {
                at = m.candidate(at);
                let found = m.match_at(at, &GO_ON).map(|end| Some((at, end?)));
                if found != Ok(None) || at >= s.len() {
                    break found;
                }
                at += 1;
            };
            assert_eq!(again, found, "{s:?} {p:?}");
        }
        found
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
            ("a, b; c", "([^,;]+)[,;] ", Some((0, 3))),
            ("  key=1", "()(%a+)=", Some((2, 6))),
            ("xx-yy", "-yy", Some((2, 5))),
            ("ab12", "[%d]+$", Some((2, 4))),
            ("ab%12", "[^1]+", Some((0, 3))),
            ("none", "[0-9]", None),
            ("none", "%d-$", Some((4, 4))),
            ("key: value", "(%w+): (%w+)", Some((0, 10))),
            ("key  value", "(%w+): (%w+)", None),
            ("aaa", "a+a", Some((0, 3))),
            ("aaa", "(a+)b)", None),
            ("<b>x</b>", "<(.-)>", Some((0, 3))),
            ("<b>x</b>", "(<.->)$", Some((0, 8))),
            ("x = 'a b'", "'(.*)'", Some((4, 9))),
            ("a,b,", "(.-),()(b)", Some((0, 3))),
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
            ("a+)b", E::InvalidCapture),
            ("a-)b", E::InvalidCapture),
            ("a*%1", E::CaptureIndex(1)),
            ("a+[b", E::MissingBracket),
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
