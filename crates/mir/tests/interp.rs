//! The MIR interpreter on a machine of plain bytes: protocol and results, and
//! functions before and after the passes against each other.

use std::collections::HashMap;
use std::sync::Arc;
use vela_bytecode::Proto;
use vela_deopt::Source;
use vela_mir::backend::ExitStress;
use vela_mir::build::{BuildInput, build};
use vela_mir::helper::Helper;
use vela_mir::interp::{Code, EntryArgs, Machine};
use vela_mir::ir::EntryKind;
use vela_mir::parse::parse;
use vela_mir::passes::{Fuel, optimize};
use vela_objects::frame::FrameKind;
use vela_objects::ops::float_mod;
use vela_objects::{Tag, layout};
use vela_profiler::{FunctionSnapshot, SiteSnapshot};

const VM: u64 = 0x1_0000;
const CLOSURE: u64 = 0x2_0000;
const PROTO: u64 = 0x2_1000;
const POOL: u64 = 0x2_2000;
const STACK: u64 = 0x10_0000;
const LIMIT: u64 = 0x20_0000;

type Call = (Helper, Vec<u64>);

/// Memory that is zero where nothing was written, and canned answers.
#[derive(Default)]
struct Bytes {
    memory: HashMap<u64, u8>,
    calls: Vec<Call>,
    answers: HashMap<&'static str, [u64; 2]>,
    entered: Vec<(u64, u64, [u64; 3])>,
    returns: Vec<[u64; 2]>,
}

impl Bytes {
    fn new() -> Self {
        let mut m = Bytes::default();
        m.store(VM + layout::VM_STACK_LIMIT as u64, 8, LIMIT);
        m.store(VM + layout::VM_FRAME as u64, 8, 0x77);
        m.store(CLOSURE + layout::CLOSURE_PROTO as u64, 8, PROTO);
        m.store(PROTO + layout::PROTO_POOL as u64, 8, POOL);
        m.store(PROTO + layout::PROTO_ENTRY as u64, 8, 0xe0);
        m
    }

    fn value(&mut self, at: u64) -> [u64; 2] {
        [self.load(at, 8), self.load(at + 8, 1)]
    }
}

impl Machine for Bytes {
    fn vm(&self) -> u64 {
        VM
    }

    fn load(&mut self, address: u64, bytes: u8) -> u64 {
        (0..u64::from(bytes)).rev().fold(0, |n, k| {
            n << 8 | u64::from(self.memory.get(&(address + k)).copied().unwrap_or(0))
        })
    }

    fn store(&mut self, address: u64, bytes: u8, value: u64) {
        for k in 0..u64::from(bytes) {
            self.memory.insert(address + k, (value >> (8 * k)) as u8);
        }
    }

    fn call_helper(&mut self, helper: Helper, args: &[u64]) -> [u64; 2] {
        assert_eq!(args.len(), helper.args().len(), "{}", helper.name());
        if helper == Helper::FloatMod {
            let f = |n: usize| f64::from_bits(args[n]);
            return [float_mod(f(0), f(1)).to_bits(), 0];
        }
        self.calls.push((helper, args.to_vec()));
        assert!(self.calls.len() < 1000, "a loop does not end");
        self.answers.get(helper.name()).copied().unwrap_or([0; 2])
    }

    fn entry_poll(&mut self, fp: u64, closure: u64, desc: u64, _args: &[u64; 3]) -> u64 {
        self.calls
            .push((Helper::EntryPoll, vec![fp, closure, desc]));
        1
    }

    fn call_entry(
        &mut self,
        entry: u64,
        fp: u64,
        closure: u64,
        desc: u64,
        args: [u64; 3],
    ) -> [u64; 2] {
        assert_eq!((entry, closure), (0xe0, CLOSURE));
        self.entered.push((fp, desc, args));
        self.returns.pop().expect("an answer to the call")
    }
}

const INT: u64 = Tag::INT.0 as u64;

fn tag(t: Tag) -> u64 {
    u64::from(t.0)
}

fn entry(args: &[(u64, u64)]) -> EntryArgs {
    let mut e = EntryArgs {
        fp: STACK,
        closure: CLOSURE,
        desc: args.len() as u64,
        args: [0; 3],
    };
    for (n, &(payload, tag)) in args.iter().enumerate() {
        e.args[n] = payload;
        e.desc |= tag << (32 + 8 * n);
    }
    e
}

fn code(text: &str) -> Code {
    Code::new(parse(text).expect("text"), 5, ExitStress::Off).expect("a correct function")
}

