//! What allocation and `setmetatable` sites learn about their tables.
//!
//! A table made by a constructor knows its site (a number in its header, as
//! long as it is no metatable). When named fields do not fit its inline slots,
//! the site learns how many there were, and its next tables have room for
//! them. What computed keys add teaches nothing: such tables are maps. In the
//! same way it learns for how many elements its tables need room, if many of
//! them do.
//!
//! A call of `setmetatable` notes, in the feedback of the call, which shapes the
//! table had before and after, and the one that the metatable had. One of
//! `pcall` notes which function it called.

use crate::feedback::{FeedbackSlot, MAX_WAYS, Way, WayKind};
use crate::frame::{FrameKind, FrameRecord};
use crate::gcref::Gc;
use crate::meta::Event;
use crate::shape::{CLASS, DICT, META, NO_SLOT, OBJECT_META, SINGLETON, Shape};
use crate::table::Table;
use crate::value::Value;
use crate::vm::VmState;
use vela_bytecode::Op;

/// In the `extra` word of a table's header: the other bits are the number of
/// the site that made the table. Without it they are bits of absent
/// metamethods (see [`crate::meta`]).
pub(crate) const SITE: u32 = 1 << 31;

/// Most inline slots that a site learns.
const MAX_LEARNED: usize = 32;

/// Most elements a site learns to have room for in its tables.
const MAX_ELEMS_LEARNED: usize = 16;
/// Tables that must have outgrown their room before the site learns.
const MIN_OUTGROWN: u32 = 4;
/// One table in so many must have.
const OUTGROWN_SHARE: u32 = 4;

/// What an allocation site has learned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AllocSite {
    /// The shape that its tables start with.
    root: *mut Shape,
    /// Fields that they have room for.
    fields: u8,
    /// Elements that they have room for.
    elems: u8,
    /// Tables made since the site learned of elements.
    made: u32,
    /// Those of them with more elements than they had room for.
    outgrown: u32,
}

impl VmState {
    /// A table made by the constructor with feedback `slot`, with room for
    /// `fields` fields, or more if the site learned so, and `elems` elements.
    ///
    /// # Safety
    /// `slot` is a feedback slot of the running function.
    pub unsafe fn table_of_site(
        &mut self,
        slot: *mut FeedbackSlot,
        fields: usize,
        elems: usize,
    ) -> Gc<Table> {
        // SAFETY: by contract.
        let id = unsafe { self.alloc_site(&mut *slot, fields) };
        let site = &mut self.alloc_sites[id];
        site.made = site.made.saturating_add(1);
        let (fields, elems) = (site.fields as usize, elems.max(site.elems as usize));
        let t = self.table(fields, elems);
        // SAFETY: single writer of a fresh table.
        unsafe { (*t.as_ptr()).header.extra = SITE | id as u32 };
        t
    }

    /// The empty shape of the tables that a constructor makes.
    pub fn root_of_site<'a>(&mut self, slot: &FeedbackSlot, fields: usize) -> &'a Shape {
        let root = match (slot.hint as usize).checked_sub(1) {
            Some(id) => self.alloc_sites[id].root,
            None => self.shapes.root(fields),
        };
        // SAFETY: shapes live as long as the VM.
        unsafe { &*root }
    }

    /// Elements that the constructor's tables have room for, at least.
    #[must_use]
    pub fn elems_of_site(&self, slot: &FeedbackSlot) -> usize {
        match (slot.hint as usize).checked_sub(1) {
            Some(id) => self.alloc_sites[id].elems as usize,
            None => 0,
        }
    }

    /// Number of the site, which its slot's hint has plus one.
    #[inline]
    fn alloc_site(&mut self, slot: &mut FeedbackSlot, fields: usize) -> usize {
        if slot.hint == 0 {
            let root = self.shapes.root(fields);
            let fields = fields.min(MAX_LEARNED) as u8;
            self.alloc_sites.push(AllocSite {
                root,
                fields,
                elems: 0,
                made: 0,
                outgrown: 0,
            });
            slot.hint = self.alloc_sites.len() as u32;
        }
        slot.hint as usize - 1
    }

    /// Table `t` got its `n`-th named field, which did not fit.
    #[cold]
    pub(crate) fn learn_fields(&mut self, t: Gc<Table>, n: usize) {
        let extra = t.header.extra;
        if extra & SITE == 0 || n > MAX_LEARNED || t.shape().flags & (META | SINGLETON) != 0 {
            return;
        }
        let site = &mut self.alloc_sites[(extra & !SITE) as usize];
        if n > site.fields as usize {
            site.fields = n as u8;
            site.root = self.shapes.root(n);
        }
    }

    /// Table `t` is about to get `needed` elements, more than it has room for.
    pub(crate) fn learn_elems(&mut self, t: Gc<Table>, needed: usize) {
        let extra = t.header.extra;
        let first = t.cap == 0 || t.has_inline_elems();
        if extra & SITE == 0 || !first || t.shape().flags & (META | SINGLETON) != 0 {
            return;
        }
        let site = &mut self.alloc_sites[(extra & !SITE) as usize];
        if (t.cap as usize) < site.elems as usize {
            // Made before the site learned.
            return;
        }
        site.outgrown += 1;
        if needed <= MAX_ELEMS_LEARNED
            && site.outgrown >= MIN_OUTGROWN
            && site.outgrown.saturating_mul(OUTGROWN_SHARE) >= site.made
        {
            site.elems = needed as u8;
            site.made = 0;
            site.outgrown = 0;
        }
    }

