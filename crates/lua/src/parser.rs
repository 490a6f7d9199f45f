//! Statements: recursive descent over the token stream into the tree.
//!
//! Scopes, upvalues and labels are resolved on the way (see [`crate::scope`]),
//! so errors come in the order in which PUC Lua finds them.

use crate::ast::{
    Arm, Expr, ExprId, Folded, FuncId, Function, Item, LocalId, LocalKind, Node, Range, Stmt,
    StmtNode, Tree,
};
use crate::error::SyntaxError;
use crate::intern::{BREAK, ENV, FOR_STATE, StrId};
use crate::lexer::{Lexer, Tok, Word, token_name};
use crate::scope::{FuncScope, Scopes};

pub(crate) type Result<T> = std::result::Result<T, SyntaxError>;

/// Nesting of statements and expressions beyond this is an error: PUC Lua's
/// limit of 200 C calls, less those in use when a script calls `load`.
const MAX_LEVELS: u32 = 197;

/// What kind of suffixed expression was read, for assignments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suffixed {
    /// A local, upvalue, global or index: may be assigned.
    Variable,
    /// A call: may be a statement.
    Call,
    /// A name of a compile-time constant.
    Constant(StrId),
    /// Anything else.
    Value,
}

pub(crate) struct Parser<'s> {
    pub lex: Lexer<'s>,
    pub tree: Tree,
    pub scopes: Scopes,
    level: u32,
    pub expr_stack: Vec<ExprId>,
    pub item_stack: Vec<Item>,
    stmt_stack: Vec<StmtNode>,
    arm_stack: Vec<Arm>,
}

impl<'s> Parser<'s> {
    pub fn new(src: &'s [u8], chunk: &str) -> Self {
        Self {
            lex: Lexer::new(src, chunk),
            tree: Tree::default(),
            scopes: Scopes::default(),
            level: 0,
            expr_stack: Vec::new(),
            item_stack: Vec::new(),
            stmt_stack: Vec::new(),
            arm_stack: Vec::new(),
        }
    }

    /// Parses the whole chunk.
    pub fn chunk(mut self) -> Result<(Tree, Lexer<'s>)> {
        // The chunk's only upvalue belongs to a variable outside of it.
        let env = self.new_local_entry(ENV, LocalKind::Plain);
        self.tree.functions.push(Function {
            is_vararg: true,
            ..Function::default()
        });
        self.open_function(FuncId(0));
        self.add_upvalue(ENV, crate::ast::Capture::Upval(0), env)?;
        self.lex.advance()?;
        let block = self.statements()?;
        if self.lex.token.tok != Tok::Eos {
            return Err(self.expected(Tok::Eos));
        }
        self.tree.functions[0].end_line = self.lex.last_line;
        self.close_function(FuncId(0), block)?;
        Ok((self.tree, self.lex))
    }

    // ---- tokens ----

    #[inline]
    pub fn tok(&self) -> Tok {
        self.lex.token.tok
    }

    pub fn is_word(&self, word: Word) -> bool {
        self.tok() == Tok::Word(word)
    }

    pub fn error(&self, what: &str) -> SyntaxError {
        self.lex.error_near(what.as_bytes())
    }

    fn expected(&self, tok: Tok) -> SyntaxError {
        let mut what = token_name(tok);
        what.extend_from_slice(b" expected");
        self.lex.error_near(&what)
    }

    pub fn accept(&mut self, tok: Tok) -> Result<bool> {
        let yes = self.tok() == tok;
        if yes {
            self.lex.advance()?;
        }
        Ok(yes)
    }

    pub fn expect(&mut self, tok: Tok) -> Result<()> {
        if self.accept(tok)? {
            Ok(())
        } else {
            Err(self.expected(tok))
        }
    }

    /// Expects `what`, which closes `who` of line `line`.
    pub fn expect_match(&mut self, what: Tok, who: Tok, line: u32) -> Result<()> {
        if self.accept(what)? {
            return Ok(());
        }
        if line == self.lex.line {
            return Err(self.expected(what));
        }
        let mut msg = token_name(what);
        msg.extend_from_slice(b" expected (to close ");
        msg.extend_from_slice(&token_name(who));
        msg.extend_from_slice(format!(" at line {line})").as_bytes());
        Err(self.lex.error_near(&msg))
    }

