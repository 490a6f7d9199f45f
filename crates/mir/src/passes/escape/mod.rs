//! Escape analysis and scalar replacement of tables, captured variables'
//! cells and closures.
//!
//! An object that is made here and that nobody else has seen is *virtual*: its
//! content is known as values, loads from it become these values, stores
//! replace them, guards on its shape are decided. Frame states name a virtual
//! object through an instruction that describes it ([`Op::VirtualTable`] and
//! its like), so that only a side exit makes it. Where a virtual object gets
//! out of sight (stored elsewhere, passed to a call, returned), it is made
//! right before, and from there on is a plain value.
//!
//! The pass interprets the function over states that say of each object whether
//! it is virtual and what its content is. Where ways join, contents that differ
//! become block parameters, and different objects that only one parameter
//! refers to become one. What is virtual on one way and real on another is made
//! at the end of the former, if it is still needed. Loops are interpreted again
//! until the states at their headers hold for all ways into them. A loop that
//! gets an object from outside and replaces it in each iteration is peeled if
//! the object is virtual from the second iteration on.
//!
//! After Stadler, Würthinger, Mössenböck, "Partial Escape Analysis and Scalar
//! Replacement for Java" (CGO 2014).

mod commit;
mod join;
mod live;
mod peel;
mod step;

use super::Fuel;
use super::edit::drop_unreachable;
use super::peel::peel;
use crate::analysis::{Cfg, in_loops};
use crate::ir::{Block, Func, Inst, InstData, Op, Pool, State, Ty, Val};
use join::Join;
use live::Live;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Most rounds of interpretation; a function that needs more stays as it is.
const MAX_ROUNDS: usize = 24;

/// An object that is made in more places than this stays as it is.
const MAX_COPIES: usize = 4;

/// Most slots of a virtual table.
const MAX_SLOTS: u16 = 32;

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let placed =
        |f: &Func| -> Vec<Inst> { f.blocks.iter().flat_map(|b| b.insts.clone()).collect() };
    if !placed(func).iter().any(|&i| is_candidate(func, i)) {
        return false;
    }
    drop_unreachable(func);
    let candidates: FxHashSet<Inst> = placed(func)
        .into_iter()
        .filter(|&i| is_candidate(func, i) && fuel.take())
        .collect();
    let before = func.clone();
    let Some(headers) = replace(func, candidates) else {
        return false;
    };
    func.spares |= made_in_loops(func) < made_in_loops(&before);
    if headers.is_empty() || !fuel.take() {
        return true;
    }
    let mut peeled = before;
    peeled.spares = func.spares;
    let done: Vec<Block> = headers
        .into_iter()
        .filter(|&h| peel(&mut peeled, h, peel::MAX_LOOP))
        .collect();
    let candidates = placed(&peeled);
    let candidates = candidates
        .into_iter()
        .filter(|&i| is_candidate(&peeled, i))
        .collect();
    let left = replace(&mut peeled, candidates);
    if !done.is_empty() && left.is_some_and(|left| !left.iter().any(|h| done.contains(h))) {
        *func = peeled;
    }
    true
}

/// Places in loops that make objects which may become virtual.
fn made_in_loops(func: &Func) -> usize {
    let inside = in_loops(func, &Cfg::new(func));
    let blocks = func.blocks.iter().zip(inside).filter(|(_, inside)| *inside);
    let insts = blocks.flat_map(|(b, _)| &b.insts);
    insts.filter(|&&i| is_candidate(func, i)).count()
}

/// Replaces these objects. Gives the headers of loops that are worth peeling;
/// `None` if nothing changed.
fn replace(func: &mut Func, mut candidates: FxHashSet<Inst>) -> Option<Vec<Block>> {
    let cfg = Cfg::new(func);
    let live = Live::new(func, &cfg);
    while !candidates.is_empty() {
        let mut pass = Escape::new(func, &cfg, &live, &candidates);
        match pass.solve() {
            Outcome::Solved => {
                let headers = pass.worth_peeling();
                pass.commit();
                return Some(headers);
            }
            Outcome::Without(rejected) => candidates.retain(|c| !rejected.contains(c)),
            Outcome::TooComplex => return None,
        }
    }
    None
}

/// Whether the object that an instruction makes may become virtual.
fn is_candidate(func: &Func, i: Inst) -> bool {
    let data = func.inst(i);
    match data.op {
        Op::NewTable { fields, .. } => {
            fields <= MAX_SLOTS
                && matches!(data.args[..], [s] if matches!(func.def_op(s), Some(Op::Literal(_))))
        }
        Op::NewCell => true,
        Op::NewClosure(_, proto) => proto.is_some(),
        _ => false,
    }
}

