//! The tiering policy as a table.

use vela_mir::ir::EntryKind;
use vela_runtime_integration::policy::{
    Action, Decision, Event, FunctionState, Limits, MAX_REJECTED, PENDING_CALLS, Phase, backoff,
    decide, exit_limit,
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

fn compile(entry: EntryKind, speculate: bool) -> Action {
    Action::Compile { entry, speculate }
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
            compile(CALL, true),
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
            E::Exit { failures: 99 },
            Action::Nothing,
            None,
            Phase::Ready,
        ),
        (
            &ready,
            E::Exit { failures: 100 },
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
            compile(LOOP, true),
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

#[test]
fn failing_code_is_recompiled_with_doubling_and_at_last_without_speculation() {
    let mut s = FunctionState::default();
    let mut waits = Vec::new();
    for round in 0..4 {
        let d = run(&LIMITS, &mut s, &[Event::HotCall]);
        // Two recompilations may speculate; the next one does not.
        assert_eq!(d.action, compile(CALL, round <= 2), "round {round}");
        run(&LIMITS, &mut s, &[Event::Installed { entry: CALL }]);
        let limit = exit_limit(&LIMITS, s.recompiles);
        assert_eq!(limit, 100 << round);
        let d = run(
            &LIMITS,
            &mut s,
            &[Event::Exit {
                failures: limit - 1,
            }],
        );
        assert_eq!(d.action, Action::Nothing);
        let d = run(&LIMITS, &mut s, &[Event::Exit { failures: limit }]);
        assert_eq!(d.action, Action::Jettison);
        waits.push(d.rearm.expect("a wait"));
    }
    assert_eq!(waits, [250, 500, 1000, 2000]);
    assert_eq!(
        s.call,
        Phase::Off,
        "a generic version that fails is the end"
    );
    assert_eq!(
        run(&LIMITS, &mut s, &[Event::HotCall]).action,
        Action::Nothing
    );
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
    assert_eq!(run(&LIMITS, &mut s, &[hot]).action, compile(LOOP, true));
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
            assert_eq!(run(&LIMITS, &mut s, &[hot]).action, compile(LOOP, true));
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
        compile(CALL, false)
    );
    let stress = Limits {
        exits_are_stress: true,
        ..LIMITS
    };
    let d = decide(&stress, &installed(), Event::Exit { failures: 1 << 30 }).1;
    assert_eq!(d.action, Action::Nothing);
}
