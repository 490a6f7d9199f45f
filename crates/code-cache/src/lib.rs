//! The code cache: which machine code is installed, how much memory it may
//! take, and when it may be freed.
//!
//! | module | what |
//! |---|---|
//! | [`code`] | one piece of installed code with its exits, sites and literal pool |
//! | [`cache`] | the cache: lookup by id, byte budget, eviction, reclamation |
//!
//! Machine code must not be freed while it runs. The cache knows nothing of
//! stacks; whoever evicts or reclaims passes a predicate that says which code
//! has an active frame. Code that was *retired* (jettisoned) keeps its entry
//! in the cache, because frames that still run it take their exits and call
//! sites from there, until a reclamation finds it inactive.
#![forbid(unsafe_code)]

pub mod cache;
pub mod code;

pub use cache::{CacheStats, CodeCache};
pub use code::{CodeMemory, InstalledCode, LiteralPool};
