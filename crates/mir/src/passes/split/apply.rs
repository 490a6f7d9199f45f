//! Building the chunk head, the fast body and what comes between chunks.

use super::CHUNK;
use super::affine::{Order, Step};
use super::plan::{Check, Cut, Plan};
use crate::analysis::{Cfg, Loop, placement};
use crate::ir::{Block, Cond, Def, Func, Inst, IntOp, Op, Target, Ty, Val};
use crate::passes::copy::{self, Copies};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use vela_deopt::DeoptReason;

/// Steps that are not constant have to be below this for chunks not to
/// overflow.
const MAX_STEP: i64 = 1 << 40;

/// The limit has to be at most this, for the same reason.
const MAX_LIMIT: i64 = 1 << 62;

/// Splits the loop as planned.
pub(super) fn apply(func: &mut Func, cfg: &Cfg, l: &Loop, plan: &Plan) {
    let head = func.add_block();
    let params: Vec<Val> = func.blocks[l.header.index()].params.clone();
    let fresh: Vec<Val> = params
        .iter()
        .map(|&p| func.add_param(head, func.ty(p)))
        .collect();
    for &p in &cfg.preds[l.header.index()] {
        let Some(&last) = func.blocks[p.index()].insts.last() else {
            continue;
        };
        for t in &mut func.insts[last.index()].targets {
            if t.block == l.header {
                t.block = head;
            }
        }
    }
    func.blocks[head.index()].loop_header = true;
    func.blocks[head.index()].cold = func.blocks[l.header.index()].cold;
    func.blocks[l.header.index()].loop_header = false;
    let slow = Target {
        block: l.header,
        args: SmallVec::from_slice(&fresh),
    };
    let member = copy::members(func, &l.blocks);
    let place = placement(func);
    let mut h = Head {
        map: params.iter().copied().zip(fresh.iter().copied()).collect(),
        inside: func
            .insts
            .iter()
            .enumerate()
            .map(|(i, _)| {
                place
                    .get(i)
                    .copied()
                    .flatten()
                    .is_some_and(|p| member[p.0.index()])
            })
            .collect(),
        func,
        cur: head,
        slow,
    };
    let trip = h.checks(plan);
    let Head { map, cur, .. } = h;
    let mut copies = Copies::default();
    copies.map = map;
    let fast = Fast {
        func,
        l,
        plan,
        head,
        trip,
        copies,
        blocks: FxHashMap::default(),
    }
    .build();
    let mut args: SmallVec<[Val; 4]> = SmallVec::from_slice(&fresh);
    if let Trip::Count(n) = trip {
        args.push(n);
    }
    jump(func, cur, Target { block: fast, args });
    for &b in &l.blocks {
        func.blocks[b.index()].cold = true;
    }
}

/// How the fast body knows its last iteration.
#[derive(Clone, Copy)]
enum Trip {
    /// The last index; the step is one or minus one.
    Last(Val),
    /// Iterations after the first, counted down by a parameter of its own.
    Count(Val),
    /// No index beyond this one; with a step that is not constant.
    UpTo(Val),
}

fn jump(func: &mut Func, b: Block, target: Target) {
    let i = func.push(b, Op::Jump, &[], Ty::None);
    func.insts[i.index()].targets.push(target);
}

fn branch(func: &mut Func, b: Block, cond: Val, yes: Target, no: Target) {
    let i = func.push(b, Op::Branch, &[cond], Ty::None);
    let targets = &mut func.insts[i.index()].targets;
    targets.push(yes);
    targets.push(no);
}

/// The chunk head while it is built.
struct Head<'f> {
    func: &'f mut Func,
    /// By instruction: whether the loop holds it.
    inside: Vec<bool>,
    /// What stands for the loop's values here.
    map: FxHashMap<Val, Val>,
    cur: Block,
    slow: Target,
}

