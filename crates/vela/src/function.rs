//! Functions: calling them, and those of hosts.

use crate::context::{Context, state};
use crate::convert::{FromValues, IntoValues, Values};
use crate::error::{Error, Result};
use crate::handle::{self, Handle};
use crate::limits;
use crate::value::Value;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use vela_interpreter::entry::on_big_stack;
use vela_objects::{Args, LuaResult, NativeResult, Ret, VmState};
use vela_stdlib::args;

/// A function, of Lua or of a host. Clones refer to the same function.
///
/// ```
/// # fn main() -> vela::Result<()> {
/// let mut vm = vela::Vm::new(vela::VmConfig::default())?;
/// let add = vm.function(|_, (a, b): (i64, i64)| Ok(a + b));
/// vm.globals().set(&mut vm, "add", &add)?;
/// assert_eq!(vm.chunk("add(40, 2)").eval::<i64>()?, 42);
///
/// let swap: vela::Function = vm.chunk("function(a, b) return b, a end").eval()?;
/// let (b, a): (String, i64) = swap.call(&mut vm, (1, "two"))?;
/// assert_eq!((a, b.as_str()), (1, "two"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Function(pub(crate) Handle);

impl Function {
    /// Calls the function.
    ///
    /// # Errors
    /// [`Error::Runtime`] if it raises an error, [`Error::Conversion`] or
    /// [`Error::Argument`] if values cannot be converted.
    pub fn call<R: FromValues>(&self, cx: &mut dyn Context, args: impl IntoValues) -> Result<R> {
        let args = cx.values_of(args)?;
        let values = self.call_values(state(cx), &args)?;
        R::from_values(values, cx)
    }

    pub(crate) fn call_values(&self, vm: &mut VmState, args: &[Value]) -> Result<Values> {
        let f = self.0.get(vm)?;
        let mut raw = Vec::with_capacity(args.len());
        for v in args {
            raw.push(v.lower(vm)?);
        }
        protect(vm, |vm| {
            let n = vm.call_multi(f, &raw)? as usize;
            let values = lifted(vm, n);
            vm.pop(n);
            Ok(values)
        })
    }
}

/// Runs what may run Lua code, on the stack that is made for it and within the
/// time limit; errors are caught and described.
pub(crate) fn protect<R>(
    vm: &mut VmState,
    f: impl FnOnce(&mut VmState) -> LuaResult<R>,
) -> Result<R> {
    let handler = vm.host_state::<Traceback>().map(|t| t.0);
    let handler = handler.unwrap_or(vela_objects::Value::NIL);
    limits::timed(vm, |vm| {
        on_big_stack(vm, |vm| {
            caught(vm, handler, f).map_err(|e| {
                let traceback = vm.error_traceback.take();
                let text = vm.host_state_or(|| Described(None)).0.take();
                Error::from_lua(vm, e, traceback, text)
            })
        })
    })
}

/// As [`protect`], without a look at the error.
pub(crate) fn quietly<R>(
    vm: &mut VmState,
    f: impl FnOnce(&mut VmState) -> LuaResult<R>,
) -> Option<R> {
    on_big_stack(vm, |vm| caught(vm, vela_objects::Value::NIL, f).ok())
}

fn caught<R>(
    vm: &mut VmState,
    handler: vela_objects::Value,
    f: impl FnOnce(&mut VmState) -> LuaResult<R>,
) -> Result<R, vela_objects::Value> {
    let outer = vm.handler;
    vm.handler = vm.handler_from_here(handler);
    let (top, frame, depth) = (vm.top, vm.frame, vm.native_depth);
    let outcome = f(vm);
    vm.handler = outer;
    outcome.map_err(|_| {
        (vm.top, vm.frame, vm.native_depth) = (top, frame, depth);
        vm.error
    })
}

/// The message handler of calls by hosts.
struct Traceback(vela_objects::Value);

/// The text of the latest error object that has `__tostring`, which is called
/// where the error is raised, on the stack as it was.
struct Described(Option<String>);

/// Makes the message handler.
pub(crate) fn install(vm: &mut VmState) {
    let f = vm.native("traceback", note_traceback);
    let f = vela_objects::Value::native_fn(f);
    // Never unpinned: below all other pins.
    vm.pin(f);
    vm.host.push(Box::new(Traceback(f)));
}

/// Notes the text and the traceback, and leaves the error as it is.
fn note_traceback(vm: &mut VmState, args: Args) -> NativeResult {
    let text = Error::text_by_metamethod(vm, args.get(0));
    vm.host_state_or(|| Described(None)).0 = text;
    let traceback = vm.traceback(None, 1);
    vm.error_traceback = Some(traceback);
    Ok(Ret::One(args.get(0)))
}

// ---- functions of hosts ------------------------------------------------

