//! The stress mode of tests: the collector runs at every poll, in slices of
//! random size, and what it must not look at is overwritten.
//!
//! - Dead cells are overwritten when they are swept ([`crate::heap`]).
//! - So are stack slots that are dead by the rules that the collector goes by:
//!   those above the innermost frame, and registers of interpreted frames that
//!   are not alive. The value left there refers to an address that no processor
//!   accepts, so that whoever follows it faults at once. Registers of compiled
//!   frames are left alone: only references among them are in the tables of
//!   call sites.
//! - What stacks refer to must be an object in a cell of the heap.
//! - Marked objects must refer to marked ones when marking ends.

use super::{Progress, Safepoint, VmState};
use crate::frame::{FrameKind, FrameRecord, flags, marks};
use crate::heap::Holding;
use crate::object::Header;
use crate::thread::StackView;
use crate::value::{Tag, Value};
use std::collections::HashSet;

/// Slots that are overwritten above the innermost frame.
const ABOVE: usize = 256;
/// Innermost frames that are looked at between the ends of two cycles.
const NEAR: usize = 8;
/// What dead slots hold: no address on machines whose addresses are extended
/// from fewer bits.
const POISON: Value = Value {
    payload: 0x7dea_dbad_dead_beef,
    tag: Tag::TABLE,
};

impl VmState {
    /// Switches the stress mode.
    pub fn set_gc_stress(&mut self, on: bool) {
        self.gc_stress = on;
        self.heap.set_poison(on);
        if on {
            self.heap.request_step();
        }
    }

    /// A slice too small to matter or a whole cycle.
    pub(super) fn stress_slice(&mut self, at: Safepoint) {
        let (r, cycles) = (self.gc.random(), self.gc.cycles);
        let progress = if r & 7 == 0 && at == Safepoint::Open {
            self.full_cycle(at);
            Progress::Finished
        } else {
            self.advance((r >> 8 & 0xfff) as isize, at)
        };
        if self.gc.cycles == cycles {
            let running = self.running_stack();
            self.poison_stack(&running, NEAR);
        } else {
            for stack in self.stacks() {
                self.poison_stack(&stack, usize::MAX);
            }
        }
        if progress == Progress::Visible {
            self.heap.request_poll();
            return;
        }
        // Every poll of the interpreter looks; compiled code is asked to.
        self.heap.wants_gc = true;
        if r >> 20 & 15 == 0 {
            self.heap.request_poll();
        }
    }

    /// Checks the references of a stack's innermost frames, at most `frames`
    /// of them, and overwrites what is dead there.
    fn poison_stack(&mut self, stack: &StackView, frames: usize) {
        let mut frame = stack.frame;
        let mut end = self.end_of(stack);
        let mut slot = end;
        while slot < end.wrapping_add(ABOVE).min(stack.limit) {
            // SAFETY: a slot of the stack above all frames.
            unsafe { *slot = POISON };
            slot = slot.wrapping_add(1);
        }
        let holding = self.heap.holding();
        let mut live = HashSet::new();
        for _ in 0..frames {
            if frame.is_null() {
                break;
            }
            live.clear();
            let innermost = frame == stack.frame;
            let top = if innermost { stack.top } else { end };
            self.visit_frame(frame, top, innermost, |vm, slot| {
                // SAFETY: live slots are initialised.
                vm.check_root(&holding, frame, unsafe { *slot });
                live.insert(slot);
            });
            live.extend(&stack.pending);
            // SAFETY: an active record.
            let record = unsafe { &*frame };
            let at_rest = record.flags & flags::OPEN == 0 && record.marks & marks::HOOKED == 0;
            if record.kind == FrameKind::INTERPRETED && at_rest {
                let mut slot = FrameRecord::registers(frame);
                while slot < end {
                    if !live.contains(&slot) {
                        // SAFETY: between the frame's record and what is above.
                        unsafe { *slot = POISON };
                    }
                    slot = slot.wrapping_add(1);
                }
            }
            end = frame.cast::<Value>().wrapping_sub(record.nvarargs as usize);
            frame = record.prev;
        }
    }

    /// Where the innermost frame of a stack ends.
    fn end_of(&mut self, stack: &StackView) -> *mut Value {
        // SAFETY: an active record.
        let record = unsafe { &*stack.frame };
        let registers = FrameRecord::registers(stack.frame);
        let (FrameKind::INTERPRETED | FrameKind::COMPILED, Some(f)) =
            (record.kind, record.function().as_lua_fn())
        else {
            return registers.max(stack.top);
        };
        let mut end = registers.wrapping_add(f.proto.max_stack as usize);
        if record.flags & flags::OPEN != 0 || record.marks & marks::HOOKED != 0 {
            end = end.max(stack.top);
        }
        // A poll of compiled code keeps fields of virtual objects above the
        // registers.
        self.visit_frame(stack.frame, end, true, |_, slot| {
            end = end.max(slot.wrapping_add(1));
        });
        end
    }

    /// # Panics
    /// If the value refers to what is no object.
    fn check_root(&self, holding: &Holding, frame: *mut FrameRecord, v: Value) {
        if v.tag.is_object() {
            // SAFETY: an active record.
            let (kind, pc) = unsafe { ((*frame).kind, FrameRecord::position(frame)) };
            assert!(
                holding.has(v.payload as *const Header),
                "a root of a frame is no object: {v:?} in {kind:?} at {pc}"
            );
        }
    }
}
