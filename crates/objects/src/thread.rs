//! Coroutines.
//!
//! Every coroutine has a native stack and a Lua stack of its own (see
//! [`crate::stacks`]), so that whatever is active inside it — interpreted and
//! compiled frames, metamethods, iterators, `pcall`, callbacks of natives —
//! just stays where it is while it is suspended. Resuming and yielding switch
//! both stacks.
//!
//! The running coroutine's part of [`VmState`] is saved in a [`Context`] when
//! another one runs. The main program is a [`Thread`] too, which runs on the
//! stacks of the VM.
//!
//! A suspended coroutine that is no longer needed is *ended*: by `close` after
//! its pending variables were closed, by the collector without closing them.
//! Its innermost function (`yield`) then raises an error that no protected
//! call catches, so that native functions on its stack release what they own.
//! Where only Lua frames are active, which own nothing, the collector takes
//! the stack away instead.

use crate::frame::{FrameKind, FrameRecord};
use crate::gcref::Gc;
use crate::hook::Hook;
use crate::meta::Event;
use crate::object::{Header, Kind};
use crate::stacks::{Stack, StackPool};
use crate::value::{Tag, Value};
use crate::vm::{Args, Handler, LuaResult, NATIVE_RESERVE, Thrown, VmState};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use vela_bytecode::FRAME_SLOTS;

/// What a thread is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Not started yet.
    New,
    /// Has yielded.
    Suspended,
    /// The one that runs.
    Running,
    /// Waits for a coroutine that it has resumed.
    Normal,
    /// Has returned, or was closed.
    Dead,
    /// Has raised an error. Its stack stays as it was, for tracebacks and the
    /// pending variables, until it is closed.
    Failed,
}

/// Why a suspended coroutine goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signal {
    Resume,
    /// Close the pending variables, then end.
    Close,
    /// End.
    Kill,
}

/// The part of [`VmState`] that belongs to the running thread.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    pub(crate) frame: *mut FrameRecord,
    pub(crate) top: *mut Value,
    stack_base: *mut Value,
    stack_limit: *mut Value,
    native_limit: usize,
    handler: Handler,
    native_depth: u32,
    native_max: u32,
    handler_depth: u32,
    overflowing: bool,
    hook_mask: u8,
}

impl Context {
    const NONE: Context = Context {
        frame: std::ptr::null_mut(),
        top: std::ptr::null_mut(),
        stack_base: std::ptr::null_mut(),
        stack_limit: std::ptr::null_mut(),
        native_limit: 0,
        handler: Handler::NONE,
        native_depth: 0,
        native_max: 0,
        handler_depth: 0,
        overflowing: false,
        hook_mask: 0,
    };
}

/// A stack as it stands.
pub(crate) struct StackView {
    pub(crate) frame: *mut FrameRecord,
    pub(crate) top: *mut Value,
    /// No slot from here on is in use.
    pub(crate) limit: *mut Value,
    /// Slots of pending to-be-closed variables.
    pub(crate) pending: Vec<*mut Value>,
}

type Native = Coroutine<Signal, (), (), Stack>;

/// A coroutine, or the main program.
#[repr(C)]
pub struct Thread {
    header: Header,
    status: Status,
    /// It must not yield: its variables are being closed by `close`, or a
    /// finalizer runs on its stack.
    unyieldable: bool,
    /// Position in [`Threads::live`] while it has a stack.
    index: u32,
    pub(crate) context: Context,
    /// Registers with pending to-be-closed variables, innermost last.
    pub(crate) tbc: Vec<*mut Value>,
    /// Code whose side exits have not returned yet, for the tier.
    pub(crate) exiting: Vec<u32>,
    /// The thread that resumed this one.
    resumer: *mut Thread,
    native: Option<Native>,
    yielder: *const Yielder<Signal, ()>,
    stack: Option<Stack>,
    /// Values that the latest switch hands over, on this thread's stack.
    values: *mut Value,
    count: u32,
    /// The function to run, before the start; the error, after a failure.
    value: Value,
    threads: *mut Threads,
    hook: Hook,
}

impl Gc<Thread> {
    /// The thread's debug hook.
    #[must_use]
    pub fn hook(self) -> Hook {
        self.hook
    }

