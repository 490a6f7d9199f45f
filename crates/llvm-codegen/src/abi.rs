//! The calling convention of compiled Lua functions, and the way into them.
//!
//! ```text
//! swiftcc { i64, i64 } fn(ptr swiftself vm, ptr fp, ptr closure, i64 desc,
//!                         i64 p0, i64 p1, i64 p2)
//! ```
//!
//! `vm` stays in the register that `swiftself` reserves (r13, x20) from call to call.
//! The result is payload and tag in two registers. All compiled functions have this
//! one signature, so that any tail call between them can be a jump (`musttail`).
//!
//! Rust cannot call `swiftcc`. It goes through [`EntryThunk`], a function of the C
//! convention that is generated once per engine.

pub mod address;
mod interp;
pub mod loop_mark;

pub use interp::{InterpEnter, InterpEntry};

use inkwell::AddressSpace;
use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::builder::{Builder, BuilderError};
use inkwell::context::{Context, ContextRef};
use inkwell::module::Module;
use inkwell::targets::TargetMachine;
use inkwell::types::{BasicMetadataTypeEnum, FunctionType};
use inkwell::values::{
    BasicMetadataValueEnum, CallSiteValue, FunctionValue, PointerValue, StructValue,
};

use crate::orc::{Jit, LinkedObject, OrcError, emit_object};
use crate::passes::{self, PassError};
use crate::target;

/// LLVM's number of the `swiftcc` convention.
pub const SWIFT_CC: u32 = 16;

/// Arguments of a Lua function that travel in registers.
pub const REGISTER_ARGS: usize = 3;

/// Position of the VM pointer among the parameters.
pub const VM_PARAM: u32 = 0;

const THUNK_NAME: &str = "vela_enter";

/// The type of every compiled Lua function.
#[must_use]
pub fn lua_function_type<'c>(context: ContextRef<'c>) -> FunctionType<'c> {
    let pointer = context.ptr_type(AddressSpace::default()).into();
    let word = context.i64_type().into();
    let parameters: [BasicMetadataTypeEnum<'c>; 7] =
        [pointer, pointer, pointer, word, word, word, word];
    let result = [context.i64_type().into(); 2];
    context
        .struct_type(&result, false)
        .fn_type(&parameters, false)
}

/// Declares a compiled Lua function: convention, `swiftself` and the attributes that
/// keep its object pure text (`nounwind`, and no unwind tables asked for).
#[must_use]
pub fn declare_lua_function<'c>(module: &Module<'c>, name: &str) -> FunctionValue<'c> {
    let context = module.get_context();
    let function = module.add_function(name, lua_function_type(context), None);
    function.set_call_conventions(SWIFT_CC);
    function.add_attribute(
        AttributeLoc::Param(VM_PARAM),
        attribute(context, "swiftself"),
    );
    function.add_attribute(AttributeLoc::Function, attribute(context, "nounwind"));
    function
}

/// Builds a call of a compiled Lua function by pointer. `args` are all seven
/// parameters in order.
///
/// # Errors
/// As the builder's, when it is not positioned.
pub fn call_lua_function<'c>(
    builder: &Builder<'c>,
    context: ContextRef<'c>,
    callee: PointerValue<'c>,
    args: &[BasicMetadataValueEnum<'c>; 7],
    name: &str,
) -> Result<CallSiteValue<'c>, BuilderError> {
    let call = builder.build_indirect_call(lua_function_type(context), callee, args, name)?;
    call.set_call_convention(SWIFT_CC);
    call.add_attribute(
        AttributeLoc::Param(VM_PARAM),
        attribute(context, "swiftself"),
    );
    Ok(call)
}

fn attribute(context: ContextRef<'_>, name: &str) -> Attribute {
    let kind = Attribute::get_named_enum_kind_id(name);
    debug_assert_ne!(kind, 0, "LLVM knows no attribute {name}");
    context.create_enum_attribute(kind, 0)
}

/// Why there is no entry thunk; the engine then runs without compiled code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThunkError {
    /// The instruction builder refused.
    #[error("building the entry thunk: {message}")]
    Build {
        /// Its message.
        message: String,
    },
    /// LLVM refused the code.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// The linker refused the object.
    #[error(transparent)]
    Link(#[from] OrcError),
}

impl From<BuilderError> for ThunkError {
    fn from(error: BuilderError) -> Self {
        Self::Build {
            message: error.to_string(),
        }
    }
}

