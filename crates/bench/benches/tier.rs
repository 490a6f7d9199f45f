//! A function in the interpreter, compiled and run for the first time, and
//! compiled long ago.
//!
//! ```text
//! cargo bench -p vela-bench --features llvm-jit
//! ```
//!
//! | group | measures |
//! |---|---|
//! | `interpreter` | a call without a tier |
//! | `jit-cold` | the same call in a new VM with threshold 1, compiling in place: the time until the first result |
//! | `jit-warm` | the same call when everything is compiled |
//! | `jit-compile` | compilation alone, with feedback, all phases |

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::time::Duration;
use vela::{Function, Value, Vm, VmConfig};

/// A chunk that returns a function of one integer, and its argument.
struct Program {
    name: &'static str,
    source: &'static str,
    argument: i64,
}

const PROGRAMS: [Program; 4] = [
    Program {
        name: "fib",
        source: "local function fib(n)
            if n < 2 then return n end
            return fib(n - 1) + fib(n - 2)
        end
        return fib",
        argument: 20,
    },
    Program {
        name: "float loop",
        source: "return function(n)
            local x, y = 0.25, 0.5
            for _ = 1, n do x, y = x * x - y * y + 0.3, 2.0 * x * y + 0.1 end
            return x
        end",
        argument: 20_000,
    },
    Program {
        name: "sieve",
        source: "return function(n)
            local composite, count = {}, 0
            for i = 1, n do composite[i] = false end
            for i = 2, n do
                if not composite[i] then
                    count = count + 1
                    for j = i * i, n, i do composite[j] = true end
                end
            end
            return count
        end",
        argument: 5_000,
    },
    Program {
        name: "objects",
        source: "local Point = {}
        Point.__index = Point
        function Point:add(o)
            return setmetatable({x = self.x + o.x, y = self.y + o.y}, Point)
        end
        return function(n)
            local sum, step = setmetatable({x = 0, y = 0}, Point), {x = 1, y = 2}
            for _ = 1, n do sum = sum:add(step) end
            return sum.x + sum.y
        end",
        argument: 5_000,
    },
];

fn vm(options: &[(&str, &str)]) -> Vm {
    let mut config = VmConfig {
        hash_seed: Some(1),
        ..VmConfig::default()
    };
    for (name, value) in options {
        config.jit.set(name, value).expect("a field and its value");
    }
    Vm::new(config).expect("a valid configuration")
}

fn load(vm: &mut Vm, program: &Program) -> Function {
    let values = vm.exec(program.source.as_bytes(), "=bench");
    match values.expect("it runs").into_iter().next() {
        Some(Value::Function(f)) => f,
        other => panic!("{} gives {other:?}", program.name),
    }
}

fn run(vm: &mut Vm, f: &Function, argument: i64) -> Vec<Value> {
    vm.call(f, &[Value::Int(argument)]).expect("no error")
}

/// Calls until nothing is interpreted or given up any more.
fn warm(program: &Program) -> (Vm, Function) {
    let mut vm = vm(&[("mode", "sync"), ("hotspot_threshold", "20")]);
    let f = load(&mut vm, program);
    for _ in 0..60 {
        run(&mut vm, &f, program.argument);
    }
    (vm, f)
}

fn interpreter(c: &mut Criterion) {
    let mut group = c.benchmark_group("interpreter");
    for program in &PROGRAMS {
        let mut vm = vm(&[("mode", "off")]);
        let f = load(&mut vm, program);
        group.bench_function(program.name, |b| {
            b.iter(|| run(&mut vm, &f, program.argument));
        });
    }
}

fn cold(c: &mut Criterion) {
    // The process's code generator starts with its first compilation.
    drop(warm(&PROGRAMS[0]));
    let mut group = c.benchmark_group("jit-cold");
    group.sample_size(20);
    for program in &PROGRAMS {
        let ready = || {
            let mut vm = vm(&[("mode", "sync"), ("hotspot_threshold", "1")]);
            let f = load(&mut vm, program);
            (vm, f)
        };
        group.bench_function(program.name, |b| {
            b.iter_batched_ref(
                ready,
                |(vm, f)| run(vm, f, program.argument),
                BatchSize::PerIteration,
            );
        });
    }
}

fn warm_calls(c: &mut Criterion) {
    let mut group = c.benchmark_group("jit-warm");
    for program in &PROGRAMS {
        let (mut vm, f) = warm(program);
        group.bench_function(program.name, |b| {
            b.iter(|| run(&mut vm, &f, program.argument));
        });
    }
}

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("jit-compile");
    group.sample_size(20);
    for program in &PROGRAMS {
        let (mut vm, f) = warm(program);
        group.bench_function(program.name, |b| {
            b.iter_custom(|rounds| {
                (0..rounds)
                    .map(|_| vm.compile(&f).expect("it compiles"))
                    .sum::<Duration>()
            });
        });
    }
}

criterion_group!(benches, interpreter, cold, warm_calls, compile);
criterion_main!(benches);
