//! The standard output, shared by `print` and the `io` library.
//!
//! It is buffered in the VM's host state, so that output of both keeps its
//! order; [`flush`] must run at exit and before standard input is read.

use std::io::{BufWriter, IsTerminal, Write};
use vela_objects::VmState;

/// The VM's standard output.
pub struct StdOut {
    writer: BufWriter<Box<dyn Write>>,
    /// Flush after each line: someone is watching.
    by_line: bool,
}

impl StdOut {
    fn process() -> StdOut {
        let out = std::io::stdout();
        StdOut {
            by_line: out.is_terminal(),
            writer: BufWriter::with_capacity(1 << 16, Box::new(out)),
        }
    }

    /// Appends bytes; on a terminal, completed lines appear at once.
    ///
    /// # Errors
    /// What the underlying writer reports.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.writer.write_all(bytes)?;
        if self.by_line && bytes.contains(&b'\n') {
            self.writer.flush()?;
        }
        Ok(())
    }

    /// Hands everything written to the underlying writer.
    ///
    /// # Errors
    /// What the underlying writer reports.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

/// The VM's standard output, created on first use.
#[inline]
pub fn stdout(vm: &mut VmState) -> &mut StdOut {
    vm.host_state_or(StdOut::process)
}

/// Replaces the standard output, flushing the old one; hosts and tests
/// capture output with it.
pub fn set_stdout(vm: &mut VmState, writer: Box<dyn Write>) {
    let out = stdout(vm);
    // The old writer goes away; its error has no one to go to.
    let _ = out.flush();
    *out = StdOut {
        writer: BufWriter::new(writer),
        by_line: false,
    };
}

/// Writes out what `print` and `io.write` buffered.
///
/// # Errors
/// What the underlying writer reports.
pub fn flush(vm: &mut VmState) -> std::io::Result<()> {
    stdout(vm).flush()
}
