//! Lua patterns: compiled once, kept, and run by a backtracking matcher.
//!
//! | module | holds |
//! |---|---|
//! | [`program`] | what a compiled pattern is made of |
//! | [`mod@compile`] | from the text of a pattern to its program |
//! | [`first`] | what a match can begin with: where to look, and when there is no need to try again |
//! | [`run`] | the matcher |
//!
//! A pattern is a sequence without alternatives, so much of what the matcher
//! would have to find out at every match is known from the text: which capture
//! a `)` closes, which captures a back reference may name, how many captures
//! there are in the end. What is wrong with a pattern is known, too, but must
//! be raised only when matching gets there, as PUC Lua does it: it becomes a
//! step of the program that raises the error, and ends the program.
//!
//! Programs are kept in a table of the VM (see [`super::kept`]). A pattern of
//! more than [`MAX_KEPT`](super::kept::MAX_KEPT) bytes is compiled at each use.

mod compile;
mod first;
mod program;
#[cfg(test)]
mod reference;
mod run;
#[cfg(test)]
mod tests;

pub(super) use compile::compile;
pub(super) use program::Program;
pub(super) use run::Matcher;

use super::class::ByteSet;

/// Most captures in a pattern.
const MAX_CAPTURES: usize = 32;
/// Nested steps of the matcher before a pattern counts as too complex.
const MAX_DEPTH: u32 = 200;

/// What makes `%d` and the like special, in patterns and replacements.
pub(super) const ESC: u8 = b'%';

/// What is wrong with a pattern or its use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum PatternError {
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
    CaptureIndex(u8),
}

/// One capture of a match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Capture {
    /// A part of the subject: start and end.
    Part(usize, usize),
    /// A position capture, from 1.
    Position(usize),
}

static SPECIALS: ByteSet = ByteSet::of_bytes(b"^$*+?.([%-");

/// Whether a pattern matches nothing but itself. A `)` counts as such, though
/// matching it is an error: `find` takes it as text if nothing else is special.
pub(super) fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|&c| SPECIALS.has(c))
}

/// Bytes of memory that compiling a pattern takes at most.
pub(super) fn room(pattern: &[u8]) -> usize {
    // What is special has up to two nodes, a set and a filter, in vectors that
    // may have grown just now; the rest are bytes of literals.
    const SPECIAL: usize = 256;
    let specials = pattern.iter().filter(|&&c| SPECIALS.has(c)).count();
    2 * pattern.len() + SPECIAL * specials
}
