//! Constant folding and algebraic identities.
//!
//! Everything is exact: integers wrap, floats keep the sign of zero, and an
//! operation whose result is NaN is left to run time. Boxes vanish where their
//! content is asked for. A guard that always fails becomes an exit.

use super::Fuel;
use super::edit::{Replacements, become_op, def_inst, int_of};
use crate::exits::is_before_commit;
use crate::ir::{Block, Cond, FloatFn, FloatOp, Func, Inst, IntOp, Op, PoolEntry, Ty, Val};
use vela_objects::ops::{int_floor_div, int_mod, shift_left};
use vela_objects::value::float_to_int;

/// What becomes of an instruction.
enum Fold {
    /// Its result is this value.
    Value(Val),
    /// Another operation on these values.
    Op(Op, Vec<Val>),
    /// Only other operands.
    Args(Vec<Val>),
    /// It does nothing.
    Remove,
    /// It always exits.
    Exit,
}

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut replaced = Replacements::new(func);
    let mut changed = false;
    for b in func.reverse_postorder() {
        let mut n = 0;
        while n < func.blocks[b.index()].insts.len() {
            let i = func.blocks[b.index()].insts[n];
            replaced.apply_to(func, i);
            // One fold may allow the next.
            let mut gone = false;
            while let Some(fold) = simplify(func, b, i) {
                if !fuel.take() {
                    break;
                }
                changed = true;
                match fold {
                    Fold::Op(op, args) => become_op(func, i, op, &args),
                    Fold::Args(args) => {
                        func.insts[i.index()].args = args.into_iter().collect();
                    }
                    Fold::Value(v) => {
                        replaced.replace(func.result(i), v);
                        gone = true;
                        break;
                    }
                    Fold::Remove => {
                        gone = true;
                        break;
                    }
                    Fold::Exit => {
                        cut(func, b, n, i);
                        break;
                    }
                }
            }
            if gone {
                func.blocks[b.index()].insts.remove(n);
            } else {
                n += 1;
            }
        }
    }
    replaced.apply(func);
    changed
}

/// Ends the block at a guard that always fails. What the block dominated can
/// no longer be reached.
fn cut(func: &mut Func, b: Block, n: usize, i: Inst) {
    let (state, reason) = (func.inst(i).state, func.inst(i).reason);
    let exit = func.make_inst(Op::Exit, &[], Ty::None);
    func.insts[exit.index()].state = state;
    func.insts[exit.index()].reason = reason;
    let insts = &mut func.blocks[b.index()].insts;
    insts.truncate(n);
    insts.push(exit);
}

fn float_of(func: &Func, v: Val) -> Option<f64> {
    match func.def_op(v) {
        Some(Op::Float(bits)) => Some(f64::from_bits(*bits)),
        _ => None,
    }
}

fn bool_of(func: &Func, v: Val) -> Option<bool> {
    match func.def_op(v) {
        Some(Op::Bool(b)) => Some(*b),
        _ => None,
    }
}

fn is_constant(func: &Func, v: Val) -> bool {
    matches!(func.def_op(v), Some(Op::Int(_) | Op::Float(_)))
}

/// The content of a box.
pub(super) fn content(func: &Func, v: Val) -> Option<Val> {
    let i = def_inst(func, v)?;
    (func.inst(i).op == Op::Box).then(|| func.inst(i).args[0])
}

fn value<T>(x: T, op: fn(T) -> Op) -> Option<Fold> {
    Some(Fold::Op(op(x), Vec::new()))
}

fn float(x: f64) -> Option<Fold> {
    if x.is_nan() {
        return None;
    }
    value(x.to_bits(), Op::Float)
}

