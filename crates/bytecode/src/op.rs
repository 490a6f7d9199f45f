//! The opcodes.
//!
//! One table drives the enum, the operand formats used by the verifier, the
//! disassembler and the assembler, and the documentation. Notation: `R[x]` a
//! register, `K[x]` a constant, `RK[x]` a register below
//! [`RK_CONST_BASE`](crate::RK_CONST_BASE) and a constant above, `U[x]` an
//! upvalue, `pc` the index of the next instruction, `fb` a feedback slot.

/// How the operands of an opcode are to be read.
///
/// The letters name `a`, `b`, `c`, `d` in order: `R` register read, `W`
/// register written, `M` register read and written, `K` constant, `S` string
/// constant, `X` register or constant, `U` upvalue, `I` signed immediate,
/// `N` plain number, `F` feedback slot, `J` signed jump in `bx`, `B` unsigned
/// number in `bx`, `P` nested prototype in `bx`, `C` constant in `bx`,
/// `_` unused.
pub type OperandFormat = &'static str;

macro_rules! opcodes {
    ($($(#[doc = $doc:literal])+ $name:ident = $mnemonic:literal, $format:literal;)+) => {
        /// An operation of the virtual machine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Op {
            /// Every opcode in numeric order.
            pub const ALL: &'static [Op] = &[$(Op::$name,)+];

            /// Number of opcodes; opcode bytes from here on are invalid.
            pub const COUNT: usize = Self::ALL.len();

            /// The assembler's name of the opcode.
            #[must_use]
            pub const fn mnemonic(self) -> &'static str {
                match self { $(Op::$name => $mnemonic,)+ }
            }

            /// How the operands are read.
            #[must_use]
            pub const fn format(self) -> OperandFormat {
                match self { $(Op::$name => $format,)+ }
            }

            /// The opcode with this mnemonic.
            #[must_use]
            pub fn from_mnemonic(name: &str) -> Option<Op> {
                match name { $($mnemonic => Some(Op::$name),)+ _ => None }
            }
        }
    };
}

