//! Materialization against a real VM state.

use std::sync::Arc;
use vela_bytecode::{FRAME_SLOTS, Instr, Op, Proto};
use vela_deopt::materialize::POISON;
use vela_deopt::{DeoptReason, ExitFrame, InlinedAt, SideExit, Source, VirtualObject, materialize};
use vela_objects::closure::LuaClosure;
use vela_objects::frame::{FrameKind, FrameRecord, flags};
use vela_objects::{Gc, Hooks, Tag, Value, VmState};

fn vm() -> Box<VmState> {
    let hooks = Hooks::interpreter_only(
        |vm, _, _| Err(vm.error("no interpreter here")),
        |_, _, _, _| Err("no front end here".into()),
    );
    VmState::new(1, hooks).expect("address space for a stack")
}

fn function(vm: &mut VmState, code: Vec<Instr>, is_vararg: bool) -> Gc<LuaClosure> {
    let proto = Arc::new(Proto {
        is_vararg,
        max_stack: 12,
        code,
        ..Proto::default()
    });
    let proto = vm.load_proto(&proto);
    vm.closure(proto, |_| unreachable!(), 0)
}

fn plain_code() -> Vec<Instr> {
    vec![Instr::abcd(Op::Return0, 0, 0, 0, 0); 8]
}

/// Where a call from the base frame puts its record.
fn frame_place(vm: &VmState) -> *mut FrameRecord {
    vm.top.wrapping_add(3).cast()
}

fn reg(record: *mut FrameRecord, r: usize) -> Value {
    // SAFETY: registers written by the test or by `materialize`.
    unsafe { *FrameRecord::registers(record).add(r) }
}

fn set(record: *mut FrameRecord, r: usize, v: Value) {
    // SAFETY: within the VM's stack, above all frames.
    unsafe { *FrameRecord::registers(record).add(r) = v }
}

fn exit(frames: Vec<ExitFrame>) -> SideExit {
    SideExit {
        reason: DeoptReason::Type,
        origin: 0,
        frames,
        top: None,
        objects: Vec::new(),
        before_commit: false,
    }
}

#[test]
fn every_source_of_a_frame_that_was_not_pushed() {
    let mut vm = vm();
    let mut code = plain_code();
    code[5] = Instr::abcd(Op::Return1, 1, 0, 0, 0);
    let f = function(&mut vm, code, false);
    let text = vm.str_value(b"literal");
    let pool = [0, text.payload];
    let fp = frame_place(&vm);
    let base = vm.frame;
    for r in 0..12 {
        set(fp, r, Value::int(100 + r as i64));
    }
    vm.exit_words[0] = 7;
    vm.exit_words[1] = 2.5f64.to_bits();
    vm.exit_words[2] = u64::from(Tag::FLOAT.0);
    let exit = exit(vec![ExitFrame {
        pc: 5,
        regs: vec![
            (
                0,
                Source::Constant {
                    tag: Tag::BOOL,
                    payload: 1,
                },
            ),
            (
                1,
                Source::Literal {
                    slot: 0,
                    tag: Tag::STR,
                },
            ),
            (
                3,
                Source::Word {
                    word: 0,
                    tag: Tag::INT,
                },
            ),
            (4, Source::Tagged { word: 1 }),
            (6, Source::InWindow),
            (7, Source::SelfClosure),
        ],
        inlined: None,
    }]);
    // SAFETY: `fp` is above every frame; the pool has the literal.
    let rebuilt = unsafe { materialize(&mut vm, &exit, fp, f, pool.as_ptr()) };
    assert_eq!(rebuilt.outermost, fp);
    assert_eq!(rebuilt.innermost, fp);
    assert_eq!(vm.frame, fp);
    // SAFETY: just rebuilt.
    let record = unsafe { &*fp };
    assert_eq!(record.func, f.addr());
    assert_eq!(record.tag, Tag::LUA_FN);
    assert_eq!(record.kind, FrameKind::INTERPRETED);
    assert_eq!(record.flags, flags::ENTRY);
    assert_eq!(record.nvarargs, 0);
    assert_eq!(record.prev, base);
    assert_eq!(record.pc, 5);
    assert!(reg(fp, 0).identical(Value::TRUE));
    assert!(reg(fp, 1).identical(text));
    assert!(reg(fp, 3).identical(Value::int(7)));
    assert!(reg(fp, 4).identical(Value::float(2.5)));
    assert!(reg(fp, 6).identical(Value::int(106)));
    assert!(reg(fp, 7).identical(Value::lua_fn(f)));
    let dead = if cfg!(debug_assertions) {
        POISON
    } else {
        Value::int(102)
    };
    assert!(reg(fp, 2).identical(dead));
    vm.collect_garbage();
    assert_eq!(text.as_str().expect("a string").to_text(), "literal");
}