/// An object: one that an instruction makes, or what a block parameter refers
/// to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Obj(u32);

/// Where an object comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Origin {
    Inst(Inst),
    /// Objects that come together at a block, in this parameter (by position)
    /// before any other.
    Param(Block, usize),
    /// Objects that come together at a block as parts, in this slot, of what
    /// is one object there.
    Part(Block, Obj, usize),
}

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A table with `cap` inline slots and room for `elems` elements; its
    /// empty shape.
    Table {
        cap: u8,
        elems: u16,
        root: Pool,
    },
    Cell,
    /// A closure of the `child`-th nested prototype.
    Closure {
        child: u16,
        proto: Pool,
    },
}

impl Kind {
    fn ty(self) -> Ty {
        match self {
            Kind::Table { .. } => Ty::Table,
            Kind::Cell => Ty::Cell,
            Kind::Closure { .. } => Ty::LuaFn,
        }
    }
}

/// A value in an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Slot {
    Val(Val),
    /// An object that was virtual when it was stored.
    Obj(Obj),
}

/// The content of a virtual object. No object contains itself.
#[derive(Clone, PartialEq, Debug)]
struct Content {
    /// Shape of a table.
    shape: Option<Pool>,
    /// Slots of a table, the value in a cell, or of a closure its parent and
    /// its cells.
    slots: SmallVec<[Slot; 4]>,
}

/// What is known of an object.
#[derive(Clone, PartialEq, Debug)]
enum Status {
    Virtual(Content),
    /// It exists. `boxed` is the same as `any`; of a cell, which is never
    /// that, the cell.
    Real {
        typed: Val,
        boxed: Val,
    },
}

/// What is known of the objects at some point.
type Flow = BTreeMap<Obj, Status>;

/// What an operand is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ref {
    Val(Val),
    /// A virtual object.
    Obj(Obj),
}

/// What is known at the end of a block.
#[derive(PartialEq, Debug)]
struct End {
    flow: Flow,
    /// By target: its arguments.
    args: Vec<Vec<Ref>>,
}

/// An instruction in its place; with what it becomes, if it changes.
struct Placed {
    inst: Inst,
    data: Option<Box<InstData>>,
}

enum Outcome {
    Solved,
    /// Try again without these.
    Without(FxHashSet<Inst>),
    TooComplex,
}

struct Escape<'f> {
    func: &'f mut Func,
    cfg: &'f Cfg,
    live: &'f Live,
    candidates: &'f FxHashSet<Inst>,
    kinds: Vec<Kind>,
    objects: FxHashMap<Origin, Obj>,
    /// Values that refer to an object.
    alias: FxHashMap<Val, Obj>,
    /// Results of loads, and what they are.
    known: FxHashMap<Val, Val>,
    /// By block: edges into it, as block and position of the target.
    edges: Vec<Vec<(Block, usize)>>,
    /// By block.
    ends: Vec<Option<End>>,
    joins: Vec<Join>,
    placed: Vec<Vec<Placed>>,
    /// New instructions by place: block, original instruction before which
    /// they are, and number. They stay the same from round to round.
    made: FxHashMap<(Block, u32, u32), Inst>,
    rejected: FxHashSet<Inst>,
    /// By candidate: where its object is made.
    copies: FxHashMap<Inst, usize>,
    /// Something changed since the round before.
    changed: bool,
    /// The last round, which makes frame states and sites.
    last: bool,
    /// Registers of the window with those that polls use.
    max_stack: usize,

    // The current place.
    block: Block,
    anchor: u32,
    count: u32,
    flow: Flow,
    out: Vec<Placed>,
    /// Instructions of the current block that describe objects as they are.
    described: FxHashMap<Obj, Val>,
    /// Frame states with objects as they are.
    states: FxHashMap<State, State>,
}

impl<'f> Escape<'f> {
    fn new(
        func: &'f mut Func,
        cfg: &'f Cfg,
        live: &'f Live,
        candidates: &'f FxHashSet<Inst>,
    ) -> Self {
        let n = func.blocks.len();
        let mut edges = vec![Vec::new(); n];
        for &b in &cfg.order {
            for (k, t) in func
                .terminator(b)
                .iter()
                .flat_map(|t| t.targets.iter().enumerate())
            {
                edges[t.block.index()].push((b, k));
            }
        }
        let max_stack = func.max_stack as usize;
        Escape {
            func,
            cfg,
            live,
            candidates,
            kinds: Vec::new(),
            objects: FxHashMap::default(),
            alias: FxHashMap::default(),
            known: FxHashMap::default(),
            edges,
            ends: (0..n).map(|_| None).collect(),
            joins: (0..n).map(|_| Join::default()).collect(),
            placed: (0..n).map(|_| Vec::new()).collect(),
            made: FxHashMap::default(),
            rejected: FxHashSet::default(),
            copies: FxHashMap::default(),
            changed: false,
            last: false,
            max_stack,
            block: Func::ENTRY,
            anchor: 0,
            count: 0,
            flow: Flow::new(),
            out: Vec::new(),
            described: FxHashMap::default(),
            states: FxHashMap::default(),
        }
    }

