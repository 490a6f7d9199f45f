//! The tier of one VM: what is compiled, requested, installed, thrown away.
//!
//! Everything here runs on the VM's own thread, at points where the VM may be
//! looked at from outside (hooks of the interpreter, exits). Compilation
//! itself is in [`crate::plan`] and touches no heap object; the objects that a
//! compilation in progress or installed code refers to are kept alive as code
//! roots of the VM.
//!
//! All code of a function (the call entry and loop entries) lives and dies
//! together and shares one literal pool: newer pools extend older ones, so
//! that every piece of code runs with the latest. Retired code keeps its exits,
//! sites, pool and roots until no frame runs it.

mod install;

use crate::account::{Account, Shares};
use crate::config::{ConfigError, JitConfig, Mode};
use crate::hooks;
use crate::plan::{self, Better, Job, Outcome, Product, QUICK_LEVEL, Task};
use crate::policy::{self, Action, Decision, Event, FunctionState, Limits, Speculation};
use crate::stats::{Counters, JitStats};
use crate::workers::Workers;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use vela_code_cache::{CodeCache, CodeMemory, InstalledCode, LiteralPool};
use vela_deopt::DeoptReason;
use vela_mir::backend::{Backend, CompileError, CompileOptions, ExitStress, LinkedCode, Stopwatch};
use vela_mir::ir::{EntryKind, PoolEntry};
use vela_objects::shape::FieldInfo;
use vela_objects::{FuncProto, Gc, Value, VmState};
use vela_profiler::FunctionSnapshot;
use vela_profiler::metatables::MetaTransition;
use vela_profiler::snapshot::snapshot;

/// Why a tier could not be attached to a VM.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No compiling thread could be started.
    #[error("cannot start a compiler thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Side exits that may be in progress when a loop entry is taken, in the test
/// mode that provokes exits.
const MAX_STRESS_EXITS: usize = 200;

/// How much larger quick code is.
const QUICK_EXPANSION: usize = 2;

/// The guards that tests want to fail.
fn stress(config: &JitConfig) -> ExitStress {
    match config.exit_stress {
        _ if config.first_exits => ExitStress::First,
        0 => ExitStress::Off,
        n => ExitStress::Every(n),
    }
}

/// A function that the tier has heard of.
#[derive(Default)]
pub(crate) struct Function {
    /// The prototype, while code or a compilation keeps it alive.
    pub(crate) proto: Option<Gc<FuncProto>>,
    state: FunctionState,
    /// The state's generation, for compiling threads.
    latest: Arc<AtomicU32>,
    /// Contents of the latest pool, while code may still run with one; kept
    /// alive under [`literals_key`].
    literals: Vec<PoolEntry>,
    /// Pools that code of this function may run with, the latest last.
    pub(crate) pools: Vec<Arc<LiteralPool>>,
    /// Installed code.
    pub(crate) codes: Vec<u32>,
    /// Bytes of the code that was last installed for calls.
    code_size: usize,
    /// Retired code that may still run.
    leaving: Vec<u32>,
    /// Side exits taken by installed code, by entry.
    exits: HashMap<EntryKind, u64>,
}

/// The optimizing tier of a VM.
pub struct Tier {
    config: JitConfig,
    pub(crate) limits: Limits,
    backend: Arc<dyn Backend>,
    pub(crate) cache: CodeCache,
    workers: Option<Workers<Task, Outcome>>,
    pub(crate) functions: RefCell<HashMap<u32, Function>>,
    /// No code is entered: see [`crate::debugging`].
    pub(crate) held: Cell<bool>,
    /// Prototypes whose code watches a lattice cell, by the cell's id.
    watchers: RefCell<HashMap<u32, Vec<u32>>>,
    /// Transformations that compilations may still make.
    fuel: Option<Arc<AtomicU64>>,
    /// Code that was installed since room was last made for it.
    fresh: Cell<Option<u32>>,
    /// Safepoints that pass before retired code is looked at again.
    reclaim_pause: Cell<usize>,
    /// Live counters.
    pub counters: Counters,
    /// The statistics that cost time, if they are wanted.
    pub(crate) account: OnceCell<Account>,
}

/// Adapts a backend's code to the cache.
struct Linked(Box<dyn LinkedCode>);

