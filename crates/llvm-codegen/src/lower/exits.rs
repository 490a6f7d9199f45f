//! Guards and their side exits.
//!
//! Each guard has an exit block of its own, which stores the values that exist
//! only in machine registers (phis of them in a shared block would take
//! superlinear time to compile). All go on to one block that hands the exit's
//! number to the exit helper, whose result is the function's.

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::IntPredicate;
use inkwell::basic_block::BasicBlock;
use inkwell::values::{IntValue, PhiValue};
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
        if self.func.watches.is_empty() {
            // Only polls ask for it, which is where it is tested.
            return Ok(());
        }
        self.test_valid(inst)
    }

    pub(super) fn test_valid(&mut self, inst: Inst) -> Lowered<()> {
        let flag = self.load_word(self.pool()?, Mem::Valid)?;
        let ok = self
            .b
            .build_int_compare(IntPredicate::EQ, flag, self.word(0), "")?;
        self.guard(inst, ok)
    }

    /// Fills the block with the exit of `inst`.
    pub(super) fn leave(&mut self, inst: Inst) -> Lowered<()> {
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
        let id = self.word(i64::from(id));
        let here = self.here()?;
        let (block, ids) = self.exit_block()?;
        ids.add_incoming(&[(&id, here)]);
        self.b.position_at_end(here);
        self.b.build_unconditional_branch(block)?;
        Ok(())
    }

    /// Where all exits of the function being filled meet: calls the helper with
    /// the exit's number. Exits with the frame's record in place have another
    /// one than those without.
    fn exit_block(&mut self) -> Lowered<(BasicBlock<'c>, PhiValue<'c>)> {
        let key = (self.f, self.pushed);
        if let Some(known) = self.exit_blocks.iter().find(|e| e.0 == key) {
            return Ok((known.1, known.2));
        }
        let block = self.new_block("leave");
        self.b.position_at_end(block);
        let ids = self.b.build_phi(self.t.i64, "")?;
        // The record has the closure too, so that none of the registers that
        // survive calls need be taken for it.
        let closure = if self.pushed {
            self.load_ptr(self.fp, Mem::Stack)?
        } else {
            self.closure
        };
        let code = u64::from(self.options.code_id) << 32;
        let code = self.t.i64.const_int(code, false);
        let which = self
            .b
            .build_or(ids.as_basic_value().into_int_value(), code, "")?;
        let args = [self.vm.into(), self.fp.into(), closure.into(), which.into()];
        let call = self.helper(Helper::Exit, &args)?;
        call.set_tail_call(true);
        let result = self.call_result(call)?;
        self.b.build_return(Some(&result))?;
        self.exit_blocks.push((key, block, ids));
        Ok((block, ids))
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
