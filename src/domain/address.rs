//! Postal addresses, known in part or in whole.

use super::customer::Field;
use super::text::ShortText;

/// The six lines of an address; `T` is what is known of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressOf<T> {
    /// Street and number.
    pub street1: T,
    /// Suite, floor, building.
    pub street2: T,
    /// City.
    pub city: T,
    /// State, province or region.
    pub state: T,
    /// Postal code.
    pub zip: T,
    /// Country.
    pub country: T,
}

/// An address as it is kept.
pub type Address = AddressOf<Option<ShortText>>;
/// What a request says about an address.
pub type AddressChange = AddressOf<Field<ShortText>>;

impl<T> AddressOf<Option<T>> {
    /// Whether nothing of it is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            street1,
            street2,
            city,
            state,
            zip,
            country,
        } = self;
        [street1, street2, city, state, zip, country]
            .iter()
            .all(|line| line.is_none())
    }
}

impl Address {
    /// Its lines, in the order of its fields.
    #[must_use]
    pub fn lines(&self) -> [Option<&str>; 6] {
        let Self {
            street1,
            street2,
            city,
            state,
            zip,
            country,
        } = self;
        [street1, street2, city, state, zip, country]
            .map(|line| line.as_ref().map(ShortText::as_str))
    }

    /// This address after `change`.
    #[must_use]
    pub fn merge(&self, change: AddressChange) -> Self {
        Self {
            street1: change.street1.apply(&self.street1),
            street2: change.street2.apply(&self.street2),
            city: change.city.apply(&self.city),
            state: change.state.apply(&self.state),
            zip: change.zip.apply(&self.zip),
            country: change.country.apply(&self.country),
        }
    }
}
