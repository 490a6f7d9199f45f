//! Feedback slots: the interpreter's inline caches, read by the optimizer.
//!
//! One layout serves every site. What a site saw only widens: type bits are
//! never cleared and a cache goes uninitialised → monomorphic → polymorphic
//! (up to [`MAX_WAYS`]) → megamorphic.

use crate::shape::Shape;
use crate::value::Tag;

/// Ways of a polymorphic cache before it counts as megamorphic.
pub const MAX_WAYS: usize = 8;

/// Bits of [`FeedbackSlot::arith`].
pub mod arith {
    /// Both operands were integers.
    pub const INT: u8 = 1;
    /// Both operands were floats.
    pub const FLOAT: u8 = 2;
    /// One integer and one float.
    pub const MIXED: u8 = 4;
    /// Both operands were strings (comparisons, `==`).
    pub const STRING: u8 = 8;
    /// Anything else: coercion, metamethod or error.
    pub const OTHER: u8 = 16;
    /// The condition was met at least once (comparisons).
    pub const TAKEN: u8 = 32;
    /// The condition failed at least once (comparisons).
    pub const NOT_TAKEN: u8 = 64;
    /// The operand type bits.
    pub const TYPES: u8 = 31;
}

/// How far a cache has widened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum CacheState {
    /// Never executed.
    #[default]
    Uninit = 0,
    /// One way, in [`FeedbackSlot::way`].
    Mono = 1,
    /// Several ways: `way` and those of `more`.
    Poly = 2,
    /// Too many; the cache is no longer consulted.
    Mega = 3,
}

/// What a cached property access does once its shape matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum WayKind {
    /// Unused.
    #[default]
    None = 0,
    /// Field in inline slot `slot` of the receiver.
    Own = 1,
    /// Field in out-of-line slot `slot` (already less the inline capacity).
    OwnOut = 2,
    /// Field of the table `aux`, an `__index` ancestor of the receiver, in
    /// inline slot `slot`; valid while `epoch` is the VM's.
    Holder = 3,
    /// As `Holder`, out of line.
    HolderOut = 4,
    /// Store that adds the field: the shape becomes `aux`.
    Add = 5,
    /// As `Add`, out of line.
    AddOut = 6,
    /// Call target: `shape` is the function's prototype (or native function
    /// address), `aux` the closure.
    Target = 7,
    /// The shape (a tree shape without metatable) lacks the field: nil.
    Absent = 8,
    /// As `Holder`, for a string receiver: `shape` is the strings' metatable.
    StrHolder = 9,
    /// As `HolderOut`, for a string receiver.
    StrHolderOut = 10,
    /// Metamethod of an operator: the first operand's shape is `shape`, its
    /// metatable `aux` has it in `slot`, counted from the first inline one;
    /// valid while `epoch` is the VM's.
    Meta = 11,
    /// As `Meta`, but it is the second operand's: the first has none.
    MetaSecond = 12,
    /// Store to a metatable or class of what is in its slot already; `slot` is
    /// counted from the first inline one.
    Same = 13,
    /// Of a call of `setmetatable`, besides its target: a table of shape
    /// `shape` got shape `aux`, by a metatable whose shape had the id `epoch`.
    Transition = 14,
    /// As `Absent`, where the tables of the `__index` chain lack the field, too;
    /// valid while `epoch` is the VM's.
    Lacking = 15,
    /// Of a call of `pcall`, besides its target: what it called, as `Target`.
    Protected = 16,
}

/// One cached case of a site.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Way {
    /// Address of the receiver's shape, or of the call target's prototype.
    pub shape: u64,
    /// Holder table, successor shape or closure, by `kind`.
    pub aux: u64,
    /// Address of the field's lattice cell ([`crate::shape::FieldInfo`]).
    pub field: u64,
    /// Slot index.
    pub slot: u16,
    /// What to do.
    pub kind: WayKind,
    /// Inline capacity of the shape that has the field: the receiver's, the
    /// holder's, or (for `Add*`) the successor's.
    pub inline_cap: u8,
    /// Value of `VmState::meta_epoch` when filled (`Holder*` and `Add*`).
    pub epoch: u32,
}

impl Way {
    /// An unused way; its shape matches nothing.
    pub const EMPTY: Way = Way {
        shape: 0,
        aux: 0,
        field: 0,
        slot: 0,
        kind: WayKind::None,
        inline_cap: 0,
        epoch: 0,
    };
}

/// Feedback of one site.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct FeedbackSlot {
    /// Operand types of arithmetic and comparisons: bits of [`arith`].
    pub arith: u8,
    /// State of the cache.
    pub state: CacheState,
    /// Tags of results: bit `1 << tag`.
    pub result: u16,
    /// Elements kind(s) seen by an indexed access: bit 0 in-bounds typed
    /// element, bit 1 mixed elements, bit 2 append, bit 3 string key,
    /// bit 4 other. See [`index`].
    pub index: u8,
    /// Speculations that failed here: bits of `DeoptReason`, set by deopt.
    pub failed: u8,
    /// Elements kinds seen (bit `1 << tag`), for typed elements.
    pub elems: u16,
    /// Executions counted on slow paths and calls, saturating.
    pub count: u32,
    /// Hint of the site: iteration position of a generic `for`, or number of an
    /// allocation site.
    pub hint: u32,
    /// First way.
    pub way: Way,
    /// Further ways when polymorphic.
    pub more: Option<Box<[Way; MAX_WAYS - 1]>>,
}

