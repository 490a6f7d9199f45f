//! What the optimizer gets to see of a function: an owned, `Send` copy of its
//! feedback, taken on the VM's thread.
//!
//! Addresses in a snapshot are identities (and literals for the pool, kept
//! alive by whoever requested the compilation); nothing behind them is read
//! off the VM's thread. After SpiderMonkey's WarpSnapshot.

use crate::metatables::{self, MetaTransition};
use crate::world::{self, World};
use std::collections::HashMap;
use std::sync::Arc;
use vela_bytecode::Proto;
use vela_objects::feedback::{CacheState, FeedbackSlot, Way, WayKind, index};
use vela_objects::gcref::Gc;
use vela_objects::inspect::Callee;
use vela_objects::meta::{Chain, Event};
use vela_objects::shape::{CLASS, FieldInfo, FieldKind, META, OBJECT_META, Shape};
use vela_objects::{FuncProto, Tag, Value, VmState};

/// A shape as the optimizer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeSnapshot {
    /// Address.
    pub addr: u64,
    /// Slots inside the object.
    pub inline_cap: u8,
    /// Shape flags.
    pub flags: u8,
    /// Whether tables of this shape have no metatable at all.
    pub no_metatable: bool,
    /// Whether the metatable (if any) has no `__newindex`.
    pub no_newindex: bool,
}

/// A lattice cell as the optimizer sees it.
#[derive(Clone, Copy, Debug)]
pub struct FieldSnapshot {
    /// Address of the cell.
    pub addr: u64,
    /// Its id.
    pub id: u32,
    /// Its level.
    pub kind: FieldKind,
    /// The constant at level [`FieldKind::CONST`]: tag and payload.
    pub constant: (Tag, u64),
}

/// A cell of which nothing is known.
impl Default for FieldSnapshot {
    fn default() -> Self {
        FieldSnapshot {
            addr: 0,
            id: 0,
            kind: FieldKind::ANY,
            constant: (Tag::NIL, 0),
        }
    }
}

/// A call target.
#[derive(Clone, Debug)]
pub struct TargetSnapshot {
    /// Prototype of a Lua function, address of a native closure.
    pub addr: u64,
    /// The only closure seen, or 0 if there were several.
    pub closure: u64,
    /// Intrinsic number of a native function, 0 if none.
    pub intrinsic: u16,
    /// The callee is a native function.
    pub native: bool,
    /// The Lua callee's prototype.
    pub proto: Option<Arc<Proto>>,
    /// Of `setmetatable`: what it does here.
    pub transitions: Vec<MetaTransition>,
}

/// One way of a cache.
#[derive(Clone, Debug)]
pub struct WaySnapshot {
    /// What the way does.
    pub kind: WayKind,
    /// Slot (for the out-of-line kinds already less the inline capacity).
    pub slot: u16,
    /// Shape of the receiver (property ways).
    pub shape: Option<ShapeSnapshot>,
    /// Shape after the store ([`WayKind::Add`]).
    pub next: Option<ShapeSnapshot>,
    /// Holder table and its shape ([`WayKind::Holder`]).
    pub holder: Option<(u64, ShapeSnapshot)>,
    /// What the holder's slot contains now: tag and payload.
    pub held: Option<(Tag, u64)>,
    /// For an own field, or none ([`WayKind::Lacking`]): when it is nil, so is
    /// the access, because the metatable's `__index` chain (in the snapshot's
    /// epoch) lacks the key.
    pub nil_is_final: bool,
    /// Lattice cell of the field.
    pub field: Option<FieldSnapshot>,
    /// Value of the metatable epoch when the way was filled.
    pub epoch: u32,
    /// Call target.
    pub target: Option<TargetSnapshot>,
}

/// How a constructor allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocSnapshot {
    /// Address of the empty shape that the tables start with.
    pub root: u64,
    /// Its inline slots.
    pub inline_cap: u8,
    /// Elements that the tables have room for, at least.
    pub elems: u8,
}

