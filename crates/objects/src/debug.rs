//! Positions, names and tracebacks from frame records.

use crate::closure::LuaClosure;
use crate::frame::{FrameKind, FrameRecord, flags, marks};
use crate::gcref::Gc;
use crate::string::Str;
use crate::value::{Tag, Value};
use crate::vm::VmState;
use std::fmt::Write;
use std::sync::Arc;
use vela_bytecode::Proto;
use vela_bytecode::names::{self, ObjName};

/// Which operand of the current instruction a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The first (or only) operand.
    Left,
    /// The second operand.
    Right,
    /// The table operand of an access.
    Indexed,
    /// The callee.
    Callee,
    /// Operand `i` of a concatenation.
    Concat(u16),
    /// No operand has a name.
    None,
}

/// A frame as seen by error positions, tracebacks and `debug`.
#[derive(Clone, Copy)]
pub struct FrameView {
    record: *mut FrameRecord,
}

impl FrameView {
    /// The frame's function value.
    #[must_use]
    pub fn function(self) -> Value {
        // SAFETY: views are made from active records and used at once.
        unsafe { (*self.record).function() }
    }

    pub(crate) fn record(self) -> *mut FrameRecord {
        self.record
    }

    /// Whether the function above the frame is a finalizer or a hook.
    fn is_polling(self) -> bool {
        // SAFETY: as `function`.
        unsafe { (*self.record).flags & flags::POLL != 0 }
    }

    /// Whether the function above the frame is a hook, called for an event of
    /// the frame.
    #[must_use]
    pub fn is_hooked(self) -> bool {
        // SAFETY: as `function`.
        unsafe { (*self.record).marks & marks::HOOKED != 0 }
    }
}

impl VmState {
    /// First slot above everything the running frame uses.
    #[must_use]
    pub fn frame_end(&self) -> *mut Value {
        // SAFETY: `frame` is an active record.
        let record = unsafe { &*self.frame };
        if record.tag == Tag::LUA_FN {
            let c = Gc::<LuaClosure>::from_payload(record.func);
            let end = FrameRecord::registers(self.frame).wrapping_add(c.proto.max_stack as usize);
            // Open results may lie above the registers.
            if record.flags & flags::OPEN != 0 {
                self.top.max(end)
            } else {
                end
            }
        } else {
            self.top
        }
    }

    /// The active frame at `level` (0 is the running one); `None` above the
    /// last.
    #[must_use]
    pub fn frame_at(&self, level: usize) -> Option<FrameView> {
        let mut f = self.frame;
        for _ in 0..level {
            // SAFETY: records of active frames form a list down to the base.
            f = unsafe { (*f).prev };
            if f.is_null() {
                return None;
            }
        }
        // SAFETY: as above.
        (unsafe { (*f).kind } != FrameKind::BASE).then_some(FrameView { record: f })
    }

    /// The prototype and current pc of a Lua frame.
    #[must_use]
    pub fn lua_position(&self, f: FrameView) -> Option<(&Arc<Proto>, u32)> {
        let c = f.function().as_lua_fn()?;
        // SAFETY: `f` is an active record.
        let pc = unsafe {
            if (*f.record).kind == FrameKind::COMPILED {
                (self.hooks.compiled_pc)(self, f.record)
            } else {
                FrameRecord::position(f.record)
            }
        };
        Some((c.proto.proto(), pc))
    }

    /// Whether the frame was reached by a tail call.
    #[must_use]
    pub fn is_tail_call(&self, f: FrameView) -> bool {
        // SAFETY: `f` is an active record.
        let r = unsafe { &*f.record };
        if r.flags & flags::TAIL != 0 {
            return true;
        }
        if r.tag != Tag::LUA_FN || r.kind == FrameKind::INTERPRETED {
            return false;
        }
        // SAFETY: as above.
        unsafe { FrameRecord::is_tail_called(f.record) }
    }

    /// `file:line: ` of the Lua function at `level`, or nothing.
    #[must_use]
    pub fn where_am_i(&self, level: usize) -> String {
        let level = match level {
            // Level 1 is the function that raised: natives raise on behalf
            // of their caller.
            1 if self
                .frame_at(0)
                .is_some_and(|f| f.function().tag == Tag::LUA_FN) =>
            {
                0
            }
            n => n,
        };
        let Some(f) = self.frame_at(level) else {
            return String::new();
        };
        self.position_of(f)
    }

    /// `file:line: ` of a frame, or nothing for natives.
    #[must_use]
    pub fn position_of(&self, f: FrameView) -> String {
        match self.lua_position(f) {
            Some((proto, pc)) => match proto.lines.line(pc) {
                Some(line) => format!("{}:{}: ", chunk_id(&proto.source), line),
                None => format!("{}:-1: ", chunk_id(&proto.source)),
            },
            None => String::new(),
        }
    }

