//! Prints generated programs: `cargo run -p vela-difftest --example sample -- SEED COUNT`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let seed = args.next().map_or(Ok(1), |s| s.parse())?;
    let count = args.next().map_or(Ok(1), |s| s.parse())?;
    for source in vela_difftest::check::sample(seed, count)? {
        println!("{source}-- ----");
    }
    Ok(())
}
