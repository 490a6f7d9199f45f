//! Calls, returns, and the border to natives and compiled code.
//!
//! The dispatch loop pushes frames of interpreted Lua functions itself when
//! nothing special is going on; everything else comes here and answers with a
//! [`Status`].

use crate::frames::{
    LUA_WORD, closure, copy, copy_down, distance, fill_nil, proto, record, save_pc, store,
};
use crate::ic;
use crate::trace;
use crate::unwind::{self, stack_overflow};
use vela_bytecode::{FRAME_SLOTS, Instr, Op};
use vela_objects::closure::{FuncProto, LuaClosure, NativeClosure};
use vela_objects::debug::Operand;
use vela_objects::feedback::FeedbackSlot;
use vela_objects::frame::{FrameKind, FrameRecord, TAIL_CALLED, flags};
use vela_objects::meta::Event;
use vela_objects::shape::META;
use vela_objects::{Args, Gc, LuaResult, Ret, Tag, Value, VmState};

/// What the dispatch loop does next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// An error was raised.
    Error,
    /// Go on with the next instruction of the same frame.
    Done,
    /// The frame changed: go on in `vm.frame` at its pc.
    Reload,
    /// As [`Status::Reload`], in the loop that the VM wants now: the running
    /// thread has a debug hook, or none any more.
    Switch,
    /// The entry frame returned; its results are at `vm.ret_base`.
    Exit,
}

/// How the dispatch loop ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As [`Status::Exit`].
    Exit,
    /// As [`Status::Error`].
    Error,
    /// As [`Status::Switch`].
    Switch,
}

/// Slots that a native may use before it has to look at the limit.
const NATIVE_SLOTS: usize = 64;

/// C-ABI thunk into compiled code; see `VmState::enter_thunk`.
type EnterThunk = unsafe extern "C" fn(
    entry: *const u8,
    vm: *mut VmState,
    fp: *mut Value,
    closure: *mut LuaClosure,
    desc: u64,
    args: *const [u64; 3],
    out: *mut [u64; 2],
);

/// A result in the convention of compiled code.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Raw {
    /// Payload, or a number that goes with the tag.
    pub payload: u64,
    /// A value's tag or one of `Tag::RET_*`.
    pub tag: u64,
}

impl Raw {
    /// An error is in flight.
    pub const ERROR: Raw = Raw {
        payload: 0,
        tag: Tag::RET_ERROR.0 as u64,
    };

    #[inline]
    pub(crate) fn value(v: Value) -> Raw {
        Raw {
            payload: v.payload,
            tag: u64::from(v.tag.0),
        }
    }
}

/// Enters the code at `entry` with the arguments laid out at `at`.
///
/// # Safety
/// `at` holds a Lua closure whose code `entry` is, and `nargs` arguments.
pub(crate) unsafe fn enter_compiled(
    vm: &mut VmState,
    entry: *const u8,
    at: *mut Value,
    nargs: usize,
) -> Raw {
    let mut args = [0u64; 3];
    let mut desc = nargs as u64 & 0xffff_ffff;
    // SAFETY: arguments are initialised; the thunk was set with the code.
    unsafe {
        let c = (*at).payload as *mut LuaClosure;
        let first = at.add(FRAME_SLOTS);
        for (i, arg) in args.iter_mut().enumerate().take(nargs) {
            *arg = (*first.add(i)).payload;
            desc |= u64::from((*first.add(i)).tag.0) << (32 + 8 * i);
        }
        let params = (*(*c).proto.as_ptr()).num_params as usize;
        if nargs < params {
            fill_nil(first.add(nargs), params - nargs);
        }
        run_compiled(vm, entry, at, c, desc, &args)
    }
}

/// Calls the thunk.
///
/// # Safety
/// The arguments are as `entry` expects them.
#[inline]
unsafe fn run_compiled(
    vm: &mut VmState,
    entry: *const u8,
    fp: *mut Value,
    c: *mut LuaClosure,
    desc: u64,
    args: &[u64; 3],
) -> Raw {
    let mut out = [0u64; 2];
    // SAFETY: `enter_thunk` has this signature by contract and is set before
    // any code is installed.
    unsafe {
        let thunk: EnterThunk = std::mem::transmute(vm.enter_thunk);
        thunk(entry, vm, fp, c, desc, args, &mut out);
        // What the code ended in was perhaps reached by a tail call.
        (*vm.frame).pc &= !TAIL_CALLED;
    }
    Raw {
        payload: out[0],
        tag: out[1] & 0xff,
    }
}

