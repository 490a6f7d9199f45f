//! The `string` library and the metatable of strings.

mod class;
mod format;
mod kept;
mod pack;
mod pattern;
mod search;

use crate::args::{arg_error, check_function, check_int, check_str, opt_int, opt_str};
use crate::buf::Buf;
use crate::register;
use vela_objects::string::MAX_STRING;
use vela_objects::{Args, NativeFn, NativeResult, Ret, Tag, Value, VmState};

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("string.byte", byte),
    ("string.char", char),
    ("string.dump", dump),
    ("string.find", search::find),
    ("string.format", format::format),
    ("string.gmatch", search::gmatch),
    ("string.gsub", search::gsub),
    ("string.len", len),
    ("string.lower", lower),
    ("string.match", search::match_),
    ("string.pack", pack::pack),
    ("string.packsize", pack::packsize),
    ("string.rep", rep),
    ("string.reverse", reverse),
    ("string.sub", sub),
    ("string.unpack", pack::unpack),
    ("string.upper", upper),
];

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    kept::open(vm);
    let string = register::library(vm, "string", FUNCTIONS);
    let mt = vm.table(1, 0);
    register::set_field(vm, mt, "__index", Value::table(string));
    mt.mark_meta(vm);
    string.mark_meta(vm);
    vm.type_metatables[Tag::STR.0 as usize] = Some(mt);
    vm.bump_meta_epoch();
}

/// A start position from an argument: negative counts from the end, at least
/// 1.
#[inline]
fn start_index(pos: i64, len: usize) -> usize {
    if pos > 0 {
        pos as usize
    } else if pos == 0 || pos < -(len as i64) {
        1
    } else {
        (len as i64 + pos + 1) as usize
    }
}

/// An end position from an argument: negative counts from the end, 0 to
/// `len`.
#[inline]
fn end_index(pos: i64, len: usize) -> usize {
    if pos > len as i64 {
        len
    } else if pos >= 0 {
        pos as usize
    } else if pos < -(len as i64) {
        0
    } else {
        (len as i64 + pos + 1) as usize
    }
}

fn len(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?;
    Ok(Ret::One(Value::int(s.len() as i64)))
}

fn sub(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?;
    let start = start_index(check_int(vm, args, 1)?, s.len());
    let end = end_index(opt_int(vm, args, 2, -1)?, s.len());
    if start == 1 && end == s.len() {
        return Ok(Ret::One(Value::str(s)));
    }
    let part = if start <= end {
        &s.bytes()[start - 1..end]
    } else {
        b""
    };
    Ok(Ret::One(vm.str_value(part)))
}

fn byte(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let from = opt_int(vm, args, 1, 1)?;
    let start = start_index(from, s.len());
    let end = end_index(opt_int(vm, args, 2, from)?, s.len());
    if start > end {
        return Ok(Ret::None);
    }
    if start == end {
        return Ok(Ret::One(Value::int(i64::from(s[start - 1]))));
    }
    if !vm.has_room(end - start + 1) {
        return Err(vm.error("stack overflow (string slice too long)"));
    }
    for &b in &s[start - 1..end] {
        vm.push(Value::int(i64::from(b)))?;
    }
    Ok(Ret::Many((end - start + 1) as u32))
}

fn char(vm: &mut VmState, args: Args) -> NativeResult {
    let mut out = Buf::new();
    for i in 0..args.len() {
        match u8::try_from(check_int(vm, args, i)?) {
            Ok(b) => out.push(b),
            Err(_) => return Err(arg_error(vm, i, "value out of range")),
        }
    }
    Ok(Ret::One(vm.str_value(out.as_slice())))
}

/// A string of the same length with every byte mapped.
fn map(vm: &mut VmState, args: Args, f: impl Fn(u8) -> u8) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let mut buf = [0; 512];
    if s.len() <= buf.len() {
        for (to, &from) in buf.iter_mut().zip(s) {
            *to = f(from);
        }
        return Ok(Ret::One(vm.str_value(&buf[..s.len()])));
    }
    let out: Vec<u8> = s.iter().map(|&b| f(b)).collect();
    Ok(Ret::One(vm.str_value(&out)))
}

fn lower(vm: &mut VmState, args: Args) -> NativeResult {
    map(vm, args, |b| b.to_ascii_lowercase())
}

fn upper(vm: &mut VmState, args: Args) -> NativeResult {
    map(vm, args, |b| b.to_ascii_uppercase())
}

fn reverse(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let mut out = Buf::with_capacity(s.len());
    out.extend_reversed(s);
    Ok(Ret::One(vm.str_value(out.as_slice())))
}

fn rep(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let n = check_int(vm, args, 1)?;
    let sep: &[u8] = opt_str(vm, args, 2)?.map_or(b"", |s| s.bytes());
    let Ok(n @ 1..) = usize::try_from(n) else {
        return Ok(Ret::One(vm.str_value(b"")));
    };
    let total = (s.len() + sep.len()).checked_mul(n);
    let Some(total) = total.filter(|&t| t <= MAX_STRING) else {
        return Err(vm.error("resulting string too large"));
    };
    if total == 0 {
        return Ok(Ret::One(vm.str_value(b"")));
    }
    if n == 1 {
        return Ok(Ret::One(args.get(0)));
    }
    // The buffer and the string.
    vm.make_room(2 * total)?;
    let mut out = Buf::with_capacity(total);
    if sep.is_empty() {
        out.repeat(s, n);
    } else {
        let mut unit = Buf::with_capacity(s.len() + sep.len());
        unit.extend(s);
        unit.extend(sep);
        out.repeat(unit.as_slice(), n - 1);
        out.extend(s);
    }
    Ok(Ret::One(vm.str_value(out.as_slice())))
}

fn dump(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_function(vm, args, 0)?;
    let strip = args.get(1).truthy();
    match f.as_lua_fn() {
        Some(c) => {
            let bytes = vela_bytecode::binary::dump(c.proto.proto(), strip);
            Ok(Ret::One(vm.str_value(&bytes)))
        }
        None => Err(vm.error("unable to dump given function")),
    }
}