impl Head<'_> {
    fn emit(&mut self, op: Op, args: &[Val], ty: Ty) -> Val {
        let i = self.func.push(self.cur, op, args, ty);
        self.func.result(i)
    }

    fn int(&mut self, n: i64) -> Val {
        self.emit(Op::Int(n), &[], Ty::Int)
    }

    fn int_op(&mut self, op: IntOp, a: Val, b: Val) -> Val {
        self.emit(Op::IntOp(op), &[a, b], Ty::Int)
    }

    fn umin(&mut self, a: Val, b: Val) -> Val {
        let less = self.emit(Op::IntCmp(Cond::ULt), &[a, b], Ty::Bool);
        self.emit(Op::Select, &[less, a, b], Ty::Int)
    }

    /// Goes on if `cond` is `expect`, else to the slow body.
    fn require(&mut self, cond: Val, expect: bool) {
        let next = self.func.add_block();
        self.func.blocks[next.index()].cold = self.func.blocks[self.cur.index()].cold;
        let on = Target {
            block: next,
            args: SmallVec::new(),
        };
        let slow = self.slow.clone();
        let (yes, no) = if expect { (on, slow) } else { (slow, on) };
        branch(self.func, self.cur, cond, yes, no);
        self.cur = next;
    }

    fn require_int(&mut self, cond: Cond, a: Val, b: Val) {
        let holds = self.emit(Op::IntCmp(cond), &[a, b], Ty::Bool);
        self.require(holds, true);
    }

    /// How many there are behind `at` below `len`.
    fn left(&mut self, at: Val, len: Val) -> Val {
        let one = self.int(1);
        let last = self.int_op(IntOp::Sub, len, one);
        self.int_op(IntOp::Sub, last, at)
    }

    /// The value that `v` has in the iteration that is next.
    fn value(&mut self, v: Val) -> Val {
        if let Some(&known) = self.map.get(&v) {
            return known;
        }
        let Def::Inst(i) = self.func.vals[v.index()].def else {
            return v;
        };
        if !self.inside[i.index()] {
            return v;
        }
        let args: SmallVec<[Val; 3]> = self.func.inst(i).args.clone();
        let args: SmallVec<[Val; 3]> = args.iter().map(|&a| self.value(a)).collect();
        let (op, ty) = (self.func.inst(i).op.clone(), self.func.ty(v));
        let new = self.emit(op, &args, ty);
        self.map.insert(v, new);
        new
    }

    /// Makes the checks; what is left is known to hold in a number of
    /// iterations from the next one on.
    fn checks(&mut self, plan: &Plan) -> Trip {
        let mut room: Vec<(Val, i64)> = Vec::new();
        for check in &plan.checks {
            match *check {
                Check::Is(cond, expect) => {
                    let cond = self.value(cond);
                    self.require(cond, expect);
                }
                Check::Tag(guard) => self.tag(guard),
                Check::Shape(guard) => {
                    let args = self.func.inst(guard).args.clone();
                    let (table, shape) = (self.value(args[0]), self.value(args[1]));
                    let have = self.emit(Op::LoadShape, &[table], Ty::Ptr);
                    let same = self.emit(Op::SameObject, &[have, shape], Ty::Bool);
                    self.require(same, true);
                }
                Check::Inside { at, len, change } => {
                    let (at, len) = (self.value(at), self.value(len));
                    self.require_int(Cond::ULt, at, len);
                    if change > 0 {
                        room.push((self.left(at, len), change));
                    } else if change < 0 {
                        room.push((at, -change));
                    }
                }
                Check::Appends(append) => {
                    let (table, at) = (self.value(append.table), self.value(append.at));
                    let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
                    self.require_int(Cond::Eq, at, len);
                    let have = self.emit(Op::ElemsKind, &[table], Ty::Int);
                    let want = self.int(append.tag.0.into());
                    self.require_int(Cond::Eq, have, want);
                    let cap = self.emit(Op::ElemsCap, &[table], Ty::Int);
                    self.require_int(Cond::ULt, at, cap);
                    room.push((self.left(at, cap), 1));
                }
            }
        }
        self.trip(plan, &room)
    }

    fn tag(&mut self, guard: Inst) {
        let data = self.func.inst(guard);
        let (Op::GuardTag(tag), Some(result)) = (data.op.clone(), data.result) else {
            return;
        };
        let (v, ty) = (data.args[0], self.func.ty(result));
        let v = self.value(v);
        let is = self.emit(Op::HasTag(tag), &[v], Ty::Bool);
        self.require(is, true);
        let typed = self.emit(Op::Unbox, &[v], ty);
        self.map.insert(result, typed);
    }

    /// How far the chunk goes: as far as the limit, a chunk, and every check
    /// allow. Each of `room` is how far a number may move and how far it moves
    /// with each iteration.
    fn trip(&mut self, plan: &Plan, room: &[(Val, i64)]) -> Trip {
        let c = &plan.counter;
        let index = self.value(c.index);
        let up = !matches!(c.step, Step::Const(s) if s < 0);
        let (low, high) = if up {
            (index, c.limit)
        } else {
            (c.limit, index)
        };
        let order = match c.order {
            Order::Unsigned => None,
            Order::Signed => Some(Cond::Le),
            Order::Beyond => Some(Cond::Lt),
        };
        if let Some(order) = order {
            self.require_int(order, low, high);
        }
        if let Step::Up(s) = c.step {
            let one = self.int(1);
            let less = self.int_op(IntOp::Sub, s, one);
            let most = self.int(MAX_STEP);
            self.require_int(Cond::ULt, less, most);
            let most = self.int(MAX_LIMIT);
            self.require_int(Cond::Le, c.limit, most);
        }
        let mut distance = self.int_op(IntOp::Sub, high, low);
        if c.order == Order::Beyond {
            let one = self.int(1);
            distance = self.int_op(IntOp::Sub, distance, one);
        }
        match c.step {
            Step::Up(s) => {
                let n = self.int(CHUNK - 1);
                let most = self.int_op(IntOp::Mul, s, n);
                let mut far = self.umin(distance, most);
                for r in room {
                    far = self.umin(r.0, far);
                }
                Trip::UpTo(self.int_op(IntOp::Add, index, far))
            }
            Step::Const(s) => {
                let size = s.abs();
                let most = self.int((CHUNK - 1) * size);
                let far = self.umin(distance, most);
                let mut n = self.divided(far, size);
                for r in room {
                    let k = self.divided(r.0, r.1);
                    n = self.umin(k, n);
                }
                match s {
                    1 => Trip::Last(self.int_op(IntOp::Add, index, n)),
                    -1 => Trip::Last(self.int_op(IntOp::Sub, index, n)),
                    _ => Trip::Count(n),
                }
            }
        }
    }

    /// `v / by` for numbers that are not negative.
    fn divided(&mut self, v: Val, by: i64) -> Val {
        if by == 1 {
            return v;
        }
        let by = self.int(by);
        self.int_op(IntOp::FloorDiv, v, by)
    }
}

