//! The machine that code is generated for.
//!
//! CPU name and features are always the host's as text: LLVM aborts the process on
//! the name "native". A [`TargetMachine`] is not shared: every worker makes its own.

use std::sync::OnceLock;

use inkwell::OptimizationLevel;
use inkwell::module::Module;
use inkwell::targets::{
    CodeModel as LlvmCodeModel, InitializationConfig, RelocMode, Target, TargetMachine,
};

use crate::config::{Arch, CodeModel, CodegenLevel, LlvmConfig, Relocation};
use crate::orc::set_options;

/// Why there is no machine to generate code for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The program runs on an architecture that `llvm-config.toml` does not list:
    /// nothing is compiled here.
    #[error("no code can be generated for this architecture ({arch})")]
    Unsupported {
        /// The architecture's name.
        arch: &'static str,
    },
    /// LLVM was built without the architecture: install a complete one.
    #[error("this LLVM cannot generate code for {triple}: {message}")]
    NoBackend {
        /// The target triple.
        triple: String,
        /// LLVM's message.
        message: String,
    },
    /// `llvm-config.toml` has an option that cannot be given to LLVM.
    #[error("codegen_options: {0}")]
    Options(String),
}

/// Names of a machine, enough to decide whether code made for it runs here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    triple: String,
    cpu: String,
    features: String,
}

impl Host {
    /// The machine that this program runs on. The first call initializes LLVM's
    /// backend for it; the answer never changes.
    ///
    /// # Errors
    /// [`TargetError::Unsupported`] when the architecture is not configured.
    pub fn get() -> Result<&'static Self, TargetError> {
        static HOST: OnceLock<Result<Host, TargetError>> = OnceLock::new();
        HOST.get_or_init(Self::detect)
            .as_ref()
            .map_err(Clone::clone)
    }

    fn detect() -> Result<Self, TargetError> {
        let unsupported = TargetError::Unsupported {
            arch: std::env::consts::ARCH,
        };
        let arch = Arch::host().ok_or_else(|| unsupported.clone())?;
        if !LlvmConfig::built_in().targets.contains(&arch) {
            return Err(unsupported);
        }
        let parts = InitializationConfig {
            asm_parser: false,
            disassembler: true,
            ..InitializationConfig::default()
        };
        match arch {
            Arch::X86_64 => Target::initialize_x86(&parts),
            Arch::Aarch64 => Target::initialize_aarch64(&parts),
        }
        set_options(&LlvmConfig::built_in().codegen_options)
            .map_err(|e| TargetError::Options(e.to_string()))?;
        Ok(Self {
            triple: TargetMachine::get_default_triple()
                .as_str()
                .to_string_lossy()
                .into_owned(),
            cpu: TargetMachine::get_host_cpu_name().to_string(),
            features: TargetMachine::get_host_cpu_features().to_string(),
        })
    }

    /// Target triple, such as `x86_64-pc-linux-gnu`.
    #[must_use]
    pub fn triple(&self) -> &str {
        &self.triple
    }

    /// LLVM's name of the CPU, such as `znver3`.
    #[must_use]
    pub fn cpu(&self) -> &str {
        &self.cpu
    }

    /// LLVM's feature string: comma-separated names, each with `+` or `-`.
    #[must_use]
    pub fn features(&self) -> &str {
        &self.features
    }

    /// A code generator with the models that `llvm-config.toml` asks for.
    ///
    /// # Errors
    /// [`TargetError::NoBackend`] when LLVM has none for this machine.
    pub fn machine(&self, level: CodegenLevel) -> Result<TargetMachine, TargetError> {
        self.machine_for(&self.cpu, &self.features, level)
    }

    /// What a linker has to know of the machine. Any processor of the architecture will
    /// do, and no list of features has to be read (0.4 ms each time).
    ///
    /// # Errors
    /// [`TargetError::NoBackend`] when LLVM has none for this machine.
    pub fn linker_machine(&self) -> Result<TargetMachine, TargetError> {
        self.machine_for("", "", CodegenLevel::None)
    }

    fn machine_for(
        &self,
        cpu: &str,
        features: &str,
        level: CodegenLevel,
    ) -> Result<TargetMachine, TargetError> {
        let config = LlvmConfig::built_in();
        let none = |message: String| TargetError::NoBackend {
            triple: self.triple.clone(),
            message,
        };
        let triple = inkwell::targets::TargetTriple::create(&self.triple);
        let target = Target::from_triple(&triple).map_err(|e| none(e.to_string()))?;
        let level = match level {
            CodegenLevel::None => OptimizationLevel::None,
            CodegenLevel::Less => OptimizationLevel::Less,
            CodegenLevel::Default => OptimizationLevel::Default,
            CodegenLevel::Aggressive => OptimizationLevel::Aggressive,
        };
        let relocation = match config.relocation {
            Relocation::Pic => RelocMode::PIC,
            Relocation::Static => RelocMode::Static,
        };
        let model = match config.code_model {
            CodeModel::Small => LlvmCodeModel::Small,
            CodeModel::Large => LlvmCodeModel::Large,
        };
        target
            .create_target_machine(&triple, cpu, features, level, relocation, model)
            .ok_or_else(|| none("no target machine".to_owned()))
    }
}

/// Gives a module the triple and data layout of `machine`; to be done before any
/// instruction is built, since folding of sizes depends on it.
pub fn configure(module: &Module<'_>, machine: &TargetMachine) {
    module.set_triple(&machine.get_triple());
    module.set_data_layout(&machine.get_target_data().get_data_layout());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_named_and_has_a_machine_at_each_level() {
        let host = Host::get().unwrap();
        assert!(!host.cpu().is_empty() && host.cpu() != "native");
        for level in &LlvmConfig::built_in().levels {
            let machine = host.machine(level.codegen).unwrap();
            assert_eq!(machine.get_cpu().to_str(), Ok(host.cpu()));
        }
    }
}
