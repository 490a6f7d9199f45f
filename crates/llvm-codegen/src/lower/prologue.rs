//! Entries: stack check, arguments, the frame's record.

use super::frame_plan::Push;
use super::memory::Mem;
use super::values::Lv;
use super::{Body, CallArgs, Fx, LowerError, Lowered};
use crate::abi;
use inkwell::IntPredicate;
use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::basic_block::BasicBlock;
use inkwell::module::Linkage;
use inkwell::types::BasicMetadataTypeEnum;
use inkwell::values::{
    BasicMetadataValueEnum, BasicValueEnum, FunctionValue, IntValue, PointerValue,
};
use vela_mir::helper::Helper;
use vela_mir::ir::{Func, Inst, Op, Ty, Val};
use vela_objects::frame::{FrameKind, flags};
use vela_objects::{Tag, layout};

/// Tag, kind and flags of a compiled frame's record, as its word has them.
const RECORD_WORD: u32 = Tag::LUA_FN.0 as u32 | (FrameKind::COMPILED.0 as u32) << 8;

/// The same of the record of a `pcall` built in place.
const NATIVE_RECORD_WORD: u32 =
    Tag::NATIVE_FN.0 as u32 | (FrameKind::NATIVE.0 as u32) << 8 | (flags::IN_PLACE as u32) << 16;

