//! Compile errors and the chunk names that appear in them.

use thiserror::Error;

/// Longest chunk id, the terminating zero of the C original included.
const ID_SIZE: usize = 60;

/// Why a source text is not a Lua chunk.
///
/// The message is the one PUC Lua gives: `chunk:line: what near 'token'`. It
/// may quote source bytes that are not UTF-8, so it is kept as bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", String::from_utf8_lossy(.message))]
pub struct SyntaxError {
    message: Vec<u8>,
    incomplete: bool,
}

impl SyntaxError {
    pub(crate) fn new(message: Vec<u8>, incomplete: bool) -> Self {
        Self {
            message,
            incomplete,
        }
    }

    /// The whole message, position included.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Whether the text ended too early, so that a prompt may ask for more.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.incomplete
    }
}

/// The short form of a chunk name that messages use: `=name` and `@file` lose
/// their mark, source text becomes `[string "first line..."]`; all are cut to
/// at most 59 bytes.
#[must_use]
pub fn chunk_id(source: &str) -> Vec<u8> {
    let bytes = source.as_bytes();
    match bytes.first() {
        Some(b'=') => bytes[1..].iter().copied().take(ID_SIZE - 1).collect(),
        Some(b'@') => {
            let name = &bytes[1..];
            if name.len() < ID_SIZE {
                name.to_vec()
            } else {
                let mut id = b"...".to_vec();
                id.extend_from_slice(&name[name.len() - (ID_SIZE - 4)..]);
                id
            }
        }
        _ => {
            let room = ID_SIZE - b"[string \"...\"]".len() - 1;
            let line_end = bytes.iter().position(|&b| b == b'\n');
            let mut id = b"[string \"".to_vec();
            if line_end.is_none() && bytes.len() < room {
                id.extend_from_slice(bytes);
            } else {
                let len = line_end.unwrap_or(bytes.len()).min(room);
                id.extend_from_slice(&bytes[..len]);
                id.extend_from_slice(b"...");
            }
            id.extend_from_slice(b"\"]");
            id
        }
    }
}
