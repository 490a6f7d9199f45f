//! Interrupts from another thread, in every way of running Lua code.

use std::sync::mpsc;
use std::time::Duration;
use vela::objects::interrupt::{Cause, Interrupt};
use vela::objects::{Args, NativeResult, Ret, VmState};
use vela::{Backend, Value, Vm, VmConfig};

/// How a test runs its program.
struct Way {
    name: &'static str,
    backend: Backend,
    mode: &'static str,
}

const fn way(name: &'static str, backend: Backend, mode: &'static str) -> Way {
    Way {
        name,
        backend,
        mode,
    }
}

const WAYS: &[Way] = &[
    way("interpreter", Backend::Mir, "off"),
    way("MIR", Backend::Mir, "sync"),
    #[cfg(feature = "llvm-jit")]
    way("LLVM sync", Backend::Llvm, "sync"),
    #[cfg(feature = "llvm-jit")]
    way("LLVM background", Backend::Llvm, "background"),
];

/// Who is to be told that the program has begun.
struct Waiting(mpsc::Sender<()>);

/// What the programs call when they begin what does not end.
fn ready(vm: &mut VmState, _: Args) -> NativeResult {
    if let Some(waiting) = vm.host_state::<Waiting>() {
        waiting.0.send(()).expect("the other thread waits");
    }
    Ok(Ret::None)
}

fn vm(way: &Way) -> Vm {
    let mut config = VmConfig {
        backend: way.backend,
        ..VmConfig::default()
    };
    for (name, value) in [
        ("mode", way.mode),
        ("hotspot_threshold", "20"),
        ("loop_threshold", "50"),
    ] {
        config.jit.set(name, value).expect("a field and its value");
    }
    let mut vm = Vm::new(config).expect("a valid configuration");
    vm.set_native("ready", ready);
    vm
}

/// Whether functions or loops were compiled.
fn compiled(vm: &Vm) -> bool {
    let stats = vm.jit_stats(false).unwrap_or_default();
    let some = |name| {
        let none = format!("\"{name}\":0,");
        stats.contains(&format!("\"{name}\":")) && !stats.contains(&none)
    };
    some("functions_compiled") || some("osr_entries")
}

/// Runs the program in every way until another thread interrupts it.
fn interrupted(program: &str, compiles: bool) {
    for way in WAYS {
        let mut vm = vm(way);
        let (sender, receiver) = mpsc::channel();
        vm.state().host.push(Box::new(Waiting(sender)));
        let handle: Interrupt = vm.state().interrupt_handle();
        let other = std::thread::spawn(move || {
            receiver.recv().expect("the program begins");
            // Time to get into compiled code; right without it, too.
            std::thread::sleep(Duration::from_millis(60));
            handle.raise(Cause::Host)
        });
        let e = vm.exec(program.as_bytes(), "=t").expect_err(way.name);
        assert_eq!(e.to_string(), "interrupted!", "{}", way.name);
        assert!(other.join().expect("it does not panic"));
        if compiles && way.mode == "sync" {
            assert!(compiled(&vm), "{}: compiled code ran", way.name);
        }
        let e = vm.exec(b"while true do end", "=t").expect_err(way.name);
        assert_eq!(e.to_string(), "interrupted!", "{}: still pending", way.name);
        vm.state().clear_interrupt(Cause::Host);
        let sum = vm.exec(
            b"local s = 0 for i = 1, 1000 do s = s + i end return s",
            "=t",
        );
        assert_eq!(sum.expect(way.name), [Value::Int(500_500)]);
    }
}

#[test]
fn an_empty_loop() {
    interrupted("ready() while true do end", true);
}

#[test]
fn loops_of_every_kind() {
    interrupted("ready() repeat local x = {} until not x", true);
    interrupted("ready() ::again:: goto again", true);
    interrupted(
        "local t = setmetatable({}, {__index = function(t, i) return i end})
         ready()
         for i, v in ipairs(t) do end",
        true,
    );
}

#[test]
fn a_numeric_loop() {
    interrupted(
        "local function sum(n) local s = 0 for i = 1, n do s = s ~ i end return s end
         for i = 1, 100 do sum(100) end
         ready()
         sum(math.maxinteger)",
        true,
    );
    interrupted(
        "local function fill(t, n) for i = 1, n do t[i & 1023] = i * 0.5 end end
         for i = 1, 100 do fill({}, 100) end
         ready()
         fill({}, math.maxinteger)",
        true,
    );
}

