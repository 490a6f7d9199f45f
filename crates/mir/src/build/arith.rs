//! Arithmetic, comparisons and numeric loops under operand-type feedback.

use super::Builder;
use crate::helper::Helper;
use crate::ir::{Cond, FloatFn, FloatOp, IntOp, Op, Ty, Val};
use vela_bytecode::{Instr, Op as B};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::feedback::arith;
use vela_objects::ops::ArithOp;
use vela_profiler::SiteSnapshot;

/// Machine type that an operation is specialised for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Num {
    Int,
    Float,
}

impl Num {
    fn tag(self) -> Tag {
        match self {
            Num::Int => Tag::INT,
            Num::Float => Tag::FLOAT,
        }
    }

    fn of(ty: Ty) -> Option<Num> {
        match ty {
            Ty::Int => Some(Num::Int),
            Ty::Float => Some(Num::Float),
            _ => None,
        }
    }
}

/// What to do about the operands of an operation.
enum Plan {
    /// Guard these types (known ones cost nothing).
    Typed(Num, Num),
    /// Test both types at run time, the interpreter for the rest.
    Test,
    /// Leave it to the interpreter.
    Generic,
    /// Never executed so far.
    Unreached,
}

fn arith_op(op: B) -> ArithOp {
    use ArithOp as A;
    match op {
        // `SubI` adds the negated number, which matters for -0.0 - 0.
        B::Add | B::AddK | B::AddI | B::SubI => A::Add,
        B::Sub | B::SubK => A::Sub,
        B::Mul | B::MulK => A::Mul,
        B::Div | B::DivK => A::Div,
        B::Mod | B::ModK => A::Mod,
        B::IDiv | B::IDivK => A::IDiv,
        B::Pow | B::PowK => A::Pow,
        B::BAnd | B::BAndK => A::BAnd,
        B::BOr | B::BOrK => A::BOr,
        B::BXor | B::BXorK => A::BXor,
        B::Shl | B::ShlK => A::Shl,
        B::Shr | B::ShrK => A::Shr,
        B::Unm => A::Unm,
        _ => A::BNot,
    }
}

