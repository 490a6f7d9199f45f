//! From the text of a pattern to its program.

use super::first::{First, look_ahead};
use super::program::{CaptureKind, Filter, Item, Node, Program};
use super::{ESC, MAX_CAPTURES, MAX_DEPTH, PatternError};
use crate::string::class::{ByteSet, of_class};

/// Sets made lately that a new one is compared with.
const RECENT_SETS: usize = 16;

/// Compiles a pattern. Every text is a pattern: what is wrong with it is
/// raised when a match gets there.
pub(crate) fn compile(pattern: &[u8]) -> Program {
    let (anchored, text) = match pattern.split_first() {
        Some((b'^', rest)) => (true, rest),
        _ => (false, pattern),
    };
    let mut c = Compiler::default();
    let mut rest = text;
    while !rest.is_empty() {
        match c.step(rest) {
            Ok(used) => rest = &rest[used..],
            Err(e) => {
                c.nodes.push(Node::Error(e));
                break;
            }
        }
    }
    if rest.is_empty() {
        c.nodes.push(Node::Done);
    }
    let deep = c.nesting >= MAX_DEPTH;
    let first = if deep {
        // Attempts may end in an error because of the depth; none is left out.
        First::ANYTHING
    } else {
        look_ahead(&mut c.nodes, &c.literals, &c.sets, &mut c.filters)
    };
    let mut leading = None;
    if !deep && !c.nodes.iter().any(|n| matches!(n, Node::Again(_))) {
        let begins = |n: &&Node| !matches!(n, Node::Open(_) | Node::Position(_));
        leading = match c.nodes.iter().find(begins) {
            Some(
                &Node::Run { item, .. }
                | &Node::Longest { item, .. }
                | &Node::Shortest { item, .. },
            ) => Some(item),
            _ => None,
        };
    }
    if deep {
        c.filters = vec![First::ANYTHING.filter()];
    }
    Program {
        nodes: c.nodes.into(),
        literals: c.literals.into(),
        sets: c.sets.into(),
        filters: c.filters.into(),
        captures: c.captures.into(),
        anchored,
        start: first.filter(),
        leading,
    }
}

#[derive(Default)]
struct Compiler {
    nodes: Vec<Node>,
    literals: Vec<u8>,
    sets: Vec<ByteSet>,
    filters: Vec<Filter>,
    captures: Vec<CaptureKind>,
    /// Most nested steps, without the first.
    nesting: u32,
}

/// Where the set that begins `text` ends.
fn set_end(text: &[u8]) -> Result<usize, PatternError> {
    let mut i = if text.get(1) == Some(&b'^') { 2 } else { 1 };
    let members = i;
    loop {
        match text.get(i) {
            None => return Err(PatternError::MissingBracket),
            // A `]` right at the start is a member.
            Some(b']') if i > members => return Ok(i + 1),
            Some(&ESC) => i += 2,
            Some(_) => i += 1,
        }
    }
}

impl Compiler {
    /// Compiles what comes first in `text`; returns how long it is.
    fn step(&mut self, text: &[u8]) -> Result<usize, PatternError> {
        match *text {
            [b'(', b')', ..] => {
                self.open(CaptureKind::Position)?;
                Ok(2)
            }
            [b'(', ..] => {
                self.open(CaptureKind::Unfinished)?;
                Ok(1)
            }
            [b')', ..] => {
                self.close()?;
                Ok(1)
            }
            [b'$'] => {
                self.nodes.push(Node::End);
                Ok(1)
            }
            [ESC, b'b', ref rest @ ..] => match *rest {
                [open, close, ..] => {
                    self.nodes.push(Node::Balance(open, close));
                    Ok(4)
                }
                _ => Err(PatternError::MissingBalance),
            },
            [ESC, b'f', ref rest @ ..] => {
                if rest.first() != Some(&b'[') {
                    return Err(PatternError::MissingFrontier);
                }
                let end = set_end(rest)?;
                let set = self.set(ByteSet::of(&rest[..end]));
                self.nodes.push(Node::Frontier(set));
                Ok(2 + end)
            }
            [ESC, digit @ b'0'..=b'9', ..] => {
                self.again(digit)?;
                Ok(2)
            }
            _ => self.single(text),
        }
    }

