//! Where elements and out-of-line slots are.
//!
//! | block | where |
//! |---|---|
//! | the elements a constructor has room for | in the table's own cell, behind the inline slots |
//! | up to [`MAX_BUFFER`] bytes | in a cell of its own, a buffer, which the table marks |
//! | larger ones | from the system allocator; the table releases them when it is dead |
//!
//! So the sweep has nothing to do for a small table, and making one that stays
//! small is one allocation. Room inside the table that the elements grew out
//! of is lost until the table is dead; allocation sites learn to avoid that
//! (see [`crate::site`]).

use super::{ELEMS_BOOL, ELEMS_MIXED, TABLE_SIZE, Table, table_bytes};
use crate::gcref::Gc;
use crate::heap::{GRANULE, Heap, MAX_BUFFER, MAX_SMALL, buffer_room};
use crate::object::header_flags;
use crate::vm::VmState;
use std::alloc::{Layout, alloc, dealloc, realloc};

/// Bytes of an element: payload and tag.
pub(super) const ELEM: usize = 9;

/// Room for elements in a table's own cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InlineElems {
    /// Offset of the payloads.
    pub offset: usize,
    /// Number of elements.
    pub cap: usize,
}

/// Offset of elements in the cell of a table with this inline capacity.
const fn elems_offset(inline_cap: usize) -> usize {
    TABLE_SIZE + (inline_cap * 9).next_multiple_of(8)
}

/// Bytes of a table with room for fields and for `elems` elements in its cell,
/// and where that room is. `None` for elements when none are wanted or they do
/// not fit.
#[must_use]
pub fn table_room(inline_cap: usize, elems: usize) -> (usize, Option<InlineElems>) {
    let offset = elems_offset(inline_cap);
    let bytes = (offset + elems * ELEM).next_multiple_of(GRANULE);
    if elems == 0 || bytes > MAX_SMALL {
        return (table_bytes(inline_cap), None);
    }
    // As many as were asked for: `next` takes any key up to there for one that
    // was in the table.
    (bytes, Some(InlineElems { offset, cap: elems }))
}

/// The capacity that a block for `cap` elements has.
fn elems_room(cap: usize) -> usize {
    let bytes = cap * ELEM;
    if bytes > MAX_BUFFER {
        cap
    } else {
        buffer_room(bytes) / ELEM
    }
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, 8).expect("block sizes are bounded")
}

/// Whether a block is not in a heap cell.
fn is_external(bytes: usize) -> bool {
    bytes > MAX_BUFFER
}

/// A block of `bytes` bytes for table `t`.
pub(super) fn new_block(vm: &mut VmState, t: Gc<Table>, bytes: usize) -> *mut u8 {
    if !is_external(bytes) {
        return vm.heap.alloc_buffer(bytes);
    }
    vm.heap.add_debt(bytes);
    t.set_owns();
    let layout = layout(bytes);
    // SAFETY: the layout has a size.
    let block = unsafe { alloc(layout) };
    if block.is_null() {
        std::alloc::handle_alloc_error(layout);
    }
    block
}

/// Frees a block.
///
/// # Safety
/// `block` is from [`new_block`] with as many `bytes`, and nobody uses it.
pub(super) unsafe fn free_block(vm: &mut VmState, block: *mut u8, bytes: usize) {
    // SAFETY: by contract.
    unsafe {
        if is_external(bytes) {
            vm.heap.external_resized(bytes, 0);
            dealloc(block, layout(bytes));
        } else {
            vm.heap.free_buffer(block, bytes);
        }
    }
}

/// Frees a block of a dead table, if the sweep does not; returns its bytes.
///
/// # Safety
/// As [`free_block`].
pub(super) unsafe fn release_block(block: *mut u8, bytes: usize) -> usize {
    if !is_external(bytes) {
        return 0;
    }
    // SAFETY: by contract.
    unsafe { dealloc(block, layout(bytes)) };
    bytes
}

/// Marks a block of a table that is being traced.
///
/// # Safety
/// As [`free_block`], of a live table.
pub(super) unsafe fn mark_block(heap: &mut Heap, block: *mut u8, bytes: usize) {
    if !is_external(bytes) {
        // SAFETY: by contract.
        unsafe { heap.mark_buffer(block) };
    }
}

impl Gc<Table> {
    /// Notes that the table owns something outside the heap's cells.
    pub(super) fn set_owns(self) {
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).header.flags |= header_flags::OWNS }
    }

    /// Whether the elements are in the table's own cell.
    #[inline]
    pub(crate) fn has_inline_elems(self) -> bool {
        let offset = elems_offset(self.shape().inline_cap as usize);
        self.elems as usize == self.addr() as usize + offset
    }

    /// The elements' block, if there is one that is not in the table's cell.
    #[inline]
    pub(super) fn elems_block(self) -> Option<(*mut u8, usize)> {
        if self.cap == 0 || self.has_inline_elems() {
            return None;
        }
        Some((self.elems.cast(), self.cap as usize * ELEM))
    }

    /// Has the elements in a block with room for at least `new`, more than
    /// there is room for now. Payloads stay in order, tags behind all of them.
    pub(super) fn move_elems(self, vm: &mut VmState, new: usize) {
        let new = elems_room(new);
        let bytes = new * ELEM;
        let (len, old) = (self.len as usize, self.cap as usize);
        let tags = match self.header.aux {
            ELEMS_MIXED | ELEMS_BOOL => len,
            _ => 0,
        };
        // SAFETY: `len <= old < new`; both blocks have payloads and, behind
        // all of them, tags.
        unsafe {
            let block = match self.elems_block() {
                Some((block, size)) if is_external(size) => {
                    vm.heap.external_resized(size, bytes);
                    let block = realloc(block, layout(size), bytes);
                    if block.is_null() {
                        std::alloc::handle_alloc_error(layout(bytes));
                    }
                    std::ptr::copy(block.add(old * 8), block.add(new * 8), tags);
                    block
                }
                from => {
                    let block = new_block(vm, self, bytes);
                    let elems = self.elems.cast::<u8>();
                    if old != 0 {
                        std::ptr::copy_nonoverlapping(elems, block, len * 8);
                        std::ptr::copy_nonoverlapping(elems.add(old * 8), block.add(new * 8), tags);
                    }
                    if let Some((block, size)) = from {
                        free_block(vm, block, size);
                    }
                    block
                }
            };
            (*self.as_ptr()).elems = block.cast();
            (*self.as_ptr()).cap = new as u32;
        }
    }
}