    pub fn name(&mut self) -> Result<StrId> {
        match self.tok() {
            Tok::Name(id) => {
                self.lex.advance()?;
                Ok(id)
            }
            _ => Err(self.expected(Tok::Name(BREAK))),
        }
    }

    pub fn text(&self, id: StrId) -> String {
        String::from_utf8_lossy(self.lex.strings.get(id)).into_owned()
    }

    pub fn enter(&mut self) -> Result<()> {
        self.level += 1;
        if self.level > MAX_LEVELS {
            return Err(SyntaxError::new(b"C stack overflow".to_vec(), false));
        }
        Ok(())
    }

    pub fn leave(&mut self) {
        self.level -= 1;
    }

    pub fn push(&mut self, expr: Expr, line: u32) -> ExprId {
        let id = ExprId(self.tree.nodes.len() as u32);
        let after = self.lex.token.start as u32;
        self.tree.nodes.push(Node { expr, line, after });
        id
    }

    /// Moves the expressions pushed since `mark` into a list.
    pub fn take_list(&mut self, mark: usize) -> Range {
        let start = self.tree.lists.len() as u32;
        self.tree.lists.extend(self.expr_stack.drain(mark..));
        Range {
            start,
            len: self.tree.lists.len() as u32 - start,
        }
    }

    // ---- functions and blocks ----

    /// A function body from its parameter list to `end`.
    pub fn body(&mut self, is_method: bool, line: u32) -> Result<FuncId> {
        let id = FuncId(self.tree.functions.len() as u32);
        self.tree.functions.push(Function {
            line,
            ..Function::default()
        });
        self.open_function(id);
        self.expect(Tok::Char(b'('))?;
        let first = self.tree.locals.len() as u32;
        if is_method {
            self.declare(crate::intern::SELF, LocalKind::Plain)?;
        }
        let mut is_vararg = false;
        if self.tok() != Tok::Char(b')') {
            loop {
                match self.tok() {
                    Tok::Name(name) => {
                        self.lex.advance()?;
                        self.declare(name, LocalKind::Plain)?;
                    }
                    Tok::Dots => {
                        self.lex.advance()?;
                        is_vararg = true;
                    }
                    _ => return Err(self.error("<name> or '...' expected")),
                }
                if is_vararg || !self.accept(Tok::Char(b','))? {
                    break;
                }
            }
        }
        let len = self.tree.locals.len() as u32 - first;
        self.activate(len as usize);
        let f = &mut self.tree.functions[id.0 as usize];
        f.params = Range { start: first, len };
        f.is_vararg = is_vararg;
        self.expect(Tok::Char(b')'))?;
        let block = self.statements()?;
        let f = &mut self.tree.functions[id.0 as usize];
        f.last_line = self.lex.line;
        f.end_line = self.lex.line;
        self.expect_match(Tok::Word(Word::End), Tok::Word(Word::Function), line)?;
        self.close_function(id, block)?;
        Ok(id)
    }

    fn open_function(&mut self, id: FuncId) {
        let scope = FuncScope {
            func: id,
            first_local: self.scopes.locals.len(),
            active: 0,
            first_label: self.scopes.labels.len(),
            loops: 0,
            block: self.scopes.block_here(0),
        };
        self.scopes.functions.push(scope);
    }

    fn close_function(&mut self, id: FuncId, block: Range) -> Result<()> {
        self.tree.functions[id.0 as usize].block = block;
        self.check_pending_gotos()?;
        if let Some(scope) = self.scopes.functions.pop() {
            self.scopes.locals.truncate(scope.first_local);
            self.scopes.labels.truncate(scope.first_label);
        }
        Ok(())
    }

    /// Whether the current token ends a block.
    fn block_ends(&self, with_until: bool) -> bool {
        match self.tok() {
            Tok::Word(Word::Else | Word::ElseIf | Word::End) | Tok::Eos => true,
            Tok::Word(Word::Until) => with_until,
            _ => false,
        }
    }

