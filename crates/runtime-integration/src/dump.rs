//! Dumps of compilations: one file per phase and function; and a map of
//! addresses for `perf`.

use std::io::Write;
use std::path::{Path, PathBuf};
use vela_code_cache::InstalledCode;
use vela_mir::ir::EntryKind;

/// The dump of one compilation, or nothing when dumps are off.
pub(crate) struct Dump {
    /// Path without the extension.
    stem: Option<PathBuf>,
}

impl Dump {
    /// Files are named `<code id>-<chunk>-<line>[-loop<pc>].<phase>`.
    pub(crate) fn new(dir: Option<&Path>, code_id: u32, name: &str, entry: EntryKind) -> Self {
        let stem = dir.map(|dir| {
            let safe: String = name
                .chars()
                .map(|c| match c {
                    'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' => c,
                    _ => '-',
                })
                .collect();
            let suffix = match entry {
                EntryKind::Call => String::new(),
                EntryKind::Osr { pc } => format!("-loop{pc}"),
            };
            let tail: String = safe.chars().rev().take(80).collect();
            let safe: String = tail.chars().rev().collect();
            dir.join(format!("{code_id:04}-{safe}{suffix}"))
        });
        Dump { stem }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.stem.is_some()
    }

    /// Writes one phase. A directory that cannot be written turns the dump
    /// off with a warning: dumps never make a compilation fail.
    pub(crate) fn write(&mut self, phase: &str, text: impl FnOnce() -> String) {
        let Some(stem) = &self.stem else { return };
        let mut path = stem.clone().into_os_string();
        path.push(".");
        path.push(phase);
        let path = PathBuf::from(path);
        let dir = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(e) = dir.and_then(|()| std::fs::write(&path, text())) {
            tracing::warn!(target: "vela_jit::compile", path = %path.display(), error = %e, "cannot write dump");
            self.stem = None;
        }
    }
}

/// Adds code to the process's map of addresses, in the form that Linux's `perf`
/// reads. A map that cannot be written is a warning.
pub(crate) fn note_address(code: &InstalledCode) {
    let path = PathBuf::from(format!("/tmp/perf-{}.map", std::process::id()));
    let entry = code
        .osr_pc
        .map_or(String::new(), |pc| format!(" loop {pc}"));
    let line = format!(
        "{:x} {:x} {}{entry} #{}\n",
        code.entry().addr(),
        code.size(),
        code.name,
        code.id
    );
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path);
    if let Err(e) = file.and_then(|mut f| f.write_all(line.as_bytes())) {
        tracing::warn!(target: "vela_jit::compile", path = %path.display(), error = %e, "cannot write map");
    }
}
