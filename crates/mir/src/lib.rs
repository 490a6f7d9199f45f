//! MIR: the speculating SSA form between bytecode and machine code.
//!
//! | module | what |
//! |---|---|
//! | [`ir`] | the form: types, operations, frame states, call sites |
//! | [`backend`] | what turns MIR into running code |
//! | [`helper`] | run-time helpers that operations may lower to |
#![forbid(unsafe_code)]

pub mod backend;
pub mod helper;
pub mod ir;
