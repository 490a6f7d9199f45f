//! Numbers as text: C's `%g`, `%e`, `%f` and `%a` out, Lua numerals in.
//!
//! Decimal digits come from integers where a few of them hold the number
//! exactly, scaled by a power of ten (see [`short_digits`]), and otherwise from
//! `core`'s exact formatting (Grisu with a Dragon fallback). Both round as C
//! does; the rest of this module arranges them.

use crate::value::{Tag, Value};
use std::fmt::Write;

/// Longest text of a number by `tostring`.
pub const MAX_NUMBER_TEXT: usize = 32;

/// The text of a number as `tostring` gives it, on the stack.
#[derive(Clone, Copy)]
pub struct NumberText {
    bytes: [u8; MAX_NUMBER_TEXT],
    start: u8,
    end: u8,
}

impl NumberText {
    const EMPTY: NumberText = NumberText {
        bytes: [0; MAX_NUMBER_TEXT],
        start: 0,
        end: 0,
    };

    /// Integers in decimal, floats by `%.14g` with `.0` added when the result
    /// looks like an integer.
    #[inline]
    #[must_use]
    pub fn new(v: Value) -> NumberText {
        let mut t = Self::EMPTY;
        if v.tag == Tag::INT {
            t.set_int(v.payload as i64, MAX_NUMBER_TEXT);
        } else {
            t.set_float(f64::from_bits(v.payload));
        }
        t
    }

    /// The text.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start as usize..self.end as usize]
    }

    /// An integer in decimal.
    #[inline]
    #[must_use]
    pub fn int(i: i64) -> NumberText {
        let mut t = Self::EMPTY;
        t.set_int(i, MAX_NUMBER_TEXT);
        t
    }

    /// An integer without a sign in decimal.
    #[inline]
    #[must_use]
    pub fn unsigned(n: u64) -> NumberText {
        let mut t = Self::EMPTY;
        t.set_unsigned(n, MAX_NUMBER_TEXT);
        t
    }

    /// The digits of `n`, so that they end at `end`.
    #[inline]
    fn set_unsigned(&mut self, n: u64, end: usize) {
        let first = end - MAX_DECIMAL;
        if let Some(digits) = self.bytes[first..].first_chunk_mut() {
            self.start = (first + put_decimal(digits, n)) as u8;
        }
        self.end = end as u8;
    }

    /// The digits of `i` behind its sign, so that they end at `end`.
    #[inline]
    fn set_int(&mut self, i: i64, end: usize) {
        self.set_unsigned(i.unsigned_abs(), end);
        if i < 0 {
            self.start -= 1;
            self.bytes[self.start as usize] = b'-';
        }
    }

    fn set_float(&mut self, f: f64) {
        // Integers of at most 14 digits are exact in `%.14g`.
        if f.abs() < 1e14 && f.trunc() == f && (f != 0.0 || f.is_sign_positive()) {
            const POINT: usize = MAX_NUMBER_TEXT - 2;
            self.set_int(f as i64, POINT);
            self.bytes[POINT..].copy_from_slice(b".0");
            self.end = MAX_NUMBER_TEXT as u8;
            return;
        }
        let mut out = Bytes {
            bytes: [0; MAX_NUMBER_TEXT],
            len: 0,
        };
        put_g(&mut out, f, 14, false, false);
        let looks_int = out
            .as_slice()
            .iter()
            .all(|b| b.is_ascii_digit() || *b == b'-');
        if looks_int {
            out.put(b".0");
        }
        self.bytes = out.bytes;
        self.end = out.len as u8;
    }
}

/// Room for the decimal digits of 64 bits, in steps of eight.
const MAX_DECIMAL: usize = 24;

