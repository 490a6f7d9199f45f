//! Finds an LLVM installation of the wanted release series.
//!
//! Included by the build script and by the test of it: everything that depends on
//! the machine comes in through [`Search`].

use std::fmt::{self, Display, Formatter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where to look for `llvm-config`, and what for.
#[derive(Clone, Debug)]
pub struct Search {
    /// Wanted series.
    pub series: (u32, u32),
    /// Folders, best first. Each is tried with the versioned name, then the plain one.
    pub folders: Vec<PathBuf>,
}

impl Search {
    /// The search of a build: only `prefix/bin` when a prefix is given, otherwise the
    /// folders of `path` and then the places where distributions put LLVM.
    pub fn new(
        series: (u32, u32),
        prefix: Option<&std::ffi::OsStr>,
        path: Option<&std::ffi::OsStr>,
    ) -> Self {
        let folders = match prefix {
            Some(prefix) => vec![Path::new(prefix).join("bin")],
            None => path
                .map(|path| std::env::split_paths(path).collect())
                .unwrap_or_default(),
        };
        let mut search = Self { series, folders };
        if prefix.is_none() {
            let major = series.0;
            for folder in [
                format!("/usr/lib/llvm-{major}/bin"),
                format!("/usr/lib/llvm{major}/bin"),
                format!("/usr/lib64/llvm{major}/bin"),
                format!("/usr/local/opt/llvm@{major}/bin"),
                format!("/opt/homebrew/opt/llvm@{major}/bin"),
            ] {
                search.folders.push(folder.into());
            }
        }
        search
    }

    /// The first `llvm-config` of the wanted series.
    pub fn run(&self) -> Result<Found, Missing> {
        let names = [
            format!("llvm-config-{}", self.series.0),
            "llvm-config".to_owned(),
        ];
        let mut others: Vec<Other> = Vec::new();
        for name in &names {
            for folder in &self.folders {
                let program = folder.join(name);
                if !program.is_file() {
                    continue;
                }
                let what = match ask(&program, &["--version"]) {
                    Ok(version) if series_of(&version) == Some(self.series) => {
                        return Ok(Found { program, version });
                    }
                    Ok(version) => format!("found {version}"),
                    Err(why) => why,
                };
                if !others.iter().any(|other| other.what == what) {
                    others.push(Other { program, what });
                }
            }
        }
        Err(Missing {
            series: self.series,
            others,
        })
    }
}

/// A usable installation.
#[derive(Debug)]
pub struct Found {
    /// Its `llvm-config`.
    pub program: PathBuf,
    /// Its full version.
    pub version: String,
}

/// Libraries to link, as the linker wants them named.
#[derive(Debug)]
pub struct Libraries {
    /// Folder that has the LLVM libraries.
    pub folder: String,
    /// LLVM's libraries, without prefix and suffix.
    pub llvm: Vec<String>,
    /// Libraries that LLVM needs, when it is linked statically.
    pub system: Vec<String>,
}

impl Found {
    /// What to link to have these components of LLVM; the error is the text that
    /// `llvm-config` printed.
    pub fn libraries(&self, dynamic: bool, components: &[&str]) -> Result<Libraries, String> {
        let mode = if dynamic {
            "--link-shared"
        } else {
            "--link-static"
        };
        let strip = |file: &str| {
            let stem = file.strip_prefix("lib").unwrap_or(file);
            let end = [".so", ".dylib", ".a"]
                .iter()
                .find_map(|suffix| stem.strip_suffix(suffix));
            end.unwrap_or(stem).to_owned()
        };
        let list = |what: &str| {
            let mut arguments = vec![what, mode];
            arguments.extend(components);
            ask(&self.program, &arguments)
        };
        let llvm = list("--libnames")?;
        let system = if dynamic {
            Vec::new()
        } else {
            let listed = list("--system-libs")?;
            let named = listed
                .split_whitespace()
                .map(|flag| match flag.strip_prefix("-l") {
                    Some(name) => name.to_owned(),
                    None => strip(
                        Path::new(flag)
                            .file_name()
                            .and_then(|f| f.to_str())
                            .unwrap_or(flag),
                    ),
                });
            named.collect()
        };
        Ok(Libraries {
            folder: ask(&self.program, &["--libdir"])?,
            llvm: llvm.split_whitespace().map(strip).collect(),
            system,
        })
    }
}

/// An `llvm-config` that will not do.
#[derive(Debug)]
pub struct Other {
    /// Where it is.
    pub program: PathBuf,
    /// Its version, or why it has none.
    pub what: String,
}

/// No usable installation.
#[derive(Debug)]
pub struct Missing {
    /// Wanted series.
    pub series: (u32, u32),
    /// What was found instead.
    pub others: Vec<Other>,
}

impl Display for Missing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut found = String::new();
        for other in &self.others {
            let separator = if found.is_empty() { "" } else { "; " };
            write!(
                found,
                "{separator}{} at {}",
                other.what,
                other.program.display()
            )?;
        }
        if found.is_empty() {
            found.push_str("found no LLVM");
        }
        write!(
            f,
            "LLVM {}.{} is needed, {found}",
            self.series.0, self.series.1
        )
    }
}

fn ask(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|e| format!("cannot run it ({e})"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("no message");
        Err(format!("{} failed ({})", arguments.join(" "), line.trim()))
    }
}

fn series_of(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}
