//! Expressions.

use super::{Renderer, Signature};
use crate::ast::{ARITH, CMP, Expr, FIELDS, Kind, METHODS};

const STRINGS: [&str; 10] = [
    "abc",
    "",
    "x",
    "10",
    "hello world",
    "0x1F",
    " 7 ",
    "1e2",
    "A-b_C",
    "zz9",
];
const TYPES: [&str; 4] = ["number", "string", "nil", "table"];

/// Lua text of an integer literal.
fn int(i: i64) -> String {
    match i {
        i64::MIN => "math.mininteger".to_owned(),
        i if i < 0 => format!("({i})"),
        i => i.to_string(),
    }
}

/// Lua text of a float literal.
fn float(f: f64) -> String {
    if f.is_nan() {
        "(0/0)".to_owned()
    } else if f.is_infinite() {
        if f > 0.0 {
            "(1/0)".to_owned()
        } else {
            "(-1/0)".to_owned()
        }
    } else if f.is_sign_negative() {
        format!("({f:?})")
    } else {
        format!("{f:?}")
    }
}

impl Renderer {
    /// A variable of a kind, or a literal when none is in scope.
    pub(super) fn variable(&self, kind: Kind, index: u8) -> String {
        if let Some(v) = self.lookup(kind, index, false) {
            return v.name.clone();
        }
        match kind {
            Kind::Num => int(i64::from(index % 8)),
            Kind::Str => format!("\"{}\"", STRINGS[usize::from(index) % STRINGS.len()]),
            Kind::Bool => index.is_multiple_of(2).to_string(),
            Kind::Arr => "({1, 2, 3})".to_owned(),
            Kind::Rec => "({x = 1})".to_owned(),
            Kind::Obj if self.classes > 0 => {
                format!("C{}.new(3, 4)", usize::from(index) % self.classes + 1)
            }
            Kind::Obj => "({x = 1, y = 2})".to_owned(),
            Kind::Fun => "math.abs".to_owned(),
        }
    }

    /// An operand of a string operation: never a float, whose text may show the sign of a NaN.
    pub(super) fn string(&mut self, e: &Expr) -> String {
        let text = self.expr(e);
        match e {
            Expr::Str(_)
            | Expr::Var(Kind::Str, _)
            | Expr::ToStr(_)
            | Expr::StrFn(..)
            | Expr::Concat(_) => text,
            _ => format!("str({text})"),
        }
    }

    /// A value for a parameter: the given number expression, or a variable of another kind.
    fn argument(&mut self, kind: Kind, given: Option<&Expr>) -> String {
        match (kind, given) {
            (Kind::Num, Some(e)) => self.expr(e),
            (Kind::Num, None) => self.variable(Kind::Num, 0),
            // A function in scope might be too dear; this one is not.
            (Kind::Fun, _) => "function(q) return q end".to_owned(),
            (kind, Some(Expr::Int(i))) => self.variable(kind, i.to_le_bytes()[0]),
            (kind, Some(Expr::Var(_, v))) => self.variable(kind, *v),
            (kind, _) => self.variable(kind, 0),
        }
    }

    fn arguments(&mut self, s: &Signature, index: u8, args: &[Expr]) -> String {
        let mut texts = Vec::new();
        if s.recursive {
            texts.push((index % 3 + 1).to_string());
        }
        for (i, kind) in s.params.iter().enumerate() {
            texts.push(self.argument(*kind, args.get(i)));
        }
        if s.vararg {
            for e in args.iter().skip(s.params.len()) {
                texts.push(self.expr(e));
            }
        }
        texts.join(", ")
    }

    /// A call of a function in scope, if one is there and affordable.
    pub(super) fn call(&mut self, index: u8, args: &[Expr]) -> Option<String> {
        let callee = self.lookup(Kind::Fun, index, false)?.clone();
        let signature = callee.signature?;
        if !self.charge(signature.cost + 1) {
            return None;
        }
        let args = self.arguments(&signature, index, args);
        Some(format!("{}({args})", callee.name))
    }

