//! The state of one VM: heap, shapes, stack, and what all tiers share.
//!
//! [`VmState`] is what compiled code calls "the VM pointer": its hot fields
//! come first and their offsets are published in [`crate::layout`]. The
//! interpreter and the tier plug themselves in through [`Hooks`], so that this
//! crate and the standard libraries need to know neither.

mod alloc;
mod errors;

pub use errors::Handler;

use crate::closure::{FuncProto, LuaClosure, NativeClosure, NativeFn, ProtoCold};
use crate::counter::HotCounter;
use crate::feedback::{FeedbackSlot, Way};
use crate::frame::{FrameKind, FrameRecord};
use crate::gc::Collector;
use crate::gcref::Gc;
use crate::heap::Heap;
use crate::interrupt::{Interrupt, Requests};
use crate::locals::LocalWrite;
use crate::meta::{EVENTS, Event};
use crate::object::{Cell, Header, Kind, Userdata};
use crate::shape::{FieldInfo, META, Shape, Shapes};
use crate::site::AllocSite;
use crate::stacks::Stack;
use crate::string::Str;
use crate::table::{ELEMS_NONE, Table, table_room};
use crate::thread::{Thread, Threads};
use crate::value::{Tag, Value};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use vela_bytecode::{Constant, FRAME_SLOTS, Instr, Proto};

/// Marks that a Lua error is in flight; the error value is in
/// [`VmState::error`].
#[derive(Debug)]
#[must_use]
pub struct Thrown(pub(crate) ());

/// Result of operations that can raise a Lua error.
pub type LuaResult<T> = Result<T, Thrown>;

/// What a native function returns.
#[derive(Clone, Copy, Debug)]
pub enum Ret {
    /// No values.
    None,
    /// One value.
    One(Value),
    /// The topmost `n` values of the stack (pushed with [`VmState::push`]).
    Many(u32),
}

/// Result of a native function.
pub type NativeResult = LuaResult<Ret>;

/// The arguments of a native function, on the VM stack.
#[derive(Clone, Copy)]
pub struct Args {
    pub(crate) base: *mut Value,
    pub(crate) count: u32,
}

impl Args {
    /// Arguments at `base`.
    ///
    /// # Safety
    /// `base[..count]` are initialised slots of the running VM's stack that
    /// stay in place while the arguments are used.
    #[must_use]
    pub unsafe fn new(base: *mut Value, count: u32) -> Args {
        Args { base, count }
    }

    /// Number of arguments.
    #[inline]
    #[must_use]
    pub fn len(self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// Argument `i` (0-based), nil if absent.
    #[inline]
    #[must_use]
    pub fn get(self, i: usize) -> Value {
        if i < self.count as usize {
            // SAFETY: in range of initialised stack slots (contract of `new`).
            unsafe { *self.base.add(i) }
        } else {
            Value::NIL
        }
    }

    /// Argument `i`, or `None` if fewer were given.
    #[inline]
    #[must_use]
    pub fn opt(self, i: usize) -> Option<Value> {
        (i < self.count as usize).then(|| self.get(i))
    }

    /// Overwrites argument `i`, which must exist: natives use their argument
    /// slots to root values across calls.
    ///
    /// # Panics
    /// If there is no such argument.
    pub fn set(self, i: usize, v: Value) {
        assert!(i < self.count as usize);
        // SAFETY: in range.
        unsafe { *self.base.add(i) = v }
    }

    /// The arguments in place.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[Value] {
        // SAFETY: initialised stack slots (contract of `new`), which only this
        // native writes, through `set` on a copy, never during a call.
        unsafe { std::slice::from_raw_parts(self.base, self.count as usize) }
    }

    /// All arguments, copied.
    #[must_use]
    pub fn to_vec(self) -> Vec<Value> {
        (0..self.len()).map(|i| self.get(i)).collect()
    }
}

/// Compiles a chunk: content, name, and the mode (`b`, `t`, `bt`). The error
/// is the message.
pub type LoadHook = fn(&mut VmState, &[u8], &str, &str) -> Result<Gc<FuncProto>, String>;

