//! Many VMs on threads: a program compiled once, a VM for each thread, and VMs
//! that move between threads with what they hold.
//!
//!     cargo run --release -p vela --features llvm-jit --example threads

use std::sync::mpsc;
use vela::{Engine, Function, Result, Vm, VmConfig};

const PROGRAM: &str = r#"
local seen = 0

function handle(n)
  seen = seen + 1
  local a, b = 0, 1
  for i = 1, n do a, b = b, (a + b) % 1000007 end
  return a, seen
end
"#;

/// A VM with the program loaded, and the function that it defines.
struct Worker {
    vm: Vm,
    handle: Function,
}

fn worker(engine: &Engine, program: &vela::Program) -> Result<Worker> {
    let mut vm = engine.vm()?;
    vm.load_program(program)?.call::<()>(&mut vm, ())?;
    let handle = vm.globals().get(&mut vm, "handle")?;
    Ok(Worker { vm, handle })
}

fn main() -> Result<()> {
    let engine = Engine::new(VmConfig::default())?;
    let program = engine.compile(PROGRAM, "@program.lua")?;

    // One VM per thread.
    std::thread::scope(|s| {
        for n in 1..=4i64 {
            let (engine, program) = (&engine, &program);
            s.spawn(move || {
                let run = || -> Result<i64> {
                    let mut w = worker(engine, program)?;
                    let mut sum = 0;
                    for k in 0..2000 {
                        let (a, _): (i64, i64) = w.handle.call(&mut w.vm, n * 10 + k % 100)?;
                        sum += a;
                    }
                    Ok(sum)
                };
                match run() {
                    Ok(sum) => println!("thread {n}: {sum}"),
                    Err(e) => println!("thread {n}: {e}"),
                }
            });
        }
    });

    // A VM that is passed from thread to thread keeps its state.
    let (to_next, next) = mpsc::channel::<Worker>();
    let mut w = worker(&engine, &program)?;
    for n in 1..=3i64 {
        let to_next = to_next.clone();
        std::thread::spawn(move || {
            let result: Result<(i64, i64)> = w.handle.call(&mut w.vm, n);
            println!("visit {n}: {result:?}");
            // The main thread waits for it.
            let _ = to_next.send(w);
        });
        w = match next.recv() {
            Ok(w) => w,
            Err(_) => break,
        };
    }
    Ok(())
}
