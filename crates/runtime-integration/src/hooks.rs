//! The border between the tier and running code: hooks of the interpreter,
//! the exit helper, and the few places that follow raw pointers.
//!
//! # Safety
//! What makes the pointers here good:
//! - a hook's `vm` is the VM that runs, on its own thread;
//! - frame records form a list from `vm.frame` down to the base record; a
//!   compiled frame's record holds the code's id and the id of the call site
//!   it is at whenever it is not the running frame;
//! - code that has an active frame or an exit in progress is in the cache,
//!   with its exits and sites, and its literals are code roots of the VM;
//! - prototypes that the tier keeps are code roots too;
//! - lattice cells live as long as the VM.

use crate::account::{Account, Runner};
use crate::policy::Event;
use crate::tier::{Tier, rearm};
use std::sync::atomic::Ordering;
use vela_bytecode::{NO_FEEDBACK, Op, Proto};
use vela_code_cache::{InstalledCode, LiteralPool};
use vela_deopt::{DeoptReason, ExitFrame, SideExit, materialize};
use vela_interpreter::{Raw, resume};
use vela_mir::backend::Backend;
use vela_mir::helper::Helper;
use vela_mir::ir::Watch;
use vela_objects::closure::{LuaClosure, POOL_HELD};
use vela_objects::feedback::{FeedbackSlot, index};
use vela_objects::frame::{FrameKind, FrameRecord, flags};
use vela_objects::intrinsic::Intrinsic;
use vela_objects::shape::FieldInfo;
use vela_objects::{FuncProto, Gc, Table, Value, VmState};

/// Puts the tier's hooks and helpers into a VM. The backend's entries follow
/// with the first code: see [`enable_entries`].
pub(crate) fn plug_in(vm: &mut VmState) {
    vm.hooks.hot_call = hot_call;
    vm.hooks.hot_loop = hot_loop;
    vm.hooks.osr_ended = osr_ended;
    vm.hooks.field_widened = field_widened;
    vm.hooks.trace_compiled = trace_compiled;
    vm.hooks.compiled_pc = compiled_pc;
    vm.hooks.polled = polled;
    vm.hooks.hooked = hooked;
    vm.hooks.debuggable = debuggable;
    vm.hooks.in_window = in_window;
    vm.hooks.leave = leave;
    for &helper in Helper::ALL {
        if let Some(address) = vela_interpreter::helper(helper.name()) {
            vm.helpers[helper as usize] = address;
        }
    }
    vm.helpers[Helper::Exit as usize] = exit as *const u8;
    vm.helpers[Helper::Poll as usize] = poll as *const u8;
    debug_assert!(
        Helper::ALL
            .iter()
            .all(|&h| !vm.helpers[h as usize].is_null())
    );
}

/// Sets the ways into and out of compiled code, unless they are set. Nothing
/// compiled may run before.
pub(crate) fn enable_entries(vm: &mut VmState, backend: &dyn Backend, account: Option<&Account>) {
    if vm.enter_thunk.is_null() {
        vm.enter_thunk = backend.enter_thunk();
        if let Some(account) = account {
            account.watch_entries(vm);
        }
        vm.set_interp_entry(backend.interp_entry().cast_mut());
        vm.set_frames_own_memory(backend.frames_own_memory());
    }
}

fn hot_call(vm: &mut VmState, proto: Gc<FuncProto>) {
    if let Some(tier) = Tier::of(vm) {
        let was = tier.account.get().map(|a| a.switch(Runner::Tier));
        tier.poll(vm);
        if tier.held.get() {
            rearm(vm, proto, vm.hot_calls());
        } else if proto.compiled.is_null() {
            tier.event(vm, proto, Event::HotCall, &[]);
        }
        switch_back(&tier, was);
    }
}

/// The end of the tier's work on the program's thread.
fn switch_back(tier: &Tier, was: Option<Runner>) {
    if let (Some(account), Some(was)) = (tier.account.get(), was) {
        account.switch(was);
    }
}

/// # Safety
/// `frame` is the running interpreted frame.
unsafe fn hot_loop(vm: &mut VmState, frame: *mut FrameRecord, header_pc: u32) -> *const u8 {
    let Some(tier) = Tier::of(vm) else {
        return std::ptr::null();
    };
    // SAFETY: an interpreted record's function is a Lua closure.
    let proto = unsafe { function_of(frame) }.proto;
    let was = tier.account.get().map(|a| a.switch(Runner::Tier));
    tier.poll(vm);
    let exits = vm.exiting().len();
    let find = || tier.loop_entry(proto, header_pc, exits);
    if find().is_null() && !tier.held.get() {
        let count = proto.max_stack as usize;
        // SAFETY: the frame's registers are in the stack mapping, which is
        // initialised memory; any bits are a `Value`.
        let registers: Vec<Value> = (0..count)
            .map(|i| unsafe { *FrameRecord::registers(frame).add(i) })
            .collect();
        tier.event(vm, proto, Event::HotLoop { pc: header_pc }, &registers);
    }
    switch_back(&tier, was);
    find()
}

