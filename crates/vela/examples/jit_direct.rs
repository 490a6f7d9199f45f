//! The tier used directly, as the author of a VM would: loads a bytecode file
//! (binary, or assembler text ending in `.vasm`; Lua source works too), runs it
//! to define the global function `main`, compiles `main` explicitly, and runs
//! it again.
//!
//!     cargo run --release -p vela --features llvm-jit --example jit_direct -- FILE [ARGUMENT]
//!
//! Prints the interpreted result and time, the compile time, and the compiled
//! result and time. `main` is called a few times first, so that there is
//! feedback to speculate on.

use std::time::Instant;
use vela::{Error, Value, Vm, VmConfig};

/// Calls of `main` in the interpreter before it is compiled.
const WARM_UP: usize = 3;

fn run(path: &str, argument: i64) -> Result<(), Error> {
    let mut config = VmConfig::default();
    // Nothing is compiled but what is asked for.
    config.jit.hotspot_threshold = 1 << 30;
    config.jit.osr = false;
    let mut vm = Vm::new(config)?;
    let chunk = if path.ends_with(".vasm") {
        let text = std::fs::read_to_string(path).map_err(|e| Error::Syntax {
            message: format!("{path}: {e}"),
        })?;
        vm.assemble(&text, path)?
    } else {
        vm.load_file(Some(path))?
    };
    vm.call(&chunk, &[])?;
    let Value::Function(main) = vm.global("main")? else {
        eprintln!("{path} does not define a global function 'main'");
        return Ok(());
    };
    let argument = [Value::Int(argument)];
    let timed = |vm: &mut Vm, label: &str| -> Result<(), Error> {
        let start = Instant::now();
        let result = vm.call(&main, &argument)?;
        println!(
            "{label:<12} {:>10.3} ms  {result:?}",
            start.elapsed().as_secs_f64() * 1e3
        );
        Ok(())
    };
    for _ in 0..WARM_UP {
        timed(&mut vm, "interpreted")?;
    }
    let time = vm.compile(&main)?;
    println!("{:<12} {:>10.3} ms", "compile", time.as_secs_f64() * 1e3);
    timed(&mut vm, "compiled")?;
    Ok(())
}

fn main() -> std::process::ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(path) = args.next() else {
        eprintln!("usage: jit_direct FILE [ARGUMENT]");
        return std::process::ExitCode::FAILURE;
    };
    let argument = args
        .next()
        .and_then(|a| a.parse().ok())
        .unwrap_or(10_000_000);
    match run(&path, argument) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{}", e.report());
            std::process::ExitCode::FAILURE
        }
    }
}