impl CodeMemory for Linked {
    fn entry(&self) -> *const u8 {
        self.0.entry()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
}

/// Key of the roots of a compilation in progress.
fn pending_key(code_id: u32) -> u64 {
    1 << 32 | u64::from(code_id)
}

/// Key of the roots of a function's literals. They live as long as the
/// function remembers them: code compiled later takes them over, even if by
/// then the code that they came from is gone.
fn literals_key(owner: u32) -> u64 {
    u64::from(owner)
}

/// Whether quick code comes before better code.
fn quick(config: &JitConfig) -> bool {
    config.quick_code && config.optimization_level > QUICK_LEVEL
}

fn entry_name(entry: EntryKind) -> String {
    match entry {
        EntryKind::Call => "call".into(),
        EntryKind::Osr { pc } => format!("loop at {pc}"),
    }
}

impl Tier {
    /// Makes a tier and plugs it into `vm`: thresholds, hooks, the exit
    /// helper, entries. Must happen before functions are loaded into the VM.
    /// With a configuration that never compiles the VM is left as it is.
    ///
    /// # Errors
    /// [`AttachError`]; the VM is unchanged then.
    pub fn attach(
        vm: &mut VmState,
        config: JitConfig,
        backend: Arc<dyn Backend>,
    ) -> Result<Rc<Tier>, AttachError> {
        config.validate()?;
        let workers = if config.compiles() && config.mode == Mode::Background {
            let compiler = backend.clone();
            let threads = config.worker_threads as usize;
            let running = vm.interrupt_handle();
            Some(Workers::start(
                threads,
                if quick(&config) { threads } else { 0 },
                config.max_queue as usize,
                move |task| plan::run(&*compiler, task),
                move || running.poke(),
            )?)
        } else {
            None
        };
        let limits = Limits {
            hotspot_threshold: config.hotspot_threshold,
            exit_threshold: config.exit_threshold,
            max_recompiles: config.max_recompiles,
            osr: config.osr,
            speculate: config.enable_profiling,
            exits_are_stress: matches!(stress(&config), ExitStress::Every(_)),
        };
        let tier = Rc::new(Tier {
            limits,
            cache: CodeCache::new(usize::try_from(config.max_cache_size).unwrap_or(usize::MAX)),
            workers,
            functions: RefCell::default(),
            held: Cell::new(false),
            watchers: RefCell::default(),
            fresh: Cell::new(None),
            reclaim_pause: Cell::new(0),
            counters: Counters::default(),
            account: OnceCell::new(),
            fuel: config.opt_fuel.map(|n| Arc::new(AtomicU64::new(n))),
            backend,
            config,
        });
        if tier.config.gc_stress {
            vm.set_gc_stress(true);
        }
        if tier.config.compiles() {
            let loops = if tier.config.osr {
                tier.config.loop_threshold
            } else {
                u32::MAX
            };
            vm.set_hot_thresholds(tier.config.hotspot_threshold, loops);
            hooks::plug_in(vm);
        }
        if tier.config.full_stats {
            tier.account.get_or_init(|| Account::open(vm));
        }
        vm.tier = Some(Box::new(tier.clone()));
        Ok(tier)
    }

