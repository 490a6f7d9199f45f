//! Peeling: the first iteration of a loop in front of it.
//!
//! `local sum = 0` in front of a loop that adds floats gives a variable that is
//! an integer in the first iteration and a float in all others. It may not be
//! taken for a float from the start, because the loop may not run at all and
//! because each of its exits shows the difference. With the first iteration
//! apart the loop has a float.
//!
//! Escape analysis peels loops for a reason of its own.

use super::Fuel;
use super::copy::{self, Copies};
use super::fold::content;
use crate::analysis::{Cfg, Loop, loops};
use crate::ir::{Block, Func, Ty, Val};
use rustc_hash::FxHashMap;

/// Largest loop that is peeled for the types of its variables, in instructions.
const MAX_LOOP: usize = 150;

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let cfg = Cfg::new(func);
    let worth: Vec<Block> = loops(func, &cfg)
        .iter()
        .filter(|l| becomes_float(func, &cfg, l))
        .map(|l| l.header)
        .collect();
    let mut changed = false;
    for header in worth {
        changed |= fuel.take() && peel(func, header, MAX_LOOP);
    }
    changed
}

/// Whether a variable of the loop comes in as an integer and is a float after
/// each iteration.
fn becomes_float(func: &Func, cfg: &Cfg, l: &Loop) -> bool {
    let params = &func.blocks[l.header.index()].params;
    (0..params.len()).any(|k| {
        func.ty(params[k]) == Ty::Any
            && cfg.preds[l.header.index()].iter().all(|&from| {
                let wanted = if l.latches.contains(&from) {
                    Ty::Float
                } else {
                    Ty::Int
                };
                arguments(func, from, l.header, k)
                    .all(|v| content(func, v).is_some_and(|v| func.ty(v) == wanted))
            })
    })
}

/// What the edges from `from` pass for parameter `k` of a block.
fn arguments(func: &Func, from: Block, to: Block, k: usize) -> impl Iterator<Item = Val> {
    let last = func.blocks[from.index()].insts.last();
    last.into_iter()
        .flat_map(|&i| &func.inst(i).targets)
        .filter(move |t| t.block == to)
        .map(move |t| t.args[k])
}

/// Peels the innermost loop with this header, if it has no more than `most`
/// instructions. False, with nothing changed, if that cannot be.
pub(in crate::passes) fn peel(func: &mut Func, header: Block, most: usize) -> bool {
    let cfg = Cfg::new(func);
    let all = loops(func, &cfg);
    let Some(l) = all.iter().find(|l| l.header == header) else {
        return false;
    };
    let member = copy::members(func, &l.blocks);
    let innermost = !all
        .iter()
        .any(|other| other.header != header && member[other.header.index()]);
    let size: usize = l
        .blocks
        .iter()
        .map(|b| func.blocks[b.index()].insts.len())
        .sum();
    if !innermost || size > most {
        return false;
    }
    let Some(escapes) = copy::escapes(func, &cfg, &l.blocks) else {
        return false;
    };
    copy::close(func, &cfg, &l.blocks, &escapes);
    let mut copies = Copies::default();
    let mut copied: FxHashMap<Block, Block> = FxHashMap::default();
    let inside: Vec<Block> = cfg
        .order
        .iter()
        .copied()
        .filter(|b| member[b.index()])
        .collect();
    for &b in &inside {
        let new = func.add_block();
        func.blocks[new.index()].cold = func.blocks[b.index()].cold;
        for p in func.blocks[b.index()].params.clone() {
            let v = func.add_param(new, func.ty(p));
            copies.map.insert(p, v);
        }
        copied.insert(b, new);
    }
    for &b in &inside {
        for i in func.blocks[b.index()].insts.clone() {
            let new = copies.copy(func, i, copied[&b]);
            for t in &mut func.insts[new.index()].targets {
                if t.block != header {
                    t.block = copied.get(&t.block).copied().unwrap_or(t.block);
                }
            }
        }
    }
    for &p in cfg.preds[header.index()]
        .iter()
        .filter(|p| !member[p.index()])
    {
        if let Some(&last) = func.blocks[p.index()].insts.last() {
            for t in func.insts[last.index()].targets.iter_mut() {
                if t.block == header {
                    t.block = copied[&header];
                }
            }
        }
    }
    true
}
