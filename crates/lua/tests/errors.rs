//! Error messages: those of PUC Lua 5.4.8, word for word.

use vela_lua::{chunk_id, compile};

/// Source text and the message of PUC Lua's `load(text, "=s")`.
#[rustfmt::skip]
const MESSAGES: &[(&[u8], &[u8])] = &[
    (b"x =", b"s:1: unexpected symbol near <eof>"),
    (b"x = = 2", b"s:1: unexpected symbol near '='"),
    (b"x = }", b"s:1: unexpected symbol near '}'"),
    (b"for", b"s:1: <name> expected near <eof>"),
    (b"for i", b"s:1: '=' or 'in' expected near <eof>"),
    (b"for i = 1", b"s:1: ',' expected near <eof>"),
    (b"for i = 1 do end", b"s:1: ',' expected near 'do'"),
    (b"for i, j = 1, 2 do end", b"s:1: 'in' expected near '='"),
    (b"for a.b in x do end", b"s:1: '=' or 'in' expected near '.'"),
    (b"while true", b"s:1: 'do' expected near <eof>"),
    (b"if x", b"s:1: 'then' expected near <eof>"),
    (b"if x then else elseif", b"s:1: 'end' expected near 'elseif'"),
    (b"repeat", b"s:1: 'until' expected near <eof>"),
    (b"repeat until", b"s:1: unexpected symbol near <eof>"),
    (b"local", b"s:1: <name> expected near <eof>"),
    (b"local function", b"s:1: <name> expected near <eof>"),
    (b"local function f", b"s:1: '(' expected near <eof>"),
    (b"local x <foo> = 1", b"s:1: unknown attribute 'foo'"),
    (b"local x <close>, y <close> = 1, 2", b"s:1: multiple to-be-closed variables in local list"),
    (b"local x <const> = 1; x = 2", b"s:1: attempt to assign to const variable 'x'"),
    (b"local x <const> = f(); x = 2", b"s:1: attempt to assign to const variable 'x'"),
    (b"local x <const> = f(); function g() x = 2 end", b"s:1: attempt to assign to const variable 'x'"),
    (b"local x <close> = nil; x = 3", b"s:1: attempt to assign to const variable 'x'"),
    (b"local x <const> = 1; function x() end", b"s:1: attempt to assign to const variable 'x'"),
    (b"function f( end", b"s:1: <name> or '...' expected near 'end'"),
    (b"function f(a,) end", b"s:1: <name> or '...' expected near ')'"),
    (b"function f(..., a) end", b"s:1: ')' expected near ','"),
    (b"function f(a b) end", b"s:1: ')' expected near 'b'"),
    (b"function f() return ... end", b"s:1: cannot use '...' outside a vararg function near '...'"),
    (b"f(", b"s:1: unexpected symbol near <eof>"),
    (b"f(1", b"s:1: ')' expected near <eof>"),
    (b"f(1,", b"s:1: unexpected symbol near <eof>"),
    (b"f x", b"s:1: syntax error near 'x'"),
    (b"a.b", b"s:1: syntax error near <eof>"),
    (b"a", b"s:1: syntax error near <eof>"),
    (b"a:b", b"s:1: function arguments expected near <eof>"),
    (b"a:b.c()", b"s:1: function arguments expected near '.'"),
    (b"(a) = 1", b"s:1: syntax error near '='"),
    (b"(a).b = 1 x", b"s:1: syntax error near <eof>"),
    (b"f() = 1", b"s:1: syntax error near '='"),
    (b"a, f() = 1, 2", b"s:1: syntax error near '='"),
    (b"a, b", b"s:1: '=' expected near <eof>"),
    (b"1 = 2", b"s:1: unexpected symbol near '1'"),
    (b"\"x\" = 2", b"s:1: unexpected symbol near '\"x\"'"),
    (b"return 1, ", b"s:1: unexpected symbol near <eof>"),
    (b"return return", b"s:1: unexpected symbol near 'return'"),
    (b"break", b"s:1: break outside loop at line 1"),
    (b"goto", b"s:1: <name> expected near <eof>"),
    (b"goto l", b"s:1: no visible label 'l' for <goto> at line 1"),
    (b"goto l; do ::l:: end", b"s:1: no visible label 'l' for <goto> at line 1"),
    (b"::l:: ::l::", b"s:1: label 'l' already defined on line 1"),
    (b"::l:: goto l; ::l::", b"s:1: label 'l' already defined on line 1"),
    (b"do goto l end; local a; ::l:: print(a)", b"s:1: <goto l> at line 1 jumps into the scope of local 'a'"),
    (b"repeat goto c; local x; ::c:: until x", b"s:1: <goto c> at line 1 jumps into the scope of local 'x'"),
    (b"::1::", b"s:1: <name> expected near '1'"),
    (b"x = 3x", b"s:1: malformed number near '3x'"),
    (b"x = 0x", b"s:1: malformed number near '0x'"),
    (b"x = 0xg", b"s:1: malformed number near '0xg'"),
    (b"x = 1e", b"s:1: malformed number near '1e'"),
    (b"x = 1e+", b"s:1: malformed number near '1e+'"),
    (b"x = 1..2", b"s:1: malformed number near '1..2'"),
    (b"x = 3.4.5", b"s:1: malformed number near '3.4.5'"),
    (b"x = .e1", b"s:1: unexpected symbol near '.'"),
    (b"x = \"abc", b"s:1: unfinished string near <eof>"),
    (b"x = 'abc", b"s:1: unfinished string near <eof>"),
    (b"x = \"a\\q\"", b"s:1: invalid escape sequence near '\"a\\q'"),
    (b"x = \"\\300\"", b"s:1: decimal escape too large near '\"\\300\"'"),
    (b"x = \"\\xag\"", b"s:1: hexadecimal digit expected near '\"\\xag'"),
    (b"x = \"\\xa\"", b"s:1: hexadecimal digit expected near '\"\\xa\"'"),
    (b"x = \"\\u{110000000}\"", b"s:1: UTF-8 value too large near '\"\\u{110000000'"),
    (b"x = \"\\u{zz}\"", b"s:1: hexadecimal digit expected near '\"\\u{z'"),
    (b"x = \"\\u123\"", b"s:1: missing '{' near '\"\\u1'"),
    (b"x = \"\\u{12\"", b"s:1: missing '}' near '\"\\u{12\"'"),
    (b"x = \"\\u{7fffffff}\" y", b"s:1: syntax error near <eof>"),
    (b"x = \"abc\\", b"s:1: unfinished string near <eof>"),
    (b"x = [[abc", b"s:1: unfinished long string (starting at line 1) near <eof>"),
    (b"x = [==[abc]=]", b"s:1: unfinished long string (starting at line 1) near <eof>"),
    (b"x = [=abc", b"s:1: invalid long string delimiter near '[='"),
    (b"--[[ abc", b"s:1: unfinished long comment (starting at line 1) near <eof>"),
    (b"--[==[ abc ]]", b"s:1: unfinished long comment (starting at line 1) near <eof>"),
    (b"x = {1,2", b"s:1: '}' expected near <eof>"),
    (b"x = {1 2}", b"s:1: '}' expected near '2'"),
    (b"x = {a = }", b"s:1: unexpected symbol near '}'"),
    (b"x = {[1] 2}", b"s:1: '=' expected near '2'"),
    (b"x = {[1}", b"s:1: ']' expected near '}'"),
    (b"x = {a b}", b"s:1: '}' expected near 'b'"),
    (b"x = @", b"s:1: unexpected symbol near '@'"),
    (b"x = $y", b"s:1: unexpected symbol near '$'"),
    (b"x = a ? b", b"s:1: unexpected symbol near '?'"),
    (b"x = \\1", b"s:1: unexpected symbol near '\\'"),
    (b"x = 5 + ", b"s:1: unexpected symbol near <eof>"),
    (b"x = not", b"s:1: unexpected symbol near <eof>"),
    (b"x = -", b"s:1: unexpected symbol near <eof>"),
    (b"x = #", b"s:1: unexpected symbol near <eof>"),
    (b"x = a.1", b"s:1: unexpected symbol near '.1'"),
    (b"x = a.\"x\"", b"s:1: <name> expected near '\"x\"'"),
    (b"x = a.b:", b"s:1: <name> expected near <eof>"),
    (b"x = a[1", b"s:1: ']' expected near <eof>"),
    (b"x = (1", b"s:1: ')' expected near <eof>"),
    (b"x = (1 2)", b"s:1: ')' expected near '2'"),
    (b"x = function", b"s:1: '(' expected near <eof>"),
    (b"x = function (a) ", b"s:1: 'end' expected near <eof>"),
    (b"x = function (a) return 1", b"s:1: 'end' expected near <eof>"),
    (b"and", b"s:1: unexpected symbol near 'and'"),
    (b"end", b"s:1: <eof> expected near 'end'"),
    (b"x = nil.x", b"s:1: unexpected symbol near '.'"),
    (b"x = {}.x", b"s:1: unexpected symbol near '.'"),
    (b"f{1}{2}\"x\" = 1", b"s:1: syntax error near '='"),
    (b"local a = {...}; local function f() return {...} end", b"s:1: cannot use '...' outside a vararg function near '...'"),
    (b"if a then return 1 return 2 end", b"s:1: 'end' expected near 'return'"),
    (b"x = \"\" y = '' z", b"s:1: syntax error near <eof>"),
    (b"x = [[a]] 5", b"s:1: unexpected symbol near '5'"),
    (b"x = 12 12", b"s:1: unexpected symbol near '12'"),
    (b"x = 0x10 0x10", b"s:1: unexpected symbol near '0x10'"),
    (b"x = 1.5 2", b"s:1: unexpected symbol near '2'"),
    (b"x ~= 1", b"s:1: syntax error near '~='"),
    (b"x == 1", b"s:1: syntax error near '=='"),
    (b"x + 1", b"s:1: syntax error near '+'"),
    (b"a.b.c = 1 = 2", b"s:1: unexpected symbol near '='"),
    (b"local a.b = 1", b"s:1: unexpected symbol near '.'"),
    (b"local 1", b"s:1: <name> expected near '1'"),
    (b"local x y", b"s:1: syntax error near <eof>"),
    (b"for i = 1, 2, 3, 4 do end", b"s:1: 'do' expected near ','"),
    (b"for i in x, do end", b"s:1: unexpected symbol near 'do'"),
    (b"for 1 = 1, 2 do end", b"s:1: <name> expected near '1'"),
    (b"function a.b:c.d() end", b"s:1: '(' expected near '.'"),
    (b"function a:b:c() end", b"s:1: '(' expected near ':'"),
    (b"function 1() end", b"s:1: <name> expected near '1'"),
    (b"goto = 1", b"s:1: <name> expected near '='"),
    (b"local t = {x, y z}", b"s:1: '}' expected near 'z'"),
    (b"x = y <const>", b"s:1: unexpected symbol near <eof>"),
    (b"::a", b"s:1: '::' expected near <eof>"),
    (b"::a:", b"s:1: '::' expected near ':'"),
    (b"x = ~", b"s:1: unexpected symbol near <eof>"),
    (b"x = a ~ ", b"s:1: unexpected symbol near <eof>"),
    (b"x = ...+", b"s:1: unexpected symbol near <eof>"),
    (b"x = a and", b"s:1: unexpected symbol near <eof>"),
    (b"x = 'a\\z   ", b"s:1: unfinished string near <eof>"),
    (b"x = 'a\\0b", b"s:1: unfinished string near <eof>"),
    (b"x = 1\ny = \nz =", b"s:3: unexpected symbol near '='"),
    (b"f(\n1\n", b"s:3: ')' expected (to close '(' at line 1) near <eof>"),
    (b"if x then\n y()\n", b"s:3: 'end' expected (to close 'if' at line 1) near <eof>"),
    (b"function f()\n x = 1\n", b"s:3: 'end' expected (to close 'function' at line 1) near <eof>"),
    (b"x = (\n1\n2)", b"s:3: ')' expected (to close '(' at line 1) near '2'"),
    (b"x = {\n1\n2}", b"s:3: '}' expected (to close '{' at line 1) near '2'"),
    (b"for i=1,2 do\n f()\n", b"s:3: 'end' expected (to close 'for' at line 1) near <eof>"),
    (b"while x do\n\n", b"s:3: 'end' expected (to close 'while' at line 1) near <eof>"),
    (b"repeat\n x()\n", b"s:3: 'until' expected (to close 'repeat' at line 1) near <eof>"),
    (b"do\n\n", b"s:3: 'end' expected (to close 'do' at line 1) near <eof>"),
    (b"x = function()\n\n", b"s:3: 'end' expected (to close 'function' at line 1) near <eof>"),
    (b"x = [[\n\nabc\n", b"s:4: unfinished long string (starting at line 1) near <eof>"),
    (b"--[[\n\n", b"s:3: unfinished long comment (starting at line 1) near <eof>"),
    (b"x = 'a\nb'", b"s:1: unfinished string near ''a'"),
    (b"x='\\z\n\n \nabc", b"s:4: unfinished string near <eof>"),
    (b"\n\n\nx = ;", b"s:4: unexpected symbol near ';'"),
    (b"goto x\n\n::y::", b"s:3: no visible label 'x' for <goto> at line 1"),
    (b"break\n\n", b"s:3: break outside loop at line 1"),
    (b"for i=1,2 do\n f(function() break end)\nend", b"s:2: break outside loop at line 2"),
    (b"local a <const> = 1\n\na = 2", b"s:3: attempt to assign to const variable 'a'"),
    (b"x = 'a\\\nb' c", b"s:2: syntax error near <eof>"),
    (b"x = [[a\x0d\nb\n\x0dc]] d", b"s:3: syntax error near <eof>"),
    (b"x=1\x0d\ny=\x0d\n=", b"s:3: unexpected symbol near '='"),
    (b"a = \xff", b"s:1: unexpected symbol near '<\\255>'"),
    (b"a.\xc3\xa9 = 1", b"s:1: <name> expected near '<\\195>'"),
    (b"f[[\nabc\n]] = 1", b"s:3: syntax error near '='"),
    (b"x = \x01", b"s:1: unexpected symbol near '<\\1>'"),
    (b"a = 'x\x00y", b"s:1: unfinished string near <eof>"),
    (b"a = 'x\x00y' b 'x\x00y' 'c\x00' d", b"s:1: syntax error near <eof>"),
];

