//! MIR: the speculating SSA form between bytecode and machine code.
//!
//! | module | what |
//! |---|---|
//! | [`ir`] | the form: types, operations, frame states, call sites |
//! | [`helper`] | run-time helpers that operations may lower to |
#![forbid(unsafe_code)]

pub mod helper;
pub mod ir;
