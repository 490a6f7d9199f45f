//! Every offset and size that compiled code reads, checked at compile time.
//!
//! The lowering takes numbers from here and nowhere else, so that a change of
//! a struct either moves its constant along or fails to compile.

use crate::closure::{FuncProto, LuaClosure, NativeClosure, ProtoCold};
use crate::frame::FrameRecord;
use crate::heap::{FreeRun, Heap};
use crate::meta::Event;
use crate::object::{Cell, Header};
use crate::shape::{CLASS, FieldInfo, OBJECT_META, Shape};
use crate::site::SITE;
use crate::string::Str;
use crate::table::{TABLE_SIZE, Table};
use crate::value::Value;
use crate::vm::VmState;
use std::mem::{offset_of, size_of};

/// Size of a value on the VM stack.
pub const VALUE_SIZE: usize = size_of::<Value>();
/// Offset of a value's tag.
pub const VALUE_TAG: usize = offset_of!(Value, tag);
/// Size of a frame record.
pub const FRAME_SIZE: usize = size_of::<FrameRecord>();
/// Offset of [`FrameRecord::func`].
pub const FRAME_FUNC: usize = offset_of!(FrameRecord, func);
/// Offset of the word with tag, kind, flags and vararg count.
pub const FRAME_WORD: usize = offset_of!(FrameRecord, tag);
/// Offset of [`FrameRecord::nvarargs`].
pub const FRAME_NVARARGS: usize = offset_of!(FrameRecord, nvarargs);
/// Offset of [`FrameRecord::prev`].
pub const FRAME_PREV: usize = offset_of!(FrameRecord, prev);
/// Offset of [`FrameRecord::pc`].
pub const FRAME_PC: usize = offset_of!(FrameRecord, pc);

/// Offset of [`VmState::frame`].
pub const VM_FRAME: usize = offset_of!(VmState, frame);
/// Offset of [`VmState::stack_limit`].
pub const VM_STACK_LIMIT: usize = offset_of!(VmState, stack_limit);
/// Offset of [`VmState::ret_base`].
pub const VM_RET_BASE: usize = offset_of!(VmState, ret_base);
/// Offset of [`VmState::ret_count`].
pub const VM_RET_COUNT: usize = offset_of!(VmState, ret_count);
/// Offset of [`VmState::meta_epoch`].
pub const VM_META_EPOCH: usize = offset_of!(VmState, meta_epoch);
/// Offset of [`VmState::exit_words`].
pub const VM_EXIT_WORDS: usize = offset_of!(VmState, exit_words);
/// Offset of [`VmState::helpers`].
pub const VM_HELPERS: usize = offset_of!(VmState, helpers);
/// Offset of [`VmState::top`].
pub const VM_TOP: usize = offset_of!(VmState, top);
/// Offset of the word with site and code id of a compiled frame.
pub const FRAME_CODE_ID: usize = offset_of!(FrameRecord, nargs);
/// Offset of the byte with the frame's kind.
pub const FRAME_KIND: usize = offset_of!(FrameRecord, kind);
/// Offset of the allocation run of class 0.
pub const VM_RUNS: usize = offset_of!(VmState, heap) + offset_of!(Heap, runs);
/// Size of an allocation run.
pub const RUN_SIZE: usize = size_of::<FreeRun>();
/// Offset of [`Heap::mark_word`].
pub const VM_MARK_WORD: usize = offset_of!(VmState, heap) + offset_of!(Heap, mark_word);
/// Offset of [`Heap::marking`].
pub const VM_MARKING: usize = offset_of!(VmState, heap) + offset_of!(Heap, marking);

