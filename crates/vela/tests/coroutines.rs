//! Coroutines with functions of hosts and of the libraries on their stacks.

use std::cell::Cell;
use vela::objects::{Args, NativeResult, Ret, VmState};
use vela::{Backend, Value, Vm, VmConfig};

thread_local! {
    static OWNED: Cell<usize> = const { Cell::new(0) };
}

/// Something that a native function owns while it calls Lua.
struct Owned;

impl Owned {
    fn new() -> Owned {
        OWNED.set(OWNED.get() + 1);
        Owned
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        OWNED.set(OWNED.get() - 1);
    }
}

/// Calls its argument and returns the result, owning something meanwhile.
fn holding(vm: &mut VmState, args: Args) -> NativeResult {
    let _owned = Owned::new();
    let [v] = vm.call::<1>(args.get(0), &args.as_slice()[1..])?;
    Ok(Ret::One(v))
}

/// A VM without and one with compiled functions.
fn vms() -> impl Iterator<Item = Vm> {
    ["off", "sync"].into_iter().map(|mode| {
        let mut config = VmConfig {
            backend: Backend::Mir,
            ..VmConfig::default()
        };
        for (name, value) in [
            ("mode", mode),
            ("hotspot_threshold", "1"),
            ("loop_threshold", "5"),
        ] {
            config.jit.set(name, value).expect("a field and its value");
        }
        let mut vm = Vm::new(config).expect("a valid configuration");
        vm.set_native("holding", holding);
        vm
    })
}

fn run(vm: &mut Vm, source: &str) -> Vec<Value> {
    vm.exec(source.as_bytes(), "=test").expect("no Lua error")
}

#[test]
fn yields_cross_callbacks_of_the_libraries() {
    for mut vm in vms() {
        let out = run(
            &mut vm,
            r#"
            local function drive(f)
              local co, n = coroutine.wrap(f), 0
              local r = co()
              while r == "wait" do n = n + 1; r = co(true) end
              return n, r
            end
            local wait = function() return coroutine.yield("wait") end
            local t = { 5, 2, 8, 1, 9, 3 }
            local a, b = drive(function()
              table.sort(t, function(x, y) wait() return x < y end)
              return table.concat(t, ",")
            end)
            assert(a > 5 and b == "1,2,3,5,8,9", b)
            a, b = drive(function()
              return (string.gsub("abc", ".", function(c) wait() return c:upper() end))
            end)
            assert(a == 3 and b == "ABC")
            a, b = drive(function()
              local pieces = { "return ", "6 ", "* 7" }
              local i = 0
              local f = load(function() wait(); i = i + 1; return pieces[i] end)
              return f()
            end)
            assert(a == 4 and b == 42)
            a, b = drive(function()
              return (string.gsub("a b", "%a", setmetatable({}, { __index = function(_, k) wait() return k .. k end })))
            end)
            assert(a == 2 and b == "aa bb")
            a, b = drive(function()
              return tostring(setmetatable({}, { __tostring = function() wait() return "text" end }))
            end)
            assert(a == 1 and b == "text")
            a, b = drive(function()
              package.preload.waiting = function() wait() return "module" end
              return require("waiting")
            end)
            assert(a == 1 and b == "module")
            return holding(drive, function() return holding(wait) end)
            "#,
        );
        assert_eq!(out, [Value::Int(1)]);
        assert_eq!(OWNED.get(), 0);
    }
}

const SUSPEND: &str = r"
    function suspend()
      local co = coroutine.create(function()
        pcall(holding, function()
          local t = { 3, 1, 2 }
          table.sort(t, function(a, b)
            holding(coroutine.yield)
            return a < b
          end)
        end)
        ended = 'went on'
      end)
      coroutine.resume(co)
      return co
    end
";

#[test]
fn closing_releases_what_natives_own() {
    for mut vm in vms() {
        run(&mut vm, SUSPEND);
        let out = run(
            &mut vm,
            "local co = suspend() return coroutine.close(co), coroutine.status(co), ended",
        );
        assert_eq!(
            out,
            [Value::Bool(true), Value::from("dead"), Value::Nil],
            "protected calls do not catch the end"
        );
        assert_eq!(OWNED.get(), 0);
    }
}

#[test]
fn the_collector_releases_what_natives_own() {
    for mut vm in vms() {
        run(&mut vm, SUSPEND);
        run(&mut vm, "for i = 1, 20 do suspend() end");
        assert!(OWNED.get() > 0);
        run(&mut vm, "collectgarbage() collectgarbage()");
        assert_eq!(OWNED.get(), 0);
        // Their stacks are used again.
        run(&mut vm, "for i = 1, 20 do suspend() end collectgarbage()");
        let out = run(&mut vm, "return ended");
        assert_eq!(out, [Value::Nil]);
    }
}

#[test]
fn a_vm_ends_with_suspended_coroutines() {
    for mut vm in vms() {
        run(&mut vm, SUSPEND);
        run(
            &mut vm,
            "all = {} for i = 1, 50 do all[i] = suspend() end
             all.plain = coroutine.wrap(function() coroutine.yield() end)
             all.plain()
             all.failed = coroutine.create(error)
             coroutine.resume(all.failed, 'x')
             all.pending = coroutine.create(function()
               local c <close> = setmetatable({}, { __close = error })
               error('x')
             end)
             coroutine.resume(all.pending)
             all.new = coroutine.create(print)",
        );
        assert!(OWNED.get() > 0);
        drop(vm);
        assert_eq!(OWNED.get(), 0);
    }
}

#[test]
fn panics_reach_the_host() {
    fn panics(_: &mut VmState, _: Args) -> NativeResult {
        panic!("on a coroutine's stack")
    }
    let mut vm = vms().next().expect("the interpreter");
    vm.set_native("panics", panics);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        vm.exec(
            b"coroutine.wrap(function() coroutine.wrap(panics)() end)()",
            "=t",
        )
    }));
    assert!(caught.is_err());
}
