//! Differential tests for Vela.
//!
//! The same Lua text must do the same in every execution mode (interpreter, MIR interpreter, LLVM
//! code at each optimization level, stress modes) and in PUC Lua 5.4.8, the reference. This crate
//! generates programs ([`generate`], [`render`]), runs them in batches ([`batch`]) in the modes of
//! `tests/modes.toml` ([`modes`]), compares what they print ([`compare`], [`check`]) and reduces what
//! differs ([`pair`], [`reduce`]).
//! Its integration tests also run the project's own Lua scripts and the official test files.
//!
//! Environment, all optional:
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `VELA_BIN` | the `vela` under test | `target/release/vela` |
//! | `VELA_PUC` | the reference `lua` | built by `ci/puc` |
//! | `VELA_REQUIRED=1` | a mode that cannot run is a failure | off: skipped and listed |
//! | `VELA_MODES` | names of modes to run, separated by commas | all |
//! | `VELA_DIFF_PROGRAMS` | number of generated programs | 400 |
//! | `VELA_DIFF_SEED` | seed of the generator | random, printed |
//! | `VELA_DIFF_FAILURES` | failing programs to collect before a run ends | 1 |
//! | `VELA_DIFF_ALL=1` | each mode runs every program | modes with `share` take turns |
//! | `VELA_DIFF_IGNORE_NAMES=1` | variable names in error messages are not compared | compared |
//! | `VELA_BLESS=1` | the Lua test runner writes the reference's output as expected output | off |

#![forbid(unsafe_code)]

pub mod ast;
pub mod batch;
pub mod check;
pub mod compare;
pub mod generate;
pub mod modes;
pub mod pair;
pub mod process;
pub mod reduce;
pub mod render;
