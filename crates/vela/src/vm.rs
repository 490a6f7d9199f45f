//! VMs.

use crate::chunk::{self, load_hook};
use crate::context::{Context, Token};
use crate::convert::Values;
use crate::engine::Program;
use crate::error::{Error, Result};
use crate::function::{self, Function};
use crate::handle;
use crate::libraries::{self, Libraries};
use crate::limits::{self, Limits};
use crate::tier::{self, Backend};
use crate::userdata;
use crate::value::Value;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use vela_objects::interrupt::{Cause, Interrupt};
use vela_objects::{NativeFn, Ret, VmState};
use vela_runtime_integration::JitConfig;
use vela_stdlib::{os, output, package, register};

/// How a VM is made.
#[derive(Clone, Debug, Default)]
pub struct VmConfig {
    /// The optimizing tier; no effect in a build without it.
    pub jit: JitConfig,
    /// What runs optimized code.
    pub backend: Backend,
    /// The standard libraries.
    pub libraries: Libraries,
    /// What programs may use.
    pub limits: Limits,
    /// Whether `LUA_PATH` and the like are ignored.
    pub ignore_environment: bool,
    /// Collect garbage at every opportunity: slow, for tests.
    pub gc_stress: bool,
    /// Defines the global function `__vela_jit_stats`, which returns how many
    /// functions were compiled and how many side exits taken; for tests.
    pub jit_stats_function: bool,
    /// Seed of string hashing; `None` draws one.
    pub hash_seed: Option<u64>,
}

impl VmConfig {
    /// For code that is not trusted: only libraries that compute, no
    /// environment variables, and these limits.
    #[must_use]
    pub fn sandbox(limits: Limits) -> VmConfig {
        VmConfig {
            libraries: Libraries::SANDBOX,
            limits,
            ignore_environment: true,
            ..VmConfig::default()
        }
    }
}

/// A Lua virtual machine.
///
/// A VM may move between threads, but runs on one at a time; it is a
/// [`Context`], with the methods listed there.
///
/// Several threads cannot use it at once, so it is not `Sync`:
///
/// ```compile_fail
/// fn is_sync<T: Sync>() {}
/// is_sync::<vela::Vm>();
/// ```
///
/// Functions of hosts must be able to move along, so they own what they use,
/// and that must be `Send`:
///
/// ```compile_fail
/// let mut vm = vela::Vm::new(vela::VmConfig::default()).unwrap();
/// let shared = std::rc::Rc::new(1);
/// vm.function(move |_, ()| Ok(*shared));
/// ```
///
/// What they use must live as long as the VM may
/// ([`scope`](trait.Context.html#method.scope) is for what does not):
///
/// ```compile_fail
/// let mut vm = vela::Vm::new(vela::VmConfig::default()).unwrap();
/// let local = String::from("on the stack");
/// vm.function(|_, ()| Ok(local.len()));
/// ```
///
/// They get the VM from their caller and cannot use it by another way:
///
/// ```compile_fail
/// let mut vm = vela::Vm::new(vela::VmConfig::default()).unwrap();
/// let f = vm.function(|_, ()| { vm.globals(); Ok(()) });
/// ```
///
/// and not any longer than the call:
///
/// ```compile_fail
/// let mut vm = vela::Vm::new(vela::VmConfig::default()).unwrap();
/// let mut kept = None;
/// vm.scope(|cx, scope| {
///     scope.function_mut(cx, |cx, ()| { kept = Some(cx); Ok(()) })
/// }).unwrap();
/// ```
///
/// A value of the host that is borrowed from the VM is given back before Lua
/// code, which might replace it, runs:
///
/// ```compile_fail
/// let mut vm = vela::Vm::new(vela::VmConfig::default()).unwrap();
/// vm.set_host(String::from("text"));
/// let text: &String = vm.host().unwrap();
/// vm.chunk("f()").exec().unwrap();
/// println!("{text}");
/// ```
///
/// A chunk that is being set up has the VM until it is run or loaded:
///
/// ```compile_fail
/// let mut vm = vela::Vm::new(vela::VmConfig::default()).unwrap();
/// let chunk = vm.chunk("return 1");
/// vm.collect_garbage().unwrap();
/// chunk.exec().unwrap();
/// ```
pub struct Vm {
    state: Box<VmState>,
}