    /// ` (local 'x')` and the like for an operand of the current instruction,
    /// or nothing when it has no name (or the running function is native).
    #[must_use]
    pub fn operand_info(&self, at: Operand) -> String {
        let Some((proto, pc)) = self.frame_at(0).and_then(|f| self.lua_position(f)) else {
            return String::new();
        };
        match operand_name(proto, pc, at) {
            Some(n) => format!(" ({} '{}')", n.kind, String::from_utf8_lossy(n.name)),
            None => String::new(),
        }
    }

    /// What the calling instruction calls the function of the frame at
    /// `level`: `("method", "insert")` and so on; `None` when it was called
    /// from native code, by a tail call, or the expression has no name.
    #[must_use]
    pub fn function_name(&self, level: usize) -> Option<(&'static str, String)> {
        let f = self.frame_at(level)?;
        let caller = self.frame_at(level + 1);
        if caller.is_some_and(FrameView::is_hooked) {
            return Some(("hook", "?".into()));
        }
        if caller.is_some_and(FrameView::is_polling) {
            return Some(("metamethod", "__gc".into()));
        }
        if self.is_tail_call(f) {
            return None;
        }
        let (proto, pc) = self.lua_position(caller?)?;
        let n = names::function_name(proto, pc)?;
        Some((n.kind, String::from_utf8_lossy(n.name).into_owned()))
    }

    /// The name of the function at `level` in the loaded modules
    /// (`string.rep`, or `print` for fields of `_G`). O(entries of the loaded
    /// modules).
    #[must_use]
    pub fn global_function_name(&self, level: usize) -> Option<String> {
        let f = self.frame_at(level)?.function();
        let loaded = self.find_registry("_LOADED")?.as_table()?;
        let text = |k: Gc<Str>| k.to_text();
        let mut module = Value::NIL;
        while let Ok(Some((k, v))) = loaded.next(module) {
            module = k;
            let Some(module_name) = k.as_str() else {
                continue;
            };
            if v.raw_eq(f) {
                return Some(text(module_name));
            }
            let Some(t) = v.as_table() else { continue };
            let mut field = Value::NIL;
            while let Ok(Some((k, v))) = t.next(field) {
                field = k;
                if let Some(name) = k.as_str()
                    && v.raw_eq(f)
                {
                    return Some(match module_name.bytes() {
                        b"_G" => text(name),
                        _ => format!("{}.{}", text(module_name), text(name)),
                    });
                }
            }
        }
        None
    }

    fn find_registry(&self, name: &str) -> Option<Value> {
        let mut key = Value::NIL;
        while let Ok(Some((k, v))) = self.registry.next(key) {
            if k.as_str().is_some_and(|s| s.bytes() == name.as_bytes()) {
                return Some(v);
            }
            key = k;
        }
        None
    }

    /// Number of active frames.
    #[must_use]
    pub fn depth(&self) -> usize {
        let (mut f, mut n) = (self.frame, 0);
        // SAFETY: records of active frames form a list down to the base.
        while unsafe { (*f).kind } != FrameKind::BASE {
            n += 1;
            // SAFETY: as above.
            f = unsafe { (*f).prev };
            if f.is_null() {
                break;
            }
        }
        n
    }

    /// The current line of a frame; `None` for natives and stripped code.
    #[must_use]
    pub fn current_line(&self, f: FrameView) -> Option<u32> {
        let (proto, pc) = self.lua_position(f)?;
        proto.lines.line(pc)
    }

    /// A traceback in PUC Lua's form, starting at `level` (0 is the running
    /// function), with `message` in front if there is one.
    #[must_use]
    pub fn traceback(&self, message: Option<&str>, level: usize) -> String {
        /// Levels shown at the start and at the end of a long stack.
        const FIRST: usize = 10;
        const LAST: usize = 11;
        let mut out = String::new();
        if let Some(m) = message {
            out.push_str(m);
            out.push('\n');
        }
        out.push_str("stack traceback:");
        // The host's base counts as the last level of the main program:
        // `[C]: in ?`.
        let depth = self.depth() + usize::from(self.is_main_stack());
        let skip = depth.saturating_sub(level) > FIRST + LAST + 1;
        let mut level = level;
        let mut shown = 0;
        while level < depth {
            if skip && shown == FIRST {
                let n = depth - level - LAST;
                // PUC Lua does not count the level that this line stands for.
                let _ = write!(out, "\n\t...\t(skipping {} levels)", n - 1);
                level += n;
                shown += 1;
                continue;
            }
            shown += 1;
            match self.frame_at(level) {
                None => out.push_str("\n\t[C]: in ?"),
                Some(f) => self.traceback_line(&mut out, f, level),
            }
            level += 1;
        }
        out
    }

