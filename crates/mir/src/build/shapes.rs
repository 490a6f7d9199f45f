//! Accesses of objects of one to several shapes: the tests, and one access for
//! all shapes in which it is the same.
//!
//! Where all that a site saw can be tested for, other shapes leave the code
//! (strict); behind the access the object is known to have one of the shapes,
//! and the next access of the same object needs no test. Where an exit
//! happened before, what no test covers is looked up.

use super::Builder;
use super::frame::Slow;
use crate::ir::{Block, Op, PoolEntry, Ty, Val};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::feedback::{CacheState, WayKind};
use vela_objects::shape::FieldKind;
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::{ShapeSnapshot, WaySnapshot};

/// A way of a site with the shape it is for.
pub(super) struct Case {
    pub shape: ShapeSnapshot,
    pub way: WaySnapshot,
}

impl Case {
    /// What the cell of the field says: its level, and the constant if it is
    /// one.
    fn level(&self) -> Option<(FieldKind, Option<(Tag, u64)>)> {
        let field = self.way.field?;
        let constant = (field.kind == FieldKind::CONST).then_some(field.constant);
        Some((field.kind, constant))
    }

    /// Whether the field of the other case is where this one's is, in a table
    /// of the same capacity.
    fn same_place(&self, other: &Case) -> bool {
        self.way.kind == other.way.kind
            && self.way.slot == other.way.slot
            && self.shape.inline_cap == other.shape.inline_cap
            && self.way.holder == other.way.holder
            && self.shape.no_metatable == other.shape.no_metatable
    }
}

/// Whether an access is the same in both cases.
type Same = fn(&Case, &Case) -> bool;

/// Whether compiled code can read this way.
pub(super) fn readable(way: &WaySnapshot, _: &ShapeSnapshot) -> bool {
    match way.kind {
        WayKind::Own | WayKind::OwnOut | WayKind::Absent => true,
        WayKind::Lacking => way.nil_is_final,
        WayKind::Holder | WayKind::HolderOut => way.holder.is_some(),
        _ => false,
    }
}

/// Whether both cases read in the same way, their cells aside, which must be
/// watched.
pub(super) fn same_read(a: &Case, b: &Case) -> bool {
    if matches!(a.way.kind, WayKind::Absent | WayKind::Lacking) {
        return b.way.kind == a.way.kind;
    }
    let inherited = matches!(a.way.kind, WayKind::Holder | WayKind::HolderOut);
    let place = match inherited {
        true => {
            a.way.kind == b.way.kind && a.way.slot == b.way.slot && a.way.holder == b.way.holder
        }
        false => a.same_place(b),
    };
    place && a.level() == b.level() && a.way.nil_is_final == b.way.nil_is_final
}

/// Whether both cases store in the same way.
pub(super) fn same_write(a: &Case, b: &Case) -> bool {
    let tag = |c: &Case| c.way.field.and_then(|f| f.kind.tag());
    // What is there already may differ.
    let stores = a.way.kind != WayKind::Same;
    stores && a.same_place(b) && a.way.next == b.way.next && tag(a) == tag(b)
}

/// Sorts the cases into groups of which each is one access.
fn grouped(cases: &[Case], same: Same) -> Vec<Vec<&Case>> {
    let mut groups: Vec<Vec<&Case>> = Vec::new();
    for case in cases {
        match groups.iter_mut().find(|g| same(g[0], case)) {
            Some(group) => group.push(case),
            None => groups.push(vec![case]),
        }
    }
    groups
}

