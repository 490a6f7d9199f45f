//! Prints the bytecode-to-MIR translation of every function in a Lua file,
//! built without feedback (every site generic) or as if every site had seen
//! integers: `cargo run -p vela-mir --example show FILE [ints]`.

use std::sync::Arc;
use vela_bytecode::Proto;
use vela_mir::build::{BuildInput, build};
use vela_mir::ir::EntryKind;
use vela_objects::Tag;
use vela_profiler::{FunctionSnapshot, SiteSnapshot};

fn show(proto: &Arc<Proto>, site: &SiteSnapshot, speculate: bool) {
    let snapshot = FunctionSnapshot {
        proto: proto.clone(),
        proto_addr: 0,
        proto_id: 1,
        children: Vec::new(),
        arg_tags: [1 << Tag::INT.0; 8],
        sites: vec![site.clone(); proto.num_feedback as usize],
        meta_epoch: 1,
        osr_tags: Vec::new(),
        strings: Vec::new(),
        callees: std::collections::HashMap::new(),
        instances: Default::default(),
        world: Default::default(),
        debuggable: false,
        code_size: 0,
        settled: false,
    };
    let input = BuildInput {
        snapshot: &snapshot,
        entry: EntryKind::Call,
        speculate,
        max_size: 100_000,
        counters: None,
    };
    match build(&input) {
        Ok(func) => println!("{func}"),
        Err(e) => println!("{}:{}: {e}", proto.source, proto.line_defined),
    }
    for p in &proto.protos {
        show(p, site, speculate);
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let Some(path) = args.next() else {
        eprintln!("usage: show FILE [ints]");
        return;
    };
    let ints = args.next().is_some();
    let site = SiteSnapshot {
        arith: 1,
        result: 1 << Tag::INT.0,
        index: 1,
        elems: 1 << Tag::INT.0,
        count: 1,
        ..SiteSnapshot::default()
    };
    let source = match std::fs::read(&path) {
        Ok(s) => s,
        Err(e) => return eprintln!("{path}: {e}"),
    };
    match vela_lua::compile(&source, &format!("@{path}")) {
        Ok(main) => show(&main, &site, ints),
        Err(e) => eprintln!("{e}"),
    }
}
