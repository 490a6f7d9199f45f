//! Compiles MIR text and runs it in a VM without an interpreter.
//!
//! The helpers are stand-ins with just enough behaviour to see that compiled
//! code calls them with the right arguments at the right time.
#![allow(dead_code)]

use std::sync::{Arc, OnceLock};
use vela_bytecode::{Constant, Proto};
use vela_deopt::Source;
use vela_llvm_codegen::backend::LlvmBackend;
use vela_mir::backend::{Backend, CompileOptions, Compiled};
use vela_mir::helper::Helper;
use vela_mir::ir::{Func, PoolEntry};
use vela_mir::{parse, verify};
use vela_objects::closure::LuaClosure;
use vela_objects::frame::{FrameKind, FrameRecord};
use vela_objects::object::Cell;
use vela_objects::ops;
use vela_objects::shape::Shape;
use vela_objects::string::Str;
use vela_objects::table::Table;
use vela_objects::vm::EXIT_WORDS;
use vela_objects::{Gc, Hooks, Tag, Value, VmState};

/// Tag that the stand-in of the exit helper returns.
const EXITED: u64 = 0xe0;
/// What a pending tail call, carried out by `finish_call`, gives.
pub const TAIL_RESULT: Value = Value::int(777);
/// Id of the code under test.
pub const CODE_ID: u32 = 9;

#[repr(C)]
struct Pair(u64, u64);

/// Things that the stand-ins saw, in order.
#[derive(Default)]
pub struct Log(pub Vec<String>);

fn log(vm: &mut VmState, line: String) {
    vm.host_state_or(Log::default).0.push(line);
}

/// The backend of all tests of a process.
pub fn backend() -> &'static LlvmBackend {
    static BACKEND: OnceLock<LlvmBackend> = OnceLock::new();
    BACKEND.get_or_init(|| LlvmBackend::new(interp_enter).unwrap())
}

/// How a function ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Value(Value2),
    None,
    Multi(Vec<Value2>),
    Error,
    /// Pending tail call: the function and the arguments.
    Tail(Value2, Vec<Value2>),
    OsrFail,
    /// A side exit: its id.
    Exit(u32),
}

/// A value that compares by tag and bits.
#[derive(Clone, Copy, Debug)]
pub struct Value2(pub Value);

impl PartialEq for Value2 {
    fn eq(&self, other: &Value2) -> bool {
        self.0.identical(other.0)
    }
}

pub fn value(v: Value) -> Outcome {
    Outcome::Value(Value2(v))
}

/// A VM with a compiled function.
pub struct World {
    pub vm: Box<VmState>,
    pub closure: Gc<LuaClosure>,
    pub pool: Vec<u64>,
    pub compiled: Option<Compiled>,
    pub options: CompileOptions,
}

impl World {
    /// A VM whose function has the given parameters and upvalues.
    pub fn new(upvals: &[Value]) -> World {
        let hooks = Hooks::interpreter_only(
            |vm, _, _| Err(vm.error("no interpreter here")),
            |_, _, _, _| Err("no front end here".into()),
        );
        let mut vm = VmState::new(1, hooks).unwrap();
        install(&mut vm);
        let closure = function(&mut vm, upvals);
        World {
            vm,
            closure,
            pool: Vec::new(),
            compiled: None,
            options: CompileOptions {
                code_id: CODE_ID,
                ..CompileOptions::default()
            },
        }
    }

    /// A world with this function compiled.
    pub fn with(text: &str) -> World {
        let mut world = World::new(&[]);
        world.compile(text);
        world
    }

    /// Compiles and installs; `PoolEntry::Constant`s are not bound.
    pub fn compile(&mut self, text: &str) -> &Compiled {
        let func = parse::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        self.compile_func(&func)
    }

    pub fn compile_func(&mut self, func: &Func) -> &Compiled {
        verify::verify(func).unwrap_or_else(|e| panic!("{e}\n{func}"));
        let compiled = backend()
            .compile(func, &self.options)
            .unwrap_or_else(|e| panic!("{e}\n{func}"));
        self.pool = std::iter::once(0)
            .chain(func.pool.iter().map(|p| match p {
                PoolEntry::Constant(_) => 0,
                PoolEntry::Shape(a) | PoolEntry::Object(a, _) | PoolEntry::Proto(a) => *a,
            }))
            .collect();
        let proto = self.closure.proto.as_ptr();
        // SAFETY: the prototype is alive; the pool and the code live in `self`.
        unsafe {
            (*proto).pool = self.pool.as_mut_ptr();
            (*proto).entry.store(
                compiled.code.entry().cast_mut(),
                std::sync::atomic::Ordering::Relaxed,
            );
        }
        self.compiled.insert(compiled)
    }

