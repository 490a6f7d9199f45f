//! Validity checks that repeat one: nothing since then could have ended the
//! code's validity.
//!
//! Inlined calls end with a check in case something in them called or polled.
//! Often nothing does, at the latest when escape analysis has removed what they
//! made; and in a loop value numbering cannot see that the check behind the
//! poll of one iteration is good for the next. A forward data-flow problem with
//! one bit per block: whether every way to it has a check, or the entry, behind
//! the last operation that may invalidate the code.

use super::Fuel;
use super::memory::may_invalidate;
use crate::analysis::Cfg;
use crate::ir::{Block, Func, Op};

/// Whether the code is known to be valid behind the operation.
fn valid_behind(op: &Op, before: bool) -> bool {
    *op == Op::GuardValid || before && !may_invalidate(op)
}

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut insts = func.blocks.iter().flat_map(|b| &b.insts);
    if !insts.any(|i| func.insts[i.index()].op == Op::GuardValid) {
        return false;
    }
    let cfg = Cfg::new(func);
    let behind = |func: &Func, b: Block, before: bool| {
        let insts = func.blocks[b.index()].insts.iter();
        insts.fold(before, |valid, &i| valid_behind(&func.inst(i).op, valid))
    };
    // Invalid code is not entered. Everything else is valid until it is shown
    // not to be.
    let mut at_end = vec![true; func.blocks.len()];
    let at_start =
        |at_end: &[bool], b: Block| cfg.preds[b.index()].iter().all(|p| at_end[p.index()]);
    let mut changes = true;
    while changes {
        changes = false;
        for &b in &cfg.order {
            let valid = behind(func, b, at_start(&at_end, b));
            changes |= valid != at_end[b.index()];
            at_end[b.index()] = valid;
        }
    }
    let mut changed = false;
    for &b in &cfg.order {
        let mut valid = at_start(&at_end, b);
        let mut insts = std::mem::take(&mut func.blocks[b.index()].insts);
        insts.retain(|&i| {
            let op = &func.inst(i).op;
            let repeats = *op == Op::GuardValid && valid && fuel.take();
            valid = valid_behind(op, valid);
            changed |= repeats;
            !repeats
        });
        func.blocks[b.index()].insts = insts;
    }
    changed
}
