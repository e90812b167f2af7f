//! API keys: `clientele_<keyId>_<secret>`. The id finds the key, the secret proves it, and only a
//! hash of the secret is kept.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::company::Company;
use super::text::ShortText;

const PREFIX: &str = "clientele_";
const ID_BYTES: usize = 8;
/// 160 random bits.
const SECRET_BYTES: usize = 20;

/// A whole key, secret and all: shown once when it is made, and read from `x-api-key`.
///
/// It has no `Debug` or `Display`, so that it cannot slip into a log.
pub struct ApiKey {
    id: KeyId,
    secret: String,
}

/// The public part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyId(String);

/// SHA-256 of a key's secret. The secret is random and long, so no slow hash is needed.
#[derive(Clone)]
pub struct SecretHash([u8; 32]);

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Read customers.
    CustomersRead,
    /// Create, update and archive customers.
    CustomersWrite,
    /// Erase customers for good.
    CustomersDelete,
    /// Save and remove payment methods.
    PaymentMethodsWrite,
}

/// What to put into a new key.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    /// What it is for, in the words of whoever makes it.
    pub name: Option<ShortText>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// How many requests it may make on one UTC day.
    pub daily_limit: Option<NonZeroU32>,
    /// How many requests it may make within a second, on each server.
    pub rate_limit: Option<NonZeroU32>,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What is stored about a key, as far as a request needs it.
pub struct KeyRecord {
    /// Which one.
    pub id: KeyId,
    /// Whose it is.
    pub company: Company,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// How many requests it may make on one UTC day.
    pub daily_limit: Option<NonZeroU32>,
    /// How many requests it may make within a second, on each server.
    pub rate_limit: Option<NonZeroU32>,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A string that has not the form of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an API key")]
pub struct MalformedKey;

/// A name that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{given:?} is not a scope; there are {known}", given = .0, known = Scope::names())]
pub struct UnknownScope(String);

impl ApiKey {
    /// A new random key.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; ID_BYTES + SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        let (id, secret) = bytes.split_at(ID_BYTES);
        Ok(Self {
            id: KeyId(HEXLOWER.encode(id)),
            secret: HEXLOWER.encode(secret),
        })
    }

    /// The public part.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// What to store of the secret.
    #[must_use]
    pub fn secret_hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.secret.as_bytes()).into())
    }

    /// The whole key, to be shown once to the one who made it.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.secret)
    }
}

impl FromStr for ApiKey {
    type Err = MalformedKey;

    fn from_str(raw: &str) -> Result<Self, MalformedKey> {
        let (id, secret) = raw
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .ok_or(MalformedKey)?;
        if !is_hex(secret, SECRET_BYTES) {
            return Err(MalformedKey);
        }
        Ok(Self {
            id: id.parse()?,
            secret: secret.to_owned(),
        })
    }
}

impl FromStr for KeyId {
    type Err = MalformedKey;

    fn from_str(raw: &str) -> Result<Self, MalformedKey> {
        is_hex(raw, ID_BYTES)
            .then(|| Self(raw.to_owned()))
            .ok_or(MalformedKey)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyId {
    /// The id as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == bytes * 2 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl SecretHash {
    /// Takes a hash back from the store; none when it has not the length of one.
    #[must_use]
    pub(crate) fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The hash's 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl KeyRecord {
    /// Whether `presented` is this key and works at `now`. The time it takes does not tell how much
    /// of a wrong secret was right.
    #[must_use]
    pub fn admits(&self, presented: &ApiKey, now: DateTime<Utc>) -> bool {
        self.is(presented)
            && self.revoked_at.is_none()
            && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether `presented` is this key, though it may not work any more.
    #[must_use]
    pub fn is(&self, presented: &ApiKey) -> bool {
        self.secret.0.ct_eq(&presented.secret_hash().0).into()
    }
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Self; 4] = [
        Self::CustomersRead,
        Self::CustomersWrite,
        Self::CustomersDelete,
        Self::PaymentMethodsWrite,
    ];

    /// The scope's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomersRead => "customers:read",
            Self::CustomersWrite => "customers:write",
            Self::CustomersDelete => "customers:delete",
            Self::PaymentMethodsWrite => "payment-methods:write",
        }
    }

    /// The names of all scopes, for people.
    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(raw: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == raw.trim())
            .ok_or_else(|| UnknownScope(raw.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &ApiKey) -> KeyRecord {
        KeyRecord {
            id: key.id().clone(),
            company: Company {
                id: super::super::CompanyId::generate(),
                default_region: super::super::phone::DefaultRegion::default(),
            },
            secret: key.secret_hash(),
            scopes: vec![],
            daily_limit: None,
            rate_limit: None,
            expires_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn a_key_reads_back_as_it_was_shown() {
        let key = ApiKey::generate().unwrap();
        let read: ApiKey = key.expose().parse().unwrap();
        assert_eq!(read.id(), key.id());
        assert!(record(&key).admits(&read, Utc::now()));
    }

    #[test]
    fn another_secret_under_the_same_id_is_not_admitted() {
        let key = ApiKey::generate().unwrap();
        let other = ApiKey {
            id: key.id().clone(),
            secret: ApiKey::generate().unwrap().secret,
        };
        assert!(!record(&key).admits(&other, Utc::now()));
    }

    #[test]
    fn revoked_and_expired_keys_are_not_admitted() {
        let key = ApiKey::generate().unwrap();
        let now = Utc::now();
        let revoked = KeyRecord {
            revoked_at: Some(now),
            ..record(&key)
        };
        let expired = KeyRecord {
            expires_at: Some(now),
            ..record(&key)
        };
        assert!(!revoked.admits(&key, now));
        assert!(!expired.admits(&key, now));
    }

    #[test]
    fn a_scope_is_read_by_its_name_and_an_unknown_one_is_told_of_all() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        let refusal = "customers:all".parse::<Scope>().unwrap_err().to_string();
        for scope in Scope::ALL {
            assert!(refusal.contains(scope.as_str()), "{refusal}");
        }
    }

    #[test]
    fn what_has_not_the_form_of_a_key_is_refused() {
        let key = ApiKey::generate().unwrap().expose();
        let upper = key.to_uppercase();
        let longer = format!("{key}0");
        for raw in [
            "",
            "clientele_",
            "clientele__",
            &upper,
            &longer,
            &key[..key.len() - 1],
            &key[1..],
        ] {
            assert!(raw.parse::<ApiKey>().is_err(), "{raw}");
        }
    }
}
