//! `find`, `match`, `gmatch` and `gsub`.

use super::pattern::{Capture, Matcher, PatternError, anchored, is_plain};
use super::start_index;
use crate::args::{check_int, check_str, opt_int, type_error, upvalue};
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

#[inline]
fn capture_value(
    vm: &mut VmState,
    m: &Matcher<'_>,
    subject: &[u8],
    i: usize,
    start: usize,
    end: usize,
) -> LuaResult<Value> {
    match m.capture(i, start, end) {
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
    let n = if m.level() == 0 && whole {
        1
    } else {
        m.level()
    };
    for i in 0..n {
        let v = capture_value(vm, m, subject, i, start, end)?;
        vm.push(v)?;
    }
    Ok(n as u32)
}

pub(super) fn find(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?.bytes();
    let p = check_str(vm, args, 1)?.bytes();
    let init = start_index(opt_int(vm, args, 2, 1)?, s.len()) - 1;
    if init > s.len() {
        return Ok(Ret::One(Value::NIL));
    }
    if args.get(3).truthy() || is_plain(p) {
        let Some(at) = find_plain(&s[init..], p) else {
            return Ok(Ret::One(Value::NIL));
        };
        vm.push(Value::int((init + at + 1) as i64))?;
        vm.push(Value::int((init + at + p.len()) as i64))?;
        return Ok(Ret::Many(2));
    }
    search(vm, s, p, init, true)
}

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
    let p = check_str(vm, args, 1)?.bytes();
    let init = start_index(opt_int(vm, args, 2, 1)?, s.len()) - 1;
    if init > s.len() {
        return Ok(Ret::One(Value::NIL));
    }
    search(vm, s, p, init, false)
}

fn search(vm: &mut VmState, s: &[u8], p: &[u8], init: usize, find: bool) -> NativeResult {
    let (anchor, p) = anchored(p);
    let mut m = Matcher::new(s, p);
    let mut at = init;
    loop {
        match m.match_at(at, vm.interrupt_word()) {
            Err(e) => return Err(raise(vm, e)),
            Ok(Some(end)) => {
                if find {
                    vm.push(Value::int(at as i64 + 1))?;
                    vm.push(Value::int(end as i64))?;
                    let n = push_captures(vm, &m, s, at, end, false)?;
                    return Ok(Ret::Many(n + 2));
                }
                if m.level() <= 1 {
                    return Ok(Ret::One(capture_value(vm, &m, s, 0, at, end)?));
                }
                return Ok(Ret::Many(push_captures(vm, &m, s, at, end, true)?));
            }
            Ok(None) => {}
        }
        at += 1;
        if anchor || at > s.len() {
            return Ok(Ret::One(Value::NIL));
        }
        at = m.candidate(at);
    }
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
    let p = check_str(vm, args, 1)?;
    let init = start_index(opt_int(vm, args, 2, 1)?, s.len()) - 1;
    let init = init.min(s.len() + 1) as i64;
    let captured = [
        Value::str(s),
        Value::str(p),
        Value::int(init),
        Value::int(-1),
    ];
    let f = vm.native_with("gmatch_iterator", gmatch_step, &captured);
    Ok(Ret::One(Value::native_fn(f)))
}

fn gmatch_step(vm: &mut VmState, _: Args) -> NativeResult {
    let Some(me) = vm.frame_at(0).and_then(|f| f.function().as_native_fn()) else {
        return Ok(Ret::One(Value::NIL));
    };
    let (Some(s), Some(p)) = (
        upvalue(vm, iterator::SUBJECT).as_str(),
        upvalue(vm, iterator::PATTERN).as_str(),
    ) else {
        return Ok(Ret::One(Value::NIL));
    };
    let next = me.upval(iterator::NEXT).as_int().unwrap_or(0) as usize;
    let last = me.upval(iterator::LAST).as_int().unwrap_or(-1);
    let subject = s.bytes();
    let mut m = Matcher::new(subject, p.bytes());
    let mut at = next;
    while at <= subject.len() {
        match m.match_at(at, vm.interrupt_word()) {
            Err(e) => return Err(raise(vm, e)),
            Ok(Some(end)) if end as i64 != last => {
                me.set_upval(iterator::NEXT, Value::int(end as i64));
                me.set_upval(iterator::LAST, Value::int(end as i64));
                if m.level() <= 1 {
                    return Ok(Ret::One(capture_value(vm, &m, subject, 0, at, end)?));
                }
                return Ok(Ret::Many(push_captures(vm, &m, subject, at, end, true)?));
            }
            Ok(_) => at = m.candidate(at + 1),
        }
    }
    me.set_upval(iterator::NEXT, Value::int(subject.len() as i64 + 1));
    Ok(Ret::One(Value::NIL))
}