#[allow(unsafe_code)]
mod send {
    // SAFETY: a VM has raw pointers and reference counts inside, but all that
    // they refer to is reached through this one owner:
    // - Nothing of it is handed out. Handles hold a number and a list behind a
    //   lock; [`Interrupt`] takes a lock, too; what hosts get to see by
    //   reference is borrowed from the context.
    // - What hosts put in (functions, userdata, host values, writers) is
    //   `Send` by the bounds of the methods that take it. Functions of scopes
    //   need not be, but are gone when their scope, which borrows the VM, ends.
    // - Stacks of suspended coroutines move along. On them are frames of Lua
    //   functions and of this project's crates, which keep nothing of a thread
    //   in them; closures of hosts are never running on a suspended stack,
    //   because coroutines cannot yield across them, and those that a step left
    //   there to go on with are `Send`.
    // - Code runs on the VM's own stacks; thread-local state of the crates
    //   below is scratch memory of the code generator.
    unsafe impl Send for super::Vm {}
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm")
            .field("usage", &self.usage())
            .finish_non_exhaustive()
    }
}

impl Context for Vm {
    fn state(&mut self, _: Token) -> &mut VmState {
        &mut self.state
    }

    fn state_ref(&self, _: Token) -> &VmState {
        &self.state
    }
}

impl Deref for Vm {
    type Target = dyn Context;
    fn deref(&self) -> &(dyn Context + 'static) {
        self
    }
}

impl DerefMut for Vm {
    fn deref_mut(&mut self) -> &mut (dyn Context + 'static) {
        self
    }
}

impl Drop for Vm {
    /// Calls the finalizers of all objects that have one.
    fn drop(&mut self) {
        self.close();
    }
}

impl Vm {
    /// A VM.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is out of bounds,
    /// [`Error::Memory`] if the stacks cannot be reserved, [`Error::Tier`] if
    /// the compiling threads cannot be started.
    pub fn new(config: VmConfig) -> Result<Vm> {
        config.jit.validate()?;
        let seed = config.hash_seed.unwrap_or_else(draw_seed);
        let mut state = vela_interpreter::new_vm(seed).map_err(|e| Error::Memory(Arc::new(e)))?;
        let vm = &mut *state;
        vm.hooks.load = load_hook;
        handle::install(vm);
        function::install(vm);
        userdata::install(vm);
        let registry = vm.registry;
        let ignore = vela_objects::Value::bool(config.ignore_environment);
        register::set_field(vm, registry, package::NO_ENVIRONMENT, ignore);
        libraries::open(vm, config.libraries);
        tier::install(vm, &config.jit, config.backend)?;
        if config.jit_stats_function {
            define_stats_function(vm);
        }
        os::set_exit_hook(vm, |state| tier::stop(state));
        vm.set_gc_stress(config.gc_stress || config.jit.gc_stress);
        limits::set(vm, &config.limits);
        Ok(Vm { state })
    }

