//! A VM for hosts.

use crate::chunk;
use crate::error::Error;
use crate::tier::{self, Backend};
use crate::value::Value;
use std::cell::RefCell;
use std::rc::Rc;
use vela_objects::meta::Event;
use vela_objects::{Args, NativeFn, NativeResult, Ret, Tag, VmState};
use vela_runtime_integration::JitConfig;
use vela_stdlib::{os, output, package, register};

/// Registry key of the table that keeps functions of handles alive.
const HANDLES: &str = "_VELA_HANDLES";

/// How a VM is made.
#[derive(Clone, Debug, Default)]
pub struct VmConfig {
    /// The optimizing tier; no effect in a build without it.
    pub jit: JitConfig,
    /// What runs optimized code.
    pub backend: Backend,
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

/// Slots of the handle table that are free again.
type FreeSlots = Rc<RefCell<Vec<i64>>>;

#[derive(Debug)]
struct Handle {
    slot: i64,
    free: FreeSlots,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.free.borrow_mut().push(self.slot);
    }
}

/// A function of a VM. The VM keeps it alive while the handle or a clone
/// exists.
#[derive(Clone, Debug)]
pub struct Function(Rc<Handle>);

impl PartialEq for Function {
    /// Whether both are the same handle.
    fn eq(&self, other: &Function) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// A Lua virtual machine with the standard libraries.
pub struct Vm {
    state: Box<VmState>,
    free: FreeSlots,
    next: i64,
}

impl Drop for Vm {
    /// Calls the finalizers of all objects that have one.
    fn drop(&mut self) {
        machine::close(&mut self.state);
        vela_stdlib::io::flush_all(&mut self.state);
    }
}

impl Vm {
    /// A VM with the standard libraries open.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is out of bounds,
    /// [`Error::Memory`] if the stacks cannot be reserved.
    pub fn new(config: VmConfig) -> Result<Vm, Error> {
        config.jit.validate()?;
        let mut state = machine::make(&config)?;
        let registry = state.registry;
        register::set_field(
            &mut state,
            registry,
            package::NO_ENVIRONMENT,
            vela_objects::Value::bool(config.ignore_environment),
        );
        let handles = state.table(0, 0);
        register::set_field(
            &mut state,
            registry,
            HANDLES,
            vela_objects::Value::table(handles),
        );
        vela_stdlib::open_all(&mut state);
        tier::install(&mut state, &config.jit, config.backend)?;
        if config.jit_stats_function {
            let counts = state.native("__vela_jit_stats", |vm, _| {
                let (compiled, deopts) = tier::counts(vm);
                vm.push(vela_objects::Value::int(compiled as i64))?;
                vm.push(vela_objects::Value::int(deopts as i64))?;
                Ok(Ret::Many(2))
            });
            let globals = state.globals;
            register::set_field(
                &mut state,
                globals,
                "__vela_jit_stats",
                vela_objects::Value::native_fn(counts),
            );
        }
        os::set_exit_hook(&mut state, |state| tier::stop(state));
        state.set_gc_stress(config.gc_stress || config.jit.gc_stress);
        Ok(Vm {
            state,
            free: FreeSlots::default(),
            next: 1,
        })
    }

    /// Compiles a chunk (source, or a binary chunk) into a function. `name` is
    /// `@file`, `=name`, or the source itself.
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn load(&mut self, source: &[u8], name: &str) -> Result<Function, Error> {
        let env = vela_objects::Value::table(self.state.globals);
        let f = vela_stdlib::chunk::load(&mut self.state, source, name, "bt", env);
        let f = f.map_err(|message| Error::Syntax { message })?;
        Ok(self.handle(f))
    }

    /// Loads a file, `None` being the standard input. A first line that starts
    /// with `#` is skipped; a name that ends in `.vasm` is assembler text.
    ///
    /// # Errors
    /// [`Error::Syntax`], also for a file that cannot be read.
    pub fn load_file(&mut self, path: Option<&str>) -> Result<Function, Error> {
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
        Ok(self.handle(f))
    }

    /// Assembles bytecode text into a function; see [`chunk::assemble`].
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn assemble(&mut self, text: &str, name: &str) -> Result<Function, Error> {
        let proto = chunk::assemble(text, name).map_err(|message| Error::Syntax { message })?;
        let proto = self.state.load_proto(&proto);
        let env = vela_objects::Value::table(self.state.globals);
        let f = vela_stdlib::chunk::main_function(&mut self.state, proto, env);
        Ok(self.handle(f))
    }