    /// Statements up to the end of a block, without a scope of their own.
    fn statements(&mut self) -> Result<Range> {
        let mark = self.stmt_stack.len();
        while !self.block_ends(true) {
            let is_return = self.is_word(Word::Return);
            self.statement()?;
            if is_return {
                break;
            }
        }
        Ok(self.take_stmts(mark))
    }

    fn take_stmts(&mut self, mark: usize) -> Range {
        let start = self.tree.stmts.len() as u32;
        self.tree.stmts.extend(self.stmt_stack.drain(mark..));
        Range {
            start,
            len: self.tree.stmts.len() as u32 - start,
        }
    }

    fn block(&mut self) -> Result<Range> {
        let saved = self.enter_block();
        let range = self.statements()?;
        self.leave_block(saved);
        Ok(range)
    }

    /// A block whose `break`s leave this loop.
    fn loop_block(&mut self) -> Result<Range> {
        self.scopes.current().loops += 1;
        let range = self.block()?;
        self.scopes.current().loops -= 1;
        Ok(range)
    }

    // ---- statements ----

    fn emit(&mut self, stmt: Stmt, line: u32) {
        let end_line = self.lex.last_line;
        self.stmt_stack.push(StmtNode {
            stmt,
            line,
            end_line,
        });
    }

    fn statement(&mut self) -> Result<()> {
        let line = self.lex.line;
        self.enter()?;
        match self.tok() {
            Tok::Char(b';') => self.lex.advance()?,
            Tok::Word(Word::If) => self.if_statement(line)?,
            Tok::Word(Word::While) => {
                self.lex.advance()?;
                let condition = self.expr()?;
                self.expect(Tok::Word(Word::Do))?;
                let block = self.loop_block()?;
                self.expect_match(Tok::Word(Word::End), Tok::Word(Word::While), line)?;
                self.emit(Stmt::While { condition, block }, line);
            }
            Tok::Word(Word::Do) => {
                self.lex.advance()?;
                let block = self.block()?;
                self.expect_match(Tok::Word(Word::End), Tok::Word(Word::Do), line)?;
                self.emit(Stmt::Do(block), line);
            }
            Tok::Word(Word::For) => self.for_statement(line)?,
            Tok::Word(Word::Repeat) => self.repeat_statement(line)?,
            Tok::Word(Word::Function) => self.function_statement(line)?,
            Tok::Word(Word::Local) => {
                self.lex.advance()?;
                if self.accept(Tok::Word(Word::Function))? {
                    let name = self.name()?;
                    let var = self.declare(name, LocalKind::Plain)?;
                    self.activate(1);
                    let func_line = self.lex.line;
                    let func = self.body(false, func_line)?;
                    self.emit(Stmt::LocalFunction { var, func }, line);
                } else {
                    self.local_statement(line)?;
                }
            }
            Tok::DbColon => {
                self.lex.advance()?;
                let name = self.name()?;
                self.label_statement(name, line)?;
            }
            Tok::Word(Word::Return) => {
                self.lex.advance()?;
                let exprs = if self.block_ends(true) || self.tok() == Tok::Char(b';') {
                    Range::default()
                } else {
                    self.expr_list()?
                };
                self.emit(Stmt::Return(exprs), line);
                self.accept(Tok::Char(b';'))?;
            }
            Tok::Word(Word::Break) => {
                self.lex.advance()?;
                if self.scopes.current().loops == 0 {
                    self.pending_goto(BREAK, line, None);
                }
                self.emit(Stmt::Break, line);
            }
            Tok::Word(Word::Goto) => {
                self.lex.advance()?;
                let goto_line = self.lex.line;
                let name = self.name()?;
                let index = self.tree.gotos.len() as u32;
                let target = self.find_label(name).map(|l| l.id);
                self.tree.gotos.push(target.unwrap_or(0));
                if target.is_none() {
                    self.pending_goto(name, goto_line, Some(index));
                }
                self.emit(Stmt::Goto(index), line);
            }
            _ => self.expr_statement(line)?,
        }
        self.leave();
        Ok(())
    }

