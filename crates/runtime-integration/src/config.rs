//! Configuration of the tier: one table drives everything.
//!
//! The table below gives each field its type, its value in each preset, its
//! bounds, its command-line flag and its explanation. The struct, the presets,
//! validation, the environment variables `VELA_JIT_<FIELD>`, the flags, and
//! the table in `docs/config.md` all come from it.

mod doc;
mod field;

pub use field::{LogFilter, Mode};

use field::Field;
use std::path::PathBuf;

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no such field.
    #[error("there is no JIT option '{name}'")]
    Unknown {
        /// The name given.
        name: String,
    },
    /// The text is not a value of the field.
    #[error("{field}: '{value}' is not {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// The text given.
        value: String,
        /// What the field takes.
        expected: &'static str,
    },
    /// The value is outside the field's bounds.
    #[error("{field}: {value} is not in {min}..={max}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// The value.
        value: u64,
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// A value that came from the environment is wrong.
    #[error("environment variable {variable}: {source}")]
    Environment {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        source: Box<ConfigError>,
    },
}

/// A row of the table, for documentation and command lines.
#[derive(Clone, Debug)]
pub struct FieldDoc {
    /// Name of the field.
    pub name: &'static str,
    /// What values it takes.
    pub expected: &'static str,
    /// Values in the presets: default, performance, conservative.
    pub presets: [String; 3],
    /// Bounds, if it is a number.
    pub bounds: Option<(u64, u64)>,
    /// Command-line flag.
    pub flag: &'static str,
    /// What it means and why the default is what it is.
    pub doc: &'static str,
}

impl FieldDoc {
    /// The environment variable that sets the field.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("VELA_JIT_{}", self.name.to_uppercase())
    }
}

macro_rules! config {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $ty:ty = $default:expr, $performance:expr, $conservative:expr;
        in $bounds:expr; flag $flag:literal;
    )+) => {
        /// How the optimizing tier behaves. Plain data: set fields directly,
        /// then [`JitConfig::validate`]; everything that takes a configuration
        /// validates it again.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct JitConfig {
            $($(#[doc = $doc])+ pub $name: $ty,)+
        }

        impl Default for JitConfig {
            /// Good for most programs: compiles in the background, code of
            /// the balanced level.
            fn default() -> Self {
                JitConfig { $($name: $default,)+ }
            }
        }

        impl JitConfig {
            /// For long-running programs: compiles sooner and harder.
            #[must_use]
            pub fn performance() -> Self {
                JitConfig { $($name: $performance,)+ }
            }

            /// For small machines and short programs: compiles later, quicker,
            /// into less memory.
            #[must_use]
            pub fn conservative() -> Self {
                JitConfig { $($name: $conservative,)+ }
            }

            /// Checks every field against its bounds.
            ///
            /// # Errors
            /// [`ConfigError::OutOfRange`] for the first field outside them.
            pub fn validate(&self) -> Result<(), ConfigError> {
                $(check(stringify!($name), self.$name.number(), $bounds)?;)+
                Ok(())
            }

            /// Sets a field by name, checking the value. Hyphens count as
            /// underscores.
            ///
            /// # Errors
            /// [`ConfigError::Unknown`], [`ConfigError::Invalid`] and
            /// [`ConfigError::OutOfRange`]; nothing is changed then.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
                match name.replace('-', "_").as_str() {
                    $(stringify!($name) => {
                        let parsed = <$ty as Field>::parse(value).ok_or_else(|| ConfigError::Invalid {
                            field: stringify!($name),
                            value: value.to_string(),
                            expected: <$ty as Field>::EXPECTED,
                        })?;
                        check(stringify!($name), parsed.number(), $bounds)?;
                        self.$name = parsed;
                        Ok(())
                    })+
                    _ => Err(ConfigError::Unknown { name: name.to_string() }),
                }
            }

            /// The text of a field's value, which [`JitConfig::set`] accepts.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<String> {
                match name.replace('-', "_").as_str() {
                    $(stringify!($name) => Some(self.$name.show()),)+
                    _ => None,
                }
            }

            /// The table: every field in order.
            #[must_use]
            pub fn fields() -> Vec<FieldDoc> {
                let presets = [Self::default(), Self::performance(), Self::conservative()];
                vec![$(FieldDoc {
                    name: stringify!($name),
                    expected: <$ty as Field>::EXPECTED,
                    presets: presets.each_ref().map(|p| p.$name.show()),
                    bounds: $bounds,
                    flag: $flag,
                    doc: concat!($($doc, "\n"),+),
                },)+]
            }
        }
    };
}

const ANY: Option<(u64, u64)> = None;

