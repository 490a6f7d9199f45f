//! The intermediate form: typed SSA over Lua values with explicit guards.
//!
//! A [`Func`] is a control-flow graph of blocks with parameters (in place of
//! phis, as in Cranelift and MLIR). A value either has a *machine type* that
//! speculation proved (`Int`, `Float`, `Table`, ...) or is `Any`, a payload
//! with its tag. Speculations are explicit instructions with a [`FrameState`]:
//! when a guard fails, the state says how to rebuild the interpreter's frame.
//!
//! The bytecode registers of the function live in SSA values; the frame's
//! *window* on the VM stack is only written ([`Op::StoreReg`]) before an
//! instruction that may collect, raise or look at the stack, and only read
//! ([`Op::LoadReg`]) where the interpreter's own helpers put results.

mod effects;

pub use effects::Alias;

use crate::helper::Helper;
use smallvec::SmallVec;
use vela_objects::Tag;

macro_rules! entity {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// Position in the function's list.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

entity!(
    /// A basic block.
    Block,
    "b"
);
entity!(
    /// An SSA value: the result of an instruction or a block parameter.
    Val,
    "v"
);
entity!(
    /// An instruction.
    Inst,
    "i"
);
entity!(
    /// A frame state.
    State,
    "fs"
);
entity!(
    /// A slot of the literal pool.
    Pool,
    "p"
);
entity!(
    /// A call site: a place where the frame may be looked at from outside.
    Site,
    "s"
);

/// The type of an SSA value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    /// A Lua value of unknown type: payload and tag.
    Any,
    /// A 64-bit integer.
    Int,
    /// A double.
    Float,
    /// A boolean, as one bit.
    Bool,
    /// A string.
    Str,
    /// A table.
    Table,
    /// A Lua closure.
    LuaFn,
    /// A native function.
    NativeFn,
    /// A full userdata.
    Userdata,
    /// A captured variable's cell (never a Lua value).
    Cell,
    /// nil.
    Nil,
    /// A machine pointer that is no Lua value (elements, slots, shapes).
    Ptr,
    /// No result.
    None,
}

impl Ty {
    /// The type of Lua values with this tag; `None` for tags without one.
    #[must_use]
    pub fn from_tag(tag: Tag) -> Option<Ty> {
        Some(match tag {
            Tag::NIL => Ty::Nil,
            Tag::BOOL => Ty::Bool,
            Tag::INT => Ty::Int,
            Tag::FLOAT => Ty::Float,
            Tag::STR => Ty::Str,
            Tag::TABLE => Ty::Table,
            Tag::LUA_FN => Ty::LuaFn,
            Tag::NATIVE_FN => Ty::NativeFn,
            Tag::USERDATA => Ty::Userdata,
            Tag::CELL => Ty::Cell,
            _ => return None,
        })
    }

    /// The tag of Lua values of this type; `None` for `Any`, `Ptr`, `None`.
    #[must_use]
    pub fn tag(self) -> Option<Tag> {
        Some(match self {
            Ty::Nil => Tag::NIL,
            Ty::Bool => Tag::BOOL,
            Ty::Int => Tag::INT,
            Ty::Float => Tag::FLOAT,
            Ty::Str => Tag::STR,
            Ty::Table => Tag::TABLE,
            Ty::LuaFn => Tag::LUA_FN,
            Ty::NativeFn => Tag::NATIVE_FN,
            Ty::Userdata => Tag::USERDATA,
            Ty::Cell => Tag::CELL,
            Ty::Any | Ty::Ptr | Ty::None => return None,
        })
    }

    /// Whether a value of this type may point to a heap object.
    #[must_use]
    pub fn may_be_object(self) -> bool {
        self == Ty::Any || self.tag().is_some_and(Tag::is_object)
    }

    /// Name in the textual form.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ty::Any => "any",
            Ty::Int => "int",
            Ty::Float => "float",
            Ty::Bool => "bool",
            Ty::Str => "str",
            Ty::Table => "table",
            Ty::LuaFn => "luafn",
            Ty::NativeFn => "nativefn",
            Ty::Userdata => "userdata",
            Ty::Cell => "cell",
            Ty::Nil => "nil",
            Ty::Ptr => "ptr",
            Ty::None => "none",
        }
    }

    /// All types, for the parser.
    pub const ALL: [Ty; 13] = [
        Ty::Any,
        Ty::Int,
        Ty::Float,
        Ty::Bool,
        Ty::Str,
        Ty::Table,
        Ty::LuaFn,
        Ty::NativeFn,
        Ty::Userdata,
        Ty::Cell,
        Ty::Nil,
        Ty::Ptr,
        Ty::None,
    ];
}

