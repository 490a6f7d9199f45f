//! The tier end to end with a backend that has no machine code.

mod support;

use std::sync::atomic::Ordering;
use support::{Behaviour, Fake, call, load, vm};
use vela_deopt::DeoptReason;
use vela_mir::backend::CompileError;
use vela_mir::ir::EntryKind;
use vela_objects::Value;
use vela_runtime_integration::{JitConfig, Mode};

/// `f` is on line 2; the chunk returns a function that calls it n times and
/// returns the last result.
const CALLS: &str = "local n = ...
local function f(x)
  return x + 1
end
local last
for i = 1, n do last = f(i) end
return last";

fn sync() -> JitConfig {
    JitConfig {
        mode: Mode::Sync,
        osr: false,
        ..JitConfig::default()
    }
}

fn unsupported() -> Behaviour {
    Behaviour::Fail(CompileError::Unsupported("anything"))
}

#[test]
fn exactly_the_thousandth_call_requests_compilation() {
    for (calls, requests) in [(1, 0), (999, 0), (1000, 1), (1001, 1)] {
        let backend = Fake::new(unsupported(), 0);
        let (mut vm, tier) = vm(sync(), backend.clone());
        let f = load(&mut vm, CALLS);
        let last = call(&mut vm, f, &[calls]);
        assert_eq!(last.as_int(), Some(calls + 1));
        assert_eq!(tier.stats().requests, requests, "{calls} calls");
        assert_eq!(backend.times(2) as u64, requests);
    }
}

#[test]
fn the_size_of_the_function_does_not_matter() {
    let mut body = String::from("local n = ...\nlocal function f(x)\n");
    for _ in 0..2000 {
        body.push_str("x = x + 1 ");
    }
    body.push_str("return x end\nfor i = 1, n do f(i) end");
    for (calls, times) in [(999, 0), (1000, 1)] {
        let backend = Fake::new(unsupported(), 0);
        let (mut vm, _tier) = vm(sync(), backend.clone());
        let f = load(&mut vm, &body);
        call(&mut vm, f, &[calls]);
        assert_eq!(backend.times(2), times, "{calls} calls");
    }
}

#[test]
fn a_threshold_of_one_compiles_at_the_first_call() {
    let backend = Fake::new(unsupported(), 0);
    let config = JitConfig {
        hotspot_threshold: 1,
        ..sync()
    };
    let (mut vm, _tier) = vm(config, backend.clone());
    let f = load(&mut vm, CALLS);
    call(&mut vm, f, &[1]);
    assert_eq!(backend.times(0), 1, "the main chunk");
    assert_eq!(backend.times(2), 1, "the function");
}

#[test]
fn a_failed_compilation_leaves_the_function_interpreted_with_the_reason() {
    let backend = Fake::new(unsupported(), 0);
    let (mut vm, tier) = vm(sync(), backend.clone());
    let f = load(&mut vm, CALLS);
    let last = call(&mut vm, f, &[10_000]);
    assert_eq!(last.as_int(), Some(10_001));
    let stats = tier.stats();
    assert_eq!(stats.requests, 1, "it is not tried again");
    assert_eq!(stats.compile_failures, 1);
    assert_eq!(stats.failed["not supported: anything"], 1);
    assert!(
        stats
            .to_json(None)
            .contains("\"not supported: anything\":1")
    );
}

#[test]
fn a_panic_of_the_backend_is_a_failed_compilation() {
    let backend = Fake::new(Behaviour::Panic, 0);
    let (mut vm, tier) = vm(sync(), backend);
    let f = load(&mut vm, CALLS);
    assert_eq!(call(&mut vm, f, &[2000]).as_int(), Some(2001));
    let failed = tier.stats().failed;
    let message = failed.keys().next().expect("one message");
    assert!(message.contains("told to panic"), "{message}");
}

#[test]
fn the_hot_call_itself_runs_the_new_code() {
    let backend = Fake::new(Behaviour::Return(-5), 100);
    let (mut vm, tier) = vm(sync(), backend);
    let f = load(&mut vm, CALLS);
    assert_eq!(call(&mut vm, f, &[999]).as_int(), Some(1000));
    // The counter belongs to the prototype, which `f` shares.
    assert_eq!(call(&mut vm, f, &[1]).as_int(), Some(-5));
    assert_eq!(tier.stats().functions_compiled, 1);
    assert_eq!(tier.stats().cache.code_bytes, 100);
}

