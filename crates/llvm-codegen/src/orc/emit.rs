//! From a module to object code.

use std::ffi::{CString, NulError};
use std::ptr;

use inkwell::module::Module;
use inkwell::targets::{FileType, TargetMachine};
use llvm_sys::support::LLVMParseCommandLineOptions;
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

/// Sets options of LLVM's command-line tools for the whole process. To be done once,
/// before any code is generated. LLVM ends the process, with a message, at an option
/// that it does not know.
///
/// # Errors
/// [`NulError`] for an option with a zero byte.
pub fn set_options(options: &[String]) -> Result<(), NulError> {
    let program = std::iter::once("vela");
    let strings: Vec<CString> = program
        .chain(options.iter().map(String::as_str))
        .map(CString::new)
        .collect::<Result<_, _>>()?;
    let pointers: Vec<_> = strings.iter().map(|s| s.as_ptr()).collect();
    // SAFETY: as many strings as said, which LLVM copies; it takes no overview.
    unsafe {
        LLVMParseCommandLineOptions(pointers.len() as i32, pointers.as_ptr(), ptr::null());
    }
    Ok(())
}

/// Switches fast instruction selection on or off for the code that `machine`
/// generates from now on. At [`CodegenLevel::None`](crate::config::CodegenLevel) it
/// is always on.
pub fn set_fast_isel(machine: &TargetMachine, on: bool) {
    // SAFETY: the machine is live and, not being `Sync`, used by this thread alone.
    unsafe { LLVMSetTargetMachineFastISel(machine.as_mut_ptr(), on.into()) }
}
