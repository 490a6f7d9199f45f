//! Inline caches: looking fields up, remembering how, and using what other
//! ways of a site remember.
//!
//! The dispatch loop tests the first way of a site itself; everything else is
//! here. A cached way never proves presence: a nil found through one goes the
//! general way, which consults metamethods.

use vela_objects::closure::{FuncProto, LuaClosure};
use vela_objects::feedback::{CacheState, FeedbackSlot, Way, WayKind};
use vela_objects::meta::{Chain, Event, MAX_CHAIN};
use vela_objects::shape::{CLASS, FieldInfo, FieldKind, META, OBJECT_META, Shape};
use vela_objects::table::TABLE_SIZE;
use vela_objects::vm::{INDEX_CACHE, IndexCacheEntry};
use vela_objects::{Gc, LuaResult, Str, Table, Tag, Value, VmState};

/// Content of inline slot `slot` of `t`, whose shape has this inline capacity.
///
/// # Safety
/// The slot is in use and inline.
#[inline(always)]
pub(crate) unsafe fn inline_slot(t: *const Table, inline_cap: u8, slot: u16) -> Value {
    let (slot, cap) = (slot as usize, inline_cap as usize);
    // SAFETY: layout of tables, see `vela_objects::table`.
    unsafe {
        let at = t.cast::<u8>().add(TABLE_SIZE);
        Value {
            payload: *at.add(8 * slot).cast::<u64>(),
            tag: Tag(*at.add(8 * cap + slot)),
        }
    }
}

/// Content of out-of-line slot `slot` of `t`.
///
/// # Safety
/// The slot is in use.
#[inline(always)]
pub(crate) unsafe fn outer_slot(t: *const Table, slot: u16) -> Value {
    let slot = slot as usize;
    // SAFETY: layout of tables, see `vela_objects::table`.
    unsafe {
        let at = (*t).slots;
        Value {
            payload: *at.add(8 * slot).cast::<u64>(),
            tag: Tag(*at.sub(1 + slot)),
        }
    }
}

/// Where inline slot `slot` of `t` is: payload and tag.
///
/// # Safety
/// As [`inline_slot`].
#[inline(always)]
pub(crate) unsafe fn inline_place(t: *mut Table, inline_cap: u8, slot: u16) -> (*mut u64, *mut u8) {
    let (slot, cap) = (slot as usize, inline_cap as usize);
    // SAFETY: layout of tables, see `vela_objects::table`.
    unsafe {
        let at = t.cast::<u8>().add(TABLE_SIZE);
        (at.add(8 * slot).cast(), at.add(8 * cap + slot))
    }
}

/// Where out-of-line slot `slot` of `t` is: payload and tag.
///
/// # Safety
/// As [`outer_slot`].
#[inline(always)]
pub(crate) unsafe fn outer_place(t: *mut Table, slot: u16) -> (*mut u64, *mut u8) {
    let slot = slot as usize;
    // SAFETY: layout of tables, see `vela_objects::table`.
    unsafe {
        let at = (*t).slots;
        (at.add(8 * slot).cast(), at.sub(1 + slot))
    }
}

/// Whether a store of a value with this tag and payload leaves the field's
/// lattice cell as it is.
///
/// # Safety
/// `field` is a lattice cell of the VM.
#[inline(always)]
pub(crate) unsafe fn fits(field: *const FieldInfo, v: Value) -> bool {
    // SAFETY: by contract.
    unsafe {
        let kind = (*field).kind;
        kind.0 == v.tag.0
            || kind == FieldKind::ANY
            || (kind == FieldKind::CONST && (*field).constant.identical(v))
    }
}

