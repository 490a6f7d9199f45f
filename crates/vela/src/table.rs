//! Tables.

use crate::context::{Context, state};
use crate::convert::{FromValue, IntoValue};
use crate::error::{Error, Result};
use crate::function::protect;
use crate::handle::{self, Handle};
use crate::value::Value;
use vela_objects::{Gc, VmState};

/// A Lua table. Clones refer to the same table; `==` tells whether two are
/// clones of one handle, [`Table::is`] whether they are the same table.
///
/// ```
/// # fn main() -> vela::Result<()> {
/// let mut vm = vela::Vm::new(vela::VmConfig::default())?;
/// let t = vm.table();
/// t.set(&mut vm, "x", 10)?;
/// t.push(&mut vm, "first")?;
/// assert_eq!(t.get::<i64>(&mut vm, "x")?, 10);
/// assert_eq!(t.get::<String>(&mut vm, 1)?, "first");
/// assert_eq!(t.get::<Option<bool>>(&mut vm, "none")?, None);
/// assert_eq!(t.len(&mut vm)?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table(pub(crate) Handle);

impl Table {
    fn raw(&self, vm: &mut VmState) -> Result<Gc<vela_objects::Table>> {
        let t = self.0.get(vm)?.as_table();
        t.ok_or(Error::WrongVm)
    }

    /// `self[key]`, with `__index`.
    ///
    /// # Errors
    /// What the metamethod raises, and [`Error::Conversion`].
    pub fn get<V: FromValue>(&self, cx: &mut dyn Context, key: impl IntoValue) -> Result<V> {
        let key = key.into_value(cx)?;
        let vm = state(cx);
        let (t, key) = (self.raw(vm)?, key.lower(vm)?);
        let plain = t.get(key);
        let v = if plain.is_nil() && t.metatable().is_some() {
            protect(vm, |vm| vm.index(vela_objects::Value::table(t), key))?
        } else {
            plain
        };
        let v = Value::lift(vm, v);
        V::from_value(v, cx)
    }

    /// `self[key] = value`, with `__newindex`.
    ///
    /// # Errors
    /// What the metamethod raises; a key that is nil or NaN.
    pub fn set(
        &self,
        cx: &mut dyn Context,
        key: impl IntoValue,
        value: impl IntoValue,
    ) -> Result<()> {
        let (key, value) = (key.into_value(cx)?, value.into_value(cx)?);
        let vm = state(cx);
        let (t, key, value) = (self.raw(vm)?, key.lower(vm)?, value.lower(vm)?);
        let t = vela_objects::Value::table(t);
        protect(vm, |vm| vm.set_index(t, key, value))
    }

    /// `self[key]` without metamethods.
    ///
    /// # Errors
    /// [`Error::Conversion`].
    pub fn raw_get<V: FromValue>(&self, cx: &mut dyn Context, key: impl IntoValue) -> Result<V> {
        let key = key.into_value(cx)?;
        let vm = state(cx);
        let key = key.lower(vm)?;
        let v = self.raw(vm)?.get(key);
        let v = Value::lift(vm, v);
        V::from_value(v, cx)
    }

    /// `self[key] = value` without metamethods.
    ///
    /// # Errors
    /// A key that is nil or NaN.
    pub fn raw_set(
        &self,
        cx: &mut dyn Context,
        key: impl IntoValue,
        value: impl IntoValue,
    ) -> Result<()> {
        let (key, value) = (key.into_value(cx)?, value.into_value(cx)?);
        let vm = state(cx);
        let (t, key, value) = (self.raw(vm)?, key.lower(vm)?, value.lower(vm)?);
        protect(vm, |vm| vm.raw_set(t, key, value))
    }

    /// Whether there is a value for the key, `__index` included.
    ///
    /// # Errors
    /// What the metamethod raises.
    pub fn contains_key(&self, cx: &mut dyn Context, key: impl IntoValue) -> Result<bool> {
        Ok(!self.get::<Value>(cx, key)?.is_nil())
    }

    /// `#self`, with `__len`.
    ///
    /// # Errors
    /// What the metamethod raises, or if it gives no integer.
    pub fn len(&self, cx: &mut dyn Context) -> Result<i64> {
        let vm = state(cx);
        let t = vela_objects::Value::table(self.raw(vm)?);
        let n = protect(vm, |vm| vm.len_of(t))?;
        let n = Value::lift(vm, n);
        i64::from_value(n, cx)
    }

