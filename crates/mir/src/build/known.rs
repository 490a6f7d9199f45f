//! Values that are known without a test: facts of the snapshot's
//! [`World`](vela_profiler::world::World), each with its lattice cell watched.

use super::{Builder, only_tag};
use crate::ir::{Op, PoolEntry, SlotLoc, Ty, Val, Watch};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::shape::{FieldKind, META};
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::FieldSnapshot;
use vela_profiler::world::{KnownField, KnownTable};

impl Builder<'_> {
    /// The code relies on the cell's level.
    pub(super) fn watch(&mut self, field: &FieldSnapshot) {
        let w = Watch {
            field: field.addr,
            id: field.id,
            level: field.kind.0,
        };
        if !self.func.watches.contains(&w) {
            self.func.watches.push(w);
        }
    }

    /// As `watch`, if the cell says anything at all.
    pub(super) fn watch_level(&mut self, field: &FieldSnapshot) {
        if field.kind == FieldKind::CONST || field.kind.tag().is_some() {
            self.watch(field);
        }
    }

    /// A Lua value known by its bits; `None` for what has no type.
    pub(super) fn fixed(&mut self, (tag, payload): (Tag, u64)) -> Option<Val> {
        Some(match tag {
            Tag::INT => self.int(payload as i64),
            Tag::FLOAT => self.emit(Op::Float(payload), &[], Ty::Float),
            Tag::BOOL => self.emit(Op::Bool(payload != 0), &[], Ty::Bool),
            Tag::STR | Tag::TABLE | Tag::LUA_FN | Tag::NATIVE_FN | Tag::USERDATA => {
                let ty = Ty::from_tag(tag)?;
                self.literal(PoolEntry::Object(payload, tag), ty)
            }
            _ => return None,
        })
    }

    /// The object that a literal is.
    pub(super) fn object_of(&self, v: Val) -> Option<(u64, Tag)> {
        match self.func.def_op(v) {
            Some(Op::Literal(p)) => match self.func.pool[p.index()] {
                PoolEntry::Object(addr, tag) => Some((addr, tag)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The closure that runs in the current frame.
    pub(super) fn closure(&mut self) -> Val {
        if let Some(i) = &self.inlined {
            return i.caller.closure;
        }
        let instances = &self.input.snapshot.instances;
        let known = self.may_watch() && instances.kind == FieldKind::CONST;
        match known.then_some(instances.constant) {
            Some((tag, addr)) => {
                self.watch(instances);
                self.literal(PoolEntry::Object(addr, tag), Ty::LuaFn)
            }
            None => self.emit(Op::SelfClosure, &[], Ty::LuaFn),
        }
    }

    /// The value of upvalue `n` of the running closure.
    pub(super) fn upvalue(&mut self, n: u8) -> Val {
        let closure = self.closure();
        if let Some(v) = self.known_upvalue(closure, n) {
            return v;
        }
        let cell = self.emit(Op::Upval(n), &[closure], Ty::Cell);
        self.emit(Op::LoadCell, &[cell], Ty::Any)
    }

    fn known_upvalue(&mut self, closure: Val, n: u8) -> Option<Val> {
        if !self.may_watch() {
            return None;
        }
        let world = &self.input.snapshot.world;
        let (addr, _) = self.object_of(closure)?;
        let content = world
            .closures
            .get(&addr)?
            .upvals
            .get(n as usize)
            .copied()??;
        let v = self.fixed(content)?;
        if let Some(stay) = &world.upvals_stay {
            self.watch(stay);
        }
        Some(v)
    }

    /// A table whose shape can be relied on, and its field with the constant
    /// key `k`.
    fn known_place(&self, table: Val, k: u16) -> Option<(&KnownTable, KnownField)> {
        if !self.may_watch() {
            return None;
        }
        let (addr, _) = self.object_of(table)?;
        let known = self.input.snapshot.world.tables.get(&addr)?;
        let key = self.snapshot.strings.get(k as usize)?;
        Some((known, *known.fields.get(key)?))
    }

    fn loc(known: &KnownTable, slot: u16) -> SlotLoc {
        let cap = known.shape.inline_cap;
        match slot.checked_sub(u16::from(cap)) {
            None => SlotLoc::Inline { index: slot, cap },
            Some(out) => SlotLoc::Out(out),
        }
    }

    /// Reads the field of a known table; `None` if it is not known.
    pub(super) fn known_field(&mut self, table: Val, k: u16, site: &SiteSnapshot) -> Option<Val> {
        if let Some(v) = self.inherited_field(table, k, site) {
            return Some(v);
        }
        if let Some(lacks) = self.known_to_lack(table, k) {
            self.watch(&lacks);
            return Some(self.nil());
        }
        let (known, place) = self.known_place(table, k)?;
        let (stays, loc) = (known.stays, Self::loc(known, place.slot));
        let nil_is_final = known.shape.no_metatable;
        if place.field.kind == FieldKind::CONST
            && let Some(v) = self.fixed(place.field.constant)
        {
            self.watch(&stays);
            self.watch(&place.field);
            return Some(v);
        }
        if let Some(ty) = place.field.kind.tag().and_then(Ty::from_tag) {
            self.watch(&stays);
            self.watch(&place.field);
            return Some(self.emit(Op::LoadSlot(loc), &[table], ty));
        }
        if !self.may_speculate(site, DeoptReason::Type) {
            return None;
        }
        let tag = only_tag(site.result).filter(|&t| t != Tag::NIL);
        if tag.is_none() && !nil_is_final {
            return None;
        }
        self.watch(&stays);
        let v = self.emit(Op::LoadSlot(loc), &[table], Ty::Any);
        Some(match tag {
            Some(tag) => self.guard_tag(v, tag),
            None => v,
        })
    }

    /// What to watch if the table is one that lacks the field.
    fn known_to_lack(&self, table: Val, k: u16) -> Option<FieldSnapshot> {
        if !self.may_watch() {
            return None;
        }
        let (addr, _) = self.object_of(table)?;
        let known = self.input.snapshot.world.tables.get(&addr)?;
        let key = self.snapshot.strings.get(k as usize)?;
        known.lacks.filter(|_| !known.fields.contains_key(key))
    }

    /// Reads a field that a known class inherits.
    fn inherited_field(&mut self, table: Val, k: u16, site: &SiteSnapshot) -> Option<Val> {
        if !self.may_watch() || !self.may_speculate(site, DeoptReason::Invalidated) {
            return None;
        }
        let (addr, _) = self.object_of(table)?;
        let known = self.input.snapshot.world.tables.get(&addr)?;
        let key = self.snapshot.strings.get(k as usize)?;
        let inherited = *known.inherited.get(key)?;
        let stays = known.stays;
        let v = self.fixed(inherited.field.constant)?;
        self.check_epoch(None);
        self.watch(&stays);
        self.watch(&inherited.stays);
        self.watch(&inherited.field);
        Some(v)
    }

    /// Stores to the field of a known table; false if that needs a test.
    pub(super) fn set_known_field(
        &mut self,
        table: Val,
        k: u16,
        v: Val,
        site: &SiteSnapshot,
    ) -> bool {
        let Some((known, place)) = self.known_place(table, k) else {
            return false;
        };
        let (stays, loc) = (known.stays, Self::loc(known, place.slot));
        let constant = self.object_of(v).map(|(addr, tag)| (tag, addr));
        if place.field.kind == FieldKind::CONST && constant == Some(place.field.constant) {
            // It is there already.
            self.watch(&stays);
            self.watch(&place.field);
            return true;
        }
        let plain = known.shape.flags & META == 0 && known.shape.no_metatable;
        let kind = place.field.kind;
        let fits = kind == FieldKind::ANY
            || kind.tag().is_some_and(|t| {
                self.ty(v).tag() == Some(t)
                    || self.ty(v) == Ty::Any && self.may_speculate(site, DeoptReason::Type)
            });
        if !plain || !fits {
            return false;
        }
        let v = match kind.tag() {
            Some(tag) => self.guard_tag(v, tag),
            None => v,
        };
        self.watch(&stays);
        self.push(Op::StoreSlot(loc, true), &[table, v], Ty::None);
        true
    }
}
