//! Value numbering over the dominator tree: pure operations, loads, guards.
//!
//! One walk finds repeated operations in scopes that follow the dominator
//! tree. A load is numbered with the *version* of its alias class, which
//! changes at every operation that may write the class and at blocks that
//! such an operation may precede. Stores make the stored value available to
//! loads. A guard that passed, and a branch that was taken, are facts in what
//! they dominate: guards and branches that the facts decide vanish.
//!
//! After Briggs, Cooper, Simpson, "Value Numbering" (1997), with the facts of
//! a branch as in Click and Cooper's conditional propagation.

use super::Fuel;
use super::edit::{Replacements, become_op};
use super::memory::{ClassSet, Classes, class_read};
use crate::analysis::Cfg;
use crate::ir::{Alias, Block, Cond, Def, FloatOp, Func, Inst, IntOp, Op, Pool, Ty, Val};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use vela_objects::Tag;
use vela_objects::table::ELEMS_MIXED;

/// What makes two operations the same.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    op: Op,
    args: SmallVec<[Val; 3]>,
    ty: Ty,
    /// Of the memory that is read; 0 for pure operations.
    version: u32,
}

/// What is known of an operation that was already done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Its result.
    Value(Val),
    /// The content of its result, which is of type `any`.
    Content(Val),
    /// That it passed.
    Passed,
}

/// Shapes of which a table has one, as literals.
type Shapes = SmallVec<[Val; 8]>;

/// A change to undo at the end of a scope.
enum Undo {
    Shapes(Val, Option<(u32, Shapes)>),
    Key(Key, Option<Known>),
    Fact(Val, Option<bool>),
    Tag(Val, Option<Tag>),
}

/// What to do with an instruction.
enum Action {
    Keep,
    Remove,
    Replace(Val),
}

struct Gvn<'f> {
    func: &'f mut Func,
    fuel: &'f mut Fuel,
    classes: Classes,
    known: FxHashMap<Key, Known>,
    facts: FxHashMap<Val, bool>,
    tags: FxHashMap<Val, Tag>,
    /// By table: the version of the shapes' memory, and which it may have.
    shapes: FxHashMap<Val, (u32, Shapes)>,
    undo: Vec<Undo>,
    /// Numbers values as they are met: of two of which one dominates the
    /// other, that one has the lower number.
    order: FxHashMap<Val, u32>,
    /// Current version by class.
    versions: Vec<u32>,
    next_version: u32,
    /// By table that was made here: the first version given since then.
    made: FxHashMap<Val, u32>,
    replaced: Replacements,
    changed: bool,
}

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let cfg = Cfg::new(func);
    let classes = Classes::new(func);
    let clobbered: Vec<ClassSet> = func
        .blocks
        .iter()
        .map(|b| {
            let mut set = vec![false; classes.list.len()];
            for &i in &b.insts {
                classes.for_each_clobbered(func, i, |n| set[n] = true);
            }
            set
        })
        .collect();
    let mut paths = Paths {
        cfg: &cfg,
        clobbered: &clobbered,
        seen: vec![u32::MAX; func.blocks.len()],
        // Keeps the search near-linear; beyond it, everything counts as written.
        budget: 64 * func.blocks.len() + 4096,
    };
    let n = classes.list.len();
    let replaced = Replacements::new(func);
    let mut gvn = Gvn {
        func,
        fuel,
        known: FxHashMap::default(),
        facts: FxHashMap::default(),
        tags: FxHashMap::default(),
        shapes: FxHashMap::default(),
        undo: Vec::new(),
        order: FxHashMap::default(),
        versions: (1..=n as u32).collect(),
        next_version: n as u32 + 1,
        made: FxHashMap::default(),
        classes,
        replaced,
        changed: false,
    };
    let mut at_end: Vec<Vec<u32>> = vec![Vec::new(); gvn.func.blocks.len()];
    // (block, next child, length of the undo log at the start).
    let mut stack: Vec<(Block, usize, usize)> = vec![(Func::ENTRY, 0, 0)];
    while let Some((b, child, mark)) = stack.pop() {
        if child == 0 {
            if let Some(idom) = cfg.idom(b) {
                gvn.versions.clone_from(&at_end[idom.index()]);
                paths.forget(&mut gvn, b, idom);
                gvn.assume_edge(&cfg, b);
            }
            gvn.block(b);
            at_end[b.index()] = gvn.versions.clone();
        }
        match cfg.children[b.index()].get(child) {
            Some(&c) => {
                stack.push((b, child + 1, mark));
                stack.push((c, 0, gvn.undo.len()));
            }
            None => gvn.leave(mark),
        }
    }
    let Gvn {
        func,
        replaced,
        changed,
        ..
    } = gvn;
    replaced.apply(func);
    changed
}

