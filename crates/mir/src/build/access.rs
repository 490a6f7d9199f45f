//! Cells, fields, globals, methods and elements under shape feedback.

use super::{Builder, only_tag};
use crate::ir::{Block, Cond, IntOp, Op, PoolEntry, SlotLoc, Ty, Val, Watch};
use vela_bytecode::{Instr, Op as B};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::feedback::{WayKind, index};
use vela_objects::shape::{FieldKind, META};
use vela_objects::table::ELEMS_MIXED;
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::{FieldSnapshot, ShapeSnapshot, WaySnapshot};

impl Builder<'_> {
    // ---- cells -------------------------------------------------------

    pub(super) fn cell_op(&mut self, op: B, i: Instr) {
        let a = i.a();
        match op {
            B::NewCell => {
                let v = self.read(i.b() as u8);
                let c = self.emit(Op::NewCell, &[v], Ty::Cell);
                self.write(a, c);
            }
            B::GetCell => {
                let c = self.read(i.b() as u8);
                let c = self.as_cell(c);
                let v = self.emit(Op::LoadCell, &[c], Ty::Any);
                self.write(a, v);
            }
            B::SetCell => {
                let c = self.read(a);
                let c = self.as_cell(c);
                let v = self.read(i.b() as u8);
                self.push(Op::StoreCell, &[c, v], Ty::None);
            }
            B::GetUpval => {
                let c = self.upval(i.b() as u8);
                let v = self.emit(Op::LoadCell, &[c], Ty::Any);
                self.write(a, v);
            }
            _ => {
                let c = self.upval(i.b() as u8);
                let v = self.read(a);
                self.push(Op::StoreCell, &[c, v], Ty::None);
            }
        }
    }

    fn upval(&mut self, n: u8) -> Val {
        let f = self.emit(Op::SelfClosure, &[], Ty::LuaFn);
        self.emit(Op::Upval(n), &[f], Ty::Cell)
    }

    // ---- fields ------------------------------------------------------

    /// The object operand of a field access.
    fn receiver(&mut self, op: B, i: Instr) -> Val {
        match op {
            B::GetTabUp | B::SetTabUp => {
                let c = self.upval(i.b() as u8);
                self.emit(Op::LoadCell, &[c], Ty::Any)
            }
            B::SetField => self.read(i.a()),
            _ => self.read(i.b() as u8),
        }
    }

    pub(super) fn get_field(&mut self, op: B, i: Instr) {
        let site = self.site(i.d());
        let a = i.a();
        let object = self.receiver(op, i);
        if site.ways.is_empty()
            && site.count == 0
            && site.result == 0
            && self.may_speculate(&site, DeoptReason::Unreached)
        {
            self.exit(DeoptReason::Unreached);
            return;
        }
        let usable = self.speculate()
            && !site.ways.is_empty()
            && site.state != vela_objects::feedback::CacheState::Mega
            && matches!(self.ty(object), Ty::Any | Ty::Table)
            && site.ways.iter().all(readable);
        if !usable {
            self.interp_one();
            return;
        }
        let strict = site.ways.len() == 1
            && self.may_speculate(&site, DeoptReason::Shape)
            && self.may_speculate(&site, DeoptReason::Type);
        let result = if strict {
            let table = self.guard_tag(object, Tag::TABLE);
            let way = &site.ways[0];
            let shape = way.shape.unwrap_or_else(unreachable_shape);
            let lit = self.literal(PoolEntry::Shape(shape.addr), Ty::Ptr);
            let s = self.state();
            let g = self.push(Op::GuardShape, &[table, lit], Ty::None);
            self.attach(g, s, DeoptReason::Shape);
            let v = self.read_way(table, way, &shape, &site, None);
            if op == B::SelfGet {
                let object = self.receiver_again(op, i, object);
                self.write(a + 2, object);
            }
            self.write(a, v);
            return;
        } else {
            self.read_tested(object, &site)
        };
        let (slow, v) = result;
        if op == B::SelfGet {
            // Both results come from the window on the slow path.
            self.join_self(slow, a, v, object);
        } else {
            self.join_slow(slow, Some((a, v)));
        }
    }

    /// The receiver as registers have it now (perhaps refined).
    fn receiver_again(&mut self, op: B, i: Instr, object: Val) -> Val {
        if op == B::SelfGet {
            self.read(i.b() as u8)
        } else {
            object
        }
    }

    /// Ends the diamond of a method lookup: the method in `a`, the receiver in
    /// `a + 2`.
    fn join_self(&mut self, slow: super::frame::Slow, a: u8, method: Val, object: Val) {
        self.join_slow(slow, Some((a, method)));
        self.write(a + 2, object);
        self.window[a as usize + 2] = None;
    }

    /// Tests the receiver's shape against each way; the value read on the fast
    /// path, boxed.
    fn read_tested(&mut self, object: Val, site: &SiteSnapshot) -> (super::frame::Slow, Val) {
        let mut slow = self.begin_slow();
        let table = self.unbox_or_slow(&mut slow, object, Tag::TABLE);
        let shape = self.emit(Op::LoadShape, &[table], Ty::Ptr);
        let done = self.func.add_block();
        let n = site.ways.len();
        for (k, way) in site.ways.iter().enumerate() {
            let snap = way.shape.unwrap_or_else(unreachable_shape);
            let lit = self.literal(PoolEntry::Shape(snap.addr), Ty::Ptr);
            let is = self.emit(Op::SameObject, &[shape, lit], Ty::Bool);
            if k + 1 == n {
                self.or_slow(&mut slow, is);
                let v = self.read_way(table, way, &snap, site, Some(&mut slow));
                let v = self.boxed(v);
                self.jump_with(done, &[v]);
            } else {
                let (hit, miss) = (self.func.add_block(), self.func.add_block());
                self.branch(is, Self::plain(hit), Self::plain(miss));
                self.cur = Some(hit);
                let v = self.read_way(table, way, &snap, site, Some(&mut slow));
                let v = self.boxed(v);
                self.jump_with(done, &[v]);
                self.cur = Some(miss);
            }
        }
        self.cur = Some(done);
        let v = self.func.add_param(done, Ty::Any);
        (slow, v)
    }

    /// Reads a field under a proven shape. Failed checks exit, or leave to
    /// `slow` if given.
    fn read_way(
        &mut self,
        table: Val,
        way: &WaySnapshot,
        shape: &ShapeSnapshot,
        site: &SiteSnapshot,
        mut slow: Option<&mut super::frame::Slow>,
    ) -> Val {
        if way.kind == WayKind::Absent {
            return self.nil();
        }
        let own = matches!(way.kind, WayKind::Own | WayKind::OwnOut);
        let (table, cap) = if own {
            (table, shape.inline_cap)
        } else {
            self.check_epoch(slow.as_deref_mut());
            let (addr, holder) = way.holder.unwrap_or((0, *shape));
            // Fields of a holder move when it changes shape; then the epoch
            // changed as well, because holders are metatable-like.
            let t = self.literal(PoolEntry::Object(addr, Tag::TABLE), Ty::Table);
            (t, holder.inline_cap)
        };
        let loc = match way.kind {
            WayKind::Own | WayKind::Holder => SlotLoc::Inline {
                index: way.slot,
                cap,
            },
            _ => SlotLoc::Out(way.slot),
        };
        if let Some(v) = self.constant_field(way.field.as_ref()) {
            return v;
        }
        if let Some(tag) = way.field.and_then(|f| f.kind.tag())
            && let (Some(ty), Some(field)) = (Ty::from_tag(tag), way.field)
        {
            self.watch(&field);
            return self.emit(Op::LoadSlot(loc), &[table], ty);
        }
        let v = self.emit(Op::LoadSlot(loc), &[table], Ty::Any);
        let nil_is_final = own && way.nil_is_final;
        if slow.is_none()
            && let Some(tag) = only_tag(site.result).filter(|&t| t != Tag::NIL)
        {
            return self.guard_tag(v, tag);
        }
        if !nil_is_final {
            let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
            let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
            match slow {
                Some(slow) => self.or_slow(slow, present),
                None => self.guard(present, DeoptReason::Type),
            }
        } else if !shape.no_metatable {
            self.check_epoch(slow);
        }
        v
    }

    /// The value of a field that never changed, as a constant of the code.
    fn constant_field(&mut self, field: Option<&FieldSnapshot>) -> Option<Val> {
        let field = field.filter(|f| f.kind == FieldKind::CONST)?;
        let (tag, payload) = field.constant;
        let v = match tag {
            Tag::INT => self.int(payload as i64),
            Tag::FLOAT => self.emit(Op::Float(payload), &[], Ty::Float),
            Tag::BOOL => self.emit(Op::Bool(payload != 0), &[], Ty::Bool),
            Tag::STR | Tag::TABLE | Tag::LUA_FN | Tag::NATIVE_FN | Tag::USERDATA => {
                let ty = Ty::from_tag(tag)?;
                self.literal(PoolEntry::Object(payload, tag), ty)
            }
            _ => return None,
        };
        self.watch(field);
        Some(v)
    }

    fn watch(&mut self, field: &FieldSnapshot) {
        let w = Watch {
            field: field.addr,
            id: field.id,
            level: field.kind.0,
        };
        if !self.func.watches.contains(&w) {
            self.func.watches.push(w);
        }
    }

    /// Checks that no metatable structure changed since the snapshot.
    fn check_epoch(&mut self, slow: Option<&mut super::frame::Slow>) {
        let now = self.emit(Op::MetaEpoch, &[], Ty::Int);
        let then = self.int(i64::from(self.input.snapshot.meta_epoch));
        let same = self.emit(Op::IntCmp(Cond::Eq), &[now, then], Ty::Bool);
        match slow {
            Some(slow) => self.or_slow(slow, same),
            None => self.guard(same, DeoptReason::Invalidated),
        }
    }

    pub(super) fn set_field(&mut self, op: B, i: Instr) {
        let site = self.site(i.d());
        let object = self.receiver(op, i);
        let v = if op == B::SetTabUp {
            self.read(i.a())
        } else {
            self.read_rk(i.c())
        };
        if site.ways.is_empty()
            && site.count == 0
            && self.may_speculate(&site, DeoptReason::Unreached)
        {
            self.exit(DeoptReason::Unreached);
            return;
        }
        let usable = self.speculate()
            && !site.ways.is_empty()
            && site.state != vela_objects::feedback::CacheState::Mega
            && matches!(self.ty(object), Ty::Any | Ty::Table)
            && site.ways.iter().all(|w| self.writable(w, v));
        if !usable {
            self.interp_one();
            return;
        }
        let strict = site.ways.len() == 1
            && self.may_speculate(&site, DeoptReason::Shape)
            && self.may_speculate(&site, DeoptReason::Type);
        if strict {
            let table = self.guard_tag(object, Tag::TABLE);
            let way = &site.ways[0];
            let shape = way.shape.unwrap_or_else(unreachable_shape);
            let lit = self.literal(PoolEntry::Shape(shape.addr), Ty::Ptr);
            let s = self.state();
            let g = self.push(Op::GuardShape, &[table, lit], Ty::None);
            self.attach(g, s, DeoptReason::Shape);
            self.write_way(table, way, &shape, v, None);
            return;
        }
        let mut slow = self.begin_slow();
        let table = self.unbox_or_slow(&mut slow, object, Tag::TABLE);
        let shape = self.emit(Op::LoadShape, &[table], Ty::Ptr);
        let done = self.func.add_block();
        let n = site.ways.len();
        for (k, way) in site.ways.iter().enumerate() {
            let snap = way.shape.unwrap_or_else(unreachable_shape);
            let lit = self.literal(PoolEntry::Shape(snap.addr), Ty::Ptr);
            let is = self.emit(Op::SameObject, &[shape, lit], Ty::Bool);
            let miss: Option<Block> = if k + 1 == n {
                self.or_slow(&mut slow, is);
                None
            } else {
                let (hit, miss) = (self.func.add_block(), self.func.add_block());
                self.branch(is, Self::plain(hit), Self::plain(miss));
                self.cur = Some(hit);
                Some(miss)
            };
            self.write_way(table, way, &snap, v, Some(&mut slow));
            self.jump_with(done, &[]);
            self.cur = miss;
        }
        self.cur = Some(done);
        self.join_slow(slow, None);
    }

    /// Whether compiled code can store `v` this way.
    fn writable(&self, way: &WaySnapshot, v: Val) -> bool {
        let Some(shape) = way.shape else { return false };
        let Some(field) = way.field else { return false };
        let fits = field.kind == FieldKind::ANY
            || field
                .kind
                .tag()
                .is_some_and(|t| self.ty(v) == Ty::Any || self.ty(v).tag() == Some(t));
        let plain = shape.flags & META == 0 && (shape.no_metatable || shape.no_newindex);
        let adds = matches!(way.kind, WayKind::Add | WayKind::AddOut) && way.next.is_some();
        let own = matches!(way.kind, WayKind::Own | WayKind::OwnOut);
        // The lattice's first store is the interpreter's.
        fits && plain && (own || adds)
    }

    fn write_way(
        &mut self,
        table: Val,
        way: &WaySnapshot,
        shape: &ShapeSnapshot,
        v: Val,
        mut slow: Option<&mut super::frame::Slow>,
    ) {
        let Some(field) = way.field else { return };
        let mut v = v;
        if let Some(tag) = field.kind.tag() {
            v = match slow.as_deref_mut() {
                Some(slow) => self.unbox_or_slow(slow, v, tag),
                None => self.guard_tag(v, tag),
            };
        }
        if !shape.no_metatable {
            // No `__newindex` as long as the metatables stay as they are.
            self.check_epoch(slow);
        }
        if matches!(way.kind, WayKind::Add | WayKind::AddOut) {
            let any = self.boxed(v);
            let next = way.next.map_or(0, |n| n.addr);
            let lit = self.literal(PoolEntry::Shape(next), Ty::Ptr);
            self.push(Op::AddSlot, &[table, lit, any], Ty::None);
            return;
        }
        let loc = match way.kind {
            WayKind::Own => SlotLoc::Inline {
                index: way.slot,
                cap: shape.inline_cap,
            },
            _ => SlotLoc::Out(way.slot),
        };
        self.push(Op::StoreSlot(loc, true), &[table, v], Ty::None);
    }

    // ---- elements ----------------------------------------------------

    /// The 0-based element index of a key of type `Int`.
    fn zero_based(&mut self, key: Val) -> Val {
        if let Some(Op::Int(n)) = self.func.def_op(key) {
            let n = n.wrapping_sub(1);
            return self.int(n);
        }
        let one = self.int(1);
        self.emit(Op::IntOp(IntOp::Sub), &[key, one], Ty::Int)
    }

    fn index_key(&mut self, op: B, i: Instr) -> Val {
        match op {
            B::GetInt => self.int(i64::from(i.c())),
            B::SetInt => self.int(i64::from(i.b())),
            B::GetIndex => self.read(i.c() as u8),
            _ => self.read(i.b() as u8),
        }
    }

    pub(super) fn get_index(&mut self, op: B, i: Instr) {
        let site = self.site(i.d());
        let (a, object) = (i.a(), self.read(i.b() as u8));
        let key = self.index_key(op, i);
        if site.index == 0 && site.result == 0 && self.may_speculate(&site, DeoptReason::Unreached)
        {
            self.exit(DeoptReason::Unreached);
            return;
        }
        let elems = index::TYPED | index::MIXED;
        let usable = self.speculate()
            && site.index & elems != 0
            && site.index & index::FLOAT_KEY == 0
            && matches!(self.ty(object), Ty::Any | Ty::Table)
            && matches!(self.ty(key), Ty::Any | Ty::Int);
        if !usable {
            self.interp_one();
            return;
        }
        let kind = only_tag(site.elems).filter(|_| site.index & index::MIXED == 0);
        let strict = site.index & !elems == 0
            && self.may_speculate(&site, DeoptReason::Elements)
            && self.may_speculate(&site, DeoptReason::Type)
            && (kind.is_some() || site.result & 1 == 0);
        if strict {
            let table = self.guard_tag(object, Tag::TABLE);
            let key = self.guard_tag(key, Tag::INT);
            let at = self.zero_based(key);
            let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
            let inside = self.emit(Op::IntCmp(Cond::ULt), &[at, len], Ty::Bool);
            self.guard(inside, DeoptReason::Elements);
            let v = match kind.and_then(|t| Ty::from_tag(t).map(|ty| (t, ty))) {
                Some((tag, ty)) => {
                    self.guard_kind(table, tag.0);
                    self.emit(Op::LoadElem, &[table, at], ty)
                }
                None => {
                    let v = self.emit(Op::LoadElem, &[table, at], Ty::Any);
                    match only_tag(site.result) {
                        Some(tag) => self.guard_tag(v, tag),
                        None => {
                            // A hole would have to ask the metatable.
                            let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
                            let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
                            self.guard(present, DeoptReason::Elements);
                            v
                        }
                    }
                }
            };
            self.write(a, v);
            return;
        }
        let mut slow = self.begin_slow();
        let table = self.unbox_or_slow(&mut slow, object, Tag::TABLE);
        let key = self.unbox_or_slow(&mut slow, key, Tag::INT);
        let at = self.zero_based(key);
        let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
        let inside = self.emit(Op::IntCmp(Cond::ULt), &[at, len], Ty::Bool);
        self.or_slow(&mut slow, inside);
        let v = self.emit(Op::LoadElem, &[table, at], Ty::Any);
        let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
        let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
        self.or_slow(&mut slow, present);
        self.join_slow(slow, Some((a, v)));
    }

    fn guard_kind(&mut self, table: Val, kind: u8) {
        let have = self.emit(Op::ElemsKind, &[table], Ty::Int);
        let want = self.int(i64::from(kind));
        let same = self.emit(Op::IntCmp(Cond::Eq), &[have, want], Ty::Bool);
        self.guard(same, DeoptReason::Elements);
    }

    pub(super) fn set_index(&mut self, op: B, i: Instr) {
        let site = self.site(i.d());
        let object = self.read(i.a());
        let key = self.index_key(op, i);
        let v = self.read_rk(i.c());
        if site.index == 0 && site.count == 0 && self.may_speculate(&site, DeoptReason::Unreached) {
            self.exit(DeoptReason::Unreached);
            return;
        }
        let inside_bits = index::TYPED | index::MIXED;
        let usable = self.speculate()
            && site.index & (inside_bits | index::APPEND) != 0
            && site.index & index::FLOAT_KEY == 0
            && matches!(self.ty(object), Ty::Any | Ty::Table)
            && matches!(self.ty(key), Ty::Any | Ty::Int)
            && self.ty(v) != Ty::Nil;
        if !usable {
            self.interp_one();
            return;
        }
        let kind = only_tag(site.elems).filter(|_| site.index & index::MIXED == 0);
        let typed = kind.filter(|&t| self.ty(v) == Ty::Any || self.ty(v).tag() == Some(t));
        if let (Some(tag), index::TYPED) = (typed, site.index)
            && self.may_speculate(&site, DeoptReason::Elements)
            && self.may_speculate(&site, DeoptReason::Type)
        {
            let table = self.guard_tag(object, Tag::TABLE);
            let key = self.guard_tag(key, Tag::INT);
            let v = self.guard_tag(v, tag);
            let at = self.zero_based(key);
            let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
            let inside = self.emit(Op::IntCmp(Cond::ULt), &[at, len], Ty::Bool);
            self.guard(inside, DeoptReason::Elements);
            self.guard_kind(table, tag.0);
            self.push(Op::StoreElem, &[table, at, v], Ty::None);
            return;
        }
        let mut slow = self.begin_slow();
        let table = self.unbox_or_slow(&mut slow, object, Tag::TABLE);
        let key = self.unbox_or_slow(&mut slow, key, Tag::INT);
        let v = match typed {
            Some(tag) => self.unbox_or_slow(&mut slow, v, tag),
            None => {
                if self.ty(v) == Ty::Any {
                    let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
                    let some = self.emit(Op::Not, &[is_nil], Ty::Bool);
                    self.or_slow(&mut slow, some);
                }
                v
            }
        };
        let at = self.zero_based(key);
        let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
        let stores = site.index & inside_bits != 0;
        let appends = site.index & index::APPEND != 0;
        let done = self.func.add_block();
        if stores {
            let inside = self.emit(Op::IntCmp(Cond::ULt), &[at, len], Ty::Bool);
            let beyond = if appends {
                let (hit, miss) = (self.func.add_block(), self.func.add_block());
                self.branch(inside, Self::plain(hit), Self::plain(miss));
                self.cur = Some(hit);
                Some(miss)
            } else {
                self.or_slow(&mut slow, inside);
                None
            };
            let have = self.emit(Op::ElemsKind, &[table], Ty::Int);
            let want = self.int(i64::from(typed.map_or(ELEMS_MIXED, |t| t.0)));
            let same = self.emit(Op::IntCmp(Cond::Eq), &[have, want], Ty::Bool);
            self.or_slow(&mut slow, same);
            if typed.is_some() {
                self.push(Op::StoreElem, &[table, at, v], Ty::None);
            } else {
                // A hole would have to ask the metatable for `__newindex`.
                let old = self.emit(Op::LoadElem, &[table, at], Ty::Any);
                let is_nil = self.emit(Op::HasTag(Tag::NIL), &[old], Ty::Bool);
                let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
                self.or_slow(&mut slow, present);
                self.push(Op::StoreElemMixed, &[table, at, v], Ty::None);
            }
            self.jump_with(done, &[]);
            self.cur = beyond;
        }
        if appends {
            let end = self.emit(Op::IntCmp(Cond::Eq), &[at, len], Ty::Bool);
            self.or_slow(&mut slow, end);
            let plain = self.emit(Op::NoMeta, &[table], Ty::Bool);
            self.or_slow(&mut slow, plain);
            let bare = self.emit(Op::NoExt, &[table], Ty::Bool);
            self.or_slow(&mut slow, bare);
            self.push(Op::PushElem, &[table, v], Ty::None);
            self.jump_with(done, &[]);
        }
        self.cur = Some(done);
        self.join_slow(slow, None);
    }

    pub(super) fn length(&mut self, i: Instr) {
        let site = self.site(i.d());
        let v = self.read(i.b() as u8);
        if self.ty(v) == Ty::Str {
            let n = self.emit(Op::StrLen, &[v], Ty::Int);
            self.write(i.a(), n);
            return;
        }
        let usable = self.speculate() && matches!(self.ty(v), Ty::Any | Ty::Table);
        if !usable || site.result & !(1 << Tag::INT.0) != 0 {
            self.interp_one();
            return;
        }
        let mut slow = self.begin_slow();
        let table = self.unbox_or_slow(&mut slow, v, Tag::TABLE);
        let plain = self.emit(Op::NoMeta, &[table], Ty::Bool);
        self.or_slow(&mut slow, plain);
        let bare = self.emit(Op::NoExt, &[table], Ty::Bool);
        self.or_slow(&mut slow, bare);
        let n = self.emit(Op::ElemsLen, &[table], Ty::Int);
        self.join_slow(slow, Some((i.a(), n)));
    }
}

/// Whether compiled code can read this way.
fn readable(way: &WaySnapshot) -> bool {
    way.shape.is_some()
        && match way.kind {
            WayKind::Own | WayKind::OwnOut | WayKind::Absent => true,
            WayKind::Holder | WayKind::HolderOut => way.holder.is_some(),
            _ => false,
        }
}

/// Ways without a shape are filtered before; an impossible shape keeps the
/// code total.
fn unreachable_shape() -> ShapeSnapshot {
    ShapeSnapshot {
        addr: 0,
        inline_cap: 0,
        flags: 0,
        no_metatable: false,
        plain_metatable: false,
        no_newindex: false,
    }
}
