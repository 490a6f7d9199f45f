//! References that do not keep what they refer to: weak tables, and those of
//! the VM itself.
//!
//! The order follows PUC Lua's `atomic` (lgc.c): values of weak tables go
//! before finalizers are looked for, keys afterwards, so that an object can
//! still be found by its key while it is finalized, but not as a value.
//! Ephemerons (weak keys, strong values) are traced until nothing changes
//! (Barros and Ierusalimschy, "Eliminating cycles in weak tables", 2008).
//!
//! Strings are never removed, nor is anything that is no object. But a string
//! key whose value is gone is not kept: what is unmarked of those at the end is
//! forgotten.

use super::{Safepoint, VmState, is_dead};
use crate::feedback::{CacheState, FeedbackSlot, Way, WayKind};
use crate::gcref::Gc;
use crate::heap::Heap;
use crate::meta::Event;
use crate::object::Header;
use crate::shape::{FieldInfo, FieldKind};
use crate::table::Table;
use crate::value::{Tag, Value};
use crate::vm::IndexCacheEntry;

/// Weak tables found while marking, by what is weak.
#[derive(Default)]
pub(super) struct Found {
    /// Not looked at closer yet.
    pub(super) seen: Vec<Gc<Table>>,
    ephemerons: Vec<Gc<Table>>,
    values: Vec<Gc<Table>>,
    both: Vec<Gc<Table>>,
}

impl Found {
    /// Whether there may be weak values outside of hash parts.
    pub(super) fn has_direct_values(&self) -> bool {
        self.seen.iter().any(|t| t.has_direct_values())
    }
}

/// What of a table is weak.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) keys: bool,
    pub(super) values: bool,
}

/// Whether a weak reference is to be cleared; if it is to a string, the string
/// lives on (`iscleared` of lgc.c).
fn is_cleared(heap: &mut Heap, v: Value) -> bool {
    if v.tag == Tag::STR {
        heap.mark_value(v);
    }
    is_dead(heap, v)
}

impl VmState {
    /// The weakness of a table with metatable `mt`.
    pub(super) fn weak_mode(&self, mt: Gc<Table>) -> Mode {
        let mode = self.meta_of(mt, Event::Mode).as_str();
        let has = |c| mode.is_some_and(|s| s.bytes().contains(&c));
        Mode {
            keys: has(b'k'),
            values: has(b'v'),
        }
    }

    /// Marks through weak tables, queues finalizers, clears dead entries.
    pub(super) fn settle_weak_tables(&mut self, at: Safepoint) {
        let quiet = at == Safepoint::Quiet;
        self.mark_ephemerons(quiet);
        self.clear_values(0, 0);
        let (values, both) = (self.gc.weak.values.len(), self.gc.weak.both.len());
        self.separate_finalizable(false);
        self.mark_pending();
        self.drain(isize::MAX);
        self.mark_ephemerons(quiet);
        self.clear_keys();
        // Tables that only finalizers reach.
        self.clear_values(values, both);
        let found = std::mem::take(&mut self.gc.weak);
        for t in [found.ephemerons, found.values, found.both].concat() {
            t.forget_unmarked_names(&self.heap);
        }
    }

    /// Sorts the weak tables seen and traces ephemerons until all that is
    /// reachable is marked.
    fn mark_ephemerons(&mut self, quiet: bool) {
        loop {
            self.sort_seen(quiet);
            self.drain(isize::MAX);
            if !self.gc.weak.seen.is_empty() {
                continue;
            }
            let mut changed = false;
            for i in 0..self.gc.weak.ephemerons.len() {
                let t = self.gc.weak.ephemerons[i];
                changed |= self.mark_ephemeron(t);
                // At once, for chains through tables in this order.
                self.drain(isize::MAX);
            }
            if !changed {
                return;
            }
        }
    }

    /// With `quiet`, elements and slots are not weak: compiled code may go on
    /// with what it has read from there.
    fn sort_seen(&mut self, quiet: bool) {
        while let Some(t) = self.gc.weak.seen.pop() {
            let mode = match t.metatable() {
                Some(mt) => self.weak_mode(mt),
                None => Mode {
                    keys: false,
                    values: false,
                },
            };
            if quiet {
                t.trace_elems(0, usize::MAX, &mut self.heap);
                t.trace_slots(&mut self.heap);
            }
            match mode {
                Mode {
                    keys: true,
                    values: true,
                } => self.gc.weak.both.push(t),
                Mode { keys: true, .. } => {
                    t.trace_elems(0, usize::MAX, &mut self.heap);
                    t.trace_slots(&mut self.heap);
                    self.mark_ephemeron(t);
                    self.gc.weak.ephemerons.push(t);
                }
                Mode { values: true, .. } => {
                    t.each_entry(|k, _| {
                        self.heap.mark_value(k);
                        true
                    });
                    self.gc.weak.values.push(t);
                }
                _ => {
                    t.trace_elems(0, usize::MAX, &mut self.heap);
                    t.trace_slots(&mut self.heap);
                    t.trace_nodes(0, usize::MAX, &mut self.heap);
                }
            }
        }
    }

