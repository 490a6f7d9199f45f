//! The end of a compilation: its code goes into service.

use super::*;
use crate::dump;

impl Tier {
    /// The end of a compilation: installs the code, or notes why there is
    /// none.
    pub(super) fn finish(&self, vm: &mut VmState, outcome: Outcome) {
        if let Some(quick) = outcome.replaces {
            self.replace(vm, outcome, quick);
            return;
        }
        let start = Stopwatch::start();
        let (proto, generation) = {
            let functions = self.functions.borrow();
            let function = functions.get(&outcome.owner);
            let Some((proto, f)) = function.and_then(|f| Some((f.proto?, f))) else {
                vm.drop_code_roots(pending_key(outcome.code_id));
                return;
            };
            (proto, f.state.generation())
        };
        let entry = outcome.entry;
        self.counters.compilation(&outcome);
        let stale = generation != outcome.generation;
        let result = outcome.result.and_then(|product| {
            let extends = self.extends_literals(outcome.owner, &product.literals);
            if stale || !extends || !hooks::watch(vm, &product.watches) {
                return Err(CompileError::Stale);
            }
            Ok(product)
        });
        match result {
            Ok(product) => {
                tracing::debug!(
                    target: "vela_jit::compile",
                    function = %outcome.name, entry = %entry_name(entry), code = outcome.code_id,
                    ms = outcome.phases.total().as_secs_f64() * 1000.0,
                    phases = %outcome.phases, bytecodes = outcome.bytecodes,
                    transformations = outcome.transformations, quick = outcome.quick, "compiled"
                );
                let code_size =
                    self.install(vm, proto, &outcome.name, entry, outcome.code_id, product);
                let expansion = if outcome.quick { QUICK_EXPANSION } else { 1 };
                self.note_size(proto.id, entry, code_size / expansion);
                match entry {
                    EntryKind::Call => self.counters.bump(|c| &c.functions_compiled),
                    EntryKind::Osr { .. } => self.counters.bump(|c| &c.osr_compiled),
                }
                self.event(vm, proto, Event::Installed { entry }, &[]);
                self.counters.time(|c| &c.install_us, start.elapsed());
            }
            Err(error) => {
                let retry = error == CompileError::Stale;
                if retry {
                    self.counters.bump(|c| &c.stale);
                } else {
                    self.counters.failure(&error.to_string());
                }
                tracing::debug!(
                    target: "vela_jit::compile",
                    function = %outcome.name, entry = %entry_name(entry), code = outcome.code_id,
                    reason = %error, retry, "not compiled"
                );
                self.event(vm, proto, Event::Failed { entry, retry }, &[]);
            }
        }
        vm.drop_code_roots(pending_key(outcome.code_id));
        self.fresh.set(Some(outcome.code_id));
        self.settle(vm, outcome.owner);
    }

    /// Notes how large good code of a function is, for its callers.
    fn note_size(&self, owner: u32, entry: EntryKind, size: usize) {
        if entry == EntryKind::Call {
            let mut functions = self.functions.borrow_mut();
            functions.entry(owner).or_default().code_size = size;
        }
    }

