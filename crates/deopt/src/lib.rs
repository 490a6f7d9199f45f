//! Deoptimization: why compiled code gives up, and how the interpreter's
//! frames are rebuilt when it does.

pub mod reason;

pub use reason::DeoptReason;
