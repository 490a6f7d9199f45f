//! Running Lua text in tests.
#![allow(dead_code)]

use vela_interpreter as interp;
use vela_objects::{FuncProto, Gc, Value, VmState};

fn load(vm: &mut VmState, chunk: &[u8], name: &str, _: &str) -> Result<Gc<FuncProto>, String> {
    let proto = vela_lua::compile(chunk, name).map_err(|e| e.to_string())?;
    Ok(vm.load_proto(&proto))
}

/// A VM with compiler and libraries.
pub fn new_vm() -> Box<VmState> {
    let mut vm = interp::new_vm(7).expect("address space");
    vm.hooks.load = load;
    vela_stdlib::open_all(&mut vm);
    vm
}

/// The main function of `text`.
pub fn compile(vm: &mut VmState, text: &str) -> Value {
    let main = load(vm, text.as_bytes(), "=test", "t").expect("valid Lua");
    let env = Value::table(vm.globals);
    let cell = vm.cell(env);
    Value::lua_fn(vm.closure(main, |_| cell, 1))
}

/// Runs `text` and gives its results, or its error, as text.
pub fn eval_in(vm: &mut VmState, text: &str) -> String {
    let f = compile(vm, text);
    match interp::call(vm, f, &[]) {
        Ok(values) => values
            .iter()
            .map(|&v| vm.raw_tostring(v).to_text())
            .collect::<Vec<_>>()
            .join(" "),
        Err(e) => format!("error: {}", vm.raw_tostring(e).to_text()),
    }
}

/// As [`eval_in`] in a VM of its own; once more collecting garbage at every
/// poll, which must not change the answer.
pub fn eval(text: &str) -> String {
    let plain = eval_in(&mut new_vm(), text);
    let mut vm = new_vm();
    vm.set_gc_stress(true);
    assert_eq!(eval_in(&mut vm, text), plain, "with collections everywhere");
    plain
}
