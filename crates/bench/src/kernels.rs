//! Numeric kernels over arrays: Lua programs and C twins that do the same checks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::engine::{Engine, Kind};
use crate::program::Program;
use crate::rounds::run_rounds;
use crate::runner::{Failure, exit_failure};
use crate::stats::geometric_mean;
use crate::steady::Row;

/// Folders and lengths of the runs.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Folder of the kernels, with `lib/run.lua`.
    pub folder: &'a Path,
    /// Where the C twins are built.
    pub build: &'a Path,
    /// Processor time per run, in seconds.
    pub seconds: f64,
    /// Least number of rounds.
    pub rounds: u32,
    /// Small sizes.
    pub quick: bool,
    /// Longest time for one run.
    pub timeout: Duration,
}

/// Compiles the C twin of a kernel; gives the executable.
///
/// # Errors
/// [`Failure`] when the compiler cannot start or refuses the file.
fn compile(compiler: &Engine, name: &str, setup: Setup<'_>) -> Result<PathBuf, Failure> {
    let executable = setup.build.join(name);
    let out = Command::new(&compiler.command)
        .args(&compiler.args)
        .arg(setup.folder.join(format!("{name}.c")))
        .arg("-o")
        .arg(&executable)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Failure::Start(e.to_string()))?;
    exit_failure(out.status, &String::from_utf8_lossy(&out.stderr))?;
    Ok(executable)
}

/// Runs one kernel under all engines, once each, and compares the results. The engine of
/// kind C is a compiler. `observe` hears of every run, for progress.
pub fn run_kernel(
    program: Program,
    engines: &[Engine],
    setup: Setup<'_>,
    mut observe: impl FnMut(Kind),
) -> Row {
    let mut outcomes = BTreeMap::new();
    for engine in engines {
        if program.needs_lua54 && engine.kind == Kind::LuaJit {
            continue;
        }
        observe(engine.kind);
        let command = if engine.kind == Kind::C {
            compile(engine, &program.name, setup).map(Command::new)
        } else {
            let script = setup.folder.join("lib/run.lua");
            Ok(engine.command(&script, Some(&program.name)))
        };
        let outcome = command.and_then(|mut command| {
            command
                .arg(program.size(setup.quick).unwrap_or(&program.quick))
                .arg(setup.seconds.to_string())
                .arg(setup.rounds.to_string());
            run_rounds(command, setup.timeout)
        });
        outcomes.insert(engine.kind, outcome);
    }
    let mut row = Row { program, outcomes };
    // The C twin first: what it does is known.
    row.compare_results(&[Kind::C, Kind::Lua54, Kind::LuaJit, Kind::VelaOn]);
    row
}

/// Nanoseconds that an engine needs per element in steady state.
#[must_use]
pub fn nanoseconds(row: &Row, kind: Kind, quick: bool) -> Option<f64> {
    let rounds = row.rounds(kind)?;
    let repetitions: f64 = row.program.size(quick)?.parse().ok()?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "a kernel has far fewer than 2^53 elements"
    )]
    let elements = rounds.elements? as f64;
    Some(rounds.steady()? * 1e9 / (repetitions * elements))
}

/// The table of nanoseconds per element, with ratios to C and LuaJIT; the last line holds
/// geometric means.
#[must_use]
pub fn cells(rows: &[Row], engines: &[Engine], quick: bool) -> Vec<Vec<String>> {
    const RATIOS: [(Kind, Kind); 2] = [(Kind::VelaOn, Kind::C), (Kind::VelaOn, Kind::LuaJit)];
    let mut table = vec![vec!["kernel".to_owned()]];
    table[0].extend(engines.iter().map(|e| format!("{} ns", e.kind)));
    table[0].extend(RATIOS.iter().map(|(k, base)| format!("{k} / {base}")));
    for row in rows {
        let mut line = vec![row.program.name.clone()];
        line.extend(engines.iter().map(|e| {
            nanoseconds(row, e.kind, quick)
                .map_or_else(|| row.missing(e.kind), |ns| format!("{ns:.3}"))
        }));
        line.extend(RATIOS.iter().map(|(k, base)| row.ratio_cell(*k, *base)));
        table.push(line);
    }
    let mut mean = vec!["geometric mean".to_owned()];
    mean.extend(engines.iter().map(|_| String::new()));
    mean.extend(RATIOS.iter().map(|(k, base)| {
        let ratios: Vec<f64> = rows.iter().filter_map(|r| r.ratio(*k, *base)).collect();
        geometric_mean(&ratios).map_or("-".to_owned(), |m| format!("{m:.3} (of {})", ratios.len()))
    }));
    table.push(mean);
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::{Round, Rounds};

    #[test]
    fn times_are_per_element_and_repetition() {
        let program = Program::parse(
            "k",
            Path::new("k.lua"),
            "-- k: a test.\n-- quick: 2\n-- full: 10\n",
        )
        .unwrap();
        let round = Round {
            cpu: 0.001,
            wall: 0.002,
        };
        let rounds = Rounds {
            rounds: vec![round; 3],
            elements: Some(100),
            ..Rounds::default()
        };
        let row = Row {
            program,
            outcomes: [(Kind::C, Ok(rounds))].into_iter().collect(),
        };
        let ns = nanoseconds(&row, Kind::C, false).unwrap();
        assert!((ns - 1000.0).abs() < 1e-6, "{ns}");
        assert_eq!(nanoseconds(&row, Kind::LuaJit, false), None);
    }
}