/// Reads through a way whose shape matched; nil when it is of no use now.
///
/// # Safety
/// The way was filled for the shape (or metatable) that the receiver has.
#[inline]
pub(crate) unsafe fn read_way(vm: &VmState, way: &Way, t: *const Table) -> Value {
    // SAFETY: by contract; holders are kept alive by the collector.
    unsafe {
        match way.kind {
            WayKind::Own => inline_slot(t, way.inline_cap, way.slot),
            WayKind::OwnOut => outer_slot(t, way.slot),
            WayKind::Holder | WayKind::StrHolder if way.epoch == vm.meta_epoch => {
                inline_slot(way.aux as *const Table, way.inline_cap, way.slot)
            }
            WayKind::HolderOut | WayKind::StrHolderOut if way.epoch == vm.meta_epoch => {
                outer_slot(way.aux as *const Table, way.slot)
            }
            _ => Value::NIL,
        }
    }
}

/// The way of a polymorphic site for `shape`, if there is one.
#[inline]
fn find_way(fb: &FeedbackSlot, shape: u64) -> Option<&Way> {
    if fb.way.shape == shape {
        return Some(&fb.way);
    }
    fb.more.as_deref()?.iter().find(|w| w.shape == shape)
}

fn own_way(shape: &Shape, i: usize) -> Way {
    let cap = shape.inline_cap as usize;
    let (kind, slot) = if i < cap {
        (WayKind::Own, i)
    } else {
        (WayKind::OwnOut, i - cap)
    };
    Way {
        shape: std::ptr::from_ref(shape) as u64,
        aux: 0,
        field: shape.field(i) as u64,
        slot: slot as u16,
        kind,
        inline_cap: shape.inline_cap,
        epoch: 0,
    }
}

/// Where a table has `v` as `key` already, as a class has its `__index` after
/// the first call of a constructor that stores it each time.
fn has_already(t: Gc<Table>, key: Gc<Str>, v: Value) -> Option<usize> {
    let s = t.shape();
    let i = (!s.is_dict() && !v.is_nil()).then(|| s.lookup(key))??;
    t.slot(i).identical(v).then_some(i)
}

/// Finds the table that has `key` along the `__index` chain of tables of this
/// shape; `None` when that cannot be cached or the key is absent.
fn find_holder(vm: &mut VmState, shape: &Shape, key: Gc<Str>) -> Option<(Gc<Table>, usize)> {
    let index = vm.index_of(shape)?;
    find_in_chain(vm, index, key)
}

/// As [`find_holder`], from what `__index` is.
fn find_in_chain(vm: &mut VmState, index: Value, key: Gc<Str>) -> Option<(Gc<Table>, usize)> {
    let mut index = index;
    for _ in 0..MAX_CHAIN {
        let h = index.as_table()?;
        h.mark_meta(vm);
        let shape = h.shape();
        if shape.is_dict() {
            return None;
        }
        if let Some(i) = shape.lookup(key) {
            return (!h.slot(i).is_nil()).then_some((h, i));
        }
        index = vm.index_of(shape)?;
    }
    None
}

fn holder_way(vm: &VmState, receiver: u64, h: Gc<Table>, i: usize, string: bool) -> Way {
    let own = own_way(h.shape(), i);
    let kind = match (own.kind, string) {
        (WayKind::Own, false) => WayKind::Holder,
        (WayKind::Own, true) => WayKind::StrHolder,
        (_, false) => WayKind::HolderOut,
        (_, true) => WayKind::StrHolderOut,
    };
    Way {
        shape: receiver,
        aux: h.addr(),
        kind,
        epoch: vm.meta_epoch,
        ..own
    }
}

/// Reads `key` of table `t` through what the site or the VM remembers; `None`
/// when nothing applies.
///
/// # Safety
/// `fb` is a feedback slot of the running function.
#[inline]
pub(crate) unsafe fn get_cached(
    vm: &VmState,
    t: *const Table,
    key: Gc<Str>,
    fb: *const FeedbackSlot,
) -> Option<Value> {
    // SAFETY: by contract; ways are used for the shape they were made for.
    unsafe {
        let shape = (*t).shape as u64;
        let slot = &*fb;
        let way = match find_way(slot, shape) {
            Some(way) => way,
            None if slot.state == CacheState::Mega => cached_way(vm, shape, key)?,
            None => return None,
        };
        let v = read_way(vm, way, t);
        (!v.is_nil() || nil_is_final(vm, way)).then_some(v)
    }
}