/// Condition of an integer or float comparison. Float conditions are false
/// when an operand is NaN, except `Ne`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Cond {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// Unsigned less-than (integers only).
    ULt,
}

/// Why a side exit is taken. The numbers are bits of
/// [`FeedbackSlot::failed`](vela_objects::feedback::FeedbackSlot) where a site
/// is at fault.
pub use vela_deopt::DeoptReason;

/// Binary integer operators; results wrap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum IntOp {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    /// Lua's `<<`: any count, negative shifts right.
    Shl,
    /// Lua's `>>`.
    Shr,
    /// `//`; the divisor is not zero.
    FloorDiv,
    /// Lua's `%`; the divisor is not zero.
    Mod,
}

/// Binary float operators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum FloatOp {
    Add,
    Sub,
    Mul,
    Div,
    /// Lua's `%`.
    Mod,
    /// `floor(a / b)`.
    FloorDiv,
    Pow,
    Min,
    Max,
    Atan2,
    Fmod,
}

/// Unary float functions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum FloatFn {
    Neg,
    Abs,
    Sqrt,
    Floor,
    Ceil,
    Sin,
    Cos,
    Tan,
    Exp,
    Log,
}

/// Where a field slot is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SlotLoc {
    /// Inline slot `index` of objects with `cap` inline slots.
    Inline {
        /// Slot number.
        index: u16,
        /// Inline capacity, which locates the tags.
        cap: u8,
    },
    /// Out-of-line slot (already less the inline capacity).
    Out(u16),
}

