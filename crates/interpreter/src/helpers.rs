//! Functions that compiled code and the deoptimizer call.
//!
//! The helpers follow the list in `vela_mir::helper`: C convention, 64-bit
//! words and doubles. They are registered by name, because this crate does not
//! know the list; [`HELPERS`] is complete except for `exit`, which belongs to
//! the deoptimizer. A panic in a helper aborts the process: compiled frames
//! cannot be unwound.
//!
//! Every pointer that compiled code passes is one the contract of the tiers
//! gives it: `vm` the VM it runs in, `fp` its frame record, objects alive.

use crate::call::{self, Outcome, PENDING_TAIL, Raw, compiled_outcome, run_frames, start_call};
use crate::frames::{copy, copy_down, distance, fill_nil, record, store};
use crate::ic;
use crate::slow;
use crate::string_helpers;
use crate::unwind::stack_overflow;
use vela_bytecode::{FRAME_SLOTS, Instr, Op};
use vela_objects::closure::LuaClosure;
use vela_objects::frame::{FrameKind, FrameRecord, flags};
use vela_objects::gc::Safepoint;
use vela_objects::meta::Event;
use vela_objects::ops::{float_mod, float_pow};
use vela_objects::shape::Shape;
use vela_objects::{Gc, Str, Table, Tag, Value, VmState};

/// Address of a helper.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub *const u8);

// SAFETY: addresses of functions, the same on every thread.
unsafe impl Sync for Address {}

macro_rules! helper_table {
    ($($name:literal => $f:path,)+) => {
        /// Name and address of every helper implemented here.
        pub static HELPERS: &[(&str, Address)] = &[
            $(($name, Address($f as *const u8)),)+
        ];
    };
}

helper_table! {
    "interp_one" => interp_one,
    "call" => call_value,
    "finish_call" => finish_call,
    "store_results" => store_results,
    "entry_poll" => entry_poll,
    "vararg_prep" => vararg_prep,
    "new_table" => new_table,
    "new_cell" => new_cell,
    "add_slot" => add_slot,
    "compare" => compare,
    "find_field" => find_field,
    "put_field" => put_field,
    "find_index" => find_index,
    "put_index" => put_index,
    "push_elem" => push_elem,
    "barrier" => barrier,
    "str_lt" => str_lt,
    "str_le" => str_le,
    "float_mod" => helper_float_mod,
    "fmod" => helper_fmod,
    "pow" => helper_pow,
    "atan2" => helper_atan2,
    "sin" => helper_sin,
    "cos" => helper_cos,
    "tan" => helper_tan,
    "exp" => helper_exp,
    "log" => helper_log,
    "native_upval" => string_helpers::native_upval,
    "pairs_next" => string_helpers::pairs_next,
    "next_pair" => string_helpers::next_pair,
    "pop_elem" => string_helpers::pop_elem,
    "raw_get" => string_helpers::raw_get,
    "raw_set" => string_helpers::raw_set,
    "raw_equal" => string_helpers::raw_equal,
    "raw_len" => string_helpers::raw_len,
    "type_name" => string_helpers::type_name,
    "to_str" => string_helpers::to_str,
    "to_num" => string_helpers::to_num,
    "str_sub" => string_helpers::str_sub,
    "str_char" => string_helpers::str_char,
    "concat2" => string_helpers::concat2,
    "concat3" => string_helpers::concat3,
    "concat4" => string_helpers::concat4,
    "new_closure" => string_helpers::new_closure,
    "set_list1" => string_helpers::set_list1,
    "set_list2" => string_helpers::set_list2,
    "set_list3" => string_helpers::set_list3,
    "set_list4" => string_helpers::set_list4,
    "count_bytes" => count_bytes,
}

/// The address of a helper by name.
#[must_use]
pub fn helper(name: &str) -> Option<*const u8> {
    HELPERS.iter().find(|h| h.0 == name).map(|h| h.1.0)
}

