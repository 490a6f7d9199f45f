//! The linker alone, without the rest of Vela: build a function with inkwell, run the
//! passes of each optimization level over it, link it, call it, unlink it.
//!
//! ```text
//! cargo run --release -p vela-llvm-codegen --example orc_standalone
//! ```
//!
//! Then it keeps a few hundred copies linked and says what they cost in memory.

use std::error::Error;
use std::time::{Duration, Instant};

use inkwell::IntPredicate;
use inkwell::context::Context;
use inkwell::module::Module;
use vela_llvm_codegen::abi::{EntryThunk, call_lua_function, declare_lua_function};
use vela_llvm_codegen::config::LlvmConfig;
use vela_llvm_codegen::orc::{Jit, ObjectCode, emit_object, set_fast_isel};
use vela_llvm_codegen::passes;
use vela_llvm_codegen::target::{Host, configure};

fn main() -> Result<(), Box<dyn Error>> {
    let host = Host::get()?;
    println!("host: {} {}", host.triple(), host.cpu());

    let start = Instant::now();
    let first = &LlvmConfig::built_in().levels[0];
    let jit = Jit::new(host.machine(first.codegen)?)?;
    println!("session: {} ms", ms(start.elapsed()));
    let start = Instant::now();
    let thunk = EntryThunk::new(&jit, &host.machine(first.codegen)?)?;
    println!(
        "entry thunk, the first compile of the process: {} ms",
        ms(start.elapsed())
    );

    println!("\nmilliseconds, median of 21, of fib by double recursion");
    println!("level      build  passes  codegen  link  remove  code bytes  fib(32)");
    let mut kept = None;
    for level in &LlvmConfig::built_in().levels {
        let machine = host.machine(level.codegen)?;
        set_fast_isel(&machine, level.fast_isel(0));
        let mut times: [Vec<Duration>; 5] = Default::default();
        let mut size = 0;
        for _ in 0..21 {
            let context = Context::create();
            let module = context.create_module("example");
            configure(&module, &machine);
            let lap = &mut Laps {
                times: &mut times,
                next: 0,
                start: Instant::now(),
            };
            build_fib(&module)?;
            lap.done();
            passes::run(&module, &machine, level.pipeline_for(false))?;
            lap.done();
            let code = emit_object(&module, &machine)?;
            lap.done();
            let object = jit.link(&code, &["fib"])?;
            lap.done();
            size = code.loaded_size()?;
            let entry = object.lookup("fib")?;
            assert_eq!(fib(&thunk, entry, 20), 6765);
            lap.start = Instant::now();
            object.remove()?;
            lap.done();
            kept = Some(code);
        }
        let code = kept.as_ref().ok_or("nothing was compiled")?;
        let object = jit.link(code, &["fib"])?;
        let entry = object.lookup("fib")?;
        let start = Instant::now();
        let result = fib(&thunk, entry, 32);
        let run = start.elapsed();
        assert_eq!(result, 2_178_309);
        let medians = times.map(|mut all| {
            all.sort();
            ms(all[all.len() / 2])
        });
        let [build, passes, codegen, link, remove] = medians;
        println!(
            "{:<9} {build:>6}  {passes:>6}  {codegen:>7}  {link:>4}  {remove:>6}  {size:>10}  {:>7}",
            level.name,
            ms(run)
        );
    }
    memory(&jit, &kept.ok_or("nothing was compiled")?)
}

struct Laps<'a> {
    times: &'a mut [Vec<Duration>; 5],
    next: usize,
    start: Instant,
}

impl Laps<'_> {
    fn done(&mut self) {
        self.times[self.next].push(self.start.elapsed());
        self.next += 1;
        self.start = Instant::now();
    }
}

fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// `fib(n) = n < 2 and n or fib(n-1) + fib(n-2)`, in the convention of compiled Lua
/// functions.
fn build_fib(module: &Module<'_>) -> Result<(), Box<dyn Error>> {
    let context = module.get_context();
    let word = context.i64_type();
    let fib = declare_lua_function(module, "fib");
    let builder = context.create_builder();
    let [entry, base, recurse] =
        ["entry", "base", "recurse"].map(|name| context.append_basic_block(fib, name));
    let args: Vec<_> = fib.get_params().into_iter().map(Into::into).collect();
    let n = fib.get_nth_param(4).ok_or("no parameter")?.into_int_value();

    builder.position_at_end(entry);
    let small =
        builder.build_int_compare(IntPredicate::SLT, n, word.const_int(2, false), "small")?;
    builder.build_conditional_branch(small, base, recurse)?;

    builder.position_at_end(base);
    builder.build_aggregate_return(&[n.into(), word.const_zero().into()])?;

    builder.position_at_end(recurse);
    let mut sum = word.const_zero();
    for less in [1, 2] {
        let smaller = builder.build_int_sub(n, word.const_int(less, false), "")?;
        let mut with: [_; 7] = args
            .clone()
            .try_into()
            .map_err(|_| "not seven parameters")?;
        with[4] = smaller.into();
        let callee = fib.as_global_value().as_pointer_value();
        let call = call_lua_function(&builder, context, callee, &with, "")?;
        let result = call
            .try_as_basic_value()
            .basic()
            .ok_or("no result")?
            .into_struct_value();
        let value = builder.build_extract_value(result, 0, "")?.into_int_value();
        sum = builder.build_int_add(sum, value, "")?;
    }
    builder.build_aggregate_return(&[sum.into(), word.const_zero().into()])?;
    Ok(())
}

fn fib(thunk: &EntryThunk, entry: u64, n: u64) -> u64 {
    let null = std::ptr::null_mut();
    // SAFETY: `entry` is `fib` as built above, linked, which uses its fifth parameter
    // only.
    unsafe { thunk.call(entry as *const u8, null, null, null, 0, &[n, 0, 0])[0] }
}

/// What kept objects cost.
fn memory(jit: &Jit, code: &ObjectCode) -> Result<(), Box<dyn Error>> {
    const COPIES: usize = 500;
    println!("\nsections loaded: {:?}", code.sections()?);
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let before = (mappings()?, resident()?);
    let mut kept = Vec::new();
    for _ in 0..COPIES {
        kept.push(jit.link(code, &["fib"])?);
    }
    let after = (mappings()?, resident()?);
    let mut pages: Vec<u64> = Vec::new();
    for object in &kept {
        pages.push(object.lookup("fib")? / 4096);
    }
    pages.sort_unstable();
    pages.dedup();
    println!(
        "{COPIES} kept: {} pages of code, {} more mappings, {} more bytes each",
        pages.len(),
        after.0 - before.0,
        (after.1 - before.1) / COPIES as i64
    );
    drop(kept);
    println!(
        "removed: {} more mappings than before",
        mappings()? - before.0
    );
    println!("{:?}", jit.stats());
    Ok(())
}

fn mappings() -> std::io::Result<i64> {
    Ok(std::fs::read_to_string("/proc/self/maps")?.lines().count() as i64)
}

/// Resident bytes.
fn resident() -> Result<i64, Box<dyn Error>> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: i64 = statm
        .split_whitespace()
        .nth(1)
        .ok_or("no second field")?
        .parse()?;
    Ok(pages * 4096)
}
