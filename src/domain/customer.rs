//! A customer, what a request says about one, and how the two merge.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use thiserror::Error;
use uuid::Uuid;

use super::FieldError;
use super::address::{Address, AddressChange, AddressOf};
use super::email::Email;
use super::location::Location;
use super::phone::Phone;
use super::tags::Tags;
use super::text::{Notes, ShortText};

/// Identifies a customer within its company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(Uuid);

/// Whether a company still works for a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It does.
    Active,
    /// It does not.
    Inactive,
}

/// Neither `active` nor `inactive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be 'active' or 'inactive'")]
pub struct UnknownStatus;

/// A customer as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// When it was first written, by the database's clock.
    pub created_at: DateTime<Utc>,
    /// Since when it is archived; none while it is live.
    pub archived_at: Option<DateTime<Utc>>,
    /// Whether at least one saved payment method is on file.
    pub has_payment_method: bool,
    /// What integrators said about it.
    pub profile: Profile,
}

/// A customer as lists show it: a part of what is known, borrowed from where it was read.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // The names are those of the documented item.
pub struct Listed<'a> {
    pub id: CustomerId,
    pub created_at: DateTime<Utc>,
    pub has_payment_method: bool,
    pub first_name: Option<&'a str>,
    pub last_name: Option<&'a str>,
    pub company_name: Option<&'a str>,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub notes: Option<&'a str>,
    pub source: Option<&'a str>,
    pub status: Option<Status>,
    pub tags: Vec<String>,
    pub property: AddressOf<Option<&'a str>>,
    pub location: Option<Location>,
    /// The billing address, where it was asked for.
    pub billing: Option<ListedBilling<'a>>,
    /// What is done for the customer, where that was asked for.
    pub service: Option<ListedService<'a>>,
    /// When it changed, where that was asked for.
    pub times: Option<ListedTimes>,
}

/// A listed customer's billing address, as it is kept.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // As above.
pub struct ListedBilling<'a> {
    pub address: AddressOf<Option<&'a str>>,
    pub same_as_property: Option<bool>,
}

/// What is done for a listed customer.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // As above.
pub struct ListedService<'a> {
    pub service_type: Option<&'a str>,
    pub frequency: Option<&'a str>,
}

/// When a listed customer changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedTimes {
    /// When it was last updated; by being created, if by nothing else.
    pub updated_at: DateTime<Utc>,
    /// Since when it is archived; none for a live one.
    pub archived_at: Option<DateTime<Utc>>,
}

/// Everything that integrators say about a customer.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)] // The names are the documented fields' own.
pub struct Profile {
    pub first_name: Option<ShortText>,
    pub last_name: Option<ShortText>,
    pub company_name: Option<ShortText>,
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    pub notes: Option<Notes>,
    pub source: Option<ShortText>,
    pub status: Option<Status>,
    pub tags: Tags,
    pub service_type: Option<ShortText>,
    pub service_frequency: Option<ShortText>,
    pub billing: Address,
    pub billing_same_as_property: Option<bool>,
    pub property: Address,
    pub location: Option<Location>,
}

/// What a request says about a customer, field by field.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)] // As above.
pub struct Change {
    pub first_name: Field<ShortText>,
    pub last_name: Field<ShortText>,
    pub company_name: Field<ShortText>,
    pub email: Field<Email>,
    pub phone: Field<Phone>,
    pub notes: Field<Notes>,
    pub source: Field<ShortText>,
    pub status: Field<Status>,
    /// Tags to add; tags are never taken away by an upsert.
    pub tags: Tags,
    pub service_type: Field<ShortText>,
    pub service_frequency: Field<ShortText>,
    pub billing: AddressChange,
    pub billing_same_as_property: Field<bool>,
    pub property: AddressChange,
    pub location: Field<Location>,
}

/// What a request says about one field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Nothing: it stays as it is.
    #[default]
    Keep,
    /// It has no value any more.
    Clear,
    /// It has this value now.
    Set(T),
}

