//! The basic library.

mod collector;
mod load;

use crate::args::{
    arg_error, check_any, check_function, check_int, check_str, check_table, opt_int, type_error,
    upvalue,
};
use crate::{output, register};
use std::io::Write;
use vela_objects::intrinsic::Intrinsic;
use vela_objects::meta::Event;
use vela_objects::number::{self, NumberText};
use vela_objects::table::KeyError;
use vela_objects::{Args, LuaResult, NativeFn, NativeResult, Ret, Tag, Thrown, Value, VmState};

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("assert", assert),
    ("collectgarbage", collector::collectgarbage),
    ("dofile", load::dofile),
    ("error", error),
    ("getmetatable", getmetatable),
    ("load", load::load),
    ("loadfile", load::loadfile),
    ("pcall", pcall),
    ("print", print),
    ("rawequal", rawequal),
    ("rawget", rawget),
    ("rawlen", rawlen),
    ("rawset", rawset),
    ("select", select),
    ("setmetatable", setmetatable),
    ("tonumber", tonumber),
    ("tostring", tostring),
    ("warn", warn),
    ("xpcall", xpcall),
];

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    vm.warn = show_warning;
    let g = vm.globals;
    register::set_field(vm, g, "_G", Value::table(g));
    register::set_loaded(vm, "_G", Value::table(g));
    let version = vm.str_value(b"Lua 5.4");
    register::set_field(vm, g, "_VERSION", version);
    register::add_functions(vm, g, FUNCTIONS);
    let next = add_capturing(vm, "next", next, &[]);
    add_capturing(vm, "pairs", pairs, &[next]);
    let step = vm.native("ipairs_iterator", ipairs_step);
    step.set_known(Intrinsic::IPairsNext);
    let step = Value::native_fn(step);
    add_capturing(vm, "ipairs", ipairs, &[step]);
    let names: Vec<Value> = (0..=Tag::THREAD.0)
        .map(|t| vm.str_value(Tag(t).type_name().as_bytes()))
        .collect();
    add_capturing(vm, "type", type_of, &names);
}

fn add_capturing(vm: &mut VmState, name: &'static str, f: NativeFn, captured: &[Value]) -> Value {
    let native = vm.native_with(name, f, captured);
    native.set_known(Intrinsic::from_name(name));
    let g = vm.globals;
    register::set_field(vm, g, name, Value::native_fn(native));
    Value::native_fn(native)
}

fn push_all(vm: &mut VmState, values: &[Value]) -> NativeResult {
    for &v in values {
        vm.push(v)?;
    }
    Ok(Ret::Many(values.len() as u32))
}

// ---- output ----------------------------------------------------------

fn print(vm: &mut VmState, args: Args) -> NativeResult {
    for i in 0..args.len() {
        let v = args.get(i);
        if i > 0 {
            put(vm, b"\t")?;
        }
        match v.tag {
            Tag::STR => {
                let s = check_str(vm, args, i)?;
                put(vm, s.bytes())?;
            }
            Tag::INT | Tag::FLOAT => put(vm, NumberText::new(v).as_bytes())?,
            _ => {
                let s = vm.tostring(v)?;
                put(vm, s.bytes())?;
            }
        }
    }
    let ended = output::stdout(vm).end_line();
    written(vm, ended)?;
    Ok(Ret::None)
}

fn put(vm: &mut VmState, bytes: &[u8]) -> LuaResult<()> {
    let outcome = output::stdout(vm).write(bytes);
    written(vm, outcome)
}

fn written(vm: &mut VmState, outcome: std::io::Result<()>) -> LuaResult<()> {
    outcome.map_err(|e| vm.error(format!("cannot write to the standard output: {e}")))
}

/// Whether `warn` shows its messages, and whether one is unfinished.
struct Warnings {
    on: bool,
}

/// Switches the messages of `warn` on or off, as `warn("@on")` does.
pub fn set_warnings(vm: &mut VmState, on: bool) {
    vm.host_state_or(|| Warnings { on: false }).on = on;
}

fn warn(vm: &mut VmState, args: Args) -> NativeResult {
    check_str(vm, args, 0)?;
    let mut text = Vec::new();
    for i in 0..args.len() {
        let s = check_str(vm, args, i)?;
        text.extend_from_slice(s.bytes());
    }
    if args.len() == 1 {
        let control = check_str(vm, args, 0)?.bytes();
        if control.first() == Some(&b'@') {
            match control {
                b"@on" => set_warnings(vm, true),
                b"@off" => set_warnings(vm, false),
                _ => {}
            }
            return Ok(Ret::None);
        }
    }
    show_warning(vm, &text);
    Ok(Ret::None)
}

