//! Ctrl-C: stops the running program with a Lua error.
//!
//! Signals arrive on a thread of their own, which interrupts the VM. As with
//! `lua`, the first Ctrl-C raises an error in the program and a second one,
//! while the program still runs, ends the process: a native function may not
//! come back to where the error is raised.

use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use vela::{Cause, Interrupt};

/// No program runs.
const IDLE: u8 = 0;
/// A program runs.
const RUNNING: u8 = 1;
/// A program runs and was interrupted.
const INTERRUPTED: u8 = 2;

/// Watches for Ctrl-C while a program runs.
#[derive(Clone)]
pub struct Guard(Arc<AtomicU8>);

impl Guard {
    /// Starts watching for a VM. Where that is not possible Ctrl-C ends the
    /// process.
    pub fn new(handle: Interrupt) -> Guard {
        let guard = Guard(Arc::new(AtomicU8::new(IDLE)));
        let state = guard.0.clone();
        if let Ok(mut signals) = Signals::new([SIGINT]) {
            std::thread::spawn(move || {
                for signal in signals.forever() {
                    let first = state.compare_exchange(
                        RUNNING,
                        INTERRUPTED,
                        Ordering::SeqCst,
                        Ordering::SeqCst,
                    );
                    if first.is_ok() {
                        handle.raise(Cause::Once);
                    } else {
                        // Nothing is left to do if that fails.
                        let _ = emulate_default_handler(signal);
                    }
                }
            });
        }
        guard
    }

    /// Runs `f` with Ctrl-C as an error.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.store(RUNNING, Ordering::SeqCst);
        let result = f();
        self.0.store(IDLE, Ordering::SeqCst);
        result
    }
}
