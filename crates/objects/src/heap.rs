//! The heap: size-classed blocks, interned strings, and mark-sweep collection.
//!
//! Objects never move. Cells of one size (a multiple of [`GRANULE`]) fill
//! 64 KiB blocks; allocation bumps through runs of free cells, so that
//! compiled code can do it inline from [`FreeRun`]. Larger objects come from
//! the system allocator.
//!
//! **Allocation never collects.** It adds debt; when the debt passes the
//! threshold [`Heap::wants_gc`] turns true and the VM's poll is set. The
//! collection itself ([`crate::gc`]) is stop-the-world and precise; the
//! barrier and the mark bytes are laid out for an incremental one.

use crate::gcref::Gc;
use crate::object::{Header, Kind};
use crate::string::{STR_DATA_OFFSET, Str, hash_bytes};
use std::alloc::{Layout, alloc_zeroed, dealloc};

/// Cell sizes are multiples of this.
pub const GRANULE: usize = 16;
/// Largest cell in a block; larger objects are allocated on their own.
pub const MAX_SMALL: usize = 1024;
/// Number of size classes; class `c` has cells of `c * GRANULE` bytes.
pub const CLASSES: usize = MAX_SMALL / GRANULE + 1;
const BLOCK_SIZE: usize = 64 * 1024;

/// The run of free cells that a class allocates from. Compiled code bumps
/// `cur` by the cell size while it stays at or below `end`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct FreeRun {
    /// Next free cell.
    pub cur: *mut u8,
    /// End of the run.
    pub end: *mut u8,
}

/// Head of a run of free cells that waits in its class's list.
#[repr(C)]
struct RunHead {
    header: Header,
    next: *mut RunHead,
}

struct Block {
    start: *mut u8,
    class: usize,
}

/// A VM's heap.
#[repr(C)]
pub struct Heap {
    /// Allocation runs by class, first so that their offset is small.
    pub runs: [FreeRun; CLASSES],
    /// Mark byte that newly allocated and marked objects carry, shifted to
    /// its place in the header word.
    pub mark_word: u64,
    /// Whether a collection is due.
    pub wants_gc: bool,
    /// Whether a collector is between marking steps (the barrier's test).
    pub marking: bool,
    waiting: [*mut RunHead; CLASSES],
    blocks: Vec<Block>,
    large: Vec<(*mut Header, usize)>,
    debt: usize,
    threshold: usize,
    live: usize,
    stopped: bool,
    strings: hashbrown::HashTable<Gc<Str>>,
    seed: u64,
    pub(crate) gray: Vec<*mut Header>,
    collections: u64,
}

/// Least debt between collections, in bytes.
const MIN_THRESHOLD: usize = 4 << 20;

