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
    /// `(vm, table, key) -> value`, of tag `RET_NONE` where only the interpreter can tell: a field by name.
    FindField = "find_field" (I I I) -> Pair, false;
    /// `(vm, table, key, payload, tag) -> 1 if stored`: a field by name; 0: the interpreter has to.
    PutField = "put_field" (I I I I I) -> I, false;
    /// `(vm, table, key payload, key tag) -> value` as `find_field`.
    FindIndex = "find_index" (I I I I) -> Pair, false;
    /// `(vm, table, key payload, key tag, payload, tag) -> 1 if stored` as `put_field`.
    PutIndex = "put_index" (I I I I I I) -> I, false;
    /// `(vm, table, payload, tag)`: appends an element.
    PushElem = "push_elem" (I I I I) -> Void, false;
    /// `(vm, object)`: the write barrier's slow path.
    Barrier = "barrier" (I I I) -> Void, false;
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
    /// `(vm, native) -> its first captured value`
    NativeUpval = "native_upval" (I I) -> Pair, false;
    /// `(vm, pairs, object) -> next`, or RET_NONE if the object has `__pairs`.
    PairsNext = "pairs_next" (I I I I) -> Pair, false;
    /// `(vm, table, key, hint) -> next key` (nil at the end), its value in `vm.exit_words[0..2]`; RET_NONE if there is no such key.
    NextPair = "next_pair" (I I I I I) -> Pair, false;
    /// `(vm, table) -> the last element, removed`, or RET_NONE if that is not simple.
    PopElem = "pop_elem" (I I) -> Pair, false;
    /// `(vm, table, key) -> value`, raw
    RawGet = "raw_get" (I I I I) -> Pair, false;
    /// `(vm, table, key, value) -> 1 if stored`, raw; 0 for a key that cannot be one
    RawSet = "raw_set" (I I I I I I) -> I, false;
    /// `(vm, a, b) -> bool`
    RawEqual = "raw_equal" (I I I I I) -> I, false;
    /// `(vm, op, x payload, x tag, y payload, y tag) -> 0 false, 1 true, 2 a metamethod or an error has to tell`: `op` 0 `==`, 1 `<`, 2 `<=`.
    Compare = "compare" (I I I I I I) -> I, false;
    /// `(vm, table) -> border`
    RawLen = "raw_len" (I I) -> I, false;
    /// `(vm, value) -> string`: what `type` gives
    TypeName = "type_name" (I I I) -> I, false;
    /// `(vm, value) -> string`, or RET_NONE if it is no string or number
    ToStr = "to_str" (I I I) -> Pair, false;
    /// `(vm, value) -> number or nil`
    ToNum = "to_num" (I I I) -> Pair, false;
    /// `(vm, string, first, last) -> string`: positions as in `string.sub`
    StrSub = "str_sub" (I I I I) -> I, false;
    /// `(vm, byte) -> string`
    StrChar = "str_char" (I I) -> I, false;
    /// `(vm, a, b) -> string`, or RET_NONE if an operand is no string or number
    Concat2 = "concat2" (I I I I I) -> Pair, false;
    /// As [`Helper::Concat2`], of three
    Concat3 = "concat3" (I I I I I I I) -> Pair, false;
    /// As [`Helper::Concat2`], of four
    Concat4 = "concat4" (I I I I I I I I I) -> Pair, false;
    /// `(vm, closure, n) -> closure` of the n-th nested prototype; upvalues are unset
    NewClosure = "new_closure" (I I I) -> I, false;
    /// `(vm, table, first, value) -> 1`: `table[first] = value`, as constructors do
    SetList1 = "set_list1" (I I I I I) -> I, false;
    /// As [`Helper::SetList1`], two values
    SetList2 = "set_list2" (I I I I I I I) -> I, false;
    /// As [`Helper::SetList1`], three values
    SetList3 = "set_list3" (I I I I I I I I I) -> I, false;
    /// As [`Helper::SetList1`], four values
    SetList4 = "set_list4" (I I I I I I I I I I I) -> I, false;
    /// `(vm, bytes) -> 1`: has the collector go on as if so much was allocated
    CountBytes = "count_bytes" (I I) -> I, false;
}

/// What a helper that the MIR calls as a plain function
/// ([`Op::Lib`](crate::ir::Op::Lib)) does besides giving a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing, and the result depends on the operands alone.
    Pure,
    /// Nothing that a program can observe; it may allocate.
    Allocates,
    /// It reads tables and metatables.
    Reads,
    /// It changes tables.
    Writes,
}

impl Helper {
    /// The helper that stores this many values, at most four, of a list.
    pub(crate) fn set_list(values: usize) -> Helper {
        match values {
            1 => Helper::SetList1,
            2 => Helper::SetList2,
            3 => Helper::SetList3,
            _ => Helper::SetList4,
        }
    }

    /// What the helper does as an [`Op::Lib`](crate::ir::Op::Lib); `None` if
    /// it cannot be called that way.
    #[must_use]
    pub fn effect(self) -> Option<Effect> {
        Some(match self {
            Helper::NativeUpval | Helper::RawEqual => Effect::Pure,
            Helper::TypeName
            | Helper::ToStr
            | Helper::ToNum
            | Helper::StrSub
            | Helper::StrChar
            | Helper::Concat2
            | Helper::Concat3
            | Helper::Concat4 => Effect::Allocates,
            Helper::PairsNext
            | Helper::NextPair
            | Helper::RawGet
            | Helper::RawLen
            | Helper::Compare => Effect::Reads,
            Helper::PopElem
            | Helper::RawSet
            | Helper::SetList1
            | Helper::SetList2
            | Helper::SetList3
            | Helper::SetList4
            | Helper::CountBytes => Effect::Writes,
            _ => return None,
        })
    }

    /// The helper with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Helper> {
        Self::ALL.iter().copied().find(|h| h.name() == name)
    }
}