    /// What the thread is doing.
    #[inline]
    #[must_use]
    pub fn status(self) -> Status {
        self.status
    }

    /// Whether this is the main program.
    #[must_use]
    pub fn is_main(self) -> bool {
        self.threads.is_null()
    }
}

/// What all coroutines of a VM share.
#[derive(Default)]
pub(crate) struct Threads {
    pool: StackPool,
    /// Coroutines that have a stack.
    live: Vec<*mut Thread>,
    /// Unreachable coroutines with native functions on their stacks, to be
    /// ended after the collection.
    doomed: Vec<*mut Thread>,
    /// A panic on its way to the thread that resumed.
    panic: Option<Box<dyn Any + Send>>,
    /// Most coroutines that may have a stack, if there is a limit.
    most: Option<usize>,
    /// Frames of compiled functions own memory, so that stacks must not be
    /// taken away: a code generator that interprets.
    frames_own_memory: bool,
    /// Threads that have a debug hook.
    pub(crate) hooked: usize,
}

/// Bytes that a coroutine's stack counts for in the heap's accounts: one page
/// on each side.
const STACK_COST: usize = 8192;
/// Pooled stacks that one collection trims.
const TRIM: usize = 64;

impl VmState {
    /// The thread of the main program.
    pub(crate) fn new_main_thread(heap: &mut crate::heap::Heap) -> Gc<Thread> {
        let t = alloc(heap, Value::NIL, std::ptr::null_mut());
        // SAFETY: just allocated.
        unsafe { (*t.as_ptr()).status = Status::Running };
        t
    }

    /// A coroutine that will run `function`.
    pub fn new_thread(&mut self, function: Value) -> Gc<Thread> {
        let threads: *mut Threads = &raw mut *self.threads;
        alloc(&mut self.heap, function, threads)
    }

    /// Registers of the running thread with pending to-be-closed variables,
    /// innermost last.
    #[inline]
    pub fn tbc(&mut self) -> &mut Vec<*mut Value> {
        // SAFETY: the running thread is alive; nobody else holds its list.
        unsafe { &mut (*self.thread.as_ptr()).tbc }
    }

    /// Codes of the running thread whose side exits have not returned yet; for
    /// the tier.
    #[inline]
    pub fn exiting(&mut self) -> &mut Vec<u32> {
        // SAFETY: as `tbc`.
        unsafe { &mut (*self.thread.as_ptr()).exiting }
    }

    /// Whether compiled frames own memory, so that coroutines have to be ended
    /// frame by frame.
    pub fn set_frames_own_memory(&mut self, own: bool) {
        self.threads.frames_own_memory = own;
    }

    /// Calls `visit` with the innermost frame of every thread and the codes of
    /// its unfinished side exits. O(threads).
    pub fn visit_threads(&self, mut visit: impl FnMut(*mut FrameRecord, &[u32])) {
        visit(self.frame, &self.thread.exiting);
        let mut t = self.thread.resumer;
        while !t.is_null() {
            // SAFETY: a running thread keeps its resumers alive.
            let thread = unsafe { &*t };
            if thread.threads.is_null() {
                visit(thread.context.frame, &thread.exiting);
            }
            t = thread.resumer;
        }
        for &t in &self.threads.live {
            // SAFETY: leaves the list when it dies.
            let thread = unsafe { &*t };
            if t != self.thread.as_ptr() {
                visit(thread.context.frame, &thread.exiting);
            }
        }
    }

    /// The stack of the running thread.
    pub(crate) fn running_stack(&self) -> StackView {
        StackView {
            frame: self.frame,
            top: self.top,
            limit: self.real_stack_limit,
            pending: self.thread.tbc.clone(),
        }
    }

