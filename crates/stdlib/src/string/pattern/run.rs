//! The matcher.
//!
//! It works on positions; two values above every position stand for "no
//! match" and "error", so that results stay in one register. Captures need no
//! restoring when the matcher goes back: the program is a sequence, so every
//! capture is noted again before it is looked at.
//!
//! Where PUC Lua's matcher calls itself, this one counts the depth as if it
//! did, but calls itself only where there may be something left to try.
//! Matching may take time exponential in the pattern, so it looks at a word
//! now and then that tells it to give up.

use super::program::{Bytes, Filter, Item, Node, Program, finished};
use super::{Capture, MAX_CAPTURES, MAX_DEPTH, PatternError};
use memchr::{memchr, memrchr};
use std::sync::atomic::{AtomicU32, Ordering};

/// Steps between two looks at the word that ends a match.
const STEPS: usize = 1 << 14;

/// No match here.
const NONE: usize = usize::MAX;
/// Matching is over; see [`Matcher::error`].
const ERROR: usize = usize::MAX - 1;

/// A program at work on a subject.
pub(crate) struct Matcher<'a> {
    src: &'a [u8],
    program: &'a Program,
    /// Since the latest look at the word.
    steps: usize,
    error: PatternError,
    /// Start and end; of positions the start.
    captures: [(u32, u32); MAX_CAPTURES],
}

