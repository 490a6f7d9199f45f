//! Runs many programs in one process.
//!
//! The driver script (written in Lua, so that it runs in every mode) takes a file of programs and
//! writes one record per program. If the process dies, the first program without a record is the
//! one to blame, and the rest run in a new process.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::modes::Ready;
use crate::process::{Exit, SpawnError};

/// The line between programs of a text that holds several, to be run in this order in one process.
pub const NEXT: &str = "-- next program\n";

/// The programs of a text.
pub fn split(text: &str) -> Vec<&str> {
    text.split(NEXT).collect()
}

const DRIVER: &str = include_str!("driver.lua");

/// What one program did in one mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `ok`, `error`, `syntax`, or how the process died.
    pub status: String,
    /// Everything printed.
    pub output: String,
    /// Functions compiled during the program; `None` where the mode does not tell.
    pub compiled: Option<u64>,
    /// Side exits taken during the program; `None` where the mode does not tell.
    pub exits: Option<u64>,
}

/// A batch that could not be run.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Files cannot be written.
    #[error("cannot write the batch: {0}")]
    Io(#[from] std::io::Error),
    /// The process cannot be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}

/// Runs programs in a mode; one report each, in order. `tag` names the scratch files and must be
/// unique among concurrent calls. The process gets `limit` for the whole batch.
///
/// # Errors
/// If the batch cannot be written or started. A process that dies is a report, not an error.
pub fn run(
    ready: &Ready,
    programs: &[&str],
    dir: &Path,
    tag: &str,
    limit: Duration,
) -> Result<Vec<Report>, BatchError> {
    // Written aside and renamed: several test processes may share the folder.
    let driver = dir.join("driver.lua");
    if std::fs::read_to_string(&driver).ok().as_deref() != Some(DRIVER) {
        let aside = dir.join(format!("driver-{}-{tag}.lua", std::process::id()));
        std::fs::write(&aside, DRIVER)?;
        std::fs::rename(&aside, &driver)?;
    }
    let mut reports = Vec::new();
    while reports.len() < programs.len() {
        let rest = &programs[reports.len()..];
        let mut text = String::new();
        for p in rest {
            let _ = write!(text, "{}\n{p}", p.len());
        }
        let file = dir.join(format!("batch-{}-{tag}.txt", std::process::id()));
        std::fs::write(&file, text)?;
        let outcome = ready.launcher.run(
            &[&driver.display().to_string(), &file.display().to_string()],
            dir,
            limit,
        )?;
        let done = parse(&outcome.stdout);
        let complete = done.len() >= rest.len();
        reports.extend(done);
        if !complete {
            let what = match outcome.exit {
                Exit::Code(0) => "ended early".to_owned(),
                exit => format!("died: {exit}"),
            };
            reports.push(Report {
                status: what,
                output: outcome.stderr,
                compiled: None,
                exits: None,
            });
        }
        std::fs::remove_file(&file)?;
    }
    Ok(reports)
}

/// The complete records at the start of the driver's output.
fn parse(stdout: &[u8]) -> Vec<Report> {
    let mut reports = Vec::new();
    let mut rest = stdout;
    while let Some((report, tail)) = record(rest) {
        reports.push(report);
        rest = tail;
    }
    reports
}

fn record(bytes: &[u8]) -> Option<(Report, &[u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    let header = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut words = header.strip_prefix("@@ ")?.split(' ');
    let _index = words.next()?;
    let status = words.next()?.to_owned();
    let size: usize = words.next()?.parse().ok()?;
    let compiled: i64 = words.next()?.parse().ok()?;
    let exits: i64 = words.next()?.parse().ok()?;
    let body = bytes.get(end + 1..end + 1 + size)?;
    let tail = bytes.get(end + 2 + size..)?;
    // Without the statistics function the driver writes -1.
    let report = Report {
        status,
        output: String::from_utf8_lossy(body).into_owned(),
        compiled: u64::try_from(compiled).ok(),
        exits: u64::try_from(exits).ok(),
    };
    Some((report, tail))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_complete_records_only() {
        let text = b"@@ 0 ok 3 1 2\nabc\n@@ 1 error 4 0 0\na\nbc\n@@ 2 ok 9 0 0\ntrunc";
        let reports = parse(text);
        assert_eq!(reports.len(), 2);
        assert_eq!(reports[0].output, "abc");
        assert_eq!(reports[0].compiled, Some(1));
        assert_eq!(reports[0].exits, Some(2));
        assert_eq!(reports[1].status, "error");
        assert_eq!(reports[1].output, "a\nbc");
    }
}
