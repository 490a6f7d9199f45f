//! The libraries against results of PUC Lua 5.4.8.

mod common;
use common::{Captured, eval_in, new_vm, run_cases};

#[test]
fn strings() {
    run_cases(include_str!("cases/strings.txt"));
}

#[test]
fn basic_functions_errors_and_debug() {
    run_cases(include_str!("cases/base.txt"));
}

#[test]
fn print_goes_to_the_writer_that_is_set() {
    let mut vm = new_vm();
    let out = Captured::default();
    vela_stdlib::set_stdout(&mut vm, Box::new(out.clone()));
    let result = eval_in(
        &mut vm,
        "print(1, 'a', nil, 1.5, setmetatable({}, {__tostring = function() return 'T' end})) print()",
    );
    assert_eq!(result, "");
    vela_stdlib::flush(&mut vm).expect("a Vec takes everything");
    assert_eq!(&*out.0.borrow(), b"1\ta\tnil\t1.5\tT\n\n");
}

#[test]
fn long_tracebacks_skip_the_middle() {
    let mut vm = new_vm();
    let text = eval_in(
        &mut vm,
        "local function f(n) if n == 0 then return (debug.traceback('m')) end return (f(n - 1)) end return f(40)",
    );
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["m", "stack traceback:"]);
    assert_eq!(lines[2], "\ttest:1: in upvalue 'f'");
    assert_eq!(lines.len(), 2 + 10 + 1 + 12);
    assert!(lines[12].starts_with("\t...\t(skipping "), "{}", lines[12]);
    assert_eq!(lines.last(), Some(&"\t[C]: in ?"));
}

#[test]
fn patterns_report_errors_only_when_they_are_reached() {
    let mut vm = new_vm();
    assert_eq!(eval_in(&mut vm, "return ('a'):find('b%')"), "nil");
    assert_eq!(
        eval_in(&mut vm, "return ('b'):find('b%')"),
        "error: test:1: malformed pattern (ends with '%')"
    );
}

#[test]
fn a_handler_runs_where_the_error_is_raised() {
    let mut vm = new_vm();
    let text = eval_in(
        &mut vm,
        "local function inner() error('x') end
         return select(2, xpcall(inner, function() return debug.getinfo(3, 'f').func == inner end))",
    );
    // Level 1 is the handler, 2 is `error`, 3 the function that called it.
    assert_eq!(text, "true");
}

#[test]
fn stack_overflow_reaches_the_handler_once() {
    let mut vm = new_vm();
    let text = eval_in(
        &mut vm,
        "local function f() return 1 + f() end
         return xpcall(f, function(m) return (m:gsub('^.-: ', '')) .. '|' .. select(2, pcall(f)) end)",
    );
    assert_eq!(text, "false stack overflow|error in error handling");
    assert_eq!(eval_in(&mut vm, "return 1 + 1"), "2");
}
