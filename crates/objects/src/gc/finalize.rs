//! Finalizers: the metamethod `__gc`.
//!
//! An object is marked for finalization when it gets a metatable that has the
//! metamethod. In the cycle that finds it dead it is kept (with all it refers
//! to) and queued; the finalizer runs at an open poll. Then it is an object
//! like any other again. As in PUC Lua, finalizers run in the reverse order of
//! marking, errors in them become warnings, and no collection goes on
//! meanwhile.

use super::VmState;
use crate::frame::{FrameKind, flags};
use crate::gcref::Gc;
use crate::meta::Event;
use crate::object::{Header, header_flags};
use crate::table::Table;
use crate::value::{Tag, Value};
use crate::vm::Handler;

fn header(v: Value) -> *mut Header {
    v.payload as *mut Header
}

impl VmState {
    /// Marks a table or userdata for finalization if its (new) metatable `mt`
    /// has `__gc`.
    #[inline]
    pub fn note_finalizer(&mut self, v: Value, mt: Gc<Table>) {
        if !self.meta_of(mt, Event::Gc).is_nil() {
            self.mark_for_finalization(v);
        }
    }

    #[cold]
    fn mark_for_finalization(&mut self, v: Value) {
        debug_assert!(matches!(v.tag, Tag::TABLE | Tag::USERDATA));
        // SAFETY: a live object; single writer.
        let flags = unsafe { &mut (*header(v)).flags };
        if *flags & header_flags::FINALIZABLE == 0 && !self.gc.closing {
            *flags |= header_flags::FINALIZABLE;
            self.gc.finalizable.push(v);
        }
    }

    /// Queues the dead ones (or `all`) among the objects with a finalizer.
    pub(super) fn separate_finalizable(&mut self, all: bool) {
        let list = std::mem::take(&mut self.gc.finalizable);
        let mut kept = Vec::with_capacity(list.len());
        for &v in list.iter().rev() {
            if all || !self.heap.is_marked(header(v)) {
                self.gc.pending.push_back(v);
            } else {
                kept.push(v);
            }
        }
        kept.reverse();
        self.gc.finalizable = kept;
    }

    /// Marks what the queued finalizers will need.
    pub(super) fn mark_pending(&mut self) {
        for i in 0..self.gc.pending.len() {
            let v = self.gc.pending[i];
            self.heap.mark_value(v);
        }
    }

    /// Calls at most `limit` pending finalizers. An open poll.
    pub(super) fn run_finalizers(&mut self, limit: usize) {
        for _ in 0..limit {
            let Some(v) = self.gc.pending.pop_front() else {
                return;
            };
            self.run_finalizer(v);
        }
    }

    fn run_finalizer(&mut self, v: Value) {
        // SAFETY: a live object; single writer.
        unsafe { (*header(v)).flags &= !header_flags::FINALIZABLE };
        self.barrier(v);
        let f = self.metamethod(v, Event::Gc);
        if f.is_nil() {
            return;
        }
        let (top, frame) = (self.top, self.frame);
        let (handler, error) = (self.handler, self.error);
        let (handled, traceback) = (self.error_handled, self.error_traceback.take());
        let (ret_base, ret_count) = (self.ret_base, self.ret_count);
        // SAFETY: the running frame's record.
        let (kind, old_flags) = unsafe { ((*frame).kind, (*frame).flags) };
        if kind == FrameKind::INTERPRETED || kind == FrameKind::COMPILED {
            self.top = self.frame_end();
        }
        // SAFETY: as above. The frame stands between two instructions, not in
        // a call.
        unsafe { (*frame).flags |= flags::POLL };
        let collecting = std::mem::replace(&mut self.gc.in_finalizer, true);
        // Both may be needed by the frames below.
        self.pin(handler.function);
        self.pin(error);
        self.handler = Handler::NONE;
        let unyieldable = self.forbid_yield(true);
        let hooks_off = self.hooks_off(true);
        let result = self.protected_call(f, &[v]);
        self.hooks_off(hooks_off);
        self.forbid_yield(unyieldable);
        if let Err(e) = result {
            self.warn_of_error("__gc", e);
        }
        self.handler = handler;
        self.error = error;
        self.unpin();
        self.unpin();
        self.gc.in_finalizer = collecting;
        // SAFETY: as above.
        unsafe { (*frame).flags = old_flags };
        self.top = top;
        self.frame = frame;
        self.error_handled = handled;
        self.error_traceback = traceback;
        (self.ret_base, self.ret_count) = (ret_base, ret_count);
        if self.heap.debt() > 0 {
            self.heap.request_poll();
        }
    }

    /// A warning about an error where none can be raised.
    pub fn warn_of_error(&mut self, place: &str, e: Value) {
        let mut text = format!("error in {place} (").into_bytes();
        match self.coerce_str(e) {
            Some(s) => text.extend_from_slice(s.bytes()),
            None => text.extend_from_slice(b"error object is not a string"),
        }
        text.push(b')');
        (self.warn)(self, &text);
    }

    /// Closes the main program's pending variables and calls the finalizers of
    /// all objects that have one, as at the end of a program. No finalizer is
    /// accepted afterwards; a finalizer that closes has the ones after it
    /// called.
    pub fn close(&mut self) {
        self.close_main_variables();
        if !self.gc.closing {
            self.gc.closing = true;
            self.separate_finalizable(true);
        }
        self.run_finalizers(usize::MAX);
    }
}
