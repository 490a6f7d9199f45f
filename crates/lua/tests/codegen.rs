//! The code generated for each construct, as disassembly.
//!
//! `tests/golden/codegen.txt` holds sources and their code; set `VELA_BLESS`
//! to rewrite it after a deliberate change.

use std::fmt::Write;
use vela_bytecode::disasm::disassemble;
use vela_bytecode::verify;
use vela_lua::compile;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/codegen.txt");

/// The parts of the disassembly that depend on code generation only.
fn code(source: &str) -> String {
    let proto = compile(source.as_bytes(), "=s").expect(source);
    verify(&proto).expect(source);
    let hidden = [
        ".line",
        ".source",
        ".feedback",
        ".const",
        ".code",
        ".params",
    ];
    let mut out = String::new();
    for line in disassemble(&proto).lines() {
        if !hidden.iter().any(|h| line.trim_start().starts_with(h)) {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

#[test]
fn golden() {
    let text = std::fs::read_to_string(GOLDEN).expect("golden file");
    let mut actual = String::new();
    for case in text.split("==== ").skip(1) {
        let source = case.lines().next().unwrap_or_default();
        let _ = write!(actual, "==== {source}\n{}", code(source));
    }
    if std::env::var_os("VELA_BLESS").is_some() {
        std::fs::write(GOLDEN, &actual).expect("golden file");
    }
    let want = std::fs::read_to_string(GOLDEN).expect("golden file");
    for (a, w) in actual.split("==== ").zip(want.split("==== ")) {
        assert_eq!(a, w);
    }
    assert_eq!(actual.len(), want.len());
}

/// Lines of the instructions with this mnemonic.
fn lines(source: &str, mnemonic: &str) -> Vec<u32> {
    let proto = compile(source.as_bytes(), "=s").expect(source);
    proto
        .code
        .iter()
        .enumerate()
        .filter(|(_, i)| i.op().is_some_and(|op| op.mnemonic() == mnemonic))
        .filter_map(|(pc, _)| proto.lines.line(pc as u32))
        .collect()
}

#[test]
fn lines_of_errors() {
    assert_eq!(lines("local a\n= f\n(\n1\n)", "call"), [3]);
    assert_eq!(lines("local a, b = 1, 2\nlocal c = a\n+\nb", "add"), [3]);
    assert_eq!(lines("local a\nlocal c =\n-\na", "unm"), [3]);
    assert_eq!(lines("local a\nlocal c = a\n.\nx\n.y", "getfield"), [4, 5]);
    assert_eq!(lines("local a\na.x =\n1\n", "setfield"), [3]);
    assert_eq!(lines("local a\nfunction a.f()\n\nend", "setfield"), [2]);
    assert_eq!(lines("local a\nlocal b = a ..\n1 ..\n2", "concat"), [3]);
    assert_eq!(lines("for i = 1,\n2 do\nf()\nend", "forloop"), [1]);
    assert_eq!(lines("local a, b\nif a\n<\nb then end", "lt"), [4]);
}

#[test]
fn local_in_its_own_initialiser_is_not_in_scope() {
    assert!(code("local x = x").contains("gettabup r0, u0, k0"));
}

#[test]
fn feedback_slots_run_out_quietly() {
    let source = "x = x\n".repeat(40_000);
    let proto = compile(source.as_bytes(), "=s").expect("compiles");
    assert_eq!(proto.num_feedback, 65_535);
    let last = proto.code[proto.code.len() - 2];
    assert_eq!(last.d(), vela_bytecode::NO_FEEDBACK);
    verify(&proto).expect("valid");
}

#[test]
fn many_constants_fall_back_to_registers() {
    let mut source = String::from("local t = {}\n");
    for i in 0..70_000 {
        let _ = writeln!(source, "t.k{i} = 'v{i}'");
    }
    source.push_str("t:unique(t.other + 123456.5); t.last = 'last'; return t.x == 'never'");
    let proto = compile(source.as_bytes(), "=s").expect("compiles");
    assert!(proto.constants.len() > 140_000);
    verify(&proto).expect("valid");
}

#[test]
fn reassigned_flags() {
    let flags = |source: &str| {
        let proto = compile(source.as_bytes(), "=s").expect(source);
        let child = proto.protos[0].clone();
        child
            .upvals
            .iter()
            .map(|u| u.reassigned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        flags("local x = 1; return function() return x end"),
        [false]
    );
    assert_eq!(
        flags("local x; local f = function() return x end; x = 1"),
        [true]
    );
    assert_eq!(flags("local x; return function() x = 1 end"), [true]);
    assert_eq!(flags("local function f() return f() end"), [false]);
    assert_eq!(flags("local f; f = function() return f() end"), [true]);
    assert_eq!(flags("local x; function x() return x end"), [true]);
    assert_eq!(flags("return function() return y end"), [false]);
    assert_eq!(
        flags("local f = function() return y end; _ENV = {}"),
        [true]
    );
}
