//! The hash part: keys that are neither elements nor fields of the shape.
//!
//! A chained scatter table with Brent's variation, as PUC Lua's (Ierusalimschy
//! et al., "The Implementation of Lua 5.0"): nodes of 24 bytes, all of them
//! usable, and a colliding key is never more than its own chain away.
//!
//! A node whose value is nil is free for a key with this main position, but
//! keeps its key until then, so that iteration goes on from keys that were
//! just removed. Such a **dead key** is not traced: it may be the address of
//! an object that is gone, and is only ever compared.

use super::{MAX_ELEMS, Table};
use crate::gcref::Gc;
use crate::string::Str;
use crate::value::{Tag, Value};
use crate::vm::VmState;

/// The rarely used part of a table.
pub struct TableExt {
    nodes: Box<[Node]>,
    /// No node from here on has never been used.
    last_free: u32,
    /// Metatable of shapes with [`OBJECT_META`](crate::shape::OBJECT_META).
    pub(crate) metatable: *mut Table,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Node {
    key: u64,
    val: u64,
    key_tag: Tag,
    val_tag: Tag,
    /// Distance to the next node of the chain, 0 at its end.
    next: i32,
}

/// Tag of the key of a node whose entry moved to the elements: that of no
/// value. A key is thus never in both places, which iteration relies on.
const MOVED: Tag = Tag(0xee);

const EMPTY_NODE: Node = Node {
    key: 0,
    val: 0,
    key_tag: Tag::NIL,
    val_tag: Tag::NIL,
    next: 0,
};

/// What an insertion did.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inserted {
    NoRoom,
    Placed,
    /// The entry that was in the way is in this node now.
    Moved(usize),
}

impl Node {
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

    fn set(&mut self, key: Value, val: Value) {
        self.key = key.payload;
        self.key_tag = key.tag;
        self.set_val(val);
    }

    fn set_val(&mut self, val: Value) {
        self.val = val.payload;
        self.val_tag = val.tag;
    }

    fn is_empty(&self) -> bool {
        self.val_tag == Tag::NIL
    }
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

impl TableExt {
    pub(super) fn new() -> Self {
        TableExt {
            nodes: Box::new([]),
            last_free: 0,
            metatable: std::ptr::null_mut(),
        }
    }

    /// Where the key's chain begins; there must be nodes.
    #[inline]
    fn main_position(&self, key: Value) -> usize {
        hash_value(key) & (self.nodes.len() - 1)
    }

    /// The node of a key, its value nil included.
    #[inline]
    pub(super) fn find(&self, key: Value) -> Option<usize> {
        if self.nodes.is_empty() {
            return None;
        }
        let mut i = self.main_position(key);
        loop {
            let n = &self.nodes[i];
            if n.key == key.payload && n.key_tag == key.tag {
                return Some(i);
            }
            if n.next == 0 {
                return None;
            }
            i = i.wrapping_add_signed(n.next as isize);
        }
    }

    /// Key and value of node `i`, `None` past the last one.
    pub(super) fn node(&self, i: usize) -> Option<(Value, Value)> {
        self.nodes.get(i).map(|n| (n.key(), n.val()))
    }

    /// Number of nodes.
    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Makes the entry of node `i` nil; its key becomes a dead one.
    pub(super) fn clear_node(&mut self, i: usize) {
        self.nodes[i].set_val(Value::NIL);
    }

    /// Removes a key that moves to the elements; its value if it had one.
    pub(super) fn take(&mut self, key: Value) -> Value {
        match self.find(key) {
            Some(i) => {
                let v = self.nodes[i].val();
                self.nodes[i].set(
                    Value {
                        payload: 0,
                        tag: MOVED,
                    },
                    Value::NIL,
                );
                v
            }
            None => Value::NIL,
        }
    }

    /// A node that was never used.
    fn free_node(&mut self) -> Option<usize> {
        while self.last_free > 0 {
            self.last_free -= 1;
            if self.nodes[self.last_free as usize].key_tag == Tag::NIL {
                return Some(self.last_free as usize);
            }
        }
        None
    }

