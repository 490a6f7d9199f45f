//! The interface between MIR and whatever turns it into running code.

use crate::ir::Func;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use vela_deopt::{CallSite, SideExit};

/// Which guards fail although what they test holds: a check of side exits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExitStress {
    /// None.
    #[default]
    Off,
    /// Every n-th of the code, always.
    Every(u32),
    /// Each, the first time that it is reached: so that all exits are taken.
    First,
}

impl ExitStress {
    /// Whether the guard that is the `n`-th of the code (from 1) may fail.
    #[must_use]
    pub fn takes(self, n: u32) -> bool {
        match self {
            ExitStress::Off => false,
            ExitStress::Every(every) => n.is_multiple_of(every),
            ExitStress::First => true,
        }
    }
}

/// How often code ran: the code counts its entries and the passages of its loop
/// headers by plain increments, while other threads read. The count only ranks
/// code, so it need not be exact. The [`LinkedCode`] keeps a handle of its own.
#[derive(Clone, Debug, Default)]
pub struct Heat(Arc<AtomicU64>);

impl Heat {
    /// The count so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts once.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the other handles are gone, and the code with them.
    #[must_use]
    pub fn is_orphan(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Where the count is, for machine code.
    #[must_use]
    pub fn address(&self) -> *mut u64 {
        self.0.as_ptr()
    }
}

/// What a backend is asked for besides the function.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// Optimization level 0..=3.
    pub opt_level: u8,
    /// Unique id of this code; goes into frame records and exits.
    pub code_id: u32,
    /// Leave out every promise that only helps the optimizer (`nuw`,
    /// `inbounds`, `range`, ...): a check that they are true.
    pub strip_promises: bool,
    /// Guards that fail without a reason.
    pub exit_stress: ExitStress,
    /// Where the code counts how often it runs, if it is to.
    pub heat: Option<Heat>,
    /// Collect textual dumps.
    pub dump: bool,
}

impl Default for CompileOptions {
    fn default() -> Self {
        CompileOptions {
            opt_level: 2,
            code_id: 0,
            strip_promises: false,
            exit_stress: ExitStress::Off,
            heat: None,
            dump: false,
        }
    }
}

/// Machine code that is linked into memory; dropping it frees the memory.
pub trait LinkedCode: Send + Sync {
    /// Address of the entry.
    fn entry(&self) -> *const u8;
    /// Bytes of machine code.
    fn size(&self) -> usize;
}

/// Textual dumps of a compilation.
#[derive(Clone, Debug, Default)]
pub struct Dumps {
    /// LLVM IR as lowered.
    pub ir_before: String,
    /// LLVM IR after its passes.
    pub ir_after: String,
    /// Assembly.
    pub asm: String,
}

/// Measures the processor time of the thread that it is made and asked on: a
/// busy machine does not make a phase longer.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Duration);

impl Stopwatch {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        Stopwatch(thread_time())
    }

    /// Time of the thread since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        thread_time().saturating_sub(self.0)
    }
}

fn thread_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// Times of a backend's phases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackendTimes {
    /// Lowering MIR to the backend's own form.
    pub lower: Duration,
    /// Passes over that form.
    pub passes: Duration,
    /// Generating machine code.
    pub codegen: Duration,
    /// Linking it into memory.
    pub link: Duration,
}

/// Result of a compilation.
pub struct Compiled {
    /// The linked code.
    pub code: Box<dyn LinkedCode>,
    /// Side exits, by id.
    pub exits: Vec<SideExit>,
    /// Call sites, by id.
    pub sites: Vec<CallSite>,
    /// Time of each of the backend's phases.
    pub times: BackendTimes,
    /// Dumps, if asked for.
    pub dumps: Option<Dumps>,
}

/// Why a function was not compiled. The message of each says who can act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The function is larger than a limit of the tier.
    #[error("too large: {what} is {size}, the limit is {limit}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How large it is.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The function uses something the tier does not compile.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
    /// A defect in the tier: the MIR or LLVM verifier rejected the code.
    #[error("internal error in the optimizing tier (please report): {0}")]
    Bug(String),
    /// The backend's libraries failed, for example out of memory.
    #[error("the code generator failed: {0}")]
    Backend(String),
    /// What the code assumed no longer holds.
    #[error("an assumption changed while compiling")]
    Stale,
}

/// Turns MIR into running code. One backend serves all worker threads. It may
/// put off what is expensive to start until the first compilation: the entries
/// are asked for when the first code is installed.
pub trait Backend: Send + Sync {
    /// Compiles a verified function.
    ///
    /// # Errors
    /// See [`CompileError`]; the function stays interpreted.
    fn compile(&self, func: &Func, options: &CompileOptions) -> Result<Compiled, CompileError>;

    /// Address of the C-ABI thunk through which Rust enters compiled code.
    fn enter_thunk(&self) -> *const u8;

    /// Address of an entry (Lua convention) that runs a function in the
    /// interpreter by calling `interp_enter(vm, fp, closure, desc, p0, p1, p2, out)`.
    fn interp_entry(&self) -> *const u8;

    /// Whether frames of its code own memory, which a suspended coroutine
    /// must release frame by frame. Machine code's frames do not.
    fn frames_own_memory(&self) -> bool {
        false
    }

    /// Name for logs.
    fn name(&self) -> &'static str;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_is_an_orphan_without_its_code() {
        let heat = Heat::default();
        let code = heat.clone();
        code.count();
        assert!(!heat.is_orphan());
        drop(code);
        assert!(heat.is_orphan());
        assert_eq!(heat.get(), 1);
    }
}
