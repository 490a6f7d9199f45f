//! Statements.

use super::{Frame, Renderer, SMALL_LIMIT, Var};
use crate::ast::{ARITH, Expr, FIELDS, Func, Kind, METHODS, Range, Stmt, Thrown};

/// Steps of literal ranges.
const STEPS: [f64; 6] = [1.0, 2.0, -1.0, 0.5, 3.0, -0.25];

/// The parts of a loop besides its statements.
struct Loop<'a> {
    header: &'a str,
    footer: &'a str,
    /// The most iterations there can be.
    trips: u64,
    /// The loop's own variables.
    declare: &'a [(String, Kind)],
    /// A line before the statements.
    prologue: &'a str,
    /// The body gets a block of its own, so that the continue label does not stand in the scope of
    /// a local (`repeat` needs that).
    wrap: bool,
}

impl Renderer {
    pub(super) fn statements(&mut self, list: &[Stmt]) {
        for s in list {
            if self.charge(1) {
                self.statement(s);
            }
        }
    }

    /// A nested scope.
    pub(super) fn scoped(&mut self, body: &[Stmt]) {
        let mark = self.vars.len();
        self.statements(body);
        self.vars.truncate(mark);
    }

    /// A loop around the statements.
    fn looped(&mut self, parts: &Loop<'_>, body: &[Stmt]) {
        let Loop {
            header,
            footer,
            trips,
            declare,
            prologue,
            wrap,
        } = *parts;
        self.open(header);
        if !prologue.is_empty() {
            self.line(prologue);
        }
        if wrap {
            self.open("do");
        }
        let mark = self.vars.len();
        for (name, kind) in declare {
            self.declare(name, *kind, false);
        }
        self.next += 1;
        let label = self.next;
        let frame = self.frame();
        let mult = frame.mult;
        frame.mult = mult * trips.max(1);
        frame.continues.push((label, false));
        self.statements(body);
        self.vars.truncate(mark);
        let frame = self.frame();
        frame.mult = mult;
        let (_, used) = frame.continues.pop().expect("pushed above");
        if used {
            self.line(&format!("::continue{label}::"));
        }
        if wrap {
            self.close("end");
        }
        self.close(footer);
    }

    /// The most trips up to `wanted` that the account covers; 0 if none.
    pub(super) fn affordable(&mut self, wanted: u64) -> u64 {
        let f = self.frame();
        let left = f.limit.saturating_sub(f.cost) / f.mult.max(1);
        // Leave room for a few statements in the body.
        wanted.min(left / 3)
    }

    fn new_local(&mut self, kind: Kind, text: &str) {
        let name = self.fresh(kind);
        self.line(&format!("local {name} = {text}"));
        self.declare(&name, kind, true);
    }

    /// A value for a variable of a kind; strings are kept short.
    fn value(&mut self, kind: Kind, e: &Expr) -> String {
        let text = self.expr(e);
        match (kind, e) {
            (Kind::Str, Expr::Str(_) | Expr::Var(Kind::Str, _)) => text,
            (Kind::Str, _) => format!("clip({text})"),
            _ => text,
        }
    }

    fn assignable(&self, kind: Kind, index: u8) -> Option<String> {
        self.lookup(kind, index, true).map(|v| v.name.clone())
    }

