//! Runs that report themselves in rounds, and what the rounds say about steady state.
//!
//! A steady-state program or kernel prints `round MICROSECONDS` after each round, with the
//! processor time it took, then `elements COUNT` if it is a kernel, and last `result TEXT`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::jit_stats::JitStats;
use crate::runner::{Failure, drain, exit_failure, wait_until};
use crate::stats::Summary;

/// Speed that counts as the peak, as a part of the steady state's.
pub const PEAK: f64 = 0.9;

/// One round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// Processor time of the whole process during the round, in seconds.
    pub cpu: f64,
    /// Wall time since the end of the round before, or since the start, in seconds.
    pub wall: f64,
}

impl Round {
    /// Time that the round takes on a machine with nothing else to do, in seconds: wall
    /// time where threads of the process work at the same time, processor time where
    /// others take the processor away. A wall time far below the processor time is no
    /// parallel work but the output of several rounds that was read late and at once.
    #[must_use]
    pub fn cost(self) -> f64 {
        if self.wall < self.cpu / 4.0 {
            self.cpu
        } else {
            self.cpu.min(self.wall)
        }
    }
}

/// A finished run in rounds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rounds {
    /// The rounds in order.
    pub rounds: Vec<Round>,
    /// Elements that one repetition of a kernel handles.
    pub elements: Option<u64>,
    /// The result that the program printed.
    pub result: String,
    /// Counters of the JIT, if it printed any.
    pub jit: Option<JitStats>,
}

impl Rounds {
    /// Steady-state time of a round in seconds, over the second half of the rounds: the
    /// median of the processor times, less the part that ran on other threads at the same
    /// time (the wall time of the half as a part of its processor time, if it is smaller).
    #[must_use]
    pub fn steady(&self) -> Option<f64> {
        let last = &self.rounds[self.rounds.len() / 2..];
        let times: Vec<f64> = last.iter().map(|r| r.cpu).collect();
        let cpu: f64 = times.iter().sum();
        let wall: f64 = last.iter().map(|r| r.wall).sum();
        let median = Summary::of(&times)?.median;
        Some(if wall < cpu {
            median * (wall / cpu)
        } else {
            median
        })
    }

    /// Time until the rounds run at [`PEAK`] of the steady state's speed, in seconds: the
    /// time of all rounds before the first that is fast enough and is followed by one that
    /// is, too (a single fast round may be luck).
    #[must_use]
    pub fn time_to_peak(&self) -> Option<f64> {
        let limit = self.steady()? / PEAK;
        let fast = |r: Option<&Round>| r.is_none_or(|r| r.cost() <= limit);
        let mut time = 0.0;
        for (i, round) in self.rounds.iter().enumerate() {
            if round.cost() <= limit && fast(self.rounds.get(i + 1)) {
                return Some(time);
            }
            time += round.cost();
        }
        None
    }

    /// Takes one line of output, which arrived `wall` seconds after the round before.
    /// Gives whether it was a round.
    ///
    /// # Errors
    /// [`Failure::Exit`] for a line that is none of those that a run in rounds prints.
    fn take(&mut self, line: &str, wall: f64) -> Result<bool, Failure> {
        let wrong = || Failure::Exit(format!("unexpected output {line:?}"));
        match line.split_once(' ') {
            Some(("round", micros)) => {
                let micros: f64 = micros.parse().map_err(|_| wrong())?;
                self.rounds.push(Round {
                    cpu: micros / 1e6,
                    wall,
                });
                Ok(true)
            }
            Some(("elements", count)) => {
                self.elements = Some(count.parse().map_err(|_| wrong())?);
                Ok(false)
            }
            Some(("result", text)) => {
                text.clone_into(&mut self.result);
                Ok(false)
            }
            _ => Err(wrong()),
        }
    }
}

