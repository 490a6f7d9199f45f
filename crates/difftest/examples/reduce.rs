//! Reduces a Lua program on which two modes of `tests/modes.toml` differ:
//!
//!     cargo run -p vela-difftest --example reduce -- FILE MODE_A MODE_B
//!
//! Prints what is left. The program runs as the generated ones do (see `src/driver.lua`), so
//! `print` and `show` are compared.

use std::error::Error;

use vela_difftest::compare::Comparison;
use vela_difftest::modes::{self, Ready, Suite};
use vela_difftest::pair::Pair;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, first, second] = args.as_slice() else {
        return Err("expected: FILE MODE_A MODE_B".into());
    };
    let modes = modes::load(Suite::Programs)?;
    let mode = |name: &str| -> Result<&Ready, String> {
        let found = modes.ready.iter().find(|r| r.mode.name == name);
        found.ok_or_else(|| format!("no mode {name}\n{}", modes.describe()))
    };
    let (a, b) = (mode(first)?, mode(second)?);
    let scratch = modes::scratch()?;
    let pair = Pair {
        a,
        b,
        comparison: Comparison::of(a, b, false),
        scratch: &scratch,
    };
    let text = std::fs::read_to_string(file)?;
    let Some(difference) = pair.on(&text)? else {
        return Err(format!("{first} and {second} agree").into());
    };
    let (smaller, candidates) = pair.reduce(&text, &difference)?;
    eprintln!("{candidates} candidates");
    print!("{smaller}");
    Ok(())
}
