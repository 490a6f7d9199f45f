//! Calendar arithmetic and `strftime` of the C locale for `os.date` and
//! `os.time`.
//!
//! Years span C's `int` as in PUC Lua; the rules of the local time zone come
//! from jiff, and outside its range of years (±9999) its nearest rule holds.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write;

const DAY: i64 = 86_400;
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A point in time by the calendar: C's `struct tm` with natural counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Year of the proleptic Gregorian calendar.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub min: i64,
    /// 0 to 60.
    pub sec: i64,
    /// 1 (Sunday) to 7.
    pub wday: i64,
    /// 1 to 366.
    pub yday: i64,
    /// Daylight saving time.
    pub dst: bool,
    /// Seconds east of UTC.
    pub offset: i64,
    /// Abbreviation of the zone.
    pub zone: String,
}

/// Days from 1970-01-01 to a date; `month` may be anything, counted from 1.
/// Counts in eras of 400 years that start in March, so that leap days come last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date that many days from 1970-01-01: the inverse of
/// [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (era * 400 + yoe + i64::from(month <= 2), month, day)
}

struct ZoneRule {
    offset: i64,
    dst: bool,
    name: String,
}

fn rule_at(zone: &TimeZone, t: i64) -> ZoneRule {
    let (lo, hi) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    let ts = Timestamp::from_second(t.clamp(lo, hi)).unwrap_or(Timestamp::UNIX_EPOCH);
    let info = zone.to_offset_info(ts);
    ZoneRule {
        offset: i64::from(info.offset().seconds()),
        dst: info.dst().is_dst(),
        name: info.abbreviation().to_string(),
    }
}

fn moment(t: i64, rule: ZoneRule) -> Option<Moment> {
    let local = t.checked_add(rule.offset)?;
    let days = local.div_euclid(DAY);
    let secs = local.rem_euclid(DAY);
    let (year, month, day) = civil_from_days(days);
    // C counts years from 1900 in an int.
    i32::try_from(year - 1900).ok()?;
    Some(Moment {
        year,
        month,
        day,
        hour: secs / 3600,
        min: secs / 60 % 60,
        sec: secs % 60,
        wday: (days + 4).rem_euclid(7) + 1,
        yday: days - days_from_civil(year, 1, 1) + 1,
        dst: rule.dst,
        offset: rule.offset,
        zone: rule.name,
    })
}

/// UTC at `t` seconds from 1970; `None` if the year does not fit.
#[must_use]
pub fn utc(t: i64) -> Option<Moment> {
    moment(
        t,
        ZoneRule {
            offset: 0,
            dst: false,
            name: "GMT".into(),
        },
    )
}

/// Local time at `t` seconds from 1970; `None` if the year does not fit.
#[must_use]
pub fn local(t: i64) -> Option<Moment> {
    moment(t, rule_at(&TimeZone::system(), t))
}

/// The fields of a date table, in any range.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    /// Year.
    pub year: i64,
    /// Month from 1.
    pub month: i64,
    /// Day from 1.
    pub day: i64,
    /// Hours.
    pub hour: i64,
    /// Minutes.
    pub min: i64,
    /// Seconds.
    pub sec: i64,
    /// Whether the fields are in daylight saving time; `None` finds out.
    pub dst: Option<bool>,
}

/// Seconds from 1970 of local fields, and their normal form (C's `mktime`);
/// `None` if the year does not fit.
#[must_use]
pub fn from_local(f: Fields) -> Option<(i64, Moment)> {
    let zone = TimeZone::system();
    let wall = days_from_civil(f.year, f.month, 1)
        .checked_add(f.day - 1)?
        .checked_mul(DAY)?
        .checked_add(f.hour * 3600 + f.min * 60 + f.sec)?;
    // The offset in force depends on the result: two rounds settle it, except
    // in the gap of a clock change, where either side will do.
    let mut t = wall - rule_at(&zone, wall).offset;
    t = wall - rule_at(&zone, t).offset;
    if let Some(want) = f.dst
        && rule_at(&zone, t).dst != want
    {
        // The nearest time under the other rule tells that rule's offset.
        const STEP: i64 = 7 * DAY;
        let near = (1..=77).flat_map(|k| [t - k * STEP, t + k * STEP]);
        if let Some(rule) = near.map(|n| rule_at(&zone, n)).find(|r| r.dst == want) {
            t = wall - rule.offset;
        }
    }
    let m = moment(t, rule_at(&zone, t))?;
    Some((t, m))
}

/// Whether `spec` (what follows `%`) starts with a conversion that C99's
/// `strftime` has; its length.
#[must_use]
pub fn conversion_len(spec: &[u8]) -> Option<usize> {
    match spec {
        [b'E', c, ..] if b"cCxXyY".contains(c) => Some(2),
        [b'O', c, ..] if b"deHImMSuUVwWy".contains(c) => Some(2),
        [c, ..] if b"aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%".contains(c) => Some(1),
        _ => None,
    }
}