impl Builder<'_> {
    /// The table has this shape, or the code leaves.
    pub(super) fn guard_shape(&mut self, table: Val, shape: u64) {
        let shape = self.literal(PoolEntry::Shape(shape), Ty::Ptr);
        let s = self.state();
        let g = self.push(Op::GuardShape, &[table, shape], Ty::None);
        self.attach(g, s, DeoptReason::Shape);
    }

    /// Whether the table has one of the shapes.
    pub(super) fn has_shape_of<'c>(
        &mut self,
        table: Val,
        cases: impl IntoIterator<Item = &'c Case>,
    ) -> Val {
        let mut args = vec![table];
        for case in cases {
            args.push(self.literal(PoolEntry::Shape(case.shape.addr), Ty::Ptr));
        }
        self.emit(Op::ShapeIn, &args, Ty::Bool)
    }

    /// The table has one of the shapes, or the code leaves.
    pub(super) fn guard_shapes<'c>(
        &mut self,
        table: Val,
        cases: impl IntoIterator<Item = &'c Case>,
    ) {
        let cases: Vec<&Case> = cases.into_iter().collect();
        if let [case] = cases[..] {
            self.guard_shape(table, case.shape.addr);
            return;
        }
        let is = self.has_shape_of(table, cases);
        self.guard(is, DeoptReason::Shape);
    }

    /// The cases that compiled code tests for, if it can handle all that the
    /// site saw; none if a lookup is to decide.
    pub(super) fn cases(
        &self,
        site: &SiteSnapshot,
        handled: impl Fn(&WaySnapshot, &ShapeSnapshot) -> bool,
    ) -> Vec<Case> {
        if !self.speculate() || site.state == CacheState::Mega {
            return Vec::new();
        }
        let case = |way: &WaySnapshot| {
            let shape = way.shape?;
            handled(way, &shape).then(|| Case {
                shape,
                way: way.clone(),
            })
        };
        let all: Option<Vec<Case>> = site.ways.iter().map(case).collect();
        all.unwrap_or_default()
    }

    /// Accesses a field of `object` by shape. `access` does it in a proven
    /// case, of those that are the `same` once for all; `lookup` where no case
    /// applies, and says whether it succeeded. What then remains runs through
    /// the interpreter, behind the result's `Slow`.
    pub(super) fn by_shape(
        &mut self,
        object: Val,
        site: &SiteSnapshot,
        (cases, same): (&[Case], Same),
        mut access: impl FnMut(&mut Self, Val, &Case, Option<&mut Slow>) -> Option<Val>,
        lookup: impl FnOnce(&mut Self, Val) -> (Option<Val>, Val),
    ) -> (Option<Slow>, Option<Val>) {
        let groups = grouped(cases, same);
        let mut access = |b: &mut Self, table, group: &[&Case], slow: Option<&mut Slow>| {
            let v = access(b, table, group[0], slow);
            if v.is_some() {
                for field in group[1..].iter().filter_map(|c| c.way.field) {
                    b.watch_level(&field);
                }
            }
            v
        };
        let strict = !groups.is_empty()
            && self.may_speculate(site, DeoptReason::Shape)
            && self.may_speculate(site, DeoptReason::Type);
        if strict {
            let table = self.guard_tag(object, Tag::TABLE);
            let v = match &groups[..] {
                [group] => {
                    self.guard_shapes(table, group.iter().copied());
                    access(self, table, group, None)
                }
                _ => self.by_group(table, &groups, access),
            };
            return (None, v);
        }
        let mut slow = self.begin_slow();
        let table = self.unbox_or_slow(&mut slow, object, Tag::TABLE);
        let done = self.func.add_block();
        let mut gives = false;
        if let Some((last, rest)) = groups.split_last() {
            let mut miss = self.begin_slow();
            for group in rest {
                let is = self.has_shape_of(table, group.iter().copied());
                let (hit, next) = (self.func.add_block(), self.func.add_block());
                self.branch(is, Self::plain(hit), Self::plain(next));
                self.cur = Some(hit);
                let v = access(self, table, group, Some(&mut miss));
                gives |= self.jump_boxed(done, v);
                self.cur = Some(next);
            }
            let is = self.has_shape_of(table, last.iter().copied());
            self.or_slow(&mut miss, is);
            let v = access(self, table, last, Some(&mut miss));
            gives |= self.jump_boxed(done, v);
            self.cur = Some(miss.block);
        }
        let (v, found) = lookup(self, table);
        self.or_slow(&mut slow, found);
        gives |= self.jump_boxed(done, v);
        self.cur = Some(done);
        let v = gives.then(|| self.func.add_param(done, Ty::Any));
        (Some(slow), v)
    }

    /// Tests for one group of shapes after the other; what has none of them
    /// leaves the code. The result has a type if it has the same in all groups.
    fn by_group(
        &mut self,
        table: Val,
        groups: &[Vec<&Case>],
        mut access: impl FnMut(&mut Self, Val, &[&Case], Option<&mut Slow>) -> Option<Val>,
    ) -> Option<Val> {
        let before = (self.values.clone(), self.window.clone());
        let mut ends: Vec<(Block, Option<Val>)> = Vec::new();
        for (n, group) in groups.iter().enumerate() {
            let mut next = None;
            if n + 1 == groups.len() {
                self.guard_shapes(table, group.iter().copied());
            } else {
                let is = self.has_shape_of(table, group.iter().copied());
                let (hit, miss) = (self.func.add_block(), self.func.add_block());
                self.branch(is, Self::plain(hit), Self::plain(miss));
                self.cur = Some(hit);
                next = Some(miss);
            }
            let v = access(self, table, group, None);
            ends.extend(self.cur.map(|end| (end, v)));
            self.values.clone_from(&before.0);
            self.window.clone_from(&before.1);
            self.state = None;
            self.cur = next;
        }
        let first = ends.first().and_then(|e| e.1).map(|v| self.ty(v));
        let ty = first.map(|ty| {
            let same = ends.iter().all(|e| e.1.is_some_and(|v| self.ty(v) == ty));
            if same { ty } else { Ty::Any }
        });
        let done = self.func.add_block();
        for (end, v) in ends {
            self.cur = Some(end);
            match v {
                Some(v) => {
                    let v = if ty == Some(Ty::Any) {
                        self.boxed(v)
                    } else {
                        v
                    };
                    self.jump_with(done, &[v]);
                }
                None => self.jump_with(done, &[]),
            }
        }
        self.cur = Some(done);
        ty.map(|ty| self.func.add_param(done, ty))
    }

    /// Jumps with the value, if there is one, boxed; whether there is one.
    fn jump_boxed(&mut self, to: Block, v: Option<Val>) -> bool {
        match v {
            Some(v) => {
                let v = self.boxed(v);
                self.jump_with(to, &[v]);
            }
            None => self.jump_with(to, &[]),
        }
        v.is_some()
    }
}
