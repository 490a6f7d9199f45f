//! Loops that share a header: an inner one gets a header of its own.
//!
//! Code entered at an inner loop reaches the loops around it only through that
//! one, so that its header is theirs as well and nothing is invariant. Edges
//! into the header that are not of the inner loop go to a new block in front
//! of it, as in LLVM's loop simplification.

use super::Fuel;
use crate::analysis::{Cfg, Loop, loops};
use crate::ir::{Block, Func, Op, Target, Ty, Val};
use smallvec::SmallVec;

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut changed = false;
    // Each round takes the innermost loop off every header.
    for _ in 0..8 {
        let cfg = Cfg::new(func);
        let mut again = false;
        for l in loops(func, &cfg) {
            let inner = inner_latches(func, &cfg, &l);
            if !inner.is_empty() && fuel.take() {
                separate(func, &cfg, &l, &inner);
                again = true;
                // The facts are out of date.
                break;
            }
        }
        changed |= again;
        if !again {
            break;
        }
    }
    changed
}

/// The latches of the innermost loop with this header, if there are others and
/// a parameter of the header stays the same in it alone.
fn inner_latches(func: &Func, cfg: &Cfg, l: &Loop) -> Vec<Block> {
    if l.latches.len() < 2 || l.header == Func::ENTRY {
        return Vec::new();
    }
    let body = |latch: Block| {
        let mut blocks = vec![l.header];
        let mut work = vec![latch];
        while let Some(b) = work.pop() {
            if !blocks.contains(&b) {
                blocks.push(b);
                work.extend(&cfg.preds[b.index()]);
            }
        }
        blocks
    };
    let bodies: Vec<Vec<Block>> = l.latches.iter().map(|&b| body(b)).collect();
    let Some(smallest) = bodies.iter().min_by_key(|b| b.len()) else {
        return Vec::new();
    };
    let inner: Vec<Block> = l
        .latches
        .iter()
        .copied()
        .filter(|b| smallest.contains(b))
        .collect();
    let stays = |latch: Block, k: usize| {
        let param = func.blocks[l.header.index()].params[k];
        func.terminator(latch).is_some_and(|t| {
            t.targets
                .iter()
                .filter(|t| t.block == l.header)
                .all(|t| t.args[k] == param)
        })
    };
    let invariant_inside = (0..func.blocks[l.header.index()].params.len())
        .any(|k| inner.iter().all(|&b| stays(b, k)) && !l.latches.iter().all(|&b| stays(b, k)));
    if inner.len() < l.latches.len() && invariant_inside {
        inner
    } else {
        Vec::new()
    }
}

/// Leads all edges into the header but those of the inner latches to a new
/// block.
fn separate(func: &mut Func, cfg: &Cfg, l: &Loop, inner: &[Block]) {
    let block = func.add_block();
    let types: Vec<Ty> = func.blocks[l.header.index()]
        .params
        .iter()
        .map(|&p| func.ty(p))
        .collect();
    let args: SmallVec<[Val; 4]> = types.iter().map(|&t| func.add_param(block, t)).collect();
    let jump = func.push(block, Op::Jump, &[], Ty::None);
    func.insts[jump.index()].targets.push(Target {
        block: l.header,
        args,
    });
    func.blocks[block.index()].loop_header = true;
    func.blocks[block.index()].cold = func.blocks[l.header.index()].cold;
    for &p in &cfg.preds[l.header.index()] {
        if inner.contains(&p) {
            continue;
        }
        let Some(&last) = func.blocks[p.index()].insts.last() else {
            continue;
        };
        for t in &mut func.insts[last.index()].targets {
            if t.block == l.header {
                t.block = block;
            }
        }
    }
}
