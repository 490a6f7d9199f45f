//! The linking session and the objects linked in it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use inkwell::targets::TargetMachine;
use llvm_sys::core::LLVMCreateMemoryBufferWithMemoryRangeCopy;
use llvm_sys::error::{LLVMDisposeErrorMessage, LLVMErrorRef, LLVMGetErrorMessage};
use llvm_sys::orc2::ee::{
    LLVMOrcCreateObjectLinkingLayerWithInProcessMemoryManager,
    LLVMOrcCreateRTDyldObjectLinkingLayerWithSectionMemoryManager,
};
use llvm_sys::orc2::lljit::{
    LLVMOrcCreateLLJIT, LLVMOrcCreateLLJITBuilder, LLVMOrcDisposeLLJIT,
    LLVMOrcLLJITAddObjectFileWithRT, LLVMOrcLLJITBuilderSetJITTargetMachineBuilder,
    LLVMOrcLLJITBuilderSetObjectLinkingLayerCreator, LLVMOrcLLJITGetExecutionSession,
    LLVMOrcLLJITGetGlobalPrefix, LLVMOrcOpaqueLLJIT,
};
use llvm_sys::orc2::{
    LLVMJITEvaluatedSymbol, LLVMJITSymbolFlags, LLVMJITSymbolGenericFlags, LLVMOrcAbsoluteSymbols,
    LLVMOrcCJITDylibSearchOrderElement, LLVMOrcCLookupSet, LLVMOrcCLookupSetElement,
    LLVMOrcCSymbolMapPair, LLVMOrcCSymbolMapPairs, LLVMOrcCreateCustomCAPIDefinitionGenerator,
    LLVMOrcDefinitionGeneratorRef, LLVMOrcDisposeMaterializationUnit,
    LLVMOrcExecutionSessionCreateBareJITDylib, LLVMOrcExecutionSessionGetSymbolStringPool,
    LLVMOrcExecutionSessionIntern, LLVMOrcExecutionSessionLookup, LLVMOrcExecutionSessionRef,
    LLVMOrcExecutionSessionSetErrorReporter, LLVMOrcJITDylibAddGenerator,
    LLVMOrcJITDylibCreateResourceTracker, LLVMOrcJITDylibDefine, LLVMOrcJITDylibLookupFlags,
    LLVMOrcJITDylibRef, LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine, LLVMOrcLookupKind,
    LLVMOrcLookupStateRef, LLVMOrcObjectLayerRef, LLVMOrcOpaqueJITDylib,
    LLVMOrcOpaqueResourceTracker, LLVMOrcReleaseResourceTracker, LLVMOrcResourceTrackerRemove,
    LLVMOrcRetainSymbolStringPoolEntry, LLVMOrcSymbolLookupFlags,
    LLVMOrcSymbolStringPoolClearDeadEntries, LLVMOrcSymbolStringPoolEntryStr,
};
use parking_lot::{Mutex, RwLock};

use super::{ObjectCode, OrcError, Symbols};

/// Address of linked code or of a helper in this process.
pub type Address = u64;

/// How often the names of removed symbols are freed, in removals. Small against the
/// cost of a removal, large enough to walk the pool rarely.
const PURGE_EVERY: u64 = 1024;

/// How many dylibs are shared: so many objects of equal names find room in them,
/// further ones get a dylib each.
const PROBES: usize = 8;

/// A just-in-time linker. Clones share one session.
#[derive(Clone, Debug)]
pub struct Jit {
    session: Arc<Session>,
}

/// Counts of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitStats {
    /// Objects linked since the start.
    pub linked: u64,
    /// Objects removed since the start.
    pub removed: u64,
    /// Removals that LLVM refused; the memory of each is lost.
    pub failed_removals: u64,
    /// Dylibs made: at most the largest number of objects that lived at once.
    pub dylibs: u64,
}

type Helpers = RwLock<HashMap<CString, Address>>;

struct Session {
    lljit: NonNull<LLVMOrcOpaqueLLJIT>,
    execution: LLVMOrcExecutionSessionRef,
    /// Read by the definition generators of the dylibs through a pointer: boxed, so
    /// that it stays in place, and dropped after the session that reads it.
    helpers: Box<Helpers>,
    places: Mutex<Places>,
    /// Held while an object is linked: with two at once a thread may run the
    /// other's work, and the causes of a failure would be reported there.
    linking: Mutex<()>,
    dylibs: AtomicU64,
    linked: AtomicU64,
    removed: AtomicU64,
    failed_removals: AtomicU64,
}