    fn if_statement(&mut self, line: u32) -> Result<()> {
        let mark = self.arm_stack.len();
        let mut otherwise = None;
        loop {
            self.lex.advance()?;
            let condition = self.expr()?;
            let arm_line = self.lex.line;
            self.expect(Tok::Word(Word::Then))?;
            let block = self.block()?;
            self.arm_stack.push(Arm {
                condition,
                block,
                line: arm_line,
            });
            if !self.is_word(Word::ElseIf) {
                break;
            }
        }
        if self.accept(Tok::Word(Word::Else))? {
            otherwise = Some(self.block()?);
        }
        self.expect_match(Tok::Word(Word::End), Tok::Word(Word::If), line)?;
        let start = self.tree.arms.len() as u32;
        self.tree.arms.extend(self.arm_stack.drain(mark..));
        let arms = Range {
            start,
            len: self.tree.arms.len() as u32 - start,
        };
        self.emit(Stmt::If { arms, otherwise }, line);
        Ok(())
    }

    fn repeat_statement(&mut self, line: u32) -> Result<()> {
        self.lex.advance()?;
        self.scopes.current().loops += 1;
        let saved = self.enter_block();
        let block = self.statements()?;
        self.expect_match(Tok::Word(Word::Until), Tok::Word(Word::Repeat), line)?;
        let condition = self.expr()?;
        self.leave_block(saved);
        self.scopes.current().loops -= 1;
        self.emit(Stmt::Repeat { block, condition }, line);
        Ok(())
    }

    fn for_statement(&mut self, line: u32) -> Result<()> {
        let saved = self.enter_block();
        self.lex.advance()?;
        let name = self.name()?;
        let stmt = match self.tok() {
            Tok::Char(b'=') => {
                let hidden = self.declare(FOR_STATE, LocalKind::Plain)?;
                self.declare(FOR_STATE, LocalKind::Plain)?;
                self.declare(FOR_STATE, LocalKind::Plain)?;
                self.declare(name, LocalKind::Plain)?;
                self.lex.advance()?;
                let mark = self.expr_stack.len();
                let start = self.expr()?;
                self.expr_stack.push(start);
                self.expect(Tok::Char(b','))?;
                let limit = self.expr()?;
                self.expr_stack.push(limit);
                if self.accept(Tok::Char(b','))? {
                    let step = self.expr()?;
                    self.expr_stack.push(step);
                }
                let exprs = self.take_list(mark);
                self.activate(3);
                let block = self.for_body(1)?;
                Stmt::NumFor {
                    hidden,
                    exprs,
                    block,
                }
            }
            Tok::Char(b',') | Tok::Word(Word::In) => {
                let hidden = self.declare(FOR_STATE, LocalKind::Plain)?;
                self.declare(FOR_STATE, LocalKind::Plain)?;
                self.declare(FOR_STATE, LocalKind::Plain)?;
                self.declare(FOR_STATE, LocalKind::ForClose)?;
                self.declare(name, LocalKind::Plain)?;
                let mut vars = 1;
                while self.accept(Tok::Char(b','))? {
                    let name = self.name()?;
                    self.declare(name, LocalKind::Plain)?;
                    vars += 1;
                }
                self.expect(Tok::Word(Word::In))?;
                let call_line = self.lex.line;
                let exprs = self.expr_list()?;
                self.activate(4);
                let block = self.for_body(vars)?;
                Stmt::GenFor {
                    hidden,
                    vars,
                    exprs,
                    block,
                    call_line,
                }
            }
            _ => return Err(self.error("'=' or 'in' expected")),
        };
        self.expect_match(Tok::Word(Word::End), Tok::Word(Word::For), line)?;
        self.leave_block(saved);
        self.emit(stmt, line);
        Ok(())
    }

    fn for_body(&mut self, vars: u32) -> Result<Range> {
        self.expect(Tok::Word(Word::Do))?;
        let saved = self.enter_block();
        self.activate(vars as usize);
        let block = self.loop_block()?;
        self.leave_block(saved);
        Ok(block)
    }