/// Entry points of the tiers above this crate.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Calls the value at `at` with the `nargs` arguments at
    /// `at + FRAME_SLOTS`; leaves the results at `at` and returns their number.
    ///
    /// # Safety
    /// `at` is in the VM's stack above every frame in use, with room checked.
    pub call: unsafe fn(&mut VmState, at: *mut Value, nargs: u32) -> LuaResult<u32>,
    /// Compiles source text or loads a binary chunk: `load`.
    pub load: LoadHook,
    /// A watched lattice cell was widened: code that relies on it must go.
    pub field_widened: fn(&mut VmState, field: &FieldInfo),
    /// Visits the window slots of a compiled frame that hold live values.
    ///
    /// # Safety
    /// `frame` is an active record of kind `COMPILED`.
    pub trace_compiled:
        unsafe fn(&VmState, frame: *mut FrameRecord, visit: &mut dyn FnMut(*mut Value)),
    /// Source line and bytecode pc of the site where a compiled frame is.
    pub compiled_pc: unsafe fn(&VmState, frame: *mut FrameRecord) -> u32,
    /// The prototype's interpreted calls reached the threshold.
    pub hot_call: fn(&mut VmState, proto: Gc<FuncProto>),
    /// The prototype's loop back edges reached a multiple of the threshold, at
    /// the loop header `header_pc` of the interpreted frame. Returns an OSR
    /// entry to take now, or null.
    ///
    /// # Safety
    /// `frame` is the running interpreted frame.
    pub hot_loop: unsafe fn(&mut VmState, frame: *mut FrameRecord, header_pc: u32) -> *const u8,
    /// Code entered at the loop header `header_pc` of the prototype has ended
    /// (`accepted`), or did not accept the frame and nothing happened.
    pub osr_ended: fn(&mut VmState, proto: Gc<FuncProto>, header_pc: u32, accepted: bool),
    /// Running code polls where a call begins. What is called must leave the
    /// code that runs alone: some has no record yet.
    pub polled: fn(&mut VmState),
    /// A debug hook was set or removed: see [`VmState::is_hooked`].
    pub hooked: fn(&mut VmState),
    /// The VM became debuggable: code that was compiled before must go.
    pub debuggable: fn(&mut VmState),
    /// Whether the register of a compiled frame is current in its window at
    /// the call where the frame is.
    ///
    /// # Safety
    /// `frame` is an active record of kind `COMPILED`.
    pub in_window: unsafe fn(&VmState, frame: *mut FrameRecord, register: u8) -> bool,
    /// Has a compiled frame leave for the interpreter when the call in
    /// progress returns.
    ///
    /// # Safety
    /// `frame` is an active record of kind `COMPILED`.
    pub leave: unsafe fn(&mut VmState, frame: *mut FrameRecord),
}

impl Hooks {
    /// Hooks of a VM without an optimizing tier.
    #[must_use]
    pub fn interpreter_only(
        call: unsafe fn(&mut VmState, *mut Value, u32) -> LuaResult<u32>,
        load: LoadHook,
    ) -> Hooks {
        Hooks {
            call,
            load,
            field_widened: |_, _| {},
            trace_compiled: |_, _, _| {},
            compiled_pc: |_, _| 0,
            hot_call: |_, _| {},
            hot_loop: |_, _, _| std::ptr::null(),
            osr_ended: |_, _, _, _| {},
            polled: |_| {},
            hooked: |_| {},
            debuggable: |_| {},
            in_window: |_, _, _| false,
            leave: |_, _| {},
        }
    }
}

/// Entries of [`VmState::index_cache`].
pub const INDEX_CACHE: usize = 512;

/// A remembered lookup of a string key that no site has a way for: computed
/// keys, and fields at megamorphic sites.
#[derive(Clone, Copy)]
pub struct IndexCacheEntry {
    /// Address of the key; 0 when unused.
    pub key: u64,
    /// How the key is found in tables of the way's shape.
    pub way: Way,
}

