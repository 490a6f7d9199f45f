//! Lowering: MIR to LLVM IR, one file per family of operations.
//!
//! | file | what |
//! |---|---|
//! | `values` | representation of MIR values |
//! | `memory` | loads, stores, and what LLVM may assume of them |
//! | `frame_plan` | where the frame record is pushed |
//! | `prologue` | entries, unpacking of arguments, records |
//! | `framed` | the part of a body that needs a frame, cut off |
//! | `control` | jumps, branches, returns, tail calls |
//! | `arith` | integers and floats |
//! | `boxing` | tags, boxes, the window |
//! | `cells` | captured variables |
//! | `tables` | shapes and slots |
//! | `elements` | the array part |
//! | `calls` | calls of functions and helpers, safepoints |
//! | `intrinsics` | library functions, strings, closures |
//! | `exits` | guards |
//!
//! A call function without calls of itself becomes one LLVM function, the
//! generic entry. One that calls itself becomes two: the generic entry checks
//! the types that the code speculates its parameters to have, and the body
//! takes them unboxed, so that a call of itself with arguments of known types
//! goes straight to the body.

mod arith;
mod boxing;
mod calls;
mod cells;
mod compare;
mod control;
mod elements;
mod exits;
mod frame_plan;
mod framed;
mod intrinsics;
mod memory;
mod new_table;
mod prologue;
mod tables;
mod values;

use crate::abi;
use frame_plan::FramePlan;
use framed::Framed;
use inkwell::AddressSpace;
use inkwell::basic_block::BasicBlock;
use inkwell::builder::{Builder, BuilderError};
use inkwell::context::Context;
use inkwell::module::Module;
use inkwell::types::{FloatType, IntType, PointerType, StructType};
use inkwell::values::{
    BasicValueEnum, FunctionValue, InstructionValueError, IntValue, PointerValue,
};
use memory::Notes;
use values::{Lv, Phi};
use vela_mir::analysis::Cfg;
use vela_mir::backend::{CompileError, CompileOptions};
use vela_mir::exits::ExitPlan;
use vela_mir::ir::{Block, EntryKind, Func, Inst, Op};

/// Why lowering failed.
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// The instruction builder refused: a bug in lowering.
    #[error("instruction builder: {0}")]
    Builder(#[from] BuilderError),
    /// An instruction cannot carry what lowering put on it.
    #[error("instruction: {0}")]
    Instruction(#[from] InstructionValueError),
    /// The MIR breaks a rule that its verifier checks.
    #[error("{0}")]
    Bug(String),
}

impl From<LowerError> for CompileError {
    fn from(e: LowerError) -> CompileError {
        CompileError::Bug(e.to_string())
    }
}

type Lowered<T> = Result<T, LowerError>;

/// What the rest of the compilation needs to know of a lowered function.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Guards in the code.
    pub guards: u32,
    /// Whether a loop is marked for vectorization.
    pub marked_loops: bool,
    /// Whether something is to be inlined: then [`INLINE`] runs first.
    pub inlines: bool,
}

/// Inlines what lowering marked. The inlined base case makes the type of the
/// result a constant on one path, which jump threading uses.
pub const INLINE: &str = "always-inline,function(instcombine<no-verify-fixpoint>,jump-threading)";

/// Types in use.
struct Types<'c> {
    i1: IntType<'c>,
    i8: IntType<'c>,
    i32: IntType<'c>,
    i64: IntType<'c>,
    f64: FloatType<'c>,
    ptr: PointerType<'c>,
    pair: StructType<'c>,
}

