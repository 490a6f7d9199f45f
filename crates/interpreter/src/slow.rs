//! What instructions do beyond their fast paths.
//!
//! Functions here take the frame's registers and the instruction, run it
//! completely, and return `true`, or `false` after raising an error. The
//! dispatch loop calls them for its uncommon cases; compiled code calls them
//! through `interp_one`.

use crate::frames::{
    closure, copy, copy_down, distance, fill_nil, key, proto, record, save_pc, store,
};
use crate::ic;
use crate::unwind::{self, stack_overflow};
use vela_bytecode::{FRAME_SLOTS, Instr, Op, RK_CONST_BASE, UpvalSource};
use vela_objects::closure::NativeClosure;
use vela_objects::feedback::{FeedbackSlot, arith, index};
use vela_objects::intrinsic::Intrinsic;
use vela_objects::meta::Event;
use vela_objects::ops::{ArithOp, arith_numbers, for_limit};
use vela_objects::shape::OBJECT_META;
use vela_objects::table::ELEMS_MIXED;
use vela_objects::{Cell, Gc, LuaResult, Table, Tag, Value, VmState};

#[inline]
unsafe fn feedback(base: *mut Value, slot: u16) -> *mut FeedbackSlot {
    // SAFETY: the verifier checked the slot number.
    unsafe { (*proto(base)).feedback.add(slot as usize) }
}

#[inline]
unsafe fn constant(base: *mut Value, i: u16) -> *const Value {
    // SAFETY: the verifier checked the index.
    unsafe { (*proto(base)).constants.add(i as usize) }
}

/// Register or constant.
#[inline]
unsafe fn rk(base: *mut Value, x: u16) -> Value {
    // SAFETY: the verifier checked the operand.
    unsafe {
        if x >= RK_CONST_BASE {
            *constant(base, x - RK_CONST_BASE)
        } else {
            *base.add(x as usize)
        }
    }
}

/// The content of upvalue `i`.
#[inline]
unsafe fn upval(base: *mut Value, i: u16) -> *mut Cell {
    // SAFETY: the verifier checked the index.
    unsafe { *Gc::from_ptr(closure(base)).upvals_ptr().add(i as usize) }
}

#[inline]
unsafe fn cell_value(c: *const Cell) -> Value {
    // SAFETY: a live cell.
    unsafe {
        Value {
            payload: (*c).payload,
            tag: Tag((*c).header.aux),
        }
    }
}

