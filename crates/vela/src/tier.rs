//! Where the optimizing tier joins a VM.
//!
//! Everything that depends on feature `llvm-jit` is in this module: [`install`]
//! puts the tier's hooks into a new VM, [`stats`] reads its counters.

use vela_objects::VmState;
use vela_runtime_integration::JitConfig;

/// Why the tier cannot do what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TierError {
    /// The tier is not part of this build.
    #[error("this build has no optimizing tier (build with --features llvm-jit)")]
    NotBuilt,
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
    let _ = backend;
    false
}

/// Puts the tier into a new VM. Without the tier in the build, functions stay
/// interpreted.
pub(crate) fn install(_vm: &mut VmState, _config: &JitConfig, _backend: Backend) {}

/// The tier's counters as one JSON object; `full` adds those that cost time.
/// `None` without the tier.
#[must_use]
pub fn stats(_vm: &VmState, _full: bool) -> Option<String> {
    None
}
