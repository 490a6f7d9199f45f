//! Slots: the string-keyed fields that the shape describes.

use super::{TABLE_SIZE, Table};
use crate::gcref::Gc;
use crate::shape::{FieldKind, META, Shape};
use crate::string::Str;
use crate::value::{Tag, Value};
use crate::vm::VmState;
use std::alloc::{Layout, alloc, dealloc};

/// Number of out-of-line slots allocated when `n` are in use.
#[inline]
#[must_use]
pub fn out_of_line_cap(n: usize) -> usize {
    if n == 0 {
        0
    } else {
        n.next_power_of_two().max(4)
    }
}

pub(super) fn slots_layout(cap: usize) -> Layout {
    let tags = cap.next_multiple_of(8);
    Layout::from_size_align(cap * 8 + tags, 8).expect("slot counts are bounded by u16")
}

impl Gc<Table> {
    #[inline]
    pub(super) fn slot_ptrs(self, i: usize) -> (*mut u64, *mut u8) {
        let ic = self.shape().inline_cap as usize;
        // SAFETY: slot `i` is in use, so both addresses are inside the object
        // or its out-of-line block (layout in the module docs).
        unsafe {
            if i < ic {
                let base = self.as_ptr().cast::<u8>().add(TABLE_SIZE);
                (base.add(8 * i).cast(), base.add(8 * ic + i))
            } else {
                let j = i - ic;
                (self.slots.add(8 * j).cast(), self.slots.sub(1 + j))
            }
        }
    }

    /// Content of slot `i`.
    #[inline]
    #[must_use]
    pub fn slot(self, i: usize) -> Value {
        debug_assert!(i < self.shape().nslots as usize);
        let (p, t) = self.slot_ptrs(i);
        // SAFETY: in-use slots are initialised.
        unsafe {
            Value {
                payload: *p,
                tag: Tag(*t),
            }
        }
    }

    /// Writes slot `i` without looking at the lattice or the barrier.
    #[inline]
    pub(crate) fn write_slot(self, i: usize, v: Value) {
        let (p, t) = self.slot_ptrs(i);
        // SAFETY: slot `i` is in use or just made room for; single writer.
        unsafe {
            *p = v.payload;
            *t = v.tag.0;
        }
    }

    /// Stores into slot `i`: widens the field's lattice cell as needed
    /// (telling its watchers) and runs the barrier.
    #[inline]
    pub fn set_slot(self, vm: &mut VmState, i: usize, v: Value) {
        let field = self.shape().field(i);
        // SAFETY: lattice cells live as long as the VM.
        let kind = unsafe { (*field).kind };
        if kind != FieldKind::ANY && kind.0 != v.tag.0 {
            vm.widen_field(field, v);
        }
        if self.shape().flags & META != 0
            && (v.is_nil()
                || self.slot(i).is_nil()
                || self.shape().keys[i].bytes().starts_with(b"__"))
        {
            vm.meta_key_changed(self);
        }
        self.write_slot(i, v);
        vm.barrier(v);
    }

    /// Makes room for slot `n` (the next one) given the shape's inline
    /// capacity `ic`.
    pub(super) fn grow_slots(self, vm: &mut VmState, ic: usize, n: usize) {
        if n < ic {
            return;
        }
        let used = n - ic;
        let (old, new) = (out_of_line_cap(used), out_of_line_cap(used + 1));
        if old == new {
            return;
        }
        let tags = |cap: usize| cap.next_multiple_of(8);
        // SAFETY: the new block is big enough for `used` slots on both sides
        // of its base pointer; the old one is freed with the layout it was
        // allocated with, which depends on the slot count alone.
        unsafe {
            let layout = slots_layout(new);
            let block = alloc(layout);
            if block.is_null() {
                std::alloc::handle_alloc_error(layout);
            }
            let base = block.add(tags(new));
            if old != 0 {
                std::ptr::copy_nonoverlapping(self.slots, base, used * 8);
                std::ptr::copy_nonoverlapping(self.slots.sub(used), base.sub(used), used);
                dealloc(self.slots.sub(tags(old)), slots_layout(old));
            }
            (*self.as_ptr()).slots = base;
        }
        vm.heap.add_debt(
            slots_layout(new).size()
                - if old == 0 {
                    0
                } else {
                    slots_layout(old).size()
                },
        );
    }

    /// Adds the field `shape` has over the table's present shape, with value
    /// `v`.
    ///
    /// # Safety
    /// `shape` is the successor of the table's present shape by one field.
    #[inline]
    pub unsafe fn add_slot(self, vm: &mut VmState, shape: *mut Shape, v: Value) {
        // SAFETY: shapes live as long as the VM.
        let s = unsafe { &*shape };
        let i = s.nslots as usize - 1;
        if i >= s.inline_cap as usize {
            vm.learn_fields(self, i + 1);
            self.grow_slots(vm, s.inline_cap as usize, i);
        }
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).shape = shape };
        let field = s.field(i);
        // SAFETY: lattice cells live as long as the VM.
        let kind = unsafe { (*field).kind };
        if kind != FieldKind::ANY && kind.0 != v.tag.0 {
            vm.widen_field(field, v);
        }
        self.write_slot(i, v);
        vm.barrier(v);
    }

    /// Moves all fields to the hash part.
    pub(super) fn make_dict(self, vm: &mut VmState) {
        let shape = self.shape();
        let n = shape.nslots as usize;
        let ic = shape.inline_cap as usize;
        let pairs: Vec<(Gc<Str>, Value)> = (0..n).map(|i| (shape.keys[i], self.slot(i))).collect();
        let own = shape.hidden;
        let metatable = self.metatable();
        let dict = vm.shapes.dict(self.shape);
        if n > ic {
            vm.heap
                .external_resized(slots_layout(out_of_line_cap(n - ic)).size(), 0);
            self.free_slots(n - ic);
        }
        let left = self.shape;
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).shape = dict };
        vm.shape_left(left);
        if own != crate::shape::NO_SLOT && self.shape().flags & crate::shape::OBJECT_META != 0 {
            self.ext_or_new(vm).metatable = metatable.map_or(std::ptr::null_mut(), Gc::as_ptr);
        }
        for (i, (k, v)) in pairs.into_iter().enumerate() {
            if !v.is_nil() && i != own as usize {
                self.hash_insert(vm, Value::str(k), v);
            }
        }
    }

    pub(super) fn free_slots(self, used: usize) {
        let cap = out_of_line_cap(used);
        if cap != 0 {
            // SAFETY: allocated by `grow_slots` with this layout.
            unsafe { dealloc(self.slots.sub(cap.next_multiple_of(8)), slots_layout(cap)) };
        }
    }
}
