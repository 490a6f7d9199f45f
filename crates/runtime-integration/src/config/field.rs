//! Types of configuration fields and their text.

use std::path::PathBuf;

/// A type that a field can have.
pub(super) trait Field: Sized {
    /// What its text looks like, for error messages.
    const EXPECTED: &'static str;
    /// Reads the text.
    fn parse(text: &str) -> Option<Self>;
    /// Writes the text.
    fn show(&self) -> String;
    /// The value if it is a number with bounds.
    fn number(&self) -> Option<u64> {
        None
    }
}

impl Field for bool {
    const EXPECTED: &'static str = "true or false (also on, off, 1, 0)";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "true" | "on" | "1" => Some(true),
            "false" | "off" | "0" => Some(false),
            _ => None,
        }
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! number {
    ($($ty:ty)+) => {$(
        impl Field for $ty {
            const EXPECTED: &'static str = "a number (K, M, G multiply by 1024)";
            fn parse(text: &str) -> Option<Self> {
                let (digits, unit) = match text.as_bytes().last()? {
                    b'k' | b'K' => (&text[..text.len() - 1], 1u64 << 10),
                    b'm' | b'M' => (&text[..text.len() - 1], 1 << 20),
                    b'g' | b'G' => (&text[..text.len() - 1], 1 << 30),
                    _ => (text, 1),
                };
                let n = digits.parse::<u64>().ok()?.checked_mul(unit)?;
                <$ty>::try_from(n).ok()
            }
            fn show(&self) -> String {
                self.to_string()
            }
            fn number(&self) -> Option<u64> {
                Some(u64::from(*self))
            }
        }
    )+};
}

number!(u8 u32 u64);

impl Field for Option<u64> {
    const EXPECTED: &'static str = "a number (K, M, G multiply by 1024) or nothing";
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(None);
        }
        u64::parse(text).map(Some)
    }
    fn show(&self) -> String {
        self.map_or(String::new(), |n| n.to_string())
    }
    fn number(&self) -> Option<u64> {
        *self
    }
}

/// When compilation happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Never.
    Off,
    /// At once, on the program's thread.
    Sync,
    /// On worker threads.
    Background,
}

impl Field for Mode {
    const EXPECTED: &'static str = "off, sync or background (also on)";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Mode::Off),
            "sync" => Some(Mode::Sync),
            "background" | "on" => Some(Mode::Background),
            _ => None,
        }
    }
    fn show(&self) -> String {
        match self {
            Mode::Off => "off",
            Mode::Sync => "sync",
            Mode::Background => "background",
        }
        .into()
    }
}

impl Field for Option<PathBuf> {
    const EXPECTED: &'static str = "a directory";
    fn parse(text: &str) -> Option<Self> {
        Some((!text.is_empty()).then(|| PathBuf::from(text)))
    }
    fn show(&self) -> String {
        self.as_ref()
            .map_or(String::new(), |p| p.display().to_string())
    }
}

/// Which events are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct LogFilter(u8);

impl LogFilter {
    /// No events.
    pub const NONE: LogFilter = LogFilter(0);
    /// Requests, compilations, failures.
    pub const COMPILE: LogFilter = LogFilter(1);
    /// Installations.
    pub const INSTALL: LogFilter = LogFilter(2);
    /// Side exits.
    pub const DEOPT: LogFilter = LogFilter(4);
    /// Code thrown away.
    pub const JETTISON: LogFilter = LogFilter(8);
    /// Code evicted for the budget, and freed.
    pub const EVICT: LogFilter = LogFilter(16);
    /// Loop entries.
    pub const OSR: LogFilter = LogFilter(32);
    /// All events.
    pub const ALL: LogFilter = LogFilter(63);

    const NAMES: [(&'static str, LogFilter); 7] = [
        ("compile", Self::COMPILE),
        ("install", Self::INSTALL),
        ("deopt", Self::DEOPT),
        ("jettison", Self::JETTISON),
        ("evict", Self::EVICT),
        ("osr", Self::OSR),
        ("all", Self::ALL),
    ];

    /// Whether every event of `other` is in the filter.
    #[must_use]
    pub fn contains(self, other: LogFilter) -> bool {
        self.0 & other.0 == other.0
    }

    /// The `tracing` targets of the events in the filter.
    pub fn targets(self) -> impl Iterator<Item = String> {
        Self::NAMES[..6]
            .iter()
            .filter(move |n| self.contains(n.1))
            .map(|n| format!("vela_jit::{}", n.0))
    }
}

impl Field for LogFilter {
    const EXPECTED: &'static str = "a list of compile, install, deopt, jettison, evict, osr, all";
    fn parse(text: &str) -> Option<Self> {
        let mut out = LogFilter::NONE;
        for word in text.split(',').filter(|w| !w.is_empty() && *w != "none") {
            let known = Self::NAMES.iter().find(|n| n.0 == word)?;
            out.0 |= known.1.0;
        }
        Some(out)
    }
    fn show(&self) -> String {
        if *self == Self::ALL {
            return "all".into();
        }
        let names: Vec<_> = Self::NAMES[..6]
            .iter()
            .filter(|n| self.contains(n.1))
            .map(|n| n.0)
            .collect();
        names.join(",")
    }
}
