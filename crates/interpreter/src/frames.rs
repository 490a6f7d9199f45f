//! Small accessors for registers and frame records.

use vela_bytecode::{FRAME_SLOTS, Instr};
use vela_objects::closure::{FuncProto, LuaClosure};
use vela_objects::frame::{FrameKind, FrameRecord};
use vela_objects::{Gc, Str, Tag, Value};

/// The word at offset 8 of a fresh record of a Lua function: its tag, kind
/// `INTERPRETED`, no flags, no extra arguments.
pub(crate) const LUA_WORD: u64 = Tag::LUA_FN.0 as u64;

/// The record below the registers at `base`.
///
/// # Safety
/// `base` is the first register of a frame.
#[inline(always)]
pub(crate) unsafe fn record(base: *mut Value) -> *mut FrameRecord {
    // SAFETY: the record takes the two slots below the registers.
    unsafe { base.sub(FRAME_SLOTS).cast() }
}

/// The closure that runs in the frame at `base`.
///
/// # Safety
/// `base` is the first register of a Lua frame.
#[inline(always)]
pub(crate) unsafe fn closure(base: *mut Value) -> *mut LuaClosure {
    // SAFETY: the record's function is a Lua closure.
    unsafe { (*record(base)).func as *mut LuaClosure }
}

/// The prototype of the frame at `base`.
///
/// # Safety
/// As [`closure`].
#[inline(always)]
pub(crate) unsafe fn proto(base: *mut Value) -> *mut FuncProto {
    // SAFETY: closures have a prototype.
    unsafe { (*closure(base)).proto.as_ptr() }
}

/// Copies a value by its parts: a 16-byte load right after separate stores of
/// payload and tag would wait for both to leave the store buffer.
///
/// # Safety
/// Both are valid slots; `src` is initialised.
#[inline(always)]
pub(crate) unsafe fn copy(dst: *mut Value, src: *const Value) {
    // SAFETY: by contract.
    unsafe {
        let (payload, tag) = ((*src).payload, (*src).tag);
        (*dst).payload = payload;
        (*dst).tag = tag;
    }
}

/// Stores a value by its parts.
///
/// # Safety
/// `dst` is a valid slot.
#[inline(always)]
pub(crate) unsafe fn store(dst: *mut Value, v: Value) {
    // SAFETY: by contract.
    unsafe {
        (*dst).payload = v.payload;
        (*dst).tag = v.tag;
    }
}

/// Copies `n` values to lower or equal addresses.
///
/// # Safety
/// Valid slots; `dst <= src` where they overlap.
#[inline]
pub(crate) unsafe fn copy_down(dst: *mut Value, src: *const Value, n: usize) {
    for i in 0..n {
        // SAFETY: by contract.
        unsafe { copy(dst.add(i), src.add(i)) }
    }
}

/// Stores nil into `n` slots.
///
/// # Safety
/// Valid slots.
#[inline]
pub(crate) unsafe fn fill_nil(dst: *mut Value, n: usize) {
    for i in 0..n {
        // SAFETY: by contract.
        unsafe { store(dst.add(i), Value::NIL) }
    }
}

/// Makes the record's pc current for whoever looks at the frame next. The
/// records of compiled frames hold a site id instead and stay as they are.
///
/// # Safety
/// `pc` points into the code of the frame at `base`.
#[inline(always)]
pub(crate) unsafe fn save_pc(base: *mut Value, pc: *const Instr) {
    // SAFETY: by contract.
    unsafe {
        let r = record(base);
        if (*r).kind == FrameKind::INTERPRETED {
            (*r).pc = pc.offset_from((*proto(base)).code) as u32;
        }
    }
}

/// The string in a constant that the verifier has checked to be one.
///
/// # Safety
/// `k` is a string value.
#[inline(always)]
pub(crate) unsafe fn key(k: *const Value) -> Gc<Str> {
    // SAFETY: by contract.
    unsafe { Gc::from_ptr((*k).payload as *mut Str) }
}

/// Number of values from `from` up to `to`.
#[inline(always)]
pub(crate) fn distance(from: *const Value, to: *const Value) -> usize {
    (to as usize).wrapping_sub(from as usize) / std::mem::size_of::<Value>()
}
