//! `pcall` of a known function, built in place.
//!
//! As in the interpreter there are two frames: that of `pcall`, which has no
//! registers, and above it that of the function it calls. The results that the
//! function returns have `true` before them. An error that a call site within
//! raises leaves compiled code: the site has the state of the frame of `pcall`,
//! which the exit rebuilds with the frames around it; what `pcall` does with an
//! error is done from there, in the interpreter. So are errors in frames that
//! other exits have rebuilt. Where errors are raised often, the function is
//! called by the library's `pcall` once its feedback says so.
//!
//! `pcall` also hides the message handler of an `xpcall` around it from the
//! errors within: whoever raises one sees the record of `pcall`.

use super::Builder;
use super::inline::{Protected, Want};
use crate::ir::{
    FrameState, InlineCaller, Inst, Op, PoolEntry, Site, SiteCaller, SiteData, State, Ty, Val,
};
use vela_bytecode::{FRAME_SLOTS, Instr};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_objects::intrinsic::Intrinsic;
use vela_profiler::SiteSnapshot;
use vela_profiler::snapshot::TargetSnapshot;

impl Builder<'_> {
    /// The call `i`, with `nargs` arguments, of a library function, if that is
    /// `pcall` and the function that it calls can be built in place.
    pub(super) fn protected_call(
        &mut self,
        i: Instr,
        nargs: usize,
        pcall: &TargetSnapshot,
        site: &SiteSnapshot,
    ) -> bool {
        let room = self.open_room(i.a());
        let want = (i.c() as usize).checked_sub(1);
        self.build_protected(i.a(), nargs, (want, room), pcall, site)
    }

    /// As `protected_call`, for a tail call, whose results are returned.
    pub(super) fn returned_protected_call(&mut self, i: Instr, site: &SiteSnapshot) -> bool {
        let (Some(nargs), [way]) = (self.nargs(i), &site.ways[..]) else {
            return false;
        };
        let Some(pcall) = way.target.clone().filter(|t| t.native) else {
            return false;
        };
        let a = i.a();
        let room = usize::from(self.proto.max_stack.saturating_sub(a));
        if !self.build_protected(a, nargs, (None, Some(room)), &pcall, site) {
            return false;
        }
        if self.cur.is_some() {
            let next = self.pc + 1;
            let list = self.open.take().filter(|o| o.pc == next);
            let count = list.map_or(0, |o| usize::from(o.end - o.first));
            self.return_registers(a, count);
        }
        true
    }

    /// Builds the function that `pcall` calls in place of the call at register
    /// `a`. Without a number of results wanted, it must always have as many,
    /// at most as there is room for, which then are an open list.
    fn build_protected(
        &mut self,
        a: u8,
        nargs: usize,
        (want, room): (Option<usize>, Option<usize>),
        pcall: &TargetSnapshot,
        site: &SiteSnapshot,
    ) -> bool {
        let known = Intrinsic::from_u16(pcall.intrinsic) == Intrinsic::PCall
            && self.may_speculate(site, DeoptReason::Callee)
            && self.may_speculate(site, DeoptReason::Raised);
        let (true, Some(nargs)) = (known, nargs.checked_sub(1)) else {
            return false;
        };
        let frame = a + FRAME_SLOTS as u8;
        let callee = self.read(frame);
        let target = self.known_target(callee).or_else(|| site.protected.clone());
        let Some(target) = target.filter(|t| !t.native) else {
            return false;
        };
        let fits = matches!(self.ty(callee), Ty::Any | Ty::LuaFn);
        let Some(f) = self.inlinable(target.addr, frame, nargs).filter(|_| fits) else {
            return false;
        };
        if f.is_vararg() {
            return false;
        }
        let want = match want {
            Some(count) => Want { count, open: false },
            None => {
                let count = self.result_count(f, nargs, 1).map(|n| n + 1);
                let Some(count) = count.filter(|&n| room.is_some_and(|room| n <= room)) else {
                    return false;
                };
                Want { count, open: true }
            }
        };
        let function = self.read(a);
        let Some(function) = self.guard_native(function, pcall) else {
            return false;
        };
        let closure = self.guard_tag(callee, Tag::LUA_FN);
        let closure = self.guard_callee(closure, &target);

        // Two records go there.
        for r in a..a + 2 * FRAME_SLOTS as u8 {
            self.forget_slot(r);
        }
        let instance = self.instance_of(target.addr);
        let mut inlined = self.calling(f, instance, closure, (a, a, 0), want);
        let entry = PoolEntry::Object(pcall.addr, Tag::NATIVE_FN);
        let native = InlineCaller {
            closure: function,
            proto: self.func.pool_slot(entry),
            ..inlined.caller.clone()
        };
        let protected = self.protecting(native, inlined.site);
        inlined.caller.state = protected.state;
        inlined.caller.a = 0;
        inlined.site = SiteCaller {
            site: self.last_site(),
            a: 0,
            tail: false,
        };
        inlined.protected = Some(protected);
        let base = self.slot(frame) + FRAME_SLOTS;
        if self.build_inlined(f, (instance, a), (base, base - 1, nargs), inlined) {
            self.guard_valid(self.pc + 1);
        }
        true
    }

    /// State and site of the frame of `pcall`.
    fn protecting(&mut self, caller: InlineCaller, site: SiteCaller) -> Protected {
        let (pc, function) = (self.pc as u32, caller.closure);
        self.func.states.push(FrameState {
            pc,
            regs: Vec::new(),
            in_window: Vec::new(),
            top: None,
            caller: Some(caller),
        });
        self.func.sites.push(SiteData {
            pc,
            live: Vec::new(),
            caller: Some(site),
        });
        Protected {
            function,
            state: State(self.func.states.len() as u32 - 1),
            site,
        }
    }

    fn last_site(&self) -> Site {
        Site(self.func.sites.len() as u32 - 1)
    }

    /// An error that the call site raises exits, if something protects it.
    pub(super) fn protect(&mut self, inst: Inst) {
        if let Some(protected) = self.protected() {
            self.attach(inst, protected.state, DeoptReason::Raised);
        }
    }

    /// Returns the values of `count` registers.
    fn return_registers(&mut self, a: u8, count: usize) {
        let results: Vec<Val> = (0..count).map(|k| self.read(a + k as u8)).collect();
        if self.inlined.is_some() {
            self.return_inlined(&results);
            return;
        }
        for k in 0..count {
            self.store_reg(a + k as u8);
        }
        let op = Op::ReturnWindow {
            from: a,
            count: Some(count as u8),
        };
        self.push(op, &[], Ty::None);
        self.cur = None;
    }
}
