//! Reads the textual form that [`crate::text`] describes.
//!
//! Anything that is well-formed text is accepted; whether the function makes
//! sense is for [`crate::verify`]. `;` starts a comment.

use crate::ir::{
    Block, BlockData, Def, EntryKind, FrameState, Func, InlineCaller, Inst, InstData, Op, Pool,
    PoolEntry, Site, SiteCaller, SiteData, State, Target, Ty, Val, ValData, Watch,
};
use crate::text::{parse_op, reason_named, tag_named, ty_named};
use smallvec::SmallVec;
use vela_deopt::DeoptReason;

/// Why text is no function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct ParseError {
    /// 1-based line.
    pub line: u32,
    /// 1-based column, in characters.
    pub column: u32,
    /// What is wrong there.
    pub kind: ParseErrorKind,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// Something else should be here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What should be here.
        expected: &'static str,
        /// What is.
        found: String,
    },
    /// No such operation, or it has other immediates.
    #[error("unknown operation '{0}'")]
    UnknownOp(String),
    /// A value is defined twice.
    #[error("v{0} is defined twice")]
    Redefined(u32),
    /// A value is never defined.
    #[error("v{0} is used but never defined")]
    Undefined(u32),
    /// Blocks, states, sites and pool slots are listed in order.
    #[error("{what} is number {found}, expected number {expected}")]
    Order {
        /// What is listed.
        what: &'static str,
        /// Number here.
        found: u32,
        /// Number that should be here.
        expected: u32,
    },
    /// A number is too large.
    #[error("number out of range: {0}")]
    Range(String),
}

type Result<T> = std::result::Result<T, ParseError>;

/// Values a text may name: a limit against absurd numbers.
const MAX_VALS: u32 = 1 << 20;

/// The function in `text`.
///
/// # Errors
/// [`ParseError`] with the place of the first thing that is wrong. A value
/// number that is never defined but used is an error; one that is neither
/// leaves an unused entry in [`Func::vals`].
pub fn parse(text: &str) -> Result<Func> {
    Parser::new(text).func()
}

