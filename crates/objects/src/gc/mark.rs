//! Marking: roots, stacks, and what objects refer to.
//!
//! Roots are the stack frames (each by its kind's map of live slots), the
//! globals and registry, type metatables, pins, literals of compiled code,
//! keys of shapes, and the error in flight.

use super::{Collector, VmState};
use crate::closure::{FuncProto, LiveMap, LuaClosure, NativeClosure};
use crate::frame::{FrameKind, FrameRecord, flags};
use crate::gcref::Gc;
use crate::object::{Cell, Header, Kind, Userdata, header_flags};
use crate::string::form;
use crate::table::Table;
use crate::thread::{self, Thread};
use crate::value::Value;
use vela_bytecode::{Instr, Liveness, Op};

/// A table that is traced in parts.
pub(super) struct Partial {
    table: Gc<Table>,
    elem: usize,
    node: usize,
}

/// Elements and nodes traced at once.
const PART: usize = 2048;
/// Units of work for an object of any kind: its share of cache misses.
const OBJECT_WORK: isize = 64;
/// Units of work for an element or a node.
const ELEM_WORK: isize = 10;
const NODE_WORK: isize = 24;
/// Units of work for a thread with a usual stack.
const THREAD_WORK: isize = 2048;

impl VmState {
    fn mark_ptr<T>(&mut self, p: *mut T) {
        if !p.is_null() {
            self.heap.mark(p.cast());
        }
    }

    /// Marks all roots, at the beginning of a cycle.
    pub(super) fn mark_roots(&mut self) {
        for k in self.event_keys.into_iter().chain([self.metatable_key]) {
            self.mark_ptr(k.as_ptr());
        }
        for &object in self.code_roots.values().flat_map(|objects| objects.iter()) {
            if object != 0 {
                self.heap.mark(object as *mut Header);
            }
        }
        for i in 0..self.shapes.all().len() {
            // SAFETY: shapes live as long as the VM.
            let shape = unsafe { &*self.shapes.all()[i] };
            // What comes before is in the parent, unless the shape is alone.
            let from = if shape.is_singleton() || shape.parent.is_null() {
                0
            } else {
                shape.keys.len().saturating_sub(1)
            };
            for &k in &shape.keys[from..] {
                self.mark_ptr(k.as_ptr());
            }
        }
        self.mark_mutable_roots();
    }

    /// Marks the roots that change without a barrier.
    pub(super) fn mark_mutable_roots(&mut self) {
        self.mark_ptr(self.globals.as_ptr());
        self.mark_ptr(self.registry.as_ptr());
        for mt in self.type_metatables.into_iter().flatten() {
            self.mark_ptr(mt.as_ptr());
        }
        self.heap.mark_value(self.error);
        self.heap.mark_value(self.handler.function);
        for i in 0..self.pins().len() {
            let v = self.pins()[i];
            self.heap.mark_value(v);
        }
        self.mark_local_writes();
        self.mark_pending();
        for i in 0..self.doomed_threads().len() {
            let t = self.doomed_threads()[i];
            self.mark_ptr(t);
        }
        // Those that wait for the running thread have run since they were
        // traced.
        let mut t = self.thread.as_ptr();
        while !t.is_null() {
            self.mark_ptr(t);
            t = self.trace_thread(t);
        }
        self.mark_stack(self.frame, self.top);
    }

    /// Marks what a thread refers to; returns the one that resumed it.
    fn trace_thread(&mut self, t: *mut Thread) -> *mut Thread {
        // SAFETY: a live thread; single writer.
        let (stack, resumer) = unsafe {
            (*t.cast::<Header>()).flags &= !header_flags::QUEUED;
            thread::trace(t, &mut self.heap)
        };
        if let Some((frame, top)) = stack {
            self.mark_stack(frame, top);
        }
        resumer
    }

    /// Marks a stack from its innermost frame on.
    fn mark_stack(&mut self, innermost: *mut FrameRecord, top: *mut Value) {
        let mut frame = innermost;
        let mut end = top;
        while !frame.is_null() {
            self.visit_frame(frame, end, frame == innermost, |vm, slot| {
                // SAFETY: live slots are initialised.
                let v = unsafe { *slot };
                vm.heap.mark_value(v);
            });
            end = frame.cast();
            // SAFETY: records of active frames form a list down to the base.
            frame = unsafe { (*frame).prev };
        }
    }

