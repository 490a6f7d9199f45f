//! Compares modes over generated programs and shrinks what differs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::ast::Program;
use crate::batch::{self, BatchError, Report};
use crate::generate;
use crate::modes::{Modes, Ready};
use crate::render::render;

/// Programs per process.
const BATCH: usize = 100;
/// Time limit of a batch.
const BATCH_LIMIT: Duration = Duration::from_secs(300);
/// Time limit of a single program while shrinking.
const SINGLE_LIMIT: Duration = Duration::from_secs(20);
/// Shrinking ends after this time at the latest.
const SHRINK_LIMIT: Duration = Duration::from_secs(120);

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Number of programs.
    pub programs: usize,
    /// Seed of the generator.
    pub seed: u64,
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

/// How two reports are compared.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// The two are modes of one implementation: traversal order counts.
    pub same_implementation: bool,
    /// Leave variable names in error messages out.
    pub ignore_names: bool,
}

impl Comparison {
    fn line(self, line: &str) -> Option<String> {
        if line.starts_with("~ ") && !self.same_implementation {
            return None;
        }
        Some(if self.ignore_names {
            without_names(line)
        } else {
            line.to_owned()
        })
    }

    /// The first difference: both lines. `None` if the reports agree.
    pub fn difference(self, a: &Report, b: &Report) -> Option<(String, String)> {
        if a.status != b.status {
            return Some((
                format!("status {}: {}", a.status, last(&a.output)),
                format!("status {}: {}", b.status, last(&b.output)),
            ));
        }
        let mut left = a.output.lines().filter_map(|l| self.line(l));
        let mut right = b.output.lines().filter_map(|l| self.line(l));
        loop {
            match (left.next(), right.next()) {
                (None, None) => return None,
                (x, y) if x == y => {}
                (x, y) => {
                    let end = || "(end of output)".to_owned();
                    return Some((x.unwrap_or_else(end), y.unwrap_or_else(end)));
                }
            }
        }
    }
}

fn last(text: &str) -> &str {
    text.lines().last().unwrap_or("")
}

