//! Memory over many compilations; alone in its process, because it looks at
//! the process's resident set.

mod support;

use std::sync::Arc;
use support::{call, load};
use vela_runtime_integration::{JitConfig, MirBackend, Mode, Tier};

#[cfg(target_os = "linux")]
fn resident_pages() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("procfs");
    let field = text.split_whitespace().nth(1).expect("second field");
    field.parse().expect("a number")
}

/// 5,000 rounds of compiling a function, running it and throwing it away.
#[cfg(target_os = "linux")]
#[test]
fn memory_stays_flat_over_5000_compilations() {
    let config = JitConfig {
        mode: Mode::Sync,
        osr: false,
        hotspot_threshold: 1 << 20,
        ..JitConfig::default()
    };
    let mut vm = vela_interpreter::new_vm(1).expect("address space");
    let tier = Tier::attach(&mut vm, config, Arc::new(MirBackend)).expect("a valid configuration");
    let source = "return function(n) local t = {} for i = 1, n do t[i] = i end return #t end";
    let main = load(&mut vm, source);
    let f = call(&mut vm, main, &[]);
    vm.pin(f);
    let proto = f.as_lua_fn().expect("a function").proto;
    let mut early = 0;
    for round in 0..5000 {
        tier.compile_now(&mut vm, proto).expect("compiles");
        assert_eq!(call(&mut vm, f, &[3]).as_int(), Some(3));
        if round % 100 == 0 {
            vm.collect_garbage();
        }
        if round == 500 {
            early = resident_pages();
        }
    }
    let late = resident_pages();
    assert!(late < early + 512, "{early} pages grew to {late}");
    let stats = tier.stats();
    assert_eq!(stats.cache.entries, 1);
    assert_eq!(stats.functions_compiled, 5000);
}
