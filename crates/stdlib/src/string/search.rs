//! `find`, `match`, `gmatch` and `gsub`.

use super::pattern::{Capture, ESC, Matcher, PatternError, is_plain};
use super::{kept, start_index};
use crate::args::{check_int, check_str, opt_int, type_error};
use crate::buf::Buf;
use memchr::{memchr, memmem};
use smallvec::SmallVec;
use vela_objects::number::NumberText;
use vela_objects::{Args, LuaResult, NativeResult, Ret, Tag, Thrown, Value, VmState};

#[cold]
fn raise(vm: &mut VmState, e: PatternError) -> Thrown {
    if e == PatternError::Interrupted
        && let Err(thrown) = vm.check_interrupt()
    {
        return thrown;
    }
    vm.error(e.to_string())
}

/// The value of a capture.
#[inline]
fn value_of(
    vm: &mut VmState,
    capture: Result<Capture, PatternError>,
    subject: &[u8],
) -> LuaResult<Value> {
    match capture {
        Ok(Capture::Part(from, to)) => Ok(vm.str_value(&subject[from..to])),
        Ok(Capture::Position(n)) => Ok(Value::int(n as i64)),
        Err(e) => Err(raise(vm, e)),
    }
}

/// Pushes all captures, or the whole match if there are none and `whole`.
fn push_captures(
    vm: &mut VmState,
    m: &Matcher<'_>,
    subject: &[u8],
    start: usize,
    end: usize,
    whole: bool,
) -> LuaResult<u32> {
    let n = m.level().max(usize::from(whole));
    for i in 0..n {
        let v = value_of(vm, m.capture(i, start, end), subject)?;
        vm.push(v)?;
    }
    Ok(n as u32)
}

pub(super) fn find(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let pattern = check_str(vm, args, 1)?;
    let init = start_index(opt_int(vm, args, 2, 1)?, s.len()) - 1;
    if init > s.len() {
        return Ok(Ret::One(Value::NIL));
    }
    let p = pattern.bytes();
    if args.get(3).truthy() || is_plain(p) {
        let Some(at) = find_plain(&s[init..], p) else {
            return Ok(Ret::One(Value::NIL));
        };
        vm.push(Value::int((init + at + 1) as i64))?;
        vm.push(Value::int((init + at + p.len()) as i64))?;
        return Ok(Ret::Many(2));
    }
    let program = kept::program(vm, pattern)?;
    let mut m = Matcher::new(s, &program);
    match m.next(init, NEVER, vm.interrupt_word()) {
        Ok(None) => Ok(Ret::One(Value::NIL)),
        Ok(Some((start, end))) => {
            vm.push(Value::int(start as i64 + 1))?;
            vm.push(Value::int(end as i64))?;
            let n = push_captures(vm, &m, s, start, end, false)?;
            Ok(Ret::Many(n + 2))
        }
        Err(e) => Err(raise(vm, e)),
    }
}

/// A place where no match ends.
const NEVER: usize = usize::MAX;

/// Places where the first byte is right that are looked at before a search
/// for the whole is prepared.
const TRIES: usize = 8;

