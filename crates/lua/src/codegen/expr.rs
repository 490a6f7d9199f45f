//! Code of expressions.

use super::{Gen, Result};
use crate::ast::{BinOp, Expr, ExprId, FuncId, Node, Range, UnOp};
use vela_bytecode::{FRAME_SLOTS, Instr, Op, RK_CONST_BASE};

/// Where a value is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dst {
    /// The first register that is free before the evaluation.
    Next,
    Reg(u8),
}

/// A value to be indexed. Variables are read as late as possible: a call in
/// the key may still assign them, as in PUC Lua.
#[derive(Clone, Copy)]
pub(super) enum Object {
    Reg(u8),
    Cell(u8),
    Upval(u8),
}

/// A table key.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// String constant.
    Field(u16),
    Int(u16),
    Reg(u8),
    Cell(u8),
}

/// Right operand of an arithmetic operation.
enum Right {
    Reg(u8),
    Constant(u16),
    Immediate(i16),
}

/// What becomes of the value of a chain of fields and calls.
#[derive(Clone, Copy)]
enum Want {
    Value(Dst),
    /// Operand `c` of the final call.
    Results(u16),
    TailCall,
}

/// List elements stored by one instruction.
const ITEMS_PER_FLUSH: usize = 50;

fn arithmetic_op(op: BinOp) -> (Op, Op) {
    match op {
        BinOp::Add => (Op::Add, Op::AddK),
        BinOp::Sub => (Op::Sub, Op::SubK),
        BinOp::Mul => (Op::Mul, Op::MulK),
        BinOp::Mod => (Op::Mod, Op::ModK),
        BinOp::Pow => (Op::Pow, Op::PowK),
        BinOp::Div => (Op::Div, Op::DivK),
        BinOp::IDiv => (Op::IDiv, Op::IDivK),
        BinOp::BAnd => (Op::BAnd, Op::BAndK),
        BinOp::BOr => (Op::BOr, Op::BOrK),
        BinOp::BXor => (Op::BXor, Op::BXorK),
        BinOp::Shl => (Op::Shl, Op::ShlK),
        _ => (Op::Shr, Op::ShrK),
    }
}

impl Gen<'_, '_> {
    // ---- values in registers ----

    pub(super) fn dst(&mut self, dst: Dst) -> Result<u8> {
        match dst {
            Dst::Next => self.out.reserve(1),
            Dst::Reg(reg) => Ok(reg),
        }
    }

    /// Evaluates to a register: the variable's own if there is one.
    pub(super) fn expr_any(&mut self, e: ExprId) -> Result<u8> {
        match self.tree.expr(e) {
            Expr::Local(id) if !self.tree.local(id).captured => Ok(self.home(id)),
            _ => self.expr_to(e, Dst::Next),
        }
    }

