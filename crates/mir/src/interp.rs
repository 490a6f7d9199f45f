//! Runs MIR without generating code.
//!
//! Follows the same protocol as the lowering, step by step: the calling
//! convention of entries, frame records, the window, call sites and side exits
//! are those of `docs/abi.md`, offsets come from [`vela_objects::layout`]. So
//! it can take the place of machine code anywhere, and serves as the second
//! oracle in differential tests. Memory, helpers and calls go through a
//! [`Machine`], which the run-time system implements.

mod calls;

use crate::backend::{CompileError, ExitStress};
use crate::exits::{ExitPlan, is_before_commit, may_provoke};
use crate::helper::{Helper, Word};
use crate::ir::{
    Block, EntryKind, FloatFn, FloatOp, Func, Inst, Op, Site, SlotLoc, Target, Ty, Val,
};
use crate::passes::{eval_float_cmp, eval_int, eval_int_cmp};
use crate::verify::verify;
use std::sync::atomic::{AtomicBool, Ordering};
use vela_deopt::POOL_FIRST;
use vela_objects::frame::{FrameKind, flags};
use vela_objects::object::header_flags::BEYOND;
use vela_objects::table::{ELEMS_BOOL, ELEMS_MIXED};
use vela_objects::value::float_to_int;
use vela_objects::{Tag, layout};

/// What running code has around it. Addresses are plain numbers; the
/// implementor vouches that those which correct code computes are accessible.
pub trait Machine {
    /// Address of the VM's state.
    fn vm(&self) -> u64;

    /// Reads 1, 4 or 8 bytes, zero-extended.
    fn load(&mut self, address: u64, bytes: u8) -> u64;

    /// Writes the low 1, 4 or 8 bytes.
    fn store(&mut self, address: u64, bytes: u8, value: u64);

    /// Calls a helper through the VM's table. Doubles are passed and returned
    /// by their bits; a helper with one result gives it in the first word.
    fn call_helper(&mut self, helper: Helper, args: &[u64]) -> [u64; 2];

    /// Calls [`Helper::EntryPoll`] with a pointer to `args` as its last
    /// argument.
    fn entry_poll(&mut self, fp: u64, closure: u64, desc: u64, args: &[u64; 3]) -> u64;

    /// Calls a compiled function's entry: payload and tag.
    fn call_entry(
        &mut self,
        entry: u64,
        fp: u64,
        closure: u64,
        desc: u64,
        args: [u64; 3],
    ) -> [u64; 2];
}

/// The arguments of an entry, as `docs/abi.md` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryArgs {
    /// Where the frame's record goes, or is in an OSR entry.
    pub fp: u64,
    /// The closure.
    pub closure: u64,
    /// Number of arguments, and the tags of the first three.
    pub desc: u64,
    /// Payloads of the first three arguments.
    pub args: [u64; 3],
}

/// A function that is ready to run.
#[derive(Debug)]
pub struct Code {
    func: Func,
    plan: ExitPlan,
    code_id: u32,
    stress: ExitStress,
    /// By instruction: a guard that exit stress takes as failing.
    stressed: Vec<AtomicBool>,
    has_sites: bool,
    /// Whether the entry checks the stack, which is the poll of calls.
    checks_stack: bool,
    uses_pool: bool,
}

impl Code {
    /// Prepares a function. `stress` counts guards in reverse postorder.
    ///
    /// # Errors
    /// [`CompileError::Bug`] if the function does not verify, and as
    /// [`ExitPlan::new`].
    pub fn new(func: Func, code_id: u32, stress: ExitStress) -> Result<Code, CompileError> {
        verify(&func).map_err(|e| CompileError::Bug(e.to_string()))?;
        let plan = ExitPlan::new(&func)?;
        let is_vararg = func.is_vararg;
        let mut stressed: Vec<AtomicBool> = Vec::new();
        stressed.resize_with(func.insts.len(), AtomicBool::default);
        let (mut guards, mut has_sites, mut uses_pool) = (0u32, false, false);
        let mut tail_calls = false;
        for b in func.reverse_postorder() {
            for &i in &func.blocks[b.index()].insts {
                let op = &func.inst(i).op;
                has_sites |= op.needs_frame();
                tail_calls |= matches!(op, Op::TailCall { .. } | Op::TailCallLua { .. });
                uses_pool |= matches!(op, Op::Literal(_) | Op::GuardValid | Op::GuardPolled);
                if op.is_guard() {
                    guards += 1;
                    let fails = stress.takes(guards)
                        && may_provoke(&func, i)
                        && !is_before_commit(&func, b);
                    stressed[i.index()] = AtomicBool::new(fails);
                }
            }
        }
        Ok(Code {
            func,
            plan,
            code_id,
            stress,
            stressed,
            has_sites,
            checks_stack: has_sites || tail_calls || is_vararg,
            uses_pool,
        })
    }

