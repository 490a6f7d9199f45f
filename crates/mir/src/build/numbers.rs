//! Operations whose operands are integers and floats in turn.
//!
//! A division makes floats of integers, so loops like Collatz's see both at one
//! site. No type can be guarded there; each combination that the site saw is
//! tested in line instead, and the rest leaves the code, or is the
//! interpreter's where that failed before.

use super::Builder;
use super::frame::Slow;
use crate::ir::{Cond, Op, Ty, Val};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::feedback::arith;
use vela_objects::ops::ArithOp;
use vela_profiler::SiteSnapshot;

/// Integers of at most this size are exact as floats.
const EXACT: i64 = 1 << 53;

fn may_be_number(ty: Ty) -> bool {
    matches!(ty, Ty::Any | Ty::Int | Ty::Float)
}

impl Builder<'_> {
    /// Whether the site saw numbers only, and there is nothing simpler to do
    /// about them than to test what they are.
    pub(super) fn sees_numbers(&self, x: Val, y: Val, site: &SiteSnapshot) -> bool {
        let bits = site.arith & arith::TYPES;
        bits != 0
            && bits & (arith::OTHER | arith::STRING) == 0
            && may_be_number(self.ty(x))
            && may_be_number(self.ty(y))
    }

    /// The operation on integers or floats, whichever they are.
    pub(super) fn arith_of_numbers(
        &mut self,
        op: ArithOp,
        a: u8,
        (x, y): (Val, Val),
        site: &SiteSnapshot,
    ) {
        let strict = self.may_speculate(site, DeoptReason::Type)
            && self.may_speculate(site, DeoptReason::Range);
        let mut slow = if strict {
            self.state();
            None
        } else {
            Some(self.begin_slow())
        };
        let to_float = matches!(op, ArithOp::Div | ArithOp::Pow);
        let ints = site.arith & arith::INT != 0
            && self.ty(x) != Ty::Float
            && self.ty(y) != Ty::Float
            && !to_float;
        let met = ints.then(|| {
            let floats = self.func.add_block();
            let xi = self.int_or_else(x, floats);
            let yi = if x == y {
                xi
            } else {
                self.int_or_else(y, floats)
            };
            if matches!(op, ArithOp::Mod | ArithOp::IDiv)
                && !matches!(self.func.def_op(yi), Some(Op::Int(n)) if *n != 0)
            {
                let zero = self.int(0);
                let ok = self.emit(Op::IntCmp(Cond::Ne), &[yi, zero], Ty::Bool);
                self.require(slow.as_mut(), ok, DeoptReason::Range);
            }
            let v = self.int_or_float(op, xi, yi);
            let v = self.boxed(v);
            let join = self.func.add_block();
            self.jump_with(join, &[v]);
            self.cur = Some(floats);
            join
        });
        if !ints && !to_float && self.ty(x) != Ty::Float && self.ty(y) != Ty::Float {
            // Two integers have an integer result, which was not seen.
            let xi = self.is_int(x);
            let yi = self.is_int(y);
            let both = self.emit(Op::Select, &[xi, yi, xi], Ty::Bool);
            let not = self.emit(Op::Not, &[both], Ty::Bool);
            self.require(slow.as_mut(), not, DeoptReason::Type);
        }
        let xf = self.number_as_float(slow.as_mut(), x);
        let yf = if x == y {
            xf
        } else {
            self.number_as_float(slow.as_mut(), y)
        };
        let mut v = self.float_arith(op, xf, yf);
        if let Some(join) = met {
            let boxed = self.boxed(v);
            self.jump_with(join, &[boxed]);
            self.cur = Some(join);
            v = self.func.add_param(join, Ty::Any);
        }
        match slow {
            Some(slow) => self.join_slow(slow, Some((a, v))),
            None => self.write(a, v),
        }
    }

    /// A comparison of integers or floats, whichever they are; of anything else
    /// as [`Builder::compare`] does it.
    pub(super) fn compare_numbers(
        &mut self,
        cond: Cond,
        (x, y): (Val, Val),
        site: &SiteSnapshot,
        (yes, no): (usize, usize),
    ) -> Val {
        let mut miss = self.begin_slow();
        let join = self.func.add_block();
        if site.arith & arith::INT != 0 && self.ty(x) != Ty::Float && self.ty(y) != Ty::Float {
            let floats = self.func.add_block();
            let xi = self.int_or_else(x, floats);
            let yi = self.int_or_else(y, floats);
            let is = self.emit(Op::IntCmp(cond), &[xi, yi], Ty::Bool);
            self.jump_with(join, &[is]);
            self.cur = Some(floats);
        }
        if site.arith & (arith::FLOAT | arith::MIXED) != 0 {
            let xf = self.exact_float(&mut miss, x);
            let yf = self.exact_float(&mut miss, y);
            let is = self.emit(Op::FloatCmp(cond), &[xf, yf], Ty::Bool);
            self.jump_with(join, &[is]);
        } else {
            self.jump_with(miss.block, &[]);
        }
        // Neither way has changed a register so far.
        self.cur = Some(miss.block);
        let is = self.compare(cond, x, y, yes, no);
        self.jump_with(join, &[is]);
        self.cur = Some(join);
        self.state = None;
        self.func.add_param(join, Ty::Bool)
    }

    /// Whether `x`, of any type, equals the number `n`, a constant. `None` if
    /// that takes more than a comparison of floats.
    pub(super) fn equals_number(&mut self, x: Val, n: Val) -> Option<Val> {
        let number = match self.func.def_op(n) {
            Some(Op::Int(n)) if n.unsigned_abs() < EXACT.unsigned_abs() => *n as f64,
            Some(Op::Float(bits)) => f64::from_bits(*bits),
            _ => return None,
        };
        if self.ty(x) != Ty::Any {
            return None;
        }
        let (join, other) = (self.func.add_block(), self.func.add_block());
        if number == number.trunc() && number.abs() < EXACT as f64 {
            let xi = self.int_or_else(x, other);
            let int = self.int(number as i64);
            let is = self.emit(Op::IntCmp(Cond::Eq), &[xi, int], Ty::Bool);
            self.jump_with(join, &[is]);
        } else if number.is_nan() || number != number.trunc() {
            self.jump_with(other, &[]);
        } else {
            return None;
        }
        self.cur = Some(other);
        let neither = self.func.add_block();
        let float = self.emit(Op::HasTag(Tag::FLOAT), &[x], Ty::Bool);
        let floats = self.func.add_block();
        self.branch(float, Self::plain(floats), Self::plain(neither));
        self.cur = Some(floats);
        let xf = self.emit(Op::Unbox, &[x], Ty::Float);
        let n = self.float(number);
        let is = self.emit(Op::FloatCmp(Cond::Eq), &[xf, n], Ty::Bool);
        self.jump_with(join, &[is]);
        self.cur = Some(neither);
        let is = self.emit(Op::Bool(false), &[], Ty::Bool);
        self.jump_with(join, &[is]);
        self.cur = Some(join);
        Some(self.func.add_param(join, Ty::Bool))
    }

    fn is_int(&mut self, v: Val) -> Val {
        match self.ty(v) {
            Ty::Any => self.emit(Op::HasTag(Tag::INT), &[v], Ty::Bool),
            ty => self.emit(Op::Bool(ty == Ty::Int), &[], Ty::Bool),
        }
    }

    /// The value as an integer, or on to `other`. Registers are not refined.
    fn int_or_else(&mut self, v: Val, other: crate::ir::Block) -> Val {
        if self.ty(v) != Ty::Any {
            return v;
        }
        let is = self.emit(Op::HasTag(Tag::INT), &[v], Ty::Bool);
        let next = self.func.add_block();
        self.branch(is, Self::plain(next), Self::plain(other));
        self.cur = Some(next);
        self.emit(Op::Unbox, &[v], Ty::Int)
    }

    /// A number as a float; what is none leaves to `miss`, or the code.
    fn number_as_float(&mut self, miss: Option<&mut Slow>, v: Val) -> Val {
        self.converted(miss, v, false)
    }

    /// A number as a float of exactly its value; leaves to `miss` if there is
    /// none.
    fn exact_float(&mut self, miss: &mut Slow, v: Val) -> Val {
        if matches!(self.func.def_op(v), Some(Op::Int(n)) if n.unsigned_abs() < EXACT.unsigned_abs())
        {
            return self.as_float(v);
        }
        self.converted(Some(miss), v, true)
    }

    fn converted(&mut self, mut miss: Option<&mut Slow>, v: Val, exact: bool) -> Val {
        match self.ty(v) {
            Ty::Any => {}
            Ty::Int if exact => {
                self.require_exact(miss, v);
                return self.as_float(v);
            }
            _ => return self.as_float(v),
        }
        let (other, join) = (self.func.add_block(), self.func.add_block());
        let i = self.int_or_else(v, other);
        if exact {
            self.require_exact(miss.as_deref_mut(), i);
        }
        let f = self.as_float(i);
        self.jump_with(join, &[f]);
        self.cur = Some(other);
        let float = self.emit(Op::HasTag(Tag::FLOAT), &[v], Ty::Bool);
        self.require(miss, float, DeoptReason::Type);
        let f = self.emit(Op::Unbox, &[v], Ty::Float);
        self.jump_with(join, &[f]);
        self.cur = Some(join);
        self.func.add_param(join, Ty::Float)
    }

    fn require_exact(&mut self, miss: Option<&mut Slow>, i: Val) {
        let (most, width) = (self.int(EXACT), self.int(2 * EXACT));
        let shifted = self.emit(Op::IntOp(crate::ir::IntOp::Add), &[i, most], Ty::Int);
        let small = self.emit(Op::IntCmp(Cond::ULt), &[shifted, width], Ty::Bool);
        self.require(miss, small, DeoptReason::Range);
    }
}
