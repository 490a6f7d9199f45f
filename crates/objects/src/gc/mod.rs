//! The collector: incremental, tri-colour, non-moving mark and sweep.
//!
//! A cycle marks from the roots in slices, ends marking in one atomic step,
//! and sweeps in slices. Slices run at polls, paced by allocation.
//!
//! - **White** objects are unmarked, **grey** ones marked and queued in
//!   [`Heap::gray`](crate::heap::Heap) or (large tables, traced in parts) in
//!   `Collector::partial`, **black** ones marked and traced.
//! - While marking goes on a store of a white object anywhere marks it
//!   ([`VmState::barrier`], a forward barrier after Dijkstra et al., "On-the-fly
//!   garbage collection", 1978): black never points to white, whatever the
//!   size of what is stored into.
//! - Stacks have no barrier: those that ran are scanned again when nothing is
//!   grey. Only
//!   if that finds so little new that a slice traces it does the atomic step
//!   follow, in the same slice.
//! - Objects allocated meanwhile are white: see [`crate::heap`].
//!
//! Weak tables, finalizers and the VM's own weak references (inline caches,
//! constants of fields, metatables of shapes) are settled in the atomic step:
//! [`weak`], [`finalize`].

mod finalize;
mod mark;
mod stress;
mod weak;

pub(crate) use mark::{callee_window, live_map, release};

use crate::closure::FuncProto;
use crate::gcref::Gc;
use crate::heap::Heap;
use crate::object::{Header, header_flags};
use crate::table::Table;
use crate::thread::Thread;
use crate::value::{Tag, Value};
use crate::vm::VmState;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Parameters of the collector, as `collectgarbage` sets them.
#[derive(Clone, Copy, Debug)]
pub struct GcParams {
    /// Size of the heap, in percent of what survived the last cycle, at which
    /// the next one begins.
    pub pause: i64,
    /// Speed of marking and sweeping relative to allocation, in percent of
    /// the usual one.
    pub step_multiplier: i64,
    /// Binary logarithm of the bytes between slices, in units of 4.
    pub step_size: i64,
    /// Reported mode; the collector has one.
    pub generational: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Idle,
    Mark,
    Sweep,
}

/// State of a collection and what outlives it.
pub(crate) struct Collector {
    pub(crate) params: GcParams,
    phase: Phase,
    /// Large tables that are traced in parts.
    partial: Vec<mark::Partial>,
    /// Weak tables found in this cycle.
    weak: weak::Found,
    /// Prototypes found in this cycle.
    protos: Vec<Gc<FuncProto>>,
    /// Slots of the compiled frame that is looked at; empty between frames.
    slots: Vec<*mut Value>,
    /// Objects with a finalizer, in the order of marking.
    finalizable: Vec<Value>,
    /// Objects whose finalizer is to be called, in this order.
    pending: VecDeque<Value>,
    in_finalizer: bool,
    closing: bool,
    cycles: u64,
    /// The longest slice so far.
    longest: Duration,
    /// Times the end of marking was put off to an open poll.
    deferred: u8,
    /// State of the stress mode's choices.
    random: u64,
}

/// Where running code stands at a poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Safepoint {
    /// Anything may happen, as in a call of an unknown function.
    Open,
    /// In compiled code that relies on memory it has read: nothing that a
    /// program can read may change.
    Quiet,
}

/// Least growth between cycles, in bytes: what a cycle costs in a heap with
/// nothing but the libraries is small against it, and it is in the processor's
/// caches.
const MIN_GROWTH: usize = 2 << 20;
/// Growth between cycles near the memory limit: one in so many bytes of it.
const NEAR_LIMIT: usize = 64;
/// Most bytes in use at which a step in generational mode is a full collection:
/// that takes a few milliseconds.
const SMALL: usize = 16 << 20;
/// Units of work (about bytes traced) per byte allocated.
const WORK_PER_BYTE: isize = 16;
/// Most units of work in a slice; bounds the pause.
const MAX_WORK: isize = 1 << 19;
/// Times that the end of marking is put off to an open poll. After that weak
/// values that compiled code may have read are kept for this cycle.
const MAX_DEFERRED: u8 = 3;
/// Finalizers called at one poll.
const FINALIZERS_PER_POLL: usize = 10;

