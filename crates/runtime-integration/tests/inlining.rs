//! What the interpreter sees of real programs is enough to inline: snapshots
//! of functions that ran, built and optimized, have no calls left.

use vela_mir::build::{BuildInput, build};
use vela_mir::ir::EntryKind;
use vela_mir::passes::{Fuel, optimize};
use vela_objects::Value;
use vela_profiler::snapshot::snapshot;

/// Runs the chunk, which returns a function, and returns the optimized text of
/// that function.
fn optimized(source: &str) -> String {
    optimized_with(source, 0)
}

/// As `optimized`, where all callees have machine code of this size.
fn optimized_with(source: &str, code_size: usize) -> String {
    let mut vm = vela_interpreter::new_vm(1).expect("address space");
    vela_stdlib::open_all(&mut vm);
    let proto = vela_lua::compile(source.as_bytes(), "=test").expect("valid Lua");
    let proto = vm.load_proto(&proto);
    let env = Value::table(vm.globals);
    let cell = vm.cell(env);
    let main = vm.closure(proto, |_| cell, 1);
    let out = vela_interpreter::call(&mut vm, Value::lua_fn(main), &[]).expect("no Lua error");
    let f = out[0].as_lua_fn().expect("a function");
    let mut snapshot = snapshot(&mut vm, f.proto, &[]);
    for callee in snapshot.callees.values_mut() {
        callee.code_size = code_size;
    }
    let input = BuildInput {
        snapshot: &snapshot,
        entry: EntryKind::Call,
        speculate: true,
        max_size: 10_000,
        counters: None,
    };
    let mut func = build(&input).expect("builds");
    optimize(&mut func, &mut Fuel::default(), true).expect("valid after every pass");
    func.to_string()
}

#[track_caller]
fn has_no_call(text: &str) {
    for op in ["call_lua", "call_window", "interp_one", "find_field"] {
        assert!(!text.contains(op), "{op} in\n{text}");
    }
}

const CLASSES: &str = "
    local function class() local c = {} c.__index = c return c end
    local A, B, C = class(), class(), class()
    function A:get(i) return self.x + i end
    function B:get(i) return self.y * i end
    function C:get(i) return self.z - i end
    local a = setmetatable({x = 1}, A)
    local b = setmetatable({y = 2}, B)
    local c = setmetatable({z = 3}, C)
";

#[test]
fn methods_of_several_classes() {
    let text = optimized(&format!(
        "{CLASSES}
        local function total(o, i) return (o:get(i)) end
        for i = 1, 20 do total(a, i) total(b, i) total(c, i) end
        return total"
    ));
    has_no_call(&text);
    // One test for each shape, and nothing tested again in the methods.
    let tests = text.matches("shape_in").count() + text.matches("guard_shape").count();
    assert_eq!(tests, 3, "{text}");
}

#[test]
fn callbacks() {
    let text = optimized(
        "local function add(a, b) return a + b end
        local function sub(a, b) return a - b end
        local function run(f, x) return (f(x, 3)) end
        for i = 1, 20 do run(add, i) run(sub, i) end
        return run",
    );
    has_no_call(&text);
}

#[test]
fn metamethods() {
    let text = optimized(
        "local V = {}
        V.__add = function(a, b) return a.x + b.x end
        V.__unm = function(a) return -a.x end
        V.__len = function(a) return a.x end
        V.__lt = function(a, b) return a.x < b.x end
        V.__eq = function(a, b) return a.x == b.x end
        V.__concat = function(a, b) return b.x end
        V.__mul = function(a, b) return a * b.x end
        local function run(a, b)
          local s = a + b + -a + #b + (2 * a)
          if a < b then s = s + 1 end
          if a == b then s = s + 2 end
          local t = a .. b
          return s + t
        end
        for i = 1, 20 do
          run(setmetatable({x = i}, V), setmetatable({x = i % 3}, V))
        end
        return run",
    );
    has_no_call(&text);
}

/// Functions of some thirty instructions that call each other in turn.
const CHAIN: &str = "
    local function work(x)
      for i = 1, 3 do x = x + i * 2 - x // 3 + (x & 7) - i % 5 + (x >> 2) end
      for i = 1, 3 do x = x - i * 3 + x // 5 - (x & 3) + i % 7 - (x >> 1) end
      return x
    end
    local function f1(x)
      return work(x) + work(x + 1) + work(x + 2) + work(x + 3) + work(x + 4) + work(x + 5)
    end
    local function f2(x) return f1(x) + work(x + 1) end
    local function outer(x) return f2(x) + work(x) end
    for i = 1, 20 do outer(i) end
";

#[test]
fn what_calls_much_in_turn_is_called() {
    let text = optimized(&format!("{CHAIN} return outer"));
    // The leaf is inlined, the function with all its copies in it is not.
    assert_eq!(text.matches("call_lua").count(), 1, "{text}");
    let text = optimized(&format!("{CHAIN} return work"));
    has_no_call(&text);
}

#[test]
fn what_has_much_code_is_called() {
    let run = "
        local function leaf(x, y)
          if x > y then return x - y elseif x < 0 then return x + y end
          return x * y + (x & y) - (x | y) + (x ~ y)
        end
        local function run(x) return leaf(x, 3) end
        local function again(x) return (run(x)) end
        for i = 1, 20 do again(i) end
        return again";
    has_no_call(&optimized(run));
    let text = optimized_with(run, 100_000);
    assert!(
        text.contains("call_lua") || text.contains("call_tail"),
        "{text}"
    );
}

#[test]
fn extra_arguments() {
    let text = optimized(
        "local function add(a, b) return a + b end
        local function sum(...)
          local s = 0
          for k = 1, select('#', ...) do s = s + select(k, ...) end
          return s
        end
        local function first(x, ...) return ... end
        local function forward(f, ...) return f(...) end
        local function run(i)
          local a, b = first(i, 2, 3)
          return forward(add, i, 2) + forward(sum, i, a, b) + sum() + add(first(1, i, 4))
        end
        for i = 1, 20 do run(i) end
        return run",
    );
    has_no_call(&text);
    assert!(!text.contains("load_vararg"), "{text}");
}

#[test]
fn extra_arguments_of_several_callees() {
    let text = optimized(
        "local list = {
          function(a, b) return a + b end,
          function(...) return select('#', ...) end,
        }
        local function emit(...)
          local s = 0
          for k = 1, #list do s = s + list[k](...) end
          return s
        end
        local function run(i) return (emit(i, 2)) end
        for i = 1, 20 do run(i) end
        return run",
    );
    has_no_call(&text);
}

#[test]
fn calls_of_tables() {
    let text = optimized(
        "local Point = {}
        Point.__index = Point
        function Point:init(x, y) self.x, self.y = x, y end
        setmetatable(Point, { __call = function(class, ...)
          local o = setmetatable({}, class)
          o:init(...)
          return o
        end })
        local function make(i) return Point(i, 2) end
        local function run(i)
          local p, q = Point(i, 3), make(i)
          return p.x + q.y
        end
        for i = 1, 20 do run(i) end
        return run",
    );
    has_no_call(&text);
}
