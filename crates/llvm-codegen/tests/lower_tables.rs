//! Tables, cells and strings, on real objects.

mod lower_support;

use lower_support::{Outcome, World, value};
use vela_objects::table::{ELEMS_MIXED, Table};
use vela_objects::{Gc, Tag, Value};

/// A function of one table and one value.
fn with_table(pool: &str, body: &str) -> String {
    format!(
        "func \"t\" call params 2 stack 8
{pool}b0(v0: any, v1: any):
  v2: table = guard_tag.table v0 [fs0 type]
{body}
fs0: pc 0 regs r0=v0, r1=v1
end
"
    )
}

fn array(world: &mut World, values: &[Value]) -> Gc<Table> {
    let t = world.vm.table(0, values.len());
    for (i, v) in values.iter().enumerate() {
        t.set_int(&mut world.vm, i as i64 + 1, *v);
    }
    t
}

#[test]
fn slots_in_line_and_out_of_line() {
    let mut world = World::new(&[]);
    let t = world.vm.table(2, 0);
    let vm = &mut world.vm;
    for (i, name) in ["a", "b", "c", "d"].iter().enumerate() {
        let key = vm.str(name.as_bytes());
        t.set_str(vm, key, Value::int(i as i64));
        t.set_str(vm, key, Value::float(i as f64));
    }
    let cap = t.shape().inline_cap as usize;
    for i in 0..4 {
        let at = if i < cap {
            format!("inline.{i}.{cap}")
        } else {
            format!("out.{}", i - cap)
        };
        let get = with_table("", &format!("  v3: any = load_slot.{at} v2\n  return v3"));
        world.compile(&get);
        assert_eq!(
            world.call(&[Value::table(t)]),
            value(Value::float(i as f64))
        );
        let get = format!("  v3: float = load_slot.{at} v2\n  return v3");
        world.compile(&with_table("", &get));
        assert_eq!(
            world.call(&[Value::table(t)]),
            value(Value::float(i as f64))
        );
        let set = format!("  store_slot.{at}.tag v2, v1\n  return_none");
        world.compile(&with_table("", &set));
        for v in [Value::TRUE, Value::NIL, Value::table(t), Value::int(-5)] {
            assert_eq!(world.call(&[Value::table(t), v]), Outcome::None);
            assert!(t.slot(i).identical(v));
        }
        let set = format!("  v3: int = int 7\n  store_slot.{at} v2, v3\n  return_none");
        world.compile(&with_table("", &set));
        world.call(&[Value::table(t)]);
        assert!(t.slot(i).identical(Value::int(7)));
    }
}

#[test]
fn shapes_and_metatables() {
    let mut world = World::new(&[]);
    let (t, u) = (world.vm.table(2, 0), world.vm.table(2, 0));
    let key = world.vm.str(b"k");
    t.set_str(&mut world.vm, key, Value::int(1));
    let pool = format!("p0: shape {:#x}\n", t.shape() as *const _ as u64);
    let body = "  v3: ptr = literal p0
  guard_shape v2, v3 [fs0 shape]
  v4: bool = no_ext v2
  v5: bool = no_meta v2
  store_reg.2 v4
  store_reg.3 v5
  return v0";
    world.compile(&with_table(&pool, body));
    assert_eq!(world.call(&[Value::table(t)]), value(Value::table(t)));
    assert!(world.reg(2).identical(Value::TRUE) && world.reg(3).identical(Value::TRUE));
    // Both guards have one state but not one reason.
    assert_eq!(world.call(&[Value::table(u)]), Outcome::Exit(1));
    assert_eq!(world.exit_register(1, 0).payload, u.addr());
    t.set(&mut world.vm, Value::TRUE, Value::TRUE).unwrap();
    world.call(&[Value::table(t)]);
    assert!(world.reg(2).identical(Value::FALSE));
    t.set_metatable(&mut world.vm, Some(u));
    let pool = format!("p0: shape {:#x}\n", t.shape() as *const _ as u64);
    world.compile(&with_table(&pool, body));
    assert_eq!(world.call(&[Value::table(t)]), value(Value::table(t)));
    assert!(world.reg(3).identical(Value::FALSE));
}

