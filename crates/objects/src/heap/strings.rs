//! The table of interned strings: extendible hashing, so that neither growing
//! nor sweeping makes a long pause.
//!
//! The highest bits of a hash choose an entry of the directory, which names a
//! part; the lowest bits say where in the part the search begins. A part that
//! is full doubles its slots up to a bound, and from then on is split in two,
//! for which the directory may have to double. Programs with few strings thus
//! have one small table, and large ones many of bounded size.
//!
//! A slot is one word: the address of the string, which is below 2^48, and
//! above it sixteen bits of the hash, so that a string is only looked at when
//! it is the one that is searched for.

use crate::gcref::Gc;
use crate::string::{Str, same_bytes};

/// Slots of the smallest part that has any.
const MIN_SLOTS: usize = 16;
/// Slots of a part that is split rather than grown.
const MAX_SLOTS: usize = 8192;
/// Most bits of the hash that choose a part. Beyond that parts grow.
const MAX_DEPTH: u32 = 18;

const ADDRESS_BITS: u32 = 48;
const EMPTY: u64 = 0;

/// One hash table with linear probing, at most two thirds full.
struct Part {
    slots: Box<[u64]>,
    len: usize,
    /// How many of the highest bits all hashes here have in common.
    depth: u32,
}

pub(super) struct Strings {
    parts: Vec<Part>,
    /// Part by the `depth` highest bits of the hash.
    directory: Vec<u32>,
    depth: u32,
    /// Survivors of the part that is being swept.
    kept: Vec<u64>,
}

fn slot_of(s: Gc<Str>) -> u64 {
    debug_assert!(s.addr() >> ADDRESS_BITS == 0);
    s.addr() | tag_of(s.hash)
}

/// The bits of the hash that a slot has, in their place.
#[inline]
fn tag_of(hash: u32) -> u64 {
    u64::from((hash >> 12) as u16) << ADDRESS_BITS
}

#[inline]
fn string_in(slot: u64) -> Gc<Str> {
    Gc::from_payload(slot & ((1 << ADDRESS_BITS) - 1))
}

/// Whether the bytes are equal. Those of a buffer's string may be the very same.
#[inline(always)]
fn is_content(content: &[u8], bytes: &[u8]) -> bool {
    std::ptr::eq(content, bytes) || same_bytes(content, bytes)
}

impl Part {
    fn new(depth: u32) -> Part {
        Part {
            slots: Box::new([]),
            len: 0,
            depth,
        }
    }

    fn bytes(&self) -> usize {
        std::mem::size_of_val::<[u64]>(&self.slots)
    }

    fn is_full(&self) -> bool {
        3 * (self.len + 1) > 2 * self.slots.len()
    }

    /// Adds a string to a part that is not full.
    fn add(&mut self, slot: u64, hash: u32) {
        let mask = self.slots.len() - 1;
        let mut i = hash as usize & mask;
        while self.slots[i] != EMPTY {
            i = (i + 1) & mask;
        }
        self.slots[i] = slot;
        self.len += 1;
    }

    /// Replaces the slots by `slots` empty ones; returns the old ones.
    fn renew(&mut self, slots: usize) -> Box<[u64]> {
        self.len = 0;
        std::mem::replace(&mut self.slots, vec![EMPTY; slots].into_boxed_slice())
    }

    fn grow(&mut self) {
        let old = self.renew((2 * self.slots.len()).max(MIN_SLOTS));
        for &slot in old.iter().filter(|&&slot| slot != EMPTY) {
            self.add(slot, string_in(slot).hash);
        }
    }
}

impl Strings {
    pub(super) fn new() -> Self {
        Strings {
            parts: vec![Part::new(0)],
            directory: vec![0],
            depth: 0,
            kept: Vec::new(),
        }
    }

    /// Number of parts.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    #[inline]
    fn part_of(&self, hash: u32) -> usize {
        // In two steps, because a shift by 32 has no meaning.
        self.directory[(u64::from(hash) << self.depth >> 32) as usize] as usize
    }

    #[inline]
    pub(super) fn find(&self, hash: u32, bytes: &[u8]) -> Option<Gc<Str>> {
        let slots = &*self.parts[self.part_of(hash)].slots;
        let mask = slots.len().wrapping_sub(1);
        let tag = tag_of(hash);
        let mut i = hash as usize & mask;
        loop {
            match slots.get(i) {
                None | Some(&EMPTY) => return None,
                Some(&slot) if (slot ^ tag) >> ADDRESS_BITS == 0 => {
                    let s = string_in(slot);
                    if s.hash == hash && is_content(s.bytes(), bytes) {
                        return Some(s);
                    }
                }
                Some(_) => {}
            }
            i = (i + 1) & mask;
        }
    }

