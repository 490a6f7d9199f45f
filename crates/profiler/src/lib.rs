//! Profiles of running functions: hotness counters, feedback, snapshots.
//!
//! | module | what |
//! |---|---|
//! | [`metatables`] | what calls of `setmetatable` did |
//! | [`noise`] | feedback made wrong on purpose, for tests |
//! | [`snapshot`] | owned copies of feedback for the optimizer's threads |
//! | [`world`] | values around the function that cannot change unnoticed |
#![forbid(unsafe_code)]

pub mod metatables;
pub mod noise;
pub mod snapshot;
pub mod world;

pub use snapshot::{FunctionSnapshot, SiteSnapshot};
pub use vela_objects::counter::HotCounter;
