//! What the collector does to tables.

use super::{ELEMS_MIXED, Table};
use crate::gcref::Gc;
use crate::heap::Heap;
use crate::value::{Tag, Value};

impl Gc<Table> {
    /// Number of elements and of nodes to trace.
    pub(crate) fn parts(self) -> (usize, usize) {
        let kind = self.header.aux;
        let elems = if kind == ELEMS_MIXED || Tag(kind).is_object() {
            self.len as usize
        } else {
            0
        };
        (elems, self.ext().map_or(0, |e| e.node_count()))
    }

    /// Marks what the elements `from..to` (0-based) refer to.
    #[inline]
    pub(crate) fn trace_elems(self, from: usize, to: usize, heap: &mut Heap) {
        let (elems, _) = self.parts();
        for i in from..to.min(elems) {
            heap.mark_value_soon(self.elem(i));
        }
    }

    /// Marks what the slots refer to.
    #[inline]
    pub(crate) fn trace_slots(self, heap: &mut Heap) {
        for i in 0..self.shape().nslots as usize {
            heap.mark_value_soon(self.slot(i));
        }
    }

    /// Marks what the nodes `from..to` refer to, keys included; strings also
    /// where the value is nil (see [`super::hash`]).
    #[inline]
    pub(crate) fn trace_nodes(self, from: usize, to: usize, heap: &mut Heap) {
        let Some(ext) = self.ext() else { return };
        for i in from..to {
            let Some((k, v)) = ext.node(i) else { return };
            if !v.is_nil() || k.tag == Tag::STR {
                heap.mark_value_soon(k);
                heap.mark_value_soon(v);
            }
        }
    }

    /// Forgets the string keys without value that are not marked.
    pub(crate) fn forget_unmarked_names(self, heap: &Heap) {
        if let Some(ext) = self.ext() {
            ext.forget_unmarked_names(heap);
        }
    }

    /// Calls `keep` with the key and value of every entry of the hash part;
    /// removes those for which it returns false.
    pub(crate) fn each_entry(self, mut keep: impl FnMut(Value, Value) -> bool) {
        let Some(ext) = self.ext() else { return };
        let mut i = 0;
        while let Some((k, v)) = ext.node(i) {
            if !v.is_nil() && !keep(k, v) {
                ext.clear_node(i);
            }
            i += 1;
        }
    }

    /// Makes the elements nil for which `clear` is true.
    pub(crate) fn clear_elems(self, mut clear: impl FnMut(Value) -> bool) {
        let (elems, _) = self.parts();
        for i in 0..elems {
            if clear(self.elem(i)) {
                self.make_nil(i);
            }
        }
        self.drop_trailing_nils();
    }

    /// Whether anything but the hash part refers to objects.
    pub(crate) fn has_direct_values(self) -> bool {
        self.parts().0 > 0 || self.shape().nslots > 0
    }

    /// Frees what the dead table owns outside the heap's cells; returns its
    /// bytes.
    pub(crate) fn release(self) -> usize {
        let mut bytes = self.release_blocks();
        if let Some(ext) = self.ext() {
            bytes += ext.bytes();
            // SAFETY: allocated by `ext_or_new`, freed once.
            drop(unsafe { Box::from_raw(self.ext) });
        }
        bytes
    }
}