impl<'a> Matcher<'a> {
    /// A matcher for `program` on `subject`.
    #[inline]
    pub(crate) fn new(subject: &'a [u8], program: &'a Program) -> Matcher<'a> {
        Matcher {
            src: subject,
            program,
            steps: 0,
            error: PatternError::TooComplex,
            captures: [(0, 0); MAX_CAPTURES],
        }
    }

    /// Number of captures of a match.
    #[inline]
    pub(crate) fn level(&self) -> usize {
        self.program.captures.len()
    }

    /// Whether matches are looked for only where a search begins.
    #[inline]
    pub(crate) fn is_anchored(&self) -> bool {
        self.program.anchored
    }

    /// The first match from `from` on that does not end at `last`: its start
    /// and end. Only a match at `from` if the pattern is anchored.
    ///
    /// # Errors
    /// What is wrong with the pattern, as far as matching got to see it;
    /// [`PatternError::Interrupted`] some time after `stop` was set to
    /// something that is not 0.
    #[inline]
    pub(crate) fn next(
        &mut self,
        from: usize,
        last: usize,
        stop: &AtomicU32,
    ) -> Result<Option<(usize, usize)>, PatternError> {
        let program = self.program;
        let mut at = from;
        while at <= self.src.len() {
            if !program.anchored {
                match program.start.bytes {
                    Bytes::All => {}
                    ref bytes => match bytes.find(&self.src[at..]) {
                        Some(skipped) => at += skipped,
                        None if program.start.end => at = self.src.len(),
                        None => return Ok(None),
                    },
                }
            }
            match self.run(at, 0, MAX_DEPTH - 1, stop) {
                ERROR => return Err(self.error),
                NONE => {
                    let passed = match program.leading {
                        Some(item) => program.run_length(item, &self.src[at..]),
                        None => 1,
                    };
                    at += passed.max(1);
                }
                end if end == last => at += 1,
                end => return Ok(Some((at, end))),
            }
            if program.anchored {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Capture `i` of the match from `start` to `end`; the whole match counts
    /// as capture 0 if the pattern has none.
    ///
    /// # Errors
    /// If there is no such capture, or it has no end.
    #[inline]
    pub(crate) fn capture(
        &self,
        i: usize,
        start: usize,
        end: usize,
    ) -> Result<Capture, PatternError> {
        match self.program.captures.get(i) {
            Some(&kind) => finished(kind, self.captures[i % MAX_CAPTURES]),
            None if i == 0 => Ok(Capture::Part(start, end)),
            None => Err(PatternError::CaptureIndex(i as u8 + 1)),
        }
    }

    #[cold]
    fn fail(&mut self, e: PatternError) -> usize {
        self.error = e;
        ERROR
    }

    /// Counts steps; whether to give up.
    #[inline(always)]
    fn spend(&mut self, steps: usize, stop: &AtomicU32) -> bool {
        self.steps += steps;
        if self.steps < STEPS {
            return false;
        }
        self.steps = 0;
        stop.load(Ordering::Relaxed) != 0
    }

    /// Matches from node `k` on at `s`, with room for so many nested steps.
    fn run(&mut self, mut s: usize, mut k: usize, mut depth: u32, stop: &AtomicU32) -> usize {
        let (src, program) = (self.src, self.program);
        if self.spend(1, stop) {
            return self.fail(PatternError::Interrupted);
        }
        /// A nested step.
        macro_rules! deeper {
            () => {
                match depth.checked_sub(1) {
                    Some(less) => less,
                    None => return self.fail(PatternError::TooComplex),
                }
            };
        }
        loop {
            match program.nodes[k] {
                Node::Done => return s,
                Node::End => return if s == src.len() { s } else { NONE },
                Node::Byte(b) => {
                    if src.get(s) != Some(&b) {
                        return NONE;
                    }
                    s += 1;
                }
                Node::Literal { at, len } => {
                    let literal = &program.literals[at as usize..][..len as usize];
                    if !src[s..].starts_with(literal) {
                        return NONE;
                    }
                    s += literal.len();
                }
                Node::One(item) => {
                    if !src.get(s).is_some_and(|&c| program.has(item, c)) {
                        return NONE;
                    }
                    s += 1;
                }
                Node::Run { item, some } => {
                    let n = program.run_length(item, &src[s..]);
                    if some && n == 0 {
                        return NONE;
                    }
                    if self.spend(n / 8, stop) {
                        return self.fail(PatternError::Interrupted);
                    }
                    depth = deeper!();
                    s += n;
                }
                Node::Longest { item, some, next } => {
                    let n = program.run_length(item, &src[s..]);
                    if n < usize::from(some) {
                        return NONE;
                    }
                    if self.spend(n / 8, stop) {
                        return self.fail(PatternError::Interrupted);
                    }
                    let depth = deeper!();
                    let shortest = s + usize::from(some);
                    let filter = &program.filters[next as usize];
                    return self.longest(shortest, s + n, filter, k + 1, depth, stop);
                }
                Node::Shortest { item, next } => {
                    let depth = deeper!();
                    let filter = &program.filters[next as usize];
                    return self.shortest(s, item, filter, k + 1, depth, stop);
                }
                Node::Maybe { item, sure } => {
                    if src.get(s).is_some_and(|&c| program.has(item, c)) {
                        if sure {
                            depth = deeper!();
                            s += 1;
                        } else {
                            let r = self.run(s + 1, k + 1, deeper!(), stop);
                            if r != NONE {
                                return r;
                            }
                        }
                    }
                }
                Node::Open(i) | Node::Position(i) => {
                    depth = deeper!();
                    self.captures[usize::from(i) % MAX_CAPTURES].0 = s as u32;
                }
                Node::Close(i) => {
                    depth = deeper!();
                    self.captures[usize::from(i) % MAX_CAPTURES].1 = s as u32;
                }
                Node::Again(i) => {
                    let (from, to) = self.captures[usize::from(i) % MAX_CAPTURES];
                    let part = &src[from as usize..to as usize];
                    if !src[s..].starts_with(part) {
                        return NONE;
                    }
                    if self.spend(part.len() / 8, stop) {
                        return self.fail(PatternError::Interrupted);
                    }
                    s += part.len();
                }
                Node::Balance(open, close) => {
                    if src.get(s) != Some(&open) {
                        return NONE;
                    }
                    let Some(len) = balanced(&src[s..], open, close) else {
                        if self.spend((src.len() - s) / 8, stop) {
                            return self.fail(PatternError::Interrupted);
                        }
                        return NONE;
                    };
                    if self.spend(len / 8, stop) {
                        return self.fail(PatternError::Interrupted);
                    }
                    s += len;
                }
                Node::Frontier(set) => {
                    let set = &program.sets[set as usize];
                    let before = if s == 0 { 0 } else { src[s - 1] };
                    let here = src.get(s).copied().unwrap_or(0);
                    if set.has(before) || !set.has(here) {
                        return NONE;
                    }
                }
                Node::Never => return NONE,
                Node::Error(e) => return self.fail(e),
            }
            k += 1;
        }
    }

    /// Goes on from node `k` at positions from `end` down to `shortest`.
    fn longest(
        &mut self,
        shortest: usize,
        end: usize,
        filter: &Filter,
        k: usize,
        depth: u32,
        stop: &AtomicU32,
    ) -> usize {
        let src = self.src;
        let mut at = end;
        loop {
            if filter.allows(src.get(at)) {
                let r = self.run(at, k, depth, stop);
                if r != NONE {
                    return r;
                }
            }
            // Back to where the next one could be.
            let before = &src[shortest..at];
            let found = match filter.bytes {
                Bytes::One(b) => memrchr(b, before),
                ref bytes => before.iter().rposition(|&c| bytes.has(c)),
            };
            let Some(i) = found else { return NONE };
            if self.spend((before.len() - i) / 8, stop) {
                return self.fail(PatternError::Interrupted);
            }
            at = shortest + i;
        }
    }

    /// Goes on from node `k` at positions from `s` on, as long as what is
    /// passed is of the item.
    fn shortest(
        &mut self,
        mut s: usize,
        item: Item,
        filter: &Filter,
        k: usize,
        depth: u32,
        stop: &AtomicU32,
    ) -> usize {
        let (src, program) = (self.src, self.program);
        loop {
            if filter.allows(src.get(s)) {
                let r = self.run(s, k, depth, stop);
                if r != NONE {
                    return r;
                }
            } else if item == Item::Any
                && let Bytes::One(b) = filter.bytes
            {
                let rest = &src[s..];
                let Some(i) = memchr(b, rest) else {
                    if !filter.end {
                        return NONE;
                    }
                    return self.run(src.len(), k, depth, stop);
                };
                if self.spend(i / 8, stop) {
                    return self.fail(PatternError::Interrupted);
                }
                s += i;
                continue;
            } else if self.spend(1, stop) {
                return self.fail(PatternError::Interrupted);
            }
            if !src.get(s).is_some_and(|&c| program.has(item, c)) {
                return NONE;
            }
            s += 1;
        }
    }
}

/// How long what begins with `open` and ends with its `close` is.
fn balanced(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut nested = 1;
    for (i, &c) in text.iter().enumerate().skip(1) {
        if c == close {
            nested -= 1;
            if nested == 0 {
                return Some(i + 1);
            }
        } else if c == open {
            nested += 1;
        }
    }
    None
}