    /// The stacks of all threads that have frames.
    pub(crate) fn stacks(&self) -> Vec<StackView> {
        let mut stacks = vec![self.running_stack()];
        let mut add = |thread: &Thread| {
            if !thread.context.frame.is_null() {
                stacks.push(StackView {
                    frame: thread.context.frame,
                    top: thread.context.top,
                    limit: thread.context.stack_limit,
                    pending: thread.tbc.clone(),
                });
            }
        };
        let mut t = self.thread.resumer;
        while !t.is_null() {
            // SAFETY: a running thread keeps its resumers alive.
            let thread = unsafe { &*t };
            if thread.threads.is_null() {
                add(thread);
            }
            t = thread.resumer;
        }
        for &t in &self.threads.live {
            if t != self.thread.as_ptr() {
                // SAFETY: leaves the list when it dies.
                add(unsafe { &*t });
            }
        }
        stacks
    }

    /// Resumes `co` with `args` and pushes what it yields or returns; gives
    /// the number of values.
    ///
    /// # Errors
    /// The error value: what the coroutine raised (it is [`Status::Failed`]
    /// then), or why it cannot be resumed. `co` and `args` are on the stack,
    /// because resuming may collect.
    // How deep the calls around a switch are counts: the processor predicts
    // returns by the calls before, whatever stack they were on. Resuming is a
    // call, so with this part inside its native function and yielding one
    // call below its own, the returns behind a switch meet the addresses of
    // the same callers.
    #[inline(always)]
    pub fn resume_thread(&mut self, co: Gc<Thread>, args: &[Value]) -> Result<u32, Value> {
        let t = co.as_ptr();
        // SAFETY: `co` is alive and, unless new, suspended at a yield, whose
        // arguments have been taken: its stack is free from `values` on. The
        // values that come back are on its stack, which nobody uses meanwhile.
        unsafe {
            match (*t).status {
                Status::Suspended => {}
                Status::New => {}
                Status::Dead | Status::Failed => {
                    return Err(self.str_value(b"cannot resume dead coroutine"));
                }
                Status::Running | Status::Normal => {
                    return Err(self.str_value(b"cannot resume non-suspended coroutine"));
                }
            }
            if self.native_depth + 1 >= self.native_max {
                return Err(self.str_value(b"C stack overflow"));
            }
            if (*t).status == Status::New {
                self.prepare(t)?;
            }
            let dst = (*t).values;
            let room = ((*t).context.stack_limit as usize).saturating_sub(dst as usize);
            if args.len() >= room / size_of::<Value>() {
                return Err(self.str_value(b"too many arguments to resume"));
            }
            std::ptr::copy_nonoverlapping(args.as_ptr(), dst, args.len());
            (*t).count = args.len() as u32;
            (*t).context.top = dst.add(args.len());
            self.switch(t, Signal::Resume);
            if (*t).status == Status::Failed {
                return Err((*t).value);
            }
            let n = (*t).count;
            let enough = self.has_room(n as usize + 1);
            if enough {
                std::ptr::copy_nonoverlapping((*t).values, self.top, n as usize);
                self.top = self.top.add(n as usize);
            }
            if (*t).status == Status::Dead {
                self.release(t);
            }
            if enough {
                Ok(n)
            } else {
                Err(self.str_value(b"too many results to resume"))
            }
        }
    }

    /// Suspends the running coroutine; whoever resumed it gets `args`. Pushes
    /// the values that it is resumed with and gives their number. To be called
    /// at the end of a native function, which has nothing else on the stack.
    ///
    /// # Errors
    /// Not inside a coroutine, in a variable's closing by `close`, or in a
    /// finalizer. Errors without a value end the coroutine.
    #[inline(never)]
    pub fn yield_values(&mut self, args: Args) -> LuaResult<u32> {
        let t = self.thread.as_ptr();
        // SAFETY: the running thread. While it is suspended its yielder stays
        // where it is, on its stack.
        unsafe {
            if (*t).threads.is_null() {
                return Err(self.runtime_error("attempt to yield from outside a coroutine"));
            }
            if (*t).unyieldable || self.dying {
                return Err(self.runtime_error("attempt to yield across a C-call boundary"));
            }
            (*t).values = args.base;
            (*t).count = args.count;
            (*t).status = Status::Suspended;
            let vm = shared(self);
            (*vm).top = args.base;
            let signal = (*(*t).yielder).suspend(());
            if signal == Signal::Resume {
                return Ok((*t).count);
            }
            if signal == Signal::Close {
                (*vm).handler = Handler::NONE;
                (*t).value = Value::NIL;
                (*vm).close_pending(t, false);
            }
            (*vm).dying = true;
            Err((*vm).rethrow())
        }
    }

