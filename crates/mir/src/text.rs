//! The textual form: [`Display`](std::fmt::Display) for functions, and the
//! names of operations that [`crate::parse`] reads back.
//!
//! ```text
//! func "fib:1" call params 1 stack 6
//! p0: constant 2
//! b0(v0: any):
//!   v1: int = guard_tag.int v0 [fs0 type]
//!   v2: int = int 2
//!   v3: bool = int_cmp.lt v1, v2
//!   branch v3, b1(v1), b2
//! b1(v4: int) loop:
//!   return v4
//! b2 cold:
//!   exit [fs0 unreached]
//! fs0: pc 1 regs r0=v0
//! s0: pc 3 live r0, r2
//! end
//! ```
//!
//! The text holds all data of a function; values, states, sites, pool slots
//! and blocks keep their numbers. Only instructions are numbered anew when
//! the text is read, in the order of the text.

use crate::helper::Helper;
use crate::ir::{
    Cond, EntryKind, FloatFn, FloatOp, Func, Inst, InstData, IntOp, Op, Pool, PoolEntry, SlotLoc,
    Target, Ty, Val,
};
use std::fmt::{self, Display, Formatter, Write};
use vela_deopt::DeoptReason;
use vela_objects::Tag;

/// Value tags by name.
const TAGS: [(&str, Tag); 13] = [
    ("nil", Tag::NIL),
    ("bool", Tag::BOOL),
    ("int", Tag::INT),
    ("float", Tag::FLOAT),
    ("light", Tag::LIGHT),
    ("str", Tag::STR),
    ("table", Tag::TABLE),
    ("luafn", Tag::LUA_FN),
    ("nativefn", Tag::NATIVE_FN),
    ("userdata", Tag::USERDATA),
    ("thread", Tag::THREAD),
    ("cell", Tag::CELL),
    ("none", Tag::RET_NONE),
];

macro_rules! names {
    ($table:ident, $ty:ty: $($name:literal = $variant:ident,)+) => {
        const $table: &[(&str, $ty)] = &[$(($name, <$ty>::$variant),)+];
    };
}

names! { CONDS, Cond: "eq" = Eq, "ne" = Ne, "lt" = Lt, "le" = Le, "gt" = Gt, "ge" = Ge, "ult" = ULt, }
names! { INT_OPS, IntOp:
    "add" = Add, "sub" = Sub, "mul" = Mul, "and" = And, "or" = Or, "xor" = Xor, "shl" = Shl, "shr" = Shr,
    "floordiv" = FloorDiv, "mod" = Mod,
}
names! { FLOAT_OPS, FloatOp:
    "add" = Add, "sub" = Sub, "mul" = Mul, "div" = Div, "mod" = Mod, "floordiv" = FloorDiv, "pow" = Pow,
    "min" = Min, "max" = Max, "atan2" = Atan2, "fmod" = Fmod,
}
names! { FLOAT_FNS, FloatFn:
    "neg" = Neg, "abs" = Abs, "sqrt" = Sqrt, "floor" = Floor, "ceil" = Ceil, "sin" = Sin, "cos" = Cos,
    "tan" = Tan, "exp" = Exp, "log" = Log,
}

/// Operations without immediates.
const PLAIN: &[(&str, Op)] = &[
    ("nil", Op::Nil),
    ("self_closure", Op::SelfClosure),
    ("box", Op::Box),
    ("unbox", Op::Unbox),
    ("truthy", Op::Truthy),
    ("same_bits", Op::SameBits),
    ("int_to_float", Op::IntToFloat),
    ("guard_float_to_int", Op::GuardFloatToInt),
    ("not", Op::Not),
    ("same_object", Op::SameObject),
    ("select", Op::Select),
    ("str_len", Op::StrLen),
    ("str_byte", Op::StrByte),
    ("second_result", Op::SecondResult),
    ("guard", Op::Guard),
    ("exit", Op::Exit),
    ("guard_valid", Op::GuardValid),
    ("guard_polled", Op::GuardPolled),
    ("vararg_count", Op::VarargCount),
    ("load_vararg", Op::LoadVararg),
    ("load_cell", Op::LoadCell),
    ("store_cell", Op::StoreCell),
    ("new_cell", Op::NewCell),
    ("load_shape", Op::LoadShape),
    ("guard_shape", Op::GuardShape),
    ("shape_in", Op::ShapeIn),
    ("add_slot", Op::AddSlot),
    ("set_shape", Op::SetShape),
    ("find_field", Op::FindField),
    ("put_field", Op::PutField),
    ("find_index", Op::FindIndex),
    ("put_index", Op::PutIndex),
    ("elems_len", Op::ElemsLen),
    ("elems_kind", Op::ElemsKind),
    ("elems_cap", Op::ElemsCap),
    ("set_elems_len", Op::SetElemsLen),
    ("load_elem", Op::LoadElem),
    ("store_elem", Op::StoreElem),
    ("store_elem_mixed", Op::StoreElemMixed),
    ("push_elem", Op::PushElem),
    ("no_ext", Op::NoExt),
    ("none_beyond", Op::NoneBeyond),
    ("no_meta", Op::NoMeta),
    ("meta_epoch", Op::MetaEpoch),
    ("virtual_table", Op::VirtualTable),
    ("virtual_cell", Op::VirtualCell),
    ("load_proto", Op::LoadProto),
    ("interp_one", Op::InterpOne),
    ("poll", Op::Poll),
    ("pop_frame", Op::PopFrame),
    ("jump", Op::Jump),
    ("branch", Op::Branch),
    ("return", Op::Return),
    ("return_none", Op::ReturnNone),
];

