//! A byte buffer that starts on the native stack.

use vela_objects::number::Sink;
use vela_objects::string::MAX_STRING;
use vela_objects::{LuaResult, VmState};

/// Sizes up to this one need no test.
const SMALL: usize = 1 << 16;

/// Bytes that need no allocation.
const INLINE: usize = 512;

/// Bytes under construction; the first [`INLINE`] need no allocation.
pub(crate) struct Buf {
    /// The bytes, as long as they fit.
    inline: [u8; INLINE],
    /// Of `inline`, how many there are.
    len: usize,
    /// All bytes, as soon as it has room for any.
    spilled: Vec<u8>,
    /// Size that is known to fit, if more than [`SMALL`].
    fits: usize,
}

impl Buf {
    #[inline]
    pub(crate) fn new() -> Buf {
        Buf {
            inline: [0; INLINE],
            len: 0,
            spilled: Vec::new(),
            fits: 0,
        }
    }

    #[inline]
    pub(crate) fn with_capacity(n: usize) -> Buf {
        let mut buf = Buf::new();
        if n > INLINE {
            buf.spilled = Vec::with_capacity(n);
        }
        buf.fits = n;
        buf
    }

    #[inline]
    fn is_inline(&self) -> bool {
        self.spilled.capacity() == 0
    }

    /// The vector, for at least `more` bytes that do not fit `inline`.
    #[cold]
    #[inline(never)]
    fn spill(&mut self, more: usize) {
        self.spilled.reserve(self.len + more);
        self.spilled.extend_from_slice(&self.inline[..self.len]);
    }

    #[inline]
    pub(crate) fn push(&mut self, b: u8) {
        self.extend(&[b]);
    }

    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        if self.is_inline() {
            if let Some(room) = self.inline[self.len..].get_mut(..bytes.len()) {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
                return;
            }
            self.spill(bytes.len());
        }
        self.spilled.extend_from_slice(bytes);
    }

    pub(crate) fn fill(&mut self, b: u8, n: usize) {
        self.more(n).fill(b);
    }

    /// Room for `n` more bytes, with any content.
    fn more(&mut self, n: usize) -> &mut [u8] {
        if self.is_inline() {
            if n <= INLINE - self.len {
                let start = self.len;
                self.len += n;
                return &mut self.inline[start..self.len];
            }
            self.spill(n);
        }
        let start = self.spilled.len();
        self.spilled.resize(start + n, 0);
        &mut self.spilled[start..]
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Tests whether a string of this size may be made. To be called as the
    /// buffer grows, while everything in use is on the stack. An open poll.
    ///
    /// # Errors
    /// `resulting string too large`, `not enough memory`.
    #[inline]
    pub(crate) fn check(&mut self, vm: &mut VmState) -> LuaResult<()> {
        if self.len() <= SMALL.max(self.fits) {
            return Ok(());
        }
        self.check_large(vm)
    }

    #[cold]
    fn check_large(&mut self, vm: &mut VmState) -> LuaResult<()> {
        let len = self.len();
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
        if self.is_inline() {
            &self.inline[..self.len]
        } else {
            &self.spilled
        }
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        if self.is_inline() {
            &mut self.inline[..self.len]
        } else {
            &mut self.spilled
        }
    }

    /// Appends `n` copies of `unit`, which is not empty.
    pub(crate) fn repeat(&mut self, unit: &[u8], n: usize) {
        let total = unit.len() * n;
        let out = self.more(total);
        if unit.len() == 1 || n == 0 {
            out.fill(unit[0]);
            return;
        }
        out[..unit.len()].copy_from_slice(unit);
        let mut done = unit.len();
        while done < total {
            let more = done.min(total - done);
            out.copy_within(..more, done);
            done += more;
        }
    }

    /// Appends bytes in reverse.
    pub(crate) fn extend_reversed(&mut self, bytes: &[u8]) {
        let out = self.more(bytes.len());
        out.copy_from_slice(bytes);
        out.reverse();
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.spilled.truncate(len);
    }

    /// Inserts `n` copies of `b` at `at`.
    pub(crate) fn insert_fill(&mut self, at: usize, b: u8, n: usize) {
        let len = self.len();
        self.more(n);
        let bytes = self.as_mut_slice();
        bytes.copy_within(at..len, at + n);
        bytes[at..at + n].fill(b);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_in_order_when_they_spill() {
        for size in [1, 7, 100, 511, 512, 513, 2000] {
            let mut buf = Buf::new();
            let mut want = Vec::new();
            while want.len() < 3 * INLINE {
                let unit: Vec<u8> = (0..size).map(|i| (i + want.len()) as u8).collect();
                buf.extend(&unit);
                want.extend(&unit);
                buf.push(1);
                want.push(1);
                buf.fill(2, size);
                want.resize(want.len() + size, 2);
                buf.repeat(b"ab", size);
                want.extend(b"ab".repeat(size));
                buf.extend_reversed(&unit);
                want.extend(unit.iter().rev());
                let at = want.len() / 2;
                buf.insert_fill(at, 3, size);
                want.splice(at..at, vec![3; size]);
                assert_eq!(buf.as_slice(), want);
                let len = want.len() - size / 2;
                buf.truncate(len);
                want.truncate(len);
                assert_eq!(buf.as_slice(), want);
            }
        }
        assert_eq!(Buf::with_capacity(4000).as_slice(), b"");
    }
}