/// An operation. Operands are in [`InstData::args`], in the order that each
/// variant's documentation gives.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    // ---- constants ---------------------------------------------------
    /// `-> int`
    Int(i64),
    /// `-> float`, by its bits
    Float(u64),
    /// `-> bool`
    Bool(bool),
    /// `-> nil`
    Nil,
    /// The literal in a pool slot; the result type says what it is
    /// (`Str`, `Table`, `LuaFn`, `Cell`, or `Ptr` for a shape or prototype).
    Literal(Pool),
    /// The running closure `-> luafn`
    SelfClosure,

    // ---- boxing ------------------------------------------------------
    /// `(typed) -> any`
    Box,
    /// `(any) -> bool`: has this tag
    HasTag(Tag),
    /// `(any) -> typed`: reads the payload as the result type, unchecked; a
    /// guard or branch on [`Op::HasTag`] dominates
    Unbox,
    /// `(any) -> typed`: exits unless the tag is that of the result type
    GuardTag(Tag),
    /// `(any) -> bool`: true in a condition
    Truthy,
    /// `(any, any) -> bool`: raw equality of tag and payload bits, which is
    /// Lua's `rawequal` unless a number is involved
    SameBits,

    // ---- integers and floats -----------------------------------------
    /// `(int, int) -> int`
    IntOp(IntOp),
    /// `(int, int) -> bool`
    IntCmp(Cond),
    /// `(float, float) -> float`
    FloatOp(FloatOp),
    /// `(float) -> float`
    FloatFn(FloatFn),
    /// `(float, float) -> bool`
    FloatCmp(Cond),
    /// `(int) -> float`
    IntToFloat,
    /// `(float) -> int`: exits unless the float has an exact integer value
    GuardFloatToInt,
    /// `(bool) -> bool`
    Not,
    /// `(T, T) -> bool` for two objects of one type: same object
    SameObject,
    /// `(bool, T, T) -> T`
    Select,
    /// `(str, str) -> bool`: byte order `<` (`true`: `<=`)
    StrLess(bool),
    /// `(str) -> int`
    StrLen,
    /// `(str, int i) -> int`: the byte at 0-based `i`, which is in range
    StrByte,
    /// `(values...)`: what the helper does ([`Helper::effect`]); no call site.
    /// It gets the VM, then payload and tag of each `any`, the payload alone
    /// of each typed operand. A result of class `Pair` is `any`, which may
    /// have the tag `RET_NONE` where the helper says so
    Lib(Helper),
    /// `-> any`: second result of the [`Op::Lib`] right before
    SecondResult,

    // ---- guards ------------------------------------------------------
    /// `(bool)`: exits unless true
    Guard,
    /// Exits always (a path never seen); ends the block
    Exit,
    /// `()`: exits if this code was invalidated (a watched assumption broke)
    /// while a call was in progress: tests word 0 of the literal pool, which
    /// turns nonzero then. Literal `k` is word `k + 1`
    GuardValid,
    /// As [`Op::GuardValid`] right behind a poll, where nothing but the poll can
    /// have ended the code's validity: tested where the poll is taken
    GuardPolled,

    // ---- window ------------------------------------------------------
    /// `(typed or any)`: writes the register's slot in the window
    StoreReg(u8),
    /// `-> any`: reads the register's slot
    LoadReg(u8),
    /// `-> int`: number of extra arguments of a vararg frame
    VarargCount,
    /// `(int i) -> any`: extra argument `i` (0-based, in range)
    LoadVararg,

    // ---- cells and upvalues ------------------------------------------
    /// `(luafn) -> cell`: upvalue `n` of the closure
    Upval(u8),
    /// `(cell) -> any`
    LoadCell,
    /// `(cell, any or typed)`; with barrier
    StoreCell,
    /// `(any or typed) -> cell`
    NewCell,
    /// `(luafn, cells...) -> luafn`: a closure of the n-th prototype nested in
    /// that of the first operand, with these cells as upvalues. Behind it, if
    /// known, the pool slot of that prototype
    NewClosure(u16, Option<Pool>),

    // ---- tables ------------------------------------------------------
    /// `(table) -> ptr`: its shape
    LoadShape,
    /// `(table, ptr shape)`: exits unless the table has the shape
    GuardShape,
    /// `(table, ptr shapes...) -> bool`: whether it has one of the shapes
    ShapeIn,
    /// `(table) -> T`: a slot's content. With a typed result the field's
    /// lattice proves the tag; with `any` the tag is loaded
    LoadSlot(SlotLoc),
    /// `(table, T)`: writes a slot; `true` writes the tag too. With barrier.
    /// The lattice allows the value
    StoreSlot(SlotLoc, bool),
    /// `(table, ptr shape, any)`: adds the field that `shape` has over the
    /// table's shape (helper, may allocate)
    AddSlot,
    /// `(table, ptr shape)`: the table has this shape from here on. It has the
    /// layout of the shape before, or more inline slots, which were just
    /// written, or another metatable
    SetShape,
    /// `(table, str) -> any`: the field, through the VM-wide cache or the hash
    /// part (helper); of tag [`Tag::RET_NONE`] if only the interpreter can
    /// tell. Runs no Lua code and changes nothing
    FindField,
    /// `(table, str, T) -> bool`: stores the field that the source names if
    /// that is quickly done (helper): without metamethods and without breaking what the field is
    /// known to contain; false, with nothing changed, if not
    PutField,
    /// As [`Op::FindField`] for a key of any type: `(table, T) -> any`
    FindIndex,
    /// As [`Op::PutField`] for a computed key of any type:
    /// `(table, T, T) -> bool`
    PutIndex,
    /// `(table) -> int`: elements in use, which is the border
    ElemsLen,
    /// `(table) -> int`: the elements kind byte
    ElemsKind,
    /// `(table) -> int`: how many elements there is room for
    ElemsCap,
    /// `(table, int)`: so many elements are in use now, which are there, of the
    /// table's kind, the last one not nil
    SetElemsLen,
    /// `(table, int i) -> T`: element at 0-based `i`, in bounds; with a typed
    /// result the elements kind was checked, with `any` it may be anything
    LoadElem,
    /// `(table, int i, T)`: overwrites in bounds, or in the room behind, before
    /// [`Op::SetElemsLen`]; the elements kind was checked to be that of `T`, which is
    /// typed. With barrier
    StoreElem,
    /// `(table, int i, T)`: stores at 0-based `i`, in bounds, mixed elements;
    /// the value is not nil. With barrier
    StoreElemMixed,
    /// `(table, T)`: appends a non-nil value; none is beyond the elements
    /// ([`Op::NoneBeyond`]), and there may be no room (helper, allocates)
    PushElem,
    /// `(table) -> bool`: no hash part and no per-object metatable
    NoExt,
    /// `(table) -> bool`: no positive integer key besides the elements, and no
    /// per-object metatable
    NoneBeyond,
    /// `(table) -> bool`: the shape has no metatable (with [`Op::NoExt`] or
    /// [`Op::NoneBeyond`]: the table has none)
    NoMeta,
    /// `[(ptr shape, elements...)] -> table`: fresh, with room for fields and
    /// elements. The first operand, if there is one, is the empty shape with
    /// exactly `fields` inline slots, which the table then is known to have.
    /// The other operands, at most `elems`, for which the table's cell has
    /// room, are what a constructor lists: elements, up to the last one that
    /// is not nil
    NewTable {
        /// Inline slots wanted.
        fields: u16,
        /// Elements wanted.
        elems: u16,
    },
    /// `-> int`: the VM's metatable epoch
    MetaEpoch,

    // ---- objects that only side exits make ----------------------------
    /// `(ptr shape, T slots...) -> table`: a table of this shape, with these
    /// slots, that does not exist. Only frame states and other virtual objects
    /// may name it; an exit that does makes the table. Each instruction stands
    /// for an object of its own
    VirtualTable,
    /// `(T) -> cell`: as [`Op::VirtualTable`], a cell with this content
    VirtualCell,
    /// `(luafn, cells...) -> luafn`: as [`Op::VirtualTable`], a closure as
    /// [`Op::NewClosure`] would make it
    VirtualClosure(u16),

    // ---- calls -------------------------------------------------------
    /// `(luafn) -> ptr`: the closure's prototype
    LoadProto,
    /// `(luafn, args...) -> any`: calls a Lua function whose frame goes to
    /// register `a`; exactly one result (nil if none), or with result type
    /// `None` the results are dropped (then only `RET_ERROR` and `RET_TAIL`
    /// need the slow path). Call site
    CallLua {
        /// Register of the callee.
        a: u8,
        /// The callee's prototype is this function's own: a direct call.
        is_self: bool,
        /// The results are an open list: if there is not exactly one, the
        /// result has the tag [`Tag::RET_NONE`], and all are in the window
        /// from register `a` on, as by [`Op::CallLuaMulti`].
        open: bool,
    },
    /// As [`Op::CallLua`] but the results are put into the window from
    /// register `a`: `want` of them, or all (`None`), setting the VM's top.
    /// Call site
    CallLuaMulti {
        /// Register of the callee.
        a: u8,
        /// Results wanted.
        want: Option<u8>,
    },
    /// Calls whatever value is in the window's register `a`, with `nargs`
    /// arguments from `a + 2` (`None`: up to the VM's top) already stored
    /// there; results as in [`Op::CallLuaMulti`]. Call site
    CallWindow {
        /// Register of the callee.
        a: u8,
        /// Number of arguments.
        nargs: Option<u8>,
        /// Results wanted.
        want: Option<u8>,
    },
    /// A tail call out of an inlined frame: calls the Lua function in the
    /// window's register `a`, where the inlined frame's record would be, with
    /// `nargs` arguments from `a + 2`. Exactly `want` results are put into the
    /// window from register `a`. Call site of the frame that made the inlined
    /// call
    CallTail {
        /// Register of the callee.
        a: u8,
        /// Number of arguments.
        nargs: u8,
        /// Results wanted.
        want: u8,
    },
    /// Lets the interpreter execute the instruction at the site's pc on the
    /// window. `-> bool` for comparisons (the condition), else no result.
    /// Call site
    InterpOne,
    /// `(values...)`: safepoint for collection and interrupts, taken when one
    /// is requested. The operands are the live values that may be objects, as
    /// [`Func::roots_at`] orders them, then the closures of inlined frames;
    /// only the slow path stores them to the window, makes the inlined frames
    /// visible and calls the helper. Call site
    Poll,

    /// `(luafn or nativefn)`: makes an inlined frame of this function visible
    /// before a call site in it: notes the instruction's site, which is that of
    /// the inlined call, in the record of the calling frame, writes the inlined
    /// frame's record over register `a` of that frame and makes it the running
    /// one
    PushFrame {
        /// Register of the inlined call in the calling frame.
        a: u8,
        /// The frame replaced another one by a tail call.
        tail: bool,
    },
    /// `()`: makes an inlined frame whose record is written already the
    /// running one; as [`Op::PushFrame`] otherwise
    EnterFrame {
        /// Register of the inlined call in the calling frame.
        a: u8,
    },
    /// `()`: makes the function's own frame the running one again
    PopFrame,

    // ---- control -----------------------------------------------------
    /// Jumps to [`InstData::targets`]`[0]`
    Jump,
    /// `(bool)`: jumps to `targets[0]` if true, else `targets[1]`
    Branch,
    /// `(T)`: returns one value
    Return,
    /// Returns no value
    ReturnNone,
    /// `()`: returns `count` values that are in the window from `from`
    /// (`None`: up to the VM's top)
    ReturnWindow {
        /// First register.
        from: u8,
        /// Number of values.
        count: Option<u8>,
    },
    /// `(luafn, args...)`: a tail call of a Lua function, by a jump if it is
    /// compiled
    TailCallLua {
        /// The callee's prototype is this function's own.
        is_self: bool,
    },
    /// Returns a pending tail call: callee in the window's register `a`, the
    /// arguments (`None`: up to the top) from `a + 2`; all already stored
    TailCall {
        /// Register of the callee.
        a: u8,
        /// Number of arguments.
        nargs: Option<u8>,
    },
}

