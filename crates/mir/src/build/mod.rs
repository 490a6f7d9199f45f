//! Building MIR from bytecode and feedback.
//!
//! The builder interprets the bytecode abstractly, block by block, with every
//! register mapped to an SSA value. What the feedback promises becomes a guard
//! with the frame state of the current instruction; what it does not cover
//! runs through [`Op::InterpOne`](crate::ir::Op::InterpOne), so that every
//! opcode compiles.
//!
//! Types at block entries are optimistic: a block's parameters have the types
//! of the first edge that reaches it, and when a later edge (a loop's back
//! edge, say) disagrees, the type is widened and the function is built again.
//! Types only widen, so this ends after a few rounds.
//!
//! | module | builds |
//! |---|---|
//! | [`cfg`](self) | basic blocks of the bytecode |
//! | `frame` | register map, frame states, window stores, call sites |
//! | `arith` | arithmetic, comparisons, loops over numbers |
//! | `access` | fields, globals, methods, elements, cells |
//! | `calls` | calls, intrinsics, returns |
//! | `cleanup` | redundant block parameters, unneeded validity checks |

mod access;
mod arith;
mod calls;
mod cfg;
mod cleanup;
mod control;
mod frame;

use crate::backend::CompileError;
use crate::ir::{Block, EntryKind, Func, Op, State, Ty, Val};
use cfg::Cfg;
use std::collections::HashMap;
use vela_bytecode::liveness::Liveness;
use vela_bytecode::{Instr, Proto};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_profiler::{FunctionSnapshot, SiteSnapshot};

/// What to build.
#[derive(Clone, Debug)]
pub struct BuildInput<'a> {
    /// The function and its feedback.
    pub snapshot: &'a FunctionSnapshot,
    /// How the code is entered.
    pub entry: EntryKind,
    /// Whether to speculate on feedback at all.
    pub speculate: bool,
    /// Most bytecode instructions a function may have.
    pub max_size: usize,
}

/// Rounds of widening before all types are given up.
const MAX_ROUNDS: usize = 24;

/// Builds the MIR of a function.
///
/// # Errors
/// [`CompileError::TooLarge`] and [`CompileError::Unsupported`].
pub fn build(input: &BuildInput<'_>) -> Result<Func, CompileError> {
    let proto = &*input.snapshot.proto;
    if proto.code.len() > input.max_size {
        return Err(CompileError::TooLarge {
            what: "bytecode instructions",
            size: proto.code.len(),
            limit: input.max_size,
        });
    }
    if proto
        .code
        .iter()
        .any(|i| i.op() == Some(vela_bytecode::Op::Tbc))
    {
        return Err(CompileError::Unsupported("to-be-closed variables"));
    }
    let start = match input.entry {
        EntryKind::Call => usize::from(proto.is_vararg),
        EntryKind::Osr { pc } => pc as usize,
    };
    let live = Liveness::compute(proto);
    let cfg = Cfg::compute(proto, start);
    let mut types = HashMap::new();
    for round in 0..=MAX_ROUNDS {
        let give_up = round == MAX_ROUNDS;
        let mut b = Builder::new(
            input,
            proto,
            &live,
            &cfg,
            std::mem::take(&mut types),
            give_up,
        );
        b.run(start);
        if b.widened && !give_up {
            types = b.types;
            continue;
        }
        let mut func = b.func;
        cleanup::run(&mut func);
        return Ok(func);
    }
    Err(CompileError::Bug("block types did not settle".into()))
}

/// Registers and window at the end of an edge into a block with one
/// predecessor.
#[derive(Clone)]
struct Inherited {
    regs: Vec<Option<Val>>,
    window: Vec<Option<Val>>,
}

struct Builder<'a> {
    input: &'a BuildInput<'a>,
    proto: &'a Proto,
    live: &'a Liveness,
    cfg: &'a Cfg,
    func: Func,
    /// MIR block of each bytecode block, by first pc.
    blocks: HashMap<usize, Block>,
    /// Entry types of blocks with several predecessors: (pc, register).
    types: HashMap<(usize, u8), Ty>,
    widened: bool,
    give_up: bool,
    inherited: HashMap<usize, Inherited>,
    /// The block being filled; `None` after a terminator.
    cur: Option<Block>,
    pc: usize,
    /// Value of each register.
    regs: Vec<Option<Val>>,
    /// Value that each window slot is known to hold.
    window: Vec<Option<Val>>,
    /// State at the current instruction, made on demand.
    state: Option<State>,
}

impl<'a> Builder<'a> {
    fn new(
        input: &'a BuildInput<'a>,
        proto: &'a Proto,
        live: &'a Liveness,
        cfg: &'a Cfg,
        types: HashMap<(usize, u8), Ty>,
        give_up: bool,
    ) -> Self {
        let name = format!(
            "{}:{}",
            vela_objects::debug::chunk_id(&proto.source),
            proto.line_defined
        );
        let func = Func::new(
            name,
            input.entry,
            proto.num_params,
            proto.is_vararg,
            proto.max_stack,
        );
        let n = proto.max_stack as usize;
        Builder {
            input,
            proto,
            live,
            cfg,
            func,
            blocks: HashMap::new(),
            types,
            widened: false,
            give_up,
            inherited: HashMap::new(),
            cur: Some(Func::ENTRY),
            pc: 0,
            regs: vec![None; n],
            window: vec![None; n],
            state: None,
        }
    }

