//! Lua's operators with all their cases: coercions, metamethods, errors.
//!
//! The interpreter and compiled code handle the common cases themselves and
//! come here for the rest; libraries call these directly.

use crate::debug::Operand;
use crate::gcref::Gc;
use crate::heap::is_growth;
use crate::meta::Event;
use crate::number::{self, NumberText};
use crate::string::{MAX_STRING, Str};
use crate::table::{KeyError, Table};
use crate::value::{Tag, Value, float_to_int};
use crate::vm::{LuaResult, Thrown, VmState};

/// A binary or unary arithmetic operator, in the order of their events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum ArithOp {
    Add,
    Sub,
    Mul,
    Mod,
    Pow,
    Div,
    IDiv,
    BAnd,
    BOr,
    BXor,
    Shl,
    Shr,
    Unm,
    BNot,
}

impl ArithOp {
    /// Every operator, in numeric order.
    pub const ALL: [ArithOp; 14] = [
        ArithOp::Add,
        ArithOp::Sub,
        ArithOp::Mul,
        ArithOp::Mod,
        ArithOp::Pow,
        ArithOp::Div,
        ArithOp::IDiv,
        ArithOp::BAnd,
        ArithOp::BOr,
        ArithOp::BXor,
        ArithOp::Shl,
        ArithOp::Shr,
        ArithOp::Unm,
        ArithOp::BNot,
    ];

    /// The metamethod event.
    #[must_use]
    pub fn event(self) -> Event {
        Event::ALL[Event::Add as usize + self as usize]
    }

    /// Whether the operator works on integers only.
    #[must_use]
    pub fn is_bitwise(self) -> bool {
        matches!(
            self,
            ArithOp::BAnd
                | ArithOp::BOr
                | ArithOp::BXor
                | ArithOp::Shl
                | ArithOp::Shr
                | ArithOp::BNot
        )
    }
}

/// `a // b` for integers, `b != 0`: rounds toward minus infinity.
#[inline]
#[must_use]
pub fn int_floor_div(a: i64, b: i64) -> i64 {
    let q = a.wrapping_div(b);
    if (a % b_or_one(b) != 0) && ((a < 0) != (b < 0)) {
        q - 1
    } else {
        q
    }
}

#[inline]
fn b_or_one(b: i64) -> i64 {
    // i64::MIN % -1 overflows in hardware; its remainder is 0 like any % 1.
    if b == -1 { 1 } else { b }
}

/// `a % b` for integers, `b != 0`: the result has the sign of `b`.
#[inline]
#[must_use]
pub fn int_mod(a: i64, b: i64) -> i64 {
    let r = a % b_or_one(b);
    if r != 0 && (r ^ b) < 0 { r + b } else { r }
}

/// `a % b` for floats: the result has the sign of `b`.
#[inline]
#[must_use]
pub fn float_mod(a: f64, b: f64) -> f64 {
    let r = fmod(a, b);
    if r != 0.0 && (r < 0.0) != (b < 0.0) {
        r + b
    } else {
        r
    }
}

/// C's `fmod`: exact, with the sign of `a`. Operands with small integer values
/// are common and take an integer division.
#[inline]
#[must_use]
pub fn fmod(a: f64, b: f64) -> f64 {
    let (x, y) = (a as i64, b as i64);
    if x as f64 == a && y as f64 == b && y != 0 && x.unsigned_abs() < 1 << 53 {
        return ((x % b_or_one(y)) as f64).copysign(a);
    }
    a % b
}

/// `a << n` with Lua's rules: negative counts shift right, 64 and more give 0.
#[inline]
#[must_use]
pub fn shift_left(a: i64, n: i64) -> i64 {
    if n >= 0 {
        if n >= 64 { 0 } else { ((a as u64) << n) as i64 }
    } else if n <= -64 {
        0
    } else {
        ((a as u64) >> -n) as i64
    }
}

/// `x ^ y`
#[inline]
#[must_use]
pub fn float_pow(x: f64, y: f64) -> f64 {
    if y == 2.0 { x * x } else { x.powf(y) }
}