// SAFETY: ORC's execution session, LLJIT and JITLink layer lock what they share and
// may be called from any thread; the C functions used here add no state of their own.
// The pointers are owned by this struct alone and freed once, in `drop`.
unsafe impl Send for Session {}
// SAFETY: as above; everything else in the struct is `Sync` by itself.
unsafe impl Sync for Session {}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Which dylibs there are and what is in them.
#[derive(Default)]
struct Places {
    /// Dylibs of closed objects, which refer to nothing outside themselves.
    shared: Vec<SharedDylib>,
    /// Indices of those after the first [`PROBES`] that have no object. Each of these
    /// holds one object at a time.
    empty: Vec<usize>,
    /// Unused dylibs of objects that refer to helpers.
    free: Vec<Dylib>,
}

struct SharedDylib {
    dylib: Dylib,
    /// Names that its live objects define.
    names: HashSet<Box<[u8]>>,
}

/// Where an object is.
#[derive(Clone, Copy)]
struct Place {
    dylib: Dylib,
    /// Index in [`Places::shared`]; `None` for a dylib of its own.
    shared: Option<usize>,
}

/// A dylib of the session; the session frees it.
#[derive(Clone, Copy)]
struct Dylib(NonNull<LLVMOrcOpaqueJITDylib>);

// SAFETY: a dylib is guarded by its session's lock, in whichever thread it is used.
unsafe impl Send for Dylib {}
// SAFETY: as above.
unsafe impl Sync for Dylib {}

/// The part of a dylib that one object takes.
struct Tracker(NonNull<LLVMOrcOpaqueResourceTracker>);

// SAFETY: trackers are reference counted atomically and guarded by the session's lock.
unsafe impl Send for Tracker {}
// SAFETY: as above.
unsafe impl Sync for Tracker {}