#[test]
fn tail_calls() {
    interrupted(
        "local function f(n) return f(n + 1) end ready() f(1)",
        false,
    );
    interrupted(
        "local a, b
         function a(n) return b(n + 1) end
         function b(n) return a(n - 1) end
         ready()
         a(1)",
        false,
    );
}

#[test]
fn recursion() {
    interrupted(
        "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
         fib(15)
         ready()
         fib(100)",
        true,
    );
}

#[test]
fn a_pattern_that_takes_forever() {
    interrupted(
        "local s, p = ('a'):rep(200), ('a-'):rep(100) .. 'b' ready() return s:find(p)",
        false,
    );
    interrupted(
        "local s, p = ('a'):rep(200), ('.-'):rep(100) .. 'b' ready() return s:gsub(p, '')",
        false,
    );
}

#[test]
fn coroutines() {
    interrupted(
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end)
         ready()
         while true do co() end",
        true,
    );
    interrupted(
        "local co = coroutine.wrap(function() ready() while true do end end) co()",
        true,
    );
}

#[test]
fn caught_again_and_again() {
    interrupted(
        "local function forever() while true do end end
         ready()
         while true do pcall(forever) end",
        true,
    );
    interrupted(
        "local function forever() while true do end end
         ready()
         while true do xpcall(forever, function() forever() end) end",
        true,
    );
    interrupted(
        "local function again() return pcall(again) or again() end ready() while true do again() end",
        false,
    );
    interrupted(
        "local function caught()
           local x <close> = setmetatable({}, {__close = function() while true do end end})
           while true do end
         end
         ready()
         while true do pcall(caught) end",
        true,
    );
    interrupted(
        "ready()
         while true do
           coroutine.wrap(function() pcall(function() while true do end end) end)()
         end",
        true,
    );
}

#[test]
fn natives_that_loop() {
    interrupted("ready() table.move({}, 1, math.maxinteger - 1, 2)", false);
    interrupted(
        "local t = setmetatable({}, {__len = function() return math.maxinteger - 1 end})
         ready()
         table.insert(t, 1, 0)",
        false,
    );
    interrupted(
        "ready() table.sort({3, 2, 1}, function() while true do end end)",
        true,
    );
    interrupted(
        "ready() while true do load(function() return ' ' end) end",
        false,
    );
}

#[test]
fn a_key_interrupts_once() {
    for way in WAYS {
        let mut vm = vm(way);
        let handle = vm.state().interrupt_handle();
        handle.raise(Cause::Once);
        let caught = vm.exec(
            b"local ok, e = pcall(function() while true do end end)
              local n = 0 for i = 1, 100000 do n = n + 1 end
              return ok, e, n",
            "=t",
        );
        let caught = caught.expect_err("the first call is interrupted");
        assert_eq!(caught.to_string(), "interrupted!");
        let rest = vm.exec(
            b"local n = 0 for i = 1, 1000 do n = n + i end return n",
            "=t",
        );
        assert_eq!(rest.expect(way.name), [Value::Int(500_500)]);
    }
}

#[test]
fn the_error_tells_where_it_was() {
    for way in WAYS {
        let mut vm = vm(way);
        let (sender, receiver) = mpsc::channel();
        vm.state().host.push(Box::new(Waiting(sender)));
        let handle = vm.state().interrupt_handle();
        let other = std::thread::spawn(move || {
            receiver.recv().expect("the program begins");
            std::thread::sleep(Duration::from_millis(60));
            handle.raise(Cause::Host)
        });
        let program = "local function endless(n)
            local s = 0
            for i = 1, n do
              s = s + i
            end
            return s
          end
          for i = 1, 100 do endless(10) end
          ready()
          endless(math.maxinteger)
          return 1";
        let e = vm.exec(program.as_bytes(), "=t").expect_err(way.name);
        assert!(other.join().expect("it does not panic"));
        let report = e.report();
        let inner = report
            .find("in local 'endless'")
            .or(report.find("in upvalue 'endless'"));
        assert!(inner.is_some(), "{}: {report}", way.name);
        assert!(
            report.contains("t:10: in main chunk"),
            "{}: {report}",
            way.name
        );
    }
}