impl IndexCacheEntry {
    /// An unused entry.
    pub const EMPTY: IndexCacheEntry = IndexCacheEntry {
        key: 0,
        way: Way::EMPTY,
    };
}

/// Counts of what the interpreter executes.
#[derive(Clone, Debug)]
pub struct Executed {
    /// Instructions by opcode.
    pub operations: [u64; 256],
    /// Calls of Lua functions.
    pub calls: u64,
}

impl Default for Executed {
    fn default() -> Self {
        Executed {
            operations: [0; 256],
            calls: 0,
        }
    }
}

/// Slots of the VM stack.
pub const STACK_SLOTS: usize = 2 << 20;
/// Slots kept free above the limit for error handling.
pub const STACK_RESERVE: usize = 4096;
/// Bytes kept free at the end of the native stack; the message handler of a
/// stack overflow may use half of them.
pub const NATIVE_RESERVE: usize = 2 << 20;
/// Nested native calls (natives calling Lua calling natives ...), as PUC
/// Lua's `LUAI_MAXCCALLS`.
pub const MAX_NATIVE_DEPTH: u32 = 200;
/// Helpers that compiled code may call.
pub const MAX_HELPERS: usize = 64;
/// Words through which a side exit hands values to the deoptimizer.
pub const EXIT_WORDS: usize = 1024;

/// Size of [`VmState::next_hints`].
pub const NEXT_HINTS: usize = 16;

