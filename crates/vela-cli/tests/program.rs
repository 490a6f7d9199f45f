//! The `vela` program from outside: output, messages, exit codes.

use std::io::Write;
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_vela");

struct Outcome {
    code: Option<i32>,
    out: String,
    err: String,
}

fn vela_with(args: &[&str], env: &[(&str, &str)], input: &str) -> Outcome {
    let mut child = Command::new(PROGRAM)
        .args(args)
        .env_remove("LUA_INIT")
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    let mut stdin = child.stdin.take().expect("piped");
    // A program that does not read its input closes the pipe.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let out = child.wait_with_output().expect("it ends");
    // Messages start with the program's name, as it was called.
    let err = String::from_utf8_lossy(&out.stderr).replace(PROGRAM, "vela");
    Outcome {
        code: out.status.code(),
        out: String::from_utf8_lossy(&out.stdout).into_owned(),
        err,
    }
}

fn vela(args: &[&str]) -> Outcome {
    vela_with(args, &[], "")
}

#[test]
fn statements_and_modules_run_in_order() {
    let o = vela(&[
        "-e",
        "x = 1",
        "-l",
        "s=string",
        "-e",
        "print(s.rep('ab', 2), x)",
    ]);
    assert_eq!(
        (o.code, o.out.as_str(), o.err.as_str()),
        (Some(0), "abab\t1\n", "")
    );
    let o = vela(&[
        "-e",
        "print('before')",
        "-e",
        "error('x')",
        "-e",
        "print('after')",
    ]);
    assert_eq!((o.code, o.out.as_str()), (Some(1), "before\n"));
    assert!(
        o.err.starts_with(
            "vela: (command line):1: x\nstack traceback:\n\t[C]: in function 'error'\n"
        ),
        "{}",
        o.err
    );
}

#[test]
fn messages_are_those_of_lua() {
    assert_eq!(
        vela(&["nofile.lua"]).err,
        "vela: cannot open nofile.lua: No such file or directory\n"
    );
    let o = vela(&["-e", "x ="]);
    assert_eq!(
        (o.code, o.err.as_str()),
        (
            Some(1),
            "vela: (command line):1: unexpected symbol near <eof>\n"
        )
    );
    let o = vela(&["-q"]);
    assert_eq!(o.code, Some(1));
    assert!(
        o.err
            .starts_with("vela: unrecognized option '-q'\nusage: vela "),
        "{}",
        o.err
    );
}

#[test]
fn the_script_gets_its_arguments() {
    let script = "print(...) print(#arg, arg[0], arg[2], arg[-1]) return 5";
    let o = vela_with(&["-W", "-", "a", "b"], &[], script);
    assert_eq!((o.code, o.out.as_str()), (Some(0), "a\tb\n2\t-\tb\t-W\n"));
    let o = vela_with(&[], &[], "print(#arg)");
    assert_eq!(o.out, "0\n");
    // The arguments are those that `arg` has when the script starts.
    let changed = ["-e", "arg[1] = 100 arg[2] = nil", "-", "a", "b"];
    assert_eq!(vela_with(&changed, &[], "print(...)").out, "100\n");
    let o = vela_with(&["-e", "arg = 1", "-"], &[], "print(1)");
    assert_eq!(
        (o.code, o.out.as_str(), o.err.as_str()),
        (Some(1), "", "vela: 'arg' is not a table\n")
    );
}

#[cfg(unix)]
#[test]
fn arguments_may_be_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let out = Command::new(PROGRAM)
        .args(["-e", "print(arg[1]:byte(1, -1))", "-"])
        .arg(std::ffi::OsStr::from_bytes(b"a\xff"))
        .env_remove("LUA_INIT")
        .stdin(Stdio::null())
        .output()
        .expect("the program was built");
    assert_eq!(out.stdout, b"97\t255\n");
}

#[test]
fn the_debug_prompt_runs_commands() {
    let input = "io.stderr:write(x)\nx = 3\nerror('e')\n)\nio.stderr:write(x)\ncont\nnot read";
    let o = vela_with(
        &["-e", "x = 1", "-e", "debug.debug() print(io.read('a'))"],
        &[],
        input,
    );
    assert_eq!((o.code, o.out.as_str()), (Some(0), "not read\n"));
    let prompt = "lua_debug> ";
    let wanted = format!(
        "{prompt}1{prompt}{prompt}(debug command):1: e\n\
         {prompt}(debug command):1: unexpected symbol near ')'\n{prompt}3{prompt}"
    );
    assert_eq!(o.err, wanted);
    let o = vela_with(&["-e", "debug.debug()"], &[], "");
    assert_eq!((o.code, o.err.as_str()), (Some(0), prompt));
}