/// The operator on two numbers; `None` when an operand is no number, a
/// bitwise operand has no integer value, or an integer is divided by zero.
#[inline]
#[must_use]
pub fn arith_numbers(op: ArithOp, a: Value, b: Value) -> Option<Value> {
    use ArithOp as A;
    if op.is_bitwise() {
        let (x, y) = (a.to_int()?, b.to_int()?);
        return Some(Value::int(match op {
            A::BAnd => x & y,
            A::BOr => x | y,
            A::BXor => x ^ y,
            A::Shl => shift_left(x, y),
            A::Shr => shift_left(
                x,
                y.wrapping_neg()
                    .max(-64)
                    .min(if y == i64::MIN { 64 } else { i64::MAX }),
            ),
            _ => !x,
        }));
    }
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        match op {
            A::Add => return Some(Value::int(x.wrapping_add(y))),
            A::Sub => return Some(Value::int(x.wrapping_sub(y))),
            A::Mul => return Some(Value::int(x.wrapping_mul(y))),
            A::IDiv => return (y != 0).then(|| Value::int(int_floor_div(x, y))),
            A::Mod => return (y != 0).then(|| Value::int(int_mod(x, y))),
            A::Unm => return Some(Value::int(x.wrapping_neg())),
            _ => {}
        }
    }
    let (x, y) = (a.to_float()?, b.to_float()?);
    Some(Value::float(match op {
        A::Add => x + y,
        A::Sub => x - y,
        A::Mul => x * y,
        A::Div => x / y,
        A::Mod => float_mod(x, y),
        A::IDiv => (x / y).floor(),
        A::Pow => float_pow(x, y),
        _ => -x,
    }))
}

/// `i < f` exactly, without rounding `i`.
#[inline]
#[must_use]
pub fn int_lt_float(i: i64, f: f64) -> bool {
    if f >= 9_223_372_036_854_775_808.0 {
        true
    } else if f > -9_223_372_036_854_775_808.0 {
        // The smallest integer >= f decides.
        i < f.ceil() as i64
    } else {
        // f is at or below the least integer, or NaN.
        false
    }
}

/// `i <= f` exactly.
#[inline]
#[must_use]
pub fn int_le_float(i: i64, f: f64) -> bool {
    if f >= 9_223_372_036_854_775_808.0 {
        true
    } else if f >= -9_223_372_036_854_775_808.0 {
        i <= f.floor() as i64
    } else {
        false
    }
}

/// `f < i` exactly.
#[inline]
#[must_use]
pub fn float_lt_int(f: f64, i: i64) -> bool {
    if f >= 9_223_372_036_854_775_808.0 {
        false
    } else if f >= -9_223_372_036_854_775_808.0 {
        (f.floor() as i64) < i
    } else {
        f < 0.0
    }
}

/// `f <= i` exactly.
#[inline]
#[must_use]
pub fn float_le_int(f: f64, i: i64) -> bool {
    if f >= 9_223_372_036_854_775_808.0 {
        false
    } else if f > -9_223_372_036_854_775_808.0 {
        (f.ceil() as i64) <= i
    } else {
        // Minus infinity and everything below the least integer; not NaN.
        f < 0.0
    }
}

/// `a < b` for two numbers.
#[inline]
#[must_use]
pub fn number_lt(a: Value, b: Value) -> bool {
    match (a.tag, b.tag) {
        (Tag::INT, Tag::INT) => (a.payload as i64) < b.payload as i64,
        (Tag::INT, _) => int_lt_float(a.payload as i64, f64::from_bits(b.payload)),
        (_, Tag::INT) => float_lt_int(f64::from_bits(a.payload), b.payload as i64),
        _ => f64::from_bits(a.payload) < f64::from_bits(b.payload),
    }
}

/// `a <= b` for two numbers.
#[inline]
#[must_use]
pub fn number_le(a: Value, b: Value) -> bool {
    match (a.tag, b.tag) {
        (Tag::INT, Tag::INT) => a.payload as i64 <= b.payload as i64,
        (Tag::INT, _) => int_le_float(a.payload as i64, f64::from_bits(b.payload)),
        (_, Tag::INT) => float_le_int(f64::from_bits(a.payload), b.payload as i64),
        _ => f64::from_bits(a.payload) <= f64::from_bits(b.payload),
    }
}

fn division_by_zero(op: ArithOp) -> &'static str {
    if op == ArithOp::Mod {
        "attempt to perform 'n%0'"
    } else {
        "attempt to divide by zero"
    }
}

