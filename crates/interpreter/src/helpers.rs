//! Functions that compiled code calls.

use vela_objects::VmState;

/// x
pub fn install_helpers(_vm: &mut VmState) {}
