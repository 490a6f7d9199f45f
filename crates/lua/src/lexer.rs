//! Source bytes to tokens.
//!
//! Tokens are plain copies: names and strings are interned ids, so reading a
//! token allocates nothing unless its text is new.

use crate::error::{SyntaxError, chunk_id};
use crate::intern::{Interner, RESERVED, RESERVED_WORDS, StrId};
use crate::number::{Number, parse_number};

/// A token kind with its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tok {
    /// A one-byte operator or any byte that starts no other token.
    Char(u8),
    /// A reserved word, by its index in [`RESERVED`].
    Word(Word),
    IDiv,
    Concat,
    Dots,
    Eq,
    Ge,
    Le,
    Ne,
    Shl,
    Shr,
    DbColon,
    Eos,
    Float(f64),
    Int(i64),
    Name(StrId),
    Str(StrId),
}

/// The reserved words, in the order of [`RESERVED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Word {
    And,
    Break,
    Do,
    Else,
    ElseIf,
    End,
    False,
    For,
    Function,
    Goto,
    If,
    In,
    Local,
    Nil,
    Not,
    Or,
    Repeat,
    Return,
    Then,
    True,
    Until,
    While,
}

const WORDS: [Word; RESERVED_WORDS as usize] = [
    Word::And,
    Word::Break,
    Word::Do,
    Word::Else,
    Word::ElseIf,
    Word::End,
    Word::False,
    Word::For,
    Word::Function,
    Word::Goto,
    Word::If,
    Word::In,
    Word::Local,
    Word::Nil,
    Word::Not,
    Word::Or,
    Word::Repeat,
    Word::Return,
    Word::Then,
    Word::True,
    Word::Until,
    Word::While,
];

/// How messages name a token that has no text of its own.
pub(crate) fn token_name(tok: Tok) -> Vec<u8> {
    let fixed = match tok {
        Tok::Char(c) if c.is_ascii_graphic() || c == b' ' => return vec![b'\'', c, b'\''],
        Tok::Char(c) => return format!("'<\\{c}>'").into_bytes(),
        Tok::Word(w) => RESERVED[w as usize],
        Tok::IDiv => "//",
        Tok::Concat => "..",
        Tok::Dots => "...",
        Tok::Eq => "==",
        Tok::Ge => ">=",
        Tok::Le => "<=",
        Tok::Ne => "~=",
        Tok::Shl => "<<",
        Tok::Shr => ">>",
        Tok::DbColon => "::",
        Tok::Eos => return b"<eof>".to_vec(),
        Tok::Float(_) => return b"<number>".to_vec(),
        Tok::Int(_) => return b"<integer>".to_vec(),
        Tok::Name(_) => return b"<name>".to_vec(),
        Tok::Str(_) => return b"<string>".to_vec(),
    };
    format!("'{fixed}'").into_bytes()
}

/// A token and the source bytes it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub tok: Tok,
    pub start: usize,
    end: usize,
}

pub(crate) struct Lexer<'s> {
    src: &'s [u8],
    pos: usize,
    /// Current line: that of the last byte read.
    pub line: u32,
    /// Line of the last token consumed.
    pub last_line: u32,
    /// The current token.
    pub token: Token,
    ahead: Option<Token>,
    pub strings: Interner,
    buf: Vec<u8>,
    chunk: String,
}

type Result<T> = std::result::Result<T, SyntaxError>;

fn is_name_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_'
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn is_newline(b: u8) -> bool {
    b == b'\n' || b == b'\r'
}

impl<'s> Lexer<'s> {
    pub fn new(src: &'s [u8], chunk: &str) -> Self {
        Self {
            src,
            pos: 0,
            line: 1,
            last_line: 1,
            token: Token {
                tok: Tok::Eos,
                start: 0,
                end: 0,
            },
            ahead: None,
            strings: Interner::new(),
            buf: Vec::new(),
            chunk: chunk.to_owned(),
        }
    }

    /// Makes the next token current.
    pub fn advance(&mut self) -> Result<()> {
        self.last_line = self.line;
        self.token = match self.ahead.take() {
            Some(token) => token,
            None => self.lex()?,
        };
        Ok(())
    }

    /// The token after the current one.
    pub fn peek(&mut self) -> Result<Tok> {
        let token = self.lex()?;
        self.ahead = Some(token);
        Ok(token.tok)
    }

    /// An error at the current token.
    pub fn error_near(&self, what: &[u8]) -> SyntaxError {
        let near = self.token_text(self.token);
        self.error(what, Some(&near), self.token.tok == Tok::Eos)
    }

