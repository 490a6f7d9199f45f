//! Arithmetic on its edges, against the operators that the interpreter uses.

mod lower_support;

use lower_support::{Outcome, World, value};
use vela_objects::ops::{self, ArithOp};
use vela_objects::value::float_to_int;
use vela_objects::{Tag, Value};

const INTS: [i64; 14] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    -7,
    63,
    64,
    -64,
    1 << 40,
    i64::MAX,
    i64::MIN,
    i64::MIN + 1,
];

const FLOATS: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -2.5,
    3.0,
    1e300,
    -1e300,
    9_223_372_036_854_775_807.0,
    -9_223_372_036_854_775_808.0,
    -9_223_372_036_854_777_856.0,
    4_503_599_627_370_497.5,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// A function of two parameters of type `ty`, whose result is `body`'s `v9`.
fn binary(ty: &str, result: &str, body: &str) -> String {
    format!(
        "func \"op\" call params 2 stack 4
b0(v0: any, v1: any):
  v2: {ty} = guard_tag.{ty} v0 [fs0 type]
  v3: {ty} = guard_tag.{ty} v1 [fs0 type]
  v9: {result} = {body}
  return v9
fs0: pc 0 regs r0=v0, r1=v1
end
"
    )
}

fn int_ops() -> [(&'static str, ArithOp); 10] {
    [
        ("add", ArithOp::Add),
        ("sub", ArithOp::Sub),
        ("mul", ArithOp::Mul),
        ("and", ArithOp::BAnd),
        ("or", ArithOp::BOr),
        ("xor", ArithOp::BXor),
        ("shl", ArithOp::Shl),
        ("shr", ArithOp::Shr),
        ("floordiv", ArithOp::IDiv),
        ("mod", ArithOp::Mod),
    ]
}

fn expected(op: ArithOp, a: i64, b: i64) -> Option<Value> {
    ops::arith_numbers(op, Value::int(a), Value::int(b))
}

#[test]
fn integer_operators() {
    for level in [0, 2] {
        for (name, op) in int_ops() {
            let mut world = World::new(&[]);
            world.options.opt_level = level;
            world.compile(&binary("int", "int", &format!("int_op.{name} v2, v3")));
            for a in INTS {
                for b in INTS {
                    if let Some(want) = expected(op, a, b) {
                        let got = world.call(&[Value::int(a), Value::int(b)]);
                        assert_eq!(got, value(want), "{a} {name} {b}");
                    }
                }
            }
        }
    }
}

#[test]
fn integer_operators_with_constants() {
    for (name, op) in int_ops() {
        for b in INTS {
            if expected(op, 1, b).is_none() {
                continue;
            }
            let text = binary("int", "int", &format!("int_op.{name} v2, v8"));
            let constant = format!("  v8: int = int {b}\n  v9: int");
            let mut world = World::with(&text.replace("  v9: int", &constant));
            for a in INTS {
                let got = world.call(&[Value::int(a), Value::int(0)]);
                assert_eq!(got, value(expected(op, a, b).unwrap()), "{a} {name} {b}");
            }
        }
    }
}

#[test]
fn integer_comparisons() {
    type Test = fn(&i64, &i64) -> bool;
    let tests: [(&str, Test); 7] = [
        ("eq", i64::eq),
        ("ne", i64::ne),
        ("lt", i64::lt),
        ("le", i64::le),
        ("gt", i64::gt),
        ("ge", i64::ge),
        ("ult", |a, b| (*a as u64) < *b as u64),
    ];
    for (name, test) in tests {
        let mut world = World::with(&binary("int", "bool", &format!("int_cmp.{name} v2, v3")));
        for a in INTS {
            for b in INTS {
                let got = world.call(&[Value::int(a), Value::int(b)]);
                assert_eq!(got, value(Value::bool(test(&a, &b))), "{a} {name} {b}");
            }
        }
    }
}

#[test]
fn float_comparisons() {
    type Test = fn(&f64, &f64) -> bool;
    let tests: [(&str, Test); 6] = [
        ("eq", f64::eq),
        ("ne", f64::ne),
        ("lt", f64::lt),
        ("le", f64::le),
        ("gt", f64::gt),
        ("ge", f64::ge),
    ];
    for (name, test) in tests {
        let mut world = World::with(&binary(
            "float",
            "bool",
            &format!("float_cmp.{name} v2, v3"),
        ));
        for a in FLOATS {
            for b in FLOATS {
                let got = world.call(&[Value::float(a), Value::float(b)]);
                assert_eq!(got, value(Value::bool(test(&a, &b))), "{a} {name} {b}");
            }
        }
    }
}

/// Equal bits, or both NaN: LLVM folds the sign of NaN.
fn same_float(got: &Outcome, want: f64) -> bool {
    match got {
        Outcome::Value(v) if v.0.tag == Tag::FLOAT => {
            let got = f64::from_bits(v.0.payload);
            got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan()
        }
        _ => false,
    }
}

#[test]
fn float_operators() {
    type Operator = fn(f64, f64) -> f64;
    let operators: [(&str, Operator); 11] = [
        ("add", |a, b| a + b),
        ("sub", |a, b| a - b),
        ("mul", |a, b| a * b),
        ("div", |a, b| a / b),
        ("mod", ops::float_mod),
        ("floordiv", |a, b| (a / b).floor()),
        ("pow", ops::float_pow),
        ("min", |a, b| if b < a { b } else { a }),
        ("max", |a, b| if a < b { b } else { a }),
        ("atan2", f64::atan2),
        ("fmod", |a, b| a % b),
    ];
    for level in [0, 2] {
        for (name, operator) in operators {
            let mut world = World::new(&[]);
            world.options.opt_level = level;
            world.compile(&binary(
                "float",
                "float",
                &format!("float_op.{name} v2, v3"),
            ));
            for a in FLOATS {
                for b in FLOATS {
                    let got = world.call(&[Value::float(a), Value::float(b)]);
                    let want = operator(a, b);
                    assert!(
                        same_float(&got, want),
                        "{a} {name} {b}: {got:?}, not {want}"
                    );
                }
            }
        }
    }
}

/// Rests of floats of all sizes, near multiples above all.
#[test]
fn float_rests() {
    let mut state = 7u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 11
    };
    type Operator = fn(f64, f64) -> f64;
    let operators: [(&str, Operator); 2] = [("mod", ops::float_mod), ("fmod", |a, b| a % b)];
    for (name, operator) in operators {
        let mut world = World::new(&[]);
        world.options.opt_level = 2;
        world.compile(&binary(
            "float",
            "float",
            &format!("float_op.{name} v2, v3"),
        ));
        for _ in 0..20_000 {
            let exponent = random() % 120;
            let b = f64::from_bits((1023 - 40 + random() % 80) << 52 | random() >> 1);
            let a = match random() % 4 {
                0 => f64::from_bits((1023 - 60 + exponent) << 52 | random() >> 1),
                1 => b * (random() % 1000) as f64,
                2 => (b * (random() % (1 << 40)) as f64).next_down(),
                _ => b * (random() >> (random() % 50)) as f64,
            };
            let a = if random() % 2 == 0 { a } else { -a };
            let b = if random() % 2 == 0 { b } else { -b };
            let got = world.call(&[Value::float(a), Value::float(b)]);
            let want = operator(a, b);
            assert!(
                same_float(&got, want),
                "{a:?} {name} {b:?}: {got:?}, not {want:?}"
            );
        }
    }
}

