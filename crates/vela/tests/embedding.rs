//! The embedding interface, interpreted and compiled.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use vela::{
    Backend, Bytes, Class, Context, Definition, Engine, Error, FromValue, Function, IntoValue,
    Libraries, Limits, Meta, Mode, New, Rest, Result, Table, Thread, ThreadStatus, Userdata, Value,
    Values, Vm, VmConfig,
};

/// Configurations: interpreted, and compiled at once.
fn configs() -> impl Iterator<Item = VmConfig> {
    let ways = [
        (Backend::Mir, "off"),
        (Backend::Mir, "sync"),
        #[cfg(feature = "llvm-jit")]
        (Backend::Llvm, "sync"),
    ];
    ways.into_iter().map(|(backend, mode)| {
        let mut config = VmConfig {
            backend,
            ..VmConfig::default()
        };
        for (name, value) in [
            ("mode", mode),
            ("hotspot_threshold", "5"),
            ("loop_threshold", "10"),
        ] {
            config.jit.set(name, value).expect("a field and its value");
        }
        config
    })
}

/// VMs of these configurations, and one that collects at every poll.
fn vms() -> impl Iterator<Item = Vm> {
    let mut stressed = VmConfig {
        gc_stress: true,
        ..VmConfig::default()
    };
    stressed.jit.enabled = false;
    let all = configs().chain([stressed]);
    all.map(|c| Vm::new(c).expect("a valid configuration"))
}

fn vm() -> Vm {
    Vm::new(VmConfig::default()).expect("a valid configuration")
}

fn set(vm: &mut Vm, name: &str, v: impl IntoValue) {
    vm.globals().set(vm, name, v).expect("plain");
}

#[test]
fn conversions_go_there_and_back() -> Result<()> {
    fn same<T>(vm: &mut Vm, v: T)
    where
        T: IntoValue + FromValue + Clone + PartialEq + std::fmt::Debug,
    {
        let id: Function = vm
            .chunk("function(...) return ... end")
            .eval()
            .expect("Lua");
        assert_eq!(id.call::<T>(vm, v.clone()).expect("converts"), v);
    }
    let vm = &mut vm();
    same(vm, true);
    same(vm, -7i8);
    same(vm, u32::MAX);
    same(vm, i64::MIN);
    same(vm, 7usize);
    same(vm, 0.25f32);
    same(vm, -0.5f64);
    same(vm, "täxt".to_string());
    same(vm, Bytes(vec![0, 0xff, 7]));
    same(vm, Some(3));
    same(vm, None::<String>);
    same(vm, vec![1.5, 2.5]);
    same(vm, vec![vec!["a".to_string()], vec![]]);
    same(vm, HashMap::from([("k".to_string(), 1)]));
    same(vm, BTreeMap::from([(1, true), (30, false)]));
    let t = vm.table();
    assert!(t.is(vm, &t.clone())?);
    let got: Table = vm.from_value(Value::Table(t.clone()))?;
    assert_eq!(got, t);
    Ok(())
}

#[test]
fn conversions_that_fail_say_why() {
    let vm = &mut vm();
    fn error<T: FromValue + std::fmt::Debug>(vm: &mut Vm, v: impl IntoValue) -> String {
        let v = vm.to_value(v).expect("converts");
        vm.from_value::<T>(v)
            .expect_err("does not convert")
            .to_string()
    }
    assert_eq!(error::<i64>(vm, "x"), "number expected, got string");
    assert_eq!(
        error::<i64>(vm, 1.5),
        "integer expected, got a float without integer representation"
    );
    assert_eq!(
        error::<u8>(vm, 256),
        "u8 expected, got an integer out of range"
    );
    assert_eq!(
        error::<u64>(vm, -1),
        "u64 expected, got an integer out of range"
    );
    assert_eq!(error::<Table>(vm, 1), "table expected, got number");
    assert_eq!(
        error::<String>(vm, Bytes(vec![0xff])),
        "text expected, got a string that is not UTF-8"
    );
    assert_eq!(
        error::<Function>(vm, None::<i32>),
        "function expected, got nil"
    );
    let large = vm.to_value(u64::MAX).expect("converts");
    assert_eq!(large, Value::Float(u64::MAX as f64));
    assert_eq!(vm.from_value::<i64>("0x10".into()).expect("a numeral"), 16);
    assert_eq!(
        vm.from_value::<String>(1.5.into()).expect("a number"),
        "1.5"
    );
}

