//! What a function can rely on besides its own feedback: values that cannot
//! change unless somebody is told.
//!
//! A captured variable that the source assigns once is a constant of its
//! closure; a field that was always stored the same value is one of its table,
//! as long as the table keeps its shape. From these facts code can follow
//! `Module.Class.method` to the function, without a test at run time: each
//! fact is a lattice cell to watch, and the write that breaks it invalidates
//! the code. After watchpoints in JavaScriptCore and constness in V8's maps.

use crate::snapshot::{
    FieldSnapshot, FunctionSnapshot, ShapeSnapshot, field_snapshot, shape_snapshot,
};
use std::collections::HashMap;
use vela_bytecode::{Constant, Op};
use vela_objects::gcref::Gc;
use vela_objects::meta::MAX_CHAIN;
use vela_objects::shape::{FieldKind, META};
use vela_objects::{FuncProto, Table, Tag, Value, VmState};

/// Most tables looked at.
const MAX_TABLES: usize = 96;

/// Broken epochs after which code tests the epoch instead of relying on it.
const MAX_META_BREAKS: u32 = 8;

/// Facts about values outside the function.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// To watch for the metatable epoch of the snapshot to stay; `None` if it
    /// changes too often.
    pub meta_stays: Option<FieldSnapshot>,
    /// To watch for captured variables to stay; `None` if they did not.
    pub upvals_stay: Option<FieldSnapshot>,
    /// By address.
    pub closures: HashMap<u64, KnownClosure>,
    /// Tables whose shape can be relied on, by address.
    pub tables: HashMap<u64, KnownTable>,
}

/// A closure that code knows as a constant.
#[derive(Clone, Debug)]
pub struct KnownClosure {
    /// Address of its prototype.
    pub proto: u64,
    /// The values of its upvalues (tag and payload), where the variable never
    /// changes.
    pub upvals: Vec<Option<(Tag, u64)>>,
}

/// A table whose shape can be relied on.
#[derive(Clone, Debug)]
pub struct KnownTable {
    /// To watch.
    pub stays: FieldSnapshot,
    /// Its shape.
    pub shape: ShapeSnapshot,
    /// Fields by the address of the key.
    pub fields: HashMap<u64, KnownField>,
    /// To watch for the table to lack the keys that functions of the snapshot
    /// name and that are not in `fields`; `None` if it has a metatable.
    pub lacks: Option<FieldSnapshot>,
    /// Of a class: what it inherits, by the address of the key, as long as the
    /// metatable epoch stays.
    pub inherited: HashMap<u64, Inherited>,
}

/// A field that never changed of a table in an `__index` chain.
#[derive(Clone, Copy, Debug)]
pub struct Inherited {
    /// To watch for the table that has it to keep its shape.
    pub stays: FieldSnapshot,
    /// Its lattice cell, at the constant level.
    pub field: FieldSnapshot,
}

/// A field of a [`KnownTable`].
#[derive(Clone, Copy, Debug)]
pub struct KnownField {
    /// Slot, counted from the first inline one.
    pub slot: u16,
    /// Its lattice cell.
    pub field: FieldSnapshot,
}

/// Follows constants from the functions of a snapshot.
pub(crate) fn explore(vm: &mut VmState, root: &FunctionSnapshot, proto: Gc<FuncProto>) -> World {
    let upvals = field_snapshot(vm.upvals_stay());
    let mut world = World {
        upvals_stay: (upvals.kind == FieldKind::CONST).then_some(upvals),
        meta_stays: (vm.meta_breaks < MAX_META_BREAKS).then(|| field_snapshot(vm.meta_stays())),
        ..World::default()
    };
    if world.upvals_stay.is_none() {
        return world;
    }
    let functions = || root.callees.values().chain([root]);
    let keys = keys_of(root);
    let mut work: Vec<(Tag, u64)> = Vec::new();
    let own = &proto.cold().instances;
    if own.kind == FieldKind::CONST {
        work.push((own.constant.tag, own.constant.payload));
    }
    let ways = || functions().flat_map(|f| &f.sites).flat_map(|s| &s.ways);
    for way in ways() {
        let called = way.target.as_ref().filter(|t| !t.native && t.closure != 0);
        work.extend(called.map(|t| (Tag::LUA_FN, t.closure)));
        let constant = way.field.filter(|f| f.kind == FieldKind::CONST);
        work.extend(constant.map(|f| f.constant));
    }
    let protected = functions().flat_map(|f| &f.sites);
    let protected = protected.filter_map(|s| s.protected.as_ref());
    let protected = protected.filter(|t| t.closure != 0);
    work.extend(protected.map(|t| (Tag::LUA_FN, t.closure)));
    while let Some((tag, addr)) = work.pop() {
        let value = Value { payload: addr, tag };
        if let Some(closure) = value.as_lua_fn() {
            if world.closures.contains_key(&addr) {
                continue;
            }
            let code = closure.proto.proto();
            let content = |(i, u): (usize, &vela_bytecode::UpvalDesc)| {
                let v = closure.upval(i).get();
                (!u.reassigned && !v.is_nil()).then_some((v.tag, v.payload))
            };
            let upvals: Vec<_> = code.upvals.iter().enumerate().map(content).collect();
            work.extend(upvals.iter().flatten());
            let proto = closure.proto.addr();
            world.closures.insert(addr, KnownClosure { proto, upvals });
        } else if let Some(table) = value.as_table()
            && world.tables.len() < MAX_TABLES
            && !world.tables.contains_key(&addr)
            && let Some(known) = known_table(vm, table, &keys)
        {
            let constants = known.fields.values();
            let constants = constants.filter(|f| f.field.kind == FieldKind::CONST);
            work.extend(constants.map(|f| f.field.constant));
            work.extend(known.inherited.values().map(|f| f.field.constant));
            world.tables.insert(addr, known);
        }
    }
    world
}

