//! Names, blocks, labels and upvalues while parsing.

use crate::ast::{Capture, Folded, FuncId, Label, LocalId, LocalKind, Upvalue};
use crate::error::SyntaxError;
use crate::intern::{BREAK, StrId};
use crate::parser::{Parser, Result};

/// Most local variables in scope in one function.
const MAX_LOCALS: usize = 200;
/// Most upvalues of one function.
const MAX_UPVALUES: usize = 255;

/// What a name refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Var {
    Local(LocalId),
    Upval(u8),
    Constant(Folded),
    Global,
}

/// A block being parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockScope {
    /// Locals of the function in scope outside of the block.
    active: usize,
    first_label: usize,
    first_goto: usize,
}

/// A function being parsed.
pub(crate) struct FuncScope {
    pub func: FuncId,
    /// Its first entry in [`Scopes::locals`].
    pub first_local: usize,
    /// How many of its locals are in scope; those after are only declared.
    pub active: usize,
    pub first_label: usize,
    /// Loops around the current statement.
    pub loops: u32,
    pub block: BlockScope,
}

#[derive(Clone, Copy)]
pub(crate) struct VisibleLabel {
    name: StrId,
    pub line: u32,
    pub id: u32,
}

struct PendingGoto {
    name: StrId,
    line: u32,
    active: usize,
    /// The `goto` to resolve; a `break` outside of any loop has none.
    index: Option<u32>,
}

#[derive(Default)]
pub(crate) struct Scopes {
    /// Locals declared in the functions being parsed.
    pub locals: Vec<(StrId, LocalId)>,
    pub functions: Vec<FuncScope>,
    pub labels: Vec<VisibleLabel>,
    gotos: Vec<PendingGoto>,
}

impl Scopes {
    /// The innermost function.
    pub fn current(&mut self) -> &mut FuncScope {
        // A chunk's own scope is opened before anything is parsed.
        self.functions.last_mut().expect("inside a function")
    }

    pub fn block_here(&self, active: usize) -> BlockScope {
        BlockScope {
            active,
            first_label: self.labels.len(),
            first_goto: self.gotos.len(),
        }
    }
}