/// A jump target with its arguments.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// Where to.
    pub block: Block,
    /// Values of the block's parameters.
    pub args: SmallVec<[Val; 4]>,
}

/// An instruction.
#[derive(Clone, PartialEq, Debug)]
pub struct InstData {
    /// What it does.
    pub op: Op,
    /// Operands.
    pub args: SmallVec<[Val; 3]>,
    /// Result, if the type is not `None`.
    pub result: Option<Val>,
    /// Frame to rebuild if it exits.
    pub state: Option<State>,
    /// Why it exits.
    pub reason: DeoptReason,
    /// Bytecode pc of the instruction that the guard speculated for, if it is
    /// not the one where its state resumes (a guard that was moved).
    pub origin: Option<u32>,
    /// Call site, if it is one.
    pub site: Option<Site>,
    /// Jump targets of terminators.
    pub targets: SmallVec<[Target; 2]>,
}

/// Where a value is defined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Def {
    /// Result of an instruction.
    Inst(Inst),
    /// Parameter `n` of a block.
    Param(Block, u32),
}

/// A value's definition and type.
#[derive(Clone, Copy, Debug)]
pub struct ValData {
    /// Type.
    pub ty: Ty,
    /// Definition.
    pub def: Def,
}

/// A block.
#[derive(Clone, Debug, Default)]
pub struct BlockData {
    /// Parameters.
    pub params: Vec<Val>,
    /// Instructions; the last one is a terminator.
    pub insts: Vec<Inst>,
    /// Execution weight relative to the function's entry, from feedback; only
    /// a hint.
    pub cold: bool,
    /// Whether this is a loop header (target of a back edge).
    pub loop_header: bool,
}

