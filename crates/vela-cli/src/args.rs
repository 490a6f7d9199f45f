//! The command line: `lua`'s own options, and those of the optimizing tier.
//!
//! Options of the tier come from the table of
//! [`JitConfig`](vela::JitConfig::fields), so that they are the same in the
//! environment (`VELA_JIT_<FIELD>`), in code and here.

use vela::{Backend, ConfigError, JitConfig};

/// What is wrong with the command line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgsError {
    /// An option that does not exist.
    #[error("unrecognized option '{0}'")]
    Unknown(String),
    /// An option without the argument it needs.
    #[error("'{0}' needs argument")]
    NeedsArgument(String),
    /// A value that an option does not take.
    #[error("{option}: '{value}' is not {expected}")]
    Value {
        /// The option.
        option: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A bad value for an option of the tier.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Something to do before the script, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `-e stat`
    Execute(String),
    /// `-l mod` or `-l g=mod`: requires `module` into global `global`.
    Require {
        /// The global variable.
        global: String,
        /// The module.
        module: String,
    },
    /// `-W`
    Warnings,
}

/// Where the program comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// A file.
    File(String),
    /// `-`: the standard input.
    Stdin,
}

/// Which statistics of the tier go to standard error at exit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stats {
    /// None.
    #[default]
    No,
    /// The counters that cost nothing.
    Basic,
    /// Also those that cost time: share of run time in compiled code.
    Full,
}

/// The command line, understood.
#[derive(Clone, Debug)]
pub struct Options {
    /// `-e`, `-l` and `-W` in order.
    pub actions: Vec<Action>,
    /// `-i`
    pub interactive: bool,
    /// `-v`
    pub version: bool,
    /// `-E`
    pub ignore_environment: bool,
    /// `--help`
    pub help: bool,
    /// The script, if any.
    pub script: Option<Script>,
    /// Index of the script in the argument list (the program is 0); 0 if
    /// there is none.
    pub script_index: usize,
    /// Configuration of the tier.
    pub jit: JitConfig,
    /// What runs optimized code.
    pub backend: Backend,
    /// Statistics at exit.
    pub stats: Stats,
    /// The first option given that makes no sense without the tier.
    pub needs_tier: Option<String>,
    /// Collect garbage at every opportunity (`VELA_GC_STRESS=1`).
    pub gc_stress: bool,
}

/// The usage text, to follow an error or `--help`.
#[must_use]
pub fn usage(program: &str) -> String {
    let mut text = format!(
        "usage: {program} [options] [script [args]]\n\
         Available options are:\n\
        \x20 -e stat   execute string 'stat'\n\
        \x20 -i        enter interactive mode after executing 'script'\n\
        \x20 -l mod    require library 'mod' into global 'mod'\n\
        \x20 -l g=mod  require library 'mod' into global 'g'\n\
        \x20 -v        show version information\n\
        \x20 -E        ignore environment variables\n\
        \x20 -W        turn warnings on\n\
        \x20 --        stop handling options\n\
        \x20 -         stop handling options and execute stdin\n\
         Optimizing tier:\n\
        \x20 -j off|sync|on            when functions are compiled\n\
        \x20 -O0 .. -O3                how hard the code generator works\n\
        \x20 --mode=interp|mir|llvm    what runs optimized code\n\
        \x20 --jit-stats[=json|full]   counters as JSON on standard error at exit\n"
    );
    for f in JitConfig::fields() {
        if f.flag.starts_with("--") {
            let first = f.doc.split(['.', ':', ';']).next().unwrap_or("");
            let first = first.split_whitespace().collect::<Vec<_>>().join(" ");
            text.push_str(&format!("  {:<25} {first}\n", f.flag));
        }
    }
    text
}

