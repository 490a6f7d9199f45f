//! The tiering policy as a table.

use vela_mir::ir::EntryKind;
use vela_runtime_integration::policy::{
    Action, Decision, Event, FunctionState, Limits, MAX_REJECTED, MAX_REPEATS, PENDING_CALLS,
    Phase, Speculation, backoff, code_limit, decide, settled_at,
};

const LIMITS: Limits = Limits {
    hotspot_threshold: 1000,
    exit_threshold: 100,
    max_recompiles: 2,
    osr: true,
    speculate: true,
    exits_are_stress: false,
};

const CALL: EntryKind = EntryKind::Call;
const LOOP: EntryKind = EntryKind::Osr { pc: 7 };

fn compile(entry: EntryKind, speculation: Speculation) -> Action {
    Action::Compile { entry, speculation }
}

fn exit(entry: EntryKind, times: u32, failures: u32) -> Event {
    Event::Exit {
        entry,
        times,
        failures,
    }
}

/// Runs events through the policy and returns the last decision.
fn run(limits: &Limits, state: &mut FunctionState, events: &[Event]) -> Decision {
    let mut last = Decision {
        action: Action::Nothing,
        rearm: None,
    };
    for &e in events {
        let (next, d) = decide(limits, state, e);
        *state = next;
        last = d;
    }
    last
}

fn installed() -> FunctionState {
    let mut s = FunctionState::default();
    run(
        &LIMITS,
        &mut s,
        &[Event::HotCall, Event::Installed { entry: CALL }],
    );
    s
}

#[test]
fn one_step_from_each_phase() {
    use Event as E;
    let idle = FunctionState::default();
    let off = FunctionState {
        call: Phase::Off,
        ..FunctionState::default()
    };
    let pending = FunctionState {
        call: Phase::Pending,
        ..FunctionState::default()
    };
    let ready = installed();
    let table = [
        (
            &idle,
            E::HotCall,
            compile(CALL, Speculation::Full),
            Some(PENDING_CALLS),
            Phase::Pending,
        ),
        (
            &pending,
            E::HotCall,
            Action::Nothing,
            Some(PENDING_CALLS),
            Phase::Pending,
        ),
        (
            &ready,
            E::HotCall,
            Action::Nothing,
            Some(1000),
            Phase::Ready,
        ),
        (&off, E::HotCall, Action::Nothing, Some(1000), Phase::Off),
        (
            &pending,
            E::Installed { entry: CALL },
            Action::Nothing,
            None,
            Phase::Ready,
        ),
        (
            &pending,
            E::Failed {
                entry: CALL,
                retry: true,
            },
            Action::Nothing,
            Some(250),
            Phase::Idle,
        ),
        (
            &pending,
            E::Failed {
                entry: CALL,
                retry: false,
            },
            Action::Nothing,
            Some(1000),
            Phase::Off,
        ),
        (
            &ready,
            exit(CALL, 1, 19),
            Action::Nothing,
            None,
            Phase::Ready,
        ),
        (
            &ready,
            exit(CALL, 1, 20),
            Action::Jettison,
            Some(250),
            Phase::Idle,
        ),
        (
            &ready,
            exit(CALL, 2, 2),
            Action::Jettison,
            Some(250),
            Phase::Idle,
        ),
        (
            &ready,
            E::Invalidated,
            Action::Jettison,
            Some(250),
            Phase::Idle,
        ),
        (
            &ready,
            E::Evicted,
            Action::Jettison,
            Some(1000),
            Phase::Idle,
        ),
        (
            &pending,
            E::HotLoop { pc: 7 },
            Action::Nothing,
            None,
            Phase::Pending,
        ),
        (
            &ready,
            E::HotLoop { pc: 7 },
            compile(LOOP, Speculation::Full),
            None,
            Phase::Ready,
        ),
    ];
    for (i, (state, event, action, rearm, call)) in table.into_iter().enumerate() {
        let (next, d) = decide(&LIMITS, state, event);
        assert_eq!(
            (d.action, d.rearm, next.call),
            (action, rearm, call),
            "row {i}: {event:?}"
        );
    }
}

/// Lets the installed code fail at one exit until it is thrown away.
fn fail(limits: &Limits, s: &mut FunctionState, entry: EntryKind) -> Decision {
    let before = s.spent(entry);
    for n in 1.. {
        let d = run(limits, s, &[exit(entry, n, n)]);
        assert_eq!(s.spent(entry), before + n);
        if d.action != Action::Nothing {
            assert!(n <= MAX_REPEATS);
            return d;
        }
    }
    unreachable!("failing code is thrown away")
}

#[test]
fn failing_code_is_recompiled_with_doubling_then_settled_then_given_up() {
    use Speculation::{Full, Settled};
    let limits = Limits {
        exit_threshold: 9,
        max_recompiles: 100,
        ..LIMITS
    };
    assert_eq!((settled_at(&limits), code_limit(&limits)), (7, 1));
    let mut s = FunctionState::default();
    let mut waits = Vec::new();
    let mut levels = Vec::new();
    while s.call != Phase::Off {
        let Action::Compile { speculation, .. } = run(&limits, &mut s, &[Event::HotCall]).action
        else {
            panic!("{s:?}")
        };
        levels.push(speculation);
        run(&limits, &mut s, &[Event::Installed { entry: CALL }]);
        let d = fail(&limits, &mut s, CALL);
        assert_eq!(d.action, Action::Jettison);
        waits.push(d.rearm.expect("a wait"));
    }
    assert_eq!(s.spent(CALL), 9, "not one exit more");
    assert_eq!(levels[..7], [Full; 7]);
    assert_eq!(levels[7..], [Settled; 2]);
    assert_eq!(waits[..4], [250, 500, 1000, 2000]);
    assert_eq!(
        run(&limits, &mut s, &[Event::HotCall]).action,
        Action::Nothing
    );
    // A loop of the function has a budget of its own.
    let hot = vec![Event::HotLoop { pc: 7 }; 1 << 10];
    let compiles = |s: &FunctionState, e| decide(&limits, s, e).1.action;
    run(&limits, &mut s, &hot);
    assert_eq!(s.loops[&7].phase, Phase::Pending);
    assert_eq!(s.speculation(&limits, LOOP), Full);
    assert_eq!(compiles(&s, Event::HotCall), Action::Nothing);
}

