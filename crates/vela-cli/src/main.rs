//! The `vela` program: `lua`'s command line, with options for the optimizing
//! tier.
#![forbid(unsafe_code)]

mod args;
mod input;
mod interrupt;
mod repl;

use args::{Action, Options, Script, Stats};
use interrupt::Guard;
use std::io::IsTerminal;
use std::process::ExitCode;
use vela::{Error, Value, Vm, VmConfig};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os()
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    let environment = std::env::vars_os().filter_map(|(k, v)| {
        let (k, v) = (k.into_string().ok()?, v.into_string().ok()?);
        Some((k, v))
    });
    let options = match args::parse(&args, environment) {
        Ok(o) => o,
        Err(e) => {
            eprint!("vela: {e}\n{}", args::usage("vela"));
            return ExitCode::FAILURE;
        }
    };
    if options.help {
        print!("{}", args::usage("vela"));
        return ExitCode::SUCCESS;
    }
    if let Some(flag) = &options.needs_tier
        && !vela::tier::is_available(options.backend)
    {
        eprintln!("vela: '{flag}': {}", vela::tier::TierError::NotBuilt);
        return ExitCode::FAILURE;
    }
    start_log(&options);
    match run(&options, &args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("vela: {}", e.report());
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options, args: &[String]) -> Result<(), Error> {
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
    let outcome = run_program(&mut vm, options, args);
    vm.flush();
    print_stats(vm.jit_stats(stats == Stats::Full), stats);
    let status = match outcome {
        Ok(()) => 0,
        Err(e) => {
            eprintln!("vela: {}", e.report());
            1
        }
    };
    vm.end_process(status)
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
fn set_arg_table(vm: &mut Vm, options: &Options, args: &[String]) -> Result<(), Error> {
    let script = options.script_index as i64;
    let fields = args
        .iter()
        .enumerate()
        .map(|(i, a)| (i as i64 - script, a.as_str()));
    let table = vm.table_from(fields)?;
    vm.set_global("arg", table)
}

fn run_program(vm: &mut Vm, options: &Options, args: &[String]) -> Result<(), Error> {
    let guard = Guard::new(vm.interrupt_handle());
    let done = guard.run(|| run_actions(vm, options, args));
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
        } else if let Err(e) = guard.run(|| run_file(vm, None, options, args)) {
            // As `lua`, which does not fail with a program that it was not
            // told to run.
            vm.flush();
            eprintln!("vela: {}", e.report());
        }
    }
    Ok(())
}

/// What the command line asks for before the prompt.
fn run_actions(vm: &mut Vm, options: &Options, args: &[String]) -> Result<(), Error> {
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
            Action::Warnings => drop(vm.exec(b"warn('@on')", "=(command line)")?),
        }
    }
    match &options.script {
        Some(Script::File(name)) => run_file(vm, Some(name), options, args)?,
        Some(Script::Stdin) => run_file(vm, None, options, args)?,
        None => {}
    }
    Ok(())
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

/// Runs a file with the arguments after the script's name.
fn run_file(
    vm: &mut Vm,
    name: Option<&str>,
    options: &Options,
    args: &[String],
) -> Result<(), Error> {
    let f = vm.load_file(name)?;
    let first = match options.script {
        Some(_) => options.script_index + 1,
        None => args.len(),
    };
    let script_args: Vec<Value> = args[first..].iter().map(|a| a.as_str().into()).collect();
    vm.call(&f, &script_args)?;
    Ok(())
}
