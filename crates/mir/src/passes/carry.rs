//! Elements that one iteration stores and the next one loads are carried over
//! in a register.
//!
//! In `a[i] = f(a[i - 1])` the load waits for the store of the iteration
//! before. The stored value becomes a parameter of the header instead; before
//! the loop the element is loaded once (scalar replacement of subscripted
//! variables, after Callahan, Carr, Kennedy 1990).

use super::Fuel;
use super::edit::{Replacements, def_inst};
use crate::analysis::{Cfg, Loop, loops, placement};
use crate::exits::is_before_commit;
use crate::ir::{Block, Func, Inst, IntOp, Op, Ty, Val};

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let cfg = Cfg::new(func);
    let mut changed = false;
    for l in loops(func, &cfg) {
        while let Some(c) = find(func, &cfg, &l) {
            if !fuel.take() {
                return changed;
            }
            apply(func, &l, &c);
            changed = true;
        }
    }
    changed
}

/// A load of what the iteration before stored.
struct Carried {
    load: Inst,
    /// The block of the load.
    home: Block,
    stored: Val,
    preheader: Block,
    latch: Block,
}

/// The value without the constants added to it, and their sum.
fn offset(func: &Func, mut v: Val) -> (Val, i64) {
    let mut sum = 0i64;
    let constant = |v: Val| match func.def_op(v) {
        Some(Op::Int(n)) => Some(*n),
        _ => None,
    };
    while let Some(i) = def_inst(func, v) {
        let data = func.inst(i);
        let (of, by) = match data.op {
            Op::IntOp(IntOp::Add) => match (constant(data.args[0]), constant(data.args[1])) {
                (_, Some(n)) => (data.args[0], n),
                (Some(n), _) => (data.args[1], n),
                _ => break,
            },
            Op::IntOp(IntOp::Sub) => match constant(data.args[1]) {
                Some(n) => (data.args[0], n.wrapping_neg()),
                None => break,
            },
            _ => break,
        };
        sum = sum.wrapping_add(by);
        v = of;
    }
    (v, sum)
}

fn find(func: &Func, cfg: &Cfg, l: &Loop) -> Option<Carried> {
    let [latch] = l.latches[..] else {
        return None;
    };
    let preheader = l.preheader.filter(|&p| !is_before_commit(func, p))?;
    let next = &func
        .terminator(latch)?
        .targets
        .iter()
        .find(|t| t.block == l.header)?
        .args;
    // Loads that every entry of the loop executes, with nothing before them
    // that may leave: all on every path if nothing leaves but the latch.
    let leaves = |b: Block| {
        b != latch
            && func
                .terminator(b)
                .is_none_or(|t| t.targets.iter().any(|t| !l.blocks.contains(&t.block)))
    };
    let may_leave = |i: Inst| {
        let op = &func.inst(i).op;
        op.is_guard() || op.is_call_site()
    };
    let mut loads = Vec::new();
    let clean = !l
        .blocks
        .iter()
        .any(|&b| leaves(b) || func.blocks[b.index()].insts.iter().any(|&i| may_leave(i)));
    for &b in &l.blocks {
        if b != l.header && !(clean && cfg.dominates(b, latch)) {
            continue;
        }
        for &i in &func.blocks[b.index()].insts {
            let data = func.inst(i);
            if may_leave(i) {
                break;
            }
            if data.op == Op::LoadElem && data.result.is_some_and(|r| func.ty(r) != Ty::Any) {
                loads.push((i, b));
            }
        }
    }
    if loads.is_empty() {
        return None;
    }
    let place = placement(func);
    let inside =
        |v: Val| crate::analysis::def_block(func, &place, v).is_none_or(|b| l.blocks.contains(&b));
    let mut stores: Vec<(Inst, Block)> = Vec::new();
    for &b in &l.blocks {
        for &i in &func.blocks[b.index()].insts {
            match func.inst(i).op {
                Op::StoreElem => stores.push((i, b)),
                ref op
                    if op.is_call_site()
                        || op.writes().is_some_and(|w| {
                            matches!(w, crate::ir::Alias::ElemsMeta | crate::ir::Alias::Shapes)
                        })
                        || matches!(op, Op::Lib(_)) =>
                {
                    return None;
                }
                _ => {}
            }
        }
    }
    for (load, home) in loads {
        let data = func.inst(load);
        let (table, at) = (data.args[0], data.args[1]);
        let ty = func.ty(data.result?);
        let mut same_kind = stores
            .iter()
            .filter(|s| func.ty(func.inst(s.0).args[2]) == ty);
        let (Some(&(store, block)), None) = (same_kind.next(), same_kind.next()) else {
            continue;
        };
        let store = func.inst(store);
        let (from, to) = (offset(func, at), offset(func, store.args[1]));
        let Some(k) = func.blocks[l.header.index()]
            .params
            .iter()
            .position(|&p| p == from.0)
        else {
            continue;
        };
        let (index, step) = offset(func, next[k]);
        if store.args[0] == table
            && !inside(table)
            && cfg.dominates(block, latch)
            && to.0 == from.0
            && index == from.0
            && step != 0
            && to.1.wrapping_sub(from.1) == step
        {
            return Some(Carried {
                load,
                home,
                stored: store.args[2],
                preheader,
                latch,
            });
        }
    }
    None
}

fn apply(func: &mut Func, l: &Loop, c: &Carried) {
    let data = func.inst(c.load).clone();
    let (table, at) = (data.args[0], data.args[1]);
    let Some(result) = data.result else { return };
    let ty = func.ty(result);
    let (index, by) = offset(func, at);
    let entry_jump = *func.blocks[c.preheader.index()]
        .insts
        .last()
        .expect("a preheader has a jump");
    let k = func.blocks[l.header.index()]
        .params
        .iter()
        .position(|&p| p == index)
        .expect("the index is a parameter");
    let first = func.inst(entry_jump).targets[0].args[k];
    // The first element, in front of the preheader's jump.
    func.blocks[c.preheader.index()].insts.pop();
    let by = func.push(c.preheader, Op::Int(by), &[], Ty::Int);
    let by = func.result(by);
    let at = func.push(c.preheader, Op::IntOp(IntOp::Add), &[first, by], Ty::Int);
    let at = func.result(at);
    let load = func.push(c.preheader, Op::LoadElem, &[table, at], ty);
    let load = func.result(load);
    func.blocks[c.preheader.index()].insts.push(entry_jump);
    func.insts[entry_jump.index()].targets[0].args.push(load);
    let param = func.add_param(l.header, ty);
    let latch_jump = *func.blocks[c.latch.index()]
        .insts
        .last()
        .expect("a latch has a jump");
    for t in &mut func.insts[latch_jump.index()].targets {
        if t.block == l.header {
            t.args.push(c.stored);
        }
    }
    func.blocks[c.home.index()].insts.retain(|&i| i != c.load);
    let mut replaced = Replacements::new(func);
    replaced.replace(result, param);
    replaced.apply(func);
}
