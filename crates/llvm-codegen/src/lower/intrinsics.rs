//! Library functions as helpers, bytes of strings, closures.

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::IntPredicate;
use inkwell::values::{BasicMetadataValueEnum, IntValue, PointerValue};
use vela_mir::helper::{Helper, Word};
use vela_mir::ir::{Inst, Op, Ty};
use vela_objects::layout;

impl<'c> Fx<'_, 'c> {
    pub(super) fn intrinsics(&mut self, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        let args = &data.args;
        let lv = match &data.op {
            Op::StrByte => {
                let data = self.str_data(self.ptr(args[0])?)?;
                let at = self.index(self.t.i8, data, self.int(args[1])?)?;
                Lv::Int(self.load_byte(at, Mem::Closure)?)
            }
            Op::Lib(Helper::Compare) => {
                let (x, y) = (self.any(args[1])?, self.any(args[2])?);
                Lv::Int(self.compare_any(self.int(args[0])?, x, y)?)
            }
            Op::Lib(Helper::StrChar) => Lv::Ptr(self.byte_string(self.int(args[0])?)?),
            Op::Lib(Helper::StrSub) if args[1] == args[2] => Lv::Ptr(self.string_at(i)?),
            Op::Lib(helper) => match self.lib(i, *helper)? {
                Some(lv) => lv,
                None => return Ok(()),
            },
            Op::SecondResult => {
                let at = self.at(self.vm, layout::VM_EXIT_WORDS)?;
                let payload = self.load_word(at, Mem::ExitWord)?;
                let tag = self.load_word(self.at(at, 8)?, Mem::ExitWord)?;
                Lv::Any(payload, tag)
            }
            Op::NewClosure(n, proto) => Lv::Ptr(self.new_closure(*n, *proto, args)?),
            op => return Err(LowerError::Bug(format!("{op:?} is no intrinsic"))),
        };
        self.result(i, lv);
        Ok(())
    }

    /// The address of a string's content. Without a branch, so that loops over
    /// one string find it before they begin.
    fn str_data(&self, s: PointerValue<'c>) -> Lowered<PointerValue<'c>> {
        let form = self.load_byte(self.at(s, layout::STR_FORM)?, Mem::Closure)?;
        let shared = self.word(i64::from(layout::STR_SHARED));
        let shared = self.compare(IntPredicate::EQ, form, shared)?;
        // Short strings end before the place of the address; the header is
        // always there.
        let place = self.at(s, layout::STR_ADDRESS)?;
        let place = self.b.build_select(shared, place, s, "")?;
        let address = self.load_ptr(place.into_pointer_value(), Mem::Closure)?;
        let inline = self.at(s, layout::STR_DATA)?;
        let data = self.b.build_select(shared, address, inline, "")?;
        Ok(data.into_pointer_value())
    }

    /// The string of one byte, from the VM's table of them; the helper makes it
    /// if it is not there.
    fn byte_string(&self, byte: IntValue<'c>) -> Lowered<PointerValue<'c>> {
        let table = self.at(self.vm, layout::VM_BYTE_STRINGS)?;
        let found = self.load_ptr(self.index(self.t.i64, table, byte)?, Mem::Vm)?;
        let there = self.b.build_is_not_null(found, "")?;
        let made = self.or_call(there, found.into(), || {
            let call = self.helper(Helper::StrChar, &[self.vm.into(), byte.into()])?;
            let made = self.call_result(call)?.into_int_value();
            Ok(self.b.build_int_to_ptr(made, self.t.ptr, "")?.into())
        })?;
        Ok(made.into_pointer_value())
    }

    /// `sub` from a position to the same one: a string of one byte, if there is
    /// one.
    fn string_at(&mut self, i: Inst) -> Lowered<PointerValue<'c>> {
        let args = &self.func.inst(i).args;
        let (s, at) = (self.ptr(args[0])?, self.int(args[1])?);
        let len = self.load_half(self.at(s, layout::STR_LEN)?, Mem::Closure, None)?;
        let from_end = at.get_sign_extended_constant().is_some_and(|at| at < 0);
        let at = if from_end {
            self.b.build_int_add(len, at, "")?
        } else {
            self.b.build_int_sub(at, self.word(1), "")?
        };
        let inside = self.compare(IntPredicate::ULT, at, len)?;
        let (byte, none) = (self.new_block("byte"), self.new_block("none"));
        let next = self.new_block("at");
        let branch = self.b.build_conditional_branch(inside, byte, none)?;
        self.notes.expect(branch, true)?;
        self.b.position_at_end(byte);
        let content = self.index(self.t.i8, self.str_data(s)?, at)?;
        let content = self.load_byte(content, Mem::Closure)?;
        let found = self.byte_string(content)?;
        let byte = self.here()?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(none);
        let Some(Lv::Ptr(other)) = self.lib(i, Helper::StrSub)? else {
            return Err(LowerError::Bug(format!("{i} gives no string")));
        };
        let none = self.here()?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        let phi = self.b.build_phi(self.t.ptr, "")?;
        phi.add_incoming(&[(&found, byte), (&other, none)]);
        Ok(phi.as_basic_value().into_pointer_value())
    }

    /// Calls a helper with the words of the operands.
    fn lib(&mut self, i: Inst, helper: Helper) -> Lowered<Option<Lv<'c>>> {
        let mut words: Vec<BasicMetadataValueEnum<'c>> = vec![self.vm.into()];
        for &v in &self.func.inst(i).args {
            match self.val(v)? {
                Lv::Any(payload, tag) => {
                    words.push(payload.into());
                    words.push(tag.into());
                }
                Lv::Ptr(p) => words.push(p.into()),
                lv => words.push(self.payload(lv)?.into()),
            }
        }
        let call = self.helper(helper, &words)?;
        Ok(match helper.ret() {
            Word::Void => None,
            Word::F => Some(Lv::Float(self.call_result(call)?.into_float_value())),
            Word::I => {
                let payload = self.call_result(call)?.into_int_value();
                match self.result_ty(i) {
                    Ty::None => None,
                    ty => Some(self.unpack_payload(payload, ty)?),
                }
            }
            Word::Pair => {
                let (payload, tag) = self.pair(call)?;
                Some(Lv::Any(payload, tag))
            }
        })
    }
}
