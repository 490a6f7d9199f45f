//! From LLVM IR text to object code, for the tests of the linker.
#![allow(dead_code)]

use inkwell::context::Context;
use inkwell::memory_buffer::MemoryBuffer;
use inkwell::targets::TargetMachine;
use vela_llvm_codegen::config::LlvmConfig;
use vela_llvm_codegen::orc::{Jit, ObjectCode, emit_object, set_fast_isel};
use vela_llvm_codegen::passes;
use vela_llvm_codegen::target::{Host, configure};

/// A machine for the code generation of an optimization level.
pub fn machine(level: usize) -> TargetMachine {
    Host::get()
        .unwrap()
        .machine(LlvmConfig::built_in().levels[level].codegen)
        .unwrap()
}

/// A new linking session.
pub fn jit() -> Jit {
    Jit::new(machine(2)).unwrap()
}

/// Compiles IR text as the level says, for a function of `guards` guards.
pub fn compile(text: &str, level: usize, guards: u32) -> ObjectCode {
    let config = &LlvmConfig::built_in().levels[level];
    let machine = machine(level);
    let context = Context::create();
    let text = format!("{text}\0");
    let buffer = MemoryBuffer::create_from_memory_range_copy(text.as_bytes(), "test");
    let module = context.create_module_from_ir(buffer).unwrap();
    configure(&module, &machine);
    passes::verify(&module).unwrap();
    passes::run(&module, &machine, config.pipeline_for(false)).unwrap();
    set_fast_isel(&machine, config.fast_isel(guards));
    emit_object(&module, &machine).unwrap()
}

/// A function `(i64) -> i64` of the C convention that adds `n`.
pub fn adder(name: &str, n: u64) -> ObjectCode {
    compile(
        &format!(
            "define i64 @{name}(i64 %x) nounwind {{
               %r = add i64 %x, {n}
               ret i64 %r
             }}"
        ),
        2,
        0,
    )
}

/// Calls code made for the signature `(i64) -> i64`.
///
/// # Safety
/// `address` must be that of such a function, linked.
pub unsafe fn call(address: u64, x: u64) -> u64 {
    // SAFETY: by the caller.
    unsafe {
        let function: extern "C" fn(u64) -> u64 = std::mem::transmute(address as usize);
        function(x)
    }
}
