//! Side exits and call sites of a function as data.
//!
//! The description is computed once from the frame states and used by
//! whatever runs the function: the lowering to machine code and the MIR
//! interpreter. Constants, literals and values in the window cost an exit
//! nothing; a boxed value is taken apart, so that the box itself can vanish.

use crate::backend::CompileError;
use crate::ir::{Def, EntryKind, Func, Inst, Op, State, Ty, Val};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use vela_deopt::{CallSite, DeoptReason, ExitFrame, InlinedAt, SideExit, Source, VirtualObject};
use vela_objects::Tag;
use vela_objects::vm::EXIT_WORDS;

/// A value that an exit hands over: compiled code stores it to
/// `vm.exit_words[word]` as a 64-bit word; of a value of type [`Ty::Any`] the
/// payload, and its tag to `word + 1`. Floats are stored by their bits,
/// booleans as 0 or 1, objects by their address. All exits of a function have the
/// same words for a value, and list it in the same order: what most exits hand
/// over comes first. So what exits have in common is mostly where their lists begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExitWord {
    /// First word.
    pub word: u32,
    /// The value.
    pub val: Val,
}

/// All side exits and call sites of a function.
#[derive(Clone, Debug, Default)]
pub struct ExitPlan {
    /// Side exits by id.
    pub exits: Vec<SideExit>,
    /// By exit id: what to store before the exit helper is called. Nothing
    /// when the exit is before the commit of an OSR entry.
    pub stores: Vec<Vec<ExitWord>>,
    /// Call sites by id (the index in [`Func::sites`]).
    pub sites: Vec<CallSite>,
    /// By instruction index.
    exit_of: Vec<Option<u32>>,
}

impl ExitPlan {
    /// Computes the plan. Exits for the same reason to the same state are
    /// one. O(states × live registers).
    ///
    /// # Errors
    /// [`CompileError::TooLarge`] if an exit needs more than
    /// [`EXIT_WORDS`] words, [`CompileError::Bug`] if a guard has no state or
    /// a state has a value that no register can hold.
    pub fn new(func: &Func) -> Result<ExitPlan, CompileError> {
        let mut plan = ExitPlan {
            exit_of: vec![None; func.insts.len()],
            sites: func
                .sites
                .iter()
                .map(|s| CallSite {
                    pc: s.pc,
                    live: s.live.clone(),
                })
                .collect(),
            ..ExitPlan::default()
        };
        let mut known: FxHashMap<(Option<State>, DeoptReason, Option<u32>), u32> =
            FxHashMap::default();
        for b in func.reverse_postorder() {
            let before_commit = is_before_commit(func, b);
            for &i in &func.blocks[b.index()].insts {
                let data = func.inst(i);
                if !data.op.is_guard() && data.state.is_none() {
                    continue;
                }
                // The states of guards before the commit are not used.
                let state = if before_commit { None } else { data.state };
                if state.is_none() && !before_commit {
                    return Err(bug(format!("{i} may exit but has no frame state")));
                }
                let id = match known.get(&(state, data.reason, data.origin)) {
                    Some(&id) => id,
                    None => {
                        let id = plan.add(func, i, state)?;
                        known.insert((state, data.reason, data.origin), id);
                        id
                    }
                };
                plan.exit_of[i.index()] = Some(id);
            }
        }
        plan.place(func)?;
        Ok(plan)
    }

    /// The exit that an instruction takes, if it is a reachable guard, or a call
    /// site of protected code: there it is taken when an error is raised.
    #[must_use]
    pub fn exit(&self, inst: Inst) -> Option<u32> {
        self.exit_of.get(inst.index()).copied().flatten()
    }

    /// Gives the values that exits hand over their words and their order. If
    /// there are more values than words, each exit has words of its own.
    fn place(&mut self, func: &Func) -> Result<(), CompileError> {
        let mut uses: FxHashMap<Val, u32> = FxHashMap::default();
        for store in self.stores.iter().flatten() {
            *uses.entry(store.val).or_default() += 1;
        }
        let mut order: Vec<Val> = uses.keys().copied().collect();
        order.sort_by_key(|v| (Reverse(uses[v]), v.index()));
        let rank: FxHashMap<Val, usize> = order.iter().enumerate().map(|(i, &v)| (v, i)).collect();
        let width = |v: Val| if func.ty(v) == Ty::Any { 2 } else { 1 };
        let numbered = |vals: &mut dyn Iterator<Item = Val>| {
            let mut next = 0;
            let words = vals.map(|v| {
                next += width(v);
                (v, next - width(v))
            });
            let words: FxHashMap<Val, u32> = words.collect();
            (words, next as usize)
        };
        let (all, used) = numbered(&mut order.iter().copied());
        for (exit, stores) in self.exits.iter_mut().zip(&mut self.stores) {
            stores.sort_by_key(|s| rank[&s.val]);
            let own;
            let words = if used <= EXIT_WORDS {
                &all
            } else {
                let (words, used) = numbered(&mut stores.iter().map(|s| s.val));
                if used > EXIT_WORDS {
                    return Err(CompileError::TooLarge {
                        what: "the number of words of a side exit",
                        size: used,
                        limit: EXIT_WORDS,
                    });
                }
                own = words;
                &own
            };
            let mut moved = FxHashMap::default();
            for store in stores {
                moved.insert(store.word, words[&store.val]);
                store.word = words[&store.val];
            }
            renumber(exit, &moved);
        }
        Ok(())
    }

