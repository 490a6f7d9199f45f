//! The binary form of prototypes.
//!
//! ```text
//! header of PUC Lua 5.4 (31 bytes)  "Vela"  version (u16)  opcode fingerprint (u64)  function
//! ```
//!
//! Programs know binary chunks by the header, which is why it is PUC Lua's;
//! what follows it is not. Numbers are little-endian; counts are LEB128. The
//! fingerprint covers names and formats of all opcodes, so a file from another
//! instruction set is refused even when nobody remembered to raise the version.

use crate::instr::Instr;
use crate::op::Op;
use crate::proto::{Constant, LineTable, LocalVar, Proto, UpvalDesc, UpvalSource};
use crate::verify::{MAX_NESTING, VerifyError, verify};
use std::sync::Arc;
use thiserror::Error;

/// First bytes of every binary chunk of Lua.
pub const SIGNATURE: &[u8; 4] = b"\x1bLua";

/// What follows the header in chunks of this form.
pub const MAGIC: &[u8; 4] = b"Vela";

/// Version of the form that this crate writes and reads.
pub const VERSION: u16 = 2;

/// The parts of the header, each with what is wrong if it differs.
const HEADER: [(&[u8], BinaryError); 8] = [
    (SIGNATURE, BinaryError::NotBinary),
    (&[0x54], BinaryError::Header("version mismatch")),
    (&[0], BinaryError::Header("format mismatch")),
    (
        b"\x19\x93\r\n\x1a\n",
        BinaryError::Header("corrupted chunk"),
    ),
    (
        &[4, 8, 8],
        BinaryError::Header("sizes of instructions and numbers differ"),
    ),
    (
        &0x5678_i64.to_le_bytes(),
        BinaryError::Header("integer format mismatch"),
    ),
    (
        &370.5_f64.to_le_bytes(),
        BinaryError::Header("float format mismatch"),
    ),
    (MAGIC, BinaryError::Foreign),
];

/// Why bytes are not a binary chunk.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BinaryError {
    /// The bytes do not start with [`SIGNATURE`].
    #[error("not a binary chunk")]
    NotBinary,
    /// The header is not that of Lua 5.4 with numbers of 64 bits.
    #[error("{0}")]
    Header(&'static str),
    /// The form of another implementation.
    #[error("the chunk was not made by Vela")]
    Foreign,
    /// Another version of the form.
    #[error("version {0} is not supported")]
    Version(u16),
    /// Written for another instruction set.
    #[error("the chunk was made for another instruction set")]
    InstructionSet,
    /// The bytes end too early.
    #[error("truncated chunk")]
    Truncated,
    /// Bytes after the end of the function.
    #[error("bytes after the end of the chunk")]
    TrailingBytes,
    /// A count or number that its field cannot hold.
    #[error("number out of range")]
    OutOfRange,
    /// A tag byte that means nothing.
    #[error("unknown tag {0}")]
    Tag(u8),
    /// A name that is not UTF-8.
    #[error("name is not UTF-8")]
    NotUtf8,
    /// Functions nest too deeply.
    #[error("functions nest too deeply")]
    Nesting,
    /// The code is malformed.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

type Result<T> = std::result::Result<T, BinaryError>;

/// FNV-1a over names and formats of the opcodes, in order.
fn fingerprint() -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for op in Op::ALL {
        for b in op.mnemonic().bytes().chain([0]).chain(op.format().bytes()) {
            hash = (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3);
        }
    }
    hash
}

/// Writes a function. With `strip`, debug information is left out: lines,
/// local and upvalue names, and the source.
///
/// # Panics
/// If functions nest more than [`MAX_NESTING`] deep; the compiler's do not.
#[must_use]
pub fn dump(proto: &Proto, strip: bool) -> Vec<u8> {
    let mut w = Writer {
        out: HEADER.iter().flat_map(|(part, _)| *part).copied().collect(),
        strip,
    };
    w.out.extend_from_slice(&VERSION.to_le_bytes());
    w.out.extend_from_slice(&fingerprint().to_le_bytes());
    w.function(proto, None, 0);
    w.out
}