/// Values that a call gave, or why it gave none.
pub(crate) enum Outcome {
    /// Values at this address.
    Values(*mut Value, usize),
    /// A frame of an interpreted function was pushed.
    Frame,
    /// An error was raised.
    Error,
}

/// Sorts a compiled function's result: values (a single one is put at `at`),
/// an error, or a pending tail call of the function at `at` with `Err(nargs)`.
///
/// # Safety
/// `at` is a free slot of the stack where the call was made.
#[inline]
pub(crate) unsafe fn compiled_outcome(
    vm: &mut VmState,
    at: *mut Value,
    r: Raw,
) -> Result<Outcome, usize> {
    match Tag(r.tag as u8) {
        Tag::RET_NONE => Ok(Outcome::Values(at, 0)),
        Tag::RET_MULTI => Ok(Outcome::Values(vm.ret_base, vm.ret_count as usize)),
        Tag::RET_ERROR => Ok(Outcome::Error),
        Tag::RET_TAIL => Err(r.payload as usize),
        tag => {
            let v = Value {
                payload: r.payload,
                tag,
            };
            // SAFETY: by contract.
            unsafe { store(at, v) };
            Ok(Outcome::Values(at, 1))
        }
    }
}

/// Calls whatever is at `at`. Interpreted functions get a frame with
/// `frame_flags` and are not run. `vm.frame` is the caller's record, current.
///
/// # Safety
/// The function is at `at`, its `nargs` arguments behind it; nothing above is
/// in use.
pub(crate) unsafe fn start_call(
    vm: &mut VmState,
    at: *mut Value,
    nargs: usize,
    frame_flags: u8,
) -> Outcome {
    let (mut nargs, mut frame_flags) = (nargs, frame_flags);
    loop {
        // SAFETY: by contract.
        unsafe {
            match (*at).tag {
                Tag::LUA_FN => {
                    let c = (*at).payload as *mut LuaClosure;
                    let p = (*c).proto.as_ptr();
                    let mut compiled = (*p).compiled;
                    if compiled.is_null() {
                        count_call(vm, p, at.add(FRAME_SLOTS), nargs);
                        compiled = (*p).compiled;
                    }
                    if compiled.is_null() {
                        return push_frame(vm, at, nargs, frame_flags);
                    }
                    if frame_flags & flags::TAIL != 0 {
                        (*vm.frame).pc |= TAIL_CALLED;
                    }
                    let r = enter_compiled(vm, compiled, at, nargs);
                    match compiled_outcome(vm, at, r) {
                        Ok(outcome) => return outcome,
                        Err(n) => {
                            nargs = n;
                            frame_flags |= flags::TAIL;
                        }
                    }
                }
                Tag::NATIVE_FN => return call_native(vm, at, nargs),
                _ => {
                    if !prepare_call_meta(vm, at, nargs) {
                        return Outcome::Error;
                    }
                    nargs += 1;
                }
            }
        }
    }
}

/// Puts the `__call` metamethod of the value at `at` in its place, with the
/// value as first argument. Returns false after raising an error.
///
/// # Safety
/// As [`start_call`].
#[cold]
#[inline(never)]
unsafe fn prepare_call_meta(vm: &mut VmState, at: *mut Value, nargs: usize) -> bool {
    // SAFETY: by contract; the slots above the arguments are free.
    unsafe {
        let f = Value {
            payload: (*at).payload,
            tag: (*at).tag,
        };
        let mm = vm.metamethod(f, Event::Call);
        if mm.is_nil() {
            let _ = vm.type_error("call", f, Operand::Callee);
            return false;
        }
        let first = at.add(FRAME_SLOTS);
        if first.add(nargs + 1) >= vm.real_stack_limit {
            let _ = stack_overflow(vm);
            return false;
        }
        for i in (0..nargs).rev() {
            copy(first.add(i + 1), first.add(i));
        }
        store(first, f);
        store(at, mm);
        true
    }
}

