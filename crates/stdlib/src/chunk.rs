//! Lua source and binary chunks as function values: what `load`, `loadfile`,
//! `dofile`, `require` and hosts share.

use crate::sys;
use std::io::Read;
use vela_objects::{FuncProto, Gc, Value, VmState};

/// A closure of a main function whose first upvalue, `_ENV`, is `env`; other
/// upvalues (of binary chunks) are nil.
pub fn main_function(vm: &mut VmState, proto: Gc<FuncProto>, env: Value) -> Value {
    let count = proto.proto().upvals.len();
    let cells: Vec<_> = (0..count)
        .map(|i| vm.cell(if i == 0 { env } else { Value::NIL }))
        .collect();
    Value::lua_fn(vm.closure(proto, |i| cells[i], count))
}

/// Compiles or loads a chunk. `name` is what PUC Lua calls the source
/// (`@file`, `=name` or the text); `mode` is `"b"`, `"t"` or `"bt"`.
///
/// # Errors
/// The syntax error, or why the chunk cannot be loaded.
pub fn load(
    vm: &mut VmState,
    chunk: &[u8],
    name: &str,
    mode: &str,
    env: Value,
) -> Result<Value, String> {
    let load = vm.hooks.load;
    let proto = load(vm, chunk, name, mode)?;
    Ok(main_function(vm, proto, env))
}

/// Loads the file of that name (`None`: the standard input). A first line
/// that starts with `#` is skipped.
///
/// # Errors
/// As [`load`], or `cannot open file: reason`.
pub fn load_file(
    vm: &mut VmState,
    name: Option<&[u8]>,
    mode: &str,
    env: Value,
) -> Result<Value, String> {
    let (bytes, chunk_name) = match name {
        None => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|e| format!("cannot read stdin: {}", sys::error_text(&e)))?;
            (bytes, "=stdin".to_string())
        }
        Some(name) => {
            let text = String::from_utf8_lossy(name);
            let failed = |what: &str, e: &std::io::Error| {
                format!("cannot {what} {text}: {}", sys::error_text(e))
            };
            let mut bytes = Vec::new();
            let mut file =
                std::fs::File::open(sys::os_string(name)).map_err(|e| failed("open", &e))?;
            file.read_to_end(&mut bytes)
                .map_err(|e| failed("read", &e))?;
            (bytes, format!("@{text}"))
        }
    };
    load(vm, skip_comment(&bytes), &chunk_name, mode, env)
}

/// A file without a byte order mark and a first line that starts with `#`. The
/// line's end stays, so that line numbers are right, unless a binary chunk
/// follows.
#[must_use]
pub fn skip_comment(file: &[u8]) -> &[u8] {
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    if text.first() != Some(&b'#') {
        return text;
    }
    let Some(end) = text.iter().position(|&b| b == b'\n') else {
        return b"";
    };
    match text.get(end + 1) {
        Some(&0x1b) => &text[end + 1..],
        _ => &text[end..],
    }
}

#[cfg(test)]
mod tests {
    use super::skip_comment;

    #[test]
    fn comments_and_marks_are_skipped() {
        assert_eq!(skip_comment(b"return 1"), b"return 1");
        assert_eq!(skip_comment(b"\xef\xbb\xbfreturn 1"), b"return 1");
        assert_eq!(skip_comment(b"#!vela\nreturn 1"), b"\nreturn 1");
        assert_eq!(skip_comment(b"\xef\xbb\xbf# x"), b"");
        assert_eq!(skip_comment(b"#!vela\n\x1bLua"), b"\x1bLua");
    }
}
