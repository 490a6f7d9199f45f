//! The heap: size-classed cells, interned strings, marks and accounts.
//!
//! Objects never move. Cells of one size (a multiple of [`GRANULE`]) fill
//! 64 KiB blocks; allocation bumps through runs of free cells, so that
//! compiled code can do it inline from [`FreeRun`]. Larger objects come from
//! the system allocator.
//!
//! **Allocation never collects.** It adds debt; when the debt is positive
//! [`Heap::wants_gc`] turns true and running code is asked to poll. What
//! happens at the poll is [`crate::gc`]'s business.
//!
//! **Marks.** There are two colours, which swap their meaning with each cycle.
//! An object is marked if its mark byte equals the heap's live mark. New
//! objects get the colour in [`Heap::mark_word`]: unmarked while marking goes
//! on, because their first fields are stored without a barrier, and marked at
//! all other times.

mod ahead;
mod append;
mod cells;
mod strings;

use crate::gcref::Gc;
use crate::object::{Header, Kind, header_flags};
use crate::string::{STR_DATA_OFFSET, Str, copy_bytes, hash_bytes};
use crate::value::Value;
use ahead::Ahead;
pub(crate) use append::is_growth;
pub(crate) use append::release as release_shared;
use cells::Cells;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::sync::atomic::{AtomicPtr, Ordering};
use strings::Strings;

/// Cell sizes are multiples of this.
pub const GRANULE: usize = 16;
/// Largest cell in a block; larger objects are allocated on their own.
pub const MAX_SMALL: usize = 1024;
/// Number of size classes; class `c` has cells of `c * GRANULE` bytes.
pub const CLASSES: usize = MAX_SMALL / GRANULE + 1;

/// Bytes of an object's header.
const HEADER: usize = std::mem::size_of::<Header>();
/// Most bytes of a buffer in a cell.
pub(crate) const MAX_BUFFER: usize = MAX_SMALL - HEADER;

/// Bytes that a buffer of at least `bytes` bytes has: its cell is filled.
#[inline]
pub(crate) const fn buffer_room(bytes: usize) -> usize {
    (HEADER + bytes).next_multiple_of(GRANULE) - HEADER
}

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

const NO_RUN: FreeRun = FreeRun {
    cur: std::ptr::null_mut(),
    end: std::ptr::null_mut(),
};

/// What part of the heap a sweep is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sweep {
    Done,
    Strings(usize),
    Large(usize),
    Cells,
}

/// Where the heap has objects: start, bytes and bytes of a cell of each block
/// and large object, ascending.
pub(crate) struct Holding {
    places: Vec<(usize, usize, usize)>,
}

impl Holding {
    /// Whether an object is at this address.
    pub(crate) fn has(&self, h: *const Header) -> bool {
        let at = h as usize;
        let i = self.places.partition_point(|p| p.0 <= at);
        let Some(&(start, bytes, cell)) = i.checked_sub(1).and_then(|i| self.places.get(i)) else {
            return false;
        };
        let offset = at - start;
        offset < bytes
            && offset.is_multiple_of(cell)
            // SAFETY: a cell of a block or a large object.
            && !matches!(unsafe { (*h).kind }, Kind::FREE | Kind::BUFFER)
    }
}

/// A VM's heap.
#[repr(C)]
pub struct Heap {
    /// Allocation runs by class, first so that their offset is small.
    pub runs: [FreeRun; CLASSES],
    /// Mark byte that newly allocated objects get, shifted to its place in
    /// the header word.
    pub mark_word: u64,
    /// Whether a step of the collector is due.
    pub wants_gc: bool,
    /// Whether a collector is between marking steps (the barrier's test).
    pub marking: bool,
    /// Mark of live objects.
    live: u8,
    stopped: bool,
    poison: bool,
    sweep: Sweep,
    /// Stack limit of the running code, lowered to have it poll.
    poll: *const AtomicPtr<Value>,
    cells: Cells,
    large: Vec<(*mut Header, usize)>,
    /// Bytes of cells in use or in the current runs, and outside cells.
    in_use: usize,
    /// Bytes allocated beyond what was planned before the next step.
    debt: isize,
    /// Bytes that were in use when the latest sweep began, less what it found
    /// dead.
    survived: usize,
    /// Most bytes that may be in use.
    limit: usize,
    strings: Strings,
    /// Interned strings of one byte, found without a search. Weak.
    bytes: [Option<Gc<Str>>; 256],
    seed: u64,
    pub(crate) gray: Vec<*mut Header>,
    /// Found by tracing, not marked yet.
    ahead: Ahead,
}