fn name_of<T: Copy + PartialEq>(table: &[(&'static str, T)], x: T) -> &'static str {
    table.iter().find(|e| e.1 == x).map_or("?", |e| e.0)
}

fn named<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<T> {
    table.iter().find(|e| e.0 == name).map(|e| e.1)
}

/// The tag with this name.
pub(crate) fn tag_named(name: &str) -> Option<Tag> {
    named(&TAGS, name)
}

/// The type with this name.
pub(crate) fn ty_named(name: &str) -> Option<Ty> {
    Ty::ALL.into_iter().find(|t| t.name() == name)
}

/// The reason with this name.
pub(crate) fn reason_named(name: &str) -> Option<DeoptReason> {
    DeoptReason::ALL.iter().copied().find(|r| r.name() == name)
}

/// A count, or `all`.
struct Count(Option<u8>);

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(n) => write!(f, "{n}"),
            None => f.write_str("all"),
        }
    }
}

impl Display for SlotLoc {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SlotLoc::Inline { index, cap } => write!(f, "inline.{index}.{cap}"),
            SlotLoc::Out(i) => write!(f, "out.{i}"),
        }
    }
}

/// Writes the operation with its immediates.
impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Op::Int(i) => write!(f, "int {i}"),
            Op::Float(bits) => {
                let x = f64::from_bits(*bits);
                if x.is_nan() {
                    write!(f, "float nan:{bits:#x}")
                } else {
                    write!(f, "float {x:?}")
                }
            }
            Op::Bool(b) => write!(f, "bool {b}"),
            Op::Literal(p) => write!(f, "literal {p}"),
            Op::HasTag(t) => write!(f, "has_tag.{}", name_of(&TAGS, *t)),
            Op::GuardTag(t) => write!(f, "guard_tag.{}", name_of(&TAGS, *t)),
            Op::IntOp(o) => write!(f, "int_op.{}", name_of(INT_OPS, *o)),
            Op::IntCmp(c) => write!(f, "int_cmp.{}", name_of(CONDS, *c)),
            Op::FloatOp(o) => write!(f, "float_op.{}", name_of(FLOAT_OPS, *o)),
            Op::FloatFn(o) => write!(f, "float_fn.{}", name_of(FLOAT_FNS, *o)),
            Op::FloatCmp(c) => write!(f, "float_cmp.{}", name_of(CONDS, *c)),
            Op::StrLess(or_equal) => {
                write!(f, "str_less.{}", if *or_equal { "le" } else { "lt" })
            }
            Op::StoreReg(r) => write!(f, "store_reg.{r}"),
            Op::LoadReg(r) => write!(f, "load_reg.{r}"),
            Op::Upval(n) => write!(f, "upval.{n}"),
            Op::LoadSlot(loc) => write!(f, "load_slot.{loc}"),
            Op::StoreSlot(loc, tag) => {
                write!(f, "store_slot.{loc}{}", if *tag { ".tag" } else { "" })
            }
            Op::NewTable { fields, elems } => write!(f, "new_table.{fields}.{elems}"),
            Op::CallLua { a, is_self, open } => {
                let own = if *is_self { ".self" } else { "" };
                let open = if *open { ".open" } else { "" };
                write!(f, "call_lua.{a}{own}{open}")
            }
            Op::CallLuaMulti { a, want } => write!(f, "call_lua_multi.{a}.{}", Count(*want)),
            Op::CallWindow { a, nargs, want } => {
                write!(f, "call_window.{a}.{}.{}", Count(*nargs), Count(*want))
            }
            Op::ReturnWindow { from, count } => {
                write!(f, "return_window.{from}.{}", Count(*count))
            }
            Op::TailCall { a, nargs } => write!(f, "tail_call.{a}.{}", Count(*nargs)),
            Op::TailCallLua { is_self } => {
                write!(f, "tail_call_lua{}", if *is_self { ".self" } else { "" })
            }
            Op::PushFrame { a, tail } => {
                write!(f, "push_frame.{a}{}", if *tail { ".tail" } else { "" })
            }
            Op::EnterFrame { a } => write!(f, "enter_frame.{a}"),
            Op::CallTail { a, nargs, want } => write!(f, "call_tail.{a}.{nargs}.{want}"),
            Op::Lib(h) => write!(f, "lib.{}", h.name()),
            Op::NewClosure(n, None) => write!(f, "new_closure.{n}"),
            Op::NewClosure(n, Some(p)) => write!(f, "new_closure.{n}.{p}"),
            Op::VirtualClosure(n) => write!(f, "virtual_closure.{n}"),
            plain => {
                let name = PLAIN.iter().find(|e| e.1 == *plain).map_or("?", |e| e.0);
                f.write_str(name)
            }
        }
    }
}