fn osr_ended(vm: &mut VmState, proto: Gc<FuncProto>, header_pc: u32, accepted: bool) {
    let Some(tier) = Tier::of(vm) else { return };
    if accepted {
        tier.counters.bump(|c| &c.osr_entries);
        tier.reclaim(vm);
    } else {
        tier.counters.bump(|c| &c.osr_rejected);
        tier.event(vm, proto, Event::Rejected { pc: header_pc }, &[]);
    }
}

fn polled(vm: &mut VmState) {
    if let Some(tier) = Tier::of(vm) {
        tier.install_finished(vm);
    }
}

fn hooked(vm: &mut VmState) {
    if let Some(tier) = Tier::of(vm) {
        tier.hooks_changed(vm);
    }
}

fn debuggable(vm: &mut VmState) {
    if let Some(tier) = Tier::of(vm) {
        tier.became_debuggable(vm);
    }
}

/// # Safety
/// `frame` is an active record of kind `COMPILED`.
unsafe fn in_window(vm: &VmState, frame: *mut FrameRecord, register: u8) -> bool {
    // SAFETY: an active record.
    let (code, site) = unsafe { ((*frame).nargs, FrameRecord::position(frame)) };
    let Some(tier) = Tier::of(vm) else {
        return false;
    };
    let site = |code: &InstalledCode| Some(code.sites.get(site as usize)?.live.contains(&register));
    tier.cache().with(code, site).flatten() == Some(true)
}

/// # Safety
/// `frame` is an active record of kind `COMPILED`.
unsafe fn leave(vm: &mut VmState, frame: *mut FrameRecord) {
    // SAFETY: an active record.
    let code = unsafe { (*frame).nargs };
    if let Some(tier) = Tier::of(vm)
        && let Some(owner) = tier.cache().with(code, |code| code.owner)
    {
        tier.leave(owner);
    }
}

fn field_widened(vm: &mut VmState, field: &FieldInfo) {
    if let Some(tier) = Tier::of(vm) {
        tier.field_widened(vm, field);
    }
}

/// # Safety
/// `frame` is an active record of kind `COMPILED`.
unsafe fn trace_compiled(vm: &VmState, frame: *mut FrameRecord, visit: &mut dyn FnMut(*mut Value)) {
    let Some(tier) = Tier::of(vm) else { return };
    // SAFETY: an active record.
    let (code, site) = unsafe { ((*frame).nargs, FrameRecord::position(frame)) };
    tier.cache().with(code, |code| {
        let Some(site) = code.sites.get(site as usize) else {
            return;
        };
        for &r in &site.live {
            // The site's live registers are current in the window.
            visit(FrameRecord::registers(frame).wrapping_add(r.into()));
        }
    });
    tier.cache().touch(code);
}

/// # Safety
/// `frame` is an active record of kind `COMPILED`.
unsafe fn compiled_pc(vm: &VmState, frame: *mut FrameRecord) -> u32 {
    // SAFETY: an active record.
    let (code, site) = unsafe { ((*frame).nargs, FrameRecord::position(frame)) };
    Tier::of(vm)
        .and_then(|tier| {
            tier.cache()
                .with(code, |code| code.sites.get(site as usize).map(|s| s.pc))
        })
        .flatten()
        .unwrap_or(0)
}

/// The poll of compiled loops: see `docs/abi.md`. The poll of a function's
/// prologue is the interpreter's, without the tier's turn: the function has no
/// record yet, so that its code would not count as running.
///
/// # Safety
/// Called by compiled code in its frame `fp`, with a current record.
unsafe extern "C" fn poll(vm: *mut VmState, fp: *mut FrameRecord) -> u64 {
    // SAFETY: by contract; compiled code holds no reference into the VM.
    let (vm, proto) = unsafe { (&mut *vm, function_of(fp).proto) };
    let tier = Tier::of(vm).expect("compiled code runs only with a tier");
    if vela_interpreter::safepoint(vm) {
        tier.leave_once(proto.id);
    }
    tier.poll(vm);
    0
}