const CALLS: &str = "func \"calls\" call params 2 stack 8
b0(v0: any, v1: any):
  v2: int = guard_tag.int v0 [fs0 type]
  v3: luafn = self_closure
  store_reg.1 v1
  v4: any = call_lua.4 v3, v2, v1, v2, v2 @s1
  v5: int = guard_tag.int v4 [fs1 type]
  v6: int = int_op.add v5, v2
  return v6
fs0: pc 0 regs r0=v0, r1=v1
fs1: pc 4 regs r0=v2, r2=v4 window r1
s0: pc 9
s1: pc 3 live r1
end
";

#[test]
fn a_call_follows_the_protocol() {
    let mut m = Bytes::new();
    m.returns.push([30, INT]);
    let result = code(CALLS).run(&mut m, entry(&[(12, INT), (0x99, tag(Tag::TABLE))]));
    assert_eq!(result, [42, INT]);
    // Record: function, kind, caller, site, code.
    assert_eq!(m.load(STACK, 8), CLOSURE);
    let kind = m.load(STACK + layout::FRAME_KIND as u64, 1);
    assert_eq!(kind, u64::from(FrameKind::COMPILED.0));
    assert_eq!(m.load(STACK + layout::FRAME_PREV as u64, 8), 0x77);
    assert_eq!(m.load(STACK + layout::FRAME_PC as u64, 4), 1);
    assert_eq!(m.load(STACK + layout::FRAME_CODE_ID as u64, 4), 5);
    // It was taken off again.
    assert_eq!(m.load(VM + layout::VM_FRAME as u64, 8), 0x77);
    // Three arguments in registers, the fourth in the callee's window.
    let fp = STACK + (layout::FRAME_SIZE + 4 * 16) as u64;
    let tags = INT << 32 | tag(Tag::TABLE) << 40 | INT << 48;
    assert_eq!(m.entered, [(fp, 4 | tags, [12, 0x99, 12])]);
    assert_eq!(
        m.value(fp + (layout::FRAME_SIZE + 3 * 16) as u64),
        [12, INT]
    );
    // The live register was stored before the call.
    let r1 = STACK + (layout::FRAME_SIZE + 16) as u64;
    assert_eq!(m.value(r1), [0x99, tag(Tag::TABLE)]);
    assert!(m.calls.is_empty());
}

