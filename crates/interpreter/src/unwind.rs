//! Overflows, and to-be-closed variables with and without an error in flight.
//!
//! Message handlers run where an error is raised ([`VmState::throw`]), so
//! unwinding has nothing to do with them.

use crate::frames::{copy, store};
use vela_objects::frame::flags;
use vela_objects::meta::Event;
use vela_objects::{LuaResult, Tag, Thrown, Value, VmState};

/// Raises the overflow of the VM stack.
#[cold]
#[inline(never)]
pub(crate) fn stack_overflow(vm: &mut VmState) -> Thrown {
    vm.stack_overflow()
}

/// Counts a native call, which must be ended with [`leave_native`].
#[inline]
pub(crate) fn enter_native(vm: &mut VmState) -> LuaResult<()> {
    vm.native_depth += 1;
    // Natives may call compiled functions, which need not poll, in a loop.
    if vm.native_depth >= vm.native_max || vm.is_dying() || vm.interrupt_pending() {
        return refuse(vm);
    }
    Ok(())
}

#[cold]
#[inline(never)]
fn refuse(vm: &mut VmState) -> LuaResult<()> {
    vm.native_depth -= 1;
    if vm.is_dying() {
        return Err(vm.rethrow());
    }
    if vm.native_depth + 1 >= vm.native_max {
        return Err(vm.error("C stack overflow"));
    }
    vm.check_interrupt()?;
    vm.native_depth += 1;
    Ok(())
}

/// Ends a native call.
#[inline]
pub(crate) fn leave_native(vm: &mut VmState) {
    vm.native_depth -= 1;
}

/// Marks the register as a to-be-closed variable.
///
/// # Safety
/// `slot` is a register of the running frame.
pub(crate) unsafe fn mark_tbc(vm: &mut VmState, slot: *mut Value, name: &str) -> LuaResult<()> {
    // SAFETY: an initialised register.
    let v = unsafe { *slot };
    if !v.truthy() {
        return Ok(());
    }
    if vm.metamethod(v, Event::Close).is_nil() {
        return Err(vm.error(format!("variable '{name}' got a non-closable value")));
    }
    vm.tbc().push(slot);
    // SAFETY: the running frame's record.
    unsafe { (*vm.frame).flags |= flags::TBC };
    Ok(())
}

fn call_close(vm: &mut VmState, v: Value, error: Value) -> LuaResult<()> {
    let mm = vm.metamethod(v, Event::Close);
    if mm.is_nil() {
        // The metamethod was there when the variable was marked.
        let name = vm.type_name_of(mm);
        return Err(vm.error(format!(
            "attempt to call a {name} value (metamethod 'close')"
        )));
    }
    vm.call_meta::<0>(mm, &[v, error])?;
    Ok(())
}

/// Closes the pending variables in `from` and above, latest first, as at the
/// end of their scope.
#[cold]
#[inline(never)]
pub(crate) fn close_scope(vm: &mut VmState, from: *mut Value) -> LuaResult<()> {
    while let Some(&slot) = vm.tbc().last() {
        if slot < from {
            break;
        }
        vm.tbc().pop();
        // SAFETY: a register of an active frame.
        let v = unsafe { *slot };
        call_close(vm, v, Value::NIL)?;
    }
    Ok(())
}

/// Closes the pending variables in `from` and above because of the error in
/// flight, after their frames were left; the error may be replaced by one
/// that a closing method raises. `vm.frame` is the frame that made the call
/// at `from`.
#[cold]
#[inline(never)]
pub(crate) fn close_after_error(vm: &mut VmState, from: *mut Value) {
    let first = vm.tbc().partition_point(|&s| s < from);
    let n = vm.tbc().len() - first;
    if n == 0 {
        return;
    }
    // What is above `from` belongs to dead frames: move the variables down so
    // that everything below the top is known to be initialised.
    for i in 0..n {
        let slot = from.wrapping_add(i);
        // SAFETY: pending slots ascend from `from`, so `slot` is at or below
        // the one copied and above those copied before.
        unsafe { copy(slot, vm.tbc()[first + i]) };
        vm.tbc()[first + i] = slot;
    }
    vm.frames_overwritten();
    let saved_top = vm.top;
    while vm.tbc().len() > first {
        let (error, handled) = (vm.error, vm.error_handled);
        let Some(slot) = vm.tbc().pop() else { break };
        // SAFETY: as above.
        let v = unsafe { *slot };
        vm.top = slot.wrapping_add(2);
        // SAFETY: inside the stack's reserve; keeps the error alive meanwhile.
        unsafe { store(slot.add(1), error) };
        let mm = vm.metamethod(v, Event::Close);
        let done = vm.call::<0>(mm, &[v, error]).is_ok();
        if done {
            vm.error = error;
            vm.error_handled = handled;
        }
    }
    vm.top = saved_top;
    vm.frames_overwritten();
    debug_assert!(vm.error.tag < Tag::CELL);
}