/// Lowers `func` into `module`; the entry gets the name `name`.
///
/// # Errors
/// [`LowerError`]: all are bugs, here or in the MIR.
pub fn lower<'c>(
    cx: &'c Context,
    module: &Module<'c>,
    func: &Func,
    plan: &ExitPlan,
    options: &CompileOptions,
    name: &str,
) -> Result<Summary, LowerError> {
    let cfg = Cfg::new(func);
    let frame = FramePlan::new(func, &cfg);
    let i64 = cx.i64_type();
    let ptr = cx.ptr_type(AddressSpace::default());
    let generic = abi::declare_lua_function(module, name);
    let null = ptr.const_null();
    let mut fx = Fx {
        func,
        plan,
        options,
        cx,
        module,
        b: cx.create_builder(),
        t: Types {
            i1: cx.bool_type(),
            i8: cx.i8_type(),
            i32: cx.i32_type(),
            i64,
            f64: cx.f64_type(),
            ptr,
            pair: cx.struct_type(&[i64.into(), i64.into()], false),
        },
        notes: Notes::new(cx, options.strip_promises),
        cfg,
        frame,
        f: generic,
        generic,
        body: None,
        vm: null,
        fp: null,
        entry_fp: null,
        closure: null,
        pool: None,
        call: None,
        vals: vec![None; func.vals.len()],
        blocks: vec![None; func.blocks.len()],
        phis: vec![Vec::new(); func.blocks.len()],
        pushed: false,
        error_block: None,
        exit_blocks: Vec::new(),
        open_exits: Vec::new(),
        poll_stub: None,
        guards: 0,
        marked_loops: false,
        vector_latches: Vec::new(),
        framed: None,
        inlines: false,
    };
    if options.opt_level >= 2 {
        fx.find_vector_loops();
    }
    fx.function()?;
    Ok(Summary {
        guards: fx.guards,
        marked_loops: fx.marked_loops,
        inlines: fx.inlines,
    })
}

/// The typed entry of a function that calls itself.
#[derive(Clone)]
struct Body<'c> {
    function: FunctionValue<'c>,
    /// Types of the parameters.
    params: Vec<vela_mir::ir::Ty>,
    /// Whether the literal pool is passed along.
    takes_pool: bool,
    /// Instructions at the start of the entry block that the generic entry
    /// has done.
    peeled: usize,
}

/// Arguments as the generic entry has them, until they are unpacked.
#[derive(Clone, Copy)]
struct CallArgs<'c> {
    desc: IntValue<'c>,
    words: [IntValue<'c>; abi::REGISTER_ARGS],
}

/// The state of lowering one MIR function.
struct Fx<'a, 'c> {
    func: &'a Func,
    plan: &'a ExitPlan,
    options: &'a CompileOptions,
    cx: &'c Context,
    module: &'a Module<'c>,
    b: Builder<'c>,
    t: Types<'c>,
    notes: Notes<'c>,
    cfg: Cfg,
    frame: FramePlan,
    /// The LLVM function being filled.
    f: FunctionValue<'c>,
    generic: FunctionValue<'c>,
    body: Option<Body<'c>>,
    vm: PointerValue<'c>,
    /// The frame's record.
    fp: PointerValue<'c>,
    /// Where the caller put the frame; differs from `fp` in vararg functions.
    entry_fp: PointerValue<'c>,
    closure: PointerValue<'c>,
    pool: Option<PointerValue<'c>>,
    /// In a generic entry: the arguments as they came.
    call: Option<CallArgs<'c>>,
    vals: Vec<Option<Lv<'c>>>,
    blocks: Vec<Option<BasicBlock<'c>>>,
    phis: Vec<Vec<Phi<'c>>>,
    /// Whether the frame's record is in place at the point being filled.
    pushed: bool,
    error_block: Option<BasicBlock<'c>>,
    /// By function and whether the record is in place: where its exits meet,
    /// and the number of the exit taken.
    exit_blocks: Vec<((FunctionValue<'c>, bool), exits::Meeting<'c>)>,
    open_exits: Vec<exits::OpenExit<'c>>,
    poll_stub: Option<FunctionValue<'c>>,
    guards: u32,
    marked_loops: bool,
    /// Blocks whose jump closes a loop that is to be vectorized.
    vector_latches: Vec<Block>,
    /// The framed part of the body, between the cut and its filling.
    framed: Option<Framed<'c>>,
    inlines: bool,
}

impl<'c> Fx<'_, 'c> {
    fn function(&mut self) -> Lowered<()> {
        match self.func.entry_kind {
            EntryKind::Osr { .. } => self.osr_entry()?,
            EntryKind::Call => self.call_entry()?,
        }
        let cut = self.cut();
        let order = self.cfg.order.clone();
        let (inside, outside): (Vec<Block>, Vec<Block>) = order
            .into_iter()
            .partition(|&b| cut.is_some() && self.frame.pushed_at(b));
        self.make_blocks(&outside)?;
        let first = self.block(Func::ENTRY)?;
        self.b.build_unconditional_branch(first)?;
        for b in outside {
            self.lower_block(b)?;
        }
        if let Some((b, n)) = cut {
            self.enter_framed()?;
            let entry = self.here()?;
            self.make_blocks(&inside)?;
            self.b.position_at_end(entry);
            self.pushed = false;
            self.push_record()?;
            self.lower_insts(b, n)?;
            for b in inside {
                self.lower_block(b)?;
            }
        }
        self.fill_exits()
    }