    /// Whether exit stress makes the guard fail now.
    fn stresses(&self, i: Inst) -> bool {
        let fails = &self.stressed[i.index()];
        match self.stress {
            ExitStress::First => fails.swap(false, Ordering::Relaxed),
            _ => fails.load(Ordering::Relaxed),
        }
    }

    /// Side exits and call sites, for the deoptimizer and the collector.
    #[must_use]
    pub fn plan(&self) -> &ExitPlan {
        &self.plan
    }

    /// The function.
    #[must_use]
    pub fn func(&self) -> &Func {
        &self.func
    }

    /// Runs the function: payload and tag of its result.
    ///
    /// # Panics
    /// If the code divides an integer by zero, which a guard before it has to
    /// exclude.
    pub fn run<M: Machine>(&self, machine: &mut M, entry: EntryArgs) -> [u64; 2] {
        let mut frame = Frame {
            code: self,
            func: &self.func,
            m: machine,
            fp: entry.fp,
            entry,
            pool: 0,
            pushed: false,
            vals: vec![[0; 2]; self.func.vals.len()],
        };
        match frame.run() {
            Ok(never) => match never {},
            Err(result) => result,
        }
    }
}

/// Runs a function once; see [`Code::run`].
///
/// # Errors
/// As [`Code::new`].
pub fn interpret<M: Machine>(
    func: Func,
    code_id: u32,
    machine: &mut M,
    entry: EntryArgs,
) -> Result<[u64; 2], CompileError> {
    Ok(Code::new(func, code_id, ExitStress::Off)?.run(machine, entry))
}

/// `Err` holds the function's result: it is left in the middle of things.
type Run<T = ()> = Result<T, [u64; 2]>;

enum Never {}

struct Frame<'a, M> {
    code: &'a Code,
    func: &'a Func,
    m: &'a mut M,
    /// The frame's record; that of a vararg function has moved.
    fp: u64,
    entry: EntryArgs,
    pool: u64,
    pushed: bool,
    /// Payload and tag by value; the tag of a pointer that is no Lua value is
    /// not used.
    vals: Vec<[u64; 2]>,
}

/// Tag, kind and flags of a compiled frame's record.
const RECORD_WORD: u64 = Tag::LUA_FN.0 as u64 | (FrameKind::COMPILED.0 as u64) << 8;

/// The same of the record of a `pcall` built in place.
const NATIVE_RECORD_WORD: u64 =
    Tag::NATIVE_FN.0 as u64 | (FrameKind::NATIVE.0 as u64) << 8 | (flags::IN_PLACE as u64) << 16;

const VALUE: u64 = layout::VALUE_SIZE as u64;