    /// The end of the compilation of better code for a function: puts it in the
    /// place of its quick code, if that is still installed. Frames that run the
    /// quick code leave at the next call or poll of theirs.
    fn replace(&self, vm: &mut VmState, outcome: Outcome, quick: u32) {
        let start = Stopwatch::start();
        self.counters.compilation(&outcome);
        let entry = outcome.entry;
        let (proto, literals) = {
            let functions = self.functions.borrow();
            let Some(f) = functions.get(&outcome.owner) else {
                return;
            };
            let current = f.state.generation() == outcome.generation && f.codes.contains(&quick);
            let Some(proto) = f.proto.filter(|_| current) else {
                return;
            };
            (proto, f.literals.clone())
        };
        let mut product = match outcome.result {
            Ok(product) => product,
            Err(CompileError::Stale) => return,
            Err(error) => {
                self.counters.failure(&error.to_string());
                return;
            }
        };
        if literals.starts_with(&product.literals) {
            // Other code of the function came in between.
            product.literals = literals;
        } else if !product.literals.starts_with(&literals) {
            return;
        }
        if !hooks::watch(vm, &product.watches) {
            return;
        }
        tracing::debug!(
            target: "vela_jit::compile",
            function = %outcome.name, entry = %entry_name(entry), code = outcome.code_id,
            replaces = quick, ms = outcome.phases.total().as_secs_f64() * 1000.0,
            phases = %outcome.phases, bytecodes = outcome.bytecodes, "improved"
        );
        if let Some(f) = self.functions.borrow_mut().get_mut(&outcome.owner) {
            for pool in &f.pools {
                pool.replace();
            }
            f.codes.retain(|&id| id != quick);
            f.leaving.push(quick);
        }
        self.cache.retire(quick);
        let size = self.install(vm, proto, &outcome.name, entry, outcome.code_id, product);
        self.note_size(outcome.owner, entry, size);
        self.counters.bump(|c| &c.improved);
        self.counters.time(|c| &c.install_us, start.elapsed());
        self.fresh.set(Some(outcome.code_id));
    }

    /// Whether code with this pool can share it with the function's other code:
    /// the function's literals did not change while it was compiled.
    fn extends_literals(&self, owner: u32, literals: &[PoolEntry]) -> bool {
        let functions = self.functions.borrow();
        functions
            .get(&owner)
            .is_none_or(|f| literals.starts_with(&f.literals))
    }

    fn install(
        &self,
        vm: &mut VmState,
        proto: Gc<FuncProto>,
        name: &str,
        entry: EntryKind,
        code_id: u32,
        product: Product,
    ) -> usize {
        let constants = &proto.cold().constants;
        let word = |e: &PoolEntry| match *e {
            PoolEntry::Constant(k) => constants[k as usize].payload,
            PoolEntry::Shape(a) | PoolEntry::Object(a, _) | PoolEntry::Proto(a) => a,
        };
        let words: Vec<u64> = product.literals.iter().map(word).collect();
        let mut roots = vec![proto.addr()];
        roots.extend(product.literals.iter().filter_map(|e| match *e {
            PoolEntry::Object(a, tag) if tag.is_object() => Some(a),
            PoolEntry::Proto(a) => Some(a),
            _ => None,
        }));
        hooks::keep_alive(vm, literals_key(proto.id), roots);
        let pool = Arc::new(LiteralPool::new(&words));
        let memory = Box::new(Linked(product.compiled.code));
        let mut code = InstalledCode::new(
            code_id,
            proto.id,
            memory,
            product.compiled.exits,
            product.compiled.sites,
            pool.clone(),
        );
        code.name = name.to_string();
        code.osr_pc = match entry {
            EntryKind::Call => None,
            EntryKind::Osr { pc } => Some(pc),
        };
        code.watches = product.watches.iter().map(|w| w.id).collect();
        {
            let mut watchers = self.watchers.borrow_mut();
            for &id in &code.watches {
                let owners = watchers.entry(id).or_default();
                if !owners.contains(&proto.id) {
                    owners.push(proto.id);
                }
            }
        }
        if self.config.perf_map {
            dump::note_address(&code);
        }
        let code = self.cache.install(code);
        {
            let mut functions = self.functions.borrow_mut();
            let function = functions.entry(proto.id).or_default();
            function.literals = product.literals;
            function.pools.push(pool.clone());
            function.codes.push(code_id);
        }
        let direct_loops = !self.provokes_exits();
        hooks::enable_entries(vm, &*self.backend, self.account.get());
        if self.held.get() {
            pool.hold();
        } else {
            hooks::link(proto, &code, &pool, direct_loops);
        }
        tracing::info!(
            target: "vela_jit::install",
            function = %name, entry = %entry_name(entry), code = code_id, bytes = code.code_size(),
            exits = code.exits.len(), watches = code.watches.len(), "installed"
        );
        code.code_size()
    }
}
