//! The statistics that cost time: shares of time, calls and operations.

mod support;

use std::rc::Rc;
use std::sync::Arc;
use support::{call, load};
use vela_objects::VmState;
use vela_runtime_integration::{JitConfig, MirBackend, Mode, Shares, Tier};

fn vm(threshold: u32, full_stats: bool) -> (Box<VmState>, Rc<Tier>) {
    let config = JitConfig {
        mode: Mode::Sync,
        hotspot_threshold: threshold,
        osr: false,
        full_stats,
        verify: true,
        ..JitConfig::default()
    };
    let mut vm = vela_interpreter::new_vm(1).expect("address space");
    let tier = Tier::attach(&mut vm, config, Arc::new(MirBackend)).expect("a valid configuration");
    (vm, tier)
}

fn shares(threshold: u32, source: &str, n: i64) -> Shares {
    let (mut vm, tier) = vm(threshold, true);
    let f = load(&mut vm, source);
    call(&mut vm, f, &[n]);
    tier.shares(&vm).expect("full_stats is set")
}

fn count(list: &[(&str, u64)], name: &str) -> u64 {
    list.iter().find(|e| e.0 == name).map_or(0, |e| e.1)
}

const ADD: &str = "local function f(x, y) return x + y end
local s = 0
for i = 1, ... do s = f(s, i) end
return s";

#[test]
fn calls_and_operations_are_counted_exactly() {
    let s = shares(101, ADD, 1000);
    // The 101st call is compiled and runs compiled; the chunk is interpreted.
    assert_eq!((s.interpreted_calls, s.compiled_calls), (101, 900));
    // An addition and a return each.
    assert_eq!(s.compiled_ops, 2 * 900);
    assert_eq!(count(&s.interpreted, "add"), 100);
    assert_eq!(count(&s.interpreted, "call"), 1000);
    let all: u64 = s.interpreted.iter().map(|e| e.1).sum();
    assert_eq!(all, s.interpreted_ops);
    assert_eq!(s.unspecialised, []);
    assert!((s.calls() - 900.0 / 1001.0).abs() < 1e-9);
    let specialised = 1800.0 / (1800.0 + s.interpreted_ops as f64);
    assert!((s.specialised() - specialised).abs() < 1e-9);
}

#[test]
fn what_the_interpreter_does_for_compiled_code_is_not_specialised() {
    let source = "local function f(x) return 'n' .. x .. 'a' .. x .. 'b' end
local s = 0
for i = 1, ... do s = s + #f(i) end
return s";
    let s = shares(101, source, 1000);
    assert_eq!(count(&s.unspecialised, "concat"), 900);
    assert_eq!(count(&s.interpreted, "concat"), 100);
    let specialised = (s.compiled_ops - 900) as f64;
    let all = (s.compiled_ops + s.interpreted_ops) as f64;
    assert!((s.specialised() - specialised / all).abs() < 1e-9);
}

#[test]
fn time_goes_to_who_runs() {
    let cold = shares(1 << 20, ADD, 20_000);
    assert_eq!((cold.time(), cold.calls()), (0.0, 0.0));
    assert_eq!((cold.compiled_ms, cold.library_ms), (0.0, 0.0));
    assert!(cold.interpreter_ms > 0.0);
    let body = "local function f(n) local s = 0 for i = 1, n do s = s ~ i end return s end
f(...) f(...)";
    let hot = shares(1, body, 100_000);
    assert!(hot.compiled_ms > 0.0 && hot.tier_ms > 0.0);
    assert!(hot.time() > 0.9, "{hot:?}");
}

#[test]
fn nothing_is_measured_unless_asked_for() {
    let (mut vm, tier) = vm(10, false);
    let f = load(&mut vm, ADD);
    call(&mut vm, f, &[100]);
    assert_eq!(tier.shares(&vm), None);
    assert!(!tier.stats().to_json(None).contains("\"full\""));
}

#[test]
fn json_has_every_figure() {
    let text = shares(101, ADD, 1000).to_json();
    for part in [
        "\"time_share\":0.",
        "\"call_share\":0.8991",
        "\"specialised_share\":0.",
        "\"calls\":{\"compiled\":900,\"interpreted\":101}",
        "\"operations\":{\"compiled\":1800,",
        "\"unspecialised\":{}",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}
