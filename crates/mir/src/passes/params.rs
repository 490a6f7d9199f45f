//! Block parameters: those that are always one value go, and those of type
//! `any` that always hold one type are passed unboxed.
//!
//! Both questions are answered optimistically over all parameters at once, so
//! that variables of nested loops that feed each other are typed too.

use super::Fuel;
use super::edit::{Replacements, drop_unreachable, insert, retain_params};
use crate::ir::{Block, Def, Func, Op, Ty, Val};

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut changed = drop_unreachable(func);
    changed |= single_values(func, fuel);
    changed |= unbox_params(func, fuel);
    changed
}

/// Arguments that reach each parameter: `[block][parameter]`.
fn incoming(func: &Func) -> Vec<Vec<Vec<Val>>> {
    let mut incoming: Vec<Vec<Vec<Val>>> = func
        .blocks
        .iter()
        .map(|b| vec![Vec::new(); b.params.len()])
        .collect();
    for b in &func.blocks {
        let Some(&last) = b.insts.last() else {
            continue;
        };
        for t in &func.inst(last).targets {
            for (k, &arg) in t.args.iter().enumerate() {
                incoming[t.block.index()][k].push(arg);
            }
        }
    }
    incoming
}

/// The value that was checked and put into a box again, which is the same.
fn unchecked(func: &Func, mut v: Val) -> Val {
    while let Def::Inst(b) = func.vals[v.index()].def
        && func.inst(b).op == Op::Box
        && let Def::Inst(t) = func.vals[func.inst(b).args[0].index()].def
        && matches!(func.inst(t).op, Op::GuardTag(_) | Op::Unbox)
    {
        v = func.inst(t).args[0];
    }
    v
}

/// Replaces parameters whose arguments are all one value or the parameter.
fn single_values(func: &mut Func, fuel: &mut Fuel) -> bool {
    let incoming = incoming(func);
    let order = func.reverse_postorder();
    let mut replaced = Replacements::new(func);
    let mut keep: Vec<Vec<bool>> = func
        .blocks
        .iter()
        .map(|b| vec![true; b.params.len()])
        .collect();
    let mut again = true;
    while again {
        again = false;
        for &b in order.iter().filter(|&&b| b != Func::ENTRY) {
            for (k, &param) in func.blocks[b.index()].params.iter().enumerate() {
                if !keep[b.index()][k] {
                    continue;
                }
                let mut only = None;
                let single = incoming[b.index()][k].iter().all(|&arg| {
                    let arg = replaced.resolve(arg);
                    arg == param
                        || replaced.resolve(unchecked(func, arg)) == param
                        || only.replace(arg).is_none_or(|o| o == arg)
                });
                if let (true, Some(v)) = (single, only)
                    && fuel.take()
                {
                    replaced.replace(param, v);
                    keep[b.index()][k] = false;
                    again = true;
                }
            }
        }
    }
    if replaced.is_empty() {
        return false;
    }
    retain_params(func, &keep);
    replaced.apply(func);
    true
}

/// What is known of a parameter's content.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Nothing reaches it yet.
    Unknown,
    /// Boxes of this type.
    Of(Ty),
    /// Different things.
    Mixed,
}

fn unbox_params(func: &mut Func, fuel: &mut Fuel) -> bool {
    let incoming = incoming(func);
    let mut content: Vec<Content> = vec![Content::Mixed; func.vals.len()];
    let mut candidates = Vec::new();
    for (b, data) in func.blocks.iter().enumerate().skip(1) {
        for (k, &p) in data.params.iter().enumerate() {
            if func.ty(p) == Ty::Any {
                content[p.index()] = Content::Unknown;
                candidates.push((b, k, p));
            }
        }
    }
    let mut again = !candidates.is_empty();
    while again {
        again = false;
        for &(b, k, p) in &candidates {
            let mut all = Content::Unknown;
            for &arg in &incoming[b][k] {
                let one = match (func.vals[arg.index()].def, func.def_op(arg)) {
                    // nil has no machine value to pass.
                    (Def::Inst(i), Some(Op::Box)) if func.ty(func.inst(i).args[0]) != Ty::Nil => {
                        Content::Of(func.ty(func.inst(i).args[0]))
                    }
                    _ => content[arg.index()],
                };
                all = match (all, one) {
                    (Content::Unknown, x) | (x, Content::Unknown) => x,
                    (x, y) if x == y => x,
                    _ => Content::Mixed,
                };
            }
            if all != content[p.index()] {
                content[p.index()] = all;
                again = true;
            }
        }
    }
    // The first candidate's fuel pays for all: they depend on each other.
    let typed = |v: Val| match content.get(v.index()) {
        Some(Content::Of(ty)) => Some(*ty),
        _ => None,
    };
    candidates.retain(|c| typed(c.2).is_some());
    if candidates.is_empty() || !fuel.take() {
        return false;
    }
    // The old parameter becomes a box of the new one.
    let mut unboxed: Vec<Option<Val>> = vec![None; func.vals.len()];
    for &(b, k, p) in &candidates {
        let ty = typed(p).expect("candidates are typed");
        let block = Block(b as u32);
        let new = func.add_param(block, ty);
        func.blocks[b].params.pop();
        func.blocks[b].params[k] = new;
        func.vals[new.index()].def = Def::Param(block, k as u32);
        let boxed = insert(func, block, 0, Op::Box, &[new], Ty::Any);
        // Uses of the old parameter keep its number: the box takes it over.
        let Def::Inst(box_inst) = func.vals[boxed.index()].def else {
            unreachable!("just made");
        };
        func.insts[box_inst.index()].result = Some(p);
        func.vals[p.index()].def = Def::Inst(box_inst);
        func.vals[boxed.index()].ty = Ty::None;
        unboxed[p.index()] = Some(new);
    }
    for b in 0..func.blocks.len() {
        let Some(&last) = func.blocks[b].insts.last() else {
            continue;
        };
        for t in 0..func.inst(last).targets.len() {
            let target = func.inst(last).targets[t].clone();
            let params = func.blocks[target.block.index()].params.clone();
            for (k, &arg) in target.args.iter().enumerate() {
                if func.ty(params[k]) == Ty::Any || func.ty(arg) != Ty::Any {
                    continue;
                }
                let new = match (
                    unboxed.get(arg.index()).copied().flatten(),
                    func.vals[arg.index()].def,
                ) {
                    (Some(p), _) => p,
                    (None, Def::Inst(i)) => func.inst(i).args[0],
                    (None, Def::Param(..)) => unreachable!("argument of a typed parameter"),
                };
                func.insts[last.index()].targets[t].args[k] = new;
            }
        }
    }
    true
}