/// The thunk's signature; see [`EntryThunk::call`] for the parameters.
pub type ThunkFn = unsafe extern "C" fn(
    entry: *const u8,
    vm: *mut u8,
    fp: *mut u8,
    closure: *mut u8,
    desc: u64,
    args: *const [u64; REGISTER_ARGS],
    out: *mut [u64; 2],
);

/// The way from Rust into compiled code. Holds the thunk's code: keep it as long as
/// anything may call through it.
#[derive(Debug)]
pub struct EntryThunk {
    function: ThunkFn,
    /// Keeps `function` mapped.
    _object: LinkedObject,
}

impl EntryThunk {
    /// Generates and links the thunk.
    ///
    /// # Errors
    /// [`ThunkError`]; none is expected on a machine where `machine` exists.
    pub fn new(jit: &Jit, machine: &TargetMachine) -> Result<Self, ThunkError> {
        let context = Context::create();
        let module = context.create_module(THUNK_NAME);
        target::configure(&module, machine);
        build_thunk(&module)?;
        passes::verify(&module)?;
        let object = jit.link(&emit_object(&module, machine)?, &[THUNK_NAME])?;
        let address = object.lookup(THUNK_NAME)?;
        // SAFETY: the address is that of the code just generated from `build_thunk`,
        // whose parameters are those of `ThunkFn` in the C convention.
        let function = unsafe { std::mem::transmute::<usize, ThunkFn>(address as usize) };
        Ok(Self {
            function,
            _object: object,
        })
    }

    /// Calls the compiled function at `entry`; returns payload and tag of its result.
    ///
    /// # Safety
    /// `entry` must be the address of linked code of the signature in the module's
    /// documentation, which stays linked during the call. `vm`, `fp`, `closure`,
    /// `desc` and `args` must be what that code expects of them.
    #[inline]
    pub unsafe fn call(
        &self,
        entry: *const u8,
        vm: *mut u8,
        fp: *mut u8,
        closure: *mut u8,
        desc: u64,
        args: &[u64; REGISTER_ARGS],
    ) -> [u64; 2] {
        let mut out = [0; 2];
        // SAFETY: the thunk is mapped while `self` lives; it reads `args` and writes
        // `out`, both valid; the rest is the caller's promise.
        unsafe { (self.function)(entry, vm, fp, closure, desc, args, &raw mut out) };
        out
    }

    /// The thunk itself, for callers that keep the result in memory of their own.
    /// Valid while this value lives.
    #[must_use]
    pub fn function(&self) -> ThunkFn {
        self.function
    }
}

fn build_thunk<'c>(module: &Module<'c>) -> Result<(), ThunkError> {
    let context = module.get_context();
    let pointer = context.ptr_type(AddressSpace::default());
    let word = context.i64_type();
    let p = pointer.into();
    let signature = context
        .void_type()
        .fn_type(&[p, p, p, p, word.into(), p, p], false);
    let thunk = module.add_function(THUNK_NAME, signature, None);
    thunk.add_attribute(AttributeLoc::Function, attribute(context, "nounwind"));
    let builder = context.create_builder();
    builder.position_at_end(context.append_basic_block(thunk, "entry"));

    let param = |index: u32| {
        thunk.get_nth_param(index).ok_or_else(|| ThunkError::Build {
            message: format!("no parameter {index}"),
        })
    };
    let (entry, args, out) = (
        param(0)?.into_pointer_value(),
        param(5)?.into_pointer_value(),
        param(6)?,
    );
    let element = |base: PointerValue<'c>, index: usize| {
        let index = word.const_int(index as u64, false);
        // SAFETY: the index is inside the array that `ThunkFn` asks for.
        unsafe { builder.build_in_bounds_gep(word, base, &[index], "") }
    };
    let mut all: [BasicMetadataValueEnum<'c>; 7] = [word.const_zero().into(); 7];
    for index in 0..4 {
        all[index as usize] = param(index + 1)?.into();
    }
    for index in 0..REGISTER_ARGS {
        all[4 + index] = builder.build_load(word, element(args, index)?, "")?.into();
    }
    let call = call_lua_function(&builder, context, entry, &all, "result")?;
    let result: StructValue<'c> = call
        .try_as_basic_value()
        .basic()
        .ok_or_else(|| ThunkError::Build {
            message: "call without a result".to_owned(),
        })?
        .into_struct_value();
    for index in 0..2 {
        let part = builder.build_extract_value(result, index, "")?;
        builder.build_store(element(out.into_pointer_value(), index as usize)?, part)?;
    }
    builder.build_return(None)?;
    Ok(())
}
