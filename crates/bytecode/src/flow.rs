//! Control flow and register effects of single instructions: what the
//! verifier, liveness and the name search share.

use crate::instr::Instr;
use crate::op::Op;
use crate::proto::{Proto, UpvalSource};
use crate::{FRAME_SLOTS, RK_CONST_BASE};

/// Registers `first .. end`.
pub type Regs = std::ops::Range<u32>;

/// Up to two pcs that may run after an instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Successors {
    /// The instruction after this one, when control may fall through.
    pub next: Option<i64>,
    /// Where the instruction may jump instead.
    pub jump: Option<i64>,
}

/// The successors of `instr` at `pc`. The numbers are not checked against the
/// length of the code. An invalid opcode has none.
#[must_use]
pub fn successors(instr: Instr, pc: usize) -> Successors {
    let Some(op) = instr.op() else {
        return Successors::default();
    };
    let next = pc as i64 + 1;
    Successors {
        next: (!op.is_terminator()).then_some(next),
        jump: if op.is_jump() {
            Some(next + i64::from(instr.sbx()))
        } else if op.is_comparison() {
            Some(next + 1)
        } else {
            None
        },
    }
}

/// Whether the instruction leaves an open list of values, up to the top:
/// `call` with `c = 0`, `vararg` with `b = 0`. Returns its first register.
#[must_use]
pub fn opens(instr: Instr) -> Option<u8> {
    match instr.op()? {
        Op::Call if instr.c() == 0 => Some(instr.a()),
        Op::Vararg if instr.b() == 0 => Some(instr.a()),
        _ => None,
    }
}

/// Whether the instruction uses the open list that the one before it left.
/// Returns the first register of the whole list that it reads, of which the
/// open values are the end.
#[must_use]
pub fn consumes_open(instr: Instr) -> Option<u32> {
    if instr.b() != 0 {
        return None;
    }
    let a = u32::from(instr.a());
    match instr.op()? {
        Op::Call | Op::TailCall => Some(a + FRAME_SLOTS as u32),
        Op::SetList => Some(a + 1),
        Op::Return => Some(a),
        _ => None,
    }
}

/// Calls `f` with every range of registers that the instruction at `pc`
/// reads. Of an open list only the registers before the open values are
/// reported. To-be-closed variables are not reported for `close` and returns.
pub fn for_each_use(proto: &Proto, pc: usize, mut f: impl FnMut(Regs)) {
    let Some(&instr) = proto.code.get(pc) else {
        return;
    };
    let Some(op) = instr.op() else { return };
    let a = u32::from(instr.a());
    let (b, c) = (u32::from(instr.b()), u32::from(instr.c()));
    let one = |r: u32| r..r + 1;
    let frame = FRAME_SLOTS as u32;
    // where the open values of the instruction before start
    let open = || {
        pc.checked_sub(1)
            .and_then(|p| opens(proto.code[p]))
            .map_or(0, u32::from)
    };
    match op {
        Op::Call | Op::TailCall => {
            f(one(a));
            let end = if b == 0 { open() } else { a + frame + b - 1 };
            f(a + frame..end.max(a + frame));
        }
        Op::Return => {
            let end = if b == 0 { open() } else { a + b - 1 };
            f(a..end.max(a));
        }
        Op::SetList => {
            f(one(a));
            let end = if b == 0 { open() } else { a + 1 + b };
            f(a + 1..end.max(a + 1));
        }
        Op::Concat => f(b..b + c),
        Op::ForPrep | Op::ForLoop | Op::TForCall => f(a..a + 3),
        Op::TForPrep => f(a..a + 4),
        Op::TForLoop => f(one(a + 4)),
        Op::Closure => {
            if let Some(child) = proto.protos.get(instr.bx() as usize) {
                for upval in &child.upvals {
                    if let UpvalSource::ParentCell(reg) = upval.source {
                        f(one(u32::from(reg)));
                    }
                }
            }
        }
        // what is closed is found by the analysis of `tbc`
        Op::Close => {}
        _ => {
            for (letter, value) in op.format().bytes().zip([a, b, c]) {
                match letter {
                    b'R' | b'M' => f(one(value)),
                    b'X' if value < u32::from(RK_CONST_BASE) => f(one(value)),
                    _ => {}
                }
            }
        }
    }
}

/// Registers whose old content is gone after the instruction, on every path.
/// A call overwrites everything from its callee on; of the registers that a
/// loop instruction writes on one path only, none is reported.
#[must_use]
pub fn kills(instr: Instr, max_stack: u8) -> Regs {
    let Some(op) = instr.op() else { return 0..0 };
    let a = u32::from(instr.a());
    let b = u32::from(instr.b());
    match op {
        Op::LoadNil => a..a + b + 1,
        Op::SelfGet => a..a + 3,
        Op::Call | Op::TailCall => a..u32::from(max_stack).max(a + 1),
        Op::TForCall => a + 4..u32::from(max_stack).max(a + 5),
        Op::Vararg if b == 0 => a..u32::from(max_stack).max(a + 1),
        Op::Vararg => a..a + b - 1,
        Op::ForPrep | Op::ForLoop | Op::TForPrep | Op::TForLoop => 0..0,
        _ if op.format().starts_with(['W', 'M']) => a..a + 1,
        _ => 0..0,
    }
}