    /// Evaluates to one value in `dst`; returns its register.
    pub(super) fn expr_to(&mut self, e: ExprId, dst: Dst) -> Result<u8> {
        let Node { expr, line, after } = self.tree.node(e);
        self.after = after;
        if expr.is_load() && !matches!(expr, Expr::Index { .. }) {
            self.out.line = line;
        }
        match expr {
            Expr::Nil => {
                let d = self.dst(dst)?;
                self.load_nil(d, 1);
                Ok(d)
            }
            Expr::Bool(value) => {
                let d = self.dst(dst)?;
                self.load_bool(d, value);
                Ok(d)
            }
            Expr::Int(value) => {
                let d = self.dst(dst)?;
                self.load_int(d, value);
                Ok(d)
            }
            Expr::Float(value) => {
                let d = self.dst(dst)?;
                self.load_float(d, value);
                Ok(d)
            }
            Expr::Str(id) => {
                let d = self.dst(dst)?;
                let k = self.string_constant(id);
                self.out.emit(Instr::abx(Op::LoadK, d, 0, k));
                Ok(d)
            }
            Expr::Vararg => {
                let d = self.dst(dst)?;
                self.out.line = line;
                self.out.emit(Instr::abcd(Op::Vararg, d, 2, 0, 0));
                Ok(d)
            }
            Expr::Local(id) => {
                let d = self.dst(dst)?;
                let reg = self.home(id);
                if self.tree.local(id).captured {
                    self.get_cell(d, reg);
                } else if d != reg {
                    self.out
                        .emit(Instr::abcd(Op::Move, d, u16::from(reg), 0, 0));
                }
                Ok(d)
            }
            Expr::Upval(i) => {
                let d = self.dst(dst)?;
                self.out
                    .emit(Instr::abcd(Op::GetUpval, d, u16::from(i), 0, 0));
                Ok(d)
            }
            Expr::Index { .. } | Expr::Call { .. } | Expr::Method { .. } => {
                self.suffixed(e, Want::Value(dst))
            }
            Expr::Function(func) => {
                let d = self.dst(dst)?;
                self.out.line = line;
                self.closure(func, d);
                Ok(d)
            }
            Expr::Table { items, end_line } => self.table(items, [line, end_line], dst),
            Expr::Binary { op, .. } => match op {
                BinOp::And | BinOp::Or => self.logical(e, op, dst),
                BinOp::Concat => self.concat(e, dst),
                _ if op.is_comparison() => self.boolean(e, dst),
                _ => self.arithmetic(e, dst),
            },
            Expr::Unary { op, operand } => {
                let op = match op {
                    UnOp::Neg => Op::Unm,
                    UnOp::BNot => Op::BNot,
                    UnOp::Len => Op::Len,
                    UnOp::Not => {
                        if self.is_condition(operand) {
                            return self.boolean(e, dst);
                        }
                        Op::Not
                    }
                };
                let mark = self.out.free();
                let r = u16::from(self.expr_any(operand)?);
                self.out.set_free(mark);
                let d = self.dst(dst)?;
                self.out.line = line;
                if op == Op::Not {
                    self.out.emit(Instr::abcd(op, d, r, 0, 0));
                } else {
                    self.out.emit_fb(op, d, r, 0);
                }
                Ok(d)
            }
            Expr::Paren(inner) => self.expr_to(inner, dst),
        }
    }

    pub(super) fn load_nil(&mut self, first: u8, count: usize) {
        self.out
            .emit(Instr::abcd(Op::LoadNil, first, count as u16 - 1, 0, 0));
    }

    pub(super) fn load_bool(&mut self, d: u8, value: bool) {
        self.out
            .emit(Instr::abcd(Op::LoadBool, d, u16::from(value), 0, 0));
    }

    pub(super) fn load_int(&mut self, d: u8, value: i64) {
        if let Ok(small) = i32::try_from(value) {
            self.out.emit(Instr::asbx(Op::LoadInt, d, 0, small));
        } else {
            let k = self.out.int_constant(value);
            self.out.emit(Instr::abx(Op::LoadK, d, 0, k));
        }
    }

    fn load_float(&mut self, d: u8, value: f64) {
        let small = value as i32;
        if f64::from(small).to_bits() == value.to_bits() {
            self.out.emit(Instr::asbx(Op::LoadFloat, d, 0, small));
        } else {
            let k = self.out.float_constant(value);
            self.out.emit(Instr::abx(Op::LoadK, d, 0, k));
        }
    }

    fn get_cell(&mut self, d: u8, cell: u8) {
        self.out
            .emit(Instr::abcd(Op::GetCell, d, u16::from(cell), 0, 0));
    }

    pub(super) fn closure(&mut self, func: FuncId, d: u8) {
        let index = self.children.len() as u32;
        self.children.push(func);
        self.out.emit(Instr::abx(Op::Closure, d, 0, index));
    }

    /// The constant index of a literal, if it is one.
    pub(super) fn constant(&mut self, e: ExprId) -> Option<u32> {
        Some(match self.tree.expr(e) {
            Expr::Nil => self.out.nil_constant(),
            Expr::Bool(b) => self.out.bool_constant(b),
            Expr::Int(i) => self.out.int_constant(i),
            Expr::Float(f) => self.out.float_constant(f),
            Expr::Str(s) => self.string_constant(s),
            _ => return None,
        })
    }

    /// Evaluates to an operand that is a register or a constant.
    pub(super) fn register_or_constant(&mut self, e: ExprId) -> Result<u16> {
        if let Some(k) = self.constant(e)
            && let Ok(k) = u16::try_from(k + u32::from(RK_CONST_BASE))
        {
            return Ok(k);
        }
        self.expr_any(e).map(u16::from)
    }

    // ---- several values ----

