//! The 64-bit instruction word.
//!
//! ```text
//! bits  0..8    8..16   16..32  32..48  48..64
//!       op      a       b       c       d
//!                               └── bx / sbx (32 bits) ──┘
//! ```
//!
//! Every instruction has the same width, so a program counter is an index and
//! decoding is a shift. `d` usually names the feedback slot of the site.

use crate::op::Op;

/// One encoded instruction. The opcode byte is not guaranteed to be valid
/// until the verifier has accepted the prototype.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Instr(pub u64);

impl Instr {
    /// Encodes an instruction with separate `b`, `c` and `d` operands.
    #[inline]
    #[must_use]
    pub const fn abcd(op: Op, a: u8, b: u16, c: u16, d: u16) -> Self {
        Self(op as u64 | (a as u64) << 8 | (b as u64) << 16 | (c as u64) << 32 | (d as u64) << 48)
    }

    /// Encodes an instruction whose `c` and `d` form one unsigned 32-bit operand.
    #[inline]
    #[must_use]
    pub const fn abx(op: Op, a: u8, b: u16, bx: u32) -> Self {
        Self(op as u64 | (a as u64) << 8 | (b as u64) << 16 | (bx as u64) << 32)
    }

    /// Encodes an instruction whose `c` and `d` form one signed 32-bit operand.
    #[inline]
    #[must_use]
    pub const fn asbx(op: Op, a: u8, b: u16, sbx: i32) -> Self {
        Self::abx(op, a, b, sbx as u32)
    }

    /// The opcode, or `None` if the byte names none.
    #[inline]
    #[must_use]
    pub fn op(self) -> Option<Op> {
        Op::from_u8(self.0 as u8)
    }

    /// The raw opcode byte.
    #[inline]
    #[must_use]
    pub const fn op_byte(self) -> u8 {
        self.0 as u8
    }

    /// Operand `a`: a register in most instructions.
    #[inline]
    #[must_use]
    pub const fn a(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Operand `b`.
    #[inline]
    #[must_use]
    pub const fn b(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Operand `c`.
    #[inline]
    #[must_use]
    pub const fn c(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// Operand `d`: the feedback slot of most sites.
    #[inline]
    #[must_use]
    pub const fn d(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// Operand `b` as a signed immediate.
    #[inline]
    #[must_use]
    pub const fn sb(self) -> i16 {
        self.b() as i16
    }

    /// Operand `c` as a signed immediate.
    #[inline]
    #[must_use]
    pub const fn sc(self) -> i16 {
        self.c() as i16
    }

    /// Operands `c` and `d` as one unsigned number.
    #[inline]
    #[must_use]
    pub const fn bx(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Operands `c` and `d` as one signed number: jump distances, counted
    /// from the instruction after this one.
    #[inline]
    #[must_use]
    pub const fn sbx(self) -> i32 {
        (self.0 >> 32) as u32 as i32
    }

    /// The same instruction with another jump distance.
    #[inline]
    #[must_use]
    pub const fn with_sbx(self, sbx: i32) -> Self {
        Self(self.0 & 0xffff_ffff | (sbx as u32 as u64) << 32)
    }
}

impl std::fmt::Debug for Instr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.op() {
            Some(op) => write!(
                f,
                "{op:?} a={} b={} c={} d={}",
                self.a(),
                self.b(),
                self.c(),
                self.d()
            ),
            None => write!(f, "invalid({:#x})", self.0),
        }
    }
}
