//! Code of statements.

use super::emit::Jumps;
use super::expr::{Dst, Key, Object};
use super::{Gen, LabelState, Loop, Result};
use crate::ast::{Expr, ExprId, LocalId, LocalKind, Range, Stmt, StmtNode};
use vela_bytecode::{FRAME_SLOTS, Instr, Op};

/// Where an assignment stores.
#[derive(Clone, Copy)]
enum Place {
    Register(u8),
    Cell(u8),
    Upval(u8),
    Index(Object, Key),
}

impl Gen<'_, '_> {
    pub(super) fn statements(&mut self, range: Range) -> Result<()> {
        for i in range.indices() {
            let node = self.tree.stmts[i];
            let mark = self.out.free();
            let is_local = matches!(node.stmt, Stmt::Local { .. } | Stmt::LocalFunction { .. });
            self.out.line = node.line;
            self.statement(&node)?;
            if !is_local {
                self.out.set_free(mark);
            }
        }
        Ok(())
    }

    /// A block with a scope of its own.
    fn block(&mut self, range: Range) -> Result<()> {
        let (level, free) = (self.active.len(), self.out.free());
        self.statements(range)?;
        self.leave_scope(level, free);
        Ok(())
    }

    /// Ends the scope of the locals from `level` on, closing what must be.
    fn leave_scope(&mut self, level: usize, free: usize) {
        if let Some(reg) = self.lowest_tbc(level)
            && self.out.reachable()
        {
            self.out.emit(Instr::abcd(Op::Close, reg, 0, 0, 0));
        }
        self.deactivate(level);
        self.out.set_free(free);
    }

    fn statement(&mut self, node: &StmtNode) -> Result<()> {
        match node.stmt {
            Stmt::Local { vars, exprs } => self.local(vars, exprs, node.end_line),
            Stmt::LocalFunction { var, func } => {
                let reg = self.out.reserve(1)?;
                if self.tree.local(var).captured {
                    self.load_nil(reg, 1);
                    self.out.new_cell(reg, reg);
                    self.activate(var, reg);
                    let closure = self.out.reserve(1)?;
                    self.out.line = node.end_line;
                    self.closure(func, closure);
                    self.out
                        .emit(Instr::abcd(Op::SetCell, reg, u16::from(closure), 0, 0));
                    self.out.set_free(usize::from(reg) + 1);
                } else {
                    self.out.line = node.end_line;
                    self.closure(func, reg);
                    self.activate(var, reg);
                }
                Ok(())
            }
            Stmt::Assign { targets, exprs } => self.assign(targets, exprs, node.end_line),
            Stmt::Function { target, func } => {
                let place = self.place(target, None)?;
                self.out.line = node.end_line;
                if let Place::Register(reg) = place {
                    self.closure(func, reg);
                } else {
                    let value = self.out.reserve(1)?;
                    self.closure(func, value);
                    self.out.line = node.line;
                    self.store(place, u16::from(value))?;
                }
                Ok(())
            }
            Stmt::Call(e) => self.call_results(e, 1),
            Stmt::Do(block) => self.block(block),
            Stmt::While { condition, block } => {
                let top = self.out.target_here();
                let mut exit = Jumps::NONE;
                self.condition(condition, false, &mut exit)?;
                self.begin_loop();
                self.block(block)?;
                if self.out.reachable() {
                    self.out.loop_to(top);
                }
                self.end_loop();
                self.out.patch_here(exit);
                Ok(())
            }
            Stmt::Repeat { block, condition } => self.repeat(block, condition),
            Stmt::If { arms, otherwise } => self.if_statement(arms, otherwise),
            Stmt::NumFor {
                hidden,
                exprs,
                block,
            } => self.numeric_for(hidden, exprs, block, node.line),
            Stmt::GenFor {
                hidden,
                vars,
                exprs,
                block,
                call_line,
            } => self.generic_for(hidden, vars, exprs, block, call_line),
            Stmt::Return(exprs) => self.return_values(exprs),
            Stmt::Break => {
                let level = self.loops.last().map_or(0, |l| l.active);
                self.close_above(level);
                let mut list = self.loops.last().map_or(Jumps::NONE, |l| l.breaks);
                self.out.jump(Op::Jmp, 0, &mut list);
                self.set_breaks(list);
                Ok(())
            }
            Stmt::Goto(index) => {
                let label = self.tree.gotos[index as usize];
                let level = self.tree.labels[label as usize].active as usize;
                self.close_above(level);
                let mut state = self.label(label);
                if let Some(pc) = state.pc {
                    self.out.loop_to(pc);
                } else {
                    self.out.jump(Op::Jmp, 0, &mut state.jumps);
                    self.labels.insert(label, state);
                }
                Ok(())
            }
            Stmt::Label(label) => {
                let state = self.label(label);
                self.out.patch_here(state.jumps);
                let pc = self.out.target_here();
                // At the end of a block jumps to here skip declarations: the
                // block's locals are out of scope already.
                let level = self.tree.labels[label as usize].active as usize;
                self.end_scopes(level);
                self.labels.insert(
                    label,
                    LabelState {
                        pc: Some(pc),
                        jumps: Jumps::NONE,
                    },
                );
                Ok(())
            }
        }
    }

