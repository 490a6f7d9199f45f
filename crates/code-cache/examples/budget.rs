//! The cache alone: installs pieces of "code" over a small budget and shows
//! which ones stay.

use std::sync::Arc;
use vela_code_cache::{CodeCache, CodeMemory, InstalledCode, LiteralPool};

struct Bytes(Vec<u8>);

impl CodeMemory for Bytes {
    fn entry(&self) -> *const u8 {
        self.0.as_ptr()
    }
    fn size(&self) -> usize {
        self.0.len()
    }
}

fn main() {
    let cache = CodeCache::new(4096);
    let mut first = 0;
    for round in 0..10 {
        let pool = Arc::new(LiteralPool::new(&[]));
        let memory = Box::new(Bytes(vec![0; 1000]));
        let id = cache.next_id();
        let code = InstalledCode::new(id, round, memory, vec![], vec![], pool);
        cache.install(code);
        if round == 0 {
            first = id;
        }
        // The first one is in use all the time, the last one is running now.
        cache.touch(first);
        for gone in cache.evict(|active| active == id) {
            println!("round {round}: evicted {}", gone.id);
        }
    }
    println!("{:#?}", cache.stats());
}
