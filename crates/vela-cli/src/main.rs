//! The `vela` program: `lua`'s command line, with options for the optimizing
//! tier.
#![forbid(unsafe_code)]

mod args;
mod input;
mod interrupt;
mod repl;

use args::{Action, Options, Script, Stats};
use interrupt::Guard;
use std::convert::Infallible;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use vela::{Error, Value, Vm, VmConfig};

/// Name in messages when the system gives none.
const PROGRAM: &str = "vela";

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let args: Vec<String> = given
        .iter()
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    let program = match args.first() {
        Some(name) if !name.is_empty() => name,
        _ => PROGRAM,
    };
    let environment = std::env::vars_os().filter_map(|(k, v)| {
        let (k, v) = (k.into_string().ok()?, v.into_string().ok()?);
        Some((k, v))
    });
    let options = match args::parse(&args, environment) {
        Ok(o) => o,
        Err(e) => {
            eprint!("{program}: {e}\n{}", args::usage(program));
            return ExitCode::FAILURE;
        }
    };
    if options.help {
        print!("{}", args::usage(program));
        return ExitCode::SUCCESS;
    }
    if let Some(flag) = &options.needs_tier
        && !vela::tier::is_available(options.backend)
    {
        eprintln!("{program}: '{flag}': {}", vela::tier::TierError::NotBuilt);
        return ExitCode::FAILURE;
    }
    start_log(&options);
    die_of_closed_pipes();
    let Err(e) = run(&options, program, given);
    eprintln!("{program}: {}", e.report());
    ExitCode::FAILURE
}

/// Runs the program and ends the process, unless there is no VM for it.
fn run(options: &Options, program: &str, args: Vec<OsString>) -> Result<Infallible, Error> {
    let mut vm = Vm::new(VmConfig {
        jit: options.jit.clone(),
        backend: options.backend,
        ignore_environment: options.ignore_environment,
        gc_stress: options.gc_stress,
        jit_stats_function: std::env::var_os("VELA_STATS_FUNCTION").is_some(),
        ..VmConfig::default()
    })?;
    if options.version {
        print_version();
    }
    set_arg_table(&mut vm, options, args)?;
    let stats = options.stats;
    vm.on_exit(move |state| print_stats(vela::tier::stats(state, stats == Stats::Full), stats));
    let outcome = run_program(&mut vm, options, program);
    vm.flush();
    print_stats(vm.jit_stats(stats == Stats::Full), stats);
    let status = match outcome {
        Ok(()) => 0,
        Err(e) => {
            eprintln!("{program}: {}", e.report());
            1
        }
    };
    vm.end_process(status)
}

/// A reader of the output that goes away ends the process without a word, as it
/// does that of `lua`.
fn die_of_closed_pipes() {
    #[cfg(unix)]
    {
        use signal_hook::{consts::SIGPIPE, flag};
        let always = std::sync::Arc::new(true.into());
        // Without it, writing is an error of the program.
        let _ = flag::register_conditional_default(SIGPIPE, always);
    }
}

/// Prints the tier's events that `--jit-log` asks for to standard error, each
/// with the time since the start.
fn start_log(options: &Options) {
    let targets: Vec<String> = options
        .jit
        .log
        .targets()
        .map(|t| format!("{t}=debug"))
        .collect();
    if targets.is_empty() {
        return;
    }
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(targets.join(",")))
        .with_timer(tracing_subscriber::fmt::time::uptime())
        .with_level(false)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
}

fn print_version() {
    println!(
        "Vela {} (Lua 5.4){}",
        env!("CARGO_PKG_VERSION"),
        if vela::tier::is_available(vela::Backend::Llvm) {
            ", optimizing tier: LLVM"
        } else {
            ", interpreter only"
        }
    );
}

fn print_stats(json: Option<String>, stats: Stats) {
    if let (Some(json), true) = (json, stats != Stats::No) {
        eprintln!("{json}");
    }
}

/// `arg`: the script is at 0, its arguments follow, what came before it has
/// negative indices.
fn set_arg_table(vm: &mut Vm, options: &Options, args: Vec<OsString>) -> Result<(), Error> {
    let script = match options.script {
        Some(_) => options.script_index,
        None => 0,
    };
    let fields = args.into_iter().enumerate();
    let fields =
        fields.map(|(i, a)| (i as i64 - script as i64, Value::Str(a.into_encoded_bytes())));
    let table = vm.table_from(fields)?;
    vm.set_global("arg", table)
}

fn run_program(vm: &mut Vm, options: &Options, program: &str) -> Result<(), Error> {
    let guard = Guard::new(vm.interrupt_handle());
    let done = guard.run(|| run_actions(vm, options));
    vm.clear_interrupt();
    done?;
    let active = options.version
        || options.script.is_some()
        || options
            .actions
            .iter()
            .any(|a| matches!(a, Action::Execute(_)));
    if options.interactive {
        repl::run(vm, &guard);
    } else if !active {
        if std::io::stdin().is_terminal() {
            print_version();
            repl::run(vm, &guard);
        } else if let Err(e) = guard.run(|| run_stdin(vm)) {
            // As `lua`, which does not fail with a program that it was not
            // told to run.
            vm.flush();
            eprintln!("{program}: {}", e.report());
        }
    }
    Ok(())
}

/// What the command line asks for before the prompt.
fn run_actions(vm: &mut Vm, options: &Options) -> Result<(), Error> {
    if !options.ignore_environment {
        run_init(vm)?;
    }
    for action in &options.actions {
        match action {
            Action::Execute(text) => drop(vm.exec(text.as_bytes(), "=(command line)")?),
            Action::Require { global, module } => {
                let Value::Function(require) = vm.global("require")? else {
                    return Err(Error::message("'require' is not a function"));
                };
                let loaded: Value = require.call(vm, module.as_str())?;
                vm.set_global(global, loaded)?;
            }
            Action::Warnings => vm.set_warnings(true),
        }
    }
    match &options.script {
        Some(Script::File(name)) => run_script(vm, Some(name)),
        Some(Script::Stdin) => run_script(vm, None),
        None => Ok(()),
    }
}

/// `LUA_INIT`: a chunk, or `@` and the name of a file.
fn run_init(vm: &mut Vm) -> Result<(), Error> {
    for name in ["LUA_INIT_5_4", "LUA_INIT"] {
        let Ok(text) = std::env::var(name) else {
            continue;
        };
        if let Some(file) = text.strip_prefix('@') {
            let f = vm.load_file(Some(file))?;
            vm.call(&f, &[])?;
        } else {
            vm.exec(text.as_bytes(), &format!("={name}"))?;
        }
        break;
    }
    Ok(())
}

/// Runs the script with the arguments that `arg` has by then.
fn run_script(vm: &mut Vm, name: Option<&str>) -> Result<(), Error> {
    let f = vm.load_file(name)?;
    let Value::Table(arg) = vm.global("arg")? else {
        return Err(Error::message("'arg' is not a table"));
    };
    let count = arg.len(vm)?;
    let args = (1..=count).map(|i| arg.raw_get(vm, i));
    let args: Vec<Value> = args.collect::<Result<_, _>>()?;
    vm.call(&f, &args)?;
    Ok(())
}

/// Runs the standard input as a program that nobody asked for.
fn run_stdin(vm: &mut Vm) -> Result<(), Error> {
    let f = vm.load_file(None)?;
    vm.call(&f, &[])?;
    Ok(())
}
