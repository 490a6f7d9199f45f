//! Strings that a program grows piece by piece: `s = s .. piece` in a loop.
//!
//! A new string for each piece costs the length of all so far, and the loop the
//! square of the result's length. So the third time that something short is put
//! behind a long string, the result's content goes to a **buffer** with room
//! behind it. The next string is the same buffer with more bytes in use; its
//! hash follows from a state that each such string keeps ([`Lanes`]). Appending
//! then costs what is appended, on average, wherever the string is kept, and
//! all strings are still interned, immutable and contiguous.
//!
//! A buffer is never moved, for strings refer into it. When it is full the next
//! string gets one of twice the size. Appending to a string that is not the last
//! of its buffer copies, unless the bytes that follow are the ones to append:
//! programs that build the same text again walk along the buffer of the first
//! time.

use super::Heap;
use crate::gcref::Gc;
use crate::object::{Kind, header_flags};
use crate::string::{Lanes, STR_DATA_OFFSET, STR_SHARED_OFFSET, Str, form, hash_bytes};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::{offset_of, size_of};

/// Shortest string that counts as long, in bytes.
const LONG: usize = 256;

/// Whether `more` bytes behind a string of `len` bytes may be the growth of a
/// long string.
#[inline]
#[must_use]
pub(crate) fn is_growth(len: usize, more: usize) -> bool {
    len >= LONG && more <= len
}

/// What precedes the bytes of a buffer.
struct Buffer {
    /// Strings with content here.
    strings: usize,
    /// Length of the longest of them.
    used: usize,
    /// Bytes that there is room for.
    capacity: usize,
}

/// A string in the form [`form::SHARED`].
#[repr(C)]
struct SharedStr {
    str: Str,
    data: *mut u8,
    lanes: Lanes,
}

const _: () = {
    assert!(offset_of!(SharedStr, data) == STR_SHARED_OFFSET);
    assert!(size_of::<Str>() == STR_DATA_OFFSET);
};

impl Buffer {
    fn layout(capacity: usize) -> Layout {
        Layout::new::<Buffer>()
            .extend(Layout::array::<u8>(capacity).expect("strings are bounded"))
            .expect("strings are bounded")
            .0
    }

    /// A buffer without strings; the address of its bytes, which are
    /// uninitialised.
    fn allocate(capacity: usize) -> *mut u8 {
        let layout = Buffer::layout(capacity);
        // SAFETY: the layout has a size; the memory is aligned for the struct.
        unsafe {
            let b = alloc(layout).cast::<Buffer>();
            if b.is_null() {
                handle_alloc_error(layout);
            }
            b.write(Buffer {
                strings: 0,
                used: 0,
                capacity,
            });
            b.add(1).cast()
        }
    }

    /// The buffer whose bytes are at `data`.
    fn of(data: *mut u8) -> *mut Buffer {
        data.cast::<Buffer>().wrapping_sub(1)
    }

    /// Bytes that it takes.
    fn size(capacity: usize) -> usize {
        size_of::<Buffer>() + capacity
    }

    /// # Safety
    /// `data` is a buffer's; no string refers to it.
    unsafe fn free(data: *mut u8) -> usize {
        let b = Buffer::of(data);
        // SAFETY: by contract.
        unsafe {
            let capacity = (*b).capacity;
            dealloc(b.cast(), Buffer::layout(capacity));
            Buffer::size(capacity)
        }
    }
}

/// Releases the part of a dead string in a buffer; returns by how many bytes
/// less are in use.
///
/// # Safety
/// The form of `s` is [`form::SHARED`]; called once.
pub(crate) unsafe fn release(s: *mut Str) -> usize {
    // SAFETY: by contract, so that its buffer is there.
    unsafe {
        let data = (*s.cast::<SharedStr>()).data;
        let b = Buffer::of(data);
        (*b).strings -= 1;
        if (*b).strings > 0 {
            return 0;
        }
        Buffer::free(data)
    }
}

impl Heap {
    /// Bytes that [`Heap::append`] may have to allocate.
    #[must_use]
    pub(crate) fn append_needs(&self, s: Gc<Str>, more: usize) -> usize {
        let len = s.len() + more;
        match s.header.aux {
            form::SHARED => {
                // SAFETY: the string has a buffer.
                let (used, capacity) = unsafe {
                    let b = Buffer::of((*s.as_ptr().cast::<SharedStr>()).data);
                    ((*b).used, (*b).capacity)
                };
                match s.len() == used {
                    true if len <= capacity => 0,
                    true => 2 * len,
                    false => len,
                }
            }
            form::GROWING => 2 * len,
            _ => len,
        }
    }