/// The state of a VM.
#[repr(C)]
pub struct VmState {
    /// Record of the running frame, current whenever code outside the frame's
    /// own plain instructions may look.
    pub frame: *mut FrameRecord,
    /// A frame whose registers would pass this must call the poll. Lowered to
    /// null to request one, which other threads do too; see
    /// [`crate::interrupt`].
    pub stack_limit: AtomicPtr<Value>,
    /// Base of multiple results ([`Tag::RET_MULTI`]).
    pub ret_base: *mut Value,
    /// Number of multiple results.
    pub ret_count: u64,
    /// The error in flight.
    pub error: Value,
    /// Bumped when the metatable or `__index` structure changes in a way that
    /// caches through it must notice.
    pub meta_epoch: u32,
    /// That the metatable epoch stays what it is: a cell that is widened when
    /// it changes, and then replaced by another.
    pub meta_stays: *mut FieldInfo,
    /// How often somebody relied on `meta_stays` and it broke.
    pub meta_breaks: u32,
    /// That captured variables which the source assigns once keep their
    /// values: widened when `debug.setupvalue` or the like is used.
    pub upvals_stay: *mut FieldInfo,
    /// Native calls in progress on the running thread.
    pub native_depth: u32,
    /// Events of the running thread that its debug hook is called for now;
    /// see [`crate::hook`].
    pub hook_mask: u8,
    /// First stack slot that natives may push to.
    pub top: *mut Value,
    /// The heap.
    pub heap: Heap,
    /// Addresses of the helpers that compiled code calls, by id.
    pub helpers: [*const u8; MAX_HELPERS],
    /// Values that a side exit stores.
    pub exit_words: [u64; EXIT_WORDS],
    /// Where loops over pairs in compiled code were; only hints.
    pub next_hints: [u32; NEXT_HINTS],
    // ---- from here on not read by compiled code ----
    /// State of the collector.
    pub(crate) gc: Collector,
    /// Shapes.
    pub shapes: Shapes,
    /// Shows a warning; set by the library that knows how.
    pub warn: fn(&mut VmState, &[u8]),
    pub(crate) alloc_sites: Vec<AllocSite>,
    /// Tiers.
    pub hooks: Hooks,
    /// Metatables of non-table types, by tag (numbers under INT, functions
    /// under LUA_FN).
    pub type_metatables: [Option<Gc<Table>>; 16],
    /// Metamethod names, by event.
    pub event_keys: [Gc<Str>; EVENTS],
    /// Key of the slot that holds an object's own metatable: a string that is
    /// not among the interned ones, so that no program can name it.
    pub metatable_key: Gc<Str>,
    /// `_G`
    pub globals: Gc<Table>,
    /// The registry: modules and host values.
    pub registry: Gc<Table>,
    /// Lowest slot of the stack.
    pub stack_base: *mut Value,
    /// The limit that `stack_limit` has while no poll is requested.
    pub real_stack_limit: *mut Value,
    /// Entry of prototypes without compiled code (the thunk into the
    /// interpreter); null until the tier installs its first code and calls
    /// [`VmState::set_interp_entry`].
    pub interp_entry: *mut u8,
    /// C-ABI thunk through which Rust enters compiled code, set by the tier;
    /// null while there is none.
    pub enter_thunk: *const u8,
    /// The message handler of the innermost `xpcall`.
    pub handler: Handler,
    /// Whether `error` has been through the message handler.
    pub error_handled: bool,
    /// Message handlers running inside each other.
    pub(crate) handler_depth: u32,
    /// The handler of a stack overflow is running in the reserve.
    pub(crate) overflowing: bool,
    /// Limit of `native_depth`: what the threads that wait for the running one
    /// leave of [`MAX_NATIVE_DEPTH`].
    pub native_max: u32,
    /// Interrupts that wait to be raised.
    pub(crate) requests: Requests,
    /// The handle that others have clones of.
    pub(crate) interrupt: Interrupt,
    /// The next so many polls are the entry of a message handler, which a
    /// pending interrupt does not prevent.
    pub(crate) interrupt_grace: u8,
    /// Values that the stack of a new coroutine may have.
    pub(crate) coroutine_slots: usize,
    /// The running coroutine is being ended; see [`crate::thread`].
    pub(crate) dying: bool,
    /// Frame and top where the latest error was raised.
    pub(crate) thrown_at: (*mut FrameRecord, *mut Value),
    /// The running thread.
    pub thread: Gc<Thread>,
    pub(crate) threads: Box<Threads>,
    /// See [`VmState::make_debuggable`].
    pub(crate) debuggable: bool,
    /// Writes to local variables that wait for compiled frames to leave.
    pub(crate) local_writes: Vec<LocalWrite>,
    /// Traceback text captured where an uncaught error was raised.
    pub error_traceback: Option<String>,
    /// Collect at every opportunity; see [`VmState::set_gc_stress`].
    pub(crate) gc_stress: bool,
    /// Interpreted calls after which a function is hot; `u32::MAX` never.
    pub(crate) hot_calls: u32,
    /// Calls during which argument tags are recorded.
    pub note_calls: u32,
    /// Loop back edges between two reports of a hot loop; `u32::MAX` never.
    pub(crate) hot_loops: u32,
    /// Lookups of string keys by hash of shape and key, emptied by every
    /// collection.
    pub index_cache: Box<[IndexCacheEntry; INDEX_CACHE]>,
    /// Lowest address that native frames may use, 0 while not on a stack of
    /// known size.
    pub native_limit: usize,
    /// What the interpreter executes, counted while this is present; costs
    /// time.
    pub executed: Option<Box<Executed>>,
    /// State of the interpreter and tier, opaque here.
    pub tier: Option<Box<dyn Any>>,
    /// State of the host and libraries, by type.
    pub host: Vec<Box<dyn Any>>,
    pub(crate) code_roots: std::collections::BTreeMap<u64, Box<[u64]>>,
    pins: Vec<Value>,
    next_proto: u32,
    stack_map: memmap2::MmapMut,
}

