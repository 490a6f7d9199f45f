//! Metamethod events and their lookup.

use crate::gcref::Gc;
use crate::site::SITE;
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

    /// The metamethod of a value for an event, nil if there is none.
    #[inline]
    #[must_use]
    pub fn metamethod(&self, v: Value, event: Event) -> Value {
        match self.metatable_of(v) {
            None => Value::NIL,
            Some(mt) => self.meta_of(mt, event),
        }
    }
}