/// Bytes of native stack that a call must leave.
pub(crate) fn native_stack_low(vm: &VmState) -> bool {
    let here = 0u8;
    let sp = (&raw const here) as usize;
    vm.native_limit != 0 && sp < vm.native_limit
}

/// Calls what is at `at` and runs it to its end: its results, or `None` after
/// an error. Unlike calls from natives this does not count as nesting of
/// natives: it is bounded by the stacks.
///
/// # Safety
/// As [`start_call`].
unsafe fn call_to_end(
    vm: &mut VmState,
    at: *mut Value,
    nargs: usize,
    frame_flags: u8,
) -> Option<(*mut Value, usize)> {
    if native_stack_low(vm) {
        let _ = stack_overflow(vm);
        return None;
    }
    // SAFETY: by contract.
    unsafe {
        match start_call(vm, at, nargs, flags::ENTRY | frame_flags) {
            Outcome::Values(src, n) => Some((src, n)),
            Outcome::Frame => match run_frames(vm) {
                Ok(()) => Some((vm.ret_base, vm.ret_count as usize)),
                Err(()) => None,
            },
            Outcome::Error => None,
        }
    }
}

/// Values in the convention of compiled code.
///
/// # Safety
/// `src[..n]` are initialised.
pub(crate) unsafe fn to_raw(vm: &mut VmState, results: Option<(*mut Value, usize)>) -> Raw {
    match results {
        None => Raw::ERROR,
        Some((_, 0)) => Raw {
            payload: 0,
            tag: u64::from(Tag::RET_NONE.0),
        },
        // SAFETY: by contract.
        Some((src, 1)) => Raw::value(unsafe { *src }),
        Some((_, n)) if n as u64 & PENDING_TAIL != 0 => Raw {
            payload: n as u64 & !PENDING_TAIL,
            tag: u64::from(Tag::RET_TAIL.0),
        },
        Some((src, n)) => {
            vm.ret_base = src;
            vm.ret_count = n as u64;
            Raw {
                payload: 0,
                tag: u64::from(Tag::RET_MULTI.0),
            }
        }
    }
}

/// Type of [`interp_enter`].
pub type InterpEnter = unsafe extern "C" fn(
    *mut VmState,
    *mut Value,
    *mut LuaClosure,
    u64,
    u64,
    u64,
    u64,
    *mut [u64; 2],
);

/// The Rust half of the thunk that compiled code calls interpreted functions
/// through: the entry convention with the result in `out`.
///
/// # Safety
/// The arguments are those of a call in the convention of compiled code.
pub unsafe extern "C" fn interp_enter(
    vm: *mut VmState,
    fp: *mut Value,
    closure: *mut LuaClosure,
    desc: u64,
    p0: u64,
    p1: u64,
    p2: u64,
    out: *mut [u64; 2],
) {
    // SAFETY: by contract; the slots from `fp` on are free. Room for the
    // arguments is there: callers keep to their own stack check, which leaves
    // the reserve.
    unsafe {
        let vm = &mut *vm;
        let nargs = desc as u32 as usize;
        store(
            fp,
            Value {
                payload: closure as u64,
                tag: Tag::LUA_FN,
            },
        );
        store_args(fp, desc, [p0, p1, p2]);
        let p = (*closure).proto.as_ptr();
        call::count_call(vm, p, fp.add(FRAME_SLOTS), nargs);
        let results = if native_stack_low(vm) {
            let _ = stack_overflow(vm);
            None
        } else {
            match call::push_frame(vm, fp, nargs, flags::ENTRY) {
                Outcome::Frame if run_frames(vm).is_ok() => {
                    Some((vm.ret_base, vm.ret_count as usize))
                }
                _ => None,
            }
        };
        let r = to_raw(vm, results);
        *out = [r.payload, r.tag];
    }
}

