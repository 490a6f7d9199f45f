//! Which checks of a loop can be made in front of it, and what is left of its
//! body then.

use super::affine::{self, Affine, Counter, Step};
use crate::analysis::{Cfg, Loop, def_block, for_each_use, placement};
use crate::ir::{Block, Cond, Def, Func, Inst, IntOp, Op, Val};
use crate::passes::copy::{self, Escape};
use crate::passes::dce::is_removable;
use crate::passes::edit::int_of;
use crate::passes::memory::{ClassSet, Classes};
use rustc_hash::{FxHashMap, FxHashSet};
use vela_objects::Tag;

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
    /// The list that is appended to ends at the index, is of the value's kind, and has
    /// room.
    Appends(Append),
}

/// A list that gets one element with each iteration, behind the others. In a chunk the
/// elements are stored like others, and its length between chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Append {
    /// The [`Op::PushElem`].
    pub push: Inst,
    /// The guard of the body that the index is the length.
    pub guard: Inst,
    pub table: Val,
    /// The index, from zero; it advances by one.
    pub at: Val,
    pub tag: Tag,
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
    pub append: Option<Append>,
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
    appending(func, l)
        .and_then(|append| plan_with(func, cfg, l, Some(append)))
        .or_else(|| plan_with(func, cfg, l, None))
}

/// The only append of the loop, if its place is an index that the body checks to be the
/// length, and nothing in the loop can tell when the length changes: it is only compared
/// with by guards that hold all the more when it has.
fn appending(func: &Func, l: &Loop) -> Option<Append> {
    let insts = || {
        let blocks = l.blocks.iter();
        blocks.flat_map(|b| func.blocks[b.index()].insts.iter().copied())
    };
    let mut pushes = insts().filter(|&i| func.inst(i).op == Op::PushElem);
    let (Some(push), None) = (pushes.next(), pushes.next()) else {
        return None;
    };
    let (table, value) = (func.inst(push).args[0], func.inst(push).args[1]);
    let tag = func.ty(value).tag().filter(|&t| t != Tag::NIL)?;
    let lens: Vec<Val> = insts()
        .filter(|&i| func.inst(i).op == Op::ElemsLen)
        .filter_map(|i| func.inst(i).result)
        .collect();
    let own = |v: Val| {
        let Def::Inst(i) = func.vals[v.index()].def else {
            return false;
        };
        lens.contains(&v) && func.inst(i).args[0] == table
    };
    let users = |vals: &[Val]| {
        let mut all: Vec<(Inst, Val)> = Vec::new();
        for &i in func.blocks.iter().flat_map(|b| &b.insts) {
            for_each_use(func, i, |v| {
                if vals.contains(&v) {
                    all.push((i, v));
                }
            });
        }
        all
    };
    let mut compared = None;
    let mut inside = Vec::new();
    for (i, len) in users(&lens) {
        let data = func.inst(i);
        match (&data.op, &data.args[..]) {
            (Op::IntCmp(Cond::ULt), &[at, n]) if n == len && at != len => {
                inside.extend(data.result);
            }
            (Op::IntCmp(Cond::Eq), &[x, y]) if x != y && own(len) && compared.is_none() => {
                compared = Some((data.result?, if x == len { y } else { x }));
            }
            _ => return None,
        }
    }
    let (end, at) = compared.filter(|c| !lens.contains(&c.1))?;
    inside.push(end);
    let mut guard = None;
    for (i, cond) in users(&inside) {
        if func.inst(i).op != Op::Guard || cond == end && guard.is_some() {
            return None;
        }
        if cond == end {
            guard = Some(i);
        }
    }
    Some(Append {
        push,
        guard: guard?,
        table,
        at,
        tag,
    })
}

fn plan_with(func: &Func, cfg: &Cfg, l: &Loop, append: Option<Append>) -> Option<Plan> {
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
    let push = append.map(|a| a.push);
    let bad = bad_blocks(func, l, latch, &member, push)?;
    let (kept, branches) = kept(func, cfg, l, &member, &bad);
    if !kept.contains(&latch) {
        return None;
    }
    let classes = Classes::new(func);
    let mut written: ClassSet = vec![false; classes.list.len()];
    for &b in &kept {
        for &i in &func.blocks[b.index()].insts {
            // An append changes nothing that was there.
            if Some(i) != push {
                classes.for_each_clobbered(func, i, |n| written[n] = true);
            }
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
    if let Some(a) = append {
        let every = |i: Inst| place[i.index()].is_some_and(|p| on_every_path.contains(&p.0));
        if !every(a.push) || !every(a.guard) || !outside(a.table) {
            return None;
        }
    }
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
            append,
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
    // The length must be right where the code leaves.
    if append.is_some() && !w.exact {
        return None;
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
/// fast body must not have, but for `push`; `None` if that is so of the header.
fn bad_blocks(
    func: &Func,
    l: &Loop,
    latch: Block,
    member: &[bool],
    push: Option<Inst>,
) -> Option<Vec<bool>> {
    let mut bad = vec![false; func.blocks.len()];
    for &b in &l.blocks {
        bad[b.index()] = func.blocks[b.index()].insts.iter().any(|&i| {
            let op = &func.inst(i).op;
            is_forbidden(op) && !(b == latch && *op == Op::Poll) && Some(i) != push
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
            Op::Guard if self.plan.append.is_some_and(|a| a.guard == i) => {
                let append = self.plan.append.filter(|a| self.change(a.at) == Some(1));
                match append.filter(|_| matches!(self.plan.counter.step, Step::Const(_))) {
                    Some(append) => {
                        self.plan.checks.push(Check::Appends(append));
                        self.plan.proven.insert(i);
                    }
                    None => self.exact = false,
                }
            }
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
