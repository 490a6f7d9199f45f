//! Coroutines.

use crate::context::{Context, state};
use crate::convert::{FromValues, IntoValues};
use crate::error::{Error, Result};
use crate::function::protect;
use crate::handle::Handle;
use crate::value::Value;
use vela_objects::{Gc, VmState};

/// What a coroutine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadStatus {
    /// It can be resumed: it has not started, or has yielded.
    Resumable,
    /// It runs, or waits for a coroutine that it has resumed.
    Running,
    /// It has returned, or was closed.
    Finished,
    /// It has raised an error.
    Failed,
}

/// A coroutine.
///
/// ```
/// # fn main() -> vela::Result<()> {
/// let mut vm = vela::Vm::new(vela::VmConfig::default())?;
/// let f: vela::Function = vm
///     .chunk("function(n) for i = 1, n do coroutine.yield(i) end return 'done' end")
///     .eval()?;
/// let thread = vm.thread(&f)?;
/// assert_eq!(thread.resume::<i64>(&mut vm, 2)?, 1);
/// assert_eq!(thread.resume::<i64>(&mut vm, ())?, 2);
/// assert_eq!(thread.resume::<String>(&mut vm, ())?, "done");
/// assert_eq!(thread.status(&mut vm)?, vela::ThreadStatus::Finished);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Thread(pub(crate) Handle);

impl Thread {
    fn raw(&self, vm: &mut VmState) -> Result<Gc<vela_objects::Thread>> {
        self.0.get(vm)?.as_thread().ok_or(Error::WrongVm)
    }

    /// Runs the coroutine until it yields or returns. `args` are those of its
    /// function at first, later what `coroutine.yield` returns.
    ///
    /// # Errors
    /// [`Error::Runtime`] if it raises an error or cannot be resumed, and as
    /// [`Function::call`](crate::Function::call).
    pub fn resume<R: FromValues>(&self, cx: &mut dyn Context, args: impl IntoValues) -> Result<R> {
        let args = cx.values_of(args)?;
        let vm = state(cx);
        let t = self.raw(vm)?;
        let mut raw = Vec::with_capacity(args.len());
        for v in &*args {
            raw.push(v.lower(vm)?);
        }
        let mut failed = false;
        let values = protect(vm, |vm| {
            // Resuming may collect: what is handed over is on the stack.
            let height = vm.height();
            for &v in &raw {
                vm.push(v)?;
            }
            let outcome = vm.resume_thread(t, &raw);
            let n = match outcome {
                Ok(n) => n as usize,
                Err(e) => {
                    failed = true;
                    return Err(vm.throw(e));
                }
            };
            let values = (0..n).rev().map(|i| {
                let v = vm.peek(i);
                Value::lift(vm, v)
            });
            let values = values.collect();
            vm.truncate(height);
            Ok(values)
        });
        let values = values.map_err(|e| match e {
            // The stack that matters is the coroutine's.
            Error::Runtime(mut e) if failed => {
                let frames = vm.with_frames_of(t, |vm| vm.traceback(None, 0));
                e.traceback = Some(frames);
                Error::Runtime(e)
            }
            e => e,
        })?;
        R::from_values(values, cx)
    }

    /// What the coroutine is doing.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub fn status(&self, cx: &mut dyn Context) -> Result<ThreadStatus> {
        use vela_objects::thread::Status;
        Ok(match self.raw(state(cx))?.status() {
            Status::New | Status::Suspended => ThreadStatus::Resumable,
            Status::Running | Status::Normal => ThreadStatus::Running,
            Status::Dead => ThreadStatus::Finished,
            Status::Failed => ThreadStatus::Failed,
        })
    }

    /// Ends the coroutine, closing its pending variables.
    ///
    /// # Errors
    /// The error that it had failed with, or that closing a variable raised;
    /// if it is running.
    pub fn close(&self, cx: &mut dyn Context) -> Result<()> {
        if self.status(cx)? == ThreadStatus::Running {
            return Err(Error::message("cannot close a running coroutine"));
        }
        let vm = state(cx);
        let t = self.raw(vm)?;
        protect(vm, |vm| match vm.close_thread(t) {
            Ok(()) => Ok(()),
            Err(e) => Err(vm.throw(e)),
        })
    }
}
