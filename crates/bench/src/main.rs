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
use vela_bench::program::{self, Program};
use vela_bench::report::{self, Context, Row};
use vela_bench::runner::run_program;
use vela_bench::{kernels, markers, steady, tables};

/// Times Lua programs under vela, lua5.4, luajit, node and as C, and checks that all give
/// the same results: whole processes (vela with its JIT off and on), programs in steady
/// state, and numeric kernels. Exits with 1 when a result differs or a run fails, with 2
/// when nothing could be run.
#[derive(Debug, Parser)]
#[command(name = "vela-bench", version)]
struct Options {
    /// Only the whole programs [default: all three parts]
    #[arg(long)]
    whole: bool,

    /// Only the programs in steady state
    #[arg(long)]
    steady: bool,

    /// Only the numeric kernels
    #[arg(long)]
    kernels: bool,

    /// Rounds per whole program and engine [default: 2, with --quick 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,

    /// Processor time per steady-state run; a kernel's takes a third [default: 3 s]
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,

    /// Programs to run, by name [default: all]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,

    /// Engines to run: lua5.4, vela-off, vela-on, luajit, node, c [default: those present]
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = engine_name)]
    engines: Vec<Kind>,

    /// The vela program [default: target/release/vela, where cargo builds it]
    #[arg(long, value_name = "PATH")]
    vela: Option<PathBuf>,

    /// The C compiler [default: clang if there is one, else gcc]
    #[arg(long, value_name = "PATH")]
    cc: Option<PathBuf>,

    /// Writes a Markdown report into this file, between its markers
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "only"])]
    write: Option<PathBuf>,

    /// Small sizes: a smoke test whose times say little
    #[arg(long)]
    quick: bool,

    /// Longest time for one run, in seconds
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,

    /// Folder that holds the folders of the programs
    #[arg(long, value_name = "DIR", default_value = env!("CARGO_MANIFEST_DIR"), hide_default_value = true)]
    folder: PathBuf,
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

/// C compilers that are tried, in this order.
const COMPILERS: [&str; 7] = [
    "clang-22", "clang-21", "clang-20", "clang-19", "clang", "gcc", "cc",
];

/// Finds the engines of these kinds. One that the user asked for must be there; others may
/// be absent, then a note says so.
fn find_engines(options: &Options, kinds: &[Kind]) -> Result<Vec<Engine>, Box<dyn Error>> {
    let vela = options.vela.clone().unwrap_or_else(default_vela);
    let mut engines = Vec::new();
    for &kind in kinds {
        if !options.engines.is_empty() && !options.engines.contains(&kind) {
            continue;
        }
        let (commands, asked): (Vec<&Path>, bool) = match kind {
            Kind::Lua54 => (vec![Path::new("lua5.4")], false),
            Kind::LuaJit => (vec![Path::new("luajit")], false),
            Kind::Node => (vec![Path::new("node")], false),
            Kind::C => match &options.cc {
                Some(cc) => (vec![cc.as_path()], true),
                None => (COMPILERS.map(Path::new).to_vec(), false),
            },
            Kind::VelaOff | Kind::VelaOn => (vec![vela.as_path()], options.vela.is_some()),
        };
        let mut found = Err(Absent {
            kind,
            reason: "no command".to_owned(),
        });
        for command in commands {
            found = detect(kind, command);
            if found.is_ok() {
                break;
            }
        }
        match found {
            Ok(engine) => engines.push(engine),
            Err(Absent { kind, reason }) if asked || options.engines.contains(&kind) => {
                return Err(format!("{kind} does not run: {reason}").into());
            }
            Err(Absent { kind, reason }) => eprintln!("note: without {kind}: {reason}"),
        }
    }
    Ok(engines)
}

/// A line that shows which program runs, on a terminal.
struct Progress {
    shown: bool,
    count: usize,
}

impl Progress {
    fn new(count: usize) -> Self {
        Self {
            shown: io::stderr().is_terminal(),
            count,
        }
    }

