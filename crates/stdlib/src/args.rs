//! Argument checks, with PUC Lua's messages.
//!
//! Arguments are counted from 0 in the code and from 1 in messages. The name
//! in `bad argument #1 to 'name'` comes from the calling instruction, or from
//! the loaded modules when the caller is native (as `luaL_argerror`).

use vela_objects::meta::Event;
use vela_objects::value::float_to_int;
use vela_objects::{Args, Gc, LuaResult, Str, Table, Tag, Thrown, Value, VmState};

/// Raises `bad argument #i to 'f' (message)`.
#[cold]
pub fn arg_error(vm: &mut VmState, i: usize, message: &str) -> Thrown {
    let mut number = i + 1;
    let called = vm.function_name(0);
    if let Some((what, name)) = &called
        && *what == "method"
    {
        number -= 1;
        if number == 0 {
            return vm.error(format!("calling '{name}' on bad self ({message})"));
        }
    }
    let name = match called {
        Some((_, name)) => name,
        None => vm.global_function_name(0).unwrap_or_else(|| "?".into()),
    };
    vm.error(format!("bad argument #{number} to '{name}' ({message})"))
}

/// Raises `bad argument #i to 'f' (expected expected, got type)`.
#[cold]
pub fn type_error(vm: &mut VmState, args: Args, i: usize, expected: &str) -> Thrown {
    let got = arg_type_name(vm, args, i);
    arg_error(vm, i, &format!("{expected} expected, got {got}"))
}

/// The type of argument `i` for messages: its `__name`, its type, or
/// `no value`.
#[must_use]
pub fn arg_type_name(vm: &VmState, args: Args, i: usize) -> String {
    match args.opt(i) {
        None => "no value".into(),
        Some(v) => {
            if let Some(s) = vm.metamethod(v, Event::Name).as_str() {
                s.to_text()
            } else if v.tag == Tag::LIGHT {
                "light userdata".into()
            } else {
                v.tag.type_name().into()
            }
        }
    }
}

/// Captured value `i` of the running native function.
#[inline]
#[must_use]
pub fn upvalue(vm: &VmState, i: usize) -> Value {
    match vm.frame_at(0).and_then(|f| f.function().as_native_fn()) {
        Some(f) => f.upval(i),
        None => Value::NIL,
    }
}

/// Argument `i`, which must have been given (nil counts).
///
/// # Errors
/// `value expected`.
#[inline]
pub fn check_any(vm: &mut VmState, args: Args, i: usize) -> LuaResult<Value> {
    match args.opt(i) {
        Some(v) => Ok(v),
        None => Err(arg_error(vm, i, "value expected")),
    }
}

/// Argument `i` as an integer; floats and strings with an integer value count.
///
/// # Errors
/// `number has no integer representation`, `number expected, got ...`.
#[inline]
pub fn check_int(vm: &mut VmState, args: Args, i: usize) -> LuaResult<i64> {
    match args.get(i).as_int() {
        Some(n) => Ok(n),
        None => check_int_slow(vm, args, i),
    }
}

#[cold]
fn check_int_slow(vm: &mut VmState, args: Args, i: usize) -> LuaResult<i64> {
    match vm.coerce_number(args.get(i)) {
        Some(n) => match n.to_int() {
            Some(n) => Ok(n),
            None => Err(arg_error(vm, i, "number has no integer representation")),
        },
        None => Err(type_error(vm, args, i, "number")),
    }
}

/// Argument `i` as an integer, `default` if absent or nil.
///
/// # Errors
/// As [`check_int`].
#[inline]
pub fn opt_int(vm: &mut VmState, args: Args, i: usize, default: i64) -> LuaResult<i64> {
    if args.get(i).is_nil() {
        Ok(default)
    } else {
        check_int(vm, args, i)
    }
}