impl<T: Clone> Field<T> {
    /// The field's value after this, when it was `current` before.
    #[must_use]
    pub fn apply(self, current: &Option<T>) -> Option<T> {
        match self {
            Self::Keep => current.clone(),
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl Profile {
    /// This profile after `change`. Merging the same change again changes nothing more.
    ///
    /// A location belongs to the property: when the property address changes and no location comes
    /// with it, the old one is dropped rather than left to point at the wrong house.
    ///
    /// # Errors
    /// When the customer would carry more tags than it may.
    pub fn merge(&self, change: Change) -> Result<Self, FieldError> {
        let property = self.property.merge(change.property);
        let moved = property != self.property;
        let location = match change.location {
            Field::Keep if moved => None,
            said => said.apply(&self.location),
        };
        let tags = self
            .tags
            .clone()
            .union(change.tags)
            .map_err(|error| FieldError::new("tags", &error))?;
        Ok(Self {
            first_name: change.first_name.apply(&self.first_name),
            last_name: change.last_name.apply(&self.last_name),
            company_name: change.company_name.apply(&self.company_name),
            email: change.email.apply(&self.email),
            phone: change.phone.apply(&self.phone),
            notes: change.notes.apply(&self.notes),
            source: change.source.apply(&self.source),
            status: change.status.apply(&self.status),
            tags,
            service_type: change.service_type.apply(&self.service_type),
            service_frequency: change.service_frequency.apply(&self.service_frequency),
            billing: self.billing.merge(change.billing),
            billing_same_as_property: change
                .billing_same_as_property
                .apply(&self.billing_same_as_property),
            property,
            location,
        })
    }

    /// This profile after the tags `removed` were taken away and then those `added` put on.
    ///
    /// # Errors
    /// When the customer would carry more tags than it may.
    pub fn retag(&self, removed: &Tags, added: Tags) -> Result<Self, FieldError> {
        let tags = self
            .tags
            .clone()
            .without(removed)
            .union(added)
            .map_err(|error| FieldError::new("add", &error))?;
        Ok(Self {
            tags,
            ..self.clone()
        })
    }

    /// The billing address to show: the property's while billing is said to be the same and has no
    /// line of its own.
    #[must_use]
    pub fn shown_billing(&self) -> &Address {
        shown_billing(&self.billing, self.billing_same_as_property, &self.property)
    }
}

impl<'a> ListedBilling<'a> {
    /// The address to show for a customer with this `property`.
    #[must_use]
    pub fn shown<'s>(
        &'s self,
        property: &'s AddressOf<Option<&'a str>>,
    ) -> &'s AddressOf<Option<&'a str>> {
        shown_billing(&self.address, self.same_as_property, property)
    }
}

fn shown_billing<'a, T>(
    billing: &'a AddressOf<Option<T>>,
    same_as_property: Option<bool>,
    property: &'a AddressOf<Option<T>>,
) -> &'a AddressOf<Option<T>> {
    if same_as_property == Some(true) && billing.is_empty() {
        property
    } else {
        billing
    }
}

impl CustomerId {
    /// A new id, later than those before it, so that indexes grow at their end.
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

impl From<Uuid> for CustomerId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl FromStr for CustomerId {
    type Err = uuid::Error;