    /// Adds a string that is not there; returns by how many bytes the table
    /// grew.
    #[inline]
    pub(super) fn insert(&mut self, s: Gc<Str>) -> usize {
        let hash = s.hash;
        let mut grown = 0;
        while self.parts[self.part_of(hash)].is_full() {
            grown += self.make_room(hash);
        }
        let part = self.part_of(hash);
        self.parts[part].add(slot_of(s), hash);
        grown
    }

    /// Grows or splits the part of this hash; returns by how many bytes the
    /// table grew.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, hash: u32) -> usize {
        let at = self.part_of(hash);
        let part = &mut self.parts[at];
        let before = part.bytes();
        if part.slots.len() < MAX_SLOTS || part.depth == MAX_DEPTH {
            part.grow();
            return part.bytes() - before;
        }
        if part.depth == self.depth {
            self.directory = self.directory.iter().flat_map(|&p| [p, p]).collect();
            self.depth += 1;
        }
        part.depth += 1;
        let depth = part.depth;
        let old = part.renew(MAX_SLOTS);
        let new = self.parts.len();
        self.parts.push(Part::new(depth));
        self.parts[new].renew(MAX_SLOTS);
        // Of the directory's entries for the part the second half.
        let count = 1 << (self.depth - depth);
        let first = ((u64::from(hash) << depth >> 32) as usize | 1) * count;
        self.directory[first..first + count].fill(new as u32);
        for &slot in old.iter().filter(|&&slot| slot != EMPTY) {
            let hash = string_in(slot).hash;
            let part = self.part_of(hash);
            self.parts[part].add(slot, hash);
        }
        self.parts[new].bytes()
    }

    /// Removes the strings of a part whose mark is not `live`; returns how
    /// many strings there were, and by how many bytes the table shrank.
    pub(super) fn sweep(&mut self, part: usize, live: u8) -> (usize, usize) {
        let part = &mut self.parts[part];
        let n = part.len;
        self.kept.clear();
        for &slot in part.slots.iter().filter(|&&slot| slot != EMPTY) {
            if string_in(slot).header.mark == live {
                self.kept.push(slot);
            }
        }
        // A part that was filled since the latest sweep will be filled again:
        // one shrinks when a sweep finds it nearly empty.
        let shrinks = part.slots.len() > MIN_SLOTS && n < part.slots.len() / 16;
        if self.kept.len() == n && !shrinks {
            return (n, 0);
        }
        let before = part.bytes();
        if shrinks {
            let slots = (4 * self.kept.len()).next_power_of_two().max(MIN_SLOTS);
            part.renew(slots);
        } else {
            part.slots.fill(EMPTY);
            part.len = 0;
        }
        for &slot in &self.kept {
            part.add(slot, string_in(slot).hash);
        }
        (n, before - part.bytes())
    }

    pub(super) fn clear(&mut self) {
        for part in &mut self.parts {
            part.slots.fill(EMPTY);
            part.len = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::heap::Heap;

    fn text(i: u32) -> String {
        format!("string {i}")
    }

    /// Enough strings for parts to be split several times.
    const MANY: u32 = if cfg!(miri) { 12_000 } else { 100_000 };

    #[test]
    fn strings_are_found_again_after_growth() {
        let mut heap = Heap::new(7);
        let made: Vec<_> = (0..MANY).map(|i| heap.intern(text(i).as_bytes())).collect();
        for (i, s) in (0..).zip(&made) {
            assert_eq!(heap.intern(text(i).as_bytes()), *s);
            assert_eq!(s.bytes(), text(i).as_bytes());
        }
        assert!(heap.strings.parts() > 1);
        heap.free_all();
    }

    #[test]
    fn a_sweep_removes_what_is_not_marked() {
        let mut heap = Heap::new(7);
        for i in 0..MANY {
            heap.intern(text(i).as_bytes());
        }
        let in_use = heap.bytes_in_use();
        heap.begin_mark();
        let kept: Vec<_> = (0..MANY)
            .step_by(64)
            .map(|i| {
                let s = heap.intern(text(i).as_bytes());
                heap.mark(s.as_ptr().cast());
                s
            })
            .collect();
        heap.begin_sweep();
        // Half a sweep later: more are wanted again, and some are new.
        heap.sweep_some(1 << 18);
        let again = heap.intern(text(MANY - 1).as_bytes());
        let new: Vec<_> = (0..MANY / 8)
            .map(|i| heap.intern(text(MANY + i).as_bytes()))
            .collect();
        heap.sweep_some(isize::MAX);
        assert!(heap.bytes_in_use() < in_use / 2);
        for (i, &s) in kept.iter().enumerate() {
            assert_eq!(heap.intern(text(64 * i as u32).as_bytes()), s);
        }
        assert_eq!(heap.intern(text(MANY - 1).as_bytes()), again);
        for (i, &s) in (0..).zip(&new) {
            assert_eq!(heap.intern(text(MANY + i).as_bytes()), s);
        }
        heap.free_all();
    }
}
