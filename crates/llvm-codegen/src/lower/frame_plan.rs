//! Where a function pushes its frame record.
//!
//! Paths without call sites need no record: `fib(1)` returns without ever
//! having touched `vm.frame`. The record is pushed in one place, the block `B`
//! as late as possible such that
//!
//! - `B` dominates every call site,
//! - `B` is in no loop, so the push happens once,
//! - every block that can follow `B` is dominated by it, so each return knows
//!   statically whether there is a record to pop.
//!
//! The stack check belongs to the push: it moves along when nothing before the
//! push touches the heap, because then a collection at the check sees exactly
//! what it would have seen at the entry.
//!
//! The stack check is also the poll of calls, which endless chains of tail calls
//! need: a function that makes one without having pushed checks at its entry.

use vela_mir::analysis::Cfg;
use vela_mir::ir::{Block, EntryKind, Func, Op};

/// A place to push the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Push {
    /// Before the entry block, which is a loop header.
    Prologue,
    /// In a block, before the instruction at a position.
    Before(Block, usize),
}

/// Frame-related facts of a function.
#[derive(Debug)]
pub struct FramePlan {
    /// Whether there are call sites at all.
    pub has_sites: bool,
    /// Where the record is pushed. `None` when there are no call sites, and
    /// for OSR entries, whose record exists already.
    pub push: Option<Push>,
    /// Whether the stack check is done at the push instead of at the entry.
    pub check_at_push: bool,
    /// Whether the stack check is done at the entry.
    pub check_at_entry: bool,
    /// By block: whether the record is in place when the block begins.
    pushed: Vec<bool>,
}

impl FramePlan {
    /// Computes the facts. O(blocks × depth of the dominator tree).
    #[must_use]
    pub fn new(func: &Func, cfg: &Cfg) -> FramePlan {
        let mut sites = cfg.order.iter().copied().filter(|&b| has_site(func, b));
        let osr = matches!(func.entry_kind, EntryKind::Osr { .. });
        let mut plan = FramePlan {
            has_sites: false,
            push: None,
            check_at_push: false,
            check_at_entry: false,
            pushed: vec![osr; func.blocks.len()],
        };
        let first = sites.next();
        plan.has_sites = first.is_some();
        if osr {
            plan.pushed[Func::ENTRY.index()] = false;
            return plan;
        }
        let tail_call = |b: &&Block| {
            let last = func.terminator(**b).map(|t| &t.op);
            matches!(last, Some(Op::TailCall { .. } | Op::TailCallLua { .. }))
        };
        let mut tails = cfg.order.iter().filter(tail_call);
        let Some(mut at) = first else {
            plan.check_at_entry = func.is_vararg || tails.next().is_some();
            return plan;
        };
        for b in sites {
            while !cfg.dominates(at, b) {
                at = cfg.idom(at).unwrap_or(Func::ENTRY);
            }
        }
        loop {
            let after = reachable_from(func, at);
            let once = !after[at.index()];
            let clean = cfg
                .order
                .iter()
                .all(|&b| !after[b.index()] || cfg.dominates(at, b));
            match cfg.idom(at) {
                Some(up) if !(once && clean) => at = up,
                _ => break,
            }
        }
        let insts = &func.blocks[at.index()].insts;
        let in_loop = reachable_from(func, at)[at.index()];
        // In the entry block guards come first, whose exits need no record.
        let position = if at == Func::ENTRY {
            insts
                .iter()
                .position(|&i| func.inst(i).op.needs_frame())
                .unwrap_or(insts.len().saturating_sub(1))
        } else {
            0
        };
        plan.push = Some(if in_loop {
            Push::Prologue
        } else {
            Push::Before(at, position)
        });
        for &b in &cfg.order {
            plan.pushed[b.index()] = (b != at || in_loop) && cfg.dominates(at, b);
        }
        plan.check_at_push = !func.is_vararg
            && !in_loop
            && tails.all(|&b| b == at || plan.pushed[b.index()])
            && cfg.order.iter().all(|&b| {
                let insts = &func.blocks[b.index()].insts;
                let end = if b == at { position } else { insts.len() };
                plan.pushed[b.index()]
                    || insts[..end]
                        .iter()
                        .all(|&i| is_register_only(&func.inst(i).op))
            });
        plan.check_at_entry = !plan.check_at_push;
        plan
    }

    /// Whether the record is in place when the block begins.
    #[must_use]
    pub fn pushed_at(&self, b: Block) -> bool {
        self.pushed[b.index()]
    }
}

fn has_site(func: &Func, b: Block) -> bool {
    func.blocks[b.index()]
        .insts
        .iter()
        .any(|&i| func.inst(i).op.needs_frame())
}

/// Blocks that can be reached over at least one edge from `from`.
fn reachable_from(func: &Func, from: Block) -> Vec<bool> {
    let mut seen = vec![false; func.blocks.len()];
    let mut work = vec![from];
    while let Some(b) = work.pop() {
        for t in func.terminator(b).iter().flat_map(|t| &t.targets) {
            if !seen[t.block.index()] {
                seen[t.block.index()] = true;
                work.push(t.block);
            }
        }
    }
    seen
}

/// Whether an operation works on values in registers alone.
fn is_register_only(op: &Op) -> bool {
    match op {
        Op::Upval(_) | Op::LoadVararg | Op::VarargCount => false,
        Op::Guard | Op::GuardTag(_) | Op::GuardFloatToInt | Op::Exit => true,
        Op::ReturnWindow { .. } | Op::TailCall { .. } | Op::TailCallLua { .. } => false,
        op => op.is_pure() || op.is_terminator(),
    }
}