    fn label(&self, label: u32) -> LabelState {
        self.labels.get(&label).copied().unwrap_or(LabelState {
            pc: None,
            jumps: Jumps::NONE,
        })
    }

    /// Before a jump to a place where only `level` locals are in scope.
    fn close_above(&mut self, level: usize) {
        if let Some(reg) = self.lowest_tbc(level.min(self.active.len())) {
            self.out.emit(Instr::abcd(Op::Close, reg, 0, 0, 0));
        }
    }

    fn begin_loop(&mut self) {
        self.loops.push(Loop {
            breaks: Jumps::NONE,
            active: self.active.len(),
        });
    }

    fn end_loop(&mut self) {
        if let Some(l) = self.loops.pop() {
            self.out.patch_here(l.breaks);
        }
    }

    fn set_breaks(&mut self, list: Jumps) {
        if let Some(l) = self.loops.last_mut() {
            l.breaks = list;
        }
    }

    // ---- declarations ----

    fn local(&mut self, vars: Range, exprs: Range, end_line: u32) -> Result<()> {
        let mut vars_in_regs = vars;
        let mut used = exprs;
        let last = vars.indices().end - 1;
        let folded = self.tree.locals[last].kind == LocalKind::Folded;
        if folded {
            vars_in_regs.len -= 1;
            used.len -= 1;
        }
        let count = vars_in_regs.len as usize;
        let base = self.expr_list(used, count)? as u8;
        self.out.line = end_line;
        // A captured variable that is closed keeps its value in place for the
        // closing, and its cell in a register after the others.
        let mut homes = [0u8; 256];
        for (i, id) in vars_in_regs.indices().enumerate() {
            let reg = base + i as u8;
            let local = &self.tree.locals[id];
            homes[i] = reg;
            if local.kind == LocalKind::Close {
                self.chunk.homes[id].tbc = Some(reg);
                if local.captured {
                    homes[i] = self.out.reserve(1)?;
                }
            }
        }
        for (i, id) in vars_in_regs.indices().enumerate() {
            if self.tree.locals[id].captured {
                self.out.new_cell(homes[i], base + i as u8);
            }
        }
        let mut close = None;
        for (i, id) in vars_in_regs.indices().enumerate() {
            let local = self.tree.locals[id];
            if local.kind == LocalKind::Close {
                let reg = base + i as u8;
                close = Some(reg);
                if local.captured {
                    // so that errors can name it
                    let name = self.chunk.name(local.name);
                    let pc = self.out.pc();
                    self.out.locals.push(vela_bytecode::LocalVar {
                        name,
                        reg,
                        start_pc: pc,
                        end_pc: pc + 1,
                        in_cell: false,
                    });
                }
            }
            self.activate(LocalId(id as u32), homes[i]);
        }
        if folded {
            self.activate(LocalId(last as u32), 0);
        }
        if let Some(reg) = close {
            self.out.emit(Instr::abcd(Op::Tbc, reg, 0, 0, 0));
        }
        Ok(())
    }

