//! The interactive prompt.
//!
//! A line is tried as an expression first (`return line`), then as a
//! statement, which goes on over more lines while it ends too early.

use std::io::{BufRead, Write};
use vela::{Error, Function, Value, Vm};

/// Runs the prompt until the input ends.
pub fn run(vm: &mut Vm) {
    while let Some(line) = read_line(vm, true) {
        let loaded = load(vm, line);
        let outcome = loaded.and_then(|f| vm.call(&f, &[]));
        match outcome {
            Ok(values) if values.is_empty() => {}
            Ok(values) => print(vm, &values),
            Err(e) => report(vm, &e),
        }
    }
    vm.flush();
    println!();
}

fn report(vm: &mut Vm, e: &Error) {
    vm.flush();
    eprintln!("{}", e.report());
}

/// The function for a line and the lines that it needs after it.
fn load(vm: &mut Vm, line: Vec<u8>) -> Result<Function, Error> {
    let mut expression = b"return ".to_vec();
    expression.extend_from_slice(&line);
    expression.push(b';');
    if let Ok(f) = vm.load(&expression, "=stdin") {
        return Ok(f);
    }
    let mut text = line;
    loop {
        match vm.load(&text, "=stdin") {
            Err(e) if e.is_incomplete() => {
                let Some(more) = read_line(vm, false) else {
                    return Err(e);
                };
                text.push(b'\n');
                text.extend_from_slice(&more);
            }
            other => return other,
        }
    }
}

/// Prints results by the program's own `print`.
fn print(vm: &mut Vm, values: &[Value]) {
    let outcome = match vm.global("print") {
        Ok(Value::Function(print)) => vm.call(&print, values).map(drop),
        Ok(_) => {
            vm.flush();
            eprintln!("error calling 'print' (attempt to call a value that is no function)");
            return;
        }
        Err(e) => Err(e),
    };
    if let Err(e) = outcome {
        vm.flush();
        eprintln!("error calling 'print' ({e})");
    }
}

/// A line of input without its end; `None` at the end of the input. Of a first
/// line that starts with `=` that is `return`.
fn read_line(vm: &mut Vm, first: bool) -> Option<Vec<u8>> {
    let (variable, default) = if first {
        ("_PROMPT", "> ")
    } else {
        ("_PROMPT2", ">> ")
    };
    let prompt = match vm.global(variable) {
        Ok(Value::Str(s)) => s,
        _ => default.as_bytes().to_vec(),
    };
    vm.flush();
    let mut out = std::io::stdout().lock();
    // A prompt that cannot be shown is no reason to stop reading.
    let _ = out.write_all(&prompt).and_then(|()| out.flush());
    let mut line = Vec::new();
    let read = std::io::stdin().lock().read_until(b'\n', &mut line);
    if !matches!(read, Ok(n) if n > 0) {
        return None;
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if first && line.first() == Some(&b'=') {
        line.splice(..1, *b"return ");
    }
    Some(line)
}
