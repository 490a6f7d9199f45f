//! Relocatable object code as bytes, and what it consists of.

use std::ops::Range;
use std::sync::Arc;

use super::OrcError;

/// Object code: cheap to clone, safe to keep in a cache or on disk.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectCode {
    bytes: Arc<[u8]>,
}

impl From<Vec<u8>> for ObjectCode {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes: bytes.into(),
        }
    }
}

impl std::fmt::Debug for ObjectCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ObjectCode({} bytes)", self.bytes.len())
    }
}

/// A section that takes memory when the object is linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, such as `.text`.
    pub name: String,
    /// Size in bytes, never 0.
    pub size: u64,
    /// Whether it holds instructions.
    pub executable: bool,
    /// Whether the program may write to it.
    pub writable: bool,
}

/// The names that an object shares with the rest of the program, as the object
/// format spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    /// Names that the object gives an address to.
    pub defined: Vec<Box<[u8]>>,
    /// Names that the object refers to and something else must define.
    pub undefined: Vec<Box<[u8]>>,
}

/// Field offsets of the ELF64 headers (System V gABI, chapters 4 and 5).
mod elf {
    pub const MAGIC: &[u8] = b"\x7fELF\x02\x01";
    pub const TYPE: usize = 16;
    pub const MACHINE: usize = 18;
    pub const SECTION_TABLE: usize = 40;
    pub const SECTION_SIZE: usize = 58;
    pub const SECTION_COUNT: usize = 60;
    pub const NAMES_INDEX: usize = 62;
    pub const RELOCATABLE: u16 = 1;
    pub const HOST: u16 = if cfg!(target_arch = "aarch64") {
        183
    } else {
        62
    };

    pub const SH_NAME: usize = 0;
    pub const SH_TYPE: usize = 4;
    pub const SH_FLAGS: usize = 8;
    pub const SH_OFFSET: usize = 24;
    pub const SH_SIZE: usize = 32;
    pub const SH_LINK: usize = 40;
    pub const HEADER_SIZE: usize = 64;

    pub const SYMBOL_TABLE: u32 = 2;
    pub const SYMBOL_SIZE: usize = 24;
    pub const ST_NAME: usize = 0;
    pub const ST_INFO: usize = 4;
    pub const ST_SECTION: usize = 6;
    pub const LOCAL: u8 = 0;
    pub const UNDEFINED: u16 = 0;

    pub const NO_BITS: u32 = 8;
    pub const WRITE: u64 = 1;
    pub const ALLOC: u64 = 2;
    pub const EXECUTE: u64 = 4;
}

impl ObjectCode {
    /// The bytes of the object file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The sections that take memory when linked, in file order.
    ///
    /// # Errors
    /// [`OrcError::NotObjectCode`] unless the bytes are a relocatable 64-bit ELF
    /// object of this machine whose section table lies within the file.
    pub fn sections(&self) -> Result<Vec<Section>, OrcError> {
        let (read, headers) = self.headers()?;
        let names = read.contents(headers.names)?;
        let mut sections = Vec::new();
        for at in headers.all() {
            let flags = read.u64(at + elf::SH_FLAGS)?;
            let size = read.u64(at + elf::SH_SIZE)?;
            if read.u32(at + elf::SH_TYPE)? != elf::NO_BITS {
                read.contents(at)?;
            }
            if flags & elf::ALLOC == 0 || size == 0 {
                continue;
            }
            let name = read.name(&names, at + elf::SH_NAME)?;
            sections.push(Section {
                name: String::from_utf8_lossy(name).into_owned(),
                size,
                executable: flags & elf::EXECUTE != 0,
                writable: flags & elf::WRITE != 0,
            });
        }
        Ok(sections)
    }

    /// The object's global names.
    ///
    /// # Errors
    /// As [`ObjectCode::sections`], also for a malformed symbol table.
    pub fn symbols(&self) -> Result<Symbols, OrcError> {
        let (read, headers) = self.headers()?;
        let mut symbols = Symbols::default();
        for at in headers.all() {
            if read.u32(at + elf::SH_TYPE)? != elf::SYMBOL_TABLE {
                continue;
            }
            let table = read.contents(at)?;
            let names = read.contents(headers.at(read.u32(at + elf::SH_LINK)? as usize)?)?;
            // The first entry stands for "no symbol".
            for entry in table.step_by(elf::SYMBOL_SIZE).skip(1) {
                let [info] = read.array(entry + elf::ST_INFO)?;
                if info >> 4 == elf::LOCAL {
                    continue;
                }
                let name = read.name(&names, entry + elf::ST_NAME)?.into();
                if read.u16(entry + elf::ST_SECTION)? == elf::UNDEFINED {
                    symbols.undefined.push(name);
                } else {
                    symbols.defined.push(name);
                }
            }
        }
        Ok(symbols)
    }

