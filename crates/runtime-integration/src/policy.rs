//! When to compile, when to give up: the tiering policy as a pure function.
//!
//! [`decide`] maps what is known of a function and an event to the new state
//! and what to do. It looks at nothing else, so the whole policy can be tested
//! as a table.
//!
//! - A function that becomes hot is compiled; one compilation per function is
//!   under way at a time, be it of the function or of a loop entry.
//! - Code that fails `exit_threshold` times is thrown away. The limit and the
//!   wait before the next compilation double each time. After
//!   `max_recompiles` the function is compiled without speculation, and if
//!   even that fails it stays interpreted.
//! - Code whose assumptions were invalidated is thrown away too; that is no
//!   failure of the code, but the wait grows slowly with its number.
//!
//! After the back-off of WebKit's DFG tier (reoptimization retry counters).

use std::collections::BTreeMap;
use vela_mir::ir::EntryKind;

/// The parts of the configuration that the policy depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// See `JitConfig::hotspot_threshold`.
    pub hotspot_threshold: u32,
    /// See `JitConfig::exit_threshold`.
    pub exit_threshold: u32,
    /// See `JitConfig::max_recompiles`.
    pub max_recompiles: u32,
    /// See `JitConfig::osr`.
    pub osr: bool,
    /// See `JitConfig::enable_profiling`.
    pub speculate: bool,
    /// Exits are provoked by a test mode and mean nothing.
    pub exits_are_stress: bool,
}

/// How far the code for one entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Phase {
    /// There is none.
    #[default]
    Idle,
    /// It is being compiled.
    Pending,
    /// It is installed.
    Ready,
    /// There will be none.
    Off,
}

/// What is known of a loop entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LoopState {
    /// Its code.
    pub phase: Phase,
    /// Reports of the loop to ignore before the next compilation.
    pub skip: u32,
    /// Frames that the installed code did not accept.
    pub rejected: u32,
    /// Times it was thrown away for rejecting frames.
    pub dropped: u32,
}

/// What is known of a function.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FunctionState {
    /// Code for calls.
    pub call: Phase,
    /// Code for loop entries, by the loop header's pc.
    pub loops: BTreeMap<u32, LoopState>,
    /// Times that its code was thrown away for failing.
    pub recompiles: u32,
    /// Times that its code was invalidated.
    pub invalidations: u32,
}

impl FunctionState {
    /// Whether a compilation is under way.
    #[must_use]
    pub fn in_flight(&self) -> bool {
        self.call == Phase::Pending || self.loops.values().any(|l| l.phase == Phase::Pending)
    }

    /// Changes whenever code compiled from earlier feedback is out of date.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.recompiles.wrapping_add(self.invalidations)
    }
}

/// Something that happened to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its interpreted calls reached the count that was last armed.
    HotCall,
    /// The loop with this header is hot.
    HotLoop {
        /// Loop header.
        pc: u32,
    },
    /// Code was installed.
    Installed {
        /// For this entry.
        entry: EntryKind,
    },
    /// Compilation failed, or its result could not be used.
    Failed {
        /// For this entry.
        entry: EntryKind,
        /// Trying again later may succeed.
        retry: bool,
    },
    /// A speculation of installed code failed.
    Exit {
        /// How many times so far for this code.
        failures: u32,
    },
    /// An assumption of the installed code no longer holds.
    Invalidated,
    /// The code was evicted from the cache.
    Evicted,
    /// The installed entry of a loop did not accept a frame.
    Rejected {
        /// Loop header.
        pc: u32,
    },
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Compile.
    Compile {
        /// What entry.
        entry: EntryKind,
        /// Relying on feedback.
        speculate: bool,
    },
    /// Throw away all code of the function.
    Jettison,
    /// Throw away the entry of this loop.
    DropLoop {
        /// Loop header.
        pc: u32,
    },
}

/// An action, and when to look at the function again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// Interpreted calls until the next [`Event::HotCall`].
    pub rearm: Option<u32>,
}

/// Calls between two looks at a compilation under way.
pub const PENDING_CALLS: u32 = 16;
/// Frames that a loop entry may reject before it is thrown away.
pub const MAX_REJECTED: u32 = 8;
const MAX_DOUBLINGS: u32 = 10;