#[test]
fn a_pushed_record_keeps_caller_varargs_and_flags() {
    let mut vm = vm();
    let f = function(&mut vm, plain_code(), true);
    let fp = frame_place(&vm);
    let base = vm.frame;
    set(fp, 0, Value::int(41));
    // SAFETY: above every frame.
    unsafe {
        fp.write(FrameRecord {
            func: f.addr(),
            tag: Tag::LUA_FN,
            kind: FrameKind::COMPILED,
            flags: flags::TAIL | flags::TBC,
            marks: 0,
            nvarargs: 2,
            prev: base,
            pc: 77,
            nargs: 9,
        });
    }
    vm.frame = fp;
    let exit = exit(vec![ExitFrame {
        pc: 1,
        regs: vec![(0, Source::InWindow)],
        inlined: None,
    }]);
    // SAFETY: as above.
    unsafe { materialize(&mut vm, &exit, fp, f, std::ptr::null()) };
    // SAFETY: just rebuilt.
    let record = unsafe { &*fp };
    assert_eq!(vm.frame, fp);
    assert_eq!(record.prev, base);
    assert_eq!(record.nvarargs, 2);
    assert_eq!(record.flags, flags::TAIL | flags::TBC | flags::ENTRY);
    assert_eq!(record.kind, FrameKind::INTERPRETED);
    assert!(reg(fp, 0).identical(Value::int(41)));
}

#[test]
fn inlined_frames_go_into_the_window_of_their_caller() {
    let mut vm = vm();
    let outer = function(&mut vm, plain_code(), false);
    let inner = function(&mut vm, plain_code(), false);
    let fp = frame_place(&vm);
    let base = vm.frame;
    let a = 4;
    let record: *mut FrameRecord = FrameRecord::registers(fp).wrapping_add(a).cast();
    // The inlined callee's second parameter is in its window slot; the
    // caller's state still names the argument register, with a stale value.
    set(record, 1, Value::int(55));
    vm.exit_words[0] = inner.addr();
    vm.exit_words[1] = 11;
    vm.exit_words[2] = 22;
    let exit = exit(vec![
        ExitFrame {
            pc: 3,
            regs: vec![
                (
                    0,
                    Source::Word {
                        word: 1,
                        tag: Tag::INT,
                    },
                ),
                (
                    (a + FRAME_SLOTS + 1) as u8,
                    Source::Word {
                        word: 1,
                        tag: Tag::INT,
                    },
                ),
            ],
            inlined: None,
        },
        ExitFrame {
            pc: 6,
            regs: vec![
                (
                    0,
                    Source::Word {
                        word: 2,
                        tag: Tag::INT,
                    },
                ),
                (1, Source::InWindow),
            ],
            inlined: Some(InlinedAt {
                nvarargs: 0,
                closure: Source::Word {
                    word: 0,
                    tag: Tag::LUA_FN,
                },
                a: a as u8,
                tail: false,
            }),
        },
    ]);
    // SAFETY: `fp` is above every frame, with room for both windows.
    let rebuilt = unsafe { materialize(&mut vm, &exit, fp, outer, std::ptr::null()) };
    assert_eq!(rebuilt.outermost, fp);
    assert_eq!(rebuilt.innermost, record);
    assert_eq!(vm.frame, record);
    // SAFETY: just rebuilt.
    let (o, i) = unsafe { (&*fp, &*record) };
    assert_eq!((o.prev, o.flags, o.pc), (base, flags::ENTRY, 3));
    assert_eq!((i.prev, i.flags, i.pc), (fp, 0, 6));
    assert_eq!(i.func, inner.addr());
    assert!(reg(fp, 0).identical(Value::int(11)));
    assert!(reg(record, 0).identical(Value::int(22)));
    assert!(reg(record, 1).identical(Value::int(55)));
    vm.collect_garbage();
}

