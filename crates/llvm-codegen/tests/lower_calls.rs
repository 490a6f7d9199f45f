//! Calls, frame records, entries and safepoints, by running them.

mod lower_support;

use lower_support::{CODE_ID, Outcome, TAIL_RESULT, Value2, World, function, value};
use vela_mir::backend::{ExitStress, Heat};
use vela_objects::frame::FrameKind;
use vela_objects::{Tag, Value};

const FIB: &str = "func \"fib:1\" call params 1 stack 8
b0(v0: any):
  v1: int = guard_tag.int v0 [fs0 type]
  v2: int = int 2
  v3: bool = int_cmp.lt v1, v2
  branch v3, b1, b2
b1:
  return v1
b2:
  v4: luafn = self_closure
  v5: int = int 1
  v6: int = int_op.sub v1, v5
  v7: any = call_lua.1.self v4, v6 @s0
  v8: int = guard_tag.int v7 [fs1 type]
  v9: int = int_op.sub v1, v2
  v10: any = call_lua.2.self v4, v9 @s1
  v11: int = guard_tag.int v10 [fs2 type]
  v12: int = int_op.add v8, v11
  return v12
fs0: pc 0 regs r0=v0
fs1: pc 5 regs r0=v1, r1=v7
fs2: pc 8 regs r1=v8, r2=v10
s0: pc 4
s1: pc 7
end
";

#[test]
fn fib_at_every_level() {
    for level in 0..4 {
        let mut world = World::new(&[]);
        world.options.opt_level = level;
        world.compile(FIB);
        assert_eq!(world.call(&[Value::int(20)]), value(Value::int(6765)));
        assert_eq!(world.call(&[Value::int(1)]), value(Value::int(1)));
        assert_eq!(world.call(&[Value::float(3.5)]), Outcome::Exit(0));
        assert!(world.exit_register(0, 0).identical(Value::float(3.5)));
        assert_eq!(world.call(&[]), Outcome::Exit(0));
        assert!(world.exit_register(0, 0).is_nil());
    }
}

#[test]
fn quick_code_counts_its_calls_and_the_passages_of_its_loops() {
    let heat = Heat::default();
    let mut world = World::new(&[]);
    world.options.opt_level = 0;
    world.options.heat = Some(heat.clone());
    world.compile(FIB);
    assert_eq!(world.call(&[Value::int(5)]), value(Value::int(5)));
    assert_eq!(heat.get(), 15);
    world.compile(
        "func \"loop\" call params 1 stack 4
b0(v0: any):
  v1: int = guard_tag.int v0 [fs0 type]
  jump b1(v1)
b1(v2: int) loop:
  v3: int = int 1
  v4: int = int_op.sub v2, v3
  v5: int = int 0
  v6: bool = int_cmp.gt v4, v5
  branch v6, b1(v4), b2
b2:
  return v4
fs0: pc 0 regs r0=v0
end
",
    );
    assert_eq!(world.call(&[Value::int(10)]), value(Value::int(0)));
    assert_eq!(heat.get(), 15 + 1 + 10);
}

/// Calls the function in upvalue 0 with the parameters and ends as `rest` says.
fn caller(params: usize, stack: usize, rest: &str) -> String {
    let list = |f: &dyn Fn(usize) -> String| (0..params).map(f).collect::<Vec<_>>().join(", ");
    format!(
        "func \"caller\" call params {params} stack {stack}
b0({}):
  v20: luafn = self_closure
  v21: cell = upval.0 v20
  v22: any = load_cell v21
  v23: luafn = guard_tag.luafn v22 [fs0 callee]
{rest}
fs0: pc 0 regs {}
fs1: pc 6{}
s0: pc 5
end
",
        list(&|i| format!("v{i}: any")),
        list(&|i| format!("r{i}=v{i}")),
        if rest.contains("v24: any") {
            " regs r1=v24"
        } else {
            ""
        },
    )
}

fn calling_interpreted(params: usize, rest: &str) -> World {
    let mut world = World::new(&[Value::NIL]);
    let callee = function(&mut world.vm, &[]);
    world.closure.upval(0).set(Value::lua_fn(callee));
    world.compile(&caller(params, 14, rest));
    world
}

