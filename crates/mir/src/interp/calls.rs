//! Calls, inlined frames and polls.

use super::*;

impl<M: Machine> Frame<'_, M> {
    /// Says where in the function the frame is.
    fn site(&mut self, i: Inst) -> usize {
        let site = self.func.inst(i).site.expect("call sites have a site");
        let fp = self.frame_at(site);
        self.put(fp, layout::FRAME_PC, 4, u64::from(site.0));
        site.index()
    }

    /// The record of the frame that a site is in.
    fn frame_at(&self, site: Site) -> u64 {
        self.fp + (self.func.base_at(site) * layout::VALUE_SIZE) as u64
    }

    /// Makes an inlined frame, called at `caller`, the running one.
    fn push_inlined(&mut self, caller: Site, a: u8, tail: bool, function: Val) {
        let outer = self.frame_at(caller);
        self.put(outer, layout::FRAME_PC, 4, u64::from(caller.0));
        let fp = outer + (layout::FRAME_SIZE + a as usize * layout::VALUE_SIZE) as u64;
        self.put(fp, layout::FRAME_FUNC, 8, self.payload(function));
        self.set_vm_word(layout::VM_FRAME, fp);
        self.put(fp, layout::FRAME_PREV, 8, outer);
        if self.func.ty(function) == Ty::NativeFn {
            self.put(fp, layout::FRAME_WORD, 8, NATIVE_RECORD_WORD);
            self.put(fp, layout::FRAME_PC, 8, 0);
            return;
        }
        let tail = if tail {
            u64::from(flags::TAIL) << 16
        } else {
            0
        };
        self.put(fp, layout::FRAME_WORD, 8, RECORD_WORD | tail);
        self.put(fp, layout::FRAME_CODE_ID, 4, u64::from(self.code.code_id));
    }

    fn call_function(&mut self, i: Inst, a: u8) -> [u64; 2] {
        let args = &self.func.inst(i).args;
        let closure = self.payload(args[0]);
        self.site(i);
        let fp = self.register(a as usize);
        let args = &args[1..];
        let mut desc = args.len() as u64;
        let mut words = [0; 3];
        for (n, &arg) in args.iter().enumerate() {
            let v = self.any(arg);
            match words.get_mut(n) {
                Some(word) => {
                    *word = v[0];
                    desc |= v[1] << (32 + 8 * n);
                }
                None => {
                    let offset = layout::FRAME_SIZE + n * layout::VALUE_SIZE;
                    self.store_value(fp + offset as u64, v);
                }
            }
        }
        let proto = self.word(closure, layout::CLOSURE_PROTO);
        let entry = self.word(proto, layout::PROTO_ENTRY);
        self.m.call_entry(entry, fp, closure, desc, words)
    }

    /// Has the helper turn a result into one value.
    fn finish(&mut self, i: Inst, at: u64, result: [u64; 2]) -> Run<[u64; 2]> {
        let args = [self.m.vm(), at, result[0], result[1]];
        let v = self.m.call_helper(Helper::FinishCall, &args);
        if v[1] == u64::from(Tag::RET_ERROR.0) {
            return self.raise(i);
        }
        Ok(v)
    }

    fn raise_unless_zero(&mut self, i: Inst, answer: u64) -> Run {
        if answer == 0 { Ok(()) } else { self.raise(i) }
    }

    pub(super) fn calls(&mut self, i: Inst) -> Run {
        let data = self.func.inst(i);
        let vm = self.m.vm();
        let count = |n: Option<u8>| n.map_or(-1i64, i64::from) as u64;
        match &data.op {
            Op::CallLua { a, open: true, .. } => {
                let mut v = self.call_function(i, *a);
                if v[1] >= u64::from(Tag::FIRST_RET.0) {
                    let at = self.register(*a as usize);
                    let args = [vm, at, v[0], v[1], count(None)];
                    let answer = self.m.call_helper(Helper::StoreResults, &args)[0];
                    self.raise_unless_zero(i, answer)?;
                    v = match self.up_to_top(at) {
                        1 => self.load_value(at),
                        _ => [0, u64::from(Tag::RET_NONE.0)],
                    };
                }
                self.loaded(i, v);
                Ok(())
            }
            Op::CallLua { a, .. } => {
                let mut v = self.call_function(i, *a);
                let limit = match data.result {
                    Some(_) => Tag::FIRST_RET,
                    None => Tag::RET_ERROR,
                };
                if v[1] >= u64::from(limit.0) {
                    v = self.finish(i, self.register(*a as usize), v)?;
                }
                if data.result.is_some() {
                    self.loaded(i, v);
                }
                Ok(())
            }
            Op::CallLuaMulti { a, want } => {
                let v = self.call_function(i, *a);
                let at = self.register(*a as usize);
                match want {
                    Some(0) if v[1] < u64::from(Tag::RET_ERROR.0) => Ok(()),
                    Some(0) => self.finish(i, at, v).map(|_| ()),
                    Some(1) if v[1] < u64::from(Tag::FIRST_RET.0) => {
                        self.store_value(at, v);
                        Ok(())
                    }
                    _ => {
                        let args = [vm, at, v[0], v[1], count(*want)];
                        let answer = self.m.call_helper(Helper::StoreResults, &args)[0];
                        self.raise_unless_zero(i, answer)
                    }
                }
            }
            Op::CallWindow { a, nargs, want } => {
                self.site(i);
                let at = self.register(*a as usize);
                let args = [vm, at, count(*nargs), count(*want)];
                let answer = self.m.call_helper(Helper::Call, &args)[0];
                self.raise_unless_zero(i, answer)
            }
            Op::CallTail { a, nargs, want } => {
                self.site(i);
                let at = self.register(*a as usize);
                let (nargs, tail) = (u64::from(*nargs), u64::from(Tag::RET_TAIL.0));
                let args = [vm, at, nargs, tail, u64::from(*want)];
                let answer = self.m.call_helper(Helper::StoreResults, &args)[0];
                self.raise_unless_zero(i, answer)
            }
            Op::PushFrame { a, tail } => {
                let site = data.site.expect("call sites have a site");
                self.push_inlined(site, *a, *tail, data.args[0]);
                Ok(())
            }
            Op::EnterFrame { a } => {
                let outer = self.frame_at(data.site.expect("call sites have a site"));
                let fp = outer + (layout::FRAME_SIZE + *a as usize * layout::VALUE_SIZE) as u64;
                self.set_vm_word(layout::VM_FRAME, fp);
                Ok(())
            }
            Op::PopFrame => {
                self.set_vm_word(layout::VM_FRAME, self.fp);
                Ok(())
            }
            Op::InterpOne => {
                let site = self.site(i);
                let pc = u64::from(self.func.sites[site].pc);
                let args = [vm, self.frame_at(Site(site as u32)), pc];
                let answer = self.m.call_helper(Helper::InterpOne, &args)[0];
                if data.result.is_none() {
                    return self.raise_unless_zero(i, answer);
                }
                if answer > 1 {
                    return self.raise(i);
                }
                self.result(i, answer);
                Ok(())
            }
            _ => {
                if self.frame_end() <= self.vm_word(layout::VM_STACK_LIMIT) {
                    return Ok(());
                }
                let site = Site(self.site(i) as u32);
                let roots = self.func.roots_at(site);
                for (&r, &v) in roots.iter().zip(&data.args) {
                    self.store_value(self.register(r), self.any(v));
                }
                let closures = &data.args[roots.len()..];
                let frames = self.func.frames_at(site);
                for (n, &(s, _)) in frames.iter().enumerate().rev() {
                    if let Some(c) = self.func.sites[s.index()].caller {
                        self.push_inlined(c.site, c.a, c.tail, closures[n]);
                    }
                }
                let answer = self.m.call_helper(Helper::Poll, &[vm, self.fp])[0];
                if frames.len() > 1 {
                    self.set_vm_word(layout::VM_FRAME, self.fp);
                }
                self.raise_unless_zero(i, answer)
            }
        }
    }
}
