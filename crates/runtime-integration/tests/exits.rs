//! Programs whose types keep changing: however often speculations fail, the
//! exits of each entry of each function are bounded, and answers stay right.

mod support;

use std::fmt::Write;
use std::sync::Arc;
use support::{call, load};
use vela_deopt::DeoptReason;
use vela_objects::Value;
use vela_runtime_integration::{JitConfig, JitStats, MirBackend, Mode, Tier};

fn run(mode: Mode, threshold: u32, source: &str) -> (Value, JitStats) {
    let mut vm = vela_interpreter::new_vm(1).expect("address space");
    let config = JitConfig {
        mode,
        hotspot_threshold: threshold,
        loop_threshold: threshold,
        ..JitConfig::default()
    };
    let tier = Tier::attach(&mut vm, config, Arc::new(MirBackend)).expect("a valid configuration");
    let f = load(&mut vm, source);
    let v = call(&mut vm, f, &[]);
    assert!(v.is_number(), "{v:?}");
    (v, tier.stats())
}

/// Runs a program with and without the tier, and checks what it may cost.
fn check(source: &str) -> JitStats {
    let (expected, _) = run(Mode::Off, 1, source);
    let limit = u64::from(JitConfig::default().exit_threshold);
    let mut last = JitStats::default();
    for threshold in [5, 40] {
        let (v, stats) = run(Mode::Sync, threshold, source);
        assert_eq!(
            (v.tag, v.payload),
            (expected.tag, expected.payload),
            "{source}"
        );
        assert!(
            stats.functions_compiled + stats.osr_compiled > 0,
            "{source}"
        );
        assert!(
            stats.most_exits_of_an_entry <= limit,
            "{} exits of one entry\n{source}",
            stats.most_exits_of_an_entry
        );
        last = stats;
    }
    last
}