    /// Loads a chunk and runs it.
    ///
    /// # Errors
    /// [`Error::Syntax`], [`Error::Runtime`].
    pub fn exec(&mut self, source: &[u8], name: &str) -> Result<Vec<Value>, Error> {
        let f = self.load(source, name)?;
        self.call(&f, &[])
    }

    /// Calls a function of this VM.
    ///
    /// # Errors
    /// [`Error::Runtime`] if it raises an error.
    ///
    /// # Panics
    /// If the function, or one among the arguments, belongs to another VM.
    pub fn call(&mut self, f: &Function, args: &[Value]) -> Result<Vec<Value>, Error> {
        let f = self.function(f);
        let args: Vec<vela_objects::Value> = args.iter().map(|v| self.lower(v)).collect();
        let outcome = machine::call(&mut self.state, f, &args);
        self.finish(outcome)
    }

    /// Compiles a Lua function now instead of when it is hot; returns the time
    /// it took. The function's feedback so far is used: one that never ran is
    /// compiled without speculation.
    ///
    /// # Errors
    /// [`Error::Tier`]: no tier in this VM, or why the function stays
    /// interpreted.
    ///
    /// # Panics
    /// If the function belongs to another VM.
    pub fn compile(&mut self, f: &Function) -> Result<std::time::Duration, Error> {
        let f = self.function(f);
        Ok(tier::compile(&mut self.state, f)?)
    }

    /// A global variable, without metamethods.
    ///
    /// # Errors
    /// None at present.
    pub fn global(&mut self, name: &str) -> Result<Value, Error> {
        let key = self.state.str(name.as_bytes());
        let v = self.state.globals.get_str(key);
        Ok(self.lift(v))
    }

    /// Sets a global variable, without metamethods.
    ///
    /// # Errors
    /// None at present.
    pub fn set_global(&mut self, name: &str, v: impl Into<Value>) -> Result<(), Error> {
        let v = self.lower(&v.into());
        let globals = self.state.globals;
        register::set_field(&mut self.state, globals, name, v);
        Ok(())
    }

    /// Sets a global variable to a table with these fields.
    pub fn set_global_table(
        &mut self,
        name: &str,
        fields: impl IntoIterator<Item = (Value, Value)>,
    ) {
        let t = self.state.table(0, 0);
        for (k, v) in fields {
            let (k, v) = (self.lower(&k), self.lower(&v));
            // Nil and NaN cannot be keys; such fields are not in any table.
            let _ = t.set(&mut self.state, k, v);
        }
        let globals = self.state.globals;
        register::set_field(
            &mut self.state,
            globals,
            name,
            vela_objects::Value::table(t),
        );
    }

    /// Makes a native function a global variable.
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

    /// Sends what `print` and `io.write` write to `writer`.
    pub fn set_stdout(&mut self, writer: Box<dyn std::io::Write>) {
        output::set_stdout(&mut self.state, writer);
    }

    /// Writes out everything that is buffered: standard output and open files.
    pub fn flush(&mut self) {
        vela_stdlib::io::flush_all(&mut self.state);
    }

    /// Ends the process with the VM: finalizers run and buffers are written,
    /// but a compilation in progress is not waited for.
    pub fn end_process(mut self, status: i32) -> ! {
        machine::close(&mut self.state);
        vela_stdlib::io::flush_all(&mut self.state);
        if tier::is_compiling(&self.state) {
            vela_objects::process::exit_now(status);
        }
        std::process::exit(status)
    }

    /// Has `os.exit` run `hook` before it ends the process.
    pub fn on_exit(&mut self, mut hook: impl FnMut(&mut VmState) + 'static) {
        os::set_exit_hook(&mut self.state, move |state| {
            hook(state);
            tier::stop(state);
        });
    }

    /// The VM's own state, for natives and tools.
    pub fn state(&mut self) -> &mut VmState {
        &mut self.state
    }

    /// Counters of the optimizing tier as a JSON object, `None` without it.
    #[must_use]
    pub fn jit_stats(&self, full: bool) -> Option<String> {
        tier::stats(&self.state, full)
    }

    /// The results of a call, or the error by its text.
    fn finish(
        &mut self,
        outcome: Result<Vec<vela_objects::Value>, vela_objects::Value>,
    ) -> Result<Vec<Value>, Error> {
        match outcome {
            Ok(values) => Ok(values.into_iter().map(|v| self.lift(v)).collect()),
            Err(e) => {
                let traceback = self.state.error_traceback.take();
                Err(self.describe(e, traceback))
            }
        }
    }

