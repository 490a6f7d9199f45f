//! The `table` library.
//!
//! Every function respects `__index`, `__newindex` and `__len` as PUC Lua
//! does, and works on the table directly when it has no metatable.

use crate::args::{arg_error, check_int, opt_int, opt_str, type_error};
use crate::buf::Buf;
use crate::register;
use crate::sort;
use vela_objects::meta::Event;
use vela_objects::number::NumberText;
use vela_objects::{Args, Gc, LuaResult, NativeFn, NativeResult, Ret, Table, Value, VmState};

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("table.concat", concat),
    ("table.insert", insert),
    ("table.move", move_),
    ("table.pack", pack),
    ("table.remove", remove),
    ("table.sort", sort::sort),
    ("table.unpack", unpack),
];

/// Most values `unpack` returns; PUC Lua's stack limit.
const MAX_UNPACK: u64 = 1_000_000;

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    register::library(vm, "table", FUNCTIONS);
}

/// What a function needs its table-like argument to do.
#[derive(Clone, Copy)]
pub(crate) struct Needs(u8);

impl Needs {
    /// `__index`
    pub(crate) const READ: Needs = Needs(1);
    /// `__newindex`
    pub(crate) const WRITE: Needs = Needs(2);
    /// `__len`
    pub(crate) const LEN: Needs = Needs(4);

    pub(crate) const fn and(self, other: Needs) -> Needs {
        Needs(self.0 | other.0)
    }

    fn includes(self, other: Needs) -> bool {
        self.0 & other.0 != 0
    }
}

/// The table to work on directly: argument `i` if it is one without a
/// metatable.
#[inline]
pub(crate) fn plain(args: Args, i: usize) -> Option<Gc<Table>> {
    args.get(i).as_table().filter(|t| t.metatable().is_none())
}

/// Argument `i`, a table or a value whose metatable does what a table does.
///
/// # Errors
/// `table expected, got ...`.
pub(crate) fn check_tablelike(
    vm: &mut VmState,
    args: Args,
    i: usize,
    needs: Needs,
) -> LuaResult<Value> {
    let v = args.get(i);
    if v.as_table().is_some() {
        return Ok(v);
    }
    let has = |event| !vm.metamethod(v, event).is_nil();
    let able = vm.metatable_of(v).is_some()
        && (!needs.includes(Needs::READ) || has(Event::Index))
        && (!needs.includes(Needs::WRITE) || has(Event::NewIndex))
        && (!needs.includes(Needs::LEN) || has(Event::Len));
    if able {
        Ok(v)
    } else {
        Err(type_error(vm, args, i, "table"))
    }
}

/// `#v`, which must be an integer.
///
/// # Errors
/// `object length is not an integer`, or what `__len` raises.
pub(crate) fn length(vm: &mut VmState, v: Value) -> LuaResult<i64> {
    let n = vm.len_of(v)?;
    match vm.coerce_number(n).and_then(Value::to_int) {
        Some(n) => Ok(n),
        None => Err(vm.error("object length is not an integer")),
    }
}

fn insert(vm: &mut VmState, args: Args) -> NativeResult {
    if let (Some(t), 2) = (plain(args, 0), args.len()) {
        t.set_int(vm, t.border() + 1, args.get(1));
        return Ok(Ret::None);
    }
    let needs = Needs::READ.and(Needs::WRITE).and(Needs::LEN);
    let t = check_tablelike(vm, args, 0, needs)?;
    let end = length(vm, t)?.wrapping_add(1);
    let at = match args.len() {
        2 => end,
        3 => {
            let at = check_int(vm, args, 1)?;
            if (at as u64).wrapping_sub(1) >= end as u64 {
                return Err(arg_error(vm, 1, "position out of bounds"));
            }
            if let Some(t) = plain(args, 0) {
                for i in (at..end).rev() {
                    t.set_int(vm, i + 1, t.get_int(i));
                }
            } else {
                for i in (at..end).rev() {
                    copy(vm, t, i, t, i.wrapping_add(1))?;
                }
            }
            at
        }
        _ => return Err(vm.error("wrong number of arguments to 'insert'")),
    };
    vm.set_index(t, Value::int(at), args.get(args.len() - 1))?;
    Ok(Ret::None)
}

/// `to[j] = from[i]` with metamethods.
fn copy(vm: &mut VmState, from: Value, i: i64, to: Value, j: i64) -> LuaResult<()> {
    vm.check_interrupt()?;
    let v = vm.index(from, Value::int(i))?;
    vm.set_index(to, Value::int(j), v)
}

