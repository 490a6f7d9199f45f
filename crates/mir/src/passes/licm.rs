//! Loop-invariant code motion of pure operations, loads and guards.
//!
//! Code moves to the loop's preheader, which is made where it is missing. A
//! load moves when nothing in the loop writes its class and it cannot fault
//! there. A guard moves only with a frame state that is valid before the loop:
//! that of the first guard in the header, if nothing with an effect precedes
//! it, with the header's parameters replaced by the values that enter the
//! loop. The interpreter then starts the iteration that the guard would have
//! interrupted. Failing that, the state of the last guard before the loop
//! serves if nothing with an effect follows it. The instruction whose speculation failed stays on record.

use super::Fuel;
use super::memory::{ClassSet, Classes};
use crate::analysis::{Cfg, Loop, loops, placement};
use crate::exits::is_before_commit;
use crate::ir::{Block, Def, FrameState, Func, Inst, IntOp, Op, State, Target, Ty, Val};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use vela_objects::Tag;

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut changed = preheaders(func, fuel);
    let cfg = Cfg::new(func);
    let classes = Classes::new(func);
    let mut place: Vec<Option<Block>> = placement(func).iter().map(|p| p.map(|p| p.0)).collect();
    let guards = Guards::new(func);
    for l in loops(func, &cfg) {
        let Some(preheader) = l.preheader.filter(|&p| !is_before_commit(func, p)) else {
            continue;
        };
        let mut member = vec![false; func.blocks.len()];
        l.blocks.iter().for_each(|b| member[b.index()] = true);
        let insts = l.blocks.iter().flat_map(|b| &func.blocks[b.index()].insts);
        let written = classes.clobbered(func, insts.copied());
        let mut motion = Motion {
            guards: &guards,
            cfg: &cfg,
            l: &l,
            member: &member,
            preheader,
            written,
            classes: &classes,
            place: &mut place,
            func: &mut *func,
            fuel,
            state: None,
            states: FxHashMap::default(),
            changed: false,
        };
        motion.run();
        changed |= motion.changed;
    }
    changed
}

/// Gives every loop a block that only leads into it.
fn preheaders(func: &mut Func, fuel: &mut Fuel) -> bool {
    let cfg = Cfg::new(func);
    let mut changed = false;
    for l in loops(func, &cfg) {
        if l.preheader.is_some_and(|p| !is_before_commit(func, p))
            || l.header == Func::ENTRY
            || !fuel.take()
        {
            continue;
        }
        let block = func.add_block();
        let types: Vec<Ty> = func.blocks[l.header.index()]
            .params
            .iter()
            .map(|&p| func.ty(p))
            .collect();
        let args: SmallVec<[Val; 4]> = types.iter().map(|&t| func.add_param(block, t)).collect();
        let jump = func.push(block, Op::Jump, &[], Ty::None);
        func.insts[jump.index()].targets.push(Target {
            block: l.header,
            args,
        });
        for &p in &cfg.preds[l.header.index()] {
            if l.latches.contains(&p) {
                continue;
            }
            let Some(&last) = func.blocks[p.index()].insts.last() else {
                continue;
            };
            for t in &mut func.insts[last.index()].targets {
                if t.block == l.header {
                    t.block = block;
                }
            }
        }
        func.blocks[block.index()].cold = func.blocks[l.header.index()].cold;
        changed = true;
    }
    changed
}

/// The guards on each value.
#[derive(Default)]
struct Guards {
    tags: FxHashMap<(Val, Tag), Vec<Inst>>,
    shapes: FxHashMap<Val, Vec<Inst>>,
}

impl Guards {
    fn new(func: &Func) -> Guards {
        let mut guards = Guards::default();
        for i in func.blocks.iter().flat_map(|b| &b.insts) {
            let data = func.inst(*i);
            match data.op {
                Op::GuardTag(t) => guards.tags.entry((data.args[0], t)).or_default().push(*i),
                Op::GuardShape => guards.shapes.entry(data.args[0]).or_default().push(*i),
                _ => {}
            }
        }
        guards
    }
}

struct Motion<'a> {
    func: &'a mut Func,
    guards: &'a Guards,
    fuel: &'a mut Fuel,
    cfg: &'a Cfg,
    classes: &'a Classes,
    l: &'a Loop,
    member: &'a [bool],
    preheader: Block,
    written: ClassSet,
    /// By instruction: its block now.
    place: &'a mut Vec<Option<Block>>,
    /// The header's state, for exits from the preheader.
    state: Option<State>,
    /// Callers' states, copied for the preheader.
    states: FxHashMap<State, Option<State>>,
    changed: bool,
}

