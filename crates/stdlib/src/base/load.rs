//! `load`, `loadfile` and `dofile`.

use crate::args::{check_function, opt_str};
use crate::chunk;
use vela_objects::{Args, NativeResult, Ret, Value, VmState};

/// Longest chunk that a reader function may give, in bytes.
const MAX_CHUNK: usize = 1 << 30;

fn mode_of(vm: &mut VmState, args: Args, i: usize) -> Result<String, vela_objects::Thrown> {
    Ok(match opt_str(vm, args, i)? {
        Some(m) => m.to_text(),
        None => "bt".into(),
    })
}

/// `nil` and a message.
fn failed(vm: &mut VmState, message: Value) -> NativeResult {
    vm.push(Value::NIL)?;
    vm.push(message)?;
    Ok(Ret::Many(2))
}

fn finish(vm: &mut VmState, loaded: Result<Value, String>) -> NativeResult {
    match loaded {
        Ok(f) => Ok(Ret::One(f)),
        Err(message) => {
            let message = vm.str_value(message.as_bytes());
            failed(vm, message)
        }
    }
}

pub(super) fn load(vm: &mut VmState, args: Args) -> NativeResult {
    let mode = mode_of(vm, args, 2)?;
    let env = args.opt(3).unwrap_or(Value::table(vm.globals));
    if let Some(text) = vm.coerce_str(args.get(0)) {
        args.set(0, Value::str(text));
        let name = opt_str(vm, args, 1)?.unwrap_or(text).to_text();
        let loaded = chunk::load(vm, text.bytes(), &name, &mode, env);
        return finish(vm, loaded);
    }
    let name = match opt_str(vm, args, 1)? {
        Some(name) => name.to_text(),
        None => "=(load)".into(),
    };
    let reader = check_function(vm, args, 0)?;
    let mut text = Vec::new();
    loop {
        let height = vm.height();
        let piece = match vm.protected_call(reader, &[]) {
            Ok(n) => {
                let piece = if n == 0 {
                    Value::NIL
                } else {
                    vm.peek(n as usize - 1)
                };
                vm.truncate(height);
                piece
            }
            Err(_) if vm.is_dying() => return Err(vm.rethrow()),
            Err(e) => return failed(vm, e),
        };
        if piece.is_nil() {
            break;
        }
        let Some(piece) = vm.coerce_str(piece) else {
            let place = vm.where_am_i(1);
            let message = format!("{place}reader function must return a string");
            let message = vm.str_value(message.as_bytes());
            return failed(vm, message);
        };
        if piece.is_empty() {
            break;
        }
        if text.len() + piece.len() > MAX_CHUNK {
            return Err(vm.error("chunk is too long"));
        }
        text.extend_from_slice(piece.bytes());
    }
    let loaded = chunk::load(vm, &text, &name, &mode, env);
    finish(vm, loaded)
}

pub(super) fn loadfile(vm: &mut VmState, args: Args) -> NativeResult {
    let name = opt_str(vm, args, 0)?;
    let mode = mode_of(vm, args, 1)?;
    let env = args.opt(2).unwrap_or(Value::table(vm.globals));
    let loaded = chunk::load_file(vm, name.map(|n| n.bytes()), &mode, env);
    finish(vm, loaded)
}

pub(super) fn dofile(vm: &mut VmState, args: Args) -> NativeResult {
    let name = opt_str(vm, args, 0)?;
    let env = Value::table(vm.globals);
    match chunk::load_file(vm, name.map(|n| n.bytes()), "bt", env) {
        Ok(f) => Ok(Ret::Many(vm.call_multi(f, &[])?)),
        Err(message) => {
            let message = vm.str_value(message.as_bytes());
            Err(vm.throw(message))
        }
    }
}
