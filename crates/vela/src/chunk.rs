//! Chunks in all their forms: Lua source, binary chunks, assembler text.

use std::sync::Arc;
use vela_bytecode::{Proto, asm, binary, verify};
use vela_objects::{FuncProto, Gc, VmState};

/// First byte of binary chunks.
const BINARY_MARK: u8 = 0x1b;

/// Compiles source or reads a binary chunk, whichever it is. `mode` is `"t"`,
/// `"b"` or `"bt"`, as for Lua's `load`; `name` is `@file`, `=name` or the
/// source itself.
///
/// # Errors
/// PUC Lua's message.
pub fn read(chunk: &[u8], name: &str, mode: &str) -> Result<Arc<Proto>, String> {
    let binary = chunk.first() == Some(&BINARY_MARK);
    let (kind, letter) = if binary {
        ("binary", 'b')
    } else {
        ("text", 't')
    };
    if !mode.contains(letter) {
        return Err(format!("attempt to load a {kind} chunk (mode is '{mode}')"));
    }
    if binary {
        let name = String::from_utf8_lossy(&vela_lua::chunk_id(name)).into_owned();
        binary::undump(chunk).map_err(|e| format!("{name}: bad binary format ({e})"))
    } else {
        vela_lua::compile(chunk, name).map_err(|e| e.to_string())
    }
}

/// Assembles text in the form that `--jit-dump` and the disassembler write.
///
/// # Errors
/// What is wrong with the text or with the code.
pub fn assemble(text: &str, name: &str) -> Result<Arc<Proto>, String> {
    let proto = asm::assemble(text).map_err(|e| format!("{name}: {e}"))?;
    verify(&proto).map_err(|e| format!("{name}: {e}"))?;
    Ok(Arc::new(proto))
}

/// The VM's hook for `load`, `loadfile`, `dofile` and `require`.
pub(crate) fn load_hook(
    vm: &mut VmState,
    chunk: &[u8],
    name: &str,
    mode: &str,
) -> Result<Gc<FuncProto>, String> {
    let proto = read(chunk, name, mode)?;
    Ok(vm.load_proto(&proto))
}

/// As [`load_hook`], without binary chunks.
pub(crate) fn load_text_hook(
    vm: &mut VmState,
    chunk: &[u8],
    name: &str,
    mode: &str,
) -> Result<Gc<FuncProto>, String> {
    load_hook(vm, chunk, name, if mode.contains('t') { "t" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_respected() {
        let text = read(b"return 1", "=x", "b").unwrap_err();
        assert_eq!(text, "attempt to load a text chunk (mode is 'b')");
        let proto = read(b"return 1", "=x", "t").expect("it is Lua");
        let bytes = binary::dump(&proto, false);
        let text = read(&bytes, "=x", "t").unwrap_err();
        assert_eq!(text, "attempt to load a binary chunk (mode is 't')");
        assert_eq!(read(&bytes, "=x", "bt").expect("just written"), proto);
    }

    #[test]
    fn damaged_binary_chunks_are_refused() {
        let mut bytes = binary::dump(&read(b"return 1", "=x", "t").expect("it is Lua"), false);
        bytes.truncate(bytes.len() - 1);
        let text = read(&bytes, "@f.bin", "bt").unwrap_err();
        assert_eq!(text, "f.bin: bad binary format (truncated chunk)");
    }
}