impl VmState {
    /// A VM with an empty global table.
    ///
    /// # Errors
    /// If the address space for the stack cannot be reserved.
    pub fn new(seed: u64, hooks: Hooks) -> std::io::Result<Box<VmState>> {
        let mut heap = Heap::new(seed);
        let mut shapes = Shapes::new();
        let metatable_key = heap.unnamed(b"(metatable)");
        let event_keys = std::array::from_fn(|i| heap.intern(Event::ALL[i].key().as_bytes()));
        let globals = new_table(&mut heap, &mut shapes, 0, 0);
        let registry = new_table(&mut heap, &mut shapes, 0, 0);
        let thread = VmState::new_main_thread(&mut heap);
        // Anonymous private memory: reserved at once, committed when touched.
        let mut options = memmap2::MmapOptions::new();
        let mut stack_map = options.len(STACK_SLOTS * 16).no_reserve_swap().map_anon()?;
        let base: *mut Value = stack_map.as_mut_ptr().cast();
        let limit = base.wrapping_add(STACK_SLOTS - STACK_RESERVE);
        let mut vm = Box::new(VmState {
            frame: base.cast(),
            stack_limit: AtomicPtr::new(limit),
            ret_base: base,
            ret_count: 0,
            error: Value::NIL,
            meta_epoch: 1,
            meta_stays: std::ptr::null_mut(),
            meta_breaks: 0,
            upvals_stay: std::ptr::null_mut(),
            native_depth: 0,
            hook_mask: 0,
            top: base.wrapping_add(FRAME_SLOTS),
            heap,
            helpers: [std::ptr::null(); MAX_HELPERS],
            exit_words: [0; EXIT_WORDS],
            next_hints: [0; NEXT_HINTS],
            gc: Collector::new(),
            shapes,
            warn: |_, _| {},
            alloc_sites: Vec::new(),
            hooks,
            type_metatables: [None; 16],
            event_keys,
            metatable_key,
            globals,
            registry,
            stack_base: base,
            real_stack_limit: limit,
            interp_entry: std::ptr::null_mut(),
            enter_thunk: std::ptr::null(),
            handler: Handler::NONE,
            error_handled: false,
            handler_depth: 0,
            overflowing: false,
            native_max: MAX_NATIVE_DEPTH,
            requests: Requests::default(),
            interrupt: Interrupt::new(),
            interrupt_grace: 0,
            coroutine_slots: Stack::lua_slots() - STACK_RESERVE,
            dying: false,
            thrown_at: (std::ptr::null_mut(), std::ptr::null_mut()),
            thread,
            threads: Box::default(),
            debuggable: false,
            local_writes: Vec::new(),
            error_traceback: None,
            gc_stress: false,
            hot_calls: u32::MAX,
            note_calls: 0,
            hot_loops: u32::MAX,
            index_cache: Box::new([IndexCacheEntry::EMPTY; INDEX_CACHE]),
            native_limit: 0,
            executed: None,
            tier: None,
            host: Vec::new(),
            code_roots: std::collections::BTreeMap::new(),
            pins: Vec::new(),
            next_proto: 1,
            stack_map,
        });
        // SAFETY: the first slots of the fresh mapping.
        unsafe {
            *vm.frame = FrameRecord {
                func: 0,
                tag: Tag::NIL,
                kind: FrameKind::BASE,
                flags: 0,
                marks: 0,
                nvarargs: 0,
                prev: std::ptr::null_mut(),
                pc: 0,
                nargs: 0,
            };
        }
        // SAFETY: both live in the box, whose content never moves.
        unsafe {
            let limit = &raw const vm.stack_limit;
            vm.heap.set_poll(limit);
            vm.interrupt.attach(&raw const vm.requests, limit);
        }
        vm.meta_stays = vm.shapes.alloc_fact();
        vm.upvals_stay = vm.shapes.alloc_fact();
        vm.globals.make_singleton(&mut vm);
        Ok(vm)
    }

    // ---- tier-up thresholds ------------------------------------------

    /// Sets when functions and loops count as hot; `u32::MAX` means never.
    pub fn set_hot_thresholds(&mut self, calls: u32, loops: u32) {
        self.hot_calls = calls;
        self.note_calls = if calls == u32::MAX { 0 } else { calls };
        self.hot_loops = loops.max(1);
    }

    /// Interpreted calls after which a function is hot; `u32::MAX` never.
    #[must_use]
    pub fn hot_calls(&self) -> u32 {
        self.hot_calls
    }

    /// Loop back edges between two reports; `u32::MAX` never.
    #[must_use]
    pub fn hot_loops(&self) -> u32 {
        self.hot_loops
    }

    // ---- lattice, epochs ---------------------------------------------

