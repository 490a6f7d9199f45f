//! From a module to object code.

use inkwell::module::Module;
use inkwell::targets::{FileType, TargetMachine};
use llvm_sys::target_machine::LLVMSetTargetMachineFastISel;

use super::ObjectCode;
use crate::passes::{self, PassError};

/// Generates object code for a module. Rewrites the module's IR on the way: take
/// dumps before.
///
/// # Errors
/// [`PassError::Failed`] when the code generator gives up.
pub fn emit_object(module: &Module<'_>, machine: &TargetMachine) -> Result<ObjectCode, PassError> {
    passes::generate(module, machine, FileType::Object).map(ObjectCode::from)
}

/// Switches fast instruction selection on or off for the code that `machine`
/// generates from now on. At [`CodegenLevel::None`](crate::config::CodegenLevel) it
/// is always on.
pub fn set_fast_isel(machine: &TargetMachine, on: bool) {
    // SAFETY: the machine is live and, not being `Sync`, used by this thread alone.
    unsafe { LLVMSetTargetMachineFastISel(machine.as_mut_ptr(), on.into()) }
}
