//! What is known of the objects where ways come together.

use super::{Content, Escape, Flow, Kind, Obj, Origin, Ref, Slot, Status, for_each_part, reach};
use crate::ir::{Block, Def, Func, Ty, Val};
use smallvec::SmallVec;
use std::collections::{BTreeSet, HashSet};

/// What becomes of a parameter. Never goes back from round to round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(super) enum Fate {
    /// Nothing uses it, or on all ways it is the same virtual object.
    #[default]
    Same,
    /// A different virtual object on each way: one from here on.
    Merged,
    /// A plain value.
    Kept,
}

/// What a new parameter is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    /// A slot of a virtual object.
    Slot(Obj, usize),
    /// The object, which exists.
    Object(Obj),
}

/// How a block is entered.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Join {
    /// By parameter.
    pub fates: Vec<Fate>,
    /// New parameters.
    pub added: Vec<(Key, Val)>,
    /// Objects that exist here.
    real: BTreeSet<Obj>,
    /// By edge: objects to make on it.
    pub needed: Vec<BTreeSet<Obj>>,
    /// Objects that are one from here on: the one, and in which parameter they
    /// come.
    pub merged: Vec<(Obj, usize)>,
}

/// A join being worked out.
struct Work<'a> {
    flows: Vec<&'a Flow>,
    args: Vec<&'a [Vec<Ref>]>,
    /// Position of the target by edge.
    targets: Vec<usize>,
    join: Join,
    /// Objects that are needed behind the join.
    roots: BTreeSet<Obj>,
    /// Different objects on each way, with the parameters that they come in.
    groups: Vec<(Vec<Obj>, Vec<usize>)>,
    /// New parameters that stand for something.
    keys: Vec<Key>,
}

impl Work<'_> {
    fn arg(&self, e: usize, k: usize) -> Ref {
        self.args[e][self.targets[e]][k]
    }

    fn content(&self, e: usize, o: Obj) -> Option<&Content> {
        match self.flows[e].get(&o) {
            Some(Status::Virtual(c)) if !self.join.needed[e].contains(&o) => Some(c),
            _ => None,
        }
    }

    fn is_everywhere(&self, o: Obj) -> bool {
        self.flows.iter().all(|f| f.contains_key(&o))
    }

    /// The object and what it refers to exist on this way.
    fn need(&mut self, e: usize, o: Obj) {
        if self.content(e, o).is_some() {
            self.join.needed[e].insert(o);
            let mut parts: SmallVec<[Obj; 8]> = SmallVec::new();
            for_each_part(self.flows[e], o, &mut |p| parts.push(p));
            for p in parts {
                self.need(e, p);
            }
        }
    }

    fn need_all(&mut self, o: Obj) {
        for e in 0..self.flows.len() {
            self.need(e, o);
        }
        self.join.real.insert(o);
    }

    /// Decides about parameters: which are the same object, which may become
    /// one.
    fn params(&mut self, used: &[bool]) {
        let n = self.flows.len();
        self.groups.clear();
        for (k, &used) in used.iter().enumerate() {
            let refs: Vec<Ref> = (0..n).map(|e| self.arg(e, k)).collect();
            let virtual_on = |e: usize, r: &Ref| match *r {
                Ref::Obj(o) if self.content(e, o).is_some() => Some(o),
                _ => None,
            };
            let objects: Option<Vec<Obj>> = (0..n).map(|e| virtual_on(e, &refs[e])).collect();
            if !used {
                if refs.iter().all(|r| matches!(r, Ref::Val(_))) {
                    self.join.fates[k] = Fate::Kept;
                }
                continue;
            }
            let fate = self.join.fates[k];
            match objects {
                Some(os) if fate != Fate::Kept => {
                    let first = os[0];
                    let same = os.iter().all(|&o| o == first)
                        && fate == Fate::Same
                        && self.is_everywhere(first)
                        && !self.join.real.contains(&first);
                    if same {
                        self.roots.insert(first);
                        continue;
                    }
                    self.join.fates[k] = Fate::Merged;
                    match self.groups.iter_mut().find(|g| g.0 == os) {
                        Some(g) => g.1.push(k),
                        None => self.groups.push((os, vec![k])),
                    }
                }
                _ => self.keep(k),
            }
        }
    }

    /// The parameter stays one, its objects exist.
    fn keep(&mut self, k: usize) {
        self.join.fates[k] = Fate::Kept;
        for e in 0..self.flows.len() {
            if let Ref::Obj(o) = self.arg(e, k) {
                self.need(e, o);
            }
        }
    }

    /// Keeps as groups only what can become one object: alike on all ways, and
    /// referred to by nothing else.
    fn groups(&mut self, kind: &dyn Fn(Obj) -> Kind) {
        let n = self.flows.len();
        let groups = std::mem::take(&mut self.groups);
        let parts = |e: usize, o: Obj| {
            let mut parts = Vec::new();
            for_each_part(self.flows[e], o, &mut |p| parts.push(p));
            parts
        };
        let mut others: Vec<HashSet<Obj>> = Vec::new();
        for e in 0..n {
            let within = groups.iter().flat_map(|g| parts(e, g.0[e]));
            let from = self.roots.iter().copied().chain(within);
            others.push(reach(self.flows[e], from));
        }
        let alike = |os: &[Obj]| {
            let first = self.content(0, os[0]);
            (0..n).all(|e| {
                let Some((c, f)) = self.content(e, os[e]).zip(first) else {
                    return false;
                };
                kind(os[e]) == kind(os[0])
                    && !matches!(kind(os[e]), Kind::Closure { .. })
                    && c.shape == f.shape
                    && c.slots.len() == f.slots.len()
            })
        };
        let mut fine: Vec<bool> = Vec::new();
        for (g, (os, _)) in groups.iter().enumerate() {
            let alone = (0..n).all(|e| {
                let mut rest = groups.iter().enumerate().filter(|(h, _)| *h != g);
                !others[e].contains(&os[e]) && !rest.any(|(_, h)| h.0[e] == os[e])
            });
            fine.push(alone && alike(os));
        }
        for ((os, params), fine) in groups.into_iter().zip(fine) {
            if fine {
                self.groups.push((os, params));
            } else {
                params.iter().for_each(|&k| self.keep(k));
            }
        }
    }

    /// Slots of an object that is `os[e]` on edge `e`: parts that are not the
    /// same object everywhere have to exist.
    fn slots(&mut self, os: &[Obj]) {
        let Some(len) = self.content(0, os[0]).map(|c| c.slots.len()) else {
            return;
        };
        for n in 0..len {
            let slots: Vec<Option<Slot>> = (0..os.len())
                .map(|e| self.content(e, os[e]).map(|c| c.slots[n]))
                .collect();
            let one = match slots[0] {
                Some(Slot::Obj(p)) => self.is_everywhere(p),
                _ => true,
            };
            if one && slots.iter().all(|s| *s == slots[0]) {
                if let Some(Slot::Obj(p)) = slots[0] {
                    self.roots.insert(p);
                }
                continue;
            }
            for (e, s) in slots.iter().enumerate() {
                if let Some(Slot::Obj(p)) = *s {
                    self.need(e, p);
                }
            }
        }
    }

    /// Objects that are needed behind the join.
    fn objects(&mut self) {
        let n = self.flows.len();
        let mut done: HashSet<Obj> = HashSet::new();
        while let Some(&o) = self.roots.iter().find(|o| !done.contains(o)) {
            done.insert(o);
            if !self.is_everywhere(o) {
                continue;
            }
            let alike = {
                let contents: Option<Vec<&Content>> = (0..n).map(|e| self.content(e, o)).collect();
                contents.is_some_and(|c| {
                    let same =
                        |x: &&Content| x.shape == c[0].shape && x.slots.len() == c[0].slots.len();
                    c.iter().all(same)
                })
            };
            if alike && !self.join.real.contains(&o) {
                self.slots(&vec![o; n]);
            } else {
                self.need_all(o);
            }
        }
        for g in self.groups.clone() {
            self.slots(&g.0);
        }
    }
}

