//! Assembler text to prototypes: the inverse of [`crate::disasm`].

use crate::instr::Instr;
use crate::op::Op;
use crate::proto::{Constant, LineTable, LocalVar, Proto, UpvalDesc, UpvalSource};
use crate::verify::MAX_NESTING;
use crate::{NO_FEEDBACK, RK_CONST_BASE};
use std::collections::HashMap;
use std::sync::Arc;
use thiserror::Error;

/// Where and why assembler text was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {kind}")]
pub struct AsmError {
    /// Line of the text, from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: AsmErrorKind,
}

/// What is wrong with a line of assembler text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AsmErrorKind {
    /// The text ended inside a function, or holds none.
    #[error("unexpected end of text")]
    UnexpectedEnd,
    /// Something after the last `.end`.
    #[error("text after the end")]
    TrailingText,
    /// A line that is not what the place calls for.
    #[error("unexpected '{0}'")]
    Unexpected(String),
    /// No instruction has this name.
    #[error("unknown instruction '{0}'")]
    UnknownInstruction(String),
    /// An operand of the wrong kind.
    #[error("expected {expected}, found '{found}'")]
    Operand {
        /// The kind that the place calls for.
        expected: &'static str,
        /// The text.
        found: String,
    },
    /// A number that its field cannot hold.
    #[error("number '{0}' out of range")]
    OutOfRange(String),
    /// A string literal that does not end, or a bad escape in one.
    #[error("bad string literal")]
    BadString,
    /// A name that is not UTF-8.
    #[error("name is not UTF-8")]
    NotUtf8,
    /// A jump to a label that the function does not have.
    #[error("undefined label '{0}'")]
    UndefinedLabel(String),
    /// A label that the function has already.
    #[error("label '{0}' already defined")]
    DuplicateLabel(String),
    /// Two line directives for one instruction.
    #[error("two lines for one instruction")]
    DuplicateLine,
    /// Functions nest too deeply.
    #[error("functions nest too deeply")]
    Nesting,
}

use AsmErrorKind as Kind;

/// Assembles one function, with those nested in it. The result is *not*
/// verified.
///
/// # Errors
/// The first error in the text.
pub fn assemble(text: &str) -> Result<Proto, AsmError> {
    let mut parser = Parser {
        lines: text.lines().enumerate(),
        line: 0,
        words: Vec::new(),
        next: 0,
    };
    let result = parser.chunk();
    result.map_err(|kind| AsmError {
        line: parser.line,
        kind,
    })
}

#[derive(Clone, Debug, PartialEq)]
enum Word {
    Bare(String),
    Quoted(Vec<u8>),
}

struct Parser<'t> {
    lines: std::iter::Enumerate<std::str::Lines<'t>>,
    line: usize,
    words: Vec<Word>,
    next: usize,
}

type Result_<T = ()> = Result<T, Kind>;

