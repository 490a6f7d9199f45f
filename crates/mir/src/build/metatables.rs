//! Calls of `setmetatable` become stores of a shape.
//!
//! A metatable that many tables share is part of their shape. One that is made
//! for the table and only says what `__index` is, the class, is kept in a slot
//! that no program sees; the shape then names the class. The class is usually
//! known: a constant that the constructor stored into the metatable.

use super::Builder;
use crate::exits::unboxed;
use crate::ir::{Block, Op, PoolEntry, SlotLoc, Ty, Val};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_profiler::SiteSnapshot;
use vela_profiler::metatables::{ClassSnapshot, MetaTransition, OwnMetatable};
use vela_profiler::snapshot::TargetSnapshot;

/// A call of `setmetatable`.
struct Call {
    object: Val,
    metatable: Val,
}

impl Builder<'_> {
    /// A call of `setmetatable` at `a` that did the same before. False if it
    /// has to be a call.
    pub(super) fn set_metatable(
        &mut self,
        a: u8,
        nargs: usize,
        want: usize,
        target: &TargetSnapshot,
        site: &SiteSnapshot,
    ) -> bool {
        let Some(transition) = &target.transition else {
            return false;
        };
        let callee = self.read(a);
        let call = Call {
            object: self.read(a + 2),
            metatable: self.read(a + 3),
        };
        let possible = nargs == 2
            && matches!(self.ty(call.object), Ty::Any | Ty::Table)
            && matches!(self.ty(call.metatable), Ty::Any | Ty::Table)
            && self.may_speculate(site, DeoptReason::Shape)
            && self.may_speculate(site, DeoptReason::Type);
        let class = self.stored_first(call.metatable);
        let known = match transition {
            MetaTransition::Shared { .. } => true,
            MetaTransition::Own(own) => self.has_classes(own, class),
        };
        if !possible || !known || self.guard_native(callee, target).is_none() {
            return false;
        }
        let table = match transition {
            &MetaTransition::Shared {
                from,
                metatable,
                to,
            } => {
                let table = self.guard_tag(call.object, Tag::TABLE);
                self.guard_shape(table, from);
                self.is_object(call.metatable, metatable);
                // The metatable has no `__gc` or `__mode`, nor got one since.
                self.check_epoch(None);
                let to = self.literal(PoolEntry::Shape(to), Ty::Ptr);
                self.push(Op::SetShape, &[table, to], Ty::None);
                table
            }
            MetaTransition::Own(own) => self.set_own_metatable(&call, own, class),
        };
        self.forget_from(a);
        for k in 0..want as u8 {
            let v = if k == 0 { table } else { self.nil() };
            self.write(a + k, v);
        }
        true
    }

    /// Gives the object a metatable that is its own; the object, as a table.
    fn set_own_metatable(&mut self, call: &Call, own: &OwnMetatable, class: Option<Val>) -> Val {
        let table = self.guard_tag(call.object, Tag::TABLE);
        self.guard_shape(table, own.from);
        let metatable = self.guard_tag(call.metatable, Tag::TABLE);
        self.guard_shape(metatable, own.plain);
        let class = class.unwrap_or_else(|| {
            let loc = place(0, own.plain_cap);
            self.emit(Op::LoadSlot(loc), &[metatable], Ty::Any)
        });
        // Shapes name the class as long as no metatable of its objects changes.
        self.check_epoch(None);
        let to = self.shape_of_class(class, &own.classes);
        if let Some(marked) = own.marked {
            let marked = self.literal(PoolEntry::Shape(marked), Ty::Ptr);
            self.push(Op::SetShape, &[metatable, marked], Ty::None);
        }
        let loc = place(own.slot, own.inline_cap);
        if own.adds && matches!(loc, SlotLoc::Out(_)) {
            let any = self.boxed(metatable);
            self.push(Op::AddSlot, &[table, to, any], Ty::None);
        } else {
            self.push(Op::StoreSlot(loc, true), &[table, metatable], Ty::None);
            self.push(Op::SetShape, &[table, to], Ty::None);
        }
        table
    }

    /// Whether code can tell the shapes of the site's objects, and may store
    /// their metatables. `class` is what `__index` is, as far as that is known.
    fn has_classes(&self, own: &OwnMetatable, class: Option<Val>) -> bool {
        let fits = |c: &ClassSnapshot| match c.field.kind.tag() {
            Some(tag) => tag == Tag::TABLE,
            None => c.field.kind == vela_objects::shape::FieldKind::ANY,
        };
        let is_there = match class.and_then(|v| self.object_of(v)) {
            Some((addr, _)) => own.classes.iter().any(|c| c.class == addr),
            None => !own.more,
        };
        let possible = class.is_none_or(|v| matches!(self.ty(v), Ty::Any | Ty::Table));
        possible && is_there && own.classes.iter().all(fits)
    }

    /// The shape of the objects of `class`, which is one of the classes, or
    /// the code leaves.
    fn shape_of_class(&mut self, class: Val, classes: &[ClassSnapshot]) -> Val {
        if let Some((addr, _)) = self.object_of(class)
            && let Some(c) = classes.iter().find(|c| c.class == addr)
        {
            return self.literal(PoolEntry::Shape(c.shape), Ty::Ptr);
        }
        let class = self.guard_tag(class, Tag::TABLE);
        let Some((last, rest)) = classes.split_last() else {
            unreachable!("a call that was noted has a class");
        };
        let mut ends: Vec<(Block, Val)> = Vec::new();
        for c in rest {
            let same = self.same_table(class, c.class);
            let (hit, next) = (self.func.add_block(), self.func.add_block());
            self.branch(same, Self::plain(hit), Self::plain(next));
            self.cur = Some(hit);
            let shape = self.literal(PoolEntry::Shape(c.shape), Ty::Ptr);
            ends.push((hit, shape));
            self.cur = Some(next);
        }
        self.is_object(class, last.class);
        let shape = self.literal(PoolEntry::Shape(last.shape), Ty::Ptr);
        if ends.is_empty() {
            return shape;
        }
        let done = self.func.add_block();
        self.jump_with(done, &[shape]);
        for (block, shape) in ends {
            self.cur = Some(block);
            self.jump_with(done, &[shape]);
        }
        self.cur = Some(done);
        self.func.add_param(done, Ty::Ptr)
    }

    /// The value is this table, or the code leaves.
    fn is_object(&mut self, v: Val, addr: u64) {
        let table = self.guard_tag(v, Tag::TABLE);
        if self.object_of(table) != Some((addr, Tag::TABLE)) {
            let same = self.same_table(table, addr);
            self.guard(same, DeoptReason::Shape);
        }
    }

    fn same_table(&mut self, table: Val, addr: u64) -> Val {
        let known = self.literal(PoolEntry::Object(addr, Tag::TABLE), Ty::Table);
        self.emit(Op::SameObject, &[table, known], Ty::Bool)
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

fn place(slot: u16, cap: u8) -> SlotLoc {
    match slot.checked_sub(u16::from(cap)) {
        Some(out) => SlotLoc::Out(out),
        None => SlotLoc::Inline { index: slot, cap },
    }
}