#[test]
fn arguments_and_results_of_an_interpreted_function() {
    let mut world = calling_interpreted(
        5,
        "  v24: any = call_lua.7 v23, v0, v1, v2, v3, v4 @s0
  return v24",
    );
    let args = [
        Value::int(1),
        Value::float(0.5),
        Value::int(2),
        Value::int(3),
        Value::int(4),
    ];
    assert_eq!(world.call(&args), value(Value::int(10)));
    let seen = format!("interp [1, 0.5, 2, 3, 4] from site 0 of {CODE_ID}");
    assert_eq!(world.log(), [seen]);
    // Missing arguments are nil, whatever the window holds.
    world.set_reg(3, Value::int(1000));
    world.set_reg(4, Value::int(1000));
    assert_eq!(world.call(&args[..3]), value(Value::int(3)));
    let seen = format!("interp [1, 0.5, 2, nil, nil] from site 0 of {CODE_ID}");
    assert_eq!(world.log(), [seen]);
}

#[test]
fn results_that_are_no_value() {
    let one = "  v24: any = call_lua.3 v23, v0 @s0\n  return v24";
    let none = "  v24: any = call_lua.3 v23 @s0\n  return v24";
    let mut world = calling_interpreted(1, one);
    assert_eq!(world.call(&[Value::int(5)]), value(Value::int(5)));
    assert_eq!(world.call(&[Value::NIL]), Outcome::Error);
    assert_eq!(world.call(&[Value::TRUE]), value(Value::int(41)));
    assert_eq!(world.call(&[Value::light(1)]), value(TAIL_RESULT));
    assert_eq!(world.log().len(), 7);
    let mut world = calling_interpreted(1, none);
    assert_eq!(world.call(&[]), value(Value::NIL));
}

#[test]
fn dropped_results() {
    let mut world = calling_interpreted(1, "  call_lua.3 v23, v0 @s0\n  return_none");
    for (arg, helped) in [
        (Value::int(5), false),
        (Value::TRUE, false),
        (Value::light(1), true),
    ] {
        assert_eq!(world.call(&[arg]), Outcome::None);
        assert_eq!(world.log().len(), 1 + usize::from(helped), "{arg:?}");
    }
    assert_eq!(world.call(&[Value::NIL]), Outcome::Error);
}

#[test]
fn guarded_results() {
    for guards in [
        "  v25: int = guard_tag.int v24 [fs1 type]\n",
        // Not at once: lowered apart from the call.
        "  v26: int = int 1\n  v25: int = guard_tag.int v24 [fs1 type]\n",
    ] {
        let mut world = calling_interpreted(
            1,
            &format!("  v24: any = call_lua.3 v23, v0 @s0\n{guards}  return v25"),
        );
        assert_eq!(world.call(&[Value::int(5)]), value(Value::int(5)));
        assert_eq!(world.call(&[Value::TRUE]), value(Value::int(41)));
        assert_eq!(world.call(&[Value::light(1)]), value(TAIL_RESULT));
        assert_eq!(world.call(&[Value::NIL]), Outcome::Error);
        assert_eq!(world.call(&[Value::float(0.5)]), Outcome::Exit(1));
        assert!(world.exit_register(1, 1).identical(Value::float(0.5)));
    }
}

#[test]
fn results_into_the_window() {
    for (want, helped) in [("1", false), ("2", true), ("all", true)] {
        let mut world = calling_interpreted(
            1,
            &format!(
                "  call_lua_multi.3.{want} v23, v0 @s0
  v24: any = load_reg.3
  return v24"
            ),
        );
        world.set_reg(3, Value::int(-1));
        let got = world.call(&[Value::int(5)]);
        let log = world.log();
        if helped {
            assert_eq!(got, value(Value::int(-1)), "the stand-in stores nothing");
            let want = want.parse().unwrap_or(-1);
            assert_eq!(log[1], format!("store_results 0x2 {want}"));
        } else {
            assert_eq!(got, value(Value::int(5)));
            assert_eq!(log.len(), 1);
        }
        assert_eq!(world.call(&[Value::NIL]), Outcome::Error);
    }
}