#[test]
fn messages() {
    for (source, want) in MESSAGES {
        let error = compile(source, "=s").expect_err(&String::from_utf8_lossy(source));
        assert_eq!(
            String::from_utf8_lossy(error.message()),
            String::from_utf8_lossy(want),
            "{}",
            String::from_utf8_lossy(source)
        );
        assert_eq!(error.message(), *want);
    }
}

#[track_caller]
fn message(source: &str) -> String {
    compile(source.as_bytes(), "=s")
        .expect_err(source)
        .to_string()
}

fn names(prefix: &str, count: usize) -> String {
    let names: Vec<_> = (0..count).map(|i| format!("{prefix}{i}")).collect();
    names.join(",")
}

#[test]
fn limits_of_locals() {
    assert!(compile(format!("local {}", names("a", 200)).as_bytes(), "=s").is_ok());
    assert_eq!(
        message(&format!("local {}", names("a", 201))),
        "s:1: too many local variables (limit is 200) in main function near <eof>"
    );
    assert_eq!(
        message(&format!("\nfunction f() local {} end", names("a", 202))),
        "s:2: too many local variables (limit is 200) in function at line 2 near ','"
    );
}

#[test]
fn limits_of_upvalues() {
    let outer = format!("local {}\n", names("a", 130));
    let middle = format!("local function f() local {}\n", names("b", 130));
    let uses = |n| {
        format!(
            "{outer}{middle}return function() return {{{}, {}}} end end",
            names("a", 130),
            names("b", n)
        )
    };
    assert!(compile(uses(125).as_bytes(), "=s").is_ok());
    assert_eq!(
        message(&uses(126)),
        "s:3: too many upvalues (limit is 255) in function at line 3 near '}'"
    );
}