    /// The string `s .. more`, where [`is_growth`]. Takes O(`more`) on average
    /// if `s` came from here and nothing else was appended to it since, else
    /// O(length).
    ///
    /// # Panics
    /// As [`Heap::intern`].
    pub(crate) fn append(&mut self, s: Gc<Str>, more: &[u8]) -> Gc<Str> {
        debug_assert!(is_growth(s.len(), more.len()));
        let len = s.len() + more.len();
        assert!(len <= crate::string::MAX_STRING, "string length overflow");
        match s.header.aux {
            form::SHARED => self.append_shared(s, more),
            form::GROWING => {
                let mut lanes = Lanes::new(self.seed);
                lanes.advance(s.bytes(), 0);
                self.append_anew(s, more, lanes)
            }
            before => self.append_inline(s, more, before + 1),
        }
    }

    /// A string with its content behind the header.
    fn append_inline(&mut self, s: Gc<Str>, more: &[u8], form: u8) -> Gc<Str> {
        let bytes = [s.bytes(), more].concat();
        let new = self.intern_hashed(&bytes, hash_bytes(&bytes, self.seed));
        // SAFETY: single writer; the byte says nothing but how a string came
        // to be, unless it is `SHARED`.
        unsafe {
            let aux = &mut (*new.as_ptr()).header.aux;
            if *aux < form {
                *aux = form;
            }
        }
        new
    }

    fn append_shared(&mut self, s: Gc<Str>, more: &[u8]) -> Gc<Str> {
        let (from, len) = (s.len(), s.len() + more.len());
        // SAFETY: the string has a buffer, which lives as long as it does. What
        // is behind the bytes in use belongs to no string.
        unsafe {
            let shared = s.as_ptr().cast::<SharedStr>();
            let (data, mut lanes) = ((*shared).data, (*shared).lanes);
            let b = Buffer::of(data);
            let used = (*b).used;
            if from == used {
                if len > (*b).capacity {
                    return self.append_anew(s, more, lanes);
                }
                // `more` may be a part of the buffer, but not of this one.
                std::ptr::copy_nonoverlapping(more.as_ptr(), data.add(from), more.len());
            } else {
                let behind = std::slice::from_raw_parts(data.add(from), used - from);
                if !behind.starts_with(more) {
                    return self.append_inline(s, more, form::GROWN);
                }
            }
            let bytes = std::slice::from_raw_parts(data, len);
            lanes.advance(bytes, from);
            self.intern_in_buffer(data, len, lanes)
        }
    }

    /// The string `s .. more`, the first one in a buffer. `lanes` is the state
    /// of `s`.
    fn append_anew(&mut self, s: Gc<Str>, more: &[u8], mut lanes: Lanes) -> Gc<Str> {
        let (from, len) = (s.len(), s.len() + more.len());
        let data = Buffer::allocate(2 * len);
        // SAFETY: a new buffer with room for both; if the string is another
        // one, nothing refers to the buffer.
        unsafe {
            std::ptr::copy_nonoverlapping(s.bytes().as_ptr(), data, from);
            std::ptr::copy_nonoverlapping(more.as_ptr(), data.add(from), more.len());
            let bytes = std::slice::from_raw_parts(data, len);
            lanes.advance(bytes, from);
            let new = self.intern_in_buffer(data, len, lanes);
            if (*Buffer::of(data)).strings == 0 {
                Buffer::free(data);
            } else {
                self.add_debt(Buffer::size(2 * len));
            }
            new
        }
    }

    /// The string with the first `len` bytes of a buffer, whose state is
    /// `lanes`: one that is there, or a new one in the buffer.
    ///
    /// # Safety
    /// `data` is a buffer's, with as many bytes initialised.
    unsafe fn intern_in_buffer(&mut self, data: *mut u8, len: usize, lanes: Lanes) -> Gc<Str> {
        // SAFETY: by contract.
        let bytes = unsafe { std::slice::from_raw_parts(data, len) };
        let hash = lanes.finish(bytes);
        if let Some(s) = self.find_str(bytes, hash) {
            return s;
        }
        let p = self.alloc(Kind::STR, size_of::<SharedStr>());
        // SAFETY: a fresh cell of this size; the buffer is there.
        let s = unsafe {
            (*p).aux = form::SHARED;
            (*p).flags |= header_flags::OWNS;
            (*p).extra = len as u32;
            let shared = p.cast::<SharedStr>();
            (*shared).str.hash = hash;
            (&raw mut (*shared).data).write(data);
            (&raw mut (*shared).lanes).write(lanes);
            let b = Buffer::of(data);
            (*b).strings += 1;
            (*b).used = (*b).used.max(len);
            Gc::from_ptr(shared.cast::<Str>())
        };
        self.add_str(s);
        s
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffer, LONG, SharedStr, is_growth};
    use crate::gcref::Gc;
    use crate::heap::Heap;
    use crate::string::{Str, form};

