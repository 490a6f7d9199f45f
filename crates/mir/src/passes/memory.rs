//! What operations do to memory, by alias class.

use crate::helper::Effect;
use crate::ir::{Alias, Func, Inst, Op, Ty};
use rustc_hash::FxHashMap;

/// The alias classes that a function reads, numbered.
pub(super) struct Classes {
    ids: FxHashMap<Alias, u32>,
    /// By number.
    pub list: Vec<Alias>,
}

/// A set of classes, by number.
pub(super) type ClassSet = Vec<bool>;

/// The class that an operation with a result of type `ty` reads, if it is a
/// plain load. Elements of a kind that was checked are a class of their own.
pub(super) fn class_read(op: &Op, ty: Ty) -> Option<Alias> {
    match op {
        Op::LoadElem if ty != Ty::Any => Some(Alias::ElemsOf(ty)),
        _ => op.reads(),
    }
}

impl Classes {
    /// The classes of all loads in the function.
    pub fn new(func: &Func) -> Self {
        let mut classes = Classes {
            ids: FxHashMap::default(),
            list: Vec::new(),
        };
        for b in &func.blocks {
            for &i in &b.insts {
                let data = func.inst(i);
                let ty = data.result.map_or(Ty::None, |r| func.ty(r));
                if let Some(a) = class_read(&data.op, ty) {
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

    /// The number of the class that an instruction reads, if it is a load;
    /// `Some(None)` for a load of a class that was not there at first.
    pub fn read_by(&self, func: &Func, i: Inst) -> Option<Option<u32>> {
        let data = func.inst(i);
        let ty = data.result.map_or(Ty::None, |r| func.ty(r));
        class_read(&data.op, ty).map(|a| self.id(a))
    }

    /// The classes whose memory one of the instructions may change.
    pub fn clobbered(&self, func: &Func, insts: impl Iterator<Item = Inst>) -> ClassSet {
        let mut set = vec![false; self.list.len()];
        for i in insts {
            self.for_each_clobbered(func, i, |n| set[n] = true);
        }
        set
    }

    /// Calls `f` with every class whose memory the instruction may change.
    pub fn for_each_clobbered(&self, func: &Func, i: Inst, mut f: impl FnMut(usize)) {
        let data = func.inst(i);
        if is_quiet(&data.op) {
            return;
        }
        let stored = match data.op {
            Op::StoreElem => func.ty(data.args[2]),
            _ => Ty::Any,
        };
        for (n, &class) in self.list.iter().enumerate() {
            if clobbers(&data.op, stored, class) {
                f(n);
            }
        }
    }
}

/// Whether the operation changes no memory at all.
pub(super) fn is_quiet(op: &Op) -> bool {
    op.writes().is_none()
        && !op.has_site()
        && op.lib_effect() != Some(Effect::Writes)
        && !matches!(op, Op::NewClosure(..))
}

/// Whether the code may be invalid behind the operation.
pub(super) fn may_invalidate(op: &Op) -> bool {
    !is_quiet(op) && clobbers(op, Ty::Any, Alias::Validity)
}

/// Whether the operation may change memory of this class. `stored` is the type
/// of the element that is stored.
///
/// Calls change everything, but registers below the callee's frame only when
/// results go there (they never do). A poll collects, which changes nothing
/// that a program can read, but the code may be invalid behind it; so may it
/// be behind the second closure of a function and what widens a field.
fn clobbers(op: &Op, stored: Ty, class: Alias) -> bool {
    match op {
        // The record is written over two slots.
        Op::PushFrame { .. } => matches!(class, Alias::Reg(_)),
        Op::EnterFrame { .. } => false,
        Op::Poll => class == Alias::Validity,
        Op::CallLua { a, .. }
        | Op::CallLuaMulti { a, .. }
        | Op::CallWindow { a, .. }
        | Op::CallTail { a, .. } => match class {
            Alias::Reg(r) => r >= *a,
            _ => true,
        },
        Op::InterpOne => true,
        // The new slot may be the first one out of line.
        Op::AddSlot => matches!(class, Alias::Shapes | Alias::Slot(_)),
        Op::Lib(h) => {
            h.effect() == Some(Effect::Writes) && !matches!(class, Alias::Reg(_) | Alias::Cells)
        }
        Op::NewClosure(..) => class == Alias::Validity,
        // A key that goes to the hash part may move others to the elements.
        Op::PutField | Op::PutIndex => matches!(
            class,
            Alias::Shapes | Alias::Slot(_) | Alias::ElemsMeta | Alias::Elems | Alias::ElemsOf(_)
        ),
        // Elements are of one kind, which is checked, or mixed.
        Op::StoreElem => class == Alias::Elems || class == Alias::ElemsOf(stored),
        _ => op.writes() == Some(class),
    }
}
