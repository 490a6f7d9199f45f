//! Where a program's time, calls and operations go: the statistics that cost
//! time (`full_stats`).
//!
//! **Time** is stamped wherever control passes between compiled code, the
//! interpreter and the library: the VM's entry thunk, its call hook and the
//! helpers through which compiled code leaves are replaced by functions that
//! note the time around the real ones. Library functions and the collector
//! belong to the code that called them.
//!
//! **Calls and operations** of compiled code are counted by the code itself,
//! in two cells ([`vela_mir::build::Counters`]); those of the interpreter by
//! its loop ([`Executed`]). An operation of compiled code that went through
//! the interpreter (`interp_one`) or through the call of an arbitrary value is
//! not *specialised*.
//!
//! # Safety
//! The replacements have the signatures of what they replace, and pass on what
//! they were given. An [`Account`] lives in the VM's tier, which lives as long
//! as the VM; compiled code and natives run only while the VM does.

use crate::tier::Tier;
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::time::Instant;
use vela_bytecode::Op;
use vela_interpreter::Raw;
use vela_mir::build::Counters;
use vela_mir::helper::Helper;
use vela_objects::closure::LuaClosure;
use vela_objects::frame::FrameRecord;
use vela_objects::{Cell as LuaCell, Executed, Gc, LuaResult, Tag, Value, VmState};

/// Key of the counting cells among the VM's code roots; code ids and pending
/// compilations have keys below.
const ROOTS: u64 = 2 << 32;

/// Who is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// The interpreter, with the library functions that it calls.
    Interpreter,
    /// Compiled code.
    Compiled,
    /// A library function that compiled code called.
    Library,
    /// The tier, on the program's thread.
    Tier,
}

const RUNNERS: usize = 4;

/// The cycle counter where there is one: stamping must cost little.
#[inline]
fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction.
    unsafe {
        std::arch::x86_64::_rdtsc()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_nanos() as u64
    }
}

/// What is measured of a VM.
pub(crate) struct Account {
    runner: Cell<Runner>,
    since: Cell<u64>,
    spent: [Cell<u64>; RUNNERS],
    started: (Instant, u64),
    counters: Counters,
    cells: [Gc<LuaCell>; 2],
    /// Operations that compiled code gave to the interpreter, by opcode.
    handed: RefCell<Box<[u64; 256]>>,
    /// Calls of library functions and of other values by compiled code.
    generic_calls: [Cell<u64>; 2],
    helpers: [*const u8; vela_objects::vm::MAX_HELPERS],
    enter: Cell<*const u8>,
    call: unsafe fn(&mut VmState, *mut Value, u32) -> LuaResult<u32>,
}

/// The figures at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shares {
    /// Milliseconds in compiled code.
    pub compiled_ms: f64,
    /// Milliseconds in library functions that compiled code called.
    pub library_ms: f64,
    /// Milliseconds in the interpreter and what it called.
    pub interpreter_ms: f64,
    /// Milliseconds that the tier took of the program's thread.
    pub tier_ms: f64,
    /// Calls of Lua functions whose code ran.
    pub compiled_calls: u64,
    /// Calls of Lua functions that were interpreted.
    pub interpreted_calls: u64,
    /// Operations in compiled code.
    pub compiled_ops: u64,
    /// Operations that the interpreter ran by itself.
    pub interpreted_ops: u64,
    /// Of those in compiled code: not specialised, by name, most first.
    pub unspecialised: Vec<(&'static str, u64)>,
    /// Those that the interpreter ran by itself, by name, most first.
    pub interpreted: Vec<(&'static str, u64)>,
}

fn share(part: f64, rest: f64) -> f64 {
    if part + rest > 0.0 {
        part / (part + rest)
    } else {
        0.0
    }
}

impl Shares {
    /// Share of run time in compiled code, library functions that it called
    /// included; the tier's own time counts for neither. 0 to 1.
    #[must_use]
    pub fn time(&self) -> f64 {
        share(self.compiled_ms + self.library_ms, self.interpreter_ms)
    }

    /// Share of the calls of Lua functions that ran compiled code. 0 to 1.
    #[must_use]
    pub fn calls(&self) -> f64 {
        share(self.compiled_calls as f64, self.interpreted_calls as f64)
    }

    /// Share of all executed operations that were specialised. 0 to 1.
    #[must_use]
    pub fn specialised(&self) -> f64 {
        let generic: u64 = self.unspecialised.iter().map(|u| u.1).sum();
        let good = self.compiled_ops.saturating_sub(generic) as f64;
        share(
            good,
            (self.compiled_ops + self.interpreted_ops) as f64 - good,
        )
    }

    /// One JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = format!(
            "{{\"time_share\":{:.4},\"call_share\":{:.4},\"specialised_share\":{:.4},\
             \"ms\":{{\"compiled\":{:.3},\"library\":{:.3},\"interpreter\":{:.3},\"tier\":{:.3}}},\
             \"calls\":{{\"compiled\":{},\"interpreted\":{}}},\
             \"operations\":{{\"compiled\":{},\"interpreted\":{}}}",
            self.time(),
            self.calls(),
            self.specialised(),
            self.compiled_ms,
            self.library_ms,
            self.interpreter_ms,
            self.tier_ms,
            self.compiled_calls,
            self.interpreted_calls,
            self.compiled_ops,
            self.interpreted_ops,
        );
        for (name, list) in [
            ("unspecialised", &self.unspecialised),
            ("interpreted", &self.interpreted),
        ] {
            let items: Vec<String> = list.iter().map(|(n, c)| format!("\"{n}\":{c}")).collect();
            let _ = write!(out, ",\"{name}\":{{{}}}", items.join(","));
        }
        out.push('}');
        out
    }
}

