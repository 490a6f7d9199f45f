//! Control flow: branches on constants, blocks that only jump or only branch
//! on what they were passed, blocks with one way in and one way out.

use super::Fuel;
use super::edit::{Replacements, compact_states, drop_unreachable};
use crate::analysis::for_each_use;
use crate::exits::is_before_commit;
use crate::ir::{Block, Def, Func, Inst, Op, Target, Val};
use smallvec::SmallVec;

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut changed = false;
    // Threading exposes constant branches and the other way round; both
    // remove edges or blocks, so this ends.
    for _ in 0..8 {
        let mut again = branches(func, fuel);
        again |= thread(func, fuel);
        again |= drop_unreachable(func);
        again |= merge(func, fuel);
        changed |= again;
        if !again {
            break;
        }
    }
    compact_states(func);
    changed
}

fn constant(func: &Func, v: Val) -> Option<bool> {
    match func.def_op(v) {
        Some(Op::Bool(b)) => Some(*b),
        _ => None,
    }
}

/// Makes a terminator a plain jump to one of its targets.
fn become_jump(func: &mut Func, i: Inst, target: Target) {
    let data = &mut func.insts[i.index()];
    data.op = Op::Jump;
    data.args.clear();
    data.targets.clear();
    data.targets.push(target);
}

/// Branches whose condition is a constant or whose targets are equal.
fn branches(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut changed = false;
    for b in 0..func.blocks.len() {
        let Some(&i) = func.blocks[b].insts.last() else {
            continue;
        };
        let data = func.inst(i);
        if data.op != Op::Branch {
            continue;
        }
        let target = match constant(func, data.args[0]) {
            Some(true) => data.targets[0].clone(),
            Some(false) => data.targets[1].clone(),
            None if data.targets[0] == data.targets[1] => data.targets[0].clone(),
            None => continue,
        };
        if fuel.take() {
            become_jump(func, i, target);
            changed = true;
        }
    }
    changed
}

/// By block: whether one of its parameters is used in another block.
fn params_escape(func: &Func) -> Vec<bool> {
    let mut escape = vec![false; func.blocks.len()];
    for (b, data) in func.blocks.iter().enumerate() {
        for &i in &data.insts {
            for_each_use(func, i, |v| {
                if let Def::Param(d, _) = func.vals[v.index()].def
                    && d.index() != b
                {
                    escape[d.index()] = true;
                }
            });
        }
    }
    escape
}

/// Where a jump to `target` really leads: through a block that only jumps on,
/// or that only branches on a constant it is passed.
fn destination(func: &Func, escape: &[bool], target: &Target) -> Option<Target> {
    let block = &func.blocks[target.block.index()];
    if target.block == Func::ENTRY || escape[target.block.index()] {
        return None;
    }
    let pass = |v: Val| match func.vals[v.index()].def {
        Def::Param(b, k) if b == target.block => target.args[k as usize],
        _ => v,
    };
    let [i] = block.insts.as_slice() else {
        return None;
    };
    let data = func.inst(*i);
    let next = match data.op {
        Op::Jump => &data.targets[0],
        Op::Branch => match constant(func, pass(data.args[0]))? {
            true => &data.targets[0],
            false => &data.targets[1],
        },
        _ => return None,
    };
    // A block that leads into a loop is kept: hoisted code goes there.
    if next.block == target.block || func.blocks[next.block.index()].loop_header {
        return None;
    }
    let args: SmallVec<[Val; 4]> = next.args.iter().map(|&v| pass(v)).collect();
    Some(Target {
        block: next.block,
        args,
    })
}

fn thread(func: &mut Func, fuel: &mut Fuel) -> bool {
    let escape = params_escape(func);
    let mut changed = false;
    for b in 0..func.blocks.len() {
        let Some(&i) = func.blocks[b].insts.last() else {
            continue;
        };
        for t in 0..func.inst(i).targets.len() {
            // Chains of such blocks are followed by the next round.
            if let Some(next) = destination(func, &escape, &func.inst(i).targets[t])
                && fuel.take()
            {
                func.insts[i.index()].targets[t] = next;
                changed = true;
            }
        }
    }
    changed
}

/// Appends to a block its only successor if that has no other predecessor.
fn merge(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut preds = vec![0u32; func.blocks.len()];
    for b in &func.blocks {
        for t in b.insts.last().iter().flat_map(|i| &func.inst(**i).targets) {
            preds[t.block.index()] += 1;
        }
    }
    let mut replaced = Replacements::new(func);
    let mut changed = false;
    for b in func.reverse_postorder() {
        if func.blocks[b.index()].insts.is_empty() {
            continue;
        }
        while let Some(next) = only_successor(func, b)
            && preds[next.block.index()] == 1
            && next.block != b
            && next.block != Func::ENTRY
            // The end of the entry block is the commit of an OSR entry.
            && !is_before_commit(func, b)
            && fuel.take()
        {
            func.blocks[b.index()].insts.pop();
            let data = std::mem::take(&mut func.blocks[next.block.index()]);
            for (&p, &a) in data.params.iter().zip(&next.args) {
                let a = replaced.resolve(a);
                replaced.replace(p, a);
            }
            let into = &mut func.blocks[b.index()];
            into.insts.extend(data.insts);
            into.cold |= data.cold;
            changed = true;
        }
    }
    replaced.apply(func);
    changed
}

fn only_successor(func: &Func, b: Block) -> Option<Target> {
    let &i = func.blocks[b.index()].insts.last()?;
    let data = func.inst(i);
    (data.op == Op::Jump).then(|| data.targets[0].clone())
}