    /// Evaluates the list to exactly `want` values in consecutive registers;
    /// returns the first.
    pub(super) fn expr_list(&mut self, exprs: Range, want: usize) -> Result<usize> {
        let base = self.out.free();
        for (n, i) in exprs.indices().enumerate() {
            let e = self.tree.lists[i];
            if n + 1 == exprs.len as usize && self.tree.is_multi(e) {
                let rest = want.saturating_sub(n);
                self.results(e, rest)?;
                self.out.reserve(rest)?;
            } else {
                self.expr_to(e, Dst::Next)?;
            }
        }
        let have = self.out.free() - base;
        if have < want {
            let first = self.out.reserve(want - have)?;
            self.load_nil(first, want - have);
        }
        self.out.set_free(base + want);
        Ok(base)
    }

    /// Evaluates a call or `...` for `count` values from the next register.
    fn results(&mut self, e: ExprId, count: usize) -> Result<()> {
        if self.tree.expr(e) == Expr::Vararg {
            let first = self.out.free();
            self.out.touch(first + count.max(1))?;
            self.out.line = self.tree.node(e).line;
            self.out
                .emit(Instr::abcd(Op::Vararg, first as u8, count as u16 + 1, 0, 0));
            return Ok(());
        }
        self.suffixed(e, Want::Results(count as u16 + 1)).map(drop)
    }

    /// A call statement: `c` is the call's operand.
    pub(super) fn call_results(&mut self, e: ExprId, c: u16) -> Result<()> {
        self.suffixed(e, Want::Results(c)).map(drop)
    }

    /// Evaluates a call or `...` for all its values, setting the top.
    pub(super) fn open_results(&mut self, e: ExprId) -> Result<()> {
        if self.tree.expr(e) == Expr::Vararg {
            let first = self.out.free();
            self.out.touch(first + 1)?;
            self.out.line = self.tree.node(e).line;
            self.out.emit(Instr::abcd(Op::Vararg, first as u8, 0, 0, 0));
            return Ok(());
        }
        self.suffixed(e, Want::Results(0)).map(drop)
    }

    pub(super) fn tail_call(&mut self, e: ExprId) -> Result<()> {
        self.suffixed(e, Want::TailCall).map(drop)
    }

    /// Evaluates call arguments; returns operand `b`, `extra` values having
    /// been placed already.
    fn arguments(&mut self, args: Range, extra: u16) -> Result<u16> {
        for (n, i) in args.indices().enumerate() {
            let e = self.tree.lists[i];
            if n + 1 == args.len as usize && self.tree.is_multi(e) {
                self.open_results(e)?;
                return Ok(0);
            }
            self.expr_to(e, Dst::Next)?;
        }
        Ok(args.len as u16 + extra + 1)
    }

    // ---- fields and calls ----

    pub(super) fn object(&mut self, e: ExprId) -> Result<Object> {
        Ok(match self.tree.expr(e) {
            Expr::Local(id) if self.tree.local(id).captured => Object::Cell(self.home(id)),
            Expr::Local(id) => Object::Reg(self.home(id)),
            Expr::Upval(i) => Object::Upval(i),
            _ => Object::Reg(self.expr_to(e, Dst::Next)?),
        })
    }

    pub(super) fn key(&mut self, e: ExprId) -> Result<Key> {
        Ok(match self.tree.expr(e) {
            Expr::Str(id) => match u16::try_from(self.string_constant(id)) {
                Ok(k) => Key::Field(k),
                Err(_) => Key::Reg(self.expr_to(e, Dst::Next)?),
            },
            Expr::Int(i) if u16::try_from(i).is_ok() => Key::Int(i as u16),
            Expr::Local(id) if self.tree.local(id).captured => Key::Cell(self.home(id)),
            _ => Key::Reg(self.expr_any(e)?),
        })
    }

    pub(super) fn object_register(&mut self, object: Object) -> Result<u8> {
        Ok(match object {
            Object::Reg(reg) => reg,
            Object::Cell(cell) => {
                let d = self.out.reserve(1)?;
                self.get_cell(d, cell);
                d
            }
            Object::Upval(i) => {
                let d = self.out.reserve(1)?;
                self.out
                    .emit(Instr::abcd(Op::GetUpval, d, u16::from(i), 0, 0));
                d
            }
        })
    }

    fn late_key(&mut self, key: Key) -> Result<Key> {
        Ok(match key {
            Key::Cell(cell) => {
                let d = self.out.reserve(1)?;
                self.get_cell(d, cell);
                Key::Reg(d)
            }
            other => other,
        })
    }

