//! Dead code elimination: instructions and block parameters that nothing
//! needs. Optimistic: parameters that only feed each other around a loop die.
//!
//! Guards stay: where Lua raises an error for a wrong operand, the guard is
//! what notices. Frame states name what is in a box instead of the box.

use super::Fuel;
use super::edit::{compact_states, drop_unreachable, retain_params};
use crate::analysis::{Cfg, for_each_use, in_loops};
use crate::exits::unboxed;
use crate::helper::Effect;
use crate::ir::{Block, Def, Func, Inst, Op, Val};

/// Whether the instruction may go when its result is not used.
pub(super) fn is_removable(op: &Op) -> bool {
    op.is_pure() || op.is_virtual() || allocates(op) || op.reads().is_some() && !op.is_guard()
}

/// Whether all that the instruction does is to make an object.
fn allocates(op: &Op) -> bool {
    matches!(op, Op::NewTable { .. } | Op::NewCell | Op::NewClosure(..))
        || matches!(op.lib_effect(), Some(Effect::Allocates))
}

/// Whether a loop makes an object that nothing needs.
fn makes_in_vain(func: &Func, live: &Live) -> bool {
    let in_vain = |b: usize| {
        let mut insts = func.blocks[b].insts.iter();
        insts.any(|&i| !live.insts[i.index()] && allocates(&func.inst(i).op))
    };
    let blocks: Vec<usize> = (0..func.blocks.len()).filter(|&b| in_vain(b)).collect();
    !blocks.is_empty() && {
        let inside = in_loops(func, &Cfg::new(func));
        blocks.iter().any(|&b| inside[b])
    }
}

/// See the module. One unit of fuel.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    if !fuel.take() {
        return false;
    }
    let mut changed = drop_unreachable(func);
    unbox_states(func);
    let live = Live::new(func);
    func.spares |= makes_in_vain(func, &live);
    for b in 0..func.blocks.len() {
        let mut insts = std::mem::take(&mut func.blocks[b].insts);
        let before = insts.len();
        insts.retain(|i| live.insts[i.index()]);
        changed |= insts.len() != before;
        func.blocks[b].insts = insts;
    }
    let keep: Vec<Vec<bool>> = func
        .blocks
        .iter()
        .enumerate()
        .map(|(b, data)| {
            let entry = Block(b as u32) == Func::ENTRY;
            let keep: Vec<bool> = data
                .params
                .iter()
                .map(|p| entry || live.vals[p.index()])
                .collect();
            changed |= keep.contains(&false);
            keep
        })
        .collect();
    retain_params(func, &keep);
    compact_states(func);
    changed
}

/// Frame states name the content of a box: exits need no box.
fn unbox_states(func: &mut Func) {
    for s in 0..func.states.len() {
        for r in 0..func.states[s].regs.len() {
            let v = func.states[s].regs[r].1;
            func.states[s].regs[r].1 = unboxed(func, v);
        }
    }
}

/// What is needed.
struct Live {
    insts: Vec<bool>,
    vals: Vec<bool>,
}

impl Live {
    fn new(func: &Func) -> Live {
        let mut live = Live {
            insts: vec![false; func.insts.len()],
            vals: vec![false; func.vals.len()],
        };
        let (mut insts, mut vals): (Vec<Inst>, Vec<Val>) = (Vec::new(), Vec::new());
        // Edges into each block: the terminator and the target's position.
        let mut edges: Vec<Vec<(Inst, usize)>> = vec![Vec::new(); func.blocks.len()];
        for b in &func.blocks {
            for &i in &b.insts {
                let data = func.inst(i);
                if !is_removable(&data.op) {
                    live.insts[i.index()] = true;
                    insts.push(i);
                }
                for (n, t) in data.targets.iter().enumerate() {
                    edges[t.block.index()].push((i, n));
                }
            }
        }
        loop {
            if let Some(i) = insts.pop() {
                // Arguments for parameters are needed if the parameters are.
                let data = func.inst(i);
                let mut used = |v: Val| {
                    if !std::mem::replace(&mut live.vals[v.index()], true) {
                        vals.push(v);
                    }
                };
                if data.targets.is_empty() {
                    for_each_use(func, i, used);
                } else {
                    data.args.iter().for_each(|&v| used(v));
                }
            } else if let Some(v) = vals.pop() {
                match func.vals[v.index()].def {
                    Def::Inst(i) => {
                        if !std::mem::replace(&mut live.insts[i.index()], true) {
                            insts.push(i);
                        }
                    }
                    Def::Param(b, k) => {
                        for &(i, n) in &edges[b.index()] {
                            let arg = func.inst(i).targets[n].args[k as usize];
                            if !std::mem::replace(&mut live.vals[arg.index()], true) {
                                vals.push(arg);
                            }
                        }
                    }
                }
            } else {
                return live;
            }
        }
    }
}