fn remove(vm: &mut VmState, args: Args) -> NativeResult {
    if let (Some(t), 1) = (plain(args, 0), args.len()) {
        let last = t.border();
        let v = t.get_int(last);
        if !v.is_nil() {
            t.set_int(vm, last, Value::NIL);
        }
        return Ok(Ret::One(v));
    }
    let needs = Needs::READ.and(Needs::WRITE).and(Needs::LEN);
    let t = check_tablelike(vm, args, 0, needs)?;
    let size = length(vm, t)?;
    let at = opt_int(vm, args, 1, size)?;
    if at != size && (at as u64).wrapping_sub(1) > size as u64 {
        return Err(arg_error(vm, 1, "position out of bounds"));
    }
    if let Some(t) = plain(args, 0) {
        let removed = t.get_int(at);
        let mut i = at;
        while i < size {
            t.set_int(vm, i, t.get_int(i + 1));
            i += 1;
        }
        t.set_int(vm, i, Value::NIL);
        return Ok(Ret::One(removed));
    }
    let removed = vm.index(t, Value::int(at))?;
    vm.push(removed)?;
    let mut i = at;
    while i < size {
        copy(vm, t, i + 1, t, i)?;
        i += 1;
    }
    vm.set_index(t, Value::int(i), Value::NIL)?;
    Ok(Ret::Many(1))
}

fn move_(vm: &mut VmState, args: Args) -> NativeResult {
    let first = check_int(vm, args, 1)?;
    let last = check_int(vm, args, 2)?;
    let to = check_int(vm, args, 3)?;
    let dest = if args.get(4).is_nil() { 0 } else { 4 };
    let a = check_tablelike(vm, args, 0, Needs::READ)?;
    let b = check_tablelike(vm, args, dest, Needs::WRITE)?;
    if last >= first {
        if first <= 0 && last >= i64::MAX.wrapping_add(first) {
            return Err(arg_error(vm, 2, "too many elements to move"));
        }
        let n = last - first + 1;
        if to > i64::MAX - n + 1 {
            return Err(arg_error(vm, 3, "destination wrap around"));
        }
        // Upwards unless that would overwrite what is still to be read.
        let upwards = to > last || to <= first || (dest != 0 && !vm.equals(a, b)?);
        if let (Some(a), Some(b)) = (plain(args, 0), plain(args, dest)) {
            let mut step = |i: i64| {
                b.set_int(vm, to + i, a.get_int(first + i));
                vm.check_interrupt()
            };
            if upwards {
                (0..n).try_for_each(&mut step)?;
            } else {
                (0..n).rev().try_for_each(&mut step)?;
            }
        } else if upwards {
            for i in 0..n {
                copy(vm, a, first + i, b, to + i)?;
            }
        } else {
            for i in (0..n).rev() {
                copy(vm, a, first + i, b, to + i)?;
            }
        }
    }
    Ok(Ret::One(b))
}

fn concat(vm: &mut VmState, args: Args) -> NativeResult {
    let t = check_tablelike(vm, args, 0, Needs::READ.and(Needs::LEN))?;
    let size = length(vm, t)?;
    let separator = opt_str(vm, args, 1)?;
    let first = opt_int(vm, args, 2, 1)?;
    let last = opt_int(vm, args, 3, size)?;
    let separator = separator.map_or(&b""[..], Gc::bytes);
    let raw = plain(args, 0);
    let mut out = Buf::new();
    let mut i = first;
    while i <= last {
        let v = match raw {
            Some(t) => t.get_int(i),
            None => {
                vm.check_interrupt()?;
                vm.index(t, Value::int(i))?
            }
        };
        if let Some(s) = v.as_str() {
            out.extend(s.bytes());
        } else if v.is_number() {
            out.extend(NumberText::new(v).as_bytes());
        } else {
            let kind = v.tag.type_name();
            return Err(vm.error(format!(
                "invalid value ({kind}) at index {i} in table for 'concat'"
            )));
        }
        if i == last {
            break;
        }
        out.extend(separator);
        out.check(vm)?;
        i += 1;
    }
    Ok(Ret::One(vm.str_value(out.as_slice())))
}

fn pack(vm: &mut VmState, args: Args) -> NativeResult {
    let t = vm.table(1, args.len());
    t.set_list(vm, 1, args.as_slice());
    register::set_field(vm, t, "n", Value::int(args.len() as i64));
    Ok(Ret::One(Value::table(t)))
}

fn unpack(vm: &mut VmState, args: Args) -> NativeResult {
    let v = args.get(0);
    let first = opt_int(vm, args, 1, 1)?;
    let last = if args.get(2).is_nil() {
        length(vm, v)?
    } else {
        check_int(vm, args, 2)?
    };
    if first > last {
        return Ok(Ret::None);
    }
    let n = (last as u64).wrapping_sub(first as u64);
    if n >= MAX_UNPACK {
        return Err(vm.error("too many results to unpack"));
    }
    let raw = plain(args, 0);
    for i in 0..=n {
        let at = first.wrapping_add(i as i64);
        let value = match raw {
            Some(t) => t.get_int(at),
            None => vm.index(v, Value::int(at))?,
        };
        vm.push(value)?;
    }
    Ok(Ret::Many(n as u32 + 1))
}