    fn run(&mut self, start: usize) {
        self.pc = start;
        match self.input.entry {
            EntryKind::Call => self.call_entry(),
            EntryKind::Osr { .. } => self.osr_entry(start),
        }
        if self.cur.is_some() {
            self.jump_to(start);
        }
        for &first in &self.cfg.order {
            if self.start_block(first) {
                self.fill_block(first);
            }
        }
    }

    /// Parameters arrive as `Any`; the types that calls had so far are
    /// guarded here, once.
    fn call_entry(&mut self) {
        for r in 0..self.proto.num_params {
            let v = self.func.add_param(Func::ENTRY, Ty::Any);
            self.regs[r as usize] = Some(v);
            // A vararg function's frame was laid out anew. Otherwise a slot
            // holds its argument only from the fourth on, and only if the
            // caller gave that many.
            if self.proto.is_vararg {
                self.window[r as usize] = Some(v);
            }
        }
        if !self.speculate() {
            return;
        }
        for r in 0..self.proto.num_params.min(8) {
            let seen = self.input.snapshot.arg_tags[r as usize];
            if let Some(tag) = only_tag(seen)
                && tag != Tag::NIL
                && self.live.live_in(self.pc as u32).contains(r)
            {
                let v = self.read(r);
                self.guard_tag(v, tag);
            }
        }
    }

    fn osr_entry(&mut self, start: usize) {
        let live: Vec<u8> = self.live.live_in(start as u32).iter().collect();
        for &r in &live {
            let v = self.emit(Op::LoadReg(r), &[], Ty::Any);
            self.regs[r as usize] = Some(v);
            self.window[r as usize] = Some(v);
        }
        let state = self.func.states.len() as u32;
        self.func.states.push(crate::ir::FrameState {
            pc: start as u32,
            regs: Vec::new(),
            in_window: live.clone(),
            caller: None,
        });
        self.state = Some(State(state));
        for &r in &live {
            let tag = self
                .input
                .snapshot
                .osr_tags
                .get(r as usize)
                .copied()
                .unwrap_or(Tag::NIL);
            let expected = self.types.get(&(start, r)).copied();
            if tag == Tag::NIL || expected == Some(Ty::Any) || !self.speculate() && tag != Tag::CELL
            {
                continue;
            }
            let v = self.read(r);
            if tag == Tag::CELL {
                let cell = self.emit(Op::Unbox, &[v], Ty::Cell);
                self.replace(v, cell);
            } else {
                self.guard_tag(v, tag);
            }
        }
    }

    fn speculate(&self) -> bool {
        self.input.speculate && !self.give_up
    }

    /// The MIR block of the bytecode block at `pc`.
    fn block_at(&mut self, pc: usize) -> Block {
        if let Some(&b) = self.blocks.get(&pc) {
            return b;
        }
        let b = self.func.add_block();
        self.blocks.insert(pc, b);
        b
    }

    /// Live registers that a block with several predecessors takes as
    /// parameters, in order.
    fn param_regs(&self, pc: usize) -> Vec<u8> {
        self.live.live_in(pc as u32).iter().collect()
    }

    /// Prepares to fill the block at `first`; false if nothing jumps there.
    fn start_block(&mut self, first: usize) -> bool {
        let Some(&block) = self.blocks.get(&first) else {
            return false;
        };
        self.cur = Some(block);
        self.state = None;
        let n = self.regs.len();
        if self.cfg.has_params(first) {
            self.regs = vec![None; n];
            self.window = vec![None; n];
            for r in self.param_regs(first) {
                let ty = self.types.get(&(first, r)).copied().unwrap_or(Ty::Any);
                let v = self.func.add_param(block, ty);
                self.regs[r as usize] = Some(v);
            }
            self.func.blocks[block.index()].loop_header = self.cfg.is_loop_header(first);
            self.merge_loop_variable(first);
        } else if let Some(inherited) = self.inherited.remove(&first) {
            self.regs = inherited.regs;
            self.window = inherited.window;
        }
        true
    }

    /// At the body of a numeric loop the visible variable equals the index.
    fn merge_loop_variable(&mut self, first: usize) {
        let Some(prep) = first.checked_sub(1).map(|pc| self.proto.code[pc]) else {
            return;
        };
        if prep.op() == Some(vela_bytecode::Op::ForPrep)
            && self.live.live_in(first as u32).contains(prep.a() + 3)
        {
            self.regs[prep.a() as usize + 3] = self.regs[prep.a() as usize];
        }
    }

