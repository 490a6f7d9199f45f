//! What keeps objects alive for hosts.
//!
//! An object that a host holds is in a slot of a table of the VM. The handle
//! knows the number of the slot and shares with its VM a list of slots whose
//! handles are gone; it has nothing else of the VM, so it may be dropped on
//! any thread and outlive the VM.

use crate::error::{Error, Result};
use std::sync::{Arc, Mutex, PoisonError};
use vela_objects::{Gc, Table, Value, VmState};

/// Slots whose handles were dropped.
#[derive(Debug, Default)]
struct Dropped(Mutex<Vec<i64>>);

impl Dropped {
    fn take(&self) -> Vec<i64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Slot {
    number: i64,
    dropped: Arc<Dropped>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut list = self.dropped.0.lock();
        let list = list
            .as_mut()
            .map_or_else(|e| &mut **e.get_mut(), |l| &mut **l);
        list.push(self.number);
    }
}

/// An object of a VM that stays alive as long as the handle or a clone exists.
#[derive(Clone, Debug)]
pub(crate) struct Handle(Arc<Slot>);

impl PartialEq for Handle {
    /// Whether both are clones of one handle.
    fn eq(&self, other: &Handle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Handle {
    /// The object.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub(crate) fn get(&self, vm: &mut VmState) -> Result<Value> {
        match vm.host_state::<Handles>() {
            Some(h) if Arc::ptr_eq(&h.dropped, &self.0.dropped) => {
                Ok(h.table.get_int(self.0.number))
            }
            _ => Err(Error::WrongVm),
        }
    }
}

/// A VM's side of the handles.
struct Handles {
    /// The objects by slot.
    table: Gc<Table>,
    dropped: Arc<Dropped>,
    free: Vec<i64>,
    next: i64,
}

/// Prepares a VM for handles.
pub(crate) fn install(vm: &mut VmState) {
    let table = vm.table(0, 0);
    // Never unpinned: the pin below all others.
    vm.pin(Value::table(table));
    vm.host_state_or(|| Handles {
        table,
        dropped: Arc::default(),
        free: Vec::new(),
        next: 1,
    });
}

fn handles(vm: &mut VmState) -> &mut Handles {
    if vm.host_state::<Handles>().is_none() {
        install(vm);
    }
    vm.host_state_or(|| unreachable!("it was just made"))
}

/// A new handle for an object.
pub(crate) fn keep(vm: &mut VmState, v: Value) -> Handle {
    if handles(vm).free.is_empty() {
        settle(vm);
    }
    let h = handles(vm);
    let number = h.free.pop().unwrap_or_else(|| {
        h.next += 1;
        h.next - 1
    });
    let (table, dropped) = (h.table, h.dropped.clone());
    table.set_int(vm, number, v);
    Handle(Arc::new(Slot { number, dropped }))
}

/// Lets go of the objects whose handles were dropped.
pub(crate) fn settle(vm: &mut VmState) {
    let h = handles(vm);
    let (table, dropped) = (h.table, h.dropped.take());
    for &number in &dropped {
        // `false` keeps the slot an element.
        table.set_int(vm, number, Value::bool(false));
    }
    handles(vm).free.extend(dropped);
}
