//! Local variables of active functions, for the debug library.
//!
//! Variables that the rest of a function does not read need not exist: neither
//! the collector nor compiled code keeps them. A program that looks at local
//! variables would notice. So a VM becomes *debuggable* as soon as a chunk is
//! loaded that names one of the functions for it, and from then on every
//! variable is alive while it is in scope
//! ([`VmState::make_debuggable`]).
//!
//! A variable of a compiled frame is in the frame's window at every call, so
//! that it can be read there; the code itself has it in a register. Writes are
//! thus kept until the frame leaves its code, which it does when the call in
//! progress returns ([`VmState::apply_local_writes`]).

use crate::closure::{FuncProto, LuaClosure};
use crate::debug::FrameView;
use crate::frame::{FrameKind, FrameRecord, flags};
use crate::gc::{callee_window, live_map};
use crate::gcref::Gc;
use crate::object::{Cell, Kind};
use crate::thread::Thread;
use crate::value::{Tag, Value};
use crate::vm::VmState;
use std::sync::Arc;
use vela_bytecode::{LocalVar, Proto};

/// Names whose mention in a chunk makes a VM debuggable.
const DEBUG_NAMES: [&[u8]; 3] = [b"getlocal", b"setlocal", b"sethook"];

/// A write to a local variable of a compiled frame that has not left its code.
pub(crate) struct LocalWrite {
    record: *mut FrameRecord,
    register: u8,
    value: Value,
    thread: Gc<Thread>,
}

/// Where a variable is, or a value without a name.
struct Place {
    name: Arc<str>,
    slot: *mut Value,
    /// The slot holds the variable now.
    current: bool,
    /// Register of a Lua frame.
    register: Option<u8>,
}

/// Local variable `n` (from 1) in scope at `pc`.
#[must_use]
pub fn active_local(proto: &Proto, pc: u32, n: usize) -> Option<&LocalVar> {
    proto
        .locals
        .iter()
        .filter(|l| l.start_pc <= pc && pc < l.end_pc)
        .nth(n.checked_sub(1)?)
}

/// Whether the collector keeps `reg` at `pc`.
fn live_at(proto: Gc<FuncProto>, pc: u32, reg: u8, all: bool) -> bool {
    let cold = proto.cold();
    let live = cold
        .liveness
        .get_or_insert_with(|| Box::new(live_map(&cold.proto, all)));
    let word = live.rows[pc as usize * live.words + reg as usize / 64];
    word >> (reg % 64) & 1 != 0
}

impl VmState {
    /// Local variable `n` of the frame `f` of thread `t`: from 1 on a
    /// parameter, variable or unnamed value, from -1 down an extra argument.
    #[must_use]
    pub fn local_of(&mut self, t: Gc<Thread>, f: FrameView, n: i64) -> Option<(Arc<str>, Value)> {
        let place = self.with_frames_of(t, |vm| vm.place(t, f, n))?;
        let v = if place.current {
            // SAFETY: a place that is current is initialised.
            let v = unsafe { *place.slot };
            match v.tag {
                Tag::CELL => Gc::<Cell>::from_payload(v.payload).get(),
                _ => v,
            }
        } else {
            Value::NIL
        };
        Some((place.name, v))
    }

    /// Assigns to what [`VmState::local_of`] finds; the variable's name.
    pub fn set_local(
        &mut self,
        t: Gc<Thread>,
        f: FrameView,
        n: i64,
        value: Value,
    ) -> Option<Arc<str>> {
        let place = self.with_frames_of(t, |vm| vm.place(t, f, n))?;
        self.barrier(value);
        // SAFETY: a slot of an active frame.
        let compiled = unsafe { (*f.record()).kind } == FrameKind::COMPILED;
        if place.current {
            // SAFETY: as above; initialised.
            let held = unsafe { *place.slot };
            if held.tag == Tag::CELL {
                Gc::<Cell>::from_payload(held.payload).set(value);
                self.upvalues_changed();
            } else {
                // SAFETY: as above.
                unsafe { *place.slot = value };
            }
        }
        if compiled {
            if let Some(register) = place.register {
                self.local_writes.push(LocalWrite {
                    record: f.record(),
                    register,
                    value,
                    thread: t,
                });
            }
            let leave = self.hooks.leave;
            // SAFETY: an active compiled record.
            unsafe { leave(self, f.record()) };
        }
        Some(place.name)
    }

