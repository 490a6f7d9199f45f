//! Lua values: a 64-bit payload and a one-byte tag.
//!
//! A value takes 16 bytes on the VM stack and in the API. Inside tables the
//! payload and the tag are kept apart (see [`crate::table`]); in compiled
//! code the tag mostly vanishes into the types of SSA values.
//!
//! Invariants that compiled code relies on:
//! - the payload of nil is 0 and the payload of a boolean is 0 or 1, so
//!   `tag <= BOOL && payload == 0` means "false in a condition";
//! - numbers are the tags with `tag & !1 == 2`;
//! - tags from [`Tag::FIRST_OBJECT`] on have a pointer to a heap object.

use crate::closure::{LuaClosure, NativeClosure};
use crate::gcref::Gc;
use crate::object::{Cell, Userdata};
use crate::string::Str;
use crate::table::Table;
use crate::thread::Thread;

/// The tag of a [`Value`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Tag(pub u8);

impl Tag {
    /// `nil`; payload 0.
    pub const NIL: Tag = Tag(0);
    /// A boolean; payload 0 or 1.
    pub const BOOL: Tag = Tag(1);
    /// A 64-bit integer.
    pub const INT: Tag = Tag(2);
    /// A double; payload is its bits.
    pub const FLOAT: Tag = Tag(3);
    /// A raw address of the host; compares by address.
    pub const LIGHT: Tag = Tag(4);
    /// A [`Str`].
    pub const STR: Tag = Tag(5);
    /// A [`Table`].
    pub const TABLE: Tag = Tag(6);
    /// A [`LuaClosure`].
    pub const LUA_FN: Tag = Tag(7);
    /// A [`NativeClosure`].
    pub const NATIVE_FN: Tag = Tag(8);
    /// A [`Userdata`].
    pub const USERDATA: Tag = Tag(9);
    /// A coroutine.
    pub const THREAD: Tag = Tag(10);
    /// A [`Cell`] of a captured variable: lives in registers only, never
    /// visible to Lua code.
    pub const CELL: Tag = Tag(11);

    /// First tag whose payload is a heap pointer.
    pub const FIRST_OBJECT: Tag = Tag(5);

    /// Result tag of compiled code: the call gave no value.
    pub const RET_NONE: Tag = Tag(0xf0);
    /// Result tag of compiled code: two or more values (or a run-time number
    /// of them) are on the VM stack, see `VmState::ret_base` and `ret_count`.
    pub const RET_MULTI: Tag = Tag(0xf1);
    /// Result tag of an OSR entry that did not accept the frame.
    pub const RET_OSR_FAIL: Tag = Tag(0xf2);
    /// Result tag of compiled code: an error is in `VmState::error`.
    pub const RET_ERROR: Tag = Tag(0xfe);
    /// Result tag of compiled code: a tail call is pending on the VM stack.
    pub const RET_TAIL: Tag = Tag(0xff);
    /// First of the tags that are not values but results of a call.
    pub const FIRST_RET: Tag = Tag(0xf0);

    /// Whether values with this tag point to a heap object.
    #[inline]
    #[must_use]
    pub const fn is_object(self) -> bool {
        self.0 >= Self::FIRST_OBJECT.0 && self.0 <= Self::CELL.0
    }

    /// Whether values with this tag are integers or floats.
    #[inline]
    #[must_use]
    pub const fn is_number(self) -> bool {
        self.0 & !1 == Self::INT.0
    }

    /// The name that `type` gives.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Tag::NIL => "nil",
            Tag::BOOL => "boolean",
            Tag::INT | Tag::FLOAT => "number",
            Tag::LIGHT | Tag::USERDATA => "userdata",
            Tag::STR => "string",
            Tag::TABLE => "table",
            Tag::LUA_FN | Tag::NATIVE_FN => "function",
            Tag::THREAD => "thread",
            _ => "no value",
        }
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.type_name(), self.0)
    }
}

