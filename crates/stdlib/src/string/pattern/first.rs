//! What a match can begin or go on with.
//!
//! From the end of a program to its start: the bytes that may come where each
//! step begins, and whether the subject may end there. Where anything else
//! comes, matching fails, and raises no error on the way: what begins with a
//! step that raises one begins with everything.
//!
//! It tells where a search has to look. It also tells of most repetitions in
//! practice that a shorter run than the longest one cannot do: if what follows
//! cannot begin with a byte of the run. `%w+` before `%s` is such a case, and
//! `.-` is never one.

use super::program::{Bytes, Filter, Item, Node};
use crate::string::class::ByteSet;

/// What something can begin with.
#[derive(Clone, Copy)]
pub(super) struct First {
    bytes: ByteSet,
    /// Whether the subject may end.
    end: bool,
}

impl First {
    pub(super) const ANYTHING: First = First {
        bytes: ByteSet::ALL,
        end: true,
    };

    fn some(bytes: ByteSet) -> First {
        First { bytes, end: false }
    }

    pub(super) fn filter(&self) -> Filter {
        Filter {
            bytes: Bytes::of(&self.bytes),
            end: self.end,
        }
    }

    /// What begins with these bytes or goes on like this.
    fn or(mut self, bytes: &ByteSet) -> First {
        self.bytes.add_all(bytes);
        self
    }
}

fn bytes_of(item: Item, sets: &[ByteSet]) -> ByteSet {
    match item {
        Item::Any => ByteSet::ALL,
        Item::Byte(b) => ByteSet::of_bytes(&[b]),
        Item::Not(b) => ByteSet::of_bytes(&[b]).complement(),
        Item::In(set) => sets[set as usize],
    }
}

/// The number of a filter.
fn number_of(first: &First, filters: &mut Vec<Filter>) -> u32 {
    let filter = first.filter();
    if filters.last() != Some(&filter) {
        filters.push(filter);
    }
    filters.len() as u32 - 1
}

/// Gives repetitions what they need to know of what follows; returns what the
/// whole can begin with. `literals` are those of the program.
pub(super) fn look_ahead(
    nodes: &mut [Node],
    literals: &[u8],
    sets: &[ByteSet],
    filters: &mut Vec<Filter>,
) -> First {
    let mut first = First::ANYTHING;
    // Whether nothing follows.
    let mut last = false;
    for node in nodes.iter_mut().rev() {
        let done = std::mem::take(&mut last);
        match *node {
            Node::Done => {
                first = First::ANYTHING;
                last = true;
            }
            Node::Error(_) | Node::Again(_) => first = First::ANYTHING,
            Node::End => {
                first = First {
                    bytes: ByteSet::NONE,
                    end: true,
                };
            }
            Node::Never => first = First::some(ByteSet::NONE),
            Node::Byte(b) | Node::Balance(b, _) => first = First::some(ByteSet::of_bytes(&[b])),
            Node::Literal { at, .. } => {
                first = First::some(ByteSet::of_bytes(&literals[at as usize..][..1]));
            }
            Node::One(item) => first = First::some(bytes_of(item, sets)),
            Node::Run { item, some } | Node::Longest { item, some, .. } => {
                let bytes = bytes_of(item, sets);
                *node = if done || !first.bytes.meets(&bytes) {
                    Node::Run { item, some }
                } else {
                    let next = number_of(&first, filters);
                    Node::Longest { item, some, next }
                };
                first = if some {
                    First::some(bytes)
                } else {
                    first.or(&bytes)
                };
            }
            Node::Shortest { item, .. } => {
                let bytes = bytes_of(item, sets);
                *node = if first.bytes.meets(&bytes) {
                    let next = number_of(&first, filters);
                    Node::Shortest { item, next }
                } else {
                    Node::Run { item, some: false }
                };
                first = first.or(&bytes);
            }
            Node::Maybe { item, .. } => {
                let bytes = bytes_of(item, sets);
                let sure = done || !first.bytes.meets(&bytes);
                *node = Node::Maybe { item, sure };
                first = first.or(&bytes);
            }
            Node::Open(_) | Node::Close(_) | Node::Position(_) => last = done,
            Node::Frontier(set) => {
                let bytes = sets[set as usize];
                first = First {
                    bytes,
                    end: bytes.has(0),
                };
            }
        }
    }
    first
}