/// The fast body while it is built.
struct Fast<'f> {
    func: &'f mut Func,
    l: &'f Loop,
    plan: &'f Plan,
    head: Block,
    trip: Trip,
    /// What stands for the loop's values here.
    copies: Copies,
    blocks: FxHashMap<Block, Block>,
}

impl Fast<'_> {
    /// Builds the body and returns its first block.
    fn build(mut self) -> Block {
        for &b in &self.plan.kept {
            let new = self.func.add_block();
            self.func.blocks[new.index()].cold = self.func.blocks[b.index()].cold;
            self.blocks.insert(b, new);
            for p in self.func.blocks[b.index()].params.clone() {
                let param = self.func.add_param(new, self.func.ty(p));
                self.copies.map.insert(p, param);
            }
        }
        let first = self.blocks[&self.l.header];
        self.func.blocks[first.index()].loop_header = true;
        let left = matches!(self.trip, Trip::Count(_)).then(|| self.func.add_param(first, Ty::Int));
        for &b in &self.plan.kept {
            let into = self.blocks[&b];
            let mut insts = self.func.blocks[b.index()].insts.clone();
            let last = insts.pop();
            if b == self.plan.latch {
                let tail = insts.split_off(self.plan.poll);
                self.copy_all(&insts, into);
                self.latch(into, &tail, last, left);
                continue;
            }
            self.copy_all(&insts, into);
            if let Some(last) = last {
                self.terminator(into, last);
            }
        }
        first
    }

    fn copy_all(&mut self, insts: &[Inst], into: Block) {
        for &i in insts {
            match self.plan.append {
                _ if self.plan.proven.contains(&i) => {}
                Some(a) if a.push == i => {
                    let value = self.func.inst(i).args[1];
                    let args = [a.table, a.at, value].map(|v| self.copies.of(v));
                    self.func.push(into, Op::StoreElem, &args, Ty::None);
                }
                _ => {
                    self.copy(i, into);
                }
            }
        }
    }

    fn copy(&mut self, i: Inst, into: Block) -> Inst {
        self.copies.copy(self.func, i, into)
    }

    /// The slow body with the arguments of this iteration.
    fn repeat(&self) -> Target {
        let args = self.func.blocks[self.l.header.index()]
            .params
            .iter()
            .map(|&p| self.copies.of(p))
            .collect();
        Target {
            block: self.l.header,
            args,
        }
    }

    fn terminator(&mut self, into: Block, last: Inst) {
        let new = self.copy(last, into);
        let cut = self.plan.cuts.get(&last);
        match cut {
            Some(&Cut::Checked(stays)) => {
                let target = self.func.inst(new).targets[stays].clone();
                let data = &mut self.func.insts[new.index()];
                data.op = Op::Jump;
                data.reason = DeoptReason::None;
                data.args.clear();
                data.targets.clear();
                data.targets.push(target);
            }
            Some(&Cut::Restart(stays)) => {
                let away = self.repeat();
                self.func.insts[new.index()].targets[1 - stays] = away;
            }
            None => {}
        }
        let restarted = match cut {
            Some(&Cut::Restart(stays)) => Some(1 - stays),
            _ => None,
        };
        for n in 0..self.func.inst(new).targets.len() {
            let block = self.func.inst(new).targets[n].block;
            if let (Some(&to), true) = (self.blocks.get(&block), restarted != Some(n)) {
                self.func.insts[new.index()].targets[n].block = to;
            }
        }
    }

    /// Ends the fast body and fills the block between chunks with `tail`, the
    /// latch from its poll on.
    fn latch(&mut self, into: Block, tail: &[Inst], last: Option<Inst>, left: Option<Val>) {
        let Some(last) = last else { return };
        let pure = self.needed(tail, last);
        let between = self.func.add_block();
        self.func.blocks[between.index()].cold = self.func.blocks[into.index()].cold;
        // Between chunks.
        let outer = self.copies.map.clone();
        if let Some(a) = self.plan.append {
            let (table, at) = (self.copies.of(a.table), self.copies.of(a.at));
            let one = self.constant(between, 1);
            let len = self.int_op(between, IntOp::Add, at, one);
            self.func
                .push(between, Op::SetElemsLen, &[table, len], Ty::None);
        }
        for &i in tail {
            self.copy(i, between);
        }
        let end = self.copy(last, between);
        self.func.insts[end.index()].targets[self.plan.again].block = self.head;
        // Within a chunk.
        self.copies.map = outer;
        self.copy_all(&pure, into);
        let next: SmallVec<[Val; 4]> = self.func.inst(last).targets[self.plan.again].args.clone();
        let mut args: SmallVec<[Val; 4]> = next.iter().map(|&v| self.copies.of(v)).collect();
        let index = self.copies.of(self.plan.counter.index);
        let more = match (self.trip, left) {
            (Trip::Last(v), _) => self.compare(into, Cond::Ne, index, v),
            (Trip::UpTo(v), _) => {
                let params = &self.func.blocks[self.l.header.index()].params;
                let at = params.iter().position(|&p| p == self.plan.counter.index);
                let next = args[at.expect("the index is one of the parameters")];
                self.compare(into, Cond::Le, next, v)
            }
            (Trip::Count(_), Some(left)) => {
                let zero = self.constant(into, 0);
                let minus = self.constant(into, -1);
                args.push(self.int_op(into, IntOp::Add, left, minus));
                self.compare(into, Cond::Ne, left, zero)
            }
            (Trip::Count(_), None) => unreachable!("a count has its parameter"),
        };
        let again = Target {
            block: self.blocks[&self.l.header],
            args,
        };
        let done = Target {
            block: between,
            args: SmallVec::new(),
        };
        branch(self.func, into, more, again, done);
    }

    /// What of `tail` computes the arguments of the way back.
    fn needed(&self, tail: &[Inst], last: Inst) -> Vec<Inst> {
        let mut vals: Vec<Val> = self.func.inst(last).targets[self.plan.again].args.to_vec();
        let mut needed = Vec::new();
        for &i in tail.iter().rev() {
            let data = self.func.inst(i);
            if data.result.is_some_and(|r| vals.contains(&r)) {
                vals.extend_from_slice(&data.args);
                needed.push(i);
            }
        }
        needed.reverse();
        needed
    }

    fn constant(&mut self, b: Block, n: i64) -> Val {
        let i = self.func.push(b, Op::Int(n), &[], Ty::Int);
        self.func.result(i)
    }

    fn int_op(&mut self, b: Block, op: IntOp, x: Val, y: Val) -> Val {
        let i = self.func.push(b, Op::IntOp(op), &[x, y], Ty::Int);
        self.func.result(i)
    }

    fn compare(&mut self, b: Block, cond: Cond, x: Val, y: Val) -> Val {
        let i = self.func.push(b, Op::IntCmp(cond), &[x, y], Ty::Bool);
        self.func.result(i)
    }
}
