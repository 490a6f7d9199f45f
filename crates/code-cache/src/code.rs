//! A piece of installed code.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use vela_deopt::{CallSite, POOL_FIRST, POOL_HELD, POOL_LEAVE, POOL_REPLACED, SideExit};

/// Executable memory with code in it. Dropping it frees the memory.
pub trait CodeMemory: Send + Sync {
    /// Address of the entry.
    fn entry(&self) -> *const u8;
    /// Bytes of machine code.
    fn size(&self) -> usize;
}

/// The literals of a function's code: plain words that compiled code reads.
///
/// Word 0 is the invalidation flag, which code tests after calls when it
/// relies on watched assumptions; literal `k` is word `k + 1`.
#[derive(Debug)]
pub struct LiteralPool {
    words: Box<[AtomicU64]>,
}

impl LiteralPool {
    /// A valid pool with these literals.
    #[must_use]
    pub fn new(literals: &[u64]) -> Self {
        let flag = std::iter::repeat_n(0, POOL_FIRST);
        LiteralPool {
            words: flag
                .chain(literals.iter().copied())
                .map(AtomicU64::new)
                .collect(),
        }
    }

    /// Address of word 0, as kept in the function's prototype.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u64 {
        self.words.as_ptr().cast_mut().cast()
    }

    /// The literals.
    #[must_use]
    pub fn literals(&self) -> Vec<u64> {
        let words = &self.words[POOL_FIRST..];
        words.iter().map(|w| w.load(Ordering::Relaxed)).collect()
    }

    /// Tells code that runs with this pool that it must leave.
    pub fn invalidate(&self) {
        self.words[0].store(1, Ordering::Release);
    }

    /// Tells code that runs with this pool to leave for better code.
    pub fn replace(&self) {
        if !self.is_invalid() {
            self.words[0].store(POOL_REPLACED, Ordering::Release);
        }
    }

    /// Whether [`LiteralPool::replace`] was called, and nothing worse.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        self.words[0].load(Ordering::Acquire) == POOL_REPLACED
    }

    /// Tells code that runs with this pool to leave at its next check, valid as
    /// it is, unless it has to leave anyway.
    pub fn leave_once(&self) {
        let flag = &self.words[0];
        let _ = flag.compare_exchange(0, POOL_LEAVE, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Ends [`LiteralPool::leave_once`]; returns whether it was in force.
    pub fn stay(&self) -> bool {
        let flag = &self.words[0];
        flag.compare_exchange(POOL_LEAVE, 0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Tells code that runs with this pool to leave, valid as it is, until
    /// [`LiteralPool::release`].
    pub fn hold(&self) {
        if !self.is_invalid() && !self.is_replaced() {
            self.words[0].store(POOL_HELD, Ordering::Release);
        }
    }

    /// Ends [`LiteralPool::hold`].
    pub fn release(&self) {
        if self.words[0].load(Ordering::Acquire) == POOL_HELD {
            self.words[0].store(0, Ordering::Release);
        }
    }

    /// Whether [`LiteralPool::invalidate`] was called.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.words[0].load(Ordering::Acquire) == 1
    }

    /// Bytes of memory.
    #[must_use]
    pub fn size(&self) -> usize {
        self.words.len() * 8
    }
}

/// Machine code with everything its exits, its frames and its eviction need.
pub struct InstalledCode {
    /// Id, unique in the process; in frame records and exits.
    pub id: u32,
    /// Id of the prototype that it belongs to.
    pub owner: u32,
    /// Loop header of an OSR entry, `None` for code entered by calls.
    pub osr_pc: Option<u32>,
    /// For logs: source and line.
    pub name: String,
    /// Side exits by id.
    pub exits: Vec<SideExit>,
    /// Call sites by id.
    pub sites: Vec<CallSite>,
    /// Ids of the lattice cells whose level the code relies on.
    pub watches: Vec<u32>,
    /// Literals at installation.
    pub pool: Arc<LiteralPool>,
    code: Box<dyn CodeMemory>,
    exit_counts: Box<[AtomicU32]>,
    failures: AtomicU32,
    retired: AtomicBool,
    pub(crate) last_used: AtomicU64,
    pub(crate) uses: AtomicU64,
}

impl InstalledCode {
    /// Code of prototype `owner`. The optional parts ([`InstalledCode::osr_pc`],
    /// `name`, `watches`) are set on the result.
    #[must_use]
    pub fn new(
        id: u32,
        owner: u32,
        code: Box<dyn CodeMemory>,
        exits: Vec<SideExit>,
        sites: Vec<CallSite>,
        pool: Arc<LiteralPool>,
    ) -> Self {
        let exit_counts = exits.iter().map(|_| AtomicU32::new(0)).collect();
        InstalledCode {
            id,
            owner,
            osr_pc: None,
            name: String::new(),
            exits,
            sites,
            watches: Vec::new(),
            pool,
            code,
            exit_counts,
            failures: AtomicU32::new(0),
            retired: AtomicBool::new(false),
            last_used: AtomicU64::new(0),
            uses: AtomicU64::new(0),
        }
    }

    /// Address of the entry; valid while this value lives.
    #[must_use]
    pub fn entry(&self) -> *const u8 {
        self.code.entry()
    }

    /// Bytes of machine code.
    #[must_use]
    pub fn code_size(&self) -> usize {
        self.code.size()
    }

    /// Bytes counted against the budget: code, literals and tables.
    #[must_use]
    pub fn size(&self) -> usize {
        let exits: usize = self
            .exits
            .iter()
            .flat_map(|e| &e.frames)
            .map(|f| size_of_val(f) + size_of_val(f.regs.as_slice()))
            .sum();
        let sites: usize = self
            .sites
            .iter()
            .map(|s| size_of::<CallSite>() + s.live.len())
            .sum();
        self.code.size() + self.pool.size() + exits + sites
    }

    /// Counts an exit and returns how often it was taken. `None` if there is
    /// no such exit.
    pub fn count_exit(&self, exit: u32) -> Option<u32> {
        let count = self.exit_counts.get(exit as usize)?;
        Some(count.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }

    /// How often an exit was taken, 0 if there is no such exit.
    #[must_use]
    pub fn exit_count(&self, exit: u32) -> u32 {
        self.exit_counts
            .get(exit as usize)
            .map_or(0, |c| c.load(Ordering::Relaxed))
    }

    /// Counts a failed speculation and returns how many there were.
    pub fn count_failure(&self) -> u32 {
        self.failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1)
    }

    /// Exits that were failed speculations.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Whether the code must not be entered any more.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(crate) fn retire(&self) -> bool {
        !self.retired.swap(true, Ordering::AcqRel)
    }

    /// Times the code was seen in use.
    #[must_use]
    pub fn uses(&self) -> u64 {
        self.uses.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for InstalledCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstalledCode")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("name", &self.name)
            .field("osr_pc", &self.osr_pc)
            .field("size", &self.size())
            .field("retired", &self.is_retired())
            .finish_non_exhaustive()
    }
}
