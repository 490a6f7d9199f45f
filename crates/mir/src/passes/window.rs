//! Stores to the window: those of what a slot already holds, and those that
//! nothing reads before the slot is written again.
//!
//! Two data-flow problems over the registers. A slot *holds* a value from its
//! store until it may be written; what each operation reads and writes is in
//! [`reads`] and [`writes`].

use super::Fuel;
use super::edit::Replacements;
use crate::analysis::Cfg;
use crate::ir::{Block, Def, EntryKind, Func, Inst, Op, State, Val};

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let cfg = Cfg::new(func);
    let mut changed = redundant(func, &cfg, fuel);
    changed |= dead(func, &cfg, fuel);
    changed
}

/// Registers that an operation may write, besides [`Op::StoreReg`].
fn writes(func: &Func, i: Inst) -> std::ops::Range<usize> {
    let all = 0..func.max_stack as usize;
    match func.inst(i).op {
        Op::CallLua { a, .. }
        | Op::CallLuaMulti { a, .. }
        | Op::CallWindow { a, .. }
        | Op::CallTail { a, .. } => (a as usize).min(all.end)..all.end,
        Op::InterpOne => base(func, i)..all.end,
        // The record of the inlined frame.
        Op::PushFrame { a, .. } => {
            let at = base(func, i) + a as usize;
            at.min(all.end)..(at + vela_bytecode::FRAME_SLOTS).min(all.end)
        }
        _ => 0..0,
    }
}

/// Where the frame that an operation's site is in has its registers.
fn base(func: &Func, i: Inst) -> usize {
    func.inst(i).site.map_or(0, |s| func.base_at(s))
}

/// Calls `f` with every register whose slot an operation may read.
fn reads(func: &Func, i: Inst, mut f: impl FnMut(usize)) {
    let data = func.inst(i);
    let end = func.max_stack as usize;
    match data.op {
        // Only the bytecode tells what the instruction reads.
        Op::InterpOne => (base(func, i)..end).for_each(&mut f),
        Op::CallWindow { a, .. } | Op::TailCall { a, .. } | Op::CallTail { a, .. } => {
            (a as usize..end).for_each(&mut f)
        }
        Op::ReturnWindow { from, .. } => (from as usize..end).for_each(&mut f),
        Op::LoadReg(r) => f(r as usize),
        _ => {}
    }
    // A poll stores its operands itself.
    if let (Some(s), true) = (data.site, data.op != Op::Poll) {
        func.roots_at(s).into_iter().for_each(&mut f);
    }
    if let Some(s) = data.state {
        in_window(func, s, f);
    }
}

/// Registers that a state expects in the window; of inlined frames, the
/// registers of this function's window that they cover.
fn in_window(func: &Func, s: State, mut f: impl FnMut(usize)) {
    let mut chain = vec![s];
    while let Some(c) = &func.states[chain[chain.len() - 1].index()].caller {
        chain.push(c.state);
    }
    let mut base = 0;
    for (n, s) in chain.iter().rev().enumerate() {
        let fs = &func.states[s.index()];
        if let (Some(c), true) = (&fs.caller, n > 0) {
            base += c.a as usize + vela_bytecode::FRAME_SLOTS;
        }
        for &r in &fs.in_window {
            if base + (r as usize) < func.max_stack as usize {
                f(base + r as usize);
            }
        }
    }
}

/// The value with the same tag and payload that was there first: boxing and
/// checking change neither.
fn root(func: &Func, mut v: Val) -> Val {
    while let Def::Inst(i) = func.vals[v.index()].def
        && matches!(func.inst(i).op, Op::Box | Op::Unbox | Op::GuardTag(_))
    {
        v = func.inst(i).args[0];
    }
    v
}

/// What each slot holds, if known.
#[derive(Clone, PartialEq, Eq)]
struct Slots(Vec<Option<Val>>);

impl Slots {
    fn step(&mut self, func: &Func, i: Inst) {
        let data = func.inst(i);
        match data.op {
            Op::StoreReg(r) => self.0[r as usize] = Some(root(func, data.args[0])),
            Op::LoadReg(r) => self.0[r as usize] = data.result,
            Op::Poll => {
                // The slow path stores the operands.
                let roots = data.site.map(|s| func.roots_at(s)).unwrap_or_default();
                for (r, &v) in roots.into_iter().zip(&data.args) {
                    if self.0[r] != Some(root(func, v)) {
                        self.0[r] = None;
                    }
                }
                // Records of inlined frames.
                for (s, base) in data.site.map(|s| func.frames_at(s)).unwrap_or_default() {
                    if func.sites[s.index()].caller.is_some() {
                        self.0[base - vela_bytecode::FRAME_SLOTS..base].fill(None);
                    }
                }
            }
            _ => self.0[writes(func, i)].fill(None),
        }
    }
}

