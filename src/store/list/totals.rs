//! What is remembered between lists: totals that were counted, with the version of a company's
//! customers for which they hold, and about how many customers a company has.

use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::sync::Cache;

use super::Filters;
use crate::domain::CompanyId;

/// The most totals, and the most companies, remembered.
const CAPACITY: u64 = 10_000;
/// How long a total is remembered that nobody asks for: times to the second are asked for once.
const COUNTED_LIFETIME: Duration = Duration::from_mins(10);
/// How long the size of a company is good enough to choose a plan by.
const SIZE_LIFETIME: Duration = Duration::from_secs(10);

/// What was counted lately. It is never too old: a total is only used for the version it holds for,
/// and which version a snapshot has is read in that snapshot.
#[derive(Debug, Clone)]
pub struct Totals {
    counted: Cache<(CompanyId, Filters), Counted>,
    sizes: Cache<CompanyId, i64>,
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
            counted: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_idle(COUNTED_LIFETIME)
                .build(),
            sizes: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(SIZE_LIFETIME)
                .build(),
        }
    }

    /// What was counted last.
    pub fn get(&self, company: CompanyId, filters: &Filters) -> Option<Counted> {
        self.counted.get(&(company, filters.clone()))
    }

    /// About how many customers a company has.
    pub fn size(&self, company: CompanyId) -> Option<i64> {
        self.sizes.get(&company)
    }

    /// Remembers how many customers a company had just now.
    pub fn set_size(&self, company: CompanyId, size: i64) {
        self.sizes.insert(company, size);
    }

    /// Remembers what was counted.
    pub fn set(&self, company: CompanyId, filters: Filters, counted: Counted) {
        self.counted.insert((company, filters), counted);
    }
}
