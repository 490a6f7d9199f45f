//! The benchmark programs and the directives in their header comments.
//!
//! A program starts with comment lines. The first, `-- name: text`, says what it is.
//! Directives are lines `-- quick: N` (size for smoke tests, required), `-- full: N` (size
//! for measuring, when it is not the program's own default) and `-- needs: lua5.4` (uses
//! what Lua 5.1 lacks, so LuaJIT does not run it).

use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the programs could not be loaded.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A header lacks something or holds something unknown.
    #[error("{name}: {problem}")]
    Header {
        /// The program's name.
        name: String,
        /// What is wrong with its header.
        problem: String,
    },
    /// A program was asked for that does not exist.
    #[error("no benchmark program named '{0}'")]
    Unknown(String),
}

/// One benchmark program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// File name without extension.
    pub name: String,
    /// The Lua file.
    pub path: PathBuf,
    /// What it is, from the first header line.
    pub title: String,
    /// Argument for smoke tests.
    pub quick: String,
    /// Argument for measuring; `None` runs the program's own default.
    pub full: Option<String>,
    /// Whether it needs Lua 5.4 and so cannot run on LuaJIT.
    pub needs_lua54: bool,
}

impl Program {
    /// Reads a program's header.
    ///
    /// # Errors
    /// [`ProgramError::Header`] when the title or the quick size is missing, a size is not
    /// a whole number, or `needs` names something other than `lua5.4`.
    pub fn parse(name: &str, path: &Path, source: &str) -> Result<Self, ProgramError> {
        let error = |problem: String| ProgramError::Header {
            name: name.to_owned(),
            problem,
        };
        let size = |text: &str| {
            if text.parse::<u64>().is_ok() {
                Ok(text.to_owned())
            } else {
                Err(error(format!("size '{text}' is not a whole number")))
            }
        };
        let mut header = source
            .lines()
            .map_while(|l| l.strip_prefix("--"))
            .map(str::trim);
        let title = header
            .next()
            .and_then(|l| l.strip_prefix(name))
            .and_then(|l| l.strip_prefix(':'))
            .map(|l| l.trim().trim_end_matches('.').to_owned())
            .ok_or_else(|| error(format!("the first line must be '-- {name}: what it is'")))?;
        let (mut quick, mut full, mut needs_lua54) = (None, None, false);
        for line in header {
            if let Some(n) = line.strip_prefix("quick:") {
                quick = Some(size(n.trim())?);
            } else if let Some(n) = line.strip_prefix("full:") {
                full = Some(size(n.trim())?);
            } else if let Some(what) = line.strip_prefix("needs:") {
                if what.trim() != "lua5.4" {
                    return Err(error(format!("unknown need '{}'", what.trim())));
                }
                needs_lua54 = true;
            }
        }
        let quick = quick.ok_or_else(|| error("no '-- quick: N' line".to_owned()))?;
        Ok(Self {
            name: name.to_owned(),
            path: path.to_owned(),
            title,
            quick,
            full,
            needs_lua54,
        })
    }

    /// The size argument for a run, if one is to be passed.
    #[must_use]
    pub fn size(&self, quick: bool) -> Option<&str> {
        if quick {
            Some(&self.quick)
        } else {
            self.full.as_deref()
        }
    }
}

/// Loads all programs of a folder, sorted by name.
///
/// # Errors
/// When the folder or a file cannot be read, or a header is wrong.
pub fn load_all(folder: &Path) -> Result<Vec<Program>, ProgramError> {
    let read = |path: &Path, source| ProgramError::Read {
        path: path.to_owned(),
        source,
    };
    let mut programs = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| read(folder, e))? {
        let path = entry.map_err(|e| read(folder, e))?.path();
        if path.extension().is_none_or(|e| e != "lua") {
            continue;
        }
        let Some(name) = path.file_stem().and_then(|s| s.to_str()) else {
            continue;
        };
        let source = fs::read_to_string(&path).map_err(|e| read(&path, e))?;
        programs.push(Program::parse(name, &path, &source)?);
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

/// Keeps the programs named in `only`, in that order; all of them when `only` is empty.
///
/// # Errors
/// [`ProgramError::Unknown`] for a name that no program has.
pub fn select(all: Vec<Program>, only: &[String]) -> Result<Vec<Program>, ProgramError> {
    if only.is_empty() {
        return Ok(all);
    }
    only.iter()
        .map(|name| {
            all.iter()
                .find(|p| p.name == *name)
                .cloned()
                .ok_or_else(|| ProgramError::Unknown(name.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(source: &str) -> Result<Program, ProgramError> {
        Program::parse("fib", Path::new("fib.lua"), source)
    }

    #[test]
    fn reads_the_header() {
        let p = parse("-- fib: numbers.\n-- Stresses calls.\n-- needs: lua5.4\n-- quick: 20\n-- full: 36\n\nprint(1)\n")
            .unwrap();
        assert_eq!(p.title, "numbers");
        assert_eq!(p.size(true), Some("20"));
        assert_eq!(p.size(false), Some("36"));
        assert!(p.needs_lua54);
    }

    #[test]
    fn directives_after_the_header_do_not_count() {
        let e = parse("-- fib: numbers.\nprint(1)\n-- quick: 20\n").unwrap_err();
        assert_eq!(e.to_string(), "fib: no '-- quick: N' line");
    }

    #[test]
    fn wrong_headers_are_named() {
        assert!(
            parse("-- fob: numbers.\n-- quick: 1\n")
                .unwrap_err()
                .to_string()
                .contains("first line")
        );
        assert!(
            parse("-- fib: x.\n-- quick: few\n")
                .unwrap_err()
                .to_string()
                .contains("'few'")
        );
        assert!(
            parse("-- fib: x.\n-- quick: 1\n-- needs: lua6\n")
                .unwrap_err()
                .to_string()
                .contains("'lua6'")
        );
    }

    #[test]
    fn selection_keeps_the_asked_order_and_refuses_unknown_names() {
        let all = load_all(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/programs"))).unwrap();
        assert!(all.len() >= 20, "only {} programs", all.len());
        let names = ["queens".to_owned(), "fib".to_owned()];
        let chosen = select(all.clone(), &names).unwrap();
        assert_eq!(
            chosen.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
            ["queens", "fib"]
        );
        assert!(
            matches!(select(all, &["nope".to_owned()]), Err(ProgramError::Unknown(n)) if n == "nope")
        );
    }
}