/// How the interpreter's frame is rebuilt: which instruction it resumes *at*
/// and where each live register's value is. Registers not named are dead.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameState {
    /// Index of the instruction that the interpreter executes next.
    pub pc: u32,
    /// Live registers. Constants are values of constant instructions. A value
    /// of type `Cell` is the cell of a captured variable.
    pub regs: Vec<(u8, Val)>,
    /// Live registers whose value is already in its window slot.
    pub in_window: Vec<u8>,
    /// If the instruction uses an open list: the register behind the list's
    /// end. The list's registers are named like live ones.
    pub top: Option<u8>,
    /// Inlined code: the state of the caller's frame, which resumes after the
    /// call, and where this frame's record is in the caller's window.
    pub caller: Option<InlineCaller>,
}

/// The caller of an inlined frame.
#[derive(Clone, Debug, PartialEq)]
pub struct InlineCaller {
    /// The caller's state at the call.
    pub state: State,
    /// The callee's closure; or the library's `pcall`, as a literal of type
    /// [`Ty::NativeFn`]: a frame without registers, the caller of the function
    /// that is called protected. Call sites within have the state of that frame
    /// as theirs, and exit there when an error is raised.
    pub closure: Val,
    /// Pool slot of the callee's prototype, or of `pcall`.
    pub proto: Pool,
    /// Register of the caller's window where the frame's record goes: that of
    /// the call, or for a function with `...` the one behind its arguments.
    pub a: u8,
    /// Extra arguments of a function with `...`. They are among the registers
    /// of `state`, the last ones before `a`.
    pub nvarargs: u8,
    /// The frame replaced the one that was called, by a tail call.
    pub tail: bool,
}

