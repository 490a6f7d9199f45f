//! Native code generation for Vela: MIR to LLVM IR to machine code.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | `llvm-config.toml`: versions, targets, the pipeline of each level |
//! | [`target`] | the machine that code is generated for |
//! | [`passes`] | running pipelines, printing IR and assembly |
//! | [`abi`] | the calling convention of compiled functions and the way into them |
//! | [`lower`] | MIR to LLVM IR, a file per family of operations |
//! | [`backend`] | the whole way from MIR to linked code |
//! | [`orc`] | object code in, callable and removable code out |
//!
//! `unsafe` is confined to [`orc`] and [`abi`].
#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod abi;
pub mod backend;
pub mod config;
pub mod lower;
#[allow(unsafe_code)]
pub mod orc;
pub mod passes;
pub mod target;
