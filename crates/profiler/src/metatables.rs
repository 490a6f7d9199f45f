//! What calls of `setmetatable` did, for snapshots.

use crate::snapshot::{FieldSnapshot, field_snapshot};
use vela_objects::feedback::{FeedbackSlot, Way};
use vela_objects::gcref::Gc;
use vela_objects::meta::Event;
use vela_objects::shape::{CLASS, META, OBJECT_META, Shape};
use vela_objects::{Table, VmState};

/// Most transitions of one call.
const MAX_TRANSITIONS: usize = 16;

/// A table of one shape gets a metatable.
#[derive(Clone, Debug)]
pub struct MetaTransition {
    /// Address of the table's shape before.
    pub from: u64,
    /// Address of the table's shape after.
    pub to: u64,
    /// What metatable.
    pub by: Metatable,
}

/// What metatable a table gets.
#[derive(Clone, Debug)]
pub enum Metatable {
    /// The one at this address, which other tables have, too; before, the table
    /// had none, or another such one.
    Shared(u64),
    /// One of its own, which only says what `__index` is.
    Own(OwnMetatable),
}

/// See [`Metatable::Own`].
#[derive(Clone, Debug)]
pub struct OwnMetatable {
    /// Address of the table that `__index` is.
    pub class: u64,
    /// The slot of the object that the metatable is kept in.
    pub slot: u16,
    /// Inline slots of the object.
    pub inline_cap: u8,
    /// Whether the object gets that slot now; else it had such a metatable.
    pub adds: bool,
    /// Cell of that slot.
    pub field: FieldSnapshot,
    /// Address of the metatable's shape before; `__index` is its first slot.
    pub plain: u64,
    /// Inline slots of the metatable.
    pub plain_cap: u8,
    /// Address of the metatable's shape after, if that is another.
    pub marked: Option<u64>,
}

impl MetaTransition {
    /// The table that it is about.
    #[must_use]
    pub fn object(&self) -> u64 {
        match &self.by {
            Metatable::Shared(metatable) => *metatable,
            Metatable::Own(own) => own.class,
        }
    }
}

/// What a call did, and, where it gave one shape of tables metatables of their
/// own, what it would do for other classes.
pub(crate) fn transitions(vm: &VmState, slot: &FeedbackSlot) -> Vec<MetaTransition> {
    let mut all: Vec<MetaTransition> = slot
        .transitions()
        .filter_map(|way| transition(vm, way))
        .collect();
    let mut ways = slot.transitions();
    let Some(way) = ways.next() else {
        return all;
    };
    if let Some((from, to)) = way.transition()
        && to.flags & CLASS != 0
        && ways.all(|w| w.shape == way.shape)
    {
        for (class, to) in from.classes() {
            let known = all.iter().any(|t| t.to == address(to));
            if !known && all.len() < MAX_TRANSITIONS {
                all.extend(own(vm, from, to, class, way));
            }
        }
    }
    all
}

fn transition(vm: &VmState, way: &Way) -> Option<MetaTransition> {
    let (from, to) = way.transition()?;
    let metatable = to.metatable_table()?;
    if to.flags & OBJECT_META != 0 {
        let still = to.flags & CLASS != 0;
        return still.then(|| own(vm, from, to, metatable, way))?;
    }
    // Those are registered with the collector when they are set.
    let special = [Event::Gc, Event::Mode]
        .iter()
        .any(|&e| !vm.meta_of(metatable, e).is_nil());
    let protected = from
        .metatable_table()
        .is_some_and(|mt| !vm.meta_of(mt, Event::Metatable).is_nil());
    (!special && !protected).then_some(MetaTransition {
        from: address(from),
        to: address(to),
        by: Metatable::Shared(metatable.addr()),
    })
}

fn own(
    vm: &VmState,
    from: &Shape,
    to: &Shape,
    class: Gc<Table>,
    way: &Way,
) -> Option<MetaTransition> {
    let plain = vm.shape_of_id(way.epoch)?;
    let alone = plain.is_singleton() && plain.flags & META == 0;
    // Chains through a class are known as long as it is marked.
    if alone || class.shape().flags & META == 0 {
        return None;
    }
    let marked = address(plain.as_metatable()?);
    let own = OwnMetatable {
        class: class.addr(),
        slot: to.hidden,
        inline_cap: from.inline_cap,
        adds: from.flags & CLASS == 0,
        field: field_snapshot(to.field_info(to.hidden as usize)),
        plain: address(plain),
        plain_cap: plain.inline_cap,
        marked: Some(marked).filter(|&m| m != address(plain)),
    };
    Some(MetaTransition {
        from: address(from),
        to: address(to),
        by: Metatable::Own(own),
    })
}

/// Objects of a class will not all have one metatable: gives up the constant
/// level of the slots that have it, so that the call can be compiled.
pub(crate) fn unconst(vm: &mut VmState, slot: &FeedbackSlot) {
    for way in slot.transitions() {
        let Some((from, to)) = way.transition().filter(|t| t.1.flags & CLASS != 0) else {
            continue;
        };
        vm.generalize_slot(to, to.hidden as usize);
        for (_, shape) in from.classes() {
            vm.generalize_slot(shape, shape.hidden as usize);
        }
    }
}

fn address(shape: &Shape) -> u64 {
    std::ptr::from_ref(shape) as u64
}
