//! Functions of hosts that yield and call in steps.
//!
//! A closure of a host may keep things on its stack that belong to its thread,
//! so a coroutine cannot be suspended while one runs. A function made by
//! [`stepwise`](trait.Context.html#method.stepwise) says instead what comes
//! next, and with which closure it goes on: between two steps nothing of it is
//! on the stack, and what it keeps is in closures that are `Send`.

use crate::context::Context;
use crate::convert::{FromValues, IntoValues, Values};
use crate::error::Result;
use crate::function::{Function, arguments, guarded, lifted, lower_all, results};
use crate::handle;
use std::rc::Rc;
use vela_objects::{Args, NativeResult, VmState};
use vela_stdlib::args;

/// What a function goes on with.
type Then = Box<dyn FnOnce(&mut VmState, Values) -> Result<Step> + Send>;

/// What a function made by [`stepwise`](trait.Context.html#method.stepwise)
/// does next.
///
/// - An error that a step returns, or that a called function raises, is raised
///   from the function; the closures behind it are dropped.
/// - A coroutine that is closed or collected while it waits drops the closure
///   that it would have gone on with.
/// - Yielding outside of a coroutine, or below a function of a host that is
///   not stepwise, is the error that `coroutine.yield` raises there.
///
/// What a step keeps for the next one moves with the coroutine, so it is
/// `Send`, and owned:
///
/// ```compile_fail
/// let mut vm = vela::Vm::new(vela::VmConfig::default()).unwrap();
/// vm.stepwise(|cx, ()| {
///     let kept = std::rc::Rc::new(1);
///     vela::Step::yields(cx, (), move |cx, ()| vela::Step::returns(cx, *kept))
/// });
/// ```
///
/// ```compile_fail
/// let mut vm = vela::Vm::new(vela::VmConfig::default()).unwrap();
/// vm.stepwise(|cx, ()| {
///     let local = String::from("on the stack");
///     vela::Step::yields(cx, (), |cx, ()| vela::Step::returns(cx, local.len() as i64))
/// });
/// ```
pub struct Step(Next);

enum Next {
    Return(Values),
    Yield(Values, Then),
    Call(Function, Values, Then),
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Next::Return(_) => "Step::returns",
            Next::Yield(..) => "Step::yields",
            Next::Call(..) => "Step::calls",
        })
    }
}

impl Step {
    /// The function returns these values.
    ///
    /// # Errors
    /// If they cannot be converted.
    pub fn returns(cx: &mut dyn Context, values: impl IntoValues) -> Result<Step> {
        Ok(Step(Next::Return(values.into_values(cx)?)))
    }

    /// The coroutine yields these values; `then` gets those that it is resumed
    /// with.
    ///
    /// # Errors
    /// If `values` cannot be converted.
    pub fn yields<A: FromValues>(
        cx: &mut dyn Context,
        values: impl IntoValues,
        then: impl FnOnce(&mut dyn Context, A) -> Result<Step> + Send + 'static,
    ) -> Result<Step> {
        Ok(Step(Next::Yield(values.into_values(cx)?, boxed(then))))
    }

    /// Calls `f`, which may yield; `then` gets its results.
    ///
    /// # Errors
    /// If `args` cannot be converted.
    pub fn calls<A: FromValues>(
        cx: &mut dyn Context,
        f: &Function,
        args: impl IntoValues,
        then: impl FnOnce(&mut dyn Context, A) -> Result<Step> + Send + 'static,
    ) -> Result<Step> {
        let args = args.into_values(cx)?;
        Ok(Step(Next::Call(f.clone(), args, boxed(then))))
    }
}

fn boxed<A: FromValues>(
    then: impl FnOnce(&mut dyn Context, A) -> Result<Step> + Send + 'static,
) -> Then {
    Box::new(|vm, values| {
        let values = A::from_values(values, vm)?;
        then(vm, values)
    })
}

/// The first step.
type First = dyn Fn(&mut VmState, Values) -> Result<Step>;

/// What the native function captures.
struct Captured(Rc<First>);

pub(crate) fn make<A, F>(vm: &mut VmState, f: F) -> Function
where
    A: FromValues,
    F: Fn(&mut dyn Context, A) -> Result<Step> + Send + 'static,
{
    let first = move |vm: &mut VmState, values: Values| {
        let values = A::from_values(values, vm)?;
        f(vm, values)
    };
    let data = vm.userdata(Box::new(Captured(Rc::new(first))), None);
    let captured = [vela_objects::Value::userdata(data)];
    let native = vm.native_with("function of the host", enter, &captured);
    Function(handle::keep(vm, vela_objects::Value::native_fn(native)))
}

/// Runs the steps.
fn enter(vm: &mut VmState, args: Args) -> NativeResult {
    let data = args::upvalue(vm, 0).as_userdata();
    let Some(first) = data.and_then(|d| d.with(|c: &Captured| c.0.clone())) else {
        return Err(vm.error("the function is gone"));
    };
    let values = arguments(vm, args, 0);
    let height = vm.height();
    let mut step = guarded(vm, |vm| first(vm, values).map_err(|e| e.raise(vm)))?;
    drop(first);
    loop {
        let (count, then) = match step.0 {
            Next::Return(values) => return results(vm, &values),
            Next::Yield(values, then) => {
                for v in lower_all(vm, &values)? {
                    vm.push(v)?;
                }
                drop(values);
                (vm.yield_pushed(vm.height() - height)?, then)
            }
            Next::Call(f, values, then) => {
                let raw = lower_all(vm, &values)?;
                let f = f.0.get(vm).map_err(|e| e.raise(vm))?;
                (vm.call_multi(f, &raw)?, then)
            }
        };
        let values = lifted(vm, count as usize);
        vm.truncate(height);
        step = guarded(vm, |vm| then(vm, values).map_err(|e| e.raise(vm)))?;
    }
}