#[test]
fn background_compilation_is_installed_later_without_waiting() {
    let backend = Fake::new(Behaviour::Return(-5), 100);
    let config = JitConfig {
        osr: false,
        ..JitConfig::default()
    };
    let (mut vm, tier) = vm(config, backend);
    let f = load(&mut vm, CALLS);
    let n = call(&mut vm, f, &[1000]).as_int();
    assert!(n == Some(1001) || n == Some(-5));
    assert_eq!(tier.stats().requests, 1);
    tier.wait(&mut vm);
    assert_eq!(tier.stats().functions_compiled, 1);
    assert_eq!(call(&mut vm, f, &[1]).as_int(), Some(-5));
}

#[test]
fn better_code_waits_until_the_quick_code_ran_often() {
    let backend = Fake::new(Behaviour::Return(-5), 100);
    let config = JitConfig {
        osr: false,
        better_threshold: 50,
        ..JitConfig::default()
    };
    let (mut vm, tier) = vm(config, backend.clone());
    let f = load(&mut vm, CALLS);
    call(&mut vm, f, &[1000]);
    tier.wait(&mut vm);
    // The thousandth call requested it and none came after.
    assert_eq!(*backend.levels.lock(), [0]);
    call(&mut vm, f, &[49]);
    tier.wait(&mut vm);
    assert_eq!(*backend.levels.lock(), [0]);
    call(&mut vm, f, &[1]);
    tier.wait(&mut vm);
    assert_eq!(*backend.levels.lock(), [0, 2]);
    assert_eq!(tier.stats().improved, 1);
}

#[test]
fn quick_code_is_replaced_by_better_code() {
    for (quick_code, levels) in [(true, &[0, 2][..]), (false, &[2])] {
        let backend = Fake::new(Behaviour::Return(-5), 100);
        let config = JitConfig {
            osr: false,
            quick_code,
            better_threshold: 0,
            ..JitConfig::default()
        };
        let (mut vm, tier) = vm(config, backend.clone());
        let f = load(&mut vm, CALLS);
        call(&mut vm, f, &[1000]);
        tier.wait(&mut vm);
        assert_eq!(*backend.levels.lock(), levels);
        let stats = tier.stats();
        assert_eq!((stats.requests, stats.functions_compiled), (1, 1));
        assert_eq!(stats.improved, levels.len() as u64 - 1);
        assert_eq!(stats.deopts, 0);
        // The quick code is gone.
        assert_eq!(backend.live.load(Ordering::Relaxed), 1);
        assert_eq!(call(&mut vm, f, &[1]).as_int(), Some(-5));
    }
}

#[test]
fn better_code_for_what_was_thrown_away_is_not_compiled() {
    let backend = Fake::new(Behaviour::Exit(DeoptReason::Type), 100);
    let config = JitConfig {
        osr: false,
        exit_threshold: 2,
        ..JitConfig::default()
    };
    let (mut vm, tier) = vm(config, backend.clone());
    let f = load(&mut vm, CALLS);
    assert_eq!(call(&mut vm, f, &[200_000]).as_int(), Some(200_001));
    tier.wait(&mut vm);
    let levels = backend.levels.lock().clone();
    let stats = tier.stats();
    assert!(stats.most_exits_of_an_entry <= 2);
    assert_eq!(
        levels.iter().filter(|&&l| l == 0).count() as u64,
        stats.functions_compiled
    );
    assert_eq!(call(&mut vm, f, &[10]).as_int(), Some(11));
}

#[test]
fn failing_code_is_thrown_away_with_back_off_and_never_storms() {
    let backend = Fake::new(Behaviour::Exit(DeoptReason::Type), 100);
    let config = JitConfig {
        hotspot_threshold: 100,
        exit_threshold: 10,
        ..sync()
    };
    let (mut vm, tier) = vm(config, backend.clone());
    let f = load(&mut vm, CALLS);
    // Exits continue in the interpreter at the exact instruction: every
    // result is right all the time.
    assert_eq!(call(&mut vm, f, &[20_000]).as_int(), Some(20_001));
    let stats = tier.stats();
    // Each version is thrown away when it fails a second time, until the
    // budget of the function is spent.
    assert_eq!(backend.times(2), 5);
    assert_eq!(stats.jettisoned, 5);
    assert_eq!(stats.deopts, 10);
    assert_eq!(stats.most_exits_of_an_entry, 10);
    assert_eq!(stats.reasons[DeoptReason::Type as usize], 10);
}

