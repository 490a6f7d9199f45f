//! After a side exit: the frames that the deoptimizer rebuilt go on here.
//!
//! Among them may be records of `pcall`, which compiled code had built in
//! place. No native function runs for such a record, so what `pcall` does with
//! the results of the function that it called, and with an error, is done here:
//! the frame above the record is flagged as the entry of a loop, and when that
//! loop has ended the frame below goes on behind its call.

use crate::call::{Raw, Status, deliver, finish_return, run_frames};
use crate::frames::{proto, store};
use crate::helpers::{native_stack_low, to_raw};
use crate::unwind::{close_after_error, stack_overflow};
use vela_bytecode::Op;
use vela_objects::frame::{FrameKind, FrameRecord, flags};
use vela_objects::{Value, VmState};

/// How a loop ended: `Ok` with the results of its entry frame at
/// `vm.ret_base`, or with the error in flight. `vm.frame` is the record below
/// that frame.
type Ended = Result<(), ()>;

/// Runs interpreted frames from `vm.frame`, the innermost of those that the
/// deoptimizer rebuilt, until the outermost of them, `fp`, returns. The result
/// is that of a compiled function. If `vm.frame` is the record of a `pcall`,
/// the function that it called raised the error in flight.
///
/// With `hand_out_tail_calls` a tail call may be the result. That is not
/// possible for a vararg function that was entered at a loop: its entry was
/// given the moved frame, not the place where the function was called.
///
/// # Safety
/// The records from `vm.frame` down to `fp` are interpreted frames with
/// current pcs and live registers, or those of `pcall` where such a frame calls
/// it; frames above those of `pcall` are flagged `ENTRY`.
pub unsafe fn resume(vm: &mut VmState, fp: *mut FrameRecord, hand_out_tail_calls: bool) -> Raw {
    // SAFETY: by contract.
    unsafe {
        (*fp).flags |= flags::ENTRY;
        if hand_out_tail_calls {
            (*fp).flags |= flags::RAW;
        } else {
            (*fp).flags &= !flags::RAW;
        }
        let mut ended = begin(vm, fp);
        while vm.frame > fp {
            ended = end_protected(vm, fp, ended);
        }
        let results = ended.map(|()| (vm.ret_base, vm.ret_count as usize));
        to_raw(vm, results.ok())
    }
}

/// # Safety
/// As [`resume`].
unsafe fn begin(vm: &mut VmState, fp: *mut FrameRecord) -> Ended {
    // SAFETY: by contract.
    unsafe {
        if (*vm.frame).kind == FrameKind::NATIVE {
            return Err(());
        }
        // Code that leaves before it made a call has not checked the stack.
        let base = FrameRecord::registers(vm.frame);
        let end = base.add((*proto(base)).max_stack as usize);
        let low = native_stack_low(vm) || end > vm.real_stack_limit;
        if low {
            let _ = stack_overflow(vm);
        }
        if low || vm.check_interrupt().is_err() {
            while vm.frame >= fp && (*vm.frame).kind != FrameKind::NATIVE {
                vm.frame = (*vm.frame).prev;
            }
            return Err(());
        }
        run_frames(vm)
    }
}

/// The function that a `pcall`, whose record is `vm.frame`, called has ended:
/// does the rest of the `pcall` and goes on behind it. Errors that cannot be
/// caught end all frames down to `fp`.
///
/// # Safety
/// As [`resume`].
unsafe fn end_protected(vm: &mut VmState, fp: *mut FrameRecord, ended: Ended) -> Ended {
    // SAFETY: by contract.
    unsafe {
        let native = vm.frame;
        let outer = (*native).prev;
        let (src, n) = match ended {
            // Results are at the callee's record or above.
            Ok(()) => (vm.ret_base.sub(1), vm.ret_count as usize + 1),
            Err(()) => {
                let callee = FrameRecord::registers(native);
                if vm.has_local_writes() {
                    vm.drop_local_writes(callee);
                }
                if vm.tbc().last().is_some_and(|&s| s >= callee) && !vm.is_dying() {
                    close_after_error(vm, callee);
                }
                if vm.is_dying() {
                    vm.frame = (*fp).prev;
                    return Err(());
                }
                (native.cast(), 2)
            }
        };
        vm.frame = outer;
        if ended.is_ok() {
            store(src, Value::TRUE);
        } else {
            store(src, Value::FALSE);
            store(src.add(1), vm.error);
        }
        let base = FrameRecord::registers(outer);
        let instr = *(*proto(base)).code.add((*outer).pc as usize);
        if instr.op() == Some(Op::TailCall) {
            if finish_return(vm, base, src, n) == Status::Exit {
                return Ok(());
            }
        } else {
            deliver(vm, base, instr, src, n);
            (*outer).pc += 1;
        }
        run_frames(vm)
    }
}
