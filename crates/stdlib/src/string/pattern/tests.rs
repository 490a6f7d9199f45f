//! The matcher against expected results and against the oracle.

use super::program::{Item, Node};
use super::{Capture, Matcher, PatternError, compile, reference};
use proptest::prelude::*;
use std::sync::atomic::AtomicU32;

static GO_ON: AtomicU32 = AtomicU32::new(0);

/// A place where no match ends.
const NEVER: usize = usize::MAX;

type Found = Result<Option<(usize, usize, Vec<Capture>)>, PatternError>;

fn next(s: &[u8], p: &[u8], from: usize, last: usize) -> Found {
    let program = compile(p);
    let mut m = Matcher::new(s, &program);
    let Some((start, end)) = m.next(from, last, &GO_ON)? else {
        return Ok(None);
    };
    let captures = (0..m.level().max(1)).map(|i| m.capture(i, start, end));
    Ok(Some((start, end, captures.collect::<Result<_, _>>()?)))
}

/// All matches one after the other, or the error that ends them, by both.
fn all_matches(s: &[u8], p: &[u8]) {
    let (mut from, mut last) = (0, NEVER);
    loop {
        let found = next(s, p, from, last);
        assert_eq!(found, reference::next(s, p, from, last), "{s:?} {p:?}");
        match found {
            Ok(Some((_, end, _))) if !p.starts_with(b"^") => (from, last) = (end, end),
            _ => break,
        }
    }
}

fn find(s: &str, p: &str) -> Result<Option<(usize, usize)>, PatternError> {
    all_matches(s.as_bytes(), p.as_bytes());
    let found = next(s.as_bytes(), p.as_bytes(), 0, NEVER)?;
    Ok(found.map(|(start, end, _)| (start, end)))
}

#[test]
fn matches() {
    for (s, p, want) in [
        ("hello", "l+", Some((2, 4))),
        ("hello", "^l", None),
        ("hello", "o$", Some((4, 5))),
        ("a.b", "%.", Some((1, 2))),
        ("key = value", "%w+%s*=%s*%w+", Some((0, 11))),
        ("some key = value", "(%w+)%s*=%s*(%w+)", Some((5, 16))),
        ("x[[y]]", "%b[]", Some((1, 6))),
        ("x[[y]", "%b[]", Some((2, 5))),
        ("THE (quick) fox", "%f[%a]%a+%f[%A]", Some((0, 3))),
        ("abcabc", "(abc)%1", Some((0, 6))),
        ("aab ab", "(a+)b %1b", Some((1, 6))),
        ("aaa", "a-b", None),
        ("aab", "a-b", Some((0, 3))),
        ("]", "[]]", Some((0, 1))),
        ("x]", "[^]]", Some((0, 1))),
        ("a-b", "[a%-]+", Some((0, 2))),
        ("a-", "[a-]+", Some((0, 2))),
        ("", "", Some((0, 0))),
        ("aXb", "%u", Some((1, 2))),
        ("aXb", "%L", Some((1, 2))),
        ("a$", "a$$", Some((0, 2))),
        ("ab", "a?b?c?", Some((0, 2))),
        ("aab", "a?ab", Some((0, 3))),
        ("\u{e9}", "%a", None),
        ("a, b; c", "([^,;]+)[,;] ", Some((0, 3))),
        ("  key=1", "()(%a+)=", Some((2, 6))),
        ("xx-yy", "-yy", Some((2, 5))),
        ("ab12", "[%d]+$", Some((2, 4))),
        ("ab%12", "[^1]+", Some((0, 3))),
        ("none", "[0-9]", None),
        ("none", "%d-$", Some((4, 4))),
        ("key: value", "(%w+): (%w+)", Some((0, 10))),
        ("key  value", "(%w+): (%w+)", None),
        ("aaa", "a+a", Some((0, 3))),
        ("aaa", "a-a$", Some((0, 3))),
        ("<b>x</b>", "<(.-)>", Some((0, 3))),
        ("<b>x</b>", "(<.->)$", Some((0, 8))),
        ("x = 'a b'", "'(.*)'", Some((4, 9))),
        ("a,b,", "(.-),()(b)", Some((0, 3))),
        ("  trim me ", "^%s*(.-)%s*$", Some((0, 10))),
        ("a\0b", "%z", Some((1, 2))),
        ("a\0b", "a\0b", Some((0, 3))),
        ("a\0", "%f[%z]", Some((1, 1))),
        ("ab", "%f[%z]", Some((2, 2))),
        ("^a", "^^a", Some((0, 2))),
        ("a^", "a^", Some((0, 2))),
        ("12.5e3", "%d+%.?%d*[eE]?%d*", Some((0, 6))),
        ("aXbXc", ".*X", Some((0, 4))),
        ("aXbXc", ".-X", Some((0, 2))),
        ("aaXbb", "[^X]*b", Some((3, 5))),
    ] {
        assert_eq!(find(s, p), Ok(want), "{s:?} {p:?}");
    }
}