/// Most `__index` and `__newindex` steps before a loop is assumed.
const MAX_META_CHAIN: usize = 2000;

impl VmState {
    /// A number from a value: itself, or a string that reads as one.
    #[must_use]
    pub fn coerce_number(&self, v: Value) -> Option<Value> {
        match v.tag {
            Tag::INT | Tag::FLOAT => Some(v),
            Tag::STR => v.as_str().and_then(|s| number::parse(s.bytes())),
            _ => None,
        }
    }

    /// `a op b` with all cases (unary operators take the operand twice).
    ///
    /// # Errors
    /// PUC Lua's messages, or what a metamethod raises.
    pub fn arith(&mut self, op: ArithOp, a: Value, b: Value) -> LuaResult<Value> {
        if let Some(v) = arith_numbers(op, a, b) {
            return Ok(v);
        }
        if matches!(op, ArithOp::IDiv | ArithOp::Mod)
            && a.as_int().is_some()
            && b.as_int() == Some(0)
        {
            return Err(self.runtime_error(division_by_zero(op)));
        }
        // Metamethods come before string coercion only for operands that are
        // no strings: strings coerce through the string metatable, whose
        // arithmetic is that of numbers.
        let event = op.event();
        let mm = self.binary_metamethod(a, b, event);
        if !mm.is_nil() {
            let [r] = self.call_meta(mm, &[a, b])?;
            return Ok(r);
        }
        // Strings take part in arithmetic, but not in bitwise operations.
        let strings = !op.is_bitwise() && (a.tag == Tag::STR || b.tag == Tag::STR);
        if strings && let (Some(x), Some(y)) = (self.coerce_number(a), self.coerce_number(b)) {
            return match arith_numbers(op, x, y) {
                Some(v) => Ok(v),
                None => {
                    // Raised by the string library in PUC Lua, so without a
                    // position.
                    let text = self.str_value(division_by_zero(op).as_bytes());
                    Err(self.throw(text))
                }
            };
        }
        if op.is_bitwise() {
            if a.is_number() && b.is_number() {
                let at = if a.to_int().is_none() {
                    Operand::Left
                } else {
                    Operand::Right
                };
                let info = self.operand_info(at);
                return Err(
                    self.runtime_error(format!("number{info} has no integer representation"))
                );
            }
            let (culprit, at) = if a.is_number() {
                (b, Operand::Right)
            } else {
                (a, Operand::Left)
            };
            return Err(self.type_error("perform bitwise operation on", culprit, at));
        }
        if strings {
            return Err(self.runtime_error(format!(
                "attempt to {} a '{}' with a '{}'",
                &op.event().key()[2..],
                a.tag.type_name(),
                b.tag.type_name(),
            )));
        }
        let (culprit, at) = if a.is_number() {
            (b, Operand::Right)
        } else {
            (a, Operand::Left)
        };
        Err(self.type_error("perform arithmetic on", culprit, at))
    }

    /// Calls a metamethod; its frame is named after the event in messages.
    ///
    /// # Errors
    /// Whatever the metamethod raises.
    #[inline]
    pub fn call_meta<const N: usize>(&mut self, f: Value, args: &[Value]) -> LuaResult<[Value; N]> {
        self.call_from_op::<N>(f, args)
    }

    /// Calls `f` from within an instruction of a Lua frame: above the frame's
    /// registers instead of at the natives' top.
    fn call_from_op<const N: usize>(&mut self, f: Value, args: &[Value]) -> LuaResult<[Value; N]> {
        let saved = self.top;
        self.top = self.frame_end();
        let r = self.call::<N>(f, args);
        self.top = saved;
        r
    }

    /// `a == b` with `__eq`.
    ///
    /// # Errors
    /// Whatever `__eq` raises.
    pub fn equals(&mut self, a: Value, b: Value) -> LuaResult<bool> {
        if a.raw_eq(b) {
            return Ok(true);
        }
        if a.tag != b.tag || !(a.tag == Tag::TABLE || a.tag == Tag::USERDATA) {
            return Ok(false);
        }
        let mm = self.binary_metamethod(a, b, Event::Eq);
        if mm.is_nil() {
            return Ok(false);
        }
        let [r] = self.call_meta(mm, &[a, b])?;
        Ok(r.truthy())
    }