/// Records the call of what is no function: which metamethod stands for it.
///
/// # Safety
/// `fb` is the site's feedback slot, `at` the called value.
#[cold]
#[inline(never)]
unsafe fn note_callable(vm: &mut VmState, fb: *mut FeedbackSlot, at: *const Value) {
    // SAFETY: by contract.
    unsafe {
        (*fb).count = (*fb).count.wrapping_add(1);
        let callee = Value {
            payload: (*at).payload,
            tag: (*at).tag,
        };
        if let Some(class) = callee.as_table().filter(|t| t.shape().flags & META != 0) {
            // What the table's objects do would give it one later.
            class.make_singleton(vm);
        }
        ic::note_metamethod(vm, fb, [callee, Value::NIL], Event::Call);
    }
}

/// Counts an interpreted call of `p`; reports it when it got hot.
///
/// # Safety
/// `args` are the call's `nargs` arguments.
#[inline]
pub(crate) unsafe fn count_call(
    vm: &mut VmState,
    p: *mut FuncProto,
    args: *const Value,
    nargs: usize,
) {
    // SAFETY: a live prototype.
    unsafe {
        let n = (*p).calls.get().wrapping_add(1);
        (*p).calls.set(n);
        if n <= vm.note_calls {
            note_call(vm, p, args, nargs, n);
        }
    }
}

/// Records argument tags of a call while the function is cold, and reports it
/// at the threshold.
///
/// # Safety
/// As [`count_call`]; `n` is the number of the call.
#[cold]
#[inline(never)]
pub(crate) unsafe fn note_call(
    vm: &mut VmState,
    p: *mut FuncProto,
    args: *const Value,
    nargs: usize,
    n: u32,
) {
    // SAFETY: by contract; a live prototype.
    unsafe {
        let tags = &mut (*p).arg_tags;
        let params = ((*p).num_params as usize).min(tags.len());
        for (i, seen) in tags.iter_mut().enumerate().take(params) {
            let tag = if i < nargs { (*args.add(i)).tag.0 } else { 0 };
            *seen |= 1 << (tag & 15);
        }
        if n == vm.hot_calls() {
            let hook = vm.hooks.hot_call;
            hook(vm, Gc::from_ptr(p));
        }
    }
}

/// Pushes the frame of the interpreted function at `at`.
///
/// # Safety
/// As [`start_call`]; the function is a Lua closure.
pub(crate) unsafe fn push_frame(
    vm: &mut VmState,
    at: *mut Value,
    nargs: usize,
    frame_flags: u8,
) -> Outcome {
    // SAFETY: by contract; room is checked before registers are written.
    unsafe {
        let c = (*at).payload as *mut LuaClosure;
        let p = (*c).proto.as_ptr();
        let base = at.add(FRAME_SLOTS);
        let params = (*p).num_params as usize;
        if base.add((*p).max_stack as usize) > vm.limit()
            && !stack_check(vm, base.add((*p).max_stack as usize))
        {
            return Outcome::Error;
        }
        if nargs < params {
            fill_nil(base.add(nargs), params - nargs);
        }
        let r = record(base);
        (&raw mut (*r).tag)
            .cast::<u64>()
            .write(LUA_WORD | u64::from(frame_flags) << 16);
        (*r).prev = vm.frame;
        (*r).pc = 0;
        (*r).nargs = nargs as u32;
        vm.frame = r;
        if let Some(executed) = &mut vm.executed {
            executed.calls += 1;
        }
        // A vararg function gets its arguments in place first.
        if vm.hook_mask != 0 && !(*p).is_vararg && trace::entered(vm, base).is_err() {
            vm.frame = (*r).prev;
            return Outcome::Error;
        }
        Outcome::Frame
    }
}

/// A frame would end at `end`, past `vm.stack_limit`: either a poll is
/// requested or the stack is full. Returns false after raising an error.
#[cold]
#[inline(never)]
pub(crate) fn stack_check(vm: &mut VmState, end: *mut Value) -> bool {
    vm.accept_poll();
    (vm.hooks.polled)(vm);
    if end > vm.real_stack_limit {
        let _ = stack_overflow(vm);
        return false;
    }
    // The arguments are in no frame yet: the collector waits for the next poll.
    if vm.gc_due() {
        vm.request_poll();
    }
    vm.check_interrupt().is_ok()
}