#[test]
fn window_calls() {
    let text = |op: &str| {
        format!(
            "func \"w\" call params 1 stack 8
b0(v0: any):
  store_reg.2 v0
  {op} @s0
  return_window.2.2
s0: pc 5 live r2
end
"
        )
    };
    let mut world = World::with(&text("call_window.2.0.2"));
    world.set_reg(3, Value::int(8));
    let two = vec![Value2(Value::int(7)), Value2(Value::int(8))];
    assert_eq!(world.call(&[Value::int(7)]), Outcome::Multi(two));
    assert_eq!(world.log(), ["call 7 0 2"]);
    assert_eq!(world.call(&[Value::NIL]), Outcome::Error);
    let mut world = World::with(&text("call_window.2.all.all"));
    world.call(&[Value::int(7)]);
    assert_eq!(world.log(), ["call 7 -1 -1"]);
}

#[test]
fn one_instruction_of_the_interpreter() {
    let mut world = World::with(
        "func \"i\" call params 1 stack 8
b0(v0: any):
  store_reg.0 v0
  v1: bool = interp_one @s0
  return v1
s0: pc 17 live r0
end
",
    );
    assert_eq!(world.call(&[Value::int(1)]), value(Value::TRUE));
    assert_eq!(world.call(&[Value::int(0)]), value(Value::FALSE));
    assert_eq!(world.call(&[Value::int(2)]), Outcome::Error);
    assert_eq!(world.log()[0], "interp_one 17 r0=1");
    let mut world = World::with(
        "func \"i\" call params 1 stack 8
b0(v0: any):
  store_reg.0 v0
  interp_one @s0
  return_none
s0: pc 17 live r0
end
",
    );
    assert_eq!(world.call(&[Value::int(0)]), Outcome::None);
    assert_eq!(world.call(&[Value::int(1)]), Outcome::Error);
}

#[test]
fn returns_from_the_window() {
    let text = |ret: &str| {
        format!("func \"r\" call params 1 stack 8\nb0(v0: any):\n  store_reg.1 v0\n  {ret}\nend\n")
    };
    let mut world = World::with(&text("return_window.1.0"));
    assert_eq!(world.call(&[Value::int(1)]), Outcome::None);
    let mut world = World::with(&text("return_window.1.1"));
    assert_eq!(world.call(&[Value::float(0.5)]), value(Value::float(0.5)));
    let mut world = World::with(&text("return_window.1.all"));
    world.set_reg(2, Value::int(2));
    let (fp, top) = (world.fp(), world.vm.top);
    world.vm.top = fp.cast::<Value>().wrapping_add(2 + 3);
    let outcome = world.enter_at(fp, &[Value::int(1)]);
    world.vm.top = top;
    let two = vec![Value2(Value::int(1)), Value2(Value::int(2))];
    assert_eq!(outcome, Outcome::Multi(two));
}

#[test]
fn tail_calls() {
    let mut world = World::with(
        "func \"t\" call params 3 stack 12
b0(v0: any, v1: any, v2: any):
  store_reg.4 v0
  store_reg.6 v1
  store_reg.7 v2
  tail_call.4.2
end
",
    );
    let args = [Value::light(9), Value::int(1), Value::float(2.0)];
    let want = Outcome::Tail(Value2(args[0]), vec![Value2(args[1]), Value2(args[2])]);
    assert_eq!(world.call(&args), want);
}

#[test]
fn tail_call_up_to_the_top() {
    // The callee sets the top; the stand-in for the interpreter cannot, so the
    // test does.
    let mut world = World::new(&[]);
    let fp = world.fp();
    world.compile(
        "func \"t\" call params 1 stack 12
b0(v0: any):
  store_reg.4 v0
  tail_call.4.all
end
",
    );
    for n in 0..4 {
        world.set_reg(6 + n, Value::int(n as i64));
    }
    // Registers start two slots above the record; three values from r6 on.
    let top = world.vm.top;
    world.vm.top = fp.cast::<Value>().wrapping_add(2 + 6 + 3);
    let outcome = world.enter_at(fp, &[Value::light(9)]);
    world.vm.top = top;
    let args = (0..3).map(|n| Value2(Value::int(n))).collect();
    assert_eq!(outcome, Outcome::Tail(Value2(Value::light(9)), args));
}

