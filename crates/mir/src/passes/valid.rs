//! Validity checks that repeat one: nothing since then could have ended the
//! code's validity.
//!
//! Inlined calls end with a check in case something in them called or polled.
//! Often nothing does, at the latest when escape analysis has removed what they
//! made; and in a loop value numbering cannot see that the check behind the
//! poll of one iteration is good for the next. A forward data-flow problem with
//! one bit per block: whether every way to it has a check, or the entry, behind
//! the last operation that may invalidate the code.
//!
//! A check right behind a poll that nothing before calls for is made where the
//! poll is taken ([`Op::GuardPolled`]), which spares loops a load and a branch.

use super::Fuel;
use super::memory::may_invalidate;
use crate::analysis::Cfg;
use crate::ir::{Block, Func, Op};

/// Whether the code is known to be valid behind the operation.
fn valid_behind(op: &Op, before: bool) -> bool {
    matches!(op, Op::GuardValid | Op::GuardPolled) || before && !may_invalidate(op)
}

/// The same, where only a check leaves: with operations whose helpers store to
/// tables of any shape.
fn surely_valid_behind(op: &Op, before: bool) -> bool {
    let stores = matches!(
        op,
        Op::PutField | Op::PutIndex | Op::AddSlot | Op::SetShape | Op::PushElem
    );
    valid_behind(op, before) && !stores
}

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut insts = func.blocks.iter().flat_map(|b| &b.insts);
    if !insts.any(|i| func.insts[i.index()].op == Op::GuardValid) {
        return false;
    }
    let cfg = Cfg::new(func);
    let mut changed = drop_repeated(func, &cfg, fuel);
    changed |= move_into_polls(func, &cfg, fuel);
    changed
}

/// A fact about the code behind an operation, given whether it held before.
type Step = fn(&Op, bool) -> bool;

/// By block: whether the fact holds at its end. Invalid code is not entered;
/// everything else is valid until it is shown not to be.
fn solve(func: &Func, cfg: &Cfg, step: Step) -> Vec<bool> {
    let mut at_end = vec![true; func.blocks.len()];
    let mut changes = true;
    while changes {
        changes = false;
        for &b in &cfg.order {
            let insts = func.blocks[b.index()].insts.iter();
            let before = at_start(cfg, &at_end, b);
            let valid = insts.fold(before, |valid, &i| step(&func.inst(i).op, valid));
            changes |= valid != at_end[b.index()];
            at_end[b.index()] = valid;
        }
    }
    at_end
}

fn at_start(cfg: &Cfg, at_end: &[bool], b: Block) -> bool {
    cfg.preds[b.index()].iter().all(|p| at_end[p.index()])
}

fn drop_repeated(func: &mut Func, cfg: &Cfg, fuel: &mut Fuel) -> bool {
    let at_end = solve(func, cfg, valid_behind);
    let mut changed = false;
    for &b in &cfg.order {
        let mut valid = at_start(cfg, &at_end, b);
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

fn move_into_polls(func: &mut Func, cfg: &Cfg, fuel: &mut Fuel) -> bool {
    let at_end = solve(func, cfg, surely_valid_behind);
    let mut changed = false;
    for &b in &cfg.order {
        let mut valid = at_start(cfg, &at_end, b);
        let mut polled = false;
        for n in 0..func.blocks[b.index()].insts.len() {
            let i = func.blocks[b.index()].insts[n];
            let op = func.inst(i).op.clone();
            if op == Op::GuardValid && polled && fuel.take() {
                func.insts[i.index()].op = Op::GuardPolled;
                changed = true;
            }
            polled = op == Op::Poll && valid;
            valid = surely_valid_behind(&op, valid);
        }
    }
    changed
}