/// Calls the native function at `at`.
///
/// # Safety
/// As [`start_call`]; the function is a native closure.
pub(crate) unsafe fn call_native(vm: &mut VmState, at: *mut Value, nargs: usize) -> Outcome {
    // SAFETY: by contract; room is checked before the native runs.
    unsafe {
        let f = (*at).payload as *mut NativeClosure;
        let base = at.add(FRAME_SLOTS);
        if base.add(nargs + NATIVE_SLOTS) > vm.limit()
            && !stack_check(vm, base.add(nargs + NATIVE_SLOTS))
        {
            return Outcome::Error;
        }
        let caller = vm.frame;
        let r = record(base);
        (&raw mut (*r).tag)
            .cast::<u64>()
            .write(u64::from(Tag::NATIVE_FN.0) | u64::from(FrameKind::NATIVE.0) << 8);
        (*r).prev = caller;
        (*r).pc = 0;
        (*r).nargs = nargs as u32;
        vm.frame = r;
        vm.top = base.add(nargs);
        if vm.hook_mask != 0 && trace::native_entered(vm, nargs).is_err() {
            vm.frame = caller;
            return Outcome::Error;
        }
        let mut result = ((*f).func)(vm, Args::new(base, nargs as u32));
        if vm.hook_mask != 0
            && let Ok(ret) = result
        {
            result = trace::native_returning(vm, base, ret);
        }
        match result {
            Ok(ret) => {
                vm.frame = caller;
                match ret {
                    Ret::None => Outcome::Values(at, 0),
                    Ret::One(v) => {
                        store(at, v);
                        Outcome::Values(at, 1)
                    }
                    Ret::Many(n) => Outcome::Values(vm.top.sub(n as usize), n as usize),
                }
            }
            Err(_) => {
                vm.frame = caller;
                Outcome::Error
            }
        }
    }
}

/// `Call` and `TForCall` of anything but a plain interpreted function.
///
/// # Safety
/// `pc` is the call instruction of the frame at `base`, the running one; the
/// function is at `at`, its `nargs` arguments behind it.
#[inline(never)]
pub(crate) unsafe fn call_other(
    vm: &mut VmState,
    base: *mut Value,
    pc: *const Instr,
    at: *mut Value,
    nargs: usize,
) -> Status {
    // SAFETY: by contract.
    unsafe {
        save_pc(base, pc);
        let instr = *pc;
        let fb = (*proto(base)).feedback.add(instr.d() as usize);
        match (*at).tag {
            Tag::LUA_FN => {
                let c = (*at).payload as *mut LuaClosure;
                ic::note_lua_call(fb, c, (*c).proto.as_ptr());
            }
            Tag::NATIVE_FN => {
                (*fb).count = (*fb).count.wrapping_add(1);
                let c = (*at).payload;
                if (*fb).way.aux != c {
                    ic::note_target(fb, c, c);
                }
            }
            _ => note_callable(vm, fb, at),
        }
        match start_call(vm, at, nargs, 0) {
            Outcome::Values(src, n) => {
                deliver(vm, base, instr, src, n);
                if vm.gc_due() && instr.c() != 0 {
                    save_pc(base, pc.add(1));
                    if vm.gc_poll() {
                        save_pc(base, pc);
                        let _ = vm.out_of_memory();
                        return Status::Error;
                    }
                }
                if vm.hook_mask != 0 {
                    save_pc(base, pc.add(1));
                    return Status::Switch;
                }
                Status::Done
            }
            Outcome::Frame => Status::Reload,
            Outcome::Error => Status::Error,
        }
    }
}

