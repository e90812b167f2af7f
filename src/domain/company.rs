//! Companies: the tenants. A customer belongs to exactly one.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::phone::DefaultRegion;

/// Identifies a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompanyId(Uuid);

/// What a request needs to know of the company it acts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// The country whose rules read its national phone numbers.
    pub default_region: DefaultRegion,
}

impl CompanyId {
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

impl From<Uuid> for CompanyId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl FromStr for CompanyId {
    type Err = uuid::Error;

    fn from_str(raw: &str) -> Result<Self, uuid::Error> {
        raw.parse().map(Self)
    }
}

impl fmt::Display for CompanyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