    /// As [`VmState::yield_values`] for the topmost `n` pushed values, from a
    /// native that owns memory meanwhile: it is run to its end if the
    /// coroutine is given up.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// If fewer values were pushed by the running native.
    pub fn yield_pushed(&mut self, n: usize) -> LuaResult<u32> {
        let top = self.top;
        self.pop(n);
        let args = Args {
            base: self.top,
            count: n as u32,
        };
        self.top = top;
        // As if the native called one that yields.
        self.native_depth += 1;
        let outcome = self.yield_values(args);
        self.native_depth -= 1;
        outcome
    }

    /// Runs `look` with the frames of thread `t` in view, as if it were the
    /// running one. `look` must not call, push or collect.
    pub fn with_frames_of<R>(&mut self, t: Gc<Thread>, look: impl FnOnce(&mut VmState) -> R) -> R {
        if t == self.thread {
            return look(self);
        }
        let mut bottom = bottom_record();
        let saved = (self.frame, self.top);
        self.frame = t.context.frame;
        self.top = t.context.top;
        if self.frame.is_null() {
            self.frame = &raw mut bottom;
            self.top = FrameRecord::registers(self.frame);
        }
        let result = look(self);
        (self.frame, self.top) = saved;
        result
    }

    /// Whether the thread `t` may yield.
    #[must_use]
    pub fn is_yieldable(&self, t: Gc<Thread>) -> bool {
        !t.is_main() && !t.unyieldable
    }

    /// Whether the running thread must not yield from now on; returns what was
    /// so before.
    pub fn forbid_yield(&mut self, forbid: bool) -> bool {
        // SAFETY: the running thread is alive; single writer.
        let flag = unsafe { &mut (*self.thread.as_ptr()).unyieldable };
        std::mem::replace(flag, forbid)
    }

    /// Whether the running coroutine is being ended: the error in flight must
    /// not be caught.
    #[inline]
    #[must_use]
    pub fn is_dying(&self) -> bool {
        self.dying
    }

    /// Ends a coroutine that is not running, closing its pending variables.
    ///
    /// # Errors
    /// The error that it had failed with, or that closing a variable raised.
    ///
    /// # Panics
    /// If the thread is running or waiting for another one.
    pub fn close_thread(&mut self, co: Gc<Thread>) -> Result<(), Value> {
        let t = co.as_ptr();
        // SAFETY: `co` is alive and not running.
        unsafe {
            match (*t).status {
                Status::Dead => return Ok(()),
                Status::New => {
                    (*t).status = Status::Dead;
                    (*t).value = Value::NIL;
                    return Ok(());
                }
                Status::Suspended => {
                    (*t).unyieldable = true;
                    self.switch(t, Signal::Close);
                }
                Status::Failed => {
                    (*t).unyieldable = true;
                    if (*t).native.is_some() {
                        self.switch(t, Signal::Close);
                    }
                    (*t).status = Status::Failed;
                }
                Status::Running | Status::Normal => panic!("closing an active coroutine"),
            }
            let failed = (*t).status == Status::Failed;
            let error = (*t).value;
            (*t).status = Status::Dead;
            (*t).value = Value::NIL;
            self.release(t);
            if failed { Err(error) } else { Ok(()) }
        }
    }

