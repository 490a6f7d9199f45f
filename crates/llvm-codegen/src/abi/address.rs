//! Address arithmetic on the objects that compiled code works on.
//!
//! LLVM's `inbounds` is a promise that base and result lie in one allocation;
//! the functions here are given addresses inside one heap object, one block of
//! elements or slots, the VM's state, or the VM's stack.

use inkwell::builder::{Builder, BuilderError};
use inkwell::types::{BasicType, IntType};
use inkwell::values::{IntValue, PointerValue};

/// `base + offset` bytes.
///
/// # Errors
/// As the builder's, when it is not positioned.
pub fn byte_offset<'c>(
    builder: &Builder<'c>,
    word: IntType<'c>,
    byte: IntType<'c>,
    base: PointerValue<'c>,
    offset: i64,
    in_bounds: bool,
) -> Result<PointerValue<'c>, BuilderError> {
    if offset == 0 {
        return Ok(base);
    }
    let index = word.const_int(offset as u64, true);
    element(builder, byte, base, index, in_bounds)
}

/// The address of element `index` (a 64-bit integer) of the array of `ty` at `base`.
///
/// # Errors
/// As the builder's, when it is not positioned.
pub fn element<'c>(
    builder: &Builder<'c>,
    ty: impl BasicType<'c>,
    base: PointerValue<'c>,
    index: IntValue<'c>,
    in_bounds: bool,
) -> Result<PointerValue<'c>, BuilderError> {
    // SAFETY: nothing is dereferenced here. The flag, which makes LLVM assume that
    // the result is in the base's allocation, is set for addresses inside the
    // objects that the module's documentation lists.
    unsafe {
        if in_bounds {
            builder.build_in_bounds_gep(ty, base, &[index], "")
        } else {
            builder.build_gep(ty, base, &[index], "")
        }
    }
}
