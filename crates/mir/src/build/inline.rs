//! Inlining: a call whose callee is known is built in place.
//!
//! The callee's registers are the slots of the window where they would be if
//! it were called, so values, stores and call sites of all frames share one
//! numbering, and a side exit finds each frame's window in place. Frame states
//! inside name the caller's state at the call; sites inside name the call's
//! site. An inlined frame has no record until something may look: call sites
//! in it are enclosed by [`Op::PushFrame`] and [`Op::PopFrame`].
//!
//! What is inlined is a matter of size: small callees always, within a budget
//! for the whole function, and of recursion [`MAX_RECURSION`] levels if small.
//! A callee that does much, by what it calls in turn or by the size of its own
//! machine code, is called: copies of it would hardly be faster, and a chain of
//! such functions would be compiled anew for each function in it.

use super::cfg::Cfg;
use super::meeting::Meeting;
use super::{Builder, Inherited};
use crate::ir::{Block, InlineCaller, Op, PoolEntry, Site, SiteCaller, State, Ty, Val};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use vela_bytecode::liveness::Liveness;
use vela_bytecode::{FRAME_SLOTS, Instr, Op as B, Proto};
use vela_deopt::DeoptReason;
use vela_objects::Tag;
use vela_profiler::{FunctionSnapshot, SiteSnapshot};

/// Slots that the windows of all frames of a function may have together.
pub(super) const WINDOW: usize = 250;

/// Behind what the slots of the window are known to hold: the closures of
/// inlined frames whose records are written there, and the sites noted for
/// their calls (numbers dressed as values).
const RECORDS: usize = WINDOW;
pub(super) const SITES: usize = 2 * WINDOW;

/// Length of what is known of the window.
pub(super) const KNOWN: usize = 3 * WINDOW;

/// Bytecode instructions of the largest function that is inlined.
pub(super) const MAX_CALLEE: usize = 120;

/// Bytecode instructions up to which a function is inlined whatever else is.
pub(super) const SMALL_CALLEE: usize = 16;

/// Bytecode instructions inlined into one function, small callees aside.
const BUDGET: usize = 280;

/// Bytecode instructions inlined into one function in all.
const HARD_BUDGET: usize = 420;

/// Weight of the heaviest function that is inlined though it is not small.
const MAX_WEIGHT: usize = 160;

/// Bytes of the largest machine code of a function that is inlined though it
/// is not small.
const MAX_CODE: usize = 4096;

/// Frames inlined into each other.
const MAX_DEPTH: usize = 9;

/// Bytecode instructions of the largest function that is inlined into itself.
const RECURSIVE_CALLEE: usize = 32;

/// Copies of such a function inside itself.
const MAX_RECURSION: usize = 1;

/// The functions that may be inlined, analysed.
pub(super) struct Library<'a> {
    callees: FxHashMap<u64, Callee<'a>>,
}

/// A function that may be inlined.
pub(super) struct Callee<'a> {
    snapshot: &'a FunctionSnapshot,
    live: Liveness,
    cfg: Cfg,
    /// Bytecode instructions, with those of the functions that it would have
    /// inlined in turn.
    weight: usize,
}

impl Callee<'_> {
    /// Bytecode instructions.
    pub fn size(&self) -> usize {
        self.snapshot.proto.code.len()
    }

    /// Whether it takes `...`.
    pub fn is_vararg(&self) -> bool {
        self.snapshot.proto.is_vararg
    }

    /// Slots from the call's register to the frame's record: as `varargprep`
    /// does, the frame of a function with `...` goes above its arguments.
    fn offset(&self, nargs: usize) -> usize {
        let proto = &self.snapshot.proto;
        if proto.is_vararg {
            FRAME_SLOTS + nargs.max(proto.num_params.into())
        } else {
            0
        }
    }

    /// Extra arguments, of this many in all.
    fn extra(&self, nargs: usize) -> usize {
        let proto = &self.snapshot.proto;
        if proto.is_vararg {
            nargs.saturating_sub(proto.num_params.into())
        } else {
            0
        }
    }

    /// Whether the lists that it makes of this many arguments are short enough
    /// for compiled code, and nobody may look for extra arguments.
    fn takes_extra(&self, nargs: usize) -> bool {
        let proto = &self.snapshot.proto;
        let constructs = |w: &[Instr]| {
            is_extra_list(&w[0]) && w[1].op() == Some(B::SetList) && {
                let fixed = usize::from(w[0].a()).saturating_sub(usize::from(w[1].a()) + 1);
                fixed + self.extra(nargs) > super::lists::CHUNK
            }
        };
        !proto.is_vararg || !self.snapshot.debuggable && !proto.code.windows(2).any(constructs)
    }

    /// Whether a call of it costs little next to what it does, so that copies
    /// of it in its callers would mostly cost compile time.
    fn is_heavy(&self) -> bool {
        self.weight > MAX_WEIGHT || self.snapshot.code_size > MAX_CODE
    }
}

