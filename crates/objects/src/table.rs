//! Tables: shape-described fields, typed elements, and a hash part.
//!
//! | keys | where |
//! |---|---|
//! | strings, while the shape is not a dictionary | slots: inline behind the object, then out of line |
//! | integers `1..=len` | elements: payloads, plus tags when kinds are mixed |
//! | everything else | the hash part, in [`TableExt`] |
//!
//! **Slots.** Slot `i < inline_cap` has its payload at
//! `TABLE_SIZE + 8*i` and its tag at `TABLE_SIZE + 8*inline_cap + i`. Slot
//! `inline_cap + j` has its payload at `slots + 8*j` and its tag at
//! `slots - 1 - j`, so neither address needs the capacity.
//!
//! **Elements.** `cap` payloads, then room for `cap` tags. While
//! `header.aux` (the elements kind) is a tag, every element has that tag and
//! the tag bytes are unused; at [`ELEMS_MIXED`] they are current. Widening
//! fills the tags in place. The last element is never nil, and the hash part
//! never holds the key `len + 1`, so `#t` is `len`.

use crate::gcref::Gc;
use crate::object::Header;
use crate::shape::{DICT, FieldInfo, FieldKind, META, OBJECT_META, SINGLETON, Shape};
use crate::string::Str;
use crate::value::{Tag, Value, float_to_int};
use crate::vm::VmState;
use std::alloc::{Layout, alloc, dealloc};

/// Elements kind: tags vary and are stored.
pub const ELEMS_MIXED: u8 = 0xff;
/// Elements kind: there are no elements yet.
pub const ELEMS_NONE: u8 = 0xfe;

/// Bytes of a table before its inline slots.
pub const TABLE_SIZE: usize = 48;

/// Most elements a table may have.
pub const MAX_ELEMS: usize = 1 << 30;

/// A table. Inline slots follow the struct.
#[repr(C)]
pub struct Table {
    /// `aux` is the elements kind, `extra` a bit per
    /// metamethod known to be absent (see [`crate::meta`]).
    pub header: Header,
    /// Layout of the fields.
    pub shape: *mut Shape,
    /// Out-of-line slots; dangling while there are none.
    pub slots: *mut u8,
    /// Element payloads; dangling while `cap` is 0.
    pub elems: *mut u64,
    /// Number of elements, which is the border.
    pub len: u32,
    /// Capacity of `elems`.
    pub cap: u32,
    /// Hash part and per-object metatable, or null.
    pub ext: *mut TableExt,
}

/// The rarely used part of a table.
pub struct TableExt {
    nodes: Vec<Node>,
    /// Nodes whose key is set, values nil included.
    used: usize,
    /// Metatable of shapes with [`OBJECT_META`].
    pub(crate) metatable: *mut Table,
}

#[derive(Clone, Copy)]
struct Node {
    key: Value,
    val: Value,
}

/// Key of a node whose entry moved to the elements: equal to no Lua value. A
/// key is thus never in both places, which iteration relies on.
const MOVED: Value = Value {
    payload: u64::MAX,
    tag: Tag(0xee),
};

const EMPTY_NODE: Node = Node {
    key: Value::NIL,
    val: Value::NIL,
};

/// Why a key cannot be stored under or iterated from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is nil.
    #[error("table index is nil")]
    Nil,
    /// The key is NaN.
    #[error("table index is NaN")]
    Nan,
    /// `next` was given a key that is not in the table.
    #[error("invalid key to 'next'")]
    NotFound,
    /// The table would have more than [`MAX_ELEMS`] elements.
    #[error("table overflow")]
    TooBig,
}

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

fn slots_layout(cap: usize) -> Layout {
    let tags = cap.next_multiple_of(8);
    Layout::from_size_align(cap * 8 + tags, 8).expect("slot counts are bounded by u16")
}

fn elems_layout(cap: usize) -> Layout {
    Layout::from_size_align(cap * 9, 8).expect("element counts are bounded by MAX_ELEMS")
}