#[test]
fn functions_take_and_give_lists() -> Result<()> {
    for mut vm in vms() {
        let vm = &mut vm;
        let f = vm.function(|_, (a, b): (i64, Option<String>)| Ok((b, a + 1)));
        set(vm, "f", &f);
        let all =
            vm.function(|_, (first, rest): (i64, Rest)| Ok((rest.0.len() as i64, first, rest)));
        set(vm, "all", &all);
        let none = vm.function(|_, ()| Ok(()));
        set(vm, "none", none);
        let (n, text): (i64, String) = vm
            .chunk(
                "local n, t = 0, ''
                 for i = 1, 100 do
                   local s, k = f(i, 'x')
                   n = n + k
                   t = s
                   assert(select('#', none(i)) == 0)
                   local count, first, third = all(i, 'b', 'c')
                   assert(count == 2 and first == i and third == 'b')
                 end
                 return n, t",
            )
            .call(())?;
        assert_eq!((n, text.as_str()), (5150, "x"));
        let got: Values = all.call(vm, (1, "two", 3.0))?;
        assert_eq!(got.len(), 4);
        assert_eq!(got[3], Value::Float(3.0));
        let (b, a): (Option<String>, i64) = f.call(vm, 1)?;
        assert_eq!((b, a), (None, 2));
    }
    Ok(())
}

#[test]
fn wrong_arguments_are_lua_errors() {
    let vm = &mut vm();
    let f = vm.function(|_, (a, _b): (i64, Table)| Ok(a));
    set(vm, "f", f);
    let mut message = |source: &str| vm.chunk(source).name("=t").exec().unwrap_err().to_string();
    assert_eq!(
        message("f('x', {})"),
        "t:1: bad argument #1 to 'f' (number expected, got string)"
    );
    assert_eq!(
        message("f(1)"),
        "t:1: bad argument #2 to 'f' (table expected, got no value)"
    );
}

#[derive(Debug, thiserror::Error)]
#[error("no such user: {name}")]
struct NoUser {
    name: String,
    source: std::io::Error,
}

#[test]
fn errors_keep_their_causes() -> Result<()> {
    for mut vm in vms() {
        let vm = &mut vm;
        let find = vm.function(|_, name: String| -> Result<()> {
            let source = std::io::Error::from(std::io::ErrorKind::NotFound);
            Err(Error::host(NoUser { name, source }))
        });
        set(vm, "find", find);
        let e = vm
            .chunk("local function f() find('bob') end f()")
            .name("=t")
            .exec()
            .unwrap_err();
        assert_eq!(e.to_string(), "no such user: bob");
        assert_eq!(
            e.downcast_ref::<NoUser>().expect("in the chain").name,
            "bob"
        );
        let io = e.downcast_ref::<std::io::Error>().expect("in the chain");
        assert_eq!(io.kind(), std::io::ErrorKind::NotFound);
        assert!(
            e.traceback().expect("there").contains("t:1: in"),
            "{}",
            e.report()
        );
        // Lua can catch it, look at it, and throw it again.
        let text: String = vm.chunk("tostring(select(2, pcall(find, 'eve')))").eval()?;
        assert_eq!(text, "no such user: eve");
        let e = vm
            .chunk("local ok, e = pcall(find, 'eve') error(e)")
            .exec()
            .unwrap_err();
        assert!(e.downcast_ref::<NoUser>().is_some());
        // Through a function of the host in between.
        let call = vm.function(|cx, f: Function| f.call::<()>(cx, "mia"));
        set(vm, "call", call);
        let e = vm.chunk("call(find)").exec().unwrap_err();
        assert_eq!(
            e.downcast_ref::<NoUser>().expect("in the chain").name,
            "mia"
        );
    }
    Ok(())
}