    /// Widens a lattice cell for a store of `v`, telling its watchers.
    #[cold]
    #[inline(never)]
    pub(crate) fn widen_field(&mut self, field: *mut FieldInfo, v: Value) {
        // SAFETY: lattice cells live as long as the VM.
        let changed = unsafe { (*field).widen(v) };
        // SAFETY: as above; the hook gets a shared reference.
        if changed && unsafe { (*field).watched } {
            // SAFETY: as above.
            let field = unsafe { &*field };
            (self.hooks.field_widened)(self, field);
        }
    }

    /// Invalidates caches through metatables and `__index` chains.
    pub fn bump_meta_epoch(&mut self) {
        self.meta_epoch = self.meta_epoch.wrapping_add(1);
        // SAFETY: cells of facts live as long as the VM.
        if unsafe { (*self.meta_stays).watched } {
            self.meta_breaks += 1;
            let broken = std::mem::replace(&mut self.meta_stays, self.shapes.alloc_fact());
            self.widen_field(broken, Value::NIL);
        }
    }

    /// The cell to watch for the metatable epoch to stay.
    #[must_use]
    pub fn meta_stays(&self) -> &FieldInfo {
        // SAFETY: cells of facts live as long as the VM.
        unsafe { &*self.meta_stays }
    }

    /// The cell to watch for captured variables to stay.
    #[must_use]
    pub fn upvals_stay(&self) -> &FieldInfo {
        // SAFETY: cells of facts live as long as the VM.
        unsafe { &*self.upvals_stay }
    }

    /// Notes that a captured variable may have changed in a way that the
    /// source does not show.
    pub fn upvalues_changed(&mut self) {
        self.widen_field(self.upvals_stay, Value::NIL);
    }

    /// A table leaves this shape of its own.
    pub(crate) fn shape_left(&mut self, shape: *mut crate::shape::Shape) {
        // SAFETY: shapes live as long as the VM.
        let stays = unsafe { (*shape).stays };
        if !stays.is_null() {
            self.widen_field(stays, Value::NIL);
        }
        self.shape_grew(shape);
    }

    /// The shape of a table of its own got a key that it lacked.
    pub(crate) fn shape_grew(&mut self, shape: *mut crate::shape::Shape) {
        // SAFETY: shapes live as long as the VM.
        let lacks = unsafe { std::mem::replace(&mut (*shape).lacks, std::ptr::null_mut()) };
        if !lacks.is_null() {
            self.widen_field(lacks, Value::NIL);
        }
    }

    /// A key of a metatable or `__index` target came, went, or is special.
    pub(crate) fn meta_key_changed(&mut self, t: Gc<Table>) {
        debug_assert!(t.shape().flags & META != 0);
        if let Some(class) = t.sole_index(self) {
            let sentinel = self.globals.as_ptr();
            self.shapes.forget_class(class.as_ptr(), sentinel);
        }
        // SAFETY: single writer.
        unsafe { (*t.as_ptr()).header.extra = 0 };
        self.bump_meta_epoch();
    }

    /// Whether `n` more values can be pushed.
    #[must_use]
    pub fn has_room(&self, n: usize) -> bool {
        let free = (self.real_stack_limit as usize).saturating_sub(self.top as usize) / 16;
        n <= free
    }

    /// Whether the frames in view are those of the main program.
    pub(crate) fn is_main_stack(&self) -> bool {
        let map = self.stack_map.as_ptr_range();
        map.contains(&self.frame.cast_const().cast())
    }

    fn set_real_stack_limit(&mut self, limit: *mut Value) {
        self.real_stack_limit = limit;
        if !self.poll_requested() {
            self.restore_limit();
        }
    }

    // ---- native stack discipline -------------------------------------

    /// Pushes a value; natives return pushed values with [`Ret::Many`].
    ///
    /// # Errors
    /// `stack overflow` when the stack is full.
    #[inline]
    pub fn push(&mut self, v: Value) -> LuaResult<()> {
        if self.top >= self.real_stack_limit {
            return Err(self.stack_overflow());
        }
        // SAFETY: below the limit, so inside the mapping and above all frames.
        unsafe {
            *self.top = v;
            self.top = self.top.add(1);
        }
        Ok(())
    }

