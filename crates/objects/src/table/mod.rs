//! Tables: shape-described fields, typed elements, and a hash part.
//!
//! | keys | where |
//! |---|---|
//! | strings, while the shape is not a dictionary | slots: inline behind the object, then out of line |
//! | integers `1..=len` | elements: payloads, plus tags when kinds are mixed |
//! | everything else | the hash part, in [`TableExt`] |
//!
//! A traversal gives the integers `1..=len` in their order, then the strings,
//! then all other keys, both in the order in which they were first stored;
//! where the strings are does not matter ([`hash`]).
//!
//! **Slots.** Slot `i < inline_cap` has its payload at
//! `TABLE_SIZE + 8*i` and its tag at `TABLE_SIZE + 8*inline_cap + i`. Slot
//! `inline_cap + j` has its payload at `slots + 8*j` and its tag at
//! `slots - 1 - j`, so neither address needs the capacity.
//!
//! **Elements.** `cap` payloads, then room for `cap` tags. While
//! `header.aux` (the elements kind) is a tag, every element has that tag and
//! the tag bytes are unused; at [`ELEMS_MIXED`] they are current. Widening
//! fills the tags in place. At [`ELEMS_BOOL`] it is the payloads that are
//! unused, and the bytes are the elements, 0 or 1: a sieve then fits in the
//! near cache. The last element is never nil, and the hash part never holds
//! the key `len + 1`, so `#t` is `len`. Where the blocks of elements and
//! out-of-line slots are: [`storage`].

mod elements;
mod hash;
mod iterate;
mod ordered;
mod slots;
mod storage;
mod trace;

pub use elements::{elem_byte, store_elem};
pub use hash::TableExt;
pub use slots::out_of_line_cap;
pub use storage::{InlineElems, table_room};

use crate::gcref::Gc;
use crate::meta::Event;
use crate::object::Header;
use crate::object::header_flags::BEYOND;
use crate::shape::{
    CLASS, DICT, FieldInfo, FieldKind, META, NO_SLOT, OBJECT_META, SINGLETON, Shape,
};
use crate::string::Str;
use crate::value::{Tag, Value, float_to_int};
use crate::vm::VmState;

/// Elements kind: tags vary and are stored.
pub const ELEMS_MIXED: u8 = 0xff;
/// Elements kind: all are booleans, and in the place of the tags.
pub const ELEMS_BOOL: u8 = Tag::BOOL.0;
/// Elements kind: there are no elements yet.
pub const ELEMS_NONE: u8 = 0xfe;

/// Bytes of a table before its inline slots.
pub const TABLE_SIZE: usize = 48;

/// Longest computed string key that becomes a field of a shape.
const MAX_SHAPE_KEY: usize = 40;

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

