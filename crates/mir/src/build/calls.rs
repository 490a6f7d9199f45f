//! Calls, intrinsics and returns.

use super::{Builder, only_tag};
use crate::ir::{FloatFn, Op, PoolEntry, Ty, Val};
use vela_bytecode::{Instr, Op as B};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::intrinsic::Intrinsic;
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::TargetSnapshot;

/// Arguments that fit the call instruction's window.
const MAX_ARGS: usize = 200;

impl Builder<'_> {
    pub(super) fn call(&mut self, i: Instr) {
        let site = self.site(i.d());
        let a = i.a();
        let nargs = (i.b() as usize).checked_sub(1);
        let want = (i.c() as usize).checked_sub(1);
        if site.ways.is_empty()
            && site.count == 0
            && self.may_speculate(&site, DeoptReason::Unreached)
        {
            self.exit(DeoptReason::Unreached);
            return;
        }
        let target = match &site.ways[..] {
            [way] if self.may_speculate(&site, DeoptReason::Callee) => way.target.clone(),
            _ => None,
        };
        let callee = self.read(a);
        if let (Some(t), Some(n)) = (&target, nargs)
            && t.native
            && want == Some(1)
            && self.intrinsic(a, n, t, &site)
        {
            return;
        }
        let all_lua = !site.ways.is_empty()
            && site.state != vela_objects::feedback::CacheState::Mega
            && site
                .ways
                .iter()
                .all(|w| w.target.as_ref().is_some_and(|t| !t.native));
        let lua = self.ty(callee) == Ty::LuaFn
            || self.ty(callee) == Ty::Any
                && all_lua
                && self.may_speculate(&site, DeoptReason::Type);
        match nargs {
            Some(n) if lua && n <= MAX_ARGS => self.call_lua(a, n, want, target.as_ref(), &site),
            _ => self.call_window(i),
        }
    }

    /// A call of a Lua function through its entry.
    fn call_lua(
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
        if target.is_some_and(|t| t.addr == own) && !self.proto.is_vararg {
            let proto = self.emit(Op::LoadProto, &[closure], Ty::Ptr);
            let lit = self.literal(PoolEntry::Proto(own), Ty::Ptr);
            let same = self.emit(Op::SameObject, &[proto, lit], Ty::Bool);
            self.guard(same, DeoptReason::Callee);
            is_self = true;
        }
        let mut args = vec![closure];
        for k in 0..nargs {
            let v = self.read(a + 2 + k as u8);
            args.push(v);
        }
        let call_site = self.site_for(a);
        let next = self.pc + 1;
        match want {
            Some(n @ (0 | 1)) => {
                let ty = if n == 1 { Ty::Any } else { Ty::None };
                let inst = self.push(Op::CallLua { a, is_self }, &args, ty);
                self.func.insts[inst.index()].site = Some(call_site);
                self.forget_from(a);
                if n == 1 {
                    let v = self.func.result(inst);
                    self.write(a, v);
                    self.guard_valid(next);
                    if let Some(tag) = only_tag(site.result) {
                        let expected =
                            tag != Tag::NIL && self.may_speculate(site, DeoptReason::Type);
                        if expected && self.live.live_in(next as u32).contains(a) {
                            let s = self.state_at(next);
                            self.guard_result(v, tag, s);
                        }
                    }
                } else {
                    self.guard_valid(next);
                }
            }
            _ => {
                let want = want.map(|n| n as u8);
                let inst = self.push(Op::CallLuaMulti { a, want }, &args, Ty::None);
                self.func.insts[inst.index()].site = Some(call_site);
                self.forget_from(a);
                let n = want.map_or(0, u32::from);
                self.reload(u32::from(a)..u32::from(a) + n, next);
                self.guard_valid(next);
            }
        }
    }

    /// A call of anything: callee and arguments go through the window.
    fn call_window(&mut self, i: Instr) {
        let a = i.a();
        let nargs = (i.b() as usize).checked_sub(1).map(|n| n as u8);
        let want = (i.c() as usize).checked_sub(1).map(|n| n as u8);
        self.store_call(a, nargs);
        let call_site = self.site_for(a);
        let inst = self.push(Op::CallWindow { a, nargs, want }, &[], Ty::None);
        self.func.insts[inst.index()].site = Some(call_site);
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

    /// A call of a library function that the tier knows; false if it cannot
    /// be specialised here.
    fn intrinsic(
        &mut self,
        a: u8,
        nargs: usize,
        target: &TargetSnapshot,
        site: &SiteSnapshot,
    ) -> bool {
        use Intrinsic as I;
        let which = Intrinsic::from_u16(target.intrinsic);
        let args: Vec<Val> = (0..nargs).map(|k| self.read(a + 2 + k as u8)).collect();
        let number = |ty: Ty| matches!(ty, Ty::Int | Ty::Float);
        let types: Vec<Ty> = args.iter().map(|&v| self.ty(v)).collect();
        let supported = match which {
            I::MathSqrt | I::MathSin | I::MathCos | I::MathTan | I::MathExp => {
                nargs == 1 && (number(types[0]) || types[0] == Ty::Any)
            }
            I::MathLog => nargs == 1 && (number(types[0]) || types[0] == Ty::Any),
            I::MathFloor | I::MathCeil => nargs == 1 && number(types[0]),
            I::MathAbs => nargs == 1 && types[0] == Ty::Float,
            I::MathMin | I::MathMax => nargs == 2 && types[0] == types[1] && number(types[0]),
            I::StringLen => nargs == 1 && types[0] == Ty::Str,
            I::Type => false,
            _ => false,
        };
        if !supported || !self.may_speculate(site, DeoptReason::Type) {
            return false;
        }
        let callee = self.read(a);
        if !matches!(self.func.def_op(callee), Some(Op::Literal(p)) if self.func.pool[p.index()] == PoolEntry::Object(target.addr, Tag::NATIVE_FN))
        {
            if !matches!(self.ty(callee), Ty::Any | Ty::NativeFn) {
                return false;
            }
            let f = self.guard_tag(callee, Tag::NATIVE_FN);
            let lit = self.literal(PoolEntry::Object(target.addr, Tag::NATIVE_FN), Ty::NativeFn);
            let same = self.emit(Op::SameObject, &[f, lit], Ty::Bool);
            self.guard(same, DeoptReason::Callee);
        }
        let v = match which {
            I::MathFloor | I::MathCeil => {
                if types[0] == Ty::Int {
                    args[0]
                } else {
                    let f = if which == I::MathFloor {
                        FloatFn::Floor
                    } else {
                        FloatFn::Ceil
                    };
                    let r = self.emit(Op::FloatFn(f), &[args[0]], Ty::Float);
                    let s = self.state();
                    let i = self.push(Op::GuardFloatToInt, &[r], Ty::Int);
                    self.attach(i, s, DeoptReason::Range);
                    self.func.result(i)
                }
            }
            I::MathAbs => self.emit(Op::FloatFn(FloatFn::Abs), &[args[0]], Ty::Float),
            I::MathMin | I::MathMax => {
                let ty = types[0];
                let (x, y) = (args[0], args[1]);
                // As the library: the later argument only if strictly better.
                let (l, r) = if which == I::MathMin { (y, x) } else { (x, y) };
                let op = if ty == Ty::Int {
                    Op::IntCmp(crate::ir::Cond::Lt)
                } else {
                    Op::FloatCmp(crate::ir::Cond::Lt)
                };
                let better = self.emit(op, &[l, r], Ty::Bool);
                self.emit(Op::Select, &[better, y, x], ty)
            }
            I::StringLen => self.emit(Op::StrLen, &[args[0]], Ty::Int),
            _ => {
                let x = if types[0] == Ty::Any {
                    self.guard_tag(args[0], Tag::FLOAT)
                } else {
                    self.as_float(args[0])
                };
                let f = match which {
                    I::MathSqrt => FloatFn::Sqrt,
                    I::MathSin => FloatFn::Sin,
                    I::MathCos => FloatFn::Cos,
                    I::MathTan => FloatFn::Tan,
                    I::MathExp => FloatFn::Exp,
                    _ => FloatFn::Log,
                };
                self.emit(Op::FloatFn(f), &[x], Ty::Float)
            }
        };
        self.forget_from(a);
        self.write(a, v);
        true
    }

    /// Only Lua functions take the frame's place. Natives and what cannot be
    /// called run above it, so that errors name this function and its line;
    /// callable tables are left to the interpreter, which does both.
    pub(super) fn tail_call(&mut self, i: Instr) {
        let a = i.a();
        let nargs = (i.b() as usize).checked_sub(1).map(|n| n as u8);
        self.store_call(a, nargs);
        let callee = self.read(a);
        match self.ty(callee) {
            Ty::LuaFn => {}
            Ty::Table => {
                self.exit(DeoptReason::Callee);
                return;
            }
            Ty::Any => {
                let is_lua = self.emit(Op::HasTag(Tag::LUA_FN), &[callee], Ty::Bool);
                let (lua, other) = (self.func.add_block(), self.func.add_block());
                self.branch(is_lua, Self::plain(lua), Self::plain(other));
                self.cur = Some(other);
                let is_table = self.emit(Op::HasTag(Tag::TABLE), &[callee], Ty::Bool);
                let no_table = self.emit(Op::Not, &[is_table], Ty::Bool);
                self.guard(no_table, DeoptReason::Callee);
                self.call_and_return(a, nargs);
                self.cur = Some(lua);
            }
            _ => {
                self.call_and_return(a, nargs);
                return;
            }
        }
        self.push(Op::TailCall { a, nargs }, &[], Ty::None);
        self.cur = None;
    }

    /// A call of what is in the window at `a`, whose results are returned.
    fn call_and_return(&mut self, a: u8, nargs: Option<u8>) {
        let call_site = self.site_for(a);
        let call = Op::CallWindow {
            a,
            nargs,
            want: None,
        };
        let inst = self.push(call, &[], Ty::None);
        self.func.insts[inst.index()].site = Some(call_site);
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
            _ => (i.b() as usize).checked_sub(1),
        };
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