/// Puts the results of the call instruction `instr` of the frame at `base`
/// where it wants them, and records the first one's tag.
///
/// # Safety
/// `src[..n]` are initialised and at or above their destination.
pub(crate) unsafe fn deliver(
    vm: &mut VmState,
    base: *mut Value,
    instr: Instr,
    src: *const Value,
    n: usize,
) {
    // SAFETY: by contract.
    unsafe {
        let mut dst = base.add(instr.a() as usize);
        let wanted = if instr.op_byte() == Op::TForCall as u8 {
            dst = dst.add(4);
            instr.c() as usize
        } else if instr.c() == 0 {
            copy_down(dst, src, n);
            vm.top = dst.add(n);
            note_result(base, instr, dst, n);
            return;
        } else {
            instr.c() as usize - 1
        };
        let given = n.min(wanted);
        copy_down(dst, src, given);
        fill_nil(dst.add(given), wanted - given);
        note_result(base, instr, dst, wanted);
    }
}

#[inline]
unsafe fn note_result(base: *mut Value, instr: Instr, dst: *const Value, n: usize) {
    if n > 0 {
        // SAFETY: the frame's feedback and a result just stored.
        unsafe {
            let fb: *mut FeedbackSlot = (*proto(base)).feedback.add(instr.d() as usize);
            (*fb).result |= 1 << ((*dst).tag.0 & 15);
        }
    }
}

/// The frame at `base` is done; its `n` results are at `src`. Pops it and
/// hands the results to the caller.
///
/// # Safety
/// `base` is the running frame, an interpreted one.
pub(crate) unsafe fn finish_return(
    vm: &mut VmState,
    base: *mut Value,
    src: *mut Value,
    n: usize,
) -> Status {
    // SAFETY: by contract.
    unsafe {
        let r = record(base);
        vm.frame = (*r).prev;
        hand_over(vm, (*r).flags & flags::ENTRY != 0, src, n)
    }
}

/// As [`finish_return`], after the function's return event.
///
/// # Safety
/// As there; `pc` is the instruction that returns.
#[cold]
#[inline(never)]
pub(crate) unsafe fn hooked_return(
    vm: &mut VmState,
    base: *mut Value,
    pc: *const Instr,
    src: *mut Value,
    n: usize,
) -> Status {
    // SAFETY: by contract.
    unsafe {
        save_pc(base, pc);
        if trace::returning(vm, base, src, n).is_err() {
            return Status::Error;
        }
        match finish_return(vm, base, src, n) {
            Status::Reload => Status::Switch,
            status => status,
        }
    }
}

/// Hands results to `vm.frame`, or to Rust when the frame that gave them was
/// the entry frame of the loop.
///
/// # Safety
/// `vm.frame` is an interpreted frame at a call instruction, or at an operator
/// whose metamethod ran, unless `entry`.
unsafe fn hand_over(vm: &mut VmState, entry: bool, src: *mut Value, n: usize) -> Status {
    if entry {
        vm.ret_base = src;
        vm.ret_count = n as u64;
        return Status::Exit;
    }
    // SAFETY: by contract.
    unsafe {
        let caller = vm.frame;
        let base = FrameRecord::registers(caller);
        let pc = (*proto(base)).code.add((*caller).pc as usize);
        let instr = *pc;
        if matches!(instr.op(), Some(Op::Call | Op::TForCall)) {
            deliver(vm, base, instr, src, n);
            (*caller).pc += 1;
        } else {
            let v = if n > 0 { *src } else { Value::NIL };
            (*caller).pc = (*caller).pc.wrapping_add(finish_operation(base, pc, v));
        }
    }
    Status::Reload
}

/// Completes an operation whose metamethod ran in a frame of its own, which
/// only frames that were inlined into compiled code do, with the method's
/// result. Returns how far the next instruction is.
///
/// # Safety
/// `pc` is an arithmetic operator, `Len`, a `Concat` of two operands, a
/// comparison, or an access of a table of the frame at `base`.
unsafe fn finish_operation(base: *mut Value, pc: *const Instr, v: Value) -> u32 {
    // SAFETY: by contract.
    unsafe {
        let i = *pc;
        if i.op().is_some_and(Op::is_comparison) {
            let jump = *pc.add(1);
            return if v.truthy() == (i.c() != 0) {
                (2 + jump.sbx()) as u32
            } else {
                2
            };
        }
        match i.op() {
            Some(Op::SetField | Op::SetTabUp | Op::SetIndex | Op::SetInt) => return 1,
            Some(Op::SelfGet) => {
                let object = *base.add(i.b() as usize);
                store(base.add(i.a() as usize + FRAME_SLOTS), object);
            }
            _ => {}
        }
        store(base.add(i.a() as usize), v);
        let fb: *mut FeedbackSlot = (*proto(base)).feedback.add(i.d() as usize);
        (*fb).result |= 1 << (v.tag.0 & 15);
        1
    }
}