impl Account {
    /// Begins to measure a VM whose helpers are in place.
    pub(crate) fn open(vm: &mut VmState) -> Account {
        let cells = [vm.cell(Value::int(0)), vm.cell(Value::int(0))];
        let [operations, calls] = cells.map(Gc::addr);
        crate::hooks::keep_alive(vm, ROOTS, vec![operations, calls]);
        vm.executed = Some(Box::default());
        let account = Account {
            runner: Cell::new(Runner::Interpreter),
            since: Cell::new(ticks()),
            spent: Default::default(),
            started: (Instant::now(), ticks()),
            counters: Counters { operations, calls },
            cells,
            handed: RefCell::new(Box::new([0; 256])),
            generic_calls: Default::default(),
            helpers: vm.helpers,
            enter: Cell::new(std::ptr::null()),
            call: vm.hooks.call,
        };
        for (helper, f) in [
            (Helper::Exit, exit as *const u8),
            (Helper::InterpOne, interp_one as *const u8),
            (Helper::Call, call as *const u8),
            (Helper::FinishCall, finish_call as *const u8),
            (Helper::StoreResults, store_results as *const u8),
        ] {
            vm.helpers[helper as usize] = f;
        }
        vm.hooks.call = call_hook;
        account
    }

    /// Puts itself between the interpreter and the entry thunk `vm.enter_thunk`.
    pub(crate) fn watch_entries(&self, vm: &mut VmState) {
        self.enter
            .set(std::mem::replace(&mut vm.enter_thunk, enter as *const u8));
    }

    /// The cells in which compiled code counts.
    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    /// From now on `to` is running; returns who was.
    pub(crate) fn switch(&self, to: Runner) -> Runner {
        let now = ticks();
        let was = self.runner.replace(to);
        let spent = &self.spent[was as usize];
        spent.set(spent.get() + now.saturating_sub(self.since.replace(now)));
        was
    }

    fn within<R>(&self, runner: Runner, f: impl FnOnce() -> R) -> R {
        let was = self.switch(runner);
        let result = f();
        self.switch(was);
        result
    }

