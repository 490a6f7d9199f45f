//! Peeling: the first iteration of a loop in front of it.
//!
//! A variable that comes from outside and is a new object after each iteration
//! is a real object in the first iteration only. With that one apart, the loop
//! sees nothing but virtual objects.

use super::Escape;
use super::join::Fate;
use super::{Kind, Ref};
use crate::analysis::{Cfg, loops};
use crate::ir::{Block, Func};
use crate::passes::copy::{self, Copies};
use rustc_hash::FxHashMap;

/// Largest loop that is peeled, in instructions.
const MAX_LOOP: usize = 400;

/// Peels the innermost loop with this header. False, with nothing changed, if
/// that cannot be.
pub(super) fn peel(func: &mut Func, header: Block) -> bool {
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
    if !innermost || size > MAX_LOOP {
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

impl Escape<'_> {
    /// Headers of loops with a variable that is a virtual object at the end of
    /// each iteration and comes from outside as a plain value.
    pub(super) fn worth_peeling(&self) -> Vec<Block> {
        let is_worth = |&b: &Block| {
            let join = &self.joins[b.index()];
            (0..join.fates.len()).any(|k| join.fates[k] == Fate::Kept && self.alternates(b, k))
        };
        let header = |b: &Block| self.func.blocks[b.index()].loop_header;
        let order = self.cfg.order.iter().copied();
        order.filter(header).filter(is_worth).collect()
    }

    /// Whether a parameter is a virtual table on all ways around the loop and a
    /// plain value from outside.
    fn alternates(&self, header: Block, k: usize) -> bool {
        let (mut outside, mut around) = (false, false);
        for &(from, n) in &self.edges[header.index()] {
            let Some(end) = &self.ends[from.index()] else {
                return false;
            };
            let back = self.cfg.dominates(header, from);
            match end.args[n][k] {
                Ref::Val(_) if !back => outside = true,
                Ref::Obj(o) if back && matches!(self.kind(o), Kind::Table { .. }) => around = true,
                _ => return false,
            }
        }
        outside && around
    }
}
