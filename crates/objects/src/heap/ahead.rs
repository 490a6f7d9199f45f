//! References that are about to be marked, while their headers are on the way
//! to the processor.
//!
//! Marking is bound by the latency of memory: every object's header is read
//! once, in an order that no hardware foresees. References found by tracing
//! pass through a short queue, so that several headers are fetched at a time
//! (Cher, Hosking and Vitek, "Software prefetching for mark-sweep garbage
//! collection", 2004). Sweeping, which reads in order, asks for what is some
//! cells ahead.

use crate::object::Header;

/// References that wait at a time.
const WAITING: usize = 16;

/// A queue of references, all of them to live objects.
pub(super) struct Ahead {
    /// A ring: those that wait end before `next`, the others are null.
    waiting: [*mut Header; WAITING],
    next: usize,
}

impl Ahead {
    pub(super) const fn new() -> Self {
        Ahead {
            waiting: [std::ptr::null_mut(); WAITING],
            next: 0,
        }
    }

    /// Adds a reference; gives the one that has waited longest if all places
    /// are taken, and null otherwise.
    #[inline(always)]
    pub(super) fn pass(&mut self, h: *mut Header) -> *mut Header {
        prefetch(h.cast());
        let at = self.next % WAITING;
        self.next = at + 1;
        std::mem::replace(&mut self.waiting[at], h)
    }

    /// Takes the reference that came last; null if none waits.
    #[inline]
    pub(super) fn take(&mut self) -> *mut Header {
        let at = self.next.wrapping_sub(1) % WAITING;
        let h = std::mem::replace(&mut self.waiting[at], std::ptr::null_mut());
        if !h.is_null() {
            self.next = at;
        }
        h
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting[self.next.wrapping_sub(1) % WAITING].is_null()
    }
}

/// Asks for the cache line at an address, which may be any.
#[inline]
pub(super) fn prefetch(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: prefetches read nothing that a program can see.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) at, options(nostack, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = at;
}
