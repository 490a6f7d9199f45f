//! The pass pipeline over every Lua file of the project: after each pass the
//! function verifies, and its text reads back as the same text.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use vela_bytecode::{Op, Proto};
use vela_mir::build::{BuildInput, build};
use vela_mir::exits::ExitPlan;
use vela_mir::ir::{EntryKind, Func};
use vela_mir::passes::{Fuel, PASSES, PIPELINE, optimize, pass};
use vela_mir::verify::verify;
use vela_objects::Tag;
use vela_profiler::{FunctionSnapshot, SiteSnapshot};

fn lua_files(dir: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for e in entries.flatten() {
        let path = e.path();
        let name = e.file_name();
        if path.is_dir() && name != "target" {
            lua_files(&path, out);
        } else if path.extension().is_some_and(|x| x == "lua") {
            out.push(path);
        }
    }
    out.sort();
}

fn each_proto(proto: &Arc<Proto>, f: &mut impl FnMut(&Arc<Proto>)) {
    f(proto);
    for p in &proto.protos {
        each_proto(p, f);
    }
}

/// Every function of the file, for calls and loop headers, built with
/// different feedback.
fn each_func(source: &[u8], f: &mut impl FnMut(Func)) {
    let Ok(main) = vela_lua::compile(source, "=test") else {
        return;
    };
    let sites = [
        (
            Tag::INT,
            SiteSnapshot {
                arith: 1,
                result: 1 << Tag::INT.0,
                index: 1,
                elems: 1 << Tag::INT.0,
                count: 1,
                ..SiteSnapshot::default()
            },
        ),
        (
            Tag::FLOAT,
            SiteSnapshot {
                arith: 2,
                result: 1 << Tag::FLOAT.0,
                index: 3,
                elems: 1 << Tag::FLOAT.0,
                count: 1,
                ..SiteSnapshot::default()
            },
        ),
        (
            Tag::NIL,
            SiteSnapshot {
                arith: 23,
                result: 0xf,
                index: 31,
                elems: 0xf,
                count: 1,
                ..SiteSnapshot::default()
            },
        ),
    ];
    each_proto(&main, &mut |proto| {
        for (tag, site) in &sites {
            let snapshot = FunctionSnapshot {
                proto: proto.clone(),
                proto_addr: 0x1000,
                proto_id: 1,
                children: Vec::new(),
                arg_tags: [1 << tag.0; 8],
                sites: vec![site.clone(); proto.num_feedback as usize],
                meta_epoch: 1,
                osr_tags: vec![*tag; 256],
                strings: Vec::new(),
                callees: std::collections::HashMap::new(),
                instances: Default::default(),
                world: Default::default(),
                debuggable: false,
                code_size: 0,
                settled: false,
            };
            let mut entries = vec![EntryKind::Call];
            for (pc, instr) in proto.code.iter().enumerate() {
                if matches!(instr.op(), Some(Op::ForLoop | Op::Loop | Op::TForLoop)) {
                    let header = (pc as i64 + 1 + i64::from(instr.sbx())) as u32;
                    entries.push(EntryKind::Osr { pc: header });
                }
            }
            for entry in entries.into_iter().take(3) {
                let input = BuildInput {
                    snapshot: &snapshot,
                    entry,
                    speculate: *tag != Tag::NIL,
                    max_size: 20_000,
                    counters: None,
                };
                if let Ok(func) = build(&input) {
                    f(func);
                }
            }
        }
    });
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_pass_leaves_a_correct_function() {
    let mut files = Vec::new();
    lua_files(&root().join("tests"), &mut files);
    lua_files(&root().join("crates/bench"), &mut files);
    let (mut funcs, mut before, mut after) = (0, 0, 0);
    for path in files {
        let source = std::fs::read(&path).expect("a readable file");
        each_func(&source, &mut |mut func| {
            let count = |f: &Func| f.blocks.iter().map(|b| b.insts.len()).sum::<usize>();
            before += count(&func);
            let original = func.to_string();
            if let Err(e) = optimize(&mut func, &mut Fuel::default(), true) {
                panic!("{}: {e}\n{original}\n{func}", path.display());
            }
            let text = func.to_string();
            let again = vela_mir::parse::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert_eq!(again.to_string(), text);
            ExitPlan::new(&func).unwrap_or_else(|e| panic!("{e}\n{text}"));
            after += count(&func);
            funcs += 1;
        });
    }
    println!("{funcs} functions, {before} instructions, {after} after the passes");
    assert!(funcs > 100 && after < before);
}

/// Passes are right in any order and at any amount of fuel.
#[test]
fn passes_in_any_order_with_little_fuel() {
    let source = std::fs::read(root().join("crates/bench/programs/queens.lua"))
        .or_else(|_| std::fs::read(root().join("crates/bench/programs/sieve.lua")))
        .expect("a benchmark program");
    let mut seed = 1u32;
    let mut random = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 16
    };
    each_func(&source, &mut |func| {
        for _ in 0..4 {
            let mut func = func.clone();
            let mut fuel = Fuel::limited(u64::from(random() % 60));
            for _ in 0..12 {
                let (name, run) = PASSES[random() as usize % PASSES.len()];
                run(&mut func, &mut fuel);
                verify(&func).unwrap_or_else(|e| panic!("{name}: {e}\n{func}"));
            }
        }
        let mut func = func;
        for name in PIPELINE.iter().rev() {
            pass(name).expect("a pass")(&mut func, &mut Fuel::default());
            verify(&func).unwrap_or_else(|e| panic!("{name}: {e}\n{func}"));
        }
    });
}

/// Fuel pays for every change: without any a function only loses what is
/// unreachable, and with a little exactly so much is done.
#[test]
fn nothing_is_transformed_without_fuel() {
    let source = std::fs::read(root().join("crates/bench/programs/matmul.lua")).expect("a program");
    let insts = |f: &Func| -> usize {
        let reached = f.reverse_postorder();
        reached
            .iter()
            .map(|b| f.blocks[b.index()].insts.len())
            .sum()
    };
    each_func(&source, &mut |original| {
        let with = |n| {
            let (mut func, mut fuel) = (original.clone(), Fuel::limited(n));
            optimize(&mut func, &mut fuel, true).unwrap_or_else(|e| panic!("{n}: {e}"));
            assert_eq!(fuel.ran_out_in().is_some(), n > 0 && fuel.used() == n);
            (func, fuel.used())
        };
        let (func, used) = with(0);
        assert_eq!((used, insts(&func)), (0, insts(&original)), "{original}");
        assert!(
            func.insts
                .iter()
                .zip(&original.insts)
                .all(|(a, b)| a.op == b.op)
        );
        let (_, total) = with(u64::MAX);
        for n in [1, total / 3, total.saturating_sub(1)] {
            assert_eq!(with(n).1, n.min(total));
        }
    });
}
