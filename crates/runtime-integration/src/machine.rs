//! A backend that generates no code: it keeps the MIR and interprets it.
//!
//! `--mode=mir` runs the whole tier with it (tier-up, loop entries, exits,
//! invalidation, eviction) without LLVM, and it is a second oracle for every
//! differential test. Compiled functions are entered only through the VM's
//! enter thunk and, from other compiled functions, through
//! [`Machine::call_entry`]; so an "entry" need not be machine code and is the
//! address of the kept function.
//!
//! # Safety
//! [`MirMachine`] reads and writes real memory at the addresses that MIR
//! computes. They are good because the MIR is: the builder and the passes keep
//! the rules that [`vela_mir::verify`] checks and the guards that make loads
//! valid, exactly as machine code from the same MIR would rely on. An entry
//! address stays good while its code is in the cache, and running code is not
//! freed.

use crate::account::interp_thunk;
use vela_interpreter::Raw;
use vela_mir::backend::{
    Backend, BackendTimes, CompileError, CompileOptions, Compiled, Heat, LinkedCode, Stopwatch,
};
use vela_mir::helper::{Helper, Word};
use vela_mir::interp::{Code, EntryArgs, Machine};
use vela_mir::ir::{Func, InstData};
use vela_objects::closure::LuaClosure;
use vela_objects::{Tag, Value, VmState};

/// The backend; see the module's documentation.
#[derive(Clone, Copy, Debug, Default)]
pub struct MirBackend;

/// A kept function. Its address is its entry.
struct Kept {
    code: Box<Code>,
    /// Never counted in, but a sign that the code is there.
    _heat: Option<Heat>,
}

impl LinkedCode for Kept {
    fn entry(&self) -> *const u8 {
        std::ptr::from_ref(&*self.code).cast()
    }

    fn size(&self) -> usize {
        let func = self.code.func();
        func.insts.len() * size_of::<InstData>() + func.vals.len() * 16
    }
}

/// The entry of interpreted functions: only its address counts.
static INTERPRETED: u8 = 0;

impl Backend for MirBackend {
    fn compile(&self, func: &Func, options: &CompileOptions) -> Result<Compiled, CompileError> {
        let start = Stopwatch::start();
        let code = Code::new(func.clone(), options.code_id, options.exit_stress)?;
        Ok(Compiled {
            exits: code.plan().exits.clone(),
            sites: code.plan().sites.clone(),
            code: Box::new(Kept {
                code: Box::new(code),
                _heat: options.heat.clone(),
            }),
            times: BackendTimes {
                codegen: start.elapsed(),
                ..BackendTimes::default()
            },
            dumps: None,
        })
    }

    fn enter_thunk(&self) -> *const u8 {
        enter as *const u8
    }

    fn interp_entry(&self) -> *const u8 {
        &raw const INTERPRETED
    }

    fn frames_own_memory(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "mir"
    }
}

/// The enter thunk: see `VmState::enter_thunk`.
///
/// # Safety
/// `entry` is an entry of this backend; the rest is as in `docs/abi.md`.
unsafe extern "C" fn enter(
    entry: *const u8,
    vm: *mut VmState,
    fp: *mut Value,
    closure: *mut LuaClosure,
    desc: u64,
    args: *const [u64; 3],
    out: *mut [u64; 2],
) {
    let mut machine = MirMachine { vm };
    // SAFETY: by contract.
    unsafe {
        *out = machine.call_entry(entry as u64, fp as u64, closure as u64, desc, *args);
    }
}

/// Real memory and real helpers.
struct MirMachine {
    vm: *mut VmState,
}

impl MirMachine {
    /// Whether the native stack is nearly used up.
    fn stack_is_low(&self) -> bool {
        let here = 0u8;
        // SAFETY: the running VM.
        let limit = unsafe { (*self.vm).native_limit };
        limit != 0 && (&raw const here as usize) < limit
    }
}

/// Calls a function pointer with the C convention.
macro_rules! call {
    ($address:expr, $ret:ty $(, $arg:expr => $ty:ty)*) => {{
        // SAFETY: the VM's helper table holds functions of the signatures in
        // `Helper`, which the caller follows.
        unsafe {
            let f: unsafe extern "C" fn($($ty),*) -> $ret = std::mem::transmute($address);
            f($($arg),*)
        }
    }};
}

impl Machine for MirMachine {
    fn vm(&self) -> u64 {
        self.vm as u64
    }

    fn load(&mut self, address: u64, bytes: u8) -> u64 {
        // SAFETY: see the module's documentation.
        unsafe {
            match bytes {
                1 => u64::from((address as *const u8).read()),
                4 => u64::from((address as *const u32).read()),
                _ => (address as *const u64).read(),
            }
        }
    }

