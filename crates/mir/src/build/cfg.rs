//! Basic blocks of the bytecode.

use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use vela_bytecode::flow::successors;
use vela_bytecode::{Op, Proto};

/// Control-flow graph of the bytecode reachable from a start pc.
pub(super) struct Cfg {
    /// First pcs of blocks, in reverse postorder.
    pub order: Vec<usize>,
    ends: FxHashMap<usize, usize>,
    preds: FxHashMap<usize, usize>,
    headers: BTreeSet<usize>,
}

impl Cfg {
    /// The blocks reachable from `start`; entering there counts as an edge.
    pub fn compute(proto: &Proto, start: usize) -> Cfg {
        let code = &proto.code;
        let mut leaders = BTreeSet::from([start]);
        let mut seen = vec![false; code.len()];
        let mut work = vec![start];
        while let Some(mut pc) = work.pop() {
            while pc < code.len() && !seen[pc] {
                seen[pc] = true;
                match ends_block(proto, pc) {
                    Some(targets) => {
                        for t in targets {
                            leaders.insert(t);
                            work.push(t);
                        }
                        break;
                    }
                    None => pc += 1,
                }
            }
        }
        let mut cfg = Cfg {
            order: Vec::new(),
            ends: FxHashMap::default(),
            preds: FxHashMap::default(),
            headers: BTreeSet::new(),
        };
        for &first in &leaders {
            let mut pc = first;
            let end = loop {
                if ends_block(proto, pc).is_some() {
                    break pc
                        + if code[pc].op().is_some_and(Op::is_comparison) {
                            2
                        } else {
                            1
                        };
                }
                pc += 1;
                if pc >= code.len() || leaders.contains(&pc) {
                    break pc;
                }
            };
            cfg.ends.insert(first, end);
        }
        cfg.number(proto, start);
        cfg
    }

    fn successors(&self, proto: &Proto, first: usize) -> Vec<usize> {
        let end = self.ends[&first];
        // The last instruction, or the comparison before the last jump.
        let mut pc = first;
        while pc < end {
            if let Some(t) = ends_block(proto, pc) {
                return t;
            }
            pc += 1;
        }
        vec![end]
    }

    fn number(&mut self, proto: &Proto, start: usize) {
        *self.preds.entry(start).or_default() += 1;
        let mut state: FxHashMap<usize, u8> = FxHashMap::default();
        let mut stack = vec![(start, self.successors(proto, start), 0usize)];
        state.insert(start, 1);
        let mut post = Vec::new();
        while let Some((b, succ, next)) = stack.last_mut() {
            if let Some(&s) = succ.get(*next) {
                *next += 1;
                *self.preds.entry(s).or_default() += 1;
                match state.get(&s) {
                    Some(1) => {
                        self.headers.insert(s);
                    }
                    Some(_) => {}
                    None => {
                        state.insert(s, 1);
                        let succ = self.successors(proto, s);
                        stack.push((s, succ, 0));
                    }
                }
            } else {
                state.insert(*b, 2);
                post.push(*b);
                stack.pop();
            }
        }
        post.reverse();
        self.order = post;
    }

    /// One past the last instruction of a block.
    pub fn end_of(&self, first: usize) -> usize {
        self.ends[&first]
    }

    /// Whether several edges reach the block.
    pub fn has_params(&self, first: usize) -> bool {
        self.preds.get(&first).is_some_and(|&n| n > 1)
    }

    /// Whether a back edge reaches the block.
    pub fn is_loop_header(&self, first: usize) -> bool {
        self.headers.contains(&first)
    }
}

/// The successors if the instruction at `pc` ends a block. A comparison and
/// the jump behind it are one two-way branch.
fn ends_block(proto: &Proto, pc: usize) -> Option<Vec<usize>> {
    let i = proto.code[pc];
    let op = i.op()?;
    if op.is_comparison() {
        let jump = proto.code[pc + 1];
        let target = (pc as i64 + 2 + i64::from(jump.sbx())) as usize;
        return Some(vec![target, pc + 2]);
    }
    if !op.is_jump() && !op.is_terminator() {
        return None;
    }
    let s = successors(i, pc);
    Some(
        [s.jump, s.next]
            .into_iter()
            .flatten()
            .map(|t| t as usize)
            .collect(),
    )
}
