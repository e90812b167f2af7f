//! What is noted for those who ask later who did it.

use std::fmt;

use super::key::KeyId;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody at the command line, by the name that the machine has for them.
    Operator(String),
    /// Whoever has a key.
    Key(KeyId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => write!(f, "operator {name}"),
            Self::Key(id) => write!(f, "key {id}"),
        }
    }
}

/// What is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A company was made.
    CompanyCreated,
    /// A key was made.
    KeyCreated,
    /// A key was revoked.
    KeyRevoked,
    /// A customer was erased.
    CustomerErased,
}

impl Action {
    /// Its name, as it is kept.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CompanyCreated => "company.created",
            Self::KeyCreated => "key.created",
            Self::KeyRevoked => "key.revoked",
            Self::CustomerErased => "customer.erased",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_named_with_its_kind() {
        let key: KeyId = "15b4dad54f2b7a4e".parse().unwrap();
        assert_eq!(Actor::Key(key).to_string(), "key 15b4dad54f2b7a4e");
        assert_eq!(Actor::Operator("root".into()).to_string(), "operator root");
    }
}
