//! MIR: the speculating SSA form between bytecode and machine code.
//!
//! | module | what |
//! |---|---|
//! | [`ir`] | the form: types, operations, frame states, call sites |
//! | [`backend`] | what turns MIR into running code |
//! | [`exits`] | side exits and call sites of a function as data |
//! | [`helper`] | run-time helpers that operations may lower to |
//! | [`text`], [`parse`] | the textual form, out and in |
#![forbid(unsafe_code)]

pub mod backend;
pub mod exits;
pub mod helper;
pub mod ir;
pub mod parse;
pub mod text;
