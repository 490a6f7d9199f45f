//! Native code generation for Vela: MIR to LLVM IR to machine code.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | `llvm-config.toml`: versions, targets, the pipeline of each level |
//! | [`target`] | the machine that code is generated for |
//! | [`passes`] | running pipelines, printing IR and assembly |
//! | [`abi`] | the calling convention of compiled functions and the way into them |
//! | [`orc`] | object code in, callable and removable code out |
//!
//! `unsafe` is confined to [`orc`] and [`abi`].
#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod abi;
pub mod config;
#[allow(unsafe_code)]
pub mod orc;
pub mod passes;
pub mod target;
