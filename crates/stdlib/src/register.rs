//! Registration of library tables.

use vela_objects::intrinsic::Intrinsic;
use vela_objects::{Gc, NativeFn, Table, Value, VmState};

/// Key of the table of loaded modules in the registry (`package.loaded`).
pub const LOADED: &str = "_LOADED";

/// The last component of a function's full name: the key it gets in its
/// library table (`rep` for `string.rep`, `read` for `file:read`).
#[must_use]
pub fn key_of(full_name: &str) -> &str {
    full_name.rsplit(['.', ':']).next().unwrap_or(full_name)
}

/// Adds native functions to `t` under the last component of their full names
/// (`string.rep`), which tracebacks use; functions that the optimizer knows
/// are marked as such.
pub fn add_functions(vm: &mut VmState, t: Gc<Table>, functions: &[(&'static str, NativeFn)]) {
    for &(name, f) in functions {
        let native = vm.native(name, f);
        native.set_known(Intrinsic::from_name(name));
        let key = vm.str(key_of(name).as_bytes());
        t.set_str(vm, key, Value::native_fn(native));
    }
}

/// Creates library `name` with these functions: a table of its own shape,
/// stored as a global and as a loaded module.
pub fn library(vm: &mut VmState, name: &str, functions: &[(&'static str, NativeFn)]) -> Gc<Table> {
    let t = vm.table(0, 0);
    t.make_singleton(vm);
    add_functions(vm, t, functions);
    let globals = vm.globals;
    set_field(vm, globals, name, Value::table(t));
    set_loaded(vm, name, Value::table(t));
    t
}

/// `t[name] = v`, without metamethods.
pub fn set_field(vm: &mut VmState, t: Gc<Table>, name: &str, v: Value) {
    let key = vm.str(name.as_bytes());
    t.set_str(vm, key, v);
}

/// The table of loaded modules, created on first use.
pub fn loaded(vm: &mut VmState) -> Gc<Table> {
    let key = vm.str(LOADED.as_bytes());
    if let Some(t) = vm.registry.get_str(key).as_table() {
        return t;
    }
    let t = vm.table(0, 0);
    let registry = vm.registry;
    registry.set_str(vm, key, Value::table(t));
    t
}

/// Records `v` as the loaded module `name`.
pub fn set_loaded(vm: &mut VmState, name: &str, v: Value) {
    let t = loaded(vm);
    set_field(vm, t, name, v);
}
