//! The verifier accepts good code and names the fault in bad code.

use vela_bytecode::asm::assemble;
use vela_bytecode::verify::{VerifyErrorKind as Kind, verify};
use vela_bytecode::{Instr, Op, Proto};

/// A function with room for everything the tests refer to: registers r0..r11
/// with parameters r0 and r1, constants k0 = "s", k1 = 1, u0, f0..f3.
fn function(code: &str) -> Proto {
    let text = format!(
        ".function 1 2\n.source \"=t\"\n.params 2\n.stack 12\n.feedback 4\n\
         .upval \"_ENV\" upval u0\n.const \"s\"\n.const int 1\n.code\n{code}\n.end"
    );
    assemble(&text).expect("assembles")
}

#[track_caller]
fn accepts(code: &str) {
    if let Err(error) = verify(&function(code)) {
        panic!("{error}\n{code}");
    }
}

#[track_caller]
fn rejects(code: &str, kind: Kind) {
    assert_eq!(
        verify(&function(code)).expect_err(code).kind,
        kind,
        "{code}"
    );
}

#[test]
fn good_code() {
    accepts("return0");
    accepts("add r2, r0, r1, f0\nreturn1 r2");
    accepts("add r2, r0, r1, f-\nreturn1 r2");
    accepts("lt r0, r1, 1, f0\njmp L4\nloadint r2, 1\nreturn1 r2\nL4:\nreturn1 r0");
    accepts("L0:\njmpifnot r0, L3\nloop f0, L0\nL3:\nreturn0");
    accepts("move r2, r0\nmove r4, r1\ncall r2, 2, 3, f0\nreturn r2, 3");
    accepts("move r4, r0\nmove r6, r1\ncall r4, 2, 0, f0\nreturn r4, 0");
    accepts("move r2, r0\nmove r4, r0\ncall r4, 1, 0, f0\ncall r2, 0, 1, f1\nreturn0");
    accepts(
        "loadint r2, 1\nloadint r3, 2\nloadint r4, 1\nforprep r2, f0, L6\nL4:\nmove r6, r5\nforloop r2, f1, L4\nL6:\nreturn0",
    );
    accepts(
        "move r2, r0\nmove r3, r1\nloadnil r4, 1\ntforprep r2, L5\nL4:\nmove r8, r6\nL5:\ntforcall r2, 2, f0\ntforloop r2, f1, L4\nclose r5\nreturn0",
    );
    accepts("newcell r2, r0\ngetcell r3, r2\nsetcell r2, r3\nreturn1 r3");
}

#[test]
fn operands() {
    rejects("move r12, r0\nreturn0", Kind::Register(12));
    rejects("move r2, r200\nreturn0", Kind::Register(200));
    rejects("loadnil r10, 2\nreturn0", Kind::Register(12));
    rejects("loadk r2, k2\nreturn0", Kind::Constant(2));
    rejects("getfield r2, r0, k1, f0\nreturn0", Kind::ConstantType(1));
    rejects("addk r2, r0, k0, f0\nreturn0", Kind::ConstantType(0));
    rejects("setfield r0, k0, k9, f0\nreturn0", Kind::Constant(9));
    rejects("getupval r2, u1\nreturn0", Kind::Upvalue(1));
    rejects("add r2, r0, r1, f4\nreturn0", Kind::Feedback(4));
    rejects("closure r2, p0\nreturn0", Kind::Prototype(0));
    rejects("loadbool r2, 2\nreturn0", Kind::Operand);
    rejects("concat r2, r0, 1, f0\nreturn0", Kind::Operand);
    rejects("concat r2, r1, 20, f0\nreturn0", Kind::Register(20));
    rejects("eqk r0, k0, 2, f0\njmp L2\nL2:\nreturn0", Kind::Operand);
    rejects("call r11, 1, 1, f0\nreturn0", Kind::Register(12));
    rejects("call r2, 20, 1, f0\nreturn0", Kind::Register(22));
    rejects("call r2, 1, 20, f0\nreturn0", Kind::Register(20));
    rejects("self r10, r0, k0, f0\nreturn0", Kind::Register(12));
    rejects("return r10, 5\n", Kind::Register(13));
    rejects("vararg r2, 2\nreturn0", Kind::Vararg);
    rejects("return0\nvarargprep\nreturn0", Kind::Vararg);
    rejects("varargprep\nreturn0", Kind::Vararg);
    rejects("tforcall r6, 1, f0\nreturn0", Kind::Register(13));
    rejects(".word 0xff\nreturn0", Kind::Opcode(0xff));
    let mut unused = function("return0");
    unused.code[0] = Instr::abcd(Op::Return0, 0, 0, 0, 7);
    assert_eq!(
        verify(&unused).expect_err("unused operand").kind,
        Kind::Operand
    );
}

#[test]
fn jumps() {
    rejects("loadint r2, 1", Kind::FallsOff);
    rejects("jmpif r0, L1\nL1:", Kind::FallsOff);
    rejects("lt r0, r1, 1, f0\njmp L2\nL2:", Kind::FallsOff);
    rejects("jmp L1\nL1:", Kind::Jump(1));
    rejects("L0:\njmp L0", Kind::Jump(0));
    rejects("loop f0, L1\nL1:\nreturn0", Kind::Jump(1));
    rejects("lt r0, r1, 1, f0\nreturn0", Kind::ComparisonWithoutJump);
    rejects(
        "jmpif r0, L2\nlt r0, r1, 1, f0\nL2:\njmp L3\nL3:\nreturn0",
        Kind::JumpIntoPair(2),
    );
    let mut past = function("jmp L1\nL1:\nreturn0");
    past.code[0] = past.code[0].with_sbx(-5);
    assert_eq!(verify(&past).expect_err("target").kind, Kind::Jump(-4));
}