    fn function_statement(&mut self, line: u32) -> Result<()> {
        self.lex.advance()?;
        let (mut target, mut kind) = self.variable()?;
        let mut is_method = false;
        while !is_method && matches!(self.tok(), Tok::Char(b'.' | b':')) {
            is_method = self.tok() == Tok::Char(b':');
            target = self.field(target)?;
            kind = Suffixed::Variable;
        }
        let func = self.body(is_method, line)?;
        self.check_assignable(target, kind)?;
        self.emit(Stmt::Function { target, func }, line);
        Ok(())
    }

    fn local_statement(&mut self, line: u32) -> Result<()> {
        let first = self.tree.locals.len() as u32;
        let mut has_close = false;
        loop {
            let name = self.name()?;
            // the limit is checked before the attribute is read
            let var = self.declare(name, LocalKind::Plain)?;
            let kind = self.attribute()?;
            self.tree.locals[var.0 as usize].kind = kind;
            if kind == LocalKind::Close {
                if has_close {
                    return Err(self
                        .lex
                        .error_plain("multiple to-be-closed variables in local list"));
                }
                has_close = true;
            }
            if !self.accept(Tok::Char(b','))? {
                break;
            }
        }
        let vars = Range {
            start: first,
            len: self.tree.locals.len() as u32 - first,
        };
        let exprs = if self.accept(Tok::Char(b'='))? {
            self.expr_list()?
        } else {
            Range::default()
        };
        if vars.len == exprs.len {
            let last_expr = self.tree.lists[exprs.indices().end - 1];
            let last_var = vars.indices().end - 1;
            if self.tree.locals[last_var].kind == LocalKind::Const
                && let Some(value) = self.constant(last_expr)
            {
                self.tree.locals[last_var].kind = LocalKind::Folded;
                self.tree.locals[last_var].value = value;
            }
        }
        self.activate(vars.len as usize);
        self.emit(Stmt::Local { vars, exprs }, line);
        Ok(())
    }

    fn attribute(&mut self) -> Result<LocalKind> {
        if !self.accept(Tok::Char(b'<'))? {
            return Ok(LocalKind::Plain);
        }
        let name = self.name()?;
        self.expect(Tok::Char(b'>'))?;
        match self.lex.strings.get(name) {
            b"const" => Ok(LocalKind::Const),
            b"close" => Ok(LocalKind::Close),
            _ => {
                let msg = format!("unknown attribute '{}'", self.text(name));
                Err(self.lex.error_plain(&msg))
            }
        }
    }

    /// The value of an expression that is known already.
    fn constant(&self, id: ExprId) -> Option<Folded> {
        match self.tree.expr(id) {
            Expr::Nil => Some(Folded::Nil),
            Expr::Bool(b) => Some(Folded::Bool(b)),
            Expr::Int(i) => Some(Folded::Int(i)),
            Expr::Float(f) => Some(Folded::Float(f)),
            Expr::Str(s) => Some(Folded::Str(s)),
            _ => None,
        }
    }

    fn label_statement(&mut self, name: StrId, line: u32) -> Result<()> {
        self.expect(Tok::DbColon)?;
        let mark = self.stmt_stack.len();
        while matches!(self.tok(), Tok::Char(b';') | Tok::DbColon) {
            self.statement()?;
        }
        if let Some(old) = self.find_label(name) {
            let msg = format!(
                "label '{}' already defined on line {}",
                self.text(name),
                old.line
            );
            return Err(self.lex.error_plain(&msg));
        }
        let last = self.block_ends(false);
        let id = self.create_label(name, line, last)?;
        // Labels that follow name the same place: order is of no account.
        debug_assert!(
            self.stmt_stack[mark..]
                .iter()
                .all(|s| matches!(s.stmt, Stmt::Label(_)))
        );
        self.emit(Stmt::Label(id), line);
        Ok(())
    }

