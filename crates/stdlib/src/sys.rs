//! What `os`, `io` and `package` share: file names as bytes, results of
//! system calls in PUC Lua's form, processes.

use std::ffi::OsString;
use std::process::{Command, ExitStatus};
use vela_objects::{NativeResult, Ret, Value, VmState};

/// A file name or other system string from Lua bytes.
#[cfg(unix)]
#[must_use]
pub fn os_string(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStrExt;
    // C stops at the first zero byte.
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    std::ffi::OsStr::from_bytes(&bytes[..end]).to_os_string()
}

/// A file name or other system string from Lua bytes.
#[cfg(not(unix))]
#[must_use]
pub fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// The bytes of a system string.
#[must_use]
pub fn os_bytes(s: OsString) -> Vec<u8> {
    s.into_encoded_bytes()
}

/// The system's text for an error, without the number that Rust adds.
#[must_use]
pub fn error_text(e: &std::io::Error) -> String {
    let text = e.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_string(),
        None => text,
    }
}

/// `true`, or `nil, "name: message", errno`.
///
/// # Errors
/// None but a full stack.
pub fn file_result(
    vm: &mut VmState,
    result: std::io::Result<()>,
    name: Option<&[u8]>,
) -> NativeResult {
    match result {
        Ok(()) => Ok(Ret::One(Value::bool(true))),
        Err(e) => failure(vm, &e, name),
    }
}

/// `nil, "name: message", errno`
///
/// # Errors
/// None but a full stack.
pub fn failure(vm: &mut VmState, e: &std::io::Error, name: Option<&[u8]>) -> NativeResult {
    let mut text = Vec::new();
    if let Some(name) = name {
        text.extend_from_slice(name);
        text.extend_from_slice(b": ");
    }
    text.extend_from_slice(error_text(e).as_bytes());
    let text = vm.str_value(&text);
    vm.push(Value::NIL)?;
    vm.push(text)?;
    vm.push(Value::int(i64::from(e.raw_os_error().unwrap_or(0))))?;
    Ok(Ret::Many(3))
}

/// The shell command for `os.execute` and `io.popen`.
#[must_use]
pub fn shell(command: &[u8]) -> Command {
    let mut c = Command::new("/bin/sh");
    c.arg("-c").arg(os_string(command));
    c
}

/// `true|nil, "exit"|"signal", code` for a finished process.
///
/// # Errors
/// None but a full stack.
pub fn exec_result(vm: &mut VmState, status: ExitStatus) -> NativeResult {
    let (what, code) = how_ended(status);
    let text = vm.str_value(what.as_bytes());
    vm.push(if status.success() {
        Value::bool(true)
    } else {
        Value::NIL
    })?;
    vm.push(text)?;
    vm.push(Value::int(i64::from(code)))?;
    Ok(Ret::Many(3))
}

fn how_ended(status: ExitStatus) -> (&'static str, i32) {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return ("signal", signal);
    }
    ("exit", status.code().unwrap_or(-1))
}

/// A new file in the temporary directory, with its name.
///
/// # Errors
/// What creating it reports.
pub fn temporary_file() -> std::io::Result<(std::fs::File, std::path::PathBuf)> {
    use std::hash::{BuildHasher, Hasher, RandomState};
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
    let mut last = None;
    for _ in 0..100 {
        let mut bits = RandomState::new().build_hasher().finish();
        let mut name = String::from("lua_");
        for _ in 0..8 {
            name.push(char::from(DIGITS[(bits & 31) as usize]));
            bits >>= 5;
        }
        let path = std::env::temp_dir().join(name);
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(f) => return Ok((f, path)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => last = Some(e),
            Err(e) => return Err(e),
        }
    }
    Err(last.unwrap_or_else(|| std::io::ErrorKind::AlreadyExists.into()))
}