/// A Lua value.
///
/// A value that points to a heap object is only valid while the object is
/// reachable; see the discipline in [`crate::gcref`].
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Value {
    /// Meaning given by the tag.
    pub payload: u64,
    /// What the payload is.
    pub tag: Tag,
}

impl Value {
    /// `nil`
    pub const NIL: Value = Value {
        payload: 0,
        tag: Tag::NIL,
    };
    /// `true`
    pub const TRUE: Value = Value {
        payload: 1,
        tag: Tag::BOOL,
    };
    /// `false`
    pub const FALSE: Value = Value {
        payload: 0,
        tag: Tag::BOOL,
    };

    /// An integer.
    #[inline]
    #[must_use]
    pub const fn int(i: i64) -> Value {
        Value {
            payload: i as u64,
            tag: Tag::INT,
        }
    }

    /// A float.
    #[inline]
    #[must_use]
    pub const fn float(f: f64) -> Value {
        Value {
            payload: f.to_bits(),
            tag: Tag::FLOAT,
        }
    }

    /// A boolean.
    #[inline]
    #[must_use]
    pub const fn bool(b: bool) -> Value {
        Value {
            payload: b as u64,
            tag: Tag::BOOL,
        }
    }

    /// A light userdata.
    #[inline]
    #[must_use]
    pub const fn light(address: u64) -> Value {
        Value {
            payload: address,
            tag: Tag::LIGHT,
        }
    }

    #[inline]
    fn object<T>(o: Gc<T>, tag: Tag) -> Value {
        Value {
            payload: o.addr(),
            tag,
        }
    }

    /// A string.
    #[inline]
    #[must_use]
    pub fn str(s: Gc<Str>) -> Value {
        Self::object(s, Tag::STR)
    }

    /// A table.
    #[inline]
    #[must_use]
    pub fn table(t: Gc<Table>) -> Value {
        Self::object(t, Tag::TABLE)
    }

    /// A Lua function.
    #[inline]
    #[must_use]
    pub fn lua_fn(c: Gc<LuaClosure>) -> Value {
        Self::object(c, Tag::LUA_FN)
    }

    /// A native function.
    #[inline]
    #[must_use]
    pub fn native_fn(c: Gc<NativeClosure>) -> Value {
        Self::object(c, Tag::NATIVE_FN)
    }

    /// A full userdata.
    #[inline]
    #[must_use]
    pub fn userdata(u: Gc<Userdata>) -> Value {
        Self::object(u, Tag::USERDATA)
    }

    /// A coroutine.
    #[inline]
    #[must_use]
    pub fn thread(t: Gc<Thread>) -> Value {
        Self::object(t, Tag::THREAD)
    }

    /// A cell of a captured variable (registers only).
    #[inline]
    #[must_use]
    pub fn cell(c: Gc<Cell>) -> Value {
        Self::object(c, Tag::CELL)
    }

    /// Whether this is nil.
    #[inline]
    #[must_use]
    pub fn is_nil(self) -> bool {
        self.tag == Tag::NIL
    }

    /// Whether a condition takes this value as true: all but nil and false.
    #[inline]
    #[must_use]
    pub fn truthy(self) -> bool {
        self.tag > Tag::BOOL || self.payload != 0
    }

    /// Whether this is an integer or a float.
    #[inline]
    #[must_use]
    pub fn is_number(self) -> bool {
        self.tag.is_number()
    }

    /// Whether this is a function, Lua or native.
    #[inline]
    #[must_use]
    pub fn is_function(self) -> bool {
        self.tag == Tag::LUA_FN || self.tag == Tag::NATIVE_FN
    }

    /// The integer, if it is one (floats are not converted).
    #[inline]
    #[must_use]
    pub fn as_int(self) -> Option<i64> {
        (self.tag == Tag::INT).then_some(self.payload as i64)
    }

    /// The float, if it is one (integers are not converted).
    #[inline]
    #[must_use]
    pub fn as_float(self) -> Option<f64> {
        (self.tag == Tag::FLOAT).then(|| f64::from_bits(self.payload))
    }