impl Escape<'_> {
    /// Works out what is known at the start of a block.
    pub(super) fn join(&mut self, b: Block) {
        self.flow.clear();
        self.out.clear();
        (self.anchor, self.count) = (u32::MAX, 0);
        if b == Func::ENTRY {
            return;
        }
        let params = self.func.blocks[b.index()].params.clone();
        let used: Vec<bool> = params.iter().map(|&p| self.live.is_used(p)).collect();
        let named: BTreeSet<Obj> = self
            .live
            .at(b)
            .iter()
            .filter_map(|v| self.alias.get(&self.known(*v)).copied())
            .collect();
        let known: Vec<(Block, usize)> = self.edges[b.index()]
            .iter()
            .copied()
            .filter(|e| self.ends[e.0.index()].is_some())
            .collect();
        let ends = std::mem::take(&mut self.ends);
        let from = |e: &(Block, usize)| ends[e.0.index()].as_ref().expect("only known edges");
        let mut join = self.joins[b.index()].clone();
        join.fates.resize(params.len(), Fate::Same);
        join.needed = vec![BTreeSet::new(); known.len()];
        let mut w = Work {
            flows: known.iter().map(|e| &from(e).flow).collect(),
            args: known.iter().map(|e| &from(e).args[..]).collect(),
            targets: known.iter().map(|e| e.1).collect(),
            join,
            roots: BTreeSet::new(),
            groups: Vec::new(),
            keys: Vec::new(),
        };
        loop {
            let before = w.join.clone();
            w.roots.clone_from(&named);
            for o in w.join.real.clone() {
                w.need_all(o);
            }
            w.params(&used);
            w.groups(&|o| self.kinds[o.0 as usize]);
            for g in w.groups.clone() {
                for (e, o) in g.0.iter().enumerate() {
                    for_each_part(w.flows[e], *o, &mut |p| {
                        w.roots.insert(p);
                    });
                }
            }
            w.objects();
            if w.join == before {
                break;
            }
        }
        self.enter(b, &params, &used, w);
        self.ends = ends;
    }

    /// Sets up the state at the start of the block as worked out.
    fn enter(&mut self, b: Block, params: &[Val], used: &[bool], mut w: Work<'_>) {
        let n = w.flows.len();
        for e in 0..n {
            for &o in &w.join.needed[e] {
                self.made_on_edge(o);
            }
        }
        w.join.merged.clear();
        let mut flow = Flow::new();
        for (os, ks) in std::mem::take(&mut w.groups) {
            let o = self.object(Origin::Param(b, ks[0]), self.kind(os[0]));
            w.join.merged.push((o, ks[0]));
            ks.iter().for_each(|&k| {
                self.alias.insert(params[k], o);
            });
            let content = self.merge(b, o, &os, &mut w);
            flow.insert(o, Status::Virtual(content));
        }
        for (k, &p) in params.iter().enumerate() {
            if let (Fate::Same, true, Ref::Obj(o)) = (w.join.fates[k], used[k], w.arg(0, k)) {
                self.alias.insert(p, o);
            }
        }
        for o in w.roots.clone() {
            if !w.is_everywhere(o) {
                continue;
            }
            let status = match w.content(0, o) {
                Some(_) => Status::Virtual(self.merge(b, o, &vec![o; n], &mut w)),
                None => self.merge_real(b, o, &mut w),
            };
            flow.insert(o, status);
        }
        self.flow = flow;
        if self.last {
            // Others were needed by what earlier rounds took for true.
            let keys = &w.keys;
            w.join.added.retain(|a| keys.contains(&a.0));
        }
        let old = &mut self.joins[b.index()];
        if *old != w.join {
            self.changed = true;
            *old = w.join;
        }
    }

    /// The content of an object that is `os[e]` on edge `e`.
    fn merge(&mut self, b: Block, o: Obj, os: &[Obj], w: &mut Work<'_>) -> Content {
        let first = w.content(0, os[0]).cloned().expect("virtual on all ways");
        let mut slots = SmallVec::new();
        for (i, &s) in first.slots.iter().enumerate() {
            let key = Key::Slot(o, i);
            let all: Vec<Slot> = (0..os.len())
                .map(|e| w.content(e, os[e]).map_or(s, |c| c.slots[i]))
                .collect();
            let one = match s {
                Slot::Obj(p) => w.is_everywhere(p),
                Slot::Val(_) => !w.join.added.iter().any(|a| a.0 == key),
            };
            slots.push(if one && all.iter().all(|x| *x == s) {
                s
            } else {
                let ty = |x: &Slot| match *x {
                    Slot::Val(v) => self.func.ty(v),
                    Slot::Obj(p) => self.kind(p).ty(),
                };
                // nil has no machine value to pass.
                let first = ty(&all[0]);
                let same = first != Ty::Nil && all.iter().all(|x| ty(x) == first);
                let ty = if same { first } else { Ty::Any };
                Slot::Val(self.param(b, key, ty, w))
            });
        }
        Content {
            shape: first.shape,
            slots,
        }
    }

    /// An object that exists on all ways.
    fn merge_real(&mut self, b: Block, o: Obj, w: &mut Work<'_>) -> Status {
        let key = Key::Object(o);
        let all: Vec<Option<(Val, Val)>> = w
            .flows
            .iter()
            .map(|f| match f.get(&o) {
                Some(&Status::Real { typed, boxed }) => Some((typed, boxed)),
                _ => None,
            })
            .collect();
        if let Some((typed, boxed)) = all[0]
            && all.iter().all(|x| *x == all[0])
            && !w.join.added.iter().any(|a| a.0 == key)
        {
            return Status::Real { typed, boxed };
        }
        let typed = self.param(b, key, self.kind(o).ty(), w);
        let boxed = self.boxed(typed);
        Status::Real { typed, boxed }
    }

    /// The new parameter for this.
    fn param(&mut self, b: Block, key: Key, ty: Ty, w: &mut Work<'_>) -> Val {
        w.keys.push(key);
        let added = &mut w.join.added;
        let at = added.iter().position(|a| a.0 == key);
        if let Some(at) = at
            && (self.func.ty(added[at].1) == ty || self.func.ty(added[at].1) == Ty::Any)
        {
            return added[at].1;
        }
        // Numbered when it gets its place.
        let v = self.func.make_val(ty, Def::Param(b, u32::MAX));
        match at {
            Some(at) => added[at].1 = v,
            None => added.push((key, v)),
        }
        v
    }

    fn made_on_edge(&mut self, o: Obj) {
        let found = self.objects.iter().find(|e| *e.1 == o).map(|e| *e.0);
        if let Some(Origin::Inst(i)) = found {
            *self.copies.entry(i).or_insert(0) += 1;
            if matches!(self.kind(o), Kind::Closure { .. }) {
                self.rejected.insert(i);
            }
        }
    }
}