    /// `a < b` with all cases.
    ///
    /// # Errors
    /// `attempt to compare ...`, or what `__lt` raises.
    pub fn less_than(&mut self, a: Value, b: Value) -> LuaResult<bool> {
        self.compare(a, b, Event::Lt)
    }

    /// `a <= b` with all cases.
    ///
    /// # Errors
    /// `attempt to compare ...`, or what `__le` raises.
    pub fn less_equal(&mut self, a: Value, b: Value) -> LuaResult<bool> {
        self.compare(a, b, Event::Le)
    }

    fn compare(&mut self, a: Value, b: Value, event: Event) -> LuaResult<bool> {
        let lt = event == Event::Lt;
        if a.is_number() && b.is_number() {
            return Ok(if lt { number_lt(a, b) } else { number_le(a, b) });
        }
        if let (Some(x), Some(y)) = (a.as_str(), b.as_str()) {
            // The C locale's order: bytes.
            return Ok(if lt {
                x.bytes() < y.bytes()
            } else {
                x.bytes() <= y.bytes()
            });
        }
        let mm = self.binary_metamethod(a, b, event);
        if mm.is_nil() && !lt {
            // Lua before 5.4, and 5.4 as PUC's makefile builds it: `not (b < a)`.
            let less = self.binary_metamethod(b, a, Event::Lt);
            if !less.is_nil() {
                let [r] = self.call_meta(less, &[b, a])?;
                return Ok(!r.truthy());
            }
        }
        if mm.is_nil() {
            let (ta, tb) = (self.type_name_of(a), self.type_name_of(b));
            return Err(if ta == tb {
                self.runtime_error(format!("attempt to compare two {ta} values"))
            } else {
                self.runtime_error(format!("attempt to compare {ta} with {tb}"))
            });
        }
        let [r] = self.call_meta(mm, &[a, b])?;
        Ok(r.truthy())
    }

    /// `o[k]` with `__index`.
    ///
    /// # Errors
    /// `attempt to index ...`, or what a metamethod raises.
    pub fn index(&mut self, o: Value, k: Value) -> LuaResult<Value> {
        let mut o = o;
        for step in 0..MAX_META_CHAIN {
            let mm = if let Some(t) = o.as_table() {
                let v = t.get(k);
                if !v.is_nil() {
                    return Ok(v);
                }
                let Some(mt) = t.metatable() else {
                    return Ok(Value::NIL);
                };
                let mm = self.meta_of(mt, Event::Index);
                if mm.is_nil() {
                    return Ok(Value::NIL);
                }
                mm
            } else {
                let mm = self.metamethod(o, Event::Index);
                if mm.is_nil() {
                    return Err(self.index_error(o, step == 0));
                }
                mm
            };
            if mm.is_function() {
                let [v] = self.call_meta(mm, &[o, k])?;
                return Ok(v);
            }
            o = mm;
        }
        Err(self.runtime_error("'__index' chain too long; possible loop"))
    }

    /// `o[k] = v` with `__newindex`.
    ///
    /// # Errors
    /// `attempt to index ...`, a nil or NaN key, or what a metamethod raises.
    pub fn set_index(&mut self, o: Value, k: Value, v: Value) -> LuaResult<()> {
        self.set_index_as(o, k, v, true)
    }

    /// As [`Self::set_index`]; `dynamic` says that the key was computed, as in
    /// [`Gc::<Table>::set_str_as`].
    ///
    /// # Errors
    /// As [`Self::set_index`].
    pub fn set_index_as(&mut self, o: Value, k: Value, v: Value, dynamic: bool) -> LuaResult<()> {
        let mut o = o;
        for step in 0..MAX_META_CHAIN {
            let mm = if let Some(t) = o.as_table() {
                let mm = match t.metatable() {
                    Some(mt) => self.meta_of(mt, Event::NewIndex),
                    None => Value::NIL,
                };
                if mm.is_nil() || !t.get(k).is_nil() {
                    if let (Some(name), false) = (k.as_str(), dynamic) {
                        t.set_str(self, name, v);
                        return Ok(());
                    }
                    return self.raw_set(t, k, v);
                }
                mm
            } else {
                let mm = self.metamethod(o, Event::NewIndex);
                if mm.is_nil() {
                    return Err(self.index_error(o, step == 0));
                }
                mm
            };
            if mm.is_function() {
                self.call_meta::<0>(mm, &[o, k, v])?;
                return Ok(());
            }
            o = mm;
        }
        Err(self.runtime_error("'__newindex' chain too long; possible loop"))
    }

