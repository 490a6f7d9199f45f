//! Which loops to peel.
//!
//! A variable that comes from outside and is a new object after each iteration
//! is a real object in the first iteration only. With that one apart, the loop
//! sees nothing but virtual objects.

use super::Escape;
use super::join::Fate;
use super::{Kind, Ref};
use crate::ir::Block;

/// Largest loop that is peeled, in instructions.
pub(super) const MAX_LOOP: usize = 400;

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
