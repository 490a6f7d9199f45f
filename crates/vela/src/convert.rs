//! Conversions between values of hosts and of Lua.
//!
//! | Rust | Lua |
//! |---|---|
//! | `()`, `None` | nil |
//! | `bool` | boolean; every value converts to `bool` by its truth |
//! | integers | integer; floats and strings that are integers convert back |
//! | `f32`, `f64` | float; integers and strings that are numbers convert back |
//! | `String`, `&str`, [`Bytes`] | string; numbers convert back |
//! | `Vec<T>`, `[T; N]` | table with the items at 1, 2, ... |
//! | `HashMap`, `BTreeMap` | table |
//! | [`Table`], [`Function`], [`Thread`], [`Userdata`], [`Value`] | themselves |
//! | `Option<T>` | nil, or as `T` |
//!
//! Lists of arguments and results are tuples, [`Values`], or one value.

use crate::context::Context;
use crate::error::{Error, Result};
use crate::function::Function;
use crate::table::Table;
use crate::thread::Thread;
use crate::userdata::Userdata;
use crate::value::Value;
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

/// Can be converted to a Lua value.
pub trait IntoValue: Sized {
    /// Converts.
    ///
    /// # Errors
    /// As the type says; most conversions cannot fail.
    fn into_value(self, cx: &mut dyn Context) -> Result<Value>;
}

/// Can be converted from a Lua value.
pub trait FromValue: Sized {
    /// Converts.
    ///
    /// # Errors
    /// [`Error::Conversion`] when the value has another type.
    fn from_value(v: Value, cx: &mut dyn Context) -> Result<Self>;

    /// Converts an argument or result that was not given: as nil, unless the
    /// type has another idea.
    ///
    /// # Errors
    /// As [`FromValue::from_value`].
    fn from_missing(cx: &mut dyn Context) -> Result<Self> {
        Self::from_value(Value::Nil, cx).map_err(|e| match e {
            Error::Conversion { from: "nil", to } => Error::Conversion {
                from: "no value",
                to,
            },
            e => e,
        })
    }
}

/// Any number of values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(SmallVec<[Value; 4]>);

impl Values {
    /// No values.
    #[must_use]
    pub fn new() -> Values {
        Values::default()
    }

    /// Appends a value.
    pub fn push(&mut self, v: Value) {
        self.0.push(v);
    }
}

impl std::ops::Deref for Values {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        &self.0
    }
}

impl FromIterator<Value> for Values {
    fn from_iter<I: IntoIterator<Item = Value>>(iter: I) -> Values {
        Values(iter.into_iter().collect())
    }
}