/// Feedback of one site.
#[derive(Clone, Debug, Default)]
pub struct SiteSnapshot {
    /// Operand type bits.
    pub arith: u8,
    /// Result tag bits.
    pub result: u16,
    /// Indexed-access bits.
    pub index: u8,
    /// Elements kind bits.
    pub elems: u16,
    /// Reasons that failed here, as bits.
    pub failed: u8,
    /// Times executed, as far as counted.
    pub count: u32,
    /// State of the cache.
    pub state: CacheState,
    /// Of a constructor: what its tables start with.
    pub alloc: Option<AllocSnapshot>,
    /// Its ways.
    pub ways: Vec<WaySnapshot>,
    /// Of a call of `pcall`: the Lua function that it called, if it was always
    /// the same.
    pub protected: Option<TargetSnapshot>,
}

/// Everything the optimizer needs to compile one function.
#[derive(Clone, Debug)]
pub struct FunctionSnapshot {
    /// The function.
    pub proto: Arc<Proto>,
    /// Address of its [`FuncProto`].
    pub proto_addr: u64,
    /// Id of its [`FuncProto`].
    pub proto_id: u32,
    /// Argument tags seen, a bit per tag, for the first eight parameters.
    pub arg_tags: [u16; 8],
    /// Feedback per slot.
    pub sites: Vec<SiteSnapshot>,
    /// The metatable epoch.
    pub meta_epoch: u32,
    /// For an OSR entry: the tag of each register at the loop header.
    pub osr_tags: Vec<Tag>,
    /// By constant: the address of the string, 0 for other constants.
    pub strings: Vec<u64>,
    /// Addresses of the prototypes of the functions in it, in their order.
    pub children: Vec<u64>,
    /// Functions that may be inlined, by the address of their prototype; none
    /// of them has callees here.
    pub callees: HashMap<u64, FunctionSnapshot>,
    /// The function's closures, as stores to a field.
    pub instances: FieldSnapshot,
    /// What else can be relied on; empty for callees.
    pub world: World,
    /// Whether the debug library may look at frames of the function: see
    /// [`VmState::make_debuggable`].
    pub debuggable: bool,
    /// Bytes of machine code that calls of the function ran last, as far as
    /// the tier knows; 0 if it was never compiled.
    pub code_size: usize,
    /// Whether code of the function is to test where it could speculate, for
    /// it failed too often.
    pub settled: bool,
}

pub(crate) fn shape_snapshot(vm: &VmState, shape: &Shape) -> ShapeSnapshot {
    let class = shape.flags & CLASS != 0;
    let mt = shape.metatable_table();
    let has = |event| mt.is_some_and(|mt| !vm.meta_of(mt, event).is_nil());
    let object_meta = shape.flags & OBJECT_META != 0;
    ShapeSnapshot {
        addr: std::ptr::from_ref(shape) as u64,
        inline_cap: shape.inline_cap,
        flags: shape.flags,
        no_metatable: mt.is_none() && !object_meta,
        no_newindex: class || !object_meta && !has(Event::NewIndex),
    }
}

pub(crate) fn field_snapshot(info: &FieldInfo) -> FieldSnapshot {
    FieldSnapshot {
        addr: std::ptr::from_ref(info) as u64,
        id: info.id,
        kind: info.kind,
        constant: (info.constant.tag, info.constant.payload),
    }
}

fn way_snapshot(vm: &VmState, slot: &FeedbackSlot, way: &Way) -> WaySnapshot {
    let mut out = WaySnapshot {
        kind: way.kind,
        slot: way.slot,
        shape: way.receiver_shape().map(|s| shape_snapshot(vm, s)),
        next: way.next_shape().map(|s| shape_snapshot(vm, s)),
        holder: None,
        held: None,
        nil_is_final: own_nil_is_final(vm, way)
            || way.kind == WayKind::Lacking && way.epoch == vm.meta_epoch,
        field: way.field_info().map(field_snapshot),
        epoch: way.epoch,
        target: way.callee().map(|c| target_snapshot(vm, slot, way, c)),
    };
    // In another epoch the key may be found elsewhere.
    if let Some(holder) = way.holder().filter(|_| way.epoch == vm.meta_epoch) {
        let shape = holder.shape();
        out.holder = Some((way.aux, shape_snapshot(vm, shape)));
        let out_of_line = matches!(way.kind, WayKind::HolderOut | WayKind::StrHolderOut);
        let slot = way.slot as usize
            + if out_of_line {
                shape.inline_cap as usize
            } else {
                0
            };
        if slot < shape.nslots as usize && !shape.is_dict() {
            // The holder may have got a shape of its own since.
            out.field = Some(field_snapshot(shape.field_info(slot)));
            let v = holder.slot(slot);
            out.held = Some((v.tag, v.payload));
        }
    }
    out
}

