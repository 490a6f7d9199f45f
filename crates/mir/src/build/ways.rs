//! Calls with several callees: each that is small is built in place behind a
//! test of the callee, or, for a method call, of the receiver's shape; behind
//! that test callee and shape are known. What the site never saw leaves the
//! code, or is called in the general way where that happened before.

use super::calls::Open;
use super::meeting::Meeting;
use super::shapes::{Case, readable};
use super::{Builder, inline};
use crate::ir::{Op, PoolEntry, Ty, Val};
use vela_bytecode::{Instr, Op as B};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::feedback::CacheState;
use vela_objects::shape::FieldKind;
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::TargetSnapshot;

/// Instructions between a method's lookup and its call that are built once
/// for each callee.
const MAX_BETWEEN: usize = 12;

/// Calls with several callees inlined into each other.
const MAX_FORKS: usize = 1;

/// Field accesses among them.
const MAX_FIELDS_BETWEEN: usize = 2;

/// Registers and window where ways part.
pub(super) struct Fork {
    values: Vec<Option<Val>>,
    window: Vec<Option<Val>>,
    pc: usize,
    /// The list that the call takes.
    open: Option<Open>,
}

/// The cases of a method's lookup that find one function.
struct Group {
    closure: u64,
    proto: u64,
    cases: Vec<Case>,
}