/// Takes `(local 'x')` and the like out of a message.
fn without_names(line: &str) -> String {
    const KINDS: [&str; 7] = [
        "local",
        "global",
        "field",
        "upvalue",
        "method",
        "constant",
        "metamethod",
    ];
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(" (") {
        let tail = &rest[at + 2..];
        let named = KINDS
            .iter()
            .any(|k| tail.strip_prefix(k).is_some_and(|t| t.starts_with(" '")));
        match (named, tail.find("')")) {
            (true, Some(end)) => {
                out.push_str(&rest[..at]);
                rest = &tail[end + 2..];
            }
            _ => {
                out.push_str(&rest[..at + 2]);
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out
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

struct Shared<'a> {
    modes: &'a Modes,
    settings: &'a Settings,
    scratch: &'a Path,
    next: AtomicUsize,
    stop: AtomicBool,
    summary: Mutex<Summary>,
}

/// Generates programs and runs them in the modes; stops at the first program that differs, after
/// shrinking it and keeping it as a regression file.
///
/// # Errors
/// If programs cannot be generated or processes not be started.
pub fn run(modes: &Modes, settings: &Settings, scratch: &Path) -> Result<Summary, CheckError> {
    let shared = Shared {
        modes,
        settings,
        scratch,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
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
        .unwrap_or_else(std::sync::PoisonError::into_inner))
}

impl Shared<'_> {
    fn work(&self) -> Result<(), CheckError> {
        let strategy = generate::program();
        let batches = self.settings.programs.div_ceil(BATCH);
        while !self.stop.load(Ordering::Relaxed) {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= batches {
                break;
            }
            let count = BATCH.min(self.settings.programs - index * BATCH);
            let mut runner = runner(self.settings.seed, index as u64);
            let mut trees = Vec::with_capacity(count);
            for _ in 0..count {
                trees.push(
                    strategy
                        .new_tree(&mut runner)
                        .map_err(|r| CheckError::Generate(r.to_string()))?,
                );
            }
            self.batch(index, &mut trees)?;
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

    fn comparison(&self, a: &Ready, b: &Ready) -> Comparison {
        Comparison {
            same_implementation: a.mode.program == b.mode.program && a.mode.program != "puc",
            ignore_names: self.settings.ignore_names,
        }
    }

    fn batch<T: ValueTree<Value = Program>>(
        &self,
        index: usize,
        trees: &mut [T],
    ) -> Result<(), CheckError> {
        let sources: Vec<String> = trees.iter().map(|t| render(&t.current())).collect();
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
            // Against the reference, and against the first mode of the same implementation.
            let twin = selected[..i]
                .iter()
                .position(|r| r.mode.program == ready.mode.program);
            for other in [Some(0), twin.filter(|t| *t != 0)].into_iter().flatten() {
                let comparison = self.comparison(selected[other], ready);
                for (p, tree) in trees.iter_mut().enumerate() {
                    if let Some(found) = comparison.difference(&all[other][p], &all[i][p]) {
                        if !self.stop.swap(true, Ordering::Relaxed) {
                            self.failure(selected[other], ready, tree, &texts[..=p], &found)?;
                        }
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn tally(&self, ready: &Ready, reports: &[Report], time: Duration) {
        let mut summary = self
            .summary
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
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

    /// The difference of two modes on one program alone.
    fn single(
        &self,
        a: &Ready,
        b: &Ready,
        source: &str,
    ) -> Result<Option<(String, String)>, CheckError> {
        let left = batch::run(a, &[source], self.scratch, "shrink-a", SINGLE_LIMIT)?;
        let right = batch::run(b, &[source], self.scratch, "shrink-b", SINGLE_LIMIT)?;
        Ok(self.comparison(a, b).difference(&left[0], &right[0]))
    }

    fn failure<T: ValueTree<Value = Program>>(
        &self,
        a: &Ready,
        b: &Ready,
        tree: &mut T,
        batch: &[&str],
        found: &(String, String),
    ) -> Result<(), CheckError> {
        let mut source = render(&tree.current());
        let mut lines = found.clone();
        let mut note = String::new();
        if let Some(alone) = self.single(a, b, &source)? {
            lines = alone;
            let end = Instant::now() + SHRINK_LIMIT;
            let mut steps = 0;
            let mut more = tree.simplify();
            while more && Instant::now() < end {
                steps += 1;
                let candidate = render(&tree.current());
                // A change that renders to the same text cannot make a difference.
                let differs = if candidate == source {
                    Some(lines.clone())
                } else {
                    self.single(a, b, &candidate)?
                };
                match differs {
                    Some(d) => {
                        lines = d;
                        source = candidate;
                        more = tree.simplify();
                    }
                    None => more = tree.complicate(),
                }
            }
            let _ = write!(note, "shrunk in {steps} steps");
        } else {
            let file = self.scratch.join("failing-batch.txt");
            let mut text = String::new();
            for p in batch {
                let _ = write!(text, "{}\n{p}", p.len());
            }
            std::fs::write(&file, text)?;
            let _ = write!(
                note,
                "only after the {} programs before it: run the driver on {}",
                batch.len() - 1,
                file.display()
            );
        }
        let hash = source.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        std::fs::create_dir_all(&self.settings.regressions)?;
        let file = self
            .settings
            .regressions
            .join(format!("found-{hash:016x}.lua"));
        std::fs::write(&file, &source)?;
        let report = format!(
            "modes {} and {} differ ({note})\n  {}: {}\n  {}: {}\nkept as {}\n{source}",
            a.mode.name,
            b.mode.name,
            a.mode.name,
            lines.0,
            b.mode.name,
            lines.1,
            file.display(),
        );
        let mut summary = self
            .summary
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        summary.failures.push(report);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, without_names};
    use crate::batch::Report;

    fn report(status: &str, output: &str) -> Report {
        Report {
            status: status.into(),
            output: output.into(),
            compiled: None,
            exits: None,
        }
    }

    #[test]
    fn names_are_taken_out() {
        let text = "p:3: attempt to index a nil value (local 'x') (y) and (field 'z')";
        assert_eq!(
            without_names(text),
            "p:3: attempt to index a nil value (y) and"
        );
    }

    #[test]
    fn traversal_order_counts_only_within_an_implementation() {
        let a = report("ok", "x\n~ 1 2\ny");
        let b = report("ok", "x\n~ 2 1\ny");
        let across = Comparison {
            same_implementation: false,
            ignore_names: false,
        };
        let within = Comparison {
            same_implementation: true,
            ignore_names: false,
        };
        assert!(across.difference(&a, &b).is_none());
        assert_eq!(
            within.difference(&a, &b),
            Some(("~ 1 2".into(), "~ 2 1".into()))
        );
    }

    #[test]
    fn missing_lines_and_status_differ() {
        let c = Comparison {
            same_implementation: true,
            ignore_names: false,
        };
        assert!(
            c.difference(&report("ok", "a"), &report("error", "a"))
                .is_some()
        );
        assert!(
            c.difference(&report("ok", "a\nb"), &report("ok", "a"))
                .is_some()
        );
        assert!(
            c.difference(&report("ok", "a"), &report("ok", "a"))
                .is_none()
        );
    }
}