struct Parser<'t> {
    text: &'t str,
    pos: usize,
    func: Func,
    defined: Vec<bool>,
    /// Values used, with the place of a use.
    uses: Vec<(Val, usize)>,
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+')
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        let mut func = Func::new(String::new(), EntryKind::Call, 0, false, 0);
        func.blocks.clear();
        Parser {
            text,
            pos: 0,
            func,
            defined: Vec::new(),
            uses: Vec::new(),
        }
    }

    fn error<T>(&self, at: usize, kind: ParseErrorKind) -> Result<T> {
        let before = &self.text[..at];
        Err(ParseError {
            line: before.matches('\n').count() as u32 + 1,
            column: before.chars().rev().take_while(|&c| c != '\n').count() as u32 + 1,
            kind,
        })
    }

    fn expected<T>(&mut self, expected: &'static str) -> Result<T> {
        self.blank();
        let rest = &self.text[self.pos..];
        let end = rest
            .find(|c: char| !is_word(c))
            .unwrap_or(rest.len())
            .max(rest.chars().next().map_or(0, char::len_utf8));
        let found = match &rest[..end] {
            "" => "the end of the text".to_string(),
            "\n" => "the end of the line".to_string(),
            word => format!("'{word}'"),
        };
        self.error(self.pos, ParseErrorKind::Expected { expected, found })
    }

    /// Skips blanks and comments, but not line ends.
    fn blank(&mut self) {
        let rest = &self.text[self.pos..];
        let trimmed = rest.trim_start_matches([' ', '\t', '\r']);
        self.pos += rest.len() - trimmed.len();
        if trimmed.starts_with(';') {
            self.pos += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// Skips line ends too.
    fn blank_lines(&mut self) {
        loop {
            self.blank();
            if !self.text[self.pos..].starts_with('\n') {
                break;
            }
            self.pos += 1;
        }
    }

    fn line_end(&mut self) -> Result<()> {
        self.blank();
        match self.text[self.pos..].chars().next() {
            None => Ok(()),
            Some('\n') => {
                self.pos += 1;
                Ok(())
            }
            Some(_) => self.expected("the end of the line"),
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.blank();
        let found = self.text[self.pos..].starts_with(c);
        if found {
            self.pos += c.len_utf8();
        }
        found
    }

    fn peek_word(&mut self) -> &'t str {
        self.blank();
        let rest = &self.text[self.pos..];
        &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())]
    }

    fn word(&mut self, expected: &'static str) -> Result<&'t str> {
        let w = self.peek_word();
        if w.is_empty() {
            return self.expected(expected);
        }
        self.pos += w.len();
        Ok(w)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.pos += word.len();
        }
        found
    }

    fn keyword(&mut self, word: &'static str) -> Result<()> {
        if self.eat_word(word) {
            Ok(())
        } else {
            self.expected(word)
        }
    }

    fn number<T: std::str::FromStr>(&mut self, expected: &'static str) -> Result<T> {
        let w = self.peek_word();
        if !w.starts_with(|c: char| c.is_ascii_digit()) {
            return self.expected(expected);
        }
        let Ok(n) = w.parse() else {
            return self.error(self.pos, ParseErrorKind::Range(w.to_string()));
        };
        self.pos += w.len();
        Ok(n)
    }

    fn address(&mut self) -> Result<u64> {
        let w = self.peek_word();
        let Some(n) = w
            .strip_prefix("0x")
            .and_then(|h| u64::from_str_radix(h, 16).ok())
        else {
            return self.expected("an address");
        };
        self.pos += w.len();
        Ok(n)
    }

    /// The number of a word such as `v12`, if the next word is one.
    fn peek_id(&mut self, prefix: &str) -> Option<u32> {
        let digits = self.peek_word().strip_prefix(prefix)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    }

    fn id(&mut self, prefix: &'static str, expected: &'static str) -> Result<u32> {
        match self.peek_id(prefix) {
            Some(n) => {
                self.pos += self.peek_word().len();
                Ok(n)
            }
            None => self.expected(expected),
        }
    }

    fn reg(&mut self) -> Result<u8> {
        self.blank();
        let at = self.pos;
        let n = self.id("r", "a register")?;
        match u8::try_from(n) {
            Ok(r) => Ok(r),
            Err(_) => self.error(at, ParseErrorKind::Range(format!("r{n}"))),
        }
    }

    fn val(&mut self) -> Result<Val> {
        self.blank();
        let at = self.pos;
        let v = Val(self.id("v", "a value")?);
        self.uses.push((v, at));
        Ok(v)
    }

    /// `v3: int`
    fn def(&mut self, def: Def) -> Result<Val> {
        self.blank();
        let at = self.pos;
        let v = Val(self.id("v", "a value")?);
        if !self.eat(':') {
            return self.expected("':' and the value's type");
        }
        let word = self.peek_word();
        let ty = match ty_named(word) {
            Some(ty) if ty != Ty::None => ty,
            _ => return self.expected("a type"),
        };
        self.pos += word.len();
        if v.0 >= MAX_VALS {
            return self.error(at, ParseErrorKind::Range(v.to_string()));
        }
        if v.index() >= self.func.vals.len() {
            let unused = ValData {
                ty: Ty::None,
                def: Def::Param(Func::ENTRY, u32::MAX),
            };
            self.func.vals.resize(v.index() + 1, unused);
            self.defined.resize(v.index() + 1, false);
        }
        if std::mem::replace(&mut self.defined[v.index()], true) {
            return self.error(at, ParseErrorKind::Redefined(v.0));
        }
        self.func.vals[v.index()] = ValData { ty, def };
        Ok(v)
    }

    fn string(&mut self) -> Result<String> {
        if !self.eat('"') {
            return self.expected("a name in quotes");
        }
        let mut out = String::new();
        let rest = &self.text[self.pos..];
        let mut chars = rest.char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    self.pos += i + 1;
                    return Ok(out);
                }
                '\n' => break,
                '\\' => {
                    let escape = chars.next().map(|e| e.1);
                    out.push(match escape {
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('t') => '\t',
                        Some(c @ ('\\' | '"' | '\'')) => c,
                        Some('u') => {
                            let code: String = chars
                                .by_ref()
                                .map(|e| e.1)
                                .skip(1)
                                .take_while(|&c| c != '}')
                                .collect();
                            match u32::from_str_radix(&code, 16).ok().and_then(char::from_u32) {
                                Some(c) => c,
                                None => {
                                    self.pos += i;
                                    return self.expected("a character escape");
                                }
                            }
                        }
                        _ => {
                            self.pos += i;
                            return self.expected("a character escape");
                        }
                    });
                }
                c => out.push(c),
            }
        }
        self.expected("a name that ends with '\"'")
    }

    fn func(mut self) -> Result<Func> {
        self.blank_lines();
        self.keyword("func")?;
        self.func.name = self.string()?;
        self.func.entry_kind = if self.eat_word("osr") {
            EntryKind::Osr {
                pc: self.number("the loop's pc")?,
            }
        } else {
            self.keyword("call")?;
            EntryKind::Call
        };
        self.keyword("params")?;
        self.func.num_params = self.number("the number of parameters")?;
        self.func.is_vararg = self.eat_word("vararg");
        self.keyword("stack")?;
        self.func.max_stack = self.number("the number of registers")?;
        self.func.spares = self.eat_word("spares");
        self.line_end()?;
        loop {
            self.blank_lines();
            let at = self.pos;
            if self.eat_word("end") {
                break;
            } else if self.eat_word("watch") {
                self.watch()?;
            } else if let Some(n) = self.peek_id("p") {
                self.head(at, n, "the pool slot", self.func.pool.len())?;
                self.pool()?;
            } else if let Some(n) = self.peek_id("b") {
                self.order(at, n, "the block", self.func.blocks.len())?;
                self.pos += self.peek_word().len();
                self.block(Block(n))?;
                continue;
            } else if let Some(n) = self.peek_id("fs") {
                self.head(at, n, "the state", self.func.states.len())?;
                self.state()?;
            } else if let Some(n) = self.peek_id("s") {
                self.head(at, n, "the site", self.func.sites.len())?;
                self.site()?;
            } else {
                return self.expected("a block, a state, a site or 'end'");
            }
            self.line_end()?;
        }
        let undefined = self
            .uses
            .iter()
            .find(|(v, _)| !self.defined.get(v.index()).copied().unwrap_or(false));
        if let Some(&(v, at)) = undefined {
            return self.error(at, ParseErrorKind::Undefined(v.0));
        }
        if self.func.blocks.is_empty() {
            return self.expected("a block before 'end'");
        }
        Ok(self.func)
    }

    fn order(&self, at: usize, found: u32, what: &'static str, expected: usize) -> Result<()> {
        let expected = expected as u32;
        if found == expected {
            return Ok(());
        }
        self.error(
            at,
            ParseErrorKind::Order {
                what,
                found,
                expected,
            },
        )
    }

    /// `fs3:`
    fn head(&mut self, at: usize, n: u32, what: &'static str, expected: usize) -> Result<()> {
        self.order(at, n, what, expected)?;
        self.pos += self.peek_word().len();
        if self.eat(':') {
            Ok(())
        } else {
            self.expected("':'")
        }
    }

    fn watch(&mut self) -> Result<()> {
        let field = self.address()?;
        self.keyword("id")?;
        let id = self.number("the lattice cell's id")?;
        self.keyword("level")?;
        let level = self.number("the level")?;
        self.func.watches.push(Watch { field, id, level });
        Ok(())
    }

    fn pool(&mut self) -> Result<()> {
        let entry = if self.eat_word("constant") {
            PoolEntry::Constant(self.number("the constant's number")?)
        } else if self.eat_word("shape") {
            PoolEntry::Shape(self.address()?)
        } else if self.eat_word("object") {
            let address = self.address()?;
            let word = self.peek_word();
            let Some(tag) = tag_named(word) else {
                return self.expected("the object's tag");
            };
            self.pos += word.len();
            PoolEntry::Object(address, tag)
        } else if self.eat_word("proto") {
            PoolEntry::Proto(self.address()?)
        } else {
            return self.expected("constant, shape, object or proto");
        };
        self.func.pool.push(entry);
        Ok(())
    }

    fn state(&mut self) -> Result<()> {
        self.keyword("pc")?;
        let mut s = FrameState {
            pc: self.number("the pc")?,
            regs: Vec::new(),
            in_window: Vec::new(),
            top: None,
            caller: None,
        };
        if self.eat_word("regs") {
            loop {
                let r = self.reg()?;
                if !self.eat('=') {
                    return self.expected("'='");
                }
                let v = self.val()?;
                s.regs.push((r, v));
                if !self.eat(',') {
                    break;
                }
            }
        }
        if self.eat_word("window") {
            s.in_window = self.regs()?;
        }
        if self.eat_word("top") {
            s.top = Some(self.reg()?);
        }
        if self.eat_word("caller") {
            let state = State(self.id("fs", "a state")?);
            self.keyword("closure")?;
            let closure = self.val()?;
            self.keyword("proto")?;
            let proto = Pool(self.id("p", "a pool slot")?);
            self.keyword("at")?;
            let a = self.number("a register number")?;
            let nvarargs = if self.eat_word("varargs") {
                self.number("the number of extra arguments")?
            } else {
                0
            };
            let tail = self.eat_word("tail");
            s.caller = Some(InlineCaller {
                state,
                closure,
                proto,
                a,
                nvarargs,
                tail,
            });
        }
        self.func.states.push(s);
        Ok(())
    }

    fn regs(&mut self) -> Result<Vec<u8>> {
        let mut regs = vec![self.reg()?];
        while self.eat(',') {
            regs.push(self.reg()?);
        }
        Ok(regs)
    }

    fn site(&mut self) -> Result<()> {
        self.keyword("pc")?;
        let pc = self.number("the pc")?;
        let live = if self.eat_word("live") {
            self.regs()?
        } else {
            Vec::new()
        };
        let caller = if self.eat_word("caller") {
            let site = Site(self.id("s", "the calling site")?);
            self.keyword("at")?;
            let a = self.number("the register of the call")?;
            let tail = self.eat_word("tail");
            Some(SiteCaller { site, a, tail })
        } else {
            None
        };
        self.func.sites.push(SiteData { pc, live, caller });
        Ok(())
    }

    fn block(&mut self, b: Block) -> Result<()> {
        let mut data = BlockData::default();
        if self.eat('(') {
            loop {
                let n = data.params.len() as u32;
                data.params.push(self.def(Def::Param(b, n))?);
                if !self.eat(',') {
                    break;
                }
            }
            if !self.eat(')') {
                return self.expected("',' or ')'");
            }
        }
        data.loop_header = self.eat_word("loop");
        data.cold = self.eat_word("cold");
        if !self.eat(':') {
            return self.expected("':'");
        }
        self.line_end()?;
        loop {
            self.blank_lines();
            let heads = ["p", "b", "fs", "s"];
            if self.peek_word() == "end"
                || self.peek_word() == "watch"
                || heads.iter().any(|h| self.peek_id(h).is_some())
                || self.pos == self.text.len()
            {
                break;
            }
            data.insts.push(self.inst()?);
            self.line_end()?;
        }
        self.func.blocks.push(data);
        Ok(())
    }

    fn inst(&mut self) -> Result<Inst> {
        let inst = Inst(self.func.insts.len() as u32);
        let result = if self.peek_id("v").is_some() {
            let v = self.def(Def::Inst(inst))?;
            if !self.eat('=') {
                return self.expected("'='");
            }
            Some(v)
        } else {
            None
        };
        self.blank();
        let at = self.pos;
        let name = self.word("an operation")?;
        let constant = if matches!(name, "int" | "float" | "bool" | "literal") {
            let c = self.constant();
            if c.is_empty() {
                return self.expected("the constant");
            }
            Some(c)
        } else {
            None
        };
        let Some(op) = parse_op(name, constant) else {
            let text = match constant {
                Some(c) => format!("{name} {c}"),
                None => name.to_string(),
            };
            return self.error(at, ParseErrorKind::UnknownOp(text));
        };
        let mut data = InstData {
            op,
            args: SmallVec::new(),
            result,
            state: None,
            reason: DeoptReason::None,
            origin: None,
            site: None,
            targets: SmallVec::new(),
        };
        self.operands(&mut data)?;
        if self.eat('[') {
            if self.peek_id("fs").is_some() {
                data.state = Some(State(self.id("fs", "a state")?));
            }
            let word = self.peek_word();
            if !word.is_empty() {
                let Some(reason) = reason_named(word) else {
                    return self.expected("a reason");
                };
                self.pos += word.len();
                data.reason = reason;
            }
            if self.eat_word("for") {
                data.origin = Some(self.number("the pc of the speculation")?);
            }
            if !self.eat(']') {
                return self.expected("']'");
            }
        }
        if self.eat('@') {
            data.site = Some(Site(self.id("s", "a site")?));
        }
        self.func.insts.push(data);
        Ok(inst)
    }

    /// A constant's text: up to a blank or the end of the line.
    fn constant(&mut self) -> &'t str {
        self.blank();
        let rest = &self.text[self.pos..];
        let end = rest
            .find(|c: char| c.is_whitespace() || c == ';')
            .unwrap_or(rest.len());
        self.pos += end;
        &rest[..end]
    }

    fn operands(&mut self, data: &mut InstData) -> Result<()> {
        if self.peek_id("v").is_none() && self.peek_id("b").is_none() {
            return Ok(());
        }
        let is_constant = matches!(
            data.op,
            Op::Int(_) | Op::Float(_) | Op::Bool(_) | Op::Literal(_)
        );
        if is_constant {
            return Ok(());
        }
        loop {
            if self.peek_id("b").is_some() {
                let block = Block(self.id("b", "a block")?);
                let mut args = SmallVec::new();
                if self.eat('(') {
                    loop {
                        args.push(self.val()?);
                        if !self.eat(',') {
                            break;
                        }
                    }
                    if !self.eat(')') {
                        return self.expected("',' or ')'");
                    }
                }
                data.targets.push(Target { block, args });
            } else if data.targets.is_empty() {
                data.args.push(self.val()?);
            } else {
                return self.expected("a block");
            }
            if !self.eat(',') {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"func "a \"b\"\n:1" osr 7 params 2 vararg stack 40
p0: constant 3
p1: shape 0xdeadbeef
p2: object 0x10 luafn
p3: proto 0x20
watch 0x7f00 id 3 level 254
b0(v0: any, v1: any):
  v2: int = guard_tag.int v0 [fs1 type for 9]
  v3: int = int -5
  v4: float = float -0.0
  v5: float = float nan:0x7ff8000000000001
  v6: float = float -inf
  v7: float = float 1e300
  v8: bool = bool true
  v9: nil = nil
  v10: str = literal p0
  v11: luafn = self_closure
  v12: any = box v2
  v13: bool = has_tag.thread v12
  v14: int = int_op.floordiv v2, v3
  v15: bool = float_cmp.ne v4, v5
  v16: float = float_fn.sqrt v4
  v17: bool = str_less.le v10, v10
  store_reg.3 v12
  v18: any = load_reg.4
  v19: cell = upval.0 v11
  v20: table = new_table.2.300
  v21: int = load_slot.inline.2.4 v20
  v22: any = load_slot.out.7 v20
  store_slot.inline.2.4.tag v20, v12
  store_slot.out.7 v20, v2
  v23: any = call_lua.4.self v11, v2, v12 @s0
  call_lua_multi.4.all v11, v2 @s0
  call_window.4.all.2 @s1
  poll [fs0] @s1
  branch v8, b1(v2, v12), b2
b1(v24: int, v30: any) loop cold:
  jump b1(v24, v30)
b2 cold:
  exit [fs0 unreached]
b3:
  return_window.3.all
b4:
fs0: pc 1 regs r0=v0, r1=v3 window r5, r6 top r7
fs1: pc 2 caller fs0 closure v11 proto p3 at 9 varargs 2
s0: pc 3 live r0, r255
s1: pc 4
end
"#;

    #[test]
    fn round_trip() {
        let func = parse(TEXT).unwrap();
        assert_eq!(func.to_string(), TEXT);
        assert_eq!(func.name, "a \"b\"\n:1");
        assert_eq!(func.ty(Val(24)), Ty::Int);
        assert_eq!(func.vals[30].def, Def::Param(Block(1), 1));
    }

    fn error_of(from: &str, to: &str) -> String {
        let text = TEXT.replacen(from, to, 1);
        assert_ne!(text, TEXT);
        parse(&text).unwrap_err().to_string()
    }

    #[test]
    fn errors_name_the_place() {
        assert_eq!(
            error_of("guard_tag.int v0", "guard_tag.number v0"),
            "line 8, column 13: unknown operation 'guard_tag.number'"
        );
        assert_eq!(
            error_of("v3: int = int -5", "v3: int = int x"),
            "line 9, column 13: unknown operation 'int x'"
        );
        assert_eq!(
            error_of("v3: int = int -5", "v2: int = int 5"),
            "line 9, column 3: v2 is defined twice"
        );
        assert_eq!(
            error_of("store_reg.3 v12", "store_reg.3 v99"),
            "line 24, column 15: v99 is used but never defined"
        );
        assert_eq!(
            error_of("b2 cold", "b7 cold"),
            "line 39, column 1: the block is number 7, expected number 2"
        );
        assert_eq!(
            error_of("[fs0 unreached]", "[fs0 boredom]"),
            "line 40, column 13: expected a reason, found 'boredom'"
        );
        assert_eq!(
            error_of("end\n", ""),
            "line 48, column 1: expected a block, a state, a site or 'end', found the end of the text"
        );
        assert_eq!(
            error_of("r0=v0", "r300=v0"),
            "line 44, column 16: number out of range: r300"
        );
    }

    #[test]
    fn comments_and_blank_lines() {
        let text = "; a test\n\nfunc \"f;g\" call params 0 stack 2 ; head\nb0: ; entry\n\n  return_none ; done\nend\n";
        let func = parse(text).unwrap();
        assert_eq!(func.name, "f;g");
        assert_eq!(
            func.to_string(),
            "func \"f;g\" call params 0 stack 2\nb0:\n  return_none\nend\n"
        );
    }
}