fn target_snapshot(vm: &VmState, slot: &FeedbackSlot, way: &Way, callee: Callee) -> TargetSnapshot {
    match callee {
        Callee::Lua(proto) => TargetSnapshot {
            addr: way.shape,
            closure: way.aux,
            intrinsic: 0,
            native: false,
            proto: Some(proto.proto().clone()),
            transitions: Vec::new(),
        },
        Callee::Native(native) => TargetSnapshot {
            addr: way.shape,
            closure: way.shape,
            intrinsic: native.intrinsic,
            native: true,
            proto: None,
            transitions: metatables::transitions(vm, slot),
        },
    }
}

fn site_snapshot(vm: &VmState, slot: &FeedbackSlot) -> SiteSnapshot {
    // As long as no code has met them.
    let without_outgrown = slot.index & index::OUTGROWN == 0;
    let ways = slot.ways();
    let ways = ways.filter(|w| !(without_outgrown && slot.is_outgrown(w)));
    let ways: Vec<WaySnapshot> = ways.map(|w| way_snapshot(vm, slot, w)).collect();
    SiteSnapshot {
        arith: slot.arith,
        result: slot.result,
        index: slot.index,
        elems: slot.elems,
        failed: slot.failed,
        count: slot.count,
        state: match (slot.state, ways.len()) {
            (CacheState::Poly, 1) => CacheState::Mono,
            (state, _) => state,
        },
        alloc: None,
        ways,
        protected: protected(vm, slot),
    }
}

/// What the call of `pcall` always called.
fn protected(vm: &VmState, slot: &FeedbackSlot) -> Option<TargetSnapshot> {
    let mut ways = slot.protected();
    let (way, None) = (ways.next()?, ways.next()) else {
        return None;
    };
    Some(target_snapshot(vm, slot, way, way.callee()?))
}

/// Whether nil in the own field of a way is the result of reading it: no
/// metatable, or an `__index` chain of tables of which none has the key.
fn own_nil_is_final(vm: &VmState, way: &Way) -> bool {
    let (Some(shape), true) = (
        way.receiver_shape(),
        matches!(way.kind, WayKind::Own | WayKind::OwnOut),
    ) else {
        return false;
    };
    let out = if way.kind == WayKind::OwnOut {
        shape.inline_cap as usize
    } else {
        0
    };
    let Some(&key) = shape.keys().get(way.slot as usize + out) else {
        return false;
    };
    matches!(vm.index_chain(shape, key), Chain::Lacks)
}

/// A field that hot code stores to will not stay constant: gives up the
/// constant level so that the store can be compiled.
fn unconst_stores(vm: &mut VmState, slot: &FeedbackSlot) {
    for way in slot.ways() {
        if matches!(
            way.kind,
            WayKind::Own | WayKind::OwnOut | WayKind::Add | WayKind::AddOut
        ) {
            vm.generalize_constant(way);
        }
    }
}

/// Gives the tables that a site found inherited fields in shapes of their own,
/// so that a class's method is a constant even where classes are built alike.
fn separate_holders(vm: &mut VmState, slot: &FeedbackSlot) {
    for way in slot.ways() {
        if let Some(holder) = way.holder().filter(|_| way.epoch == vm.meta_epoch) {
            holder.make_singleton(vm);
        }
    }
}

/// Copies the feedback of `proto`. `osr_registers` are the running frame's
/// registers when an OSR entry is wanted.
///
/// Takes the VM mutably because constants that the function's stores would
/// break are generalized to their kind first.
pub fn snapshot(
    vm: &mut VmState,
    proto: Gc<FuncProto>,
    osr_registers: &[Value],
) -> FunctionSnapshot {
    let mut out = one_function(vm, proto, osr_registers);
    let mut size = 0;
    let mut next: Vec<Gc<FuncProto>> = callees(proto);
    for _ in 0..MAX_INLINE_DEPTH {
        for callee in std::mem::take(&mut next) {
            let code = callee.proto().code.len();
            let known = out.callees.contains_key(&callee.addr());
            if known || code > MAX_INLINE_SIZE || size + code > MAX_INLINE_TOTAL {
                continue;
            }
            size += code;
            let snapshot = one_function(vm, callee, &[]);
            out.callees.insert(callee.addr(), snapshot);
            next.extend(callees(callee));
        }
    }
    out.world = world::explore(vm, &out, proto);
    out
}

