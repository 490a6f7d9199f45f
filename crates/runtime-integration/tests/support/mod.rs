//! A backend without machine code: its "entries" are addresses of records, and
//! its enter thunk does what the record says. The interpreter enters compiled
//! code only through that thunk, so no more is needed.
#![allow(unsafe_code, dead_code)]

use parking_lot::Mutex;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use vela_deopt::{DeoptReason, ExitFrame, SideExit, Source};
use vela_mir::backend::{
    Backend, BackendTimes, CompileError, CompileOptions, Compiled, Heat, LinkedCode,
};
use vela_mir::helper::Helper;
use vela_mir::ir::{EntryKind, Func};
use vela_objects::closure::LuaClosure;
use vela_objects::frame::FrameRecord;
use vela_objects::{Tag, Value, VmState};
use vela_runtime_integration::{JitConfig, Tier};

/// What compiled code does.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// It is never compiled.
    Fail(CompileError),
    /// It panics while compiling.
    Panic,
    /// It returns this integer.
    Return(i64),
    /// It leaves at once through exit 0, for this reason.
    Exit(DeoptReason),
}

/// See the module's documentation.
pub struct Fake {
    pub behaviour: Behaviour,
    pub size: usize,
    /// Name and entry of everything compiled, in order.
    pub compiled: Mutex<Vec<(String, EntryKind)>>,
    /// The optimization level of each.
    pub levels: Mutex<Vec<u8>>,
    pub live: Arc<AtomicUsize>,
}

pub struct FakeCode {
    id: u32,
    behaviour: Behaviour,
    size: usize,
    bytes: Vec<u8>,
    live: Arc<AtomicUsize>,
    heat: Option<Heat>,
}

struct Handle(Box<FakeCode>);

impl LinkedCode for Handle {
    fn entry(&self) -> *const u8 {
        std::ptr::from_ref(&*self.0).cast()
    }
    fn size(&self) -> usize {
        self.0.size
    }
}

impl Drop for FakeCode {
    fn drop(&mut self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }
}

type ExitFn =
    unsafe extern "C" fn(*mut VmState, *mut FrameRecord, *mut LuaClosure, u64) -> [u64; 2];

unsafe extern "C" fn enter(
    entry: *const u8,
    vm: *mut VmState,
    fp: *mut Value,
    closure: *mut LuaClosure,
    _desc: u64,
    _args: *const [u64; 3],
    out: *mut [u64; 2],
) {
    // SAFETY: entries are addresses of `FakeCode` that the cache keeps.
    let (id, behaviour) = unsafe {
        let code = &*entry.cast::<FakeCode>();
        if let Some(heat) = &code.heat {
            heat.count();
        }
        (code.id, code.behaviour.clone())
    };
    let result = match behaviour {
        Behaviour::Return(n) => [n as u64, u64::from(Tag::INT.0)],
        // SAFETY: the exit helper's contract.
        Behaviour::Exit(_) => unsafe {
            let exit: ExitFn = std::mem::transmute((*vm).helpers[Helper::Exit as usize]);
            exit(vm, fp.cast(), closure, u64::from(id) << 32)
        },
        Behaviour::Fail(_) | Behaviour::Panic => unreachable!("never compiled"),
    };
    // SAFETY: `out` is the caller's.
    unsafe { *out = result };
}

impl Fake {
    pub fn new(behaviour: Behaviour, size: usize) -> Arc<Fake> {
        Arc::new(Fake {
            behaviour,
            size,
            compiled: Mutex::new(Vec::new()),
            levels: Mutex::new(Vec::new()),
            live: Arc::new(AtomicUsize::new(0)),
        })
    }

    /// How often the function defined at this line was compiled for calls.
    pub fn times(&self, line: u32) -> usize {
        let suffix = format!(":{line}");
        let compiled = self.compiled.lock();
        compiled
            .iter()
            .filter(|(name, e)| name.ends_with(&suffix) && *e == EntryKind::Call)
            .count()
    }
}

impl Backend for Fake {
    fn compile(&self, func: &Func, options: &CompileOptions) -> Result<Compiled, CompileError> {
        self.compiled
            .lock()
            .push((func.name.clone(), func.entry_kind));
        self.levels.lock().push(options.opt_level);
        match &self.behaviour {
            Behaviour::Fail(e) => return Err(e.clone()),
            Behaviour::Panic => panic!("the fake backend was told to panic"),
            _ => {}
        }
        let reason = match self.behaviour {
            Behaviour::Exit(reason) => reason,
            _ => DeoptReason::Type,
        };
        let regs = (0..func.num_params)
            .map(|r| (r, Source::InWindow))
            .collect();
        let exit = SideExit {
            reason,
            origin: 0,
            frames: vec![ExitFrame {
                pc: 0,
                regs,
                inlined: None,
            }],
            top: None,
            objects: Vec::new(),
            before_commit: false,
        };
        self.live.fetch_add(1, Ordering::Relaxed);
        let code = FakeCode {
            id: options.code_id,
            behaviour: self.behaviour.clone(),
            size: self.size,
            bytes: vec![0xc3; self.size],
            live: self.live.clone(),
            heat: options.heat.clone(),
        };
        assert_eq!(code.bytes.len(), code.size);
        Ok(Compiled {
            code: Box::new(Handle(Box::new(code))),
            exits: vec![exit],
            sites: Vec::new(),
            times: BackendTimes::default(),
            dumps: None,
        })
    }

    fn enter_thunk(&self) -> *const u8 {
        enter as *const u8
    }

    fn interp_entry(&self) -> *const u8 {
        enter as *const u8
    }

    fn name(&self) -> &'static str {
        "fake"
    }
}

/// A VM with this tier, without libraries.
pub fn vm(config: JitConfig, backend: Arc<Fake>) -> (Box<VmState>, Rc<Tier>) {
    let mut vm = vela_interpreter::new_vm(1).expect("address space");
    let tier = Tier::attach(&mut vm, config, backend).expect("a valid configuration");
    (vm, tier)
}

/// Loads a chunk as a function value.
pub fn load(vm: &mut VmState, source: &str) -> Value {
    let proto = vela_lua::compile(source.as_bytes(), "=test").expect("valid Lua");
    let proto = vm.load_proto(&proto);
    let env = Value::table(vm.globals);
    let cell = vm.cell(env);
    let f = vm.closure(proto, |_| cell, 1);
    Value::lua_fn(f)
}

/// Calls a function with integers and returns its first result.
pub fn call(vm: &mut VmState, f: Value, args: &[i64]) -> Value {
    let args: Vec<Value> = args.iter().map(|&i| Value::int(i)).collect();
    let out = vela_interpreter::call(vm, f, &args).expect("no Lua error");
    assert!(vm.exiting().is_empty());
    out.first().copied().unwrap_or(Value::NIL)
}
