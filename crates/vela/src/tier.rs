//! Where the optimizing tier joins a VM.
//!
//! Everything that depends on feature `llvm-jit` is in this module: `install`
//! plugs the tier into a new VM, [`stats`] reads its counters. The LLVM backend
//! is made once per process, at the first compilation, and shared by all VMs.

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
    /// The tier's threads could not start on this machine.
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
    use std::sync::OnceLock;
    use vela_llvm_codegen::backend::{LlvmBackend, StartError};
    use vela_runtime_integration::backend::{
        Backend, CompileError, CompileOptions, Compiled, Func,
    };

    /// The process's backend, started by the first compilation, on the thread
    /// that compiles.
    pub(super) struct OnDemand;

    fn started() -> Result<&'static LlvmBackend, CompileError> {
        static BACKEND: OnceLock<Result<LlvmBackend, StartError>> = OnceLock::new();
        BACKEND
            .get_or_init(|| LlvmBackend::new(vela_runtime_integration::account::interp_thunk))
            .as_ref()
            .map_err(|e| CompileError::Backend(format!("it did not start: {e}")))
    }

    impl Backend for OnDemand {
        fn compile(&self, func: &Func, options: &CompileOptions) -> Result<Compiled, CompileError> {
            started()?.compile(func, options)
        }

        fn enter_thunk(&self) -> *const u8 {
            started().map_or(std::ptr::null(), Backend::enter_thunk)
        }

        fn interp_entry(&self) -> *const u8 {
            started().map_or(std::ptr::null(), Backend::interp_entry)
        }

        fn name(&self) -> &'static str {
            "llvm"
        }
    }
}

/// Plugs the tier into a new VM. In a build without a backend, and with a
/// configuration that never compiles, functions stay interpreted.
///
/// # Errors
/// [`TierError::Start`] if no compiling thread can be started. A code
/// generator that does not start shows as failed compilations.
pub(crate) fn install(vm: &mut VmState, config: &JitConfig, backend: Backend) -> Result<(), Error> {
    if config.mode == Mode::Off || !config.compiles() || !is_available(backend) {
        return Ok(());
    }
    match backend {
        Backend::Llvm => {
            #[cfg(feature = "llvm-jit")]
            Tier::attach(vm, config.clone(), Arc::new(llvm::OnDemand))
                .map_err(|e| TierError::Start(e.to_string()))?;
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

/// Ends what runs in the background. Hosts that end the process while a VM
/// exists call this first.
pub fn stop(vm: &VmState) {
    if let Some(tier) = Tier::of(vm) {
        tier.stop();
    }
}

/// Whether a compilation is in progress or waits on another thread.
#[must_use]
pub fn is_compiling(vm: &VmState) -> bool {
    Tier::of(vm).is_some_and(|tier| tier.is_compiling())
}

/// Functions compiled and side exits taken so far; zeros without a tier.
#[must_use]
pub fn counts(vm: &VmState) -> (u64, u64) {
    Tier::of(vm).map_or((0, 0), |t| {
        let s = t.stats();
        (s.functions_compiled, s.deopts)
    })
}

/// The tier's counters as one JSON object; `full` adds those that cost time,
/// if the configuration's `full_stats` is set. `None` without the tier.
#[must_use]
pub fn stats(vm: &VmState, full: bool) -> Option<String> {
    let tier = Tier::of(vm)?;
    let shares = if full { tier.shares(vm) } else { None };
    Some(tier.stats().to_json(shares.as_ref()))
}