    /// Makes the blocks and their phis.
    fn make_blocks(&mut self, blocks: &[Block]) -> Lowered<()> {
        let entry = self.here()?;
        for &b in blocks {
            let bb = self.cx.append_basic_block(self.f, &b.to_string());
            self.blocks[b.index()] = Some(bb);
            self.b.position_at_end(bb);
            if b == Func::ENTRY && self.cfg.preds[0].is_empty() {
                continue;
            }
            let func = self.func;
            for &param in &func.blocks[b.index()].params {
                let (phi, lv) = self.phi(func.ty(param))?;
                if b == Func::ENTRY {
                    let first = self.val(param)?;
                    self.add_incoming(phi, first, entry)?;
                }
                self.phis[b.index()].push(phi);
                self.set(param, lv);
            }
        }
        self.b.position_at_end(entry);
        Ok(())
    }

    fn lower_block(&mut self, b: Block) -> Lowered<()> {
        let bb = self.block(b)?;
        self.b.position_at_end(bb);
        self.pushed = self.frame.pushed_at(b);
        if b == Func::ENTRY || self.func.blocks[b.index()].loop_header {
            self.count_heat()?;
        }
        self.lower_insts(b, 0)
    }

    /// Counts an entry or the passage of a loop header, if the code is to.
    fn count_heat(&self) -> Lowered<()> {
        let Some(heat) = &self.options.heat else {
            return Ok(());
        };
        let address = self.word(heat.address() as i64);
        let at = self.b.build_int_to_ptr(address, self.t.ptr, "")?;
        let count = self.b.build_load(self.t.i64, at, "heat")?.into_int_value();
        let more = self.b.build_int_add(count, self.word(1), "")?;
        self.b.build_store(at, more)?;
        Ok(())
    }

    /// Lowers the instructions of a block from the `n`-th on.
    fn lower_insts(&mut self, b: Block, mut n: usize) -> Lowered<()> {
        let func = self.func;
        let insts = &func.blocks[b.index()].insts;
        let peeled = match &self.body {
            Some(body) if b == Func::ENTRY => body.peeled,
            _ => 0,
        };
        let osr_commit = b == Func::ENTRY && matches!(func.entry_kind, EntryKind::Osr { .. });
        while n < insts.len() {
            let inst = insts[n];
            if !self.pushed && self.frame.push == Some(frame_plan::Push::Before(b, n)) {
                match self.cut() {
                    Some(cut) => return self.call_framed(cut),
                    None => self.push_record()?,
                }
            }
            let op = &func.inst(inst).op;
            if osr_commit && !self.pushed && (op.needs_frame() || n + 1 == insts.len()) {
                self.commit_osr()?;
            }
            if n < peeled {
                self.bind_peeled(inst)?;
            } else {
                n += self.lower_inst(b, inst, &insts[n + 1..])?;
            }
            n += 1;
        }
        Ok(())
    }