/// Bytes of a table object with this inline capacity.
#[must_use]
pub fn table_bytes(inline_cap: usize) -> usize {
    TABLE_SIZE + inline_cap * 9
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

    fn ext_or_new<'a>(self, vm: &mut VmState) -> &'a mut TableExt {
        if self.ext.is_null() {
            // SAFETY: single writer.
            unsafe { (*self.as_ptr()).ext = Box::into_raw(Box::new(TableExt::new())) };
            self.set_owns();
            vm.heap.add_debt(std::mem::size_of::<TableExt>());
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
        } else if shape.hidden != NO_SLOT {
            return self.slot(shape.hidden as usize).as_table();
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
        if let Some(mt) = mt {
            vm.barrier_ref(mt);
            vm.note_finalizer(Value::table(self), mt);
        }
        if self.set_own_metatable(vm, mt) {
            return;
        }
        // SAFETY: single writer; the shape pointer stays valid.
        unsafe {
            let t = self.as_ptr();
            if (*(*t).shape).is_singleton() {
                if (*(*t).shape).flags & META != 0 {
                    vm.bump_meta_epoch();
                }
                let left = (*t).shape;
                (*t).shape = vm.shapes.singleton(left, ptr);
                vm.shape_left(left);
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
                self.ext_or_new(vm).metatable = ptr;
                self.note_beyond();
            }
        }
    }

    /// Keeps the metatable in the hidden slot, if it is one of the object's own
    /// or one is there already; false if that is not the way.
    fn set_own_metatable(self, vm: &mut VmState, mt: Option<Gc<Table>>) -> bool {
        let class = mt.and_then(|mt| mt.sole_index(vm).filter(|&c| c != mt));
        let hidden = match self.shape() {
            s if s.flags & OBJECT_META != 0 => s.hidden,
            _ => NO_SLOT,
        };
        if class.is_none() && hidden == NO_SLOT {
            return false;
        }
        let sentinel = vm.globals.as_ptr();
        let class = class.map_or(std::ptr::null_mut(), Gc::as_ptr);
        let key = vm.metatable_key;
        let v = mt.map_or(Value::NIL, Value::table);
        match vm.shapes.with_class(self.shape, class, sentinel, key) {
            None if hidden == NO_SLOT => return false,
            // The shape says nothing of the metatable as it is.
            None if self.shape().flags & CLASS == 0 => {}
            None => {
                let class = self.shape().metatable;
                vm.bump_meta_epoch();
                vm.shapes.forget_class(class, sentinel);
            }
            // SAFETY: the successor by the hidden slot.
            Some(next) if hidden == NO_SLOT => unsafe {
                self.add_slot(vm, next, v);
                return true;
            },
            // SAFETY: single writer; the same slots.
            Some(next) => unsafe { (*self.as_ptr()).shape = next },
        }
        if self.shape().flags & META != 0 {
            vm.bump_meta_epoch();
        }
        self.set_slot(vm, hidden as usize, v);
        true
    }

    /// What `__index` is, if that is a table and the only key.
    pub(crate) fn sole_index(self, vm: &VmState) -> Option<Gc<Table>> {
        let shape = self.shape();
        let sole = shape.nslots == 1
            && shape.flags & (DICT | OBJECT_META) == 0
            && shape.keys[0] == vm.event_keys[Event::Index as usize];
        if sole { self.slot(0).as_table() } else { None }
    }

    /// Notes that the table is a metatable or an `__index` target. No cache
    /// goes through a table before it is marked, so the epoch stays.
    pub fn mark_meta(self, vm: &mut VmState) {
        if self.shape().flags & META == 0 {
            let left = self.shape;
            // SAFETY: single writer; the variant has the same layout.
            unsafe { (*self.as_ptr()).shape = vm.shapes.meta_variant(left) };
            vm.shape_left(left);
        }
    }

    /// Gives the table a shape of its own that grows in place; for tables
    /// with a unique role (`_ENV`, modules, classes).
    pub fn make_singleton(self, vm: &mut VmState) {
        let own = self.shape().flags & OBJECT_META != 0 && self.shape().hidden == NO_SLOT;
        if self.shape().flags & (SINGLETON | DICT) != 0 || own {
            return;
        }
        let metatable = self.metatable().map_or(std::ptr::null_mut(), Gc::as_ptr);
        let s = vm.shapes.singleton(self.shape, metatable);
        for i in 0..self.shape().nslots as usize {
            let v = self.slot(i);
            let shared = self.shape().field_info(i).kind;
            let role = matches!(v.tag, Tag::TABLE | Tag::LUA_FN | Tag::NATIVE_FN);
            // SAFETY: the cell belongs to the new shape.
            unsafe {
                let own = (*s).field(i);
                (*own).widen(v);
                if !role && shared != FieldKind::CONST && (*own).kind == FieldKind::CONST {
                    // What other tables vary is no constant here.
                    (*own).kind = shared;
                }
            }
        }
        let fields = self.shape().fields.clone();
        // SAFETY: single writer; same layout.
        unsafe { (*self.as_ptr()).shape = s };
        // Stores to this table do not reach the shared cells any more.
        for field in fields {
            // SAFETY: lattice cells live as long as the VM.
            if unsafe { (*field).watched } {
                // SAFETY: as above.
                (vm.hooks.field_widened)(vm, unsafe { &*field });
            }
        }
    }

    /// The cell that is widened when the table leaves its shape, which is made
    /// one of its own; `None` if the shape does not hold the fields.
    pub fn watch_shape<'a>(self, vm: &mut VmState) -> Option<&'a FieldInfo> {
        self.make_singleton(vm);
        if !self.shape().is_singleton() {
            return None;
        }
        if self.shape().stays.is_null() {
            let fact = vm.shapes.alloc_fact();
            // SAFETY: the table's own shape; single writer.
            unsafe { (*self.shape).stays = fact };
        }
        // SAFETY: cells live as long as the VM.
        Some(unsafe { &*self.shape().stays })
    }

    /// The cell that is widened when the table gets a key that it lacks now, or
    /// leaves its shape; as [`Gc::watch_shape`].
    pub fn watch_absence<'a>(self, vm: &mut VmState) -> Option<&'a FieldInfo> {
        self.watch_shape(vm)?;
        if self.shape().lacks.is_null() {
            let fact = vm.shapes.alloc_fact();
            // SAFETY: the table's own shape; single writer.
            unsafe { (*self.shape).lacks = fact };
        }
        // SAFETY: cells live as long as the VM.
        Some(unsafe { &*self.shape().lacks })
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
    /// [`Shapes::add_field`](crate::shape::Shapes::add_field). A name in the
    /// source gets its place in the order of keys also by a store of nil, as a
    /// constructor's `self.next = nil` has to give the shape that
    /// `self.next = other` gives.
    pub fn set_str_as(self, vm: &mut VmState, key: Gc<Str>, v: Value, dynamic: bool) {
        if self.shape().is_dict() {
            if self.shape().flags & META != 0 {
                vm.meta_key_changed(self);
            }
            self.name_insert(vm, key, v, !dynamic);
            return;
        }
        if let Some(i) = self.shape().lookup(key) {
            self.set_slot(vm, i, v);
            return;
        }
        if v.is_nil() && dynamic {
            return;
        }
        // The shape gets the key.
        vm.barrier_ref(key);
        if dynamic && key.len() > MAX_SHAPE_KEY && !self.shape().is_singleton() {
            // Shapes keep their keys.
            self.make_dict(vm);
            self.name_insert(vm, key, v, !dynamic);
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
            self.pack_slots(vm);
            let (ic, n) = (
                self.shape().inline_cap as usize,
                self.shape().nslots as usize,
            );
            // A map that was taken for a module.
            let is_map = dynamic && n >= 256 && self != vm.globals;
            if n < 60_000 && !is_map {
                self.grow_slots(vm, ic, n);
                let i = vm.shapes.grow_singleton(self.shape, key);
                vm.shape_grew(self.shape);
                vm.widen_field(self.shape().field(i), v);
                self.write_slot(i, v);
                vm.barrier(v);
                return;
            }
        } else {
            // SAFETY: the table's own shape, which is a tree shape here.
            let next = unsafe { vm.shapes.add_field(self.shape, key, dynamic) };
            if let Some(next) = next {
                if dynamic {
                    // SAFETY: single writer.
                    unsafe { (*self.as_ptr()).header.extra = 0 };
                }
                // SAFETY: the successor by this field.
                unsafe { self.add_slot(vm, next, v) };
                return;
            }
        }
        self.make_dict(vm);
        self.name_insert(vm, key, v, !dynamic);
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
                let beyond = self.header.flags & BEYOND != 0;
                if let Some(ext) = self.ext().filter(|_| beyond) {
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

    /// Lattice cell of a field, for tests and the optimizer's snapshots.
    #[must_use]
    pub fn field_info(self, key: Gc<Str>) -> Option<*mut FieldInfo> {
        let shape = self.shape();
        shape.lookup(key).map(|i| shape.field(i))
    }
}