    fn add(&mut self, func: &Func, inst: Inst, state: Option<State>) -> Result<u32, CompileError> {
        let mut words = Words::default();
        let mut frames = Vec::new();
        let mut next = state;
        while let Some(s) = next {
            let fs = func
                .states
                .get(s.index())
                .ok_or_else(|| bug(format!("{s} does not exist")))?;
            let mut regs = Vec::with_capacity(fs.regs.len() + fs.in_window.len());
            for &(r, v) in &fs.regs {
                regs.push((r, words.source(func, v)?));
            }
            regs.extend(fs.in_window.iter().map(|&r| (r, Source::InWindow)));
            regs.sort_by_key(|r| r.0);
            let inlined = match &fs.caller {
                None => None,
                Some(c) => Some(InlinedAt {
                    closure: words.source(func, c.closure)?,
                    a: c.a,
                    nvarargs: c.nvarargs,
                    tail: c.tail,
                }),
            };
            frames.push(ExitFrame {
                pc: fs.pc,
                regs,
                inlined,
            });
            if frames.len() > func.states.len() {
                return Err(bug(format!("{s} is its own caller")));
            }
            next = fs.caller.as_ref().map(|c| c.state);
        }
        frames.reverse();
        let data = func.inst(inst);
        let resumes = state.map_or(0, |s| func.states[s.index()].pc);
        self.exits.push(SideExit {
            reason: data.reason,
            origin: data.origin.unwrap_or(resumes),
            frames,
            top: state.and_then(|s| func.states[s.index()].top),
            objects: words.objects,
            before_commit: state.is_none(),
        });
        self.stores.push(words.stores);
        Ok(self.exits.len() as u32 - 1)
    }
}

/// Whether exits in this block mean that an OSR entry does not accept the
/// frame: those of the entry block, whose end is the commit.
#[must_use]
pub fn is_before_commit(func: &Func, block: crate::ir::Block) -> bool {
    matches!(func.entry_kind, EntryKind::Osr { .. }) && block == Func::ENTRY
}

/// Whether a test may make guard `i` fail although its condition holds. Not if
/// it asks whether the call or the helper before it gave a result: then its
/// state is what is so without one.
#[must_use]
pub fn may_provoke(func: &Func, i: Inst) -> bool {
    let asked = |v: Val| match func.vals[v.index()].def {
        Def::Inst(i) => Some(func.inst(i)),
        Def::Param(..) => None,
    };
    let data = func.inst(i);
    if data.op != Op::Guard {
        return true;
    }
    let outcome = asked(data.args[0])
        .filter(|not| not.op == Op::Not)
        .and_then(|not| asked(not.args[0]));
    outcome.is_none_or(|test| test.op != Op::HasTag(Tag::RET_NONE))
}

fn bug(text: String) -> CompileError {
    CompileError::Bug(text)
}

/// Puts what an exit finds in words into others.
fn renumber(exit: &mut SideExit, moved: &FxHashMap<u32, u32>) {
    let renumber = |source: &mut Source| {
        if let Source::Word { word, .. } | Source::Tagged { word } = source {
            *word = moved[word];
        }
    };
    for frame in &mut exit.frames {
        frame.regs.iter_mut().for_each(|(_, s)| renumber(s));
        if let Some(inlined) = &mut frame.inlined {
            renumber(&mut inlined.closure);
        }
    }
    for object in &mut exit.objects {
        match object {
            VirtualObject::Table { slots, .. } => slots.iter_mut().for_each(renumber),
            VirtualObject::Cell(content) => renumber(content),
            VirtualObject::Closure { parent, cells, .. } => {
                renumber(parent);
                cells.iter_mut().for_each(renumber);
            }
        }
    }
}

/// Words of one exit, numbered as they come until they are
/// [placed](ExitPlan::place).
#[derive(Default)]
struct Words {
    used: u32,
    stores: Vec<ExitWord>,
    known: FxHashMap<Val, Source>,
    objects: Vec<VirtualObject>,
}