impl Parser<'_> {
    /// Declares a local; it is in scope from the next [`Parser::activate`].
    pub fn declare(&mut self, name: StrId, kind: LocalKind) -> Result<LocalId> {
        let first = self.scopes.current().first_local;
        if self.scopes.locals.len() + 1 - first > MAX_LOCALS {
            return Err(self.limit_error("local variables", MAX_LOCALS));
        }
        let id = self.new_local_entry(name, kind);
        self.scopes.locals.push((name, id));
        Ok(id)
    }

    /// Brings the next `n` declared locals into scope.
    pub fn activate(&mut self, n: usize) {
        self.scopes.current().active += n;
    }

    fn limit_error(&mut self, what: &str, limit: usize) -> SyntaxError {
        let func = self.scopes.current().func;
        let place = match self.tree.functions[func.0 as usize].line {
            0 => "main function".to_owned(),
            line => format!("function at line {line}"),
        };
        self.error(&format!("too many {what} (limit is {limit}) in {place}"))
    }

    pub fn enter_block(&mut self) -> BlockScope {
        let active = self.scopes.current().active;
        let block = self.scopes.block_here(active);
        std::mem::replace(&mut self.scopes.current().block, block)
    }

    /// Leaves the block that [`Parser::enter_block`] returned `outer` for.
    pub fn leave_block(&mut self, outer: BlockScope) {
        let current = self.scopes.current();
        let block = std::mem::replace(&mut current.block, outer);
        current.active = block.active;
        let first_local = current.first_local;
        self.scopes.locals.truncate(first_local + block.active);
        self.scopes.labels.truncate(block.first_label);
        for goto in &mut self.scopes.gotos[block.first_goto..] {
            goto.active = block.active;
        }
    }

    // ---- labels ----

    pub fn pending_goto(&mut self, name: StrId, line: u32, index: Option<u32>) {
        let active = self.scopes.current().active;
        self.scopes.gotos.push(PendingGoto {
            name,
            line,
            active,
            index,
        });
    }

    /// The visible label of this name.
    pub fn find_label(&mut self, name: StrId) -> Option<VisibleLabel> {
        let first = self.scopes.current().first_label;
        self.scopes.labels[first..]
            .iter()
            .find(|l| l.name == name)
            .copied()
    }

    /// Creates a label here and resolves the block's jumps to it. At the end
    /// of a block the block's own locals count as out of scope.
    pub fn create_label(&mut self, name: StrId, line: u32, last: bool) -> Result<u32> {
        let current = self.scopes.current();
        let block = current.block;
        let first_local = current.first_local;
        let active = if last { block.active } else { current.active };
        let id = self.tree.labels.len() as u32;
        self.tree.labels.push(Label {
            active: active as u32,
        });
        self.scopes.labels.push(VisibleLabel { name, line, id });
        let mut i = block.first_goto;
        while i < self.scopes.gotos.len() {
            let goto = &self.scopes.gotos[i];
            if goto.name != name {
                i += 1;
                continue;
            }
            if goto.active < active {
                let local = self.scopes.locals[first_local + goto.active].0;
                let msg = format!(
                    "<goto {}> at line {} jumps into the scope of local '{}'",
                    self.text(name),
                    goto.line,
                    self.text(local)
                );
                return Err(self.lex.error_plain(&msg));
            }
            if let Some(index) = goto.index {
                self.tree.gotos[index as usize] = id;
            }
            self.scopes.gotos.remove(i);
        }
        Ok(id)
    }

    /// At the end of a function: jumps that found no label are errors.
    pub fn check_pending_gotos(&mut self) -> Result<()> {
        let first = self.scopes.current().block.first_goto;
        let Some(goto) = self.scopes.gotos.get(first) else {
            return Ok(());
        };
        let msg = if goto.name == BREAK {
            format!("break outside loop at line {}", goto.line)
        } else {
            format!(
                "no visible label '{}' for <goto> at line {}",
                self.text(goto.name),
                goto.line
            )
        };
        Err(self.lex.error_plain(&msg))
    }

    // ---- names ----

    /// What `name` refers to in the current function; captures it in all
    /// functions in between.
    pub fn resolve(&mut self, name: StrId) -> Result<Var> {
        let depth = self.scopes.functions.len() - 1;
        Ok(self.resolve_at(name, depth, true)?.0)
    }

    fn resolve_at(&mut self, name: StrId, depth: usize, own: bool) -> Result<(Var, LocalId)> {
        let scope = &self.scopes.functions[depth];
        let first = scope.first_local;
        let in_scope = &self.scopes.locals[first..first + scope.active];
        if let Some(&(_, id)) = in_scope.iter().rev().find(|(n, _)| *n == name) {
            let local = &mut self.tree.locals[id.0 as usize];
            if local.kind == LocalKind::Folded {
                return Ok((Var::Constant(local.value), id));
            }
            local.captured |= !own;
            return Ok((Var::Local(id), id));
        }
        let func = scope.func.0 as usize;
        let known = self.tree.functions[func]
            .upvalues
            .iter()
            .position(|u| u.name == name);
        if let Some(i) = known {
            let root = self.tree.functions[func].upvalues[i].root;
            return Ok((Var::Upval(i as u8), root));
        }
        if depth == 0 {
            return Ok((Var::Global, LocalId(0)));
        }
        let (found, root) = self.resolve_at(name, depth - 1, false)?;
        let capture = match found {
            Var::Local(id) => Capture::Local(id),
            Var::Upval(i) => Capture::Upval(i),
            other => return Ok((other, root)),
        };
        let index = self.add_upvalue_to(func, name, capture, root)?;
        Ok((Var::Upval(index), root))
    }

    /// Adds an upvalue to the innermost function.
    pub fn add_upvalue(&mut self, name: StrId, capture: Capture, root: LocalId) -> Result<u8> {
        let func = self.scopes.current().func.0 as usize;
        self.add_upvalue_to(func, name, capture, root)
    }

    fn add_upvalue_to(
        &mut self,
        func: usize,
        name: StrId,
        capture: Capture,
        root: LocalId,
    ) -> Result<u8> {
        let index = self.tree.functions[func].upvalues.len();
        if index >= MAX_UPVALUES {
            let place = match self.tree.functions[func].line {
                0 => "main function".to_owned(),
                line => format!("function at line {line}"),
            };
            return Err(self.error(&format!(
                "too many upvalues (limit is {MAX_UPVALUES}) in {place}"
            )));
        }
        self.tree.functions[func].upvalues.push(Upvalue {
            name,
            capture,
            root,
        });
        Ok(index as u8)
    }
}