/// Operations with immediates that name one of a list.
const LISTS: [&str; 8] = [
    "has_tag",
    "guard_tag",
    "int_op",
    "int_cmp",
    "float_op",
    "float_fn",
    "float_cmp",
    "lib",
];

/// Other operations with immediates, or with the operand of a constant.
const NUMBERED: [&str; 22] = [
    "int",
    "float",
    "bool",
    "literal",
    "str_less",
    "store_reg",
    "load_reg",
    "upval",
    "load_slot",
    "store_slot",
    "new_table",
    "call_lua",
    "call_lua_multi",
    "call_window",
    "return_window",
    "tail_call",
    "tail_call_lua",
    "push_frame",
    "enter_frame",
    "call_tail",
    "new_closure",
    "virtual_closure",
];

/// Whether this names an operation, with its immediates or without.
#[must_use]
pub fn is_op(name: &str) -> bool {
    let (head, immediates) = name.split_once('.').map_or((name, ""), |(h, i)| (h, i));
    if immediates.is_empty() {
        LISTS.contains(&head) || NUMBERED.contains(&head) || PLAIN.iter().any(|e| e.0 == head)
    } else {
        parse_op(name, Some("0")).is_some() || NUMBERED.contains(&head)
    }
}

/// Reads an operation: its name with immediates behind dots, and the operand
/// of a constant. `None` if there is no such operation.
pub(crate) fn parse_op(text: &str, constant: Option<&str>) -> Option<Op> {
    fn count(s: &str) -> Option<Option<u8>> {
        if s == "all" {
            Some(None)
        } else {
            s.parse().ok().map(Some)
        }
    }
    fn slot(s: &[&str]) -> Option<SlotLoc> {
        Some(match s {
            ["inline", index, cap] => SlotLoc::Inline {
                index: index.parse().ok()?,
                cap: cap.parse().ok()?,
            },
            ["out", i] => SlotLoc::Out(i.parse().ok()?),
            _ => return None,
        })
    }
    let parts: Vec<&str> = text.split('.').collect();
    Some(match parts.as_slice() {
        ["int"] => Op::Int(constant?.parse().ok()?),
        ["float"] => {
            let c = constant?;
            Op::Float(match c.strip_prefix("nan:0x") {
                Some(hex) => u64::from_str_radix(hex, 16).ok()?,
                None => c.parse::<f64>().ok()?.to_bits(),
            })
        }
        ["bool"] => Op::Bool(constant?.parse().ok()?),
        ["literal"] => Op::Literal(Pool(constant?.strip_prefix('p')?.parse().ok()?)),
        ["has_tag", t] => Op::HasTag(tag_named(t)?),
        ["guard_tag", t] => Op::GuardTag(tag_named(t)?),
        ["int_op", o] => Op::IntOp(named(INT_OPS, o)?),
        ["int_cmp", c] => Op::IntCmp(named(CONDS, c)?),
        ["float_op", o] => Op::FloatOp(named(FLOAT_OPS, o)?),
        ["float_fn", o] => Op::FloatFn(named(FLOAT_FNS, o)?),
        ["float_cmp", c] => Op::FloatCmp(named(CONDS, c)?),
        ["str_less", "lt"] => Op::StrLess(false),
        ["str_less", "le"] => Op::StrLess(true),
        ["store_reg", r] => Op::StoreReg(r.parse().ok()?),
        ["load_reg", r] => Op::LoadReg(r.parse().ok()?),
        ["upval", n] => Op::Upval(n.parse().ok()?),
        ["load_slot", loc @ ..] => Op::LoadSlot(slot(loc)?),
        ["store_slot", loc @ .., "tag"] => Op::StoreSlot(slot(loc)?, true),
        ["store_slot", loc @ ..] => Op::StoreSlot(slot(loc)?, false),
        ["new_table", fields, elems] => Op::NewTable {
            fields: fields.parse().ok()?,
            elems: elems.parse().ok()?,
        },
        ["call_lua", a, marks @ ..] => {
            let (is_self, open) = match marks {
                [] => (false, false),
                ["self"] => (true, false),
                ["open"] => (false, true),
                ["self", "open"] => (true, true),
                _ => return None,
            };
            let a = a.parse().ok()?;
            Op::CallLua { a, is_self, open }
        }
        ["call_lua_multi", a, want] => Op::CallLuaMulti {
            a: a.parse().ok()?,
            want: count(want)?,
        },
        ["call_window", a, nargs, want] => Op::CallWindow {
            a: a.parse().ok()?,
            nargs: count(nargs)?,
            want: count(want)?,
        },
        ["return_window", from, n] => Op::ReturnWindow {
            from: from.parse().ok()?,
            count: count(n)?,
        },
        ["tail_call", a, nargs] => Op::TailCall {
            a: a.parse().ok()?,
            nargs: count(nargs)?,
        },
        ["tail_call_lua"] => Op::TailCallLua { is_self: false },
        ["tail_call_lua", "self"] => Op::TailCallLua { is_self: true },
        ["push_frame", a] => Op::PushFrame {
            a: a.parse().ok()?,
            tail: false,
        },
        ["push_frame", a, "tail"] => Op::PushFrame {
            a: a.parse().ok()?,
            tail: true,
        },
        ["enter_frame", a] => Op::EnterFrame { a: a.parse().ok()? },
        ["call_tail", a, nargs, want] => Op::CallTail {
            a: a.parse().ok()?,
            nargs: nargs.parse().ok()?,
            want: want.parse().ok()?,
        },
        ["lib", name] => Op::Lib(Helper::named(name)?),
        ["new_closure", n] => Op::NewClosure(n.parse().ok()?, None),
        ["new_closure", n, p] => {
            let proto = p.strip_prefix('p')?.parse().ok()?;
            Op::NewClosure(n.parse().ok()?, Some(Pool(proto)))
        }
        ["virtual_closure", n] => Op::VirtualClosure(n.parse().ok()?),
        [name] => PLAIN.iter().find(|e| e.0 == *name)?.1.clone(),
        _ => return None,
    })
}

