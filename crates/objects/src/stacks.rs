//! Stacks of coroutines.
//!
//! A coroutine has one piece of address space for both of its stacks. They
//! share a middle: native frames grow down from it, Lua values grow up, so
//! that a small coroutine touches two neighbouring pages.
//!
//! ```text
//! | guard | native stack ... <- middle -> ... Lua stack |
//! ```
//!
//! The space is reserved without being committed, and pages come when they are
//! touched. Native code that goes too far meets the guard; the use of the Lua
//! stack is checked. Stacks are cut from slabs of [`SLAB_STACKS`], so that one
//! costs two of the process's mappings (its memory and its guard), and go back
//! to a pool when their coroutines are done.

use crate::value::Value;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};
use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Native part of a stack, guard included, in bytes. An odd number of
/// mebibytes: with [`STACK_BYTES`] a multiple of the 2 MiB that a page table
/// covers, both sides of the middle are in one table.
const NATIVE_BYTES: usize = 47 << 20;
/// Lua part of a stack in bytes: a little over the million values that PUC Lua
/// allows.
const LUA_BYTES: usize = 17 << 20;
/// Distance of stacks.
const STACK_BYTES: usize = NATIVE_BYTES + LUA_BYTES;
/// What a page table covers, and the alignment of stacks.
const ALIGN: usize = 2 << 20;
/// Inaccessible bytes at the end of the native stack: a multiple of every page
/// size in use.
const GUARD: usize = 64 << 10;
/// Stacks that are reserved at once.
const SLAB_STACKS: usize = 16;
/// Bytes on each side of the middle that a pooled stack keeps committed.
const KEEP: usize = 64 << 10;

/// Stacks in use or pooled in this process.
static STACKS: AtomicUsize = AtomicUsize::new(0);

/// Most stacks of a process: where the system limits the number of mappings,
/// some of them are left to everything else, which would fail without.
fn most_stacks() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| {
        if !cfg!(target_os = "linux") {
            return usize::MAX;
        }
        let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count");
        let limit = limit.ok().and_then(|text| text.trim().parse().ok());
        let mappings: usize = limit.unwrap_or(65_530);
        (mappings - mappings / 8) / 2
    })
}

/// The stacks of one coroutine; just the address of their middle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    middle: NonZeroUsize,
}

impl Stack {
    /// Lowest slot of the Lua stack.
    pub(crate) fn lua_base(self) -> *mut Value {
        self.middle.get() as *mut Value
    }

    /// Slots of the Lua stack.
    pub(crate) const fn lua_slots() -> usize {
        LUA_BYTES / size_of::<Value>()
    }

    /// Lowest usable address of the native stack.
    pub(crate) fn native_end(self) -> usize {
        self.middle.get() - NATIVE_BYTES + GUARD
    }
}

// SAFETY: the native part is larger than the least size and has a guard below.
unsafe impl corosensei::stack::Stack for Stack {
    fn base(&self) -> NonZeroUsize {
        self.middle
    }

    fn limit(&self) -> NonZeroUsize {
        let limit = self.middle.get() - NATIVE_BYTES;
        NonZeroUsize::new(limit).unwrap_or(self.middle)
    }
}

/// A VM's stacks that are not in use, and the memory of all.
#[derive(Debug, Default)]
pub(crate) struct StackPool {
    /// Stacks to reuse, and whether they were used since they were trimmed.
    free: Vec<(Stack, bool)>,
    slabs: Vec<(usize, usize)>,
    /// Stacks cut from the slabs.
    cut: usize,
    /// Rest of the newest slab.
    rest: std::ops::Range<usize>,
}

impl StackPool {
    /// A stack, and whether it is a new one.
    ///
    /// # Errors
    /// When the system refuses address space or another mapping.
    pub(crate) fn take(&mut self) -> io::Result<(Stack, bool)> {
        if let Some((stack, _)) = self.free.pop() {
            return Ok((stack, false));
        }
        if STACKS.load(Ordering::Relaxed) >= most_stacks() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        if self.rest.len() < STACK_BYTES {
            self.reserve()?;
        }
        let start = self.rest.start;
        let guard = start as *mut c_void;
        // SAFETY: unused bytes of the newest slab.
        unsafe { rustix::mm::mprotect(guard, GUARD, MprotectFlags::empty())? };
        self.rest.start += STACK_BYTES;
        self.cut += 1;
        STACKS.fetch_add(1, Ordering::Relaxed);
        let middle = NonZeroUsize::new(start + NATIVE_BYTES).expect("start + n > 0");
        Ok((Stack { middle }, true))
    }

    /// Takes back a stack that nothing runs on.
    pub(crate) fn give(&mut self, stack: Stack) {
        self.free.push((stack, true));
    }

    /// Returns memory beyond the first pages of up to `most` pooled stacks to
    /// the system. O(`most`).
    pub(crate) fn trim(&mut self, most: usize) {
        let used = self.free.iter_mut().rev().filter(|entry| entry.1);
        for (stack, used) in used.take(most) {
            *used = false;
            let middle = stack.middle.get();
            for (from, to) in [
                (stack.native_end(), middle - KEEP),
                (middle + KEEP, middle + LUA_BYTES),
            ] {
                // SAFETY: nothing lives on a pooled stack. A failure only
                // leaves the memory committed.
                let _ = unsafe { discard(from, to - from) };
            }
        }
    }

    #[cold]
    fn reserve(&mut self) -> io::Result<()> {
        // One stack alone where the address space is limited.
        let many = self.map(SLAB_STACKS);
        many.or_else(|_| self.map(1))
    }

    fn map(&mut self, stacks: usize) -> io::Result<()> {
        let bytes = stacks * STACK_BYTES + ALIGN;
        let mut flags = MapFlags::PRIVATE;
        if cfg!(target_os = "linux") {
            flags |= NORESERVE;
        }
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the system's choice.
        let start =
            unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), bytes, access, flags)? };
        no_huge_pages(start, bytes);
        let start = start as usize;
        self.slabs.push((start, bytes));
        let first = start.next_multiple_of(ALIGN);
        let end = first + stacks * STACK_BYTES;
        self.rest = first..end;
        Ok(())
    }
}

impl Drop for StackPool {
    fn drop(&mut self) {
        STACKS.fetch_sub(self.cut, Ordering::Relaxed);
        for &(start, bytes) in &self.slabs {
            // SAFETY: mapped in `map`; the VM's coroutines are gone.
            let _ = unsafe { rustix::mm::munmap(start as *mut c_void, bytes) };
        }
    }
}

#[cfg(target_os = "linux")]
const NORESERVE: MapFlags = MapFlags::NORESERVE;
#[cfg(not(target_os = "linux"))]
const NORESERVE: MapFlags = MapFlags::empty();

/// A huge page would commit 2 MiB for a coroutine's first byte.
fn no_huge_pages(start: *mut c_void, bytes: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: a fresh mapping. Kernels without huge pages refuse, which is fine.
    let _ = unsafe { rustix::mm::madvise(start, bytes, rustix::mm::Advice::LinuxNoHugepage) };
    #[cfg(not(target_os = "linux"))]
    let _ = (start, bytes);
}

/// Gives the pages to the system; their content is lost.
///
/// # Safety
/// A mapped range with nothing of value in it.
unsafe fn discard(start: usize, bytes: usize) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    // SAFETY: by contract.
    unsafe {
        rustix::mm::madvise(
            start as *mut c_void,
            bytes,
            rustix::mm::Advice::LinuxDontNeed,
        )?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (start, bytes);
    Ok(())
}
