//! The standard output, shared by `print` and the `io` library.
//!
//! It is buffered in the VM's host state, so that output of both keeps its
//! order; [`flush`] must run at exit and before standard input is read.

use crate::io::stream::Buffering;
use std::io::{BufWriter, IsTerminal, Write};
use vela_objects::VmState;

/// The VM's standard output.
pub struct StdOut {
    writer: BufWriter<Box<dyn Write>>,
    /// When bytes go out: by line if someone is watching.
    buffering: Buffering,
    /// Whether the process's output is a terminal.
    interactive: bool,
    /// Whether the end of a `print` sends everything out: PUC Lua's does, and
    /// whoever reads the output of a process at work relies on it.
    prompt: bool,
}

impl StdOut {
    fn process() -> StdOut {
        let out = std::io::stdout();
        let interactive = out.is_terminal();
        StdOut {
            buffering: if interactive {
                Buffering::Line
            } else {
                Buffering::Full
            },
            interactive,
            prompt: true,
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
        match self.buffering {
            Buffering::Full => Ok(()),
            Buffering::Line if !bytes.contains(&b'\n') => Ok(()),
            _ => self.writer.flush(),
        }
    }

    /// Ends a line that `print` wrote.
    ///
    /// # Errors
    /// What the underlying writer reports.
    pub fn end_line(&mut self) -> std::io::Result<()> {
        self.write(b"\n")?;
        if self.prompt {
            return self.writer.flush();
        }
        Ok(())
    }

    /// Whether the process's output is a terminal.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Sets when written bytes go out (`file:setvbuf`).
    ///
    /// # Errors
    /// What the underlying writer reports for the bytes written so far.
    pub fn set_buffering(&mut self, mode: Buffering) -> std::io::Result<()> {
        self.buffering = mode;
        self.writer.flush()
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
        buffering: Buffering::Full,
        interactive: false,
        prompt: false,
    };
}

/// Writes out what `print` and `io.write` buffered.
///
/// # Errors
/// What the underlying writer reports.
pub fn flush(vm: &mut VmState) -> std::io::Result<()> {
    stdout(vm).flush()
}
