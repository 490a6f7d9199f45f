//! Statistics: counters that any thread may bump, and a snapshot of them.

use crate::account::Shares;
use crate::plan::{Outcome, time_budget};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use vela_code_cache::CacheStats;
use vela_deopt::DeoptReason;

const REASONS: usize = DeoptReason::ALL.len();

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Live counters of a tier.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: AtomicU64,)+
            reasons: [AtomicU64; REASONS],
            failed: Mutex<BTreeMap<String, u64>>,
        }

        /// Values of the counters at one moment.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct JitStats {
            $($(#[doc = $doc])+ pub $name: u64,)+
            /// Side exits by reason, in the order of [`DeoptReason::ALL`].
            pub reasons: [u64; REASONS],
            /// Compilations that failed, by message.
            pub failed: BTreeMap<String, u64>,
            /// The code cache.
            pub cache: CacheStats,
        }

        impl Counters {
            /// The present values.
            #[must_use]
            pub fn snapshot(&self, cache: CacheStats) -> JitStats {
                JitStats {
                    $($name: self.$name.load(Ordering::Relaxed),)+
                    reasons: self.reasons.each_ref().map(|r| r.load(Ordering::Relaxed)),
                    failed: self.failed.lock().clone(),
                    cache,
                }
            }
        }

        impl JitStats {
            fn plain(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }
    };
}

counters! {
    /// Compilations requested.
    requests,
    /// Functions whose code was installed.
    functions_compiled,
    /// Loop entries whose code was installed.
    osr_compiled,
    /// Codes that were replaced by better ones.
    improved,
    /// Side exits taken.
    deopts,
    /// Entries into loops of running functions.
    osr_entries,
    /// Frames that loop entries did not accept.
    osr_rejected,
    /// Functions whose code was thrown away because it failed too often.
    jettisoned,
    /// Functions whose code was thrown away because an assumption broke.
    invalidated,
    /// Compilations that failed.
    compile_failures,
    /// Finished compilations that were out of date.
    stale,
    /// Compilations that took longer than `plan::time_budget`.
    over_time_budget,
    /// Transformations that passes over MIR made.
    transformations,
    /// Most side exits of the code for one entry of one function, so far.
    most_exits_of_an_entry,
    /// Microseconds taking snapshots, on the program's thread.
    snapshot_us,
    /// Microseconds building MIR.
    build_us,
    /// Microseconds in passes over MIR and its verifier.
    mir_us,
    /// Microseconds lowering MIR to the backend's form.
    lower_us,
    /// Microseconds in the backend's passes.
    pass_us,
    /// Microseconds generating code.
    codegen_us,
    /// Microseconds linking code.
    link_us,
    /// Microseconds installing, on the program's thread.
    install_us,
}

impl Counters {
    /// Adds one.
    pub fn bump(&self, counter: impl FnOnce(&Counters) -> &AtomicU64) {
        counter(self).fetch_add(1, Ordering::Relaxed);
    }

    /// Adds a time.
    pub fn time(&self, counter: impl FnOnce(&Counters) -> &AtomicU64, time: Duration) {
        add_time(counter(self), time);
    }

    /// Adds what a compilation took, whether or not its result is of use.
    pub(crate) fn compilation(&self, outcome: &Outcome) {
        let cells = [
            &self.snapshot_us,
            &self.build_us,
            &self.mir_us,
            &self.lower_us,
            &self.pass_us,
            &self.codegen_us,
            &self.link_us,
        ];
        for (cell, (_, time)) in cells.into_iter().zip(outcome.phases.list()) {
            add_time(cell, time);
        }
        let transformations = outcome.transformations;
        self.transformations
            .fetch_add(transformations, Ordering::Relaxed);
        if outcome.phases.total() > time_budget(outcome.bytecodes) {
            self.bump(|c| &c.over_time_budget);
        }
    }

    /// Counts a side exit.
    pub fn deopt(&self, reason: DeoptReason) {
        self.deopts.fetch_add(1, Ordering::Relaxed);
        self.reasons[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a failed compilation.
    pub fn failure(&self, message: &str) {
        self.compile_failures.fetch_add(1, Ordering::Relaxed);
        *self.failed.lock().entry(message.to_string()).or_default() += 1;
    }
}

fn add_time(cell: &AtomicU64, time: Duration) {
    let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    cell.fetch_add(us, Ordering::Relaxed);
}

impl JitStats {
    /// Milliseconds spent compiling, on all threads.
    #[must_use]
    pub fn compile_ms(&self) -> f64 {
        let us = self.snapshot_us
            + self.build_us
            + self.mir_us
            + self.lower_us
            + self.pass_us
            + self.codegen_us
            + self.link_us
            + self.install_us;
        us as f64 / 1000.0
    }

    /// One JSON object on one line; `full` becomes its field of that name.
    #[must_use]
    pub fn to_json(&self, full: Option<&Shares>) -> String {
        let mut out = String::from("{");
        for (name, value) in self.plain() {
            let _ = write!(out, "\"{name}\":{value},");
        }
        let _ = write!(out, "\"compile_ms\":{:.3},", self.compile_ms());
        let c = &self.cache;
        let _ = write!(
            out,
            "\"code_bytes\":{},\"cache\":{{\"entries\":{},\"bytes\":{},\"peak_bytes\":{},\"installed\":{},\"evicted\":{},\"retired\":{},\"reclaimed\":{}}},",
            c.code_bytes,
            c.entries,
            c.bytes,
            c.peak_bytes,
            c.installed,
            c.evicted,
            c.retired,
            c.reclaimed
        );
        out.push_str("\"deopt_reasons\":{");
        let reasons = DeoptReason::ALL.iter().zip(self.reasons);
        list(
            &mut out,
            reasons.filter(|r| r.1 > 0).map(|(r, n)| (r.name(), n)),
        );
        out.push_str("},\"failed\":{");
        list(&mut out, self.failed.iter().map(|(m, &n)| (m.as_str(), n)));
        out.push('}');
        if let Some(full) = full {
            out.push_str(",\"full\":");
            out.push_str(&full.to_json());
        }
        out.push('}');
        out
    }
}

fn list<'a>(out: &mut String, items: impl Iterator<Item = (&'a str, u64)>) {
    for (i, (name, n)) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        quote(out, name);
        let _ = write!(out, ":{n}");
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

impl std::fmt::Display for JitStats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "compiled {} functions and {} loop entries in {:.1} ms, {} bytes of code; {} side exits",
            self.functions_compiled,
            self.osr_compiled,
            self.compile_ms(),
            self.cache.code_bytes,
            self.deopts
        )?;
        for (reason, n) in DeoptReason::ALL.iter().zip(self.reasons) {
            if n > 0 {
                writeln!(f, "  {n:8} exits: {}", reason.name())?;
            }
        }
        for (message, n) in &self.failed {
            writeln!(f, "  {n:8} not compiled: {message}")?;
        }
        Ok(())
    }
}