#[test]
fn float_functions() {
    type Function = fn(f64) -> f64;
    let functions: [(&str, Function); 10] = [
        ("neg", |x| -x),
        ("abs", f64::abs),
        ("sqrt", f64::sqrt),
        ("floor", f64::floor),
        ("ceil", f64::ceil),
        ("sin", f64::sin),
        ("cos", f64::cos),
        ("tan", f64::tan),
        ("exp", f64::exp),
        ("log", f64::ln),
    ];
    for (name, function) in functions {
        let mut world = World::with(&binary("float", "float", &format!("float_fn.{name} v2")));
        for x in FLOATS {
            let got = world.call(&[Value::float(x), Value::float(0.0)]);
            assert!(same_float(&got, function(x)), "{name} {x}: {got:?}");
        }
    }
}

#[test]
fn floats_with_integer_values() {
    let mut world = World::with(&binary("float", "int", "guard_float_to_int v2 [fs0 range]"));
    for x in FLOATS {
        let got = world.call(&[Value::float(x), Value::float(0.0)]);
        match float_to_int(x) {
            Some(i) => assert_eq!(got, value(Value::int(i)), "{x}"),
            None => assert!(matches!(got, Outcome::Exit(_)), "{x}: {got:?}"),
        }
    }
}

#[test]
fn integers_as_floats() {
    let mut world = World::with(&binary("int", "float", "int_to_float v2"));
    for i in INTS {
        let got = world.call(&[Value::int(i), Value::int(0)]);
        assert_eq!(got, value(Value::float(i as f64)));
    }
}

