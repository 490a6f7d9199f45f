//! Benchmarks of whole Lua programs.
//!
//! Each program in `programs/` is run as a process of its own under every engine that is
//! installed: Vela with its JIT off and on, PUC Lua, and LuaJIT. Whole processes are timed
//! because that is what a user waits for: start, parsing, warm-up and compilation count.
//! Rounds are interleaved between engines, so a slow phase of the machine hits all of them,
//! and every run's output is compared: a fast wrong answer is an error.
//!
//! - [`program`]: the programs and what their header comments say
//! - [`engine`]: which engines there are and how they are started
//! - [`runner`]: one timed run, and all runs of one program
//! - [`stats`]: medians and means
//! - [`jit_stats`]: the counters that Vela prints on exit
//! - [`machine`]: what the numbers were measured on
//! - [`report`]: tables for the terminal and for `docs/benchmarks.md`

#![forbid(unsafe_code)]

pub mod engine;
pub mod jit_stats;
pub mod machine;
pub mod program;
pub mod report;
pub mod runner;
pub mod stats;
