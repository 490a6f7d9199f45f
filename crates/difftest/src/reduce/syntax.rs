//! A tree of Lua source text for reduction: where statements, blocks, expressions and lists lie.
//!
//! It keeps byte ranges only and needs no meaning: a candidate that is no valid program fails in
//! every mode alike and is rejected by that.

use std::ops::Range;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sequence of statements.
    Block,
    /// A statement; its blocks and expressions are below it.
    Statement,
    /// Expressions, fields, names or parameters separated by commas.
    List,
    /// An expression that is no atom, or an item of a list.
    Expression,
    /// A name or a literal.
    Atom,
}

/// A part of the source.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// The bytes it covers.
    pub span: Range<usize>,
    /// Its parts, in order.
    pub parts: Vec<Node>,
}

/// The tree of a source, or `None` if it does not look like a Lua program.
pub fn parse(source: &str) -> Option<Node> {
    let tokens = lex(source)?;
    let mut p = Parser {
        source,
        tokens,
        at: 0,
        depth: 0,
    };
    let block = p.block()?;
    (p.at == p.tokens.len()).then_some(block)
}

/// Byte ranges of the tokens.
fn lex(source: &str) -> Option<Vec<Range<usize>>> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let start = at;
        match b {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'-' if source[at..].starts_with("--") => {
                at += 2;
                match long_bracket(&source[at..]) {
                    Some(size) => at += size,
                    None => at += source[at..].find('\n').unwrap_or(bytes.len() - at),
                }
                continue;
            }
            b'[' => at += long_bracket(&source[at..]).unwrap_or(1),
            b'"' | b'\'' => {
                at += 1;
                while *bytes.get(at)? != b {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'0'..=b'9' => {
                let hex = bytes.get(at + 1).is_some_and(|b| b | 32 == b'x');
                while let Some(&b) = bytes.get(at) {
                    let exponent = matches!(bytes[at - usize::from(at > start)] | 32, b'e' if !hex)
                        || matches!(bytes[at - usize::from(at > start)] | 32, b'p' if hex);
                    let signed = (b == b'+' || b == b'-') && exponent && at > start;
                    if !(b.is_ascii_alphanumeric() || b == b'.' || signed) {
                        break;
                    }
                    at += 1;
                }
            }
            b if b.is_ascii_alphabetic() || b == b'_' => {
                while bytes
                    .get(at)
                    .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
                {
                    at += 1;
                }
            }
            _ => {
                const LONG: [&str; 10] =
                    ["...", "..", "==", "~=", "<=", ">=", "//", "<<", ">>", "::"];
                let rest = source.get(at..)?;
                at += LONG.iter().find(|t| rest.starts_with(**t)).map_or_else(
                    || rest.chars().next().map_or(1, char::len_utf8),
                    |t| t.len(),
                );
            }
        }
        tokens.push(start..at);
    }
    Some(tokens)
}

/// Size of the long bracket at the start of the text.
fn long_bracket(text: &str) -> Option<usize> {
    let level = text
        .strip_prefix('[')?
        .bytes()
        .take_while(|b| *b == b'=')
        .count();
    text[1 + level..].strip_prefix('[')?;
    let close = format!("]{}]", "=".repeat(level));
    let body = 2 + level;
    Some(text[body..].find(&close)? + body + close.len())
}

struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Range<usize>>,
    at: usize,
    depth: u32,
}

const UNARY: [&str; 4] = ["not", "-", "#", "~"];
const BINARY: [&str; 21] = [
    "+", "-", "*", "/", "//", "%", "^", "&", "|", "~", "<<", ">>", "..", "<", "<=", ">", ">=",
    "==", "~=", "and", "or",
];
const ENDS: [&str; 4] = ["end", "else", "elseif", "until"];
const MAX_DEPTH: u32 = 400;