#[test]
fn lua_values_are_errors() -> Result<()> {
    let vm = &mut vm();
    let e = vm.chunk("error({code = 7})").exec().unwrap_err();
    let Value::Table(t) = &e.runtime().expect("raised").value else {
        panic!("not a table: {e}")
    };
    assert_eq!(t.get::<i64>(vm, "code")?, 7);
    // The same table comes out of a function of the host that passes it on.
    let call = vm.function(|cx, f: Function| f.call::<Values>(cx, ()));
    set(vm, "call", call);
    let code: i64 = vm
        .chunk("select(2, pcall(call, function() error({code = 8}) end)).code")
        .eval()?;
    assert_eq!(code, 8);
    // An error value whose `__tostring` fails does no harm.
    let e = vm
        .chunk("error(setmetatable({}, {__tostring = function(t) error(t) end}))")
        .exec()
        .unwrap_err();
    assert_eq!(e.to_string(), "(error object is a table value)");
    let raise = vm.function(|cx, ()| cx.raise::<()>("no good"));
    set(vm, "raise", raise);
    let e = vm.chunk("raise()").name("=t").exec().unwrap_err();
    assert_eq!(e.to_string(), "t:1: no good");
    Ok(())
}

#[test]
fn panics_become_errors() -> Result<()> {
    for mut vm in vms() {
        let vm = &mut vm;
        let fail = vm.function(|_, n: i64| -> Result<i64> {
            assert!(n < 50, "too much: {n}");
            Ok(n)
        });
        set(vm, "fail", fail);
        let deep = vm.function(|cx, n: i64| {
            let fail: Function = cx.globals().get(cx, "fail")?;
            fail.call::<i64>(cx, n)
        });
        set(vm, "deep", deep);
        let message: String = vm
            .chunk("for i = 1, 100 do local ok, e = pcall(deep, i) if not ok then return tostring(e) end end")
            .call(())?;
        assert_eq!(message, "panic in a function of the host: too much: 50");
        let e = vm.chunk("deep(99)").exec().unwrap_err();
        let cause = std::error::Error::source(&e).and_then(|e| e.downcast_ref::<Error>());
        assert!(matches!(cause, Some(Error::Panic(_))), "{e}: {cause:?}");
        assert_eq!(vm.chunk("deep(7)").eval::<i64>()?, 7);
    }
    Ok(())
}

#[test]
fn closures_that_change_are_not_entered_twice() -> Result<()> {
    let vm = &mut vm();
    let mut n = 0;
    let count = vm.function_mut(move |_, ()| {
        n += 1;
        Ok(n)
    });
    assert_eq!(count.call::<i64>(vm, ())?, 1);
    assert_eq!(count.call::<i64>(vm, ())?, 2);
    let again = vm.function_mut(|cx, ()| {
        let f: Function = cx.globals().get(cx, "again")?;
        f.call::<()>(cx, ())
    });
    set(vm, "again", &again);
    let e = again.call::<()>(vm, ()).unwrap_err();
    assert_eq!(e.to_string(), "function is in use");
    Ok(())
}

#[test]
fn tables_have_metamethods_and_raw_access() -> Result<()> {
    let vm = &mut vm();
    let t: Table = vm
        .chunk(
            "setmetatable({}, {__index = function(t, k) return k .. '?' end,
               __newindex = function(t, k, v) rawset(t, k, v .. '!') end,
               __len = function() return 99 end})",
        )
        .eval()?;
    assert_eq!(t.get::<String>(vm, "a")?, "a?");
    assert_eq!(t.raw_get::<Option<String>>(vm, "a")?, None);
    t.set(vm, "a", "b")?;
    assert_eq!(t.raw_get::<String>(vm, "a")?, "b!");
    t.raw_set(vm, "c", 1)?;
    assert_eq!(t.get::<i64>(vm, "c")?, 1);
    assert_eq!((t.len(vm)?, t.raw_len(vm)?), (99, 0));
    assert!(t.set(vm, None::<i64>, 1).is_err(), "nil is no key");
    let failing: Table = vm
        .chunk("setmetatable({}, {__index = function() error('no') end})")
        .eval()?;
    assert!(
        failing
            .get::<Value>(vm, 1)
            .unwrap_err()
            .to_string()
            .contains("no")
    );

    let list = vm.sequence(["a", "b", "c"])?;
    list.push(vm, "d")?;
    assert_eq!(list.pop::<String>(vm)?, "d");
    assert_eq!(list.entries::<i64, String>(vm)?.len(), 3);
    let mut sum = 0;
    list.for_each(vm, |_, k: i64, _: Value| {
        sum += k;
        Ok(())
    })?;
    assert_eq!(sum, 6);
    let mt = vm.table();
    list.set_metatable(vm, Some(&mt))?;
    assert!(list.metatable(vm)?.expect("just set").is(vm, &mt)?);
    list.set_metatable(vm, None)?;
    assert!(list.metatable(vm)?.is_none());
    list.clear(vm)?;
    assert!(list.is_empty(vm)? && !list.contains_key(vm, 1)?);
    Ok(())
}

