//! Frame records: one per active call, on the VM stack, whatever tier runs it.
//!
//! A record covers two value slots: the callee's function value (whose
//! padding carries kind, flags and vararg count) and two link words. The
//! registers follow. Records make tracebacks, error positions and the
//! collector's stack walk independent of the tier.

use crate::closure::LuaClosure;
use crate::gcref::Gc;
use crate::value::{Tag, Value};
use vela_bytecode::FRAME_SLOTS;

/// Who runs a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct FrameKind(pub u8);

impl FrameKind {
    /// Lua code in the interpreter; `pc` is the index of the instruction in
    /// progress.
    pub const INTERPRETED: FrameKind = FrameKind(0);
    /// A native function.
    pub const NATIVE: FrameKind = FrameKind(1);
    /// Compiled code; `pc` is the id of the call site in the code's tables.
    pub const COMPILED: FrameKind = FrameKind(2);
    /// The bottom of a stack: no function.
    pub const BASE: FrameKind = FrameKind(3);
}

/// Frame flags.
pub mod flags {
    /// The interpreter loop that runs this frame returns to Rust when it ends.
    pub const ENTRY: u8 = 1;
    /// Reached by a tail call: the caller is not the real one.
    pub const TAIL: u8 = 2;
    /// Has to-be-closed variables pending.
    pub const TBC: u8 = 4;
    /// Called for a metamethod (named so in messages).
    pub const META: u8 = 8;
    /// Values above the registers, up to the next record, are live: results
    /// kept while to-be-closed variables are being closed.
    pub const OPEN: u8 = 16;
    /// With [`ENTRY`]: whoever runs the loop takes results in the convention
    /// of compiled code, so that a tail call of this frame may be handed out
    /// instead of being made here. Keeps tail calls in constant space across
    /// side exits.
    pub const RAW: u8 = 32;
    /// A finalizer runs above the frame, which stands between two instructions
    /// and not in a call.
    pub const POLL: u8 = 64;
    /// Of a record of `pcall`: compiled code has the call built in place.
    pub const IN_PLACE: u8 = 128;
}

/// Marks that any frame may have, whoever runs it.
pub mod marks {
    /// A debug hook runs above the frame, called for an event of it.
    pub const HOOKED: u8 = 1;
}

/// Bit of [`FrameRecord::pc`], set while the frame that it called was reached
/// by a tail call in compiled code: the callee's own record does not say so.
/// Whoever makes the next call notes its pc anew, without the bit.
pub const TAIL_CALLED: u32 = 1 << 31;

/// A frame record. Size and offsets are part of the compiled-code contract
/// (see [`crate::layout`]).
#[derive(Debug)]
#[repr(C)]
pub struct FrameRecord {
    /// Payload of the function value.
    pub func: u64,
    /// Tag of the function value.
    pub tag: Tag,
    /// Who runs the frame.
    pub kind: FrameKind,
    /// Bits of [`flags`].
    pub flags: u8,
    /// Bits of [`marks`].
    pub marks: u8,
    /// Extra arguments, stored directly below the record.
    pub nvarargs: u32,
    /// The caller's record; null at the bottom.
    pub prev: *mut FrameRecord,
    /// Program counter; meaning by `kind`. Current whenever the frame is not
    /// the one executing plain instructions. May have the bit [`TAIL_CALLED`]:
    /// read it with [`FrameRecord::position`].
    pub pc: u32,
    /// Number of arguments: of a native frame, and of an interpreted one until
    /// its `varargprep` has run.
    pub nargs: u32,
}

impl FrameRecord {
    /// First register of the frame at `record`.
    #[inline]
    #[must_use]
    pub fn registers(record: *mut FrameRecord) -> *mut Value {
        record.wrapping_add(1).cast()
    }

    /// The program counter.
    ///
    /// # Safety
    /// `record` is an active record.
    #[inline]
    #[must_use]
    pub unsafe fn position(record: *mut FrameRecord) -> u32 {
        // SAFETY: by contract.
        unsafe { (*record).pc & !TAIL_CALLED }
    }

    /// Whether a tail call in compiled code led to the frame.
    ///
    /// # Safety
    /// `record` is an active record.
    #[must_use]
    pub unsafe fn is_tail_called(record: *mut FrameRecord) -> bool {
        // SAFETY: by contract; callers are active as well.
        unsafe {
            let caller = (*record).prev;
            !caller.is_null() && (*caller).pc & TAIL_CALLED != 0
        }
    }

    /// The stack slot where the Lua function of the record was called: the
    /// record, or below the extra arguments of a vararg function, which was
    /// moved up by its arguments and a record.
    ///
    /// # Safety
    /// An active record of a Lua function, moved already if it is to be.
    #[must_use]
    pub unsafe fn call_site(record: *mut FrameRecord) -> *mut Value {
        // SAFETY: by contract.
        let (proto, extra) = unsafe {
            let closure = Gc::<LuaClosure>::from_payload((*record).func);
            (closure.proto, (*record).nvarargs as usize)
        };
        let at: *mut Value = record.cast();
        if proto.is_vararg {
            at.wrapping_sub(FRAME_SLOTS + proto.num_params as usize + extra)
        } else {
            at
        }
    }

    /// The function value.
    #[inline]
    #[must_use]
    pub fn function(&self) -> Value {
        Value {
            payload: self.func,
            tag: self.tag,
        }
    }
}