/// Finds what is written between a block and its immediate dominator.
struct Paths<'c> {
    cfg: &'c Cfg,
    clobbered: &'c [ClassSet],
    seen: Vec<u32>,
    budget: usize,
}

impl Paths<'_> {
    /// Gives new versions to what may be written after the end of `idom` and
    /// before the start of `b`.
    fn forget(&mut self, gvn: &mut Gvn<'_>, b: Block, idom: Block) {
        let preds = &self.cfg.preds[b.index()];
        if preds.as_slice() == [idom] {
            return;
        }
        let mut written = vec![false; gvn.versions.len()];
        let mut work: Vec<Block> = preds.clone();
        while let Some(p) = work.pop() {
            if p == idom || self.seen[p.index()] == b.0 {
                continue;
            }
            self.seen[p.index()] = b.0;
            if self.budget == 0 {
                written.fill(true);
                break;
            }
            self.budget -= 1;
            for (w, c) in written.iter_mut().zip(&self.clobbered[p.index()]) {
                *w |= c;
            }
            work.extend(&self.cfg.preds[p.index()]);
        }
        for (n, w) in written.iter().enumerate() {
            if *w {
                gvn.new_version(n);
            }
        }
    }
}

fn commutes(op: &Op) -> bool {
    matches!(
        op,
        Op::IntOp(IntOp::Add | IntOp::Mul | IntOp::And | IntOp::Or | IntOp::Xor)
            | Op::FloatOp(FloatOp::Add | FloatOp::Mul)
            | Op::IntCmp(Cond::Eq | Cond::Ne)
            | Op::FloatCmp(Cond::Eq | Cond::Ne)
            | Op::SameBits
            | Op::SameObject
    )
}