#[test]
fn different_exits_may_fail_a_few_times_together() {
    let mut s = installed();
    for n in 1..20 {
        let d = run(&LIMITS, &mut s, &[exit(CALL, 1, n)]);
        assert_eq!(d.action, Action::Nothing, "{n}");
    }
    assert_eq!(
        run(&LIMITS, &mut s, &[exit(CALL, 1, 20)]).action,
        Action::Jettison
    );
}

#[test]
fn recompilations_and_invalidations_settle_code_too() {
    let mut s = installed();
    for n in 0..=LIMITS.max_recompiles {
        assert_eq!(s.speculation(&LIMITS, CALL), Speculation::Full, "{n}");
        fail(&LIMITS, &mut s, CALL);
        run(
            &LIMITS,
            &mut s,
            &[Event::HotCall, Event::Installed { entry: CALL }],
        );
    }
    assert_eq!(s.speculation(&LIMITS, CALL), Speculation::Settled);

    let mut s = installed();
    for _ in 0..settled_at(&LIMITS) {
        assert_eq!(s.speculation(&LIMITS, CALL), Speculation::Full);
        run(&LIMITS, &mut s, &[Event::Invalidated]);
    }
    assert_eq!(s.speculation(&LIMITS, CALL), Speculation::Settled);
    assert_eq!(s.speculation(&LIMITS, LOOP), Speculation::Settled);
}

#[test]
fn exits_in_copies_settle_copies_only() {
    let mut s = installed();
    for _ in 0..settled_at(&LIMITS) {
        assert!(!s.copies_are_settled(&LIMITS));
        let d = run(&LIMITS, &mut s, &[Event::ExitInCopy]);
        assert_eq!(d.action, Action::Nothing);
    }
    assert!(s.copies_are_settled(&LIMITS));
    assert_eq!(s.speculation(&LIMITS, CALL), Speculation::Full);
}

#[test]
fn a_threshold_of_one_waits_at_least_one_call() {
    let limits = Limits {
        hotspot_threshold: 1,
        ..LIMITS
    };
    assert_eq!(backoff(&limits, 1), 1);
    assert_eq!(backoff(&limits, 2), 2);
    assert_eq!(backoff(&limits, 1000), 1024);
}

#[test]
fn loops_wait_too_and_give_up_on_frames_they_reject() {
    let mut s = FunctionState::default();
    let hot = Event::HotLoop { pc: 7 };
    assert_eq!(
        run(&LIMITS, &mut s, &[hot]).action,
        compile(LOOP, Speculation::Full)
    );
    assert_eq!(run(&LIMITS, &mut s, &[hot]).action, Action::Nothing);
    // No second compilation while one is under way.
    assert_eq!(
        run(&LIMITS, &mut s, &[Event::HotCall]).action,
        Action::Nothing
    );
    run(&LIMITS, &mut s, &[Event::Installed { entry: LOOP }]);
    for n in 1..=3 {
        let rejects = vec![Event::Rejected { pc: 7 }; MAX_REJECTED as usize - 1];
        assert_eq!(run(&LIMITS, &mut s, &rejects).action, Action::Nothing);
        let d = run(&LIMITS, &mut s, &[Event::Rejected { pc: 7 }]);
        assert_eq!(d.action, Action::DropLoop { pc: 7 });
        if n <= LIMITS.max_recompiles {
            let waits = vec![hot; 1 << n];
            assert_eq!(run(&LIMITS, &mut s, &waits).action, Action::Nothing);
            assert_eq!(
                run(&LIMITS, &mut s, &[hot]).action,
                compile(LOOP, Speculation::Full)
            );
            run(&LIMITS, &mut s, &[Event::Installed { entry: LOOP }]);
        }
    }
    assert_eq!(s.loops[&7].phase, Phase::Off);
}

#[test]
fn jettison_covers_loops_and_the_result_of_a_compilation_under_way_is_stale() {
    let mut s = installed();
    run(
        &LIMITS,
        &mut s,
        &[
            Event::HotLoop { pc: 7 },
            Event::Installed { entry: LOOP },
            Event::HotLoop { pc: 9 },
        ],
    );
    let before = s.generation();
    run(&LIMITS, &mut s, &[Event::Invalidated]);
    assert_ne!(s.generation(), before);
    assert_eq!(s.call, Phase::Idle);
    assert_eq!(s.loops[&7].phase, Phase::Idle);
    assert_eq!(s.loops[&9].phase, Phase::Pending);
}

#[test]
fn switches() {
    let no_osr = Limits {
        osr: false,
        ..LIMITS
    };
    let s = FunctionState::default();
    assert_eq!(
        decide(&no_osr, &s, Event::HotLoop { pc: 7 }).1.action,
        Action::Nothing
    );
    let plain = Limits {
        speculate: false,
        ..LIMITS
    };
    assert_eq!(
        decide(&plain, &s, Event::HotCall).1.action,
        compile(CALL, Speculation::None)
    );
    let stress = Limits {
        exits_are_stress: true,
        ..LIMITS
    };
    let d = decide(&stress, &installed(), exit(CALL, 1 << 30, 1 << 30)).1;
    assert_eq!(d.action, Action::Nothing);
}