/// A function of a host as the VM calls it.
pub(crate) type Callback = dyn Fn(&mut VmState, Args) -> NativeResult;

/// What the native function captures.
struct Captured(Rc<Callback>);

/// A function of the VM that calls `f`.
pub(crate) fn native(vm: &mut VmState, f: Rc<Callback>) -> vela_objects::Value {
    let data = vm.userdata(Box::new(Captured(f)), None);
    let captured = [vela_objects::Value::userdata(data)];
    let native = vm.native_with("function of the host", enter, &captured);
    vela_objects::Value::native_fn(native)
}

/// Every function of a host is entered here.
fn enter(vm: &mut VmState, args: Args) -> NativeResult {
    let data = args::upvalue(vm, 0).as_userdata();
    let f = data.and_then(|d| d.with(|c: &Captured| c.0.clone()));
    let Some(f) = f else {
        return Err(vm.error("the function is gone"));
    };
    guarded(vm, |vm| f(vm, args))
}

/// Runs a closure of a host: panics become errors, and nothing yields.
pub(crate) fn guarded<R>(
    vm: &mut VmState,
    f: impl FnOnce(&mut VmState) -> LuaResult<R>,
) -> LuaResult<R> {
    // What the closure has on its stack may be tied to this thread, and must
    // not be left there for another to find.
    let unyieldable = vm.forbid_yield(true);
    let (top, frame, depth, handler) = (vm.top, vm.frame, vm.native_depth, vm.handler);
    let outcome = catch_unwind(AssertUnwindSafe(|| f(vm)));
    vm.forbid_yield(unyieldable);
    outcome.unwrap_or_else(|panic| {
        (vm.frame, vm.native_depth, vm.handler) = (frame, depth, handler);
        vm.top = top;
        let text = match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => match panic.downcast::<&str>() {
                Ok(text) => (*text).to_string(),
                Err(_) => "no message".to_string(),
            },
        };
        Err(Error::Panic(text).raise(vm))
    })
}

/// The arguments from `from` on.
pub(crate) fn arguments(vm: &mut VmState, args: Args, from: usize) -> Values {
    (from..args.len())
        .map(|i| Value::lift(vm, args.get(i)))
        .collect()
}

/// The topmost `n` values of the stack, which stay there.
pub(crate) fn lifted(vm: &mut VmState, n: usize) -> Values {
    let values = (0..n).rev().map(|i| {
        let v = vm.peek(i);
        Value::lift(vm, v)
    });
    values.collect()
}

/// What the VM has for these values.
pub(crate) fn lower_all(vm: &mut VmState, values: &[Value]) -> LuaResult<Vec<vela_objects::Value>> {
    let mut raw = Vec::with_capacity(values.len());
    for v in values {
        raw.push(v.lower(vm).map_err(|e| e.raise(vm))?);
    }
    Ok(raw)
}

/// Hands results to the VM.
pub(crate) fn results(vm: &mut VmState, values: &[Value]) -> NativeResult {
    if let [one] = values {
        return match one.lower(vm) {
            Ok(v) => Ok(Ret::One(v)),
            Err(e) => Err(e.raise(vm)),
        };
    }
    for v in values {
        match v.lower(vm) {
            Ok(v) => vm.push(v)?,
            Err(e) => return Err(e.raise(vm)),
        }
    }
    Ok(Ret::Many(values.len() as u32))
}

/// Converts arguments, calls, converts results.
pub(crate) fn run<A: FromValues, R: IntoValues>(
    vm: &mut VmState,
    values: Values,
    f: impl FnOnce(&mut dyn Context, A) -> Result<R>,
) -> NativeResult {
    let outcome = A::from_values(values, vm)
        .and_then(|a| f(vm, a))
        .and_then(|r| r.into_values(vm));
    match outcome {
        Ok(values) => results(vm, &values),
        Err(e) => Err(e.raise(vm)),
    }
}

pub(crate) fn make<A, R, F>(vm: &mut VmState, f: F) -> Function
where
    A: FromValues,
    R: IntoValues,
    F: Fn(&mut dyn Context, A) -> Result<R> + Send + 'static,
{
    let callback = move |vm: &mut VmState, args: Args| {
        let values = arguments(vm, args, 0);
        run(vm, values, &f)
    };
    let v = native(vm, Rc::new(callback));
    Function(handle::keep(vm, v))
}

pub(crate) fn make_mut<A, R, F>(vm: &mut VmState, f: F) -> Function
where
    A: FromValues,
    R: IntoValues,
    F: FnMut(&mut dyn Context, A) -> Result<R> + Send + 'static,
{
    let f = RefCell::new(f);
    make(vm, move |cx, a| match f.try_borrow_mut() {
        Ok(mut f) => f(cx, a),
        Err(_) => Err(Error::InUse("function")),
    })
}