/// Writes the register arguments of a call to their slots.
///
/// # Safety
/// The slots behind `fp` are free.
unsafe fn store_args(fp: *mut Value, desc: u64, args: [u64; 3]) {
    let nargs = desc as u32 as usize;
    for (i, &payload) in args.iter().enumerate().take(nargs) {
        let tag = Tag((desc >> (32 + 8 * i)) as u8);
        // SAFETY: by contract.
        unsafe { store(fp.add(FRAME_SLOTS + i), Value { payload, tag }) };
    }
}

/// Runs the instruction `pc` on the window at `fp`: 0, or 1 after raising an
/// error. Comparisons give the condition, or 2 after an error; so do `forprep`
/// and `forloop`, whose condition is that the body runs (again).
unsafe extern "C" fn interp_one(vm: *mut VmState, fp: *mut FrameRecord, pc: u64) -> u64 {
    // SAFETY: the contract of the tiers.
    unsafe {
        let vm = &mut *vm;
        let base = FrameRecord::registers(fp);
        let p = (*((*fp).func as *mut LuaClosure)).proto.as_ptr();
        let at = (*p).code.add(pc as usize);
        exec_one(vm, base, at)
    }
}

/// Lets compiled code find what the site knows of constant `k` in `o`, for the
/// next time.
///
/// # Safety
/// `i` is an instruction of the frame at `base`, `k` names a string constant.
unsafe fn share(vm: &mut VmState, base: *mut Value, i: Instr, o: Value, k: u16) {
    // SAFETY: by contract; operands were checked by the verifier.
    unsafe {
        let p = crate::frames::proto(base);
        let key = crate::frames::key((*p).constants.add(k as usize));
        ic::share_way(vm, o, key, (*p).feedback.add(i.d() as usize));
    }
}

