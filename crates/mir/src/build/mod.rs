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
//! | `shapes` | tests of shapes, accesses of objects of several shapes |
//! | `calls` | calls and returns |
//! | `inline` | calls whose callee is built in place |
//! | `protect` | `pcall` of a function that is built in place |
//! | `ways` | calls with several callees |
//! | `metamethods` | operators on tables, through known metamethods |
//! | `meeting` | places where ways through the code meet |
//! | `intrinsics` | calls of library functions that the tier knows |
//! | `iterators` | generic loops |
//! | `lists` | positional parts of constructors |
//! | `strings` | concatenation, tests of types, closures |
//! | `known` | values known without a test |
//! | `varargs` | extra arguments |
//! | `cleanup` | redundant block parameters, unneeded validity checks |

mod access;
mod arith;
mod calls;
mod cfg;
mod cleanup;
mod control;
mod frame;
mod inline;
mod intrinsics;
mod iterators;
mod known;
mod lists;
mod meeting;
mod metamethods;
mod metatables;
mod numbers;
mod protect;
mod shapes;
mod strings;
mod varargs;
mod ways;

use crate::backend::CompileError;
use crate::ir::{Block, EntryKind, Func, IntOp, Op, PoolEntry, State, Ty, Val};
use cfg::Cfg;
use inline::{Activation, Inlined, Library};
use rustc_hash::FxHashMap;
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
    /// Cells in which the code counts what it executes; `None` for code that
    /// is to be fast.
    pub counters: Option<Counters>,
}

/// Addresses of two cells that hold integers, for the statistics that cost
/// time. They must be kept alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Bytecode instructions executed in compiled code, counted block by
    /// block: an exit in the middle of a block leaves the whole counted.
    pub operations: u64,
    /// Calls of the function.
    pub calls: u64,
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
    let start = match input.entry {
        EntryKind::Call => usize::from(proto.is_vararg),
        EntryKind::Osr { pc } => pc as usize,
    };
    let live = liveness(input.snapshot);
    let cfg = Cfg::compute(proto, start);
    let library = Library::new(input.snapshot);
    let mut types = Types::default();
    for round in 0..=MAX_ROUNDS {
        let give_up = round == MAX_ROUNDS;
        let mut b = Builder::new(
            input,
            proto,
            (&live, &cfg),
            &library,
            std::mem::take(&mut types),
            give_up,
        );
        b.run(start);
        if b.widened && !give_up {
            types = b.types;
            continue;
        }
        let mut func = b.func;
        func.max_stack = b.window_end as u8;
        func.bytecodes = proto.code.len() + b.inlined_size;
        cleanup::run(&mut func, input.snapshot.debuggable);
        return Ok(func);
    }
    Err(CompileError::Bug("block types did not settle".into()))
}

/// Registers that frame states and call sites name.
fn liveness(snapshot: &FunctionSnapshot) -> Liveness {
    let mut live = Liveness::compute(&snapshot.proto);
    if snapshot.debuggable {
        live.keep_locals(&snapshot.proto);
    }
    live
}

/// Registers and window at the end of an edge into a block with one
/// predecessor.
#[derive(Clone)]
struct Inherited {
    values: Vec<Option<Val>>,
    window: Vec<Option<Val>>,
}

struct Builder<'a> {
    input: &'a BuildInput<'a>,
    library: &'a Library<'a>,
    func: Func,
    types: Types,
    widened: bool,
    give_up: bool,
    /// The block being filled; `None` after a terminator.
    cur: Option<Block>,
    /// Value of each register of all frames, by its slot in the window.
    values: Vec<Option<Val>>,
    /// Value that each window slot is known to hold.
    window: Vec<Option<Val>>,
    /// End of the part of the window in use.
    window_end: usize,
    /// Bytecode instructions inlined so far.
    inlined_size: usize,
    /// Calls with several callees around the current instruction.
    forks: usize,
    /// The frames around the current one, outermost first.
    outer: Vec<Activation<'a>>,

    // The current frame. An inlined call exchanges these, see `Activation`.
    snapshot: &'a FunctionSnapshot,
    proto: &'a Proto,
    live: &'a Liveness,
    cfg: &'a Cfg,
    /// Distinguishes the copies of inlined functions in `types`.
    instance: u32,
    /// The window's slot of register 0.
    base: usize,
    /// How the frame came to be inlined; `None` for the function's own.
    inlined: Option<Inlined>,
    /// MIR block of each bytecode block, by first pc.
    blocks: FxHashMap<usize, Block>,
    inherited: FxHashMap<usize, Inherited>,
    pc: usize,
    /// State at the current instruction, made on demand.
    state: Option<State>,
    /// The open list that the last inlined call left, of known length.
    open: Option<calls::Open>,
}

/// What one round of building finds out for the next.
#[derive(Default)]
struct Types {
    /// Entry types of blocks with several predecessors: (instance, pc,
    /// register).
    of: FxHashMap<(u32, usize, u8), Ty>,
    /// Number of each inlined copy: by the caller's, the call's pc, the callee.
    instances: FxHashMap<(u32, usize, u64), u32>,
}

impl Types {
    fn get(&self, key: (u32, usize, u8)) -> Option<Ty> {
        self.of.get(&key).copied()
    }
}

