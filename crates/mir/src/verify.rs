//! Checks that a function keeps the rules of the form.
//!
//! The builder's result and, in tests and debug builds, the result of each
//! pass are verified: a defect in the tier becomes a typed error and the
//! function stays interpreted. Unreachable blocks are not looked at.

use crate::analysis::{Cfg, for_each_use};
use crate::exits::is_before_commit;
use crate::helper::{Helper, Word};
use crate::ir::{Block, Def, EntryKind, Func, Inst, InstData, Op, PoolEntry, Site, State, Ty, Val};
use vela_deopt::DeoptReason;
use vela_objects::table::table_room;

/// A rule that a function breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{block}: {at}: {kind}")]
pub struct VerifyError {
    /// The block.
    pub block: Block,
    /// Text of the instruction, or what else is at fault.
    pub at: String,
    /// The rule.
    pub kind: VerifyErrorKind,
}

/// The rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyErrorKind {
    /// A block, value, state, site, pool slot or instruction number that does
    /// not exist.
    #[error("{0} does not exist")]
    NoSuch(String),
    /// A block does not end in a terminator, or has one before its end.
    #[error("a block ends in its only terminator")]
    Terminator,
    /// An instruction is placed twice.
    #[error("the instruction is in the function twice")]
    Twice,
    /// A value's definition is not where the value says.
    #[error("{0} is not defined where it says")]
    Definition(Val),
    /// A use that the definition does not dominate.
    #[error("the definition of {0} does not dominate this use")]
    Dominance(Val),
    /// Wrong number of operands, targets or block arguments.
    #[error("{what}: expected {expected}, found {found}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// The right number.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// Wrong type.
    #[error("{what} has type {found}, expected {expected}")]
    Type {
        /// Which operand or result.
        what: String,
        /// Types allowed.
        expected: &'static str,
        /// Its type.
        found: &'static str,
    },
    /// A guard without a frame state or reason.
    #[error("an instruction that may exit has a frame state and a reason")]
    NoState,
    /// A check that its poll is to make, elsewhere.
    #[error("guard_polled is right behind a poll")]
    NotPolled,
    /// A frame state on what never exits.
    #[error("only guards and call sites have a frame state")]
    NoExit,
    /// A call site without its site, or another instruction with one.
    #[error("call sites and no other instructions have a site")]
    SiteMissing,
    /// A register that is not in the window.
    #[error("register {0} is outside the window")]
    Register(u8),
    /// A register is given twice in a state.
    #[error("the state gives register {0} twice")]
    RegisterTwice(u8),
    /// A register is said to be in the window but may not have been stored.
    #[error(
        "register {0} is listed as in the window, but there is a path on which it is not stored"
    )]
    NotStored(u8),
    /// A state is its own caller.
    #[error("{0} is its own caller")]
    CallerCycle(State),
    /// An object that does not exist is used as if it did, or its shape is
    /// not a literal.
    #[error("{0} cannot be used here")]
    Virtual(Val),
    /// The entry block's parameters do not fit the entry.
    #[error("parameters of the entry block do not fit how the function is entered")]
    Entry,
}

type Check<T = ()> = Result<T, VerifyErrorKind>;

/// Checks `func`. Near-linear in its size.
///
/// # Errors
/// The first broken rule found.
pub fn verify(func: &Func) -> Result<(), VerifyError> {
    // Targets have to exist before the control flow can be looked at.
    for (b, data) in func.blocks.iter().enumerate() {
        let b = Block(b as u32);
        for (n, &i) in data.insts.iter().enumerate() {
            let Some(inst) = func.insts.get(i.index()) else {
                return Err(error(func, b, None, no_such(i)));
            };
            if inst.op.is_terminator() != (n + 1 == data.insts.len()) {
                return Err(error(func, b, Some(i), VerifyErrorKind::Terminator));
            }
            for t in &inst.targets {
                if t.block.index() >= func.blocks.len() {
                    return Err(error(func, b, None, no_such(t.block)));
                }
            }
        }
    }
    let cfg = Cfg::new(func);
    let mut v = Verifier {
        func,
        place: vec![None; func.insts.len()],
        cfg: &cfg,
        states: vec![false; func.states.len()],
    };
    for &b in &cfg.order {
        v.block_shape(b)?;
    }
    for &b in &cfg.order {
        for (n, &i) in func.blocks[b.index()].insts.iter().enumerate() {
            v.inst(b, n as u32, i)
                .map_err(|k| error(func, b, Some(i), k))?;
        }
    }
    v.window()
}