/// The exit helper: see `docs/abi.md`.
///
/// # Safety
/// Called by compiled code of `closure` in its frame `fp`, with the exit's
/// dynamic values in `vm.exit_words`.
pub(crate) unsafe extern "C" fn exit(
    vm: *mut VmState,
    fp: *mut FrameRecord,
    closure: *mut LuaClosure,
    code_exit: u64,
) -> Raw {
    // SAFETY: by contract; compiled code holds no reference into the VM.
    let (vm, closure) = unsafe { (&mut *vm, Gc::from_ptr(closure)) };
    // SAFETY: by contract.
    let Some(hand_out_tail_calls) = (unsafe { rebuild(vm, fp, closure, code_exit) }) else {
        // SAFETY: the frame that just ran.
        vm.frame = unsafe { (*fp).prev };
        return Raw::ERROR;
    };
    // SAFETY: `vm.frame` is interpreted and its outermost rebuilt frame is
    // flagged as an entry.
    let result = unsafe { resume(vm, fp, hand_out_tail_calls) };
    vm.exiting().pop();
    result
}

/// Everything that an exit does before the interpreter goes on. A function of
/// its own, because exits nest as deep as Lua calls do and its stack frame is
/// large. Returns whether a tail call may be the exit's result; nothing if an
/// error is in flight that the protected calls in the code cannot catch.
///
/// # Safety
/// As [`exit`].
#[inline(never)]
unsafe fn rebuild(
    vm: &mut VmState,
    fp: *mut FrameRecord,
    closure: Gc<LuaClosure>,
    code_exit: u64,
) -> Option<bool> {
    let tier = Tier::of(vm).expect("compiled code runs only with a tier");
    let id = (code_exit >> 32) as u32;
    let exit = code_exit as u32;
    let code = tier.cache().get(id).expect("running code is in the cache");
    let plan = &code.exits[exit as usize];
    let proto = closure.proto;
    let raised = plan.frames.last().is_some_and(ExitFrame::is_native);
    if raised && vm.is_dying() {
        return None;
    }
    let leave = tier.stay(proto.id);
    // SAFETY: the pool of a function that has code.
    let held = unsafe { !proto.pool.is_null() && *proto.pool == POOL_HELD };
    let interrupted = (leave || held) && plan.reason == DeoptReason::Invalidated;
    // SAFETY: the code just left through this exit.
    unsafe { materialize(vm, plan, fp, closure, proto.pool) };
    // SAFETY: the outermost of the frames that were just rebuilt.
    unsafe {
        if FrameRecord::is_tail_called(fp) {
            (*fp).flags |= flags::TAIL;
        }
    }
    if vm.is_debuggable() {
        // SAFETY: the frames that were just rebuilt.
        unsafe { settle_locals(vm, plan, fp) };
    }
    if held {
        tier.release_pools(vm);
    }
    vm.exiting().push(id);
    let hand_out_tail_calls = code.osr_pc.is_none() || !proto.is_vararg;
    if interrupted {
        // The code is as good as before.
        return Some(hand_out_tail_calls);
    }
    let innermost = if raised {
        // SAFETY: the frame that calls `pcall`, which was just rebuilt.
        unsafe { (*vm.frame).prev }
    } else {
        vm.frame
    };
    // SAFETY: the frame that was just rebuilt.
    let inside = unsafe { function_of(innermost) }.proto.id;
    tier.exit_taken(vm, &code, exit, proto, inside, |vm| {
        // SAFETY: the frame that was just rebuilt.
        unsafe { record_failure(vm, innermost, plan.origin, plan.reason) };
    });
    Some(hand_out_tail_calls)
}

/// Brings the local variables of rebuilt frames up to date: those that the
/// code did not keep, and those that were assigned to meanwhile.
///
/// # Safety
/// The frames from `vm.frame` down to `fp` were rebuilt from `exit`.
unsafe fn settle_locals(vm: &mut VmState, exit: &SideExit, fp: *mut FrameRecord) {
    let mut frame = vm.frame;
    for rebuilt in exit.frames.iter().rev() {
        // SAFETY: by contract; the frames' registers are those of the exit.
        unsafe {
            if !rebuilt.is_native() {
                vm.clear_dead_locals(frame, |reg| rebuilt.regs.iter().any(|r| r.0 == reg));
            }
            frame = (*frame).prev;
        }
    }
    if vm.has_local_writes() {
        vm.apply_local_writes(fp);
    }
}

