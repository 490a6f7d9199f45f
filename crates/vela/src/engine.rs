//! What many VMs have in common.

use crate::chunk;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::tier;
use crate::vm::{Vm, VmConfig};
use std::sync::Arc;
use vela_bytecode::Proto;

/// Makes VMs of one kind, on any thread. Clones are the same engine.
///
/// The optimizing tier's code generator is started once per process, however
/// many engines there are; VMs share nothing else that can change, so none
/// waits for another.
///
/// ```
/// use vela::{Engine, VmConfig};
///
/// # fn main() -> vela::Result<()> {
/// let engine = Engine::new(VmConfig::default())?;
/// let program = engine.compile("local n = ... return n * n", "=square")?;
/// let results: Vec<i64> = std::thread::scope(|s| {
///     let threads: Vec<_> = (1..=3i64)
///         .map(|n| {
///             let (engine, program) = (&engine, &program);
///             s.spawn(move || {
///                 let mut vm = engine.vm()?;
///                 vm.load_program(program)?.call::<i64>(&mut vm, n)
///             })
///         })
///         .collect();
///     threads.into_iter().map(|t| t.join().expect("no panic").expect("no error")).collect()
/// });
/// assert_eq!(results, [1, 4, 9]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Engine(Arc<VmConfig>);

impl Engine {
    /// An engine for VMs with this configuration.
    ///
    /// # Errors
    /// [`Error::Config`] if it is out of bounds.
    pub fn new(config: VmConfig) -> Result<Engine> {
        config.jit.validate()?;
        Ok(Engine(Arc::new(config)))
    }

    /// An engine for VMs that run code which is not trusted: the libraries of
    /// [`Libraries::SANDBOX`](crate::Libraries::SANDBOX), no environment
    /// variables, and these limits.
    #[must_use]
    pub fn sandbox(limits: Limits) -> Engine {
        Engine(Arc::new(VmConfig::sandbox(limits)))
    }

    /// A new VM.
    ///
    /// # Errors
    /// As [`Vm::new`].
    pub fn vm(&self) -> Result<Vm> {
        Vm::new((*self.0).clone())
    }

    /// The configuration of the VMs.
    #[must_use]
    pub fn config(&self) -> &VmConfig {
        &self.0
    }

    /// Compiles Lua source once for many VMs. `name` is as for
    /// [`Chunk::name`](crate::Chunk::name).
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn compile(&self, source: impl AsRef<[u8]>, name: &str) -> Result<Program> {
        match chunk::read(source.as_ref(), name, "t") {
            Ok(proto) => Ok(Program(proto)),
            Err(message) => Err(Error::Syntax { message }),
        }
    }

    /// Whether the VMs compile hot functions.
    #[must_use]
    pub fn compiles(&self) -> bool {
        self.0.jit.compiles() && tier::is_available(self.0.backend)
    }
}

/// A compiled chunk, to be loaded into VMs with [`Vm::load_program`].
#[derive(Clone, Debug)]
pub struct Program(pub(crate) Arc<Proto>);