    fn load_index(&mut self, d: u8, object: u8, key: Key) {
        let object = u16::from(object);
        match key {
            Key::Field(k) => self.out.emit_fb(Op::GetField, d, object, k),
            Key::Int(i) => self.out.emit_fb(Op::GetInt, d, object, i),
            Key::Reg(k) | Key::Cell(k) => self.out.emit_fb(Op::GetIndex, d, object, u16::from(k)),
        };
    }

    /// `object[key] = value`.
    pub(super) fn store_index(&mut self, object: Object, key: Key, value: u16) -> Result<()> {
        if let (Object::Upval(u), Key::Field(k)) = (object, key) {
            self.out.emit_fb(Op::SetTabUp, value as u8, u16::from(u), k);
            return Ok(());
        }
        let mark = self.out.free();
        let object = self.object_register(object)?;
        match self.late_key(key)? {
            Key::Field(k) => self.out.emit_fb(Op::SetField, object, k, value),
            Key::Int(i) => self.out.emit_fb(Op::SetInt, object, i, value),
            Key::Reg(k) | Key::Cell(k) => {
                self.out.emit_fb(Op::SetIndex, object, u16::from(k), value)
            }
        };
        self.out.set_free(mark);
        Ok(())
    }

    /// A chain of fields, indices and calls, from its base outwards.
    fn suffixed(&mut self, e: ExprId, want: Want) -> Result<u8> {
        let bottom = self.spine.len();
        let mut base = e;
        loop {
            let inner = match self.tree.expr(base) {
                Expr::Index { object, .. } | Expr::Method { object, .. } => object,
                Expr::Call { callee, .. } => callee,
                _ => break,
            };
            self.spine.push(base);
            base = inner;
        }
        let mark = self.out.free();
        let mut current = if self.next_is_call(bottom) {
            Object::Reg(self.expr_to(base, Dst::Next)?)
        } else {
            self.object(base)?
        };
        while self.spine.len() > bottom {
            let Some(id) = self.spine.pop() else { break };
            let last = self.spine.len() == bottom;
            let want = if last { want } else { Want::Value(Dst::Next) };
            let Node { expr, line, .. } = self.tree.node(id);
            let reg = match expr {
                Expr::Index { key, .. } => {
                    let dst = match want {
                        Want::Value(dst) => dst,
                        _ => Dst::Next,
                    };
                    self.index(current, key, line, mark, dst)?
                }
                Expr::Method { name, args, .. } => {
                    self.prepare_method(current, name, line, mark)?;
                    let b = self.arguments(args, 1)?;
                    self.finish_call(mark, b, line, want)?
                }
                Expr::Call { args, .. } => {
                    self.out.reserve(FRAME_SLOTS - 1)?;
                    let b = self.arguments(args, 0)?;
                    self.finish_call(mark, b, line, want)?
                }
                _ => break,
            };
            current = Object::Reg(reg);
        }
        match current {
            Object::Reg(reg) => Ok(reg),
            other => self.object_register(other),
        }
    }

    /// Whether the next suffix on the spine is a plain call, whose callee
    /// must be in the next register.
    fn next_is_call(&self, bottom: usize) -> bool {
        self.spine[bottom..]
            .last()
            .is_some_and(|&id| matches!(self.tree.expr(id), Expr::Call { .. }))
    }

    fn index(
        &mut self,
        object: Object,
        key: ExprId,
        line: u32,
        mark: usize,
        dst: Dst,
    ) -> Result<u8> {
        let key = self.key(key)?;
        if let (Object::Upval(u), Key::Field(k)) = (object, key) {
            self.out.set_free(mark);
            let d = self.dst(dst)?;
            self.out.line = line;
            self.out.emit_fb(Op::GetTabUp, d, u16::from(u), k);
            return Ok(d);
        }
        self.out.line = line;
        let object = self.object_register(object)?;
        let key = self.late_key(key)?;
        self.out.set_free(mark);
        let d = self.dst(dst)?;
        self.load_index(d, object, key);
        Ok(d)
    }