/// Whether a nil that the way reads is the result: the field is known to be
/// absent, or the receiver's own and not to be found in its `__index` chain.
fn nil_is_final(vm: &VmState, way: &Way) -> bool {
    match way.kind {
        WayKind::Absent => true,
        WayKind::Own | WayKind::OwnOut | WayKind::Lacking => way.epoch == vm.meta_epoch,
        _ => false,
    }
}

/// Whether no table along the `__index` chain of tables of this shape has
/// `key`. What it looked at is marked, so that adding the key bumps the epoch.
fn chain_lacks(vm: &mut VmState, shape: &Shape, key: Gc<Str>) -> bool {
    loop {
        match vm.index_chain(shape, key) {
            Chain::Lacks => return true,
            Chain::Unknown => return false,
            Chain::Unmarked(holder) => holder.mark_meta(vm),
        }
    }
}

/// Adds a way to a site; ways that a megamorphic site has no room for go to
/// the VM-wide cache.
fn add_way(vm: &mut VmState, slot: &mut FeedbackSlot, key: Gc<Str>, way: Way) {
    if slot.state == CacheState::Mega && find_way(slot, way.shape).is_none() {
        remember(vm, key, way);
    } else {
        slot.add_way(way);
    }
}

/// `o[key]` for a key named in the source, when [`get_cached`] has found
/// nothing: looks the field up and remembers how.
///
/// # Errors
/// As [`VmState::index`]; the frame's pc is current.
#[inline(never)]
pub(crate) fn get_prop(
    vm: &mut VmState,
    o: Value,
    key: Gc<Str>,
    fb: *mut FeedbackSlot,
) -> LuaResult<Value> {
    if let Some(t) = o.as_table() {
        let shape = t.shape;
        // SAFETY: `fb` is a slot of the running function; no other reference
        // to it is alive.
        let slot = unsafe { &mut *fb };
        if let Some(way) = find_way(slot, shape as u64)
            && matches!(way.kind, WayKind::Absent | WayKind::Lacking)
            && nil_is_final(vm, way)
        {
            return Ok(Value::NIL);
        }
        slot.count = slot.count.saturating_add(1);
        let s = t.shape();
        if !s.is_dict() {
            if let Some(i) = s.lookup(key) {
                let v = t.slot(i);
                let lacking = chain_lacks(vm, s, key);
                if !v.is_nil() || lacking {
                    let way = Way {
                        epoch: if lacking { vm.meta_epoch } else { 0 },
                        ..own_way(s, i)
                    };
                    add_way(vm, slot, key, way);
                    return Ok(v);
                }
            } else if !s.is_singleton() {
                if s.metatable.is_null() && s.flags & OBJECT_META == 0 {
                    slot.add_way(Way {
                        shape: shape as u64,
                        kind: WayKind::Absent,
                        ..Way::EMPTY
                    });
                    return Ok(Value::NIL);
                }
                if let Some((h, i)) = find_holder(vm, s, key) {
                    let way = holder_way(vm, shape as u64, h, i, false);
                    add_way(vm, slot, key, way);
                    return Ok(h.slot(i));
                }
                if chain_lacks(vm, s, key) {
                    let way = Way {
                        shape: shape as u64,
                        kind: WayKind::Lacking,
                        epoch: vm.meta_epoch,
                        ..Way::EMPTY
                    };
                    add_way(vm, slot, key, way);
                    return Ok(Value::NIL);
                }
                // SAFETY: `fb` as above; `slot` is not used any more.
                unsafe { note_accessor(vm, fb, o, Event::Index) };
            }
        }
    } else if o.tag == Tag::STR
        && let Some(mt) = vm.type_metatables[Tag::STR.0 as usize]
    {
        // SAFETY: as above.
        let slot = unsafe { &mut *fb };
        if let Some(way) = find_way(slot, mt.addr()) {
            // SAFETY: the way is one through the strings' metatable, whose
            // address no shape has.
            let v = unsafe { read_way(vm, way, std::ptr::null()) };
            if !v.is_nil() {
                return Ok(v);
            }
        }
        mt.mark_meta(vm);
        let index = vm.meta_of(mt, Event::Index);
        if let Some((h, i)) = find_in_chain(vm, index, key) {
            let way = holder_way(vm, mt.addr(), h, i, true);
            slot.add_way(way);
            return Ok(h.slot(i));
        }
    }
    vm.index(o, Value::str(key))
}

