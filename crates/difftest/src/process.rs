//! Runs an external program with a limit on its processor time: on a loaded machine a program waits
//! long without doing anything wrong.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Wall time allowed per processor time.
pub const WALL: u32 = 20;

/// What became of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself with this exit code.
    Code(i32),
    /// A signal ended it (number where known).
    Signal(i32),
    /// It was ended at the limit.
    TimedOut,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exit::Code(c) => write!(f, "exit code {c}"),
            Exit::Signal(s) => write!(f, "signal {s}"),
            Exit::TimedOut => write!(f, "time limit"),
        }
    }
}

/// Output and end of a process.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Bytes written to standard output.
    pub stdout: Vec<u8>,
    /// Standard error as text.
    pub stderr: String,
    /// How it ended.
    pub exit: Exit,
    /// Wall time.
    pub time: Duration,
}

impl Outcome {
    /// Whether it ended with code 0.
    pub fn success(&self) -> bool {
        self.exit == Exit::Code(0)
    }
}

/// A program with arguments and environment, to which a script and its arguments are added.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program's file.
    pub program: PathBuf,
    /// Arguments that come first.
    pub args: Vec<String>,
    /// Variables added to the environment.
    pub env: Vec<(String, String)>,
}

/// A process that could not be run.
#[derive(Debug, thiserror::Error)]
#[error("cannot run {program}: {source}")]
pub struct SpawnError {
    program: String,
    source: std::io::Error,
}

impl Launcher {
    /// Runs the program with further arguments in a directory. `limit` is processor time, of all
    /// its threads; a program that waits is ended after [`WALL`] times that.
    ///
    /// # Errors
    /// If the process cannot be started.
    pub fn run(&self, args: &[&str], dir: &Path, limit: Duration) -> Result<Outcome, SpawnError> {
        let fail = |source| SpawnError {
            program: self.program.display().to_string(),
            source,
        };
        let started = Instant::now();
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .args(args)
            .env("VELA_STATS_FUNCTION", "1")
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(fail)?;
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let exit = wait(&mut child, started, limit).map_err(fail)?;
        // After a kill a grandchild might hold the pipes open: do not wait for it for long.
        let rest = Duration::from_secs(5);
        let stdout = stdout.recv_timeout(rest).unwrap_or_default();
        let stderr = stderr.recv_timeout(rest).unwrap_or_default();
        Ok(Outcome {
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            exit,
            time: started.elapsed(),
        })
    }
}

/// Reads a pipe to its end on a thread, so that no process blocks on a full pipe.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A read error ends the output; what was read so far counts.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = send.send(bytes);
    });
    receive
}

fn wait(child: &mut Child, started: Instant, limit: Duration) -> std::io::Result<Exit> {
    let mut pause = Duration::from_micros(200);
    let mut look = started + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(match status.code() {
                Some(code) => Exit::Code(code),
                None => Exit::Signal(signal(status)),
            });
        }
        let now = Instant::now();
        if now >= look {
            let used = processor_time(child.id()).unwrap_or(now - started);
            if used >= limit || now >= started + limit * WALL {
                child.kill()?;
                child.wait()?;
                return Ok(Exit::TimedOut);
            }
            // What is left cannot be used up sooner, but by several threads.
            look = now + (limit - used) / 4 + Duration::from_millis(1);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

/// User and system time of a running process, where the system tells.
fn processor_time(pid: u32) -> Option<Duration> {
    /// Clock ticks a second in /proc, the same on every Linux.
    const TICKS: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything; the fields after it are numbers.
    let fields = stat.rsplit_once(')')?.1;
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = times.map_while(|t| t.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

#[cfg(unix)]
fn signal(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.signal().unwrap_or(0)
}

#[cfg(not(unix))]
fn signal(_: std::process::ExitStatus) -> i32 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::{Exit, Launcher};

    fn shell(script: &str, limit: Duration) -> Exit {
        let launcher = Launcher {
            program: PathBuf::from("/bin/sh"),
            args: vec!["-c".to_owned()],
            env: Vec::new(),
        };
        let outcome = launcher.run(&[script], Path::new("/"), limit);
        outcome.expect("a shell is there").exit
    }

    #[test]
    fn waiting_is_no_use_of_the_processor() {
        let limit = Duration::from_millis(200);
        assert_eq!(shell("sleep 1; exit 3", limit), Exit::Code(3));
        assert_eq!(shell("while :; do :; done", limit), Exit::TimedOut);
    }
}
