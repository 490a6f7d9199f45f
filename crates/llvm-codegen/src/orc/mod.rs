//! A safe layer over LLVM's ORC just-in-time linker.
//!
//! Object code goes in, callable addresses come out, and the memory comes back:
//!
//! ```text
//! emit_object(module) ─► ObjectCode ─► Jit::link ─► LinkedObject ─► lookup ─► address
//!                        (bytes, cache)                └─ remove or drop: unmapped
//! ```
//!
//! **Ownership.** A [`LinkedObject`] owns its code; dropping it unmaps the code. It
//! keeps the session alive, so a [`Jit`] and its objects may be dropped in any order.
//! An address from [`LinkedObject::lookup`] is plain data: using it is the caller's
//! `unsafe`, and valid until the object is removed.
//!
//! **Names.** Objects may export equal names, also the same object linked twice. An
//! object that refers to nothing outside itself shares a `JITDylib` with others whose
//! names differ; any other object has one of its own. Thus no object ever sees the
//! names of another. A dylib costs 10 KB, so give objects names that differ when many
//! are kept. ORC's C interface cannot delete a dylib, therefore emptied ones are used
//! again.
//!
//! **What code may refer to.** Itself, and the helpers given to
//! [`Jit::define_helper`]. Symbols of the process are not visible: a reference to
//! one is an error that names it.
//!
//! **Threads.** All types here are `Send` and `Sync`. Linking runs in the calling
//! thread; several threads may link at once.

pub mod diagnostics;
mod emit;
mod error;
mod object;
mod session;

pub use emit::{emit_object, set_fast_isel, set_options};
pub use error::OrcError;
pub use object::{ObjectCode, Section, Symbols};
pub use session::{Address, Jit, JitStats, LinkedObject};