    /// Inserts a key that is absent, with a value that is not nil.
    fn insert_new(&mut self, key: Value, val: Value) -> Inserted {
        if self.nodes.is_empty() {
            return Inserted::NoRoom;
        }
        let main = self.main_position(key);
        if self.nodes[main].is_empty() {
            // A dead key's place in its chain stays.
            self.nodes[main].set(key, val);
            return Inserted::Placed;
        }
        let Some(free) = self.free_node() else {
            return Inserted::NoRoom;
        };
        let there = self.nodes[main];
        let mut before = self.main_position(there.key());
        if before == main {
            // The new key joins the chain behind its main position.
            let next = match there.next {
                0 => 0,
                n => main as i32 + n - free as i32,
            };
            self.nodes[free].next = next;
            self.nodes[main].next = free as i32 - main as i32;
            self.nodes[free].set(key, val);
            Inserted::Placed
        } else {
            // The other key is here only by collision and gives way.
            loop {
                let next = before.wrapping_add_signed(self.nodes[before].next as isize);
                if next == main {
                    break;
                }
                before = next;
            }
            self.nodes[before].next = free as i32 - before as i32;
            self.nodes[free] = there;
            if there.next != 0 {
                self.nodes[free].next = main as i32 + there.next - free as i32;
            }
            self.nodes[main].next = 0;
            self.nodes[main].set(key, val);
            Inserted::Moved(free)
        }
    }

    fn try_insert(&mut self, key: Value, val: Value) -> Option<Inserted> {
        Some(self.insert_new(key, val)).filter(|&i| i != Inserted::NoRoom)
    }

    fn live(&self) -> usize {
        self.nodes.iter().filter(|n| !n.is_empty()).count()
    }

    /// Makes room for `live` entries, of which those present are kept.
    fn resize(&mut self, live: usize) {
        let before = self.nodes.len();
        let mut cap = live.next_power_of_two();
        if cap == before && live > cap / 8 * 7 {
            // Entries come and go; filling up right again would be slow.
            cap *= 2;
        }
        let old = std::mem::replace(&mut self.nodes, vec![EMPTY_NODE; cap].into_boxed_slice());
        self.last_free = cap as u32;
        for n in old.iter().rev() {
            if !n.is_empty() {
                let placed = self.insert_new(n.key(), n.val());
                debug_assert!(placed != Inserted::NoRoom);
            }
        }
    }

    /// Bytes outside the object, for GC accounting.
    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.nodes_bytes()
    }

    fn nodes_bytes(&self) -> usize {
        std::mem::size_of_val::<[Node]>(&self.nodes)
    }
}

impl Gc<Table> {
    pub(super) fn hash_get(self, key: Value) -> Value {
        match self.ext() {
            Some(ext) => ext.find(key).map_or(Value::NIL, |i| ext.nodes[i].val()),
            None => Value::NIL,
        }
    }

    pub(super) fn hash_insert(self, vm: &mut VmState, key: Value, v: Value) {
        let ext = match self.ext() {
            Some(ext) => ext,
            None if v.is_nil() => return,
            None => self.ext_or_new(vm),
        };
        if let Some(i) = ext.find(key) {
            // The key may have been dead.
            ext.nodes[i].set_val(v);
        } else if v.is_nil() {
            return;
        } else if let Some(placed) = ext.try_insert(key, v) {
            if let Inserted::Moved(i) = placed {
                // Perhaps from a node not traced yet to one that is.
                let n = ext.nodes[i];
                vm.barrier(n.key());
                vm.barrier(n.val());
            }
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
            let placed = self.ext_or_new(vm).insert_new(key, v);
            debug_assert!(placed != Inserted::NoRoom);
            vm.retrace(self);
        }
        vm.barrier(key);
        vm.barrier(v);
    }

    /// Makes room in the hash part for one more key, `extra`, moving integer
    /// keys to the elements where more than half of the range `1..=n` is in
    /// use (the rule of PUC Lua's `rehash`).
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
        for n in &ext.nodes {
            if !n.is_empty() {
                count(&mut nums, n.key());
            }
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
        let before = ext.nodes_bytes();
        ext.resize(ext.live() + 1);
        let after = ext.nodes_bytes();
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
            let here = ext
                .find(Value::int(k as i64))
                .is_some_and(|i| !ext.nodes[i].is_empty());
            if here || k == extra_at {
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
                return;
            }
            self.push_elem(vm, v);
        }
    }
}
