//! Jumps, branches, returns and tail calls.

use super::memory::Mem;
use super::{Fx, LowerError, Lowered};
use crate::abi::loop_mark;
use inkwell::IntPredicate;
use inkwell::basic_block::BasicBlock;
use inkwell::values::{InstructionValue, IntValue, PointerValue};
use vela_mir::ir::{Block, Def, FloatFn, FloatOp, Inst, IntOp, Op, Target, Ty, Val};
use vela_objects::{Tag, layout};

impl<'c> Fx<'_, 'c> {
    pub(super) fn control(&mut self, b: Block, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        match &data.op {
            Op::Jump => {
                let target = &data.targets[0];
                self.pass(target, self.here()?)?;
                let jump = self
                    .b
                    .build_unconditional_branch(self.block(target.block)?)?;
                self.mark(b, jump);
                Ok(())
            }
            Op::Branch => self.branch(b, i),
            Op::Return => {
                let (payload, tag) = self.any(data.args[0])?;
                self.pop_record()?;
                self.ret(payload, tag)
            }
            Op::ReturnNone => {
                self.pop_record()?;
                self.ret(self.word(0), self.tag(Tag::RET_NONE))
            }
            Op::ReturnWindow { from, count } => self.return_window(*from, *count),
            Op::TailCall { a, nargs } => self.tail_call(*a, *nargs),
            Op::TailCallLua { is_self } => self.tail_call_lua(i, *is_self),
            op => Err(LowerError::Bug(format!("{op:?} is no control operation"))),
        }
    }

    /// Adds the arguments of a jump to the phis of its target.
    fn pass(&self, target: &Target, from: BasicBlock<'c>) -> Lowered<()> {
        let phis = &self.phis[target.block.index()];
        let params = &self.func.blocks[target.block.index()].params;
        for ((&arg, &phi), &param) in target.args.iter().zip(phis).zip(params) {
            let (have, want) = (self.func.ty(arg), self.func.ty(param));
            let lv = self
                .coerce(self.val(arg)?, have, want)?
                .ok_or_else(|| LowerError::Bug(format!("{arg} does not fit {param}")))?;
            self.add_incoming(phi, lv, from)?;
        }
        Ok(())
    }

    fn branch(&mut self, b: Block, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        let cond = self.bool(data.args[0])?;
        let (yes, no) = (&data.targets[0], &data.targets[1]);
        let here = self.here()?;
        self.pass(yes, here)?;
        // A phi has one value for each predecessor: a second edge to the same
        // block needs a block of its own.
        let other = if yes.block == no.block && !no.args.is_empty() {
            let edge = self.new_block("edge");
            self.b.position_at_end(edge);
            self.pass(no, edge)?;
            self.b.build_unconditional_branch(self.block(no.block)?)?;
            self.b.position_at_end(here);
            edge
        } else {
            self.pass(no, here)?;
            self.block(no.block)?
        };
        let branch = self
            .b
            .build_conditional_branch(cond, self.block(yes.block)?, other)?;
        let cold = |t: &Target| self.func.blocks[t.block.index()].cold;
        if cold(yes) != cold(no) {
            self.notes.expect(branch, cold(no))?;
        }
        self.mark(b, branch);
        Ok(())
    }

    fn return_window(&self, from: u8, count: Option<u8>) -> Lowered<()> {
        let base = self.register(from as usize)?;
        let count = match count {
            Some(0) => {
                self.pop_record()?;
                return self.ret(self.word(0), self.tag(Tag::RET_NONE));
            }
            Some(1) => {
                let (payload, tag) = self.load_value(base)?;
                self.pop_record()?;
                return self.ret(payload, tag);
            }
            Some(n) => self.word(i64::from(n)),
            None => self.up_to_top(base)?,
        };
        self.store(base, self.at(self.vm, layout::VM_RET_BASE)?, Mem::Vm)?;
        self.store(count, self.at(self.vm, layout::VM_RET_COUNT)?, Mem::Vm)?;
        self.pop_record()?;
        self.ret(self.word(0), self.tag(Tag::RET_MULTI))
    }

    /// Number of values from `base` up to the VM's top.
    pub(super) fn up_to_top(&self, base: PointerValue<'c>) -> Lowered<IntValue<'c>> {
        let top = self.load_word(self.at(self.vm, layout::VM_TOP)?, Mem::Vm)?;
        let base = self.b.build_ptr_to_int(base, self.t.i64, "")?;
        let bytes = self.b.build_int_sub(top, base, "")?;
        let shift = layout::VALUE_SIZE.trailing_zeros();
        let shift = self.word(i64::from(shift));
        Ok(self.b.build_right_shift(bytes, shift, false, "")?)
    }

    /// Moves function and arguments down to where the caller put the frame
    /// and lets the caller go on with them.
    fn tail_call(&mut self, a: u8, nargs: Option<u8>) -> Lowered<()> {
        let a = a as usize;
        let nargs = match nargs {
            Some(n) => self.word(i64::from(n)),
            None => self.up_to_top(self.register(a + 2)?)?,
        };
        let function = self.load_value(self.register(a)?)?;
        self.pop_record()?;
        self.store_value(function, self.entry_fp)?;
        let from = self.register(a + 2)?;
        let to = self.at(self.entry_fp, layout::FRAME_SIZE)?;
        self.copy_down(from, to, nargs)?;
        self.ret(nargs, self.tag(Tag::RET_TAIL))
    }

    /// Copies values to lower addresses, first one first.
    fn copy_down(
        &mut self,
        from: PointerValue<'c>,
        to: PointerValue<'c>,
        count: IntValue<'c>,
    ) -> Lowered<()> {
        let slot = self.cx.i128_type();
        let copy = |n: IntValue<'c>| -> Lowered<()> {
            let value = self.load_value(self.index(slot, from, n)?)?;
            self.store_value(value, self.index(slot, to, n)?)
        };
        if let Some(n) = count.get_sign_extended_constant() {
            return (0..n).try_for_each(|n| copy(self.word(n)));
        }
        let before = self.here()?;
        let head = self.new_block("copy");
        let body = self.new_block("value");
        let next = self.new_block("copied");
        self.b.build_unconditional_branch(head)?;
        self.b.position_at_end(head);
        let n = self.b.build_phi(self.t.i64, "n")?;
        let index = n.as_basic_value().into_int_value();
        let more = self
            .b
            .build_int_compare(IntPredicate::ULT, index, count, "")?;
        self.b.build_conditional_branch(more, body, next)?;
        self.b.position_at_end(body);
        copy(index)?;
        let after = self.b.build_int_add(index, self.word(1), "")?;
        self.b.build_unconditional_branch(head)?;
        n.add_incoming(&[(&self.word(0), before), (&after, body)]);
        self.b.position_at_end(next);
        Ok(())
    }

    /// Marks the back edge of a loop that vectorization is for.
    fn mark(&mut self, b: Block, edge: InstructionValue<'c>) {
        if self.vector_latches.contains(&b) {
            loop_mark::mark_for_vectorization(self.cx, edge);
            self.marked_loops = true;
        }
    }

    /// Latches of the innermost loops that only compute on elements: nothing
    /// that leaves, calls, or depends on types.
    pub(super) fn find_vector_loops(&mut self) {
        let func = self.func;
        let loops = vela_mir::analysis::loops(func, &self.cfg);
        for l in &loops {
            let innermost = !loops
                .iter()
                .any(|other| other.header != l.header && l.blocks.contains(&other.header));
            let ops = || {
                l.blocks
                    .iter()
                    .flat_map(|b| &func.blocks[b.index()].insts)
                    .copied()
            };
            let touches = ops().any(|i| matches!(func.inst(i).op, Op::LoadElem | Op::StoreElem));
            // The mark would also let LLVM sum floats in another order.
            let in_order = func.blocks[l.header.index()]
                .params
                .iter()
                .any(|&p| func.ty(p) == Ty::Float);
            let plain = !in_order && ops().all(|i| self.is_vector_op(i));
            if let ([latch], true, true, true) = (&l.latches[..], innermost, touches, plain)
                && self.steps_are_constant(l)
            {
                self.vector_latches.push(*latch);
            }
        }
    }

    /// Whether no integer advances by a value from before the loop: the elements at such
    /// an index are not together.
    fn steps_are_constant(&self, l: &vela_mir::analysis::Loop) -> bool {
        let func = self.func;
        let params = &func.blocks[l.header.index()].params;
        let place = vela_mir::analysis::placement(func);
        let from_before = |v: Val| {
            let from = vela_mir::analysis::def_block(func, &place, v);
            from.is_none_or(|b| !l.blocks.contains(&b))
        };
        let backs = l.latches.iter().filter_map(|&b| func.terminator(b));
        let mut backs = backs
            .flat_map(|t| &t.targets)
            .filter(|t| t.block == l.header);
        backs.all(|t| {
            params.iter().zip(&t.args).all(|(&p, &next)| {
                let Def::Inst(i) = func.vals[next.index()].def else {
                    return true;
                };
                let data = func.inst(i);
                let by = match (&data.op, &data.args[..]) {
                    (Op::IntOp(IntOp::Add), &[a, by]) if a == p => by,
                    (Op::IntOp(IntOp::Add), &[by, a]) if a == p => by,
                    _ => return true,
                };
                matches!(func.def_op(by), Some(Op::Int(_))) || !from_before(by)
            })
        })
    }

    fn is_vector_op(&self, i: Inst) -> bool {
        let typed = |ty: Ty| matches!(ty, Ty::Int | Ty::Float | Ty::Bool);
        match &self.func.inst(i).op {
            Op::IntOp(op) => !matches!(op, IntOp::FloorDiv | IntOp::Mod),
            Op::FloatOp(op) => matches!(
                op,
                FloatOp::Add
                    | FloatOp::Sub
                    | FloatOp::Mul
                    | FloatOp::Div
                    | FloatOp::Min
                    | FloatOp::Max
            ),
            Op::FloatFn(f) => matches!(
                f,
                FloatFn::Neg | FloatFn::Abs | FloatFn::Sqrt | FloatFn::Floor | FloatFn::Ceil
            ),
            Op::LoadElem => typed(self.result_ty(i)),
            Op::StoreElem => typed(self.func.ty(self.func.inst(i).args[2])),
            Op::Int(_)
            | Op::Float(_)
            | Op::Bool(_)
            | Op::IntCmp(_)
            | Op::FloatCmp(_)
            | Op::IntToFloat
            | Op::Not
            | Op::Select
            | Op::Branch
            | Op::Jump => true,
            _ => false,
        }
    }
}