/// Bytes of a table object with this inline capacity.
#[must_use]
pub fn table_bytes(inline_cap: usize) -> usize {
    TABLE_SIZE + inline_cap * 9
}

fn hash_value(v: Value) -> usize {
    let bits = match v.tag {
        Tag::STR => {
            let s: Gc<Str> = Gc::from_payload(v.payload);
            return s.hash as usize;
        }
        t if t.is_object() => v.payload >> 4,
        t => v.payload ^ u64::from(t.0) << 56,
    };
    let m = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (m ^ (m >> 32)) as usize
}

/// Turns a float key with an integer value into the integer key.
#[inline]
fn normalize(key: Value) -> Value {
    if key.tag == Tag::FLOAT
        && let Some(i) = float_to_int(f64::from_bits(key.payload))
    {
        return Value::int(i);
    }
    key
}

impl TableExt {
    fn new() -> Self {
        TableExt {
            nodes: Vec::new(),
            used: 0,
            metatable: std::ptr::null_mut(),
        }
    }

    #[inline]
    fn find(&self, key: Value) -> Option<usize> {
        if self.nodes.is_empty() {
            return None;
        }
        let mask = self.nodes.len() - 1;
        let mut i = hash_value(key) & mask;
        loop {
            let k = self.nodes[i].key;
            if k.identical(key) {
                return Some(i);
            }
            if k.is_nil() {
                return None;
            }
            i = (i + 1) & mask;
        }
    }

    /// Removes a key that moves to the elements; its value if it had one.
    fn take(&mut self, key: Value) -> Value {
        match self.find(key) {
            Some(i) => {
                self.nodes[i].key = MOVED;
                std::mem::take(&mut self.nodes[i].val)
            }
            None => Value::NIL,
        }
    }

    /// Inserts a key that is absent; there must be a free node.
    fn insert_new(&mut self, key: Value, val: Value) {
        let mask = self.nodes.len() - 1;
        let mut i = hash_value(key) & mask;
        while !self.nodes[i].key.is_nil() {
            i = (i + 1) & mask;
        }
        self.nodes[i] = Node { key, val };
        self.used += 1;
    }

    fn full(&self) -> bool {
        self.used * 4 >= self.nodes.len() * 3
    }

    fn live(&self) -> usize {
        self.nodes.iter().filter(|n| !n.val.is_nil()).count()
    }

    fn resize(&mut self, live: usize) {
        let cap = (live * 4 / 3 + 1).next_power_of_two().max(4);
        let old = std::mem::replace(&mut self.nodes, vec![EMPTY_NODE; cap]);
        self.used = 0;
        for n in old {
            if !n.val.is_nil() {
                self.insert_new(n.key, n.val);
            }
        }
    }

    /// Bytes outside the object, for GC accounting.
    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.nodes.capacity() * std::mem::size_of::<Node>()
    }

    /// Calls `f` with every key and value in use.
    pub(crate) fn for_each(&self, mut f: impl FnMut(Value, Value)) {
        for n in &self.nodes {
            if !n.key.is_nil() {
                f(n.key, n.val);
            }
        }
    }
}

impl Gc<Table> {
    /// The layout of the fields.
    #[inline]
    #[must_use]
    pub fn shape<'a>(self) -> &'a Shape {
        // SAFETY: every table has a shape; shapes live as long as the VM.
        unsafe { &*self.shape }
    }

    fn ext<'a>(self) -> Option<&'a mut TableExt> {
        // SAFETY: null or owned by this table; no caller keeps the reference
        // across another call on the table.
        unsafe { self.ext.as_mut() }
    }

    fn ext_or_new<'a>(self) -> &'a mut TableExt {
        if self.ext.is_null() {
            // SAFETY: single writer.
            unsafe { (*self.as_ptr()).ext = Box::into_raw(Box::new(TableExt::new())) };
        }
        // SAFETY: just set; as `ext`.
        unsafe { &mut *self.ext }
    }

