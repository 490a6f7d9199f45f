//! Runs with engines that are small shell scripts, so that outcomes are known.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use vela_bench::engine::{Engine, Kind};
use vela_bench::program::Program;
use vela_bench::runner::{Failure, run, run_program};

const LIMIT: Duration = Duration::from_secs(20);

/// An engine that runs a shell script on the program: `$0` is the program, `$1` its size.
fn engine(kind: Kind, script: &str) -> Engine {
    Engine {
        kind,
        command: PathBuf::from("/bin/sh"),
        args: vec![OsString::from("-c"), OsString::from(script)],
        version: "test".to_owned(),
    }
}

fn program(needs_lua54: bool) -> Program {
    Program {
        name: "p".to_owned(),
        path: PathBuf::from("p.lua"),
        title: "test".to_owned(),
        quick: "7".to_owned(),
        full: None,
        needs_lua54,
    }
}

fn shell(script: &str) -> Command {
    let mut c = Command::new("/bin/sh");
    c.args(["-c", script]);
    c
}

#[test]
fn a_run_is_timed_and_both_streams_are_kept() {
    let run = run(shell("echo out; echo err >&2; sleep 0.2"), LIMIT).unwrap();
    assert_eq!(run.stdout, b"out\n");
    assert_eq!(run.stderr, "err\n");
    assert!(run.seconds >= 0.2, "{}", run.seconds);
}

#[test]
fn large_output_on_both_streams_does_not_block() {
    let run = run(
        shell("head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero"),
        LIMIT,
    )
    .unwrap();
    assert_eq!((run.stdout.len(), run.stderr.len()), (300_000, 300_000));
}

#[test]
fn a_run_that_does_not_end_is_killed() {
    let start = Instant::now();
    let failure = run(shell("exec sleep 600"), Duration::from_secs(1)).unwrap_err();
    assert_eq!(failure, Failure::Timeout(1));
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_run_that_closes_its_output_is_killed_too() {
    let failure = run(shell("exec sleep 600 >&- 2>&-"), Duration::from_secs(1)).unwrap_err();
    assert_eq!(failure, Failure::Timeout(1));
}

#[test]
fn an_error_status_is_a_failure_with_its_message() {
    let failure = run(shell("echo 'boom here' >&2; exit 3"), LIMIT).unwrap_err();
    assert!(
        matches!(&failure, Failure::Exit(m) if m.contains('3') && m.contains("boom here")),
        "{failure}"
    );
}

#[test]
fn engines_take_turns_and_agree() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let script = |c: &str| format!("echo {c} >> {}; echo \"size $1\"", log.display());
    let engines = [
        engine(Kind::Lua54, &script("a")),
        engine(Kind::VelaOff, &script("b")),
    ];
    let outcomes = run_program(&program(false), &engines, 3, true, LIMIT, |_| {});
    for kind in [Kind::Lua54, Kind::VelaOff] {
        assert_eq!(outcomes[&kind].seconds.len(), 3);
        assert_eq!(outcomes[&kind].failure, None);
    }
    assert_eq!(fs::read_to_string(log).unwrap(), "a\nb\nb\na\na\nb\n");
}

#[test]
fn a_different_output_is_a_mismatch_and_stops_that_engine_only() {
    let engines = [
        engine(Kind::Lua54, "echo 1"),
        engine(Kind::VelaOn, "echo 2"),
        engine(Kind::LuaJit, "echo 1"),
    ];
    let outcomes = run_program(&program(false), &engines, 2, true, LIMIT, |_| {});
    assert!(
        matches!(&outcomes[&Kind::VelaOn].failure, Some(Failure::Mismatch(m)) if m.contains("\"2\""))
    );
    assert!(outcomes[&Kind::VelaOn].seconds.is_empty());
    assert_eq!(outcomes[&Kind::LuaJit].seconds.len(), 2);
}

#[test]
fn luajit_skips_what_needs_lua54_and_counters_are_collected() {
    let stats = "echo x; echo '{\"functions_compiled\":4,\"deopts\":1}' >&2";
    let engines = [engine(Kind::VelaOn, stats), engine(Kind::LuaJit, "echo y")];
    let outcomes = run_program(&program(true), &engines, 1, true, LIMIT, |_| {});
    assert!(!outcomes.contains_key(&Kind::LuaJit));
    let jit = outcomes[&Kind::VelaOn].jit.unwrap();
    assert_eq!(
        (jit.functions_compiled, jit.deopts, jit.osr_entries),
        (Some(4), Some(1), None)
    );
}
