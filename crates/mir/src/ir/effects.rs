//! What operations are and do: ends of blocks, call sites, guards, and the
//! memory that they read and write.

use super::{Op, SlotLoc, Ty};
use crate::helper::Effect;

impl Op {
    /// Whether the operation ends a block.
    #[must_use]
    pub fn is_terminator(&self) -> bool {
        matches!(
            self,
            Op::Jump
                | Op::Branch
                | Op::Return
                | Op::ReturnNone
                | Op::ReturnWindow { .. }
                | Op::TailCall { .. }
                | Op::TailCallLua { .. }
                | Op::Exit
        )
    }

    /// Whether the operation is a call site: it may collect, raise, run other
    /// code, and so change any memory.
    #[must_use]
    pub fn is_call_site(&self) -> bool {
        matches!(
            self,
            Op::CallLua { .. }
                | Op::CallLuaMulti { .. }
                | Op::CallWindow { .. }
                | Op::CallTail { .. }
                | Op::InterpOne
                | Op::Poll
        )
    }

    /// Whether the operation needs the function's frame record in place.
    #[must_use]
    pub fn needs_frame(&self) -> bool {
        self.has_site() || matches!(self, Op::PopFrame)
    }

    /// Whether the operation has a site.
    #[must_use]
    pub fn has_site(&self) -> bool {
        self.is_call_site() || matches!(self, Op::PushFrame { .. } | Op::EnterFrame { .. })
    }

    /// Whether the operation describes an object that only side exits make.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(
            self,
            Op::VirtualTable | Op::VirtualCell | Op::VirtualClosure(_)
        )
    }

    /// Whether the operation may leave through a side exit.
    #[must_use]
    pub fn is_guard(&self) -> bool {
        matches!(
            self,
            Op::Guard
                | Op::GuardTag(_)
                | Op::GuardShape
                | Op::GuardFloatToInt
                | Op::GuardValid
                | Op::GuardPolled
                | Op::Exit
        )
    }

    /// Whether the result depends on the operands alone and nothing else
    /// happens: such instructions may be removed, merged or moved freely.
    #[must_use]
    pub fn is_pure(&self) -> bool {
        matches!(
            self,
            Op::Int(_)
                | Op::Float(_)
                | Op::Bool(_)
                | Op::Nil
                | Op::Literal(_)
                | Op::SelfClosure
                | Op::Box
                | Op::HasTag(_)
                | Op::Unbox
                | Op::Truthy
                | Op::SameBits
                | Op::IntOp(_)
                | Op::IntCmp(_)
                | Op::FloatOp(_)
                | Op::FloatFn(_)
                | Op::FloatCmp(_)
                | Op::IntToFloat
                | Op::Not
                | Op::SameObject
                | Op::Select
                | Op::StrLess(_)
                | Op::StrLen
                | Op::StrByte
                | Op::Upval(_)
                | Op::LoadProto
                | Op::VarargCount
                | Op::LoadVararg
        ) || self.lib_effect() == Some(Effect::Pure)
    }

    /// What the helper of an [`Op::Lib`] does.
    #[must_use]
    pub fn lib_effect(&self) -> Option<Effect> {
        match self {
            Op::Lib(h) => h.effect(),
            _ => None,
        }
    }

    /// The memory an operation reads, if it is a plain load.
    #[must_use]
    pub fn reads(&self) -> Option<Alias> {
        Some(match self {
            Op::LoadReg(r) => Alias::Reg(*r),
            Op::LoadCell => Alias::Cells,
            Op::LoadShape
            | Op::GuardShape
            | Op::ShapeIn
            | Op::NoExt
            | Op::NoneBeyond
            | Op::NoMeta => Alias::Shapes,
            Op::LoadSlot(loc) => Alias::Slot(*loc),
            Op::ElemsLen | Op::ElemsKind | Op::ElemsCap => Alias::ElemsMeta,
            Op::LoadElem => Alias::Elems,
            Op::MetaEpoch => Alias::Epoch,
            Op::GuardValid => Alias::Validity,
            _ => return None,
        })
    }

    /// The memory an operation writes, besides what calls may change.
    #[must_use]
    pub fn writes(&self) -> Option<Alias> {
        Some(match self {
            Op::StoreReg(r) => Alias::Reg(*r),
            Op::StoreCell => Alias::Cells,
            Op::StoreSlot(loc, _) => Alias::Slot(*loc),
            Op::AddSlot | Op::SetShape | Op::PutField | Op::PutIndex => Alias::Shapes,
            Op::StoreElem | Op::StoreElemMixed => Alias::Elems,
            Op::PushElem | Op::SetElemsLen => Alias::ElemsMeta,
            _ => return None,
        })
    }
}

/// Disjoint classes of memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Alias {
    /// A window slot.
    Reg(u8),
    /// Contents of cells.
    Cells,
    /// Shape words, extension words and slot pointers of tables; written
    /// together with slots by [`Op::AddSlot`].
    Shapes,
    /// Slots at this location.
    Slot(SlotLoc),
    /// Length, kind, capacity and address of elements; written together with
    /// elements by [`Op::PushElem`].
    ElemsMeta,
    /// Elements.
    Elems,
    /// Elements of tables whose elements are all of this type, which was
    /// checked.
    ElemsOf(Ty),
    /// The metatable epoch.
    Epoch,
    /// Whether this code is still valid; calls and polls may end that.
    Validity,
}
