//! Describes the machine and the day of a measurement.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a measurement ran on. Unknown parts read "unknown ...".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Processor model and number of cores.
    pub cpu: String,
    /// Main memory.
    pub memory: String,
    /// Operating system and architecture.
    pub system: String,
    /// Day in UTC, as year-month-day.
    pub date: String,
    /// Abbreviated commit of the source, if it comes from a repository.
    pub commit: Option<String>,
}

/// Value of `key` in lines of `key: value` or `key="value"`.
fn field<'a>(text: &'a str, key: &str, separator: char) -> Option<&'a str> {
    text.lines()
        .filter_map(|l| l.split_once(separator))
        .find(|(k, _)| k.trim() == key)
        .map(|(_, v)| v.trim().trim_matches('"'))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let months = [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 1;
    for length in months {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

impl Machine {
    /// Describes this machine, today; the commit is that of the repository around `source`.
    #[must_use]
    pub fn describe(source: &Path) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let cpuinfo = read("/proc/cpuinfo");
        let cpu = field(&cpuinfo, "model name", ':').unwrap_or("unknown processor");
        let memory = field(&read("/proc/meminfo"), "MemTotal", ':')
            .and_then(|v| v.split_whitespace().next()?.parse::<u64>().ok())
            .map_or("unknown memory".to_owned(), |kib| {
                format!("{:.1} GiB", kib as f64 / f64::from(1 << 20))
            });
        let release = read("/etc/os-release");
        let system = field(&release, "PRETTY_NAME", '=').unwrap_or(std::env::consts::OS);
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_secs());
        let (year, month, day) = civil_date(seconds / 86_400);
        let commit = Command::new("git")
            .arg("-C")
            .arg(source)
            .args(["rev-parse", "--short", "HEAD"])
            .output()
            .ok()
            .filter(|o| o.status.success())
            .map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
        Self {
            cpu: format!(
                "{cpu}, {cores} {}",
                if cores == 1 { "core" } else { "cores" }
            ),
            memory,
            system: format!("{system}, {}", std::env::consts::ARCH),
            date: format!("{year:04}-{month:02}-{day:02}"),
            commit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_known_days() {
        assert_eq!(civil_date(0), (1970, 1, 1));
        assert_eq!(civil_date(11_016), (2000, 2, 29));
        assert_eq!(civil_date(11_017), (2000, 3, 1));
        assert_eq!(civil_date(20_453), (2025, 12, 31));
        assert_eq!(civil_date(20_454), (2026, 1, 1));
    }

    #[test]
    fn fields_are_found_by_their_whole_key() {
        let text = "model name other: no\nmodel name\t: Fast 9000\nPRETTY=\"A B\"\n";
        assert_eq!(field(text, "model name", ':'), Some("Fast 9000"));
        assert_eq!(field(text, "PRETTY", '='), Some("A B"));
        assert_eq!(field(text, "model", ':'), None);
    }
}
