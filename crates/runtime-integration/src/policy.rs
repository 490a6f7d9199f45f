//! When to compile, when to give up: the tiering policy as a pure function.
//!
//! [`decide`] maps what is known of a function and an event to the new state
//! and what to do. It looks at nothing else, so the whole policy can be tested
//! as a table.
//!
//! - A function that becomes hot is compiled; one compilation per function is
//!   under way at a time, be it of the function or of a loop entry.
//! - An entry of a function (for calls, or for a loop) may leave its code
//!   through failed speculations `exit_threshold` times in the function's life
//!   ([ADR 17](../../../docs/adr/0017-bounded-exits.md)). Its code is thrown
//!   away as soon as the same exit is taken twice or a few different ones
//!   are; the wait before the next compilation doubles each time.
//! - When most of that budget is spent, or after `max_recompiles`, the code is
//!   *settled*: it tests where it would speculate. When all is spent the entry
//!   stays interpreted.
//! - Code whose assumptions were invalidated is thrown away too; that is no
//!   failure of the code, but the wait grows slowly with its number, and it
//!   comes out of the same budget: settled code relies on no such assumption.
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

/// What code may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speculation {
    /// On all that feedback shows.
    Full,
    /// On nothing that may fail: feedback chooses what is tested first.
    Settled,
    /// Not even that: feedback is not looked at.
    None,
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
    /// Failed speculations of its code.
    pub exits: u32,
}

/// What is known of a function.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FunctionState {
    /// Code for calls.
    pub call: Phase,
    /// Code for loop entries, by the loop header's pc.
    pub loops: BTreeMap<u32, LoopState>,
    /// Failed speculations of the code for calls.
    pub exits: u32,
    /// Failed speculations of its copies in other functions.
    pub exits_in_copies: u32,
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

    /// What an entry has spent of its budget.
    #[must_use]
    pub fn spent(&self, entry: EntryKind) -> u32 {
        let exits = match entry {
            EntryKind::Call => self.exits,
            EntryKind::Osr { pc } => self.loops.get(&pc).map_or(0, |l| l.exits),
        };
        exits.saturating_add(self.invalidations)
    }

    /// Whether copies of the function in others may speculate no more.
    #[must_use]
    pub fn copies_are_settled(&self, limits: &Limits) -> bool {
        self.exits_in_copies >= settled_at(limits)
    }

    /// What the next code for an entry may rely on.
    #[must_use]
    pub fn speculation(&self, limits: &Limits, entry: EntryKind) -> Speculation {
        if !limits.speculate {
            Speculation::None
        } else if self.recompiles > limits.max_recompiles || self.spent(entry) >= settled_at(limits)
        {
            Speculation::Settled
        } else {
            Speculation::Full
        }
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
        /// Of the code for this entry.
        entry: EntryKind,
        /// How many times so far at this exit of the code.
        times: u32,
        /// How many times so far at all exits of the code.
        failures: u32,
    },
    /// A speculation failed in a copy of the function in another's code.
    ExitInCopy,
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
        /// What it relies on.
        speculation: Speculation,
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

/// Times that one exit of a piece of code may be taken: once may be chance, and
/// the first time lets the interpreter see what happens there.
pub const MAX_REPEATS: u32 = 2;

/// Failures of different exits that a piece of code may have.
#[must_use]
pub fn code_limit(limits: &Limits) -> u32 {
    (limits.exit_threshold / 5).max(1)
}

/// What an entry may spend before its code is settled.
#[must_use]
pub fn settled_at(limits: &Limits) -> u32 {
    limits.exit_threshold - limits.exit_threshold / 4
}

/// The policy. See the module's documentation.
#[must_use]
pub fn decide(limits: &Limits, state: &FunctionState, event: Event) -> (FunctionState, Decision) {
    let mut s = state.clone();
    let mut rearm = None;
    let action = match event {
        Event::HotCall => match s.call {
            Phase::Idle if !s.in_flight() => {
                s.call = Phase::Pending;
                rearm = Some(PENDING_CALLS);
                Action::Compile {
                    entry: EntryKind::Call,
                    speculation: s.speculation(limits, EntryKind::Call),
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
                let entry = EntryKind::Osr { pc };
                Action::Compile {
                    entry,
                    speculation: s.speculation(limits, entry),
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
        Event::Exit { .. } | Event::ExitInCopy if limits.exits_are_stress => Action::Nothing,
        Event::Exit {
            entry,
            times,
            failures,
        } => {
            *s.exits_mut(entry) += 1;
            let spent = s.spent(entry) >= limits.exit_threshold;
            if times < MAX_REPEATS && failures < code_limit(limits) && !spent {
                Action::Nothing
            } else {
                s.recompiles += 1;
                s.discard();
                if spent {
                    s.set(entry, Phase::Off);
                }
                for l in s.loops.values_mut() {
                    l.skip = (1 << (s.recompiles - 1).min(MAX_DOUBLINGS)) - 1;
                }
                rearm = Some(backoff(limits, s.recompiles));
                Action::Jettison
            }
        }
        Event::ExitInCopy => {
            s.exits_in_copies += 1;
            Action::Nothing
        }
        Event::Invalidated => {
            s.invalidations += 1;
            s.discard();
            for l in s.loops.values_mut() {
                l.skip = (1 << (s.invalidations / 4).min(MAX_DOUBLINGS)) - 1;
            }
            rearm = Some(backoff(limits, 1 + s.invalidations / 4));
            Action::Jettison
        }
        Event::Evicted => {
            s.discard();
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

    fn exits_mut(&mut self, entry: EntryKind) -> &mut u32 {
        match entry {
            EntryKind::Call => &mut self.exits,
            EntryKind::Osr { pc } => &mut self.loops.entry(pc).or_default().exits,
        }
    }

    /// Installed code is gone.
    fn discard(&mut self) {
        if self.call == Phase::Ready {
            self.call = Phase::Idle;
        }
        for l in self.loops.values_mut() {
            if l.phase == Phase::Ready {
                l.phase = Phase::Idle;
            }
        }
    }
}
