//! The extra arguments of vararg functions: `...` in a known number, and
//! `select` over all of them, without a copy in the window.
//!
//! In a function of its own the arguments are below the frame and their number
//! is in its record. Where the function is inlined they are values of which the
//! number is known, and so are the lists that they end.

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
        let wanted = (i.b() as usize).checked_sub(1);
        if let Some(extra) = self.known_extra() {
            if wanted.is_some() || !self.select_extra(i) {
                self.copy_extra(i.a(), wanted, &extra);
            }
            return;
        }
        let done = match wanted {
            Some(n) if n <= MAX_LOADS => {
                let count = self.emit(Op::VarargCount, &[], Ty::Int);
                for k in 0..n {
                    let at = self.int(k as i64);
                    let v = self.load_extra(at, count);
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

    /// The extra arguments of an inlined frame.
    fn known_extra(&mut self) -> Option<Vec<Val>> {
        let extra = self.inlined.as_ref()?.extra;
        let end = self.base - FRAME_SLOTS;
        let mut known = Vec::with_capacity(extra);
        for slot in end - extra..end {
            let v = match self.values[slot] {
                Some(v) => v,
                None => self.nil(),
            };
            known.push(v);
        }
        Some(known)
    }

    /// Known extra arguments into the registers from `a` on: `wanted` of them,
    /// or all as an open list.
    fn copy_extra(&mut self, a: u8, wanted: Option<usize>, extra: &[Val]) {
        let n = wanted.unwrap_or(extra.len());
        self.write_list(a, n, extra);
        if wanted.is_none() {
            self.open = Some(self.open_list(a, n as u8));
            self.window_end = self.window_end.max(self.slot(a) + n);
        }
    }

    /// Extra argument `at` (from 0) of those known, nil if there are not so
    /// many.
    fn choose_extra(&mut self, at: Val, extra: &[Val]) -> Val {
        let join = self.func.add_block();
        for (k, &v) in extra.iter().enumerate() {
            let index = self.int(k as i64);
            let here = self.emit(Op::IntCmp(Cond::Eq), &[at, index], Ty::Bool);
            let (hit, miss) = (self.func.add_block(), self.func.add_block());
            self.branch(here, Self::plain(hit), Self::plain(miss));
            self.cur = Some(hit);
            let v = self.boxed(v);
            self.jump_with(join, &[v]);
            self.cur = Some(miss);
        }
        let nil = self.nil();
        let nil = self.boxed(nil);
        self.jump_with(join, &[nil]);
        self.cur = Some(join);
        self.func.add_param(join, Ty::Any)
    }

    /// Extra argument `at` (from 0), nil if there are not so many.
    fn load_extra(&mut self, at: Val, count: Val) -> Val {
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
        let known = self.known_extra();
        let calls = known.as_ref().is_some_and(|extra| {
            let constant = matches!(self.func.def_op(which), Some(Op::Int(_)));
            constant || extra.len() > MAX_LOADS
        });
        if calls {
            // Of known arguments.
            return false;
        }
        let first = self.func.insts.len();
        let callee = self.read(call.a());
        if self.guard_native(callee, target).is_none() {
            return false;
        }
        let count = match &known {
            Some(extra) => self.int(extra.len() as i64),
            None => self.emit(Op::VarargCount, &[], Ty::Int),
        };
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
                let v = match &known {
                    Some(extra) => self.choose_extra(at, extra),
                    None => self.load_extra(at, count),
                };
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
        self.write_list(call.a(), want, &results);
        self.pc += 1;
        self.state = None;
        true
    }
}