#[test]
fn a_program_from_a_pipe_fails_only_if_it_was_asked_for() {
    let o = vela_with(&["-"], &[], "error('x')");
    assert_eq!(o.code, Some(1));
    let same = vela_with(&[], &[], "error('x')");
    assert_eq!((same.code, same.err), (Some(0), o.err));
}

#[test]
fn exit_writes_buffers_out() {
    let o = vela(&["-e", "io.write('kept') os.exit(3)"]);
    assert_eq!((o.code, o.out.as_str()), (Some(3), "kept"));
    let o = vela(&["-e", "print('kept') os.exit(false)"]);
    assert_eq!((o.code, o.out.as_str()), (Some(1), "kept\n"));
}

#[test]
fn the_prompt_reads_expressions_and_statements() {
    let input = "1+1\n=2\nfor i=1,2 do\nprint(i)\nend\nerror('e')\n_PROMPT = '? '\nnil\n";
    let o = vela_with(&["-i"], &[], input);
    let (version, rest) = o.out.split_once('\n').expect("the version comes first");
    assert!(version.starts_with("Vela "), "{version}");
    assert_eq!(rest, "> 2\n> 2\n> >> >> 1\n2\n> > ? nil\n? \n");
    assert!(
        o.err.starts_with("stdin:1: e\nstack traceback:\n"),
        "{}",
        o.err
    );
    assert_eq!(o.code, Some(0));
}

#[test]
fn the_environment_is_read_unless_told_otherwise() {
    let init = [("LUA_INIT", "print('init')")];
    assert_eq!(vela_with(&["-e", "print(1)"], &init, "").out, "init\n1\n");
    assert_eq!(vela_with(&["-E", "-e", "print(1)"], &init, "").out, "1\n");
    let both = [("LUA_INIT", "print('a')"), ("LUA_INIT_5_4", "print('b')")];
    assert_eq!(vela_with(&["-e", "print(1)"], &both, "").out, "b\n1\n");
    let both = [("LUA_PATH", "./a"), ("LUA_PATH_5_4", "./b")];
    let path = ["-e", "print(package.path)"];
    assert_eq!(vela_with(&path, &both, "").out, "./b\n");
    assert_eq!(vela_with(&path, &both[..1], "").out, "./a\n");
    let bad = [("VELA_JIT_OPTIMIZATION_LEVEL", "9")];
    let o = vela_with(&["-e", "print(1)"], &bad, "");
    assert_eq!((o.code, o.out.as_str()), (Some(1), ""));
    assert!(
        o.err
            .contains("VELA_JIT_OPTIMIZATION_LEVEL: optimization_level: 9 is not in 0..=3"),
        "{}",
        o.err
    );
}

#[test]
fn deep_recursion_is_an_error_or_fits() {
    let deep = "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end
        print(f(190000))
        local function g() return 1 + g() end
        local ok, e = pcall(g)
        print(ok, string.find(e, 'stack overflow', 1, true) ~= nil)";
    let o = vela(&["-e", deep]);
    assert_eq!(
        (o.out.as_str(), o.err.as_str()),
        ("190000\nfalse\ttrue\n", "")
    );
}