/// Reads a function and verifies it.
///
/// # Errors
/// Any fault in the bytes or the code; never a panic.
pub fn undump(bytes: &[u8]) -> Result<Arc<Proto>> {
    let mut r = Reader { rest: bytes };
    for (part, wrong) in HEADER {
        let there = r.rest.len().min(part.len());
        if r.rest[..there] != part[..there] {
            return Err(wrong);
        }
        r.take(part.len())?;
    }
    let version = u16::from_le_bytes(r.array()?);
    if version != VERSION {
        return Err(BinaryError::Version(version));
    }
    if u64::from_le_bytes(r.array()?) != fingerprint() {
        return Err(BinaryError::InstructionSet);
    }
    let proto = r.function(None, 0)?;
    if !r.rest.is_empty() {
        return Err(BinaryError::TrailingBytes);
    }
    verify(&proto)?;
    Ok(Arc::new(proto))
}

struct Writer {
    out: Vec<u8>,
    strip: bool,
}

impl Writer {
    fn byte(&mut self, b: u8) {
        self.out.push(b);
    }

    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.byte(n as u8 | 0x80);
            n >>= 7;
        }
        self.byte(n as u8);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn function(&mut self, p: &Proto, parent: Option<&Proto>, depth: usize) {
        assert!(depth < MAX_NESTING, "functions nest too deeply");
        match parent {
            Some(parent) if parent.source == p.source || self.strip => self.byte(0),
            _ => {
                self.byte(1);
                let source = if self.strip { "=?" } else { &p.source };
                self.bytes(source.as_bytes());
            }
        }
        self.number(p.line_defined.into());
        self.number(p.last_line.into());
        self.byte(p.num_params);
        self.byte(p.is_vararg.into());
        self.byte(p.max_stack);
        self.number(p.num_feedback.into());
        self.number(p.code.len() as u64);
        for instr in &p.code {
            self.out.extend_from_slice(&instr.0.to_le_bytes());
        }
        self.number(p.constants.len() as u64);
        for c in &p.constants {
            match c {
                Constant::Nil => self.byte(0),
                Constant::Bool(b) => self.byte(1 + u8::from(*b)),
                Constant::Int(i) => {
                    self.byte(3);
                    self.out.extend_from_slice(&i.to_le_bytes());
                }
                Constant::Float(f) => {
                    self.byte(4);
                    self.out.extend_from_slice(&f.to_bits().to_le_bytes());
                }
                Constant::Str(s) => {
                    self.byte(5);
                    self.bytes(s);
                }
            }
        }
        self.number(p.upvals.len() as u64);
        for u in &p.upvals {
            let (tag, index) = match u.source {
                UpvalSource::ParentCell(reg) => (0, reg),
                UpvalSource::ParentUpval(i) => (1, i),
            };
            let name = u.name.as_ref().filter(|_| !self.strip);
            self.byte(tag | u8::from(u.reassigned) << 1 | u8::from(name.is_some()) << 2);
            self.byte(index);
            if let Some(name) = name {
                self.bytes(name.as_bytes());
            }
        }
        if self.strip {
            self.byte(0);
            self.byte(0);
        } else {
            self.debug(p);
        }
        self.number(p.protos.len() as u64);
        for child in &p.protos {
            self.function(child, Some(p), depth + 1);
        }
    }

    fn debug(&mut self, p: &Proto) {
        self.number(p.lines.runs().len() as u64);
        for &(pc, line) in p.lines.runs() {
            self.number(pc.into());
            self.number(line.into());
        }
        self.number(p.locals.len() as u64);
        for l in &p.locals {
            self.bytes(l.name.as_bytes());
            self.byte(l.reg);
            self.number(l.start_pc.into());
            self.number(l.end_pc.into());
            self.byte(l.in_cell.into());
        }
    }
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, n: usize) -> Result<&'b [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(n)
            .ok_or(BinaryError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn flag(&mut self) -> Result<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(BinaryError::Tag(other)),
        }
    }

    fn number(&mut self) -> Result<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let b = self.byte()?;
            let bits = u64::from(b & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(BinaryError::OutOfRange);
            }
            n |= bits << shift;
            if b < 0x80 {
                return Ok(n);
            }
        }
        Err(BinaryError::OutOfRange)
    }

    fn u32(&mut self) -> Result<u32> {
        u32::try_from(self.number()?).map_err(|_| BinaryError::OutOfRange)
    }

    /// A count of elements of at least `size` bytes each: more than the rest
    /// can hold is refused before anything is allocated.
    fn count(&mut self, size: usize) -> Result<usize> {
        let n = usize::try_from(self.number()?).map_err(|_| BinaryError::OutOfRange)?;
        if n > self.rest.len() / size {
            return Err(BinaryError::Truncated);
        }
        Ok(n)
    }

    fn bytes(&mut self) -> Result<&'b [u8]> {
        let n = self.count(1)?;
        self.take(n)
    }

    fn name(&mut self) -> Result<Arc<str>> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes).map_err(|_| BinaryError::NotUtf8)?;
        Ok(Arc::from(text))
    }

    fn function(&mut self, parent: Option<&Arc<str>>, depth: usize) -> Result<Proto> {
        if depth >= MAX_NESTING {
            return Err(BinaryError::Nesting);
        }
        let source = match (self.byte()?, parent) {
            (0, Some(source)) => source.clone(),
            (1, _) => self.name()?,
            (tag, _) => return Err(BinaryError::Tag(tag)),
        };
        let mut p = Proto {
            source,
            line_defined: self.u32()?,
            last_line: self.u32()?,
            num_params: self.byte()?,
            is_vararg: self.flag()?,
            max_stack: self.byte()?,
            num_feedback: u16::try_from(self.number()?).map_err(|_| BinaryError::OutOfRange)?,
            ..Proto::default()
        };
        let n = self.count(8)?;
        p.code.reserve_exact(n);
        for _ in 0..n {
            p.code.push(Instr(u64::from_le_bytes(self.array()?)));
        }
        for _ in 0..self.count(1)? {
            p.constants.push(self.constant()?);
        }
        for _ in 0..self.count(2)? {
            let tag = self.byte()?;
            if tag > 7 {
                return Err(BinaryError::Tag(tag));
            }
            let index = self.byte()?;
            p.upvals.push(UpvalDesc {
                source: if tag & 1 == 0 {
                    UpvalSource::ParentCell(index)
                } else {
                    UpvalSource::ParentUpval(index)
                },
                reassigned: tag & 2 != 0,
                name: if tag & 4 != 0 {
                    Some(self.name()?)
                } else {
                    None
                },
            });
        }
        let mut runs = Vec::new();
        for _ in 0..self.count(2)? {
            runs.push((self.u32()?, self.u32()?));
        }
        p.lines = LineTable::from_runs(runs).ok_or(BinaryError::OutOfRange)?;
        for _ in 0..self.count(5)? {
            p.locals.push(LocalVar {
                name: self.name()?,
                reg: self.byte()?,
                start_pc: self.u32()?,
                end_pc: self.u32()?,
                in_cell: self.flag()?,
            });
        }
        for _ in 0..self.count(1)? {
            let child = self.function(Some(&p.source), depth + 1)?;
            p.protos.push(Arc::new(child));
        }
        Ok(p)
    }

    fn constant(&mut self) -> Result<Constant> {
        Ok(match self.byte()? {
            0 => Constant::Nil,
            1 => Constant::Bool(false),
            2 => Constant::Bool(true),
            3 => Constant::Int(i64::from_le_bytes(self.array()?)),
            4 => Constant::Float(f64::from_bits(u64::from_le_bytes(self.array()?))),
            5 => Constant::Str(Arc::from(self.bytes()?)),
            tag => return Err(BinaryError::Tag(tag)),
        })
    }
}
