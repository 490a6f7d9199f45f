//! Limits on what a VM's programs may use: memory, coroutines, stack.
//!
//! **Memory.** What counts is what the heap accounts for: objects, what they
//! own, and stacks of coroutines by their first pages. Passing the limit makes
//! running code poll; the poll collects everything that can be collected, and
//! raises `not enough memory` if nearly everything is still in use. Objects may thus pass
//! the limit for a moment, by what is allocated between two polls; the sizes
//! that a program chooses freely (a repeated string, say) are tested before
//! they are allocated, by [`VmState::make_room`].

use crate::gc::Safepoint;
use crate::stacks::Stack;
use crate::value::Value;
use crate::vm::{LuaResult, STACK_RESERVE, STACK_SLOTS, Thrown, VmState};

/// Allocations below this many bytes are not tested before.
const SMALL: usize = 1 << 16;
/// A collection that leaves less than one in so many bytes of the limit free
/// was not enough.
const RESERVE: usize = 32;
/// From this many bytes on it is tested whether the system has the memory.
const PROBED: usize = 1 << 24;

impl VmState {
    /// Sets how many bytes the heap may have; `usize::MAX` for any number.
    pub fn set_memory_limit(&mut self, bytes: usize) {
        self.heap.set_limit(bytes);
    }

    /// How many bytes the heap may have.
    #[must_use]
    pub fn memory_limit(&self) -> usize {
        self.heap.limit()
    }

    /// Sets how many coroutines may have a stack at a time: those that were
    /// resumed and have not ended.
    pub fn set_coroutine_limit(&mut self, most: usize) {
        self.threads.set_most(most);
    }

    /// Coroutines that have a stack.
    #[must_use]
    pub fn coroutines_with_stacks(&self) -> usize {
        self.threads.in_use()
    }

    /// Sets how many values the stack of every thread may have: of coroutines
    /// that have not started yet, and of the main program. At least 1,000, at
    /// most what there is room for.
    ///
    /// # Panics
    /// If Lua code is running.
    pub fn set_stack_slots(&mut self, slots: usize) {
        assert!(
            self.thread.is_main() && self.native_depth == 0,
            "the VM is at rest"
        );
        let slots = slots.max(1000);
        let most = (STACK_SLOTS - STACK_RESERVE).min(slots);
        self.real_stack_limit = self.stack_base.wrapping_add(most);
        self.restore_limit();
        self.coroutine_slots = (Stack::lua_slots() - STACK_RESERVE).min(slots);
    }

    /// Tests whether `bytes` more can be allocated, collecting garbage if that
    /// is needed. An open poll. To be called for sizes that programs choose;
    /// small ones always pass.
    ///
    /// # Errors
    /// `not enough memory`.
    #[inline]
    pub fn make_room(&mut self, bytes: usize) -> LuaResult<()> {
        if bytes < SMALL {
            return Ok(());
        }
        self.make_room_slow(bytes)
    }

    #[cold]
    #[inline(never)]
    fn make_room_slow(&mut self, bytes: usize) -> LuaResult<()> {
        let fits = |vm: &VmState| {
            let used = vm.heap.bytes_in_use();
            used.saturating_add(bytes) <= vm.heap.limit()
        };
        if !fits(self) {
            self.collect_unless_in_finalizer(Safepoint::Open);
        }
        if !fits(self) || !system_has(bytes) {
            return Err(self.out_of_memory());
        }
        Ok(())
    }

    /// Tests whether an object of this size can exist at all; nothing is
    /// collected, so this may be called anywhere.
    ///
    /// # Errors
    /// `not enough memory`.
    #[inline]
    pub fn check_size(&mut self, bytes: usize) -> LuaResult<()> {
        if !self.can_exist(bytes) {
            return Err(self.out_of_memory());
        }
        Ok(())
    }

    /// Whether an object of this size can exist at all.
    #[inline]
    pub(crate) fn can_exist(&self, bytes: usize) -> bool {
        bytes < SMALL || bytes <= self.heap.limit() && system_has(bytes)
    }

    /// Raises `not enough memory`.
    #[cold]
    pub fn out_of_memory(&mut self) -> Thrown {
        let v: Value = self.str_value(b"not enough memory");
        self.throw(v)
    }

    /// At a poll: whether memory is over the limit although everything was
    /// collected. The caller then raises [`VmState::out_of_memory`].
    #[cold]
    #[inline(never)]
    pub fn is_out_of_memory(&mut self, at: Safepoint) -> bool {
        if !self.heap.is_over_limit() {
            return false;
        }
        self.collect_unless_in_finalizer(at);
        // With less room than that programs would do little but collect.
        let limit = self.heap.limit();
        self.heap.bytes_in_use() > limit - limit / RESERVE
    }

    /// Whether the heap seems to be over its limit.
    #[inline]
    #[must_use]
    pub fn is_memory_tight(&self) -> bool {
        self.heap.is_tight()
    }
}

/// Whether the system gives that much.
fn system_has(bytes: usize) -> bool {
    bytes < PROBED || Vec::<u8>::new().try_reserve_exact(bytes).is_ok()
}