    /// Where the function's frame goes.
    pub fn fp(&self) -> *mut FrameRecord {
        self.vm.top.wrapping_add(3).cast()
    }

    pub fn reg(&self, r: usize) -> Value {
        // SAFETY: within the VM's stack.
        unsafe { *FrameRecord::registers(self.fp()).add(r) }
    }

    pub fn set_reg(&mut self, r: usize, v: Value) {
        // SAFETY: within the VM's stack, above all frames.
        unsafe { *FrameRecord::registers(self.fp()).add(r) = v }
    }

    /// Puts an interpreted frame of the function in place, for OSR entries.
    pub fn push_interpreted(&mut self) {
        let fp = self.fp();
        // SAFETY: within the VM's stack, above all frames.
        unsafe {
            fp.write(FrameRecord {
                func: self.closure.addr(),
                tag: Tag::LUA_FN,
                kind: FrameKind::INTERPRETED,
                flags: 0,
                marks: 0,
                nvarargs: 0,
                prev: self.vm.frame,
                pc: 3,
                nargs: 0,
            });
        }
        self.vm.frame = fp;
    }

    /// Calls the function. The VM must have its old frame again afterwards,
    /// unless it was left by an exit.
    pub fn call(&mut self, args: &[Value]) -> Outcome {
        let before = self.vm.frame;
        let outcome = self.enter(args);
        if !matches!(outcome, Outcome::Exit(_)) {
            assert_eq!(self.vm.frame, before, "the frame record was not popped");
        }
        self.vm.frame = before;
        outcome
    }

    /// Calls the function and leaves the VM's frame as it is then.
    pub fn enter(&mut self, args: &[Value]) -> Outcome {
        self.enter_at(self.fp(), args)
    }

    /// As [`World::enter`] with the frame at `fp`.
    pub fn enter_at(&mut self, fp: *mut FrameRecord, args: &[Value]) -> Outcome {
        let mut words = [0; 3];
        let mut desc = args.len() as u64;
        for (i, arg) in args.iter().enumerate() {
            if i < 3 {
                words[i] = arg.payload;
                desc |= u64::from(arg.tag.0) << (32 + 8 * i);
            } else {
                // SAFETY: within the VM's stack, above all frames.
                unsafe { *FrameRecord::registers(fp).add(i) = *arg };
            }
        }
        let entry = self.compiled.as_ref().unwrap().code.entry();
        let vm: *mut VmState = &raw mut *self.vm;
        // SAFETY: the code follows the convention, and all its parameters are
        // what it expects; tests hold no other reference to the VM meanwhile.
        let [payload, tag] = unsafe {
            backend().thunk().call(
                entry,
                vm.cast(),
                fp.cast(),
                self.closure.as_ptr().cast(),
                desc,
                &words,
            )
        };
        let at = |p: *mut Value, n: u64| {
            // SAFETY: values on the VM's stack.
            (0..n as usize)
                .map(|i| Value2(unsafe { *p.add(i) }))
                .collect()
        };
        if tag == EXITED {
            assert_eq!(payload >> 32, u64::from(CODE_ID));
            return Outcome::Exit(payload as u32);
        }
        let tag8 = Tag(u8::try_from(tag).expect("a clean tag"));
        match tag8 {
            Tag::RET_NONE => Outcome::None,
            Tag::RET_MULTI => Outcome::Multi(at(self.vm.ret_base, self.vm.ret_count)),
            Tag::RET_ERROR => Outcome::Error,
            Tag::RET_OSR_FAIL => Outcome::OsrFail,
            Tag::RET_TAIL => {
                let function = at(fp.cast(), 1);
                Outcome::Tail(function[0], at(FrameRecord::registers(fp), payload))
            }
            tag => value(Value { payload, tag }),
        }
    }

