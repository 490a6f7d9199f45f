//! Chunks to be loaded or run.

use crate::context::{Context, state};
use crate::convert::{FromValues, IntoValues};
use crate::error::{Error, Result};
use crate::function::Function;
use crate::handle;
use crate::table::Table;

/// What a chunk may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Lua source.
    #[default]
    Text,
    /// A binary chunk, as `string.dump` makes them.
    Binary,
    /// Either.
    Any,
}

/// A chunk of Lua with its options, made by
/// [`chunk`](trait.Context.html#method.chunk).
///
/// ```
/// # fn main() -> vela::Result<()> {
/// let mut vm = vela::Vm::new(vela::VmConfig::default())?;
/// let sandbox = vm.table_from([("answer", 42)])?;
/// let answer: i64 = vm
///     .chunk("return answer")
///     .name("=question")
///     .environment(&sandbox)
///     .call(())?;
/// assert_eq!(answer, 42);
/// assert_eq!(vm.chunk("1 + 1").eval::<i64>()?, 2);
/// # Ok(())
/// # }
/// ```
#[must_use = "a chunk does nothing until it is run or loaded"]
pub struct Chunk<'a> {
    cx: &'a mut (dyn Context + 'a),
    source: Vec<u8>,
    name: String,
    mode: Mode,
    environment: Option<Table>,
}

impl std::fmt::Debug for Chunk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunk")
            .field("name", &self.name)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl<'a> Chunk<'a> {
    pub(crate) fn new(cx: &'a mut (dyn Context + '_), source: &[u8]) -> Chunk<'a> {
        Chunk {
            cx: state(cx),
            source: source.to_vec(),
            name: "=chunk".into(),
            mode: Mode::default(),
            environment: None,
        }
    }

    /// What messages call the chunk: `@` and the name of a file, `=` and any
    /// name, or the source itself. `=chunk` if it is not set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What the chunk may be; source if it is not set.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Where the chunk's global variables are; the VM's if it is not set.
    pub fn environment(mut self, table: &Table) -> Self {
        self.environment = Some(table.clone());
        self
    }

    fn load(&mut self, source: &[u8]) -> Result<Function> {
        let mode = match self.mode {
            Mode::Text => "t",
            Mode::Binary => "b",
            Mode::Any => "bt",
        };
        let vm = state(self.cx);
        let env = match &self.environment {
            Some(t) => t.0.get(vm)?,
            None => vela_objects::Value::table(vm.globals),
        };
        let f = vela_stdlib::chunk::load(vm, source, &self.name, mode, env);
        let f = f.map_err(|message| Error::Syntax { message })?;
        Ok(Function(handle::keep(vm, f)))
    }

    /// Compiles the chunk into a function.
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn into_function(mut self) -> Result<Function> {
        let source = std::mem::take(&mut self.source);
        self.load(&source)
    }

    /// Runs the chunk.
    ///
    /// # Errors
    /// [`Error::Syntax`], [`Error::Runtime`].
    pub fn exec(self) -> Result<()> {
        self.call(())
    }

    /// Runs the chunk with arguments, which it sees as `...`, and returns what
    /// it returns.
    ///
    /// # Errors
    /// [`Error::Syntax`], and as [`Function::call`].
    pub fn call<R: FromValues>(mut self, args: impl IntoValues) -> Result<R> {
        let source = std::mem::take(&mut self.source);
        let f = self.load(&source)?;
        f.call(self.cx, args)
    }

    /// The value of an expression, or, if the source is none, what the chunk
    /// returns.
    ///
    /// # Errors
    /// As [`Chunk::call`].
    pub fn eval<R: FromValues>(mut self) -> Result<R> {
        let source = std::mem::take(&mut self.source);
        let mut expression = b"return ".to_vec();
        expression.extend_from_slice(&source);
        let f = match self.load(&expression) {
            Ok(f) => f,
            Err(_) => self.load(&source)?,
        };
        f.call(self.cx, ())
    }
}
