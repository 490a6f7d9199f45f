//! Loads and stores, and what LLVM is told about them.
//!
//! Every access names the class of memory it touches. Classes are disjoint by
//! construction (the VM's stack, tables, cells, ... are separate allocations),
//! which TBAA metadata tells LLVM; frame records overlay window slots, so both
//! are one class. All promises can be stripped to check that they are true.

use super::{Fx, Lowered};
use crate::abi::address;
use inkwell::context::Context;
use inkwell::types::BasicType;
use inkwell::values::{
    BasicValue, BasicValueEnum, InstructionValue, IntValue, MetadataValue, PointerValue,
};
use std::cell::RefCell;
use vela_objects::layout;

/// A class of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mem {
    /// Window slots and frame records.
    Stack,
    /// `vm.frame`
    VmFrame,
    /// `vm.stack_limit`
    VmLimit,
    /// Other fields of the VM.
    Vm,
    /// `vm.exit_words`
    ExitWord,
    /// Contents of cells.
    Cell,
    /// Headers of tables: shape, addresses and sizes of slots and elements.
    Table,
    /// Metatable pointers of shapes.
    Shape,
    /// Payloads of slots.
    Slot,
    /// Tags of slots.
    SlotTag,
    /// Payloads of elements.
    Elem,
    /// Tags of elements.
    ElemTag,
    /// Prototype and upvalue pointers of closures, lengths of strings.
    Closure,
    /// Mutable fields of prototypes.
    Proto,
    /// The invalidation flag of a literal pool.
    Valid,
    /// Never changes nor goes away while the code runs: the helper table, the
    /// literal pool. Objects that may be collected are not among these.
    Const,
}

const CLASSES: [(Mem, &str); 15] = [
    (Mem::Stack, "stack"),
    (Mem::VmFrame, "vm frame"),
    (Mem::VmLimit, "vm limit"),
    (Mem::Vm, "vm"),
    (Mem::ExitWord, "exit word"),
    (Mem::Cell, "cell"),
    (Mem::Table, "table"),
    (Mem::Shape, "shape"),
    (Mem::Slot, "slot"),
    (Mem::SlotTag, "slot tag"),
    (Mem::Elem, "element"),
    (Mem::ElemTag, "element tag"),
    (Mem::Closure, "closure"),
    (Mem::Proto, "prototype"),
    (Mem::Valid, "valid"),
];

/// The metadata of promises and hints, made once per module and on demand.
pub(super) struct Notes<'c> {
    cx: &'c Context,
    /// Leave out promises.
    strip: bool,
    root: MetadataValue<'c>,
    classes: RefCell<[Option<MetadataValue<'c>>; CLASSES.len()]>,
    tbaa: u32,
    prof: u32,
    invariant: u32,
    range: u32,
    empty: MetadataValue<'c>,
    likely: MetadataValue<'c>,
    unlikely: MetadataValue<'c>,
}

impl<'c> Notes<'c> {
    pub(super) fn new(cx: &'c Context, strip: bool) -> Self {
        let weights = |yes: u64, no: u64| {
            let t = cx.i32_type();
            cx.metadata_node(&[
                cx.metadata_string("branch_weights").into(),
                t.const_int(yes, false).into(),
                t.const_int(no, false).into(),
            ])
        };
        Notes {
            cx,
            strip,
            root: cx.metadata_node(&[cx.metadata_string("vela").into()]),
            classes: RefCell::new([None; CLASSES.len()]),
            tbaa: cx.get_kind_id("tbaa"),
            prof: cx.get_kind_id("prof"),
            invariant: cx.get_kind_id("invariant.load"),
            range: cx.get_kind_id("range"),
            empty: cx.metadata_node(&[]),
            likely: weights(4000, 1),
            unlikely: weights(1, 4000),
        }
    }

    fn class(&self, mem: Mem) -> Option<MetadataValue<'c>> {
        let index = CLASSES.iter().position(|c| c.0 == mem)?;
        let mut classes = self.classes.borrow_mut();
        Some(*classes[index].get_or_insert_with(|| {
            let cx = self.cx;
            let zero = cx.i64_type().const_zero();
            let name = cx.metadata_string(CLASSES[index].1);
            let ty = cx.metadata_node(&[name.into(), self.root.into(), zero.into()]);
            cx.metadata_node(&[ty.into(), ty.into(), zero.into()])
        }))
    }

    fn access(&self, at: InstructionValue<'c>, mem: Mem) -> Lowered<()> {
        if self.strip {
            return Ok(());
        }
        match self.class(mem) {
            Some(tag) => at.set_metadata(tag, self.tbaa)?,
            None => at.set_metadata(self.empty, self.invariant)?,
        }
        Ok(())
    }

    /// Says which way a branch goes.
    pub(super) fn expect(&self, branch: InstructionValue<'c>, taken: bool) -> Lowered<()> {
        let weights = if taken { self.likely } else { self.unlikely };
        branch.set_metadata(weights, self.prof)?;
        Ok(())
    }
}