    /// Places method and receiver at `mark`.
    fn prepare_method(
        &mut self,
        object: Object,
        name: crate::intern::StrId,
        line: u32,
        mark: usize,
    ) -> Result<()> {
        self.out.line = line;
        let object = self.object_register(object)?;
        let name = self.string_constant(name);
        self.out.set_free(mark);
        let base = self.out.reserve(FRAME_SLOTS + 1)?;
        if let Ok(k) = u16::try_from(name) {
            self.out.emit_fb(Op::SelfGet, base, u16::from(object), k);
        } else {
            let receiver = base + FRAME_SLOTS as u8;
            let key = self.out.reserve(1)?;
            self.out
                .emit(Instr::abcd(Op::Move, receiver, u16::from(object), 0, 0));
            self.out.emit(Instr::abx(Op::LoadK, key, 0, name));
            self.out
                .emit_fb(Op::GetIndex, base, u16::from(receiver), u16::from(key));
            self.out.set_free(usize::from(key));
        }
        Ok(())
    }

    /// Emits the call whose callee is at `base`.
    fn finish_call(&mut self, base: usize, b: u16, line: u32, want: Want) -> Result<u8> {
        let a = base as u8;
        self.out.line = line;
        self.out.touch(base + FRAME_SLOTS)?;
        self.out.set_free(base);
        match want {
            Want::TailCall => {
                self.out.emit_fb(Op::TailCall, a, b, 0);
                Ok(a)
            }
            Want::Results(c) => {
                self.out.emit_fb(Op::Call, a, b, c);
                Ok(a)
            }
            Want::Value(dst) => {
                self.out.emit_fb(Op::Call, a, b, 2);
                match dst {
                    Dst::Next => self.out.reserve(1),
                    Dst::Reg(d) => {
                        self.out.emit(Instr::abcd(Op::Move, d, u16::from(a), 0, 0));
                        Ok(d)
                    }
                }
            }
        }
    }

    // ---- constructors ----

    /// A constructor, with the lines of its start and end.
    fn table(&mut self, items: Range, [line, end_line]: [u32; 2], dst: Dst) -> Result<u8> {
        let mark = self.out.free();
        if items.len == 0 {
            let d = self.dst(dst)?;
            self.out.line = line;
            self.out.emit_fb(Op::NewTable, d, 0, 0);
            return Ok(d);
        }
        let table = self.out.reserve(1)?;
        self.out.line = line;
        let mut made = None;
        let last = items.indices().end - 1;
        if end_line != line {
            // The constructor's line comes before those of its items.
            let [first, end] = [items.indices().start, last].map(|i| self.tree.items[i]);
            let open = end.key.is_none() && self.tree.is_multi(end.value);
            if open || first.key.is_some() {
                self.make(table, &mut made);
            } else {
                self.load_nil(table, 1);
            }
        }
        let (mut stored, mut pending, mut fields) = (0usize, 0usize, 0usize);
        for i in items.indices() {
            let item = self.tree.items[i];
            if let Some(key) = item.key {
                fields += 1;
                let free = self.out.free();
                self.out.line = self.tree.node(key).line;
                let key = self.key(key)?;
                let value = self.register_or_constant(item.value)?;
                self.out.line = item.line;
                self.make(table, &mut made);
                self.store_index(Object::Reg(table), key, value)?;
                self.out.set_free(free);
                continue;
            }
            if i == last && self.tree.is_multi(item.value) {
                self.make(table, &mut made);
                self.open_results(item.value)?;
                self.out.line = end_line;
                self.out
                    .emit(Instr::abx(Op::SetList, table, 0, stored as u32));
                let one = !matches!(self.tree.expr(item.value), Expr::Vararg);
                stored += pending + usize::from(one);
                pending = 0;
                continue;
            }
            self.expr_to(item.value, Dst::Next)?;
            pending += 1;
            if pending == ITEMS_PER_FLUSH {
                self.out.line = item.line;
                self.make(table, &mut made);
                self.flush(table, &mut stored, &mut pending);
            }
        }
        if pending > 0 {
            self.out.line = end_line;
        }
        let pc = self.make(table, &mut made);
        if pending > 0 {
            self.flush(table, &mut stored, &mut pending);
        }
        let hint = |n: usize| n.min(usize::from(u16::MAX)) as u16;
        let d = self.out.code[pc as usize].d();
        self.out.code[pc as usize] =
            Instr::abcd(Op::NewTable, table, hint(stored), hint(fields), d);
        match dst {
            Dst::Next => {
                self.out.set_free(mark + 1);
                Ok(table)
            }
            Dst::Reg(d) => {
                self.out.set_free(mark);
                self.out
                    .emit(Instr::abcd(Op::Move, d, u16::from(table), 0, 0));
                Ok(d)
            }
        }
    }

