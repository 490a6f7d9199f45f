//! Values as hosts see them.

use crate::error::Result;
use crate::function::Function;
use crate::handle;
use crate::table::Table;
use crate::thread::Thread;
use crate::userdata::Userdata;
use vela_objects::{Tag, VmState};

/// A Lua value that a host holds. Strings are copied; objects are handles,
/// which keep them alive in their VM.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// nil
    #[default]
    Nil,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string; Lua's are bytes.
    Str(Vec<u8>),
    /// A table.
    Table(Table),
    /// A function, of Lua or of a host.
    Function(Function),
    /// A coroutine.
    Thread(Thread),
    /// A value of a host.
    Userdata(Userdata),
}

impl Value {
    /// The name of the value's type, as Lua's `type` gives it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Bool(_) => "boolean",
            Value::Int(_) | Value::Float(_) => "number",
            Value::Str(_) => "string",
            Value::Table(_) => "table",
            Value::Function(_) => "function",
            Value::Thread(_) => "thread",
            Value::Userdata(_) => "userdata",
        }
    }

    /// Whether the value counts as true: neither nil nor false.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }

    /// Whether it is nil.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// The string's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The string's text, if it is one in UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_bytes().and_then(|b| std::str::from_utf8(b).ok())
    }

    /// The integer, also of a float that is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match *self {
            Value::Int(i) => Some(i),
            Value::Float(f) => vela_objects::value::float_to_int(f),
            _ => None,
        }
    }

    /// The number as a float.
    #[must_use]
    pub fn as_float(&self) -> Option<f64> {
        match *self {
            Value::Int(i) => Some(i as f64),
            Value::Float(f) => Some(f),
            _ => None,
        }
    }

    /// The VM's own form.
    pub(crate) fn lower(&self, vm: &mut VmState) -> Result<vela_objects::Value> {
        Ok(match self {
            Value::Nil => vela_objects::Value::NIL,
            Value::Bool(b) => vela_objects::Value::bool(*b),
            Value::Int(i) => vela_objects::Value::int(*i),
            Value::Float(f) => vela_objects::Value::float(*f),
            Value::Str(s) => vm.str_value(s),
            Value::Table(Table(h))
            | Value::Function(Function(h))
            | Value::Thread(Thread(h))
            | Value::Userdata(Userdata(h)) => h.get(vm)?,
        })
    }

    /// The host's form.
    pub(crate) fn lift(vm: &mut VmState, v: vela_objects::Value) -> Value {
        match v.tag {
            Tag::BOOL => Value::Bool(v.truthy()),
            Tag::TABLE => Value::Table(Table(handle::keep(vm, v))),
            Tag::LUA_FN | Tag::NATIVE_FN => Value::Function(Function(handle::keep(vm, v))),
            Tag::THREAD => Value::Thread(Thread(handle::keep(vm, v))),
            Tag::USERDATA => Value::Userdata(Userdata(handle::keep(vm, v))),
            _ => {
                if let Some(i) = v.as_int() {
                    Value::Int(i)
                } else if let Some(f) = v.as_float() {
                    Value::Float(f)
                } else if let Some(s) = v.as_str() {
                    Value::Str(s.bytes().to_vec())
                } else {
                    Value::Nil
                }
            }
        }
    }
}

macro_rules! from {
    ($($ty:ty => |$v:ident| $value:expr;)+) => {
        $(impl From<$ty> for Value {
            fn from($v: $ty) -> Value {
                $value
            }
        })+
    };
}

from! {
    () => |_v| Value::Nil;
    bool => |v| Value::Bool(v);
    i8 => |v| Value::Int(v.into());
    i16 => |v| Value::Int(v.into());
    i32 => |v| Value::Int(v.into());
    i64 => |v| Value::Int(v);
    u8 => |v| Value::Int(v.into());
    u16 => |v| Value::Int(v.into());
    u32 => |v| Value::Int(v.into());
    f32 => |v| Value::Float(v.into());
    f64 => |v| Value::Float(v);
    &str => |v| Value::Str(v.as_bytes().to_vec());
    String => |v| Value::Str(v.into_bytes());
    Vec<u8> => |v| Value::Str(v);
    &[u8] => |v| Value::Str(v.to_vec());
    Table => |v| Value::Table(v);
    Function => |v| Value::Function(v);
    Thread => |v| Value::Thread(v);
    Userdata => |v| Value::Userdata(v);
}