/// `o[key] = v` for a key named in the source, using and filling the cache.
///
/// # Errors
/// As [`VmState::set_index`]; the frame's pc is current.
#[inline(never)]
pub(crate) fn set_prop(
    vm: &mut VmState,
    o: Value,
    key: Gc<Str>,
    v: Value,
    fb: *mut FeedbackSlot,
) -> LuaResult<()> {
    let Some(t) = o.as_table() else {
        return vm.set_index_as(o, Value::str(key), v, false);
    };
    let s = t.shape();
    // SAFETY: `fb` is a slot of the running function; no other reference to
    // it is alive.
    let slot = unsafe { &mut *fb };
    if s.is_dict() || s.flags & META != 0 {
        if let Some(i) = has_already(t, key, v) {
            slot.add_way(Way {
                kind: WayKind::Same,
                slot: i as u16,
                ..own_way(s, i)
            });
            return Ok(());
        }
        if set_str_index(vm, t, key, v, false) {
            return Ok(());
        }
        return vm.set_index_as(o, Value::str(key), v, false);
    }
    if let Some(way) = find_way(slot, t.shape as u64) {
        match way.kind {
            WayKind::Own | WayKind::OwnOut => {
                // SAFETY: the shape matched.
                let (p, tag) = unsafe {
                    if way.kind == WayKind::Own {
                        inline_place(t.as_ptr(), way.inline_cap, way.slot)
                    } else {
                        outer_place(t.as_ptr(), way.slot)
                    }
                };
                // SAFETY: the slot's own tag, and the way's lattice cell.
                if unsafe { *tag != 0 && fits(way.field as *const FieldInfo, v) } {
                    // SAFETY: as above.
                    unsafe {
                        *p = v.payload;
                        *tag = v.tag.0;
                    }
                    vm.barrier(v);
                    return Ok(());
                }
            }
            WayKind::Add | WayKind::AddOut if way.epoch == vm.meta_epoch => {
                // SAFETY: the way holds the successor of the shape just checked.
                unsafe { t.add_slot(vm, way.aux as *mut Shape, v) };
                return Ok(());
            }
            _ => {}
        }
    }
    slot.count = slot.count.saturating_add(1);
    let no_newindex = s.flags & CLASS != 0
        || s.flags & OBJECT_META == 0
            && (s.metatable.is_null()
            // SAFETY: the metatable of a live shape.
            || vm.meta_of(unsafe { Gc::from_ptr(s.metatable) }, Event::NewIndex).is_nil());
    if let Some(i) = s.lookup(key) {
        if no_newindex || !t.slot(i).is_nil() {
            t.set_slot(vm, i, v);
            let way = own_way(s, i);
            add_way(vm, slot, key, way);
            return Ok(());
        }
    } else if !s.is_singleton() {
        // Also for nil: a constructor's `self.next = nil` then gives the same
        // shape as `self.next = other`.
        if no_newindex {
            let from = t.shape;
            // SAFETY: neither dictionary nor singleton, as tested above.
            if let Some(next) = unsafe { vm.shapes.add_field(from, key, false) } {
                // SAFETY: the successor of the table's shape by this field.
                unsafe { t.add_slot(vm, next, v) };
                // SAFETY: shapes live as long as the VM.
                let ns = unsafe { &*next };
                let own = own_way(ns, ns.nslots as usize - 1);
                let way = Way {
                    shape: from as u64,
                    aux: next as u64,
                    kind: if own.kind == WayKind::Own {
                        WayKind::Add
                    } else {
                        WayKind::AddOut
                    },
                    epoch: vm.meta_epoch,
                    ..own
                };
                add_way(vm, slot, key, way);
                return Ok(());
            }
        } else {
            // SAFETY: `fb` as above; `slot` is not used any more.
            unsafe { note_accessor(vm, fb, o, Event::NewIndex) };
        }
    }
    vm.set_index_as(o, Value::str(key), v, false)
}

