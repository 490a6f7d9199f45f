//! The debug library and compiled code: hooks and writes to local variables
//! reach functions that are compiled, and compiled code runs again afterwards.

use vela::{Backend, Value, Vm, VmConfig};

/// A VM that compiles at the tenth call.
fn vm() -> Vm {
    let mut config = VmConfig {
        backend: Backend::Mir,
        ..VmConfig::default()
    };
    for (name, value) in [
        ("mode", "sync"),
        ("hotspot_threshold", "10"),
        ("loop_threshold", "20"),
    ] {
        config.jit.set(name, value).expect("a field and its value");
    }
    config.jit_stats_function = true;
    Vm::new(config).expect("a valid configuration")
}

fn int(v: &Value) -> i64 {
    match v {
        Value::Int(n) => *n,
        v => panic!("{v:?} is no integer"),
    }
}

fn run(vm: &mut Vm, source: &str) -> i64 {
    let values = vm.exec(source.as_bytes(), "=test").expect("no Lua error");
    int(&values[0])
}

/// Functions compiled and side exits taken so far.
fn counts(vm: &mut Vm) -> (i64, i64) {
    let source = b"return __vela_jit_stats()";
    let values = vm.exec(source, "=counts").expect("no Lua error");
    (int(&values[0]), int(&values[1]))
}

#[test]
fn hooks_reach_compiled_functions_and_end() {
    let mut vm = vm();
    let source = "
        function add(a, b) return a + b end
        function sum(n) local s = 0 for i = 1, n do s = add(s, i) end return s end
        for i = 1, 50 do sum(5) end
        calls = 0
        function hook() calls = calls + 1 end
        return sum(5)";
    assert_eq!(run(&mut vm, source), 15);
    let compiled = counts(&mut vm).0;
    assert!(compiled >= 1, "compiled code ran");
    let source = "
        debug.sethook(hook, 'c')
        for i = 1, 10 do sum(5) end
        debug.sethook()
        return calls";
    // Ten calls of each function, five of the inner one, and `sethook`.
    assert_eq!(run(&mut vm, source), 10 + 50 + 1);
    let source = "for i = 1, 200 do sum(5) end return calls";
    assert_eq!(run(&mut vm, source), 61, "no hook, no events");
    assert!(counts(&mut vm).0 >= compiled);
}

#[test]
fn a_function_leaves_compiled_code_where_a_hook_is_set() {
    let mut vm = vm();
    let source = "
        local lines = 0
        local function hook() lines = lines + 1 end
        local function switch(i)
          if i == 500 then debug.sethook(hook, 'l')
          elseif i == 510 then debug.sethook() end
        end
        local function loop(n)
          for i = 1, n do
            switch(i)
          end
        end
        for i = 1, 50 do loop(10) end
        loop(2000)
        return lines";
    let lines = run(&mut vm, source);
    assert!((20..100).contains(&lines), "{lines} lines");
    assert!(counts(&mut vm).0 >= 1, "compiled code ran");
}

#[test]
fn writes_to_variables_reach_compiled_frames() {
    let mut vm = vm();
    let source = "
        local poke
        local function callback() if poke then poke() end end
        local function work(n)
          local step, s = 1, 0
          for i = 1, n do
            s = s + step
            callback()
          end
          return s
        end
        for i = 1, 50 do work(20) end
        local times = 0
        poke = function()
          times = times + 1
          if times == 10 then
            assert(debug.setlocal(3, 2, 100) == 'step')
          end
        end
        return work(20)";
    assert_eq!(run(&mut vm, source), 10 + 10 * 100);
    let (compiled, exits) = counts(&mut vm);
    assert!(compiled >= 1, "compiled code ran");
    assert!(exits >= 1, "the frame left its code");
}