    fn open(&mut self, kind: CaptureKind) -> Result<(), PatternError> {
        if self.captures.len() >= MAX_CAPTURES {
            return Err(PatternError::TooManyCaptures);
        }
        let number = self.captures.len() as u8;
        self.captures.push(kind);
        self.nodes.push(match kind {
            CaptureKind::Position => Node::Position(number),
            _ => Node::Open(number),
        });
        self.nesting += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), PatternError> {
        let open = self
            .captures
            .iter()
            .rposition(|&c| c == CaptureKind::Unfinished);
        let number = open.ok_or(PatternError::InvalidCapture)?;
        self.captures[number] = CaptureKind::Part;
        self.nodes.push(Node::Close(number as u8));
        self.nesting += 1;
        Ok(())
    }

    fn again(&mut self, digit: u8) -> Result<(), PatternError> {
        let number = digit - b'0';
        let i = usize::from(number).wrapping_sub(1);
        self.nodes.push(match self.captures.get(i) {
            None | Some(CaptureKind::Unfinished) => {
                return Err(PatternError::CaptureIndex(number));
            }
            Some(CaptureKind::Part) => Node::Again(number - 1),
            // A position has no text of its own; nothing is equal to it.
            Some(CaptureKind::Position) => Node::Never,
        });
        Ok(())
    }

    /// A test of one byte, and how often it is repeated.
    fn single(&mut self, text: &[u8]) -> Result<usize, PatternError> {
        let (item, end) = match *text {
            [ESC] => return Err(PatternError::EndsWithPercent),
            [ESC, class, ..] => (self.item(*of_class(class)), 2),
            [b'[', ..] => {
                let end = set_end(text)?;
                (self.item(ByteSet::of(&text[..end])), end)
            }
            [b'.', ..] => (Item::Any, 1),
            [byte, ..] => (Item::Byte(byte), 1),
            [] => return Ok(0),
        };
        // What the filters have is not known before all is compiled.
        let next = 0;
        let node = match text.get(end) {
            Some(b'*') => Node::Longest {
                item,
                some: false,
                next,
            },
            Some(b'+') => Node::Longest {
                item,
                some: true,
                next,
            },
            Some(b'-') => Node::Shortest { item, next },
            Some(b'?') => Node::Maybe { item, sure: false },
            _ => {
                match item {
                    Item::Byte(byte) => self.literal(byte),
                    _ => self.nodes.push(Node::One(item)),
                }
                return Ok(end);
            }
        };
        self.nodes.push(node);
        self.nesting += 1;
        Ok(end + 1)
    }

    /// One byte that stands for itself.
    fn literal(&mut self, byte: u8) {
        let count = self.literals.len() as u32;
        match self.nodes.last_mut() {
            Some(Node::Literal { len, .. }) => *len += 1,
            Some(node @ Node::Byte(_)) => {
                if let Node::Byte(before) = *node {
                    self.literals.push(before);
                }
                *node = Node::Literal { at: count, len: 2 };
            }
            _ => {
                self.nodes.push(Node::Byte(byte));
                return;
            }
        }
        self.literals.push(byte);
    }

    fn item(&mut self, set: ByteSet) -> Item {
        match (set.only(), set.complement().only()) {
            (Some(byte), _) => Item::Byte(byte),
            (_, Some(byte)) => Item::Not(byte),
            _ if set == ByteSet::ALL => Item::Any,
            _ => Item::In(self.set(set)),
        }
    }

    /// The number of a set.
    fn set(&mut self, set: ByteSet) -> u32 {
        let recent = self.sets.len().saturating_sub(RECENT_SETS);
        let known = self.sets[recent..].iter().position(|s| *s == set);
        let number = known.map_or(self.sets.len(), |i| recent + i);
        if known.is_none() {
            self.sets.push(set);
        }
        number as u32
    }
}
