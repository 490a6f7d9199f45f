//! Constant folding, with PUC Lua's limits: an operation that could raise an
//! error or give NaN or a zero float is left to run time.

use crate::ast::{BinOp, UnOp};
use crate::number::Number;

fn to_float(n: Number) -> f64 {
    match n {
        Number::Int(i) => i as f64,
        Number::Float(f) => f,
    }
}

/// The integer that a number equals exactly.
fn to_integer(n: Number) -> Option<i64> {
    match n {
        Number::Int(i) => Some(i),
        // the upper bound 2^63 is exact, i64::MAX is not
        Number::Float(f) => {
            (f == f.floor() && f >= i64::MIN as f64 && f < -(i64::MIN as f64)).then_some(f as i64)
        }
    }
}

fn shift_left(x: i64, by: i64) -> i64 {
    match by {
        0..=63 => ((x as u64) << by) as i64,
        -63..=-1 => (x as u64 >> -by) as i64,
        _ => 0,
    }
}

fn float_mod(a: f64, b: f64) -> f64 {
    let m = a % b;
    if m != 0.0 && (m < 0.0) != (b < 0.0) {
        m + b
    } else {
        m
    }
}

/// The value of `a op b` when it may be computed at compile time.
pub(crate) fn binary(op: BinOp, a: Number, b: Number) -> Option<Number> {
    use Number::{Float, Int};
    let result = match op {
        BinOp::BAnd => Int(to_integer(a)? & to_integer(b)?),
        BinOp::BOr => Int(to_integer(a)? | to_integer(b)?),
        BinOp::BXor => Int(to_integer(a)? ^ to_integer(b)?),
        BinOp::Shl => Int(shift_left(to_integer(a)?, to_integer(b)?)),
        BinOp::Shr => Int(shift_left(to_integer(a)?, to_integer(b)?.wrapping_neg())),
        BinOp::Div | BinOp::IDiv | BinOp::Mod if to_float(b) == 0.0 => return None,
        BinOp::Add => match (a, b) {
            (Int(x), Int(y)) => Int(x.wrapping_add(y)),
            _ => Float(to_float(a) + to_float(b)),
        },
        BinOp::Sub => match (a, b) {
            (Int(x), Int(y)) => Int(x.wrapping_sub(y)),
            _ => Float(to_float(a) - to_float(b)),
        },
        BinOp::Mul => match (a, b) {
            (Int(x), Int(y)) => Int(x.wrapping_mul(y)),
            _ => Float(to_float(a) * to_float(b)),
        },
        BinOp::Div => Float(to_float(a) / to_float(b)),
        BinOp::Mod => match (a, b) {
            (Int(x), Int(y)) => {
                let m = x.wrapping_rem(y);
                Int(if m != 0 && (m ^ y) < 0 { m + y } else { m })
            }
            _ => Float(float_mod(to_float(a), to_float(b))),
        },
        BinOp::IDiv => match (a, b) {
            (Int(x), Int(y)) => {
                let q = x.wrapping_div(y);
                Int(if x.wrapping_rem(y) != 0 && (x ^ y) < 0 {
                    q - 1
                } else {
                    q
                })
            }
            _ => Float((to_float(a) / to_float(b)).floor()),
        },
        BinOp::Pow => Float(power(to_float(a), to_float(b))),
        _ => return None,
    };
    keep(result)
}

/// `x ^ y` as at run time.
fn power(x: f64, y: f64) -> f64 {
    if y == 2.0 { x * x } else { x.powf(y) }
}

/// The value of `op a` when it may be computed at compile time.
pub(crate) fn unary(op: UnOp, a: Number) -> Option<Number> {
    let result = match op {
        UnOp::Neg => match a {
            Number::Int(i) => Number::Int(i.wrapping_neg()),
            Number::Float(f) => Number::Float(-f),
        },
        UnOp::BNot => Number::Int(!to_integer(a)?),
        UnOp::Not | UnOp::Len => return None,
    };
    keep(result)
}

fn keep(n: Number) -> Option<Number> {
    match n {
        Number::Float(f) if f.is_nan() || f == 0.0 => None,
        other => Some(other),
    }
}
