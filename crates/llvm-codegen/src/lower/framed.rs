//! The part of a body that needs a frame, as a function of its own.
//!
//! A function that calls itself often ends without a call: the base case of a
//! recursion. What comes before the push of the record is then the whole body,
//! which ends in a jump to the *framed* part. The body thus saves no
//! registers, and when it is small it is inlined where the function calls
//! itself, so that base cases cost no call at all.
//!
//! All blocks that the push dominates, and nothing else, can follow it, so
//! cutting there leaves no edge between the two functions.

use super::frame_plan::Push;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use crate::abi;
use inkwell::attributes::AttributeLoc;
use inkwell::types::{BasicMetadataTypeEnum, BasicType};
use inkwell::values::{BasicMetadataValueEnum, BasicValueEnum, FunctionValue};
use vela_mir::analysis::for_each_use;
use vela_mir::ir::{Block, Func, Val};

/// Instructions up to which a body is inlined.
const INLINE_LIMIT: usize = 16;

/// The framed part of a body.
pub(super) struct Framed<'c> {
    function: FunctionValue<'c>,
    /// Values that it takes, as the body has them, after the fixed ones.
    takes: Vec<BasicValueEnum<'c>>,
    /// MIR values that are made of these.
    live: Vec<Val>,
}

impl<'c> Fx<'_, 'c> {
    /// Where the body is cut, if it is.
    pub(super) fn cut(&self) -> Option<(Block, usize)> {
        match self.frame.push {
            Some(Push::Before(b, n))
                if b != Func::ENTRY && self.body.is_some() && self.frame.check_at_push =>
            {
                Some((b, n))
            }
            _ => None,
        }
    }

    /// In the body, at the cut: goes on in the framed part.
    pub(super) fn call_framed(&mut self, cut: (Block, usize)) -> Lowered<()> {
        let func = self.func;
        let mut live = Vec::new();
        let mut note = |v: Val| {
            if self.vals[v.index()].is_some() && !live.contains(&v) {
                live.push(v);
            }
        };
        // The stack check hands the parameters on.
        let entry = &func.blocks[Func::ENTRY.index()];
        entry.params.iter().copied().for_each(&mut note);
        for &b in &self.cfg.order {
            let insts = &func.blocks[b.index()].insts;
            let from = match b {
                _ if b == cut.0 => cut.1,
                _ if self.frame.pushed_at(b) => 0,
                _ => continue,
            };
            for &i in &insts[from..] {
                for_each_use(func, i, &mut note);
            }
        }
        let mut takes = Vec::new();
        for &v in &live {
            for value in parts(self.val(v)?) {
                if !is_constant(value) && !self.is_fixed(value) && !takes.contains(&value) {
                    takes.push(value);
                }
            }
        }
        let pool = self.pool.filter(|_| self.takes_pool());
        let mut args: Vec<BasicValueEnum<'c>> =
            vec![self.vm.into(), self.fp.into(), self.closure.into()];
        args.extend(pool.map(BasicValueEnum::from));
        args.extend(&takes);
        let types: Vec<BasicMetadataTypeEnum<'c>> =
            args.iter().map(|v| v.get_type().into()).collect();
        let ty = self.t.pair.as_basic_type_enum().fn_type(&types, false);
        let name = format!("{}.framed", self.generic.get_name().to_string_lossy());
        let function = self.internal(&name, ty);
        let args: Vec<BasicMetadataValueEnum<'c>> = args.into_iter().map(Into::into).collect();
        let call = self.b.build_call(function, &args, "")?;
        call.set_call_convention(abi::SWIFT_CC);
        let this = self.attribute("swiftself", 0);
        call.add_attribute(AttributeLoc::Param(abi::VM_PARAM), this);
        call.set_tail_call(true);
        let result = self.call_result(call)?;
        self.b.build_return(Some(&result))?;
        self.framed = Some(Framed {
            function,
            takes,
            live,
        });
        Ok(())
    }

    /// Goes on to fill the framed part.
    pub(super) fn enter_framed(&mut self) -> Lowered<()> {
        let Some(framed) = self.framed.take() else {
            return Err(LowerError::Bug("the cut was not reached".into()));
        };
        self.fill_exits()?;
        let small = self
            .cfg
            .order
            .iter()
            .filter(|&&b| !self.frame.pushed_at(b))
            .map(|b| self.func.blocks[b.index()].insts.len())
            .sum::<usize>()
            <= INLINE_LIMIT;
        if small {
            let always = self.attribute("alwaysinline", 0);
            self.f.add_attribute(AttributeLoc::Function, always);
            self.inlines = true;
        }
        let (vm, fp, closure) = (self.vm, self.fp, self.closure);
        self.f = framed.function;
        let entry = self.new_block("entry");
        self.b.position_at_end(entry);
        let mut params = self.f.get_param_iter();
        let mut next = || {
            params
                .next()
                .ok_or_else(|| LowerError::Bug("a parameter is missing".into()))
        };
        self.vm = next()?.into_pointer_value();
        self.fp = next()?.into_pointer_value();
        self.entry_fp = self.fp;
        self.closure = next()?.into_pointer_value();
        let old_pool = self.pool;
        if self.takes_pool() {
            self.pool = Some(next()?.into_pointer_value());
        }
        let mut map = vec![
            (vm.into(), self.vm.into()),
            (fp.into(), self.fp.into()),
            (closure.into(), self.closure.into()),
        ];
        if let (Some(old), Some(new)) = (old_pool, self.pool) {
            map.push((old.into(), new.into()));
        }
        for old in framed.takes {
            map.push((old, next()?));
        }
        for v in framed.live {
            let lv = self.val(v)?;
            self.set(v, replace(lv, &map));
        }
        Ok(())
    }

    fn takes_pool(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.takes_pool)
    }

    fn is_fixed(&self, value: BasicValueEnum<'c>) -> bool {
        [Some(self.vm), Some(self.fp), Some(self.closure), self.pool]
            .into_iter()
            .flatten()
            .any(|p| value == p)
    }
}

/// The LLVM values that a value is made of.
fn parts(lv: Lv<'_>) -> Vec<BasicValueEnum<'_>> {
    match lv {
        Lv::Nil => Vec::new(),
        Lv::Int(i) | Lv::Bool(i) => vec![i.into()],
        Lv::Float(f) => vec![f.into()],
        Lv::Ptr(p) => vec![p.into()],
        Lv::Any(p, t) => vec![p.into(), t.into()],
    }
}

fn is_constant(value: BasicValueEnum<'_>) -> bool {
    match value {
        BasicValueEnum::IntValue(i) => i.is_const(),
        BasicValueEnum::FloatValue(f) => f.is_const(),
        BasicValueEnum::PointerValue(p) => p.is_const(),
        _ => false,
    }
}

fn replace<'c>(lv: Lv<'c>, map: &[(BasicValueEnum<'c>, BasicValueEnum<'c>)]) -> Lv<'c> {
    let new = |old: BasicValueEnum<'c>| {
        map.iter()
            .find(|pair| pair.0 == old)
            .map_or(old, |pair| pair.1)
    };
    match lv {
        Lv::Nil => Lv::Nil,
        Lv::Int(i) => Lv::Int(new(i.into()).into_int_value()),
        Lv::Bool(i) => Lv::Bool(new(i.into()).into_int_value()),
        Lv::Float(f) => Lv::Float(new(f.into()).into_float_value()),
        Lv::Ptr(p) => Lv::Ptr(new(p.into()).into_pointer_value()),
        Lv::Any(p, t) => Lv::Any(
            new(p.into()).into_int_value(),
            new(t.into()).into_int_value(),
        ),
    }
}
