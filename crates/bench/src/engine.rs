//! The engines that are compared and how each is started.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::jit_stats::JitStats;

/// Which engine a column of the report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// PUC Lua 5.4, the reference for output and for ratios.
    Lua54,
    /// Vela with `-j off`.
    VelaOff,
    /// Vela with `-j on`, its default mode: compilation in the background.
    VelaOn,
    /// LuaJIT.
    LuaJit,
    /// Node.js, which runs the JavaScript twins of the steady-state programs.
    Node,
    /// A C compiler, which builds the C twins of the kernels.
    C,
}

impl Kind {
    /// All kinds in the order of the report's columns.
    pub const ALL: [Self; 6] = [
        Self::Lua54,
        Self::VelaOff,
        Self::VelaOn,
        Self::LuaJit,
        Self::Node,
        Self::C,
    ];
    /// Those that run whole Lua programs.
    pub const WHOLE: [Self; 4] = [Self::Lua54, Self::VelaOff, Self::VelaOn, Self::LuaJit];
    /// Those that run the steady-state programs.
    pub const STEADY: [Self; 4] = [Self::Lua54, Self::VelaOn, Self::LuaJit, Self::Node];
    /// Those that run the kernels.
    pub const KERNELS: [Self; 3] = [Self::VelaOn, Self::LuaJit, Self::C];

    /// Short name, as in column heads and in `--engines`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lua54 => "lua5.4",
            Self::VelaOff => "vela-off",
            Self::VelaOn => "vela-on",
            Self::LuaJit => "luajit",
            Self::Node => "node",
            Self::C => "c",
        }
    }

    /// The kind with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An engine that was found and starts.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Which one it is.
    pub kind: Kind,
    /// The program to start.
    pub command: PathBuf,
    /// Arguments before the script.
    pub args: Vec<OsString>,
    /// First line of what `-v` prints.
    pub version: String,
}

impl Engine {
    /// Command that runs a script; standard input is empty.
    #[must_use]
    pub fn command(&self, script: &Path, size: Option<&str>) -> Command {
        let mut c = Command::new(&self.command);
        c.args(&self.args)
            .arg(script)
            .args(size)
            .stdin(Stdio::null())
            .env_remove("LUA_INIT")
            .env_remove("LUA_INIT_5_4");
        c
    }
}

/// Why an engine takes no part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Which one.
    pub kind: Kind,
    /// Why, for the user.
    pub reason: String,
}

/// How the C twins are compiled: as fast as the compiler can make them, with the arithmetic
/// of Lua (integers wrap, no fused operations).
pub const C_FLAGS: [&str; 5] = [
    "-O3",
    "-march=native",
    "-ffp-contract=off",
    "-fwrapv",
    "-std=gnu11",
];

/// Tries to start an engine: asks for its version, then runs an empty chunk with the flags
/// that the benchmark uses. Vela with the JIT also gets `--jit-stats=json` where it is known.
///
/// # Errors
/// [`Absent`] with the reason when the program does not start or refuses the flags.
pub fn detect(kind: Kind, command: &Path) -> Result<Engine, Absent> {
    let absent = |reason: String| Absent { kind, reason };
    let shown = command.display();
    let flag = if kind == Kind::C { "--version" } else { "-v" };
    let (_, version) =
        try_run(command, &[flag]).map_err(|e| absent(format!("{shown} {flag}: {e}")))?;
    let version = version
        .lines()
        .next()
        .unwrap_or("unknown version")
        .trim()
        .to_owned();
    let args: Vec<&str> = match kind {
        Kind::Lua54 | Kind::LuaJit | Kind::Node => vec![],
        Kind::C => C_FLAGS.to_vec(),
        Kind::VelaOff => vec!["-j", "off"],
        Kind::VelaOn => {
            let with_stats = ["-j", "on", "--jit-stats=json"];
            let mut probe = with_stats.to_vec();
            probe.extend(["-e", ""]);
            match try_run(command, &probe) {
                Ok((stderr, _)) if JitStats::parse(&stderr).is_some() => with_stats.to_vec(),
                _ => vec!["-j", "on"],
            }
        }
    };
    let mut probe = args.clone();
    if kind == Kind::C {
        probe.push("--version");
    } else {
        probe.extend(["-e", ""]);
    }
    try_run(command, &probe).map_err(|e| absent(format!("{shown} {}: {e}", args.join(" "))))?;
    Ok(Engine {
        kind,
        command: command.to_owned(),
        args: args.into_iter().map(OsString::from).collect(),
        version,
    })
}

/// Runs a command; gives its standard error, and both streams joined.
fn try_run(command: &Path, args: &[&str]) -> Result<(String, String), String> {
    let out = Command::new(command)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| e.to_string())?;
    let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
    if !out.status.success() {
        return Err(format!(
            "{}: {}",
            out.status,
            stderr.lines().next().unwrap_or("")
        ));
    }
    let both = String::from_utf8_lossy(&out.stdout).into_owned() + &stderr;
    Ok((stderr, both))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_name("lua5.1"), None);
    }

    #[test]
    fn a_missing_program_is_absent_with_a_reason() {
        let absent = detect(Kind::VelaOff, Path::new("/nonexistent/vela")).unwrap_err();
        assert_eq!(absent.kind, Kind::VelaOff);
        assert!(
            absent.reason.contains("/nonexistent/vela"),
            "{}",
            absent.reason
        );
    }

    #[test]
    fn a_program_that_fails_is_absent() {
        let absent = detect(Kind::Lua54, Path::new("false")).unwrap_err();
        assert!(absent.reason.contains("exit status"), "{}", absent.reason);
    }
}
