//! What a compiled pattern is made of.
//!
//! Nodes are small and refer by number to what is large: the bytes of
//! literals, sets, and what may follow a repetition.

use super::{Capture, PatternError};
use crate::string::class::ByteSet;
use memchr::{memchr, memchr2, memchr3};

/// What one byte is tested for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// Every byte will do.
    Any,
    Byte(u8),
    /// All bytes but one.
    Not(u8),
    /// The set of this number.
    In(u32),
}

/// A step of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Node {
    /// The pattern ends: this is a match.
    Done,
    /// `$`: the subject must end here.
    End,
    Byte(u8),
    /// These bytes of [`Program::literals`].
    Literal {
        at: u32,
        len: u32,
    },
    One(Item),
    /// The longest run, of at least one byte if `some`. Shorter runs need not
    /// be tried.
    Run {
        item: Item,
        some: bool,
    },
    /// Runs from the longest to the shortest one; goes on where the filter of
    /// this number lets it.
    Longest {
        item: Item,
        some: bool,
        next: u32,
    },
    /// Runs from the empty one on.
    Shortest {
        item: Item,
        next: u32,
    },
    /// One or none. If `sure`, none need not be tried if there is one.
    Maybe {
        item: Item,
        sure: bool,
    },
    Open(u8),
    Close(u8),
    Position(u8),
    /// `%1` and the like: what the capture of this number has.
    Again(u8),
    /// `%b` with its two bytes.
    Balance(u8, u8),
    /// `%f` with the set of this number.
    Frontier(u32),
    /// Nothing matches.
    Never,
    /// What comes here is malformed.
    Error(PatternError),
}

/// The bytes that something can begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bytes {
    All,
    None,
    One(u8),
    Two(u8, u8),
    Three(u8, u8, u8),
    In(ByteSet),
}

impl Bytes {
    /// The members of a set.
    pub(super) fn of(set: &ByteSet) -> Bytes {
        let mut members = set.members();
        match [(); 4].map(|()| members.next()) {
            [None, ..] => Bytes::None,
            [Some(a), None, ..] => Bytes::One(a),
            [Some(a), Some(b), None, _] => Bytes::Two(a, b),
            [Some(a), Some(b), Some(c), None] => Bytes::Three(a, b, c),
            _ if *set == ByteSet::ALL => Bytes::All,
            _ => Bytes::In(*set),
        }
    }

    #[inline(always)]
    pub(super) fn has(&self, byte: u8) -> bool {
        match self {
            Bytes::All => true,
            Bytes::None => false,
            Bytes::One(a) => byte == *a,
            Bytes::Two(a, b) => byte == *a || byte == *b,
            Bytes::Three(a, b, c) => byte == *a || byte == *b || byte == *c,
            Bytes::In(set) => set.has(byte),
        }
    }

    /// Where in `text` the first of them is.
    #[inline(always)]
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        match *self {
            Bytes::All => (!text.is_empty()).then_some(0),
            Bytes::None => None,
            Bytes::One(a) => memchr(a, text),
            Bytes::Two(a, b) => memchr2(a, b, text),
            Bytes::Three(a, b, c) => memchr3(a, b, c, text),
            Bytes::In(ref set) => text.iter().position(|&c| set.has(c)),
        }
    }
}

/// What must come where a match begins or goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Filter {
    pub(super) bytes: Bytes,
    /// Whether the subject may end.
    pub(super) end: bool,
}

impl Filter {
    #[inline(always)]
    pub(super) fn allows(&self, next: Option<&u8>) -> bool {
        match next {
            Some(&c) => self.bytes.has(c),
            None => self.end,
        }
    }
}

/// What a capture is when the pattern has matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CaptureKind {
    Unfinished,
    Part,
    Position,
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Program {
    /// The steps, of which the last one ends the matching.
    pub(super) nodes: Box<[Node]>,
    /// The bytes of all literals.
    pub(super) literals: Box<[u8]>,
    pub(super) sets: Box<[ByteSet]>,
    pub(super) filters: Box<[Filter]>,
    pub(super) captures: Box<[CaptureKind]>,
    /// Whether the pattern begins with `^`.
    pub(super) anchored: bool,
    /// What a match can begin with.
    pub(super) start: Filter,
    /// What the pattern begins with the repetition of, if it is so that a
    /// match that fails where a run of it begins fails within the run, too.
    pub(super) leading: Option<Item>,
}

impl Program {
    /// Whether `c` passes the test.
    #[inline(always)]
    pub(super) fn has(&self, item: Item, c: u8) -> bool {
        match item {
            Item::Any => true,
            Item::Byte(b) => c == b,
            Item::Not(b) => c != b,
            Item::In(set) => self.sets[set as usize].has(c),
        }
    }

    /// How many bytes at the start of `text` pass the test.
    #[inline(always)]
    pub(super) fn run_length(&self, item: Item, text: &[u8]) -> usize {
        let end = match item {
            Item::Any => None,
            Item::Byte(b) => text.iter().position(|&c| c != b),
            Item::Not(b) => memchr(b, text),
            Item::In(set) => {
                let set = &self.sets[set as usize];
                text.iter().position(|&c| !set.has(c))
            }
        };
        end.unwrap_or(text.len())
    }
}

/// A capture of a finished match, from where it was noted to begin and end.
#[inline(always)]
pub(super) fn finished(kind: CaptureKind, at: (u32, u32)) -> Result<Capture, PatternError> {
    match kind {
        CaptureKind::Part => Ok(Capture::Part(at.0 as usize, at.1 as usize)),
        CaptureKind::Position => Ok(Capture::Position(at.0 as usize + 1)),
        CaptureKind::Unfinished => Err(PatternError::UnfinishedCapture),
    }
}
