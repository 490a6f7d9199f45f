//! Concatenation, tests of types by name; closures.

use super::Builder;
use crate::helper::Helper;
use crate::ir::{Def, Op, PoolEntry, Ty, Val};
use vela_bytecode::{Constant, Instr, UpvalSource};
use vela_deopt::DeoptReason;
use vela_objects::Tag;

/// Operands of the longest concatenation that a helper does at once.
const MAX_CONCAT: usize = 4;

impl Builder<'_> {
    /// `..` of strings and numbers; anything else is the interpreter's.
    pub(super) fn concat(&mut self, i: Instr) {
        let n = i.c() as usize;
        let first = i.b() as u8;
        let helper = match n {
            2 => Helper::Concat2,
            3 => Helper::Concat3,
            4 => Helper::Concat4,
            _ => {
                debug_assert!(n > MAX_CONCAT);
                self.interp_one();
                return;
            }
        };
        let operands: Vec<Val> = (0..n).map(|k| self.read(first + k as u8)).collect();
        let site = self.site(i.d());
        if let &[x, y] = &operands[..]
            && self.operator_by_metamethod(i.a(), [x, y], &site, true)
        {
            return;
        }
        let stringy = |ty| matches!(ty, Ty::Any | Ty::Str | Ty::Int | Ty::Float);
        if !operands.iter().all(|&v| stringy(self.ty(v))) {
            self.interp_one();
            return;
        }
        let operands: Vec<Val> = operands.into_iter().map(|v| self.boxed(v)).collect();
        if self.may_speculate(&site, DeoptReason::Type) {
            let v = self.emit(Op::Lib(helper), &operands, Ty::Any);
            let s = self.guard_tag(v, Tag::STR);
            self.write(i.a(), s);
            return;
        }
        let mut slow = self.begin_slow();
        let v = self.emit(Op::Lib(helper), &operands, Ty::Any);
        let done = self.emit(Op::HasTag(Tag::STR), &[v], Ty::Bool);
        self.or_slow(&mut slow, done);
        self.join_slow(slow, Some((i.a(), v)));
    }

    /// A closure with the cells that it captures.
    pub(super) fn new_closure(&mut self, i: Instr) {
        let own = self.closure();
        let n = i.bx();
        let sources: Vec<UpvalSource> = self.proto.protos[n as usize]
            .upvals
            .iter()
            .map(|u| u.source)
            .collect();
        let mut args = vec![own];
        for source in sources {
            args.push(match source {
                UpvalSource::ParentCell(r) => {
                    let v = self.read(r);
                    self.as_cell(v)
                }
                UpvalSource::ParentUpval(u) => self.emit(Op::Upval(u), &[own], Ty::Cell),
            });
        }
        let proto = self.snapshot.children.get(n as usize).copied();
        let proto = proto.map(|p| self.func.pool_slot(PoolEntry::Proto(p)));
        let closure = self.emit(Op::NewClosure(n as u16, proto), &args, Ty::LuaFn);
        self.write(i.a(), closure);
        // That there is one closure of a function is an assumption of code.
        self.guard_valid(self.pc + 1);
    }

    /// The text of a string constant.
    fn text_of(&self, v: Val) -> Option<&[u8]> {
        let Some(Op::Literal(p)) = self.func.def_op(v) else {
            return None;
        };
        let k = match &self.func.pool[p.index()] {
            PoolEntry::Constant(k) if self.inlined.is_none() => *k as usize,
            // How inlined functions name their constants.
            PoolEntry::Object(addr, Tag::STR) => {
                self.snapshot.strings.iter().position(|s| s == addr)?
            }
            _ => return None,
        };
        match &self.proto.constants[k] {
            Constant::Str(s) => Some(s),
            _ => None,
        }
    }

    /// Whether the value is this string constant.
    pub(super) fn is_string(&self, v: Val, text: &str) -> bool {
        self.text_of(v) == Some(text.as_bytes())
    }

    /// `type(v) == "name"` as a test of the tag, if `x` and `y` are that.
    pub(super) fn type_test(&mut self, x: Val, y: Val) -> Option<Val> {
        let Def::Inst(call) = self.func.vals[x.index()].def else {
            return None;
        };
        let call = self.func.inst(call);
        if call.op != Op::Lib(Helper::TypeName) {
            return None;
        }
        let v = call.args[0];
        let text = self.text_of(y)?;
        let tags: Vec<Tag> = (0..=Tag::THREAD.0)
            .map(Tag)
            .filter(|t| t.type_name().as_bytes() == text)
            .collect();
        let mut tags = tags.into_iter();
        let first = tags.next()?;
        let mut is = self.emit(Op::HasTag(first), &[v], Ty::Bool);
        for tag in tags {
            let other = self.emit(Op::HasTag(tag), &[v], Ty::Bool);
            let yes = self.emit(Op::Bool(true), &[], Ty::Bool);
            is = self.emit(Op::Select, &[is, yes, other], Ty::Bool);
        }
        Some(is)
    }
}