impl IntoIterator for Values {
    type Item = Value;
    type IntoIter = smallvec::IntoIter<[Value; 4]>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Can be converted to arguments or results.
pub trait IntoValues {
    /// Converts.
    ///
    /// # Errors
    /// That of the first value that cannot be converted.
    fn into_values(self, cx: &mut dyn Context) -> Result<Values>;
}

/// Can be converted from arguments or results. Too many are ignored; missing
/// ones are nil.
pub trait FromValues: Sized {
    /// Converts.
    ///
    /// # Errors
    /// [`Error::Argument`] for the first value of a wrong type.
    fn from_values(values: Values, cx: &mut dyn Context) -> Result<Self>;
}

// ---- one value ---------------------------------------------------------

impl IntoValue for Value {
    fn into_value(self, _: &mut dyn Context) -> Result<Value> {
        Ok(self)
    }
}

impl IntoValue for &Value {
    fn into_value(self, _: &mut dyn Context) -> Result<Value> {
        Ok(self.clone())
    }
}

impl FromValue for Value {
    fn from_value(v: Value, _: &mut dyn Context) -> Result<Value> {
        Ok(v)
    }
}

macro_rules! plain {
    ($($ty:ty),+) => {
        $(impl IntoValue for $ty {
            fn into_value(self, _: &mut dyn Context) -> Result<Value> {
                Ok(self.into())
            }
        })+
    };
}

plain!(
    bool, i8, i16, i32, i64, u8, u16, u32, f32, f64, &str, String, Table, Function, Thread,
    Userdata
);

impl IntoValue for &String {
    fn into_value(self, _: &mut dyn Context) -> Result<Value> {
        Ok(self.as_str().into())
    }
}

macro_rules! handles {
    ($($ty:ident)+) => {
        $(impl IntoValue for &$ty {
            fn into_value(self, _: &mut dyn Context) -> Result<Value> {
                Ok(Value::$ty(self.clone()))
            }
        }
        impl FromValue for $ty {
            fn from_value(v: Value, _: &mut dyn Context) -> Result<$ty> {
                match v {
                    Value::$ty(h) => Ok(h),
                    v => Err(Error::conversion(&v, stringify!($ty).to_lowercase())),
                }
            }
        })+
    };
}

handles!(Table Function Thread Userdata);

macro_rules! large_integers {
    ($($ty:ty)+) => {
        $(impl IntoValue for $ty {
            /// An integer; a float if it is too large for one.
            fn into_value(self, _: &mut dyn Context) -> Result<Value> {
                Ok(i64::try_from(self).map_or(Value::Float(self as f64), Value::Int))
            }
        })+
    };
}

large_integers!(u64 usize isize i128 u128);

/// The number that a string stands for, as Lua's arithmetic sees it.
fn number(v: &Value) -> Option<Value> {
    match v {
        Value::Int(_) | Value::Float(_) => Some(v.clone()),
        Value::Str(s) => {
            let n = vela_objects::number::parse(s)?;
            n.as_int()
                .map(Value::Int)
                .or(n.as_float().map(Value::Float))
        }
        _ => None,
    }
}

macro_rules! integers_back {
    ($($ty:ty)+) => {
        $(impl FromValue for $ty {
            fn from_value(v: Value, _: &mut dyn Context) -> Result<$ty> {
                let Some(n) = number(&v) else {
                    return Err(Error::conversion(&v, "number"));
                };
                let i = n.as_int().ok_or_else(|| no_integer(&v))?;
                <$ty>::try_from(i).map_err(|_| Error::Conversion {
                    from: "an integer out of range",
                    to: stringify!($ty).into(),
                })
            }
        })+
    };
}

integers_back!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

#[cold]
fn no_integer(v: &Value) -> Error {
    let from = match v {
        Value::Float(_) => "a float without integer representation",
        v => v.type_name(),
    };
    Error::Conversion {
        from,
        to: "integer".into(),
    }
}

impl FromValue for f64 {
    fn from_value(v: Value, _: &mut dyn Context) -> Result<f64> {
        let n = number(&v).and_then(|n| n.as_float());
        n.ok_or_else(|| Error::conversion(&v, "number"))
    }
}

impl FromValue for f32 {
    fn from_value(v: Value, cx: &mut dyn Context) -> Result<f32> {
        Ok(f64::from_value(v, cx)? as f32)
    }
}

impl FromValue for bool {
    fn from_value(v: Value, _: &mut dyn Context) -> Result<bool> {
        Ok(v.is_truthy())
    }
}

/// A string's bytes, which need not be text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

impl IntoValue for Bytes {
    fn into_value(self, _: &mut dyn Context) -> Result<Value> {
        Ok(Value::Str(self.0))
    }
}

impl FromValue for Bytes {
    fn from_value(v: Value, _: &mut dyn Context) -> Result<Bytes> {
        match v {
            Value::Str(s) => Ok(Bytes(s)),
            Value::Int(_) | Value::Float(_) => {
                let mut text = Vec::new();
                let raw = match v {
                    Value::Int(i) => vela_objects::Value::int(i),
                    _ => vela_objects::Value::float(v.as_float().unwrap_or_default()),
                };
                vela_objects::number::write(&mut text, raw);
                Ok(Bytes(text))
            }
            v => Err(Error::conversion(&v, "string")),
        }
    }
}

impl FromValue for String {
    fn from_value(v: Value, cx: &mut dyn Context) -> Result<String> {
        let bytes = Bytes::from_value(v, cx)?;
        String::from_utf8(bytes.0).map_err(|_| Error::Conversion {
            from: "a string that is not UTF-8",
            to: "text".into(),
        })
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self, cx: &mut dyn Context) -> Result<Value> {
        self.map_or(Ok(Value::Nil), |v| v.into_value(cx))
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(v: Value, cx: &mut dyn Context) -> Result<Option<T>> {
        if v.is_nil() {
            return Ok(None);
        }
        T::from_value(v, cx).map(Some)
    }
}

// ---- collections -------------------------------------------------------

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self, cx: &mut dyn Context) -> Result<Value> {
        cx.sequence(self).map(Value::Table)
    }
}