/// Eight decimal digits of `n`, the first of them in the lowest byte.
#[inline]
fn eight_digits(n: u32) -> u64 {
    // Two numbers of four digits, then four of two, then eight of one, side by
    // side; the quotients are multiplications that are exact in these ranges.
    let fours = u64::from(n / 10_000) | u64::from(n % 10_000) << 32;
    let high = (fours * 10_486) >> 20 & 0x7f_0000_007f;
    let twos = high | (fours - 100 * high) << 16;
    let high = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
    high | (twos - 10 * high) << 8
}

/// Writes decimal digits right-aligned into `bytes`; returns where they start.
/// All eight bytes of a step are written, with zeros before the first digit.
#[inline]
fn put_decimal(bytes: &mut [u8; MAX_DECIMAL], mut n: u64) -> usize {
    const STEP: u64 = 100_000_000;
    let mut at = MAX_DECIMAL - 8;
    loop {
        let digits = eight_digits((n % STEP) as u32);
        n /= STEP;
        let text = digits + 0x3030_3030_3030_3030;
        bytes[at..at + 8].copy_from_slice(&text.to_le_bytes());
        if n == 0 {
            // The last digit counts though it be zero.
            return at + (digits.trailing_zeros() as usize / 8).min(7);
        }
        at -= 8;
    }
}

/// Appends the text of a number as `tostring` gives it.
#[inline]
pub fn write(out: &mut Vec<u8>, v: Value) {
    out.extend_from_slice(NumberText::new(v).as_bytes());
}

/// Appends an integer in decimal.
#[inline]
pub fn put_int(out: &mut impl Sink, i: i64) {
    out.put(NumberText::int(i).as_bytes());
}

/// Where number text goes.
pub trait Sink {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);
    /// Appends `n` zeros.
    fn zeros(&mut self, n: usize) {
        for _ in 0..n {
            self.put(b"0");
        }
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// A byte buffer on the stack. What does not fit is dropped: callers size it
/// for the longest text.
struct Bytes<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Bytes<N> {
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl<const N: usize> Sink for Bytes<N> {
    fn put(&mut self, bytes: &[u8]) {
        let n = bytes.len().min(N - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&bytes[..n]);
        self.len += n;
    }
}

impl<const N: usize> Write for Bytes<N> {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        self.put(s.as_bytes());
        Ok(())
    }
}

/// Most digits after the point that the C format functions are asked for.
pub const MAX_PRECISION: usize = 99;

/// Powers of ten whose product with the 53 bits of a double fits 127 bits.
const POWERS: [u128; 23] = {
    let mut powers = [1; 23];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = 10 * powers[i - 1];
        i += 1;
    }
    powers
};

/// Most digits that [`short_digits`] gives.
const MAX_SHORT: usize = 17;

/// `n` significant digits of `f`, correctly rounded with ties to even, as an
/// integer, and the decimal exponent of the first. `None` unless `f` is normal
/// and positive, `n` at most [`MAX_SHORT`], and the digits can be had from
/// integers of 128 bits.
fn short_digits(f: f64, n: usize) -> Option<(u64, i32)> {
    let bits = f.to_bits();
    let biased = (bits >> 52) as i32;
    if biased == 0 || biased >= 0x7ff || n > MAX_SHORT {
        return None;
    }
    let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
    let exp2 = biased - 1075;
    // The decimal exponent, or one less: by the logarithm of the power of two
    // at or below `f`.
    let mut exp = ((exp2 + 52) * 315_653) >> 20;
    let limit = POWERS[n] as u64;
    loop {
        let scale = n as i32 - 1 - exp;
        let power = *POWERS.get(scale.unsigned_abs() as usize)?;
        // The number scaled, and what is left of it in units of `unit`.
        let (whole, rest, unit) = if scale >= 0 {
            let product = mantissa * power;
            match u32::try_from(-exp2) {
                // It has no more than `n + 1` digits.
                Err(_) => (product << exp2, 0, 1),
                Ok(shift @ 0..=127) => {
                    let unit = 1u128 << shift;
                    (product >> shift, product & (unit - 1), unit)
                }
                Ok(_) => return None,
            }
        } else if exp2 <= 0 {
            // Above 10^n and with a fraction, so that the shift is a small one.
            let unit = power << u32::try_from(-exp2).ok().filter(|&s| s < 52)?;
            (mantissa / unit, mantissa % unit, unit)
        } else if exp2 <= 75 {
            let number = mantissa << exp2;
            (number / power, number % power, power)
        } else {
            return None;
        };
        let mut digits = u64::try_from(whole).ok()?;
        if digits >= limit {
            exp += 1;
            continue;
        }
        let half = rest * 2;
        digits += u64::from(half > unit || (half == unit && digits & 1 == 1));
        if digits == limit {
            digits /= 10;
            exp += 1;
        }
        return Some((digits, exp));
    }
}