#[test]
fn limits_of_registers() {
    assert_eq!(
        message(&format!("\na = f({}x)", "x,".repeat(260))),
        "s:2: function or expression needs too many registers near 'x'"
    );
}

#[test]
fn incomplete_text() {
    for source in [
        "x =",
        "if x then",
        "f(",
        "x = [[a",
        "x = 'a",
        "--[[",
        "return {",
    ] {
        assert!(
            compile(source.as_bytes(), "=s")
                .expect_err(source)
                .is_incomplete(),
            "{source}"
        );
    }
    for source in ["x = = 1", "x = 'a\n", "goto x", "end"] {
        assert!(
            !compile(source.as_bytes(), "=s")
                .expect_err(source)
                .is_incomplete(),
            "{source}"
        );
    }
}

#[test]
fn chunk_ids() {
    let id = |name: &str| String::from_utf8(chunk_id(name)).expect("UTF-8");
    assert_eq!(id("=stdin"), "stdin");
    assert_eq!(id("@file.lua"), "file.lua");
    assert_eq!(id("x = 1"), "[string \"x = 1\"]");
    assert_eq!(id("x = 1\ny"), "[string \"x = 1...\"]");
    assert_eq!(id(&format!("={}", "a".repeat(80))), "a".repeat(59));
    assert_eq!(id(&format!("@{}", "a".repeat(59))), "a".repeat(59));
    assert_eq!(
        id(&format!("@b{}", "a".repeat(59))),
        format!("...{}", "a".repeat(56))
    );
    let long = id(&"a".repeat(100));
    assert_eq!(long.len(), 59);
    assert!(long.ends_with("a...\"]"));
}

#[test]
fn first_line_with_hash() {
    assert_eq!(vela_lua::strip_shebang(b"#!/bin/lua\nx = 1"), b"\nx = 1");
    assert_eq!(vela_lua::strip_shebang(b"\xef\xbb\xbf#x"), b"");
    assert_eq!(vela_lua::strip_shebang(b"x = #t"), b"x = #t");
    let source = vela_lua::strip_shebang(b"#!lua\nx = = 1");
    let error = compile(source, "=s").expect_err("syntax error");
    assert_eq!(error.to_string(), "s:2: unexpected symbol near '='");
}