#[test]
fn inlined_function_with_extra_arguments() {
    // Called with three arguments, of which one is a parameter, it resumes at
    // the use of a list that is longer than its registers.
    let mut vm = vm();
    let outer = function(&mut vm, plain_code(), false);
    let code = vec![
        Instr::abcd(Op::Vararg, 1, 0, 0, 0),
        Instr::abcd(Op::Return, 0, 0, 0, 0),
    ];
    let inner = function(&mut vm, code, true);
    let fp = frame_place(&vm);
    // The call at register 1, its arguments, and the record behind them.
    let a = 1 + FRAME_SLOTS + 3;
    let record: *mut FrameRecord = FrameRecord::registers(fp).wrapping_add(a).cast();
    let int = |n: u64| Source::Constant {
        tag: Tag::INT,
        payload: n,
    };
    let list = u64::from(inner.proto.max_stack) + 4;
    let mut exit = exit(vec![
        ExitFrame {
            pc: 3,
            regs: vec![(0, int(10)), (a as u8 - 2, int(20)), (a as u8 - 1, int(30))],
            inlined: None,
        },
        ExitFrame {
            pc: 1,
            regs: (0..list).map(|r| (r as u8, int(r))).collect(),
            inlined: Some(InlinedAt {
                closure: Source::Literal {
                    slot: 0,
                    tag: Tag::LUA_FN,
                },
                a: a as u8,
                nvarargs: 2,
                tail: false,
            }),
        },
    ]);
    exit.top = Some(list as u8);
    let pool = [0, inner.addr()];
    // SAFETY: as in the tests above.
    let rebuilt = unsafe { materialize(&mut vm, &exit, fp, outer, pool.as_ptr()) };
    assert_eq!(rebuilt.innermost, record);
    // SAFETY: just rebuilt.
    assert_eq!(unsafe { (*record).nvarargs }, 2);
    assert!(reg(fp, a - 2).identical(Value::int(20)));
    assert!(reg(fp, a - 1).identical(Value::int(30)));
    for r in 0..list as usize {
        assert!(
            reg(record, r).identical(Value::int(r as i64)),
            "register {r}"
        );
    }
    assert_eq!(
        vm.top,
        FrameRecord::registers(record).wrapping_add(list as usize)
    );
}

#[test]
fn sources_are_read_before_anything_is_written() {
    // The inlined callee's closure is a literal of a pool that lies in the
    // window itself: writing the record first would destroy it.
    let mut vm = vm();
    let outer = function(&mut vm, plain_code(), false);
    let inner = function(&mut vm, plain_code(), false);
    let fp = frame_place(&vm);
    set(fp, 0, Value::lua_fn(inner));
    let pool = FrameRecord::registers(fp).cast::<u64>().wrapping_sub(1);
    let exit = exit(vec![
        ExitFrame {
            pc: 0,
            regs: vec![(
                0,
                Source::Constant {
                    tag: Tag::INT,
                    payload: 1,
                },
            )],
            inlined: None,
        },
        ExitFrame {
            pc: 0,
            regs: vec![(
                0,
                Source::Literal {
                    slot: 0,
                    tag: Tag::LUA_FN,
                },
            )],
            inlined: Some(InlinedAt {
                nvarargs: 0,
                closure: Source::Literal {
                    slot: 0,
                    tag: Tag::LUA_FN,
                },
                a: 2,
                tail: false,
            }),
        },
    ]);
    // SAFETY: as in the tests above.
    let rebuilt = unsafe { materialize(&mut vm, &exit, fp, outer, pool) };
    assert!(reg(fp, 0).identical(Value::int(1)));
    assert!(reg(rebuilt.innermost, 0).identical(Value::lua_fn(inner)));
}

