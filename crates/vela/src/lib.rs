//! Vela, a Lua 5.4 virtual machine, for embedding in Rust programs.
//!
//! ```
//! use vela::{Vm, VmConfig};
//!
//! # fn main() -> vela::Result<()> {
//! let mut vm = Vm::new(VmConfig::default())?;
//! let globals = vm.globals();
//!
//! // Values and functions go in,
//! globals.set(&mut vm, "limit", 10)?;
//! let double = vm.function(|_, n: i64| Ok(2 * n));
//! globals.set(&mut vm, "double", double)?;
//!
//! // Lua runs,
//! vm.chunk("function sum() local s = 0 for i = 1, limit do s = s + double(i) end return s end")
//!     .name("=setup")
//!     .exec()?;
//!
//! // and values and functions come out.
//! let sum: vela::Function = globals.get(&mut vm, "sum")?;
//! assert_eq!(sum.call::<i64>(&mut vm, ())?, 110);
//! # Ok(())
//! # }
//! ```
//!
//! # Concepts
//!
//! - A [`Vm`] has its own heap and runs on one thread at a time. It is `Send`,
//!   and so is everything that a host keeps of it. An [`Engine`] makes VMs of
//!   one kind on any thread.
//! - [`Table`], [`Function`], [`Thread`] and [`Userdata`] are handles: they
//!   keep an object of a VM alive, and are used together with the VM, as
//!   `table.get(&mut vm, key)`. A handle used with another VM is an error.
//! - Whatever takes part in running Lua takes a `&mut dyn` [`Context`]: the
//!   VM, or, in a function that Lua has called, what that got as its first
//!   argument.
//! - [`IntoValue`], [`FromValue`] and, for arguments and results,
//!   [`IntoValues`], [`FromValues`] convert. Tuples are lists of values.
//! - Types of the host become userdata by [`Class`].
//! - [`Limits`] and [`Libraries`] confine code that is not trusted:
//!   [`Vm::sandbox`]. [`Vm::interrupt_handle`] stops a VM from outside.
//! - [`Error`]s keep the Lua value, the traceback, and the host's error that
//!   was the cause. A panic in a function of the host is an error, too.
//!
//! With feature `llvm-jit` hot functions are compiled by LLVM; without it
//! everything runs in the interpreter.
//!
//! | module | holds |
//! |---|---|
//! | `vm`, `engine` | [`Vm`], its configuration, [`Engine`] |
//! | `context` | [`Context`]: making objects, globals, registry, host values |
//! | `value`, `convert` | [`Value`], conversions |
//! | `table`, `function`, `thread`, `userdata` | objects |
//! | `builder` | [`Chunk`] |
//! | `scope` | [`Scope`]: functions that borrow |
//! | `step` | [`Step`]: functions that yield |
//! | `libraries`, `limits` | [`Libraries`], [`Limits`] |
//! | `error` | [`Error`] |
//! | `handle` | what keeps objects alive |
//! | [`chunk`] | source, binary and assembler chunks |
//! | [`tier`] | where the optimizing tier joins a VM |
#![deny(unsafe_code)]

mod builder;
pub mod chunk;
mod context;
mod convert;
mod engine;
mod error;
mod function;
mod handle;
mod libraries;
mod limits;
mod scope;
mod step;
mod table;
mod thread;
pub mod tier;
mod userdata;
mod value;
mod vm;

pub use builder::{Chunk, Mode};
pub use context::Context;
pub use convert::{Bytes, FromValue, FromValues, IntoValue, IntoValues, Rest, Values};
pub use engine::{Engine, Program};
pub use error::{Error, Result, RuntimeError, SharedError};
pub use function::Function;
pub use libraries::Libraries;
pub use limits::{Limits, Usage};
pub use scope::Scope;
pub use step::Step;
pub use table::Table;
pub use thread::{Thread, ThreadStatus};
pub use tier::Backend;
pub use userdata::{Class, Definition, Meta, New, Userdata};
pub use value::Value;
pub use vela_objects::interrupt::{Cause, Interrupt};
pub use vela_runtime_integration::{ConfigError, JitConfig};
pub use vm::{Vm, VmConfig};

/// The VM's own representation, for natives written against it.
#[doc(hidden)]
pub use vela_objects as objects;

/// The texts outside of the crate compile, too.
#[cfg(doctest)]
mod texts {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/embedding.md")]
    struct Embedding;
}
