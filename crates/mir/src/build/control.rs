//! Safepoints and generic loops.

use super::Builder;
use crate::ir::{Op, Ty};
use vela_bytecode::Instr;
use vela_deopt::DeoptReason;
use vela_objects::Tag;

impl Builder<'_> {
    /// A safepoint before a back edge. Its roots are operands, stored only
    /// when it is taken.
    pub(super) fn poll(&mut self) {
        let live = self.roots_below(u8::MAX);
        let site = self.add_site(live);
        let roots = self.poll_operands(site);
        let i = self.push(Op::Poll, &roots, Ty::None);
        self.func.insts[i.index()].site = Some(site);
        self.protect(i);
        let pc = self.pc;
        self.guard_valid(pc);
    }

    /// The closing value must be nil: a loop that has one stays interpreted.
    pub(super) fn tfor_prep(&mut self, i: Instr) {
        let v = self.read(i.a() + 3);
        if self.ty(v) != Ty::Nil {
            let any = self.boxed(v);
            let is_nil = self.emit(Op::HasTag(Tag::NIL), &[any], Ty::Bool);
            self.guard(is_nil, DeoptReason::Unreached);
            let nil = self.nil();
            self.replace(v, nil);
        }
        self.jump_to(self.target(i));
    }

    pub(super) fn tfor_loop(&mut self, i: Instr) {
        let a = i.a();
        let (body, end) = (self.target(i), self.pc + 1);
        self.poll();
        let v = self.read(a + 4);
        let any = self.boxed(v);
        let done = self.emit(Op::HasTag(Tag::NIL), &[any], Ty::Bool);
        let out = self.edge(end);
        let control = self.read(a + 2);
        self.write(a + 2, v);
        let again = self.edge(body);
        self.write(a + 2, control);
        self.branch(done, out, again);
    }
}