/// Where `needle` begins.
fn find_plain(s: &[u8], needle: &[u8]) -> Option<usize> {
    let Some((&first, rest)) = needle.split_first() else {
        return Some(0);
    };
    let mut from = 0;
    for _ in 0..TRIES {
        let at = from + memchr(first, &s[from..])?;
        if s[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
    Some(from + memmem::find(&s[from..], needle)?)
}

pub(super) fn match_(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let pattern = check_str(vm, args, 1)?;
    let init = start_index(opt_int(vm, args, 2, 1)?, s.len()) - 1;
    if init > s.len() {
        return Ok(Ret::One(Value::NIL));
    }
    let program = kept::program(vm, pattern)?;
    let mut m = Matcher::new(s, &program);
    match m.next(init, NEVER, vm.interrupt_word()) {
        Ok(None) => Ok(Ret::One(Value::NIL)),
        Ok(Some((start, end))) => captures(vm, &m, s, start, end),
        Err(e) => Err(raise(vm, e)),
    }
}

/// All captures as results, or the whole match if there are none.
#[inline]
fn captures(
    vm: &mut VmState,
    m: &Matcher<'_>,
    subject: &[u8],
    start: usize,
    end: usize,
) -> NativeResult {
    if m.level() <= 1 {
        let first = m.capture(0, start, end);
        return Ok(Ret::One(value_of(vm, first, subject)?));
    }
    Ok(Ret::Many(push_captures(vm, m, subject, start, end, true)?))
}

/// Captured values of a `gmatch` iterator.
mod iterator {
    pub(super) const SUBJECT: usize = 0;
    pub(super) const PATTERN: usize = 1;
    /// Where the next search starts.
    pub(super) const NEXT: usize = 2;
    /// Where the latest match ended, -1 before the first.
    pub(super) const LAST: usize = 3;
}

pub(super) fn gmatch(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?;
    let mut p = check_str(vm, args, 1)?;
    let init = start_index(opt_int(vm, args, 2, 1)?, s.len()) - 1;
    let init = init.min(s.len() + 1) as i64;
    if p.bytes().first() == Some(&b'^') {
        // Here it is no anchor, but a byte as others.
        p = vm.str(&[&[ESC], p.bytes()].concat());
    }
    let captured = [
        Value::str(s),
        Value::str(p),
        Value::int(init),
        Value::int(-1),
    ];
    let f = vm.native_with("gmatch_iterator", gmatch_step, &captured);
    Ok(Ret::One(Value::native_fn(f)))
}

/// One step of an iteration. It looks its program up again: what the loop does
/// between two steps may have made more room for others than there is, but
/// then it is compiled again.
fn gmatch_step(vm: &mut VmState, _: Args) -> NativeResult {
    let Some(me) = vm.frame_at(0).and_then(|f| f.function().as_native_fn()) else {
        return Ok(Ret::One(Value::NIL));
    };
    let (Some(s), Some(p)) = (
        me.upval(iterator::SUBJECT).as_str(),
        me.upval(iterator::PATTERN).as_str(),
    ) else {
        return Ok(Ret::One(Value::NIL));
    };
    let next = me.upval(iterator::NEXT).as_int().unwrap_or(0) as usize;
    // Before the first match it is no position.
    let last = me.upval(iterator::LAST).as_int().unwrap_or(-1) as usize;
    let subject = s.bytes();
    let program = kept::program(vm, p)?;
    let mut m = Matcher::new(subject, &program);
    match m.next(next, last, vm.interrupt_word()) {
        Ok(Some((start, end))) => {
            me.set_upval(iterator::NEXT, Value::int(end as i64));
            me.set_upval(iterator::LAST, Value::int(end as i64));
            captures(vm, &m, subject, start, end)
        }
        Ok(None) => {
            me.set_upval(iterator::NEXT, Value::int(subject.len() as i64 + 1));
            Ok(Ret::None)
        }
        Err(e) => Err(raise(vm, e)),
    }
}

pub(super) fn gsub(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?;
    let subject = s.bytes();
    let pattern = check_str(vm, args, 1)?;
    let repl = match args.get(2).tag {
        Tag::INT | Tag::FLOAT => Value::str(check_str(vm, args, 2)?),
        Tag::STR | Tag::TABLE | Tag::LUA_FN | Tag::NATIVE_FN => args.get(2),
        _ => return Err(type_error(vm, args, 2, "string/function/table")),
    };
    let limit = match args.get(3).tag {
        Tag::NIL => i64::MAX,
        _ => check_int(vm, args, 3)?,
    };
    let template = repl.as_str().map(|r| Template::new(r.bytes()));
    let p = pattern.bytes();
    let program;
    // Only `find` takes a lone `)` for what it is, as PUC Lua does.
    let plain = is_plain(p) && !p.is_empty() && memchr(b')', p).is_none();
    let (mut m, finder) = if plain {
        (None, Some(memmem::Finder::new(p)))
    } else {
        program = kept::program(vm, pattern)?;
        (Some(Matcher::new(subject, &program)), None)
    };
    let anchored = m.as_ref().is_some_and(|m| m.is_anchored());
    let mut out = Buf::new();
    // Bytes of the subject before `copied` are in `out` or replaced.
    let (mut copied, mut n) = (0, 0);
    let mut last = NEVER;
    let mut changed = false;
    while n < limit {
        let from = copied;
        let found = match (&mut m, &finder) {
            (Some(m), _) => m.next(from, last, vm.interrupt_word()),
            (None, Some(finder)) => {
                let found = finder.find(&subject[from..]);
                Ok(found.map(|i| (from + i, from + i + p.len())))
            }
            (None, None) => Ok(None),
        };
        let (start, end) = match found {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(e) => return Err(raise(vm, e)),
        };
        n += 1;
        out.extend(&subject[copied..start]);
        let found = Found {
            m: m.as_ref(),
            subject,
            start,
            end,
        };
        let replaced = match &template {
            Some(template) => {
                template.add(vm, &mut out, &found)?;
                true
            }
            None => add_value(vm, &mut out, &found, repl)?,
        };
        if replaced {
            changed = true;
        } else {
            out.extend(&subject[start..end]);
        }
        out.check(vm)?;
        copied = end;
        last = end;
        if anchored {
            break;
        }
    }
    let result = if changed {
        out.extend(&subject[copied..]);
        out.check(vm)?;
        vm.str_value(out.as_slice())
    } else {
        Value::str(s)
    };
    vm.push(result)?;
    vm.push(Value::int(n))?;
    Ok(Ret::Many(2))
}

/// A match that is to be replaced.
struct Found<'a> {
    /// `None` if the pattern is a plain one, without captures.
    m: Option<&'a Matcher<'a>>,
    subject: &'a [u8],
    start: usize,
    end: usize,
}

impl Found<'_> {
    /// Number of captures.
    fn level(&self) -> usize {
        self.m.map_or(0, Matcher::level)
    }

    fn capture(&self, i: usize) -> Result<Capture, PatternError> {
        match self.m {
            Some(m) => m.capture(i, self.start, self.end),
            None if i == 0 => Ok(Capture::Part(self.start, self.end)),
            None => Err(PatternError::CaptureIndex(i as u8 + 1)),
        }
    }

    fn value(&self, vm: &mut VmState, i: usize) -> LuaResult<Value> {
        let capture = self.capture(i);
        value_of(vm, capture, self.subject)
    }
}