#[test]
fn bytecode_files_run() {
    let dir = std::env::temp_dir().join(format!("vela-cli-test-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("temporary directory");
    let proto = vela::chunk::read(b"print(..., 6 * 7)", "=t", "t").expect("it is Lua");
    let binary = dir.join("t.luac");
    std::fs::write(&binary, vela_bytecode::binary::dump(&proto, false)).expect("written");
    let text = dir.join("t.vasm");
    std::fs::write(&text, vela_bytecode::disasm::disassemble(&proto)).expect("written");
    for file in [binary, text] {
        let o = vela(&[file.to_str().expect("plain name"), "x"]);
        assert_eq!((o.out.as_str(), o.err.as_str()), ("x\t42\n", ""));
    }
    std::fs::remove_dir_all(dir).expect("just made");
}

#[cfg(not(feature = "llvm-jit"))]
#[test]
fn flags_of_the_tier_need_the_tier() {
    let o = vela(&["-j", "sync", "-e", "print(1)"]);
    assert_eq!(
        (o.code, o.out.as_str(), o.err.as_str()),
        (
            Some(1),
            "",
            "vela: '-j sync': this build has no optimizing tier (build with --features llvm-jit)\n"
        )
    );
    assert_eq!(vela(&["-j", "off", "-e", "print(1)"]).out, "1\n");
}

#[cfg(feature = "llvm-jit")]
#[test]
fn full_statistics_tell_where_the_time_goes() {
    let program = "local function f(n) local s = 0 for i = 1, n do s = s + i % 7 end return s end
        for _ = 1, 20 do f(2000000) end print(f(10))";
    let args = [
        "-j",
        "sync",
        "--jit-threshold=2",
        "--jit-stats=full",
        "-e",
        program,
    ];
    let o = vela(&args);
    assert_eq!((o.code, o.out.as_str()), (Some(0), "27\n"));
    let figure = |name: &str| -> f64 {
        let key = format!("\"{name}\":");
        let at = o
            .err
            .find(&key)
            .unwrap_or_else(|| panic!("no {name} in {}", o.err));
        let text = &o.err[at + key.len()..];
        let end = text.find([',', '}']).expect("JSON");
        text[..end].parse().expect("a number")
    };
    assert!(figure("specialised_share") > 0.9, "{}", o.err);
    assert!(figure("call_share") > 0.8, "{}", o.err);
    assert!(figure("time_share") > 0.2, "{}", o.err);
    let basic = vela(&["-j", "sync", "--jit-stats", "-e", program]);
    assert!(!basic.err.contains("time_share"), "{}", basic.err);
}

#[cfg(all(feature = "llvm-jit", target_os = "linux"))]
#[test]
fn profilers_find_the_names_of_compiled_functions() {
    let child = Command::new(PROGRAM)
        .args(["-j", "sync", "--jit-threshold=1", "--jit-perf-map=on", "-e"])
        .arg("local function f(x) return x + 1 end f(1) f(2)")
        .spawn()
        .expect("the program was built");
    let path = format!("/tmp/perf-{}.map", child.id());
    let out = child.wait_with_output().expect("it ends");
    let map = std::fs::read_to_string(&path).expect("the map was written");
    std::fs::remove_file(&path).expect("it is ours");
    assert!(out.status.success());
    let named = |line: &&str| line.contains(" (command line):1 #");
    let entry = map.lines().find(named).expect("its name");
    let mut numbers = entry.split(' ').map(|n| u64::from_str_radix(n, 16));
    let (address, size) = (numbers.next(), numbers.next());
    assert!(matches!(address, Some(Ok(1..))), "{map}");
    assert!(matches!(size, Some(Ok(1..))), "{map}");
}

#[cfg(feature = "llvm-jit")]
#[test]
fn the_process_ends_cleanly_while_something_is_compiled() {
    // Enough code that its compilation is in progress at the end.
    let mut program = String::from("local function f(x) local t = {}\n");
    for i in 0..150 {
        program.push_str(&format!(
            "t[{}] = (t[{}] or x) * 3 // 2 + {i}\n",
            i % 7 + 1,
            i % 5 + 1
        ));
    }
    program.push_str("return t end\nfor i = 1, 1000 do f(i) end\n");
    for ending in ["os.exit(7)", "os.exit(7, true)", "error('end')"] {
        let source = format!("{program}{ending}");
        for _ in 0..3 {
            let o = vela(&["-e", &source]);
            let code = if ending.starts_with("error") { 1 } else { 7 };
            assert_eq!(o.code, Some(code), "{ending}: {}", o.err);
        }
    }
}

/// A build with assertions finds references to dead objects that a release
/// build may get away with.
#[test]
fn collection_at_every_opportunity_finds_only_live_objects() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/lua/");
    for name in ["jit_vararg_frames", "jit_stale_literals", "jit_lists"] {
        let script = format!("{root}{name}.lua");
        let o = vela(&[
            "-j",
            "sync",
            "--jit-threshold=2",
            "--jit-gc-stress=true",
            "--mode=mir",
            &script,
        ]);
        let wanted = std::fs::read_to_string(format!("{root}{name}.out")).expect("is there");
        assert_eq!(
            (o.code, o.out.as_str()),
            (Some(0), wanted.as_str()),
            "{name}: {}",
            o.err
        );
    }
}
