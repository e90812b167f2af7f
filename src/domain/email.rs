//! E-mail addresses: kept as written, matched without case.

use std::str::FromStr;

use email_address::{EmailAddress, Options};
use thiserror::Error;

use super::text::{ShortText, TextError};

/// An e-mail address as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(ShortText);

/// What two spellings of one address have in common: the address in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailKey(String);

/// Why a string is not an [`Email`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EmailError {
    /// Too long, blank, or with a NUL.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Not `local@domain.tld`.
    #[error("Invalid email format")]
    Format,
}

impl Email {
    /// Takes an address back that was parsed before it was stored.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(ShortText::from_stored(text))
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The key under which the address is matched.
    #[must_use]
    pub fn key(&self) -> EmailKey {
        EmailKey(self.as_str().to_lowercase())
    }
}

impl FromStr for Email {
    type Err = EmailError;

    /// RFC 5321/6531 syntax, with a dot in the domain: a customer's address is on the public
    /// network, and `name@host` is a typing error there.
    fn from_str(raw: &str) -> Result<Self, EmailError> {
        let text: ShortText = raw.parse()?;
        let options = Options::default()
            .with_required_tld()
            .without_display_text()
            .without_domain_literal();
        EmailAddress::parse_with_options(text.as_str(), options).map_err(|_| EmailError::Format)?;
        Ok(Self(text))
    }
}

impl EmailKey {
    /// The key as it is stored and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_addresses_are_accepted_as_written() {
        for raw in [
            "jane@example.com",
            "Jane.Doe+tag@Example.COM",
            "o'brien@mail.example.co.uk",
            "user_name-1@sub.example.io",
            "müller@bücher.example",
            "x@example.museum",
        ] {
            assert_eq!(raw.parse::<Email>().unwrap().as_str(), raw);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for raw in [
            "jane",
            "jane@",
            "@example.com",
            "jane@example",
            "jane doe@example.com",
            "jane@exa mple.com",
            "jane@@example.com",
            "jane@example..com",
            "jane@.example.com",
            "Jane <jane@example.com>",
            "jane@example.com, joe@example.com",
        ] {
            assert_eq!(raw.parse::<Email>(), Err(EmailError::Format), "{raw}");
        }
    }

    #[test]
    fn the_key_ignores_case_and_the_space_around() {
        let shouted: Email = " JANE@Example.com ".parse().unwrap();
        let plain: Email = "jane@example.com".parse().unwrap();
        assert_eq!(shouted.key(), plain.key());
        assert_eq!(shouted.as_str(), "JANE@Example.com");
    }
}