#[inline]
fn cache_index(shape: u64, key: u64) -> usize {
    ((shape >> 4) ^ (key >> 4) ^ (key >> 13)) as usize % INDEX_CACHE
}

/// What the VM-wide cache knows of `key` in tables of `shape`.
#[inline]
fn cached_way(vm: &VmState, shape: u64, key: Gc<Str>) -> Option<&Way> {
    let e = &vm.index_cache[cache_index(shape, key.addr())];
    (e.way.shape == shape && e.key == key.addr()).then_some(&e.way)
}

/// Remembers a way in the VM-wide cache.
fn remember(vm: &mut VmState, key: Gc<Str>, way: Way) {
    vm.index_cache[cache_index(way.shape, key.addr())] = IndexCacheEntry {
        key: key.addr(),
        way,
    };
}

/// The slot of computed key `key` in the shape of `t`, which is no dictionary.
#[inline]
fn cached_slot(vm: &mut VmState, t: Gc<Table>, key: Gc<Str>) -> Option<usize> {
    let shape = t.shape as u64;
    if let Some(way) = cached_way(vm, shape, key) {
        match way.kind {
            WayKind::Own => return Some(way.slot as usize),
            WayKind::OwnOut => return Some(way.slot as usize + way.inline_cap as usize),
            _ => {}
        }
    }
    let slot = t.shape().lookup(key)?;
    let way = own_way(t.shape(), slot);
    remember(vm, key, way);
    Some(slot)
}

/// `t[key]` for a computed string key; `None` if `t` lacks it and has a
/// metatable to ask.
#[inline]
pub(crate) fn get_str_index(vm: &mut VmState, t: Gc<Table>, key: Gc<Str>) -> Option<Value> {
    let v = if t.shape().is_dict() {
        t.get_str(key)
    } else {
        cached_slot(vm, t, key).map_or(Value::NIL, |i| t.slot(i))
    };
    let s = t.shape();
    let plain = s.metatable.is_null() && s.flags & OBJECT_META == 0;
    (plain || !v.is_nil()).then_some(v)
}

/// `t[key] = v` for a string key; `dynamic` says that it was computed. False,
/// with nothing done, if `t` lacks it and has a metatable to ask.
#[inline]
pub(crate) fn set_str_index(
    vm: &mut VmState,
    t: Gc<Table>,
    key: Gc<Str>,
    v: Value,
    dynamic: bool,
) -> bool {
    let s = t.shape();
    let plain = s.metatable.is_null() && s.flags & OBJECT_META == 0;
    if !s.is_dict()
        && let Some(i) = cached_slot(vm, t, key)
        && (plain || !t.slot(i).is_nil())
    {
        t.set_slot(vm, i, v);
        return true;
    }
    if plain {
        t.set_str_as(vm, key, v, dynamic);
    }
    plain
}

/// Puts the site's way for the shape of `o`, if it has one, in the VM-wide
/// cache: compiled code that does not test for the shape finds it there.
///
/// # Safety
/// `fb` is a feedback slot of the running function.
pub(crate) unsafe fn share_way(vm: &mut VmState, o: Value, key: Gc<Str>, fb: *const FeedbackSlot) {
    if let Some(t) = o.as_table() {
        // SAFETY: by contract.
        let way = find_way(unsafe { &*fb }, t.shape as u64).copied();
        if let Some(way) = way {
            remember(vm, key, way);
        }
    }
}

