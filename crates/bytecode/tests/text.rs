//! The assembler: round trips and errors.

use vela_bytecode::asm::{AsmErrorKind as Kind, assemble};
use vela_bytecode::disasm::disassemble;
use vela_bytecode::{Constant, Instr, LineTable, Op, Proto, UpvalDesc, UpvalSource};

/// A function with one instruction of every opcode, operands at their limits.
fn everything() -> Proto {
    let mut p = Proto {
        source: "@\u{e9} \"x\"\n".into(),
        line_defined: 7,
        last_line: u32::MAX,
        num_params: 3,
        is_vararg: true,
        max_stack: 255,
        num_feedback: 65_535,
        ..Proto::default()
    };
    for (i, &op) in Op::ALL.iter().enumerate() {
        let mut operands = [0u64; 4];
        let mut wide = None;
        for (slot, letter) in op.format().bytes().enumerate() {
            operands[slot] = match letter {
                b'R' | b'W' | b'M' | b'U' => 250 + slot as u64,
                b'X' if i % 2 == 0 => 300,
                b'X' => 17,
                b'I' => (-300i16) as u16 as u64,
                b'K' | b'S' | b'N' => 65_000,
                b'F' if i % 3 == 0 => 65_535,
                b'F' => 12_345,
                b'J' if op.is_jump() => {
                    wide = Some(if i % 2 == 0 { 1 } else { -(i as i32) });
                    0
                }
                b'J' => {
                    wide = Some(i32::MIN);
                    0
                }
                b'B' | b'C' | b'P' => {
                    wide = Some(-1);
                    0
                }
                _ => 0,
            };
        }
        let [a, b, c, d] = operands;
        p.code.push(match wide {
            Some(n) => Instr::asbx(op, a as u8, b as u16, n),
            None => Instr::abcd(op, a as u8, b as u16, c as u16, d as u16),
        });
    }
    p.code.push(Instr(u64::MAX));
    p.constants = vec![
        Constant::Nil,
        Constant::Bool(true),
        Constant::Bool(false),
        Constant::Int(i64::MIN),
        Constant::Float(0.1),
        Constant::Float(-0.0),
        Constant::Float(f64::INFINITY),
        Constant::Float(f64::from_bits(0xfff8_0000_0000_0001)),
        Constant::Float(5e-324),
        Constant::Str((0..=255).collect::<Vec<u8>>().into()),
        Constant::Str(b"; \"quoted\" \\n".as_slice().into()),
    ];
    p.lines = LineTable::from_runs(vec![(0, 7), (3, 9), (4, 1)]).expect("ascending");
    p
}

#[test]
fn every_opcode_round_trips() {
    let p = everything();
    let text = disassemble(&p);
    assert_eq!(assemble(&text).expect(&text), p);
}

/// Names stand in comments too, where a newline would end the comment.
#[test]
fn names_of_any_text_round_trip() {
    let p = Proto {
        max_stack: 1,
        upvals: vec![UpvalDesc {
            name: Some("a\nb\r\u{2028}\";".into()),
            source: UpvalSource::ParentUpval(0),
            reassigned: false,
        }],
        constants: vec![Constant::Str(b"x\ny".as_slice().into())],
        code: vec![Instr::abcd(Op::GetTabUp, 0, 0, 0, 0)],
        ..Proto::default()
    };
    let text = disassemble(&p);
    assert!(text.contains("; a\\nb"), "{text}");
    assert_eq!(assemble(&text).expect(&text), p);
}

#[test]
fn errors() {
    let wrap = |body: &str| format!(".function 0 0\n.code\n{body}\n.end\n");
    let kind = |text: &str| assemble(text).expect_err(text).kind;
    assert_eq!(kind(""), Kind::UnexpectedEnd);
    assert_eq!(kind(".function 0 0\n"), Kind::UnexpectedEnd);
    assert_eq!(kind(&(wrap("") + "x")), Kind::TrailingText);
    assert_eq!(kind("code"), Kind::Unexpected("code".into()));
    assert_eq!(
        kind(&wrap("frob r1")),
        Kind::UnknownInstruction("frob".into())
    );
    assert_eq!(kind(&wrap("return1 r256")), Kind::OutOfRange("256".into()));
    assert_eq!(kind(&wrap("jmp Lx")), Kind::UndefinedLabel("Lx".into()));
    assert_eq!(kind(&wrap("L:\nL:")), Kind::DuplicateLabel("L".into()));
    assert_eq!(kind(&wrap(".line 1\n.line 2")), Kind::DuplicateLine);
    assert_eq!(kind(&wrap("return0 r1")), Kind::Unexpected("r1".into()));
    assert_eq!(kind(&wrap(".const \"abc")), Kind::BadString);
    assert_eq!(kind(&wrap(".const \"\\q\"")), Kind::BadString);
    assert_eq!(kind(&wrap(".source \"\\xff\"")), Kind::NotUtf8);
    assert_eq!(
        kind(&wrap("move r1, k1")),
        Kind::Operand {
            expected: "a register",
            found: "k1".into()
        }
    );
    assert_eq!(kind(&".function 0 0\n".repeat(1000)), Kind::Nesting);
    assert_eq!(assemble(&wrap("\n\nfrob")).expect_err("line").line, 5);
}
