//! Where the optimizing tier joins a VM.
//!
//! Everything that depends on feature `llvm-jit` is in this module: [`install`]
//! plugs the tier into a new VM, [`stats`] reads its counters. The LLVM backend
//! is made once per process and shared by all VMs.

use crate::error::Error;
use std::sync::Arc;
use std::time::Duration;
use vela_objects::VmState;
use vela_runtime_integration::{JitConfig, MirBackend, Mode, Tier};

/// Why the tier cannot do what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TierError {
    /// The tier is not part of this build.
    #[error("this build has no optimizing tier (build with --features llvm-jit)")]
    NotBuilt,
    /// A function was not compiled.
    #[error("not compiled: {0}")]
    Compile(String),
    /// The code generator or its threads could not start on this machine.
    #[error("the optimizing tier did not start: {0}")]
    Start(String),
}

/// What runs the optimizer's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Machine code by LLVM.
    #[default]
    Llvm,
    /// The interpreter of the intermediate form: slow, for tests.
    Mir,
}

impl Backend {
    /// A backend by name: `llvm` or `mir`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Backend> {
        match name {
            "llvm" => Some(Backend::Llvm),
            "mir" => Some(Backend::Mir),
            _ => None,
        }
    }
}

/// Whether this build can compile with `backend`.
#[must_use]
pub fn is_available(backend: Backend) -> bool {
    match backend {
        Backend::Llvm => cfg!(feature = "llvm-jit"),
        Backend::Mir => true,
    }
}

#[cfg(feature = "llvm-jit")]
mod llvm {
    use super::TierError;
    use std::sync::{Arc, OnceLock};
    use vela_llvm_codegen::backend::LlvmBackend;

    /// The process's backend, started on first use.
    pub(super) fn backend() -> Result<Arc<LlvmBackend>, TierError> {
        static BACKEND: OnceLock<Result<Arc<LlvmBackend>, TierError>> = OnceLock::new();
        BACKEND
            .get_or_init(|| {
                LlvmBackend::new(vela_interpreter::thunk::interp_thunk)
                    .map(Arc::new)
                    .map_err(|e| TierError::Start(e.to_string()))
            })
            .clone()
    }
}

/// Plugs the tier into a new VM. In a build without a backend, and with a
/// configuration that never compiles, functions stay interpreted.
///
/// # Errors
/// [`TierError::Start`] if code generation is not possible here.
pub(crate) fn install(vm: &mut VmState, config: &JitConfig, backend: Backend) -> Result<(), Error> {
    if config.mode == Mode::Off || !config.compiles() || !is_available(backend) {
        return Ok(());
    }
    match backend {
        Backend::Llvm => {
            #[cfg(feature = "llvm-jit")]
            {
                let backend = llvm::backend()?;
                Tier::attach(vm, config.clone(), backend)
                    .map_err(|e| TierError::Start(e.to_string()))?;
            }
        }
        Backend::Mir => {
            Tier::attach(vm, config.clone(), Arc::new(MirBackend))
                .map_err(|e| TierError::Start(e.to_string()))?;
        }
    }
    Ok(())
}

/// Compiles a Lua function now, on this thread, with the feedback it has.
/// Returns the time of all phases together.
///
/// # Errors
/// [`TierError::NotBuilt`] without a tier in this VM, [`TierError::Compile`]
/// with the reason why the function stays interpreted.
pub(crate) fn compile(vm: &mut VmState, f: vela_objects::Value) -> Result<Duration, TierError> {
    let tier = Tier::of(vm).ok_or(TierError::NotBuilt)?;
    let Some(closure) = f.as_lua_fn() else {
        return Err(TierError::Compile("not a Lua function".into()));
    };
    match tier.compile_now(vm, closure.proto) {
        Ok(phases) => Ok(phases.total()),
        Err(e) => Err(TierError::Compile(e.to_string())),
    }
}

/// Functions compiled and side exits taken so far; zeros without a tier.
#[must_use]
pub fn counts(vm: &VmState) -> (u64, u64) {
    Tier::of(vm).map_or((0, 0), |t| {
        let s = t.stats();
        (s.functions_compiled, s.deopts)
    })
}

/// The tier's counters as one JSON object; `full` adds those that cost time.
/// `None` without the tier.
#[must_use]
pub fn stats(vm: &VmState, _full: bool) -> Option<String> {
    Tier::of(vm).map(|t| t.stats().to_json())
}