    /// The number as a float, if it is a number (strings are not converted).
    #[inline]
    #[must_use]
    pub fn to_float(self) -> Option<f64> {
        match self.tag {
            Tag::FLOAT => Some(f64::from_bits(self.payload)),
            Tag::INT => Some(self.payload as i64 as f64),
            _ => None,
        }
    }

    /// The number as an integer, if it is one with an exact integer value
    /// (strings are not converted).
    #[inline]
    #[must_use]
    pub fn to_int(self) -> Option<i64> {
        match self.tag {
            Tag::INT => Some(self.payload as i64),
            Tag::FLOAT => float_to_int(f64::from_bits(self.payload)),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    #[inline]
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        (self.tag == Tag::BOOL).then_some(self.payload != 0)
    }

    /// The string, if it is one (numbers are not converted).
    #[inline]
    #[must_use]
    pub fn as_str(self) -> Option<Gc<Str>> {
        (self.tag == Tag::STR).then(|| Gc::from_payload(self.payload))
    }

    /// The table, if it is one.
    #[inline]
    #[must_use]
    pub fn as_table(self) -> Option<Gc<Table>> {
        (self.tag == Tag::TABLE).then(|| Gc::from_payload(self.payload))
    }

    /// The Lua closure, if it is one.
    #[inline]
    #[must_use]
    pub fn as_lua_fn(self) -> Option<Gc<LuaClosure>> {
        (self.tag == Tag::LUA_FN).then(|| Gc::from_payload(self.payload))
    }

    /// The native closure, if it is one.
    #[inline]
    #[must_use]
    pub fn as_native_fn(self) -> Option<Gc<NativeClosure>> {
        (self.tag == Tag::NATIVE_FN).then(|| Gc::from_payload(self.payload))
    }

    /// The userdata, if it is one.
    #[inline]
    #[must_use]
    pub fn as_userdata(self) -> Option<Gc<Userdata>> {
        (self.tag == Tag::USERDATA).then(|| Gc::from_payload(self.payload))
    }

    /// The coroutine, if this is one.
    #[inline]
    #[must_use]
    pub fn as_thread(self) -> Option<Gc<Thread>> {
        (self.tag == Tag::THREAD).then(|| Gc::from_payload(self.payload))
    }

    /// Primitive equality, as `rawequal`: numbers by value across integer and
    /// float, strings by content (interned, so by address), the rest by identity.
    #[inline]
    #[must_use]
    pub fn raw_eq(self, other: Value) -> bool {
        if self.tag == other.tag {
            if self.tag == Tag::FLOAT {
                return f64::from_bits(self.payload) == f64::from_bits(other.payload);
            }
            return self.payload == other.payload;
        }
        match (self.tag, other.tag) {
            (Tag::INT, Tag::FLOAT) => {
                float_to_int(f64::from_bits(other.payload)) == Some(self.payload as i64)
            }
            (Tag::FLOAT, Tag::INT) => {
                float_to_int(f64::from_bits(self.payload)) == Some(other.payload as i64)
            }
            _ => false,
        }
    }

    /// Same tag and same payload bits.
    #[inline]
    #[must_use]
    pub fn identical(self, other: Value) -> bool {
        self.tag == other.tag && self.payload == other.payload
    }
}

impl Default for Value {
    fn default() -> Self {
        Self::NIL
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.tag {
            Tag::NIL => f.write_str("nil"),
            Tag::BOOL => write!(f, "{}", self.payload != 0),
            Tag::INT => write!(f, "{}", self.payload as i64),
            Tag::FLOAT => write!(f, "{:?}", f64::from_bits(self.payload)),
            tag => write!(f, "{}:{:#x}", tag.type_name(), self.payload),
        }
    }
}

/// The integer with exactly the value of `f`, if there is one.
#[inline]
#[must_use]
pub fn float_to_int(f: f64) -> Option<i64> {
    // -2^63 is exact; 2^63 is the first float above the range. NaN fails both.
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&f) {
        let i = f as i64;
        (i as f64 == f).then_some(i)
    } else {
        None
    }
}