    /// Gives a new coroutine its stacks. May collect.
    ///
    /// # Safety
    /// `t` is alive and new; a native function that keeps it alive is running.
    #[inline(never)]
    unsafe fn prepare(&mut self, t: *mut Thread) -> Result<(), Value> {
        let mut taken = self.threads.take_stack();
        if taken.is_err() {
            // Unreachable coroutines may have stacks to give.
            self.collect_garbage();
            // SAFETY: by contract. A finalizer may have resumed it.
            if unsafe { (*t).status } != Status::New {
                return Err(self.str_value(b"cannot resume dead coroutine"));
            }
            taken = self.threads.take_stack();
        }
        let (stack, _) = match taken {
            Ok(taken) => taken,
            Err(e) => {
                let text = match e.kind() {
                    io::ErrorKind::QuotaExceeded => "too many coroutines",
                    _ => "not enough memory",
                };
                return Err(self.str_value(text.as_bytes()));
            }
        };
        self.heap.add_debt(STACK_COST);
        let base = stack.lua_base();
        let at = base.wrapping_add(FRAME_SLOTS);
        // SAFETY: the stack is free; `t` and the VM outlive the native
        // coroutine, whose function refers to them.
        unsafe {
            base.cast::<FrameRecord>().write(bottom_record());
            at.write((*t).value);
            (*t).value = Value::NIL;
            (*t).values = at.add(FRAME_SLOTS);
            (*t).context = Context {
                frame: base.cast(),
                top: at,
                stack_base: base,
                stack_limit: base.add(self.coroutine_slots),
                native_limit: stack.native_end() + NATIVE_RESERVE,
                hook_mask: (*t).hook.active(),
                ..Context::NONE
            };
            (*t).stack = Some(stack);
            let vm: *mut VmState = self;
            let native = Native::with_stack(stack, move |yielder, _| body(vm, t, yielder));
            (*t).native = Some(native);
            (*t).index = self.threads.live.len() as u32;
        }
        self.threads.live.push(t);
        Ok(())
    }

    /// Runs `t` until it yields, returns or fails.
    ///
    /// # Safety
    /// `t` is alive, has a native coroutine and is not running.
    #[inline(always)]
    unsafe fn switch(&mut self, t: *mut Thread, signal: Signal) {
        let from = self.thread.as_ptr();
        let vm = shared(self);
        // SAFETY: by contract; `from` is the running thread, which stays alive
        // as the resumer of the running one.
        unsafe {
            (*from).context = (*vm).context();
            (*from).status = Status::Normal;
            let depth = (*vm).native_max.saturating_sub((*vm).native_depth);
            (*vm).set_context(&(*t).context);
            (*vm).native_max = depth;
            (*t).resumer = from;
            (*t).status = Status::Running;
            (*vm).thread = Gc::from_ptr(t);
            let native = (*t).native.as_mut().unwrap_unchecked();
            let result = native.resume(signal);
            (*t).context = (*vm).context();
            (*t).resumer = std::ptr::null_mut();
            (*vm).set_context(&(*from).context);
            (*from).status = Status::Running;
            (*vm).thread = Gc::from_ptr(from);
            // Stores to its stack had no barrier.
            (*vm).retrace_thread(Gc::from_ptr(t));
            if let CoroutineResult::Return(()) = result {
                (*vm).finish(t);
            }
        }
    }

    /// The native function of `t` has returned.
    ///
    /// # Safety
    /// `t` is alive.
    #[cold]
    #[inline(never)]
    unsafe fn finish(&mut self, t: *mut Thread) {
        // SAFETY: by contract. The stack stays known under `stack`.
        unsafe { (*t).native = None };
        if let Some(panic) = self.threads.panic.take() {
            // SAFETY: by contract.
            unsafe { self.release(t) };
            resume_unwind(panic);
        }
    }

    /// Gives the stack of a dead coroutine back.
    ///
    /// # Safety
    /// `t` is alive or being freed; nothing runs on its stack.
    unsafe fn release(&mut self, t: *mut Thread) {
        let was = self.threads.hooked;
        // SAFETY: by contract.
        let owned = unsafe {
            let owned = external_bytes(t);
            self.threads.release(t);
            owned
        };
        self.heap.external_resized(owned, 0);
        if was != self.threads.hooked {
            (self.hooks.hooked)(self);
        }
    }

    #[inline]
    fn context(&self) -> Context {
        Context {
            frame: self.frame,
            top: self.top,
            stack_base: self.stack_base,
            stack_limit: self.real_stack_limit,
            native_limit: self.native_limit,
            handler: self.handler,
            native_depth: self.native_depth,
            native_max: self.native_max,
            handler_depth: self.handler_depth,
            overflowing: self.overflowing,
            hook_mask: self.hook_mask,
        }
    }