    /// Visits the live slots of a frame. `end` is where the callee's record
    /// starts, or the top when the frame is the innermost one.
    pub(super) fn visit_frame(
        &mut self,
        frame: *mut FrameRecord,
        end: *mut Value,
        innermost: bool,
        mut visit: impl FnMut(&mut VmState, *mut Value),
    ) {
        // A record begins with the function as a value.
        visit(self, frame.cast());
        // SAFETY: an active record.
        let record = unsafe { &*frame };
        for i in 1..=record.nvarargs as usize {
            // Extra arguments are directly below the record.
            visit(self, frame.cast::<Value>().wrapping_sub(i));
        }
        match record.kind {
            FrameKind::INTERPRETED => self.visit_interpreted(frame, end, innermost, visit),
            FrameKind::COMPILED => {
                let mut found = std::mem::take(&mut self.gc.slots);
                let trace = self.hooks.trace_compiled;
                // SAFETY: an active compiled record.
                unsafe { trace(self, frame, &mut |slot| found.push(slot)) };
                for slot in found.drain(..) {
                    visit(self, slot);
                }
                self.gc.slots = found;
            }
            // Natives initialise everything below their top.
            _ => visit_range(self, FrameRecord::registers(frame), end, visit),
        }
    }

    /// Visits the live registers of an interpreted frame.
    fn visit_interpreted(
        &mut self,
        frame: *mut FrameRecord,
        end: *mut Value,
        innermost: bool,
        mut visit: impl FnMut(&mut VmState, *mut Value),
    ) {
        // SAFETY: an interpreted record has a Lua closure as its function.
        let (closure, pc, frame_flags) = unsafe {
            (
                Gc::<LuaClosure>::from_payload((*frame).func),
                FrameRecord::position(frame) as usize,
                (*frame).flags,
            )
        };
        let proto = closure.proto;
        let registers = FrameRecord::registers(frame);
        let cold = proto.cold();
        let instr = cold.proto.code[pc];
        let mut limit = proto.max_stack as usize;
        if !innermost && frame_flags & flags::POLL == 0 {
            limit = limit.min(callee_window(instr));
        }
        if frame_flags & flags::OPEN != 0 {
            let list = registers.wrapping_add(instr.a() as usize);
            visit_range(self, list, end, &mut visit);
        }
        let live = cold
            .liveness
            .get_or_insert_with(|| Box::new(live_map(&cold.proto, self.debuggable)));
        let row = &live.rows[pc * live.words..][..live.words];
        for (w, &bits) in row.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let r = w * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if r < limit {
                    visit(self, registers.wrapping_add(r));
                }
            }
        }
    }

    /// Traces gray objects for about `work` units; what is left of it is
    /// positive when none is left.
    pub(super) fn drain(&mut self, mut work: isize) -> isize {
        while work > 0 {
            if let Some(h) = self.heap.next_gray() {
                work -= self.trace(h);
            } else if let Some(p) = self.gc.partial.last_mut() {
                let t = p.table;
                let (elem, node) = (p.elem, p.node);
                let (elems, nodes) = t.parts();
                if elem < elems {
                    p.elem = elem + PART;
                    t.trace_elems(elem, elem + PART, &mut self.heap);
                    work -= PART as isize * ELEM_WORK;
                } else if node < nodes {
                    p.node = node + PART;
                    t.trace_nodes(node, node + PART, &mut self.heap);
                    work -= PART as isize * NODE_WORK;
                } else {
                    self.gc.partial.pop();
                }
            } else {
                break;
            }
        }
        work
    }

    /// Marks what a gray object refers to; returns the work it took.
    fn trace(&mut self, h: *mut Header) -> isize {
        let VmState { heap, gc, .. } = self;
        // SAFETY: gray objects are live and their kind says what they are.
        unsafe {
            match (*h).kind {
                Kind::TABLE => return self.trace_table(Gc::from_ptr(h.cast())),
                Kind::CELL => {
                    let c = Gc::<Cell>::from_ptr(h.cast());
                    heap.mark_value_soon(c.get());
                }
                Kind::LUA_FN => {
                    let c = Gc::<LuaClosure>::from_ptr(h.cast());
                    heap.mark_soon(c.proto.as_ptr().cast());
                    for i in 0..c.upval_count() {
                        heap.mark_soon((*c.upvals_ptr().add(i)).cast());
                    }
                }
                Kind::NATIVE_FN => {
                    let c = Gc::<NativeClosure>::from_ptr(h.cast());
                    for i in 0..(*h).extra as usize {
                        heap.mark_value_soon(c.upval(i));
                    }
                }
                Kind::USERDATA => {
                    if let Some(mt) = Gc::<Userdata>::from_ptr(h.cast()).metatable() {
                        heap.mark_soon(mt.as_ptr().cast());
                    }
                }
                Kind::PROTO => {
                    let p = Gc::<FuncProto>::from_ptr(h.cast());
                    let cold = p.cold();
                    for &v in &cold.constants {
                        heap.mark_value_soon(v);
                    }
                    for child in &cold.children {
                        heap.mark_soon(child.as_ptr().cast());
                    }
                    gc.protos.push(p);
                    return OBJECT_WORK + (cold.constants.len() + cold.feedback.len()) as isize * 8;
                }
                Kind::THREAD => {
                    self.trace_thread(h.cast());
                    return THREAD_WORK;
                }
                _ => {}
            }
        }
        OBJECT_WORK
    }

    fn trace_table(&mut self, t: Gc<Table>) -> isize {
        t.mark_blocks(&mut self.heap);
        if let Some(mt) = t.metatable() {
            self.heap.mark_soon(mt.as_ptr().cast());
            let mode = self.weak_mode(mt);
            if mode.keys || mode.values {
                self.gc.weak.seen.push(t);
                return OBJECT_WORK;
            }
        }
        t.trace_slots(&mut self.heap);
        let (elems, nodes) = t.parts();
        if elems + nodes > PART {
            self.gc.partial.push(Partial {
                table: t,
                elem: 0,
                node: 0,
            });
            return OBJECT_WORK;
        }
        t.trace_elems(0, elems, &mut self.heap);
        t.trace_nodes(0, nodes, &mut self.heap);
        OBJECT_WORK + elems as isize * ELEM_WORK + nodes as isize * NODE_WORK
    }

    /// Checks that marked objects refer to marked ones only.
    ///
    /// # Panics
    /// If a store without a barrier went unnoticed.
    pub(super) fn verify_marks(&mut self) {
        let mut marked = Vec::new();
        let heap = &self.heap;
        self.heap.each_object(|h| {
            if heap.is_marked(h) {
                marked.push(h);
            }
        });
        let Collector { protos, .. } = &mut self.gc;
        let traced = protos.len();
        for h in marked {
            // Strings refer to nothing.
            // SAFETY: not swept yet.
            if unsafe { (*h).kind } != Kind::STR {
                self.trace(h);
                self.gc.partial.clear();
                assert!(
                    self.heap.next_gray().is_none(),
                    "an object refers to one that is not marked: {:?}",
                    // SAFETY: as above.
                    unsafe { (*h).kind }
                );
            }
        }
        self.gc.protos.truncate(traced);
        self.gc.weak = super::weak::Found::default();
    }
}