/// Significant digits and decimal exponent of a finite `f >= 0`.
struct Digits {
    text: Bytes<{ MAX_PRECISION + 2 }>,
    start: usize,
    exp: i32,
}

impl Digits {
    /// `n` significant digits (1..=100), correctly rounded.
    #[inline]
    fn new(f: f64, n: usize) -> Digits {
        let mut text = Bytes {
            bytes: [0; MAX_PRECISION + 2],
            len: 0,
        };
        if let Some((digits, exp)) = short_digits(f, n) {
            text.len = MAX_DECIMAL;
            let bytes = text.bytes.first_chunk_mut();
            let start = bytes.map_or(0, |b| put_decimal(b, digits));
            return Digits { text, start, exp };
        }
        let exp = Self::exact(&mut text, f, n);
        Digits {
            text,
            start: 0,
            exp,
        }
    }

    /// Any number of digits by exact formatting; returns the exponent.
    #[cold]
    #[inline(never)]
    fn exact(text: &mut Bytes<{ MAX_PRECISION + 2 }>, f: f64, n: usize) -> i32 {
        let mut raw = Bytes::<{ MAX_PRECISION + 12 }> {
            bytes: [0; MAX_PRECISION + 12],
            len: 0,
        };
        let _ = write!(raw, "{:.*e}", n - 1, f);
        let raw = raw.as_slice();
        let e = raw
            .iter()
            .rposition(|&b| b == b'e')
            .unwrap_or(raw.len() - 1);
        text.put(&raw[..1]);
        if n > 1 {
            text.put(&raw[2..e]);
        }
        std::str::from_utf8(&raw[e + 1..])
            .ok()
            .and_then(|t| t.parse().ok())
            .unwrap_or(0)
    }

    fn as_slice(&self) -> &[u8] {
        &self.text.as_slice()[self.start..]
    }
}

/// Writes `inf` and `nan` as glibc does; false for finite numbers.
fn put_special(out: &mut impl Sink, f: f64, upper: bool) -> bool {
    if f.is_finite() {
        return false;
    }
    let text: &[u8] = match (f.is_nan(), upper) {
        (true, false) => b"nan",
        (true, true) => b"NAN",
        (false, false) => b"inf",
        (false, true) => b"INF",
    };
    out.put(text);
    true
}

fn put_exponent(out: &mut impl Sink, exp: i32, upper: bool) {
    out.put(if upper { b"E" } else { b"e" });
    out.put(if exp < 0 { b"-" } else { b"+" });
    let text = NumberText::int(i64::from(exp.abs()));
    if exp.abs() < 10 {
        out.put(b"0");
    }
    out.put(text.as_bytes());
}

