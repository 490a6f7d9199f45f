//! The embedding interface, used as a host uses it.

use std::io::Write;
use std::sync::{Arc, Mutex};
use vela::{Error, Value, Vm, VmConfig};

fn vm() -> Vm {
    Vm::new(VmConfig::default()).expect("the default configuration is valid")
}

/// A writer whose content the test keeps.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn values_go_in_and_out() {
    let mut vm = vm();
    vm.set_global("s", "text").expect("plain");
    vm.set_global("n", 41).expect("plain");
    let out = vm
        .exec(b"return n + 1, n / 2, s .. '!', nil, n > 1", "=t")
        .expect("runs");
    assert_eq!(
        out,
        [
            Value::Int(42),
            Value::Float(20.5),
            Value::from("text!"),
            Value::Nil,
            Value::Bool(true),
        ]
    );
    assert_eq!(vm.global("n").expect("plain"), Value::Int(41));
    assert_eq!(vm.global("none").expect("plain"), Value::Nil);
}

#[test]
fn handles_keep_functions_alive() {
    let mut vm = vm();
    let out = vm
        .exec(
            b"local n = 0 return function(k) n = n + k return n end",
            "=t",
        )
        .expect("runs");
    let Some(Value::Function(f)) = out.into_iter().next() else {
        panic!("it returns a function")
    };
    vm.exec(b"collectgarbage() collectgarbage()", "=t")
        .expect("runs");
    for (k, sum) in [(1, 1), (2, 3), (40, 43)] {
        let out = vm.call(&f, &[Value::Int(k)]).expect("runs");
        assert_eq!(out, [Value::Int(sum)]);
    }
}

#[test]
fn errors_carry_message_and_traceback() {
    let mut vm = vm();
    let e = vm
        .exec(b"local function f() error('boom') end\nf()", "=t")
        .unwrap_err();
    assert_eq!(e.to_string(), "t:1: boom");
    let traceback = e.traceback().unwrap_or("");
    assert!(traceback.starts_with("stack traceback:\n\t"), "{traceback}");
    assert!(traceback.contains("t:2: in main chunk"), "{traceback}");
    // The VM goes on working.
    assert_eq!(vm.exec(b"return 1", "=t").expect("runs"), [Value::Int(1)]);
}

#[test]
fn error_objects_have_text() {
    let mut vm = vm();
    let e = vm.exec(b"error({})", "=t").unwrap_err();
    assert_eq!(e.to_string(), "(error object is a table value)");
    let e = vm
        .exec(
            b"error(setmetatable({}, {__tostring = function() return 'mine' end}))",
            "=t",
        )
        .unwrap_err();
    assert_eq!(e.report(), "mine");
}

#[test]
fn syntax_errors_tell_whether_more_text_would_help() {
    let mut vm = vm();
    let e = vm.load(b"for i = 1, 2 do", "=t").unwrap_err();
    assert!(e.is_incomplete(), "{e}");
    let e = vm.load(b"for for", "=t").unwrap_err();
    assert!(!e.is_incomplete());
    assert_eq!(e.to_string(), "t:1: <name> expected near 'for'");
}

#[test]
fn output_can_be_captured() {
    let mut vm = vm();
    let out = Captured::default();
    vm.set_stdout(Box::new(out.clone()));
    vm.exec(
        b"io.write('a', 1, 2.5) print('b') io.stdout:write('c')",
        "=t",
    )
    .expect("runs");
    vm.flush();
    assert_eq!(out.0.lock().expect("no panic").as_slice(), b"a12.5b\nc");
}

#[test]
fn functions_of_another_vm_are_refused() {
    let f = vm().load(b"return 1", "=t").expect("it is Lua");
    let e = vm().call(&f, &[]).unwrap_err();
    assert!(matches!(e, Error::WrongVm), "{e}");
}

#[test]
fn binary_and_assembler_chunks_run() {
    let proto = vela::chunk::read(b"local a, b = ... return a * b", "=t", "t").expect("it is Lua");
    let mut vm = vm();
    let args = [Value::Int(6), Value::Int(7)];
    let bytes = vela_bytecode::binary::dump(&proto, true);
    let f = vm.load(&bytes, "=bin").expect("just written");
    assert_eq!(vm.call(&f, &args).expect("runs"), [Value::Int(42)]);
    let text = vela_bytecode::disasm::disassemble(&proto);
    let f = vm.assemble(&text, "t.vasm").expect("just written");
    assert_eq!(vm.call(&f, &args).expect("runs"), [Value::Int(42)]);
}
