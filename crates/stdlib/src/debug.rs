//! The `debug` library. Userdata have no user values.

use crate::args::{
    arg_error, check_any, check_function, check_int, check_str, check_table, opt_int, opt_str,
    type_error,
};
use crate::{chunk, output, register};
use std::io::{BufRead, Write};
use vela_objects::debug::{FrameView, FunctionInfo};
use vela_objects::hook::mask;
use vela_objects::{
    Args, Gc, LuaResult, NativeFn, NativeResult, Ret, Table, Tag, Thread, Value, VmState,
};

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("debug.debug", prompt),
    ("debug.gethook", gethook),
    ("debug.getinfo", getinfo),
    ("debug.getlocal", getlocal),
    ("debug.getmetatable", getmetatable),
    ("debug.getregistry", getregistry),
    ("debug.getupvalue", getupvalue),
    ("debug.getuservalue", getuservalue),
    ("debug.setcstacklimit", setcstacklimit),
    ("debug.sethook", sethook),
    ("debug.setlocal", setlocal),
    ("debug.setmetatable", setmetatable),
    ("debug.setupvalue", setupvalue),
    ("debug.setuservalue", setuservalue),
    ("debug.traceback", traceback),
    ("debug.upvalueid", upvalueid),
    ("debug.upvaluejoin", upvaluejoin),
];

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    register::library(vm, "debug", FUNCTIONS);
}

/// `debug.debug`: runs lines of the standard input until `cont`.
fn prompt(vm: &mut VmState, _: Args) -> NativeResult {
    while let Some(loaded) = read_command(vm) {
        let outcome = match loaded {
            Ok(f) => {
                let at = vm.top;
                let done = vm.protected_call(f, &[]);
                vm.top = at;
                done.map(drop)
            }
            Err(message) => Err(message),
        };
        match outcome {
            Err(_) if vm.is_dying() => return Err(vm.rethrow()),
            Err(e) => {
                let text = vm.tostring(e)?;
                show(vm, &[text.bytes(), b"\n"].concat());
            }
            Ok(()) => {}
        }
    }
    Ok(Ret::None)
}

/// The next line of the standard input as a function, or why it is none;
/// `None` at the end or at `cont`.
fn read_command(vm: &mut VmState) -> Option<Result<Value, Value>> {
    show(vm, b"lua_debug> ");
    let mut line = Vec::new();
    let read = std::io::stdin().lock().read_until(b'\n', &mut line);
    if !matches!(read, Ok(1..)) || line == b"cont\n" {
        return None;
    }
    let env = Value::table(vm.globals);
    let loaded = chunk::load(vm, &line, "=(debug command)", "bt", env);
    Some(loaded.map_err(|e| vm.str_value(e.as_bytes())))
}

fn show(vm: &mut VmState, text: &[u8]) {
    // A prompt has no way to report that it cannot be written.
    let _ = output::flush(vm);
    let _ = std::io::stderr().write_all(text);
}

/// The thread that a function of this library is about, and the number of
/// arguments that say so.
fn thread_arg(vm: &VmState, args: Args) -> (Gc<Thread>, usize) {
    match args.get(0).as_thread() {
        Some(t) => (t, 1),
        None => (vm.thread, 0),
    }
}

fn traceback(vm: &mut VmState, args: Args) -> NativeResult {
    let (thread, skip) = thread_arg(vm, args);
    let message = args.get(skip);
    if !(message.is_nil() || message.tag == Tag::STR || message.is_number()) {
        return Ok(Ret::One(message));
    }
    let own = i64::from(thread == vm.thread);
    let level = opt_int(vm, args, skip + 1, own)?;
    let message = vm.coerce_str(message).map(Gc::to_text);
    // A negative level shows nothing below the message, as one above the
    // stack does.
    let level = usize::try_from(level).unwrap_or(usize::MAX);
    let text = vm.with_frames_of(thread, |vm| vm.traceback(message.as_deref(), level));
    Ok(Ret::One(vm.str_value(text.as_bytes())))
}

/// The message handler of stand-alone programs: adds a traceback to messages,
/// turns other error objects into text if they know how.
///
/// # Errors
/// What `__tostring` of an error object raises.
pub fn message_handler(vm: &mut VmState, args: Args) -> NativeResult {
    let v = args.get(0);
    let message = match vm.coerce_str(v) {
        Some(s) => s,
        None => {
            let mm = vm.metamethod(v, vela_objects::meta::Event::ToString);
            if !mm.is_nil() {
                let [r] = vm.call::<1>(mm, &[v])?;
                if r.tag == Tag::STR {
                    return Ok(Ret::One(r));
                }
            }
            let text = format!("(error object is a {} value)", v.tag.type_name());
            vm.str(text.as_bytes())
        }
    };
    let text = vm.traceback(Some(&message.to_text()), 1);
    Ok(Ret::One(vm.str_value(text.as_bytes())))
}

