//! The verifier: after it accepts a prototype, the interpreter and the
//! compilers may trust every operand.
//!
//! Beyond indices and jump targets it follows what each register holds along
//! every path: nothing, a value, or a cell. So no instruction can read a
//! register that was never written, take a value for a cell, or hand a cell
//! to Lua code.

use crate::flow;
use crate::instr::Instr;
use crate::liveness::RegSet;
use crate::op::Op;
use crate::proto::{Constant, Proto, UpvalSource};
use crate::{FRAME_SLOTS, MAX_REGISTERS, NO_FEEDBACK, RK_CONST_BASE};
use thiserror::Error;

/// Deepest nesting of functions that is accepted.
pub const MAX_NESTING: usize = 200;

/// Most upvalues of a function.
pub const MAX_UPVALUES: usize = 255;

/// Most local variables in scope at one instruction.
const MAX_ACTIVE_LOCALS: usize = 512;

/// Where and why a prototype was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("function at line {line}, instruction {pc}: {kind}")]
pub struct VerifyError {
    /// Line where the function is defined; 0 for a main chunk.
    pub line: u32,
    /// The instruction, or 0 when the fault is in no instruction.
    pub pc: u32,
    /// What is wrong.
    pub kind: VerifyErrorKind,
}

/// What is wrong with a prototype.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifyErrorKind {
    /// The code is empty or longer than a jump can span.
    #[error("bad code length")]
    CodeLength,
    /// `max_stack` is not in `2..=255` or smaller than the parameters need.
    #[error("bad frame size")]
    FrameSize,
    /// Functions nest too deeply.
    #[error("functions nest too deeply")]
    Nesting,
    /// More upvalues than an operand can name.
    #[error("too many upvalues")]
    TooManyUpvalues,
    /// An upvalue is taken from where the enclosing function has none.
    #[error("upvalue {0} has no source")]
    UpvalueSource(u32),
    /// The opcode byte names no opcode.
    #[error("invalid opcode {0}")]
    Opcode(u8),
    /// A register past the end of the frame.
    #[error("register {0} out of range")]
    Register(u32),
    /// A constant index past the end of the constants.
    #[error("constant {0} out of range")]
    Constant(u32),
    /// A constant of the wrong type.
    #[error("constant {0} has the wrong type")]
    ConstantType(u32),
    /// An upvalue index past the end of the upvalues.
    #[error("upvalue {0} out of range")]
    Upvalue(u32),
    /// A prototype index past the end of the nested prototypes.
    #[error("prototype {0} out of range")]
    Prototype(u32),
    /// A feedback slot past the end of the feedback vector.
    #[error("feedback slot {0} out of range")]
    Feedback(u32),
    /// An operand value that the instruction does not allow.
    #[error("bad operand")]
    Operand,
    /// A jump out of the code, or in the wrong direction.
    #[error("bad jump to {0}")]
    Jump(i64),
    /// A jump between two instructions that belong together.
    #[error("jump into the middle of a pair at {0}")]
    JumpIntoPair(u32),
    /// A comparison that no `jmp` follows.
    #[error("comparison without a jump")]
    ComparisonWithoutJump,
    /// Control runs past the last instruction.
    #[error("control falls off the end")]
    FallsOff,
    /// A loop instruction whose counterpart is missing.
    #[error("loop instructions do not match")]
    LoopMismatch,
    /// A `forloop` whose state was not made by its `forprep`.
    #[error("loop state overwritten or missing")]
    LoopState,
    /// `b = 0` with no open list before, or an open list that nothing takes.
    #[error("open list without its other half")]
    OpenList,
    /// `varargprep` missing, misplaced, or in a function without `...`.
    #[error("misplaced vararg instruction")]
    Vararg,
    /// A register is read that holds no value (or a cell) on some path.
    #[error("register {0} holds no value")]
    NoValue(u8),
    /// A register is used as a cell that holds none on some path.
    #[error("register {0} holds no cell")]
    NoCell(u8),
    /// A to-be-closed register is overwritten, marked twice or out of order,
    /// or pending at a tail call.
    #[error("misuse of to-be-closed variables")]
    ToBeClosed,
    /// Debug information about a local that does not fit the code.
    #[error("local variable {0} does not match the code")]
    Local(u32),
    /// Line information past the code or out of order.
    #[error("bad line information")]
    Lines,
}

