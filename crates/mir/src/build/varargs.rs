//! The extra arguments of vararg functions: `...` in a known number, and
//! `select` over all of them, without a copy in the window.

use super::{Builder, only_tag};
use crate::ir::{Cond, IntOp, Op, Ty, Val};
use vela_bytecode::{FRAME_SLOTS, Instr, Op as B};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::intrinsic::Intrinsic;

/// Values of `...` that are loaded one by one.
const MAX_LOADS: usize = 8;

impl Builder<'_> {
    /// `...` into registers, or as the arguments of the call that follows.
    pub(super) fn vararg(&mut self, i: Instr) {
        let done = match (i.b() as usize).checked_sub(1) {
            Some(n) if n <= MAX_LOADS => {
                let count = self.emit(Op::VarargCount, &[], Ty::Int);
                for k in 0..n {
                    let at = self.int(k as i64);
                    let v = self.extra_argument(at, count);
                    self.write(i.a() + k as u8, v);
                }
                true
            }
            Some(_) => false,
            None => self.select_extra(i),
        };
        if !done {
            self.interp_one();
        }
    }

    /// Extra argument `at` (from 0), nil if there are not so many.
    fn extra_argument(&mut self, at: Val, count: Val) -> Val {
        let inside = self.emit(Op::IntCmp(Cond::ULt), &[at, count], Ty::Bool);
        let (there, none) = (self.func.add_block(), self.func.add_block());
        let join = self.func.add_block();
        self.branch(inside, Self::plain(there), Self::plain(none));
        self.cur = Some(there);
        let v = self.emit(Op::LoadVararg, &[at], Ty::Any);
        self.jump_with(join, &[v]);
        self.cur = Some(none);
        let nil = self.nil();
        let nil = self.boxed(nil);
        self.jump_with(join, &[nil]);
        self.cur = Some(join);
        self.func.add_param(join, Ty::Any)
    }

    /// `select(n, ...)` and `select("#", ...)`, the call included. Nothing is
    /// done before the last guard, so all of them resume here.
    fn select_extra(&mut self, i: Instr) -> bool {
        let call = self.proto.code[self.pc + 1];
        let site = self.site(call.d());
        let args = call.a() + FRAME_SLOTS as u8;
        let want = (call.c() as usize).checked_sub(1);
        let (Some(want), [way]) = (want, &site.ways[..]) else {
            return false;
        };
        let fits = call.op() == Some(B::Call)
            && call.b() == 0
            && i.a() == args + 1
            && want <= MAX_LOADS
            && !self.cfg.order.contains(&(self.pc + 1))
            && self.may_speculate(&site, DeoptReason::Callee)
            && self.may_speculate(&site, DeoptReason::Type);
        let Some(target) = way
            .target
            .as_ref()
            .filter(|t| fits && t.native && Intrinsic::from_u16(t.intrinsic) == Intrinsic::Select)
        else {
            return false;
        };
        let which = self.read(args);
        let count_only = self.is_string(which, "#");
        if !count_only && !matches!(self.ty(which), Ty::Int | Ty::Any) {
            return false;
        }
        let first = self.func.insts.len();
        let callee = self.read(call.a());
        if self.guard_native(callee, target).is_none() {
            return false;
        }
        let count = self.emit(Op::VarargCount, &[], Ty::Int);
        let mut results = Vec::new();
        if count_only {
            results.push(count);
        } else {
            let n = self.guard_tag(which, Tag::INT);
            let zero = self.int(0);
            let positive = self.emit(Op::IntCmp(Cond::Gt), &[n, zero], Ty::Bool);
            self.guard(positive, DeoptReason::Type);
            for k in 0..want {
                let back = self.int(k as i64 - 1);
                let at = self.emit(Op::IntOp(IntOp::Add), &[n, back], Ty::Int);
                let v = self.extra_argument(at, count);
                results.push(match only_tag(site.result) {
                    Some(tag) if k == 0 && tag != Tag::NIL => self.guard_tag(v, tag),
                    _ => v,
                });
            }
        }
        let call_pc = self.pc as u32 + 1;
        for inst in &mut self.func.insts[first..] {
            if inst.op.is_guard() && inst.origin.is_none() {
                inst.origin = Some(call_pc);
            }
        }
        self.forget_from(call.a());
        for k in 0..want {
            let v = match results.get(k) {
                Some(&v) => v,
                None => self.nil(),
            };
            self.write(call.a() + k as u8, v);
        }
        self.pc += 1;
        self.state = None;
        true
    }
}