    /// The figures so far.
    pub(crate) fn shares(&self, vm: &VmState) -> Shares {
        self.switch(self.runner.get());
        let (start, tick) = self.started;
        let elapsed = start.elapsed().as_secs_f64() * 1000.0;
        let ms = elapsed / (ticks().saturating_sub(tick).max(1)) as f64;
        let spent = |r: Runner| self.spent[r as usize].get() as f64 * ms;
        let [operations, calls] = self.cells.map(|c| c.get().as_int().unwrap_or(0) as u64);
        let mut unspecialised = by_name(&self.handed.borrow());
        for (name, n) in ["call of a library function", "call of any value"]
            .into_iter()
            .zip(&self.generic_calls)
        {
            if n.get() > 0 {
                unspecialised.push((name, n.get()));
            }
        }
        unspecialised.sort_by_key(|u| std::cmp::Reverse(u.1));
        let none = Executed::default();
        let executed = vm.executed.as_deref().unwrap_or(&none);
        Shares {
            compiled_ms: spent(Runner::Compiled),
            library_ms: spent(Runner::Library),
            interpreter_ms: spent(Runner::Interpreter),
            tier_ms: spent(Runner::Tier),
            compiled_calls: calls,
            interpreted_calls: executed.calls,
            compiled_ops: operations,
            interpreted_ops: executed.operations.iter().sum(),
            unspecialised,
            interpreted: by_name(&executed.operations),
        }
    }
}