/// Argument `i` as a float.
///
/// # Errors
/// `number expected, got ...`.
#[inline]
pub fn check_num(vm: &mut VmState, args: Args, i: usize) -> LuaResult<f64> {
    match args.get(i).to_float() {
        Some(n) => Ok(n),
        None => Ok(check_number(vm, args, i)?.to_float().unwrap_or(0.0)),
    }
}

/// Argument `i` as a float, `default` if absent or nil.
///
/// # Errors
/// As [`check_num`].
#[inline]
pub fn opt_num(vm: &mut VmState, args: Args, i: usize, default: f64) -> LuaResult<f64> {
    if args.get(i).is_nil() {
        Ok(default)
    } else {
        check_num(vm, args, i)
    }
}

/// Argument `i` as a number of either kind; strings are converted.
///
/// # Errors
/// `number expected, got ...`.
#[inline]
pub fn check_number(vm: &mut VmState, args: Args, i: usize) -> LuaResult<Value> {
    let v = args.get(i);
    if v.is_number() {
        return Ok(v);
    }
    match vm.coerce_number(v) {
        Some(n) => Ok(n),
        None => Err(type_error(vm, args, i, "number")),
    }
}

/// Argument `i` as a string; numbers are converted, and the argument slot
/// then holds the string.
///
/// # Errors
/// `string expected, got ...`.
#[inline]
pub fn check_str(vm: &mut VmState, args: Args, i: usize) -> LuaResult<Gc<Str>> {
    let v = args.get(i);
    match v.as_str() {
        Some(s) => Ok(s),
        None => check_str_slow(vm, args, i),
    }
}

#[cold]
fn check_str_slow(vm: &mut VmState, args: Args, i: usize) -> LuaResult<Gc<Str>> {
    match vm.coerce_str(args.get(i)) {
        Some(s) => {
            args.set(i, Value::str(s));
            Ok(s)
        }
        None => Err(type_error(vm, args, i, "string")),
    }
}

/// Argument `i` as a string, `None` if absent or nil.
///
/// # Errors
/// As [`check_str`].
#[inline]
pub fn opt_str(vm: &mut VmState, args: Args, i: usize) -> LuaResult<Option<Gc<Str>>> {
    if args.get(i).is_nil() {
        Ok(None)
    } else {
        check_str(vm, args, i).map(Some)
    }
}

/// Argument `i` as a table.
///
/// # Errors
/// `table expected, got ...`.
#[inline]
pub fn check_table(vm: &mut VmState, args: Args, i: usize) -> LuaResult<Gc<Table>> {
    match args.get(i).as_table() {
        Some(t) => Ok(t),
        None => Err(type_error(vm, args, i, "table")),
    }
}

/// Argument `i` as a function.
///
/// # Errors
/// `function expected, got ...`.
#[inline]
pub fn check_function(vm: &mut VmState, args: Args, i: usize) -> LuaResult<Value> {
    let v = args.get(i);
    if v.is_function() {
        Ok(v)
    } else {
        Err(type_error(vm, args, i, "function"))
    }
}

/// Argument `i` as one of `options` (its index); `default` if absent or nil.
///
/// # Errors
/// `invalid option 'x'`, or as [`check_str`].
pub fn check_option(
    vm: &mut VmState,
    args: Args,
    i: usize,
    default: Option<&str>,
    options: &[&str],
) -> LuaResult<usize> {
    let given = match default {
        Some(d) if args.get(i).is_nil() => d.as_bytes(),
        _ => check_str(vm, args, i)?.bytes(),
    };
    match options.iter().position(|o| o.as_bytes() == given) {
        Some(at) => Ok(at),
        None => {
            let text = format!("invalid option '{}'", String::from_utf8_lossy(given));
            Err(arg_error(vm, i, &text))
        }
    }
}

/// An integer from a float that has an integer value, for results such as
/// those of `math.floor`.
#[inline]
#[must_use]
pub fn int_or_float(f: f64) -> Value {
    match float_to_int(f) {
        Some(i) => Value::int(i),
        None => Value::float(f),
    }
}
