//! `pack`, `packsize` and `unpack`: binary layouts.

use super::start_index;
use crate::args::{arg_error, check_int, check_num, check_str, opt_int};
use crate::buf::Buf;
use memchr::memchr;
use vela_objects::string::MAX_STRING;
use vela_objects::{Args, LuaResult, NativeResult, Ret, Value, VmState};

/// Most bytes of a packed integer.
const MAX_INT_SIZE: usize = 16;
/// Bytes of a Lua integer.
const INT_SIZE: usize = 8;
/// Alignment of `!` without a number.
const NATIVE_ALIGN: usize = 8;
/// Sizes in formats stop being read here, as in PUC Lua.
const MAX_SIZE: usize = i32::MAX as usize;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Uint,
    Float,
    Double,
    /// A string of fixed size.
    Chars,
    /// A string behind its length.
    Counted,
    /// A string up to a zero byte.
    ZeroEnded,
    Padding,
    Align,
    /// Changes settings only.
    Setting,
}

/// One option of a format, with what the position adds.
struct Item {
    kind: Kind,
    size: usize,
    /// Bytes to skip before it.
    padding: usize,
}

/// A format being read.
struct Reader<'f> {
    format: &'f [u8],
    little: bool,
    max_align: usize,
}

impl<'f> Reader<'f> {
    fn new(format: &'f [u8]) -> Self {
        let end = memchr(0, format).unwrap_or(format.len());
        Reader {
            format: &format[..end],
            little: cfg!(target_endian = "little"),
            max_align: 1,
        }
    }

    /// A number in the format, if there is one.
    fn number(&mut self) -> Option<usize> {
        let mut n = None;
        while let [d @ b'0'..=b'9', rest @ ..] = self.format {
            let so_far = n.unwrap_or(0);
            if so_far > (MAX_SIZE - 9) / 10 {
                break;
            }
            n = Some(so_far * 10 + usize::from(d - b'0'));
            self.format = rest;
        }
        n
    }

    /// The size of an integer, `default` if the format gives none.
    fn int_size(&mut self, vm: &mut VmState, default: usize) -> LuaResult<usize> {
        match self.number().unwrap_or(default) {
            n @ 1..=MAX_INT_SIZE => Ok(n),
            n => Err(vm.error(format!(
                "integral size ({n}) out of limits [1,{MAX_INT_SIZE}]"
            ))),
        }
    }

    fn option(&mut self, vm: &mut VmState) -> LuaResult<(Kind, usize)> {
        let Some((&c, rest)) = self.format.split_first() else {
            return Ok((Kind::Setting, 0));
        };
        self.format = rest;
        Ok(match c {
            b'b' => (Kind::Int, 1),
            b'B' => (Kind::Uint, 1),
            b'h' => (Kind::Int, 2),
            b'H' => (Kind::Uint, 2),
            b'l' | b'j' => (Kind::Int, 8),
            b'L' | b'J' | b'T' => (Kind::Uint, 8),
            b'i' => (Kind::Int, self.int_size(vm, 4)?),
            b'I' => (Kind::Uint, self.int_size(vm, 4)?),
            b'f' => (Kind::Float, 4),
            b'd' | b'n' => (Kind::Double, 8),
            b's' => (Kind::Counted, self.int_size(vm, 8)?),
            b'c' => match self.number() {
                Some(n) => (Kind::Chars, n),
                None => return Err(vm.error("missing size for format option 'c'")),
            },
            b'z' => (Kind::ZeroEnded, 0),
            b'x' => (Kind::Padding, 1),
            b'X' => (Kind::Align, 0),
            b' ' => (Kind::Setting, 0),
            b'<' => {
                self.little = true;
                (Kind::Setting, 0)
            }
            b'>' => {
                self.little = false;
                (Kind::Setting, 0)
            }
            b'=' => {
                self.little = cfg!(target_endian = "little");
                (Kind::Setting, 0)
            }
            b'!' => {
                self.max_align = self.int_size(vm, NATIVE_ALIGN)?;
                (Kind::Setting, 0)
            }
            c => {
                let c = char::from(c);
                return Err(vm.error(format!("invalid format option '{c}'")));
            }
        })
    }

