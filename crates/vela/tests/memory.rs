//! Memory of machine code over many compilations; alone in its process,
//! because it looks at the process's resident set.
#![cfg(all(feature = "llvm-jit", target_os = "linux"))]

use vela::{Value, Vm, VmConfig};

/// Bytes of the process that are in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = text.lines().find(|l| l.starts_with("VmRSS:"));
    let field = line.and_then(|l| l.split_whitespace().nth(1));
    field.expect("VmRSS").parse::<u64>().expect("a number") * 1024
}

fn counter(stats: &str, name: &str) -> u64 {
    let key = format!("\"{name}\":");
    let at = stats.find(&key).expect("the counter is there") + key.len();
    let end = stats[at..].find([',', '}']).expect("JSON");
    stats[at..at + end].parse().expect("a number")
}

/// Every round compiles a new function into a cache that holds about thirty,
/// so that one round evicts what another compiled.
#[test]
fn memory_stays_flat_over_5000_rounds_of_compiling_and_evicting() {
    let mut config = VmConfig::default();
    for (name, value) in [
        ("mode", "sync"),
        ("optimization_level", "0"),
        ("max_cache_size", "65536"),
        ("osr", "false"),
        ("hotspot_threshold", "1000000"),
    ] {
        config.jit.set(name, value).expect("a field and its value");
    }
    let mut vm = Vm::new(config).expect("a valid configuration");
    let (mut settled, mut peak) = (0, 0);
    for round in 0..5000 {
        let source = format!("local x = ... return x * 2 + {round}");
        let f = vm.load(source.as_bytes(), "=round").expect("valid Lua");
        let call = |vm: &mut Vm| vm.call(&f, &[Value::Int(3)]).expect("it raises nothing");
        let expected = [Value::Int(6 + round)];
        assert_eq!(call(&mut vm), expected);
        vm.compile(&f).expect("it compiles");
        assert_eq!(call(&mut vm), expected);
        drop(f);
        if round % 100 == 99 {
            vm.exec(b"collectgarbage()", "=collect").expect("runs");
            match round {
                0..1500 => settled = settled.max(resident()),
                _ => peak = peak.max(resident()),
            }
        }
    }
    let stats = vm.jit_stats(false).expect("there is a tier");
    assert_eq!(counter(&stats, "functions_compiled"), 5000);
    assert!(counter(&stats, "evicted") > 4500, "{stats}");
    assert!(counter(&stats, "peak_bytes") < 80 << 10, "{stats}");
    assert!(
        peak < settled + (2 << 20),
        "{settled} bytes grew to {peak} bytes"
    );
}