    pub(super) fn self_call(&mut self, args: &[Expr]) -> Option<String> {
        let frame = self.frame();
        if frame.mult != 1 || frame.self_calls >= 2 {
            return None;
        }
        let (name, params) = frame.recursion.clone()?;
        frame.self_calls += 1;
        let mut texts = vec!["d - 1".to_owned()];
        for (i, param) in params.iter().enumerate() {
            // Parameters of other kinds are handed on.
            let number = param.starts_with('n');
            match args.get(i) {
                Some(e) if number => texts.push(self.expr(e)),
                _ => texts.push(param.clone()),
            }
        }
        Some(format!("{name}({})", texts.join(", ")))
    }

    fn object_operator(&mut self, op: u8, object: u8, e: &Expr, left: bool) -> String {
        if self.classes == 0 {
            return self.expr(e);
        }
        let o = self.variable(Kind::Obj, object);
        if op == 15 {
            let arg = self.expr(e);
            return format!("({o}({arg}))");
        }
        let (text, other) = match op {
            12 => ("..", self.string(e)),
            13 => ("<", self.expr(e)),
            14 => ("==", self.expr(e)),
            op => (ARITH[usize::from(op) % ARITH.len()], self.expr(e)),
        };
        if left {
            format!("({o} {text} {other})")
        } else {
            format!("({other} {text} {o})")
        }
    }

    fn string_function(&mut self, f: u8, e: &Expr, i: i8, j: i8) -> String {
        let s = self.string(e);
        let small = i.rem_euclid(4);
        match f % 14 {
            0 => format!("string.upper({s})"),
            1 => format!("string.lower({s})"),
            2 => format!("string.reverse({s})"),
            3 => format!("string.sub({s}, {i}, {j})"),
            4 => format!("string.rep({s}, {small})"),
            5 => format!("(string.gsub({s}, \"%a\", \"<%0>\"))"),
            6 => format!("(string.gsub({s}, \"(%w)(%w)\", \"%2%1\"))"),
            // A parameter may hold anything, whose address would show.
            7 => format!("string.format(\"%s|%5.3s\", str({s}), str({s}))"),
            8 => format!("(string.byte({s}, {i}))"),
            9 => format!("(string.find({s}, \"[%d_]\", {i}))"),
            10 => format!("({s}):sub({i})"),
            11 => format!("(string.gsub({s}, \"%d\", function(c) return c + {small} end))"),
            12 => format!("string.match({s}, \"%d+\")"),
            _ => format!("string.format(\"%03d\", #({s}))"),
        }
    }

    fn math_function(&mut self, f: u8, a: &Expr, b: &Expr) -> String {
        let x = self.expr(a);
        match f % 14 {
            0 => format!("math.floor({x})"),
            1 => format!("math.ceil({x})"),
            2 => format!("math.abs({x})"),
            3 => format!("math.max({x}, {})", self.expr(b)),
            4 => format!("math.min({x}, {})", self.expr(b)),
            5 => format!("math.fmod({x}, {})", self.expr(b)),
            6 => format!("math.sqrt({x})"),
            7 => format!("math.tointeger({x})"),
            8 => format!("math.type({x})"),
            9 => format!("math.ult({x}, {})", self.expr(b)),
            10 => format!("(math.modf({x}))"),
            11 => format!("math.sin({x})"),
            12 => format!("math.exp({x})"),
            _ => format!("math.floor(({x}) / 2)"),
        }
    }

    fn infix(&mut self, a: &Expr, op: &str, b: &Expr) -> String {
        let a = self.expr(a);
        let b = self.expr(b);
        format!("({a} {op} {b})")
    }

