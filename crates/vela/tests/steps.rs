//! Functions of hosts that yield and call in steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use vela::{
    Backend, Context, Error, Function, Result, Step, Thread, ThreadStatus, Values, Vm, VmConfig,
};

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
        Vm::new(config).expect("a valid configuration")
    })
}

fn set(vm: &mut Vm, name: &str, f: Function) -> Result<()> {
    vm.globals().set(vm, name, f)
}

/// A coroutine that runs a chunk.
fn thread(vm: &mut Vm, source: &str) -> Result<Thread> {
    let f = vm.chunk(source).name("=test").into_function()?;
    vm.thread(&f)
}

/// Yields `from`, `from + 1`, ... up to `to`, and returns the sum of what came back.
fn count(cx: &mut dyn Context, from: i64, to: i64, sum: i64) -> Result<Step> {
    if from > to {
        return Step::returns(cx, ("sum", sum));
    }
    Step::yields(cx, from, move |cx, v: i64| count(cx, from + 1, to, sum + v))
}

#[test]
fn a_function_yields_again_and_again() -> Result<()> {
    for mut vm in vms() {
        let f = vm.stepwise(|cx, (from, to): (i64, i64)| count(cx, from, to, 0));
        set(&mut vm, "count", f)?;
        let out: (i64, i64, i64) = vm
            .chunk(
                "local rounds, last, total = 0, nil, 0
                 local function body()
                   local s = 0
                   for i = 1, 50 do
                     local what, n = count(i, i + 3)
                     assert(what == 'sum')
                     s = s + n
                   end
                   return s
                 end
                 local co = coroutine.create(body)
                 local ok, v = coroutine.resume(co)
                 while coroutine.status(co) == 'suspended' do
                   rounds, total = rounds + 1, total + v
                   ok, v = coroutine.resume(co, v * 2)
                 end
                 return rounds, total, v",
            )
            .eval()?;
        assert_eq!(out.0, 200);
        assert_eq!(out.2, 2 * out.1);
    }
    Ok(())
}

#[test]
fn yields_cross_pcall_metamethods_and_callbacks() -> Result<()> {
    for mut vm in vms() {
        let wait = vm.stepwise(|cx, v: Values| {
            Step::yields(cx, v, |cx, back: Values| Step::returns(cx, back))
        });
        set(&mut vm, "wait", wait)?;
        let text: String = vm
            .chunk(
                "local M = setmetatable({}, {__index = function(_, k) return wait(k) end, __add = wait})
                 local co = coroutine.wrap(function()
                   local ok, v = pcall(function() return M.field .. M.other end)
                   local t = {3, 1, 2}
                   table.sort(t, function(a, b) return wait(a) < wait(b) end)
                   local add = M + 1
                   for i in wait, 'iterate' do v = v .. i end
                   return v, table.concat(t), add
                 end)
                 local v, a, b = co()
                 while a == nil or v == M or v == 'iterate' do
                   if v == M then v, a, b = co(a * 7)
                   elseif v == 'iterate' then v, a, b = co(a == nil and 9 or nil)
                   else v, a, b = co(v) end
                 end
                 return v .. ' ' .. a .. ' ' .. b",
            )
            .eval()?;
        assert_eq!(text, "fieldother9 123 7");
    }
    Ok(())
}

#[test]
fn called_functions_may_yield() -> Result<()> {
    /// Calls `f` with each number up to `n`, and returns the sum of its results.
    fn each(cx: &mut dyn Context, f: Function, i: i64, n: i64, sum: i64) -> Result<Step> {
        if i > n {
            return Step::returns(cx, sum);
        }
        let next = f.clone();
        Step::calls(cx, &f, i, move |cx, v: i64| {
            each(cx, next, i + 1, n, sum + v)
        })
    }
    for mut vm in vms() {
        let f = vm.stepwise(|cx, (n, f): (i64, Function)| each(cx, f, 1, n, 0));
        set(&mut vm, "each", f)?;
        let t = thread(
            &mut vm,
            "return each(3, function(i) return coroutine.yield(i) end), each(10, function(i) return i end)",
        )?;
        for i in 1..=3 {
            assert_eq!(t.resume::<i64>(&mut vm, 10 * (i - 1))?, i);
        }
        assert_eq!(t.resume::<(i64, i64)>(&mut vm, 30)?, (60, 55));
        // Outside of a coroutine as well, as long as nothing yields.
        assert_eq!(
            vm.chunk("each(4, function(i) return i end)")
                .eval::<i64>()?,
            10
        );
        let e = vm.chunk("each(4, function(i) error('no ' .. i, 0) end)");
        assert!(e.exec().unwrap_err().to_string().contains("no 1"));
        // Many steps take no stack.
        let n: i64 = vm.chunk("each(100000, math.abs)").eval()?;
        assert_eq!(n, 100_000 * 100_001 / 2);
    }
    Ok(())
}

