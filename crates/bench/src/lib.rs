//! Benchmarks of whole Lua programs, of programs in steady state and of numeric kernels.
//!
//! Each program in `programs/` is run as a process of its own under every engine that is
//! installed: Vela with its JIT off and on, PUC Lua, and LuaJIT. Whole processes are timed
//! because that is what a user waits for: start, parsing, warm-up and compilation count.
//! Rounds are interleaved between engines, so a slow phase of the machine hits all of them,
//! and every run's output is compared: a fast wrong answer is an error.
//!
//! The programs in `steady/` run many rounds in one process and are timed at their end;
//! their twins in `js/` do the same under Node.js. The kernels in `kernels/` are loops over
//! arrays of numbers with twins in C that do the same checks.
//!
//! - [`program`]: the programs and what their header comments say
//! - [`engine`]: which engines there are and how they are started
//! - [`runner`]: one timed run, and all runs of one program
//! - [`rounds`]: runs in rounds, steady state and time to peak
//! - [`steady`]: the steady-state programs and their tables
//! - [`kernels`]: the kernels and their table
//! - [`stats`]: medians and means
//! - [`jit_stats`]: the counters that Vela prints on exit
//! - [`machine`]: what the numbers were measured on
//! - [`report`]: the report on whole programs
//! - [`tables`]: tables as text and as Markdown
//! - [`markers`]: the generated sections of `docs/benchmarks.md`

#![forbid(unsafe_code)]

pub mod engine;
pub mod jit_stats;
pub mod kernels;
pub mod machine;
pub mod markers;
pub mod program;
pub mod report;
pub mod rounds;
pub mod runner;
pub mod stats;
pub mod steady;
pub mod tables;
