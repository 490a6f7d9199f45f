//! Cells, fields, globals, methods and elements under shape feedback.

use super::frame::Slow;
use super::metatables::place;
use super::shapes::{Case, readable, same_read, same_write};
use super::{Builder, only_tag};
use crate::ir::{Cond, IntOp, Op, PoolEntry, SlotLoc, Ty, Val};
use vela_bytecode::{Instr, Op as B};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::feedback::{WayKind, arith, index};
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
                let v = self.upvalue(i.b() as u8);
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
        let f = self.closure();
        self.emit(Op::Upval(n), &[f], Ty::Cell)
    }

    // ---- tables ------------------------------------------------------

    /// A constructor: with the shape that the site's tables start with.
    pub(super) fn new_table(&mut self, i: Instr) {
        let site = self.site(i.d());
        let t = match site.alloc {
            Some(alloc) => {
                let elems = i.b().max(u16::from(alloc.elems));
                let root = self.literal(PoolEntry::Shape(alloc.root), Ty::Ptr);
                let fields = u16::from(alloc.inline_cap);
                self.emit(Op::NewTable { fields, elems }, &[root], Ty::Table)
            }
            None => {
                let (fields, elems) = (i.c(), i.b());
                self.emit(Op::NewTable { fields, elems }, &[], Ty::Table)
            }
        };
        self.write(i.a(), t);
    }

    // ---- fields ------------------------------------------------------

    /// The object operand of a field access.
    fn receiver(&mut self, op: B, i: Instr) -> Val {
        match op {
            B::GetTabUp | B::SetTabUp => self.upvalue(i.b() as u8),
            B::SetField => self.read(i.a()),
            _ => self.read(i.b() as u8),
        }
    }

    /// Whether the site was never reached: then the code leaves here.
    fn unreached(&mut self, site: &SiteSnapshot) -> bool {
        let never = site.ways.is_empty() && site.count == 0 && site.result == 0 && site.index == 0;
        let leave = never && self.may_speculate(site, DeoptReason::Unreached);
        if leave {
            self.exit(DeoptReason::Unreached);
        }
        leave
    }

    /// The name that a field access names.
    fn field_name(&mut self, op: B, i: Instr) -> Val {
        let k = match op {
            B::SetField => i.b(),
            _ => i.c(),
        };
        self.constant(u32::from(k))
    }

    pub(super) fn get_field(&mut self, op: B, i: Instr) {
        let site = self.site(i.d());
        let a = i.a();
        let object = self.receiver(op, i);
        if let Some(v) = self.known_field(object, i.c(), &site) {
            if op == B::SelfGet {
                self.write(a + 2, object);
            }
            self.write(a, v);
            return;
        }
        if self.unreached(&site) {
            return;
        }
        if self.string_method(op, i, object, &site) {
            return;
        }
        if !matches!(self.ty(object), Ty::Any | Ty::Table) {
            self.interp_one();
            return;
        }
        if op == B::SelfGet && self.method_ways(i, object, &site) {
            return;
        }
        if matches!(
            site.ways[..],
            [WaySnapshot {
                kind: WayKind::Meta,
                ..
            }]
        ) {
            let key = self.field_name(op, i);
            let receiver = (op == B::SelfGet).then_some(a + 2);
            if self.get_by_function(a, (object, key), receiver, &site) {
                return;
            }
        }
        let cases = self.cases(&site, readable);
        self.field_by_shape(op, i, object, &site, &cases);
    }

    /// Reads a field of an object of one of these shapes, or of any.
    pub(super) fn field_by_shape(
        &mut self,
        op: B,
        i: Instr,
        object: Val,
        site: &SiteSnapshot,
        cases: &[Case],
    ) {
        let a = i.a();
        let (slow, v) = self.by_shape(
            object,
            site,
            (cases, same_read),
            |b, table, case, slow| Some(b.read_way(table, &case.way, &case.shape, site, slow)),
            |b, table| {
                let key = b.field_name(op, i);
                let v = b.emit(Op::FindField, &[table, key], Ty::Any);
                (Some(v), b.found(v))
            },
        );
        let Some(v) = v else { return };
        match slow {
            None => {
                if op == B::SelfGet {
                    // The receiver as it is now, perhaps refined.
                    let object = self.read(i.b() as u8);
                    self.write(a + 2, object);
                }
                self.write(a, v);
            }
            Some(slow) => {
                self.join_slow(slow, Some((a, v)));
                if op == B::SelfGet {
                    // On the slow path the interpreter put it there.
                    self.write(a + 2, object);
                    self.forget_slot(a + 2);
                }
            }
        }
    }

    /// Whether a lookup found something.
    fn found(&mut self, v: Val) -> Val {
        let none = self.emit(Op::HasTag(Tag::RET_NONE), &[v], Ty::Bool);
        self.emit(Op::Not, &[none], Ty::Bool)
    }

    /// A field of a string, which is one of the strings' metatable's
    /// `__index`; false if the site saw anything else.
    fn string_method(&mut self, op: B, i: Instr, object: Val, site: &SiteSnapshot) -> bool {
        let [way] = &site.ways[..] else { return false };
        let strings = matches!(way.kind, WayKind::StrHolder | WayKind::StrHolderOut);
        let Some((addr, holder)) = way.holder.filter(|_| strings) else {
            return false;
        };
        let possible = matches!(self.ty(object), Ty::Any | Ty::Str)
            && self.may_speculate(site, DeoptReason::Type)
            && self.may_speculate(site, DeoptReason::Invalidated);
        if !possible {
            return false;
        }
        self.guard_tag(object, Tag::STR);
        self.check_epoch(None);
        let v = match self.constant_field(way.field.as_ref()) {
            Some(v) => v,
            None => {
                let t = self.literal(PoolEntry::Object(addr, Tag::TABLE), Ty::Table);
                let loc = match way.kind {
                    WayKind::StrHolder => SlotLoc::Inline {
                        index: way.slot,
                        cap: holder.inline_cap,
                    },
                    _ => SlotLoc::Out(way.slot),
                };
                let v = self.emit(Op::LoadSlot(loc), &[t], Ty::Any);
                let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
                let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
                self.guard(present, DeoptReason::Type);
                v
            }
        };
        if op == B::SelfGet {
            let object = self.read(i.b() as u8);
            self.write(i.a() + 2, object);
        }
        self.write(i.a(), v);
        true
    }

    /// Reads a field under a proven shape. Failed checks exit, or leave to
    /// `slow` if given.
    pub(super) fn read_way(
        &mut self,
        table: Val,
        way: &WaySnapshot,
        shape: &ShapeSnapshot,
        site: &SiteSnapshot,
        mut slow: Option<&mut Slow>,
    ) -> Val {
        if matches!(way.kind, WayKind::Absent | WayKind::Lacking) {
            if way.kind == WayKind::Lacking {
                self.check_epoch(slow);
            }
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
    pub(super) fn constant_field(&mut self, field: Option<&FieldSnapshot>) -> Option<Val> {
        let field = field.filter(|f| f.kind == FieldKind::CONST)?;
        let v = self.fixed(field.constant)?;
        self.watch(field);
        Some(v)
    }

    /// Checks that no metatable structure changed since the snapshot.
    pub(super) fn check_epoch(&mut self, slow: Option<&mut Slow>) {
        if let Some(stays) = &self.input.snapshot.world.meta_stays {
            self.watch(stays);
            return;
        }
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
        let key = if op == B::SetTabUp { i.c() } else { i.b() };
        if self.set_known_field(object, key, v, &site) {
            return;
        }
        if self.unreached(&site) {
            return;
        }
        if !matches!(self.ty(object), Ty::Any | Ty::Table) {
            self.interp_one();
            return;
        }
        if matches!(
            site.ways[..],
            [WaySnapshot {
                kind: WayKind::Meta,
                ..
            }]
        ) {
            let key = self.field_name(op, i);
            if self.set_by_function((object, key, v), &site) {
                return;
            }
        }
        let cases = self.cases(&site, |way, shape| self.writable(way, shape, v));
        let (slow, _) = self.by_shape(
            object,
            &site,
            (&cases, same_write),
            |b, table, case, slow| {
                b.write_way(table, &case.way, &case.shape, v, slow);
                None
            },
            |b, table| {
                let key = b.field_name(op, i);
                let stored = b.emit(Op::PutField, &[table, key, v], Ty::Bool);
                (None, stored)
            },
        );
        if let Some(slow) = slow {
            self.join_slow(slow, None);
        }
    }

    /// Whether compiled code can store `v` this way.
    fn writable(&self, way: &WaySnapshot, shape: &ShapeSnapshot, v: Val) -> bool {
        let Some(field) = way.field else { return false };
        if way.kind == WayKind::Same {
            return true;
        }
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
        mut slow: Option<&mut Slow>,
    ) {
        let Some(field) = way.field else { return };
        if way.kind == WayKind::Same {
            return self.write_same(table, (way, shape.inline_cap), v, slow);
        }
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
        let loc = match way.kind {
            WayKind::Own | WayKind::Add => SlotLoc::Inline {
                index: way.slot,
                cap: shape.inline_cap,
            },
            _ => SlotLoc::Out(way.slot),
        };
        match (way.kind, way.next) {
            (WayKind::Add, Some(next)) => {
                // The slot is there, unused as long as the shape is the old one.
                self.push(Op::StoreSlot(loc, true), &[table, v], Ty::None);
                let next = self.literal(PoolEntry::Shape(next.addr), Ty::Ptr);
                self.push(Op::SetShape, &[table, next], Ty::None);
            }
            (WayKind::AddOut, Some(next)) => {
                let any = self.boxed(v);
                let next = self.literal(PoolEntry::Shape(next.addr), Ty::Ptr);
                self.push(Op::AddSlot, &[table, next, any], Ty::None);
            }
            _ => {
                self.push(Op::StoreSlot(loc, true), &[table, v], Ty::None);
            }
        }
    }

    /// Stores to a metatable or class what is there already, which is nothing
    /// to do: tests for it.
    fn write_same(
        &mut self,
        table: Val,
        (way, cap): (&WaySnapshot, u8),
        v: Val,
        slow: Option<&mut Slow>,
    ) {
        let have = match self.constant_field(way.field.as_ref()) {
            Some(have) => self.boxed(have),
            None => {
                let loc = place(way.slot, cap);
                self.emit(Op::LoadSlot(loc), &[table], Ty::Any)
            }
        };
        let v = self.boxed(v);
        let same = self.emit(Op::SameBits, &[have, v], Ty::Bool);
        self.require(slow, same, DeoptReason::Type);
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
        if self.unreached(&site) || self.index_by_metamethod(i, (object, key), None, &site) {
            return;
        }
        if !matches!(self.ty(object), Ty::Any | Ty::Table) {
            self.interp_one();
            return;
        }
        let elems = index::TYPED | index::MIXED;
        let by_element = self.speculate()
            && site.index & elems != 0
            && matches!(self.ty(key), Ty::Any | Ty::Int);
        let kind = only_tag(site.elems).filter(|_| site.index & index::MIXED == 0);
        let strict = by_element
            && site.index & !elems == 0
            && self.may_speculate(&site, DeoptReason::Elements)
            && self.may_speculate(&site, DeoptReason::Type);
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
                    if site.result & 1 != 0 {
                        // There are holes, and no metatable to ask about them.
                        self.guard_plain(table);
                    }
                    let v = self.emit(Op::LoadElem, &[table, at], Ty::Any);
                    match only_tag(site.result).filter(|&t| t != Tag::NIL) {
                        None if site.result & 1 != 0 => v,
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
        let done = self.func.add_block();
        if by_element {
            let mut miss = self.begin_slow();
            let key = self.unbox_or_slow(&mut miss, key, Tag::INT);
            let at = self.zero_based(key);
            let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
            let inside = self.emit(Op::IntCmp(Cond::ULt), &[at, len], Ty::Bool);
            self.or_slow(&mut miss, inside);
            let v = self.emit(Op::LoadElem, &[table, at], Ty::Any);
            let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
            let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
            self.or_slow(&mut miss, present);
            self.jump_with(done, &[v]);
            self.cur = Some(miss.block);
        }
        let find = match self.ty(key) {
            Ty::Str => Op::FindField,
            _ => Op::FindIndex,
        };
        let v = self.emit(find, &[table, key], Ty::Any);
        let found = self.found(v);
        self.or_slow(&mut slow, found);
        self.jump_with(done, &[v]);
        self.cur = Some(done);
        let v = self.func.add_param(done, Ty::Any);
        self.join_slow(slow, Some((a, v)));
    }

    pub(super) fn guard_kind(&mut self, table: Val, kind: u8) {
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
        if self.unreached(&site) || self.index_by_metamethod(i, (object, key), Some(v), &site) {
            return;
        }
        if !matches!(self.ty(object), Ty::Any | Ty::Table) {
            self.interp_one();
            return;
        }
        let inside_bits = index::TYPED | index::MIXED;
        let by_element = self.speculate()
            && site.index & (inside_bits | index::APPEND) != 0
            && matches!(self.ty(key), Ty::Any | Ty::Int)
            && self.ty(v) != Ty::Nil;
        let kind = only_tag(site.elems).filter(|_| site.index & index::MIXED == 0);
        let typed = kind.filter(|&t| self.ty(v) == Ty::Any || self.ty(v).tag() == Some(t));
        if let (Some(tag), index::TYPED) = (typed, site.index)
            && by_element
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
        let alike = typed.is_some() || site.index & index::TYPED == 0;
        // What fills a list the first time often overwrites it from then on, unless
        // each call makes a new one.
        let bits = match (typed, site.index & inside_bits) {
            (Some(_), 0) if !self.made_here(i.a()) => site.index | index::TYPED,
            _ => site.index,
        };
        if by_element
            && alike
            && site.index & !(inside_bits | index::APPEND) == 0
            && self.may_speculate(&site, DeoptReason::Elements)
            && self.may_speculate(&site, DeoptReason::Type)
        {
            let table = self.guard_tag(object, Tag::TABLE);
            let key = self.guard_tag(key, Tag::INT);
            let v = match typed {
                Some(tag) => self.guard_tag(v, tag),
                None => v,
            };
            self.state();
            self.store_element(None, table, key, v, typed, bits);
            return;
        }
        let mut slow = self.begin_slow();
        let table = self.unbox_or_slow(&mut slow, object, Tag::TABLE);
        let done = self.func.add_block();
        if by_element {
            let mut miss = self.begin_slow();
            let key = self.unbox_or_slow(&mut miss, key, Tag::INT);
            self.store_element(Some(&mut miss), table, key, v, typed, bits);
            self.jump_with(done, &[]);
            self.cur = Some(miss.block);
        }
        let stored = self.emit(Op::PutIndex, &[table, key, v], Ty::Bool);
        self.or_slow(&mut slow, stored);
        self.jump_with(done, &[]);
        self.cur = Some(done);
        self.join_slow(slow, None);
    }

    /// Whether the function has a constructor of a table whose value is in `reg` first.
    fn made_here(&self, reg: u8) -> bool {
        let code = &self.proto.code;
        code.iter()
            .any(|i| i.op() == Some(B::NewTable) && i.a() == reg)
    }

    /// Goes on only if `cond`: leaves to `miss`, or the code.
    pub(super) fn require(&mut self, miss: Option<&mut Slow>, cond: Val, reason: DeoptReason) {
        match miss {
            Some(miss) => self.or_slow(miss, cond),
            None => self.guard(cond, reason),
        }
    }

    /// Overwrites an element, or appends one, as the site's bits say it did
    /// before; leaves to `miss` otherwise, or the code if there is none.
    fn store_element(
        &mut self,
        mut miss: Option<&mut Slow>,
        table: Val,
        key: Val,
        v: Val,
        typed: Option<Tag>,
        bits: u8,
    ) {
        let v = match (typed, miss.as_deref_mut()) {
            (Some(tag), Some(miss)) => self.unbox_or_slow(miss, v, tag),
            (Some(_), None) => v,
            (None, _) => {
                if self.ty(v) == Ty::Any {
                    let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
                    let some = self.emit(Op::Not, &[is_nil], Ty::Bool);
                    self.require(miss.as_deref_mut(), some, DeoptReason::Type);
                }
                v
            }
        };
        let at = self.zero_based(key);
        let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
        let stores = bits & (index::TYPED | index::MIXED) != 0;
        let appends = bits & index::APPEND != 0;
        let done = self.func.add_block();
        if stores {
            let inside = self.emit(Op::IntCmp(Cond::ULt), &[at, len], Ty::Bool);
            let beyond = if appends {
                let (hit, next) = (self.func.add_block(), self.func.add_block());
                self.branch(inside, Self::plain(hit), Self::plain(next));
                self.cur = Some(hit);
                Some(next)
            } else {
                self.require(miss.as_deref_mut(), inside, DeoptReason::Elements);
                None
            };
            let have = self.emit(Op::ElemsKind, &[table], Ty::Int);
            let want = self.int(i64::from(typed.map_or(ELEMS_MIXED, |t| t.0)));
            let same = self.emit(Op::IntCmp(Cond::Eq), &[have, want], Ty::Bool);
            self.require(miss.as_deref_mut(), same, DeoptReason::Elements);
            if typed.is_some() {
                self.push(Op::StoreElem, &[table, at, v], Ty::None);
            } else {
                // A hole would have to ask the metatable for `__newindex`.
                let old = self.emit(Op::LoadElem, &[table, at], Ty::Any);
                let is_nil = self.emit(Op::HasTag(Tag::NIL), &[old], Ty::Bool);
                let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
                self.require(miss.as_deref_mut(), present, DeoptReason::Elements);
                self.push(Op::StoreElemMixed, &[table, at, v], Ty::None);
            }
            self.jump_with(done, &[]);
            self.cur = beyond;
        }
        if appends {
            let end = self.emit(Op::IntCmp(Cond::Eq), &[at, len], Ty::Bool);
            self.require(miss.as_deref_mut(), end, DeoptReason::Elements);
            let plain = self.emit(Op::NoMeta, &[table], Ty::Bool);
            self.require(miss.as_deref_mut(), plain, DeoptReason::Elements);
            let bare = self.emit(Op::NoneBeyond, &[table], Ty::Bool);
            self.require(miss, bare, DeoptReason::Elements);
            self.push(Op::PushElem, &[table, v], Ty::None);
            self.jump_with(done, &[]);
        }
        self.cur = Some(done);
    }

    pub(super) fn length(&mut self, i: Instr) {
        let site = self.site(i.d());
        let v = self.read(i.b() as u8);
        if self.ty(v) == Ty::Str {
            let n = self.emit(Op::StrLen, &[v], Ty::Int);
            self.write(i.a(), n);
            return;
        }
        if self.ty(v) == Ty::Any
            && site.arith & arith::TYPES == arith::STRING
            && self.may_speculate(&site, DeoptReason::Type)
        {
            let s = self.guard_tag(v, Tag::STR);
            let n = self.emit(Op::StrLen, &[s], Ty::Int);
            self.write(i.a(), n);
            return;
        }
        if self.operator_by_metamethod(i.a(), [v, v], &site, false) {
            return;
        }
        let usable = self.speculate() && matches!(self.ty(v), Ty::Any | Ty::Table);
        if !usable || site.result & !(1 << Tag::INT.0) != 0 {
            self.interp_one();
            return;
        }
        if site.result != 0
            && self.may_speculate(&site, DeoptReason::Elements)
            && self.may_speculate(&site, DeoptReason::Type)
        {
            let table = self.guard_tag(v, Tag::TABLE);
            self.guard_plain(table);
            let n = self.emit(Op::ElemsLen, &[table], Ty::Int);
            self.write(i.a(), n);
            return;
        }
        let mut slow = self.begin_slow();
        let table = self.unbox_or_slow(&mut slow, v, Tag::TABLE);
        let plain = self.emit(Op::NoMeta, &[table], Ty::Bool);
        self.or_slow(&mut slow, plain);
        let bare = self.emit(Op::NoneBeyond, &[table], Ty::Bool);
        self.or_slow(&mut slow, bare);
        let n = self.emit(Op::ElemsLen, &[table], Ty::Int);
        self.join_slow(slow, Some((i.a(), n)));
    }
}
