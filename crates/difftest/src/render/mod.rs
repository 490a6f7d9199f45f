//! Turns a [`Program`] into Lua text that always terminates soon.
//!
//! The renderer resolves variable numbers in scope and keeps a cost account: every statement is
//! charged the product of the trip counts around it plus the cost of what it calls. What would
//! exceed the account is left out, so no program needs a run-time fuel counter (which would give
//! every loop the same shape). Numbers of iterations are bounded even where the bounds come from
//! run-time values.

mod expr;
mod idiom;
mod stmt;

use std::fmt::Write as _;

use crate::ast::{ARITH, Class, Func, How, Kind, METHODS, Phase, Program, Step};

/// Cost allowed for one call of a function.
const FUNC_LIMIT: u64 = 500;
/// Cost allowed for one activation of a recursive function.
const RECURSIVE_LIMIT: u64 = 30;
/// Activations of a recursive function: two self-calls at most, depth four at most.
const RECURSIVE_ACTIVATIONS: u64 = 31;
/// Cost allowed for one call of a nested closure or a method.
const SMALL_LIMIT: u64 = 60;
/// Cost allowed for the main chunk: a unit is about a tenth of a microsecond in PUC Lua.
const MAIN_LIMIT: u64 = 40_000;

/// What the renderer knows of a callable variable.
#[derive(Clone, Debug)]
struct Signature {
    params: Vec<Kind>,
    recursive: bool,
    vararg: bool,
    cost: u64,
}

#[derive(Clone, Debug)]
struct Var {
    name: String,
    kind: Kind,
    assignable: bool,
    signature: Option<Signature>,
}

/// State of the function being rendered.
#[derive(Clone, Debug)]
struct Frame {
    /// Product of the trip counts of the loops around this place.
    mult: u64,
    cost: u64,
    limit: u64,
    /// Inside a loop, the number of its continue label and whether a `goto` used it.
    continues: Vec<(u32, bool)>,
    /// Loops that were open where the innermost to-be-closed variable began:
    /// `goto` stays inside. PUC Lua 5.4.8 calls nil as the closing method when
    /// a `goto` leaves its block for a label behind another local.
    goto_floor: usize,
    vararg: bool,
    /// Name and parameters if it may call itself, and how many such calls it has.
    recursion: Option<(String, Vec<String>)>,
    self_calls: u32,
}

impl Frame {
    fn new(limit: u64) -> Self {
        Frame {
            mult: 1,
            cost: 0,
            limit,
            continues: Vec::new(),
            goto_floor: 0,
            vararg: false,
            recursion: None,
            self_calls: 0,
        }
    }
}

struct Renderer {
    out: String,
    indent: usize,
    vars: Vec<Var>,
    next: u32,
    frames: Vec<Frame>,
    classes: usize,
    method_cost: u64,
}

/// Lua source text of the program.
pub fn render(program: &Program) -> String {
    let mut r = Renderer {
        out: String::new(),
        indent: 0,
        vars: Vec::new(),
        next: 0,
        frames: vec![Frame::new(MAIN_LIMIT)],
        classes: 0,
        method_cost: SMALL_LIMIT,
    };
    r.program(program);
    r.out
}

impl Renderer {
    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn open(&mut self, text: &str) {
        self.line(text);
        self.indent += 1;
    }