const VALUES: [Value; 9] = [
    Value::NIL,
    Value::FALSE,
    Value::TRUE,
    Value::int(0),
    Value::int(1),
    Value::float(0.0),
    Value::float(1.0),
    Value::light(0),
    Value::light(1),
];

#[test]
fn conditions_and_identity() {
    let text = |body: &str| {
        format!(
            "func \"any\" call params 2 stack 4
b0(v0: any, v1: any):
  v2: bool = {body}
  return v2
end
"
        )
    };
    let mut truthy = World::with(&text("truthy v0"));
    let mut same = World::with(&text("same_bits v0, v1"));
    let mut is_float = World::with(&text("has_tag.float v0"));
    for a in VALUES {
        let got = truthy.call(&[a, Value::NIL]);
        assert_eq!(got, value(Value::bool(a.truthy())), "{a:?}");
        let got = is_float.call(&[a]);
        assert_eq!(got, value(Value::bool(a.tag == Tag::FLOAT)), "{a:?}");
        for b in VALUES {
            let got = same.call(&[a, b]);
            assert_eq!(got, value(Value::bool(a.identical(b))), "{a:?} {b:?}");
        }
    }
}

#[test]
fn select_of_every_kind() {
    let mut world = World::with(
        "func \"select\" call params 3 stack 6
b0(v0: any, v1: any, v2: any):
  v3: bool = guard_tag.bool v0 [fs0 type]
  v4: any = select v3, v1, v2
  v5: float = float 1.5
  v6: float = float -0.0
  v7: float = select v3, v5, v6
  v8: nil = nil
  v9: nil = select v3, v8, v8
  store_reg.3 v7
  store_reg.4 v9
  store_reg.5 v3
  return v4
fs0: pc 0 regs r0=v0, r1=v1
end
",
    );
    let got = world.call(&[Value::TRUE, Value::int(1), Value::float(2.0)]);
    assert_eq!(got, value(Value::int(1)));
    assert!(world.reg(3).identical(Value::float(1.5)));
    assert!(world.reg(4).is_nil());
    assert!(world.reg(5).identical(Value::TRUE));
    let got = world.call(&[Value::FALSE, Value::int(1), Value::float(2.0)]);
    assert_eq!(got, value(Value::float(2.0)));
    assert!(world.reg(3).identical(Value::float(-0.0)));
    assert!(world.reg(5).identical(Value::FALSE));
}

#[test]
fn swapped_block_parameters() {
    // Both edges of a branch go to the same block with other arguments, and a
    // loop swaps its parameters: n times, so the result tells parity.
    let mut world = World::with(
        "func \"swap\" call params 1 stack 4
b0(v0: any):
  v1: int = guard_tag.int v0 [fs0 type]
  v2: int = int 0
  v3: int = int 1
  v4: float = float 2.5
  v5: any = box v4
  v6: any = box v3
  jump b1(v1, v5, v6)
b1(v7: int, v8: any, v9: any) loop:
  v10: bool = int_cmp.gt v7, v2
  branch v10, b2, b3
b2:
  v11: int = int_op.sub v7, v3
  jump b1(v11, v9, v8)
b3:
  v12: bool = int_cmp.eq v1, v3
  branch v12, b4(v8), b4(v9)
b4(v13: any):
  return v13
fs0: pc 0 regs r0=v0
end
",
    );
    assert_eq!(world.call(&[Value::int(0)]), value(Value::int(1)));
    assert_eq!(world.call(&[Value::int(1)]), value(Value::int(1)));
    assert_eq!(world.call(&[Value::int(2)]), value(Value::int(1)));
    assert_eq!(world.call(&[Value::int(3)]), value(Value::float(2.5)));
}