    /// The running native, `setmetatable`, gave `t` a metatable: notes at the
    /// call what it did, if an interpreted function made it. `before` are the
    /// shapes of the table and of the metatable before, by id.
    pub fn note_metatable(&mut self, t: Gc<Table>, mt: Gc<Table>, before: [u32; 2]) {
        let (Some(from), to) = (self.shape_of_id(before[0]), t.shape()) else {
            return;
        };
        let shared = to.flags & (DICT | SINGLETON | META | OBJECT_META) == 0
            && from.flags == to.flags
            && from.nslots == to.nslots
            && self.meta_of(mt, Event::Gc).is_nil()
            && self.meta_of(mt, Event::Mode).is_nil();
        if !shared && !gives_class(from, to) {
            return;
        }
        let way = Way {
            shape: std::ptr::from_ref(from) as u64,
            aux: std::ptr::from_ref(to) as u64,
            epoch: before[1],
            kind: WayKind::Transition,
            ..Way::EMPTY
        };
        if let Some(slot) = self.slot_of_native() {
            // SAFETY: this thread is the only writer, and no other reference to
            // the slot is alive while a native runs.
            unsafe { (*slot).add_transition(way) };
        }
    }

    /// The running native, `pcall`, is about to call `f`: notes that at the
    /// call, if an interpreted function made it.
    #[inline]
    pub fn note_protected(&mut self, f: Value) {
        let Some(f) = f.as_lua_fn() else { return };
        if let Some(slot) = self.slot_of_native() {
            // SAFETY: as in `note_metatable`.
            unsafe { (*slot).add_protected(f.proto.addr(), f.addr()) };
        }
    }

    /// Feedback of the call that called the running native, if an interpreted
    /// function made it and calls nothing else there, or did so first.
    fn slot_of_native(&self) -> Option<*mut FeedbackSlot> {
        // SAFETY: the record of the running native and that of its caller; an
        // interpreted frame's function and pc are current during a call.
        unsafe {
            let native = self.frame;
            let caller = (*native).prev;
            if caller.is_null() || (*caller).kind != FrameKind::INTERPRETED {
                return None;
            }
            let proto = Gc::<crate::LuaClosure>::from_payload((*caller).func).proto;
            let code = &proto.proto().code;
            let i = code.get(FrameRecord::position(caller) as usize)?;
            if !matches!(i.op(), Some(Op::Call | Op::TailCall)) {
                return None;
            }
            let slot = proto.feedback.add(i.d() as usize);
            let here = (*slot).way.kind == WayKind::Target && (*slot).way.shape == (*native).func;
            here.then_some(slot)
        }
    }

    /// Whether a call of `setmetatable` with this feedback noted that such a
    /// table got such a metatable, or will when it is done.
    #[must_use]
    pub fn is_noted(&self, slot: &FeedbackSlot, t: Gc<Table>, mt: Gc<Table>) -> bool {
        let (from, class) = (t.shape(), mt.sole_index(self));
        let known = |w: &Way| {
            let to = w.transition().filter(|(before, _)| before.id == from.id);
            to.is_some_and(|(_, to)| match class {
                Some(class) => to.flags & CLASS != 0 && to.metatable == class.as_ptr(),
                None => to.flags & OBJECT_META == 0 && to.metatable == mt.as_ptr(),
            })
        };
        if slot.transitions().any(known) {
            return true;
        }
        let shared = from.flags & OBJECT_META == 0;
        let fits = match class {
            Some(_) => shared && from.metatable.is_null() || from.flags & CLASS != 0,
            None => {
                let special = [Event::Gc, Event::Mode];
                shared && special.iter().all(|&e| self.meta_of(mt, e).is_nil())
            }
        };
        let count = slot.transitions().count();
        fits && from.flags & (DICT | SINGLETON | META) == 0 && (1..MAX_WAYS - 1).contains(&count)
    }

    /// The shape with this id.
    #[must_use]
    pub fn shape_of_id(&self, id: u32) -> Option<&Shape> {
        let shape = self.shapes.all().get((id as usize).checked_sub(1)?)?;
        // SAFETY: shapes live as long as the VM.
        Some(unsafe { &**shape })
    }
}

/// Whether a table of shape `from` that gets a metatable of its own, with a
/// class as `__index`, has shape `to` then, and nothing else happens.
fn gives_class(from: &Shape, to: &Shape) -> bool {
    let bare = from.metatable.is_null()
        && from.flags & (DICT | SINGLETON | META | OBJECT_META) == 0
        && from.hidden == NO_SLOT
        && from.nslots + 1 == to.nslots;
    let own = from.flags & (DICT | SINGLETON | META | OBJECT_META | CLASS) == OBJECT_META | CLASS
        && from.hidden == to.hidden
        && from.nslots == to.nslots;
    to.flags & CLASS != 0 && (bare || own)
}

impl Shape {
    /// The shapes of this one's tables when they get a metatable of their own
    /// with a class as `__index`, with the class, the latest first. Of shapes
    /// that `setmetatable` sites note.
    pub fn classes(&self) -> impl Iterator<Item = (Gc<Table>, &Shape)> {
        self.class_transitions
            .iter()
            .rev()
            .filter_map(|&(class, to)| {
                // SAFETY: shapes live as long as the VM.
                let to = unsafe { &*to };
                // SAFETY: a class is alive as long as it is an entry here.
                let class = (!class.is_null()).then(|| unsafe { Gc::from_ptr(class) })?;
                gives_class(self, to).then_some((class, to))
            })
    }

    /// The shape of this one's tables when they become metatables, if one did.
    #[must_use]
    pub fn as_metatable(&self) -> Option<&Shape> {
        if self.flags & META != 0 {
            return Some(self);
        }
        // SAFETY: null or a shape; shapes live as long as the VM.
        unsafe { self.meta_variant.as_ref() }
    }
}
