//! Source names for error messages: what a value in a register is called.
//!
//! The same search as PUC Lua's: a named local if one is in scope, otherwise
//! the instruction that last wrote the register tells where the value came
//! from.

use crate::flow;
use crate::instr::Instr;
use crate::op::Op;
use crate::proto::{Constant, Proto};

/// A value's kind and name, as in `global 'print'`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjName<'p> {
    /// `local`, `upvalue`, `global`, `field`, `method`, `constant`,
    /// `for iterator` or `metamethod`.
    pub kind: &'static str,
    /// The name; `?` if unknown.
    pub name: &'p [u8],
}

impl<'p> ObjName<'p> {
    fn new(kind: &'static str, name: &'p [u8]) -> Self {
        Self { kind, name }
    }
}

/// The name of the value that register `reg` holds just before the
/// instruction at `pc` runs.
#[must_use]
pub fn register_name(proto: &Proto, pc: u32, reg: u8) -> Option<ObjName<'_>> {
    let mut pc = pc;
    let basic = basic_name(proto, &mut pc, reg);
    if let Basic::Name(name) = basic {
        return Some(name);
    }
    let Basic::SetBy(instr) = basic else {
        return None;
    };
    let b = instr.b();
    match instr.op()? {
        Op::GetTabUp => {
            let kind = env_kind(upvalue_name(proto, b as u8));
            Some(ObjName::new(kind, string(proto, instr.c().into())))
        }
        Op::GetField => {
            let kind = env_kind(variable_name(proto, pc, b as u8));
            Some(ObjName::new(kind, string(proto, instr.c().into())))
        }
        Op::GetIndex => {
            let kind = env_kind(variable_name(proto, pc, b as u8));
            let name = match register_name(proto, pc, instr.c() as u8) {
                Some(key) if key.kind == "constant" => key.name,
                _ => b"?",
            };
            Some(ObjName::new(kind, name))
        }
        Op::GetInt => Some(ObjName::new("field", b"integer index")),
        Op::SelfGet => Some(ObjName::new("method", string(proto, instr.c().into()))),
        _ => None,
    }
}

/// The name of an upvalue; `?` when stripped.
#[must_use]
pub fn upvalue_name(proto: &Proto, index: u8) -> Option<ObjName<'_>> {
    let upval = proto.upvals.get(usize::from(index))?;
    let name = upval.name.as_ref().map_or(&b"?"[..], |n| n.as_bytes());
    Some(ObjName::new("upvalue", name))
}

/// The name of a constant operand: a string constant names itself.
#[must_use]
pub fn constant_name(proto: &Proto, index: u32) -> Option<ObjName<'_>> {
    match proto.constants.get(index as usize)? {
        Constant::Str(s) => Some(ObjName::new("constant", s)),
        _ => None,
    }
}

/// The name of the table that the instruction at `pc` indexes, for `get`,
/// `set` and `self` instructions.
#[must_use]
pub fn indexed_name(proto: &Proto, pc: u32) -> Option<ObjName<'_>> {
    let instr = *proto.code.get(pc as usize)?;
    match instr.op()? {
        Op::GetTabUp | Op::SetTabUp => upvalue_name(proto, instr.b() as u8),
        Op::GetField | Op::GetIndex | Op::GetInt | Op::SelfGet => {
            register_name(proto, pc, instr.b() as u8)
        }
        Op::SetField | Op::SetIndex | Op::SetInt => register_name(proto, pc, instr.a()),
        _ => None,
    }
}

/// What the function that the instruction at `pc` is calling is called: the
/// callee of a call, an iterator, or the metamethod of an operation.
#[must_use]
pub fn function_name(proto: &Proto, pc: u32) -> Option<ObjName<'_>> {
    let instr = *proto.code.get(pc as usize)?;
    let event: &[u8] = match instr.op()? {
        Op::Call | Op::TailCall => return register_name(proto, pc, instr.a()),
        Op::TForCall => return Some(ObjName::new("for iterator", b"for iterator")),
        Op::GetTabUp | Op::GetField | Op::GetIndex | Op::GetInt | Op::SelfGet => b"index",
        Op::SetTabUp | Op::SetField | Op::SetIndex | Op::SetInt => b"newindex",
        Op::Add | Op::AddK | Op::AddI => b"add",
        Op::Sub | Op::SubK | Op::SubI => b"sub",
        Op::Mul | Op::MulK => b"mul",
        Op::Div | Op::DivK => b"div",
        Op::Mod | Op::ModK => b"mod",
        Op::IDiv | Op::IDivK => b"idiv",
        Op::Pow | Op::PowK => b"pow",
        Op::BAnd | Op::BAndK => b"band",
        Op::BOr | Op::BOrK => b"bor",
        Op::BXor | Op::BXorK => b"bxor",
        Op::Shl | Op::ShlK => b"shl",
        Op::Shr | Op::ShrK => b"shr",
        Op::Unm => b"unm",
        Op::BNot => b"bnot",
        Op::Len => b"len",
        Op::Concat => b"concat",
        Op::Eq => b"eq",
        Op::Lt | Op::LtI | Op::GtI => b"lt",
        Op::Le | Op::LeI | Op::GeI => b"le",
        Op::Close | Op::Return | Op::Return0 | Op::Return1 => b"close",
        _ => return None,
    };
    Some(ObjName::new("metamethod", event))
}