impl<'a> Library<'a> {
    /// Analyses what the snapshot of the function brought along.
    pub fn new(snapshot: &'a FunctionSnapshot) -> Self {
        let mut weights = FxHashMap::default();
        for &addr in snapshot.callees.keys() {
            weigh(snapshot, addr, &mut weights);
        }
        let analyse = |(&addr, snapshot): (&u64, &'a FunctionSnapshot)| {
            let callee = Callee {
                snapshot,
                live: super::liveness(snapshot),
                cfg: Cfg::compute(&snapshot.proto, first_pc(&snapshot.proto)),
                weight: weights.get(&addr).copied().unwrap_or_default(),
            };
            (addr, callee)
        };
        let fits = |(_, s): &(&u64, &FunctionSnapshot)| is_inlinable(&s.proto) && !leaves(s);
        Library {
            callees: snapshot.callees.iter().filter(fits).map(analyse).collect(),
        }
    }
}

/// The [weight](Callee::weight) of the function at this address. In a cycle of
/// functions the one that is met again weighs nothing.
fn weigh(root: &FunctionSnapshot, addr: u64, known: &mut FxHashMap<u64, usize>) -> usize {
    if let Some(&weight) = known.get(&addr) {
        return weight;
    }
    let Some(f) = root.callees.get(&addr).filter(|f| is_inlinable(&f.proto)) else {
        return 0;
    };
    known.insert(addr, 0);
    let targets = f.sites.iter().flat_map(|s| &s.ways);
    let targets = targets.filter_map(|w| w.target.as_ref().filter(|t| !t.native));
    let inlined = targets
        .map(|t| weigh(root, t.addr, known))
        .filter(|&weight| weight <= MAX_WEIGHT);
    let weight = f.proto.code.len() + inlined.sum::<usize>();
    known.insert(addr, weight);
    weight
}

/// The instruction that a call begins at; `varargprep` only lays out a frame.
fn first_pc(proto: &Proto) -> usize {
    usize::from(proto.is_vararg)
}

/// Whether code of this function can be part of another's. Lists that it
/// returns or passes on in a tail call must have a known length: that of `...`
/// is known where the function is inlined.
fn is_inlinable(proto: &Proto) -> bool {
    let code = &proto.code;
    let fits = |(pc, i): (usize, &Instr)| match i.op() {
        Some(B::Return | B::TailCall) => i.b() != 0 || is_extra_list(&code[pc - 1]),
        Some(B::Tbc) => false,
        _ => true,
    };
    code.len() <= MAX_CALLEE && code.iter().enumerate().all(fits)
}

/// Whether a tail call of the function was of what compiled code leaves to the
/// interpreter, a callable table say: copies of it would leave, too.
fn leaves(f: &FunctionSnapshot) -> bool {
    f.proto.code.iter().any(|i| {
        i.op() == Some(B::TailCall)
            && f.sites
                .get(usize::from(i.d()))
                .is_some_and(|s| s.failed & DeoptReason::Callee.bit() != 0)
    })
}

/// Whether the instruction makes an open list that ends in `...`.
fn is_extra_list(i: &Instr) -> bool {
    i.op() == Some(B::Vararg) && i.b() == 0
}

/// Results that an inlined call wants.
#[derive(Clone, Copy)]
pub(super) struct Want {
    /// How many.
    pub count: usize,
    /// All, which are that many.
    pub open: bool,
}

