//! Runtime objects of the Vela Lua VM: values, heap, strings, tables with
//! shapes, closures, the VM stack, and the layout that compiled code reads.
//!
//! | module | holds |
//! |---|---|
//! | [`value`], [`gcref`] | values; references and the GC discipline |
//! | [`object`], [`string`], [`closure`] | heap objects |
//! | [`shape`], [`table`] | hidden classes, the field lattice, tables |
//! | [`heap`], [`gc`] | allocation, collection |
//! | [`vm`], [`frame`] | VM state, frame records |
//! | [`hook`], [`locals`] | debug hooks, local variables of active functions |
//! | [`thread`], `stacks` | coroutines and their stacks |
//! | [`interrupt`] | stopping running code from another thread |
//! | [`limits`] | memory, coroutines, stack |
//! | [`process`] | ending the process |
//! | [`feedback`], [`counter`] | inline caches and hotness, as data |
//! | [`ops`], [`meta`], [`debug`], [`number`] | operators, metamethods, names and positions, number text |
//! | [`layout`] | every offset that compiled code uses, checked at compile time |

pub mod closure;
pub mod counter;
pub mod debug;
pub mod feedback;
pub mod frame;
pub mod gc;
pub mod gcref;
pub mod heap;
pub mod hook;
pub mod inspect;
pub mod interrupt;
pub mod intrinsic;
pub mod layout;
pub mod limits;
pub mod locals;
pub mod meta;
pub mod number;
pub mod object;
pub mod ops;
pub mod process;
pub mod shape;
mod site;
mod stacks;
pub mod string;
pub mod table;
pub mod thread;
pub mod value;
pub mod vm;

pub use closure::{FuncProto, LuaClosure, NativeClosure, NativeFn};
pub use gcref::Gc;
pub use object::{Cell, Userdata};
pub use string::Str;
pub use table::Table;
pub use thread::Thread;
pub use value::{Tag, Value};
pub use vm::{Args, Executed, Hooks, LuaResult, NativeResult, Ret, Thrown, VmState};
