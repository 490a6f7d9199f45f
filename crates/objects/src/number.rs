//! Numbers as text: `%.14g` out, Lua numerals in.

use crate::value::{Tag, Value};
use std::io::Write;

/// Appends the text of a number as `tostring` gives it: integers in decimal,
/// floats by `%.14g` with `.0` added when the result looks like an integer.
pub fn write(out: &mut Vec<u8>, v: Value) {
    if v.tag == Tag::INT {
        let _ = write!(out, "{}", v.payload as i64);
        return;
    }
    let start = out.len();
    write_g(out, f64::from_bits(v.payload), 14);
    let looks_int = out[start..]
        .iter()
        .all(|b| b.is_ascii_digit() || *b == b'-');
    if looks_int {
        out.extend_from_slice(b".0");
    }
}

/// Appends `f` by C's `%.{precision}g` (`inf`, `-nan` and `nan` as glibc).
pub fn write_g(out: &mut Vec<u8>, f: f64, precision: usize) {
    if f.is_nan() {
        out.extend_from_slice(if f.is_sign_negative() {
            b"-nan"
        } else {
            b"nan"
        });
        return;
    }
    if f.is_infinite() {
        out.extend_from_slice(if f < 0.0 { b"-inf" } else { b"inf" });
        return;
    }
    let p = precision.max(1);
    let text = format!("{:.*e}", p - 1, f);
    let (mantissa, exp) = text.split_once('e').unwrap_or((&text, "0"));
    let exp: i32 = exp.parse().unwrap_or(0);
    if exp < -4 || exp >= p as i32 {
        let m = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        let _ = write!(
            out,
            "{m}e{}{:02}",
            if exp < 0 { '-' } else { '+' },
            exp.abs()
        );
    } else {
        let decimals = (p as i32 - 1 - exp).max(0) as usize;
        let fixed = format!("{f:.decimals$}");
        let m = if fixed.contains('.') {
            fixed.trim_end_matches('0').trim_end_matches('.')
        } else {
            &fixed
        };
        out.extend_from_slice(m.as_bytes());
    }
}

/// Reads a numeral as `tonumber` does: surrounding white space, a sign,
/// decimal or hexadecimal, integer or float. `None` if it is none.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Value> {
    let is_space = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let start = text.iter().position(|b| !is_space(b))?;
    let end = text.iter().rposition(|b| !is_space(b))? + 1;
    let t = &text[start..end];
    let (neg, digits) = match t.first()? {
        b'-' => (true, &t[1..]),
        b'+' => (false, &t[1..]),
        _ => (false, t),
    };
    if digits.len() > 1 && digits[0] == b'0' && digits[1] | 0x20 == b'x' {
        return parse_hex(&digits[2..], neg);
    }
    if !digits
        .first()
        .is_some_and(|b| b.is_ascii_digit() || *b == b'.')
    {
        return None;
    }
    if digits.iter().all(u8::is_ascii_digit) {
        let mut acc: u64 = 0;
        let mut fits = true;
        for b in digits {
            let d = u64::from(b - b'0');
            match acc.checked_mul(10).and_then(|a| a.checked_add(d)) {
                Some(a) if a <= i64::MAX as u64 + u64::from(neg) => acc = a,
                _ => {
                    fits = false;
                    break;
                }
            }
        }
        if fits {
            return Some(Value::int(if neg {
                (acc as i64).wrapping_neg()
            } else {
                acc as i64
            }));
        }
    }
    if !digits
        .iter()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    let f: f64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(Value::float(if neg { -f } else { f }))
}

fn parse_hex(digits: &[u8], neg: bool) -> Option<Value> {
    let mut mantissa: u64 = 0;
    let mut wrapped: u64 = 0;
    let (mut exp, mut any, mut point, mut float) = (0i32, false, false, false);
    let mut sticky = false;
    let mut i = 0;
    while i < digits.len() {
        let b = digits[i];
        if let Some(d) = (b as char).to_digit(16) {
            any = true;
            wrapped = wrapped.wrapping_mul(16).wrapping_add(u64::from(d));
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | u64::from(d);
                if point {
                    exp -= 4;
                }
            } else {
                sticky |= d != 0;
                if !point {
                    exp += 4;
                }
            }
        } else if b == b'.' && !point {
            point = true;
            float = true;
        } else {
            break;
        }
        i += 1;
    }
    if !any {
        return None;
    }
    if i < digits.len() && digits[i] | 0x20 == b'p' {
        float = true;
        let rest = std::str::from_utf8(&digits[i + 1..]).ok()?;
        let (sign, num) = match rest.as_bytes().first()? {
            b'-' => (-1i64, &rest[1..]),
            b'+' => (1, &rest[1..]),
            _ => (1, rest),
        };
        if num.is_empty() || !num.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let e: i64 = num.parse().unwrap_or(1 << 20);
        exp = (i64::from(exp) + sign * e.min(1 << 20)) as i32;
    } else if i < digits.len() {
        return None;
    }
    if !float {
        return Some(Value::int(if neg {
            (wrapped as i64).wrapping_neg()
        } else {
            wrapped as i64
        }));
    }
    let m = if sticky { mantissa | 1 } else { mantissa };
    let mut f = m as f64;
    // Scale in steps that neither overflow nor lose bits early.
    while exp > 0 && f != 0.0 && f.is_finite() {
        let step = exp.min(1000);
        f *= 2f64.powi(step);
        exp -= step;
    }
    while exp < 0 && f != 0.0 {
        let step = (-exp).min(1000);
        f /= 2f64.powi(step);
        exp += step;
    }
    Some(Value::float(if neg { -f } else { f }))
}
