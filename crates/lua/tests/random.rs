//! Random token sequences: an error or valid code, never a panic.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
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

/// Statements for random programs.
const STATEMENTS: &[&str] = &[
    "local a, b = 1, 2",
    "local c <const> = 5",
    "local d <close> = nil",
    "a = a + 1",
    "a, b = b, a",
    "if a then break end",
    "if a then goto m end",
    "goto l",
    "::l::",
    "::m::",
    "a = function() b = a end",
    "f(a, ...)",
    "a:m(b)(c).x = {a, b, c = 1, ...}",
    "a = a and b or not c",
    "a = a < b == (b >= 3)",
    "local x = (a or b) and c.x[1]",
    "x.y[a], x = a .. b .. c, -a",
    "a.b.c = c ~= nil and a == b or #a > 2",
    "_ENV = a",
    "local _ENV = b",
    "a = {f()}",
    "a = (f())",
    "local e = ...",
    "c = 2",
    "local g = function(...) return f(a, ...) end",
    "do return f(a) end",
    "do return a, b end",
];

/// Blocks: how they open and close.
const BLOCKS: &[(&str, &str)] = &[
    ("do", "end"),
    ("while a do", "end"),
    ("repeat", "until a and b"),
    ("for i = 1, 10 do", "end"),
    ("for k, v in a do", "end"),
    ("if a then", "end"),
    ("if a == 1 then b = 2 else", "end"),
    ("local function f(x, ...)", "end"),
    ("function a.b:c(...)", "end"),
    ("a = function(b, ...)", "end"),
];

/// Makes a program: a pick opens a block, closes one, or is a statement.
fn program(picks: &[usize]) -> String {
    let mut lines = Vec::new();
    let mut open = Vec::new();
    for &pick in picks {
        if let Some(statement) = STATEMENTS.get(pick) {
            lines.push(*statement);
        } else if let Some((opening, closing)) = BLOCKS.get(pick - STATEMENTS.len()) {
            lines.push(opening);
            open.push(*closing);
        } else if let Some(closing) = open.pop() {
            lines.push(closing);
        }
    }
    lines.extend(open.into_iter().rev());
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn token_soup(picks in prop::collection::vec(0..TOKENS.len(), 0..40)) {
        let source: Vec<_> = picks.into_iter().map(|i| TOKENS[i]).collect();
        if let Ok(proto) = compile(source.join(" ").as_bytes(), "=s") {
            prop_assert!(verify(&proto).is_ok());
        }
    }

    #[test]
    fn statement_soup(
        picks in prop::collection::vec(0..STATEMENTS.len() + BLOCKS.len() + 8, 0..30)
    ) {
        let text = program(&picks);
        if let Ok(proto) = compile(text.as_bytes(), "=s")
            && let Err(error) = verify(&proto)
        {
            prop_assert!(false, "{error}\n{text}");
        }
    }

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(proto) = compile(&bytes, "=s") {
            prop_assert!(verify(&proto).is_ok());
        }
    }
}

/// The soup must not be all errors: its programs compile when every `goto`
/// has its label and no constant is assigned.
#[test]
fn most_soup_compiles() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let picks = prop::collection::vec(0..STATEMENTS.len() + BLOCKS.len() + 8, 0..30);
    let mut compiled = 0;
    for _ in 0..1000 {
        let picks = picks.new_tree(&mut runner).expect("tree").current();
        compiled += usize::from(compile(program(&picks).as_bytes(), "=s").is_ok());
    }
    assert!(compiled > 200, "{compiled} of 1000");
}