/// Runs a command that reports in rounds. The process is killed at the timeout.
///
/// # Errors
/// [`Failure`] when it cannot start, does not end in time, ends with an error status, or
/// prints something else than rounds and a result.
pub fn run_rounds(mut command: Command, timeout: Duration) -> Result<Rounds, Failure> {
    let failed = |e: std::io::Error| Failure::Start(e.to_string());
    let start = Instant::now();
    let deadline = start + timeout;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Failure::Start("no pipes".to_owned()));
    };
    let err = drain(err);
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            // The receiver is gone only after a failure, when nobody wants the lines.
            if send.send((Instant::now(), line)).is_err() {
                break;
            }
        }
    });
    let mut rounds = Rounds::default();
    let mut last = start;
    let outcome = loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((at, line)) => match rounds.take(&line, (at - last).as_secs_f64()) {
                Ok(true) => last = at,
                Ok(false) => {}
                Err(failure) => break Err(failure),
            },
            Err(RecvTimeoutError::Disconnected) => break Ok(()),
            Err(RecvTimeoutError::Timeout) => break Err(Failure::Timeout(timeout.as_secs())),
        }
    };
    let status = match &outcome {
        Ok(()) => wait_until(&mut child, deadline).map_err(failed)?,
        Err(_) => None,
    };
    let Some(status) = status else {
        // It may have ended between the check and the kill; reaping it is what matters.
        let _ = child.kill();
        child.wait().map_err(failed)?;
        return Err(outcome.err().unwrap_or(Failure::Timeout(timeout.as_secs())));
    };
    let stderr = err.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
    let stderr = String::from_utf8_lossy(&stderr);
    exit_failure(status, &stderr)?;
    if rounds.rounds.is_empty() || rounds.result.is_empty() {
        return Err(Failure::Exit("ended without rounds or result".to_owned()));
    }
    rounds.jit = JitStats::parse(&stderr);
    Ok(rounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(costs: &[f64]) -> Rounds {
        Rounds {
            rounds: costs
                .iter()
                .map(|&c| Round {
                    cpu: c,
                    wall: c + 1.0,
                })
                .collect(),
            ..Rounds::default()
        }
    }

    fn shell(script: &str) -> Command {
        let mut c = Command::new("/bin/sh");
        c.args(["-c", script]);
        c
    }

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn the_steady_state_is_the_second_half() {
        assert_eq!(rounds(&[9.0, 5.0, 1.0, 2.0]).steady(), Some(1.5));
        assert_eq!(rounds(&[9.0, 5.0, 1.0]).steady(), Some(3.0));
        assert_eq!(rounds(&[]).steady(), None);
    }

    #[test]
    fn the_peak_begins_with_two_fast_rounds() {
        // The fast round in the middle of the warm-up does not count.
        let r = rounds(&[9.0, 1.0, 5.0, 1.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(r.time_to_peak(), Some(15.0));
        assert_eq!(rounds(&[1.0, 1.0, 1.0]).time_to_peak(), Some(0.0));
        assert_eq!(rounds(&[]).time_to_peak(), None);
    }

    #[test]
    fn a_round_costs_the_smaller_time_unless_it_was_read_late() {
        let cost = |cpu, wall| Round { cpu, wall }.cost();
        assert_eq!(
            [cost(2.0, 1.0), cost(1.0, 2.0), cost(2.0, 0.1)].map(f64::to_bits),
            [1.0, 1.0, 2.0].map(f64::to_bits)
        );
    }

    #[test]
    fn parallel_work_does_not_count_in_the_steady_state() {
        let round = Round {
            cpu: 2.0,
            wall: 1.0,
        };
        let mut r = Rounds {
            rounds: vec![round; 4],
            ..Rounds::default()
        };
        assert_eq!(r.steady(), Some(1.0));
        // Two rounds read at once: the sum of the wall times is right.
        r.rounds[2].wall = 3.9;
        r.rounds[3].wall = 0.1;
        assert_eq!(r.steady(), Some(2.0));
    }

    #[test]
    fn a_run_gives_its_rounds_and_result() {
        let r = run_rounds(
            shell("echo round 1500; sleep 0.1; echo round 20; echo elements 7; echo result a b"),
            LIMIT,
        )
        .unwrap();
        assert_eq!(
            r.rounds.iter().map(|r| r.cpu).collect::<Vec<_>>(),
            [0.0015, 0.00002]
        );
        assert!(r.rounds[1].wall >= 0.09, "{:?}", r.rounds);
        assert_eq!((r.elements, r.result.as_str()), (Some(7), "a b"));
    }

    #[test]
    fn other_output_errors_and_silence_are_failures() {
        for script in [
            "echo hello world; echo result 1",
            "echo round x",
            "echo round 1",
            "echo result 1",
            "echo round 1; echo result 1; exit 3",
        ] {
            let failure = run_rounds(shell(script), LIMIT).unwrap_err();
            assert!(matches!(failure, Failure::Exit(_)), "{script}: {failure}");
        }
        let failure = run_rounds(
            shell("echo round 1; exec sleep 600"),
            Duration::from_secs(1),
        )
        .unwrap_err();
        assert_eq!(failure, Failure::Timeout(1));
    }
}
