//! What the debug library does to compiled code.
//!
//! Compiled code raises no events of debug hooks. While any thread has a hook,
//! the code of the VM is *held*: installed, but neither entered nor linked,
//! and frames that run it leave at their next check. The same check makes a
//! frame leave whose local variables were assigned to.

use crate::hooks;
use crate::policy::Event;
use crate::tier::Tier;
use vela_objects::{FuncProto, Gc, VmState};

impl Tier {
    /// Takes all code out of service while a thread has a hook, and puts it
    /// back afterwards. O(installed code) when that changes.
    pub(crate) fn hooks_changed(&self, vm: &mut VmState) {
        if vm.is_hooked() == self.held.get() {
            return;
        }
        self.held.set(vm.is_hooked());
        let direct_loops = !self.provokes_exits();
        for (&owner, function) in &*self.functions.borrow() {
            let Some(proto) = function.proto else {
                continue;
            };
            if self.held.get() {
                hooks::unlink(vm, proto);
                function.pools.iter().for_each(|p| p.hold());
            } else if let Some(pool) = function.pools.last() {
                for &id in &function.codes {
                    if let Some(code) = self.cache.get(id) {
                        debug_assert_eq!(code.owner, owner);
                        hooks::link(proto, &code, pool, direct_loops);
                    }
                }
            }
        }
        self.release_pools(vm);
    }

    /// Has all frames of the function `owner` leave at their next check.
    pub(crate) fn leave(&self, owner: u32) {
        if let Some(function) = self.functions.borrow().get(&owner) {
            function.pools.iter().for_each(|p| p.hold());
        }
    }

    /// Lets code run on, unless there is still a reason to leave it.
    pub(crate) fn release_pools(&self, vm: &VmState) {
        if self.held.get() || vm.has_local_writes() {
            return;
        }
        for function in self.functions.borrow().values() {
            function.pools.iter().for_each(|p| p.release());
        }
    }

    /// Throws all code away, because it does not keep local variables.
    pub(crate) fn became_debuggable(&self, vm: &mut VmState) {
        let compiled: Vec<Gc<FuncProto>> = {
            let functions = self.functions.borrow();
            functions.values().filter_map(|f| f.proto).collect()
        };
        for proto in compiled {
            self.event(vm, proto, Event::Evicted, &[]);
        }
    }
}
