//! Budget, eviction order, and that running code is never freed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use vela_code_cache::{CodeCache, CodeMemory, InstalledCode, LiteralPool};
use vela_deopt::{DeoptReason, ExitFrame, SideExit};

/// Memory that counts how much of it exists.
struct Fake {
    bytes: Vec<u8>,
    live: Arc<AtomicUsize>,
}

impl CodeMemory for Fake {
    fn entry(&self) -> *const u8 {
        self.bytes.as_ptr()
    }
    fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.live.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

fn code(cache: &CodeCache, size: usize, live: &Arc<AtomicUsize>) -> InstalledCode {
    live.fetch_add(size, Ordering::Relaxed);
    let memory = Fake {
        bytes: vec![0xc3; size],
        live: live.clone(),
    };
    let exit = SideExit {
        reason: DeoptReason::Type,
        origin: 0,
        frames: vec![ExitFrame {
            pc: 0,
            regs: Vec::new(),
            inlined: None,
        }],
        top: None,
        objects: Vec::new(),
        before_commit: false,
    };
    let pool = Arc::new(LiteralPool::new(&[1, 2, 3]));
    InstalledCode::new(
        cache.next_id(),
        1,
        Box::new(memory),
        vec![exit],
        vec![],
        pool,
    )
}

#[test]
fn least_recently_used_goes_first() {
    let live = Arc::new(AtomicUsize::new(0));
    let cache = CodeCache::new(3500);
    let ids: Vec<u32> = (0..3)
        .map(|_| cache.install(code(&cache, 1000, &live)).id)
        .collect();
    assert!(!cache.over_budget());
    cache.touch(ids[0]);
    let new = cache.install(code(&cache, 1000, &live)).id;
    assert!(cache.over_budget());
    let gone = cache.evict(|_| false);
    assert_eq!(gone.iter().map(|c| c.id).collect::<Vec<_>>(), [ids[1]]);
    assert!(gone[0].is_retired());
    assert!(cache.get(ids[0]).is_some() && cache.get(new).is_some());
    assert_eq!(live.load(Ordering::Relaxed), 4000);
    drop(gone);
    assert_eq!(live.load(Ordering::Relaxed), 3000);
}

#[test]
fn equal_age_goes_by_frequency() {
    let live = Arc::new(AtomicUsize::new(0));
    let cache = CodeCache::new(2500);
    let a = cache.install(code(&cache, 1000, &live)).id;
    let b = cache.install(code(&cache, 1000, &live)).id;
    let c = cache.install(code(&cache, 1000, &live)).id;
    for id in [a, a, a, b, c, c] {
        cache.touch(id);
    }
    let gone = cache.evict(|_| false);
    assert_eq!(gone.iter().map(|c| c.id).collect::<Vec<_>>(), [b]);
}

#[test]
fn active_code_stays() {
    let live = Arc::new(AtomicUsize::new(0));
    let cache = CodeCache::new(100);
    let a = cache.install(code(&cache, 1000, &live)).id;
    let b = cache.install(code(&cache, 1000, &live)).id;
    let gone = cache.evict(|id| id == a);
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].id, b);
    assert!(cache.over_budget(), "the running code alone is too large");
    assert!(cache.evict(|id| id == a).is_empty());

    assert!(cache.retire(a));
    assert!(!cache.retire(a), "only the first call retires");
    assert!(cache.get(a).is_some(), "its exits are still needed");
    assert!(cache.reclaim(|id| id == a).is_empty());
    assert!(cache.has_retired());
    drop(gone);
    drop(cache.reclaim(|_| false));
    assert!(!cache.has_retired());
    assert!(cache.get(a).is_none());
    assert_eq!(live.load(Ordering::Relaxed), 0);
    let stats = cache.stats();
    assert_eq!((stats.entries, stats.bytes, stats.code_bytes), (0, 0, 0));
    assert_eq!(
        (
            stats.installed,
            stats.evicted,
            stats.retired,
            stats.reclaimed
        ),
        (2, 1, 1, 1)
    );
    assert!(stats.peak_bytes >= 2000);
}

#[test]
fn exits_are_counted_one_by_one() {
    let live = Arc::new(AtomicUsize::new(0));
    let cache = CodeCache::new(10_000);
    let c = cache.install(code(&cache, 10, &live));
    assert_eq!(c.count_exit(0), Some(1));
    assert_eq!(c.count_exit(0), Some(2));
    assert_eq!(c.count_exit(1), None);
    assert_eq!(c.exit_count(0), 2);
}

#[test]
fn the_pool_starts_with_its_invalidation_flag() {
    let pool = LiteralPool::new(&[7, 8]);
    assert_eq!(pool.literals(), [7, 8]);
    assert!(!pool.is_invalid());
    pool.invalidate();
    assert!(pool.is_invalid());
    assert_eq!(pool.size(), 24);
}

#[cfg(target_os = "linux")]
fn resident_pages() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("procfs");
    let field = text.split_whitespace().nth(1).expect("second field");
    field.parse().expect("a number")
}

/// 5,000 rounds of installing 64 KiB and evicting to a budget of 1 MiB: what
/// the process holds at the end is what it held after the first hundred.
#[cfg(target_os = "linux")]
#[test]
fn memory_stays_flat_over_5000_rounds() {
    let live = Arc::new(AtomicUsize::new(0));
    let cache = CodeCache::new(1 << 20);
    let mut early = 0;
    for round in 0..5000 {
        let installed = cache.install(code(&cache, 64 << 10, &live));
        if round % 7 == 0 {
            cache.retire(installed.id);
            drop(installed);
            drop(cache.reclaim(|_| false));
        } else {
            drop(installed);
        }
        drop(cache.evict(|_| false));
        assert!(live.load(Ordering::Relaxed) <= 1 << 20);
        if round == 100 {
            early = resident_pages();
        }
    }
    let late = resident_pages();
    // 4 MiB of slack for the allocator and the other tests of this process;
    // without eviction it would be 312 MiB.
    assert!(late < early + 1024, "{early} pages grew to {late}");
    assert!(cache.stats().evicted > 4000);
}