#[test]
fn loops() {
    let three = "loadint r2, 1\nloadint r3, 2\nloadint r4, 1\n";
    rejects(
        &format!("{three}forprep r2, f0, L4\nL4:\nreturn0"),
        Kind::LoopMismatch,
    );
    rejects(
        &format!("{three}forprep r2, f0, L5\nL4:\nforloop r1, f1, L4\nL5:\nreturn0"),
        Kind::LoopMismatch,
    );
    rejects(
        &format!("{three}forprep r2, f0, L6\nL4:\nmove r3, r0\nforloop r2, f1, L4\nL6:\nreturn0"),
        Kind::LoopState,
    );
    // into the body past the forprep
    rejects(
        &format!("{three}jmpif r0, L5\nforprep r2, f0, L6\nL5:\nforloop r2, f1, L5\nL6:\nreturn0"),
        Kind::LoopState,
    );
    rejects(
        "forprep r2, f0, L2\nL1:\nforloop r2, f1, L1\nL2:\nreturn0",
        Kind::NoValue(4),
    );
    rejects(
        "loadnil r2, 3\ntforprep r2, L2\nL2:\nreturn0",
        Kind::LoopMismatch,
    );
}

#[test]
fn open_lists() {
    rejects("move r2, r0\ncall r2, 0, 1, f0\nreturn0", Kind::OpenList);
    rejects("move r2, r0\ncall r2, 1, 0, f0\nreturn0", Kind::OpenList);
    rejects(
        "move r2, r0\ncall r2, 1, 0, f0\nreturn r3, 0",
        Kind::OpenList,
    );
    rejects(
        "move r2, r0\nmove r3, r0\njmpif r0, L4\ncall r3, 1, 0, f0\nL4:\nreturn r2, 0",
        Kind::JumpIntoPair(4),
    );
}

#[test]
fn registers_must_hold_what_is_read() {
    rejects("return1 r2", Kind::NoValue(2));
    rejects(
        "jmpif r0, L2\nloadint r2, 1\nL2:\nreturn1 r2",
        Kind::NoValue(2),
    );
    rejects("newcell r2, r0\nreturn1 r2", Kind::NoValue(2));
    rejects("getcell r2, r0\nreturn0", Kind::NoCell(0));
    rejects("setcell r0, r1\nreturn0", Kind::NoCell(0));
    rejects(
        "move r2, r0\njmpif r0, L3\nnewcell r2, r0\nL3:\ngetcell r3, r2\nreturn0",
        Kind::NoCell(2),
    );
    // a call destroys what is above it
    rejects(
        "loadint r5, 1\nmove r2, r0\ncall r2, 1, 2, f0\nreturn1 r5",
        Kind::NoValue(5),
    );
    let mut parent = function("closure r2, p0\nreturn0");
    let child = assemble(
        ".function 1 1\n.params 0\n.stack 2\n.feedback 0\n.upval \"x\" cell r0\n.code\nreturn0\n.end",
    );
    parent
        .protos
        .push(std::sync::Arc::new(child.expect("child")));
    assert_eq!(verify(&parent).expect_err("no cell").kind, Kind::NoCell(0));
}

#[test]
fn to_be_closed() {
    accepts("tbc r1\nclose r1\nreturn0");
    accepts("tbc r1\nreturn1 r0");
    rejects("tbc r1\nmove r1, r0\nreturn0", Kind::ToBeClosed);
    rejects("tbc r1\ntbc r0\nreturn0", Kind::ToBeClosed);
    rejects("tbc r1\ncall r0, 1, 1, f0\nreturn0", Kind::ToBeClosed);
    rejects("tbc r1\nmove r2, r0\ntailcall r2, 1, f0", Kind::ToBeClosed);
}

#[test]
fn headers() {
    let empty = Proto::default();
    assert_eq!(verify(&empty).expect_err("empty").kind, Kind::CodeLength);
    let mut p = function("return0");
    p.max_stack = 1;
    assert_eq!(verify(&p).expect_err("stack").kind, Kind::FrameSize);
    let mut p = function("return0");
    p.is_vararg = true;
    assert_eq!(verify(&p).expect_err("vararg").kind, Kind::Vararg);
    let mut deep = function("return0");
    for _ in 0..300 {
        let mut outer = function("return0");
        outer.protos.push(std::sync::Arc::new(deep));
        deep = outer;
    }
    assert_eq!(verify(&deep).expect_err("nesting").kind, Kind::Nesting);
    let mut p = function("return0");
    let mut child = function("return0");
    child.upvals[0].source = vela_bytecode::UpvalSource::ParentUpval(1);
    p.protos.push(std::sync::Arc::new(child));
    assert_eq!(
        verify(&p).expect_err("upvalue").kind,
        Kind::UpvalueSource(0)
    );
}

#[test]
fn locals_must_match_the_code() {
    accepts(".local \"x\" r0 0 1\nreturn0");
    rejects(".local \"x\" r2 0 1\nreturn0", Kind::Local(0));
    rejects(".local \"x\" r0 0 1 cell\nreturn0", Kind::Local(0));
    rejects(".local \"x\" r0 0 9\nreturn0", Kind::Local(0));
    rejects(".local \"x\" r40 0 1\nreturn0", Kind::Local(0));
}