unsafe fn exec_one(vm: &mut VmState, base: *mut Value, pc: *const Instr) -> u64 {
    // SAFETY: the contract of the tiers; operands were checked by the
    // verifier.
    unsafe {
        let i = *pc;
        let ra = base.add(i.a() as usize);
        let rb = base.add(i.b() as usize);
        let Some(op) = i.op() else { return 1 };
        let ok = match op {
            Op::Move => {
                copy(ra, rb);
                true
            }
            Op::LoadInt => {
                store(ra, Value::int(i64::from(i.sbx())));
                true
            }
            Op::LoadFloat => {
                store(ra, Value::float(f64::from(i.sbx())));
                true
            }
            Op::LoadK => {
                let p = crate::frames::proto(base);
                copy(ra, (*p).constants.add(i.bx() as usize));
                true
            }
            Op::LoadNil => {
                fill_nil(ra, i.b() as usize + 1);
                true
            }
            Op::LoadBool => {
                store(ra, Value::bool(i.b() != 0));
                true
            }
            Op::Not => {
                store(ra, Value::bool(!(*rb).truthy()));
                true
            }
            Op::NewCell => slow::new_cell(vm, base, pc),
            Op::GetCell => slow::get_cell(vm, base, pc),
            Op::SetCell => slow::set_cell(vm, base, pc),
            Op::GetUpval => slow::get_upval(vm, base, pc),
            Op::SetUpval => slow::set_upval(vm, base, pc),
            Op::GetTabUp => slow::get_tab_up(vm, base, pc),
            Op::SetTabUp => slow::set_tab_up(vm, base, pc),
            Op::NewTable => slow::new_table(vm, base, pc),
            Op::GetField => {
                share(vm, base, i, *rb, i.c());
                slow::get_field(vm, base, pc)
            }
            Op::SetField => {
                share(vm, base, i, *ra, i.b());
                slow::set_field(vm, base, pc)
            }
            Op::GetIndex => slow::get_index(vm, base, pc),
            Op::SetIndex => slow::set_index(vm, base, pc),
            Op::GetInt => slow::get_int(vm, base, pc),
            Op::SetInt => slow::set_int(vm, base, pc),
            Op::SelfGet => {
                share(vm, base, i, *rb, i.c());
                slow::self_get(vm, base, pc)
            }
            Op::SetList => slow::set_list(vm, base, pc),
            Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Mod
            | Op::IDiv
            | Op::Pow
            | Op::BAnd
            | Op::BOr
            | Op::BXor
            | Op::Shl
            | Op::Shr => slow::arith_rr(vm, base, pc),
            Op::AddK
            | Op::SubK
            | Op::MulK
            | Op::DivK
            | Op::ModK
            | Op::IDivK
            | Op::PowK
            | Op::BAndK
            | Op::BOrK
            | Op::BXorK
            | Op::ShlK
            | Op::ShrK => slow::arith_rk(vm, base, pc),
            Op::AddI | Op::SubI => slow::arith_ri(vm, base, pc),
            Op::Unm | Op::BNot => slow::arith_unary(vm, base, pc),
            Op::Len => slow::len(vm, base, pc),
            Op::Concat => slow::concat(vm, base, pc),
            Op::Eq | Op::EqK | Op::Lt | Op::Le | Op::LtI | Op::LeI | Op::GtI | Op::GeI => {
                return u64::from(slow::compare(vm, base, pc));
            }
            Op::Vararg => slow::vararg(vm, base, pc),
            Op::Closure => slow::make_closure(vm, base, pc),
            Op::Tbc => slow::tbc(vm, base, pc),
            Op::TForPrep => slow::tfor_prep(vm, base, pc),
            Op::Close => slow::close(vm, base, pc),
            Op::ForPrep => {
                return if slow::for_prep(vm, base, pc) {
                    1
                } else if vm.ret_count != 0 {
                    2
                } else {
                    0
                };
            }
            Op::ForLoop => return u64::from(slow::for_step(ra)),
            Op::Call => {
                let nargs = if i.b() == 0 {
                    distance(ra, vm.top) - FRAME_SLOTS
                } else {
                    i.b() as usize - 1
                };
                call_in_frame(vm, base, i, ra, nargs)
            }
            Op::TForCall => {
                let f = ra.add(4);
                copy(f, ra);
                copy(f.add(FRAME_SLOTS), ra.add(1));
                copy(f.add(FRAME_SLOTS + 1), ra.add(2));
                call_in_frame(vm, base, i, f, 2)
            }
            // What compiled code returns is in its registers.
            Op::Return | Op::Return0 | Op::Return1 => slow::close_frame(vm, base, pc),
            // Control flow is the caller's.
            Op::Jmp
            | Op::Loop
            | Op::JmpIf
            | Op::JmpIfNot
            | Op::TailCall
            | Op::VarargPrep
            | Op::TForLoop => {
                debug_assert!(false, "interp_one on {op:?}");
                true
            }
        };
        u64::from(!ok)
    }
}

unsafe fn call_in_frame(
    vm: &mut VmState,
    base: *mut Value,
    i: Instr,
    at: *mut Value,
    nargs: usize,
) -> bool {
    // SAFETY: the contract of the tiers.
    unsafe {
        let Some((src, n)) = call_to_end(vm, at, nargs, 0) else {
            return false;
        };
        call::deliver(vm, base, i, src, n);
        true
    }
}

/// Puts `n` results at `src` to `at`: `want` of them, or all with the top set
/// behind them when it is negative.
unsafe fn place(vm: &mut VmState, at: *mut Value, src: *const Value, n: usize, want: i64) {
    // SAFETY: results are at or above the slot of their call.
    unsafe {
        match usize::try_from(want) {
            Err(_) => {
                copy_down(at, src, n);
                vm.top = at.add(n);
            }
            Ok(want) => {
                let given = n.min(want);
                copy_down(at, src, given);
                fill_nil(at.add(given), want - given);
            }
        }
    }
}

