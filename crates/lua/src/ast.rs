//! The syntax tree, in arenas indexed by number.
//!
//! Names are resolved while parsing: the tree refers to locals by identity,
//! and once a function is parsed each of its locals knows whether an inner
//! function captures it. Nothing here is recursive, so dropping a tree of any
//! depth is a few deallocations.

use crate::intern::StrId;

/// Index of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExprId(pub u32);
/// Index of a local variable of the chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalId(pub u32);
/// Index of a function of the chunk; enclosing functions come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FuncId(pub u32);

/// A range of one of the arenas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub start: u32,
    pub len: u32,
}

impl Range {
    pub fn indices(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinOp {
    Add,
    Sub,
    Mul,
    Mod,
    Pow,
    Div,
    IDiv,
    BAnd,
    BOr,
    BXor,
    Shl,
    Shr,
    Concat,
    Eq,
    Lt,
    Le,
    Ne,
    Gt,
    Ge,
    And,
    Or,
}

impl BinOp {
    /// Left and right binding power.
    pub fn priority(self) -> (u8, u8) {
        match self {
            Self::Or => (1, 1),
            Self::And => (2, 2),
            Self::Eq | Self::Lt | Self::Le | Self::Ne | Self::Gt | Self::Ge => (3, 3),
            Self::BOr => (4, 4),
            Self::BXor => (5, 5),
            Self::BAnd => (6, 6),
            Self::Shl | Self::Shr => (7, 7),
            Self::Concat => (9, 8),
            Self::Add | Self::Sub => (10, 10),
            Self::Mul | Self::Mod | Self::Div | Self::IDiv => (11, 11),
            Self::Pow => (14, 13),
        }
    }

    pub fn is_comparison(self) -> bool {
        self.priority().0 == 3
    }

    pub fn is_arithmetic(self) -> bool {
        self.priority().0 > 3 && self != Self::Concat
    }

    pub fn is_bitwise(self) -> bool {
        matches!(
            self,
            Self::BAnd | Self::BOr | Self::BXor | Self::Shl | Self::Shr
        )
    }
}

/// Binding power of the unary operators.
pub(crate) const UNARY_PRIORITY: u8 = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnOp {
    Neg,
    BNot,
    Not,
    Len,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expr {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(StrId),
    Vararg,
    Local(LocalId),
    Upval(u8),
    Index {
        object: ExprId,
        key: ExprId,
    },
    Call {
        callee: ExprId,
        args: Range,
    },
    Method {
        object: ExprId,
        name: StrId,
        args: Range,
    },
    Function(FuncId),
    /// A constructor.
    Table {
        /// Its items, in order.
        items: Range,
        /// The line of its end.
        end_line: u32,
    },
    Binary {
        op: BinOp,
        lhs: ExprId,
        rhs: ExprId,
    },
    Unary {
        op: UnOp,
        operand: ExprId,
    },
    /// Parentheses that cut several values to one.
    Paren(ExprId),
}

impl Expr {
    /// Whether evaluating it only gets a value from somewhere.
    pub fn is_load(&self) -> bool {
        matches!(
            self,
            Expr::Nil
                | Expr::Bool(_)
                | Expr::Int(_)
                | Expr::Float(_)
                | Expr::Str(_)
                | Expr::Local(_)
                | Expr::Upval(_)
                | Expr::Index { .. }
        )
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub expr: Expr,
    /// Line of the operation: errors are reported at it.
    pub line: u32,
    /// Where the token after it starts.
    pub after: u32,
}

/// An item of a table constructor: with a key, or the next list element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub key: Option<ExprId>,
    pub value: ExprId,
    /// The line on which it is stored: behind the value if there is a key,
    /// behind the separator if not.
    pub line: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Arm {
    pub condition: ExprId,
    pub block: Range,
    pub line: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Stmt {
    /// `vars` is a range of locals.
    Local {
        vars: Range,
        exprs: Range,
    },
    LocalFunction {
        var: LocalId,
        func: FuncId,
    },
    Assign {
        targets: Range,
        exprs: Range,
    },
    Function {
        target: ExprId,
        func: FuncId,
    },
    Call(ExprId),
    Do(Range),
    While {
        condition: ExprId,
        block: Range,
    },
    Repeat {
        block: Range,
        condition: ExprId,
    },
    If {
        arms: Range,
        otherwise: Option<Range>,
    },
    /// `hidden` are the three state locals, the loop variable follows them.
    NumFor {
        hidden: LocalId,
        exprs: Range,
        block: Range,
    },
    /// `hidden` are the four state locals, `vars` loop variables follow them.
    GenFor {
        hidden: LocalId,
        vars: u32,
        exprs: Range,
        block: Range,
        /// Of the first expression: where errors of the iterator's calls are.
        call_line: u32,
    },
    Return(Range),
    Break,
    /// Index of a label.
    Goto(u32),
    /// Index of a label.
    Label(u32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct StmtNode {
    pub stmt: Stmt,
    /// Line of the first token.
    pub line: u32,
    /// Line of the last token.
    pub end_line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LocalKind {
    Plain,
    Const,
    Close,
    /// A compile-time constant: takes no register.
    Folded,
    /// The fourth state variable of a generic `for`.
    ForClose,
}

/// A value known while compiling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Folded {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(StrId),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    pub name: StrId,
    pub kind: LocalKind,
    /// Value of a [`LocalKind::Folded`] one.
    pub value: Folded,
    pub captured: bool,
    pub reassigned: bool,
}

/// Where a function finds an upvalue in its encloser.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Capture {
    Local(LocalId),
    Upval(u8),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Upvalue {
    pub name: StrId,
    pub capture: Capture,
    /// The variable itself.
    pub root: LocalId,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Function {
    pub line: u32,
    pub last_line: u32,
    /// Line of the last token; for the main chunk, too.
    pub end_line: u32,
    /// Range of locals.
    pub params: Range,
    pub is_vararg: bool,
    pub upvalues: Vec<Upvalue>,
    pub block: Range,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Label {
    /// Locals of the function in scope at the label.
    pub active: u32,
}

/// A whole chunk.
#[derive(Default)]
pub(crate) struct Tree {
    pub nodes: Vec<Node>,
    pub lists: Vec<ExprId>,
    pub items: Vec<Item>,
    pub arms: Vec<Arm>,
    pub stmts: Vec<StmtNode>,
    pub locals: Vec<Local>,
    pub labels: Vec<Label>,
    /// Label of each `goto`.
    pub gotos: Vec<u32>,
    pub functions: Vec<Function>,
}

impl Tree {
    pub fn node(&self, id: ExprId) -> Node {
        self.nodes[id.0 as usize]
    }

    pub fn expr(&self, id: ExprId) -> Expr {
        self.nodes[id.0 as usize].expr
    }

    pub fn local(&self, id: LocalId) -> &Local {
        &self.locals[id.0 as usize]
    }

    /// Whether the expression may give any number of values.
    pub fn is_multi(&self, id: ExprId) -> bool {
        matches!(
            self.expr(id),
            Expr::Call { .. } | Expr::Method { .. } | Expr::Vararg
        )
    }
}
