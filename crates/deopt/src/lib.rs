//! Deoptimization: why compiled code gives up, and how the interpreter's
//! frames are rebuilt when it does.
//!
//! | module | what |
//! |---|---|
//! | [`reason`] | the reasons, one list for code, logs and documentation |
//! | [`exit`] | side exits and call sites as data |

pub mod exit;
pub mod reason;

pub use exit::{CallSite, ExitFrame, InlinedAt, SideExit, Source};
pub use reason::DeoptReason;
