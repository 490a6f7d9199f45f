//! Strings: immutable bytes, interned whatever their length.
//!
//! Interning everything makes equality and table keys a pointer compare in
//! the interpreter and in compiled code alike; the cost is one hash over the
//! bytes of each new string, at several bytes a cycle. Hashes are seeded per
//! VM, so that untrusted keys cannot be chosen to collide.
//!
//! The content follows the header, except for strings that a program grows
//! piece by piece: those share a buffer ([`crate::heap`]'s module `append`).

use crate::gcref::Gc;
use crate::object::Header;

/// Bytes before the content of a string whose [`form`] is not `SHARED`.
pub const STR_DATA_OFFSET: usize = 12;
/// Offset of the address of the content of a string in the form `SHARED`.
pub const STR_SHARED_OFFSET: usize = 16;

/// Where the content of a string is, and where it came from: the byte `aux` of
/// its header.
pub mod form {
    /// Behind the header.
    pub const INLINE: u8 = 0;
    /// Behind the header; a few bytes were put behind another long string.
    pub const GROWN: u8 = 1;
    /// Behind the header; a few bytes were put behind one that is `GROWN`.
    pub const GROWING: u8 = 2;
    /// In a buffer that other strings, of which one is the beginning of the
    /// other, may share. The only form that never changes.
    pub const SHARED: u8 = 3;
}

/// An interned string. The bytes follow the struct.
#[repr(C)]
pub struct Str {
    /// `extra` is the length in bytes.
    pub header: Header,
    /// Seeded hash of the content.
    pub hash: u32,
    data: [u8; 0],
}

/// Longest string, in bytes.
pub const MAX_STRING: usize = 0x7fff_ffe0;

impl Str {
    /// Length in bytes.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.header.extra as usize
    }

    /// Whether the string has no bytes.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.header.extra == 0
    }
}

impl Gc<Str> {
    /// The content. Valid as long as the string is reachable: do not keep it
    /// across a call into Lua unless the string is rooted.
    #[inline]
    #[must_use]
    pub fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: a string is allocated with `extra` content bytes behind it,
        // or an address of as many bytes that live as long as it does; they
        // never change. The lifetime is governed by the GC discipline.
        unsafe {
            let p = self.as_ptr();
            let data = if (*p).header.aux == form::SHARED {
                *p.cast::<u8>().add(STR_SHARED_OFFSET).cast::<*const u8>()
            } else {
                (&raw const (*p).data).cast()
            };
            std::slice::from_raw_parts(data, self.len())
        }
    }

    /// The content for display, with invalid UTF-8 replaced.
    #[must_use]
    pub fn to_text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

