//! Counters that decide when a function is hot.

use std::sync::atomic::{AtomicU32, Ordering};

/// A saturating event counter.
///
/// Only the VM's own thread increments it, so an increment is a relaxed load
/// and store (no locked instruction); any thread may read it.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct HotCounter(AtomicU32);

impl HotCounter {
    /// Counts one event and returns the new count. Owner thread only.
    #[inline]
    pub fn increment(&self) -> u32 {
        let n = self.0.load(Ordering::Relaxed).saturating_add(1);
        self.0.store(n, Ordering::Relaxed);
        n
    }

    /// The count.
    #[inline]
    #[must_use]
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the count.
    #[inline]
    pub fn set(&self, n: u32) {
        self.0.store(n, Ordering::Relaxed);
    }
}