    /// What the exit that was just taken leaves in a register.
    pub fn exit_register(&self, exit: usize, register: u8) -> Value {
        let compiled = self.compiled.as_ref().expect("compiled");
        let frame = compiled.exits[exit].frames.last().expect("a frame");
        let found = frame.regs.iter().find(|r| r.0 == register);
        let word = |n: u32| self.vm.exit_words[n as usize];
        match found.unwrap_or_else(|| panic!("no r{register}")).1 {
            Source::Word { word: n, tag } => Value {
                payload: word(n),
                tag,
            },
            Source::Tagged { word: n } => Value {
                payload: word(n),
                tag: Tag(word(n + 1) as u8),
            },
            source => panic!("r{register} is {source:?}"),
        }
    }

    /// What the stand-ins saw since the last call.
    pub fn log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.vm.host_state_or(Log::default).0)
    }
}

/// The cell that a register holds.
pub fn cell(v: Value) -> Gc<Cell> {
    assert_eq!(v.tag, Tag::CELL);
    // SAFETY: the tag says so; tests collect nothing.
    unsafe { Gc::from_ptr(v.payload as *mut Cell) }
}

/// A Lua function without code.
pub fn function(vm: &mut VmState, upvals: &[Value]) -> Gc<LuaClosure> {
    let proto = Arc::new(Proto {
        max_stack: 20,
        constants: Vec::<Constant>::new(),
        ..Proto::default()
    });
    let proto = vm.load_proto(&proto);
    // SAFETY: fresh prototype.
    unsafe {
        (*proto.as_ptr()).entry.store(
            backend().interp_entry().cast_mut(),
            std::sync::atomic::Ordering::Relaxed,
        );
    }
    let cells: Vec<Gc<Cell>> = upvals.iter().map(|&v| vm.cell(v)).collect();
    let closure = vm.closure(proto, |i| cells[i], cells.len());
    // Allocating may have asked for a poll.
    *vm.stack_limit.get_mut() = vm.real_stack_limit;
    closure
}

/// The stand-in for the interpreter: returns the sum of its integer arguments,
/// nothing without arguments, and raises when the first one is nil.
unsafe extern "C" fn interp_enter(
    vm: *mut u8,
    fp: *mut u8,
    _closure: *mut u8,
    desc: u64,
    args: *const [u64; 3],
    out: *mut [u64; 2],
) {
    // SAFETY: called by compiled code with the parameters of the convention.
    unsafe {
        let vm = &mut *vm.cast::<VmState>();
        let fp = fp.cast::<FrameRecord>();
        let nargs = desc as u32 as usize;
        let mut all = Vec::new();
        for i in 0..nargs {
            all.push(if i < 3 {
                Value {
                    payload: (*args)[i],
                    tag: Tag((desc >> (32 + 8 * i)) as u8),
                }
            } else {
                *FrameRecord::registers(fp).add(i)
            });
        }
        let caller = vm.frame;
        log(
            vm,
            format!(
                "interp {all:?} from site {} of {}",
                (*caller).pc,
                (*caller).nargs
            ),
        );
        *out = match all.first() {
            None => [0, u64::from(Tag::RET_NONE.0)],
            Some(v) if v.is_nil() => [0, u64::from(Tag::RET_ERROR.0)],
            Some(v) if v.tag == Tag::BOOL => {
                vm.ret_base = vm.stack_base.add(1000);
                vm.ret_base.write(Value::int(41));
                vm.ret_base.add(1).write(Value::int(42));
                vm.ret_count = 2;
                [0, u64::from(Tag::RET_MULTI.0)]
            }
            Some(v) if v.tag == Tag::LIGHT => [1, u64::from(Tag::RET_TAIL.0)],
            Some(v) if v.tag == Tag::FLOAT => [v.payload, u64::from(Tag::FLOAT.0)],
            Some(_) => [
                all.iter().filter_map(|v| v.as_int()).sum::<i64>() as u64,
                u64::from(Tag::INT.0),
            ],
        };
    }
}