/// `Return*` of a frame that is an entry frame or has to-be-closed variables.
///
/// # Safety
/// `pc` is the return instruction of the running frame at `base`.
#[cold]
#[inline(never)]
pub(crate) unsafe fn return_slow(
    vm: &mut VmState,
    base: *mut Value,
    pc: *const Instr,
    src: *mut Value,
    n: usize,
) -> Status {
    // SAFETY: by contract.
    unsafe {
        let r = record(base);
        if (*r).flags & flags::TBC != 0 {
            save_pc(base, pc);
            if (*pc).op_byte() == Op::Return as u8 && (*pc).b() == 0 {
                (*r).flags |= flags::OPEN;
                vm.top = src.add(n);
                // All between the results and the next record is scanned, and
                // calls start above the registers.
                let end = base.add((*proto(base)).max_stack as usize);
                let mut slot = vm.top;
                while slot < end {
                    store(slot, Value::NIL);
                    slot = slot.add(1);
                }
            }
            if unwind::close_scope(vm, base).is_err() {
                return Status::Error;
            }
        }
        if vm.hook_mask != 0 {
            return hooked_return(vm, base, pc, src, n);
        }
        finish_return(vm, base, src, n)
    }
}

/// Set in `vm.ret_count` by a loop that ends with a tail call for its caller
/// to make: the function is at `vm.ret_base`, the other bits are the number of
/// its arguments.
pub(crate) const PENDING_TAIL: u64 = 1 << 63;

/// `TailCall`.
///
/// # Safety
/// `pc` is the instruction of the running frame at `base`.
#[inline(never)]
pub(crate) unsafe fn tail_call(vm: &mut VmState, base: *mut Value, pc: *const Instr) -> Status {
    // SAFETY: by contract.
    unsafe {
        save_pc(base, pc);
        let instr = *pc;
        let f = base.add(instr.a() as usize);
        let mut nargs = if instr.b() == 0 {
            distance(f, vm.top) - FRAME_SLOTS
        } else {
            instr.b() as usize - 1
        };
        let fb = (*proto(base)).feedback.add(instr.d() as usize);
        let direct = matches!((*f).tag, Tag::LUA_FN | Tag::NATIVE_FN);
        if !direct {
            note_callable(vm, fb, f);
        }
        loop {
            match (*f).tag {
                Tag::LUA_FN => break,
                Tag::NATIVE_FN => {
                    let c = (*f).payload;
                    if direct && (*fb).way.aux != c {
                        ic::note_target(fb, c, c);
                    }
                    return match call_native(vm, f, nargs) {
                        Outcome::Values(src, n) if vm.hook_mask != 0 => {
                            hooked_return(vm, base, pc, src, n)
                        }
                        Outcome::Values(src, n) => finish_return(vm, base, src, n),
                        _ => Status::Error,
                    };
                }
                _ => {
                    if !prepare_call_meta(vm, f, nargs) {
                        return Status::Error;
                    }
                    nargs += 1;
                }
            }
        }
        let c = (*f).payload as *mut LuaClosure;
        if direct {
            ic::note_lua_call(fb, c, (*c).proto.as_ptr());
        }
        // Replace the frame by the callee's.
        let r = record(base);
        let entry = (*r).flags & (flags::ENTRY | flags::RAW);
        let at = FrameRecord::call_site(r);
        let caller = (*r).prev;
        // Function and arguments; the link words between stay.
        store(
            at,
            Value {
                payload: (*f).payload,
                tag: Tag::LUA_FN,
            },
        );
        copy_down(at.add(FRAME_SLOTS), f.add(FRAME_SLOTS), nargs);
        vm.frame = caller;
        if entry & flags::RAW != 0 && !(*(*c).proto.as_ptr()).compiled.is_null() {
            vm.ret_base = at;
            vm.ret_count = PENDING_TAIL | nargs as u64;
            return Status::Exit;
        }
        match start_call(vm, at, nargs, entry | flags::TAIL) {
            Outcome::Frame => Status::Reload,
            Outcome::Values(src, n) => hand_over(vm, entry != 0, src, n),
            Outcome::Error => {
                // The loop unwinds to the frame flagged as its entry, which
                // is gone when this was it.
                if entry != 0 {
                    lost_entry(vm)
                } else {
                    Status::Error
                }
            }
        }
    }
}