    /// `rawset(t, k, v)`, with the errors as Lua errors.
    ///
    /// # Errors
    /// A nil or NaN key.
    pub fn raw_set(&mut self, t: Gc<Table>, k: Value, v: Value) -> LuaResult<()> {
        t.set(self, k, v).map_err(|e| self.key_error(e))
    }

    /// Raises a [`KeyError`] as a Lua error.
    pub fn key_error(&mut self, e: KeyError) -> Thrown {
        self.runtime_error(e.to_string())
    }

    /// `#v` with `__len`.
    ///
    /// # Errors
    /// `attempt to get length of ...`, or what `__len` raises.
    pub fn len_of(&mut self, v: Value) -> LuaResult<Value> {
        if let Some(s) = v.as_str() {
            return Ok(Value::int(s.len() as i64));
        }
        let mm = self.metamethod(v, Event::Len);
        if !mm.is_nil() {
            let [r] = self.call_meta(mm, &[v, v])?;
            return Ok(r);
        }
        match v.as_table() {
            Some(t) => Ok(Value::int(t.border())),
            None => Err(self.type_error("get length of", v, Operand::Left)),
        }
    }

    /// A string from a string or number; `None` for other values.
    pub fn coerce_str(&mut self, v: Value) -> Option<Gc<Str>> {
        match v.tag {
            Tag::STR => v.as_str(),
            Tag::INT | Tag::FLOAT => Some(self.str(NumberText::new(v).as_bytes())),
            _ => None,
        }
    }

    /// `v[0] .. v[1] .. ...`, right-associative, with `__concat`.
    ///
    /// # Errors
    /// `attempt to concatenate ...`, a string over the limit, or what a
    /// metamethod raises.
    pub fn concat(&mut self, values: &[Value]) -> LuaResult<Value> {
        let is_stringy = |v: &Value| v.tag == Tag::STR || v.is_number();
        if values.iter().all(is_stringy) {
            return self.concat_strings(values);
        }
        // Fold from the right: runs of strings at once, metamethods in pairs.
        let mut acc = values[values.len() - 1];
        let mut rest = &values[..values.len() - 1];
        while let Some((&left, before)) = rest.split_last() {
            if is_stringy(&left) && is_stringy(&acc) {
                let run = rest.iter().rev().take_while(|v| is_stringy(v)).count();
                let (head, tail) = rest.split_at(rest.len() - run);
                let mut all = tail.to_vec();
                all.push(acc);
                acc = self.concat_strings(&all)?;
                rest = head;
                continue;
            }
            let mm = self.binary_metamethod(left, acc, Event::Concat);
            if mm.is_nil() {
                let at = values.len() - rest.len();
                let (culprit, operand) = if is_stringy(&left) {
                    (acc, Operand::Concat((values.len() - at) as u16))
                } else {
                    (left, Operand::Concat((values.len() - at - 1) as u16))
                };
                return Err(self.type_error("concatenate", culprit, operand));
            }
            let [r] = self.call_meta(mm, &[left, acc])?;
            acc = r;
            rest = before;
        }
        Ok(acc)
    }

    fn concat_strings(&mut self, values: &[Value]) -> LuaResult<Value> {
        let mut total = 0usize;
        for v in values {
            total += v.as_str().map_or(24, |s| s.len());
            if total > MAX_STRING {
                return Err(self.runtime_error("string length overflow"));
            }
        }
        let mut buf = [0u8; 256];
        if total <= buf.len() {
            // Short results: no allocation but the string's own.
            let mut n = 0;
            for &v in values {
                let text;
                let bytes = match v.as_str() {
                    Some(s) => s.bytes(),
                    None => {
                        text = NumberText::new(v);
                        text.as_bytes()
                    }
                };
                buf[n..n + bytes.len()].copy_from_slice(bytes);
                n += bytes.len();
            }
            return Ok(self.str_value(&buf[..n]));
        }
        self.check_size(total)?;
        Ok(self.join_strings(values, total))
    }

