//! The program at a terminal, and its answer to Ctrl-C.
#![cfg(unix)]

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

/// The program, running with a terminal of its own.
struct Terminal {
    child: Child,
    screen: File,
    seen: String,
}

impl Terminal {
    fn start(history: &str) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("a terminal");
        unlockpt(&master).expect("a terminal");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let name = name.into_string().expect("a plain name");
        let side = OpenOptions::new().read(true).write(true).open(name);
        let side = side.expect("the other side");
        let stdio = || Stdio::from(side.try_clone().expect("a handle"));
        let child = Command::new(env!("CARGO_BIN_EXE_vela"))
            .env("TERM", "xterm")
            .env("VELA_HISTORY", history)
            .env_remove("LUA_INIT")
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .expect("the program was built");
        Terminal {
            child,
            screen: master.into(),
            seen: String::new(),
        }
    }

    /// Reads until `text` is shown, after what was seen before.
    fn expect(&mut self, text: &str) {
        let mut buffer = [0; 1024];
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let n = self.screen.read(&mut buffer).unwrap_or(0);
            assert!(n > 0, "no {text:?} in {:?}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
    }

    fn type_in(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).expect("it reads");
    }
}

#[test]
fn lines_are_edited_completed_and_remembered() {
    let mut t = Terminal::start("");
    t.expect("> ");
    t.type_in("6 * 7\r");
    t.expect("\n42\r\n");
    t.expect("> ");
    // The line before, with a digit more.
    t.type_in("\x1b[A0\r");
    t.expect("\n420\r\n");
    t.expect("> ");
    t.type_in("answer_of_all = 1\r");
    t.expect("> ");
    t.type_in("answer_o\t + 1\r");
    t.expect("\n2\r\n");
    t.expect("> ");
    t.type_in("for i = 1, 2 do\r");
    t.expect(">> ");
    t.type_in("print('line ' .. i) end\r");
    t.expect("\nline 1\r\nline 2\r\n");
    t.expect("> ");
    // Ctrl-C gives a line up, Ctrl-D ends.
    t.type_in("error('not run')\x03");
    t.expect("> ");
    t.type_in("'still ' .. 'here'\r");
    t.expect("\nstill here\r\n");
    t.expect("> ");
    t.type_in("\x04");
    assert_eq!(t.child.wait().expect("it ends").code(), Some(0));
}

/// Starts a program that says `started` where it may be interrupted, and
/// interrupts it then.
fn interrupted(args: &[&str], program: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vela"))
        .args(args)
        .args(["-e", "io.stdout:setvbuf('no')", "-e", program])
        .env_remove("LUA_INIT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("it says so");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("it runs");
    let ended = child.wait_with_output().expect("it ends");
    let err = String::from_utf8_lossy(&ended.stderr).into_owned();
    (ended.status.code(), err)
}

#[test]
fn an_interrupt_is_an_error_of_the_program() {
    let mut modes = vec![vec!["-j", "off"]];
    if cfg!(feature = "llvm-jit") {
        modes.push(vec!["-j", "sync", "--jit-threshold=2"]);
    }
    for args in modes {
        for program in [
            "print('started') while true do end",
            "print('started') local function f(n) return n + 1 end local n = 0 while true do n = f(n) end",
            "print('started') local function f(n) return f(n + 1) end f(1)",
        ] {
            let (code, err) = interrupted(&args, program);
            assert_eq!(code, Some(1), "{err}");
            assert!(
                err.contains("vela: interrupted!\nstack traceback:\n"),
                "{err}"
            );
        }
        let program = "pcall(function() print('started') while true do end end)";
        let (code, err) = interrupted(&args, program);
        assert_eq!((code, err.as_str()), (Some(0), ""), "it can be caught");
    }
}
