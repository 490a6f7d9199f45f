//! Control-flow facts that the verifier and the passes share: predecessors,
//! dominators, natural loops, uses.

use crate::ir::{Block, Def, Func, Inst, Val};

/// Reverse postorder, predecessors and the dominator tree of the blocks
/// reachable from the entry.
///
/// Dominators after Cooper, Harvey, Kennedy, "A Simple, Fast Dominance
/// Algorithm" (2001); queries are O(1) by preorder intervals of the tree.
#[derive(Clone, Debug)]
pub struct Cfg {
    /// Reachable blocks in reverse postorder.
    pub order: Vec<Block>,
    /// By block: predecessors, one for each edge.
    pub preds: Vec<Vec<Block>>,
    /// By block: position in `order`; `u32::MAX` if unreachable.
    pub position: Vec<u32>,
    /// By block: immediate dominator; the entry's is itself.
    idom: Vec<Block>,
    /// By block: children in the dominator tree, in reverse postorder.
    pub children: Vec<Vec<Block>>,
    enter: Vec<u32>,
    leave: Vec<u32>,
}

impl Cfg {
    /// Computes the facts. Near-linear in the number of edges.
    #[must_use]
    pub fn new(func: &Func) -> Cfg {
        let n = func.blocks.len();
        let order = func.reverse_postorder();
        let mut position = vec![u32::MAX; n];
        for (i, b) in order.iter().enumerate() {
            position[b.index()] = i as u32;
        }
        let mut preds = vec![Vec::new(); n];
        for &b in &order {
            for t in func.terminator(b).iter().flat_map(|t| &t.targets) {
                preds[t.block.index()].push(b);
            }
        }
        let none = Block(u32::MAX);
        let mut idom = vec![none; n];
        idom[0] = Func::ENTRY;
        let mut changed = true;
        while changed {
            changed = false;
            for &b in &order[1..] {
                let mut new = none;
                for &p in &preds[b.index()] {
                    if idom[p.index()] == none {
                        continue;
                    }
                    new = if new == none {
                        p
                    } else {
                        common(&idom, &position, new, p)
                    };
                }
                if idom[b.index()] != new {
                    idom[b.index()] = new;
                    changed = true;
                }
            }
        }
        let mut children = vec![Vec::new(); n];
        for &b in &order[1..] {
            children[idom[b.index()].index()].push(b);
        }
        let (mut enter, mut leave) = (vec![0; n], vec![0; n]);
        let mut clock = 0;
        let mut stack = vec![(Func::ENTRY, 0usize)];
        while let Some((b, next)) = stack.pop() {
            if next == 0 {
                enter[b.index()] = clock;
                clock += 1;
            }
            if let Some(&c) = children[b.index()].get(next) {
                stack.push((b, next + 1));
                stack.push((c, 0));
            } else {
                leave[b.index()] = clock;
            }
        }
        Cfg {
            order,
            preds,
            position,
            idom,
            children,
            enter,
            leave,
        }
    }

    /// Whether the block can be reached from the entry.
    #[must_use]
    pub fn is_reachable(&self, b: Block) -> bool {
        self.position[b.index()] != u32::MAX
    }

    /// Whether every path from the entry to `b` passes `a` (or `a == b`).
    /// Both are reachable.
    #[must_use]
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        self.enter[a.index()] <= self.enter[b.index()]
            && self.leave[b.index()] <= self.leave[a.index()]
    }

    /// The immediate dominator; `None` for the entry.
    #[must_use]
    pub fn idom(&self, b: Block) -> Option<Block> {
        (b != Func::ENTRY).then(|| self.idom[b.index()])
    }
}

fn common(idom: &[Block], position: &[u32], mut a: Block, mut b: Block) -> Block {
    while a != b {
        while position[a.index()] > position[b.index()] {
            a = idom[a.index()];
        }
        while position[b.index()] > position[a.index()] {
            b = idom[b.index()];
        }
    }
    a
}

/// A natural loop.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The block that dominates the others and is entered from outside.
    pub header: Block,
    /// All blocks, header included, in no particular order.
    pub blocks: Vec<Block>,
    /// Blocks with an edge back to the header.
    pub latches: Vec<Block>,
    /// The only predecessor of the header outside the loop, if there is just
    /// one edge into the loop and its block ends in a plain jump.
    pub preheader: Option<Block>,
}

/// By block: whether it is in a loop.
#[must_use]
pub fn in_loops(func: &Func, cfg: &Cfg) -> Vec<bool> {
    let mut inside = vec![false; func.blocks.len()];
    for l in loops(func, cfg) {
        l.blocks.iter().for_each(|b| inside[b.index()] = true);
    }
    inside
}

