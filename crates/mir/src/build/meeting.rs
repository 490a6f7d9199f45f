//! Places where several ways through the code meet again, each with results:
//! the returns of an inlined function, the ways of a call with several callees.

use super::{Builder, Inherited};
use crate::ir::{Block, Op, Target, Ty, Val};
use smallvec::SmallVec;

/// "pc" of the values that ways bring along, in the table of types.
const RESULTS: usize = usize::MAX;

/// A place where ways meet, and what is known there.
pub(super) struct Meeting {
    /// Distinguishes the results in the table of types.
    instance: u32,
    /// Results that each way has.
    pub want: usize,
    block: Block,
    /// Values of the slots that no way writes, before the ways parted.
    pub before: Vec<Option<Val>>,
    /// What is known after all ways seen so far.
    after: Option<Inherited>,
}

impl Builder<'_> {
    /// A meeting of ways that write no register below `a` of the current
    /// frame, and nothing of the frames around it.
    pub(super) fn meeting(&mut self, instance: u32, want: usize, a: u8) -> Meeting {
        Meeting {
            instance,
            want,
            block: self.func.add_block(),
            before: self.values[..self.slot(a)].to_vec(),
            after: None,
        }
    }

    /// Ends a way: goes to the meeting with these results, nil for those that
    /// are missing.
    pub(super) fn arrive(&mut self, meeting: &mut Meeting, results: &[Val]) {
        let mut args: SmallVec<[Val; 4]> = SmallVec::new();
        for k in 0..meeting.want {
            let v = match results.get(k) {
                Some(&v) => v,
                None => self.nil(),
            };
            args.push(self.joined((meeting.instance, RESULTS, k as u8), v));
        }
        let i = self.push(Op::Jump, &[], Ty::None);
        let block = meeting.block;
        self.func.insts[i.index()]
            .targets
            .push(Target { block, args });
        self.cur = None;
        match &mut meeting.after {
            None => {
                meeting.after = Some(Inherited {
                    values: self.values.clone(),
                    window: self.window.clone(),
                });
            }
            Some(after) => {
                for (slot, before) in meeting.before.iter().enumerate() {
                    if after.values[slot] != self.values[slot] {
                        after.values[slot] = *before;
                    }
                }
                for (known, now) in after.window.iter_mut().zip(&self.window) {
                    if known != now {
                        *known = None;
                    }
                }
            }
        }
    }

    /// Goes on where the ways meet, with their results in the registers from
    /// `a` on, and nothing behind them; with no block if none arrived.
    pub(super) fn meet(&mut self, meeting: Meeting, a: u8) {
        self.state = None;
        let Some(after) = meeting.after else {
            self.cur = None;
            return;
        };
        self.values = after.values;
        self.window = after.window;
        self.cur = Some(meeting.block);
        self.forget_from(a);
        for k in 0..meeting.want {
            let ty = self.types.get((meeting.instance, RESULTS, k as u8));
            let v = self.func.add_param(meeting.block, ty.unwrap_or(Ty::Any));
            self.write(a + k as u8, v);
        }
    }
}
