//! What hosts work with: a VM, or the VM that is calling them.
//!
//! Everything that takes part in running Lua code takes a `&mut dyn Context`.
//! Outside of Lua that is the [`Vm`](crate::Vm) itself (a `&mut Vm` becomes
//! one by itself); a function called by Lua gets one as its first argument.
//! Handles like [`Table`] have no reference to their VM: they are keys, which
//! only mean something together with a context of the right VM. That is what
//! lets a VM with all its values move between threads.

use crate::builder::Chunk;
use crate::convert::{FromValue, IntoValue, IntoValues, Values};
use crate::error::{Error, Result};
use crate::function::{self, Function};
use crate::handle;
use crate::limits::Usage;
use crate::scope::Scope;
use crate::step::{self, Step};
use crate::table::Table;
use crate::thread::Thread;
use crate::userdata::{self, Class, Userdata};
use crate::value::Value;
use std::any::Any;
use vela_objects::{Gc, VmState};

/// Keeps [`Context`]'s methods to this crate.
#[derive(Clone, Copy, Debug)]
pub struct Token(());

/// A VM, at rest or running; see the [module's text](crate::Context). Only
/// types of this crate implement it.
pub trait Context {
    #[doc(hidden)]
    fn state(&mut self, token: Token) -> &mut VmState;
    #[doc(hidden)]
    fn state_ref(&self, token: Token) -> &VmState;
}

impl Context for VmState {
    fn state(&mut self, _: Token) -> &mut VmState {
        self
    }

    fn state_ref(&self, _: Token) -> &VmState {
        self
    }
}

