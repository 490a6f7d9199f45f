//! Raising errors, and the message handlers that look at them where they are raised.

use super::*;
use crate::frame::flags;

/// Most message handlers running inside each other.
const MAX_HANDLER_DEPTH: u32 = 10;
/// Native calls that a message handler may nest beyond the limit.
const HANDLER_NATIVE_DEPTH: u32 = 25;

/// The message handler of an `xpcall`.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    /// The handler; nil if none.
    pub function: Value,
    /// The frame that it was set in: it is for errors above.
    pub(crate) frame: *mut FrameRecord,
}

impl Handler {
    /// No handler.
    pub(crate) const NONE: Handler = Handler {
        function: Value::NIL,
        frame: std::ptr::null_mut(),
    };
}

impl VmState {
    /// Raises `v` as a Lua error. The message handler, if there is one, runs
    /// here, with the stack of the error still in place; what it returns is
    /// the error that goes on.
    pub fn throw(&mut self, v: Value) -> Thrown {
        self.error = v;
        self.error_handled = false;
        self.error_traceback = None;
        self.thrown_at = (self.frame, self.top);
        if !self.dying && self.is_handled() {
            self.run_handler();
        }
        Thrown(())
    }

    /// A message handler for errors above the running frame.
    #[must_use]
    pub fn handler_from_here(&self, function: Value) -> Handler {
        Handler {
            function,
            frame: self.frame,
        }
    }

    /// Whether a message handler is for errors raised now. A `pcall` that
    /// compiled code has built in place hides it, and takes no other note of
    /// that than its record. O(frames) if there is a handler.
    fn is_handled(&self) -> bool {
        if self.handler.function.is_nil() {
            return false;
        }
        let mut frame = self.frame;
        while !frame.is_null() && frame != self.handler.frame {
            // SAFETY: records of active frames form a list down to the base.
            let record = unsafe { &*frame };
            if record.kind == FrameKind::NATIVE && record.flags & flags::IN_PLACE != 0 {
                return false;
            }
            frame = record.prev;
        }
        true
    }

    /// Runs the message handler on the error in flight. Errors inside it run
    /// it again, up to a limit. While it runs there is room beyond the limit
    /// of native calls, so that it can report their overflow.
    #[cold]
    fn run_handler(&mut self) {
        if self.handler_depth == MAX_HANDLER_DEPTH {
            self.error = self.str_value(b"error in error handling");
            self.error_handled = true;
            return;
        }
        let depth = self.native_depth;
        self.handler_depth += 1;
        self.native_depth = depth.saturating_sub(HANDLER_NATIVE_DEPTH);
        // A frame that is just being entered may lie above the limit.
        let (top, frame) = (self.top, self.frame);
        self.top = self.frame_end();
        let handler = self.handler.function;
        let error = self.error;
        match self.call::<1>(handler, &[error]) {
            Ok([handled]) => self.error = handled,
            // Raised in the handler, so handled by a nested run.
            Err(Thrown(())) => self.frame = frame,
        }
        self.top = top;
        self.native_depth = depth;
        self.handler_depth -= 1;
        self.error_handled = true;
    }

    /// Raises the overflow of the VM stack. The message handler runs with part
    /// of the stack's reserve; when that is used up, too, it is not called
    /// again.
    #[cold]
    #[inline(never)]
    pub fn stack_overflow(&mut self) -> Thrown {
        if self.overflowing {
            self.error = self.str_value(b"error in error handling");
            self.error_handled = true;
            self.frames_overwritten();
            return Thrown(());
        }
        self.overflowing = true;
        let limit = self.real_stack_limit;
        let native_limit = self.native_limit;
        self.set_real_stack_limit(limit.wrapping_add(STACK_RESERVE / 2));
        self.native_limit = native_limit.saturating_sub(NATIVE_RESERVE / 2);
        let thrown = self.runtime_error("stack overflow");
        self.set_real_stack_limit(limit);
        self.native_limit = native_limit;
        self.overflowing = false;
        thrown
    }

    /// Raises a string error with the position of the running Lua function
    /// (level 1) in front, as `luaL_error`.
    pub fn error(&mut self, message: impl AsRef<str>) -> Thrown {
        let text = format!("{}{}", self.where_am_i(1), message.as_ref());
        let v = self.str_value(text.as_bytes());
        self.throw(v)
    }

    /// Raises a string error of the language itself, as `luaG_runerror`: with
    /// the position in front if a Lua function is running, and none if a
    /// native function is.
    pub fn runtime_error(&mut self, message: impl AsRef<str>) -> Thrown {
        let position = self
            .frame_at(0)
            .map_or_else(String::new, |f| self.position_of(f));
        let text = format!("{position}{}", message.as_ref());
        let v = self.str_value(text.as_bytes());
        self.throw(v)
    }

    /// The stack above the running frame no longer is as it was when the error
    /// in flight was raised.
    pub fn frames_overwritten(&mut self) {
        self.thrown_at = (std::ptr::null_mut(), std::ptr::null_mut());
    }

    /// Goes on raising the error that is in [`VmState::error`].
    pub fn rethrow(&mut self) -> Thrown {
        Thrown(())
    }
}
