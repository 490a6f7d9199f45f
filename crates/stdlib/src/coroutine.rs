//! The `coroutine` library.
//!
//! The switching itself is in [`vela_objects::thread`]. A coroutine may yield
//! from anywhere: inside metamethods, iterators, `pcall`, and callbacks of
//! native functions such as `table.sort`.

use crate::args::{check_function, type_error, upvalue};
use crate::register;
use vela_objects::thread::Status;
use vela_objects::{Args, Gc, LuaResult, NativeFn, NativeResult, Ret, Thread, Value, VmState};

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("coroutine.close", close),
    ("coroutine.create", create),
    ("coroutine.isyieldable", isyieldable),
    ("coroutine.resume", resume),
    ("coroutine.running", running),
    ("coroutine.status", status),
    ("coroutine.wrap", wrap),
    ("coroutine.yield", yield_),
];

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    register::library(vm, "coroutine", FUNCTIONS);
}

/// Argument `i`, which must be a coroutine.
fn check_thread(vm: &mut VmState, args: Args, i: usize) -> LuaResult<Gc<Thread>> {
    match args.get(i).as_thread() {
        Some(t) => Ok(t),
        None => Err(type_error(vm, args, i, "thread")),
    }
}

fn create(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_function(vm, args, 0)?;
    Ok(Ret::One(Value::thread(vm.new_thread(f))))
}

fn resume(vm: &mut VmState, args: Args) -> NativeResult {
    let co = check_thread(vm, args, 0)?;
    vm.push(Value::TRUE)?;
    match vm.resume_thread(co, &args.as_slice()[1..]) {
        Ok(n) => Ok(Ret::Many(n + 1)),
        Err(e) => {
            vm.pop(1);
            vm.push(Value::FALSE)?;
            vm.push(e)?;
            Ok(Ret::Many(2))
        }
    }
}

fn yield_(vm: &mut VmState, args: Args) -> NativeResult {
    vm.yield_values(args).map(Ret::Many)
}

fn wrap(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_function(vm, args, 0)?;
    let co = Value::thread(vm.new_thread(f));
    let wrapped = vm.native_with("coroutine.wrap", resume_wrapped, &[co]);
    Ok(Ret::One(Value::native_fn(wrapped)))
}

/// What `coroutine.wrap` returns: errors go through it, after the coroutine
/// was closed, with the position of the call in front of messages.
fn resume_wrapped(vm: &mut VmState, args: Args) -> NativeResult {
    let Some(co) = upvalue(vm, 0).as_thread() else {
        return Err(vm.error("cannot resume dead coroutine"));
    };
    match vm.resume_thread(co, args.as_slice()) {
        Ok(n) => Ok(Ret::Many(n)),
        Err(e) => Err(raise_wrapped(vm, co, e)),
    }
}

#[cold]
fn raise_wrapped(vm: &mut VmState, co: Gc<Thread>, mut e: Value) -> vela_objects::Thrown {
    if co.status() == Status::Failed
        && let Err(closed) = vm.close_thread(co)
    {
        e = closed;
    }
    if let Some(s) = e.as_str() {
        let mut text = vm.where_am_i(1).into_bytes();
        text.extend_from_slice(s.bytes());
        e = vm.str_value(&text);
    }
    vm.throw(e)
}

/// The state of a coroutine as `coroutine.status` names it.
fn state_name(status: Status) -> &'static str {
    match status {
        Status::New | Status::Suspended => "suspended",
        Status::Running => "running",
        Status::Normal => "normal",
        Status::Dead | Status::Failed => "dead",
    }
}

fn status(vm: &mut VmState, args: Args) -> NativeResult {
    let co = check_thread(vm, args, 0)?;
    let name = state_name(co.status());
    Ok(Ret::One(vm.str_value(name.as_bytes())))
}

fn running(vm: &mut VmState, _: Args) -> NativeResult {
    let current = vm.thread;
    vm.push(Value::thread(current))?;
    vm.push(Value::bool(current.is_main()))?;
    Ok(Ret::Many(2))
}

fn isyieldable(vm: &mut VmState, args: Args) -> NativeResult {
    let co = match args.len() {
        0 => vm.thread,
        _ => check_thread(vm, args, 0)?,
    };
    Ok(Ret::One(Value::bool(vm.is_yieldable(co))))
}

fn close(vm: &mut VmState, args: Args) -> NativeResult {
    let co = check_thread(vm, args, 0)?;
    if let status @ (Status::Running | Status::Normal) = co.status() {
        let name = state_name(status);
        return Err(vm.error(format!("cannot close a {name} coroutine")));
    }
    match vm.close_thread(co) {
        Ok(()) => Ok(Ret::One(Value::TRUE)),
        Err(e) => {
            vm.push(Value::FALSE)?;
            vm.push(e)?;
            Ok(Ret::Many(2))
        }
    }
}
