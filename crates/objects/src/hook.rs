//! Debug hooks: functions that the program has called at events of a thread.
//!
//! Every thread has its own hook. [`VmState::hook_mask`] holds the events of
//! the running thread; it is 0 while a hook runs, so that hooks are not
//! hooked. The interpreter raises the events. Compiled code raises none:
//! while any thread has a hook, no compiled code is entered, and active code
//! leaves when the call in progress returns ([`crate::Hooks::hooked`]).

use crate::debug::FrameView;
use crate::frame::{FrameKind, flags, marks};
use crate::gcref::Gc;
use crate::thread::Thread;
use crate::value::Value;
use crate::vm::{LuaResult, VmState};

/// Bits of a hook's mask.
pub mod mask {
    /// Calls of functions.
    pub const CALL: u8 = 1;
    /// Returns of functions.
    pub const RETURN: u8 = 2;
    /// Beginnings of source lines.
    pub const LINE: u8 = 4;
    /// Every `n`th instruction.
    pub const COUNT: u8 = 8;
}

/// What a hook is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookEvent {
    /// A function was called.
    Call,
    /// A function was called that replaces its caller.
    TailCall,
    /// A function is about to return.
    Return,
    /// A line is about to be executed; absent for code without lines.
    Line(Option<u32>),
    /// The interval of instructions is over.
    Count,
}

impl HookEvent {
    /// The name that the hook function gets.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            HookEvent::Call => "call",
            HookEvent::TailCall => "tail call",
            HookEvent::Return => "return",
            HookEvent::Line(_) => "line",
            HookEvent::Count => "count",
        }
    }
}

/// Values that a call hands over: the first one's number as a local variable
/// of the function, and how many there are.
pub type Transfer = (u32, u32);

/// The hook of one thread.
#[derive(Clone, Copy)]
pub struct Hook {
    /// The function; nil without a hook.
    pub function: Value,
    /// Events that it is called for.
    pub mask: u8,
    /// Instructions between two count events; 0 for none.
    pub interval: u32,
    /// Instructions left until the next one.
    left: u32,
    /// The thread counts as one with a hook, which it does until it is dead.
    pub(crate) counted: bool,
    /// Hooks are off: the hook itself or a finalizer runs.
    off: bool,
    /// What the event that the hook runs for hands over.
    transfer: Transfer,
}

impl Hook {
    /// No hook.
    pub const NONE: Hook = Hook {
        function: Value::NIL,
        mask: 0,
        interval: 0,
        left: 0,
        counted: false,
        off: false,
        transfer: (0, 0),
    };

    /// The hook that takes the place of this one, even while it is off.
    pub(crate) fn replaced_by(&self, new: Hook) -> Hook {
        Hook {
            off: self.off,
            transfer: self.transfer,
            ..new
        }
    }

    /// Events that are raised now.
    pub(crate) fn active(&self) -> u8 {
        if self.off { 0 } else { self.mask }
    }
}

impl VmState {
    /// Sets the hook of thread `t`; a `mask` of 0 removes it. `interval` is
    /// the number of instructions between count events.
    pub fn set_hook(&mut self, t: Gc<Thread>, function: Value, mask: u8, interval: u32) {
        let had = t.hook().counted;
        let hook = if mask == 0 {
            Hook::NONE
        } else {
            Hook {
                function,
                mask,
                interval,
                left: interval,
                counted: true,
                ..Hook::NONE
            }
        };
        let active = self.replace_hook(t, hook);
        if t == self.thread {
            self.hook_mask = active;
        }
        self.barrier(function);
        match (had, mask != 0) {
            (false, true) => self.threads.hooked += 1,
            (true, false) => self.threads.hooked -= 1,
            _ => {}
        }
        (self.hooks.hooked)(self);
    }

    /// Whether any thread has a hook.
    #[must_use]
    pub fn is_hooked(&self) -> bool {
        self.threads.hooked != 0
    }

    /// Counts an instruction of the running thread, whose hook has the count
    /// event. Returns whether the event is due.
    pub fn count_instruction(&mut self) -> bool {
        self.with_hook(|hook| {
            hook.left = hook.left.saturating_sub(1);
            let due = hook.left == 0;
            if due {
                hook.left = hook.interval;
            }
            due
        })
    }

    /// Calls the running thread's hook for an event of the running frame. An
    /// interpreted frame has its pc saved and stands before that instruction;
    /// `keep` more values, below `top`, stay alive.
    ///
    /// # Errors
    /// What the hook raises.
    pub fn run_hook(&mut self, event: HookEvent, transfer: Transfer, keep: usize) -> LuaResult<()> {
        let function = self.with_hook(|hook| {
            hook.off = true;
            hook.transfer = if transfer.1 == 0 { (0, 0) } else { transfer };
            hook.function
        });
        self.hook_mask = 0;
        let (frame, top) = (self.frame, self.top);
        // SAFETY: the running frame's record.
        let (old_flags, interpreted) = unsafe {
            (*frame).marks |= marks::HOOKED;
            ((*frame).flags, (*frame).kind == FrameKind::INTERPRETED)
        };
        if interpreted {
            self.top = self.frame_end();
            if keep > 0 {
                self.top = self.top.max(top);
            }
            // SAFETY: as above.
            unsafe { (*frame).flags |= flags::POLL };
        }
        for i in 0..keep {
            // SAFETY: by contract, initialised slots.
            let v = unsafe { *top.sub(i + 1) };
            self.pin(v);
        }
        let line = match event {
            HookEvent::Line(Some(line)) => Value::int(line.into()),
            _ => Value::NIL,
        };
        let name = self.str_value(event.name().as_bytes());
        let unyieldable = self.forbid_yield(true);
        let result = self.call::<0>(function, &[name, line]);
        self.forbid_yield(unyieldable);
        for _ in 0..keep {
            self.unpin();
        }
        // SAFETY: as above; the frame is still active.
        unsafe {
            (*frame).marks &= !marks::HOOKED;
            (*frame).flags = old_flags;
        }
        self.top = top;
        self.hook_mask = self.with_hook(|hook| {
            hook.off = false;
            hook.mask
        });
        result.map(|_| ())
    }

    /// Turns the running thread's hook off for a finalizer, or back to what
    /// this returned.
    pub(crate) fn hooks_off(&mut self, off: bool) -> bool {
        let (was, active) = self.with_hook(|hook| {
            let was = std::mem::replace(&mut hook.off, off);
            (was, hook.active())
        });
        self.hook_mask = active;
        was
    }

    /// Values that the hook running for the frame `f` of thread `t` is about;
    /// none without a hook.
    #[must_use]
    pub fn transfer_of(&self, t: Gc<Thread>, f: FrameView) -> Transfer {
        if f.is_hooked() {
            t.hook().transfer
        } else {
            (0, 0)
        }
    }
}