    fn from_str(raw: &str) -> Result<Self, uuid::Error> {
        raw.trim().parse().map(Self)
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Status {
    /// The status as it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(raw: &str) -> Result<Self, UnknownStatus> {
        match raw.trim() {
            "active" => Ok(Self::Active),
            "inactive" => Ok(Self::Inactive),
            _ => Err(UnknownStatus),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn street(name: &str) -> AddressChange {
        AddressChange {
            street1: Field::Set(name.parse().unwrap()),
            ..AddressChange::default()
        }
    }

    fn somewhere() -> Location {
        Location::new(45.0, -93.0).unwrap()
    }

    fn at_home() -> Profile {
        Profile::default()
            .merge(Change {
                property: street("1 Main St"),
                location: Field::Set(somewhere()),
                ..Change::default()
            })
            .unwrap()
    }

    #[test]
    fn absent_keeps_null_clears_and_a_value_sets() {
        let known = Some(1);
        assert_eq!(Field::Keep.apply(&known), Some(1));
        assert_eq!(Field::Clear.apply(&known), None);
        assert_eq!(Field::Set(2).apply(&known), Some(2));
    }

    #[test]
    fn moving_without_a_location_forgets_the_old_one() {
        let moved = at_home()
            .merge(Change {
                property: street("2 Main St"),
                ..Change::default()
            })
            .unwrap();
        assert_eq!(moved.location, None);
    }

    #[test]
    fn the_same_address_again_keeps_the_location() {
        let same = at_home()
            .merge(Change {
                property: street("1 Main St"),
                ..Change::default()
            })
            .unwrap();
        assert_eq!(same.location, Some(somewhere()));
    }

    #[test]
    fn billing_shows_the_property_only_while_it_has_no_line_of_its_own() {
        let same = at_home()
            .merge(Change {
                billing_same_as_property: Field::Set(true),
                ..Change::default()
            })
            .unwrap();
        assert_eq!(same.shown_billing(), &same.property);
        let own = same
            .merge(Change {
                billing: street("PO Box 7"),
                ..Change::default()
            })
            .unwrap();
        assert_eq!(own.shown_billing(), &own.billing);
    }

    fn field<T: fmt::Debug + Clone + 'static>(
        value: impl Strategy<Value = T> + 'static,
    ) -> impl Strategy<Value = Field<T>> {
        prop_oneof![
            Just(Field::Keep),
            Just(Field::Clear),
            value.prop_map(Field::Set)
        ]
    }

    fn short() -> impl Strategy<Value = ShortText> {
        "[a-c]{1,3}".prop_map(|raw| raw.parse().unwrap())
    }

    prop_compose! {
        fn a_change()(
            first_name in field(short()),
            email in field("[a-c]@example\\.com".prop_map(|raw| raw.parse::<Email>().unwrap())),
            phone in field("[0-9]{7,10}".prop_map(|raw| raw.parse::<Phone>().unwrap())),
            status in field(prop_oneof![Just(Status::Active), Just(Status::Inactive)]),
            tags in prop::collection::vec("[a-f]", 0..6),
            street1 in field(short()),
            billing_city in field(short()),
            same in field(any::<bool>()),
            location in field(Just(somewhere())),
        ) -> Change {
            Change {
                first_name,
                email,
                phone,
                status,
                tags: Tags::parse(tags.iter().map(String::as_str)).unwrap(),
                property: AddressChange { street1, ..AddressChange::default() },
                billing: AddressChange { city: billing_city, ..AddressChange::default() },
                billing_same_as_property: same,
                location,
                ..Change::default()
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_said_changes_nothing(first in a_change()) {
            let known = Profile::default().merge(first).unwrap();
            prop_assert_eq!(known.merge(Change::default()).unwrap(), known);
        }

        #[test]
        fn the_same_again_changes_nothing(first in a_change(), second in a_change()) {
            let known = Profile::default().merge(first).unwrap();
            let once = known.merge(second.clone()).unwrap();
            prop_assert_eq!(once.merge(second).unwrap(), once);
        }

        #[test]
        fn retagging_changes_nothing_but_tags(first in a_change(), second in a_change()) {
            let before = Profile::default().merge(first).unwrap();
            let after = before.retag(&second.tags, Tags::default()).unwrap();
            prop_assert_eq!(&after.tags, &before.tags.clone().without(&second.tags));
            prop_assert_eq!(Profile { tags: before.tags.clone(), ..after }, before);
        }

        #[test]
        fn tags_are_only_ever_added(first in a_change(), second in a_change()) {
            let before = Profile::default().merge(first).unwrap();
            let after = before.merge(second).unwrap();
            let kept: Vec<&str> = after.tags.iter().take(before.tags.iter().len()).collect();
            prop_assert_eq!(kept, before.tags.iter().collect::<Vec<_>>());
        }
    }
}