/// Marks a speculation as failed in the feedback of the instruction at `pc`,
/// so that the next compilation does without.
///
/// # Safety
/// `frame` is a rebuilt interpreted frame.
unsafe fn record_failure(vm: &VmState, frame: *mut FrameRecord, pc: u32, reason: DeoptReason) {
    // SAFETY: by contract.
    let proto = unsafe { function_of(frame) }.proto;
    let code = proto.proto();
    if let Some(slot) = feedback_slot(code, pc)
        && let Some(slot) = proto.cold().feedback.get_mut(slot as usize)
    {
        // SAFETY: by contract.
        let learned = unsafe {
            match reason {
                DeoptReason::Shape => {
                    receiver(frame, pc).is_some_and(|t| expects(slot, t))
                        || set_metatable(frame, pc).is_some_and(|(t, mt)| vm.is_noted(slot, t, mt))
                }
                // Another closure of a function that the site knows.
                DeoptReason::Callee => {
                    let known = |f: Gc<LuaClosure>| {
                        let mut all = slot.ways().chain(slot.protected());
                        all.any(|w| w.shape == f.proto.addr())
                    };
                    callee(frame, pc).is_some_and(known)
                }
                _ => false,
            }
        };
        if !learned {
            slot.failed |= reason.bit();
        }
    }
    // SAFETY: by contract.
    if unsafe { (*frame).pc } == u32::from(code.is_vararg) {
        // The guards on the arguments are here; what came now is one of the
        // types to expect.
        for i in 0..usize::from(code.num_params).min(8) {
            // SAFETY: parameters are the first registers; a live prototype,
            // which only this thread writes.
            unsafe {
                let tag = (*FrameRecord::registers(frame).add(i)).tag;
                (*proto.as_ptr()).arg_tags[i] |= 1 << (tag.0 & 15);
            }
        }
    }
}

/// Ways up to which a site that met a new shape is compiled for all shapes
/// that it saw, and no others, once more.
const FEW_WAYS: usize = 4;

/// Whether the site has learned how to access the table since the code that
/// failed was compiled. Code that knows the new shape, too, is as good as the
/// speculation that failed; a site that keeps meeting others gets a lookup. A table
/// of a shape that the code left out as outgrown is expected from now on.
fn expects(slot: &mut FeedbackSlot, table: Gc<Table>) -> bool {
    let shape = table.shape as u64;
    let outgrown = match slot.ways().find(|w| w.shape == shape) {
        None => return false,
        Some(way) => slot.is_outgrown(way),
    };
    if outgrown {
        slot.index |= index::OUTGROWN;
    }
    slot.ways().count() <= FEW_WAYS
}

/// The table whose field the instruction at `pc` accesses, if that is what is
/// to be executed next in the frame.
///
/// # Safety
/// `frame` is a rebuilt interpreted frame.
unsafe fn receiver(frame: *mut FrameRecord, pc: u32) -> Option<Gc<Table>> {
    // SAFETY: by contract.
    let (proto, resumes_at) = unsafe { (function_of(frame).proto, (*frame).pc) };
    let instr = *proto.proto().code.get(pc as usize)?;
    let register = match instr.op()? {
        Op::GetField | Op::SelfGet => usize::from(instr.b()),
        Op::SetField => usize::from(instr.a()),
        _ => return None,
    };
    if resumes_at != pc {
        return None;
    }
    // SAFETY: by contract; a register of the instruction.
    unsafe { (*FrameRecord::registers(frame).add(register)).as_table() }
}

/// The Lua function that the instruction at `pc` calls, itself or by `pcall`, if
/// that is what is to be executed next in the frame.
///
/// # Safety
/// As [`receiver`].
unsafe fn callee(frame: *mut FrameRecord, pc: u32) -> Option<Gc<LuaClosure>> {
    // SAFETY: by contract.
    let (proto, resumes_at) = unsafe { (function_of(frame).proto, (*frame).pc) };
    let instr = *proto.proto().code.get(pc as usize)?;
    let is_call = matches!(instr.op()?, Op::Call | Op::TailCall);
    if resumes_at != pc || !is_call {
        return None;
    }
    // SAFETY: by contract; registers of the instruction. What `pcall` calls is
    // its first argument.
    unsafe {
        let at = FrameRecord::registers(frame).add(usize::from(instr.a()));
        match (*at).as_native_fn() {
            Some(f) if f.known() == Intrinsic::PCall && instr.b() > 1 => {
                (*at.add(vela_bytecode::FRAME_SLOTS)).as_lua_fn()
            }
            _ => (*at).as_lua_fn(),
        }
    }
}

