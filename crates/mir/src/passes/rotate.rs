//! Loops that test their condition at the start test it at the end instead.
//!
//! The header of such a loop, if it does nothing but compute a condition, is
//! copied to the end of the loop; the old one stays in front as the test
//! whether the loop runs at all. An iteration then takes one jump less, and
//! the loop looks like a numeric one to the passes that split it.

use super::Fuel;
use super::copy::{self, Copies};
use super::dce::is_removable;
use crate::analysis::{Cfg, Loop, loops};
use crate::exits::is_before_commit;
use crate::ir::{Func, Op};

/// Largest header that is copied, in instructions.
const MAX_HEADER: usize = 16;

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut changed = false;
    let mut looked_at = Vec::new();
    'again: loop {
        let cfg = Cfg::new(func);
        let all = loops(func, &cfg);
        for l in &all {
            let innermost = !all
                .iter()
                .any(|other| other.header != l.header && l.blocks.contains(&other.header));
            if looked_at.contains(&l.header) || !innermost {
                continue;
            }
            looked_at.push(l.header);
            if rotate(func, &cfg, l, fuel) {
                changed = true;
                continue 'again;
            }
        }
        return changed;
    }
}

fn rotate(func: &mut Func, cfg: &Cfg, l: &Loop, fuel: &mut Fuel) -> bool {
    let h = l.header;
    let [latch] = l.latches[..] else {
        return false;
    };
    let (Some(&jump), Some(&test)) = (
        func.blocks[latch.index()].insts.last(),
        func.blocks[h.index()].insts.last(),
    ) else {
        return false;
    };
    if latch == h || func.inst(jump).op != Op::Jump || func.inst(test).op != Op::Branch {
        return false;
    }
    let targets = &func.inst(test).targets;
    let Some(stays) = targets.iter().position(|t| l.blocks.contains(&t.block)) else {
        return false;
    };
    let body = targets[stays].block;
    let insts = func.blocks[h.index()].insts.clone();
    let plain = |op: &Op| {
        (is_removable(op) || matches!(op, Op::Guard | Op::GuardTag(_) | Op::GuardShape))
            && !matches!(op, Op::NewTable { .. } | Op::NewCell | Op::Lib(_))
    };
    if l.blocks.contains(&targets[1 - stays].block)
        || body == h
        || cfg.preds[body.index()].len() != 1
        || is_before_commit(func, h)
        || insts.len() > MAX_HEADER
        || !insts[..insts.len() - 1]
            .iter()
            .all(|&i| plain(&func.inst(i).op))
    {
        return false;
    }
    let Some(escapes) = copy::escapes(func, cfg, &[h]) else {
        return false;
    };
    if !fuel.take() {
        return false;
    }
    copy::close(func, cfg, &[h], &escapes);
    let mut copies = Copies::default();
    let args = func.inst(jump).targets[0].args.clone();
    for (&p, &a) in func.blocks[h.index()].params.clone().iter().zip(&args) {
        copies.map.insert(p, a);
    }
    func.blocks[latch.index()].insts.pop();
    for i in insts {
        copies.copy(func, i, latch);
    }
    func.blocks[h.index()].loop_header = false;
    func.blocks[body.index()].loop_header = true;
    true
}