fn install(vm: &mut VmState) {
    for &h in Helper::ALL {
        vm.helpers[h as usize] = match h {
            Helper::Exit => exit as *const u8,
            Helper::InterpOne => interp_one as *const u8,
            Helper::Call => call as *const u8,
            Helper::FinishCall => finish_call as *const u8,
            Helper::StoreResults => store_results as *const u8,
            Helper::Poll => poll as *const u8,
            Helper::EntryPoll => entry_poll as *const u8,
            Helper::VarargPrep => vararg_prep as *const u8,
            Helper::NewTable => new_table as *const u8,
            Helper::NewCell => new_cell as *const u8,
            Helper::AddSlot => add_slot as *const u8,
            Helper::FindField => find_field as *const u8,
            Helper::PutField => put_field as *const u8,
            Helper::FindIndex => find_index as *const u8,
            Helper::PutIndex => put_index as *const u8,
            Helper::PushElem => push_elem as *const u8,
            Helper::Barrier => barrier as *const u8,
            Helper::StrLt => str_lt as *const u8,
            Helper::StrLe => str_le as *const u8,
            Helper::FloatMod => float_mod as *const u8,
            Helper::Fmod => fmod as *const u8,
            Helper::Pow => pow as *const u8,
            Helper::Atan2 => atan2 as *const u8,
            Helper::Sin => sin as *const u8,
            Helper::Cos => cos as *const u8,
            Helper::Tan => tan as *const u8,
            Helper::Exp => exp as *const u8,
            Helper::Log => ln as *const u8,
            _ => not_expected as *const u8,
        };
    }
}

type Vm<'a> = &'a mut VmState;

fn val(payload: u64, tag: u64) -> Value {
    Value {
        payload,
        tag: Tag(u8::try_from(tag).expect("a clean tag")),
    }
}

/// A stack limit that has the check at a function's entry raise.
pub const RAISE: *mut Value = std::ptr::without_provenance_mut(16);

/// Stands for the helpers that no function here calls.
extern "C" fn not_expected() {
    panic!("a helper that these tests do not have");
}

extern "C" fn exit(_: Vm, _: *mut FrameRecord, _closure: u64, which: u64) -> Pair {
    Pair(which, EXITED)
}

extern "C" fn interp_one(vm: Vm, fp: *mut FrameRecord, pc: u64) -> u64 {
    assert_eq!(vm.frame, fp);
    // SAFETY: the running frame.
    let r0 = unsafe { *FrameRecord::registers(fp) };
    log(vm, format!("interp_one {pc} r0={r0:?}"));
    r0.as_int().unwrap_or(0) as u64
}

extern "C" fn call(vm: Vm, at: *mut Value, nargs: i64, want: i64) -> u64 {
    // SAFETY: a value that compiled code stored.
    let f = unsafe { *at };
    log(vm, format!("call {f:?} {nargs} {want}"));
    u64::from(f.is_nil())
}

extern "C" fn finish_call(vm: Vm, _at: *mut Value, payload: u64, tag: u64) -> Pair {
    log(vm, format!("finish_call {tag:#x}"));
    let v = match Tag(tag as u8) {
        Tag::RET_ERROR => return Pair(0, tag),
        Tag::RET_NONE => Value::NIL,
        // SAFETY: results on the VM's stack.
        Tag::RET_MULTI => unsafe { *vm.ret_base },
        Tag::RET_TAIL => TAIL_RESULT,
        _ => val(payload, tag),
    };
    Pair(v.payload, u64::from(v.tag.0))
}

extern "C" fn store_results(vm: Vm, _at: *mut Value, _: u64, tag: u64, want: i64) -> u64 {
    log(vm, format!("store_results {tag:#x} {want}"));
    u64::from(tag == u64::from(Tag::RET_ERROR.0))
}

extern "C" fn poll(vm: Vm, fp: *mut FrameRecord) -> u64 {
    assert_eq!(vm.frame, fp);
    // SAFETY: the running frame.
    let (pc, r0) = unsafe { ((*fp).pc, *FrameRecord::registers(fp)) };
    log(vm, format!("poll at {pc} r0={r0:?}"));
    *vm.stack_limit.get_mut() = vm.real_stack_limit;
    0
}

extern "C" fn entry_poll(
    vm: Vm,
    fp: *mut FrameRecord,
    _closure: u64,
    desc: u64,
    args: *const [u64; 3],
) -> u64 {
    assert_ne!(vm.frame, fp);
    // SAFETY: compiled code passes its arguments.
    let args = unsafe { *args };
    log(vm, format!("entry_poll {desc:#x} {args:?}"));
    let raise = vm.limit() == RAISE;
    *vm.stack_limit.get_mut() = vm.real_stack_limit;
    u64::from(raise)
}

