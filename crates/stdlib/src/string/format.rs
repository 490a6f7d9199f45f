//! `string.format`.
//!
//! A format is taken apart once, into pieces of text and conversions with
//! their flags, width and precision, and kept (see [`super::kept`]). The
//! conversions of most programs have parts of their own.

use super::kept;
use crate::args::{arg_error, check_int, check_num, check_str};
use crate::buf::Buf;
use memchr::memchr;
use vela_objects::number::{NumberText, put_a, put_e, put_f, put_g, put_int};
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

/// The flags, width and precision of a conversion.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: u8,
    precision: Option<u8>,
}

impl Spec {
    fn width(&self) -> usize {
        usize::from(self.width)
    }

    fn precision(&self) -> Option<usize> {
        self.precision.map(usize::from)
    }
}

/// A conversion, as far as it can be known without the argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Conversion {
    /// What it is called: 0 if the format ends before it.
    letter: u8,
    /// `None` if there is something in the specification that the conversion
    /// does not allow.
    spec: Option<Spec>,
    /// The specification, in [`Format::text`], the letter included.
    at: u32,
    len: u8,
}

/// A part of a format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// These bytes of [`Format::text`].
    Text { at: u32, len: u32 },
    /// `%d`
    Int,
    /// `%s`
    Str,
    /// `%.Nf`
    Fixed(u8),
    /// Everything else.
    Convert(Conversion),
    /// A specification that is too long.
    TooLong,
}

/// A format that was taken apart.
///
/// What is wrong with it is raised only when formatting gets there, and in the
/// order in which PUC Lua does it: some conversions look at their argument
/// first, and some at their specification.
#[derive(Debug)]
pub(super) struct Format {
    parts: Box<[Part]>,
    text: Box<[u8]>,
}

impl Format {
    /// Bytes of memory that taking a format apart takes at most.
    pub(super) fn room(format: &[u8]) -> usize {
        // Each conversion has its own part and one of text before it, in a
        // vector that may have grown just now.
        let conversions = format.iter().filter(|&&c| c == b'%').count();
        2 * format.len() + 8 * size_of::<Part>() * conversions
    }

    pub(super) fn new(format: &[u8]) -> Format {
        let mut parts = Vec::new();
        let mut text = Vec::with_capacity(format.len());
        let mut rest = format;
        loop {
            let at = text.len();
            while let Some(i) = memchr(b'%', rest)
                && rest.get(i + 1) == Some(&b'%')
            {
                text.extend(&rest[..=i]);
                rest = &rest[i + 2..];
            }
            let next = memchr(b'%', rest);
            text.extend(&rest[..next.unwrap_or(rest.len())]);
            if text.len() > at {
                let len = text.len() - at;
                parts.push(Part::Text {
                    at: at as u32,
                    len: len as u32,
                });
            }
            let Some(i) = next else { break };
            rest = &rest[i + 1..];
            let modifiers = rest
                .iter()
                .take_while(|b| FLAGS_FLOAT.contains(b) || matches!(b, b'1'..=b'9' | b'.'))
                .count();
            if modifiers + 1 >= MAX_SPEC {
                // Nothing comes after an error.
                parts.push(Part::TooLong);
                break;
            }
            let spec = &rest[..(modifiers + 1).min(rest.len())];
            rest = &rest[spec.len()..];
            parts.push(match *spec {
                [b'd'] => Part::Int,
                [b's'] => Part::Str,
                [b'.', p @ b'0'..=b'9', b'f'] => Part::Fixed(p - b'0'),
                _ => {
                    let letter = spec.get(modifiers).copied().unwrap_or(0);
                    let at = text.len() as u32;
                    text.extend(spec);
                    Part::Convert(Conversion {
                        letter,
                        spec: parse_as(letter, spec),
                        at,
                        len: spec.len() as u8,
                    })
                }
            });
        }
        Format {
            parts: parts.into(),
            text: text.into(),
        }
    }
}