    /// A VM for code that is not trusted; see [`VmConfig::sandbox`].
    ///
    /// # Errors
    /// As [`Vm::new`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use vela::{Limits, Vm};
    ///
    /// # fn main() -> vela::Result<()> {
    /// let mut vm = Vm::sandbox(Limits {
    ///     memory: Some(16 << 20),
    ///     time: Some(Duration::from_millis(100)),
    ///     ..Limits::default()
    /// })?;
    /// let e = vm.chunk("while true do end").exec().unwrap_err();
    /// assert_eq!(e.to_string(), "time limit exceeded");
    /// let e = vm.chunk("return ('x'):rep(1 << 30)").exec().unwrap_err();
    /// assert!(e.to_string().ends_with("not enough memory"));
    /// assert_eq!(vm.chunk("1 + 1").eval::<i64>()?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn sandbox(limits: Limits) -> Result<Vm> {
        Vm::new(VmConfig::sandbox(limits))
    }

    /// Changes the limits.
    pub fn set_limits(&mut self, limits: &Limits) {
        limits::set(&mut self.state, limits);
    }

    /// A handle with which any thread can stop what the VM runs: the error
    /// `interrupted!` is raised at the next call or end of a loop's body, and
    /// again at each one after that until [`Vm::clear_interrupt`]. Programs
    /// can catch it, but that does not get them on.
    ///
    /// ```
    /// use vela::{Cause, Vm, VmConfig};
    ///
    /// # fn main() -> vela::Result<()> {
    /// let mut vm = Vm::new(VmConfig::default())?;
    /// let handle = vm.interrupt_handle();
    /// let other = std::thread::spawn(move || handle.raise(Cause::Host));
    /// let e = vm.chunk("while true do pcall(function() end) end").exec().unwrap_err();
    /// assert_eq!(e.to_string(), "interrupted!");
    /// other.join().expect("it does not panic");
    /// vm.clear_interrupt();
    /// assert_eq!(vm.chunk("1 + 1").eval::<i64>()?, 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn interrupt_handle(&self) -> Interrupt {
        self.state.interrupt_handle()
    }

    /// Takes interrupts by the host back, so that code can run again.
    pub fn clear_interrupt(&mut self) {
        self.state.clear_interrupt(Cause::Host);
        self.state.clear_interrupt(Cause::Once);
    }

    // ---- chunks --------------------------------------------------------

    /// Compiles a chunk (source, or a binary chunk) into a function. `name` is
    /// `@file`, `=name`, or the source itself. Short for
    /// [`chunk`](trait.Context.html#method.chunk) in any mode.
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn load(&mut self, source: &[u8], name: &str) -> Result<Function> {
        let chunk = self.chunk(source).name(name);
        chunk.mode(crate::Mode::Any).into_function()
    }

    /// Loads a file, `None` being the standard input. A first line that starts
    /// with `#` is skipped; a name that ends in `.vasm` is assembler text.
    ///
    /// # Errors
    /// [`Error::Syntax`], also for a file that cannot be read.
    pub fn load_file(&mut self, path: Option<&str>) -> Result<Function> {
        if let Some(path) = path.filter(|p| p.ends_with(".vasm")) {
            let text = std::fs::read_to_string(path).map_err(|e| Error::Syntax {
                message: format!("cannot open {path}: {}", vela_stdlib::sys::error_text(&e)),
            })?;
            return self.assemble(&text, path);
        }
        let env = vela_objects::Value::table(self.state.globals);
        let path = path.map(str::as_bytes);
        let f = vela_stdlib::chunk::load_file(&mut self.state, path, "bt", env);
        let f = f.map_err(|message| Error::Syntax { message })?;
        Ok(Function(handle::keep(&mut self.state, f)))
    }

    /// Assembles bytecode text into a function; see [`chunk::assemble`].
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn assemble(&mut self, text: &str, name: &str) -> Result<Function> {
        let proto = chunk::assemble(text, name).map_err(|message| Error::Syntax { message })?;
        self.load_program(&Program(proto))
    }

    /// Loads a program that an [`Engine`](crate::Engine) has compiled.
    ///
    /// # Errors
    /// None at present.
    pub fn load_program(&mut self, program: &Program) -> Result<Function> {
        let vm = &mut *self.state;
        let proto = vm.load_proto(&program.0);
        let env = vela_objects::Value::table(vm.globals);
        let f = vela_stdlib::chunk::main_function(vm, proto, env);
        Ok(Function(handle::keep(vm, f)))
    }

    /// Loads a chunk and runs it.
    ///
    /// # Errors
    /// [`Error::Syntax`], [`Error::Runtime`].
    pub fn exec(&mut self, source: &[u8], name: &str) -> Result<Vec<Value>> {
        let f = self.load(source, name)?;
        self.call(&f, &[])
    }

    /// Calls a function with values as they are; see [`Function::call`] for
    /// conversions.
    ///
    /// # Errors
    /// [`Error::Runtime`] if it raises an error, [`Error::WrongVm`].
    pub fn call(&mut self, f: &Function, args: &[Value]) -> Result<Vec<Value>> {
        let values: Values = f.call_values(&mut self.state, args)?;
        Ok(values.into_iter().collect())
    }

    /// Compiles a Lua function now instead of when it is hot; returns the time
    /// it took. The function's feedback so far is used: one that never ran is
    /// compiled without speculation.
    ///
    /// # Errors
    /// [`Error::Tier`]: no tier in this VM, or why the function stays
    /// interpreted. [`Error::WrongVm`].
    pub fn compile(&mut self, f: &Function) -> Result<std::time::Duration> {
        let f = f.0.get(&mut self.state)?;
        Ok(tier::compile(&mut self.state, f)?)
    }

    // ---- globals -------------------------------------------------------

    /// A global variable, without metamethods.
    ///
    /// # Errors
    /// None at present.
    pub fn global(&mut self, name: &str) -> Result<Value> {
        let key = self.state.str(name.as_bytes());
        let v = self.state.globals.get_str(key);
        Ok(Value::lift(&mut self.state, v))
    }

    /// Sets a global variable, without metamethods.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub fn set_global(&mut self, name: &str, v: impl Into<Value>) -> Result<()> {
        let v = v.into().lower(&mut self.state)?;
        let globals = self.state.globals;
        register::set_field(&mut self.state, globals, name, v);
        Ok(())
    }

    /// Makes a native function, written against the VM's own representation, a
    /// global variable. For tests and tools: such a function must not leave
    /// anything of its thread on its stack when it calls Lua code that yields.
    #[doc(hidden)]
    pub fn set_native(&mut self, name: &'static str, f: NativeFn) {
        let f = self.state.native(name, f);
        let globals = self.state.globals;
        register::set_field(
            &mut self.state,
            globals,
            name,
            vela_objects::Value::native_fn(f),
        );
    }

    // ---- output, end ---------------------------------------------------

    /// Sends what `print` and `io.write` write to `writer`.
    pub fn set_stdout(&mut self, writer: Box<dyn std::io::Write + Send>) {
        output::set_stdout(&mut self.state, writer);
    }

    /// Writes out everything that is buffered: standard output and open files.
    pub fn flush(&mut self) {
        vela_stdlib::io::flush_all(&mut self.state);
    }

    fn close(&mut self) {
        self.clear_interrupt();
        // What goes wrong in finalizers are warnings.
        let _ = function::protect(&mut self.state, |vm| {
            vm.close();
            Ok(())
        });
        self.flush();
    }

    /// Ends the process with the VM: finalizers run and buffers are written,
    /// but a compilation in progress is not waited for.
    pub fn end_process(mut self, status: i32) -> ! {
        self.close();
        if tier::is_compiling(&self.state) {
            vela_objects::process::exit_now(status);
        }
        std::process::exit(status)
    }

    /// Switches the messages of `warn` on or off, as `warn("@on")` does.
    pub fn set_warnings(&mut self, on: bool) {
        vela_stdlib::base::set_warnings(&mut self.state, on);
    }

    /// Has `os.exit` run `hook` before it ends the process.
    pub fn on_exit(&mut self, mut hook: impl FnMut(&mut VmState) + Send + 'static) {
        os::set_exit_hook(&mut self.state, move |state| {
            hook(state);
            tier::stop(state);
        });
    }

    /// The VM's own state, for natives and tools.
    #[doc(hidden)]
    pub fn state(&mut self) -> &mut VmState {
        &mut self.state
    }

    /// Counters of the optimizing tier as a JSON object, `None` without it.
    #[must_use]
    pub fn jit_stats(&self, full: bool) -> Option<String> {
        tier::stats(&self.state, full)
    }
}

fn draw_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

fn define_stats_function(vm: &mut VmState) {
    let counts = vm.native("__vela_jit_stats", |vm, _| {
        let (compiled, deopts) = tier::counts(vm);
        vm.push(vela_objects::Value::int(compiled as i64))?;
        vm.push(vela_objects::Value::int(deopts as i64))?;
        Ok(Ret::Many(2))
    });
    let globals = vm.globals;
    let counts = vela_objects::Value::native_fn(counts);
    register::set_field(vm, globals, "__vela_jit_stats", counts);
}
