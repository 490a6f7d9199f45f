//! Running LLVM over a module: verification, pass pipelines, text for dumps.

use inkwell::module::Module;
use inkwell::passes::PassBuilderOptions;
use inkwell::targets::{FileType, TargetMachine};

use crate::orc::diagnostics;

/// Why LLVM refused a module. None of these is the user's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassError {
    /// The pipeline text names an unknown pass: a mistake in `llvm-config.toml`.
    #[error("pass pipeline {pipeline:?}: {message}")]
    Pipeline {
        /// The pipeline.
        pipeline: String,
        /// LLVM's message.
        message: String,
    },
    /// The IR is malformed: a bug in lowering.
    #[error("malformed LLVM IR: {message}")]
    Malformed {
        /// LLVM's message.
        message: String,
    },
    /// A pass or the code generator gave up on the function: it stays interpreted.
    #[error("LLVM: {message}")]
    Failed {
        /// LLVM's messages.
        message: String,
    },
}

/// Checks that a module is well formed. Costs a walk over it.
///
/// # Errors
/// [`PassError::Malformed`] says what is wrong.
pub fn verify(module: &Module<'_>) -> Result<(), PassError> {
    module.verify().map_err(|e| PassError::Malformed {
        message: e.to_string(),
    })
}

/// Runs a pass pipeline, in the text form of LLVM's new pass manager, on a module.
/// The empty pipeline does nothing. Does not verify.
///
/// # Errors
/// [`PassError::Pipeline`] for a bad text, [`PassError::Failed`] when a pass reports
/// an error.
pub fn run(module: &Module<'_>, machine: &TargetMachine, pipeline: &str) -> Result<(), PassError> {
    if pipeline.is_empty() {
        return Ok(());
    }
    let (result, errors) = diagnostics::collect(module, || {
        module.run_passes(pipeline, machine, PassBuilderOptions::create())
    });
    result.map_err(|e| PassError::Pipeline {
        pipeline: pipeline.to_owned(),
        message: e.to_string(),
    })?;
    if errors.is_empty() {
        Ok(())
    } else {
        Err(PassError::Failed {
            message: errors.join("; "),
        })
    }
}

/// The module as LLVM IR text.
#[must_use]
pub fn ir_text(module: &Module<'_>) -> String {
    module.print_to_string().to_string()
}

/// The assembly that code generation would give for the module. Works on a copy:
/// code generation rewrites the IR, and a dump must not change what is compiled.
///
/// # Errors
/// [`PassError::Malformed`] when the module does not verify,
/// [`PassError::Failed`] when the code generator gives up.
pub fn assembly_text(module: &Module<'_>, machine: &TargetMachine) -> Result<String, PassError> {
    verify(module)?;
    let bytes = generate(&module.clone(), machine, FileType::Assembly)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Generates code of the given kind; rewrites the module's IR on the way.
pub(crate) fn generate(
    module: &Module<'_>,
    machine: &TargetMachine,
    kind: FileType,
) -> Result<Vec<u8>, PassError> {
    let (result, errors) =
        diagnostics::collect(module, || machine.write_to_memory_buffer(module, kind));
    match result {
        Ok(buffer) if errors.is_empty() => Ok(buffer.as_slice().to_vec()),
        Ok(_) => Err(PassError::Failed {
            message: errors.join("; "),
        }),
        Err(e) => Err(PassError::Failed {
            message: e.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LlvmConfig;
    use crate::target::{Host, configure};
    use inkwell::context::Context;
    use inkwell::memory_buffer::MemoryBuffer;

    fn parse<'c>(context: &'c Context, text: &str) -> Module<'c> {
        let text = format!("{text}\0");
        let buffer = MemoryBuffer::create_from_memory_range_copy(text.as_bytes(), "test");
        context.create_module_from_ir(buffer).unwrap()
    }

    const SUM: &str = "
        define i64 @sum(ptr %p, i64 %n) {
        entry:
          br label %loop
        loop:
          %i = phi i64 [0, %entry], [%i2, %loop]
          %s = phi i64 [0, %entry], [%s2, %loop]
          %a = getelementptr inbounds i64, ptr %p, i64 %i
          %v = load i64, ptr %a
          %s2 = add i64 %s, %v
          %i2 = add nuw nsw i64 %i, 1
          %c = icmp ult i64 %i2, %n
          br i1 %c, label %loop, label %exit, !llvm.loop !0
        exit:
          ret i64 %s2
        }
        !0 = distinct !{!0, !1}
        !1 = !{!\"llvm.loop.vectorize.enable\", i1 MARK}";

    fn optimized_sum(level: usize, marked: bool) -> String {
        let level = &LlvmConfig::built_in().levels[level];
        let machine = Host::get().unwrap().machine(level.codegen).unwrap();
        let context = Context::create();
        let module = parse(&context, &SUM.replace("MARK", &marked.to_string()));
        configure(&module, &machine);
        run(&module, &machine, level.pipeline_for(true)).unwrap();
        verify(&module).unwrap();
        ir_text(&module)
    }

    #[test]
    fn every_pipeline_of_the_configuration_runs() {
        for level in &LlvmConfig::built_in().levels {
            let machine = Host::get().unwrap().machine(level.codegen).unwrap();
            for marked in [false, true] {
                let context = Context::create();
                let module = parse(&context, &SUM.replace("MARK", "true"));
                configure(&module, &machine);
                run(&module, &machine, level.pipeline_for(marked)).unwrap();
                verify(&module).unwrap();
            }
        }
    }

    #[test]
    fn only_marked_loops_are_vectorized() {
        for level in [2, 3] {
            assert!(
                optimized_sum(level, true).contains(" x i64>"),
                "level {level}"
            );
            assert!(
                !optimized_sum(level, false).contains(" x i64>"),
                "level {level}"
            );
        }
        assert!(!optimized_sum(1, true).contains(" x i64>"));
    }

    #[test]
    fn unknown_pass_is_an_error() {
        let machine = Host::get()
            .unwrap()
            .machine(LlvmConfig::built_in().levels[0].codegen);
        let context = Context::create();
        let module = parse(&context, &SUM.replace("MARK", "true"));
        let result = run(&module, &machine.unwrap(), "function(no-such-pass)");
        let Err(PassError::Pipeline { message, .. }) = result else {
            panic!("{result:?}")
        };
        assert!(message.contains("no-such-pass"), "{message}");
    }

    #[test]
    fn an_error_of_the_code_generator_is_returned() {
        // Reported through the context's diagnostics, which
        // end the process when nobody listens.
        let machine = Host::get()
            .unwrap()
            .machine(LlvmConfig::built_in().levels[1].codegen);
        let context = Context::create();
        let module = parse(
            &context,
            "define void @f() {
               call void asm sideeffect \"\", \"{no-such-register}\"(i64 0)
               ret void
             }",
        );
        let machine = machine.unwrap();
        configure(&module, &machine);
        let result = generate(&module, &machine, FileType::Object);
        let Err(PassError::Failed { message }) = result else {
            panic!("{result:?}")
        };
        assert!(message.contains("no-such-register"), "{message}");
    }

    #[test]
    fn assembly_is_of_a_copy() {
        let level = &LlvmConfig::built_in().levels[2];
        let machine = Host::get().unwrap().machine(level.codegen).unwrap();
        let context = Context::create();
        let module = parse(&context, &SUM.replace("MARK", "false"));
        configure(&module, &machine);
        let before = ir_text(&module);
        let text = assembly_text(&module, &machine).unwrap();
        assert!(text.contains("sum:"), "{text}");
        assert_eq!(before, ir_text(&module));
    }
}