opcodes! {
    /// `R[a] = R[b]`
    Move = "move", "WR__";
    /// `R[a] = sbx` (integer)
    LoadInt = "loadint", "W_J";
    /// `R[a] = sbx` (as a float)
    LoadFloat = "loadfloat", "W_J";
    /// `R[a] = K[bx]`
    LoadK = "loadk", "W_C";
    /// `R[a ..= a+b] = nil`
    LoadNil = "loadnil", "WN__";
    /// `R[a] = (b != 0)`
    LoadBool = "loadbool", "WN__";

    /// `R[a] = new cell holding R[b]`: a captured local's declaration
    NewCell = "newcell", "WR__";
    /// `R[a] = content of the cell in R[b]`
    GetCell = "getcell", "WR__";
    /// `content of the cell in R[a] = R[b]`
    SetCell = "setcell", "RR__";
    /// `R[a] = content of U[b]`
    GetUpval = "getupval", "WU__";
    /// `content of U[b] = R[a]`
    SetUpval = "setupval", "RU__";

    /// `R[a] = U[b][K[c]]`: a global read when `U[b]` is `_ENV`
    GetTabUp = "gettabup", "WUSF";
    /// `U[b][K[c]] = R[a]`
    SetTabUp = "settabup", "RUSF";

    /// `R[a] = {}` with room for `b` array elements and `c` fields
    NewTable = "newtable", "WNNF";
    /// `R[a] = R[b][K[c]]`
    GetField = "getfield", "WRSF";
    /// `R[a][K[b]] = RK[c]`
    SetField = "setfield", "RSXF";
    /// `R[a] = R[b][R[c]]`
    GetIndex = "getindex", "WRRF";
    /// `R[a][R[b]] = RK[c]`
    SetIndex = "setindex", "RRXF";
    /// `R[a] = R[b][c]` with integer key `c` (0..=65535)
    GetInt = "getint", "WRNF";
    /// `R[a][b] = RK[c]` with integer key `b` (0..=65535)
    SetInt = "setint", "RNXF";
    /// `R[a+2] = R[b]; R[a] = R[b][K[c]]`: prepares a method call at `a`
    SelfGet = "self", "WRSF";
    /// `R[a][bx + i] = R[a+i]` for `1 <= i <= b`; `b = 0` means up to the top
    SetList = "setlist", "RNB";

    /// `R[a] = R[b] + R[c]`
    Add = "add", "WRRF";
    /// `R[a] = R[b] - R[c]`
    Sub = "sub", "WRRF";
    /// `R[a] = R[b] * R[c]`
    Mul = "mul", "WRRF";
    /// `R[a] = R[b] / R[c]`
    Div = "div", "WRRF";
    /// `R[a] = R[b] % R[c]`
    Mod = "mod", "WRRF";
    /// `R[a] = R[b] // R[c]`
    IDiv = "idiv", "WRRF";
    /// `R[a] = R[b] ^ R[c]`
    Pow = "pow", "WRRF";
    /// `R[a] = R[b] & R[c]`
    BAnd = "band", "WRRF";
    /// `R[a] = R[b] | R[c]`
    BOr = "bor", "WRRF";
    /// `R[a] = R[b] ~ R[c]`
    BXor = "bxor", "WRRF";
    /// `R[a] = R[b] << R[c]`
    Shl = "shl", "WRRF";
    /// `R[a] = R[b] >> R[c]`
    Shr = "shr", "WRRF";
    /// `R[a] = R[b] + K[c]` (`K[c]` a number, as in all the `K` forms)
    AddK = "addk", "WRKF";
    /// `R[a] = R[b] - K[c]`
    SubK = "subk", "WRKF";
    /// `R[a] = R[b] * K[c]`
    MulK = "mulk", "WRKF";
    /// `R[a] = R[b] / K[c]`
    DivK = "divk", "WRKF";
    /// `R[a] = R[b] % K[c]`
    ModK = "modk", "WRKF";
    /// `R[a] = R[b] // K[c]`
    IDivK = "idivk", "WRKF";
    /// `R[a] = R[b] ^ K[c]`
    PowK = "powk", "WRKF";
    /// `R[a] = R[b] & K[c]`
    BAndK = "bandk", "WRKF";
    /// `R[a] = R[b] | K[c]`
    BOrK = "bork", "WRKF";
    /// `R[a] = R[b] ~ K[c]`
    BXorK = "bxork", "WRKF";
    /// `R[a] = R[b] << K[c]`
    ShlK = "shlk", "WRKF";
    /// `R[a] = R[b] >> K[c]`
    ShrK = "shrk", "WRKF";
    /// `R[a] = R[b] + c` (signed immediate)
    AddI = "addi", "WRIF";
    /// `R[a] = R[b] - c` (signed immediate)
    SubI = "subi", "WRIF";
    /// `R[a] = -R[b]`
    Unm = "unm", "WR_F";
    /// `R[a] = ~R[b]`
    BNot = "bnot", "WR_F";
    /// `R[a] = not R[b]`
    Not = "not", "WR__";
    /// `R[a] = #R[b]`
    Len = "len", "WR_F";
    /// `R[a] = R[b] .. ... .. R[b+c-1]` (`c >= 2`)
    Concat = "concat", "WRNF";

    /// `pc += sbx`, forward only
    Jmp = "jmp", "__J";
    /// `pc += sbx`, backward only: the back edge of a loop or `goto`;
    /// `b` is its feedback slot
    Loop = "loop", "_FJ";
    /// `if R[a] is true (not nil or false) then pc += sbx`, forward only
    JmpIf = "jmpif", "R_J";
    /// `if R[a] is nil or false then pc += sbx`, forward only
    JmpIfNot = "jmpifnot", "R_J";
    /// `if (R[a] == R[b]) != (c != 0) then pc += 1`; the next instruction is
    /// a [`Op::Jmp`] in all comparisons
    Eq = "eq", "RRNF";
    /// `if (R[a] == K[b]) != (c != 0) then pc += 1` (no metamethods)
    EqK = "eqk", "RKNF";
    /// `if (R[a] < R[b]) != (c != 0) then pc += 1`
    Lt = "lt", "RRNF";
    /// `if (R[a] <= R[b]) != (c != 0) then pc += 1`
    Le = "le", "RRNF";
    /// `if (R[a] < b) != (c != 0) then pc += 1` (`b` signed immediate)
    LtI = "lti", "RINF";
    /// `if (R[a] <= b) != (c != 0) then pc += 1`
    LeI = "lei", "RINF";
    /// `if (R[a] > b) != (c != 0) then pc += 1`
    GtI = "gti", "RINF";
    /// `if (R[a] >= b) != (c != 0) then pc += 1`
    GeI = "gei", "RINF";

    /// `R[a], ... = R[a](R[a+2], ...)`: `b-1` arguments (`b = 0`: up to the
    /// top), `c-1` results (`c = 0`: all, setting the top)
    Call = "call", "MNNF";
    /// `return R[a](R[a+2], ...)` with `b` as in `call`
    TailCall = "tailcall", "RN_F";
    /// `return R[a], ..., R[a+b-2]`; `b = 0` means up to the top
    Return = "return", "RN__";
    /// `return`
    Return0 = "return0", "____";
    /// `return R[a]`
    Return1 = "return1", "R___";
    /// First instruction of a vararg function: moves the frame above the
    /// extra arguments
    VarargPrep = "varargprep", "____";
    /// `R[a], ..., R[a+b-2] = ...`; `b = 0` means all, setting the top
    Vararg = "vararg", "WN__";
    /// `R[a] = closure of prototype bx`, capturing as its upvalues say
    Closure = "closure", "W_P";
    /// Marks `R[a]` as a to-be-closed variable
    Tbc = "tbc", "R___";
    /// Closes all to-be-closed variables in registers `>= a`
    Close = "close", "R___";

    /// Prepares the numeric loop in `R[a]` (start), `R[a+1]` (limit),
    /// `R[a+2]` (step): checks and converts the three; if the loop does not
    /// run `pc += sbx` (past the `forloop`), otherwise `R[a+3] = R[a]`.
    /// In an integer loop `R[a+1]` becomes the limit clamped to an integer.
    /// `b` is the feedback slot
    ForPrep = "forprep", "MFJ";
    /// If another iteration fits: `R[a] += R[a+2]; R[a+3] = R[a]; pc += sbx`
    /// (backward to the loop body)
    ForLoop = "forloop", "MFJ";
    /// Marks `R[a+3]` to be closed; `pc += sbx` (to the `tforcall`)
    TForPrep = "tforprep", "M_J";
    /// `R[a+4], ..., R[a+3+c] = R[a](R[a+1], R[a+2])`; the call's frame is at
    /// `R[a+4]`, arguments at `R[a+6]`, `R[a+7]`
    TForCall = "tforcall", "M_NF";
    /// `if R[a+4] ~= nil then R[a+2] = R[a+4]; pc += sbx` (backward);
    /// `b` is the feedback slot
    TForLoop = "tforloop", "MFJ";
}

impl Op {
    /// The opcode of this byte, or `None` when it names none.
    #[inline]
    #[must_use]
    pub fn from_u8(byte: u8) -> Option<Op> {
        Self::ALL.get(byte as usize).copied()
    }

    /// Whether the opcode is a comparison that a [`Op::Jmp`] must follow.
    #[must_use]
    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            Op::Eq | Op::EqK | Op::Lt | Op::Le | Op::LtI | Op::LeI | Op::GtI | Op::GeI
        )
    }

    /// Whether `bx` holds a jump distance.
    #[must_use]
    pub const fn is_jump(self) -> bool {
        matches!(
            self,
            Op::Jmp
                | Op::Loop
                | Op::JmpIf
                | Op::JmpIfNot
                | Op::ForPrep
                | Op::ForLoop
                | Op::TForPrep
                | Op::TForLoop
        )
    }

    /// Whether control never reaches the next instruction.
    #[must_use]
    pub const fn is_terminator(self) -> bool {
        matches!(
            self,
            Op::Jmp
                | Op::Loop
                | Op::TForPrep
                | Op::TailCall
                | Op::Return
                | Op::Return0
                | Op::Return1
        )
    }
}