    /// Interprets the function until nothing changes.
    fn solve(&mut self) -> Outcome {
        for _ in 0..MAX_ROUNDS {
            self.round();
            if !self.rejected.is_empty() {
                return Outcome::Without(std::mem::take(&mut self.rejected));
            }
            if self.last {
                return Outcome::Solved;
            }
            if !self.changed {
                let too_many = |(&i, &n): (&Inst, &usize)| (n > MAX_COPIES).then_some(i);
                self.rejected = self.copies.iter().filter_map(too_many).collect();
                if !self.rejected.is_empty() {
                    return Outcome::Without(std::mem::take(&mut self.rejected));
                }
                self.last = true;
            }
        }
        Outcome::TooComplex
    }

    fn round(&mut self) {
        self.changed = false;
        self.alias.clear();
        self.known.clear();
        self.copies.clear();
        for n in 0..self.cfg.order.len() {
            let b = self.cfg.order[n];
            self.block = b;
            self.forget();
            self.join(b);
            for k in 0..self.func.blocks[b.index()].insts.len() {
                self.step(self.func.blocks[b.index()].insts[k]);
                if !self.rejected.is_empty() {
                    return;
                }
            }
            self.end(b);
        }
    }

    /// Notes what is known at the end of the current block.
    fn end(&mut self, b: Block) {
        let targets = self.func.terminator(b).map(|t| t.targets.clone());
        let args = targets.iter().flatten();
        let args = args
            .map(|t| t.args.iter().map(|&v| self.resolve(v)).collect())
            .collect();
        let end = End {
            flow: std::mem::take(&mut self.flow),
            args,
        };
        let old = &mut self.ends[b.index()];
        if old.as_ref() != Some(&end) {
            self.changed = true;
            *old = Some(end);
        }
        self.placed[b.index()] = std::mem::take(&mut self.out);
    }

    /// Objects are not what they were.
    fn forget(&mut self) {
        self.described.clear();
        self.states.clear();
    }

    fn object(&mut self, origin: Origin, kind: Kind) -> Obj {
        let next = Obj(self.kinds.len() as u32);
        let o = *self.objects.entry(origin).or_insert(next);
        if o == next {
            self.kinds.push(kind);
        }
        o
    }

    fn kind(&self, o: Obj) -> Kind {
        self.kinds[o.0 as usize]
    }

    /// What a value is known to be.
    fn known(&self, mut v: Val) -> Val {
        while let Some(&to) = self.known.get(&v) {
            v = to;
        }
        v
    }

    fn resolve(&self, v: Val) -> Ref {
        let v = self.known(v);
        let Some(&o) = self.alias.get(&v) else {
            return Ref::Val(v);
        };
        match self.flow.get(&o) {
            Some(&Status::Real { typed, boxed }) => Ref::Val(match self.func.ty(v) {
                Ty::Any => boxed,
                _ => typed,
            }),
            _ => Ref::Obj(o),
        }
    }

    fn content(&self, o: Obj) -> Option<&Content> {
        match self.flow.get(&o) {
            Some(Status::Virtual(c)) => Some(c),
            _ => None,
        }
    }
}

/// Calls `f` with the objects that a virtual object refers to.
fn for_each_part(flow: &Flow, o: Obj, f: &mut dyn FnMut(Obj)) {
    if let Some(Status::Virtual(c)) = flow.get(&o) {
        for s in &c.slots {
            if let Slot::Obj(p) = *s {
                f(p);
            }
        }
    }
}

/// Adds what these objects refer to, directly and indirectly.
fn reach(flow: &Flow, from: impl IntoIterator<Item = Obj>) -> FxHashSet<Obj> {
    let mut work: Vec<Obj> = from.into_iter().collect();
    let mut seen: FxHashSet<Obj> = FxHashSet::default();
    while let Some(o) = work.pop() {
        if seen.insert(o) {
            for_each_part(flow, o, &mut |p| work.push(p));
        }
    }
    seen
}
