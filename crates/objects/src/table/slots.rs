//! Slots: the string-keyed fields that the shape describes.

use super::hash::packs;
use super::storage::{free_block, mark_block, new_block, release_block};
use super::{TABLE_SIZE, Table};
use crate::gcref::Gc;
use crate::heap::Heap;
use crate::shape::{FieldKind, META, NO_SLOT, Shape};
use crate::string::Str;
use crate::value::{Tag, Value};
use crate::vm::VmState;

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

/// Bytes for the tags of `cap` out-of-line slots, which come first.
fn tags_bytes(cap: usize) -> usize {
    cap.next_multiple_of(8)
}

fn slots_bytes(cap: usize) -> usize {
    cap * 8 + tags_bytes(cap)
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
            && !self.slot(i).identical(v)
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
        // SAFETY: the new block is big enough for `used` slots on both sides
        // of its base pointer; the size of the old one depends on the slot
        // count alone.
        unsafe {
            let base = new_block(vm, self, slots_bytes(new)).add(tags_bytes(new));
            if old != 0 {
                std::ptr::copy_nonoverlapping(self.slots, base, used * 8);
                std::ptr::copy_nonoverlapping(self.slots.sub(used), base.sub(used), used);
                free_block(vm, self.slots.sub(tags_bytes(old)), slots_bytes(old));
            }
            (*self.as_ptr()).slots = base;
        }
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

    /// Moves all fields to the hash part, in their order, also those that are
    /// nil.
    pub(super) fn make_dict(self, vm: &mut VmState) {
        let shape = self.shape();
        let n = shape.nslots as usize;
        let own = shape.hidden;
        let pairs: Vec<(Gc<Str>, Value)> = (0..n)
            .filter(|&i| i != own as usize)
            .map(|i| (shape.keys[i], self.slot(i)))
            .collect();
        let metatable = self.metatable();
        let dict = vm.shapes.dict(self.shape);
        if let Some((block, bytes)) = self.slots_block() {
            // SAFETY: the fields were copied.
            unsafe { free_block(vm, block, bytes) };
        }
        let left = self.shape;
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).shape = dict };
        vm.shape_left(left);
        if own != NO_SLOT && self.shape().flags & crate::shape::OBJECT_META != 0 {
            self.ext_or_new(vm).metatable = metatable.map_or(std::ptr::null_mut(), Gc::as_ptr);
            self.note_beyond();
        }
        self.adopt_names(vm, &pairs);
    }

    /// Makes a table with a shape of its own forget its nil fields, if it has
    /// as many as the dictionary that it could be packs, with one more to come.
    pub(super) fn pack_slots(self, vm: &mut VmState) {
        let shape = self.shape();
        let hidden = shape.hidden as usize;
        let live = |&i: &usize| i == hidden || !self.slot(i).is_nil();
        let all = shape.nslots as usize;
        let names = all - usize::from(shape.hidden != NO_SLOT);
        if !packs(names, || all - (0..all).filter(live).count()) {
            return;
        }
        let kept: Vec<usize> = (0..all).filter(live).collect();
        let values: Vec<Value> = kept.iter().map(|&i| self.slot(i)).collect();
        if let Some((block, bytes)) = self.slots_block() {
            // SAFETY: the values were copied.
            unsafe { free_block(vm, block, bytes) };
        }
        let left = self.shape;
        let next = vm.shapes.singleton_of(left, &kept);
        // SAFETY: single writer; the block has room for the slots that are not
        // inline, and the shape is the table's own.
        unsafe {
            let t = self.as_ptr();
            (*t).shape = next;
            let outer = out_of_line_cap(kept.len().saturating_sub(self.shape().inline_cap.into()));
            (*t).slots = match outer {
                0 => std::ptr::dangling_mut(),
                cap => new_block(vm, self, slots_bytes(cap)).add(tags_bytes(cap)),
            };
        }
        for (i, v) in values.into_iter().enumerate() {
            self.write_slot(i, v);
        }
        if self.shape().flags & META != 0 {
            vm.bump_meta_epoch();
        }
        vm.shape_left(left);
        vm.retrace(self);
    }

    /// The block of out-of-line slots, if there is one.
    fn slots_block(self) -> Option<(*mut u8, usize)> {
        let shape = self.shape();
        let used = (shape.nslots as usize).saturating_sub(shape.inline_cap as usize);
        let cap = out_of_line_cap(used);
        // SAFETY: the base pointer is behind the tags.
        (cap != 0).then(|| unsafe { (self.slots.sub(tags_bytes(cap)), slots_bytes(cap)) })
    }

    /// Marks the blocks that the table refers to.
    #[inline]
    pub(crate) fn mark_blocks(self, heap: &mut Heap) {
        for (block, bytes) in [self.elems_block(), self.slots_block()]
            .into_iter()
            .flatten()
        {
            // SAFETY: a block of this table.
            unsafe { mark_block(heap, block, bytes) };
        }
    }

    /// Frees the blocks of a dead table that the sweep does not; returns their
    /// bytes.
    pub(super) fn release_blocks(self) -> usize {
        [self.elems_block(), self.slots_block()]
            .into_iter()
            .flatten()
            // SAFETY: a block of this table.
            .map(|(block, bytes)| unsafe { release_block(block, bytes) })
            .sum()
    }
}
