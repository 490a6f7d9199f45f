//! The table of interned strings, in parts that are grown and swept apart, so
//! that neither makes a long pause.

use crate::gcref::Gc;
use crate::string::Str;
use hashbrown::HashTable;

/// Number of parts, a power of two.
pub(super) const PARTS: usize = 1024;

pub(super) struct Strings {
    parts: Box<[HashTable<Gc<Str>>]>,
}

fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x0101_0101_0101)
}

fn part_of(hash: u32) -> usize {
    (hash >> 16) as usize & (PARTS - 1)
}

impl Strings {
    pub(super) fn new() -> Self {
        Strings {
            parts: (0..PARTS).map(|_| HashTable::new()).collect(),
        }
    }

    #[inline]
    pub(super) fn find(&self, hash: u32, bytes: &[u8]) -> Option<Gc<Str>> {
        self.parts[part_of(hash)]
            .find(spread(hash), |s| s.hash == hash && s.bytes() == bytes)
            .copied()
    }

    /// Adds a string that is not there; returns by how many bytes the table
    /// grew.
    pub(super) fn insert(&mut self, s: Gc<Str>) -> usize {
        let part = &mut self.parts[part_of(s.hash)];
        let before = part.allocation_size();
        part.insert_unique(spread(s.hash), s, |s| spread(s.hash));
        part.allocation_size() - before
    }

    /// Removes the strings of a part whose mark is not `live`; returns how
    /// many there were, and by how many bytes the table shrank.
    pub(super) fn sweep(&mut self, part: usize, live: u8) -> (usize, usize) {
        let part = &mut self.parts[part];
        let n = part.len();
        let before = part.allocation_size();
        part.retain(|s| s.header.mark == live);
        if part.capacity() > 64 && part.len() < part.capacity() / 8 {
            part.shrink_to(part.len() * 2, |s| spread(s.hash));
        }
        (n, before - part.allocation_size())
    }

    pub(super) fn clear(&mut self) {
        for part in &mut self.parts {
            part.clear();
        }
    }
}
