//! What each instruction does to the objects.

use super::{Content, Escape, Kind, Obj, Origin, Placed, Ref, Slot, Status, reach};
use crate::exits::unboxed;
use crate::ir::{FrameState, Inst, InstData, Op, Pool, Site, SlotLoc, State, Ty, Val};
use smallvec::{SmallVec, smallvec};
use vela_deopt::DeoptReason;
use vela_objects::table::ELEMS_NONE;

impl Escape<'_> {
    // ---- placing -----------------------------------------------------

    /// Places a new instruction; in every round the same one.
    pub(super) fn emit(&mut self, op: Op, args: &[Val], ty: Ty) -> Option<Val> {
        let i = self.make(op, args, ty);
        self.out.push(Placed {
            inst: i,
            data: None,
        });
        self.func.inst(i).result
    }

    fn make(&mut self, op: Op, args: &[Val], ty: Ty) -> Inst {
        let key = (self.block, self.anchor, self.count);
        self.count += 1;
        if let Some(&i) = self.made.get(&key) {
            let old = self.func.inst(i).result;
            if old.map_or(Ty::None, |v| self.func.ty(v)) == ty {
                let data = &mut self.func.insts[i.index()];
                data.op = op;
                data.args = SmallVec::from_slice(args);
                return i;
            }
        }
        let i = self.func.make_inst(op, args, ty);
        self.made.insert(key, i);
        i
    }

    fn value(&mut self, op: Op, args: &[Val], ty: Ty) -> Val {
        self.emit(op, args, ty).expect("a type was given")
    }

    fn place(&mut self, inst: Inst, data: InstData) {
        let same = *self.func.inst(inst) == data;
        self.out.push(Placed {
            inst,
            data: (!same).then(|| Box::new(data)),
        });
    }

    /// The instruction becomes another one with the same result.
    fn become_op(&mut self, i: Inst, op: Op, args: &[Val]) {
        let data = InstData {
            op,
            args: SmallVec::from_slice(args),
            state: None,
            reason: DeoptReason::None,
            origin: None,
            site: None,
            ..self.func.inst(i).clone()
        };
        self.place(i, data);
    }

    fn literal(&mut self, p: Pool) -> Val {
        self.value(Op::Literal(p), &[], Ty::Ptr)
    }

    // ---- objects -----------------------------------------------------

    fn slot(&self, v: Val) -> Slot {
        match self.resolve(v) {
            Ref::Obj(o) => Slot::Obj(o),
            Ref::Val(v) => match self.resolve(unboxed(self.func, v)) {
                Ref::Obj(o) => Slot::Obj(o),
                Ref::Val(v) => Slot::Val(v),
            },
        }
    }

    /// The value in a slot, none of whose objects is virtual.
    pub(super) fn slot_val(&self, s: Slot) -> Val {
        match s {
            Slot::Val(v) => v,
            Slot::Obj(o) => match self.flow.get(&o) {
                Some(&Status::Real { typed, .. }) => typed,
                _ => unreachable!("parts are made before the whole"),
            },
        }
    }

    /// Makes a virtual object, and those that it refers to.
    pub(super) fn materialize(&mut self, o: Obj) {
        let Some(Content { shape, slots }) = self.content(o).cloned() else {
            return;
        };
        for &s in &slots {
            if let Slot::Obj(p) = s {
                self.materialize(p);
            }
        }
        let vals: SmallVec<[Val; 4]> = slots.iter().map(|&s| self.slot_val(s)).collect();
        for origin in self.origins(o) {
            *self.copies.entry(origin).or_insert(0) += 1;
        }
        let typed = match self.kind(o) {
            Kind::Table { cap, elems, root } => {
                let empty = self.literal(root);
                let fields = u16::from(cap);
                let op = Op::NewTable { fields, elems };
                let table = self.value(op, &[empty], Ty::Table);
                for (n, &v) in vals.iter().enumerate() {
                    let index = n as u16;
                    let loc = SlotLoc::Inline { index, cap };
                    self.emit(Op::StoreSlot(loc, true), &[table, v], Ty::None);
                }
                if let Some(p) = shape.filter(|&p| p != root) {
                    let shape = self.literal(p);
                    self.emit(Op::SetShape, &[table, shape], Ty::None);
                }
                table
            }
            Kind::Cell => self.value(Op::NewCell, &vals, Ty::Cell),
            Kind::Closure { child, proto } => {
                // A second closure of a function ends what code may assume,
                // which only the check behind the original place notices.
                self.rejected.extend(self.origins(o));
                self.value(Op::NewClosure(child, Some(proto)), &vals, Ty::LuaFn)
            }
        };
        let boxed = self.boxed(typed);
        self.flow.insert(o, Status::Real { typed, boxed });
        self.forget();
    }

    pub(super) fn boxed(&mut self, typed: Val) -> Val {
        match self.func.ty(typed) {
            Ty::Cell => typed,
            _ => self.value(Op::Box, &[typed], Ty::Any),
        }
    }

    /// The candidates that may be this object.
    fn origins(&self, o: Obj) -> Vec<Inst> {
        let found = self.objects.iter().find(|e| *e.1 == o);
        match found.map(|e| *e.0) {
            Some(Origin::Inst(i)) => vec![i],
            _ => Vec::new(),
        }
    }

    fn create(&mut self, i: Inst, kind: Kind, shape: Option<Pool>, parts: &[Val]) {
        let slots = parts.iter().map(|&v| self.slot(v)).collect();
        let o = self.object(Origin::Inst(i), kind);
        self.alias.insert(self.func.result(i), o);
        let content = Content { shape, slots };
        self.flow.insert(o, Status::Virtual(content));
        self.forget();
    }

    // ---- instructions ------------------------------------------------

    pub(super) fn step(&mut self, i: Inst) {
        (self.anchor, self.count) = (i.0, 0);
        let data = self.func.inst(i).clone();
        let args = &data.args;
        if self.candidates.contains(&i) {
            let literal = |v: Option<&Val>| match v.and_then(|&v| self.func.def_op(v)) {
                Some(Op::Literal(p)) => Some(*p),
                _ => None,
            };
            match data.op {
                Op::NewTable { fields, elems } => {
                    if let Some(root) = literal(args.first()) {
                        let cap = fields as u8;
                        let kind = Kind::Table { cap, elems, root };
                        return self.create(i, kind, Some(root), &[]);
                    }
                }
                Op::NewCell => return self.create(i, Kind::Cell, None, args),
                Op::NewClosure(child, Some(proto)) => {
                    return self.create(i, Kind::Closure { child, proto }, None, args);
                }
                _ => {}
            }
        }
        if data.op == Op::Poll {
            return self.poll(i, data);
        }
        let done = match args.first().map(|&v| self.resolve(v)) {
            Some(Ref::Obj(o)) => self.operate(i, &data, o),
            _ => match (&data.op, args.get(1).map(|&v| self.resolve(v))) {
                // Nothing else can be the object.
                (Op::SameBits | Op::SameObject, Some(Ref::Obj(_))) => {
                    self.become_op(i, Op::Bool(false), &[]);
                    true
                }
                _ => false,
            },
        };
        if !done {
            self.plain(i, data);
        }
    }

    /// An instruction whose first operand is a virtual object; false if the
    /// object has to be made for it.
    fn operate(&mut self, i: Inst, data: &InstData, o: Obj) -> bool {
        let args = &data.args;
        let kind = self.kind(o);
        let Some(content) = self.content(o).cloned() else {
            return false;
        };
        let ty = data.result.map_or(Ty::None, |r| self.func.ty(r));
        match (&data.op, kind) {
            (Op::Box | Op::Unbox | Op::GuardTag(_), _) if ty == Ty::Any || ty == kind.ty() => {
                self.alias.insert(self.func.result(i), o);
            }
            (Op::HasTag(tag), _) => {
                let is = kind.ty().tag() == Some(*tag);
                self.become_op(i, Op::Bool(is), &[]);
            }
            (Op::Truthy, _) => self.become_op(i, Op::Bool(true), &[]),
            (Op::SameBits | Op::SameObject, _) => {
                let is = self.resolve(args[1]) == Ref::Obj(o);
                self.become_op(i, Op::Bool(is), &[]);
            }
            (Op::LoadShape, Kind::Table { root, .. }) => {
                self.become_op(i, Op::Literal(content.shape.unwrap_or(root)), &[]);
            }
            (Op::GuardShape, Kind::Table { .. }) => return self.shape_of(args[1]) == content.shape,
            (Op::ShapeIn, Kind::Table { root, .. }) => {
                let have = Some(content.shape.unwrap_or(root));
                let is = args[1..].iter().any(|&s| self.shape_of(s) == have);
                self.become_op(i, Op::Bool(is), &[]);
            }
            (Op::SetShape, Kind::Table { .. }) => {
                let Some(shape) = self.shape_of(args[1]) else {
                    return false;
                };
                let shape = Some(shape);
                self.update(o, Content { shape, ..content });
            }
            (Op::LoadSlot(SlotLoc::Inline { index, cap }), Kind::Table { cap: have, .. })
                if *cap == have =>
            {
                let Some(&s) = content.slots.get(*index as usize) else {
                    return false;
                };
                return self.load(i, ty, s);
            }
            (Op::StoreSlot(SlotLoc::Inline { index, cap }, _), Kind::Table { cap: have, .. })
                if *cap == have =>
            {
                return self.store(o, content, *index as usize, args[1]);
            }
            (Op::NoExt | Op::NoneBeyond, Kind::Table { .. }) => {
                self.become_op(i, Op::Bool(true), &[])
            }
            (Op::NoMeta, Kind::Table { root, .. }) if content.shape == Some(root) => {
                self.become_op(i, Op::Bool(true), &[]);
            }
            (Op::ElemsLen, Kind::Table { .. }) => self.become_op(i, Op::Int(0), &[]),
            (Op::ElemsKind, Kind::Table { .. }) => {
                self.become_op(i, Op::Int(i64::from(ELEMS_NONE)), &[]);
            }
            (Op::LoadCell, Kind::Cell) => return self.load(i, ty, content.slots[0]),
            (Op::StoreCell, Kind::Cell) => return self.store(o, content, 0, args[1]),
            (Op::Upval(n), Kind::Closure { .. }) => {
                let Some(&s) = content.slots.get(1 + *n as usize) else {
                    return false;
                };
                return self.load(i, ty, s);
            }
            (Op::LoadProto, Kind::Closure { proto, .. }) => {
                self.become_op(i, Op::Literal(proto), &[]);
            }
            _ => return false,
        }
        true
    }

    /// The pool slot of a shape.
    fn shape_of(&self, v: Val) -> Option<Pool> {
        match self.func.def_op(v) {
            Some(Op::Literal(p)) => Some(*p),
            _ => None,
        }
    }

    fn update(&mut self, o: Obj, content: Content) {
        self.flow.insert(o, Status::Virtual(content));
        self.forget();
    }

    /// The instruction, with a result of type `ty`, reads a slot.
    fn load(&mut self, i: Inst, ty: Ty, s: Slot) -> bool {
        let result = self.func.result(i);
        let v = match s {
            Slot::Val(v) => v,
            Slot::Obj(p) if self.content(p).is_some() => {
                let fits = ty == Ty::Any || ty == self.kind(p).ty();
                if fits {
                    self.alias.insert(result, p);
                }
                return fits;
            }
            Slot::Obj(_) => self.slot_val(s),
        };
        match (self.func.ty(v), ty) {
            (have, want) if have == want => {
                self.known.insert(result, v);
            }
            (_, Ty::Any) => self.become_op(i, Op::Box, &[v]),
            (Ty::Any, _) => self.become_op(i, Op::Unbox, &[v]),
            _ => return false,
        }
        true
    }

    /// Stores to slot `n`, which is there or the next one.
    fn store(&mut self, o: Obj, mut content: Content, n: usize, v: Val) -> bool {
        let s = self.slot(v);
        if let Slot::Obj(p) = s
            && reach(&self.flow, [p]).contains(&o)
        {
            // It would contain itself.
            self.materialize(p);
            return false;
        }
        let len = content.slots.len();
        match content.slots.get_mut(n) {
            Some(slot) => *slot = s,
            None if n == len => content.slots.push(s),
            None => return false,
        }
        self.update(o, content);
        true
    }

    /// An instruction that means nothing to virtual objects: those that are
    /// its operands are made.
    fn plain(&mut self, i: Inst, mut data: InstData) {
        for k in 0..data.args.len() {
            data.args[k] = self.real(data.args[k]);
        }
        if let (Some(s), true) = (data.state, self.last) {
            data.state = Some(self.state(s));
        }
        self.place(i, data);
    }

    /// The value, which is made if it is virtual.
    fn real(&mut self, v: Val) -> Val {
        if let Ref::Obj(o) = self.resolve(v) {
            self.materialize(o);
        }
        match self.resolve(v) {
            Ref::Val(v) => v,
            Ref::Obj(_) => v,
        }
    }

    // ---- polls -------------------------------------------------------

    /// A poll: the collector has to find what virtual objects refer to. Their
    /// own registers serve for that, and if these do not suffice, more behind
    /// the window's end.
    fn poll(&mut self, i: Inst, mut data: InstData) {
        let Some(site) = data.site else {
            return self.plain(i, data);
        };
        let roots = self.func.roots_at(site).len();
        for k in roots..data.args.len() {
            data.args[k] = self.real(data.args[k]);
        }
        let mut free: SmallVec<[usize; 8]> = smallvec![];
        let mut objects: SmallVec<[Obj; 8]> = smallvec![];
        for k in 0..roots {
            match self.resolve(data.args[k]) {
                Ref::Obj(o) => {
                    free.push(k);
                    objects.push(o);
                }
                Ref::Val(v) => data.args[k] = v,
            }
        }
        if free.is_empty() {
            return self.plain(i, data);
        }
        let mut parts = self.parts(&objects);
        parts.retain(|v| {
            let root = |&a: &Val| unboxed(self.func, a) == *v;
            !data
                .args
                .iter()
                .enumerate()
                .any(|(k, a)| !free.contains(&k) && root(a))
        });
        let more = parts.len().saturating_sub(free.len());
        let base = self.func.base_at(site);
        let end = self.func.max_stack as usize;
        if end + more > usize::from(u8::MAX) {
            for o in objects {
                self.materialize(o);
            }
            return self.plain(i, data);
        }
        let mut parts = parts.into_iter();
        for k in free {
            data.args[k] = match parts.next() {
                Some(v) => v,
                None => self.value(Op::Nil, &[], Ty::Nil),
            };
        }
        if more > 0 {
            self.max_stack = self.max_stack.max(end + more);
            let own = self.func.sites[site.index()].live.len();
            data.args.insert_many(own, parts);
            if self.last {
                let mut new = self.func.sites[site.index()].clone();
                new.live.extend((0..more).map(|n| (end + n - base) as u8));
                self.func.sites.push(new);
                data.site = Some(Site(self.func.sites.len() as u32 - 1));
            }
        }
        self.place(i, data);
    }

    /// The heap objects that virtual objects refer to.
    fn parts(&self, objects: &[Obj]) -> Vec<Val> {
        let mut parts = Vec::new();
        let mut all: Vec<Obj> = reach(&self.flow, objects.iter().copied())
            .into_iter()
            .collect();
        all.sort_unstable();
        for o in all {
            match self.flow.get(&o) {
                Some(Status::Virtual(c)) => {
                    for s in &c.slots {
                        if let Slot::Val(v) = *s
                            && self.func.ty(v).may_be_object()
                            && !matches!(
                                self.func.def_op(v),
                                Some(Op::Literal(_) | Op::SelfClosure)
                            )
                            && !parts.contains(&v)
                        {
                            parts.push(v);
                        }
                    }
                }
                Some(&Status::Real { typed, .. }) if !parts.contains(&typed) => parts.push(typed),
                _ => {}
            }
        }
        parts
    }

    // ---- frame states ------------------------------------------------

    /// The state, with objects as they are.
    fn state(&mut self, s: State) -> State {
        if let Some(&now) = self.states.get(&s) {
            return now;
        }
        let now = self.state_now(s);
        self.states.insert(s, now);
        now
    }

    fn state_now(&mut self, s: State) -> State {
        let mut fs: FrameState = self.func.states[s.index()].clone();
        let mut changed = false;
        let mut now = |this: &mut Self, v: &mut Val| {
            let new = this.named(*v);
            changed |= new != *v;
            *v = new;
        };
        for r in &mut fs.regs {
            now(self, &mut r.1);
        }
        if let Some(c) = &mut fs.caller {
            now(self, &mut c.closure);
            let new = self.state(c.state);
            changed |= new != c.state;
            c.state = new;
        }
        if !changed {
            return s;
        }
        self.func.states.push(fs);
        State(self.func.states.len() as u32 - 1)
    }

    /// How a frame state names a value.
    fn named(&mut self, v: Val) -> Val {
        match self.resolve(v) {
            Ref::Obj(o) => self.describe(o),
            Ref::Val(v) => v,
        }
    }

    /// An instruction that describes a virtual object.
    fn describe(&mut self, o: Obj) -> Val {
        if let Some(&v) = self.described.get(&o) {
            return v;
        }
        let Some(Content { shape, slots }) = self.content(o).cloned() else {
            return self.slot_val(Slot::Obj(o));
        };
        let mut args: SmallVec<[Val; 8]> = smallvec![];
        if let Some(p) = shape {
            let op = Op::Literal(p);
            args.push(self.before_state(op, &[], Ty::Ptr));
        }
        for &s in &slots {
            args.push(match s {
                Slot::Val(v) => v,
                Slot::Obj(p) => self.describe(p),
            });
        }
        let kind = self.kind(o);
        let op = match kind {
            Kind::Table { .. } => Op::VirtualTable,
            Kind::Cell => Op::VirtualCell,
            Kind::Closure { child, .. } => Op::VirtualClosure(child),
        };
        let v = self.before_state(op, &args, kind.ty());
        self.described.insert(o, v);
        v
    }

    /// Places an instruction for the state of the one that comes next. A poll
    /// and the check behind it stay together.
    fn before_state(&mut self, op: Op, args: &[Val], ty: Ty) -> Val {
        let v = self.value(op, args, ty);
        let n = self.out.len();
        let polls = |p: &Placed| self.func.inst(p.inst).op == Op::Poll;
        if n >= 2 && polls(&self.out[n - 2]) {
            self.out.swap(n - 2, n - 1);
        }
        v
    }
}
