//! Values of hosts in a VM.

use crate::context::{Context, state, state_ref};
use crate::convert::{FromValues, IntoValue, IntoValues};
use crate::error::{Error, Result};
use crate::function::{self, Callback, arguments, native, results};
use crate::handle::{self, Handle};
use crate::table::Table;
use crate::value::Value;
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use vela_objects::{Args, Gc, NativeResult, VmState};
use vela_stdlib::args::type_error;

/// A type whose values Lua code can use: what it may do with them.
///
/// ```
/// use vela::{Class, Definition, Meta, Vm, VmConfig};
///
/// struct Point { x: f64, y: f64 }
///
/// impl Class for Point {
///     const NAME: &'static str = "Point";
///
///     fn define(class: &mut Definition<Self>) {
///         class.field("x", |p| p.x).field_mut("y", |p| p.y, |p, y| p.y = y);
///         class.method("norm", |_, p, ()| Ok(p.x.hypot(p.y)));
///         class.method_mut("scale", |_, p, k: f64| {
///             p.x *= k;
///             p.y *= k;
///             Ok(())
///         });
///         class.meta(Meta::Len, |_, _, ()| Ok(2));
///     }
/// }
///
/// # fn main() -> vela::Result<()> {
/// let mut vm = Vm::new(VmConfig::default())?;
/// let p = vm.userdata(Point { x: 3.0, y: 4.0 })?;
/// vm.globals().set(&mut vm, "p", &p)?;
/// vm.chunk("p:scale(2); p.y = p.y + 0").exec()?;
/// assert_eq!(vm.chunk("p:norm() + #p").eval::<f64>()?, 12.0);
/// assert_eq!(p.with(&mut vm, |p: &Point| p.x)?, 6.0);
/// # Ok(())
/// # }
/// ```
///
/// Values move with their VM, so they are `Send`:
///
/// ```compile_fail
/// struct Shared(std::rc::Rc<i32>);
/// impl vela::Class for Shared {
///     const NAME: &'static str = "Shared";
///     fn define(_: &mut vela::Definition<Self>) {}
/// }
/// ```
///
/// A borrowed value cannot be kept: it is Lua's again behind the closure.
///
/// ```compile_fail
/// # struct Point { x: f64 }
/// # impl vela::Class for Point {
/// #     const NAME: &'static str = "Point";
/// #     fn define(_: &mut vela::Definition<Self>) {}
/// # }
/// fn kept(vm: &mut vela::Vm, p: vela::Userdata) -> vela::Result<f64> {
///     let p: &Point = p.with(vm, |p: &Point| p)?;
///     Ok(p.x)
/// }
/// ```
pub trait Class: Send + Sized + 'static {
    /// What messages call the type.
    const NAME: &'static str;

    /// Lists methods, fields and metamethods. Called once per VM.
    fn define(class: &mut Definition<Self>);
}

/// A metamethod of a [`Class`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meta {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `//`
    IDiv,
    /// `-` with one operand
    Unm,
    /// `&`
    BAnd,
    /// `|`
    BOr,
    /// `~`
    BXor,
    /// `~` with one operand
    BNot,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `..`
    Concat,
    /// `#`
    Len,
    /// `==`
    Eq,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// Reading a key that is neither method nor field.
    Index,
    /// Writing a key that is no field.
    NewIndex,
    /// Calling the value.
    Call,
    /// `tostring`
    ToString,
    /// `pairs`
    Pairs,
    /// The end of a to-be-closed variable.
    Close,
}

impl Meta {
    /// The key in metatables.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Meta::Add => "__add",
            Meta::Sub => "__sub",
            Meta::Mul => "__mul",
            Meta::Div => "__div",
            Meta::Mod => "__mod",
            Meta::Pow => "__pow",
            Meta::IDiv => "__idiv",
            Meta::Unm => "__unm",
            Meta::BAnd => "__band",
            Meta::BOr => "__bor",
            Meta::BXor => "__bxor",
            Meta::BNot => "__bnot",
            Meta::Shl => "__shl",
            Meta::Shr => "__shr",
            Meta::Concat => "__concat",
            Meta::Len => "__len",
            Meta::Eq => "__eq",
            Meta::Lt => "__lt",
            Meta::Le => "__le",
            Meta::Index => "__index",
            Meta::NewIndex => "__newindex",
            Meta::Call => "__call",
            Meta::ToString => "__tostring",
            Meta::Pairs => "__pairs",
            Meta::Close => "__close",
        }
    }

    /// Whether the value may be the second operand.
    fn is_binary(self) -> bool {
        !matches!(
            self,
            Meta::Unm
                | Meta::BNot
                | Meta::Len
                | Meta::Index
                | Meta::NewIndex
                | Meta::Call
                | Meta::ToString
                | Meta::Pairs
                | Meta::Close
        )
    }
}

