//! Blocks of cells: where small objects live, and how dead ones become runs of
//! free cells again.
//!
//! Blocks come from larger chunks that stay mapped; a block without live
//! objects goes to a pool that all size classes take from. Sweeping goes block
//! by block, on demand of allocation and in the collector's steps.

use super::ahead::prefetch;
use super::{CLASSES, FreeRun, GRANULE};
use crate::object::{Header, Kind, header_flags};
use memmap2::{MmapMut, MmapOptions, UncheckedAdvice};

/// Bytes of a block.
pub(super) const BLOCK: usize = 64 * 1024;
/// Blocks mapped at once.
const CHUNK_BLOCKS: usize = 16;
/// Free blocks kept for reuse before memory goes back to the system.
const POOL: usize = 64;
/// Free blocks among which one of the wanted class is looked for.
const LOOK: usize = 16;

/// How far ahead of the sweep cells are fetched, in bytes.
const FETCH: usize = 1024;
/// Bytes of a cache line.
const LINE: usize = 64;

/// Head of a run of free cells that waits in its class's list.
#[repr(C)]
struct RunHead {
    header: Header,
    next: *mut RunHead,
}

#[derive(Default)]
struct Class {
    blocks: Vec<*mut u8>,
    /// Blocks from here on are not swept yet.
    swept: usize,
    waiting: Option<*mut RunHead>,
}

pub(super) struct Cells {
    classes: [Class; CLASSES],
    chunks: Vec<MmapMut>,
    /// Free blocks, and of which class their cells are, all of them free.
    used: Vec<(*mut u8, usize)>,
    /// Free blocks that are all zero: never touched, or given back.
    fresh: Vec<*mut u8>,
    /// Class that the next step of the sweep looks at.
    class: usize,
    /// The cells are not in the processor's nearer caches.
    pub(super) is_far: bool,
}

/// What sweeping a block found, in bytes.
#[derive(Default)]
pub(super) struct Swept {
    /// Cells freed.
    pub(super) cells: usize,
    /// Memory freed that dead objects owned outside their cells.
    pub(super) external: usize,
}

impl Cells {
    pub(super) fn new() -> Self {
        Cells {
            classes: std::array::from_fn(|_| Class::default()),
            chunks: Vec::new(),
            used: Vec::new(),
            fresh: Vec::new(),
            class: CLASSES,
            is_far: false,
        }
    }

    /// A run of free cells from those that wait.
    pub(super) fn take_run(&mut self, class: usize) -> Option<FreeRun> {
        let head = self.classes[class].waiting?;
        // SAFETY: `head` is the first cell of a free run; its header holds the
        // run's length in cells and it links to the next run.
        unsafe {
            let next = (*head).next;
            self.classes[class].waiting = (!next.is_null()).then_some(next);
            let start = head.cast::<u8>();
            Some(FreeRun {
                cur: start,
                end: start.wrapping_add((*head).header.extra as usize * class * GRANULE),
            })
        }
    }

    /// Has a free cell wait to be used again, in a block that is swept.
    ///
    /// # Safety
    /// `h` is a cell of the class that holds nothing.
    pub(super) unsafe fn put_back(&mut self, class: usize, h: *mut Header) {
        let waiting = &mut self.classes[class].waiting;
        let next = waiting.unwrap_or(std::ptr::null_mut());
        // SAFETY: by contract; a cell has room for a run's head.
        *waiting = Some(unsafe { link_run(h, 1, next) });
    }

    /// A new block as one run.
    pub(super) fn take_block(&mut self, class: usize) -> FreeRun {
        let size = class * GRANULE;
        let start = match self.take_used(class) {
            Some(start) => start,
            None => {
                if self.fresh.is_empty() {
                    self.map_chunk();
                }
                self.fresh.pop().expect("just mapped")
            }
        };
        let c = &mut self.classes[class];
        // What is new needs no sweep.
        c.blocks.push(start);
        let last = c.blocks.len() - 1;
        if c.swept < last {
            c.blocks.swap(c.swept, last);
        }
        c.swept += 1;
        FreeRun {
            cur: start,
            end: start.wrapping_add(BLOCK / size * size),
        }
    }