    fn show(&self, i: usize, name: &str, kind: Kind) {
        if self.shown {
            eprint!("\r\x1b[K[{}/{}] {name} under {kind}", i + 1, self.count);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

/// What a part of the benchmark gives.
struct Part {
    /// Name of its section in the Markdown file.
    section: &'static str,
    /// Its report for the terminal.
    terminal: String,
    /// Its section of the Markdown file.
    markdown: String,
    /// What went wrong.
    failures: Vec<String>,
}

/// Whole processes.
fn whole(
    programs: Vec<Program>,
    options: &Options,
    context: &Context<'_>,
) -> Result<Part, Box<dyn Error>> {
    let engines = find_engines(options, &Kind::WHOLE)?;
    let timeout = Duration::from_secs(options.timeout);
    let progress = Progress::new(programs.len());
    let mut rows = Vec::new();
    for (i, program) in programs.into_iter().enumerate() {
        let outcomes = run_program(
            &program,
            &engines,
            context.rounds,
            options.quick,
            timeout,
            |kind| progress.show(i, &program.name, kind),
        );
        rows.push(Row { program, outcomes });
    }
    drop(progress);
    Ok(Part {
        section: "whole",
        terminal: format!("Whole processes\n\n{}", report::terminal(&rows, &engines)),
        markdown: report::markdown(&rows, &engines, context),
        failures: report::failures(&rows),
    })
}

/// Processor time per steady-state run.
fn seconds(options: &Options) -> f64 {
    options
        .seconds
        .unwrap_or(if options.quick { 0.0 } else { 3.0 })
}

/// Programs in steady state.
fn steady_state(
    programs: Vec<Program>,
    options: &Options,
    context: &Context<'_>,
) -> Result<Part, Box<dyn Error>> {
    let engines = find_engines(options, &Kind::STEADY)?;
    let setup = steady::Setup {
        lua: &options.folder.join("steady"),
        js: &options.folder.join("js"),
        seconds: seconds(options),
        rounds: if options.quick { 2 } else { 6 },
        quick: options.quick,
        timeout: Duration::from_secs(options.timeout),
    };
    let progress = Progress::new(programs.len());
    let mut rows = Vec::new();
    for (i, program) in programs.into_iter().enumerate() {
        let name = program.name.clone();
        let observe = |kind| progress.show(i, &name, kind);
        rows.push(steady::run_program(program, &engines, setup, observe));
    }
    drop(progress);
    let ratios = steady::ratio_cells(&rows);
    let times = steady::time_cells(&rows, &engines);
    Ok(Part {
        section: "steady",
        terminal: format!(
            "Steady state\n\n{}\n{}",
            tables::plain(&ratios),
            tables::plain(&times)
        ),
        markdown: format!(
            "{}\n### Steady state: ratios (smaller is faster)\n\n{}\n### Steady state: time of a round and time to peak\n\n{}",
            report::head(&engines, context),
            tables::markdown(&ratios),
            tables::markdown(&times)
        ),
        failures: steady::failures(&rows),
    })
}

/// Numeric kernels.
fn kernel_loops(
    programs: Vec<Program>,
    options: &Options,
    context: &Context<'_>,
) -> Result<Part, Box<dyn Error>> {
    let engines = find_engines(options, &Kind::KERNELS)?;
    let build = tempfile::tempdir()?;
    let setup = kernels::Setup {
        folder: &options.folder.join("kernels"),
        build: build.path(),
        seconds: seconds(options) / 3.0,
        rounds: if options.quick { 2 } else { 8 },
        quick: options.quick,
        timeout: Duration::from_secs(options.timeout),
    };
    let progress = Progress::new(programs.len());
    let mut rows = Vec::new();
    for (i, program) in programs.into_iter().enumerate() {
        let name = program.name.clone();
        let observe = |kind| progress.show(i, &name, kind);
        rows.push(kernels::run_kernel(program, &engines, setup, observe));
    }
    drop(progress);
    let cells = kernels::cells(&rows, &engines, options.quick);
    let titles: String = rows
        .iter()
        .map(|r| format!("- `{}`: {}\n", r.program.name, r.program.title))
        .collect();
    Ok(Part {
        section: "kernels",
        terminal: format!("Kernels\n\n{}", tables::plain(&cells)),
        markdown: format!(
            "{}\n### Kernels: nanoseconds per element\n\n{}\n{titles}",
            report::head(&engines, context),
            tables::markdown(&cells)
        ),
        failures: steady::failures(&rows),
    })
}

/// The programs of a folder that the options select.
fn load(folder: &str, options: &Options) -> Result<Vec<Program>, Box<dyn Error>> {
    let all = program::load_all(&options.folder.join(folder))?;
    Ok(all
        .into_iter()
        .filter(|p| options.only.is_empty() || options.only.contains(&p.name))
        .collect())
}

/// How one part is run.
type Run = fn(Vec<Program>, &Options, &Context<'_>) -> Result<Part, Box<dyn Error>>;

/// Runs the parts that the options select; gives the failures.
fn bench(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let parts: [(bool, &str, Run); 3] = [
        (options.whole, "programs", whole),
        (options.steady, "steady", steady_state),
        (options.kernels, "kernels", kernel_loops),
    ];
    let all = !parts.iter().any(|(wanted, ..)| *wanted);
    let mut jobs = Vec::new();
    for (wanted, folder, run) in parts {
        if wanted || all {
            let programs = load(folder, options)?;
            if !programs.is_empty() {
                jobs.push((programs, run));
            }
        }
    }
    for name in &options.only {
        if !jobs.iter().any(|(p, _)| p.iter().any(|p| p.name == *name)) {
            return Err(program::ProgramError::Unknown(name.clone()).into());
        }
    }
    if jobs.is_empty() {
        return Err(format!("no programs in {}", options.folder.display()).into());
    }
    // Read before the long run, so that a damaged file is reported at once.
    let mut text = match &options.write {
        None => String::new(),
        Some(path) => match fs::read_to_string(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(|e| format!("cannot read {}: {e}", path.display()))?,
        },
    };
    for section in ["whole", "steady", "kernels"] {
        markers::update(&text, section, "")?;
    }

    let machine = Machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut settings: Vec<String> = std::env::vars()
        .filter(|(name, _)| name.starts_with("VELA_JIT_"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    settings.sort();
    let context = Context {
        machine: &machine,
        rounds: usize::from(options.runs.unwrap_or(if options.quick { 1 } else { 2 })),
        settings: &settings,
    };
    let mut failures = Vec::new();
    for (programs, run) in jobs {
        let part = run(programs, options, &context)?;
        let mut out = io::stdout();
        out.write_all(part.terminal.as_bytes())?;
        out.write_all(b"\n")?;
        failures.extend(part.failures);
        if let Some(path) = &options.write {
            text = markers::update(&text, part.section, &part.markdown)?;
            fs::write(path, &text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        }
    }
    Ok(failures)
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
