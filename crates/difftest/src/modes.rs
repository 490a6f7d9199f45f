//! The execution modes of `tests/modes.toml` and which of them can run here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::Deserialize;

use crate::process::Launcher;

/// A suite that modes take part in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// Generated programs.
    Programs,
    /// The scripts in `tests/lua`.
    Lua,
    /// The official test files.
    Official,
}

/// A mode as `tests/modes.toml` describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// Its name in reports.
    pub name: String,
    /// `puc`, `vela` or a program on the path.
    pub program: String,
    /// Arguments before the script; `{seed}` is the generator's seed, or 1.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The suites that use it.
    pub tests: Vec<Suite>,
    /// Runs its share of the generated programs only.
    #[serde(default)]
    pub share: bool,
    /// Must compile functions and take side exits.
    #[serde(default)]
    pub jit: bool,
    /// May be absent where everything is required.
    #[serde(default)]
    pub optional: bool,
}

#[derive(Deserialize)]
struct ModeFile {
    mode: Vec<Mode>,
}

/// A mode that runs on this machine.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Its description.
    pub mode: Mode,
    /// How to start it.
    pub launcher: Launcher,
}

/// The modes of a suite, sorted into those that run here and those that do not.
#[derive(Clone, Debug, Default)]
pub struct Modes {
    /// Those that run.
    pub ready: Vec<Ready>,
    /// Those that do not, each with the reason.
    pub missing: Vec<(Mode, String)>,
}

/// A set of modes that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModeError {
    /// The mode file is missing or malformed.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The reference cannot be built.
    #[error("ci/puc failed: {0}")]
    Reference(String),
    /// `VELA_REQUIRED=1` and modes are missing.
    #[error("required modes cannot run:\n{0}")]
    Required(String),
}

/// The workspace's root folder.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .unwrap_or(manifest)
        .to_path_buf()
}

fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The folder for what a run leaves behind (batches, failing programs).
///
/// # Errors
/// If it cannot be created.
pub fn scratch() -> std::io::Result<PathBuf> {
    let dir = target().join("difftest");
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// The reference `lua`: `VELA_PUC`, or the one that `ci/puc` builds (on first use).
///
/// # Errors
/// If it cannot be built.
pub fn reference() -> Result<PathBuf, ModeError> {
    if let Some(path) = std::env::var_os("VELA_PUC") {
        return Ok(PathBuf::from(path));
    }
    let output = Command::new(root().join("ci/puc"))
        .output()
        .map_err(|e| ModeError::Reference(e.to_string()))?;
    if !output.status.success() {
        return Err(ModeError::Reference(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    Ok(PathBuf::from(
        String::from_utf8_lossy(&output.stdout).trim(),
    ))
}

/// The `vela` under test: `VELA_BIN`, or the release build in the target folder.
pub fn vela() -> PathBuf {
    std::env::var_os("VELA_BIN")
        .map_or_else(|| target().join("release/vela"), |path| root().join(path))
}

fn flag(name: &str) -> bool {
    std::env::var(name).is_ok_and(|v| !v.is_empty() && v != "0")
}

/// Whether every mode must run (`VELA_REQUIRED=1`, as in CI).
pub fn required() -> bool {
    flag("VELA_REQUIRED")
}

/// Whether every mode runs every generated program (`VELA_DIFF_ALL=1`).
pub fn all_programs() -> bool {
    flag("VELA_DIFF_ALL")
}

/// Reads the modes of a suite and tries each. `VELA_MODES` (names separated by commas) restricts
/// them; the reference always takes part.
///
/// # Errors
/// If the mode file is malformed, the reference cannot be built, or a required mode cannot run.
pub fn load(suite: Suite) -> Result<Modes, ModeError> {
    let path = root().join("tests/modes.toml");
    let bad = |reason: String| ModeError::File {
        path: path.display().to_string(),
        reason,
    };
    let text = std::fs::read_to_string(&path).map_err(|e| bad(e.to_string()))?;
    let file: ModeFile = toml::from_str(&text).map_err(|e| bad(e.to_string()))?;
    let only = std::env::var("VELA_MODES").ok();
    let seed = match std::env::var("VELA_DIFF_SEED") {
        // Leading digits: seeds of the generator have up to 64 bits.
        Ok(text) => text.chars().take(9).collect(),
        Err(_) => "1".to_owned(),
    };
    let mut modes = Modes::default();
    for mode in file.mode {
        let wanted = only
            .as_ref()
            .is_none_or(|o| o.split(',').any(|n| n == mode.name));
        if !mode.tests.contains(&suite) || (!wanted && mode.program != "puc") {
            continue;
        }
        let program = match mode.program.as_str() {
            "puc" => reference()?,
            "vela" => vela(),
            other => PathBuf::from(other),
        };
        let args = mode.args.iter().map(|a| a.replace("{seed}", &seed));
        let launcher = Launcher {
            program,
            args: args.collect(),
            env: mode.env.clone().into_iter().collect(),
        };
        match probe(&launcher) {
            Ok(()) => modes.ready.push(Ready { mode, launcher }),
            Err(reason) => modes.missing.push((mode, reason)),
        }
    }
    if required() {
        let missing: Vec<String> = modes
            .missing
            .iter()
            .filter(|(m, _)| !m.optional)
            .map(|(m, why)| format!("  {}: {why}", m.name))
            .collect();
        if !missing.is_empty() {
            return Err(ModeError::Required(missing.join("\n")));
        }
    }
    Ok(modes)
}

impl Modes {
    /// Lines that say which modes run and which do not.
    pub fn describe(&self) -> String {
        let names: Vec<&str> = self.ready.iter().map(|r| r.mode.name.as_str()).collect();
        let mut text = format!("modes: {}\n", names.join(", "));
        for (mode, reason) in &self.missing {
            text += &format!("skipped mode {}: {reason}\n", mode.name);
        }
        text
    }
}

/// Runs a one-line script in the mode.
fn probe(launcher: &Launcher) -> Result<(), String> {
    let dir = scratch().map_err(|e| e.to_string())?;
    // Tests run side by side in one process: each probe has its own file.
    static PROBES: AtomicU32 = AtomicU32::new(0);
    let number = PROBES.fetch_add(1, Ordering::Relaxed);
    let script = dir.join(format!("probe-{number}.lua"));
    std::fs::write(&script, "print(1 + 1)\n").map_err(|e| e.to_string())?;
    let path = script.display().to_string();
    let outcome = launcher
        .run(&[&path], &dir, Duration::from_secs(10))
        .map_err(|e| e.to_string())?;
    if outcome.success() && outcome.stdout == b"2\n" {
        return Ok(());
    }
    let first = outcome.stderr.lines().next().unwrap_or("no message");
    Err(format!("{}: {first}", outcome.exit))
}
