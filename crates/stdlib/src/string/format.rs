//! `string.format`.

use crate::args::{arg_error, check_int, check_num, check_str};
use crate::buf::Buf;
use memchr::memchr;
use vela_objects::number::{NumberText, put_a, put_e, put_f, put_g};
use vela_objects::string::MAX_STRING;
use vela_objects::{Args, LuaResult, NativeResult, Ret, Tag, Thrown, Value, VmState};

/// Flags of the float conversions, the widest set.
const FLAGS_FLOAT: &[u8] = b"-+#0 ";
const FLAGS_HEX: &[u8] = b"-#0";
const FLAGS_INT: &[u8] = b"-+0 ";
const FLAGS_UNSIGNED: &[u8] = b"-0";
const FLAGS_TEXT: &[u8] = b"-";
/// A specification of this many bytes after the `%` is too long.
const MAX_SPEC: usize = 22;

/// A conversion specification.
#[derive(Clone, Copy, Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

pub(super) fn format(vm: &mut VmState, args: Args) -> NativeResult {
    let template = check_str(vm, args, 0)?.bytes();
    let mut out = Buf::new();
    let mut rest = template;
    let mut arg = 0;
    while let Some(i) = memchr(b'%', rest) {
        out.extend(&rest[..i]);
        rest = &rest[i + 1..];
        if rest.first() == Some(&b'%') {
            out.push(b'%');
            rest = &rest[1..];
            continue;
        }
        arg += 1;
        if arg >= args.len() {
            return Err(arg_error(vm, arg, "no value"));
        }
        // The specifications of most programs, without parsing.
        match *rest {
            [b'd', ..] => {
                let n = check_int(vm, args, arg)?;
                out.extend(NumberText::int(n).as_bytes());
                rest = &rest[1..];
                continue;
            }
            [b's', ..] => {
                add_string(vm, &mut out, args.get(arg))?;
                rest = &rest[1..];
                continue;
            }
            [b'.', p @ b'0'..=b'9', b'f', ..] => {
                let f = check_num(vm, args, arg)?;
                put_f(&mut out, f, usize::from(p - b'0'), false, false);
                rest = &rest[3..];
                continue;
            }
            _ => {}
        }
        let len = rest
            .iter()
            .take_while(|b| FLAGS_FLOAT.contains(b) || matches!(b, b'1'..=b'9' | b'.'))
            .count();
        if len + 1 >= MAX_SPEC {
            return Err(vm.error("invalid format (too long)"));
        }
        let conversion = rest.get(len).copied().unwrap_or(0);
        let spec = &rest[..(len + 1).min(rest.len())];
        convert(vm, &mut out, args, arg, spec, conversion)?;
        rest = &rest[spec.len()..];
        out.check(vm)?;
    }
    out.extend(rest);
    out.check(vm)?;
    Ok(Ret::One(vm.str_value(out.as_slice())))
}

/// `luaL_tolstring` into the buffer.
fn add_string(vm: &mut VmState, out: &mut Buf, v: Value) -> LuaResult<()> {
    match v.tag {
        Tag::INT | Tag::FLOAT => out.extend(NumberText::new(v).as_bytes()),
        _ => {
            let s = match v.as_str() {
                Some(s) => s,
                None => vm.tostring(v)?,
            };
            if out.len() + s.len() > MAX_STRING {
                return Err(vm.error("resulting string too large"));
            }
            out.extend(s.bytes());
        }
    }
    Ok(())
}

/// Reads a specification, which includes the conversion letter.
fn parse(vm: &mut VmState, text: &[u8], flags: &[u8], precision: bool) -> LuaResult<Spec> {
    let mut spec = Spec::default();
    let mut i = 0;
    while flags.contains(&text[i]) {
        match text[i] {
            b'-' => spec.left = true,
            b'+' => spec.plus = true,
            b' ' => spec.space = true,
            b'#' => spec.alternate = true,
            _ => spec.zero = true,
        }
        i += 1;
    }
    let number = |i: &mut usize| {
        let mut n = 0;
        for _ in 0..2 {
            match text[*i] {
                d @ b'0'..=b'9' => n = n * 10 + usize::from(d - b'0'),
                _ => break,
            }
            *i += 1;
        }
        n
    };
    if text[i] != b'0' {
        spec.width = number(&mut i);
        if text[i] == b'.' && precision {
            i += 1;
            spec.precision = Some(number(&mut i));
        }
    }
    if text[i].is_ascii_alphabetic() {
        return Ok(spec);
    }
    Err(invalid(vm, "conversion specification:", text, ""))
}

