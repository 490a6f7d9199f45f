//! Collection: precise marking from the roots, then the sweep.
//!
//! Roots are the stack frames (each by its kind's map of live slots), the
//! globals and registry, type metatables, pins, literals of compiled code, shapes' keys, metatables and
//! constants, and the error in flight. Stop-the-world; called only at polls.

use crate::closure::{FuncProto, LiveMap, LuaClosure, NativeClosure};
use crate::frame::{FrameKind, FrameRecord, flags};
use crate::gcref::Gc;
use crate::object::{Cell, Header, Kind, Userdata};
use crate::table::Table;
use crate::value::{Tag, Value};
use crate::vm::{IndexCacheEntry, VmState};
use vela_bytecode::{Instr, Liveness, Op};

impl VmState {
    /// Runs a full collection.
    ///
    /// Callers are polls: everything live is reachable from the roots named
    /// in the module docs, and `self.frame` (with its `pc`) is current.
    pub fn collect_garbage(&mut self) {
        self.heap.flip();
        self.index_cache.fill(IndexCacheEntry::EMPTY);
        self.mark_roots();
        while let Some(h) = self.heap.gray.pop() {
            self.trace_object(h);
        }
        let stress = self.gc_stress;
        self.heap.sweep(finalize, external_bytes, stress);
        if stress {
            self.heap.set_threshold(0);
        }
    }

    #[inline]
    fn mark_value(&mut self, v: Value) {
        if v.tag.is_object() {
            self.heap.mark(v.payload as *mut Header);
        }
    }

    fn mark_ptr<T>(&mut self, p: *mut T) {
        if !p.is_null() {
            self.heap.mark(p.cast());
        }
    }

    fn mark_roots(&mut self) {
        self.mark_ptr(self.globals.as_ptr());
        self.mark_ptr(self.registry.as_ptr());
        for mt in self.type_metatables.into_iter().flatten() {
            self.mark_ptr(mt.as_ptr());
        }
        for k in self.event_keys {
            self.mark_ptr(k.as_ptr());
        }
        self.mark_value(self.error);
        self.mark_value(self.handler);
        for i in 0..self.pins().len() {
            let v = self.pins()[i];
            self.mark_value(v);
        }
        for &object in self.code_roots.values().flat_map(|objects| objects.iter()) {
            if object != 0 {
                self.heap.mark(object as *mut Header);
            }
        }
        for i in 0..self.shapes.all().len() {
            // SAFETY: shapes live as long as the VM.
            let shape = unsafe { &*self.shapes.all()[i] };
            self.mark_ptr(shape.metatable);
            for &k in &shape.keys {
                self.mark_ptr(k.as_ptr());
            }
        }
        for i in 0..self.shapes.all_fields().len() {
            // SAFETY: lattice cells live as long as the VM.
            let constant = unsafe { (*self.shapes.all_fields()[i]).constant };
            self.mark_value(constant);
        }
        self.mark_stack();
    }

    fn mark_stack(&mut self) {
        for i in 0..self.tbc.len() {
            // SAFETY: registers of active frames that hold a variable.
            let v = unsafe { *self.tbc[i] };
            self.mark_value(v);
        }
        let mut frame = self.frame;
        let mut end = self.top;
        while !frame.is_null() {
            // SAFETY: records of active frames form a list down to the base.
            let record = unsafe { &*frame };
            self.mark_value(record.function());
            for i in 1..=record.nvarargs as usize {
                // SAFETY: extra arguments are directly below the record.
                let v = unsafe { *frame.cast::<Value>().sub(i) };
                self.mark_value(v);
            }
            match record.kind {
                FrameKind::INTERPRETED => self.mark_interpreted(frame, end),
                FrameKind::COMPILED => {
                    let trace = self.hooks.trace_compiled;
                    let mut found = Vec::new();
                    // SAFETY: an active compiled record.
                    unsafe { trace(self, frame, &mut |v| found.push(v)) };
                    for v in found {
                        self.mark_value(v);
                    }
                }
                _ => {
                    let mut slot = FrameRecord::registers(frame);
                    while slot < end {
                        // SAFETY: natives initialise everything below their top.
                        let v = unsafe { *slot };
                        self.mark_value(v);
                        slot = slot.wrapping_add(1);
                    }
                }
            }
            end = frame.cast();
            frame = record.prev;
        }
    }

