//! What can go wrong when a host uses a VM.

use crate::tier::TierError;
use vela_runtime_integration::ConfigError;

/// Why a VM could not be made or a chunk did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The chunk is not Lua, or not bytecode.
    #[error("{message}")]
    Syntax {
        /// PUC Lua's message, position included.
        message: String,
    },
    /// An error was raised and not caught.
    #[error("{message}")]
    Runtime {
        /// The error as text: a string as it is, another value by its
        /// `__tostring` or named by its type.
        message: String,
        /// The stack where it was raised; `None` if `__tostring` gave the
        /// message.
        traceback: Option<String>,
    },
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The optimizing tier cannot do what was asked of it.
    #[error(transparent)]
    Tier(#[from] TierError),
    /// Memory for the VM's stacks cannot be reserved.
    #[error("cannot reserve memory for a VM: {0}")]
    Memory(#[source] std::io::Error),
}

impl Error {
    /// Whether the source ended too early, so that a prompt may ask for more.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Error::Syntax { message } if message.ends_with("<eof>"))
    }

    /// The message with the traceback below it, as `lua` reports errors.
    #[must_use]
    pub fn report(&self) -> String {
        match self {
            Error::Runtime {
                message,
                traceback: Some(traceback),
            } => format!("{message}\n{traceback}"),
            other => other.to_string(),
        }
    }
}
