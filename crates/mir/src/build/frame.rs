//! The register map, frame states, the window, and call sites.

use super::{Builder, Inherited};
use crate::ir::{
    Block, Def, FrameState, Inst, Op, PoolEntry, Site, SiteData, State, Target, Ty, Val,
};
use smallvec::SmallVec;
use vela_bytecode::flow::{for_each_use, kills};
use vela_bytecode::{Constant, Instr};
use vela_deopt::DeoptReason;
use vela_objects::Tag;

impl Builder<'_> {
    // ---- emitting ----------------------------------------------------

    /// Appends an instruction to the current block. After a terminator (code
    /// that speculation cut off) it goes to a block that nothing reaches.
    pub(super) fn push(&mut self, op: Op, args: &[Val], ty: Ty) -> Inst {
        let block = self.current();
        self.func.push(block, op, args, ty)
    }

    fn current(&mut self) -> Block {
        match self.cur {
            Some(b) => b,
            None => {
                let b = self.func.add_block();
                self.cur = Some(b);
                b
            }
        }
    }

    pub(super) fn emit(&mut self, op: Op, args: &[Val], ty: Ty) -> Val {
        let i = self.push(op, args, ty);
        self.func.result(i)
    }

    pub(super) fn int(&mut self, i: i64) -> Val {
        self.emit(Op::Int(i), &[], Ty::Int)
    }

    pub(super) fn float(&mut self, f: f64) -> Val {
        self.emit(Op::Float(f.to_bits()), &[], Ty::Float)
    }

    pub(super) fn nil(&mut self) -> Val {
        self.emit(Op::Nil, &[], Ty::Nil)
    }

    /// Constant `k` of the function.
    pub(super) fn constant(&mut self, k: u32) -> Val {
        match &self.proto.constants[k as usize] {
            Constant::Nil => self.nil(),
            Constant::Bool(b) => {
                let b = *b;
                self.emit(Op::Bool(b), &[], Ty::Bool)
            }
            Constant::Int(i) => {
                let i = *i;
                self.int(i)
            }
            Constant::Float(f) => {
                let f = *f;
                self.float(f)
            }
            Constant::Str(_) => {
                let entry = match &self.inlined {
                    None => PoolEntry::Constant(k),
                    Some(_) => PoolEntry::Object(self.snapshot.strings[k as usize], Tag::STR),
                };
                self.literal(entry, Ty::Str)
            }
        }
    }

    /// A literal from the pool.
    pub(super) fn literal(&mut self, entry: PoolEntry, ty: Ty) -> Val {
        let p = self.func.pool_slot(entry);
        self.emit(Op::Literal(p), &[], ty)
    }

    pub(super) fn ty(&self, v: Val) -> Ty {
        self.func.ty(v)
    }

    /// The value boxed, if it is not already.
    pub(super) fn boxed(&mut self, v: Val) -> Val {
        if self.ty(v) == Ty::Any {
            v
        } else {
            self.emit(Op::Box, &[v], Ty::Any)
        }
    }

    /// The value as a cell pointer.
    pub(super) fn as_cell(&mut self, v: Val) -> Val {
        match self.ty(v) {
            Ty::Cell => v,
            // The code generator puts nothing but cells into such registers.
            _ => {
                let any = self.boxed(v);
                self.emit(Op::Unbox, &[any], Ty::Cell)
            }
        }
    }

    // ---- registers ---------------------------------------------------

    pub(super) fn read(&mut self, r: u8) -> Val {
        let slot = self.slot(r);
        match self.values[slot] {
            Some(v) => v,
            None => {
                let v = self.nil();
                self.values[slot] = Some(v);
                v
            }
        }
    }

    pub(super) fn write(&mut self, r: u8, v: Val) {
        let slot = self.slot(r);
        self.values[slot] = Some(v);
    }

    /// Puts the first `n` of these values into the registers from `a` on, nil
    /// for those that are missing.
    pub(super) fn write_list(&mut self, a: u8, n: usize, values: &[Val]) {
        for k in 0..n {
            let v = match values.get(k) {
                Some(&v) => v,
                None => self.nil(),
            };
            self.write(a + k as u8, v);
        }
    }

    /// Where a register of the current frame is in the function's window.
    pub(super) fn slot(&self, r: u8) -> usize {
        self.base + r as usize
    }

    /// The same, as operations name it. Frames are only inlined where their
    /// windows fit.
    pub(super) fn slot8(&self, r: u8) -> u8 {
        self.slot(r) as u8
    }

    /// What the register's slot in the window holds is not known any more.
    pub(super) fn forget_slot(&mut self, r: u8) {
        let slot = self.slot(r);
        self.forget_window(slot);
    }

    /// A register, or a constant above the register range.
    pub(super) fn read_rk(&mut self, rk: u16) -> Val {
        if rk < vela_bytecode::RK_CONST_BASE {
            self.read(rk as u8)
        } else {
            self.constant(u32::from(rk - vela_bytecode::RK_CONST_BASE))
        }
    }

    /// Replaces a value by a refined one in every register. The window keeps
    /// its knowledge: the bits are the same.
    pub(super) fn replace(&mut self, old: Val, new: Val) {
        for r in &mut self.values {
            if *r == Some(old) {
                *r = Some(new);
            }
        }
        for w in &mut self.window[..super::inline::SITES] {
            if *w == Some(old) {
                *w = Some(new);
            }
        }
    }

    // ---- frame states and guards -------------------------------------

    fn make_state(&mut self, pc: usize) -> State {
        let mut regs = Vec::new();
        for r in self.live.live_in(pc as u32).iter() {
            let v = self.read(r);
            regs.push((r, v));
        }
        let open = self
            .open
            .filter(|o| o.instance == self.instance && o.pc == pc);
        for r in open.iter().flat_map(|o| o.first..o.end) {
            let v = self.read(r);
            regs.push((r, v));
        }
        self.func.states.push(FrameState {
            pc: pc as u32,
            regs,
            in_window: Vec::new(),
            top: open.map(|o| o.end),
            caller: self.inlined.as_ref().map(|i| i.caller.clone()),
        });
        State(self.func.states.len() as u32 - 1)
    }

    /// The state before the current instruction.
    pub(super) fn state(&mut self) -> State {
        if let Some(s) = self.state {
            return s;
        }
        let s = self.make_state(self.pc);
        self.state = Some(s);
        s
    }

    pub(super) fn attach(&mut self, inst: Inst, state: State, reason: DeoptReason) {
        let data = &mut self.func.insts[inst.index()];
        data.state = Some(state);
        data.reason = reason;
    }

    /// Exits to the current instruction unless `cond`.
    pub(super) fn guard(&mut self, cond: Val, reason: DeoptReason) {
        let s = self.state();
        let i = self.push(Op::Guard, &[cond], Ty::None);
        self.attach(i, s, reason);
    }

    /// The value with this tag's type, guarded if that is not known; all
    /// registers that hold it are refined.
    pub(super) fn guard_tag(&mut self, v: Val, tag: Tag) -> Val {
        let s = self.state();
        self.guard_tag_in(v, tag, s)
    }

    /// As `guard_tag` with a given state.
    pub(super) fn guard_tag_in(&mut self, v: Val, tag: Tag, s: State) -> Val {
        let Some(ty) = Ty::from_tag(tag) else {
            let any = self.boxed(v);
            let is = self.emit(Op::HasTag(tag), &[any], Ty::Bool);
            let i = self.push(Op::Guard, &[is], Ty::None);
            self.attach(i, s, DeoptReason::Type);
            return v;
        };
        if self.ty(v) == ty {
            return v;
        }
        let any = self.boxed(v);
        let i = self.push(Op::GuardTag(tag), &[any], ty);
        self.attach(i, s, DeoptReason::Type);
        let typed = self.func.result(i);
        self.replace(v, typed);
        typed
    }

    /// The result of the call just made has this type. Leaves before the
    /// instruction at `s`; the call is what a failure is recorded at.
    pub(super) fn guard_result(&mut self, v: Val, tag: Tag, s: State) {
        if Ty::from_tag(tag).is_none() {
            return;
        }
        let typed = self.guard_tag_in(v, tag, s);
        if let Def::Inst(guard) = self.func.vals[typed.index()].def
            && typed != v
        {
            self.func.insts[guard.index()].origin = Some(self.pc as u32);
        }
    }

    /// Leaves compiled code for good at the current instruction.
    pub(super) fn exit(&mut self, reason: DeoptReason) {
        let s = self.state();
        let i = self.push(Op::Exit, &[], Ty::None);
        self.attach(i, s, reason);
        self.cur = None;
    }

    /// After a call: leave if the code was invalidated meanwhile.
    pub(super) fn guard_valid(&mut self, next_pc: usize) {
        let s = self.make_state(next_pc);
        let i = self.push(Op::GuardValid, &[], Ty::None);
        self.attach(i, s, DeoptReason::Invalidated);
    }

    /// The state before `pc` with the present registers.
    pub(super) fn state_at(&mut self, pc: usize) -> State {
        self.make_state(pc)
    }

    // ---- the window and call sites -----------------------------------

    /// Makes the register's window slot current.
    pub(super) fn store_reg(&mut self, r: u8) {
        let v = self.read(r);
        self.store_slot(self.slot(r), v);
    }

    pub(super) fn store_slot(&mut self, slot: usize, v: Val) {
        if self.window[slot] != Some(v) {
            self.push(Op::StoreReg(slot as u8), &[v], Ty::None);
            self.forget_record(slot);
            self.window[slot] = Some(v);
        }
    }

    /// Registers for the collector to visit: those below `limit` that are live
    /// and may hold objects, one for each value, and not what the code keeps
    /// alive. All live ones if the debug library may look at them.
    pub(super) fn roots_below(&mut self, limit: u8) -> Vec<u8> {
        let mut roots = Vec::new();
        let mut seen: SmallVec<[Val; 16]> = SmallVec::new();
        let all = self.snapshot.debuggable;
        for r in self.live.live_in(self.pc as u32).iter() {
            if r < limit {
                let v = self.read(r);
                let object = self.ty(v).may_be_object()
                    && !seen.contains(&v)
                    && !matches!(self.func.def_op(v), Some(Op::Literal(_)));
                seen.push(v);
                if all || object {
                    roots.push(r);
                }
            }
        }
        roots
    }

    /// Describes a site of the current frame at the current instruction.
    pub(super) fn add_site(&mut self, live: Vec<u8>) -> Site {
        self.func.sites.push(SiteData {
            pc: self.pc as u32,
            live,
            caller: self.inlined.as_ref().map(|i| i.site),
        });
        Site(self.func.sites.len() as u32 - 1)
    }

    /// Appends a call site. Before it, the live registers below `limit` that
    /// may hold objects are stored, those of the calling frames as well, and
    /// inlined frames are made visible.
    pub(super) fn push_call(&mut self, op: Op, args: &[Val], ty: Ty, limit: u8) -> Inst {
        self.store_callers();
        let roots = self.roots_below(limit);
        for &r in &roots {
            self.store_reg(r);
        }
        let site = self.add_site(roots);
        self.push_frames();
        let inst = self.push(op, args, ty);
        self.func.insts[inst.index()].site = Some(site);
        self.protect(inst);
        self.pop_frames();
        inst
    }

    /// Forgets registers and window slots from `from` on.
    pub(super) fn forget_from(&mut self, from: u8) {
        for slot in self.slot(from)..self.values.len() {
            self.values[slot] = None;
            self.forget_window(slot);
        }
    }

    /// Reads the registers of `range` that are live at `next` back from the
    /// window.
    pub(super) fn reload(&mut self, range: std::ops::Range<u32>, next: usize) {
        for r in range {
            let (r, slot) = (r as u8, self.slot(r as u8));
            if slot < self.values.len() {
                self.values[slot] = None;
                self.forget_window(slot);
                if next < self.proto.code.len() && self.live.live_in(next as u32).contains(r) {
                    let v = self.emit(Op::LoadReg(slot as u8), &[], Ty::Any);
                    self.values[slot] = Some(v);
                    self.window[slot] = Some(v);
                }
            }
        }
    }

    /// Stores what the current instruction reads and what is live, and hands
    /// the instruction to the interpreter.
    pub(super) fn push_interp(&mut self, ty: Ty) -> Inst {
        let mut used = Vec::new();
        for_each_use(self.proto, self.pc, |range| used.extend(range));
        for r in used {
            self.store_reg(r as u8);
        }
        self.push_call(Op::InterpOne, &[], ty, u8::MAX)
    }

    /// Runs the current comparison or loop instruction through the
    /// interpreter: whether its condition holds.
    pub(super) fn interp_cond(&mut self) -> Val {
        let i = self.push_interp(Ty::Bool);
        self.func.result(i)
    }

    /// Runs the current instruction through the interpreter and reads its
    /// results back from the window.
    pub(super) fn interp_one(&mut self) {
        let instr: Instr = self.proto.code[self.pc];
        self.push_interp(Ty::None);
        let next = self.pc + 1;
        let written = match instr.op() {
            Some(vela_bytecode::Op::TForCall) => {
                let first = u32::from(instr.a()) + 4;
                self.forget_from(first as u8);
                first..first + u32::from(instr.c())
            }
            _ => kills(instr, self.proto.max_stack),
        };
        self.reload(written, next);
        self.guard_valid(next);
    }

    // ---- edges -------------------------------------------------------

    /// The jump target for `pc` with the arguments its block wants.
    pub(super) fn edge(&mut self, pc: usize) -> Target {
        let block = self.block_at(pc);
        let mut args = SmallVec::new();
        if self.cfg.has_params(pc) {
            for r in self.param_regs(pc) {
                let v = self.read(r);
                let v = self.joined((self.instance, pc, r), v);
                args.push(v);
            }
        } else {
            self.inherited.insert(
                pc,
                Inherited {
                    values: self.values.clone(),
                    window: self.window.clone(),
                },
            );
        }
        Target { block, args }
    }

    /// The value as the block parameter with this key takes it. Where edges
    /// disagree, the parameter's type is widened.
    pub(super) fn joined(&mut self, key: (u32, usize, u8), v: Val) -> Val {
        let ty = self.ty(v);
        let known = self.types.get(key);
        let want = match known {
            _ if self.give_up => Ty::Any,
            None => ty,
            Some(t) if t == ty => t,
            Some(_) => Ty::Any,
        };
        if known != Some(want) {
            self.types.of.insert(key, want);
            self.widened |= known.is_some();
        }
        if want == Ty::Any { self.boxed(v) } else { v }
    }

    /// Ends the current block with a jump.
    pub(super) fn jump_to(&mut self, pc: usize) {
        let t = self.edge(pc);
        let i = self.push(Op::Jump, &[], Ty::None);
        self.func.insts[i.index()].targets.push(t);
        self.cur = None;
    }

    /// Ends the current block with a two-way branch.
    pub(super) fn branch_to(&mut self, cond: Val, yes: usize, no: usize) {
        if yes == no {
            self.jump_to(yes);
            return;
        }
        let t = self.edge(yes);
        let f = self.edge(no);
        self.branch(cond, t, f);
    }

    /// Ends the current block with a branch between MIR targets.
    pub(super) fn branch(&mut self, cond: Val, t: Target, f: Target) {
        let i = self.push(Op::Branch, &[cond], Ty::None);
        let targets = &mut self.func.insts[i.index()].targets;
        targets.push(t);
        targets.push(f);
        self.cur = None;
    }

    /// A jump target without arguments.
    pub(super) fn plain(block: Block) -> Target {
        Target {
            block,
            args: SmallVec::new(),
        }
    }

    /// Ends the current block with a jump that passes values.
    pub(super) fn jump_with(&mut self, block: Block, args: &[Val]) {
        let i = self.push(Op::Jump, &[], Ty::None);
        self.func.insts[i.index()].targets.push(Target {
            block,
            args: SmallVec::from_slice(args),
        });
        self.cur = None;
    }

    /// Goes on in a new block if `cond`, else to `other`.
    pub(super) fn else_to(&mut self, cond: Val, other: Block) {
        let next = self.func.add_block();
        self.branch(cond, Self::plain(next), Self::plain(other));
        self.cur = Some(next);
    }

    /// Opens a diamond: a fast path with tests, any of which may leave to a
    /// cold block where the interpreter runs the instruction.
    pub(super) fn begin_slow(&mut self) -> Slow {
        let block = self.func.add_block();
        self.func.blocks[block.index()].cold = true;
        Slow {
            block,
            values: self.values.clone(),
            window: self.window.clone(),
            used: false,
        }
    }

    /// Leaves the fast path unless `cond`.
    pub(super) fn or_slow(&mut self, slow: &mut Slow, cond: Val) {
        slow.used = true;
        self.else_to(cond, slow.block);
    }

    /// The value as the type of `tag`, leaving the fast path if it is not.
    /// Registers are not refined: what follows the diamond knows nothing.
    pub(super) fn unbox_or_slow(&mut self, slow: &mut Slow, v: Val, tag: Tag) -> Val {
        let ty = Ty::from_tag(tag);
        if ty == Some(self.ty(v)) {
            return v;
        }
        let any = self.boxed(v);
        let is = self.emit(Op::HasTag(tag), &[any], Ty::Bool);
        self.or_slow(slow, is);
        // Some kinds of values have no type of their own.
        let Some(ty) = ty else { return v };
        self.emit(Op::Unbox, &[any], ty)
    }

    /// Closes a diamond. The current block is the end of the fast path, with
    /// `result` for register `a`. Goes on behind both paths.
    pub(super) fn join_slow(&mut self, slow: Slow, result: Option<(u8, Val)>) {
        if !slow.used {
            self.values = slow.values;
            if let Some((a, v)) = result {
                self.write(a, v);
            }
            return;
        }
        let join = self.func.add_block();
        match result {
            Some((_, v)) => {
                let v = self.boxed(v);
                self.jump_with(join, &[v]);
            }
            None => self.jump_with(join, &[]),
        }
        self.values = slow.values.clone();
        self.window = slow.window.clone();
        self.cur = Some(slow.block);
        self.interp_one();
        match result {
            Some((a, _)) => {
                let v = self.read(a);
                let v = self.boxed(v);
                self.jump_with(join, &[v]);
            }
            None => self.jump_with(join, &[]),
        }
        // Behind the join a slot is known only if both paths left it alone.
        for (after, before) in self.window.iter_mut().zip(&slow.window) {
            if after != before {
                *after = None;
            }
        }
        self.values = slow.values;
        self.cur = Some(join);
        self.state = None;
        if let Some((a, _)) = result {
            let v = self.func.add_param(join, Ty::Any);
            self.write(a, v);
            self.forget_slot(a);
        }
    }
}

/// The cold side of a diamond.
pub(super) struct Slow {
    pub(super) block: Block,
    values: Vec<Option<Val>>,
    window: Vec<Option<Val>>,
    used: bool,
}
