//! Operators on tables whose metamethod is known: a guard of the shape of the
//! operand that has it, and a call like any other, built in place if small.
//! Accesses of fields are operators where the shape lacks the field and
//! `__index` or `__newindex` is a function, those by computed keys where the
//! table lacks the key.
//!
//! The metamethod's frame is where the interpreter would put it: behind the
//! registers of the frame that the operator is in. When that frame is rebuilt
//! in the middle of the call, the interpreter completes the operator. A call of
//! a table is one of its `__call` metamethod in the same place.

use super::{Builder, inline, only_tag};
use crate::helper::Helper;
use crate::ir::{Cond, Op, Ty, Val};
use smallvec::SmallVec;
use vela_bytecode::{FRAME_SLOTS, Instr};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::feedback::{WayKind, arith};
use vela_objects::shape::FieldKind;
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::{TargetSnapshot, WaySnapshot};

/// A metamethod whose guards are built.
pub(super) struct Metamethod {
    /// The closure, a literal.
    closure: Val,
    /// Address of its prototype.
    proto: u64,
    /// The operands.
    args: SmallVec<[Val; 3]>,
}

impl Builder<'_> {
    /// The metamethod that the operator has called so far, if it was always
    /// one of a class; guards that it is the one to call now.
    fn metamethod(
        &mut self,
        site: &SiteSnapshot,
        args: [Val; 2],
        concat: bool,
    ) -> Option<Metamethod> {
        let [way] = &site.ways[..] else { return None };
        let second = match way.kind {
            WayKind::Meta => false,
            WayKind::MetaSecond => true,
            _ => return None,
        };
        let (_, proto) = self.constant_metamethod(way)?;
        let [first, operand] = if second { args } else { [args[1], args[0]] };
        let other = self.ty(first);
        // What has no metamethod stands before one that has.
        let passes =
            !second || matches!(other, Ty::Any | Ty::Int | Ty::Float) || concat && other == Ty::Str;
        let end = self.slot(self.proto.max_stack) + FRAME_SLOTS + args.len();
        let possible = passes
            && end <= inline::WINDOW
            && site.arith & arith::TYPES == arith::OTHER
            && matches!(self.ty(operand), Ty::Any | Ty::Table)
            && self.may_speculate(site, DeoptReason::Type)
            && self.may_speculate(site, DeoptReason::Shape);
        if !possible {
            return None;
        }
        let table = self.guard_tag(operand, Tag::TABLE);
        if second && other == Ty::Any {
            if concat {
                self.guard_tag(first, Tag::STR);
            } else {
                let int = self.emit(Op::HasTag(Tag::INT), &[first], Ty::Bool);
                let float = self.emit(Op::HasTag(Tag::FLOAT), &[first], Ty::Bool);
                let number = self.emit(Op::Select, &[int, int, float], Ty::Bool);
                self.guard(number, DeoptReason::Type);
            }
        }
        let closure = self.guard_metamethod(table, way)?;
        let args = args.map(|v| if v == operand { table } else { v });
        Some(Metamethod {
            closure,
            proto,
            args: SmallVec::from_slice(&args),
        })
    }

    /// The closure and prototype of a metamethod that is a constant field of
    /// the metatable.
    fn constant_metamethod(&self, way: &WaySnapshot) -> Option<(u64, u64)> {
        way.shape.zip(way.holder)?;
        let field = way.field.filter(|f| f.kind == FieldKind::CONST)?;
        let (Tag::LUA_FN, closure) = field.constant else {
            return None;
        };
        let proto = self.input.snapshot.world.closures.get(&closure)?.proto;
        Some((closure, proto))
    }

    /// The metamethod of the way as a literal, behind a guard that it is the
    /// table's.
    fn guard_metamethod(&mut self, table: Val, way: &WaySnapshot) -> Option<Val> {
        self.guard_shape(table, way.shape?.addr);
        self.check_epoch(None);
        self.constant_field(way.field.as_ref())
    }

    /// The `__call` metamethod that the current instruction's call at `a` has
    /// always reached, as its target. Arranges callee and arguments for it:
    /// what was called comes first. `None`, with nothing changed, if there is
    /// no such one.
    pub(super) fn call_through(
        &mut self,
        a: u8,
        nargs: usize,
        site: &SiteSnapshot,
    ) -> Option<TargetSnapshot> {
        let [way] = &site.ways[..] else { return None };
        let (addr, proto) = match way.kind {
            WayKind::Meta => self.constant_metamethod(way)?,
            _ => return None,
        };
        let callee = self.read(a);
        let end = self.slot(a) + FRAME_SLOTS + nargs + 1;
        let possible = end <= inline::WINDOW
            && matches!(self.ty(callee), Ty::Any | Ty::Table)
            && self.may_speculate(site, DeoptReason::Type)
            && self.may_speculate(site, DeoptReason::Shape);
        if !possible {
            return None;
        }
        // Whatever is guarded from here on resumes before the arrangement.
        self.state();
        let table = self.guard_tag(callee, Tag::TABLE);
        let closure = self.guard_metamethod(table, way)?;
        let first = a + FRAME_SLOTS as u8;
        for r in (first..first + nargs as u8).rev() {
            let v = self.read(r);
            self.write(r + 1, v);
        }
        self.write(first, table);
        self.write(a, closure);
        self.window_end = self.window_end.max(end);
        Some(TargetSnapshot {
            addr: proto,
            closure: addr,
            intrinsic: 0,
            native: false,
            proto: None,
            transitions: Vec::new(),
        })
    }

    /// The function that an access of a field has always called, as `__index`
    /// or `__newindex` of one class whose objects lack the field; guards that it
    /// is to be called now, with the object in front of `more`.
    fn access_function(
        &mut self,
        object: Val,
        more: &[Val],
        site: &SiteSnapshot,
    ) -> Option<Metamethod> {
        let [way] = &site.ways[..] else { return None };
        let (_, proto) = match way.kind {
            WayKind::Meta => self.constant_metamethod(way)?,
            _ => return None,
        };
        let end = self.slot(self.proto.max_stack) + FRAME_SLOTS + 1 + more.len();
        let possible = end <= inline::WINDOW
            && matches!(self.ty(object), Ty::Any | Ty::Table)
            && self.may_speculate(site, DeoptReason::Type)
            && self.may_speculate(site, DeoptReason::Shape);
        if !possible {
            return None;
        }
        let table = self.guard_tag(object, Tag::TABLE);
        let closure = self.guard_metamethod(table, way)?;
        let mut args = SmallVec::from_slice(&[table]);
        args.extend_from_slice(more);
        Some(Metamethod {
            closure,
            proto,
            args,
        })
    }

    /// A read of a field that the object's class computes; false if that is not
    /// known. `receiver` is the register for the receiver of a method.
    pub(super) fn get_by_function(
        &mut self,
        a: u8,
        (object, key): (Val, Val),
        receiver: Option<u8>,
        site: &SiteSnapshot,
    ) -> bool {
        let Some(method) = self.access_function(object, &[key], site) else {
            return false;
        };
        let object = method.args[0];
        let (v, calls) = self.call_metamethod(&method);
        if self.cur.is_none() {
            return true;
        }
        if let Some(receiver) = receiver {
            self.write(receiver, object);
            self.forget_slot(receiver);
        }
        self.result_of_metamethod(a, v, calls, site);
        true
    }

    /// A store to a field that the object's class takes itself; false if that
    /// is not known.
    pub(super) fn set_by_function(
        &mut self,
        (object, key, v): (Val, Val, Val),
        site: &SiteSnapshot,
    ) -> bool {
        let Some(method) = self.access_function(object, &[key, v], site) else {
            return false;
        };
        let (_, calls) = self.call_metamethod(&method);
        if self.cur.is_some() && calls {
            self.guard_valid(self.pc + 1);
        }
        true
    }

    /// Calls the metamethod: its first result, with no block if it never
    /// returns; and whether the code may be invalid behind the call.
    fn call_metamethod(&mut self, method: &Metamethod) -> (Val, bool) {
        let a = self.proto.max_stack;
        for (k, &v) in method.args.iter().enumerate() {
            self.write(a + (FRAME_SLOTS + k) as u8, v);
        }
        let nargs = method.args.len();
        let calls = match self.inlinable(method.proto, a, nargs) {
            Some(callee) => self.inline_unchecked(
                callee,
                method.closure,
                a,
                nargs,
                inline::Want {
                    count: 1,
                    open: false,
                },
            ),
            None => {
                let end = self.slot(a) + FRAME_SLOTS + nargs;
                self.window_end = self.window_end.max(end);
                let is_self = method.proto == self.input.snapshot.proto_addr
                    && !self.input.snapshot.proto.is_vararg;
                let call = Op::CallLua {
                    a: self.slot8(a),
                    is_self,
                    open: false,
                };
                let mut args: SmallVec<[Val; 4]> = SmallVec::from_slice(&[method.closure]);
                args.extend_from_slice(&method.args);
                let inst = self.push_call(call, &args, Ty::Any, a);
                self.forget_from(a);
                let v = self.func.result(inst);
                self.write(a, v);
                true
            }
        };
        self.state = None;
        let v = self.read(a);
        self.forget_from(a);
        (v, calls)
    }

    /// An operator that gives a value, through its operands' metamethod; false
    /// if that is not known.
    pub(super) fn operator_by_metamethod(
        &mut self,
        a: u8,
        args: [Val; 2],
        site: &SiteSnapshot,
        concat: bool,
    ) -> bool {
        let Some(method) = self.metamethod(site, args, concat) else {
            return false;
        };
        let (v, calls) = self.call_metamethod(&method);
        if self.cur.is_some() {
            self.result_of_metamethod(a, v, calls, site);
        }
        true
    }

    /// Register `a` gets what a metamethod returned; `calls` as in
    /// [`Builder::call_metamethod`].
    fn result_of_metamethod(&mut self, a: u8, v: Val, calls: bool, site: &SiteSnapshot) {
        let next = self.pc + 1;
        self.write(a, v);
        self.forget_slot(a);
        if self.ty(v) == Ty::Any
            && let Some(tag) = only_tag(site.result).filter(|&t| t != Tag::NIL)
            && self.live.live_in(next as u32).contains(a)
        {
            let s = self.state_at(next);
            self.guard_result(v, tag, s);
        }
        if calls {
            self.guard_valid(next);
        }
    }

    /// A comparison through its operands' metamethod, which goes on at `yes` or
    /// `no`; false if that is not known.
    pub(super) fn comparison_by_metamethod(
        &mut self,
        cond: Cond,
        args: [Val; 2],
        site: &SiteSnapshot,
        (yes, no): (usize, usize),
    ) -> bool {
        let tables = args.map(|v| matches!(self.ty(v), Ty::Any | Ty::Table));
        if cond == Cond::Eq && tables != [true; 2] {
            return false;
        }
        let Some(mut method) = self.metamethod(site, args, false) else {
            return false;
        };
        let a = self.proto.max_stack;
        let instance = self.instance_of(0);
        if cond == Cond::Eq {
            for v in &mut method.args {
                *v = self.guard_tag(*v, Tag::TABLE);
            }
        }
        let mut meeting = self.meeting(instance, 1, a);
        if cond == Cond::Eq {
            // An object equals itself without being asked.
            let same = self.emit(Op::SameObject, &method.args, Ty::Bool);
            let (equal, call) = (self.func.add_block(), self.func.add_block());
            self.branch(same, Self::plain(equal), Self::plain(call));
            self.cur = Some(equal);
            let is = self.emit(Op::Bool(true), &[], Ty::Bool);
            self.arrive(&mut meeting, &[is]);
            self.cur = Some(call);
            self.state = None;
        }
        let (v, calls) = self.call_metamethod(&method);
        if self.cur.is_some() {
            let is = self.truthy(v);
            if calls {
                // Where the interpreter would go on is known on each side only.
                let (t, f) = (self.func.add_block(), self.func.add_block());
                self.branch(is, Self::plain(t), Self::plain(f));
                for (block, pc) in [(t, yes), (f, no)] {
                    self.cur = Some(block);
                    self.guard_valid(pc);
                    let is = self.emit(Op::Bool(block == t), &[], Ty::Bool);
                    self.arrive(&mut meeting, &[is]);
                }
            } else {
                self.arrive(&mut meeting, &[is]);
            }
        }
        self.meet(meeting, a);
        if self.cur.is_some() {
            let met = self.read(a);
            let met = self.truthy(met);
            self.branch_to(met, yes, no);
        }
        true
    }

    /// An access by computed key, a store of `stored` if given, whose table
    /// was always one of a class and, where it lacked the key, called the
    /// function that the metatable has for that; false if it is not like that.
    pub(super) fn index_by_metamethod(
        &mut self,
        i: Instr,
        (object, key): (Val, Val),
        stored: Option<Val>,
        site: &SiteSnapshot,
    ) -> bool {
        let [way] = &site.ways[..] else { return false };
        let Some((_, proto)) = self.constant_metamethod(way) else {
            return false;
        };
        let nargs = 2 + usize::from(stored.is_some());
        let end = self.slot(self.proto.max_stack) + FRAME_SLOTS + nargs;
        let possible = way.kind == WayKind::Meta
            && end <= inline::WINDOW
            && matches!(self.ty(object), Ty::Any | Ty::Table)
            && self.may_speculate(site, DeoptReason::Type)
            && self.may_speculate(site, DeoptReason::Shape);
        if !possible {
            return false;
        }
        let table = self.guard_tag(object, Tag::TABLE);
        let Some(closure) = self.guard_metamethod(table, way) else {
            return false;
        };
        let (behind, next) = (self.proto.max_stack, self.pc + 1);
        let instance = self.instance_of(0);
        let want = usize::from(stored.is_none());
        let mut meeting = self.meeting(instance, want, behind);
        let any = self.boxed(key);
        let own = self.emit(Op::Lib(Helper::RawGet), &[table, any], Ty::Any);
        let lacks = self.emit(Op::HasTag(Tag::NIL), &[own], Ty::Bool);
        let (has, call) = (self.func.add_block(), self.func.add_block());
        self.branch(lacks, Self::plain(call), Self::plain(has));
        let fork = self.fork();
        self.cur = Some(has);
        self.state = None;
        match stored {
            None => self.arrive(&mut meeting, &[own]),
            Some(v) => {
                let mut slow = self.begin_slow();
                let done = self.emit(Op::PutIndex, &[table, key, v], Ty::Bool);
                self.or_slow(&mut slow, done);
                self.join_slow(slow, None);
                self.arrive(&mut meeting, &[]);
            }
        }
        self.back_to(&fork);
        self.cur = Some(call);
        let mut args = SmallVec::from_slice(&[table, key]);
        args.extend(stored);
        let method = Metamethod {
            closure,
            proto,
            args,
        };
        let (v, calls) = self.call_metamethod(&method);
        if self.cur.is_some() {
            if stored.is_none() {
                self.write(i.a(), v);
                self.forget_slot(i.a());
            }
            if calls {
                self.guard_valid(next);
            }
            self.arrive(&mut meeting, &[v][..want]);
        }
        self.meet(meeting, behind);
        if self.cur.is_some() && stored.is_none() {
            let v = self.read(behind);
            self.forget_from(behind);
            self.write(i.a(), v);
            self.forget_slot(i.a());
            if self.ty(v) == Ty::Any
                && let Some(tag) = only_tag(site.result).filter(|&t| t != Tag::NIL)
                && self.live.live_in(next as u32).contains(i.a())
            {
                let s = self.state_at(next);
                self.guard_result(v, tag, s);
            }
        }
        true
    }
}