#[test]
fn paths_without_calls_push_no_record() {
    let mut world = World::with(FIB);
    let fp = world.fp();
    // SAFETY: within the VM's stack.
    unsafe { (*fp).func = 0xabc };
    assert_eq!(world.call(&[Value::int(1)]), value(Value::int(1)));
    // SAFETY: as above.
    assert_eq!(unsafe { (*fp).func }, 0xabc);
    assert_eq!(world.call(&[Value::int(2)]), value(Value::int(1)));
    // SAFETY: as above.
    unsafe {
        assert_eq!((*fp).func, world.closure.addr());
        assert_eq!((*fp).kind, FrameKind::COMPILED);
        assert_eq!((*fp).tag, Tag::LUA_FN);
        assert_eq!((*fp).flags, 0);
        assert_eq!((*fp).prev, world.vm.frame);
        assert_eq!((*fp).nargs, CODE_ID);
        assert_eq!((*fp).nvarargs, 0);
        assert_eq!((*fp).pc, 1);
    }
}

#[test]
fn exits_leave_the_record_as_it_is() {
    let mut world = calling_interpreted(
        1,
        "  v24: any = call_lua.3 v23, v0 @s0
  v25: int = guard_tag.int v24 [fs1 type]
  return v25",
    );
    let (before, fp) = (world.vm.frame, world.fp());
    assert_eq!(world.enter(&[Value::float(0.5)]), Outcome::Exit(1));
    assert_eq!(world.vm.frame, fp);
    world.vm.frame = before;
    world.closure.upval(0).set(Value::NIL);
    assert_eq!(world.enter(&[Value::float(0.5)]), Outcome::Exit(0));
    assert_eq!(world.vm.frame, before);
}

#[test]
fn the_stack_check_polls_and_may_raise() {
    let mut world = World::with(FIB);
    *world.vm.stack_limit.get_mut() = world.vm.stack_base;
    assert_eq!(world.call(&[Value::int(2)]), value(Value::int(1)));
    assert_eq!(world.log(), ["entry_poll 0x200000001 [2, 0, 0]"]);
    *world.vm.stack_limit.get_mut() = lower_support::RAISE;
    assert_eq!(world.call(&[Value::int(2)]), Outcome::Error);
    // With an object loaded before the call the check is at the entry.
    let mut world = calling_interpreted(2, "  v24: any = call_lua.3 v23, v0 @s0\n  return v24");
    *world.vm.stack_limit.get_mut() = world.vm.stack_base;
    assert_eq!(
        world.call(&[Value::int(4), Value::float(0.0)]),
        value(Value::int(4))
    );
    assert_eq!(world.log()[0], "entry_poll 0x30200000002 [4, 0, 0]");
}

const LOOP: &str = "func \"loop\" call params 2 stack 8
b0(v0: any, v1: any):
  v2: int = guard_tag.int v0 [fs0 type]
  v3: int = int 0
  v4: int = int 1
  jump b1(v3)
b1(v5: int) loop:
  poll v1 @s0
  v6: int = int_op.add v5, v4
  v7: bool = int_cmp.lt v6, v2
  branch v7, b1(v6), b2
b2:
  return v6
fs0: pc 0 regs r0=v0, r1=v1
s0: pc 3 live r0
end
";

#[test]
fn polls_in_loops() {
    for level in 0..4 {
        let mut world = World::new(&[]);
        world.options.opt_level = level;
        world.compile(LOOP);
        world.set_reg(0, Value::NIL);
        let got = world.call(&[Value::int(100), Value::float(1.5)]);
        assert_eq!(got, value(Value::int(100)));
        assert_eq!(world.log(), [""; 0]);
        assert!(world.reg(0).is_nil(), "only the slow path stores");
        *world.vm.stack_limit.get_mut() = world.vm.stack_base;
        let got = world.call(&[Value::int(100), Value::float(1.5)]);
        assert_eq!(got, value(Value::int(100)));
        // The entry's check comes first and takes the request away.
        let log = world.log();
        assert_eq!(log.len(), 1, "{log:?}");
    }
}

