//! Shapes and slots of tables.

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::IntPredicate;
use inkwell::values::{BasicMetadataValueEnum, IntValue, PointerValue};
use vela_mir::helper::Helper;
use vela_mir::ir::{Inst, Op, SlotLoc, Ty};
use vela_objects::layout;
use vela_objects::object::header_flags::BEYOND;

impl<'c> Fx<'_, 'c> {
    pub(super) fn tables(&mut self, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        let args = &data.args;
        let lv = match &data.op {
            Op::LoadShape => Lv::Ptr(self.shape(self.ptr(args[0])?)?),
            Op::GuardShape => {
                let shape = self.shape(self.ptr(args[0])?)?;
                let wanted = self.ptr(args[1])?;
                let ok = self
                    .b
                    .build_int_compare(IntPredicate::EQ, shape, wanted, "")?;
                return self.guard(i, ok);
            }
            Op::ShapeIn => {
                let shape = self.shape(self.ptr(args[0])?)?;
                let mut is = self.t.i1.const_zero();
                for &wanted in &args[1..] {
                    let wanted = self.ptr(wanted)?;
                    let same = self
                        .b
                        .build_int_compare(IntPredicate::EQ, shape, wanted, "")?;
                    is = self.b.build_or(is, same, "")?;
                }
                Lv::Bool(is)
            }
            Op::LoadSlot(loc) => {
                let (payload, tag) = self.slot(self.ptr(args[0])?, *loc)?;
                match self.result_ty(i) {
                    Ty::Any => {
                        let payload = self.load_word(payload, Mem::Slot)?;
                        Lv::Any(payload, self.load_byte(tag, Mem::SlotTag)?)
                    }
                    ty => self.load_typed(payload, ty, Mem::Slot)?,
                }
            }
            Op::StoreSlot(loc, with_tag) => {
                let table = self.ptr(args[0])?;
                let (payload, tag) = self.slot(table, *loc)?;
                self.store_payload(args[1], payload, Mem::Slot)?;
                if *with_tag {
                    self.store_byte(self.any(args[1])?.1, tag, Mem::SlotTag)?;
                }
                return self.barrier(args[1]);
            }
            Op::AddSlot => {
                let (payload, tag) = self.any(args[2])?;
                let args = [
                    self.vm.into(),
                    self.ptr(args[0])?.into(),
                    self.ptr(args[1])?.into(),
                    payload.into(),
                    tag.into(),
                ];
                self.helper(Helper::AddSlot, &args)?;
                return Ok(());
            }
            Op::SetShape => {
                let shape = self.ptr(args[1])?;
                let at = self.at(self.ptr(args[0])?, layout::TABLE_SHAPE)?;
                return self.store(shape, at, Mem::Table);
            }
            Op::FindField => {
                let args = [
                    self.vm.into(),
                    self.ptr(args[0])?.into(),
                    self.ptr(args[1])?.into(),
                ];
                let (payload, tag) = self.pair(self.helper(Helper::FindField, &args)?)?;
                Lv::Any(payload, tag)
            }
            Op::FindIndex => {
                let (payload, tag) = self.any(args[1])?;
                let args = [
                    self.vm.into(),
                    self.ptr(args[0])?.into(),
                    payload.into(),
                    tag.into(),
                ];
                let (payload, tag) = self.pair(self.helper(Helper::FindIndex, &args)?)?;
                Lv::Any(payload, tag)
            }
            Op::PutField => {
                let (payload, tag) = self.any(args[2])?;
                let args = [
                    self.vm.into(),
                    self.ptr(args[0])?.into(),
                    self.ptr(args[1])?.into(),
                    payload.into(),
                    tag.into(),
                ];
                self.done(Helper::PutField, &args)?
            }
            Op::PutIndex => {
                let (key, key_tag) = self.any(args[1])?;
                let (payload, tag) = self.any(args[2])?;
                let args = [
                    self.vm.into(),
                    self.ptr(args[0])?.into(),
                    key.into(),
                    key_tag.into(),
                    payload.into(),
                    tag.into(),
                ];
                self.done(Helper::PutIndex, &args)?
            }
            Op::NoExt => {
                let at = self.at(self.ptr(args[0])?, layout::TABLE_EXT)?;
                Lv::Bool(self.is_null(at, Mem::Table)?)
            }
            Op::NoneBeyond => {
                let at = self.at(self.ptr(args[0])?, layout::HEADER_FLAGS)?;
                let flags = self.load_byte(at, Mem::Table)?;
                let some = self.b.build_and(flags, self.word(i64::from(BEYOND)), "")?;
                let none = self.word(0);
                Lv::Bool(self.b.build_int_compare(IntPredicate::EQ, some, none, "")?)
            }
            Op::NoMeta => {
                let shape = self.shape(self.ptr(args[0])?)?;
                let at = self.at(shape, layout::SHAPE_METATABLE)?;
                Lv::Bool(self.is_null(at, Mem::Shape)?)
            }
            Op::NewTable { .. } => Lv::Ptr(self.new_table(i)?),
            Op::MetaEpoch => {
                let at = self.at(self.vm, layout::VM_META_EPOCH)?;
                Lv::Int(self.load_half(at, Mem::Vm, None)?)
            }
            op => return Err(LowerError::Bug(format!("{op:?} is no table operation"))),
        };
        self.result(i, lv);
        Ok(())
    }

    /// Calls a helper that says whether it did what was asked.
    fn done(&self, helper: Helper, args: &[BasicMetadataValueEnum<'c>]) -> Lowered<Lv<'c>> {
        let call = self.helper(helper, args)?;
        let done = self.call_result(call)?.into_int_value();
        let zero = self.word(0);
        Ok(Lv::Bool(self.b.build_int_compare(
            IntPredicate::NE,
            done,
            zero,
            "",
        )?))
    }

    fn shape(&self, table: PointerValue<'c>) -> Lowered<PointerValue<'c>> {
        self.load_ptr(self.at(table, layout::TABLE_SHAPE)?, Mem::Table)
    }

    fn is_null(&self, at: PointerValue<'c>, mem: Mem) -> Lowered<IntValue<'c>> {
        let found = self.load_ptr(at, mem)?;
        Ok(self.b.build_is_null(found, "")?)
    }

    /// Addresses of a slot's payload and tag.
    fn slot(
        &self,
        table: PointerValue<'c>,
        loc: SlotLoc,
    ) -> Lowered<(PointerValue<'c>, PointerValue<'c>)> {
        Ok(match loc {
            SlotLoc::Inline { index, cap } => {
                let (index, cap) = (index as usize, cap as usize);
                (
                    self.at(table, layout::TABLE_INLINE + 8 * index)?,
                    self.at(table, layout::TABLE_INLINE + 8 * cap + index)?,
                )
            }
            SlotLoc::Out(index) => {
                let slots = self.load_ptr(self.at(table, layout::TABLE_SLOTS)?, Mem::Table)?;
                (
                    self.at(slots, 8 * index as usize)?,
                    self.at_signed(slots, -1 - i64::from(index))?,
                )
            }
        })
    }

    /// Loads a payload whose tag is known.
    pub(super) fn load_typed(&self, from: PointerValue<'c>, ty: Ty, mem: Mem) -> Lowered<Lv<'c>> {
        Ok(match ty {
            Ty::Nil => Lv::Nil,
            Ty::Int => Lv::Int(self.load_word(from, mem)?),
            Ty::Float => Lv::Float(self.load(self.t.f64, from, mem)?.into_float_value()),
            Ty::Bool => self.unpack_payload(self.load_word(from, mem)?, ty)?,
            _ => Lv::Ptr(self.load_ptr(from, mem)?),
        })
    }

    /// Stores a value's payload.
    pub(super) fn store_payload(
        &self,
        value: vela_mir::ir::Val,
        to: PointerValue<'c>,
        mem: Mem,
    ) -> Lowered<()> {
        match self.val(value)? {
            Lv::Float(f) => self.store(f, to, mem),
            Lv::Ptr(p) => self.store(p, to, mem),
            lv => self.store(self.payload(lv)?, to, mem),
        }
    }
}
