//! What instructions do to single operands: writing registers, reading
//! numbers, noting feedback.

use crate::frames::{closure, store};
use std::hint::cold_path;
use vela_bytecode::{Instr, Op};
use vela_objects::feedback::{FeedbackSlot, arith as bits};
use vela_objects::{Cell, Tag, Value};

pub(super) const NIL: u8 = Tag::NIL.0;
pub(super) const INT: u8 = Tag::INT.0;
pub(super) const FLOAT: u8 = Tag::FLOAT.0;
pub(super) const STR: u8 = Tag::STR.0;
pub(super) const TABLE: u8 = Tag::TABLE.0;

/// Feedback bit of operands with equal tags, by tag.
pub(super) const SAME_TAG_BIT: [u8; 16] = {
    let mut t = [bits::OTHER; 16];
    t[INT as usize] = bits::INT;
    t[FLOAT as usize] = bits::FLOAT;
    t[STR as usize] = bits::STRING;
    t
};

/// The opcode of a verified instruction.
#[inline(always)]
pub(super) unsafe fn opcode(i: Instr) -> Op {
    // SAFETY: the verifier rejects bytes that name no opcode.
    unsafe { std::mem::transmute::<u8, Op>(i.op_byte()) }
}

#[inline(always)]
pub(super) unsafe fn set_int(dst: *mut Value, n: i64) {
    // SAFETY: `dst` is a register.
    unsafe { store(dst, Value::int(n)) }
}

#[inline(always)]
pub(super) unsafe fn set_float(dst: *mut Value, f: f64) {
    // SAFETY: `dst` is a register.
    unsafe { store(dst, Value::float(f)) }
}

/// The number in a register known to hold one.
#[inline(always)]
pub(super) unsafe fn as_float(v: *const Value) -> f64 {
    // SAFETY: an initialised register.
    unsafe {
        if (*v).tag.0 == FLOAT {
            f64::from_bits((*v).payload)
        } else {
            (*v).payload as i64 as f64
        }
    }
}

/// Sets feedback bits unless they are set: sites settle after a few runs, and
/// a test costs less than a write.
#[inline(always)]
pub(super) unsafe fn note(fb: *mut FeedbackSlot, bits: u8) {
    // SAFETY: a feedback slot of the running function.
    unsafe {
        if (*fb).arith & bits != bits {
            cold_path();
            (*fb).arith |= bits;
        }
    }
}

/// Records the tag of a result.
#[inline(always)]
pub(super) unsafe fn note_result(fb: *mut FeedbackSlot, tag: u8) {
    // SAFETY: a feedback slot of the running function.
    unsafe {
        let seen = (*fb).result;
        if u32::from(seen) >> (tag & 15) & 1 == 0 {
            cold_path();
            (*fb).result = seen | 1 << (tag & 15);
        }
    }
}

/// Records the kind of elements accessed.
#[inline(always)]
pub(super) unsafe fn note_index(fb: *mut FeedbackSlot, bit: u8, kind: u8) {
    // SAFETY: a feedback slot of the running function.
    unsafe {
        if (*fb).index & bit == 0 || u32::from((*fb).elems) >> (kind & 15) & 1 == 0 {
            cold_path();
            (*fb).index |= bit;
            (*fb).elems |= 1 << (kind & 15);
        }
    }
}

/// The cell of upvalue `i` of the closure of the frame at `base`.
///
/// # Safety
/// The closure has that upvalue.
#[inline(always)]
pub(super) unsafe fn upval(base: *mut Value, i: u16) -> *mut Cell {
    // SAFETY: the verifier checked the index; upvalues follow the closure.
    unsafe { *closure(base).add(1).cast::<*mut Cell>().add(i as usize) }
}
