//! Captured variables and closures.

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::IntPredicate;
use inkwell::values::PointerValue;
use vela_mir::helper::Helper;
use vela_mir::ir::{Inst, Op, Ty, Val};
use vela_objects::layout;

impl<'c> Fx<'_, 'c> {
    pub(super) fn cells(&mut self, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        let args = &data.args;
        let lv = match &data.op {
            Op::Upval(n) => {
                let at = self.at(self.ptr(args[0])?, layout::CLOSURE_UPVALS + 8 * *n as usize)?;
                Lv::Ptr(self.load_ptr(at, Mem::Closure)?)
            }
            Op::LoadProto => {
                // Not `Const`, though it never changes: LLVM would be free to
                // load it after a call during which the closure was collected.
                let at = self.at(self.ptr(args[0])?, layout::CLOSURE_PROTO)?;
                Lv::Ptr(self.load_ptr(at, Mem::Closure)?)
            }
            Op::LoadCell => {
                let cell = self.ptr(args[0])?;
                let payload = self.load_word(self.at(cell, layout::CELL_PAYLOAD)?, Mem::Cell)?;
                let tag = self.load_byte(self.at(cell, layout::HEADER_AUX)?, Mem::Cell)?;
                Lv::Any(payload, tag)
            }
            Op::StoreCell => {
                let cell = self.ptr(args[0])?;
                let (payload, tag) = self.any(args[1])?;
                self.store(payload, self.at(cell, layout::CELL_PAYLOAD)?, Mem::Cell)?;
                self.store_byte(tag, self.at(cell, layout::HEADER_AUX)?, Mem::Cell)?;
                return self.barrier(cell, args[1]);
            }
            Op::NewCell => {
                let (payload, tag) = self.any(args[0])?;
                let args = [self.vm.into(), payload.into(), tag.into()];
                let call = self.helper(Helper::NewCell, &args)?;
                let cell = self.call_result(call)?.into_int_value();
                Lv::Ptr(self.b.build_int_to_ptr(cell, self.t.ptr, "")?)
            }
            op => return Err(LowerError::Bug(format!("{op:?} is no cell operation"))),
        };
        self.result(i, lv);
        Ok(())
    }

    /// The write barrier after a store of `value` into `owner`: while the
    /// collector is between marking steps, tells it.
    pub(super) fn barrier(&self, owner: PointerValue<'c>, value: Val) -> Lowered<()> {
        let object = match self.val(value)? {
            Lv::Any(_, tag) => tag
                .get_zero_extended_constant()
                .is_none_or(|t| vela_objects::Tag(t as u8).is_object()),
            _ => self.func.ty(value) != Ty::None && self.func.ty(value).may_be_object(),
        };
        if !object {
            return Ok(());
        }
        let marking = self.load_byte(self.at(self.vm, layout::VM_MARKING)?, Mem::Vm)?;
        let idle = self
            .b
            .build_int_compare(IntPredicate::EQ, marking, self.word(0), "")?;
        let slow = self.new_block("barrier");
        let next = self.new_block("stored");
        let branch = self.b.build_conditional_branch(idle, next, slow)?;
        self.notes.expect(branch, true)?;
        self.b.position_at_end(slow);
        self.helper(Helper::Barrier, &[self.vm.into(), owner.into()])?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        Ok(())
    }
}
