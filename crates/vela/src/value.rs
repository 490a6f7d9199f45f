//! Values as hosts see them.

use crate::vm::Function;

/// A Lua value that a host can hold: anything but tables, userdata and
/// threads, which stay in the VM.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// nil
    Nil,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string; Lua's are bytes.
    Str(Vec<u8>),
    /// A function, kept alive by its handle.
    Function(Function),
    /// A value that stays in the VM: the name of its type.
    Other(&'static str),
}

impl Value {
    /// The string's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
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
    i32 => |v| Value::Int(v.into());
    u32 => |v| Value::Int(v.into());
    i64 => |v| Value::Int(v);
    f64 => |v| Value::Float(v);
    &str => |v| Value::Str(v.as_bytes().to_vec());
    String => |v| Value::Str(v.into_bytes());
    &[u8] => |v| Value::Str(v.to_vec());
    Vec<u8> => |v| Value::Str(v);
    Function => |v| Value::Function(v);
}
