//! Compiled patterns and formats that are kept for their next use.
//!
//! A table of a fixed number of places, found by the hash that every string
//! has. What is kept is known by the bytes it was made from, not by the string
//! object: the collector may free the string and put another one at its
//! address, and nothing here has to be told. Comparing the bytes costs little
//! next to what a match costs.
//!
//! Every hash has a few places to go to, of which the one used longest ago is
//! given up. Thus a program whose patterns all fit hardly ever compiles one
//! twice, and one that makes patterns without end keeps [`PLACES`] of them.

use super::format::Format;
use super::pattern::{self, Program, compile};
use std::rc::Rc;
use vela_objects::{Gc, LuaResult, Str, VmState};

/// Longest text that is kept, in bytes. With [`PLACES`] it bounds the memory
/// of a table: some 4 KB a pattern at the very worst, and 1 MB in all.
pub(super) const MAX_KEPT: usize = 128;
/// Places of a table.
const PLACES: usize = 256;

/// Places that one hash may go to.
const WAYS: usize = 4;
const ROWS: usize = PLACES / WAYS;

/// One thing that is kept.
struct Entry<T> {
    hash: u32,
    text: Box<[u8]>,
    made: Rc<T>,
}

/// A table of what was made from texts.
pub(super) struct Kept<T> {
    /// Empty before the first use. In each row the latest used comes first.
    rows: Vec<[Option<Entry<T>>; WAYS]>,
}

impl<T> Kept<T> {
    const fn new() -> Kept<T> {
        Kept { rows: Vec::new() }
    }

    /// What was made from this text, whose hash this is.
    #[inline]
    fn find(&mut self, hash: u32, text: &[u8]) -> Option<Rc<T>> {
        let row = self.rows.get_mut(hash as usize % ROWS)?;
        let is_it = |e: &Entry<T>| e.hash == hash && *e.text == *text;
        if let Some(e) = &row[0]
            && is_it(e)
        {
            return Some(Rc::clone(&e.made));
        }
        let way = row.iter().position(|e| e.as_ref().is_some_and(is_it))?;
        row[..=way].rotate_right(1);
        row[0].as_ref().map(|e| Rc::clone(&e.made))
    }

    /// Keeps what was made from a text that was not found.
    #[cold]
    fn keep(&mut self, hash: u32, text: &[u8], made: &Rc<T>) {
        if self.rows.is_empty() {
            self.rows.resize_with(ROWS, || [const { None }; WAYS]);
        }
        let row = &mut self.rows[hash as usize % ROWS];
        row.rotate_right(1);
        row[0] = Some(Entry {
            hash,
            text: text.into(),
            made: Rc::clone(made),
        });
    }
}

/// What the string library keeps in a VM.
struct StringState {
    patterns: Kept<Program>,
    formats: Kept<Format>,
}

fn state(vm: &mut VmState) -> &mut StringState {
    vm.host_state_or(|| StringState {
        patterns: Kept::new(),
        formats: Kept::new(),
    })
}

/// Makes the state of the library, so that it is found fast.
pub(super) fn open(vm: &mut VmState) {
    state(vm);
}

/// The program of a pattern.
///
/// # Errors
/// `not enough memory` if the pattern is large.
#[inline]
pub(super) fn program(vm: &mut VmState, pattern: Gc<Str>) -> LuaResult<Rc<Program>> {
    let known = vm.host_state_mut::<StringState>();
    match known.and_then(|s| s.patterns.find(pattern.hash, pattern.bytes())) {
        Some(program) => Ok(program),
        None => make(vm, pattern, |s| &mut s.patterns, pattern::room, compile),
    }
}

/// The parts of a format.
///
/// # Errors
/// `not enough memory` if the format is large.
#[inline]
pub(super) fn format(vm: &mut VmState, text: Gc<Str>) -> LuaResult<Rc<Format>> {
    let known = vm.host_state_mut::<StringState>();
    match known.and_then(|s| s.formats.find(text.hash, text.bytes())) {
        Some(format) => Ok(format),
        None => make(vm, text, |s| &mut s.formats, Format::room, Format::new),
    }
}

/// Makes something of a text, with so much room as it takes, and keeps it if
/// the text is short.
#[cold]
#[inline(never)]
fn make<T>(
    vm: &mut VmState,
    text: Gc<Str>,
    table: fn(&mut StringState) -> &mut Kept<T>,
    room: fn(&[u8]) -> usize,
    new: fn(&[u8]) -> T,
) -> LuaResult<Rc<T>> {
    let bytes = text.bytes();
    if bytes.len() > MAX_KEPT {
        vm.make_room(room(bytes))?;
        return Ok(Rc::new(new(bytes)));
    }
    let made = Rc::new(new(bytes));
    table(state(vm)).keep(text.hash, bytes, &made);
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(kept: &mut Kept<u32>, hash: u32, text: &str, made: u32) {
        kept.keep(hash, text.as_bytes(), &Rc::new(made));
    }

    fn find(kept: &mut Kept<u32>, hash: u32, text: &str) -> Option<u32> {
        kept.find(hash, text.as_bytes()).map(|made| *made)
    }

    #[test]
    fn texts_are_told_apart_whatever_their_hashes() {
        let mut kept = Kept::new();
        assert_eq!(find(&mut kept, 1, "a"), None);
        keep(&mut kept, 1, "a", 10);
        assert_eq!(find(&mut kept, 1, "b"), None);
        keep(&mut kept, 1, "b", 20);
        assert_eq!(find(&mut kept, 1, "a"), Some(10));
        assert_eq!(find(&mut kept, 1, "b"), Some(20));
        assert_eq!(find(&mut kept, 1 + ROWS as u32, "a"), None);
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut kept = Kept::new();
        for (i, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
            keep(&mut kept, 7, text, i as u32);
        }
        assert_eq!(find(&mut kept, 7, "a"), Some(0));
        keep(&mut kept, 7, "e", 4);
        assert_eq!(find(&mut kept, 7, "b"), None);
        for (text, made) in [("a", 0), ("c", 2), ("d", 3), ("e", 4)] {
            assert_eq!(find(&mut kept, 7, text), Some(made));
        }
    }

    #[test]
    fn no_more_is_kept_than_there_are_places() {
        let mut kept = Kept::new();
        for hash in 0..10_000 {
            keep(&mut kept, hash, &hash.to_string(), hash);
        }
        let held = kept.rows.iter().flatten().flatten().count();
        assert_eq!(held, PLACES);
        for hash in 10_000 - PLACES as u32..10_000 {
            assert_eq!(find(&mut kept, hash, &hash.to_string()), Some(hash));
        }
    }
}