impl<'a> Builder<'a> {
    fn new(
        input: &'a BuildInput<'a>,
        proto: &'a Proto,
        (live, cfg): (&'a Liveness, &'a Cfg),
        library: &'a Library<'a>,
        types: Types,
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
            library,
            func,
            types,
            widened: false,
            give_up,
            cur: Some(Func::ENTRY),
            values: vec![None; inline::WINDOW],
            window: vec![None; inline::KNOWN],
            window_end: n,
            inlined_size: 0,
            forks: 0,
            outer: Vec::new(),
            snapshot: input.snapshot,
            proto,
            live,
            cfg,
            instance: 0,
            base: 0,
            inlined: None,
            blocks: FxHashMap::default(),
            inherited: FxHashMap::default(),
            pc: 0,
            state: None,
            open: None,
        }
    }

    fn run(&mut self, start: usize) {
        self.pc = start;
        match self.input.entry {
            EntryKind::Call => self.call_entry(),
            EntryKind::Osr { .. } => self.osr_entry(start),
        }
        if let (Some(counters), EntryKind::Call) = (self.input.counters, self.input.entry) {
            self.count(counters.calls, 1);
        }
        if self.cur.is_some() {
            self.jump_to(start);
        }
        self.fill_blocks();
    }

    /// Builds all blocks of the current frame's function that something jumps
    /// to.
    fn fill_blocks(&mut self) {
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
            self.write(r, v);
            // A vararg function's frame was laid out anew. Otherwise a slot
            // holds its argument only from the fourth on, and only if the
            // caller gave that many.
            if self.proto.is_vararg {
                self.window[r as usize] = Some(v);
            }
        }
        if !self.speculate() || self.snapshot.settled {
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
            self.write(r, v);
            self.window[r as usize] = Some(v);
        }
        let state = self.func.states.len() as u32;
        self.func.states.push(crate::ir::FrameState {
            pc: start as u32,
            regs: Vec::new(),
            in_window: live.clone(),
            top: None,
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
            let expected = self.types.get((0, start, r));
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
        if self.cfg.has_params(first) {
            self.enter_join();
            for r in self.param_regs(first) {
                let key = (self.instance, first, r);
                let ty = self.types.get(key).unwrap_or(Ty::Any);
                let v = self.func.add_param(block, ty);
                self.write(r, v);
            }
            self.func.blocks[block.index()].loop_header = self.cfg.is_loop_header(first);
            self.merge_loop_variable(first);
        } else if let Some(inherited) = self.inherited.remove(&first) {
            self.values = inherited.values;
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
            let index = self.read(prep.a());
            self.write(prep.a() + 3, index);
        }
    }

    fn fill_block(&mut self, first: usize) {
        let end = self.cfg.end_of(first);
        let mut pc = first;
        if let Some(counters) = self.input.counters {
            let steps = self.steps(first, end);
            self.count(counters.operations, steps);
        }
        while pc < end && self.cur.is_some() {
            self.pc = pc;
            self.state = None;
            let instr = self.proto.code[pc];
            self.instruction(instr);
            // An instruction may have been built with the one before.
            pc = self.pc;
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

    /// Instructions that the interpreter would execute in `first..end`: a
    /// comparison takes the jump behind it along.
    fn steps(&self, first: usize, end: usize) -> i64 {
        let code = &self.proto.code[first..end];
        let comparison = |i: &&Instr| i.op().is_some_and(vela_bytecode::Op::is_comparison);
        (code.len() - code.iter().filter(comparison).count()) as i64
    }

    /// Adds `n` to the integer in a cell.
    fn count(&mut self, cell: u64, n: i64) {
        let cell = self.literal(PoolEntry::Object(cell, Tag::CELL), Ty::Cell);
        let held = self.emit(Op::LoadCell, &[cell], Ty::Any);
        let held = self.emit(Op::Unbox, &[held], Ty::Int);
        let n = self.int(n);
        let sum = self.emit(Op::IntOp(IntOp::Add), &[held, n], Ty::Int);
        self.push(Op::StoreCell, &[cell, sum], Ty::None);
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
            B::NewTable => self.new_table(i),
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
            B::TForCall => self.tfor_call(i),
            B::Concat => self.concat(i),
            B::Closure => self.new_closure(i),
            B::Vararg => self.vararg(i),
            B::SetList => self.set_list(i),
            B::Tbc => self.interp_one(),
            B::Close if self.has_tbc() => self.interp_one(),
            // Generic loops are only entered without a closing value.
            B::VarargPrep | B::Close => {}
        }
    }

    /// Where a jump instruction at the current pc goes.
    fn target(&self, i: Instr) -> usize {
        (self.pc as i64 + 1 + i64::from(i.sbx())) as usize
    }

    /// Whether the current frame's function marks variables to be closed.
    fn has_tbc(&self) -> bool {
        let marks = |i: &Instr| i.op() == Some(vela_bytecode::Op::Tbc);
        self.proto.code.iter().any(marks)
    }

    /// Feedback of a slot; empty if there is none.
    fn site(&self, slot: u16) -> SiteSnapshot {
        self.snapshot
            .sites
            .get(slot as usize)
            .cloned()
            .unwrap_or_default()
    }

    /// Whether a site may speculate for this reason: not after it failed, nor
    /// in a function where too much did.
    fn may_speculate(&self, site: &SiteSnapshot, reason: DeoptReason) -> bool {
        self.speculate() && !self.snapshot.settled && site.failed & reason.bit() == 0
    }

    /// Whether the code may rely on what later writes would invalidate.
    fn may_watch(&self) -> bool {
        self.speculate() && !self.input.snapshot.settled
    }
}

/// The tag if exactly one bit is set.
fn only_tag(bits: u16) -> Option<Tag> {
    (bits.count_ones() == 1).then(|| Tag(bits.trailing_zeros() as u8))
}
