//! Shapes (hidden classes) and the lattice of field contents.
//!
//! A shape proves where the string-keyed fields of a table are and which
//! metatable it has. It does **not** prove presence: a field set to nil keeps
//! its slot. Shapes of one root form a tree whose edges add a field or set a
//! metatable; tables that play a unique role (`_ENV`, modules, metatables,
//! `__index` targets) get a **singleton** shape of their own, whose key set
//! grows in place, so that adding a global never changes the shape that code
//! checks.
//!
//! Each field has one [`FieldInfo`], shared by every shape below the one that
//! introduced it: constant → one kind → any. It is widened by the store that
//! breaks it, and only ever widened.
//!
//! After Self (Chambers, Ungar: maps) and V8 (field representations).

use crate::gcref::Gc;
use crate::string::Str;
use crate::table::Table;
use crate::value::{Tag, Value};
use std::collections::HashMap;

/// Shape flag: fields are in the hash part, the shape has none.
pub const DICT: u8 = 1;
/// Shape flag: belongs to one table and grows in place.
pub const SINGLETON: u8 = 2;
/// Shape flag: the metatable is in the table's extension, not in the shape.
pub const OBJECT_META: u8 = 4;

/// Shape flag: its tables are metatables or `__index` targets; stores to them
/// take the slow path, which keeps the VM's metatable epoch.
pub const META: u8 = 8;

/// Shape flag, with [`OBJECT_META`]: each table has a metatable of its own,
/// whose only key is `__index`, and that is the table in `metatable`: the
/// class. The usual `setmetatable(object, {__index = Class})` gives all objects
/// of a class one shape this way. Taken away from the shapes of a class when
/// one of these metatables changes.
pub const CLASS: u8 = 16;

/// Value of [`Shape::hidden`] if there is none.
pub const NO_SLOT: u16 = u16::MAX;

/// Fields a shape may have before the table turns to dictionary mode.
pub const MAX_FIELDS: usize = 64;
/// Children a shape may have before further keys turn to dictionary mode.
pub const MAX_FANOUT: usize = 128;
/// Classes of the objects of one parent that are told apart.
pub const MAX_CLASS_FANOUT: usize = 64;
/// Metatables from one parent before children keep theirs in the object.
pub const MAX_META_FANOUT: usize = 64;

/// What a store may put into a field without widening it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct FieldKind(pub u8);

/// Nothing is known.
impl Default for FieldKind {
    fn default() -> Self {
        FieldKind::ANY
    }
}

impl FieldKind {
    /// Any value, nil included.
    pub const ANY: FieldKind = FieldKind(0xff);
    /// Constant: every store so far had the value in `constant`.
    pub const CONST: FieldKind = FieldKind(0xfe);
    /// Never stored.
    pub const UNINIT: FieldKind = FieldKind(0xfd);

    /// The tag that every value in the field has, if the lattice proves one.
    #[must_use]
    pub fn tag(self) -> Option<Tag> {
        (self.0 < Tag::FIRST_RET.0).then_some(Tag(self.0))
    }
}

/// Lattice cell of a field.
#[derive(Debug)]
#[repr(C)]
pub struct FieldInfo {
    /// Current level: a tag, or one of the named levels.
    pub kind: FieldKind,
    /// Whether compiled code depends on the current level.
    pub watched: bool,
    /// The constant at level [`FieldKind::CONST`].
    pub constant: Value,
    /// Identifies the cell to the code cache; never reused in a VM.
    pub id: u32,
}

