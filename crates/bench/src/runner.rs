//! Timed runs of whole processes.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::engine::{Engine, Kind};
use crate::jit_stats::JitStats;
use crate::program::Program;

/// One finished run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Wall time from start to exit, in seconds.
    pub seconds: f64,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, with invalid UTF-8 replaced.
    pub stderr: String,
}

/// Why an engine has no result for a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The process could not be started or watched.
    Start(String),
    /// The run took longer than allowed, in seconds.
    Timeout(u64),
    /// The process ended with an error; its status and last line of standard error.
    Exit(String),
    /// The output differs from the reference; the first lines that differ.
    Mismatch(String),
}

impl Failure {
    /// One word for a table cell.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Start(_) => "not started",
            Self::Timeout(_) => "timeout",
            Self::Exit(_) => "failed",
            Self::Mismatch(_) => "wrong output",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(e) => write!(f, "cannot run: {e}"),
            Self::Timeout(s) => write!(f, "no end after {s} s"),
            Self::Exit(e) => write!(f, "{e}"),
            Self::Mismatch(e) => write!(f, "output differs: {e}"),
        }
    }
}

/// What one engine made of one program.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Wall times of the successful runs, in seconds.
    pub seconds: Vec<f64>,
    /// Counters of the last run that printed them.
    pub jit: Option<JitStats>,
    /// Set once a run failed; the engine's later rounds are skipped.
    pub failure: Option<Failure>,
}

/// Reads a stream to its end on a thread of its own, so that a full pipe never blocks the child.
pub(crate) fn drain(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A read error ends the output early; the comparison then reports it.
        let _ = stream.read_to_end(&mut bytes);
        // The receiver is gone only after a timeout, when nobody wants the bytes.
        let _ = send.send(bytes);
    });
    receive
}

/// Waits for a child whose output has ended; `None` at the deadline.
pub(crate) fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(Duration::from_micros(50));
    }
}

/// Runs a command to its end and times it. The process is killed at the timeout.
///
/// # Errors
/// [`Failure`] when it cannot start, does not end in time, or ends with an error status.
pub fn run(mut command: Command, timeout: Duration) -> Result<Run, Failure> {
    let start = Instant::now();
    let deadline = start + timeout;
    let failed = |e: io::Error| Failure::Start(e.to_string());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Failure::Start("no pipes".to_owned()));
    };
    let (out, err) = (drain(out), drain(err));
    // The end of its output means that the process is ending: no polling while it is measured.
    let stdout = out.recv_timeout(timeout);
    let status = match &stdout {
        Ok(_) => wait_until(&mut child, deadline).map_err(failed)?,
        Err(_) => None,
    };
    let seconds = start.elapsed().as_secs_f64();
    let (Ok(stdout), Some(status)) = (stdout, status) else {
        // It may have ended between the check and the kill; reaping it is what matters.
        let _ = child.kill();
        child.wait().map_err(failed)?;
        return Err(Failure::Timeout(timeout.as_secs()));
    };
    let stderr = err.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    exit_failure(status, &stderr)?;
    Ok(Run {
        seconds,
        stdout,
        stderr,
    })
}

/// The failure that an exit status means, with the first line of the error output.
pub(crate) fn exit_failure(status: ExitStatus, stderr: &str) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    let message = stderr
        .lines()
        .find(|l| !l.trim().is_empty())
        .unwrap_or("no message");
    Err(Failure::Exit(format!("{status}: {message}")))
}

/// Describes the first line in which two outputs differ.
pub(crate) fn first_difference(expected: &[u8], got: &[u8]) -> String {
    let (expected, got) = (
        String::from_utf8_lossy(expected),
        String::from_utf8_lossy(got),
    );
    let (mut e, mut g) = (expected.lines(), got.lines());
    for number in 1.. {
        match (e.next(), g.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                let show = |l: Option<&str>| l.map_or("nothing".to_owned(), |l| format!("{l:?}"));
                return format!("line {number}: expected {}, got {}", show(a), show(b));
            }
        }
    }
    "only in line ends".to_owned()
}

/// Runs one program under all engines, `rounds` times each. Engines take turns, and each
/// round starts with another one. Outputs are compared with the first engine's in `engines`
/// that ran successfully. `observe` hears of every run, for progress.
pub fn run_program(
    program: &Program,
    engines: &[Engine],
    rounds: usize,
    quick: bool,
    timeout: Duration,
    mut observe: impl FnMut(Kind),
) -> BTreeMap<Kind, Outcome> {
    let taking_part: Vec<&Engine> = engines
        .iter()
        .filter(|e| !(program.needs_lua54 && e.kind == Kind::LuaJit))
        .collect();
    let mut outcomes: BTreeMap<Kind, Outcome> = taking_part
        .iter()
        .map(|e| (e.kind, Outcome::default()))
        .collect();
    let mut reference: Option<Vec<u8>> = None;
    for round in 0..rounds {
        for turn in 0..taking_part.len() {
            // The first round goes in order, so that the reference output is the first engine's.
            let engine = taking_part[(turn + round) % taking_part.len()];
            let Some(outcome) = outcomes
                .get_mut(&engine.kind)
                .filter(|o| o.failure.is_none())
            else {
                continue;
            };
            observe(engine.kind);
            match run(engine.command(&program.path, program.size(quick)), timeout) {
                Ok(run) => {
                    let expected = reference.get_or_insert_with(|| run.stdout.clone());
                    if *expected == run.stdout {
                        outcome.seconds.push(run.seconds);
                        outcome.jit = JitStats::parse(&run.stderr).or(outcome.jit);
                    } else {
                        outcome.failure =
                            Some(Failure::Mismatch(first_difference(expected, &run.stdout)));
                    }
                }
                Err(failure) => outcome.failure = Some(failure),
            }
        }
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_the_line() {
        assert_eq!(
            first_difference(b"a\nb\n", b"a\nc\n"),
            "line 2: expected \"b\", got \"c\""
        );
        assert_eq!(
            first_difference(b"a\n", b"a\nb\n"),
            "line 2: expected nothing, got \"b\""
        );
        assert_eq!(first_difference(b"a\n", b"a"), "only in line ends");
    }
}