    /// A border: some `n` with a value at `n` and none at `n + 1`.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub fn raw_len(&self, cx: &mut dyn Context) -> Result<i64> {
        Ok(self.raw(state(cx))?.border())
    }

    /// Whether nothing is at 1.
    ///
    /// # Errors
    /// As [`Table::len`].
    pub fn is_empty(&self, cx: &mut dyn Context) -> Result<bool> {
        Ok(self.len(cx)? == 0)
    }

    /// Appends a value behind the last one, without metamethods.
    ///
    /// # Errors
    /// If the value cannot be converted.
    pub fn push(&self, cx: &mut dyn Context, value: impl IntoValue) -> Result<()> {
        let n = self.raw_len(cx)?;
        self.raw_set(cx, n + 1, value)
    }

    /// Removes the last value and returns it, without metamethods.
    ///
    /// # Errors
    /// [`Error::Conversion`]; the value is gone then.
    pub fn pop<V: FromValue>(&self, cx: &mut dyn Context) -> Result<V> {
        let n = self.raw_len(cx)?;
        let v: Value = self.raw_get(cx, n)?;
        if n > 0 {
            self.raw_set(cx, n, Value::Nil)?;
        }
        V::from_value(v, cx)
    }

    /// Removes all entries; the metatable stays.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub fn clear(&self, cx: &mut dyn Context) -> Result<()> {
        let vm = state(cx);
        let t = self.raw(vm)?;
        let mut key = vela_objects::Value::NIL;
        // Removing what was visited is allowed meanwhile.
        while let Ok(Some((k, _))) = t.next(key) {
            // A key that is there is valid.
            let _ = t.set(vm, k, vela_objects::Value::NIL);
            key = k;
        }
        Ok(())
    }

    /// All entries, in the order of `next`, without metamethods. O(entries).
    ///
    /// # Errors
    /// [`Error::Conversion`] for the first entry that is not of these types.
    pub fn entries<K: FromValue, V: FromValue>(&self, cx: &mut dyn Context) -> Result<Vec<(K, V)>> {
        let mut out = Vec::new();
        self.for_each(cx, |_, k, v| {
            out.push((k, v));
            Ok(())
        })?;
        Ok(out)
    }

    /// Calls `f` with every entry, in the order of `next`, without
    /// metamethods. `f` may change and remove entries, but not add any.
    ///
    /// # Errors
    /// The first one of `f`, and [`Error::Conversion`].
    pub fn for_each<K: FromValue, V: FromValue>(
        &self,
        cx: &mut dyn Context,
        mut f: impl FnMut(&mut dyn Context, K, V) -> Result<()>,
    ) -> Result<()> {
        let mut key = Value::Nil;
        loop {
            let vm = state(cx);
            let (t, k) = (self.raw(vm)?, key.lower(vm)?);
            let next = match t.next(k) {
                Ok(next) => next,
                Err(e) => return Err(Error::message(e.to_string())),
            };
            let Some((k, v)) = next else { return Ok(()) };
            key = Value::lift(vm, k);
            let v = Value::lift(vm, v);
            let (k, v) = (K::from_value(key.clone(), cx)?, V::from_value(v, cx)?);
            f(cx, k, v)?;
        }
    }

    /// The metatable.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub fn metatable(&self, cx: &mut dyn Context) -> Result<Option<Table>> {
        let vm = state(cx);
        let mt = self.raw(vm)?.metatable();
        Ok(mt.map(|mt| Table(handle::keep(vm, vela_objects::Value::table(mt)))))
    }

    /// Sets or removes the metatable.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub fn set_metatable(&self, cx: &mut dyn Context, mt: Option<&Table>) -> Result<()> {
        let vm = state(cx);
        let mt = mt.map(|mt| mt.raw(vm)).transpose()?;
        self.raw(vm)?.set_metatable(vm, mt);
        Ok(())
    }

    /// Whether both are the same table.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub fn is(&self, cx: &mut dyn Context, other: &Table) -> Result<bool> {
        let vm = state(cx);
        Ok(self.raw(vm)? == other.raw(vm)?)
    }
}
