//! Making a VM and calling into it from Rust.

use crate::call::call_hook;
use corosensei::stack::{DefaultStack, Stack};
use vela_objects::vm::{Hooks, NATIVE_RESERVE};
use vela_objects::{FuncProto, Gc, Value, VmState};

/// Native stack that Lua code runs on, in bytes: reserved, committed when
/// touched. Deep recursion of compiled code needs it.
const NATIVE_STACK: usize = 512 << 20;

struct BigStack(DefaultStack);

/// A VM without libraries, compiler or optimizing tier; those are plugged
/// into its hooks. `seed` makes string hashes unpredictable.
///
/// # Errors
/// If the address space for the stacks cannot be reserved.
pub fn new_vm(seed: u64) -> std::io::Result<Box<VmState>> {
    let mut vm = VmState::new(seed, Hooks::interpreter_only(call_hook, no_compiler))?;
    vm.host
        .push(Box::new(BigStack(DefaultStack::new(NATIVE_STACK)?)));
    Ok(vm)
}

fn no_compiler(_: &mut VmState, _: &[u8], _: &str, _: &str) -> Result<Gc<FuncProto>, String> {
    Err("this VM has no compiler".into())
}

/// Runs `f` on the VM's large native stack; directly when it is running there
/// already. Panics pass through.
pub fn on_big_stack<R>(vm: &mut VmState, f: impl FnOnce(&mut VmState) -> R) -> R {
    if vm.native_limit != 0 {
        return f(vm);
    }
    let Some(i) = vm.host.iter().position(|h| h.is::<BigStack>()) else {
        return f(vm);
    };
    // The stack is taken out so that nobody else can reach it meanwhile.
    let mut entry = vm.host.swap_remove(i);
    let stack = &mut entry.downcast_mut::<BigStack>().expect("found by type").0;
    vm.native_limit = stack.limit().get() + NATIVE_RESERVE;
    let result = corosensei::on_stack(stack, || {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(vm)))
    });
    vm.native_limit = 0;
    vm.host.push(entry);
    match result {
        Ok(r) => r,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Calls `f` and returns its results, or the error value.
///
/// # Errors
/// The value of an uncaught Lua error.
pub fn call(vm: &mut VmState, f: Value, args: &[Value]) -> Result<Vec<Value>, Value> {
    on_big_stack(vm, |vm| {
        let height = vm.height();
        let n = vm.protected_call(f, args)?;
        let first = vm.top.wrapping_sub(n as usize);
        let results = (0..n as usize)
            // SAFETY: the results were just pushed.
            .map(|i| unsafe { *first.add(i) })
            .collect();
        vm.truncate(height);
        Ok(results)
    })
}
