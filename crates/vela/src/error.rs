//! What can go wrong when a host uses a VM.

use crate::tier::TierError;
use crate::userdata;
use crate::value::Value;
use std::error::Error as StdError;
use std::sync::Arc;
use vela_objects::meta::Event;
use vela_objects::{Thrown, VmState};
use vela_runtime_integration::ConfigError;

/// Result of most operations on VMs.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the host. It is shared, because Lua code may keep it.
#[derive(Clone)]
pub struct SharedError(Arc<dyn StdError + Send + Sync + 'static>);

// Not an `Error` itself, so that chains of sources have the host's error.
impl std::ops::Deref for SharedError {
    type Target = dyn StdError + Send + Sync + 'static;
    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl std::fmt::Debug for SharedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for SharedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why an operation failed.
///
/// Errors go both ways. An error that Lua code raised comes out as
/// [`Error::Runtime`] with the Lua value and a traceback. An error that a
/// host's function returns is raised in Lua: [`Error::Runtime`] as the value
/// that it holds, everything else as an object that `tostring` turns into the
/// message; when such an object comes back to a host, the error is in the
/// chain of [`source`](StdError::source)s, and [`Error::downcast_ref`] finds
/// it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The chunk is not Lua, or not bytecode.
    #[error("{message}")]
    Syntax {
        /// PUC Lua's message, position included.
        message: String,
    },
    /// An error was raised in Lua and not caught.
    #[error(transparent)]
    Runtime(Box<RuntimeError>),
    /// A value is not of the type that was asked for.
    #[error("{to} expected, got {from}")]
    Conversion {
        /// What the value is.
        from: &'static str,
        /// What was expected.
        to: String,
    },
    /// An argument of a host's function is not what the function takes.
    #[error("bad argument #{index}: {reason}")]
    Argument {
        /// Number of the argument, from 1, `self` of methods not counted.
        index: usize,
        /// What is wrong with it.
        reason: Box<Error>,
    },
    /// An error of the host.
    #[error("{0}")]
    Host(#[source] SharedError),
    /// A function of the host panicked; the text of the panic.
    #[error("panic in a function of the host: {0}")]
    Panic(String),
    /// A handle was used with another VM than the one that it belongs to.
    #[error("the value belongs to another VM")]
    WrongVm,
    /// A function was called after the end of the scope that it was made in.
    #[error("the function's scope has ended")]
    ScopeEnded,
    /// A userdata, or a function that changes what it owns, is in use by a call
    /// further down.
    #[error("{0} is in use")]
    InUse(&'static str),
    /// A userdata's value was taken out of it.
    #[error("the value of the {0} was taken")]
    Taken(&'static str),
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The optimizing tier cannot do what was asked of it.
    #[error(transparent)]
    Tier(#[from] TierError),
    /// Memory for the VM's stacks cannot be reserved.
    #[error("cannot reserve memory for a VM: {0}")]
    Memory(#[source] Arc<std::io::Error>),
}

/// An error that Lua code raised and nothing caught.
#[derive(Clone, Debug)]
pub struct RuntimeError {
    /// The error as text: a string as it is, another value by its
    /// `__tostring` or named by its type.
    pub message: String,
    /// The value that was raised.
    pub value: Value,
    /// The stack where it was raised, `None` if it is not known.
    pub traceback: Option<String>,
    /// The host's error, if the value is one.
    source: Option<Arc<Error>>,
}

impl std::fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for RuntimeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|e| &**e as _)
    }
}

impl Error {
    /// Wraps an error of the host, to be raised in Lua.
    ///
    /// ```
    /// # fn main() -> vela::Result<()> {
    /// let mut vm = vela::Vm::new(vela::VmConfig::default())?;
    /// let read = vm.function(|_, name: String| {
    ///     std::fs::read_to_string(name).map_err(vela::Error::host)
    /// });
    /// let e = read.call::<()>(&mut vm, "/no/such/file").unwrap_err();
    /// let cause = e.downcast_ref::<std::io::Error>().expect("it is in the chain");
    /// assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
    /// # Ok(())
    /// # }
    /// ```
    pub fn host(e: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::Host(SharedError(Arc::from(e.into())))
    }

    /// An error with this text, which Lua sees as a string without a position.
    pub fn message(text: impl Into<String>) -> Error {
        let message = text.into();
        Error::Runtime(Box::new(RuntimeError {
            value: Value::Str(message.clone().into_bytes()),
            message,
            traceback: None,
            source: None,
        }))
    }

    /// A failed conversion.
    #[must_use]
    pub fn conversion(from: &Value, to: impl Into<String>) -> Error {
        Error::Conversion {
            from: from.type_name(),
            to: to.into(),
        }
    }

    /// Whether the source ended too early, so that a prompt may ask for more.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Error::Syntax { message } if message.ends_with("<eof>"))
    }

    /// The error that Lua code raised, if it is one.
    #[must_use]
    pub fn runtime(&self) -> Option<&RuntimeError> {
        match self {
            Error::Runtime(e) => Some(e),
            _ => None,
        }
    }

    /// The Lua stack where the error was raised.
    #[must_use]
    pub fn traceback(&self) -> Option<&str> {
        self.runtime()?.traceback.as_deref()
    }

    /// The first error of type `E` in the chain of sources.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        let mut e: &(dyn StdError + 'static) = self;
        loop {
            if let Some(found) = e.downcast_ref() {
                return Some(found);
            }
            e = e.source()?;
        }
    }

    /// The message with the traceback below it, as `lua` reports errors.
    #[must_use]
    pub fn report(&self) -> String {
        match self.traceback() {
            Some(traceback) => format!("{self}\n{traceback}"),
            None => self.to_string(),
        }
    }

    /// The error that Lua code raised with this string.
    pub(crate) fn raised(vm: &mut VmState, text: &[u8]) -> Error {
        let v = vm.str_value(text);
        Error::from_lua(vm, v, None, None)
    }

    /// The error for an error value that reached the host; `text` is what its
    /// `__tostring` gave, if that is known.
    pub(crate) fn from_lua(
        vm: &mut VmState,
        e: vela_objects::Value,
        traceback: Option<String>,
        text: Option<String>,
    ) -> Error {
        let mut traceback = traceback;
        let source = e.as_userdata().and_then(userdata::error_of);
        let message = if let Some(s) = vm.coerce_str(e) {
            s.to_text()
        } else if let Some(source) = &source {
            source.to_string()
        } else if let Some(text) = text.or_else(|| Error::text_by_metamethod(vm, e)) {
            traceback = None;
            text
        } else {
            format!("(error object is a {} value)", vm.type_name_of(e))
        };
        Error::Runtime(Box::new(RuntimeError {
            message,
            value: Value::lift(vm, e),
            traceback,
            source,
        }))
    }

    /// What `__tostring` of an error object gives; `None` without one, or if it
    /// fails.
    pub(crate) fn text_by_metamethod(vm: &mut VmState, e: vela_objects::Value) -> Option<String> {
        if vm.metamethod(e, Event::ToString).is_nil() {
            return None;
        }
        crate::function::quietly(vm, |vm| {
            vm.pin(e);
            let text = vm.tostring(e);
            vm.unpin();
            Ok(text?.to_text())
        })
    }

    /// Raises the error in Lua.
    pub(crate) fn raise(self, vm: &mut VmState) -> Thrown {
        match self {
            Error::Runtime(e) => match e.value.lower(vm) {
                Ok(v) => vm.throw(v),
                Err(e) => e.raise(vm),
            },
            Error::Argument { index, reason } => {
                // Methods are told apart by how they are called.
                let called = vm.function_name(0);
                let method = matches!(called, Some((what, _)) if what == "method");
                let i = index - usize::from(!method);
                vela_stdlib::args::arg_error(vm, i, &reason.to_string())
            }
            Error::Syntax { message } => {
                let v = vm.str_value(message.as_bytes());
                vm.throw(v)
            }
            other => {
                let v = userdata::error_value(vm, other);
                vm.throw(v)
            }
        }
    }
}
