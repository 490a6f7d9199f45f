//! The profiler without an interpreter: a toy evaluator counts calls, records
//! what an addition saw, and takes a snapshot when the function is hot.

use std::error::Error;
use std::sync::Arc;
use vela_bytecode::{Instr, Op, Proto};
use vela_objects::feedback::arith;
use vela_objects::vm::{Hooks, Thrown};
use vela_objects::{Tag, Value, VmState};
use vela_profiler::snapshot::snapshot;

/// Calls after which the toy evaluator would compile.
const HOT: u32 = 1000;

fn add(vm: &mut VmState, x: Value, y: Value) -> Result<(Value, u8), Thrown> {
    let seen = match (x.tag, y.tag) {
        (Tag::INT, Tag::INT) => arith::INT,
        (Tag::FLOAT, Tag::FLOAT) => arith::FLOAT,
        _ => arith::MIXED,
    };
    Ok((vm.arith(vela_objects::ops::ArithOp::Add, x, y)?, seen))
}

fn main() -> Result<(), Box<dyn Error>> {
    let hooks = Hooks::interpreter_only(|_, _, _| Ok(0), |_, _, _, _| Err("no compiler".into()));
    let mut vm = VmState::new(1, hooks)?;
    let function = vm.load_proto(&Arc::new(Proto {
        num_params: 2,
        max_stack: 3,
        num_feedback: 1,
        code: vec![
            Instr::abcd(Op::Add, 2, 0, 1, 0),
            Instr::abcd(Op::Return1, 2, 0, 0, 0),
        ],
        ..Proto::default()
    }));

    let mut total = 0.0;
    loop {
        let n = function.calls.increment();
        // The last tenth of the calls has a float operand.
        let x = if n <= HOT - HOT / 10 {
            Value::int(i64::from(n))
        } else {
            Value::float(0.5)
        };
        let (sum, seen) = add(&mut vm, x, Value::int(1)).map_err(|_| "addition raised an error")?;
        let slot = &mut function.cold().feedback[0];
        slot.arith |= seen;
        slot.saw_result(sum.tag);
        total += sum.to_float().unwrap_or(0.0);
        if n == HOT {
            break;
        }
    }

    let profile = snapshot(&mut vm, function, &[]);
    // Owned and `Send`: this is what a compiler thread would get.
    let report = std::thread::spawn(move || {
        let site = &profile.sites[0];
        format!(
            "operands: int {} mixed {} | results: int {} float {}",
            site.arith & arith::INT != 0,
            site.arith & arith::MIXED != 0,
            site.result & 1 << Tag::INT.0 != 0,
            site.result & 1 << Tag::FLOAT.0 != 0,
        )
    });
    println!("calls: {}, total: {total}", function.calls.get());
    println!("{}", report.join().map_err(|_| "the worker panicked")?);
    Ok(())
}
