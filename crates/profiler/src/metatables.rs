//! What calls of `setmetatable` did, for snapshots.

use crate::snapshot::{FieldSnapshot, field_snapshot};
use vela_objects::feedback::{FeedbackSlot, Way};
use vela_objects::gcref::Gc;
use vela_objects::meta::Event;
use vela_objects::shape::{CLASS, META, OBJECT_META, Shape};
use vela_objects::{Table, VmState};

/// Classes of one call that compiled code tells apart.
const MAX_CLASSES: usize = 8;

/// What a call of `setmetatable` does to tables of one shape.
#[derive(Clone, Debug)]
pub enum MetaTransition {
    /// A table without metatable gets one that others have, too.
    Shared {
        /// Address of the shape before.
        from: u64,
        /// Address of the metatable.
        metatable: u64,
        /// Address of the shape after.
        to: u64,
    },
    /// A table gets a metatable of its own, which only says what `__index` is.
    Own(OwnMetatable),
}

impl MetaTransition {
    /// Addresses of the tables that it is about.
    #[must_use]
    pub fn objects(&self) -> Vec<u64> {
        match self {
            MetaTransition::Shared { metatable, .. } => vec![*metatable],
            MetaTransition::Own(own) => own.classes.iter().map(|c| c.class).collect(),
        }
    }
}

/// See [`MetaTransition::Own`].
#[derive(Clone, Debug)]
pub struct OwnMetatable {
    /// Address of the table's shape before.
    pub from: u64,
    /// Its inline slots.
    pub inline_cap: u8,
    /// The slot that the metatable is kept in.
    pub slot: u16,
    /// Whether the table gets that slot now; else it had such a metatable.
    pub adds: bool,
    /// Address of the metatable's shape before; `__index` is its first slot.
    pub plain: u64,
    /// Inline slots of the metatable.
    pub plain_cap: u8,
    /// Address of the metatable's shape after, if that is another.
    pub marked: Option<u64>,
    /// What the table's shape is after, by `__index`, the latest first.
    pub classes: Vec<ClassSnapshot>,
    /// Whether there were more.
    pub more: bool,
}

/// A class of objects that each have a metatable.
#[derive(Clone, Debug)]
pub struct ClassSnapshot {
    /// Address of the class.
    pub class: u64,
    /// Address of the shape of its objects.
    pub shape: u64,
    /// Cell of the slot that has the metatable.
    pub field: FieldSnapshot,
}

/// What the call of `way` did last.
pub(crate) fn transition(vm: &VmState, slot: &FeedbackSlot, way: &Way) -> Option<MetaTransition> {
    let to = way.metatable_shape()?;
    if to.flags & OBJECT_META != 0 {
        return own(vm, slot, to).map(MetaTransition::Own);
    }
    let metatable = to.metatable_table()?;
    // Those are registered with the collector when they are set.
    let special = [Event::Gc, Event::Mode]
        .iter()
        .any(|&e| !vm.meta_of(metatable, e).is_nil());
    (!special).then_some(MetaTransition::Shared {
        from: address(to.parent()?),
        metatable: metatable.addr(),
        to: address(to),
    })
}

fn own(vm: &VmState, slot: &FeedbackSlot, to: &Shape) -> Option<OwnMetatable> {
    let from = to.parent()?;
    let plain = vm.noted_metatable_shape(slot)?;
    if plain.is_singleton() && plain.flags & META == 0 {
        // Its table got a shape of its own.
        return None;
    }
    let hidden = to.hidden;
    // As long as that holds, `__index` chains through the classes are known.
    let marked = |class: Gc<Table>| class.shape().flags & META != 0;
    let mut classes: Vec<ClassSnapshot> = from
        .classes()
        .filter(|c| marked(c.0))
        .map(|(class, shape)| ClassSnapshot {
            class: class.addr(),
            shape: address(shape),
            field: field_snapshot(shape.field_info(hidden as usize)),
        })
        .collect();
    let latest = classes.iter().position(|c| c.shape == address(to))?;
    classes.swap(0, latest);
    let more = classes.len() > MAX_CLASSES;
    classes.truncate(MAX_CLASSES);
    Some(OwnMetatable {
        from: address(from),
        inline_cap: from.inline_cap,
        slot: hidden,
        adds: from.flags & CLASS == 0,
        plain: address(plain),
        plain_cap: plain.inline_cap,
        marked: Some(address(plain.as_metatable()?)).filter(|&m| m != address(plain)),
        classes,
        more,
    })
}

/// Objects of a class will not all have one metatable: gives up the constant
/// level of the slots that have it, so that the call can be compiled.
pub(crate) fn unconst(vm: &mut VmState, slot: &FeedbackSlot) {
    for way in slot.ways() {
        let to = way.metatable_shape().filter(|to| to.flags & CLASS != 0);
        let Some(from) = to.and_then(Shape::parent) else {
            continue;
        };
        for (_, shape) in from.classes() {
            vm.generalize_slot(shape, shape.hidden as usize);
        }
    }
}

fn address(shape: &Shape) -> u64 {
    std::ptr::from_ref(shape) as u64
}
