//! Expressions: precedence climbing, constructors, calls and folding.

use crate::ast::{BinOp, Expr, ExprId, Item, Range, UNARY_PRIORITY, UnOp};
use crate::fold;
use crate::lexer::{Tok, Word};
use crate::number::Number;
use crate::parser::{Parser, Result, Suffixed};

fn unary_op(tok: Tok) -> Option<UnOp> {
    Some(match tok {
        Tok::Word(Word::Not) => UnOp::Not,
        Tok::Char(b'-') => UnOp::Neg,
        Tok::Char(b'~') => UnOp::BNot,
        Tok::Char(b'#') => UnOp::Len,
        _ => return None,
    })
}

fn binary_op(tok: Tok) -> Option<BinOp> {
    Some(match tok {
        Tok::Char(c) => match c {
            b'+' => BinOp::Add,
            b'-' => BinOp::Sub,
            b'*' => BinOp::Mul,
            b'%' => BinOp::Mod,
            b'^' => BinOp::Pow,
            b'/' => BinOp::Div,
            b'&' => BinOp::BAnd,
            b'|' => BinOp::BOr,
            b'~' => BinOp::BXor,
            b'<' => BinOp::Lt,
            b'>' => BinOp::Gt,
            _ => return None,
        },
        Tok::IDiv => BinOp::IDiv,
        Tok::Shl => BinOp::Shl,
        Tok::Shr => BinOp::Shr,
        Tok::Concat => BinOp::Concat,
        Tok::Ne => BinOp::Ne,
        Tok::Eq => BinOp::Eq,
        Tok::Le => BinOp::Le,
        Tok::Ge => BinOp::Ge,
        Tok::Word(Word::And) => BinOp::And,
        Tok::Word(Word::Or) => BinOp::Or,
        _ => return None,
    })
}

