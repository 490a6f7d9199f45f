//! Which checks of a loop can be made in front of it, and what is left of its
//! body then.

use super::affine::{self, Affine, Counter, Step};
use crate::analysis::{Cfg, Loop, def_block, placement};
use crate::ir::{Block, Cond, Def, Func, Inst, IntOp, Op, Val};
use crate::passes::copy::{self, Escape};
use crate::passes::dce::is_removable;
use crate::passes::edit::int_of;
use crate::passes::memory::{ClassSet, Classes};
use rustc_hash::{FxHashMap, FxHashSet};

/// A check that the chunk head makes, in the body's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// The condition, which is the same in every iteration, has this value.
    Is(Val, bool),
    /// As the tag guard.
    Tag(Inst),
    /// As the shape guard.
    Shape(Inst),
    /// `at`, which changes by so much with each iteration, is below `len`
    /// (unsigned), which stays.
    Inside { at: Val, len: Val, change: i64 },
}

/// Where a branch of the fast body goes instead of to a block that is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nowhere: the head made sure that the target with this position is taken.
    Checked(usize),
    /// To the slow body, which repeats the iteration; the position is that of
    /// the target that stays.
    Restart(usize),
}

/// How to split a loop.
pub(super) struct Plan {
    pub counter: Counter,
    /// Position of the loop's header among the targets of the latch.
    pub again: usize,
    pub latch: Block,
    /// Position of the poll in the latch.
    pub poll: usize,
    /// Blocks of the fast body, in reverse postorder.
    pub kept: Vec<Block>,
    pub checks: Vec<Check>,
    /// Guards that the head has made.
    pub proven: FxHashSet<Inst>,
    /// Branches by instruction.
    pub cuts: FxHashMap<Inst, Cut>,
    /// Values used behind the loop.
    pub outside: Vec<Escape>,
}

/// Instructions that an affine expression may have.
const EXPRESSION: u32 = 64;

/// Constant loops shorter than this are left alone.
const MIN_ITERATIONS: i64 = 8;

/// A plan for the loop, if it can be split.
pub(super) fn plan(func: &Func, cfg: &Cfg, l: &Loop) -> Option<Plan> {
    let [latch] = l.latches[..] else {
        return None;
    };
    if l.header == Func::ENTRY {
        return None;
    }
    let member = copy::members(func, &l.blocks);
    let place = placement(func);
    let outside = |v: Val| def_block(func, &place, v).is_some_and(|b| !member[b.index()]);
    let (counter, again) = counter(func, l, latch, &member, &outside)?;
    if short(func, cfg, l, &counter) {
        return None;
    }
    let poll = poll(func, latch)?;
    let bad = bad_blocks(func, l, latch, &member)?;
    let (kept, branches) = kept(func, cfg, l, &member, &bad);
    if !kept.contains(&latch) {
        return None;
    }
    let classes = Classes::new(func);
    let mut written: ClassSet = vec![false; classes.list.len()];
    for &b in &kept {
        for &i in &func.blocks[b.index()].insts {
            classes.for_each_clobbered(func, i, |n| written[n] = true);
        }
    }
    let header_params = &func.blocks[l.header.index()].params;
    let next = &func.terminator(latch)?.targets[again].args;
    let linear = header_params
        .iter()
        .zip(next)
        .filter_map(|(&p, &n)| {
            let by = affine::increment(func, p, n)?;
            match counter.step {
                Step::Const(_) => Some((p, int_of(func, by)?)),
                Step::Up(s) => (by == s).then_some((p, 1)),
            }
        })
        .collect();
    let on_every_path = on_every_path(func, l, latch, &kept, &branches);
    let mut w = Walk {
        func,
        classes: &classes,
        written: &written,
        outside: &outside,
        affine: Affine {
            func,
            linear,
            budget: 0,
        },
        invariant: FxHashSet::default(),
        exact: true,
        plan: Plan {
            counter,
            again,
            latch,
            poll,
            kept: Vec::new(),
            checks: Vec::new(),
            proven: FxHashSet::default(),
            cuts: FxHashMap::default(),
            outside: Vec::new(),
        },
    };
    let mut effect_at_end: FxHashMap<Block, bool> = FxHashMap::default();
    for &b in &kept {
        let mut effect = b != l.header
            && cfg.preds[b.index()]
                .iter()
                .any(|p| effect_at_end.get(p) == Some(&true));
        for &i in &func.blocks[b.index()].insts {
            if b == latch && i == func.blocks[b.index()].insts[poll] {
                break;
            }
            w.inst(i, on_every_path.contains(&b));
            let op = &func.inst(i).op;
            effect |= !is_removable(op) && !op.is_guard() && !op.is_terminator();
        }
        effect_at_end.insert(b, effect);
        let last = *func.blocks[b.index()].insts.last()?;
        if let Some(&stays) = branches.get(&last) {
            let cond = func.inst(last).args[0];
            let cut = if w.condition(cond, stays == 0) {
                Cut::Checked(stays)
            } else if !effect {
                w.exact = false;
                Cut::Restart(stays)
            } else {
                return None;
            };
            w.plan.cuts.insert(last, cut);
        } else if func
            .inst(last)
            .targets
            .iter()
            .any(|t| !member[t.block.index()])
            && b != latch
        {
            w.exact = false;
        }
    }
    let mut plan = w.plan;
    plan.kept = kept;
    plan.outside = copy::escapes(func, cfg, &l.blocks)?;
    Some(plan)
}

