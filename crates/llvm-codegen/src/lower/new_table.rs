//! Table constructors.
//!
//! A table and the elements it begins with are one cell, written as a whole
//! where the run of free cells has room. What the helper makes where it has
//! not is laid out in the same way. Nothing is stored with a barrier: see
//! [`vela_objects::heap`] for the colour of fresh objects.

use super::cells::Room;
use super::memory::Mem;
use super::{Fx, Lowered};
use inkwell::IntPredicate;
use inkwell::values::{IntValue, PointerValue};
use vela_mir::helper::Helper;
use vela_mir::ir::{Inst, Op, Ty, Val};
use vela_objects::Tag;
use vela_objects::heap::{GRANULE, MAX_SMALL};
use vela_objects::layout;
use vela_objects::object::Kind;
use vela_objects::table::{ELEMS_MIXED, ELEMS_NONE, InlineElems, table_room};

impl<'c> Fx<'_, 'c> {
    pub(super) fn new_table(&self, i: Inst) -> Lowered<PointerValue<'c>> {
        let data = self.func.inst(i);
        let Op::NewTable { fields, elems } = data.op else {
            return Err(super::LowerError::Bug(format!(
                "{} makes no table",
                data.op
            )));
        };
        let Some((&shape, values)) = data.args.split_first() else {
            return self.made_by_helper(fields, elems);
        };
        let (bytes, inline) = table_room(fields as usize, elems as usize);
        if bytes > MAX_SMALL || inline.is_none() && elems > 0 {
            if !values.is_empty() {
                return Err(super::LowerError::Bug("no room for elements".into()));
            }
            return self.made_by_helper(fields, elems);
        }
        let kind = self.kind_of_list(values)?;
        let room = Room {
            class: bytes.div_ceil(GRANULE),
            kind: Kind::TABLE,
            aux: kind,
            extra: 0,
        };
        let table = self.allocate(
            room,
            None,
            Mem::Table,
            |fx, table| {
                fx.init_table(table, fx.ptr(shape)?, inline)?;
                fx.init_elems(table, inline, values, kind)
            },
            |fx| {
                let table = fx.made_by_helper(fields, elems)?;
                if !values.is_empty() {
                    fx.store_byte(kind, fx.at(table, layout::HEADER_AUX)?, Mem::Table)?;
                    fx.init_elems(table, inline, values, kind)?;
                }
                Ok(fx.b.build_ptr_to_int(table, fx.t.i64, "")?)
            },
        )?;
        self.drop_trailing_nils(table, values)?;
        Ok(table)
    }

    fn made_by_helper(&self, fields: u16, elems: u16) -> Lowered<PointerValue<'c>> {
        let args = [
            self.vm.into(),
            self.word(i64::from(fields)).into(),
            self.word(i64::from(elems)).into(),
        ];
        let call = self.helper(Helper::NewTable, &args)?;
        let table = self.call_result(call)?.into_int_value();
        Ok(self.b.build_int_to_ptr(table, self.t.ptr, "")?)
    }

    /// An empty table of this shape.
    fn init_table(
        &self,
        table: PointerValue<'c>,
        shape: PointerValue<'c>,
        inline: Option<InlineElems>,
    ) -> Lowered<()> {
        self.store(shape, self.at(table, layout::TABLE_SHAPE)?, Mem::Table)?;
        // Until there are some, slots and elements are at no address that is
        // ever used.
        let elems = match inline {
            Some(room) => {
                let elems = self.at(table, room.offset)?;
                self.b.build_ptr_to_int(elems, self.t.i64, "")?
            }
            None => self.word(8),
        };
        for (field, value) in [
            (layout::TABLE_SLOTS, self.word(1)),
            (layout::TABLE_ELEMS, elems),
            (layout::TABLE_LEN, self.len_and_cap(0, inline)),
            (layout::TABLE_EXT, self.word(0)),
        ] {
            self.store(value, self.at(table, field)?, Mem::Table)?;
        }
        Ok(())
    }

    fn len_and_cap(&self, len: usize, inline: Option<InlineElems>) -> IntValue<'c> {
        let cap = inline.map_or(0, |room| room.cap as i64);
        self.word(cap << 32 | len as i64)
    }

    /// The elements kind of a list of values.
    fn kind_of_list(&self, values: &[Val]) -> Lowered<IntValue<'c>> {
        let Some((&first, others)) = values.split_first() else {
            return Ok(self.word(i64::from(ELEMS_NONE)));
        };
        let first = self.any(first)?.1;
        let mut differ = self.word(0);
        for &v in others {
            let tag = self.any(v)?.1;
            let bits = self.b.build_xor(first, tag, "")?;
            differ = self.b.build_or(differ, bits, "")?;
        }
        let same = self
            .b
            .build_int_compare(IntPredicate::EQ, differ, self.word(0), "")?;
        let mixed = self.word(i64::from(ELEMS_MIXED));
        let kind = self.b.build_select(same, first, mixed, "")?;
        Ok(kind.into_int_value())
    }

    /// Stores the first elements of a fresh table of this kind, bytes included.
    fn init_elems(
        &self,
        table: PointerValue<'c>,
        inline: Option<InlineElems>,
        values: &[Val],
        kind: IntValue<'c>,
    ) -> Lowered<()> {
        let Some(room) = inline.filter(|_| !values.is_empty()) else {
            return Ok(());
        };
        let len = self.len_and_cap(values.len(), inline);
        self.store(len, self.at(table, layout::TABLE_LEN)?, Mem::Table)?;
        let ty = self.func.ty(values[0]);
        let typed = ty != Ty::Any && values.iter().all(|&v| self.func.ty(v) == ty);
        for (n, &v) in values.iter().enumerate() {
            let bools = typed && ty == Ty::Bool;
            if !bools {
                let at = self.at(table, room.offset + 8 * n)?;
                self.store_payload(v, at, Mem::Elem)?;
            }
            if bools || !typed {
                let at = self.at(table, room.offset + 8 * room.cap + n)?;
                self.store_byte(self.byte_of(v, kind)?, at, Mem::ElemTag)?;
            }
        }
        Ok(())
    }

    /// Cuts the list at its last value if that is nil, and before it.
    fn drop_trailing_nils(&self, table: PointerValue<'c>, values: &[Val]) -> Lowered<()> {
        let Some(&last) = values.last().filter(|&&v| self.func.ty(v) == Ty::Any) else {
            return Ok(());
        };
        let is_nil = self.tag_is(self.any(last)?.1, Tag::NIL)?;
        let (cut, next) = (self.new_block("cut"), self.new_block("listed"));
        let branch = self.b.build_conditional_branch(is_nil, cut, next)?;
        self.notes.expect(branch, false)?;
        self.b.position_at_end(cut);
        let before = values.len() - 1;
        let len = self.t.i32.const_int(before as u64, false);
        self.store(len, self.at(table, layout::TABLE_LEN)?, Mem::Table)?;
        let (payload, tag) = self.any(last)?;
        let args = [
            self.vm.into(),
            table.into(),
            self.word(values.len() as i64).into(),
            payload.into(),
            tag.into(),
        ];
        self.helper(Helper::SetList1, &args)?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        Ok(())
    }
}
