//! Calls, frame records, entries and safepoints, by running them.

mod lower_support;

use lower_support::{Outcome, World, value};
use std::time::Instant;
use vela_objects::Value;

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
        assert_eq!(world.exit_word(0), 3.5f64.to_bits());
        assert_eq!(world.exit_word(1), 3);
        assert_eq!(world.call(&[]), Outcome::Exit(0));
        assert_eq!(world.exit_word(1), 0);
    }
}

#[test]
#[ignore = "a measurement: cargo test --release -- --ignored --nocapture fib_speed"]
fn fib_speed() {
    let mut world = World::new(&[]);
    world.options.dump = true;
    let compiled = world.compile(FIB);
    let dumps = compiled.dumps.as_ref().unwrap();
    println!("{}\n{}", dumps.ir_after, dumps.asm);
    println!("{:?} {:?}", compiled.pass_time, compiled.codegen_time);
    for _ in 0..3 {
        let start = Instant::now();
        assert_eq!(world.call(&[Value::int(36)]), value(Value::int(14_930_352)));
        let calls = 2.0 * 24_157_817.0 - 1.0;
        println!("{:.3} ns per call", start.elapsed().as_secs_f64() * 1e9 / calls);
    }
}
