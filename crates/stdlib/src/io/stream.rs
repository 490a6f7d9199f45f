//! Open files: one position for reading and writing, and buffers, like C's
//! `FILE`.

use std::fs::File;
use std::io::{BufRead, Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::process::{Child, ExitStatus};

const BUFFER: usize = 1 << 16;
/// `EBADF`: reading what is open for writing only, or the other way round.
const BAD_DESCRIPTOR: i32 = 9;

/// When written bytes go to the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Buffering {
    /// At once.
    No,
    /// When a line is complete.
    Line,
    /// When the buffer is full.
    Full,
}

/// What an open file may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Reading.
    pub read: bool,
    /// Writing.
    pub write: bool,
}

/// A process that is waited for at the latest when it is dropped.
struct Waited(Child);

impl Drop for Waited {
    fn drop(&mut self) {
        let _ = self.0.wait();
    }
}

/// An open file or one end of a pipe to a process.
pub struct Stream {
    /// Dropped before `child`, which waits for its end of the pipe.
    file: File,
    child: Option<Waited>,
    access: Access,
    /// Bytes read ahead; those before `taken` are used up.
    ahead: Vec<u8>,
    taken: usize,
    /// Bytes not yet written. Empty while `ahead` is not.
    behind: Vec<u8>,
    buffering: Buffering,
}

impl Stream {
    /// A stream on an open file.
    pub fn new(file: File, access: Access) -> Stream {
        Stream {
            file,
            child: None,
            access,
            ahead: Vec::new(),
            taken: 0,
            behind: Vec::new(),
            buffering: Buffering::Full,
        }
    }

    /// A stream on one end of a pipe, with the process at the other end.
    pub fn pipe(file: File, access: Access, child: Child) -> Stream {
        let mut s = Stream::new(file, access);
        s.child = Some(Waited(child));
        s
    }

    /// Opens a file by a C mode string that [`valid_mode`] accepts.
    pub fn open(path: &std::ffi::OsStr, mode: &[u8]) -> Result<Stream> {
        let update = mode.get(1) == Some(&b'+');
        let mut options = std::fs::OpenOptions::new();
        let access = match mode.first() {
            Some(b'w') => {
                options.write(true).create(true).truncate(true).read(update);
                Access {
                    read: update,
                    write: true,
                }
            }
            Some(b'a') => {
                options.append(true).create(true).read(update);
                Access {
                    read: update,
                    write: true,
                }
            }
            _ => {
                options.read(true).write(update);
                Access {
                    read: true,
                    write: update,
                }
            }
        };
        Ok(Stream::new(options.open(path)?, access))
    }

    /// Appends bytes at the position.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if !self.access.write {
            return Err(Error::from_raw_os_error(BAD_DESCRIPTOR));
        }
        self.forget_ahead()?;
        if self.behind.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if self.buffering == Buffering::No || bytes.len() > BUFFER {
            self.file.write_all(bytes)?;
        } else {
            self.behind.extend_from_slice(bytes);
            if self.buffering == Buffering::Line && bytes.contains(&b'\n') {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes out the buffer. What cannot be written is dropped, so that the
    /// error is reported once.
    pub fn flush(&mut self) -> Result<()> {
        if self.behind.is_empty() {
            return Ok(());
        }
        let result = self.file.write_all(&self.behind);
        self.behind.clear();
        result
    }

    /// Moves the position; returns it, in bytes from the start.
    pub fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.flush()?;
        let unread = (self.ahead.len() - self.taken) as i64;
        let to = match to {
            SeekFrom::Current(n) => SeekFrom::Current(n.saturating_sub(unread)),
            other => other,
        };
        let at = self.file.seek(to)?;
        self.ahead.clear();
        self.taken = 0;
        Ok(at)
    }

    /// Sets when written bytes go to the file.
    pub fn set_buffering(&mut self, mode: Buffering) -> Result<()> {
        self.flush()?;
        self.buffering = mode;
        Ok(())
    }

    /// Closes the file, waiting for the process of a pipe, whose status it
    /// returns.
    pub fn close(mut self) -> Result<Option<ExitStatus>> {
        let flushed = self.flush();
        let child = self.child.take();
        // The process sees the end of its input only now.
        drop(self);
        let status = match child {
            Some(mut c) => Some(c.0.wait()?),
            None => None,
        };
        flushed.map(|()| status)
    }

    /// Puts the file's own position where the reader is.
    fn forget_ahead(&mut self) -> Result<()> {
        let unread = self.ahead.len() - self.taken;
        if unread > 0 {
            self.file.seek(SeekFrom::Current(-(unread as i64)))?;
        }
        self.ahead.clear();
        self.taken = 0;
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let bytes = self.fill_buf()?;
        let n = bytes.len().min(out.len());
        out[..n].copy_from_slice(&bytes[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.taken == self.ahead.len() {
            if !self.access.read {
                return Err(Error::from_raw_os_error(BAD_DESCRIPTOR));
            }
            self.flush()?;
            self.taken = 0;
            self.ahead.resize(BUFFER, 0);
            let n = loop {
                match self.file.read(&mut self.ahead) {
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            self.ahead.truncate(*n.as_ref().unwrap_or(&0));
            n?;
        }
        Ok(&self.ahead[self.taken..])
    }

    fn consume(&mut self, n: usize) {
        self.taken = (self.taken + n).min(self.ahead.len());
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // A collected file has no one to report to.
        let _ = self.flush();
    }
}

/// Whether `mode` is a mode of `io.open`: `[rwa]%+?b*`.
pub fn valid_mode(mode: &[u8]) -> bool {
    let Some((b'r' | b'w' | b'a', rest)) = mode.split_first() else {
        return false;
    };
    let rest = rest.strip_prefix(b"+").unwrap_or(rest);
    rest.iter().all(|&b| b == b'b')
}
