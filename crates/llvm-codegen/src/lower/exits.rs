//! Guards and their side exits.
//!
//! A side exit stores the values that exist only in machine registers, then
//! hands its number to the exit helper, whose result is the function's. Most of
//! what exits store is the same: long-lived registers of this frame and of those
//! around it. The plan gives every value its word and puts what most exits store
//! first, so the stores of all exits make up a tree: an exit stores what is its
//! own and goes on to a block that stores what it shares with others, and so on
//! to the root. Where 300 exits hand over ten values each, that is 180 stores.
//! (Phis of the values in shared blocks would take superlinear time to compile;
//! here every value that a shared block stores dominates it.)

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::IntPredicate;
use inkwell::basic_block::BasicBlock;
use inkwell::values::{IntValue, PhiValue};
use std::sync::atomic::AtomicU8;
use vela_mir::backend::ExitStress;
use vela_mir::exits::{self, ExitWord};
use vela_mir::helper::Helper;
use vela_mir::ir::{Inst, Op};
use vela_objects::{Tag, layout};

/// A block whose exit is still to be filled.
pub(super) struct OpenExit<'c> {
    block: BasicBlock<'c>,
    id: u32,
    pushed: bool,
}

/// A block where exits meet, and the number of the one that was taken.
pub(super) type Meeting<'c> = (BasicBlock<'c>, PhiValue<'c>);

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

    /// Counts a guard, which may be made to fail under exit stress.
    fn stressed(&mut self, inst: Inst, ok: IntValue<'c>) -> Lowered<IntValue<'c>> {
        match self.provoked(inst)? {
            None => Ok(ok),
            Some(allowed) => self.both(ok, allowed),
        }
    }

    /// Counts a guard; under exit stress, what must hold besides its condition.
    pub(super) fn provoked(&mut self, inst: Inst) -> Lowered<Option<IntValue<'c>>> {
        self.guards += 1;
        let stress = self.options.exit_stress;
        if !stress.takes(self.guards) || !exits::may_provoke(self.func, inst) {
            return Ok(None);
        }
        if self.before_commit(inst)? {
            return Ok(None);
        }
        Ok(Some(match stress {
            ExitStress::First => self.reached_before()?,
            _ => self.t.i1.const_zero(),
        }))
    }

    /// Whether both hold.
    pub(super) fn both(&self, a: IntValue<'c>, b: IntValue<'c>) -> Lowered<IntValue<'c>> {
        if b.get_zero_extended_constant() == Some(0) {
            return Ok(b);
        }
        Ok(self.b.build_and(a, b, "")?)
    }

    /// Whether this place in the code was reached before.
    fn reached_before(&mut self) -> Lowered<IntValue<'c>> {
        // Volatile, as it changes behind the optimizer's back from one run of
        // the code to the next. It outlives the code, which only a test makes.
        let flag: &'static AtomicU8 = Box::leak(Box::default());
        let address = self.word(flag.as_ptr() as i64);
        let at = self.b.build_int_to_ptr(address, self.t.ptr, "")?;
        let i8 = self.t.i8;
        let reached = self.b.build_load(i8, at, "reached")?.into_int_value();
        let load = reached.as_instruction();
        let store = self.b.build_store(at, i8.const_int(1, false))?;
        for access in load.into_iter().chain([store]) {
            access
                .set_volatile(true)
                .map_err(|e| LowerError::Bug(e.to_string()))?;
        }
        let zero = i8.const_zero();
        Ok(self
            .b
            .build_int_compare(IntPredicate::NE, reached, zero, "")?)
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

    /// The block goes on to the exit of `inst`. It stays open until
    /// [`Fx::fill_exits`].
    pub(super) fn leave(&mut self, inst: Inst) -> Lowered<()> {
        let id = self.exit_id(inst)?;
        if self.before_commit(inst)? {
            return self.ret(self.word(0), self.tag(Tag::RET_OSR_FAIL));
        }
        self.open_exits.push(OpenExit {
            block: self.here()?,
            id,
            pushed: self.pushed,
        });
        Ok(())
    }

    /// As [`Fx::leave`] where a value is not what it is elsewhere: shares no
    /// stores.
    pub(super) fn leave_alone(&mut self, inst: Inst) -> Lowered<()> {
        let id = self.exit_id(inst)?;
        if self.before_commit(inst)? {
            return self.ret(self.word(0), self.tag(Tag::RET_OSR_FAIL));
        }
        let plan = self.plan;
        self.store_words(&plan.stores[id as usize])?;
        let leave = self.exit_block()?;
        self.go_on(leave, self.word(i64::from(id)))
    }

    /// Fills the open exits of the function being filled.
    pub(super) fn fill_exits(&mut self) -> Lowered<()> {
        let at = self.here()?;
        let pushed = self.pushed;
        let mut open = std::mem::take(&mut self.open_exits);
        let plan = self.plan;
        let stores = |e: &OpenExit<'c>| &plan.stores[e.id as usize][..];
        open.sort_by(|a, b| {
            let key = |w: &ExitWord| w.val.index();
            let words = stores(a).iter().map(key).cmp(stores(b).iter().map(key));
            a.pushed.cmp(&b.pushed).then(words)
        });
        for group in open.chunk_by(|a, b| a.pushed == b.pushed) {
            self.pushed = group[0].pushed;
            let leave = self.exit_block()?;
            self.meet(group, 0, leave)?;
        }
        self.pushed = pushed;
        self.b.position_at_end(at);
        Ok(())
    }

    /// Fills exits whose first `depth` stores are in `parent` or behind it.
    /// `exits` are sorted by what they store.
    fn meet(&mut self, exits: &[OpenExit<'c>], depth: usize, parent: Meeting<'c>) -> Lowered<()> {
        let plan = self.plan;
        let stores = |e: &OpenExit<'c>| &plan.stores[e.id as usize][depth..];
        let (Some(first), Some(last)) = (exits.first(), exits.last()) else {
            return Ok(());
        };
        if exits.len() == 1 {
            self.b.position_at_end(first.block);
            self.store_words(stores(first))?;
            return self.go_on(parent, self.word(i64::from(first.id)));
        }
        let same = |(a, b): &(&ExitWord, &ExitWord)| a == b;
        let common = stores(first).iter().zip(stores(last)).take_while(same);
        let common = common.count();
        let mut node = parent;
        if common > 0 {
            let block = self.new_block("shared");
            self.b.position_at_end(block);
            let ids = self.b.build_phi(self.t.i64, "")?;
            self.store_words(&stores(first)[..common])?;
            self.go_on(parent, ids.as_basic_value().into_int_value())?;
            node = (block, ids);
        }
        // Those that end here and, apart, those that store something more.
        let next = |e: &OpenExit<'c>| stores(e).get(common).copied();
        for group in exits.chunk_by(|a, b| next(a).is_some() && next(a) == next(b)) {
            self.meet(group, depth + common, node)?;
        }
        Ok(())
    }

    /// Ends the block being filled: goes on to where exits meet.
    fn go_on(&mut self, (block, ids): Meeting<'c>, id: IntValue<'c>) -> Lowered<()> {
        ids.add_incoming(&[(&id, self.here()?)]);
        self.b.build_unconditional_branch(block)?;
        Ok(())
    }

    fn store_words(&mut self, stores: &[ExitWord]) -> Lowered<()> {
        if stores.is_empty() {
            return Ok(());
        }
        let words = self.at(self.vm, layout::VM_EXIT_WORDS)?;
        for word in stores {
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
        Ok(())
    }

    /// Where all exits of the function being filled meet: calls the helper with
    /// the exit's number. Exits with the frame's record in place have another
    /// one than those without.
    fn exit_block(&mut self) -> Lowered<Meeting<'c>> {
        let key = (self.f, self.pushed);
        if let Some(known) = self.exit_blocks.iter().find(|e| e.0 == key) {
            return Ok(known.1);
        }
        let here = self.here()?;
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
        self.exit_blocks.push((key, (block, ids)));
        self.b.position_at_end(here);
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
