//! The `io` library.
//!
//! Files are userdata over a [`Stream`]; the standard output is the one of
//! [`output`], which `print` writes to as well.

mod read;
pub mod stream;

use crate::args::{arg_error, check_any, check_option, check_str, opt_int, opt_str, type_error};
use crate::{output, register, sys};
use read::{Format, Item};
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, Error, Seek, SeekFrom, Write};
use std::rc::{Rc, Weak};
use stream::{Access, Buffering, Stream, valid_mode};
use vela_objects::{Args, LuaResult, NativeFn, NativeResult, Ret, Value, VmState, number};

/// Name of the type of files, and the key of their metatable in the registry.
const FILE: &str = "FILE*";
/// Most formats that `lines` takes.
const MAX_LINE_FORMATS: usize = 250;
/// `ESPIPE`: what seeking on the standard input reports.
const ILLEGAL_SEEK: i32 = 29;

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("io.close", close),
    ("io.flush", flush),
    ("io.input", input),
    ("io.lines", lines),
    ("io.open", open_file),
    ("io.output", set_output),
    ("io.popen", popen),
    ("io.read", read),
    ("io.tmpfile", tmpfile),
    ("io.type", kind),
    ("io.write", write),
];

const METHODS: &[(&str, NativeFn)] = &[
    ("file:close", file_close),
    ("file:flush", file_flush),
    ("file:lines", file_lines),
    ("file:read", file_read),
    ("file:seek", file_seek),
    ("file:setvbuf", file_setvbuf),
    ("file:write", file_write),
];

const METAMETHODS: &[(&str, NativeFn)] = &[
    ("file:__close", file_gc),
    ("file:__gc", file_gc),
    ("file:__tostring", file_tostring),
];

/// State of a file value.
enum FileState {
    Closed,
    Stdin,
    Stdout,
    Stderr,
    Open(Stream),
}

type FileRef = Rc<RefCell<FileState>>;

/// What a file userdata holds.
struct LuaFile(FileRef);

/// The default files and every open one. The values are also in the registry,
/// which keeps them alive.
struct IoState {
    input: Value,
    output: Value,
    open: Vec<Weak<RefCell<FileState>>>,
}

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    let io = register::library(vm, "io", FUNCTIONS);
    let methods = vm.table(0, 0);
    register::add_functions(vm, methods, METHODS);
    let meta = vm.table(0, 0);
    register::add_functions(vm, meta, METAMETHODS);
    register::set_field(vm, meta, "__index", Value::table(methods));
    let name = vm.str_value(FILE.as_bytes());
    register::set_field(vm, meta, "__name", name);
    meta.mark_meta(vm);
    methods.mark_meta(vm);
    let registry = vm.registry;
    register::set_field(vm, registry, FILE, Value::table(meta));
    let stdin = new_file(vm, FileState::Stdin);
    let stdout = new_file(vm, FileState::Stdout);
    let stderr = new_file(vm, FileState::Stderr);
    register::set_field(vm, io, "stdin", stdin);
    register::set_field(vm, io, "stdout", stdout);
    register::set_field(vm, io, "stderr", stderr);
    set_default(vm, Default::Input, stdin);
    set_default(vm, Default::Output, stdout);
}

/// Writes out what `print`, `io.write` and open files have buffered. Errors
/// have no one to go to any more.
pub fn flush_all(vm: &mut VmState) {
    let _ = output::flush(vm);
    for file in &state(vm).open {
        if let Some(file) = file.upgrade()
            && let Ok(mut file) = file.try_borrow_mut()
            && let FileState::Open(s) = &mut *file
        {
            let _ = s.flush();
        }
    }
}

fn state(vm: &mut VmState) -> &mut IoState {
    vm.host_state_or(|| IoState {
        input: Value::NIL,
        output: Value::NIL,
        open: Vec::new(),
    })
}

fn new_file(vm: &mut VmState, content: FileState) -> Value {
    let key = vm.str(FILE.as_bytes());
    let meta = vm.registry.get_str(key).as_table();
    let file = Rc::new(RefCell::new(content));
    let open = &mut state(vm).open;
    if open.len() == open.capacity() {
        open.retain(|f| f.strong_count() > 0);
    }
    open.push(Rc::downgrade(&file));
    let u = vm.userdata(Box::new(LuaFile(file)), meta);
    Value::userdata(u)
}

/// The file in a value, open or not.
fn file_in(v: Value) -> Option<FileRef> {
    v.as_userdata()?.with(|f: &LuaFile| f.0.clone())
}