/// Bytes in use from which on it pays to fetch objects ahead of marking.
const FAR: usize = 4 << 20;
/// Cost of sweeping a string's entry or a large object, in units of work.
const ENTRY_WORK: usize = 48;
/// Cost of sweeping a block. It is set high: what allocation sweeps just
/// before it uses the cells is in the processor's caches then, so that the
/// collector's steps only see to it that the sweep ends.
const BLOCK_WORK: usize = 256 << 10;
/// Blocks of other classes that are swept for a free one before a new block
/// is taken.
const TRIES: usize = 4;

impl Heap {
    /// Where the strings of one byte are.
    pub(crate) const BYTES_OFFSET: usize = std::mem::offset_of!(Heap, bytes);

    /// An empty heap whose string hashes use `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Heap {
            runs: [NO_RUN; CLASSES],
            mark_word: 1 << 8,
            wants_gc: false,
            marking: false,
            live: 1,
            stopped: false,
            poison: cfg!(debug_assertions),
            sweep: Sweep::Done,
            poll: std::ptr::null(),
            cells: Cells::new(),
            large: Vec::new(),
            in_use: 0,
            debt: 0,
            survived: 0,
            limit: usize::MAX,
            strings: Strings::new(),
            bytes: [None; 256],
            seed,
            gray: Vec::new(),
            ahead: Ahead::new(),
        }
    }

    /// Where to ask for a poll: a stack limit, to be lowered to null.
    ///
    /// # Safety
    /// `limit` stays valid as long as the heap.
    pub(crate) unsafe fn set_poll(&mut self, limit: *const AtomicPtr<Value>) {
        self.poll = limit;
    }

    // ---- accounts ----------------------------------------------------

    /// Accounts for `bytes` allocated outside cells.
    #[inline]
    pub fn add_debt(&mut self, bytes: usize) {
        self.in_use += bytes;
        self.debt += bytes as isize;
        if self.debt > 0 || self.in_use > self.limit {
            self.request();
        }
    }

    /// Has the next step come as if `bytes` had been allocated: for objects
    /// that compiled code does without, where a program waits for a collection.
    pub fn count_bytes(&mut self, bytes: usize) {
        self.debt += bytes as isize;
        if self.debt > 0 {
            self.request();
        }
    }

    #[cold]
    fn request(&mut self) {
        if !self.stopped || self.is_tight() {
            self.wants_gc = true;
            if !self.poll.is_null() {
                // SAFETY: valid by the contract of `set_poll`.
                unsafe { (*self.poll).store(std::ptr::null_mut(), Ordering::Relaxed) };
            }
        }
    }

    /// Accounts for memory outside cells whose size changed, in bytes.
    pub(crate) fn external_resized(&mut self, before: usize, after: usize) {
        if after > before {
            self.add_debt(after - before);
        } else {
            self.in_use -= before - after;
        }
    }

    /// Sets how many bytes may be allocated before the next step.
    pub(crate) fn set_debt(&mut self, debt: isize) {
        self.debt = debt;
        self.wants_gc = false;
        if debt > 0 {
            self.request();
        }
    }

    /// Bytes allocated beyond what was planned.
    pub(crate) fn debt(&self) -> isize {
        self.debt
    }

    /// Bytes in use, dead objects that are not swept yet included.
    #[must_use]
    pub fn bytes_in_use(&self) -> usize {
        let open: usize = self
            .runs
            .iter()
            .map(|r| r.end as usize - r.cur as usize)
            .sum();
        self.in_use - open
    }

    pub(crate) fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
        if self.is_tight() {
            self.request();
        }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether the limit is passed, going by a quick look.
    #[inline]
    pub(crate) fn is_tight(&self) -> bool {
        self.in_use > self.limit
    }

    /// Whether more than the limit is in use.
    pub(crate) fn is_over_limit(&self) -> bool {
        self.is_tight() && self.bytes_in_use() > self.limit
    }

    /// Bytes that may still be allocated.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.in_use)
    }

    /// Stops or restarts automatic collection.
    pub fn set_stopped(&mut self, stopped: bool) {
        self.stopped = stopped;
        self.wants_gc = false;
        if !stopped && self.debt > 0 {
            self.request();
        }
    }

    /// Whether automatic collection is stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Asks for a poll that has something to do, whatever the debt.
    pub(crate) fn request_poll(&mut self) {
        self.request();
    }

    /// Asks for a step of the collector at the next poll.
    pub fn request_step(&mut self) {
        self.debt = self.debt.max(1);
        self.request();
    }

    /// Has dead cells overwritten, so that a use of them shows.
    pub(crate) fn set_poison(&mut self, poison: bool) {
        self.poison = poison || cfg!(debug_assertions);
    }

    // ---- allocation --------------------------------------------------

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
                mark: (self.mark_word >> 8) as u8,
                flags: if kind.always_owns() {
                    header_flags::OWNS
                } else {
                    0
                },
                aux: 0,
                extra: 0,
            };
        }
        header
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, class: usize) -> *mut u8 {
        let mut run = self.cells.take_run(class);
        if run.is_none() && self.sweep == Sweep::Cells {
            run = self.sweep_for(class);
        }
        let run = run.unwrap_or_else(|| self.cells.take_block(class));
        self.add_debt(run.end as usize - run.cur as usize);
        self.runs[class] = FreeRun {
            cur: run.cur.wrapping_add(class * GRANULE),
            end: run.end,
        };
        run.cur
    }

    /// Sweeps until there are free cells of a class, or a free block.
    fn sweep_for(&mut self, class: usize) -> Option<FreeRun> {
        while !self.cells.has_free_block(class) {
            let swept = self.cells.sweep_class(class, self.live, self.poison);
            let Some(swept) = swept else { break };
            self.reclaimed(swept.cells + swept.external);
            if let Some(run) = self.cells.take_run(class) {
                return Some(run);
            }
        }
        for _ in 0..TRIES {
            if self.cells.has_free_blocks() {
                break;
            }
            let swept = self.cells.sweep_next(self.live, self.poison);
            let Some(swept) = swept else { break };
            self.reclaimed(swept.cells + swept.external);
        }
        None
    }

    /// Accounts for what a sweep found dead, in bytes.
    fn reclaimed(&mut self, bytes: usize) {
        self.in_use -= bytes;
        self.survived = self.survived.saturating_sub(bytes);
    }

    /// Bytes that survived the latest cycle.
    pub(crate) fn survived(&self) -> usize {
        self.survived
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

    /// A cell for elements or slots of a table, of [`buffer_room`] bytes that
    /// are uninitialised. It is born marked: a table that was traced already
    /// may get it.
    pub(crate) fn alloc_buffer(&mut self, bytes: usize) -> *mut u8 {
        debug_assert!(bytes <= MAX_BUFFER);
        let h = self.alloc(Kind::BUFFER, HEADER + bytes);
        // SAFETY: a fresh cell.
        unsafe { (*h).mark = self.live };
        h.cast::<u8>().wrapping_add(HEADER)
    }

    /// Gives a buffer back that nothing refers to any more. It is used again
    /// at once, unless a sweep goes on.
    ///
    /// # Safety
    /// `data` is from [`Heap::alloc_buffer`] with as many `bytes`.
    pub(crate) unsafe fn free_buffer(&mut self, data: *mut u8, bytes: usize) {
        let h = data.wrapping_sub(HEADER).cast::<Header>();
        let class = (HEADER + bytes).div_ceil(GRANULE);
        self.in_use -= class * GRANULE;
        // SAFETY: a cell that nobody uses.
        unsafe {
            (*h).kind = Kind::FREE;
            if self.sweep == Sweep::Done {
                self.cells.put_back(class, h);
            }
        }
    }

    /// Marks the buffer with these data.
    ///
    /// # Safety
    /// `data` is from [`Heap::alloc_buffer`], of a live table.
    #[inline]
    pub(crate) unsafe fn mark_buffer(&mut self, data: *mut u8) {
        let h = data.wrapping_sub(HEADER).cast::<Header>();
        // SAFETY: by contract.
        unsafe {
            debug_assert!((*h).kind == Kind::BUFFER && matches!((*h).mark, 1 | 2));
            (*h).mark = self.live;
        }
    }

    /// The string with this content. O(length).
    ///
    /// # Panics
    /// If the content is longer than [`crate::string::MAX_STRING`]; callers
    /// that take lengths from Lua check first.
    #[inline]
    pub fn intern(&mut self, bytes: &[u8]) -> Gc<Str> {
        if let &[byte] = bytes {
            return self.byte_str(byte);
        }
        self.intern_any(bytes)
    }

    /// The string of one byte.
    #[inline]
    pub(crate) fn byte_str(&mut self, byte: u8) -> Gc<Str> {
        match self.bytes[usize::from(byte)] {
            Some(s) => s,
            None => {
                let s = self.intern_any(&[byte]);
                self.bytes[usize::from(byte)] = Some(s);
                s
            }
        }
    }

    #[inline(never)]
    fn intern_any(&mut self, bytes: &[u8]) -> Gc<Str> {
        assert!(
            bytes.len() <= crate::string::MAX_STRING,
            "string length overflow"
        );
        self.intern_hashed(bytes, hash_bytes(bytes, self.seed))
    }

    #[inline(always)]
    fn intern_hashed(&mut self, bytes: &[u8], hash: u32) -> Gc<Str> {
        if let Some(s) = self.find_str(bytes, hash) {
            return s;
        }
        let s = self.new_str(bytes, hash);
        self.add_str(s);
        s
    }

    /// The string with this content, if there is one.
    #[inline(always)]
    fn find_str(&mut self, bytes: &[u8], hash: u32) -> Option<Gc<Str>> {
        let s = self.strings.find(hash, bytes)?;
        if let Sweep::Strings(_) = self.sweep {
            // Dead, but its entry is not swept yet: alive again.
            // SAFETY: single writer.
            unsafe { (*s.as_ptr()).header.mark = self.live };
        }
        Some(s)
    }

    /// Makes a new string known.
    #[inline(always)]
    fn add_str(&mut self, s: Gc<Str>) {
        let grown = self.strings.insert(s);
        if grown > 0 {
            self.add_debt(grown);
        }
    }

    /// A string that no program can come by: it is not interned.
    pub(crate) fn unnamed(&mut self, bytes: &[u8]) -> Gc<Str> {
        self.new_str(bytes, hash_bytes(bytes, self.seed))
    }

    fn new_str(&mut self, bytes: &[u8], hash: u32) -> Gc<Str> {
        let p = self
            .alloc(Kind::STR, STR_DATA_OFFSET + bytes.len())
            .cast::<Str>();
        // SAFETY: the cell has room for the header, the hash and the bytes.
        unsafe {
            (*p).header.extra = bytes.len() as u32;
            (*p).hash = hash;
            let data = p.cast::<u8>().add(STR_DATA_OFFSET);
            copy_bytes(bytes, data);
            Gc::from_ptr(p)
        }
    }

    // ---- marks -------------------------------------------------------

    /// Begins to mark: everything allocated so far counts as unmarked.
    pub(crate) fn begin_mark(&mut self) {
        debug_assert!(self.sweep == Sweep::Done && !self.marking);
        self.live = 3 - self.live;
        self.marking = true;
        self.cells.is_far = self.in_use >= FAR;
    }

    /// Ends marking and begins the sweep. Objects allocated from here on are
    /// marked.
    pub(crate) fn begin_sweep(&mut self) {
        debug_assert!(self.gray.is_empty() && self.ahead.is_empty());
        self.marking = false;
        self.mark_word = u64::from(self.live) << 8;
        for s in &mut self.bytes {
            *s = s.filter(|s| s.header.mark == self.live);
        }
        self.survived = self.bytes_in_use();
        self.sweep = Sweep::Strings(0);
    }

    /// Marks the object if it is not yet, queueing it for tracing.
    #[inline]
    pub(crate) fn mark(&mut self, h: *mut Header) {
        // SAFETY: `h` is a live object (the tracer only follows valid values).
        unsafe {
            debug_assert!(
                (Kind::STR.0..=Kind::PROTO.0).contains(&(*h).kind.0) && matches!((*h).mark, 1 | 2),
                "a reference to a dead object"
            );
            if (*h).mark != self.live {
                (*h).mark = self.live;
                if (*h).kind != Kind::STR {
                    self.gray.push(h);
                }
            }
        }
    }

    /// Marks the object that a value refers to, if it is one.
    #[inline]
    pub(crate) fn mark_value(&mut self, v: Value) {
        if v.tag.is_object() {
            self.mark(v.payload as *mut Header);
        }
    }

    /// Marks the object that a traced one refers to before the next of
    /// [`Heap::next_gray`] is null.
    #[inline]
    pub(crate) fn mark_soon(&mut self, h: *mut Header) {
        let mut first = h;
        if self.cells.is_far {
            first = self.ahead.pass(h);
            if first.is_null() {
                return;
            }
        }
        self.mark(first);
    }

    /// As [`Heap::mark_soon`], with what a value refers to.
    #[inline]
    pub(crate) fn mark_value_soon(&mut self, v: Value) {
        if v.tag.is_object() {
            self.mark_soon(v.payload as *mut Header);
        }
    }

    /// The next object to trace, if any is left.
    #[inline]
    pub(crate) fn next_gray(&mut self) -> Option<*mut Header> {
        loop {
            if let Some(h) = self.gray.pop() {
                return Some(h);
            }
            let h = self.ahead.take();
            if h.is_null() {
                return None;
            }
            self.mark(h);
        }
    }

    /// Whether no object waits to be traced.
    pub(crate) fn nothing_gray(&self) -> bool {
        self.gray.is_empty() && self.ahead.is_empty()
    }

    /// Whether the object is marked.
    #[inline]
    pub(crate) fn is_marked(&self, h: *const Header) -> bool {
        // SAFETY: not swept yet, so its header is readable.
        unsafe { (*h).mark == self.live }
    }

    // ---- sweep -------------------------------------------------------

    /// Whether a sweep is going on.
    pub(crate) fn sweeping(&self) -> bool {
        self.sweep != Sweep::Done
    }

    /// Sweeps for about `work` bytes' worth of time; what is left of it is
    /// positive when the sweep has ended.
    pub(crate) fn sweep_some(&mut self, mut work: isize) -> isize {
        while work > 0 {
            match self.sweep {
                Sweep::Done => break,
                Sweep::Strings(part) if part == self.strings.parts() => {
                    self.sweep = Sweep::Large(0);
                }
                Sweep::Strings(part) => {
                    let (entries, shrunk) = self.strings.sweep(part, self.live);
                    self.reclaimed(shrunk);
                    work -= ((entries + 1) * ENTRY_WORK) as isize;
                    self.sweep = Sweep::Strings(part + 1);
                }
                Sweep::Large(i) if i < self.large.len() => {
                    let (h, size) = self.large[i];
                    if self.is_marked(h) {
                        self.sweep = Sweep::Large(i + 1);
                    } else {
                        self.large.swap_remove(i);
                        self.free_large(h, size);
                    }
                    work -= ENTRY_WORK as isize;
                }
                Sweep::Large(_) => {
                    for run in &mut self.runs {
                        self.in_use -= run.end as usize - run.cur as usize;
                        *run = NO_RUN;
                    }
                    self.cells.begin_sweep();
                    self.sweep = Sweep::Cells;
                }
                Sweep::Cells => {
                    work -= BLOCK_WORK as isize;
                    if let Some(swept) = self.cells.sweep_next(self.live, self.poison) {
                        self.reclaimed(swept.cells + swept.external);
                    } else if !self.cells.release_block() {
                        self.sweep = Sweep::Done;
                    }
                }
            }
        }
        work
    }

    fn free_large(&mut self, h: *mut Header, size: usize) {
        self.reclaimed(size + crate::gc::release(h));
        // SAFETY: allocated by `alloc_large` with this layout; nobody refers
        // to the dead object.
        unsafe {
            dealloc(
                h.cast(),
                Layout::from_size_align(size, GRANULE).expect("object sizes are bounded"),
            );
        }
    }

    /// Visits the objects of one kind that fit cells of `bytes` bytes. Looks at
    /// the headers of that size class only.
    pub(crate) fn each(&self, kind: Kind, bytes: usize, mut visit: impl FnMut(*mut Header)) {
        self.cells.each(bytes.div_ceil(GRANULE), |h| {
            // SAFETY: the cell holds an object.
            if unsafe { (*h).kind } == kind {
                visit(h);
            }
        });
    }

    /// Visits every object, dead ones that are not swept yet included.
    pub(crate) fn each_object(&self, mut visit: impl FnMut(*mut Header)) {
        for class in 1..CLASSES {
            self.cells.each(class, &mut visit);
        }
        for &(h, _) in &self.large {
            visit(h);
        }
    }

    /// What is where, for checks of addresses. O(blocks).
    pub(crate) fn holding(&self) -> Holding {
        let mut places = self.cells.places();
        places.extend(
            self.large
                .iter()
                .map(|&(h, bytes)| (h as usize, bytes, bytes)),
        );
        places.sort_unstable();
        Holding { places }
    }

    /// Frees every object; the heap must not be used afterwards.
    pub(crate) fn free_all(&mut self) {
        // A sweep that finds nothing marked.
        self.live = 0;
        self.marking = false;
        self.strings.clear();
        self.bytes = [None; 256];
        self.sweep = Sweep::Large(0);
        self.sweep_some(isize::MAX);
    }
}