/// Removes stores of what the slot holds.
fn redundant(func: &mut Func, cfg: &Cfg, fuel: &mut Fuel) -> bool {
    let n = func.max_stack as usize;
    let mut at_start: Vec<Option<Slots>> = vec![None; func.blocks.len()];
    let mut entry = Slots(vec![None; n]);
    if func.entry_kind == EntryKind::Call && func.is_vararg {
        // The new frame was filled from the arguments.
        for (r, &p) in func.blocks[0].params.iter().enumerate().take(n) {
            entry.0[r] = Some(p);
        }
    }
    at_start[0] = Some(entry);
    let mut again = true;
    while again {
        again = false;
        for &b in &cfg.order {
            let Some(mut slots) = at_start[b.index()].clone() else {
                continue;
            };
            for &i in &func.blocks[b.index()].insts {
                slots.step(func, i);
            }
            for t in func.terminator(b).iter().flat_map(|t| &t.targets) {
                match &mut at_start[t.block.index()] {
                    Some(s) => {
                        for (old, new) in s.0.iter_mut().zip(&slots.0) {
                            if old.is_some() && old != new {
                                *old = None;
                                again = true;
                            }
                        }
                    }
                    unset => {
                        *unset = Some(slots.clone());
                        again = true;
                    }
                }
            }
        }
    }
    let mut replaced = Replacements::new(func);
    let mut changed = false;
    for &b in &cfg.order {
        let Some(mut slots) = at_start[b.index()].take() else {
            continue;
        };
        let mut insts = std::mem::take(&mut func.blocks[b.index()].insts);
        insts.retain(|&i| {
            let data = func.inst(i);
            let held = match data.op {
                Op::StoreReg(r) | Op::LoadReg(r) => slots.0[r as usize],
                _ => None,
            };
            match (&data.op, held) {
                (Op::StoreReg(_), Some(v)) if v == root(func, data.args[0]) && fuel.take() => {
                    changed = true;
                    return false;
                }
                (Op::LoadReg(_), Some(v)) if func.ty(v) == crate::ir::Ty::Any && fuel.take() => {
                    replaced.replace(func.result(i), v);
                    changed = true;
                    return false;
                }
                _ => {}
            }
            slots.step(func, i);
            true
        });
        func.blocks[b.index()].insts = insts;
    }
    replaced.apply(func);
    changed
}

/// Removes stores that nothing reads.
fn dead(func: &mut Func, cfg: &Cfg, fuel: &mut Fuel) -> bool {
    let n = func.max_stack as usize;
    let mut at_start: Vec<Vec<bool>> = vec![vec![false; n]; func.blocks.len()];
    let at_end = |func: &Func, at_start: &[Vec<bool>], b: Block| {
        let mut needed = vec![false; n];
        for t in func.terminator(b).iter().flat_map(|t| &t.targets) {
            for (to, from) in needed.iter_mut().zip(&at_start[t.block.index()]) {
                *to |= from;
            }
        }
        needed
    };
    let step = |func: &Func, needed: &mut Vec<bool>, i: Inst| {
        if let Op::StoreReg(r) = func.inst(i).op {
            needed[r as usize] = false;
        }
        needed[writes(func, i)].fill(false);
        reads(func, i, |r| needed[r] = true);
    };
    let mut again = true;
    while again {
        again = false;
        for &b in cfg.order.iter().rev() {
            let mut needed = at_end(func, &at_start, b);
            for &i in func.blocks[b.index()].insts.iter().rev() {
                step(func, &mut needed, i);
            }
            if needed != at_start[b.index()] {
                at_start[b.index()] = needed;
                again = true;
            }
        }
    }
    let mut changed = false;
    for &b in &cfg.order {
        let mut needed = at_end(func, &at_start, b);
        let mut insts = std::mem::take(&mut func.blocks[b.index()].insts);
        // Backward, so that a removed store does not count as a write.
        let mut kept = Vec::with_capacity(insts.len());
        while let Some(i) = insts.pop() {
            if let Op::StoreReg(r) = func.inst(i).op
                && !needed[r as usize]
                && fuel.take()
            {
                changed = true;
                continue;
            }
            step(func, &mut needed, i);
            kept.push(i);
        }
        kept.reverse();
        func.blocks[b.index()].insts = kept;
    }
    changed
}
