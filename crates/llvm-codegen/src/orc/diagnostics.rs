//! Errors that LLVM reports through its context instead of returning them.
//!
//! With no handler installed, LLVM prints such an error and ends the process.

use std::ffi::{CStr, c_void};

use inkwell::context::AsContextRef;
use inkwell::module::Module;
use llvm_sys::LLVMDiagnosticSeverity::LLVMDSError;
use llvm_sys::core::{
    LLVMContextSetDiagnosticHandler, LLVMDisposeMessage, LLVMGetDiagInfoDescription,
    LLVMGetDiagInfoSeverity,
};
use llvm_sys::prelude::{LLVMContextRef, LLVMDiagnosticInfoRef};

/// Runs `work` and returns the errors reported meanwhile on the module's context.
/// Warnings and remarks are dropped. Replaces a handler that was installed before.
pub fn collect<R>(module: &Module<'_>, work: impl FnOnce() -> R) -> (R, Vec<String>) {
    let mut errors: Vec<String> = Vec::new();
    let context = module.get_context().as_ctx_ref();
    // SAFETY: the context outlives the module. `errors` outlives the handler: the
    // guard takes the handler away before `errors` goes out of scope, on unwinding
    // too. A context is used by one thread at a time, so the handler runs only
    // inside `work`, while `errors` is not otherwise touched.
    unsafe {
        LLVMContextSetDiagnosticHandler(context, Some(handle), (&raw mut errors).cast());
    }
    let guard = Uninstall(context);
    let result = work();
    drop(guard);
    (result, errors)
}

struct Uninstall(LLVMContextRef);

impl Drop for Uninstall {
    fn drop(&mut self) {
        // SAFETY: `collect` borrows a module of this context while the guard lives.
        unsafe { LLVMContextSetDiagnosticHandler(self.0, None, std::ptr::null_mut()) }
    }
}

extern "C" fn handle(info: LLVMDiagnosticInfoRef, errors: *mut c_void) {
    // SAFETY: LLVM passes a live diagnostic and the pointer that `collect` installed
    // (see there); the description is a C string that we own.
    unsafe {
        if LLVMGetDiagInfoSeverity(info) != LLVMDSError {
            return;
        }
        let text = LLVMGetDiagInfoDescription(info);
        let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
        LLVMDisposeMessage(text);
        (*errors.cast::<Vec<String>>()).push(copy);
    }
}
