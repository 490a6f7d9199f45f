//! Integers, floats and comparisons.

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::intrinsics::Intrinsic;
use inkwell::types::BasicTypeEnum;
use inkwell::values::{BasicMetadataValueEnum, BasicValueEnum, FloatValue, IntValue};
use inkwell::{FloatPredicate, IntPredicate};
use vela_mir::helper::Helper;
use vela_mir::ir::{Cond, FloatFn, FloatOp, Inst, IntOp, Op, Val};
use vela_objects::layout;

impl<'c> Fx<'_, 'c> {
    pub(super) fn arith(&mut self, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        let args = &data.args;
        let lv = match &data.op {
            Op::IntOp(op) => Lv::Int(self.int_op(*op, self.int(args[0])?, self.int(args[1])?)?),
            Op::IntCmp(cond) => {
                let (a, b) = (self.int(args[0])?, self.int(args[1])?);
                Lv::Bool(self.b.build_int_compare(int_predicate(*cond), a, b, "")?)
            }
            Op::FloatOp(op) => {
                Lv::Float(self.float_op(*op, self.float(args[0])?, self.float(args[1])?)?)
            }
            Op::FloatFn(f) => Lv::Float(self.float_fn(*f, self.float(args[0])?)?),
            Op::FloatCmp(cond) => {
                let (a, b) = (self.float(args[0])?, self.float(args[1])?);
                let predicate = float_predicate(*cond)?;
                Lv::Bool(self.b.build_float_compare(predicate, a, b, "")?)
            }
            Op::IntToFloat => {
                let n = self.int(args[0])?;
                Lv::Float(self.b.build_signed_int_to_float(n, self.t.f64, "")?)
            }
            Op::GuardFloatToInt => {
                let (int, exact) = self.float_to_int(self.float(args[0])?)?;
                self.guard(i, exact)?;
                Lv::Int(int)
            }
            Op::Not => Lv::Bool(self.b.build_not(self.bool(args[0])?, "")?),
            Op::StrLess(or_equal) => Lv::Bool(self.str_less(*or_equal, args[0], args[1])?),
            Op::StrLen => {
                let at = self.at(self.ptr(args[0])?, layout::STR_LEN)?;
                Lv::Int(self.load_half(at, Mem::Closure, None)?)
            }
            op => {
                return Err(LowerError::Bug(format!(
                    "{op:?} is no arithmetic operation"
                )));
            }
        };
        self.result(i, lv);
        Ok(())
    }

    pub(super) fn compare(
        &self,
        predicate: IntPredicate,
        a: IntValue<'c>,
        b: IntValue<'c>,
    ) -> Lowered<IntValue<'c>> {
        Ok(self.b.build_int_compare(predicate, a, b, "")?)
    }

    fn choose(
        &self,
        which: IntValue<'c>,
        a: IntValue<'c>,
        b: IntValue<'c>,
    ) -> Lowered<IntValue<'c>> {
        Ok(self.b.build_select(which, a, b, "")?.into_int_value())
    }

    fn int_op(&self, op: IntOp, a: IntValue<'c>, b: IntValue<'c>) -> Lowered<IntValue<'c>> {
        let builder = &self.b;
        Ok(match op {
            IntOp::Add => builder.build_int_add(a, b, "")?,
            IntOp::Sub => builder.build_int_sub(a, b, "")?,
            IntOp::Mul => builder.build_int_mul(a, b, "")?,
            IntOp::And => builder.build_and(a, b, "")?,
            IntOp::Or => builder.build_or(a, b, "")?,
            IntOp::Xor => builder.build_xor(a, b, "")?,
            IntOp::Shl => self.shift(a, b, true)?,
            IntOp::Shr => self.shift(a, b, false)?,
            IntOp::FloorDiv => self.floor_div(a, b)?,
            IntOp::Mod => self.floor_mod(a, b)?,
        })
    }

    /// Lua's shifts: a negative count shifts the other way, 64 and more give 0.
    fn shift(&self, a: IntValue<'c>, n: IntValue<'c>, left: bool) -> Lowered<IntValue<'c>> {
        let one_way = |left: bool, by: IntValue<'c>| -> Lowered<IntValue<'c>> {
            Ok(if left {
                self.b.build_left_shift(a, by, "")?
            } else {
                self.b.build_right_shift(a, by, false, "")?
            })
        };
        if let Some(n) = n.get_sign_extended_constant() {
            let count = n.unsigned_abs();
            if count >= 64 {
                return Ok(self.word(0));
            }
            return one_way(left == (n >= 0), self.word(count as i64));
        }
        // The count is masked so that LLVM sees no shift by 64 or more, which
        // would be poison; the select replaces the result then.
        let small = |left: bool, by: IntValue<'c>| -> Lowered<IntValue<'c>> {
            let fits = self.compare(IntPredicate::ULT, by, self.word(64))?;
            let masked = self.b.build_and(by, self.word(63), "")?;
            let shifted = one_way(left, masked)?;
            self.choose(fits, shifted, self.word(0))
        };
        let forward = small(left, n)?;
        let backward = small(!left, self.b.build_int_neg(n, "")?)?;
        let negative = self.compare(IntPredicate::SLT, n, self.word(0))?;
        self.choose(negative, backward, forward)
    }

    /// A divisor that does not trap: -1 becomes 1, its results are given
    /// separately.
    fn safe_divisor(&self, b: IntValue<'c>) -> Lowered<(IntValue<'c>, Option<IntValue<'c>>)> {
        match b.get_sign_extended_constant() {
            Some(-1) => Ok((self.word(1), Some(self.t.i1.const_all_ones()))),
            Some(_) => Ok((b, None)),
            None => {
                let minus_one = self.compare(IntPredicate::EQ, b, self.word(-1))?;
                Ok((self.choose(minus_one, self.word(1), b)?, Some(minus_one)))
            }
        }
    }

    /// Whether a remainder means that the quotient was rounded up.
    fn rounded_up(&self, rest: IntValue<'c>, b: IntValue<'c>) -> Lowered<IntValue<'c>> {
        let inexact = self.compare(IntPredicate::NE, rest, self.word(0))?;
        let signs = self.b.build_xor(rest, b, "")?;
        let differ = self.compare(IntPredicate::SLT, signs, self.word(0))?;
        Ok(self.b.build_and(inexact, differ, "")?)
    }

    fn floor_div(&self, a: IntValue<'c>, b: IntValue<'c>) -> Lowered<IntValue<'c>> {
        if let Some(n) = power_of_two(b) {
            return Ok(self.b.build_right_shift(a, self.word(n), true, "")?);
        }
        let (safe, minus_one) = self.safe_divisor(b)?;
        let quotient = self.b.build_int_signed_div(a, safe, "")?;
        let whole = self.b.build_int_mul(quotient, safe, "")?;
        let rest = self.b.build_int_sub(a, whole, "")?;
        let up = self.rounded_up(rest, safe)?;
        let up = self.b.build_int_z_extend(up, self.t.i64, "")?;
        let floor = self.b.build_int_sub(quotient, up, "")?;
        match minus_one {
            None => Ok(floor),
            Some(is) => self.choose(is, self.b.build_int_neg(a, "")?, floor),
        }
    }

    fn floor_mod(&self, a: IntValue<'c>, b: IntValue<'c>) -> Lowered<IntValue<'c>> {
        if let Some(n) = power_of_two(b) {
            return Ok(self.b.build_and(a, self.word((1 << n) - 1), "")?);
        }
        // Everything is 0 modulo 1 as it is modulo -1.
        let (safe, _) = self.safe_divisor(b)?;
        let rest = self.b.build_int_signed_rem(a, safe, "")?;
        let up = self.rounded_up(rest, safe)?;
        let moved = self.b.build_int_add(rest, safe, "")?;
        self.choose(up, moved, rest)
    }

    fn float_op(
        &self,
        op: FloatOp,
        a: FloatValue<'c>,
        b: FloatValue<'c>,
    ) -> Lowered<FloatValue<'c>> {
        let builder = &self.b;
        let call = |helper| self.math(helper, &[a.into(), b.into()]);
        // `math.min` keeps its first argument unless a later one is less.
        let pick = |first_less: bool| -> Lowered<FloatValue<'c>> {
            let (x, y) = if first_less { (a, b) } else { (b, a) };
            let less = builder.build_float_compare(FloatPredicate::OLT, x, y, "")?;
            Ok(builder.build_select(less, b, a, "")?.into_float_value())
        };
        Ok(match op {
            FloatOp::Add => builder.build_float_add(a, b, "")?,
            FloatOp::Sub => builder.build_float_sub(a, b, "")?,
            FloatOp::Mul => builder.build_float_mul(a, b, "")?,
            FloatOp::Div => builder.build_float_div(a, b, "")?,
            FloatOp::Mod => match float_power_of_two(b) {
                Some(n) => self.float_mod_power(a, n)?,
                None if has_fma() => self.float_rest(a, b, Helper::FloatMod)?,
                None => call(Helper::FloatMod)?,
            },
            FloatOp::FloorDiv => {
                let quotient = builder.build_float_div(a, b, "")?;
                self.intrinsic_f64("llvm.floor", quotient)?
            }
            FloatOp::Pow if b == self.t.f64.const_float(2.0) => {
                builder.build_float_mul(a, a, "")?
            }
            FloatOp::Pow => call(Helper::Pow)?,
            FloatOp::Min => pick(false)?,
            FloatOp::Max => pick(true)?,
            FloatOp::Atan2 => call(Helper::Atan2)?,
            FloatOp::Fmod if has_fma() => self.float_rest(a, b, Helper::Fmod)?,
            FloatOp::Fmod => call(Helper::Fmod)?,
        })
    }

    /// `a % n` where `n` is a power of two of at least 1: every step is exact,
    /// except that a zero loses its sign and that of a tiny negative number may
    /// round up to `n`, as it does in Lua.
    fn float_mod_power(&self, a: FloatValue<'c>, n: f64) -> Lowered<FloatValue<'c>> {
        let builder = &self.b;
        let float = |x: f64| self.t.f64.const_float(x);
        let scaled = builder.build_float_mul(a, float(n.recip()), "")?;
        let whole = self.intrinsic_f64("llvm.trunc", scaled)?;
        let multiple = builder.build_float_mul(whole, float(n), "")?;
        let rest = builder.build_float_sub(a, multiple, "")?;
        let is = |predicate, x| builder.build_float_compare(predicate, x, float(0.0), "");
        let zero = self.intrinsic(
            "llvm.copysign",
            &[self.t.f64.into()],
            &[float(0.0).into(), a.into()],
        )?;
        let rest = builder.build_select(
            is(FloatPredicate::OEQ, rest)?,
            zero.into_float_value(),
            rest,
            "",
        )?;
        let rest = rest.into_float_value();
        let moved = builder.build_float_add(rest, float(n), "")?;
        let sum = builder.build_select(is(FloatPredicate::OLT, rest)?, moved, rest, "")?;
        Ok(sum.into_float_value())
    }

    /// `a % b` or `math.fmod(a, b)` in line, the helper for what is unusual.
    ///
    /// With the quotient's integer part `q`, the rest `a - q * b` is a float of
    /// which a fused multiply-add loses nothing, if `q` is exact: below 2^53 it
    /// is, unless the division was rounded up to an integer, which the sign of
    /// the rest shows. Infinite and undefined operands fail one of the tests.
    fn float_rest(
        &self,
        a: FloatValue<'c>,
        b: FloatValue<'c>,
        helper: Helper,
    ) -> Lowered<FloatValue<'c>> {
        let builder = &self.b;
        let float = |predicate, x, y| builder.build_float_compare(predicate, x, y, "");
        let signed = |x: FloatValue<'c>, as_y: FloatValue<'c>| -> Lowered<FloatValue<'c>> {
            let types = [self.t.f64.into()];
            let v = self.intrinsic("llvm.copysign", &types, &[x.into(), as_y.into()])?;
            Ok(v.into_float_value())
        };
        let quotient = builder.build_float_div(a, b, "")?;
        let whole = self.intrinsic_f64("llvm.trunc", quotient)?;
        let factors = [
            builder.build_float_neg(whole, "")?.into(),
            b.into(),
            a.into(),
        ];
        let rest = self.intrinsic("llvm.fma", &[self.t.f64.into()], &factors)?;
        let rest = rest.into_float_value();
        // A zero has the sign of `a`, too.
        let trusted = signed(rest, a)?;
        let size = self.intrinsic_f64("llvm.fabs", quotient)?;
        let limit = self.t.f64.const_float((1u64 << 53) as f64);
        let small = float(FloatPredicate::OLT, size, limit)?;
        let same = float(FloatPredicate::OEQ, trusted, rest)?;
        let plain = builder.build_and(small, same, "")?;
        let mut result = trusted;
        if helper == Helper::FloatMod {
            let other_sign = float(FloatPredicate::UNE, signed(trusted, b)?, trusted)?;
            let moved = builder.build_float_add(trusted, b, "")?;
            result = builder
                .build_select(other_sign, moved, trusted, "")?
                .into_float_value();
        }
        let call = || Ok(self.math(helper, &[a.into(), b.into()])?.into());
        Ok(self.or_call(plain, result.into(), call)?.into_float_value())
    }

    fn float_fn(&self, f: FloatFn, x: FloatValue<'c>) -> Lowered<FloatValue<'c>> {
        let call = |helper| self.math(helper, &[x.into()]);
        match f {
            FloatFn::Neg => Ok(self.b.build_float_neg(x, "")?),
            FloatFn::Abs => self.intrinsic_f64("llvm.fabs", x),
            FloatFn::Sqrt => self.intrinsic_f64("llvm.sqrt", x),
            FloatFn::Floor => self.intrinsic_f64("llvm.floor", x),
            FloatFn::Ceil => self.intrinsic_f64("llvm.ceil", x),
            FloatFn::Sin => call(Helper::Sin),
            FloatFn::Cos => call(Helper::Cos),
            FloatFn::Tan => call(Helper::Tan),
            FloatFn::Exp => call(Helper::Exp),
            FloatFn::Log => call(Helper::Log),
        }
    }

    fn math(&self, helper: Helper, args: &[BasicMetadataValueEnum<'c>]) -> Lowered<FloatValue<'c>> {
        let call = self.helper(helper, args)?;
        Ok(self.call_result(call)?.into_float_value())
    }

    fn intrinsic_f64(&self, name: &str, x: FloatValue<'c>) -> Lowered<FloatValue<'c>> {
        let result = self.intrinsic(name, &[self.t.f64.into()], &[x.into()])?;
        Ok(result.into_float_value())
    }

    fn intrinsic(
        &self,
        name: &str,
        types: &[BasicTypeEnum<'c>],
        args: &[BasicMetadataValueEnum<'c>],
    ) -> Lowered<BasicValueEnum<'c>> {
        let function = Intrinsic::find(name)
            .and_then(|i| i.get_declaration(self.module, types))
            .ok_or_else(|| LowerError::Bug(format!("LLVM has no {name}")))?;
        let call = self.b.build_call(function, args, "")?;
        self.call_result(call)
    }

    /// The integer that a float truncates to, and whether their values are equal.
    fn float_to_int(&self, f: FloatValue<'c>) -> Lowered<(IntValue<'c>, IntValue<'c>)> {
        let (int, valid) = if cfg!(target_arch = "x86_64") {
            // Out of range and NaN give the least integer, which as a float
            // equals `f` only if `f` is just that.
            let pair = self.t.f64.vec_type(2).get_undef();
            let pair = self
                .b
                .build_insert_element(pair, f, self.t.i32.const_zero(), "")?;
            let int = self.intrinsic("llvm.x86.sse2.cvttsd2si64", &[], &[pair.into()])?;
            (int.into_int_value(), None)
        } else {
            // Saturates; no float equals the greatest integer.
            let types = [self.t.i64.into(), self.t.f64.into()];
            let int = self.intrinsic("llvm.fptosi.sat", &types, &[f.into()])?;
            let int = int.into_int_value();
            let valid = self.compare(IntPredicate::NE, int, self.word(i64::MAX))?;
            (int, Some(valid))
        };
        let back = self.b.build_signed_int_to_float(int, self.t.f64, "")?;
        let same = self
            .b
            .build_float_compare(FloatPredicate::OEQ, back, f, "")?;
        Ok(match valid {
            None => (int, same),
            Some(valid) => (int, self.b.build_and(same, valid, "")?),
        })
    }

    fn str_less(&self, or_equal: bool, a: Val, b: Val) -> Lowered<IntValue<'c>> {
        let helper = if or_equal {
            Helper::StrLe
        } else {
            Helper::StrLt
        };
        let call = self.helper(helper, &[self.ptr(a)?.into(), self.ptr(b)?.into()])?;
        let answer = self.call_result(call)?.into_int_value();
        self.compare(IntPredicate::NE, answer, self.word(0))
    }
}

/// Whether the machine has fused multiply-add instructions.
fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return cfg!(target_arch = "aarch64");
}

/// The exponent of a constant power of two.
fn power_of_two(b: IntValue<'_>) -> Option<i64> {
    let n = b.get_sign_extended_constant()?;
    (n > 0 && n & (n - 1) == 0).then(|| i64::from(n.trailing_zeros()))
}

/// The value of a constant power of two from 1 to 2^62.
fn float_power_of_two(b: FloatValue<'_>) -> Option<f64> {
    let (n, _) = b.get_constant()?;
    let power = (1.0..9.2e18).contains(&n) && n.trunc() == n && (n as u64).is_power_of_two();
    power.then_some(n)
}

fn int_predicate(cond: Cond) -> IntPredicate {
    match cond {
        Cond::Eq => IntPredicate::EQ,
        Cond::Ne => IntPredicate::NE,
        Cond::Lt => IntPredicate::SLT,
        Cond::Le => IntPredicate::SLE,
        Cond::Gt => IntPredicate::SGT,
        Cond::Ge => IntPredicate::SGE,
        Cond::ULt => IntPredicate::ULT,
    }
}

fn float_predicate(cond: Cond) -> Lowered<FloatPredicate> {
    Ok(match cond {
        Cond::Eq => FloatPredicate::OEQ,
        Cond::Ne => FloatPredicate::UNE,
        Cond::Lt => FloatPredicate::OLT,
        Cond::Le => FloatPredicate::OLE,
        Cond::Gt => FloatPredicate::OGT,
        Cond::Ge => FloatPredicate::OGE,
        Cond::ULt => return Err(LowerError::Bug("floats have no unsigned order".into())),
    })
}