    /// The next option for a position `at` bytes from the start; `None` at
    /// the end.
    fn next(&mut self, vm: &mut VmState, at: usize) -> LuaResult<Option<Item>> {
        if self.format.is_empty() {
            return Ok(None);
        }
        let (kind, size) = self.option(vm)?;
        let mut align = size;
        let mut aligns = kind != Kind::Chars;
        if kind == Kind::Align {
            let empty = self.format.is_empty();
            let (next, next_size) = self.option(vm)?;
            if empty || next == Kind::Chars || next_size == 0 {
                return Err(arg_error(vm, 0, "invalid next option for option 'X'"));
            }
            align = next_size;
            aligns = true;
        }
        let mut padding = 0;
        if align > 1 && aligns {
            align = align.min(self.max_align);
            if !align.is_power_of_two() {
                return Err(arg_error(vm, 0, "format asks for alignment not power of 2"));
            }
            padding = at.wrapping_neg() & (align - 1);
        }
        Ok(Some(Item {
            kind,
            size,
            padding,
        }))
    }
}

fn put_int(out: &mut Buf, n: i64, size: usize, little: bool, signed: bool) {
    let fill = if signed && n < 0 { 0xff } else { 0 };
    let mut bytes = [fill; MAX_INT_SIZE];
    bytes[..INT_SIZE].copy_from_slice(&n.to_le_bytes());
    put_ordered(out, &mut bytes[..size], little);
}

/// Appends bytes that are in little-endian order.
fn put_ordered(out: &mut Buf, bytes: &mut [u8], little: bool) {
    if !little {
        bytes.reverse();
    }
    out.extend(bytes);
}

/// `bytes` in little-endian order, zero-extended.
fn ordered(bytes: &[u8], little: bool) -> [u8; MAX_INT_SIZE] {
    let mut out = [0; MAX_INT_SIZE];
    out[..bytes.len()].copy_from_slice(bytes);
    if !little {
        out[..bytes.len()].reverse();
    }
    out
}

fn first_eight(bytes: [u8; MAX_INT_SIZE]) -> [u8; 8] {
    std::array::from_fn(|i| bytes[i])
}

fn get_int(vm: &mut VmState, bytes: &[u8], little: bool, signed: bool) -> LuaResult<i64> {
    let size = bytes.len();
    let all = ordered(bytes, little);
    let n = i64::from_le_bytes(first_eight(all));
    if size < INT_SIZE {
        if signed {
            let shift = 64 - 8 * size as u32;
            return Ok(n << shift >> shift);
        }
    } else {
        let fill = if signed && n < 0 { 0xff } else { 0 };
        if all[INT_SIZE..size].iter().any(|&b| b != fill) {
            return Err(vm.error(format!("{size}-byte integer does not fit into Lua Integer")));
        }
    }
    Ok(n)
}

