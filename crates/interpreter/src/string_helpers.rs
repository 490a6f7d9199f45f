//! Helpers for library functions that compiled code calls without a frame:
//! strings, raw table access, iteration.
//!
//! None of them collects, raises or runs Lua code. What they cannot do they
//! refuse, with the tag `RET_NONE`, and the caller takes the general way.
//!
//! Every pointer that compiled code passes is one the contract of the tiers
//! gives it: `vm` the VM it runs in, objects alive.

use crate::call::Raw;
use vela_objects::closure::{LuaClosure, NativeClosure};
use vela_objects::meta::Event;
use vela_objects::number::NumberText;
use vela_objects::shape::OBJECT_META;
use vela_objects::{Gc, Str, Table, Tag, Value, VmState};

/// Nothing was done.
const REFUSED: Raw = Raw {
    payload: 0,
    tag: Tag::RET_NONE.0 as u64,
};

fn value(payload: u64, tag: u64) -> Value {
    Value {
        payload,
        tag: Tag(tag as u8),
    }
}

pub(crate) unsafe extern "C" fn native_upval(_vm: *mut VmState, f: *mut NativeClosure) -> Raw {
    // SAFETY: the contract of the tiers.
    Raw::value(unsafe { Gc::from_ptr(f) }.upval(0))
}

pub(crate) unsafe extern "C" fn pairs_next(
    vm: *mut VmState,
    pairs: *mut NativeClosure,
    payload: u64,
    tag: u64,
) -> Raw {
    // SAFETY: the contract of the tiers.
    let (vm, pairs) = unsafe { (&mut *vm, Gc::from_ptr(pairs)) };
    if vm.metamethod(value(payload, tag), Event::Pairs).is_nil() {
        Raw::value(pairs.upval(0))
    } else {
        REFUSED
    }
}

pub(crate) unsafe extern "C" fn next_pair(
    vm: *mut VmState,
    t: *mut Table,
    payload: u64,
    tag: u64,
    hint: u64,
) -> Raw {
    // SAFETY: the contract of the tiers.
    let (vm, t) = unsafe { (&mut *vm, Gc::from_ptr(t)) };
    let slot = hint as usize % vm.next_hints.len();
    match t.next_hinted(value(payload, tag), &mut vm.next_hints[slot]) {
        Ok(Some((k, v))) => {
            vm.exit_words[0] = v.payload;
            vm.exit_words[1] = u64::from(v.tag.0);
            Raw::value(k)
        }
        Ok(None) => {
            vm.exit_words[0] = 0;
            vm.exit_words[1] = u64::from(Tag::NIL.0);
            Raw::value(Value::NIL)
        }
        Err(_) => REFUSED,
    }
}

pub(crate) unsafe extern "C" fn pop_elem(vm: *mut VmState, t: *mut Table) -> Raw {
    // SAFETY: the contract of the tiers.
    let (vm, t) = unsafe { (&mut *vm, Gc::from_ptr(t)) };
    let shape = t.shape();
    if !shape.metatable.is_null() || shape.flags & OBJECT_META != 0 {
        return REFUSED;
    }
    let last = t.border();
    let v = t.get_int(last);
    if !v.is_nil() {
        t.set_int(vm, last, Value::NIL);
    }
    Raw::value(v)
}

pub(crate) unsafe extern "C" fn raw_get(
    _vm: *mut VmState,
    t: *mut Table,
    payload: u64,
    tag: u64,
) -> Raw {
    // SAFETY: the contract of the tiers.
    Raw::value(unsafe { Gc::from_ptr(t) }.get(value(payload, tag)))
}

pub(crate) unsafe extern "C" fn raw_set(
    vm: *mut VmState,
    t: *mut Table,
    key: u64,
    key_tag: u64,
    payload: u64,
    tag: u64,
) -> u64 {
    // SAFETY: the contract of the tiers.
    let (vm, t) = unsafe { (&mut *vm, Gc::from_ptr(t)) };
    let stored = t.set(vm, value(key, key_tag), value(payload, tag));
    u64::from(stored.is_ok())
}

