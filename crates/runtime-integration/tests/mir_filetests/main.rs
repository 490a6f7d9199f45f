//! Text tests of what the tier makes of real programs: `filetests/*.lua`.
//!
//! ```text
//! -- test optimize                 what to show, see `case::Options`
//! -- absent: call_lua              checks, see `case::Check`
//! -- count in loops: guard_tag=1
//! local function add(a, b) return a + b end
//! local function run(a) return add(a, 1) end
//! for i = 1, 20 do run(i) end
//! return run                       the function to show
//! -- expect
//! -- func ...                      its MIR
//! ```
//!
//! The program runs in the interpreter, which makes its profile; then the
//! function that it returns is built as if it had become hot. A file is valid
//! Lua, so that any mode of `vela` can run it.
//!
//! The MIR is a description of the present state, which
//! `VELA_BLESS=1 cargo test -p vela-runtime-integration --test mir_filetests`
//! rewrites. The checks say what the file is there for; they are never
//! rewritten, so that a technique that got lost fails however often it was
//! blessed. The verifier runs behind the builder and behind every pass.

mod case;
mod names;
mod profile;

use case::Case;
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use vela_mir::build::{BuildInput, build};
use vela_mir::ir::Func;
use vela_mir::passes::{Fuel, compact_states, optimize};
use vela_mir::verify::verify;

/// Most instructions of a function, far more than a test has.
const MAX_SIZE: usize = 10_000;

/// Shows the function of a case; messages are without the file's name.
fn show(case: &Case<'_>) -> Result<(Func, String), String> {
    let profile = profile::take(case)?;
    let mut func = build(&BuildInput {
        snapshot: &profile.snapshot,
        entry: profile.entry,
        speculate: case.options.speculate,
        max_size: MAX_SIZE,
        counters: None,
    })
    .map_err(|e| format!("not built: {e}"))?;
    verify(&func).map_err(|e| format!("the builder: {e}\n{func}"))?;
    if case.options.optimize {
        optimize(&mut func, &mut Fuel::default(), true).map_err(|e| e.to_string())?;
    }
    compact_states(&mut func);
    let text = names::text(&func, &profile);
    Ok((func, text))
}

fn run(path: &Path) -> Result<(), Failed> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let text = std::fs::read_to_string(path).map_err(|e| format!("{file}: {e}"))?;
    let case = Case::parse(&text).map_err(|(line, e)| format!("{file}:{line}: {e}"))?;
    let (func, shown) = show(&case).map_err(|e| format!("{file}: {e}"))?;
    // Before anything is blessed.
    for check in &case.checks {
        if let Err(e) = check.run(&func) {
            return Err(format!("{file}:{}: {e} in\n{shown}", check.line).into());
        }
    }
    let actual = case::as_comments(&shown);
    if actual == case.expected {
        return Ok(());
    }
    if std::env::var_os("VELA_BLESS").is_some() {
        let blessed = format!("{}{}\n{actual}", case.head, case::SEPARATOR);
        std::fs::write(path, blessed).map_err(|e| format!("{file}: {e}"))?;
        return Ok(());
    }
    let (line, difference) = case.difference(&actual);
    Err(format!("{file}:{line}: other MIR than expected\n{difference}\nall of it:\n{shown}").into())
}

fn main() -> std::process::ExitCode {
    let args = Arguments::from_args();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests");
    let mut files: Vec<_> = match std::fs::read_dir(&dir) {
        Ok(entries) => entries.flatten().map(|e| e.path()).collect(),
        Err(e) => {
            eprintln!("{}: {e}", dir.display());
            return std::process::ExitCode::FAILURE;
        }
    };
    files.retain(|p| p.extension().is_some_and(|x| x == "lua"));
    files.sort();
    let trials = files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            Trial::test(name.into_owned(), move || run(&path))
        })
        .collect();
    libtest_mimic::run(&args, trials).exit_code()
}
