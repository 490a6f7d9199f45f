//! Debug hooks: where the interpreter raises their events.
//!
//! The events of calls and returns are raised by the code for calls and
//! returns, those of instructions by the copy of the dispatch loop that also
//! counts what it executes. All tests here are for threads that have a hook;
//! others only test [`VmState::hook_mask`].

use crate::call::End;
use crate::frames::{distance, proto, record, save_pc};
use vela_bytecode::flow::consumes_open;
use vela_bytecode::{Instr, Op};
use vela_objects::frame::flags;
use vela_objects::hook::{HookEvent, mask};
use vela_objects::{LuaResult, Ret, Value, VmState};

/// What the dispatch loop that traces does before the instruction at `pc`:
/// counts it and raises its events. Gives the loop's end if that was an error,
/// or if there is nothing to trace any more. `old` is the pc of the
/// instruction before in the same frame.
///
/// # Safety
/// `pc` is the next instruction of the running frame at `base`.
pub(crate) unsafe fn before(
    vm: &mut VmState,
    base: *mut Value,
    pc: *const Instr,
    old: &mut u32,
) -> Option<End> {
    // SAFETY: by contract.
    unsafe {
        if vm.hook_mask == 0 && vm.executed.is_none() {
            save_pc(base, pc);
            return Some(End::Switch);
        }
        let op = (*pc).op_byte();
        let traced = vm.hook_mask & (mask::LINE | mask::COUNT) != 0;
        if traced && op != Op::VarargPrep as u8 {
            save_pc(base, pc);
            if !instruction(vm, base, pc, *old) {
                return Some(End::Error);
            }
            *old = pc.offset_from((*proto(base)).code) as u32;
        }
        if let Some(executed) = &mut vm.executed {
            executed.operations[op as usize] += 1;
        }
    }
    None
}

/// Raises the events of the instruction at `pc`, which is about to run, and
/// gives false after an error. `old` is the pc of the instruction before in
/// the same frame.
///
/// # Safety
/// `pc` is the saved pc of the running frame at `base`.
#[cold]
#[inline(never)]
unsafe fn instruction(vm: &mut VmState, base: *mut Value, pc: *const Instr, old: u32) -> bool {
    let due = vm.hook_mask & mask::COUNT != 0 && vm.count_instruction();
    // SAFETY: by contract.
    unsafe {
        if due && call(vm, base, *pc, HookEvent::Count).is_err() {
            return false;
        }
        if vm.hook_mask & mask::LINE == 0 {
            return true;
        }
        let code = (*proto(base)).cold.proto.clone();
        let at = pc.offset_from((*proto(base)).code) as u32;
        let line = code.lines.line(at);
        // A line begins anew with every jump back.
        let begins = at <= old || line.is_some() && line != code.lines.line(old);
        !begins || call(vm, base, *pc, HookEvent::Line(line)).is_ok()
    }
}

/// Calls the hook between two instructions.
unsafe fn call(vm: &mut VmState, base: *mut Value, next: Instr, event: HookEvent) -> LuaResult<()> {
    let open = match consumes_open(next) {
        // Fixed registers of the list are kept twice.
        Some(first) => distance(base.wrapping_add(first as usize), vm.top),
        None => 0,
    };
    vm.run_hook(event, (0, 0), open)
}

/// Raises the call event of the Lua function whose frame was just pushed, and
/// has its arguments in place.
///
/// # Safety
/// The running frame is an interpreted one at `base`, with a saved pc.
#[cold]
#[inline(never)]
pub(crate) unsafe fn entered(vm: &mut VmState, base: *mut Value) -> LuaResult<()> {
    if vm.hook_mask & mask::CALL == 0 {
        return Ok(());
    }
    // SAFETY: by contract.
    let (tail, params) = unsafe {
        let tail = (*record(base)).flags & flags::TAIL != 0;
        (tail, u32::from((*proto(base)).num_params))
    };
    let event = if tail {
        HookEvent::TailCall
    } else {
        HookEvent::Call
    };
    vm.run_hook(event, (1, params), 0)
}

/// Raises the return event of the running Lua function, which returns the `n`
/// values at `src`.
///
/// # Safety
/// The running frame is an interpreted one at `base`, with a saved pc.
#[cold]
#[inline(never)]
pub(crate) unsafe fn returning(
    vm: &mut VmState,
    base: *mut Value,
    src: *mut Value,
    n: usize,
) -> LuaResult<()> {
    if vm.hook_mask & mask::RETURN == 0 {
        return Ok(());
    }
    let top = vm.top;
    vm.top = src.wrapping_add(n);
    let first = distance(base, src) as u32 + 1;
    let result = vm.run_hook(HookEvent::Return, (first, n as u32), n);
    vm.top = top;
    result
}

/// Raises the call event of a native function, whose frame is the running one.
#[cold]
#[inline(never)]
pub(crate) fn native_entered(vm: &mut VmState, nargs: usize) -> LuaResult<()> {
    if vm.hook_mask & mask::CALL == 0 {
        return Ok(());
    }
    vm.run_hook(HookEvent::Call, (1, nargs as u32), 0)
}

/// Raises the return event of the running native function, whose registers
/// are at `base`.
///
/// # Safety
/// `ret` is what the function gave.
#[cold]
#[inline(never)]
pub(crate) unsafe fn native_returning(
    vm: &mut VmState,
    base: *mut Value,
    ret: Ret,
) -> LuaResult<Ret> {
    if vm.hook_mask & mask::RETURN == 0 {
        return Ok(ret);
    }
    let n = match ret {
        Ret::None => 0,
        Ret::One(v) => {
            vm.push(v)?;
            1
        }
        Ret::Many(n) => n,
    };
    let first = vm.top.wrapping_sub(n as usize);
    vm.run_hook(HookEvent::Return, (distance(base, first) as u32 + 1, n), 0)?;
    Ok(match ret {
        Ret::One(_) => {
            vm.pop(1);
            // SAFETY: the value that was just popped.
            Ret::One(unsafe { *first })
        }
        ret => ret,
    })
}