#[test]
fn errors_are_raised_where_matching_gets_to_them() {
    use PatternError as E;
    for (p, want) in [
        ("%", E::EndsWithPercent),
        ("a%", E::EndsWithPercent),
        ("[a", E::MissingBracket),
        ("[]", E::MissingBracket),
        ("[^]", E::MissingBracket),
        ("[%", E::MissingBracket),
        ("[%]", E::MissingBracket),
        ("%b", E::MissingBalance),
        ("%bx", E::MissingBalance),
        ("%f", E::MissingFrontier),
        ("%fa", E::MissingFrontier),
        ("%f[a", E::MissingBracket),
        ("a)", E::InvalidCapture),
        ("(a))", E::InvalidCapture),
        ("%1", E::CaptureIndex(1)),
        ("(%1)", E::CaptureIndex(1)),
        ("(a)%2", E::CaptureIndex(2)),
        ("a+)b", E::InvalidCapture),
        ("(a+)b)", E::InvalidCapture),
        ("a-)b", E::InvalidCapture),
        ("a*%1", E::CaptureIndex(1)),
        ("a+[b", E::MissingBracket),
        ("%0", E::CaptureIndex(0)),
        ("(a", E::UnfinishedCapture),
        ("(()a", E::UnfinishedCapture),
    ] {
        let want = if p == "(a+)b)" { Ok(None) } else { Err(want) };
        assert_eq!(find("aaa", p), want, "{p:?}");
    }
    for p in ["b%", "b[a", "b)", "%d*b%1", "(b", "%d+[", "()%1[", "b?x)"] {
        assert_eq!(find("aaa", p), Ok(None), "{p:?}");
    }
    assert_eq!(find("x", &"()".repeat(33)), Err(E::TooManyCaptures));
    assert_eq!(find("x", &"()".repeat(32)), Ok(Some((0, 0))));
}

#[test]
fn what_nests_too_deep_is_too_complex() {
    use PatternError as E;
    for (unit, subject) in [("x?", "x"), ("x*", "x"), ("x-", ""), (".?", "x")] {
        for n in [198, 199, 200, 201, 300] {
            let found = find(&subject.repeat(n), &unit.repeat(n));
            assert_eq!(found == Err(E::TooComplex), n > 199, "{n} {unit}");
        }
    }
    // What is not there does not nest.
    assert_eq!(find("y", &"x?".repeat(1000)), Ok(Some((0, 0))));
    assert_eq!(find("", &"x+".repeat(1000)), Ok(None));
    assert_eq!(find("x", &("x?".repeat(300) + "y")), Ok(None));
}

#[test]
fn a_match_gives_up_when_asked_to() {
    let stop = AtomicU32::new(1);
    for (s, p) in [
        ("a".repeat(60), "a-".repeat(30) + "b"),
        ("a".repeat(60), "a*".repeat(30) + "b"),
        ("a".repeat(60), "a?".repeat(60) + &"a".repeat(61)),
        ("a".repeat(1 << 16), "(a+)%1-%1b".into()),
        ("(".repeat(1 << 10), "%b()".into()),
    ] {
        let program = compile(p.as_bytes());
        let mut m = Matcher::new(s.as_bytes(), &program);
        let found = m.next(0, NEVER, &stop);
        assert_eq!(found, Err(PatternError::Interrupted), "{p:.20}");
    }
}