#[cold]
fn invalid(vm: &mut VmState, what: &str, spec: &[u8], end: &str) -> Thrown {
    // A C string: it ends at a zero byte.
    let text = spec.split(|&b| b == 0).next().unwrap_or(spec);
    let text = String::from_utf8_lossy(text);
    vm.error(format!("invalid {what} '%{text}'{end}"))
}

fn convert(
    vm: &mut VmState,
    out: &mut Buf,
    args: Args,
    arg: usize,
    text: &[u8],
    conversion: u8,
) -> LuaResult<()> {
    let start = out.len();
    match conversion {
        b'c' => {
            let spec = parse(vm, text, FLAGS_TEXT, false)?;
            let n = check_int(vm, args, arg)?;
            out.push(n as u8);
            pad(out, start, spec);
        }
        b'd' | b'i' => {
            let n = check_int(vm, args, arg)?;
            let spec = parse(vm, text, FLAGS_INT, true)?;
            put_sign(out, n < 0, spec);
            let digits = NumberText::int(n);
            let digits = digits.as_bytes();
            let digits = digits.strip_prefix(b"-").unwrap_or(digits);
            put_int(out, start, digits, spec);
        }
        b'u' => {
            let n = check_int(vm, args, arg)?;
            let spec = parse(vm, text, FLAGS_UNSIGNED, true)?;
            put_int(out, start, (n as u64).to_string().as_bytes(), spec);
        }
        b'o' | b'x' | b'X' => {
            let n = check_int(vm, args, arg)?;
            let spec = parse(vm, text, FLAGS_HEX, true)?;
            put_radix(out, start, n as u64, conversion, spec);
        }
        b'a' | b'A' | b'e' | b'E' | b'f' | b'g' | b'G' => {
            // `%a` looks at its flags first; it makes no other difference.
            if conversion | 0x20 == b'a' {
                parse(vm, text, FLAGS_FLOAT, true)?;
            }
            let f = check_num(vm, args, arg)?;
            let spec = parse(vm, text, FLAGS_FLOAT, true)?;
            put_float(out, start, f, conversion, spec);
        }
        b'p' => {
            let spec = parse(vm, text, FLAGS_TEXT, false)?;
            let v = args.get(arg);
            if v.tag.is_object() || v.tag == Tag::LIGHT {
                out.extend(format!("{:#x}", v.payload).as_bytes());
            } else {
                out.extend(b"(null)");
            }
            pad(out, start, spec);
        }
        b'q' => {
            if text.len() > 1 {
                return Err(vm.error("specifier '%q' cannot have modifiers"));
            }
            put_literal(vm, out, args, arg)?;
        }
        b's' => {
            add_string(vm, out, args.get(arg))?;
            let s = &out.as_slice()[start..];
            let (len, zeros) = (s.len(), memchr(0, s).is_some());
            if zeros {
                return Err(arg_error(vm, arg, "string contains zeros"));
            }
            let spec = parse(vm, text, FLAGS_TEXT, true)?;
            if let Some(p) = spec.precision {
                out.truncate(start + p.min(len));
            }
            pad(out, start, spec);
        }
        _ => return Err(invalid(vm, "conversion", text, " to 'format'")),
    }
    Ok(())
}

/// Fills up what was written from `start` to the width, with spaces.
fn pad(out: &mut Buf, start: usize, spec: Spec) {
    let len = out.len() - start;
    if spec.width > len {
        if spec.left {
            out.fill(b' ', spec.width - len);
        } else {
            out.insert_fill(start, b' ', spec.width - len);
        }
    }
}

fn put_sign(out: &mut Buf, negative: bool, spec: Spec) {
    if negative {
        out.push(b'-');
    } else if spec.plus {
        out.push(b'+');
    } else if spec.space {
        out.push(b' ');
    }
}

