//! Which values that may refer to a candidate are live where.

use super::is_candidate;
use crate::analysis::{Cfg, def_block, for_each_use, placement};
use crate::ir::{Block, Func, Op, Ty, Val};
use rustc_hash::{FxHashMap, FxHashSet};

/// See the module.
pub(super) struct Live {
    /// By block: values that are live at its start, without its parameters.
    at: Vec<Vec<Val>>,
    /// Values that are used at all.
    used: FxHashSet<Val>,
}

impl Live {
    /// Linear in the uses of values that may refer to candidates, times the
    /// blocks they are live in.
    pub fn new(func: &Func, cfg: &Cfg) -> Live {
        let relevant = relevant(func, cfg);
        let place = placement(func);
        let mut uses: FxHashMap<Val, Vec<Block>> = FxHashMap::default();
        for &b in &cfg.order {
            for &i in &func.blocks[b.index()].insts {
                for_each_use(func, i, |v| {
                    if relevant.contains(&v) {
                        uses.entry(v).or_default().push(b);
                    }
                });
            }
        }
        let mut at = vec![Vec::new(); func.blocks.len()];
        let mut seen = vec![Val(u32::MAX); func.blocks.len()];
        for (&v, blocks) in &mut uses {
            let def = def_block(func, &place, v);
            while let Some(b) = blocks.pop() {
                if Some(b) != def && seen[b.index()] != v {
                    seen[b.index()] = v;
                    at[b.index()].push(v);
                    blocks.extend(&cfg.preds[b.index()]);
                }
            }
        }
        for vals in &mut at {
            vals.sort_unstable();
        }
        Live {
            at,
            used: uses.into_keys().collect(),
        }
    }

    /// Values that are live at the start of a block, without its parameters.
    pub fn at(&self, b: Block) -> &[Val] {
        &self.at[b.index()]
    }

    /// Whether a value that may refer to a candidate is used.
    pub fn is_used(&self, v: Val) -> bool {
        self.used.contains(&v)
    }
}

/// Values that may refer to a candidate.
fn relevant(func: &Func, cfg: &Cfg) -> FxHashSet<Val> {
    let mut set = FxHashSet::default();
    let mut again = true;
    while again {
        again = false;
        for &b in &cfg.order {
            for &i in &func.blocks[b.index()].insts {
                let data = func.inst(i);
                if let Some(r) = data.result {
                    let passes = matches!(
                        data.op,
                        Op::Box
                            | Op::Unbox
                            | Op::GuardTag(_)
                            | Op::LoadSlot(_)
                            | Op::LoadCell
                            | Op::Upval(_)
                    );
                    let refers = passes && set.contains(&data.args[0]);
                    let object = matches!(func.ty(r), Ty::Any | Ty::Table | Ty::LuaFn | Ty::Cell);
                    if refers && object || is_candidate(func, i) {
                        again |= set.insert(r);
                    }
                }
                for t in &data.targets {
                    let params = &func.blocks[t.block.index()].params;
                    for (&p, a) in params.iter().zip(&t.args) {
                        if set.contains(a) {
                            again |= set.insert(p);
                        }
                    }
                }
            }
        }
    }
    set
}
