//! Compiles a file repeatedly and prints the source throughput.
//!
//! `cargo run --release -p vela-lua --example throughput FILE [ROUNDS]`
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: throughput FILE [ROUNDS]")?;
    let rounds: u32 = args.next().map_or(Ok(10), |n| n.parse())?;
    let file = std::fs::read(&path)?;
    let source = vela_lua::strip_shebang(&file);
    let name = format!("@{path}");
    let mut best = f64::INFINITY;
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        let proto = vela_lua::compile(source, &name)?;
        let seconds = start.elapsed().as_secs_f64();
        drop(proto);
        best = best.min(seconds);
    }
    let megabytes = source.len() as f64 / 1e6;
    println!(
        "{megabytes:.2} MB in {:.2} ms (best of {rounds}): {:.1} MB/s",
        best * 1e3,
        megabytes / best
    );
    Ok(())
}
