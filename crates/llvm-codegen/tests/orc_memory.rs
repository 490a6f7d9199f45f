//! Removing code gives its memory back. Alone in its process, which it measures.
#![cfg(target_os = "linux")]

mod orc_support;

use std::fs;

use orc_support::{adder, call, jit};

/// Resident bytes of this process.
fn resident() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: i64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

fn mappings() -> usize {
    fs::read_to_string("/proc/self/maps")
        .unwrap()
        .lines()
        .count()
}

#[test]
fn five_thousand_rounds_keep_memory_flat() {
    let jit = jit();
    let codes: Vec<_> = (0..16).map(|n| adder(&format!("f{n}"), n)).collect();
    let round = |n: u64| {
        let (code, name) = (&codes[n as usize % 16], format!("f{}", n % 16));
        let object = jit.link(code, &[&name]).unwrap();
        let address = object.lookup(&name).unwrap();
        // SAFETY: an adder, linked.
        let sum = unsafe { call(address, n) };
        assert_eq!(sum, n + n % 16);
        object.remove().unwrap();
    };
    (0..500).for_each(round);
    let (before, maps) = (resident(), mappings());
    (0..5_000).for_each(round);
    let growth = resident() - before;
    assert!(growth < 4 << 20, "resident memory grew by {growth} bytes");
    assert!(
        mappings() <= maps + 8,
        "mappings grew from {maps} to {}",
        mappings()
    );

    // The same bytes kept do take memory, so the measurement can see a leak.
    let kept: Vec<_> = (0..5_000)
        .map(|_| jit.link(&codes[0], &["f0"]).unwrap())
        .collect();
    let held = resident() - before;
    assert!(held > 16 << 20, "5,000 kept objects took {held} bytes");
    // Objects of pure text lie page to page, and equal neighbours are one mapping.
    assert!(
        mappings() < maps + 100,
        "mappings grew from {maps} to {}",
        mappings()
    );
    println!(
        "growth over 5,000 rounds: {growth} bytes; kept: {} bytes and {} mappings for 5,000",
        held,
        mappings() - maps
    );
    drop(kept);
}
