//! Iteration: `next`.

use super::{KeyError, Table};
use crate::gcref::Gc;
use crate::string::Str;
use crate::value::{Tag, Value};

impl Gc<Table> {
    /// The entry after `key` in iteration order (elements, slots, hash part,
    /// as the module docs of [`super`] say);
    /// nil starts, `None` ends. Assigning nil to visited fields is allowed
    /// meanwhile. A float is no key here even if it has an integer's value.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] if `key` is not in the table.
    pub fn next(self, key: Value) -> Result<Option<(Value, Value)>, KeyError> {
        let mut no_hint = u32::MAX;
        self.next_hinted(key, &mut no_hint)
    }

    /// The field after the one at position `hint`, if `key` is that one and
    /// another follows: what iterations over records do most. Otherwise nothing
    /// happened, and [`Gc::<Table>::next_anywhere`] has the answer.
    #[inline]
    fn next_field(self, key: Value, hint: &mut u32) -> Option<(Gc<Str>, Value)> {
        let shape = self.shape();
        let at = *hint as usize;
        if key.tag != Tag::STR || shape.is_dict() || shape.keys.get(at)?.addr() != key.payload {
            return None;
        }
        for slot in at + 1..shape.nslots as usize {
            let v = self.slot(slot);
            if !v.is_nil() && slot != shape.hidden as usize {
                *hint = slot as u32;
                return Some((shape.keys[slot], v));
            }
        }
        None
    }

    /// As [`Gc::<Table>::next`]; `hint` is the position of `key` if the caller
    /// just got it from this function (any number otherwise), and becomes the
    /// position of the key returned.
    ///
    /// # Errors
    /// As [`Gc::<Table>::next`].
    #[inline]
    pub fn next_hinted(
        self,
        key: Value,
        hint: &mut u32,
    ) -> Result<Option<(Value, Value)>, KeyError> {
        match self.next_field(key, hint) {
            Some((k, v)) => Ok(Some((Value::str(k), v))),
            None => self.next_anywhere(key, hint),
        }
    }

    /// [`Gc::<Table>::next_hinted`] in general.
    fn next_anywhere(self, key: Value, hint: &mut u32) -> Result<Option<(Value, Value)>, KeyError> {
        let nslots = self.shape().nslots as usize;
        // Position in the concatenation of elements, slots and hash nodes.
        let (mut elem, mut slot, mut node) = (self.len as usize, 0, 0);
        let at = *hint as usize;
        match key.tag {
            Tag::NIL => elem = 0,
            Tag::INT
                if (key.payload as i64) >= 1 && (key.payload as i64) <= i64::from(self.cap) =>
            {
                elem = key.payload as usize;
                if elem > self.len as usize {
                    // Popped while iterating, or never in the elements.
                    if let Some(i) = self.ext().and_then(|e| e.find(key)) {
                        slot = nslots;
                        node = i + 1;
                    }
                }
            }
            Tag::STR if !self.shape().is_dict() => {
                let s: Gc<Str> = Gc::from_payload(key.payload);
                slot = if self.shape().keys.get(at) == Some(&s) {
                    at + 1
                } else {
                    0
                };
                if slot == 0 {
                    slot = self.shape().lookup(s).ok_or(KeyError::NotFound)? + 1;
                }
            }
            _ => {
                slot = nslots;
                let ext = self.ext().ok_or(KeyError::NotFound)?;
                node = match ext.node(at) {
                    Some((k, _)) if k.identical(key) => at + 1,
                    _ => ext.find(key).ok_or(KeyError::NotFound)? + 1,
                };
            }
        }
        while elem < self.len as usize {
            let v = self.elem(elem);
            elem += 1;
            if !v.is_nil() {
                return Ok(Some((Value::int(elem as i64), v)));
            }
        }
        while slot < nslots {
            let v = self.slot(slot);
            if !v.is_nil() && slot != self.shape().hidden as usize {
                *hint = slot as u32;
                return Ok(Some((Value::str(self.shape().keys[slot]), v)));
            }
            slot += 1;
        }
        if let Some(ext) = self.ext() {
            while let Some((k, v)) = ext.node(node) {
                if !v.is_nil() {
                    *hint = node as u32;
                    return Ok(Some((k, v)));
                }
                node += 1;
            }
        }
        Ok(None)
    }
}