    /// The metatable, if any.
    #[inline]
    #[must_use]
    pub fn metatable(self) -> Option<Gc<Table>> {
        let shape = self.shape();
        let mt = if shape.flags & OBJECT_META == 0 {
            shape.metatable
        } else {
            self.ext().map_or(std::ptr::null_mut(), |e| e.metatable)
        };
        // SAFETY: null or a live table kept alive by the shape or this object.
        (!mt.is_null()).then(|| unsafe { Gc::from_ptr(mt) })
    }

    /// Sets or removes the metatable. `mt` is marked as one, so that changes
    /// to its keys bump the VM's metatable epoch.
    pub fn set_metatable(self, vm: &mut VmState, mt: Option<Gc<Table>>) {
        let ptr = mt.map_or(std::ptr::null_mut(), Gc::as_ptr);
        if let Some(mt) = mt {
            mt.mark_meta(vm);
        }
        vm.barrier(self);
        // SAFETY: single writer; the shape pointer stays valid.
        unsafe {
            let t = self.as_ptr();
            if (*(*t).shape).is_singleton() {
                if (*(*t).shape).flags & META != 0 {
                    vm.bump_meta_epoch();
                }
                (*t).shape = vm.shapes.singleton((*t).shape, ptr);
                return;
            }
            if (*(*t).shape).flags & META != 0 {
                // Chains that go through this table change.
                vm.bump_meta_epoch();
            }
            if (*(*t).shape).flags & OBJECT_META == 0 {
                (*t).shape = vm.shapes.with_metatable((*t).shape, ptr);
            }
            if (*(*t).shape).flags & OBJECT_META != 0 {
                self.ext_or_new().metatable = ptr;
            }
        }
    }

    /// Notes that the table is a metatable or an `__index` target. No cache
    /// goes through a table before it is marked, so the epoch stays.
    pub fn mark_meta(self, vm: &mut VmState) {
        if self.shape().flags & META == 0 {
            // SAFETY: single writer; the variant has the same layout.
            unsafe { (*self.as_ptr()).shape = vm.shapes.meta_variant(self.shape) };
        }
    }

    /// Gives the table a shape of its own that grows in place; for tables
    /// with a unique role (`_ENV`, modules, classes).
    pub fn make_singleton(self, vm: &mut VmState) {
        if self.shape().flags & (SINGLETON | DICT | OBJECT_META) != 0 {
            return;
        }
        let s = vm.shapes.singleton(self.shape, self.shape().metatable);
        for i in 0..self.shape().nslots as usize {
            let v = self.slot(i);
            // SAFETY: the cell belongs to the new shape.
            unsafe { (*(*s).field(i)).widen(v) };
        }
        // SAFETY: single writer; same layout.
        unsafe { (*self.as_ptr()).shape = s };
    }

    // ---- slots -------------------------------------------------------

