//! Which standard libraries a VM has.

use std::ops::BitOr;
use vela_objects::{Value, VmState};
use vela_stdlib::register;

/// A set of standard libraries.
///
/// ```
/// use vela::{Libraries, Vm, VmConfig};
///
/// # fn main() -> vela::Result<()> {
/// let mut vm = Vm::new(VmConfig {
///     libraries: Libraries::BASE | Libraries::MATH,
///     ..VmConfig::default()
/// })?;
/// assert_eq!(vm.chunk("math.floor(2.5)").eval::<i64>()?, 2);
/// assert!(vm.chunk("string == nil and io == nil").eval::<bool>()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Libraries(u16);

impl Libraries {
    /// None at all.
    pub const NONE: Libraries = Libraries(0);
    /// The basic functions (`print`, `pairs`, `pcall`, ...).
    pub const BASE: Libraries = Libraries(1);
    /// `coroutine`
    pub const COROUTINE: Libraries = Libraries(1 << 1);
    /// `string`, and methods of strings.
    pub const STRING: Libraries = Libraries(1 << 2);
    /// `utf8`
    pub const UTF8: Libraries = Libraries(1 << 3);
    /// `table`
    pub const TABLE: Libraries = Libraries(1 << 4);
    /// `math`
    pub const MATH: Libraries = Libraries(1 << 5);
    /// `os`
    pub const OS: Libraries = Libraries(1 << 6);
    /// `io`
    pub const IO: Libraries = Libraries(1 << 7);
    /// `debug`
    pub const DEBUG: Libraries = Libraries(1 << 8);
    /// `package` and `require`.
    pub const PACKAGE: Libraries = Libraries(1 << 9);
    /// Takes what reaches outside of the VM, or past its protections, out of
    /// the libraries of the set: `dofile`, `loadfile`, binary chunks and
    /// `string.dump`, `collectgarbage` except for `count`, and of `os` all but
    /// `clock`, `date`, `difftime` and `time`.
    pub const RESTRICTED: Libraries = Libraries(1 << 15);
    /// All libraries, as the program `lua` has them.
    pub const ALL: Libraries = Libraries((1 << 10) - 1);
    /// For code that is not trusted: everything that only computes, restricted.
    pub const SANDBOX: Libraries = Libraries(
        Self::BASE.0
            | Self::COROUTINE.0
            | Self::STRING.0
            | Self::UTF8.0
            | Self::TABLE.0
            | Self::MATH.0
            | Self::OS.0
            | Self::RESTRICTED.0,
    );

    /// Whether all of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Libraries) -> bool {
        self.0 & other.0 == other.0
    }

    /// This set without `other`.
    #[must_use]
    pub const fn without(self, other: Libraries) -> Libraries {
        Libraries(self.0 & !other.0)
    }
}

impl BitOr for Libraries {
    type Output = Libraries;
    fn bitor(self, other: Libraries) -> Libraries {
        Libraries(self.0 | other.0)
    }
}

impl Default for Libraries {
    fn default() -> Libraries {
        Libraries::ALL
    }
}

type Open = fn(&mut VmState);

const OPEN: &[(Libraries, Open)] = &[
    (Libraries::BASE, vela_stdlib::base::open),
    (Libraries::COROUTINE, vela_stdlib::coroutine::open),
    (Libraries::STRING, vela_stdlib::string::open),
    (Libraries::UTF8, vela_stdlib::utf8::open),
    (Libraries::TABLE, vela_stdlib::table::open),
    (Libraries::MATH, vela_stdlib::math::open),
    (Libraries::OS, vela_stdlib::os::open),
    (Libraries::IO, vela_stdlib::io::open),
    (Libraries::DEBUG, vela_stdlib::debug::open),
    (Libraries::PACKAGE, vela_stdlib::package::open),
];

/// What a restricted set has not.
const REMOVED: &[(&str, &[&str])] = &[
    ("_G", &["dofile", "loadfile"]),
    ("string", &["dump"]),
    (
        "os",
        &[
            "execute",
            "exit",
            "getenv",
            "remove",
            "rename",
            "setlocale",
            "tmpname",
        ],
    ),
];

/// Opens the libraries of the set.
pub(crate) fn open(vm: &mut VmState, set: Libraries) {
    for &(library, open) in OPEN {
        if set.contains(library) {
            open(vm);
        }
    }
    if set.contains(Libraries::RESTRICTED) {
        restrict(vm, set);
    }
}

fn restrict(vm: &mut VmState, set: Libraries) {
    let loaded = register::loaded(vm);
    for &(library, names) in REMOVED {
        let key = vm.str(library.as_bytes());
        let Some(t) = loaded.get_str(key).as_table() else {
            continue;
        };
        for name in names {
            register::set_field(vm, t, name, Value::NIL);
        }
    }
    if set.contains(Libraries::BASE) {
        let count = vm.native("collectgarbage", |vm, args| {
            let what = vela_stdlib::args::opt_str(vm, args, 0)?;
            match what {
                Some(what) if what.bytes() == b"count" => {
                    let bytes = vm.heap.bytes_in_use() as f64;
                    Ok(vela_objects::Ret::One(Value::float(bytes / 1024.0)))
                }
                _ => Ok(vela_objects::Ret::One(Value::int(0))),
            }
        });
        let globals = vm.globals;
        register::set_field(vm, globals, "collectgarbage", Value::native_fn(count));
    }
    vm.hooks.load = crate::chunk::load_text_hook;
}