#[test]
fn exits_hand_their_words_over() {
    let mut m = Bytes::new();
    m.returns.push([0x55, tag(Tag::STR)]);
    m.answers.insert("exit", [7, INT]);
    let code = code(CALLS);
    let result = code.run(&mut m, entry(&[(12, INT), (0, 0)]));
    assert_eq!(result, [7, INT]);
    let [(Helper::Exit, args)] = m.calls.as_slice() else {
        panic!("{:?}", m.calls);
    };
    let id = 1;
    assert_eq!(args.as_slice(), [VM, STACK, CLOSURE, 5 << 32 | id]);
    let exit = &code.plan().exits[id as usize];
    assert_eq!((exit.origin, exit.frames[0].pc), (4, 4));
    let word =
        |m: &mut Bytes, w: u32| m.load(VM + (layout::VM_EXIT_WORDS + 8 * w as usize) as u64, 8);
    for (reg, source) in exit.frames[0].regs.clone() {
        match (reg, source) {
            (
                0,
                Source::Word {
                    word: w,
                    tag: Tag::INT,
                },
            ) => assert_eq!(word(&mut m, w), 12),
            (1, Source::InWindow) => {}
            (2, Source::Tagged { word: w }) => {
                assert_eq!(word(&mut m, w), 0x55);
                assert_eq!(word(&mut m, w + 1), tag(Tag::STR));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn odd_results_of_calls_are_finished() {
    for (returned, finished, expected) in [
        (tag(Tag::RET_NONE), [1, INT], [13, INT]),
        (tag(Tag::RET_MULTI), [8, INT], [20, INT]),
        (
            tag(Tag::RET_ERROR),
            [0, tag(Tag::RET_ERROR)],
            [0, tag(Tag::RET_ERROR)],
        ),
    ] {
        let mut m = Bytes::new();
        m.returns.push([3, returned]);
        m.answers.insert("finish_call", finished);
        let result = code(CALLS).run(&mut m, entry(&[(12, INT), (0, 0)]));
        assert_eq!(result, expected);
        assert_eq!(m.calls[0].0, Helper::FinishCall);
        assert_eq!(m.load(VM + layout::VM_FRAME as u64, 8), 0x77);
    }
}

#[test]
fn a_full_stack_polls_at_the_entry() {
    let mut m = Bytes::new();
    m.store(VM + layout::VM_STACK_LIMIT as u64, 8, 0);
    let result = code(CALLS).run(&mut m, entry(&[(12, INT), (0, 0)]));
    assert_eq!(result[1], tag(Tag::RET_ERROR));
    assert_eq!(m.calls[0].0, Helper::EntryPoll);
    assert!(m.entered.is_empty());
}

#[test]
fn stress_takes_every_second_guard() {
    let mut m = Bytes::new();
    m.returns.push([30, INT]);
    m.answers.insert("exit", [99, INT]);
    let code = Code::new(parse(CALLS).expect("text"), 5, ExitStress::Every(2)).expect("correct");
    assert_eq!(code.run(&mut m, entry(&[(12, INT), (0, 0)])), [99, INT]);
    assert_eq!(m.entered.len(), 1, "the first guard held");
}

#[test]
fn osr_entries_refuse_or_take_the_frame() {
    let code = code(
        "func \"osr\" osr 3 params 0 stack 2
b0:
  v0: any = load_reg.0
  v1: int = guard_tag.int v0 [type]
  jump b1
b1:
  v2: int = int_op.mul v1, v1
  return v2
end
",
    );
    let r0 = STACK + layout::FRAME_SIZE as u64;
    let mut m = Bytes::new();
    m.store(STACK + layout::FRAME_PREV as u64, 8, 0x66);
    m.store(VM + layout::VM_FRAME as u64, 8, STACK);
    let refused = code.run(&mut m, entry(&[]));
    assert_eq!(refused[1], tag(Tag::RET_OSR_FAIL));
    assert_eq!(m.load(VM + layout::VM_FRAME as u64, 8), STACK);
    assert_eq!(m.load(STACK + layout::FRAME_KIND as u64, 1), 0);
    m.store(r0, 8, 9);
    m.store(r0 + 8, 1, INT);
    assert_eq!(code.run(&mut m, entry(&[])), [81, INT]);
    assert_eq!(m.load(STACK + layout::FRAME_KIND as u64, 1), 2);
    assert_eq!(m.load(VM + layout::VM_FRAME as u64, 8), 0x66);
}

#[test]
fn tables_cells_and_tail_calls() {
    let code = code(
        "func \"memory\" call params 1 stack 8
p0: shape 0x1000
b0(v0: any):
  v1: table = guard_tag.table v0 [fs0 type]
  v2: ptr = literal p0
  guard_shape v1, v2 [fs0 shape]
  v3: any = load_slot.inline.1.2 v1
  v4: int = load_slot.out.3 v1
  v5: int = int 1
  v6: any = load_elem v1, v5
  store_slot.inline.0.2.tag v1, v4
  v7: luafn = self_closure
  v8: cell = upval.2 v7
  store_cell v8, v3
  v9: int = elems_len v1
  store_reg.4 v7
  store_reg.6 v9
  store_reg.7 v6
  tail_call.4.2
fs0: pc 0 regs r0=v0
end
",
    );
    let (table, slots, elems, cell) = (0x3_0000, 0x3_1000, 0x3_2000, 0x3_3000);
    let mut m = Bytes::new();
    m.store(POOL + 8, 8, 0x1000);
    m.store(table + layout::TABLE_SHAPE as u64, 8, 0x1000);
    m.store(table + layout::TABLE_SLOTS as u64, 8, slots);
    m.store(table + layout::TABLE_ELEMS as u64, 8, elems);
    m.store(table + layout::TABLE_LEN as u64, 4, 2);
    m.store(table + layout::TABLE_CAP as u64, 4, 4);
    m.store(table + layout::HEADER_AUX as u64, 1, 0xff);
    let inline = table + layout::TABLE_INLINE as u64;
    m.store(inline + 8, 8, 0x44);
    m.store(inline + 16 + 1, 1, tag(Tag::STR));
    m.store(slots + 24, 8, 21);
    m.store(elems + 8, 8, 1.5f64.to_bits());
    m.store(elems + 32 + 1, 1, tag(Tag::FLOAT));
    m.store(CLOSURE + layout::CLOSURE_UPVALS as u64 + 16, 8, cell);
    m.store(VM + layout::VM_MARKING as u64, 1, 1);
    let result = code.run(&mut m, entry(&[(table, tag(Tag::TABLE))]));
    assert_eq!(result, [2, tag(Tag::RET_TAIL)]);
    assert_eq!(m.value(STACK), [CLOSURE, tag(Tag::LUA_FN)]);
    let args = STACK + layout::FRAME_SIZE as u64;
    assert_eq!(m.value(args), [2, INT]);
    assert_eq!(m.value(args + 16), [1.5f64.to_bits(), tag(Tag::FLOAT)]);
    assert_eq!((m.load(inline, 8), m.load(inline + 16, 1)), (21, INT));
    assert_eq!(m.load(cell + layout::CELL_PAYLOAD as u64, 8), 0x44);
    assert_eq!(m.load(cell + layout::HEADER_AUX as u64, 1), tag(Tag::STR));
    // An integer needs no barrier, a string does.
    assert_eq!(m.calls, [(Helper::Barrier, vec![VM, 0x44, tag(Tag::STR)])]);
}

fn numeric(proto: &Arc<Proto>, tag: Tag, arith: u8) -> FunctionSnapshot {
    let site = SiteSnapshot {
        arith,
        result: 1 << tag.0,
        count: 1,
        ..SiteSnapshot::default()
    };
    FunctionSnapshot {
        proto: proto.clone(),
        proto_addr: PROTO,
        proto_id: 1,
        children: Vec::new(),
        arg_tags: [1 << tag.0; 8],
        sites: vec![site; proto.num_feedback as usize],
        meta_epoch: 1,
        osr_tags: Vec::new(),
        strings: Vec::new(),
        callees: std::collections::HashMap::new(),
        instances: Default::default(),
        world: Default::default(),
        debuggable: false,
        code_size: 0,
        settled: false,
    }
}

/// The passes change no result: numeric functions on many arguments.
#[test]
fn optimized_functions_compute_the_same() {
    let sources = [
        "local function f(a, b) local s = 0 for i = a, b do s = s + i * a - (s // 3) % 7 end return s end",
        "local function f(a, b) local x, y = a, b while y > 0 do x, y = y, x % y if x == 1 then return y end end return x end",
        "local function f(a, b) if a < b and b < 100 or a == 7 then return a * 0 + b * 1 - 0 else return (a ~ b) & 255 | (a << 3) >> 2 end end",
        "local function f(a, b) local t = a for i = 1, 20 do if t % 2 == 0 then t = t // 2 elseif t < b then t = 3 * t + 1 else return t - i end end return t end",
        "local function f(a, b) local s = 0 for i = b, a, -3 do for j = i, i + 5 do s = s + (i - j) * a end end return s end",
        "local function f(a, b) local r = 1 repeat r = r * a % 1000003 b = b - 1 until b <= 0 return r end",
    ];
    let (mut returned, mut exited) = (0, 0);
    for source in sources {
        let main = vela_lua::compile(source.as_bytes(), "=test").expect("valid source");
        for (tag, arith) in [(Tag::INT, 1), (Tag::FLOAT, 2)] {
            let snapshot = numeric(&main.protos[0], tag, arith);
            let input = BuildInput {
                snapshot: &snapshot,
                entry: EntryKind::Call,
                speculate: true,
                max_size: 10_000,
                counters: None,
            };
            let plain = build(&input).expect("a function");
            let mut fast = plain.clone();
            optimize(&mut fast, &mut Fuel::default(), true).expect("correct passes");
            let plain = Code::new(plain, 1, ExitStress::Off).expect("correct");
            let fast = Code::new(fast, 1, ExitStress::Off).expect("correct");
            for a in [-9i64, -1, 0, 1, 2, 7, 31, 60] {
                for b in [-3i64, 0, 1, 5, 12, 99] {
                    let bits = |n: i64| match tag {
                        Tag::FLOAT => (n as f64).to_bits(),
                        _ => n as u64,
                    };
                    let t = u64::from(tag.0);
                    let args = entry(&[(bits(a), t), (bits(b), t)]);
                    let mut results = Vec::new();
                    for code in [&plain, &fast] {
                        let mut m = Bytes::new();
                        m.answers.insert("exit", [0, tag_exit()]);
                        results.push(code.run(&mut m, args));
                    }
                    if results[0][1] == tag_exit() || results[1][1] == tag_exit() {
                        exited += 1;
                    } else {
                        assert_eq!(results[0], results[1], "{source} ({a}, {b})");
                        returned += 1;
                    }
                }
            }
        }
    }
    assert!(returned > 300, "{returned} calls returned, {exited} left");
}

/// What the fake exit helper answers.
fn tag_exit() -> u64 {
    0xdd
}
