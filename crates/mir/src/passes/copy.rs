//! Copies of parts of a function.
//!
//! Values of the part that are used behind it become parameters of the blocks
//! that it leaves to, so that a copy can pass its own (the loop-closed form).

use crate::analysis::{Cfg, def_block, for_each_use, placement};
use crate::ir::{Block, Func, Inst, InstData, Site, State, Ty, Val};
use rustc_hash::FxHashMap;

/// A block that a part leaves to, and the values of the part that it and what
/// it dominates use.
#[derive(Clone, Debug)]
pub(super) struct Escape {
    exit: Block,
    vals: Vec<Val>,
}

/// What escapes from these blocks; `None` if parameters of the blocks that they
/// leave to cannot express that.
pub(super) fn escapes(func: &Func, cfg: &Cfg, blocks: &[Block]) -> Option<Vec<Escape>> {
    let member = members(func, blocks);
    let place = placement(func);
    let mut exits: Vec<Escape> = Vec::new();
    for &b in blocks {
        for t in func.terminator(b).iter().flat_map(|t| &t.targets) {
            if !member[t.block.index()] && !exits.iter().any(|e| e.exit == t.block) {
                exits.push(Escape {
                    exit: t.block,
                    vals: Vec::new(),
                });
            }
        }
    }
    // Uses, as values and the blocks at whose end they are needed at the latest.
    let mut uses: Vec<(Val, Block)> = Vec::new();
    for &b in cfg.order.iter().filter(|b| !member[b.index()]) {
        for &i in &func.blocks[b.index()].insts {
            for_each_use(func, i, |v| uses.push((v, b)));
        }
    }
    while let Some((v, b)) = uses.pop() {
        let Some(def) = def_block(func, &place, v).filter(|d| member[d.index()]) else {
            continue;
        };
        let e = exits.iter_mut().find(|e| cfg.dominates(e.exit, b))?;
        if e.vals.contains(&v) {
            continue;
        }
        let preds = &cfg.preds[e.exit.index()];
        // nil has no machine value to pass.
        if func.ty(v) == Ty::Nil || !preds.iter().all(|&p| cfg.dominates(def, p)) {
            return None;
        }
        e.vals.push(v);
        let others = preds.iter().filter(|p| !member[p.index()]);
        uses.extend(others.map(|&p| (v, p)));
    }
    exits.retain(|e| !e.vals.is_empty());
    Some(exits)
}

/// By block: whether it is among these.
pub(super) fn members(func: &Func, blocks: &[Block]) -> Vec<bool> {
    let mut member = vec![false; func.blocks.len()];
    blocks.iter().for_each(|b| member[b.index()] = true);
    member
}

/// Makes what escapes from the blocks parameters.
pub(super) fn close(func: &mut Func, cfg: &Cfg, blocks: &[Block], escapes: &[Escape]) {
    let member = members(func, blocks);
    for e in escapes {
        for &b in &cfg.order {
            let Some(&last) = func.blocks[b.index()].insts.last() else {
                continue;
            };
            for t in &mut func.insts[last.index()].targets {
                if t.block == e.exit {
                    t.args.extend_from_slice(&e.vals);
                }
            }
        }
    }
    for e in escapes {
        let mut map: FxHashMap<Val, Val> = FxHashMap::default();
        for &v in &e.vals {
            let param = func.add_param(e.exit, func.ty(v));
            map.insert(v, param);
        }
        let mut states = FxHashMap::default();
        for &b in &cfg.order {
            if member[b.index()] || !cfg.dominates(e.exit, b) {
                continue;
            }
            for i in func.blocks[b.index()].insts.clone() {
                rename(func, i, &map, &mut states);
            }
        }
    }
}

/// What stands for values and frame states in a copy.
#[derive(Default)]
pub(super) struct Copies {
    /// Values.
    pub map: FxHashMap<Val, Val>,
    states: FxHashMap<State, State>,
}

impl Copies {
    /// The value that stands for `v`.
    pub fn of(&self, v: Val) -> Val {
        self.map.get(&v).copied().unwrap_or(v)
    }

    /// Appends a copy of an instruction to a block.
    pub fn copy(&mut self, func: &mut Func, i: Inst, into: Block) -> Inst {
        let data = func.inst(i).clone();
        let ty = data.result.map_or(Ty::None, |r| func.ty(r));
        let new = func.make_inst(data.op.clone(), &data.args, ty);
        let (result, site) = (func.inst(new).result, data.site);
        if let (Some(old), Some(new)) = (data.result, result) {
            self.map.insert(old, new);
        }
        let site = site.map(|s| {
            let copy = func.sites[s.index()].clone();
            func.sites.push(copy);
            Site(func.sites.len() as u32 - 1)
        });
        func.insts[new.index()] = InstData {
            result,
            site,
            ..data
        };
        rename(func, new, &self.map, &mut self.states);
        func.blocks[into.index()].insts.push(new);
        new
    }
}

/// Makes an instruction use other values. States are copied: others may share
/// them.
fn rename(
    func: &mut Func,
    i: Inst,
    map: &FxHashMap<Val, Val>,
    states: &mut FxHashMap<State, State>,
) {
    let with = |v: &mut Val| {
        if let Some(&to) = map.get(v) {
            *v = to;
        }
    };
    let data = &mut func.insts[i.index()];
    data.args.iter_mut().for_each(with);
    for t in &mut data.targets {
        t.args.iter_mut().for_each(with);
    }
    if let Some(s) = data.state {
        let new = state(func, s, map, states);
        func.insts[i.index()].state = Some(new);
    }
}

/// The state with other values; itself if it names none of them.
fn state(
    func: &mut Func,
    s: State,
    map: &FxHashMap<Val, Val>,
    states: &mut FxHashMap<State, State>,
) -> State {
    if let Some(&new) = states.get(&s) {
        return new;
    }
    let mut fs = func.states[s.index()].clone();
    for r in &mut fs.regs {
        r.1 = map.get(&r.1).copied().unwrap_or(r.1);
    }
    if let Some(c) = &mut fs.caller {
        c.closure = map.get(&c.closure).copied().unwrap_or(c.closure);
        c.state = state(func, c.state, map, states);
    }
    let new = if fs == func.states[s.index()] {
        s
    } else {
        func.states.push(fs);
        State(func.states.len() as u32 - 1)
    };
    states.insert(s, new);
    new
}