impl Parser<'_> {
    fn text(&self) -> &str {
        self.tokens
            .get(self.at)
            .map_or("", |span| &self.source[span.clone()])
    }

    fn accept(&mut self, text: &str) -> bool {
        let found = self.text() == text;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        self.accept(text).then_some(())
    }

    fn start(&self) -> usize {
        self.tokens
            .get(self.at)
            .map_or(self.source.len(), |t| t.start)
    }

    /// End of the token before the present one.
    fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |at| self.tokens[at].end)
    }

    fn node(&self, kind: Kind, start: usize, parts: Vec<Node>) -> Node {
        let span = start..self.end().max(start);
        Node { kind, span, parts }
    }

    fn name(&mut self) -> Option<Node> {
        let start = self.start();
        let first = self.text().bytes().next()?;
        if !(first.is_ascii_alphabetic() || first == b'_') {
            return None;
        }
        self.at += 1;
        Some(self.node(Kind::Atom, start, Vec::new()))
    }

    fn block(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let start = self.start();
        let mut parts = Vec::new();
        while self.at < self.tokens.len() && !ENDS.contains(&self.text()) {
            let start = self.start();
            let inner = self.statement()?;
            self.accept(";");
            parts.push(self.node(Kind::Statement, start, inner));
        }
        self.depth -= 1;
        Some(self.node(Kind::Block, start, parts))
    }

    /// The parts of a statement.
    fn statement(&mut self) -> Option<Vec<Node>> {
        let word = self.text().to_owned();
        let mut parts = Vec::new();
        match word.as_str() {
            ";" | "break" => self.at += 1,
            "::" => {
                self.at += 1;
                self.name()?;
                self.expect("::")?;
            }
            "goto" => {
                self.at += 1;
                self.name()?;
            }
            "do" => {
                self.at += 1;
                parts.push(self.block()?);
                self.expect("end")?;
            }
            "while" => {
                self.at += 1;
                parts.push(self.expression()?);
                self.expect("do")?;
                parts.push(self.block()?);
                self.expect("end")?;
            }
            "repeat" => {
                self.at += 1;
                parts.push(self.block()?);
                self.expect("until")?;
                parts.push(self.expression()?);
            }
            "if" => {
                self.at += 1;
                parts.push(self.expression()?);
                self.expect("then")?;
                parts.push(self.block()?);
                while self.text() == "elseif" || self.text() == "else" {
                    let start = self.start();
                    let mut arm = Vec::new();
                    let last = self.accept("else");
                    if !last {
                        self.at += 1;
                        arm.push(self.expression()?);
                        self.expect("then")?;
                    }
                    arm.push(self.block()?);
                    // An arm may go as a whole, like a statement.
                    parts.push(self.node(Kind::Statement, start, arm));
                }
                self.expect("end")?;
            }
            "for" => {
                self.at += 1;
                self.names()?;
                if !self.accept("in") {
                    self.expect("=")?;
                }
                parts.push(self.expressions()?);
                self.expect("do")?;
                parts.push(self.block()?);
                self.expect("end")?;
            }
            "function" => {
                self.at += 1;
                self.name()?;
                while self.accept(".") || self.accept(":") {
                    self.name()?;
                }
                self.function(&mut parts)?;
            }
            "local" => {
                self.at += 1;
                if self.accept("function") {
                    self.name()?;
                    self.function(&mut parts)?;
                } else {
                    parts.push(self.names()?);
                    if self.accept("=") {
                        parts.push(self.expressions()?);
                    }
                }
            }
            "return" => {
                self.at += 1;
                let ended = self.at == self.tokens.len() || self.text() == ";";
                if !ended && !ENDS.contains(&self.text()) {
                    parts.push(self.expressions()?);
                }
            }
            _ => {
                parts.push(self.expressions()?);
                if self.accept("=") {
                    parts.push(self.expressions()?);
                }
            }
        }
        Some(parts)
    }

    /// Names with attributes, as a list.
    fn names(&mut self) -> Option<Node> {
        let first = self.start();
        let mut parts = Vec::new();
        loop {
            let start = self.start();
            self.name()?;
            if self.accept("<") {
                self.name()?;
                self.expect(">")?;
            }
            parts.push(self.node(Kind::Atom, start, Vec::new()));
            if !self.accept(",") {
                return Some(self.node(Kind::List, first, parts));
            }
        }
    }

    /// Parameters and body.
    fn function(&mut self, parts: &mut Vec<Node>) -> Option<()> {
        self.expect("(")?;
        let start = self.start();
        let mut params = Vec::new();
        while !self.accept(")") {
            let start = self.start();
            if !self.accept("...") {
                self.name()?;
            }
            params.push(self.node(Kind::Atom, start, Vec::new()));
            self.accept(",");
        }
        let end = params.last().map_or(start, |p| p.span.end);
        parts.push(Node {
            kind: Kind::List,
            span: start..end,
            parts: params,
        });
        parts.push(self.block()?);
        self.expect("end")
    }

    fn expressions(&mut self) -> Option<Node> {
        let start = self.start();
        let mut parts = vec![self.expression()?];
        while self.accept(",") {
            parts.push(self.expression()?);
        }
        Some(self.node(Kind::List, start, parts))
    }

    /// Operands joined by operators, precedence aside: generated programs have parentheses.
    fn expression(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let start = self.start();
        let mut parts = Vec::new();
        loop {
            while UNARY.contains(&self.text()) {
                self.at += 1;
            }
            parts.push(self.operand()?);
            if !BINARY.contains(&self.text()) {
                break;
            }
            self.at += 1;
        }
        self.depth -= 1;
        if parts.len() == 1 && parts[0].span == (start..self.end()) {
            return parts.pop();
        }
        Some(self.node(Kind::Expression, start, parts))
    }

    fn operand(&mut self) -> Option<Node> {
        let start = self.start();
        let mut node = if self.accept("(") {
            let inner = self.expression()?;
            self.expect(")")?;
            self.node(Kind::Expression, start, vec![inner])
        } else if self.accept("function") {
            let mut parts = Vec::new();
            self.function(&mut parts)?;
            self.node(Kind::Expression, start, parts)
        } else if self.text() == "{" {
            let table = self.table()?;
            self.node(Kind::Expression, start, vec![table])
        } else {
            let first = self.text().bytes().next()?;
            if !(first.is_ascii_alphanumeric() || b"_\"'[.".contains(&first)) {
                return None;
            }
            self.at += 1;
            self.node(Kind::Atom, start, Vec::new())
        };
        loop {
            let mut parts = vec![node.clone()];
            match self.text() {
                "." => {
                    self.at += 1;
                    self.name()?;
                }
                ":" => {
                    self.at += 1;
                    self.name()?;
                    continue;
                }
                "[" => {
                    self.at += 1;
                    parts.push(self.expression()?);
                    self.expect("]")?;
                }
                "(" => {
                    self.at += 1;
                    if !self.accept(")") {
                        parts.push(self.expressions()?);
                        self.expect(")")?;
                    }
                }
                "{" => parts.push(self.table()?),
                t if t.starts_with(['"', '\'']) || t.starts_with("[[") || t.starts_with("[=") => {
                    self.at += 1;
                }
                _ => return Some(node),
            }
            node = self.node(Kind::Expression, start, parts);
        }
    }

    /// A table constructor's fields as a list; the braces are consumed and outside of it.
    fn table(&mut self) -> Option<Node> {
        self.expect("{")?;
        let start = self.start();
        let mut parts = Vec::new();
        while self.text() != "}" {
            let start = self.start();
            let mut inner = Vec::new();
            if self.accept("[") {
                inner.push(self.expression()?);
                self.expect("]")?;
                self.expect("=")?;
            } else if self
                .tokens
                .get(self.at + 1)
                .is_some_and(|t| &self.source[t.clone()] == "=")
            {
                self.name()?;
                self.expect("=")?;
            }
            inner.push(self.expression()?);
            parts.push(if inner.len() == 1 && inner[0].span.start == start {
                inner.pop()?
            } else {
                self.node(Kind::Expression, start, inner)
            });
            if !self.accept(",") && !self.accept(";") {
                break;
            }
        }
        let end = parts.last().map_or(start, |p| p.span.end);
        self.expect("}")?;
        Some(Node {
            kind: Kind::List,
            span: start..end,
            parts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Node, parse};

    fn statements(node: &Node) -> usize {
        let own = usize::from(node.kind == Kind::Statement);
        own + node.parts.iter().map(statements).sum::<usize>()
    }

    #[test]
    fn statements_are_found_at_every_depth() {
        let source = "local a <const>, b = {x = 1, [2] = {}, 3; f()}, -1e-3 -- note\n\
            for i = 1, 0x10 do if a then b = i elseif b then b = #a .. [==[x]==] else break end end\n\
            local function f(x, ...) return x:m 'y' {1}.z[2], ... end\n\
            repeat goto done; ::done:: until not (a == ~b) // 2 < 'q\\'' return";
        let tree = parse(source).expect("valid");
        assert_eq!(statements(&tree), 14);
        assert_eq!(tree.parts.len(), 5);
    }

    #[test]
    fn what_is_no_program_has_no_tree() {
        for source in ["if x then", "f(", "x = = 1", "end", "'open"] {
            assert!(parse(source).is_none(), "{source}");
        }
    }
}