impl Heap {
    /// An empty heap whose string hashes use `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let none = FreeRun {
            cur: std::ptr::null_mut(),
            end: std::ptr::null_mut(),
        };
        Heap {
            runs: [none; CLASSES],
            mark_word: 1 << 8,
            wants_gc: false,
            marking: false,
            waiting: [std::ptr::null_mut(); CLASSES],
            blocks: Vec::new(),
            large: Vec::new(),
            debt: 0,
            threshold: MIN_THRESHOLD,
            live: 0,
            stopped: false,
            strings: hashbrown::HashTable::new(),
            seed,
            gray: Vec::new(),
            collections: 0,
        }
    }

    /// The mark byte of live objects.
    #[inline]
    #[must_use]
    pub fn live_mark(&self) -> u8 {
        (self.mark_word >> 8) as u8
    }

    /// Accounts for `bytes` allocated outside cells.
    #[inline]
    pub fn add_debt(&mut self, bytes: usize) {
        self.debt += bytes;
        if self.debt >= self.threshold && !self.stopped {
            self.wants_gc = true;
        }
    }

    /// Allocates a cell and writes its header; the rest is uninitialised.
    #[inline]
    pub fn alloc(&mut self, kind: Kind, bytes: usize) -> *mut Header {
        let class = bytes.div_ceil(GRANULE);
        let size = class * GRANULE;
        let ptr = if class < CLASSES {
            let run = &mut self.runs[class];
            if (run.end as usize) - (run.cur as usize) >= size {
                let p = run.cur;
                run.cur = p.wrapping_add(size);
                p
            } else {
                self.alloc_slow(class)
            }
        } else {
            self.alloc_large(bytes)
        };
        let header = ptr.cast::<Header>();
        // SAFETY: `ptr` is a fresh cell of at least 16 bytes, 8-aligned.
        unsafe {
            *header = Header {
                kind,
                mark: self.live_mark(),
                flags: 0,
                aux: 0,
                extra: 0,
            };
        }
        header
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, class: usize) -> *mut u8 {
        let size = class * GRANULE;
        let head = self.waiting[class];
        let (start, bytes) = if head.is_null() {
            let layout = Layout::from_size_align(BLOCK_SIZE, BLOCK_SIZE).expect("constant layout");
            // SAFETY: the layout has a size.
            let start = unsafe { alloc_zeroed(layout) };
            if start.is_null() {
                std::alloc::handle_alloc_error(layout);
            }
            self.blocks.push(Block { start, class });
            (start, BLOCK_SIZE / size * size)
        } else {
            // SAFETY: `head` is the first cell of a free run; its header holds
            // the run's length in cells and it links to the next run.
            unsafe {
                self.waiting[class] = (*head).next;
                (head.cast::<u8>(), (*head).header.extra as usize * size)
            }
        };
        self.add_debt(bytes);
        self.runs[class] = FreeRun {
            cur: start.wrapping_add(size),
            end: start.wrapping_add(bytes),
        };
        start
    }

    #[cold]
    #[inline(never)]
    fn alloc_large(&mut self, bytes: usize) -> *mut u8 {
        let layout = Layout::from_size_align(bytes, GRANULE).expect("object sizes are bounded");
        // SAFETY: the layout has a size.
        let p = unsafe { alloc_zeroed(layout) };
        if p.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        self.large.push((p.cast(), bytes));
        self.add_debt(bytes);
        p
    }

    /// The string with this content. O(length).
    ///
    /// # Panics
    /// If the content is longer than [`crate::string::MAX_STRING`]; callers
    /// that take lengths from Lua check first.
    pub fn intern(&mut self, bytes: &[u8]) -> Gc<Str> {
        assert!(
            bytes.len() <= crate::string::MAX_STRING,
            "string length overflow"
        );
        let hash = hash_bytes(bytes, self.seed);
        if let Some(&s) = self
            .strings
            .find(u64::from(hash).wrapping_mul(0x0101_0101_0101), |s| {
                s.hash == hash && s.bytes() == bytes
            })
        {
            return s;
        }
        let p = self
            .alloc(Kind::STR, STR_DATA_OFFSET + bytes.len())
            .cast::<Str>();
        // SAFETY: the cell has room for the header, the hash and the bytes.
        let s = unsafe {
            (*p).header.extra = bytes.len() as u32;
            (*p).hash = hash;
            let data = p.cast::<u8>().add(STR_DATA_OFFSET);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
            Gc::from_ptr(p)
        };
        self.strings
            .insert_unique(u64::from(hash).wrapping_mul(0x0101_0101_0101), s, |s| {
                u64::from(s.hash).wrapping_mul(0x0101_0101_0101)
            });
        s
    }

    /// Bytes in use, estimated: live after the last collection plus debt.
    #[must_use]
    pub fn bytes_in_use(&self) -> usize {
        self.live + self.debt
    }

    /// Collections so far.
    #[must_use]
    pub fn collections(&self) -> u64 {
        self.collections
    }

    /// Stops or restarts automatic collection.
    pub fn set_stopped(&mut self, stopped: bool) {
        self.stopped = stopped;
        self.wants_gc = !stopped && self.debt >= self.threshold;
    }

    /// Whether automatic collection is stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Sets how many bytes may be allocated before the next collection; used
    /// by the GC stress mode.
    pub fn set_threshold(&mut self, bytes: usize) {
        self.threshold = bytes;
        self.add_debt(0);
    }

    /// Begins a cycle: everything allocated so far counts as unmarked.
    pub(crate) fn flip(&mut self) {
        self.mark_word = if self.mark_word == 1 << 8 {
            2 << 8
        } else {
            1 << 8
        };
        self.collections += 1;
    }

    /// Marks the object if it is not yet, queueing it for tracing.
    #[inline]
    pub(crate) fn mark(&mut self, h: *mut Header) {
        let live = self.live_mark();
        // SAFETY: `h` is a live object (the tracer only follows valid values).
        unsafe {
            if (*h).mark != live {
                (*h).mark = live;
                if (*h).kind != Kind::STR {
                    self.gray.push(h);
                }
            }
        }
    }

    /// Ends a cycle: frees everything unmarked, calling `finalize` on it
    /// first; `external` tells the bytes a survivor owns outside its cell.
    pub(crate) fn sweep(
        &mut self,
        finalize: impl Fn(*mut Header),
        external: impl Fn(*mut Header) -> usize,
        stress: bool,
    ) {
        let live = self.live_mark();
        self.strings.retain(|s| s.header.mark == live);
        self.waiting = [std::ptr::null_mut(); CLASSES];
        self.runs = [FreeRun {
            cur: std::ptr::null_mut(),
            end: std::ptr::null_mut(),
        }; CLASSES];
        let mut bytes = 0;
        let mut kept = Vec::with_capacity(self.blocks.len());
        for block in std::mem::take(&mut self.blocks) {
            let size = block.class * GRANULE;
            let cells = BLOCK_SIZE / size;
            let mut runs = self.waiting[block.class];
            let (mut run_start, mut run_len, mut used) = (0usize, 0usize, 0usize);
            for i in 0..=cells {
                let h = block.start.wrapping_add(i * size).cast::<Header>();
                // SAFETY: cells of a block are always readable; free ones have
                // kind FREE, others an object whose header is initialised.
                let free = i < cells
                    && unsafe {
                        if (*h).kind == Kind::FREE {
                            true
                        } else if (*h).mark == live {
                            used += 1;
                            bytes += size + external(h);
                            false
                        } else {
                            finalize(h);
                            (*h).kind = Kind::FREE;
                            if cfg!(debug_assertions) {
                                std::ptr::write_bytes(h.cast::<u8>().add(8), 0xdd, size - 8);
                            }
                            true
                        }
                    };
                if free {
                    if run_len == 0 {
                        run_start = i;
                    }
                    run_len += 1;
                } else if run_len > 0 {
                    let head = block.start.wrapping_add(run_start * size).cast::<RunHead>();
                    // SAFETY: the first cell of the run is free and big enough.
                    unsafe {
                        (*head).header = Header {
                            kind: Kind::FREE,
                            mark: 0,
                            flags: 0,
                            aux: 0,
                            extra: run_len as u32,
                        };
                        (*head).next = runs;
                    }
                    runs = head;
                    run_len = 0;
                }
            }
            if used == 0 {
                // SAFETY: allocated with this layout; no object in it is live
                // and its (single) run was not published yet.
                unsafe {
                    dealloc(
                        block.start,
                        Layout::from_size_align(BLOCK_SIZE, BLOCK_SIZE).expect("constant layout"),
                    );
                }
            } else {
                self.waiting[block.class] = runs;
                kept.push(block);
            }
        }
        self.blocks = kept;
        self.large.retain(|&(h, size)| {
            // SAFETY: large objects stay allocated until removed here.
            unsafe {
                if (*h).mark == live {
                    bytes += size + external(h);
                    return true;
                }
                finalize(h);
                dealloc(
                    h.cast(),
                    Layout::from_size_align(size, GRANULE).expect("object sizes are bounded"),
                );
                false
            }
        });
        self.live = bytes;
        self.debt = 0;
        self.wants_gc = false;
        if !stress {
            self.threshold = bytes.max(MIN_THRESHOLD);
        }
    }

    /// Frees every object; the heap must not be used afterwards.
    pub(crate) fn free_all(&mut self, finalize: impl Fn(*mut Header)) {
        self.flip();
        self.strings.clear();
        self.sweep(finalize, |_| 0, false);
    }
}