    fn statement(&mut self, s: &Stmt) {
        match s {
            Stmt::Local(kind, e) => {
                let text = self.value(*kind, e);
                self.new_local(*kind, &text);
            }
            Stmt::Const(kind, e) => {
                let text = self.value(*kind, e);
                let name = self.fresh(*kind);
                self.line(&format!("local {name} <const> = {text}"));
                self.declare(&name, *kind, false);
            }
            Stmt::LocalTwo(kind, a, b) => {
                let a = self.value(*kind, a);
                let b = self.value(*kind, b);
                let (x, y) = (self.fresh(*kind), self.fresh(*kind));
                self.line(&format!("local {x}, {y} = {a}, {b}"));
                self.declare(&x, *kind, true);
                self.declare(&y, *kind, true);
            }
            Stmt::Assign(kind, v, e) => {
                let text = self.value(*kind, e);
                match self.assignable(*kind, *v) {
                    Some(name) => self.line(&format!("{name} = {text}")),
                    None => self.new_local(*kind, &text),
                }
            }
            Stmt::Update(v, op, e) => {
                let text = self.expr(e);
                match self.assignable(Kind::Num, *v) {
                    Some(name) => {
                        let op = ARITH[usize::from(*op) % ARITH.len()];
                        self.line(&format!("{name} = {name} {op} {text}"));
                    }
                    None => self.new_local(Kind::Num, &text),
                }
            }
            Stmt::AssignTwo(kind, a, b, x, y) => {
                let x = self.value(*kind, x);
                let y = self.value(*kind, y);
                if let (Some(a), Some(b)) = (self.assignable(*kind, *a), self.assignable(*kind, *b))
                    && a != b
                {
                    self.line(&format!("{a}, {b} = {x}, {y}"));
                }
            }
            Stmt::LocalArr(items) => {
                // An array never starts with a hole.
                let items: Vec<String> = items
                    .iter()
                    .map(|e| format!("{} or 0", self.expr(e)))
                    .collect();
                self.new_local(Kind::Arr, &format!("{{{}}}", items.join(", ")));
            }
            Stmt::LocalRec(fields) => {
                let mut texts = Vec::new();
                for (f, e) in fields {
                    let text = self.expr(e);
                    texts.push(format!(
                        "{} = {text}",
                        FIELDS[usize::from(*f) % FIELDS.len()]
                    ));
                }
                self.new_local(Kind::Rec, &format!("{{{}}}", texts.join(", ")));
            }
            Stmt::LocalObj(c, a, b) => {
                let a = self.expr(a);
                let b = self.expr(b);
                if self.classes > 0 {
                    let class = usize::from(*c) % self.classes + 1;
                    self.new_local(Kind::Obj, &format!("C{class}.new({a}, {b})"));
                } else {
                    self.new_local(Kind::Obj, &format!("{{x = {a}, y = {b}}}"));
                }
            }
            Stmt::LocalFun(func) => self.closure(func),
            Stmt::CallTwo(f, args) => {
                if let Some(text) = self.call(*f, args) {
                    let (x, y) = (self.fresh(Kind::Num), self.fresh(Kind::Num));
                    self.line(&format!("local {x}, {y} = {text}"));
                    // Most functions have one result only.
                    self.line(&format!("if {y} == nil then {y} = 1 end"));
                    self.declare(&x, Kind::Num, true);
                    self.declare(&y, Kind::Num, true);
                }
            }
            Stmt::CallOnly(f, args) => {
                if let Some(text) = self.call(*f, args) {
                    self.line(&text);
                }
            }
            Stmt::SetField(kind, v, f, e) => {
                let text = self.expr(e);
                if let Some(name) = self.lookup(*kind, *v, false).map(|v| v.name.clone()) {
                    let field = FIELDS[usize::from(*f) % FIELDS.len()];
                    self.line(&format!("{name}.{field} = {text}"));
                }
            }
            Stmt::SetIndex(v, i, e) => {
                let i = self.expr(i);
                let text = self.expr(e);
                if let Some(a) = self.lookup(Kind::Arr, *v, false).map(|v| v.name.clone()) {
                    self.line(&format!("{a}[{i} % #{a} + 1] = {text} or 0"));
                }
            }
            Stmt::Append(v, e) => {
                let text = self.expr(e);
                if let Some(a) = self.lookup(Kind::Arr, *v, false).map(|v| v.name.clone()) {
                    self.line(&format!("{a}[#{a} + 1] = {text}"));
                }
            }
            Stmt::Insert(v, i, e) => {
                let i = self.expr(i);
                let text = self.expr(e);
                if let Some(a) = self.lookup(Kind::Arr, *v, false).map(|v| v.name.clone()) {
                    self.line(&format!(
                        "table.insert({a}, {i} % (#{a} + 1) + 1, {text} or 0)"
                    ));
                }
            }
            Stmt::Remove(v) => {
                if let Some(a) = self.lookup(Kind::Arr, *v, false).map(|v| v.name.clone()) {
                    self.new_local(Kind::Num, &format!("table.remove({a}) or 1"));
                }
            }
            Stmt::Show(items) => {
                if self.charge(8) {
                    let texts: Vec<String> = items.iter().map(|e| self.expr(e)).collect();
                    self.line(&format!("show({})", texts.join(", ")));
                }
            }
            Stmt::Dump(kind, v) => {
                if self.charge(25) {
                    let name = self.variable(*kind, *v);
                    self.line(&format!("dump({name})"));
                }
            }
            Stmt::If(..)
            | Stmt::For(..)
            | Stmt::While(..)
            | Stmt::Repeat(..)
            | Stmt::Ipairs(..)
            | Stmt::Records(..)
            | Stmt::Pcall(_)
            | Stmt::Close(_)
            | Stmt::Do(_) => self.nested(s),
            Stmt::BreakIf(_)
            | Stmt::ContinueIf(_)
            | Stmt::ReturnIf(..)
            | Stmt::TailCallIf(..)
            | Stmt::ErrorIf(..) => self.jump(s),
            Stmt::Idiom(idiom) => self.template(idiom),
            Stmt::Holey(..) | Stmt::Captures(..) | Stmt::Sort(..) | Stmt::Polymorphic(..) => {
                self.idiom(s);
            }
        }
    }