/// Writes a warning to the standard error, if warnings are on.
fn show_warning(vm: &mut VmState, text: &[u8]) {
    if vm.host_state::<Warnings>().is_some_and(|w| w.on) {
        let line = [b"Lua warning: ", text, b"\n"].concat();
        // Warnings have no way to report that they cannot be written.
        let _ = output::flush(vm);
        let _ = std::io::stderr().write_all(&line);
    }
}

// ---- values and types ------------------------------------------------

fn type_of(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 0)?;
    Ok(Ret::One(upvalue(vm, v.tag.0 as usize)))
}

fn tostring(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 0)?;
    let s = match v.tag {
        Tag::STR => return Ok(Ret::One(v)),
        Tag::INT | Tag::FLOAT => vm.str(NumberText::new(v).as_bytes()),
        _ => vm.tostring(v)?,
    };
    Ok(Ret::One(Value::str(s)))
}

fn tonumber(vm: &mut VmState, args: Args) -> NativeResult {
    if args.get(1).is_nil() {
        let v = args.get(0);
        return Ok(Ret::One(match v.tag {
            Tag::INT | Tag::FLOAT => v,
            Tag::STR => vm.coerce_number(v).unwrap_or(Value::NIL),
            _ => {
                check_any(vm, args, 0)?;
                Value::NIL
            }
        }));
    }
    let base = check_int(vm, args, 1)?;
    let Some(s) = args.get(0).as_str() else {
        return Err(type_error(vm, args, 0, "string"));
    };
    match u32::try_from(base) {
        Ok(base @ 2..=36) => {
            let n = parse_in_base(s.bytes(), base);
            Ok(Ret::One(n.map_or(Value::NIL, Value::int)))
        }
        _ => Err(arg_error(vm, 1, "base out of range")),
    }
}

/// An integer in a base of 2 to 36, wrapping around on overflow.
fn parse_in_base(text: &[u8], base: u32) -> Option<i64> {
    let digits = number::trim(text);
    let (neg, digits) = match digits.first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut n = 0i64;
    for &b in digits {
        let d = char::from(b).to_digit(base)?;
        n = n.wrapping_mul(i64::from(base)).wrapping_add(i64::from(d));
    }
    Some(if neg { n.wrapping_neg() } else { n })
}

fn rawequal(vm: &mut VmState, args: Args) -> NativeResult {
    let a = check_any(vm, args, 0)?;
    let b = check_any(vm, args, 1)?;
    Ok(Ret::One(Value::bool(a.raw_eq(b))))
}

fn rawlen(vm: &mut VmState, args: Args) -> NativeResult {
    let v = args.get(0);
    if let Some(t) = v.as_table() {
        return Ok(Ret::One(Value::int(t.border())));
    }
    match v.as_str() {
        Some(s) => Ok(Ret::One(Value::int(s.len() as i64))),
        None => Err(type_error(vm, args, 0, "table or string")),
    }
}

fn rawget(vm: &mut VmState, args: Args) -> NativeResult {
    let t = check_table(vm, args, 0)?;
    let k = check_any(vm, args, 1)?;
    Ok(Ret::One(t.get(k)))
}

fn rawset(vm: &mut VmState, args: Args) -> NativeResult {
    let t = check_table(vm, args, 0)?;
    let k = check_any(vm, args, 1)?;
    let v = check_any(vm, args, 2)?;
    vm.raw_set(t, k, v)?;
    Ok(Ret::One(args.get(0)))
}

fn getmetatable(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 0)?;
    let Some(mt) = vm.metatable_of(v) else {
        return Ok(Ret::One(Value::NIL));
    };
    let shown = vm.meta_of(mt, Event::Metatable);
    Ok(Ret::One(if shown.is_nil() {
        Value::table(mt)
    } else {
        shown
    }))
}

fn setmetatable(vm: &mut VmState, args: Args) -> NativeResult {
    let t = check_table(vm, args, 0)?;
    let mt = match args.opt(1) {
        Some(Value { tag: Tag::NIL, .. }) => None,
        Some(v) if v.tag == Tag::TABLE => v.as_table(),
        _ => return Err(type_error(vm, args, 1, "nil or table")),
    };
    if !vm.metamethod(args.get(0), Event::Metatable).is_nil() {
        return Err(vm.error("cannot change a protected metatable"));
    }
    let before = mt.map(|mt| [t.shape().id, mt.shape().id]);
    t.set_metatable(vm, mt);
    if let (Some(mt), Some(before)) = (mt, before) {
        vm.note_metatable(t, mt, before);
    }
    // What `__index` holds is looked at as often as the metatable itself.
    if let Some(index) = mt.and_then(|mt| vm.meta_of(mt, Event::Index).as_table()) {
        index.mark_meta(vm);
    }
    Ok(Ret::One(args.get(0)))
}

