//! The `os` library.

use crate::args::{arg_error, check_int, check_option, check_str, check_table, opt_int, opt_str};
use crate::calendar::{self, Fields, Moment};
use crate::{io, register, sys};
use rustix::time::{ClockId, clock_gettime};
use std::time::{SystemTime, UNIX_EPOCH};
use vela_objects::{Args, Gc, LuaResult, NativeFn, NativeResult, Ret, Table, Value, VmState};

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("os.clock", clock),
    ("os.date", date),
    ("os.difftime", difftime),
    ("os.execute", execute),
    ("os.exit", exit),
    ("os.getenv", getenv),
    ("os.remove", remove),
    ("os.rename", rename),
    ("os.setlocale", setlocale),
    ("os.time", time),
    ("os.tmpname", tmpname),
];

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    register::library(vm, "os", FUNCTIONS);
}

type AtExit = Box<dyn FnMut(&mut VmState)>;

struct ExitHook(Option<AtExit>);

/// Has `os.exit` run `hook` before it ends the process: hosts report
/// statistics with it.
pub fn set_exit_hook(vm: &mut VmState, hook: impl FnMut(&mut VmState) + 'static) {
    vm.host_state_or(|| ExitHook(None)).0 = Some(Box::new(hook));
}

/// Writes out all buffers and ends the process, as `os.exit(status)`.
pub fn exit_process(vm: &mut VmState, status: i32) -> ! {
    io::flush_all(vm);
    let hook = vm.host_state_or(|| ExitHook(None)).0.take();
    if let Some(mut hook) = hook {
        hook(vm);
    }
    std::process::exit(status)
}

fn exit(vm: &mut VmState, args: Args) -> NativeResult {
    let status = match args.get(0).as_bool() {
        Some(ok) => i64::from(!ok),
        None => opt_int(vm, args, 0, 0)?,
    };
    if args.get(1).truthy() {
        vm.close();
    }
    exit_process(vm, status as i32)
}

fn clock(_: &mut VmState, _: Args) -> NativeResult {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    // C's clock() counts microseconds.
    let micros = t.tv_sec * 1_000_000 + t.tv_nsec / 1000;
    Ok(Ret::One(Value::float(micros as f64 / 1e6)))
}

fn getenv(vm: &mut VmState, args: Args) -> NativeResult {
    let name = check_str(vm, args, 0)?;
    let bytes = name.bytes();
    // Names that the environment cannot hold are not in it.
    let value = if bytes.is_empty() || bytes.iter().any(|b| matches!(b, 0 | b'=')) {
        None
    } else {
        std::env::var_os(sys::os_string(bytes))
    };
    Ok(Ret::One(match value {
        Some(v) => vm.str_value(&sys::os_bytes(v)),
        None => Value::NIL,
    }))
}

fn remove(vm: &mut VmState, args: Args) -> NativeResult {
    let name = check_str(vm, args, 0)?.bytes();
    let path = sys::os_string(name);
    let result = match std::fs::symlink_metadata(&path) {
        Ok(m) if m.is_dir() => std::fs::remove_dir(&path),
        _ => std::fs::remove_file(&path),
    };
    sys::file_result(vm, result, Some(name))
}

fn rename(vm: &mut VmState, args: Args) -> NativeResult {
    let from = check_str(vm, args, 0)?.bytes();
    let to = check_str(vm, args, 1)?.bytes();
    let result = std::fs::rename(sys::os_string(from), sys::os_string(to));
    sys::file_result(vm, result, None)
}

fn tmpname(vm: &mut VmState, _: Args) -> NativeResult {
    match sys::temporary_file() {
        Ok((_, path)) => Ok(Ret::One(
            vm.str_value(&sys::os_bytes(path.into_os_string())),
        )),
        Err(_) => Err(vm.error("unable to generate a unique filename")),
    }
}

fn execute(vm: &mut VmState, args: Args) -> NativeResult {
    let Some(command) = opt_str(vm, args, 0)? else {
        return Ok(Ret::One(Value::bool(
            std::path::Path::new("/bin/sh").exists(),
        )));
    };
    io::flush_all(vm);
    match sys::shell(command.bytes()).status() {
        Ok(status) => sys::exec_result(vm, status),
        Err(e) => sys::failure(vm, &e, None),
    }
}

fn setlocale(vm: &mut VmState, args: Args) -> NativeResult {
    let locale = opt_str(vm, args, 0)?;
    let kinds = ["all", "collate", "ctype", "monetary", "numeric", "time"];
    check_option(vm, args, 1, Some("all"), &kinds)?;
    // There is one locale, C.
    let known = locale.is_none_or(|l| matches!(l.bytes(), b"" | b"C" | b"POSIX"));
    Ok(Ret::One(if known {
        vm.str_value(b"C")
    } else {
        Value::NIL
    }))
}