#[test]
fn captures() {
    let program = compile(b"()(%w+)=(%w+)()");
    let mut m = Matcher::new(b"key=value", &program);
    assert_eq!(m.next(0, NEVER, &GO_ON), Ok(Some((0, 9))));
    assert_eq!(m.level(), 4);
    assert_eq!(m.capture(0, 0, 9), Ok(Capture::Position(1)));
    assert_eq!(m.capture(1, 0, 9), Ok(Capture::Part(0, 3)));
    assert_eq!(m.capture(2, 0, 9), Ok(Capture::Part(4, 9)));
    assert_eq!(m.capture(3, 0, 9), Ok(Capture::Position(10)));
    assert_eq!(m.capture(4, 0, 9), Err(PatternError::CaptureIndex(5)));
}

#[test]
fn programs_are_as_short_as_can_be() {
    let nodes = |p: &str| compile(p.as_bytes()).nodes.into_vec();
    assert_eq!(
        nodes("ab%.[c]d*"),
        [
            Node::Literal { at: 0, len: 4 },
            Node::Run {
                item: Item::Byte(b'd'),
                some: false
            },
            Node::Done
        ]
    );
    // A shorter run can only do if what follows may begin with its bytes.
    let run = |p: &str| nodes(p).iter().any(|n| matches!(n, Node::Run { .. }));
    for p in [
        "%w+%s",
        "(%w+)%s*=",
        "%d*%.",
        "%s*$",
        "%a-%d",
        "(%w+)",
        "[^\n]*\n",
        "a+()",
    ] {
        assert!(run(p), "{p}");
    }
    for p in [
        ".*x", "%w+%d", "%s*%s", "a+(b?)[", ".-x", "a*%f[a]", "(a)b*%1", ".+$x",
    ] {
        assert!(!run(p), "{p}");
    }
    assert_eq!(nodes("a[")[1], Node::Error(PatternError::MissingBracket));
    assert_eq!(nodes("()%1")[1], Node::Never);
}

/// Pieces of patterns, some of them malformed when they stand alone.
fn piece() -> impl Strategy<Value = String> {
    let test = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", " ", "="]),
        2 => prop::sample::select(vec![".", "%a", "%d", "%s", "%w", "%W", "%.", "%%", "%z", "%]"]),
        2 => prop::sample::select(vec![
            "[ab]", "[^a]", "[a-c]", "[^%s]", "[%w_]", "[]]", "[^]a]", "[a-]", "[%-b]", "[c-a]",
        ]),
    ];
    let times = prop::sample::select(vec!["", "", "", "*", "+", "-", "?"]);
    prop_oneof![
        12 => (test, times).prop_map(|(test, times)| format!("{test}{times}")),
        2 => Just("(".to_owned()),
        3 => Just(")".to_owned()),
        1 => prop::sample::select(vec![
            "()", "%1", "%2", "%b()", "%bab", "%baa", "%f[a]", "%f[%W]", "%f[^%z]", "$", "^", "\0",
        ])
        .prop_map(str::to_owned),
        1 => prop::sample::select(vec!["%", "[", "[^", "[a", "[%", "%b", "%ba", "%f", "%0", "*", "-", "]"])
            .prop_map(str::to_owned),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    (any::<bool>(), prop::collection::vec(piece(), 0..8)).prop_map(|(anchor, pieces)| {
        let start = if anchor && pieces.len() % 2 == 0 {
            "^"
        } else {
            ""
        };
        start.to_owned() + &pieces.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 50 } else { 20_000 }))]

    #[test]
    fn agrees_with_the_oracle(p in pattern(), s in "[abc =()1\\x00.%]]{0,12}") {
        all_matches(s.as_bytes(), p.as_bytes());
    }

    #[test]
    fn agrees_with_the_oracle_on_few_bytes(p in "[ab.()*+?%$^\\[\\]-]{0,12}", s in "[ab]{0,10}") {
        all_matches(s.as_bytes(), p.as_bytes());
    }
}
