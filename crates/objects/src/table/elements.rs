//! Elements: the values at `1..=len`.

use super::storage::ELEM;
use super::{ELEMS_BOOL, ELEMS_MIXED, MAX_ELEMS, Table};
use crate::gcref::Gc;
use crate::object::header_flags::BEYOND;
use crate::value::{Tag, Value};
use crate::vm::VmState;

/// The capacity to follow `len`. Near the memory limit it is not doubled: what
/// is over the limit stays a small part of it until the next poll.
#[inline]
fn grown(vm: &VmState, len: usize) -> usize {
    if len * ELEM > vm.heap.room() {
        return len + (len / 8).max(4);
    }
    (len * 2).max(4)
}

/// The byte of the element at 0-based `i`: its tag or, of booleans, itself.
///
/// # Safety
/// `i` is below the table's capacity.
#[inline(always)]
pub unsafe fn elem_byte(t: *const Table, i: usize) -> *mut u8 {
    // SAFETY: the bytes follow `cap` payloads.
    unsafe { (*t).elems.add((*t).cap as usize).cast::<u8>().add(i) }
}

/// Stores an element of the kind that the table has, without barrier.
///
/// # Safety
/// `i` is below the table's capacity, `kind` its elements kind, and the payload one of
/// a value that a list of that kind may have.
#[inline(always)]
pub unsafe fn store_elem(t: *const Table, i: usize, kind: u8, payload: u64) {
    // SAFETY: in range.
    unsafe {
        if kind == ELEMS_BOOL {
            *elem_byte(t, i) = payload as u8;
        } else {
            *(*t).elems.add(i) = payload;
        }
    }
}

impl Gc<Table> {
    #[inline]
    pub(super) fn elem_tags(self) -> *mut u8 {
        // SAFETY: the first byte, or the end of a block without room.
        unsafe { elem_byte(self.as_ptr(), 0) }
    }

    /// The element at 0-based `i < len`.
    #[inline]
    pub(super) fn elem(self, i: usize) -> Value {
        debug_assert!(i < self.len as usize);
        // SAFETY: in range.
        unsafe {
            let kind = self.header.aux;
            let byte = self.elem_tags().add(i);
            match kind {
                ELEMS_MIXED => Value {
                    payload: *self.elems.add(i),
                    tag: Tag(*byte),
                },
                ELEMS_BOOL => Value::bool(*byte != 0),
                _ => Value {
                    payload: *self.elems.add(i),
                    tag: Tag(kind),
                },
            }
        }
    }

    pub(super) fn set_elems_kind(self, kind: u8) {
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).header.aux = kind }
    }

    pub(super) fn set_len(self, len: usize) {
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).len = len as u32 }
    }

    pub(super) fn widen_elems(self) {
        let (kind, len) = (self.header.aux, self.len as usize);
        if kind == ELEMS_MIXED {
            return;
        }
        // SAFETY: `len` payloads and tag bytes are inside the block.
        unsafe {
            let bytes = self.elem_tags();
            if kind == ELEMS_BOOL {
                for i in 0..len {
                    *self.elems.add(i) = u64::from(*bytes.add(i));
                }
            }
            std::ptr::write_bytes(bytes, kind, len);
        }
        self.set_elems_kind(ELEMS_MIXED);
    }

    /// Makes room for at least `cap` elements.
    pub fn reserve_elems(self, vm: &mut VmState, cap: usize) {
        if cap > self.cap as usize {
            self.move_elems(vm, cap.min(MAX_ELEMS));
        }
    }

    /// Makes room for elements beyond `len`, which is all there is room for.
    #[cold]
    #[inline(never)]
    fn grow_elems(self, vm: &mut VmState) {
        let len = self.len as usize;
        vm.learn_elems(self, len + len / 2 + 1);
        self.reserve_elems(vm, grown(vm, len));
    }

    /// Stores a non-nil value at 0-based `len`.
    #[inline]
    pub(super) fn push_elem(self, vm: &mut VmState, v: Value) {
        let len = self.len as usize;
        if len == self.cap as usize {
            self.grow_elems(vm);
        }
        if self.header.aux != v.tag.0 {
            if len == 0 {
                self.set_elems_kind(v.tag.0);
            } else {
                self.widen_elems();
            }
        }
        // SAFETY: room was made.
        unsafe {
            let kind = self.header.aux;
            store_elem(self.as_ptr(), len, kind, v.payload);
            if kind == ELEMS_MIXED {
                *self.elem_tags().add(len) = v.tag.0;
            }
        }
        self.set_len(len + 1);
        vm.barrier(v);
    }

    /// Overwrites the element at 0-based `i < len`.
    #[inline]
    pub(super) fn set_elem(self, vm: &mut VmState, i: usize, v: Value) {
        let kind = self.header.aux;
        if kind == v.tag.0 {
            // SAFETY: in range.
            unsafe { store_elem(self.as_ptr(), i, kind, v.payload) };
            vm.barrier(v);
            return;
        }
        if v.is_nil() && i + 1 == self.len as usize {
            let mut n = i;
            if kind == ELEMS_MIXED {
                while n > 0 && self.elem(n - 1).is_nil() {
                    n -= 1;
                }
            }
            self.set_len(n);
            return;
        }
        self.widen_elems();
        // SAFETY: in range; the tags are current.
        unsafe {
            *self.elems.add(i) = v.payload;
            *self.elem_tags().add(i) = v.tag.0;
        }
        vm.barrier(v);
    }

    /// Makes the element at 0-based `i < len` nil. The caller sees to it that
    /// the last one is not.
    pub(super) fn make_nil(self, i: usize) {
        self.widen_elems();
        // SAFETY: in range; the tags are current.
        unsafe {
            *self.elems.add(i) = 0;
            *self.elem_tags().add(i) = Tag::NIL.0;
        }
    }

    /// Cuts nils off the end.
    pub(super) fn drop_trailing_nils(self) {
        let mut n = self.len as usize;
        while n > 0 && self.elem(n - 1).is_nil() {
            n -= 1;
        }
        self.set_len(n);
    }

    /// Appends any value, nil included.
    pub(super) fn push_elem_raw(self, vm: &mut VmState, v: Value) {
        if v.is_nil() {
            let len = self.len as usize;
            if len == self.cap as usize {
                self.grow_elems(vm);
            }
            self.widen_elems();
            // SAFETY: room was made; the kind is mixed.
            unsafe {
                *self.elems.add(len) = 0;
                *self.elem_tags().add(len) = Tag::NIL.0;
            }
            self.set_len(len + 1);
        } else {
            self.push_elem(vm, v);
        }
    }

    /// Fills elements `first..` from `values`, nils included: a constructor's
    /// positional part.
    pub fn set_list(self, vm: &mut VmState, first: usize, values: &[Value]) {
        if first == self.len as usize + 1 {
            let needed = self.len as usize + values.len();
            if needed > self.cap as usize {
                vm.learn_elems(self, needed);
                self.reserve_elems(vm, needed);
            }
            let beyond = self.header.flags & BEYOND != 0;
            for (i, &v) in values.iter().enumerate() {
                if let Some(ext) = self.ext().filter(|_| beyond) {
                    // `{[1] = "x", "y"}` gives the key a value twice.
                    ext.take(Value::int((first + i) as i64));
                }
                self.push_elem_raw(vm, v);
            }
            self.drop_trailing_nils();
            if beyond {
                self.migrate(vm);
            }
        } else {
            for (i, &v) in values.iter().enumerate() {
                self.set_int(vm, (first + i) as i64, v);
            }
        }
    }
}
