//! The `utf8` library.
//!
//! Sequences are those of the original UTF-8: up to six bytes and 31 bits.
//! Unless asked to be lax, functions refuse surrogates and what is above
//! U+10FFFF.

use crate::args::{arg_error, check_int, check_str, opt_int};
use crate::buf::Buf;
use crate::register;
use vela_objects::{Args, NativeFn, NativeResult, Ret, Value, VmState};

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("utf8.char", char),
    ("utf8.codepoint", codepoint),
    ("utf8.codes", codes),
    ("utf8.len", len),
    ("utf8.offset", offset),
];

/// A pattern that matches one sequence.
const CHAR_PATTERN: &[u8] = b"[\0-\x7F\xC2-\xFD][\x80-\xBF]*";
const INVALID: &str = "invalid UTF-8 code";
const MAX_CODE: u32 = 0x7fff_ffff;

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    let t = register::library(vm, "utf8", FUNCTIONS);
    let pattern = vm.str_value(CHAR_PATTERN);
    register::set_field(vm, t, "charpattern", pattern);
}

fn is_continuation(b: Option<&u8>) -> bool {
    b.is_some_and(|b| b & 0xc0 == 0x80)
}

/// A position that may count from the end; 0 if it lies before the start.
fn position(pos: i64, len: usize) -> i64 {
    if pos >= 0 {
        pos
    } else if pos.unsigned_abs() > len as u64 {
        0
    } else {
        len as i64 + pos + 1
    }
}

/// The code at the start of `s` and its length in bytes; `None` for invalid
/// and overlong sequences.
fn decode(s: &[u8], strict: bool) -> Option<(u32, usize)> {
    let first = *s.first()?;
    if first < 0x80 {
        return Some((u32::from(first), 1));
    }
    // Least code of each length, against overlong forms.
    let (n, least) = match first.leading_ones() {
        2 => (2, 0x80),
        3 => (3, 0x800),
        4 => (4, 0x1_0000),
        5 => (5, 0x20_0000),
        6 => (6, 0x400_0000),
        _ => return None,
    };
    let mut code = u32::from(first) & (0x7f >> n);
    for i in 1..n {
        let b = s.get(i).filter(|b| *b & 0xc0 == 0x80)?;
        code = code << 6 | u32::from(b & 0x3f);
    }
    if code < least || strict && char::from_u32(code).is_none() {
        return None;
    }
    Some((code, n))
}

/// Appends the sequence of a code up to [`MAX_CODE`].
pub(crate) fn encode(out: &mut Buf, code: u32) {
    if code < 0x80 {
        out.push(code as u8);
        return;
    }
    let n = match code {
        0..0x800 => 2,
        0x800..0x1_0000 => 3,
        0x1_0000..0x20_0000 => 4,
        0x20_0000..0x400_0000 => 5,
        _ => 6,
    };
    let lead = (0xff00u32 >> n) as u8;
    out.push(lead | (code >> (6 * (n - 1))) as u8);
    for i in (0..n - 1).rev() {
        out.push(0x80 | (code >> (6 * i)) as u8 & 0x3f);
    }
}

fn char(vm: &mut VmState, args: Args) -> NativeResult {
    let mut out = Buf::new();
    for i in 0..args.len() {
        match u32::try_from(check_int(vm, args, i)?) {
            Ok(code @ 0..=MAX_CODE) => encode(&mut out, code),
            _ => return Err(arg_error(vm, i, "value out of range")),
        }
    }
    Ok(Ret::One(vm.str_value(out.as_slice())))
}

fn len(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let size = s.len() as i64;
    let from = position(opt_int(vm, args, 1, 1)?, s.len());
    let to = position(opt_int(vm, args, 2, -1)?, s.len());
    let strict = !args.get(3).truthy();
    if from < 1 || from - 1 > size {
        return Err(arg_error(vm, 1, "initial position out of bounds"));
    }
    if to > size {
        return Err(arg_error(vm, 2, "final position out of bounds"));
    }
    let (mut at, mut n) = (from - 1, 0);
    while at < to {
        match decode(&s[at as usize..], strict) {
            Some((_, bytes)) => at += bytes as i64,
            None => {
                vm.push(Value::NIL)?;
                vm.push(Value::int(at + 1))?;
                return Ok(Ret::Many(2));
            }
        }
        n += 1;
    }
    Ok(Ret::One(Value::int(n)))
}

