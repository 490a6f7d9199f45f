//! One compilation, from feedback to linked code.
//!
//! The phases are listed in one place, [`run`]: build, passes with
//! verification, backend. It runs on a worker thread or, in the synchronous mode, on the
//! program's; it touches no heap object. Installation is the tier's part.

use crate::dump;
use crate::workers;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use vela_mir::backend::{
    Backend, BackendTimes, CompileError, CompileOptions, Compiled, Heat, Stopwatch,
};
use vela_mir::build::{BuildInput, Counters, build};
use vela_mir::ir::{EntryKind, Func, Op, Pool, PoolEntry, Watch};
use vela_mir::passes::{self, Fuel};
use vela_profiler::FunctionSnapshot;

/// What a compiling thread does.
pub enum Task {
    /// A function from its feedback.
    Compile(Box<Job>),
    /// Better code for a function that has quick code.
    Improve(Box<Improvement>),
}

/// A function whose code can be better: its MIR is as good as it gets, but was
/// compiled quickly.
pub struct Improvement {
    owner: u32,
    name: String,
    entry: EntryKind,
    /// Id of the quick code.
    replaces: u32,
    /// How often the quick code ran.
    heat: Heat,
    /// What of that counts no more. Half of what is left is taken off whenever
    /// something hotter gets its better code, so that what ran only until its
    /// callers had better code, with copies of it, stays as it is.
    cooled: u64,
    /// How often it must have run to be worth better code.
    threshold: u64,
    generation: u32,
    latest: Arc<AtomicU32>,
    options: CompileOptions,
    func: Func,
    bytecodes: usize,
    dump_dir: Option<PathBuf>,
}

impl Improvement {
    /// Whether the quick code was thrown away since, or evicted and freed.
    fn is_stale(&self) -> bool {
        self.latest.load(Ordering::Relaxed) != self.generation || self.heat.is_orphan()
    }

    fn recent_heat(&self) -> u64 {
        self.heat.get().saturating_sub(self.cooled)
    }
}

/// What to compile.
pub struct Job {
    /// The function and its feedback.
    pub snapshot: FunctionSnapshot,
    /// For which entry.
    pub entry: EntryKind,
    /// Relying on feedback.
    pub speculate: bool,
    /// Literals of the function's earlier code: they keep their slots, so that
    /// all code of a function can run with the pool of the latest.
    pub literals: Vec<PoolEntry>,
    /// The policy's generation when the job was made.
    pub generation: u32,
    /// The policy's generation now.
    pub latest: Arc<AtomicU32>,
    /// Options of the backend.
    pub options: CompileOptions,
    /// What is to replace quick code, which is compiled first; `None` for no
    /// quick code.
    pub better: Option<Better>,
    /// Most bytecode instructions.
    pub max_size: usize,
    /// Verify after the passes even in release builds.
    pub verify: bool,
    /// Transformations that all compilations together may still make.
    pub fuel: Option<Arc<AtomicU64>>,
    /// Time that taking the snapshot took.
    pub snapshot_time: Duration,
    /// Cells in which the code counts, if it is to.
    pub counters: Option<Counters>,
    /// Where dumps go.
    pub dump_dir: Option<PathBuf>,
}

/// The code that is to replace quick code.
#[derive(Clone, Copy, Debug)]
pub struct Better {
    /// Its id.
    pub code_id: u32,
    /// How often the quick code must have run before.
    pub threshold: u64,
}

/// Processor times of the phases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Taking the snapshot, on the program's thread.
    pub snapshot: Duration,
    /// Building MIR.
    pub build: Duration,
    /// Passes over MIR and verification.
    pub mir: Duration,
    /// The backend's phases.
    pub backend: BackendTimes,
}

impl Phases {
    /// All phases together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.list().iter().map(|p| p.1).sum()
    }

    /// Every phase with its name, in order.
    #[must_use]
    pub fn list(&self) -> [(&'static str, Duration); 7] {
        let b = &self.backend;
        [
            ("snapshot", self.snapshot),
            ("build", self.build),
            ("mir", self.mir),
            ("lower", b.lower),
            ("passes", b.passes),
            ("codegen", b.codegen),
            ("link", b.link),
        ]
    }
}

impl std::fmt::Display for Phases {
    /// Milliseconds by phase, such as `build 0.12, mir 0.30`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (name, time)) in self.list().into_iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {:.2}", time.as_secs_f64() * 1000.0)?;
        }
        Ok(())
    }
}

/// How long all phases of a compilation are meant to take at the default
/// level, by the bytecode instructions compiled, inlined ones included.
#[must_use]
pub fn time_budget(bytecodes: usize) -> Duration {
    Duration::from_micros(4000.max(300 * bytecodes as u64))
}