fn set(vm: &mut VmState, t: Gc<Table>, key: &str, v: Value) {
    register::set_field(vm, t, key, v);
}

fn set_text(vm: &mut VmState, t: Gc<Table>, key: &str, text: &str) {
    let v = vm.str_value(text.as_bytes());
    set(vm, t, key, v);
}

fn frame_arg(
    vm: &mut VmState,
    args: Args,
    i: usize,
    thread: Gc<Thread>,
) -> LuaResult<Option<(usize, FrameView)>> {
    let level = check_int(vm, args, i)?;
    Ok(frame_at(vm, thread, level))
}

/// The active frame of `thread` at a level.
fn frame_at(vm: &mut VmState, thread: Gc<Thread>, level: i64) -> Option<(usize, FrameView)> {
    let level = usize::try_from(level).ok()?;
    let frame = vm.with_frames_of(thread, |vm| vm.frame_at(level));
    frame.map(|f| (level, f))
}

fn getinfo(vm: &mut VmState, args: Args) -> NativeResult {
    let (thread, skip) = thread_arg(vm, args);
    let options = match opt_str(vm, args, skip + 1)? {
        Some(s) => s.bytes(),
        None => b"flnSrtu",
    };
    if options.first() == Some(&b'>') {
        return Err(arg_error(vm, skip + 1, "invalid option '>'"));
    }
    let (function, frame) = if args.get(skip).is_function() {
        (args.get(skip), None)
    } else {
        match frame_arg(vm, args, skip, thread)? {
            Some((level, f)) => (f.function(), Some((level, f))),
            None => return Ok(Ret::One(Value::NIL)),
        }
    };
    if options.iter().any(|o| !b"SlnrutLf".contains(o)) {
        return Err(arg_error(vm, skip + 1, "invalid option"));
    }
    let info = FunctionInfo::of(function);
    let t = vm.table(16, 0);
    for option in options {
        match option {
            b'S' => {
                set_text(vm, t, "source", &info.source);
                set_text(vm, t, "short_src", &info.short_src);
                set(vm, t, "linedefined", Value::int(info.line_defined));
                set(vm, t, "lastlinedefined", Value::int(info.last_line));
                set_text(vm, t, "what", info.what);
            }
            b'l' => {
                let line = frame.and_then(|(_, f)| vm.current_line(f));
                let line = line.map_or(-1, i64::from);
                set(vm, t, "currentline", Value::int(line));
            }
            b'u' => {
                set(vm, t, "nups", Value::int(info.upvalues as i64));
                set(vm, t, "nparams", Value::int(i64::from(info.params)));
                set(vm, t, "isvararg", Value::bool(info.is_vararg));
            }
            b'n' => {
                let name = frame
                    .and_then(|(level, _)| vm.with_frames_of(thread, |vm| vm.function_name(level)));
                match name {
                    Some((what, name)) => {
                        set_text(vm, t, "name", &name);
                        set_text(vm, t, "namewhat", what);
                    }
                    None => set_text(vm, t, "namewhat", ""),
                }
            }
            b'r' => {
                let (first, count) = frame.map_or((0, 0), |(_, f)| vm.transfer_of(thread, f));
                set(vm, t, "ftransfer", Value::int(first.into()));
                set(vm, t, "ntransfer", Value::int(count.into()));
            }
            b't' => {
                let tail = frame.is_some_and(|(_, f)| vm.is_tail_call(f));
                set(vm, t, "istailcall", Value::bool(tail));
            }
            b'L' => {
                let lines = active_lines(vm, function);
                set(vm, t, "activelines", lines);
            }
            _ => set(vm, t, "func", function),
        }
    }
    Ok(Ret::One(Value::table(t)))
}

/// The set of lines that have code; nil for natives.
fn active_lines(vm: &mut VmState, function: Value) -> Value {
    let Some(c) = function.as_lua_fn() else {
        return Value::NIL;
    };
    let proto = c.proto.proto();
    let t = vm.table(0, 0);
    // The first instruction of a vararg function belongs to no line.
    let first = u32::from(proto.is_vararg);
    for pc in first..proto.code.len() as u32 {
        if let Some(line) = proto.lines.line(pc) {
            t.set_int(vm, i64::from(line), Value::TRUE);
        }
    }
    Value::table(t)
}

