//! Marks on loops, which take metadata that refers to itself.

use inkwell::context::{AsContextRef, Context};
use inkwell::values::{AsValueRef, InstructionValue};
use llvm_sys::core::{
    LLVMConstInt, LLVMGetMDKindIDInContext, LLVMInt1TypeInContext, LLVMMDNodeInContext2,
    LLVMMDStringInContext2, LLVMMetadataAsValue, LLVMSetMetadata, LLVMValueAsMetadata,
};
use llvm_sys::debuginfo::{LLVMMetadataReplaceAllUsesWith, LLVMTemporaryMDNode};

const VECTORIZE: &str = "llvm.loop.vectorize.enable";
const KIND: &str = "llvm.loop";

/// Asks for vectorization of the loop whose back edge `latch` is.
pub fn mark_for_vectorization<'c>(context: &'c Context, latch: InstructionValue<'c>) {
    let raw = context.as_ctx_ref();
    // SAFETY: the context is live and owns everything made here. The temporary node
    // is replaced, and thereby freed, once. The strings are read during the calls.
    unsafe {
        let name = LLVMMDStringInContext2(raw, VECTORIZE.as_ptr().cast(), VECTORIZE.len());
        let on = LLVMValueAsMetadata(LLVMConstInt(LLVMInt1TypeInContext(raw), 1, 0));
        let mut pair = [name, on];
        let mut parts = [
            LLVMTemporaryMDNode(raw, std::ptr::null_mut(), 0),
            LLVMMDNodeInContext2(raw, pair.as_mut_ptr(), pair.len()),
        ];
        // A node that refers to itself is distinct, as a loop's identity must be.
        let id = LLVMMDNodeInContext2(raw, parts.as_mut_ptr(), parts.len());
        LLVMMetadataReplaceAllUsesWith(parts[0], id);
        let kind = LLVMGetMDKindIDInContext(raw, KIND.as_ptr().cast(), KIND.len() as u32);
        LLVMSetMetadata(latch.as_value_ref(), kind, LLVMMetadataAsValue(raw, id));
    }
}