// ---- lookups of compiled code ------------------------------------------
//
// None of these runs Lua code, raises, or changes anything besides the table
// stored to: where more is needed the interpreter runs the instruction.

/// `t[key]` if it can be told from the caches and the table alone.
#[inline]
pub(crate) fn find_str(vm: &mut VmState, t: Gc<Table>, key: Gc<Str>) -> Option<Value> {
    let s = t.shape();
    let plain = s.metatable.is_null() && s.flags & OBJECT_META == 0;
    let v = if s.is_dict() {
        t.get_str(key)
    } else {
        let shape = t.shape as u64;
        match cached_way(vm, shape, key) {
            Some(way) => {
                // SAFETY: the way was made for this shape.
                let v = unsafe {
                    if way.kind == WayKind::Own {
                        inline_slot(t.as_ptr(), way.inline_cap, way.slot)
                    } else {
                        read_way(vm, way, t.as_ptr())
                    }
                };
                if v.is_nil() && nil_is_final(vm, way) {
                    return Some(v);
                }
                v
            }
            None => match s.lookup(key) {
                Some(i) => {
                    let way = own_way(s, i);
                    remember(vm, key, way);
                    t.slot(i)
                }
                None => {
                    if plain && !s.is_singleton() {
                        remember(
                            vm,
                            key,
                            Way {
                                shape,
                                kind: WayKind::Absent,
                                ..Way::EMPTY
                            },
                        );
                    }
                    Value::NIL
                }
            },
        }
    };
    (plain || !v.is_nil()).then_some(v)
}

/// `t[key] = v`, `dynamic` if the key was computed; false if that takes more
/// than a store into `t`.
#[inline]
pub(crate) fn put_str(
    vm: &mut VmState,
    t: Gc<Table>,
    key: Gc<Str>,
    v: Value,
    dynamic: bool,
) -> bool {
    let s = t.shape();
    if s.flags & META != 0 {
        return has_already(t, key, v).is_some();
    }
    let plain = s.metatable.is_null() && s.flags & OBJECT_META == 0;
    if s.is_dict() {
        if plain || !t.get_str(key).is_nil() {
            t.set_str_as(vm, key, v, dynamic);
            return true;
        }
        return false;
    }
    let i = match cached_way(vm, t.shape as u64, key) {
        Some(way) if way.kind == WayKind::Own => way.slot as usize,
        Some(way) if matches!(way.kind, WayKind::Add | WayKind::AddOut) => {
            if dynamic && v.is_nil() {
                return false;
            }
            let field = way.field as *const FieldInfo;
            // SAFETY: the way holds the successor of the table's shape, and the
            // lattice cell of the new field.
            unsafe {
                if way.epoch == vm.meta_epoch && fits(field, v) {
                    t.add_slot(vm, way.aux as *mut Shape, v);
                    return true;
                }
            }
            return false;
        }
        _ => match cached_slot(vm, t, key) {
            Some(i) => i,
            None => return false,
        },
    };
    // SAFETY: the lattice cell of the table's own field.
    if (plain || !t.slot(i).is_nil()) && unsafe { fits(s.field(i), v) } {
        t.set_slot(vm, i, v);
        return true;
    }
    false
}

/// `t[key]` if it can be told from the caches and the table alone.
#[inline]
pub(crate) fn find_any(vm: &mut VmState, t: Gc<Table>, key: Value) -> Option<Value> {
    if let Some(key) = key.as_str() {
        return find_str(vm, t, key);
    }
    let v = t.get(key);
    let s = t.shape();
    (!v.is_nil() || s.metatable.is_null() && s.flags & OBJECT_META == 0).then_some(v)
}

/// `t[key] = v`; false if that takes more than a store into `t`, or raises.
#[inline]
pub(crate) fn put_any(vm: &mut VmState, t: Gc<Table>, key: Value, v: Value) -> bool {
    if let Some(key) = key.as_str() {
        return put_str(vm, t, key, v, true);
    }
    let s = t.shape();
    let plain = s.metatable.is_null() && s.flags & OBJECT_META == 0;
    (plain || !t.get(key).is_nil()) && t.set(vm, key, v).is_ok()
}