    fn closure(&mut self, func: &Func) {
        let name = self.fresh(Kind::Fun);
        let left = self.affordable(SMALL_LIMIT);
        // A closure must not call what its own variable may later hold, so it sees no functions.
        let visible = self.hide_functions();
        let signature = self.function(
            &format!("local {name} = function"),
            None,
            func,
            None,
            left,
            "end",
        );
        self.vars = visible;
        self.vars.push(Var {
            name,
            kind: Kind::Fun,
            assignable: false,
            signature: Some(signature),
        });
    }

    fn jump(&mut self, s: &Stmt) {
        match s {
            Stmt::BreakIf(e) => {
                let text = self.expr(e);
                if !self.frame().continues.is_empty() {
                    self.line(&format!("if {text} then break end"));
                }
            }
            Stmt::ContinueIf(e) => {
                let text = self.expr(e);
                let frame = self.frame();
                let inside = frame.continues.len() > frame.goto_floor;
                if let (true, Some((label, used))) = (inside, frame.continues.last_mut()) {
                    *used = true;
                    let label = *label;
                    self.line(&format!("if {text} then goto continue{label} end"));
                }
            }
            Stmt::ReturnIf(c, results) => {
                let c = self.expr(c);
                let texts: Vec<String> = results.iter().map(|e| self.expr(e)).collect();
                self.line(&format!("if {c} then return {} end", texts.join(", ")));
            }
            Stmt::TailCallIf(c, f, args) => {
                let c = self.expr(c);
                if let Some(text) = self.call(*f, args) {
                    self.line(&format!("if {c} then return {text} end"));
                }
            }
            Stmt::ErrorIf(c, thrown) => {
                let c = self.expr(c);
                let text = match thrown {
                    Thrown::Message(n, level) => format!("\"e{n}\", {level}"),
                    Thrown::Value(e) => self.expr(e),
                    Thrown::Table(e) => format!("{{code = {}}}", self.expr(e)),
                };
                self.line(&format!("if {c} then error({text}) end"));
            }
            _ => unreachable!("only jumps are passed"),
        }
    }