    fn traceback_line(&self, out: &mut String, f: FrameView, level: usize) {
        let info = FunctionInfo::of(f.function());
        match self.current_line(f) {
            Some(line) => {
                let _ = write!(out, "\n\t{}:{line}: in ", info.short_src);
            }
            None => {
                let _ = write!(out, "\n\t{}: in ", info.short_src);
            }
        }
        let _ = if let Some(name) = self.global_function_name(level) {
            write!(out, "function '{name}'")
        } else if let Some((kind, name)) = self.function_name(level) {
            write!(out, "{kind} '{name}'")
        } else {
            match info.what {
                "main" => write!(out, "main chunk"),
                "C" => write!(out, "?"),
                _ => write!(out, "function <{}:{}>", info.short_src, info.line_defined),
            }
        };
        if self.is_tail_call(f) {
            out.push_str("\n\t(...tail calls...)");
        }
    }
}

/// What `debug.getinfo` tells of a function itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Chunk name as it was given to `load`.
    pub source: String,
    /// Chunk name for messages.
    pub short_src: String,
    /// `Lua`, `C` or `main`.
    pub what: &'static str,
    /// Line of the definition; -1 for natives.
    pub line_defined: i64,
    /// Line of the definition's end; -1 for natives.
    pub last_line: i64,
    /// Number of upvalues.
    pub upvalues: usize,
    /// Number of fixed parameters; 0 for natives.
    pub params: u8,
    /// Whether it takes `...`; true for natives.
    pub is_vararg: bool,
}

impl FunctionInfo {
    /// Describes a function; values that are none are described as natives.
    #[must_use]
    pub fn of(f: Value) -> FunctionInfo {
        match f.as_lua_fn() {
            Some(c) => {
                let p = c.proto.proto();
                FunctionInfo {
                    source: p.source.to_string(),
                    short_src: chunk_id(&p.source),
                    what: if p.line_defined == 0 { "main" } else { "Lua" },
                    line_defined: i64::from(p.line_defined),
                    last_line: i64::from(p.last_line),
                    upvalues: c.upval_count(),
                    params: p.num_params,
                    is_vararg: p.is_vararg,
                }
            }
            None => FunctionInfo {
                source: "=[C]".into(),
                short_src: "[C]".into(),
                what: "C",
                line_defined: -1,
                last_line: -1,
                upvalues: f.as_native_fn().map_or(0, |n| n.header.extra as usize),
                params: 0,
                is_vararg: true,
            },
        }
    }
}

/// The name of an operand of the instruction at `pc`.
fn operand_name(proto: &Proto, pc: u32, at: Operand) -> Option<ObjName<'_>> {
    let i = *proto.code.get(pc as usize)?;
    let format = i.op()?.format().as_bytes();
    let register = |letter: usize, n: u16| {
        matches!(format.get(letter), Some(b'R' | b'M'))
            .then(|| u8::try_from(n).ok())
            .flatten()
            .and_then(|r| names::register_name(proto, pc, r))
    };
    match at {
        Operand::Left => register(1, i.b()),
        Operand::Right => register(2, i.c()),
        Operand::Indexed => names::indexed_name(proto, pc),
        Operand::Callee => names::function_name(proto, pc),
        Operand::Concat(n) => {
            let r = u8::try_from(i.b().checked_add(n)?).ok()?;
            names::register_name(proto, pc, r)
        }
        Operand::None => None,
    }
}

/// A chunk name for messages, as PUC Lua's `luaO_chunkid`.
#[must_use]
pub fn chunk_id(source: &str) -> String {
    const MAX: usize = 60;
    if let Some(name) = source.strip_prefix('=') {
        return name.chars().take(MAX - 1).collect();
    }
    if let Some(file) = source.strip_prefix('@') {
        if file.len() < MAX {
            return file.to_string();
        }
        let keep = MAX - 1 - 3;
        let tail: String = file
            .chars()
            .rev()
            .take(keep)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        return format!("...{tail}");
    }
    let first = source.split('\n').next().unwrap_or("");
    let room = MAX - "[string \"...\"]".len() - 1;
    if first.len() == source.len() && first.len() < room {
        format!("[string \"{first}\"]")
    } else {
        let cut: String = first.chars().take(room).collect();
        format!("[string \"{cut}...\"]")
    }
}

#[cfg(test)]
mod tests {
    use super::chunk_id;

    #[test]
    fn chunk_names_are_cut_as_in_puc_lua() {
        let x = |n: usize| "x".repeat(n);
        assert_eq!(chunk_id("=name"), "name");
        assert_eq!(chunk_id(&format!("={}", x(70))), x(59));
        assert_eq!(chunk_id("@file.lua"), "file.lua");
        assert_eq!(chunk_id(&format!("@{}", x(59))), x(59));
        assert_eq!(chunk_id(&format!("@{}", x(60))), format!("...{}", x(56)));
        assert_eq!(chunk_id("return 1"), "[string \"return 1\"]");
        assert_eq!(chunk_id("a\nb"), "[string \"a...\"]");
        assert_eq!(chunk_id(&x(44)), format!("[string \"{}\"]", x(44)));
        assert_eq!(chunk_id(&x(45)), format!("[string \"{}...\"]", x(45)));
        assert_eq!(chunk_id(""), "[string \"\"]");
    }
}
