//! The Lua 5.4 standard libraries for the Vela VM.
//!
//! Every function is a [`NativeFn`](vela_objects::NativeFn): it reads its
//! arguments with the helpers of [`args`], which raise PUC Lua's messages, and
//! calls back into Lua only through [`VmState`].
//!
//! | module | holds |
//! |---|---|
//! | [`args`] | argument checks and their errors |
//! | [`register`] | library tables, intrinsics, `package.loaded` |
//! | [`output`] | the standard output that `print` and `io` share |
//! | [`base`], [`coroutine`], [`string`], [`table`], [`math`], [`os`], [`io`], [`package`], [`utf8`], [`debug`] | the libraries |
#![forbid(unsafe_code)]

pub mod args;
pub mod base;
mod buf;
mod calendar;
pub mod chunk;
pub mod coroutine;
pub mod debug;
pub mod io;
pub mod math;
pub mod os;
pub mod output;
pub mod package;
pub mod register;
mod sort;
pub mod string;
pub mod sys;
pub mod table;
pub mod utf8;

pub use output::{flush, set_stdout};

use vela_objects::VmState;

/// Opens every library in `vm`: globals, library tables and `package.loaded`.
pub fn open_all(vm: &mut VmState) {
    base::open(vm);
    coroutine::open(vm);
    string::open(vm);
    utf8::open(vm);
    table::open(vm);
    math::open(vm);
    os::open(vm);
    io::open(vm);
    debug::open(vm);
    package::open(vm);
}