    fn fill_block(&mut self, first: usize) {
        let end = self.cfg.end_of(first);
        let mut pc = first;
        while pc < end && self.cur.is_some() {
            self.pc = pc;
            self.state = None;
            let instr = self.proto.code[pc];
            self.instruction(instr);
            pc += if instr.op().is_some_and(vela_bytecode::Op::is_comparison) {
                2
            } else {
                1
            };
        }
        if self.cur.is_some() {
            self.jump_to(end);
        }
    }

    fn instruction(&mut self, i: Instr) {
        use vela_bytecode::Op as B;
        let Some(op) = i.op() else { return };
        let a = i.a();
        match op {
            B::Move => {
                let v = self.read(i.b() as u8);
                self.write(a, v);
            }
            B::LoadInt => {
                let v = self.int(i64::from(i.sbx()));
                self.write(a, v);
            }
            B::LoadFloat => {
                let v = self.float(f64::from(i.sbx()));
                self.write(a, v);
            }
            B::LoadK => {
                let v = self.constant(i.bx());
                self.write(a, v);
            }
            B::LoadNil => {
                for r in a..=a + i.b() as u8 {
                    let v = self.nil();
                    self.write(r, v);
                }
            }
            B::LoadBool => {
                let v = self.emit(Op::Bool(i.b() != 0), &[], Ty::Bool);
                self.write(a, v);
            }
            B::NewCell | B::GetCell | B::SetCell | B::GetUpval | B::SetUpval => self.cell_op(op, i),
            B::GetTabUp | B::GetField | B::SelfGet => self.get_field(op, i),
            B::SetTabUp | B::SetField => self.set_field(op, i),
            B::GetIndex | B::GetInt => self.get_index(op, i),
            B::SetIndex | B::SetInt => self.set_index(op, i),
            B::Len => self.length(i),
            B::NewTable => {
                let t = self.emit(
                    Op::NewTable {
                        fields: i.c(),
                        elems: i.b(),
                    },
                    &[],
                    Ty::Table,
                );
                self.write(a, t);
            }
            B::Add
            | B::Sub
            | B::Mul
            | B::Div
            | B::Mod
            | B::IDiv
            | B::Pow
            | B::BAnd
            | B::BOr
            | B::BXor
            | B::Shl
            | B::Shr
            | B::AddK
            | B::SubK
            | B::MulK
            | B::DivK
            | B::ModK
            | B::IDivK
            | B::PowK
            | B::BAndK
            | B::BOrK
            | B::BXorK
            | B::ShlK
            | B::ShrK
            | B::AddI
            | B::SubI => self.binary(op, i),
            B::Unm | B::BNot => self.unary(op, i),
            B::Not => {
                let v = self.read(i.b() as u8);
                let t = self.truthy(v);
                let n = self.emit(Op::Not, &[t], Ty::Bool);
                self.write(a, n);
            }
            B::Jmp => self.jump_to(self.target(i)),
            B::Loop => {
                self.poll();
                self.jump_to(self.target(i));
            }
            B::JmpIf | B::JmpIfNot => {
                let v = self.read(a);
                let t = self.truthy(v);
                let (yes, no) = (self.target(i), self.pc + 1);
                if op == B::JmpIf {
                    self.branch_to(t, yes, no);
                } else {
                    self.branch_to(t, no, yes);
                }
            }
            B::Eq | B::EqK | B::Lt | B::Le | B::LtI | B::LeI | B::GtI | B::GeI => {
                self.comparison(op, i)
            }
            B::ForPrep => self.for_prep(i),
            B::ForLoop => self.for_loop(i),
            B::TForPrep => self.tfor_prep(i),
            B::TForLoop => self.tfor_loop(i),
            B::Call => self.call(i),
            B::TailCall => self.tail_call(i),
            B::Return | B::Return0 | B::Return1 => self.return_op(op, i),
            B::SetList | B::Concat | B::Vararg | B::Closure | B::TForCall | B::Tbc => {
                self.interp_one()
            }
            // Functions with to-be-closed variables are not compiled, and
            // generic loops are only entered without a closing value.
            B::VarargPrep | B::Close => {}
        }
    }

    /// Where a jump instruction at the current pc goes.
    fn target(&self, i: Instr) -> usize {
        (self.pc as i64 + 1 + i64::from(i.sbx())) as usize
    }

    /// Feedback of a slot; empty if there is none.
    fn site(&self, slot: u16) -> SiteSnapshot {
        self.input
            .snapshot
            .sites
            .get(slot as usize)
            .cloned()
            .unwrap_or_default()
    }

    /// Whether a site may speculate for this reason: not after it failed.
    fn may_speculate(&self, site: &SiteSnapshot, reason: DeoptReason) -> bool {
        self.speculate() && site.failed & reason.bit() == 0
    }
}

/// The tag if exactly one bit is set.
fn only_tag(bits: u16) -> Option<Tag> {
    (bits.count_ones() == 1).then(|| Tag(bits.trailing_zeros() as u8))
}