    /// The strings and numbers, of which there is at least one, behind each
    /// other. They have no more than `total` bytes, which is no more than
    /// [`MAX_STRING`].
    pub fn join_strings(&mut self, values: &[Value], total: usize) -> Value {
        let grown = values[0].as_str().filter(|s| {
            let more = total - s.len();
            is_growth(s.len(), more) && self.can_exist(self.heap.append_needs(*s, more))
        });
        let (rest, size) = match grown {
            Some(s) => (&values[1..], total - s.len()),
            None => (values, total),
        };
        let mut out = Vec::with_capacity(size);
        for &v in rest {
            match v.as_str() {
                Some(s) => out.extend_from_slice(s.bytes()),
                None => out.extend_from_slice(NumberText::new(v).as_bytes()),
            }
        }
        match grown {
            Some(s) => Value::str(self.heap.append(s, &out)),
            None => self.str_value(&out),
        }
    }

    /// `tostring(v)` with `__tostring` and `__name`.
    ///
    /// # Errors
    /// `'__tostring' must return a string`, or what it raises.
    pub fn tostring(&mut self, v: Value) -> LuaResult<Gc<Str>> {
        let mm = self.metamethod(v, Event::ToString);
        if !mm.is_nil() {
            let [r] = self.call::<1>(mm, &[v])?;
            return match r.tag {
                Tag::STR => Ok(Gc::from_payload(r.payload)),
                Tag::INT | Tag::FLOAT => {
                    let s = self.coerce_str(r);
                    s.ok_or(())
                        .map_err(|()| self.error("'__tostring' must return a string"))
                }
                _ => Err(self.error("'__tostring' must return a string")),
            };
        }
        Ok(self.raw_tostring(v))
    }

    /// `tostring(v)` without `__tostring`, but with `__name`.
    pub fn raw_tostring(&mut self, v: Value) -> Gc<Str> {
        let text = match v.tag {
            Tag::NIL => "nil".into(),
            Tag::BOOL => if v.payload != 0 { "true" } else { "false" }.into(),
            Tag::STR => return Gc::from_payload(v.payload),
            Tag::INT | Tag::FLOAT => return self.str(NumberText::new(v).as_bytes()),
            _ => format!("{}: {:#x}", self.type_name_of(v), v.payload),
        };
        self.str(text.as_bytes())
    }

    /// The type name for messages: `__name` of the metatable if it is a
    /// string, otherwise the basic type.
    #[must_use]
    pub fn type_name_of(&self, v: Value) -> String {
        if matches!(v.tag, Tag::TABLE | Tag::USERDATA)
            && let Some(s) = self.metamethod(v, Event::Name).as_str()
        {
            return s.to_text();
        }
        if v.tag == Tag::LIGHT {
            "light userdata".into()
        } else {
            v.tag.type_name().into()
        }
    }

    fn index_error(&mut self, o: Value, direct: bool) -> Thrown {
        // A value found in a metatable has no name.
        let at = if direct {
            Operand::Indexed
        } else {
            Operand::None
        };
        self.type_error("index", o, at)
    }

    /// Raises `attempt to <op> a <type> value (<variable>)`.
    pub fn type_error(&mut self, op: &str, culprit: Value, at: Operand) -> Thrown {
        let name = self.type_name_of(culprit);
        let info = self.operand_info(at);
        self.runtime_error(format!("attempt to {op} a {name} value{info}"))
    }
}

/// An integer from a float or integer limit for a `for` loop with this step:
/// PUC Lua's `forlimit`. `None` means the loop does not run.
#[must_use]
pub fn for_limit(init: i64, limit: Value, step: i64) -> Option<i64> {
    let lim = match limit.tag {
        Tag::INT => limit.payload as i64,
        _ => {
            let f = f64::from_bits(limit.payload);
            match if step < 0 {
                float_to_int(f.ceil())
            } else {
                float_to_int(f.floor())
            } {
                Some(i) => i,
                None if f > 0.0 => {
                    if step < 0 {
                        return None;
                    }
                    i64::MAX
                }
                None => {
                    if step > 0 {
                        return None;
                    }
                    i64::MIN
                }
            }
        }
    };
    let runs = if step > 0 { init <= lim } else { init >= lim };
    runs.then_some(lim)
}
