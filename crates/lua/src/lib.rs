//! Lua 5.4 front end: source text to bytecode.
//!
//! [`compile`] runs three steps: the lexer turns bytes into tokens, the parser
//! builds a tree in which names are resolved and constants folded, and the
//! code generator walks that tree function by function. The tree is needed
//! because a captured local lives in a heap cell from its declaration on, and
//! the parser only knows that it is captured once its scope has been read.
//!
//! Error messages are those of PUC Lua. Nesting is bounded as there (200 C
//! levels), so hostile input gives an error, not a stack overflow.
#![forbid(unsafe_code)]

mod ast;
mod codegen;
mod error;
mod expr;
mod fold;
mod intern;
mod lexer;
mod number;
mod parser;
mod scope;

pub use error::{SyntaxError, chunk_id};
pub use number::{Number, parse_number};

use std::sync::Arc;
use vela_bytecode::Proto;

/// Compiles a chunk. `chunk_name` is what PUC Lua calls the source: `@file`,
/// `=name`, or the text itself.
///
/// The result is the main function: it takes `...` and has one upvalue,
/// `_ENV`.
///
/// # Errors
/// The first error in the text, in PUC Lua's words.
pub fn compile(source: &[u8], chunk_name: &str) -> Result<Arc<Proto>, SyntaxError> {
    if source.len() >= u32::MAX as usize {
        return Err(SyntaxError::new(b"chunk is too large".to_vec(), false));
    }
    let (tree, mut lexer) = parser::Parser::new(source, chunk_name).chunk()?;
    codegen::generate(&tree, &mut lexer.strings, chunk_name).map_err(|failure| {
        let what: &[u8] = match failure.limit {
            codegen::Limit::Registers => b"function or expression needs too many registers",
        };
        lexer.error_after(failure.after as usize, what)
    })
}

/// The part of a source file that is Lua: a first line that starts with `#`
/// (after an optional UTF-8 byte order mark) is skipped, its line end kept so
/// that line numbers stay right.
#[must_use]
pub fn strip_shebang(file: &[u8]) -> &[u8] {
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    if text.first() != Some(&b'#') {
        return text;
    }
    match text.iter().position(|&b| b == b'\n') {
        Some(end) => &text[end..],
        None => b"",
    }
}
