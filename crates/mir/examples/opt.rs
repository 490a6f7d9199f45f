//! Reads a function in MIR's textual form from standard input, runs passes
//! over it and prints the result: `cargo run -p vela-mir --example opt
//! [PASS...]`, by default the whole pipeline.

use std::io::Read;
use vela_mir::parse::parse;
use vela_mir::passes::{Fuel, PassError, compact_states, optimize, pass};
use vela_mir::verify::verify;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let mut func = parse(&text)?;
    let names: Vec<String> = std::env::args().skip(1).collect();
    let mut fuel = Fuel::default();
    if names.is_empty() {
        optimize(&mut func, &mut fuel, true)?;
    } else {
        verify(&func)?;
        for name in &names {
            let run = pass(name).ok_or_else(|| format!("there is no pass '{name}'"))?;
            run(&mut func, &mut fuel);
            verify(&func).map_err(|error| PassError {
                pass: "given",
                error,
            })?;
        }
    }
    compact_states(&mut func);
    print!("{func}");
    eprintln!("{} transformations", fuel.used());
    Ok(())
}