    /// The tier of a VM.
    #[must_use]
    pub fn of(vm: &VmState) -> Option<Rc<Tier>> {
        vm.tier.as_ref()?.downcast_ref::<Rc<Tier>>().cloned()
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &JitConfig {
        &self.config
    }

    /// What the tier has done so far.
    #[must_use]
    pub fn stats(&self) -> JitStats {
        self.counters.snapshot(self.cache.stats())
    }

    /// Where time, calls and operations went, if `full_stats` is set.
    #[must_use]
    pub fn shares(&self, vm: &VmState) -> Option<Shares> {
        self.account.get().map(|a| a.shares(vm))
    }

    /// The code cache.
    #[must_use]
    pub fn cache(&self) -> &CodeCache {
        &self.cache
    }

    /// Installs what the workers have finished. Called by the hooks; hosts
    /// may call it whenever the VM is at rest.
    pub fn poll(&self, vm: &mut VmState) {
        self.install_finished(vm);
        match self.fresh.take() {
            Some(fresh) => self.make_room(vm, fresh),
            None => self.reclaim(vm),
        }
    }

    /// Installs what the workers have finished, and takes nothing away that may
    /// run.
    pub(crate) fn install_finished(&self, vm: &mut VmState) {
        if let Some(workers) = &self.workers {
            while let Some(outcome) = workers.poll() {
                self.finish(vm, outcome);
            }
        }
    }

    /// Frees retired code that nothing runs. Called at safepoints: every frame
    /// that runs compiled code has a current record.
    ///
    /// This looks at all frames of all coroutines, and code that a suspended
    /// one needs may stay retired for long: the more frames there were, the
    /// more safepoints pass before the next look.
    pub(crate) fn reclaim(&self, vm: &mut VmState) {
        const FRAMES_PER_SAFEPOINT: usize = 16;
        if !self.cache.has_retired() {
            return;
        }
        if let Some(rest) = self.reclaim_pause.get().checked_sub(1) {
            self.reclaim_pause.set(rest);
            return;
        }
        let (active, frames) = self.active(vm);
        self.reclaim_pause.set(frames / FRAMES_PER_SAFEPOINT);
        for code in self.cache.reclaim(|id| active.contains(&id)) {
            self.forget(vm, &code, &active);
        }
    }

    /// Stops the compiling threads and waits for them: before the process
    /// ends, because libraries that they use are torn down then. Requests that
    /// wait are forgotten; nothing is compiled in the background any more.
    pub fn stop(&self) {
        if let Some(workers) = &self.workers {
            workers.stop();
        }
    }

    /// Whether a background compilation is in progress or waits.
    #[must_use]
    pub fn is_compiling(&self) -> bool {
        self.workers.as_ref().is_some_and(|w| !w.is_idle())
    }

    /// Waits until every requested compilation is finished and installed.
    pub fn wait(&self, vm: &mut VmState) {
        while let Some(workers) = &self.workers {
            let idle = workers.is_idle();
            self.poll(vm);
            if idle {
                break;
            }
            std::thread::sleep(std::time::Duration::from_micros(100));
        }
    }

    /// Compiles and installs a function now, on this thread, however cold it
    /// is. Feedback that is there is used.
    ///
    /// # Errors
    /// Why it was not compiled.
    pub fn compile_now(
        &self,
        vm: &mut VmState,
        proto: Gc<FuncProto>,
    ) -> Result<plan::Phases, CompileError> {
        self.wait(vm);
        let installed = self
            .functions
            .borrow()
            .get(&proto.id)
            .is_some_and(|f| !f.codes.is_empty());
        if installed {
            self.event(vm, proto, Event::Evicted, &[]);
        }
        let speculation = if proto.calls.get() > 0 {
            let functions = self.functions.borrow();
            let fresh = FunctionState::default();
            let state = functions.get(&proto.id).map_or(&fresh, |f| &f.state);
            state.speculation(&self.limits, EntryKind::Call)
        } else {
            Speculation::None
        };
        let job = self.job(vm, proto, EntryKind::Call, speculation, &[]);
        let (outcome, _) = plan::compile_job(&*self.backend, job);
        let phases = outcome.phases;
        let error = outcome.result.as_ref().err().cloned();
        self.finish(vm, outcome);
        self.poll(vm);
        error.map_or(Ok(phases), Err)
    }

    /// An event of a function's life: asks the policy and does what it says.
    pub(crate) fn event(
        &self,
        vm: &mut VmState,
        proto: Gc<FuncProto>,
        event: Event,
        registers: &[Value],
    ) {
        let decision = self.decide(proto.id, event);
        if let Some(calls) = decision.rearm {
            rearm(vm, proto, calls);
        }
        match decision.action {
            Action::Nothing => {}
            Action::Compile { entry, speculation } => {
                self.request(vm, proto, entry, speculation, registers);
            }
            Action::Jettison => self.jettison(vm, proto, event),
            Action::DropLoop { pc } => self.drop_loop(proto, pc),
        }
    }

    /// The installed entry for a loop, or null. Provoked exits would make loop
    /// entries and exits nest without end, so then only some are given out:
    /// `exits` are those in progress.
    pub(crate) fn loop_entry(&self, proto: Gc<FuncProto>, pc: u32, exits: usize) -> *const u8 {
        if self.held.get() || self.provokes_exits() && exits >= MAX_STRESS_EXITS {
            return std::ptr::null();
        }
        let functions = self.functions.borrow();
        let codes = functions.get(&proto.id).map_or(&[][..], |f| &f.codes);
        let entry = |&id: &u32| {
            self.cache
                .with(id, |c| (c.osr_pc == Some(pc)).then(|| c.entry()))
                .flatten()
        };
        codes.iter().find_map(entry).unwrap_or(std::ptr::null())
    }

    fn decide(&self, owner: u32, event: Event) -> Decision {
        let mut functions = self.functions.borrow_mut();
        let function = functions.entry(owner).or_default();
        let (state, decision) = policy::decide(&self.limits, &function.state, event);
        function.latest.store(state.generation(), Ordering::Relaxed);
        function.state = state;
        decision
    }

    fn job(
        &self,
        vm: &mut VmState,
        proto: Gc<FuncProto>,
        entry: EntryKind,
        speculation: Speculation,
        registers: &[Value],
    ) -> Job {
        let start = Stopwatch::start();
        // May tell watchers of widened cells, so nothing is borrowed here.
        let mut feedback = snapshot(vm, proto, registers);
        let code_id = self.cache.next_id();
        if self.config.feedback_noise != 0 {
            let seed = u64::from(self.config.feedback_noise) << 32 | u64::from(code_id);
            vela_profiler::noise::add(&mut feedback, seed);
        }
        hooks::keep_alive(vm, pending_key(code_id), objects_of(&feedback, proto));
        let mut functions = self.functions.borrow_mut();
        feedback.settled = speculation == Speculation::Settled;
        for callee in feedback.callees.values_mut() {
            let function = functions.get(&callee.proto_id);
            callee.code_size = function.map_or(0, |f| f.code_size);
            callee.settled = function.is_some_and(|f| f.state.copies_are_settled(&self.limits));
        }
        let function = functions.entry(proto.id).or_default();
        function.proto = Some(proto);
        Job {
            entry,
            speculate: speculation != Speculation::None,
            fuel: self.fuel.clone(),
            snapshot_time: start.elapsed(),
            literals: function.literals.clone(),
            generation: function.state.generation(),
            latest: function.latest.clone(),
            better: None,
            options: CompileOptions {
                opt_level: self.config.optimization_level,
                code_id,
                strip_promises: self.config.strip_promises,
                exit_stress: stress(&self.config),
                heat: None,
                dump: self.config.dump_dir.is_some(),
            },
            max_size: self.config.max_function_size as usize,
            verify: self.config.verify,
            counters: self.account.get().map(Account::counters),
            dump_dir: self.config.dump_dir.clone(),
            snapshot: feedback,
        }
    }

    fn request(
        &self,
        vm: &mut VmState,
        proto: Gc<FuncProto>,
        entry: EntryKind,
        speculation: Speculation,
        registers: &[Value],
    ) {
        let mut job = self.job(vm, proto, entry, speculation, registers);
        if quick(&self.config) && self.workers.is_some() {
            job.better = Some(Better {
                code_id: self.cache.next_id(),
                threshold: self.config.better_threshold.into(),
            });
        }
        self.counters.bump(|c| &c.requests);
        tracing::debug!(
            target: "vela_jit::compile",
            function = %function_name(proto), entry = %entry_name(entry), code = job.options.code_id,
            ?speculation, "requested"
        );
        match &self.workers {
            Some(workers) => {
                let code_id = job.options.code_id;
                if !workers.submit(Task::Compile(Box::new(job))) {
                    vm.drop_code_roots(pending_key(code_id));
                    let failed = Event::Failed { entry, retry: true };
                    self.event(vm, proto, failed, &[]);
                    self.settle(vm, proto.id);
                }
            }
            None => {
                let (outcome, _) = plan::compile_job(&*self.backend, job);
                self.finish(vm, outcome);
                self.poll(vm);
            }
        }
    }

    /// Takes all code of a function out of service.
    fn jettison(&self, vm: &mut VmState, proto: Gc<FuncProto>, event: Event) {
        hooks::unlink(vm, proto);
        let mut functions = self.functions.borrow_mut();
        let Some(function) = functions.get_mut(&proto.id) else {
            return;
        };
        // Code that failed is still right: its frames run on, and leave when
        // something that it relies on changes.
        if !matches!(event, Event::Exit { .. }) {
            for pool in &function.pools {
                pool.invalidate();
            }
        }
        let codes = std::mem::take(&mut function.codes);
        for &id in &codes {
            self.cache.retire(id);
        }
        match event {
            Event::Invalidated => self.counters.bump(|c| &c.invalidated),
            Event::Exit { .. } => self.counters.bump(|c| &c.jettisoned),
            _ => {}
        }
        let failures = if let Event::Exit { failures, .. } = event {
            failures
        } else {
            0
        };
        tracing::info!(
            target: "vela_jit::jettison",
            function = %function_name(proto), codes = ?codes, failures, event = ?event, "thrown away"
        );
        function.leaving.extend(codes);
    }

    fn drop_loop(&self, proto: Gc<FuncProto>, pc: u32) {
        proto.set_osr_entry(pc, std::ptr::null());
        let mut functions = self.functions.borrow_mut();
        let Some(function) = functions.get_mut(&proto.id) else {
            return;
        };
        let is_it = |id: u32| self.cache.with(id, |c| c.osr_pc == Some(pc)) == Some(true);
        let dropped: Vec<u32> = function
            .codes
            .iter()
            .copied()
            .filter(|&id| is_it(id))
            .collect();
        function.codes.retain(|id| !dropped.contains(id));
        for &id in &dropped {
            self.cache.retire(id);
        }
        tracing::info!(
            target: "vela_jit::osr",
            function = %function_name(proto), pc, codes = ?dropped, "loop entry dropped"
        );
        function.leaving.extend(dropped);
    }

    /// A watched lattice cell was widened: code that relied on it must go.
    pub(crate) fn field_widened(&self, vm: &mut VmState, field: &FieldInfo) {
        let Some(owners) = self.watchers.borrow_mut().remove(&field.id) else {
            return;
        };
        for owner in owners {
            let proto = {
                let functions = self.functions.borrow();
                let watches = functions.get(&owner).is_some_and(|f| {
                    let watching =
                        |&id: &u32| self.cache.with(id, |c| c.watches.contains(&field.id));
                    let mut codes = f.codes.iter().chain(&f.leaving);
                    codes.any(|id| watching(id) == Some(true))
                });
                if watches {
                    functions[&owner].proto
                } else {
                    None
                }
            };
            if let Some(proto) = proto {
                self.event(vm, proto, Event::Invalidated, &[]);
            }
        }
    }

    /// Whether guards fail without a reason.
    pub(crate) fn provokes_exits(&self) -> bool {
        stress(&self.config) != ExitStress::Off
    }

    /// Notes a side exit and lets the policy judge it. It is in code of the
    /// prototype `inside`, perhaps inlined; `failed` records the reason in the
    /// feedback of the place at fault.
    pub(crate) fn exit_taken(
        &self,
        vm: &mut VmState,
        code: &InstalledCode,
        exit: u32,
        proto: Gc<FuncProto>,
        inside: u32,
        failed: impl FnOnce(&VmState),
    ) {
        let reason = code.exits[exit as usize].reason;
        if reason == DeoptReason::Invalidated && self.is_replaced(code) {
            return;
        }
        let times = code.count_exit(exit).unwrap_or(0);
        self.counters.deopt(reason);
        self.cache.touch(code.id);
        // The instruction that speculated, not the one where the interpreter
        // resumes: a moved guard's state is that of an earlier one.
        let pc = code.exits[exit as usize].origin;
        tracing::debug!(
            target: "vela_jit::deopt",
            function = %code.name, code = code.id, exit, pc, reason = reason.name(), times, "side exit"
        );
        if reason == DeoptReason::None || code.is_retired() {
            return;
        }
        if stress(&self.config) == ExitStress::First && times == 1 {
            // Provoked.
            return;
        }
        let entry = code
            .osr_pc
            .map_or(EntryKind::Call, |pc| EntryKind::Osr { pc });
        let (spent, settled_copy) = {
            let mut functions = self.functions.borrow_mut();
            let inside = functions.get(&inside).filter(|_| inside != code.owner);
            let settled_copy = inside.is_some_and(|f| f.state.copies_are_settled(&self.limits));
            let function = functions.entry(code.owner).or_default();
            let exits = function.exits.entry(entry).or_default();
            *exits += 1;
            let most = &self.counters.most_exits_of_an_entry;
            most.fetch_max(*exits, Ordering::Relaxed);
            (function.state.spent(entry), settled_copy)
        };
        if reason == DeoptReason::Invalidated {
            // Installed code that relies on something that is no longer so,
            // such as the metatable epoch it was compiled in.
            if !self.limits.exits_are_stress {
                self.event(vm, proto, Event::Invalidated, &[]);
            }
            return;
        }
        let failures = code.count_failure();
        let last = times >= policy::MAX_REPEATS
            || failures >= policy::code_limit(&self.limits)
            || spent + 1 >= self.limits.exit_threshold;
        // One failure may be chance; the failure that ends the code is not.
        if !self.limits.exits_are_stress && last {
            failed(vm);
        }
        if inside != code.owner {
            self.decide(inside, Event::ExitInCopy);
        }
        // Copies made before the function was settled fail no second time.
        let times = if settled_copy {
            policy::MAX_REPEATS
        } else {
            times
        };
        let event = Event::Exit {
            entry,
            times,
            failures,
        };
        self.event(vm, proto, event, &[]);
    }

    /// Has the code of a function leave at its next check. A frame that polled
    /// may run with any of its pools: the latest one is that of frames entered
    /// from now on.
    pub(crate) fn leave_once(&self, function: u32) {
        if let Some(f) = self.functions.borrow().get(&function) {
            f.pools.iter().for_each(|p| p.leave_once());
        }
    }

    /// Ends [`Tier::leave_once`]; returns whether it was in force.
    pub(crate) fn stay(&self, function: u32) -> bool {
        let functions = self.functions.borrow();
        let mut was = false;
        for pool in functions.get(&function).iter().flat_map(|f| &f.pools) {
            was |= pool.stay();
        }
        was
    }

    /// Whether the code may have left only because better code was installed
    /// for the function: it is the code that was replaced, or runs with a pool
    /// from before.
    fn is_replaced(&self, code: &InstalledCode) -> bool {
        let functions = self.functions.borrow();
        functions.get(&code.owner).is_some_and(|f| {
            let latest = f.pools.last().is_some_and(|p| !p.is_invalid());
            latest && f.pools.iter().any(|p| p.is_replaced())
        })
    }

    /// Frees retired code and evicts for the budget, as far as nothing runs
    /// the code. `fresh` is code that was just installed and stays.
    fn make_room(&self, vm: &mut VmState, fresh: u32) {
        self.reclaim(vm);
        if !self.cache.over_budget() {
            return;
        }
        let (active, _) = self.active(vm);
        // Code of one function goes together: what shares a function with
        // running or fresh code stays.
        let mut kept: HashSet<u32> = HashSet::from([fresh]);
        kept.extend(&active);
        for f in self.functions.borrow().values() {
            if f.codes.iter().any(|id| kept.contains(id)) {
                kept.extend(&f.codes);
            }
        }
        for code in self.cache.evict(|id| kept.contains(&id)) {
            tracing::info!(
                target: "vela_jit::evict",
                function = %code.name, code = code.id, bytes = code.size(), uses = code.uses(), "evicted"
            );
            let proto = self
                .functions
                .borrow()
                .get(&code.owner)
                .and_then(|f| f.proto);
            if let Some(proto) = proto {
                self.event(vm, proto, Event::Evicted, &[]);
            }
            self.forget(vm, &code, &active);
        }
    }

    /// Code that left the cache is about to be freed.
    fn forget(&self, vm: &mut VmState, code: &InstalledCode, active: &HashSet<u32>) {
        for id in &code.watches {
            let mut watchers = self.watchers.borrow_mut();
            if let Some(owners) = watchers.get_mut(id) {
                let used = |&owner: &u32| {
                    let functions = self.functions.borrow();
                    functions.get(&owner).is_some_and(|f| {
                        let watching = |c: &u32| self.cache.with(*c, |c| c.watches.contains(id));
                        let mut codes = f.codes.iter().chain(&f.leaving);
                        codes.any(|c| watching(c) == Some(true))
                    })
                };
                owners.retain(used);
                if owners.is_empty() {
                    watchers.remove(id);
                }
            }
        }
        let mut functions = self.functions.borrow_mut();
        let Some(f) = functions.get_mut(&code.owner) else {
            return;
        };
        f.leaving.retain(|&id| id != code.id);
        f.codes.retain(|&id| id != code.id);
        // Code that runs may use any pool that was the latest since it was
        // entered.
        let runs = f
            .codes
            .iter()
            .chain(&f.leaving)
            .any(|id| active.contains(id));
        if !runs && f.pools.len() > 1 {
            let latest = f.pools.len() - 1;
            f.pools.drain(..latest);
        }
        drop(functions);
        self.settle(vm, code.owner);
    }

    /// Lets go of the heap objects of a function without code, and of the
    /// function if it has no history.
    fn settle(&self, vm: &mut VmState, owner: u32) {
        let mut functions = self.functions.borrow_mut();
        let Some(f) = functions.get_mut(&owner) else {
            return;
        };
        if f.codes.is_empty() && f.leaving.is_empty() && !f.state.in_flight() {
            if let Some(proto) = f.proto.take() {
                hooks::drop_pool(proto);
            }
            f.literals.clear();
            vm.drop_code_roots(literals_key(owner));
            if f.state == FunctionState::default() && f.exits.is_empty() {
                // Nothing that the next compilation has to know.
                functions.remove(&owner);
            }
        }
    }

    /// Code with an active frame or an exit in progress, and the number of
    /// frames and coroutines that were looked at.
    fn active(&self, vm: &VmState) -> (HashSet<u32>, usize) {
        let mut active = HashSet::new();
        let looked_at = hooks::active_codes(vm, |id| {
            active.insert(id);
        });
        for &id in &active {
            self.cache.touch(id);
        }
        (active, looked_at)
    }
}

fn function_name(proto: Gc<FuncProto>) -> String {
    let p = proto.proto();
    format!(
        "{}:{}",
        vela_objects::debug::chunk_id(&p.source),
        p.line_defined
    )
}

/// Makes the interpreter report the function again after `calls` more calls.
pub(crate) fn rearm(vm: &VmState, proto: Gc<FuncProto>, calls: u32) {
    // The interpreter reports when its wrapping count equals the threshold.
    proto.calls.set(vm.hot_calls().wrapping_sub(calls));
}

/// Heap objects that a snapshot refers to by address.
fn objects_of(feedback: &FunctionSnapshot, proto: Gc<FuncProto>) -> Vec<u64> {
    let mut objects = vec![proto.addr()];
    let mut value = |v: Option<(vela_objects::Tag, u64)>| {
        objects.extend(v.filter(|v| v.0.is_object()).map(|v| v.1));
    };
    let functions = || feedback.callees.values().chain([feedback]);
    let sites = || functions().flat_map(|f| &f.sites);
    let ways = || sites().flat_map(|s| &s.ways);
    for way in ways() {
        value(way.held);
        value(way.field.map(|f| f.constant));
    }
    for way in ways() {
        objects.extend(way.holder.map(|h| h.0));
        if let Some(target) = &way.target {
            objects.extend([target.addr, target.closure]);
            objects.extend(target.transitions.iter().map(MetaTransition::object));
        }
    }
    for target in sites().filter_map(|s| s.protected.as_ref()) {
        objects.extend([target.addr, target.closure]);
    }
    let world = &feedback.world;
    let constants = world.closures.values().flat_map(|c| &c.upvals).flatten();
    let fields = world.tables.values().flat_map(|t| t.fields.values());
    let inherited = world.tables.values().flat_map(|t| t.inherited.values());
    let fields = fields.map(|f| &f.field.constant);
    let fields = fields.chain(inherited.map(|f| &f.field.constant));
    let constants = constants
        .chain(fields)
        .chain([&feedback.instances.constant]);
    objects.extend(constants.filter(|v| v.0.is_object()).map(|v| v.1));
    objects.extend(world.closures.keys().chain(world.tables.keys()));
    // A prototype keeps its constants alive.
    objects.extend(feedback.callees.keys());
    objects
}