    fn close(&mut self, text: &str) {
        self.indent -= 1;
        self.line(text);
    }

    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a frame is always open")
    }

    /// Charges a cost at the present loop depth; false if the account does not cover it.
    fn charge(&mut self, cost: u64) -> bool {
        let f = self.frame();
        let total = f.cost + cost * f.mult;
        if total > f.limit {
            return false;
        }
        f.cost = total;
        true
    }

    fn fresh(&mut self, kind: Kind) -> String {
        self.next += 1;
        let letter = match kind {
            Kind::Num => 'n',
            Kind::Str => 's',
            Kind::Bool => 'b',
            Kind::Arr => 'a',
            Kind::Rec => 'r',
            Kind::Obj => 'o',
            Kind::Fun => 'f',
        };
        format!("{letter}{}", self.next)
    }

    fn declare(&mut self, name: &str, kind: Kind, assignable: bool) {
        let signature = (kind == Kind::Fun).then(|| Signature {
            params: vec![Kind::Num],
            recursive: false,
            vararg: false,
            cost: 5,
        });
        self.vars.push(Var {
            name: name.to_owned(),
            kind,
            assignable,
            signature,
        });
    }

    /// The `index`-th variable of a kind, counted from the innermost one outwards.
    fn lookup(&self, kind: Kind, index: u8, assignable: bool) -> Option<&Var> {
        let matches = |v: &&Var| v.kind == kind && (v.assignable || !assignable);
        let count = self.vars.iter().filter(matches).count();
        if count == 0 {
            return None;
        }
        self.vars
            .iter()
            .rev()
            .filter(matches)
            .nth(usize::from(index) % count)
    }

    fn program(&mut self, p: &Program) {
        self.line("local u1, u2, u3 = 1, 2.5, \"s\"");
        self.line("G1 = 10");
        for (name, kind) in [
            ("u1", Kind::Num),
            ("G1", Kind::Num),
            ("u2", Kind::Num),
            ("u3", Kind::Str),
        ] {
            self.declare(name, kind, true);
        }
        if !p.classes.is_empty() {
            self.open("local function xof(v)");
            self.line("if type(v) == \"table\" then v = v.x end");
            self.line("if type(v) == \"table\" then return 1 end");
            self.line("return v");
            self.close("end");
        }
        for (i, class) in p.classes.iter().enumerate() {
            self.class(i, class);
        }
        let mut names = Vec::new();
        for (i, (func, global)) in p.funcs.iter().enumerate() {
            let name = format!("{}{}", if *global { 'F' } else { 'f' }, i + 1);
            let header = if *global {
                format!("function {name}")
            } else {
                format!("local function {name}")
            };
            let signature = self.function(&header, Some(&name), func, None, FUNC_LIMIT, "end");
            self.vars.push(Var {
                name: name.clone(),
                kind: Kind::Fun,
                assignable: false,
                signature: Some(signature.clone()),
            });
            names.push((name, signature));
        }
        for step in &p.steps {
            self.step(step, &names);
        }
        self.line("show(\"end\", u1, u2, u3, G1)");
    }

    fn step(&mut self, step: &Step, funcs: &[(String, Signature)]) {
        match step {
            Step::Drive(f, how, phases) => {
                let (name, signature) = &funcs[usize::from(*f) % funcs.len()];
                for phase in phases {
                    self.drive(name, signature, *how, phase);
                }
            }
            Step::Redefine(f, func) => {
                let (name, signature) = &funcs[usize::from(*f) % funcs.len()];
                // The new body must not call functions defined after the one it replaces.
                let visible = self.vars.len();
                let keep = self
                    .vars
                    .iter()
                    .position(|v| v.name == *name)
                    .expect("functions stay declared");
                let hidden = self.vars.split_off(keep);
                let limit = if signature.recursive {
                    signature.cost / RECURSIVE_ACTIVATIONS
                } else {
                    signature.cost.max(20)
                };
                self.function(
                    &format!("{name} = function"),
                    Some(name),
                    func,
                    Some(signature),
                    limit,
                    "end",
                );
                self.vars.extend(hidden);
                debug_assert_eq!(visible, self.vars.len());
            }
            Step::Patch(c, m, func) => {
                if self.classes == 0 {
                    return;
                }
                let class = usize::from(*c) % self.classes + 1;
                let method = METHODS[usize::from(*m) % METHODS.len()];
                let visible = self.hide_functions();
                self.method(&format!("C{class}.{method} = function"), func);
                self.vars = visible;
            }
            Step::Metatable(c, variant) => {
                if self.classes == 0 {
                    return;
                }
                let c = usize::from(*c) % self.classes + 1;
                let text = match variant % 8 {
                    0 => format!("C{c}.__add = nil"),
                    1 => format!("C{c}.__index = function(t, k) return rawget(C{c}, k) or 3 end"),
                    2 => format!("C{c}.__add = function(a, b) return 42 end"),
                    3 => format!("C{c}.__eq = nil"),
                    4 => format!("C{c}.m1 = nil"),
                    5 => format!("setmetatable(C{c}, nil)"),
                    6 => format!("C{c}.z = 5"),
                    _ => format!("C{c}.__lt, C{c}.__le = nil, nil"),
                };
                self.line(&text);
            }
            Step::SetShared(v, e) => {
                let name = ["u1", "G1", "u2"][usize::from(*v) % 3];
                // Errors of the main chunk would end the program: the assignment is protected.
                let text = self.expr(e);
                self.line(&format!("pcall(function() {name} = {text} end)"));
            }
            Step::Run(body) => {
                self.open("show(\"run\", pcall(function()");
                let mark = self.vars.len();
                let limit = 2_000.min(MAIN_LIMIT.saturating_sub(self.frame().cost));
                self.frames.push(Frame::new(limit));
                self.statements(body);
                let inner = self.frames.pop().expect("pushed above");
                self.frame().cost += inner.cost;
                self.vars.truncate(mark);
                self.close("end))");
            }
        }
    }

    fn drive(&mut self, name: &str, signature: &Signature, how: How, phase: &Phase) {
        let unit = signature.cost + 20;
        let left = self.frame().limit.saturating_sub(self.frame().cost);
        let count = u64::from(phase.count).min(left / unit);
        if count == 0 {
            return;
        }
        self.frame().cost += count * unit;
        let mut args = Vec::new();
        let flavour = |i: usize| phase.flavours.get(i).copied().unwrap_or(0);
        if signature.recursive {
            let whole = flavour(2) % 4 != 3;
            args.push(if whole {
                "i % 4".to_owned()
            } else {
                "i % 3 + 0.5".to_owned()
            });
        }
        for (i, kind) in signature.params.iter().enumerate() {
            args.push(self.flavour(*kind, flavour(i)));
        }
        if signature.vararg {
            args.push(
                ["i, nil, 'v'", "", "i * 0.5", "nil, nil"][usize::from(flavour(1)) % 4].to_owned(),
            );
            if args.last().is_some_and(String::is_empty) {
                args.pop();
            }
        }
        let args = args.join(", ");
        let sep = if args.is_empty() { "" } else { ", " };
        match how {
            How::Protected => self.line(&format!(
                "for i = 1, {count} do show(\"{name}\", i, pcall({name}{sep}{args})) end"
            )),
            How::Handler => self.line(&format!(
                "for i = 1, {count} do show(\"{name}\", i, xpcall({name}, \
                 function(e) return \"h:\" .. str(e) end{sep}{args})) end"
            )),
            How::LoopProtected => {
                self.open("show(pcall(function()");
                self.line("local sum = 0");
                self.open(&format!("for i = 1, {count} do"));
                self.line(&format!("local r1, r2 = {name}({args})"));
                self.line("show(r1, r2)");
                self.line("if type(r1) == \"number\" then sum = sum + r1 end");
                self.close("end");
                self.line("return sum");
                self.close("end))");
            }
        }
    }

    /// An argument of a kind in terms of the driving loop's `i`; low numbers are what the function
    /// expects, high ones are not.
    fn flavour(&self, kind: Kind, number: u8) -> String {
        let objects: [&str; 8] = match self.classes {
            0 => [
                "{x = i, y = 2}",
                "{y = 2, x = i}",
                "{x = i * 0.5, y = i}",
                "{x = i}",
                "nil",
                "{}",
                "i",
                "'s'",
            ],
            1 => [
                "C1.new(i, 2)",
                "C1.new(i * 0.5, i)",
                "{x = i, y = 2}",
                "C1.new(nil, 'a')",
                "nil",
                "{}",
                "i",
                "'s'",
            ],
            _ => [
                "C1.new(i, 2)",
                "C2.new(i, 2)",
                "(i % 2 == 0 and C1 or C2).new(i, i * 0.5)",
                "C1.new(i * 0.5, i)",
                "C2.new(nil, 'a')",
                "{x = i, y = 2}",
                "nil",
                "'s'",
            ],
        };
        let list: &[&str] = match kind {
            Kind::Num => &[
                "i",
                "i * 3 - 7",
                "i * 0.5",
                "i % 2 == 0 and i or i + 0.5",
                "-i",
                "math.maxinteger - i",
                "2^53 + i",
                "i / 0",
                "-0.0",
                "'1' .. i",
                "nil",
                "'x'",
                "i % 3 ~= 0 and i or nil",
                "true",
                "{}",
                objects[0],
                "i < 5 and i or 'x'",
                "math.mininteger + i",
            ],
            Kind::Str => &[
                "'abc'",
                "'k' .. i",
                "'a b 12 c'",
                "('xy'):rep(i)",
                "''",
                "i",
                "nil",
                "'0x10'",
                "{}",
                "i % 2 == 0 and 'e' or i",
                "' 7 '",
            ],
            Kind::Bool => &["i % 2 == 0", "true", "false", "nil", "0", "'false'"],
            Kind::Arr => &[
                "{1, 2, 3}",
                "{i, i + 1, i + 2, i + 3}",
                "{1.5, 2.5, i}",
                "{}",
                "{i, 'a', 2.5}",
                "{'a', 'b'}",
                "nil",
                "'str'",
                "{x = 1}",
                "{{}, {}}",
                objects[0],
            ],
            Kind::Rec => &[
                "{x = i, y = 2}",
                "{y = 1, x = i}",
                "{x = i * 0.5, y = 1.5, z = 0}",
                "{x = 'a', y = i}",
                "{}",
                objects[0],
                "nil",
                "i",
                "'str'",
                "{w = i, [0] = 1}",
            ],
            Kind::Obj => &objects,
            Kind::Fun => &[
                "function(q) return q + 1 end",
                "function(q) return q * 0.5 end",
                "function(q) u1 = u1 + 1 return q end",
                "i % 2 == 0 and math.abs or math.floor",
                "function() end",
                "nil",
                "tostring ~= nil and 5",
                "function(q) error('from f') end",
                "str",
            ],
        };
        list[usize::from(number) % list.len()].to_owned()
    }

    /// Renders a function from `header(params)` to `footer`. With a signature given, that one's
    /// parameters replace the function's own.
    fn function(
        &mut self,
        header: &str,
        self_name: Option<&str>,
        func: &Func,
        signature: Option<&Signature>,
        limit: u64,
        footer: &str,
    ) -> Signature {
        let params = signature.map_or(&func.params, |s| &s.params).clone();
        let recursive = signature.map_or(func.recursive, |s| s.recursive);
        let vararg = signature.map_or(func.vararg, |s| s.vararg);
        let limit = if recursive {
            limit.min(RECURSIVE_LIMIT)
        } else {
            limit
        };
        let mark = self.vars.len();
        let mut names: Vec<String> = Vec::new();
        let mut header = format!("{header}(");
        if recursive {
            header.push('d');
        }
        let mut declared = Vec::new();
        for kind in &params {
            let name = self.fresh(*kind);
            declared.push((name.clone(), *kind));
            names.push(name);
        }
        for name in &names {
            let _ = write!(
                header,
                "{}{name}",
                if header.ends_with('(') { "" } else { ", " }
            );
        }
        if vararg {
            header.push_str(if header.ends_with('(') {
                "..."
            } else {
                ", ..."
            });
        }
        header.push(')');
        self.open(&header);
        for (name, kind) in declared {
            self.declare(&name, kind, kind != Kind::Fun);
        }
        let mut frame = Frame::new(limit);
        frame.vararg = vararg;
        if recursive {
            frame.recursion = self_name.map(|n| (n.to_owned(), names));
        }
        self.frames.push(frame);
        if recursive {
            let base = self.variable(Kind::Num, 0);
            self.line(&format!("if d <= 0 then return {base} end"));
        }
        self.statements(&func.body);
        if recursive
            && self.frame().self_calls == 0
            && let Some(call) = self.self_call(&[])
        {
            self.line(&format!("local below = {call}"));
            self.declare("below", Kind::Num, true);
        }
        self.results(&func.results);
        let frame = self.frames.pop().expect("pushed above");
        self.vars.truncate(mark);
        self.close(footer);
        let activations = if recursive { RECURSIVE_ACTIVATIONS } else { 1 };
        Signature {
            params,
            recursive,
            vararg,
            cost: (frame.cost + 2) * activations,
        }
    }

    fn results(&mut self, results: &[crate::ast::Expr]) {
        let texts: Vec<String> = results.iter().map(|e| self.expr(e)).collect();
        if !texts.is_empty() {
            self.line(&format!("return {}", texts.join(", ")));
        }
    }

    /// Takes the functions out of scope and returns the scope as it was.
    fn hide_functions(&mut self) -> Vec<Var> {
        let all = self.vars.clone();
        self.vars.retain(|v| v.kind != Kind::Fun);
        all
    }

    /// A method with an explicit `self`. It calls neither functions nor methods.
    fn method(&mut self, header: &str, func: &Func) {
        let classes = std::mem::replace(&mut self.method_cost, u64::MAX / 1_000_000);
        let mark = self.vars.len();
        self.declare("self", Kind::Obj, false);
        let param = self.fresh(Kind::Num);
        self.open(&format!("{header}(self, {param})"));
        self.declare(&param, Kind::Num, true);
        self.frames.push(Frame::new(SMALL_LIMIT));
        self.statements(&func.body);
        self.results(&func.results);
        self.frames.pop();
        self.vars.truncate(mark);
        self.close("end");
        self.method_cost = classes;
    }

    fn class(&mut self, index: usize, class: &Class) {
        let c = format!("C{}", index + 1);
        if class.derived && index > 0 {
            self.line(&format!(
                "local {c} = setmetatable({{}}, {{__index = C{index}}})"
            ));
        } else {
            self.line(&format!("local {c} = {{}}"));
        }
        self.classes = index + 1;
        match class.index % 4 {
            0 => self.line(&format!("{c}.__index = {c}")),
            1 => self.line(&format!("{c}.__index = function(t, k) return {c}[k] end")),
            2 => {
                self.open(&format!("{c}.__index = function(t, k)"));
                self.line(&format!("local m = rawget({c}, k)"));
                self.line("if m ~= nil then return m end");
                self.line("return #k");
                self.close("end");
            }
            _ => self.line(&format!("{c}.__index = {c}; {c}.z = 7")),
        }
        match class.newindex % 4 {
            2 => self.line(&format!("{c}.__newindex = rawset")),
            3 => self.line(&format!(
                "{c}.__newindex = function(t, k, v) rawset(t, k, v == nil and 0 or v) end"
            )),
            _ => {}
        }
        let fields = if class.swapped {
            "y = b, x = a"
        } else {
            "x = a, y = b"
        };
        self.line(&format!(
            "function {c}.new(a, b) return setmetatable({{{fields}}}, {c}) end"
        ));
        for (method, name) in class.methods.iter().zip(METHODS) {
            self.method(&format!("{c}.{name} = function"), method);
        }
        let op = ARITH[usize::from(class.op) % ARITH.len()];
        let value = format!("xof(a) {op} xof(b)");
        let value = if class.boxed {
            format!("{c}.new({value}, 1)")
        } else {
            value
        };
        self.line(&format!("{c}.__add = function(a, b) return {value} end"));
        for event in ["sub", "mul", "div", "idiv", "mod", "pow"] {
            self.line(&format!("{c}.__{event} = {c}.__add"));
        }
        self.line(&format!(
            "{c}.__band = function(a, b) return xof(a) & 7 end"
        ));
        for event in ["bor", "bxor", "shl", "shr"] {
            self.line(&format!("{c}.__{event} = {c}.__band"));
        }
        self.line(&format!("{c}.__unm = function(a) return -xof(a) end"));
        self.line(&format!("{c}.__bnot = function(a) return ~xof(a) end"));
        self.line(&format!(
            "{c}.__eq = function(a, b) return xof(a) == xof(b) end"
        ));
        self.line(&format!(
            "{c}.__lt = function(a, b) return xof(a) < xof(b) end"
        ));
        self.line(&format!(
            "{c}.__le = function(a, b) return xof(a) <= xof(b) end"
        ));
        self.line(&format!("{c}.__len = function(a) return xof(a) end"));
        self.line(&format!(
            "{c}.__concat = function(a, b) return str(xof(a)) .. \"&\" .. str(xof(b)) end"
        ));
        self.line(&format!(
            "{c}.__call = function(self, a) return xof(self), a end"
        ));
    }
}
