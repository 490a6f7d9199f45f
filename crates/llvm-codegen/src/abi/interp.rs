//! The entry that functions without compiled code have.

use super::{REGISTER_ARGS, ThunkError, attribute, declare_lua_function};
use crate::orc::{Address, Jit, LinkedObject, emit_object};
use crate::{passes, target};
use inkwell::AddressSpace;
use inkwell::attributes::AttributeLoc;
use inkwell::context::Context;
use inkwell::module::Module;
use inkwell::targets::TargetMachine;
use inkwell::values::{BasicMetadataValueEnum, PointerValue};

/// Runs a Lua function in the interpreter: the parameters of a compiled
/// function, the first three arguments and the result through memory.
pub type InterpEnter = unsafe extern "C" fn(
    vm: *mut u8,
    fp: *mut u8,
    closure: *mut u8,
    desc: u64,
    args: *const [u64; REGISTER_ARGS],
    out: *mut [u64; 2],
);

const NAME: &str = "vela_interpret";

/// An entry of the Lua convention that calls an [`InterpEnter`]. Holds its
/// code: keep it as long as any prototype may have it as its entry.
#[derive(Debug)]
pub struct InterpEntry {
    address: Address,
    _object: LinkedObject,
}

impl InterpEntry {
    /// Generates and links the entry.
    ///
    /// # Errors
    /// [`ThunkError`]; none is expected on a machine where `machine` exists.
    pub fn new(jit: &Jit, machine: &TargetMachine, enter: InterpEnter) -> Result<Self, ThunkError> {
        let context = Context::create();
        let module = context.create_module(NAME);
        target::configure(&module, machine);
        build(&module, enter as usize as u64)?;
        passes::verify(&module)?;
        let object = jit.link(&emit_object(&module, machine)?, &[NAME])?;
        Ok(Self {
            address: object.lookup(NAME)?,
            _object: object,
        })
    }

    /// Address of the entry, valid while this value lives.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }
}

fn build<'c>(module: &Module<'c>, enter: u64) -> Result<(), ThunkError> {
    let context = module.get_context();
    let pointer = context.ptr_type(AddressSpace::default());
    let word = context.i64_type();
    let entry = declare_lua_function(module, NAME);
    let builder = context.create_builder();
    builder.position_at_end(context.append_basic_block(entry, "entry"));
    let args = builder.build_alloca(word.array_type(REGISTER_ARGS as u32), "args")?;
    let out = builder.build_alloca(word.array_type(2), "out")?;
    let element = |base: PointerValue<'c>, index: usize| {
        let index = word.const_int(index as u64, false);
        super::address::element(&builder, word, base, index, true)
    };
    let params = entry.get_params();
    for (index, param) in params.iter().skip(4).enumerate() {
        builder.build_store(element(args, index)?, *param)?;
    }
    let p = pointer.into();
    let ty = context
        .void_type()
        .fn_type(&[p, p, p, word.into(), p, p], false);
    let mut all: Vec<BasicMetadataValueEnum<'c>> =
        params.iter().take(4).map(|&param| param.into()).collect();
    all.extend([BasicMetadataValueEnum::from(args), out.into()]);
    let callee = builder.build_int_to_ptr(word.const_int(enter, false), pointer, "enter")?;
    let call = builder.build_indirect_call(ty, callee, &all, "")?;
    call.add_attribute(AttributeLoc::Function, attribute(context, "nounwind"));
    let result = [
        builder.build_load(word, element(out, 0)?, "")?,
        builder.build_load(word, element(out, 1)?, "")?,
    ];
    builder.build_aggregate_return(&result)?;
    Ok(())
}
