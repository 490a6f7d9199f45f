//! Feedback only widens, and snapshots show it as it was.

use std::sync::Arc;
use vela_bytecode::Proto;
use vela_objects::feedback::{CacheState, FeedbackSlot, MAX_WAYS, Way, WayKind};
use vela_objects::vm::Hooks;
use vela_objects::{Tag, VmState};
use vela_profiler::HotCounter;
use vela_profiler::snapshot::snapshot;

fn way(shape: u64) -> Way {
    Way {
        shape,
        kind: WayKind::Target,
        ..Way::EMPTY
    }
}

#[test]
fn caches_widen_step_by_step() {
    let mut slot = FeedbackSlot::default();
    let rank = |s: CacheState| s as u8;
    let mut before = rank(slot.state);
    for shape in 1..=MAX_WAYS as u64 + 3 {
        for _ in 0..2 {
            slot.add_way(way(shape * 16));
            assert!(rank(slot.state) >= before);
            before = rank(slot.state);
        }
        let expected = match shape {
            1 => CacheState::Mono,
            n if n <= MAX_WAYS as u64 => CacheState::Poly,
            _ => CacheState::Mega,
        };
        assert_eq!(slot.state, expected);
        assert_eq!(slot.ways().count(), (shape as usize).min(MAX_WAYS));
    }
}

#[test]
fn result_tags_accumulate() {
    let mut slot = FeedbackSlot::default();
    let mut seen = 0;
    for tag in [Tag::INT, Tag::FLOAT, Tag::INT, Tag::NIL, Tag::TABLE] {
        slot.saw_result(tag);
        assert_eq!(slot.result & seen, seen);
        seen = slot.result;
        assert_ne!(seen & 1 << tag.0, 0);
    }
}

#[test]
fn counters_saturate() {
    let counter = HotCounter::default();
    counter.set(u32::MAX - 1);
    assert_eq!(counter.increment(), u32::MAX);
    assert_eq!(counter.increment(), u32::MAX);
}

#[test]
fn a_snapshot_does_not_change_afterwards() {
    let hooks = Hooks::interpreter_only(|_, _, _| Ok(0), |_, _, _, _| Err(String::new()));
    let mut vm = VmState::new(3, hooks).expect("address space");
    let proto = Proto {
        max_stack: 2,
        num_feedback: 2,
        ..Proto::default()
    };
    let function = vm.load_proto(&Arc::new(proto));
    function.cold().feedback[1].saw_result(Tag::STR);
    let early = snapshot(&mut vm, function, &[]);
    function.cold().feedback[1].saw_result(Tag::INT);
    let late = snapshot(&mut vm, function, &[]);
    assert_eq!(early.sites.len(), 2);
    assert_eq!(early.sites[1].result, 1 << Tag::STR.0);
    assert_eq!(late.sites[1].result, 1 << Tag::STR.0 | 1 << Tag::INT.0);
    assert_eq!(early.proto_id, late.proto_id);
}