impl Parser<'_> {
    pub fn expr(&mut self) -> Result<ExprId> {
        Ok(self.subexpr(0)?.0)
    }

    /// One or more expressions separated by commas.
    pub fn expr_list(&mut self) -> Result<Range> {
        let mark = self.expr_stack.len();
        self.push_exprs()?;
        Ok(self.take_list(mark))
    }

    fn push_exprs(&mut self) -> Result<()> {
        loop {
            let e = self.expr()?;
            self.expr_stack.push(e);
            if !self.accept(Tok::Char(b','))? {
                return Ok(());
            }
            self.loaded_here(e);
        }
    }

    /// PUC Lua loads constants, variables and fields when it knows what they are
    /// for, which may be a token later: the load belongs to that token's line.
    fn loaded_here(&mut self, e: ExprId) {
        let line = self.lex.last_line;
        let node = &mut self.tree.nodes[e.0 as usize];
        if node.expr.is_load() {
            node.line = line;
        }
    }

    /// An expression of operators that bind tighter than `limit`; also the
    /// operator that ended it.
    fn subexpr(&mut self, limit: u8) -> Result<(ExprId, Option<BinOp>)> {
        self.enter()?;
        let mut lhs = if let Some(op) = unary_op(self.tok()) {
            let line = self.lex.line;
            self.lex.advance()?;
            let (operand, _) = self.subexpr(UNARY_PRIORITY)?;
            let line = if op == UnOp::Not {
                self.lex.last_line
            } else {
                line
            };
            self.unary(op, operand, line)
        } else {
            self.simple()?
        };
        let mut next = binary_op(self.tok());
        while let Some(op) = next
            && op.priority().0 > limit
        {
            let mut line = self.lex.line;
            self.lex.advance()?;
            self.loaded_here(lhs);
            let (rhs, after) = self.subexpr(op.priority().1)?;
            if op.is_comparison() {
                line = self.lex.last_line;
            }
            lhs = self.binary(op, lhs, rhs, line);
            next = after;
        }
        self.leave();
        Ok((lhs, next))
    }

    fn number(&self, id: ExprId) -> Option<Number> {
        match self.tree.expr(id) {
            Expr::Int(i) => Some(Number::Int(i)),
            Expr::Float(f) => Some(Number::Float(f)),
            _ => None,
        }
    }

    /// The value of an operation on constants.
    fn push_number(&mut self, n: Number) -> ExprId {
        let expr = match n {
            Number::Int(i) => Expr::Int(i),
            Number::Float(f) => Expr::Float(f),
        };
        self.push(expr, self.lex.last_line)
    }

    fn unary(&mut self, op: UnOp, operand: ExprId, line: u32) -> ExprId {
        if op == UnOp::Not {
            match self.tree.expr(operand) {
                Expr::Nil | Expr::Bool(false) => return self.push(Expr::Bool(true), line),
                Expr::Bool(true) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_) => {
                    return self.push(Expr::Bool(false), line);
                }
                _ => {}
            }
        } else if let Some(n) = self.number(operand).and_then(|n| fold::unary(op, n)) {
            return self.push_number(n);
        }
        self.push(Expr::Unary { op, operand }, line)
    }

    fn binary(&mut self, op: BinOp, lhs: ExprId, rhs: ExprId, line: u32) -> ExprId {
        if op.is_arithmetic()
            && let (Some(a), Some(b)) = (self.number(lhs), self.number(rhs))
            && let Some(n) = fold::binary(op, a, b)
        {
            return self.push_number(n);
        }
        // A constant on the left decides `and` and `or` if it lets the right
        // side through.
        let through = matches!(
            (op, self.tree.expr(lhs)),
            (
                BinOp::And,
                Expr::Bool(true) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_)
            ) | (BinOp::Or, Expr::Nil | Expr::Bool(false))
        );
        if through {
            return self.single(rhs, line);
        }
        self.push(Expr::Binary { op, lhs, rhs }, line)
    }

    /// The expression cut to one value.
    fn single(&mut self, id: ExprId, line: u32) -> ExprId {
        if self.tree.is_multi(id) {
            self.push(Expr::Paren(id), line)
        } else {
            id
        }
    }

    fn simple(&mut self) -> Result<ExprId> {
        let line = self.lex.line;
        let expr = match self.tok() {
            Tok::Float(f) => Expr::Float(f),
            Tok::Int(i) => Expr::Int(i),
            Tok::Str(s) => Expr::Str(s),
            Tok::Word(Word::Nil) => Expr::Nil,
            Tok::Word(Word::True) => Expr::Bool(true),
            Tok::Word(Word::False) => Expr::Bool(false),
            Tok::Dots => {
                let func = self.scopes.current().func;
                if !self.tree.functions[func.0 as usize].is_vararg {
                    return Err(self.error("cannot use '...' outside a vararg function"));
                }
                Expr::Vararg
            }
            Tok::Char(b'{') => return self.constructor(),
            Tok::Word(Word::Function) => {
                self.lex.advance()?;
                let line = self.lex.line;
                let func = self.body(false, line)?;
                let end = self.lex.last_line;
                return Ok(self.push(Expr::Function(func), end));
            }
            _ => return Ok(self.suffixed()?.0),
        };
        self.lex.advance()?;
        Ok(self.push(expr, line))
    }

    fn primary(&mut self) -> Result<(ExprId, Suffixed)> {
        match self.tok() {
            Tok::Char(b'(') => {
                let line = self.lex.line;
                self.lex.advance()?;
                let inner = self.expr()?;
                self.expect_match(Tok::Char(b')'), Tok::Char(b'('), line)?;
                self.loaded_here(inner);
                Ok((self.single(inner, line), Suffixed::Value))
            }
            Tok::Name(_) => self.variable(),
            _ => Err(self.error("unexpected symbol")),
        }
    }

    /// `.name` or `:name` of `object`; the mark is current.
    pub fn field(&mut self, object: ExprId) -> Result<ExprId> {
        self.lex.advance()?;
        let line = self.lex.line;
        let name = self.name()?;
        let key = self.push(Expr::Str(name), line);
        Ok(self.push(Expr::Index { object, key }, line))
    }

    fn index_key(&mut self) -> Result<ExprId> {
        self.lex.advance()?;
        let key = self.expr()?;
        self.expect(Tok::Char(b']'))?;
        Ok(key)
    }

    /// A primary expression with its fields, indices and calls.
    pub fn suffixed(&mut self) -> Result<(ExprId, Suffixed)> {
        let (mut e, mut kind) = self.primary()?;
        loop {
            match self.tok() {
                Tok::Char(b'.') => {
                    e = self.field(e)?;
                    kind = Suffixed::Variable;
                }
                Tok::Char(b'[') => {
                    let key = self.index_key()?;
                    let line = self.lex.last_line;
                    e = self.push(Expr::Index { object: e, key }, line);
                    kind = Suffixed::Variable;
                }
                Tok::Char(b':') => {
                    self.lex.advance()?;
                    let name = self.name()?;
                    let line = self.lex.line;
                    let args = self.arguments()?;
                    let object = e;
                    e = self.push(Expr::Method { object, name, args }, line);
                    kind = Suffixed::Call;
                }
                Tok::Char(b'(' | b'{') | Tok::Str(_) => {
                    let line = self.lex.line;
                    let args = self.arguments()?;
                    e = self.push(Expr::Call { callee: e, args }, line);
                    kind = Suffixed::Call;
                }
                _ => return Ok((e, kind)),
            }
        }
    }

    fn arguments(&mut self) -> Result<Range> {
        let mark = self.expr_stack.len();
        let line = self.lex.line;
        match self.tok() {
            Tok::Char(b'(') => {
                self.lex.advance()?;
                if self.tok() != Tok::Char(b')') {
                    self.push_exprs()?;
                }
                self.expect_match(Tok::Char(b')'), Tok::Char(b'('), line)?;
                if let Some(&last) = self.expr_stack[mark..].last() {
                    self.loaded_here(last);
                }
            }
            Tok::Char(b'{') => {
                let table = self.constructor()?;
                self.expr_stack.push(table);
            }
            Tok::Str(s) => {
                self.lex.advance()?;
                let text = self.push(Expr::Str(s), line);
                self.expr_stack.push(text);
            }
            _ => return Err(self.error("function arguments expected")),
        }
        Ok(self.take_list(mark))
    }

    fn constructor(&mut self) -> Result<ExprId> {
        // The table is made on the line of the token before.
        let (line, start) = (self.lex.last_line, self.lex.line);
        let mark = self.item_stack.len();
        self.expect(Tok::Char(b'{'))?;
        while self.tok() != Tok::Char(b'}') {
            let key = match self.tok() {
                Tok::Name(name) if self.lex.peek()? == Tok::Char(b'=') => {
                    let line = self.lex.line;
                    self.lex.advance()?;
                    Some(self.push(Expr::Str(name), line))
                }
                Tok::Char(b'[') => Some(self.index_key()?),
                _ => None,
            };
            if key.is_some() {
                self.expect(Tok::Char(b'='))?;
            }
            let value = self.expr()?;
            let line = self.lex.last_line;
            self.item_stack.push(Item { key, value, line });
            if !self.accept(Tok::Char(b','))? && !self.accept(Tok::Char(b';'))? {
                break;
            }
            if key.is_none() {
                self.loaded_here(value);
                if let Some(item) = self.item_stack.last_mut() {
                    item.line = self.lex.last_line;
                }
            }
        }
        self.expect_match(Tok::Char(b'}'), Tok::Char(b'{'), start)?;
        let end_line = self.lex.last_line;
        if let Some(&Item {
            key: None, value, ..
        }) = self.item_stack[mark..].last()
        {
            self.loaded_here(value);
        }
        let start = self.tree.items.len() as u32;
        self.tree.items.extend(self.item_stack.drain(mark..));
        let items = Range {
            start,
            len: self.tree.items.len() as u32 - start,
        };
        Ok(self.push(Expr::Table { items, end_line }, line))
    }
}