fn codepoint(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let from = position(opt_int(vm, args, 1, 1)?, s.len());
    let to = position(opt_int(vm, args, 2, from)?, s.len());
    let strict = !args.get(3).truthy();
    if from < 1 {
        return Err(arg_error(vm, 1, "out of bounds"));
    }
    if to > s.len() as i64 {
        return Err(arg_error(vm, 2, "out of bounds"));
    }
    let (mut at, mut n) = (from as usize - 1, 0);
    while (at as i64) < to {
        let Some((code, bytes)) = decode(&s[at..], strict) else {
            return Err(vm.error(INVALID));
        };
        if !vm.has_room(1) {
            return Err(vm.error("stack overflow (string slice too long)"));
        }
        vm.push(Value::int(i64::from(code)))?;
        at += bytes;
        n += 1;
    }
    Ok(Ret::Many(n))
}

fn offset(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let mut n = check_int(vm, args, 1)?;
    let default = if n >= 0 { 1 } else { s.len() as i64 + 1 };
    let from = position(opt_int(vm, args, 2, default)?, s.len());
    if from < 1 || from - 1 > s.len() as i64 {
        return Err(arg_error(vm, 2, "position out of bounds"));
    }
    let mut at = from as usize - 1;
    let inside = |at: usize| is_continuation(s.get(at));
    if n == 0 {
        while at > 0 && inside(at) {
            at -= 1;
        }
    } else {
        if inside(at) {
            return Err(vm.error("initial position is a continuation byte"));
        }
        while n < 0 && at > 0 {
            at -= 1;
            while at > 0 && inside(at) {
                at -= 1;
            }
            n += 1;
        }
        if n > 0 {
            n -= 1;
            while n > 0 && at < s.len() {
                at += 1;
                while inside(at) {
                    at += 1;
                }
                n -= 1;
            }
        }
    }
    Ok(Ret::One(if n == 0 {
        Value::int(at as i64 + 1)
    } else {
        Value::NIL
    }))
}

fn codes(vm: &mut VmState, args: Args) -> NativeResult {
    let lax = args.get(1).truthy();
    let s = check_str(vm, args, 0)?;
    if is_continuation(s.bytes().first()) {
        return Err(arg_error(vm, 0, INVALID));
    }
    let step = if lax {
        vm.native("utf8.codes_iterator", step_lax)
    } else {
        vm.native("utf8.codes_iterator", step_strict)
    };
    for v in [Value::native_fn(step), Value::str(s), Value::int(0)] {
        vm.push(v)?;
    }
    Ok(Ret::Many(3))
}

fn step_strict(vm: &mut VmState, args: Args) -> NativeResult {
    step(vm, args, true)
}

fn step_lax(vm: &mut VmState, args: Args) -> NativeResult {
    step(vm, args, false)
}

fn step(vm: &mut VmState, args: Args, strict: bool) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    // The last byte seen counts from 1, so this is the next one from 0.
    let last = vm.coerce_number(args.get(1)).and_then(Value::to_int);
    let Ok(mut at) = usize::try_from(last.unwrap_or(0)) else {
        return Ok(Ret::None);
    };
    while is_continuation(s.get(at)) {
        at += 1;
    }
    if at >= s.len() {
        return Ok(Ret::None);
    }
    match decode(&s[at..], strict) {
        Some((code, n)) if !is_continuation(s.get(at + n)) => {
            vm.push(Value::int(at as i64 + 1))?;
            vm.push(Value::int(i64::from(code)))?;
            Ok(Ret::Many(2))
        }
        _ => Err(vm.error(INVALID)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_round_trip() {
        for code in [
            0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x1_0000, 0x10_ffff, 0x1f_ffff,
        ] {
            let mut out = Buf::new();
            encode(&mut out, code);
            assert_eq!(decode(out.as_slice(), false), Some((code, out.len())));
        }
        let mut out = Buf::new();
        encode(&mut out, MAX_CODE);
        assert_eq!(out.as_slice(), b"\xfd\xbf\xbf\xbf\xbf\xbf");
        assert_eq!(decode(out.as_slice(), false), Some((MAX_CODE, 6)));
        assert_eq!(decode(out.as_slice(), true), None);
        assert_eq!(decode(b"\xed\xa0\x80", true), None);
        assert_eq!(decode(b"\xed\xa0\x80", false), Some((0xd800, 3)));
        assert_eq!(decode(b"\xc0\x80", false), None);
        assert_eq!(decode(b"\xe2\x82", false), None);
        assert_eq!(decode(b"\x80", false), None);
        assert_eq!(decode(b"\xff", false), None);
    }
}
