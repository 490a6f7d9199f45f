//! After building: parameters that are always the same value, validity checks
//! of code without assumptions, and blocks that nothing reaches.

use crate::ir::{Func, Op, Val};

/// Runs the clean-up. Code of a `debuggable` program must be left after every
/// call that may have set a hook or a variable.
pub(super) fn run(func: &mut Func, debuggable: bool) {
    if func.watches.is_empty() && !debuggable {
        drop_validity_checks(func);
    }
    redundant_params(func);
}

fn drop_validity_checks(func: &mut Func) {
    let insts = &func.insts;
    for block in &mut func.blocks {
        // Behind a poll the check is also how to leave when the collector has
        // to do what compiled code must not see.
        let mut polled = false;
        block.insts.retain(|i| {
            let op = &insts[i.index()].op;
            let keep = *op != Op::GuardValid || polled;
            polled = *op == Op::Poll;
            keep
        });
    }
}

/// Replaces block parameters whose arguments are all one value (or the
/// parameter itself) by that value, until nothing changes.
fn redundant_params(func: &mut Func) {
    let order = func.reverse_postorder();
    let mut replaced: Vec<Option<Val>> = vec![None; func.vals.len()];
    loop {
        let mut changed = false;
        // Arguments that reach each block, per parameter.
        let mut incoming: Vec<Vec<Vec<Val>>> = func
            .blocks
            .iter()
            .map(|b| vec![Vec::new(); b.params.len()])
            .collect();
        for &b in &order {
            if let Some(t) = func.terminator(b) {
                for target in &t.targets {
                    for (k, &arg) in target.args.iter().enumerate() {
                        incoming[target.block.index()][k].push(resolve(&replaced, arg));
                    }
                }
            }
        }
        for &b in &order {
            if b == Func::ENTRY {
                continue;
            }
            for (k, &param) in func.blocks[b.index()].params.iter().enumerate() {
                if replaced[param.index()].is_some() {
                    continue;
                }
                let mut unique = None;
                let mut single = true;
                for &arg in &incoming[b.index()][k] {
                    if arg != param && unique != Some(arg) {
                        single &= unique.is_none();
                        unique = Some(arg);
                    }
                }
                if let (true, Some(v)) = (single, unique)
                    && func.ty(v) == func.ty(param)
                {
                    replaced[param.index()] = Some(v);
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    apply(func, &replaced);
}

fn resolve(replaced: &[Option<Val>], v: Val) -> Val {
    let mut v = v;
    while let Some(next) = replaced[v.index()] {
        v = next;
    }
    v
}

/// Rewrites all uses and removes the replaced parameters with their arguments.
fn apply(func: &mut Func, replaced: &[Option<Val>]) {
    let keep: Vec<Vec<bool>> = func
        .blocks
        .iter()
        .map(|b| {
            b.params
                .iter()
                .map(|p| replaced[p.index()].is_none())
                .collect()
        })
        .collect();
    for inst in &mut func.insts {
        for a in &mut inst.args {
            *a = resolve(replaced, *a);
        }
        for t in &mut inst.targets {
            let mask = &keep[t.block.index()];
            let mut k = 0;
            t.args.retain(|_| {
                k += 1;
                mask.get(k - 1).copied().unwrap_or(true)
            });
            for a in &mut t.args {
                *a = resolve(replaced, *a);
            }
        }
    }
    for s in &mut func.states {
        for (_, v) in &mut s.regs {
            *v = resolve(replaced, *v);
        }
        if let Some(c) = &mut s.caller {
            c.closure = resolve(replaced, c.closure);
        }
    }
    for (b, mask) in keep.iter().enumerate() {
        let mut k = 0;
        func.blocks[b].params.retain(|_| {
            k += 1;
            mask[k - 1]
        });
    }
    // Parameters know their position.
    for b in 0..func.blocks.len() {
        for (k, p) in func.blocks[b].params.clone().into_iter().enumerate() {
            func.vals[p.index()].def = crate::ir::Def::Param(crate::ir::Block(b as u32), k as u32);
        }
    }
}
