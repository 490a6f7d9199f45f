//! Interrupts: asking a VM, from any thread, to stop what it runs.
//!
//! A request sets a bit in [`Requests`] and lowers the VM's stack limit to
//! null, which makes the stack checks of calls and the polls of loops fail, in
//! the interpreter and in compiled code. The code that answers a poll puts the
//! limit back and looks at the bits; where one is set it raises the cause's
//! error. As long as a bit stays set the limit stays lowered, so that the
//! error is raised again at every poll: a program may catch it, but not get on.
//!
//! **Ordering.** The VM's thread stores the limit also on its own account
//! (when it answers, when it switches coroutines), and looks at the bits after
//! such a store. Without a fence between the two, the store could arrive late
//! and overwrite another thread's null after the look. The fence is on the
//! side that interrupts, where its cost does not matter: it has every other
//! thread of the process pass a barrier between the two stores.

use crate::value::Value;
use crate::vm::{Handler, LuaResult, Thrown, VmState};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering, compiler_fence};
use std::sync::{Arc, Mutex, PoisonError};

/// Why running code is to be stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// A user's key: raised once. Error `interrupted!`.
    Once,
    /// A host's decision: raised until it is cleared. Error `interrupted!`.
    Host,
    /// The time that the code was given is over: raised until it is cleared.
    /// Error `time limit exceeded`.
    Time,
}

impl Cause {
    fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The error's value.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Cause::Once | Cause::Host => "interrupted!",
            Cause::Time => "time limit exceeded",
        }
    }
}

/// Polls of the call that enters a native message handler: that of calls from
/// natives and that of calls of natives.
const HANDLER_POLLS: u8 = 2;

/// Causes that wait to be raised.
#[derive(Debug, Default)]
pub(crate) struct Requests(AtomicU32);

/// Where a VM is, while it exists.
struct Target {
    requests: *const Requests,
    limit: *const AtomicPtr<Value>,
}

// SAFETY: both point to atomics. They are used only under the lock of the
// handle, which the VM takes to clear them before it goes.
unsafe impl Send for Target {}

/// Interrupts a VM, from any thread. Does nothing once the VM is gone.
///
/// Takes a lock, so it must not be used in a signal handler; have a thread
/// wait for the signal.
#[derive(Clone)]
pub struct Interrupt(Arc<Mutex<Option<Target>>>);

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupt")
    }
}

impl Interrupt {
    pub(crate) fn new() -> Interrupt {
        barrier::prepare();
        Interrupt(Arc::default())
    }

    /// # Safety
    /// Both stay valid until [`Interrupt::detach`].
    pub(crate) unsafe fn attach(&self, requests: *const Requests, limit: *const AtomicPtr<Value>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Target { requests, limit });
    }

    pub(crate) fn detach(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Has the VM raise the cause's error at its next poll: a call, or the end
    /// of a loop's body. If it runs nothing now, that is in the next call.
    /// Returns whether the VM still exists.
    pub fn raise(&self, cause: Cause) -> bool {
        let target = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(target) = &*target else {
            return false;
        };
        // SAFETY: valid while the target is there; the lock keeps it there.
        unsafe {
            (*target.requests).0.fetch_or(cause.bit(), Ordering::SeqCst);
            barrier::all_threads();
            (*target.limit).store(std::ptr::null_mut(), Ordering::SeqCst);
        }
        true
    }

    /// Has the VM poll soon, so that whoever has something for it gets a turn
    /// (`Hooks::polled`). A hint: where the VM moves its stack limit at the same
    /// moment, the next poll is one that it makes by itself.
    pub fn poke(&self) {
        let target = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = &*target {
            // SAFETY: valid while the target is there; the lock keeps it there.
            unsafe { (*target.limit).store(std::ptr::null_mut(), Ordering::SeqCst) };
        }
    }
}