/// An error left no entry frame to unwind to: `vm.frame` is already the frame
/// below it.
fn lost_entry(vm: &mut VmState) -> Status {
    vm.ret_base = std::ptr::null_mut();
    Status::Exit
}

/// Most back edges between two looks at interrupts.
const QUIET_LOOPS: u32 = 1 << 16;

/// A back edge reached the prototype's trigger; `pc` is the loop header.
///
/// # Safety
/// `base` is the running frame, `pc` the instruction to go on with.
#[cold]
#[inline(never)]
pub(crate) unsafe fn loop_trigger(vm: &mut VmState, base: *mut Value, pc: *const Instr) -> Status {
    // SAFETY: by contract.
    unsafe {
        save_pc(base, pc);
        let r = record(base);
        let p = proto(base);
        let header = (*r).pc;
        vm.accept_poll();
        if vm.check_interrupt().is_err() {
            return Status::Error;
        }
        if vm.gc_due() && vm.gc_poll() {
            let _ = vm.out_of_memory();
            return Status::Error;
        }
        let n = (*p).loops.get();
        let every = vm.hot_loops();
        let mut entry = std::ptr::null();
        let installed = &(*p).cold.osr;
        if (*r).flags & flags::TBC != 0 && !has_tbc(&*p) {
            // A generic loop's closing value, which compiled code has not.
        } else if let Some(&(_, code)) = installed.iter().find(|e| e.0 == header) {
            entry = code;
        } else if every != u32::MAX && n >= every && n.is_multiple_of(every) {
            let hook = vm.hooks.hot_loop;
            entry = hook(vm, r, header);
        }
        (*p).loop_trigger = if !(*p).cold.osr.is_empty() {
            0
        } else if every == u32::MAX {
            n.saturating_add(QUIET_LOOPS)
        } else {
            let report = (n / every).saturating_add(1).saturating_mul(every);
            report.min(n.saturating_add(QUIET_LOOPS))
        };
        if n >= u32::MAX - QUIET_LOOPS {
            (*p).loops.set(0);
            (*p).loop_trigger = 0;
        }
        if entry.is_null() {
            return Status::Done;
        }
        enter_osr(vm, base, entry)
    }
}

/// Whether compiled code of the function closes variables.
fn has_tbc(p: &FuncProto) -> bool {
    let marks = |i: &Instr| i.op() == Some(Op::Tbc);
    p.cold.proto.code.iter().any(marks)
}

/// Continues the running frame in compiled code.
///
/// # Safety
/// `base` is the running frame, its pc a loop header that `entry` is for.
unsafe fn enter_osr(vm: &mut VmState, base: *mut Value, entry: *const u8) -> Status {
    // SAFETY: by contract.
    unsafe {
        let r = record(base);
        let is_entry = (*r).flags & flags::ENTRY != 0;
        let at: *mut Value = r.cast();
        let (p, header) = (proto(base), (*r).pc);
        let raw = run_compiled(vm, entry, at, closure(base), 0, &[0; 3]);
        let accepted = raw.tag != u64::from(Tag::RET_OSR_FAIL.0);
        // A multiple result lies above the frames that the hook can see.
        (vm.hooks.osr_ended)(vm, Gc::from_ptr(p), header, accepted);
        if raw.tag == u64::from(Tag::RET_OSR_FAIL.0) {
            return Status::Done;
        }
        match compiled_outcome(vm, at, raw) {
            Ok(Outcome::Values(src, n)) => hand_over(vm, is_entry, src, n),
            Ok(_) => {
                if is_entry {
                    lost_entry(vm)
                } else {
                    Status::Error
                }
            }
            Err(nargs) => {
                let entry_flag = if is_entry { flags::ENTRY } else { 0 };
                match start_call(vm, at, nargs, entry_flag | flags::TAIL) {
                    Outcome::Frame => Status::Reload,
                    Outcome::Values(src, n) => hand_over(vm, is_entry, src, n),
                    Outcome::Error if is_entry => lost_entry(vm),
                    Outcome::Error => Status::Error,
                }
            }
        }
    }
}