thread_local! {
    /// What the session reported, as opposed to returned, in this thread. Linking
    /// runs in the thread that asks for it, so these are the causes of the error
    /// that it is about to return.
    static REPORTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

extern "C" fn report(_: *mut c_void, error: LLVMErrorRef) {
    // SAFETY: ORC hands over ownership of an error.
    let message = unsafe { take_message(error) };
    // A thread that is being torn down has nobody left to tell.
    let _ = REPORTED.try_with(|all| all.borrow_mut().push(message));
}

/// # Safety
/// `error` must be an error that the caller owns, not null.
unsafe fn take_message(error: LLVMErrorRef) -> String {
    // SAFETY: by the caller; the message is a C string that we own.
    unsafe {
        let text = LLVMGetErrorMessage(error);
        let message = CStr::from_ptr(text).to_string_lossy().into_owned();
        LLVMDisposeErrorMessage(text);
        message
    }
}

/// # Safety
/// `error` must be null or an error that the caller owns.
unsafe fn check(error: LLVMErrorRef) -> Result<(), String> {
    if error.is_null() {
        Ok(())
    } else {
        // SAFETY: by the caller, and not null.
        Err(unsafe { take_message(error) })
    }
}

/// Makes the JITLink layer; leaves the message in `failure` when that fails.
extern "C" fn create_layer(
    failure: *mut c_void,
    session: LLVMOrcExecutionSessionRef,
    _: *const c_char,
) -> LLVMOrcObjectLayerRef {
    let mut layer = ptr::null_mut();
    // SAFETY: ORC passes its session and the pointer given in `Jit::new`, which is to
    // an `Option<String>` that lives during the call. A layer must be returned in any
    // case; the old one cannot fail, and `Jit::new` throws it away.
    unsafe {
        let error =
            LLVMOrcCreateObjectLinkingLayerWithInProcessMemoryManager(&raw mut layer, session);
        if let Err(message) = check(error) {
            *failure.cast::<Option<String>>() = Some(message);
            layer = LLVMOrcCreateRTDyldObjectLinkingLayerWithSectionMemoryManager(session);
        }
    }
    layer
}

/// Defines those of the wanted symbols that are helpers.
extern "C" fn define_wanted(
    _: LLVMOrcDefinitionGeneratorRef,
    helpers: *mut c_void,
    _: *mut LLVMOrcLookupStateRef,
    _: LLVMOrcLookupKind,
    dylib: LLVMOrcJITDylibRef,
    _: LLVMOrcJITDylibLookupFlags,
    wanted: LLVMOrcCLookupSet,
    count: usize,
) -> LLVMErrorRef {
    // SAFETY: `helpers` is the table of the session, which outlives its dylibs;
    // `wanted` is an array of `count` names, borrowed during the call. A name that
    // goes into a pair is retained for it, and the pairs' unit takes it over.
    unsafe {
        let helpers = (*helpers.cast::<Helpers>()).read();
        let mut found = Vec::new();
        for index in 0..count {
            let name = (*wanted.add(index)).Name;
            let text = CStr::from_ptr(LLVMOrcSymbolStringPoolEntryStr(name));
            if let Some(&address) = helpers.get(text) {
                LLVMOrcRetainSymbolStringPoolEntry(name);
                found.push(LLVMOrcCSymbolMapPair {
                    Name: name,
                    Sym: absolute(address),
                });
            }
        }
        if found.is_empty() {
            return ptr::null_mut();
        }
        let unit = LLVMOrcAbsoluteSymbols(found.as_mut_ptr(), found.len());
        let error = LLVMOrcJITDylibDefine(dylib, unit);
        if !error.is_null() {
            LLVMOrcDisposeMaterializationUnit(unit);
        }
        error
    }
}

extern "C" fn forget_helpers(_: *mut c_void) {}

fn absolute(address: Address) -> LLVMJITEvaluatedSymbol {
    let exported = LLVMJITSymbolGenericFlags::LLVMJITSymbolGenericFlagsExported as u8;
    let callable = LLVMJITSymbolGenericFlags::LLVMJITSymbolGenericFlagsCallable as u8;
    LLVMJITEvaluatedSymbol {
        Address: address,
        Flags: LLVMJITSymbolFlags {
            GenericFlags: exported | callable,
            TargetFlags: 0,
        },
    }
}

impl Jit {
    /// Starts a session that links code for `machine`, in this process's memory.
    ///
    /// # Errors
    /// [`OrcError::Start`] when LLVM cannot set it up.
    pub fn new(machine: TargetMachine) -> Result<Self, OrcError> {
        let machine = ManuallyDrop::new(machine);
        let mut failure: Option<String> = None;
        let mut lljit = ptr::null_mut();
        // SAFETY: the target machine builder takes over the machine, the LLJIT builder
        // takes over that, and creation takes over the LLJIT builder; the layer is
        // created within that call, while `failure` lives.
        let created = unsafe {
            let builder = LLVMOrcCreateLLJITBuilder();
            let target =
                LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(machine.as_mut_ptr());
            LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(builder, target);
            LLVMOrcLLJITBuilderSetObjectLinkingLayerCreator(
                builder,
                create_layer,
                (&raw mut failure).cast(),
            );
            check(LLVMOrcCreateLLJIT(&raw mut lljit, builder))
        };
        created.map_err(|message| OrcError::Start { message })?;
        let lljit = NonNull::new(lljit).ok_or_else(|| OrcError::Start {
            message: "LLVM returned no session".to_owned(),
        })?;
        // SAFETY: the session is live and belongs to the LLJIT; the reporter needs no
        // context.
        let execution = unsafe {
            let execution = LLVMOrcLLJITGetExecutionSession(lljit.as_ptr());
            LLVMOrcExecutionSessionSetErrorReporter(execution, report, ptr::null_mut());
            execution
        };
        // From here on, dropping the session frees the LLJIT.
        let session = Session {
            lljit,
            execution,
            helpers: Box::default(),
            places: Mutex::default(),
            linking: Mutex::default(),
            dylibs: AtomicU64::new(0),
            linked: AtomicU64::new(0),
            removed: AtomicU64::new(0),
            failed_removals: AtomicU64::new(0),
        };
        match failure {
            None => Ok(Self {
                session: Arc::new(session),
            }),
            Some(message) => Err(OrcError::Start { message }),
        }
    }

    /// Makes `address` visible to all code under `name`, also to code linked before
    /// that has not referred to the name yet.
    ///
    /// # Errors
    /// [`OrcError::HelperRedefined`] if the name has another address,
    /// [`OrcError::BadName`] if it has a zero byte.
    pub fn define_helper(&self, name: &str, address: Address) -> Result<(), OrcError> {
        let key = self.session.mangled(name)?;
        let mut helpers = self.session.helpers.write();
        match helpers.get(&key) {
            Some(&known) if known != address => Err(OrcError::HelperRedefined {
                name: name.to_owned(),
            }),
            _ => {
                helpers.insert(key, address);
                Ok(())
            }
        }
    }

    /// Links an object and resolves `names` in it, which must be at least one: the
    /// linker loads nothing that nobody asks for. When this returns, the code is in
    /// executable memory.
    ///
    /// # Errors
    /// [`OrcError::NotObjectCode`] for bytes of another kind,
    /// [`OrcError::NoSymbol`] for a name that the object does not define,
    /// [`OrcError::Link`] for references that cannot be resolved. Nothing stays
    /// loaded after an error.
    pub fn link(&self, code: &ObjectCode, names: &[&str]) -> Result<LinkedObject, OrcError> {
        code.sections()?;
        let Symbols { defined, undefined } = code.symbols()?;
        let session = &self.session;
        let mut wanted = Vec::with_capacity(names.len());
        for &name in names {
            let mangled = session.mangled(name)?;
            if !defined.iter().any(|known| **known == *mangled.as_bytes()) {
                return Err(OrcError::NoSymbol {
                    name: name.to_owned(),
                });
            }
            wanted.push(mangled);
        }
        if wanted.is_empty() {
            return Err(OrcError::NoSymbol {
                name: String::new(),
            });
        }
        let _one_at_a_time = session.linking.lock();
        REPORTED.with(|all| all.borrow_mut().clear());
        let place = session.take_place(&defined, !undefined.is_empty())?;
        // SAFETY: the dylib is live.
        let tracker = unsafe { LLVMOrcJITDylibCreateResourceTracker(place.dylib.0.as_ptr()) };
        let tracker = NonNull::new(tracker).ok_or_else(|| OrcError::Start {
            message: "LLVM returned no tracker".to_owned(),
        })?;
        let mut object = LinkedObject {
            session: Arc::clone(session),
            place,
            tracker: Some(Tracker(tracker)),
            defined,
            resolved: Vec::with_capacity(names.len()),
        };
        session.linked.fetch_add(1, Ordering::Relaxed);

        // SAFETY: the buffer is a copy of the bytes, which the call takes over, also
        // when it fails; the tracker is live.
        let added = unsafe {
            let buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(
                code.bytes().as_ptr().cast(),
                code.bytes().len(),
                c"object".as_ptr(),
            );
            check(LLVMOrcLLJITAddObjectFileWithRT(
                session.lljit.as_ptr(),
                tracker.as_ptr(),
                buffer,
            ))
        };
        added.map_err(|reason| OrcError::NotObjectCode { reason })?;
        object.resolved = session.lookup(place.dylib, wanted)?;
        Ok(object)
    }

    /// Counts since the session started.
    #[must_use]
    pub fn stats(&self) -> JitStats {
        self.session.stats()
    }
}

impl Session {
    fn stats(&self) -> JitStats {
        JitStats {
            linked: self.linked.load(Ordering::Relaxed),
            removed: self.removed.load(Ordering::Relaxed),
            failed_removals: self.failed_removals.load(Ordering::Relaxed),
            dylibs: self.dylibs.load(Ordering::Relaxed),
        }
    }

    /// The name as the object format spells it.
    fn mangled(&self, name: &str) -> Result<CString, OrcError> {
        // SAFETY: the LLJIT is live.
        let prefix = unsafe { LLVMOrcLLJITGetGlobalPrefix(self.lljit.as_ptr()) };
        let prefix = (prefix != 0).then_some(prefix.cast_unsigned());
        CString::new(prefix.into_iter().chain(name.bytes()).collect::<Vec<u8>>()).map_err(|_| {
            OrcError::BadName {
                name: name.to_owned(),
            }
        })
    }

    /// A place for an object that defines these names.
    fn take_place(&self, defined: &[Box<[u8]>], needs_helpers: bool) -> Result<Place, OrcError> {
        let mut places = self.places.lock();
        if needs_helpers {
            let dylib = match places.free.pop() {
                Some(dylib) => dylib,
                None => self.new_dylib(true)?,
            };
            return Ok(Place {
                dylib,
                shared: None,
            });
        }
        let fits = |place: &SharedDylib| !defined.iter().any(|name| place.names.contains(name));
        let tried = places.shared.len().min(PROBES);
        let index = match (0..tried).find(|&index| fits(&places.shared[index])) {
            Some(index) => index,
            None => match places.empty.pop() {
                Some(index) => index,
                None => {
                    let dylib = self.new_dylib(false)?;
                    places.shared.push(SharedDylib {
                        dylib,
                        names: HashSet::new(),
                    });
                    places.shared.len() - 1
                }
            },
        };
        let place = &mut places.shared[index];
        place.names.extend(defined.iter().cloned());
        Ok(Place {
            dylib: place.dylib,
            shared: Some(index),
        })
    }

    fn leave_place(&self, place: Place, defined: &[Box<[u8]>]) {
        let mut places = self.places.lock();
        match place.shared {
            None => places.free.push(place.dylib),
            Some(index) => {
                let names = &mut places.shared[index].names;
                for name in defined {
                    names.remove(name);
                }
                if index >= PROBES && names.is_empty() {
                    places.empty.push(index);
                }
            }
        }
    }

    fn new_dylib(&self, sees_helpers: bool) -> Result<Dylib, OrcError> {
        let number = self.dylibs.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("object-{number}")).expect("digits have no zero byte");
        // SAFETY: the session is live and the name used once. The generator is handed
        // over to the dylib; the helper table that it reads outlives the session.
        unsafe {
            let dylib = LLVMOrcExecutionSessionCreateBareJITDylib(self.execution, name.as_ptr());
            let dylib = NonNull::new(dylib).ok_or_else(|| OrcError::Start {
                message: "LLVM returned no dylib".to_owned(),
            })?;
            if sees_helpers {
                let generator = LLVMOrcCreateCustomCAPIDefinitionGenerator(
                    define_wanted,
                    ptr::from_ref::<Helpers>(&self.helpers).cast_mut().cast(),
                    forget_helpers,
                );
                LLVMOrcJITDylibAddGenerator(dylib.as_ptr(), generator);
            }
            Ok(Dylib(dylib))
        }
    }

    /// Resolves names in one dylib, linking what defines them.
    fn lookup(
        &self,
        dylib: Dylib,
        names: Vec<CString>,
    ) -> Result<Vec<(CString, Address)>, OrcError> {
        let (sender, receiver) = mpsc::channel::<Answer>();
        let context = Box::into_raw(Box::new(sender));
        // SAFETY: the interned names are handed over to the lookup, the arrays are read
        // during the call, and the handler, which runs once, frees `context`.
        unsafe {
            let mut set: Vec<LLVMOrcCLookupSetElement> = names
                .iter()
                .map(|name| LLVMOrcCLookupSetElement {
                    Name: LLVMOrcExecutionSessionIntern(self.execution, name.as_ptr()),
                    LookupFlags: LLVMOrcSymbolLookupFlags::LLVMOrcSymbolLookupFlagsRequiredSymbol,
                })
                .collect();
            let mut order = [LLVMOrcCJITDylibSearchOrderElement {
                JD: dylib.0.as_ptr(),
                JDLookupFlags:
                    LLVMOrcJITDylibLookupFlags::LLVMOrcJITDylibLookupFlagsMatchAllSymbols,
            }];
            LLVMOrcExecutionSessionLookup(
                self.execution,
                LLVMOrcLookupKind::LLVMOrcLookupKindStatic,
                order.as_mut_ptr(),
                order.len(),
                set.as_mut_ptr(),
                set.len(),
                answer,
                context.cast(),
            );
        }
        let answer = receiver
            .recv()
            .unwrap_or_else(|_| Err("lookup was abandoned".to_owned()));
        answer.map_err(|message| {
            // What was reported are the causes; the message says what failed.
            let mut parts = REPORTED.with(RefCell::take);
            parts.push(message);
            OrcError::Link {
                message: parts.join("; "),
            }
        })
    }

    fn remove(
        &self,
        tracker: Tracker,
        place: Place,
        defined: &[Box<[u8]>],
    ) -> Result<(), OrcError> {
        // SAFETY: the tracker is live; it is released once, here.
        let removed = unsafe {
            let removed = check(LLVMOrcResourceTrackerRemove(tracker.0.as_ptr()));
            LLVMOrcReleaseResourceTracker(tracker.0.as_ptr());
            removed
        };
        if let Err(message) = removed {
            self.failed_removals.fetch_add(1, Ordering::Relaxed);
            return Err(OrcError::Remove { message });
        }
        self.leave_place(place, defined);
        if self.removed.fetch_add(1, Ordering::Relaxed) % PURGE_EVERY == PURGE_EVERY - 1 {
            // SAFETY: the session is live; the pool has its own lock.
            unsafe {
                let pool = LLVMOrcExecutionSessionGetSymbolStringPool(self.execution);
                LLVMOrcSymbolStringPoolClearDeadEntries(pool);
            }
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: objects hold the session, so none is left; the LLJIT is freed once.
        // An error here concerns code that is gone anyway.
        let _ = unsafe { check(LLVMOrcDisposeLLJIT(self.lljit.as_ptr())) };
    }
}

type Answer = Result<Vec<(CString, Address)>, String>;

extern "C" fn answer(
    error: LLVMErrorRef,
    pairs: LLVMOrcCSymbolMapPairs,
    count: usize,
    context: *mut c_void,
) {
    // SAFETY: ORC passes the error's ownership, or else `count` pairs borrowed during
    // the call, and the box made by `Session::lookup`, once.
    unsafe {
        let sender = Box::from_raw(context.cast::<mpsc::Sender<Answer>>());
        let answer = check(error).map(|()| {
            (0..count)
                .map(|index| {
                    let pair = pairs.add(index);
                    let name = CStr::from_ptr(LLVMOrcSymbolStringPoolEntryStr((*pair).Name));
                    (name.to_owned(), (*pair).Sym.Address)
                })
                .collect()
        });
        // The receiver is gone only if its thread died.
        let _ = sender.send(answer);
    }
}

/// Code in executable memory. Dropping it, or [`LinkedObject::remove`], unmaps it:
/// the owner must know that no thread runs it and nothing will call it again.
#[must_use = "dropping it unmaps the code"]
pub struct LinkedObject {
    session: Arc<Session>,
    place: Place,
    /// `None` once removed.
    tracker: Option<Tracker>,
    /// The names that the object defines.
    defined: Vec<Box<[u8]>>,
    /// Those of them with a known address.
    resolved: Vec<(CString, Address)>,
}

impl std::fmt::Debug for LinkedObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkedObject")
            .field("resolved", &self.resolved)
            .finish_non_exhaustive()
    }
}