    fn nested(&mut self, s: &Stmt) {
        match s {
            Stmt::If(arms, other) => {
                for (i, (cond, body)) in arms.iter().enumerate() {
                    let text = self.expr(cond);
                    if i == 0 {
                        self.open(&format!("if {text} then"));
                    } else {
                        self.indent -= 1;
                        self.open(&format!("elseif {text} then"));
                    }
                    self.scoped(body);
                }
                if let Some(body) = other {
                    self.indent -= 1;
                    self.open("else");
                    self.scoped(body);
                }
                self.close("end");
            }
            Stmt::For(range, body) => self.numeric_for(range, body),
            Stmt::While(k, cond, body) => {
                let trips = self.affordable(u64::from(*k));
                if trips > 0 {
                    self.next += 1;
                    let c = format!("c{}", self.next);
                    let text = self.expr(cond);
                    self.line(&format!("local {c} = 0"));
                    self.looped(
                        &Loop {
                            header: &format!("while {c} < {trips} and {text} do"),
                            footer: "end",
                            trips,
                            declare: &[],
                            prologue: &format!("{c} = {c} + 1"),
                            wrap: false,
                        },
                        body,
                    );
                }
            }
            Stmt::Repeat(k, cond, body) => {
                let trips = self.affordable(u64::from(*k));
                if trips > 0 {
                    self.next += 1;
                    let c = format!("c{}", self.next);
                    let text = self.expr(cond);
                    self.line(&format!("local {c} = 0"));
                    self.looped(
                        &Loop {
                            header: "repeat",
                            footer: &format!("until {c} >= {trips} or {text}"),
                            trips,
                            declare: &[],
                            prologue: &format!("{c} = {c} + 1"),
                            wrap: true,
                        },
                        body,
                    );
                }
            }
            Stmt::Ipairs(v, body) => {
                let trips = self.affordable(8);
                if trips > 0 {
                    let a = self.variable(Kind::Arr, *v);
                    let (k, e) = (self.fresh(Kind::Num), self.fresh(Kind::Num));
                    self.looped(
                        &Loop {
                            header: &format!("for {k}, {e} in ipairs({a}) do"),
                            footer: "end",
                            trips,
                            declare: &[(k.clone(), Kind::Num), (e.clone(), Kind::Num)],
                            // The body may append to the array.
                            prologue: &format!("if {k} > {trips} then break end"),
                            wrap: false,
                        },
                        body,
                    );
                }
            }
            Stmt::Records(k, e, swap, body) => {
                let trips = self.affordable(u64::from(*k));
                if trips > 0 && self.charge(trips * 4 + 25) {
                    let text = self.expr(e);
                    let i = self.fresh(Kind::Num);
                    let (sum, new) = (self.fresh(Kind::Rec), self.fresh(Kind::Rec));
                    self.line(&format!("local {sum} = {{x = 0, y = {text}}}"));
                    self.declare(&sum, Kind::Rec, true);
                    let mut prologue = format!(
                        "local {new} = {{x = {sum}.x, y = {i}}} {sum} = {{x = {i}, y = {new}.x}}"
                    );
                    if *swap {
                        prologue += &format!(" {sum}, {new} = {new}, {sum}");
                    }
                    self.looped(
                        &Loop {
                            header: &format!("for {i} = 1, {trips} do"),
                            footer: "end",
                            trips,
                            declare: &[(i.clone(), Kind::Num), (new.clone(), Kind::Rec)],
                            prologue: &prologue,
                            wrap: false,
                        },
                        body,
                    );
                    self.line(&format!("dump({sum})"));
                }
            }
            Stmt::Pcall(body) => {
                if self.charge(10) {
                    self.open("show(\"p\", pcall(function()");
                    self.inner_function(body);
                    self.close("end))");
                }
            }
            Stmt::Close(body) => {
                if self.charge(15) {
                    self.next += 1;
                    let name = format!("h{}", self.next);
                    self.open("do");
                    self.line(&format!("local {name} <close> = closer(\"{name}\")"));
                    let frame = self.frame();
                    let floor = std::mem::replace(&mut frame.goto_floor, frame.continues.len());
                    self.scoped(body);
                    self.frame().goto_floor = floor;
                    self.close("end");
                }
            }
            Stmt::Do(body) => {
                self.open("do");
                self.scoped(body);
                self.close("end");
            }
            _ => unreachable!("only statements with blocks are passed"),
        }
    }

    /// Statements of a function expression that is called exactly once at this place.
    fn inner_function(&mut self, body: &[Stmt]) {
        let outer = self.frame();
        let mut frame = Frame::new(outer.limit);
        frame.mult = outer.mult;
        frame.cost = outer.cost;
        self.frames.push(frame);
        self.scoped(body);
        let inner = self.frames.pop().expect("pushed above");
        self.frame().cost = inner.cost;
    }