/// The state behind a context.
pub(crate) fn state<'a>(cx: &'a mut (dyn Context + '_)) -> &'a mut VmState {
    cx.state(Token(()))
}

/// The state behind a context, to look at.
pub(crate) fn state_ref<'a>(cx: &'a (dyn Context + '_)) -> &'a VmState {
    cx.state_ref(Token(()))
}

/// Values of the host by type.
struct HostValue<T>(T);

impl dyn Context + '_ {
    /// The table of global variables.
    pub fn globals(&mut self) -> Table {
        let vm = state(self);
        let globals = vm.globals;
        Table(handle::keep(vm, vela_objects::Value::table(globals)))
    }

    /// A new, empty table.
    pub fn table(&mut self) -> Table {
        let vm = state(self);
        let t = vm.table(0, 0);
        Table(handle::keep(vm, vela_objects::Value::table(t)))
    }

    /// A new table with these entries.
    ///
    /// # Errors
    /// If a key or a value cannot be converted, or a key is nil or NaN.
    pub fn table_from<K: IntoValue, V: IntoValue>(
        &mut self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Table> {
        let t = self.table();
        for (k, v) in entries {
            t.raw_set(self, k, v)?;
        }
        Ok(t)
    }

    /// A new table with these values at 1, 2, ...
    ///
    /// # Errors
    /// If a value cannot be converted.
    pub fn sequence<V: IntoValue>(&mut self, values: impl IntoIterator<Item = V>) -> Result<Table> {
        self.table_from((1i64..).zip(values))
    }

    /// A function that Lua can call. Its arguments are converted to `A`
    /// (usually a tuple), its results from `R`. Errors that it returns and
    /// panics are raised as Lua errors.
    ///
    /// Coroutines cannot yield across it: see
    /// [`stepwise`](#method.stepwise).
    pub fn function<A, R, F>(&mut self, f: F) -> Function
    where
        A: crate::FromValues,
        R: IntoValues,
        F: Fn(&mut dyn Context, A) -> Result<R> + Send + 'static,
    {
        function::make(state(self), f)
    }

    /// As [`function`](#method.function) for closures that change what they
    /// own. Calling it while it runs is an error.
    pub fn function_mut<A, R, F>(&mut self, f: F) -> Function
    where
        A: crate::FromValues,
        R: IntoValues,
        F: FnMut(&mut dyn Context, A) -> Result<R> + Send + 'static,
    {
        function::make_mut(state(self), f)
    }

    /// A function that Lua can call and that may yield, or call functions that
    /// yield. It says step by step what is to be done, and goes on with a
    /// closure: see [`Step`].
    ///
    /// ```
    /// # fn main() -> vela::Result<()> {
    /// use vela::{Step, Thread, Vm, VmConfig};
    ///
    /// let mut vm = Vm::new(VmConfig::default())?;
    /// // Lua asks, whoever resumes the coroutine answers.
    /// let read = vm.stepwise(|cx, name: String| {
    ///     Step::yields(cx, ("read", name), |cx, text: String| {
    ///         Step::returns(cx, text.trim())
    ///     })
    /// });
    /// vm.globals().set(&mut vm, "read", read)?;
    /// let main = vm.chunk("return #read('a.txt')").into_function()?;
    /// let thread = vm.thread(&main)?;
    /// let (what, name): (String, String) = thread.resume(&mut vm, ())?;
    /// assert_eq!((&*what, &*name), ("read", "a.txt"));
    /// assert_eq!(thread.resume::<i64>(&mut vm, " text\n")?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stepwise<A, F>(&mut self, f: F) -> Function
    where
        A: crate::FromValues,
        F: Fn(&mut dyn Context, A) -> Result<Step> + Send + 'static,
    {
        step::make(state(self), f)
    }

    /// Moves a value of the host into the VM. What Lua can do with it is what
    /// its [`Class`] defines.
    ///
    /// # Errors
    /// If the class cannot be set up.
    pub fn userdata<T: Class>(&mut self, value: T) -> Result<Userdata> {
        userdata::make(self, value)
    }

    /// A new coroutine that will run `function`.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub fn thread(&mut self, function: &Function) -> Result<Thread> {
        let vm = state(self);
        let f = function.0.get(vm)?;
        let t = vm.new_thread(f);
        Ok(Thread(handle::keep(vm, vela_objects::Value::thread(t))))
    }

    /// A chunk of Lua to be run or loaded: see [`Chunk`].
    pub fn chunk<'a>(&'a mut self, source: impl AsRef<[u8]>) -> Chunk<'a> {
        Chunk::new(self, source.as_ref())
    }

    /// Runs `f` with a [`Scope`], in which functions can be made that borrow
    /// from the host's stack. They can be called until `f` returns.
    ///
    /// # Errors
    /// What `f` returns.
    ///
    /// ```
    /// # fn main() -> vela::Result<()> {
    /// let mut vm = vela::Vm::new(vela::VmConfig::default())?;
    /// let mut lines = Vec::new();
    /// vm.scope(|cx, scope| {
    ///     let log = scope.function_mut(cx, |_, line: String| {
    ///         lines.push(line);
    ///         Ok(())
    ///     })?;
    ///     cx.globals().set(cx, "log", &log)?;
    ///     cx.chunk("log('one') log('two')").exec()
    /// })?;
    /// assert_eq!(lines, ["one", "two"]);
    /// assert!(vm.chunk("log('three')").exec().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn scope<'env, R>(
        &mut self,
        f: impl for<'scope> FnOnce(&mut dyn Context, &'scope Scope<'scope, 'env>) -> Result<R>,
    ) -> Result<R> {
        crate::scope::run(self, f)
    }

    /// Converts a value of the host.
    ///
    /// # Errors
    /// As the conversion says.
    pub fn to_value(&mut self, v: impl IntoValue) -> Result<Value> {
        v.into_value(self)
    }

    /// Converts a value for the host.
    ///
    /// # Errors
    /// [`Error::Conversion`].
    pub fn from_value<T: FromValue>(&mut self, v: Value) -> Result<T> {
        T::from_value(v, self)
    }

    /// The text of a value, as `tostring` gives it: by `__tostring` if there is
    /// one.
    ///
    /// # Errors
    /// What the metamethod raises, [`Error::WrongVm`].
    ///
    /// ```
    /// # fn main() -> vela::Result<()> {
    /// let mut vm = vela::Vm::new(vela::VmConfig::default())?;
    /// let point = vm.chunk("setmetatable({}, {__tostring = function() return '(1, 2)' end})");
    /// let point = point.eval()?;
    /// assert_eq!(vm.text_of(&point)?, b"(1, 2)");
    /// # Ok(())
    /// # }
    /// ```
    pub fn text_of(&mut self, v: &Value) -> Result<Vec<u8>> {
        let vm = state(self);
        let v = v.lower(vm)?;
        function::protect(vm, |vm| Ok(vm.tostring(v)?.bytes().to_vec()))
    }

    /// Stores a value in the registry, which Lua code cannot reach (except with
    /// the `debug` library). nil removes it.
    ///
    /// # Errors
    /// If the value cannot be converted.
    pub fn set_registered(&mut self, name: &str, v: impl IntoValue) -> Result<()> {
        let v = v.into_value(self)?;
        let vm = state(self);
        let raw = v.lower(vm)?;
        let t = host_registry(vm);
        let key = vm.str(name.as_bytes());
        t.set_str(vm, key, raw);
        Ok(())
    }

    /// A value from the registry, nil if there is none of that name.
    ///
    /// # Errors
    /// [`Error::Conversion`].
    pub fn registered<T: FromValue>(&mut self, name: &str) -> Result<T> {
        let vm = state(self);
        let t = host_registry(vm);
        let key = vm.str(name.as_bytes());
        let v = Value::lift(vm, t.get_str(key));
        T::from_value(v, self)
    }

    /// Keeps a value of the host with the VM, one of each type; returns the
    /// one that was there.
    pub fn set_host<T: Send + 'static>(&mut self, value: T) -> Option<T> {
        let old = self.take_host();
        let value: Box<dyn Any> = Box::new(HostValue(value));
        state(self).host.push(value);
        old
    }

    /// The host's value of this type, if there is one.
    #[must_use]
    pub fn host<T: Send + 'static>(&self) -> Option<&T> {
        state_ref(self).host_state::<HostValue<T>>().map(|h| &h.0)
    }

    /// The host's value of this type, to change.
    #[must_use]
    pub fn host_mut<T: Send + 'static>(&mut self) -> Option<&mut T> {
        let all = state(self).host.iter_mut();
        let mut of_type = all.filter_map(|h| h.downcast_mut::<HostValue<T>>());
        of_type.next().map(|h| &mut h.0)
    }

    /// Takes the host's value of this type out of the VM.
    pub fn take_host<T: Send + 'static>(&mut self) -> Option<T> {
        let all = &mut state(self).host;
        let at = all.iter().position(|h| h.is::<HostValue<T>>())?;
        let value = all.remove(at).downcast::<HostValue<T>>();
        value.ok().map(|h| h.0)
    }

    /// Collects all garbage, and calls finalizers. Does nothing inside one.
    ///
    /// # Errors
    /// None at present; errors in finalizers are warnings.
    pub fn collect_garbage(&mut self) -> Result<()> {
        let vm = state(self);
        handle::settle(vm);
        function::protect(vm, |vm| {
            vm.collect_garbage();
            Ok(())
        })
    }

    /// What the VM uses at present.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let vm = state_ref(self);
        Usage {
            memory: vm.heap.bytes_in_use(),
            coroutines: vm.coroutines_with_stacks(),
        }
    }

    /// Raises `error` as a Lua error would be: for use with `?`.
    ///
    /// # Errors
    /// Always: the text with the position of the Lua function that called.
    pub fn raise<T>(&mut self, message: impl AsRef<str>) -> Result<T> {
        let vm = state(self);
        let text = format!("{}{}", vm.where_am_i(1), message.as_ref());
        Err(Error::raised(vm, text.as_bytes()))
    }

    /// The stack of calls as text.
    pub fn traceback(&mut self) -> String {
        state(self).traceback(None, 0)
    }

    /// All values of a conversion, for calls.
    pub(crate) fn values_of(&mut self, v: impl IntoValues) -> Result<Values> {
        v.into_values(self)
    }
}

/// The host's part of the registry.
fn host_registry(vm: &mut VmState) -> Gc<vela_objects::Table> {
    const KEY: &[u8] = b"_VELA_HOST";
    let key = vm.str(KEY);
    if let Some(t) = vm.registry.get_str(key).as_table() {
        return t;
    }
    let t = vm.table(0, 0);
    let registry = vm.registry;
    registry.set_str(vm, key, vela_objects::Value::table(t));
    t
}
