//! Typed views of what inline caches remember, for snapshots.
//!
//! A [`Way`] stores addresses. They are written only by the caches' own fill
//! code and kept valid by the collector (holders and call targets are traced,
//! shapes and lattice cells live as long as the VM), which is what makes
//! these accessors sound.

use crate::closure::{FuncProto, NativeClosure};
use crate::feedback::{Way, WayKind};
use crate::gcref::Gc;
use crate::object::{Header, Kind};
use crate::shape::{FieldInfo, FieldKind, Shape};
use crate::table::Table;
use crate::vm::VmState;

/// What a call cache remembers.
#[derive(Clone, Copy, Debug)]
pub enum Callee {
    /// A Lua function's prototype.
    Lua(Gc<FuncProto>),
    /// A native function.
    Native(Gc<NativeClosure>),
}

impl Way {
    fn is_property(&self) -> bool {
        !matches!(
            self.kind,
            WayKind::None
                | WayKind::Target
                | WayKind::StrHolder
                | WayKind::StrHolderOut
                | WayKind::Transition
                | WayKind::Protected
        )
    }

    /// The receiver's shape of a property way.
    #[must_use]
    pub fn receiver_shape(&self) -> Option<&Shape> {
        // SAFETY: property ways hold a shape address (module docs).
        (self.is_property() && self.shape != 0).then(|| unsafe { &*(self.shape as *const Shape) })
    }

    /// The shape after an adding store.
    #[must_use]
    pub fn next_shape(&self) -> Option<&Shape> {
        let adds = matches!(self.kind, WayKind::Add | WayKind::AddOut);
        // SAFETY: adding ways hold the successor's address (module docs).
        adds.then(|| unsafe { &*(self.aux as *const Shape) })
    }

    /// The table that holds an inherited field or a metamethod.
    #[must_use]
    pub fn holder(&self) -> Option<Gc<Table>> {
        let held = matches!(
            self.kind,
            WayKind::Holder
                | WayKind::HolderOut
                | WayKind::StrHolder
                | WayKind::StrHolderOut
                | WayKind::Meta
                | WayKind::MetaSecond
        );
        held.then(|| Gc::from_payload(self.aux))
    }

    /// The prototype of the metamethod that an operator found, if it is a Lua
    /// function.
    #[must_use]
    pub fn metamethod(&self) -> Option<Gc<FuncProto>> {
        let meta = matches!(self.kind, WayKind::Meta | WayKind::MetaSecond);
        let holder = self.holder().filter(|_| meta)?;
        let slot = self.slot as usize;
        let there = !holder.shape().is_dict() && slot < holder.shape().nslots as usize;
        Some(there.then(|| holder.slot(slot))?.as_lua_fn()?.proto)
    }

    /// Of what a call of `setmetatable` did: the shapes of the table before and
    /// after.
    #[must_use]
    pub fn transition(&self) -> Option<(&Shape, &Shape)> {
        let noted = self.kind == WayKind::Transition;
        // SAFETY: such ways hold addresses of shapes (module docs).
        noted.then(|| unsafe { (&*(self.shape as *const Shape), &*(self.aux as *const Shape)) })
    }

    /// The lattice cell of the field.
    #[must_use]
    pub fn field_info(&self) -> Option<&FieldInfo> {
        let property = self.is_property() || self.holder().is_some();
        // SAFETY: property ways hold a lattice cell's address or 0.
        (property && self.field != 0).then(|| unsafe { &*(self.field as *const FieldInfo) })
    }

    /// The call target of a call way, or what a call of `pcall` called.
    #[must_use]
    pub fn callee(&self) -> Option<Callee> {
        if !matches!(self.kind, WayKind::Target | WayKind::Protected) {
            return None;
        }
        // SAFETY: call ways hold a prototype or a native closure, which the
        // collector keeps alive; both start with a header.
        let kind = unsafe { (*(self.shape as *const Header)).kind };
        Some(if kind == Kind::PROTO {
            Callee::Lua(Gc::from_payload(self.shape))
        } else {
            Callee::Native(Gc::from_payload(self.shape))
        })
    }
}

impl Shape {
    /// The shape that this one was made from, by adding a field or setting
    /// the metatable.
    #[must_use]
    pub fn parent(&self) -> Option<&Shape> {
        // SAFETY: null or a shape; shapes live as long as the VM.
        unsafe { self.parent.as_ref() }
    }

    /// The metatable that the shape proves, if any.
    #[must_use]
    pub fn metatable_table(&self) -> Option<Gc<Table>> {
        // SAFETY: null or a table that the shape keeps alive.
        (!self.metatable.is_null()).then(|| unsafe { Gc::from_ptr(self.metatable) })
    }
}

impl VmState {
    /// Widens the lattice cell of a way from the constant level to its kind.
    pub fn generalize_constant(&mut self, way: &Way) {
        if way.field_info().is_some() {
            self.generalize_cell(way.field as *mut FieldInfo);
        }
    }

    /// Widens the lattice cell of a shape's slot from the constant level to
    /// its kind.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn generalize_slot(&mut self, shape: &Shape, slot: usize) {
        self.generalize_cell(shape.field(slot));
    }

    fn generalize_cell(&mut self, cell: *mut FieldInfo) {
        // SAFETY: lattice cells live as long as the VM, whose thread is the
        // only writer.
        unsafe {
            if (*cell).kind != FieldKind::CONST {
                return;
            }
            (*cell).kind = FieldKind((*cell).constant.tag.0);
            (*cell).constant = crate::Value::NIL;
            if (*cell).watched {
                (self.hooks.field_widened)(self, &*cell);
            }
        }
    }
}