    fn store(&mut self, address: u64, bytes: u8, value: u64) {
        // SAFETY: see the module's documentation.
        unsafe {
            match bytes {
                1 => (address as *mut u8).write(value as u8),
                4 => (address as *mut u32).write(value as u32),
                _ => (address as *mut u64).write(value),
            }
        }
    }

    fn call_helper(&mut self, helper: Helper, args: &[u64]) -> [u64; 2] {
        debug_assert_eq!(args.len(), helper.args().len());
        // SAFETY: the running VM.
        let at = unsafe { (*self.vm).helpers[helper as usize] };
        let f = f64::from_bits;
        let a = |i: usize| args.get(i).copied().unwrap_or(0);
        match (helper.ret(), args.len()) {
            (Word::F, 1) => [call!(at, f64, f(a(0)) => f64).to_bits(), 0],
            (Word::F, _) => [call!(at, f64, f(a(0)) => f64, f(a(1)) => f64).to_bits(), 0],
            (Word::Pair, 0..=4) => {
                let raw = call!(at, Raw, a(0) => u64, a(1) => u64, a(2) => u64, a(3) => u64);
                [raw.payload, raw.tag & 0xff]
            }
            // More words than the helper takes do not matter to it.
            (Word::Pair, _) => {
                let raw = call!(at, Raw, a(0) => u64, a(1) => u64, a(2) => u64, a(3) => u64,
                    a(4) => u64, a(5) => u64, a(6) => u64, a(7) => u64, a(8) => u64);
                [raw.payload, raw.tag & 0xff]
            }
            (Word::Void, 2) => {
                call!(at, (), a(0) => u64, a(1) => u64);
                [0; 2]
            }
            (Word::Void, 4) => {
                call!(at, (), a(0) => u64, a(1) => u64, a(2) => u64, a(3) => u64);
                [0; 2]
            }
            (Word::Void, 5) => {
                call!(at, (), a(0) => u64, a(1) => u64, a(2) => u64, a(3) => u64, a(4) => u64);
                [0; 2]
            }
            (_, 2) => [call!(at, u64, a(0) => u64, a(1) => u64), 0],
            (_, 3) => [call!(at, u64, a(0) => u64, a(1) => u64, a(2) => u64), 0],
            (_, 4) => [
                call!(at, u64, a(0) => u64, a(1) => u64, a(2) => u64, a(3) => u64),
                0,
            ],
            (_, 5) => [
                call!(at, u64, a(0) => u64, a(1) => u64, a(2) => u64, a(3) => u64, a(4) => u64),
                0,
            ],
            (_, 6) => [
                call!(at, u64, a(0) => u64, a(1) => u64, a(2) => u64, a(3) => u64, a(4) => u64, a(5) => u64),
                0,
            ],
            (Word::I, 7..=11) => [
                call!(at, u64, a(0) => u64, a(1) => u64, a(2) => u64, a(3) => u64, a(4) => u64, a(5) => u64,
                    a(6) => u64, a(7) => u64, a(8) => u64, a(9) => u64, a(10) => u64),
                0,
            ],
            (ret, n) => unreachable!("no helper has {n} arguments and returns {ret:?}"),
        }
    }

    fn entry_poll(&mut self, fp: u64, closure: u64, desc: u64, args: &[u64; 3]) -> u64 {
        let args = std::ptr::from_ref(args) as u64;
        self.call_helper(Helper::EntryPoll, &[self.vm(), fp, closure, desc, args])[0]
    }

    fn call_entry(
        &mut self,
        entry: u64,
        fp: u64,
        closure: u64,
        desc: u64,
        args: [u64; 3],
    ) -> [u64; 2] {
        if self.stack_is_low() {
            // SAFETY: the running VM.
            let _ = unsafe { (*self.vm).stack_overflow() };
            return [0, u64::from(Tag::RET_ERROR.0)];
        }
        if entry == &raw const INTERPRETED as u64 {
            let mut out = [0; 2];
            // SAFETY: a call by the convention of `docs/abi.md`.
            unsafe {
                interp_thunk(
                    self.vm.cast(),
                    fp as *mut u8,
                    closure as *mut u8,
                    desc,
                    &args,
                    &raw mut out,
                );
            }
            return [out[0], out[1] & 0xff];
        }
        // SAFETY: entries that are not the interpreter's are of code in the
        // cache, which is not freed while it runs.
        let code = unsafe { &*(entry as *const Code) };
        code.run(
            self,
            EntryArgs {
                fp,
                closure,
                desc,
                args,
            },
        )
    }
}