unsafe extern "C" fn call_value(vm: *mut VmState, at: *mut Value, nargs: i64, want: i64) -> u64 {
    // SAFETY: the contract of the tiers.
    unsafe {
        let vm = &mut *vm;
        let nargs = match usize::try_from(nargs) {
            Ok(n) => n,
            Err(_) => distance(at, vm.top) - FRAME_SLOTS,
        };
        let results = if (*at).tag == Tag::NATIVE_FN && !native_stack_low(vm) {
            match call::call_native(vm, at, nargs) {
                Outcome::Values(src, n) => Some((src, n)),
                _ => None,
            }
        } else {
            call_to_end(vm, at, nargs, 0)
        };
        match results {
            Some((src, n)) => {
                place(vm, at, src, n, want);
                0
            }
            None => 1,
        }
    }
}

/// All values of a compiled function's result, pending tail calls done.
unsafe fn settle(vm: &mut VmState, at: *mut Value, r: Raw) -> Option<(*mut Value, usize)> {
    // SAFETY: the contract of the tiers.
    unsafe {
        match compiled_outcome(vm, at, r) {
            Ok(Outcome::Values(src, n)) => Some((src, n)),
            Ok(_) => None,
            Err(nargs) => call_to_end(vm, at, nargs, flags::TAIL),
        }
    }
}

unsafe extern "C" fn finish_call(vm: *mut VmState, at: *mut Value, payload: u64, tag: u64) -> Raw {
    let r = Raw {
        payload,
        tag: tag & 0xff,
    };
    if r.tag < u64::from(Tag::FIRST_RET.0) {
        return r;
    }
    // SAFETY: the contract of the tiers.
    unsafe {
        match settle(&mut *vm, at, r) {
            None => Raw::ERROR,
            Some((_, 0)) => Raw::value(Value::NIL),
            Some((src, _)) => Raw::value(*src),
        }
    }
}

unsafe extern "C" fn store_results(
    vm: *mut VmState,
    at: *mut Value,
    payload: u64,
    tag: u64,
    want: i64,
) -> u64 {
    // SAFETY: the contract of the tiers.
    unsafe {
        let vm = &mut *vm;
        let r = Raw {
            payload,
            tag: tag & 0xff,
        };
        match settle(vm, at, r) {
            Some((src, n)) => {
                place(vm, at, src, n, want);
                0
            }
            None => 1,
        }
    }
}

/// Answers a poll request of compiled code, in a loop or where it was entered;
/// the frame's record is current. Returns whether something is due that must
/// wait until the code is left.
pub fn safepoint(vm: &mut VmState) -> bool {
    vm.accept_poll();
    // What code is left for, `resume` raises.
    vm.gc_poll_quiet() || vm.interrupt_pending()
}

unsafe extern "C" fn entry_poll(
    vm: *mut VmState,
    fp: *mut Value,
    closure: *mut LuaClosure,
    desc: u64,
    args: *const [u64; 3],
) -> u64 {
    // SAFETY: the contract of the tiers.
    unsafe {
        let vm = &mut *vm;
        let nargs = desc as u32 as usize;
        // A native's record keeps the function and its arguments alive.
        let r: *mut FrameRecord = fp.cast();
        (*r).func = closure as u64;
        (&raw mut (*r).tag)
            .cast::<u64>()
            .write(u64::from(Tag::LUA_FN.0) | u64::from(FrameKind::NATIVE.0) << 8);
        (*r).prev = vm.frame;
        (*r).pc = 0;
        (*r).nargs = nargs as u32;
        store_args(fp, desc, *args);
        let (caller, top) = (vm.frame, vm.top);
        vm.frame = r;
        vm.top = fp.add(FRAME_SLOTS + nargs);
        safepoint(vm);
        (vm.hooks.polled)(vm);
        let out_of_memory = vm.is_memory_tight() && vm.is_out_of_memory(Safepoint::Quiet);
        vm.frame = caller;
        vm.top = top;
        if out_of_memory {
            let _ = vm.out_of_memory();
            return 1;
        }
        let end = fp.add(FRAME_SLOTS + (*(*closure).proto.as_ptr()).max_stack as usize);
        if end > vm.real_stack_limit {
            let _ = stack_overflow(vm);
            return 1;
        }
        u64::from(vm.check_interrupt().is_err())
    }
}