pub(crate) unsafe extern "C" fn raw_equal(
    _vm: *mut VmState,
    a: u64,
    a_tag: u64,
    b: u64,
    b_tag: u64,
) -> u64 {
    u64::from(value(a, a_tag).raw_eq(value(b, b_tag)))
}

pub(crate) unsafe extern "C" fn raw_len(_vm: *mut VmState, t: *mut Table) -> i64 {
    // SAFETY: the contract of the tiers.
    unsafe { Gc::from_ptr(t) }.border()
}

pub(crate) unsafe extern "C" fn type_name(vm: *mut VmState, _payload: u64, tag: u64) -> *mut Str {
    // SAFETY: the contract of the tiers.
    let vm = unsafe { &mut *vm };
    vm.str(Tag(tag as u8).type_name().as_bytes()).as_ptr()
}

pub(crate) unsafe extern "C" fn to_str(vm: *mut VmState, payload: u64, tag: u64) -> Raw {
    let v = value(payload, tag);
    match v.tag {
        Tag::STR => Raw::value(v),
        Tag::INT | Tag::FLOAT => {
            // SAFETY: the contract of the tiers.
            let vm = unsafe { &mut *vm };
            Raw::value(vm.str_value(NumberText::new(v).as_bytes()))
        }
        _ => REFUSED,
    }
}

pub(crate) unsafe extern "C" fn to_num(vm: *mut VmState, payload: u64, tag: u64) -> Raw {
    // SAFETY: the contract of the tiers.
    let vm = unsafe { &mut *vm };
    Raw::value(vm.coerce_number(value(payload, tag)).unwrap_or(Value::NIL))
}

/// A position of `string.sub` that counts from the end made to count from the
/// start.
fn position(i: i64, len: i64) -> i64 {
    if i < 0 { (len + i + 1).max(0) } else { i }
}

pub(crate) unsafe extern "C" fn str_sub(
    vm: *mut VmState,
    s: *mut Str,
    first: i64,
    last: i64,
) -> *mut Str {
    // SAFETY: the contract of the tiers.
    let (vm, s) = unsafe { (&mut *vm, Gc::from_ptr(s)) };
    let len = s.len() as i64;
    let first = position(first, len).max(1);
    let last = position(last, len).min(len);
    if first == 1 && last == len {
        return s.as_ptr();
    }
    let part = if first <= last {
        &s.bytes()[first as usize - 1..last as usize]
    } else {
        b""
    };
    vm.str(part).as_ptr()
}

pub(crate) unsafe extern "C" fn str_char(vm: *mut VmState, byte: u64) -> *mut Str {
    // SAFETY: the contract of the tiers.
    unsafe { &mut *vm }.byte_str(byte as u8).as_ptr()
}

/// Results up to this size are put together on the native stack.
const SHORT: usize = 256;

/// Longer results are left to the interpreter, which may refuse them.
const LONG: usize = 1 << 20;

/// All operands as one string.
#[inline(always)]
fn concat<const N: usize>(vm: &mut VmState, values: [Value; N]) -> Raw {
    let mut numbers = [const { None }; N];
    let mut total = 0;
    for (v, text) in values.iter().zip(&mut numbers) {
        total += match v.as_str() {
            Some(s) => s.len(),
            None if v.is_number() => text.insert(NumberText::new(*v)).as_bytes().len(),
            None => return REFUSED,
        };
    }
    if total > LONG {
        return REFUSED;
    }
    let mut parts = [&b""[..]; N];
    for ((part, v), text) in parts.iter_mut().zip(&values).zip(&numbers) {
        *part = match (text, v.as_str()) {
            (Some(text), _) => text.as_bytes(),
            (_, s) => s.map_or(b"", Gc::<Str>::bytes),
        };
    }
    if total <= SHORT {
        let mut buf = [0; SHORT];
        let mut n = 0;
        for part in parts {
            buf[n..n + part.len()].copy_from_slice(part);
            n += part.len();
        }
        return Raw::value(vm.str_value(&buf[..total]));
    }
    Raw::value(vm.join_strings(&values, total))
}