impl FieldInfo {
    /// Widens the cell so that `v` may be stored; returns whether the level
    /// changed (then watchers must be told, if it is watched). A nil never
    /// stays at the constant or one-kind levels.
    pub fn widen(&mut self, v: Value) -> bool {
        let next = match self.kind {
            FieldKind::ANY => return false,
            FieldKind::UNINIT if v.is_nil() => FieldKind::ANY,
            FieldKind::UNINIT => {
                self.constant = v;
                FieldKind::CONST
            }
            FieldKind::CONST if self.constant.identical(v) => return false,
            FieldKind::CONST if self.constant.tag == v.tag => FieldKind(v.tag.0),
            FieldKind(k) if k == v.tag.0 => return false,
            _ => FieldKind::ANY,
        };
        if next != FieldKind::CONST {
            self.constant = Value::NIL;
        }
        self.kind = next;
        true
    }
}

/// Where the string-keyed fields of a table are.
#[repr(C)]
pub struct Shape {
    /// Identifies the shape in its VM, never reused.
    pub id: u32,
    /// Slots inside the object.
    pub inline_cap: u8,
    /// [`DICT`], [`SINGLETON`], [`OBJECT_META`], [`META`].
    pub flags: u8,
    /// Slots in use.
    pub nslots: u16,
    /// Metatable, or null. With [`CLASS`] the class; with [`OBJECT_META`]
    /// alone not the metatable, but not null if there is a hidden slot.
    pub metatable: *mut Table,
    /// Slot that holds the table's own metatable, with a key that no program
    /// has; [`NO_SLOT`] if none does.
    pub hidden: u16,
    pub(crate) keys: Vec<Gc<Str>>,
    pub(crate) fields: Vec<*mut FieldInfo>,
    index: Option<HashMap<u64, u16, KeyHash>>,
    transitions: Vec<(Gc<Str>, *mut Shape)>,
    transition_index: Option<HashMap<u64, *mut Shape, KeyHash>>,
    meta_transitions: Vec<(*mut Table, *mut Shape)>,
    /// Shapes with a metatable of the table's own, by class; null for none.
    pub(crate) class_transitions: Vec<(*mut Table, *mut Shape)>,
    /// Metatables that ever had an entry in `meta_transitions`.
    meta_count: usize,
    object_meta: *mut Shape,
    dict: *mut Shape,
    pub(crate) meta_variant: *mut Shape,
    /// Of a singleton: widened when its table leaves the shape. Null unless
    /// somebody asked.
    pub(crate) stays: *mut FieldInfo,
    /// Of a singleton: widened when it gets a key, or its table leaves it. Null
    /// unless somebody asked since.
    pub(crate) lacks: *mut FieldInfo,
    pub(crate) parent: *mut Shape,
}

/// Hashes addresses of interned strings.
#[derive(Clone, Copy, Default)]
pub struct KeyHash;

/// See [`KeyHash`].
#[derive(Default)]
pub struct KeyHasher(u64);

impl std::hash::BuildHasher for KeyHash {
    type Hasher = KeyHasher;
    fn build_hasher(&self) -> KeyHasher {
        KeyHasher(0)
    }
}

impl std::hash::Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
    fn write_u64(&mut self, n: u64) {
        let m = (n >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = m ^ (m >> 29);
    }
}

/// Keys up to which a linear search beats the index.
const LINEAR_KEYS: usize = 8;

impl Shape {
    /// Whether fields live in the hash part.
    #[inline]
    #[must_use]
    pub fn is_dict(&self) -> bool {
        self.flags & DICT != 0
    }

    /// Whether the shape belongs to a single table.
    #[inline]
    #[must_use]
    pub fn is_singleton(&self) -> bool {
        self.flags & SINGLETON != 0
    }

    /// Slot of `key`, if the shape has it.
    #[inline]
    #[must_use]
    pub fn lookup(&self, key: Gc<Str>) -> Option<usize> {
        match &self.index {
            None => self.keys.iter().position(|&k| k == key),
            Some(index) => index.get(&key.addr()).map(|&i| i as usize),
        }
    }

    /// Keys in slot order.
    #[must_use]
    pub fn keys(&self) -> &[Gc<Str>] {
        &self.keys
    }

    /// Lattice cell of slot `i`.
    ///
    /// # Panics
    /// If there is no such slot.
    #[must_use]
    pub fn field(&self, i: usize) -> *mut FieldInfo {
        self.fields[i]
    }

