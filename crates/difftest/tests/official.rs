//! Runs the official Lua 5.4.8 test files named in `tests/official.txt` in every mode. They come
//! with the reference (`ci/puc`); each mode works on a copy of its own, in which the lines that
//! need features of a later issue are blanked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use vela_difftest::modes::{self, Ready, Suite};

const LIMIT: Duration = Duration::from_secs(600);

/// A test file and what to leave out of it.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    /// First and last lines to blank.
    cuts: Vec<(usize, usize)>,
}

fn main() {
    let args = Arguments::from_args();
    match prepare() {
        Ok(trials) => libtest_mimic::run(&args, trials).exit(),
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(1);
        }
    }
}

fn prepare() -> Result<Vec<Trial>, Box<dyn std::error::Error>> {
    let modes = modes::load(Suite::Official)?;
    eprint!("{}", modes.describe());
    let entries = list(&std::fs::read_to_string(
        modes::root().join("tests/official.txt"),
    )?)?;
    let sources = modes::reference()?.with_file_name("testes");
    let mut trials = Vec::new();
    for ready in &modes.ready {
        let dir = modes::scratch()?.join(format!("official-{}", ready.mode.name));
        copy(&sources, &dir)?;
        for entry in &entries {
            edit(&dir.join(&entry.name), entry)?;
            let (ready, dir, file) = (ready.clone(), dir.clone(), entry.name.clone());
            let name = format!("{}::{file}", ready.mode.name);
            trials.push(Trial::test(name, move || run(&ready, &dir, &file)));
        }
    }
    for (mode, _) in &modes.missing {
        for entry in &entries {
            let name = format!("{}::{}", mode.name, entry.name);
            trials.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
        }
    }
    Ok(trials)
}

/// Lines `run FILE [cut A-B C ...]`; `skip FILE REASON`, blank lines and `#` comments
/// are passed over.
fn list(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let bad = |what: &str| format!("tests/official.txt:{number}: {what}");
        let line = line.split('#').next().unwrap_or("");
        let mut words = line.split_whitespace();
        match words.next() {
            None | Some("skip") => {}
            Some("run") => {
                let name = words
                    .next()
                    .ok_or_else(|| bad("a file name is missing"))?
                    .to_owned();
                let mut cuts = Vec::new();
                match words.next() {
                    None => {}
                    Some("cut") => {
                        for word in words {
                            let (a, b) = word.split_once('-').unwrap_or((word, word));
                            let parse = |s: &str| s.parse::<usize>().map_err(|_| bad("bad range"));
                            cuts.push((parse(a)?, parse(b)?));
                        }
                    }
                    Some(other) => return Err(bad(&format!("unknown word '{other}'"))),
                }
                entries.push(Entry { name, cuts });
            }
            Some(other) => return Err(bad(&format!("unknown word '{other}'"))),
        }
    }
    Ok(entries)
}

fn copy(from: &Path, to: &PathBuf) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Blanks an entry's lines; the other lines keep their numbers.
fn edit(file: &Path, entry: &Entry) -> std::io::Result<()> {
    // Not every file is UTF-8.
    let bytes = std::fs::read(file)?;
    let mut out = Vec::with_capacity(bytes.len());
    for (line, number) in bytes.split_inclusive(|b| *b == b'\n').zip(1..) {
        if entry.cuts.iter().any(|(a, b)| (*a..=*b).contains(&number)) {
            out.push(b'\n');
        } else {
            out.extend_from_slice(line);
        }
    }
    std::fs::write(file, out)
}

fn run(ready: &Ready, dir: &Path, file: &str) -> Result<(), Failed> {
    let prologue = "_port = true; _soft = true; _nomsg = true";
    let outcome = ready.launcher.run(&["-e", prologue, file], dir, LIMIT)?;
    if outcome.success() {
        return Ok(());
    }
    Err(format!("{}\n{}", outcome.exit, outcome.stderr).into())
}
