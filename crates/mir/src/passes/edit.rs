//! Edits that several passes make.

use crate::ir::{Block, Def, Func, Inst, Op, State, Ty, Val};

/// Values that are to be used instead of others.
#[derive(Clone, Debug)]
pub struct Replacements {
    to: Vec<Option<Val>>,
    any: bool,
}

impl Replacements {
    /// None yet.
    #[must_use]
    pub fn new(func: &Func) -> Self {
        Replacements {
            to: vec![None; func.vals.len()],
            any: false,
        }
    }

    /// Uses of `old` become uses of `new`, which must be available wherever
    /// `old` is.
    pub fn replace(&mut self, old: Val, new: Val) {
        debug_assert_ne!(old, self.resolve(new), "a value replaces itself");
        if self.to.len() <= old.index() {
            self.to.resize(old.index() + 1, None);
        }
        self.to[old.index()] = Some(new);
        self.any = true;
    }

    /// What stands for `v` now.
    #[must_use]
    pub fn resolve(&self, mut v: Val) -> Val {
        while let Some(Some(next)) = self.to.get(v.index()) {
            v = *next;
        }
        v
    }

    /// Whether nothing was replaced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.any
    }

    /// Rewrites the operands of one instruction.
    pub fn apply_to(&self, func: &mut Func, inst: Inst) {
        if !self.any {
            return;
        }
        let data = &mut func.insts[inst.index()];
        for a in &mut data.args {
            *a = self.resolve(*a);
        }
        for t in &mut data.targets {
            for a in &mut t.args {
                *a = self.resolve(*a);
            }
        }
    }

    /// Rewrites all uses in the function.
    pub fn apply(&self, func: &mut Func) {
        if !self.any {
            return;
        }
        for i in 0..func.insts.len() {
            self.apply_to(func, Inst(i as u32));
        }
        for s in &mut func.states {
            for r in &mut s.regs {
                r.1 = self.resolve(r.1);
            }
            if let Some(c) = &mut s.caller {
                c.closure = self.resolve(c.closure);
            }
        }
    }
}

/// Turns an instruction into another one with the same result.
pub(super) fn become_op(func: &mut Func, inst: Inst, op: Op, args: &[Val]) {
    let data = &mut func.insts[inst.index()];
    data.op = op;
    data.args.clear();
    data.args.extend_from_slice(args);
    data.state = None;
    data.reason = vela_deopt::DeoptReason::None;
}

/// Empties the blocks that cannot be reached. Returns whether there were any.
pub(super) fn drop_unreachable(func: &mut Func) -> bool {
    let mut reachable = vec![false; func.blocks.len()];
    for b in func.reverse_postorder() {
        reachable[b.index()] = true;
    }
    let mut changed = false;
    for (b, data) in func.blocks.iter_mut().enumerate() {
        if !reachable[b] && (!data.insts.is_empty() || !data.params.is_empty()) {
            *data = crate::ir::BlockData::default();
            changed = true;
        }
    }
    changed
}

/// Removes block parameters and their arguments in every jump: `keep[b]` says
/// which parameters of block `b` stay, or is empty if all do.
pub(super) fn retain_params(func: &mut Func, keep: &[Vec<bool>]) {
    for (b, keep) in keep.iter().enumerate() {
        if keep.is_empty() {
            continue;
        }
        let mut params = std::mem::take(&mut func.blocks[b].params);
        let mut kept = keep.iter();
        params.retain(|_| kept.next().copied().unwrap_or(true));
        for (n, p) in params.iter().enumerate() {
            func.vals[p.index()].def = Def::Param(Block(b as u32), n as u32);
        }
        func.blocks[b].params = params;
    }
    for b in 0..func.blocks.len() {
        let Some(&last) = func.blocks[b].insts.last() else {
            continue;
        };
        for t in &mut func.insts[last.index()].targets {
            let mut kept = keep[t.block.index()].iter();
            t.args.retain(|_| kept.next().copied().unwrap_or(true));
        }
    }
}

/// Renumbers the frame states so that only those in use are left, in the
/// order of their first use.
pub fn compact_states(func: &mut Func) {
    let mut new = vec![None; func.states.len()];
    let mut order: Vec<State> = Vec::new();
    let mut visit = |s: State, func: &Func| {
        let mut next = Some(s);
        while let Some(s) = next {
            if new[s.index()].is_some() {
                break;
            }
            new[s.index()] = Some(State(order.len() as u32));
            order.push(s);
            next = func.states[s.index()].caller.as_ref().map(|c| c.state);
        }
    };
    for b in &func.blocks {
        for &i in &b.insts {
            if let Some(s) = func.inst(i).state {
                visit(s, func);
            }
        }
    }
    func.states = order
        .iter()
        .map(|s| {
            let mut s = func.states[s.index()].clone();
            if let Some(c) = &mut s.caller {
                c.state = new[c.state.index()].expect("callers were visited");
            }
            s
        })
        .collect();
    for i in &mut func.insts {
        i.state = i.state.and_then(|s| new[s.index()]);
    }
}

/// The integer that a value is, if it is a constant.
pub(super) fn int_of(func: &Func, v: Val) -> Option<i64> {
    match func.def_op(v) {
        Some(Op::Int(i)) => Some(*i),
        _ => None,
    }
}

/// The instruction that computes a value, if one does.
pub(super) fn def_inst(func: &Func, v: Val) -> Option<Inst> {
    match func.vals[v.index()].def {
        Def::Inst(i) => Some(i),
        Def::Param(..) => None,
    }
}

/// Places a new instruction before position `at` of `block` and returns its
/// result.
pub(super) fn insert(
    func: &mut Func,
    block: Block,
    at: usize,
    op: Op,
    args: &[Val],
    ty: Ty,
) -> Val {
    let i = func.make_inst(op, args, ty);
    func.blocks[block.index()].insts.insert(at, i);
    func.result(i)
}