fn is_closed(f: &FileRef) -> bool {
    matches!(*f.borrow(), FileState::Closed)
}

/// Argument `i` as a file.
fn check_file(vm: &mut VmState, args: Args, i: usize) -> LuaResult<FileRef> {
    match file_in(args.get(i)) {
        Some(f) => Ok(f),
        None => Err(type_error(vm, args, i, FILE)),
    }
}

/// Argument `i` as a file that is open.
fn check_open(vm: &mut VmState, args: Args, i: usize) -> LuaResult<FileRef> {
    let f = check_file(vm, args, i)?;
    if is_closed(&f) {
        Err(vm.error("attempt to use a closed file"))
    } else {
        Ok(f)
    }
}

// ---- default files ---------------------------------------------------

#[derive(Clone, Copy)]
enum Default {
    Input,
    Output,
}

impl Default {
    fn name(self) -> &'static str {
        match self {
            Default::Input => "input",
            Default::Output => "output",
        }
    }
}

fn set_default(vm: &mut VmState, which: Default, file: Value) {
    let registry = vm.registry;
    register::set_field(vm, registry, &format!("_IO_{}", which.name()), file);
    let s = state(vm);
    match which {
        Default::Input => s.input = file,
        Default::Output => s.output = file,
    }
}

fn default_value(vm: &mut VmState, which: Default) -> Value {
    let s = state(vm);
    match which {
        Default::Input => s.input,
        Default::Output => s.output,
    }
}

fn default_file(vm: &mut VmState, which: Default) -> LuaResult<FileRef> {
    match file_in(default_value(vm, which)) {
        Some(f) if !is_closed(&f) => Ok(f),
        _ => Err(vm.error(format!("default {} file is closed", which.name()))),
    }
}

fn change_default(vm: &mut VmState, args: Args, which: Default, mode: &[u8]) -> NativeResult {
    let v = args.get(0);
    if !v.is_nil() {
        let file = if vm.coerce_str(v).is_some() {
            open_or_raise(vm, args, mode)?
        } else {
            check_open(vm, args, 0)?;
            v
        };
        set_default(vm, which, file);
    }
    Ok(Ret::One(default_value(vm, which)))
}

fn input(vm: &mut VmState, args: Args) -> NativeResult {
    change_default(vm, args, Default::Input, b"r")
}

fn set_output(vm: &mut VmState, args: Args) -> NativeResult {
    change_default(vm, args, Default::Output, b"w")
}

// ---- opening and closing ---------------------------------------------

/// Opens the file that argument 0 names, for functions that raise errors.
fn open_or_raise(vm: &mut VmState, args: Args, mode: &[u8]) -> LuaResult<Value> {
    let name = check_str(vm, args, 0)?;
    match Stream::open(&sys::os_string(name.bytes()), mode) {
        Ok(s) => Ok(new_file(vm, FileState::Open(s))),
        Err(e) => {
            let why = sys::error_text(&e);
            Err(vm.error(format!("cannot open file '{}' ({why})", name.to_text())))
        }
    }
}

fn open_file(vm: &mut VmState, args: Args) -> NativeResult {
    let name = check_str(vm, args, 0)?.bytes();
    let mode = opt_str(vm, args, 1)?.map_or(&b"r"[..], |m| m.bytes());
    if !valid_mode(mode) {
        return Err(arg_error(vm, 1, "invalid mode"));
    }
    match Stream::open(&sys::os_string(name), mode) {
        Ok(s) => Ok(Ret::One(new_file(vm, FileState::Open(s)))),
        Err(e) => sys::failure(vm, &e, Some(name)),
    }
}

fn tmpfile(vm: &mut VmState, _: Args) -> NativeResult {
    let access = Access {
        read: true,
        write: true,
    };
    match sys::temporary_file() {
        Ok((file, path)) => {
            // The file lives on without a name until it is closed.
            let _ = std::fs::remove_file(path);
            let s = Stream::new(file, access);
            Ok(Ret::One(new_file(vm, FileState::Open(s))))
        }
        Err(e) => sys::failure(vm, &e, None),
    }
}

