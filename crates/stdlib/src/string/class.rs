//! Classes of bytes in patterns, as sets of bits.

use super::pattern::ESC;

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(super) const NONE: ByteSet = ByteSet([0; 4]);
    pub(super) const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    /// The set of these bytes.
    pub(super) const fn of_bytes(bytes: &[u8]) -> ByteSet {
        let mut set = ByteSet::NONE;
        let mut i = 0;
        while i < bytes.len() {
            set.add(bytes[i]);
            i += 1;
        }
        set
    }

    /// The bytes of a set such as `[^%a_-z]`, brackets included in `text`.
    pub(super) fn of(text: &[u8]) -> ByteSet {
        let (negated, mut rest) = match text[1] {
            b'^' => (true, &text[2..text.len() - 1]),
            _ => (false, &text[1..text.len() - 1]),
        };
        let mut set = ByteSet::NONE;
        loop {
            match *rest {
                [] => break,
                [ESC, class, ..] => {
                    set.add_all(of_class(class));
                    rest = &rest[2..];
                }
                [from, b'-', to, ..] => {
                    for c in from..=to {
                        set.add(c);
                    }
                    rest = &rest[3..];
                }
                [one, ..] => {
                    set.add(one);
                    rest = &rest[1..];
                }
            }
        }
        if negated { set.complement() } else { set }
    }

    /// The bytes that are not in the set.
    pub(super) fn complement(&self) -> ByteSet {
        ByteSet(self.0.map(|w| !w))
    }

    /// Whether the sets have a byte in common.
    pub(super) fn meets(&self, other: &ByteSet) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| a & b != 0)
    }

    /// The bytes of the set, ascending.
    pub(super) fn members(&self) -> impl Iterator<Item = u8> {
        let words = self.0;
        (0..4).flat_map(move |i| {
            let mut rest = words[i];
            std::iter::from_fn(move || {
                let lowest = rest.trailing_zeros();
                // Nothing is lost where there is none.
                rest &= rest.wrapping_sub(1);
                (lowest < 64).then(|| 64 * i as u8 + lowest as u8)
            })
        })
    }

    /// The byte that is the whole set.
    pub(super) fn only(&self) -> Option<u8> {
        let mut members = self.members();
        match (members.next(), members.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        }
    }

    /// Whether the byte is in the set.
    #[inline(always)]
    pub(super) fn has(&self, c: u8) -> bool {
        self.0[usize::from(c >> 6)] >> (c & 63) & 1 != 0
    }

    const fn add(&mut self, c: u8) {
        self.0[(c >> 6) as usize] |= 1 << (c & 63);
    }

    /// Adds the bytes of another set.
    pub(super) fn add_all(&mut self, other: &ByteSet) {
        for (w, o) in self.0.iter_mut().zip(other.0) {
            *w |= o;
        }
    }
}

/// Whether `c` is in a set such as `[^%a_-z]`, brackets included in `set`:
/// what [`ByteSet::of`] is tested against.
#[cfg(test)]
pub(super) fn in_set(c: u8, set: &[u8]) -> bool {
    let (negated, mut rest) = match set[1] {
        b'^' => (true, &set[2..set.len() - 1]),
        _ => (false, &set[1..set.len() - 1]),
    };
    loop {
        match *rest {
            [] => return negated,
            [ESC, class, ..] => {
                if of_class(class).has(c) {
                    return !negated;
                }
                rest = &rest[2..];
            }
            [from, b'-', to, ..] => {
                if from <= c && c <= to {
                    return !negated;
                }
                rest = &rest[3..];
            }
            [one, ..] => {
                if one == c {
                    return !negated;
                }
                rest = &rest[1..];
            }
        }
    }
}

/// The bytes of class `%class`; bytes that name no class stand for
/// themselves.
#[inline(always)]
pub(super) fn of_class(class: u8) -> &'static ByteSet {
    &SETS[usize::from(class)]
}

static SETS: [ByteSet; 256] = {
    let mut sets = [ByteSet::NONE; 256];
    let mut class = 0;
    while class < 256 {
        let mut c = 0;
        while c < 256 {
            if in_class(c as u8, class as u8) {
                sets[class].add(c as u8);
            }
            c += 1;
        }
        class += 1;
    }
    sets
};

/// Membership in the C locale.
const fn in_class(c: u8, class: u8) -> bool {
    let is = match class.to_ascii_lowercase() {
        b'a' => c.is_ascii_alphabetic(),
        b'c' => c.is_ascii_control(),
        b'd' => c.is_ascii_digit(),
        b'g' => c.is_ascii_graphic(),
        b'l' => c.is_ascii_lowercase(),
        b'p' => c.is_ascii_punctuation(),
        b's' => matches!(c, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r'),
        b'u' => c.is_ascii_uppercase(),
        b'w' => c.is_ascii_alphanumeric(),
        b'x' => c.is_ascii_hexdigit(),
        // Deprecated in Lua 5.2 and still there.
        b'z' => c == 0,
        _ => return c == class,
    };
    is != class.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_what_their_text_says() {
        for text in [
            "[a]", "[^a]", "[a-z]", "[^%a_]", "[%w_.-]", "[]]", "[^]]", "[%]x]", "[a-]", "[z-a]",
            "[%a-z]", "[-%s]", "[^\n]", "[%z%S]", "[+-9]",
        ] {
            let text = text.as_bytes();
            let set = ByteSet::of(text);
            for c in 0..=255 {
                assert_eq!(set.has(c), in_set(c, text), "{c} in {text:?}");
            }
        }
    }

    #[test]
    fn members_are_those_that_it_has() {
        for text in ["[a]", "[^a]", "[%w_]", "[^%w%W]", "[%w%W]"] {
            let set = ByteSet::of(text.as_bytes());
            let members: Vec<u8> = set.members().collect();
            let has: Vec<u8> = (0..=255).filter(|&c| set.has(c)).collect();
            assert_eq!(members, has, "{text}");
            assert_eq!(ByteSet::of_bytes(&members), set);
            assert_eq!(set.only().is_some(), members.len() == 1);
            assert!(!set.meets(&set.complement()));
            assert_eq!(set.meets(&set), !members.is_empty());
        }
    }

    #[test]
    fn classes_have_complements() {
        for class in b"acdglpsuwxz" {
            for c in 0..=255 {
                let upper = of_class(class.to_ascii_uppercase()).has(c);
                assert_ne!(of_class(*class).has(c), upper, "{c} in {class}");
            }
        }
        assert!(of_class(b'.').has(b'.') && !of_class(b'.').has(b'a'));
        assert!(of_class(b'\xe9').has(b'\xe9') && !of_class(b'a').has(b'\xe9'));
    }
}
