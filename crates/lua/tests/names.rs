//! What values are called in error messages: compared with PUC Lua's words.

use vela_bytecode::names::{ObjName, function_name, indexed_name, register_name};
use vela_bytecode::{Instr, Op, Proto};
use vela_lua::compile;

fn main_of(source: &str) -> std::sync::Arc<Proto> {
    compile(source.as_bytes(), "=s").expect(source)
}

fn text(name: Option<ObjName<'_>>) -> String {
    name.map_or_else(
        || "none".to_owned(),
        |n| format!("{} '{}'", n.kind, String::from_utf8_lossy(n.name)),
    )
}

/// The last instruction that satisfies the test.
fn last(p: &Proto, test: impl Fn(Instr, Op) -> bool) -> u32 {
    let at = p
        .code
        .iter()
        .rposition(|&i| i.op().is_some_and(|op| test(i, op)));
    at.expect("such an instruction") as u32
}

#[track_caller]
fn callee(source: &str, want: &str) {
    let p = main_of(source);
    let pc = last(&p, |_, op| matches!(op, Op::Call | Op::TailCall));
    assert_eq!(text(function_name(&p, pc)), want, "{source}");
}

#[track_caller]
fn indexed(source: &str, want: &str) {
    let p = main_of(source);
    let pc = last(&p, |_, op| {
        let m = op.mnemonic();
        m.starts_with("get") && !m.contains("cell") && !m.contains("upval")
            || m == "self"
            || m.starts_with("setf")
            || m.starts_with("seti")
    });
    assert_eq!(text(indexed_name(&p, pc)), want, "{source}");
}

#[test]
fn callees() {
    callee("f()", "global 'f'");
    callee("local f; f()", "local 'f'");
    callee("local t; t.f()", "field 'f'");
    callee("local t; t:m()", "method 'm'");
    callee("local t; t.x.y.z(1)", "field 'z'");
    callee("local t, k; t[k]()", "field '?'");
    callee("local t; t[1]()", "field 'integer index'");
    callee("local t; local k <const> = 'key'; t[k]()", "field 'key'");
    callee("local f; local function g() return f end; f()", "local 'f'");
    callee("f()()", "none");
    callee("(f or g)()", "none");
    callee("local _ENV = {}; f()", "global 'f'");
    callee("return f(1)", "global 'f'");
}

#[test]
fn inside_closures() {
    let p = main_of("local f, t; return function() f(); t.x.y = 1 end");
    let inner = &p.protos[0];
    let call = last(inner, |_, op| op == Op::Call);
    assert_eq!(text(function_name(inner, call)), "upvalue 'f'");
    let set = last(inner, |_, op| op == Op::SetField);
    assert_eq!(text(indexed_name(inner, set)), "field 'x'");
}

#[test]
fn indexed_values() {
    indexed("local t; return t.x", "local 't'");
    indexed("return a.x", "global 'a'");
    indexed("return a.b.c", "field 'b'");
    indexed("local t; t.x = 1", "local 't'");
    indexed("local t; t[1] = 1", "local 't'");
    indexed("local t; t.a[t] = 1", "field 'a'");
    indexed("x = 1; return x", "upvalue '_ENV'");
    indexed("local t; return (t.a).b:c()", "field 'b'");
    indexed("return ('x').y", "constant 'x'");
}

#[test]
fn operands() {
    let p = main_of("local a; return a.x + 1");
    let add = last(&p, |_, op| op == Op::AddI);
    let reg = p.code[add as usize].b() as u8;
    assert_eq!(text(register_name(&p, add, reg)), "field 'x'");
    assert_eq!(text(function_name(&p, add)), "metamethod 'add'");
    let p = main_of("local a, b; return a .. b");
    let concat = last(&p, |_, op| op == Op::Concat);
    assert_eq!(text(function_name(&p, concat)), "metamethod 'concat'");
    let p = main_of("for x in f() do end");
    let call = last(&p, |_, op| op == Op::TForCall);
    assert_eq!(text(function_name(&p, call)), "for iterator 'for iterator'");
    let p = main_of("local a, b; if a > b then end");
    let cmp = last(&p, |_, op| op == Op::Lt);
    assert_eq!(text(function_name(&p, cmp)), "metamethod 'lt'");
}
