//! Functions at run time: prototypes bound to a VM, closures, natives.

use crate::counter::HotCounter;
use crate::feedback::FeedbackSlot;
use crate::gcref::Gc;
use crate::object::{Cell, Header};
use crate::shape::FieldInfo;
use crate::value::Value;
use crate::vm::{Args, NativeResult, VmState};
use std::sync::Arc;
use vela_bytecode::{Instr, Proto};

/// A prototype loaded into a VM: constants as values, feedback, counters and
/// the entry through which compiled code calls it.
#[repr(C)]
pub struct FuncProto {
    /// Common header.
    pub header: Header,
    /// Entry that compiled callers jump to: compiled code, or the thunk into
    /// the interpreter. Never null once the VM has an entry thunk.
    pub entry: std::sync::atomic::AtomicPtr<u8>,
    /// Compiled code's entry for the interpreter, or null while interpreted.
    pub compiled: *const u8,
    /// First instruction; `proto` keeps the code alive.
    pub code: *const Instr,
    /// First constant.
    pub constants: *const Value,
    /// First feedback slot; `num_feedback` of them (at least one).
    pub feedback: *mut FeedbackSlot,
    /// Literal pool of the installed code, or null.
    pub pool: *mut u64,
    /// Interpreted calls so far.
    pub calls: HotCounter,
    /// Loop back edges so far.
    pub loops: HotCounter,
    /// Fixed parameters.
    pub num_params: u8,
    /// Registers.
    pub max_stack: u8,
    /// Takes `...`.
    pub is_vararg: bool,
    /// Tiering state, owned by runtime-integration; 0 on creation.
    pub tier_state: u8,
    /// Number of feedback slots.
    pub num_feedback: u32,
    /// Value of `loops` at which the interpreter leaves its fast path at a
    /// back edge; 0 makes every back edge do so.
    pub loop_trigger: u32,
    /// Tags of the first eight arguments seen by the interpreter: bit
    /// `1 << tag`. Recorded while the function is cold.
    pub arg_tags: [u16; 8],
    /// Identifies the prototype in its VM, never reused.
    pub id: u32,
    /// Everything that is not on the fast path.
    pub cold: Box<ProtoCold>,
}

/// Value of the first word of a literal pool that has compiled code leave at
/// its next check, once; 0 while the code is valid, anything else when it is
/// not.
pub const POOL_LEAVE: u64 = 2;

/// Value of that word that has compiled code leave at every check until it is
/// taken back.
pub const POOL_HELD: u64 = 3;

/// Flag of a literal pool: there is better code, which frames that run with
/// this pool are to leave for.
pub const POOL_REPLACED: u64 = 4;

/// The parts of a [`FuncProto`] that only slow paths read.
pub struct ProtoCold {
    /// The shared, immutable prototype.
    pub proto: Arc<Proto>,
    /// Constants as values; strings interned.
    pub constants: Vec<Value>,
    /// Feedback.
    pub feedback: Vec<FeedbackSlot>,
    /// Nested prototypes, in order.
    pub children: Vec<Gc<FuncProto>>,
    /// The closures that were made of it, as if they were stores to a field:
    /// at the constant level as long as there was only one.
    pub instances: FieldInfo,
    /// Live registers per instruction, computed on first use by the collector.
    pub liveness: Option<Box<LiveMap>>,
    /// Installed OSR entries: header pc and address. Set through
    /// [`Gc::<FuncProto>::set_osr_entry`].
    pub osr: Vec<(u32, *const u8)>,
    /// Data of the tier that has code for this prototype.
    pub tier: Option<Box<dyn std::any::Any>>,
}

/// Live registers at each pc as bit rows of `words` 64-bit words.
pub struct LiveMap {
    /// Words per row.
    pub words: usize,
    /// `rows[pc * words ..][.. words]`, bit `r % 64` of word `r / 64`.
    pub rows: Vec<u64>,
}

impl Gc<FuncProto> {
    /// The shared prototype.
    #[must_use]
    pub fn proto<'a>(self) -> &'a Arc<Proto> {
        // SAFETY: GC discipline; the Arc lives as long as the object.
        unsafe { &(*self.as_ptr()).cold.proto }
    }

    /// Bytes outside the object, for the heap's accounts.
    pub(crate) fn external_bytes(self) -> usize {
        let slots = self.num_feedback as usize * std::mem::size_of::<FeedbackSlot>();
        self.proto().code.len() * 8 + slots
    }