pub(crate) unsafe extern "C" fn concat2(
    vm: *mut VmState,
    a: u64,
    a_tag: u64,
    b: u64,
    b_tag: u64,
) -> Raw {
    // SAFETY: the contract of the tiers.
    concat(unsafe { &mut *vm }, [value(a, a_tag), value(b, b_tag)])
}

pub(crate) unsafe extern "C" fn concat3(
    vm: *mut VmState,
    a: u64,
    a_tag: u64,
    b: u64,
    b_tag: u64,
    c: u64,
    c_tag: u64,
) -> Raw {
    let values = [value(a, a_tag), value(b, b_tag), value(c, c_tag)];
    // SAFETY: the contract of the tiers.
    concat(unsafe { &mut *vm }, values)
}

pub(crate) unsafe extern "C" fn concat4(
    vm: *mut VmState,
    a: u64,
    a_tag: u64,
    b: u64,
    b_tag: u64,
    c: u64,
    c_tag: u64,
    d: u64,
    d_tag: u64,
) -> Raw {
    let values = [
        value(a, a_tag),
        value(b, b_tag),
        value(c, c_tag),
        value(d, d_tag),
    ];
    // SAFETY: the contract of the tiers.
    concat(unsafe { &mut *vm }, values)
}

/// The caller sets the upvalues before anything else happens.
pub(crate) unsafe extern "C" fn new_closure(
    vm: *mut VmState,
    parent: *mut LuaClosure,
    n: u64,
) -> *mut LuaClosure {
    // SAFETY: the contract of the tiers.
    let (vm, parent) = unsafe { (&mut *vm, Gc::from_ptr(parent)) };
    let cold = &parent.proto.cold;
    let count = cold.proto.protos[n as usize].upvals.len();
    let child = cold.children[n as usize];
    vm.unset_closure(child, count).as_ptr()
}

/// Stores a constructor's values from `first` on.
fn set_list<const N: usize>(
    vm: *mut VmState,
    t: *mut Table,
    first: u64,
    values: [Value; N],
) -> u64 {
    // SAFETY: the contract of the tiers.
    unsafe { Gc::from_ptr(t).set_list(&mut *vm, first as usize, &values) }
    1
}

pub(crate) unsafe extern "C" fn set_list1(
    vm: *mut VmState,
    t: *mut Table,
    first: u64,
    a: u64,
    a_tag: u64,
) -> u64 {
    set_list(vm, t, first, [value(a, a_tag)])
}

pub(crate) unsafe extern "C" fn set_list2(
    vm: *mut VmState,
    t: *mut Table,
    first: u64,
    a: u64,
    a_tag: u64,
    b: u64,
    b_tag: u64,
) -> u64 {
    set_list(vm, t, first, [value(a, a_tag), value(b, b_tag)])
}

pub(crate) unsafe extern "C" fn set_list3(
    vm: *mut VmState,
    t: *mut Table,
    first: u64,
    a: u64,
    a_tag: u64,
    b: u64,
    b_tag: u64,
    c: u64,
    c_tag: u64,
) -> u64 {
    let values = [value(a, a_tag), value(b, b_tag), value(c, c_tag)];
    set_list(vm, t, first, values)
}

pub(crate) unsafe extern "C" fn set_list4(
    vm: *mut VmState,
    t: *mut Table,
    first: u64,
    a: u64,
    a_tag: u64,
    b: u64,
    b_tag: u64,
    c: u64,
    c_tag: u64,
    d: u64,
    d_tag: u64,
) -> u64 {
    let values = [
        value(a, a_tag),
        value(b, b_tag),
        value(c, c_tag),
        value(d, d_tag),
    ];
    set_list(vm, t, first, values)
}