fn getlocal(vm: &mut VmState, args: Args) -> NativeResult {
    let (thread, skip) = thread_arg(vm, args);
    let n = check_int(vm, args, skip + 1)?;
    if let Some(c) = args.get(skip).as_lua_fn() {
        // Of a function that is not active: its parameters.
        let proto = c.proto.proto();
        let n = usize::try_from(n).ok().and_then(|n| n.checked_sub(1));
        let name = n
            .filter(|&n| n < usize::from(proto.num_params))
            .and_then(|n| proto.locals.get(n))
            .map(|l| l.name.clone());
        return Ok(Ret::One(match name {
            Some(name) => vm.str_value(name.as_bytes()),
            None => Value::NIL,
        }));
    }
    if args.get(skip).is_function() {
        return Ok(Ret::One(Value::NIL));
    }
    let Some((_, frame)) = frame_arg(vm, args, skip, thread)? else {
        return Err(arg_error(vm, skip, "level out of range"));
    };
    vm.make_debuggable();
    let local = vm.local_of(thread, frame, n);
    let Some((name, v)) = local else {
        return Ok(Ret::One(Value::NIL));
    };
    let name = vm.str_value(name.as_bytes());
    vm.push(name)?;
    vm.push(v)?;
    Ok(Ret::Many(2))
}

fn setlocal(vm: &mut VmState, args: Args) -> NativeResult {
    let (thread, skip) = thread_arg(vm, args);
    let level = check_int(vm, args, skip)?;
    let n = check_int(vm, args, skip + 1)?;
    let Some((_, frame)) = frame_at(vm, thread, level) else {
        return Err(arg_error(vm, skip, "level out of range"));
    };
    let v = check_any(vm, args, skip + 2)?;
    vm.make_debuggable();
    let name = vm.set_local(thread, frame, n, v);
    Ok(Ret::One(match name {
        Some(name) => vm.str_value(name.as_bytes()),
        None => Value::NIL,
    }))
}

/// Key of the table of hooks in the registry: threads with the hook function of
/// each.
const HOOKS: &str = "_HOOKKEY";

/// Keeps a thread's hook where programs look for it: in a table of the
/// registry with weak keys, which is its own metatable.
fn note_hook(vm: &mut VmState, thread: Gc<Thread>, function: Value) {
    let key = vm.str(HOOKS.as_bytes());
    let hooks = match vm.registry.get_str(key).as_table() {
        Some(t) => t,
        None => {
            let t = vm.table(0, 0);
            set_text(vm, t, "__mode", "k");
            t.set_metatable(vm, Some(t));
            let registry = vm.registry;
            registry.set_str(vm, key, Value::table(t));
            t
        }
    };
    // A thread is a valid key.
    let _ = hooks.set(vm, Value::thread(thread), function);
}

/// Events and their letters in a hook's mask.
const HOOK_LETTERS: [(u8, u8); 3] = [(b'c', mask::CALL), (b'r', mask::RETURN), (b'l', mask::LINE)];

fn sethook(vm: &mut VmState, args: Args) -> NativeResult {
    let (thread, skip) = thread_arg(vm, args);
    if args.get(skip).is_nil() {
        note_hook(vm, thread, Value::NIL);
        vm.set_hook(thread, Value::NIL, 0, 0);
        return Ok(Ret::None);
    }
    let letters = check_str(vm, args, skip + 1)?;
    let function = check_function(vm, args, skip)?;
    let count = opt_int(vm, args, skip + 2, 0)?;
    let interval = u32::try_from(count).unwrap_or(if count > 0 { u32::MAX } else { 0 });
    let mut events = if interval > 0 { mask::COUNT } else { 0 };
    for (letter, event) in HOOK_LETTERS {
        if letters.bytes().contains(&letter) {
            events |= event;
        }
    }
    vm.make_debuggable();
    note_hook(vm, thread, function);
    vm.set_hook(thread, function, events, interval);
    Ok(Ret::None)
}

fn gethook(vm: &mut VmState, args: Args) -> NativeResult {
    let (thread, _) = thread_arg(vm, args);
    let hook = thread.hook();
    if hook.mask == 0 {
        return Ok(Ret::One(Value::NIL));
    }
    let letters: Vec<u8> = HOOK_LETTERS
        .iter()
        .filter(|(_, event)| hook.mask & event != 0)
        .map(|l| l.0)
        .collect();
    let letters = vm.str_value(&letters);
    vm.push(hook.function)?;
    vm.push(letters)?;
    vm.push(Value::int(hook.interval.into()))?;
    Ok(Ret::Many(3))
}

fn getregistry(vm: &mut VmState, _: Args) -> NativeResult {
    Ok(Ret::One(Value::table(vm.registry)))
}

fn getmetatable(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 0)?;
    Ok(Ret::One(
        vm.metatable_of(v).map_or(Value::NIL, Value::table),
    ))
}

