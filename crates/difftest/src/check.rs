//! Compares modes over generated programs and reduces what differs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::batch::{self, BatchError, Report};
use crate::compare::Comparison;
use crate::generate;
use crate::modes::{Modes, Ready};
use crate::pair::Pair;
use crate::render::render;

/// Programs per process.
const BATCH: usize = 100;
/// Processor time that a batch may take.
const BATCH_LIMIT: Duration = Duration::from_secs(300);

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Number of programs.
    pub programs: usize,
    /// Seed of the generator.
    pub seed: u64,
    /// Failing programs after which the run ends.
    pub failures: usize,
    /// Every mode runs every program.
    pub all: bool,
    /// Leave variable names in error messages out of the comparison.
    pub ignore_names: bool,
    /// Where failing programs are kept.
    pub regressions: PathBuf,
}

/// Numbers of a mode over a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Programs run.
    pub programs: usize,
    /// Programs for which the mode told statistics.
    pub told: usize,
    /// Of those, programs during which a function was compiled.
    pub compiled: usize,
    /// Of those, programs during which a side exit was taken.
    pub exited: usize,
    /// Wall time of the mode's processes.
    pub time: Duration,
}

impl Tally {
    /// Share of programs that compiled a function, 0 to 1.
    pub fn compiled_share(&self) -> f64 {
        share(self.compiled, self.told)
    }

    /// Share of programs that took a side exit, 0 to 1.
    pub fn exited_share(&self) -> f64 {
        share(self.exited, self.told)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of programs are far below 2^53"
)]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// The outcome of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Per mode, in order of name.
    pub tallies: BTreeMap<String, Tally>,
    /// Reports of programs that differed.
    pub failures: Vec<String>,
}

impl Summary {
    /// One line per mode.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for (name, t) in &self.tallies {
            let _ = write!(text, "{name}: {} programs in {:.1?}", t.programs, t.time);
            if t.told > 0 {
                let _ = write!(
                    text,
                    ", {:.1} % compiled a function, {:.1} % took a side exit",
                    100.0 * t.compiled_share(),
                    100.0 * t.exited_share()
                );
            }
            text.push('\n');
        }
        text
    }
}

/// What can go wrong around a comparison.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A batch could not be run.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// Files could not be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The strategy gave no value.
    #[error("no program could be generated: {0}")]
    Generate(String),
}

/// The generator's runner for a batch.
fn runner(seed: u64, batch: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&batch.to_le_bytes());
    TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    )
}

/// Source texts of the first programs of a seed.
///
/// # Errors
/// If the strategy gives no value.
pub fn sample(seed: u64, count: usize) -> Result<Vec<String>, CheckError> {
    let strategy = generate::program();
    let mut runner = runner(seed, 0);
    (0..count)
        .map(|_| {
            strategy
                .new_tree(&mut runner)
                .map(|t| render(&t.current()))
                .map_err(|r| CheckError::Generate(r.to_string()))
        })
        .collect()
}

fn lock(summary: &Mutex<Summary>) -> MutexGuard<'_, Summary> {
    summary.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Shared<'a> {
    modes: &'a Modes,
    settings: &'a Settings,
    scratch: &'a Path,
    next: AtomicUsize,
    failing: AtomicUsize,
    summary: Mutex<Summary>,
}

/// Generates programs and runs them in the modes; programs that differ are reduced and kept as
/// regression files, until there are as many as the settings say.
///
/// # Errors
/// If programs cannot be generated or processes not be started.
pub fn run(modes: &Modes, settings: &Settings, scratch: &Path) -> Result<Summary, CheckError> {
    let shared = Shared {
        modes,
        settings,
        scratch,
        next: AtomicUsize::new(0),
        failing: AtomicUsize::new(0),
        summary: Mutex::new(Summary::default()),
    };
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let results: Vec<Result<(), CheckError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| shared.work()))
            .collect();
        handles
            .into_iter()
            .map(|h| {
                h.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    for result in results {
        result?;
    }
    Ok(shared
        .summary
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

impl Shared<'_> {
    fn work(&self) -> Result<(), CheckError> {
        let strategy = generate::program();
        let batches = self.settings.programs.div_ceil(BATCH);
        while self.failing.load(Ordering::Relaxed) < self.settings.failures {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= batches {
                break;
            }
            let count = BATCH.min(self.settings.programs - index * BATCH);
            let mut runner = runner(self.settings.seed, index as u64);
            let mut sources = Vec::with_capacity(count);
            for _ in 0..count {
                let tree = strategy
                    .new_tree(&mut runner)
                    .map_err(|r| CheckError::Generate(r.to_string()))?;
                sources.push(render(&tree.current()));
            }
            self.batch(index, &sources)?;
        }
        Ok(())
    }

    fn selected(&self, index: usize) -> Vec<&Ready> {
        let sharing: Vec<&str> = self
            .modes
            .ready
            .iter()
            .filter(|r| r.mode.share && !self.settings.all)
            .map(|r| r.mode.name.as_str())
            .collect();
        let turn = (!sharing.is_empty()).then(|| sharing[index % sharing.len()]);
        self.modes
            .ready
            .iter()
            .filter(|r| !r.mode.share || self.settings.all || turn == Some(r.mode.name.as_str()))
            .collect()
    }

    fn batch(&self, index: usize, sources: &[String]) -> Result<(), CheckError> {
        let texts: Vec<&str> = sources.iter().map(String::as_str).collect();
        let selected = self.selected(index);
        let mut all = Vec::new();
        for ready in &selected {
            let started = Instant::now();
            let tag = format!("{index}-{}", ready.mode.name);
            let reports = batch::run(ready, &texts, self.scratch, &tag, BATCH_LIMIT)?;
            self.tally(ready, &reports, started.elapsed());
            all.push(reports);
        }
        for (i, ready) in selected.iter().enumerate().skip(1) {
            // Against the first mode of the same implementation, which narrows the fault down, and
            // against the reference.
            let twin = selected[..i]
                .iter()
                .position(|r| r.mode.program == ready.mode.program);
            for other in [twin.filter(|t| *t != 0), Some(0)].into_iter().flatten() {
                let comparison = Comparison::of(selected[other], ready, self.settings.ignore_names);
                let differing = all[other]
                    .iter()
                    .zip(&all[i])
                    .position(|(a, b)| comparison.difference(a, b).is_some());
                if let Some(p) = differing {
                    if self.failing.fetch_add(1, Ordering::Relaxed) < self.settings.failures {
                        let pair = Pair {
                            a: selected[other],
                            b: ready,
                            comparison,
                            scratch: self.scratch,
                        };
                        let report = pair.keep(&texts[..=p], &self.settings.regressions)?;
                        lock(&self.summary).failures.push(report);
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn tally(&self, ready: &Ready, reports: &[Report], time: Duration) {
        let mut summary = lock(&self.summary);
        let t = summary.tallies.entry(ready.mode.name.clone()).or_default();
        t.programs += reports.len();
        t.told += reports.iter().filter(|r| r.compiled.is_some()).count();
        t.compiled += reports
            .iter()
            .filter(|r| r.compiled.is_some_and(|n| n > 0))
            .count();
        t.exited += reports
            .iter()
            .filter(|r| r.exits.is_some_and(|n| n > 0))
            .count();
        t.time += time;
    }
}
