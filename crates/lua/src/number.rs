//! Text of a Lua numeral to a number.

/// A Lua number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
}

/// Reads a numeral as Lua does: surrounding white space and one sign are
/// allowed; decimal integers that do not fit become floats, hexadecimal ones
/// wrap around; hexadecimal floats are rounded to nearest even. `None` when
/// the text is not a numeral.
#[must_use]
pub fn parse_number(text: &[u8]) -> Option<Number> {
    let text = trim(text);
    let (negative, digits) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let number = if let [b'0', b'x' | b'X', hex @ ..] = digits {
        parse_hex(hex)?
    } else {
        parse_decimal(digits, negative)?
    };
    Some(match number {
        Number::Int(i) if negative => Number::Int(i.wrapping_neg()),
        Number::Float(f) if negative => Number::Float(-f),
        other => other,
    })
}

fn trim(mut text: &[u8]) -> &[u8] {
    let space = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r');
    while let [first, rest @ ..] = text
        && space(first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && space(last)
    {
        text = rest;
    }
    text
}

fn parse_decimal(digits: &[u8], negative: bool) -> Option<Number> {
    if digits.iter().all(u8::is_ascii_digit) && !digits.is_empty() {
        let limit = i64::MAX as u64 + u64::from(negative);
        let mut value = 0u64;
        let mut fits = true;
        for &d in digits {
            match value
                .checked_mul(10)
                .and_then(|v| v.checked_add(u64::from(d - b'0')))
            {
                Some(v) if v <= limit => value = v,
                _ => {
                    fits = false;
                    break;
                }
            }
        }
        if fits {
            return Some(Number::Int(value as i64));
        }
    }
    if !digits
        .iter()
        .all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        || !matches!(digits.first(), Some(b'0'..=b'9' | b'.'))
    {
        return None;
    }
    let text = std::str::from_utf8(digits).ok()?;
    text.parse().ok().map(Number::Float)
}

fn hex_digit(b: u8) -> Option<u64> {
    (b as char).to_digit(16).map(u64::from)
}

fn parse_hex(text: &[u8]) -> Option<Number> {
    if !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit) {
        let value = text
            .iter()
            .filter_map(|&b| hex_digit(b))
            .fold(0u64, |v, d| v << 4 | d);
        return Some(Number::Int(value as i64));
    }
    let mut mantissa = 0u64;
    let mut sticky = false;
    let mut exponent = 0i64;
    let (mut any, mut after_point) = (false, false);
    let mut rest = text;
    while let [b, tail @ ..] = rest {
        if *b == b'.' {
            if after_point {
                return None;
            }
            after_point = true;
        } else if let Some(d) = hex_digit(*b) {
            any = true;
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | d;
                exponent -= i64::from(after_point) * 4;
            } else {
                sticky |= d != 0;
                exponent += i64::from(!after_point) * 4;
            }
        } else {
            break;
        }
        rest = tail;
    }
    if !any {
        return None;
    }
    if let [b'p' | b'P', tail @ ..] = rest {
        let (negative, digits) = match tail.first()? {
            b'-' => (true, &tail[1..]),
            b'+' => (false, &tail[1..]),
            _ => (false, tail),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let e = digits
            .iter()
            .fold(0i64, |v, &d| (v * 10 + i64::from(d - b'0')).min(1 << 40));
        exponent += if negative { -e } else { e };
    } else if !rest.is_empty() {
        return None;
    }
    Some(Number::Float(scale(mantissa, sticky, exponent)))
}

/// `mantissa * 2^exponent`, rounded to nearest even; `sticky` stands for a
/// nonzero part below the mantissa.
fn scale(mantissa: u64, sticky: bool, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = mantissa.leading_zeros();
    let m = mantissa << shift;
    // value = 1.xxx * 2^top
    let top = exponent - i64::from(shift) + 63;
    if top > 1023 {
        return f64::INFINITY;
    }
    // bits of precision left at this exponent
    let keep = if top >= -1022 { 53 } else { 53 - (-1022 - top) };
    if keep < 0 {
        return 0.0;
    }
    let drop = 64 - keep as u32;
    let (kept, half, below) = if drop == 64 {
        (0, m >> 63 == 1, m << 1 != 0)
    } else {
        (
            m >> drop,
            m >> (drop - 1) & 1 == 1,
            m & ((1 << (drop - 1)) - 1) != 0,
        )
    };
    let rounded = kept + u64::from(half && (below || sticky || kept & 1 == 1));
    // `rounded` counts units of 2^(top - keep + 1): exact in a double
    let unit = top - keep + 1;
    let mut value = rounded as f64;
    let mut e = unit;
    while e < -1000 {
        value *= 2f64.powi(-500);
        e += 500;
    }
    value * 2f64.powi(e as i32)
}

#[cfg(test)]
mod tests {
    use super::{Number, parse_number};

    #[track_caller]
    fn float(text: &str, want: f64) {
        match parse_number(text.as_bytes()) {
            Some(Number::Float(f)) => assert_eq!(f.to_bits(), want.to_bits(), "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[track_caller]
    fn int(text: &str, want: i64) {
        assert_eq!(
            parse_number(text.as_bytes()),
            Some(Number::Int(want)),
            "{text}"
        );
    }

    #[test]
    fn integers() {
        int("0", 0);
        int(" 12\n", 12);
        int("-7", -7);
        int("9223372036854775807", i64::MAX);
        int("-9223372036854775808", i64::MIN);
        float("9223372036854775808", 9_223_372_036_854_775_808.0);
        int("0xffffffffffffffff", -1);
        int("0x1ffffffffffffffff", -1);
        int("-0x10", -16);
    }

    #[test]
    fn floats() {
        float("3.", 3.0);
        float(".5", 0.5);
        float("1e2", 100.0);
        float("3.e-1", 0.3);
        float("1e999", f64::INFINITY);
        float("0x.8", 0.5);
        float("0xA.8p1", 21.0);
        float("0x1p-1074", f64::from_bits(1));
        float("0x1p-1075", 0.0);
        float("0x1.8p-1075", f64::from_bits(1));
        float("0x1p-1022", f64::MIN_POSITIVE);
        float("0x0.ffffffffffffffp-1022", f64::MIN_POSITIVE);
        float("0x1.fffffffffffffp1023", f64::MAX);
        float("0x1p1024", f64::INFINITY);
        float("0x1.00000000000008p0", 1.0);
        float("0x1.000000000000080000000001p0", 1.0 + f64::EPSILON);
        float("-0x0p1", -0.0);
        float("0x1p99999999999999999999", f64::INFINITY);
        float("0xffffffffffffffffff.0", 4_722_366_482_869_645_213_695.0);
    }

    #[test]
    fn not_numerals() {
        for text in [
            "", " ", "-", "0x", "0x.", "0xp1", "1e", "1e+", "1.2.3", "inf", "nan", "1 2", "0x1p",
            "0x1pf", "- 1", "--1", "1_0", ".", "e5", "0x1.2.3", "infinity",
        ] {
            assert_eq!(parse_number(text.as_bytes()), None, "{text:?}");
        }
    }
}