    /// Marks the live registers of an interpreted frame; `end` is where the
    /// callee's record starts, or the top when the frame is the running one.
    fn mark_interpreted(&mut self, frame: *mut FrameRecord, end: *mut Value) {
        // SAFETY: an interpreted record has a Lua closure as its function.
        let (closure, pc, frame_flags) = unsafe {
            (
                Gc::<LuaClosure>::from_payload((*frame).func),
                (*frame).pc as usize,
                (*frame).flags,
            )
        };
        let proto = closure.proto;
        self.mark_ptr(proto.as_ptr());
        let registers = FrameRecord::registers(frame);
        let cold = proto.cold();
        let instr = cold.proto.code[pc];
        let mut limit = proto.max_stack as usize;
        if frame != self.frame {
            limit = limit.min(callee_window(instr));
        }
        if frame_flags & flags::OPEN != 0 {
            let mut slot = registers.wrapping_add(instr.a() as usize);
            while slot < end {
                // SAFETY: the values of an open list are initialised.
                self.mark_value(unsafe { *slot });
                slot = slot.wrapping_add(1);
            }
        }
        let live = cold
            .liveness
            .get_or_insert_with(|| Box::new(live_map(&cold.proto)));
        let row = &live.rows[pc * live.words..][..live.words];
        for (w, &bits) in row.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let r = w * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if r < limit {
                    // SAFETY: live registers are initialised.
                    let v = unsafe { *registers.add(r) };
                    self.mark_value(v);
                }
            }
        }
    }

    fn trace_object(&mut self, h: *mut Header) {
        // SAFETY: gray objects are live and their kind says what they are.
        unsafe {
            match (*h).kind {
                Kind::TABLE => {
                    let t = Gc::<Table>::from_ptr(h.cast());
                    let heap = &mut self.heap;
                    t.trace(|v| {
                        if v.tag.is_object() {
                            heap.mark(v.payload as *mut Header);
                        }
                    });
                }
                Kind::CELL => {
                    let c = Gc::<Cell>::from_ptr(h.cast());
                    self.mark_value(c.get());
                }
                Kind::LUA_FN => {
                    let c = Gc::<LuaClosure>::from_ptr(h.cast());
                    self.mark_ptr(c.proto.as_ptr());
                    for i in 0..c.upval_count() {
                        self.mark_ptr(*c.upvals_ptr().add(i));
                    }
                }
                Kind::NATIVE_FN => {
                    let c = Gc::<NativeClosure>::from_ptr(h.cast());
                    for i in 0..(*h).extra as usize {
                        self.mark_value(c.upval(i));
                    }
                }
                Kind::USERDATA => {
                    let u = Gc::<Userdata>::from_ptr(h.cast());
                    self.mark_ptr(u.metatable);
                }
                Kind::PROTO => {
                    let p = Gc::<FuncProto>::from_ptr(h.cast());
                    let cold = p.cold();
                    for i in 0..cold.constants.len() {
                        self.mark_value(cold.constants[i]);
                    }
                    for i in 0..cold.children.len() {
                        self.mark_ptr(cold.children[i].as_ptr());
                    }
                    // Caches refer weakly to holders and closures: an entry
                    // keeps its object alive until the prototype dies, which
                    // is bounded by the number of ways.
                    for slot in &cold.feedback {
                        for way in slot.ways() {
                            use crate::feedback::WayKind as W;
                            match way.kind {
                                W::Holder | W::HolderOut | W::StrHolder | W::StrHolderOut => {
                                    self.heap.mark(way.aux as *mut Header);
                                }
                                W::Target => {
                                    self.heap.mark(way.shape as *mut Header);
                                    if way.aux != 0 {
                                        self.heap.mark(way.aux as *mut Header);
                                    }
                                }
                                _ => {}
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// First register that belongs to the callee of the call `instr`: what was
/// live there before the call has been overwritten since. Other instructions
/// call above the frame.
fn callee_window(instr: Instr) -> usize {
    match instr.op() {
        Some(Op::Call | Op::TailCall) => instr.a() as usize,
        Some(Op::TForCall) => instr.a() as usize + 4,
        _ => usize::MAX,
    }
}

/// Bit rows of live registers for the collector.
pub(crate) fn live_map(proto: &vela_bytecode::Proto) -> LiveMap {
    let live = Liveness::compute(proto);
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

/// Releases what a dead object owns outside its cell.
pub(crate) fn finalize(h: *mut Header) {
    // SAFETY: called once per dead object, whose kind says what it is.
    unsafe {
        match (*h).kind {
            Kind::TABLE => Gc::<Table>::from_ptr(h.cast()).finalize(),
            Kind::USERDATA => std::ptr::drop_in_place(&raw mut (*h.cast::<Userdata>()).data),
            Kind::PROTO => std::ptr::drop_in_place(&raw mut (*h.cast::<FuncProto>()).cold),
            _ => {}
        }
    }
}

fn external_bytes(h: *mut Header) -> usize {
    // SAFETY: called on live objects.
    unsafe {
        match (*h).kind {
            Kind::TABLE => Gc::<Table>::from_ptr(h.cast()).external_bytes(),
            Kind::PROTO => {
                let p = Gc::<FuncProto>::from_ptr(h.cast());
                p.proto().code.len() * 8 + p.feedback_slots().len() * 64
            }
            _ => 0,
        }
    }
}

/// Whether a value may be stored in a table: registers also hold cells.
#[must_use]
pub fn is_lua_value(v: Value) -> bool {
    v.tag < Tag::CELL
}