fn simplify(func: &Func, b: Block, i: Inst) -> Option<Fold> {
    let data = func.inst(i);
    let args = &data.args;
    match &data.op {
        Op::HasTag(tag) => {
            let x = content(func, args[0])?;
            value(func.ty(x).tag() == Some(*tag), Op::Bool)
        }
        Op::Unbox => {
            let x = content(func, args[0])?;
            (func.ty(x) == func.ty(data.result?)).then_some(Fold::Value(x))
        }
        Op::GuardTag(tag) => {
            let x = content(func, args[0])?;
            if func.ty(x).tag() == Some(*tag) {
                Some(Fold::Value(x))
            } else {
                exit(func, b)
            }
        }
        Op::Truthy => {
            let x = content(func, args[0])?;
            match func.ty(x) {
                Ty::Bool => Some(Fold::Value(x)),
                ty => value(ty != Ty::Nil, Op::Bool),
            }
        }
        Op::SameBits => same_bits(func, args[0], args[1]),
        Op::IntOp(op) => int_op(func, *op, args[0], args[1]),
        Op::IntCmp(c) => int_cmp(func, *c, args[0], args[1]),
        Op::FloatOp(op) => float_op(func, *op, args[0], args[1]),
        Op::FloatFn(f) => float_fn(func, *f, args[0]),
        Op::FloatCmp(c) => float_cmp(func, *c, args[0], args[1]),
        Op::IntToFloat => float(int_of(func, args[0])? as f64),
        Op::GuardFloatToInt => match float_to_int(float_of(func, args[0])?) {
            Some(i) => value(i, Op::Int),
            None => exit(func, b),
        },
        Op::Not => not(func, args[0]),
        Op::SameObject => same_object(func, args[0], args[1]),
        Op::Select => {
            if args[1] == args[2] {
                return Some(Fold::Value(args[1]));
            }
            if let Some(c) = bool_of(func, args[0]) {
                return Some(Fold::Value(if c { args[1] } else { args[2] }));
            }
            match (bool_of(func, args[1]), bool_of(func, args[2])) {
                (Some(true), Some(false)) => Some(Fold::Value(args[0])),
                (Some(false), Some(true)) => Some(Fold::Op(Op::Not, vec![args[0]])),
                _ => None,
            }
        }
        Op::StrLess(or_equal) if args[0] == args[1] => value(*or_equal, Op::Bool),
        Op::Guard => match bool_of(func, args[0])? {
            true => Some(Fold::Remove),
            false => exit(func, b),
        },
        // These take values typed or not: no box is needed.
        Op::StoreReg(_)
        | Op::StoreCell
        | Op::NewCell
        | Op::StoreElemMixed
        | Op::PushElem
        | Op::AddSlot
        | Op::PutField
        | Op::FindIndex
        | Op::PutIndex
        | Op::StoreSlot(_, true)
        | Op::CallLua { .. }
        | Op::CallLuaMulti { .. }
        | Op::TailCallLua { .. }
        | Op::Poll
        | Op::Return => {
            if !args.iter().any(|&v| content(func, v).is_some()) {
                return None;
            }
            let unboxed = |&v: &Val| content(func, v).unwrap_or(v);
            Some(Fold::Args(args.iter().map(unboxed).collect()))
        }
        _ => None,
    }
}

/// Exits before the commit of an OSR entry stay as they are: the entry block
/// has to end in its commit.
fn exit(func: &Func, b: Block) -> Option<Fold> {
    (!is_before_commit(func, b)).then_some(Fold::Exit)
}

fn same_bits(func: &Func, a: Val, b: Val) -> Option<Fold> {
    if a == b {
        return value(true, Op::Bool);
    }
    let (x, y) = (content(func, a)?, content(func, b)?);
    if func.ty(x) != func.ty(y) {
        return value(false, Op::Bool);
    }
    match func.ty(x) {
        Ty::Nil => value(true, Op::Bool),
        Ty::Int => Some(Fold::Op(Op::IntCmp(Cond::Eq), vec![x, y])),
        ty if ty.may_be_object() => Some(Fold::Op(Op::SameObject, vec![x, y])),
        _ => None,
    }
}

fn same_object(func: &Func, a: Val, b: Val) -> Option<Fold> {
    if a == b {
        return value(true, Op::Bool);
    }
    let entry = |v: Val| match func.def_op(v) {
        Some(Op::Literal(p)) => func.pool.get(p.index()),
        _ => None,
    };
    match (entry(a)?, entry(b)?) {
        (PoolEntry::Shape(x), PoolEntry::Shape(y))
        | (PoolEntry::Proto(x), PoolEntry::Proto(y))
        | (PoolEntry::Object(x, _), PoolEntry::Object(y, _)) => value(x == y, Op::Bool),
        (PoolEntry::Constant(x), PoolEntry::Constant(y)) if x == y => value(true, Op::Bool),
        _ => None,
    }
}

