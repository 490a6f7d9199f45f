//! The `os` library.

use crate::register;
use vela_objects::VmState;

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    register::library(vm, "os", &[]);
}
