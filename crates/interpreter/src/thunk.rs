//! The interpreter's side of the entry that prototypes without compiled code
//! have: what a code generator's thunk calls, with pointer types that say
//! nothing of this crate.

use crate::helpers::interp_enter;

/// Runs a function in the interpreter for a compiled caller.
///
/// # Safety
/// `vm`, `fp` and `closure` are those of a call by the convention of
/// `docs/abi.md`; `args` are its first three payloads; `out` takes the result.
pub unsafe extern "C" fn interp_thunk(
    vm: *mut u8,
    fp: *mut u8,
    closure: *mut u8,
    desc: u64,
    args: *const [u64; 3],
    out: *mut [u64; 2],
) {
    // SAFETY: by contract.
    unsafe {
        let [p0, p1, p2] = *args;
        interp_enter(vm.cast(), fp.cast(), closure.cast(), desc, p0, p1, p2, out);
    }
}