#[test]
fn a_poll_is_seen_while_the_loop_runs() {
    let mut world = World::with(LOOP);
    let vm = std::sync::atomic::AtomicPtr::new(&raw mut world.vm.stack_limit);
    std::thread::scope(|s| {
        s.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let limit = vm.load(std::sync::atomic::Ordering::Relaxed);
            // SAFETY: the field outlives the thread; it is an atomic, which
            // the VM's thread reads as such in the loop.
            let limit = unsafe { &*limit };
            limit.store(
                std::ptr::dangling_mut(),
                std::sync::atomic::Ordering::Relaxed,
            );
        });
        let got = world.call(&[Value::int(300_000_000), Value::float(1.5)]);
        assert_eq!(got, value(Value::int(300_000_000)));
    });
    assert_eq!(world.log(), ["poll at 0 r0=1.5"]);
}

#[test]
fn vararg_functions() {
    let text = "func \"v\" call params 1 vararg stack 8
b0(v0: any):
  v1: int = vararg_count
  v2: int = int 1
  v3: int = int_op.sub v1, v2
  v4: any = load_vararg v3
  store_reg.2 v4
  store_reg.4 v0
  interp_one @s0
  tail_call.2.1
s0: pc 1 live r2, r4
end
";
    let mut world = World::with(text);
    let proto = world.closure.proto.as_ptr();
    // SAFETY: the prototype is alive.
    unsafe { (*proto).num_params = 1 };
    for extra in 1..5 {
        let mut args = vec![Value::int(0)];
        args.extend((0..extra).map(|n| Value::float(f64::from(n))));
        let last = Value2(*args.last().unwrap());
        // The stand-in for the interpreter looks at r0 of the new frame.
        world.set_reg(1 + extra as usize + 2, Value::int(0));
        let want = Outcome::Tail(last, vec![Value2(Value::int(0))]);
        assert_eq!(world.call(&args), want, "{extra}");
    }
}

#[test]
fn osr_entries() {
    let text = "func \"osr\" osr 3 params 1 stack 8
b0:
  v0: any = load_reg.0
  v1: int = guard_tag.int v0 [fs0 type]
  v2: any = load_reg.1
  v3: float = guard_tag.float v2 [fs0 type]
  jump b1(v1, v3)
b1(v4: int, v5: float) loop:
  v6: int = int 1
  v7: int = int_op.sub v4, v6
  v8: float = float_op.add v5, v5
  v9: int = int 0
  v10: bool = int_cmp.gt v7, v9
  branch v10, b1(v7, v8), b2
b2:
  v11: int = guard_float_to_int v8 [fs1 range]
  return v11
fs0: pc 3 regs r0=v0
fs1: pc 9 regs r0=v7, r1=v8
end
";
    let mut world = World::with(text);
    let (caller, fp) = (world.vm.frame, world.fp());
    let mut enter = |count: Value, x: Value| {
        world.push_interpreted();
        world.set_reg(0, count);
        world.set_reg(1, x);
        let outcome = world.enter(&[]);
        let frame = world.vm.frame;
        world.vm.frame = caller;
        // SAFETY: a frame record on the VM's stack.
        (
            outcome,
            frame,
            unsafe { (*fp).kind },
            world.vm.exit_words[1],
        )
    };
    let interpreted = FrameKind::INTERPRETED;
    let (got, frame, ..) = enter(Value::int(3), Value::float(1.0));
    assert_eq!((got, frame), (value(Value::int(8)), caller));
    let (got, frame, kind, _) = enter(Value::NIL, Value::float(1.0));
    assert_eq!((got, frame, kind), (Outcome::OsrFail, fp, interpreted));
    let (got, frame, kind, _) = enter(Value::int(3), Value::int(1));
    assert_eq!((got, frame, kind), (Outcome::OsrFail, fp, interpreted));
    let (got, frame, kind, word) = enter(Value::int(3), Value::float(0.1));
    assert!(matches!(got, Outcome::Exit(_)), "{got:?}");
    assert_eq!((frame, kind), (fp, FrameKind::COMPILED));
    assert_eq!(word, 0.8f64.to_bits());
}

