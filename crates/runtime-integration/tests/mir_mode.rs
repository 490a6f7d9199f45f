//! The whole tier over the MIR interpreter: tier-up, loop entries, exits,
//! invalidation, eviction, collection. No LLVM and no libraries.

mod support;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use support::{call, load};
use vela_deopt::DeoptReason;
use vela_mir::backend::{Backend, CompileError, CompileOptions, Compiled};
use vela_mir::ir::Func;
use vela_objects::{Ret, Value, VmState};
use vela_runtime_integration::{JitConfig, MirBackend, Mode, Tier};

fn sync(threshold: u32) -> JitConfig {
    JitConfig {
        mode: Mode::Sync,
        hotspot_threshold: threshold,
        loop_threshold: 50,
        ..JitConfig::default()
    }
}

fn vm(config: JitConfig) -> (Box<VmState>, Rc<Tier>) {
    let mut vm = vela_interpreter::new_vm(1).expect("address space");
    let tier = Tier::attach(&mut vm, config, Arc::new(MirBackend)).expect("a valid configuration");
    (vm, tier)
}

fn run(config: JitConfig, source: &str, args: &[i64]) -> (Value, Rc<Tier>) {
    let (mut vm, tier) = vm(config);
    let f = load(&mut vm, source);
    let v = call(&mut vm, f, args);
    // The value outlives the VM only if it is a number.
    assert!(v.is_number());
    (v, tier)
}

const FIB: &str =
    "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
return fib(...)";

#[test]
fn recursion() {
    for threshold in [1, 2, 100] {
        let (v, tier) = run(sync(threshold), FIB, &[18]);
        assert_eq!(v.as_int(), Some(2584));
        assert!(tier.stats().functions_compiled >= 1);
    }
}

#[test]
fn a_long_loop_in_the_main_chunk_is_entered_in_the_middle() {
    let source = "local s = 0 for i = 1, ... do s = s + i % 7 end return s";
    let (v, tier) = run(sync(1000), source, &[100_000]);
    assert_eq!(v.as_int(), Some(300_000));
    let stats = tier.stats();
    assert_eq!(stats.osr_compiled, 1);
    assert_eq!(stats.osr_entries, 1);
}

/// Better code waits here until a test lets it through.
static GATE: AtomicBool = AtomicBool::new(false);

/// Compiles nothing but quick code as long as the gate is closed.
struct Gated(MirBackend);

impl Backend for Gated {
    fn compile(&self, func: &Func, options: &CompileOptions) -> Result<Compiled, CompileError> {
        while options.opt_level > 0 && !GATE.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.0.compile(func, options)
    }
    fn enter_thunk(&self) -> *const u8 {
        self.0.enter_thunk()
    }
    fn interp_entry(&self) -> *const u8 {
        self.0.interp_entry()
    }
    fn frames_own_memory(&self) -> bool {
        self.0.frames_own_memory()
    }
    fn name(&self) -> &'static str {
        "gated"
    }
}

/// A native for the loop below: waits for quick code of it, which the third
/// call from then on runs in, and then for the better code.
fn step(vm: &mut VmState, _: vela_objects::Args) -> vela_objects::NativeResult {
    static STEPS: AtomicUsize = AtomicUsize::new(0);
    let tier = Tier::of(vm).expect("a tier");
    if tier.stats().requests == 0 {
        return Ok(Ret::None);
    }
    while tier.stats().osr_compiled == 0 {
        tier.poll(vm);
        std::thread::sleep(Duration::from_millis(1));
    }
    if STEPS.fetch_add(1, Ordering::Relaxed) == 2 {
        assert_eq!(tier.stats().improved, 0);
        GATE.store(true, Ordering::Release);
        tier.wait(vm);
        assert!(tier.stats().improved >= 1);
    }
    Ok(Ret::None)
}

#[test]
fn a_running_loop_leaves_quick_code_for_better_code() {
    let config = JitConfig {
        mode: Mode::Background,
        loop_threshold: 50,
        hotspot_threshold: 1 << 20,
        better_threshold: 0,
        ..JitConfig::default()
    };
    let mut vm = vela_interpreter::new_vm(1).expect("address space");
    let backend = Arc::new(Gated(MirBackend));
    let tier = Tier::attach(&mut vm, config, backend).expect("a valid configuration");
    let native = vm.native("step", step);
    let (name, native) = (vm.str_value(b"step"), Value::native_fn(native));
    let globals = vm.globals;
    globals.set(&mut vm, name, native).expect("a valid key");
    let source = "local s = 0
for i = 1, ... do
  s = s + i
  if i % 20 == 0 then step() end
end
return s";
    let f = load(&mut vm, source);
    assert_eq!(call(&mut vm, f, &[5000]).as_int(), Some(12_502_500));
    let stats = tier.stats();
    assert_eq!((stats.osr_compiled, stats.improved), (1, 1), "{stats:?}");
    // Once into the quick code and once into the better code.
    assert_eq!((stats.osr_entries, stats.deopts), (2, 0), "{stats:?}");
    assert_eq!((stats.jettisoned, stats.invalidated), (0, 0), "{stats:?}");
    // Nothing runs the quick code any more; not every poll looks.
    (0..8).for_each(|_| tier.poll(&mut vm));
    let cache = tier.cache().stats();
    assert_eq!((cache.retired, cache.reclaimed), (1, 1));
}

