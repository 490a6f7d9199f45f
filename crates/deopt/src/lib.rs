//! Deoptimization: why compiled code gives up, and how the interpreter's
//! frames are rebuilt when it does.
//!
//! | module | what |
//! |---|---|
//! | [`reason`] | the reasons, one list for code, logs and documentation |
//! | [`exit`] | side exits and call sites as data |
//! | [`mod@materialize`] | rebuilding the interpreter's frames from a side exit |
#![deny(unsafe_code)]

pub mod exit;
#[allow(unsafe_code)]
pub mod materialize;
pub mod reason;

pub use exit::{CallSite, ExitFrame, InlinedAt, SideExit, Source, VirtualObject};
pub use materialize::{POOL_FIRST, POOL_HELD, POOL_LEAVE, POOL_REPLACED, Rebuilt, materialize};
pub use reason::DeoptReason;