    /// An error found after parsing, in an expression that the token at `pos`
    /// follows. As the text has been parsed, the tokens there are good; a
    /// comma belongs to what it ends.
    pub fn error_after(&mut self, pos: usize, what: &[u8]) -> SyntaxError {
        self.pos = pos;
        self.ahead = None;
        self.line = 1 + line_ends(&self.src[..pos]);
        let mut token = self.lex();
        if let Ok(Token {
            tok: Tok::Char(b','),
            ..
        }) = token
        {
            token = self.lex();
        }
        match token {
            Ok(token) => {
                let near = self.token_text(token);
                self.error(what, Some(&near), false)
            }
            Err(error) => error,
        }
    }

    /// An error that quotes no token.
    pub fn error_plain(&self, what: &str) -> SyntaxError {
        self.error(what.as_bytes(), None, false)
    }

    fn error(&self, what: &[u8], near: Option<&[u8]>, at_end: bool) -> SyntaxError {
        error_at(&self.chunk, self.line, what, near, at_end)
    }

    fn token_text(&self, token: Token) -> Vec<u8> {
        let raw = &self.src[token.start..token.end];
        let mut text = vec![b'\''];
        match token.tok {
            Tok::Str(id) if raw.first() != Some(&b'[') => {
                text.push(raw[0]);
                text.extend_from_slice(self.strings.get(id));
                text.push(raw[0]);
            }
            Tok::Name(_) | Tok::Int(_) | Tok::Float(_) | Tok::Str(_) => text.extend_from_slice(raw),
            other => return token_name(other),
        }
        cut_at_zero(&mut text);
        text.push(b'\'');
        text
    }

    #[inline]
    fn cur(&self) -> Option<u8> {
        self.src.get(self.pos).copied()
    }

    fn newline(&mut self) {
        let first = self.cur();
        self.pos += 1;
        if let Some(b) = self.cur()
            && is_newline(b)
            && Some(b) != first
        {
            self.pos += 1;
        }
        self.line = self.line.saturating_add(1);
    }

    /// The rest of an operator: consumes `b` if it comes next.
    fn follows(&mut self, b: u8) -> bool {
        let yes = self.cur() == Some(b);
        self.pos += usize::from(yes);
        yes
    }

    fn lex(&mut self) -> Result<Token> {
        loop {
            let start = self.pos;
            let Some(b) = self.cur() else {
                return Ok(Token {
                    tok: Tok::Eos,
                    start,
                    end: start,
                });
            };
            self.pos += 1;
            let tok = match b {
                b'\n' | b'\r' => {
                    self.pos = start;
                    self.newline();
                    continue;
                }
                b' ' | b'\t' | 0x0b | 0x0c => continue,
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.name(start),
                b'0'..=b'9' => self.numeral(start)?,
                b'"' | b'\'' => self.short_string(b)?,
                b'-' => {
                    if self.cur() == Some(b'-') {
                        self.pos += 1;
                        self.comment()?;
                        continue;
                    }
                    Tok::Char(b)
                }
                b'[' => match self.bracket_level(start) {
                    Some(level) => self.long_string(start, level)?,
                    None if self.cur() == Some(b'=') => {
                        while self.cur() == Some(b'=') {
                            self.pos += 1;
                        }
                        return Err(self.error_in_string(
                            "invalid long string delimiter",
                            &self.src[start..self.pos],
                        ));
                    }
                    None => Tok::Char(b),
                },
                b'=' if self.follows(b'=') => Tok::Eq,
                b'<' if self.follows(b'=') => Tok::Le,
                b'<' if self.follows(b'<') => Tok::Shl,
                b'>' if self.follows(b'=') => Tok::Ge,
                b'>' if self.follows(b'>') => Tok::Shr,
                b'/' if self.follows(b'/') => Tok::IDiv,
                b'~' if self.follows(b'=') => Tok::Ne,
                b':' if self.follows(b':') => Tok::DbColon,
                b'.' => {
                    if self.follows(b'.') {
                        if self.follows(b'.') {
                            Tok::Dots
                        } else {
                            Tok::Concat
                        }
                    } else if self.cur().is_some_and(|b| b.is_ascii_digit()) {
                        self.numeral(start)?
                    } else {
                        Tok::Char(b)
                    }
                }
                _ => Tok::Char(b),
            };
            return Ok(Token {
                tok,
                start,
                end: self.pos,
            });
        }
    }

    fn name(&mut self, start: usize) -> Tok {
        while self.cur().is_some_and(is_name_byte) {
            self.pos += 1;
        }
        let id = self.strings.intern(&self.src[start..self.pos]);
        match WORDS.get(id.0 as usize) {
            Some(&word) => Tok::Word(word),
            None => Tok::Name(id),
        }
    }