#[cfg(unix)]
fn spawn(command: &[u8], reading: bool) -> std::io::Result<Stream> {
    use std::os::fd::OwnedFd;
    use std::process::Stdio;
    let mut c = sys::shell(command);
    if reading {
        c.stdout(Stdio::piped());
    } else {
        c.stdin(Stdio::piped());
    }
    let mut child = c.spawn()?;
    let end: Option<OwnedFd> = if reading {
        child.stdout.take().map(OwnedFd::from)
    } else {
        child.stdin.take().map(OwnedFd::from)
    };
    let end = end.ok_or(std::io::ErrorKind::BrokenPipe)?;
    let access = Access {
        read: reading,
        write: !reading,
    };
    Ok(Stream::pipe(File::from(end), access, child))
}

#[cfg(not(unix))]
fn spawn(_: &[u8], _: bool) -> std::io::Result<Stream> {
    Err(std::io::ErrorKind::Unsupported.into())
}

fn popen(vm: &mut VmState, args: Args) -> NativeResult {
    let command = check_str(vm, args, 0)?.bytes();
    let mode = opt_str(vm, args, 1)?.map_or(&b"r"[..], |m| m.bytes());
    if !matches!(mode, b"r" | b"w") {
        return Err(arg_error(vm, 1, "invalid mode"));
    }
    flush_all(vm);
    match spawn(command, mode == b"r") {
        Ok(s) => Ok(Ret::One(new_file(vm, FileState::Open(s)))),
        Err(e) => sys::failure(vm, &e, Some(command)),
    }
}

/// Closes an open file; the standard files stay open.
fn close_file(vm: &mut VmState, f: &FileRef) -> NativeResult {
    let mut content = f.borrow_mut();
    if !matches!(*content, FileState::Open(_)) {
        let text = vm.str_value(b"cannot close standard file");
        vm.push(Value::NIL)?;
        vm.push(text)?;
        return Ok(Ret::Many(2));
    }
    let FileState::Open(s) = std::mem::replace(&mut *content, FileState::Closed) else {
        return Ok(Ret::None);
    };
    match s.close() {
        Ok(Some(status)) => sys::exec_result(vm, status),
        Ok(None) => Ok(Ret::One(Value::bool(true))),
        Err(e) => sys::failure(vm, &e, None),
    }
}

fn close(vm: &mut VmState, args: Args) -> NativeResult {
    let f = if args.is_empty() {
        match file_in(default_value(vm, Default::Output)) {
            Some(f) if !is_closed(&f) => f,
            _ => return Err(vm.error("attempt to use a closed file")),
        }
    } else {
        check_open(vm, args, 0)?
    };
    close_file(vm, &f)
}

fn file_close(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_open(vm, args, 0)?;
    close_file(vm, &f)
}

fn file_gc(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_file(vm, args, 0)?;
    let open = matches!(*f.borrow(), FileState::Open(_));
    if open {
        // As at a collection, a failure goes unnoticed.
        close_file(vm, &f)?;
    }
    Ok(Ret::None)
}

fn file_tostring(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_file(vm, args, 0)?;
    let text = if is_closed(&f) {
        "file (closed)".to_string()
    } else {
        format!("file ({:p})", Rc::as_ptr(&f))
    };
    Ok(Ret::One(vm.str_value(text.as_bytes())))
}

fn kind(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 0)?;
    let Some(f) = file_in(v) else {
        return Ok(Ret::One(Value::NIL));
    };
    let name: &[u8] = if is_closed(&f) {
        b"closed file"
    } else {
        b"file"
    };
    Ok(Ret::One(vm.str_value(name)))
}

// ---- reading ---------------------------------------------------------

/// A format from argument `i` of a read.
fn check_format(vm: &mut VmState, v: Value, i: usize) -> LuaResult<Format> {
    if v.is_number() {
        return match v.to_int() {
            Some(n) => Ok(Format::Bytes(n as usize)),
            None => Err(arg_error(vm, i, "number has no integer representation")),
        };
    }
    let Some(name) = v.as_str() else {
        let got = vm.type_name_of(v);
        return Err(arg_error(vm, i, &format!("string expected, got {got}")));
    };
    match Format::from_name(name.bytes()) {
        Some(f) => Ok(f),
        None => Err(arg_error(vm, i, "invalid format")),
    }
}

fn read_item(vm: &mut VmState, f: &FileRef, format: Format) -> std::io::Result<Option<Item>> {
    match &mut *f.borrow_mut() {
        FileState::Open(s) => read::item(s, format),
        FileState::Stdin => {
            let out = output::stdout(vm);
            if out.is_interactive() {
                out.flush()?;
            }
            read::item(&mut std::io::stdin().lock() as &mut dyn BufRead, format)
        }
        _ => Err(Error::from_raw_os_error(9)),
    }
}

