//! Live registers at each instruction.

use vela_bytecode::asm::assemble;
use vela_bytecode::{Liveness, RegSet, verify};

/// Checks the live-in set of each instruction; the expected registers follow
/// the instruction after `|`.
#[track_caller]
fn check(params: u8, text: &str) {
    let mut code = String::new();
    let mut want: Vec<RegSet> = Vec::new();
    for line in text.lines() {
        let (instr, live) = line.split_once('|').unwrap_or((line, "-"));
        code.push_str(instr);
        code.push('\n');
        if live != "-" {
            want.push(
                live.split_whitespace()
                    .map(|r| r.parse().expect("register"))
                    .collect(),
            );
        }
    }
    let vararg = if text.contains("varargprep") {
        " vararg"
    } else {
        ""
    };
    let p = assemble(&format!(
        ".function 1 1\n.params {params}{vararg}\n.stack 16\n.feedback 8\n.const \"s\"\n.code\n{code}\n.end"
    ))
    .expect(text);
    verify(&p).expect(text);
    let live = Liveness::compute(&p);
    let got: Vec<_> = (0..p.code.len() as u32)
        .map(|pc| *live.live_in(pc))
        .collect();
    assert_eq!(got, want, "{text}");
}

#[test]
fn straight_line() {
    check(2, "add r2, r0, r1, f0|0 1\nmove r0, r2|2\nreturn1 r0|0");
    check(2, "loadnil r0, 1|\nreturn r0, 3|0 1");
    check(
        3,
        "setfield r0, k0, r2, f0|0 1 2\nsetindex r0, r1, k0, f1|0 1\nreturn0|",
    );
    check(3, "concat r3, r0, 3, f0|0 1 2\nreturn1 r3|3");
}

#[test]
fn branches() {
    check(
        3,
        "lt r0, r1, 1, f0|0 1 2\njmp L4|2\nmove r3, r0|0\nreturn1 r3|3\nL4:\nreturn1 r2|2",
    );
}

#[test]
fn loop_carried() {
    check(
        2,
        "loadint r2, 0|0 1\nL1:\njmpifnot r0, L5|0 1 2\nadd r2, r2, r1, f0|1 2\nmove r0, r2|1 2\nloop f1, L1|0 1 2\nL5:\nreturn1 r2|2",
    );
}

#[test]
fn calls_kill_what_is_above() {
    check(
        2,
        "move r2, r0|0 1\nmove r4, r1|1 2\ncall r2, 2, 3, f0|1 2 4\nadd r4, r2, r3, f1|1 2 3\nreturn r1, 2|1",
    );
    check(
        2,
        "self r2, r0, k0, f0|0 1\ncall r2, 2, 1, f1|1 2 4\nreturn1 r1|1",
    );
    check(1, "move r1, r0|0\ntailcall r1, 1, f0|1\nreturn0|");
}

#[test]
fn open_lists() {
    check(
        1,
        "varargprep|0\nmove r1, r0|0\nmove r3, r0|0 1\nvararg r4, 0|1 3\ncall r1, 0, 0, f0|1 3\nreturn r1, 0|",
    );
    let p = assemble(
        ".function 1 1\n.params 1\n.stack 9\n.feedback 2\n.code\nmove r1, r0\ncall r1, 1, 0, f0\nreturn r0, 0\n.end",
    )
    .expect("assembles");
    let live = Liveness::compute(&p);
    assert_eq!(live.open_values(2), Some(1));
    assert_eq!(live.open_values(1), None);
    assert_eq!(*live.live_in(2), RegSet::from_iter([0]));
}

#[test]
fn numeric_loop() {
    check(
        1,
        "loadint r1, 1|0\nloadint r2, 9|0 1\nloadint r3, 1|0 1 2\nforprep r1, f0, L6|0 1 2 3\nL4:\nadd r0, r0, r4, f1|0 1 2 3 4\nforloop r1, f2, L4|0 1 2 3\nL6:\nreturn1 r0|0",
    );
}

#[test]
fn generic_loop() {
    check(
        2,
        "move r2, r0|0 1\nmove r3, r1|1 2\nloadnil r4, 1|2 3\ntforprep r2, L5|2 3 4 5\nL4:\nmove r8, r6|2 3 4 5 6\nL5:\ntforcall r2, 1, f0|2 3 4 5\ntforloop r2, f1, L4|2 3 5 6\nclose r5|5\nreturn0|",
    );
}

#[test]
fn cells_and_closing() {
    check(
        1,
        "newcell r1, r0|0\nloadint r2, 5|1\nsetcell r1, r2|1 2\ngetcell r2, r1|1\nreturn1 r2|2",
    );
    check(1, "tbc r0|0\nloadint r1, 1|0\nreturn1 r1|0 1");
    check(1, "tbc r0|0\nclose r0|0\nloadint r1, 1|\nreturn1 r1|1");
}

#[test]
fn register_sets() {
    let mut set = RegSet::EMPTY;
    set.insert_range(60..70);
    set.insert(255);
    assert_eq!(set.len(), 11);
    assert!(set.contains(63) && set.contains(64) && !set.contains(70));
    set.remove_range(0..64);
    assert_eq!(
        set.iter().collect::<Vec<_>>(),
        [64, 65, 66, 67, 68, 69, 255]
    );
    set.remove(255);
    set.insert_range(250..400);
    assert_eq!(set.len(), 12);
    set.remove_range(0..256);
    assert!(set.is_empty());
}