/// Null when there is no room: then the error is in flight.
unsafe extern "C" fn vararg_prep(
    vm: *mut VmState,
    fp: *mut Value,
    closure: *mut LuaClosure,
    desc: u64,
    p0: u64,
    p1: u64,
) -> *mut FrameRecord {
    // SAFETY: the contract of the tiers.
    unsafe {
        let vm = &mut *vm;
        let nargs = desc as u32 as usize;
        store_args(fp, desc, [p0, p1, vm.exit_words[0]]);
        let r: *mut FrameRecord = fp.cast();
        (*r).func = closure as u64;
        (&raw mut (*r).tag)
            .cast::<u64>()
            .write(u64::from(Tag::LUA_FN.0) | u64::from(FrameKind::COMPILED.0) << 8);
        (*r).prev = vm.frame;
        // What stays here when the frame moves is read as two values if a
        // native function called: the function, and one whose tag is this pc.
        (*r).pc = 0;
        (*r).nargs = nargs as u32;
        let base = fp.add(FRAME_SLOTS);
        let params = (*(*closure).proto.as_ptr()).num_params as usize;
        if nargs < params {
            fill_nil(base.add(nargs), params - nargs);
        }
        let new = slow::move_vararg_frame(vm, base, nargs);
        if new.is_null() {
            let _ = stack_overflow(vm);
            return std::ptr::null_mut();
        }
        record(new)
    }
}

unsafe extern "C" fn new_table(vm: *mut VmState, fields: u64, elems: u64) -> *mut Table {
    // SAFETY: the contract of the tiers.
    unsafe { (*vm).table(fields as usize, elems as usize).as_ptr() }
}

unsafe extern "C" fn new_cell(vm: *mut VmState, payload: u64, tag: u64) -> u64 {
    let v = Value {
        payload,
        tag: Tag(tag as u8),
    };
    // SAFETY: the contract of the tiers.
    unsafe { (*vm).cell(v).addr() }
}

unsafe extern "C" fn add_slot(
    vm: *mut VmState,
    t: *mut Table,
    shape: *mut Shape,
    payload: u64,
    tag: u64,
) {
    let v = Value {
        payload,
        tag: Tag(tag as u8),
    };
    // SAFETY: the contract of the tiers.
    unsafe { Gc::from_ptr(t).add_slot(&mut *vm, shape, v) }
}

/// 0 or 1 where no metamethod takes part and no error is raised, else 2.
unsafe extern "C" fn compare(vm: *mut VmState, op: u64, p: u64, t: u64, q: u64, u: u64) -> u64 {
    let value = |payload, tag: u64| Value {
        payload,
        tag: Tag(tag as u8),
    };
    let (x, y) = (value(p, t), value(q, u));
    // SAFETY: the contract of the tiers.
    let vm = unsafe { &mut *vm };
    let both = |tag: Tag| x.tag == tag && y.tag == tag;
    let numbers = x.tag.is_number() && y.tag.is_number();
    let answer = if op == 0 {
        if x.raw_eq(y) {
            Some(true)
        } else {
            let plain = |v| vm.metamethod(v, Event::Eq).is_nil();
            let none = !(both(Tag::TABLE) || both(Tag::USERDATA)) || plain(x) && plain(y);
            none.then_some(false)
        }
    } else if numbers || both(Tag::STR) {
        // Neither raises nor calls anything.
        let less = if op == 1 {
            vm.less_than(x, y)
        } else {
            vm.less_equal(x, y)
        };
        less.ok()
    } else {
        None
    };
    answer.map_or(2, u64::from)
}

/// A found value, or none.
fn found(v: Option<Value>) -> Raw {
    match v {
        Some(v) => Raw::value(v),
        None => Raw {
            payload: 0,
            tag: u64::from(Tag::RET_NONE.0),
        },
    }
}

