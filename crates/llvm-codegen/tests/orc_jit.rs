//! Linking, names, helpers, errors and ownership.

mod orc_support;

use orc_support::{adder, call, compile, jit};
use vela_llvm_codegen::orc::{Jit, LinkedObject, ObjectCode, OrcError};

#[test]
fn linked_code_runs() {
    let jit = jit();
    let object = jit.link(&adder("f", 5), &["f"]).unwrap();
    // SAFETY: `f` has this signature and is linked.
    assert_eq!(unsafe { call(object.lookup("f").unwrap(), 37) }, 42);
    object.remove().unwrap();
    assert_eq!((jit.stats().linked, jit.stats().removed), (1, 1));
}

#[test]
fn objects_may_export_equal_names() {
    let jit = jit();
    let code = adder("f", 1);
    let objects: Vec<_> = [&code, &code, &adder("f", 2)]
        .iter()
        .map(|code| jit.link(code, &["f"]).unwrap())
        .collect();
    let addresses: Vec<_> = objects.iter().map(|o| o.lookup("f").unwrap()).collect();
    assert_ne!(addresses[0], addresses[1]);
    // SAFETY: each `f` has this signature and is linked.
    assert_eq!(addresses.map_call(10), [11, 11, 12]);
}

trait MapCall {
    fn map_call(&self, x: u64) -> Vec<u64>;
}

impl MapCall for Vec<u64> {
    fn map_call(&self, x: u64) -> Vec<u64> {
        // SAFETY: used on addresses of linked adders only.
        self.iter()
            .map(|&address| unsafe { call(address, x) })
            .collect()
    }
}

#[test]
fn several_symbols_of_one_object() {
    let code = compile(
        "define i64 @a(i64 %x) nounwind { ret i64 %x }
         define i64 @b(i64 %x) nounwind {
           %r = call i64 @a(i64 %x)
           %s = mul i64 %r, 3
           ret i64 %s
         }",
        0,
        0,
    );
    let object = jit().link(&code, &["b"]).unwrap();
    let (a, b) = (object.lookup("a").unwrap(), object.lookup("b").unwrap());
    assert_eq!(vec![a, b].map_call(7), [7, 21]);
}

extern "C" fn twice(x: u64) -> u64 {
    x * 2
}

const CALLS_HELPER: &str = "
    declare i64 @helper_twice(i64)
    define i64 @f(i64 %x) nounwind {
      %r = call i64 @helper_twice(i64 %x)
      %s = add i64 %r, 1
      ret i64 %s
    }";

#[test]
fn code_reaches_helpers_by_name() {
    let jit = jit();
    let code = compile(CALLS_HELPER, 2, 0);
    let Err(OrcError::Link { message }) = jit.link(&code, &["f"]) else {
        panic!("linked without its helper");
    };
    assert!(message.contains("helper_twice"), "{message}");

    let address = twice as *const () as u64;
    jit.define_helper("helper_twice", address).unwrap();
    jit.define_helper("helper_twice", address).unwrap();
    for _ in 0..3 {
        let object = jit.link(&code, &["f"]).unwrap();
        assert_eq!(vec![object.lookup("f").unwrap()].map_call(20), [41]);
    }
    assert_eq!(
        jit.define_helper("helper_twice", address + 1),
        Err(OrcError::HelperRedefined {
            name: "helper_twice".to_owned()
        })
    );
    assert_eq!(jit.stats().failed_removals, 0);
}

#[test]
fn symbols_of_the_process_are_out_of_reach() {
    let code = compile(&CALLS_HELPER.replace("helper_twice", "getpid"), 2, 0);
    let Err(OrcError::Link { message }) = jit().link(&code, &["f"]) else {
        panic!("linked against libc");
    };
    assert!(message.contains("getpid"), "{message}");
}

#[test]
fn missing_names_are_named() {
    let jit = jit();
    let code = adder("f", 1);
    let missing = |name: &str| OrcError::NoSymbol {
        name: name.to_owned(),
    };
    assert_eq!(jit.link(&code, &["g"]).unwrap_err(), missing("g"));
    assert_eq!(jit.link(&code, &["f", "g"]).unwrap_err(), missing("g"));
    assert_eq!(jit.link(&code, &[]).unwrap_err(), missing(""));
    let object = jit.link(&code, &["f"]).unwrap();
    assert_eq!(object.lookup("g").unwrap_err(), missing("g"));
    assert!(object.lookup("f").is_ok());
    assert_eq!(
        jit.link(&code, &["f\0"]).unwrap_err(),
        OrcError::BadName {
            name: "f\0".to_owned()
        }
    );
}

#[test]
fn other_bytes_are_refused() {
    let jit = jit();
    let good = adder("f", 1).bytes().to_vec();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        jit.link(&ObjectCode::from(bytes), &["f"])
    };
    for bad in [
        with(&Vec::clear),
        with(&|b| b.truncate(70)),
        with(&|b| b.truncate(b.len() - 1)),
        with(&|b| b[0] = 0),
        with(&|b| b[18] = 3),
        with(&|b| b[40..48].fill(0xff)),
        with(&|b| b[62..64].fill(0xff)),
    ] {
        assert!(
            matches!(bad, Err(OrcError::NotObjectCode { .. })),
            "{bad:?}"
        );
    }
}