/// A call site's description for the collector, tracebacks and errors.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteData {
    /// Bytecode pc of the instruction in progress.
    pub pc: u32,
    /// Registers of the frame that hold live, current values at the site; the
    /// collector visits exactly these.
    pub live: Vec<u8>,
    /// For a site in an inlined frame: the site of the inlined call.
    pub caller: Option<SiteCaller>,
}

/// Where an inlined frame was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteCaller {
    /// The call's site.
    pub site: Site,
    /// Register of the calling frame where the frame's record goes, as in
    /// [`InlineCaller`].
    pub a: u8,
    /// The frame replaced the one that was called, by a tail call.
    pub tail: bool,
}

/// What a pool slot holds: a portable description from which the slot is bound
/// in a VM.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolEntry {
    /// Constant `k` of the function (a string).
    Constant(u32),
    /// A shape seen by feedback slot `slot`, way `way`: its address here.
    Shape(u64),
    /// A heap object known by its address: kept alive through the pool.
    Object(u64, Tag),
    /// A prototype by its address: kept alive through the pool.
    Proto(u64),
}

/// How compiled code is entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum EntryKind {
    /// By a call: the entry block's parameters are the function's parameters,
    /// all `Any`.
    Call,
    /// At a loop header with the interpreter's frame in place: the entry block
    /// has no parameters and reads the window; guards in it need no state and
    /// mean "not accepted". Its terminator is the commit.
    Osr {
        /// The loop header.
        pc: u32,
    },
}

/// A function in MIR.
#[derive(Clone, Debug)]
pub struct Func {
    /// For dumps: source name and line.
    pub name: String,
    /// How it is entered.
    pub entry_kind: EntryKind,
    /// Fixed parameters of the bytecode function.
    pub num_params: u8,
    /// Takes `...`: the entry moves the frame first.
    pub is_vararg: bool,
    /// Registers of the window.
    pub max_stack: u8,
    /// Instructions.
    pub insts: Vec<InstData>,
    /// Values.
    pub vals: Vec<ValData>,
    /// Blocks; the entry is block 0.
    pub blocks: Vec<BlockData>,
    /// Frame states.
    pub states: Vec<FrameState>,
    /// Call sites.
    pub sites: Vec<SiteData>,
    /// Literal pool.
    pub pool: Vec<PoolEntry>,
    /// Lattice cells (addresses of `FieldInfo`) with the level this code relies on: (address, level byte, id).
    pub watches: Vec<Watch>,
    /// Loops in it make fewer objects than the program says.
    pub spares: bool,
    /// Bytecode instructions that were built, inlined ones included; not part
    /// of the text form.
    pub bytecodes: usize,
}

/// A dependency of the code on a lattice cell's level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Address of the [`FieldInfo`](vela_objects::shape::FieldInfo).
    pub field: u64,
    /// Its id, for the code cache.
    pub id: u32,
    /// The level that must still hold at install time.
    pub level: u8,
}

impl Func {
    /// An empty function with its entry block.
    #[must_use]
    pub fn new(
        name: String,
        entry_kind: EntryKind,
        num_params: u8,
        is_vararg: bool,
        max_stack: u8,
    ) -> Self {
        Func {
            name,
            entry_kind,
            num_params,
            is_vararg,
            max_stack,
            insts: Vec::new(),
            vals: Vec::new(),
            blocks: vec![BlockData::default()],
            states: Vec::new(),
            sites: Vec::new(),
            pool: Vec::new(),
            watches: Vec::new(),
            spares: false,
            bytecodes: 0,
        }
    }

    /// The entry block.
    pub const ENTRY: Block = Block(0);

    /// Adds an empty block.
    pub fn add_block(&mut self) -> Block {
        self.blocks.push(BlockData::default());
        Block(self.blocks.len() as u32 - 1)
    }

    /// Adds a parameter to a block.
    pub fn add_param(&mut self, block: Block, ty: Ty) -> Val {
        let n = self.blocks[block.index()].params.len() as u32;
        let v = self.make_val(ty, Def::Param(block, n));
        self.blocks[block.index()].params.push(v);
        v
    }

    /// A value without a place yet.
    pub(crate) fn make_val(&mut self, ty: Ty, def: Def) -> Val {
        self.vals.push(ValData { ty, def });
        Val(self.vals.len() as u32 - 1)
    }