#[test]
fn an_open_list_survives() {
    // `return ...`-like: the instruction before the exit left values up to
    // the top, which no register set names.
    let mut vm = vm();
    let code = vec![
        Instr::abcd(Op::Call, 2, 1, 0, 0),
        Instr::abcd(Op::Return, 1, 0, 0, 0),
    ];
    let f = function(&mut vm, code, false);
    let fp = frame_place(&vm);
    for r in 0..12 {
        set(fp, r, Value::int(r as i64));
    }
    let exit = exit(vec![ExitFrame {
        pc: 1,
        regs: vec![(1, Source::InWindow)],
        inlined: None,
    }]);
    // SAFETY: as in the tests above.
    unsafe { materialize(&mut vm, &exit, fp, f, std::ptr::null()) };
    for r in [1, 2, 3, 11] {
        assert!(reg(fp, r).identical(Value::int(r as i64)), "register {r}");
    }
    if cfg!(debug_assertions) {
        assert!(reg(fp, 0).identical(POISON));
    }
}

#[test]
fn objects_that_compiled_code_did_without() {
    let mut vm = vm();
    let mut code = plain_code();
    code[5] = Instr::abcd(Op::Return1, 1, 0, 0, 0);
    let f = function(&mut vm, code, false);
    let child = Arc::new(Proto {
        max_stack: 2,
        code: plain_code(),
        ..Proto::default()
    });
    let child = vm.load_proto(&child);
    f.proto.cold().children.push(child);
    // A table like those to be made, for its shape.
    let (x, y) = (vm.str_value(b"x"), vm.str_value(b"y"));
    let (x, y) = (x.as_str().expect("a string"), y.as_str().expect("a string"));
    let like = vm.table(2, 0);
    like.set_str(&mut vm, x, Value::int(1));
    like.set_str(&mut vm, y, Value::int(2));
    let pool = [0, like.shape as u64];
    let fp = frame_place(&vm);
    let base = vm.frame;
    vm.exit_words[0] = 7;
    let int = |payload| Source::Constant {
        tag: Tag::INT,
        payload,
    };
    let word = Source::Word {
        word: 0,
        tag: Tag::INT,
    };
    let mut exit = exit(vec![ExitFrame {
        pc: 5,
        regs: vec![
            (0, Source::Object(1)),
            (1, Source::Object(1)),
            (2, Source::Object(2)),
            (3, Source::Object(4)),
            (4, Source::Object(0)),
        ],
        inlined: None,
    }]);
    let table = |slots| VirtualObject::Table { shape: 0, slots };
    exit.objects = vec![
        table(vec![int(1), word]),
        table(vec![Source::Object(0), int(2)]),
        table(vec![int(1), word]),
        VirtualObject::Cell(Source::Object(1)),
        VirtualObject::Closure {
            parent: Source::SelfClosure,
            child: 0,
            cells: vec![Source::Object(3)],
        },
    ];
    // SAFETY: `fp` is above every frame; the pool has the shape.
    let rebuilt = unsafe { materialize(&mut vm, &exit, fp, f, pool.as_ptr()) };
    assert_eq!(rebuilt.innermost, fp);
    let outer = reg(fp, 0).as_table().expect("a table");
    let part = reg(fp, 4).as_table().expect("a table");
    // One object where one is named, two where two are alike.
    assert!(reg(fp, 1).identical(reg(fp, 0)));
    assert!(outer.get_str(x).identical(reg(fp, 4)));
    assert!(outer.get_str(y).identical(Value::int(2)));
    assert!(!reg(fp, 2).identical(reg(fp, 4)));
    assert!(part.get_str(x).identical(Value::int(1)));
    assert!(part.get_str(y).identical(Value::int(7)));
    assert_eq!(outer.shape, like.shape);
    let closure = reg(fp, 3).as_lua_fn().expect("a closure");
    assert_eq!(closure.proto.addr(), child.addr());
    assert!(closure.upval(0).get().identical(reg(fp, 0)));
    vm.frame = base;
    vm.collect_garbage();
}