#[test]
fn a_wrong_speculation_falls_back_and_is_not_repeated() {
    let source = "local function add(a, b) return a + b end
local s = 0
for i = 1, 500 do s = add(s, i) end
for i = 1, 5000 do s = add(s, 0.5) end
return s";
    let config = JitConfig {
        osr: false,
        ..sync(100)
    };
    let (v, tier) = run(config, source, &[]);
    assert_eq!(v.as_float(), Some(127_750.0));
    let stats = tier.stats();
    assert_eq!(stats.reasons[DeoptReason::Type as usize], 2);
    assert_eq!(stats.jettisoned, 1);
    assert!(stats.functions_compiled >= 2, "it is compiled again");
}

#[test]
fn redefining_a_global_invalidates_what_relied_on_it() {
    let source = "function f(x) return x + 1 end
local function g(x) return f(x) end
local s = 0
for i = 1, 300 do s = s + g(i) end
f = function(x) return x + 1000 end
for i = 1, 300 do s = s + g(i) end
return s";
    let (v, _) = run(
        JitConfig {
            osr: false,
            ..sync(50)
        },
        source,
        &[],
    );
    assert_eq!(v.as_int(), Some(2 * 45150 + 300 + 300_000));
}

const OBJECTS: &str = "local list = {}
local function push(i) list[#list + 1] = {x = i, y = {i}} end
local function total() local s = 0 for i = 1, #list do local o = list[i] s = s + o.x + o.y[1] end return s end
local s = 0
for i = 1, ... do push(i) if i % 50 == 0 then s = s + total() list = {} end end
return s";

#[test]
fn collection_at_every_opportunity() {
    let plain = run(
        JitConfig {
            enabled: false,
            ..sync(1)
        },
        OBJECTS,
        &[400],
    )
    .0;
    for threshold in [1, 5] {
        let config = JitConfig {
            gc_stress: true,
            ..sync(threshold)
        };
        let (v, tier) = run(config, OBJECTS, &[400]);
        assert!(v.identical(plain));
        assert!(tier.stats().functions_compiled > 0);
    }
}

/// Code relies on a closure, is thrown away, and the closure dies; later code
/// of the same function takes over the literals.
#[test]
fn literals_of_earlier_code_stay_alive() {
    let source = "local sum = 0
local function run(make, g, n)
  local hot = make(g)
  for i = 1, n do sum = sum + hot(i) end
end
local function adder(n) return function(x) return x + n end end
for round = 1, 5 do
  local function make(g) return function(x) return g(x) + 1 end end
  run(make, adder(1), 60)
  for i = 1, 10 do run(make, adder(2), 5) end
  run(make, adder(3), 60)
end
return sum";
    for threshold in [1, 10, 30] {
        let config = JitConfig {
            gc_stress: true,
            osr: false,
            ..sync(threshold)
        };
        let (v, tier) = run(config, source, &[]);
        assert_eq!(v.as_int(), Some(21_600));
        let stats = tier.stats();
        assert!(stats.invalidated > 0 && stats.functions_compiled > 0);
    }
}

#[test]
fn every_guard_failing_gives_the_same_answers() {
    for source in [FIB, OBJECTS] {
        let plain = run(
            JitConfig {
                enabled: false,
                ..sync(1)
            },
            source,
            &[15],
        )
        .0;
        for n in 1..=4 {
            let config = JitConfig {
                exit_stress: n,
                ..sync(2)
            };
            let (v, _) = run(config, source, &[15]);
            assert!(v.identical(plain), "every {n}. guard");
        }
    }
}

#[test]
fn without_profiling_nothing_is_speculated() {
    let config = JitConfig {
        enable_profiling: false,
        ..sync(2)
    };
    let (v, tier) = run(config, FIB, &[15]);
    assert_eq!(v.as_int(), Some(610));
    assert_eq!(tier.stats().deopts, 0);
}

#[test]
fn functions_that_are_too_large_say_so() {
    let config = JitConfig {
        max_function_size: 3,
        ..sync(2)
    };
    let (v, tier) = run(config, FIB, &[10]);
    assert_eq!(v.as_int(), Some(55));
    let failed = tier.stats().failed;
    assert!(
        failed.keys().any(|m| m.starts_with("too large: ")),
        "{failed:?}"
    );
}

#[test]
fn fuel_limits_the_transformations_of_all_compilations_together() {
    let source = "local function mix(t, n) local s = 0.0
  for i = 1, n do s = s + t[i] * 2 - t[1] end return s end
local t, sum = {}, 0
for i = 1, 40 do t[i] = i + 0.5 end
for i = 1, 300 do sum = sum + mix(t, 40) // 1 end
return sum";
    let with = |opt_fuel| {
        let config = JitConfig {
            opt_fuel,
            verify: true,
            ..sync(20)
        };
        let (v, tier) = run(config, source, &[]);
        (v.as_float(), tier.stats().transformations)
    };
    let (answer, all) = with(None);
    assert!(all > 20, "{all}");
    for n in (0..all + 10).step_by(7) {
        assert_eq!(with(Some(n)), (answer, n.min(all)), "{n}");
    }
}
