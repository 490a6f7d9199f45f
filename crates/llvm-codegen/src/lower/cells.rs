//! Captured variables and closures.

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::IntPredicate;
use inkwell::values::{IntValue, PointerValue};
use std::mem::{offset_of, size_of};
use vela_deopt::POOL_FIRST;
use vela_mir::helper::Helper;
use vela_mir::ir::{Inst, Op, Pool, Ty, Val};
use vela_objects::heap::{FreeRun, GRANULE, MAX_SMALL};
use vela_objects::object::{Cell, Header, Kind};
use vela_objects::{Tag, layout};

/// Size class of cells.
const CELL_CLASS: usize = size_of::<Cell>() / GRANULE;

// The kind is the lowest byte of the header's word, as the mark word assumes.
const _: () = assert!(size_of::<Cell>().is_multiple_of(GRANULE) && offset_of!(Header, kind) == 0);

/// What an allocation takes: the size class, and what is in the header.
pub(super) struct Room<'c> {
    pub(super) class: usize,
    pub(super) kind: Kind,
    /// The header's byte of the kind.
    pub(super) aux: IntValue<'c>,
    /// The header's word of the kind.
    pub(super) extra: u32,
}

impl<'c> Fx<'_, 'c> {
    pub(super) fn cells(&mut self, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        let args = &data.args;
        let lv = match &data.op {
            Op::Upval(n) => {
                let at = self.at(self.ptr(args[0])?, layout::CLOSURE_UPVALS + 8 * *n as usize)?;
                Lv::Ptr(self.load_ptr(at, Mem::Closure)?)
            }
            Op::LoadProto => {
                // Not `Const`, though it never changes: LLVM would be free to
                // load it after a call during which the closure was collected.
                let at = self.at(self.ptr(args[0])?, layout::CLOSURE_PROTO)?;
                Lv::Ptr(self.load_ptr(at, Mem::Closure)?)
            }
            Op::LoadCell => {
                let cell = self.ptr(args[0])?;
                let payload = self.load_word(self.at(cell, layout::CELL_PAYLOAD)?, Mem::Cell)?;
                let tag = self.load_byte(self.at(cell, layout::HEADER_AUX)?, Mem::Cell)?;
                Lv::Any(payload, tag)
            }
            Op::StoreCell => {
                let cell = self.ptr(args[0])?;
                let (payload, tag) = self.any(args[1])?;
                self.store(payload, self.at(cell, layout::CELL_PAYLOAD)?, Mem::Cell)?;
                self.store_byte(tag, self.at(cell, layout::HEADER_AUX)?, Mem::Cell)?;
                return self.barrier(args[1]);
            }
            Op::NewCell => Lv::Ptr(self.new_cell(self.any(args[0])?)?),
            op => return Err(LowerError::Bug(format!("{op:?} is no cell operation"))),
        };
        self.result(i, lv);
        Ok(())
    }

    /// A fresh cell.
    fn new_cell(&self, (payload, tag): (IntValue<'c>, IntValue<'c>)) -> Lowered<PointerValue<'c>> {
        let room = Room {
            class: CELL_CLASS,
            kind: Kind::CELL,
            aux: tag,
            extra: 0,
        };
        self.allocate(
            room,
            None,
            Mem::Cell,
            |fx, cell| fx.store(payload, fx.at(cell, layout::CELL_PAYLOAD)?, Mem::Cell),
            |fx| {
                let args = [fx.vm.into(), payload.into(), tag.into()];
                let call = fx.helper(Helper::NewCell, &args)?;
                Ok(fx.call_result(call)?.into_int_value())
            },
        )
    }

    /// A closure of the `n`-th nested prototype, which is in the pool if its
    /// address is known. In line once there were several: before that others
    /// may rely on there being one.
    pub(super) fn new_closure(
        &self,
        n: u16,
        proto: Option<Pool>,
        args: &[Val],
    ) -> Lowered<PointerValue<'c>> {
        let Some((&parent, cells)) = args.split_first() else {
            return Err(LowerError::Bug("a closure without its parent".into()));
        };
        let set = |fx: &Self, closure: PointerValue<'c>| {
            for (k, &cell) in cells.iter().enumerate() {
                let at = fx.at(closure, layout::CLOSURE_UPVALS + 8 * k)?;
                fx.store(fx.ptr(cell)?, at, Mem::Closure)?;
            }
            Ok(())
        };
        let made = |fx: &Self| {
            let n = fx.word(i64::from(n));
            let call = [fx.vm.into(), fx.ptr(parent)?.into(), n.into()];
            let call = fx.helper(Helper::NewClosure, &call)?;
            let closure = fx.call_result(call)?.into_int_value();
            let object = fx.b.build_int_to_ptr(closure, fx.t.ptr, "")?;
            set(fx, object)?;
            Ok(closure)
        };
        let bytes = layout::CLOSURE_UPVALS + 8 * cells.len();
        let Some(slot) = proto.filter(|_| bytes <= MAX_SMALL) else {
            let closure = made(self)?;
            return Ok(self.b.build_int_to_ptr(closure, self.t.ptr, "")?);
        };
        let at = self.at(self.pool()?, 8 * (POOL_FIRST + slot.index()))?;
        let proto = self.load_ptr(at, Mem::Const)?;
        let cold = self.load_ptr(self.at(proto, layout::PROTO_COLD)?, Mem::Proto)?;
        let kind = self.at(cold, layout::COLD_INSTANCES_KIND)?;
        let several = self.tag_is(self.load_byte(kind, Mem::Proto)?, Tag::LUA_FN)?;
        let room = Room {
            class: bytes.div_ceil(GRANULE),
            kind: Kind::LUA_FN,
            aux: self.word(0),
            extra: cells.len() as u32,
        };
        self.allocate(
            room,
            Some(several),
            Mem::Closure,
            |fx, closure| {
                fx.store(proto, fx.at(closure, layout::CLOSURE_PROTO)?, Mem::Closure)?;
                set(fx, closure)
            },
            made,
        )
    }

    /// A fresh object: cut from the run of free cells of its size, its header
    /// written and the rest by `init`; or made by the helper that `slow` calls
    /// when the run is at its end or `in_line` is false. All allocation in line
    /// goes through here;
    /// [`Heap::alloc`](vela_objects::heap::Heap::alloc) is its twin.
    pub(super) fn allocate(
        &self,
        room: Room<'c>,
        in_line: Option<IntValue<'c>>,
        mem: Mem,
        init: impl FnOnce(&Self, PointerValue<'c>) -> Lowered<()>,
        slow_path: impl FnOnce(&Self) -> Lowered<IntValue<'c>>,
    ) -> Lowered<PointerValue<'c>> {
        let run = self.at(self.vm, layout::VM_RUNS + room.class * layout::RUN_SIZE)?;
        let end = self.at(run, offset_of!(FreeRun, end))?;
        let run = self.at(run, offset_of!(FreeRun, cur))?;
        // As integers: between runs both ends are null, which is no object to
        // do address arithmetic in.
        let start = self.load_word(run, Mem::Vm)?;
        let end = self.load_word(end, Mem::Vm)?;
        let mut left = self.b.build_int_sub(end, start, "")?;
        if let Some(in_line) = in_line {
            left = self
                .b
                .build_select(in_line, left, self.word(0), "")?
                .into_int_value();
        }
        let size = self.word((room.class * GRANULE) as i64);
        let fits = self
            .b
            .build_int_compare(IntPredicate::UGE, left, size, "")?;
        let slow = self.new_block("refill");
        let fast = self.new_block("cut");
        let next = self.new_block("made");
        let branch = self.b.build_conditional_branch(fits, fast, slow)?;
        self.notes.expect(branch, true)?;

        self.b.position_at_end(fast);
        self.store(self.b.build_int_add(start, size, "")?, run, Mem::Vm)?;
        let object = self.b.build_int_to_ptr(start, self.t.ptr, "")?;
        let mark = self.load_word(self.at(self.vm, layout::VM_MARK_WORD)?, Mem::Vm)?;
        let aux = self.word(8 * layout::HEADER_AUX as i64);
        let aux = self.b.build_left_shift(room.aux, aux, "")?;
        let header = self.b.build_or(mark, aux, "")?;
        let kind = self.word(i64::from(room.extra) << 32 | i64::from(room.kind.0));
        let header = self.b.build_or(header, kind, "")?;
        self.store(header, object, mem)?;
        init(self, object)?;
        let fast = self.here()?;
        self.b.build_unconditional_branch(next)?;

        self.b.position_at_end(slow);
        let made = slow_path(self)?;
        let made = self.b.build_int_to_ptr(made, self.t.ptr, "")?;
        let slow = self.here()?;
        self.b.build_unconditional_branch(next)?;

        self.b.position_at_end(next);
        let phi = self.b.build_phi(self.t.ptr, "")?;
        phi.add_incoming(&[(&object, fast), (&made, slow)]);
        Ok(phi.as_basic_value().into_pointer_value())
    }

    /// The write barrier after a store of `value`: while the collector is
    /// between marking steps, tells it.
    pub(super) fn barrier(&self, value: Val) -> Lowered<()> {
        let object = match self.val(value)? {
            Lv::Any(_, tag) => tag
                .get_zero_extended_constant()
                .is_none_or(|t| vela_objects::Tag(t as u8).is_object()),
            _ => self.func.ty(value) != Ty::None && self.func.ty(value).may_be_object(),
        };
        if !object {
            return Ok(());
        }
        let marking = self.load_byte(self.at(self.vm, layout::VM_MARKING)?, Mem::Vm)?;
        let idle = self
            .b
            .build_int_compare(IntPredicate::EQ, marking, self.word(0), "")?;
        let slow = self.new_block("barrier");
        let next = self.new_block("stored");
        let branch = self.b.build_conditional_branch(idle, next, slow)?;
        self.notes.expect(branch, true)?;
        self.b.position_at_end(slow);
        let (payload, tag) = self.any(value)?;
        self.helper(
            Helper::Barrier,
            &[self.vm.into(), payload.into(), tag.into()],
        )?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        Ok(())
    }
}
