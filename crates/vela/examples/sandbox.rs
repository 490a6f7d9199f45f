//! Scripts that are not trusted: only libraries that compute, and limits of
//! time, memory, coroutines and stack. Whatever they try, the host goes on.
//!
//!     cargo run -p vela --example sandbox

use std::time::Duration;
use vela::{Engine, Limits, Result};

const SCRIPTS: &[(&str, &str)] = &[
    (
        "well-behaved",
        "local s = 0 for i = 1, 1000 do s = s + i end return s",
    ),
    ("endless loop", "while true do end"),
    (
        "endless loop that catches errors",
        "while true do pcall(function() while true do end end) end",
    ),
    (
        "list without end",
        "local t = {} while true do t[#t + 1] = {} end",
    ),
    ("huge string", "return ('x'):rep(1 << 30)"),
    (
        "deep recursion",
        "local function f() return 1 + f() end return f()",
    ),
    (
        "many coroutines",
        "local t = {} while true do t[#t + 1] = coroutine.wrap(coroutine.yield) t[#t]() end",
    ),
    (
        "slow pattern",
        "return ('a'):rep(200):find(('a-'):rep(100) .. 'b')",
    ),
    ("reaching out", "return io, os.execute, require, debug"),
    ("binary chunk", "return load('\\27LuaS')"),
];

fn main() -> Result<()> {
    let engine = Engine::sandbox(Limits {
        memory: Some(32 << 20),
        time: Some(Duration::from_millis(200)),
        coroutines: Some(100),
        stack: Some(100_000),
    });
    for (title, script) in SCRIPTS {
        let mut vm = engine.vm()?;
        let outcome = vm.chunk(script).name("=script").call::<vela::Values>(());
        match outcome {
            Ok(values) => println!("{title}: {:?}", &*values),
            Err(e) => println!("{title}: {e}"),
        }
        // The same VM still works.
        assert_eq!(vm.chunk("6 * 7").eval::<i64>()?, 42);
    }
    Ok(())
}