config! {
    /// Whether the tier exists at all. Off means that nothing is counted,
    /// compiled or started.
    enabled: bool = true, true, true; in ANY; flag "-j off";
    /// When compilation happens: `off` never, `sync` at once on the program's
    /// thread (reproducible, for tests), `background` on worker threads so
    /// that the program never waits.
    mode: Mode = Mode::Background, Mode::Background, Mode::Background; in ANY; flag "-j MODE";
    /// Interpreted calls after which a function is compiled: exactly this
    /// call requests it, whatever the function's size. A thousand calls give
    /// feedback that rarely changes afterwards, and a function that is called
    /// less often costs more to compile than it can win back.
    hotspot_threshold: u32 = 1000, 500, 5000; in Some((1, 1 << 30)); flag "--jit-threshold=N";
    /// Loop back edges between two looks at a hot loop: at the first one a
    /// second entry at the loop header is compiled, so that a main chunk with
    /// one long loop gets fast too.
    loop_threshold: u32 = 10_000, 5_000, 100_000; in Some((1, 1 << 30)); flag "--jit-loop-threshold=N";
    /// Bytes that compiled code with its tables may take. Above it, code that
    /// was not seen in use for longest is freed; code that runs never is.
    /// 64 MiB holds thousands of functions.
    max_cache_size: u64 = 64 << 20, 256 << 20, 8 << 20; in Some((64 << 10, 1 << 40)); flag "--jit-cache=BYTES";
    /// How hard the code generator works, 0 to 3; see below.
    optimization_level: u8 = 2, 3, 1; in Some((0, 3)); flag "-O0 .. -O3";
    /// Whether a function first gets code of level 0, which is replaced by code of
    /// `optimization_level` when it ran often and the compiling threads have no
    /// request to serve, what ran most first.
    /// Level 0 compiles four times as fast into code that is up to twice as
    /// slow as that of level 2. In the background mode only: what is to be
    /// reproducible is compiled once.
    quick_code: bool = true, true, true; in ANY; flag "--jit-quick=BOOL";
    /// How often code of level 0 runs before it is worth better code: its calls
    /// and the passages of its loops together. Better code takes four times as
    /// long to compile, on a thread that mostly has nothing else to do.
    better_threshold: u32 = 50_000, 10_000, 200_000; in Some((0, u32::MAX as u64)); flag "--jit-better-threshold=N";
    /// Whether compiled code relies on what the interpreter saw (types,
    /// shapes, call targets). Without it code is compiled with no speculation:
    /// much slower, but its speed never depends on the program's history.
    enable_profiling: bool = true, true, true; in ANY; flag "--jit-profiling=BOOL";
    /// Threads that compile in the background mode, and as many for better code,
    /// at a lower priority and only while no request is open. One of each keeps
    /// up with most programs and leaves the other cores to them.
    worker_threads: u32 = 1, 2, 1; in Some((1, 64)); flag "--jit-workers=N";
    /// Compilations waiting at most; more requests are put off until a later
    /// call.
    max_queue: u32 = 64, 256, 16; in Some((1, 1 << 16)); flag "--jit-queue=N";
    /// Failed speculations that the code for calls of a function, or for one of
    /// its loops, may have in the program's life. Code is thrown away and
    /// compiled again without what failed when the same exit is taken twice, or
    /// a fifth of this number of different ones; from three quarters on it
    /// tests instead of speculating, and at the last the entry is interpreted.
    exit_threshold: u32 = 20, 20, 20; in Some((1, 1 << 20)); flag "--jit-exit-threshold=N";
    /// Compilations of a function after failed speculations. After the last the
    /// code tests instead of speculating, too.
    max_recompiles: u32 = 8, 16, 4; in Some((0, 1000)); flag "--jit-recompiles=N";
    /// Largest function that is compiled, in bytecode instructions. The time
    /// to compile grows faster than the size.
    max_function_size: u32 = 20_000, 50_000, 4_000; in Some((1, 1 << 24)); flag "--jit-max-function=N";
    /// Whether hot loops get an entry of their own.
    osr: bool = true, true, true; in ANY; flag "--jit-osr=BOOL";
    /// For tests: take every n-th guard as failing; 0 is off. Such exits are
    /// not held against the code.
    exit_stress: u32 = 0, 0, 0; in Some((0, 1 << 30)); flag "--jit-exit-stress=N";
    /// For tests: every guard fails the first time that it is reached, so that
    /// all side exits of the program's code are taken. Such exits are not held
    /// against the code either.
    first_exits: bool = false, false, false; in ANY; flag "--jit-first-exits=BOOL";
    /// For tests: collect garbage at every opportunity, overwrite what is dead in
    /// the heap and on stacks, and check what stacks refer to.
    gc_stress: bool = false, false, false; in ANY; flag "--jit-gc-stress=BOOL";
    /// For tests: leave out of the code every promise that only helps the
    /// optimizer. Results must not change.
    strip_promises: bool = false, false, false; in ANY; flag "--jit-strip-promises=BOOL";
    /// For finding defects of the optimizer: at most so many transformations are
    /// made in the whole program, counted over all compilations in their order;
    /// empty is no limit. Bisection finds the one that breaks a program: see
    /// `docs/dumps.md`.
    opt_fuel: Option<u64> = None, None, None; in ANY; flag "--opt-fuel=N";
    /// For tests: change the feedback that code is compiled from at random,
    /// by this seed; 0 is off. A wrong profile must never give a wrong answer.
    feedback_noise: u32 = 0, 0, 0; in Some((0, u32::MAX as u64)); flag "--jit-feedback-noise=SEED";
    /// Whether the intermediate form is checked after every pass. Always done
    /// in debug builds.
    verify: bool = false, false, false; in ANY; flag "--jit-verify=BOOL";
    /// Whether the program is measured while it runs: shares of time, calls
    /// and operations in compiled code. Costs time, the more the shorter the
    /// calls are. `--jit-stats=full` sets it and prints the figures.
    full_stats: bool = false, false, false; in ANY; flag "--jit-full-stats=BOOL";
    /// Directory for a dump of every compilation (bytecode, MIR before and
    /// after its passes, LLVM IR before and after, assembly); empty is none.
    dump_dir: Option<PathBuf> = None, None, None; in ANY; flag "--jit-dump=DIR";
    /// Whether the names of compiled functions are written to
    /// `/tmp/perf-<process>.map`, where `perf report` looks for them.
    perf_map: bool = false, false, false; in ANY; flag "--jit-perf-map=BOOL";
    /// Events to log to standard error: `compile`, `install`, `deopt`,
    /// `jettison`, `evict`, `osr`, or `all`.
    log: LogFilter = LogFilter::NONE, LogFilter::NONE, LogFilter::NONE; in ANY; flag "--jit-log=LIST";
}

