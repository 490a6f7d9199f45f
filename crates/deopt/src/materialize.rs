//! Rebuilding interpreter frames from a side exit.
//!
//! Compiled frames use the same windows on the VM stack as interpreted ones,
//! so a frame is rebuilt in place: registers that compiled code kept in
//! machine registers are written to their slots, and the frame records are
//! filled in. The work is a transaction: every source is read before the first
//! slot is written, because an exit may name a slot both as a source and as a
//! target. Objects that compiled code did without are made first. Allocation
//! never collects, and nothing here runs Lua code, so the collector never sees
//! a frame that is half rebuilt.
//!
//! In debug builds the slots of dead registers are overwritten with
//! [`POISON`]: an interpreter or frame state that wrongly takes one for live
//! computes nonsense soon instead of working by luck.

use crate::exit::{ExitFrame, SideExit, Source, VirtualObject};
use smallvec::SmallVec;
use vela_bytecode::flow;
use vela_objects::closure::LuaClosure;
use vela_objects::frame::{FrameKind, FrameRecord, flags};
use vela_objects::object::Cell;
use vela_objects::shape::Shape;
use vela_objects::{FuncProto, Gc, Tag, Value, VmState};

/// What debug builds put into dead registers: a light userdata, which the
/// collector ignores.
pub const POISON: Value = Value::light(0xdead_beef_dead_beef);

/// Pool word of literal 0; the word before it is the code's invalidation flag.
pub const POOL_FIRST: usize = 1;

pub use vela_objects::closure::{POOL_HELD, POOL_LEAVE, POOL_REPLACED};

/// Frames that a side exit rebuilt. A frame that `pcall` called is flagged
/// [`ENTRY`](vela_objects::frame::flags::ENTRY), too: whoever runs the frames
/// does then what `pcall` does with results and errors.
#[derive(Clone, Copy, Debug)]
pub struct Rebuilt {
    /// The compiled function's own frame, flagged
    /// [`ENTRY`](vela_objects::frame::flags::ENTRY): when it ends, the
    /// interpreter returns to the compiled code's caller.
    pub outermost: *mut FrameRecord,
    /// The frame that resumes; also the VM's running frame now.
    pub innermost: *mut FrameRecord,
}

struct Plan {
    record: *mut FrameRecord,
    function: Value,
    /// Registers from here on belong to the frame inlined into this one.
    end: u16,
    writes: SmallVec<[(u8, Value); 24]>,
}

impl Plan {
    /// The prototype of a Lua function.
    fn proto(&self) -> Option<Gc<FuncProto>> {
        self.function.as_lua_fn().map(|c| c.proto)
    }
}

/// Rebuilds the frames of `exit` and makes the innermost the VM's running
/// frame, ready to execute the instruction at its `pc`.
///
/// `fp` is the record of the compiled function's frame, whether it was pushed
/// or not; `closure` the function that ran; `pool` its literal pool. A record
/// that was pushed keeps its caller, its vararg count and its flags. Linear in
/// the number of registers named by the exit.
///
/// # Safety
/// `exit` belongs to the code of `closure` that just left with its dynamic
/// values in `vm.exit_words`; `fp` is that code's frame in the VM's stack with
/// room for the registers of every frame of the exit; `pool` is the literal
/// pool the code ran with.
pub unsafe fn materialize(
    vm: &mut VmState,
    exit: &SideExit,
    fp: *mut FrameRecord,
    closure: Gc<LuaClosure>,
    pool: *const u64,
) -> Rebuilt {
    debug_assert!(!exit.frames.is_empty() && !exit.before_commit);
    let mut from = Sources {
        closure,
        pool,
        objects: Vec::with_capacity(exit.objects.len()),
    };
    for object in &exit.objects {
        // SAFETY: the contract of this function.
        let made = unsafe { from.make(vm, object) };
        from.objects.push(made);
    }
    let mut plans: SmallVec<[Plan; 2]> = SmallVec::new();
    let mut record = fp;
    let mut function = Value::lua_fn(closure);
    for (i, frame) in exit.frames.iter().enumerate() {
        if let Some(at) = frame.inlined {
            record = FrameRecord::registers(record)
                .wrapping_add(at.a as usize)
                .cast();
            // SAFETY: the contract of this function.
            function = unsafe { from.read(vm, at.closure) };
        }
        let all = function
            .as_lua_fn()
            .map_or(0, |c| u16::from(c.proto.max_stack));
        let inner = exit.frames.get(i + 1).and_then(|inner| inner.inlined);
        let end = inner.map_or(all, |at| u16::from(at.a));
        // The list that the resuming instruction uses may be longer than that.
        let list = exit.top.filter(|_| i + 1 == exit.frames.len());
        let end = end.max(list.map_or(0, u16::from));
        let mut writes = SmallVec::new();
        for &(reg, source) in &frame.regs {
            if source != Source::InWindow && u16::from(reg) < end {
                // SAFETY: the contract of this function.
                writes.push((reg, unsafe { from.read(vm, source) }));
            }
        }
        plans.push(Plan {
            record,
            function,
            end,
            writes,
        });
    }
    // From here on the window may be written.
    let pushed = vm.frame == fp;
    let mut caller = vm.frame;
    let mut protected = false;
    for (i, (plan, frame)) in plans.iter().zip(&exit.frames).enumerate() {
        let keeps = pushed && i == 0;
        let proto = plan.proto();
        let is_vararg = i == 0 && proto.is_some_and(|p| p.is_vararg);
        // SAFETY: the record's two slots are in the frame's part of the stack.
        // A record that was pushed, and that of a vararg frame, is initialised.
        unsafe {
            let old_flags = if keeps { (*plan.record).flags } else { 0 };
            let nvarargs = match frame.inlined {
                Some(at) => u32::from(at.nvarargs),
                None if keeps || is_vararg => (*plan.record).nvarargs,
                None => 0,
            };
            let prev = if keeps { (*plan.record).prev } else { caller };
            plan.record.write(FrameRecord {
                func: plan.function.payload,
                tag: plan.function.tag,
                kind: match proto {
                    Some(_) => FrameKind::INTERPRETED,
                    None => FrameKind::NATIVE,
                },
                flags: match frame.inlined {
                    Some(at) => {
                        let flag = |set, flag| if set { flag } else { 0 };
                        flag(at.tail, flags::TAIL)
                            | flag(protected, flags::ENTRY)
                            | flag(proto.is_none(), flags::IN_PLACE)
                    }
                    None => old_flags | flags::ENTRY,
                },
                marks: 0,
                nvarargs,
                prev,
                pc: if proto.is_some() { frame.pc } else { 0 },
                nargs: 0,
            });
        }
        protected = proto.is_none();
        let registers = FrameRecord::registers(plan.record);
        for &(reg, value) in &plan.writes {
            // SAFETY: registers of the frame are in its part of the stack.
            unsafe { registers.add(reg as usize).write(value) };
        }
        if cfg!(debug_assertions) {
            // SAFETY: as above.
            unsafe { poison(plan, frame) };
        }
        caller = plan.record;
    }
    vm.frame = caller;
    if let Some(top) = exit.top {
        vm.top = FrameRecord::registers(caller).wrapping_add(top as usize);
    }
    Rebuilt {
        outermost: fp,
        innermost: caller,
    }
}

