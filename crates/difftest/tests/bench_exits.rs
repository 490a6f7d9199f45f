//! The programs of `crates/bench` at their small sizes, with every guard of their compiled code
//! failing the first time that it is reached: each side exit that the program gets to is taken,
//! and the output must be the interpreter's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use vela_difftest::modes;
use vela_difftest::process::Launcher;

const LIMIT: Duration = Duration::from_secs(120);

/// Compiled early, so that a short run gets far into the code.
const STRESS: [&str; 6] = [
    "-j",
    "sync",
    "-O1",
    "--jit-threshold=5",
    "--jit-loop-threshold=20",
    "--jit-first-exits=true",
];

/// Exits that any of the programs takes at least.
const LEAST: u64 = 5;

struct Program {
    name: String,
    /// The script and its arguments.
    args: Vec<String>,
    /// Only lines that begin so are the program's own output.
    prefix: &'static str,
}

fn main() {
    let args = Arguments::from_args();
    let vela = modes::vela();
    let dir = modes::root().join("crates/bench");
    let mut programs = programs(&dir.join("programs"), |path, size| {
        (vec![path.display().to_string(), size.to_owned()], "")
    });
    let run = dir.join("steady/lib/run.lua").display().to_string();
    programs.extend(programs_of_steady(&dir.join("steady"), &run));
    let ready = vela.exists();
    if !ready && modes::required() {
        eprintln!("{}: not built", vela.display());
        std::process::exit(1);
    }
    if programs.len() < 50 {
        eprintln!("{}: only {} programs", dir.display(), programs.len());
        std::process::exit(1);
    }
    let trials = programs.into_iter().map(|program| {
        let vela = vela.clone();
        let name = program.name.clone();
        Trial::test(name, move || check(&vela, &program)).with_ignored_flag(!ready)
    });
    libtest_mimic::run(&args, trials.collect()).exit();
}

/// The programs of a folder with their sizes for smoke tests (`-- quick: N`).
fn programs(
    dir: &Path,
    command: impl Fn(&Path, &str) -> (Vec<String>, &'static str),
) -> Vec<Program> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "lua"))
        .collect();
    files.sort();
    let program = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).ok()?;
        let quick = text.lines().find_map(|l| l.strip_prefix("-- quick:"))?;
        let (args, prefix) = command(path, quick.trim());
        let folder = dir.file_name()?.to_string_lossy();
        let stem = path.file_stem()?.to_string_lossy();
        Some(Program {
            name: format!("{folder}::{stem}"),
            args,
            prefix,
        })
    };
    files.iter().filter_map(program).collect()
}

/// The programs that run in rounds: three, with no least time.
fn programs_of_steady(dir: &Path, run: &str) -> Vec<Program> {
    programs(dir, |path, size| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let args = [run, &name, size, "0", "3"].map(str::to_owned);
        (args.to_vec(), "result ")
    })
}

fn check(vela: &Path, program: &Program) -> Result<(), Failed> {
    let (wanted, _) = output(vela, &["-j", "off"], program)?;
    if wanted.is_empty() {
        return Err("no output".into());
    }
    let mut args = STRESS.to_vec();
    args.push("--jit-stats");
    let (got, stats) = output(vela, &args, program)?;
    if let Some((w, g)) = wanted.iter().zip(&got).find(|(w, g)| w != g) {
        return Err(format!("interpreted {w}\nwith exits  {g}").into());
    }
    if wanted.len() != got.len() {
        return Err(format!("{} lines, {} with exits", wanted.len(), got.len()).into());
    }
    let exits = count(&stats, "deopts");
    let compiled = count(&stats, "functions_compiled") + count(&stats, "osr_compiled");
    if compiled == 0 || exits < LEAST {
        return Err(format!("{compiled} compilations and {exits} exits:\n{stats}").into());
    }
    Ok(())
}

/// A number of the statistics.
fn count(stats: &str, name: &str) -> u64 {
    let key = format!("\"{name}\":");
    let digits = stats.split(&key).nth(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        &rest[..end.unwrap_or(rest.len())]
    });
    digits.and_then(|d| d.parse().ok()).unwrap_or(0)
}

/// The lines that the program prints, and what is on standard error.
fn output(vela: &Path, args: &[&str], program: &Program) -> Result<(Vec<String>, String), Failed> {
    let launcher = Launcher {
        program: vela.to_owned(),
        args: args.iter().map(|&a| a.to_owned()).collect(),
        env: Vec::new(),
    };
    let script: Vec<&str> = program.args.iter().map(String::as_str).collect();
    let outcome = launcher.run(&script, &modes::root(), LIMIT)?;
    if !outcome.success() {
        return Err(format!("{}\n{}", outcome.exit, outcome.stderr).into());
    }
    let text = String::from_utf8_lossy(&outcome.stdout);
    let own = text.lines().filter(|l| l.starts_with(program.prefix));
    Ok((own.map(str::to_owned).collect(), outcome.stderr))
}