/// Offset of the header's byte of [`header_flags`](crate::object::header_flags).
pub const HEADER_FLAGS: usize = offset_of!(Header, flags);
/// Offset of the header byte with the elements kind or cell tag.
pub const HEADER_AUX: usize = offset_of!(Header, aux);
/// Offset of [`Header::extra`].
pub const HEADER_EXTRA: usize = offset_of!(Header, extra);
/// Offset of [`Table::shape`].
pub const TABLE_SHAPE: usize = offset_of!(Table, shape);
/// Offset of [`Table::slots`].
pub const TABLE_SLOTS: usize = offset_of!(Table, slots);
/// Offset of [`Table::elems`].
pub const TABLE_ELEMS: usize = offset_of!(Table, elems);
/// Offset of [`Table::len`].
pub const TABLE_LEN: usize = offset_of!(Table, len);
/// Offset of [`Table::cap`].
pub const TABLE_CAP: usize = offset_of!(Table, cap);
/// Offset of [`Table::ext`].
pub const TABLE_EXT: usize = offset_of!(Table, ext);
/// Offset of the first inline slot.
pub const TABLE_INLINE: usize = TABLE_SIZE;
/// Offset of [`Shape::metatable`].
pub const SHAPE_METATABLE: usize = offset_of!(Shape, metatable);
/// Offset of [`Shape::flags`].
pub const SHAPE_FLAGS: usize = offset_of!(Shape, flags);
/// Flags of shapes whose tables have metatables of their own.
pub const SHAPE_OWN_META: u8 = OBJECT_META | CLASS;
/// Bits of the `extra` word of a metatable's header, and what they are where
/// the metatable is known to lack `__eq`.
pub const META_LACKS_EQ: (u32, u32) = (SITE | 1 << Event::Eq as u8, 1 << Event::Eq as u8);
/// Offset of [`Cell::payload`]; its tag is at [`HEADER_AUX`].
pub const CELL_PAYLOAD: usize = offset_of!(Cell, payload);
/// Offset of [`LuaClosure::proto`].
pub const CLOSURE_PROTO: usize = offset_of!(LuaClosure, proto);
/// Offset of a closure's first upvalue.
pub const CLOSURE_UPVALS: usize = size_of::<LuaClosure>();
/// Offset of [`FuncProto::entry`].
pub const PROTO_ENTRY: usize = offset_of!(FuncProto, entry);
/// Offset of [`FuncProto::compiled`].
pub const PROTO_COMPILED: usize = offset_of!(FuncProto, compiled);
/// Offset of [`FuncProto::cold`].
pub const PROTO_COLD: usize = offset_of!(FuncProto, cold);
/// Offset, in what [`PROTO_COLD`] refers to, of the kind of the cell for the
/// prototype's closures: the tag of functions when there were several.
pub const COLD_INSTANCES_KIND: usize =
    offset_of!(ProtoCold, instances) + offset_of!(FieldInfo, kind);
/// Offset of [`FuncProto::pool`].
pub const PROTO_POOL: usize = offset_of!(FuncProto, pool);
/// Offset of the strings of one byte, by byte: addresses, null for those that
/// there are not.
pub const VM_BYTE_STRINGS: usize = offset_of!(VmState, heap) + Heap::BYTES_OFFSET;
/// Offset of a string's length.
pub const STR_LEN: usize = offset_of!(Header, extra);
/// Offset of a string's content, unless [`STR_FORM`] is [`STR_SHARED`].
pub const STR_DATA: usize = crate::string::STR_DATA_OFFSET;
/// Offset of the byte that says where a string's content is.
pub const STR_FORM: usize = offset_of!(Header, aux);
/// The form of strings with an address of their content at [`STR_ADDRESS`].
pub const STR_SHARED: u8 = crate::string::form::SHARED;
/// Offset of that address.
pub const STR_ADDRESS: usize = crate::string::STR_SHARED_OFFSET;
/// Offset of [`NativeClosure::func`].
pub const NATIVE_FUNC: usize = offset_of!(NativeClosure, func);

const _: () = {
    assert!(VALUE_SIZE == 16 && VALUE_TAG == 8);
    assert!(FRAME_SIZE == 2 * VALUE_SIZE && FRAME_SIZE == vela_bytecode::FRAME_SLOTS * VALUE_SIZE);
    assert!(FRAME_FUNC == 0 && FRAME_WORD == VALUE_TAG && FRAME_NVARARGS == 12);
    assert!(size_of::<Header>() == 8 && size_of::<Cell>() == 16);
    assert!(size_of::<Table>() == TABLE_SIZE);
    assert!(CLOSURE_UPVALS == 16);
    assert!(offset_of!(Str, hash) == 8 && STR_DATA == 12);
};
