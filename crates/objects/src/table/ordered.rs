//! Maps that keep their keys in the order of insertion.
//!
//! Entries are a dense array in that order; beside it, in the same block, is
//! the first entry of each chain of equal hashes (the layout of CPython's
//! dictionaries since 3.6, after Hettinger); small maps are searched without. So the order of a traversal is a
//! matter of what the program did to the table, never of addresses, hashes or
//! capacities. Appending moves nothing, and growing looks at no key's object.
//!
//! An entry whose value is nil is **dead**: its key keeps its place until the
//! map is packed, so that iteration goes on from keys that were just removed.

use crate::value::{Tag, Value};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Fewest entries that a map has room for.
const MIN_CAP: usize = 4;

/// Most entries that are searched one by one, without chains.
const LINEAR: usize = 8;

/// End of a chain.
const END: u32 = u32::MAX;

/// Tag of the key of a forgotten entry, that of no value: the key went to
/// another part of the table (it is never in both places, which iteration
/// relies on), or was a dead string that nothing else referred to.
const MOVED: Tag = Tag(0xee);

#[derive(Clone, Copy)]
#[repr(C)]
struct Entry {
    key: u64,
    val: u64,
    key_tag: Tag,
    val_tag: Tag,
    /// The next entry of the chain.
    next: u32,
}

impl Entry {
    fn key(&self) -> Value {
        Value {
            payload: self.key,
            tag: self.key_tag,
        }
    }

    fn val(&self) -> Value {
        Value {
            payload: self.val,
            tag: self.val_tag,
        }
    }

    fn is_dead(&self) -> bool {
        self.val_tag == Tag::NIL
    }
}

/// See the module. Keys are compared by identity.
pub(super) struct OrderedMap {
    /// `cap` entries, then the heads of [`heads_of`]`(cap)` chains; dangling if
    /// `cap` is 0.
    block: NonNull<Entry>,
    /// 0 or a power of two.
    cap: u32,
    /// Entries in use, dead ones included.
    used: u32,
}

fn hash(key: Value) -> usize {
    let bits = match key.tag {
        // Strings are interned, so that theirs is the address, too.
        t if t.is_object() => key.payload >> 4,
        t => key.payload ^ u64::from(t.0) << 56,
    };
    // The product carries low bits upwards only, and those of floats with few
    // digits are all zero.
    let m = (bits ^ (bits >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (m ^ (m >> 32)) as usize
}

/// Number of chains in a map of this capacity.
fn heads_of(cap: usize) -> usize {
    if cap <= LINEAR { 0 } else { cap }
}

fn layout(cap: usize) -> Layout {
    let bytes = cap * size_of::<Entry>() + heads_of(cap) * size_of::<u32>();
    Layout::from_size_align(bytes, align_of::<Entry>()).expect("table sizes are bounded")
}

impl OrderedMap {
    /// A map without entries, which owns nothing.
    pub(super) const EMPTY: OrderedMap = OrderedMap {
        block: NonNull::dangling(),
        cap: 0,
        used: 0,
    };

    /// A map with room for at least `n` entries.
    fn with_room(n: usize) -> Self {
        let cap = n.next_power_of_two().max(MIN_CAP);
        let layout = layout(cap);
        // SAFETY: the layout has a size.
        let block = unsafe { alloc(layout) };
        let Some(block) = NonNull::new(block.cast::<Entry>()) else {
            handle_alloc_error(layout)
        };
        let map = OrderedMap {
            block,
            cap: u32::try_from(cap).expect("table sizes are bounded"),
            used: 0,
        };
        // SAFETY: the heads follow the entries; all bits set is `END`.
        unsafe { std::ptr::write_bytes(map.heads(), 0xff, heads_of(cap)) };
        map
    }

    fn heads(&self) -> *mut u32 {
        // SAFETY: inside the block, or its end.
        unsafe { self.block.as_ptr().add(self.cap as usize).cast() }
    }

    fn entries(&self) -> &[Entry] {
        // SAFETY: entries in use are initialised.
        unsafe { std::slice::from_raw_parts(self.block.as_ptr(), self.used as usize) }
    }

    fn entry_mut(&mut self, i: usize) -> &mut Entry {
        assert!(i < self.used as usize);
        // SAFETY: in use.
        unsafe { &mut *self.block.as_ptr().add(i) }
    }

    /// Entries in use, dead ones included.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.used as usize
    }

    /// Whether there is no room for one more entry.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.used == self.cap
    }

    /// The entry of a key, its value nil included.
    #[inline]
    pub(super) fn find(&self, key: Value) -> Option<usize> {
        if self.cap as usize <= LINEAR {
            let is_key = |e: &Entry| e.key == key.payload && e.key_tag == key.tag;
            return self.entries().iter().position(is_key);
        }
        // SAFETY: masked to the number of heads; chains link entries in use.
        unsafe {
            let mut i = *self.heads().add(hash(key) & (self.cap as usize - 1));
            while i != END {
                let e = &*self.block.as_ptr().add(i as usize);
                if e.key == key.payload && e.key_tag == key.tag {
                    return Some(i as usize);
                }
                i = e.next;
            }
        }
        None
    }

    /// The value of a key, nil if it has none.
    #[inline]
    pub(super) fn get(&self, key: Value) -> Value {
        self.find(key)
            .map_or(Value::NIL, |i| self.entries()[i].val())
    }

    /// Key and value of entry `i`, `None` past the last one.
    #[inline]
    pub(super) fn entry(&self, i: usize) -> Option<(Value, Value)> {
        self.entries().get(i).map(|e| (e.key(), e.val()))
    }

    /// Key and value of the entries that are not dead.
    pub(super) fn live(&self) -> impl Iterator<Item = (Value, Value)> {
        let live = self.entries().iter().filter(|e| !e.is_dead());
        live.map(|e| (e.key(), e.val()))
    }

    /// Gives entry `i` a value; nil makes it dead.
    pub(super) fn set(&mut self, i: usize, val: Value) {
        let e = self.entry_mut(i);
        e.val = val.payload;
        e.val_tag = val.tag;
    }

    /// Appends a key that is absent. There is room.
    pub(super) fn push(&mut self, key: Value, val: Value) {
        assert!(!self.is_full());
        let mut entry = Entry {
            key: key.payload,
            val: val.payload,
            key_tag: key.tag,
            val_tag: val.tag,
            next: END,
        };
        // SAFETY: masked to the number of heads; the entry is inside the block.
        unsafe {
            if self.cap as usize > LINEAR {
                let head = self.heads().add(hash(key) & (self.cap as usize - 1));
                entry.next = *head;
                *head = self.used;
            }
            self.block.as_ptr().add(self.used as usize).write(entry);
        }
        self.used += 1;
    }

    /// Removes a key that goes to another part of the table; its value if it
    /// had one.
    pub(super) fn take(&mut self, key: Value) -> Value {
        let Some(i) = self.find(key) else {
            return Value::NIL;
        };
        let val = self.entries()[i].val();
        self.forget(i);
        val
    }

    /// Forgets the key of entry `i`, which keeps its place.
    pub(super) fn forget(&mut self, i: usize) {
        let e = self.entry_mut(i);
        (e.key, e.key_tag) = (0, MOVED);
        (e.val, e.val_tag) = (0, Tag::NIL);
    }

    /// Makes room for `n` entries, keeping the dead ones and every index.
    pub(super) fn reserve(&mut self, n: usize) {
        if n > self.cap as usize {
            let old = std::mem::replace(self, OrderedMap::with_room(n));
            for e in old.entries() {
                self.push(e.key(), e.val());
            }
        }
    }

    /// Forgets the dead entries and has room for at least `n`.
    pub(super) fn pack(&mut self, n: usize) {
        let old = std::mem::replace(self, OrderedMap::with_room(n));
        for (k, v) in old.live() {
            self.push(k, v);
        }
    }

    /// Bytes of the block.
    pub(super) fn bytes(&self) -> usize {
        layout(self.cap as usize).size()
    }
}

