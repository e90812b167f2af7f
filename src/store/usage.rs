//! The daily limit of a key, counted in the database.

use std::num::NonZeroU32;

use chrono::NaiveDate;

use super::{Store, StoreError};
use crate::domain::key::KeyId;

/// How much of its daily limit a key has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The limit.
    pub limit: NonZeroU32,
    /// Requests on this day so far, this one included; never more than the limit.
    pub used: u32,
    /// Whether this request is within the limit.
    pub allowed: bool,
}

impl Store {
    /// Counts a request of `key` on `day`, unless the limit is reached.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_request(
        &self,
        key: &KeyId,
        day: NaiveDate,
        limit: NonZeroU32,
    ) -> Result<Usage, StoreError> {
        // Served by api_key_usage_pkey. One statement, so that no two requests get the last one.
        let counted: Option<i64> = self
            .pool
            .run(async |connection| {
                sqlx::query_scalar(
                    "insert into api_key_usage (key_id, day, used) values ($1, $2, 1)
            on conflict (key_id, day) do update set used = api_key_usage.used + 1
                where api_key_usage.used < $3
            returning used",
                )
                .bind(key.as_str())
                .bind(day)
                .bind(i64::from(limit.get()))
                .persistent(self.pool.keeps_statements())
                .fetch_optional(connection)
                .await
            })
            .await?;
        Ok(Usage::new(
            limit,
            counted.unwrap_or(i64::MAX),
            counted.is_some(),
        ))
    }

    /// What `key` has used of its limit on `day`, without counting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usage(
        &self,
        key: &KeyId,
        day: NaiveDate,
        limit: NonZeroU32,
    ) -> Result<Usage, StoreError> {
        // Served by api_key_usage_pkey.
        let used: Option<i64> = self
            .pool
            .run(async |connection| {
                sqlx::query_scalar("select used from api_key_usage where key_id = $1 and day = $2")
                    .bind(key.as_str())
                    .bind(day)
                    .persistent(self.pool.keeps_statements())
                    .fetch_optional(connection)
                    .await
            })
            .await?;
        Ok(Usage::new(limit, used.unwrap_or(0), true))
    }
}

impl Usage {
    fn new(limit: NonZeroU32, used: i64, allowed: bool) -> Self {
        let used = u32::try_from(used).unwrap_or(u32::MAX).min(limit.get());
        Self {
            limit,
            used,
            allowed,
        }
    }
}
