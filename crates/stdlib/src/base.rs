//! The basic library.

use crate::register;
use vela_objects::{Value, VmState};

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    let g = vm.globals;
    register::set_field(vm, g, "_G", Value::table(g));
    register::set_loaded(vm, "_G", Value::table(g));
    let version = vm.str_value(b"Lua 5.4");
    register::set_field(vm, g, "_VERSION", version);
}