    /// Lattice cell of slot `i`, to look at.
    ///
    /// # Panics
    /// If there is no such slot.
    #[must_use]
    pub fn field_info(&self, i: usize) -> &FieldInfo {
        // SAFETY: cells of a shape live as long as the VM.
        unsafe { &*self.fields[i] }
    }

    /// Present level of the field's lattice cell, if the shape has the key.
    #[must_use]
    pub fn level(&self, key: Gc<Str>) -> Option<FieldKind> {
        // SAFETY: cells of a shape live as long as the VM.
        self.lookup(key).map(|i| unsafe { (*self.fields[i]).kind })
    }

    fn push_key(&mut self, key: Gc<Str>, field: *mut FieldInfo) {
        let slot = self.keys.len();
        self.keys.push(key);
        self.fields.push(field);
        self.nslots = self.keys.len() as u16;
        if let Some(index) = &mut self.index {
            index.insert(key.addr(), slot as u16);
        } else if self.keys.len() > LINEAR_KEYS {
            self.index = Some(
                self.keys
                    .iter()
                    .enumerate()
                    .map(|(i, k)| (k.addr(), i as u16))
                    .collect(),
            );
        }
    }
}

/// All shapes and lattice cells of a VM. They live as long as the VM; the
/// limits above bound how many a program can make.
pub struct Shapes {
    shapes: Vec<*mut Shape>,
    fields: Vec<*mut FieldInfo>,
    /// Id of the latest lattice cell.
    next_field: u32,
    roots: Vec<(u8, *mut Shape)>,
}

/// Inline capacities that allocation sites are rounded to.
const INLINE_CAPS: [u8; 8] = [0, 2, 4, 6, 8, 12, 16, 32];

impl Default for Shapes {
    fn default() -> Self {
        Self::new()
    }
}

impl Shapes {
    /// No shapes.
    #[must_use]
    pub fn new() -> Self {
        Shapes {
            shapes: Vec::new(),
            fields: Vec::new(),
            next_field: 0,
            roots: Vec::new(),
        }
    }

    fn alloc(
        &mut self,
        inline_cap: u8,
        flags: u8,
        metatable: *mut Table,
        parent: *mut Shape,
    ) -> *mut Shape {
        // SAFETY: null or a shape; shapes live as long as the VM.
        let hidden = match unsafe { parent.as_ref() } {
            Some(parent) if flags & DICT == 0 => parent.hidden,
            _ => NO_SLOT,
        };
        let shape = Box::into_raw(Box::new(Shape {
            id: self.shapes.len() as u32 + 1,
            inline_cap,
            flags,
            nslots: 0,
            metatable,
            hidden,
            keys: Vec::new(),
            fields: Vec::new(),
            index: None,
            transitions: Vec::new(),
            transition_index: None,
            meta_transitions: Vec::new(),
            class_transitions: Vec::new(),
            meta_count: 0,
            object_meta: std::ptr::null_mut(),
            dict: std::ptr::null_mut(),
            meta_variant: std::ptr::null_mut(),
            stays: std::ptr::null_mut(),
            lacks: std::ptr::null_mut(),
            parent,
        }));
        self.shapes.push(shape);
        shape
    }

    fn alloc_field(&mut self) -> *mut FieldInfo {
        let field = Box::into_raw(Box::new(self.detached_field()));
        self.fields.push(field);
        field
    }

    /// A cell for something that is no field but may be watched like one. It
    /// has never been stored to.
    pub(crate) fn detached_field(&mut self) -> FieldInfo {
        self.next_field += 1;
        FieldInfo {
            kind: FieldKind::UNINIT,
            watched: false,
            constant: Value::NIL,
            id: self.next_field,
        }
    }

    /// A fact that holds until its cell is widened from the constant `true`.
    pub(crate) fn alloc_fact(&mut self) -> *mut FieldInfo {
        let fact = self.alloc_field();
        // SAFETY: just allocated.
        unsafe { (*fact).widen(Value::TRUE) };
        fact
    }

