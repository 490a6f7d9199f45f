//! Two modes that differ on a program: the difference, its reduction, and the file that is kept.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::batch::{self, BatchError, NEXT, Report};
use crate::compare::Comparison;
use crate::modes::Ready;
use crate::reduce::{Limits, reduce};

/// Processor time that a candidate of a reduction may take, in a batch or alone.
const LIMIT: Duration = Duration::from_secs(10);
/// Bounds of a reduction.
const LIMITS: Limits = Limits {
    candidates: 6_000,
    time: Duration::from_secs(120),
    batch: 24,
};

/// Two modes, of which the first is taken to be right.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The one that is right.
    pub a: &'a Ready,
    /// The one that differs.
    pub b: &'a Ready,
    /// How they are compared.
    pub comparison: Comparison,
    /// Folder for scratch files.
    pub scratch: &'a Path,
}

/// A difference between the two modes.
#[derive(Clone, Debug)]
pub struct Difference {
    /// How the program ended in each.
    statuses: (String, String),
    /// The first lines of output that differ.
    lines: (String, String),
}

impl Pair<'_> {
    fn difference(&self, a: &Report, b: &Report) -> Option<Difference> {
        self.comparison.difference(a, b).map(|lines| Difference {
            statuses: (a.status.clone(), b.status.clone()),
            lines,
        })
    }

    /// Runs programs in one process of each mode.
    fn together(&self, programs: &[&str]) -> Result<Vec<Option<Difference>>, BatchError> {
        let left = batch::run(self.a, programs, self.scratch, "pair-a", LIMIT)?;
        let right = batch::run(self.b, programs, self.scratch, "pair-b", LIMIT)?;
        let both = left.iter().zip(&right);
        Ok(both.map(|(a, b)| self.difference(a, b)).collect())
    }

    /// The first difference on the programs of a text (see [`batch::NEXT`]).
    ///
    /// # Errors
    /// If the modes cannot be run.
    pub fn on(&self, text: &str) -> Result<Option<Difference>, BatchError> {
        let found = self.together(&batch::split(text))?;
        Ok(found.into_iter().flatten().next())
    }

    /// The smallest text found on which the modes differ in the way given, and the number of
    /// candidates run.
    ///
    /// # Errors
    /// If the modes cannot be run.
    pub fn reduce(&self, text: &str, found: &Difference) -> Result<(String, usize), BatchError> {
        let same =
            |d: &Option<Difference>| d.as_ref().is_some_and(|d| d.statuses == found.statuses);
        let reduced = reduce(text, LIMITS, |candidates| {
            let alone = || {
                let verdict = |c: &String| Ok(same(&self.on(c)?));
                candidates.iter().map(verdict).collect()
            };
            if candidates.len() == 1 || text.contains(NEXT) {
                return alone();
            }
            let texts: Vec<&str> = candidates.iter().map(String::as_str).collect();
            let mut verdicts: Vec<bool> = self.together(&texts)?.iter().map(same).collect();
            // What fails among others must fail alone as well.
            for (verdict, candidate) in verdicts.iter_mut().zip(candidates) {
                *verdict = *verdict && same(&self.on(candidate)?);
            }
            Ok::<_, BatchError>(verdicts)
        })?;
        Ok((reduced.source, reduced.candidates))
    }

    /// Reduces the last of the programs (with those before it, if it fails only after them), keeps
    /// what is left as a file in the folder, and says so.
    ///
    /// # Errors
    /// If the modes cannot be run or the file not be written.
    pub fn keep(&self, programs: &[&str], folder: &Path) -> Result<String, BatchError> {
        let mut text = programs.last().copied().unwrap_or_default().to_owned();
        let mut found = self.on(&text)?;
        if found.is_none() {
            text = self.needed(programs)?.join(NEXT);
            found = self.on(&text)?;
        }
        let (name_a, name_b) = (&self.a.mode.name, &self.b.mode.name);
        let mut report = format!("modes {name_a} and {name_b} differ");
        match &found {
            Some(difference) => {
                let (smaller, candidates) = self.reduce(&text, difference)?;
                let last = self.on(&smaller)?;
                let lines = &last.as_ref().unwrap_or(difference).lines;
                let _ = write!(
                    report,
                    " (reduced by {candidates} candidates)\n  {name_a}: {}\n  {name_b}: {}\n",
                    lines.0, lines.1
                );
                text = smaller.trim().to_owned() + "\n";
            }
            None => report += " once, and not again when the same programs ran a second time\n",
        }
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        std::fs::create_dir_all(folder)?;
        let file = folder.join(format!("found-{hash:016x}.lua"));
        std::fs::write(&file, &text)?;
        let _ = write!(report, "kept as {}\n{text}", file.display());
        Ok(report)
    }

    /// Those of the programs without which the last one does not fail.
    fn needed<'p>(&self, programs: &[&'p str]) -> Result<Vec<&'p str>, BatchError> {
        let mut kept = programs.to_vec();
        let mut size = kept.len().next_power_of_two() / 2;
        while size > 0 {
            let mut at = 0;
            while at + 1 < kept.len() {
                let mut fewer = kept.clone();
                let end = (at + size).min(kept.len() - 1);
                fewer.drain(at..end);
                if self.together(&fewer)?.last().is_some_and(Option::is_some) {
                    kept = fewer;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        Ok(kept)
    }
}