#[test]
fn invalidated_code_is_compiled_again_with_growing_waits() {
    let backend = Fake::new(Behaviour::Exit(DeoptReason::Invalidated), 100);
    let config = JitConfig {
        hotspot_threshold: 10,
        exit_threshold: 100,
        ..sync()
    };
    let (mut vm, tier) = vm(config, backend.clone());
    let f = load(&mut vm, CALLS);
    assert_eq!(call(&mut vm, f, &[10_000]).as_int(), Some(10_001));
    let stats = tier.stats();
    assert_eq!(stats.jettisoned, 0, "it is no failure of the code");
    assert_eq!(stats.deopts, stats.invalidated);
    assert_eq!(stats.functions_compiled, stats.invalidated);
    // Waits of 2 calls double with every fourth time.
    assert!(
        (20..60).contains(&stats.invalidated),
        "{}",
        stats.invalidated
    );
}

#[test]
fn stress_exits_are_not_held_against_the_code() {
    let backend = Fake::new(Behaviour::Exit(DeoptReason::Type), 100);
    let config = JitConfig {
        hotspot_threshold: 10,
        exit_threshold: 5,
        exit_stress: 3,
        ..sync()
    };
    let (mut vm, tier) = vm(config, backend.clone());
    let f = load(&mut vm, CALLS);
    assert_eq!(call(&mut vm, f, &[1000]).as_int(), Some(1001));
    assert_eq!(backend.times(2), 1);
    assert_eq!(tier.stats().deopts, 991);
}

#[test]
fn a_failure_is_recorded_at_the_place_at_fault() {
    let backend = Fake::new(Behaviour::Exit(DeoptReason::Type), 100);
    let config = JitConfig {
        hotspot_threshold: 10,
        ..sync()
    };
    let (mut vm, _tier) = vm(config, backend);
    let f = load(&mut vm, CALLS);
    call(&mut vm, f, &[20]);
    let main = f.as_lua_fn().expect("a function").proto;
    let inner = main.cold().children[0];
    let slot = inner.proto().code[0].d();
    let failed = inner.feedback_slots()[slot as usize].failed;
    assert_eq!(failed, DeoptReason::Type.bit());
}

#[test]
fn hot_loops_get_an_entry() {
    let backend = Fake::new(unsupported(), 0);
    let config = JitConfig {
        osr: true,
        loop_threshold: 100,
        hotspot_threshold: 1 << 20,
        ..sync()
    };
    let (mut vm, tier) = vm(config, backend.clone());
    let f = load(&mut vm, CALLS);
    call(&mut vm, f, &[1000]);
    assert_eq!(tier.stats().requests, 1);
    assert!(matches!(
        backend.compiled.lock()[0].1,
        EntryKind::Osr { .. }
    ));
}

/// Many functions in a cache with room for three: the oldest go, their calls
/// are interpreted again, and their memory is freed.
#[test]
fn eviction_unlinks_and_frees() {
    let mut source = String::from("local out = {}\n");
    for i in 0..40 {
        source.push_str(&format!(
            "out[{}] = function(x) return x + {i} end\n",
            i + 1
        ));
    }
    source.push_str("return function(k, n) local f, last = out[k] for i = 1, n do last = f(i) end return last end");
    let backend = Fake::new(Behaviour::Return(-7), 20 << 10);
    let config = JitConfig {
        hotspot_threshold: 100,
        max_cache_size: 64 << 10,
        ..sync()
    };
    let (mut vm, tier) = vm(config, backend.clone());
    let main = load(&mut vm, &source);
    let run = call(&mut vm, main, &[]);
    vm.pin(run);
    for k in 1..=40 {
        assert_eq!(
            call(&mut vm, run, &[k, 100]).as_int(),
            Some(-7),
            "function {k}"
        );
        assert!(tier.stats().cache.bytes <= 64 << 10);
        assert!(backend.live.load(Ordering::Relaxed) <= 3);
    }
    assert!(tier.stats().cache.evicted >= 37);
    // An evicted function is interpreted again until it is hot again.
    assert_eq!(call(&mut vm, run, &[1, 1]).as_int(), Some(1));
    assert_eq!(call(&mut vm, run, &[1, 99]).as_int(), Some(-7));
    vm.collect_garbage();
    vm.unpin();
}