    fn expr_statement(&mut self, line: u32) -> Result<()> {
        let (first, kind) = self.suffixed()?;
        if matches!(self.tok(), Tok::Char(b'=' | b',')) {
            let mark = self.expr_stack.len();
            self.assignment(first, kind)?;
            let targets = self.take_list(mark);
            self.expect(Tok::Char(b'='))?;
            let exprs = self.expr_list()?;
            self.emit(Stmt::Assign { targets, exprs }, line);
            return Ok(());
        }
        if kind != Suffixed::Call {
            return Err(self.error("syntax error"));
        }
        self.emit(Stmt::Call(first), line);
        Ok(())
    }

    /// The targets of an assignment, pushed on the expression stack. Every
    /// target counts as a level of nesting, as in PUC Lua.
    fn assignment(&mut self, first: ExprId, kind: Suffixed) -> Result<()> {
        let (mut target, mut kind) = (first, kind);
        let mut levels = 0;
        loop {
            if !matches!(kind, Suffixed::Variable | Suffixed::Constant(_)) {
                return Err(self.error("syntax error"));
            }
            self.check_assignable(target, kind)?;
            self.expr_stack.push(target);
            if !self.accept(Tok::Char(b','))? {
                break;
            }
            (target, kind) = self.suffixed()?;
            self.enter()?;
            levels += 1;
        }
        self.level -= levels;
        Ok(())
    }

    /// Checks that a variable may be assigned and records that it is.
    fn check_assignable(&mut self, target: ExprId, kind: Suffixed) -> Result<()> {
        let root = match self.tree.expr(target) {
            _ if let Suffixed::Constant(name) = kind => return Err(self.read_only(name)),
            Expr::Local(id) => id,
            Expr::Upval(index) => {
                let func = self.scopes.current().func;
                self.tree.functions[func.0 as usize].upvalues[usize::from(index)].root
            }
            _ => return Ok(()),
        };
        let local = self.tree.local(root);
        if local.kind != LocalKind::Plain {
            return Err(self.read_only(local.name));
        }
        self.tree.locals[root.0 as usize].reassigned = true;
        Ok(())
    }

    fn read_only(&self, name: StrId) -> SyntaxError {
        let msg = format!("attempt to assign to const variable '{}'", self.text(name));
        self.lex.error_plain(&msg)
    }

    /// A variable by name, as an expression.
    pub fn variable(&mut self) -> Result<(ExprId, Suffixed)> {
        let line = self.lex.line;
        let name = self.name()?;
        match self.resolve(name)? {
            crate::scope::Var::Local(id) => {
                Ok((self.push(Expr::Local(id), line), Suffixed::Variable))
            }
            crate::scope::Var::Upval(i) => {
                Ok((self.push(Expr::Upval(i), line), Suffixed::Variable))
            }
            crate::scope::Var::Constant(value) => {
                Ok((self.push_folded(value, line), Suffixed::Constant(name)))
            }
            crate::scope::Var::Global => {
                let env = match self.resolve(ENV)? {
                    crate::scope::Var::Local(id) => Expr::Local(id),
                    crate::scope::Var::Upval(i) => Expr::Upval(i),
                    crate::scope::Var::Constant(value) => folded_expr(value),
                    // the chunk's own _ENV is always found
                    crate::scope::Var::Global => Expr::Nil,
                };
                let object = self.push(env, line);
                let key = self.push(Expr::Str(name), line);
                Ok((
                    self.push(Expr::Index { object, key }, line),
                    Suffixed::Variable,
                ))
            }
        }
    }

    fn push_folded(&mut self, value: Folded, line: u32) -> ExprId {
        self.push(folded_expr(value), line)
    }

    pub fn new_local_entry(&mut self, name: StrId, kind: LocalKind) -> LocalId {
        let id = LocalId(self.tree.locals.len() as u32);
        self.tree.locals.push(crate::ast::Local {
            name,
            kind,
            value: Folded::Nil,
            captured: false,
            reassigned: false,
        });
        id
    }
}

fn folded_expr(value: Folded) -> Expr {
    match value {
        Folded::Nil => Expr::Nil,
        Folded::Bool(b) => Expr::Bool(b),
        Folded::Int(i) => Expr::Int(i),
        Folded::Float(f) => Expr::Float(f),
        Folded::Str(s) => Expr::Str(s),
    }
}