/// The natural loops, inner loops before the loops around them. Loops with one
/// header are one. O(blocks × nesting).
#[must_use]
pub fn loops(func: &Func, cfg: &Cfg) -> Vec<Loop> {
    let mut loops = Vec::new();
    let mut member = vec![u32::MAX; func.blocks.len()];
    for (n, &header) in cfg.order.iter().enumerate().rev() {
        let latches: Vec<Block> = cfg.preds[header.index()]
            .iter()
            .copied()
            .filter(|&p| cfg.dominates(header, p))
            .collect();
        if latches.is_empty() {
            continue;
        }
        let mark = n as u32;
        member[header.index()] = mark;
        let mut blocks = vec![header];
        let mut work = latches.clone();
        while let Some(b) = work.pop() {
            if member[b.index()] == mark {
                continue;
            }
            member[b.index()] = mark;
            blocks.push(b);
            work.extend(&cfg.preds[b.index()]);
        }
        let mut outside = cfg.preds[header.index()]
            .iter()
            .copied()
            .filter(|&p| member[p.index()] != mark);
        let preheader = match (outside.next(), outside.next()) {
            (Some(p), None) if func.terminator(p).is_some_and(|t| t.targets.len() == 1) => Some(p),
            _ => None,
        };
        loops.push(Loop {
            header,
            blocks,
            latches,
            preheader,
        });
    }
    loops
}

/// Where each instruction is placed: block and position in it; `None` if it is
/// in no block.
#[must_use]
pub fn placement(func: &Func) -> Vec<Option<(Block, u32)>> {
    let mut place = vec![None; func.insts.len()];
    for (b, data) in func.blocks.iter().enumerate() {
        for (n, &i) in data.insts.iter().enumerate() {
            place[i.index()] = Some((Block(b as u32), n as u32));
        }
    }
    place
}

/// Calls `f` with every value that an instruction uses: operands, arguments of
/// its targets, and what its frame state names (callers' states included).
pub fn for_each_use(func: &Func, inst: Inst, mut f: impl FnMut(Val)) {
    let data = func.inst(inst);
    data.args.iter().copied().for_each(&mut f);
    for t in &data.targets {
        t.args.iter().copied().for_each(&mut f);
    }
    let mut next = data.state;
    while let Some(s) = next {
        let fs = &func.states[s.index()];
        fs.regs.iter().for_each(|r| f(r.1));
        next = fs.caller.as_ref().map(|c| {
            f(c.closure);
            c.state
        });
    }
}

/// Block of a value's definition, given [`placement`]; `None` if it is not
/// placed.
#[must_use]
pub fn def_block(func: &Func, place: &[Option<(Block, u32)>], v: Val) -> Option<Block> {
    match func.vals[v.index()].def {
        Def::Inst(i) => place[i.index()].map(|p| p.0),
        Def::Param(b, _) => Some(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    #[test]
    fn nested_loops_and_dominators() {
        let func = parse(
            "func \"f\" call params 0 stack 2
b0:
  v0: bool = bool true
  jump b1
b1 loop:
  branch v0, b2, b6
b2:
  jump b3
b3 loop:
  branch v0, b4, b5
b4:
  branch v0, b3, b5
b5:
  branch v0, b1, b6
b6:
  return_none
b7:
  jump b6
end
",
        )
        .unwrap();
        let cfg = Cfg::new(&func);
        assert!(!cfg.is_reachable(Block(7)));
        assert_eq!(cfg.preds[6].len(), 2);
        assert_eq!(cfg.idom(Block(5)), Some(Block(3)));
        assert_eq!(cfg.idom(Block(6)), Some(Block(1)));
        assert_eq!(cfg.idom(Block(0)), None);
        assert!(cfg.dominates(Block(1), Block(4)));
        assert!(cfg.dominates(Block(3), Block(3)));
        assert!(!cfg.dominates(Block(4), Block(5)));
        assert!(!cfg.dominates(Block(5), Block(6)));
        let loops = loops(&func, &cfg);
        assert_eq!(loops.len(), 2);
        assert_eq!(loops[0].header, Block(3));
        assert_eq!(loops[0].preheader, Some(Block(2)));
        let mut blocks = loops[0].blocks.clone();
        blocks.sort();
        assert_eq!(blocks, [Block(3), Block(4)]);
        assert_eq!(loops[1].header, Block(1));
        assert_eq!(loops[1].preheader, Some(Block(0)));
        assert_eq!(loops[1].latches, [Block(5)]);
        assert_eq!(loops[1].blocks.len(), 5);
    }
}
