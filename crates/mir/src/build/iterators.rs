//! Generic `for`: the step of `next` and `ipairs`, and Lua functions as
//! iterators.
//!
//! The feedback of a loop says which function it calls. `ipairs` becomes an
//! index that runs over the elements, `next` a helper that gives key and value
//! in registers.

use super::{Builder, only_tag};
use crate::helper::Helper;
use crate::ir::{Cond, IntOp, Op, PoolEntry, Ty, Val};
use vela_bytecode::{FRAME_SLOTS, Instr, Op as B};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::feedback::{CacheState, index};
use vela_objects::intrinsic::Intrinsic;
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::TargetSnapshot;

impl Builder<'_> {
    /// The call of a generic loop.
    pub(super) fn tfor_call(&mut self, i: Instr) {
        let site = self.site(i.d());
        if site.ways.is_empty()
            && site.result == 0
            && self.may_speculate(&site, DeoptReason::Unreached)
        {
            self.exit(DeoptReason::Unreached);
            return;
        }
        let target = match &site.ways[..] {
            [way] if self.may_speculate(&site, DeoptReason::Callee) => way.target.clone(),
            _ => None,
        };
        let done = match &target {
            Some(t) if t.native => match Intrinsic::from_u16(t.intrinsic) {
                Intrinsic::Next => self.next_step(i, t, &site),
                Intrinsic::IPairsNext => self.ipairs_step(i, t, &site),
                _ => false,
            },
            _ => self.lua_step(i, target.as_ref(), &site),
        };
        if !done {
            self.any_step(i);
        }
    }

    /// A call of whatever the loop calls.
    fn any_step(&mut self, i: Instr) {
        let at = i.a() + 4;
        let callee = self.read(i.a());
        let args = [self.read(i.a() + 1), self.read(i.a() + 2)];
        self.write(at, callee);
        for (k, v) in args.into_iter().enumerate() {
            self.write(at + (FRAME_SLOTS + k) as u8, v);
        }
        self.call_window(at, Some(2), Some(i.c() as u8));
    }

    /// The value is the native function that the site has always called; as a
    /// literal. `None` if it cannot be.
    pub(super) fn guard_native(&mut self, callee: Val, t: &TargetSnapshot) -> Option<Val> {
        let entry = PoolEntry::Object(t.addr, Tag::NATIVE_FN);
        if matches!(self.func.def_op(callee), Some(Op::Literal(p)) if self.func.pool[p.index()] == entry)
        {
            return Some(callee);
        }
        if !matches!(self.ty(callee), Ty::Any | Ty::NativeFn) {
            return None;
        }
        let f = self.guard_tag(callee, Tag::NATIVE_FN);
        let lit = self.literal(entry, Ty::NativeFn);
        let same = self.emit(Op::SameObject, &[f, lit], Ty::Bool);
        self.guard(same, DeoptReason::Callee);
        Some(lit)
    }

    /// Sets the loop's variables to `values`, the rest to nil.
    fn loop_variables(&mut self, i: Instr, values: &[Val]) {
        for k in 0..i.c() as u8 {
            let v = match values.get(k as usize) {
                Some(&v) => v,
                None => self.nil(),
            };
            self.write(i.a() + 4 + k, v);
        }
    }

    /// `next`: a helper finds the pair behind the last key.
    fn next_step(&mut self, i: Instr, t: &TargetSnapshot, site: &SiteSnapshot) -> bool {
        let a = i.a();
        let (callee, table) = (self.read(a), self.read(a + 1));
        if !matches!(self.ty(table), Ty::Any | Ty::Table)
            || !self.may_speculate(site, DeoptReason::Type)
            || self.guard_native(callee, t).is_none()
        {
            return false;
        }
        let table = self.guard_tag(table, Tag::TABLE);
        let key = self.read(a + 2);
        let over_elems = site.result & 1 << Tag::INT.0 != 0 && site.result & 1 << Tag::STR.0 == 0;
        let (key, value) = if over_elems {
            self.next_elem(table, key)
        } else {
            self.next_pair(table, key)
        };
        self.loop_variables(i, &[key, value]);
        true
    }

    /// As `next_pair`, where keys are integers: the next element is read in
    /// place, and the helper looks for what is behind the elements.
    fn next_elem(&mut self, table: Val, key: Val) -> (Val, Val) {
        let key = self.boxed(key);
        let (slow, join) = (self.func.add_block(), self.func.add_block());
        let (k, v) = (
            self.func.add_param(join, Ty::Any),
            self.func.add_param(join, Ty::Any),
        );
        // No key is in front of the first index; the key 0 is in the hash part.
        let is_int = self.emit(Op::HasTag(Tag::INT), &[key], Ty::Bool);
        let is_nil = self.emit(Op::HasTag(Tag::NIL), &[key], Ty::Bool);
        let last = self.emit(Op::Unbox, &[key], Ty::Int);
        let none = self.int(0);
        let counts = self.emit(Op::IntCmp(Cond::Ne), &[last, none], Ty::Bool);
        let counts = self.emit(Op::Select, &[is_int, counts, is_nil], Ty::Bool);
        self.else_to(counts, slow);
        let at = self.emit(Op::Select, &[is_int, last, none], Ty::Int);
        let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
        let inside = self.emit(Op::IntCmp(Cond::ULt), &[at, len], Ty::Bool);
        self.else_to(inside, slow);
        let elem = self.emit(Op::LoadElem, &[table, at], Ty::Any);
        let is_hole = self.emit(Op::HasTag(Tag::NIL), &[elem], Ty::Bool);
        let present = self.emit(Op::Not, &[is_hole], Ty::Bool);
        self.else_to(present, slow);
        let one = self.int(1);
        let next = self.emit(Op::IntOp(IntOp::Add), &[at, one], Ty::Int);
        let next = self.boxed(next);
        self.jump_with(join, &[next, elem]);

        self.cur = Some(slow);
        let (found, value) = self.next_pair(table, key);
        self.jump_with(join, &[found, value]);
        self.cur = Some(join);
        (k, v)
    }

    /// The pair behind `key`: key (nil at the end) and value.
    pub(super) fn next_pair(&mut self, table: Val, key: Val) -> (Val, Val) {
        let key = self.boxed(key);
        let hint = self.int(self.pc as i64 & 15);
        let key = self.emit(Op::Lib(Helper::NextPair), &[table, key, hint], Ty::Any);
        let value = self.emit(Op::SecondResult, &[], Ty::Any);
        self.guard_done(key, DeoptReason::Type);
        (key, value)
    }

    /// The helper that gave `v` did what it was asked for. If it did not it did
    /// nothing, and the interpreter does the instruction.
    pub(super) fn guard_done(&mut self, v: Val, reason: DeoptReason) {
        let refused = self.emit(Op::HasTag(Tag::RET_NONE), &[v], Ty::Bool);
        let done = self.emit(Op::Not, &[refused], Ty::Bool);
        self.guard(done, reason);
    }

    /// `ipairs`: the next element, or behind the last one the loop's end. The
    /// test of the loop is built along, so that the index keeps its type.
    fn ipairs_step(&mut self, i: Instr, t: &TargetSnapshot, site: &SiteSnapshot) -> bool {
        let a = i.a();
        let test = self.proto.code[self.pc + 1];
        let (callee, table, control) = (self.read(a), self.read(a + 1), self.read(a + 2));
        if test.op() != Some(B::TForLoop)
            || test.a() != a
            || self.cfg.order.contains(&(self.pc + 1))
            || !matches!(self.ty(table), Ty::Any | Ty::Table)
            || !matches!(self.ty(control), Ty::Any | Ty::Int)
            || !self.may_speculate(site, DeoptReason::Type)
            || !self.may_speculate(site, DeoptReason::Elements)
            || self.guard_native(callee, t).is_none()
        {
            return false;
        }
        let table = self.guard_tag(table, Tag::TABLE);
        let control = self.guard_tag(control, Tag::INT);
        let len = self.emit(Op::ElemsLen, &[table], Ty::Int);
        let inside = self.emit(Op::IntCmp(Cond::ULt), &[control, len], Ty::Bool);
        let (body, end) = (self.func.add_block(), self.func.add_block());
        self.branch(inside, Self::plain(body), Self::plain(end));

        let pc = self.pc;
        self.cur = Some(end);
        // Nothing behind the elements, and no metatable that knows more.
        for op in [Op::NoExt, Op::NoMeta] {
            let plain = self.emit(op, &[table], Ty::Bool);
            self.guard(plain, DeoptReason::Elements);
        }
        self.pc = pc + 1;
        let out = self.pc + 1;
        let nil = self.nil();
        self.loop_variables(i, &[nil]);
        self.jump_to(out);

        self.pc = pc;
        self.cur = Some(body);
        let kind = only_tag(site.elems).filter(|_| site.index & index::MIXED == 0);
        let v = match kind.and_then(|tag| Ty::from_tag(tag).map(|ty| (tag, ty))) {
            Some((tag, ty)) if i.c() > 1 => {
                self.guard_kind(table, tag.0);
                self.emit(Op::LoadElem, &[table, control], ty)
            }
            _ => {
                let v = self.emit(Op::LoadElem, &[table, control], Ty::Any);
                let is_nil = self.emit(Op::HasTag(Tag::NIL), &[v], Ty::Bool);
                let present = self.emit(Op::Not, &[is_nil], Ty::Bool);
                self.guard(present, DeoptReason::Elements);
                v
            }
        };
        let one = self.int(1);
        let n = self.emit(Op::IntOp(IntOp::Add), &[control, one], Ty::Int);
        self.loop_variables(i, &[n, v]);
        self.pc = pc + 1;
        self.state = None;
        self.poll();
        self.write(a + 2, n);
        let again = self.target(test);
        self.jump_to(again);
        true
    }

    /// An iterator written in Lua.
    fn lua_step(&mut self, i: Instr, target: Option<&TargetSnapshot>, site: &SiteSnapshot) -> bool {
        let a = i.a();
        let callee = self.read(a);
        let all_lua = !site.ways.is_empty()
            && site.state != CacheState::Mega
            && site
                .ways
                .iter()
                .all(|w| w.target.as_ref().is_some_and(|t| !t.native));
        let lua = self.ty(callee) == Ty::LuaFn
            || self.ty(callee) == Ty::Any && all_lua && self.may_speculate(site, DeoptReason::Type);
        if !lua {
            return false;
        }
        let closure = self.guard_tag(callee, Tag::LUA_FN);
        let at = a + 4;
        let args = [self.read(a + 1), self.read(a + 2)];
        self.write(at, closure);
        for (k, v) in args.into_iter().enumerate() {
            self.write(at + (FRAME_SLOTS + k) as u8, v);
        }
        self.call_lua(at, 2, Some(i.c() as usize), target, site);
        true
    }
}
