//! What the optimizing tier relies on: feedback, counters, hooks, and the
//! calling convention of compiled code, played here by Rust functions.

mod common;
use common::{eval_in, new_vm};
use std::cell::RefCell;
use vela_interpreter as interp;
use vela_objects::closure::LuaClosure;
use vela_objects::feedback::{CacheState, MAX_WAYS, WayKind, arith};
use vela_objects::frame::FrameRecord;
use vela_objects::{FuncProto, Gc, Tag, Value, VmState};

/// The function in global `name`.
fn global(vm: &mut VmState, name: &str) -> Gc<LuaClosure> {
    let key = vm.str(name.as_bytes());
    vm.globals.get_str(key).as_lua_fn().expect("a Lua function")
}

thread_local! {
    static EVENTS: RefCell<Vec<(u32, u32)>> = const { RefCell::new(Vec::new()) };
}

fn on_hot_call(_: &mut VmState, p: Gc<FuncProto>) {
    EVENTS.with(|e| e.borrow_mut().push((p.proto().line_defined, p.calls.get())));
}

unsafe fn on_hot_loop(vm: &mut VmState, f: *mut FrameRecord, header: u32) -> *const u8 {
    assert!(std::ptr::eq(vm.frame, f));
    EVENTS.with(|e| e.borrow_mut().push((9999, header)));
    std::ptr::null()
}

#[test]
fn exactly_the_thousandth_call_is_reported() {
    let mut vm = new_vm();
    vm.hooks.hot_call = on_hot_call;
    vm.set_hot_thresholds(1000, u32::MAX);
    eval_in(
        &mut vm,
        "\nfunction f(x) return x end\nfor i = 1, 999 do f(i) end",
    );
    EVENTS.with(|e| assert!(e.borrow().is_empty()));
    eval_in(&mut vm, "f('s') for i = 1, 5000 do f(i) end");
    EVENTS.with(|e| assert_eq!(*e.borrow(), [(2, 1000)]));
    let f = global(&mut vm, "f");
    assert_eq!(f.proto.calls.get(), 6000);
    assert_eq!(f.proto.arg_tags[0], 1 << Tag::INT.0 | 1 << Tag::STR.0);
}

#[test]
fn calls_through_natives_count_too() {
    let mut vm = new_vm();
    vm.hooks.hot_call = on_hot_call;
    vm.set_hot_thresholds(10, u32::MAX);
    eval_in(&mut vm, "function g() end for i = 1, 10 do pcall(g) end");
    EVENTS.with(|e| assert_eq!(*e.borrow(), [(1, 10)]));
}

#[test]
fn hot_loops_are_reported_at_multiples() {
    let mut vm = new_vm();
    vm.hooks.hot_loop = on_hot_loop;
    vm.set_hot_thresholds(u32::MAX, 1000);
    eval_in(&mut vm, "local s = 0 for i = 1, 3501 do s = s + i end");
    EVENTS.with(|e| assert_eq!(e.borrow().len(), 3));
    eval_in(
        &mut vm,
        "local i = 0 while i < 2500 do i = i + 1 end for k in pairs({1, 2}) do end",
    );
    EVENTS.with(|e| assert_eq!(e.borrow().len(), 5));
}

#[test]
fn feedback_of_arithmetic_and_fields() {
    let mut vm = new_vm();
    eval_in(
        &mut vm,
        "function f(a, b, o) local s = a + b if s < 10 then s = s * 2.5 end return o.x, s end
         for i = 1, 5 do f(i, 1, {x = i}) end",
    );
    let f = global(&mut vm, "f");
    let slots = f.proto.feedback_slots();
    let kinds: Vec<u8> = slots
        .iter()
        .map(|s| s.arith & arith::TYPES)
        .filter(|&t| t != 0)
        .collect();
    assert_eq!(kinds, [arith::INT, arith::INT, arith::MIXED]);
    let compare = slots
        .iter()
        .find(|s| s.arith & arith::TAKEN != 0)
        .expect("comparison");
    assert_eq!(compare.arith & arith::NOT_TAKEN, 0);
    let field = slots
        .iter()
        .find(|s| s.state == CacheState::Mono)
        .expect("field");
    assert_eq!(field.way.kind, WayKind::Own);
    assert_eq!(field.result, 1 << Tag::INT.0);
    eval_in(
        &mut vm,
        &format!(
            "for i = 1, {MAX_WAYS} do local t = {{}} for j = 1, i do t['a' .. j] = 1 end t.x = 1.5 f(1, 1, t) end"
        ),
    );
    let field = f
        .proto
        .feedback_slots()
        .iter()
        .find(|s| s.state == CacheState::Mega)
        .expect("widened");
    assert_eq!(field.result, 1 << Tag::INT.0 | 1 << Tag::FLOAT.0);
}

#[test]
fn feedback_of_calls() {
    let mut vm = new_vm();
    eval_in(
        &mut vm,
        "function callee() return 'r' end function caller() return (callee()) end for i = 1, 3 do caller() end",
    );
    let (callee, caller) = (global(&mut vm, "callee"), global(&mut vm, "caller"));
    let site = caller
        .proto
        .feedback_slots()
        .iter()
        .find(|s| s.way.kind == WayKind::Target)
        .expect("call site");
    assert_eq!(
        (site.way.shape, site.way.aux),
        (callee.proto.addr(), callee.addr())
    );
    assert_eq!((site.count, site.result), (3, 1 << Tag::STR.0));
    // Another closure of the same prototype: the target stays, its closure goes.
    eval_in(
        &mut vm,
        "local old = callee local function mk() return function() return 1 end end callee = mk() caller() callee = mk() caller()",
    );
    let site = caller
        .proto
        .feedback_slots()
        .iter()
        .find(|s| s.way.kind == WayKind::Target)
        .expect("call site");
    assert_eq!(site.ways().count(), 2);
    assert_eq!(site.ways().nth(1).expect("second").aux, 0);
}

