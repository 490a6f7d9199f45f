//! Loops that wait for the collector.
//!
//! A program may allocate until a finalizer has run or a weak table has lost
//! an entry:
//!
//! ```lua
//! repeat local t = {} until finished
//! ```
//!
//! Without the allocation, which the passes before have removed, nothing would
//! ever ask for a collection. So a loop that nothing in it can end (no branch
//! out of it depends on what its iterations change) and that allocates no more
//! counts each of them as an allocation. Such loops do nothing that is worth
//! being fast; all others stay as they are. Cold blocks do not count: the loop
//! may never get there. In a function whose loops were spared objects, nothing
//! counts that an iteration may do without.

use super::Fuel;
use super::memory::Classes;
use crate::analysis::{Cfg, Loop, loops};
use crate::helper::{Effect, Helper};
use crate::ir::{Block, Func, Inst, Op, Target, Ty};

/// What an iteration counts for, in bytes: about a small table.
const BYTES: i64 = 64;

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let cfg = Cfg::new(func);
    let classes = Classes::new(func);
    let mut inner = vec![false; func.blocks.len()];
    let mut changed = false;
    for l in loops(func, &cfg) {
        // Polls of loops inside come too often.
        let own = l.blocks.iter().copied().filter(|b| !inner[b.index()]);
        let own: Vec<Block> = own.collect();
        l.blocks.iter().for_each(|b| inner[b.index()] = true);
        let steady: Vec<Inst> = steady(func, &cfg, &l).collect();
        if allocates(func, &steady) || !waits(func, &l, &steady, &classes) {
            continue;
        }
        for b in own {
            let insts = &func.blocks[b.index()].insts;
            let poll = insts.iter().position(|&i| func.inst(i).op == Op::Poll);
            if let Some(at) = poll.filter(|_| fuel.take()) {
                count(func, b, at);
                changed = true;
            }
        }
    }
    changed
}

/// The instructions of a loop outside its cold blocks.
fn warm<'a>(func: &'a Func, l: &'a Loop) -> impl Iterator<Item = Inst> + 'a {
    let warm = l.blocks.iter().map(|b| &func.blocks[b.index()]);
    let warm = warm.filter(|b| !b.cold);
    warm.flat_map(|b| b.insts.iter().copied())
}

/// The instructions of a loop that count.
fn steady<'a>(func: &'a Func, cfg: &'a Cfg, l: &'a Loop) -> impl Iterator<Item = Inst> + 'a {
    let always = |b: Block| l.latches.iter().all(|&latch| cfg.dominates(b, latch));
    let blocks = l.blocks.iter().map(|b| (*b, &func.blocks[b.index()]));
    let blocks = blocks.filter(move |(b, data)| !data.cold && (!func.spares || always(*b)));
    blocks.flat_map(|(_, data)| data.insts.iter().copied())
}

/// Whether the operation reads tables in ways that are no plain load.
fn looks_up(op: &Op) -> bool {
    matches!(op, Op::FindField | Op::FindIndex) || op.lib_effect() == Some(Effect::Reads)
}

/// Whether anything that counts may allocate or calls what may.
fn allocates(func: &Func, steady: &[Inst]) -> bool {
    steady.iter().any(|&i| {
        let op = &func.inst(i).op;
        let grows = matches!(op, Op::AddSlot | Op::PutField | Op::PutIndex | Op::PushElem);
        let known = op.is_pure()
            || op.is_guard()
            || op.is_virtual()
            || op.is_terminator()
            || op.reads().is_some()
            || op.writes().is_some()
            || looks_up(op)
            || *op == Op::Poll;
        grows || !known
    })
}

/// Whether no branch out of the loop depends on what the loop changes.
fn waits(func: &Func, l: &Loop, steady: &[Inst], classes: &Classes) -> bool {
    let mut member = vec![false; func.blocks.len()];
    l.blocks.iter().for_each(|b| member[b.index()] = true);
    let varies = varying(func, l, steady, classes, &member);
    // Where code ends that goes on in the interpreter.
    let exits = |b| func.spares && func.terminator(b).is_some_and(|i| i.op == Op::Exit);
    let outside = |t: &Target| !member[t.block.index()] && !exits(t.block);
    warm(func, l).all(|i| {
        let data = func.inst(i);
        let leaves = data.targets.iter().any(outside);
        !leaves || !data.args.iter().any(|a| varies[a.index()])
    })
}

/// By value: whether it may differ between iterations. Loads do if what counts
/// writes their class, the parameters of the loop's header always.
fn varying(
    func: &Func,
    l: &Loop,
    steady: &[Inst],
    classes: &Classes,
    member: &[bool],
) -> Vec<bool> {
    let written = classes.clobbered(func, steady.iter().copied());
    let left = classes.clobbered(func, warm(func, l));
    let stores = steady.iter().any(|&i| func.inst(i).op.writes().is_some());
    let mut varies = vec![false; func.vals.len()];
    for &p in &func.blocks[l.header.index()].params {
        varies[p.index()] = true;
    }
    let mut again = true;
    while std::mem::take(&mut again) {
        for i in warm(func, l) {
            let data = func.inst(i);
            for t in &data.targets {
                for (n, a) in t.args.iter().enumerate() {
                    let p = func.blocks[t.block.index()].params[n];
                    if varies[a.index()] && member[t.block.index()] && !varies[p.index()] {
                        varies[p.index()] = true;
                        again = true;
                    }
                }
            }
            let Some(result) = data.result.filter(|r| !varies[r.index()]) else {
                continue;
            };
            let read = classes.read_by(func, i);
            // A call may leave its results in the window.
            let changes = match data.op {
                Op::LoadReg(_) => &left,
                _ => &written,
            };
            if data.args.iter().any(|a| varies[a.index()])
                || read.is_some_and(|n| n.is_none_or(|n| changes[n as usize]))
                || stores && looks_up(&data.op)
            {
                varies[result.index()] = true;
                again = true;
            }
        }
    }
    varies
}

/// Counts an allocation before the instruction at `at`.
fn count(func: &mut Func, b: Block, at: usize) {
    let bytes = func.make_inst(Op::Int(BYTES), &[], Ty::Int);
    let size = func.result(bytes);
    let count = func.make_inst(Op::Lib(Helper::CountBytes), &[size], Ty::Bool);
    func.blocks[b.index()].insts.splice(at..at, [bytes, count]);
}
