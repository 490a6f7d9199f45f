//! References to heap objects.
//!
//! [`Gc`] is a plain pointer. The collector is precise and non-moving and has
//! one rule, on which the soundness of every dereference in this crate rests:
//!
//! > **GC discipline.** Collection runs only at polls and at calls into Lua,
//! > never inside an allocation. Between two such points any `Gc` obtained
//! > from a live VM may be used freely. Across such a point it must be
//! > reachable from a root: a VM stack slot below the running frame's top, a
//! > table that is itself reachable, or a [`Rooted`](crate::vm::VmState::pin)
//! > entry.
//!
//! References never outlive their VM: `Gc` is neither `Send` nor `Sync`.

use std::marker::PhantomData;
use std::ptr::NonNull;

/// A reference to a heap object of type `T`; see the module's discipline.
#[repr(transparent)]
pub struct Gc<T> {
    ptr: NonNull<T>,
    not_send: PhantomData<*mut T>,
}

impl<T> Clone for Gc<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Gc<T> {}

impl<T> PartialEq for Gc<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.ptr == other.ptr
    }
}

impl<T> Eq for Gc<T> {}

impl<T> std::hash::Hash for Gc<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.addr().hash(state);
    }
}

impl<T> std::fmt::Debug for Gc<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:p}", self.ptr)
    }
}

impl<T> Gc<T> {
    /// Wraps a pointer to a live object.
    ///
    /// # Safety
    /// `ptr` is non-null and points to an initialised `T` of this VM's heap.
    #[inline]
    #[must_use]
    pub unsafe fn from_ptr(ptr: *mut T) -> Self {
        Gc {
            // SAFETY: non-null by contract.
            ptr: unsafe { NonNull::new_unchecked(ptr) },
            not_send: PhantomData,
        }
    }

    /// Reads the pointer in a value's payload whose tag was checked.
    #[inline]
    pub(crate) fn from_payload(payload: u64) -> Self {
        // SAFETY: only called after the tag proved the payload to be a pointer
        // to a `T`; such payloads are never null.
        unsafe { Self::from_ptr(payload as *mut T) }
    }

    /// The address, as stored in payloads.
    #[inline]
    #[must_use]
    pub fn addr(self) -> u64 {
        self.ptr.as_ptr() as u64
    }

    /// The raw pointer.
    #[inline]
    #[must_use]
    pub fn as_ptr(self) -> *mut T {
        self.ptr.as_ptr()
    }
}

impl<T> std::ops::Deref for Gc<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the GC discipline keeps the object alive; objects are only
        // mutated through raw field writes on the VM's own thread, and no
        // `&mut` to an object is ever formed while a `Gc` is dereferenced.
        unsafe { self.ptr.as_ref() }
    }
}