// ---- iteration -------------------------------------------------------

fn next(vm: &mut VmState, args: Args) -> NativeResult {
    let t = check_table(vm, args, 0)?;
    match t.next(args.get(1)) {
        Ok(Some((k, v))) => push_all(vm, &[k, v]),
        Ok(None) => Ok(Ret::One(Value::NIL)),
        Err(e @ KeyError::NotFound) => Err(vm.runtime_error(e.to_string())),
        Err(e) => Err(vm.key_error(e)),
    }
}

fn pairs(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 0)?;
    let mm = vm.metamethod(v, Event::Pairs);
    if mm.is_nil() {
        let next = upvalue(vm, 0);
        return push_all(vm, &[next, v, Value::NIL]);
    }
    let r = vm.call::<3>(mm, &[v])?;
    push_all(vm, &r)
}

fn ipairs(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 0)?;
    let step = upvalue(vm, 0);
    push_all(vm, &[step, v, Value::int(0)])
}

fn ipairs_step(vm: &mut VmState, args: Args) -> NativeResult {
    let i = Value::int(check_int(vm, args, 1)?.wrapping_add(1));
    let v = vm.index(args.get(0), i)?;
    if v.is_nil() {
        return Ok(Ret::One(Value::NIL));
    }
    push_all(vm, &[i, v])
}

fn select(vm: &mut VmState, args: Args) -> NativeResult {
    let n = args.len() as i64;
    if let Some(s) = args.get(0).as_str()
        && s.bytes().first() == Some(&b'#')
    {
        return Ok(Ret::One(Value::int(n - 1)));
    }
    let i = check_int(vm, args, 0)?;
    let from = if i < 0 { n + i } else { i.min(n) };
    if from < 1 {
        return Err(arg_error(vm, 0, "index out of range"));
    }
    // The last arguments are on top of the stack.
    Ok(Ret::Many((n - from) as u32))
}

// ---- errors ----------------------------------------------------------

fn assert(vm: &mut VmState, args: Args) -> NativeResult {
    if args.get(0).truthy() {
        return Ok(match args.len() {
            1 => Ret::One(args.get(0)),
            n => Ret::Many(n as u32),
        });
    }
    check_any(vm, args, 0)?;
    let message = match args.opt(1) {
        Some(message) => message,
        None => vm.str_value(b"assertion failed!"),
    };
    Err(raise(vm, message, 1))
}

fn error(vm: &mut VmState, args: Args) -> NativeResult {
    let level = opt_int(vm, args, 1, 1)?;
    Err(raise(vm, args.get(0), level))
}

/// Raises `v`; a string gets the position of the function at `level` in
/// front.
fn raise(vm: &mut VmState, mut v: Value, level: i64) -> Thrown {
    if let (Some(s), Ok(level @ 1..)) = (v.as_str(), usize::try_from(level)) {
        let position = vm.where_am_i(level);
        if !position.is_empty() {
            let mut text = position.into_bytes();
            text.extend_from_slice(s.bytes());
            v = vm.str_value(&text);
        }
    }
    vm.throw(v)
}

fn pcall(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_any(vm, args, 0)?;
    vm.note_protected(f);
    call_with_handler(vm, f, Value::NIL, &args.as_slice()[1..])
}

fn xpcall(vm: &mut VmState, args: Args) -> NativeResult {
    let handler = check_function(vm, args, 1)?;
    call_with_handler(vm, args.get(0), handler, &args.as_slice()[2..])
}

/// A protected call with `handler` as the message handler; results as those of
/// `pcall`.
fn call_with_handler(vm: &mut VmState, f: Value, handler: Value, args: &[Value]) -> NativeResult {
    // The stack keeps the outer handler alive meanwhile.
    vm.push(vm.handler.function)?;
    vm.push(Value::TRUE)?;
    let outer = vm.handler;
    vm.handler = vm.handler_from_here(handler);
    let result = vm.protected_call(f, args);
    vm.handler = outer;
    match result {
        Ok(n) => Ok(Ret::Many(n + 1)),
        Err(_) if vm.is_dying() => Err(vm.rethrow()),
        Err(e) => {
            vm.pop(1);
            push_all(vm, &[Value::FALSE, e])
        }
    }
}
