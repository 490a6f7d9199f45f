//! Constants, tags and boxes, and the frame's window.

use super::memory::Mem;
use super::values::Lv;
use super::{Fx, LowerError, Lowered};
use inkwell::IntPredicate;
use inkwell::values::{IntValue, PointerValue};
use vela_deopt::POOL_FIRST;
use vela_mir::ir::{Inst, Op, Ty};
use vela_objects::{Tag, layout};

impl<'c> Fx<'_, 'c> {
    pub(super) fn constant(&mut self, i: Inst) -> Lowered<()> {
        let lv = match &self.func.inst(i).op {
            Op::Int(n) => Lv::Int(self.word(*n)),
            Op::Float(bits) => Lv::Float(self.t.f64.const_float(f64::from_bits(*bits))),
            Op::Bool(b) => Lv::Bool(self.t.i1.const_int(u64::from(*b), false)),
            Op::Literal(slot) => {
                let at = self.at(self.pool()?, 8 * (POOL_FIRST + slot.index()))?;
                Lv::Ptr(self.load_ptr(at, Mem::Const)?)
            }
            Op::SelfClosure => Lv::Ptr(self.closure),
            _ => Lv::Nil,
        };
        self.result(i, lv);
        Ok(())
    }

    /// The literal pool.
    pub(super) fn pool(&self) -> Lowered<PointerValue<'c>> {
        self.pool
            .ok_or_else(|| LowerError::Bug("the literal pool was not loaded".into()))
    }

    /// Whether a tag is `tag`.
    pub(super) fn tag_is(&self, found: IntValue<'c>, tag: Tag) -> Lowered<IntValue<'c>> {
        Ok(self
            .b
            .build_int_compare(IntPredicate::EQ, found, self.tag(tag), "")?)
    }

    pub(super) fn boxing(&mut self, i: Inst) -> Lowered<()> {
        let data = self.func.inst(i);
        let args = &data.args;
        let lv = match &data.op {
            Op::Box => {
                let (payload, tag) = self.any(args[0])?;
                Lv::Any(payload, tag)
            }
            Op::HasTag(tag) => Lv::Bool(self.tag_is(self.any(args[0])?.1, *tag)?),
            Op::Unbox => self.unpack_payload(self.any(args[0])?.0, self.result_ty(i))?,
            Op::GuardTag(tag) => {
                let (payload, found) = self.any(args[0])?;
                let ok = self.tag_is(found, *tag)?;
                self.guard(i, ok)?;
                self.unpack_payload(payload, self.result_ty(i))?
            }
            Op::Truthy => {
                // nil has payload 0, so a small tag with payload 0 is false.
                let (payload, tag) = self.any(args[0])?;
                let other =
                    self.b
                        .build_int_compare(IntPredicate::UGT, tag, self.tag(Tag::BOOL), "")?;
                let set = self
                    .b
                    .build_int_compare(IntPredicate::NE, payload, self.word(0), "")?;
                Lv::Bool(self.b.build_or(other, set, "")?)
            }
            Op::SameBits => {
                let (p, t) = self.any(args[0])?;
                let (q, u) = self.any(args[1])?;
                let tags = self.b.build_int_compare(IntPredicate::EQ, t, u, "")?;
                let bits = self.b.build_int_compare(IntPredicate::EQ, p, q, "")?;
                Lv::Bool(self.b.build_and(tags, bits, "")?)
            }
            Op::SameObject => {
                let (a, b) = (self.ptr(args[0])?, self.ptr(args[1])?);
                Lv::Bool(self.b.build_int_compare(IntPredicate::EQ, a, b, "")?)
            }
            Op::Select => self.select(i)?,
            Op::StoreReg(r) => {
                let to = self.register(*r as usize)?;
                let ty = self.func.ty(args[0]);
                if let Lv::Float(f) = self.val(args[0])? {
                    self.store(f, to, Mem::Stack)?;
                    let tag = self.tag(Tag::FLOAT);
                    self.store_byte(tag, self.at(to, layout::VALUE_TAG)?, Mem::Stack)?;
                } else if ty == Ty::Ptr {
                    return Err(LowerError::Bug(format!("{} in a register", args[0])));
                } else {
                    self.store_value(self.any(args[0])?, to)?;
                }
                return Ok(());
            }
            Op::LoadReg(r) => {
                let (payload, tag) = self.load_value(self.register(*r as usize)?)?;
                Lv::Any(payload, tag)
            }
            Op::VarargCount => Lv::Int(self.vararg_count()?),
            Op::LoadVararg => {
                // Extra arguments end where the record begins.
                let back = self
                    .b
                    .build_int_sub(self.int(args[0])?, self.vararg_count()?, "")?;
                let from = self.index(self.cx.i128_type(), self.fp, back)?;
                let (payload, tag) = self.load_value(from)?;
                Lv::Any(payload, tag)
            }
            op => return Err(LowerError::Bug(format!("{op:?} is no boxing operation"))),
        };
        self.result(i, lv);
        Ok(())
    }

    fn vararg_count(&self) -> Lowered<IntValue<'c>> {
        self.load_half(self.at(self.fp, layout::FRAME_NVARARGS)?, Mem::Stack, None)
    }

    fn select(&self, i: Inst) -> Lowered<Lv<'c>> {
        let args = &self.func.inst(i).args;
        let which = self.bool(args[0])?;
        let ty = self.result_ty(i);
        let (a, b) = (self.val(args[1])?, self.val(args[2])?);
        if let (Lv::Any(p, t), Lv::Any(q, u)) = (a, b) {
            let payload = self.b.build_select(which, p, q, "")?.into_int_value();
            let tag = self.b.build_select(which, t, u, "")?.into_int_value();
            return Ok(Lv::Any(payload, tag));
        }
        match (Self::basic(a), Self::basic(b)) {
            (Some(a), Some(b)) => Ok(Self::from_basic(self.b.build_select(which, a, b, "")?, ty)),
            _ => Ok(Lv::Nil),
        }
    }
}