/// How the current frame came to be inlined.
pub(super) struct Inlined {
    /// For frame states.
    pub caller: InlineCaller,
    /// For sites.
    pub site: SiteCaller,
    /// The call wants all results, of which there are as many as it asks for.
    pub open: bool,
    /// Extra arguments of a function with `...`: in the slots right below the
    /// frame's record.
    pub extra: usize,
    /// The function was called by `pcall`.
    pub protected: Option<Protected>,
    /// Where returns go.
    returns: Meeting,
}

/// The frame of `pcall` between an inlined frame and its caller.
#[derive(Clone, Copy)]
pub(super) struct Protected {
    /// The function `pcall`.
    pub function: Val,
    /// Its state, where exits go that raise an error.
    pub state: State,
    /// The call of it.
    pub site: SiteCaller,
}

impl Inlined {
    /// Results wanted of the function itself: `pcall` puts one before them.
    fn wanted(&self) -> usize {
        let before = usize::from(self.protected.is_some());
        self.returns.want.saturating_sub(before)
    }
}

/// What makes up a frame while another one, inlined into it, is built.
pub(super) struct Activation<'a> {
    snapshot: &'a FunctionSnapshot,
    proto: &'a Proto,
    live: &'a Liveness,
    cfg: &'a Cfg,
    instance: u32,
    base: usize,
    inlined: Option<Inlined>,
    blocks: FxHashMap<usize, Block>,
    inherited: FxHashMap<usize, Inherited>,
    pc: usize,
}

impl<'a> Builder<'a> {
    /// How many results calls of the function with `nargs` arguments have, if
    /// all have as many. `depth` more functions that it ends in calls of are
    /// looked at.
    pub(super) fn result_count(
        &self,
        callee: &Callee<'_>,
        nargs: usize,
        depth: usize,
    ) -> Option<usize> {
        let code = &callee.snapshot.proto.code;
        let blocks = callee.cfg.order.iter();
        // Behind the last statement there is a return that nothing reaches.
        let reached = blocks.flat_map(|&first| first..callee.cfg.end_of(first));
        let mut counts = reached.filter_map(|pc| {
            let i = code[pc];
            Some(match i.op()? {
                B::Return0 => Some(0),
                B::Return1 => Some(1),
                B::Return => (i.b() as usize).checked_sub(1).or_else(|| {
                    let list = Some(code[pc - 1]).filter(is_extra_list)?;
                    Some(usize::from(list.a() - i.a()) + callee.extra(nargs))
                }),
                B::TailCall => {
                    let site = callee.snapshot.sites.get(i.d() as usize)?;
                    self.tail_count(site, depth)
                }
                _ => return None,
            })
        });
        let first = counts.next()??;
        counts.all(|n| n == Some(first)).then_some(first)
    }

    /// How many results a tail call has, if it is always as many.
    fn tail_count(&self, site: &SiteSnapshot, depth: usize) -> Option<usize> {
        if self.one_result(site).is_some() {
            return Some(1);
        }
        let [way] = &site.ways[..] else { return None };
        let target = way.target.as_ref().filter(|t| !t.native && depth > 0)?;
        let known = self.may_speculate(site, DeoptReason::Callee)
            && self.may_speculate(site, DeoptReason::Type);
        let callee = self.library.callees.get(&target.addr).filter(|_| known)?;
        if callee.snapshot.proto.is_vararg {
            // How many arguments it gets is not known here.
            return None;
        }
        self.result_count(callee, 0, depth - 1)
    }

    /// The function at this address, if a call of it at register `a` with
    /// `nargs` arguments may be built in place.
    pub(super) fn inlinable(&self, proto: u64, a: u8, nargs: usize) -> Option<&'a Callee<'a>> {
        let callee = self.library.callees.get(&proto)?;
        let size = callee.size();
        let recursion = self.recursion(proto);
        let frame = self.slot(a) + callee.offset(nargs) + FRAME_SLOTS;
        // Lists that end in `...` may go beyond the function's registers.
        let end = frame + usize::from(callee.snapshot.proto.max_stack) + callee.extra(nargs);
        let total = self.inlined_size + size;
        let fits =
            total <= BUDGET && !callee.is_heavy() || size <= SMALL_CALLEE && total <= HARD_BUDGET;
        let ok = self.speculate()
            && fits
            && (recursion == 0 || recursion <= MAX_RECURSION && size <= RECURSIVE_CALLEE)
            && self.outer.len() < MAX_DEPTH
            && end <= WINDOW
            && callee.takes_extra(nargs);
        ok.then_some(callee)
    }

