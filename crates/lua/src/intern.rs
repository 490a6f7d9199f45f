//! Interned byte strings of one compilation: names and string constants.

use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// Index of an interned string. Reserved words come first, so a name is a
/// reserved word when its id is below [`RESERVED_WORDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StrId(pub u32);

/// The reserved words, in the order of the token kinds.
pub(crate) const RESERVED: [&str; 22] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// Number of reserved words.
pub(crate) const RESERVED_WORDS: u32 = RESERVED.len() as u32;

/// The word `break`, the name of the pending jump that a `break` makes.
pub(crate) const BREAK: StrId = StrId(1);
/// `_ENV`
pub(crate) const ENV: StrId = StrId(RESERVED_WORDS);
/// `self`
pub(crate) const SELF: StrId = StrId(RESERVED_WORDS + 1);
/// `(for state)`
pub(crate) const FOR_STATE: StrId = StrId(RESERVED_WORDS + 2);

struct Entry {
    start: usize,
    len: usize,
    hash: u32,
    bytes: Option<Arc<[u8]>>,
    name: Option<Arc<str>>,
}

/// The set of strings. Hashes are seeded per compilation, so crafted source
/// cannot force collisions.
pub(crate) struct Interner {
    table: HashTable<u32>,
    entries: Vec<Entry>,
    text: Vec<u8>,
    seed: u64,
}

fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    const M: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut h = seed ^ (bytes.len() as u64).wrapping_mul(M);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        h = (h ^ u64::from_le_bytes(word)).wrapping_mul(M);
        h ^= h >> 29;
    }
    let mut word = 0u64;
    for &b in chunks.remainder() {
        word = word << 8 | u64::from(b);
    }
    h = (h ^ word).wrapping_mul(M);
    h ^= h >> 32;
    h = h.wrapping_mul(seed | 1);
    h ^ h >> 29
}

impl Interner {
    pub fn new() -> Self {
        let mut interner = Self {
            table: HashTable::with_capacity(256),
            entries: Vec::with_capacity(256),
            text: Vec::with_capacity(4096),
            seed: RandomState::new().hash_one(0u8),
        };
        for word in RESERVED {
            interner.intern(word.as_bytes());
        }
        for name in ["_ENV", "self", "(for state)"] {
            interner.intern(name.as_bytes());
        }
        interner
    }

    /// The id of this string.
    pub fn intern(&mut self, bytes: &[u8]) -> StrId {
        let seed = self.seed;
        let hash = hash_bytes(seed, bytes);
        let short = hash as u32;
        let (entries, text) = (&self.entries, &self.text);
        if let Some(&id) = self.table.find(hash, |&id| {
            let e = &entries[id as usize];
            e.hash == short && e.len == bytes.len() && &text[e.start..e.start + e.len] == bytes
        }) {
            return StrId(id);
        }
        let id = self.entries.len() as u32;
        self.entries.push(Entry {
            start: self.text.len(),
            len: bytes.len(),
            hash: short,
            bytes: None,
            name: None,
        });
        self.text.extend_from_slice(bytes);
        let (entries, text) = (&self.entries, &self.text);
        self.table.insert_unique(hash, id, |&id| {
            let e = &entries[id as usize];
            hash_bytes(seed, &text[e.start..e.start + e.len])
        });
        StrId(id)
    }

    /// The bytes of an interned string.
    pub fn get(&self, id: StrId) -> &[u8] {
        let e = &self.entries[id.0 as usize];
        &self.text[e.start..e.start + e.len]
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The string as a shared constant.
    pub fn shared_bytes(&mut self, id: StrId) -> Arc<[u8]> {
        let e = &mut self.entries[id.0 as usize];
        let text = &self.text[e.start..e.start + e.len];
        e.bytes.get_or_insert_with(|| Arc::from(text)).clone()
    }

    /// The string as a shared name. Names are ASCII by the lexer's rules.
    pub fn shared_name(&mut self, id: StrId) -> Arc<str> {
        let e = &mut self.entries[id.0 as usize];
        let text = &self.text[e.start..e.start + e.len];
        e.name
            .get_or_insert_with(|| Arc::from(String::from_utf8_lossy(text).as_ref()))
            .clone()
    }
}