/// Writes the digits of an integer behind its sign or prefix, which starts at
/// `start`.
fn put_int(out: &mut Buf, start: usize, digits: &[u8], spec: Spec) {
    let mut zeros = 0;
    let mut digits = digits;
    if let Some(p) = spec.precision {
        if p == 0 && digits == b"0" {
            digits = b"";
        }
        zeros = p.saturating_sub(digits.len());
    } else if spec.zero && !spec.left {
        zeros = spec.width.saturating_sub(out.len() - start + digits.len());
    }
    out.fill(b'0', zeros);
    out.extend(digits);
    pad(out, start, spec);
}

fn put_radix(out: &mut Buf, start: usize, n: u64, conversion: u8, spec: Spec) {
    let mut digits = match conversion {
        b'o' => format!("{n:o}"),
        b'x' => format!("{n:x}"),
        _ => format!("{n:X}"),
    };
    if spec.alternate {
        match conversion {
            b'o' => {
                let shown = spec.precision.map_or(digits.len(), |p| p.max(digits.len()));
                if !digits.starts_with('0') && shown == digits.len() {
                    digits.insert(0, '0');
                }
                if spec.precision == Some(0) && n == 0 {
                    out.push(b'0');
                }
            }
            _ if n == 0 => {}
            c => out.extend(&[b'0', c]),
        }
    }
    put_int(out, start, digits.as_bytes(), spec);
}

fn put_float(out: &mut Buf, start: usize, f: f64, conversion: u8, spec: Spec) {
    if !f.is_sign_negative() {
        put_sign(out, false, spec);
    }
    let (p, alt) = (spec.precision.unwrap_or(6), spec.alternate);
    let upper = conversion.is_ascii_uppercase();
    match conversion {
        b'a' | b'A' => put_a(out, f, spec.precision, alt, upper),
        b'e' | b'E' => put_e(out, f, p, alt, upper),
        b'f' => put_f(out, f, p, alt, upper),
        _ => put_g(out, f, p, alt, upper),
    }
    let len = out.len() - start;
    if spec.zero && !spec.left && f.is_finite() && spec.width > len {
        let signed = matches!(out.as_slice()[start], b'-' | b'+' | b' ');
        let prefix = usize::from(signed) + if conversion | 0x20 == b'a' { 2 } else { 0 };
        out.insert_fill(start + prefix, b'0', spec.width - len);
    } else {
        pad(out, start, spec);
    }
}

/// `%q`: a literal that reads back as the value.
fn put_literal(vm: &mut VmState, out: &mut Buf, args: Args, arg: usize) -> LuaResult<()> {
    let v = args.get(arg);
    match v.tag {
        Tag::STR => {
            if let Some(s) = v.as_str() {
                put_quoted(out, s.bytes());
            }
        }
        Tag::INT => match v.payload as i64 {
            i64::MIN => out.extend(b"0x8000000000000000"),
            i => out.extend(NumberText::int(i).as_bytes()),
        },
        Tag::FLOAT => {
            let f = f64::from_bits(v.payload);
            if f == f64::INFINITY {
                out.extend(b"1e9999");
            } else if f == f64::NEG_INFINITY {
                out.extend(b"-1e9999");
            } else if f.is_nan() {
                out.extend(b"(0/0)");
            } else {
                put_a(out, f, None, false, false);
            }
        }
        Tag::NIL | Tag::BOOL => add_string(vm, out, v)?,
        _ => return Err(arg_error(vm, arg, "value has no literal form")),
    }
    Ok(())
}

fn put_quoted(out: &mut Buf, s: &[u8]) {
    out.push(b'"');
    for (i, &c) in s.iter().enumerate() {
        match c {
            b'"' | b'\\' | b'\n' => out.extend(&[b'\\', c]),
            c if c.is_ascii_control() => {
                out.push(b'\\');
                // Three digits if the next byte would be read as one more.
                let digits = NumberText::int(i64::from(c));
                if s.get(i + 1).is_some_and(u8::is_ascii_digit) {
                    out.fill(b'0', 3 - digits.as_bytes().len());
                }
                out.extend(digits.as_bytes());
            }
            c => out.push(c),
        }
    }
    out.push(b'"');
}
