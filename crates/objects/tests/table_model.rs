//! Tables against a plain map: any sequence of stores, loads, iterations and
//! collections gives what the map gives, whatever representation the table
//! went through (slots, dictionary, elements of each kind, hash part).

use proptest::prelude::*;
use std::collections::HashMap;
use vela_objects::table::KeyError;
use vela_objects::vm::Hooks;
use vela_objects::{Gc, LuaResult, Table, Tag, Value, VmState};

fn vm() -> Box<VmState> {
    unsafe fn no_call(vm: &mut VmState, _: *mut Value, _: u32) -> LuaResult<u32> {
        Err(vm.error("no calls here"))
    }
    let hooks = Hooks::interpreter_only(no_call, |_, _, _, _| Err("no loading here".into()));
    VmState::new(42, hooks).expect("address space for a stack")
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Int(i64),
    Str(u8),
    Float(u8),
    Bool(bool),
}

#[derive(Clone, Debug, PartialEq)]
enum Val {
    Nil,
    Int(i64),
    Float(f64),
    Str(u8),
    Bool(bool),
}

#[derive(Clone, Debug)]
enum Step {
    Set(Key, Val),
    Append(Val),
    Pop,
    Collect,
    Clear,
    Metatable,
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        6 => (1i64..40).prop_map(Key::Int),
        1 => prop_oneof![Just(0i64), Just(-1), Just(i64::MAX), Just(i64::MIN), Just(1 << 40)].prop_map(Key::Int),
        5 => (0u8..90).prop_map(Key::Str),
        1 => any::<u8>().prop_map(Key::Float),
        1 => any::<bool>().prop_map(Key::Bool),
    ]
}

fn val() -> impl Strategy<Value = Val> {
    prop_oneof![
        2 => Just(Val::Nil),
        4 => (0i64..5).prop_map(Val::Int),
        2 => (0u8..5).prop_map(|n| Val::Float(f64::from(n) + 0.5)),
        1 => any::<u8>().prop_map(Val::Str),
        1 => any::<bool>().prop_map(Val::Bool),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (key(), val()).prop_map(|(k, v)| Step::Set(k, v)),
        6 => val().prop_map(Step::Append),
        2 => Just(Step::Pop),
        1 => Just(Step::Collect),
        1 => Just(Step::Clear),
        1 => Just(Step::Metatable),
    ]
}

fn lua_key(vm: &mut VmState, k: &Key) -> Value {
    match k {
        Key::Int(i) => Value::int(*i),
        Key::Str(n) => vm.str_value(format!("key{n}").as_bytes()),
        Key::Float(n) => Value::float(f64::from(*n) + 0.25),
        Key::Bool(b) => Value::bool(*b),
    }
}

fn lua_val(vm: &mut VmState, v: &Val) -> Value {
    match v {
        Val::Nil => Value::NIL,
        Val::Int(i) => Value::int(*i),
        Val::Float(f) => Value::float(*f),
        Val::Str(n) => vm.str_value(format!("value{n}").as_bytes()),
        Val::Bool(b) => Value::bool(*b),
    }
}

fn entries(t: Gc<Table>) -> Vec<(Value, Value)> {
    let mut out = Vec::new();
    let mut k = Value::NIL;
    while let Some((key, value)) = t.next(k).expect("key from the table") {
        out.push((key, value));
        k = key;
    }
    out
}