impl Collector {
    pub(crate) fn new() -> Self {
        Collector {
            params: GcParams {
                pause: 200,
                step_multiplier: 100,
                step_size: 13,
                // As the `lua` program sets it.
                generational: true,
            },
            phase: Phase::Idle,
            partial: Vec::new(),
            weak: weak::Found::default(),
            protos: Vec::new(),
            slots: Vec::new(),
            finalizable: Vec::new(),
            pending: VecDeque::new(),
            in_finalizer: false,
            closing: false,
            cycles: 0,
            longest: Duration::ZERO,
            deferred: 0,
            random: 0x2545_f491_4f6c_dd1d,
        }
    }

    /// Bytes allocated between two slices.
    fn step_bytes(&self) -> isize {
        1 << (self.params.step_size.clamp(11, 20) + 2)
    }

    /// Work that allocating `bytes` asks for.
    fn work_for(&self, bytes: isize) -> isize {
        let percent = self.params.step_multiplier.clamp(25, 1000) as isize;
        bytes.saturating_mul(WORK_PER_BYTE).saturating_mul(percent) / 100
    }

    fn random(&mut self) -> u64 {
        // xorshift64 (Marsaglia, 2003).
        let mut x = self.random;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random = x;
        x
    }
}

impl VmState {
    // ---- barriers ----------------------------------------------------

    /// The write barrier: call when `v` was stored into any object.
    #[inline]
    pub fn barrier(&mut self, v: Value) {
        if self.heap.marking && v.tag.is_object() {
            self.barrier_slow(v);
        }
    }

    /// The barrier for a reference to an object that is not in a value.
    #[inline]
    pub fn barrier_ref<T>(&mut self, object: Gc<T>) {
        if self.heap.marking {
            self.heap.mark(object.as_ptr().cast());
        }
    }

    #[cold]
    #[inline(never)]
    fn barrier_slow(&mut self, v: Value) {
        self.heap.mark_value(v);
    }

    /// Has a table traced again whose entries moved while it may have been
    /// traced in part.
    pub(crate) fn retrace(&mut self, t: Gc<Table>) {
        if self.heap.marking && self.heap.is_marked(t.as_ptr().cast()) {
            self.heap.gray.push(t.as_ptr().cast());
        }
    }

    /// Has a thread traced again whose stack changed. O(1).
    pub(crate) fn retrace_thread(&mut self, t: Gc<Thread>) {
        let h: *mut Header = t.as_ptr().cast();
        if self.heap.marking && self.heap.is_marked(h) {
            // SAFETY: a live object; single writer.
            let flags = unsafe { &mut (*h).flags };
            if *flags & header_flags::QUEUED == 0 {
                *flags |= header_flags::QUEUED;
                self.heap.gray.push(h);
            }
        }
    }

    // ---- polls -------------------------------------------------------

    /// Whether the collector has something to do at the next poll.
    #[inline]
    #[must_use]
    pub fn gc_due(&self) -> bool {
        self.heap.wants_gc
    }

    /// A poll at which [`VmState::gc_due`]: a slice of the collection, and
    /// pending finalizers, which are Lua code.
    ///
    /// `self.frame` (with its `pc`) is current, and everything live is
    /// reachable from the roots. Returns whether the caller has to raise
    /// [`VmState::out_of_memory`].
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn gc_poll(&mut self) -> bool {
        self.slice(Safepoint::Open);
        if !self.doomed_threads().is_empty() {
            self.end_doomed_threads();
        }
        if !self.gc.pending.is_empty() && !self.gc.in_finalizer && !self.interrupt_pending() {
            self.run_finalizers(FINALIZERS_PER_POLL);
            if !self.gc.pending.is_empty() {
                self.heap.request_poll();
            }
        }
        self.heap.is_tight() && self.is_out_of_memory(Safepoint::Open)
    }

