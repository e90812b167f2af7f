//! Periods: between which times something must have happened.
//!
//! Times are sent in milliseconds and kept in microseconds. A period compares what is sent: who asks
//! for what came after a time that was shown to him does not get the same customer again.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use thiserror::Error;

/// A part of time, as bounds of what is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Period {
    /// Where it begins.
    pub after: Option<After>,
    /// Where it ends.
    pub before: Option<Before>,
}

/// The times that are shown as later than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct After(DateTime<Utc>);

/// The times that are shown as earlier than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Before(DateTime<Utc>);

/// Neither a time nor a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be a date or an RFC 3339 time (in a URL, + is written %2B)")]
pub struct NoTime;

impl Period {
    /// Whether it is all of time.
    #[must_use]
    pub fn is_always(self) -> bool {
        self == Self::default()
    }
}

impl After {
    /// The first moment of them.
    #[must_use]
    pub fn first(self) -> DateTime<Utc> {
        self.0
    }
}

impl Before {
    /// The first moment that is none of them.
    #[must_use]
    pub fn end(self) -> DateTime<Utc> {
        self.0
    }
}

impl FromStr for After {
    type Err = NoTime;

    fn from_str(raw: &str) -> Result<Self, NoTime> {
        let millis = time(raw)?.timestamp_millis() + 1;
        at(millis).map(Self)
    }
}

impl FromStr for Before {
    type Err = NoTime;

    fn from_str(raw: &str) -> Result<Self, NoTime> {
        let time = time(raw)?;
        let begun = time.timestamp_subsec_nanos() % 1_000_000 != 0;
        at(time.timestamp_millis() + i64::from(begun)).map(Self)
    }
}

fn at(millis: i64) -> Result<DateTime<Utc>, NoTime> {
    DateTime::from_timestamp_millis(millis).ok_or(NoTime)
}

/// A time with its offset, or the midnight (UTC) with which a date begins.
fn time(raw: &str) -> Result<DateTime<Utc>, NoTime> {
    let raw = raw.trim();
    // Four digits of a year, no more: chrono knows years of other lengths, the standard does not.
    if raw.len() == 10 && raw.as_bytes()[0].is_ascii_digit() {
        let date = NaiveDate::parse_from_str(raw, "%Y-%m-%d").map_err(|_| NoTime)?;
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    let time = DateTime::parse_from_rfc3339(raw).map_err(|_| NoTime)?;
    Ok(time.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(raw: &str) -> String {
        shown(raw.parse::<After>().unwrap().first())
    }

    fn before(raw: &str) -> String {
        shown(raw.parse::<Before>().unwrap().end())
    }

    fn shown(time: DateTime<Utc>) -> String {
        time.format("%F %T%.6f").to_string()
    }

    #[test]
    fn what_is_shown_as_the_bound_is_not_within() {
        assert_eq!(
            after("2026-01-31T08:00:00.123Z"),
            "2026-01-31 08:00:00.124000"
        );
        assert_eq!(
            before("2026-01-31T08:00:00.123Z"),
            "2026-01-31 08:00:00.123000"
        );
    }

    #[test]
    fn a_bound_between_two_milliseconds_parts_them() {
        assert_eq!(
            after("2026-01-31T08:00:00.1235Z"),
            "2026-01-31 08:00:00.124000"
        );
        assert_eq!(
            before("2026-01-31T08:00:00.1235Z"),
            "2026-01-31 08:00:00.124000"
        );
    }

    #[test]
    fn a_time_has_an_offset_and_a_date_is_its_midnight() {
        assert_eq!(
            before("2026-01-31T02:00:00+02:00"),
            "2026-01-31 00:00:00.000000"
        );
        assert_eq!(before("2026-01-31"), "2026-01-31 00:00:00.000000");
        assert_eq!(after(" 1969-12-31 "), "1969-12-31 00:00:00.001000");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for raw in [
            "yesterday",
            "2026",
            "2026-1-31",
            "2026-02-30",
            "2026-01-31T08:00:00",
            "1769848800",
            "2026-01-31T08:00:00 02:00",
            "+2026-01-31",
            "-026-01-31",
            "2026-13-01T00:00:00Z",
            "31.01.2026",
        ] {
            assert_eq!(raw.parse::<After>(), Err(NoTime), "{raw}");
            assert_eq!(raw.parse::<Before>(), Err(NoTime), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn bounds_compare_what_is_shown(kept in 0_i64..4_000_000, bound in 0_i64..4_000_000) {
            let time = |micros| DateTime::from_timestamp_micros(micros).unwrap();
            let raw = time(bound).to_rfc3339();
            let shown = kept / 1000 * 1000;
            let first = raw.parse::<After>().unwrap().first();
            let end = raw.parse::<Before>().unwrap().end();
            prop_assert_eq!(time(kept) >= first, shown > bound);
            prop_assert_eq!(time(kept) < end, shown < bound);
        }

        #[test]
        fn no_text_is_too_strange(raw in "\\PC*") {
            let _ = raw.parse::<After>();
        }
    }
}