/// Visits the slots from `from` to below `end`.
fn visit_range(
    vm: &mut VmState,
    from: *mut Value,
    end: *mut Value,
    mut visit: impl FnMut(&mut VmState, *mut Value),
) {
    let mut slot = from;
    while slot < end {
        visit(vm, slot);
        slot = slot.wrapping_add(1);
    }
}

/// First register that belongs to the callee of the call `instr`: what was
/// live there before the call has been overwritten since. Other instructions
/// call above the frame.
pub(crate) fn callee_window(instr: Instr) -> usize {
    match instr.op() {
        Some(Op::Call | Op::TailCall) => instr.a() as usize,
        Some(Op::TForCall) => instr.a() as usize + 4,
        _ => usize::MAX,
    }
}

/// Bit rows of live registers for the collector; with `all_locals` those of
/// all variables in scope count.
pub(crate) fn live_map(proto: &vela_bytecode::Proto, all_locals: bool) -> LiveMap {
    let mut live = Liveness::compute(proto);
    if all_locals {
        live.keep_locals(proto);
    }
    let words = (proto.max_stack as usize).div_ceil(64);
    let mut rows = vec![0u64; words * proto.code.len()];
    for pc in 0..proto.code.len() {
        for r in live.live_in(pc as u32).iter() {
            let r = r as usize;
            if r / 64 < words {
                rows[pc * words + r / 64] |= 1 << (r % 64);
            }
        }
    }
    LiveMap { words, rows }
}

/// Releases what a dead object owns outside its cell; returns its bytes as
/// they were accounted for.
pub(crate) fn release(h: *mut Header) -> usize {
    // SAFETY: called once per dead object, whose kind says what it is.
    unsafe {
        match (*h).kind {
            Kind::STR if (*h).aux == form::SHARED => crate::heap::release_shared(h.cast()),
            Kind::TABLE => Gc::<Table>::from_ptr(h.cast()).release(),
            Kind::USERDATA => {
                std::ptr::drop_in_place(&raw mut (*h.cast::<Userdata>()).data);
                0
            }
            Kind::THREAD => thread::finalize(h.cast()),
            Kind::PROTO => {
                let p = Gc::<FuncProto>::from_ptr(h.cast());
                let bytes = p.external_bytes();
                std::ptr::drop_in_place(&raw mut (*h.cast::<FuncProto>()).cold);
                bytes
            }
            _ => 0,
        }
    }
}
