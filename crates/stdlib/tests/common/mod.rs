//! Running Lua text with all libraries.
#![allow(dead_code)]

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;
use vela_objects::{FuncProto, Gc, Value, VmState};

fn load(vm: &mut VmState, chunk: &[u8], name: &str, _: &str) -> Result<Gc<FuncProto>, String> {
    let proto = vela_lua::compile(chunk, name).map_err(|e| e.to_string())?;
    Ok(vm.load_proto(&proto))
}

/// A VM with compiler and libraries.
pub fn new_vm() -> Box<VmState> {
    let mut vm = vela_interpreter::new_vm(7).expect("address space");
    vm.hooks.load = load;
    vela_stdlib::open_all(&mut vm);
    vm
}

/// Runs `text` and gives its results, or its error, as text.
pub fn eval_in(vm: &mut VmState, text: &str) -> String {
    let main = match load(vm, text.as_bytes(), "=test", "t") {
        Ok(main) => main,
        Err(e) => return format!("syntax error: {e}"),
    };
    let env = Value::table(vm.globals);
    let f = vela_stdlib::chunk::main_function(vm, main, env);
    match vela_interpreter::call(vm, f, &[]) {
        Ok(values) => {
            let texts: Vec<String> = values
                .iter()
                .map(|&v| vm.raw_tostring(v).to_text())
                .collect();
            texts.join(" ")
        }
        Err(e) => format!("error: {}", vm.raw_tostring(e).to_text()),
    }
}

/// Runs every line `expressions ==> results` of a case file; the results are
/// what PUC Lua 5.4.8 gives.
pub fn run_cases(cases: &str) {
    let mut vm = new_vm();
    let mut failed = Vec::new();
    for line in cases.lines().filter(|l| !l.is_empty()) {
        let (code, want) = line.split_once(" ==> ").expect("a case has a result");
        let got = visible(&eval_in(&mut vm, &format!("return {code}")));
        if got != want {
            failed.push(format!("{code}\n    want {want}\n    got  {got}"));
        }
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

/// Control characters as escapes, so that a result is one line.
fn visible(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_control() && c != '\x7f' {
            out.push_str(&format!("\\x{:02x}", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

/// A writer whose content the test can look at.
#[derive(Clone, Default)]
pub struct Captured(pub Rc<RefCell<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