    /// A free block that was in use before, as cells of this class: of those
    /// freed last one that had them already, or else the last.
    fn take_used(&mut self, class: usize) -> Option<*mut u8> {
        let recent = self.used.len().saturating_sub(LOOK);
        let same = self.used[recent..].iter().rposition(|b| b.1 == class);
        if let Some(i) = same {
            return Some(self.used.swap_remove(recent + i).0);
        }
        let (start, _) = self.used.pop()?;
        let size = class * GRANULE;
        for i in 0..BLOCK / size {
            // SAFETY: a header of a cell in a block that is free.
            unsafe { (*start.add(i * size).cast::<Header>()).kind = Kind::FREE };
        }
        Some(start)
    }

    /// Whether [`Cells::take_block`] has a free block whose cells are of this
    /// class already.
    pub(super) fn has_free_block(&self, class: usize) -> bool {
        let recent = self.used.len().saturating_sub(LOOK);
        self.used[recent..].iter().any(|b| b.1 == class)
    }

    /// Whether there are free blocks that were in use before.
    pub(super) fn has_free_blocks(&self) -> bool {
        !self.used.is_empty()
    }

    #[cold]
    fn map_chunk(&mut self) {
        let mut map = MmapOptions::new()
            .len(CHUNK_BLOCKS * BLOCK)
            .map_anon()
            .unwrap_or_else(|_| {
                let layout = std::alloc::Layout::from_size_align(BLOCK, GRANULE);
                std::alloc::handle_alloc_error(layout.expect("constant layout"))
            });
        let start = map.as_mut_ptr();
        self.chunks.push(map);
        for i in (0..CHUNK_BLOCKS).rev() {
            self.fresh.push(start.wrapping_add(i * BLOCK));
        }
    }

    /// Begins a sweep: every block is to be swept, and no run can be taken
    /// before its block is.
    pub(super) fn begin_sweep(&mut self) {
        for c in &mut self.classes {
            c.swept = 0;
            c.waiting = None;
        }
        self.class = 1;
    }

    /// Sweeps a block of this class, if one is left.
    pub(super) fn sweep_class(&mut self, class: usize, live: u8, poison: bool) -> Option<Swept> {
        let c = &mut self.classes[class];
        let start = *c.blocks.get(c.swept)?;
        let (swept, empty) = sweep_block(start, class, live, poison, self.is_far, &mut c.waiting);
        if empty {
            c.blocks.swap_remove(c.swept);
            self.used.push((start, class));
        } else {
            c.swept += 1;
        }
        Some(swept)
    }

    /// Sweeps the next block of any class; `None` when all are swept.
    pub(super) fn sweep_next(&mut self, live: u8, poison: bool) -> Option<Swept> {
        while self.class < CLASSES {
            if let Some(swept) = self.sweep_class(self.class, live, poison) {
                return Some(swept);
            }
            self.class += 1;
        }
        None
    }

    /// Gives the memory of a free block beyond the pool back to the system;
    /// `false` when there is none.
    pub(super) fn release_block(&mut self) -> bool {
        let in_use: usize = self.classes.iter().map(|c| c.blocks.len()).sum();
        // What the next cycle's garbage takes is as a rule as much as lives.
        if self.used.len() <= POOL.max(in_use) {
            return false;
        }
        let (start, class) = self.used.swap_remove(0);
        let chunk = self.chunks.iter().find(|c| {
            let offset = (start as usize).wrapping_sub(c.as_ptr() as usize);
            offset < CHUNK_BLOCKS * BLOCK
        });
        if let Some(chunk) = chunk {
            let offset = start as usize - chunk.as_ptr() as usize;
            // SAFETY: nothing is in the block; its pages read as zero from
            // here on, as those of a fresh one.
            let given =
                unsafe { chunk.unchecked_advise_range(UncheckedAdvice::DontNeed, offset, BLOCK) };
            if given.is_ok() {
                self.fresh.push(start);
            } else {
                self.used.push((start, class));
                return false;
            }
        }
        true
    }

