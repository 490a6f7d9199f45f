//! The cache: lookup by id, budget, eviction, reclamation.
//!
//! Compiled code does not count its entries (that would cost every call), so
//! use is sampled: whoever sees code in use (on a stack walk, an exit, an OSR
//! entry) calls [`CodeCache::touch`]. Time is a coarse epoch that advances
//! with every installation. Eviction takes the code that was not seen for the
//! most epochs, and of equals the one seen least often. A function that is
//! evicted and still hot is compiled again by the ordinary policy.

use crate::code::InstalledCode;
use dashmap::DashMap;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// What the cache has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Pieces of code in the cache, retired ones included.
    pub entries: usize,
    /// Bytes in the cache, retired code included.
    pub bytes: usize,
    /// Bytes of machine code alone.
    pub code_bytes: usize,
    /// Most bytes at any time.
    pub peak_bytes: usize,
    /// Installations.
    pub installed: u64,
    /// Code evicted for the budget.
    pub evicted: u64,
    /// Code retired because it was invalid or failed too often.
    pub retired: u64,
    /// Retired code that was freed.
    pub reclaimed: u64,
}

/// Installed code by id, with a byte budget.
pub struct CodeCache {
    codes: DashMap<u32, Arc<InstalledCode>>,
    budget: usize,
    bytes: AtomicUsize,
    code_bytes: AtomicUsize,
    peak: AtomicUsize,
    next_id: AtomicU32,
    epoch: AtomicU64,
    installed: AtomicU64,
    evicted: AtomicU64,
    retired: AtomicU64,
    reclaimed: AtomicU64,
    /// Retired code that is still in `codes`.
    waiting: Mutex<Vec<u32>>,
}

impl CodeCache {
    /// An empty cache for at most `budget` bytes. Code that has an active
    /// frame may keep it above the budget.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        CodeCache {
            codes: DashMap::new(),
            budget,
            bytes: AtomicUsize::new(0),
            code_bytes: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            next_id: AtomicU32::new(1),
            epoch: AtomicU64::new(0),
            installed: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            retired: AtomicU64::new(0),
            reclaimed: AtomicU64::new(0),
            waiting: Mutex::new(Vec::new()),
        }
    }

    /// The budget in bytes.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// An id for new code, never 0 and never reused.
    pub fn next_id(&self) -> u32 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Puts code into the cache. It may pass the budget; see
    /// [`CodeCache::evict`].
    pub fn install(&self, code: InstalledCode) -> Arc<InstalledCode> {
        let code = Arc::new(code);
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed) + 1;
        code.last_used.store(epoch, Ordering::Relaxed);
        let bytes = self.bytes.fetch_add(code.size(), Ordering::Relaxed) + code.size();
        self.code_bytes
            .fetch_add(code.code_size(), Ordering::Relaxed);
        self.peak.fetch_max(bytes, Ordering::Relaxed);
        self.installed.fetch_add(1, Ordering::Relaxed);
        if let Some(old) = self.codes.insert(code.id, code.clone()) {
            self.uncount(&old);
        }
        code
    }

    /// The code with this id, retired or not.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<Arc<InstalledCode>> {
        self.codes.get(&id).map(|c| c.value().clone())
    }

    /// Runs `f` on the code with this id without taking a reference count.
    pub fn with<R>(&self, id: u32, f: impl FnOnce(&InstalledCode) -> R) -> Option<R> {
        self.codes.get(&id).map(|c| f(c.value()))
    }

    /// Notes that code was seen in use.
    pub fn touch(&self, id: u32) {
        if let Some(code) = self.codes.get(&id) {
            code.last_used
                .store(self.epoch.load(Ordering::Relaxed), Ordering::Relaxed);
            code.uses.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Marks code as not to be entered any more. It stays until
    /// [`CodeCache::reclaim`]. Returns whether it was still in service.
    pub fn retire(&self, id: u32) -> bool {
        let first = self.codes.get(&id).is_some_and(|c| c.retire());
        if first {
            self.retired.fetch_add(1, Ordering::Relaxed);
            self.waiting.lock().push(id);
        }
        first
    }

    /// Whether retired code waits for reclamation.
    #[must_use]
    pub fn has_retired(&self) -> bool {
        !self.waiting.lock().is_empty()
    }

    /// Removes retired code that `is_active` does not name and returns it; it
    /// is freed when the caller drops it. O(retired).
    #[must_use = "the code is freed when the result is dropped"]
    pub fn reclaim(&self, is_active: impl Fn(u32) -> bool) -> Vec<Arc<InstalledCode>> {
        let mut removed = Vec::new();
        self.waiting.lock().retain(|&id| {
            if is_active(id) {
                return true;
            }
            removed.extend(self.remove(id));
            false
        });
        self.reclaimed
            .fetch_add(removed.len() as u64, Ordering::Relaxed);
        removed
    }

    /// Whether the cache holds more than its budget.
    #[must_use]
    pub fn over_budget(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > self.budget
    }

    /// Removes inactive code until the cache is within its budget and returns
    /// it. The caller unlinks every entry that still leads to it before
    /// dropping the result, which frees it. O(n log n), only when over budget.
    #[must_use = "entries must be unlinked before the code is dropped"]
    pub fn evict(&self, is_active: impl Fn(u32) -> bool) -> Vec<Arc<InstalledCode>> {
        if !self.over_budget() {
            return Vec::new();
        }
        let mut order: Vec<_> = self
            .codes
            .iter()
            .map(|c| {
                let used = c.last_used.load(Ordering::Relaxed);
                (used, c.uses(), c.id)
            })
            .collect();
        order.sort_unstable();
        let mut removed = Vec::new();
        for (_, _, id) in order {
            if !self.over_budget() {
                break;
            }
            if is_active(id) {
                continue;
            }
            if let Some(code) = self.remove(id) {
                code.retire();
                self.evicted.fetch_add(1, Ordering::Relaxed);
                removed.push(code);
            }
        }
        if !removed.is_empty() {
            self.waiting.lock().retain(|id| self.codes.contains_key(id));
        }
        removed
    }

    /// Ids of all code in the cache, in no order.
    #[must_use]
    pub fn ids(&self) -> Vec<u32> {
        self.codes.iter().map(|c| c.id).collect()
    }

    /// What the cache holds and has done.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            entries: self.codes.len(),
            bytes: self.bytes.load(Ordering::Relaxed),
            code_bytes: self.code_bytes.load(Ordering::Relaxed),
            peak_bytes: self.peak.load(Ordering::Relaxed),
            installed: self.installed.load(Ordering::Relaxed),
            evicted: self.evicted.load(Ordering::Relaxed),
            retired: self.retired.load(Ordering::Relaxed),
            reclaimed: self.reclaimed.load(Ordering::Relaxed),
        }
    }

    fn remove(&self, id: u32) -> Option<Arc<InstalledCode>> {
        let (_, code) = self.codes.remove(&id)?;
        self.uncount(&code);
        Some(code)
    }

    fn uncount(&self, code: &InstalledCode) {
        self.bytes.fetch_sub(code.size(), Ordering::Relaxed);
        self.code_bytes
            .fetch_sub(code.code_size(), Ordering::Relaxed);
    }
}