fn check(vm: &mut VmState, t: Gc<Table>, model: &HashMap<Key, Val>) {
    for (k, v) in model {
        let key = lua_key(vm, k);
        let want = lua_val(vm, v);
        assert!(
            t.get(key).identical(want),
            "{k:?}: {:?} is not {want:?}",
            t.get(key)
        );
    }
    let seen = entries(t);
    assert_eq!(seen.len(), model.len(), "iteration visits each entry once");
    let border = t.border();
    let present = |i: i64| model.contains_key(&Key::Int(i));
    assert!(border == 0 || present(border), "border {border} is present");
    assert!(!present(border + 1), "nothing follows border {border}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn tables_behave_like_maps(steps in prop::collection::vec(step(), 1..120), singleton: bool, fields in 0usize..9) {
        let mut vm = vm();
        let vm = &mut *vm;
        let t = vm.table(fields, 0);
        vm.pin(Value::table(t));
        if singleton {
            t.make_singleton(vm);
        }
        let mut model = HashMap::new();
        for s in steps {
            match s {
                Step::Set(k, v) => {
                    let (key, value) = (lua_key(vm, &k), lua_val(vm, &v));
                    t.set(vm, key, value).expect("a valid key");
                    if v == Val::Nil { model.remove(&k); } else { model.insert(k, v); }
                }
                Step::Append(v) => {
                    let at = t.border() + 1;
                    let value = lua_val(vm, &v);
                    t.set_int(vm, at, value);
                    if v != Val::Nil { model.insert(Key::Int(at), v); }
                }
                Step::Pop => {
                    let at = t.border();
                    t.set_int(vm, at, Value::NIL);
                    model.remove(&Key::Int(at));
                }
                Step::Collect => vm.collect_garbage(),
                Step::Clear => {
                    // Assigning nil to existing fields while iterating is allowed.
                    let mut k = Value::NIL;
                    while let Some((key, _)) = t.next(k).expect("iteration survives removal") {
                        t.set(vm, key, Value::NIL).expect("a valid key");
                        k = key;
                    }
                    model.clear();
                }
                Step::Metatable => {
                    let mt = vm.table(0, 0);
                    t.set_metatable(vm, Some(mt));
                    assert!(t.metatable() == Some(mt));
                }
            }
            check(vm, t, &model);
        }
    }
}