    /// Marks the values whose keys are marked; returns whether there was a
    /// new one.
    fn mark_ephemeron(&mut self, t: Gc<Table>) -> bool {
        let mut changed = false;
        t.each_entry(|k, v| {
            if !is_cleared(&mut self.heap, k)
                && v.tag.is_object()
                && !self.heap.is_marked(v.payload as *const Header)
            {
                self.heap.mark_value(v);
                changed = true;
            }
            true
        });
        changed
    }

    /// Removes entries whose key is dead.
    fn clear_keys(&mut self) {
        for list in [&self.gc.weak.ephemerons, &self.gc.weak.both] {
            for &t in list {
                t.each_entry(|k, _| !is_cleared(&mut self.heap, k));
            }
        }
    }

    /// Removes entries whose value is dead, from tables not looked at before.
    fn clear_values(&mut self, values: usize, both: usize) {
        let lists = [
            self.gc.weak.values[values..].to_vec(),
            self.gc.weak.both[both..].to_vec(),
        ];
        for t in lists.into_iter().flatten() {
            t.each_entry(|_, v| !is_cleared(&mut self.heap, v));
            for i in 0..t.shape().nslots as usize {
                if is_cleared(&mut self.heap, t.slot(i)) {
                    t.set_slot(self, i, Value::NIL);
                }
            }
            t.clear_elems(|v| is_cleared(&mut self.heap, v));
        }
    }

    // ---- the VM's own ------------------------------------------------

    /// Clears what refers weakly to objects from outside of tables.
    pub(super) fn clear_weak_roots(&mut self) {
        self.index_cache.fill(IndexCacheEntry::EMPTY);
        for i in 0..self.shapes.all_fields().len() {
            let field = self.shapes.all_fields()[i];
            // SAFETY: lattice cells live as long as the VM.
            let (kind, constant) = unsafe { ((*field).kind, (*field).constant) };
            if kind == FieldKind::CONST
                && constant.tag.is_object()
                && !self.heap.is_marked(constant.payload as *const Header)
            {
                self.forget_constant(field);
            }
        }
        let heap = &self.heap;
        self.shapes.drop_metatables(|mt| !heap.is_marked(mt.cast()));
        for p in std::mem::take(&mut self.gc.protos) {
            let only = &raw mut p.cold().instances;
            // SAFETY: part of a live prototype.
            let (kind, closure) = unsafe { ((*only).kind, (*only).constant) };
            if kind == FieldKind::CONST && is_dead(&self.heap, closure) {
                self.forget_constant(only);
            }
            for slot in &mut p.cold().feedback {
                self.clear_feedback(slot);
            }
        }
    }

    /// Widens a field from a constant that is gone to the constant's kind.
    fn forget_constant(&mut self, field: *mut FieldInfo) {
        // SAFETY: lattice cells live as long as the VM; single writer.
        let field = unsafe {
            (*field).kind = FieldKind((*field).constant.tag.0);
            (*field).constant = Value::NIL;
            &*field
        };
        if field.watched {
            (self.hooks.field_widened)(self, field);
        }
    }

    fn clear_feedback(&self, slot: &mut FeedbackSlot) {
        if slot.state == CacheState::Uninit {
            return;
        }
        self.clear_way(&mut slot.way);
        if let Some(more) = &mut slot.more {
            for way in more.iter_mut() {
                self.clear_way(way);
            }
        }
    }

    fn clear_way(&self, way: &mut Way) {
        let dead = |address: u64| address != 0 && !self.heap.is_marked(address as *const Header);
        match way.kind {
            WayKind::Holder | WayKind::HolderOut | WayKind::Meta | WayKind::MetaSecond
                if dead(way.aux) =>
            {
                *way = Way::EMPTY;
            }
            WayKind::StrHolder | WayKind::StrHolderOut if dead(way.aux) || dead(way.shape) => {
                *way = Way::EMPTY;
            }
            WayKind::Target | WayKind::Protected => {
                if dead(way.shape) {
                    *way = Way::EMPTY;
                } else if dead(way.aux) {
                    way.aux = 0;
                }
            }
            _ => {}
        }
    }
}