    /// Text of an expression that may stand anywhere.
    pub(super) fn expr(&mut self, e: &Expr) -> String {
        match e {
            Expr::Nil => "nil".to_owned(),
            Expr::Bool(b) => b.to_string(),
            Expr::Int(i) => int(*i),
            Expr::Float(f) => float(*f),
            Expr::Str(s) => format!("\"{}\"", STRINGS[usize::from(*s) % STRINGS.len()]),
            Expr::Var(kind, index) => self.variable(*kind, *index),
            Expr::Arith(op, a, b) => self.infix(a, ARITH[usize::from(*op) % ARITH.len()], b),
            Expr::Neg(a) => format!("(-({}))", self.expr(a)),
            Expr::BNot(a) => format!("(~({}))", self.expr(a)),
            Expr::Not(a) => format!("(not {})", self.expr(a)),
            Expr::LenStr(a) => format!("#({})", self.string(a)),
            Expr::LenArr(v) => format!("#{}", self.variable(Kind::Arr, *v)),
            Expr::Cmp(op, a, b) => self.infix(a, CMP[usize::from(*op) % CMP.len()], b),
            Expr::And(a, b) => self.infix(a, "and", b),
            Expr::Or(a, b) => self.infix(a, "or", b),
            Expr::Choose(c, a, b) => {
                let c = self.expr(c);
                let a = self.expr(a);
                let b = self.expr(b);
                format!("({c} and {a} or {b})")
            }
            Expr::Concat(parts) => {
                let parts: Vec<String> = parts.iter().map(|p| self.string(p)).collect();
                format!("({})", parts.join(" .. "))
            }
            Expr::ToStr(a) => format!("str({})", self.expr(a)),
            Expr::StrFn(f, a, i, j) => self.string_function(*f, a, *i, *j),
            Expr::MathFn(f, a, b) => self.math_function(*f, a, b),
            Expr::ToNumber(a) => format!("(tonumber({}) or 2)", self.string(a)),
            Expr::TypeIs(kind, v, t) => format!(
                "(type({}) == \"{}\")",
                self.variable(*kind, *v),
                TYPES[usize::from(*t) % TYPES.len()]
            ),
            Expr::Field(kind, v, f) => match self.lookup(*kind, *v, false) {
                // The first two fields are there as a rule; the others need a default.
                Some(var) if f % 4 < 2 => format!("{}.{}", var.name, FIELDS[usize::from(f % 4)]),
                Some(var) => format!("({}.{} or 1)", var.name, FIELDS[usize::from(f % 4)]),
                None => self.variable(Kind::Num, *v),
            },
            Expr::Index(v, i) => {
                let plain = matches!(**i, Expr::Int(_) | Expr::Var(..));
                let i = self.expr(i);
                match self.lookup(Kind::Arr, *v, false) {
                    // A plain index may miss; a computed one is brought into the bounds.
                    Some(a) if plain && v % 8 == 0 => format!("{}[{i}]", a.name),
                    Some(a) if plain => format!("({}[{i}] or 1)", a.name),
                    Some(a) => format!("{0}[{i} % #{0} + 1]", a.name),
                    None => i,
                }
            }
            Expr::Call(f, args) => match self.call(*f, args) {
                Some(text) => text,
                None => self.variable(Kind::Num, *f),
            },
            Expr::SelfCall(args) => match self.self_call(args) {
                Some(text) => text,
                None => self.variable(Kind::Num, 1),
            },
            Expr::Method(o, m, arg) => {
                let cost = self.method_cost;
                if self.classes == 0 || !self.charge(cost + 1) {
                    return self.expr(arg);
                }
                let arg = self.expr(arg);
                let method = METHODS[usize::from(*m) % METHODS.len()];
                format!("{}:{method}({arg})", self.variable(Kind::Obj, *o))
            }
            Expr::ObjOp(op, o, e, left) => self.object_operator(*op, *o, e, *left),
            Expr::VarargCount if self.frame().vararg => "select(\"#\", ...)".to_owned(),
            Expr::VarargAt(n) if self.frame().vararg => format!("(select({}, ...))", n % 3 + 1),
            Expr::VarargCount => self.variable(Kind::Num, 0),
            Expr::VarargAt(n) => self.variable(Kind::Num, *n),
            Expr::TableConcat(v) => {
                format!("table.concat({}, \",\")", self.variable(Kind::Arr, *v))
            }
        }
    }
}
