//! Limits for code that a host does not trust.

use crate::error::Result;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use vela_objects::VmState;
use vela_objects::interrupt::{Cause, Interrupt};

/// What the programs of a VM may use. `None` means no limit but what there is
/// room for.
///
/// Limits hold in compiled code as in the interpreter. Exceeding one raises a
/// Lua error, which the program may catch; the VM stays usable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the heap, what the libraries take (some 100 KB) included.
    /// Error: `not enough memory`.
    ///
    /// The limit is tested at polls (calls, ends of loop bodies, allocations
    /// of the interpreter) after a full collection, so it may be passed for a
    /// moment: by what is allocated between two polls, and by a hash table
    /// that doubles. Strings are tested before they are made. A collection
    /// that leaves less than 1/32 of the limit free counts as not enough.
    pub memory: Option<usize>,
    /// Time that each call from outside of Lua may take. Error: `time limit
    /// exceeded`, raised again at every poll until that call has returned, so
    /// that catching it is of no use.
    ///
    /// A thread of the process watches the clock, so this costs nothing while
    /// code runs. Functions of hosts and input and output are not interrupted.
    pub time: Option<Duration>,
    /// Coroutines that were resumed and have not ended. Resuming one more
    /// fails: `too many coroutines`.
    pub coroutines: Option<usize>,
    /// Values on the stack of each coroutine and of the main program, which
    /// bounds the depth of calls; at least 1,000. Error: `stack overflow`.
    pub stack: Option<usize>,
}

/// What a VM uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the heap, garbage that was not collected yet included.
    pub memory: usize,
    /// Coroutines that were resumed and have not ended.
    pub coroutines: usize,
}

/// The time limit of a VM.
struct TimeLimit(Option<Duration>);

/// Sets the limits of a VM that runs nothing.
pub(crate) fn set(vm: &mut VmState, limits: &Limits) {
    vm.set_memory_limit(limits.memory.unwrap_or(usize::MAX));
    vm.set_coroutine_limit(limits.coroutines.unwrap_or(usize::MAX));
    vm.set_stack_slots(limits.stack.unwrap_or(usize::MAX));
    vm.host_state_or(|| TimeLimit(None)).0 = limits.time;
}

/// Has the clock watched while `f` runs, if it is the outermost call and there
/// is a limit.
pub(crate) fn timed<R>(vm: &mut VmState, f: impl FnOnce(&mut VmState) -> Result<R>) -> Result<R> {
    let outermost = vm.native_limit == 0;
    let limit = match vm.host_state::<TimeLimit>() {
        Some(limit) if outermost => limit.0,
        _ => None,
    };
    let Some(limit) = limit else { return f(vm) };
    let watch = Watch::new(vm.interrupt_handle(), limit);
    let result = f(vm);
    drop(watch);
    vm.clear_interrupt(Cause::Time);
    result
}

/// Deadlines of the process.
#[derive(Default)]
struct Deadlines {
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    /// Who to interrupt; without those whose call has returned.
    armed: HashMap<u64, Interrupt>,
    next: u64,
}

struct Watchdog {
    deadlines: Mutex<Deadlines>,
    earlier: Condvar,
}

impl Watchdog {
    /// The process's, with its thread, which lives as long as the process.
    fn get() -> &'static Watchdog {
        static WATCHDOG: OnceLock<Watchdog> = OnceLock::new();
        static THREAD: OnceLock<bool> = OnceLock::new();
        let dog = WATCHDOG.get_or_init(|| Watchdog {
            deadlines: Mutex::default(),
            earlier: Condvar::new(),
        });
        THREAD.get_or_init(|| {
            let thread = std::thread::Builder::new().name("vela clock".into());
            thread.spawn(|| dog.run()).is_ok()
        });
        dog
    }

    fn lock(&self) -> MutexGuard<'_, Deadlines> {
        self.deadlines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut d = self.lock();
        loop {
            let now = Instant::now();
            while let Some(&Reverse((at, id))) = d.queue.peek()
                && (at <= now || !d.armed.contains_key(&id))
            {
                d.queue.pop();
                if let Some(interrupt) = d.armed.get(&id) {
                    // Under the lock, so not after the call has returned.
                    interrupt.raise(Cause::Time);
                }
            }
            let wait = d.queue.peek().map(|&Reverse((at, _))| at - now);
            d = match wait {
                Some(wait) => {
                    let woken = self.earlier.wait_timeout(d, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let woken = self.earlier.wait(d);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

/// A deadline, until it is dropped.
struct Watch(u64);

impl Watch {
    fn new(interrupt: Interrupt, limit: Duration) -> Watch {
        let dog = Watchdog::get();
        let at = Instant::now() + limit;
        let mut d = dog.lock();
        let id = d.next;
        d.next += 1;
        d.armed.insert(id, interrupt);
        let first = d.queue.peek().is_none_or(|&Reverse((first, _))| at < first);
        d.queue.push(Reverse((at, id)));
        drop(d);
        if first {
            dog.earlier.notify_one();
        }
        Watch(id)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut d = Watchdog::get().lock();
        d.armed.remove(&self.0);
        // Entries of calls that returned early go with the next wake-up, or
        // when there are too many.
        if d.queue.len() > 64 && d.queue.len() > 2 * d.armed.len() {
            let Deadlines { queue, armed, .. } = &mut *d;
            queue.retain(|&Reverse((_, id))| armed.contains_key(&id));
        }
    }
}
