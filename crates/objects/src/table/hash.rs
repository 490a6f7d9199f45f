//! The hash part: keys that are neither elements nor fields of the shape.
//!
//! The string keys of a dictionary and all other keys are in two maps, each in
//! the order of insertion ([`ordered`](super::ordered)). A traversal gives
//! elements, strings, others, so its order does not tell whether the strings
//! are fields of a shape or here, which depends on the shapes that there are.
//! For the same reason all forms agree on what becomes of the place of a key
//! whose value is nil: it stays, until as many string keys as a power of two
//! from [`MIN_PACKED`] on are there, a share of them nil
//! ([`packs`]), and one more is to come.
//!
//! Dead strings are traced, so that no other string gets their address; those
//! of weak tables are not, but forgotten when they are gone. Other dead keys
//! are not traced either: such a key may be the address of an object that is
//! gone, and is only ever compared.

use super::ordered::OrderedMap;
use super::{MAX_ELEMS, Table};
use crate::gcref::Gc;
use crate::heap::Heap;
use crate::object::Header;
use crate::object::header_flags::BEYOND;
use crate::shape::MAX_FIELDS;
use crate::string::Str;
use crate::value::{Tag, Value};
use crate::vm::VmState;

/// The rarely used part of a table.
pub struct TableExt {
    /// String keys, if the shape is a dictionary.
    names: OrderedMap,
    /// All keys that are neither strings nor elements.
    others: OrderedMap,
    /// Positive integers among them, dead ones included.
    ints: u32,
    /// Metatable of shapes with [`OBJECT_META`](crate::shape::OBJECT_META).
    pub(crate) metatable: *mut Table,
}

/// Fewest string keys that are packed: what a shape that is no singleton has
/// at most, as its fields cannot be.
const MIN_PACKED: usize = MAX_FIELDS;

/// Whether `n` string keys, with one more to come, are packed, as `dead` of
/// them have no value.
pub(super) fn packs(n: usize, dead: impl FnOnce() -> usize) -> bool {
    n >= MIN_PACKED && n.is_power_of_two() && dead() * 8 >= n
}

/// Whether the key may become one of an element.
fn is_positive(key: Value) -> bool {
    key.tag == Tag::INT && key.payload as i64 > 0
}

impl TableExt {
    pub(super) fn new() -> Self {
        TableExt {
            names: OrderedMap::EMPTY,
            others: OrderedMap::EMPTY,
            ints: 0,
            metatable: std::ptr::null_mut(),
        }
    }

    fn map(&self, key: Value) -> &OrderedMap {
        if key.tag == Tag::STR {
            &self.names
        } else {
            &self.others
        }
    }

    /// The position of a key, its value nil included.
    #[inline]
    pub(super) fn find(&self, key: Value) -> Option<usize> {
        if key.tag == Tag::STR {
            return self.names.find(key);
        }
        Some(self.names.len() + self.others.find(key)?)
    }

    /// Key and value at a position, `None` past the last one.
    #[inline]
    pub(super) fn node(&self, i: usize) -> Option<(Value, Value)> {
        let names = self.names.len();
        if i < names {
            return self.names.entry(i);
        }
        self.others.entry(i - names)
    }

    /// Number of positions.
    pub(super) fn node_count(&self) -> usize {
        self.names.len() + self.others.len()
    }

    /// Makes the entry at a position nil; its key becomes a dead one.
    pub(super) fn clear_node(&mut self, i: usize) {
        let names = self.names.len();
        if i < names {
            self.names.set(i, Value::NIL);
        } else {
            self.others.set(i - names, Value::NIL);
        }
    }

    /// Forgets the dead string keys that are not marked.
    pub(super) fn forget_unmarked_names(&mut self, heap: &Heap) {
        for i in 0..self.names.len() {
            if let Some((k, v)) = self.names.entry(i)
                && k.tag == Tag::STR
                && v.is_nil()
                && !heap.is_marked(k.payload as *const Header)
            {
                self.names.forget(i);
            }
        }
    }

    /// Removes a key that moves to the elements; its value if it had one.
    pub(super) fn take(&mut self, key: Value) -> Value {
        let there = self.ints > 0 && is_positive(key) && self.others.find(key).is_some();
        self.ints -= u32::from(there);
        self.others.take(key)
    }

    /// Appends a key that is absent and no string. There is room.
    fn push_other(&mut self, key: Value, v: Value) {
        self.ints += u32::from(is_positive(key));
        self.others.push(key, v);
    }

    /// Bytes outside the object, for GC accounting.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.maps_bytes()
    }

    fn maps_bytes(&self) -> usize {
        self.names.bytes() + self.others.bytes()
    }
}

impl Gc<Table> {
    #[inline]
    pub(super) fn hash_get(self, key: Value) -> Value {
        self.ext().map_or(Value::NIL, |ext| ext.map(key).get(key))
    }

