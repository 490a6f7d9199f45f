//! What operations do to memory, by alias class.

use crate::ir::{Alias, Func, Op};
use std::collections::HashMap;

/// The alias classes that a function reads, numbered.
pub(super) struct Classes {
    ids: HashMap<Alias, u32>,
    /// By number.
    pub list: Vec<Alias>,
}

/// A set of classes, by number.
pub(super) type ClassSet = Vec<bool>;

impl Classes {
    /// The classes of all loads in the function.
    pub fn new(func: &Func) -> Self {
        let mut classes = Classes {
            ids: HashMap::new(),
            list: Vec::new(),
        };
        for b in &func.blocks {
            for &i in &b.insts {
                if let Some(a) = func.inst(i).op.reads() {
                    classes.add(a);
                }
            }
        }
        classes
    }

    fn add(&mut self, a: Alias) {
        let list = &mut self.list;
        self.ids.entry(a).or_insert_with(|| {
            list.push(a);
            list.len() as u32 - 1
        });
    }

    /// The number of a class, if the function reads it.
    pub fn id(&self, a: Alias) -> Option<u32> {
        self.ids.get(&a).copied()
    }

    /// Calls `f` with every class whose memory the operation may change.
    pub fn for_each_clobbered(&self, op: &Op, mut f: impl FnMut(usize)) {
        if is_quiet(op) {
            return;
        }
        for (n, &class) in self.list.iter().enumerate() {
            if clobbers(op, class) {
                f(n);
            }
        }
    }
}

/// Whether the operation changes no memory at all.
pub(super) fn is_quiet(op: &Op) -> bool {
    op.writes().is_none() && !op.is_call_site()
}

/// Whether the operation may change memory of this class.
///
/// Calls change everything, but registers below the callee's frame only when
/// results go there (they never do). A poll collects, which changes nothing
/// that a program can read, but the code may be invalid behind it.
pub(super) fn clobbers(op: &Op, class: Alias) -> bool {
    match op {
        Op::Poll => class == Alias::Validity,
        Op::CallLua { a, .. } | Op::CallLuaMulti { a, .. } | Op::CallWindow { a, .. } => {
            match class {
                Alias::Reg(r) => r >= *a,
                _ => true,
            }
        }
        Op::InterpOne => true,
        // The new slot may be the first one out of line.
        Op::AddSlot => matches!(class, Alias::Shapes | Alias::Slot(_)),
        _ => op.writes() == Some(class),
    }
}
