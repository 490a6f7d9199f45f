//! What limits cost: runs each program in fresh VMs, in turn without limits
//! and with all of them (too high to be met), and compares the medians of the
//! processor time.
//!
//!     cargo run --release -p vela --features llvm-jit --example limits_cost -- ROUNDS FILE...

use std::time::Duration;
use vela::{Function, Limits, Result, Vm, VmConfig};

const LIMITS: Limits = Limits {
    memory: Some(1 << 40),
    time: Some(Duration::from_secs(3600)),
    coroutines: Some(1 << 20),
    stack: Some(1 << 20),
};

fn run(path: &str, limits: Limits) -> Result<f64> {
    let mut vm = Vm::new(VmConfig {
        limits,
        ..VmConfig::default()
    })?;
    vm.set_stdout(Box::new(std::io::sink()));
    let f = vm.load_file(Some(path))?;
    let clock: Function = vm.chunk("os.clock").eval()?;
    let start: f64 = clock.call(&mut vm, ())?;
    f.call::<()>(&mut vm, ())?;
    let end: f64 = clock.call(&mut vm, ())?;
    Ok((end - start) * 1e3)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(5);
    let mut product = 1.0;
    let mut count = 0;
    for path in args {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            without.push(run(&path, Limits::default())?);
            with.push(run(&path, LIMITS)?);
        }
        let (a, b) = (median(without), median(with));
        println!("{:+6.2} %  {a:9.2} ms  {path}", (b / a - 1.0) * 100.0);
        product *= b / a;
        count += 1;
    }
    if count > 0 {
        let mean = f64::powf(product, 1.0 / f64::from(count));
        println!("{:+6.2} %  geometric mean", (mean - 1.0) * 100.0);
    }
    Ok(())
}