impl LinkedObject {
    /// The address of a symbol of the object, valid until the object is removed.
    /// Free for names that were given to [`Jit::link`].
    ///
    /// # Errors
    /// [`OrcError::NoSymbol`] when the object does not define the name.
    pub fn lookup(&self, name: &str) -> Result<Address, OrcError> {
        let mangled = self.session.mangled(name)?;
        if let Some((_, address)) = self.resolved.iter().find(|(known, _)| *known == mangled) {
            return Ok(*address);
        }
        let missing = || OrcError::NoSymbol {
            name: name.to_owned(),
        };
        if !self
            .defined
            .iter()
            .any(|known| **known == *mangled.as_bytes())
        {
            return Err(missing());
        }
        REPORTED.with(|all| all.borrow_mut().clear());
        let found = self.session.lookup(self.place.dylib, vec![mangled])?;
        found
            .first()
            .map(|&(_, address)| address)
            .ok_or_else(missing)
    }

    /// Unmaps the code and gives its memory back.
    ///
    /// # Errors
    /// [`OrcError::Remove`] when LLVM refuses; the memory is then lost.
    pub fn remove(mut self) -> Result<(), OrcError> {
        match self.tracker.take() {
            Some(tracker) => self.session.remove(tracker, self.place, &self.defined),
            None => Ok(()),
        }
    }
}

impl Drop for LinkedObject {
    fn drop(&mut self) {
        if let Some(tracker) = self.tracker.take() {
            // A failure is counted in the session's statistics.
            let _ = self.session.remove(tracker, self.place, &self.defined);
        }
    }
}