#[test]
fn exit_stress_takes_the_chosen_guards() {
    let mut world = World::new(&[]);
    world.options.exit_stress = ExitStress::Every(1);
    world.compile(FIB);
    assert_eq!(world.call(&[Value::int(1)]), Outcome::Exit(0));
    let mut world = World::new(&[]);
    world.options.exit_stress = ExitStress::Every(2);
    world.compile(FIB);
    // The second guard is that on the first inner call's result.
    assert_eq!(world.call(&[Value::int(1)]), value(Value::int(1)));
    assert_eq!(world.call(&[Value::int(2)]), Outcome::Exit(1));
    assert!(world.exit_register(1, 0).identical(Value::int(2)));
    assert!(world.exit_register(1, 1).identical(Value::int(1)));
}

#[test]
fn exit_stress_takes_each_exit_once() {
    let mut world = World::new(&[]);
    world.options.exit_stress = ExitStress::First;
    world.compile(FIB);
    let mut taken = Vec::new();
    let result = loop {
        match world.call(&[Value::int(10)]) {
            Outcome::Exit(id) => taken.push(id),
            result => break result,
        }
    };
    assert_eq!(result, value(Value::int(55)));
    // Guards with equal states share an exit, so numbers may come again.
    assert!(taken.len() > 2, "{taken:?}");
}

#[test]
fn promises_can_be_stripped() {
    let mut world = World::new(&[]);
    world.options.strip_promises = true;
    world.options.dump = true;
    let ir = world.compile(FIB).dumps.as_ref().unwrap().ir_before.clone();
    for promise in ["tbaa", "invariant", "inbounds", "nuw", "nsw", "range"] {
        assert!(!ir.contains(promise), "{promise}:\n{ir}");
    }
    assert_eq!(world.call(&[Value::int(15)]), value(Value::int(610)));
    let mut world = World::new(&[]);
    world.options.dump = true;
    let ir = world.compile(FIB).dumps.as_ref().unwrap().ir_before.clone();
    for promise in ["tbaa", "invariant", "inbounds"] {
        assert!(ir.contains(promise), "{promise}:\n{ir}");
    }
}

#[test]
fn invalidated_code_leaves_at_its_next_check() {
    let mut world = World::new(&[Value::NIL]);
    let callee = function(&mut world.vm, &[]);
    world.closure.upval(0).set(Value::lua_fn(callee));
    let text = caller(
        1,
        14,
        "  v24: any = call_lua.3 v23, v0 @s0
  guard_valid [fs1 invalidated]
  return v24",
    );
    // Only code that relies on something checks.
    world.compile(&text.replacen("b0(", "watch 0x10 id 1 level 7\nb0(", 1));
    assert_eq!(world.call(&[Value::int(1)]), value(Value::int(1)));
    world.pool[0] = 1;
    assert_eq!(world.call(&[Value::int(1)]), Outcome::Exit(1));
}

