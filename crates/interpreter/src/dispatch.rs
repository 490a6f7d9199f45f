//! The loop over instructions.
//!
//! One `match` on the opcode. The loop's state is four raw pointers (next
//! instruction, registers, constants, feedback) and the prototype; nothing in
//! it has a destructor, and whatever is not common is a call out of line. The
//! verifier has accepted every prototype that gets here, so operands are used
//! unchecked.

mod operands;

use self::operands::{
    FLOAT, INT, NIL, SAME_TAG_BIT, TABLE, as_float, note, note_index, note_result, opcode,
    set_float, set_int, upval,
};
use crate::call::{self, End, Status};
use crate::frames::{LUA_WORD, copy, distance, fill_nil, record, save_pc, store};
use crate::{ic, slow, trace};
use std::hint::cold_path;
use vela_bytecode::{FRAME_SLOTS, Instr, Op, RK_CONST_BASE};
use vela_objects::closure::{FuncProto, LuaClosure};
use vela_objects::feedback::{FeedbackSlot, WayKind, arith as bits, index as index_bits};
use vela_objects::frame::{FrameRecord, flags};
use vela_objects::object::header_flags;
use vela_objects::ops::{float_mod, float_pow, int_floor_div, int_mod};
use vela_objects::shape::{FieldInfo, OBJECT_META};
use vela_objects::table::{ELEMS_BOOL, ELEMS_MIXED, elem_byte, store_elem};
use vela_objects::{Cell, Table, Tag, Value, VmState};