#[test]
fn added_fields() {
    let mut world = World::new(&[]);
    let (t, u) = (world.vm.table(2, 0), world.vm.table(2, 0));
    let key = world.vm.str(b"k");
    t.set_str(&mut world.vm, key, Value::int(1));
    let pool = format!("p0: shape {:#x}\n", t.shape() as *const _ as u64);
    let body = "  v3: ptr = literal p0\n  add_slot v2, v3, v1\n  return_none";
    world.compile(&with_table(&pool, body));
    world.call(&[Value::table(u), Value::float(0.5)]);
    assert!(u.get_str(key).identical(Value::float(0.5)));
    assert!(std::ptr::eq(u.shape(), t.shape()));
}

#[test]
fn elements_of_one_kind_and_mixed() {
    let mut world = World::new(&[]);
    let ints = array(&mut world, &[Value::int(5), Value::int(6), Value::int(7)]);
    let mixed = array(&mut world, &[Value::int(5), Value::TRUE, Value::float(0.5)]);
    assert_eq!(mixed.header.aux, ELEMS_MIXED);
    let at = |get: &str| {
        with_table(
            "",
            &format!("  v3: int = guard_tag.int v1 [fs0 type]\n  {get}\n  return v9"),
        )
    };
    world.compile(&at("v9: any = load_elem v2, v3"));
    for i in 0..3 {
        for t in [ints, mixed] {
            let got = world.call(&[Value::table(t), Value::int(i)]);
            assert_eq!(got, value(t.get_int(i + 1)));
        }
    }
    world.compile(&at("v9: int = load_elem v2, v3"));
    assert_eq!(
        world.call(&[Value::table(ints), Value::int(2)]),
        value(Value::int(7))
    );
    world.compile(&at("v9: int = elems_len v2"));
    assert_eq!(
        world.call(&[Value::table(ints), Value::int(0)]),
        value(Value::int(3))
    );
    world.compile(&at("v9: int = elems_kind v2"));
    let kind = world.call(&[Value::table(ints), Value::int(0)]);
    assert_eq!(kind, value(Value::int(i64::from(Tag::INT.0))));
    let kind = world.call(&[Value::table(mixed), Value::int(0)]);
    assert_eq!(kind, value(Value::int(i64::from(ELEMS_MIXED))));

    world.compile(&at("v9: int = int 50\n  store_elem v2, v3, v9"));
    world.call(&[Value::table(ints), Value::int(1)]);
    assert!(ints.get_int(2).identical(Value::int(50)));
    world.compile(&at("v9: float = float 2.5\n  store_elem_mixed v2, v3, v9"));
    world.call(&[Value::table(mixed), Value::int(1)]);
    assert!(mixed.get_int(2).identical(Value::float(2.5)));
    assert!(mixed.get_int(1).identical(Value::int(5)));
}

#[test]
fn appended_elements() {
    for (body, v) in [
        ("  push_elem v2, v1\n  return_none", Value::int(9)),
        (
            "  v3: int = guard_tag.int v1 [fs0 type]\n  push_elem v2, v3\n  return_none",
            Value::int(9),
        ),
        ("  push_elem v2, v1\n  return_none", Value::TRUE),
    ] {
        let mut world = World::new(&[]);
        world.compile(&with_table("", body));
        let t = world.vm.table(0, 0);
        for n in 0..9 {
            world.call(&[Value::table(t), v]);
            assert_eq!(t.border(), n + 1);
            assert!(t.get_int(n + 1).identical(v));
        }
        // In line while there is room: the helper is called to grow only.
        assert_eq!(world.log(), ["push_elem 0", "push_elem 4", "push_elem 8"]);
        // Another kind widens.
        world.compile(&with_table("", "  push_elem v2, v1\n  return_none"));
        world.call(&[Value::table(t), Value::float(0.5)]);
        assert!(t.get_int(10).identical(Value::float(0.5)));
        assert!(t.get_int(9).identical(v));
        assert_eq!(world.log(), ["push_elem 9"]);
    }
}

