//! A budget of memory for a group of VMs: an allocator that counts what the
//! process has allocated, and limits of the VMs that follow from what is left.
//!
//!     cargo run -p vela --example memory_budget

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use vela::{Engine, Limits, Result, Vm, VmConfig};

/// Counts bytes on their way to the system's allocator.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: passes everything on; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: by the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: by the caller's contract.
        unsafe { System.dealloc(p, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What all VMs together may use.
const BUDGET: usize = 64 << 20;

/// Shares what is left of the budget among the VMs, each keeping what it has.
fn share(vms: &mut [Vm]) {
    let used: usize = vms.iter().map(|vm| vm.usage().memory).sum();
    let more = BUDGET.saturating_sub(used) / vms.len().max(1);
    for vm in vms {
        vm.set_limits(&Limits {
            memory: Some(vm.usage().memory + more),
            ..Limits::default()
        });
    }
}

fn main() -> Result<()> {
    let engine = Engine::new(VmConfig::default())?;
    let mut vms = (0..4).map(|_| engine.vm()).collect::<Result<Vec<_>>>()?;
    let (mut full, mut rounds) = (0, 0);
    while full < vms.len() {
        full = 0;
        rounds += 1;
        for i in 0..vms.len() {
            share(&mut vms);
            // Every VM keeps as much as it gets, about 1 MB a round.
            let chunk = vms[i].chunk("kept = {kept, ('x'):rep((1 << 20) + ...)}");
            let grow = chunk.call::<()>(rounds);
            if let Err(e) = grow {
                assert_eq!(e.to_string(), "not enough memory");
                full += 1;
            }
        }
    }
    let used: usize = vms.iter().map(|vm| vm.usage().memory).sum();
    println!(
        "{rounds} rounds; {} MB in the VMs, budget {} MB; {} MB by the process's allocator",
        used >> 20,
        BUDGET >> 20,
        ALLOCATED.load(Ordering::Relaxed) >> 20
    );
    assert!(used <= BUDGET);
    Ok(())
}