/// The name of the local variable in scope at `pc` that lives in `reg`.
#[must_use]
pub fn local_name(proto: &Proto, pc: u32, reg: u8) -> Option<&str> {
    proto
        .locals
        .iter()
        .take_while(|l| l.start_pc <= pc)
        .filter(|l| l.reg == reg && pc < l.end_pc)
        .last()
        .map(|l| &*l.name)
}

/// What is known of a register without looking into tables.
enum Basic<'p> {
    Name(ObjName<'p>),
    SetBy(Instr),
    Unknown,
}

/// Moves `pc` to the instruction that set the register, if that is what
/// decides.
fn basic_name<'p>(proto: &'p Proto, pc: &mut u32, reg: u8) -> Basic<'p> {
    let mut reg = reg;
    // Each step goes to an earlier instruction.
    loop {
        if let Some(name) = local_name(proto, *pc, reg) {
            return Basic::Name(ObjName::new("local", name.as_bytes()));
        }
        let Some(set) = find_set(proto, *pc, reg) else {
            return Basic::Unknown;
        };
        *pc = set;
        let instr = proto.code[set as usize];
        let b = instr.b();
        match instr.op() {
            Some(Op::Move) if b < u16::from(instr.a()) => reg = b as u8,
            Some(Op::GetCell) => {
                return match local_name(proto, set, b as u8) {
                    Some(name) => Basic::Name(ObjName::new("local", name.as_bytes())),
                    None => Basic::Unknown,
                };
            }
            Some(Op::GetUpval) => {
                return match upvalue_name(proto, b as u8) {
                    Some(name) => Basic::Name(name),
                    None => Basic::Unknown,
                };
            }
            Some(Op::LoadK) => {
                return match constant_name(proto, instr.bx()) {
                    Some(name) => Basic::Name(name),
                    None => Basic::Unknown,
                };
            }
            _ => return Basic::SetBy(instr),
        }
    }
}

/// The name of a register that is a local or a copy of an upvalue.
fn variable_name(proto: &Proto, pc: u32, reg: u8) -> Option<ObjName<'_>> {
    let mut pc = pc;
    match basic_name(proto, &mut pc, reg) {
        Basic::Name(name) if name.kind != "constant" => Some(name),
        _ => None,
    }
}

/// Fields of a variable named `_ENV` are globals.
fn env_kind(table: Option<ObjName<'_>>) -> &'static str {
    match table {
        Some(name) if name.name == b"_ENV" => "global",
        _ => "field",
    }
}

fn string(proto: &Proto, index: u32) -> &[u8] {
    match proto.constants.get(index as usize) {
        Some(Constant::Str(s)) => s,
        _ => b"?",
    }
}

/// The last instruction before `last` that wrote the register, if that is
/// certain: a write that a jump may have skipped is not.
fn find_set(proto: &Proto, last: u32, reg: u8) -> Option<u32> {
    let mut set = None;
    let mut jump_target = 0;
    let reg = u32::from(reg);
    for (pc, &instr) in proto.code.iter().enumerate().take(last as usize) {
        let op = instr.op()?;
        let a = u32::from(instr.a());
        let writes = match op {
            Op::ForPrep | Op::ForLoop => (a..a + 4).contains(&reg),
            Op::TForPrep => false,
            Op::TForLoop => reg == a + 2,
            Op::Jmp | Op::JmpIf | Op::JmpIfNot => {
                let target = pc as i64 + 1 + i64::from(instr.sbx());
                if target <= i64::from(last) && target > jump_target {
                    jump_target = target;
                }
                false
            }
            _ => flow::kills(instr, proto.max_stack).contains(&reg),
        };
        if writes {
            set = ((pc as i64) >= jump_target).then_some(pc as u32);
        }
    }
    set
}