/// Records a call target that is not the one in the first way.
///
/// # Safety
/// `fb` is the site's feedback slot, `target` the prototype (or native
/// function), `closure` the function called.
#[cold]
#[inline(never)]
pub(crate) unsafe fn note_target(fb: *mut FeedbackSlot, target: u64, closure: u64) {
    // SAFETY: by contract; no other reference to the slot is alive.
    let slot = unsafe { &mut *fb };
    if slot.state == CacheState::Mega {
        return;
    }
    let known = if slot.way.shape == target {
        Some(&mut slot.way)
    } else {
        slot.more
            .as_deref_mut()
            .and_then(|m| m.iter_mut().find(|w| w.shape == target))
    };
    if let Some(way) = known {
        if way.aux != closure {
            way.aux = 0;
        }
        return;
    }
    slot.add_way(Way {
        shape: target,
        aux: closure,
        kind: WayKind::Target,
        ..Way::EMPTY
    });
}

/// Records the call of a Lua closure.
///
/// # Safety
/// As [`note_target`].
#[inline(always)]
pub(crate) unsafe fn note_lua_call(
    fb: *mut FeedbackSlot,
    closure: *mut LuaClosure,
    proto: *mut FuncProto,
) {
    // SAFETY: by contract.
    unsafe {
        (*fb).count = (*fb).count.wrapping_add(1);
        let way = &raw mut (*fb).way;
        if (*way).aux != closure as u64 && ((*way).shape != proto as u64 || (*way).aux != 0) {
            note_target(fb, proto as u64, closure as u64);
        }
    }
}

/// Records that an access of a key that `o` lacks is about to call the function
/// that it has for them, if it has one.
///
/// # Safety
/// As [`note_metamethod`].
#[cold]
#[inline(never)]
pub(crate) unsafe fn note_accessor(
    vm: &mut VmState,
    fb: *mut FeedbackSlot,
    o: Value,
    event: Event,
) {
    let Some(mt) = vm.metatable_of(o) else { return };
    if vm.meta_of(mt, event).as_lua_fn().is_some() {
        // SAFETY: by contract.
        unsafe { note_metamethod(vm, fb, [o, Value::NIL], event) }
    }
}

/// Records which of an operation's operands has the metamethod that is about
/// to be called, and where. Only tables that share a metatable by their shape
/// are of interest.
///
/// # Safety
/// `fb` is the site's feedback slot.
#[cold]
#[inline(never)]
pub(crate) unsafe fn note_metamethod(
    vm: &mut VmState,
    fb: *mut FeedbackSlot,
    operands: [Value; 2],
    event: Event,
) {
    for (v, kind) in operands
        .into_iter()
        .zip([WayKind::Meta, WayKind::MetaSecond])
    {
        let Some(mt) = vm.metatable_of(v) else {
            continue;
        };
        if vm.meta_of(mt, event).is_nil() {
            continue;
        }
        let Some(t) = v.as_table() else { return };
        // SAFETY: by contract; no other reference to the slot is alive.
        let slot = unsafe { &mut *fb };
        let known = |w: &Way| w.kind == kind && w.epoch == vm.meta_epoch;
        let shape = t.shape as u64;
        if slot.state == CacheState::Mega
            || t.shape().flags & OBJECT_META != 0
            || find_way(slot, shape).is_some_and(known)
        {
            return;
        }
        mt.mark_meta(vm);
        let key = vm.event_keys[event as usize];
        if !mt.shape().is_dict()
            && let Some(i) = mt.shape().lookup(key)
        {
            slot.add_way(Way {
                shape,
                aux: mt.addr(),
                kind,
                slot: i as u16,
                epoch: vm.meta_epoch,
                ..own_way(mt.shape(), i)
            });
        }
        return;
    }
}
