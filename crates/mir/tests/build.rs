//! The builder on real bytecode: what it makes passes the verifier, with and
//! without feedback, for calls and for every loop header.

use std::sync::Arc;
use vela_bytecode::{Op, Proto};
use vela_mir::build::{BuildInput, build};
use vela_mir::ir::EntryKind;
use vela_mir::verify::verify;
use vela_objects::Tag;
use vela_profiler::{FunctionSnapshot, SiteSnapshot};

fn snapshot(proto: &Arc<Proto>, site: &SiteSnapshot) -> FunctionSnapshot {
    FunctionSnapshot {
        proto: proto.clone(),
        proto_addr: 0x1000,
        proto_id: 1,
        children: Vec::new(),
        arg_tags: [1 << Tag::INT.0; 8],
        sites: vec![site.clone(); proto.num_feedback as usize],
        meta_epoch: 1,
        osr_tags: vec![Tag::INT; 256],
        strings: Vec::new(),
        callees: std::collections::HashMap::new(),
        instances: Default::default(),
        world: Default::default(),
        debuggable: false,
        code_size: 0,
        settled: false,
    }
}

fn each_proto(proto: &Arc<Proto>, f: &mut impl FnMut(&Arc<Proto>)) {
    f(proto);
    for p in &proto.protos {
        each_proto(p, f);
    }
}

fn check(source: &str) {
    let main = vela_lua::compile(source.as_bytes(), "=test").expect("valid source");
    let none = SiteSnapshot::default();
    let ints = SiteSnapshot {
        arith: 1,
        result: 1 << Tag::INT.0,
        index: 1,
        elems: 1 << Tag::INT.0,
        count: 1,
        ..none.clone()
    };
    let floats = SiteSnapshot {
        arith: 2,
        result: 1 << Tag::FLOAT.0,
        index: 3,
        elems: 1 << Tag::FLOAT.0,
        count: 1,
        ..none.clone()
    };
    let mixed = SiteSnapshot {
        arith: 23,
        result: 0xf,
        index: 31,
        elems: 0xf,
        count: 1,
        ..none.clone()
    };
    let failed = SiteSnapshot {
        failed: 0xff,
        ..mixed.clone()
    };
    for site in [&none, &ints, &floats, &mixed, &failed] {
        each_proto(&main, &mut |proto| {
            let snapshot = snapshot(proto, site);
            let mut entries = vec![EntryKind::Call];
            for (pc, i) in proto.code.iter().enumerate() {
                if matches!(i.op(), Some(Op::Loop | Op::ForLoop | Op::TForLoop)) {
                    entries.push(EntryKind::Osr {
                        pc: (pc as i64 + 1 + i64::from(i.sbx())) as u32,
                    });
                }
            }
            for entry in entries {
                for speculate in [true, false] {
                    let input = BuildInput {
                        snapshot: &snapshot,
                        entry,
                        speculate,
                        max_size: 100_000,
                        counters: None,
                    };
                    match build(&input) {
                        Ok(func) => {
                            if let Err(e) = verify(&func) {
                                panic!("{e}\nin {entry:?} of\n{source}\n{func}");
                            }
                        }
                        Err(vela_mir::backend::CompileError::Unsupported(_)) => {}
                        Err(e) => panic!("{e}\n{source}"),
                    }
                }
            }
        });
    }
}

#[test]
fn recursion_and_calls() {
    check(
        "local function fib(n) if n < 2 then return n end return fib(n-1) + fib(n-2) end print(fib(20))",
    );
    check(
        "function f(a, b, ...) local x = select('#', ...) return a + b, x, ... end return f(1, 2, f(3, 4))",
    );
    check(
        "local t = setmetatable({}, {__index = function(t, k) return k end}) for i = 1, 10 do t:m(i, t[i], #t) end",
    );
}

#[test]
fn loops() {
    check("local s = 0 for i = 1, 100 do for j = i, 1, -1 do s = s + j * 2 // i end end return s");
    check(
        "local s = 0.0 for x = 0, 1, 0.1 do s = s + x ^ 2 % 3 end local i = 0 while i < 10 do i = i + 1 if i == 5 then break end end return s, i",
    );
    check(
        "local t = {} for k, v in pairs({1, 2, 3, x = 4}) do t[#t + 1] = k; t.last = v end repeat local z = #t; t[z] = nil until z <= 1",
    );
    check(
        "local a, b = 1, 'x' for i = 1, 10 do a, b = b, a end goto done; a = 2 ::done:: return a .. b .. 'c'",
    );
}

#[test]
fn tables_closures_and_globals() {
    check(
        "local M = {} function M.new(x, y) return setmetatable({x = x, y = y}, M) end M.__index = M function M:len2() return self.x * self.x + self.y * self.y end x = M.new(1, 2):len2()",
    );
    check(
        "local function counter() local n = 0 return function(d) n = n + (d or 1) return n end end local c = counter() for i = 1, 5 do c() end return c(10)",
    );
    check(
        "local t = {} for i = 1, 10 do t[i] = i * 0.5 t[i + 1] = nil end local u = {f = {1, 2}, [1] = 0} u.f[2] = u.f[1] u['k' .. 1] = not u.zz",
    );
    check(
        "local x = 5 local y = x & 3 | 8 ~ 1 << 2 >> 1 local z = ~y local b = x == y or x ~= z and x <= 3 return b, -x, not b",
    );
}