impl<T: IntoValue, const N: usize> IntoValue for [T; N] {
    fn into_value(self, cx: &mut dyn Context) -> Result<Value> {
        cx.sequence(self).map(Value::Table)
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(v: Value, cx: &mut dyn Context) -> Result<Vec<T>> {
        let t = Table::from_value(v, cx)?;
        let n = t.raw_len(cx)?;
        (1..=n).map(|i| t.raw_get(cx, i)).collect()
    }
}

impl<K: IntoValue, V: IntoValue, S> IntoValue for HashMap<K, V, S> {
    fn into_value(self, cx: &mut dyn Context) -> Result<Value> {
        cx.table_from(self).map(Value::Table)
    }
}

impl<K: IntoValue, V: IntoValue> IntoValue for BTreeMap<K, V> {
    fn into_value(self, cx: &mut dyn Context) -> Result<Value> {
        cx.table_from(self).map(Value::Table)
    }
}

impl<K, V, S> FromValue for HashMap<K, V, S>
where
    K: FromValue + Eq + Hash,
    V: FromValue,
    S: BuildHasher + Default,
{
    fn from_value(v: Value, cx: &mut dyn Context) -> Result<Self> {
        let t = Table::from_value(v, cx)?;
        Ok(t.entries(cx)?.into_iter().collect())
    }
}

impl<K: FromValue + Ord, V: FromValue> FromValue for BTreeMap<K, V> {
    fn from_value(v: Value, cx: &mut dyn Context) -> Result<Self> {
        let t = Table::from_value(v, cx)?;
        Ok(t.entries(cx)?.into_iter().collect())
    }
}

// ---- lists of values ---------------------------------------------------

impl IntoValues for Values {
    fn into_values(self, _: &mut dyn Context) -> Result<Values> {
        Ok(self)
    }
}

impl FromValues for Values {
    fn from_values(values: Values, _: &mut dyn Context) -> Result<Values> {
        Ok(values)
    }
}

impl IntoValues for &[Value] {
    fn into_values(self, _: &mut dyn Context) -> Result<Values> {
        Ok(self.iter().cloned().collect())
    }
}

impl IntoValues for () {
    fn into_values(self, _: &mut dyn Context) -> Result<Values> {
        Ok(Values::new())
    }
}

impl FromValues for () {
    fn from_values(_: Values, _: &mut dyn Context) -> Result<()> {
        Ok(())
    }
}

impl<T: IntoValue> IntoValues for T {
    fn into_values(self, cx: &mut dyn Context) -> Result<Values> {
        let v = self.into_value(cx)?;
        Ok(std::iter::once(v).collect())
    }
}

impl<T: FromValue> FromValues for T {
    fn from_values(values: Values, cx: &mut dyn Context) -> Result<T> {
        one(&mut values.into_iter(), 1, cx)
    }
}

/// The next value, which is number `index`.
fn one<T: FromValue>(
    values: &mut impl Iterator<Item = Value>,
    index: usize,
    cx: &mut dyn Context,
) -> Result<T> {
    let converted = match values.next() {
        Some(v) => T::from_value(v, cx),
        None => T::from_missing(cx),
    };
    converted.map_err(|e| match e {
        e @ Error::Conversion { .. } => Error::Argument {
            index,
            reason: Box::new(e),
        },
        e => e,
    })
}

/// The values behind the fixed ones of a tuple: the last member may be this.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest(pub Values);

macro_rules! tuples {
    ($($name:ident $n:literal),+) => {
        impl<$($name: IntoValue),+> IntoValues for ($($name,)+) {
            #[allow(non_snake_case)]
            fn into_values(self, cx: &mut dyn Context) -> Result<Values> {
                let ($($name,)+) = self;
                let mut values = Values::new();
                $(values.push($name.into_value(cx)?);)+
                Ok(values)
            }
        }

        impl<$($name: FromValue),+> FromValues for ($($name,)+) {
            fn from_values(values: Values, cx: &mut dyn Context) -> Result<Self> {
                let mut values = values.into_iter();
                Ok(($(one::<$name>(&mut values, $n, cx)?,)+))
            }
        }

        impl<$($name: IntoValue),+> IntoValues for ($($name,)+ Rest) {
            #[allow(non_snake_case)]
            fn into_values(self, cx: &mut dyn Context) -> Result<Values> {
                let ($($name,)+ rest) = self;
                let mut values = Values::new();
                $(values.push($name.into_value(cx)?);)+
                rest.0.into_iter().for_each(|v| values.push(v));
                Ok(values)
            }
        }

        impl<$($name: FromValue),+> FromValues for ($($name,)+ Rest) {
            fn from_values(values: Values, cx: &mut dyn Context) -> Result<Self> {
                let mut values = values.into_iter();
                Ok(($(one::<$name>(&mut values, $n, cx)?,)+ Rest(values.collect())))
            }
        }
    };
}

tuples!(A 1);
tuples!(A 1, B 2);
tuples!(A 1, B 2, C 3);
tuples!(A 1, B 2, C 3, D 4);
tuples!(A 1, B 2, C 3, D 4, E 5);
tuples!(A 1, B 2, C 3, D 4, E 5, F 6);
tuples!(A 1, B 2, C 3, D 4, E 5, F 6, G 7);
tuples!(A 1, B 2, C 3, D 4, E 5, F 6, G 7, H 8);
