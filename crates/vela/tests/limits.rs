//! Limits of memory, coroutines and stack, interpreted and compiled.

use vela::{Backend, Value, Vm, VmConfig};

const WAYS: &[(&str, Backend, &str)] = &[
    ("interpreter", Backend::Mir, "off"),
    ("MIR", Backend::Mir, "sync"),
    #[cfg(feature = "llvm-jit")]
    ("LLVM", Backend::Llvm, "sync"),
];

fn vms() -> impl Iterator<Item = (&'static str, Vm)> {
    WAYS.iter().map(|&(name, backend, mode)| {
        let mut config = VmConfig {
            backend,
            ..VmConfig::default()
        };
        for (field, value) in [
            ("mode", mode),
            ("hotspot_threshold", "10"),
            ("loop_threshold", "20"),
        ] {
            config.jit.set(field, value).expect("a field and its value");
        }
        (name, Vm::new(config).expect("a valid configuration"))
    })
}

const MB: usize = 1 << 20;

/// Runs the program with 4 MB of memory; it must fail, and the VM go on.
fn fails(program: &str) {
    for (name, mut vm) in vms() {
        vm.exec(b"collectgarbage()", "=t").expect("runs");
        vm.state().set_memory_limit(4 * MB);
        let e = vm.exec(program.as_bytes(), "=t").expect_err(name);
        assert!(e.to_string().contains("not enough memory"), "{name}: {e}");
        let used = vm.state().heap.bytes_in_use();
        assert!(used < 10 * MB, "{name}: {used} bytes were in use");
        goes_on(name, &mut vm);
    }
}

fn goes_on(name: &str, vm: &mut Vm) {
    let out = vm.exec(
        b"local t = {} for i = 1, 1000 do t[i] = {i} end collectgarbage()
          return #t, collectgarbage('count') < 4 * 1024",
        "=t",
    );
    let out = out.expect(name);
    assert_eq!(out, [Value::Int(1000), Value::Bool(true)], "{name}");
}

#[test]
fn lists_that_grow() {
    fails("local t = {} for i = 1, math.maxinteger do t[i] = i end");
    fails("local t = {} for i = 1, math.maxinteger do t[i] = {} end");
    fails("local t = {} for i = 1, math.maxinteger do t[#t + 1] = i * 0.5 end");
    fails("local t = {} while true do table.insert(t, 'x') end");
    fails("local t = {} for i = 1, math.maxinteger do t[i * 1000] = true end");
    fails("local t = {} for i = 1, math.maxinteger do t['k' .. i] = i end");
}

#[test]
fn strings_that_grow() {
    fails("return ('x'):rep(1000000000)");
    fails("return ('x'):rep(100000000, ', ')");
    fails("local s = 'x' while true do s = s .. s end");
    fails(
        "local t = {} for i = 1, 20 do t[i] = ('x'):rep(100000) end
           local s = table.concat(t) return table.concat({s, s, s})",
    );
    fails("local s = ('x'):rep(100000) return (s:gsub('x', ('y'):rep(1000)))");
    fails("local s = ('x'):rep(1000000) return string.format('%s%s%s%s%s%s', s, s, s, s, s, s)");
    fails("local t = {} while true do t[#t + 1] = string.rep('x', 60000) .. #t end");
}

