//! The form in which test programs are generated.
//!
//! A program is context-free here: a variable is a [`Kind`] and a number, and the renderer
//! resolves the number among the variables of that kind that are in scope at that place. So every
//! tree that generation can produce renders to a valid program, and removing a
//! statement never makes another one invalid.

/// What a variable is expected to hold. Programs may break the expectation: late calls pass
/// values of other types on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An integer or a float.
    Num,
    /// A string.
    Str,
    /// A boolean.
    Bool,
    /// A sequence: never given a hole, so its length is specified.
    Arr,
    /// A table with a few named fields.
    Rec,
    /// An instance of one of the program's classes.
    Obj,
    /// A function of numbers.
    Fun,
}

/// Binary operators on numbers, in Lua's spelling.
pub const ARITH: [&str; 12] = [
    "+", "-", "*", "/", "//", "%", "^", "&", "|", "~", "<<", ">>",
];
/// Comparison operators, in Lua's spelling.
pub const CMP: [&str; 6] = ["<", "<=", "==", "~=", ">", ">="];
/// Names of record and object fields.
pub const FIELDS: [&str; 4] = ["x", "y", "z", "w"];
/// Names of methods that every class has.
pub const METHODS: [&str; 2] = ["m1", "m2"];

/// An expression. Indices are taken modulo what is available where the expression is rendered.
#[derive(Clone, Debug)]
pub enum Expr {
    /// `nil`
    Nil,
    /// `true` or `false`
    Bool(bool),
    /// An integer literal.
    Int(i64),
    /// A float literal.
    Float(f64),
    /// A string literal from the renderer's list.
    Str(u8),
    /// A variable in scope.
    Var(Kind, u8),
    /// `a op b` with an operator of [`ARITH`].
    Arith(u8, Box<Expr>, Box<Expr>),
    /// `-a`
    Neg(Box<Expr>),
    /// `~a`
    BNot(Box<Expr>),
    /// `not a`
    Not(Box<Expr>),
    /// `#` of a string expression.
    LenStr(Box<Expr>),
    /// `#` of an array variable.
    LenArr(u8),
    /// `a op b` with an operator of [`CMP`].
    Cmp(u8, Box<Expr>, Box<Expr>),
    /// `a and b`
    And(Box<Expr>, Box<Expr>),
    /// `a or b`
    Or(Box<Expr>, Box<Expr>),
    /// `c and a or b`
    Choose(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `a .. b .. c`
    Concat(Vec<Expr>),
    /// The harness's `str(e)`: `tostring` with the sign of NaN and addresses taken away.
    ToStr(Box<Expr>),
    /// A string library call on `e`: function number and two small integers.
    StrFn(u8, Box<Expr>, i8, i8),
    /// A math library call: function number and two arguments.
    MathFn(u8, Box<Expr>, Box<Expr>),
    /// `tonumber(e)`
    ToNumber(Box<Expr>),
    /// `type(v) == "..."`
    TypeIs(Kind, u8, u8),
    /// A field of a record or object variable.
    Field(Kind, u8, u8),
    /// An element of an array variable.
    Index(u8, Box<Expr>),
    /// A call of a function in scope with expressions of its parameters' kinds.
    Call(u8, Vec<Expr>),
    /// The enclosing recursive function, one level deeper.
    SelfCall(Vec<Expr>),
    /// A method call on an object variable.
    Method(u8, u8, Box<Expr>),
    /// An operator with an object operand: operator, object, other operand, object on the left.
    ObjOp(u8, u8, Box<Expr>, bool),
    /// `select("#", ...)`
    VarargCount,
    /// `(select(n, ...))`
    VarargAt(u8),
    /// `table.concat(a, ",")`
    TableConcat(u8),
}

/// How the control values of a numeric `for` are written.
#[derive(Clone, Debug)]
pub enum Range {
    /// Literal start, trip count and step.
    Literal {
        /// First value.
        start: i8,
        /// Iterations.
        trips: u8,
        /// Step number in the renderer's list (whole, negative and fractional ones).
        step: u8,
    },
    /// From 1 up to an expression modulo a small number.
    UpTo(Expr),
    /// From an expression modulo a small number down to 1.
    DownFrom(Expr),
    /// Ends at the largest integer: the loop must stop without wrapping around.
    NearMax,
}

/// A value raised by `error`.
#[derive(Clone, Debug)]
pub enum Thrown {
    /// A string, with the given level.
    Message(u8, u8),
    /// Any value: a number, nil, a boolean.
    Value(Expr),
    /// A table with a `code` field.
    Table(Expr),
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// `local v = e`
    Local(Kind, Expr),
    /// `local v <const> = e`
    Const(Kind, Expr),
    /// `local a, b = e1, e2`
    LocalTwo(Kind, Expr, Expr),
    /// `v = e`
    Assign(Kind, u8, Expr),
    /// `v = v op e`
    Update(u8, u8, Expr),
    /// `a, b = e1, e2` on two variables of a kind.
    AssignTwo(Kind, u8, u8, Expr, Expr),
    /// `local a = {e, ...}`
    LocalArr(Vec<Expr>),
    /// `local r = {x = e, ...}`
    LocalRec(Vec<(u8, Expr)>),
    /// `local o = Class.new(e1, e2)`
    LocalObj(u8, Expr, Expr),
    /// A closure that captures what is in scope.
    LocalFun(Box<Func>),
    /// `local a, b = f(...)`
    CallTwo(u8, Vec<Expr>),
    /// `f(...)` for its effects.
    CallOnly(u8, Vec<Expr>),
    /// `r.k = e`
    SetField(Kind, u8, u8, Expr),
    /// `a[e1] = e2` within the array's bounds.
    SetIndex(u8, Expr, Expr),
    /// `a[#a + 1] = e`
    Append(u8, Expr),
    /// `table.insert(a, pos, e)`
    Insert(u8, Expr, Expr),
    /// `local n = table.remove(a)`
    Remove(u8),
    /// `if ... elseif ... else ... end`
    If(Vec<(Expr, Vec<Stmt>)>, Option<Vec<Stmt>>),
    /// Numeric `for`.
    For(Range, Vec<Stmt>),
    /// `while` with a bounded number of iterations.
    While(u8, Expr, Vec<Stmt>),
    /// `repeat` with a bounded number of iterations.
    Repeat(u8, Expr, Vec<Stmt>),
    /// `for k, v in ipairs(a)`
    Ipairs(u8, Vec<Stmt>),
    /// `if e then break end` (in loops only)
    BreakIf(Expr),
    /// `if e then goto continue end` (in loops only)
    ContinueIf(Expr),
    /// `if e then return ... end`
    ReturnIf(Expr, Vec<Expr>),
    /// `if e then return f(...) end`: a tail call.
    TailCallIf(Expr, u8, Vec<Expr>),
    /// `if e then error(...) end`
    ErrorIf(Expr, Thrown),
    /// `pcall` of a closure around the statements, outcome shown.
    Pcall(Vec<Stmt>),
    /// A block with a to-be-closed variable.
    Close(Vec<Stmt>),
    /// A block of its own.
    Do(Vec<Stmt>),
    /// `show(e, ...)`
    Show(Vec<Expr>),
    /// Prints a table's fields sorted, and their traversal order.
    Dump(Kind, u8),
    /// An array that loses elements in a loop: length, stride, replacement value.
    Holey(u8, u8, Expr),
    /// Closures made in a loop, each with its own variable, called afterwards.
    Captures(u8, Expr),
    /// Records that live for one iteration, and one that is another in each: how often, a field's
    /// value, whether they change places, the statements.
    Records(u8, Expr, bool, Vec<Stmt>),
    /// A sort of integers with a comparator: length, multiplier, descending.
    Sort(u8, u8, bool),
    /// Objects of different classes in one array, a method called on each in a loop.
    Polymorphic(u8, u8, Expr),
    /// One of the idioms of `render/idioms.lua`.
    Idiom(Box<Idiom>),
}

/// An idiom with what fills its holes.
#[derive(Clone, Debug)]
pub struct Idiom {
    /// Its number.
    pub number: u8,
    /// Number of trips (low bits) and a small number (high bits).
    pub trips: u8,
    /// The trip at which something changes, and a comparison.
    pub change: u8,
    /// An operator of [`ARITH`].
    pub operator: u8,
    /// An expression that is expected to be a number.
    pub number_hole: Expr,
    /// An expression of any type.
    pub any_hole: Expr,
    /// Statements inside.
    pub body: Vec<Stmt>,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Func {
    /// Kinds of the parameters.
    pub params: Vec<Kind>,
    /// Takes `...` besides.
    pub vararg: bool,
    /// Takes a depth as first parameter and may call itself.
    pub recursive: bool,
    /// The body.
    pub body: Vec<Stmt>,
    /// The returned expressions.
    pub results: Vec<Expr>,
}

/// A class: a metatable with methods and metamethods.
#[derive(Clone, Debug)]
pub struct Class {
    /// Bodies of [`METHODS`].
    pub methods: [Func; 2],
    /// Operator of [`ARITH`] inside the arithmetic metamethods.
    pub op: u8,
    /// Arithmetic metamethods build objects (rather than numbers).
    pub boxed: bool,
    /// Variant of `__index`.
    pub index: u8,
    /// Variant of `__newindex`.
    pub newindex: u8,
    /// Inherits from the previous class, if there is one.
    pub derived: bool,
    /// `new` fills the fields in the other order (another shape).
    pub swapped: bool,
}

/// Calls with arguments of given flavours.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Number of calls.
    pub count: u8,
    /// Per parameter a number in the renderer's list of argument flavours for its kind.
    pub flavours: Vec<u8>,
}

/// How a driving loop calls its function.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// Each call under `pcall`.
    Protected,
    /// The whole loop under one `pcall`.
    LoopProtected,
    /// Through `xpcall` with a handler.
    Handler,
}

/// One thing the main chunk does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Calls a function in a loop, phase by phase.
    Drive(u8, How, Vec<Phase>),
    /// Defines a function anew.
    Redefine(u8, Box<Func>),
    /// Replaces a method of a class.
    Patch(u8, u8, Box<Func>),
    /// Changes a class's metamethods: class, variant.
    Metatable(u8, u8),
    /// Assigns a captured variable or a global of the main chunk.
    SetShared(u8, Expr),
    /// Statements of the main chunk itself.
    Run(Vec<Stmt>),
}

/// A whole program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Classes, in order of definition.
    pub classes: Vec<Class>,
    /// Functions and whether each is global; a function calls only earlier ones and itself.
    pub funcs: Vec<(Func, bool)>,
    /// What the main chunk does.
    pub steps: Vec<Step>,
}
