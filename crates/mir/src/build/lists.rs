//! The positional part of table constructors.

use super::Builder;
use crate::helper::Helper;
use crate::ir::{Cond, Def, Op, Ty, Val};
use vela_bytecode::{Instr, Op as Bytecode};
use vela_objects::Tag;
use vela_objects::table::table_room;

/// Values that a helper stores at once.
pub(super) const CHUNK: usize = 4;

/// Values that a table is made with, or that are appended one by one.
const MAX_VALUES: usize = 50;

impl Builder<'_> {
    /// `R[a][bx + i] = R[a+i]`. Behind the instruction that makes the table it
    /// is made with them. Else few values go to a helper as they are, and where
    /// none is nil they can be appended in place.
    pub(super) fn set_list(&mut self, i: Instr) {
        let a = i.a();
        let open = self.open_end().filter(|_| i.b() == 0);
        let n = open.map_or(i.b() as usize, |end| usize::from(end - a) - 1);
        let mut table = self.read(a);
        if open.is_some() {
            if n == 0 {
                return;
            }
            // It always is one.
            table = self.guard_tag(table, Tag::TABLE);
        } else if n == 0 || self.ty(table) != Ty::Table {
            self.interp_one();
            return;
        }
        let values: Vec<Val> = (0..n).map(|k| self.read(a + 1 + k as u8)).collect();
        let before = i64::from(i.bx());
        if before == 0 && n <= MAX_VALUES && self.fresh_list(a, table, &values) {
            return;
        }
        let solid = |ty: Ty| !matches!(ty, Ty::Any | Ty::Nil);
        if values.iter().all(|&v| solid(self.ty(v))) && n <= MAX_VALUES {
            self.append_list(table, before, &values);
        } else if n <= CHUNK {
            self.store_list(table, before, &values);
        } else {
            // A nil may end the elements or leave a hole: only the whole list
            // tells.
            let mut slow = self.begin_slow();
            for &v in &values {
                if self.ty(v) == Ty::Any {
                    let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
                    let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
                    self.or_slow(&mut slow, present);
                }
            }
            if values.iter().any(|&v| self.ty(v) == Ty::Nil) {
                let never = self.emit(Op::Bool(false), &[], Ty::Bool);
                self.or_slow(&mut slow, never);
            }
            self.store_list(table, before, &values);
            self.join_slow(slow, None);
        }
    }

    /// Makes the table of the instruction before with these elements. False
    /// if something else was there, other than extra arguments that are values
    /// here: those that end the list.
    fn fresh_list(&mut self, a: u8, table: Val, values: &[Val]) -> bool {
        let before = |n: usize| self.pc.checked_sub(n).map(|pc| self.proto.code[pc]);
        let extra = |i: &Instr| i.op() == Some(Bytecode::Vararg);
        let maker = before(if before(1).is_some_and(|i| extra(&i)) {
            2
        } else {
            1
        });
        let Some(&Op::NewTable { fields, elems }) = self.func.def_op(table) else {
            return false;
        };
        let Def::Inst(made) = self.func.vals[table.index()].def else {
            return false;
        };
        let root = self.func.inst(made).args.clone();
        let made_here = maker.is_some_and(|m| m.op() == Some(Bytecode::NewTable) && m.a() == a);
        // In the table's cell.
        let room = table_room(fields as usize, elems as usize).1;
        let fits = room.is_some() && values.len() <= elems as usize;
        if !made_here || root.len() != 1 || !fits {
            return false;
        }
        let end = values.iter().rposition(|&v| self.ty(v) != Ty::Nil);
        let values = &values[..end.map_or(0, |last| last + 1)];
        if values.is_empty() {
            return true;
        }
        let mut args = root.to_vec();
        args.extend(values);
        let made = self.emit(Op::NewTable { fields, elems }, &args, Ty::Table);
        self.write(a, made);
        true
    }

    fn store_list(&mut self, table: Val, before: i64, values: &[Val]) {
        for (k, chunk) in values.chunks(CHUNK).enumerate() {
            let helper = Helper::set_list(chunk.len());
            let mut args = vec![table, self.int(before + (k * CHUNK) as i64 + 1)];
            for &v in chunk {
                args.push(self.boxed(v));
            }
            self.emit(Op::Lib(helper), &args, Ty::Bool);
        }
    }

    /// Appends values that are not nil, if the elements end where they go.
    fn append_list(&mut self, table: Val, before: i64, values: &[Val]) {
        let (fast, slow) = (self.func.add_block(), self.func.add_block());
        let other = self.func.add_block();
        self.func.blocks[slow.index()].cold = true;
        let join = self.func.add_block();
        let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
        let expected = self.int(before);
        let fresh = self.emit(Op::IntCmp(Cond::Eq), &[len, expected], Ty::Bool);
        self.branch(fresh, Self::plain(other), Self::plain(slow));
        self.cur = Some(other);
        let bare = self.emit(Op::NoneBeyond, &[table], Ty::Bool);
        self.branch(bare, Self::plain(fast), Self::plain(slow));
        self.cur = Some(slow);
        self.store_list(table, before, values);
        self.jump_with(join, &[]);
        self.cur = Some(fast);
        for &v in values {
            self.push(Op::PushElem, &[table, v], Ty::None);
        }
        self.jump_with(join, &[]);
        self.cur = Some(join);
    }
}
