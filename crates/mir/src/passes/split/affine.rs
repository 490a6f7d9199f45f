//! How values change from one iteration to the next.

use crate::ir::{Cond, Def, Func, Inst, IntOp, Op, Val};
use crate::passes::edit::int_of;

/// The step of the induction variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A constant, not zero.
    Const(i64),
    /// A value from before the loop, which has to be positive for the fast
    /// body to run.
    Up(Val),
}

/// The counter of a loop and the condition at its latch to go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    /// The header's parameter.
    pub index: Val,
    /// What it advances by.
    pub step: Step,
    /// The last value it may take, or the one behind, from before the loop.
    pub limit: Val,
    /// What the condition compares.
    pub order: Order,
}

/// How the index is compared with the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The distance to the limit, as an unsigned number, with the step.
    Unsigned,
    /// As signed numbers: the distance only counts while the index has not
    /// passed the limit.
    Signed,
    /// As signed numbers, and the limit itself is not reached.
    Beyond,
}

fn inst(func: &Func, v: Val) -> Option<Inst> {
    match func.vals[v.index()].def {
        Def::Inst(i) => Some(i),
        Def::Param(..) => None,
    }
}

fn operands(func: &Func, v: Val, op: IntOp) -> Option<(Val, Val)> {
    let data = func.inst(inst(func, v)?);
    (data.op == Op::IntOp(op)).then(|| (data.args[0], data.args[1]))
}

/// The amount by which `next` is `of` advanced.
pub(super) fn increment(func: &Func, of: Val, next: Val) -> Option<Val> {
    let (a, b) = operands(func, next, IntOp::Add)?;
    if a == of {
        return Some(b);
    }
    (b == of).then_some(a)
}

/// Recognises the condition under which a numeric loop goes on: `again` says
/// whether it does when `cond` is true; the header's parameters get `next` on
/// the way back.
pub(super) fn counter(
    func: &Func,
    params: &[Val],
    next: &[Val],
    mut cond: Val,
    mut again: bool,
    outside: impl Fn(Val) -> bool,
) -> Option<Counter> {
    let mut data = func.inst(inst(func, cond)?);
    while data.op == Op::Not {
        cond = data.args[0];
        again = !again;
        data = func.inst(inst(func, cond)?);
    }
    let step_of = |index: Val| {
        let k = params.iter().position(|&p| p == index)?;
        increment(func, index, next[k])
    };
    let constant_step = |index: Val| step_of(index).and_then(|s| int_of(func, s));
    // The parameter that becomes this value.
    let before = |v: Val| Some(params[next.iter().position(|&n| n == v)?]);
    match (&data.op, again) {
        (Op::IntCmp(c @ (Cond::Lt | Cond::Le | Cond::Gt | Cond::Ge)), _) => {
            let (a, b) = (data.args[0], data.args[1]);
            // As `low < high` or, if not strict, `low <= high`.
            let (low, high, strict) = match (c, again) {
                (Cond::Lt, true) | (Cond::Ge, false) => (a, b, true),
                (Cond::Le, true) | (Cond::Gt, false) => (a, b, false),
                (Cond::Gt, true) | (Cond::Le, false) => (b, a, true),
                _ => (b, a, false),
            };
            for (moves, limit, sign) in [(low, high, 1), (high, low, -1)] {
                if !outside(limit) {
                    continue;
                }
                // The index is compared before it moves by one, or after.
                if strict && constant_step(moves) == Some(sign) {
                    return Some(Counter {
                        index: moves,
                        step: Step::Const(sign),
                        limit,
                        order: Order::Signed,
                    });
                }
                let Some(index) = before(moves) else {
                    continue;
                };
                let step = match constant_step(index) {
                    Some(n) if n.signum() == sign => Step::Const(n),
                    // The chunk head sees to it that it is positive.
                    None if sign > 0 => match step_of(index) {
                        Some(s) if outside(s) => Step::Up(s),
                        _ => continue,
                    },
                    _ => continue,
                };
                let order = if strict { Order::Beyond } else { Order::Signed };
                return Some(Counter {
                    index,
                    step,
                    limit,
                    order,
                });
            }
            None
        }
        // limit - index, unsigned, is at least the step.
        (Op::IntCmp(Cond::ULt), false) => {
            let (left, size) = (data.args[0], data.args[1]);
            let (a, b) = operands(func, left, IntOp::Sub)?;
            for (index, limit, sign) in [(b, a, 1), (a, b, -1)] {
                let Some(by) = step_of(index).filter(|_| outside(limit)) else {
                    continue;
                };
                let step = match int_of(func, by) {
                    Some(n)
                        if n.signum() == sign
                            && n != i64::MIN
                            && int_of(func, size) == Some(n.abs()) =>
                    {
                        Step::Const(n)
                    }
                    // Known to be positive.
                    None if sign > 0 && by == size && outside(by) => Step::Up(by),
                    _ => continue,
                };
                return Some(Counter {
                    index,
                    step,
                    limit,
                    order: Order::Unsigned,
                });
            }
            None
        }
        // The step's sign decides which way.
        (Op::Select, false) => {
            let (up, short) = (data.args[0], data.args[1]);
            let up = func.inst(inst(func, up)?);
            let step = match up.op {
                Op::IntCmp(Cond::Gt) if int_of(func, up.args[1]) == Some(0) => up.args[0],
                Op::IntCmp(Cond::Lt) if int_of(func, up.args[0]) == Some(0) => up.args[1],
                _ => return None,
            };
            let short = func.inst(inst(func, short)?);
            if short.op != Op::IntCmp(Cond::ULt) || short.args[1] != step || !outside(step) {
                return None;
            }
            let (limit, index) = operands(func, short.args[0], IntOp::Sub)?;
            (outside(limit) && step_of(index) == Some(step)).then_some(Counter {
                index,
                step: Step::Up(step),
                limit,
                order: Order::Unsigned,
            })
        }
        _ => None,
    }
}

/// By how much a value changes with each iteration, as a constant, or as a
/// constant multiple of a step that is not one.
pub(super) struct Affine<'a> {
    pub func: &'a Func,
    /// The header's parameters that advance by a constant, with that; in
    /// units of the step if that is no constant.
    pub linear: Vec<(Val, i64)>,
    /// Operations that may still be looked at.
    pub budget: u32,
}

impl Affine<'_> {
    /// The change of `v`; `invariant` says of a value that it is one in the
    /// loop and can be had in front of it.
    pub fn change(&mut self, v: Val, invariant: &mut impl FnMut(Val) -> bool) -> Option<i64> {
        if self.budget == 0 {
            return None;
        }
        self.budget -= 1;
        if let Some(l) = self.linear.iter().find(|l| l.0 == v) {
            return Some(l.1);
        }
        if invariant(v) {
            return Some(0);
        }
        let data = self.func.inst(inst(self.func, v)?);
        let Op::IntOp(op) = data.op else {
            return None;
        };
        let (a, b) = (data.args[0], data.args[1]);
        match op {
            IntOp::Add => self
                .change(a, invariant)?
                .checked_add(self.change(b, invariant)?),
            IntOp::Sub => self
                .change(a, invariant)?
                .checked_sub(self.change(b, invariant)?),
            IntOp::Mul => {
                let (v, by) = match (int_of(self.func, a), int_of(self.func, b)) {
                    (_, Some(n)) => (a, n),
                    (Some(n), _) => (b, n),
                    _ => return None,
                };
                self.change(v, invariant)?.checked_mul(by)
            }
            _ => None,
        }
    }
}