    /// Lowers an instruction; returns how many of those behind it, `rest`,
    /// were lowered along.
    fn lower_inst(&mut self, b: Block, i: Inst, rest: &[Inst]) -> Lowered<usize> {
        let op = &self.func.inst(i).op;
        match op {
            Op::Int(_)
            | Op::Float(_)
            | Op::Bool(_)
            | Op::Nil
            | Op::Literal(_)
            | Op::SelfClosure => self.constant(i)?,

            Op::Box
            | Op::HasTag(_)
            | Op::Unbox
            | Op::GuardTag(_)
            | Op::Truthy
            | Op::SameBits
            | Op::SameObject
            | Op::Select
            | Op::StoreReg(_)
            | Op::LoadReg(_)
            | Op::VarargCount
            | Op::LoadVararg => self.boxing(i)?,

            Op::IntOp(_)
            | Op::IntCmp(_)
            | Op::FloatOp(_)
            | Op::FloatFn(_)
            | Op::FloatCmp(_)
            | Op::IntToFloat
            | Op::GuardFloatToInt
            | Op::Not
            | Op::StrLess(_)
            | Op::StrLen => self.arith(i)?,

            Op::Guard => {
                let ok = self.bool(self.func.inst(i).args[0])?;
                self.guard(i, ok)?;
            }
            Op::GuardValid => self.guard_valid(i)?,
            // Its poll has done it.
            Op::GuardPolled => {}
            Op::Exit => self.exit(i)?,

            Op::Upval(_) | Op::LoadCell | Op::StoreCell | Op::NewCell | Op::LoadProto => {
                self.cells(i)?;
            }

            Op::StrByte | Op::Lib(_) | Op::SecondResult | Op::NewClosure(..) => {
                self.intrinsics(i)?
            }

            // Exits know what these are made of.
            Op::VirtualTable | Op::VirtualCell | Op::VirtualClosure(_) => {}

            Op::LoadShape
            | Op::GuardShape
            | Op::ShapeIn
            | Op::LoadSlot(_)
            | Op::StoreSlot(..)
            | Op::AddSlot
            | Op::SetShape
            | Op::FindField
            | Op::PutField
            | Op::FindIndex
            | Op::PutIndex
            | Op::NoExt
            | Op::NoneBeyond
            | Op::NoMeta
            | Op::NewTable { .. }
            | Op::MetaEpoch => self.tables(i)?,

            Op::ElemsLen
            | Op::ElemsKind
            | Op::ElemsCap
            | Op::SetElemsLen
            | Op::LoadElem
            | Op::StoreElem
            | Op::StoreElemMixed
            | Op::PushElem => self.elements(i)?,

            Op::CallLua { .. } => return self.call_lua(i, rest),
            Op::CallLuaMulti { .. }
            | Op::CallWindow { .. }
            | Op::InterpOne
            | Op::Poll
            | Op::PushFrame { .. }
            | Op::EnterFrame { .. }
            | Op::CallTail { .. }
            | Op::PopFrame => self.calls(i)?,

            Op::Jump
            | Op::Branch
            | Op::Return
            | Op::ReturnNone
            | Op::ReturnWindow { .. }
            | Op::TailCall { .. }
            | Op::TailCallLua { .. } => self.control(b, i)?,
        }
        Ok(0)
    }

    fn block(&self, b: Block) -> Lowered<BasicBlock<'c>> {
        self.blocks[b.index()].ok_or_else(|| LowerError::Bug(format!("{b} is unreachable")))
    }

    /// The LLVM block being filled.
    fn here(&self) -> Lowered<BasicBlock<'c>> {
        self.b
            .get_insert_block()
            .ok_or_else(|| LowerError::Bug("no block is being filled".into()))
    }

    /// A new LLVM block at the function's end.
    fn new_block(&self, name: &str) -> BasicBlock<'c> {
        self.cx.append_basic_block(self.f, name)
    }

    /// `value` if `is_right`, as it nearly always is, else what `call` gives.
    fn or_call(
        &self,
        is_right: IntValue<'c>,
        value: BasicValueEnum<'c>,
        call: impl FnOnce() -> Lowered<BasicValueEnum<'c>>,
    ) -> Lowered<BasicValueEnum<'c>> {
        let fast = self.here()?;
        let (slow, next) = (self.new_block("else.call"), self.new_block("else.next"));
        let branch = self.b.build_conditional_branch(is_right, next, slow)?;
        self.notes.expect(branch, true)?;
        self.b.position_at_end(slow);
        let other = call()?;
        let slow = self.here()?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        let phi = self.b.build_phi(value.get_type(), "")?;
        phi.add_incoming(&[(&value, fast), (&other, slow)]);
        Ok(phi.as_basic_value())
    }

    /// Sets the result of an instruction.
    fn result(&mut self, i: Inst, lv: Lv<'c>) {
        if let Some(v) = self.func.inst(i).result {
            self.set(v, lv);
        }
    }

    /// The type of an instruction's result.
    fn result_ty(&self, i: Inst) -> vela_mir::ir::Ty {
        self.func
            .inst(i)
            .result
            .map_or(vela_mir::ir::Ty::None, |v| self.func.ty(v))
    }
}