    // ---- assignment ----

    /// Evaluates the parts of an assignment target. `group` is all targets of
    /// a multiple assignment: a variable that is one of them is copied when
    /// another target indexes it.
    fn place(&mut self, target: ExprId, group: Option<Range>) -> Result<Place> {
        let node = self.tree.node(target);
        self.out.line = node.line;
        Ok(match node.expr {
            Expr::Local(id) if self.tree.local(id).captured => Place::Cell(self.home(id)),
            Expr::Local(id) => Place::Register(self.home(id)),
            Expr::Upval(i) => Place::Upval(i),
            Expr::Index { object, key } => {
                let obj = if self.is_assigned(object, group) {
                    Object::Reg(self.expr_to(object, Dst::Next)?)
                } else {
                    self.object(object)?
                };
                let key = if self.is_assigned(key, group) {
                    Key::Reg(self.expr_to(key, Dst::Next)?)
                } else {
                    self.key(key)?
                };
                Place::Index(obj, key)
            }
            // the parser lets nothing else through
            _ => Place::Register(self.expr_to(target, Dst::Next)?),
        })
    }

    fn is_assigned(&self, e: ExprId, group: Option<Range>) -> bool {
        let expr = self.tree.expr(e);
        let Some(group) = group else { return false };
        matches!(expr, Expr::Local(_) | Expr::Upval(_))
            && group
                .indices()
                .any(|i| self.tree.expr(self.tree.lists[i]) == expr)
    }

    /// Stores `value` (a register, or a constant where the place takes one).
    fn store(&mut self, place: Place, value: u16) -> Result<()> {
        match place {
            Place::Register(reg) => {
                if u16::from(reg) != value {
                    self.out.emit(Instr::abcd(Op::Move, reg, value, 0, 0));
                }
            }
            Place::Cell(reg) => {
                self.out.emit(Instr::abcd(Op::SetCell, reg, value, 0, 0));
            }
            Place::Upval(i) => {
                self.out
                    .emit(Instr::abcd(Op::SetUpval, value as u8, u16::from(i), 0, 0));
            }
            Place::Index(object, key) => self.store_index(object, key, value)?,
        }
        Ok(())
    }

    /// Evaluates `e` and stores it.
    fn store_expr(&mut self, place: Place, e: ExprId, line: u32) -> Result<()> {
        let mark = self.out.free();
        match place {
            Place::Register(reg) => {
                self.expr_to(e, Dst::Reg(reg))?;
            }
            Place::Cell(_) | Place::Upval(_) | Place::Index(Object::Upval(_), Key::Field(_)) => {
                let value = self.expr_any(e)?;
                self.out.line = line;
                self.store(place, u16::from(value))?;
            }
            Place::Index(..) => {
                let value = self.register_or_constant(e)?;
                self.out.line = line;
                self.store(place, value)?;
            }
        }
        self.out.set_free(mark);
        Ok(())
    }

    fn assign(&mut self, targets: Range, exprs: Range, line: u32) -> Result<()> {
        if targets.len == 1 && exprs.len == 1 {
            let place = self.place(self.tree.lists[targets.start as usize], None)?;
            return self.store_expr(place, self.tree.lists[exprs.start as usize], line);
        }
        let mut places = Vec::with_capacity(targets.len as usize);
        for i in targets.indices() {
            places.push(self.place(self.tree.lists[i], Some(targets))?);
        }
        let count = targets.len as usize;
        let mut next = if exprs.len == targets.len {
            // the last value needs no register of its own
            let head = Range {
                len: exprs.len - 1,
                ..exprs
            };
            let base = self.expr_list(head, count - 1)?;
            let last = self.tree.lists[exprs.indices().end - 1];
            if let Some(place) = places.pop() {
                self.store_expr(place, last, line)?;
            }
            base + count - 1
        } else {
            self.expr_list(exprs, count)? + count
        };
        self.out.line = line;
        while let Some(place) = places.pop() {
            next -= 1;
            self.store(place, next as u16)?;
        }
        Ok(())
    }

