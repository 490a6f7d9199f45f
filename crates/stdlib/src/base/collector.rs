//! `collectgarbage`.

use crate::args::{check_option, opt_int};
use vela_objects::{Args, NativeResult, Ret, Value, VmState};

const OPTIONS: &[&str] = &[
    "stop",
    "restart",
    "collect",
    "count",
    "step",
    "setpause",
    "setstepmul",
    "isrunning",
    "generational",
    "incremental",
];

/// Inside a finalizer every option fails, as in PUC Lua.
pub(super) fn collectgarbage(vm: &mut VmState, args: Args) -> NativeResult {
    let option = check_option(vm, args, 0, Some("collect"), OPTIONS)?;
    // All options take integers.
    for i in 1..=3 {
        opt_int(vm, args, i, 0)?;
    }
    if vm.in_finalizer() {
        return Ok(Ret::One(Value::NIL));
    }
    Ok(Ret::One(match OPTIONS[option] {
        "stop" => {
            vm.heap.set_stopped(true);
            Value::int(0)
        }
        "restart" => {
            vm.heap.set_stopped(false);
            Value::int(0)
        }
        "count" => Value::float(vm.heap.bytes_in_use() as f64 / 1024.0),
        "step" => {
            let kilobytes = usize::try_from(opt_int(vm, args, 1, 0)?).unwrap_or(0);
            Value::bool(vm.gc_step(kilobytes.saturating_mul(1024)))
        }
        "setpause" => {
            let n = opt_int(vm, args, 1, 0)?;
            Value::int(std::mem::replace(&mut vm.gc_params().pause, n))
        }
        "setstepmul" => {
            let n = opt_int(vm, args, 1, 0)?;
            Value::int(std::mem::replace(&mut vm.gc_params().step_multiplier, n))
        }
        "isrunning" => Value::bool(!vm.heap.is_stopped()),
        mode @ ("generational" | "incremental") => {
            let values = [
                opt_int(vm, args, 1, 0)?,
                opt_int(vm, args, 2, 0)?,
                opt_int(vm, args, 3, 0)?,
            ];
            let p = vm.gc_params();
            let before = std::mem::replace(&mut p.generational, mode == "generational");
            if mode == "incremental" {
                // Zero leaves a parameter as it is.
                let places = [&mut p.pause, &mut p.step_multiplier, &mut p.step_size];
                for (place, v) in places.into_iter().zip(values) {
                    if v != 0 {
                        *place = v;
                    }
                }
            }
            vm.str_value(if before {
                b"generational"
            } else {
                b"incremental"
            })
        }
        _ => {
            vm.collect_garbage();
            Value::int(0)
        }
    }))
}