impl Builder<'_> {
    fn plan(&self, x: Val, y: Val, site: &SiteSnapshot) -> Plan {
        let known = (Num::of(self.ty(x)), Num::of(self.ty(y)));
        if let (Some(a), Some(b)) = known {
            return Plan::Typed(a, b);
        }
        let any = |t: Ty| matches!(t, Ty::Any | Ty::Int | Ty::Float);
        if !any(self.ty(x)) || !any(self.ty(y)) {
            return Plan::Generic;
        }
        let bits = site.arith & arith::TYPES;
        if bits == 0 {
            return if self.may_speculate(site, DeoptReason::Unreached) {
                Plan::Unreached
            } else {
                Plan::Test
            };
        }
        if bits & (arith::OTHER | arith::STRING) != 0 {
            return if bits & (arith::INT | arith::FLOAT) != 0 {
                Plan::Test
            } else {
                Plan::Generic
            };
        }
        if !self.may_speculate(site, DeoptReason::Type) {
            return Plan::Test;
        }
        match (bits, known) {
            (arith::INT, (Some(Num::Float), _) | (_, Some(Num::Float))) => Plan::Test,
            (arith::INT, _) => Plan::Typed(Num::Int, Num::Int),
            (arith::FLOAT, (Some(Num::Int), _) | (_, Some(Num::Int))) => Plan::Test,
            (arith::FLOAT, _) => Plan::Typed(Num::Float, Num::Float),
            (arith::MIXED, (Some(Num::Int), _)) => Plan::Typed(Num::Int, Num::Float),
            (arith::MIXED, (Some(Num::Float), _)) => Plan::Typed(Num::Float, Num::Int),
            (arith::MIXED, (_, Some(Num::Int))) => Plan::Typed(Num::Float, Num::Int),
            (arith::MIXED, (_, Some(Num::Float))) => Plan::Typed(Num::Int, Num::Float),
            _ => Plan::Test,
        }
    }

    pub(super) fn binary(&mut self, op: B, i: Instr) {
        let site = self.site(i.d());
        let x = self.read(i.b() as u8);
        let y = match op {
            B::AddI => self.int(i64::from(i.sc())),
            B::SubI => self.int(-i64::from(i.sc())),
            _ if op.format().as_bytes()[2] == b'K' => self.constant(u32::from(i.c())),
            _ => self.read(i.c() as u8),
        };
        // A metamethod gets what the source subtracts.
        let given = match op {
            B::SubI => self.int(i64::from(i.sc())),
            _ => y,
        };
        self.arith(arith_op(op), i.a(), (x, y), given, &site);
    }

    pub(super) fn unary(&mut self, op: B, i: Instr) {
        let site = self.site(i.d());
        let x = self.read(i.b() as u8);
        self.arith(arith_op(op), i.a(), (x, x), x, &site);
    }

    fn arith(&mut self, op: ArithOp, a: u8, (x, y): (Val, Val), given: Val, site: &SiteSnapshot) {
        match self.plan(x, y, site) {
            Plan::Typed(tx, ty) => {
                if op.is_bitwise()
                    && !self.may_speculate(site, DeoptReason::Range)
                    && (tx, ty) != (Num::Int, Num::Int)
                {
                    self.interp_one();
                    return;
                }
                let same = x == y;
                let x = self.guard_tag(x, tx.tag());
                let y = if same { x } else { self.guard_tag(y, ty.tag()) };
                let v = self.arith_typed(op, x, y);
                self.write(a, v);
            }
            Plan::Test => self.arith_tested(op, a, x, y, site),
            Plan::Generic => {
                if !self.operator_by_metamethod(a, [x, given], site, false) {
                    self.interp_one();
                }
            }
            Plan::Unreached => self.exit(DeoptReason::Unreached),
        }
    }

    /// Both operands tested at run time: integers, then floats.
    fn arith_tested(&mut self, op: ArithOp, a: u8, x: Val, y: Val, site: &SiteSnapshot) {
        if !op.is_bitwise() && self.sees_numbers(x, y, site) {
            self.arith_of_numbers(op, a, (x, y), site);
            return;
        }
        let known = (Num::of(self.ty(x)), Num::of(self.ty(y)));
        let floats = site.arith & arith::FLOAT != 0
            || known.0 == Some(Num::Float)
            || known.1 == Some(Num::Float);
        let ints = site.arith & arith::INT != 0
            || known.0 == Some(Num::Int) && site.arith & arith::MIXED == 0
            || known.1 == Some(Num::Int) && site.arith & arith::MIXED == 0;
        let zero_check = matches!(op, ArithOp::Mod | ArithOp::IDiv);
        if op.is_bitwise() || (ints && !floats) {
            let mut slow = self.begin_slow();
            let xi = self.unbox_or_slow(&mut slow, x, Tag::INT);
            let yi = if x == y {
                xi
            } else {
                self.unbox_or_slow(&mut slow, y, Tag::INT)
            };
            if zero_check {
                let zero = self.int(0);
                let ok = self.emit(Op::IntCmp(Cond::Ne), &[yi, zero], Ty::Bool);
                self.or_slow(&mut slow, ok);
            }
            let v = self.int_or_float(op, xi, yi);
            self.join_slow(slow, Some((a, v)));
        } else {
            // Floats first; integers convert where the other side is a float.
            let mut slow = self.begin_slow();
            let (xf, yf) = match known {
                (Some(Num::Int), _) => {
                    let yf = self.unbox_or_slow(&mut slow, y, Tag::FLOAT);
                    (self.as_float(x), yf)
                }
                (_, Some(Num::Int)) => {
                    let xf = self.unbox_or_slow(&mut slow, x, Tag::FLOAT);
                    (xf, self.as_float(y))
                }
                _ => {
                    let xf = self.unbox_or_slow(&mut slow, x, Tag::FLOAT);
                    let yf = if x == y {
                        xf
                    } else {
                        self.unbox_or_slow(&mut slow, y, Tag::FLOAT)
                    };
                    (xf, yf)
                }
            };
            let v = self.float_arith(op, xf, yf);
            self.join_slow(slow, Some((a, v)));
        }
    }

    /// The operation on operands of known number types, which are not both
    /// integers with a zero divisor when that would raise.
    fn arith_typed(&mut self, op: ArithOp, x: Val, y: Val) -> Val {
        if op.is_bitwise() {
            let x = self.as_int(x);
            let y = self.as_int(y);
            return self.int_or_float(op, x, y);
        }
        if self.ty(x) == Ty::Int && self.ty(y) == Ty::Int {
            if matches!(op, ArithOp::Mod | ArithOp::IDiv)
                && !matches!(self.func.def_op(y), Some(Op::Int(n)) if *n != 0)
            {
                let zero = self.int(0);
                let ok = self.emit(Op::IntCmp(Cond::Ne), &[y, zero], Ty::Bool);
                self.guard(ok, DeoptReason::Range);
            }
            return self.int_or_float(op, x, y);
        }
        let (x, y) = (self.as_float(x), self.as_float(y));
        self.float_arith(op, x, y)
    }

    pub(super) fn int_or_float(&mut self, op: ArithOp, x: Val, y: Val) -> Val {
        use ArithOp as A;
        let int_op = match op {
            A::Add => IntOp::Add,
            A::Sub => IntOp::Sub,
            A::Mul => IntOp::Mul,
            A::Mod => IntOp::Mod,
            A::IDiv => IntOp::FloorDiv,
            A::BAnd => IntOp::And,
            A::BOr => IntOp::Or,
            A::BXor => IntOp::Xor,
            A::Shl => IntOp::Shl,
            A::Shr => IntOp::Shr,
            A::Unm => {
                let zero = self.int(0);
                return self.emit(Op::IntOp(IntOp::Sub), &[zero, x], Ty::Int);
            }
            A::BNot => {
                let ones = self.int(-1);
                return self.emit(Op::IntOp(IntOp::Xor), &[x, ones], Ty::Int);
            }
            A::Pow | A::Div => {
                let (x, y) = (self.as_float(x), self.as_float(y));
                return self.float_arith(op, x, y);
            }
        };
        self.emit(Op::IntOp(int_op), &[x, y], Ty::Int)
    }

    pub(super) fn float_arith(&mut self, op: ArithOp, x: Val, y: Val) -> Val {
        use ArithOp as A;
        let float_op = match op {
            A::Add => FloatOp::Add,
            A::Sub => FloatOp::Sub,
            A::Mul => FloatOp::Mul,
            A::Div => FloatOp::Div,
            A::Mod => FloatOp::Mod,
            A::IDiv => FloatOp::FloorDiv,
            A::Pow => {
                if matches!(self.func.def_op(y), Some(Op::Float(bits)) if f64::from_bits(*bits) == 2.0)
                {
                    return self.emit(Op::FloatOp(FloatOp::Mul), &[x, x], Ty::Float);
                }
                FloatOp::Pow
            }
            _ => return self.emit(Op::FloatFn(FloatFn::Neg), &[x], Ty::Float),
        };
        self.emit(Op::FloatOp(float_op), &[x, y], Ty::Float)
    }

    /// A number value as a float.
    pub(super) fn as_float(&mut self, v: Val) -> Val {
        match (self.ty(v), self.func.def_op(v)) {
            (Ty::Float, _) => v,
            (_, Some(Op::Int(n))) => {
                let f = *n as f64;
                self.float(f)
            }
            _ => self.emit(Op::IntToFloat, &[v], Ty::Float),
        }
    }

    /// A number value as an integer; exits if it has no integer value.
    fn as_int(&mut self, v: Val) -> Val {
        if self.ty(v) == Ty::Int {
            return v;
        }
        let s = self.state();
        let i = self.push(Op::GuardFloatToInt, &[v], Ty::Int);
        self.attach(i, s, DeoptReason::Range);
        self.func.result(i)
    }

    /// Whether a condition takes the value as true.
    pub(super) fn truthy(&mut self, v: Val) -> Val {
        match self.ty(v) {
            Ty::Bool => v,
            Ty::Nil => self.emit(Op::Bool(false), &[], Ty::Bool),
            Ty::Any => self.emit(Op::Truthy, &[v], Ty::Bool),
            _ => self.emit(Op::Bool(true), &[], Ty::Bool),
        }
    }

    // ---- comparisons -------------------------------------------------

    pub(super) fn comparison(&mut self, op: B, i: Instr) {
        let site = self.site(i.d());
        let x = self.read(i.a());
        let (cond, y) = match op {
            B::Eq => (Cond::Eq, self.read(i.b() as u8)),
            B::EqK => (Cond::Eq, self.constant(u32::from(i.b()))),
            B::Lt => (Cond::Lt, self.read(i.b() as u8)),
            B::Le => (Cond::Le, self.read(i.b() as u8)),
            B::LtI => (Cond::Lt, self.int(i64::from(i.sb()))),
            B::LeI => (Cond::Le, self.int(i64::from(i.sb()))),
            B::GtI => (Cond::Gt, self.int(i64::from(i.sb()))),
            _ => (Cond::Ge, self.int(i64::from(i.sb()))),
        };
        let jump = self.proto.code[self.pc + 1];
        let target = (self.pc as i64 + 2 + i64::from(jump.sbx())) as usize;
        let skip = self.pc + 2;
        let (yes, no) = if i.c() != 0 {
            (target, skip)
        } else {
            (skip, target)
        };
        if matches!(op, B::Eq | B::Lt | B::Le)
            && self.comparison_by_metamethod(cond, [x, y], &site, (yes, no))
        {
            return;
        }
        let result = if cond == Cond::Eq {
            self.equality(x, y, op == B::EqK, &site)
        } else {
            self.ordering(cond, x, y, &site)
        };
        match result {
            Some(c) => self.branch_to(c, yes, no),
            None if self.cur.is_none() => {}
            None => {
                let c = if self.sees_numbers(x, y, &site) {
                    self.compare_numbers(cond, (x, y), &site, (yes, no))
                } else {
                    self.compare(cond, x, y, yes, no)
                };
                self.branch_to(c, yes, no);
            }
        }
    }

    /// A comparison of anything: a helper decides, or the interpreter where
    /// metamethods or errors take part.
    pub(super) fn compare(&mut self, cond: Cond, x: Val, y: Val, yes: usize, no: usize) -> Val {
        let (op, x, y) = match cond {
            Cond::Lt => (1, x, y),
            Cond::Le => (2, x, y),
            Cond::Gt => (1, y, x),
            Cond::Ge => (2, y, x),
            _ => (0, x, y),
        };
        let args = [self.int(op), self.boxed(x), self.boxed(y)];
        let answer = self.emit(Op::Lib(Helper::Compare), &args, Ty::Int);
        let two = self.int(2);
        let known = self.emit(Op::IntCmp(Cond::ULt), &[answer, two], Ty::Bool);
        let (fast, slow) = (self.func.add_block(), self.func.add_block());
        let join = self.func.add_block();
        self.func.blocks[slow.index()].cold = true;
        self.branch(known, Self::plain(fast), Self::plain(slow));
        self.cur = Some(fast);
        let one = self.int(1);
        let is = self.emit(Op::IntCmp(Cond::Eq), &[answer, one], Ty::Bool);
        self.jump_with(join, &[is]);
        let (values, window) = (self.values.clone(), self.window.clone());
        self.cur = Some(slow);
        let c = self.interp_cond();
        // A metamethod may have invalidated the code: checked on both ways.
        let (t, f) = (self.func.add_block(), self.func.add_block());
        self.branch(c, Self::plain(t), Self::plain(f));
        for (block, pc) in [(t, yes), (f, no)] {
            self.cur = Some(block);
            self.guard_valid(pc);
            let is = self.emit(Op::Bool(block == t), &[], Ty::Bool);
            self.jump_with(join, &[is]);
        }
        // A slot is known only if both paths left it alone.
        for (after, before) in self.window.iter_mut().zip(&window) {
            if after != before {
                *after = None;
            }
        }
        self.values = values;
        self.cur = Some(join);
        self.state = None;
        self.func.add_param(join, Ty::Bool)
    }

    fn ordering(&mut self, cond: Cond, x: Val, y: Val, site: &SiteSnapshot) -> Option<Val> {
        let strings = site.arith & arith::TYPES == arith::STRING
            && self.may_speculate(site, DeoptReason::Type);
        if (self.ty(x) == Ty::Str && self.ty(y) == Ty::Str)
            || (strings && matches!(cond, Cond::Lt | Cond::Le))
        {
            let x = self.guard_tag(x, Tag::STR);
            let y = self.guard_tag(y, Tag::STR);
            return Some(self.emit(Op::StrLess(cond == Cond::Le), &[x, y], Ty::Bool));
        }
        match self.plan(x, y, site) {
            Plan::Typed(Num::Int, Num::Int) => {
                let x = self.guard_tag(x, Tag::INT);
                let y = self.guard_tag(y, Tag::INT);
                Some(self.emit(Op::IntCmp(cond), &[x, y], Ty::Bool))
            }
            Plan::Typed(Num::Float, Num::Float) => {
                let x = self.guard_tag(x, Tag::FLOAT);
                let y = self.guard_tag(y, Tag::FLOAT);
                Some(self.emit(Op::FloatCmp(cond), &[x, y], Ty::Bool))
            }
            // An integer that is exact as a float compares as one.
            Plan::Typed(tx, _) => {
                let (int, float) = if tx == Num::Int { (x, y) } else { (y, x) };
                let small =
                    matches!(self.func.def_op(int), Some(Op::Int(n)) if n.unsigned_abs() < 1 << 53);
                if !small {
                    return None;
                }
                let f = self.guard_tag(float, Tag::FLOAT);
                let n = self.as_float(int);
                let args = if tx == Num::Int { [n, f] } else { [f, n] };
                Some(self.emit(Op::FloatCmp(cond), &args, Ty::Bool))
            }
            Plan::Unreached => {
                self.exit(DeoptReason::Unreached);
                None
            }
            Plan::Test | Plan::Generic => None,
        }
    }

    fn equality(&mut self, x: Val, y: Val, constant: bool, site: &SiteSnapshot) -> Option<Val> {
        if let Some(test) = self.type_test(x, y) {
            return Some(test);
        }
        let (tx, ty) = (self.ty(x), self.ty(y));
        if tx == Ty::Nil || ty == Ty::Nil {
            let v = if tx == Ty::Nil { y } else { x };
            return Some(match self.ty(v) {
                Ty::Nil => self.emit(Op::Bool(true), &[], Ty::Bool),
                Ty::Any => self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool),
                _ => self.emit(Op::Bool(false), &[], Ty::Bool),
            });
        }
        let number = |t: Ty| matches!(t, Ty::Int | Ty::Float);
        if tx != Ty::Any && ty != Ty::Any {
            return match (tx, ty) {
                (Ty::Int, Ty::Int) => Some(self.emit(Op::IntCmp(Cond::Eq), &[x, y], Ty::Bool)),
                (Ty::Float, Ty::Float) => {
                    Some(self.emit(Op::FloatCmp(Cond::Eq), &[x, y], Ty::Bool))
                }
                _ if number(tx) && number(ty) => self.mixed_equality(x, y),
                _ if tx != ty => Some(self.emit(Op::Bool(false), &[], Ty::Bool)),
                (Ty::Bool, _) => {
                    let (x, y) = (self.boxed(x), self.boxed(y));
                    Some(self.emit(Op::SameBits, &[x, y], Ty::Bool))
                }
                (Ty::Table | Ty::Userdata, _) => None,
                _ => Some(self.emit(Op::SameObject, &[x, y], Ty::Bool)),
            };
        }
        // One side is of unknown type. Against a string, boolean or function
        // no number and no metamethod is involved.
        if [tx, ty]
            .iter()
            .any(|t| matches!(t, Ty::Str | Ty::Bool | Ty::LuaFn | Ty::NativeFn))
        {
            let (x, y) = (self.boxed(x), self.boxed(y));
            return Some(self.emit(Op::SameBits, &[x, y], Ty::Bool));
        }
        let bits = site.arith & arith::TYPES;
        if bits == arith::STRING && !constant && self.may_speculate(site, DeoptReason::Type) {
            let x = self.guard_tag(x, Tag::STR);
            let y = self.guard_tag(y, Tag::STR);
            return Some(self.emit(Op::SameObject, &[x, y], Ty::Bool));
        }
        match self.plan(x, y, site) {
            Plan::Typed(Num::Int, Num::Int) => {
                let x = self.guard_tag(x, Tag::INT);
                let y = self.guard_tag(y, Tag::INT);
                Some(self.emit(Op::IntCmp(Cond::Eq), &[x, y], Ty::Bool))
            }
            Plan::Typed(Num::Float, Num::Float) => {
                let x = self.guard_tag(x, Tag::FLOAT);
                let y = self.guard_tag(y, Tag::FLOAT);
                Some(self.emit(Op::FloatCmp(Cond::Eq), &[x, y], Ty::Bool))
            }
            Plan::Typed(tx, ty) => {
                let x = self.guard_tag(x, tx.tag());
                let y = self.guard_tag(y, ty.tag());
                self.mixed_equality(x, y)
            }
            Plan::Unreached => {
                self.exit(DeoptReason::Unreached);
                None
            }
            Plan::Test | Plan::Generic if constant => self.equals_number(x, y),
            Plan::Test | Plan::Generic => None,
        }
    }

    fn mixed_equality(&mut self, x: Val, y: Val) -> Option<Val> {
        let (int, float) = if self.ty(x) == Ty::Int {
            (x, y)
        } else {
            (y, x)
        };
        let small = matches!(self.func.def_op(int), Some(Op::Int(n)) if n.unsigned_abs() < 1 << 53);
        small.then(|| {
            let n = self.as_float(int);
            self.emit(Op::FloatCmp(Cond::Eq), &[float, n], Ty::Bool)
        })
    }

    // ---- numeric for -------------------------------------------------

    pub(super) fn for_prep(&mut self, i: Instr) {
        let site = self.site(i.b());
        let a = i.a();
        let (body, end) = (self.pc + 1, self.target(i));
        let [init, limit, step] = [a, a + 1, a + 2].map(|r| self.read(r));
        let number = |t: Ty| matches!(t, Ty::Int | Ty::Float);
        let bits = site.arith & arith::TYPES;
        let guess = match bits {
            arith::INT => Tag::INT,
            arith::FLOAT => Tag::FLOAT,
            _ => Tag::NIL,
        };
        let mut vals = [init, limit, step];
        for v in &mut vals {
            if number(self.ty(*v)) {
                continue;
            }
            if self.ty(*v) != Ty::Any
                || guess == Tag::NIL
                || !self.may_speculate(&site, DeoptReason::Type)
            {
                if bits == 0 && self.may_speculate(&site, DeoptReason::Unreached) {
                    self.exit(DeoptReason::Unreached);
                } else {
                    self.interp_loop(a, body, end);
                }
                return;
            }
            *v = self.guard_tag(*v, guess);
        }
        let [init, limit, step] = vals;
        if self.ty(init) == Ty::Int && self.ty(step) == Ty::Int {
            let down = self.known_negative(step);
            let limit = match self.ty(limit) {
                Ty::Int => limit,
                _ => {
                    let f = if down == Some(true) {
                        FloatFn::Ceil
                    } else {
                        FloatFn::Floor
                    };
                    let f = self.emit(Op::FloatFn(f), &[limit], Ty::Float);
                    self.as_int(f)
                }
            };
            if down.is_none() {
                let zero = self.int(0);
                let ok = self.emit(Op::IntCmp(Cond::Ne), &[step, zero], Ty::Bool);
                self.guard(ok, DeoptReason::Range);
            }
            let runs = match down {
                Some(false) => self.emit(Op::IntCmp(Cond::Le), &[init, limit], Ty::Bool),
                Some(true) => self.emit(Op::IntCmp(Cond::Ge), &[init, limit], Ty::Bool),
                None => {
                    let zero = self.int(0);
                    let up = self.emit(Op::IntCmp(Cond::Gt), &[step, zero], Ty::Bool);
                    let le = self.emit(Op::IntCmp(Cond::Le), &[init, limit], Ty::Bool);
                    let ge = self.emit(Op::IntCmp(Cond::Ge), &[init, limit], Ty::Bool);
                    self.emit(Op::Select, &[up, le, ge], Ty::Bool)
                }
            };
            self.write(a, init);
            self.write(a + 1, limit);
            self.write(a + 2, step);
            self.write(a + 3, init);
            self.branch_to(runs, body, end);
            return;
        }
        let [init, limit, step] = [init, limit, step].map(|v| self.as_float(v));
        let runs = self.float_loop_starts(init, limit, step);
        self.write(a, init);
        self.write(a + 1, limit);
        self.write(a + 2, step);
        self.write(a + 3, init);
        self.branch_to(runs, body, end);
    }

    /// The step, if the instruction before the `forprep` loads a constant one
    /// and nothing else leads there.
    fn static_step(&self, forprep: usize, step_reg: u8) -> Option<i32> {
        let load = self.proto.code.get(forprep.checked_sub(1)?)?;
        let loads = load.op() == Some(B::LoadInt) && load.a() == step_reg && load.sbx() != 0;
        // The blocks do not tell: from a loop entry they do not reach back here.
        let jumped_to = |(pc, &i): (usize, &Instr)| {
            vela_bytecode::flow::successors(i, pc).jump == Some(forprep as i64)
        };
        let alone = || !self.proto.code.iter().enumerate().any(jumped_to);
        (loads && alone()).then(|| load.sbx())
    }

    /// A `forprep` or `forloop` that the interpreter runs on the window: goes
    /// to the body or behind the loop as it says.
    fn interp_loop(&mut self, a: u8, body: usize, end: usize) {
        let runs = self.interp_cond();
        for r in a..a + 4 {
            let slot = self.slot(r);
            let v = self.emit(Op::LoadReg(slot as u8), &[], Ty::Any);
            self.values[slot] = Some(v);
            self.window[slot] = Some(v);
        }
        self.branch_to(runs, body, end);
    }

    /// Whether an integer step is known to be negative; `None` if unknown.
    fn known_negative(&self, step: Val) -> Option<bool> {
        match self.func.def_op(step) {
            Some(Op::Int(n)) if *n != 0 => Some(*n < 0),
            _ => None,
        }
    }

    /// Whether a float loop runs at all: unless the start is beyond the limit,
    /// so with a NaN among them it does.
    fn float_loop_starts(&mut self, init: Val, limit: Val, step: Val) -> Val {
        let up = match self.func.def_op(step) {
            Some(Op::Float(bits)) if f64::from_bits(*bits) > 0.0 => Some(true),
            Some(Op::Float(bits)) if f64::from_bits(*bits) < 0.0 => Some(false),
            _ => None,
        };
        let beyond = match up {
            Some(true) => self.emit(Op::FloatCmp(Cond::Lt), &[limit, init], Ty::Bool),
            Some(false) => self.emit(Op::FloatCmp(Cond::Lt), &[init, limit], Ty::Bool),
            None => {
                let zero = self.float(0.0);
                let nonzero = self.emit(Op::FloatCmp(Cond::Ne), &[step, zero], Ty::Bool);
                self.guard(nonzero, DeoptReason::Range);
                let up = self.emit(Op::FloatCmp(Cond::Gt), &[step, zero], Ty::Bool);
                let over = self.emit(Op::FloatCmp(Cond::Lt), &[limit, init], Ty::Bool);
                let under = self.emit(Op::FloatCmp(Cond::Lt), &[init, limit], Ty::Bool);
                self.emit(Op::Select, &[up, over, under], Ty::Bool)
            }
        };
        self.emit(Op::Not, &[beyond], Ty::Bool)
    }

    fn float_loop_runs(&mut self, index: Val, limit: Val, step: Val) -> Val {
        match self.func.def_op(step) {
            Some(Op::Float(bits)) if f64::from_bits(*bits) > 0.0 => {
                self.emit(Op::FloatCmp(Cond::Le), &[index, limit], Ty::Bool)
            }
            Some(Op::Float(bits)) if f64::from_bits(*bits) < 0.0 => {
                self.emit(Op::FloatCmp(Cond::Ge), &[index, limit], Ty::Bool)
            }
            _ => {
                let zero = self.float(0.0);
                let nonzero = self.emit(Op::FloatCmp(Cond::Ne), &[step, zero], Ty::Bool);
                self.guard(nonzero, DeoptReason::Range);
                let up = self.emit(Op::FloatCmp(Cond::Gt), &[step, zero], Ty::Bool);
                let le = self.emit(Op::FloatCmp(Cond::Le), &[index, limit], Ty::Bool);
                let ge = self.emit(Op::FloatCmp(Cond::Ge), &[index, limit], Ty::Bool);
                self.emit(Op::Select, &[up, le, ge], Ty::Bool)
            }
        }
    }

    pub(super) fn for_loop(&mut self, i: Instr) {
        let a = i.a();
        let site = self.site(i.b());
        let (body, end) = (self.target(i), self.pc + 1);
        let [mut index, mut limit, mut step] = [a, a + 1, a + 2].map(|r| self.read(r));
        if let Some(n) = self.static_step(body - 1, a + 2) {
            // In the register map of a loop the step is a parameter until the
            // clean-up finds out that it never changes.
            step = match self.ty(index) {
                Ty::Float => self.float(f64::from(n)),
                _ => self.int(i64::from(n)),
            };
        }
        if [index, limit, step].iter().any(|&v| self.ty(v) == Ty::Any) {
            let tag = match site.arith & arith::TYPES {
                arith::INT => Tag::INT,
                arith::FLOAT => Tag::FLOAT,
                _ => Tag::NIL,
            };
            if tag == Tag::NIL || !self.may_speculate(&site, DeoptReason::Type) {
                self.poll();
                self.interp_loop(a, body, end);
                return;
            }
            index = self.guard_tag(index, tag);
            limit = self.guard_tag(limit, tag);
            step = self.guard_tag(step, tag);
        }
        self.poll();
        if self.ty(index) == Ty::Int {
            let more = match self.func.def_op(step) {
                Some(Op::Int(1)) => self.emit(Op::IntCmp(Cond::Lt), &[index, limit], Ty::Bool),
                Some(Op::Int(-1)) => self.emit(Op::IntCmp(Cond::Gt), &[index, limit], Ty::Bool),
                _ => self.another_step(index, limit, step),
            };
            let next = self.emit(Op::IntOp(IntOp::Add), &[index, step], Ty::Int);
            self.loop_branch(a, more, next, body, end);
        } else {
            let next = self.emit(Op::FloatOp(FloatOp::Add), &[index, step], Ty::Float);
            let more = self.float_loop_runs(next, limit, step);
            self.loop_branch(a, more, next, body, end);
        }
    }

    /// Whether `index + step` stays within the limit, without overflow: the
    /// distance left, as an unsigned number, is at least the step's size.
    fn another_step(&mut self, index: Val, limit: Val, step: Val) -> Val {
        let up_left = self.emit(Op::IntOp(IntOp::Sub), &[limit, index], Ty::Int);
        let up_short = self.emit(Op::IntCmp(Cond::ULt), &[up_left, step], Ty::Bool);
        match self.known_negative(step) {
            Some(false) => self.emit(Op::Not, &[up_short], Ty::Bool),
            known => {
                let zero = self.int(0);
                let size = self.emit(Op::IntOp(IntOp::Sub), &[zero, step], Ty::Int);
                let down_left = self.emit(Op::IntOp(IntOp::Sub), &[index, limit], Ty::Int);
                let down_short = self.emit(Op::IntCmp(Cond::ULt), &[down_left, size], Ty::Bool);
                let short = if known == Some(true) {
                    down_short
                } else {
                    let up = self.emit(Op::IntCmp(Cond::Gt), &[step, zero], Ty::Bool);
                    self.emit(Op::Select, &[up, up_short, down_short], Ty::Bool)
                };
                self.emit(Op::Not, &[short], Ty::Bool)
            }
        }
    }

    /// The index only advances on the way back into the body.
    fn loop_branch(&mut self, a: u8, more: Val, next: Val, body: usize, end: usize) {
        let out = self.edge(end);
        let index = self.read(a);
        let user = self.read(a + 3);
        self.write(a, next);
        self.write(a + 3, next);
        let again = self.edge(body);
        self.write(a, index);
        self.write(a + 3, user);
        self.branch(more, again, out);
    }
}