/// What a userdata owns.
struct Owned<T>(Rc<RefCell<Option<T>>>);

type Cell<T> = Rc<RefCell<Option<T>>>;

/// The cell of a userdata, if it is a `T`.
fn cell_of<T: 'static>(v: vela_objects::Value) -> Option<Cell<T>> {
    v.as_userdata()?.with(|o: &Owned<T>| o.0.clone())
}

/// Runs `f` with the value.
fn with<T: Class, R>(cell: &RefCell<Option<T>>, f: impl FnOnce(&T) -> R) -> Result<R> {
    let value = cell.try_borrow().map_err(|_| Error::InUse(T::NAME))?;
    value.as_ref().map(f).ok_or(Error::Taken(T::NAME))
}

fn with_mut<T: Class, R>(cell: &RefCell<Option<T>>, f: impl FnOnce(&mut T) -> R) -> Result<R> {
    let mut value = cell.try_borrow_mut().map_err(|_| Error::InUse(T::NAME))?;
    value.as_mut().map(f).ok_or(Error::Taken(T::NAME))
}

/// A value of a host in a VM. Clones refer to the same value.
#[derive(Clone, Debug, PartialEq)]
pub struct Userdata(pub(crate) Handle);

impl Userdata {
    fn cell<T: Class>(&self, cx: &mut dyn Context) -> Result<Cell<T>> {
        let v = self.0.get(state(cx))?;
        cell_of(v).ok_or_else(|| Error::Conversion {
            from: "userdata",
            to: T::NAME.into(),
        })
    }

    /// Whether the value is a `T`.
    ///
    /// # Errors
    /// [`Error::WrongVm`].
    pub fn is<T: Class>(&self, cx: &mut dyn Context) -> Result<bool> {
        let v = self.0.get(state(cx))?;
        Ok(cell_of::<T>(v).is_some())
    }

    /// Runs `f` with the value.
    ///
    /// # Errors
    /// [`Error::Conversion`] if it is no `T`, [`Error::InUse`] inside a method
    /// that changes it, [`Error::Taken`].
    pub fn with<T: Class, R>(&self, cx: &mut dyn Context, f: impl FnOnce(&T) -> R) -> Result<R> {
        with(&*self.cell(cx)?, f)
    }

    /// Runs `f` with the value, to change it.
    ///
    /// # Errors
    /// As [`Userdata::with`]; [`Error::InUse`] inside any of its methods.
    pub fn with_mut<T: Class, R>(
        &self,
        cx: &mut dyn Context,
        f: impl FnOnce(&mut T) -> R,
    ) -> Result<R> {
        with_mut(&*self.cell(cx)?, f)
    }

    /// Takes the value out of the VM. Methods called on the userdata then fail
    /// with [`Error::Taken`].
    ///
    /// # Errors
    /// As [`Userdata::with_mut`].
    pub fn take<T: Class>(&self, cx: &mut dyn Context) -> Result<T> {
        let cell = self.cell::<T>(cx)?;
        let mut value = cell.try_borrow_mut().map_err(|_| Error::InUse(T::NAME))?;
        value.take().ok_or(Error::Taken(T::NAME))
    }
}

type Getter = Rc<dyn Fn(&mut VmState, Args) -> NativeResult>;
type Setter = Getter;

/// What a [`Class`] lets Lua do with its values.
///
/// Functions get the context, the value, and the other arguments converted.
/// While one with `&mut T` runs, no other can use the value; while one with
/// `&T` runs, no other can change it: such calls fail with [`Error::InUse`].
pub struct Definition<T> {
    methods: Vec<(&'static str, Rc<Callback>)>,
    statics: Vec<(&'static str, Rc<Callback>)>,
    getters: HashMap<&'static [u8], Getter>,
    setters: HashMap<&'static [u8], Setter>,
    metas: Vec<(Meta, Rc<Callback>)>,
    class: PhantomData<fn(T)>,
}

impl<T> std::fmt::Debug for Definition<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.methods.iter().map(|m| m.0);
        f.debug_list().entries(names).finish()
    }
}

