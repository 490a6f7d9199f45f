//! The elements of tables.

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::IntPredicate;
use inkwell::values::{IntValue, PointerValue};
use vela_mir::helper::Helper;
use vela_mir::ir::{Inst, Op, Ty, Val};
use vela_objects::layout;
use vela_objects::table::{ELEMS_BOOL, ELEMS_MIXED, MAX_ELEMS};

impl<'c> Fx<'_, 'c> {
    pub(super) fn elements(&mut self, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        let args = &data.args;
        let table = self.ptr(args[0])?;
        let lv = match &data.op {
            Op::ElemsLen => Lv::Int(self.elems_len(table)?),
            Op::ElemsKind => Lv::Int(self.elems_kind(table)?),
            Op::ElemsCap => Lv::Int(self.elems_cap(table)?),
            Op::SetElemsLen => {
                return self.set_elems_len(table, self.int(args[1])?);
            }
            Op::LoadElem => {
                let index = self.int(args[1])?;
                match self.result_ty(i) {
                    Ty::Any => self.load_any_elem(table, index)?,
                    Ty::Bool => {
                        let byte = self.load_byte(self.elem_byte(table, index)?, Mem::ElemTag)?;
                        self.unpack_payload(byte, Ty::Bool)?
                    }
                    ty => self.load_typed(self.elem(table, index)?, ty, Mem::Elem)?,
                }
            }
            Op::StoreElem => {
                let index = self.int(args[1])?;
                if self.func.ty(args[2]) == Ty::Bool {
                    let byte = self.elem_byte(table, index)?;
                    return self.store_byte(self.any(args[2])?.0, byte, Mem::ElemTag);
                }
                let at = self.elem(table, index)?;
                self.store_payload(args[2], at, Mem::Elem)?;
                return self.barrier(args[2]);
            }
            Op::StoreElemMixed => {
                let index = self.int(args[1])?;
                let at = self.elem(table, index)?;
                self.store_payload(args[2], at, Mem::Elem)?;
                let tag = self.elem_byte(table, index)?;
                self.store_byte(self.any(args[2])?.1, tag, Mem::ElemTag)?;
                return self.barrier(args[2]);
            }
            Op::PushElem => return self.push_elem(i, table),
            op => return Err(LowerError::Bug(format!("{op:?} is no elements operation"))),
        };
        self.result(i, lv);
        Ok(())
    }

    fn elems_len(&self, table: PointerValue<'c>) -> Lowered<IntValue<'c>> {
        let at = self.at(table, layout::TABLE_LEN)?;
        self.load_half(at, Mem::Table, Some(MAX_ELEMS as u32 + 1))
    }

    fn set_elems_len(&self, table: PointerValue<'c>, len: IntValue<'c>) -> Lowered<()> {
        let len = self.b.build_int_truncate(len, self.t.i32, "")?;
        self.store(len, self.at(table, layout::TABLE_LEN)?, Mem::Table)
    }

    fn elems_cap(&self, table: PointerValue<'c>) -> Lowered<IntValue<'c>> {
        let at = self.at(table, layout::TABLE_CAP)?;
        self.load_half(at, Mem::Table, Some(MAX_ELEMS as u32 + 1))
    }

    fn elems_kind(&self, table: PointerValue<'c>) -> Lowered<IntValue<'c>> {
        self.load_byte(self.at(table, layout::HEADER_AUX)?, Mem::Table)
    }

    /// Address of an element's payload.
    fn elem(&self, table: PointerValue<'c>, index: IntValue<'c>) -> Lowered<PointerValue<'c>> {
        let elems = self.load_ptr(self.at(table, layout::TABLE_ELEMS)?, Mem::Table)?;
        self.index(self.t.i64, elems, index)
    }

    /// Address of an element's byte, its tag or, of booleans, itself: the bytes follow
    /// `cap` payloads.
    fn elem_byte(&self, table: PointerValue<'c>, index: IntValue<'c>) -> Lowered<PointerValue<'c>> {
        let bytes = self.elem(table, self.elems_cap(table)?)?;
        self.index(self.t.i8, bytes, index)
    }

    /// An element of any kind. Its payload and its byte are there to be read also while
    /// they are unused, so selects do.
    fn load_any_elem(&self, table: PointerValue<'c>, index: IntValue<'c>) -> Lowered<Lv<'c>> {
        let kind = self.elems_kind(table)?;
        let payload = self.load_word(self.elem(table, index)?, Mem::Elem)?;
        let byte = self.load_byte(self.elem_byte(table, index)?, Mem::ElemTag)?;
        let bools = self.is_kind(kind, ELEMS_BOOL)?;
        let mixed = self.is_kind(kind, ELEMS_MIXED)?;
        let payload = self.b.build_select(bools, byte, payload, "")?;
        let tag = self.b.build_select(mixed, byte, kind, "")?;
        Ok(Lv::Any(payload.into_int_value(), tag.into_int_value()))
    }

    fn is_kind(&self, have: IntValue<'c>, kind: u8) -> Lowered<IntValue<'c>> {
        let kind = self.word(i64::from(kind));
        Ok(self.b.build_int_compare(IntPredicate::EQ, have, kind, "")?)
    }

    /// The byte that goes with a value in a list of this kind.
    pub(super) fn byte_of(&self, value: Val, kind: IntValue<'c>) -> Lowered<IntValue<'c>> {
        let (payload, tag) = self.any(value)?;
        if !matches!(self.func.ty(value), Ty::Any | Ty::Bool) {
            return Ok(tag);
        }
        let bools = self.is_kind(kind, ELEMS_BOOL)?;
        Ok(self
            .b
            .build_select(bools, payload, tag, "")?
            .into_int_value())
    }

    /// Appends. In line while there is room and the kind stays or is that of
    /// the first element; the helper grows and widens. Payload and byte are there
    /// while they are unused, too, so they are written in any case.
    fn push_elem(&mut self, i: Inst, table: PointerValue<'c>) -> Lowered<()> {
        let value = self.func.inst(i).args[1];
        let (payload, tag) = self.any(value)?;
        let slow = self.new_block("push");
        let fast = self.new_block("room");
        let next = self.new_block("pushed");
        let len = self.elems_len(table)?;
        let cap = self.elems_cap(table)?;
        let kind = self.elems_kind(table)?;
        let room = self.b.build_int_compare(IntPredicate::ULT, len, cap, "")?;
        let same = self.b.build_int_compare(IntPredicate::EQ, kind, tag, "")?;
        let first = self
            .b
            .build_int_compare(IntPredicate::EQ, len, self.word(0), "")?;
        let kept = self.b.build_select(first, tag, kind, "")?.into_int_value();
        let mixed = self.is_kind(kind, ELEMS_MIXED)?;
        let same = self.b.build_or(same, first, "")?;
        let same = self.b.build_or(same, mixed, "")?;
        let both = self.b.build_and(room, same, "")?;
        let branch = self.b.build_conditional_branch(both, fast, slow)?;
        self.notes.expect(branch, true)?;

        self.b.position_at_end(slow);
        let args = [self.vm.into(), table.into(), payload.into(), tag.into()];
        self.helper(Helper::PushElem, &args)?;
        self.b.build_unconditional_branch(next)?;

        self.b.position_at_end(fast);
        self.store_payload(value, self.elem(table, len)?, Mem::Elem)?;
        let byte = self.byte_of(value, kept)?;
        self.store_byte(byte, self.elem_byte(table, len)?, Mem::ElemTag)?;
        self.store_byte(kept, self.at(table, layout::HEADER_AUX)?, Mem::Table)?;
        let more = self.b.build_int_add(len, self.word(1), "")?;
        self.set_elems_len(table, more)?;
        self.barrier(value)?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        Ok(())
    }
}
