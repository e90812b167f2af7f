//! Saved payment methods: a provider's token, and what people know the card by.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use thiserror::Error;
use uuid::Uuid;

use super::customer::Field;
use super::text::ShortText;

/// The most payment methods of one customer.
pub const MAX_PAYMENT_METHODS: i64 = 100;

/// Identifies a payment method within its company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentMethodId(Uuid);

/// The last four digits of a card number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last4(String);

/// The month in which a card expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryMonth(i16);

/// The year in which a card expires, or has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryYear(i16);

/// Not four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be exactly 4 digits")]
pub struct NotLast4;

/// Not a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be a whole number from 1 to 12")]
pub struct NotAMonth;

/// Not a year in which a card could expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be a year from 2000 to 2100")]
pub struct NotAYear;

/// One more than a customer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("A customer has at most {MAX_PAYMENT_METHODS} payment methods")]
pub struct TooManyPaymentMethods;

/// A payment method as it is kept.
pub struct PaymentMethod {
    /// Its id.
    pub id: PaymentMethodId,
    /// The payment provider.
    pub provider: ShortText,
    /// What the provider calls it.
    pub token: ShortText,
    /// What people know it by.
    pub card: Card,
    /// When it was first saved, by the database's clock.
    pub created_at: DateTime<Utc>,
}

/// A payment method to be saved.
pub struct NewPaymentMethod {
    /// The payment provider.
    pub provider: ShortText,
    /// What the provider calls it.
    pub token: ShortText,
    /// What people know it by, as far as it is said.
    pub card: CardChange,
}

/// What people know a card by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The names are the documented fields' own.
pub struct Card {
    pub brand: Option<ShortText>,
    pub last4: Option<Last4>,
    pub exp_month: Option<ExpiryMonth>,
    pub exp_year: Option<ExpiryYear>,
}

/// What a request says about a card, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // As above.
pub struct CardChange {
    pub brand: Field<ShortText>,
    pub last4: Field<Last4>,
    pub exp_month: Field<ExpiryMonth>,
    pub exp_year: Field<ExpiryYear>,
}

impl Card {
    /// This card after `change`.
    #[must_use]
    pub fn merge(&self, change: CardChange) -> Self {
        Self {
            brand: change.brand.apply(&self.brand),
            last4: change.last4.apply(&self.last4),
            exp_month: change.exp_month.apply(&self.exp_month),
            exp_year: change.exp_year.apply(&self.exp_year),
        }
    }
}

impl PaymentMethodId {
    /// A new id, later than those before it.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id as a UUID.
    #[must_use]
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for PaymentMethodId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl FromStr for PaymentMethodId {
    type Err = uuid::Error;

    fn from_str(raw: &str) -> Result<Self, uuid::Error> {
        raw.trim().parse().map(Self)
    }
}

impl fmt::Display for PaymentMethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Last4 {
    /// Takes digits back that were parsed before they were stored.
    pub(crate) fn from_stored(digits: String) -> Self {
        Self(digits)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Last4 {
    type Err = NotLast4;

    fn from_str(raw: &str) -> Result<Self, NotLast4> {
        let digits = raw.trim();
        (digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| Self(digits.to_owned()))
            .ok_or(NotLast4)
    }
}

impl ExpiryMonth {
    /// Takes a month back that was parsed before it was stored.
    pub(crate) fn from_stored(month: i16) -> Self {
        Self(month)
    }

    /// The month as a number.
    #[must_use]
    pub fn get(self) -> i16 {
        self.0
    }
}

impl TryFrom<i64> for ExpiryMonth {
    type Error = NotAMonth;

    fn try_from(number: i64) -> Result<Self, NotAMonth> {
        let month = i16::try_from(number).ok();
        let month = month.filter(|month| (1..=12).contains(month));
        month.map(Self).ok_or(NotAMonth)
    }
}

impl ExpiryYear {
    /// Takes a year back that was parsed before it was stored.
    pub(crate) fn from_stored(year: i16) -> Self {
        Self(year)
    }

    /// The year as a number.
    #[must_use]
    pub fn get(self) -> i16 {
        self.0
    }
}

impl TryFrom<i64> for ExpiryYear {
    type Error = NotAYear;

    fn try_from(number: i64) -> Result<Self, NotAYear> {
        let year = i16::try_from(number).ok();
        let year = year.filter(|year| (2000..=2100).contains(year));
        year.map(Self).ok_or(NotAYear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last4_are_four_digits() {
        assert_eq!(" 0042 ".parse::<Last4>().unwrap().as_str(), "0042");
        for raw in ["", "424", "42424", "42 2", "42a2", "４２４２", "-424"] {
            assert_eq!(raw.parse::<Last4>(), Err(NotLast4), "{raw}");
        }
    }

    #[test]
    fn months_and_years_have_their_bounds() {
        assert!([1, 12].map(ExpiryMonth::try_from).iter().all(Result::is_ok));
        for number in [0, 13, -1, i64::MAX] {
            assert_eq!(ExpiryMonth::try_from(number), Err(NotAMonth), "{number}");
        }
        assert!(
            [2000, 2100]
                .map(ExpiryYear::try_from)
                .iter()
                .all(Result::is_ok)
        );
        for number in [28, 1999, 2101, i64::MIN] {
            assert_eq!(ExpiryYear::try_from(number), Err(NotAYear), "{number}");
        }
    }

    #[test]
    fn what_is_not_said_about_a_card_stays() {
        let known = Card {
            brand: "visa".parse().ok(),
            last4: "4242".parse().ok(),
            exp_month: ExpiryMonth::try_from(12).ok(),
            exp_year: None,
        };
        assert_eq!(known.merge(CardChange::default()), known);
        let change = CardChange {
            brand: Field::Clear,
            exp_month: Field::Set(ExpiryMonth(1)),
            ..CardChange::default()
        };
        let merged = known.merge(change);
        assert_eq!(merged.brand, None);
        assert_eq!(merged.last4, known.last4);
        assert_eq!(merged.exp_month, Some(ExpiryMonth(1)));
    }
}