    // ---- control ----

    fn repeat(&mut self, block: Range, condition: ExprId) -> Result<()> {
        let top = self.out.target_here();
        let (level, free) = (self.active.len(), self.out.free());
        self.begin_loop();
        self.statements(block)?;
        if self.out.reachable() {
            let mut exit = Jumps::NONE;
            self.out.line = self.tree.node(condition).line;
            self.condition(condition, true, &mut exit)?;
            if self.out.reachable() {
                self.close_above(level);
                self.out.loop_to(top);
            }
            self.out.patch_here(exit);
        }
        self.leave_scope(level, free);
        self.end_loop();
        Ok(())
    }

    /// The jump that is all a block does: its list's owner, if nothing needs
    /// closing on the way.
    fn lone_jump(&self, block: Range) -> Option<LoneJump> {
        if block.len != 1 {
            return None;
        }
        match self.tree.stmts[block.start as usize].stmt {
            Stmt::Break => {
                let level = self.loops.last()?.active;
                self.lowest_tbc(level).is_none().then_some(LoneJump::Break)
            }
            Stmt::Goto(index) => {
                let label = self.tree.gotos[index as usize];
                let level = self.tree.labels[label as usize].active as usize;
                let free = self.lowest_tbc(level.min(self.active.len())).is_none();
                (free && self.label(label).pc.is_none()).then_some(LoneJump::Label(label))
            }
            _ => None,
        }
    }

    fn if_statement(&mut self, arms: Range, otherwise: Option<Range>) -> Result<()> {
        let mut end = Jumps::NONE;
        for i in arms.indices() {
            let arm = self.tree.arms[i];
            let last = i + 1 == arms.indices().end && otherwise.is_none();
            match self.lone_jump(arm.block) {
                Some(LoneJump::Break) => {
                    let mut list = self.loops.last().map_or(Jumps::NONE, |l| l.breaks);
                    self.condition(arm.condition, true, &mut list)?;
                    self.out.test_line(arm.line);
                    self.set_breaks(list);
                    continue;
                }
                Some(LoneJump::Label(label)) => {
                    let mut state = self.label(label);
                    self.condition(arm.condition, true, &mut state.jumps)?;
                    self.out.test_line(arm.line);
                    self.labels.insert(label, state);
                    continue;
                }
                None => {}
            }
            let mut next = Jumps::NONE;
            self.condition(arm.condition, false, &mut next)?;
            self.out.test_line(arm.line);
            self.out.line = arm.line;
            self.block(arm.block)?;
            if !last && self.out.reachable() {
                self.out.jump(Op::Jmp, 0, &mut end);
            }
            self.out.patch_here(next);
        }
        if let Some(block) = otherwise {
            self.block(block)?;
        }
        self.out.patch_here(end);
        Ok(())
    }

    fn numeric_for(
        &mut self,
        hidden: LocalId,
        exprs: Range,
        block: Range,
        line: u32,
    ) -> Result<()> {
        let level = self.active.len();
        let base = self.out.free();
        for i in exprs.indices() {
            self.expr_to(self.tree.lists[i], Dst::Next)?;
        }
        if exprs.len == 2 {
            let reg = self.out.reserve(1)?;
            self.load_int(reg, 1);
        }
        for i in 0..3 {
            self.activate(LocalId(hidden.0 + i), (base + i as usize) as u8);
        }
        let slot = self.out.slot();
        let prep = self.out.emit(Instr::asbx(Op::ForPrep, base as u8, slot, 0));
        self.begin_loop();
        let body_level = self.active.len();
        let reg = self.out.reserve(1)?;
        self.loop_variables(hidden.0 + 3, 1, reg);
        self.block(block)?;
        self.deactivate(body_level);
        self.out.line = line;
        let slot = self.out.slot();
        let back = i64::from(prep) - i64::from(self.out.pc());
        let end = self
            .out
            .emit(Instr::asbx(Op::ForLoop, base as u8, slot, back as i32));
        let distance = end - prep;
        let instr = &mut self.out.code[prep as usize];
        *instr = instr.with_sbx(distance as i32);
        self.out.target_here();
        self.end_loop();
        self.deactivate(level);
        Ok(())
    }