    /// A poll of compiled code. Returns whether the code must leave to an open
    /// poll, because what is due next is visible to programs.
    pub fn gc_poll_quiet(&mut self) -> bool {
        if !self.gc_due() {
            return false;
        }
        if self.heap.is_tight() {
            self.heap.request_poll();
            return true;
        }
        self.slice(Safepoint::Quiet);
        if self.gc.in_finalizer {
            return false;
        }
        if !self.gc.pending.is_empty() {
            self.heap.request_poll();
            return true;
        }
        self.gc_due() && self.gc.phase == Phase::Mark
    }

    /// Does what the debt asks for.
    fn slice(&mut self, at: Safepoint) {
        self.heap.wants_gc = false;
        self.accept_poll();
        if self.gc.in_finalizer || self.gc.closing || self.heap.is_stopped() {
            return;
        }
        if self.gc_stress {
            self.stress_slice(at);
            return;
        }
        // What compiled code was left for is done though it owes nothing.
        let put_off = at == Safepoint::Open && self.gc.deferred > 0;
        let debt = self.heap.debt();
        if debt <= 0 && !put_off {
            return;
        }
        let debt = debt.max(0);
        let start = Instant::now();
        let unit = self.gc.step_bytes();
        let work = self.gc.work_for(debt + unit).min(MAX_WORK);
        match self.advance(work, at) {
            Progress::Finished => self.pause_until_grown(),
            Progress::Working => self.heap.set_debt(-unit),
            Progress::Visible => {
                self.heap.set_debt(-unit);
                self.heap.request_poll();
            }
        }
        self.gc.longest = self.gc.longest.max(start.elapsed());
    }

    /// Plans the next cycle.
    fn pause_until_grown(&mut self) {
        let live = self.heap.survived();
        let percent = self.gc.params.pause.clamp(110, 1000) as usize - 100;
        let growth = (live / 100).saturating_mul(percent).max(MIN_GROWTH);
        let growth = growth.min((self.heap.room() / 2).max(self.heap.limit() / NEAR_LIMIT));
        // Something was allocated while the sweep went on.
        let since = self.heap.bytes_in_use().saturating_sub(live);
        let debt = since as isize - isize::try_from(growth).unwrap_or(isize::MAX);
        self.heap.set_debt(debt);
    }

    // ---- cycles ------------------------------------------------------

    /// Goes on with the collection for about `work` units; begins one if none
    /// is in progress.
    fn advance(&mut self, mut work: isize, at: Safepoint) -> Progress {
        while work > 0 {
            match self.gc.phase {
                Phase::Idle => {
                    self.heap.begin_mark();
                    self.mark_roots();
                    self.gc.phase = Phase::Mark;
                    work -= 1 << 14;
                }
                Phase::Mark => {
                    work = self.drain(work);
                    if work > 0 {
                        self.mark_mutable_roots();
                        work = self.drain(work);
                    }
                    if self.nothing_gray() {
                        if at == Safepoint::Quiet
                            && self.gc.deferred < MAX_DEFERRED
                            && self.atomic_is_visible()
                        {
                            self.gc.deferred += 1;
                            return Progress::Visible;
                        }
                        self.atomic(at);
                        self.gc.phase = Phase::Sweep;
                    }
                }
                Phase::Sweep => {
                    work = self.heap.sweep_some(work);
                    if !self.heap.sweeping() {
                        self.gc.phase = Phase::Idle;
                        return Progress::Finished;
                    }
                }
            }
        }
        Progress::Working
    }

    fn nothing_gray(&self) -> bool {
        self.heap.nothing_gray() && self.gc.partial.is_empty()
    }

    /// Whether the end of marking may change what a program reads.
    fn atomic_is_visible(&self) -> bool {
        self.gc.weak.has_direct_values()
    }

