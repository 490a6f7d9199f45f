//! Tiering: when functions are compiled, how their code is installed, and
//! what happens when it fails.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | the configuration, one table for code, environment, flags, documentation |
//! | [`policy`] | when to compile and when to give up, as a pure function |
//! | [`plan`] | one compilation, phase by phase |
//! | [`tier`] | the tier of a VM: requests, installation, invalidation, eviction |
//! | `hooks` | what the interpreter and compiled code call |
//! | [`machine`] | a backend that interprets MIR |
//! | [`workers`] | threads that compile in the background |
//! | [`stats`] | counters |
//! | [`account`] | where time, calls and operations go, for `full_stats` |
//! | `dump` | files for each compilation |
//!
//! The tier takes its backend as an `Arc<dyn Backend>` and knows nothing of
//! LLVM. Events go to `tracing` under the targets `vela_jit::compile`,
//! `install`, `deopt`, `jettison`, `evict` and `osr`.
#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod account;
pub mod config;
mod debugging;
mod dump;
#[allow(unsafe_code)]
mod hooks;
#[allow(unsafe_code)]
pub mod machine;
pub mod plan;
pub mod policy;
pub mod stats;
pub mod tier;
pub mod workers;

/// What a backend is made of, for crates that provide one.
pub mod backend {
    pub use vela_mir::backend::{Backend, CompileError, CompileOptions, Compiled};
    pub use vela_mir::ir::Func;
}

pub use account::Shares;
pub use config::{ConfigError, JitConfig, LogFilter, Mode};
pub use machine::MirBackend;
pub use stats::JitStats;
pub use tier::{AttachError, Tier};