impl Words {
    fn source(&mut self, func: &Func, v: Val) -> Result<Source, CompileError> {
        let v = unboxed(func, v);
        if let Some(&s) = self.known.get(&v) {
            return Ok(s);
        }
        let source = match (constant(func, v), func.ty(v)) {
            (Some(s), _) => s,
            _ if func.def_op(v).is_some_and(Op::is_virtual) => self.object(func, v)?,
            (None, Ty::Any) => {
                let word = self.used;
                self.used += 2;
                self.stores.push(ExitWord { word, val: v });
                Source::Tagged { word }
            }
            (None, ty) => {
                let tag = ty
                    .tag()
                    .ok_or_else(|| bug(format!("{v} of type {} is in a frame state", ty.name())))?;
                let word = self.used;
                self.used += 1;
                self.stores.push(ExitWord { word, val: v });
                Source::Word { word, tag }
            }
        };
        self.known.insert(v, source);
        Ok(source)
    }

    /// An object that the exit makes, with those that it names before it.
    fn object(&mut self, func: &Func, v: Val) -> Result<Source, CompileError> {
        let Def::Inst(i) = func.vals[v.index()].def else {
            return Err(bug(format!("{v} is no virtual object")));
        };
        let data = func.inst(i);
        let mut sources = Vec::with_capacity(data.args.len());
        for &part in &data.args {
            if func.ty(part) != Ty::Ptr {
                sources.push(self.source(func, part)?);
            }
        }
        let object = match (&data.op, data.args.first().and_then(|&a| func.def_op(a))) {
            (Op::VirtualTable, Some(Op::Literal(shape))) => VirtualObject::Table {
                shape: shape.0,
                slots: sources,
            },
            (Op::VirtualCell, _) => VirtualObject::Cell(sources[0]),
            (Op::VirtualClosure(n), _) => VirtualObject::Closure {
                parent: sources.remove(0),
                child: *n,
                cells: sources,
            },
            _ => return Err(bug(format!("{v} is no virtual object"))),
        };
        self.objects.push(object);
        Ok(Source::Object(self.objects.len() as u32 - 1))
    }
}

/// What a value holds, with the boxes around it taken off.
#[must_use]
pub fn unboxed(func: &Func, mut v: Val) -> Val {
    while let crate::ir::Def::Inst(i) = func.vals[v.index()].def
        && func.inst(i).op == Op::Box
    {
        v = func.inst(i).args[0];
    }
    v
}

fn constant(func: &Func, v: Val) -> Option<Source> {
    let ty = func.ty(v);
    if ty == Ty::Nil {
        return Some(NIL);
    }
    Some(match *func.def_op(v)? {
        Op::Int(i) => Source::Constant {
            tag: Tag::INT,
            payload: i as u64,
        },
        Op::Float(bits) => Source::Constant {
            tag: Tag::FLOAT,
            payload: bits,
        },
        Op::Bool(b) => Source::Constant {
            tag: Tag::BOOL,
            payload: u64::from(b),
        },
        Op::Literal(p) => Source::Literal {
            slot: p.0,
            tag: ty.tag()?,
        },
        Op::SelfClosure => Source::SelfClosure,
        _ => return None,
    })
}

const NIL: Source = Source::Constant {
    tag: Tag::NIL,
    payload: 0,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;
    use std::fmt::Write;

    /// `exits` guards one after the other, each on a state with as many values of its
    /// own, and two that all have.
    fn plan(exits: usize, own: usize) -> ExitPlan {
        let mut text = String::from("func \"f\" call params 2 stack 250\nb0(v0: any, v1: int):\n");
        let mut states = String::new();
        let mut next = 2;
        for n in 0..exits {
            let _ = write!(states, "fs{n}: pc 0 regs r0=v0, r1=v1");
            for r in 2..own + 2 {
                let _ = writeln!(text, "  v{next}: any = load_reg.{r}");
                let _ = write!(states, ", r{r}=v{next}");
                next += 1;
            }
            let _ = writeln!(text, "  v{next}: int = guard_tag.int v0 [fs{n} type]");
            let _ = writeln!(states);
            next += 1;
        }
        let func = parse(&format!("{text}  return_none\n{states}end\n")).expect("a function");
        ExitPlan::new(&func).expect("a plan")
    }

    fn words(stores: &[ExitWord]) -> Vec<u32> {
        stores.iter().map(|s| s.word).collect()
    }

    #[test]
    fn a_value_has_one_word_and_what_most_exits_have_comes_first() {
        let plan = plan(3, 2);
        let found: Vec<_> = plan.stores.iter().map(|s| words(s)).collect();
        assert_eq!(found, [[0, 2, 3, 5], [0, 2, 7, 9], [0, 2, 11, 13]]);
    }

    #[test]
    fn exits_have_words_of_their_own_where_there_are_too_many_values() {
        let plan = plan(4, 200);
        for stores in &plan.stores {
            let own = (0..200).map(|n| 3 + 2 * n);
            assert_eq!(
                words(stores),
                [0, 2].into_iter().chain(own).collect::<Vec<_>>()
            );
        }
    }
}