/// Names that the functions use as keys.
fn keys_of(root: &FunctionSnapshot) -> Vec<u64> {
    let mut keys = Vec::new();
    for f in root.callees.values().chain([root]) {
        for i in &f.proto.code {
            let k = match i.op() {
                Some(Op::GetField | Op::GetTabUp | Op::SelfGet | Op::SetTabUp) => i.c(),
                Some(Op::SetField) => i.b(),
                _ => continue,
            };
            if let Some(Constant::Str(_)) = f.proto.constants.get(k as usize) {
                keys.extend(f.strings.get(k as usize));
            }
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The table, if it has one of the keys, or is known to lack them, and plays a
/// role of its own: data tables keep the shapes they share.
fn known_table(vm: &mut VmState, table: Gc<Table>, keys: &[u64]) -> Option<KnownTable> {
    let shape = table.shape();
    if shape.is_dict() {
        return None;
    }
    let slots = |shape: &vela_objects::shape::Shape| -> Vec<(u64, usize)> {
        let used = |(i, k): (usize, &Gc<vela_objects::Str>)| {
            let addr = k.addr();
            keys.binary_search(&addr).is_ok().then_some((addr, i))
        };
        shape.keys().iter().enumerate().filter_map(used).collect()
    };
    let found = slots(shape);
    let is_function = |&(_, i): &(u64, usize)| {
        let v = table.slot(i);
        v.tag == Tag::LUA_FN || v.tag == Tag::NATIVE_FN
    };
    let has_role = shape.is_singleton()
        || shape.flags & META != 0
        || table.metatable().is_none() && found.iter().any(is_function);
    if !has_role {
        return None;
    }
    let inherited = inherited(vm, table, keys);
    let plain = table.metatable().is_none();
    let may_lack = shape.is_singleton() && plain;
    if found.is_empty() && inherited.is_empty() && !may_lack {
        return None;
    }
    let stays = field_snapshot(table.watch_shape(vm)?);
    let lacks = plain.then(|| table.watch_absence(vm)).flatten();
    let lacks = lacks.map(field_snapshot);
    let shape = table.shape();
    let field = |(key, i): (u64, usize)| {
        let known = KnownField {
            slot: i as u16,
            field: field_snapshot(shape.field_info(i)),
        };
        (key, known)
    };
    Some(KnownTable {
        stays,
        lacks,
        fields: found.into_iter().map(field).collect(),
        inherited,
        shape: shape_snapshot(vm, shape),
    })
}

/// The keys that the table does not have and always found the same value for
/// in its `__index` chain. Every table on the way, itself included, is one
/// whose keys are not added or removed unnoticed.
fn inherited(vm: &mut VmState, table: Gc<Table>, keys: &[u64]) -> HashMap<u64, Inherited> {
    let mut out = HashMap::new();
    let mut missing: Vec<u64> = keys.to_vec();
    let mut link = table;
    for _ in 0..MAX_CHAIN {
        let shape = link.shape();
        if missing.is_empty() || shape.flags & META == 0 || shape.is_dict() {
            break;
        }
        if link != table {
            for (i, key) in shape.keys().iter().enumerate() {
                let constant = shape.field_info(i).kind == FieldKind::CONST;
                let wanted = missing.binary_search(&key.addr()).is_ok();
                if constant && wanted && !link.slot(i).is_nil() {
                    out.insert(key.addr(), (link, i));
                }
            }
        }
        missing.retain(|&key| !shape.keys().iter().any(|k| k.addr() == key));
        match vm.index_of(shape).and_then(Value::as_table) {
            Some(next) => link = next,
            None => break,
        }
    }
    let mut watched = |(key, (holder, i)): (u64, (Gc<Table>, usize))| {
        let stays = field_snapshot(holder.watch_shape(vm)?);
        let field = field_snapshot(holder.shape().field_info(i));
        (field.kind == FieldKind::CONST).then_some((key, Inherited { stays, field }))
    };
    out.into_iter().filter_map(&mut watched).collect()
}
