//! Run-time helpers that compiled code calls: ids, names and signatures.
//!
//! Implementations live above (the interpreter registers addresses by name);
//! lowering only sees this list. All use the C convention. `vm` and `fp` are
//! pointers; every other argument and the result are 64-bit words, or doubles
//! where noted.

/// Machine class of a helper's argument or result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// 64-bit integer or pointer.
    I,
    /// Double.
    F,
    /// A pair of 64-bit words (results only): payload and tag.
    Pair,
    /// Nothing (results only).
    Void,
}

macro_rules! helpers {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal ($($arg:ident)*) -> $ret:ident, $site:literal;)+) => {
        /// A run-time helper.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Helper { $($(#[doc = $doc])+ $name,)+ }

        impl Helper {
            /// Every helper, by id.
            pub const ALL: &'static [Helper] = &[$(Helper::$name,)+];

            /// Name under which the implementation is registered.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Helper::$name => $text,)+ }
            }

            /// Argument classes.
            #[must_use]
            pub fn args(self) -> &'static [Word] {
                match self { $(Helper::$name => &[$(Word::$arg),*],)+ }
            }

            /// Result class.
            #[must_use]
            pub fn ret(self) -> Word {
                match self { $(Helper::$name => Word::$ret,)+ }
            }

            /// Whether the helper may collect, raise or look at the stack, so
            /// that the frame's record must be current.
            #[must_use]
            pub fn is_call_site(self) -> bool {
                match self { $(Helper::$name => $site,)+ }
            }
        }
    };
}

helpers! {
    /// `(vm, fp, closure, code << 32 | exit) -> result`: side exit; runs the rest of the function.
    Exit = "exit" (I I I I) -> Pair, true;
    /// `(vm, fp, pc) -> 0 ok, 1 raised` (comparisons: condition 0/1, 2 raised): one instruction on the window.
    InterpOne = "interp_one" (I I I) -> I, true;
    /// `(vm, at, nargs, want) -> 0 ok, 1 raised`: calls the value at `at`; `nargs`/`want` -1: up to top / all.
    Call = "call" (I I I I) -> I, true;
    /// `(vm, at, payload, tag) -> result`: turns a `RET_*` result into exactly one value, or RET_ERROR.
    FinishCall = "finish_call" (I I I I) -> Pair, true;
    /// `(vm, at, payload, tag, want) -> 0 ok, 1 raised`: puts a result (value or `RET_*`) into the window at `at`; `want` -1: all, setting the top.
    StoreResults = "store_results" (I I I I I) -> I, true;
    /// `(vm, fp) -> 0 ok, 1 raised`: safepoint.
    Poll = "poll" (I I) -> I, true;
    /// `(vm, fp, closure, desc, args: *[u64;3]) -> 0 ok, 1 raised`: the prologue's stack check failed; the call's first three arguments are kept alive through `args`.
    EntryPoll = "entry_poll" (I I I I I) -> I, true;
    /// `(vm, fp, closure, desc, p0, p1) with p2 in vm.exit_words[0] -> new fp`: lays out a vararg frame; params are in the new window.
    VarargPrep = "vararg_prep" (I I I I I I) -> I, false;
    /// `(vm, fields, elems) -> table`
    NewTable = "new_table" (I I I) -> I, false;
    /// `(vm, payload, tag) -> cell`
    NewCell = "new_cell" (I I I) -> I, false;
    /// `(vm, table, shape, payload, tag)`: adds a field.
    AddSlot = "add_slot" (I I I I I) -> Void, false;
    /// `(vm, table, payload, tag)`: appends an element.
    PushElem = "push_elem" (I I I I) -> Void, false;
    /// `(vm, object)`: the write barrier's slow path.
    Barrier = "barrier" (I I) -> Void, false;
    /// `(a, b) -> 1 if a < b`
    StrLt = "str_lt" (I I) -> I, false;
    /// `(a, b) -> 1 if a <= b`
    StrLe = "str_le" (I I) -> I, false;
    /// Lua's `%` on doubles.
    FloatMod = "float_mod" (F F) -> F, false;
    /// C's `fmod`.
    Fmod = "fmod" (F F) -> F, false;
    /// `pow`
    Pow = "pow" (F F) -> F, false;
    /// `atan2`
    Atan2 = "atan2" (F F) -> F, false;
    /// `sin`
    Sin = "sin" (F) -> F, false;
    /// `cos`
    Cos = "cos" (F) -> F, false;
    /// `tan`
    Tan = "tan" (F) -> F, false;
    /// `exp`
    Exp = "exp" (F) -> F, false;
    /// `log`
    Log = "log" (F) -> F, false;
}
