//! Vela, a Lua 5.4 virtual machine, for embedding in Rust programs.
//!
//! ```
//! use vela::{Value, Vm, VmConfig};
//!
//! let mut vm = Vm::new(VmConfig::default())?;
//! vm.set_global("limit", 10)?;
//! vm.exec(b"function sum() local s = 0 for i = 1, limit do s = s + i end return s end", "=setup")?;
//! let Value::Function(sum) = vm.global("sum")? else { panic!("exec defined it") };
//! assert_eq!(vm.call(&sum, &[])?, [Value::Int(55)]);
//! # Ok::<(), vela::Error>(())
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `vm` | [`Vm`], its configuration, functions as handles |
//! | `value` | [`Value`], what goes in and out |
//! | `error` | [`Error`] with Lua's message and traceback |
//! | [`chunk`] | source, binary and assembler chunks |
//! | [`tier`] | where the optimizing tier joins a VM |
//!
//! With feature `llvm-jit` hot functions are compiled by LLVM; without it
//! everything runs in the interpreter.
#![forbid(unsafe_code)]

pub mod chunk;
mod error;
pub mod tier;
mod value;
mod vm;

pub use error::Error;
pub use tier::Backend;
pub use value::Value;
pub use vela_runtime_integration::{ConfigError, JitConfig};
pub use vm::{Function, Vm, VmConfig};

/// The VM's own representation, for natives written against it.
pub use vela_objects as objects;