    /// Creates an instruction without placing it; `ty` is the result's type.
    pub fn make_inst(&mut self, op: Op, args: &[Val], ty: Ty) -> Inst {
        let inst = Inst(self.insts.len() as u32);
        let result = (ty != Ty::None).then(|| self.make_val(ty, Def::Inst(inst)));
        self.insts.push(InstData {
            op,
            args: SmallVec::from_slice(args),
            result,
            state: None,
            reason: DeoptReason::None,
            origin: None,
            site: None,
            targets: SmallVec::new(),
        });
        inst
    }

    /// Appends an instruction to a block and returns it.
    pub fn push(&mut self, block: Block, op: Op, args: &[Val], ty: Ty) -> Inst {
        let inst = self.make_inst(op, args, ty);
        self.blocks[block.index()].insts.push(inst);
        inst
    }

    /// The data of an instruction.
    #[must_use]
    pub fn inst(&self, i: Inst) -> &InstData {
        &self.insts[i.index()]
    }

    /// The result of an instruction.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    pub fn result(&self, i: Inst) -> Val {
        self.insts[i.index()]
            .result
            .expect("instruction has a result")
    }

    /// The type of a value.
    #[must_use]
    pub fn ty(&self, v: Val) -> Ty {
        self.vals[v.index()].ty
    }

    /// The operation that defines a value, if an instruction does.
    #[must_use]
    pub fn def_op(&self, v: Val) -> Option<&Op> {
        match self.vals[v.index()].def {
            Def::Inst(i) => Some(&self.insts[i.index()].op),
            Def::Param(..) => None,
        }
    }

    /// The pool slot with this entry, added if new.
    pub fn pool_slot(&mut self, entry: PoolEntry) -> Pool {
        let i = self
            .pool
            .iter()
            .position(|e| *e == entry)
            .unwrap_or_else(|| {
                self.pool.push(entry);
                self.pool.len() - 1
            });
        Pool(i as u32)
    }

    /// The frames at a site, innermost first: each one's site and which
    /// register of the function's window is its register 0.
    #[must_use]
    pub fn frames_at(&self, site: Site) -> SmallVec<[(Site, usize); 4]> {
        let mut frames: SmallVec<[(Site, usize); 4]> = SmallVec::new();
        let mut next = Some(site);
        while let Some(s) = next {
            frames.push((s, 0));
            next = self.sites[s.index()].caller.map(|c| c.site);
        }
        for n in (0..frames.len().saturating_sub(1)).rev() {
            let a = self.sites[frames[n].0.index()].caller.map_or(0, |c| c.a);
            frames[n].1 = frames[n + 1].1 + a as usize + vela_bytecode::FRAME_SLOTS;
        }
        frames
    }

    /// Which register of the function's window is register 0 of the frame
    /// that a site is in.
    #[must_use]
    pub fn base_at(&self, site: Site) -> usize {
        self.frames_at(site)[0].1
    }

    /// Registers of the function's window that the collector visits at a
    /// site: those of the innermost frame first. The operands of a poll are
    /// their values, followed by the closures of the inlined frames, again
    /// innermost first.
    #[must_use]
    pub fn roots_at(&self, site: Site) -> Vec<usize> {
        let frames = self.frames_at(site);
        let regs = |&(s, base): &(Site, usize)| {
            let live = &self.sites[s.index()].live;
            live.iter().map(move |&r| base + r as usize)
        };
        frames.iter().flat_map(regs).collect()
    }

    /// The terminator of a block, if it has one yet.
    #[must_use]
    pub fn terminator(&self, b: Block) -> Option<&InstData> {
        let last = *self.blocks[b.index()].insts.last()?;
        let data = self.inst(last);
        data.op.is_terminator().then_some(data)
    }

    /// Blocks in reverse postorder from the entry.
    #[must_use]
    pub fn reverse_postorder(&self) -> Vec<Block> {
        let mut seen = vec![false; self.blocks.len()];
        let mut order = Vec::new();
        // Explicit stack: (block, next successor to visit).
        let mut stack = vec![(Self::ENTRY, 0usize)];
        seen[0] = true;
        while let Some((b, next)) = stack.pop() {
            let succ = self
                .terminator(b)
                .and_then(|t| t.targets.get(next))
                .map(|t| t.block);
            match succ {
                Some(s) => {
                    stack.push((b, next + 1));
                    if !seen[s.index()] {
                        seen[s.index()] = true;
                        stack.push((s, 0));
                    }
                }
                None => order.push(b),
            }
        }
        order.reverse();
        order
    }
}
