//! Calls of `setmetatable` become stores of a shape.
//!
//! A metatable that many tables share is part of their shape. One that is made
//! for the table and only says what `__index` is, the class, is kept in a slot
//! that no program sees; the shape then names the class. The class is usually
//! known: a constant that the constructor stored into the metatable.
//!
//! Where a call did several things, as one that serves several classes, code
//! tests for one after the other. What it knows of the object, the metatable or
//! the class leaves few of these tests, and mostly none.

use super::Builder;
use crate::exits::unboxed;
use crate::ir::{Block, Op, PoolEntry, SlotLoc, Ty, Val};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::shape::FieldKind;
use vela_profiler::SiteSnapshot;
use vela_profiler::metatables::{MetaTransition, Metatable, OwnMetatable};
use vela_profiler::snapshot::TargetSnapshot;

/// Most things that code tells apart at one call.
const MAX_CASES: usize = 8;

/// A call of `setmetatable`.
struct Call {
    table: Val,
    metatable: Val,
    /// What `__index` is, if the metatable is made here.
    class: Option<Val>,
}

impl Builder<'_> {
    /// A call of `setmetatable` at `a` that does what it did before. False if
    /// it has to be a call.
    pub(super) fn set_metatable(
        &mut self,
        a: u8,
        nargs: usize,
        want: usize,
        target: &TargetSnapshot,
        site: &SiteSnapshot,
    ) -> bool {
        let (callee, object, metatable) = (self.read(a), self.read(a + 2), self.read(a + 3));
        let possible = nargs == 2
            && matches!(self.ty(object), Ty::Any | Ty::Table)
            && matches!(self.ty(metatable), Ty::Any | Ty::Table)
            && self.may_speculate(site, DeoptReason::Shape)
            && self.may_speculate(site, DeoptReason::Type);
        let class = self.stored_first(metatable);
        let is_possible = |t: &&MetaTransition| self.is_possible(t, metatable, class);
        let cases: Vec<MetaTransition> = target
            .transitions
            .iter()
            .filter(is_possible)
            .cloned()
            .collect();
        if !possible || cases.is_empty() || cases.len() > MAX_CASES {
            return false;
        }
        if self.guard_native(callee, target).is_none() {
            return false;
        }
        let call = Call {
            table: self.guard_tag(object, Tag::TABLE),
            metatable: self.guard_tag(metatable, Tag::TABLE),
            class,
        };
        // Metatables have no `__gc`, `__mode` or `__metatable`, nor got one
        // since, and shapes name classes as long as no metatable of their
        // objects changes.
        self.check_epoch(None);
        self.by_case(&call, &cases);
        self.forget_from(a);
        self.write_list(a, want, &[call.table]);
        true
    }

    /// Whether the call may do this, and code can.
    fn is_possible(&self, t: &MetaTransition, metatable: Val, class: Option<Val>) -> bool {
        let object = |v: Val| self.object_of(unboxed(&self.func, v));
        match &t.by {
            Metatable::Shared(addr) => {
                class.is_none() && object(metatable).is_none_or(|o| o == (*addr, Tag::TABLE))
            }
            Metatable::Own(own) => {
                let kind = own.field.kind;
                let fits = kind == FieldKind::ANY || kind.tag() == Some(Tag::TABLE);
                let is_class = |v: Val| {
                    matches!(self.ty(v), Ty::Any | Ty::Table)
                        && object(v).is_none_or(|o| o == (own.class, Tag::TABLE))
                };
                fits && class.is_none_or(is_class)
            }
        }
    }

    /// Tests which case it is, and does it; in none of them the code leaves.
    fn by_case(&mut self, call: &Call, cases: &[MetaTransition]) {
        let mut ends: Vec<Block> = Vec::new();
        for (n, case) in cases.iter().enumerate() {
            let last = n + 1 == cases.len();
            let miss = (!last).then(|| self.func.add_block());
            self.must_have_shape(call.table, case.from, miss);
            match &case.by {
                Metatable::Shared(addr) => {
                    self.must_be(call.metatable, *addr, miss);
                    let to = self.literal(PoolEntry::Shape(case.to), Ty::Ptr);
                    self.push(Op::SetShape, &[call.table, to], Ty::None);
                }
                Metatable::Own(own) => self.give_own(call, case.to, own, miss),
            }
            ends.extend(self.cur);
            self.cur = miss.or(self.cur);
        }
        if ends.len() > 1 {
            let done = self.func.add_block();
            for end in ends {
                self.cur = Some(end);
                self.jump_with(done, &[]);
            }
            self.cur = Some(done);
        }
    }

    /// Gives the table a metatable that is its own.
    fn give_own(&mut self, call: &Call, to: u64, own: &OwnMetatable, miss: Option<Block>) {
        self.must_have_shape(call.metatable, own.plain, miss);
        let class = match call.class {
            Some(class) => class,
            None => {
                let loc = place(0, own.plain_cap);
                self.emit(Op::LoadSlot(loc), &[call.metatable], Ty::Any)
            }
        };
        self.must_be(class, own.class, miss);
        if let Some(marked) = own.marked {
            let marked = self.literal(PoolEntry::Shape(marked), Ty::Ptr);
            self.push(Op::SetShape, &[call.metatable, marked], Ty::None);
        }
        let to = self.literal(PoolEntry::Shape(to), Ty::Ptr);
        let loc = place(own.slot, own.inline_cap);
        if own.adds && matches!(loc, SlotLoc::Out(_)) {
            let any = self.boxed(call.metatable);
            self.push(Op::AddSlot, &[call.table, to, any], Ty::None);
        } else {
            let args = [call.table, call.metatable];
            self.push(Op::StoreSlot(loc, true), &args, Ty::None);
            self.push(Op::SetShape, &[call.table, to], Ty::None);
        }
    }

    /// Goes to `miss` unless the condition holds, or leaves the code.
    fn must(&mut self, cond: Val, miss: Option<Block>) {
        match miss {
            None => self.guard(cond, DeoptReason::Shape),
            Some(miss) => {
                let hit = self.func.add_block();
                self.branch(cond, Self::plain(hit), Self::plain(miss));
                self.cur = Some(hit);
            }
        }
    }

    fn must_have_shape(&mut self, table: Val, shape: u64, miss: Option<Block>) {
        if miss.is_none() {
            return self.guard_shape(table, shape);
        }
        let shape = self.literal(PoolEntry::Shape(shape), Ty::Ptr);
        let is = self.emit(Op::ShapeIn, &[table, shape], Ty::Bool);
        self.must(is, miss);
    }

    /// The value is this table.
    fn must_be(&mut self, v: Val, addr: u64, miss: Option<Block>) {
        let mut v = v;
        if self.object_of(v) == Some((addr, Tag::TABLE)) {
            return;
        }
        if self.ty(v) == Ty::Any {
            let is_table = self.emit(Op::HasTag(Tag::TABLE), &[v], Ty::Bool);
            self.must(is_table, miss);
            v = self.emit(Op::Unbox, &[v], Ty::Table);
        }
        let known = self.literal(PoolEntry::Object(addr, Tag::TABLE), Ty::Table);
        let same = self.emit(Op::SameObject, &[v, known], Ty::Bool);
        self.must(same, miss);
    }

    /// What the first slot of a table holds that was made in this block, if
    /// nothing but stores to it came since.
    fn stored_first(&self, table: Val) -> Option<Val> {
        let table = unboxed(&self.func, table);
        let block = self.cur?;
        for &i in self.func.blocks[block.index()].insts.iter().rev() {
            let data = self.func.inst(i);
            match data.op {
                Op::StoreSlot(SlotLoc::Inline { index: 0, .. }, _) if data.args[0] == table => {
                    return Some(unboxed(&self.func, data.args[1]));
                }
                Op::StoreSlot(..) | Op::SetShape if data.args[0] == table => {}
                _ if data.result == Some(table) => return None,
                _ if data.op.writes().is_some() || data.op.has_site() => return None,
                _ => {}
            }
        }
        None
    }
}

/// Where a slot is in tables with `cap` inline slots.
pub(super) fn place(slot: u16, cap: u8) -> SlotLoc {
    match slot.checked_sub(u16::from(cap)) {
        Some(out) => SlotLoc::Out(out),
        None => SlotLoc::Inline { index: slot, cap },
    }
}
