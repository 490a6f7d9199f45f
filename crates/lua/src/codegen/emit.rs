//! Instructions, registers, constants and jumps of one function.

use super::{Limit, Result};
use hashbrown::HashMap;
use std::hash::RandomState;
use vela_bytecode::{
    Constant, FRAME_SLOTS, Instr, LineTable, LocalVar, MAX_REGISTERS, NO_FEEDBACK, Op,
};

/// A list of jumps to one place that is not known yet, linked through the
/// jump distances; the head is `pc + 1`, 0 when empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Jumps(u32);

impl Jumps {
    pub const NONE: Self = Self(0);
}

/// Key of a number constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum NumberKey {
    Int(i64),
    Float(u64),
}

pub(super) struct Emitter {
    pub code: Vec<Instr>,
    pub lines: LineTable,
    pub constants: Vec<Constant>,
    pub locals: Vec<LocalVar>,
    /// Line of the instructions being emitted.
    pub line: u32,
    free: usize,
    max: usize,
    feedback: u16,
    last_target: u32,
    numbers: HashMap<NumberKey, u32, RandomState>,
    nil: Option<u32>,
    bools: [Option<u32>; 2],
}

impl Emitter {
    pub fn new() -> Self {
        Self {
            code: Vec::new(),
            lines: LineTable::default(),
            constants: Vec::new(),
            locals: Vec::new(),
            line: 0,
            free: 0,
            max: FRAME_SLOTS,
            feedback: 0,
            last_target: u32::MAX,
            numbers: HashMap::default(),
            nil: None,
            bools: [None; 2],
        }
    }

    pub fn pc(&self) -> u32 {
        self.code.len() as u32
    }

    pub fn max_stack(&self) -> u8 {
        self.max as u8
    }

    pub fn feedback_slots(&self) -> u16 {
        self.feedback
    }

    pub fn emit(&mut self, instr: Instr) -> u32 {
        let pc = self.pc();
        self.lines.push(pc, self.line);
        self.code.push(instr);
        pc
    }

    /// Gives the conditional jump that was just emitted, if it is a test of a
    /// value, the line of the `then` behind the condition.
    pub fn test_line(&mut self, line: u32) {
        let test = |i: &Instr| matches!(i.op(), Some(Op::JmpIf | Op::JmpIfNot));
        if self.code.last().is_some_and(test) {
            self.lines.push(self.pc() - 1, line);
        }
    }

    /// Emits with a feedback slot in `d`.
    pub fn emit_fb(&mut self, op: Op, a: u8, b: u16, c: u16) -> u32 {
        let slot = self.slot();
        self.emit(Instr::abcd(op, a, b, c, slot))
    }

    /// A new feedback slot.
    pub fn slot(&mut self) -> u16 {
        let slot = self.feedback;
        if slot != NO_FEEDBACK {
            self.feedback += 1;
        }
        slot
    }

    pub fn new_cell(&mut self, dst: u8, src: u8) {
        self.emit(Instr::abcd(Op::NewCell, dst, u16::from(src), 0, 0));
    }

    // ---- registers ----

    /// The first free register.
    pub fn free(&self) -> usize {
        self.free
    }

    pub fn set_free(&mut self, free: usize) {
        debug_assert!(free <= self.free);
        self.free = free;
    }

    /// Takes the next `n` registers and returns the first.
    pub fn reserve(&mut self, n: usize) -> Result<u8> {
        let first = self.free;
        self.touch(first + n)?;
        self.free += n;
        Ok(first as u8)
    }

    /// Makes sure that the frame has `size` registers.
    pub fn touch(&mut self, size: usize) -> Result<()> {
        if size > MAX_REGISTERS {
            return Err(Limit::Registers);
        }
        self.max = self.max.max(size);
        Ok(())
    }

    // ---- constants ----

    pub fn push_constant(&mut self, constant: Constant) -> u32 {
        self.constants.push(constant);
        self.constants.len() as u32 - 1
    }

    pub fn int_constant(&mut self, value: i64) -> u32 {
        self.number(NumberKey::Int(value), Constant::Int(value))
    }

    pub fn float_constant(&mut self, value: f64) -> u32 {
        self.number(NumberKey::Float(value.to_bits()), Constant::Float(value))
    }

    fn number(&mut self, key: NumberKey, constant: Constant) -> u32 {
        if let Some(&index) = self.numbers.get(&key) {
            return index;
        }
        let index = self.push_constant(constant);
        self.numbers.insert(key, index);
        index
    }

    pub fn nil_constant(&mut self) -> u32 {
        if let Some(index) = self.nil {
            return index;
        }
        let index = self.push_constant(Constant::Nil);
        self.nil = Some(index);
        index
    }

    pub fn bool_constant(&mut self, value: bool) -> u32 {
        if let Some(index) = self.bools[usize::from(value)] {
            return index;
        }
        let index = self.push_constant(Constant::Bool(value));
        self.bools[usize::from(value)] = Some(index);
        index
    }

    // ---- jumps ----

    /// Emits a forward jump and adds it to a list.
    pub fn jump(&mut self, op: Op, a: u8, list: &mut Jumps) {
        let pc = self.emit(Instr::abx(op, a, 0, list.0));
        list.0 = pc + 1;
    }

    /// Makes all jumps of the list land here.
    pub fn patch_here(&mut self, list: Jumps) {
        let here = self.pc();
        let mut next = list.0;
        if next != 0 {
            self.last_target = here;
        }
        while next != 0 {
            let pc = next - 1;
            let instr = &mut self.code[pc as usize];
            next = instr.bx();
            *instr = instr.with_sbx((here - next_pc(pc)) as i32);
        }
    }

    /// A place that later jumps go back to.
    pub fn target_here(&mut self) -> u32 {
        self.last_target = self.pc();
        self.pc()
    }

    /// Emits the back edge of a loop.
    pub fn loop_to(&mut self, target: u32) {
        let slot = self.slot();
        let distance = i64::from(target) - i64::from(self.pc()) - 1;
        self.emit(Instr::asbx(Op::Loop, 0, slot, distance as i32));
    }

    /// Whether control can get here.
    pub fn reachable(&self) -> bool {
        if self.last_target == self.pc() {
            return true;
        }
        let op = |back: usize| {
            self.code
                .len()
                .checked_sub(back)
                .and_then(|i| self.code[i].op())
        };
        match op(1) {
            Some(Op::Jmp) => op(2).is_some_and(Op::is_comparison),
            Some(last) => !last.is_terminator(),
            None => true,
        }
    }
}

fn next_pc(pc: u32) -> u32 {
    pc + 1
}
