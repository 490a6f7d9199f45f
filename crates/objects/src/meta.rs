//! Metamethod events and their lookup.

use crate::gcref::Gc;
use crate::shape::{CLASS, META, OBJECT_META, Shape};
use crate::site::SITE;
use crate::string::Str;
use crate::table::Table;
use crate::value::{Tag, Value};
use crate::vm::VmState;

macro_rules! events {
    ($($name:ident = $text:literal,)+) => {
        /// A metamethod event.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum Event { $($name,)+ }

        impl Event {
            /// Every event.
            pub const ALL: &'static [Event] = &[$(Event::$name,)+];

            /// The key in a metatable.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Event::$name => $text,)+ }
            }
        }
    };
}

events! {
    Index = "__index", NewIndex = "__newindex", Gc = "__gc", Mode = "__mode", Len = "__len", Eq = "__eq",
    Add = "__add", Sub = "__sub", Mul = "__mul", Mod = "__mod", Pow = "__pow", Div = "__div", IDiv = "__idiv",
    BAnd = "__band", BOr = "__bor", BXor = "__bxor", Shl = "__shl", Shr = "__shr", Unm = "__unm", BNot = "__bnot",
    Lt = "__lt", Le = "__le", Concat = "__concat", Call = "__call", Close = "__close", Name = "__name",
    ToString = "__tostring", Pairs = "__pairs", Metatable = "__metatable",
}

/// Most tables of an `__index` chain that caches and snapshots look at.
pub const MAX_CHAIN: usize = 16;

/// What a look along an `__index` chain says of a key.
#[derive(Clone, Copy, Debug)]
pub enum Chain {
    /// Every link is a table, and none has the key.
    Lacks,
    /// A table has it, or the chain has no end that the shapes tell.
    Unknown,
    /// This table is not marked as one that caches go through
    /// ([`Gc::mark_meta`]): adding the key to it would go unnoticed.
    Unmarked(Gc<Table>),
}

/// Number of events.
pub const EVENTS: usize = Event::ALL.len();

impl VmState {
    /// The metatable of any value.
    #[inline]
    #[must_use]
    pub fn metatable_of(&self, v: Value) -> Option<Gc<Table>> {
        match v.tag {
            Tag::TABLE => v.as_table().and_then(Gc::<Table>::metatable),
            Tag::USERDATA => v.as_userdata().and_then(|u| u.metatable()),
            Tag::NATIVE_FN => self.type_metatables[Tag::LUA_FN.0 as usize],
            Tag::FLOAT => self.type_metatables[Tag::INT.0 as usize],
            Tag(t) => self.type_metatables[t as usize],
        }
    }

    /// `mt[event]`, nil if absent. Absence is cached in the table's header.
    #[inline]
    #[must_use]
    pub fn meta_of(&self, mt: Gc<Table>, event: Event) -> Value {
        if mt.header.extra & (1 << event as u8 | SITE) != 0 {
            if mt.header.extra & SITE == 0 {
                return Value::NIL;
            }
            // SAFETY: single writer; a metatable's site is of no interest.
            unsafe { (*mt.as_ptr()).header.extra = 0 };
        }
        let key = self.event_keys[event as usize];
        let v = mt.get_str(key);
        if v.is_nil() && mt.shape().lookup(key).is_none() && !mt.shape().is_dict() {
            // SAFETY: single writer.
            unsafe { (*mt.as_ptr()).header.extra |= 1 << event as u8 };
        }
        v
    }

    /// What `__index` is for tables of a shape; nil if there is none. `None` if
    /// the shape does not tell.
    #[must_use]
    pub fn index_of(&self, shape: &Shape) -> Option<Value> {
        if shape.flags & CLASS != 0 {
            return shape.metatable_table().map(Value::table);
        }
        if shape.flags & OBJECT_META != 0 {
            return None;
        }
        let mt = shape.metatable_table();
        Some(mt.map_or(Value::NIL, |mt| self.meta_of(mt, Event::Index)))
    }

    /// Whether the `__index` chain of tables of this shape lacks the key. Looks
    /// at up to [`MAX_CHAIN`] tables.
    #[must_use]
    pub fn index_chain(&self, shape: &Shape, key: Gc<Str>) -> Chain {
        let mut shape = shape;
        for _ in 0..MAX_CHAIN {
            let index = match self.index_of(shape) {
                Some(index) if index.is_nil() => return Chain::Lacks,
                Some(index) => index.as_table(),
                None => None,
            };
            let Some(holder) = index else {
                return Chain::Unknown;
            };
            if holder.shape().flags & META == 0 {
                return Chain::Unmarked(holder);
            }
            if !holder.get_str(key).is_nil() {
                return Chain::Unknown;
            }
            shape = holder.shape();
        }
        Chain::Unknown
    }

    /// The metamethod of a value for an event, nil if there is none.
    #[inline]
    #[must_use]
    pub fn metamethod(&self, v: Value, event: Event) -> Value {
        match self.metatable_of(v) {
            None => Value::NIL,
            Some(mt) => self.meta_of(mt, event),
        }
    }

    /// The metamethod of the first of two operands that has one for the event,
    /// nil if neither has.
    #[inline]
    #[must_use]
    pub fn binary_metamethod(&self, a: Value, b: Value, event: Event) -> Value {
        let mm = self.metamethod(a, event);
        if mm.is_nil() {
            self.metamethod(b, event)
        } else {
            mm
        }
    }
}