/// Lua's integer operators. `None` for a division by zero, which the code
/// before it excluded.
pub(crate) fn eval_int(op: IntOp, a: i64, b: i64) -> Option<i64> {
    Some(match op {
        IntOp::Add => a.wrapping_add(b),
        IntOp::Sub => a.wrapping_sub(b),
        IntOp::Mul => a.wrapping_mul(b),
        IntOp::And => a & b,
        IntOp::Or => a | b,
        IntOp::Xor => a ^ b,
        IntOp::Shl => shift_left(a, b),
        IntOp::Shr => shift_left(a, b.wrapping_neg()),
        IntOp::FloorDiv | IntOp::Mod if b == 0 => return None,
        IntOp::FloorDiv => int_floor_div(a, b),
        IntOp::Mod => int_mod(a, b),
    })
}

fn commutes(op: IntOp) -> bool {
    matches!(
        op,
        IntOp::Add | IntOp::Mul | IntOp::And | IntOp::Or | IntOp::Xor
    )
}

fn int_op(func: &Func, op: IntOp, a: Val, b: Val) -> Option<Fold> {
    let (x, y) = (int_of(func, a), int_of(func, b));
    if let (Some(x), Some(y)) = (x, y) {
        return value(eval_int(op, x, y)?, Op::Int);
    }
    // Constants go right.
    if commutes(op) && x.is_some() {
        return Some(Fold::Op(Op::IntOp(op), vec![b, a]));
    }
    if a == b {
        match op {
            IntOp::Sub | IntOp::Xor => return value(0, Op::Int),
            IntOp::And | IntOp::Or => return Some(Fold::Value(a)),
            _ => {}
        }
    }
    if x == Some(0) && matches!(op, IntOp::Shl | IntOp::Shr) {
        return value(0, Op::Int);
    }
    match (op, y?) {
        (IntOp::Add | IntOp::Sub | IntOp::Or | IntOp::Xor | IntOp::Shl | IntOp::Shr, 0)
        | (IntOp::Mul | IntOp::FloorDiv, 1)
        | (IntOp::And, -1) => Some(Fold::Value(a)),
        (IntOp::Mul | IntOp::And, 0) | (IntOp::Mod, 1 | -1) => value(0, Op::Int),
        (IntOp::Or, -1) => value(-1, Op::Int),
        (IntOp::Add | IntOp::Sub, y) => {
            let (base, offset) = offset_of(func, a)?;
            let taken_back = eval_int(op, offset, y)? == 0;
            taken_back.then_some(Fold::Value(base))
        }
        _ => None,
    }
}

/// What a value is the sum of: another one and a constant. `t[i + 1]` is the element at
/// `(i + 1) - 1`.
fn offset_of(func: &Func, v: Val) -> Option<(Val, i64)> {
    let sum = func.inst(def_inst(func, v)?);
    let n = int_of(func, *sum.args.get(1)?)?;
    match sum.op {
        Op::IntOp(IntOp::Add) => Some((sum.args[0], n)),
        Op::IntOp(IntOp::Sub) => Some((sum.args[0], n.wrapping_neg())),
        _ => None,
    }
}

/// Whether an integer condition holds.
pub(crate) fn eval_int_cmp(c: Cond, a: i64, b: i64) -> bool {
    match c {
        Cond::Eq => a == b,
        Cond::Ne => a != b,
        Cond::Lt => a < b,
        Cond::Le => a <= b,
        Cond::Gt => a > b,
        Cond::Ge => a >= b,
        Cond::ULt => (a as u64) < b as u64,
    }
}

fn int_cmp(func: &Func, c: Cond, a: Val, b: Val) -> Option<Fold> {
    if let (Some(x), Some(y)) = (int_of(func, a), int_of(func, b)) {
        return value(eval_int_cmp(c, x, y), Op::Bool);
    }
    if a == b {
        return value(matches!(c, Cond::Eq | Cond::Le | Cond::Ge), Op::Bool);
    }
    // One form of each comparison, for value numbering.
    let swapped = match c {
        Cond::Gt => Cond::Lt,
        Cond::Ge => Cond::Le,
        Cond::Eq | Cond::Ne if is_constant(func, a) => c,
        _ => return None,
    };
    Some(Fold::Op(Op::IntCmp(swapped), vec![b, a]))
}