/// Code that is ready to be installed.
pub struct Product {
    /// Linked code with exits and sites.
    pub compiled: Compiled,
    /// Contents of its literal pool.
    pub literals: Vec<PoolEntry>,
    /// What it relies on.
    pub watches: Vec<Watch>,
}

/// The end of a compilation.
pub struct Outcome {
    /// Prototype id.
    pub owner: u32,
    /// Source and line.
    pub name: String,
    /// For which entry.
    pub entry: EntryKind,
    /// Id of the code.
    pub code_id: u32,
    /// The policy's generation when the job was made.
    pub generation: u32,
    /// Times of the phases that ran.
    pub phases: Phases,
    /// Bytecode instructions compiled, inlined ones included.
    pub bytecodes: usize,
    /// Transformations that the passes over MIR made.
    pub transformations: u64,
    /// Id of the quick code that this is to replace.
    pub replaces: Option<u32>,
    /// Whether this is quick code, and better code follows.
    pub quick: bool,
    /// The code, or why there is none.
    pub result: Result<Product, CompileError>,
}

/// Better code comes first for what runs most, and not before it is worth it.
impl workers::Job for Task {
    fn rank(&self) -> Option<u64> {
        match self {
            Task::Compile(_) => Some(0),
            Task::Improve(i) => Some(i.recent_heat()).filter(|&heat| heat >= i.threshold),
        }
    }

    fn passed_over(&mut self) {
        if let Task::Improve(i) = self {
            i.cooled += i.recent_heat() / 2;
        }
    }

    fn is_obsolete(&self) -> bool {
        matches!(self, Task::Improve(i) if i.is_stale())
    }
}

/// Runs a task to its end; returns what is left to do after it.
pub fn run(backend: &dyn Backend, task: Task) -> (Outcome, Option<Task>) {
    match task {
        Task::Compile(job) => {
            let (outcome, rest) = compile_job(backend, *job);
            (outcome, rest.map(|i| Task::Improve(Box::new(i))))
        }
        Task::Improve(improvement) => (improve(backend, *improvement), None),
    }
}

/// Runs a compilation to its end. A panic in the tier becomes
/// [`CompileError::Bug`].
pub fn compile_job(backend: &dyn Backend, job: Job) -> (Outcome, Option<Improvement>) {
    let mut work = Work {
        phases: Phases {
            snapshot: job.snapshot_time,
            ..Phases::default()
        },
        ..Work::default()
    };
    let proto = &job.snapshot.proto;
    let chunk = vela_objects::debug::chunk_id(&proto.source);
    let name = format!("{chunk}:{}", proto.line_defined);
    let result = caught(|| compile(backend, &job, &name, &mut work));
    let func = work.func.filter(|_| result.is_ok());
    let improvement = job.better.zip(func).map(|(better, func)| Improvement {
        owner: job.snapshot.proto_id,
        name: name.clone(),
        entry: job.entry,
        replaces: job.options.code_id,
        heat: work.heat,
        cooled: 0,
        threshold: better.threshold,
        generation: job.generation,
        latest: job.latest,
        options: CompileOptions {
            code_id: better.code_id,
            ..job.options
        },
        func,
        bytecodes: work.bytecodes,
        dump_dir: job.dump_dir,
    });
    let outcome = Outcome {
        owner: job.snapshot.proto_id,
        name,
        entry: job.entry,
        code_id: job.options.code_id,
        generation: job.generation,
        phases: work.phases,
        bytecodes: work.bytecodes,
        transformations: work.transformations,
        replaces: None,
        quick: job.better.is_some(),
        result,
    };
    (outcome, improvement)
}

/// Compiles the MIR of quick code at the level that was asked for, unless that
/// code is out of date by now.
fn improve(backend: &dyn Backend, job: Improvement) -> Outcome {
    let mut phases = Phases::default();
    let result = if !job.is_stale() {
        caught(|| {
            let dir = job.dump_dir.as_deref();
            let mut dump = dump::Dump::new(dir, job.options.code_id, &job.name, job.entry);
            let compiled = backend.compile(&job.func, &job.options)?;
            phases.backend = compiled.times;
            write_dumps(&mut dump, &compiled);
            Ok(Product {
                compiled,
                literals: job.func.pool,
                watches: job.func.watches,
            })
        })
    } else {
        Err(CompileError::Stale)
    };
    Outcome {
        owner: job.owner,
        name: job.name,
        entry: job.entry,
        code_id: job.options.code_id,
        generation: job.generation,
        phases,
        bytecodes: job.bytecodes,
        transformations: 0,
        replaces: Some(job.replaces),
        quick: false,
        result,
    }
}

/// What the work results in; a panic is an error.
fn caught(work: impl FnOnce() -> Result<Product, CompileError>) -> Result<Product, CompileError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("panic");
        Err(CompileError::Bug(text.to_string()))
    })
}