#[test]
fn barriers_while_marking() {
    let mut world = World::new(&[]);
    let t = array(&mut world, &[Value::TRUE, Value::int(1)]);
    let store = "  v3: int = int 0\n  store_elem_mixed v2, v3, v1\n  return_none";
    world.compile(&with_table("", store));
    world.call(&[Value::table(t), Value::table(t)]);
    assert_eq!(world.log(), [""; 0]);
    world.vm.heap.marking = true;
    world.call(&[Value::table(t), Value::table(t)]);
    assert_eq!(world.log(), ["barrier"]);
    // Values that are no objects need none.
    let store = "  v3: int = int 0
  v4: int = guard_tag.int v1 [fs0 type]
  v5: any = box v4
  store_elem_mixed v2, v3, v4
  store_elem_mixed v2, v3, v5
  return_none";
    world.compile(&with_table("", store));
    assert_eq!(world.call(&[Value::table(t), Value::int(3)]), Outcome::None);
    assert_eq!(world.log(), [""; 0]);
}

#[test]
fn new_tables_and_cells() {
    let mut world = World::with(
        "func \"n\" call params 1 stack 8
b0(v0: any):
  v1: table = new_table.3.4
  push_elem v1, v0
  v2: cell = new_cell v0
  v3: int = int 3
  v4: any = box v3
  store_cell v2, v4
  v5: any = load_cell v2
  push_elem v1, v5
  v6: int = meta_epoch
  push_elem v1, v6
  return v1
end
",
    );
    let Outcome::Value(t) = world.call(&[Value::int(8)]) else {
        panic!()
    };
    let t = t.0.as_table().unwrap();
    assert!(t.get_int(1).identical(Value::int(8)));
    assert!(t.get_int(2).identical(Value::int(3)));
    let epoch = i64::from(world.vm.meta_epoch);
    assert!(t.get_int(3).identical(Value::int(epoch)));
    assert_eq!(world.log(), [""; 0], "there is room for all of them");
}