macro_rules! slow_fn {
    ($(#[$meta:meta])* $name:ident($vm:ident, $base:ident, $pc:ident, $i:ident) $body:block) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// `pc` is an instruction for this function, of the Lua frame at `base`.
        pub(crate) unsafe fn $name($vm: &mut VmState, $base: *mut Value, $pc: *const Instr) -> bool {
            // SAFETY: by contract; operands were checked by the verifier.
            unsafe {
                save_pc($base, $pc);
                let $i = *$pc;
                $body
            }
        }
    };
}

// ---- fields and indexes ------------------------------------------------

/// `R[a] = o[K[c]]` through every cache, then in general.
#[inline]
unsafe fn get_named(vm: &mut VmState, base: *mut Value, pc: *const Instr, o: Value) -> bool {
    // SAFETY: as the slow paths.
    unsafe {
        let i = *pc;
        let fb = feedback(base, i.d());
        let name = key(constant(base, i.c()));
        if o.tag == Tag::TABLE
            && let Some(v) = ic::get_cached(vm, o.payload as *const Table, name, fb)
        {
            (*fb).result |= 1 << (v.tag.0 & 15);
            store(base.add(i.a() as usize), v);
            return true;
        }
        save_pc(base, pc);
        let r = ic::get_prop(vm, o, name, fb);
        put_noted(base, i, fb, r)
    }
}

/// `GetTabUp`
///
/// # Safety
/// `pc` is an instruction for this function, of the Lua frame at `base`.
#[inline(never)]
pub(crate) unsafe fn get_tab_up(vm: &mut VmState, base: *mut Value, pc: *const Instr) -> bool {
    // SAFETY: by contract.
    unsafe { get_named(vm, base, pc, cell_value(upval(base, (*pc).b()))) }
}

/// `GetField`
///
/// # Safety
/// As [`get_tab_up`].
#[inline(never)]
pub(crate) unsafe fn get_field(vm: &mut VmState, base: *mut Value, pc: *const Instr) -> bool {
    // SAFETY: by contract.
    unsafe { get_named(vm, base, pc, *base.add((*pc).b() as usize)) }
}

/// `SelfGet`
///
/// # Safety
/// As [`get_tab_up`].
#[inline(never)]
pub(crate) unsafe fn self_get(vm: &mut VmState, base: *mut Value, pc: *const Instr) -> bool {
    // SAFETY: by contract.
    unsafe {
        let i = *pc;
        let o = *base.add(i.b() as usize);
        // An error names the receiver's register, so that stays until the
        // field is found.
        get_named(vm, base, pc, o) && {
            store(base.add(i.a() as usize + FRAME_SLOTS), o);
            true
        }
    }
}

/// Stores a loaded field in `R[a]` and records its tag.
#[inline]
unsafe fn put_noted(
    base: *mut Value,
    i: Instr,
    fb: *mut FeedbackSlot,
    r: LuaResult<Value>,
) -> bool {
    match r {
        Ok(v) => {
            // SAFETY: a register and the site's feedback.
            unsafe {
                (*fb).result |= 1 << (v.tag.0 & 15);
                store(base.add(i.a() as usize), v);
            }
            true
        }
        Err(_) => false,
    }
}

slow_fn! {
    /// `SetTabUp`
    #[inline(never)]
    set_tab_up(vm, base, pc, i) {
        let o = cell_value(upval(base, i.b()));
        let v = *base.add(i.a() as usize);
        ic::set_prop(vm, o, key(constant(base, i.c())), v, feedback(base, i.d())).is_ok()
    }
}

slow_fn! {
    /// `SetField`
    #[inline(never)]
    set_field(vm, base, pc, i) {
        let o = *base.add(i.a() as usize);
        let v = rk(base, i.c());
        ic::set_prop(vm, o, key(constant(base, i.b())), v, feedback(base, i.d())).is_ok()
    }
}

/// Whether the table has no metatable.
#[inline]
fn plain(t: Gc<Table>) -> bool {
    let s = t.shape();
    s.metatable.is_null() && s.flags & OBJECT_META == 0
}

#[inline]
fn note_elems(fb: &mut FeedbackSlot, t: Gc<Table>) {
    let kind = t.header.aux;
    if kind == ELEMS_MIXED {
        fb.index |= index::MIXED;
    } else {
        fb.index |= index::TYPED;
        fb.elems |= 1 << (kind & 15);
    }
}

#[inline]
unsafe fn get_with_key(
    vm: &mut VmState,
    o: Value,
    k: Value,
    fb: *mut FeedbackSlot,
) -> LuaResult<Value> {
    let site = fb;
    // SAFETY: the site's feedback; no other reference to it is alive.
    let fb = unsafe { &mut *fb };
    let Some(t) = o.as_table() else {
        fb.index |= index::OTHER;
        return vm.index(o, k);
    };
    // A metamethod gets the key as it is.
    let given = k;
    let mut k = k;
    if k.tag == Tag::FLOAT
        && let Some(n) = k.to_int()
    {
        fb.index |= index::FLOAT_KEY;
        k = Value::int(n);
    }
    let found = match k.tag {
        Tag::STR => {
            fb.index |= index::STRING;
            // SAFETY: the tag says so.
            let s = unsafe { key(&raw const k) };
            ic::get_str_index(vm, t, s)
        }
        Tag::INT => {
            let n = k.payload as i64;
            if (n as u64).wrapping_sub(1) < u64::from(t.len) {
                note_elems(fb, t);
            } else {
                fb.index |= index::OTHER;
            }
            let v = t.get_int(n);
            (plain(t) || !v.is_nil()).then_some(v)
        }
        _ => {
            fb.index |= index::OTHER;
            let v = t.get(k);
            (plain(t) || !v.is_nil()).then_some(v)
        }
    };
    if let Some(v) = found {
        return Ok(v);
    }
    // SAFETY: the site's feedback; `fb` is not used any more.
    unsafe { ic::note_accessor(vm, site, o, Event::Index) };
    vm.index(o, given)
}

slow_fn! {
    /// `GetIndex`
    #[inline(never)]
    get_index(vm, base, pc, i) {
        let o = *base.add(i.b() as usize);
        let k = *base.add(i.c() as usize);
        let fb = feedback(base, i.d());
        let r = get_with_key(vm, o, k, fb);
        put_noted(base, i, fb, r)
    }
}

slow_fn! {
    /// `GetInt`
    #[inline(never)]
    get_int(vm, base, pc, i) {
        let o = *base.add(i.b() as usize);
        let fb = feedback(base, i.d());
        let r = get_with_key(vm, o, Value::int(i64::from(i.c())), fb);
        put_noted(base, i, fb, r)
    }
}

#[inline]
unsafe fn set_with_key(
    vm: &mut VmState,
    o: Value,
    k: Value,
    v: Value,
    fb: *mut FeedbackSlot,
) -> LuaResult<()> {
    let site = fb;
    // SAFETY: the site's feedback; no other reference to it is alive.
    let fb = unsafe { &mut *fb };
    let Some(t) = o.as_table() else {
        fb.index |= index::OTHER;
        return vm.set_index(o, k, v);
    };
    // A metamethod gets the key as it is.
    let given = k;
    let mut k = k;
    if k.tag == Tag::FLOAT
        && let Some(n) = k.to_int()
    {
        fb.index |= index::FLOAT_KEY;
        k = Value::int(n);
    }
    match k.tag {
        Tag::STR => {
            fb.index |= index::STRING;
            // SAFETY: the tag says so.
            let s = unsafe { key(&raw const k) };
            if ic::set_str_index(vm, t, s, v, true) {
                return Ok(());
            }
        }
        Tag::INT => {
            let n = k.payload as i64;
            let at = (n as u64).wrapping_sub(1);
            let len = u64::from(t.len);
            if at < len {
                note_elems(fb, t);
            } else if at == len {
                fb.index |= index::APPEND;
            } else {
                fb.index |= index::OTHER;
            }
            if v.tag.0 < 16 {
                fb.result |= 1 << v.tag.0;
            }
            if plain(t) || (at < len && !t.get_int(n).is_nil()) {
                t.set_int(vm, n, v);
                return Ok(());
            }
        }
        _ => fb.index |= index::OTHER,
    }
    if !plain(t) && t.get(k).is_nil() {
        // SAFETY: the site's feedback; `fb` is not used any more.
        unsafe { ic::note_accessor(vm, site, o, Event::NewIndex) };
    }
    vm.set_index(o, given, v)
}

slow_fn! {
    /// `SetIndex`
    #[inline(never)]
    set_index(vm, base, pc, i) {
        let o = *base.add(i.a() as usize);
        let k = *base.add(i.b() as usize);
        let v = rk(base, i.c());
        set_with_key(vm, o, k, v, feedback(base, i.d())).is_ok()
    }
}

slow_fn! {
    /// `SetInt`
    #[inline(never)]
    set_int(vm, base, pc, i) {
        let o = *base.add(i.a() as usize);
        let v = rk(base, i.c());
        set_with_key(vm, o, Value::int(i64::from(i.b())), v, feedback(base, i.d())).is_ok()
    }
}

slow_fn! {
    /// `SetList`
    #[inline(never)]
    set_list(vm, base, pc, i) {
        let first = base.add(i.a() as usize + 1);
        let n = if i.b() == 0 { distance(first, vm.top) } else { i.b() as usize };
        let t: Gc<Table> = Gc::from_ptr((*base.add(i.a() as usize)).payload as *mut Table);
        t.set_list(vm, i.bx() as usize + 1, std::slice::from_raw_parts(first, n));
        true
    }
}

slow_fn! {
    /// `NewTable`
    #[inline(never)]
    new_table(vm, base, pc, i) {
        let site = feedback(base, i.d());
        let t = vm.table_of_site(site, i.c() as usize, i.b() as usize);
        store(base.add(i.a() as usize), Value::table(t));
        true
    }
}

// ---- arithmetic --------------------------------------------------------

/// The operator of an arithmetic opcode.
fn operator(op: u8) -> ArithOp {
    use ArithOp as A;
    // SAFETY: the verifier checked the opcode.
    match unsafe { std::mem::transmute::<u8, Op>(op) } {
        Op::Add | Op::AddK | Op::AddI => A::Add,
        Op::Sub | Op::SubK | Op::SubI => A::Sub,
        Op::Mul | Op::MulK => A::Mul,
        Op::Div | Op::DivK => A::Div,
        Op::Mod | Op::ModK => A::Mod,
        Op::IDiv | Op::IDivK => A::IDiv,
        Op::Pow | Op::PowK => A::Pow,
        Op::BAnd | Op::BAndK => A::BAnd,
        Op::BOr | Op::BOrK => A::BOr,
        Op::BXor | Op::BXorK => A::BXor,
        Op::Shl | Op::ShlK => A::Shl,
        Op::Shr | Op::ShrK => A::Shr,
        Op::BNot => A::BNot,
        _ => A::Unm,
    }
}

/// The type bit for two operands.
#[inline]
pub(crate) fn operand_bit(a: Tag, b: Tag) -> u8 {
    match (a, b) {
        (Tag::INT, Tag::INT) => arith::INT,
        (Tag::FLOAT, Tag::FLOAT) => arith::FLOAT,
        (Tag::STR, Tag::STR) => arith::STRING,
        _ if a.is_number() && b.is_number() => arith::MIXED,
        _ => arith::OTHER,
    }
}

#[inline]
unsafe fn arith_values(
    vm: &mut VmState,
    base: *mut Value,
    pc: *const Instr,
    x: Value,
    y: Value,
) -> bool {
    // SAFETY: as the slow paths.
    unsafe {
        let i = *pc;
        let op = operator(i.op_byte());
        let fb = feedback(base, i.d());
        // `SubI` adds the negated number, which matters for -0.0 - 0.
        let numbers = if i.op_byte() == Op::SubI as u8 {
            arith_numbers(ArithOp::Add, x, Value::int(-i64::from(i.sc())))
        } else {
            arith_numbers(op, x, y)
        };
        let r = match numbers {
            Some(v) => {
                (*fb).arith |= operand_bit(x.tag, y.tag);
                Ok(v)
            }
            None => {
                (*fb).arith |= arith::OTHER;
                ic::note_metamethod(vm, fb, [x, y], op.event());
                vm.arith(op, x, y)
            }
        };
        match r {
            Ok(v) => {
                (*fb).result |= 1 << (v.tag.0 & 15);
                store(base.add(i.a() as usize), v);
                true
            }
            Err(_) => false,
        }
    }
}

slow_fn! {
    /// Arithmetic on two registers.
    #[inline(never)]
    arith_rr(vm, base, pc, i) {
        arith_values(vm, base, pc, *base.add(i.b() as usize), *base.add(i.c() as usize))
    }
}

slow_fn! {
    /// Arithmetic on a register and a constant.
    #[inline(never)]
    arith_rk(vm, base, pc, i) {
        arith_values(vm, base, pc, *base.add(i.b() as usize), *constant(base, i.c()))
    }
}

slow_fn! {
    /// Arithmetic on a register and an immediate.
    #[inline(never)]
    arith_ri(vm, base, pc, i) {
        arith_values(vm, base, pc, *base.add(i.b() as usize), Value::int(i64::from(i.sc())))
    }
}

slow_fn! {
    /// `Unm`, `BNot`
    #[inline(never)]
    arith_unary(vm, base, pc, i) {
        let x = *base.add(i.b() as usize);
        arith_values(vm, base, pc, x, x)
    }
}

slow_fn! {
    /// `Len`
    #[inline(never)]
    len(vm, base, pc, i) {
        let x = *base.add(i.b() as usize);
        let fb = feedback(base, i.d());
        (*fb).arith |= match x.tag {
            Tag::STR => arith::STRING,
            Tag::TABLE if plain(Gc::from_ptr(x.payload as *mut Table)) => arith::INT,
            _ => arith::OTHER,
        };
        if (*fb).arith & arith::OTHER != 0 {
            ic::note_metamethod(vm, fb, [x, x], Event::Len);
        }
        let r = vm.len_of(x);
        put_noted(base, i, fb, r)
    }
}

slow_fn! {
    /// `Concat`
    #[inline(never)]
    concat(vm, base, pc, i) {
        let values = std::slice::from_raw_parts(base.add(i.b() as usize), i.c() as usize);
        let fb = feedback(base, i.d());
        let strings = values.iter().all(|v| v.tag == Tag::STR);
        (*fb).arith |= if strings { arith::STRING } else { arith::OTHER };
        if let &[x, y] = values && !strings {
            ic::note_metamethod(vm, fb, [x, y], Event::Concat);
        }
        let r = vm.concat(values);
        put_noted(base, i, fb, r)
    }
}

// ---- comparisons -------------------------------------------------------

/// Result of a comparison: the condition, or `2` after raising an error.
pub(crate) const RAISED: u8 = 2;

/// The comparison at `pc`, feedback included: 0, 1 or [`RAISED`].
///
/// # Safety
/// `pc` is a comparison of the Lua frame at `base`.
#[inline(never)]
pub(crate) unsafe fn compare(vm: &mut VmState, base: *mut Value, pc: *const Instr) -> u8 {
    // SAFETY: by contract; operands were checked by the verifier.
    unsafe {
        save_pc(base, pc);
        let i = *pc;
        let fb = feedback(base, i.d());
        let x = *base.add(i.a() as usize);
        let imm = || Value::int(i64::from(i.sb()));
        let (y, bit, r);
        match std::mem::transmute::<u8, Op>(i.op_byte()) {
            Op::Eq => {
                y = *base.add(i.b() as usize);
                bit = operand_bit(x.tag, y.tag);
                if x.tag == Tag::TABLE && y.tag == Tag::TABLE {
                    ic::note_metamethod(vm, fb, [x, y], Event::Eq);
                }
                r = vm.equals(x, y);
            }
            Op::EqK => {
                y = *constant(base, i.b());
                bit = operand_bit(x.tag, y.tag);
                r = Ok(x.raw_eq(y));
            }
            Op::Lt => {
                y = *base.add(i.b() as usize);
                bit = operand_bit(x.tag, y.tag);
                if bit == arith::OTHER {
                    ic::note_metamethod(vm, fb, [x, y], Event::Lt);
                }
                r = vm.less_than(x, y);
            }
            Op::Le => {
                y = *base.add(i.b() as usize);
                bit = operand_bit(x.tag, y.tag);
                if bit == arith::OTHER {
                    ic::note_metamethod(vm, fb, [x, y], Event::Le);
                }
                r = vm.less_equal(x, y);
            }
            Op::LtI => {
                bit = operand_bit(x.tag, Tag::INT);
                r = vm.less_than(x, imm());
            }
            Op::LeI => {
                bit = operand_bit(x.tag, Tag::INT);
                r = vm.less_equal(x, imm());
            }
            Op::GtI => {
                bit = operand_bit(x.tag, Tag::INT);
                r = vm.less_than(imm(), x);
            }
            _ => {
                bit = operand_bit(x.tag, Tag::INT);
                r = vm.less_equal(imm(), x);
            }
        }
        let Ok(met) = r else {
            (*fb).arith |= bit;
            return RAISED;
        };
        (*fb).arith |= bit | if met { arith::TAKEN } else { arith::NOT_TAKEN };
        u8::from(met)
    }
}

// ---- closures, variables, varargs --------------------------------------

slow_fn! {
    /// `NewCell`
    #[inline(never)]
    new_cell(vm, base, pc, i) {
        let c = vm.cell(*base.add(i.b() as usize));
        store(base.add(i.a() as usize), Value::cell(c));
        true
    }
}

slow_fn! {
    /// `GetCell`
    get_cell(vm, base, pc, i) {
        let _ = &vm;
        let c = (*base.add(i.b() as usize)).payload as *const Cell;
        store(base.add(i.a() as usize), cell_value(c));
        true
    }
}

slow_fn! {
    /// `SetCell`
    set_cell(vm, base, pc, i) {
        let c: Gc<Cell> = Gc::from_ptr((*base.add(i.a() as usize)).payload as *mut Cell);
        let v = *base.add(i.b() as usize);
        c.set(v);
        vm.barrier(v);
        true
    }
}

slow_fn! {
    /// `GetUpval`
    get_upval(vm, base, pc, i) {
        let _ = &vm;
        store(base.add(i.a() as usize), cell_value(upval(base, i.b())));
        true
    }
}

slow_fn! {
    /// `SetUpval`
    set_upval(vm, base, pc, i) {
        let c: Gc<Cell> = Gc::from_ptr(upval(base, i.b()));
        let v = *base.add(i.a() as usize);
        c.set(v);
        vm.barrier(v);
        true
    }
}

slow_fn! {
    /// `Closure`
    #[inline(never)]
    make_closure(vm, base, pc, i) {
        let cold = &(*proto(base)).cold;
        let child = cold.children[i.bx() as usize];
        let upvals = &cold.proto.protos[i.bx() as usize].upvals;
        let own = Gc::from_ptr(closure(base)).upvals_ptr();
        let find = |n: usize| match upvals[n].source {
            UpvalSource::ParentCell(r) => Gc::from_ptr((*base.add(r as usize)).payload as *mut Cell),
            UpvalSource::ParentUpval(u) => Gc::from_ptr(*own.add(u as usize)),
        };
        let c = vm.closure(child, find, upvals.len());
        store(base.add(i.a() as usize), Value::lua_fn(c));
        true
    }
}

slow_fn! {
    /// `Tbc`
    #[inline(never)]
    tbc(vm, base, pc, i) {
        mark_tbc(vm, base, pc, i.a())
    }
}

slow_fn! {
    /// `TForPrep` without its jump.
    #[inline(never)]
    tfor_prep(vm, base, pc, i) {
        let v = *base.add(i.a() as usize + 3);
        v.is_nil() || mark_tbc(vm, base, pc, i.a() + 3)
    }
}

#[cold]
unsafe fn mark_tbc(vm: &mut VmState, base: *mut Value, pc: *const Instr, reg: u8) -> bool {
    // SAFETY: a register of the running frame.
    unsafe {
        let p = Gc::from_ptr(proto(base));
        let pc = pc.offset_from(p.code) as u32;
        let name = vela_bytecode::names::local_name(p.proto(), pc + 1, reg).unwrap_or("?");
        unwind::mark_tbc(vm, base.add(reg as usize), name).is_ok()
    }
}

slow_fn! {
    /// `Close`
    #[inline(never)]
    close(vm, base, pc, i) {
        unwind::close_scope(vm, base.add(i.a() as usize)).is_ok()
    }
}

slow_fn! {
    /// What a return does before it returns.
    close_frame(vm, base, pc, i) {
        debug_assert!(i.op_byte() != Op::Return as u8 || i.b() != 0);
        unwind::close_scope(vm, base).is_ok()
    }
}

slow_fn! {
    /// `Vararg`
    #[inline(never)]
    vararg(vm, base, pc, i) {
        let r = record(base);
        let n = (*r).nvarargs as usize;
        let src = r.cast::<Value>().sub(n);
        let dst = base.add(i.a() as usize);
        if i.b() == 0 {
            if dst.add(n) >= vm.real_stack_limit {
                let _ = stack_overflow(vm);
                return false;
            }
            copy_down_from_below(dst, src, n);
            vm.top = dst.add(n);
        } else {
            let wanted = i.b() as usize - 1;
            let given = n.min(wanted);
            copy_down_from_below(dst, src, given);
            fill_nil(dst.add(given), wanted - given);
        }
        true
    }
}

/// Copies between areas that do not overlap.
#[inline]
unsafe fn copy_down_from_below(dst: *mut Value, src: *const Value, n: usize) {
    // SAFETY: extra arguments are below the frame's record.
    unsafe { copy_down(dst, src, n) }
}

/// Moves the frame at `base` above its `nargs` arguments, as `varargprep`
/// does, and returns its new registers; null when there is no room. The
/// caller sets `vm.frame` and checks limits.
///
/// # Safety
/// `base` is a frame of a vararg function; missing parameters were set to nil.
pub(crate) unsafe fn move_vararg_frame(
    vm: &mut VmState,
    base: *mut Value,
    nargs: usize,
) -> *mut Value {
    // SAFETY: room is checked first.
    unsafe {
        let p = proto(base);
        let params = (*p).num_params as usize;
        let n = nargs.max(params);
        let new = base.add(FRAME_SLOTS + n);
        if new.add((*p).max_stack as usize) > vm.real_stack_limit {
            return std::ptr::null_mut();
        }
        let (from, to) = (record(base), record(new));
        *to = std::ptr::read(from);
        (*to).nvarargs = (n - params) as u32;
        for i in 0..params {
            copy(new.add(i), base.add(i));
        }
        new
    }
}

slow_fn! {
    /// `ForPrep` without its jump: false when an error was raised or the loop
    /// does not run; then `vm.ret_count` is 1 for an error.
    #[inline(never)]
    for_prep(vm, base, pc, i) {
        let a = base.add(i.a() as usize);
        let r = prepare_for(vm, a);
        vm.ret_count = u64::from(r.is_err());
        let fb = feedback(base, i.b());
        (*fb).arith |= if (*a).tag == Tag::INT { arith::INT } else { arith::FLOAT };
        matches!(r, Ok(true))
    }
}

unsafe fn prepare_for(vm: &mut VmState, a: *mut Value) -> LuaResult<bool> {
    // SAFETY: the loop's four registers.
    unsafe {
        let (start, limit, step) = (*a, *a.add(1), *a.add(2));
        if let (Some(first), Some(by)) = (start.as_int(), step.as_int()) {
            if by == 0 {
                return Err(vm.error("'for' step is zero"));
            }
            let limit = for_number(vm, limit, "limit")?;
            let Some(last) = for_limit(first, limit, by) else {
                return Ok(false);
            };
            store(a.add(1), Value::int(last));
            copy(a.add(3), a);
            return Ok(true);
        }
        let limit = for_number(vm, limit, "limit")?;
        let step = for_number(vm, step, "step")?;
        let start = for_number(vm, start, "initial value")?;
        let as_float = |v: Value| v.to_float().unwrap_or(0.0);
        let (first, last, by) = (as_float(start), as_float(limit), as_float(step));
        if by == 0.0 {
            return Err(vm.error("'for' step is zero"));
        }
        store(a, Value::float(first));
        store(a.add(1), Value::float(last));
        store(a.add(2), Value::float(by));
        store(a.add(3), Value::float(first));
        // With a NaN among the three the loop runs once.
        let beyond = if by > 0.0 { last < first } else { first < last };
        Ok(!beyond)
    }
}

/// Advances the numeric loop whose registers are at `a`; whether the body runs
/// again.
///
/// # Safety
/// `a` is the first of the four registers of a prepared loop.
pub(crate) unsafe fn for_step(a: *mut Value) -> bool {
    // SAFETY: by contract; all three have the kind of the first.
    unsafe {
        if (*a).tag == Tag::INT {
            int_step(a)
        } else {
            float_step(a)
        }
    }
}

/// Takes a loop over integers with the state at `a` (index, limit, step) to
/// its next iteration, unless it is done.
///
/// # Safety
/// `a` and the three registers behind it are those of such a loop.
#[inline(always)]
pub(crate) unsafe fn int_step(a: *mut Value) -> bool {
    // SAFETY: by contract.
    unsafe {
        let (at, last, step) = (
            (*a).payload as i64,
            (*a.add(1)).payload as i64,
            (*a.add(2)).payload as i64,
        );
        // The distance left is at least the step, unsigned.
        let fits = if step > 0 {
            (last.wrapping_sub(at) as u64) >= step as u64
        } else {
            (at.wrapping_sub(last) as u64) >= (step as u64).wrapping_neg()
        };
        if fits {
            let next = at.wrapping_add(step);
            (*a).payload = next as u64;
            store(a.add(3), Value::int(next));
        }
        fits
    }
}

/// As [`int_step`] for a loop over floats.
///
/// # Safety
/// As there.
#[inline(always)]
pub(crate) unsafe fn float_step(a: *mut Value) -> bool {
    // SAFETY: by contract.
    unsafe {
        let at = f64::from_bits((*a).payload);
        let last = f64::from_bits((*a.add(1)).payload);
        let step = f64::from_bits((*a.add(2)).payload);
        let next = at + step;
        let fits = if step > 0.0 {
            next <= last
        } else {
            last <= next
        };
        if fits {
            (*a).payload = next.to_bits();
            store(a.add(3), Value::float(next));
        }
        fits
    }
}

fn for_number(vm: &mut VmState, v: Value, what: &str) -> LuaResult<Value> {
    if let Some(n) = vm.coerce_number(v) {
        return Ok(n);
    }
    let name = vm.type_name_of(v);
    Err(vm.error(format!("bad 'for' {what} (number expected, got {name})")))
}

/// One step of `next` in a generic `for` whose control registers are at `a`:
/// puts the pair in `R[a+4]`, `R[a+5]` (a nil key at the end). Returns false
/// when the general way has to report an error.
///
/// # Safety
/// `a` are the loop's registers with table `t` in the second; `fb` is the
/// site's feedback; `native` the function called.
#[inline(never)]
pub(crate) unsafe fn next_pair(
    t: Gc<Table>,
    a: *mut Value,
    fb: *mut FeedbackSlot,
    native: u64,
) -> bool {
    // SAFETY: by contract.
    unsafe {
        if (*fb).way.aux != native {
            ic::note_target(fb, native, native);
        }
        match t.next_hinted(*a.add(2), &mut (*fb).hint) {
            Ok(Some((k, v))) => {
                store(a.add(4), k);
                store(a.add(5), v);
            }
            Ok(None) => {
                store(a.add(4), Value::NIL);
                store(a.add(5), Value::NIL);
            }
            Err(_) => return false,
        }
        (*fb).result |= 1 << ((*a.add(4)).tag.0 & 15);
        true
    }
}

/// Takes a generic loop with the state at `a`, over a table by a native
/// function, to its next pair if the function is `next` or that of `ipairs`
/// and nothing else is special.
///
/// # Safety
/// The registers of such a loop, and the feedback of its call.
#[inline(always)]
pub(crate) unsafe fn known_step(a: *mut Value, fb: *mut FeedbackSlot) -> bool {
    // SAFETY: by contract.
    unsafe {
        let n = (*a).payload as *const NativeClosure;
        let t: Gc<Table> = Gc::from_ptr((*a.add(1)).payload as *mut Table);
        let known = (*n).intrinsic;
        if known == Intrinsic::Next as u16 {
            next_pair(t, a, fb, n as u64)
        } else {
            known == Intrinsic::IPairsNext as u16 && ipairs_pair(t, a, fb, n as u64)
        }
    }
}

/// One step of `ipairs` in a generic `for`, as [`next_pair`]; returns false
/// when the general way has to look.
///
/// # Safety
/// As [`next_pair`].
#[inline(never)]
pub(crate) unsafe fn ipairs_pair(
    t: Gc<Table>,
    a: *mut Value,
    fb: *mut FeedbackSlot,
    native: u64,
) -> bool {
    // SAFETY: by contract.
    unsafe {
        let control = a.add(2);
        let n = (*control).payload.wrapping_add(1);
        if (*control).tag != Tag::INT || n.wrapping_sub(1) >= u64::from(t.len) {
            return false;
        }
        let v = t.get_int(n as i64);
        if v.is_nil() {
            return false;
        }
        if (*fb).way.aux != native {
            ic::note_target(fb, native, native);
        }
        (*fb).result |= 1 << Tag::INT.0;
        note_elems(&mut *fb, t);
        store(a.add(4), Value::int(n as i64));
        store(a.add(5), v);
        true
    }
}
