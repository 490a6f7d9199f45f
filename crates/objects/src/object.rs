//! The header that every heap object starts with, and the small object kinds.

use crate::gcref::Gc;
use crate::table::Table;
use crate::value::{Tag, Value};
use std::any::Any;

/// What a heap cell holds. The numbers of value kinds equal their [`Tag`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Kind(pub u8);

impl Kind {
    /// An unused heap cell.
    pub const FREE: Kind = Kind(0);
    /// [`crate::string::Str`]
    pub const STR: Kind = Kind(Tag::STR.0);
    /// [`Table`]
    pub const TABLE: Kind = Kind(Tag::TABLE.0);
    /// [`crate::closure::LuaClosure`]
    pub const LUA_FN: Kind = Kind(Tag::LUA_FN.0);
    /// [`crate::closure::NativeClosure`]
    pub const NATIVE_FN: Kind = Kind(Tag::NATIVE_FN.0);
    /// [`Userdata`]
    pub const USERDATA: Kind = Kind(Tag::USERDATA.0);
    /// [`crate::thread::Thread`]
    pub const THREAD: Kind = Kind(Tag::THREAD.0);
    /// [`Cell`]
    pub const CELL: Kind = Kind(Tag::CELL.0);
    /// [`crate::closure::FuncProto`]
    pub const PROTO: Kind = Kind(12);
    /// Elements or out-of-line slots of a table, which marks them.
    pub const BUFFER: Kind = Kind(13);

    /// Whether objects of this kind always own something outside their cell.
    #[inline]
    pub(crate) const fn always_owns(self) -> bool {
        matches!(self, Kind::USERDATA | Kind::THREAD | Kind::PROTO)
    }
}

/// Flags of [`Header::flags`].
pub mod header_flags {
    /// A table or userdata whose finalizer is to be called when it is dead.
    pub const FINALIZABLE: u8 = 1;
    /// A thread that is queued for tracing.
    pub const QUEUED: u8 = 2;
    /// An object that owns something outside of the heap's cells, to be
    /// released when it is dead.
    pub const OWNS: u8 = 4;
    /// A table whose hash part has positive integer keys, dead ones included,
    /// or which has a metatable there.
    pub const BEYOND: u8 = 8;
}

/// First eight bytes of every heap object.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Header {
    /// What the object is.
    pub kind: Kind,
    /// Collector state; see [`crate::heap`].
    pub mark: u8,
    /// Bits of [`header_flags`].
    pub flags: u8,
    /// A byte of the kind: the elements kind of a table, the tag of a cell.
    pub aux: u8,
    /// A word of the kind: length of a string, absent-metamethod bits of a
    /// table, number of upvalues of a closure.
    pub extra: u32,
}

/// The heap cell of a captured variable. Its tag is `header.aux`.
#[repr(C)]
pub struct Cell {
    /// `aux` is the tag of the content.
    pub header: Header,
    /// Payload of the content.
    pub payload: u64,
}

impl Gc<Cell> {
    /// The variable's value.
    #[inline]
    #[must_use]
    pub fn get(self) -> Value {
        Value {
            payload: self.payload,
            tag: Tag(self.header.aux),
        }
    }

    /// Assigns the variable. The caller runs the write barrier.
    #[inline]
    pub fn set(self, v: Value) {
        // SAFETY: GC discipline; the VM's thread is the only writer.
        unsafe {
            (*self.as_ptr()).payload = v.payload;
            (*self.as_ptr()).header.aux = v.tag.0;
        }
    }
}

/// A full userdata: a Rust value with a metatable.
#[repr(C)]
pub struct Userdata {
    /// Common header.
    pub header: Header,
    /// Metatable or null.
    pub(crate) metatable: *mut Table,
    /// The host's value.
    pub(crate) data: Box<dyn Any>,
}

impl Gc<Userdata> {
    /// The metatable, if any.
    #[inline]
    #[must_use]
    pub fn metatable(self) -> Option<Gc<Table>> {
        // SAFETY: the pointer is null or a live table that this object keeps alive.
        (!self.metatable.is_null()).then(|| unsafe { Gc::from_ptr(self.metatable) })
    }

    /// Sets the metatable. The caller runs the write barrier.
    pub fn set_metatable(self, mt: Option<Gc<Table>>) {
        // SAFETY: GC discipline; single writer.
        unsafe { (*self.as_ptr()).metatable = mt.map_or(std::ptr::null_mut(), Gc::as_ptr) }
    }

    /// Runs `f` with the host's value if it is a `T`. The value must not be
    /// borrowed twice: hosts keep a `RefCell` inside where that can happen.
    pub fn with<T: 'static, R>(self, f: impl FnOnce(&T) -> R) -> Option<R> {
        self.data.downcast_ref::<T>().map(f)
    }
}