#[test]
fn explicit_compilation() {
    let backend = Fake::new(Behaviour::Return(-5), 100);
    let (mut vm, tier) = vm(sync(), backend);
    let f = load(&mut vm, CALLS);
    let main = f.as_lua_fn().expect("a function").proto;
    tier.compile_now(&mut vm, main).expect("compiles");
    assert_eq!(call(&mut vm, f, &[1]).as_int(), Some(-5));
    tier.compile_now(&mut vm, main).expect("compiles again");
    assert_eq!(call(&mut vm, f, &[1]).as_int(), Some(-5));
    assert_eq!(tier.stats().cache.entries, 1, "the first version was freed");
}

#[test]
fn off_means_off() {
    for config in [
        JitConfig {
            enabled: false,
            hotspot_threshold: 1,
            ..sync()
        },
        JitConfig {
            mode: Mode::Off,
            hotspot_threshold: 1,
            ..JitConfig::default()
        },
    ] {
        let backend = Fake::new(Behaviour::Return(-5), 100);
        let (mut vm, tier) = vm(config, backend.clone());
        let f = load(&mut vm, CALLS);
        assert_eq!(call(&mut vm, f, &[5000]).as_int(), Some(5001));
        assert_eq!(tier.stats().requests, 0);
        assert!(backend.compiled.lock().is_empty());
    }
}

#[test]
fn wrong_configurations_are_refused() {
    let mut vm = vela_interpreter::new_vm(1).expect("address space");
    let config = JitConfig {
        hotspot_threshold: 0,
        ..sync()
    };
    let backend = Fake::new(Behaviour::Return(0), 1);
    let e = vela_runtime_integration::Tier::attach(&mut vm, config, backend).err();
    let text = e.expect("refused").to_string();
    assert_eq!(text, "hotspot_threshold: 0 is not in 1..=1073741824");
    assert!(vm.tier.is_none());
    let _ = Value::NIL;
}

#[test]
fn the_backend_is_asked_for_entries_with_the_first_code() {
    use std::sync::atomic::AtomicPtr;
    let entry = |f: Value| {
        let entry: &AtomicPtr<u8> = &f.as_lua_fn().expect("a function").proto.entry;
        entry.load(Ordering::Relaxed)
    };
    let backend = Fake::new(Behaviour::Return(5), 100);
    let (mut vm, tier) = vm(sync(), backend.clone());
    let (f, bystander) = (load(&mut vm, CALLS), load(&mut vm, "return 1"));
    vm.pin(bystander);
    call(&mut vm, f, &[999]);
    assert!(vm.enter_thunk.is_null() && entry(bystander).is_null());
    call(&mut vm, f, &[1]);
    assert_eq!(tier.stats().functions_compiled, 1);
    assert!(!vm.enter_thunk.is_null());
    assert_eq!(entry(bystander), vm.interp_entry);
    let later = load(&mut vm, "return 2");
    assert_eq!(entry(later), vm.interp_entry);
}

#[test]
fn retired_code_is_freed_at_the_next_look_without_a_compilation() {
    let backend = Fake::new(Behaviour::Exit(DeoptReason::Type), 100);
    let config = JitConfig {
        exit_threshold: 1,
        max_recompiles: 0,
        ..sync()
    };
    let (mut vm, tier) = vm(config, backend.clone());
    let f = load(&mut vm, CALLS);
    call(&mut vm, f, &[1001]);
    let stats = tier.stats();
    assert_eq!((stats.functions_compiled, stats.jettisoned), (1, 1));
    assert_eq!((stats.cache.retired, stats.cache.reclaimed), (1, 0));
    tier.poll(&mut vm);
    assert_eq!(tier.stats().cache.reclaimed, 1);
    assert_eq!(backend.live.load(Ordering::Relaxed), 0);
}

#[test]
fn a_stopped_tier_compiles_nothing_more() {
    let backend = Fake::new(Behaviour::Return(5), 100);
    let config = JitConfig {
        mode: Mode::Background,
        ..sync()
    };
    let (mut vm, tier) = vm(config, backend.clone());
    tier.stop();
    let f = load(&mut vm, CALLS);
    assert_eq!(call(&mut vm, f, &[5000]).as_int(), Some(5001));
    assert_eq!(backend.times(2), 0);
    tier.stop();
    tier.wait(&mut vm);
}