/// Reads `count` items whose formats `format` gives (a line if none) and
/// pushes them; the first that cannot be read is nil and the last. Returns how
/// many it pushed and whether the last is such a nil. `first` is the number of
/// the first format's argument.
fn read_items(
    vm: &mut VmState,
    f: &FileRef,
    count: usize,
    format: impl Fn(usize) -> Value,
    first: usize,
) -> LuaResult<Result<(u32, bool), Error>> {
    let mut pushed = 0;
    for i in 0..count.max(1) {
        let format = if count == 0 {
            Format::Line { keep_end: false }
        } else {
            check_format(vm, format(i), first + i)?
        };
        let item = match read_item(vm, f, format) {
            Ok(item) => item,
            Err(e) => return Ok(Err(e)),
        };
        let v = match item {
            Some(Item::Bytes(b)) => vm.str_value(&b),
            Some(Item::Number(n)) => n.into(),
            None => Value::NIL,
        };
        vm.push(v)?;
        pushed += 1;
        if v.is_nil() {
            return Ok(Ok((pushed, true)));
        }
    }
    Ok(Ok((pushed, false)))
}

fn read_args(vm: &mut VmState, f: &FileRef, args: Args, first: usize) -> NativeResult {
    let count = args.len().saturating_sub(first);
    match read_items(vm, f, count, |i| args.get(first + i), first)? {
        Ok((n, _)) => Ok(Ret::Many(n)),
        Err(e) => sys::failure(vm, &e, None),
    }
}

fn read(vm: &mut VmState, args: Args) -> NativeResult {
    let f = default_file(vm, Default::Input)?;
    read_args(vm, &f, args, 0)
}

fn file_read(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_open(vm, args, 0)?;
    read_args(vm, &f, args, 1)
}

/// The iterator of `lines`: captures the file, whether it closes it at the
/// end, and the formats of arguments 1 and up.
fn line_iterator(vm: &mut VmState, file: Value, closes: bool, args: Args) -> LuaResult<Value> {
    let formats = args.len().saturating_sub(1);
    if formats > MAX_LINE_FORMATS {
        return Err(arg_error(vm, MAX_LINE_FORMATS + 1, "too many arguments"));
    }
    let mut captured = vec![file, Value::bool(closes)];
    captured.extend((0..formats).map(|i| args.get(i + 1)));
    let f = vm.native_with("for iterator", next_line, &captured);
    Ok(Value::native_fn(f))
}

fn next_line(vm: &mut VmState, _: Args) -> NativeResult {
    let running = vm.frame_at(0).and_then(|f| f.function().as_native_fn());
    let Some(me) = running else {
        return Ok(Ret::None);
    };
    let file = match file_in(me.upval(0)) {
        Some(f) if !is_closed(&f) => f,
        _ => return Err(vm.error("file is already closed")),
    };
    let formats = me.header.extra as usize - 2;
    let (n, failed) = match read_items(vm, &file, formats, |i| me.upval(i + 2), 1)? {
        Ok(read) => read,
        Err(e) => return Err(vm.error(sys::error_text(&e))),
    };
    if failed && n == 1 {
        if me.upval(1).truthy() {
            close_file(vm, &file)?;
        }
        return Ok(Ret::None);
    }
    Ok(Ret::Many(n))
}

fn file_lines(vm: &mut VmState, args: Args) -> NativeResult {
    check_open(vm, args, 0)?;
    Ok(Ret::One(line_iterator(vm, args.get(0), false, args)?))
}

fn lines(vm: &mut VmState, args: Args) -> NativeResult {
    if args.get(0).is_nil() {
        let file = default_value(vm, Default::Input);
        if file_in(file).is_none_or(|f| is_closed(&f)) {
            return Err(vm.error("attempt to use a closed file"));
        }
        return Ok(Ret::One(line_iterator(vm, file, false, args)?));
    }
    let file = open_or_raise(vm, args, b"r")?;
    let next = line_iterator(vm, file, true, args)?;
    // The file is the loop's to-be-closed value.
    for v in [next, Value::NIL, Value::NIL, file] {
        vm.push(v)?;
    }
    Ok(Ret::Many(4))
}

// ---- writing and positioning -----------------------------------------

fn write_bytes(vm: &mut VmState, f: &FileRef, bytes: &[u8]) -> std::io::Result<()> {
    match &mut *f.borrow_mut() {
        FileState::Stdout => output::stdout(vm).write(bytes),
        FileState::Open(s) => s.write(bytes),
        FileState::Stderr => std::io::stderr().write_all(bytes),
        FileState::Stdin | FileState::Closed => Err(Error::from_raw_os_error(9)),
    }
}