pub(super) fn pack(vm: &mut VmState, args: Args) -> NativeResult {
    let mut format = Reader::new(check_str(vm, args, 0)?.bytes());
    let mut out = Buf::new();
    let mut arg = 0;
    while let Some(item) = format.next(vm, out.len())? {
        if out.len() + item.padding + item.size > MAX_STRING {
            return Err(vm.error("resulting string too large"));
        }
        out.fill(0, item.padding);
        let (size, little) = (item.size, format.little);
        arg += 1;
        match item.kind {
            Kind::Int => {
                let n = check_int(vm, args, arg)?;
                if size < INT_SIZE {
                    let limit = 1i64 << (size * 8 - 1);
                    if n < -limit || n >= limit {
                        return Err(arg_error(vm, arg, "integer overflow"));
                    }
                }
                put_int(&mut out, n, size, little, true);
            }
            Kind::Uint => {
                let n = check_int(vm, args, arg)?;
                if size < INT_SIZE && n as u64 >= 1 << (size * 8) {
                    return Err(arg_error(vm, arg, "unsigned overflow"));
                }
                put_int(&mut out, n, size, little, false);
            }
            Kind::Float => {
                let mut bytes = (check_num(vm, args, arg)? as f32).to_le_bytes();
                put_ordered(&mut out, &mut bytes, little);
            }
            Kind::Double => {
                let mut bytes = check_num(vm, args, arg)?.to_le_bytes();
                put_ordered(&mut out, &mut bytes, little);
            }
            Kind::Chars => {
                let s = check_str(vm, args, arg)?.bytes();
                if s.len() > size {
                    return Err(arg_error(vm, arg, "string longer than given size"));
                }
                out.extend(s);
                out.fill(0, size - s.len());
            }
            Kind::Counted => {
                let s = check_str(vm, args, arg)?.bytes();
                if size < INT_SIZE && s.len() >= 1 << (size * 8) {
                    let message = "string length does not fit in given size";
                    return Err(arg_error(vm, arg, message));
                }
                put_int(&mut out, s.len() as i64, size, little, false);
                out.extend(s);
            }
            Kind::ZeroEnded => {
                let s = check_str(vm, args, arg)?.bytes();
                if memchr(0, s).is_some() {
                    return Err(arg_error(vm, arg, "string contains zeros"));
                }
                out.extend(s);
                out.push(0);
            }
            Kind::Padding => {
                out.push(0);
                arg -= 1;
            }
            Kind::Align | Kind::Setting => arg -= 1,
        }
        out.check(vm)?;
    }
    Ok(Ret::One(vm.str_value(out.as_slice())))
}

pub(super) fn packsize(vm: &mut VmState, args: Args) -> NativeResult {
    let mut format = Reader::new(check_str(vm, args, 0)?.bytes());
    let mut total = 0;
    while let Some(item) = format.next(vm, total)? {
        if matches!(item.kind, Kind::Counted | Kind::ZeroEnded) {
            return Err(arg_error(vm, 0, "variable-length format"));
        }
        let size = item.size + item.padding;
        if total + size > MAX_SIZE {
            return Err(arg_error(vm, 0, "format result too large"));
        }
        total += size;
    }
    Ok(Ret::One(Value::int(total as i64)))
}

pub(super) fn unpack(vm: &mut VmState, args: Args) -> NativeResult {
    const TOO_SHORT: &str = "data string too short";
    let mut format = Reader::new(check_str(vm, args, 0)?.bytes());
    let data = check_str(vm, args, 1)?.bytes();
    let mut pos = start_index(opt_int(vm, args, 2, 1)?, data.len()) - 1;
    if pos > data.len() {
        return Err(arg_error(vm, 2, "initial position out of string"));
    }
    let mut n = 0;
    while let Some(item) = format.next(vm, pos)? {
        if item.padding + item.size > data.len() - pos {
            return Err(arg_error(vm, 1, TOO_SHORT));
        }
        pos += item.padding;
        let bytes = &data[pos..pos + item.size];
        let rest = &data[pos + item.size..];
        pos += item.size;
        let v = match item.kind {
            Kind::Int => Value::int(get_int(vm, bytes, format.little, true)?),
            Kind::Uint => Value::int(get_int(vm, bytes, format.little, false)?),
            Kind::Float => {
                let b = ordered(bytes, format.little);
                Value::float(f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
            }
            Kind::Double => {
                let b = first_eight(ordered(bytes, format.little));
                Value::float(f64::from_le_bytes(b))
            }
            Kind::Chars => vm.str_value(bytes),
            Kind::Counted => {
                let len = get_int(vm, bytes, format.little, false)? as u64;
                if len > rest.len() as u64 {
                    return Err(arg_error(vm, 1, TOO_SHORT));
                }
                pos += len as usize;
                vm.str_value(&rest[..len as usize])
            }
            Kind::ZeroEnded => {
                let Some(len) = memchr(0, rest) else {
                    return Err(arg_error(vm, 1, "unfinished string for format 'z'"));
                };
                pos += len + 1;
                vm.str_value(&rest[..len])
            }
            Kind::Padding | Kind::Align | Kind::Setting => continue,
        };
        if !vm.has_room(2) {
            return Err(vm.error("stack overflow (too many results)"));
        }
        vm.push(v)?;
        n += 1;
    }
    vm.push(Value::int(pos as i64 + 1))?;
    Ok(Ret::Many(n + 1))
}
