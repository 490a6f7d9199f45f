//! MIR: the speculating SSA form between bytecode and machine code.
//!
//! | module | what |
//! |---|---|
//! | [`ir`] | the form: types, operations, frame states, call sites |
//! | [`analysis`] | predecessors, dominators, loops |
//! | [`backend`] | what turns MIR into running code |
//! | [`exits`] | side exits and call sites of a function as data |
//! | [`helper`] | run-time helpers that operations may lower to |
//! | [`interp`] | runs MIR without generating code |
//! | [`passes`] | the optimizations and their order |
//! | [`text`], [`parse`] | the textual form, out and in |
//! | [`verify`] | the rules of the form |
#![forbid(unsafe_code)]

pub mod analysis;
pub mod backend;
pub mod build;
pub mod exits;
pub mod helper;
pub mod interp;
pub mod ir;
pub mod parse;
pub mod passes;
pub mod text;
pub mod verify;