    /// The empty shape for objects with room for `fields` inline slots
    /// (rounded up to a supported capacity, at most 32).
    pub fn root(&mut self, fields: usize) -> *mut Shape {
        let cap = INLINE_CAPS
            .iter()
            .copied()
            .find(|&c| c as usize >= fields)
            .unwrap_or(32);
        if let Some(&(_, s)) = self.roots.iter().find(|r| r.0 == cap) {
            return s;
        }
        let s = self.alloc(cap, 0, std::ptr::null_mut(), std::ptr::null_mut());
        self.roots.push((cap, s));
        s
    }

    /// The shape after adding `key` to a table of shape `from`, or `None`
    /// when the table should turn to dictionary mode instead. `dynamic` says
    /// that the key was computed, not a name in the source: such tables are
    /// maps and turn sooner.
    ///
    /// # Safety
    /// `from` is a tree shape (neither dictionary nor singleton) of this VM.
    pub unsafe fn add_field(
        &mut self,
        from: *mut Shape,
        key: Gc<Str>,
        dynamic: bool,
    ) -> Option<*mut Shape> {
        // SAFETY: shapes live as long as the VM and only its thread touches them.
        let parent = unsafe { &mut *from };
        if let Some(index) = &parent.transition_index {
            if let Some(&s) = index.get(&key.addr()) {
                return Some(s);
            }
        } else if let Some(&(_, s)) = parent.transitions.iter().find(|t| t.0 == key) {
            return Some(s);
        }
        let limit = if dynamic { MAX_FANOUT / 8 } else { MAX_FANOUT };
        if parent.keys.len() >= MAX_FIELDS || parent.transitions.len() >= limit {
            return None;
        }
        let child = self.alloc(parent.inline_cap, parent.flags, parent.metatable, from);
        let field = self.alloc_field();
        // SAFETY: freshly allocated and distinct from `parent`.
        let c = unsafe { &mut *child };
        for (&k, &f) in parent.keys.iter().zip(&parent.fields) {
            c.push_key(k, f);
        }
        c.push_key(key, field);
        parent.transitions.push((key, child));
        if let Some(index) = &mut parent.transition_index {
            index.insert(key.addr(), child);
        } else if parent.transitions.len() > LINEAR_KEYS {
            parent.transition_index = Some(
                parent
                    .transitions
                    .iter()
                    .map(|t| (t.0.addr(), t.1))
                    .collect(),
            );
        }
        Some(child)
    }

    /// The shape like `from` but with this metatable (null for none). The
    /// result has [`OBJECT_META`] when too many metatables came from one
    /// parent. `from` must not be a singleton.
    pub(crate) fn with_metatable(&mut self, from: *mut Shape, metatable: *mut Table) -> *mut Shape {
        // SAFETY: as `add_field`.
        let parent = unsafe { &mut *from };
        if parent.flags & OBJECT_META != 0 || parent.metatable == metatable {
            return from;
        }
        if let Some(&(_, s)) = parent.meta_transitions.iter().find(|t| t.0 == metatable) {
            return s;
        }
        let over = parent.meta_count >= MAX_META_FANOUT;
        if over && !parent.object_meta.is_null() {
            return parent.object_meta;
        }
        let (flags, mt) = if over {
            (parent.flags | OBJECT_META, std::ptr::null_mut())
        } else {
            (parent.flags, metatable)
        };
        let child = self.alloc(parent.inline_cap, flags, mt, from);
        // SAFETY: freshly allocated and distinct from `parent`.
        let c = unsafe { &mut *child };
        for (&k, &f) in parent.keys.iter().zip(&parent.fields) {
            c.push_key(k, f);
        }
        if over {
            parent.object_meta = child;
        } else {
            parent.meta_transitions.push((metatable, child));
            parent.meta_count += 1;
        }
        child
    }

