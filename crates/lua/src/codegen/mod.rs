//! The tree to prototypes.
//!
//! Functions are generated one at a time, enclosing functions first: a
//! closure needs to know the registers of its encloser's cells, and an
//! encloser needs nothing of its closures but their number. Recursion follows
//! the nesting that the parser bounds; chains that grow to the left without
//! nesting (`a + b + c`, `f().x.y()`, `a and b and c`) are walked in loops.

mod emit;
mod expr;
mod logic;
mod stmt;

use crate::ast::{Capture, FuncId, LocalId, LocalKind, Tree};
use crate::intern::{Interner, StrId};
use emit::Emitter;
use std::sync::Arc;
use vela_bytecode::{Instr, LocalVar, Op, Proto, UpvalDesc, UpvalSource};

/// Why code generation gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// More than 255 registers.
    Registers,
}

/// The limit and where it was hit.
pub(crate) struct Failure {
    pub limit: Limit,
    /// Start of the token after the expression that was too much.
    pub after: u32,
}

pub(crate) type Result<T> = std::result::Result<T, Limit>;

/// Where a local of the chunk lives; set when its declaration is generated.
#[derive(Clone, Copy, Default)]
pub(crate) struct Home {
    pub reg: u8,
    /// Register of the value that is closed at scope exit, if any.
    pub tbc: Option<u8>,
}

/// State shared by all functions of a chunk.
pub(crate) struct Chunk<'t> {
    tree: &'t Tree,
    strings: &'t mut Interner,
    homes: Vec<Home>,
    source: Arc<str>,
    /// Per interned string: the function (plus one) and constant index that
    /// last used it.
    string_constants: Vec<(u32, u32)>,
}

/// A loop being generated.
struct Loop {
    breaks: emit::Jumps,
    /// Locals in scope outside of the loop body.
    active: usize,
}

/// A label: its pc once placed, and the jumps that wait for it.
#[derive(Clone, Copy)]
struct LabelState {
    pc: Option<u32>,
    jumps: emit::Jumps,
}

/// The function being generated.
struct Gen<'c, 't> {
    chunk: &'c mut Chunk<'t>,
    tree: &'t Tree,
    func: FuncId,
    out: Emitter,
    /// Locals in scope, with their entry in the debug information.
    active: Vec<(LocalId, Option<usize>)>,
    loops: Vec<Loop>,
    labels: hashbrown::HashMap<u32, LabelState, std::hash::RandomState>,
    /// Left spine of the operators being generated.
    spine: Vec<crate::ast::ExprId>,
    /// Functions defined so far.
    children: Vec<FuncId>,
    /// [`Node::after`](crate::ast::Node::after) of the expression being evaluated.
    after: u32,
}

/// Generates the chunk's main function and everything inside it.
pub(crate) fn generate(
    tree: &Tree,
    strings: &mut Interner,
    chunk_name: &str,
) -> std::result::Result<Arc<Proto>, Failure> {
    let string_constants = vec![(0, 0); strings.len()];
    let mut chunk = Chunk {
        tree,
        strings,
        homes: vec![Home::default(); tree.locals.len()],
        source: Arc::from(chunk_name),
        string_constants,
    };
    let mut done: Vec<(Proto, Vec<FuncId>)> = Vec::with_capacity(tree.functions.len());
    for i in 0..tree.functions.len() {
        done.push(chunk.function(FuncId(i as u32))?);
    }
    // Inner functions have higher numbers: link them from the last to the first.
    let mut linked: Vec<Option<Arc<Proto>>> = vec![None; done.len()];
    while let Some((mut proto, children)) = done.pop() {
        proto.protos = children
            .iter()
            .filter_map(|c| linked[c.0 as usize].take())
            .collect();
        linked[done.len()] = Some(Arc::new(proto));
    }
    Ok(linked.swap_remove(0).unwrap_or_default())
}