use VerifyErrorKind as Kind;

type Check<T = ()> = Result<T, (u32, Kind)>;

/// Checks a main function and everything nested in it. What its own upvalues
/// refer to is for the loader to check.
///
/// # Errors
/// The first fault found.
pub fn verify(proto: &Proto) -> Result<(), VerifyError> {
    verify_nested(proto, None, 0)
}

fn verify_nested(proto: &Proto, parent: Option<&Proto>, depth: usize) -> Result<(), VerifyError> {
    let fail = |(pc, kind)| VerifyError {
        line: proto.line_defined,
        pc,
        kind,
    };
    if depth >= MAX_NESTING {
        return Err(fail((0, Kind::Nesting)));
    }
    let verifier = Verifier { proto };
    verifier.header(parent).map_err(fail)?;
    for pc in 0..proto.code.len() {
        verifier
            .instruction(pc)
            .map_err(|kind| fail((pc as u32, kind)))?;
    }
    for pc in 0..proto.code.len() {
        verifier.pairs(pc).map_err(|kind| fail((pc as u32, kind)))?;
    }
    for child in &proto.protos {
        verify_nested(child, Some(proto), depth + 1)?;
    }
    let states = verifier.data_flow().map_err(fail)?;
    verifier.locals(&states).map_err(fail)
}

/// What registers hold before an instruction that can be reached.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    values: RegSet,
    cells: RegSet,
    /// To-be-closed registers on some path.
    tbc: RegSet,
    /// First registers of numeric loops whose three state registers are as
    /// the loop's own instructions left them.
    loops: RegSet,
}

struct Verifier<'p> {
    proto: &'p Proto,
}