impl Drop for OrderedMap {
    fn drop(&mut self) {
        if self.cap != 0 {
            // SAFETY: allocated with this layout in `with_room`.
            unsafe { dealloc(self.block.as_ptr().cast(), layout(self.cap as usize)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OrderedMap;
    use crate::value::Value;

    fn keys(map: &OrderedMap) -> Vec<i64> {
        map.live().filter_map(|(k, _)| k.as_int()).collect()
    }

    #[test]
    fn keys_stay_in_the_order_of_insertion() {
        let mut map = OrderedMap::EMPTY;
        let order: Vec<i64> = (0..100).map(|i| i * 37 % 101).collect();
        for &k in &order {
            if map.is_full() {
                map.reserve(map.len() + 1);
            }
            map.push(Value::int(k), Value::TRUE);
        }
        assert_eq!(keys(&map), order);
        assert!(order.iter().all(|&k| map.find(Value::int(k)).is_some()));
        assert!(map.find(Value::int(1000)).is_none());
    }

    #[test]
    fn keys_with_few_bits_are_spread() {
        let halves = |i: i64| Value::float(i as f64 + 0.5);
        let steps = |i: i64| Value::int(i << 40);
        for key in [&halves as &dyn Fn(i64) -> Value, &steps, &Value::int] {
            let mut chains: Vec<usize> = (0..1000).map(|i| super::hash(key(i)) & 1023).collect();
            chains.sort_unstable();
            chains.dedup();
            assert!(chains.len() > 500, "{} chains", chains.len());
        }
    }

    #[test]
    fn dead_keys_keep_their_place_until_packed() {
        let mut map = OrderedMap::EMPTY;
        map.reserve(4);
        for k in 1..=4 {
            map.push(Value::int(k), Value::TRUE);
        }
        let second = map.find(Value::int(2)).expect("is there");
        map.set(second, Value::NIL);
        assert_eq!((keys(&map), map.len()), (vec![1, 3, 4], 4));
        map.set(second, Value::FALSE);
        assert_eq!(keys(&map), [1, 2, 3, 4]);
        map.set(second, Value::NIL);
        map.pack(4);
        assert_eq!((map.find(Value::int(2)), map.len()), (None, 3));
        map.push(Value::int(2), Value::TRUE);
        assert_eq!(keys(&map), [1, 3, 4, 2]);
    }

    #[test]
    fn moved_keys_are_found_no_more() {
        let mut map = OrderedMap::EMPTY;
        map.reserve(4);
        for k in 1..=4 {
            map.push(Value::int(k), Value::int(10 * k));
        }
        assert!(map.take(Value::int(3)).identical(Value::int(30)));
        assert!(map.take(Value::int(3)).is_nil() && map.find(Value::int(3)).is_none());
        assert_eq!(keys(&map), [1, 2, 4]);
        assert!(map.get(Value::int(4)).identical(Value::int(40)));
    }
}