fn setmetatable(vm: &mut VmState, args: Args) -> NativeResult {
    let mt = match args.get(1).tag {
        Tag::NIL => None,
        _ => Some(check_table(vm, args, 1)?),
    };
    let v = args.get(0);
    if let Some(t) = v.as_table() {
        t.set_metatable(vm, mt);
    } else {
        if let Some(mt) = mt {
            mt.mark_meta(vm);
        }
        if let Some(u) = v.as_userdata() {
            u.set_metatable(mt);
            if let Some(mt) = mt {
                vm.barrier_ref(mt);
                vm.note_finalizer(v, mt);
            }
        } else {
            // One metatable for all values of a type.
            let tag = match v.tag {
                Tag::FLOAT => Tag::INT,
                Tag::NATIVE_FN => Tag::LUA_FN,
                tag => tag,
            };
            vm.type_metatables[tag.0 as usize] = mt;
        }
        vm.bump_meta_epoch();
    }
    Ok(Ret::One(v))
}

/// The name of upvalue `n` (from 1) of a function, if there is one.
fn upvalue_name(f: Value, n: i64) -> Option<(usize, String)> {
    let i = usize::try_from(n).ok()?.checked_sub(1)?;
    if let Some(c) = f.as_lua_fn() {
        let desc = c.proto.proto().upvals.get(i)?;
        let name = desc.name.as_ref().map_or("(no name)", |n| n);
        return Some((i, name.to_string()));
    }
    let count = f.as_native_fn()?.header.extra as usize;
    (i < count).then(|| (i, String::new()))
}

fn getupvalue(vm: &mut VmState, args: Args) -> NativeResult {
    let n = check_int(vm, args, 1)?;
    let f = check_function(vm, args, 0)?;
    let Some((i, name)) = upvalue_name(f, n) else {
        return Ok(Ret::None);
    };
    let v = match (f.as_lua_fn(), f.as_native_fn()) {
        (Some(c), _) => c.upval(i).get(),
        (_, Some(c)) => c.upval(i),
        _ => Value::NIL,
    };
    let name = vm.str_value(name.as_bytes());
    vm.push(name)?;
    vm.push(v)?;
    Ok(Ret::Many(2))
}

fn setupvalue(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 2)?;
    let n = check_int(vm, args, 1)?;
    let f = check_function(vm, args, 0)?;
    let Some((i, name)) = upvalue_name(f, n) else {
        return Ok(Ret::None);
    };
    if let Some(c) = f.as_lua_fn() {
        let cell = c.upval(i);
        cell.set(v);
        vm.barrier(v);
        vm.upvalues_changed();
    } else if let Some(c) = f.as_native_fn() {
        c.set_upval(i, v);
        vm.barrier(v);
    }
    Ok(Ret::One(vm.str_value(name.as_bytes())))
}

fn getuservalue(vm: &mut VmState, args: Args) -> NativeResult {
    opt_int(vm, args, 1, 1)?;
    Ok(Ret::One(Value::NIL))
}

/// `debug.setcstacklimit`: deprecated in 5.4, where it sets nothing and returns the
/// limit of nested C calls.
fn setcstacklimit(vm: &mut VmState, args: Args) -> NativeResult {
    const LIMIT: i64 = 200;
    check_int(vm, args, 0)?;
    Ok(Ret::One(Value::int(LIMIT)))
}

fn setuservalue(vm: &mut VmState, args: Args) -> NativeResult {
    opt_int(vm, args, 2, 1)?;
    if args.get(0).tag != Tag::USERDATA {
        return Err(type_error(vm, args, 0, "userdata"));
    }
    check_any(vm, args, 1)?;
    Ok(Ret::One(Value::NIL))
}

fn upvalueid(vm: &mut VmState, args: Args) -> NativeResult {
    let n = check_int(vm, args, 1)?;
    let f = check_function(vm, args, 0)?;
    let Some((i, _)) = upvalue_name(f, n) else {
        return Ok(Ret::One(Value::NIL));
    };
    Ok(Ret::One(match f.as_lua_fn() {
        Some(c) => Value::light(c.upval(i).addr()),
        // Natives share no upvalues: any address inside will do.
        None => Value::light(f.payload + i as u64),
    }))
}

fn upvaluejoin(vm: &mut VmState, args: Args) -> NativeResult {
    let mut ends = [(0, None), (0, None)];
    for (k, end) in ends.iter_mut().enumerate() {
        let n = check_int(vm, args, 2 * k + 1)?;
        let f = check_function(vm, args, 2 * k)?;
        let Some((i, _)) = upvalue_name(f, n) else {
            return Err(arg_error(vm, 2 * k + 1, "invalid upvalue index"));
        };
        let Some(c) = f.as_lua_fn() else {
            return Err(arg_error(vm, 2 * k, "Lua function expected"));
        };
        *end = (i, Some(c));
    }
    if let [(i, Some(to)), (j, Some(from))] = ends {
        let cell = from.upval(j);
        to.set_upval(i, cell);
        vm.barrier_ref(cell);
        vm.upvalues_changed();
    }
    Ok(Ret::None)
}
