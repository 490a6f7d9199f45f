//! The interactive prompt.
//!
//! A line is tried as an expression first (`return line`), then as a
//! statement, which goes on over more lines while it ends too early.

use crate::input::{Input, Line};
use crate::interrupt::Guard;
use std::path::PathBuf;
use vela::{Error, Function, Value, Vm};

/// Gives the names that can be completed: keys of `_G`, and of the tables in
/// it.
const NAMES: &[u8] = b"local names = {}
for k, v in next, _G do
  if type(k) == 'string' then
    names[#names + 1] = k
    if type(v) == 'table' and v ~= _G then
      for field in next, v do
        if type(field) == 'string' then names[#names + 1] = k .. '.' .. field end
      end
    end
  end
end
return table.concat(names, '\\n')";

/// Runs the prompt until the input ends. Ctrl-C stops what runs.
pub fn run(vm: &mut Vm, guard: &Guard) {
    let mut input = Input::new(history());
    while let Some(loaded) = next(vm, &mut input) {
        let outcome = loaded.and_then(|f| guard.run(|| vm.call(&f, &[])));
        vm.clear_interrupt();
        match outcome {
            Ok(values) if values.is_empty() => {}
            Ok(values) => print(vm, &values),
            Err(e) => report(vm, &e),
        }
    }
    vm.flush();
    println!();
}

/// The file of the history: `VELA_HISTORY`, which turns it off when empty, or
/// `.vela_history` in the home directory.
fn history() -> Option<PathBuf> {
    match std::env::var_os("VELA_HISTORY") {
        Some(file) => (!file.is_empty()).then(|| file.into()),
        None => std::env::home_dir().map(|home| home.join(".vela_history")),
    }
}

fn report(vm: &mut Vm, e: &Error) {
    vm.flush();
    eprintln!("{}", e.report());
}

/// The function for the next line and the lines that it needs after it; `None`
/// at the end of the input.
fn next(vm: &mut Vm, input: &mut Input) -> Option<Result<Function, Error>> {
    input.set_names(|| names(vm));
    let line = loop {
        match read(vm, input, true) {
            Line::Text(line) => break line,
            Line::GivenUp => {}
            Line::End => return None,
        }
    };
    let mut expression = b"return ".to_vec();
    expression.extend_from_slice(&line);
    expression.push(b';');
    if let Ok(f) = vm.load(&expression, "=stdin") {
        input.remember(&line);
        return Some(Ok(f));
    }
    let mut text = line;
    loop {
        match vm.load(&text, "=stdin") {
            Err(e) if e.is_incomplete() => match read(vm, input, false) {
                Line::Text(more) => {
                    text.push(b'\n');
                    text.extend_from_slice(&more);
                }
                Line::GivenUp => return next(vm, input),
                Line::End => return Some(Err(e)),
            },
            other => {
                input.remember(&text);
                return Some(other);
            }
        }
    }
}

/// Prints results by the program's own `print`.
fn print(vm: &mut Vm, values: &[Value]) {
    let outcome = match vm.global("print") {
        Ok(Value::Function(print)) => vm.call(&print, values).map(drop),
        Ok(_) => {
            let kind = vm.exec(b"return type(print)", "=stdin");
            let kind = match kind.ok().and_then(|v| v.into_iter().next()) {
                Some(Value::Str(kind)) => String::from_utf8_lossy(&kind).into_owned(),
                _ => "nil".into(),
            };
            vm.flush();
            eprintln!("error calling 'print' (attempt to call a {kind} value)");
            return;
        }
        Err(e) => Err(e),
    };
    if let Err(e) = outcome {
        vm.flush();
        eprintln!("error calling 'print' ({e})");
    }
}

/// Names for the completion; none if the program has broken what this needs.
fn names(vm: &mut Vm) -> Vec<String> {
    let names = vm.exec(NAMES, "=names").ok();
    match names.and_then(|v| v.into_iter().next()) {
        Some(Value::Str(names)) => String::from_utf8_lossy(&names)
            .lines()
            .map(String::from)
            .collect(),
        _ => Vec::new(),
    }
}

/// A line of input. Of a first line that starts with `=` that is `return`.
fn read(vm: &mut Vm, input: &mut Input, first: bool) -> Line {
    let (variable, default) = if first {
        ("_PROMPT", "> ")
    } else {
        ("_PROMPT2", ">> ")
    };
    let prompt = match vm.global(variable) {
        Ok(v) if !v.is_nil() => vm.text_of(&v).ok(),
        _ => None,
    };
    let prompt = prompt.unwrap_or_else(|| default.into());
    vm.flush();
    let mut line = input.read(&prompt);
    if let Line::Text(line) = &mut line
        && first
        && line.first() == Some(&b'=')
    {
        line.splice(..1, *b"return ");
    }
    line
}