impl Motion<'_> {
    fn run(&mut self) {
        let mut order: Vec<Block> = self.l.blocks.clone();
        order.sort_by_key(|b| self.cfg.position[b.index()]);
        // Constants first: the header's state may name some.
        for &b in &order {
            self.sweep(b, |m, i| {
                let data = m.func.inst(i);
                data.args.is_empty() && data.op.is_pure() && data.op != Op::VarargCount
            });
        }
        let before = self.state_before();
        // While true, what comes next in the walk is executed whenever the
        // preheader is, and every guard before it has been moved there.
        let mut exact = true;
        let mut next_exact = Some(self.l.header);
        for &b in &order {
            exact &= next_exact == Some(b);
            let latches = &self.l.latches;
            if !latches.iter().all(|&l| self.cfg.dominates(b, l)) {
                continue;
            }
            let insts = self.func.blocks[b.index()].insts.clone();
            for i in insts {
                if b == self.l.header && self.state.is_none() && exact {
                    self.find_state(i);
                }
                if self.state.is_none() && self.func.inst(i).op.is_guard() {
                    self.state = before;
                }
                let moved = self.movable(i, exact) && self.hoist(i);
                let op = &self.func.inst(i).op;
                if !moved && (op.is_guard() || op.is_call_site() && *op != Op::Poll) {
                    exact = false;
                }
            }
            self.settle(b);
            next_exact = match self.func.terminator(b) {
                Some(t)
                    if t.op == Op::Jump
                        && self.cfg.preds[t.targets[0].block.index()].len() == 1 =>
                {
                    Some(t.targets[0].block)
                }
                _ => None,
            };
        }
    }

    fn sweep(&mut self, b: Block, movable: impl Fn(&Self, Inst) -> bool) {
        for i in self.func.blocks[b.index()].insts.clone() {
            if movable(self, i) {
                self.hoist(i);
            }
        }
        self.settle(b);
    }

    /// Takes what was moved out of a block.
    fn settle(&mut self, b: Block) {
        let place = &*self.place;
        self.func.blocks[b.index()]
            .insts
            .retain(|i| place[i.index()] == Some(b));
    }

    /// Moves the instruction; [`Motion::settle`] takes it from its block.
    fn hoist(&mut self, i: Inst) -> bool {
        if !self.fuel.take() {
            return false;
        }
        if self.func.inst(i).op.is_guard() {
            let old = self.func.inst(i).state;
            let origin = old.map(|s| self.func.states[s.index()].pc);
            let data = &mut self.func.insts[i.index()];
            data.origin = data.origin.or(origin);
            data.state = self.state;
        }
        let into = &mut self.func.blocks[self.preheader.index()].insts;
        into.insert(into.len() - 1, i);
        self.place[i.index()] = Some(self.preheader);
        self.changed = true;
        true
    }

    /// Whether the value is available in the preheader.
    fn outside(&self, v: Val) -> bool {
        let b = match self.func.vals[v.index()].def {
            Def::Inst(i) => self.place[i.index()],
            Def::Param(b, _) => Some(b),
        };
        b.is_some_and(|b| !self.member[b.index()])
    }

    fn movable(&self, i: Inst, exact: bool) -> bool {
        let data = self.func.inst(i);
        if !data.args.iter().all(|&v| self.outside(v)) {
            return false;
        }
        if let Some(class) = self.classes.read_by(self.func, i)
            && class.is_none_or(|n| self.written[n as usize])
        {
            return false;
        }
        match &data.op {
            op if op.is_guard() => {
                !matches!(op, Op::Exit | Op::GuardValid | Op::GuardPolled) && self.same_frame(i)
            }
            // What these need is proved by guards and branches before them.
            Op::Unbox => {
                exact
                    || data
                        .result
                        .and_then(|r| self.func.ty(r).tag())
                        .is_some_and(|t| self.tag_is_known(data.args[0], t))
            }
            Op::LoadSlot(_) => exact || self.shape_is_known(data.args[0]),
            Op::LoadElem | Op::LoadVararg | Op::StrByte => exact,
            Op::Upval(_) => exact || self.func.def_op(data.args[0]) == Some(&Op::SelfClosure),
            Op::IntOp(IntOp::FloorDiv | IntOp::Mod) => {
                exact || matches!(self.func.def_op(data.args[1]), Some(Op::Int(d)) if *d != 0)
            }
            op => op.is_pure() || op.reads().is_some(),
        }
    }

    /// Whether there is a state for exits from the preheader and it resumes in
    /// the function that the guard is about, which records the failure.
    fn same_frame(&self, guard: Inst) -> bool {
        let frame = |s: State| {
            let caller = self.func.states[s.index()].caller.as_ref();
            caller.map(|c| (c.proto, c.a, c.nvarargs))
        };
        match (self.state, self.func.inst(guard).state) {
            (Some(new), Some(old)) => frame(new) == frame(old),
            _ => false,
        }
    }

    fn before_loop(&self, i: Inst) -> bool {
        self.place[i.index()]
            .is_some_and(|b| self.cfg.is_reachable(b) && self.cfg.dominates(b, self.preheader))
    }

    /// Whether a guard before the loop proved the tag.
    fn tag_is_known(&self, v: Val, tag: Tag) -> bool {
        let guards = self.guards.tags.get(&(v, tag));
        guards.is_some_and(|g| g.iter().any(|&i| self.before_loop(i)))
    }

    /// Whether a guard before the loop proved the table's shape. If the shape
    /// could have changed since, the loop would guard again.
    fn shape_is_known(&self, table: Val) -> bool {
        let Some(guards) = self.guards.shapes.get(&table) else {
            return false;
        };
        let inside = |&i: &Inst| self.place[i.index()].is_some_and(|b| self.member[b.index()]);
        guards.iter().any(|&i| self.before_loop(i)) && !guards.iter().any(inside)
    }

    /// Makes the preheader's state from that of the header's first guard.
    fn find_state(&mut self, i: Inst) {
        let data = self.func.inst(i);
        if !data.op.is_guard() {
            return;
        }
        let Some(s) = data.state else {
            return;
        };
        let mut stored = [false; 256];
        for &x in &self.func.blocks[self.l.header.index()].insts {
            if x == i {
                break;
            }
            match self.func.inst(x).op {
                Op::StoreReg(r) => stored[r as usize] = true,
                // Taken or not, a poll leaves nothing to repeat.
                Op::Poll => {}
                ref op if super::dce::is_removable(op) => {}
                _ => return,
            }
        }
        if self.func.states[s.index()]
            .in_window
            .iter()
            .any(|&r| stored[r as usize])
        {
            return;
        }
        self.state = self.translate(s);
    }

    /// The state of the last guard before the loop, if nothing with an effect
    /// follows it: the interpreter then repeats what leads to the loop.
    fn state_before(&self) -> Option<State> {
        let mut stored = [false; 256];
        let mut b = self.preheader;
        loop {
            for &i in self.func.blocks[b.index()].insts.iter().rev() {
                let data = self.func.inst(i);
                if let (true, Some(s)) = (data.op.is_guard(), data.state) {
                    let window = &self.func.states[s.index()].in_window;
                    let known = !window.iter().any(|&r| stored[r as usize]);
                    return known.then_some(s);
                }
                match data.op {
                    Op::StoreReg(r) => stored[r as usize] = true,
                    Op::Poll | Op::Jump | Op::Branch | Op::GuardValid | Op::GuardPolled => {}
                    ref op if super::dce::is_removable(op) => {}
                    // Before the commit, guards need no state.
                    ref op if op.is_guard() => {}
                    _ => return None,
                }
            }
            match self.cfg.preds[b.index()].as_slice() {
                [p] => b = *p,
                _ => return None,
            }
        }
    }

    /// The state with values that are available in the preheader.
    fn translate(&mut self, s: State) -> Option<State> {
        if let Some(&known) = self.states.get(&s) {
            return known;
        }
        let new = self.translated(s);
        let new = new.map(|fs| {
            self.func.states.push(fs);
            State(self.func.states.len() as u32 - 1)
        });
        self.states.insert(s, new);
        new
    }

    fn translated(&mut self, s: State) -> Option<FrameState> {
        let mut fs = self.func.states[s.index()].clone();
        for r in &mut fs.regs {
            r.1 = self.entering(r.1)?;
        }
        if let Some(c) = &mut fs.caller {
            c.closure = self.entering(c.closure)?;
            c.state = self.translate(c.state)?;
        }
        Some(fs)
    }

    /// The value that `v` has when the loop is entered.
    fn entering(&self, v: Val) -> Option<Val> {
        let v = crate::exits::unboxed(self.func, v);
        match self.func.vals[v.index()].def {
            Def::Param(b, k) if b == self.l.header => {
                let t = self.func.terminator(self.preheader)?;
                Some(t.targets[0].args[k as usize])
            }
            _ => self.outside(v).then_some(v),
        }
    }
}
