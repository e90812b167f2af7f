//! Pages of a list.

use thiserror::Error;

/// Which page, from 1. Bounded so that `page × limit` always fits 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNumber(i64);

/// How many items on a page: 1 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(i64);

/// A number outside its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be a whole number between {min} and {max}")]
pub struct OutOfRange {
    min: i64,
    max: i64,
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Page {
    /// Which one.
    pub number: PageNumber,
    /// How long each is.
    pub limit: Limit,
}

impl PageNumber {
    /// The last page that can be asked for.
    pub const MAX: i64 = i64::MAX / Limit::MAX;

    /// The number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl Limit {
    /// The longest page.
    pub const MAX: i64 = 1000;

    /// The number of items.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl Default for PageNumber {
    fn default() -> Self {
        Self(1)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl std::str::FromStr for PageNumber {
    type Err = OutOfRange;

    fn from_str(raw: &str) -> Result<Self, OutOfRange> {
        within(raw, 1, Self::MAX).map(Self)
    }
}

impl std::str::FromStr for Limit {
    type Err = OutOfRange;

    fn from_str(raw: &str) -> Result<Self, OutOfRange> {
        within(raw, 1, Self::MAX).map(Self)
    }
}

impl Page {
    /// How many items stand before this page.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.number.0 - 1) * self.limit.0
    }

    /// Whether a list of `total` items goes on after this page.
    #[must_use]
    pub fn has_more(self, total: i64) -> bool {
        self.number.0 * self.limit.0 < total
    }
}

fn within(raw: &str, min: i64, max: i64) -> Result<i64, OutOfRange> {
    raw.trim()
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number))
        .ok_or(OutOfRange { min, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: &str, limit: &str) -> Page {
        Page {
            number: number.parse().unwrap(),
            limit: limit.parse().unwrap(),
        }
    }

    #[test]
    fn the_first_fifty_are_the_default() {
        let page = Page::default();
        assert_eq!(
            (page.number.get(), page.limit.get(), page.offset()),
            (1, 50, 0)
        );
    }

    #[test]
    fn there_is_more_until_the_last_item_is_shown() {
        assert!(page("1", "2").has_more(3));
        assert!(!page("2", "2").has_more(3));
        assert!(!page("2", "2").has_more(4));
        assert!(!page("1", "2").has_more(0));
    }

    #[test]
    fn the_last_page_does_not_overflow() {
        let last = page(&PageNumber::MAX.to_string(), "1000");
        assert!(last.offset() > 0);
        assert!(!last.has_more(i64::MAX - 1000));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for raw in [
            "0",
            "-1",
            "1.5",
            "",
            "abc",
            "9223372036854775807",
            "99999999999999999999",
        ] {
            assert!(raw.parse::<PageNumber>().is_err(), "{raw}");
        }
        for raw in ["0", "1001", "x"] {
            assert!(raw.parse::<Limit>().is_err(), "{raw}");
        }
    }
}