unsafe extern "C" fn find_field(vm: *mut VmState, t: *mut Table, key: *mut Str) -> Raw {
    // SAFETY: the contract of the tiers.
    unsafe { found(ic::find_str(&mut *vm, Gc::from_ptr(t), Gc::from_ptr(key))) }
}

unsafe extern "C" fn put_field(
    vm: *mut VmState,
    t: *mut Table,
    key: *mut Str,
    payload: u64,
    tag: u64,
) -> u64 {
    let v = Value {
        payload,
        tag: Tag(tag as u8),
    };
    // SAFETY: the contract of the tiers.
    unsafe {
        let (t, key) = (Gc::from_ptr(t), Gc::from_ptr(key));
        u64::from(ic::put_str(&mut *vm, t, key, v, false))
    }
}

unsafe extern "C" fn find_index(vm: *mut VmState, t: *mut Table, key: u64, key_tag: u64) -> Raw {
    let key = Value {
        payload: key,
        tag: Tag(key_tag as u8),
    };
    // SAFETY: the contract of the tiers.
    unsafe { found(ic::find_any(&mut *vm, Gc::from_ptr(t), key)) }
}

unsafe extern "C" fn put_index(
    vm: *mut VmState,
    t: *mut Table,
    key: u64,
    key_tag: u64,
    payload: u64,
    tag: u64,
) -> u64 {
    let key = Value {
        payload: key,
        tag: Tag(key_tag as u8),
    };
    let v = Value {
        payload,
        tag: Tag(tag as u8),
    };
    // SAFETY: the contract of the tiers.
    unsafe { u64::from(ic::put_any(&mut *vm, Gc::from_ptr(t), key, v)) }
}

unsafe extern "C" fn push_elem(vm: *mut VmState, t: *mut Table, payload: u64, tag: u64) {
    let v = Value {
        payload,
        tag: Tag(tag as u8),
    };
    // SAFETY: the contract of the tiers.
    unsafe {
        let t = Gc::from_ptr(t);
        t.set_int(&mut *vm, i64::from(t.len) + 1, v);
    }
}

unsafe extern "C" fn barrier(vm: *mut VmState, payload: u64, tag: u64) {
    let v = Value {
        payload,
        tag: Tag(tag as u8),
    };
    // SAFETY: the contract of the tiers.
    unsafe { (*vm).barrier(v) }
}

unsafe extern "C" fn count_bytes(vm: *mut VmState, bytes: u64) -> u64 {
    // SAFETY: the contract of the tiers.
    unsafe { &mut *vm }.heap.count_bytes(bytes as usize);
    1
}

unsafe extern "C" fn str_lt(a: *mut Str, b: *mut Str) -> u64 {
    // SAFETY: the contract of the tiers.
    u64::from(unsafe { Gc::from_ptr(a).bytes() < Gc::from_ptr(b).bytes() })
}

unsafe extern "C" fn str_le(a: *mut Str, b: *mut Str) -> u64 {
    // SAFETY: the contract of the tiers.
    u64::from(unsafe { Gc::from_ptr(a).bytes() <= Gc::from_ptr(b).bytes() })
}

extern "C" fn helper_float_mod(a: f64, b: f64) -> f64 {
    float_mod(a, b)
}

extern "C" fn helper_fmod(a: f64, b: f64) -> f64 {
    a % b
}

extern "C" fn helper_pow(a: f64, b: f64) -> f64 {
    float_pow(a, b)
}

extern "C" fn helper_atan2(a: f64, b: f64) -> f64 {
    a.atan2(b)
}

extern "C" fn helper_sin(a: f64) -> f64 {
    a.sin()
}

extern "C" fn helper_cos(a: f64) -> f64 {
    a.cos()
}

extern "C" fn helper_tan(a: f64) -> f64 {
    a.tan()
}

extern "C" fn helper_exp(a: f64) -> f64 {
    a.exp()
}

extern "C" fn helper_log(a: f64) -> f64 {
    a.ln()
}
