//! Tiering: when functions are compiled, how their code is installed, and
//! what happens when it fails.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | the configuration, one table for code, environment, flags, documentation |
//! | [`policy`] | when to compile and when to give up, as a pure function |
//! | [`workers`] | threads that compile in the background |
//! | [`stats`] | counters |
#![deny(unsafe_code)]

pub mod config;
pub mod policy;
pub mod stats;
pub mod workers;

pub use config::{ConfigError, JitConfig, LogFilter, Mode};
pub use stats::JitStats;