/// Names and counts of the opcodes that occurred, most first.
fn by_name(counts: &[u64; 256]) -> Vec<(&'static str, u64)> {
    let mut list: Vec<(&'static str, u64)> = (0u8..=255)
        .zip(counts)
        .filter(|(_, n)| **n > 0)
        .filter_map(|(byte, n)| Some((Op::from_u8(byte)?.mnemonic(), *n)))
        .collect();
    list.sort_by_key(|u| std::cmp::Reverse(u.1));
    list
}

/// The account of a VM that has one.
///
/// # Safety
/// `vm` is the running VM; the result is used only while it runs.
unsafe fn of<'a>(vm: *mut VmState) -> &'a Account {
    // SAFETY: by contract. The reference into `vm` ends here: the account is
    // behind the tier's `Rc`.
    let tier = unsafe { (*vm).tier.as_ref() }.and_then(|t| t.downcast_ref::<std::rc::Rc<Tier>>());
    let account = tier.and_then(|t| t.account.get());
    account.expect("these functions are installed with the account")
}

/// Calls the helper that was replaced.
macro_rules! real {
    ($account:expr, $helper:expr, fn($($ty:ty),*) -> $ret:ty, $($arg:expr),*) => {{
        // SAFETY: the helper has this signature; the arguments are passed on.
        unsafe {
            let f = std::mem::transmute::<*const u8, unsafe extern "C" fn($($ty),*) -> $ret>(
                $account.helpers[$helper as usize],
            );
            f($($arg),*)
        }
    }};
}

/// See `VmState::enter_thunk`.
unsafe extern "C" fn enter(
    entry: *const u8,
    vm: *mut VmState,
    fp: *mut Value,
    closure: *mut LuaClosure,
    desc: u64,
    args: *const [u64; 3],
    out: *mut [u64; 2],
) {
    type Enter = unsafe extern "C" fn(
        *const u8,
        *mut VmState,
        *mut Value,
        *mut LuaClosure,
        u64,
        *const [u64; 3],
        *mut [u64; 2],
    );
    // SAFETY: the arguments are passed on to the thunk that was there.
    unsafe {
        let account = of(vm);
        let thunk = std::mem::transmute::<*const u8, Enter>(account.enter.get());
        account.within(Runner::Compiled, || {
            thunk(entry, vm, fp, closure, desc, args, out);
        });
    }
}

/// What a backend's interpreter entry calls: runs an interpreted function for
/// a compiled caller, as [`vela_interpreter::thunk::interp_thunk`].
///
/// # Safety
/// As that function.
pub unsafe extern "C" fn interp_thunk(
    vm: *mut u8,
    fp: *mut u8,
    closure: *mut u8,
    desc: u64,
    args: *const [u64; 3],
    out: *mut [u64; 2],
) {
    let run = || {
        // SAFETY: by contract.
        unsafe { vela_interpreter::thunk::interp_thunk(vm, fp, closure, desc, args, out) }
    };
    let vm = vm.cast::<VmState>();
    // SAFETY: the running VM.
    unsafe {
        if (*vm).executed.is_some() {
            of(vm).within(Runner::Interpreter, run);
        } else {
            run();
        }
    }
}

unsafe extern "C" fn exit(
    vm: *mut VmState,
    fp: *mut FrameRecord,
    closure: *mut LuaClosure,
    code_exit: u64,
) -> Raw {
    // SAFETY: the running VM.
    let account = unsafe { of(vm) };
    account.within(Runner::Interpreter, || {
        real!(
            account,
            Helper::Exit,
            fn(*mut VmState, *mut FrameRecord, *mut LuaClosure, u64) -> Raw,
            vm,
            fp,
            closure,
            code_exit
        )
    })
}

unsafe extern "C" fn interp_one(vm: *mut VmState, fp: *mut FrameRecord, pc: u64) -> u64 {
    // SAFETY: the running VM, and the record of the frame that runs in it.
    let (account, op) = unsafe {
        let closure = Gc::from_ptr((*fp).func as *mut LuaClosure);
        let instr = closure.proto.proto().code[pc as usize];
        (of(vm), instr.op_byte())
    };
    account.handed.borrow_mut()[op as usize] += 1;
    account.within(Runner::Interpreter, || {
        real!(
            account,
            Helper::InterpOne,
            fn(*mut VmState, *mut FrameRecord, u64) -> u64,
            vm,
            fp,
            pc
        )
    })
}

unsafe extern "C" fn call(vm: *mut VmState, at: *mut Value, nargs: u64, want: u64) -> u64 {
    // SAFETY: the running VM; the callee is in the window.
    let (account, native, runner) =
        unsafe { (of(vm), (*at).tag == Tag::NATIVE_FN, runner_of(of(vm), at)) };
    let count = &account.generic_calls[usize::from(!native)];
    count.set(count.get() + 1);
    account.within(runner, || {
        real!(
            account,
            Helper::Call,
            fn(*mut VmState, *mut Value, u64, u64) -> u64,
            vm,
            at,
            nargs,
            want
        )
    })
}

unsafe extern "C" fn finish_call(vm: *mut VmState, at: *mut Value, payload: u64, tag: u64) -> Raw {
    // SAFETY: the running VM; by contract of the helper.
    let (account, runner) = unsafe { (of(vm), runner_after(of(vm), at, tag)) };
    account.within(runner, || {
        real!(
            account,
            Helper::FinishCall,
            fn(*mut VmState, *mut Value, u64, u64) -> Raw,
            vm,
            at,
            payload,
            tag
        )
    })
}

unsafe extern "C" fn store_results(
    vm: *mut VmState,
    at: *mut Value,
    payload: u64,
    tag: u64,
    want: u64,
) -> u64 {
    // SAFETY: the running VM; by contract of the helper.
    let (account, runner) = unsafe { (of(vm), runner_after(of(vm), at, tag)) };
    account.within(runner, || {
        real!(
            account,
            Helper::StoreResults,
            fn(*mut VmState, *mut Value, u64, u64, u64) -> u64,
            vm,
            at,
            payload,
            tag,
            want
        )
    })
}

/// Who finishes a call with this result: a pending tail call is made.
///
/// # Safety
/// As the helpers: the function of a pending call is at `at`.
unsafe fn runner_after(account: &Account, at: *const Value, tag: u64) -> Runner {
    if tag as u8 == Tag::RET_TAIL.0 {
        // SAFETY: by contract.
        unsafe { runner_of(account, at) }
    } else {
        account.runner.get()
    }
}

/// Who runs the function at `at`. On the way to compiled code nobody takes
/// over: its entry says so.
///
/// # Safety
/// `at` is a value in the window, of the running VM.
unsafe fn runner_of(account: &Account, at: *const Value) -> Runner {
    // SAFETY: by contract.
    let f = unsafe { *at };
    match f.as_lua_fn() {
        Some(closure) if !closure.proto.compiled.is_null() => account.runner.get(),
        None if f.tag == Tag::NATIVE_FN => Runner::Library,
        _ => Runner::Interpreter,
    }
}

/// Calls from library functions; see `Hooks::call`.
unsafe fn call_hook(vm: &mut VmState, at: *mut Value, nargs: u32) -> LuaResult<u32> {
    // SAFETY: the running VM, and a function with its arguments at `at`.
    let (account, runner) = unsafe { (of(vm), runner_of(of(vm), at)) };
    // SAFETY: as the hook that was there.
    account.within(runner, || unsafe { (account.call)(vm, at, nargs) })
}