    fn numeric_for(&mut self, range: &Range, body: &[Stmt]) {
        let i = self.fresh(Kind::Num);
        let (control, trips) = match range {
            Range::Literal { start, trips, step } => {
                let trips = self.affordable(u64::from(*trips));
                let step = STEPS[usize::from(*step) % STEPS.len()];
                #[expect(clippy::cast_precision_loss, reason = "trip counts are tiny")]
                let end = f64::from(*start) + step * (trips as f64 - 1.0);
                let control = if step.fract() == 0.0 {
                    format!("{start}, {end}, {step}")
                } else {
                    format!("{start}, {end:?}, {step:?}")
                };
                (control, trips)
            }
            Range::UpTo(e) => {
                let trips = self.affordable(6);
                (format!("1, {} % {}", self.expr(e), trips + 1), trips)
            }
            Range::DownFrom(e) => {
                let trips = self.affordable(6);
                (format!("{} % {}, 1, -1", self.expr(e), trips + 1), trips)
            }
            Range::NearMax => {
                let trips = self.affordable(3);
                (
                    format!(
                        "math.maxinteger - {}, math.maxinteger",
                        trips.saturating_sub(1)
                    ),
                    trips,
                )
            }
        };
        if trips > 0 || matches!(range, Range::Literal { trips: 0, .. }) {
            self.looped(
                &Loop {
                    header: &format!("for {i} = {control} do"),
                    footer: "end",
                    trips,
                    declare: &[(i.clone(), Kind::Num)],
                    prologue: "",
                    wrap: false,
                },
                body,
            );
        }
    }

    fn idiom(&mut self, s: &Stmt) {
        match s {
            Stmt::Holey(n, stride, e) => {
                let n = self.affordable(u64::from(*n)) / 2;
                if n == 0 || !self.charge(n * 3) {
                    return;
                }
                let text = self.expr(e);
                let sum = self.fresh(Kind::Num);
                self.line(&format!("local {sum} = 0"));
                self.open("do");
                self.line("local h = {}");
                self.line(&format!("for i = 1, {n} do h[i] = i end"));
                self.line(&format!(
                    "for i = 1, {n}, {stride} do h[i] = i % 2 == 0 and {text} or nil end"
                ));
                self.open(&format!("for i = 1, {n} do"));
                self.line("local v = h[i]");
                self.line(&format!(
                    "if type(v) == \"number\" then {sum} = {sum} + v end"
                ));
                self.close("end");
                self.close("end");
                self.declare(&sum, Kind::Num, true);
            }
            Stmt::Captures(k, e) => {
                let k = self.affordable(u64::from(*k));
                if k == 0 || !self.charge(k * 8) {
                    return;
                }
                let text = self.expr(e);
                let sum = self.fresh(Kind::Num);
                self.line(&format!("local {sum} = 0"));
                self.open("do");
                self.line("local fs = {}");
                self.open(&format!("for i = 1, {k} do"));
                self.line("local c = i");
                self.line("fs[i] = function(q) c = c + q return c + i end");
                self.close("end");
                self.line(&format!(
                    "for j = 1, 2 do for i = 1, {k} do {sum} = {sum} + fs[i]({text}) end end"
                ));
                self.close("end");
                self.declare(&sum, Kind::Num, true);
            }
            Stmt::Sort(n, m, descending) => {
                let n = self.affordable(u64::from(*n));
                if n == 0 || !self.charge(n * 8) {
                    return;
                }
                let op = if *descending { ">" } else { "<" };
                self.open("do");
                self.line("local q = {}");
                self.line(&format!("for i = 1, {n} do q[i] = i * {m} % 17 end"));
                self.line(&format!(
                    "table.sort(q, function(a, b) return a {op} b end)"
                ));
                self.line("show(table.concat(q, \" \"))");
                self.close("end");
            }
            Stmt::Polymorphic(k, m, e) => {
                let k = self.affordable(u64::from(*k));
                let cost = self.method_cost;
                if k == 0 || self.classes == 0 || !self.charge(k * (cost + 2)) {
                    return;
                }
                let text = self.expr(e);
                let method = METHODS[usize::from(*m) % METHODS.len()];
                let last = self.classes;
                let sum = self.fresh(Kind::Num);
                self.line(&format!("local {sum} = 0"));
                self.open("do");
                self.line(&format!(
                    "local os = {{C1.new(1, 2), C{last}.new(2.5, 1), C1.new(3)}}"
                ));
                self.open(&format!("for i = 1, {k} do"));
                self.line(&format!(
                    "{sum} = {sum} + (os[i % 3 + 1]:{method}({text}) or 0)"
                ));
                self.close("end");
                self.close("end");
                self.declare(&sum, Kind::Num, true);
            }
            _ => unreachable!("only idioms are passed"),
        }
    }
}