#[inline(always)]
fn word(b: &[u8], at: usize) -> u64 {
    match b.get(at..at + 8) {
        Some(&[a, b, c, d, e, f, g, h]) => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

#[inline(always)]
fn half(b: &[u8], at: usize) -> u32 {
    match b.get(at..at + 4) {
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

/// Whether two byte strings are equal; short ones without a call.
#[inline(always)]
pub(crate) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let n = b.len();
    if a.len() != n {
        return false;
    }
    match n {
        0..4 => a.iter().zip(b).all(|(x, y)| x == y),
        4..8 => half(a, 0) == half(b, 0) && half(a, n - 4) == half(b, n - 4),
        8..=16 => word(a, 0) == word(b, 0) && word(a, n - 8) == word(b, n - 8),
        _ => a == b,
    }
}

/// Copies `bytes` to `to`; few of them without a call.
///
/// # Safety
/// There is room for them, outside of `bytes`.
#[inline(always)]
pub(crate) unsafe fn copy_bytes(bytes: &[u8], to: *mut u8) {
    let n = bytes.len();
    // SAFETY: by contract; the parts overlap each other but end with `bytes`.
    unsafe {
        match n {
            0..4 => {
                for (i, &b) in bytes.iter().enumerate() {
                    to.add(i).write(b);
                }
            }
            4..8 => {
                to.cast::<u32>().write_unaligned(half(bytes, 0).to_le());
                let end = to.add(n - 4).cast::<u32>();
                end.write_unaligned(half(bytes, n - 4).to_le());
            }
            8..=16 => {
                to.cast::<u64>().write_unaligned(word(bytes, 0).to_le());
                let end = to.add(n - 8).cast::<u64>();
                end.write_unaligned(word(bytes, n - 8).to_le());
            }
            _ => std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, n),
        }
    }
}

const K0: u64 = 0xa076_1d64_78bd_642f;
const K1: u64 = 0xe703_7ed1_a0b4_28db;
const K2: u64 = 0x8ebc_6af0_9c88_c6e3;
const K3: u64 = 0x5899_65cc_7537_4cc3;

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let m = u128::from(a) * u128::from(b);
    (m as u64) ^ (m >> 64) as u64
}

/// Bytes that the hash takes in one step of its three lanes.
const STEP: usize = 48;

/// The state of the hash of a long string before its end, from which the hash
/// of any longer string that begins with it follows without another look at
/// the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lanes([u64; 3]);

impl Lanes {
    /// The state before the first byte.
    pub(crate) fn new(seed: u64) -> Lanes {
        Lanes([seed ^ K0; 3])
    }

    /// Bytes that are mixed into the state of a string of `len` bytes: all but
    /// the last 48 or fewer.
    pub(crate) fn covered(len: usize) -> usize {
        len.saturating_sub(1) / STEP * STEP
    }

    /// Goes on from the state of the first `from` bytes to that of all.
    pub(crate) fn advance(&mut self, bytes: &[u8], from: usize) {
        let [mut h, mut g, mut f] = self.0;
        for b in bytes[Lanes::covered(from)..Lanes::covered(bytes.len())].chunks_exact(STEP) {
            h = fold(word(b, 0) ^ K1, word(b, 8) ^ h);
            g = fold(word(b, 16) ^ K2, word(b, 24) ^ g);
            f = fold(word(b, 32) ^ K3, word(b, 40) ^ f);
        }
        self.0 = [h, g, f];
    }

    /// The hash of `bytes`, more than 16, whose state this is.
    pub(crate) fn finish(self, bytes: &[u8]) -> u32 {
        let [mut h, g, f] = self.0;
        h ^= g ^ f;
        let mut rest = &bytes[Lanes::covered(bytes.len())..];
        while rest.len() > 16 {
            h = fold(word(rest, 0) ^ K1, word(rest, 8) ^ h);
            rest = &rest[16..];
        }
        let n = bytes.len();
        last(h, word(bytes, n - 16), word(bytes, n - 8), n)
    }
}

/// Mixes the last 16 bytes and the length into the hash.
#[inline(always)]
fn last(h: u64, a: u64, b: u64, n: usize) -> u32 {
    let h = fold(a ^ K1, b ^ h) ^ n as u64;
    let h = fold(h ^ K0, K1);
    (h ^ (h >> 32)) as u32
}

/// Hashes `bytes` with `seed`. A multiply-fold hash in the family of wyhash
/// (public domain, Wang Yi): 16 bytes a step, and three steps side by side
/// where there are many bytes.
#[inline]
#[must_use]
pub fn hash_bytes(bytes: &[u8], seed: u64) -> u32 {
    let n = bytes.len();
    let (a, b) = match n {
        0 => (0, 0),
        1..4 => {
            let (first, middle, last) = (bytes[0], bytes[n / 2], bytes[n - 1]);
            let all = u64::from(first) << 16 | u64::from(middle) << 8 | u64::from(last);
            (all, 0)
        }
        4..8 => (u64::from(half(bytes, 0)), u64::from(half(bytes, n - 4))),
        8..=16 => (word(bytes, 0), word(bytes, n - 8)),
        _ => return hash_long(bytes, seed),
    };
    last(seed ^ K0, a, b, n)
}

fn hash_long(bytes: &[u8], seed: u64) -> u32 {
    let mut lanes = Lanes::new(seed);
    lanes.advance(bytes, 0);
    lanes.finish(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Lanes, STEP, hash_bytes};

    #[test]
    fn the_hash_of_a_longer_string_follows_from_the_state() {
        let text: Vec<u8> = (0..1000u32).map(|i| (i * 7 % 251) as u8).collect();
        for short in [STEP + 1, 2 * STEP, 2 * STEP + 1, 300, 481] {
            let mut lanes = Lanes::new(9);
            lanes.advance(&text[..short], 0);
            assert_eq!(lanes.finish(&text[..short]), hash_bytes(&text[..short], 9));
            for long in short..short + 3 * STEP {
                let mut lanes = lanes;
                lanes.advance(&text[..long], short);
                assert_eq!(lanes.finish(&text[..long]), hash_bytes(&text[..long], 9));
            }
        }
    }
}