    /// Makes the table, where that was not done before: as late as possible,
    /// so that it is fresh when the first items are stored, and on the line of
    /// what stores them. Gives the place.
    fn make(&mut self, table: u8, made: &mut Option<u32>) -> u32 {
        *made.get_or_insert_with(|| self.out.emit_fb(Op::NewTable, table, 0, 0))
    }

    fn flush(&mut self, table: u8, stored: &mut usize, pending: &mut usize) {
        self.out.emit(Instr::abx(
            Op::SetList,
            table,
            *pending as u16,
            *stored as u32,
        ));
        *stored += *pending;
        *pending = 0;
        self.out.set_free(usize::from(table) + 1);
    }

    // ---- operators ----

    /// Left operand: a captured variable is read after the right operand.
    pub(super) fn left(&mut self, e: ExprId) -> Result<Object> {
        match self.tree.expr(e) {
            Expr::Local(id) if self.tree.local(id).captured => Ok(Object::Cell(self.home(id))),
            _ => Ok(Object::Reg(self.expr_any(e)?)),
        }
    }

    pub(super) fn push_spine(&mut self, e: ExprId, belongs: fn(BinOp) -> bool) -> ExprId {
        let mut leftmost = e;
        while let Expr::Binary { op, lhs, .. } = self.tree.expr(leftmost)
            && belongs(op)
        {
            self.spine.push(leftmost);
            leftmost = lhs;
        }
        leftmost
    }

    fn arithmetic(&mut self, e: ExprId, dst: Dst) -> Result<u8> {
        let bottom = self.spine.len();
        let leftmost = self.push_spine(e, BinOp::is_arithmetic);
        let mark = self.out.free();
        let mut left = self.left(leftmost)?;
        let mut result = 0;
        while self.spine.len() > bottom {
            let Some(id) = self.spine.pop() else { break };
            let Node { expr, line, .. } = self.tree.node(id);
            let Expr::Binary { op, rhs, .. } = expr else {
                break;
            };
            let right = self.right(op, rhs)?;
            self.out.line = line;
            let l = u16::from(self.object_register(left)?);
            self.out.set_free(mark);
            let d = if self.spine.len() == bottom {
                self.dst(dst)?
            } else {
                self.out.reserve(1)?
            };
            let (reg_op, k_op) = arithmetic_op(op);
            match right {
                Right::Reg(r) => self.out.emit_fb(reg_op, d, l, u16::from(r)),
                Right::Constant(k) => self.out.emit_fb(k_op, d, l, k),
                Right::Immediate(i) => {
                    let op = if op == BinOp::Add { Op::AddI } else { Op::SubI };
                    self.out.emit_fb(op, d, l, i as u16)
                }
            };
            left = Object::Reg(d);
            result = d;
        }
        Ok(result)
    }

    fn right(&mut self, op: BinOp, e: ExprId) -> Result<Right> {
        let constant = match self.tree.expr(e) {
            Expr::Int(i) if matches!(op, BinOp::Add | BinOp::Sub) && i16::try_from(i).is_ok() => {
                return Ok(Right::Immediate(i as i16));
            }
            Expr::Int(i) => Some(self.out.int_constant(i)),
            Expr::Float(f) if !op.is_bitwise() => Some(self.out.float_constant(f)),
            _ => None,
        };
        if let Some(k) = constant
            && let Ok(k) = u16::try_from(k)
        {
            return Ok(Right::Constant(k));
        }
        Ok(Right::Reg(self.expr_any(e)?))
    }

    fn concat(&mut self, e: ExprId, dst: Dst) -> Result<u8> {
        let mark = self.out.free();
        let (mut rest, mut count) = (e, 0u16);
        let mut line = self.tree.node(e).line;
        while let Node {
            expr:
                Expr::Binary {
                    op: BinOp::Concat,
                    lhs,
                    rhs,
                },
            line: at,
            ..
        } = self.tree.node(rest)
        {
            self.expr_to(lhs, Dst::Next)?;
            count += 1;
            line = at;
            rest = rhs;
        }
        self.expr_to(rest, Dst::Next)?;
        count += 1;
        self.out.set_free(mark);
        let d = self.dst(dst)?;
        self.out.line = line;
        self.out.emit_fb(Op::Concat, d, mark as u16, count);
        Ok(d)
    }
}