struct Counter {
    n: i64,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl Class for Counter {
    const NAME: &'static str = "Counter";

    fn define(class: &mut Definition<Self>) {
        class
            .field_mut("n", |c| c.n, |c, n: i64| c.n = n)
            .field("double", |c| 2 * c.n)
            .method("get", |_, c, ()| Ok(c.n))
            .method_mut("add", |_, c, k: i64| {
                c.n += k;
                Ok(c.n)
            })
            .method_mut("twice", |cx, c, f: Function| {
                c.n += f.call::<i64>(cx, ())?;
                Ok(c.n)
            })
            .meta(Meta::ToString, |_, c, ()| Ok(format!("Counter({})", c.n)))
            .meta(Meta::Call, |_, c, k: i64| Ok(c.n * k))
            .meta(Meta::Index, |_, c, key: String| Ok(format!("{key}{}", c.n)))
            .operator(Meta::Add, |cx, (a, b): (Value, Value)| {
                let mut sum = 0;
                let mut dropped = None;
                for v in [a, b] {
                    sum += match v {
                        Value::Userdata(u) => u.with(cx, |c: &Counter| {
                            dropped = Some(c.dropped.clone());
                            c.n
                        })?,
                        v => cx.from_value::<i64>(v)?,
                    };
                }
                let dropped = dropped.expect("one operand is a counter");
                Ok(New(Counter { n: sum, dropped }))
            })
            .function("answer", |_, ()| Ok(42));
    }
}

#[test]
fn userdata_have_methods_fields_and_metamethods() -> Result<()> {
    for mut vm in vms() {
        let vm = &mut vm;
        let dropped = Arc::new(AtomicUsize::new(0));
        let c = vm.userdata(Counter {
            n: 1,
            dropped: dropped.clone(),
        })?;
        set(vm, "c", &c);
        vm.chunk(
            "for i = 1, 100 do
               c:add(1)
               c.n = c.n + 1
               assert(c.double == 2 * c:get())
             end
             assert(c.n == 201 and c(2) == 402 and c.answer() == 42)
             assert(tostring(c) == 'Counter(201)')
             assert(c.other == 'other201')
             assert((c + 1):get() == 202 and (1 + c).n == 202 and (c + c).n == 402)
             assert(getmetatable(c) == 'Counter')",
        )
        .exec()?;
        let mut message =
            |source: &str| vm.chunk(source).name("=t").exec().unwrap_err().to_string();
        assert_eq!(
            message("c:add('x')"),
            "t:1: bad argument #1 to 'add' (number expected, got string)"
        );
        assert_eq!(
            message("c.add({}, 1)"),
            "t:1: bad argument #1 to 'add' (Counter expected, got table)"
        );
        assert_eq!(
            message("c.n = {}"),
            "t:1: bad value for field 'n' (number expected, got table)"
        );
        assert_eq!(
            message("c.double = 1"),
            "t:1: no field 'double' of Counter can be written"
        );
        assert_eq!(
            message("c:twice(function() return c:get() end)"),
            "Counter is in use"
        );
        assert_eq!(c.with_mut(vm, |c: &mut Counter| c.n)?, 201);
        assert!(c.is::<Counter>(vm)?);
        vm.chunk("collectgarbage() collectgarbage()").exec()?;
        assert_eq!(dropped.load(Ordering::Relaxed), 3, "the sums are gone");
        let taken: Counter = c.take(vm)?;
        assert_eq!(taken.n, 201);
        let e = vm.chunk("c:get()").exec().unwrap_err();
        assert_eq!(e.to_string(), "the value of the Counter was taken");
    }
    Ok(())
}

#[test]
fn class_tables_make_values() -> Result<()> {
    let vm = &mut vm();
    let class = vm.class_table::<Counter>()?;
    let new = vm.function(|_, n: i64| {
        Ok(New(Counter {
            n,
            dropped: Arc::default(),
        }))
    });
    class.set(vm, "new", new)?;
    set(vm, "Counter", class);
    let n: i64 = vm.chunk("Counter.new(5):add(2)").eval()?;
    assert_eq!(n, 7);
    let u: Userdata = vm.chunk("Counter.new(5)").eval()?;
    assert_eq!(u.with(vm, |c: &Counter| c.n)?, 5);
    Ok(())
}

#[test]
fn values_of_hosts_go_when_nothing_refers_to_them() -> Result<()> {
    let dropped = Arc::new(AtomicUsize::new(0));
    let mut vm = vm();
    let counter = |dropped: &Arc<AtomicUsize>| Counter {
        n: 0,
        dropped: dropped.clone(),
    };
    let kept = vm.userdata(counter(&dropped))?;
    drop(vm.userdata(counter(&dropped))?);
    let owned = counter(&dropped);
    let f = vm.function(move |_, ()| {
        let whole = &owned;
        Ok(whole.n)
    });
    vm.collect_garbage()?;
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    drop(f);
    vm.collect_garbage()?;
    assert_eq!(dropped.load(Ordering::Relaxed), 2);
    drop(vm);
    assert_eq!(dropped.load(Ordering::Relaxed), 3);
    drop(kept);
    Ok(())
}

#[test]
fn threads_yield_across_lua_and_not_across_hosts() -> Result<()> {
    for mut vm in vms() {
        let vm = &mut vm;
        let f: Function = vm
            .chunk("function(a) for i = 1, 50 do a = a + coroutine.yield(a) end return 'end' end")
            .eval()?;
        let t: Thread = vm.thread(&f)?;
        assert_eq!(t.status(vm)?, ThreadStatus::Resumable);
        assert_eq!(t.resume::<i64>(vm, 1)?, 1);
        for i in 2..=50 {
            assert_eq!(t.resume::<i64>(vm, 1)?, i);
        }
        assert_eq!(t.resume::<String>(vm, 1)?, "end");
        assert_eq!(t.status(vm)?, ThreadStatus::Finished);
        let e = t.resume::<()>(vm, ()).unwrap_err();
        assert_eq!(e.to_string(), "cannot resume dead coroutine");

        let failing: Function = vm.chunk("function() error('oh') end").eval()?;
        let t = vm.thread(&failing)?;
        assert!(
            t.resume::<()>(vm, ())
                .unwrap_err()
                .to_string()
                .ends_with("oh")
        );
        assert_eq!(t.status(vm)?, ThreadStatus::Failed);
        assert!(t.close(vm).is_err());

        let call = vm.function(|cx, f: Function| f.call::<Values>(cx, ()));
        set(vm, "call", call);
        let message: String = vm
            .chunk("select(2, coroutine.resume(coroutine.create(function() call(coroutine.yield) end)))")
            .eval()?;
        assert_eq!(message, "attempt to yield across a C-call boundary");
        // Coroutines inside of the function may.
        let n: i64 = vm
            .chunk(
                "local n = 0
                 call(function()
                   local co = coroutine.wrap(function() for i = 1, 100 do coroutine.yield(i) end end)
                   for i = 1, 100 do n = n + co() end
                 end)
                 return n",
            )
            .call(())?;
        assert_eq!(n, 5050);
    }
    Ok(())
}

#[test]
fn chunks_have_names_environments_and_modes() -> Result<()> {
    let vm = &mut vm();
    let env = vm.table();
    vm.chunk("x = 1").environment(&env).exec()?;
    assert_eq!(env.get::<i64>(vm, "x")?, 1);
    assert!(vm.global("x")?.is_nil());
    let e = vm
        .chunk("error('here')")
        .name("@dir/file.lua")
        .exec()
        .unwrap_err();
    assert_eq!(e.to_string(), "dir/file.lua:1: here");
    let binary: Bytes = vm
        .chunk("string.dump(function(a) return a + 1 end)")
        .eval()?;
    let e = vm.chunk(&binary.0).into_function().unwrap_err();
    assert!(
        matches!(&e, Error::Syntax { message } if message.contains("binary chunk")),
        "{e}"
    );
    let f = vm.chunk(&binary.0).mode(Mode::Binary).into_function()?;
    assert_eq!(f.call::<i64>(vm, 1)?, 2);
    let e = vm.chunk("x =").mode(Mode::Any).into_function().unwrap_err();
    assert!(e.is_incomplete());
    let e = vm.chunk("return 1").mode(Mode::Binary).exec().unwrap_err();
    assert!(e.to_string().contains("text chunk"), "{e}");
    assert_eq!(vm.chunk("local a = 1 return a").eval::<i64>()?, 1);
    assert_eq!(vm.chunk("return ...").call::<(i64, i64)>((1, 2))?, (1, 2));
    Ok(())
}

#[test]
fn scopes_lend_what_is_on_the_stack() -> Result<()> {
    for mut vm in vms() {
        let vm = &mut vm;
        let words = ["a".to_string(), "b".to_string()];
        let mut seen = Vec::new();
        let kept = vm.scope(|cx, scope| {
            let word = scope.function(cx, |_, i: usize| Ok(words.get(i - 1).cloned()))?;
            let see = scope.function_mut(cx, |_, s: String| {
                seen.push(s);
                Ok(())
            })?;
            let globals = cx.globals();
            globals.set(cx, "word", &word)?;
            globals.set(cx, "see", &see)?;
            cx.chunk("for i = 1, 100 do local w = word(i) if not w then break end see(w) end")
                .exec()?;
            cx.chunk("co = coroutine.wrap(function() local f = see coroutine.yield() f('late') end) co()")
                .exec()?;
            Ok(see)
        })?;
        assert_eq!(seen, ["a", "b"]);
        for outcome in [
            kept.call::<()>(vm, "c"),
            vm.chunk("see('c')").exec(),
            vm.chunk("co()").exec(),
        ] {
            let e = outcome.unwrap_err();
            assert_eq!(e.to_string(), "the function's scope has ended");
        }
        // Also when the scope is left by an error or a panic.
        let mut n = 0;
        let failed: Result<()> = vm.scope(|cx, scope| {
            let f = scope.function_mut(cx, |_, ()| {
                n += 1;
                Ok(())
            })?;
            cx.globals().set(cx, "f", f)?;
            cx.chunk("f() error('left')").exec()
        });
        assert!(failed.is_err());
        assert!(vm.chunk("f()").exec().is_err());
        assert_eq!(n, 1);
    }
    Ok(())
}

#[test]
fn registry_and_host_values_stay_with_the_vm() -> Result<()> {
    let vm = &mut vm();
    let t = vm.sequence([1, 2, 3])?;
    vm.set_registered("list", &t)?;
    drop(t);
    vm.collect_garbage()?;
    assert_eq!(vm.registered::<Vec<i64>>("list")?, [1, 2, 3]);
    vm.set_registered("list", Value::Nil)?;
    assert!(vm.registered::<Value>("list")?.is_nil());

    struct Requests(usize);
    assert!(vm.host::<Requests>().is_none());
    assert!(vm.set_host(Requests(0)).is_none());
    let count = vm.function(|cx, ()| {
        let requests = cx.host_mut::<Requests>().expect("it was set");
        requests.0 += 1;
        Ok(requests.0)
    });
    set(vm, "count", count);
    vm.chunk("count() count()").exec()?;
    assert_eq!(vm.host::<Requests>().expect("it was set").0, 2);
    assert_eq!(vm.take_host::<Requests>().expect("it was set").0, 2);
    assert!(vm.take_host::<Requests>().is_none());
    Ok(())
}

#[test]
fn handles_belong_to_one_vm() -> Result<()> {
    let (a, b) = (&mut vm(), &mut vm());
    let t = a.table();
    let f = a.function(|_, ()| Ok(1));
    assert!(matches!(t.get::<Value>(b, 1), Err(Error::WrongVm)));
    assert!(matches!(f.call::<i64>(b, ()), Err(Error::WrongVm)));
    let list = b.table();
    assert!(matches!(list.set(b, 1, &t), Err(Error::WrongVm)));
    assert!(matches!(b.thread(&f), Err(Error::WrongVm)));
    Ok(())
}

#[test]
fn handles_are_cheap_to_make_and_drop() -> Result<()> {
    let vm = &mut vm();
    let before = vm.usage().memory;
    for _ in 0..100_000 {
        drop(vm.table());
    }
    vm.collect_garbage()?;
    assert!(vm.usage().memory < before + 100_000, "{:?}", vm.usage());
    Ok(())
}

#[test]
fn vms_move_between_threads_with_their_coroutines() -> Result<()> {
    for mut vm in vms() {
        let mut sum = 0;
        vm.chunk(
            "local function deep(n) if n == 0 then return coroutine.yield('deep') end return (deep(n - 1)) end
             co = coroutine.wrap(function()
               for i = 1, 1000 do
                 if i % 7 == 0 then pcall(deep, 10) end
                 table.sort({3, 1, 2}, function(a, b) coroutine.yield(i) return a < b end)
               end
             end)",
        )
        .exec()?;
        for _ in 0..20 {
            let moved = std::thread::spawn(move || {
                let mut n = 0i64;
                for _ in 0..20 {
                    let v: Value = vm.chunk("co()").eval().expect("it yields");
                    n += v.as_int().unwrap_or(0);
                }
                (vm, n)
            });
            let (back, n) = moved.join().expect("no panic");
            vm = back;
            sum += n;
        }
        assert!(sum > 0);
    }
    Ok(())
}

#[test]
fn handles_may_be_dropped_anywhere() -> Result<()> {
    let vm = &mut vm();
    let tables: Vec<Table> = (0..1000).map(|_| vm.table()).collect();
    let other = std::thread::spawn(move || drop(tables));
    for _ in 0..1000 {
        vm.table().push(vm, 1)?;
    }
    other.join().expect("no panic");
    vm.collect_garbage()?;
    Ok(())
}

#[test]
fn engines_are_shared() -> Result<()> {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    is_send::<Vm>();
    is_shared::<Engine>();
    is_shared::<vela::Program>();
    is_shared::<vela::Interrupt>();
    is_shared::<Value>();
    is_shared::<Error>();
    for config in configs() {
        let engine = Engine::new(config)?;
        let program = engine.compile(
            "local n, s = ..., 0 for i = 1, n do s = s + i end return s",
            "=sum",
        )?;
        std::thread::scope(|s| {
            for n in 1..=4i64 {
                let (engine, program) = (&engine, &program);
                s.spawn(move || {
                    let mut vm = engine.vm().expect("a VM");
                    let sum = vm.load_program(program).expect("loads");
                    for k in 1..=100 {
                        let got: i64 = sum.call(&mut vm, n * k).expect("runs");
                        assert_eq!(got, n * k * (n * k + 1) / 2);
                    }
                });
            }
        });
    }
    Ok(())
}

#[test]
fn libraries_are_chosen() -> Result<()> {
    let mut vm = Vm::new(VmConfig {
        libraries: Libraries::BASE | Libraries::TABLE,
        ..VmConfig::default()
    })?;
    let names: String = vm
        .chunk(
            "local names = {}
             for k, v in pairs(_G) do if type(v) == 'table' then names[#names + 1] = k end end
             table.sort(names)
             return table.concat(names, ' ')",
        )
        .call(())?;
    assert_eq!(names, "_G table");
    let mut none = Vm::new(VmConfig {
        libraries: Libraries::NONE,
        ..VmConfig::default()
    })?;
    assert_eq!(none.globals().entries::<Value, Value>(&mut none)?.len(), 0);
    assert_eq!(none.chunk("1 + 1").eval::<i64>()?, 2);
    Ok(())
}

#[test]
fn sandboxes_reach_nothing_outside() -> Result<()> {
    let vm = &mut Vm::sandbox(Limits::default())?;
    for name in [
        "io",
        "require",
        "package",
        "debug",
        "dofile",
        "loadfile",
        "os.execute",
        "os.exit",
        "os.getenv",
        "os.remove",
        "os.rename",
        "os.tmpname",
        "os.setlocale",
        "string.dump",
    ] {
        assert!(vm.chunk(format!("{name} == nil")).eval::<bool>()?, "{name}");
    }
    vm.chunk(
        "assert(load('return 1')() == 1)
         assert(not load('\\27Lua', 'x', 'b'))
         local ok, e = load('\\27Vela') assert(not ok and e:find('binary chunk'))
         assert(collectgarbage('count') > 0 and collectgarbage('stop') == 0)
         assert(os.time() > 0 and os.clock() >= 0 and os.date('%Y'))
         assert(('x'):rep(3) == 'xxx' and utf8.char(228) == 'ä')
         assert(coroutine.wrap(function() return 1 end)() == 1)",
    )
    .exec()
}

#[test]
fn time_limits_hold() -> Result<()> {
    for mut config in configs() {
        config.limits.time = Some(std::time::Duration::from_millis(30));
        let vm = &mut Vm::new(config)?;
        for program in [
            "while true do end",
            "while true do pcall(function() while true do end end) end",
            "local function f() return f() end f()",
            "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
            "setmetatable({}, {__gc = function() while true do end end}) collectgarbage() while true do end",
            "error(setmetatable({}, {__tostring = function() while true do end end}))",
            "return ('a'):rep(100):find(('a-'):rep(50) .. 'b')",
        ] {
            let e = vm.chunk(program).exec().expect_err(program);
            let text = e.to_string();
            assert!(
                text == "time limit exceeded" || text.starts_with("(error object"),
                "{program}: {text}"
            );
        }
        // Calls that end in time are not disturbed, one after the other.
        vm.set_limits(&Limits {
            time: Some(std::time::Duration::from_secs(3600)),
            ..Limits::default()
        });
        for i in 0..200 {
            assert_eq!(
                vm.chunk("local n = ... for i = 1, 100 do n = n + 1 end return n")
                    .call::<i64>(i)?,
                i + 100
            );
        }
    }
    Ok(())
}

#[test]
fn limits_can_be_lifted() -> Result<()> {
    let vm = &mut Vm::sandbox(Limits {
        memory: Some(4 << 20),
        coroutines: Some(3),
        stack: Some(2000),
        ..Limits::default()
    })?;
    let hungry = "local t = {} for i = 1, 300000 do t[i] = i end return #t";
    let e = vm
        .chunk("local t = {} for i = 1, 3000000 do t[i] = i end")
        .exec()
        .unwrap_err();
    assert_eq!(e.to_string(), "not enough memory");
    let e = vm
        .chunk("local t = {} for i = 1, 4 do t[i] = coroutine.wrap(coroutine.yield) t[i]() end")
        .exec()
        .unwrap_err();
    assert!(e.to_string().contains("too many coroutines"), "{e}");
    let e = vm
        .chunk("local function f(n) return 1 + f(n + 1) end f(1)")
        .exec()
        .unwrap_err();
    assert!(e.to_string().contains("stack overflow"), "{e}");
    vm.set_limits(&Limits::default());
    assert_eq!(vm.chunk(hungry).eval::<i64>()?, 300_000);
    assert_eq!(
        vm.chunk("local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(10000)").eval::<i64>()?,
        10_000
    );
    Ok(())
}

/// The context of a function is enough to do everything.
fn sum_of(cx: &mut dyn Context, list: &Table) -> Result<i64> {
    let mut sum = 0;
    list.for_each(cx, |_, _: i64, v: i64| {
        sum += v;
        Ok(())
    })?;
    Ok(sum)
}

#[test]
fn contexts_are_handed_on() -> Result<()> {
    let vm = &mut vm();
    let f = vm.function(|cx, list: Table| sum_of(cx, &list));
    let list = vm.sequence([1, 2, 3])?;
    assert_eq!(f.call::<i64>(vm, &list)?, 6);
    assert_eq!(sum_of(vm, &list)?, 6);
    Ok(())
}