    /// Reads more than a valid numeral could have, so that a bad one is one
    /// token in the message.
    fn numeral(&mut self, start: usize) -> Result<Tok> {
        self.pos = start + 1;
        let hex = self.src[start] == b'0' && matches!(self.cur(), Some(b'x' | b'X'));
        self.pos += usize::from(hex);
        while let Some(b) = self.cur() {
            let exponent = if hex {
                matches!(b, b'p' | b'P')
            } else {
                matches!(b, b'e' | b'E')
            };
            if exponent {
                self.pos += 1;
                if matches!(self.cur(), Some(b'+' | b'-')) {
                    self.pos += 1;
                }
            } else if b.is_ascii_hexdigit() || b == b'.' {
                self.pos += 1;
            } else {
                break;
            }
        }
        if self.cur().is_some_and(is_name_start) {
            self.pos += 1;
        }
        match parse_number(&self.src[start..self.pos]) {
            Some(Number::Int(i)) => Ok(Tok::Int(i)),
            Some(Number::Float(f)) => Ok(Tok::Float(f)),
            None => Err(self.error_in_string("malformed number", &self.src[start..self.pos])),
        }
    }

    fn comment(&mut self) -> Result<()> {
        if self.cur() == Some(b'[') {
            let start = self.pos;
            self.pos += 1;
            if let Some(level) = self.bracket_level(start) {
                let line = self.line;
                return self.long_bracket(level, "comment", line).map(|_| ());
            }
        }
        while self.cur().is_some_and(|b| !is_newline(b)) {
            self.pos += 1;
        }
        Ok(())
    }

    /// With the first `[` consumed at `start`: the level of a long bracket
    /// that opens here, consumed; otherwise nothing more is consumed.
    fn bracket_level(&mut self, start: usize) -> Option<usize> {
        let rest = &self.src[start + 1..];
        let level = rest.iter().take_while(|&&b| b == b'=').count();
        if rest.get(level) != Some(&b'[') {
            return None;
        }
        self.pos = start + level + 2;
        Some(level)
    }

    /// Skips to the end of a long bracket whose opening was consumed; returns
    /// where its content ends.
    fn long_bracket(&mut self, level: usize, what: &str, line: u32) -> Result<usize> {
        loop {
            match self.cur() {
                None => {
                    let msg = format!("unfinished long {what} (starting at line {line})");
                    return Err(self.error(msg.as_bytes(), Some(b"<eof>"), true));
                }
                Some(b']') => {
                    let rest = &self.src[self.pos + 1..];
                    let n = rest.iter().take_while(|&&b| b == b'=').count();
                    if n == level && rest.get(n) == Some(&b']') {
                        let end = self.pos;
                        self.pos += n + 2;
                        return Ok(end);
                    }
                    self.pos += 1 + n;
                }
                Some(b) if is_newline(b) => self.newline(),
                Some(_) => self.pos += 1,
            }
        }
    }

    fn long_string(&mut self, start: usize, level: usize) -> Result<Tok> {
        let line = self.line;
        if self.cur().is_some_and(is_newline) {
            self.newline();
        }
        let content = start + level + 2;
        let first = self.pos;
        let end = self.long_bracket(level, "string", line)?;
        debug_assert!(content <= first && first <= end);
        let text = &self.src[first..end];
        let id = if text.contains(&b'\r') {
            self.buf.clear();
            let mut rest = text;
            while let [b, tail @ ..] = rest {
                rest = tail;
                if is_newline(*b) {
                    self.buf.push(b'\n');
                    if let [c, after @ ..] = tail
                        && is_newline(*c)
                        && c != b
                    {
                        rest = after;
                    }
                } else {
                    self.buf.push(*b);
                }
            }
            self.strings.intern(&self.buf)
        } else {
            self.strings.intern(text)
        };
        Ok(Tok::Str(id))
    }

    fn short_string(&mut self, delimiter: u8) -> Result<Tok> {
        let start = self.pos;
        let rest = &self.src[start..];
        let plain = rest
            .iter()
            .position(|&b| b == delimiter || b == b'\\' || is_newline(b));
        if let Some(n) = plain
            && rest[n] == delimiter
        {
            self.pos = start + n + 1;
            return Ok(Tok::Str(self.strings.intern(&rest[..n])));
        }
        self.buf.clear();
        self.buf.push(delimiter);
        loop {
            let Some(b) = self.cur() else {
                return Err(self.error(b"unfinished string", Some(b"<eof>"), true));
            };
            match b {
                b'\n' | b'\r' => {
                    return Err(self.error_in_string("unfinished string", &self.buf));
                }
                b'\\' => self.escape()?,
                _ => {
                    self.pos += 1;
                    if b == delimiter {
                        return Ok(Tok::Str(self.strings.intern(&self.buf[1..])));
                    }
                    self.buf.push(b);
                }
            }
        }
    }

