//! How a request finds the customer it speaks of: by id, else by phone, else by e-mail.

use super::customer::{Change, CustomerId, Field, Profile};
use super::email::EmailKey;
use super::phone::{DefaultRegion, PhoneKey};

/// The version of the rules that make match keys and search text. It is stored with what they
/// made: raise it whenever a rule changes, so that older rows can be found and made anew.
pub const RULES_VERSION: i16 = 3;

/// The keys of a customer, or of a request that looks for one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchKeys {
    /// The key of the phone, if it has one.
    pub phone: Option<PhoneKey>,
    /// The key of the e-mail.
    pub email: Option<EmailKey>,
}

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was no such customer; now there is.
    Created,
    /// Something about it was new.
    Updated,
    /// All of it was known, and nothing was written.
    Unchanged,
}

/// By what an existing customer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchedBy {
    /// The request named it.
    Id,
    /// It has the same phone.
    Phone,
    /// It has the same e-mail, and no customer has the phone.
    Email,
}

/// The customer that a look-up by keys found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// By which key.
    pub by: MatchedBy,
    /// The other customer, when the e-mail is that of another one.
    pub also: Option<CustomerId>,
}

impl Outcome {
    /// As replies name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

impl MatchedBy {
    /// As replies name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }
}

impl MatchKeys {
    /// The keys of what is known about a customer.
    #[must_use]
    pub fn of(profile: &Profile, region: DefaultRegion) -> Self {
        Self {
            phone: profile.phone.as_ref().and_then(|phone| phone.key(region)),
            email: profile.email.as_ref().map(super::email::Email::key),
        }
    }

    /// The keys of what a request says: whom it is looked for by, when it names no id.
    #[must_use]
    pub fn asked(change: &Change, region: DefaultRegion) -> Self {
        Self {
            phone: match &change.phone {
                Field::Set(phone) => phone.key(region),
                Field::Keep | Field::Clear => None,
            },
            email: match &change.email {
                Field::Set(email) => Some(email.key()),
                Field::Keep | Field::Clear => None,
            },
        }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phone.is_none() && self.email.is_none()
    }
}