extern "C" fn vararg_prep(
    vm: Vm,
    fp: *mut FrameRecord,
    closure: *mut LuaClosure,
    desc: u64,
    p0: u64,
    p1: u64,
) -> *mut FrameRecord {
    let words = [p0, p1, vm.exit_words[0]];
    let nargs = desc as u32 as usize;
    // SAFETY: within the VM's stack.
    unsafe {
        let params = Gc::from_ptr(closure).proto.num_params as usize;
        let old = FrameRecord::registers(fp);
        for (i, word) in words.into_iter().enumerate().take(nargs) {
            *old.add(i) = val(word, desc >> (32 + 8 * i) & 0xff);
        }
        let new = fp.cast::<Value>().add(2 + nargs).cast::<FrameRecord>();
        let regs = FrameRecord::registers(new);
        for i in 0..params {
            *regs.add(i) = if i < nargs { *old.add(i) } else { Value::NIL };
        }
        // The extra arguments are directly below the record: they are the last
        // ones of those copied.
        (*new).nvarargs = nargs.saturating_sub(params) as u32;
        new
    }
}

extern "C" fn new_table(vm: Vm, fields: u64, elems: u64) -> *mut Table {
    vm.table(fields as usize, elems as usize).as_ptr()
}

extern "C" fn new_cell(vm: Vm, payload: u64, tag: u64) -> *mut Cell {
    vm.cell(val(payload, tag)).as_ptr()
}

extern "C" fn add_slot(vm: Vm, t: *mut Table, shape: *mut Shape, payload: u64, tag: u64) {
    // SAFETY: a live table and the successor of its shape.
    unsafe { Gc::from_ptr(t).add_slot(vm, shape, val(payload, tag)) };
}

/// Raw lookups: nil is reported as "ask the interpreter".
extern "C" fn find_index(_: Vm, t: *mut Table, key: u64, key_tag: u64) -> Pair {
    // SAFETY: a live table.
    let v = unsafe { Gc::from_ptr(t) }.get(val(key, key_tag));
    let tag = if v.is_nil() { Tag::RET_NONE } else { v.tag };
    Pair(v.payload, u64::from(tag.0))
}

extern "C" fn find_field(vm: Vm, t: *mut Table, key: u64) -> Pair {
    find_index(vm, t, key, u64::from(Tag::STR.0))
}

extern "C" fn put_index(vm: Vm, t: *mut Table, key: u64, key_tag: u64, v: u64, tag: u64) -> u64 {
    // SAFETY: a live table.
    let t = unsafe { Gc::from_ptr(t) };
    u64::from(t.set(vm, val(key, key_tag), val(v, tag)).is_ok())
}

extern "C" fn put_field(vm: Vm, t: *mut Table, key: u64, v: u64, tag: u64) -> u64 {
    put_index(vm, t, key, u64::from(Tag::STR.0), v, tag)
}

extern "C" fn push_elem(vm: Vm, t: *mut Table, payload: u64, tag: u64) {
    // SAFETY: a live table.
    let t = unsafe { Gc::from_ptr(t) };
    let key = Value::int(i64::from(t.len) + 1);
    log(vm, format!("push_elem {}", t.len));
    t.set(vm, key, val(payload, tag)).unwrap();
}

extern "C" fn barrier(vm: Vm, payload: u64, tag: u64) {
    let _ = (payload, tag);
    log(vm, "barrier".into());
}

extern "C" fn str_lt(a: *mut Str, b: *mut Str) -> u64 {
    // SAFETY: live strings.
    unsafe { u64::from(Gc::from_ptr(a).bytes() < Gc::from_ptr(b).bytes()) }
}

extern "C" fn str_le(a: *mut Str, b: *mut Str) -> u64 {
    // SAFETY: live strings.
    unsafe { u64::from(Gc::from_ptr(a).bytes() <= Gc::from_ptr(b).bytes()) }
}

extern "C" fn float_mod(a: f64, b: f64) -> f64 {
    ops::float_mod(a, b)
}
extern "C" fn fmod(a: f64, b: f64) -> f64 {
    a % b
}
extern "C" fn pow(a: f64, b: f64) -> f64 {
    ops::float_pow(a, b)
}
extern "C" fn atan2(a: f64, b: f64) -> f64 {
    a.atan2(b)
}
extern "C" fn sin(a: f64) -> f64 {
    a.sin()
}
extern "C" fn cos(a: f64) -> f64 {
    a.cos()
}
extern "C" fn tan(a: f64) -> f64 {
    a.tan()
}
extern "C" fn exp(a: f64) -> f64 {
    a.exp()
}
extern "C" fn ln(a: f64) -> f64 {
    a.ln()
}

const _: () = assert!(EXIT_WORDS >= 16);
