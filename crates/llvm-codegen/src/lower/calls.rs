//! Calls of Lua functions and helpers, and safepoints.

use super::memory::Mem;
use super::values::{Lv, Phi};
use super::{Fx, LowerError, Lowered};
use crate::abi;
use inkwell::attributes::AttributeLoc;
use inkwell::basic_block::BasicBlock;
use inkwell::types::BasicType;
use inkwell::values::{
    BasicMetadataValueEnum, BasicValueEnum, CallSiteValue, IntValue, LLVMTailCallKind,
    PointerValue, ValueKind,
};
use inkwell::{AtomicOrdering, IntPredicate};
use vela_mir::helper::{Helper, Word};
use vela_mir::ir::{Inst, Op, Site, Ty, Val};
use vela_objects::frame::TAIL_CALLED;
use vela_objects::{Tag, layout};

/// A call's result while it is being looked at.
pub(super) type Pair<'c> = (IntValue<'c>, IntValue<'c>);

impl<'c> Fx<'_, 'c> {
    /// Calls a helper through the VM's table.
    pub(super) fn helper(
        &self,
        helper: Helper,
        args: &[BasicMetadataValueEnum<'c>],
    ) -> Lowered<CallSiteValue<'c>> {
        debug_assert_eq!(args.len(), helper.args().len(), "{}", helper.name());
        let at = self.at(self.vm, layout::VM_HELPERS + 8 * helper as usize)?;
        let address = self.load_ptr(at, Mem::Const)?;
        let params: Vec<_> = args
            .iter()
            .map(|arg| match arg {
                BasicMetadataValueEnum::PointerValue(_) => self.t.ptr.into(),
                BasicMetadataValueEnum::FloatValue(_) => self.t.f64.into(),
                _ => self.t.i64.into(),
            })
            .collect();
        let ty = match helper.ret() {
            Word::I => self.t.i64.fn_type(&params, false),
            Word::F => self.t.f64.fn_type(&params, false),
            Word::Pair => self.t.pair.as_basic_type_enum().fn_type(&params, false),
            Word::Void => self.cx.void_type().fn_type(&params, false),
        };
        let call = self.b.build_indirect_call(ty, address, args, "")?;
        let add = |name, value| {
            call.add_attribute(AttributeLoc::Function, self.attribute(name, value));
        };
        add("nounwind", 0);
        if helper.ret() == Word::F {
            // Numbers in, a number out: `memory(none)`.
            add("memory", 0);
            add("willreturn", 0);
        }
        if matches!(
            helper,
            Helper::Exit | Helper::FinishCall | Helper::Poll | Helper::EntryPoll | Helper::Barrier
        ) {
            add("cold", 0);
        }
        Ok(call)
    }

    /// What a call gives.
    pub(super) fn call_result(&self, call: CallSiteValue<'c>) -> Lowered<BasicValueEnum<'c>> {
        match call.try_as_basic_value() {
            ValueKind::Basic(value) => Ok(value),
            ValueKind::Instruction(_) => Err(LowerError::Bug("a call without a result".into())),
        }
    }

    pub(super) fn pair(&self, call: CallSiteValue<'c>) -> Lowered<Pair<'c>> {
        let both = self.call_result(call)?.into_struct_value();
        let part = |n| self.b.build_extract_value(both, n, "");
        Ok((part(0)?.into_int_value(), part(1)?.into_int_value()))
    }

    /// Says where in the function the frame is.
    fn site(&self, i: Inst) -> Lowered<usize> {
        let site = self
            .func
            .inst(i)
            .site
            .ok_or_else(|| LowerError::Bug(format!("{i} has no call site")))?;
        if !self.pushed {
            return Err(LowerError::Bug(format!("{i} has no frame record")));
        }
        let pc = self.at(self.frame_at(site)?, layout::FRAME_PC)?;
        self.store_half(site.0, pc, Mem::Stack)?;
        Ok(site.index())
    }

    /// The record of the frame that a site is in.
    fn frame_at(&self, site: Site) -> Lowered<PointerValue<'c>> {
        match self.func.base_at(site) {
            0 => Ok(self.fp),
            base => self.at(self.fp, base * layout::VALUE_SIZE),
        }
    }

    /// Makes an inlined frame, called at `caller`, the running one.
    fn push_inlined(&self, caller: Site, a: u8, tail: bool, function: Val) -> Lowered<()> {
        let outer = self.frame_at(caller)?;
        self.store_half(caller.0, self.at(outer, layout::FRAME_PC)?, Mem::Stack)?;
        let fp = self.inlined_at(caller, a)?;
        if self.func.ty(function) == Ty::NativeFn {
            return self.write_native_record(fp, self.ptr(function)?, outer);
        }
        self.write_record(fp, self.ptr(function)?, outer, tail)
    }

    /// The record of the frame inlined at a call.
    fn inlined_at(&self, caller: Site, a: u8) -> Lowered<PointerValue<'c>> {
        let base = self.func.base_at(caller) + a as usize + layout::FRAME_SIZE / layout::VALUE_SIZE;
        self.at(self.fp, base * layout::VALUE_SIZE)
    }

    /// Makes the function's own frame the running one.
    pub(super) fn pop_inlined(&self) -> Lowered<()> {
        self.store(self.fp, self.at(self.vm, layout::VM_FRAME)?, Mem::VmFrame)
    }

    /// Calls a Lua function; the result may be no value yet.
    fn call_function(&mut self, i: Inst, a: u8, is_self: bool) -> Lowered<Pair<'c>> {
        let func = self.func;
        let args = &func.inst(i).args;
        let closure = self.ptr(args[0])?;
        let args = &args[1..];
        self.site(i)?;
        let fp = self.register(a as usize)?;
        if is_self
            && let Some(body) = &self.body
            && let Some(values) = self.body_args(args, &body.params)?
        {
            return self.pair(self.call_body(fp, closure, &values)?);
        }
        let all = self.call_operands(fp, closure, args)?;
        let own = is_self && matches!(func.entry_kind, vela_mir::ir::EntryKind::Call);
        let entry = if own {
            self.generic.as_global_value().as_pointer_value()
        } else {
            let proto = self.load_ptr(self.at(closure, layout::CLOSURE_PROTO)?, Mem::Closure)?;
            self.load_ptr(self.at(proto, layout::PROTO_ENTRY)?, Mem::Proto)?
        };
        let cx = self.module.get_context();
        let call = abi::call_lua_function(&self.b, cx, entry, &all, "")?;
        self.pair(call)
    }

    /// The operands of a call of a Lua function whose record goes to `fp`.
    /// Arguments that do not travel in registers are stored above it.
    fn call_operands(
        &self,
        fp: PointerValue<'c>,
        closure: PointerValue<'c>,
        args: &[Val],
    ) -> Lowered<[BasicMetadataValueEnum<'c>; 7]> {
        let mut desc = self.word(args.len() as i64);
        let mut words = [self.word(0); abi::REGISTER_ARGS];
        for (n, &arg) in args.iter().enumerate() {
            let (payload, tag) = self.any(arg)?;
            if n < words.len() {
                words[n] = payload;
                let shift = self.word(32 + 8 * n as i64);
                let shifted = self.b.build_left_shift(tag, shift, "")?;
                desc = self.b.build_or(desc, shifted, "")?;
            } else {
                let offset = layout::FRAME_SIZE + n * layout::VALUE_SIZE;
                self.store_value((payload, tag), self.at(fp, offset)?)?;
            }
        }
        let [a, b, c] = words;
        Ok([
            self.vm.into(),
            fp.into(),
            closure.into(),
            desc.into(),
            a.into(),
            b.into(),
            c.into(),
        ])
    }

    /// A tail call of a Lua function. Compiled code is jumped to; what runs in
    /// the interpreter is left to the caller, so that chains of calls between
    /// the tiers need no native stack.
    pub(super) fn tail_call_lua(&mut self, i: Inst, is_self: bool) -> Lowered<()> {
        let func = self.func;
        let args = &func.inst(i).args;
        let closure = self.ptr(args[0])?;
        let args = &args[1..];
        let fp = self.entry_fp;
        if is_self
            && let Some(body) = &self.body
            && let Some(values) = self.body_args(args, &body.params)?
        {
            self.pop_replaced()?;
            let call = self.call_body(fp, closure, &values)?;
            call.set_tail_call(true);
            let result = self.call_result(call)?;
            self.b.build_return(Some(&result))?;
            return Ok(());
        }
        let proto = self.load_ptr(self.at(closure, layout::CLOSURE_PROTO)?, Mem::Closure)?;
        let code = self.load_ptr(self.at(proto, layout::PROTO_COMPILED)?, Mem::Proto)?;
        let compiled = self.b.build_is_not_null(code, "")?;
        let jump = self.new_block("jump");
        let hand_out = self.new_block("tail");
        let branch = self.b.build_conditional_branch(compiled, jump, hand_out)?;
        self.notes.expect(branch, true)?;

        self.b.position_at_end(jump);
        self.pop_replaced()?;
        let all = self.call_operands(fp, closure, args)?;
        let cx = self.module.get_context();
        let call = abi::call_lua_function(&self.b, cx, code, &all, "")?;
        call.set_tail_call_kind(match self.f.get_type() == self.generic.get_type() {
            true => LLVMTailCallKind::LLVMTailCallKindMustTail,
            false => LLVMTailCallKind::LLVMTailCallKindTail,
        });
        let result = self.call_result(call)?;
        self.b.build_return(Some(&result))?;

        self.b.position_at_end(hand_out);
        self.pop_record()?;
        let function = (self.payload(Lv::Ptr(closure))?, self.tag(Tag::LUA_FN));
        self.store_value(function, fp)?;
        for (n, &arg) in args.iter().enumerate() {
            let offset = layout::FRAME_SIZE + n * layout::VALUE_SIZE;
            self.store_value(self.any(arg)?, self.at(fp, offset)?)?;
        }
        self.ret(self.word(args.len() as i64), self.tag(Tag::RET_TAIL))
    }

    /// Takes the frame's record off for one that replaces it; the caller's
    /// says so.
    fn pop_replaced(&self) -> Lowered<()> {
        let vm_frame = self.at(self.vm, layout::VM_FRAME)?;
        let caller = if self.pushed {
            let prev = self.load_ptr(self.at(self.fp, layout::FRAME_PREV)?, Mem::Stack)?;
            self.store(prev, vm_frame, Mem::VmFrame)?;
            prev
        } else {
            self.load_ptr(vm_frame, Mem::VmFrame)?
        };
        let pc = self.at(caller, layout::FRAME_PC)?;
        let site = self.load_half(pc, Mem::Stack, None)?;
        let mark = self.t.i64.const_int(u64::from(TAIL_CALLED), false);
        let site = self.b.build_or(site, mark, "")?;
        let site = self.b.build_int_truncate(site, self.t.i32, "")?;
        self.store(site, pc, Mem::Stack)
    }

    /// The arguments of a call of this function as its body takes them, if
    /// their types are known to be right.
    fn body_args(&self, args: &[Val], params: &[Ty]) -> Lowered<Option<Vec<Lv<'c>>>> {
        let mut values = Vec::with_capacity(params.len());
        for (n, &ty) in params.iter().enumerate() {
            let (lv, have) = match args.get(n) {
                Some(&arg) => (self.val(arg)?, self.func.ty(arg)),
                None => (Lv::Nil, Ty::Nil),
            };
            match self.coerce(lv, have, ty)? {
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
        Ok(Some(values))
    }

    /// `CallLua`. A guard on the type of the result that follows at once is
    /// lowered along: then the check for that type comes first, and everything
    /// that is no value of the type goes to the slow path. Returns how many of the
    /// instructions behind it were lowered along.
    pub(super) fn call_lua(&mut self, i: Inst, rest: &[Inst]) -> Lowered<usize> {
        let Op::CallLua { a, is_self, open } = self.func.inst(i).op else {
            return Err(LowerError::Bug(format!("{i} is no call")));
        };
        let result = self.call_function(i, a, is_self)?;
        let at = self.register(a as usize)?;
        if open {
            let (payload, tag) = self.only_value(i, a, result)?;
            self.result(i, Lv::Any(payload, tag));
            return Ok(0);
        }
        let Some(value) = self.func.inst(i).result else {
            self.drop_result(i, at, result)?;
            return Ok(0);
        };
        let pops = rest
            .first()
            .is_some_and(|&next| self.func.inst(next).op == Op::PopFrame);
        let along = usize::from(pops);
        if let Some(&guard) = rest.get(along)
            && let Some(tag) = self.guards_result_of(i, guard)
        {
            self.guarded_result(i, at, result, value, (guard, tag), pops)?;
            return Ok(along + 1);
        }
        let (payload, tag) = self.value_of(i, at, result)?;
        self.set(value, Lv::Any(payload, tag));
        Ok(0)
    }

    /// Branches on whether a result's tag is below `limit`, which it as a rule is.
    fn below(
        &self,
        tag: IntValue<'c>,
        limit: Tag,
        yes: BasicBlock<'c>,
        no: BasicBlock<'c>,
    ) -> Lowered<()> {
        let ok = self
            .b
            .build_int_compare(IntPredicate::ULT, tag, self.tag(limit), "")?;
        let branch = self.b.build_conditional_branch(ok, yes, no)?;
        self.notes.expect(branch, true)
    }

    /// Fills a block: has the helper turn a result into one value. Goes on in
    /// a new block unless that raises.
    fn finish(
        &mut self,
        i: Inst,
        at: PointerValue<'c>,
        (payload, tag): Pair<'c>,
    ) -> Lowered<Pair<'c>> {
        let args = [self.vm.into(), at.into(), payload.into(), tag.into()];
        let call = self.helper(Helper::FinishCall, &args)?;
        let done = self.pair(call)?;
        let raised = self.tag_is(done.1, Tag::RET_ERROR)?;
        let error = self.error_block(i)?;
        let next = self.new_block("finished");
        self.b.build_conditional_branch(raised, error, next)?;
        self.b.position_at_end(next);
        Ok(done)
    }

    /// Any result as one value.
    fn value_of(&mut self, i: Inst, at: PointerValue<'c>, result: Pair<'c>) -> Lowered<Pair<'c>> {
        let direct = self.here()?;
        let slow = self.new_block("finish");
        let next = self.new_block("value");
        self.below(result.1, Tag::FIRST_RET, next, slow)?;
        self.b.position_at_end(slow);
        let finished = self.finish(i, at, result)?;
        let slow = self.here()?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        self.merge(&[(result, direct), (finished, slow)])
    }

    /// The result if it is one value; else all are put into the window, and
    /// the tag says that there is no value.
    fn only_value(&mut self, i: Inst, a: u8, result: Pair<'c>) -> Lowered<Pair<'c>> {
        let direct = self.here()?;
        let slow = self.new_block("open");
        let next = self.new_block("value");
        self.below(result.1, Tag::FIRST_RET, next, slow)?;
        self.b.position_at_end(slow);
        self.store_results_by_helper(i, a, None, result)?;
        let at = self.register(a as usize)?;
        let count = self.up_to_top(at)?;
        let one = self
            .b
            .build_int_compare(IntPredicate::EQ, count, self.word(1), "")?;
        let (payload, tag) = self.load_value(at)?;
        let none = self.tag(Tag::RET_NONE);
        let tag = self.b.build_select(one, tag, none, "")?.into_int_value();
        let slow = self.here()?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        self.merge(&[(result, direct), ((payload, tag), slow)])
    }

    fn merge(&self, from: &[(Pair<'c>, BasicBlock<'c>)]) -> Lowered<Pair<'c>> {
        let (phi, lv) = self.phi(Ty::Any)?;
        let (Phi::Any(..), Lv::Any(payload, tag)) = (phi, lv) else {
            return Err(LowerError::Bug("phis of a pair".into()));
        };
        for &((p, t), block) in from {
            self.add_incoming(phi, Lv::Any(p, t), block)?;
        }
        Ok((payload, tag))
    }

    /// Results that nobody wants: only errors and tail calls matter.
    fn drop_result(&mut self, i: Inst, at: PointerValue<'c>, result: Pair<'c>) -> Lowered<()> {
        let slow = self.new_block("finish");
        let next = self.new_block("dropped");
        self.below(result.1, Tag::RET_ERROR, next, slow)?;
        self.b.position_at_end(slow);
        self.finish(i, at, result)?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        Ok(())
    }

    fn guarded_result(
        &mut self,
        i: Inst,
        at: PointerValue<'c>,
        result: Pair<'c>,
        value: Val,
        (guard, tag): (Inst, Tag),
        pops: bool,
    ) -> Lowered<()> {
        let next = self.new_block("typed");
        let slow = self.new_block("other");
        let finish = self.new_block("finish");
        let wrong = self.new_block("exit");
        let allowed = self.provoked(guard)?;
        let allowed = allowed.unwrap_or_else(|| self.t.i1.const_all_ones());
        let ok = self.tag_is(result.1, tag)?;
        let ok = self.both(ok, allowed)?;
        let direct = self.here()?;
        let branch = self.b.build_conditional_branch(ok, next, slow)?;
        self.notes.expect(branch, true)?;

        self.b.position_at_end(slow);
        self.below(result.1, Tag::FIRST_RET, wrong, finish)?;

        self.b.position_at_end(finish);
        let finished = self.finish(i, at, result)?;
        let finish = self.here()?;
        let ok = self.tag_is(finished.1, tag)?;
        let ok = self.both(ok, allowed)?;
        self.b.build_conditional_branch(ok, next, wrong)?;

        self.b.position_at_end(wrong);
        let (p, t) = self.merge(&[(result, slow), (finished, finish)])?;
        self.set(value, Lv::Any(p, t));
        if pops {
            self.pop_inlined()?;
        }
        self.leave_alone(guard)?;

        self.b.position_at_end(next);
        let (phi, lv) = self.phi(Ty::Int)?;
        self.add_incoming(phi, Lv::Int(result.0), direct)?;
        self.add_incoming(phi, Lv::Int(finished.0), finish)?;
        if pops {
            self.pop_inlined()?;
        }
        let payload = self.payload(lv)?;
        self.set(value, Lv::Any(payload, self.tag(tag)));
        let typed = self.unpack_payload(payload, self.result_ty(guard))?;
        self.result(guard, typed);
        Ok(())
    }

    pub(super) fn calls(&mut self, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        match &data.op {
            Op::CallLuaMulti { a, want } => {
                let result = self.call_function(i, *a, false)?;
                self.store_results(i, *a, *want, result)
            }
            Op::CallWindow { a, nargs, want } => {
                self.site(i)?;
                let count = |n: &Option<u8>| self.word(n.map_or(-1, i64::from)).into();
                let at = self.register(*a as usize)?;
                let args = [self.vm.into(), at.into(), count(nargs), count(want)];
                let call = self.helper(Helper::Call, &args)?;
                self.raise_unless_zero(i, call)
            }
            Op::InterpOne => self.interp_one(i),
            Op::Poll => self.poll(i),
            Op::CallTail { a, nargs, want } => {
                self.site(i)?;
                let nargs = self.word(i64::from(*nargs));
                self.store_results_by_helper(i, *a, Some(*want), (nargs, self.tag(Tag::RET_TAIL)))
            }
            Op::PushFrame { a, tail } => {
                let site = data
                    .site
                    .ok_or_else(|| LowerError::Bug(format!("{i} has no call site")))?;
                self.push_inlined(site, *a, *tail, data.args[0])
            }
            Op::EnterFrame { a } => {
                let site = data
                    .site
                    .ok_or_else(|| LowerError::Bug(format!("{i} has no call site")))?;
                let fp = self.inlined_at(site, *a)?;
                self.store(fp, self.at(self.vm, layout::VM_FRAME)?, Mem::VmFrame)
            }
            Op::PopFrame => self.pop_inlined(),
            op => Err(LowerError::Bug(format!("{op:?} is no call"))),
        }
    }

    /// Puts results into the window.
    fn store_results(&mut self, i: Inst, a: u8, want: Option<u8>, result: Pair<'c>) -> Lowered<()> {
        let at = self.register(a as usize)?;
        let (payload, tag) = result;
        if want == Some(0) {
            return self.drop_result(i, at, result);
        }
        let slow = self.new_block("results");
        let next = self.new_block("stored");
        if want == Some(1) {
            let one = self.new_block("one");
            self.below(tag, Tag::FIRST_RET, one, slow)?;
            self.b.position_at_end(one);
            self.store_value(result, at)?;
            self.b.build_unconditional_branch(next)?;
        } else {
            self.b.build_unconditional_branch(slow)?;
        }
        self.b.position_at_end(slow);
        self.store_results_by_helper(i, a, want, (payload, tag))?;
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        Ok(())
    }

    fn store_results_by_helper(
        &mut self,
        i: Inst,
        a: u8,
        want: Option<u8>,
        (payload, tag): Pair<'c>,
    ) -> Lowered<()> {
        let at = self.register(a as usize)?;
        let args = [
            self.vm.into(),
            at.into(),
            payload.into(),
            tag.into(),
            self.word(want.map_or(-1, i64::from)).into(),
        ];
        let call = self.helper(Helper::StoreResults, &args)?;
        self.raise_unless_zero(i, call)
    }

    /// Goes on if the helper returned 0, else with the error in flight.
    fn raise_unless_zero(&mut self, i: Inst, call: CallSiteValue<'c>) -> Lowered<()> {
        let raised = self.call_result(call)?.into_int_value();
        let ok = self
            .b
            .build_int_compare(IntPredicate::EQ, raised, self.word(0), "")?;
        self.raise_unless(i, ok)
    }

    fn raise_unless(&mut self, i: Inst, ok: IntValue<'c>) -> Lowered<()> {
        let error = self.error_block(i)?;
        let next = self.new_block("done");
        let branch = self.b.build_conditional_branch(ok, next, error)?;
        self.notes.expect(branch, true)?;
        self.b.position_at_end(next);
        Ok(())
    }

    fn interp_one(&mut self, i: Inst) -> Lowered<()> {
        let site = self.site(i)?;
        let pc = self.word(i64::from(self.func.sites[site].pc));
        let fp = self.frame_at(Site(site as u32))?;
        let args = [self.vm.into(), fp.into(), pc.into()];
        let call = self.helper(Helper::InterpOne, &args)?;
        if self.func.inst(i).result.is_none() {
            return self.raise_unless_zero(i, call);
        }
        let answer = self.call_result(call)?.into_int_value();
        let ok = self
            .b
            .build_int_compare(IntPredicate::ULT, answer, self.word(2), "")?;
        self.raise_unless(i, ok)?;
        let lv = Lv::Bool(self.b.build_int_truncate(answer, self.t.i1, "")?);
        self.result(i, lv);
        Ok(())
    }

    /// A safepoint: when one is requested, which another thread may do by
    /// lowering the stack's limit.
    fn poll(&mut self, i: Inst) -> Lowered<()> {
        let at = self.at(self.vm, layout::VM_STACK_LIMIT)?;
        let limit = self.b.build_load(self.t.ptr, at, "")?.into_pointer_value();
        // Atomic, so that it is not moved out of the loop.
        if let Some(load) = limit.as_instruction() {
            load.set_atomic_ordering(AtomicOrdering::Monotonic)?;
            load.set_alignment(8)
                .map_err(|e| LowerError::Bug(e.to_string()))?;
        }
        let over = self
            .b
            .build_int_compare(IntPredicate::UGT, self.frame_end()?, limit, "")?;
        let slow = self.new_block("poll");
        let next = self.new_block("polled");
        let branch = self.b.build_conditional_branch(over, slow, next)?;
        self.notes.expect(branch, false)?;
        self.b.position_at_end(slow);
        let site = Site(self.site(i)? as u32);
        let func = self.func;
        let (roots, args) = (func.roots_at(site), &func.inst(i).args);
        for (&r, &v) in roots.iter().zip(args) {
            self.store_value(self.any(v)?, self.register(r)?)?;
        }
        let frames = func.frames_at(site);
        for (&(s, _), &closure) in frames.iter().zip(&args[roots.len()..]).rev() {
            if let Some(c) = func.sites[s.index()].caller {
                self.push_inlined(c.site, c.a, c.tail, closure)?;
            }
        }
        let call = self.helper(Helper::Poll, &[self.vm.into(), self.fp.into()])?;
        if frames.len() > 1 {
            self.pop_inlined()?;
        }
        self.raise_unless_zero(i, call)?;
        if let Some(guard) = following(func, i)
            && match func.inst(guard).op {
                Op::GuardValid => func.watches.is_empty(),
                ref op => *op == Op::GuardPolled,
            }
        {
            self.test_valid(guard)?;
        }
        self.b.build_unconditional_branch(next)?;
        self.b.position_at_end(next);
        Ok(())
    }
}

/// The instruction behind `i` in its block.
fn following(func: &vela_mir::ir::Func, i: Inst) -> Option<Inst> {
    func.blocks.iter().find_map(|b| {
        let at = b.insts.iter().position(|&x| x == i)?;
        b.insts.get(at + 1).copied()
    })
}