    /// Checks the file header and finds the section headers.
    fn headers(&self) -> Result<(Reader<'_>, Headers), OrcError> {
        let read = Reader { bytes: &self.bytes };
        if !self.bytes.starts_with(elf::MAGIC) {
            return Err(read.bad("no 64-bit little-endian ELF header"));
        }
        if read.u16(elf::TYPE)? != elf::RELOCATABLE {
            return Err(read.bad("not relocatable"));
        }
        if read.u16(elf::MACHINE)? != elf::HOST {
            return Err(read.bad("made for another architecture"));
        }
        if usize::from(read.u16(elf::SECTION_SIZE)?) != elf::HEADER_SIZE {
            return Err(read.bad("unexpected section header size"));
        }
        let table = read.offset(elf::SECTION_TABLE)?;
        let count = usize::from(read.u16(elf::SECTION_COUNT)?);
        if count * elf::HEADER_SIZE > self.bytes.len() - table {
            return Err(read.bad("section table out of range"));
        }
        let mut headers = Headers {
            table,
            count,
            names: 0,
        };
        headers.names = headers.at(read.u16(elf::NAMES_INDEX)?.into())?;
        Ok((read, headers))
    }

    /// Whether instructions are all that the object loads. Such code shares memory
    /// mappings with its neighbours; any other section adds mappings.
    ///
    /// # Errors
    /// As [`ObjectCode::sections`].
    pub fn is_pure_text(&self) -> Result<bool, OrcError> {
        Ok(self.sections()?.iter().all(|section| section.executable))
    }

    /// Bytes of instructions and data that the object loads, before rounding up to
    /// pages.
    ///
    /// # Errors
    /// As [`ObjectCode::sections`].
    pub fn loaded_size(&self) -> Result<u64, OrcError> {
        Ok(self.sections()?.iter().map(|section| section.size).sum())
    }
}

/// Where the section headers are; all lie within the file.
struct Headers {
    table: usize,
    count: usize,
    /// The header of the section that holds the section names.
    names: usize,
}

impl Headers {
    fn at(&self, index: usize) -> Result<usize, OrcError> {
        if index < self.count {
            Ok(self.table + index * elf::HEADER_SIZE)
        } else {
            Err(OrcError::NotObjectCode {
                reason: format!("no section {index}"),
            })
        }
    }

    fn all(&self) -> impl Iterator<Item = usize> + use<> {
        (self.table..).step_by(elf::HEADER_SIZE).take(self.count)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bad(&self, reason: &str) -> OrcError {
        OrcError::NotObjectCode {
            reason: format!("{reason} ({} bytes)", self.bytes.len()),
        }
    }

    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], OrcError> {
        self.bytes
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .copied()
            .ok_or_else(|| self.bad("truncated"))
    }

    fn u16(&self, at: usize) -> Result<u16, OrcError> {
        self.array(at).map(u16::from_le_bytes)
    }

    fn u32(&self, at: usize) -> Result<u32, OrcError> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn u64(&self, at: usize) -> Result<u64, OrcError> {
        self.array(at).map(u64::from_le_bytes)
    }

    fn offset(&self, at: usize) -> Result<usize, OrcError> {
        let offset = usize::try_from(self.u64(at)?).ok();
        offset
            .filter(|&o| o <= self.bytes.len())
            .ok_or_else(|| self.bad("offset out of range"))
    }

    /// The zero-terminated name whose offset in the section `names` is stored at `at`.
    fn name(&self, names: &Range<usize>, at: usize) -> Result<&'a [u8], OrcError> {
        let start = self.u32(at)? as usize;
        let all = self
            .bytes
            .get(names.clone())
            .and_then(|all| all.get(start..));
        all.and_then(|rest| rest.split(|&b| b == 0).next())
            .ok_or_else(|| self.bad("name out of range"))
    }

    /// The place in the file of the section whose header is at `header`.
    fn contents(&self, header: usize) -> Result<Range<usize>, OrcError> {
        let start = self.offset(header + elf::SH_OFFSET)?;
        let size = self.offset(header + elf::SH_SIZE)?;
        if size > self.bytes.len() - start {
            return Err(self.bad("section out of range"));
        }
        Ok(start..start + size)
    }
}
