//! Which registers hold values that may still be read.
//!
//! Backward data flow over bit sets. The optimizing tier uses it for frame
//! states and root slots: a register outside the live set of a pc need not
//! exist there. To-be-closed registers are live from `tbc` until a `close` or
//! return takes them, found by a forward pass.

use crate::flow;
use crate::instr::Instr;
use crate::op::Op;
use crate::proto::Proto;

/// A set of registers, 0..=255.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RegSet([u64; 4]);

impl RegSet {
    /// The empty set.
    pub const EMPTY: Self = Self([0; 4]);

    /// Whether the register is in the set.
    #[must_use]
    pub const fn contains(&self, reg: u8) -> bool {
        self.0[(reg / 64) as usize] >> (reg % 64) & 1 != 0
    }

    /// Adds a register.
    pub fn insert(&mut self, reg: u8) {
        self.0[usize::from(reg / 64)] |= 1 << (reg % 64);
    }

    /// Removes a register.
    pub fn remove(&mut self, reg: u8) {
        self.0[usize::from(reg / 64)] &= !(1 << (reg % 64));
    }

    /// Adds the registers of a range; those past 255 are ignored.
    pub fn insert_range(&mut self, regs: flow::Regs) {
        for (i, word) in self.0.iter_mut().enumerate() {
            *word |= mask(&regs, i as u32 * 64);
        }
    }

    /// Removes the registers of a range.
    pub fn remove_range(&mut self, regs: flow::Regs) {
        for (i, word) in self.0.iter_mut().enumerate() {
            *word &= !mask(&regs, i as u32 * 64);
        }
    }

    /// Adds all registers of another set.
    pub fn union_with(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    /// Keeps only the registers that are also in another set.
    pub fn retain(&mut self, other: &Self) {
        for (word, keep) in self.0.iter_mut().zip(other.0) {
            *word &= keep;
        }
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Number of registers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The registers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().enumerate().flat_map(|(i, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    (i as u32 * 64 + bit) as u8
                })
            })
        })
    }
}

impl std::fmt::Debug for RegSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<u8> for RegSet {
    fn from_iter<T: IntoIterator<Item = u8>>(regs: T) -> Self {
        let mut set = Self::EMPTY;
        for reg in regs {
            set.insert(reg);
        }
        set
    }
}

/// The bits of a range that fall into the word starting at `base`.
fn mask(regs: &flow::Regs, base: u32) -> u64 {
    let lo = regs.start.max(base);
    let hi = regs.end.min(base + 64);
    if lo >= hi {
        return 0;
    }
    let len = hi - lo;
    (if len == 64 { u64::MAX } else { (1 << len) - 1 }) << (lo - base)
}

/// Liveness of every register at every instruction of one function.
pub struct Liveness {
    live_in: Vec<RegSet>,
    tbc_in: Vec<RegSet>,
    open: Vec<Option<u8>>,
}

impl Liveness {
    /// Analyses a function whose code the verifier has accepted; other code
    /// gives a meaningless answer, but no panic. Linear in the code's length
    /// times the nesting of its loops.
    #[must_use]
    pub fn compute(proto: &Proto) -> Self {
        let code = &proto.code;
        let tbc_in = to_be_closed(proto);
        let mut live_in = vec![RegSet::EMPTY; code.len()];
        let at = |sets: &[RegSet], pc: Option<i64>| {
            pc.and_then(|pc| usize::try_from(pc).ok())
                .and_then(|pc| sets.get(pc).copied())
                .unwrap_or_default()
        };
        let mut changed = true;
        while changed {
            changed = false;
            for pc in (0..code.len()).rev() {
                let instr = code[pc];
                let next = flow::successors(instr, pc);
                let mut fall = at(&live_in, next.next);
                let mut jump = at(&live_in, next.jump);
                let a = instr.a();
                match instr.op() {
                    // the loop variable is written where the body is entered
                    Some(Op::ForPrep) => fall.remove(a.wrapping_add(3)),
                    Some(Op::ForLoop) => jump.remove(a.wrapping_add(3)),
                    Some(Op::TForLoop) => jump.remove(a.wrapping_add(2)),
                    _ => {}
                }
                let mut live = fall;
                live.union_with(&jump);
                live.remove_range(flow::kills(instr, proto.max_stack));
                flow::for_each_use(proto, pc, |regs| live.insert_range(regs));
                live.union_with(&tbc_in[pc]);
                if live != live_in[pc] {
                    live_in[pc] = live;
                    changed = true;
                }
            }
        }
        let open = (0..code.len())
            .map(|pc| {
                flow::consumes_open(code[pc])?;
                flow::opens(code[pc.checked_sub(1)?])
            })
            .collect();
        Self {
            live_in,
            tbc_in,
            open,
        }
    }

    /// Adds every local variable where it is in scope, for programs that look
    /// at variables which the code does not use any more.
    pub fn keep_locals(&mut self, proto: &Proto) {
        for local in &proto.locals {
            let end = (local.end_pc as usize).min(self.live_in.len());
            for live in self
                .live_in
                .iter_mut()
                .take(end)
                .skip(local.start_pc as usize)
            {
                live.insert(local.reg);
            }
        }
    }

    /// The registers whose values may be read at or after `pc`.
    ///
    /// The values of an open list (see [`Liveness::open_values`]) are not in
    /// the set; the registers before them are.
    ///
    /// # Panics
    /// If `pc` is not an instruction of the function.
    #[must_use]
    pub fn live_in(&self, pc: u32) -> &RegSet {
        &self.live_in[pc as usize]
    }

    /// The to-be-closed registers at `pc`.
    ///
    /// # Panics
    /// If `pc` is not an instruction of the function.
    #[must_use]
    pub fn to_be_closed(&self, pc: u32) -> &RegSet {
        &self.tbc_in[pc as usize]
    }

    /// If the instruction at `pc` reads values up to the top: the register of
    /// the first of them. They exist only between it and the instruction
    /// before, which made them.
    ///
    /// # Panics
    /// If `pc` is not an instruction of the function.
    #[must_use]
    pub fn open_values(&self, pc: u32) -> Option<u8> {
        self.open[pc as usize]
    }
}

/// Per pc, the registers that are marked to be closed on some path to it.
fn to_be_closed(proto: &Proto) -> Vec<RegSet> {
    let code = &proto.code;
    let mut sets = vec![RegSet::EMPTY; code.len()];
    let marks = |i: &Instr| matches!(i.op(), Some(Op::Tbc | Op::TForPrep));
    if !code.iter().any(marks) {
        return sets;
    }
    let mut changed = true;
    while changed {
        changed = false;
        for (pc, &instr) in code.iter().enumerate() {
            let mut set = sets[pc];
            let a = u32::from(instr.a());
            match instr.op() {
                Some(Op::Tbc) => set.insert_range(a..a + 1),
                Some(Op::TForPrep) => set.insert_range(a + 3..a + 4),
                Some(Op::Close) => set.remove_range(a..256),
                _ => {}
            }
            let next = flow::successors(instr, pc);
            for target in [next.next, next.jump].into_iter().flatten() {
                let Some(old) = usize::try_from(target).ok().and_then(|t| sets.get_mut(t)) else {
                    continue;
                };
                let before = *old;
                old.union_with(&set);
                changed |= *old != before;
            }
        }
    }
    sets
}