    fn generic_for(
        &mut self,
        hidden: LocalId,
        vars: u32,
        exprs: Range,
        block: Range,
        line: u32,
    ) -> Result<()> {
        let level = self.active.len();
        let base = self.expr_list(exprs, 4)?;
        for i in 0..4 {
            self.activate(LocalId(hidden.0 + i), (base + i as usize) as u8);
        }
        self.chunk.homes[hidden.0 as usize + 3].tbc = Some((base + 3) as u8);
        // the iterator's frame and two arguments, and room to call it
        self.out.touch(base + 4 + FRAME_SLOTS + 3)?;
        let prep = self.out.emit(Instr::asbx(Op::TForPrep, base as u8, 0, 0));
        let body = self.out.target_here();
        self.begin_loop();
        let body_level = self.active.len();
        let first = self.out.reserve(vars as usize)?;
        self.loop_variables(hidden.0 + 4, vars, first);
        self.block(block)?;
        self.deactivate(body_level);
        let distance = self.out.pc() - body;
        let instr = &mut self.out.code[prep as usize];
        *instr = instr.with_sbx(distance as i32);
        self.out.line = line;
        self.out.target_here();
        self.out.emit_fb(Op::TForCall, base as u8, 0, vars as u16);
        let slot = self.out.slot();
        let back = i64::from(body) - i64::from(self.out.pc()) - 1;
        self.out
            .emit(Instr::asbx(Op::TForLoop, base as u8, slot, back as i32));
        self.end_loop();
        self.out
            .emit(Instr::abcd(Op::Close, (base + 3) as u8, 0, 0, 0));
        self.deactivate(level);
        Ok(())
    }

    /// Loop variables get a fresh cell per iteration when captured.
    fn loop_variables(&mut self, first_id: u32, count: u32, first_reg: u8) {
        for i in 0..count {
            if self.tree.locals[(first_id + i) as usize].captured {
                let reg = first_reg + i as u8;
                self.out.new_cell(reg, reg);
            }
        }
        for i in 0..count {
            self.activate(LocalId(first_id + i), first_reg + i as u8);
        }
    }

    fn return_values(&mut self, exprs: Range) -> Result<()> {
        let list = |i: u32| self.tree.lists[(exprs.start + i) as usize];
        match exprs.len {
            0 => {
                self.out.emit(Instr::abcd(Op::Return0, 0, 0, 0, 0));
            }
            1 if !self.tree.is_multi(list(0)) => {
                let reg = self.expr_any(list(0))?;
                self.out.emit(Instr::abcd(Op::Return1, reg, 0, 0, 0));
            }
            1 if !matches!(self.tree.expr(list(0)), Expr::Vararg)
                && self.lowest_tbc(0).is_none() =>
            {
                self.tail_call(list(0))?;
            }
            n => {
                let base = self.out.free();
                let multi = self.tree.is_multi(list(n - 1));
                for i in 0..n - u32::from(multi) {
                    self.expr_to(list(i), Dst::Next)?;
                }
                let count = if multi {
                    self.open_results(list(n - 1))?;
                    0
                } else {
                    n as u16 + 1
                };
                self.out
                    .emit(Instr::abcd(Op::Return, base as u8, count, 0, 0));
            }
        }
        Ok(())
    }
}

enum LoneJump {
    Break,
    Label(u32),
}