/// Writes the arguments from `first` on and returns `file`.
fn write_args(
    vm: &mut VmState,
    f: &FileRef,
    args: Args,
    first: usize,
    file: Value,
) -> NativeResult {
    let mut text = Vec::new();
    let mut result = Ok(());
    for i in first..args.len() {
        let v = args.get(i);
        let bytes = if let Some(s) = v.as_str() {
            s.bytes()
        } else if v.is_number() {
            text.clear();
            number::write(&mut text, v);
            // Unlike `tostring`, floats get no `.0` here.
            if v.as_float().is_some() && text.ends_with(b".0") {
                text.truncate(text.len() - 2);
            }
            &text[..]
        } else {
            return Err(type_error(vm, args, i, "string"));
        };
        if result.is_ok() {
            result = write_bytes(vm, f, bytes);
        }
    }
    match result {
        Ok(()) => Ok(Ret::One(file)),
        Err(e) => sys::failure(vm, &e, None),
    }
}

fn write(vm: &mut VmState, args: Args) -> NativeResult {
    let file = default_value(vm, Default::Output);
    let f = default_file(vm, Default::Output)?;
    write_args(vm, &f, args, 0, file)
}

fn file_write(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_open(vm, args, 0)?;
    write_args(vm, &f, args, 1, args.get(0))
}

fn flush_file(vm: &mut VmState, f: &FileRef) -> NativeResult {
    let result = match &mut *f.borrow_mut() {
        FileState::Stdout => output::flush(vm),
        FileState::Open(s) => s.flush(),
        _ => Ok(()),
    };
    match result {
        Ok(()) => Ok(Ret::One(Value::bool(true))),
        Err(e) => sys::failure(vm, &e, None),
    }
}

fn flush(vm: &mut VmState, _: Args) -> NativeResult {
    let f = default_file(vm, Default::Output)?;
    flush_file(vm, &f)
}

fn file_flush(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_open(vm, args, 0)?;
    flush_file(vm, &f)
}

fn file_seek(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_open(vm, args, 0)?;
    let whence = check_option(vm, args, 1, Some("cur"), &["set", "cur", "end"])?;
    let offset = opt_int(vm, args, 2, 0)?;
    let to = match whence {
        // No file reaches to where a negative offset would wrap; the system
        // reports it as it does for C.
        0 if offset < 0 => SeekFrom::Current(i64::MIN),
        0 => SeekFrom::Start(offset as u64),
        1 => SeekFrom::Current(offset),
        _ => SeekFrom::End(offset),
    };
    let result = match &mut *f.borrow_mut() {
        FileState::Open(s) => s.seek(to),
        FileState::Stdout => {
            output::flush(vm).and_then(|()| seek_descriptor(&std::io::stdout(), to))
        }
        FileState::Stderr => seek_descriptor(&std::io::stderr(), to),
        // Its buffer belongs to the process, which cannot drop it.
        FileState::Stdin | FileState::Closed => Err(Error::from_raw_os_error(ILLEGAL_SEEK)),
    };
    match result {
        Ok(at) => Ok(Ret::One(Value::int(at as i64))),
        Err(e) => sys::failure(vm, &e, None),
    }
}

#[cfg(unix)]
fn seek_descriptor(of: &impl std::os::fd::AsFd, to: SeekFrom) -> std::io::Result<u64> {
    File::from(of.as_fd().try_clone_to_owned()?).seek(to)
}

#[cfg(not(unix))]
fn seek_descriptor<T>(_: &T, _: SeekFrom) -> std::io::Result<u64> {
    Err(Error::from_raw_os_error(ILLEGAL_SEEK))
}

fn file_setvbuf(vm: &mut VmState, args: Args) -> NativeResult {
    let f = check_open(vm, args, 0)?;
    let mode = check_option(vm, args, 1, None, &["no", "full", "line"])?;
    // The size is a hint, which the buffers here do not need.
    opt_int(vm, args, 2, 0)?;
    let mode = [Buffering::No, Buffering::Full, Buffering::Line][mode];
    let result = match &mut *f.borrow_mut() {
        FileState::Open(s) => s.set_buffering(mode),
        FileState::Stdout => output::stdout(vm).set_buffering(mode),
        _ => Ok(()),
    };
    match result {
        Ok(()) => Ok(Ret::One(Value::bool(true))),
        Err(e) => sys::failure(vm, &e, None),
    }
}