    /// Stores under a string key of a dictionary; `declare` says that a key
    /// without value gets a place, too.
    pub(super) fn name_insert(self, vm: &mut VmState, key: Gc<Str>, v: Value, declare: bool) {
        let ext = self.ext_or_new(vm);
        let k = Value::str(key);
        if let Some(i) = ext.names.find(k) {
            // The key may have been dead.
            ext.names.set(i, v);
        } else if v.is_nil() && !declare {
            return;
        } else {
            if ext.names.is_full() {
                let before = ext.maps_bytes();
                let (n, names) = (ext.names.len(), &mut ext.names);
                let live = names.live().count();
                if packs(n, || n - live) {
                    names.pack(live + 1);
                    vm.retrace(self);
                } else {
                    names.reserve(n + 1);
                }
                vm.heap.external_resized(before, ext.maps_bytes());
            }
            ext.names.push(k, v);
        }
        vm.barrier(k);
        vm.barrier(v);
    }

    /// Makes the fields of what was a shape, with their values in order, the
    /// string keys of a dictionary.
    pub(super) fn adopt_names(self, vm: &mut VmState, fields: &[(Gc<Str>, Value)]) {
        let ext = self.ext_or_new(vm);
        let before = ext.maps_bytes();
        ext.names.reserve(fields.len());
        for &(key, v) in fields {
            ext.names.push(Value::str(key), v);
        }
        vm.heap.external_resized(before, ext.maps_bytes());
        vm.retrace(self);
    }

    /// Stores under a key that is no string, and no element.
    pub(super) fn hash_insert(self, vm: &mut VmState, key: Value, v: Value) {
        let ext = match self.ext() {
            Some(ext) => ext,
            None if v.is_nil() => return,
            None => self.ext_or_new(vm),
        };
        if let Some(i) = ext.others.find(key) {
            // The key may have been dead.
            ext.others.set(i, v);
        } else if v.is_nil() {
            return;
        } else if ext.others.is_full() {
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
            self.ext_or_new(vm).push_other(key, v);
        } else {
            ext.push_other(key, v);
        }
        self.note_beyond();
        vm.barrier(key);
        vm.barrier(v);
    }

    /// Makes room in the hash part for one more key, `extra`, that is no
    /// string, moving integer keys to the elements where more than half of the
    /// range `1..=n` is in use (the rule of PUC Lua's `rehash`).
    fn rehash(self, vm: &mut VmState, extra: Value) {
        let ext = self.ext_or_new(vm);
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
        for (k, _) in ext.others.live() {
            count(&mut nums, k);
        }
        count(&mut nums, extra);
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
        let ext = self.ext_or_new(vm);
        let before = ext.maps_bytes();
        let (full, live) = (ext.others.len(), ext.others.live().count());
        let mut room = live + 1;
        if room.next_power_of_two() == full && room > full / 8 * 7 {
            // Entries come and go; filling up right again would be slow.
            room = full + 1;
        }
        ext.others.pack(room);
        ext.ints = ext.others.live().filter(|e| is_positive(e.0)).count() as u32;
        let after = ext.maps_bytes();
        vm.heap.external_resized(before, after);
        vm.retrace(self);
    }

    /// Moves the integer keys `len+1 ..= size` from the hash part to the
    /// elements, with nil for the missing ones, so that `extra` (about to be
    /// stored) lands in or right behind the elements.
    fn extend_elems(self, vm: &mut VmState, size: usize, extra: Value) {
        let ext = self.ext_or_new(vm);
        let start = self.len as usize;
        let extra_at = extra
            .as_int()
            .and_then(|i| usize::try_from(i).ok())
            .unwrap_or(0);
        let mut last = start;
        for k in start + 1..=size {
            if k == extra_at || !ext.others.get(Value::int(k as i64)).is_nil() {
                last = k;
            }
        }
        self.reserve_elems(vm, size);
        for k in start + 1..=last {
            let ext = self.ext_or_new(vm);
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

    /// Moves key `len + 1` and its successors from the hash part to the
    /// elements.
    pub(super) fn migrate(self, vm: &mut VmState) {
        loop {
            let key = Value::int(i64::from(self.len) + 1);
            let Some(ext) = self.ext() else { return };
            let v = ext.take(key);
            if v.is_nil() {
                break;
            }
            self.push_elem(vm, v);
        }
        self.note_beyond();
    }

    /// Brings the header's [`BEYOND`] up to date with the hash part.
    pub(super) fn note_beyond(self) {
        let beyond = self
            .ext()
            .is_some_and(|e| e.ints > 0 || !e.metatable.is_null());
        // SAFETY: single writer.
        unsafe {
            let flags = &mut (*self.as_ptr()).header.flags;
            *flags = (*flags & !BEYOND) | if beyond { BEYOND } else { 0 };
        }
    }
}