impl<M: Machine> Frame<'_, M> {
    // ---- memory ------------------------------------------------------

    fn word(&mut self, base: u64, offset: usize) -> u64 {
        self.m.load(base.wrapping_add(offset as u64), 8)
    }

    fn half(&mut self, base: u64, offset: usize) -> u64 {
        self.m.load(base.wrapping_add(offset as u64), 4)
    }

    fn byte(&mut self, base: u64, offset: usize) -> u64 {
        self.m.load(base.wrapping_add(offset as u64), 1)
    }

    fn put(&mut self, base: u64, offset: usize, bytes: u8, value: u64) {
        self.m.store(base.wrapping_add(offset as u64), bytes, value);
    }

    fn load_value(&mut self, at: u64) -> [u64; 2] {
        [self.word(at, 0), self.byte(at, layout::VALUE_TAG)]
    }

    fn store_value(&mut self, at: u64, v: [u64; 2]) {
        self.put(at, 0, 8, v[0]);
        self.put(at, layout::VALUE_TAG, 1, v[1]);
    }

    fn register(&self, r: usize) -> u64 {
        self.fp + (layout::FRAME_SIZE + r * layout::VALUE_SIZE) as u64
    }

    fn vm_word(&mut self, offset: usize) -> u64 {
        let vm = self.m.vm();
        self.word(vm, offset)
    }

    fn set_vm_word(&mut self, offset: usize, value: u64) {
        let vm = self.m.vm();
        self.put(vm, offset, 8, value);
    }

    // ---- values ------------------------------------------------------

    fn any(&self, v: Val) -> [u64; 2] {
        self.vals[v.index()]
    }

    fn payload(&self, v: Val) -> u64 {
        self.vals[v.index()][0]
    }

    fn int(&self, v: Val) -> i64 {
        self.payload(v) as i64
    }

    fn float(&self, v: Val) -> f64 {
        f64::from_bits(self.payload(v))
    }

    fn set(&mut self, v: Val, payload: u64, tag: u64) {
        self.vals[v.index()] = [payload, tag];
    }

    /// Sets a typed result: the tag is that of its type.
    fn result(&mut self, i: Inst, payload: u64) {
        let Some(v) = self.func.inst(i).result else {
            return;
        };
        let ty = self.func.ty(v);
        let tag = ty.tag().map_or(0, |t| u64::from(t.0));
        let payload = if ty == Ty::Nil { 0 } else { payload };
        self.set(v, payload, tag);
    }

    /// Sets a result of type `any`, or the payload if the type is known.
    fn loaded(&mut self, i: Inst, v: [u64; 2]) {
        match self.func.inst(i).result {
            Some(r) if self.func.ty(r) == Ty::Any => self.vals[r.index()] = v,
            _ => self.result(i, v[0]),
        }
    }

    // ---- entry and return --------------------------------------------

    fn run(&mut self) -> Run<Never> {
        match self.func.entry_kind {
            EntryKind::Call => self.call_entry()?,
            EntryKind::Osr { .. } => self.load_pool(),
        }
        let mut b = Func::ENTRY;
        loop {
            let (last, rest) = self.func.blocks[b.index()]
                .insts
                .split_last()
                .expect("blocks end in a terminator");
            for &i in rest {
                self.inst(i)?;
            }
            if is_before_commit(self.func, b) {
                self.commit();
            }
            b = self.terminator(*last)?;
        }
    }

    fn load_pool(&mut self) {
        if self.code.uses_pool {
            let proto = self.word(self.entry.closure, layout::CLOSURE_PROTO);
            self.pool = self.word(proto, layout::PROTO_POOL);
        }
    }

    fn nargs(&self) -> u64 {
        self.entry.desc & u64::from(u32::MAX)
    }

    fn frame_end(&self) -> u64 {
        self.register(self.func.max_stack as usize)
    }

    fn call_entry(&mut self) -> Run {
        let EntryArgs {
            fp,
            closure,
            desc,
            args,
        } = self.entry;
        let is_vararg = self.func.is_vararg;
        if self.code.checks_stack {
            let mut end = self.frame_end();
            if is_vararg {
                end += (self.nargs() + 2) * VALUE;
            }
            if end > self.vm_word(layout::VM_STACK_LIMIT)
                && self.m.entry_poll(fp, closure, desc, &args) != 0
            {
                return Err([0, u64::from(Tag::RET_ERROR.0)]);
            }
        }
        let params = &self.func.blocks[Func::ENTRY.index()].params;
        if is_vararg {
            self.set_vm_word(layout::VM_EXIT_WORDS, args[2]);
            let vm = self.m.vm();
            let prep = [vm, fp, closure, desc, args[0], args[1]];
            self.fp = self.m.call_helper(Helper::VarargPrep, &prep)[0];
            for (r, &p) in params.iter().enumerate() {
                self.vals[p.index()] = self.load_value(self.register(r));
            }
        } else {
            for (n, &p) in params.iter().enumerate() {
                self.vals[p.index()] = match args.get(n) {
                    Some(&payload) => [payload, desc >> (32 + 8 * n) & 0xff],
                    // The slot of a missing argument may hold anything.
                    None if self.nargs() > n as u64 => self.load_value(self.register(n)),
                    None => [0; 2],
                };
            }
        }
        self.load_pool();
        if self.code.has_sites {
            self.push_record();
        }
        Ok(())
    }

    fn push_record(&mut self) {
        let (fp, closure) = (self.fp, self.entry.closure);
        self.put(fp, layout::FRAME_FUNC, 8, closure);
        // The other half of a vararg frame's word is already there.
        let bytes = if self.func.is_vararg { 4 } else { 8 };
        self.put(fp, layout::FRAME_WORD, bytes, RECORD_WORD);
        let prev = self.vm_word(layout::VM_FRAME);
        self.put(fp, layout::FRAME_PREV, 8, prev);
        self.put(fp, layout::FRAME_CODE_ID, 4, u64::from(self.code.code_id));
        self.set_vm_word(layout::VM_FRAME, fp);
        self.pushed = true;
    }

    /// Accepts the interpreter's frame.
    fn commit(&mut self) {
        let kind = u64::from(FrameKind::COMPILED.0);
        self.put(self.fp, layout::FRAME_KIND, 1, kind);
        let id = u64::from(self.code.code_id);
        self.put(self.fp, layout::FRAME_CODE_ID, 4, id);
        self.pushed = true;
    }

    fn pop_record(&mut self) {
        if self.pushed {
            let prev = self.word(self.fp, layout::FRAME_PREV);
            self.set_vm_word(layout::VM_FRAME, prev);
        }
    }

    fn ret<T>(&mut self, payload: u64, tag: Tag) -> Run<T> {
        self.ret_value([payload, u64::from(tag.0)])
    }

    fn ret_value<T>(&mut self, v: [u64; 2]) -> Run<T> {
        self.pop_record();
        Err(v)
    }

    /// The call site `i` raised an error.
    fn raise<T>(&mut self, i: Inst) -> Run<T> {
        if self.func.inst(i).state.is_some() {
            self.set_vm_word(layout::VM_FRAME, self.fp);
            return self.leave(i);
        }
        self.ret(0, Tag::RET_ERROR)
    }

    // ---- control -----------------------------------------------------

    fn terminator(&mut self, i: Inst) -> Run<Block> {
        let data = self.func.inst(i);
        match data.op {
            Op::Jump => Ok(self.jump(&data.targets[0])),
            Op::Branch => {
                let taken = self.payload(data.args[0]) != 0;
                Ok(self.jump(&data.targets[usize::from(!taken)]))
            }
            Op::Return => self.ret_value(self.any(data.args[0])),
            Op::ReturnNone => self.ret(0, Tag::RET_NONE),
            Op::ReturnWindow { from, count } => self.return_window(from, count),
            Op::TailCall { a, nargs } => self.tail_call(a as usize, nargs),
            Op::TailCallLua { .. } => self.tail_call_lua(i),
            Op::Exit => self.leave(i),
            ref op => unreachable!("{op} is no terminator"),
        }
    }

    fn jump(&mut self, target: &Target) -> Block {
        let args: smallvec::SmallVec<[[u64; 2]; 8]> =
            target.args.iter().map(|&a| self.any(a)).collect();
        let params = &self.func.blocks[target.block.index()].params;
        for (&p, v) in params.iter().zip(args) {
            self.vals[p.index()] = v;
        }
        target.block
    }

    fn return_window<T>(&mut self, from: u8, count: Option<u8>) -> Run<T> {
        let base = self.register(from as usize);
        let count = match count {
            Some(0) => return self.ret(0, Tag::RET_NONE),
            Some(1) => {
                let v = self.load_value(base);
                return self.ret_value(v);
            }
            Some(n) => u64::from(n),
            None => self.up_to_top(base),
        };
        self.set_vm_word(layout::VM_RET_BASE, base);
        self.set_vm_word(layout::VM_RET_COUNT, count);
        self.ret(0, Tag::RET_MULTI)
    }

    fn up_to_top(&mut self, base: u64) -> u64 {
        (self.vm_word(layout::VM_TOP) - base) / VALUE
    }

    fn tail_call<T>(&mut self, a: usize, nargs: Option<u8>) -> Run<T> {
        let from = self.register(a + vela_bytecode::FRAME_SLOTS);
        let nargs = match nargs {
            Some(n) => u64::from(n),
            None => self.up_to_top(from),
        };
        let function = self.load_value(self.register(a));
        self.pop_record();
        let to = self.entry.fp;
        self.store_value(to, function);
        for n in 0..nargs {
            let v = self.load_value(from + n * VALUE);
            self.store_value(to + layout::FRAME_SIZE as u64 + n * VALUE, v);
        }
        Err([nargs, u64::from(Tag::RET_TAIL.0)])
    }

    /// The caller makes the call: only machine code can jump.
    fn tail_call_lua<T>(&mut self, i: Inst) -> Run<T> {
        let args = &self.func.inst(i).args;
        let values: Vec<[u64; 2]> = args.iter().map(|&v| self.any(v)).collect();
        self.pop_record();
        let to = self.entry.fp;
        self.store_value(to, values[0]);
        for (n, &v) in values[1..].iter().enumerate() {
            self.store_value(to + layout::FRAME_SIZE as u64 + n as u64 * VALUE, v);
        }
        let nargs = values.len() as u64 - 1;
        Err([nargs, u64::from(Tag::RET_TAIL.0)])
    }

    /// Takes a side exit.
    fn leave<T>(&mut self, i: Inst) -> Run<T> {
        let id = self.code.plan.exit(i).expect("every guard has an exit");
        if self.code.plan.exits[id as usize].before_commit {
            return Err([0, u64::from(Tag::RET_OSR_FAIL.0)]);
        }
        for w in &self.code.plan.stores[id as usize] {
            let [payload, tag] = self.any(w.val);
            let at = layout::VM_EXIT_WORDS + 8 * w.word as usize;
            self.set_vm_word(at, payload);
            if self.func.ty(w.val) == Ty::Any {
                self.set_vm_word(at + 8, tag);
            }
        }
        let which = u64::from(self.code.code_id) << 32 | u64::from(id);
        let args = [self.m.vm(), self.fp, self.entry.closure, which];
        Err(self.m.call_helper(Helper::Exit, &args))
    }

    fn guard(&mut self, i: Inst, ok: bool) -> Run {
        if ok && !self.code.stresses(i) {
            Ok(())
        } else {
            self.leave(i)
        }
    }

    // ---- instructions ------------------------------------------------

    fn inst(&mut self, i: Inst) -> Run {
        let data = self.func.inst(i);
        let args = &data.args;
        match &data.op {
            Op::Int(n) => self.result(i, *n as u64),
            Op::Float(bits) => self.result(i, *bits),
            Op::Bool(b) => self.result(i, u64::from(*b)),
            Op::Nil => self.result(i, 0),
            Op::Literal(slot) => {
                let word = self.word(self.pool, 8 * (POOL_FIRST + slot.index()));
                self.result(i, word);
            }
            Op::SelfClosure => self.result(i, self.entry.closure),
            Op::Box => self.loaded(i, self.any(args[0])),
            Op::HasTag(t) => self.result(i, u64::from(self.any(args[0])[1] == u64::from(t.0))),
            Op::Unbox => self.result(i, self.payload(args[0])),
            Op::GuardTag(t) => {
                let [payload, tag] = self.any(args[0]);
                self.guard(i, tag == u64::from(t.0))?;
                self.result(i, payload);
            }
            Op::Truthy => {
                let [payload, tag] = self.any(args[0]);
                self.result(i, u64::from(tag > u64::from(Tag::BOOL.0) || payload != 0));
            }
            Op::SameBits => self.result(i, u64::from(self.any(args[0]) == self.any(args[1]))),
            Op::SameObject => {
                self.result(i, u64::from(self.payload(args[0]) == self.payload(args[1])));
            }
            Op::Select => {
                let which = if self.payload(args[0]) != 0 { 1 } else { 2 };
                self.loaded(i, self.any(args[which]));
            }
            Op::Not => self.result(i, self.payload(args[0]) ^ 1),
            Op::Guard => self.guard(i, self.payload(args[0]) != 0)?,
            Op::GuardValid | Op::GuardPolled => {
                let flag = self.word(self.pool, 0);
                self.guard(i, flag == 0)?;
            }
            Op::IntOp(_)
            | Op::IntCmp(_)
            | Op::FloatOp(_)
            | Op::FloatFn(_)
            | Op::FloatCmp(_)
            | Op::IntToFloat
            | Op::GuardFloatToInt
            | Op::StrLess(_)
            | Op::StrLen => self.arith(i)?,
            Op::StrByte => {
                let s = self.payload(args[0]);
                let data = match self.byte(s, layout::STR_FORM) as u8 {
                    layout::STR_SHARED => self.word(s, layout::STR_ADDRESS),
                    _ => s.wrapping_add(layout::STR_DATA as u64),
                };
                let byte = self.byte(data.wrapping_add(self.payload(args[1])), 0);
                self.result(i, byte);
            }
            Op::Lib(helper) => self.lib(i, *helper),
            // Exits know what these are made of.
            op if op.is_virtual() => {}
            Op::SecondResult => {
                let payload = self.vm_word(layout::VM_EXIT_WORDS);
                let tag = self.vm_word(layout::VM_EXIT_WORDS + 8);
                self.loaded(i, [payload, tag]);
            }
            Op::StoreReg(r) => self.store_value(self.register(*r as usize), self.any(args[0])),
            Op::LoadReg(r) => {
                let v = self.load_value(self.register(*r as usize));
                self.loaded(i, v);
            }
            Op::VarargCount => {
                let n = self.half(self.fp, layout::FRAME_NVARARGS);
                self.result(i, n);
            }
            Op::LoadVararg => {
                // Extra arguments end where the record begins.
                let n = self.half(self.fp, layout::FRAME_NVARARGS);
                let back = (n - self.payload(args[0])) * VALUE;
                let v = self.load_value(self.fp - back);
                self.loaded(i, v);
            }
            Op::Upval(_) | Op::LoadProto | Op::LoadCell | Op::StoreCell | Op::NewCell => {
                self.cells(i);
            }
            Op::NewClosure(n, _) => {
                let parent = self.payload(args[0]);
                let vm = self.m.vm();
                let call = [vm, parent, u64::from(*n)];
                let closure = self.m.call_helper(Helper::NewClosure, &call)[0];
                for (k, &cell) in args[1..].iter().enumerate() {
                    self.put(
                        closure,
                        layout::CLOSURE_UPVALS + 8 * k,
                        8,
                        self.payload(cell),
                    );
                }
                self.result(i, closure);
            }
            Op::CallLua { .. }
            | Op::CallLuaMulti { .. }
            | Op::CallWindow { .. }
            | Op::InterpOne
            | Op::PushFrame { .. }
            | Op::EnterFrame { .. }
            | Op::CallTail { .. }
            | Op::PopFrame
            | Op::Poll => self.calls(i)?,
            _ => self.tables(i)?,
        }
        Ok(())
    }

    fn math(&mut self, helper: Helper, args: &[u64]) -> f64 {
        debug_assert_eq!(helper.ret(), Word::F);
        f64::from_bits(self.m.call_helper(helper, args)[0])
    }

    fn arith(&mut self, i: Inst) -> Run {
        let data = self.func.inst(i);
        let a = data.args[0];
        let b = data.args.get(1).copied().unwrap_or(a);
        let payload = match &data.op {
            Op::IntOp(op) => match eval_int(*op, self.int(a), self.int(b)) {
                Some(n) => n as u64,
                None => panic!("compiled code divides by zero"),
            },
            Op::IntCmp(c) => u64::from(eval_int_cmp(*c, self.int(a), self.int(b))),
            Op::FloatOp(op) => self.float_op(*op, a, b).to_bits(),
            Op::FloatFn(f) => self.float_fn(*f, a).to_bits(),
            Op::FloatCmp(c) => {
                u64::from(eval_float_cmp(*c, self.float(a), self.float(b)).unwrap_or(false))
            }
            Op::IntToFloat => (self.int(a) as f64).to_bits(),
            Op::GuardFloatToInt => {
                let n = float_to_int(self.float(a));
                self.guard(i, n.is_some())?;
                n.unwrap_or(0) as u64
            }
            Op::StrLess(or_equal) => {
                let helper = if *or_equal {
                    Helper::StrLe
                } else {
                    Helper::StrLt
                };
                let answer = self
                    .m
                    .call_helper(helper, &[self.payload(a), self.payload(b)]);
                u64::from(answer[0] != 0)
            }
            Op::StrLen => self.half(self.payload(a), layout::STR_LEN),
            op => unreachable!("{op} is no arithmetic operation"),
        };
        self.result(i, payload);
        Ok(())
    }

    fn float_op(&mut self, op: FloatOp, a: Val, b: Val) -> f64 {
        let bits = [self.payload(a), self.payload(b)];
        let (x, y) = (self.float(a), self.float(b));
        match op {
            FloatOp::Add => x + y,
            FloatOp::Sub => x - y,
            FloatOp::Mul => x * y,
            FloatOp::Div => x / y,
            FloatOp::Mod => self.math(Helper::FloatMod, &bits),
            FloatOp::FloorDiv => (x / y).floor(),
            FloatOp::Pow => self.math(Helper::Pow, &bits),
            // `math.min` keeps its first argument unless the other is less.
            FloatOp::Min => {
                if y < x {
                    y
                } else {
                    x
                }
            }
            FloatOp::Max => {
                if x < y {
                    y
                } else {
                    x
                }
            }
            FloatOp::Atan2 => self.math(Helper::Atan2, &bits),
            FloatOp::Fmod => self.math(Helper::Fmod, &bits),
        }
    }

    fn float_fn(&mut self, f: FloatFn, a: Val) -> f64 {
        let x = self.float(a);
        let bits = [x.to_bits()];
        match f {
            FloatFn::Neg => -x,
            FloatFn::Abs => x.abs(),
            FloatFn::Sqrt => x.sqrt(),
            FloatFn::Floor => x.floor(),
            FloatFn::Ceil => x.ceil(),
            FloatFn::Sin => self.math(Helper::Sin, &bits),
            FloatFn::Cos => self.math(Helper::Cos, &bits),
            FloatFn::Tan => self.math(Helper::Tan, &bits),
            FloatFn::Exp => self.math(Helper::Exp, &bits),
            FloatFn::Log => self.math(Helper::Log, &bits),
        }
    }

    fn cells(&mut self, i: Inst) {
        let data = self.func.inst(i);
        let base = self.any(data.args[0]);
        match &data.op {
            Op::Upval(n) => {
                let at = layout::CLOSURE_UPVALS + 8 * *n as usize;
                let cell = self.word(base[0], at);
                self.result(i, cell);
            }
            Op::LoadProto => {
                let proto = self.word(base[0], layout::CLOSURE_PROTO);
                self.result(i, proto);
            }
            Op::LoadCell => {
                let payload = self.word(base[0], layout::CELL_PAYLOAD);
                let tag = self.byte(base[0], layout::HEADER_AUX);
                self.loaded(i, [payload, tag]);
            }
            Op::StoreCell => {
                let [payload, tag] = self.any(data.args[1]);
                self.put(base[0], layout::CELL_PAYLOAD, 8, payload);
                self.put(base[0], layout::HEADER_AUX, 1, tag);
                self.barrier(data.args[1]);
            }
            _ => {
                let args = [self.m.vm(), base[0], base[1]];
                let cell = self.m.call_helper(Helper::NewCell, &args)[0];
                self.result(i, cell);
            }
        }
    }

    fn lib(&mut self, i: Inst, helper: Helper) {
        let mut words = vec![self.m.vm()];
        for &v in &self.func.inst(i).args {
            let [payload, tag] = self.any(v);
            words.push(payload);
            if self.func.ty(v) == Ty::Any {
                words.push(tag);
            }
        }
        let r = self.m.call_helper(helper, &words);
        self.loaded(i, r);
    }

    fn barrier(&mut self, v: Val) {
        if !self.func.ty(v).may_be_object() {
            return;
        }
        let vm = self.m.vm();
        let [payload, tag] = self.any(v);
        if self.byte(vm, layout::VM_MARKING) != 0 {
            self.m.call_helper(Helper::Barrier, &[vm, payload, tag]);
        }
    }

    /// Addresses of a slot's payload and tag.
    fn slot(&mut self, table: u64, loc: SlotLoc) -> (u64, u64) {
        match loc {
            SlotLoc::Inline { index, cap } => {
                let base = table + layout::TABLE_INLINE as u64;
                let (index, cap) = (u64::from(index), u64::from(cap));
                (base + 8 * index, base + 8 * cap + index)
            }
            SlotLoc::Out(index) => {
                let slots = self.word(table, layout::TABLE_SLOTS);
                let index = u64::from(index);
                (slots + 8 * index, slots - 1 - index)
            }
        }
    }

    /// Addresses of an element's payload and byte.
    fn elem(&mut self, table: u64, index: u64) -> (u64, u64) {
        let elems = self.word(table, layout::TABLE_ELEMS);
        let cap = self.half(table, layout::TABLE_CAP);
        (
            elems.wrapping_add(index.wrapping_mul(8)),
            elems.wrapping_add(8 * cap).wrapping_add(index),
        )
    }

    fn tables(&mut self, i: Inst) -> Run {
        let data = self.func.inst(i);
        let args = &data.args;
        let vm = self.m.vm();
        let table = args.first().map_or(0, |&t| self.payload(t));
        match &data.op {
            Op::LoadShape => {
                let shape = self.word(table, layout::TABLE_SHAPE);
                self.result(i, shape);
            }
            Op::GuardShape => {
                let shape = self.word(table, layout::TABLE_SHAPE);
                self.guard(i, shape == self.payload(args[1]))?;
            }
            Op::ShapeIn => {
                let shape = self.word(table, layout::TABLE_SHAPE);
                let is = args[1..].iter().any(|&s| self.payload(s) == shape);
                self.result(i, u64::from(is));
            }
            Op::LoadSlot(loc) => {
                let (payload, tag) = self.slot(table, *loc);
                let v = [self.word(payload, 0), self.byte(tag, 0)];
                self.loaded(i, v);
            }
            Op::StoreSlot(loc, with_tag) => {
                let (payload, tag) = self.slot(table, *loc);
                let v = self.any(args[1]);
                self.put(payload, 0, 8, v[0]);
                if *with_tag {
                    self.put(tag, 0, 1, v[1]);
                }
                self.barrier(args[1]);
            }
            Op::AddSlot => {
                let [payload, tag] = self.any(args[2]);
                let args = [vm, table, self.payload(args[1]), payload, tag];
                self.m.call_helper(Helper::AddSlot, &args);
            }
            Op::SetShape => {
                let shape = self.payload(args[1]);
                self.put(table, layout::TABLE_SHAPE, 8, shape);
            }
            Op::FindField => {
                let args = [vm, table, self.payload(args[1])];
                let v = self.m.call_helper(Helper::FindField, &args);
                self.loaded(i, v);
            }
            Op::PutField => {
                let [payload, tag] = self.any(args[2]);
                let args = [vm, table, self.payload(args[1]), payload, tag];
                let done = self.m.call_helper(Helper::PutField, &args)[0];
                self.result(i, done);
            }
            Op::FindIndex => {
                let [payload, tag] = self.any(args[1]);
                let v = self
                    .m
                    .call_helper(Helper::FindIndex, &[vm, table, payload, tag]);
                self.loaded(i, v);
            }
            Op::PutIndex => {
                let ([k, kt], [v, vt]) = (self.any(args[1]), self.any(args[2]));
                let args = [vm, table, k, kt, v, vt];
                let done = self.m.call_helper(Helper::PutIndex, &args)[0];
                self.result(i, done);
            }
            Op::ElemsLen => {
                let len = self.half(table, layout::TABLE_LEN);
                self.result(i, len);
            }
            Op::ElemsKind => {
                let kind = self.byte(table, layout::HEADER_AUX);
                self.result(i, kind);
            }
            Op::ElemsCap => {
                let cap = self.half(table, layout::TABLE_CAP);
                self.result(i, cap);
            }
            Op::SetElemsLen => {
                let len = self.payload(args[1]);
                self.put(table, layout::TABLE_LEN, 4, len);
            }
            Op::LoadElem => {
                let (payload, tag) = self.elem(table, self.payload(args[1]));
                let kind = self.byte(table, layout::HEADER_AUX);
                let value = if kind == u64::from(ELEMS_MIXED) {
                    [self.word(payload, 0), self.byte(tag, 0)]
                } else if kind == u64::from(ELEMS_BOOL) {
                    [self.byte(tag, 0), kind]
                } else {
                    [self.word(payload, 0), kind]
                };
                self.loaded(i, value);
            }
            Op::StoreElem => {
                let (payload, byte) = self.elem(table, self.payload(args[1]));
                let v = self.payload(args[2]);
                if self.func.ty(args[2]) == Ty::Bool {
                    self.put(byte, 0, 1, v);
                } else {
                    self.put(payload, 0, 8, v);
                }
                self.barrier(args[2]);
            }
            Op::StoreElemMixed => {
                let (payload, tag) = self.elem(table, self.payload(args[1]));
                let v = self.any(args[2]);
                self.put(payload, 0, 8, v[0]);
                self.put(tag, 0, 1, v[1]);
                self.barrier(args[2]);
            }
            Op::PushElem => {
                let [payload, tag] = self.any(args[1]);
                let args = [vm, table, payload, tag];
                self.m.call_helper(Helper::PushElem, &args);
            }
            Op::NoExt => {
                let ext = self.word(table, layout::TABLE_EXT);
                self.result(i, u64::from(ext == 0));
            }
            Op::NoneBeyond => {
                let flags = self.word(table, 0).to_le_bytes()[layout::HEADER_FLAGS];
                self.result(i, u64::from(flags & BEYOND == 0));
            }
            Op::NoMeta => {
                let shape = self.word(table, layout::TABLE_SHAPE);
                let meta = self.word(shape, layout::SHAPE_METATABLE);
                self.result(i, u64::from(meta == 0));
            }
            Op::NewTable { fields, elems } => {
                let args = [vm, u64::from(*fields), u64::from(*elems)];
                let table = self.m.call_helper(Helper::NewTable, &args)[0];
                self.first_elements(table, data.args.get(1..).unwrap_or(&[]));
                self.result(i, table);
            }
            Op::MetaEpoch => {
                let epoch = self.half(vm, layout::VM_META_EPOCH);
                self.result(i, epoch);
            }
            op => unreachable!("{op} is not interpreted"),
        }
        Ok(())
    }

    /// Stores the elements that a fresh table begins with: there is room.
    fn first_elements(&mut self, table: u64, values: &[Val]) {
        let Some(before) = values.len().checked_sub(1) else {
            return;
        };
        let values: Vec<[u64; 2]> = values.iter().map(|&v| self.any(v)).collect();
        let [last, last_tag] = values[before];
        let same = values.iter().all(|v| v[1] == last_tag);
        let kind = if same {
            last_tag
        } else {
            u64::from(ELEMS_MIXED)
        };
        let bools = kind == u64::from(ELEMS_BOOL);
        for (n, v) in values.iter().enumerate() {
            let (payload, byte) = self.elem(table, n as u64);
            self.put(payload, 0, 8, v[0]);
            self.put(byte, 0, 1, v[usize::from(!bools)]);
        }
        self.put(table, layout::HEADER_AUX, 1, kind);
        let ends = last_tag != u64::from(Tag::NIL.0);
        let len = before as u64 + u64::from(ends);
        self.put(table, layout::TABLE_LEN, 4, len);
        if !ends {
            // Cuts the list before it, too.
            let args = [self.m.vm(), table, before as u64 + 1, last, last_tag];
            self.m.call_helper(Helper::SetList1, &args);
        }
    }
}