fn counter(
    func: &Func,
    l: &Loop,
    latch: Block,
    member: &[bool],
    outside: &impl Fn(Val) -> bool,
) -> Option<(Counter, usize)> {
    let t = func.terminator(latch)?;
    if t.op != Op::Branch {
        return None;
    }
    let again = t.targets.iter().position(|t| t.block == l.header)?;
    if member[t.targets[1 - again].block.index()] {
        return None;
    }
    let counter = affine::counter(
        func,
        &func.blocks[l.header.index()].params,
        &t.targets[again].args,
        t.args[0],
        again == 0,
        outside,
    )?;
    let large = matches!(counter.step, Step::Const(s) if s.unsigned_abs() > 1 << 31);
    (!large).then_some((counter, again))
}

/// Whether the loop is known to run only a few times.
fn short(func: &Func, cfg: &Cfg, l: &Loop, counter: &Counter) -> bool {
    let Some(k) = func.blocks[l.header.index()]
        .params
        .iter()
        .position(|&p| p == counter.index)
    else {
        return false;
    };
    let Some(limit) = int_of(func, counter.limit) else {
        return false;
    };
    cfg.preds[l.header.index()]
        .iter()
        .filter(|p| !l.latches.contains(p))
        .flat_map(|&p| func.terminator(p).map(|t| &t.targets).into_iter().flatten())
        .filter(|t| t.block == l.header)
        .all(|t| {
            int_of(func, t.args[k])
                .and_then(|init| limit.checked_sub(init))
                .is_some_and(|d| d.unsigned_abs() < MIN_ITERATIONS as u64)
        })
}

/// Position of the poll in the latch, if only the computation of the loop's
/// condition and the check that the code is still valid follow it.
fn poll(func: &Func, latch: Block) -> Option<usize> {
    let insts = &func.blocks[latch.index()].insts;
    let at = insts.iter().position(|&i| func.inst(i).op == Op::Poll)?;
    insts[at + 1..]
        .iter()
        .all(|&i| {
            let op = &func.inst(i).op;
            op.is_pure()
                || op.reads().is_some() && !op.is_guard()
                || matches!(op, Op::GuardValid | Op::GuardPolled | Op::Branch)
        })
        .then_some(at)
}

/// Whether an instruction must not be in the fast body.
fn is_forbidden(op: &Op) -> bool {
    let allowed = op.is_pure()
        || op.is_virtual()
        || op.is_guard()
        || op.reads().is_some()
        || matches!(
            op,
            Op::StoreElem
                | Op::StoreElemMixed
                | Op::StoreSlot(..)
                | Op::StoreCell
                | Op::StoreReg(_)
                | Op::Jump
                | Op::Branch
        );
    !allowed
}

/// By block: whether it, or every way from it back to the header, has what the
/// fast body must not have; `None` if that is so of the header.
fn bad_blocks(func: &Func, l: &Loop, latch: Block, member: &[bool]) -> Option<Vec<bool>> {
    let mut bad = vec![false; func.blocks.len()];
    for &b in &l.blocks {
        bad[b.index()] = func.blocks[b.index()].insts.iter().any(|&i| {
            let op = &func.inst(i).op;
            is_forbidden(op) && !(b == latch && *op == Op::Poll)
        });
    }
    let mut again = true;
    while again {
        again = false;
        for &b in &l.blocks {
            if bad[b.index()] || b == latch {
                continue;
            }
            let mut inside = func
                .terminator(b)
                .into_iter()
                .flat_map(|t| &t.targets)
                .filter(|t| member[t.block.index()])
                .peekable();
            if inside.peek().is_some() && inside.all(|t| bad[t.block.index()]) {
                bad[b.index()] = true;
                again = true;
            }
        }
    }
    (!bad[l.header.index()] && !bad[latch.index()]).then_some(bad)
}

/// The blocks that are left without the bad ones, and the branches that are
/// decided thereby, with the position of the target that stays.
fn kept(
    func: &Func,
    cfg: &Cfg,
    l: &Loop,
    member: &[bool],
    bad: &[bool],
) -> (Vec<Block>, FxHashMap<Inst, usize>) {
    let mut branches = FxHashMap::default();
    let mut reached = vec![l.header];
    let mut next = 0;
    while let Some(&b) = reached.get(next) {
        next += 1;
        let Some(&last) = func.blocks[b.index()].insts.last() else {
            continue;
        };
        let targets = &func.inst(last).targets;
        for (n, t) in targets.iter().enumerate() {
            if !member[t.block.index()] || t.block == l.header {
                continue;
            }
            if bad[t.block.index()] {
                branches.insert(last, 1 - n);
            } else if !reached.contains(&t.block) {
                reached.push(t.block);
            }
        }
    }
    reached.sort_by_key(|b| cfg.position[b.index()]);
    (reached, branches)
}