impl Parser<'_> {
    fn chunk(&mut self) -> Result_<Proto> {
        if !self.next_line()? {
            return Err(Kind::UnexpectedEnd);
        }
        let first = self.bare()?;
        if first != ".function" {
            return Err(Kind::Unexpected(first));
        }
        let proto = self.function(0)?;
        if self.next_line()? {
            return Err(Kind::TrailingText);
        }
        Ok(proto)
    }

    /// Reads the words of the next line that has any.
    fn next_line(&mut self) -> Result_<bool> {
        loop {
            let Some((i, text)) = self.lines.next() else {
                return Ok(false);
            };
            self.line = i + 1;
            self.words.clear();
            self.next = 0;
            split(text, &mut self.words)?;
            if !self.words.is_empty() {
                return Ok(true);
            }
        }
    }

    fn word(&mut self) -> Result_<Word> {
        let word = self.words.get(self.next).cloned();
        self.next += 1;
        word.ok_or(Kind::Operand {
            expected: "another operand",
            found: String::new(),
        })
    }

    fn bare(&mut self) -> Result_<String> {
        match self.word()? {
            Word::Bare(text) => Ok(text),
            Word::Quoted(bytes) => Err(Kind::Unexpected(
                String::from_utf8_lossy(&bytes).into_owned(),
            )),
        }
    }

    fn quoted(&mut self) -> Result_<Vec<u8>> {
        match self.word()? {
            Word::Quoted(bytes) => Ok(bytes),
            Word::Bare(found) => Err(Kind::Operand {
                expected: "a string",
                found,
            }),
        }
    }

    fn name(&mut self) -> Result_<Arc<str>> {
        let bytes = self.quoted()?;
        let text = String::from_utf8(bytes).map_err(|_| Kind::NotUtf8)?;
        Ok(Arc::from(text))
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result_<T> {
        let text = self.bare()?;
        parse_number(&text)
    }

    /// A number after a one-letter mark, as in `r3`.
    fn marked<T: std::str::FromStr>(&mut self, mark: char, expected: &'static str) -> Result_<T> {
        let text = self.bare()?;
        match text.strip_prefix(mark) {
            Some(digits) => parse_number(digits),
            None => Err(Kind::Operand {
                expected,
                found: text,
            }),
        }
    }

    /// Whether the flag word comes next; anything else there is an error.
    fn flag(&mut self, flag: &str) -> Result_<bool> {
        if self.next == self.words.len() {
            return Ok(false);
        }
        let text = self.bare()?;
        if text == flag {
            Ok(true)
        } else {
            Err(Kind::Unexpected(text))
        }
    }

    fn end_of_line(&self) -> Result_ {
        match self.words.get(self.next) {
            None => Ok(()),
            Some(Word::Bare(text)) => Err(Kind::Unexpected(text.clone())),
            Some(Word::Quoted(_)) => Err(Kind::Unexpected("\"".to_owned())),
        }
    }

    /// A function after the word `.function`.
    fn function(&mut self, depth: usize) -> Result_<Proto> {
        if depth >= MAX_NESTING {
            return Err(Kind::Nesting);
        }
        let mut p = Proto {
            line_defined: self.number()?,
            last_line: self.number()?,
            ..Proto::default()
        };
        self.end_of_line()?;
        let mut body = Body::default();
        loop {
            if !self.next_line()? {
                return Err(Kind::UnexpectedEnd);
            }
            let head = self.bare()?;
            match head.as_str() {
                ".source" => p.source = self.name()?,
                ".params" => {
                    p.num_params = self.number()?;
                    p.is_vararg = self.flag("vararg")?;
                }
                ".stack" => p.max_stack = self.number()?,
                ".feedback" => p.num_feedback = self.number()?,
                ".upval" => {
                    let upval = self.upvalue()?;
                    p.upvals.push(upval);
                }
                ".const" => {
                    let constant = self.constant()?;
                    p.constants.push(constant);
                }
                ".local" => p.locals.push(LocalVar {
                    name: self.name()?,
                    reg: self.marked('r', "a register")?,
                    start_pc: self.number()?,
                    end_pc: self.number()?,
                    in_cell: self.flag("cell")?,
                }),
                ".code" => {}
                ".line" => body.lines.push((p.code.len() as u32, self.number()?)),
                ".word" => {
                    let text = self.bare()?;
                    let bits = text
                        .strip_prefix("0x")
                        .and_then(|hex| u64::from_str_radix(hex, 16).ok())
                        .ok_or(Kind::OutOfRange(text))?;
                    p.code.push(Instr(bits));
                }
                ".function" => {
                    let child = self.function(depth + 1)?;
                    p.protos.push(Arc::new(child));
                    continue;
                }
                ".end" => {
                    self.end_of_line()?;
                    return body.finish(p);
                }
                label if label.ends_with(':') => {
                    let label = label.trim_end_matches(':').to_owned();
                    let pc = p.code.len();
                    if body.labels.insert(label.clone(), pc).is_some() {
                        return Err(Kind::DuplicateLabel(label));
                    }
                }
                mnemonic => {
                    let op = Op::from_mnemonic(mnemonic)
                        .ok_or_else(|| Kind::UnknownInstruction(mnemonic.to_owned()))?;
                    let instr = self.instruction(op, p.code.len(), &mut body)?;
                    p.code.push(instr);
                }
            }
            self.end_of_line()?;
        }
    }

    fn upvalue(&mut self) -> Result_<UpvalDesc> {
        let name = match self.word()? {
            Word::Bare(text) if text == "-" => None,
            Word::Bare(text) => return Err(Kind::Unexpected(text)),
            Word::Quoted(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| Kind::NotUtf8)?;
                Some(Arc::from(text))
            }
        };
        let kind = self.bare()?;
        let source = match kind.as_str() {
            "cell" => UpvalSource::ParentCell(self.marked('r', "a register")?),
            "upval" => UpvalSource::ParentUpval(self.marked('u', "an upvalue")?),
            _ => return Err(Kind::Unexpected(kind)),
        };
        Ok(UpvalDesc {
            name,
            source,
            reassigned: self.flag("reassigned")?,
        })
    }

    fn constant(&mut self) -> Result_<Constant> {
        let kind = match self.word()? {
            Word::Quoted(bytes) => return Ok(Constant::Str(Arc::from(bytes))),
            Word::Bare(text) => text,
        };
        Ok(match kind.as_str() {
            "nil" => Constant::Nil,
            "true" => Constant::Bool(true),
            "false" => Constant::Bool(false),
            "int" => Constant::Int(self.number()?),
            "float" => {
                let text = self.bare()?;
                let value = match text.strip_prefix("nan:") {
                    Some(bits) => u64::from_str_radix(bits, 16)
                        .map(f64::from_bits)
                        .map_err(|_| Kind::OutOfRange(text))?,
                    None => parse_number(&text)?,
                };
                Constant::Float(value)
            }
            _ => return Err(Kind::Unexpected(kind)),
        })
    }

    fn instruction(&mut self, op: Op, pc: usize, body: &mut Body) -> Result_<Instr> {
        // the widths of a, b, c, d; bx takes the place of c and d
        let mut bits = u64::from(op as u8);
        for (i, letter) in op.format().bytes().enumerate() {
            let shift = [8, 16, 32, 48][i];
            let value: u64 = match letter {
                b'_' => continue,
                b'R' | b'W' | b'M' => self.marked::<u8>('r', "a register")?.into(),
                b'K' | b'S' => self.marked::<u16>('k', "a constant")?.into(),
                b'U' => self.marked::<u8>('u', "an upvalue")?.into(),
                b'X' => {
                    let text = self.bare()?;
                    if let Some(k) = text.strip_prefix('k') {
                        let k: u16 = parse_number(k)?;
                        u64::from(k.checked_add(RK_CONST_BASE).ok_or(Kind::OutOfRange(text))?)
                    } else if let Some(r) = text.strip_prefix('r') {
                        parse_number::<u8>(r)?.into()
                    } else {
                        return Err(Kind::Operand {
                            expected: "a register or constant",
                            found: text,
                        });
                    }
                }
                b'I' => (self.number::<i16>()? as u16).into(),
                b'N' => self.number::<u16>()?.into(),
                b'F' => {
                    let text = self.bare()?;
                    match text.strip_prefix('f') {
                        Some("-") => NO_FEEDBACK.into(),
                        Some(slot) => parse_number::<u16>(slot)?.into(),
                        None => {
                            return Err(Kind::Operand {
                                expected: "a feedback slot",
                                found: text,
                            });
                        }
                    }
                }
                b'J' if op.is_jump() => {
                    let label = self.bare()?;
                    body.jumps.push((pc, self.line, label));
                    0
                }
                b'J' => u64::from(self.number::<i32>()? as u32),
                b'C' => self.marked::<u32>('k', "a constant")?.into(),
                b'P' => self.marked::<u32>('p', "a function")?.into(),
                _ => self.number::<u32>()?.into(),
            };
            bits |= value << shift;
        }
        Ok(Instr(bits))
    }
}