pub(super) fn format(vm: &mut VmState, args: Args) -> NativeResult {
    let template = check_str(vm, args, 0)?;
    let format = kept::format(vm, template)?;
    let mut out = Buf::new();
    let mut arg = 0;
    for part in &format.parts {
        if let &Part::Text { at, len } = part {
            out.extend(&format.text[at as usize..][..len as usize]);
            continue;
        }
        arg += 1;
        if arg >= args.len() {
            return Err(arg_error(vm, arg, "no value"));
        }
        match *part {
            Part::Int => {
                let n = check_int(vm, args, arg)?;
                put_int(&mut out, n);
            }
            Part::Str => add_string(vm, &mut out, args.get(arg))?,
            Part::Fixed(precision) => {
                let f = check_num(vm, args, arg)?;
                put_f(&mut out, f, usize::from(precision), false, false);
            }
            Part::Convert(conversion) => {
                convert(vm, &mut out, args, arg, &format, conversion)?;
                out.check(vm)?;
            }
            Part::TooLong | Part::Text { .. } => {
                return Err(vm.error("invalid format (too long)"));
            }
        }
    }
    out.check(vm)?;
    Ok(Ret::One(vm.str_value(out.as_slice())))
}

/// `luaL_tolstring` into the buffer.
fn add_string(vm: &mut VmState, out: &mut Buf, v: Value) -> LuaResult<()> {
    match v.tag {
        Tag::INT => put_int(out, v.payload as i64),
        Tag::FLOAT => out.extend(NumberText::new(v).as_bytes()),
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

/// The specification of a conversion, `text`, which ends with its letter.
fn parse_as(letter: u8, text: &[u8]) -> Option<Spec> {
    let (flags, precision) = match letter {
        b'c' | b'p' => (FLAGS_TEXT, false),
        b's' => (FLAGS_TEXT, true),
        b'd' | b'i' => (FLAGS_INT, true),
        b'u' => (FLAGS_UNSIGNED, true),
        b'o' | b'x' | b'X' => (FLAGS_HEX, true),
        b'a' | b'A' | b'e' | b'E' | b'f' | b'g' | b'G' => (FLAGS_FLOAT, true),
        _ => return None,
    };
    let mut spec = Spec::default();
    let mut rest = text;
    while let Some((flag, more)) = rest.split_first()
        && flags.contains(flag)
    {
        match flag {
            b'-' => spec.left = true,
            b'+' => spec.plus = true,
            b' ' => spec.space = true,
            b'#' => spec.alternate = true,
            _ => spec.zero = true,
        }
        rest = more;
    }
    let number = |rest: &mut &[u8]| {
        let mut n = 0;
        for _ in 0..2 {
            match **rest {
                [d @ b'0'..=b'9', ref more @ ..] => {
                    n = n * 10 + (d - b'0');
                    *rest = more;
                }
                _ => break,
            }
        }
        n
    };
    if rest.first() != Some(&b'0') {
        spec.width = number(&mut rest);
        if precision && let [b'.', more @ ..] = rest {
            rest = more;
            spec.precision = Some(number(&mut rest));
        }
    }
    (rest.len() == 1).then_some(spec)
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
    format: &Format,
    conversion: Conversion,
) -> LuaResult<()> {
    let text = &format.text[conversion.at as usize..][..usize::from(conversion.len)];
    let start = out.len();
    /// The specification, if it is a valid one.
    macro_rules! spec {
        () => {
            match conversion.spec {
                Some(spec) => spec,
                None => return Err(invalid(vm, "conversion specification:", text, "")),
            }
        };
    }
    match conversion.letter {
        b'c' => {
            let spec = spec!();
            let n = check_int(vm, args, arg)?;
            out.push(n as u8);
            pad(out, start, spec);
        }
        b'd' | b'i' => {
            let n = check_int(vm, args, arg)?;
            let spec = spec!();
            put_sign(out, n < 0, spec);
            let digits = NumberText::unsigned(n.unsigned_abs());
            put_digits(out, start, digits.as_bytes(), spec);
        }
        b'u' => {
            let n = check_int(vm, args, arg)?;
            let digits = NumberText::unsigned(n as u64);
            put_digits(out, start, digits.as_bytes(), spec!());
        }
        b'o' | b'x' | b'X' => {
            let n = check_int(vm, args, arg)?;
            put_radix(out, start, n as u64, conversion.letter, spec!());
        }
        letter @ (b'a' | b'A' | b'e' | b'E' | b'f' | b'g' | b'G') => {
            // `%a` looks at its specification first.
            if letter | 0x20 == b'a' {
                spec!();
            }
            let f = check_num(vm, args, arg)?;
            put_float(out, start, f, letter, spec!());
        }
        b'p' => {
            let spec = spec!();
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
            let spec = spec!();
            if let Some(p) = spec.precision() {
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
    let width = spec.width();
    if width > len {
        if spec.left {
            out.fill(b' ', width - len);
        } else {
            out.insert_fill(start, b' ', width - len);
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
fn put_digits(out: &mut Buf, start: usize, digits: &[u8], spec: Spec) {
    let mut zeros = 0;
    let mut digits = digits;
    if let Some(p) = spec.precision() {
        if p == 0 && digits == b"0" {
            digits = b"";
        }
        zeros = p.saturating_sub(digits.len());
    } else if spec.zero && !spec.left {
        zeros = spec
            .width()
            .saturating_sub(out.len() - start + digits.len());
    }
    out.fill(b'0', zeros);
    out.extend(digits);
    pad(out, start, spec);
}

/// The digits of `n` in base 8 or 16, right-aligned; returns where they start.
fn radix_digits(out: &mut [u8; 24], mut n: u64, conversion: u8) -> usize {
    let bits = if conversion == b'o' { 3 } else { 4 };
    let letters: &[u8; 16] = match conversion {
        b'X' => b"0123456789ABCDEF",
        _ => b"0123456789abcdef",
    };
    let mut at = out.len();
    loop {
        at -= 1;
        out[at] = letters[(n & ((1 << bits) - 1)) as usize];
        n >>= bits;
        if n == 0 {
            return at;
        }
    }
}

fn put_radix(out: &mut Buf, start: usize, n: u64, conversion: u8, spec: Spec) {
    // One more place, for the zero of `%#o`.
    let mut digits = [b'0'; 24];
    let mut at = radix_digits(&mut digits, n, conversion);
    if spec.alternate {
        match conversion {
            b'o' => {
                let len = digits.len() - at;
                let shown = spec.precision().map_or(len, |p| p.max(len));
                if n != 0 && shown == len {
                    at -= 1;
                }
                if spec.precision == Some(0) && n == 0 {
                    out.push(b'0');
                }
            }
            _ if n == 0 => {}
            c => out.extend(&[b'0', c]),
        }
    }
    put_digits(out, start, &digits[at..], spec);
}

fn put_float(out: &mut Buf, start: usize, f: f64, conversion: u8, spec: Spec) {
    if !f.is_sign_negative() {
        put_sign(out, false, spec);
    }
    let (p, alt) = (spec.precision().unwrap_or(6), spec.alternate);
    let upper = conversion.is_ascii_uppercase();
    match conversion {
        b'a' | b'A' => put_a(out, f, spec.precision(), alt, upper),
        b'e' | b'E' => put_e(out, f, p, alt, upper),
        b'f' => put_f(out, f, p, alt, upper),
        _ => put_g(out, f, p, alt, upper),
    }
    let len = out.len() - start;
    if spec.zero && !spec.left && f.is_finite() && spec.width() > len {
        let signed = matches!(out.as_slice()[start], b'-' | b'+' | b' ');
        let prefix = usize::from(signed) + if conversion | 0x20 == b'a' { 2 } else { 0 };
        out.insert_fill(start + prefix, b'0', spec.width() - len);
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