fn check(
    field: &'static str,
    value: Option<u64>,
    bounds: Option<(u64, u64)>,
) -> Result<(), ConfigError> {
    match (value, bounds) {
        (Some(value), Some((min, max))) if value < min || value > max => {
            Err(ConfigError::OutOfRange {
                field,
                value,
                min,
                max,
            })
        }
        _ => Ok(()),
    }
}

impl JitConfig {
    /// Applies the variables `VELA_JIT_<FIELD>` among `vars`.
    ///
    /// # Errors
    /// [`ConfigError::Environment`] for the first variable that names no field
    /// or has a value that the field does not take.
    pub fn apply_env<K, V>(
        &mut self,
        vars: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), ConfigError>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        for (key, value) in vars {
            let Some(field) = key.as_ref().strip_prefix("VELA_JIT_") else {
                continue;
            };
            self.set(&field.to_lowercase(), value.as_ref())
                .map_err(|e| ConfigError::Environment {
                    variable: key.as_ref().to_string(),
                    source: Box::new(e),
                })?;
        }
        Ok(())
    }

    /// Applies a command-line argument if it is one of the tier's: `-j MODE`
    /// as `-jMODE`, `-O2`, `--jit-...=value` or another flag of the table. Returns whether it was.
    ///
    /// # Errors
    /// As [`JitConfig::set`].
    pub fn apply_flag(&mut self, arg: &str) -> Result<bool, ConfigError> {
        if let Some(mode) = arg.strip_prefix("-j") {
            self.set("mode", mode.trim_start_matches('='))?;
            return Ok(true);
        }
        if let Some(level) = arg.strip_prefix("-O") {
            self.set("optimization_level", level)?;
            return Ok(true);
        }
        if !arg.starts_with("--") {
            return Ok(false);
        }
        let (flag, value) = match arg.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (arg, None),
        };
        for f in Self::fields() {
            if f.flag.split('=').next() == Some(flag) && f.flag.starts_with("--") {
                let value = value.unwrap_or(if f.name == "log" { "all" } else { "" });
                self.set(f.name, value)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether anything is ever compiled.
    #[must_use]
    pub fn compiles(&self) -> bool {
        self.enabled && self.mode != Mode::Off
    }

    /// The content of `docs/config.md`.
    #[must_use]
    pub fn markdown() -> String {
        doc::markdown(&Self::fields())
    }
}