/// Bits of [`FeedbackSlot::index`].
pub mod index {
    /// Integer key inside the elements, all of one kind.
    pub const TYPED: u8 = 1;
    /// Integer key inside the elements, mixed kinds.
    pub const MIXED: u8 = 2;
    /// Store one past the end.
    pub const APPEND: u8 = 4;
    /// String key.
    pub const STRING: u8 = 8;
    /// Anything else: hash part, nil result, metamethod, error.
    pub const OTHER: u8 = 16;
    /// Float key with an integer value.
    pub const FLOAT_KEY: u8 = 32;
    /// Of an access of a field: tables that are as others were before their
    /// allocation site learned still come. See
    /// [`FeedbackSlot::is_outgrown`](super::FeedbackSlot::is_outgrown).
    pub const OUTGROWN: u8 = 64;
}

impl Default for FeedbackSlot {
    fn default() -> Self {
        FeedbackSlot {
            arith: 0,
            state: CacheState::Uninit,
            result: 0,
            index: 0,
            failed: 0,
            elems: 0,
            count: 0,
            hint: 0,
            way: Way::EMPTY,
            more: None,
        }
    }
}

/// Whether `old` is for tables as they were and `new` for those that they are
/// since: made by an allocation site that learned how many fields they have, or
/// one that got a shape of its own.
fn supersedes(new: &Way, old: &Way) -> bool {
    if let (Some(new), Some(old)) = (new.transition(), old.transition()) {
        return new.1.metatable == old.1.metatable && is_wider(new.0, old.0);
    }
    match (new.receiver_shape(), old.receiver_shape()) {
        (Some(n), Some(o)) => {
            let left = n.is_singleton() && !o.is_singleton() && n.keys().starts_with(o.keys());
            is_wider(n, o) || n.metatable == o.metatable && left
        }
        _ => false,
    }
}

/// Whether `new` has what `old` has, and more room.
fn is_wider(new: &Shape, old: &Shape) -> bool {
    new.inline_cap > old.inline_cap
        && new.metatable == old.metatable
        && new.flags == old.flags
        && new.keys() == old.keys()
}

impl FeedbackSlot {
    /// Records the tag of a result.
    #[inline]
    pub fn saw_result(&mut self, tag: Tag) {
        self.result |= 1 << (tag.0 & 15);
    }

    /// The ways in use.
    pub fn ways(&self) -> impl Iterator<Item = &Way> {
        let rest = self.more.as_deref().map_or(&[][..], |m| &m[..]);
        let first = (self.state != CacheState::Uninit).then_some(&self.way);
        first.into_iter().chain(rest).filter(|w| {
            !matches!(
                w.kind,
                WayKind::None | WayKind::Transition | WayKind::Protected
            )
        })
    }

    /// Whether a way is for tables as they were before their allocation site
    /// learned how many fields they have, while another way of the site is for
    /// those made since. Such tables are few, one for each time that the site
    /// learned, and mostly gone.
    #[must_use]
    pub fn is_outgrown(&self, way: &Way) -> bool {
        self.ways().any(|w| supersedes(w, way))
    }

    /// What a call of `pcall` called, as ways of that kind.
    pub fn protected(&self) -> impl Iterator<Item = &Way> {
        let more = self.more.as_deref().map_or(&[][..], |m| &m[..]);
        more.iter().filter(|w| w.kind == WayKind::Protected)
    }

    /// Adds what a call of `pcall` called, if there is room.
    pub(crate) fn add_protected(&mut self, proto: u64, closure: u64) {
        let more = self
            .more
            .get_or_insert_with(|| Box::new([Way::EMPTY; MAX_WAYS - 1]));
        let known = |w: &Way| w.kind == WayKind::Protected && w.shape == proto;
        let free = |w: &Way| w.kind == WayKind::None;
        let place = more.iter().position(known);
        let Some(place) = place.or_else(|| more.iter().position(free)) else {
            return;
        };
        let place = &mut more[place];
        let other = known(place) && place.aux != closure;
        *place = Way {
            shape: proto,
            aux: if other { 0 } else { closure },
            kind: WayKind::Protected,
            ..Way::EMPTY
        };
    }

    /// What a call of `setmetatable` did, as ways of that kind.
    pub fn transitions(&self) -> impl Iterator<Item = &Way> {
        let more = self.more.as_deref().map_or(&[][..], |m| &m[..]);
        more.iter().filter(|w| w.kind == WayKind::Transition)
    }

    /// Adds what a call of `setmetatable` did, if there is room.
    pub(crate) fn add_transition(&mut self, way: Way) {
        let more = self
            .more
            .get_or_insert_with(|| Box::new([Way::EMPTY; MAX_WAYS - 1]));
        let is_place = |w: &&mut Way| {
            let same = w.shape == way.shape && w.aux == way.aux;
            w.kind == WayKind::None
                || w.kind == WayKind::Transition && (same || supersedes(&way, w))
        };
        if let Some(place) = more.iter_mut().find(is_place) {
            *place = way;
        }
    }

    /// Adds a case to the cache, replacing one of the same shape; widens the
    /// state as needed. A megamorphic cache stays as it is.
    pub fn add_way(&mut self, way: Way) {
        match self.state {
            CacheState::Uninit => {
                self.way = way;
                self.state = CacheState::Mono;
            }
            CacheState::Mega => {}
            CacheState::Mono | CacheState::Poly => {
                if self.way.shape == way.shape
                    || self.way.kind == WayKind::None
                    || supersedes(&way, &self.way)
                {
                    self.way = way;
                    return;
                }
                let more = self
                    .more
                    .get_or_insert_with(|| Box::new([Way::EMPTY; MAX_WAYS - 1]));
                if let Some(place) = more.iter_mut().find(|w| {
                    w.kind == WayKind::None || w.shape == way.shape || supersedes(&way, w)
                }) {
                    *place = way;
                    self.state = CacheState::Poly;
                } else {
                    self.state = CacheState::Mega;
                }
            }
        }
    }
}
