//! Hostile sizes: deep nesting is an error, long chains compile.

use vela_bytecode::verify;
use vela_lua::compile;

const N: usize = 200_000;

#[test]
fn deep_nesting_is_an_error() {
    let shapes = [
        ("return ", "(", "1", ")"),
        ("return ", "{", "", "}"),
        ("return ", "f(", "1", ")"),
        ("return ", "a[", "1", "]"),
        ("return ", "- ", "1", ""),
        ("return ", "not ", "1", ""),
        ("return ", "a..", "a", ""),
        ("return ", "a^", "a", ""),
        ("return ", "function() return ", "1", " end"),
        ("", "do ", "", " end"),
        ("", "while a do ", "", " end"),
        ("", "repeat ", "", " until a"),
        ("", "for i = 1, 2 do ", "", " end"),
        ("", "if a then ", "", " end"),
        ("", "if a then else ", "", " end"),
        ("", "function f() ", "", " end"),
        ("", "local function f() ", "", " end"),
        ("x=", "a,", "1", ""),
        ("a", ",a", "= 1", ""),
        ("return ", "[", "", ""),
        ("return ", "::", "", ""),
        ("", "::a::", "", ""),
    ];
    for (before, open, middle, close) in shapes {
        let source = format!("{before}{}{middle}{}", open.repeat(N), close.repeat(N));
        let error = compile(source.as_bytes(), "=s").expect_err(open);
        let text = error.to_string();
        assert!(!text.is_empty(), "{open}");
    }
}

#[test]
fn nesting_limit_is_pucs() {
    let nested = |n: usize| format!("return {}1{}", "(".repeat(n), ")".repeat(n));
    assert!(compile(nested(195).as_bytes(), "=s").is_ok());
    let error = compile(nested(196).as_bytes(), "=s").expect_err("too deep");
    assert_eq!(error.message(), b"C stack overflow");
}

#[test]
fn long_chains_compile() {
    let sources = [
        format!("local a; return a{}", "+a".repeat(N)),
        format!("local a; return a{}", "*2".repeat(N)),
        format!("local a; return a{}", "<a".repeat(N)),
        format!("local a; return a{}", "==1".repeat(N)),
        format!("local a; return a{}", " and a".repeat(N)),
        format!("local a; a = b{}", " or a".repeat(N)),
        format!("local a; if a{} then end", " and a.b".repeat(N)),
        format!("local a; return a{}", " and 1 or 2".repeat(N)),
        format!("local a; return a{}", ".b".repeat(N)),
        format!("local a; return a{}", "[1]".repeat(N)),
        format!("f{}", "()".repeat(N)),
        format!("f{}", ":m()".repeat(N)),
        format!("f{}", "{}".repeat(N)),
        format!("f{} = 1", "[f].x".repeat(N)),
        format!("if a then {} end", "elseif b then x() ".repeat(N)),
        "x = 1;".repeat(N),
        format!("return {{{}}}", "1,".repeat(N)),
        format!("return {{{}}}", "a=1,".repeat(N)),
        format!("do {} end", "goto continue;".repeat(1000)) + " ::continue::",
    ];
    for source in sources {
        let start = &source[..30.min(source.len())];
        let proto = compile(source.as_bytes(), "=s").expect(start);
        verify(&proto).expect(start);
        drop(proto);
    }
}