    fn place(&self, t: Gc<Thread>, f: FrameView, n: i64) -> Option<Place> {
        let record = f.record();
        let registers = FrameRecord::registers(record);
        // SAFETY: `f` is an active record.
        let r = unsafe { &*record };
        let unnamed = |name: &str, slot| Place {
            name: name.into(),
            slot,
            current: true,
            register: None,
        };
        let (first, count) = self.transfer_of(t, f);
        let handed_over =
            n >= i64::from(first) && n - i64::from(first) < i64::from(count) && first > 0;
        if r.kind == FrameKind::NATIVE {
            let end = if record == self.frame {
                (self.top as usize).saturating_sub(registers as usize) / size_of::<Value>()
            } else {
                r.nargs as usize
            };
            let i = usize::try_from(n).ok()?.checked_sub(1)?;
            return (i < end || handed_over)
                .then(|| unnamed("(C temporary)", registers.wrapping_add(i)));
        }
        let closure = f.function().as_lua_fn()?;
        if n < 0 {
            let i = usize::try_from(-(n + 1)).ok()?;
            let extra = r.nvarargs as usize;
            let slot = record.cast::<Value>().wrapping_sub(extra).wrapping_add(i);
            return (i < extra).then(|| unnamed("(vararg)", slot));
        }
        let n = usize::try_from(n).ok()?;
        let (proto, pc) = self.lua_position(f)?;
        let interpreted = r.kind == FrameKind::INTERPRETED;
        let Some(local) = active_local(proto, pc, n) else {
            let reg = u8::try_from(n.checked_sub(1)?).ok()?;
            if handed_over {
                return Some(unnamed("(temporary)", registers.wrapping_add(reg.into())));
            }
            let mut limit = proto.max_stack as usize;
            if r.flags & flags::POLL == 0 && record != self.frame {
                limit = limit.min(callee_window(proto.code[pc as usize]));
            }
            let current = interpreted && live_at(closure.proto, pc, reg, self.debuggable);
            return (usize::from(reg) < limit).then(|| Place {
                current,
                ..unnamed("(temporary)", registers.wrapping_add(reg.into()))
            });
        };
        let current = if interpreted {
            live_at(closure.proto, pc, local.reg, self.debuggable)
        } else {
            // SAFETY: an active compiled record.
            unsafe { (self.hooks.in_window)(self, record, local.reg) }
        };
        Some(Place {
            name: local.name.clone(),
            slot: registers.wrapping_add(local.reg as usize),
            current,
            register: Some(local.reg),
        })
    }

    /// Writes kept for the frames from `vm.frame` down to `outermost`, which
    /// have just left compiled code.
    pub fn apply_local_writes(&mut self, outermost: *mut FrameRecord) {
        let mut frame = self.frame;
        loop {
            let mut i = 0;
            while i < self.local_writes.len() {
                if self.local_writes[i].record != frame {
                    i += 1;
                    continue;
                }
                let write = self.local_writes.remove(i);
                let slot = FrameRecord::registers(frame).wrapping_add(write.register.into());
                // SAFETY: a register of an interpreted frame. If it is dead
                // any value may be there, but then nobody reads it.
                unsafe {
                    if self.in_cell(frame, write.register) {
                        Gc::<Cell>::from_payload((*slot).payload).set(write.value);
                    } else {
                        *slot = write.value;
                    }
                }
            }
            if frame == outermost {
                break;
            }
            // SAFETY: active records form a list down to the outermost.
            frame = unsafe { (*frame).prev };
        }
    }