/// Plays compiled code: what it does depends on the address it is "at".
unsafe extern "C" fn thunk(
    entry: *const u8,
    vm: *mut VmState,
    fp: *mut Value,
    closure: *mut LuaClosure,
    desc: u64,
    args: *const [u64; 3],
    out: *mut [u64; 2],
) {
    // SAFETY: called by the interpreter with what compiled code gets.
    unsafe {
        let vm = &mut *vm;
        let nargs = desc as u32;
        let [p0, p1, _] = *args;
        *out = match entry as usize {
            // Adds its arguments.
            1 => [p0.wrapping_add(p1), u64::from(Tag::INT.0)],
            2 => [0, u64::from(Tag::RET_NONE.0)],
            // Returns its arguments twice.
            3 => {
                *fp.add(2) = Value::int(p0 as i64);
                *fp.add(3) = Value::int(p0 as i64);
                vm.ret_base = fp.add(2);
                vm.ret_count = 2;
                [0, u64::from(Tag::RET_MULTI.0)]
            }
            4 => {
                let _ = vm.error("from compiled code");
                [0, u64::from(Tag::RET_ERROR.0)]
            }
            // Tail calls its first argument with the second.
            5 => {
                *fp = Value {
                    payload: p0,
                    tag: Tag((desc >> 32) as u8),
                };
                *fp.add(2) = Value {
                    payload: p1,
                    tag: Tag((desc >> 40) as u8),
                };
                [u64::from(nargs - 1), u64::from(Tag::RET_TAIL.0)]
            }
            // Calls the interpreter, as an entry that was not compiled does.
            _ => {
                let mut r = [0; 2];
                interp::interp_enter(vm, fp, closure, desc, p0, p1, (*args)[2], &mut r);
                r
            }
        };
    }
}

fn install(vm: &mut VmState, name: &str, entry: usize) {
    vm.enter_thunk = thunk as *const u8;
    let f = global(vm, name);
    // SAFETY: the thunk above knows these "addresses".
    unsafe { (*f.proto.as_ptr()).compiled = entry as *const u8 };
}

#[test]
fn results_of_compiled_code() {
    let mut vm = new_vm();
    eval_in(
        &mut vm,
        "function add() end function none() end function twice() end function fail() end function tail() end function back(a, b, c, d) return d, a end",
    );
    for (name, entry) in [
        ("add", 1),
        ("none", 2),
        ("twice", 3),
        ("fail", 4),
        ("tail", 5),
        ("back", 6),
    ] {
        install(&mut vm, name, entry);
    }
    assert_eq!(
        eval_in(&mut vm, "local a = add(1, 2) return a, add(3, 4)"),
        "3 7"
    );
    assert_eq!(
        eval_in(&mut vm, "local a, b = none(1) return a, b, none()"),
        "nil nil"
    );
    assert_eq!(
        eval_in(&mut vm, "local a, b, c = twice(5) return a, b, c, twice(6)"),
        "5 5 nil 6 6"
    );
    assert_eq!(
        eval_in(&mut vm, "return pcall(fail)"),
        "false test:1: from compiled code"
    );
    assert_eq!(
        eval_in(
            &mut vm,
            "return pcall(function() local x = fail() return x end)"
        ),
        "false test:1: from compiled code"
    );
    assert_eq!(
        eval_in(
            &mut vm,
            "return (tail(function(x) return x, x end, 'v')), tail(add, 1)"
        ),
        "v 1"
    );
    assert_eq!(
        eval_in(
            &mut vm,
            "local t = setmetatable({}, {__call = function(self, x) return x end}) return tail(t, 9), tail(tostring, 8)"
        ),
        "9 8"
    );
    assert_eq!(
        eval_in(
            &mut vm,
            "local function f(n) return add(n, 1) end return f(1), pcall(add, 4, 5)"
        ),
        "2 true 9"
    );
    assert_eq!(eval_in(&mut vm, "return back(1, 2, 3, 4)"), "4 1");
    assert_eq!(
        eval_in(
            &mut vm,
            "return select('#', table.unpack({twice(1)})), pcall(tail, error, 'e')"
        ),
        "2 false e"
    );
}

#[test]
fn a_loop_continues_in_compiled_code() {
    let mut vm = new_vm();
    unsafe fn enter(vm: &mut VmState, f: *mut FrameRecord, _: u32) -> *const u8 {
        // The code below pops the frame, as code for a loop does.
        // SAFETY: the running frame.
        vm.frame = unsafe { (*f).prev };
        std::ptr::dangling::<u8>()
    }
    vm.hooks.hot_loop = enter;
    vm.enter_thunk = thunk as *const u8;
    vm.set_hot_thresholds(u32::MAX, 100);
    assert_eq!(
        eval_in(
            &mut vm,
            "local function f() while true do end end local r = f() return r, (pcall(f))"
        ),
        "0 true"
    );
}

#[test]
fn every_helper_has_a_name_of_its_own() {
    let mut names: Vec<_> = interp::HELPERS.iter().map(|h| h.0).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), interp::HELPERS.len());
    assert!(interp::helper("interp_one").is_some_and(|p| !p.is_null()));
    assert!(interp::helper("no such helper").is_none());
}