/// Appends conversion `c` of `m` as `strftime` does in the C locale.
pub fn format(out: &mut String, c: u8, m: &Moment) {
    // Writing to a string cannot fail.
    let _ = match c {
        b'a' => write!(out, "{}", &DAYS[m.wday as usize - 1][..3]),
        b'A' => write!(out, "{}", DAYS[m.wday as usize - 1]),
        b'b' | b'h' => write!(out, "{}", &MONTHS[m.month as usize - 1][..3]),
        b'B' => write!(out, "{}", MONTHS[m.month as usize - 1]),
        b'c' => return each(out, b"a b e T Y", m),
        b'C' => write!(out, "{:02}", m.year.div_euclid(100)),
        b'd' => write!(out, "{:02}", m.day),
        b'D' | b'x' => return each(out, b"m/d/y", m),
        b'e' => write!(out, "{:2}", m.day),
        b'F' => return each(out, b"Y-m-d", m),
        b'g' => write!(out, "{:02}", iso_week(m).0.rem_euclid(100)),
        b'G' => write!(out, "{}", iso_week(m).0),
        b'H' => write!(out, "{:02}", m.hour),
        b'I' => write!(out, "{:02}", (m.hour + 11) % 12 + 1),
        b'j' => write!(out, "{:03}", m.yday),
        b'm' => write!(out, "{:02}", m.month),
        b'M' => write!(out, "{:02}", m.min),
        b'n' => writeln!(out),
        b'p' => write!(out, "{}", if m.hour < 12 { "AM" } else { "PM" }),
        b'r' => return each(out, b"I:M:S p", m),
        b'R' => return each(out, b"H:M", m),
        b'S' => write!(out, "{:02}", m.sec),
        b't' => write!(out, "\t"),
        b'T' | b'X' => return each(out, b"H:M:S", m),
        b'u' => write!(out, "{}", (m.wday + 5) % 7 + 1),
        b'U' => write!(out, "{:02}", (m.yday + 7 - m.wday) / 7),
        b'V' => write!(out, "{:02}", iso_week(m).1),
        b'w' => write!(out, "{}", m.wday - 1),
        b'W' => write!(out, "{:02}", (m.yday + 6 - (m.wday + 5) % 7) / 7),
        b'y' => write!(out, "{:02}", m.year.rem_euclid(100)),
        b'Y' => write!(out, "{}", m.year),
        b'z' => {
            let minutes = m.offset.abs() / 60;
            let sign = if m.offset < 0 { '-' } else { '+' };
            write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
        }
        b'Z' => write!(out, "{}", m.zone),
        _ => write!(out, "{}", char::from(c)),
    };
}

/// A composite conversion: letters are conversions, the rest is itself.
fn each(out: &mut String, parts: &[u8], m: &Moment) {
    for &c in parts {
        if c.is_ascii_alphabetic() {
            format(out, c, m);
        } else {
            out.push(char::from(c));
        }
    }
}

/// Year and number of the ISO 8601 week: the one that holds the Thursday.
fn iso_week(m: &Moment) -> (i64, i64) {
    let weekday = (m.wday + 5) % 7; // Monday is 0
    let thursday = days_from_civil(m.year, m.month, m.day) - weekday + 3;
    let (year, _, _) = civil_from_days(thursday);
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(conversions: &[u8], t: i64) -> String {
        let m = utc(t).expect("in range");
        let mut out = String::new();
        each(&mut out, conversions, &m);
        out
    }

    #[test]
    fn dates_round_trip() {
        for days in (-1_000_000..1_000_000).step_by(97) {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
        }
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(civil_from_days(11_016), (2000, 2, 29));
        assert_eq!(days_from_civil(1999, 14, 29), 11_016);
    }

    #[test]
    fn conversions_of_the_c_locale() {
        // date -u -d @1000000000
        assert_eq!(text(b"c", 1_000_000_000), "Sun Sep  9 01:46:40 2001");
        assert_eq!(text(b"D F j", 1_000_000_000), "09/09/01 2001-09-09 252");
        assert_eq!(
            text(b"U W V G g u w", 1_000_000_000),
            "36 36 36 2001 01 7 0"
        );
        assert_eq!(text(b"I p r R", 1_000_040_000), "12 PM 12:53:20 PM 12:53");
        // 2008-12-29 is in the first week of 2009, 2010-01-03 in the last of 2009.
        assert_eq!(text(b"V G", 1_230_508_800), "01 2009");
        assert_eq!(text(b"V G", 1_262_476_800), "53 2009");
        assert_eq!(text(b"z Z C y", -1), "+0000 GMT 19 69");
    }

    #[test]
    fn years_are_bounded_like_c() {
        assert!(utc(67_768_036_191_676_799).is_some());
        assert!(utc(67_768_036_191_676_800).is_none());
        assert!(utc(i64::MAX).is_none());
        assert!(utc(i64::MIN).is_none());
    }

    #[test]
    fn conversions_are_checked() {
        assert_eq!(conversion_len(b"d"), Some(1));
        assert_eq!(conversion_len(b"Ey"), Some(2));
        assert_eq!(conversion_len(b"Ez"), None);
        assert_eq!(conversion_len(b"Q"), None);
        assert_eq!(conversion_len(b""), None);
    }
}
