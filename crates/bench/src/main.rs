//! `vela-bench`: runs the benchmark programs under Vela, PUC Lua and LuaJIT.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use vela_bench::engine::{Absent, Engine, Kind, detect};
use vela_bench::machine::Machine;
use vela_bench::program;
use vela_bench::report::{self, Context, Row};
use vela_bench::runner::run_program;

/// Times whole Lua programs under vela with its JIT off and on, lua5.4 and luajit, and
/// checks that all print the same. Exits with 1 when an output differs or a run fails,
/// with 2 when nothing could be run.
#[derive(Debug, Parser)]
#[command(name = "vela-bench", version)]
struct Options {
    /// Rounds per program and engine [default: 3, with --quick 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,

    /// Programs to run, by name [default: all]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,

    /// Engines to run: lua5.4, vela-off, vela-on, luajit [default: those present]
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = engine_name)]
    engines: Vec<Kind>,

    /// The vela program [default: target/release/vela, where cargo builds it]
    #[arg(long, value_name = "PATH")]
    vela: Option<PathBuf>,

    /// Writes a Markdown report into this file, between its markers
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "only"])]
    write: Option<PathBuf>,

    /// Small sizes: a smoke test whose times say little
    #[arg(long)]
    quick: bool,

    /// Longest time for one run, in seconds
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,

    /// Folder with the programs
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/programs"), hide_default_value = true)]
    programs: PathBuf,
}

fn engine_name(text: &str) -> Result<Kind, String> {
    Kind::from_name(text)
        .ok_or_else(|| format!("engines are {}", Kind::ALL.map(Kind::name).join(", ")))
}

/// Where cargo puts the vela program of this workspace.
fn default_vela() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.join("target"), PathBuf::from);
    target.join("release").join("vela")
}

/// Finds the engines. One that the user asked for must be there; others may be absent.
fn find_engines(options: &Options) -> Result<Vec<Engine>, Box<dyn Error>> {
    let vela = options.vela.clone().unwrap_or_else(default_vela);
    let mut engines = Vec::new();
    for kind in Kind::ALL {
        if !options.engines.is_empty() && !options.engines.contains(&kind) {
            continue;
        }
        let (command, asked) = match kind {
            Kind::Lua54 => (Path::new("lua5.4"), false),
            Kind::LuaJit => (Path::new("luajit"), false),
            Kind::VelaOff | Kind::VelaOn => (vela.as_path(), options.vela.is_some()),
        };
        match detect(kind, command) {
            Ok(engine) => engines.push(engine),
            Err(Absent { kind, reason }) if asked || options.engines.contains(&kind) => {
                return Err(format!("{kind} does not run: {reason}").into());
            }
            Err(Absent { kind, reason }) => eprintln!("note: without {kind}: {reason}"),
        }
    }
    if engines.is_empty() {
        return Err("no engine runs".into());
    }
    Ok(engines)
}

/// Runs everything; gives the failures.
fn bench(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let programs = program::select(program::load_all(&options.programs)?, &options.only)?;
    if programs.is_empty() {
        return Err(format!("no programs in {}", options.programs.display()).into());
    }
    // Read before the long run, so that a damaged file is reported at once.
    let old = match &options.write {
        None => String::new(),
        Some(path) => match fs::read_to_string(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(|e| format!("cannot read {}: {e}", path.display()))?,
        },
    };
    report::update(&old, "")?;

    let engines = find_engines(options)?;
    let rounds = usize::from(options.runs.unwrap_or(if options.quick { 1 } else { 3 }));
    let timeout = Duration::from_secs(options.timeout);
    let progress = io::stderr().is_terminal();
    let count = programs.len();
    let mut rows = Vec::new();
    for (i, program) in programs.into_iter().enumerate() {
        let outcomes = run_program(&program, &engines, rounds, options.quick, timeout, |kind| {
            if progress {
                eprint!("\r\x1b[K[{}/{count}] {} under {kind}", i + 1, program.name);
            }
        });
        rows.push(Row { program, outcomes });
    }
    if progress {
        eprint!("\r\x1b[K");
    }
    io::stdout().write_all(report::terminal(&rows, &engines).as_bytes())?;

    if let Some(path) = &options.write {
        let machine = Machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
        let mut settings: Vec<String> = std::env::vars()
            .filter(|(name, _)| name.starts_with("VELA_JIT_"))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        settings.sort();
        let context = Context {
            machine: &machine,
            rounds,
            settings: &settings,
        };
        let text = report::update(&old, &report::markdown(&rows, &engines, &context))?;
        fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(report::failures(&rows))
}

fn main() -> ExitCode {
    match bench(&Options::parse()) {
        Ok(failures) if failures.is_empty() => ExitCode::SUCCESS,
        Ok(failures) => {
            for f in failures {
                eprintln!("error: {f}");
            }
            ExitCode::from(1)
        }
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::from(2)
        }
    }
}