/// The cell of argument `i`, which must be a `T`.
fn this<T: Class>(vm: &mut VmState, args: Args, i: usize) -> Result<Cell<T>, vela_objects::Thrown> {
    match cell_of(args.get(i)) {
        Some(cell) => Ok(cell),
        None => Err(type_error(vm, args, i, T::NAME)),
    }
}

fn finish<R: IntoValues>(vm: &mut VmState, outcome: Result<R>) -> NativeResult {
    match outcome.and_then(|r| r.into_values(vm)) {
        Ok(values) => results(vm, &values),
        Err(e) => Err(e.raise(vm)),
    }
}

/// The callback of a method.
fn shared<T, A, R, F>(f: F) -> Rc<Callback>
where
    T: Class,
    A: FromValues,
    R: IntoValues,
    F: Fn(&mut dyn Context, &T, A) -> Result<R> + Send + 'static,
{
    Rc::new(move |vm, args| {
        let cell = this::<T>(vm, args, 0)?;
        let values = arguments(vm, args, 1);
        let outcome = A::from_values(values, vm)
            .and_then(|a| with(&cell, |this| f(vm, this, a)))
            .and_then(|r| r);
        finish(vm, outcome)
    })
}

/// The callback of a method that changes the value.
fn exclusive<T, A, R, F>(f: F) -> Rc<Callback>
where
    T: Class,
    A: FromValues,
    R: IntoValues,
    F: Fn(&mut dyn Context, &mut T, A) -> Result<R> + Send + 'static,
{
    Rc::new(move |vm, args| {
        let cell = this::<T>(vm, args, 0)?;
        let values = arguments(vm, args, 1);
        let outcome = A::from_values(values, vm)
            .and_then(|a| with_mut(&cell, |this| f(vm, this, a)))
            .and_then(|r| r);
        finish(vm, outcome)
    })
}

/// The callback of a function without a value.
fn free<A, R, F>(f: F) -> Rc<Callback>
where
    A: FromValues,
    R: IntoValues,
    F: Fn(&mut dyn Context, A) -> Result<R> + Send + 'static,
{
    Rc::new(move |vm, args| {
        let values = arguments(vm, args, 0);
        function::run(vm, values, &f)
    })
}

impl<T: Class> Definition<T> {
    fn new() -> Self {
        Definition {
            methods: Vec::new(),
            statics: Vec::new(),
            getters: HashMap::new(),
            setters: HashMap::new(),
            metas: Vec::new(),
            class: PhantomData,
        }
    }

