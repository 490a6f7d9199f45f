//! Side exits as data: how the interpreter's frame is rebuilt.
//!
//! A failing guard branches to a cold block of its own, which stores the
//! values that exist only in machine registers into `vm.exit_words` and calls
//! the exit helper. Everything else about the exit is static and lives here:
//! which instruction the interpreter resumes at, and for each live register
//! where its value is. Constants and dead registers cost compiled code nothing.
//!
//! After WebKit's FTL exit values and Graal's frame states.

use crate::reason::DeoptReason;
use vela_objects::Tag;

/// Where a register's value is when the exit is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A constant that is not a heap object.
    Constant {
        /// Tag.
        tag: Tag,
        /// Payload.
        payload: u64,
    },
    /// The literal in this pool slot, with its tag.
    Literal {
        /// Pool slot.
        slot: u32,
        /// Tag.
        tag: Tag,
    },
    /// `exit_words[word]` is the payload, the tag is static.
    Word {
        /// Index of the payload.
        word: u32,
        /// Tag.
        tag: Tag,
    },
    /// `exit_words[word]` is the payload, `exit_words[word + 1]` the tag.
    Tagged {
        /// Index of the payload.
        word: u32,
    },
    /// Already in its window slot.
    InWindow,
    /// The running closure itself.
    SelfClosure,
    /// The object of this number in [`SideExit::objects`].
    Object(u32),
}

/// An object that compiled code did without and that an exit makes. Sources
/// name only objects before it in [`SideExit::objects`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VirtualObject {
    /// A table.
    Table {
        /// Pool slot of its shape, all of whose slots are inline.
        shape: u32,
        /// Content of each slot of the shape.
        slots: Vec<Source>,
    },
    /// The cell of a captured variable.
    Cell(Source),
    /// A Lua closure.
    Closure {
        /// A closure of the function around it.
        parent: Source,
        /// Which of the prototypes nested in the parent's.
        child: u16,
        /// The captured cells.
        cells: Vec<Source>,
    },
}

/// One interpreter frame to rebuild.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExitFrame {
    /// Instruction that the interpreter executes next in this frame; for an
    /// outer frame of inlined code, the call instruction in progress.
    pub pc: u32,
    /// Live registers. Others are dead; debug builds poison them.
    pub regs: Vec<(u8, Source)>,
    /// For an inlined frame: its closure, and the register of the outer frame
    /// where its record goes.
    pub inlined: Option<InlinedAt>,
}

impl ExitFrame {
    /// Whether the frame is that of `pcall`. As the last frame it says that the
    /// function it called raised an error.
    #[must_use]
    pub fn is_native(&self) -> bool {
        let native = |s| matches!(s, Source::Literal { tag, .. } if tag == Tag::NATIVE_FN);
        self.inlined.is_some_and(|at| native(at.closure))
    }
}

/// Where an inlined frame belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InlinedAt {
    /// The callee's closure; or the library's `pcall`, whose frame has no
    /// registers of its own.
    pub closure: Source,
    /// Register of the outer frame where the frame's record goes: that of the
    /// call, or for a function with `...` the one behind its arguments.
    pub a: u8,
    /// Extra arguments of a function with `...`. They are registers of the
    /// outer frame, the last ones before `a`.
    pub nvarargs: u8,
    /// The frame replaced the one that was called, by a tail call.
    pub tail: bool,
}

/// A side exit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SideExit {
    /// Why it is taken.
    pub reason: DeoptReason,
    /// Bytecode pc of the instruction whose speculation failed, in the
    /// function of the innermost frame: where the failure is recorded. Differs
    /// from the resuming `pc` when the optimizer moved the guard.
    pub origin: u32,
    /// Frames, outermost first; the last one resumes.
    pub frames: Vec<ExitFrame>,
    /// If the innermost frame resumes at the use of an open list: the register
    /// behind its end, or nothing if the VM's top is right as it is.
    pub top: Option<u8>,
    /// Objects to make for them.
    pub objects: Vec<VirtualObject>,
    /// Taken before the OSR entry accepted the frame: not a failure, compiled
    /// code returns `RET_OSR_FAIL` instead of calling the exit helper.
    pub before_commit: bool,
}

/// A call site: what the collector and tracebacks need to know of a compiled
/// frame that is not the running one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// Bytecode pc in progress.
    pub pc: u32,
    /// Window registers with live values.
    pub live: Vec<u8>,
}