    /// Frames of the function among the current one and those around it.
    pub(super) fn recursion(&self, proto: u64) -> usize {
        let own = self.snapshot.proto_addr == proto;
        let above = self.outer.iter().filter(|o| o.snapshot.proto_addr == proto);
        usize::from(own) + above.count()
    }

    /// Builds the callee in place of the call at the current pc: `closure` is
    /// proved to be one of its closures, the arguments are in the registers
    /// from `a + 2` on. Goes on behind the call with the results in the
    /// registers from `a` on, or with no block if it never returns.
    pub(super) fn inline(
        &mut self,
        callee: &'a Callee<'a>,
        closure: Val,
        a: u8,
        nargs: usize,
        want: Want,
    ) {
        if self.inline_unchecked(callee, closure, a, nargs, want) {
            self.guard_valid(self.pc + 1);
        }
    }

    /// As `inline`, but what the callee called last may have broken an
    /// assumption of the code, if the result says so.
    pub(super) fn inline_unchecked(
        &mut self,
        callee: &'a Callee<'a>,
        closure: Val,
        a: u8,
        nargs: usize,
        want: Want,
    ) -> bool {
        let frame = a + callee.offset(nargs) as u8;
        // The record goes there.
        self.forget_slot(frame);
        self.forget_slot(frame + 1);
        let instance = self.instance_of(callee.snapshot.proto_addr);
        let inlined = self.calling(callee, instance, closure, (a, frame, nargs), want);
        let args = self.slot(a) + FRAME_SLOTS;
        let base = self.slot(frame) + FRAME_SLOTS;
        self.build_inlined(callee, (instance, a), (base, args, nargs), inlined)
    }

    /// Builds the frame of the callee: its registers from `base` on, `nargs`
    /// arguments in the slots from `args` on. Then as `inline_unchecked`.
    pub(super) fn build_inlined(
        &mut self,
        callee: &'a Callee<'a>,
        (instance, a): (u32, u8),
        (base, args, nargs): (usize, usize, usize),
        inlined: Inlined,
    ) -> bool {
        let open = inlined.open;
        let outer = self.enter(callee, instance, base, Some(inlined));
        self.outer.push(outer);
        self.build_callee(args, nargs);
        let outer = self.outer.pop().expect("pushed above");
        let inlined = self.leave(outer);
        if let Some(inlined) = inlined {
            let count = inlined.returns.want as u8;
            self.meet(inlined.returns, a);
            if open && self.cur.is_some() {
                self.open = Some(self.open_list(a, count));
            }
        }
        let tail = |i: &Instr| i.op() == Some(B::TailCall);
        self.cur.is_some() && callee.snapshot.proto.code.iter().any(tail)
    }

    /// The number of the copy of a function inlined at the current pc; 0 as
    /// the function stands for the place itself.
    pub(super) fn instance_of(&mut self, proto: u64) -> u32 {
        let next = self.types.instances.len() as u32 + 1;
        let key = (self.instance, self.pc, proto);
        *self.types.instances.entry(key).or_insert(next)
    }