impl VmState {
    /// A handle that interrupts this VM.
    #[must_use]
    pub fn interrupt_handle(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Takes a request back, raised or not.
    pub fn clear_interrupt(&mut self, cause: Cause) {
        self.requests.0.fetch_and(!cause.bit(), Ordering::SeqCst);
    }

    /// Whether an interrupt waits to be raised.
    #[inline]
    #[must_use]
    pub fn interrupt_pending(&self) -> bool {
        self.requests.0.load(Ordering::Relaxed) != 0
    }

    /// The word to watch for interrupts in long computations that cannot call
    /// [`VmState::check_interrupt`]: not zero while one is pending.
    #[inline]
    #[must_use]
    pub fn interrupt_word(&self) -> &AtomicU32 {
        &self.requests.0
    }

    /// Whether running code is asked to poll.
    #[inline]
    #[must_use]
    pub fn poll_requested(&self) -> bool {
        self.stack_limit.load(Ordering::Relaxed).is_null()
    }

    /// The stack limit that running code sees: null while a poll is requested.
    #[inline]
    #[must_use]
    pub fn limit(&self) -> *mut Value {
        self.stack_limit.load(Ordering::Relaxed)
    }

    /// Ends a request to poll; a pending interrupt makes a new one.
    pub fn accept_poll(&mut self) {
        if self.poll_requested() {
            self.restore_limit();
        }
    }

    /// Lets running code see the real stack limit, unless an interrupt is
    /// pending.
    #[inline]
    pub(crate) fn restore_limit(&mut self) {
        self.stack_limit
            .store(self.real_stack_limit, Ordering::Relaxed);
        // See the module's text on ordering.
        compiler_fence(Ordering::SeqCst);
        if self.interrupt_pending() {
            self.request_poll();
        }
    }

    /// Asks the running code to call its poll soon.
    #[inline]
    pub fn request_poll(&mut self) {
        self.stack_limit
            .store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    /// Raises what is pending. For every poll of the interpreter, and for
    /// natives that compute for long, every 10,000 steps or so.
    ///
    /// # Errors
    /// The cause's error.
    #[inline]
    pub fn check_interrupt(&mut self) -> LuaResult<()> {
        if self.interrupt_pending() {
            return self.raise_interrupt();
        }
        Ok(())
    }

    /// Message handlers in Lua are not run for interrupts, because they would
    /// be interrupted themselves. A native one gets its first call.
    #[cold]
    #[inline(never)]
    fn raise_interrupt(&mut self) -> LuaResult<()> {
        if self.interrupt_grace > 0 {
            self.interrupt_grace -= 1;
            return Ok(());
        }
        let pending = self.requests.0.load(Ordering::SeqCst);
        let cause = [Cause::Time, Cause::Host, Cause::Once]
            .into_iter()
            .find(|c| pending & c.bit() != 0);
        let Some(cause) = cause else {
            return Ok(());
        };
        self.clear_interrupt(Cause::Once);
        let v = self.str_value(cause.message().as_bytes());
        if self.interrupt_pending() {
            self.request_poll();
            if self.handler.function.as_native_fn().is_none() {
                let handler = std::mem::replace(&mut self.handler, Handler::NONE);
                let thrown = self.throw(v);
                self.handler = handler;
                self.error_handled = true;
                return Err(thrown);
            }
            self.interrupt_grace = HANDLER_POLLS;
        }
        let thrown: Thrown = self.throw(v);
        self.interrupt_grace = 0;
        Err(thrown)
    }
}

/// The fence of the side that interrupts.
mod barrier {
    /// To be called before the first use of [`all_threads`].
    pub(super) fn prepare() {
        #[cfg(all(target_os = "linux", not(miri)))]
        {
            static ONCE: std::sync::Once = std::sync::Once::new();
            ONCE.call_once(|| {
                membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
            });
        }
    }

    /// Every thread of the process passes a memory barrier between the call of
    /// this function and its return.
    pub(super) fn all_threads() {
        #[cfg(all(target_os = "linux", not(miri)))]
        if membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
            return;
        }
        // Where the system has no such call: a store leaves its processor long
        // before this is over.
        std::thread::sleep(std::time::Duration::from_millis(1));
    }

    #[cfg(all(target_os = "linux", not(miri)))]
    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: takes two numbers and a processor, which it ignores.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::Hooks;

    fn vm() -> Box<VmState> {
        let hooks = Hooks::interpreter_only(|_, _, _| Ok(0), |_, _, _, _| Err(String::new()));
        VmState::new(1, hooks).expect("address space")
    }

    #[test]
    fn a_request_lowers_the_limit_until_it_is_cleared() {
        let mut vm = vm();
        let handle = vm.interrupt_handle();
        assert!(!vm.poll_requested() && vm.check_interrupt().is_ok());
        let other = handle.clone();
        let raised = std::thread::spawn(move || other.raise(Cause::Host));
        assert!(raised.join().expect("it does not panic"));
        for _ in 0..3 {
            assert!(vm.poll_requested());
            vm.accept_poll();
            assert!(vm.check_interrupt().is_err());
            assert_eq!(vm.error.as_str().expect("text").to_text(), "interrupted!");
        }
        vm.clear_interrupt(Cause::Host);
        vm.accept_poll();
        assert!(!vm.poll_requested() && vm.check_interrupt().is_ok());
        drop(vm);
        assert!(!handle.raise(Cause::Host), "the VM is gone");
    }

    #[test]
    fn a_key_is_raised_once() {
        let mut vm = vm();
        vm.interrupt_handle().raise(Cause::Once);
        vm.accept_poll();
        assert!(vm.check_interrupt().is_err());
        vm.accept_poll();
        assert!(!vm.poll_requested() && vm.check_interrupt().is_ok());
    }
}