impl Chunk<'_> {
    fn name(&mut self, id: StrId) -> Arc<str> {
        self.strings.shared_name(id)
    }

    fn function(&mut self, func: FuncId) -> std::result::Result<(Proto, Vec<FuncId>), Failure> {
        let tree = self.tree;
        let mut generator = Gen {
            tree,
            func,
            out: Emitter::new(),
            active: Vec::new(),
            loops: Vec::new(),
            labels: hashbrown::HashMap::default(),
            spine: Vec::new(),
            children: Vec::new(),
            after: 0,
            chunk: self,
        };
        if let Err(limit) = generator.function_body() {
            let after = generator.after;
            return Err(Failure { limit, after });
        }
        let (out, children) = (generator.out, generator.children);
        let f = &tree.functions[func.0 as usize];
        let mut upvals = Vec::with_capacity(f.upvalues.len());
        for u in &f.upvalues {
            upvals.push(UpvalDesc {
                name: Some(self.name(u.name)),
                source: match u.capture {
                    Capture::Local(id) => UpvalSource::ParentCell(self.homes[id.0 as usize].reg),
                    Capture::Upval(i) => UpvalSource::ParentUpval(i),
                },
                reassigned: tree.local(u.root).reassigned,
            });
        }
        let proto = Proto {
            source: self.source.clone(),
            line_defined: f.line,
            last_line: f.last_line,
            num_params: f.params.len as u8,
            is_vararg: f.is_vararg,
            max_stack: out.max_stack(),
            num_feedback: out.feedback_slots(),
            code: out.code,
            constants: out.constants,
            protos: Vec::new(),
            upvals,
            lines: out.lines,
            locals: out.locals,
        };
        Ok((proto, children))
    }
}

impl Gen<'_, '_> {
    fn function_body(&mut self) -> Result<()> {
        let f = &self.tree.functions[self.func.0 as usize];
        self.out.line = f.line.max(1);
        if f.is_vararg {
            self.out.emit(Instr::abcd(Op::VarargPrep, 0, 0, 0, 0));
        }
        self.out.reserve(f.params.len as usize)?;
        let captured = f.params.indices().any(|i| self.tree.locals[i].captured);
        if captured {
            for (reg, i) in f.params.indices().enumerate() {
                if self.tree.locals[i].captured {
                    self.out.new_cell(reg as u8, reg as u8);
                }
            }
        }
        for (reg, i) in f.params.indices().enumerate() {
            self.activate(LocalId(i as u32), reg as u8);
        }
        if !captured {
            // parameters are in scope from the first instruction on
            for local in &mut self.out.locals {
                local.start_pc = 0;
            }
        }
        let body = self.out.pc();
        self.statements(f.block)?;
        self.out.line = f.end_line;
        self.out.emit(Instr::abcd(Op::Return0, 0, 0, 0, 0));
        // making cells of parameters is no line's own work
        self.out.lines.merge(u32::from(f.is_vararg), body);
        self.deactivate(0);
        Ok(())
    }

    // ---- locals ----

    /// Brings a local into scope at the current pc, in this register.
    fn activate(&mut self, id: LocalId, reg: u8) {
        let local = *self.tree.local(id);
        let entry = if local.kind == LocalKind::Folded {
            None
        } else {
            self.chunk.homes[id.0 as usize].reg = reg;
            let name = self.chunk.name(local.name);
            self.out.locals.push(LocalVar {
                name,
                reg,
                start_pc: self.out.pc(),
                end_pc: self.out.pc(),
                in_cell: local.captured,
            });
            Some(self.out.locals.len() - 1)
        };
        self.active.push((id, entry));
    }

    /// Ends the scope of all locals but the first `level`.
    fn deactivate(&mut self, level: usize) {
        self.end_scopes(level);
        self.active.truncate(level);
    }

    /// Ends the locals from `level` on in the debug information only.
    fn end_scopes(&mut self, level: usize) {
        let pc = self.out.pc();
        for (_, entry) in self.active.iter_mut().skip(level) {
            if let Some(i) = entry.take() {
                self.out.locals[i].end_pc = pc;
            }
        }
    }

    /// The lowest register to be closed among the locals from `level` on.
    fn lowest_tbc(&self, level: usize) -> Option<u8> {
        self.active[level..]
            .iter()
            .find_map(|(id, _)| self.chunk.homes[id.0 as usize].tbc)
    }

    fn home(&self, id: LocalId) -> u8 {
        self.chunk.homes[id.0 as usize].reg
    }

    // ---- constants ----

    fn string_constant(&mut self, id: StrId) -> u32 {
        let stamp = self.func.0 + 1;
        let slot = self.chunk.string_constants[id.0 as usize];
        if slot.0 == stamp {
            return slot.1;
        }
        let bytes = self.chunk.strings.shared_bytes(id);
        let index = self.out.push_constant(vela_bytecode::Constant::Str(bytes));
        self.chunk.string_constants[id.0 as usize] = (stamp, index);
        index
    }
}