    /// Makes the callee's the current frame; returns the one before.
    fn enter(
        &mut self,
        callee: &'a Callee<'a>,
        instance: u32,
        base: usize,
        inlined: Option<Inlined>,
    ) -> Activation<'a> {
        let proto = &*callee.snapshot.proto;
        self.inlined_size += proto.code.len();
        self.window_end = self.window_end.max(base + proto.max_stack as usize);
        self.state = None;
        Activation {
            snapshot: std::mem::replace(&mut self.snapshot, callee.snapshot),
            proto: std::mem::replace(&mut self.proto, proto),
            live: std::mem::replace(&mut self.live, &callee.live),
            cfg: std::mem::replace(&mut self.cfg, &callee.cfg),
            instance: std::mem::replace(&mut self.instance, instance),
            base: std::mem::replace(&mut self.base, base),
            inlined: std::mem::replace(&mut self.inlined, inlined),
            blocks: std::mem::take(&mut self.blocks),
            inherited: std::mem::take(&mut self.inherited),
            pc: std::mem::replace(&mut self.pc, 0),
        }
    }

    /// Goes back to a frame; returns how the one left was inlined.
    fn leave(&mut self, to: Activation<'a>) -> Option<Inlined> {
        self.snapshot = to.snapshot;
        self.proto = to.proto;
        self.live = to.live;
        self.cfg = to.cfg;
        self.instance = to.instance;
        self.base = to.base;
        self.blocks = to.blocks;
        self.inherited = to.inherited;
        self.pc = to.pc;
        self.state = None;
        std::mem::replace(&mut self.inlined, to.inlined)
    }

    /// Builds the current frame's function, whose `nargs` arguments are in the
    /// slots from `args` on.
    fn build_callee(&mut self, args: usize, nargs: usize) {
        let params = self.proto.num_params as usize;
        let given = nargs.min(params);
        self.values.copy_within(args..args + given, self.base);
        for slot in self.base + given..WINDOW {
            self.values[slot] = None;
        }
        for r in nargs..params {
            let nil = self.nil();
            self.write(r as u8, nil);
        }
        self.jump_to(first_pc(self.proto));
        self.fill_blocks();
    }

    /// In an inlined frame: calls something that is no Lua function above the
    /// frame, and returns the results.
    pub(super) fn call_above_and_return(&mut self, a: u8, nargs: usize) {
        let want = self.inlined.as_ref().map_or(0, Inlined::wanted);
        self.store_reg(a);
        for k in 0..nargs {
            self.store_reg(a + 2 + k as u8);
        }
        let call = Op::CallWindow {
            a: self.slot8(a),
            nargs: Some(nargs as u8),
            want: Some(want as u8),
        };
        self.push_call(call, &[], Ty::None, a);
        self.return_from_window(self.slot8(a), want);
    }

    fn return_from_window(&mut self, slot: u8, want: usize) {
        let results: Vec<Val> = (0..want as u8)
            .map(|k| self.emit(Op::LoadReg(slot + k), &[], Ty::Any))
            .collect();
        self.return_inlined(&results);
    }

    /// A tail call of a Lua function in an inlined frame: built in place of
    /// the frame if it is known, else called from where the frame was.
    pub(super) fn tail_call_lua(&mut self, a: u8, nargs: usize) {
        let args: Vec<Val> = (0..nargs).map(|k| self.read(a + 2 + k as u8)).collect();
        let site = self.site(self.proto.code[self.pc].d());
        let called = self.read(a);
        let target = match (self.known_target(called), &site.ways[..]) {
            (Some(known), _) => Some(known),
            (None, [way]) if self.may_speculate(&site, DeoptReason::Callee) => way.target.clone(),
            _ => None,
        };
        if let Some(target) = target.filter(|t| !t.native)
            && target.addr != self.snapshot.proto_addr
            && !self.inlined.as_ref().is_some_and(|i| i.site.tail)
            && let Some(callee) = self.inlinable(target.addr, 0, nargs)
            && self.may_replace(callee, nargs)
        {
            let closure = self.guard_tag(called, Tag::LUA_FN);
            let closure = self.guard_callee(closure, &target);
            self.replace_frame(callee, closure, &args);
            return;
        }
        let Some(inlined) = &self.inlined else { return };
        if inlined.open {
            // The callee was to have a known number of results.
            self.exit(DeoptReason::Callee);
            return;
        }
        let (want, call) = (inlined.wanted(), inlined.site);
        let frame = self.base - FRAME_SLOTS;
        self.store_callers();
        self.store_slot(frame, called);
        for (k, &v) in args.iter().enumerate() {
            self.store_slot(self.base + k, v);
        }
        // The call is the outer frame's now.
        let frames = self.inlined_frames();
        self.push_all(&frames[..frames.len() - 1]);
        let op = Op::CallTail {
            a: frame as u8,
            nargs: nargs as u8,
            want: want as u8,
        };
        let inst = self.push(op, &[], Ty::None);
        self.func.insts[inst.index()].site = Some(call.site);
        self.protect(inst);
        self.pop_frames();
        for slot in frame..WINDOW {
            self.values[slot] = None;
            self.forget_window(slot);
        }
        self.return_from_window(frame as u8, want);
    }

    /// Whether the callee of a tail call may take the place of the current,
    /// inlined frame: if all results are wanted it must have as many as were
    /// expected, though the function that is called may be another one than that
    /// which the site saw.
    fn may_replace(&self, callee: &Callee<'_>, nargs: usize) -> bool {
        self.inlined.as_ref().is_none_or(|i| {
            let fits = !i.open || self.result_count(callee, nargs, 0) == Some(i.wanted());
            fits && (i.protected.is_none() || !callee.is_vararg())
        })
    }

    /// Builds the callee in the place of the current, inlined frame.
    fn replace_frame(&mut self, callee: &'a Callee<'a>, closure: Val, args: &[Val]) {
        let instance = self.instance_of(callee.snapshot.proto_addr);
        let Some(mut inlined) = self.inlined.take() else {
            return;
        };
        let (caller, site, extra) = (inlined.caller.clone(), inlined.site, inlined.extra);
        let known = inlined.returns.before.len();
        inlined.caller.closure = closure;
        inlined.caller.tail = true;
        inlined.site.tail = true;
        let first = self.base;
        for (k, &v) in args.iter().enumerate() {
            self.values[first + k] = Some(v);
        }
        self.move_above(callee, &mut inlined, args);
        let base = first + callee.offset(args.len());
        let replaced = self.enter(callee, instance, base, Some(inlined));
        self.build_callee(first, args.len());
        let inlined = self.leave(replaced);
        self.inlined = inlined.map(|mut i| {
            i.returns.before.truncate(known);
            Inlined {
                caller,
                site,
                extra,
                ..i
            }
        });
        self.cur = None;
    }

    /// Describes the frame of `callee`, which takes the place of the inlined
    /// one and gets these arguments: that of a function with `...` goes above
    /// them, and the extra ones become registers of the caller.
    fn move_above(&mut self, callee: &Callee<'_>, inlined: &mut Inlined, args: &[Val]) {
        let (offset, extra) = (callee.offset(args.len()), callee.extra(args.len()));
        inlined.extra = extra;
        inlined.caller.nvarargs = extra as u8;
        if offset == 0 {
            return;
        }
        let extras = &args[args.len() - extra..];
        let frame = inlined.caller.a + offset as u8;
        let mut state = self.func.states[inlined.caller.state.index()].clone();
        let mut site = self.func.sites[inlined.site.site.index()].clone();
        let slot = self.base + offset - FRAME_SLOTS;
        inlined.returns.before.resize(slot, None);
        for (r, &v) in (frame - extra as u8..frame).zip(extras) {
            state.regs.push((r, v));
            if self.ty(v).may_be_object() {
                site.live.push(r);
            }
            inlined.returns.before[slot - usize::from(frame - r)] = Some(v);
        }
        self.func.states.push(state);
        self.func.sites.push(site);
        inlined.caller.state = State(self.func.states.len() as u32 - 1);
        inlined.site.site = Site(self.func.sites.len() as u32 - 1);
        (inlined.caller.a, inlined.site.a) = (frame, frame);
    }

    /// The call at register `a` as the callee's states and sites describe it;
    /// the record goes to `frame`. Extra arguments stay below it as registers
    /// of the caller.
    pub(super) fn calling(
        &mut self,
        callee: &Callee<'_>,
        instance: u32,
        closure: Val,
        (a, frame, nargs): (u8, u8, usize),
        want: Want,
    ) -> Inlined {
        let extra = callee.extra(nargs);
        let mut extras = Vec::with_capacity(extra);
        for r in frame - extra as u8..frame {
            let v = self.read(r);
            extras.push((r, v));
        }
        let mut roots = self.roots_below(a);
        roots.extend(
            extras
                .iter()
                .filter(|e| self.ty(e.1).may_be_object())
                .map(|e| e.0),
        );
        let site = self.add_site(roots);
        let state = self.state_at(self.pc);
        let fs = &mut self.func.states[state.index()];
        fs.regs.retain(|r| r.0 < a);
        fs.regs.extend(extras);
        fs.top = None;
        let proto = PoolEntry::Proto(callee.snapshot.proto_addr);
        let proto = self.func.pool_slot(proto);
        let returns = self.meeting(instance, want.count, frame);
        let caller = InlineCaller {
            state,
            closure,
            proto,
            a: frame,
            nvarargs: extra as u8,
            tail: false,
        };
        Inlined {
            caller,
            site: SiteCaller {
                site,
                a: frame,
                tail: false,
            },
            open: want.open,
            extra,
            protected: None,
            returns,
        }
    }

    /// At a block with several predecessors: of the current frame's registers
    /// nothing is known, those of the frames around it are as they were at
    /// the call.
    pub(super) fn enter_join(&mut self) {
        self.values.fill(None);
        self.window.fill(None);
        if let Some(inlined) = &self.inlined {
            let before = &inlined.returns.before;
            self.values[..before.len()].copy_from_slice(before);
        }
    }

    /// In an inlined frame: goes to behind the call with these results.
    pub(super) fn return_inlined(&mut self, results: &[Val]) {
        let Some(mut inlined) = self.inlined.take() else {
            return;
        };
        let mut all = SmallVec::<[Val; 4]>::new();
        if inlined.protected.is_some() {
            all.push(self.emit(Op::Bool(true), &[], Ty::Bool));
        }
        all.extend_from_slice(results);
        self.arrive(&mut inlined.returns, &all);
        self.inlined = Some(inlined);
    }

    /// Stores the live values of the frames around the current one that the
    /// collector has to find.
    pub(super) fn store_callers(&mut self) {
        let Some(inlined) = &self.inlined else { return };
        let site = inlined.site.site;
        for slot in self.func.roots_at(site) {
            if let Some(v) = self.values[slot] {
                self.store_slot(slot, v);
            }
        }
    }

    /// Function and call of each inlined frame, outermost first.
    fn inlined_frames(&self) -> SmallVec<[(Val, SiteCaller); 4]> {
        let outer = self.outer.iter().filter_map(|o| o.inlined.as_ref());
        let mut frames = SmallVec::new();
        for i in outer.chain(&self.inlined) {
            frames.extend(i.protected.map(|p| (p.function, p.site)));
            frames.push((i.caller.closure, i.site));
        }
        frames
    }

    /// What calls the current frame, or the nearest one around it that `pcall`
    /// calls.
    pub(super) fn protected(&self) -> Option<Protected> {
        let outer = self.outer.iter().rev().filter_map(|o| o.inlined.as_ref());
        self.inlined.iter().chain(outer).find_map(|i| i.protected)
    }

    /// A slot of the window may hold anything now.
    pub(super) fn forget_window(&mut self, slot: usize) {
        self.window[slot] = None;
        self.forget_record(slot);
    }

    /// A slot was written: a record that was there is gone.
    pub(super) fn forget_record(&mut self, slot: usize) {
        for at in slot.saturating_sub(FRAME_SLOTS - 1)..=slot {
            self.window[RECORDS + at] = None;
        }
    }

    /// Before a call site: makes inlined frames visible.
    pub(super) fn push_frames(&mut self) {
        self.push_all(&self.inlined_frames());
    }

    fn push_all(&mut self, frames: &[(Val, SiteCaller)]) {
        for (n, &(closure, SiteCaller { site, a, tail })) in frames.iter().enumerate() {
            let slot = self.func.base_at(site) + a as usize;
            let written = (Some(closure), Some(Val(site.0)));
            let known = (self.window[RECORDS + slot], self.window[SITES + slot]);
            if known == written && !tail {
                if n + 1 == frames.len() {
                    let i = self.push(Op::EnterFrame { a }, &[], Ty::None);
                    self.func.insts[i.index()].site = Some(site);
                }
                continue;
            }
            let i = self.push(Op::PushFrame { a, tail }, &[closure], Ty::None);
            self.func.insts[i.index()].site = Some(site);
            if !tail {
                (self.window[RECORDS + slot], self.window[SITES + slot]) = written;
            }
        }
    }

    /// Behind a call site.
    pub(super) fn pop_frames(&mut self) {
        if self.inlined.is_some() {
            self.push(Op::PopFrame, &[], Ty::None);
        }
    }

    /// The operands of a poll at this site.
    pub(super) fn poll_operands(&mut self, site: Site) -> Vec<Val> {
        let mut operands = Vec::new();
        for slot in self.func.roots_at(site) {
            let v = match self.values[slot] {
                Some(v) => v,
                None => self.nil(),
            };
            operands.push(v);
        }
        let frames = self.inlined_frames();
        operands.extend(frames.iter().rev().map(|f| f.0));
        operands
    }
}