#[test]
fn tables_made_with_elements() {
    let mut world = World::new(&[]);
    let root = world.vm.shapes.root(0);
    world.compile(&format!(
        "func \"n\" call params 2 stack 8
p0: shape {:#x}
b0(v0: any, v1: any):
  v2: ptr = literal p0
  v3: int = int 4
  v4: table = new_table.0.4 v2, v3, v0, v1
  return v4
end
",
        root as u64
    ));
    // Twice the tables of a block: the helper is needed in between.
    for n in 0..1400 {
        let (v, w) = match n % 3 {
            0 => (Value::int(n), Value::int(n + 1)),
            1 => (Value::NIL, Value::float(0.5)),
            _ => (Value::TRUE, Value::int(n)),
        };
        let Outcome::Value(t) = world.call(&[v, w]) else {
            panic!()
        };
        let t = t.0.as_table().unwrap();
        assert!(t.get_int(1).identical(Value::int(4)));
        assert!(t.get_int(2).identical(v) && t.get_int(3).identical(w));
        assert_eq!((t.border(), t.shape), (3, root));
        for i in 4..9 {
            t.set_int(&mut world.vm, i, v);
        }
        assert!(t.get_int(3).identical(w) && t.get_int(8).identical(v));
    }
}

#[test]
fn cells_in_line_and_from_the_helper() {
    let mut world = World::with(
        "func \"c\" call params 1 stack 8
b0(v0: any):
  v1: cell = new_cell v0
  store_reg.0 v1
  return_none
end
",
    );
    let fresh = world.vm.cell(Value::NIL);
    let mut last = fresh.addr();
    let mut next_to = 0;
    // Twice the cells of a block: the helper is needed in between.
    for n in 0..8200 {
        world.call(&[Value::float(f64::from(n))]);
        let v = world.reg(0);
        assert_eq!(v.tag, Tag::CELL);
        let cell = lower_support::cell(v);
        assert_eq!(cell.header.kind, fresh.header.kind);
        assert_eq!(cell.header.mark, fresh.header.mark);
        assert_eq!((cell.header.flags, cell.header.extra), (0, 0));
        assert!(cell.get().identical(Value::float(f64::from(n))));
        next_to += u32::from(cell.addr() == last + 16);
        last = cell.addr();
    }
    assert!(next_to > 8000);
}

#[test]
fn upvalues() {
    let mut world = World::new(&[Value::int(1), Value::float(2.5)]);
    world.compile(
        "func \"u\" call params 1 stack 8
b0(v0: any):
  v1: luafn = self_closure
  v2: cell = upval.1 v1
  v3: any = load_cell v2
  store_cell v2, v0
  return v3
end
",
    );
    assert_eq!(world.call(&[Value::TRUE]), value(Value::float(2.5)));
    assert_eq!(world.call(&[Value::NIL]), value(Value::TRUE));
    assert!(world.closure.upval(1).get().is_nil());
    assert!(world.closure.upval(0).get().identical(Value::int(1)));
}

#[test]
fn strings() {
    let mut world = World::with(
        "func \"s\" call params 2 stack 8
b0(v0: any, v1: any):
  v2: str = guard_tag.str v0 [fs0 type]
  v3: str = guard_tag.str v1 [fs0 type]
  v4: int = str_len v2
  v5: bool = str_less.lt v2, v3
  v6: bool = str_less.le v2, v3
  v7: bool = same_object v2, v3
  store_reg.2 v5
  store_reg.3 v6
  store_reg.4 v7
  return v4
fs0: pc 0 regs r0=v0, r1=v1
end
",
    );
    let (a, b) = (world.vm.str_value(b"ab"), world.vm.str_value(b"abc"));
    let mut test = |x: Value, y: Value, len: i64, want: [bool; 3]| {
        assert_eq!(world.call(&[x, y]), value(Value::int(len)));
        let got = [2, 3, 4].map(|r| world.reg(r).as_bool().unwrap());
        assert_eq!(got, want);
    };
    test(a, b, 2, [true, true, false]);
    test(b, a, 3, [false, false, false]);
    test(a, a, 2, [false, true, true]);
}

/// `for i = 0, n - 1 do c[i] = a[i] + b[i] end` on floats.
const ADD: &str = "func \"add\" call params 3 stack 8
b0(v0: any, v1: any, v2: any):
  v3: table = guard_tag.table v0 [fs0 type]
  v4: table = guard_tag.table v1 [fs0 type]
  v5: table = guard_tag.table v2 [fs0 type]
  v6: int = elems_len v3
  v7: int = int 0
  v8: int = int 1
  jump b1(v7)
b1(v9: int) loop:
  v10: float = load_elem v3, v9
  v11: float = load_elem v4, v9
  v12: float = float_op.add v10, v11
  store_elem v5, v9, v12
  v13: int = int_op.add v9, v8
  v14: bool = int_cmp.lt v13, v6
  branch v14, b1(v13), b2
b2:
  return v6
fs0: pc 0 regs r0=v0, r1=v1, r2=v2
end
";

#[test]
fn plain_loops_over_elements_vectorize() {
    let mut world = World::new(&[]);
    let numbers = |f: &dyn Fn(usize) -> f64| -> Vec<Value> {
        (0..1003).map(|i| Value::float(f(i))).collect()
    };
    let a = array(&mut world, &numbers(&|i| i as f64));
    let b = array(&mut world, &numbers(&|i| 0.25 * i as f64));
    let c = array(&mut world, &numbers(&|_| 0.0));
    world.options.dump = true;
    let dumps = world.compile(ADD).dumps.as_ref().unwrap();
    assert!(dumps.ir_after.contains("x double>"), "{}", dumps.ir_after);
    let args = [a, b, c].map(Value::table);
    assert_eq!(world.call(&args), value(Value::int(1003)));
    for i in 0..1003 {
        let want = Value::float(1.25 * i as f64);
        assert!(c.get_int(i + 1).identical(want), "{i}");
    }
    // Two of the variables hold one array.
    let args = [a, c, c].map(Value::table);
    assert_eq!(world.call(&args), value(Value::int(1003)));
    assert!(c.get_int(1003).identical(Value::float(2.25 * 1002.0)));
}
