//! The optimization passes and the order they run in.
//!
//! Each pass is a function on a [`Func`], near-linear in its size, and lives
//! in a module of its own with text tests under `filetests/`. A pass asks
//! [`Fuel`] before every transformation: with a limit set, the first
//! transformation that breaks a program is found by bisection.

mod carry;
mod copy;
mod dce;
mod edit;
mod escape;
mod fold;
mod gvn;
mod licm;
mod memory;
mod nest;
mod params;
mod peel;
mod range;
mod rotate;
mod simplify;
mod split;
mod valid;
mod wait;
mod window;

pub use edit::{Replacements, compact_states};
pub(crate) use fold::{eval_float_cmp, eval_int, eval_int_cmp};

use crate::ir::Func;
use crate::verify::{VerifyError, verify};

/// A pass. Transforms the function and says whether it changed anything.
pub type Pass = fn(&mut Func, &mut Fuel) -> bool;

/// Every pass, by name.
pub const PASSES: &[(&str, Pass)] = &[
    ("nest", nest::run),
    ("params", params::run),
    ("fold", fold::run),
    ("gvn", gvn::run),
    ("range", range::run),
    ("peel", peel::run),
    ("escape", escape::run),
    ("licm", licm::run),
    ("rotate", rotate::run),
    ("valid", valid::run),
    ("split", split::run),
    ("carry", carry::run),
    ("window", window::run),
    ("simplify", simplify::run),
    ("dce", dce::run),
    ("wait", wait::run),
];

/// The order in which [`optimize`] runs the passes.
pub const PIPELINE: &[&str] = &[
    "simplify", "nest", "params", "fold", "gvn", "fold", "params", "range", "peel", "escape",
    "licm", "rotate", "params", "gvn", "licm", "fold", "valid", "split", "gvn", "fold", "carry",
    "window", "simplify", "dce", "wait",
];

/// What [`optimize`] runs behind a pass where that changed something.
const AFTER: &[(&str, &[&str])] = &[
    ("peel", &["params", "fold"]),
    ("escape", &["params", "fold", "gvn", "fold", "params"]),
];

/// The pass with this name.
#[must_use]
pub fn pass(name: &str) -> Option<Pass> {
    PASSES.iter().find(|p| p.0 == name).map(|p| p.1)
}

/// How many transformations may still be made; without a limit by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fuel {
    left: Option<u64>,
    used: u64,
    pass: &'static str,
    last: Option<&'static str>,
}

impl Fuel {
    /// At most `n` transformations.
    #[must_use]
    pub fn limited(n: u64) -> Fuel {
        Fuel {
            left: Some(n),
            ..Fuel::default()
        }
    }

    /// Whether one more transformation may be made, which it then counts.
    pub fn take(&mut self) -> bool {
        match &mut self.left {
            Some(0) => return false,
            Some(n) => *n -= 1,
            None => {}
        }
        self.used += 1;
        if self.left == Some(0) {
            self.last = Some(self.pass);
        }
        true
    }

    /// The pass that made the last transformation before the fuel ran out, if
    /// [`optimize`] used up what there was.
    #[must_use]
    pub fn ran_out_in(self) -> Option<&'static str> {
        self.last
    }

    /// Transformations made so far.
    #[must_use]
    pub fn used(self) -> u64 {
        self.used
    }
}

/// A pass left a function that breaks a rule of the form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("after pass {pass}: {error}")]
pub struct PassError {
    /// The pass, or `build` if the function was wrong before the first.
    pub pass: &'static str,
    /// The rule.
    pub error: VerifyError,
}

/// Runs the [`PIPELINE`]. `check` verifies the function before the first and
/// after every pass; otherwise only after the last.
///
/// # Errors
/// [`PassError`], which is a defect of the pass it names.
pub fn optimize(func: &mut Func, fuel: &mut Fuel, check: bool) -> Result<(), PassError> {
    let checked = |func: &Func, pass| verify(func).map_err(|error| PassError { pass, error });
    if check {
        checked(func, "build")?;
    }
    for (n, &name) in PIPELINE.iter().enumerate() {
        let mut run = |name: &'static str, last: bool| -> Result<bool, PassError> {
            let run = pass(name).expect("the pipeline names passes of the list");
            fuel.pass = name;
            let changed = run(func, fuel);
            if check || last {
                checked(func, name)?;
            }
            Ok(changed)
        };
        if run(name, n + 1 == PIPELINE.len())?
            && let Some((_, after)) = AFTER.iter().find(|(pass, _)| *pass == name)
        {
            for name in *after {
                run(name, false)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pipeline_names_every_pass() {
        assert!(PIPELINE.iter().all(|n| pass(n).is_some()));
        assert!(PASSES.iter().all(|p| PIPELINE.contains(&p.0)));
    }

    #[test]
    fn fuel_runs_out() {
        let mut fuel = Fuel::limited(2);
        fuel.pass = "fold";
        assert!(fuel.take() && fuel.ran_out_in().is_none());
        assert!(fuel.take() && !fuel.take());
        assert_eq!((fuel.used(), fuel.ran_out_in()), (2, Some("fold")));
    }
}