/// A table with so many siblings that its first computed key makes it a
/// dictionary.
fn future_dictionary(vm: &mut VmState) -> Gc<Table> {
    const FIELDS: usize = 12;
    for i in 0..200 {
        let key = vm.str_value(format!("sibling{i}").as_bytes());
        let t = vm.table(FIELDS, 0);
        t.set(vm, key, Value::TRUE).expect("a valid key");
    }
    vm.table(FIELDS, 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Where the string keys are does not show in the order of a traversal.
    #[test]
    fn forms_agree_on_the_order(
        steps in prop::collection::vec((key(), val(), any::<bool>()), 1..60),
        churn in prop::collection::vec((0u8..200, prop::bool::weighted(0.7)), 0..500),
    ) {
        let mut vm = vm();
        let vm = &mut *vm;
        let alone = vm.table(0, 0);
        alone.make_singleton(vm);
        let class = vm.table(4, 0);
        class.mark_meta(vm);
        let tables = [vm.table(2, 0), alone, class, future_dictionary(vm)];
        for t in tables {
            vm.pin(Value::table(t));
        }
        let churn = churn.into_iter().map(|(k, there)| {
            (Key::Str(k), if there { Val::Int(1) } else { Val::Nil }, true)
        });
        for (i, (k, v, dynamic)) in steps.into_iter().chain(churn).enumerate() {
            let (key, value) = (lua_key(vm, &k), lua_val(vm, &v));
            for t in tables {
                match key.as_str() {
                    Some(name) => t.set_str_as(vm, name, value, dynamic),
                    None => t.set(vm, key, value).expect("a valid key"),
                }
            }
            if i % 64 == 63 {
                vm.collect_garbage();
            }
            let order = entries(tables[0]);
            for t in &tables[1..] {
                let other = entries(*t);
                prop_assert_eq!(order.len(), other.len());
                for ((a, x), (b, y)) in order.iter().zip(&other) {
                    prop_assert!(a.identical(*b) && x.identical(*y), "step {}: {:?} {:?}", i, a, b);
                }
            }
        }
    }
}

#[test]
fn keys_are_traversed_in_the_order_of_insertion() {
    let mut vm = vm();
    let vm = &mut *vm;
    let t = vm.table(0, 0);
    let keys = ["delta", "alpha", "charlie", "bravo"].map(|k| vm.str_value(k.as_bytes()));
    let others = [2.5, 0.25, 1e100].map(Value::float);
    for k in others.into_iter().chain(keys).chain([Value::int(1)]) {
        t.set(vm, k, Value::TRUE).expect("a valid key");
    }
    t.set(vm, keys[1], Value::NIL).expect("a valid key");
    t.set(vm, keys[1], Value::FALSE).expect("a valid key");
    let order: Vec<Value> = entries(t).into_iter().map(|(k, _)| k).collect();
    let want: Vec<Value> = [Value::int(1)]
        .into_iter()
        .chain(keys)
        .chain(others)
        .collect();
    assert!(order.len() == want.len() && order.iter().zip(&want).all(|(a, b)| a.identical(*b)));
}

#[test]
fn bad_keys_are_errors() {
    let mut vm = vm();
    let t = vm.table(0, 0);
    assert_eq!(t.set(&mut vm, Value::NIL, Value::TRUE), Err(KeyError::Nil));
    assert_eq!(
        t.set(&mut vm, Value::float(f64::NAN), Value::TRUE),
        Err(KeyError::Nan)
    );
    assert_eq!(t.next(Value::int(7)).err(), Some(KeyError::NotFound));
}

#[test]
fn typed_elements_widen_and_stay_typed() {
    let mut vm = vm();
    let vm = &mut *vm;
    let t = vm.table(0, 0);
    for i in 1..=10 {
        t.set_int(vm, i, Value::float(i as f64));
    }
    assert_eq!(t.header.aux, Tag::FLOAT.0);
    t.set_int(vm, 10, Value::NIL);
    assert_eq!(
        (t.header.aux, t.border()),
        (Tag::FLOAT.0, 9),
        "truncating keeps the kind"
    );
    t.set_int(vm, 3, Value::int(1));
    assert_eq!(t.header.aux, vela_objects::table::ELEMS_MIXED);
    assert!(t.get_int(3).identical(Value::int(1)) && t.get_int(4).identical(Value::float(4.0)));
}

#[test]
fn fields_widen_from_constant_to_kind_to_any() {
    use vela_objects::shape::FieldKind;
    let mut vm = vm();
    let vm = &mut *vm;
    let key = vm.str(b"x");
    let level = |t: Gc<Table>| t.shape().level(key).expect("has the field");
    let t = vm.table(2, 0);
    t.set_str(vm, key, Value::int(1));
    assert_eq!(level(t), FieldKind::CONST);
    let u = vm.table(2, 0);
    u.set_str(vm, key, Value::int(1));
    assert_eq!(
        level(u),
        FieldKind::CONST,
        "the same constant keeps the level"
    );
    u.set_str(vm, key, Value::int(2));
    assert_eq!(level(t), FieldKind(Tag::INT.0));
    t.set_str(vm, key, Value::NIL);
    assert_eq!(level(u), FieldKind::ANY);
    assert!(t.shape == u.shape, "nil keeps the shape");
}

#[test]
fn garbage_is_freed_and_memory_reused() {
    let mut vm = vm();
    let vm = &mut *vm;
    let keep = vm.table(0, 0);
    vm.pin(Value::table(keep));
    let mut peak = 0;
    for round in 0..20 {
        for i in 0..20_000i64 {
            let t = vm.table(4, 2);
            let k = vm.str(format!("k{}", i % 50).as_bytes());
            t.set_str(vm, k, Value::int(i));
            t.set_int(vm, 1, Value::int(i));
            if i % 1000 == 0 {
                keep.set_int(vm, i / 1000 + 1, Value::table(t));
            }
        }
        vm.collect_garbage();
        let used = vm.heap.bytes_in_use();
        if round == 0 {
            peak = used;
        }
        assert!(used <= peak * 2, "round {round}: {used} bytes after {peak}");
    }
    for i in 1..=20 {
        assert!(keep.get_int(i).as_table().is_some_and(|t| t.border() == 1));
    }
}