/// Writes `items` separated by commas.
fn list<T: Display>(f: &mut dyn Write, items: impl IntoIterator<Item = T>) -> fmt::Result {
    for (i, x) in items.into_iter().enumerate() {
        write!(f, "{}{x}", if i == 0 { "" } else { ", " })?;
    }
    Ok(())
}

struct Reg(u8);

impl Display for Reg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.block)?;
        if !self.args.is_empty() {
            f.write_char('(')?;
            list(f, &self.args)?;
            f.write_char(')')?;
        }
        Ok(())
    }
}

impl Func {
    fn write_val(&self, f: &mut dyn Write, v: Val) -> fmt::Result {
        write!(f, "{v}: {}", self.ty(v).name())
    }

    /// One line for an instruction, without indentation or newline.
    ///
    /// # Errors
    /// As the writer's.
    pub fn write_inst(&self, f: &mut dyn Write, i: Inst) -> fmt::Result {
        let InstData {
            op,
            args,
            result,
            state,
            reason,
            origin,
            site,
            targets,
        } = self.inst(i);
        if let Some(v) = *result {
            self.write_val(f, v)?;
            f.write_str(" = ")?;
        }
        write!(f, "{op}")?;
        if !args.is_empty() {
            f.write_char(' ')?;
            list(f, args)?;
        }
        if !targets.is_empty() {
            f.write_str(if args.is_empty() { " " } else { ", " })?;
            list(f, targets)?;
        }
        let mut parts: Vec<String> = state.iter().map(ToString::to_string).collect();
        if *reason != DeoptReason::None {
            parts.push(reason.name().to_string());
        }
        if let Some(pc) = origin {
            parts.push(format!("for {pc}"));
        }
        if !parts.is_empty() {
            write!(f, " [{}]", parts.join(" "))?;
        }
        if let Some(s) = site {
            write!(f, " @{s}")?;
        }
        Ok(())
    }
}