    /// The shape like `from` for tables with a metatable of their own that
    /// only says `__index = class`; with a null `class`, with any metatable.
    /// The metatable is in the hidden slot, which the result has over `from`
    /// unless that has it already; its key is `key`. `None` if `from` keeps
    /// its metatable in another way, or for too many classes.
    pub(crate) fn with_class(
        &mut self,
        from: *mut Shape,
        class: *mut Table,
        sentinel: *mut Table,
        key: Gc<Str>,
    ) -> Option<*mut Shape> {
        // SAFETY: as `add_field`.
        let parent = unsafe { &mut *from };
        let own = parent.hidden != NO_SLOT && parent.flags & OBJECT_META != 0;
        let bare = parent.metatable.is_null()
            && parent.hidden == NO_SLOT
            && parent.flags & (OBJECT_META | META) == 0;
        if parent.flags & (DICT | SINGLETON) != 0 || !(own || bare) {
            return None;
        }
        if own && parent.flags & CLASS != 0 && parent.metatable == class {
            return Some(from);
        }
        if let Some(&(_, s)) = parent.class_transitions.iter().find(|t| t.0 == class) {
            return Some(s);
        }
        let full = parent.class_transitions.len() >= MAX_CLASS_FANOUT;
        if full || parent.keys.len() >= MAX_FIELDS {
            return None;
        }
        let (flags, metatable) = if class.is_null() {
            (parent.flags & !CLASS | OBJECT_META, sentinel)
        } else {
            (parent.flags | OBJECT_META | CLASS, class)
        };
        let child = self.alloc(parent.inline_cap, flags, metatable, from);
        // SAFETY: freshly allocated and distinct from `parent`.
        let c = unsafe { &mut *child };
        for (&k, &f) in parent.keys.iter().zip(&parent.fields) {
            c.push_key(k, f);
        }
        if !own {
            c.hidden = c.nslots;
            c.push_key(key, self.alloc_field());
        }
        parent.class_transitions.push((class, child));
        Some(child)
    }

    /// The metatable of one of the class's objects is about to change: shapes
    /// prove nothing about the metatables of its objects any more. `sentinel`
    /// is a table that is never collected. O(shapes).
    pub(crate) fn forget_class(&mut self, class: *mut Table, sentinel: *mut Table) {
        for &s in &self.shapes {
            // SAFETY: as `add_field`.
            let s = unsafe { &mut *s };
            if s.flags & CLASS != 0 && s.metatable == class {
                s.flags &= !CLASS;
                s.metatable = sentinel;
            }
            s.class_transitions.retain(|t| t.0 != class);
        }
    }

    /// The dictionary shape with the metatable of `from`.
    pub(crate) fn dict(&mut self, from: *mut Shape) -> *mut Shape {
        // SAFETY: as `add_field`.
        let parent = unsafe { &mut *from };
        if parent.is_dict() {
            return from;
        }
        if parent.dict.is_null() {
            let flags = DICT | (parent.flags & (OBJECT_META | META));
            let own = parent.flags & OBJECT_META != 0;
            let metatable = if own {
                std::ptr::null_mut()
            } else {
                parent.metatable
            };
            parent.dict = self.alloc(parent.inline_cap, flags, metatable, from);
        }
        parent.dict
    }

    /// A fresh singleton shape with the fields of `from` and this metatable.
    /// From a singleton it takes over the lattice cells, from a tree shape it
    /// starts new ones.
    pub(crate) fn singleton(&mut self, from: *mut Shape, metatable: *mut Table) -> *mut Shape {
        // SAFETY: as `add_field`.
        let parent = unsafe { &*from };
        let s = self.alloc(
            parent.inline_cap,
            SINGLETON | (parent.flags & META),
            metatable,
            from,
        );
        for (&k, &f) in parent.keys.iter().zip(&parent.fields) {
            let field = if parent.is_singleton() {
                f
            } else {
                self.alloc_field()
            };
            // SAFETY: freshly allocated and distinct from `parent`.
            unsafe { (*s).push_key(k, field) };
        }
        s
    }