/// The table and the metatable, if the instruction at `pc` may be a call of
/// `setmetatable` and is what is to be executed next in the frame.
///
/// # Safety
/// As [`receiver`].
unsafe fn set_metatable(frame: *mut FrameRecord, pc: u32) -> Option<(Gc<Table>, Gc<Table>)> {
    // SAFETY: by contract.
    let (proto, resumes_at) = unsafe { (function_of(frame).proto, (*frame).pc) };
    let instr = *proto.proto().code.get(pc as usize)?;
    let is_call = matches!(instr.op()?, Op::Call | Op::TailCall) && usize::from(instr.b()) == 3;
    if resumes_at != pc || !is_call {
        return None;
    }
    // SAFETY: by contract; the arguments are behind the callee's two registers.
    unsafe {
        let args = FrameRecord::registers(frame).add(usize::from(instr.a()) + 2);
        Some(((*args).as_table()?, (*args.add(1)).as_table()?))
    }
}

/// The feedback slot of the instruction at `pc`, if it has one.
fn feedback_slot(proto: &Proto, pc: u32) -> Option<u16> {
    let instr = *proto.code.get(pc as usize)?;
    let format = instr.op()?.format().as_bytes();
    let at = format.iter().position(|&c| c == b'F')?;
    let slot = match at {
        1 => instr.b(),
        2 => instr.c(),
        _ => instr.d(),
    };
    (slot != NO_FEEDBACK).then_some(slot)
}

/// # Safety
/// `frame` is the record of a Lua function.
unsafe fn function_of(frame: *mut FrameRecord) -> Gc<LuaClosure> {
    // SAFETY: by contract.
    unsafe { Gc::from_ptr((*frame).func as *mut LuaClosure) }
}

/// Makes calls of `proto`, or its loop, enter `code`. Without `direct_loops`
/// the interpreter asks the tier for loop entries each time.
pub(crate) fn link(
    proto: Gc<FuncProto>,
    code: &InstalledCode,
    pool: &LiteralPool,
    direct_loops: bool,
) {
    // SAFETY: a prototype that the tier keeps alive; only this thread writes
    // it. The code stays linked only while it is in the cache.
    unsafe {
        let p = proto.as_ptr();
        (*p).pool = pool.as_ptr();
        if code.osr_pc.is_none() {
            (*p).compiled = code.entry();
        }
    }
    match code.osr_pc {
        None => proto
            .entry
            .store(code.entry().cast_mut(), Ordering::Release),
        Some(pc) if direct_loops => proto.set_osr_entry(pc, code.entry()),
        Some(_) => {}
    }
}

/// Makes calls and loops of `proto` go to the interpreter. The pool stays for
/// frames that run with it.
pub(crate) fn unlink(vm: &VmState, proto: Gc<FuncProto>) {
    proto.entry.store(vm.interp_entry, Ordering::Release);
    // SAFETY: as in `link`.
    unsafe { (*proto.as_ptr()).compiled = std::ptr::null() };
    proto.cold().osr.clear();
}

/// No code of `proto` is left to run with its pool.
pub(crate) fn drop_pool(proto: Gc<FuncProto>) {
    // SAFETY: as in `link`.
    unsafe { (*proto.as_ptr()).pool = std::ptr::null_mut() };
}

/// Whether every lattice cell still has the level that code relies on; then
/// marks them as watched.
pub(crate) fn watch(_vm: &VmState, watches: &[Watch]) -> bool {
    let cell = |w: &Watch| w.field as *mut FieldInfo;
    // SAFETY: lattice cells of this VM, which live as long as it does and are
    // written by this thread only.
    unsafe {
        let holds = watches.iter().all(|w| (*cell(w)).kind.0 == w.level);
        if holds {
            for w in watches {
                (*cell(w)).watched = true;
            }
        }
        holds
    }
}

/// Keeps heap objects alive for code or for a compilation.
pub(crate) fn keep_alive(vm: &mut VmState, key: u64, objects: Vec<u64>) {
    // SAFETY: addresses from a snapshot just taken or kept alive since, and
    // from the pool of code that is being installed, which came from one.
    unsafe { vm.keep_code_roots(key, objects) };
}

/// Visits the code ids of all compiled frames and unfinished exits, of every
/// coroutine. Returns how many frames and coroutines there are.
pub(crate) fn active_codes(vm: &VmState, mut visit: impl FnMut(u32)) -> usize {
    let mut looked_at = 0;
    vm.visit_threads(|innermost, exiting| {
        exiting.iter().copied().for_each(&mut visit);
        let mut frame = innermost;
        while !frame.is_null() {
            // SAFETY: records of active frames form a list down to the base.
            let record = unsafe { &*frame };
            if record.kind == FrameKind::COMPILED {
                visit(record.nargs);
            }
            frame = record.prev;
            looked_at += 1;
        }
    });
    looked_at
}