impl Display for Func {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "func \"{}\"", self.name.escape_default())?;
        match self.entry_kind {
            EntryKind::Call => f.write_str(" call")?,
            EntryKind::Osr { pc } => write!(f, " osr {pc}")?,
        }
        write!(f, " params {}", self.num_params)?;
        if self.is_vararg {
            f.write_str(" vararg")?;
        }
        write!(f, " stack {}", self.max_stack)?;
        writeln!(f, "{}", if self.spares { " spares" } else { "" })?;
        for (i, p) in self.pool.iter().enumerate() {
            write!(f, "p{i}: ")?;
            match p {
                PoolEntry::Constant(k) => writeln!(f, "constant {k}")?,
                PoolEntry::Shape(a) => writeln!(f, "shape {a:#x}")?,
                PoolEntry::Object(a, t) => writeln!(f, "object {a:#x} {}", name_of(&TAGS, *t))?,
                PoolEntry::Proto(a) => writeln!(f, "proto {a:#x}")?,
            }
        }
        for w in &self.watches {
            writeln!(f, "watch {:#x} id {} level {}", w.field, w.id, w.level)?;
        }
        for (i, b) in self.blocks.iter().enumerate() {
            write!(f, "b{i}")?;
            if !b.params.is_empty() {
                f.write_char('(')?;
                for (n, &v) in b.params.iter().enumerate() {
                    f.write_str(if n == 0 { "" } else { ", " })?;
                    self.write_val(f, v)?;
                }
                f.write_char(')')?;
            }
            f.write_str(if b.loop_header { " loop" } else { "" })?;
            f.write_str(if b.cold { " cold" } else { "" })?;
            f.write_str(":\n")?;
            for &i in &b.insts {
                f.write_str("  ")?;
                self.write_inst(f, i)?;
                f.write_char('\n')?;
            }
        }
        for (i, s) in self.states.iter().enumerate() {
            write!(f, "fs{i}: pc {}", s.pc)?;
            if !s.regs.is_empty() {
                f.write_str(" regs ")?;
                for (n, (r, v)) in s.regs.iter().enumerate() {
                    write!(f, "{}r{r}={v}", if n == 0 { "" } else { ", " })?;
                }
            }
            if !s.in_window.is_empty() {
                f.write_str(" window ")?;
                list(f, s.in_window.iter().map(|&r| Reg(r)))?;
            }
            if let Some(r) = s.top {
                write!(f, " top {}", Reg(r))?;
            }
            if let Some(c) = &s.caller {
                write!(
                    f,
                    " caller {} closure {} proto {} at {}",
                    c.state, c.closure, c.proto, c.a
                )?;
                if c.nvarargs > 0 {
                    write!(f, " varargs {}", c.nvarargs)?;
                }
                if c.tail {
                    f.write_str(" tail")?;
                }
            }
            f.write_char('\n')?;
        }
        for (i, s) in self.sites.iter().enumerate() {
            write!(f, "s{i}: pc {}", s.pc)?;
            if !s.live.is_empty() {
                f.write_str(" live ")?;
                list(f, s.live.iter().map(|&r| Reg(r)))?;
            }
            if let Some(c) = &s.caller {
                let tail = if c.tail { " tail" } else { "" };
                write!(f, " caller {} at {}{tail}", c.site, c.a)?;
            }
            f.write_char('\n')?;
        }
        f.write_str("end\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helper::Helper;

    #[test]
    fn names_of_operations() {
        let call = Op::CallLua {
            a: 1,
            is_self: true,
            open: false,
        };
        let loc = SlotLoc::Inline { index: 0, cap: 2 };
        let ops = [
            Op::Poll,
            Op::GuardTag(Tag::INT),
            Op::IntOp(IntOp::Add),
            Op::Lib(Helper::StrSub),
            Op::LoadSlot(loc),
            Op::NewClosure(0, Some(Pool(1))),
            call,
        ];
        for op in ops {
            let name = op.to_string();
            assert!(is_op(&name), "{name}");
            assert!(is_op(name.split('.').next().unwrap()), "{name}");
        }
        assert!(is_op("int") && is_op("literal") && is_op("virtual_closure"));
        for wrong in ["", "call", "int_op.pow", "lib.nothing", "poll.1"] {
            assert!(!is_op(wrong), "{wrong}");
        }
    }
}
