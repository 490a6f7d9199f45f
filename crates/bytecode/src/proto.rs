//! Function prototypes: code plus everything needed to run and debug it.

use crate::instr::Instr;
use std::sync::Arc;

/// A constant of a function. Strings are byte strings, as in Lua.
#[derive(Clone, Debug)]
pub enum Constant {
    /// `nil`
    Nil,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float; compared by its bits.
    Float(f64),
    /// A byte string.
    Str(Arc<[u8]>),
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(x), Self::Bool(y)) => x == y,
            (Self::Int(x), Self::Int(y)) => x == y,
            (Self::Float(x), Self::Float(y)) => x.to_bits() == y.to_bits(),
            (Self::Str(x), Self::Str(y)) => x == y,
            _ => false,
        }
    }
}

impl Eq for Constant {}

/// Where a closure finds an upvalue when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpvalSource {
    /// The cell in this register of the enclosing function.
    ParentCell(u8),
    /// This upvalue of the enclosing function.
    ParentUpval(u8),
}

/// One upvalue of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpvalDesc {
    /// Source name, for error messages and `debug`; `None` when stripped.
    pub name: Option<Arc<str>>,
    /// Where the creating instruction finds it.
    pub source: UpvalSource,
    /// Whether any function that shares the variable assigns it after its
    /// declaration. `false` lets the optimizer treat the content as constant.
    pub reassigned: bool,
}

/// Debug information of a local variable. A captured local's register holds
/// a cell ([`LocalVar::in_cell`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalVar {
    /// Source name; names in parentheses are the compiler's own.
    pub name: Arc<str>,
    /// Register that holds it.
    pub reg: u8,
    /// First instruction at which it is in scope.
    pub start_pc: u32,
    /// First instruction at which it is no longer in scope.
    pub end_pc: u32,
    /// Whether the register holds a cell instead of the value.
    pub in_cell: bool,
}

/// Source line of each instruction, run-length encoded as (first pc, line).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineTable {
    runs: Vec<(u32, u32)>,
}

impl LineTable {
    /// Records that instructions from `pc` on come from `line`. Calls must
    /// come with ascending `pc`.
    pub fn push(&mut self, pc: u32, line: u32) {
        match self.runs.last_mut() {
            Some((_, last)) if *last == line => {}
            Some((at, last)) if *at == pc => *last = line,
            _ => self.runs.push((pc, line)),
        }
    }

    /// Gives the instructions from `first` up to `last` the line of `last`.
    pub fn merge(&mut self, first: u32, last: u32) {
        let Some(line) = self.line(last) else { return };
        let next = self.runs.partition_point(|&(at, _)| at <= last);
        let kept = self.runs.partition_point(|&(at, _)| at < first);
        self.runs.splice(kept..next, [(first, line)]);
        if kept > 0 && self.runs[kept - 1].1 == line {
            self.runs.remove(kept);
        }
    }

    /// The source line of the instruction at `pc`, if known. O(log runs).
    #[must_use]
    pub fn line(&self, pc: u32) -> Option<u32> {
        let after = self.runs.partition_point(|&(at, _)| at <= pc);
        after.checked_sub(1).map(|i| self.runs[i].1)
    }

    /// The runs, ascending by pc.
    #[must_use]
    pub fn runs(&self) -> &[(u32, u32)] {
        &self.runs
    }

    /// Builds a table from runs that ascend by pc; others are rejected.
    #[must_use]
    pub fn from_runs(runs: Vec<(u32, u32)>) -> Option<Self> {
        runs.windows(2)
            .all(|w| w[0].0 < w[1].0)
            .then_some(Self { runs })
    }
}

/// A compiled function: immutable and shared between VMs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proto {
    /// Chunk name as PUC Lua keeps it: `@file`, `=name` or the source text.
    pub source: Arc<str>,
    /// Line of the `function` keyword; 0 for a main chunk.
    pub line_defined: u32,
    /// Line of the matching `end`; 0 for a main chunk.
    pub last_line: u32,
    /// Fixed parameters: registers `0..num_params` on entry.
    pub num_params: u8,
    /// Whether the function takes `...`; its first instruction is then
    /// `varargprep`.
    pub is_vararg: bool,
    /// Registers used, 2..=255, frame records of calls included.
    pub max_stack: u8,
    /// Feedback slots that the code refers to.
    pub num_feedback: u16,
    /// The code.
    pub code: Vec<Instr>,
    /// Constants.
    pub constants: Vec<Constant>,
    /// Functions defined inside.
    pub protos: Vec<Arc<Proto>>,
    /// Upvalues, in closure order.
    pub upvals: Vec<UpvalDesc>,
    /// Source lines.
    pub lines: LineTable,
    /// Local variables in order of `start_pc`.
    pub locals: Vec<LocalVar>,
}