/// A site that meets a new closure of the function that it knows is compiled
/// for all closures of the function: new ones cost nothing from then on.
#[test]
fn functions_that_are_made_anew_stay_inlined() {
    let source = "
        local function run(n)
          local function f(x) return x, x + 1 end
          local s = 0
          for i = 1, n do
            local a, b = f(i)
            s = s + a + b
          end
          return s
        end
        local total = 0
        for i = 1, 60 do total = total + run(50) end
        return total";
    let stats = check(source);
    assert!(stats.deopts <= 6, "{} exits", stats.deopts);
    let mut vm = vela_interpreter::new_vm(1).expect("address space");
    let config = JitConfig {
        mode: Mode::Sync,
        hotspot_threshold: 5,
        loop_threshold: 5,
        ..JitConfig::default()
    };
    let _tier = Tier::attach(&mut vm, config, Arc::new(MirBackend)).expect("a valid configuration");
    let f = load(&mut vm, source);
    call(&mut vm, f, &[]);
    let main = f.as_lua_fn().expect("a function").proto;
    for slot in main.cold().children[0].feedback_slots() {
        assert_eq!(slot.failed & DeoptReason::Callee.bit(), 0);
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % n
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// Statements over a number `v`, a table `t` with one of several shapes, a
/// function `g`, a list `l` of one of several kinds, and an accumulator `s`.
const STATEMENTS: &[&str] = &[
    "s = s + v",
    "s = s + v * 2 - t.x",
    "t.x = v",
    "t.y = t.x",
    "if v < t.x then s = s + 1 else s = s - 0.5 end",
    "if v == t.k then s = s + 3 end",
    "s = s + g(v)",
    "s = s + helper(v, t)",
    "s = s + #l",
    "l[#l + 1] = v",
    "if l[2] then s = s + 1 end",
    "l[1] = t.x",
    "for i = 1, 3 do s = s + i * v end",
    "for i = v, v + 2 do s = s + i end",
    "for i = #l, 1, -1 do if l[i] == v then s = s + i end end",
    "local k = t.k == nil and 1 or 2 s = s + k",
    "if v // 1 == v then s = s + (v // 1 | 1) end",
    "t = { x = v, [v] = t.x }",
    "local n = 0 while n < 3 do n = n + 1 s = s + n end",
    "s = s % 1000",
];

fn program(random: &mut Random) -> String {
    let mut out = String::from("local helper\n");
    for name in ["h1", "h2"] {
        let _ = writeln!(
            out,
            "local function {name}(v) return v {} end",
            random.pick(&["+ 1", "* 0.5", "- 2", "+ 0.25"])
        );
    }
    out.push_str("local function h3(v) for i = 1, 2 do v = v + i end return v end\n");
    for (name, args, count) in [("helper", "v, t", 2), ("f", "v, t, g, l", 6)] {
        let local = if name == "f" { "local " } else { "" };
        let _ = writeln!(out, "{local}function {name}({args})\nlocal s = 0");
        for _ in 0..count {
            let s = loop {
                let s = random.pick(STATEMENTS);
                let inner = name == "helper";
                if !(inner && ["g(", "helper(", "l[", "#l"].iter().any(|p| s.contains(p))) {
                    break s;
                }
            };
            let _ = writeln!(out, "do {s} end");
        }
        out.push_str("return s\nend\n");
    }
    out.push_str(
        "local function table_of(n, v)
  if n == 0 then return { x = v } end
  if n == 1 then return { y = 1, x = v } end
  if n == 2 then return { x = 0.5, k = v } end
  if n == 3 then return { k = 'k', z = n, x = v } end
  local t = { x = v }
  t['f' .. n] = v
  return t
end
local seed = 7
local function random(n)
  seed = (seed * 3877 + 29573) % 139968
  return seed % n
end
local gs = { [0] = h1, h2, h3 }
local sum = 0
",
    );
    // Phases with ever more kinds, then all of them mixed.
    let _ = writeln!(
        out,
        "for phase = 1, {} do
  local kinds, shapes, callees = random(3) + 1, random(7) + 1, random(3) + 1
  for n = 1, 60 do
    local v = random(10)
    if random(kinds) == 1 then v = v + 0.5 end
    local l = {{}}
    for i = 1, random(4) do l[i] = random(kinds) == 1 and 1.5 or i end
    if random(kinds) == 2 then l[2] = 'text' end
    sum = sum + f(v, table_of(random(shapes), v), gs[random(callees)], l)
  end
end
return sum",
        8 + random.below(20)
    );
    out
}

#[test]
fn exits_are_bounded_for_programs_that_keep_changing() {
    let mut random = Random(42);
    let mut deopts = 0;
    for _ in 0..60 {
        deopts += check(&program(&mut random)).deopts;
    }
    assert!(deopts > 100, "the programs do provoke exits: {deopts}");
}

/// A value that alternates at every call from when code relies on it.
#[test]
fn exits_are_bounded_where_every_site_fails_in_turn() {
    // Each of many branches is reached for the first time after a while.
    let mut source = String::from("local function f(v, n)\nlocal s = 0\n");
    for i in 0..60 {
        let _ = writeln!(source, "if n > {} then s = s + v * {i} end", i * 40);
    }
    source.push_str(
        "return s end
local sum = 0
for n = 1, 4000 do sum = sum + f(n % 3 == 0 and 0.5 or n, n) end
return sum",
    );
    check(&source);
}

#[test]
fn exits_are_bounded_in_copies_of_one_function() {
    let mut source = String::from("local function add(a, b) return a + b end\nlocal fs = {}\n");
    for i in 0..30 {
        let _ = writeln!(source, "fs[{i}] = function(v) return add(v, {i}) end");
    }
    source.push_str(
        "local sum = 0
for n = 1, 100 do for i = 0, 29 do sum = sum + fs[i](n) end end
for n = 1, 300 do for i = 0, 29 do sum = sum + fs[i](n + 0.5) end end
for n = 1, 300 do for i = 0, 29 do sum = sum + fs[i](n % 2 == 0 and n or 0.5) end end
return sum",
    );
    let stats = check(&source);
    assert!(stats.deopts <= 100, "{} exits", stats.deopts);
}

/// Recursion: the frames of failing code run on, instead of leaving it one by
/// one.
#[test]
fn frames_of_failed_code_do_not_all_leave() {
    let source =
        "local function sum(n, v) if n == 0 then return v + v end return sum(n - 1, v) + 1 end
local s = 0
for i = 1, 200 do s = s + sum(50, 1) end
for i = 1, 200 do s = s + sum(50, 0.5) end
return s";
    let stats = check(source);
    assert!(stats.deopts <= 40, "{} exits", stats.deopts);
}
