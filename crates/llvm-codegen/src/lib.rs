//! Native code generation for Vela: MIR to LLVM IR to machine code.
#![deny(unsafe_code)]

pub mod config;
