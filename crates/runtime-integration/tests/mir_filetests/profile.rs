//! Runs a program for its profile.
#![allow(unsafe_code)]

use crate::case::Case;
use std::cell::RefCell;
use vela_bytecode::{Op, Proto};
use vela_mir::ir::EntryKind;
use vela_objects::closure::LuaClosure;
use vela_objects::frame::FrameRecord;
use vela_objects::{FuncProto, Gc, Value, VmState};
use vela_profiler::FunctionSnapshot;
use vela_profiler::snapshot::snapshot;

/// A function as the tier would compile it.
pub struct Profile {
    /// The VM that the snapshot's addresses belong to.
    pub vm: Box<VmState>,
    /// The function.
    pub snapshot: FunctionSnapshot,
    /// How its code is entered.
    pub entry: EntryKind,
}

/// The loop at which a snapshot is wanted.
struct Wanted {
    /// Address of the function's prototype.
    proto: u64,
    header: u32,
    /// Iterations until then.
    wait: u32,
    taken: Option<FunctionSnapshot>,
}

/// Iterations of a loop before the snapshot is taken.
const WAIT: u32 = 3;

/// Calls after which a function would be hot, as by default; nothing listens.
const HOT_CALLS: u32 = 1000;

thread_local! {
    static WANTED: RefCell<Option<Wanted>> = const { RefCell::new(None) };
}

/// Takes the snapshot that is wanted, if this is the loop; enters no code.
///
/// # Safety
/// `frame` is the running interpreted frame.
unsafe fn hot_loop(vm: &mut VmState, frame: *mut FrameRecord, header: u32) -> *const u8 {
    // SAFETY: an interpreted record's function is a Lua closure.
    let f: Gc<LuaClosure> = unsafe { Gc::from_ptr((*frame).func as *mut LuaClosure) };
    let proto = f.proto;
    let here = WANTED.with_borrow_mut(|wanted| match wanted {
        Some(w) if w.proto == proto.addr() && w.header == header && w.taken.is_none() => {
            w.wait -= 1;
            w.wait == 0
        }
        _ => false,
    });
    if here {
        // SAFETY: the frame's registers are in the stack mapping, which is
        // initialised memory; any bits are a `Value`.
        let registers: Vec<Value> = (0..proto.max_stack as usize)
            .map(|i| unsafe { *FrameRecord::registers(frame).add(i) })
            .collect();
        let taken = snapshot(vm, proto, &registers);
        WANTED.with_borrow_mut(|wanted| {
            if let Some(w) = wanted {
                w.taken = Some(taken);
            }
        });
    }
    std::ptr::null()
}

/// The headers of a function's loops, in the order of the source.
fn headers(proto: &Proto) -> Vec<u32> {
    let back = |(pc, i): (usize, &vela_bytecode::Instr)| {
        let jumps = matches!(i.op()?, Op::Loop | Op::ForLoop | Op::TForLoop);
        let target = pc as i64 + 1 + i64::from(i.sbx());
        jumps.then_some(u32::try_from(target).ok()?)
    };
    let mut out: Vec<u32> = proto.code.iter().enumerate().filter_map(back).collect();
    out.sort_unstable();
    out.dedup();
    out
}

fn call(vm: &mut VmState, f: Value, args: &[Value]) -> Result<Vec<Value>, String> {
    vela_interpreter::call(vm, f, args).map_err(|e| {
        let what = e.as_str().map(|s| s.to_text());
        format!("Lua error: {}", what.unwrap_or_default())
    })
}

/// Runs the program and takes the snapshot of the function that it returns.
pub fn take(case: &Case<'_>) -> Result<Profile, String> {
    let mut vm = vela_interpreter::new_vm(1).map_err(|e| e.to_string())?;
    vela_stdlib::open_all(&mut vm);
    vm.hooks.hot_loop = hot_loop;
    // The kinds of arguments are noted while calls are counted.
    let every = if case.options.osr.is_some() {
        1
    } else {
        u32::MAX
    };
    vm.set_hot_thresholds(HOT_CALLS, every);
    let proto = vela_lua::compile(case.source.as_bytes(), "=test").map_err(|e| e.to_string())?;
    let proto = vm.load_proto(&proto);
    let env = Value::table(vm.globals);
    let cell = vm.cell(env);
    let main = vm.closure(proto, |_| cell, 1);
    let out = call(&mut vm, Value::lua_fn(main), &[])?;
    let f = out.first().copied().unwrap_or(Value::NIL);
    let proto = f
        .as_lua_fn()
        .ok_or("the program does not return a Lua function")?
        .proto;
    let (mut snapshot, entry) = match case.options.osr {
        None => (snapshot(&mut vm, proto, &[]), EntryKind::Call),
        Some(n) => {
            let headers = headers(proto.proto());
            let header = *headers
                .get(n - 1)
                .ok_or_else(|| format!("osr={n}: the function has {} loops", headers.len()))?;
            (
                at_loop(&mut vm, (f, proto), header, &out[1..])?,
                EntryKind::Osr { pc: header },
            )
        }
    };
    snapshot.settled = case.options.settled;
    for callee in snapshot.callees.values_mut() {
        callee.code_size = case.options.code_size;
    }
    Ok(Profile {
        vm,
        snapshot,
        entry,
    })
}

/// Calls the function and takes its snapshot in the loop.
fn at_loop(
    vm: &mut VmState,
    (f, proto): (Value, Gc<FuncProto>),
    header: u32,
    args: &[Value],
) -> Result<FunctionSnapshot, String> {
    let wanted = Wanted {
        proto: proto.addr(),
        header,
        wait: WAIT,
        taken: None,
    };
    WANTED.set(Some(wanted));
    let result = call(vm, f, args);
    let wanted = WANTED.take();
    result?;
    wanted
        .and_then(|w| w.taken)
        .ok_or_else(|| "the call of the function does not iterate the loop three times".into())
}
