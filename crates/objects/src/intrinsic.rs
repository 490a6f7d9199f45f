//! Native functions that the optimizer knows by name.
//!
//! A library sets [`NativeClosure::intrinsic`](crate::NativeClosure) when it
//! registers one; the interpreter's call feedback and the optimizer read it.
//! Zero means "not special".

use crate::closure::NativeClosure;
use crate::gcref::Gc;

macro_rules! intrinsics {
    ($($name:ident = $text:literal,)+) => {
        /// A native function with a meaning known to the optimizer.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        #[allow(missing_docs)]
        pub enum Intrinsic { None = 0, $($name,)+ }

        impl Intrinsic {
            /// The intrinsic for a library function's full name.
            #[must_use]
            pub fn from_name(name: &str) -> Intrinsic {
                match name { $($text => Intrinsic::$name,)+ _ => Intrinsic::None }
            }

            /// The intrinsic with this number.
            #[must_use]
            pub fn from_u16(n: u16) -> Intrinsic {
                const ALL: &[Intrinsic] = &[Intrinsic::None, $(Intrinsic::$name,)+];
                ALL.get(n as usize).copied().unwrap_or(Intrinsic::None)
            }
        }
    };
}

intrinsics! {
    MathAbs = "math.abs", MathCeil = "math.ceil", MathFloor = "math.floor", MathSqrt = "math.sqrt",
    MathMax = "math.max", MathMin = "math.min", MathSin = "math.sin", MathCos = "math.cos",
    MathTan = "math.tan", MathExp = "math.exp", MathLog = "math.log", MathFmod = "math.fmod",
    MathToInteger = "math.tointeger", MathType = "math.type", MathUlt = "math.ult",
    StringByte = "string.byte", StringSub = "string.sub", StringChar = "string.char", StringLen = "string.len",
    TableInsert = "table.insert", TableRemove = "table.remove", TableUnpack = "table.unpack",
    Type = "type", Select = "select", RawGet = "rawget", RawSet = "rawset", RawEqual = "rawequal", RawLen = "rawlen",
    Next = "next", Pairs = "pairs", IPairs = "ipairs", SetMetatable = "setmetatable", GetMetatable = "getmetatable",
    PCall = "pcall", ToNumber = "tonumber", ToString = "tostring", Assert = "assert", IPairsNext = "ipairs_iterator",
}

impl Gc<NativeClosure> {
    /// What the optimizer knows of this function.
    #[must_use]
    pub fn known(self) -> Intrinsic {
        Intrinsic::from_u16(self.intrinsic)
    }

    /// Marks the function as an intrinsic.
    pub fn set_known(self, i: Intrinsic) {
        // SAFETY: GC discipline; single writer.
        unsafe { (*self.as_ptr()).intrinsic = i as u16 }
    }
}
