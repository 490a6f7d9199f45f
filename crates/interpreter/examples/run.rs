//! Runs a Lua file in the interpreter: `run file.lua args...`.

use std::process::ExitCode;
use vela_interpreter as interp;
use vela_objects::{FuncProto, Gc, Value, VmState};

fn load(vm: &mut VmState, chunk: &[u8], name: &str, _: &str) -> Result<Gc<FuncProto>, String> {
    let proto = vela_lua::compile(chunk, name).map_err(|e| e.to_string())?;
    Ok(vm.load_proto(&proto))
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(file) = args.next() else {
        eprintln!("usage: run file.lua args...");
        return ExitCode::FAILURE;
    };
    let source = match std::fs::read(&file) {
        Ok(s) => s,
        Err(e) => {
            eprintln!("{file}: {e}");
            return ExitCode::FAILURE;
        }
    };
    let mut vm = interp::new_vm(1).expect("stacks");
    vm.hooks.load = load;
    vm.set_gc_stress(std::env::var_os("VELA_GC_STRESS").is_some());
    vela_stdlib::open_all(&mut vm);
    let text = vela_lua::strip_shebang(&source);
    let main = match load(&mut vm, text, &format!("@{file}"), "t") {
        Ok(p) => p,
        Err(e) => {
            eprintln!("{e}");
            return ExitCode::FAILURE;
        }
    };
    let env = Value::table(vm.globals);
    let cell = vm.cell(env);
    let f = vm.closure(main, |_| cell, 1);
    let args: Vec<Value> = args.map(|a| vm.str_value(a.as_bytes())).collect();
    let result = interp::call(&mut vm, Value::lua_fn(f), &args);
    let _ = vela_stdlib::flush(&mut vm);
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(e) => {
            let text = vm.tostring(e).map_or("?".into(), |s| s.to_text());
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}