    /// Appends `pieces` to a long string one by one; all strings on the way.
    fn grow(heap: &mut Heap, start: &[u8], pieces: &[&[u8]]) -> Vec<Gc<Str>> {
        let mut text = start.to_vec();
        let mut all = vec![heap.intern(&text)];
        for piece in pieces {
            text.extend_from_slice(piece);
            let s = *all.last().expect("the first");
            assert!(is_growth(s.len(), piece.len()));
            let new = heap.append(s, piece);
            assert_eq!(new.bytes(), text);
            assert_eq!(heap.intern(&text), new, "interned");
            all.push(new);
        }
        all
    }

    fn buffer(s: Gc<Str>) -> *mut u8 {
        assert_eq!(s.header.aux, form::SHARED);
        // SAFETY: it is shared.
        unsafe { (*s.as_ptr().cast::<SharedStr>()).data }
    }

    #[test]
    fn pieces_go_behind_each_other() {
        let mut heap = Heap::new(3);
        let start = [b'a'; LONG];
        let pieces: Vec<Vec<u8>> = (0..400u32).map(|i| i.to_string().into_bytes()).collect();
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let all = grow(&mut heap, &start, &pieces);
        assert!(all[..3].iter().all(|s| s.header.aux < form::SHARED));
        let mut buffers: Vec<_> = all[3..].iter().map(|&s| buffer(s)).collect();
        buffers.dedup();
        assert!(
            (2..=4).contains(&buffers.len()),
            "{} buffers",
            buffers.len()
        );
        // The same again: no new strings.
        let again = grow(&mut heap, &start, &pieces);
        assert_eq!(all, again);
        heap.free_all();
    }

    #[test]
    fn a_fork_leaves_the_others_alone() {
        let mut heap = Heap::new(3);
        let all = grow(&mut heap, &[b'x'; 300], &[b"1", b"2", b"3", b"4", b"5"]);
        let fork = heap.append(all[4], b"other");
        assert_eq!(&fork.bytes()[300..], b"1234other");
        assert_eq!(&all[5].bytes()[300..], b"12345");
        // Both go on.
        let (a, b) = (heap.append(fork, b"!"), heap.append(all[5], b"?"));
        assert_eq!(&a.bytes()[300..], b"1234other!");
        assert_eq!(&b.bytes()[300..], b"12345?");
        assert_eq!(buffer(b), buffer(all[5]));
        // What follows in the buffer is appended without another buffer.
        let c = heap.append(all[4], b"5?");
        assert_eq!(c, b);
        heap.free_all();
    }

    #[test]
    fn a_string_is_appended_to_itself() {
        let mut heap = Heap::new(3);
        let all = grow(&mut heap, &[b'x'; 300], &[b"1", b"2", b"3"]);
        let twice = heap.append(all[3], all[3].bytes());
        assert_eq!(twice.bytes(), [all[3].bytes(), all[3].bytes()].concat());
        heap.free_all();
    }

    #[test]
    fn a_buffer_goes_with_its_last_string() {
        let mut heap = Heap::new(3);
        let empty = heap.bytes_in_use();
        let all = grow(&mut heap, &[b'x'; 5000], &[b"1", b"2", b"3", b"4"]);
        let kept = all[3];
        assert_eq!(buffer(kept), buffer(all[4]));
        heap.begin_mark();
        heap.mark(kept.as_ptr().cast());
        heap.begin_sweep();
        heap.sweep_some(isize::MAX);
        assert_eq!(&kept.bytes()[5000..], b"123");
        assert!(heap.bytes_in_use() > Buffer::size(10_000));
        // Nothing is behind the string any more that belongs to another one.
        let next = heap.append(kept, b"4");
        assert_eq!(&next.bytes()[5000..], b"1234");
        heap.begin_mark();
        heap.begin_sweep();
        heap.sweep_some(isize::MAX);
        assert!(heap.bytes_in_use() <= empty + 4096);
        heap.free_all();
    }
}
