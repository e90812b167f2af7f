//! Totals that were counted, and for which version of a company's customers they hold.

use chrono::{DateTime, Utc};
use moka::sync::Cache;

use super::Filters;
use crate::domain::CompanyId;

/// The most totals remembered.
const CAPACITY: u64 = 10_000;

/// What was counted lately. It is never too old: a total is only used for the version it holds for,
/// and which version a snapshot has is read in that snapshot.
#[derive(Debug, Clone)]
pub struct Totals {
    counted: Cache<(CompanyId, Filters), Counted>,
}

/// A total, and the version that it holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How often the company's customers had been written,
    pub changes: i64,
    /// and when last. A database that lost its last changes may count others to the same number,
    /// but not at the same microsecond.
    pub changed_at: Option<DateTime<Utc>>,
    /// How many customers there were.
    pub total: i64,
}

impl Totals {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self {
            counted: Cache::new(CAPACITY),
        }
    }

    /// What was counted last.
    pub fn get(&self, company: CompanyId, filters: &Filters) -> Option<Counted> {
        self.counted.get(&(company, filters.clone()))
    }

    /// Remembers what was counted.
    pub fn set(&self, company: CompanyId, filters: Filters, counted: Counted) {
        self.counted.insert((company, filters), counted);
    }
}
