//! Calls and returns.

use super::inline::Want;
use super::{Builder, only_tag};
use crate::ir::{Op, PoolEntry, Ty, Val};
use vela_bytecode::{FRAME_SLOTS, Instr, Op as B};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::intrinsic::Intrinsic;
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::TargetSnapshot;

/// An open list whose length is known: what an inlined call returned, or the
/// extra arguments of an inlined function.
#[derive(Clone, Copy)]
pub(super) struct Open {
    /// The frame it is in.
    pub instance: u32,
    /// The instruction that uses it.
    pub pc: usize,
    /// Its first register.
    pub first: u8,
    /// The register behind its last.
    pub end: u8,
}

/// Arguments that fit the call instruction's window.
const MAX_ARGS: usize = 200;

impl Builder<'_> {
    pub(super) fn call(&mut self, i: Instr) {
        let site = self.site(i.d());
        let a = i.a();
        if site.ways.is_empty()
            && site.count == 0
            && self.may_speculate(&site, DeoptReason::Unreached)
        {
            self.exit(DeoptReason::Unreached);
            return;
        }
        let callee = self.read(a);
        let target = match (self.known_target(callee), &site.ways[..]) {
            (Some(known), _) => Some(known),
            (None, [way]) if self.may_speculate(&site, DeoptReason::Callee) => way.target.clone(),
            _ => None,
        };
        if let (Some(t), Some(n)) = (&target, self.nargs(i))
            && t.native
        {
            if self.protected_call(i, n, t, &site) {
                return;
            }
            let one = || self.feeds_one(a) && self.one_result(&site).is_some();
            let (want, open) = match (i.c() as usize).checked_sub(1) {
                Some(want) => (Some(want), false),
                None => (one().then_some(1), true),
            };
            if let Some(want) = want
                && self.intrinsic(a, n, want, t, &site)
            {
                if open && self.cur.is_some() {
                    self.open = Some(self.open_list(a, 1));
                }
                return;
            }
        }
        if target.is_none() && self.call_ways(i, &site) {
            return;
        }
        if let Some(n) = self.nargs(i).filter(|&n| n < MAX_ARGS)
            && let Some(target) = self.call_through(a, n, &site)
        {
            let want = (i.c() as usize).checked_sub(1);
            self.call_lua(a, n + 1, want, Some(&target), &site);
            return;
        }
        self.call_target(i, target.as_ref(), &site);
    }

    /// A call whose callee is `target` if given.
    pub(super) fn call_target(
        &mut self,
        i: Instr,
        target: Option<&TargetSnapshot>,
        site: &SiteSnapshot,
    ) {
        let a = i.a();
        let callee = self.read(a);
        let all_lua = !site.ways.is_empty()
            && site.state != vela_objects::feedback::CacheState::Mega
            && site
                .ways
                .iter()
                .all(|w| w.target.as_ref().is_some_and(|t| !t.native));
        let lua = self.ty(callee) == Ty::LuaFn
            || self.ty(callee) == Ty::Any && all_lua && self.may_speculate(site, DeoptReason::Type);
        let want = (i.c() as usize).checked_sub(1);
        let tested = all_lua && self.ty(callee) == Ty::Any && self.speculate();
        match (self.nargs(i), want) {
            (Some(n), _) if lua && n <= MAX_ARGS => self.call_lua(a, n, want, target, site),
            (Some(n), Some(want)) if tested && n <= MAX_ARGS => self.call_tested(i, n, want, site),
            (nargs, _) => {
                let nargs = nargs.map(|n| n as u8);
                self.call_window(a, nargs, want.map(|n| n as u8));
            }
        }
    }

    /// The number of arguments of a call, if it is known.
    pub(super) fn nargs(&self, i: Instr) -> Option<usize> {
        let first = i.a() as usize + FRAME_SLOTS;
        let open = || usize::from(self.open_end()?).checked_sub(first);
        (i.b() as usize).checked_sub(1).or_else(open)
    }

    /// The register behind the end of the open list that the current
    /// instruction uses, if that is known.
    pub(super) fn open_end(&self) -> Option<u8> {
        let here = |o: &Open| o.instance == self.instance && o.pc == self.pc;
        self.open.filter(here).map(|o| o.end)
    }

    /// The `count` results of the current instruction at `a`, as the list that
    /// the next one uses.
    pub(super) fn open_list(&self, a: u8, count: u8) -> Open {
        Open {
            instance: self.instance,
            pc: self.pc + 1,
            first: a,
            end: a + count,
        }
    }

    /// How many results of the call at `a` the next instruction can take as
    /// the end of its list, if they are that many: a call its last arguments,
    /// a constructor its last items.
    pub(super) fn open_room(&self, a: u8) -> Option<usize> {
        let next = self.proto.code.get(self.pc + 1).filter(|i| i.b() == 0)?;
        let room = usize::from(self.proto.max_stack.saturating_sub(a));
        match next.op()? {
            B::Call | B::TailCall => Some(room),
            B::SetList => {
                let before = usize::from(a.saturating_sub(next.a() + 1));
                Some(room.min(super::lists::CHUNK.checked_sub(before)?))
            }
            _ => None,
        }
    }

    /// Whether the next instruction can take one result of the call at `a` as
    /// the end of its list.
    fn feeds_one(&self, a: u8) -> bool {
        self.open_room(a).is_some_and(|room| room > 0)
    }

    /// A call of a Lua function through its entry.
    pub(super) fn call_lua(
        &mut self,
        a: u8,
        nargs: usize,
        want: Option<usize>,
        target: Option<&TargetSnapshot>,
        site: &SiteSnapshot,
    ) {
        let callee = self.read(a);
        let closure = self.guard_tag(callee, Tag::LUA_FN);
        let own = self.input.snapshot.proto_addr;
        let mut is_self = false;
        if let Some(t) = target {
            let callee = self.inlinable(t.addr, a, nargs);
            let want = match (callee, want) {
                (_, Some(count)) => Some(Want { count, open: false }),
                (Some(callee), None) => {
                    let room = self.open_room(a);
                    let fits = |&n: &usize| room.is_some_and(|room| n <= room);
                    let count = self.result_count(callee, nargs, 1).filter(fits);
                    count.map(|count| Want { count, open: true })
                }
                _ => None,
            };
            if let (Some(callee), Some(want)) = (callee, want) {
                let closure = self.guard_callee(closure, t);
                self.inline(callee, closure, a, nargs, want);
                return;
            }
            if t.addr == own && !self.input.snapshot.proto.is_vararg {
                self.guard_proto(closure, own);
                is_self = true;
            }
        }
        let mut args = vec![closure];
        for k in 0..nargs {
            let v = self.read(a + 2 + k as u8);
            args.push(v);
        }
        let slot = self.slot8(a);
        let next = self.pc + 1;
        match want {
            Some(n @ (0 | 1)) => {
                let ty = if n == 1 { Ty::Any } else { Ty::None };
                let call = Op::CallLua {
                    a: slot,
                    is_self,
                    open: false,
                };
                let inst = self.push_call(call, &args, ty, a);
                self.forget_from(a);
                if n == 1 {
                    let v = self.func.result(inst);
                    self.write(a, v);
                    if let Some(tag) = only_tag(site.result) {
                        let expected =
                            tag != Tag::NIL && self.may_speculate(site, DeoptReason::Type);
                        if expected && self.live.live_in(next as u32).contains(a) {
                            let s = self.state_at(next);
                            self.guard_result(v, tag, s);
                        }
                    }
                }
                self.guard_valid(next);
            }
            None if self.feeds_one(a) && self.may_speculate(site, DeoptReason::Type) => {
                let call = Op::CallLua {
                    a: slot,
                    is_self,
                    open: true,
                };
                let inst = self.push_call(call, &args, Ty::Any, a);
                self.forget_from(a);
                let v = self.func.result(inst);
                let s = self.state_at(next);
                let several = self.emit(Op::HasTag(Tag::RET_NONE), &[v], Ty::Bool);
                let one = self.emit(Op::Not, &[several], Ty::Bool);
                let guard = self.push(Op::Guard, &[one], Ty::None);
                self.attach(guard, s, DeoptReason::Type);
                self.func.insts[guard.index()].origin = Some(self.pc as u32);
                self.write(a, v);
                self.open = Some(self.open_list(a, 1));
                if let Some(tag) = only_tag(site.result).filter(|&tag| tag != Tag::NIL) {
                    let s = self.state_at(next);
                    self.guard_result(v, tag, s);
                }
                self.guard_valid(next);
            }
            _ => {
                let want = want.map(|n| n as u8);
                self.push_call(Op::CallLuaMulti { a: slot, want }, &args, Ty::None, a);
                self.forget_from(a);
                let n = want.map_or(0, u32::from);
                self.reload(u32::from(a)..u32::from(a) + n, next);
                self.guard_valid(next);
            }
        }
    }

    /// The closure is one of this prototype.
    fn guard_proto(&mut self, closure: Val, proto: u64) {
        if self.known_target(closure).is_some_and(|t| t.addr == proto) {
            return;
        }
        let have = self.emit(Op::LoadProto, &[closure], Ty::Ptr);
        let want = self.literal(PoolEntry::Proto(proto), Ty::Ptr);
        let same = self.emit(Op::SameObject, &[have, want], Ty::Bool);
        self.guard(same, DeoptReason::Callee);
    }

    /// The closure is the one that the site has always called, if it was
    /// always the same, or else one of the prototype. The closure, as a
    /// literal if it is known.
    pub(super) fn guard_callee(&mut self, closure: Val, target: &TargetSnapshot) -> Val {
        let object = (target.closure, Tag::LUA_FN);
        if target.closure == 0 {
            self.guard_proto(closure, target.addr);
            return closure;
        }
        if self.object_of(closure) == Some(object) {
            return closure;
        }
        let want = self.literal(PoolEntry::Object(object.0, object.1), Ty::LuaFn);
        let same = self.emit(Op::SameObject, &[closure, want], Ty::Bool);
        self.guard(same, DeoptReason::Callee);
        self.replace(closure, want);
        want
    }

    /// A call of anything: callee and arguments go through the window.
    pub(super) fn call_window(&mut self, a: u8, nargs: Option<u8>, want: Option<u8>) {
        self.store_call(a, nargs);
        let slot = self.slot8(a);
        let call = Op::CallWindow {
            a: slot,
            nargs,
            want,
        };
        self.push_call(call, &[], Ty::None, a);
        let next = self.pc + 1;
        self.forget_from(a);
        let n = want.map_or(0, u32::from);
        self.reload(u32::from(a)..u32::from(a) + n, next);
        self.guard_valid(next);
    }

    /// Stores callee and arguments of a call at `a`. Of an open list the part
    /// before the open values, which are in the window already.
    fn store_call(&mut self, a: u8, nargs: Option<u8>) {
        match nargs {
            Some(n) => {
                self.store_reg(a);
                for r in 0..n {
                    self.store_reg(a + 2 + r);
                }
            }
            None => self.store_uses(),
        }
    }

    fn store_uses(&mut self) {
        let mut used = Vec::new();
        vela_bytecode::flow::for_each_use(self.proto, self.pc, |range| used.extend(range));
        for r in used {
            self.store_reg(r as u8);
        }
    }

    /// Only Lua functions take the frame's place. Natives and what cannot be
    /// called run above it, so that errors name this function and its line;
    /// callable tables are left to the interpreter, which does both.
    pub(super) fn tail_call(&mut self, i: Instr) {
        let a = i.a();
        let nargs = self.nargs(i).map(|n| n as u8);
        let site = self.site(i.d());
        if self.returned_protected_call(i, &site) || self.returned_intrinsic(i) {
            return;
        }
        if let Some(n) = nargs.filter(|&n| usize::from(n) < MAX_ARGS)
            && self.call_through(a, n.into(), &site).is_some()
        {
            self.tail_call_of_lua(a, Some(n + 1));
            return;
        }
        if self.inlined.is_none() && nargs.is_none() {
            self.store_call(a, nargs);
        }
        let callee = self.read(a);
        if self.inlined.as_ref().is_some_and(|i| i.open) {
            // Taken for a call of a known function.
            let closure = self.guard_tag(callee, Tag::LUA_FN);
            match self.ty(closure) {
                Ty::LuaFn => self.tail_call_of_lua(a, nargs),
                _ => self.exit(DeoptReason::Callee),
            }
            return;
        }
        match self.ty(callee) {
            Ty::LuaFn => self.tail_call_of_lua(a, nargs),
            Ty::Table => self.exit(DeoptReason::Callee),
            Ty::Any => {
                let is_lua = self.emit(Op::HasTag(Tag::LUA_FN), &[callee], Ty::Bool);
                let (lua, other) = (self.func.add_block(), self.func.add_block());
                self.branch(is_lua, Self::plain(lua), Self::plain(other));
                let (values, window) = (self.values.clone(), self.window.clone());
                self.cur = Some(other);
                let is_table = self.emit(Op::HasTag(Tag::TABLE), &[callee], Ty::Bool);
                let no_table = self.emit(Op::Not, &[is_table], Ty::Bool);
                self.guard(no_table, DeoptReason::Callee);
                self.tail_call_of_other(a, nargs);
                (self.values, self.window) = (values, window);
                self.cur = Some(lua);
                self.tail_call_of_lua(a, nargs);
            }
            _ => self.tail_call_of_other(a, nargs),
        }
    }

    fn tail_call_of_lua(&mut self, a: u8, nargs: Option<u8>) {
        if self.inlined.is_some() {
            self.tail_call_lua(a, known_count(nargs));
            return;
        }
        match nargs {
            Some(n) => self.tail_jump(a, n),
            None => {
                self.push(Op::TailCall { a, nargs }, &[], Ty::None);
            }
        }
        self.cur = None;
    }

    /// A tail call of a Lua function out of the function's own frame.
    fn tail_jump(&mut self, a: u8, nargs: u8) {
        let callee = self.read(a);
        let closure = match self.ty(callee) {
            Ty::LuaFn => callee,
            _ => self.emit(Op::Unbox, &[callee], Ty::LuaFn),
        };
        let site = self.site(self.proto.code[self.pc].d());
        let own = self.input.snapshot.proto_addr;
        let target = match (self.known_target(closure), &site.ways[..]) {
            (Some(known), _) => Some(known),
            (None, [way]) if self.may_speculate(&site, DeoptReason::Callee) => way.target.clone(),
            _ => None,
        };
        let is_self = target.is_some_and(|t| t.addr == own) && !self.proto.is_vararg;
        if is_self {
            self.guard_proto(closure, own);
        }
        let mut args = vec![closure];
        for k in 0..nargs {
            let mut v = self.read(a + 2 + k);
            if is_self && self.may_speculate(&site, DeoptReason::Type) {
                // Here as there: then the body can be jumped to.
                let seen = self.snapshot.arg_tags.get(k as usize).copied();
                if let Some(tag) = seen.and_then(only_tag).filter(|&t| t != Tag::NIL) {
                    v = self.guard_tag(v, tag);
                }
            }
            args.push(v);
        }
        self.push(Op::TailCallLua { is_self }, &args, Ty::None);
    }

    fn tail_call_of_other(&mut self, a: u8, nargs: Option<u8>) {
        if self.inlined.is_some() {
            self.call_above_and_return(a, known_count(nargs));
        } else {
            self.call_and_return(a, nargs);
        }
    }

    /// A tail call of a library function that the tier knows.
    fn returned_intrinsic(&mut self, i: Instr) -> bool {
        let site = self.site(i.d());
        let (Some(target), Some(n)) = (self.one_result_of(i, &site), self.nargs(i)) else {
            return false;
        };
        if !self.intrinsic(i.a(), n, 1, &target, &site) {
            return false;
        }
        self.return_op(B::Return1, i);
        true
    }

    /// What the call at the site calls, if that is a library function that
    /// gives one result to these arguments.
    fn one_result_of(&mut self, i: Instr, site: &SiteSnapshot) -> Option<TargetSnapshot> {
        if let Some(target) = self.one_result(site) {
            return Some(target);
        }
        let [way] = &site.ways[..] else { return None };
        let target = way.target.as_ref().filter(|t| t.native)?;
        let counts = Intrinsic::from_u16(target.intrinsic) == Intrinsic::Select
            && self.may_speculate(site, DeoptReason::Callee)
            && {
                let which = self.read(i.a() + FRAME_SLOTS as u8);
                self.is_string(which, "#")
            };
        counts.then(|| target.clone())
    }

    /// What the site calls, if that is a library function that always gives
    /// one result.
    pub(super) fn one_result(&self, site: &SiteSnapshot) -> Option<TargetSnapshot> {
        let target = match &site.ways[..] {
            [way] if self.may_speculate(site, DeoptReason::Callee) => way.target.clone()?,
            _ => return None,
        };
        use Intrinsic as I;
        let one = matches!(
            Intrinsic::from_u16(target.intrinsic),
            I::SetMetatable
                | I::MathSqrt
                | I::MathFloor
                | I::MathCeil
                | I::MathAbs
                | I::MathMin
                | I::MathMax
                | I::MathSin
                | I::MathCos
                | I::MathTan
                | I::MathExp
                | I::MathLog
                | I::MathFmod
                | I::MathUlt
                | I::MathToInteger
                | I::StringSub
                | I::StringChar
                | I::StringLen
                | I::Type
                | I::ToString
                | I::ToNumber
                | I::RawGet
                | I::RawLen
                | I::RawEqual
        );
        (target.native && one).then_some(target)
    }

    /// A call of what is in the window at `a`, whose results are returned.
    fn call_and_return(&mut self, a: u8, nargs: Option<u8>) {
        if nargs.is_some() {
            self.store_call(a, nargs);
        }
        let call = Op::CallWindow {
            a,
            nargs,
            want: None,
        };
        self.push_call(call, &[], Ty::None, a);
        let results = Op::ReturnWindow {
            from: a,
            count: None,
        };
        self.push(results, &[], Ty::None);
        self.cur = None;
    }

    pub(super) fn return_op(&mut self, op: B, i: Instr) {
        let a = i.a();
        let count = match op {
            B::Return0 => Some(0),
            B::Return1 => Some(1),
            _ => (i.b() as usize).checked_sub(1).or_else(|| {
                let end = self.open_end()?;
                Some(usize::from(end - a))
            }),
        };
        if self.inlined.is_some() {
            let results: Vec<Val> = (0..count.unwrap_or(0))
                .map(|k| self.read(a + k as u8))
                .collect();
            self.return_inlined(&results);
            return;
        }
        // There are no tail calls in the scope of a variable to be closed.
        if self.has_tbc() && i.op() != Some(B::TailCall) {
            // What is returned stays in the window while variables are closed.
            let Some(n) = count else {
                self.exit(DeoptReason::Unreached);
                return;
            };
            for r in 0..n {
                self.store_reg(a + r as u8);
            }
            self.push_interp(Ty::None);
        }
        match count {
            Some(0) => {
                self.push(Op::ReturnNone, &[], Ty::None);
            }
            Some(1) => {
                let v = self.read(a);
                self.push(Op::Return, &[v], Ty::None);
            }
            _ => {
                match count {
                    Some(n) => {
                        for r in 0..n {
                            self.store_reg(a + r as u8);
                        }
                    }
                    None => self.store_uses(),
                }
                self.push(
                    Op::ReturnWindow {
                        from: a,
                        count: count.map(|n| n as u8),
                    },
                    &[],
                    Ty::None,
                );
            }
        }
        self.cur = None;
    }
}

/// Of a call in an inlined frame: functions with open lists there are not
/// inlined.
fn known_count(nargs: Option<u8>) -> usize {
    usize::from(nargs.unwrap_or(0))
}