    fn describe(&mut self, e: vela_objects::Value, traceback: Option<String>) -> Error {
        if let Some(s) = self.state.coerce_str(e) {
            return Error::Runtime {
                message: s.to_text(),
                traceback,
            };
        }
        if !self.state.metamethod(e, Event::ToString).is_nil() {
            let tostring = self.state.native("tostring", |vm, args| {
                Ok(Ret::One(vela_objects::Value::str(
                    vm.tostring(args.get(0))?,
                )))
            });
            let f = vela_objects::Value::native_fn(tostring);
            if let Ok(v) = machine::call(&mut self.state, f, &[e])
                && let Some(s) = v.first().and_then(|v| v.as_str())
            {
                return Error::Runtime {
                    message: s.to_text(),
                    traceback: None,
                };
            }
        }
        Error::Runtime {
            message: format!("(error object is a {} value)", self.state.type_name_of(e)),
            traceback,
        }
    }

    // ---- values in and out -------------------------------------------

    fn handles(&mut self) -> vela_objects::Gc<vela_objects::Table> {
        let key = self.state.str(HANDLES.as_bytes());
        let t = self.state.registry.get_str(key).as_table();
        t.expect("the registry's handle table is never replaced")
    }

    fn handle(&mut self, f: vela_objects::Value) -> Function {
        let slot = self.free.borrow_mut().pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        let handles = self.handles();
        handles.set_int(&mut self.state, slot, f);
        Function(Rc::new(Handle {
            slot,
            free: self.free.clone(),
        }))
    }

    fn function(&mut self, f: &Function) -> vela_objects::Value {
        assert!(
            Rc::ptr_eq(&self.free, &f.0.free),
            "the function belongs to another VM"
        );
        self.handles().get_int(f.0.slot)
    }

    fn lower(&mut self, v: &Value) -> vela_objects::Value {
        match v {
            Value::Bool(b) => vela_objects::Value::bool(*b),
            Value::Int(i) => vela_objects::Value::int(*i),
            Value::Float(f) => vela_objects::Value::float(*f),
            Value::Str(s) => self.state.str_value(s),
            Value::Function(f) => self.function(f),
            Value::Nil | Value::Other(_) => vela_objects::Value::NIL,
        }
    }

    fn lift(&mut self, v: vela_objects::Value) -> Value {
        match v.tag {
            Tag::NIL => Value::Nil,
            Tag::BOOL => Value::Bool(v.truthy()),
            Tag::LUA_FN | Tag::NATIVE_FN => Value::Function(self.handle(v)),
            _ => {
                if let Some(i) = v.as_int() {
                    Value::Int(i)
                } else if let Some(f) = v.as_float() {
                    Value::Float(f)
                } else if let Some(s) = v.as_str() {
                    Value::Str(s.bytes().to_vec())
                } else {
                    Value::Other(v.tag.type_name())
                }
            }
        }
    }
}

/// The message handler of calls by hosts: notes the traceback.
fn note_traceback(vm: &mut VmState, args: Args) -> NativeResult {
    let text = vm.traceback(None, 1);
    vm.error_traceback = Some(text);
    Ok(Ret::One(args.get(0)))
}

/// The one place that knows how the interpreter is made and entered.
mod machine {
    use super::{VmConfig, note_traceback};
    use crate::chunk::load_hook;
    use crate::error::Error;
    use vela_objects::{Value, VmState};

    pub(super) fn make(config: &VmConfig) -> Result<Box<VmState>, Error> {
        let seed = config.hash_seed.unwrap_or_else(draw_seed);
        let mut vm = vela_interpreter::new_vm(seed).map_err(Error::Memory)?;
        vm.hooks.load = load_hook;
        Ok(vm)
    }

    fn draw_seed() -> u64 {
        use std::hash::{BuildHasher, Hasher, RandomState};
        RandomState::new().build_hasher().finish()
    }

    /// Ends the program: see [`VmState::close`].
    pub(super) fn close(vm: &mut VmState) {
        vela_interpreter::entry::on_big_stack(vm, VmState::close);
    }

    /// Calls `f` on the VM's native stack; the results or the error value.
    pub(super) fn call(vm: &mut VmState, f: Value, args: &[Value]) -> Result<Vec<Value>, Value> {
        let handler = vm.native("traceback", note_traceback);
        let outer = std::mem::replace(&mut vm.handler, Value::native_fn(handler));
        let outcome = vela_interpreter::call(vm, f, args);
        vm.handler = outer;
        outcome
    }
}