    /// One escape sequence; the backslash is current.
    fn escape(&mut self) -> Result<()> {
        let start = self.pos;
        self.pos += 1;
        let Some(b) = self.cur() else { return Ok(()) };
        let byte = match b {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' | b'"' | b'\'' => b,
            b'\n' | b'\r' => {
                self.newline();
                self.buf.push(b'\n');
                return Ok(());
            }
            b'z' => {
                self.pos += 1;
                while let Some(b) = self.cur() {
                    if is_newline(b) {
                        self.newline();
                    } else if matches!(b, b' ' | b'\t' | 0x0b | 0x0c) {
                        self.pos += 1;
                    } else {
                        break;
                    }
                }
                return Ok(());
            }
            b'x' => {
                let hi = self.hex_digit(start)?;
                let lo = self.hex_digit(start)?;
                (hi << 4 | lo) as u8
            }
            b'u' => return self.utf8_escape(start),
            b'0'..=b'9' => {
                let mut value = 0u32;
                for _ in 0..3 {
                    match self.cur() {
                        Some(d) if d.is_ascii_digit() => {
                            value = value * 10 + u32::from(d - b'0');
                            self.pos += 1;
                        }
                        _ => break,
                    }
                }
                let Ok(byte) = u8::try_from(value) else {
                    return Err(self.bad_escape(start, "decimal escape too large"));
                };
                self.buf.push(byte);
                return Ok(());
            }
            _ => return Err(self.bad_escape(start, "invalid escape sequence")),
        };
        self.pos += 1;
        self.buf.push(byte);
        Ok(())
    }

    /// Moves to the next byte, which must be a hexadecimal digit.
    fn hex_digit(&mut self, start: usize) -> Result<u32> {
        self.pos += 1;
        match self.cur().and_then(|b| (b as char).to_digit(16)) {
            Some(d) => Ok(d),
            None => Err(self.bad_escape(start, "hexadecimal digit expected")),
        }
    }

    fn utf8_escape(&mut self, start: usize) -> Result<()> {
        self.pos += 1;
        if self.cur() != Some(b'{') {
            return Err(self.bad_escape(start, "missing '{'"));
        }
        let mut code = self.hex_digit(start)?;
        self.pos += 1;
        while let Some(d) = self.cur().and_then(|b| (b as char).to_digit(16)) {
            if code > 0x7fff_ffff >> 4 {
                return Err(self.bad_escape(start, "UTF-8 value too large"));
            }
            code = code << 4 | d;
            self.pos += 1;
        }
        if self.cur() != Some(b'}') {
            return Err(self.bad_escape(start, "missing '}'"));
        }
        self.pos += 1;
        push_utf8(&mut self.buf, code);
        Ok(())
    }

    /// An error in an escape sequence: the message shows the text so far and
    /// the byte that broke it.
    fn bad_escape(&self, start: usize, what: &str) -> SyntaxError {
        let mut text = self.buf.clone();
        let end = (self.pos + 1).min(self.src.len());
        text.extend_from_slice(&self.src[start..end]);
        self.error_in_string(what, &text)
    }

    fn error_in_string(&self, what: &str, text: &[u8]) -> SyntaxError {
        let mut near = vec![b'\''];
        near.extend_from_slice(text);
        cut_at_zero(&mut near);
        near.push(b'\'');
        self.error(what.as_bytes(), Some(&near), false)
    }
}

/// Builds the message `chunk:line: what near token`.
fn error_at(chunk: &str, line: u32, what: &[u8], near: Option<&[u8]>, at_end: bool) -> SyntaxError {
    let mut message = chunk_id(chunk);
    message.extend_from_slice(format!(":{line}: ").as_bytes());
    message.extend_from_slice(what);
    if let Some(near) = near {
        message.extend_from_slice(b" near ");
        message.extend_from_slice(near);
    }
    SyntaxError::new(message, at_end)
}

/// Line ends in the text; `\r\n` and `\n\r` are one.
fn line_ends(text: &[u8]) -> u32 {
    let mut count = 0;
    let mut rest = text;
    while let [b, tail @ ..] = rest {
        rest = tail;
        if is_newline(*b) {
            count += 1;
            if let [c, after @ ..] = tail
                && is_newline(*c)
                && c != b
            {
                rest = after;
            }
        }
    }
    count
}

fn cut_at_zero(text: &mut Vec<u8>) {
    if let Some(n) = text.iter().position(|&b| b == 0) {
        text.truncate(n);
    }
}

/// Appends the UTF-8 form of a code up to 2^31 - 1 (up to six bytes).
fn push_utf8(out: &mut Vec<u8>, code: u32) {
    if code < 0x80 {
        out.push(code as u8);
        return;
    }
    let mut bytes = [0u8; 6];
    let mut n = 0;
    let mut rest = code;
    let mut first_max = 0x3f;
    while rest > first_max {
        bytes[n] = 0x80 | (rest & 0x3f) as u8;
        n += 1;
        rest >>= 6;
        first_max >>= 1;
    }
    bytes[n] = ((!first_max << 1) | rest) as u8;
    out.extend(bytes[..=n].iter().rev());
}
