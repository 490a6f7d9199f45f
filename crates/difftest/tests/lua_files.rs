//! Runs the scripts of `tests/lua` in every mode. Each must end with code 0 and print what the
//! reference prints (kept next to it as `name.out`). `VELA_BLESS=1` writes those files anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use vela_difftest::modes::{self, Ready, Suite};

/// Stress modes are slow on purpose.
const LIMIT: Duration = Duration::from_secs(300);

fn main() {
    let args = Arguments::from_args();
    let modes = match modes::load(Suite::Lua) {
        Ok(modes) => modes,
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(1);
        }
    };
    eprint!("{}", modes.describe());
    let dir = modes::root().join("tests/lua");
    let scripts = scripts(&dir);
    if scripts.is_empty() {
        eprintln!("{}: no scripts", dir.display());
        std::process::exit(1);
    }
    if std::env::var("VELA_BLESS").is_ok_and(|v| v == "1") {
        bless(&modes.ready[0], &dir, &scripts);
    }
    let mut trials = Vec::new();
    for ready in &modes.ready {
        for script in &scripts {
            let (ready, dir, script) = (ready.clone(), dir.clone(), script.clone());
            let name = format!("{}::{script}", ready.mode.name);
            trials.push(Trial::test(name, move || run(&ready, &dir, &script)));
        }
    }
    for (mode, _) in &modes.missing {
        for script in &scripts {
            let name = format!("{}::{script}", mode.name);
            trials.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
        }
    }
    libtest_mimic::run(&args, trials).exit();
}

/// File names of the scripts, sorted.
fn scripts(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .map(|entries| {
            entries
                .filter_map(|e| e.ok()?.file_name().into_string().ok())
                .filter(|n| n.ends_with(".lua"))
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

fn expected(dir: &Path, script: &str) -> PathBuf {
    dir.join(script).with_extension("out")
}

fn bless(reference: &Ready, dir: &Path, scripts: &[String]) {
    for script in scripts {
        match reference.launcher.run(&[script], dir, LIMIT) {
            Ok(outcome) if outcome.success() => {
                if let Err(e) = std::fs::write(expected(dir, script), &outcome.stdout) {
                    eprintln!("{script}: {e}");
                }
            }
            Ok(outcome) => eprintln!("{script} not blessed: {}\n{}", outcome.exit, outcome.stderr),
            Err(e) => eprintln!("{script} not blessed: {e}"),
        }
    }
}

fn run(ready: &Ready, dir: &Path, script: &str) -> Result<(), Failed> {
    let file = expected(dir, script);
    let want = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let outcome = ready.launcher.run(&[script], dir, LIMIT)?;
    let got = String::from_utf8_lossy(&outcome.stdout);
    if !outcome.success() {
        return Err(format!("{}\n{}{}", outcome.exit, tail(&got), outcome.stderr).into());
    }
    let mut lines = want.lines().zip(1..);
    let mut printed = got.lines();
    loop {
        match (lines.next(), printed.next()) {
            (None, None) => return Ok(()),
            (Some((w, _)), Some(g)) if w == g => {}
            (w, g) => {
                let (w, n) = w.map_or(("(end)", 0), |(w, n)| (w, n));
                let g = g.unwrap_or("(end)");
                return Err(
                    format!("line {n} of the output\n  expected {w}\n  printed  {g}").into(),
                );
            }
        }
    }
}

/// The last lines of an output.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(5);
    lines[start..].iter().map(|l| format!("{l}\n")).collect()
}