impl Verifier<'_> {
    fn header(&self, parent: Option<&Proto>) -> Check {
        let p = self.proto;
        if p.code.is_empty() || p.code.len() > i32::MAX as usize {
            return Err((0, Kind::CodeLength));
        }
        let size = usize::from(p.max_stack);
        if !(FRAME_SLOTS..=MAX_REGISTERS).contains(&size) || usize::from(p.num_params) > size {
            return Err((0, Kind::FrameSize));
        }
        if p.upvals.len() > MAX_UPVALUES {
            return Err((0, Kind::TooManyUpvalues));
        }
        if let Some(parent) = parent {
            for (i, upval) in p.upvals.iter().enumerate() {
                let ok = match upval.source {
                    UpvalSource::ParentCell(reg) => reg < parent.max_stack,
                    UpvalSource::ParentUpval(u) => usize::from(u) < parent.upvals.len(),
                };
                if !ok {
                    return Err((0, Kind::UpvalueSource(i as u32)));
                }
            }
        }
        let prep = p.code[0].op() == Some(Op::VarargPrep);
        if prep != p.is_vararg {
            return Err((0, Kind::Vararg));
        }
        let runs = p.lines.runs();
        let ordered = runs.windows(2).all(|w| w[0].0 < w[1].0);
        if !ordered || runs.last().is_some_and(|r| r.0 as usize >= p.code.len()) {
            return Err((0, Kind::Lines));
        }
        Ok(())
    }

    /// Checks that registers up to `end` (exclusive) exist.
    fn frame(&self, end: u32) -> Result<(), Kind> {
        if end > u32::from(self.proto.max_stack) {
            return Err(Kind::Register(end.saturating_sub(1)));
        }
        Ok(())
    }

    fn constant(&self, index: u32) -> Result<&Constant, Kind> {
        self.proto
            .constants
            .get(index as usize)
            .ok_or(Kind::Constant(index))
    }

    /// Operands of one instruction, on their own.
    fn instruction(&self, pc: usize) -> Result<(), Kind> {
        let p = self.proto;
        let instr = p.code[pc];
        let op = instr.op().ok_or(Kind::Opcode(instr.op_byte()))?;
        let (a, b, c) = (
            u32::from(instr.a()),
            u32::from(instr.b()),
            u32::from(instr.c()),
        );
        let operands = [a, b, c, u32::from(instr.d())];
        for (i, letter) in op.format().bytes().enumerate() {
            let value = operands[i];
            match letter {
                b'R' | b'W' | b'M' => self.frame(value + 1)?,
                b'K' => match self.constant(value)? {
                    Constant::Int(_) | Constant::Float(_) => {}
                    _ if op == Op::EqK => {}
                    _ => return Err(Kind::ConstantType(value)),
                },
                b'S' => match self.constant(value)? {
                    Constant::Str(_) => {}
                    _ => return Err(Kind::ConstantType(value)),
                },
                b'X' if value < u32::from(RK_CONST_BASE) => self.frame(value + 1)?,
                b'X' => {
                    self.constant(value - u32::from(RK_CONST_BASE))?;
                }
                b'U' if value as usize >= p.upvals.len() => return Err(Kind::Upvalue(value)),
                b'F' if value >= u32::from(p.num_feedback) && value != u32::from(NO_FEEDBACK) => {
                    return Err(Kind::Feedback(value));
                }
                b'C' => {
                    self.constant(instr.bx())?;
                }
                b'P' if instr.bx() as usize >= p.protos.len() => {
                    return Err(Kind::Prototype(instr.bx()));
                }
                b'_' if value != 0 => return Err(Kind::Operand),
                _ => {}
            }
        }
        let frame = FRAME_SLOTS as u32;
        match op {
            Op::LoadNil => self.frame(a + b + 1)?,
            Op::LoadBool if b > 1 => return Err(Kind::Operand),
            Op::SelfGet => self.frame(a + frame + 1)?,
            Op::SetList => self.frame(a + 1 + b)?,
            Op::Concat if c < 2 => return Err(Kind::Operand),
            Op::Concat => self.frame(b + c)?,
            Op::Call => {
                self.frame(a + frame + b.saturating_sub(1))?;
                self.frame(a + c.saturating_sub(1))?;
            }
            Op::TailCall => self.frame(a + frame + b.saturating_sub(1))?,
            Op::Return => self.frame(a + b.saturating_sub(1))?,
            Op::Vararg if !p.is_vararg => return Err(Kind::Vararg),
            Op::Vararg => self.frame(a + b.saturating_sub(1))?,
            Op::VarargPrep if pc != 0 => return Err(Kind::Vararg),
            Op::ForPrep | Op::ForLoop | Op::TForPrep => self.frame(a + 4)?,
            Op::TForCall if c == 0 => return Err(Kind::Operand),
            Op::TForCall => {
                self.frame(a + 4 + frame + 2)?;
                self.frame(a + 4 + c)?;
            }
            Op::TForLoop => self.frame(a + 5)?,
            Op::Eq | Op::EqK | Op::Lt | Op::Le | Op::LtI | Op::LeI | Op::GtI | Op::GeI if c > 1 => {
                return Err(Kind::Operand);
            }
            _ => {}
        }
        Ok(())
    }

    fn op_at(&self, pc: usize) -> Option<Op> {
        self.proto.code.get(pc).and_then(|i| i.op())
    }

    /// How the instruction fits with its neighbours and jump targets.
    fn pairs(&self, pc: usize) -> Result<(), Kind> {
        let code = &self.proto.code;
        let instr = code[pc];
        let op = instr.op().ok_or(Kind::Opcode(instr.op_byte()))?;
        if op.is_comparison() && self.op_at(pc + 1) != Some(Op::Jmp) {
            return Err(Kind::ComparisonWithoutJump);
        }
        let next = flow::successors(instr, pc);
        let len = code.len() as i64;
        if next.next.is_some_and(|n| n >= len) {
            return Err(Kind::FallsOff);
        }
        if let Some(target) = next.jump {
            if !(0..len).contains(&target) {
                return Err(if op.is_comparison() {
                    Kind::FallsOff
                } else {
                    Kind::Jump(target)
                });
            }
            let back = matches!(op, Op::Loop | Op::ForLoop | Op::TForLoop);
            if back != (target <= pc as i64) {
                return Err(Kind::Jump(target));
            }
            self.target(target as usize)?;
        }
        let at = |pc: i64| {
            usize::try_from(pc)
                .ok()
                .and_then(|pc| code.get(pc))
                .copied()
        };
        let is =
            |i: Option<Instr>, op: Op| i.is_some_and(|i| i.op() == Some(op) && i.a() == instr.a());
        let target = next.jump.unwrap_or(0);
        let ok = match op {
            Op::ForPrep => {
                let end = at(target - 1);
                is(end, Op::ForLoop)
                    && end.is_some_and(|e| target + i64::from(e.sbx()) == pc as i64 + 1)
            }
            Op::ForLoop => is(at(target - 1), Op::ForPrep),
            Op::TForPrep => {
                let end = at(target + 1);
                is(at(target), Op::TForCall)
                    && is(end, Op::TForLoop)
                    && end.is_some_and(|e| target + 2 + i64::from(e.sbx()) == pc as i64 + 1)
            }
            Op::TForCall => is(at(pc as i64 + 1), Op::TForLoop),
            Op::TForLoop => is(at(target - 1), Op::TForPrep) && is(at(pc as i64 - 1), Op::TForCall),
            _ => true,
        };
        if !ok {
            return Err(Kind::LoopMismatch);
        }
        if let Some(first) = flow::consumes_open(instr) {
            let start = pc.checked_sub(1).and_then(|p| flow::opens(code[p]));
            if start.is_none_or(|s| u32::from(s) < first) {
                return Err(Kind::OpenList);
            }
        }
        if flow::opens(instr).is_some() {
            let taken = code
                .get(pc + 1)
                .is_some_and(|n| flow::consumes_open(*n).is_some());
            if !taken {
                return Err(Kind::OpenList);
            }
        }
        Ok(())
    }

    /// A place that a jump goes to.
    fn target(&self, pc: usize) -> Result<(), Kind> {
        let code = &self.proto.code;
        let Some(before) = pc.checked_sub(1).map(|p| code[p]) else {
            return match code[pc].op() {
                Some(Op::VarargPrep) => Err(Kind::Vararg),
                _ => Ok(()),
            };
        };
        let middle = before.op().is_some_and(Op::is_comparison)
            || before.op() == Some(Op::TForCall)
            || flow::opens(before).is_some();
        if middle {
            return Err(Kind::JumpIntoPair(pc as u32));
        }
        Ok(())
    }

    /// Follows what the registers hold; `None` for code that is not reached.
    fn data_flow(&self) -> Check<Vec<Option<State>>> {
        let p = self.proto;
        let mut states: Vec<Option<State>> = vec![None; p.code.len()];
        let mut values = RegSet::EMPTY;
        values.insert_range(0..u32::from(p.num_params));
        states[0] = Some(State {
            values,
            cells: RegSet::EMPTY,
            tbc: RegSet::EMPTY,
            loops: RegSet::EMPTY,
        });
        let mut work = vec![0usize];
        while let Some(pc) = work.pop() {
            let Some(state) = states[pc] else { continue };
            let (fall, jump) = self.transfer(pc, state).map_err(|kind| (pc as u32, kind))?;
            let next = flow::successors(p.code[pc], pc);
            for (target, out) in [(next.next, fall), (next.jump, jump)] {
                let Some(target) = target.and_then(|t| usize::try_from(t).ok()) else {
                    continue;
                };
                let Some(slot) = states.get_mut(target) else {
                    continue;
                };
                let merged = match *slot {
                    None => out,
                    Some(old) => State {
                        values: intersect(old.values, out.values),
                        cells: intersect(old.cells, out.cells),
                        tbc: union(old.tbc, out.tbc),
                        loops: intersect(old.loops, out.loops),
                    },
                };
                if *slot != Some(merged) {
                    *slot = Some(merged);
                    work.push(target);
                }
            }
        }
        Ok(states)
    }

    /// States after the instruction: on the path to the next one, and on the
    /// path that jumps.
    fn transfer(&self, pc: usize, state: State) -> Result<(State, State), Kind> {
        let p = self.proto;
        let instr = p.code[pc];
        let op = instr.op().ok_or(Kind::Opcode(instr.op_byte()))?;
        let a = instr.a();
        let wide_a = u32::from(a);
        // reads
        let mut fault = None;
        flow::for_each_use(p, pc, |regs| {
            for reg in regs {
                let reg = reg as u8;
                let cell = match op {
                    Op::GetCell | Op::Closure => true,
                    Op::SetCell => u16::from(reg) != instr.b(),
                    _ => false,
                };
                if cell && !state.cells.contains(reg) {
                    fault = Some(Kind::NoCell(reg));
                } else if !cell && !state.values.contains(reg) {
                    fault = Some(Kind::NoValue(reg));
                }
            }
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
        // writes
        let mut written = RegSet::EMPTY;
        written.insert_range(flow::kills(instr, p.max_stack));
        if matches!(op, Op::ForPrep | Op::ForLoop) {
            written.insert_range(wide_a..wide_a + 4);
        } else if op == Op::TForLoop {
            written.insert(a + 2);
        }
        let mut next = state;
        if matches!(op, Op::Tbc | Op::TForPrep) {
            let reg = if op == Op::Tbc { a } else { a + 3 };
            if state.tbc.iter().any(|pending| pending >= reg) {
                return Err(Kind::ToBeClosed);
            }
            next.tbc.insert(reg);
        } else if op == Op::Close {
            next.tbc.remove_range(wide_a..256);
        } else if op == Op::TailCall {
            if !state.tbc.is_empty() {
                return Err(Kind::ToBeClosed);
            }
        } else if !intersect(written, state.tbc).is_empty() {
            return Err(Kind::ToBeClosed);
        }
        if op == Op::ForLoop && !state.loops.contains(a) {
            return Err(Kind::LoopState);
        }
        for reg in written.iter() {
            for base in reg.saturating_sub(2)..=reg {
                next.loops.remove(base);
            }
        }
        let (b, c) = (u32::from(instr.b()), u32::from(instr.c()));
        match op {
            Op::ForPrep | Op::ForLoop | Op::TForPrep | Op::TForLoop => {}
            _ => {
                let killed = flow::kills(instr, p.max_stack);
                next.values.remove_range(killed.clone());
                next.cells.remove_range(killed.clone());
                match op {
                    Op::NewCell => next.cells.insert(a),
                    Op::Call => next
                        .values
                        .insert_range(wide_a..wide_a + c.saturating_sub(1)),
                    Op::TForCall => next.values.insert_range(wide_a + 4..wide_a + 4 + c),
                    Op::Vararg if b == 0 => {}
                    Op::SelfGet => {
                        next.values.insert(a);
                        next.values.insert(a + FRAME_SLOTS as u8);
                    }
                    _ => next.values.insert_range(killed),
                }
            }
        }
        let (mut fall, mut jump) = (next, next);
        let define = |s: &mut State, reg: u8| {
            s.values.insert(reg);
            s.cells.remove(reg);
        };
        match op {
            Op::ForPrep => {
                define(&mut fall, a + 3);
                fall.loops.insert(a);
            }
            Op::ForLoop => {
                define(&mut jump, a + 3);
                jump.loops.insert(a);
            }
            _ => {}
        }
        Ok((fall, jump))
    }

    /// Debug information must name registers that hold what it says wherever
    /// it says so: `debug.getlocal` trusts it.
    fn locals(&self, states: &[Option<State>]) -> Check {
        let p = self.proto;
        let len = p.code.len() as u32;
        let ordered = p.locals.windows(2).all(|w| w[0].start_pc <= w[1].start_pc);
        if !ordered {
            return Err((0, Kind::Local(0)));
        }
        for (i, local) in p.locals.iter().enumerate() {
            if local.reg >= p.max_stack || local.start_pc > local.end_pc || local.end_pc > len {
                return Err((0, Kind::Local(i as u32)));
            }
        }
        let mut active: Vec<usize> = Vec::new();
        let mut next = 0;
        for (pc, state) in states.iter().enumerate() {
            active.retain(|&i| p.locals[i].end_pc > pc as u32);
            while p
                .locals
                .get(next)
                .is_some_and(|l| l.start_pc as usize <= pc)
            {
                if p.locals[next].end_pc > pc as u32 {
                    active.push(next);
                }
                next += 1;
            }
            if active.len() > MAX_ACTIVE_LOCALS {
                return Err((pc as u32, Kind::Local(next as u32)));
            }
            let Some(state) = state else { continue };
            for &i in &active {
                let local = &p.locals[i];
                let ok = if local.in_cell {
                    state.cells.contains(local.reg)
                } else {
                    state.values.contains(local.reg)
                };
                if !ok {
                    return Err((pc as u32, Kind::Local(i as u32)));
                }
            }
        }
        Ok(())
    }
}

fn intersect(a: RegSet, b: RegSet) -> RegSet {
    let mut out = a;
    out.retain(&b);
    out
}

fn union(a: RegSet, b: RegSet) -> RegSet {
    let mut out = a;
    out.union_with(&b);
    out
}
