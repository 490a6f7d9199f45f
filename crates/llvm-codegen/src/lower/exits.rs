//! Guards and their side exits.
//!
//! Each guard has an exit block of its own (a shared one with phis takes
//! superlinear time to compile). It stores the values that exist only in
//! machine registers and hands over to the exit helper, whose result is the
//! function's.

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::IntPredicate;
use inkwell::values::IntValue;
use vela_mir::helper::Helper;
use vela_mir::ir::{Inst, Op};
use vela_objects::{Tag, layout};

impl<'c> Fx<'_, 'c> {
    /// Continues if `ok`, else leaves through the exit of `inst`.
    pub(super) fn guard(&mut self, inst: Inst, ok: IntValue<'c>) -> Lowered<()> {
        let ok = self.stressed(inst, ok)?;
        if ok.get_zero_extended_constant() == Some(1) {
            return Ok(());
        }
        let exit = self.new_block("exit");
        let next = self.new_block("ok");
        let branch = self.b.build_conditional_branch(ok, next, exit)?;
        self.notes.expect(branch, true)?;
        self.b.position_at_end(exit);
        self.leave(inst)?;
        self.b.position_at_end(next);
        Ok(())
    }

    /// Counts a guard; every n-th is made to fail under exit stress.
    pub(super) fn stressed(&mut self, inst: Inst, ok: IntValue<'c>) -> Lowered<IntValue<'c>> {
        self.guards += 1;
        let n = self.options.exit_stress;
        if n != 0 && self.guards.is_multiple_of(n) && !self.before_commit(inst)? {
            return Ok(self.t.i1.const_zero());
        }
        Ok(ok)
    }

    fn exit_id(&self, inst: Inst) -> Lowered<u32> {
        self.plan
            .exit(inst)
            .ok_or_else(|| LowerError::Bug(format!("{inst} has no exit")))
    }

    fn before_commit(&self, inst: Inst) -> Lowered<bool> {
        Ok(self.plan.exits[self.exit_id(inst)? as usize].before_commit)
    }

    /// `Exit`, which ends its block.
    pub(super) fn exit(&mut self, inst: Inst) -> Lowered<()> {
        self.guards += 1;
        self.leave(inst)
    }

    pub(super) fn guard_valid(&mut self, inst: Inst) -> Lowered<()> {
        let flag = self.load_word(self.pool()?, Mem::Valid)?;
        let ok = self
            .b
            .build_int_compare(IntPredicate::EQ, flag, self.word(0), "")?;
        self.guard(inst, ok)
    }

    /// Fills the block with the exit of `inst`.
    pub(super) fn leave(&self, inst: Inst) -> Lowered<()> {
        let id = self.exit_id(inst)?;
        if self.before_commit(inst)? {
            return self.ret(self.word(0), self.tag(Tag::RET_OSR_FAIL));
        }
        let words = self.at(self.vm, layout::VM_EXIT_WORDS)?;
        for word in &self.plan.stores[id as usize] {
            let at = self.at(words, word.word as usize * 8)?;
            match self.val(word.val)? {
                Lv::Any(payload, tag) => {
                    self.store(payload, at, Mem::ExitWord)?;
                    self.store(tag, self.at(at, 8)?, Mem::ExitWord)?;
                }
                Lv::Float(f) => self.store(f, at, Mem::ExitWord)?,
                Lv::Ptr(p) => self.store(p, at, Mem::ExitWord)?,
                typed => self.store(self.payload(typed)?, at, Mem::ExitWord)?,
            }
        }
        // The record has the closure too, so that none of the registers that
        // survive calls need be taken for it.
        let closure = if self.pushed {
            self.load_ptr(self.fp, Mem::Stack)?
        } else {
            self.closure
        };
        let which = u64::from(self.options.code_id) << 32 | u64::from(id);
        let which = self.t.i64.const_int(which, false);
        let args = [self.vm.into(), self.fp.into(), closure.into(), which.into()];
        let call = self.helper(Helper::Exit, &args)?;
        call.set_tail_call(true);
        let result = self.call_result(call)?;
        self.b.build_return(Some(&result))?;
        Ok(())
    }

    /// Whether `inst` is a guard on the tag of the value that `producer` makes.
    pub(super) fn guards_result_of(&self, producer: Inst, inst: Inst) -> Option<Tag> {
        let data = self.func.inst(inst);
        match data.op {
            Op::GuardTag(tag) if data.args.first().copied() == self.func.inst(producer).result => {
                Some(tag)
            }
            _ => None,
        }
    }
}