    /// The blocks in use: start, bytes, and bytes of a cell.
    pub(super) fn places(&self) -> Vec<(usize, usize, usize)> {
        let blocks = self.classes.iter().enumerate();
        blocks
            .flat_map(|(class, c)| {
                let size = class * GRANULE;
                let bytes = BLOCK.checked_div(size).map_or(0, |n| n * size);
                c.blocks.iter().map(move |&b| (b as usize, bytes, size))
            })
            .collect()
    }

    /// Visits every cell of a class that holds an object, in blocks that are
    /// in use; dead objects that are not swept yet included.
    pub(super) fn each(&self, class: usize, mut visit: impl FnMut(*mut Header)) {
        let size = class * GRANULE;
        for &start in &self.classes[class].blocks {
            for i in 0..BLOCK / size {
                let h = start.wrapping_add(i * size).cast::<Header>();
                // SAFETY: cells of a block are always readable.
                if unsafe { (*h).kind } != Kind::FREE {
                    visit(h);
                }
            }
        }
    }
}

/// Frees the dead objects of a block and links its runs of free cells into
/// `waiting`, unless the block is empty.
fn sweep_block(
    start: *mut u8,
    class: usize,
    live: u8,
    poison: bool,
    is_far: bool,
    waiting: &mut Option<*mut RunHead>,
) -> (Swept, bool) {
    let size = class * GRANULE;
    let cells = BLOCK / size;
    let mut swept = Swept::default();
    let mut runs = waiting.unwrap_or(std::ptr::null_mut());
    let (mut run_start, mut used) = (usize::MAX, 0usize);
    let link = |from: usize, to: usize, next: *mut RunHead| {
        let head = start.wrapping_add(from * size).cast::<Header>();
        // SAFETY: the cells of the run are free.
        unsafe { link_run(head, (to - from) as u32, next) }
    };
    for i in 0..cells {
        let cell = start.wrapping_add(i * size);
        if is_far && i * size % LINE < size {
            prefetch(cell.wrapping_add(FETCH));
        }
        let h = cell.cast::<Header>();
        // SAFETY: cells of a block are always readable; free ones have kind
        // FREE, others an object whose header is initialised.
        unsafe {
            let header = *h;
            if header.kind != Kind::FREE {
                if header.mark == live {
                    used += 1;
                    if run_start != usize::MAX {
                        runs = link(run_start, i, runs);
                        run_start = usize::MAX;
                    }
                    continue;
                }
                swept.cells += size;
                if header.flags & header_flags::OWNS != 0 {
                    swept.external += crate::gc::release(h);
                }
                (*h).kind = Kind::FREE;
                if poison {
                    std::ptr::write_bytes(h.cast::<u8>().add(8), 0xdd, size - 8);
                }
            }
        }
        if run_start == usize::MAX {
            run_start = i;
        }
    }
    if used == 0 {
        return (swept, true);
    }
    if run_start != usize::MAX {
        runs = link(run_start, cells, runs);
    }
    *waiting = (!runs.is_null()).then_some(runs);
    (swept, false)
}

/// Writes the head of a run of `cells` free cells, which begins at `head`.
///
/// # Safety
/// Nothing uses the cells.
unsafe fn link_run(head: *mut Header, cells: u32, next: *mut RunHead) -> *mut RunHead {
    let head = head.cast::<RunHead>();
    // SAFETY: by contract; every cell has room for a head.
    unsafe {
        head.write(RunHead {
            header: Header {
                kind: Kind::FREE,
                mark: 0,
                flags: 0,
                aux: 0,
                extra: cells,
            },
            next,
        });
    }
    head
}
