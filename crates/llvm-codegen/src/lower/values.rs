//! How MIR values are represented in LLVM IR.

use super::{Fx, LowerError, Lowered};
use inkwell::values::{BasicValueEnum, FloatValue, IntValue, PhiValue, PointerValue};
use vela_mir::ir::{Ty, Val};
use vela_objects::Tag;

/// A MIR value as LLVM values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lv<'c> {
    /// nil takes no value.
    Nil,
    /// `i64`
    Int(IntValue<'c>),
    /// `double`
    Float(FloatValue<'c>),
    /// `i1`
    Bool(IntValue<'c>),
    /// Objects and machine pointers.
    Ptr(PointerValue<'c>),
    /// Payload and tag, both `i64`: the tag as the calling convention has it.
    Any(IntValue<'c>, IntValue<'c>),
}

/// The phis of a block parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phi<'c> {
    None,
    One(PhiValue<'c>),
    Any(PhiValue<'c>, PhiValue<'c>),
}

impl<'c> Fx<'_, 'c> {
    /// The LLVM values of a MIR value.
    pub(super) fn val(&self, v: Val) -> Lowered<Lv<'c>> {
        self.vals[v.index()]
            .ok_or_else(|| LowerError::Bug(format!("{v} is used before its definition")))
    }

    pub(super) fn set(&mut self, v: Val, lv: Lv<'c>) {
        self.vals[v.index()] = Some(lv);
    }

    pub(super) fn int(&self, v: Val) -> Lowered<IntValue<'c>> {
        match self.val(v)? {
            Lv::Int(i) => Ok(i),
            other => Err(self.wrong(v, "int", other)),
        }
    }

    pub(super) fn float(&self, v: Val) -> Lowered<FloatValue<'c>> {
        match self.val(v)? {
            Lv::Float(f) => Ok(f),
            other => Err(self.wrong(v, "float", other)),
        }
    }

    pub(super) fn bool(&self, v: Val) -> Lowered<IntValue<'c>> {
        match self.val(v)? {
            Lv::Bool(b) => Ok(b),
            other => Err(self.wrong(v, "bool", other)),
        }
    }

    pub(super) fn ptr(&self, v: Val) -> Lowered<PointerValue<'c>> {
        match self.val(v)? {
            Lv::Ptr(p) => Ok(p),
            other => Err(self.wrong(v, "a pointer", other)),
        }
    }

    fn wrong(&self, v: Val, wanted: &str, found: Lv<'c>) -> LowerError {
        LowerError::Bug(format!("{v} should be {wanted}, is {found:?}"))
    }

    /// Payload and tag of a value, boxing it if it is typed.
    pub(super) fn any(&self, v: Val) -> Lowered<(IntValue<'c>, IntValue<'c>)> {
        let lv = self.val(v)?;
        match lv {
            Lv::Any(p, t) => Ok((p, t)),
            typed => {
                let tag =
                    self.func.ty(v).tag().ok_or_else(|| {
                        LowerError::Bug(format!("{v} is no Lua value but is boxed"))
                    })?;
                Ok((self.payload(typed)?, self.tag(tag)))
            }
        }
    }

    /// The payload of a typed value, or of an `Any`.
    pub(super) fn payload(&self, lv: Lv<'c>) -> Lowered<IntValue<'c>> {
        Ok(match lv {
            Lv::Nil => self.t.i64.const_zero(),
            Lv::Int(i) => i,
            Lv::Float(f) => self.b.build_bit_cast(f, self.t.i64, "")?.into_int_value(),
            Lv::Bool(b) => self.b.build_int_z_extend(b, self.t.i64, "")?,
            Lv::Ptr(p) => self.b.build_ptr_to_int(p, self.t.i64, "")?,
            Lv::Any(p, _) => p,
        })
    }

    /// Reads a payload as a value of a type whose tag is known to be right.
    pub(super) fn unpack_payload(&self, payload: IntValue<'c>, ty: Ty) -> Lowered<Lv<'c>> {
        Ok(match ty {
            Ty::Nil => Lv::Nil,
            Ty::Int => Lv::Int(payload),
            Ty::Float => Lv::Float(
                self.b
                    .build_bit_cast(payload, self.t.f64, "")?
                    .into_float_value(),
            ),
            Ty::Bool => Lv::Bool(self.b.build_int_truncate(payload, self.t.i1, "")?),
            Ty::Any | Ty::None => {
                return Err(LowerError::Bug(format!(
                    "a payload has no type {}",
                    ty.name()
                )));
            }
            _ => Lv::Ptr(self.b.build_int_to_ptr(payload, self.t.ptr, "")?),
        })
    }

    /// The value as type `ty`, if that is known statically: it has the type,
    /// is boxed where `Any` is wanted, or unboxed where its tag is a constant.
    pub(super) fn coerce(&self, lv: Lv<'c>, from: Ty, to: Ty) -> Lowered<Option<Lv<'c>>> {
        if from == to {
            return Ok(Some(lv));
        }
        match (lv, to) {
            (Lv::Any(p, t), to) => match (t.get_zero_extended_constant(), to.tag()) {
                (Some(have), Some(want)) if have == u64::from(want.0) => {
                    Ok(Some(self.unpack_payload(p, to)?))
                }
                _ => Ok(None),
            },
            (typed, Ty::Any) => match from.tag() {
                Some(tag) => Ok(Some(Lv::Any(self.payload(typed)?, self.tag(tag)))),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// A tag as a constant.
    pub(super) fn tag(&self, tag: Tag) -> IntValue<'c> {
        self.t.i64.const_int(u64::from(tag.0), false)
    }

    /// A 64-bit constant.
    pub(super) fn word(&self, n: i64) -> IntValue<'c> {
        self.t.i64.const_int(n as u64, true)
    }

    /// Empty phis for a value of a type, and the value that they are.
    pub(super) fn phi(&self, ty: Ty) -> Lowered<(Phi<'c>, Lv<'c>)> {
        let t = &self.t;
        Ok(match ty {
            Ty::Nil | Ty::None => (Phi::None, Lv::Nil),
            Ty::Any => {
                let p = self.b.build_phi(t.i64, "")?;
                let tag = self.b.build_phi(t.i64, "")?;
                (
                    Phi::Any(p, tag),
                    Lv::Any(
                        p.as_basic_value().into_int_value(),
                        tag.as_basic_value().into_int_value(),
                    ),
                )
            }
            Ty::Int => {
                let p = self.b.build_phi(t.i64, "")?;
                (Phi::One(p), Lv::Int(p.as_basic_value().into_int_value()))
            }
            Ty::Bool => {
                let p = self.b.build_phi(t.i1, "")?;
                (Phi::One(p), Lv::Bool(p.as_basic_value().into_int_value()))
            }
            Ty::Float => {
                let p = self.b.build_phi(t.f64, "")?;
                (
                    Phi::One(p),
                    Lv::Float(p.as_basic_value().into_float_value()),
                )
            }
            _ => {
                let p = self.b.build_phi(t.ptr, "")?;
                (
                    Phi::One(p),
                    Lv::Ptr(p.as_basic_value().into_pointer_value()),
                )
            }
        })
    }

    /// Adds what `phi` is when control comes from `from`.
    pub(super) fn add_incoming(
        &self,
        phi: Phi<'c>,
        lv: Lv<'c>,
        from: inkwell::basic_block::BasicBlock<'c>,
    ) -> Lowered<()> {
        match (phi, lv) {
            (Phi::None, _) => {}
            (Phi::Any(p, t), Lv::Any(payload, tag)) => {
                p.add_incoming(&[(&payload, from)]);
                t.add_incoming(&[(&tag, from)]);
            }
            (Phi::One(p), Lv::Int(i) | Lv::Bool(i)) => p.add_incoming(&[(&i, from)]),
            (Phi::One(p), Lv::Float(f)) => p.add_incoming(&[(&f, from)]),
            (Phi::One(p), Lv::Ptr(q)) => p.add_incoming(&[(&q, from)]),
            (_, lv) => {
                return Err(LowerError::Bug(format!(
                    "block argument {lv:?} does not fit"
                )));
            }
        }
        Ok(())
    }

    /// The single LLVM value of a typed value; `None` for nil and `Any`.
    pub(super) fn basic(lv: Lv<'c>) -> Option<BasicValueEnum<'c>> {
        Some(match lv {
            Lv::Int(i) | Lv::Bool(i) => i.into(),
            Lv::Float(f) => f.into(),
            Lv::Ptr(p) => p.into(),
            Lv::Nil | Lv::Any(..) => return None,
        })
    }

    /// The value of a type that an LLVM value is.
    pub(super) fn from_basic(value: BasicValueEnum<'c>, ty: Ty) -> Lv<'c> {
        match value {
            BasicValueEnum::IntValue(i) if ty == Ty::Bool => Lv::Bool(i),
            BasicValueEnum::IntValue(i) => Lv::Int(i),
            BasicValueEnum::FloatValue(f) => Lv::Float(f),
            BasicValueEnum::PointerValue(p) => Lv::Ptr(p),
            _ => Lv::Nil,
        }
    }
}