impl<'c> Fx<'_, 'c> {
    /// `base + offset` bytes, inside the object at `base`.
    pub(super) fn at(&self, base: PointerValue<'c>, offset: usize) -> Lowered<PointerValue<'c>> {
        self.at_signed(base, offset as i64)
    }

    pub(super) fn at_signed(
        &self,
        base: PointerValue<'c>,
        offset: i64,
    ) -> Lowered<PointerValue<'c>> {
        let promise = !self.options.strip_promises;
        Ok(address::byte_offset(
            &self.b, self.t.i64, self.t.i8, base, offset, promise,
        )?)
    }

    /// `base + index * size`, inside the object at `base`.
    pub(super) fn index(
        &self,
        ty: impl BasicType<'c>,
        base: PointerValue<'c>,
        index: IntValue<'c>,
    ) -> Lowered<PointerValue<'c>> {
        let promise = !self.options.strip_promises;
        Ok(address::element(&self.b, ty, base, index, promise)?)
    }

    pub(super) fn load(
        &self,
        ty: impl BasicType<'c>,
        from: PointerValue<'c>,
        mem: Mem,
    ) -> Lowered<BasicValueEnum<'c>> {
        let value = self.b.build_load(ty, from, "")?;
        if let Some(load) = value.as_instruction_value() {
            self.notes.access(load, mem)?;
        }
        Ok(value)
    }

    pub(super) fn load_word(&self, from: PointerValue<'c>, mem: Mem) -> Lowered<IntValue<'c>> {
        Ok(self.load(self.t.i64, from, mem)?.into_int_value())
    }

    pub(super) fn load_ptr(&self, from: PointerValue<'c>, mem: Mem) -> Lowered<PointerValue<'c>> {
        Ok(self.load(self.t.ptr, from, mem)?.into_pointer_value())
    }

    /// A byte, widened.
    pub(super) fn load_byte(&self, from: PointerValue<'c>, mem: Mem) -> Lowered<IntValue<'c>> {
        let byte = self.load(self.t.i8, from, mem)?.into_int_value();
        Ok(self.b.build_int_z_extend(byte, self.t.i64, "")?)
    }

    /// An unsigned 32-bit number, widened. It is below `limit` if that is given.
    pub(super) fn load_half(
        &self,
        from: PointerValue<'c>,
        mem: Mem,
        limit: Option<u32>,
    ) -> Lowered<IntValue<'c>> {
        let half = self.load(self.t.i32, from, mem)?.into_int_value();
        if let (Some(limit), Some(load), false) =
            (limit, half.as_instruction_value(), self.notes.strip)
        {
            let bound = |n: u32| self.t.i32.const_int(u64::from(n), false).into();
            let range = self.cx.metadata_node(&[bound(0), bound(limit)]);
            load.set_metadata(range, self.notes.range)?;
        }
        Ok(self.b.build_int_z_extend(half, self.t.i64, "")?)
    }

    pub(super) fn store(
        &self,
        value: impl BasicValue<'c>,
        to: PointerValue<'c>,
        mem: Mem,
    ) -> Lowered<()> {
        let store = self.b.build_store(to, value)?;
        self.notes.access(store, mem)
    }

    /// Stores the low byte of a word.
    pub(super) fn store_byte(
        &self,
        value: IntValue<'c>,
        to: PointerValue<'c>,
        mem: Mem,
    ) -> Lowered<()> {
        let byte = self.b.build_int_truncate(value, self.t.i8, "")?;
        self.store(byte, to, mem)
    }

    /// Stores a 32-bit constant.
    pub(super) fn store_half(&self, value: u32, to: PointerValue<'c>, mem: Mem) -> Lowered<()> {
        self.store(self.t.i32.const_int(u64::from(value), false), to, mem)
    }

    /// The address of a window register.
    pub(super) fn register(&self, r: usize) -> Lowered<PointerValue<'c>> {
        self.at(self.fp, layout::FRAME_SIZE + r * layout::VALUE_SIZE)
    }

    /// Writes payload and tag to a value slot.
    pub(super) fn store_value(
        &self,
        (payload, tag): (IntValue<'c>, IntValue<'c>),
        to: PointerValue<'c>,
    ) -> Lowered<()> {
        self.store(payload, to, Mem::Stack)?;
        self.store_byte(tag, self.at(to, layout::VALUE_TAG)?, Mem::Stack)
    }

    /// Reads a value slot.
    pub(super) fn load_value(
        &self,
        from: PointerValue<'c>,
    ) -> Lowered<(IntValue<'c>, IntValue<'c>)> {
        let payload = self.load_word(from, Mem::Stack)?;
        let tag = self.load_byte(self.at(from, layout::VALUE_TAG)?, Mem::Stack)?;
        Ok((payload, tag))
    }
}