impl Builder<'_> {
    pub(super) fn fork(&self) -> Fork {
        Fork {
            values: self.values.clone(),
            window: self.window.clone(),
            pc: self.pc,
            open: self.open,
        }
    }

    /// Begins another way where the ways parted.
    pub(super) fn back_to(&mut self, fork: &Fork) {
        self.values.clone_from(&fork.values);
        self.window.clone_from(&fork.window);
        self.pc = fork.pc;
        self.open = fork.open;
        self.state = None;
    }

    /// Whether the function is small enough to be one of `ways` that are built
    /// in place of a call at register `a`. Ways in ways multiply: they end at
    /// [`MAX_FORKS`] and at recursion.
    fn is_small_way(&self, proto: u64, a: u8, nargs: usize, ways: usize) -> bool {
        let limit = (inline::MAX_CALLEE / ways).max(inline::SMALL_CALLEE);
        self.forks < MAX_FORKS
            && self.recursion(proto) == 0
            && self
                .inlinable(proto, a, nargs)
                .is_some_and(|c| c.size() <= limit)
    }

    /// The callee, if it is known without a test.
    pub(super) fn known_target(&self, callee: Val) -> Option<TargetSnapshot> {
        let (addr, closure) = match self.object_of(callee) {
            Some((closure, Tag::LUA_FN)) => {
                let world = &self.input.snapshot.world;
                (world.closures.get(&closure)?.proto, closure)
            }
            _ => match self.func.def_op(callee)? {
                // One that the function itself has made.
                Op::NewClosure(_, Some(proto)) => match self.func.pool[proto.index()] {
                    PoolEntry::Proto(addr) => (addr, 0),
                    _ => return None,
                },
                _ => return None,
            },
        };
        Some(TargetSnapshot {
            addr,
            closure,
            intrinsic: 0,
            native: false,
            proto: None,
            transitions: Vec::new(),
        })
    }

    /// Whether the closure is the site's callee: the one closure, or one of
    /// the prototype.
    fn is_callee(&mut self, closure: Val, target: &TargetSnapshot) -> Val {
        let (have, want) = match target.closure {
            0 => (
                self.emit(Op::LoadProto, &[closure], Ty::Ptr),
                self.literal(PoolEntry::Proto(target.addr), Ty::Ptr),
            ),
            addr => (
                closure,
                self.literal(PoolEntry::Object(addr, Tag::LUA_FN), Ty::LuaFn),
            ),
        };
        self.emit(Op::SameObject, &[have, want], Ty::Bool)
    }

    /// Ends a way of the call `i`, if it goes on behind the call at all.
    fn arrive_with_results(&mut self, meeting: &mut Meeting, i: Instr) {
        if self.cur.is_some() {
            let results: Vec<Val> = (0..meeting.want as u8)
                .map(|k| self.read(i.a() + k))
                .collect();
            self.arrive(meeting, &results);
        }
    }

    /// A call whose site saw two to four Lua functions; false if none of them
    /// is small.
    pub(super) fn call_ways(&mut self, i: Instr, site: &SiteSnapshot) -> bool {
        let (a, n) = (i.a(), site.ways.len());
        let (Some(nargs), Some(want)) = (self.nargs(i), (i.c() as usize).checked_sub(1)) else {
            return false;
        };
        let targets: Vec<&TargetSnapshot> = site
            .ways
            .iter()
            .filter_map(|w| w.target.as_ref().filter(|t| !t.native))
            .collect();
        let callee = self.read(a);
        let possible = n >= 2
            && targets.len() == n
            && site.state == CacheState::Poly
            && matches!(self.ty(callee), Ty::LuaFn | Ty::Any)
            && self.may_speculate(site, DeoptReason::Type);
        if !possible {
            return false;
        }
        let small: Vec<&TargetSnapshot> = targets
            .into_iter()
            .filter(|t| self.is_small_way(t.addr, a, nargs, n))
            .collect();
        if small.is_empty() {
            return false;
        }
        let strict = small.len() == n && self.may_speculate(site, DeoptReason::Callee);
        let closure = self.guard_tag(callee, Tag::LUA_FN);
        let instance = self.instance_of(0);
        let mut meeting = self.meeting(instance, want, a);
        let fork = self.fork();
        self.forks += 1;
        for (k, target) in small.iter().enumerate() {
            let last = strict && k + 1 == n;
            let mut next = None;
            if last {
                self.guard_callee(closure, target);
            } else {
                let is = self.is_callee(closure, target);
                let (hit, miss) = (self.func.add_block(), self.func.add_block());
                self.branch(is, Self::plain(hit), Self::plain(miss));
                self.cur = Some(hit);
                self.state = None;
                if target.closure != 0 {
                    let entry = PoolEntry::Object(target.closure, Tag::LUA_FN);
                    let known = self.literal(entry, Ty::LuaFn);
                    self.replace(closure, known);
                }
                next = Some(miss);
            }
            self.call_target(i, Some(target), site);
            self.arrive_with_results(&mut meeting, i);
            self.back_to(&fork);
            self.cur = next;
        }
        if !strict {
            self.call_target(i, None, site);
            self.arrive_with_results(&mut meeting, i);
        }
        self.forks -= 1;
        self.meet(meeting, a);
        true
    }

    /// A call at a site that saw Lua functions only, where nothing may be relied
    /// on: what else may come is called in the general way.
    pub(super) fn call_tested(&mut self, i: Instr, nargs: usize, want: usize, site: &SiteSnapshot) {
        let a = i.a();
        let callee = self.read(a);
        // No function: the place of the test itself.
        let instance = self.instance_of(u64::MAX);
        let mut meeting = self.meeting(instance, want, a);
        let fork = self.fork();
        let is = self.emit(Op::HasTag(Tag::LUA_FN), &[callee], Ty::Bool);
        let (hit, miss) = (self.func.add_block(), self.func.add_block());
        self.branch(is, Self::plain(hit), Self::plain(miss));
        self.cur = Some(hit);
        self.state = None;
        let closure = self.emit(Op::Unbox, &[callee], Ty::LuaFn);
        self.replace(callee, closure);
        self.call_lua(a, nargs, Some(want), None, site);
        self.arrive_with_results(&mut meeting, i);
        self.back_to(&fork);
        self.cur = Some(miss);
        self.call_window(a, Some(nargs as u8), Some(want as u8));
        self.arrive_with_results(&mut meeting, i);
        self.meet(meeting, a);
    }

    /// A method looked up in objects of several shapes, and its call; false if
    /// the site is not like that. Where all objects have one method, only the
    /// lookup.
    pub(super) fn method_ways(&mut self, i: Instr, object: Val, site: &SiteSnapshot) -> bool {
        let a = i.a();
        let strict = self.may_speculate(site, DeoptReason::Shape);
        let possible = matches!(self.ty(object), Ty::Any | Ty::Table)
            && self.may_speculate(site, DeoptReason::Type);
        let cases = self.cases(site, readable);
        if !possible || cases.len() < 2 {
            return false;
        }
        let Some(groups) = self.group(cases) else {
            return false;
        };
        let n = groups.len();
        let call = self.call_of_method(a);
        let nargs = call.map_or(0, |pc| usize::from(self.proto.code[pc].b()) - 1);
        let small = |b: &Self, g: &Group| b.is_small_way(g.proto, a, nargs, n);
        let splits = n > 1 && call.is_some() && groups.iter().any(|g| small(self, g));
        if !(splits || n == 1 && strict) {
            return false;
        }
        let call = call.filter(|_| splits);
        let table = self.guard_tag(object, Tag::TABLE);
        let mut meeting = call.map(|pc| {
            let place = std::mem::replace(&mut self.pc, pc);
            let instance = self.instance_of(0);
            self.pc = place;
            // A tail call does not go on.
            let want = (self.proto.code[pc].c() as usize).saturating_sub(1);
            self.meeting(instance, want, a)
        });
        let fork = self.fork();
        for (g, group) in groups.iter().enumerate() {
            let mut miss = None;
            if strict && g + 1 == n {
                self.guard_shapes(table, &group.cases);
            } else {
                let is = self.has_shape_of(table, &group.cases);
                let (hit, next) = (self.func.add_block(), self.func.add_block());
                self.branch(is, Self::plain(hit), Self::plain(next));
                self.cur = Some(hit);
                miss = Some(next);
            }
            self.state = None;
            let mut method = None;
            for case in &group.cases {
                method = Some(self.read_way(table, &case.way, &case.shape, site, None));
            }
            let receiver = self.read(i.b() as u8);
            self.write(a + 2, receiver);
            if let Some(v) = method {
                self.write(a, v);
            }
            if let (Some(pc), Some(meeting)) = (call, &mut meeting) {
                let inlines = small(self, group);
                self.forks += 1;
                self.call_method(pc, inlines, meeting);
                self.forks -= 1;
                self.back_to(&fork);
                self.cur = miss;
            }
        }
        if let (Some(pc), Some(mut meeting)) = (call, meeting) {
            if !strict {
                self.field_by_shape(B::SelfGet, i, object, site, &[]);
                self.call_method(pc, false, &mut meeting);
            }
            self.pc = pc;
            self.meet(meeting, a);
        }
        true
    }

    /// What stands between the lookup at the current pc and its call at `pc`,
    /// and the call.
    fn call_method(&mut self, pc: usize, inlines: bool, meeting: &mut Meeting) {
        while self.pc < pc && self.cur.is_some() {
            self.pc += 1;
            self.state = None;
            let i = self.proto.code[self.pc];
            if self.pc < pc {
                self.instruction(i);
            } else if i.op() == Some(B::TailCall) {
                self.tail_call(i);
            } else {
                let site = self.site(i.d());
                let callee = self.read(i.a());
                let target = self.known_target(callee).filter(|_| inlines);
                self.call_target(i, target.as_ref(), &site);
                self.arrive_with_results(meeting, i);
            }
        }
    }

    /// Sorts the cases by the function they find; `None` if one finds none
    /// that is constant.
    fn group(&self, cases: Vec<Case>) -> Option<Vec<Group>> {
        let mut groups: Vec<Group> = Vec::new();
        for case in cases {
            let field = case.way.field.filter(|f| f.kind == FieldKind::CONST)?;
            let (Tag::LUA_FN, closure) = field.constant else {
                return None;
            };
            let proto = self.input.snapshot.world.closures.get(&closure)?.proto;
            match groups.iter_mut().find(|g| g.closure == closure) {
                Some(g) => g.cases.push(case),
                None => groups.push(Group {
                    closure,
                    proto,
                    cases: vec![case],
                }),
            }
        }
        Some(groups)
    }

    /// The call of the method that the current instruction puts in register
    /// `a`, if what stands between only loads arguments.
    fn call_of_method(&self, a: u8) -> Option<usize> {
        let mut fields = 0;
        let last = self.proto.code.len().min(self.pc + 2 + MAX_BETWEEN);
        for pc in self.pc + 1..last {
            let i = self.proto.code[pc];
            if self.cfg.order.contains(&pc) {
                return None;
            }
            match i.op()? {
                B::Call => return (i.a() == a && i.b() != 0 && i.c() != 0).then_some(pc),
                B::TailCall => {
                    return (i.a() == a && i.b() != 0 && self.inlined.is_some()).then_some(pc);
                }
                B::Move
                | B::LoadInt
                | B::LoadFloat
                | B::LoadK
                | B::LoadNil
                | B::LoadBool
                | B::GetCell
                | B::GetUpval => {}
                B::GetField | B::GetTabUp => fields += 1,
                _ => return None,
            }
            if i.a() <= a + 2 || fields > MAX_FIELDS_BETWEEN {
                return None;
            }
        }
        None
    }
}