/// What a function's text leaves to be resolved at its end.
#[derive(Default)]
struct Body {
    labels: HashMap<String, usize>,
    jumps: Vec<(usize, usize, String)>,
    lines: Vec<(u32, u32)>,
}

impl Body {
    fn finish(self, mut p: Proto) -> Result_<Proto> {
        for (pc, _, label) in self.jumps {
            let Some(&target) = self.labels.get(&label) else {
                return Err(Kind::UndefinedLabel(label));
            };
            let distance = target as i64 - pc as i64 - 1;
            let distance = i32::try_from(distance).map_err(|_| Kind::OutOfRange(label))?;
            p.code[pc] = p.code[pc].with_sbx(distance);
        }
        p.lines = LineTable::from_runs(self.lines).ok_or(Kind::DuplicateLine)?;
        Ok(p)
    }
}

fn parse_number<T: std::str::FromStr>(text: &str) -> Result_<T> {
    text.parse().map_err(|_| Kind::OutOfRange(text.to_owned()))
}

/// Splits a line into words: separated by spaces and commas, cut at `;`.
fn split(text: &str, words: &mut Vec<Word>) -> Result_ {
    let bytes = text.as_bytes();
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        match b {
            b';' => return Ok(()),
            b'"' => {
                let (literal, end) = string(bytes, i + 1)?;
                words.push(Word::Quoted(literal));
                i = end;
            }
            b',' => i += 1,
            _ if b.is_ascii_whitespace() => i += 1,
            _ => {
                let start = i;
                while bytes
                    .get(i)
                    .is_some_and(|b| !b.is_ascii_whitespace() && !b",;\"".contains(b))
                {
                    i += 1;
                }
                words.push(Word::Bare(text[start..i].to_owned()));
            }
        }
    }
    Ok(())
}

/// A string literal whose content starts at `start`; also where it ends.
fn string(bytes: &[u8], start: usize) -> Result_<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut i = start;
    loop {
        let b = *bytes.get(i).ok_or(Kind::BadString)?;
        i += 1;
        match b {
            b'"' => return Ok((out, i)),
            b'\\' => {
                let escape = *bytes.get(i).ok_or(Kind::BadString)?;
                i += 1;
                match escape {
                    b'n' => out.push(b'\n'),
                    b'x' => {
                        let hex = bytes
                            .get(i..i + 2)
                            .and_then(|h| std::str::from_utf8(h).ok())
                            .and_then(|h| u8::from_str_radix(h, 16).ok())
                            .ok_or(Kind::BadString)?;
                        out.push(hex);
                        i += 2;
                    }
                    b'"' | b'\\' => out.push(escape),
                    _ => return Err(Kind::BadString),
                }
            }
            _ => out.push(b),
        }
    }
}
