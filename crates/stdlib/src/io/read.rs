//! The formats of `read` and `lines`.

use std::io::{BufRead, Read, Result};
use vela_objects::{Value, number};

/// Longest numeral that `read "n"` accepts.
const MAX_NUMERAL: usize = 200;

/// One item to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `n`: a numeral.
    Number,
    /// `l` or `L`: a line, with its end or without.
    Line {
        /// Whether the newline is part of the result.
        keep_end: bool,
    },
    /// `a`: everything.
    All,
    /// Up to that many bytes.
    Bytes(usize),
}

impl Format {
    /// A format from its name, with or without `*` in front.
    pub fn from_name(name: &[u8]) -> Option<Format> {
        let name = name.strip_prefix(b"*").unwrap_or(name);
        Some(match name.first()? {
            b'n' => Format::Number,
            b'l' => Format::Line { keep_end: false },
            b'L' => Format::Line { keep_end: true },
            b'a' => Format::All,
            _ => return None,
        })
    }
}

/// What was read.
#[derive(Debug, PartialEq)]
pub enum Item {
    /// Bytes.
    Bytes(Vec<u8>),
    /// A number.
    Number(NumberItem),
}

/// A number that was read.
#[derive(Debug, PartialEq)]
pub enum NumberItem {
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
}

impl From<NumberItem> for Value {
    fn from(n: NumberItem) -> Value {
        match n {
            NumberItem::Int(i) => Value::int(i),
            NumberItem::Float(f) => Value::float(f),
        }
    }
}

/// Reads one item; `None` at the end of the file or for a bad numeral.
pub fn item(from: &mut dyn BufRead, format: Format) -> Result<Option<Item>> {
    Ok(match format {
        Format::Line { keep_end } => {
            let mut line = Vec::new();
            from.read_until(b'\n', &mut line)?;
            let ended = line.last() == Some(&b'\n');
            if ended && !keep_end {
                line.pop();
            }
            (ended || !line.is_empty()).then_some(Item::Bytes(line))
        }
        Format::All => {
            let mut all = Vec::new();
            from.read_to_end(&mut all)?;
            Some(Item::Bytes(all))
        }
        Format::Bytes(0) => {
            let at_end = from.fill_buf()?.is_empty();
            (!at_end).then(|| Item::Bytes(Vec::new()))
        }
        Format::Bytes(n) => {
            let mut bytes = Vec::new();
            from.take(n as u64).read_to_end(&mut bytes)?;
            (!bytes.is_empty()).then_some(Item::Bytes(bytes))
        }
        Format::Number => numeral(from)?.map(Item::Number),
    })
}

/// Takes the longest prefix of a numeral off the input, at most 200 bytes, and
/// one byte more is looked at only.
struct Numeral<'a> {
    from: &'a mut dyn BufRead,
    text: Vec<u8>,
    too_long: bool,
}

impl Numeral<'_> {
    fn peek(&mut self) -> Result<Option<u8>> {
        Ok(self.from.fill_buf()?.first().copied())
    }

    /// Takes the next byte if `accept` likes it.
    fn take(&mut self, accept: impl Fn(u8) -> bool) -> Result<bool> {
        let Some(b) = self.peek()?.filter(|&b| accept(b)) else {
            return Ok(false);
        };
        if self.text.len() >= MAX_NUMERAL {
            self.too_long = true;
            return Ok(false);
        }
        self.text.push(b);
        self.from.consume(1);
        Ok(true)
    }

    fn digits(&mut self, hex: bool) -> Result<usize> {
        let mut n = 0;
        while self.take(|b| {
            if hex {
                b.is_ascii_hexdigit()
            } else {
                b.is_ascii_digit()
            }
        })? {
            n += 1;
        }
        Ok(n)
    }
}

fn numeral(from: &mut dyn BufRead) -> Result<Option<NumberItem>> {
    let mut r = Numeral {
        from,
        text: Vec::new(),
        too_long: false,
    };
    while r
        .peek()?
        .is_some_and(|b| b.is_ascii_whitespace() || b == 0x0b)
    {
        r.from.consume(1);
    }
    let mut count = 0;
    let mut hex = false;
    r.take(|b| b == b'-' || b == b'+')?;
    if r.take(|b| b == b'0')? {
        if r.take(|b| b | 0x20 == b'x')? {
            hex = true;
        } else {
            count = 1;
        }
    }
    count += r.digits(hex)?;
    if r.take(|b| b == b'.')? {
        count += r.digits(hex)?;
    }
    let mark = if hex { b'p' } else { b'e' };
    if count > 0 && r.take(|b| b | 0x20 == mark)? {
        r.take(|b| b == b'-' || b == b'+')?;
        r.digits(false)?;
    }
    if r.too_long {
        return Ok(None);
    }
    Ok(number::parse(&r.text).and_then(|v| match v.as_int() {
        Some(i) => Some(NumberItem::Int(i)),
        None => v.as_float().map(NumberItem::Float),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(mut text: &[u8], n: usize) -> Vec<Option<Item>> {
        (0..n)
            .map(|_| item(&mut text, Format::Number).expect("memory does not fail"))
            .collect()
    }

    #[test]
    fn numerals() {
        let int = |i| Some(Item::Number(NumberItem::Int(i)));
        let float = |f| Some(Item::Number(NumberItem::Float(f)));
        assert_eq!(
            numbers(b" 12 -0xff  .5e1 0x.8p2 1e", 5),
            [int(12), int(-255), float(5.0), float(2.0), None]
        );
        assert_eq!(numbers(&[b'1'; 201], 1), [None]);
        assert_eq!(numbers(b"0x", 1), [None]);
        assert_eq!(numbers(b"", 1), [None]);
    }

    #[test]
    fn a_numeral_leaves_what_follows() {
        let mut text = &b"12abc"[..];
        item(&mut text, Format::Number).expect("memory does not fail");
        assert_eq!(text, b"abc");
    }

    #[test]
    fn lines_and_bytes() {
        let mut text = &b"one\n\ntwo"[..];
        let chop = Format::Line { keep_end: false };
        let mut next = |f| match item(&mut text, f) {
            Ok(Some(Item::Bytes(b))) => String::from_utf8(b).ok(),
            _ => None,
        };
        assert_eq!(
            next(Format::Line { keep_end: true }).as_deref(),
            Some("one\n")
        );
        assert_eq!(next(chop).as_deref(), Some(""));
        assert_eq!(next(Format::Bytes(2)).as_deref(), Some("tw"));
        assert_eq!(next(Format::Bytes(0)).as_deref(), Some(""));
        assert_eq!(next(chop).as_deref(), Some("o"));
        assert_eq!(next(chop), None);
        assert_eq!(next(Format::Bytes(0)), None);
        assert_eq!(next(Format::All).as_deref(), Some(""));
    }
}