    /// Removes the topmost `n` pushed values.
    ///
    /// # Panics
    /// If fewer values were pushed by the running native.
    pub fn pop(&mut self, n: usize) {
        let new = self.top.wrapping_sub(n);
        assert!(new as usize >= FrameRecord::registers(self.frame) as usize);
        self.top = new;
    }

    /// The pushed value `depth` below the topmost one (0 is the topmost).
    ///
    /// # Panics
    /// If fewer values were pushed by the running native.
    #[must_use]
    pub fn peek(&self, depth: usize) -> Value {
        let at = self.top.wrapping_sub(depth + 1);
        assert!(at as usize >= FrameRecord::registers(self.frame) as usize && at < self.top);
        // SAFETY: everything between the frame's registers and the top is
        // initialised.
        unsafe { *at }
    }

    /// Height of the stack, to be restored with [`VmState::truncate`].
    #[must_use]
    pub fn height(&self) -> usize {
        (self.top as usize - self.stack_base as usize) / 16
    }

    /// Drops pushed values above a height taken in the same native call.
    ///
    /// # Panics
    /// If the height is above the present one or below the running frame.
    pub fn truncate(&mut self, height: usize) {
        let new = self.stack_base.wrapping_add(height);
        assert!(new <= self.top && new as usize >= FrameRecord::registers(self.frame) as usize);
        self.top = new;
    }

    /// Calls `f` and returns its first `N` results (nil where missing).
    ///
    /// # Errors
    /// Whatever the call raises.
    pub fn call<const N: usize>(&mut self, f: Value, args: &[Value]) -> LuaResult<[Value; N]> {
        let at = self.top;
        let n = self.call_at(f, args)?;
        let mut out = [Value::NIL; N];
        for (i, slot) in out.iter_mut().enumerate().take(n) {
            // SAFETY: `n` results are at `at`.
            *slot = unsafe { *at.add(i) };
        }
        self.top = at;
        Ok(out)
    }

    /// Calls `f` and leaves all results pushed; returns their number.
    ///
    /// # Errors
    /// Whatever the call raises.
    pub fn call_multi(&mut self, f: Value, args: &[Value]) -> LuaResult<u32> {
        let at = self.top;
        let n = self.call_at(f, args)?;
        self.top = at.wrapping_add(n);
        Ok(n as u32)
    }

    /// As [`VmState::call_multi`] but an error is caught: `Ok(Err(value))`.
    /// The stack is as before in that case.
    pub fn protected_call(&mut self, f: Value, args: &[Value]) -> Result<u32, Value> {
        let (at, frame, depth) = (self.top, self.frame, self.native_depth);
        match self.call_multi(f, args) {
            Ok(n) => Ok(n),
            Err(Thrown(())) => {
                self.top = at;
                self.frame = frame;
                self.native_depth = depth;
                Err(self.error)
            }
        }
    }

    fn call_at(&mut self, f: Value, args: &[Value]) -> LuaResult<usize> {
        let at = self.top;
        let end = at.wrapping_add(FRAME_SLOTS + args.len());
        if end >= self.real_stack_limit {
            return Err(self.stack_overflow());
        }
        // SAFETY: below the limit, above all frames and pushed values.
        unsafe {
            *at = f;
            for (i, &v) in args.iter().enumerate() {
                *at.add(FRAME_SLOTS + i) = v;
            }
        }
        self.top = end;
        // SAFETY: the callee and its arguments were just laid out at `at`.
        let n = unsafe { (self.hooks.call)(self, at, args.len() as u32) };
        self.top = at;
        Ok(n? as usize)
    }

    /// Keeps `v` alive until [`VmState::unpin`]; pins nest like a stack.
    pub fn pin(&mut self, v: Value) {
        self.pins.push(v);
    }

    /// Ends the latest pin.
    pub fn unpin(&mut self) {
        self.pins.pop();
    }

