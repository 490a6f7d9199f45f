//! Every compiled program verifies and survives the text and binary forms;
//! damaged binaries are refused or valid, never a panic.

use proptest::prelude::*;
use std::sync::Arc;
use vela_bytecode::asm::assemble;
use vela_bytecode::binary::{dump, undump};
use vela_bytecode::disasm::disassemble;
use vela_bytecode::{Liveness, Proto, names, verify};
use vela_lua::{compile, strip_shebang};

fn programs() -> Vec<(String, Arc<Proto>)> {
    let mut out = Vec::new();
    let golden = include_str!("golden/codegen.txt");
    for case in golden.split("==== ").skip(1) {
        let source = case.lines().next().unwrap_or_default();
        out.push((source.to_owned(), source.as_bytes().to_vec()));
    }
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/programs");
    for entry in std::fs::read_dir(dir).expect("bench programs") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|e| e == "lua") {
            let text = std::fs::read(&path).expect("program");
            out.push((path.display().to_string(), text));
        }
    }
    out.into_iter()
        .map(|(name, text)| {
            let proto = compile(strip_shebang(&text), &format!("@{name}")).expect(&name);
            (name, proto)
        })
        .collect()
}

fn each_function(proto: &Proto, f: &mut impl FnMut(&Proto)) {
    f(proto);
    for child in &proto.protos {
        each_function(child, f);
    }
}

#[test]
fn text_and_binary() {
    let programs = programs();
    assert!(programs.len() > 40);
    for (name, proto) in programs {
        verify(&proto).expect(&name);
        let text = disassemble(&proto);
        assert_eq!(assemble(&text).expect(&name), *proto, "{name}");
        assert_eq!(
            *undump(&dump(&proto, false)).expect(&name),
            *proto,
            "{name}"
        );
        let stripped = undump(&dump(&proto, true)).expect(&name);
        assert_eq!(stripped.code, proto.code, "{name}");
        assert!(stripped.locals.is_empty() && stripped.lines.runs().is_empty());
    }
}

#[test]
fn liveness_of_programs() {
    for (name, proto) in programs() {
        each_function(&proto, &mut |f| {
            let live = Liveness::compute(f);
            // at entry only parameters hold anything
            let entry = live.live_in(0);
            assert!(entry.iter().all(|r| r < f.num_params), "{name}: {entry:?}");
            for pc in 0..f.code.len() as u32 {
                assert!(live.live_in(pc).iter().all(|r| r < f.max_stack));
                for reg in 0..f.max_stack {
                    let _ = names::register_name(f, pc, reg);
                }
                let _ = (names::function_name(f, pc), names::indexed_name(f, pc));
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(undump(&bytes).is_err());
    }

    #[test]
    fn damaged_binaries(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        static PROGRAMS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
        let all = PROGRAMS.get_or_init(|| {
            programs().iter().map(|(_, p)| dump(p, false)).collect()
        });
        let mut bytes = which.get(all).clone();
        for (at, value) in edits {
            let i = at.index(bytes.len());
            bytes[i] = value;
        }
        if let Some(cut) = cut {
            let n = cut.index(bytes.len());
            bytes.truncate(n);
        }
        if let Ok(proto) = undump(&bytes) {
            prop_assert!(verify(&proto).is_ok());
            let text = disassemble(&proto);
            prop_assert_eq!(assemble(&text).expect("assembles"), (*proto).clone());
            each_function(&proto, &mut |f| drop(Liveness::compute(f)));
        }
    }
}
