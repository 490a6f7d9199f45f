//! The interpreter of the Vela Lua VM.
//!
//! Runs bytecode on the VM stack, fills the inline caches that are the
//! optimizer's feedback, reports hot functions and loops, and implements the
//! run-time helpers that compiled code calls.
//!
//! | module | holds |
//! |---|---|
//! | [`entry`] | making a VM, calling into it, the native stack it runs on |
//! | `dispatch` | the loop over instructions |
//! | `call` | calls, returns, frames, entering compiled code |
//! | `ic` | inline caches for fields, methods, globals and call targets |
//! | `slow` | whatever an instruction does beyond its fast path |
//! | `trace` | events of debug hooks |
//! | `unwind` | message handlers, to-be-closed variables |
//! | `resume` | rebuilt frames after a side exit |
//! | [`helpers`] | functions that compiled code calls |
//! | `string_helpers` | those that stand for library functions |
//!
//! Lua-to-Lua calls push a frame record and stay in the loop; the loop returns
//! to Rust when a frame flagged `ENTRY` ends. Natives, metamethods and calls
//! from compiled code start a loop of their own.

mod call;
mod dispatch;
pub mod entry;
mod frames;
pub mod helpers;
mod ic;
mod resume;
mod slow;
mod string_helpers;
pub mod thunk;
mod trace;
mod unwind;

pub use call::Raw;
pub use entry::{call, new_vm, on_big_stack};
pub use helpers::{HELPERS, InterpEnter, helper, interp_enter, safepoint};
pub use resume::resume;
