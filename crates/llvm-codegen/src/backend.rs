//! The whole way from MIR to linked code.
//!
//! ```text
//! Func ─ ExitPlan ─► lower ─► LLVM passes ─► object code ─► linked code
//! ```
//!
//! A compilation has an LLVM context of its own, so any number of threads may
//! compile at once; a thread keeps its target machines.

use crate::abi::{EntryThunk, InterpEnter, InterpEntry, ThunkError};
use crate::config::{LEVELS, LlvmConfig};
use crate::lower;
use crate::orc::{Address, Jit, LinkedObject, OrcError, emit_object, set_fast_isel};
use crate::passes::{self, PassError};
use crate::target::{self, Host, TargetError};
use inkwell::context::Context;
use inkwell::targets::TargetMachine;
use std::cell::RefCell;
use vela_mir::backend::{
    Backend, BackendTimes, CompileError, CompileOptions, Compiled, Dumps, Heat, LinkedCode,
    Stopwatch,
};
use vela_mir::exits::ExitPlan;
use vela_mir::ir::Func;

/// Why there is no backend; everything then stays interpreted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// No code can be generated for this machine.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The linker did not start.
    #[error(transparent)]
    Link(#[from] OrcError),
    /// The ways in and out of compiled code could not be made.
    #[error(transparent)]
    Thunk(#[from] ThunkError),
}

/// Compiles MIR with LLVM.
#[derive(Debug)]
pub struct LlvmBackend {
    jit: Jit,
    thunk: EntryThunk,
    interp: InterpEntry,
}

thread_local! {
    static MACHINES: RefCell<[Option<TargetMachine>; LEVELS]> = const {
        RefCell::new([const { None }; LEVELS])
    };
}

impl LlvmBackend {
    /// Starts the linker and generates the thunks. About 3 ms.
    ///
    /// `interp_enter` is what functions without compiled code call: it runs
    /// one in the interpreter.
    ///
    /// # Errors
    /// [`StartError`] says what this machine lacks.
    pub fn new(interp_enter: InterpEnter) -> Result<LlvmBackend, StartError> {
        let host = Host::get()?;
        let jit = Jit::new(host.linker_machine()?)?;
        for (name, address) in libm() {
            jit.define_helper(name, address)?;
        }
        // The level of quick code, which is what comes next: what LLVM does once for its
        // better code can wait until then.
        let machine = host.machine(LlvmConfig::built_in().levels[0].codegen)?;
        Ok(LlvmBackend {
            thunk: EntryThunk::new(&jit, &machine)?,
            interp: InterpEntry::new(&jit, &machine, interp_enter)?,
            jit,
        })
    }

    /// The way into compiled code, for callers from Rust.
    #[must_use]
    pub fn thunk(&self) -> &EntryThunk {
        &self.thunk
    }

    fn compile_on(
        &self,
        machine: &TargetMachine,
        func: &Func,
        options: &CompileOptions,
    ) -> Result<Compiled, CompileError> {
        let level = &LlvmConfig::built_in().levels[level_of(options)];
        let plan = ExitPlan::new(func)?;
        let start = Stopwatch::start();
        let context = Context::create();
        let name = symbol(func, options.code_id);
        let module = context.create_module(&name);
        target::configure(&module, machine);
        let summary = lower::lower(&context, &module, func, &plan, options, &name)?;
        let mut dumps = options.dump.then(Dumps::default);
        if let Some(dumps) = &mut dumps {
            dumps.ir_before = passes::ir_text(&module);
        }
        passes::verify(&module).map_err(bug)?;
        let lower = start.elapsed();
        let start = Stopwatch::start();
        if summary.inlines {
            passes::run(&module, machine, lower::INLINE).map_err(failed)?;
        }
        let pipeline = level.pipeline_for(summary.marked_loops);
        passes::run(&module, machine, pipeline).map_err(failed)?;
        let passes = start.elapsed();
        set_fast_isel(machine, level.fast_isel(summary.guards));
        if let Some(dumps) = &mut dumps {
            dumps.ir_after = passes::ir_text(&module);
            dumps.asm = passes::assembly_text(&module, machine).map_err(bug)?;
        }
        let start = Stopwatch::start();
        let object = emit_object(&module, machine).map_err(failed)?;
        let codegen = start.elapsed();
        let start = Stopwatch::start();
        let size = object.loaded_size().map_err(linking)? as usize;
        let linked = self.jit.link(&object, &[&name]).map_err(linking)?;
        let entry = linked.lookup(&name).map_err(linking)?;
        Ok(Compiled {
            code: Box::new(Code {
                entry,
                size,
                _object: linked,
                _heat: options.heat.clone(),
            }),
            exits: plan.exits,
            sites: plan.sites,
            times: BackendTimes {
                lower,
                passes,
                codegen,
                link: start.elapsed(),
            },
            dumps,
        })
    }
}

impl Backend for LlvmBackend {
    fn compile(&self, func: &Func, options: &CompileOptions) -> Result<Compiled, CompileError> {
        let level = level_of(options);
        MACHINES.with(|machines| {
            let mut machines = machines.borrow_mut();
            let machine = match &mut machines[level] {
                Some(machine) => machine,
                none => none.insert(
                    Host::get()
                        .and_then(|host| host.machine(LlvmConfig::built_in().levels[level].codegen))
                        .map_err(|e| CompileError::Backend(e.to_string()))?,
                ),
            };
            self.compile_on(machine, func, options)
        })
    }

    fn enter_thunk(&self) -> *const u8 {
        self.thunk.function() as *const u8
    }

    fn interp_entry(&self) -> *const u8 {
        self.interp.address() as *const u8
    }

    fn name(&self) -> &'static str {
        "llvm"
    }
}

fn level_of(options: &CompileOptions) -> usize {
    usize::from(options.opt_level).min(LEVELS - 1)
}

fn bug(e: PassError) -> CompileError {
    CompileError::Bug(e.to_string())
}

fn failed(e: PassError) -> CompileError {
    CompileError::Backend(e.to_string())
}

fn linking(e: OrcError) -> CompileError {
    CompileError::Backend(e.to_string())
}

/// The name of a function's code: unique, and readable in a profiler.
fn symbol(func: &Func, code_id: u32) -> String {
    let readable: String = func
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(60)
        .collect();
    format!("lua.{readable}.{code_id}")
}

struct Code {
    entry: Address,
    size: usize,
    _object: LinkedObject,
    /// The code refers to it.
    _heat: Option<Heat>,
}

impl LinkedCode for Code {
    fn entry(&self) -> *const u8 {
        self.entry as *const u8
    }

    fn size(&self) -> usize {
        self.size
    }
}

/// Functions of libm that LLVM calls where the processor lacks the operation
/// (`floor` and `ceil` before SSE4.1).
fn libm() -> [(&'static str, Address); 2] {
    extern "C" fn floor(x: f64) -> f64 {
        x.floor()
    }
    extern "C" fn ceil(x: f64) -> f64 {
        x.ceil()
    }
    type Function = extern "C" fn(f64) -> f64;
    let address = |f: Function| f as usize as Address;
    [("floor", address(floor)), ("ceil", address(ceil))]
}