    /// Ends marking: everything that is reachable is marked, weak references
    /// to the rest are cleared.
    fn atomic(&mut self, at: Safepoint) {
        self.gc.deferred = 0;
        self.mark_mutable_roots();
        self.drain(isize::MAX);
        self.save_doomed_threads();
        self.drain(isize::MAX);
        self.settle_weak_tables(at);
        if self.gc_stress {
            self.verify_marks();
        }
        self.clear_weak_roots();
        self.gc.cycles += 1;
        self.heap.begin_sweep();
        if at == Safepoint::Open {
            self.end_doomed_threads();
        } else if !self.doomed_threads().is_empty() {
            self.heap.request_poll();
        }
    }

    /// Ends the cycle in progress, if there is one.
    fn finish_cycle(&mut self, at: Safepoint) {
        while self.gc.phase != Phase::Idle {
            if self.advance(isize::MAX, at) == Progress::Visible {
                return;
            }
        }
    }

    fn full_cycle(&mut self, at: Safepoint) {
        self.finish_cycle(at);
        self.advance(isize::MAX, at);
        self.finish_cycle(at);
    }

    // ---- for libraries and hosts -------------------------------------

    /// A full collection, then all pending finalizers: `collectgarbage()`.
    /// Does nothing in a finalizer.
    ///
    /// Callers are open polls: see [`VmState::gc_poll`].
    pub fn collect_garbage(&mut self) {
        if self.gc.in_finalizer {
            return;
        }
        self.heap.set_poison(self.gc_stress);
        self.full_cycle(Safepoint::Open);
        self.pause_until_grown();
        self.run_finalizers(usize::MAX);
        self.heap.wants_gc |= self.gc_stress;
    }

    /// A full collection at a poll, without finalizers.
    pub(crate) fn collect_unless_in_finalizer(&mut self, at: Safepoint) {
        if self.gc.in_finalizer || self.gc.closing {
            return;
        }
        self.full_cycle(at);
        self.pause_until_grown();
        if !self.gc.pending.is_empty() {
            self.heap.request_poll();
        }
    }

    /// As much of a collection as allocating `bytes` would cause, and at least
    /// a slice; returns whether it ended a cycle. An open poll.
    ///
    /// In generational mode a step of a small heap is a full collection:
    /// programs rely on one step to free what has just become garbage.
    pub fn gc_step(&mut self, bytes: usize) -> bool {
        if self.gc.in_finalizer {
            return false;
        }
        if self.gc.params.generational && self.heap.bytes_in_use() < SMALL {
            self.collect_garbage();
            return true;
        }
        let unit = self.gc.step_bytes();
        let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
        let work = self.gc.work_for(bytes.max(unit));
        let finished = self.advance(work, Safepoint::Open) == Progress::Finished;
        if finished {
            self.pause_until_grown();
        } else {
            self.heap.set_debt(-unit);
        }
        self.run_finalizers(FINALIZERS_PER_POLL);
        finished
    }

    /// The collector's parameters.
    pub fn gc_params(&mut self) -> &mut GcParams {
        &mut self.gc.params
    }

    /// Whether a finalizer is running: then the collector does nothing.
    #[must_use]
    pub fn in_finalizer(&self) -> bool {
        self.gc.in_finalizer
    }

    /// The longest time that a poll spent on collecting since the last call of
    /// this function; full collections and finalizers do not count.
    pub fn take_longest_pause(&mut self) -> Duration {
        std::mem::take(&mut self.gc.longest)
    }

    /// Collections that have ended marking so far.
    #[must_use]
    pub fn gc_cycles(&self) -> u64 {
        self.gc.cycles
    }
}

/// What became of a slice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Working,
    /// A cycle ended.
    Finished,
    /// Marking is done, but what follows needs an open poll.
    Visible,
}

/// Whether a value may be stored in a table: registers also hold cells.
#[must_use]
pub fn is_lua_value(v: Value) -> bool {
    v.tag < Tag::CELL
}

/// Whether a value refers to an object that is about to be freed; strings do
/// not count as objects here.
fn is_dead(heap: &Heap, v: Value) -> bool {
    v.tag.is_object() && v.tag != Tag::STR && !heap.is_marked(v.payload as *const _)
}