impl Gvn<'_> {
    fn leave(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop().expect("longer than the mark") {
                Undo::Key(k, old) => restore(&mut self.known, k, old),
                Undo::Fact(v, old) => restore(&mut self.facts, v, old),
                Undo::Tag(v, old) => restore(&mut self.tags, v, old),
                Undo::Shapes(v, old) => restore(&mut self.shapes, v, old),
            }
        }
    }

    fn new_version(&mut self, class: usize) {
        self.versions[class] = self.next_version;
        self.next_version += 1;
    }

    fn version(&self, class: Alias) -> u32 {
        self.classes
            .id(class)
            .map_or(0, |n| self.versions[n as usize])
    }

    fn key(&self, op: Op, args: &[Val], ty: Ty, version: u32) -> Key {
        let mut args = SmallVec::from_slice(args);
        if commutes(&op) {
            args.sort();
        }
        Key {
            op,
            args,
            ty,
            version,
        }
    }

    fn load_key(&self, op: Op, args: &[Val], ty: Ty) -> Key {
        let version = class_read(&op, ty).map_or(0, |a| self.version(a));
        self.key(op, args, ty, version)
    }

    fn learn(&mut self, key: Key, known: Known) {
        let old = self.known.insert(key.clone(), known);
        self.undo.push(Undo::Key(key, old));
    }

    fn learn_tag(&mut self, v: Val, tag: Tag) {
        let old = self.tags.insert(v, tag);
        self.undo.push(Undo::Tag(v, old));
    }

    /// Notes that `v` is `b` in what the current block dominates.
    fn assume(&mut self, v: Val, b: bool) {
        let old = self.facts.insert(v, b);
        self.undo.push(Undo::Fact(v, old));
        let Def::Inst(i) = self.func.vals[v.index()].def else {
            return;
        };
        let args = self.func.inst(i).args.clone();
        match self.func.inst(i).op.clone() {
            Op::Not => self.assume(args[0], !b),
            Op::HasTag(t) if b => self.learn_tag(args[0], t),
            Op::ShapeIn => {
                let args: SmallVec<[Val; 9]> =
                    args.iter().map(|&a| self.replaced.resolve(a)).collect();
                let test = self.load_key(Op::ShapeIn, &args, Ty::Bool);
                // Unless a shape was written since.
                if self.known.get(&test) == Some(&Known::Value(v)) {
                    self.assume_shapes(args[0], &args[1..], b);
                }
            }
            Op::SameObject if b => {
                // A comparison of the current shape is as good as a guard.
                for (x, shape) in [(args[0], args[1]), (args[1], args[0])] {
                    let Def::Inst(l) = self.func.vals[x.index()].def else {
                        continue;
                    };
                    if self.func.inst(l).op != Op::LoadShape {
                        continue;
                    }
                    let table = self.replaced.resolve(self.func.inst(l).args[0]);
                    let load = self.load_key(Op::LoadShape, &[table], Ty::Ptr);
                    if self.known.get(&load) == Some(&Known::Value(x)) {
                        let guard = self.load_key(Op::GuardShape, &[table, shape], Ty::None);
                        self.learn(guard, Known::Passed);
                        if matches!(self.func.def_op(shape), Some(Op::Literal(_))) {
                            // Decides comparisons with other shapes.
                            self.learn(load, Known::Value(shape));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Notes that the table has one of these shapes, or none of them.
    fn assume_shapes(&mut self, table: Val, tested: &[Val], is_one: bool) {
        let is_tested = |s: &Val| tested.iter().any(|t| self.same_literal(*t, *s));
        let left: Shapes = match (self.possible_shapes(table), is_one) {
            (Some(known), _) => known
                .iter()
                .filter(|s| is_tested(s) == is_one)
                .copied()
                .collect(),
            (None, true) => tested.into(),
            (None, false) => return,
        };
        if let [shape] = left[..] {
            self.has_shape(table, shape);
        }
        self.learn_shapes(table, left);
    }

    fn learn_shapes(&mut self, table: Val, shapes: Shapes) {
        let version = self.version(Alias::Shapes);
        let old = self.shapes.insert(table, (version, shapes));
        self.undo.push(Undo::Shapes(table, old));
    }

    /// The shapes of which the table has one, if that is known.
    fn possible_shapes(&self, table: Val) -> Option<&[Val]> {
        let (version, shapes) = self.shapes.get(&table)?;
        (*version == self.version(Alias::Shapes)).then_some(&shapes[..])
    }

    /// Whether the table has one of the shapes, if that can be told.
    fn shape_in(&self, table: Val, shapes: &[Val]) -> Option<bool> {
        if let Some(have) = self.shape_of(table) {
            let is = |&s: &Val| self.literal(s).map(|p| p == have);
            return shapes
                .iter()
                .map(is)
                .try_fold(false, |any, is| Some(any || is?));
        }
        let possible = self.possible_shapes(table)?;
        let is_one = |p: &Val| shapes.iter().any(|s| self.same_literal(*s, *p));
        let ones = possible.iter().filter(|p| is_one(p)).count();
        match ones {
            0 => Some(false),
            n if n == possible.len() => Some(true),
            _ => None,
        }
    }

    /// The pool slot of a literal.
    fn literal(&self, v: Val) -> Option<Pool> {
        match self.func.def_op(v) {
            Some(Op::Literal(p)) => Some(*p),
            _ => None,
        }
    }

    fn same_literal(&self, a: Val, b: Val) -> bool {
        a == b || self.literal(a).is_some_and(|p| self.literal(b) == Some(p))
    }

    /// What the branch into a block with one way in says.
    fn assume_edge(&mut self, cfg: &Cfg, b: Block) {
        let [p] = cfg.preds[b.index()].as_slice() else {
            return;
        };
        let Some(t) = self.func.terminator(*p) else {
            return;
        };
        if t.op == Op::Branch {
            let cond = self.replaced.resolve(t.args[0]);
            let taken = t.targets[0].block == b;
            self.assume(cond, taken);
        }
    }

    /// What is known of a condition.
    fn fact(&self, v: Val) -> Option<bool> {
        if let Some(&b) = self.facts.get(&v) {
            return Some(b);
        }
        let Def::Inst(i) = self.func.vals[v.index()].def else {
            return None;
        };
        let data = self.func.inst(i);
        match data.op {
            Op::Bool(b) => Some(b),
            Op::Not => self.fact(self.replaced.resolve(data.args[0])).map(|b| !b),
            Op::IntCmp(c) => {
                let a = self.replaced.resolve(data.args[0]);
                let b = self.replaced.resolve(data.args[1]);
                let of = |c: Cond, x: Val, y: Val| {
                    let key = self.key(Op::IntCmp(c), &[x, y], Ty::Bool, 0);
                    match self.known.get(&key) {
                        Some(Known::Value(w)) => self.facts.get(w).copied(),
                        _ => None,
                    }
                };
                match c {
                    Cond::Eq => of(Cond::Ne, a, b).map(|x| !x),
                    Cond::Ne => of(Cond::Eq, a, b).map(|x| !x),
                    Cond::Lt => of(Cond::Le, b, a)
                        .map(|x| !x)
                        .or_else(|| of(Cond::Le, a, b).filter(|x| !x))
                        .or_else(|| of(Cond::Lt, b, a).filter(|x| *x).map(|_| false)),
                    Cond::Le => of(Cond::Lt, b, a)
                        .map(|x| !x)
                        .or_else(|| of(Cond::Lt, a, b).filter(|x| *x)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn block(&mut self, b: Block) {
        for n in 0..self.func.blocks[b.index()].params.len() {
            let v = self.func.blocks[b.index()].params[n];
            self.order.insert(v, self.order.len() as u32);
        }
        let insts = std::mem::take(&mut self.func.blocks[b.index()].insts);
        let mut kept = Vec::with_capacity(insts.len());
        for i in insts {
            self.replaced.apply_to(self.func, i);
            match self.inst(i) {
                Action::Keep => {
                    kept.push(i);
                    if let Some(v) = self.func.inst(i).result {
                        self.order.insert(v, self.order.len() as u32);
                    }
                    self.effects(i);
                }
                Action::Remove => self.changed = true,
                Action::Replace(v) => {
                    let old = self.func.result(i);
                    self.replaced.replace(old, v);
                    self.changed = true;
                }
            }
        }
        self.func.blocks[b.index()].insts = kept;
    }

    fn become_op(&mut self, i: Inst, op: Op, args: &[Val]) {
        become_op(self.func, i, op, args);
        self.changed = true;
    }

    fn inst(&mut self, i: Inst) -> Action {
        let data = self.func.inst(i);
        let (op, args) = (data.op.clone(), data.args.clone());
        let ty = data.result.map_or(Ty::None, |r| self.func.ty(r));
        match &op {
            Op::Guard => {
                return match self.fact(args[0]) {
                    Some(true) if self.fuel.take() => Action::Remove,
                    _ => {
                        self.assume(args[0], true);
                        Action::Keep
                    }
                };
            }
            Op::Branch => {
                if let Some(b) = self.fact(args[0])
                    && self.func.inst(i).targets.len() == 2
                    && self.fuel.take()
                {
                    let keep = self.func.inst(i).targets[usize::from(!b)].clone();
                    self.become_op(i, Op::Jump, &[]);
                    self.func.insts[i.index()].targets.clear();
                    self.func.insts[i.index()].targets.push(keep);
                }
                return Action::Keep;
            }
            Op::GuardTag(tag) => return self.guard_tag(i, *tag, args[0], ty),
            Op::HasTag(tag) => {
                if let Some(&known) = self.tags.get(&args[0])
                    && self.fuel.take()
                {
                    self.become_op(i, Op::Bool(known == *tag), &[]);
                    return self.number(i);
                }
            }
            Op::ShapeIn => {
                if let Some(is) = self.shape_in(args[0], &args[1..])
                    && self.fuel.take()
                {
                    self.become_op(i, Op::Bool(is), &[]);
                }
                return self.number(i);
            }
            Op::Truthy => {
                if let Some(&known) = self.tags.get(&args[0])
                    && known != Tag::BOOL
                    && self.fuel.take()
                {
                    self.become_op(i, Op::Bool(known != Tag::NIL), &[]);
                    return self.number(i);
                }
            }
            _ => {}
        }
        if op.reads().is_some()
            && let Some(action) = self.of_new_table(i, &op, &args, ty)
        {
            return action;
        }
        if op.is_pure() || op.reads().is_some() || op == Op::GuardFloatToInt {
            return self.number(i);
        }
        Action::Keep
    }

    /// A load from a table that was made here, and whose memory of that class
    /// nobody wrote since: what it was made with tells the result.
    fn of_new_table(&mut self, i: Inst, op: &Op, args: &[Val], ty: Ty) -> Option<Action> {
        let table = *args.first()?;
        let class = class_read(op, ty)?;
        if *self.made.get(&table)? <= self.version(class) {
            return None;
        }
        let Def::Inst(maker) = self.func.vals[table.index()].def else {
            return None;
        };
        let values: SmallVec<[Val; 3]> =
            self.func.inst(maker).args.iter().skip(1).copied().collect();
        let is_any = |&v: &Val| matches!(self.func.ty(v), Ty::Any | Ty::Nil);
        let ends = !values.last().is_some_and(is_any);
        let known = match op {
            Op::ElemsLen if ends => Op::Int(values.len() as i64),
            Op::ElemsKind if ends && !values.is_empty() && !values.iter().any(is_any) => {
                let mut tags = values.iter().filter_map(|&v| self.func.ty(v).tag());
                let first = tags.next()?;
                let kind = if tags.all(|t| t == first) {
                    first.0
                } else {
                    ELEMS_MIXED
                };
                Op::Int(kind.into())
            }
            Op::NoneBeyond | Op::NoExt | Op::NoMeta => Op::Bool(true),
            Op::LoadElem => {
                let &Op::Int(n) = self.func.def_op(args[1])? else {
                    return None;
                };
                let v = *values.get(usize::try_from(n).ok()?)?;
                let have = self.func.ty(v);
                if have == ty && self.fuel.take() {
                    return Some(Action::Replace(v));
                }
                if ty == Ty::Any && self.fuel.take() {
                    self.become_op(i, Op::Box, &[v]);
                    return Some(self.number(i));
                }
                return None;
            }
            _ => return None,
        };
        if !self.fuel.take() {
            return None;
        }
        self.become_op(i, known, &[]);
        Some(self.number(i))
    }

    fn guard_tag(&mut self, i: Inst, tag: Tag, v: Val, ty: Ty) -> Action {
        let key = self.key(Op::Unbox, &[v], ty, 0);
        if self.tags.get(&v) == Some(&tag) && self.fuel.take() {
            if let Some(&Known::Value(x)) = self.known.get(&key) {
                return Action::Replace(x);
            }
            self.become_op(i, Op::Unbox, &[v]);
        } else {
            self.learn_tag(v, tag);
        }
        let result = self.func.result(i);
        self.learn(key, Known::Value(result));
        Action::Keep
    }

    /// Looks an operation up, or enters it.
    fn number(&mut self, i: Inst) -> Action {
        let data = self.func.inst(i);
        let result = data.result;
        let ty = result.map_or(Ty::None, |r| self.func.ty(r));
        let (op, args) = (data.op.clone(), data.args.clone());
        let key = self.load_key(op, &args, ty);
        match self.known.get(&key).copied() {
            Some(Known::Value(v)) if self.fuel.take() => Action::Replace(v),
            Some(Known::Passed) if self.fuel.take() => Action::Remove,
            Some(Known::Content(v)) if self.fuel.take() => {
                self.become_op(i, Op::Box, &[v]);
                self.number(i)
            }
            _ => {
                self.learn(key, result.map_or(Known::Passed, Known::Value));
                Action::Keep
            }
        }
    }

    /// New versions of what the instruction may write, and what its effect
    /// makes known.
    fn effects(&mut self, i: Inst) {
        let data = self.func.inst(i);
        let (op, args, result) = (data.op.clone(), data.args.clone(), data.result);
        let mut written: SmallVec<[usize; 16]> = SmallVec::new();
        self.classes
            .for_each_clobbered(self.func, i, |n| written.push(n));
        let others = match op {
            Op::AddSlot | Op::SetShape | Op::StoreSlot(..) => {
                self.facts_of_others(args[0], &written)
            }
            _ => Vec::new(),
        };
        let shapes = match op {
            Op::AddSlot | Op::SetShape => self.shapes_of_others(args[0]),
            _ => Vec::new(),
        };
        for n in written {
            self.new_version(n);
        }
        for (table, shapes) in shapes {
            self.learn_shapes(table, shapes);
        }
        for (mut key, known) in others {
            key.version = key.op.reads().map_or(0, |a| self.version(a));
            self.learn(key, known);
        }
        match op {
            Op::StoreReg(r) => self.stored(Op::LoadReg(r), &[], args[0]),
            Op::StoreCell => self.stored(Op::LoadCell, &args[..1], args[1]),
            Op::NewCell => {
                let cell = result.expect("a new cell is a value");
                self.stored(Op::LoadCell, &[cell], args[0]);
            }
            Op::StoreSlot(loc, _) => self.stored(Op::LoadSlot(loc), &args[..1], args[1]),
            Op::StoreElem | Op::StoreElemMixed => {
                self.stored(Op::LoadElem, &args[..2], args[2]);
            }
            Op::AddSlot | Op::SetShape | Op::GuardShape => self.has_shape(args[0], args[1]),
            Op::NewTable { .. } => {
                let table = result.expect("a new table is a value");
                self.made.insert(table, self.next_version);
                if let Some(&shape) = args.first() {
                    self.has_shape(table, shape);
                }
            }
            _ => {}
        }
    }

    /// What is known of memory of the written classes in tables that are not
    /// `table`, which is written to.
    fn facts_of_others(&self, table: Val, written: &[usize]) -> Vec<(Key, Known)> {
        let shape = self.shape_of(table);
        self.known
            .iter()
            .filter(|(key, _)| {
                let class = key.op.reads().and_then(|a| self.classes.id(a));
                class.is_some_and(|n| {
                    written.contains(&(n as usize)) && key.version == self.versions[n as usize]
                }) && key
                    .args
                    .first()
                    .is_some_and(|&other| self.distinct(table, shape, other))
            })
            .map(|(key, known)| (key.clone(), *known))
            .collect()
    }

    /// What shapes the tables may have that are not `table`, whose shape is
    /// written.
    fn shapes_of_others(&self, table: Val) -> Vec<(Val, Shapes)> {
        let shape = self.shape_of(table);
        self.shapes
            .keys()
            .filter(|&&other| self.distinct(table, shape, other))
            .filter_map(|&other| Some((other, self.possible_shapes(other)?.into())))
            .collect()
    }

    /// The pool slot of the shape that a table is known to have.
    fn shape_of(&self, table: Val) -> Option<Pool> {
        let load = self.load_key(Op::LoadShape, &[table], Ty::Ptr);
        match self.known.get(&load) {
            Some(&Known::Value(shape)) => match self.func.def_op(shape) {
                Some(Op::Literal(p)) => Some(*p),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether `table`, of this shape if that is known, and `other` cannot be
    /// one table: their shapes differ, or one is fresh and the other was there
    /// before.
    fn distinct(&self, table: Val, shape: Option<Pool>, other: Val) -> bool {
        if table == other || self.func.ty(other) != Ty::Table {
            return false;
        }
        if let (Some(a), Some(b)) = (shape, self.shape_of(other))
            && a != b
        {
            return true;
        }
        if let (Some(a), Some(others)) = (shape, self.possible_shapes(other))
            && others
                .iter()
                .all(|&s| self.literal(s).is_some_and(|b| a != b))
        {
            return true;
        }
        let fresh = |v: Val| matches!(self.func.def_op(v), Some(Op::NewTable { .. }));
        let older = |old: Val, new: Val| {
            let old = self.origin(old);
            matches!(self.func.def_op(old), Some(Op::Literal(_)))
                || match (self.order.get(&old), self.order.get(&new)) {
                    (Some(o), Some(n)) => o < n,
                    _ => false,
                }
        };
        fresh(table) && (fresh(other) || older(other, table)) || fresh(other) && older(table, other)
    }

    /// The value before it was boxed, unboxed, or its tag checked.
    fn origin(&self, mut v: Val) -> Val {
        while let Def::Inst(i) = self.func.vals[v.index()].def
            && matches!(self.func.inst(i).op, Op::Box | Op::Unbox | Op::GuardTag(_))
        {
            v = self.replaced.resolve(self.func.inst(i).args[0]);
        }
        v
    }

    fn has_shape(&mut self, table: Val, shape: Val) {
        let guard = self.load_key(Op::GuardShape, &[table, shape], Ty::None);
        self.learn(guard, Known::Passed);
        let load = self.load_key(Op::LoadShape, &[table], Ty::Ptr);
        self.learn(load, Known::Value(shape));
    }

    /// Memory that `load` reads holds `v`.
    fn stored(&mut self, load: Op, args: &[Val], v: Val) {
        let ty = self.func.ty(v);
        let key = self.load_key(load.clone(), args, ty);
        self.learn(key, Known::Value(v));
        if ty != Ty::Any {
            let key = self.load_key(load, args, Ty::Any);
            self.learn(key, Known::Content(v));
        }
    }
}

fn restore<K: std::hash::Hash + Eq, V>(map: &mut FxHashMap<K, V>, key: K, old: Option<V>) {
    match old {
        Some(v) => map.insert(key, v),
        None => map.remove(&key),
    };
}