#[test]
fn errors_and_panics_of_steps_are_raised() -> Result<()> {
    for mut vm in vms() {
        let f = vm.stepwise(|cx, how: String| {
            Step::yields(cx, (), move |cx, (): ()| match how.as_str() {
                "error" => Err(Error::message("as asked")),
                "panic" => panic!("at the second step"),
                _ => cx.raise("where it was called"),
            })
        });
        set(&mut vm, "fail", f)?;
        for (how, text) in [
            ("error", "as asked"),
            ("panic", "at the second step"),
            ("raise", "where it was called"),
        ] {
            let t = thread(
                &mut vm,
                "local ok, e = pcall(fail, ...) return ok, tostring(e)",
            )?;
            t.resume::<()>(&mut vm, how)?;
            let (ok, message): (bool, String) = t.resume(&mut vm, ())?;
            assert!(!ok && message.contains(text), "{message}");
        }
        // Values that do not fit the closure's arguments.
        let t = thread(&mut vm, "wait = ... return pcall(wait)")?;
        let wait =
            vm.stepwise(|cx, (): ()| Step::yields(cx, (), |cx, n: i64| Step::returns(cx, n)));
        t.resume::<()>(&mut vm, wait)?;
        let (ok, _): (bool, String) = t.resume(&mut vm, "x")?;
        assert!(!ok);
    }
    Ok(())
}

#[test]
fn yields_are_refused_where_coroutine_yield_is() -> Result<()> {
    for mut vm in vms() {
        let wait =
            vm.stepwise(|cx, (): ()| Step::yields(cx, (), |cx, (): ()| Step::returns(cx, ())));
        set(&mut vm, "wait", wait)?;
        let call = vm.function(|cx, f: Function| f.call::<Values>(cx, ()));
        set(&mut vm, "call", call)?;
        let e = vm.chunk("wait()").exec().unwrap_err().to_string();
        assert!(
            e.contains("attempt to yield from outside a coroutine"),
            "{e}"
        );
        let e: String = vm
            .chunk("select(2, coroutine.resume(coroutine.create(function() call(wait) end)))")
            .eval()?;
        assert!(
            e.contains("attempt to yield across a C-call boundary"),
            "{e}"
        );
        // Between its steps the function is as yieldable as before.
        let nested = vm.stepwise(|cx, f: Function| {
            Step::calls(cx, &f, (), |cx, v: Values| Step::returns(cx, v))
        });
        set(&mut vm, "nested", nested)?;
        let yieldable: bool = vm
            .chunk("coroutine.wrap(function() return nested(coroutine.isyieldable) end)()")
            .eval()?;
        assert!(yieldable);
    }
    Ok(())
}

#[test]
fn what_a_step_keeps_is_dropped_with_the_coroutine() -> Result<()> {
    struct Owned(Arc<AtomicUsize>);
    impl Drop for Owned {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    for mut vm in vms() {
        let alive = Arc::new(AtomicUsize::new(0));
        let shared = alive.clone();
        let f = vm.stepwise(move |cx, (): ()| {
            shared.fetch_add(1, Ordering::Relaxed);
            let owned = Owned(shared.clone());
            Step::yields(cx, (), move |cx, (): ()| {
                let n = owned.0.load(Ordering::Relaxed) as i64;
                Step::returns(cx, n)
            })
        });
        set(&mut vm, "hold", f)?;
        let new = "local c = coroutine.create(function() return hold() end) coroutine.resume(c) ";
        // Resumed, closed, collected.
        let n: i64 = vm
            .chunk(format!("{new} return select(2, coroutine.resume(c))"))
            .eval()?;
        assert_eq!((n, alive.load(Ordering::Relaxed)), (1, 0));
        vm.chunk(format!("{new} coroutine.close(c)")).exec()?;
        assert_eq!(alive.load(Ordering::Relaxed), 0);
        vm.chunk(format!("for i = 1, 10 do {new} end")).exec()?;
        vm.collect_garbage()?;
        vm.collect_garbage()?;
        assert_eq!(alive.load(Ordering::Relaxed), 0);
        // With the VM, on another thread.
        vm.chunk(format!("{new} kept = c")).exec()?;
        assert_eq!(alive.load(Ordering::Relaxed), 1);
        std::thread::spawn(move || drop(vm))
            .join()
            .expect("no panic");
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }
    Ok(())
}

#[test]
fn a_waiting_coroutine_moves_between_threads() -> Result<()> {
    for mut vm in vms() {
        let f = vm.stepwise(|cx, (): ()| {
            let id = std::thread::current().id();
            Step::yields(cx, "here", move |cx, (): ()| {
                Step::returns(cx, id != std::thread::current().id())
            })
        });
        set(&mut vm, "hop", f)?;
        let t = thread(&mut vm, "return hop()")?;
        assert_eq!(t.resume::<String>(&mut vm, ())?, "here");
        let moved = std::thread::spawn(move || {
            let moved = t.resume::<bool>(&mut vm, ());
            moved.map(|m| (m, t.status(&mut vm)))
        });
        let (moved, status) = moved.join().expect("no panic")?;
        assert!(moved);
        assert_eq!(status?, ThreadStatus::Finished);
    }
    Ok(())
}
