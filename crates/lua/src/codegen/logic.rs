//! Code of conditions, comparisons and the operators `and`, `or`, `not`.
//!
//! Conditions become jumps. The value of `a and b` is evaluated in place: the
//! first operand goes to the destination, a test of it jumps to the end, the
//! second operand overwrites it.

use super::emit::Jumps;
use super::expr::{Dst, Object};
use super::{Gen, Result};
use crate::ast::{BinOp, Expr, ExprId, LocalId, Node, Range, UnOp};
use vela_bytecode::{Instr, Op};

/// Expressions that are looked at when deciding whether a value may be
/// computed in a variable's own register.
const MENTION_BUDGET: u32 = 32;

impl Gen<'_, '_> {
    // ---- conditions ----

    /// Whether the value is computed by jumps.
    pub(super) fn is_condition(&self, e: ExprId) -> bool {
        match self.tree.expr(e) {
            Expr::Binary { op, .. } => op.is_comparison() || matches!(op, BinOp::And | BinOp::Or),
            Expr::Unary {
                op: UnOp::Not,
                operand,
            } => self.is_condition(operand),
            _ => false,
        }
    }

    fn truth(&self, e: ExprId) -> Option<bool> {
        match self.tree.expr(e) {
            Expr::Nil | Expr::Bool(false) => Some(false),
            Expr::Bool(true) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_) | Expr::Function(_) => {
                Some(true)
            }
            _ => None,
        }
    }

    /// A comparison or negated condition as `true` or `false` in a register.
    pub(super) fn boolean(&mut self, e: ExprId, dst: Dst) -> Result<u8> {
        let mark = self.out.free();
        let mut is_true = Jumps::NONE;
        self.condition(e, true, &mut is_true)?;
        self.out.set_free(mark);
        let d = self.dst(dst)?;
        self.materialize(d, is_true);
        Ok(d)
    }

    /// `d = false` here, `d = true` for the jumps of the list.
    fn materialize(&mut self, d: u8, is_true: Jumps) {
        let mut end = Jumps::NONE;
        if self.out.reachable() {
            self.load_bool(d, false);
            self.out.jump(Op::Jmp, 0, &mut end);
        }
        self.out.patch_here(is_true);
        self.load_bool(d, true);
        self.out.patch_here(end);
    }

    /// Jumps to the list if the truth of `e` is `jump_if`, else falls through.
    pub(super) fn condition(&mut self, e: ExprId, jump_if: bool, list: &mut Jumps) -> Result<()> {
        if let Some(truth) = self.truth(e) {
            if truth == jump_if {
                self.out.jump(Op::Jmp, 0, list);
            }
            return Ok(());
        }
        let mark = self.out.free();
        match self.tree.expr(e) {
            Expr::Unary {
                op: UnOp::Not,
                operand,
            } => return self.condition(operand, !jump_if, list),
            Expr::Binary { op, .. } if matches!(op, BinOp::And | BinOp::Or) => {
                let stop = op == BinOp::Or;
                let mut through = Jumps::NONE;
                let bottom = self.spine.len();
                let first = self.logical_spine(e, op);
                let mut operand = first;
                loop {
                    let last = self.spine.len() == bottom;
                    if last {
                        self.condition(operand, jump_if, list)?;
                    } else if stop == jump_if {
                        self.condition(operand, stop, list)?;
                    } else {
                        self.condition(operand, stop, &mut through)?;
                    }
                    let Some(id) = (if last { None } else { self.spine.pop() }) else {
                        break;
                    };
                    if let Expr::Binary { rhs, .. } = self.tree.expr(id) {
                        operand = rhs;
                    }
                }
                self.out.patch_here(through);
            }
            Expr::Binary { op, .. } if op.is_comparison() => {
                self.comparison(e, jump_if, list)?;
            }
            _ => {
                let r = self.expr_any(e)?;
                self.out.line = self.out.line.max(self.tree.node(e).line);
                let op = if jump_if { Op::JmpIf } else { Op::JmpIfNot };
                self.out.jump(op, r, list);
            }
        }
        self.out.set_free(mark);
        Ok(())
    }

    fn logical_spine(&mut self, e: ExprId, op: BinOp) -> ExprId {
        if op == BinOp::And {
            self.push_spine(e, |op| op == BinOp::And)
        } else {
            self.push_spine(e, |op| op == BinOp::Or)
        }
    }

    fn comparison(&mut self, e: ExprId, jump_if: bool, list: &mut Jumps) -> Result<()> {
        let bottom = self.spine.len();
        let leftmost = self.push_spine(e, BinOp::is_comparison);
        let mark = self.out.free();
        let mut lhs = leftmost;
        // the value so far, when it is the result of an inner comparison
        let mut value = None;
        while self.spine.len() > bottom {
            let Some(id) = self.spine.pop() else { break };
            let Node { expr, line, .. } = self.tree.node(id);
            let Expr::Binary { op, rhs, .. } = expr else {
                break;
            };
            if self.spine.len() == bottom {
                self.compare(op, lhs, value, rhs, line, jump_if, list)?;
                break;
            }
            let mut is_true = Jumps::NONE;
            self.compare(op, lhs, value, rhs, line, true, &mut is_true)?;
            self.out.set_free(mark);
            let d = self.out.reserve(1)?;
            self.materialize(d, is_true);
            value = Some(d);
            lhs = id;
        }
        self.out.set_free(mark);
        Ok(())
    }

    /// One comparison; `value` is the register of the left operand if it was
    /// evaluated already.
    #[allow(clippy::too_many_arguments)]
    fn compare(
        &mut self,
        op: BinOp,
        lhs: ExprId,
        value: Option<u8>,
        rhs: ExprId,
        line: u32,
        jump_if: bool,
        list: &mut Jumps,
    ) -> Result<()> {
        let small = |e: Expr| match e {
            Expr::Int(i) => i16::try_from(i).ok(),
            _ => None,
        };
        let (left, right) = (self.tree.expr(lhs), self.tree.expr(rhs));
        let equality = matches!(op, BinOp::Eq | BinOp::Ne);
        let jump_if = jump_if != (op == BinOp::Ne);
        let cond = u16::from(jump_if);
        if equality {
            let (variable, constant) = if self.constant_operand(right) {
                (lhs, Some(rhs))
            } else if value.is_none() && self.constant_operand(left) {
                (rhs, Some(lhs))
            } else {
                (lhs, None)
            };
            let k = match constant {
                Some(c) => self.constant(c).and_then(|k| u16::try_from(k).ok()),
                None => None,
            };
            if let Some(k) = k {
                let r = match value {
                    Some(r) => r,
                    None => self.expr_any(variable)?,
                };
                self.out.line = line;
                self.out.emit_fb(Op::EqK, r, k, cond);
                self.out.jump(Op::Jmp, 0, list);
                return Ok(());
            }
        } else if let Some(imm) = small(right) {
            let op = match op {
                BinOp::Lt => Op::LtI,
                BinOp::Le => Op::LeI,
                BinOp::Gt => Op::GtI,
                _ => Op::GeI,
            };
            let r = match value {
                Some(r) => r,
                None => self.expr_any(lhs)?,
            };
            self.out.line = line;
            self.out.emit_fb(op, r, imm as u16, cond);
            self.out.jump(Op::Jmp, 0, list);
            return Ok(());
        } else if let (None, Some(imm)) = (value, small(left)) {
            let op = match op {
                BinOp::Lt => Op::GtI,
                BinOp::Le => Op::GeI,
                BinOp::Gt => Op::LtI,
                _ => Op::LeI,
            };
            let r = self.expr_any(rhs)?;
            self.out.line = line;
            self.out.emit_fb(op, r, imm as u16, cond);
            self.out.jump(Op::Jmp, 0, list);
            return Ok(());
        }
        let left = match value {
            Some(r) => Object::Reg(r),
            None => self.left(lhs)?,
        };
        let r = self.expr_any(rhs)?;
        self.out.line = line;
        let l = self.object_register(left)?;
        let (op, a, b) = match op {
            BinOp::Eq | BinOp::Ne => (Op::Eq, l, r),
            BinOp::Lt => (Op::Lt, l, r),
            BinOp::Le => (Op::Le, l, r),
            BinOp::Gt => (Op::Lt, r, l),
            _ => (Op::Le, r, l),
        };
        self.out.emit_fb(op, a, u16::from(b), cond);
        self.out.jump(Op::Jmp, 0, list);
        Ok(())
    }

    fn constant_operand(&self, e: Expr) -> bool {
        matches!(
            e,
            Expr::Nil | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_)
        )
    }

    // ---- and, or ----

    pub(super) fn logical(&mut self, e: ExprId, op: BinOp, dst: Dst) -> Result<u8> {
        let mark = self.out.free();
        let (d, next) = match dst {
            Dst::Next => (self.out.reserve(1)?, true),
            Dst::Reg(d) if usize::from(d) >= mark || self.in_place(e, d) => (d, false),
            Dst::Reg(d) => {
                // an operand may still read the variable: compute aside
                let t = self.logical(e, op, Dst::Next)?;
                self.out.set_free(mark);
                self.out.emit(Instr::abcd(Op::Move, d, u16::from(t), 0, 0));
                return Ok(d);
            }
        };
        let mut end = Jumps::NONE;
        self.logical_value(e, op, d, next, &mut end)?;
        self.out.patch_here(end);
        Ok(d)
    }

    /// The value of a chain of `and` or `or` in `d`; jumps to `end` with it
    /// as soon as it is decided.
    fn logical_value(
        &mut self,
        e: ExprId,
        op: BinOp,
        d: u8,
        next: bool,
        end: &mut Jumps,
    ) -> Result<()> {
        let bottom = self.spine.len();
        let mut operand = self.logical_spine(e, op);
        while self.spine.len() > bottom {
            self.test_value(operand, d, next, op == BinOp::Or, end)?;
            if let Some(id) = self.spine.pop()
                && let Expr::Binary { rhs, .. } = self.tree.expr(id)
            {
                operand = rhs;
            }
        }
        self.value_in(operand, d, next)
    }

    /// Evaluates into `d`; `next` says that it is the last register taken.
    fn value_in(&mut self, e: ExprId, d: u8, next: bool) -> Result<()> {
        if next {
            self.out.set_free(usize::from(d));
            self.expr_to(e, Dst::Next)?;
        } else {
            self.expr_to(e, Dst::Reg(d))?;
        }
        Ok(())
    }

    /// If the truth of `e` is `jump_if`, jumps to the list with its value in
    /// `d`; otherwise falls through with anything in `d`.
    fn test_value(
        &mut self,
        e: ExprId,
        d: u8,
        next: bool,
        jump_if: bool,
        list: &mut Jumps,
    ) -> Result<()> {
        if let Some(truth) = self.truth(e) {
            if truth == jump_if {
                self.value_in(e, d, next)?;
                self.out.jump(Op::Jmp, 0, list);
            }
            return Ok(());
        }
        let mut through = Jumps::NONE;
        match self.tree.expr(e) {
            Expr::Binary { op, .. } if matches!(op, BinOp::And | BinOp::Or) => {
                // an operand that stops the chain gives its value if that is
                // what the jump wants, else control falls through
                let stop = op == BinOp::Or;
                let bottom = self.spine.len();
                let mut operand = self.logical_spine(e, op);
                while self.spine.len() > bottom {
                    if stop == jump_if {
                        self.test_value(operand, d, next, jump_if, list)?;
                    } else {
                        self.condition(operand, stop, &mut through)?;
                    }
                    if let Some(id) = self.spine.pop()
                        && let Expr::Binary { rhs, .. } = self.tree.expr(id)
                    {
                        operand = rhs;
                    }
                }
                self.test_value(operand, d, next, jump_if, list)?;
            }
            _ if self.is_condition(e) => {
                self.condition(e, !jump_if, &mut through)?;
                self.load_bool(d, jump_if);
                self.out.jump(Op::Jmp, 0, list);
            }
            Expr::Unary {
                op: UnOp::Not,
                operand,
            } => {
                self.condition(operand, jump_if, &mut through)?;
                self.load_bool(d, jump_if);
                self.out.jump(Op::Jmp, 0, list);
            }
            _ => {
                self.value_in(e, d, next)?;
                let op = if jump_if { Op::JmpIf } else { Op::JmpIfNot };
                self.out.jump(op, d, list);
            }
        }
        self.out.patch_here(through);
        Ok(())
    }

    /// Whether a chain may be computed in the register of the variable it is
    /// assigned to: no operand but the very first reads that variable.
    fn in_place(&self, e: ExprId, d: u8) -> bool {
        let Some(&(id, _)) = self
            .active
            .iter()
            .rev()
            .find(|(id, entry)| entry.is_some() && self.home(*id) == d)
        else {
            return false;
        };
        let mut first = e;
        let mut budget = MENTION_BUDGET;
        while let Expr::Binary { op, lhs, rhs } = self.tree.expr(first)
            && matches!(op, BinOp::And | BinOp::Or)
        {
            if self.mentions(rhs, id, &mut budget) {
                return false;
            }
            first = lhs;
        }
        self.tree.expr(first) == Expr::Local(id) || !self.mentions(first, id, &mut budget)
    }

    /// Whether the expression may read the local; `true` when the budget ends.
    fn mentions(&self, e: ExprId, id: LocalId, budget: &mut u32) -> bool {
        if *budget == 0 {
            return true;
        }
        *budget -= 1;
        let mut list = |range: Range| {
            range
                .indices()
                .any(|i| self.mentions(self.tree.lists[i], id, budget))
        };
        match self.tree.expr(e) {
            Expr::Nil
            | Expr::Bool(_)
            | Expr::Int(_)
            | Expr::Float(_)
            | Expr::Str(_)
            | Expr::Vararg
            | Expr::Upval(_)
            | Expr::Function(_) => false,
            Expr::Local(other) => other == id,
            Expr::Paren(inner) | Expr::Unary { operand: inner, .. } => {
                self.mentions(inner, id, budget)
            }
            Expr::Index { object, key } => {
                self.mentions(object, id, budget) || self.mentions(key, id, budget)
            }
            Expr::Binary { lhs, rhs, .. } => {
                self.mentions(lhs, id, budget) || self.mentions(rhs, id, budget)
            }
            Expr::Call { callee, args } => list(args) || self.mentions(callee, id, budget),
            Expr::Method { object, args, .. } => list(args) || self.mentions(object, id, budget),
            Expr::Table { items, .. } => items.indices().any(|i| {
                let item = self.tree.items[i];
                item.key.is_some_and(|k| self.mentions(k, id, budget))
                    || self.mentions(item.value, id, budget)
            }),
        }
    }
}
