//! Ranges: integers that are known to be positive.
//!
//! A position in a string that is negative counts from the end. Where it is the
//! variable of a loop that counts up from one, the question need not be asked,
//! and what is left is a bound that loop splitting knows how to check once.
//!
//! Optimistic: every integer is positive until an operation, or a way into its
//! block, says otherwise. Sums may wrap around. Only one is followed: `x + 1` on
//! an edge that is taken if `x < y`, which excludes the largest integer. That is
//! how loops count. O(values × rounds), and a round more ends more optimism.

use super::Fuel;
use super::edit::{become_op, def_inst, int_of};
use crate::analysis::Cfg;
use crate::ir::{Cond, Func, Inst, InstData, IntOp, Op, Ty, Val};

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let compares = |i: &Inst| matches!(func.inst(*i).op, Op::IntCmp(_));
    let mut insts = func.blocks.iter().flat_map(|b| &b.insts);
    if !insts.any(compares) {
        return false;
    }
    let cfg = Cfg::new(func);
    let positive = positive(func, &cfg);
    let mut changed = false;
    for &b in &cfg.order {
        for n in 0..func.blocks[b.index()].insts.len() {
            let i = func.blocks[b.index()].insts[n];
            if let Some(answer) = answer(func, func.inst(i), &positive)
                && fuel.take()
            {
                become_op(func, i, Op::Bool(answer), &[]);
                changed = true;
            }
        }
    }
    changed
}

/// The outcome of a comparison with a constant that no positive integer is
/// compared with in vain.
fn answer(func: &Func, data: &InstData, positive: &[bool]) -> Option<bool> {
    let Op::IntCmp(cond) = data.op else {
        return None;
    };
    let (x, y) = (data.args[0], data.args[1]);
    let above =
        |v: Val, c: Option<i64>, limit: i64| positive[v.index()] && c.is_some_and(|c| c <= limit);
    let (a, b) = (int_of(func, x), int_of(func, y));
    match cond {
        Cond::Lt if above(x, b, 1) => Some(false),
        Cond::Le if above(x, b, 0) => Some(false),
        Cond::Lt if above(y, a, 0) => Some(true),
        Cond::Le if above(y, a, 1) => Some(true),
        _ => None,
    }
}

/// By value: whether it is an integer above zero.
fn positive(func: &Func, cfg: &Cfg) -> Vec<bool> {
    let is_int = |v: usize| func.vals[v].ty == Ty::Int;
    let mut positive: Vec<bool> = (0..func.vals.len()).map(is_int).collect();
    for &p in &func.blocks[Func::ENTRY.index()].params {
        positive[p.index()] = false;
    }
    let mut again = true;
    while std::mem::take(&mut again) {
        for &b in &cfg.order {
            for &i in &func.blocks[b.index()].insts {
                let data = func.inst(i);
                if let Some(result) = data.result
                    && positive[result.index()]
                    && !is_positive(data, &positive)
                {
                    positive[result.index()] = false;
                    again = true;
                }
                for n in 0..data.targets.len() {
                    again |= enter(func, data, n, &mut positive);
                }
            }
        }
    }
    positive
}

/// Whether the result of an instruction is, with what is known of its operands.
fn is_positive(data: &InstData, positive: &[bool]) -> bool {
    match data.op {
        Op::Int(c) => c > 0,
        Op::Select => data.args[1..].iter().all(|v| positive[v.index()]),
        _ => false,
    }
}

/// An edge: the parameters that get what may not be positive are not. Returns
/// whether one was taken to be.
fn enter(func: &Func, end: &InstData, n: usize, positive: &mut [bool]) -> bool {
    let target = &end.targets[n];
    let params = &func.blocks[target.block.index()].params;
    let mut changed = false;
    for (p, &arg) in params.iter().zip(&target.args) {
        let is = positive[arg.index()]
            || counted(func, end, n, arg).is_some_and(|x| positive[x.index()]);
        if positive[p.index()] && !is {
            positive[p.index()] = false;
            changed = true;
        }
    }
    changed
}

/// `x`, if the argument is `x + 1` and the edge is only taken if `x` is less than
/// something.
fn counted(func: &Func, end: &InstData, n: usize, arg: Val) -> Option<Val> {
    let sum = func.inst(def_inst(func, arg)?);
    let one = int_of(func, *sum.args.get(1)?);
    let x = (sum.op == Op::IntOp(IntOp::Add) && one == Some(1)).then(|| sum.args[0])?;
    let taken_if = end.op == Op::Branch && n == 0;
    let test = func.inst(def_inst(func, *end.args.first()?)?);
    let less = test.op == Op::IntCmp(Cond::Lt) && test.args[0] == x;
    (taken_if && less).then_some(x)
}