    /// A method: `value:name(...)`.
    pub fn method<A, R, F>(&mut self, name: &'static str, f: F) -> &mut Self
    where
        A: FromValues,
        R: IntoValues,
        F: Fn(&mut dyn Context, &T, A) -> Result<R> + Send + 'static,
    {
        self.methods.push((name, shared(f)));
        self
    }

    /// A method that changes the value.
    pub fn method_mut<A, R, F>(&mut self, name: &'static str, f: F) -> &mut Self
    where
        A: FromValues,
        R: IntoValues,
        F: Fn(&mut dyn Context, &mut T, A) -> Result<R> + Send + 'static,
    {
        self.methods.push((name, exclusive(f)));
        self
    }

    /// A function among the methods, without a value: `value.name(...)`. See
    /// also [`class_table`](trait.Context.html#method.class_table).
    pub fn function<A, R, F>(&mut self, name: &'static str, f: F) -> &mut Self
    where
        A: FromValues,
        R: IntoValues,
        F: Fn(&mut dyn Context, A) -> Result<R> + Send + 'static,
    {
        self.statics.push((name, free(f)));
        self
    }

    /// A field that can be read: `value.name`.
    pub fn field<V: IntoValue>(
        &mut self,
        name: &'static str,
        get: impl Fn(&T) -> V + Send + 'static,
    ) -> &mut Self {
        let getter = move |vm: &mut VmState, args: Args| {
            let cell = this::<T>(vm, args, 0)?;
            let v = with(&cell, &get).and_then(|v| v.into_value(vm));
            finish(vm, v)
        };
        self.getters.insert(name.as_bytes(), Rc::new(getter));
        self
    }

    /// A field that can be read and written.
    pub fn field_mut<V: IntoValue, W: crate::FromValue>(
        &mut self,
        name: &'static str,
        get: impl Fn(&T) -> V + Send + 'static,
        set: impl Fn(&mut T, W) + Send + 'static,
    ) -> &mut Self {
        let setter = move |vm: &mut VmState, args: Args| {
            let cell = this::<T>(vm, args, 0)?;
            let v = Value::lift(vm, args.get(2));
            let done = W::from_value(v, vm).and_then(|v| with_mut(&cell, |this| set(this, v)));
            match done {
                Ok(()) => Ok(vela_objects::Ret::None),
                Err(e) => {
                    let field = args
                        .get(1)
                        .as_str()
                        .map(|s| s.to_text())
                        .unwrap_or_default();
                    Err(vm.error(format!("bad value for field '{field}' ({e})")))
                }
            }
        };
        self.setters.insert(name.as_bytes(), Rc::new(setter));
        self.field(name, get)
    }

    /// A metamethod. Operators may find the value on either side: they get
    /// it when it is the first operand, and fail otherwise; see
    /// [`Definition::operator`].
    pub fn meta<A, R, F>(&mut self, meta: Meta, f: F) -> &mut Self
    where
        A: FromValues,
        R: IntoValues,
        F: Fn(&mut dyn Context, &T, A) -> Result<R> + Send + 'static,
    {
        self.metas.push((meta, shared(f)));
        self
    }

    /// A metamethod that changes the value.
    pub fn meta_mut<A, R, F>(&mut self, meta: Meta, f: F) -> &mut Self
    where
        A: FromValues,
        R: IntoValues,
        F: Fn(&mut dyn Context, &mut T, A) -> Result<R> + Send + 'static,
    {
        self.metas.push((meta, exclusive(f)));
        self
    }

    /// An operator that gets both operands as they are.
    ///
    /// # Panics
    /// If the metamethod is none of an operator with two operands.
    pub fn operator<A, R, F>(&mut self, meta: Meta, f: F) -> &mut Self
    where
        A: FromValues,
        R: IntoValues,
        F: Fn(&mut dyn Context, A) -> Result<R> + Send + 'static,
    {
        assert!(meta.is_binary(), "{meta:?} has no second operand");
        self.metas.push((meta, free(f)));
        self
    }
}

/// What a VM knows of classes.
#[derive(Default)]
struct Classes(HashMap<TypeId, ClassTables>);

#[derive(Clone)]
struct ClassTables {
    metatable: Table,
    methods: Table,
}

/// The tables of a class, made when it is first used.
fn tables<T: Class>(cx: &mut dyn Context) -> Result<ClassTables> {
    let id = TypeId::of::<T>();
    let known = state_ref(cx).host_state::<Classes>();
    if let Some(known) = known.and_then(|c| c.0.get(&id)) {
        return Ok(known.clone());
    }
    let mut definition = Definition::<T>::new();
    T::define(&mut definition);
    let built = build(cx, definition)?;
    let classes = state(cx).host_state_or(Classes::default);
    classes.0.insert(id, built.clone());
    Ok(built)
}

fn set_native(cx: &mut dyn Context, t: &Table, name: &str, f: Rc<Callback>) -> Result<()> {
    let vm = state(cx);
    let f = native(vm, f);
    let f = Value::lift(vm, f);
    t.raw_set(cx, name, f)
}

fn build<T: Class>(cx: &mut dyn Context, d: Definition<T>) -> Result<ClassTables> {
    let (metatable, methods) = (cx.table(), cx.table());
    metatable.raw_set(cx, "__name", T::NAME)?;
    // Programs share the metatable, so they do not get it.
    metatable.raw_set(cx, "__metatable", T::NAME)?;
    for (name, f) in d.methods.into_iter().chain(d.statics) {
        set_native(cx, &methods, name, f)?;
    }
    let (mut index, mut new_index) = (None, None);
    for (meta, f) in d.metas {
        match meta {
            Meta::Index => index = Some(f),
            Meta::NewIndex => new_index = Some(f),
            _ => set_native(cx, &metatable, meta.key(), f)?,
        }
    }
    if d.getters.is_empty() && index.is_none() {
        metatable.raw_set(cx, "__index", &methods)?;
    } else {
        let table = methods.0.get(state(cx))?;
        let get = find_field(table, d.getters, index);
        set_native(cx, &metatable, "__index", get)?;
    }
    if !d.setters.is_empty() || new_index.is_some() {
        let set = set_field::<T>(d.setters, new_index);
        set_native(cx, &metatable, "__newindex", set)?;
    }
    let vm = state(cx);
    if let Some(mt) = metatable.0.get(vm)?.as_table() {
        mt.mark_meta(vm);
    }
    Ok(ClassTables { metatable, methods })
}

/// `__index` of a class with fields. It captures the table of methods as it
/// is, which [`Classes`] keeps alive as long as the VM.
fn find_field(
    methods: vela_objects::Value,
    getters: HashMap<&'static [u8], Getter>,
    other: Option<Rc<Callback>>,
) -> Rc<Callback> {
    Rc::new(move |vm, args| {
        let key = args.get(1);
        if let Some(name) = key.as_str()
            && let Some(get) = getters.get(name.bytes())
        {
            return get(vm, args);
        }
        let method = methods.as_table().map(|t| t.get(key));
        match (method, &other) {
            (Some(m), _) if !m.is_nil() => Ok(vela_objects::Ret::One(m)),
            (_, Some(other)) => other(vm, args),
            _ => Ok(vela_objects::Ret::One(vela_objects::Value::NIL)),
        }
    })
}

/// `__newindex` of a class.
fn set_field<T: Class>(
    setters: HashMap<&'static [u8], Setter>,
    other: Option<Rc<Callback>>,
) -> Rc<Callback> {
    Rc::new(move |vm, args| {
        let name = args.get(1).as_str();
        if let Some(set) = name.and_then(|n| setters.get(n.bytes())) {
            return set(vm, args);
        }
        match &other {
            Some(other) => other(vm, args),
            None => {
                let name = name.map(|n| n.to_text()).unwrap_or_default();
                Err(vm.error(format!("no field '{name}' of {} can be written", T::NAME)))
            }
        }
    })
}

pub(crate) fn make<T: Class>(cx: &mut dyn Context, value: T) -> Result<Userdata> {
    let tables = tables::<T>(cx)?;
    let vm = state(cx);
    let mt = tables.metatable.0.get(vm)?.as_table();
    let owned = Owned(Rc::new(RefCell::new(Some(value))));
    let u = vm.userdata(Box::new(owned), mt);
    Ok(Userdata(handle::keep(vm, vela_objects::Value::userdata(u))))
}

impl dyn Context + '_ {
    /// The table of a class's methods and functions, to be made a global or
    /// put into a module: `Point.new(1, 2)`.
    ///
    /// # Errors
    /// If the class cannot be set up.
    pub fn class_table<T: Class>(&mut self) -> Result<Table> {
        Ok(tables::<T>(self)?.methods)
    }
}

/// A value of a class as argument or result of a function: moves it into the
/// VM.
#[derive(Clone, Copy, Debug)]
pub struct New<T>(pub T);

impl<T: Class> IntoValue for New<T> {
    fn into_value(self, cx: &mut dyn Context) -> Result<Value> {
        make(cx, self.0).map(Value::Userdata)
    }
}

// ---- errors of hosts as Lua values -------------------------------------

/// What an error object owns.
struct ErrorObject(Arc<Error>);

/// The metatable of error objects.
struct ErrorClass(Gc<vela_objects::Table>);

/// The host's error in an error object.
pub(crate) fn error_of(u: Gc<vela_objects::Userdata>) -> Option<Arc<Error>> {
    u.with(|e: &ErrorObject| e.0.clone())
}

fn error_text(vm: &mut VmState, args: Args) -> NativeResult {
    let text = args.get(0).as_userdata().and_then(error_of);
    let text = text.map_or_else(|| "error".to_string(), |e| e.to_string());
    Ok(vela_objects::Ret::One(vm.str_value(text.as_bytes())))
}

/// Prepares a new VM for error objects.
pub(crate) fn install(vm: &mut VmState) {
    let mt = vm.table(4, 0);
    // Never unpinned.
    vm.pin(vela_objects::Value::table(mt));
    for (key, v) in [("__name", "error"), ("__metatable", "error")] {
        let v = vm.str_value(v.as_bytes());
        vela_stdlib::register::set_field(vm, mt, key, v);
    }
    let text = vm.native("tostring", error_text);
    let text = vela_objects::Value::native_fn(text);
    vela_stdlib::register::set_field(vm, mt, "__tostring", text);
    mt.mark_meta(vm);
    vm.host.push(Box::new(ErrorClass(mt)));
}

/// An error object.
pub(crate) fn error_value(vm: &mut VmState, e: Error) -> vela_objects::Value {
    let mt = vm.host_state::<ErrorClass>().map(|c| c.0);
    let u = vm.userdata(Box::new(ErrorObject(Arc::new(e))), mt);
    vela_objects::Value::userdata(u)
}