    /// A fresh singleton shape like the singleton `from`, with these of its
    /// slots, in their order; the hidden one is among them, if there is one.
    pub(crate) fn singleton_of(&mut self, from: *mut Shape, slots: &[usize]) -> *mut Shape {
        // SAFETY: as `add_field`.
        let parent = unsafe { &*from };
        debug_assert!(parent.is_singleton());
        let s = self.alloc(parent.inline_cap, parent.flags, parent.metatable, from);
        // SAFETY: freshly allocated and distinct from `parent`.
        let own = unsafe { &mut *s };
        for &i in slots {
            if i == parent.hidden as usize {
                own.hidden = own.nslots;
            }
            own.push_key(parent.keys[i], parent.fields[i]);
        }
        s
    }

    /// The shape like `from` for tables that are metatables or `__index`
    /// targets (flag [`META`]).
    pub(crate) fn meta_variant(&mut self, from: *mut Shape) -> *mut Shape {
        // SAFETY: as `add_field`.
        let parent = unsafe { &mut *from };
        if parent.flags & META != 0 {
            return from;
        }
        if parent.is_singleton() {
            // A new shape, so that no cached store goes on unnoticed.
            let s = self.singleton(from, parent.metatable);
            // SAFETY: freshly allocated.
            unsafe { (*s).flags |= META };
            return s;
        }
        if parent.meta_variant.is_null() {
            let child = self.alloc(
                parent.inline_cap,
                parent.flags | META,
                parent.metatable,
                from,
            );
            for (&k, &f) in parent.keys.iter().zip(&parent.fields) {
                // SAFETY: freshly allocated and distinct from `parent`.
                unsafe { (*child).push_key(k, f) };
            }
            parent.meta_variant = child;
        }
        parent.meta_variant
    }

    /// Adds `key` to a singleton shape in place and returns its slot.
    pub(crate) fn grow_singleton(&mut self, shape: *mut Shape, key: Gc<Str>) -> usize {
        let field = self.alloc_field();
        // SAFETY: as `add_field`.
        let s = unsafe { &mut *shape };
        debug_assert!(s.is_singleton());
        s.push_key(key, field);
        s.keys.len() - 1
    }

    /// All shapes, for the collector.
    #[must_use]
    pub fn all(&self) -> &[*mut Shape] {
        &self.shapes
    }

    /// Forgets the metatables for which `dead` is true: no table has them, or
    /// ever will. Their shapes stay, without use.
    pub(crate) fn drop_metatables(&mut self, dead: impl Fn(*mut Table) -> bool) {
        for &s in &self.shapes {
            // SAFETY: as `add_field`.
            let s = unsafe { &mut *s };
            if !s.metatable.is_null() && dead(s.metatable) {
                s.metatable = std::ptr::null_mut();
                s.dict = std::ptr::null_mut();
                s.meta_variant = std::ptr::null_mut();
                s.transitions.clear();
                s.transition_index = None;
            }
            s.class_transitions.retain(|t| t.0.is_null() || !dead(t.0));
            if !s.meta_transitions.is_empty() {
                s.meta_transitions.retain(|t| t.0.is_null() || !dead(t.0));
            }
        }
    }

    /// All lattice cells, for the collector.
    #[must_use]
    pub fn all_fields(&self) -> &[*mut FieldInfo] {
        &self.fields
    }
}

impl Drop for Shapes {
    fn drop(&mut self) {
        for &s in &self.shapes {
            // SAFETY: allocated by `Box::into_raw` in `alloc`, freed once.
            drop(unsafe { Box::from_raw(s) });
        }
        for &f in &self.fields {
            // SAFETY: allocated by `Box::into_raw` in `alloc_field`, freed once.
            drop(unsafe { Box::from_raw(f) });
        }
    }
}