/// Runs the frame `vm.frame`, just pushed with the flag `ENTRY`, until it
/// returns. `Ok` means that its results are at `vm.ret_base`.
///
/// # Safety
/// `vm.frame` is an interpreted frame; one at or below it is an entry frame.
pub(crate) unsafe fn run_frames(vm: &mut VmState) -> Result<(), ()> {
    // SAFETY: by contract.
    unsafe {
        loop {
            let end = if vm.executed.is_none() && vm.hook_mask == 0 {
                crate::dispatch::run::<false>(vm)
            } else {
                crate::dispatch::run::<true>(vm)
            };
            match end {
                End::Switch => {}
                End::Exit if vm.ret_base.is_null() => return Err(()),
                End::Exit => return Ok(()),
                End::Error => break,
            }
        }
        let mut r = vm.frame;
        while (*r).flags & flags::ENTRY == 0 || (*r).kind != FrameKind::INTERPRETED {
            r = (*r).prev;
        }
        vm.frame = (*r).prev;
        Err(())
    }
}

/// Whether `caller` is the bottom of a coroutine's stack.
///
/// # Safety
/// `caller` is an active record.
unsafe fn is_body(vm: &VmState, caller: *mut FrameRecord) -> bool {
    // SAFETY: by contract.
    unsafe { (*caller).kind == FrameKind::BASE && !vm.thread.is_main() }
}

/// The code of the function at `at`, if it is a compiled one.
///
/// # Safety
/// A value is at `at`.
#[inline]
unsafe fn code_of(at: *const Value) -> Option<*const u8> {
    // SAFETY: by contract; a live closure.
    unsafe {
        if (*at).tag != Tag::LUA_FN {
            return None;
        }
        let c = (*at).payload as *mut LuaClosure;
        let entry = (*(*c).proto.as_ptr()).compiled;
        (!entry.is_null()).then_some(entry)
    }
}

/// The hook behind every call from Rust: [`vela_objects::Hooks::call`].
///
/// # Safety
/// As the hook says.
pub(crate) unsafe fn call_hook(vm: &mut VmState, at: *mut Value, nargs: u32) -> LuaResult<u32> {
    // SAFETY: by contract.
    unsafe {
        let caller = vm.frame;
        unwind::enter_native(vm)?;
        let nargs = nargs as usize;
        let started = match code_of(at) {
            Some(entry) => {
                let r = enter_compiled(vm, entry, at, nargs);
                if r.tag < u64::from(Tag::FIRST_RET.0) {
                    unwind::leave_native(vm);
                    vm.frame = caller;
                    let tag = Tag(r.tag as u8);
                    let payload = r.payload;
                    store(at, Value { payload, tag });
                    return Ok(1);
                }
                match compiled_outcome(vm, at, r) {
                    Ok(outcome) => outcome,
                    Err(n) => start_call(vm, at, n, flags::ENTRY | flags::TAIL),
                }
            }
            None => start_call(vm, at, nargs, flags::ENTRY),
        };
        let outcome = match started {
            Outcome::Frame => match run_frames(vm) {
                Ok(()) => Some((vm.ret_base, vm.ret_count as usize)),
                Err(()) => None,
            },
            Outcome::Values(src, n) => Some((src, n)),
            Outcome::Error => None,
        };
        unwind::leave_native(vm);
        vm.frame = caller;
        match outcome {
            Some((src, n)) => {
                copy_down(at, src, n);
                Ok(n as u32)
            }
            None => {
                if vm.has_local_writes() {
                    vm.drop_local_writes(at);
                }
                // The variables of a failed coroutine wait until it is closed.
                if vm.tbc().last().is_some_and(|&s| s >= at) && !is_body(vm, caller) {
                    unwind::close_after_error(vm, at);
                }
                Err(vm.rethrow())
            }
        }
    }
}