/// Appends `f` by C's `%.{precision}g` (`%#g` if `alternate`, `%G` if
/// `upper`). The precision is cut to [`MAX_PRECISION`].
pub fn put_g(out: &mut impl Sink, f: f64, precision: usize, alternate: bool, upper: bool) {
    if f.is_sign_negative() {
        out.put(b"-");
    }
    let f = f.abs();
    if put_special(out, f, upper) {
        return;
    }
    let p = precision.clamp(1, MAX_PRECISION);
    let all = Digits::new(f, p);
    let (mut digits, exp) = (all.as_slice(), all.exp);
    if !alternate {
        let kept = digits.iter().rposition(|&b| b != b'0').map_or(1, |i| i + 1);
        digits = &digits[..kept];
    }
    if exp < -4 || exp >= p as i32 {
        out.put(&digits[..1]);
        if digits.len() > 1 || alternate {
            out.put(b".");
            out.put(&digits[1..]);
        }
        put_exponent(out, exp, upper);
    } else if exp < 0 {
        out.put(b"0.");
        out.zeros((-exp - 1) as usize);
        out.put(digits);
    } else {
        let int = exp as usize + 1;
        if digits.len() <= int {
            out.put(digits);
            out.zeros(int - digits.len());
            if alternate {
                out.put(b".");
            }
        } else {
            out.put(&digits[..int]);
            out.put(b".");
            out.put(&digits[int..]);
        }
    }
}

/// Appends `f` by C's `%.{precision}g`.
pub fn write_g(out: &mut Vec<u8>, f: f64, precision: usize) {
    put_g(out, f, precision, false, false);
}

/// Appends `f` by C's `%.{precision}e`.
pub fn put_e(out: &mut impl Sink, f: f64, precision: usize, alternate: bool, upper: bool) {
    if f.is_sign_negative() {
        out.put(b"-");
    }
    let f = f.abs();
    if put_special(out, f, upper) {
        return;
    }
    let all = Digits::new(f, precision.min(MAX_PRECISION) + 1);
    let (digits, exp) = (all.as_slice(), all.exp);
    out.put(&digits[..1]);
    if digits.len() > 1 || alternate {
        out.put(b".");
        out.put(&digits[1..]);
    }
    put_exponent(out, exp, upper);
}

/// Appends `f` by C's `%.{precision}f`.
pub fn put_f(out: &mut impl Sink, f: f64, precision: usize, alternate: bool, upper: bool) {
    if f.is_sign_negative() {
        out.put(b"-");
    }
    let f = f.abs();
    if put_special(out, f, upper) {
        return;
    }
    let p = precision.min(MAX_PRECISION);
    if !put_f_fast(out, f, p) {
        // 309 digits before the point at most.
        let mut text = Bytes::<{ 312 + MAX_PRECISION }> {
            bytes: [0; 312 + MAX_PRECISION],
            len: 0,
        };
        let _ = write!(text, "{f:.p$}");
        out.put(text.as_slice());
    }
    if alternate && p == 0 {
        out.put(b".");
    }
}

/// `%.{p}f` through integers where that is exact: the fraction of a double
/// below 2^53 scaled by 10^p fits 128 bits with all its binary digits.
fn put_f_fast(out: &mut impl Sink, f: f64, p: usize) -> bool {
    const MAX_P: usize = 6;
    if f >= 9e15 || p > MAX_P {
        return false;
    }
    let int = f as u64;
    // Both subtraction and scaling are exact: the fraction has its last
    // binary digit at 2^-1074 at the lowest, but below 2^-64 only rounding
    // noise for p <= 6 unless everything above is a tie.
    let frac = f - int as f64;
    let scale = 10u64.pow(p as u32);
    let bits = frac.to_bits();
    let (mut whole, mut carry) = (0u64, 0u64);
    if frac != 0.0 {
        let exp = (bits >> 52) as i32 - 1075;
        if exp < -116 || bits >> 52 == 0 {
            // Less than 2^-63: rounds to zero at these precisions.
        } else {
            let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52) * u128::from(scale);
            let shift = -exp as u32;
            let half = 1u128 << (shift - 1);
            whole = (mantissa >> shift) as u64;
            let rest = mantissa & ((1u128 << shift) - 1);
            // Ties go to even.
            let odd = if p == 0 { int & 1 } else { whole & 1 };
            carry = u64::from(rest > half || (rest == half && odd == 1));
        }
    }
    whole += carry;
    let (int, whole) = if whole >= scale {
        (int + 1, whole - scale)
    } else {
        (int, whole)
    };
    let mut buf = [0; MAX_DECIMAL];
    let at = put_decimal(&mut buf, int);
    out.put(&buf[at..]);
    if p > 0 {
        // At most six digits, with zeros before them.
        put_decimal(&mut buf, whole);
        let point = buf.len() - p - 1;
        buf[point] = b'.';
        out.put(&buf[point..]);
    }
    true
}

