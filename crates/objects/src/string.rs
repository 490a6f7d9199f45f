//! Strings: immutable bytes, interned whatever their length.
//!
//! Interning everything makes equality and table keys a pointer compare in
//! the interpreter and in compiled code alike; the cost is one hash over the
//! bytes of each new string, at several bytes a cycle. Hashes are seeded per
//! VM, so that untrusted keys cannot be chosen to collide.

use crate::gcref::Gc;
use crate::object::Header;

/// Bytes before the content of a string.
pub const STR_DATA_OFFSET: usize = 12;

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
        // SAFETY: a string is allocated with `extra` content bytes behind it
        // and never changes. The lifetime is governed by the GC discipline.
        unsafe { std::slice::from_raw_parts((*self.as_ptr()).data.as_ptr(), self.len()) }
    }

    /// The content for display, with invalid UTF-8 replaced.
    #[must_use]
    pub fn to_text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// Hashes `bytes` with `seed`. A multiply-fold hash in the family of wyhash
/// (public domain, Wang Yi), 16 bytes a step.
#[must_use]
pub fn hash_bytes(bytes: &[u8], seed: u64) -> u32 {
    const K0: u64 = 0xa076_1d64_78bd_642f;
    const K1: u64 = 0xe703_7ed1_a0b4_28db;
    #[inline]
    fn fold(a: u64, b: u64) -> u64 {
        let m = u128::from(a) * u128::from(b);
        (m as u64) ^ (m >> 64) as u64
    }
    #[inline]
    fn word(b: &[u8]) -> u64 {
        u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])
    }
    let mut h = seed ^ K0;
    let n = bytes.len();
    let (a, b) = if n <= 16 {
        if n >= 8 {
            (word(bytes), word(&bytes[n - 8..]))
        } else if n >= 4 {
            let lo = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            let hi = u32::from_le_bytes([bytes[n - 4], bytes[n - 3], bytes[n - 2], bytes[n - 1]]);
            (u64::from(lo), u64::from(hi))
        } else if n > 0 {
            (
                u64::from(bytes[0]) << 16 | u64::from(bytes[n / 2]) << 8 | u64::from(bytes[n - 1]),
                0,
            )
        } else {
            (0, 0)
        }
    } else {
        let mut rest = bytes;
        while rest.len() > 16 {
            h = fold(word(rest) ^ K1, word(&rest[8..]) ^ h);
            rest = &rest[16..];
        }
        (word(&bytes[n - 16..]), word(&bytes[n - 8..]))
    };
    let h = fold(a ^ K1, b ^ h) ^ n as u64;
    let h = fold(h ^ K0, K1);
    (h ^ (h >> 32)) as u32
}