/// The blocks that every iteration of the fast body runs through.
fn on_every_path(
    func: &Func,
    l: &Loop,
    latch: Block,
    kept: &[Block],
    branches: &FxHashMap<Inst, usize>,
) -> FxHashSet<Block> {
    let avoidable = |without: Block| {
        let mut seen = vec![l.header];
        let mut next = 0;
        while let Some(&b) = seen.get(next) {
            next += 1;
            if b == without {
                continue;
            }
            if b == latch {
                return true;
            }
            let Some(&last) = func.blocks[b.index()].insts.last() else {
                continue;
            };
            for (n, t) in func.inst(last).targets.iter().enumerate() {
                let stays = branches.get(&last).is_none_or(|&s| s == n);
                if stays && kept.contains(&t.block) && !seen.contains(&t.block) {
                    seen.push(t.block);
                }
            }
        }
        false
    };
    kept.iter().copied().filter(|&b| !avoidable(b)).collect()
}

/// A walk over the fast body in execution order.
struct Walk<'a, O> {
    func: &'a Func,
    classes: &'a Classes,
    written: &'a ClassSet,
    outside: &'a O,
    affine: Affine<'a>,
    /// Values of the loop that are the same in every iteration and that the
    /// head can compute.
    invariant: FxHashSet<Val>,
    /// Whether everything that the next operation may rely on is checked by
    /// the head, if the operation is on every path.
    exact: bool,
    plan: Plan,
}

impl<O: Fn(Val) -> bool> Walk<'_, O> {
    fn inst(&mut self, i: Inst, on_every_path: bool) {
        let data = self.func.inst(i);
        match data.op {
            Op::Guard => {
                if self.condition(data.args[0], true) {
                    self.plan.proven.insert(i);
                } else {
                    self.exact = false;
                }
            }
            Op::GuardTag(_) if self.is_invariant(data.args[0]) => {
                self.plan.checks.push(Check::Tag(i));
                self.plan.proven.insert(i);
                self.invariant.extend(data.result);
            }
            Op::GuardShape
                if self.is_invariant(data.args[0])
                    && self.is_invariant(data.args[1])
                    && !self.is_written(i) =>
            {
                self.plan.checks.push(Check::Shape(i));
                self.plan.proven.insert(i);
            }
            ref op if op.is_guard() => self.exact = false,
            _ => {
                if self.computable(i, self.exact && on_every_path) {
                    self.invariant.extend(data.result);
                }
            }
        }
    }

    fn is_invariant(&self, v: Val) -> bool {
        (self.outside)(v) || self.invariant.contains(&v)
    }

    fn is_written(&self, i: Inst) -> bool {
        self.classes
            .read_by(self.func, i)
            .is_some_and(|n| n.is_none_or(|n| self.written[n as usize]))
    }

    /// Whether the head can compute the operation, with the same result.
    fn computable(&self, i: Inst, exact: bool) -> bool {
        let data = self.func.inst(i);
        if !data.args.iter().all(|&v| self.is_invariant(v)) || self.is_written(i) {
            return false;
        }
        match &data.op {
            Op::Unbox
            | Op::LoadSlot(_)
            | Op::LoadElem
            | Op::LoadVararg
            | Op::LoadProto
            | Op::StrByte => exact,
            Op::Upval(_) => exact || self.func.def_op(data.args[0]) == Some(&Op::SelfClosure),
            Op::IntOp(IntOp::FloorDiv | IntOp::Mod) => {
                int_of(self.func, data.args[1]).is_some_and(|d| d != 0)
            }
            op => op.is_pure() || op.reads().is_some() && !op.is_guard(),
        }
    }

    /// Arranges for the head to check that `cond` is `expect` in a number of
    /// iterations.
    fn condition(&mut self, cond: Val, expect: bool) -> bool {
        let check = if self.is_invariant(cond) {
            Check::Is(cond, expect)
        } else {
            let Def::Inst(i) = self.func.vals[cond.index()].def else {
                return false;
            };
            let data = self.func.inst(i);
            match data.op {
                Op::Not => return self.condition(data.args[0], !expect),
                Op::IntCmp(Cond::ULt) if expect && self.is_invariant(data.args[1]) => {
                    let Some(change) = self.change(data.args[0]) else {
                        return false;
                    };
                    Check::Inside {
                        at: data.args[0],
                        len: data.args[1],
                        change,
                    }
                }
                _ => return false,
            }
        };
        if !self.plan.checks.contains(&check) {
            self.plan.checks.push(check);
        }
        true
    }

    fn change(&mut self, at: Val) -> Option<i64> {
        self.affine.budget = EXPRESSION;
        let (outside, invariant) = (self.outside, &self.invariant);
        let mut same = |v: Val| outside(v) || invariant.contains(&v);
        let change = self.affine.change(at, &mut same)?;
        let limit = match self.plan.counter.step {
            Step::Const(_) => 1 << 31,
            // The distance is in units of the step.
            Step::Up(_) => 1,
        };
        (change.abs() <= limit).then_some(change)
    }
}