#[test]
fn failures_leave_nothing_behind() {
    let jit = jit();
    let code = compile(CALLS_HELPER, 2, 0);
    for _ in 0..200 {
        assert!(jit.link(&code, &["f"]).is_err());
    }
    let object = jit.link(&adder("f", 1), &["f"]).unwrap();
    assert_eq!(vec![object.lookup("f").unwrap()].map_call(1), [2]);
    let stats = jit.stats();
    assert_eq!((stats.failed_removals, stats.dylibs), (0, 2));
}

#[test]
fn objects_keep_their_session() {
    let object = {
        let jit = jit();
        jit.link(&adder("f", 1), &["f"]).unwrap()
    };
    assert_eq!(vec![object.lookup("f").unwrap()].map_call(1), [2]);
}

#[test]
fn dylibs_are_used_again() {
    let jit = jit();
    let code = adder("f", 1);
    for _ in 0..50 {
        let pair = [
            jit.link(&code, &["f"]).unwrap(),
            jit.link(&code, &["f"]).unwrap(),
        ];
        drop(pair);
    }
    assert_eq!((jit.stats().dylibs, jit.stats().removed), (2, 100));
}

#[test]
fn closed_objects_of_different_names_share_a_dylib() {
    let jit = jit();
    let codes: Vec<_> = (0..40).map(|n| adder(&format!("f{n}"), n)).collect();
    let mut kept: Vec<_> = (0..40)
        .map(|n| jit.link(&codes[n], &[&format!("f{n}")]).unwrap())
        .collect();
    assert_eq!(jit.stats().dylibs, 1);
    // One leaves, its name is free again, the others stay.
    kept.remove(7).remove().unwrap();
    kept.push(jit.link(&codes[7], &["f7"]).unwrap());
    assert_eq!(jit.stats().dylibs, 1);
    let other = jit.link(&codes[7], &["f7"]).unwrap();
    assert_eq!(jit.stats().dylibs, 2);
    assert_eq!(vec![other.lookup("f7").unwrap()].map_call(1), [8]);
    for object in &kept {
        let n = (0..40)
            .find(|n| object.lookup(&format!("f{n}")).is_ok())
            .unwrap();
        let found = vec![object.lookup(&format!("f{n}")).unwrap()];
        assert_eq!(found.map_call(100), [100 + n]);
    }
}

#[test]
fn objects_do_not_see_each_other() {
    let jit = jit();
    let other = compile(
        "define i64 @helper_twice(i64 %x) nounwind { ret i64 %x }",
        2,
        0,
    );
    let _other = jit.link(&other, &["helper_twice"]).unwrap();
    let code = compile(CALLS_HELPER, 2, 0);
    let Err(OrcError::Link { message }) = jit.link(&code, &["f"]) else {
        panic!("linked with another object");
    };
    assert!(message.contains("helper_twice"), "{message}");
    let plain = jit.link(&adder("f", 1), &["f"]).unwrap();
    let missing = OrcError::NoSymbol {
        name: "helper_twice".to_owned(),
    };
    assert_eq!(plain.lookup("helper_twice").unwrap_err(), missing);
}

#[test]
fn many_objects_of_one_name() {
    let jit = jit();
    let code = adder("f", 3);
    let kept: Vec<_> = (0..100).map(|_| jit.link(&code, &["f"]).unwrap()).collect();
    let found: Vec<_> = kept.iter().map(|o| o.lookup("f").unwrap()).collect();
    assert!(found.map_call(4).iter().all(|&sum| sum == 7));
    drop(kept);
    let again: Vec<_> = (0..100).map(|_| jit.link(&code, &["f"]).unwrap()).collect();
    assert_eq!(jit.stats().dylibs, 100);
    drop(again);
}

#[test]
fn threads_link_at_once() {
    fn shareable<T: Send + Sync>() {}
    shareable::<Jit>();
    shareable::<LinkedObject>();
    shareable::<ObjectCode>();

    let jit = jit();
    jit.define_helper("helper_twice", twice as *const () as u64)
        .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let jit = &jit;
            scope.spawn(move || {
                let good = adder("f", thread);
                let helped = compile(CALLS_HELPER, 1, 0);
                let name = format!("missing_{thread}");
                let bad = compile(&CALLS_HELPER.replace("helper_twice", &name), 1, 0);
                for round in 0..100 {
                    let a = jit.link(&good, &["f"]).unwrap();
                    let b = jit.link(&helped, &["f"]).unwrap();
                    let found = vec![a.lookup("f").unwrap(), b.lookup("f").unwrap()];
                    assert_eq!(found.map_call(round), [round + thread, 2 * round + 1]);
                    let Err(OrcError::Link { message }) = jit.link(&bad, &["f"]) else {
                        panic!("linked");
                    };
                    assert!(message.contains(&name), "{message}");
                    for other in (0..4).filter(|&t| t != thread) {
                        assert!(!message.contains(&format!("missing_{other}")), "{message}");
                    }
                }
            });
        }
    });
    assert_eq!(jit.stats().failed_removals, 0);
}

#[test]
fn sections_are_listed() {
    let pure = adder("f", 1);
    assert!(pure.is_pure_text().unwrap());
    let sections = pure.sections().unwrap();
    assert_eq!(sections.len(), 1, "{sections:?}");
    assert_eq!(pure.loaded_size().unwrap(), sections[0].size);

    let unwinding = compile("define i64 @f(i64 %x) uwtable { ret i64 %x }", 2, 0);
    assert!(!unwinding.is_pure_text().unwrap());
    let constant = compile(
        "define double @f(double %x) nounwind {
           %r = fmul double %x, 3.25
           ret double %r
         }",
        2,
        0,
    );
    assert!(!constant.is_pure_text().unwrap());
}
