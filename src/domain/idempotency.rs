//! Requests that may be sent again: the key a client gives one, and what it is told each time.
//! The header and its rules follow
//! <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>.

use std::str::FromStr;

use sha2::{Digest, Sha256};
use thiserror::Error;

/// The longest key.
const LONGEST: usize = 255;

/// What a client calls a request, to be able to send it again: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Why a string is not an [`IdempotencyKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be 1 to {LONGEST} visible ASCII characters")]
pub struct IdempotencyKeyError;

/// What was asked, as a hash: requests that differ in anything have different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// A request that is to be done once, however often it comes.
#[derive(Debug, Clone)]
pub struct Once {
    /// Its name.
    pub key: IdempotencyKey,
    /// What it asks for.
    pub fingerprint: Fingerprint,
}

/// What a client was told, and is told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl IdempotencyKey {
    /// The key as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = IdempotencyKeyError;

    fn from_str(raw: &str) -> Result<Self, IdempotencyKeyError> {
        let key = raw.trim();
        let is_sane = (1..=LONGEST).contains(&key.len())
            && key
                .bytes()
                .all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if is_sane {
            Ok(Self(key.to_owned()))
        } else {
            Err(IdempotencyKeyError)
        }
    }
}

impl Fingerprint {
    /// The fingerprint of `method` upon `path` with `body`.
    #[must_use]
    pub fn of(method: &str, path: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        // Neither a method nor a path has a NUL in it, so that no two requests run together.
        for part in [method.as_bytes(), b"\0", path.as_bytes(), b"\0", body] {
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_limited_length() {
        for key in ["a", "8e03978e-40d5-43dd-bc93-6894a57f9324", "\"a b\""] {
            assert_eq!(key.parse::<IdempotencyKey>().unwrap().as_str(), key);
        }
        assert!("x".repeat(255).parse::<IdempotencyKey>().is_ok());
        let long = "x".repeat(256);
        for key in ["", "  ", "é", "a\tb", "a\0", long.as_str()] {
            assert_eq!(key.parse::<IdempotencyKey>(), Err(IdempotencyKeyError));
        }
    }

    #[test]
    fn whatever_differs_makes_another_fingerprint() {
        let ours = Fingerprint::of("POST", "/customers", b"{}");
        assert_eq!(ours, Fingerprint::of("POST", "/customers", b"{}"));
        for (method, path, body) in [
            ("PUT", "/customers", "{}"),
            ("POST", "/customers/batch", "{}"),
            ("POST", "/customers", "{} "),
            ("POST", "/customer", "s{}"),
        ] {
            assert_ne!(ours, Fingerprint::of(method, path, body.as_bytes()));
        }
    }
}
