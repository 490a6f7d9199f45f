//! Loop splitting: innermost counted loops run in chunks of iterations whose
//! checks were made all at once.
//!
//! In front of the loop comes a *chunk head*. It evaluates what the guards of
//! the body would check, for the iteration that is next and, where a check
//! depends on the induction variable, for how many iterations it will hold:
//!
//! ```text
//!   head(i, ...):  checks hold?  no -> slow(i, ...)
//!                  n = umin(limit - i, length - 1 - at, ..., CHUNK - 1)
//!   fast(i, ...):  body without checks and poll
//!                  i == i0 + n ?  no -> fast(i + 1, ...)
//!   done:          poll
//!                  i < limit ?    yes -> head(i + 1, ...)
//!   slow(i, ...):  the body as it was; then head(i + 1, ...)
//! ```
//!
//! Nothing is speculated: where a check fails, one iteration of the old body
//! runs and exits, or does not, exactly as before. The poll between chunks
//! keeps the latency of interrupts bounded, and since `head` evaluates its
//! checks again, what happens at the poll does not matter. Chunks are what
//! vectorizes: one way out, no calls, a trip count known at the start.
//!
//! A branch whose one side leads to a call or an allocation (the cold side of
//! a field or element access) is a check like any other. If it cannot be made
//! in advance it goes from the fast body to the slow one, which repeats the
//! iteration, as long as the iteration had no effect yet.
//!
//! A list that gets one element with each iteration is filled the same way: the head
//! checks that it ends at the index, is of the value's kind, and for how many elements it
//! has room; the fast body stores into the room, and the block between chunks sets the
//! length. Where there is no room, one iteration of the slow body makes some.
//!
//! After the iteration space splitting of Wu and Padua (1998) and the design
//! of range-check elimination by pre-, main and post-loops in Würthinger,
//! Wimmer, Mössenböck, "Array Bounds Check Elimination for the Java HotSpot
//! Client Compiler" (2007).

mod affine;
mod apply;
mod plan;

use super::{Fuel, copy};
use crate::analysis::{Cfg, Loop, loops};
use crate::ir::{Block, Func};

/// Most iterations of a chunk: polls are this far apart.
pub(super) const CHUNK: i64 = 4096;

/// Largest loop that is split, in instructions.
const MAX_BODY: usize = 200;

/// Most loops split in a function.
const MAX_LOOPS: usize = 24;

/// See the module.
pub(super) fn run(func: &mut Func, fuel: &mut Fuel) -> bool {
    let mut looked_at: Vec<Block> = Vec::new();
    let mut changed = false;
    'again: for _ in 0..MAX_LOOPS {
        let cfg = Cfg::new(func);
        let all = loops(func, &cfg);
        for l in &all {
            if looked_at.contains(&l.header) {
                continue;
            }
            looked_at.push(l.header);
            if !is_innermost(&all, l) || size(func, l) > MAX_BODY {
                continue;
            }
            let Some(plan) = plan::plan(func, &cfg, l) else {
                continue;
            };
            if !fuel.take() {
                return changed;
            }
            copy::close(func, &cfg, &l.blocks, &plan.outside);
            apply::apply(func, &cfg, l, &plan);
            changed = true;
            continue 'again;
        }
        break;
    }
    changed
}

fn is_innermost(all: &[Loop], l: &Loop) -> bool {
    !all.iter()
        .any(|other| other.header != l.header && l.blocks.contains(&other.header))
}

fn size(func: &Func, l: &Loop) -> usize {
    l.blocks
        .iter()
        .map(|b| func.blocks[b.index()].insts.len())
        .sum()
}
