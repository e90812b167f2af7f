//! The order of a list, and cursors: where a walk through it has come to.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use data_encoding::BASE64URL_NOPAD;
use thiserror::Error;
use uuid::Uuid;

use super::CustomerId;

/// The form of the cursors made here. Those of another form are refused.
const VERSION: u8 = 1;
/// The first year that the database can keep.
const FIRST_YEAR: i32 = -4712;

/// What a list goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// When a customer was first written.
    CreatedAt,
    /// When it was last written.
    UpdatedAt,
    /// The last name in small letters; a customer without one has a blank one.
    LastName,
    /// Likewise the company's name.
    CompanyName,
}

/// The order of a list. Customers with the same key go by id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// What it goes by,
    pub key: SortKey,
    /// and whether from the last to the first.
    pub descending: bool,
}

/// None of the orders that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be created_at, updated_at, last_name or company_name, or one of these after a -")]
pub struct UnknownSort;

/// The value by which a customer stands where it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A time, to the microsecond.
    Time(DateTime<Utc>),
    /// A name, as the database compares it.
    Name(String),
}

/// The last customer that a walk has seen. Its value is always of the kind that its sort has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    sort: Sort,
    value: Value,
    id: CustomerId,
}

/// Why a cursor cannot be gone on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CursorError {
    /// It was not made here.
    #[error("Must be the next_cursor of an earlier reply")]
    Malformed,
    /// It was made in a list of another order.
    #[error("Was made for another sort")]
    OtherSort,
}

/// How far a walk through a list has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// It begins.
    Start,
    /// It has seen everything up to here.
    After(Cursor),
}

impl Default for Sort {
    fn default() -> Self {
        Self {
            key: SortKey::CreatedAt,
            descending: true,
        }
    }
}

impl FromStr for Sort {
    type Err = UnknownSort;

    fn from_str(raw: &str) -> Result<Self, UnknownSort> {
        let raw = raw.trim();
        let (name, descending) = match raw.strip_prefix('-') {
            Some(name) => (name, true),
            None => (raw, false),
        };
        let key = match name {
            "created_at" => SortKey::CreatedAt,
            "updated_at" => SortKey::UpdatedAt,
            "last_name" => SortKey::LastName,
            "company_name" => SortKey::CompanyName,
            _ => return Err(UnknownSort),
        };
        Ok(Self { key, descending })
    }
}

impl Sort {
    /// Its number in cursors.
    fn code(self) -> u8 {
        let key = match self.key {
            SortKey::CreatedAt => 0,
            SortKey::UpdatedAt => 1,
            SortKey::LastName => 2,
            SortKey::CompanyName => 3,
        };
        key << 1 | u8::from(self.descending)
    }

    fn from_code(code: u8) -> Option<Self> {
        let key = match code >> 1 {
            0 => SortKey::CreatedAt,
            1 => SortKey::UpdatedAt,
            2 => SortKey::LastName,
            3 => SortKey::CompanyName,
            _ => return None,
        };
        Some(Self {
            key,
            descending: code & 1 == 1,
        })
    }
}

impl SortKey {
    /// Whether it is a time, rather than a name.
    #[must_use]
    pub fn is_time(self) -> bool {
        matches!(self, Self::CreatedAt | Self::UpdatedAt)
    }
}

impl Cursor {
    /// Behind the customer `id`, which has `value`; none when a list of this order has no such
    /// values.
    #[must_use]
    pub fn new(sort: Sort, value: Value, id: CustomerId) -> Option<Self> {
        let fits = match &value {
            Value::Time(time) => sort.key.is_time() && time.year() >= FIRST_YEAR,
            // The database has no text with a NUL.
            Value::Name(name) => !sort.key.is_time() && !name.contains('\0'),
        };
        fits.then_some(Self { sort, value, id })
    }

    /// Reads a cursor that was made for a list in the order `sort`.
    ///
    /// # Errors
    /// When it was not.
    pub fn parse(raw: &str, sort: Sort) -> Result<Self, CursorError> {
        let cursor: Self = raw.parse()?;
        if cursor.sort == sort {
            Ok(cursor)
        } else {
            Err(CursorError::OtherSort)
        }
    }

    /// The value of the last customer seen.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> CustomerId {
        self.id
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[version, code], rest) = bytes.split_first_chunk()?;
        let (id, value) = rest.split_first_chunk()?;
        if version != VERSION {
            return None;
        }
        let sort = Sort::from_code(code)?;
        let value = if sort.key.is_time() {
            let micros = i64::from_be_bytes(value.try_into().ok()?);
            Value::Time(DateTime::from_timestamp_micros(micros)?)
        } else {
            Value::Name(std::str::from_utf8(value).ok()?.to_owned())
        };
        Self::new(sort, value, Uuid::from_bytes(*id).into())
    }
}