/// Appends what replaces the match; false if the match stays.
fn add_value(vm: &mut VmState, out: &mut Buf, found: &Found<'_>, repl: Value) -> LuaResult<bool> {
    let first = found.value(vm, 0)?;
    let v = if repl.tag == Tag::TABLE {
        vm.index(repl, first)?
    } else {
        let mut captures = SmallVec::<[Value; 8]>::new();
        captures.push(first);
        for i in 1..found.level() {
            captures.push(found.value(vm, i)?);
        }
        let [v] = vm.call::<1>(repl, &captures)?;
        v
    };
    match v.tag {
        Tag::STR => {
            if let Some(s) = v.as_str() {
                out.extend(s.bytes());
            }
            Ok(true)
        }
        Tag::INT | Tag::FLOAT => {
            out.extend(NumberText::new(v).as_bytes());
            Ok(true)
        }
        _ if !v.truthy() => Ok(false),
        tag => Err(vm.error(format!("invalid replacement value (a {})", tag.type_name()))),
    }
}

/// A part of a replacement string.
enum Piece<'a> {
    Text(&'a [u8]),
    /// `%0`
    Whole,
    /// `%1` and so on, from 0.
    Capture(usize),
    /// `%` before anything else.
    Invalid,
}

/// A replacement string, taken apart.
struct Template<'a>(SmallVec<[Piece<'a>; 4]>);

impl<'a> Template<'a> {
    fn new(mut text: &'a [u8]) -> Template<'a> {
        let mut pieces = SmallVec::new();
        while let Some(i) = memchr(ESC, text) {
            let (before, rest) = text.split_at(i);
            // An escaped `%` is text, with what is before it.
            let (before, piece) = match rest.get(1) {
                Some(&ESC) => (&text[..=i], None),
                Some(b'0') => (before, Some(Piece::Whole)),
                Some(d @ b'1'..=b'9') => (before, Some(Piece::Capture(usize::from(d - b'1')))),
                _ => (before, Some(Piece::Invalid)),
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before));
            }
            let invalid = matches!(piece, Some(Piece::Invalid));
            pieces.extend(piece);
            if invalid {
                return Template(pieces);
            }
            text = &rest[2..];
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Template(pieces)
    }

    /// Appends what the match is replaced by.
    fn add(&self, vm: &mut VmState, out: &mut Buf, found: &Found<'_>) -> LuaResult<()> {
        for piece in &self.0 {
            match *piece {
                Piece::Text(text) => out.extend(text),
                Piece::Whole => out.extend(&found.subject[found.start..found.end]),
                Piece::Capture(i) => match found.capture(i) {
                    Ok(Capture::Part(from, to)) => out.extend(&found.subject[from..to]),
                    Ok(Capture::Position(n)) => {
                        out.extend(NumberText::int(n as i64).as_bytes());
                    }
                    Err(e) => return Err(raise(vm, e)),
                },
                Piece::Invalid => {
                    return Err(vm.error("invalid use of '%' in replacement string"));
                }
            }
        }
        Ok(())
    }
}