/// `tak`, with a loop of its own before the calls, a literal, and a float
/// parameter that is only handed on; four parameters.
fn tak(pool: u64) -> String {
    format!(
        "func \"tak\" call params 4 stack 20
p0: object {pool:#x} table
b0(v0: any, v1: any, v2: any, v3: any):
  v4: int = guard_tag.int v0 [fs0 type]
  v5: int = guard_tag.int v1 [fs0 type]
  v6: int = guard_tag.int v2 [fs0 type]
  v7: bool = int_cmp.lt v5, v4
  branch v7, b2, b1
b1:
  return v6
b2:
  v10: table = literal p0
  v11: luafn = self_closure
  v12: int = int 1
  v13: int = int_op.sub v4, v12
  v14: any = call_lua.4.self v11, v13, v5, v6, v3 @s0
  v15: int = guard_tag.int v14 [fs1 type]
  v16: int = int_op.sub v5, v12
  v17: any = call_lua.4.self v11, v16, v6, v4, v3 @s1
  v18: int = guard_tag.int v17 [fs2 type]
  v19: int = int_op.sub v6, v12
  v20: any = call_lua.4.self v11, v19, v4, v5, v3 @s2
  v21: int = guard_tag.int v20 [fs3 type]
  jump b3(v12)
b3(v22: int) loop:
  push_elem v10, v3
  v23: int = int_op.sub v22, v12
  v24: bool = int_cmp.gt v23, v12
  branch v24, b3(v23), b4
b4:
  v25: any = call_lua.4.self v11, v15, v18, v21, v3 @s3
  return v25
fs0: pc 0 regs r0=v0, r1=v1, r2=v2, r3=v3
fs1: pc 5 regs r0=v4, r1=v5, r2=v6, r3=v3, r4=v14
fs2: pc 6 regs r0=v4, r1=v5, r2=v6, r3=v3, r4=v17
fs3: pc 7 regs r0=v4, r1=v5, r2=v6, r3=v3, r4=v20
s0: pc 1
s1: pc 2
s2: pc 3
s3: pc 4
end
"
    )
}

#[test]
fn recursion_with_loops_literals_and_many_parameters() {
    fn reference(x: i64, y: i64, z: i64, calls: &mut usize) -> i64 {
        if y >= x {
            return z;
        }
        let a = reference(x - 1, y, z, calls);
        let b = reference(y - 1, z, x, calls);
        let c = reference(z - 1, x, y, calls);
        *calls += 1;
        reference(a, b, c, calls)
    }
    for (level, strip) in [(0, false), (1, false), (2, true), (2, false), (3, false)] {
        let mut world = World::new(&[]);
        let t = world.vm.table(0, 0);
        world.options.opt_level = level;
        world.options.strip_promises = strip;
        world.compile(&tak(t.addr()));
        let args = [8, 4, 2].map(Value::int);
        let args = [args[0], args[1], args[2], Value::float(0.5)];
        let mut calls = 0;
        let want = reference(8, 4, 2, &mut calls);
        assert_eq!(world.call(&args), value(Value::int(want)), "level {level}");
        assert_eq!(t.border(), calls as i64);
        assert!(t.get_int(1).identical(Value::float(0.5)));
        // The stack check of an inner call sees the fourth parameter too.
        world.log();
        *world.vm.stack_limit.get_mut() = world.vm.stack_base;
        assert_eq!(world.call(&args), value(Value::int(want)));
        assert_eq!(world.log()[0], "entry_poll 0x2020200000004 [8, 4, 2]");
    }
}

#[test]
fn self_calls_with_other_types_take_the_generic_entry() {
    // f(n, x) = n < 1 and x or f(n - 1, 2.5): the second parameter is guarded
    // to be an integer, so the inner call leaves.
    let mut world = World::with(
        "func \"mixed\" call params 2 stack 8
b0(v0: any, v1: any):
  v2: int = guard_tag.int v0 [fs0 type]
  v3: int = guard_tag.int v1 [fs0 type]
  v4: int = int 1
  v5: bool = int_cmp.lt v2, v4
  branch v5, b1, b2
b1:
  return v3
b2:
  v6: luafn = self_closure
  v7: int = int_op.sub v2, v4
  v8: float = float 2.5
  v9: any = call_lua.3.self v6, v7, v8 @s0
  return v9
fs0: pc 0 regs r0=v0, r1=v1
s0: pc 1
end
",
    );
    let args = [Value::int(0), Value::int(9)];
    assert_eq!(world.call(&args), value(Value::int(9)));
    let args = [Value::int(1), Value::int(9)];
    assert_eq!(world.call(&args), Outcome::Exit(0));
    assert!(world.exit_register(0, 0).identical(Value::int(0)));
    assert!(world.exit_register(0, 1).identical(Value::float(2.5)));
    // A missing argument is nil: also the generic entry. The stand-in's answer
    // to the inner exit is no integer, so the outer call leaves as well.
    let text = FIB.replace("call_lua.2.self v4, v9 @s1", "call_lua.2.self v4 @s1");
    let mut world = World::with(&text);
    assert_eq!(world.call(&[Value::int(2)]), Outcome::Exit(2));
    let inner = world.exit_register(2, 2).payload;
    assert_eq!(inner, u64::from(CODE_ID) << 32);
}

#[test]
fn threads_compile_at_once_and_code_is_freed() {
    std::thread::scope(|s| {
        for thread in 0..4 {
            s.spawn(move || {
                for n in 0..5 {
                    let mut world = World::new(&[]);
                    world.options.opt_level = (thread + n) % 4;
                    world.compile(FIB);
                    assert_eq!(world.call(&[Value::int(12)]), value(Value::int(144)));
                    let compiled = world.compiled.as_ref().unwrap();
                    assert!(compiled.code.size() > 50);
                    assert_eq!((compiled.exits.len(), compiled.sites.len()), (3, 2));
                }
            });
        }
    });
}