#[test]
fn other_objects() {
    fails("local l while true do l = {next = l} end");
    fails("local l while true do local m = l l = function() return m end end");
    fails("local function f(n) local t = {n} return f(n + 1), t end f(1)");
    fails(
        "local function f(n) local t = {n, n, n} if n > 1 then f(n - 1) end return t end
           local keep = {} while true do keep[#keep + 1] = f(3) end",
    );
    fails(
        "local t = {} while true do t[#t + 1] = coroutine.wrap(function() coroutine.yield() end) t[#t]() end",
    );
    fails("table.sort(setmetatable({}, {__len = function() return 1 << 30 end}))");
}

#[test]
fn garbage_is_no_reason() {
    for (name, mut vm) in vms() {
        vm.state().set_memory_limit(4 * MB);
        let out = vm.exec(
            b"local n = 0
              for i = 1, 200000 do local t = {i, i, i} n = n + #t end
              for i = 1, 500 do n = n + #(('x'):rep(300000 + i)) end
              return n",
            "=t",
        );
        let sum = 600_000 + (1..=500).map(|i| 300_000 + i).sum::<i64>();
        assert_eq!(out.expect(name), [Value::Int(sum)], "{name}");
        let stopped = vm.exec(
            b"collectgarbage('stop')
              for i = 1, 200000 do local t = {i, i, i, tostring(i)} end
              collectgarbage('restart')
              return collectgarbage('count') < 5 * 1024",
            "=t",
        );
        assert_eq!(stopped.expect(name), [Value::Bool(true)], "{name}");
    }
}

#[test]
fn a_program_may_catch_it() {
    for (name, mut vm) in vms() {
        vm.state().set_memory_limit(4 * MB);
        let out = vm.exec(
            b"local function fill() local t = {} for i = 1, math.maxinteger do t[i] = {i} end end
              local ok, e
              for i = 1, 3 do ok, e = pcall(fill) end
              local good = pcall(string.rep, 'x', 1 << 40)
              return ok, e, good",
            "=t",
        );
        let out = out.expect(name);
        assert_eq!(out[0], Value::Bool(false), "{name}");
        assert_eq!(out[1], Value::from("not enough memory"), "{name}");
        assert_eq!(out[2], Value::Bool(false), "{name}");
        goes_on(name, &mut vm);
    }
}

#[test]
fn strings_that_no_memory_is_there_for() {
    let mut vm = Vm::new(VmConfig::default()).expect("a valid configuration");
    let e = vm.exec(b"return ('x'):rep(10000000000)", "=t").unwrap_err();
    assert!(e.to_string().contains("resulting string too large"), "{e}");
    let e = vm
        .exec(
            b"table.sort(setmetatable({}, {__len = function() return 1 << 60 end}))",
            "=t",
        )
        .unwrap_err();
    assert!(e.to_string().contains("array too big"), "{e}");
}

#[test]
fn coroutines_are_counted() {
    for (name, mut vm) in vms() {
        vm.state().set_coroutine_limit(100);
        let out = vm.exec(
            b"local function body() coroutine.yield() end
              local kept, e = {}
              for i = 1, 1000 do
                local co = coroutine.create(body)
                local ok, message = coroutine.resume(co)
                if not ok then e = message break end
                kept[i] = co
              end
              local n = #kept
              kept = nil
              for i = 1, 1000 do assert(coroutine.resume(coroutine.create(body))) end
              return n, e",
            "=t",
        );
        let out = out.expect(name);
        assert_eq!(
            out,
            [Value::Int(100), "too many coroutines".into()],
            "{name}"
        );
    }
}

#[test]
fn the_stack_is_bounded() {
    for (name, mut vm) in vms() {
        vm.state().set_stack_slots(5000);
        let program = b"local deepest = 0
              local function f(n) deepest = n return 1 + f(n + 1) end
              local ok, e = pcall(f, 1)
              local main = deepest
              local co = coroutine.create(function() return f(1) end)
              local ok2, e2 = coroutine.resume(co)
              return ok, e, ok2, e2, main > 100 and main < 5000, deepest > 100 and deepest < 5000";
        let out = vm.exec(program, "=t").expect(name);
        let text =
            |v: &Value| String::from_utf8_lossy(v.as_bytes().unwrap_or_default()).into_owned();
        assert_eq!(out[0], Value::Bool(false), "{name}");
        assert!(text(&out[1]).contains("stack overflow"), "{name}: {out:?}");
        assert_eq!(out[2], Value::Bool(false), "{name}");
        assert!(text(&out[3]).contains("stack overflow"), "{name}: {out:?}");
        assert_eq!(out[4..], [Value::Bool(true), Value::Bool(true)], "{name}");
    }
}

#[test]
fn a_handler_sees_the_error() {
    for (name, mut vm) in vms() {
        vm.state().set_memory_limit(4 * MB);
        let e = vm
            .exec(
                b"local t = {}\nfor i = 1, math.maxinteger do\nt[i] = {}\nend",
                "=t",
            )
            .expect_err(name);
        let traceback = e.traceback().unwrap_or("");
        assert!(traceback.contains("t:"), "{name}: {traceback}");
    }
}