impl<'c> Fx<'_, 'c> {
    /// The entry of a function that is called.
    pub(super) fn call_entry(&mut self) -> Lowered<()> {
        self.generic_params()?;
        if self.splits() {
            return self.split_entry();
        }
        if self.frame.check_at_entry {
            self.stack_check()?;
        }
        if self.func.is_vararg {
            self.vararg_prep()?;
        } else {
            self.unpack()?;
        }
        if self.uses_pool() {
            self.load_pool()?;
        }
        if self.frame.push == Some(Push::Prologue) {
            self.push_record()?;
        }
        Ok(())
    }

    /// The entry of an OSR function: the frame and its record are there.
    pub(super) fn osr_entry(&mut self) -> Lowered<()> {
        self.generic_params()?;
        if self.uses_pool() {
            self.load_pool()?;
        }
        Ok(())
    }

    /// Takes over the frame: from here on exits are failures.
    pub(super) fn commit_osr(&mut self) -> Lowered<()> {
        let kind = self
            .t
            .i64
            .const_int(u64::from(FrameKind::COMPILED.0), false);
        self.store_byte(kind, self.at(self.fp, layout::FRAME_KIND)?, Mem::Stack)?;
        let id = self.at(self.fp, layout::FRAME_CODE_ID)?;
        self.store_half(self.options.code_id, id, Mem::Stack)?;
        self.pushed = true;
        Ok(())
    }

    /// Whether the function gets a body with typed parameters.
    fn splits(&self) -> bool {
        let calls_itself = self.cfg.order.iter().any(|&b| {
            self.func.blocks[b.index()].insts.iter().any(|&i| {
                matches!(
                    self.func.inst(i).op,
                    Op::CallLua { is_self: true, .. } | Op::TailCallLua { is_self: true }
                )
            })
        });
        calls_itself && !self.func.is_vararg && self.cfg.preds[0].is_empty()
    }

    fn uses_pool(&self) -> bool {
        self.cfg.order.iter().any(|&b| {
            self.func.blocks[b.index()].insts.iter().any(|&i| {
                let op = &self.func.inst(i).op;
                matches!(
                    op,
                    Op::Literal(_) | Op::GuardValid | Op::GuardPolled | Op::NewClosure(_, Some(_))
                )
            })
        })
    }

    fn param(&self, index: u32) -> Lowered<BasicValueEnum<'c>> {
        self.f
            .get_nth_param(index)
            .ok_or_else(|| LowerError::Bug(format!("no parameter {index}")))
    }

    fn generic_params(&mut self) -> Lowered<()> {
        let entry = self.new_block("entry");
        self.b.position_at_end(entry);
        self.vm = self.param(0)?.into_pointer_value();
        self.fp = self.param(1)?.into_pointer_value();
        self.entry_fp = self.fp;
        self.closure = self.param(2)?.into_pointer_value();
        let word = |i| Ok::<_, LowerError>(self.param(i)?.into_int_value());
        self.call = Some(CallArgs {
            desc: word(3)?,
            words: [word(4)?, word(5)?, word(6)?],
        });
        Ok(())
    }

    fn load_pool(&mut self) -> Lowered<()> {
        let proto = self.load_ptr(self.at(self.closure, layout::CLOSURE_PROTO)?, Mem::Const)?;
        self.pool = Some(self.load_ptr(self.at(proto, layout::PROTO_POOL)?, Mem::Proto)?);
        Ok(())
    }

    fn call_args(&self) -> Lowered<CallArgs<'c>> {
        self.call
            .ok_or_else(|| LowerError::Bug("arguments are gone".into()))
    }

    fn nargs(&self, args: &CallArgs<'c>) -> Lowered<IntValue<'c>> {
        let mask = self.t.i64.const_int(u64::from(u32::MAX), false);
        Ok(self.b.build_and(args.desc, mask, "")?)
    }

    fn params(&self) -> &[Val] {
        &self.func.blocks[Func::ENTRY.index()].params
    }

    /// Makes the parameters from the arguments as they came.
    fn unpack(&mut self) -> Lowered<()> {
        let args = self.call_args()?;
        let func = self.func;
        for (i, &param) in func.blocks[Func::ENTRY.index()].params.iter().enumerate() {
            let lv = if i < abi::REGISTER_ARGS {
                let shift = self.word(32 + 8 * i as i64);
                let tag = self.b.build_right_shift(args.desc, shift, false, "")?;
                let tag = self.b.build_and(tag, self.word(0xff), "")?;
                Lv::Any(args.words[i], tag)
            } else {
                // The slot may hold anything when the argument is missing.
                let given = self.b.build_int_compare(
                    IntPredicate::UGT,
                    self.nargs(&args)?,
                    self.word(i as i64),
                    "",
                )?;
                let (payload, tag) = self.load_value(self.register(i)?)?;
                let nil = self.word(0);
                Lv::Any(
                    self.b
                        .build_select(given, payload, nil, "")?
                        .into_int_value(),
                    self.b.build_select(given, tag, nil, "")?.into_int_value(),
                )
            };
            self.set(param, lv);
        }
        Ok(())
    }

    /// Moves the frame of a vararg function; its parameters are in the window.
    fn vararg_prep(&mut self) -> Lowered<()> {
        let args = self.call_args()?;
        let last = self.at(self.vm, layout::VM_EXIT_WORDS)?;
        self.store(args.words[2], last, Mem::ExitWord)?;
        let call = self.helper(
            Helper::VarargPrep,
            &[
                self.vm.into(),
                self.fp.into(),
                self.closure.into(),
                args.desc.into(),
                args.words[0].into(),
                args.words[1].into(),
            ],
        )?;
        let fp = self.call_result(call)?.into_int_value();
        self.fp = self.b.build_int_to_ptr(fp, self.t.ptr, "fp")?;
        self.call = None;
        let func = self.func;
        for (i, &param) in func.blocks[Func::ENTRY.index()].params.iter().enumerate() {
            let (payload, tag) = self.load_value(self.register(i)?)?;
            self.set(param, Lv::Any(payload, tag));
        }
        Ok(())
    }

    /// Generic entry and body of a function that calls itself.
    fn split_entry(&mut self) -> Lowered<()> {
        self.unpack()?;
        let func = self.func;
        let entry = &func.blocks[Func::ENTRY.index()];
        let mut params = vec![Ty::Any; entry.params.len()];
        let mut peeled = 0;
        for &i in &entry.insts {
            let data = func.inst(i);
            match data.op {
                Op::Int(_) | Op::Float(_) | Op::Bool(_) | Op::Nil | Op::SelfClosure => {}
                Op::GuardTag(_) => match entry.params.iter().position(|p| *p == data.args[0]) {
                    Some(n) if params[n] == Ty::Any => params[n] = self.result_ty(i),
                    _ => break,
                },
                _ => break,
            }
            peeled += 1;
        }
        let body = self.declare_body(params, peeled);
        for &i in &entry.insts[..peeled] {
            self.lower_inst(Func::ENTRY, i, &[])?;
        }
        if body.takes_pool {
            self.load_pool()?;
        }
        let mut values = Vec::new();
        for (&param, &ty) in entry.params.iter().zip(&body.params) {
            let lv = self.val(param)?;
            let lv = match (ty, lv) {
                (Ty::Any, lv) => lv,
                (ty, Lv::Any(payload, _)) => self.unpack_payload(payload, ty)?,
                (_, lv) => lv,
            };
            values.push(lv);
        }
        let (fp, closure) = (self.fp, self.closure);
        self.body = Some(body);
        let call = self.call_body(fp, closure, &values)?;
        call.set_tail_call(true);
        let result = self.call_result(call)?;
        self.b.build_return(Some(&result))?;
        self.enter_body()
    }

    fn declare_body(&self, params: Vec<Ty>, peeled: usize) -> Body<'c> {
        let takes_pool = self.uses_pool();
        let (ptr, i64) = (self.t.ptr.into(), self.t.i64.into());
        let mut types: Vec<BasicMetadataTypeEnum<'c>> = vec![ptr, ptr, ptr];
        if takes_pool {
            types.push(ptr);
        }
        for ty in &params {
            match ty {
                Ty::Nil => {}
                Ty::Any => types.extend([i64, i64]),
                Ty::Int => types.push(i64),
                Ty::Float => types.push(self.t.f64.into()),
                Ty::Bool => types.push(self.t.i1.into()),
                _ => types.push(ptr),
            }
        }
        let name = format!("{}.body", self.generic.get_name().to_string_lossy());
        let function = self.internal(&name, self.t.pair.fn_type(&types, false));
        Body {
            function,
            params,
            takes_pool,
            peeled,
        }
    }

    /// Declares an internal function of the Lua convention.
    pub(super) fn internal(
        &self,
        name: &str,
        ty: inkwell::types::FunctionType<'c>,
    ) -> FunctionValue<'c> {
        let function = self.module.add_function(name, ty, Some(Linkage::Internal));
        function.set_call_conventions(abi::SWIFT_CC);
        let this = self.attribute("swiftself", 0);
        function.add_attribute(AttributeLoc::Param(abi::VM_PARAM), this);
        function.add_attribute(AttributeLoc::Function, self.attribute("nounwind", 0));
        function
    }

    pub(super) fn attribute(&self, name: &str, value: u64) -> Attribute {
        let kind = Attribute::get_named_enum_kind_id(name);
        debug_assert_ne!(kind, 0, "LLVM knows no attribute {name}");
        self.cx.create_enum_attribute(kind, value)
    }

    /// Calls the body with the values of its parameters, each of its type.
    pub(super) fn call_body(
        &self,
        fp: inkwell::values::PointerValue<'c>,
        closure: inkwell::values::PointerValue<'c>,
        values: &[Lv<'c>],
    ) -> Lowered<inkwell::values::CallSiteValue<'c>> {
        let body = self
            .body
            .as_ref()
            .ok_or_else(|| LowerError::Bug("there is no body".into()))?;
        let mut args: Vec<BasicMetadataValueEnum<'c>> =
            vec![self.vm.into(), fp.into(), closure.into()];
        if body.takes_pool {
            args.push(self.pool()?.into());
        }
        for &value in values {
            match value {
                Lv::Nil => {}
                Lv::Any(payload, tag) => {
                    args.extend([payload, tag].map(BasicMetadataValueEnum::from))
                }
                Lv::Int(i) | Lv::Bool(i) => args.push(i.into()),
                Lv::Float(f) => args.push(f.into()),
                Lv::Ptr(p) => args.push(p.into()),
            }
        }
        let call = self.b.build_call(body.function, &args, "")?;
        call.set_call_convention(abi::SWIFT_CC);
        let this = self.attribute("swiftself", 0);
        call.add_attribute(AttributeLoc::Param(abi::VM_PARAM), this);
        Ok(call)
    }

    /// Goes on to fill the body.
    fn enter_body(&mut self) -> Lowered<()> {
        let Some(body) = self.body.clone() else {
            return Err(LowerError::Bug("there is no body".into()));
        };
        self.fill_exits()?;
        self.f = body.function;
        self.call = None;
        self.vals.fill(None);
        let entry = self.new_block("entry");
        self.b.position_at_end(entry);
        self.vm = self.param(0)?.into_pointer_value();
        self.fp = self.param(1)?.into_pointer_value();
        self.entry_fp = self.fp;
        self.closure = self.param(2)?.into_pointer_value();
        let mut next = 3;
        if body.takes_pool {
            self.pool = Some(self.param(next)?.into_pointer_value());
            next += 1;
        }
        let func = self.func;
        let params = &func.blocks[Func::ENTRY.index()].params;
        for (&param, &ty) in params.iter().zip(&body.params) {
            let (payload, tag) = match ty {
                Ty::Any => {
                    next += 2;
                    (
                        self.param(next - 2)?.into_int_value(),
                        self.param(next - 1)?.into_int_value(),
                    )
                }
                Ty::Nil => (self.word(0), self.tag(Tag::NIL)),
                ty => {
                    next += 1;
                    let typed = Self::from_basic(self.param(next - 1)?, ty);
                    let tag = ty.tag().unwrap_or(Tag::NIL);
                    (self.payload(typed)?, self.tag(tag))
                }
            };
            self.set(param, Lv::Any(payload, tag));
        }
        if self.frame.check_at_entry {
            self.stack_check()?;
        }
        Ok(())
    }

    /// In a body: binds the result of what the generic entry has done.
    pub(super) fn bind_peeled(&mut self, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        if let Op::GuardTag(_) = data.op {
            let (payload, _) = self.any(data.args[0])?;
            let lv = self.unpack_payload(payload, self.result_ty(i))?;
            self.result(i, lv);
            return Ok(());
        }
        self.constant(i)
    }

    /// The first address after the frame's registers.
    pub(super) fn frame_end(&self) -> Lowered<inkwell::values::PointerValue<'c>> {
        self.register(self.func.max_stack as usize)
    }

    /// Polls if the frame would pass the stack's limit.
    fn stack_check(&mut self) -> Lowered<()> {
        let mut end = self.frame_end()?;
        if self.func.is_vararg {
            // The frame moves up by the arguments and a record.
            let nargs = self.nargs(&self.call_args()?)?;
            let more = self.b.build_int_add(nargs, self.word(2), "")?;
            end = self.index(self.cx.i128_type(), end, more)?;
        }
        let limit = self.load_ptr(self.at(self.vm, layout::VM_STACK_LIMIT)?, Mem::VmLimit)?;
        let over = self
            .b
            .build_int_compare(IntPredicate::UGT, end, limit, "")?;
        let slow = self.new_block("stack");
        let next = self.new_block("enter");
        let branch = self.b.build_conditional_branch(over, slow, next)?;
        self.notes.expect(branch, false)?;

        self.b.position_at_end(slow);
        let args = match self.call {
            Some(args) => args,
            None => self.repack()?,
        };
        let stub = self.poll_stub()?;
        let [a, b, c] = args.words;
        let call = self.b.build_call(
            stub,
            &[
                self.vm.into(),
                self.fp.into(),
                self.closure.into(),
                args.desc.into(),
                a.into(),
                b.into(),
                c.into(),
            ],
            "",
        )?;
        call.set_call_convention(abi::SWIFT_CC);
        let this = self.attribute("swiftself", 0);
        call.add_attribute(AttributeLoc::Param(abi::VM_PARAM), this);
        let raised = self.call_result(call)?.into_int_value();
        let ok = self
            .b
            .build_int_compare(IntPredicate::EQ, raised, self.word(0), "")?;
        let failed = self.new_block("raised");
        let branch = self.b.build_conditional_branch(ok, next, failed)?;
        self.notes.expect(branch, true)?;
        self.b.position_at_end(failed);
        self.ret(self.word(0), self.tag(Tag::RET_ERROR))?;
        self.b.position_at_end(next);
        Ok(())
    }

    /// In a body: the parameters as a caller of the generic entry gives them.
    fn repack(&self) -> Lowered<CallArgs<'c>> {
        let mut words = [self.word(0); abi::REGISTER_ARGS];
        let mut desc = self.word(self.params().len() as i64);
        for (i, &param) in self.params().iter().enumerate() {
            let (payload, tag) = self.any(param)?;
            if i < words.len() {
                words[i] = payload;
                let shifted = self
                    .b
                    .build_left_shift(tag, self.word(32 + 8 * i as i64), "")?;
                desc = self.b.build_or(desc, shifted, "")?;
            } else {
                self.store_value((payload, tag), self.register(i)?)?;
            }
        }
        Ok(CallArgs { desc, words })
    }

    /// The out-of-line half of the stack check, which needs memory for the
    /// arguments; callers thus need no stack frame for it.
    fn poll_stub(&mut self) -> Lowered<FunctionValue<'c>> {
        if let Some(stub) = self.poll_stub {
            return Ok(stub);
        }
        let (ptr, i64) = (self.t.ptr.into(), self.t.i64.into());
        let ty = self
            .t
            .i64
            .fn_type(&[ptr, ptr, ptr, i64, i64, i64, i64], false);
        let name = format!("{}.poll", self.generic.get_name().to_string_lossy());
        let stub = self.internal(&name, ty);
        for name in ["noinline", "cold"] {
            stub.add_attribute(AttributeLoc::Function, self.attribute(name, 0));
        }
        self.poll_stub = Some(stub);
        let back = self.here()?;
        let (f, vm) = (self.f, self.vm);
        self.f = stub;
        let filled = self.fill_poll_stub();
        (self.f, self.vm) = (f, vm);
        self.b.position_at_end(back);
        filled.map(|()| stub)
    }

    fn fill_poll_stub(&mut self) -> Lowered<()> {
        let entry = self.new_block("entry");
        self.b.position_at_end(entry);
        self.vm = self.param(0)?.into_pointer_value();
        let words = self
            .b
            .build_alloca(self.t.i64.array_type(abi::REGISTER_ARGS as u32), "args")?;
        for i in 0..abi::REGISTER_ARGS {
            let word = self.param(4 + i as u32)?.into_int_value();
            self.b.build_store(self.at(words, 8 * i)?, word)?;
        }
        let args = [
            self.vm.into(),
            self.param(1)?.into(),
            self.param(2)?.into(),
            self.param(3)?.into(),
            words.into(),
        ];
        let call = self.helper(Helper::EntryPoll, &args)?;
        let result = self.call_result(call)?;
        self.b.build_return(Some(&result))?;
        Ok(())
    }

    /// Makes the frame visible.
    pub(super) fn push_record(&mut self) -> Lowered<()> {
        if self.frame.check_at_push {
            self.stack_check()?;
        }
        let vm_frame = self.at(self.vm, layout::VM_FRAME)?;
        let prev = self.load_ptr(vm_frame, Mem::VmFrame)?;
        self.store(
            self.closure,
            self.at(self.fp, layout::FRAME_FUNC)?,
            Mem::Stack,
        )?;
        let word = self.at(self.fp, layout::FRAME_WORD)?;
        if self.func.is_vararg {
            // The other half is the number of extra arguments, already there.
            self.store_half(RECORD_WORD, word, Mem::Stack)?;
        } else {
            let all = self.t.i64.const_int(u64::from(RECORD_WORD), false);
            self.store(all, word, Mem::Stack)?;
        }
        self.store(prev, self.at(self.fp, layout::FRAME_PREV)?, Mem::Stack)?;
        let id = self.at(self.fp, layout::FRAME_CODE_ID)?;
        self.store_half(self.options.code_id, id, Mem::Stack)?;
        self.store(self.fp, vm_frame, Mem::VmFrame)?;
        self.pushed = true;
        Ok(())
    }

    /// Writes the record of an inlined frame, and makes it the running one.
    pub(super) fn write_record(
        &self,
        fp: PointerValue<'c>,
        closure: PointerValue<'c>,
        prev: PointerValue<'c>,
        tail: bool,
    ) -> Lowered<()> {
        self.store(closure, self.at(fp, layout::FRAME_FUNC)?, Mem::Stack)?;
        let tail = if tail {
            u64::from(flags::TAIL) << 16
        } else {
            0
        };
        let word = self.t.i64.const_int(u64::from(RECORD_WORD) | tail, false);
        self.store(word, self.at(fp, layout::FRAME_WORD)?, Mem::Stack)?;
        self.store(prev, self.at(fp, layout::FRAME_PREV)?, Mem::Stack)?;
        let id = self.at(fp, layout::FRAME_CODE_ID)?;
        self.store_half(self.options.code_id, id, Mem::Stack)?;
        self.store(fp, self.at(self.vm, layout::VM_FRAME)?, Mem::VmFrame)
    }

    /// As [`Fx::write_record`], of a library function.
    pub(super) fn write_native_record(
        &self,
        fp: PointerValue<'c>,
        function: PointerValue<'c>,
        prev: PointerValue<'c>,
    ) -> Lowered<()> {
        self.store(function, self.at(fp, layout::FRAME_FUNC)?, Mem::Stack)?;
        let word = self.t.i64.const_int(u64::from(NATIVE_RECORD_WORD), false);
        self.store(word, self.at(fp, layout::FRAME_WORD)?, Mem::Stack)?;
        self.store(prev, self.at(fp, layout::FRAME_PREV)?, Mem::Stack)?;
        // Nor are there arguments of its own.
        self.store(self.word(0), self.at(fp, layout::FRAME_PC)?, Mem::Stack)?;
        self.store(fp, self.at(self.vm, layout::VM_FRAME)?, Mem::VmFrame)
    }

    /// Takes the frame's record off, if there is one.
    pub(super) fn pop_record(&self) -> Lowered<()> {
        if !self.pushed {
            return Ok(());
        }
        let prev = self.load_ptr(self.at(self.fp, layout::FRAME_PREV)?, Mem::Stack)?;
        self.store(prev, self.at(self.vm, layout::VM_FRAME)?, Mem::VmFrame)
    }

    /// The block where the error goes that the call site `i` raised, for code
    /// whose record is in place: it returns the error, or exits from protected
    /// code.
    pub(super) fn error_block(&mut self, i: Inst) -> Lowered<BasicBlock<'c>> {
        if self.func.inst(i).state.is_some() {
            let back = self.here()?;
            let block = self.new_block("caught");
            self.b.position_at_end(block);
            self.pop_inlined()?;
            self.leave(i)?;
            self.b.position_at_end(back);
            return Ok(block);
        }
        if let Some(block) = self.error_block {
            return Ok(block);
        }
        let back = self.here()?;
        let block = self.new_block("raised");
        self.b.position_at_end(block);
        self.pop_record()?;
        self.ret(self.word(0), self.tag(Tag::RET_ERROR))?;
        self.b.position_at_end(back);
        self.error_block = Some(block);
        Ok(block)
    }

    /// Returns payload and tag.
    pub(super) fn ret(&self, payload: IntValue<'c>, tag: IntValue<'c>) -> Lowered<()> {
        self.b
            .build_aggregate_return(&[payload.into(), tag.into()])?;
        Ok(())
    }
}