/// Runs `vm.frame` and what it calls until its entry frame returns, with the
/// results at `vm.ret_base`; or to an error, with the frames still in place;
/// or to where the other copy of the loop has to go on.
///
/// With `TRACE` it counts what it executes in `vm.executed` and raises the
/// events of debug hooks.
///
/// # Safety
/// `vm.frame` is an interpreted frame with a current pc, and it or a frame
/// below is flagged `ENTRY`, with interpreted frames only in between.
#[allow(clippy::cognitive_complexity)]
pub(crate) unsafe fn run<const TRACE: bool>(vm: &mut VmState) -> End {
    // SAFETY: the contract above, the verifier's checks, and the frame layout
    // make every access below one to an initialised slot of the running
    // frame, its prototype, or a live object.
    unsafe {
        let mut base: *mut Value;
        let mut proto: *mut FuncProto;
        let mut pc: *const Instr;
        let mut k: *const Value;
        let mut fb: *mut FeedbackSlot;

        // The instruction before in the same frame, for hooks.
        let mut old = 0;
        macro_rules! reload {
            () => {{
                let r = vm.frame;
                if TRACE {
                    old = (*r).pc.saturating_sub(1);
                }
                base = FrameRecord::registers(r);
                proto = (*((*r).func as *mut LuaClosure)).proto.as_ptr();
                pc = (*proto).code.wrapping_add((*r).pc as usize).wrapping_sub(1);
                k = (*proto).constants;
                fb = (*proto).feedback;
            }};
        }
        reload!();

        loop {
            // `pc` stays at the instruction while it runs.
            pc = pc.wrapping_add(1);
            let i = *pc;
            if TRACE && let Some(end) = trace::before(vm, base, pc, &mut old) {
                return end;
            }

            macro_rules! ra {
                () => {
                    base.add(i.a() as usize)
                };
            }
            macro_rules! rb {
                () => {
                    base.add(i.b() as usize)
                };
            }
            macro_rules! rc {
                () => {
                    base.add(i.c() as usize)
                };
            }
            macro_rules! kc {
                () => {
                    k.add(i.c() as usize)
                };
            }
            macro_rules! rk {
                ($x:expr) => {{
                    let x = $x;
                    if x >= RK_CONST_BASE {
                        k.add((x - RK_CONST_BASE) as usize)
                    } else {
                        base.add(x as usize).cast_const()
                    }
                }};
            }
            macro_rules! site {
                () => {
                    fb.add(i.d() as usize)
                };
            }
            // What ran out of line may have set a hook.
            macro_rules! switch {
                () => {
                    if !TRACE && vm.hook_mask != 0 {
                        cold_path();
                        save_pc(base, pc.add(1));
                        return End::Switch;
                    }
                };
            }
            macro_rules! slow {
                ($f:path) => {{
                    if !$f(vm, base, pc) {
                        return End::Error;
                    }
                    switch!();
                }};
            }
            macro_rules! poll {
                () => {
                    if vm.gc_due() {
                        cold_path();
                        save_pc(base, pc.add(1));
                        if vm.gc_poll() {
                            save_pc(base, pc);
                            let _ = vm.out_of_memory();
                            return End::Error;
                        }
                        switch!();
                    }
                };
            }
            macro_rules! follow {
                ($status:expr) => {
                    match $status {
                        Status::Done => {}
                        Status::Reload => reload!(),
                        Status::Switch if TRACE => reload!(),
                        Status::Switch => return End::Switch,
                        Status::Exit => return End::Exit,
                        Status::Error => return End::Error,
                    }
                };
            }
            macro_rules! back_edge {
                () => {
                    let n = (*proto).loops.get().wrapping_add(1);
                    (*proto).loops.set(n);
                    if n >= (*proto).loop_trigger {
                        cold_path();
                        follow!(call::loop_trigger(vm, base, pc.wrapping_add(1)));
                    }
                };
            }
            // Arithmetic on two operands: integers, floats, both.
            macro_rules! arith {
                ($x:expr, $y:expr, $slow:path, $int:expr, $float:expr) => {{
                    let (x, y) = ($x, $y);
                    let (tx, ty) = ((*x).tag.0, (*y).tag.0);
                    if tx == INT && ty == INT {
                        note(site!(), bits::INT);
                        let f: fn(i64, i64) -> i64 = $int;
                        set_int(ra!(), f((*x).payload as i64, (*y).payload as i64));
                    } else if tx == FLOAT && ty == FLOAT {
                        note(site!(), bits::FLOAT);
                        let f: fn(f64, f64) -> f64 = $float;
                        set_float(
                            ra!(),
                            f(f64::from_bits((*x).payload), f64::from_bits((*y).payload)),
                        );
                    } else if tx & ty & !1 == INT && (tx | ty) & !1 == INT {
                        note(site!(), bits::MIXED);
                        let f: fn(f64, f64) -> f64 = $float;
                        set_float(ra!(), f(as_float(x), as_float(y)));
                    } else {
                        slow!($slow);
                    }
                }};
            }
            // Division and power: always floats.
            macro_rules! float_arith {
                ($x:expr, $y:expr, $slow:path, $float:expr) => {{
                    let (x, y) = ($x, $y);
                    let (tx, ty) = ((*x).tag.0, (*y).tag.0);
                    let f: fn(f64, f64) -> f64 = $float;
                    if tx == FLOAT && ty == FLOAT {
                        note(site!(), bits::FLOAT);
                        set_float(
                            ra!(),
                            f(f64::from_bits((*x).payload), f64::from_bits((*y).payload)),
                        );
                    } else if tx & ty & !1 == INT && (tx | ty) & !1 == INT {
                        note(site!(), if tx != ty { bits::MIXED } else { bits::INT });
                        set_float(ra!(), f(as_float(x), as_float(y)));
                    } else {
                        slow!($slow);
                    }
                }};
            }
            // Modulo and floor division: the integer forms need a divisor
            // that is not zero.
            macro_rules! div_arith {
                ($x:expr, $y:expr, $slow:path, $int:expr, $float:expr) => {{
                    let (x, y) = ($x, $y);
                    let (tx, ty) = ((*x).tag.0, (*y).tag.0);
                    if tx == INT && ty == INT && (*y).payload != 0 {
                        note(site!(), bits::INT);
                        let f: fn(i64, i64) -> i64 = $int;
                        set_int(ra!(), f((*x).payload as i64, (*y).payload as i64));
                    } else if tx == FLOAT && ty == FLOAT {
                        note(site!(), bits::FLOAT);
                        let f: fn(f64, f64) -> f64 = $float;
                        set_float(
                            ra!(),
                            f(f64::from_bits((*x).payload), f64::from_bits((*y).payload)),
                        );
                    } else {
                        slow!($slow);
                    }
                }};
            }
            macro_rules! bit_arith {
                ($x:expr, $y:expr, $slow:path, $int:expr) => {{
                    let (x, y) = ($x, $y);
                    if (*x).tag.0 == INT && (*y).tag.0 == INT {
                        note(site!(), bits::INT);
                        let f: fn(i64, i64) -> i64 = $int;
                        set_int(ra!(), f((*x).payload as i64, (*y).payload as i64));
                    } else {
                        slow!($slow);
                    }
                }};
            }
            // Shifts by less than 64 either way.
            macro_rules! shift_arith {
                ($x:expr, $y:expr, $slow:path, $int:expr) => {{
                    let (x, y) = ($x, $y);
                    if (*x).tag.0 == INT && (*y).tag.0 == INT && (*y).payload < 64 {
                        note(site!(), bits::INT);
                        let f: fn(u64, u64) -> u64 = $int;
                        set_int(ra!(), f((*x).payload, (*y).payload) as i64);
                    } else {
                        slow!($slow);
                    }
                }};
            }
            macro_rules! add_imm {
                ($n:expr) => {{
                    let x = rb!();
                    if (*x).tag.0 == INT {
                        note(site!(), bits::INT);
                        set_int(ra!(), ((*x).payload as i64).wrapping_add($n));
                    } else if (*x).tag.0 == FLOAT {
                        note(site!(), bits::MIXED);
                        set_float(ra!(), f64::from_bits((*x).payload) + $n as f64);
                    } else {
                        slow!(slow::arith_ri);
                    }
                }};
            }
            // Takes or skips the jump behind a comparison.
            macro_rules! branch {
                ($met:expr) => {
                    if $met == (i.c() != 0) {
                        pc = pc.wrapping_offset((*pc.add(1)).sbx() as isize + 1);
                    } else {
                        pc = pc.add(1);
                    }
                };
            }
            macro_rules! compare_slow {
                () => {{
                    let r = slow::compare(vm, base, pc);
                    if r == slow::RAISED {
                        return End::Error;
                    }
                    branch!((r != 0));
                    switch!();
                }};
            }
            macro_rules! compared {
                ($met:expr, $type:expr) => {{
                    let met: bool = $met;
                    // TAKEN is 32, NOT_TAKEN 64.
                    note(site!(), $type | bits::NOT_TAKEN >> u8::from(met));
                    branch!(met);
                }};
            }
            macro_rules! compare {
                ($y:expr, $int:expr, $float:expr) => {{
                    let (x, y) = (ra!(), $y);
                    let (tx, ty) = ((*x).tag.0, (*y).tag.0);
                    if tx == INT && ty == INT {
                        let f: fn(&i64, &i64) -> bool = $int;
                        compared!(f(&((*x).payload as i64), &((*y).payload as i64)), bits::INT);
                    } else if tx == FLOAT && ty == FLOAT {
                        let f: fn(&f64, &f64) -> bool = $float;
                        compared!(
                            f(&f64::from_bits((*x).payload), &f64::from_bits((*y).payload)),
                            bits::FLOAT
                        );
                    } else {
                        compare_slow!();
                    }
                }};
            }
            macro_rules! compare_imm {
                ($int:expr, $float:expr) => {{
                    let x = ra!();
                    if (*x).tag.0 == INT {
                        let f: fn(&i64, &i64) -> bool = $int;
                        compared!(f(&((*x).payload as i64), &i64::from(i.sb())), bits::INT);
                    } else if (*x).tag.0 == FLOAT {
                        let f: fn(&f64, &f64) -> bool = $float;
                        compared!(
                            f(&f64::from_bits((*x).payload), &f64::from(i.sb())),
                            bits::MIXED
                        );
                    } else {
                        compare_slow!();
                    }
                }};
            }
            // A field through the first way of the site, if it is one of the
            // receiver's own.
            macro_rules! own_field {
                ($t:expr, $dst:expr, $slow:path) => {{
                    let t: *const Table = $t;
                    let s = site!();
                    if (*s).way.shape == (*t).shape as u64 {
                        let v = if (*s).way.kind == WayKind::Own {
                            ic::inline_slot(t, (*s).way.inline_cap, (*s).way.slot)
                        } else if (*s).way.kind == WayKind::OwnOut {
                            ic::outer_slot(t, (*s).way.slot)
                        } else {
                            ic::read_way(vm, &(*s).way, t)
                        };
                        if v.tag.0 != NIL {
                            note_result(s, v.tag.0);
                            store($dst, v);
                            continue;
                        }
                    }
                    slow!($slow);
                }};
            }
            macro_rules! set_own_field {
                ($t:expr, $v:expr, $slow:path) => {{
                    let t: *mut Table = $t;
                    let v: *const Value = $v;
                    let v = Value {
                        payload: (*v).payload,
                        tag: (*v).tag,
                    };
                    let s = site!();
                    if (*s).way.shape == (*t).shape as u64 {
                        let kind = (*s).way.kind;
                        if kind == WayKind::Own || kind == WayKind::OwnOut {
                            let (p, tag) = if kind == WayKind::Own {
                                ic::inline_place(t, (*s).way.inline_cap, (*s).way.slot)
                            } else {
                                ic::outer_place(t, (*s).way.slot)
                            };
                            if *tag != NIL && ic::fits((*s).way.field as *const FieldInfo, v) {
                                *p = v.payload;
                                *tag = v.tag.0;
                                vm.barrier(v);
                                continue;
                            }
                        }
                    }
                    slow!($slow);
                }};
            }
            macro_rules! get_elem {
                ($t:expr, $key:expr, $slow:path) => {{
                    let t: *const Table = $t;
                    let at = ($key as u64).wrapping_sub(1);
                    if at < u64::from((*t).len) {
                        let kind = (*t).header.aux;
                        let mut payload = *(*t).elems.add(at as usize);
                        if kind != ELEMS_MIXED {
                            if kind == ELEMS_BOOL {
                                payload = u64::from(*elem_byte(t, at as usize));
                            }
                            note_index(site!(), index_bits::TYPED, kind);
                            store(
                                ra!(),
                                Value {
                                    payload,
                                    tag: Tag(kind),
                                },
                            );
                            continue;
                        }
                        let tag = *elem_byte(t, at as usize);
                        if tag != NIL {
                            let s = site!();
                            if (*s).index & index_bits::MIXED == 0 {
                                cold_path();
                                (*s).index |= index_bits::MIXED;
                            }
                            note_result(s, tag);
                            store(
                                ra!(),
                                Value {
                                    payload,
                                    tag: Tag(tag),
                                },
                            );
                            continue;
                        }
                    }
                    slow!($slow);
                }};
            }
            macro_rules! set_elem {
                ($t:expr, $key:expr, $v:expr, $slow:path) => {{
                    let t: *mut Table = $t;
                    let v: *const Value = $v;
                    let tag = (*v).tag.0;
                    let at = ($key as u64).wrapping_sub(1);
                    let kind = (*t).header.aux;
                    if at < u64::from((*t).len) {
                        if kind == tag {
                            note_index(site!(), index_bits::TYPED, kind);
                            store_elem(t, at as usize, kind, (*v).payload);
                            vm.barrier(*v);
                            continue;
                        }
                        if kind == ELEMS_MIXED && tag != NIL {
                            let old = elem_byte(t, at as usize);
                            if *old != NIL {
                                let s = site!();
                                if (*s).index & index_bits::MIXED == 0 {
                                    cold_path();
                                    (*s).index |= index_bits::MIXED;
                                }
                                *(*t).elems.add(at as usize) = (*v).payload;
                                *old = tag;
                                vm.barrier(*v);
                                continue;
                            }
                        }
                    } else if at == u64::from((*t).len)
                        && at < u64::from((*t).cap)
                        && kind == tag
                        && (*t).header.flags & header_flags::BEYOND == 0
                        && (*(*t).shape).metatable.is_null()
                    {
                        note_index(site!(), index_bits::APPEND, kind);
                        store_elem(t, at as usize, kind, (*v).payload);
                        (*t).len = at as u32 + 1;
                        vm.barrier(*v);
                        continue;
                    }
                    slow!($slow);
                }};
            }
            // The caller goes on after a return; `$value` is its single result
            // or none.
            macro_rules! return_values {
                ($src:expr, $n:expr) => {{
                    let (src, n): (*mut Value, usize) = ($src, $n);
                    let r = record(base);
                    let status = if (*r).flags & (flags::ENTRY | flags::TBC) != 0 {
                        call::return_slow(vm, base, pc, src, n)
                    } else if TRACE && vm.hook_mask != 0 {
                        call::hooked_return(vm, base, pc, src, n)
                    } else {
                        call::finish_return(vm, base, src, n)
                    };
                    follow!(status);
                }};
            }

            match opcode(i) {
                Op::Move => copy(ra!(), rb!()),
                Op::LoadInt => set_int(ra!(), i64::from(i.sbx())),
                Op::LoadFloat => set_float(ra!(), f64::from(i.sbx())),
                Op::LoadK => copy(ra!(), k.add(i.bx() as usize)),
                Op::LoadNil => fill_nil(ra!(), i.b() as usize + 1),
                Op::LoadBool => store(ra!(), Value::bool(i.b() != 0)),

                Op::NewCell => {
                    slow!(slow::new_cell);
                    poll!();
                }
                Op::GetCell => {
                    let c = (*rb!()).payload as *const Cell;
                    let v = Value {
                        payload: (*c).payload,
                        tag: Tag((*c).header.aux),
                    };
                    store(ra!(), v);
                }
                Op::SetCell => {
                    let c = (*ra!()).payload as *mut Cell;
                    let v = rb!();
                    (*c).payload = (*v).payload;
                    (*c).header.aux = (*v).tag.0;
                    vm.barrier(*v);
                }
                Op::GetUpval => {
                    let c = upval(base, i.b());
                    let v = Value {
                        payload: (*c).payload,
                        tag: Tag((*c).header.aux),
                    };
                    store(ra!(), v);
                }
                Op::SetUpval => {
                    let c = upval(base, i.b());
                    let v = ra!();
                    (*c).payload = (*v).payload;
                    (*c).header.aux = (*v).tag.0;
                    vm.barrier(*v);
                }

                Op::GetTabUp => {
                    let c = upval(base, i.b());
                    if (*c).header.aux == TABLE {
                        own_field!((*c).payload as *const Table, ra!(), slow::get_tab_up);
                    } else {
                        slow!(slow::get_tab_up);
                    }
                }
                Op::SetTabUp => {
                    let c = upval(base, i.b());
                    if (*c).header.aux == TABLE {
                        set_own_field!((*c).payload as *mut Table, ra!(), slow::set_tab_up);
                    } else {
                        slow!(slow::set_tab_up);
                    }
                }

                Op::NewTable => {
                    let site = (*proto).feedback.add(i.d() as usize);
                    let t = vm.table_of_site(site, i.c() as usize, i.b() as usize);
                    store(ra!(), Value::table(t));
                    poll!();
                }
                Op::GetField => {
                    let o = rb!();
                    if (*o).tag.0 == TABLE {
                        own_field!((*o).payload as *const Table, ra!(), slow::get_field);
                    } else {
                        slow!(slow::get_field);
                    }
                }
                Op::SetField => {
                    let o = ra!();
                    if (*o).tag.0 == TABLE {
                        set_own_field!((*o).payload as *mut Table, rk!(i.c()), slow::set_field);
                    } else {
                        slow!(slow::set_field);
                    }
                }
                Op::GetIndex => {
                    let (o, key) = (rb!(), rc!());
                    if (*o).tag.0 == TABLE && (*key).tag.0 == INT {
                        get_elem!(
                            (*o).payload as *const Table,
                            (*key).payload,
                            slow::get_index
                        );
                    } else {
                        slow!(slow::get_index);
                    }
                }
                Op::SetIndex => {
                    let (o, key) = (ra!(), rb!());
                    if (*o).tag.0 == TABLE && (*key).tag.0 == INT {
                        set_elem!(
                            (*o).payload as *mut Table,
                            (*key).payload,
                            rk!(i.c()),
                            slow::set_index
                        );
                    } else {
                        slow!(slow::set_index);
                    }
                }
                Op::GetInt => {
                    let o = rb!();
                    if (*o).tag.0 == TABLE {
                        get_elem!((*o).payload as *const Table, i.c(), slow::get_int);
                    } else {
                        slow!(slow::get_int);
                    }
                }
                Op::SetInt => {
                    let o = ra!();
                    if (*o).tag.0 == TABLE {
                        set_elem!((*o).payload as *mut Table, i.b(), rk!(i.c()), slow::set_int);
                    } else {
                        slow!(slow::set_int);
                    }
                }
                Op::SelfGet => {
                    let o = rb!();
                    if (*o).tag.0 == TABLE {
                        let t = (*o).payload as *const Table;
                        let s = site!();
                        if (*s).way.shape == (*t).shape as u64 {
                            let v = if (*s).way.kind == WayKind::HolderOut {
                                if (*s).way.epoch == vm.meta_epoch {
                                    ic::outer_slot((*s).way.aux as *const Table, (*s).way.slot)
                                } else {
                                    Value::NIL
                                }
                            } else {
                                ic::read_way(vm, &(*s).way, t)
                            };
                            if v.tag.0 != NIL {
                                note_result(s, v.tag.0);
                                let f = ra!();
                                store(
                                    f.add(FRAME_SLOTS),
                                    Value {
                                        payload: t as u64,
                                        tag: Tag::TABLE,
                                    },
                                );
                                store(f, v);
                                continue;
                            }
                        }
                    }
                    slow!(slow::self_get);
                }
                Op::SetList => {
                    slow!(slow::set_list);
                    poll!();
                }

                Op::Add => arith!(rb!(), rc!(), slow::arith_rr, i64::wrapping_add, |x, y| x
                    + y),
                Op::Sub => arith!(rb!(), rc!(), slow::arith_rr, i64::wrapping_sub, |x, y| x
                    - y),
                Op::Mul => arith!(rb!(), rc!(), slow::arith_rr, i64::wrapping_mul, |x, y| x
                    * y),
                Op::Div => float_arith!(rb!(), rc!(), slow::arith_rr, |x, y| x / y),
                Op::Mod => div_arith!(rb!(), rc!(), slow::arith_rr, int_mod, float_mod),
                Op::IDiv => {
                    div_arith!(rb!(), rc!(), slow::arith_rr, int_floor_div, |x, y| (x / y)
                        .floor());
                }
                Op::Pow => float_arith!(rb!(), rc!(), slow::arith_rr, float_pow),
                Op::BAnd => bit_arith!(rb!(), rc!(), slow::arith_rr, |x, y| x & y),
                Op::BOr => bit_arith!(rb!(), rc!(), slow::arith_rr, |x, y| x | y),
                Op::BXor => bit_arith!(rb!(), rc!(), slow::arith_rr, |x, y| x ^ y),
                Op::Shl => shift_arith!(rb!(), rc!(), slow::arith_rr, |x, y| x << y),
                Op::Shr => shift_arith!(rb!(), rc!(), slow::arith_rr, |x, y| x >> y),
                Op::AddK => arith!(rb!(), kc!(), slow::arith_rk, i64::wrapping_add, |x, y| x
                    + y),
                Op::SubK => arith!(rb!(), kc!(), slow::arith_rk, i64::wrapping_sub, |x, y| x
                    - y),
                Op::MulK => arith!(rb!(), kc!(), slow::arith_rk, i64::wrapping_mul, |x, y| x
                    * y),
                Op::DivK => float_arith!(rb!(), kc!(), slow::arith_rk, |x, y| x / y),
                Op::ModK => div_arith!(rb!(), kc!(), slow::arith_rk, int_mod, float_mod),
                Op::IDivK => {
                    div_arith!(rb!(), kc!(), slow::arith_rk, int_floor_div, |x, y| (x / y)
                        .floor());
                }
                Op::PowK => float_arith!(rb!(), kc!(), slow::arith_rk, float_pow),
                Op::BAndK => bit_arith!(rb!(), kc!(), slow::arith_rk, |x, y| x & y),
                Op::BOrK => bit_arith!(rb!(), kc!(), slow::arith_rk, |x, y| x | y),
                Op::BXorK => bit_arith!(rb!(), kc!(), slow::arith_rk, |x, y| x ^ y),
                Op::ShlK => shift_arith!(rb!(), kc!(), slow::arith_rk, |x, y| x << y),
                Op::ShrK => shift_arith!(rb!(), kc!(), slow::arith_rk, |x, y| x >> y),
                Op::AddI => add_imm!(i64::from(i.sc())),
                Op::SubI => add_imm!(-i64::from(i.sc())),
                Op::Unm => {
                    let x = rb!();
                    if (*x).tag.0 == INT {
                        note(site!(), bits::INT);
                        set_int(ra!(), ((*x).payload as i64).wrapping_neg());
                    } else if (*x).tag.0 == FLOAT {
                        note(site!(), bits::FLOAT);
                        set_float(ra!(), -f64::from_bits((*x).payload));
                    } else {
                        slow!(slow::arith_unary);
                    }
                }
                Op::BNot => {
                    let x = rb!();
                    if (*x).tag.0 == INT {
                        note(site!(), bits::INT);
                        set_int(ra!(), !((*x).payload as i64));
                    } else {
                        slow!(slow::arith_unary);
                    }
                }
                Op::Not => {
                    let x = rb!();
                    store(
                        ra!(),
                        Value::bool((*x).tag <= Tag::BOOL && (*x).payload == 0),
                    );
                }
                Op::Len => {
                    let x = rb!();
                    if (*x).tag.0 == TABLE {
                        let t = (*x).payload as *const Table;
                        let shape = (*t).shape;
                        if (*shape).metatable.is_null() && (*shape).flags & OBJECT_META == 0 {
                            let s = site!();
                            note(s, bits::INT);
                            note_result(s, INT);
                            set_int(ra!(), i64::from((*t).len));
                            continue;
                        }
                    }
                    slow!(slow::len);
                }
                Op::Concat => {
                    slow!(slow::concat);
                    poll!();
                }

                Op::Jmp => pc = pc.wrapping_offset(i.sbx() as isize),
                Op::Loop => {
                    pc = pc.wrapping_offset(i.sbx() as isize);
                    back_edge!();
                }
                Op::JmpIf => {
                    let x = ra!();
                    if (*x).tag > Tag::BOOL || (*x).payload != 0 {
                        pc = pc.wrapping_offset(i.sbx() as isize);
                    }
                }
                Op::JmpIfNot => {
                    let x = ra!();
                    if (*x).tag <= Tag::BOOL && (*x).payload == 0 {
                        pc = pc.wrapping_offset(i.sbx() as isize);
                    }
                }
                Op::Eq => {
                    let (x, y) = (ra!(), rb!());
                    let t = (*x).tag.0;
                    if t == (*y).tag.0 {
                        if t == FLOAT {
                            compared!(
                                f64::from_bits((*x).payload) == f64::from_bits((*y).payload),
                                bits::FLOAT
                            );
                            continue;
                        }
                        let same = (*x).payload == (*y).payload;
                        if same || (t != TABLE && t != Tag::USERDATA.0) {
                            compared!(same, SAME_TAG_BIT[(t & 15) as usize]);
                            continue;
                        }
                    }
                    compare_slow!();
                }
                Op::EqK => {
                    let (x, y) = (ra!(), k.add(i.b() as usize));
                    let t = (*x).tag.0;
                    if t == (*y).tag.0 && t != FLOAT {
                        compared!(
                            (*x).payload == (*y).payload,
                            SAME_TAG_BIT[(t & 15) as usize]
                        );
                    } else if t & 14 != INT {
                        compared!(false, bits::OTHER);
                    } else {
                        compare_slow!();
                    }
                }
                Op::Lt => compare!(rb!(), i64::lt, f64::lt),
                Op::Le => compare!(rb!(), i64::le, f64::le),
                Op::LtI => compare_imm!(i64::lt, f64::lt),
                Op::LeI => compare_imm!(i64::le, f64::le),
                Op::GtI => compare_imm!(i64::gt, f64::gt),
                Op::GeI => compare_imm!(i64::ge, f64::ge),

                Op::Call => {
                    let f = ra!();
                    let nargs = if i.b() != 0 {
                        i.b() as usize - 1
                    } else {
                        distance(f, vm.top) - FRAME_SLOTS
                    };
                    if (*f).tag == Tag::LUA_FN && !(TRACE && vm.hook_mask != 0) {
                        let c = (*f).payload as *mut LuaClosure;
                        let p = (*c).proto.as_ptr();
                        let new = f.add(FRAME_SLOTS);
                        if (*p).compiled.is_null() && new.add((*p).max_stack as usize) <= vm.limit()
                        {
                            ic::note_lua_call(site!(), c, p);
                            let n = (*p).calls.get().wrapping_add(1);
                            (*p).calls.set(n);
                            let caller = record(base);
                            (*caller).pc = pc.offset_from((*proto).code) as u32;
                            if n <= vm.note_calls {
                                cold_path();
                                call::note_call(vm, p, new, nargs, n);
                                if !(*p).compiled.is_null() {
                                    follow!(call::call_other(vm, base, pc, f, nargs));
                                    continue;
                                }
                            }
                            let params = (*p).num_params as usize;
                            if nargs < params {
                                fill_nil(new.add(nargs), params - nargs);
                            }
                            let r = record(new);
                            (&raw mut (*r).tag).cast::<u64>().write(LUA_WORD);
                            (*r).prev = caller;
                            (&raw mut (*r).pc).cast::<u64>().write((nargs as u64) << 32);
                            vm.frame = r;
                            if TRACE && let Some(executed) = &mut vm.executed {
                                executed.calls += 1;
                            }
                            base = new;
                            proto = p;
                            pc = (*p).code.wrapping_sub(1);
                            k = (*p).constants;
                            fb = (*p).feedback;
                            continue;
                        }
                    }
                    follow!(call::call_other(vm, base, pc, f, nargs));
                }
                Op::TailCall => follow!(call::tail_call(vm, base, pc)),
                Op::Return => {
                    let src = ra!();
                    let n = if i.b() == 0 {
                        distance(src, vm.top)
                    } else {
                        i.b() as usize - 1
                    };
                    return_values!(src, n);
                }
                Op::Return0 => return_values!(base, 0),
                Op::Return1 => {
                    let r = record(base);
                    if TRACE && vm.hook_mask != 0 {
                        return_values!(ra!(), 1);
                    } else if (*r).flags & (flags::ENTRY | flags::TBC) == 0 {
                        let src = ra!();
                        let caller = (*r).prev;
                        vm.frame = caller;
                        let p = (*((*caller).func as *mut LuaClosure)).proto.as_ptr();
                        let at = (*p).code.add((*caller).pc as usize);
                        let call = *at;
                        if call.op_byte() == Op::Call as u8 && call.c() == 2 {
                            let v = Value {
                                payload: (*src).payload,
                                tag: (*src).tag,
                            };
                            base = FrameRecord::registers(caller);
                            proto = p;
                            pc = at;
                            k = (*p).constants;
                            fb = (*p).feedback;
                            store(base.add(call.a() as usize), v);
                            note_result(fb.add(call.d() as usize), v.tag.0);
                            continue;
                        }
                        follow!(call::finish_return(vm, base, src, 1));
                    } else {
                        follow!(call::return_slow(vm, base, pc, ra!(), 1));
                    }
                }
                Op::VarargPrep => {
                    let nargs = (*record(base)).nargs as usize;
                    let new = slow::move_vararg_frame(vm, base, nargs);
                    if new.is_null() {
                        cold_path();
                        save_pc(base, pc);
                        let _ = crate::unwind::stack_overflow(vm);
                        return End::Error;
                    }
                    base = new;
                    vm.frame = record(new);
                    if TRACE && vm.hook_mask != 0 {
                        save_pc(base, pc.add(1));
                        if trace::entered(vm, base).is_err() {
                            return End::Error;
                        }
                        // What follows begins a line.
                        old = 1;
                    }
                    poll!();
                }
                Op::Vararg => slow!(slow::vararg),
                Op::Closure => {
                    slow!(slow::make_closure);
                    poll!();
                }
                Op::Tbc => slow!(slow::tbc),
                Op::Close => {
                    if !vm.tbc().is_empty() {
                        slow!(slow::close);
                    }
                }

                Op::ForPrep => {
                    let a = ra!();
                    let (t0, t1, t2) = ((*a).tag.0, (*a.add(1)).tag.0, (*a.add(2)).tag.0);
                    let (first, last, step) = (
                        (*a).payload as i64,
                        (*a.add(1)).payload as i64,
                        (*a.add(2)).payload as i64,
                    );
                    if t0 == INT && t1 == INT && t2 == INT && step != 0 {
                        note(fb.add(i.b() as usize), bits::INT);
                        if if step > 0 {
                            first <= last
                        } else {
                            first >= last
                        } {
                            set_int(a.add(3), first);
                        } else {
                            pc = pc.wrapping_offset(i.sbx() as isize);
                        }
                    } else if !slow::for_prep(vm, base, pc) {
                        if vm.ret_count != 0 {
                            return End::Error;
                        }
                        pc = pc.wrapping_offset(i.sbx() as isize);
                    }
                }
                Op::ForLoop => {
                    let a = ra!();
                    let (goes_on, kind) = if (*a).tag.0 == INT {
                        (slow::int_step(a), bits::INT)
                    } else {
                        (slow::float_step(a), bits::FLOAT)
                    };
                    if goes_on {
                        pc = pc.wrapping_offset(i.sbx() as isize);
                        note(fb.add(i.b() as usize), kind);
                        back_edge!();
                    }
                }
                Op::TForPrep => {
                    if !slow::tfor_prep(vm, base, pc) {
                        return End::Error;
                    }
                    pc = pc.wrapping_offset(i.sbx() as isize);
                }
                Op::TForCall => {
                    let a = ra!();
                    let f = a.add(4);
                    if (*a).tag == Tag::NATIVE_FN
                        && (*a.add(1)).tag.0 == TABLE
                        && !(TRACE && vm.hook_mask != 0)
                    {
                        let done = slow::known_step(a, site!());
                        if done {
                            if i.c() > 2 {
                                fill_nil(f.add(2), i.c() as usize - 2);
                            }
                            continue;
                        }
                    }
                    copy(f, a);
                    copy(f.add(FRAME_SLOTS), a.add(1));
                    copy(f.add(FRAME_SLOTS + 1), a.add(2));
                    follow!(call::call_other(vm, base, pc, f, 2));
                }
                Op::TForLoop => {
                    let a = ra!();
                    if (*a.add(4)).tag.0 != NIL {
                        copy(a.add(2), a.add(4));
                        pc = pc.wrapping_offset(i.sbx() as isize);
                        back_edge!();
                    }
                }
            }
        }
    }
}
