//! What can go wrong, and who can act on it.

/// An error of the linker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrcError {
    /// The session could not be set up: a matter of the machine. Run without
    /// compiled code.
    #[error("cannot start the linker: {message}")]
    Start {
        /// LLVM's message.
        message: String,
    },
    /// The bytes are not relocatable object code of this machine. From a cache:
    /// discard the entry. Freshly generated: a bug.
    #[error("not object code for this machine: {reason}")]
    NotObjectCode {
        /// What is wrong with the bytes.
        reason: String,
    },
    /// Linking failed, as a rule because the code refers to a symbol that is not a
    /// helper: a bug in the code generator, or a cached object from another build.
    #[error("cannot link: {message}")]
    Link {
        /// LLVM's messages, which name the symbols.
        message: String,
    },
    /// The object does not export the name. A bug of whoever asks.
    #[error("the object has no symbol {name:?}")]
    NoSymbol {
        /// The name asked for.
        name: String,
    },
    /// A symbol's name has a zero byte in it. A bug of whoever chose the name.
    #[error("symbol name {name:?} has a zero byte")]
    BadName {
        /// The name.
        name: String,
    },
    /// A helper of this name exists at another address. A bug in the helper table.
    #[error("helper {name:?} is already defined at another address")]
    HelperRedefined {
        /// The helper's name.
        name: String,
    },
    /// LLVM could not take the code away: its memory is lost until the process
    /// ends, everything else stays usable. Nobody can act on it; worth a log line.
    #[error("cannot remove code: {message}")]
    Remove {
        /// LLVM's message.
        message: String,
    },
}