    /// Keeps heap objects that compiled code, or a compilation in progress,
    /// refers to alive under a key, until [`VmState::drop_code_roots`].
    /// Replaces what the key kept before. Zeros are ignored.
    ///
    /// # Safety
    /// Every nonzero address is that of a live object of this VM's heap.
    pub unsafe fn keep_code_roots(&mut self, key: u64, objects: Vec<u64>) {
        for &object in objects.iter().filter(|&&o| o != 0) {
            // SAFETY: the addresses are those of live objects.
            let kind = unsafe { (*(object as *const Header)).kind };
            debug_assert!(kind != Kind::FREE, "code refers to a dead object");
        }
        if self.heap.marking {
            for &object in objects.iter().filter(|&&o| o != 0) {
                self.heap.mark(object as *mut Header);
            }
        }
        self.code_roots.insert(key, objects.into_boxed_slice());
    }

    /// Ends what [`VmState::keep_code_roots`] began.
    pub fn drop_code_roots(&mut self, key: u64) {
        self.code_roots.remove(&key);
    }

    /// Sets the entry of prototypes without compiled code, also of those that
    /// were loaded before. O(prototypes).
    pub fn set_interp_entry(&mut self, entry: *mut u8) {
        self.interp_entry = entry;
        let bytes = std::mem::size_of::<FuncProto>();
        self.heap.each(Kind::PROTO, bytes, |h| {
            // SAFETY: an allocated object of this kind, on the VM's thread.
            let p = unsafe { &*h.cast::<FuncProto>() };
            if p.compiled.is_null() {
                p.entry.store(entry, std::sync::atomic::Ordering::Release);
            }
        });
    }

    pub(crate) fn pins(&self) -> &[Value] {
        &self.pins
    }

    /// Host state of type `T`, if it was put there.
    #[must_use]
    pub fn host_state<T: 'static>(&self) -> Option<&T> {
        self.host.iter().find_map(|h| h.downcast_ref())
    }

    /// Host state of type `T`, if it was put there, to be changed.
    #[inline]
    #[must_use]
    pub fn host_state_mut<T: 'static>(&mut self) -> Option<&mut T> {
        self.host.iter_mut().find_map(|h| h.downcast_mut())
    }

    /// Host state of type `T`, made with `default` on first use.
    pub fn host_state_or<T: 'static>(&mut self, default: impl FnOnce() -> T) -> &mut T {
        let i = match self.host.iter().position(|h| h.is::<T>()) {
            Some(i) => i,
            None => {
                self.host.push(Box::new(default()));
                self.host.len() - 1
            }
        };
        self.host[i].downcast_mut().expect("found by type")
    }
}

impl Drop for VmState {
    fn drop(&mut self) {
        self.interrupt.detach();
        self.end_all_threads();
        self.tier = None;
        self.heap.free_all();
        let _ = &self.stack_map;
    }
}

/// An empty table, with room for the elements if they fit its cell.
#[inline]
fn new_table(heap: &mut Heap, shapes: &mut Shapes, fields: usize, elems: usize) -> Gc<Table> {
    let shape = shapes.root(fields);
    // SAFETY: shapes live as long as the VM.
    let ic = unsafe { (*shape).inline_cap } as usize;
    let (bytes, inline) = table_room(ic, elems);
    let p = heap.alloc(Kind::TABLE, bytes).cast::<Table>();
    // SAFETY: fresh cell with room for the inline slots; slots beyond
    // `nslots` are never read.
    unsafe {
        (*p).header.aux = ELEMS_NONE;
        (*p).shape = shape;
        (*p).slots = std::ptr::dangling_mut();
        match inline {
            Some(room) => {
                (*p).elems = p.cast::<u8>().add(room.offset).cast();
                (*p).cap = room.cap as u32;
            }
            None => {
                (*p).elems = std::ptr::dangling_mut();
                (*p).cap = 0;
            }
        }
        (*p).len = 0;
        (*p).ext = std::ptr::null_mut();
        Gc::from_ptr(p)
    }
}