/// Whether a float condition holds.
pub(crate) fn eval_float_cmp(c: Cond, a: f64, b: f64) -> Option<bool> {
    Some(match c {
        Cond::Eq => a == b,
        Cond::Ne => a != b,
        Cond::Lt => a < b,
        Cond::Le => a <= b,
        Cond::Gt => a > b,
        Cond::Ge => a >= b,
        Cond::ULt => return None,
    })
}

fn float_cmp(func: &Func, c: Cond, a: Val, b: Val) -> Option<Fold> {
    if let (Some(x), Some(y)) = (float_of(func, a), float_of(func, b)) {
        return value(eval_float_cmp(c, x, y)?, Op::Bool);
    }
    let swapped = match c {
        Cond::Gt => Cond::Lt,
        Cond::Ge => Cond::Le,
        _ => return None,
    };
    Some(Fold::Op(Op::FloatCmp(swapped), vec![b, a]))
}

fn float_op(func: &Func, op: FloatOp, a: Val, b: Val) -> Option<Fold> {
    let (x, y) = (float_of(func, a), float_of(func, b));
    if let (Some(x), Some(y)) = (x, y) {
        return float(match op {
            FloatOp::Add => x + y,
            FloatOp::Sub => x - y,
            FloatOp::Mul => x * y,
            FloatOp::Div => x / y,
            _ => return None,
        });
    }
    // Constants go right.
    if x.is_some() && matches!(op, FloatOp::Add | FloatOp::Mul) {
        return Some(Fold::Op(Op::FloatOp(op), vec![b, a]));
    }
    let y = y?;
    let is_zero = |negative: bool| y == 0.0 && y.is_sign_negative() == negative;
    let neutral = match op {
        // x + 0.0 is not x for x = -0.0.
        FloatOp::Add => is_zero(true),
        FloatOp::Sub => is_zero(false),
        FloatOp::Mul | FloatOp::Div => y == 1.0,
        _ => false,
    };
    neutral.then_some(Fold::Value(a))
}

fn float_fn(func: &Func, f: FloatFn, a: Val) -> Option<Fold> {
    if let Some(x) = float_of(func, a) {
        return float(match f {
            FloatFn::Neg => -x,
            FloatFn::Abs => x.abs(),
            FloatFn::Sqrt => x.sqrt(),
            FloatFn::Floor => x.floor(),
            FloatFn::Ceil => x.ceil(),
            _ => return None,
        });
    }
    let inner = func.inst(def_inst(func, a)?);
    match (f, &inner.op) {
        (FloatFn::Neg, Op::FloatFn(FloatFn::Neg)) => Some(Fold::Value(inner.args[0])),
        (FloatFn::Abs, Op::FloatFn(FloatFn::Abs)) => Some(Fold::Value(a)),
        (FloatFn::Abs, Op::FloatFn(FloatFn::Neg)) => {
            Some(Fold::Op(Op::FloatFn(FloatFn::Abs), vec![inner.args[0]]))
        }
        _ => None,
    }
}

fn not(func: &Func, a: Val) -> Option<Fold> {
    if let Some(b) = bool_of(func, a) {
        return value(!b, Op::Bool);
    }
    let inner = func.inst(def_inst(func, a)?);
    let args = inner.args.to_vec();
    match &inner.op {
        Op::Not => Some(Fold::Value(args[0])),
        Op::IntCmp(c) => {
            let (c, args) = match c {
                Cond::Eq => (Cond::Ne, args),
                Cond::Ne => (Cond::Eq, args),
                // not (a < b) is b <= a
                Cond::Lt => (Cond::Le, vec![args[1], args[0]]),
                Cond::Le => (Cond::Lt, vec![args[1], args[0]]),
                _ => return None,
            };
            Some(Fold::Op(Op::IntCmp(c), args))
        }
        // Only these two are each other's opposite with NaN.
        Op::FloatCmp(Cond::Eq) => Some(Fold::Op(Op::FloatCmp(Cond::Ne), args)),
        Op::FloatCmp(Cond::Ne) => Some(Fold::Op(Op::FloatCmp(Cond::Eq), args)),
        _ => None,
    }
}