/// Appends `f` by C's `%a` as glibc writes it; all digits if `precision` is
/// `None`.
pub fn put_a(out: &mut impl Sink, f: f64, precision: Option<usize>, alternate: bool, upper: bool) {
    if f.is_sign_negative() {
        out.put(b"-");
    }
    let f = f.abs();
    if put_special(out, f, upper) {
        return;
    }
    let bits = f.to_bits();
    let raw = (bits >> 52) as i32;
    let mut mantissa = bits & ((1 << 52) - 1);
    let exp = if raw == 0 {
        if mantissa == 0 { 0 } else { -1022 }
    } else {
        mantissa |= 1 << 52;
        raw - 1023
    };
    if let Some(p) = precision
        && p < 13
    {
        let drop = (13 - p) as u32 * 4;
        let (half, rest) = (1u64 << (drop - 1), mantissa & ((1 << drop) - 1));
        mantissa >>= drop;
        mantissa += u64::from(rest > half || (rest == half && mantissa & 1 == 1));
        mantissa <<= drop;
    }
    let hex: &[u8; 16] = if upper {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    out.put(if upper { b"0X" } else { b"0x" });
    out.put(&hex[(mantissa >> 52) as usize..][..1]);
    let mut digits = [0u8; 13];
    for (i, d) in digits.iter_mut().enumerate() {
        *d = hex[(mantissa >> (48 - 4 * i)) as usize & 15];
    }
    let shown =
        precision.unwrap_or_else(|| digits.iter().rposition(|&d| d != b'0').map_or(0, |i| i + 1));
    if shown > 0 || alternate {
        out.put(b".");
    }
    out.put(&digits[..shown.min(13)]);
    out.zeros(shown.saturating_sub(13));
    out.put(if upper { b"P" } else { b"p" });
    out.put(if exp < 0 { b"-" } else { b"+" });
    out.put(NumberText::int(i64::from(exp.abs())).as_bytes());
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// `text` without the white space around it.
#[must_use]
pub fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&b| !is_space(b));
    let end = text.iter().rposition(|&b| !is_space(b));
    match (start, end) {
        (Some(start), Some(end)) => &text[start..=end],
        _ => &[],
    }
}

/// Reads a numeral as `tonumber` does: surrounding white space, a sign,
/// decimal or hexadecimal, integer or float. `None` if it is none.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Value> {
    let t = trim(text);
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
    if let Some(i) = parse_int(digits, neg) {
        return Some(Value::int(i));
    }
    // Keeps out `inf`, `nan` and what else `f64::from_str` knows.
    if !digits
        .iter()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    let f: f64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(Value::float(if neg { -f } else { f }))
}

/// Decimal digits only, in the range of integers.
fn parse_int(digits: &[u8], neg: bool) -> Option<i64> {
    let limit = i64::MAX as u64 + u64::from(neg);
    let mut acc: u64 = 0;
    for b in digits {
        if !b.is_ascii_digit() {
            return None;
        }
        acc = acc.checked_mul(10)?.checked_add(u64::from(b - b'0'))?;
        if acc > limit {
            return None;
        }
    }
    let i = acc as i64;
    Some(if neg { i.wrapping_neg() } else { i })
}