/// Where an exit's values come from, besides `vm.exit_words`.
struct Sources {
    closure: Gc<LuaClosure>,
    pool: *const u64,
    /// Objects made so far.
    objects: Vec<Value>,
}

impl Sources {
    /// # Safety
    /// As [`materialize`].
    unsafe fn literal(&self, slot: u32) -> u64 {
        // SAFETY: the exit names slots of its own code's pool.
        unsafe { *self.pool.add(POOL_FIRST + slot as usize) }
    }

    /// # Safety
    /// As [`materialize`].
    unsafe fn read(&self, vm: &VmState, source: Source) -> Value {
        let word = |i: u32| vm.exit_words[i as usize];
        match source {
            Source::Constant { tag, payload } => Value { payload, tag },
            Source::Literal { slot, tag } => Value {
                // SAFETY: by contract.
                payload: unsafe { self.literal(slot) },
                tag,
            },
            Source::Word { word: w, tag } => Value {
                payload: word(w),
                tag,
            },
            Source::Tagged { word: w } => Value {
                payload: word(w),
                tag: Tag(word(w + 1) as u8),
            },
            Source::SelfClosure => Value::lua_fn(self.closure),
            Source::Object(n) => self.objects[n as usize],
            Source::InWindow => unreachable!("registers in the window are not read"),
        }
    }

    /// Makes an object.
    ///
    /// # Safety
    /// As [`materialize`].
    unsafe fn make(&self, vm: &mut VmState, object: &VirtualObject) -> Value {
        // SAFETY: by contract.
        let read = |vm: &VmState, source: Source| unsafe { self.read(vm, source) };
        match object {
            VirtualObject::Table { shape, slots } => {
                let values: SmallVec<[Value; 8]> = slots.iter().map(|&s| read(vm, s)).collect();
                // SAFETY: the slot holds a shape, all of whose slots are given.
                let table = unsafe {
                    let shape = self.literal(*shape) as *mut Shape;
                    vm.table_of_shape(shape, &values)
                };
                Value::table(table)
            }
            VirtualObject::Cell(content) => {
                let content = read(vm, *content);
                Value {
                    payload: vm.cell(content).addr(),
                    tag: Tag::CELL,
                }
            }
            VirtualObject::Closure {
                parent,
                child,
                cells,
            } => {
                let parent = read(vm, *parent)
                    .as_lua_fn()
                    .expect("the parent of a closure is one");
                let cells: SmallVec<[Value; 8]> = cells.iter().map(|&s| read(vm, s)).collect();
                let proto = parent.proto.cold().children[*child as usize];
                // SAFETY: the builder puts nothing but cells there.
                let cell = |n: usize| unsafe { Gc::from_ptr(cells[n].payload as *mut Cell) };
                Value::lua_fn(vm.closure(proto, cell, cells.len()))
            }
        }
    }
}

/// Overwrites the registers that the exit does not name.
///
/// # Safety
/// The plan's frame has been rebuilt.
unsafe fn poison(plan: &Plan, frame: &ExitFrame) {
    let Some(proto) = plan.proto() else { return };
    let proto = proto.proto();
    let mut live = [false; 256];
    for &(reg, _) in &frame.regs {
        live[reg as usize] = true;
    }
    let pc = frame.pc as usize;
    let open = proto
        .code
        .get(pc)
        .and_then(|&i| flow::consumes_open(i))
        .and_then(|_| proto.code.get(pc.checked_sub(1)?))
        .and_then(|&before| flow::opens(before))
        .map_or(plan.end, u16::from);
    let registers = FrameRecord::registers(plan.record);
    for reg in 0..plan.end.min(open) {
        if !live[reg as usize] {
            // SAFETY: a register of the frame.
            unsafe { registers.add(reg as usize).write(POISON) };
        }
    }
}