    #[inline]
    fn set_context(&mut self, c: &Context) {
        self.frame = c.frame;
        self.top = c.top;
        self.stack_base = c.stack_base;
        self.real_stack_limit = c.stack_limit;
        if !self.poll_requested() {
            self.restore_limit();
        }
        self.native_limit = c.native_limit;
        self.handler = c.handler;
        self.native_depth = c.native_depth;
        self.native_max = c.native_max;
        self.handler_depth = c.handler_depth;
        self.overflowing = c.overflowing;
        self.hook_mask = c.hook_mask;
    }

    /// Sets the hook of a thread and returns the events that it raises now.
    /// The hook that is running stays off.
    pub(crate) fn replace_hook(&mut self, t: Gc<Thread>, hook: Hook) -> u8 {
        let t = t.as_ptr();
        // SAFETY: the thread is alive; single writer.
        unsafe {
            (*t).hook = (*t).hook.replaced_by(hook);
            (*t).context.hook_mask = (*t).hook.active();
            (*t).context.hook_mask
        }
    }

    /// Runs `f` on the running thread's hook.
    pub(crate) fn with_hook<R>(&mut self, f: impl FnOnce(&mut Hook) -> R) -> R {
        // SAFETY: the running thread is alive; single writer.
        unsafe { f(&mut (*self.thread.as_ptr()).hook) }
    }

    /// Closes the pending variables of the running thread `t`, latest first.
    /// With `failed`, or from the first error on, they get the error, which
    /// ends up in the thread's `value` with status [`Status::Failed`].
    ///
    /// # Safety
    /// `t` is the running thread; the top is above the variables.
    unsafe fn close_pending(&mut self, t: *mut Thread, failed: bool) {
        let mut failed = failed;
        while let Some(slot) = self.tbc().pop() {
            // SAFETY: pending variables are in registers of active frames, or
            // were moved below the top.
            let v = unsafe { *slot };
            // SAFETY: by contract.
            let error = unsafe { (*t).value };
            let mm = self.metamethod(v, Event::Close);
            if self.call::<0>(mm, &[v, error]).is_err() {
                failed = true;
                // SAFETY: by contract.
                unsafe { (*t).value = self.error };
            }
        }
        // SAFETY: by contract. The status is what `finish` will see.
        unsafe { (*t).status = if failed { Status::Failed } else { Status::Dead } };
    }

    /// Closes the pending variables of the main program, latest first, as if it
    /// ended here. An error goes to those that follow, and nowhere else.
    pub(crate) fn close_main_variables(&mut self) {
        let mut main = self.thread.as_ptr();
        let mut error = Value::NIL;
        // SAFETY: a running thread keeps its resumers alive, and the main
        // program is the first of them. Pending variables are in registers of
        // active frames.
        unsafe {
            while !(*main).resumer.is_null() {
                main = (*main).resumer;
            }
            while let Some(slot) = (*main).tbc.pop() {
                let v = *slot;
                let top = self.top;
                let mm = self.metamethod(v, Event::Close);
                if let Err(e) = self.protected_call(mm, &[v, error]) {
                    error = e;
                }
                self.top = top;
            }
        }
    }

    // ---- collection --------------------------------------------------

    /// To be called when marking is done and before anything is freed or weak
    /// references are cleared: marks the unreachable coroutines that have to
    /// be ended by running them. The caller then marks on. O(coroutines).
    pub(crate) fn save_doomed_threads(&mut self) {
        for i in 0..self.threads.live.len() {
            let t = self.threads.live[i];
            // SAFETY: leaves the list when it dies.
            unsafe {
                let unwinds = (*t).context.native_depth > 1 || self.threads.frames_own_memory;
                if unwinds && (*t).native.is_some() && !self.heap.is_marked(t.cast()) {
                    self.heap.mark(t.cast());
                    self.threads.doomed.push(t);
                }
            }
        }
    }

    /// Ends the coroutines that [`VmState::save_doomed_threads`] found, and
    /// returns memory of unused stacks to the system. To be called at an open
    /// poll after the collection: runs no Lua code, but natives may put things
    /// back in order.
    pub(crate) fn end_doomed_threads(&mut self) {
        self.threads.pool.trim(TRIM);
        let saved = (self.error, self.error_handled);
        while let Some(t) = self.threads.doomed.pop() {
            // SAFETY: marked, so still alive.
            unsafe { self.kill(t) };
        }
        (self.error, self.error_handled) = saved;
    }