pub(super) fn gsub(vm: &mut VmState, args: Args) -> NativeResult {
    let s = check_str(vm, args, 0)?;
    let subject = s.bytes();
    let p = check_str(vm, args, 1)?.bytes();
    let repl = match args.get(2).tag {
        Tag::INT | Tag::FLOAT => Value::str(check_str(vm, args, 2)?),
        Tag::STR | Tag::TABLE | Tag::LUA_FN | Tag::NATIVE_FN => args.get(2),
        _ => return Err(type_error(vm, args, 2, "string/function/table")),
    };
    let limit = match args.get(3).tag {
        Tag::NIL => i64::MAX,
        _ => check_int(vm, args, 3)?,
    };
    let (anchor, p) = anchored(p);
    let mut m = Matcher::new(subject, p);
    let mut out = Buf::new();
    // Bytes of the subject before `copied` are in `out` or replaced.
    let (mut at, mut copied, mut n) = (0, 0, 0);
    let mut last = usize::MAX;
    let mut changed = false;
    let plain_from = if !anchor && is_plain(p) && !p.is_empty() {
        Some(memmem::Finder::new(p))
    } else {
        None
    };
    while n < limit {
        let end = if let Some(finder) = &plain_from {
            match finder.find(&subject[at..]) {
                Some(i) => {
                    at += i;
                    Some(at + p.len())
                }
                None => break,
            }
        } else {
            match m.match_at(at, vm.interrupt_word()) {
                Ok(end) => end,
                Err(e) => return Err(raise(vm, e)),
            }
        };
        match end {
            Some(end) if end != last => {
                n += 1;
                let before = out.len();
                out.extend(&subject[copied..at]);
                if add_value(vm, &m, &mut out, subject, repl, at, end)? {
                    changed = true;
                } else {
                    out.extend(&subject[at..end]);
                }
                debug_assert!(out.len() >= before);
                out.check(vm)?;
                at = end;
                copied = end;
                last = end;
            }
            _ if anchor || at >= subject.len() => break,
            _ => at = m.candidate(at + 1),
        }
        if anchor {
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

/// Appends what replaces the match; false if the match stays.
fn add_value(
    vm: &mut VmState,
    m: &Matcher<'_>,
    out: &mut Buf,
    subject: &[u8],
    repl: Value,
    start: usize,
    end: usize,
) -> LuaResult<bool> {
    let v = match repl.tag {
        Tag::STR => {
            if let Some(r) = repl.as_str() {
                add_template(vm, m, out, subject, r.bytes(), start, end)?;
            }
            return Ok(true);
        }
        Tag::TABLE => {
            let key = capture_value(vm, m, subject, 0, start, end)?;
            vm.index(repl, key)?
        }
        _ => {
            let mut captures = SmallVec::<[Value; 8]>::new();
            for i in 0..m.level().max(1) {
                captures.push(capture_value(vm, m, subject, i, start, end)?);
            }
            let [v] = vm.call::<1>(repl, &captures)?;
            v
        }
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

/// Appends a replacement string, with `%1` and the like filled in.
fn add_template(
    vm: &mut VmState,
    m: &Matcher<'_>,
    out: &mut Buf,
    subject: &[u8],
    mut template: &[u8],
    start: usize,
    end: usize,
) -> LuaResult<()> {
    while let Some(i) = memchr(b'%', template) {
        out.extend(&template[..i]);
        match template.get(i + 1) {
            Some(b'%') => out.push(b'%'),
            Some(b'0') => out.extend(&subject[start..end]),
            Some(d @ b'1'..=b'9') => match m.capture(usize::from(d - b'1'), start, end) {
                Ok(Capture::Part(from, to)) => out.extend(&subject[from..to]),
                Ok(Capture::Position(n)) => {
                    out.extend(NumberText::int(n as i64).as_bytes());
                }
                Err(e) => return Err(raise(vm, e)),
            },
            _ => return Err(vm.error("invalid use of '%' in replacement string")),
        }
        template = &template[i + 2..];
    }
    out.extend(template);
    Ok(())
}