    #[inline]
    fn slot_ptrs(self, i: usize) -> (*mut u64, *mut u8) {
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
    fn write_slot(self, i: usize, v: Value) {
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
        vm.barrier(self);
    }

    /// Makes room for slot `n` (the next one) given the shape's inline
    /// capacity `ic`.
    fn grow_slots(self, vm: &mut VmState, ic: usize, n: usize) {
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
        self.grow_slots(vm, s.inline_cap as usize, i);
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).shape = shape };
        let field = s.field(i);
        // SAFETY: lattice cells live as long as the VM.
        let kind = unsafe { (*field).kind };
        if kind != FieldKind::ANY && kind.0 != v.tag.0 {
            vm.widen_field(field, v);
        }
        self.write_slot(i, v);
        vm.barrier(self);
    }

    /// Moves all fields to the hash part.
    fn make_dict(self, vm: &mut VmState) {
        let shape = self.shape();
        let n = shape.nslots as usize;
        let ic = shape.inline_cap as usize;
        let pairs: Vec<(Gc<Str>, Value)> = (0..n).map(|i| (shape.keys[i], self.slot(i))).collect();
        let dict = vm.shapes.dict(self.shape);
        if n > ic {
            self.free_slots(n - ic);
        }
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).shape = dict };
        for (k, v) in pairs {
            if !v.is_nil() {
                self.hash_insert(vm, Value::str(k), v);
            }
        }
    }

    fn free_slots(self, used: usize) {
        let cap = out_of_line_cap(used);
        if cap != 0 {
            // SAFETY: allocated by `grow_slots` with this layout.
            unsafe { dealloc(self.slots.sub(cap.next_multiple_of(8)), slots_layout(cap)) };
        }
    }

    // ---- elements ----------------------------------------------------

    #[inline]
    fn elem_tags(self) -> *mut u8 {
        // SAFETY: the tags follow `cap` payloads in the same block.
        unsafe { self.elems.add(self.cap as usize).cast() }
    }

    /// The element at 0-based `i < len`.
    #[inline]
    fn elem(self, i: usize) -> Value {
        debug_assert!(i < self.len as usize);
        // SAFETY: in range.
        unsafe {
            let kind = self.header.aux;
            let tag = if kind == ELEMS_MIXED {
                *self.elem_tags().add(i)
            } else {
                kind
            };
            Value {
                payload: *self.elems.add(i),
                tag: Tag(tag),
            }
        }
    }

    fn set_elems_kind(self, kind: u8) {
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).header.aux = kind }
    }

    fn set_len(self, len: usize) {
        // SAFETY: single writer.
        unsafe { (*self.as_ptr()).len = len as u32 }
    }

    fn widen_elems(self) {
        let kind = self.header.aux;
        if kind != ELEMS_MIXED {
            // SAFETY: `len` tag bytes are inside the block.
            unsafe { std::ptr::write_bytes(self.elem_tags(), kind, self.len as usize) };
            self.set_elems_kind(ELEMS_MIXED);
        }
    }

    /// Makes room for at least `cap` elements.
    pub fn reserve_elems(self, vm: &mut VmState, cap: usize) {
        let old = self.cap as usize;
        if cap <= old {
            return;
        }
        let new = cap.clamp(4, MAX_ELEMS);
        // SAFETY: fresh block of the right size; `len <= old` payloads and
        // tags are copied; the old block is freed with its own layout.
        unsafe {
            let layout = elems_layout(new);
            let block = alloc(layout).cast::<u64>();
            if block.is_null() {
                std::alloc::handle_alloc_error(layout);
            }
            let len = self.len as usize;
            if old != 0 {
                std::ptr::copy_nonoverlapping(self.elems, block, len);
                if self.header.aux == ELEMS_MIXED {
                    std::ptr::copy_nonoverlapping(self.elem_tags(), block.add(new).cast(), len);
                }
                dealloc(self.elems.cast(), elems_layout(old));
            }
            (*self.as_ptr()).elems = block;
            (*self.as_ptr()).cap = new as u32;
        }
        vm.heap.add_debt((new - old) * 9);
    }

    /// Stores a non-nil value at 0-based `len`.
    #[inline]
    fn push_elem(self, vm: &mut VmState, v: Value) {
        let len = self.len as usize;
        if len == self.cap as usize {
            self.reserve_elems(vm, (len * 2).max(4));
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
            *self.elems.add(len) = v.payload;
            if self.header.aux == ELEMS_MIXED {
                *self.elem_tags().add(len) = v.tag.0;
            }
        }
        self.set_len(len + 1);
        vm.barrier(self);
    }

    /// Moves key `len + 1` and its successors from the hash part to the
    /// elements.
    fn migrate(self, vm: &mut VmState) {
        loop {
            let key = Value::int(i64::from(self.len) + 1);
            let Some(ext) = self.ext() else { return };
            let v = ext.take(key);
            if v.is_nil() {
                return;
            }
            self.push_elem(vm, v);
        }
    }

    /// Overwrites the element at 0-based `i < len`.
    #[inline]
    fn set_elem(self, vm: &mut VmState, i: usize, v: Value) {
        let kind = self.header.aux;
        if kind == v.tag.0 {
            // SAFETY: in range.
            unsafe { *self.elems.add(i) = v.payload };
            vm.barrier(self);
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
        vm.barrier(self);
    }

    // ---- hash part ---------------------------------------------------

    fn hash_get(self, key: Value) -> Value {
        match self.ext() {
            Some(ext) => ext.find(key).map_or(Value::NIL, |i| ext.nodes[i].val),
            None => Value::NIL,
        }
    }

    fn hash_insert(self, vm: &mut VmState, key: Value, v: Value) {
        let ext = self.ext_or_new();
        if let Some(i) = ext.find(key) {
            ext.nodes[i].val = v;
        } else if v.is_nil() {
            return;
        } else if !ext.full() {
            ext.insert_new(key, v);
        } else {
            self.rehash(vm, key);
            // Keys right behind the moved ones belong to the elements too.
            self.migrate(vm);
            if let Some(i) = key.as_int().and_then(|i| usize::try_from(i).ok()) {
                if i >= 1 && i <= self.len as usize {
                    self.set_elem(vm, i - 1, v);
                    return;
                }
                if i == self.len as usize + 1 {
                    self.push_elem(vm, v);
                    self.migrate(vm);
                    return;
                }
            }
            self.ext_or_new().insert_new(key, v);
        }
        vm.barrier(self);
    }

    /// Makes room in the hash part for one more key, `extra`, moving integer
    /// keys to the elements where more than half of the range `1..=n` is in
    /// use (the rule of PUC Lua's `rehash`).
    fn rehash(self, vm: &mut VmState, extra: Value) {
        let ext = self.ext_or_new();
        // nums[p]: integer keys in (2^(p-1), 2^p].
        let mut nums = [0usize; 31];
        fn count(nums: &mut [usize; 31], k: Value) {
            if let Some(i) = k.as_int()
                && i >= 1
                && i <= MAX_ELEMS as i64
            {
                nums[(64 - (i - 1).leading_zeros()) as usize] += 1;
            }
        }
        for n in &ext.nodes {
            if !n.val.is_nil() {
                count(&mut nums, n.key);
            }
        }
        count(&mut nums, extra);
        let before = ext.bytes();
        if nums.iter().any(|&n| n > 0) {
            for i in 0..self.len as usize {
                if !self.elem(i).is_nil() {
                    count(&mut nums, Value::int(i as i64 + 1));
                }
            }
            let total: usize = nums.iter().sum();
            let (mut acc, mut size) = (0, 0);
            let mut pow = 1usize;
            for &n in &nums {
                acc += n;
                if acc > pow / 2 {
                    size = pow;
                }
                pow <<= 1;
                if total <= pow / 2 {
                    break;
                }
            }
            if size > self.len as usize {
                self.extend_elems(vm, size, extra);
            }
        }
        let ext = self.ext_or_new();
        let live = ext.live();
        // Grow by half at least, so that a filling table rehashes rarely.
        ext.resize(live + (live / 2).max(1));
        let after = ext.bytes();
        if after > before {
            vm.heap.add_debt(after - before);
        }
    }

    /// Moves the integer keys `len+1 ..= size` from the hash part to the
    /// elements, with nil for the missing ones, so that `extra` (about to be
    /// stored) lands in or right behind the elements.
    fn extend_elems(self, vm: &mut VmState, size: usize, extra: Value) {
        let ext = self.ext_or_new();
        let start = self.len as usize;
        let extra_at = extra
            .as_int()
            .and_then(|i| usize::try_from(i).ok())
            .unwrap_or(0);
        let mut last = start;
        for k in start + 1..=size {
            let here = ext
                .find(Value::int(k as i64))
                .is_some_and(|i| !ext.nodes[i].val.is_nil());
            if here || k == extra_at {
                last = k;
            }
        }
        self.reserve_elems(vm, size);
        for k in start + 1..=last {
            let ext = self.ext_or_new();
            let v = ext.take(Value::int(k as i64));
            if v.is_nil() && k == last {
                // `extra` itself comes last: the caller appends it.
                break;
            }
            if v.is_nil() {
                self.push_elem_raw(vm, Value::NIL);
            } else {
                self.push_elem(vm, v);
            }
        }
        // The last element must not be nil; `extra` is appended by the caller
        // right after, so trailing holes stay only when they lead up to it.
    }

    /// Appends any value, nil included.
    fn push_elem_raw(self, vm: &mut VmState, v: Value) {
        if v.is_nil() {
            let len = self.len as usize;
            if len == self.cap as usize {
                self.reserve_elems(vm, (len * 2).max(4));
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

    // ---- raw access --------------------------------------------------

    /// `t[key]` for a string, without metamethods.
    #[inline]
    #[must_use]
    pub fn get_str(self, key: Gc<Str>) -> Value {
        let shape = self.shape();
        if shape.is_dict() {
            return self.hash_get(Value::str(key));
        }
        shape.lookup(key).map_or(Value::NIL, |i| self.slot(i))
    }

    /// `t[i]` for an integer, without metamethods.
    #[inline]
    #[must_use]
    pub fn get_int(self, i: i64) -> Value {
        let at = (i as u64).wrapping_sub(1);
        if at < u64::from(self.len) {
            return self.elem(at as usize);
        }
        if self.ext.is_null() {
            Value::NIL
        } else {
            self.hash_get(Value::int(i))
        }
    }

    /// `rawget(t, key)`
    #[must_use]
    pub fn get(self, key: Value) -> Value {
        match key.tag {
            Tag::STR => self.get_str(Gc::from_payload(key.payload)),
            Tag::INT => self.get_int(key.payload as i64),
            Tag::NIL => Value::NIL,
            _ => match normalize(key) {
                Value {
                    tag: Tag::INT,
                    payload,
                } => self.get_int(payload as i64),
                key => self.hash_get(key),
            },
        }
    }

    /// Stores under a string key, without metamethods. `dynamic` as in
    /// [`Shapes::add_field`](crate::shape::Shapes::add_field).
    pub fn set_str_as(self, vm: &mut VmState, key: Gc<Str>, v: Value, dynamic: bool) {
        if self.shape().is_dict() {
            if self.shape().flags & META != 0 {
                vm.meta_key_changed(self);
            }
            self.hash_insert(vm, Value::str(key), v);
            return;
        }
        if let Some(i) = self.shape().lookup(key) {
            self.set_slot(vm, i, v);
            return;
        }
        if v.is_nil() {
            return;
        }
        if self.shape().flags & META != 0 {
            vm.meta_key_changed(self);
        }
        if self.shape().flags & META != 0
            && self.shape().nslots as usize >= crate::shape::MAX_FIELDS
        {
            // A class with many methods stays cacheable.
            self.make_singleton(vm);
        }
        if self.shape().is_singleton() {
            let (ic, n) = (
                self.shape().inline_cap as usize,
                self.shape().nslots as usize,
            );
            if n < 60_000 {
                self.grow_slots(vm, ic, n);
                let i = vm.shapes.grow_singleton(self.shape, key);
                vm.widen_field(self.shape().field(i), v);
                self.write_slot(i, v);
                vm.barrier(self);
                return;
            }
        } else {
            // SAFETY: the table's own shape, which is a tree shape here.
            let next = unsafe { vm.shapes.add_field(self.shape, key, dynamic) };
            if let Some(next) = next {
                // SAFETY: the successor by this field.
                unsafe { self.add_slot(vm, next, v) };
                return;
            }
        }
        self.make_dict(vm);
        self.hash_insert(vm, Value::str(key), v);
    }

    /// Stores under a string key that the source names, without metamethods.
    pub fn set_str(self, vm: &mut VmState, key: Gc<Str>, v: Value) {
        self.set_str_as(vm, key, v, false);
    }

    /// Stores under an integer key, without metamethods.
    #[inline]
    pub fn set_int(self, vm: &mut VmState, i: i64, v: Value) {
        let at = (i as u64).wrapping_sub(1);
        let len = u64::from(self.len);
        if at < len {
            self.set_elem(vm, at as usize, v);
        } else if at == len && len < MAX_ELEMS as u64 {
            if !v.is_nil() {
                if let Some(ext) = self.ext() {
                    ext.take(Value::int(i));
                    self.push_elem(vm, v);
                    self.migrate(vm);
                } else {
                    self.push_elem(vm, v);
                }
            }
        } else if !(v.is_nil() && self.ext.is_null()) {
            self.hash_insert(vm, Value::int(i), v);
        }
    }

    /// `rawset(t, key, v)`
    ///
    /// # Errors
    /// A nil or NaN key cannot be stored under.
    pub fn set(self, vm: &mut VmState, key: Value, v: Value) -> Result<(), KeyError> {
        match key.tag {
            Tag::STR => self.set_str_as(vm, Gc::from_payload(key.payload), v, true),
            Tag::INT => self.set_int(vm, key.payload as i64, v),
            Tag::NIL => return Err(KeyError::Nil),
            _ => match normalize(key) {
                Value {
                    tag: Tag::INT,
                    payload,
                } => self.set_int(vm, payload as i64, v),
                k if k.as_float().is_some_and(f64::is_nan) => return Err(KeyError::Nan),
                k => self.hash_insert(vm, k, v),
            },
        }
        Ok(())
    }

    /// A border: `#t` without metamethods. O(1).
    #[inline]
    #[must_use]
    pub fn border(self) -> i64 {
        i64::from(self.len)
    }

    /// Fills elements `first..` from `values`, nils included: a constructor's
    /// positional part.
    pub fn set_list(self, vm: &mut VmState, first: usize, values: &[Value]) {
        if first == self.len as usize + 1 {
            self.reserve_elems(vm, self.len as usize + values.len());
            for &v in values {
                self.push_elem_raw(vm, v);
            }
            let mut n = self.len as usize;
            while n > 0 && self.elem(n - 1).is_nil() {
                n -= 1;
            }
            self.set_len(n);
            if !self.ext.is_null() {
                self.migrate(vm);
            }
        } else {
            for (i, &v) in values.iter().enumerate() {
                self.set_int(vm, (first + i) as i64, v);
            }
        }
    }

    /// The entry after `key` in iteration order (elements, slots, hash part);
    /// nil starts, `None` ends. Assigning nil to visited fields is allowed
    /// meanwhile.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] if `key` is not in the table.
    pub fn next(self, key: Value) -> Result<Option<(Value, Value)>, KeyError> {
        let mut no_hint = u32::MAX;
        self.next_hinted(key, &mut no_hint)
    }

    /// As [`Gc::<Table>::next`]; `hint` is the position of `key` if the caller
    /// just got it from this function (any number otherwise), and becomes the
    /// position of the key returned.
    ///
    /// # Errors
    /// As [`Gc::<Table>::next`].
    pub fn next_hinted(
        self,
        key: Value,
        hint: &mut u32,
    ) -> Result<Option<(Value, Value)>, KeyError> {
        let key = normalize(key);
        let nslots = self.shape().nslots as usize;
        // Position in the concatenation of elements, slots and hash nodes.
        let (mut elem, mut slot, mut node) = (self.len as usize, 0, 0);
        let at = *hint as usize;
        match key.tag {
            Tag::NIL => elem = 0,
            Tag::INT
                if (key.payload as i64) >= 1 && (key.payload as i64) <= i64::from(self.cap) =>
            {
                elem = key.payload as usize;
                if elem > self.len as usize {
                    // Popped while iterating, or never in the elements.
                    if let Some(i) = self.ext().and_then(|e| e.find(key)) {
                        slot = nslots;
                        node = i + 1;
                    }
                }
            }
            Tag::STR if !self.shape().is_dict() => {
                let s: Gc<Str> = Gc::from_payload(key.payload);
                slot = if self.shape().keys.get(at) == Some(&s) {
                    at + 1
                } else {
                    0
                };
                if slot == 0 {
                    slot = self.shape().lookup(s).ok_or(KeyError::NotFound)? + 1;
                }
            }
            _ => {
                slot = nslots;
                let ext = self.ext().ok_or(KeyError::NotFound)?;
                node = match ext.nodes.get(at) {
                    Some(n) if n.key.identical(key) => at + 1,
                    _ => ext.find(key).ok_or(KeyError::NotFound)? + 1,
                };
            }
        }
        while elem < self.len as usize {
            let v = self.elem(elem);
            elem += 1;
            if !v.is_nil() {
                return Ok(Some((Value::int(elem as i64), v)));
            }
        }
        while slot < nslots {
            let v = self.slot(slot);
            if !v.is_nil() {
                *hint = slot as u32;
                return Ok(Some((Value::str(self.shape().keys[slot]), v)));
            }
            slot += 1;
        }
        if let Some(ext) = self.ext() {
            while node < ext.nodes.len() {
                let n = ext.nodes[node];
                if !n.val.is_nil() {
                    *hint = node as u32;
                    return Ok(Some((n.key, n.val)));
                }
                node += 1;
            }
        }
        Ok(None)
    }

    // ---- collector ---------------------------------------------------

    /// Calls `f` with every value the table refers to, keys included (the
    /// shape and its metatable are roots of their own).
    pub(crate) fn trace(self, mut f: impl FnMut(Value)) {
        let kind = self.header.aux;
        if kind == ELEMS_MIXED || Tag(kind).is_object() {
            for i in 0..self.len as usize {
                f(self.elem(i));
            }
        }
        for i in 0..self.shape().nslots as usize {
            f(self.slot(i));
        }
        if let Some(ext) = self.ext() {
            ext.for_each(|k, v| {
                f(k);
                f(v);
            });
            if !ext.metatable.is_null() {
                // SAFETY: the table's own metatable is alive.
                f(Value::table(unsafe { Gc::from_ptr(ext.metatable) }));
            }
        }
    }

    /// Frees what the table owns outside its heap cell.
    pub(crate) fn finalize(self) {
        let shape = self.shape();
        let (n, ic) = (shape.nslots as usize, shape.inline_cap as usize);
        if n > ic {
            self.free_slots(n - ic);
        }
        if self.cap != 0 {
            // SAFETY: allocated by `reserve_elems` with this layout.
            unsafe { dealloc(self.elems.cast(), elems_layout(self.cap as usize)) };
        }
        if !self.ext.is_null() {
            // SAFETY: allocated by `ext_or_new`, freed once.
            drop(unsafe { Box::from_raw(self.ext) });
        }
    }

    /// Bytes the table uses outside its heap cell.
    pub(crate) fn external_bytes(self) -> usize {
        let shape = self.shape();
        let (n, ic) = (shape.nslots as usize, shape.inline_cap as usize);
        let slots = if n > ic {
            slots_layout(out_of_line_cap(n - ic)).size()
        } else {
            0
        };
        slots + self.cap as usize * 9 + self.ext().map_or(0, |e| e.bytes())
    }

    /// Lattice cell of a field, for tests and the optimizer's snapshots.
    #[must_use]
    pub fn field_info(self, key: Gc<Str>) -> Option<*mut FieldInfo> {
        let shape = self.shape();
        shape.lookup(key).map(|i| shape.field(i))
    }
}
