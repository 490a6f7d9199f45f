//! Puts what was worked out into the function.

use super::join::{Fate, Key, Place};
use super::{Escape, Obj, Ref, Slot, Status};
use crate::ir::{Block, Def, Func, Op, Target, Ty, Val};
use crate::passes::edit::{Replacements, compact_states};
use smallvec::SmallVec;

impl Escape<'_> {
    /// Changes the function.
    pub(super) fn commit(mut self) {
        let order = self.cfg.order.clone();
        let mut targets: Vec<(Block, usize, Target)> = Vec::new();
        for &b in &order {
            if b != Func::ENTRY {
                self.commit_edges(b, &mut targets);
            }
        }
        for &b in &order {
            let placed = std::mem::take(&mut self.placed[b.index()]);
            let mut insts = Vec::with_capacity(placed.len());
            for p in placed {
                if let Some(data) = p.data {
                    self.func.insts[p.inst.index()] = *data;
                }
                insts.push(p.inst);
            }
            self.func.blocks[b.index()].insts = insts;
        }
        for (b, n, target) in targets {
            if let Some(&last) = self.func.blocks[b.index()].insts.last() {
                self.func.insts[last.index()].targets[n] = target;
            }
        }
        for &b in &order {
            self.commit_params(b);
        }
        let mut replaced = Replacements::new(self.func);
        for &from in self.known.keys() {
            replaced.replace(from, self.known(from));
        }
        replaced.apply(self.func);
        self.func.max_stack = self.max_stack as u8;
        compact_states(self.func);
    }

    /// Arguments for all edges into a block, and the objects made on them.
    fn commit_edges(&mut self, b: Block, targets: &mut Vec<(Block, usize, Target)>) {
        let join = self.joins[b.index()].clone();
        let params = self.func.blocks[b.index()].params.clone();
        let edges = self.edges[b.index()].clone();
        for (e, &(from, n)) in edges.iter().enumerate() {
            let Some(end) = &self.ends[from.index()] else {
                continue;
            };
            self.flow = end.flow.clone();
            let refs = end.args[n].clone();
            self.block = from;
            // Numbers of no instruction.
            (self.anchor, self.count) = (u32::MAX - 1 - n as u32, 0);
            self.out.clear();
            for &o in &join.needed[e] {
                self.materialize(o);
            }
            let mut args: SmallVec<[Val; 4]> = SmallVec::new();
            for (k, &p) in params.iter().enumerate() {
                if join.fates[k] != Fate::Kept {
                    continue;
                }
                args.push(match refs[k] {
                    Ref::Val(v) => v,
                    Ref::Obj(o) => self.as_type(o, self.func.ty(p)),
                });
            }
            for &(key, p) in &join.added {
                let v = match key {
                    Key::Object(o) => self.as_type(o, Ty::Table),
                    Key::Slot(o, i) => {
                        let merged = join.merged.iter().find(|m| m.0 == o);
                        let o = merged.and_then(|m| self.coming(&refs, &m.1)).unwrap_or(o);
                        let slot = self.content(o).map(|c| c.slots[i]);
                        self.slot_val(slot.unwrap_or(Slot::Obj(o)))
                    }
                };
                let v = match (self.func.ty(v), self.func.ty(p)) {
                    (have, Ty::Any) if have != Ty::Any => {
                        self.emit(Op::Box, &[v], Ty::Any).unwrap_or(v)
                    }
                    _ => v,
                };
                args.push(v);
            }
            let made = std::mem::take(&mut self.out);
            let plain = self
                .func
                .terminator(from)
                .is_some_and(|t| t.targets.len() == 1);
            let mut to = Target { block: b, args };
            if !made.is_empty() {
                if plain {
                    let at = self.placed[from.index()].len() - 1;
                    self.placed[from.index()].splice(at..at, made);
                } else {
                    let new = self.func.add_block();
                    let cold = self.func.blocks[b.index()].cold;
                    let data = &mut self.func.blocks[new.index()];
                    data.cold = cold;
                    data.insts = made.into_iter().map(|p| p.inst).collect();
                    let jump = self.func.push(new, Op::Jump, &[], Ty::None);
                    self.func.insts[jump.index()].targets.push(to);
                    to = Target {
                        block: new,
                        args: SmallVec::new(),
                    };
                }
            }
            targets.push((from, n, to));
        }
    }

    /// The object that comes to a block at this place.
    fn coming(&self, refs: &[Ref], place: &Place) -> Option<Obj> {
        let Ref::Obj(mut o) = refs[place.param] else {
            return None;
        };
        for &slot in &place.slots {
            match self.content(o)?.slots[slot] {
                Slot::Obj(part) => o = part,
                Slot::Val(_) => return None,
            }
        }
        Some(o)
    }

    /// An object that exists.
    fn as_type(&self, o: Obj, ty: Ty) -> Val {
        match self.flow.get(&o) {
            Some(&Status::Real { boxed, .. }) if ty == Ty::Any => boxed,
            _ => self.slot_val(Slot::Obj(o)),
        }
    }

    fn commit_params(&mut self, b: Block) {
        if b == Func::ENTRY {
            return;
        }
        let join = &self.joins[b.index()];
        let old = std::mem::take(&mut self.func.blocks[b.index()].params);
        let kept = old.iter().zip(&join.fates);
        let kept = kept.filter(|k| *k.1 == Fate::Kept).map(|k| *k.0);
        let params: Vec<Val> = kept.chain(join.added.iter().map(|a| a.1)).collect();
        for (n, p) in params.iter().enumerate() {
            self.func.vals[p.index()].def = Def::Param(b, n as u32);
        }
        self.func.blocks[b.index()].params = params;
    }
}