    /// Ends every coroutine, before the VM goes.
    pub(crate) fn end_all_threads(&mut self) {
        self.threads.doomed.clear();
        while let Some(&t) = self.threads.live.last() {
            // SAFETY: leaves the list when it dies.
            unsafe {
                if (*t).context.native_depth > 1 || self.threads.frames_own_memory {
                    self.kill(t);
                }
                self.release(t);
            }
        }
    }

    /// Ends a suspended coroutine without closing its variables.
    ///
    /// # Safety
    /// `t` is alive.
    unsafe fn kill(&mut self, t: *mut Thread) {
        // SAFETY: by contract.
        unsafe {
            (*t).tbc.clear();
            if (*t).native.is_some() {
                self.switch(t, Signal::Kill);
            }
            (*t).status = Status::Dead;
            (*t).value = Value::NIL;
            self.release(t);
        }
    }

    pub(crate) fn doomed_threads(&self) -> &[*mut Thread] {
        &self.threads.doomed
    }
}

impl Threads {
    pub(crate) fn set_most(&mut self, most: usize) {
        self.most = Some(most);
    }

    pub(crate) fn in_use(&self) -> usize {
        self.live.len()
    }

    /// A stack for one more coroutine.
    fn take_stack(&mut self) -> io::Result<(Stack, bool)> {
        if self.most.is_some_and(|most| self.live.len() >= most) {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        self.pool.take()
    }

    /// As [`VmState::release`].
    ///
    /// # Safety
    /// As there.
    unsafe fn release(&mut self, t: *mut Thread) {
        // SAFETY: by contract. A native coroutine that is still there is
        // suspended below frames that own nothing.
        unsafe {
            if (*t).hook.counted {
                (*t).hook.counted = false;
                self.hooked -= 1;
            }
            let Some(stack) = (*t).stack.take() else {
                return;
            };
            if let Some(mut native) = (*t).native.take() {
                native.force_reset();
            }
            self.pool.give(stack);
            let i = (*t).index as usize;
            self.live.swap_remove(i);
            if let Some(&moved) = self.live.get(i) {
                (*moved).index = i as u32;
            }
            (*t).context = Context::NONE;
            (*t).tbc = Vec::new();
            (*t).exiting = Vec::new();
        }
    }
}

/// The VM as several native stacks see it: what is reached through the pointer
/// may change at a switch, which the compiler would not expect of a reference
/// that the switch does not get.
#[inline]
fn shared(vm: &mut VmState) -> *mut VmState {
    std::hint::black_box(vm)
}

/// The record at the bottom of a stack.
fn bottom_record() -> FrameRecord {
    FrameRecord {
        func: 0,
        tag: Tag::NIL,
        kind: FrameKind::BASE,
        flags: 0,
        marks: 0,
        nvarargs: 0,
        prev: std::ptr::null_mut(),
        pc: 0,
        nargs: 0,
    }
}

/// What a coroutine runs on its native stack.
fn body(vm: *mut VmState, t: *mut Thread, yielder: &Yielder<Signal, ()>) {
    // SAFETY: the VM and the thread outlive the coroutine. The function and
    // its arguments are on the Lua stack.
    unsafe {
        (*t).yielder = yielder;
        let vm = &mut *vm;
        let at = vm.stack_base.add(FRAME_SLOTS);
        let call = vm.hooks.call;
        let nargs = (*t).count;
        let outcome = catch_unwind(AssertUnwindSafe(|| call(vm, at, nargs)));
        match outcome {
            Ok(Ok(n)) => {
                (*t).values = at;
                (*t).count = n;
                (*t).status = Status::Dead;
            }
            Ok(Err(Thrown(()))) if vm.dying => vm.dying = false,
            Ok(Err(Thrown(()))) => {
                fail(vm, t);
                if !(*t).tbc.is_empty() && yielder.suspend(()) == Signal::Close {
                    move_pending(vm, t);
                    vm.close_pending(t, true);
                }
            }
            Err(panic) => {
                vm.threads.panic = Some(panic);
                vm.dying = false;
                (*t).tbc.clear();
                (*t).status = Status::Dead;
            }
        }
    }
}

/// The running coroutine `t` ends with the error in flight. Its frames stay
/// for tracebacks as they were when the error was raised.
///
/// # Safety
/// `t` is the running thread.
unsafe fn fail(vm: &mut VmState, t: *mut Thread) {
    let (frame, top) = vm.thrown_at;
    let stack = vm.stack_base..vm.stack_base.wrapping_add(Stack::lua_slots());
    if stack.contains(&frame.cast()) {
        vm.frame = frame;
        vm.top = top;
    } else {
        vm.top = FrameRecord::registers(vm.frame);
    }
    // SAFETY: by contract.
    unsafe {
        (*t).value = vm.error;
        (*t).status = Status::Failed;
    }
}

/// Moves the pending variables of a failed coroutine to the bottom of its
/// stack, because the slots between them belong to dead frames.
///
/// # Safety
/// `t` is the running thread.
unsafe fn move_pending(vm: &mut VmState, t: *mut Thread) {
    vm.frame = vm.stack_base.cast();
    let mut at = FrameRecord::registers(vm.frame);
    // SAFETY: the slots ascend, so that each is at or above its new place.
    unsafe {
        for slot in &mut (*t).tbc {
            *at = **slot;
            *slot = at;
            at = at.add(1);
        }
    }
    vm.top = at;
}

fn alloc(heap: &mut crate::heap::Heap, value: Value, threads: *mut Threads) -> Gc<Thread> {
    let p = heap
        .alloc(Kind::THREAD, size_of::<Thread>())
        .cast::<Thread>();
    // SAFETY: a fresh cell of the right size; `write` drops nothing.
    unsafe {
        let header = (*p).header;
        p.write(Thread {
            header,
            status: Status::New,
            unyieldable: false,
            index: 0,
            context: Context::NONE,
            tbc: Vec::new(),
            exiting: Vec::new(),
            resumer: std::ptr::null_mut(),
            native: None,
            yielder: std::ptr::null(),
            stack: None,
            values: std::ptr::null_mut(),
            count: 0,
            value,
            threads,
            hook: Hook::NONE,
        });
        Gc::from_ptr(p)
    }
}

/// Marks what the thread refers to apart from its stack and returns the
/// innermost frame and the top of that, unless it is the running thread; and
/// the thread that resumed it.
///
/// # Safety
/// `t` is alive.
pub(crate) unsafe fn trace(
    t: *mut Thread,
    heap: &mut crate::heap::Heap,
) -> (Option<(*mut FrameRecord, *mut Value)>, *mut Thread) {
    // SAFETY: by contract; pending variables are in registers.
    unsafe {
        heap.mark_value((*t).value);
        heap.mark_value((*t).hook.function);
        let resumer = (*t).resumer;
        if !resumer.is_null() {
            heap.mark(resumer.cast());
        }
        for &slot in &(*t).tbc {
            heap.mark_value(*slot);
        }
        if (*t).status == Status::Running || (*t).context.frame.is_null() {
            return (None, resumer);
        }
        heap.mark_value((*t).context.handler.function);
        (Some(((*t).context.frame, (*t).context.top)), resumer)
    }
}

/// Releases what a dead thread owns; returns its bytes.
///
/// # Safety
/// Called once, when the thread is freed. It is not doomed.
pub(crate) unsafe fn finalize(t: *mut Thread) -> usize {
    // SAFETY: by contract; `threads` outlives the heap.
    unsafe {
        let owned = external_bytes(t);
        if !(*t).threads.is_null() {
            (*(*t).threads).release(t);
        }
        std::ptr::drop_in_place(t);
        owned
    }
}

/// Bytes that the thread owns outside its cell.
///
/// # Safety
/// `t` is alive, or dead and not released yet.
unsafe fn external_bytes(t: *mut Thread) -> usize {
    // SAFETY: by contract.
    if unsafe { (*t).stack.is_some() } {
        STACK_COST
    } else {
        0
    }
}
