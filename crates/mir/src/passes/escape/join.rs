//! What is known of the objects where ways come together.

use super::{Content, Escape, Flow, Kind, Obj, Origin, Ref, Slot, Status, for_each_part, reach};
use crate::ir::{Block, Def, Func, Ty, Val};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use std::collections::BTreeSet;

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
    /// Objects that are one from here on: the one, and where they come.
    pub merged: Vec<(Obj, Place)>,
    /// Places whose objects cannot become one, though those that they are part
    /// of do. Never goes back from round to round.
    apart: BTreeSet<Place>,
}

/// Where an object comes to a block: in a parameter, or in a slot of the one
/// that comes there, and so on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub param: usize,
    pub slots: SmallVec<[usize; 2]>,
}

impl Place {
    fn part(&self, slot: usize) -> Place {
        let mut part = self.clone();
        part.slots.push(slot);
        part
    }
}

/// Different objects on each way that may become one.
#[derive(Clone)]
struct Group {
    /// By edge.
    os: Vec<Obj>,
    /// The parameters that they come in; of parts, that of the whole.
    params: Vec<usize>,
    place: Place,
    /// Of parts: the number of the whole's group.
    whole: Option<usize>,
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
    /// The whole before its parts.
    groups: Vec<Group>,
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
                    match self.groups.iter_mut().find(|g| g.os == os) {
                        Some(g) => g.params.push(k),
                        None => self.groups.push(Group {
                            os,
                            params: vec![k],
                            place: Place {
                                param: k,
                                slots: SmallVec::new(),
                            },
                            whole: None,
                        }),
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
    /// referred to by nothing else. Adds the parts for which that holds.
    fn groups(&mut self, used: &[bool], kind: &dyn Fn(Obj) -> Kind) {
        let n = self.flows.len();
        let groups = std::mem::take(&mut self.groups);
        let parts = |e: usize, o: Obj| {
            let mut parts = Vec::new();
            for_each_part(self.flows[e], o, &mut |p| parts.push(p));
            parts
        };
        let mut others: Vec<FxHashSet<Obj>> = Vec::new();
        for e in 0..n {
            let within = groups.iter().flat_map(|g| parts(e, g.os[e]));
            let from = self.roots.iter().copied().chain(within);
            others.push(reach(self.flows[e], from));
        }
        let mut fine: Vec<bool> = Vec::new();
        for (g, group) in groups.iter().enumerate() {
            let os = &group.os;
            let alone = (0..n).all(|e| {
                let mut rest = groups.iter().enumerate().filter(|(h, _)| *h != g);
                !others[e].contains(&os[e]) && !rest.any(|(_, h)| h.os[e] == os[e])
            });
            fine.push(alone && self.alike(os, kind));
        }
        for (group, fine) in groups.into_iter().zip(fine) {
            if fine {
                self.groups.push(group);
            } else {
                group.params.iter().for_each(|&k| self.keep(k));
            }
        }
        let mut g = 0;
        while g < self.groups.len() {
            self.parts(g, used, kind);
            g += 1;
        }
    }

    /// Whether the objects can be described in one way.
    fn alike(&self, os: &[Obj], kind: &dyn Fn(Obj) -> Kind) -> bool {
        let first = self.content(0, os[0]);
        (0..os.len()).all(|e| {
            let Some((c, f)) = self.content(e, os[e]).zip(first) else {
                return false;
            };
            kind(os[e]) == kind(os[0])
                && !matches!(kind(os[e]), Kind::Closure { .. })
                && c.shape == f.shape
                && c.slots.len() == f.slots.len()
        })
    }

    /// What is in slot `n` of the objects, by edge.
    fn in_slot(&self, os: &[Obj], n: usize) -> Vec<Option<Slot>> {
        let slot = |(e, &o)| self.content(e, o).map(|c| c.slots[n]);
        os.iter().enumerate().map(slot).collect()
    }

    /// Whether what is in a slot is the same on all ways.
    fn is_one(&self, slots: &[Option<Slot>]) -> bool {
        let there = match slots[0] {
            Some(Slot::Obj(p)) => self.is_everywhere(p),
            _ => true,
        };
        there && slots.iter().all(|s| *s == slots[0])
    }

    /// Adds groups for the parts of a group's objects that become one, too.
    fn parts(&mut self, whole: usize, used: &[bool], kind: &dyn Fn(Obj) -> Kind) {
        let group = self.groups[whole].clone();
        let len = self.content(0, group.os[0]).map_or(0, |c| c.slots.len());
        for n in 0..len {
            let slots = self.in_slot(&group.os, n);
            let place = group.place.part(n);
            let object = |s: &Option<Slot>| match *s {
                Some(Slot::Obj(p)) => Some(p),
                _ => None,
            };
            let os: Option<Vec<Obj>> = slots.iter().map(object).collect();
            let Some(os) = os.filter(|_| !self.is_one(&slots)) else {
                continue;
            };
            let alone = os
                .iter()
                .enumerate()
                .all(|(e, &p)| self.is_only_part(e, p, used));
            if alone && self.alike(&os, kind) && !self.join.apart.contains(&place) {
                self.groups.push(Group {
                    os,
                    params: group.params.clone(),
                    place,
                    whole: Some(whole),
                });
            } else {
                self.join.apart.insert(place);
            }
        }
    }

    /// Whether nothing but one slot of another object refers to `p`.
    fn is_only_part(&self, e: usize, p: Obj, used: &[bool]) -> bool {
        let mut count = 0;
        for &o in self.flows[e].keys() {
            for_each_part(self.flows[e], o, &mut |q| count += usize::from(q == p));
        }
        let is_arg = |k: usize| used[k] && self.arg(e, k) == Ref::Obj(p);
        count == 1 && !self.roots.contains(&p) && !(0..used.len()).any(is_arg)
    }

    /// Whether slot `n` of a group's objects has parts that become one.
    fn has_part(&self, g: usize, n: usize) -> bool {
        let is_it = |h: &Group| h.whole == Some(g) && h.place.slots.last() == Some(&n);
        self.groups.iter().any(is_it)
    }

    /// What the group's objects refer to and is not one from here on is needed
    /// as it is.
    fn root_parts(&mut self, g: usize) {
        for (e, o) in self.groups[g].os.clone().into_iter().enumerate() {
            let Some(content) = self.content(e, o) else {
                continue;
            };
            for (n, s) in content.slots.clone().into_iter().enumerate() {
                if let (Slot::Obj(p), false) = (s, self.has_part(g, n)) {
                    self.roots.insert(p);
                }
            }
        }
    }

    /// Slots of an object that is `os[e]` on edge `e`, but those left out:
    /// parts that are not the same object everywhere have to exist.
    fn slots(&mut self, os: &[Obj], left_out: &dyn Fn(&Self, usize) -> bool) {
        let Some(len) = self.content(0, os[0]).map(|c| c.slots.len()) else {
            return;
        };
        for n in 0..len {
            if left_out(self, n) {
                continue;
            }
            let slots = self.in_slot(os, n);
            if self.is_one(&slots) {
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
        let mut done: FxHashSet<Obj> = FxHashSet::default();
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
                self.slots(&vec![o; n], &|_, _| false);
            } else {
                self.need_all(o);
            }
        }
        for g in 0..self.groups.len() {
            let os = self.groups[g].os.clone();
            self.slots(&os, &|w, n| w.has_part(g, n));
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
        let known = self.known_edges(b, &named);
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
            w.groups(&used, &|o| self.kinds[o.0 as usize]);
            for g in 0..w.groups.len() {
                w.root_parts(g);
            }
            w.objects();
            if w.join == before {
                break;
            }
        }
        self.enter(b, &params, &used, w);
        self.ends = ends;
    }

    /// Edges into a block whose other end is known. `named` are the objects that
    /// are live there: where one is missing on a way back that is there on a way
    /// forward, the end of the former is that of a round in which the object was
    /// another one, and tells nothing.
    fn known_edges(&mut self, b: Block, named: &BTreeSet<Obj>) -> Vec<(Block, usize)> {
        let flow = |e: &(Block, usize)| self.ends[e.0.index()].as_ref().map(|end| &end.flow);
        let all = &self.edges[b.index()];
        let position = &self.cfg.position;
        let is_back = |e: &(Block, usize)| position[e.0.index()] >= position[b.index()];
        let there = |o: &Obj| {
            let mut forward = all.iter().filter(|e| !is_back(e)).filter_map(flow);
            forward.any(|f| f.contains_key(o))
        };
        let there: Vec<&Obj> = named.iter().filter(|o| there(o)).collect();
        let is_stale = |e: &(Block, usize)| {
            let lacks = |f: &Flow| !there.iter().all(|o| f.contains_key(o));
            is_back(e) && flow(e).is_some_and(lacks)
        };
        let known: Vec<(Block, usize)> = all
            .iter()
            .copied()
            .filter(|e| flow(e).is_some() && !is_stale(e))
            .collect();
        if all.iter().any(is_stale) {
            self.changed = true;
        }
        known
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
        let groups = std::mem::take(&mut w.groups);
        let mut ones: Vec<Obj> = Vec::new();
        for g in &groups {
            let origin = match (g.whole, g.place.slots.last()) {
                (Some(whole), Some(&slot)) => Origin::Part(b, ones[whole], slot),
                _ => Origin::Param(b, g.params[0]),
            };
            let o = self.object(origin, self.kind(g.os[0]));
            ones.push(o);
            w.join.merged.push((o, g.place.clone()));
            if g.whole.is_none() {
                g.params.iter().for_each(|&k| {
                    self.alias.insert(params[k], o);
                });
            }
        }
        for (n, g) in groups.iter().enumerate() {
            let parts: Vec<(usize, Obj)> = groups
                .iter()
                .zip(&ones)
                .filter(|(h, _)| h.whole == Some(n))
                .filter_map(|(h, &one)| Some((*h.place.slots.last()?, one)))
                .collect();
            let content = self.merge(b, ones[n], &g.os, &parts, &mut w);
            flow.insert(ones[n], Status::Virtual(content));
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
                Some(_) => Status::Virtual(self.merge(b, o, &vec![o; n], &[], &mut w)),
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

    /// The content of an object that is `os[e]` on edge `e`; `parts` are one
    /// from here on, by slot.
    fn merge(
        &mut self,
        b: Block,
        o: Obj,
        os: &[Obj],
        parts: &[(usize, Obj)],
        w: &mut Work<'_>,
    ) -> Content {
        let first = w.content(0, os[0]).cloned().expect("virtual on all ways");
        let mut slots = SmallVec::new();
        for (i, &s) in first.slots.iter().enumerate() {
            if let Some(&(_, part)) = parts.iter().find(|p| p.0 == i) {
                slots.push(Slot::Obj(part));
                continue;
            }
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
