//! Calls of library functions that the tier knows.
//!
//! The feedback of a call names its target. If that is a function of the
//! library and the operands fit, its work is done in place or by a helper that
//! needs no frame; the guard on the target is all that is left of the call.

use super::{Builder, only_tag};
use crate::helper::Helper;
use crate::ir::{Cond, FloatFn, FloatOp, IntOp, Op, Ty, Val};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::intrinsic::Intrinsic;
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::TargetSnapshot;

/// A call of a library function.
struct LibCall<'a> {
    which: Intrinsic,
    /// The function, as a literal.
    callee: Val,
    args: &'a [Val],
    /// Results wanted.
    want: usize,
    site: &'a SiteSnapshot,
}

fn number(ty: Ty) -> bool {
    matches!(ty, Ty::Int | Ty::Float)
}

fn int_like(ty: Ty) -> bool {
    matches!(ty, Ty::Int | Ty::Any)
}

fn str_like(ty: Ty) -> bool {
    matches!(ty, Ty::Str | Ty::Any)
}

fn table_like(ty: Ty) -> bool {
    matches!(ty, Ty::Table | Ty::Any)
}

impl Builder<'_> {
    /// A call of a library function that the tier knows; false if it cannot
    /// be specialised here.
    pub(super) fn intrinsic(
        &mut self,
        a: u8,
        nargs: usize,
        want: usize,
        target: &TargetSnapshot,
        site: &SiteSnapshot,
    ) -> bool {
        let which = Intrinsic::from_u16(target.intrinsic);
        if which == Intrinsic::SetMetatable {
            return self.set_metatable(a, nargs, want, target, site);
        }
        let args: Vec<Val> = (0..nargs).map(|k| self.read(a + 2 + k as u8)).collect();
        let types: Vec<Ty> = args.iter().map(|&v| self.ty(v)).collect();
        if !self.may_speculate(site, DeoptReason::Type)
            || !self.is_specialised(which, &args, &types, want, site)
        {
            return false;
        }
        let callee = self.read(a);
        let Some(callee) = self.guard_native(callee, target) else {
            return false;
        };
        let results = self.library_call(&LibCall {
            which,
            callee,
            args: &args,
            want,
            site,
        });
        self.forget_from(a);
        self.write_list(a, want, &results);
        if which == Intrinsic::RawSet {
            // What this code relies on may have been stored over.
            self.guard_valid(self.pc + 1);
        }
        true
    }

    /// Whether the call fits what [`Builder::library_call`] does.
    fn is_specialised(
        &self,
        which: Intrinsic,
        args: &[Val],
        types: &[Ty],
        want: usize,
        site: &SiteSnapshot,
    ) -> bool {
        use Intrinsic as I;
        let result = only_tag(site.result);
        let ranges = self.may_speculate(site, DeoptReason::Range);
        let elements = self.may_speculate(site, DeoptReason::Elements);
        match (which, types) {
            (I::MathSqrt | I::MathSin | I::MathCos | I::MathTan | I::MathExp | I::MathLog, [x]) => {
                number(*x) || *x == Ty::Any
            }
            (I::MathFloor | I::MathCeil, [x]) => {
                *x == Ty::Int || ranges && (number(*x) || *x == Ty::Any)
            }
            (I::MathAbs, [x]) => {
                number(*x) || *x == Ty::Any && matches!(result, Some(Tag::INT | Tag::FLOAT))
            }
            (I::MathMin | I::MathMax, [first, ..]) => {
                let known = types.iter().find(|&&t| t != Ty::Any).copied();
                let ty = known.or(result.and_then(Ty::from_tag)).unwrap_or(*first);
                number(ty) && types.iter().all(|&t| t == ty || t == Ty::Any)
            }
            (I::MathFmod, [x, y]) => {
                // Of two integers it is an integer.
                let float = [x, y].contains(&&Ty::Float) || result == Some(Tag::FLOAT);
                let fits = |t: &Ty| number(*t) || *t == Ty::Any;
                float && fits(x) && fits(y) && (*x, *y) != (Ty::Int, Ty::Int)
            }
            (I::MathUlt, [x, y]) => int_like(*x) && int_like(*y),
            (I::MathToInteger, [x]) => {
                *x == Ty::Int || ranges && *x == Ty::Float && result == Some(Tag::INT)
            }
            (I::StringLen, [s]) => str_like(*s),
            (I::StringByte, [s]) => str_like(*s) && want <= 1,
            (I::StringByte, [s, i]) => str_like(*s) && int_like(*i) && want <= 1,
            (I::StringSub, [s, i]) => str_like(*s) && int_like(*i),
            (I::StringSub, [s, i, j]) => str_like(*s) && int_like(*i) && int_like(*j),
            (I::StringChar, [x]) => ranges && int_like(*x),
            (I::Type | I::ToString | I::ToNumber, [_]) => true,
            (I::Assert, [_, ..]) => want <= args.len(),
            (I::Select, [Ty::Int, ..]) => {
                matches!(self.func.def_op(args[0]), Some(Op::Int(n)) if *n > 0)
            }
            (I::Select, [Ty::Str, ..]) => self.is_string(args[0], "#"),
            (I::RawGet, [t, _]) => table_like(*t),
            (I::RawSet, [t, key, _]) => table_like(*t) && !matches!(key, Ty::Nil | Ty::Float),
            (I::RawEqual, [_, _]) => true,
            (I::RawLen, [t]) => *t == Ty::Str || table_like(*t),
            (I::Pairs | I::IPairs, [_]) => true,
            (I::Next, [t] | [t, _]) => table_like(*t),
            (I::TableInsert, [t, v]) => elements && table_like(*t) && *v != Ty::Nil,
            (I::TableRemove, [t]) => elements && table_like(*t),
            (I::TableUnpack, [t]) => elements && table_like(*t) && want <= 8,
            _ => false,
        }
    }

    /// Does a call; its results, as many as there are.
    fn library_call(&mut self, call: &LibCall<'_>) -> Vec<Val> {
        use Intrinsic as I;
        let args = call.args;
        let result = only_tag(call.site.result);
        let one = match call.which {
            I::MathFloor => self.rounded(args[0], FloatFn::Floor),
            I::MathCeil => self.rounded(args[0], FloatFn::Ceil),
            I::MathAbs => self.absolute(args[0], result),
            I::MathMin | I::MathMax => self.extreme(call.which == I::MathMin, args, result),
            I::MathFmod => {
                let x = self.float_operand(args[0]);
                let y = self.float_operand(args[1]);
                self.emit(Op::FloatOp(FloatOp::Fmod), &[x, y], Ty::Float)
            }
            I::MathUlt => {
                let x = self.guard_tag(args[0], Tag::INT);
                let y = self.guard_tag(args[1], Tag::INT);
                self.emit(Op::IntCmp(Cond::ULt), &[x, y], Ty::Bool)
            }
            I::MathToInteger => self.exact_int(args[0]),
            I::StringLen => {
                let s = self.guard_tag(args[0], Tag::STR);
                self.emit(Op::StrLen, &[s], Ty::Int)
            }
            I::StringByte => self.string_byte(args, call.site),
            I::StringSub => {
                let s = self.guard_tag(args[0], Tag::STR);
                let i = self.guard_tag(args[1], Tag::INT);
                let j = match args.get(2) {
                    Some(&j) if j == args[1] || self.is_same_int(i, j) => i,
                    Some(&j) => self.guard_tag(j, Tag::INT),
                    None => self.int(-1),
                };
                self.emit(Op::Lib(Helper::StrSub), &[s, i, j], Ty::Str)
            }
            I::StringChar => {
                let x = self.guard_tag(args[0], Tag::INT);
                let limit = self.int(256);
                let byte = self.emit(Op::IntCmp(Cond::ULt), &[x, limit], Ty::Bool);
                self.guard(byte, DeoptReason::Range);
                self.emit(Op::Lib(Helper::StrChar), &[x], Ty::Str)
            }
            I::Type => {
                let v = self.boxed(args[0]);
                self.emit(Op::Lib(Helper::TypeName), &[v], Ty::Str)
            }
            I::ToString if self.ty(args[0]) == Ty::Str => args[0],
            I::ToString => {
                let v = self.boxed(args[0]);
                let s = self.emit(Op::Lib(Helper::ToStr), &[v], Ty::Any);
                self.guard_tag(s, Tag::STR)
            }
            I::ToNumber if number(self.ty(args[0])) => args[0],
            I::ToNumber => {
                let v = self.boxed(args[0]);
                self.emit(Op::Lib(Helper::ToNum), &[v], Ty::Any)
            }
            I::Assert => {
                let ok = self.truthy(args[0]);
                self.guard(ok, DeoptReason::Type);
                return args.to_vec();
            }
            I::Select => match self.func.def_op(args[0]) {
                Some(Op::Int(n)) => {
                    let from = usize::try_from(*n).unwrap_or(usize::MAX).min(args.len());
                    return args[from..].to_vec();
                }
                _ => self.int(args.len() as i64 - 1),
            },
            I::RawGet => {
                let t = self.guard_tag(args[0], Tag::TABLE);
                let key = self.boxed(args[1]);
                self.emit(Op::Lib(Helper::RawGet), &[t, key], Ty::Any)
            }
            I::RawSet => {
                let t = self.guard_tag(args[0], Tag::TABLE);
                let (key, v) = (self.boxed(args[1]), self.boxed(args[2]));
                if self.ty(args[1]) == Ty::Any {
                    // nil and NaN are no keys.
                    for tag in [Tag::NIL, Tag::FLOAT] {
                        let is = self.emit(Op::HasTag(tag), &[key], Ty::Bool);
                        let other = self.emit(Op::Not, &[is], Ty::Bool);
                        self.guard(other, DeoptReason::Type);
                    }
                }
                self.emit(Op::Lib(Helper::RawSet), &[t, key, v], Ty::Bool);
                t
            }
            I::RawEqual => {
                let (x, y) = (self.boxed(args[0]), self.boxed(args[1]));
                self.emit(Op::Lib(Helper::RawEqual), &[x, y], Ty::Bool)
            }
            I::RawLen if self.ty(args[0]) == Ty::Str => self.emit(Op::StrLen, &[args[0]], Ty::Int),
            I::RawLen => {
                let t = self.guard_tag(args[0], Tag::TABLE);
                self.emit(Op::Lib(Helper::RawLen), &[t], Ty::Int)
            }
            I::Pairs => {
                let v = self.boxed(args[0]);
                let next = self.emit(Op::Lib(Helper::PairsNext), &[call.callee, v], Ty::Any);
                let next = self.guard_tag(next, Tag::NATIVE_FN);
                return vec![next, args[0]];
            }
            I::IPairs => {
                let step = self.emit(Op::Lib(Helper::NativeUpval), &[call.callee], Ty::Any);
                let step = self.emit(Op::Unbox, &[step], Ty::NativeFn);
                let zero = self.int(0);
                return vec![step, args[0], zero];
            }
            I::Next => {
                let t = self.guard_tag(args[0], Tag::TABLE);
                let key = match args.get(1) {
                    Some(&key) => key,
                    None => self.nil(),
                };
                let (key, v) = self.next_pair(t, key);
                return vec![key, v];
            }
            I::TableInsert => {
                self.append(args[0], args[1]);
                return Vec::new();
            }
            I::TableRemove => {
                let t = self.guard_tag(args[0], Tag::TABLE);
                self.guard_plain(t);
                self.emit(Op::Lib(Helper::PopElem), &[t], Ty::Any)
            }
            I::TableUnpack => return self.unpacked(args[0], call.want),
            _ => self.float_function(call.which, args[0]),
        };
        vec![one]
    }

    /// The float that a number is; what is not known to be one has to be.
    fn float_operand(&mut self, x: Val) -> Val {
        match self.ty(x) {
            Ty::Any => self.guard_tag(x, Tag::FLOAT),
            _ => self.as_float(x),
        }
    }

    fn float_function(&mut self, which: Intrinsic, x: Val) -> Val {
        let x = self.float_operand(x);
        let f = match which {
            Intrinsic::MathSqrt => FloatFn::Sqrt,
            Intrinsic::MathSin => FloatFn::Sin,
            Intrinsic::MathCos => FloatFn::Cos,
            Intrinsic::MathTan => FloatFn::Tan,
            Intrinsic::MathExp => FloatFn::Exp,
            _ => FloatFn::Log,
        };
        self.emit(Op::FloatFn(f), &[x], Ty::Float)
    }

    /// The float's exact integer value; integers are theirs.
    fn exact_int(&mut self, x: Val) -> Val {
        if self.ty(x) == Ty::Int {
            return x;
        }
        let s = self.state();
        let i = self.push(Op::GuardFloatToInt, &[x], Ty::Int);
        self.attach(i, s, DeoptReason::Range);
        self.func.result(i)
    }

    fn rounded(&mut self, x: Val, f: FloatFn) -> Val {
        match self.ty(x) {
            Ty::Int => x,
            Ty::Float => {
                let r = self.emit(Op::FloatFn(f), &[x], Ty::Float);
                self.exact_int(r)
            }
            _ => {
                // Which it is, nothing tells before.
                let s = self.state();
                let (int, other) = (self.func.add_block(), self.func.add_block());
                let join = self.func.add_block();
                let is_int = self.emit(Op::HasTag(Tag::INT), &[x], Ty::Bool);
                self.branch(is_int, Self::plain(int), Self::plain(other));
                self.cur = Some(int);
                let n = self.emit(Op::Unbox, &[x], Ty::Int);
                self.jump_with(join, &[n]);
                self.cur = Some(other);
                let i = self.push(Op::GuardTag(Tag::FLOAT), &[x], Ty::Float);
                self.attach(i, s, DeoptReason::Type);
                let x = self.func.result(i);
                let r = self.emit(Op::FloatFn(f), &[x], Ty::Float);
                let n = self.exact_int(r);
                self.jump_with(join, &[n]);
                self.cur = Some(join);
                self.func.add_param(join, Ty::Int)
            }
        }
    }

    fn absolute(&mut self, x: Val, result: Option<Tag>) -> Val {
        let x = match result {
            Some(tag) if self.ty(x) == Ty::Any => self.guard_tag(x, tag),
            _ => x,
        };
        if self.ty(x) == Ty::Float {
            return self.emit(Op::FloatFn(FloatFn::Abs), &[x], Ty::Float);
        }
        let zero = self.int(0);
        let negative = self.emit(Op::IntCmp(Cond::Lt), &[x, zero], Ty::Bool);
        let minus = self.emit(Op::IntOp(IntOp::Sub), &[zero, x], Ty::Int);
        self.emit(Op::Select, &[negative, minus, x], Ty::Int)
    }

    /// The least or greatest, as the library: a later argument only if it is
    /// strictly better.
    fn extreme(&mut self, least: bool, args: &[Val], result: Option<Tag>) -> Val {
        let known = args.iter().map(|&v| self.ty(v)).find(|&t| t != Ty::Any);
        let tag = known.and_then(Ty::tag).or(result).unwrap_or(Tag::INT);
        let mut best = self.guard_tag(args[0], tag);
        let ty = self.ty(best);
        for &y in &args[1..] {
            let y = self.guard_tag(y, tag);
            let (l, r) = if least { (y, best) } else { (best, y) };
            let op = if ty == Ty::Int {
                Op::IntCmp(Cond::Lt)
            } else {
                Op::FloatCmp(Cond::Lt)
            };
            let better = self.emit(op, &[l, r], Ty::Bool);
            best = self.emit(Op::Select, &[better, y, best], ty);
        }
        best
    }

    /// Whether both are the same integer constant.
    fn is_same_int(&self, a: Val, b: Val) -> bool {
        match (self.func.def_op(a), self.func.def_op(b)) {
            (Some(Op::Int(x)), Some(Op::Int(y))) => x == y,
            _ => false,
        }
    }

    /// The index of the byte that a position in a string of `len` bytes names.
    fn byte_index(&mut self, i: Val, len: Val) -> Val {
        let one = self.int(1);
        let from_start = self.emit(Op::IntOp(IntOp::Sub), &[i, one], Ty::Int);
        match self.func.def_op(i) {
            Some(Op::Int(n)) if *n > 0 => from_start,
            _ => {
                let from_end = self.emit(Op::IntOp(IntOp::Add), &[i, len], Ty::Int);
                let zero = self.int(0);
                let negative = self.emit(Op::IntCmp(Cond::Lt), &[i, zero], Ty::Bool);
                self.emit(Op::Select, &[negative, from_end, from_start], Ty::Int)
            }
        }
    }

    /// The byte at a position, nil if there is none.
    fn string_byte(&mut self, args: &[Val], site: &SiteSnapshot) -> Val {
        let s = self.guard_tag(args[0], Tag::STR);
        let len = self.emit(Op::StrLen, &[s], Ty::Int);
        let at = match args.get(1) {
            None => self.int(0),
            Some(&i) => {
                let i = self.guard_tag(i, Tag::INT);
                self.byte_index(i, len)
            }
        };
        let inside = self.emit(Op::IntCmp(Cond::ULt), &[at, len], Ty::Bool);
        if only_tag(site.result) == Some(Tag::INT)
            && self.may_speculate(site, DeoptReason::Elements)
        {
            self.guard(inside, DeoptReason::Elements);
            return self.emit(Op::StrByte, &[s, at], Ty::Int);
        }
        let (hit, miss) = (self.func.add_block(), self.func.add_block());
        let join = self.func.add_block();
        self.branch(inside, Self::plain(hit), Self::plain(miss));
        self.cur = Some(miss);
        let none = self.nil();
        let none = self.boxed(none);
        self.jump_with(join, &[none]);
        self.cur = Some(hit);
        let byte = self.emit(Op::StrByte, &[s, at], Ty::Int);
        let byte = self.boxed(byte);
        self.jump_with(join, &[byte]);
        self.cur = Some(join);
        self.func.add_param(join, Ty::Any)
    }

    /// No integer key is beyond the elements, and the table has no metatable.
    pub(super) fn guard_plain(&mut self, table: Val) {
        for op in [Op::NoneBeyond, Op::NoMeta] {
            let plain = self.emit(op, &[table], Ty::Bool);
            self.guard(plain, DeoptReason::Elements);
        }
    }

    fn append(&mut self, table: Val, v: Val) {
        let table = self.guard_tag(table, Tag::TABLE);
        if self.ty(v) == Ty::Any {
            let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
            let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
            self.guard(present, DeoptReason::Type);
        }
        self.guard_plain(table);
        self.push(Op::PushElem, &[table, v], Ty::None);
    }

    /// The first `want` elements.
    fn unpacked(&mut self, table: Val, want: usize) -> Vec<Val> {
        let table = self.guard_tag(table, Tag::TABLE);
        self.guard_plain(table);
        let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
        let wanted = self.int(want as i64);
        let enough = self.emit(Op::IntCmp(Cond::Ge), &[len, wanted], Ty::Bool);
        self.guard(enough, DeoptReason::Elements);
        (0..want)
            .map(|k| {
                let at = self.int(k as i64);
                self.emit(Op::LoadElem, &[table, at], Ty::Any)
            })
            .collect()
    }
}