/// Operands and the arguments of targets.
fn vals_of(data: &InstData) -> impl Iterator<Item = Val> + '_ {
    let of_targets = data.targets.iter().flat_map(|t| &t.args);
    data.args.iter().chain(of_targets).copied()
}

fn no_such(x: impl std::fmt::Display) -> VerifyErrorKind {
    VerifyErrorKind::NoSuch(x.to_string())
}

fn error(func: &Func, block: Block, inst: Option<Inst>, kind: VerifyErrorKind) -> VerifyError {
    let mut at = String::new();
    let shown = match inst {
        // Only instructions whose numbers are known to be right are printed.
        Some(i) if !matches!(kind, VerifyErrorKind::NoSuch(_)) => {
            func.write_inst(&mut at, i).is_ok()
        }
        _ => false,
    };
    if !shown {
        at = inst.map_or_else(|| "block".to_string(), |i| i.to_string());
    }
    VerifyError { block, at, kind }
}

struct Verifier<'f> {
    func: &'f Func,
    cfg: &'f Cfg,
    place: Vec<Option<(Block, u32)>>,
    /// States whose own data is known to be right.
    states: Vec<bool>,
}

/// A set of types.
#[derive(Clone, Copy)]
struct Types(&'static str, fn(Ty) -> bool);

const ANY: Types = Types("any", |t| t == Ty::Any);
const INT: Types = Types("int", |t| t == Ty::Int);
const FLOAT: Types = Types("float", |t| t == Ty::Float);
const BOOL: Types = Types("bool", |t| t == Ty::Bool);
const NIL: Types = Types("nil", |t| t == Ty::Nil);
const STR: Types = Types("str", |t| t == Ty::Str);
const TABLE: Types = Types("table", |t| t == Ty::Table);
const LUAFN: Types = Types("luafn", |t| t == Ty::LuaFn);
const CALLEE: Types = Types("a function", |t| matches!(t, Ty::LuaFn | Ty::NativeFn));
const CELL: Types = Types("cell", |t| t == Ty::Cell);
const PTR: Types = Types("ptr", |t| t == Ty::Ptr);
/// Lua values, typed or not.
const VALUE: Types = Types("a Lua value", |t| {
    t == Ty::Any || t.tag().is_some() && t != Ty::Cell
});
/// What a register may hold.
const SLOT: Types = Types("what a register may hold", |t| {
    t == Ty::Any || t.tag().is_some()
});
/// Typed contents of a register.
const TYPED: Types = Types("a type with a tag", |t| t.tag().is_some());
const OBJECT: Types = Types("an object or ptr", |t| {
    t == Ty::Ptr || t != Ty::Any && t.may_be_object()
});

impl<'f> Verifier<'f> {
    /// Parameters, definitions and places of one block.
    fn block_shape(&mut self, b: Block) -> Result<(), VerifyError> {
        let func = self.func;
        let data = &func.blocks[b.index()];
        let fail = |i, kind| Err(error(func, b, i, kind));
        for (n, &p) in data.params.iter().enumerate() {
            match func.vals.get(p.index()) {
                None => return fail(None, no_such(p)),
                Some(v) if v.def != Def::Param(b, n as u32) || v.ty == Ty::None => {
                    return fail(None, VerifyErrorKind::Definition(p));
                }
                Some(_) => {}
            }
        }
        if b == Func::ENTRY {
            let expected = match func.entry_kind {
                EntryKind::Call => func.num_params as usize,
                EntryKind::Osr { .. } => 0,
            };
            let fits = data.params.len() == expected
                && data.params.iter().all(|&p| func.ty(p) == Ty::Any)
                && self.cfg.preds[b.index()].is_empty();
            if !fits {
                return fail(None, VerifyErrorKind::Entry);
            }
        }
        if data.insts.is_empty() {
            return fail(None, VerifyErrorKind::Terminator);
        }
        for (n, &i) in data.insts.iter().enumerate() {
            if self.place[i.index()].replace((b, n as u32)).is_some() {
                return fail(Some(i), VerifyErrorKind::Twice);
            }
            if let Some(r) = func.inst(i).result {
                match func.vals.get(r.index()) {
                    None => return fail(Some(i), no_such(r)),
                    Some(v) if v.def != Def::Inst(i) => {
                        return fail(Some(i), VerifyErrorKind::Definition(r));
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }

    fn inst(&mut self, b: Block, n: u32, i: Inst) -> Check {
        let func = self.func;
        let data = func.inst(i);
        if let Some(v) = vals_of(data).find(|v| v.index() >= func.vals.len()) {
            return Err(no_such(v));
        }
        if let Some(s) = data.state {
            self.state(s)?;
        }
        let mut result = Ok(());
        for_each_use(func, i, |v| {
            if result.is_ok() && !self.available(v, b, n) {
                result = Err(VerifyErrorKind::Dominance(v));
            }
        });
        result?;
        if data.op.is_guard()
            && (data.reason == DeoptReason::None
                || data.state.is_none() && !is_before_commit(func, b))
        {
            return Err(VerifyErrorKind::NoState);
        }
        if data.state.is_some() && !data.op.is_guard() && !data.op.is_call_site() {
            return Err(VerifyErrorKind::NoExit);
        }
        if data.op == Op::GuardPolled {
            let before = n
                .checked_sub(1)
                .map(|n| func.blocks[b.index()].insts[n as usize]);
            if before.is_none_or(|i| func.inst(i).op != Op::Poll) {
                return Err(VerifyErrorKind::NotPolled);
            }
        }
        match data.site {
            Some(s) if s.index() >= func.sites.len() => return Err(no_such(s)),
            site if site.is_some() != data.op.has_site() => {
                return Err(VerifyErrorKind::SiteMissing);
            }
            Some(s) => {
                self.callers(s)?;
                for r in func.roots_at(s) {
                    self.register(u8::try_from(r).unwrap_or(u8::MAX))?;
                }
            }
            None => {}
        }
        self.targets(i)?;
        self.signature(i)?;
        let mut used = vals_of(data);
        let is_virtual = |v: &Val| func.def_op(*v).is_some_and(Op::is_virtual);
        match used.find(is_virtual) {
            Some(v) if !data.op.is_virtual() => Err(VerifyErrorKind::Virtual(v)),
            _ => Ok(()),
        }
    }

    /// Sites that an inlined site names exist and come before it.
    fn callers(&self, mut s: Site) -> Check {
        while let Some(c) = self.func.sites[s.index()].caller {
            if c.site >= s {
                return Err(no_such(c.site));
            }
            s = c.site;
        }
        Ok(())
    }

    fn available(&self, v: Val, b: Block, n: u32) -> bool {
        match self.func.vals[v.index()].def {
            Def::Inst(d) => match self.place.get(d.index()).copied().flatten() {
                Some((db, dn)) if db == b => dn < n && self.func.inst(d).result == Some(v),
                Some((db, _)) => self.cfg.dominates(db, b) && self.func.inst(d).result == Some(v),
                None => false,
            },
            Def::Param(db, k) => {
                db.index() < self.func.blocks.len()
                    && self.func.blocks[db.index()].params.get(k as usize) == Some(&v)
                    && self.cfg.is_reachable(db)
                    && self.cfg.dominates(db, b)
            }
        }
    }

    fn register(&self, r: u8) -> Check {
        if r < self.func.max_stack {
            Ok(())
        } else {
            Err(VerifyErrorKind::Register(r))
        }
    }

    /// A state's own data; who uses it checks dominance.
    fn state(&mut self, first: State) -> Check {
        let func = self.func;
        let mut s = first;
        let mut steps = 0;
        loop {
            let Some(fs) = func.states.get(s.index()) else {
                return Err(no_such(s));
            };
            if self.states[s.index()] {
                return Ok(());
            }
            let mut seen = [false; 256];
            let regs = fs
                .regs
                .iter()
                .map(|r| r.0)
                .chain(fs.in_window.iter().copied());
            for r in regs {
                if std::mem::replace(&mut seen[r as usize], true) {
                    return Err(VerifyErrorKind::RegisterTwice(r));
                }
                // The size of an inlined frame's window is the callee's.
                if fs.caller.is_none() {
                    self.register(r)?;
                }
            }
            for &(r, v) in &fs.regs {
                let Some(data) = func.vals.get(v.index()) else {
                    return Err(no_such(v));
                };
                if !SLOT.1(data.ty) {
                    return Err(VerifyErrorKind::Type {
                        what: format!("register {r} of {s}, {v},"),
                        expected: SLOT.0,
                        found: data.ty.name(),
                    });
                }
            }
            let Some(c) = &fs.caller else { break };
            if c.proto.index() >= func.pool.len() {
                return Err(no_such(c.proto));
            }
            let Some(closure) = func.vals.get(c.closure.index()) else {
                return Err(no_such(c.closure));
            };
            if !CALLEE.1(closure.ty) {
                return Err(VerifyErrorKind::Type {
                    what: format!("the closure of {s}, {},", c.closure),
                    expected: CALLEE.0,
                    found: closure.ty.name(),
                });
            }
            s = c.state;
            steps += 1;
            if steps > func.states.len() {
                return Err(VerifyErrorKind::CallerCycle(first));
            }
        }
        // The whole chain is right: remember its first state.
        self.states[first.index()] = true;
        Ok(())
    }

    fn targets(&self, i: Inst) -> Check {
        let func = self.func;
        let data = func.inst(i);
        let expected = match data.op {
            Op::Jump => 1,
            Op::Branch => 2,
            _ => 0,
        };
        count("targets", expected, data.targets.len())?;
        for t in &data.targets {
            let params = &func.blocks[t.block.index()].params;
            count("block arguments", params.len(), t.args.len())?;
            for (&p, &a) in params.iter().zip(&t.args) {
                if func.ty(p) != func.ty(a) {
                    return Err(VerifyErrorKind::Type {
                        what: format!("the argument {a} for {p} of {}", t.block),
                        expected: func.ty(p).name(),
                        found: func.ty(a).name(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Operand and result types, as the documentation of each operation says.
    fn signature(&self, i: Inst) -> Check {
        let data = self.func.inst(i);
        let none = |args: &[Types]| self.check(i, args, None);
        let gives = |args: &[Types], result: Types| self.check(i, args, Some(result));
        match &data.op {
            Op::Int(_) => gives(&[], INT),
            Op::Float(_) => gives(&[], FLOAT),
            Op::Bool(_) => gives(&[], BOOL),
            Op::Nil => gives(&[], NIL),
            Op::Literal(p) => match self.func.pool.get(p.index()) {
                None => Err(no_such(p)),
                Some(PoolEntry::Constant(_)) => gives(&[], STR),
                Some(PoolEntry::Shape(_) | PoolEntry::Proto(_)) => gives(&[], PTR),
                Some(PoolEntry::Object(_, tag)) => {
                    gives(&[], OBJECT)?;
                    let found = self.result_type(i);
                    match Ty::from_tag(*tag) {
                        Some(ty) if ty == found => Ok(()),
                        ty => Err(VerifyErrorKind::Type {
                            what: "the literal".into(),
                            expected: ty.map_or("a type with a tag", Ty::name),
                            found: found.name(),
                        }),
                    }
                }
            },
            Op::SelfClosure => gives(&[], LUAFN),
            Op::Box => gives(&[TYPED], ANY),
            Op::HasTag(_) | Op::Truthy => gives(&[ANY], BOOL),
            Op::Unbox => gives(&[ANY], TYPED),
            Op::GuardTag(tag) => {
                gives(&[ANY], TYPED)?;
                let found = self.result_type(i);
                if found.tag() == Some(*tag) {
                    Ok(())
                } else {
                    Err(VerifyErrorKind::Type {
                        what: "the result".into(),
                        expected: Ty::from_tag(*tag).map_or("a type with a tag", Ty::name),
                        found: found.name(),
                    })
                }
            }
            Op::SameBits => gives(&[ANY, ANY], BOOL),
            Op::IntOp(_) => gives(&[INT, INT], INT),
            Op::IntCmp(_) => gives(&[INT, INT], BOOL),
            Op::FloatOp(_) => gives(&[FLOAT, FLOAT], FLOAT),
            Op::FloatFn(_) => gives(&[FLOAT], FLOAT),
            Op::FloatCmp(_) => gives(&[FLOAT, FLOAT], BOOL),
            Op::IntToFloat => gives(&[INT], FLOAT),
            Op::GuardFloatToInt => gives(&[FLOAT], INT),
            Op::Not => gives(&[BOOL], BOOL),
            Op::SameObject => {
                gives(&[OBJECT, OBJECT], BOOL)?;
                self.same(i, 0, 1)
            }
            Op::Select => {
                let all = Types("any type", |_| true);
                gives(&[BOOL, all, all], all)?;
                self.same(i, 1, 2)?;
                let (expected, found) = (self.func.ty(data.args[1]), self.result_type(i));
                if expected == found {
                    Ok(())
                } else {
                    Err(VerifyErrorKind::Type {
                        what: "the result".into(),
                        expected: expected.name(),
                        found: found.name(),
                    })
                }
            }
            Op::StrLess(_) => gives(&[STR, STR], BOOL),
            Op::StrLen => gives(&[STR], INT),
            Op::StrByte => gives(&[STR, INT], INT),
            Op::SecondResult => gives(&[], ANY),
            Op::Lib(helper) => self.lib(i, *helper),
            Op::NewClosure(_, Some(p)) if p.index() >= self.func.pool.len() => Err(no_such(p)),
            Op::NewClosure(..) | Op::VirtualClosure(_) => {
                let mut types = vec![CELL; data.args.len()];
                types[..1.min(data.args.len())].fill(LUAFN);
                count("operands", types.len().max(1), data.args.len())?;
                gives(&types, LUAFN)
            }
            Op::Guard => none(&[BOOL]),
            Op::Exit | Op::GuardValid | Op::GuardPolled => none(&[]),
            Op::Poll => {
                let Some(s) = data.site else {
                    return none(&[]);
                };
                let mut types = vec![SLOT; self.func.roots_at(s).len()];
                let inlined = self.func.frames_at(s).len() - 1;
                types.extend(std::iter::repeat_n(CALLEE, inlined));
                none(&types)
            }
            Op::PopFrame => none(&[]),
            Op::EnterFrame { a } => {
                self.register(*a)?;
                none(&[])
            }
            Op::PushFrame { a, .. } => {
                self.register(*a)?;
                none(&[CALLEE])
            }
            Op::StoreReg(r) => {
                self.register(*r)?;
                none(&[SLOT])
            }
            Op::LoadReg(r) => {
                self.register(*r)?;
                gives(&[], ANY)
            }
            Op::VarargCount => gives(&[], INT),
            Op::LoadVararg => gives(&[INT], ANY),
            Op::Upval(_) => gives(&[LUAFN], CELL),
            Op::LoadCell => gives(&[CELL], ANY),
            Op::StoreCell => none(&[CELL, VALUE]),
            Op::NewCell => gives(&[VALUE], CELL),
            Op::LoadShape => gives(&[TABLE], PTR),
            Op::GuardShape => none(&[TABLE, PTR]),
            Op::ShapeIn => {
                let mut types = vec![PTR; data.args.len().max(2)];
                types[0] = TABLE;
                gives(&types, BOOL)
            }
            Op::LoadSlot(_) => gives(&[TABLE], VALUE),
            Op::StoreSlot(..) => none(&[TABLE, VALUE]),
            Op::AddSlot => none(&[TABLE, PTR, VALUE]),
            Op::SetShape => none(&[TABLE, PTR]),
            Op::FindField => gives(&[TABLE, STR], ANY),
            Op::PutField => gives(&[TABLE, STR, VALUE], BOOL),
            Op::FindIndex => gives(&[TABLE, VALUE], ANY),
            Op::PutIndex => gives(&[TABLE, VALUE, VALUE], BOOL),
            Op::ElemsLen | Op::ElemsKind | Op::ElemsCap => gives(&[TABLE], INT),
            Op::SetElemsLen => none(&[TABLE, INT]),
            Op::LoadElem => gives(&[TABLE, INT], VALUE),
            Op::StoreElem => {
                let typed = Types("a typed Lua value", |t| {
                    t.tag().is_some() && t != Ty::Cell && t != Ty::Nil
                });
                none(&[TABLE, INT, typed])
            }
            Op::StoreElemMixed => none(&[TABLE, INT, VALUE]),
            Op::PushElem => none(&[TABLE, VALUE]),
            Op::NoExt | Op::NoneBeyond | Op::NoMeta => gives(&[TABLE], BOOL),
            Op::NewTable { .. } if data.args.is_empty() => gives(&[], TABLE),
            Op::NewTable { fields, elems } => {
                let values = data.args.len() - 1;
                let mut types = vec![VALUE; values + 1];
                types[0] = PTR;
                gives(&types, TABLE)?;
                let inline = table_room(*fields as usize, *elems as usize).1;
                let room = inline.map_or(0, |_| *elems as usize);
                if values > room {
                    return Err(VerifyErrorKind::Count {
                        what: "elements",
                        expected: room,
                        found: values,
                    });
                }
                Ok(())
            }
            Op::MetaEpoch => gives(&[], INT),
            Op::VirtualTable => {
                let mut types = vec![SLOT; data.args.len().max(1)];
                types[0] = PTR;
                gives(&types, TABLE)?;
                match self.func.def_op(data.args[0]) {
                    Some(Op::Literal(_)) => Ok(()),
                    _ => Err(VerifyErrorKind::Virtual(data.args[0])),
                }
            }
            Op::VirtualCell => gives(&[VALUE], CELL),
            Op::LoadProto => gives(&[LUAFN], PTR),
            Op::CallLua { a, .. } => {
                self.register(*a)?;
                self.call(i, data.result.map(|_| ANY))
            }
            Op::CallLuaMulti { a, .. } => {
                self.register(*a)?;
                self.call(i, None)
            }
            Op::TailCallLua { .. } => self.call(i, None),
            Op::CallWindow { a, .. } | Op::TailCall { a, .. } | Op::CallTail { a, .. } => {
                self.register(*a)?;
                none(&[])
            }
            Op::InterpOne => match data.result {
                Some(_) => gives(&[], BOOL),
                None => none(&[]),
            },
            Op::Jump | Op::ReturnNone => none(&[]),
            Op::Branch => none(&[BOOL]),
            Op::Return => none(&[VALUE]),
            Op::ReturnWindow { from, count } => {
                if *count != Some(0) {
                    self.register(*from)?;
                }
                none(&[])
            }
        }
    }

    /// A helper as a plain function: as many words as it takes.
    fn lib(&self, i: Inst, helper: Helper) -> Check {
        let data = self.func.inst(i);
        if helper.effect().is_none() {
            return Err(no_such(helper.name()));
        }
        let words = data.args.iter().map(|&v| match self.func.ty(v) {
            Ty::Any => 2,
            _ => 1,
        });
        count("words of operands", helper.args().len() - 1, words.sum())?;
        let types = vec![SLOT; data.args.len()];
        match helper.ret() {
            Word::Pair => self.check(i, &types, Some(ANY)),
            Word::I => self.check(i, &types, Some(TYPED)),
            Word::F => self.check(i, &types, Some(FLOAT)),
            Word::Void => self.check(i, &types, None),
        }
    }

    fn call(&self, i: Inst, result: Option<Types>) -> Check {
        let args = vec![VALUE; self.func.inst(i).args.len()];
        if args.is_empty() {
            count("operands of the call", 1, 0)?;
        }
        self.check(i, &args, result)?;
        self.operand(i, 0, LUAFN)
    }

    fn result_type(&self, i: Inst) -> Ty {
        self.func
            .inst(i)
            .result
            .map_or(Ty::None, |r| self.func.ty(r))
    }

    fn check(&self, i: Inst, args: &[Types], result: Option<Types>) -> Check {
        let data = self.func.inst(i);
        count("operands", args.len(), data.args.len())?;
        for (n, &types) in args.iter().enumerate() {
            self.operand(i, n, types)?;
        }
        let found = self.result_type(i);
        let (right, expected) = match result {
            Some(types) => (found != Ty::None && types.1(found), types.0),
            None => (found == Ty::None, "none"),
        };
        if right {
            Ok(())
        } else {
            Err(VerifyErrorKind::Type {
                what: "the result".into(),
                expected,
                found: found.name(),
            })
        }
    }

    fn operand(&self, i: Inst, n: usize, types: Types) -> Check {
        let v = self.func.inst(i).args[n];
        let ty = self.func.ty(v);
        if types.1(ty) {
            Ok(())
        } else {
            Err(VerifyErrorKind::Type {
                what: format!("operand {v}"),
                expected: types.0,
                found: ty.name(),
            })
        }
    }

    fn same(&self, i: Inst, a: usize, b: usize) -> Check {
        let args = &self.func.inst(i).args;
        let (a, b) = (self.func.ty(args[a]), self.func.ty(args[b]));
        if a == b {
            Ok(())
        } else {
            Err(VerifyErrorKind::Type {
                what: "the other operand".into(),
                expected: a.name(),
                found: b.name(),
            })
        }
    }

    /// Every register that a site or state lists as in the window was stored
    /// on every path to it: a forward problem over sets of registers.
    fn window(&self) -> Result<(), VerifyError> {
        let func = self.func;
        let n = func.blocks.len();
        let mut at_entry = vec![Regs::ALL; n];
        at_entry[0] = match func.entry_kind {
            EntryKind::Osr { .. } => Regs::ALL,
            EntryKind::Call => {
                // The entry of a vararg function lays out a new frame.
                let copied = if func.is_vararg { func.num_params } else { 0 };
                let mut regs = Regs::NONE;
                (0..copied).for_each(|r| regs.insert(r));
                regs
            }
        };
        let mut changed = true;
        while changed {
            changed = false;
            for &b in &self.cfg.order {
                let mut regs = at_entry[b.index()];
                for &i in &func.blocks[b.index()].insts {
                    regs.step(&func.inst(i).op);
                }
                for t in func.terminator(b).iter().flat_map(|t| &t.targets) {
                    let to = &mut at_entry[t.block.index()];
                    let new = to.and(regs);
                    changed |= new != *to;
                    *to = new;
                }
            }
        }
        for &b in &self.cfg.order {
            let mut regs = at_entry[b.index()];
            for &i in &func.blocks[b.index()].insts {
                let data = func.inst(i);
                let state = data
                    .state
                    .filter(|_| data.op.is_guard())
                    .map(|s| &func.states[s.index()])
                    // An inlined frame's window is not the function's.
                    .filter(|s| s.caller.is_none());
                let listed = data
                    .site
                    .iter()
                    // A poll stores its operands itself.
                    .filter(|_| data.op != Op::Poll)
                    .flat_map(|&s| func.roots_at(s))
                    .map(|r| u8::try_from(r).unwrap_or(u8::MAX))
                    .chain(state.iter().flat_map(|s| s.in_window.iter().copied()));
                if let Some(r) = listed.into_iter().find(|&r| !regs.contains(r)) {
                    return Err(error(func, b, Some(i), VerifyErrorKind::NotStored(r)));
                }
                regs.step(&data.op);
            }
        }
        Ok(())
    }
}

/// A set of registers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Regs([u128; 2]);

impl Regs {
    const ALL: Regs = Regs([u128::MAX; 2]);
    const NONE: Regs = Regs([0; 2]);

    fn insert(&mut self, r: u8) {
        self.0[r as usize / 128] |= 1 << (r % 128);
    }

    fn contains(&self, r: u8) -> bool {
        self.0[r as usize / 128] >> (r % 128) & 1 != 0
    }

    fn and(self, other: Regs) -> Regs {
        Regs([self.0[0] & other.0[0], self.0[1] & other.0[1]])
    }

    fn step(&mut self, op: &Op) {
        match op {
            Op::StoreReg(r) => self.insert(*r),
            // The callee's frame was there.
            Op::CallLua { a, .. } => {
                for r in *a..=u8::MAX {
                    self.0[r as usize / 128] &= !(1 << (r % 128));
                }
            }
            // Results, whose registers only the bytecode tells.
            Op::CallLuaMulti { a, .. } | Op::CallWindow { a, .. } | Op::CallTail { a, .. } => {
                (*a..=u8::MAX).for_each(|r| self.insert(r));
            }
            Op::InterpOne => *self = Regs::ALL,
            _ => {}
        }
    }
}

fn count(what: &'static str, expected: usize, found: usize) -> Check {
    if expected == found {
        Ok(())
    } else {
        Err(VerifyErrorKind::Count {
            what,
            expected,
            found,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    const GOOD: &str = "func \"f\" call params 2 stack 8
p0: proto 0x10
b0(v0: any, v1: any):
  v2: int = guard_tag.int v0 [fs0 type]
  v3: int = int 1
  v4: int = int_op.add v2, v3
  store_reg.2 v4
  poll v4 @s0
  v5: luafn = guard_tag.luafn v1 [fs1 type]
  v6: any = call_lua.4 v5, v4 @s1
  jump b1(v4)
b1(v7: int) loop:
  v8: bool = int_cmp.lt v7, v2
  branch v8, b1(v7), b2
b2:
  return v6
fs0: pc 1 regs r0=v0, r1=v1
fs1: pc 2 regs r0=v0 window r2
s0: pc 1 live r2
s1: pc 3 live r2
end
";

    #[test]
    fn a_good_function_passes() {
        verify(&parse(GOOD).unwrap()).unwrap();
    }

    /// Each change breaks one rule.
    #[test]
    fn broken_rules_are_found() {
        let cases = [
            (
                "store_reg.2 v4\n",
                "store_reg.2 v4\n  guard_polled [fs0 invalidated]\n",
                "guard_polled is right behind a poll",
            ),
            (
                "store_reg.2 v4\n",
                "store_reg.2 v4 [fs0 raised]\n",
                "only guards and call sites have a frame state",
            ),
            (
                "v4: int = int_op.add v2, v3",
                "v4: float = int_op.add v2, v3",
                "the result has type float, expected int",
            ),
            (
                "int_op.add v2, v3",
                "int_op.add v2, v0",
                "operand v0 has type any, expected int",
            ),
            (
                "int_op.add v2, v3",
                "int_op.add v2",
                "operands: expected 2, found 1",
            ),
            (
                "int_op.add v2, v3",
                "int_op.add v2, v7",
                "the definition of v7 does not dominate this use",
            ),
            (
                "int_op.add v2, v3",
                "int_op.add v2, v4",
                "the definition of v4 does not dominate this use",
            ),
            (
                "v5: luafn = guard_tag.luafn",
                "v5: luafn = guard_tag.table",
                "the result has type luafn, expected table",
            ),
            (
                "[fs0 type]",
                "[type]",
                "an instruction that may exit has a frame state and a reason",
            ),
            (
                "[fs0 type]",
                "[fs0]",
                "an instruction that may exit has a frame state and a reason",
            ),
            ("[fs0 type]", "[fs7 type]", "fs7 does not exist"),
            (
                "poll v4 @s0",
                "poll v4",
                "call sites and no other instructions have a site",
            ),
            (
                "store_reg.2 v4",
                "store_reg.2 v4 @s0",
                "call sites and no other instructions have a site",
            ),
            ("poll v4 @s0", "poll @s9", "s9 does not exist"),
            (
                "store_reg.2 v4",
                "store_reg.8 v4",
                "register 8 is outside the window",
            ),
            (
                "store_reg.2 v4",
                "store_reg.3 v4",
                "register 2 is listed as in the window, but there is a path on which it is not stored",
            ),
            ("poll v4 @s0", "poll @s0", "operands: expected 1, found 0"),
            (
                "call_lua.4 v5",
                "call_lua.4 v0",
                "operand v0 has type any, expected luafn",
            ),
            (
                "jump b1(v4)",
                "jump b1",
                "block arguments: expected 1, found 0",
            ),
            (
                "jump b1(v4)",
                "jump b1(v6)",
                "the argument v6 for v7 of b1 has type any, expected int",
            ),
            ("jump b1(v4)", "jump b9(v4)", "b9 does not exist"),
            (
                "branch v8, b1(v7), b2",
                "branch v8, b1(v7)",
                "targets: expected 2, found 1",
            ),
            ("  jump b1(v4)\n", "", "a block ends in its only terminator"),
            (
                "  jump b1(v4)\n",
                "  jump b1(v4)\n  return v0\n",
                "a block ends in its only terminator",
            ),
            ("window r2", "window r0", "the state gives register 0 twice"),
            (
                "fs1: pc 2 regs r0=v0",
                "fs1: pc 2 regs r0=v6",
                "the definition of v6 does not dominate this use",
            ),
            (
                "r0=v0, r1=v1",
                "r0=v0, r9=v1",
                "register 9 is outside the window",
            ),
            (
                "window r2",
                "window r2 caller fs1 closure v5 proto p0 at 3",
                "fs1 is its own caller",
            ),
            (
                "params 2",
                "params 1",
                "parameters of the entry block do not fit how the function is entered",
            ),
        ];
        for (from, to, message) in cases {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let e = verify(&parse(&text).unwrap()).expect_err(message);
            assert_eq!(e.kind.to_string(), message, "{e}");
        }
    }

    #[test]
    fn a_call_takes_the_window_above_it() {
        let text = GOOD
            .replace("call_lua.4", "call_lua.2")
            .replace("b2:\n", "b2:\n  interp_one @s1\n");
        let e = verify(&parse(&text).unwrap()).unwrap_err();
        assert_eq!(e.kind, VerifyErrorKind::NotStored(2));
    }

    #[test]
    fn guards_before_the_commit_need_no_state() {
        let text = "func \"f\" osr 3 params 0 stack 2
b0:
  v0: any = load_reg.0
  v1: int = guard_tag.int v0 [type]
  jump b1
b1:
  return v1
end
";
        verify(&parse(text).unwrap()).unwrap();
    }
}