/// Calls until the next compilation after throwing code away for the `n`-th
/// time.
#[must_use]
pub fn backoff(limits: &Limits, n: u32) -> u32 {
    let base = (limits.hotspot_threshold / 4).max(1);
    base.saturating_mul(1 << n.saturating_sub(1).min(MAX_DOUBLINGS))
}

/// Failures that a function's code may have before it is thrown away.
#[must_use]
pub fn exit_limit(limits: &Limits, recompiles: u32) -> u32 {
    limits
        .exit_threshold
        .saturating_mul(1 << recompiles.min(MAX_DOUBLINGS))
}

/// The policy. See the module's documentation.
#[must_use]
pub fn decide(limits: &Limits, state: &FunctionState, event: Event) -> (FunctionState, Decision) {
    let mut s = state.clone();
    let mut rearm = None;
    let speculate = limits.speculate && s.recompiles <= limits.max_recompiles;
    let action = match event {
        Event::HotCall => match s.call {
            Phase::Idle if !s.in_flight() => {
                s.call = Phase::Pending;
                rearm = Some(PENDING_CALLS);
                Action::Compile {
                    entry: EntryKind::Call,
                    speculate,
                }
            }
            Phase::Idle | Phase::Pending => {
                rearm = Some(PENDING_CALLS);
                Action::Nothing
            }
            Phase::Ready | Phase::Off => {
                rearm = Some(limits.hotspot_threshold);
                Action::Nothing
            }
        },
        Event::HotLoop { pc } => {
            let busy = s.in_flight();
            let l = s.loops.entry(pc).or_default();
            if !limits.osr || busy || l.phase != Phase::Idle {
                Action::Nothing
            } else if l.skip > 0 {
                l.skip -= 1;
                Action::Nothing
            } else {
                l.phase = Phase::Pending;
                Action::Compile {
                    entry: EntryKind::Osr { pc },
                    speculate,
                }
            }
        }
        Event::Installed { entry } => {
            s.set(entry, Phase::Ready);
            Action::Nothing
        }
        Event::Failed { entry, retry } => {
            s.set(entry, if retry { Phase::Idle } else { Phase::Off });
            rearm = Some(if retry {
                backoff(limits, 1)
            } else {
                limits.hotspot_threshold
            });
            Action::Nothing
        }
        Event::Exit { failures } => {
            if limits.exits_are_stress || failures < exit_limit(limits, s.recompiles) {
                Action::Nothing
            } else {
                let hopeless = !speculate;
                s.recompiles += 1;
                s.discard(if hopeless { Phase::Off } else { Phase::Idle });
                for l in s.loops.values_mut() {
                    l.skip = 1 << s.recompiles.min(MAX_DOUBLINGS);
                }
                rearm = Some(backoff(limits, s.recompiles));
                Action::Jettison
            }
        }
        Event::Invalidated => {
            s.invalidations += 1;
            s.discard(Phase::Idle);
            for l in s.loops.values_mut() {
                l.skip = (1 << (s.invalidations / 4).min(MAX_DOUBLINGS)) - 1;
            }
            rearm = Some(backoff(limits, 1 + s.invalidations / 4));
            Action::Jettison
        }
        Event::Evicted => {
            s.discard(Phase::Idle);
            rearm = Some(limits.hotspot_threshold);
            Action::Jettison
        }
        Event::Rejected { pc } => {
            let l = s.loops.entry(pc).or_default();
            l.rejected += 1;
            if l.phase == Phase::Ready && l.rejected >= MAX_REJECTED {
                l.rejected = 0;
                l.dropped += 1;
                l.skip = 1 << l.dropped.min(MAX_DOUBLINGS);
                l.phase = if l.dropped > limits.max_recompiles {
                    Phase::Off
                } else {
                    Phase::Idle
                };
                Action::DropLoop { pc }
            } else {
                Action::Nothing
            }
        }
    };
    (s, Decision { action, rearm })
}

impl FunctionState {
    fn set(&mut self, entry: EntryKind, phase: Phase) {
        match entry {
            EntryKind::Call => self.call = phase,
            EntryKind::Osr { pc } => {
                let l = self.loops.entry(pc).or_default();
                l.phase = phase;
                l.rejected = 0;
            }
        }
    }

    /// Installed code is gone.
    fn discard(&mut self, phase: Phase) {
        if self.call == Phase::Ready {
            self.call = phase;
        }
        for l in self.loops.values_mut() {
            if l.phase == Phase::Ready {
                l.phase = phase;
            }
        }
    }
}