    /// The feedback slots.
    #[must_use]
    pub fn feedback_slots<'a>(self) -> &'a [FeedbackSlot] {
        // SAFETY: as `proto`; slots are only written by the VM's own thread.
        unsafe { &(*self.as_ptr()).cold.feedback }
    }

    /// Installs the OSR entry for the loop header at `pc`, or removes it when
    /// `entry` is null.
    pub fn set_osr_entry(self, pc: u32, entry: *const u8) {
        let osr = &mut self.cold().osr;
        osr.retain(|e| e.0 != pc);
        if !entry.is_null() {
            osr.push((pc, entry));
        }
        // The next back edge looks at the table.
        // SAFETY: GC discipline; single writer.
        unsafe { (*self.as_ptr()).loop_trigger = 0 };
    }

    /// Access to the cold part.
    #[allow(clippy::mut_from_ref)]
    #[must_use]
    pub fn cold<'a>(self) -> &'a mut ProtoCold {
        // SAFETY: GC discipline; the VM's thread is the only user and holds no
        // other reference into the cold part at the same time.
        unsafe { &mut (*self.as_ptr()).cold }
    }
}

/// A Lua function: a prototype and the cells it captured, which follow the
/// struct.
#[repr(C)]
pub struct LuaClosure {
    /// `extra` is the number of upvalues.
    pub header: Header,
    /// What it runs.
    pub proto: Gc<FuncProto>,
    upvals: [*mut Cell; 0],
}

impl Gc<LuaClosure> {
    /// Number of upvalues.
    #[inline]
    #[must_use]
    pub fn upval_count(self) -> usize {
        self.header.extra as usize
    }

    /// The cell of upvalue `i`.
    ///
    /// # Panics
    /// If there is no such upvalue.
    #[inline]
    #[must_use]
    pub fn upval(self, i: usize) -> Gc<Cell> {
        assert!(i < self.upval_count());
        // SAFETY: in range, and every upvalue is set before the closure is seen.
        unsafe { Gc::from_ptr(*self.upvals_ptr().add(i)) }
    }

    /// Replaces the cell of upvalue `i`. The caller runs the write barrier.
    ///
    /// # Panics
    /// If there is no such upvalue.
    pub fn set_upval(self, i: usize, cell: Gc<Cell>) {
        assert!(i < self.upval_count());
        // SAFETY: in range; single writer.
        unsafe { *self.upvals_ptr().add(i) = cell.as_ptr() }
    }

    /// Pointer to the first upvalue.
    #[inline]
    #[must_use]
    pub fn upvals_ptr(self) -> *mut *mut Cell {
        // SAFETY: in-bounds field address; the cells follow the struct.
        unsafe { (&raw mut (*self.as_ptr()).upvals).cast() }
    }
}

/// A function written in Rust.
///
/// `args` are on the VM stack and stay there while the function runs.
pub type NativeFn = fn(&mut VmState, Args) -> NativeResult;

/// A native function as a Lua value, with the values it captured.
#[repr(C)]
pub struct NativeClosure {
    /// `extra` is the number of captured values.
    pub header: Header,
    /// The function.
    pub func: NativeFn,
    /// Name for tracebacks, such as `string.rep`.
    pub name: &'static str,
    /// Identifies functions that the compiler knows; see [`crate::intrinsic`].
    pub intrinsic: u16,
    upvals: [Value; 0],
}

impl Gc<NativeClosure> {
    /// Captured value `i`, nil if there is none.
    #[inline]
    #[must_use]
    pub fn upval(self, i: usize) -> Value {
        if i >= self.header.extra as usize {
            return Value::NIL;
        }
        // SAFETY: in range.
        unsafe { *self.upvals_ptr().add(i) }
    }

    /// Sets captured value `i`. The caller runs the write barrier.
    ///
    /// # Panics
    /// If there is no such value.
    pub fn set_upval(self, i: usize, v: Value) {
        assert!(i < self.header.extra as usize);
        // SAFETY: in range; single writer.
        unsafe { *self.upvals_ptr().add(i) = v }
    }

    #[inline]
    pub(crate) fn upvals_ptr(self) -> *mut Value {
        // SAFETY: in-bounds field address; the values follow the struct.
        unsafe { (&raw mut (*self.as_ptr()).upvals).cast() }
    }
}