fn now() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(d) => d.as_secs() as i64,
        Err(e) => -(e.duration().as_secs() as i64),
    }
}

fn difftime(vm: &mut VmState, args: Args) -> NativeResult {
    let a = check_int(vm, args, 0)?;
    let b = check_int(vm, args, 1)?;
    Ok(Ret::One(Value::float(
        (i128::from(a) - i128::from(b)) as f64,
    )))
}

fn date(vm: &mut VmState, args: Args) -> NativeResult {
    let format = opt_str(vm, args, 0)?.map_or(&b"%c"[..], Gc::bytes);
    let t = if args.get(1).is_nil() {
        now()
    } else {
        check_int(vm, args, 1)?
    };
    let (format, moment) = match format.strip_prefix(b"!") {
        Some(rest) => (rest, calendar::utc(t)),
        None => (format, calendar::local(t)),
    };
    let Some(moment) = moment else {
        return Err(vm.error("date result cannot be represented in this installation"));
    };
    if format == b"*t" {
        let t = vm.table(9, 0);
        set_fields(vm, t, &moment);
        return Ok(Ret::One(Value::table(t)));
    }
    let mut out = Vec::with_capacity(format.len() + 32);
    let mut item = String::new();
    let mut rest = format;
    while let Some((&c, after)) = rest.split_first() {
        if c != b'%' {
            out.push(c);
            rest = after;
            continue;
        }
        let Some(n) = calendar::conversion_len(after) else {
            let text = format!(
                "invalid conversion specifier '%{}'",
                String::from_utf8_lossy(after)
            );
            return Err(arg_error(vm, 0, &text));
        };
        item.clear();
        calendar::format(&mut item, after[n - 1], &moment);
        out.extend_from_slice(item.as_bytes());
        rest = &after[n..];
    }
    Ok(Ret::One(vm.str_value(&out)))
}

fn set_fields(vm: &mut VmState, t: Gc<Table>, m: &Moment) {
    for (key, value) in [
        ("year", m.year),
        ("month", m.month),
        ("day", m.day),
        ("hour", m.hour),
        ("min", m.min),
        ("sec", m.sec),
        ("yday", m.yday),
        ("wday", m.wday),
    ] {
        register::set_field(vm, t, key, Value::int(value));
    }
    register::set_field(vm, t, "isdst", Value::bool(m.dst));
}

/// Field `key` of a date table, which C keeps in an `int` less `base`.
fn field(
    vm: &mut VmState,
    date: Value,
    key: &str,
    default: Option<i64>,
    base: i64,
) -> LuaResult<i64> {
    let k = vm.str_value(key.as_bytes());
    let v = vm.index(date, k)?;
    match vm.coerce_number(v).and_then(Value::to_int) {
        Some(n) => {
            if n.checked_sub(base)
                .is_some_and(|n| i32::try_from(n).is_ok())
            {
                Ok(n)
            } else {
                Err(vm.error(format!("field '{key}' is out-of-bound")))
            }
        }
        None if !v.is_nil() => Err(vm.error(format!("field '{key}' is not an integer"))),
        None => match default {
            Some(d) => Ok(d),
            None => Err(vm.error(format!("field '{key}' missing in date table"))),
        },
    }
}

fn time(vm: &mut VmState, args: Args) -> NativeResult {
    if args.get(0).is_nil() {
        return Ok(Ret::One(Value::int(now())));
    }
    let t = check_table(vm, args, 0)?;
    let v = args.get(0);
    let year = field(vm, v, "year", None, 1900)?;
    let month = field(vm, v, "month", None, 1)?;
    let day = field(vm, v, "day", None, 0)?;
    let hour = field(vm, v, "hour", Some(12), 0)?;
    let min = field(vm, v, "min", Some(0), 0)?;
    let sec = field(vm, v, "sec", Some(0), 0)?;
    let key = vm.str_value(b"isdst");
    let dst = vm.index(v, key)?;
    let fields = Fields {
        year,
        month,
        day,
        hour,
        min,
        sec,
        dst: (!dst.is_nil()).then(|| dst.truthy()),
    };
    match calendar::from_local(fields) {
        // C's mktime reports failure as -1.
        Some((seconds, moment)) if seconds != -1 => {
            set_fields(vm, t, &moment);
            Ok(Ret::One(Value::int(seconds)))
        }
        _ => Err(vm.error("time result cannot be represented in this installation")),
    }
}
