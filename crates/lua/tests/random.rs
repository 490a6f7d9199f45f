//! Random token sequences: an error or valid code, never a panic.

use proptest::prelude::*;
use vela_bytecode::verify;
use vela_lua::compile;

const TOKENS: &[&str] = &[
    "and",
    "break",
    "do",
    "else",
    "elseif",
    "end",
    "false",
    "for",
    "function",
    "goto",
    "if",
    "in",
    "local",
    "nil",
    "not",
    "or",
    "repeat",
    "return",
    "then",
    "true",
    "until",
    "while",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "#",
    "&",
    "~",
    "|",
    "<<",
    ">>",
    "//",
    "==",
    "~=",
    "<=",
    ">=",
    "<",
    ">",
    "=",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "::",
    ";",
    ":",
    ",",
    ".",
    "..",
    "...",
    "a",
    "b",
    "c",
    "x",
    "_ENV",
    "1",
    "2.5",
    "0x10",
    "'s'",
    "[[l]]",
    "<const>",
    "<close>",
    "::l::",
    "goto l",
    "\n",
    "\"\\x41\"",
    "'bad",
    "[=[",
    "--c\n",
    "1e400",
    "9223372036854775808",
    "\u{e9}",
    "@",
];

/// Pieces of programs that parse more often than single tokens.
const PIECES: &[&str] = &[
    "local a, b = 1, 2;",
    "local c <const> = 5;",
    "local d <close> = nil;",
    "a = a + 1;",
    "a, b = b, a;",
    "do",
    "end",
    "end",
    "end",
    "while a do",
    "repeat",
    "until b",
    "for i = 1, 10 do",
    "for k, v in a do",
    "if a then",
    "elseif b then",
    "else",
    "return a;",
    "return f(a);",
    "break;",
    "goto l;",
    "::l::",
    "::m::",
    "goto m;",
    "local function f(x, ...)",
    "function a.b:c()",
    "return function() return a, b end;",
    "a = function() b = a end;",
    "f(a, ...);",
    "a:m(b)(c).x = {a, b, c = 1, ...};",
    "a = a and b or not c;",
    "a = a < b == (b >= 3);",
    "local x = (a or b) and c.x[1];",
    "x.y[a], x = a .. b .. c, -a;",
    "a.b.c = c ~= nil and a == b or #a > 2;",
    "_ENV = a;",
    "local _ENV = b;",
    "a = {f()};",
    "a = (f());",
    "local e = ...;",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn token_soup(picks in prop::collection::vec(0..TOKENS.len(), 0..40)) {
        let source: Vec<_> = picks.into_iter().map(|i| TOKENS[i]).collect();
        if let Ok(proto) = compile(source.join(" ").as_bytes(), "=s") {
            prop_assert!(verify(&proto).is_ok());
        }
    }

    #[test]
    fn statement_soup(picks in prop::collection::vec(0..PIECES.len(), 0..30)) {
        let mut source: Vec<_> = picks.iter().map(|&i| PIECES[i]).collect();
        // close what is open so that more of them compile
        let opens = picks.iter().filter(|&&i| {
            let p = PIECES[i];
            p.ends_with("do") || p.starts_with("if") || p.starts_with("local function")
                || p.starts_with("function")
        }).count();
        let ends = picks.iter().filter(|&&i| PIECES[i] == "end").count();
        source.extend(std::iter::repeat_n("end", opens.saturating_sub(ends)));
        let text = source.join("\n");
        if let Ok(proto) = compile(text.as_bytes(), "=s") {
            if let Err(error) = verify(&proto) {
                prop_assert!(false, "{error}\n{text}");
            }
        }
    }

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(proto) = compile(&bytes, "=s") {
            prop_assert!(verify(&proto).is_ok());
        }
    }
}