/// Its version, the sort, the id and the value, in letters that need no escape in a URL.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION, self.sort.code()];
        bytes.extend(self.id.as_uuid().as_bytes());
        match &self.value {
            Value::Time(time) => bytes.extend(time.timestamp_micros().to_be_bytes()),
            Value::Name(name) => bytes.extend(name.as_bytes()),
        }
        f.write_str(&BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(raw: &str) -> Result<Self, CursorError> {
        BASE64URL_NOPAD
            .decode(raw.trim().as_bytes())
            .ok()
            .and_then(|bytes| Self::from_bytes(&bytes))
            .ok_or(CursorError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sort(raw: &str) -> Sort {
        raw.parse().unwrap()
    }

    fn encoded(bytes: &[u8]) -> String {
        BASE64URL_NOPAD.encode(bytes)
    }

    #[test]
    fn a_leading_minus_turns_an_order_round() {
        assert_eq!(sort("-created_at"), Sort::default());
        assert!(!sort(" last_name ").descending);
        for raw in ["", "-", "--last_name", "name", "created_at desc", "+email"] {
            assert_eq!(raw.parse::<Sort>(), Err(UnknownSort), "{raw}");
        }
    }

    #[test]
    fn a_cursor_is_for_one_order() {
        let time = DateTime::from_timestamp_micros(1_234_567).unwrap();
        let cursor = Cursor::new(Sort::default(), Value::Time(time), CustomerId::generate());
        let raw = cursor.unwrap().to_string();
        assert!(Cursor::parse(&raw, Sort::default()).is_ok());
        for other in ["created_at", "-updated_at", "last_name"] {
            let refused = Cursor::parse(&raw, sort(other));
            assert_eq!(refused, Err(CursorError::OtherSort), "{other}");
        }
    }

    #[test]
    fn what_was_not_made_here_is_refused() {
        let id = [7; 16];
        let with = |head: [u8; 2], value: &[u8]| encoded(&[&head[..], &id, value].concat());
        assert!(with([1, 1], &[0; 8]).parse::<Cursor>().is_ok());
        for raw in [
            String::new(),
            "page2".to_owned(),
            "%%%".to_owned(),
            with([1, 1], &[0; 8]) + "=",
            // Another version, an unknown sort, too short, too long,
            with([2, 1], &[0; 8]),
            with([1, 8], &[0; 8]),
            with([1, 1], &[0; 7]),
            with([1, 1], &[0; 9]),
            encoded(&[1, 4]),
            // times that nobody keeps, and names that are no text.
            with([1, 1], &i64::MIN.to_be_bytes()),
            with([1, 1], &i64::MAX.to_be_bytes()),
            with([1, 1], &(-300_000_000_000_000_000_i64).to_be_bytes()),
            with([1, 4], &[0xff]),
            with([1, 4], b"a\0b"),
        ] {
            assert_eq!(raw.parse::<Cursor>(), Err(CursorError::Malformed), "{raw}");
        }
    }

    fn a_cursor() -> impl Strategy<Value = Cursor> {
        let time = (any::<bool>(), any::<bool>(), -60_000_000_000_000_000_i64..).prop_filter_map(
            "no such time",
            |(updated, descending, micros)| {
                let key = [SortKey::CreatedAt, SortKey::UpdatedAt][usize::from(updated)];
                let time = DateTime::from_timestamp_micros(micros)?;
                Some((Sort { key, descending }, Value::Time(time)))
            },
        );
        let name = (any::<bool>(), any::<bool>(), "[^\0]{0,255}").prop_map(
            |(company, descending, name)| {
                let key = [SortKey::LastName, SortKey::CompanyName][usize::from(company)];
                (Sort { key, descending }, Value::Name(name))
            },
        );
        (prop_oneof![time, name], any::<u128>()).prop_filter_map("", |((sort, value), id)| {
            Cursor::new(sort, value, Uuid::from_u128(id).into())
        })
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_went(cursor in a_cursor()) {
            let raw = cursor.to_string();
            prop_assert!(raw.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(Cursor::parse(&raw, cursor.sort), Ok(cursor));
        }

        #[test]
        fn no_text_is_too_strange(raw in "\\PC*") {
            let _ = raw.parse::<Cursor>();
        }

        #[test]
        fn nor_are_any_bytes(version in 0_u8..3, bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let raw = encoded(&[&[version][..], &bytes].concat());
            if let Ok(cursor) = raw.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), raw);
            }
        }
    }
}
