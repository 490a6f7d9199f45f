//! Functions that borrow from the host's stack.
//!
//! This module has unsafe code: closures with a lifetime are put into a VM,
//! whose objects have none. What makes it sound is that the closures are gone
//! before the lifetime ends: [`run`] empties their cells on every way out. A
//! call in progress at that moment would be a frame on a suspended coroutine's
//! stack, but coroutines cannot yield across functions of hosts.
#![allow(unsafe_code)]

use crate::context::{Context, state};
use crate::convert::{FromValues, IntoValues};
use crate::error::{Error, Result};
use crate::function::{Callback, Function, arguments, native, run as convert};
use crate::handle;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use vela_objects::{Args, NativeResult, VmState};

/// A callback that borrows.
type Borrowing<'scope> = dyn Fn(&mut VmState, Args) -> NativeResult + 'scope;

/// A closure that is taken away at the end of the scope.
type Slot = Rc<RefCell<Option<Rc<Callback>>>>;

/// Makes functions that borrow from the host's stack; see
/// [`scope`](trait.Context.html#method.scope).
///
/// What they borrow must live longer than the scope:
///
/// ```compile_fail
/// # fn main() -> vela::Result<()> {
/// let mut vm = vela::Vm::new(vela::VmConfig::default())?;
/// vm.scope(|cx, scope| {
///     let inside = String::from("gone too early");
///     let f = scope.function(cx, |_, ()| Ok(inside.len()))?;
///     f.call::<()>(cx, ())
/// })?;
/// # Ok(())
/// # }
/// ```
///
/// and cannot be used by others meanwhile:
///
/// ```compile_fail
/// # fn main() -> vela::Result<()> {
/// let mut vm = vela::Vm::new(vela::VmConfig::default())?;
/// let mut n = 0;
/// vm.scope(|cx, scope| {
///     let count = scope.function_mut(cx, |_, ()| { n += 1; Ok(()) })?;
///     println!("{n}");
///     count.call::<()>(cx, ())
/// })?;
/// # Ok(())
/// # }
/// ```
pub struct Scope<'scope, 'env: 'scope> {
    slots: Rc<Slots>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl std::fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope")
            .field("functions", &self.slots.0.borrow().len())
            .finish()
    }
}

/// The closures of a scope.
#[derive(Default)]
struct Slots(RefCell<Vec<Slot>>);

/// Takes the closures away when it goes.
struct End(Rc<Slots>);

impl Drop for End {
    fn drop(&mut self) {
        for slot in self.0.0.take() {
            // Borrowed only for the moment of taking a clone.
            slot.borrow_mut().take();
        }
    }
}

impl<'scope> Scope<'scope, '_> {
    /// A function that may borrow what lives longer than the scope.
    ///
    /// # Errors
    /// None at present.
    pub fn function<A, R, F>(&'scope self, cx: &mut dyn Context, f: F) -> Result<Function>
    where
        A: FromValues + 'scope,
        R: IntoValues + 'scope,
        F: Fn(&mut dyn Context, A) -> Result<R> + 'scope,
    {
        let callback = move |vm: &mut VmState, args: Args| -> NativeResult {
            let values = arguments(vm, args, 0);
            convert(vm, values, &f)
        };
        let callback: Rc<Borrowing<'scope>> = Rc::new(callback);
        // SAFETY: only the lifetime changes. The scope's end, which comes
        // before the end of 'scope, takes the closure out of the slot; calls
        // hold a clone no longer than they run, and none runs at that time
        // (module text).
        let callback: Rc<Callback> = unsafe { std::mem::transmute(callback) };
        let slot: Slot = Rc::new(RefCell::new(Some(callback)));
        self.slots.0.borrow_mut().push(slot.clone());
        let vm = state(cx);
        let f = native(
            vm,
            Rc::new(move |vm, args| {
                let f = slot.borrow().clone();
                match f {
                    Some(f) => f(vm, args),
                    None => Err(Error::ScopeEnded.raise(vm)),
                }
            }),
        );
        Ok(Function(handle::keep(vm, f)))
    }

    /// As [`Scope::function`] for closures that change what they borrow or
    /// own. Calling it while it runs is an error.
    ///
    /// # Errors
    /// None at present.
    pub fn function_mut<A, R, F>(&'scope self, cx: &mut dyn Context, f: F) -> Result<Function>
    where
        A: FromValues + 'scope,
        R: IntoValues + 'scope,
        F: FnMut(&mut dyn Context, A) -> Result<R> + 'scope,
    {
        let f = RefCell::new(f);
        self.function(cx, move |cx: &mut dyn Context, a| {
            match f.try_borrow_mut() {
                Ok(mut f) => f(cx, a),
                Err(_) => Err(Error::InUse("function")),
            }
        })
    }
}

pub(crate) fn run<'env, R>(
    cx: &mut (dyn Context + '_),
    f: impl for<'scope> FnOnce(&mut dyn Context, &'scope Scope<'scope, 'env>) -> Result<R>,
) -> Result<R> {
    let slots = Rc::<Slots>::default();
    let _end = End(slots.clone());
    let scope = Scope {
        slots,
        scope: PhantomData,
        env: PhantomData,
    };
    f(state(cx), &scope)
}
