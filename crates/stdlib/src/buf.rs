//! A byte buffer that starts on the native stack.

use smallvec::SmallVec;
use vela_objects::number::Sink;
use vela_objects::string::MAX_STRING;
use vela_objects::{LuaResult, VmState};

/// Sizes up to this one need no test.
const SMALL: usize = 1 << 16;

/// Bytes under construction; the first 512 need no allocation.
#[derive(Default)]
pub(crate) struct Buf {
    bytes: SmallVec<[u8; 512]>,
    /// Size that is known to fit, if more than [`SMALL`].
    fits: usize,
}

impl Buf {
    pub(crate) fn new() -> Buf {
        Buf::default()
    }

    pub(crate) fn with_capacity(n: usize) -> Buf {
        Buf {
            bytes: SmallVec::with_capacity(n),
            fits: n,
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, b: u8) {
        self.bytes.push(b);
    }

    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn fill(&mut self, b: u8, n: usize) {
        let len = self.bytes.len();
        self.bytes.resize(len + n, b);
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Tests whether a string of this size may be made. To be called as the
    /// buffer grows, while everything in use is on the stack. An open poll.
    ///
    /// # Errors
    /// `resulting string too large`, `not enough memory`.
    #[inline]
    pub(crate) fn check(&mut self, vm: &mut VmState) -> LuaResult<()> {
        if self.bytes.len() <= SMALL.max(self.fits) {
            return Ok(());
        }
        self.check_large(vm)
    }

    #[cold]
    fn check_large(&mut self, vm: &mut VmState) -> LuaResult<()> {
        let len = self.bytes.len();
        if len > MAX_STRING {
            return Err(vm.error("resulting string too large"));
        }
        // The buffer, when it grows, and the string.
        vm.make_room(3 * len)?;
        self.fits = (2 * len).min(MAX_STRING);
        Ok(())
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends `n` copies of `unit`, which is not empty.
    pub(crate) fn repeat(&mut self, unit: &[u8], n: usize) {
        let start = self.bytes.len();
        let total = unit.len() * n;
        self.bytes.resize(start + total, unit[0]);
        if unit.len() == 1 || n == 0 {
            return;
        }
        let out = &mut self.bytes[start..];
        out[..unit.len()].copy_from_slice(unit);
        let mut done = unit.len();
        while done < total {
            let more = done.min(total - done);
            out.copy_within(..more, done);
            done += more;
        }
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// Inserts `n` copies of `b` at `at`.
    pub(crate) fn insert_fill(&mut self, at: usize, b: u8, n: usize) {
        let len = self.bytes.len();
        self.bytes.resize(len + n, b);
        self.bytes.copy_within(at..len, at + n);
        self.bytes[at..at + n].fill(b);
    }
}

impl Sink for Buf {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend(bytes);
    }

    fn zeros(&mut self, n: usize) {
        self.fill(b'0', n);
    }
}
