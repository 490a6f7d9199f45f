//! Prototypes to text that [`crate::asm`] reads back.
//!
//! One directive or instruction per line; `;` starts a comment. Operands are
//! written by kind: `r3` register, `k0` constant, `u0` upvalue, `f7` feedback
//! slot (`f-` none), `p0` nested function, `L12` jump target, plain numbers.

use crate::NO_FEEDBACK;
use crate::flow;
use crate::instr::Instr;
use crate::op::Op;
use crate::proto::{Constant, Proto, UpvalSource};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The whole function as text, nested functions included.
#[must_use]
pub fn disassemble(proto: &Proto) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = function(&mut out, proto, 0);
    out
}

fn function(out: &mut String, p: &Proto, depth: usize) -> std::fmt::Result {
    let pad = "  ".repeat(depth);
    writeln!(out, "{pad}.function {} {}", p.line_defined, p.last_line)?;
    writeln!(out, "{pad}.source {}", quote(p.source.as_bytes()))?;
    let vararg = if p.is_vararg { " vararg" } else { "" };
    writeln!(out, "{pad}.params {}{vararg}", p.num_params)?;
    writeln!(out, "{pad}.stack {}", p.max_stack)?;
    writeln!(out, "{pad}.feedback {}", p.num_feedback)?;
    for u in &p.upvals {
        let name = u
            .name
            .as_ref()
            .map_or_else(|| "-".to_owned(), |n| quote(n.as_bytes()));
        let source = match u.source {
            UpvalSource::ParentCell(reg) => format!("cell r{reg}"),
            UpvalSource::ParentUpval(i) => format!("upval u{i}"),
        };
        let reassigned = if u.reassigned { " reassigned" } else { "" };
        writeln!(out, "{pad}.upval {name} {source}{reassigned}")?;
    }
    for (i, c) in p.constants.iter().enumerate() {
        writeln!(out, "{pad}.const {} ; k{i}", constant(c))?;
    }
    for l in &p.locals {
        let cell = if l.in_cell { " cell" } else { "" };
        writeln!(
            out,
            "{pad}.local {} r{} {} {}{cell}",
            quote(l.name.as_bytes()),
            l.reg,
            l.start_pc,
            l.end_pc
        )?;
    }
    writeln!(out, "{pad}.code")?;
    code(out, p, &pad)?;
    for child in &p.protos {
        function(out, child, depth + 1)?;
    }
    writeln!(out, "{pad}.end")
}

fn code(out: &mut String, p: &Proto, pad: &str) -> std::fmt::Result {
    let targets: BTreeSet<usize> = p
        .code
        .iter()
        .enumerate()
        .filter_map(|(pc, &i)| jump_target(p, i, pc))
        .collect();
    let mut runs = p.lines.runs().iter().peekable();
    for pc in 0..=p.code.len() {
        if targets.contains(&pc) {
            writeln!(out, "{pad}L{pc}:")?;
        }
        while let Some(&(_, line)) = runs.next_if(|r| r.0 as usize <= pc) {
            writeln!(out, "{pad}  .line {line}")?;
        }
        if let Some(&instr) = p.code.get(pc) {
            writeln!(out, "{pad}  {}", instruction(p, instr, pc))?;
        }
    }
    Ok(())
}

/// The target of a jump, when it is inside the code or just past it.
fn jump_target(p: &Proto, instr: Instr, pc: usize) -> Option<usize> {
    if !instr.op()?.is_jump() {
        return None;
    }
    let target = usize::try_from(flow::successors(instr, pc).jump?).ok()?;
    (target <= p.code.len()).then_some(target)
}

/// One instruction as text, with a comment on its constants. What the
/// operand syntax cannot express is written as a raw word.
#[must_use]
pub fn instruction(p: &Proto, instr: Instr, pc: usize) -> String {
    let word = || format!(".word {:#018x}", instr.0);
    let Some(op) = instr.op() else {
        return word();
    };
    let mut operands = Vec::new();
    let mut note = None;
    let values = [
        u32::from(instr.a()),
        u32::from(instr.b()),
        u32::from(instr.c()),
        u32::from(instr.d()),
    ];
    for (letter, value) in op.format().bytes().zip(values) {
        match letter {
            b'R' | b'W' | b'M' => operands.push(format!("r{value}")),
            b'K' | b'S' => {
                note = p.constants.get(value as usize);
                operands.push(format!("k{value}"));
            }
            b'X' if value < u32::from(crate::RK_CONST_BASE) => operands.push(format!("r{value}")),
            b'X' => {
                let k = value - u32::from(crate::RK_CONST_BASE);
                note = note.or(p.constants.get(k as usize));
                operands.push(format!("k{k}"));
            }
            b'U' => operands.push(format!("u{value}")),
            b'I' => operands.push((value as u16 as i16).to_string()),
            b'N' => operands.push(value.to_string()),
            b'F' if value == u32::from(NO_FEEDBACK) => operands.push("f-".to_owned()),
            b'F' => operands.push(format!("f{value}")),
            b'J' if op.is_jump() => match jump_target(p, instr, pc) {
                Some(target) => operands.push(format!("L{target}")),
                None => return word(),
            },
            b'J' => operands.push(instr.sbx().to_string()),
            b'B' => operands.push(instr.bx().to_string()),
            b'C' => {
                note = p.constants.get(instr.bx() as usize);
                operands.push(format!("k{}", instr.bx()));
            }
            b'P' => operands.push(format!("p{}", instr.bx())),
            _ if value != 0 => return word(),
            _ => {}
        }
    }
    let mut text = op.mnemonic().to_owned();
    if !operands.is_empty() {
        let _ = write!(text, " {}", operands.join(", "));
    }
    match (op, note) {
        (Op::GetTabUp | Op::SetTabUp, Some(c)) => {
            let upval = p.upvals.get(usize::from(instr.b()));
            let table = upval.and_then(|u| u.name.as_deref()).unwrap_or("?");
            // names of a binary may hold anything, and a comment is one line
            let _ = write!(text, " ; {}.{}", table.escape_debug(), constant(c));
        }
        (_, Some(c)) => {
            let _ = write!(text, " ; {}", constant(c));
        }
        _ => {}
    }
    text
}

fn constant(c: &Constant) -> String {
    match c {
        Constant::Nil => "nil".to_owned(),
        Constant::Bool(b) => b.to_string(),
        Constant::Int(i) => format!("int {i}"),
        Constant::Float(f) if f.is_nan() => format!("float nan:{:016x}", f.to_bits()),
        Constant::Float(f) => format!("float {f:?}"),
        Constant::Str(s) => quote(s),
    }
}

/// Bytes as a string literal of the assembler: printable ASCII as it is, all
/// else as `\xNN`.
fn quote(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for &b in bytes {
        match b {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(b as char);
            }
            b'\n' => text.push_str("\\n"),
            b' '..=b'~' => text.push(b as char),
            _ => {
                let _ = write!(text, "\\x{b:02x}");
            }
        }
    }
    text.push('"');
    text
}