/// Largest function, in instructions, whose feedback goes along with that of
/// its callers.
const MAX_INLINE_SIZE: usize = 200;

/// Instructions of all functions that go along with one.
const MAX_INLINE_TOTAL: usize = 4000;

/// How far calls are followed.
const MAX_INLINE_DEPTH: usize = 8;

/// The Lua functions that a function was seen to call, and those that it makes
/// and that were called.
fn callees(proto: Gc<FuncProto>) -> Vec<Gc<FuncProto>> {
    let slots = proto.feedback_slots().iter();
    let called = slots
        .flat_map(|s| s.ways().chain(s.protected()))
        .filter_map(|way| match way.callee() {
            Some(Callee::Lua(callee)) => Some(callee),
            Some(Callee::Native(_)) => None,
            None => way.metamethod(),
        });
    let made = proto.cold().children.iter().copied();
    called.chain(made.filter(|p| p.calls.get() > 0)).collect()
}

/// Calls up to which a function counts as running once.
const FEW_CALLS: u32 = 8;

/// The instructions of each loop.
fn loops(code: &[vela_bytecode::Instr]) -> Vec<std::ops::RangeInclusive<usize>> {
    let back = |(pc, &i): (usize, &vela_bytecode::Instr)| {
        let target = vela_bytecode::flow::successors(i, pc).jump?;
        let target = usize::try_from(target).ok()?;
        (target <= pc).then_some(target..=pc)
    };
    code.iter().enumerate().filter_map(back).collect()
}

fn one_function(
    vm: &mut VmState,
    proto: Gc<FuncProto>,
    osr_registers: &[Value],
) -> FunctionSnapshot {
    use vela_bytecode::Op;
    let code = &proto.proto().code;
    // What a function that hardly ever runs does outside its loops is done
    // once: a main chunk's definitions of methods, say.
    let hot = proto.calls.get() >= FEW_CALLS;
    let loops = if hot { Vec::new() } else { loops(code) };
    for (pc, i) in code.iter().enumerate() {
        let repeated = hot || loops.iter().any(|l| l.contains(&pc));
        if repeated
            && matches!(i.op(), Some(Op::SetField | Op::SetTabUp))
            && let Some(slot) = proto.feedback_slots().get(i.d() as usize)
        {
            unconst_stores(vm, slot);
        }
    }
    for slot in proto.feedback_slots() {
        separate_holders(vm, slot);
        metatables::unconst(vm, slot);
    }
    let slots = proto.feedback_slots().iter();
    let mut sites: Vec<SiteSnapshot> = slots.map(|s| site_snapshot(vm, s)).collect();
    for i in code {
        if i.op() == Some(Op::NewTable)
            && let Some(site) = sites.get_mut(i.d() as usize)
        {
            let slot = &proto.feedback_slots()[i.d() as usize];
            let root = vm.root_of_site(slot, i.c() as usize);
            site.alloc = Some(AllocSnapshot {
                root: std::ptr::from_ref(root) as u64,
                inline_cap: root.inline_cap,
                elems: vm.elems_of_site(slot) as u8,
            });
        }
    }
    FunctionSnapshot {
        proto: proto.proto().clone(),
        proto_addr: proto.addr(),
        proto_id: proto.id,
        arg_tags: proto.arg_tags,
        sites,
        meta_epoch: vm.meta_epoch,
        osr_tags: osr_registers.iter().map(|v| v.tag).collect(),
        strings: proto
            .cold()
            .constants
            .iter()
            .map(|c| if c.tag == Tag::STR { c.payload } else { 0 })
            .collect(),
        children: proto.cold().children.iter().map(|c| c.addr()).collect(),
        callees: HashMap::new(),
        instances: field_snapshot(&proto.cold().instances),
        world: World::default(),
        debuggable: vm.is_debuggable(),
        code_size: 0,
        settled: false,
    }
}

/// Whether stores to tables of this shape must take the slow path.
#[must_use]
pub fn stores_are_slow(shape: &ShapeSnapshot) -> bool {
    shape.flags & META != 0
}

const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<FunctionSnapshot>();
};