fn write_dumps(dump: &mut dump::Dump, compiled: &Compiled) {
    if let Some(texts) = &compiled.dumps {
        dump.write("ll", || texts.ir_before.clone());
        dump.write("opt.ll", || texts.ir_after.clone());
        dump.write("s", || texts.asm.clone());
    }
}

/// What is known of a compilation even if it fails.
#[derive(Default)]
struct Work {
    phases: Phases,
    bytecodes: usize,
    transformations: u64,
    /// What was compiled quickly.
    func: Option<Func>,
    /// How often its code ran.
    heat: Heat,
}

fn compile(
    backend: &dyn Backend,
    job: &Job,
    name: &str,
    work: &mut Work,
) -> Result<Product, CompileError> {
    let mut dump = dump::Dump::new(
        job.dump_dir.as_deref(),
        job.options.code_id,
        name,
        job.entry,
    );
    dump.write("bytecode", || {
        vela_bytecode::disasm::disassemble(&job.snapshot.proto)
    });

    let start = Stopwatch::start();
    let built = build(&BuildInput {
        snapshot: &job.snapshot,
        entry: job.entry,
        speculate: job.speculate,
        max_size: job.max_size,
        counters: job.counters,
    });
    work.phases.build = start.elapsed();
    let mut func = built?;
    work.bytecodes = func.bytecodes;
    keep_literals(&mut func, &job.literals);
    dump.write("mir", || func.to_string());

    let start = Stopwatch::start();
    let checks = job.verify || cfg!(debug_assertions);
    let tank = job.fuel.as_deref();
    let mut fuel = tank.map_or_else(Fuel::default, |left| {
        Fuel::limited(left.load(Ordering::Relaxed))
    });
    passes::optimize(&mut func, &mut fuel, checks).map_err(|e| CompileError::Bug(e.to_string()))?;
    work.phases.mir = start.elapsed();
    work.transformations = fuel.used();
    if let Some(left) = tank {
        left.fetch_sub(fuel.used(), Ordering::Relaxed);
    }
    if let Some(pass) = fuel.ran_out_in() {
        tracing::info!(
            target: "vela_jit::compile",
            function = %name, code = job.options.code_id, pass, "out of fuel: the last transformation"
        );
    }
    dump.write("opt.mir", || func.to_string());

    let mut options = job.options.clone();
    options.dump = dump.is_on();
    if job.better.is_some() {
        options.opt_level = QUICK_LEVEL;
        options.heat = Some(work.heat.clone());
    }
    let compiled = backend.compile(&func, &options)?;
    work.phases.backend = compiled.times;
    write_dumps(&mut dump, &compiled);
    let (literals, watches) = (func.pool.clone(), func.watches.clone());
    work.func = Some(func);
    Ok(Product {
        compiled,
        literals,
        watches,
    })
}

/// Level of quick code.
pub const QUICK_LEVEL: u8 = 0;

/// Renumbers the pool so that it starts with `known`.
fn keep_literals(func: &mut Func, known: &[PoolEntry]) {
    if known.is_empty() {
        return;
    }
    let own = std::mem::replace(&mut func.pool, known.to_vec());
    let map: Vec<Pool> = own.into_iter().map(|e| func.pool_slot(e)).collect();
    for inst in &mut func.insts {
        if let Op::Literal(p) | Op::NewClosure(_, Some(p)) = &mut inst.op {
            *p = map[p.index()];
        }
    }
    for state in &mut func.states {
        if let Some(caller) = &mut state.caller {
            caller.proto = map[caller.proto.index()];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vela_mir::ir::{Func, Ty};

    #[test]
    fn earlier_literals_keep_their_slots() {
        let mut func = Func::new("f".into(), EntryKind::Call, 0, false, 2);
        let slot = func.pool_slot(PoolEntry::Constant(5));
        let other = func.pool_slot(PoolEntry::Shape(64));
        let a = func.push(Func::ENTRY, Op::Literal(slot), &[], Ty::Str);
        let b = func.push(Func::ENTRY, Op::Literal(other), &[], Ty::Ptr);
        let child = func.pool_slot(PoolEntry::Proto(16));
        let own = func.push(Func::ENTRY, Op::SelfClosure, &[], Ty::LuaFn);
        let own = func.inst(own).result.unwrap();
        let made = Op::NewClosure(0, Some(child));
        let c = func.push(Func::ENTRY, made, &[own], Ty::LuaFn);
        keep_literals(&mut func, &[PoolEntry::Proto(16), PoolEntry::Shape(64)]);
        let wanted = [
            PoolEntry::Proto(16),
            PoolEntry::Shape(64),
            PoolEntry::Constant(5),
        ];
        assert_eq!(func.pool, wanted);
        assert_eq!(func.inst(a).op, Op::Literal(Pool(2)));
        assert_eq!(func.inst(b).op, Op::Literal(Pool(1)));
        assert_eq!(func.inst(c).op, Op::NewClosure(0, Some(Pool(0))));
    }
}