/// Reads the arguments (the first is the program's name), after the
/// environment's `VELA_*` variables.
///
/// # Errors
/// [`ArgsError`] for the first option that makes no sense.
pub fn parse(
    args: &[String],
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Options, ArgsError> {
    let mut o = Options {
        actions: Vec::new(),
        interactive: false,
        version: false,
        ignore_environment: false,
        help: false,
        script: None,
        script_index: 0,
        jit: JitConfig::default(),
        backend: Backend::default(),
        stats: Stats::No,
        needs_tier: None,
        gc_stress: false,
    };
    let mut fields = Vec::new();
    for (name, value) in environment {
        match name.as_str() {
            "VELA_JIT_BACKEND" => o.set_backend("VELA_JIT_BACKEND", &value)?,
            "VELA_GC_STRESS" => o.gc_stress = value != "0" && !value.is_empty(),
            _ => fields.push((name, value)),
        }
    }
    o.jit.apply_env(fields)?;
    let mut i = 1;
    while let Some(arg) = args.get(i) {
        if !arg.starts_with('-') {
            o.set_script(args, i, false);
            break;
        }
        match arg.as_str() {
            "--" => {
                o.set_script(args, i + 1, false);
                break;
            }
            "-" => {
                o.set_script(args, i, true);
                break;
            }
            "-i" => {
                o.interactive = true;
                o.version = true;
            }
            "-v" => o.version = true,
            "-E" => o.ignore_environment = true,
            "-W" => o.actions.push(Action::Warnings),
            "--help" => o.help = true,
            _ if arg.starts_with("-e") || arg.starts_with("-l") => {
                let value = operand(args, &mut i, true)?;
                o.actions.push(if arg.starts_with("-e") {
                    Action::Execute(value)
                } else {
                    library(&value)
                });
            }
            _ => o.tier_option(args, &mut i)?,
        }
        i += 1;
    }
    Ok(o)
}

/// The argument of the two-letter option at `i`: attached to it or next.
fn operand(args: &[String], i: &mut usize, attached: bool) -> Result<String, ArgsError> {
    let option = &args[*i];
    if attached && option.len() > 2 {
        return Ok(option[2..].to_string());
    }
    match args.get(*i + 1) {
        Some(next) if !next.starts_with('-') => {
            *i += 1;
            Ok(next.clone())
        }
        _ => Err(ArgsError::NeedsArgument(option.clone())),
    }
}

/// `mod` or `global=mod`; of a versioned `mod-v2` the global is `mod`.
fn library(text: &str) -> Action {
    let (global, module) = match text.split_once('=') {
        Some((global, module)) => (global, module),
        None => (text.split('-').next().unwrap_or(text), text),
    };
    Action::Require {
        global: global.to_string(),
        module: module.to_string(),
    }
}

impl Options {
    fn set_script(&mut self, args: &[String], at: usize, stdin: bool) {
        let Some(name) = args.get(at) else { return };
        self.script_index = at;
        self.script = Some(if stdin {
            Script::Stdin
        } else {
            Script::File(name.clone())
        });
    }

    fn set_backend(&mut self, option: &'static str, name: &str) -> Result<(), ArgsError> {
        self.backend = Backend::from_name(name).ok_or_else(|| ArgsError::Value {
            option,
            value: name.to_string(),
            expected: "llvm or mir",
        })?;
        Ok(())
    }

    fn note_tier(&mut self, option: &str) {
        if self.needs_tier.is_none() {
            self.needs_tier = Some(option.to_string());
        }
    }

    /// An option that starts with `-j`, `-O` or `--`.
    fn tier_option(&mut self, args: &[String], i: &mut usize) -> Result<(), ArgsError> {
        let arg = args[*i].clone();
        if arg.starts_with("-j") {
            let mode = operand(args, i, true)?;
            let mode = mode.trim_start_matches('=');
            self.jit.apply_flag(&format!("-j{mode}"))?;
            if self.jit.compiles() {
                self.note_tier(&format!("-j {mode}"));
            }
            return Ok(());
        }
        if let Some(mode) = arg.strip_prefix("--mode=") {
            if mode == "interp" {
                self.jit.apply_flag("-joff")?;
                return Ok(());
            }
            if Backend::from_name(mode).is_none() {
                return Err(ArgsError::Value {
                    option: "--mode",
                    value: mode.to_string(),
                    expected: "interp, mir or llvm",
                });
            }
            self.set_backend("--mode", mode)?;
            self.note_tier(&arg);
            return Ok(());
        }
        if let Some(rest) = arg.strip_prefix("--jit-stats")
            && (rest.is_empty() || rest.starts_with('='))
        {
            self.stats = match rest {
                "" | "=json" => Stats::Basic,
                "=full" => {
                    self.jit.full_stats = true;
                    Stats::Full
                }
                _ => {
                    return Err(ArgsError::Value {
                        option: "--jit-stats",
                        value: rest.trim_start_matches('=').to_string(),
                        expected: "json or full",
                    });
                }
            };
            self.note_tier(&arg);
            return Ok(());
        }
        if self.jit.apply_flag(&arg)? {
            self.note_tier(&arg);
            return Ok(());
        }
        Err(ArgsError::Unknown(arg))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Result<Options, ArgsError> {
        let args: Vec<String> = std::iter::once("vela")
            .chain(args.iter().copied())
            .map(String::from)
            .collect();
        parse(&args, [])
    }

    fn ok(args: &[&str]) -> Options {
        of(args).expect("valid options")
    }

    #[test]
    fn script_ends_the_options() {
        let o = ok(&["-W", "a.lua", "-v", "x"]);
        assert_eq!(o.script, Some(Script::File("a.lua".into())));
        assert_eq!(o.script_index, 2);
        assert!(!o.version);
        assert_eq!(o.actions, [Action::Warnings]);
        let o = ok(&["-", "x"]);
        assert_eq!((o.script, o.script_index), (Some(Script::Stdin), 1));
        let o = ok(&["--", "-x.lua"]);
        assert_eq!(o.script, Some(Script::File("-x.lua".into())));
        assert_eq!(o.script_index, 2);
        assert_eq!(ok(&["--"]).script, None);
    }

    #[test]
    fn actions_keep_their_order() {
        let o = ok(&["-e", "x = 1", "-lm", "-l", "g=m.n", "-ey()", "-l", "m-v2"]);
        let require = |g: &str, m: &str| Action::Require {
            global: g.into(),
            module: m.into(),
        };
        assert_eq!(
            o.actions,
            [
                Action::Execute("x = 1".into()),
                require("m", "m"),
                require("g", "m.n"),
                Action::Execute("y()".into()),
                require("m", "m-v2"),
            ]
        );
    }

    #[test]
    fn options_of_lua() {
        let o = ok(&["-i"]);
        assert!(o.interactive && o.version);
        assert!(ok(&["-E"]).ignore_environment);
        let text = |a: &[&str]| of(a).unwrap_err().to_string();
        assert_eq!(text(&["-e"]), "'-e' needs argument");
        assert_eq!(text(&["-l", "-i"]), "'-l' needs argument");
        assert_eq!(text(&["-x"]), "unrecognized option '-x'");
        assert_eq!(text(&["-vv"]), "unrecognized option '-vv'");
        assert_eq!(text(&["--nope"]), "unrecognized option '--nope'");
    }

    #[test]
    fn options_of_the_tier() {
        let o = ok(&[
            "-j",
            "sync",
            "--jit-threshold=7",
            "-O3",
            "--jit-log=deopt,osr",
        ]);
        assert_eq!(o.jit.hotspot_threshold, 7);
        assert_eq!(o.jit.optimization_level, 3);
        assert_eq!(o.jit.get("mode").as_deref(), Some("sync"));
        assert_eq!(o.jit.get("log").as_deref(), Some("deopt,osr"));
        assert_eq!(o.needs_tier.as_deref(), Some("-j sync"));
        let o = ok(&["-joff"]);
        assert!(!o.jit.compiles());
        assert_eq!(o.needs_tier, None);
        let o = ok(&["--jit-stats"]);
        assert_eq!(
            (o.stats, o.needs_tier.as_deref()),
            (Stats::Basic, Some("--jit-stats"))
        );
        assert_eq!(ok(&["--jit-stats=full"]).stats, Stats::Full);
        assert_eq!(ok(&["--mode=mir"]).backend, Backend::Mir);
        assert!(!ok(&["--mode=interp"]).jit.compiles());
        assert_eq!(ok(&["--jit-dump=out"]).jit.dump_dir, Some("out".into()));
    }

    #[test]
    fn bad_values_are_explained() {
        let text = |a: &[&str]| of(a).unwrap_err().to_string();
        assert_eq!(text(&["-O9"]), "optimization_level: 9 is not in 0..=3");
        assert_eq!(
            text(&["-j", "maybe"]),
            "mode: 'maybe' is not off, sync or background (also on)"
        );
        assert_eq!(
            text(&["--mode=fast"]),
            "--mode: 'fast' is not interp, mir or llvm"
        );
        assert_eq!(
            text(&["--jit-stats=x"]),
            "--jit-stats: 'x' is not json or full"
        );
        assert_eq!(text(&["-j"]), "'-j' needs argument");
    }

    #[test]
    fn environment_comes_first() {
        let env = [
            ("VELA_JIT_OPTIMIZATION_LEVEL", "1"),
            ("VELA_JIT_HOTSPOT_THRESHOLD", "5"),
            ("VELA_JIT_BACKEND", "mir"),
            ("VELA_GC_STRESS", "1"),
            ("HOME", "/"),
        ];
        let env = env.map(|(k, v)| (k.to_string(), v.to_string()));
        let o = parse(&["vela".into(), "-O3".into()], env).expect("valid");
        assert_eq!(o.jit.optimization_level, 3);
        assert_eq!(o.jit.hotspot_threshold, 5);
        assert_eq!(o.backend, Backend::Mir);
        assert!(o.gc_stress);
        let bad = [("VELA_JIT_WORKER_THREADS".to_string(), "0".to_string())];
        let e = parse(&["vela".into()], bad).unwrap_err();
        assert_eq!(
            e.to_string(),
            "environment variable VELA_JIT_WORKER_THREADS: worker_threads: 0 is not in 1..=64"
        );
    }

    #[test]
    fn usage_lists_every_flag() {
        let text = usage("vela");
        for f in JitConfig::fields() {
            assert!(
                text.contains(f.flag.split(['=', ' ']).next().unwrap_or("")),
                "{}",
                f.flag
            );
        }
    }
}