fn parse_hex(digits: &[u8], neg: bool) -> Option<Value> {
    let mut mantissa: u64 = 0;
    let mut wrapped: u64 = 0;
    let (mut exp, mut any, mut point, mut float) = (0i64, false, false, false);
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
        let rest = &digits[i + 1..];
        let (sign, num) = match rest.first()? {
            b'-' => (-1i64, &rest[1..]),
            b'+' => (1, &rest[1..]),
            _ => (1, rest),
        };
        if num.is_empty() {
            return None;
        }
        let mut e: i64 = 0;
        for b in num {
            if !b.is_ascii_digit() {
                return None;
            }
            e = e.saturating_mul(10).saturating_add(i64::from(b - b'0'));
        }
        exp = exp.saturating_add(sign * e.min(1 << 40));
    } else if i < digits.len() {
        return None;
    }
    if !float {
        let i = wrapped as i64;
        return Some(Value::int(if neg { i.wrapping_neg() } else { i }));
    }
    let f = scale(mantissa, sticky, exp);
    Some(Value::float(if neg { -f } else { f }))
}

/// `mantissa * 2^exp`, with something non-zero after the mantissa's last bit
/// if `sticky`, rounded once to the nearest double (ties to even).
fn scale(mantissa: u64, sticky: bool, exp: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let lead = mantissa.leading_zeros();
    let m = mantissa << lead;
    // The value is 1.xxx * 2^e with the bits of `m`.
    let e = exp.saturating_add(63 - i64::from(lead));
    if e > 1023 {
        return f64::INFINITY;
    }
    // Bits below the last one kept: more of them for subnormals.
    let drop = 11 + (-1022 - e).max(0);
    if drop > 64 {
        return 0.0;
    }
    let wide = u128::from(m) << 1 | u128::from(sticky);
    let drop = drop as u32 + 1;
    let (half, rest) = (1u128 << (drop - 1), wide & ((1 << drop) - 1));
    let mut kept = (wide >> drop) as u64;
    kept += u64::from(rest > half || (rest == half && kept & 1 == 1));
    // A carry out of the mantissa moves into the exponent as it should.
    let biased = if e < -1022 { 0 } else { (e + 1022) as u64 };
    f64::from_bits((biased << 52) + kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(f: f64) -> String {
        let mut out = Vec::new();
        write(&mut out, Value::float(f));
        String::from_utf8(out).unwrap()
    }

    fn with(put: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_as_tostring() {
        for (f, t) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (1e15, "1e+15"),
            (1e14, "1e+14"),
            (99_999_999_999_999.0, "99999999999999.0"),
            (123_456_789_012_345.0, "1.2345678901234e+14"),
            (1e100, "1e+100"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.33333333333333"),
            (1e-5, "1e-05"),
            (1.25e-4, "0.000125"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (-f64::NAN, "-nan"),
            (f64::MAX, "1.7976931348623e+308"),
            (5e-324, "4.9406564584125e-324"),
            (2.14159265358979, "2.1415926535898"),
            (0.99999999999999999, "1.0"),
            (99_999_999_999_999.9, "1e+14"),
        ] {
            assert_eq!(text(f), t);
        }
    }

    #[test]
    fn integers_as_tostring() {
        for i in [
            0,
            7,
            -7,
            10,
            99,
            100,
            999,
            1000,
            9999,
            10_000,
            12345,
            100_007,
            i64::MAX,
            i64::MIN,
        ] {
            assert_eq!(NumberText::int(i).as_bytes(), i.to_string().as_bytes());
            let n = i as u64;
            assert_eq!(NumberText::unsigned(n).as_bytes(), n.to_string().as_bytes());
        }
    }

    #[test]
    fn c_formats() {
        assert_eq!(with(|o| put_g(o, 100_000.0, 6, false, false)), "100000");
        assert_eq!(with(|o| put_g(o, 1e6, 6, false, false)), "1e+06");
        assert_eq!(with(|o| put_g(o, 1.0, 6, true, false)), "1.00000");
        assert_eq!(with(|o| put_g(o, 100_000.0, 6, true, false)), "100000.");
        assert_eq!(with(|o| put_g(o, 0.0, 0, false, false)), "0");
        assert_eq!(with(|o| put_g(o, 1e-10, 3, false, true)), "1E-10");
        assert_eq!(with(|o| put_e(o, 12345.678, 2, false, false)), "1.23e+04");
        assert_eq!(with(|o| put_e(o, 0.0, 0, true, false)), "0.e+00");
        assert_eq!(with(|o| put_f(o, 2.5, 0, false, false)), "2");
        assert_eq!(with(|o| put_f(o, 3.5, 0, true, false)), "4.");
        assert_eq!(with(|o| put_f(o, 0.125, 2, false, false)), "0.12");
        assert_eq!(with(|o| put_f(o, 0.375, 2, false, false)), "0.38");
        assert_eq!(with(|o| put_f(o, 0.999_999_9, 6, false, false)), "1.000000");
        assert_eq!(
            with(|o| put_f(o, -1e22, 1, false, false)),
            "-10000000000000000000000.0"
        );
        assert_eq!(with(|o| put_f(o, 1e-300, 6, false, false)), "0.000000");
        assert_eq!(with(|o| put_f(o, f64::INFINITY, 1, false, true)), "INF");
        assert_eq!(with(|o| put_a(o, 1.0, None, false, false)), "0x1p+0");
        assert_eq!(
            with(|o| put_a(o, 0.1, None, false, false)),
            "0x1.999999999999ap-4"
        );
        assert_eq!(with(|o| put_a(o, 0.1, Some(2), false, true)), "0X1.9AP-4");
        assert_eq!(
            with(|o| put_a(o, -0.0, Some(3), false, false)),
            "-0x0.000p+0"
        );
        assert_eq!(
            with(|o| put_a(o, 5e-324, None, false, false)),
            "0x0.0000000000001p-1022"
        );
    }

    #[test]
    fn fixed_through_integers_agrees_with_exact_formatting() {
        let mut x = 0x9e37_79b9_7f4a_7c15u64;
        for round in 0..20_000 {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            let f = match round % 4 {
                0 => (x >> 20) as f64 / 1024.0,
                1 => (x % 100_000) as f64 / 1000.0,
                2 => f64::from_bits((x >> 12) | ((1023 - x % 80) << 52)),
                _ => (x % 4_000_001) as f64 / 64.0,
            };
            for p in 0..=6 {
                assert_eq!(with(|o| put_f(o, f, p, false, false)), format!("{f:.p$}"));
            }
        }
    }

    #[test]
    fn decimal_digits_are_those_of_display() {
        let mut x = 0x9e37_79b9_7f4a_7c15u64;
        let powers = (0..20).map(|e| 10u64.pow(e));
        let near = powers.flat_map(|p| [p - 1, p, p + 1, p.wrapping_mul(9)]);
        let some = (0..64).flat_map(|shift| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            [x >> shift, u64::MAX >> shift]
        });
        for n in near.chain(some).chain(0..20_000) {
            assert_eq!(NumberText::unsigned(n).as_bytes(), n.to_string().as_bytes());
            let i = n as i64;
            assert_eq!(NumberText::int(i).as_bytes(), i.to_string().as_bytes());
            assert_eq!(with(|o| put_int(o, i)), i.to_string());
        }
    }

    #[test]
    fn short_digits_are_those_of_exact_formatting() {
        let mut x = 0x9e37_79b9_7f4a_7c15u64;
        let mut found = 0;
        for round in 0..60_000u32 {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            let f = match round % 6 {
                0 => f64::from_bits(x & !(1 << 63)),
                1 => (x >> 20) as f64 / 1024.0,
                2 => (x % 10_000_000) as f64 / 1000.0,
                3 => f64::from_bits((x >> 12) | ((1023 + x % 120 - 60) << 52)),
                // Ties, and what is next to a power of ten.
                4 => (x % 100_000 * 10 + 5) as f64 / 16.0,
                _ => {
                    let power = 10f64.powi((x % 60) as i32 - 30);
                    f64::from_bits(power.to_bits() + (x >> 32) % 3 - 1)
                }
            };
            for n in 1..=MAX_SHORT {
                let Some((digits, exp)) = short_digits(f, n) else {
                    continue;
                };
                found += 1;
                let mut want = Bytes {
                    bytes: [0; MAX_PRECISION + 2],
                    len: 0,
                };
                let want_exp = Digits::exact(&mut want, f, n);
                let text = digits.to_string();
                assert_eq!(
                    (text.as_bytes(), exp),
                    (want.as_slice(), want_exp),
                    "{f:e} {n}"
                );
            }
        }
        assert!(found > 300_000, "{found}");
        for f in [0.0, 5e-324, f64::INFINITY, f64::NAN, -1.0, 1e300, 1e-300] {
            assert_eq!(short_digits(f, 14), None, "{f}");
        }
        assert_eq!(short_digits(1.5, 1), Some((2, 0)));
        assert_eq!(short_digits(2.5, 1), Some((2, 0)));
        assert_eq!(short_digits(9.5, 1), Some((1, 1)));
        assert_eq!(short_digits(0.1, 17), Some((10_000_000_000_000_001, -1)));
    }

    #[test]
    fn numerals() {
        let int = |t: &str| parse(t.as_bytes()).and_then(Value::as_int);
        let float = |t: &str| parse(t.as_bytes()).and_then(Value::as_float);
        assert_eq!(int(" 10 "), Some(10));
        assert_eq!(int("-0x10"), Some(-16));
        assert_eq!(int("9223372036854775807"), Some(i64::MAX));
        assert_eq!(int("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(
            float("9223372036854775808"),
            Some(9_223_372_036_854_775_808.0)
        );
        assert_eq!(int("0xffffffffffffffff"), Some(-1));
        assert_eq!(int("0x1ffffffffffffffff"), Some(-1));
        assert_eq!(float("1e2"), Some(100.0));
        assert_eq!(float(".5"), Some(0.5));
        assert_eq!(float("5."), Some(5.0));
        assert_eq!(float("0x.8"), Some(0.5));
        assert_eq!(float("0x1p-1"), Some(0.5));
        assert_eq!(float("0xA.8p1"), Some(21.0));
        assert_eq!(float("1e400"), Some(f64::INFINITY));
        for bad in [
            "", " ", ".", "e1", "1e", "1e+", "0x", "0x.", "0xp1", "0x1p", "0x1p+", "1 2", "inf",
            "nan", "1..2", "1e1.0", "--1", "- 1", "0x1g", "1_000", "1\0",
        ] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn hexadecimal_floats_round_once() {
        let float = |t: &str| parse(t.as_bytes()).and_then(Value::as_float).unwrap();
        assert_eq!(float("0x1p-1074"), 5e-324);
        assert_eq!(float("0x1p-1075"), 0.0);
        assert_eq!(float("0x1.8p-1075"), 5e-324);
        assert_eq!(float("0x1.0000000000001p-1075"), 5e-324);
        assert_eq!(float("0x1p-1022"), f64::MIN_POSITIVE);
        assert_eq!(float("0x0.fffffffffffff8p-1022"), f64::MIN_POSITIVE);
        assert_eq!(float("0x1.fffffffffffffp1023"), f64::MAX);
        assert_eq!(float("0x1.fffffffffffff8p1023"), f64::INFINITY);
        assert_eq!(float("0x1.fffffffffffff7p1023"), f64::MAX);
        assert_eq!(float("0x1p99999999999999999999"), f64::INFINITY);
        assert_eq!(float("0x1p-99999999999999999999"), 0.0);
        assert_eq!(float("0x1.00000000000008p0"), 1.0);
        assert_eq!(
            float("0x1.00000000000008000000000000000000001p0"),
            1.0 + f64::EPSILON
        );
        assert_eq!(float("0x1.00000000000018p0"), 1.0 + 2.0 * f64::EPSILON);
        assert_eq!(float("0x3p-1074"), 1.5e-323);
    }
}