    /// Whether the variable in `register` of the interpreted frame is captured.
    ///
    /// # Safety
    /// `frame` is an active record of that kind.
    unsafe fn in_cell(&self, frame: *mut FrameRecord, register: u8) -> bool {
        // SAFETY: by contract.
        let (closure, pc) = unsafe {
            let closure = Gc::<LuaClosure>::from_payload((*frame).func);
            (closure, FrameRecord::position(frame))
        };
        let locals = &closure.proto.proto().locals;
        let here = |l: &&LocalVar| l.reg == register && l.start_pc <= pc && pc < l.end_pc;
        locals.iter().find(here).is_some_and(|l| l.in_cell)
    }

    /// Whether writes to variables of compiled frames wait.
    #[must_use]
    pub fn has_local_writes(&self) -> bool {
        !self.local_writes.is_empty()
    }

    /// Forgets the writes for frames from `at` on of the running thread, which
    /// an error has ended.
    pub fn drop_local_writes(&mut self, at: *mut Value) {
        let thread = self.thread;
        self.local_writes
            .retain(|w| w.thread != thread || w.record.cast() < at);
    }

    pub(crate) fn mark_local_writes(&mut self) {
        for i in 0..self.local_writes.len() {
            let (value, thread) = (self.local_writes[i].value, self.local_writes[i].thread);
            self.heap.mark_value(value);
            // A write must not meet another thread with the same stack.
            self.heap.mark(thread.as_ptr().cast());
        }
    }

    /// Whether every local variable is alive while it is in scope.
    #[must_use]
    pub fn is_debuggable(&self) -> bool {
        self.debuggable
    }

    /// Keeps local variables alive from now on if the function is of a chunk
    /// that looks at them.
    pub(crate) fn note_debug_names(&mut self, constants: &[Value]) {
        let names = |v: &Value| v.as_str().is_some_and(|s| DEBUG_NAMES.contains(&s.bytes()));
        if !self.debuggable && constants.iter().any(names) {
            self.make_debuggable();
        }
    }

    /// Keeps every local variable alive while it is in scope. Variables of
    /// active functions that were not kept so far become nil. O(prototypes +
    /// frames); compiled code is thrown away.
    pub fn make_debuggable(&mut self) {
        if self.debuggable {
            return;
        }
        let mut frames = Vec::new();
        self.visit_threads(|innermost, _| {
            let mut frame = innermost;
            while !frame.is_null() {
                frames.push(frame);
                // SAFETY: records of active frames form a list.
                frame = unsafe { (*frame).prev };
            }
        });
        for frame in frames {
            // SAFETY: active records.
            unsafe {
                if (*frame).kind == FrameKind::INTERPRETED && (*frame).tag == Tag::LUA_FN {
                    self.clear_dead_locals(frame, |_| false);
                }
            }
        }
        self.debuggable = true;
        let bytes = size_of::<FuncProto>();
        self.heap.each(Kind::PROTO, bytes, |h| {
            // SAFETY: an allocated object of this kind.
            unsafe { Gc::<FuncProto>::from_ptr(h.cast()) }
                .cold()
                .liveness = None;
        });
        (self.hooks.debuggable)(self);
    }

    /// Sets the variables in scope of an interpreted frame that are not alive,
    /// apart from those in registers that `kept` accepts, to nil.
    ///
    /// # Safety
    /// `frame` is an active record of that kind, and `kept` registers are
    /// initialised.
    pub unsafe fn clear_dead_locals(&self, frame: *mut FrameRecord, kept: impl Fn(u8) -> bool) {
        // SAFETY: by contract.
        unsafe {
            let closure = Gc::<LuaClosure>::from_payload((*frame).func);
            let pc = FrameRecord::position(frame);
            let proto = closure.proto.proto();
            let in_scope = |l: &&LocalVar| l.start_pc <= pc && pc < l.end_pc;
            for local in proto.locals.iter().filter(in_scope) {
                let alive = kept(local.reg)
                    || !self.debuggable && live_at(closure.proto, pc, local.reg, false);
                if !alive {
                    *FrameRecord::registers(frame).add(local.reg as usize) = Value::NIL;
                }
            }
        }
    }
}
