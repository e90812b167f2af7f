//! The daily limit of a key: counted in memory, out of leases that the database grants.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::NaiveDate;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep};

use super::lease::Lease;
use super::{Store, StoreError};
use crate::domain::key::KeyId;

/// After this long, what is left of a lease is given back: other servers may want it.
const LEASE: Duration = Duration::from_secs(10);

/// How much of its daily limit a key has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The limit.
    pub limit: NonZeroU32,
    /// Requests on this day so far, this one included; never more than the limit. What other servers
    /// served in the last seconds may be missing.
    pub used: u32,
    /// Whether this request is within the limit.
    pub allowed: bool,
}

/// The leases of this process: one for each key with a limit that was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases(Arc<Mutex<HashMap<KeyId, Arc<AsyncMutex<Lease>>>>>);

impl Leases {
    fn of(&self, key: &KeyId) -> Arc<AsyncMutex<Lease>> {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lease) = leases.get(key) {
            return Arc::clone(lease);
        }
        Arc::clone(leases.entry(key.clone()).or_default())
    }

    fn all(&self) -> Vec<(KeyId, Arc<AsyncMutex<Lease>>)> {
        let leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leases
            .iter()
            .map(|(key, lease)| (key.clone(), Arc::clone(lease)))
            .collect()
    }
}

impl Store {
    /// Counts a request of `key` on `day`, unless the limit is reached: on all servers together
    /// never more than the limit.
    ///
    /// # Errors
    /// When the database has to be asked, and fails.
    pub async fn count_request(
        &self,
        key: &KeyId,
        day: NaiveDate,
        limit: NonZeroU32,
    ) -> Result<Usage, StoreError> {
        // Who has to ask the database holds the lease meanwhile: all others want the same of it.
        let mut lease = self.leases.of(key).lock_owned().await;
        let day = lease.enter(day);
        if let Some(usage) = lease.count(limit, Instant::now()) {
            return Ok(usage);
        }
        let asking = self.clone().ask(key.clone(), day, limit, lease);
        // In a task of its own: what is granted must not be lost with a client that goes away.
        tokio::spawn(asking)
            .await
            .map_err(|error| StoreError::Internal(sqlx::Error::Io(error.into())))?
    }

    /// What `key` has used of its limit on `day`, without counting.
    ///
    /// # Errors
    /// When the database has to be asked, and fails.
    pub async fn usage(
        &self,
        key: &KeyId,
        day: NaiveDate,
        limit: NonZeroU32,
    ) -> Result<Usage, StoreError> {
        let lease = self.leases.of(key);
        let mut lease = lease.lock().await;
        let day = lease.enter(day);
        if let Some(usage) = lease.peek(limit) {
            return Ok(usage);
        }
        // Served by api_key_usage_pkey.
        let query =
            sqlx::query_scalar("select used from api_key_usage where key_id = $1 and day = $2")
                .bind(key.as_str())
                .bind(day)
                .persistent(self.pool.keeps_statements());
        let used: Option<i64> = self
            .pool
            .run(async |connection| query.fetch_optional(connection).await)
            .await?;
        Ok(Usage {
            limit,
            used: at_most(used.unwrap_or(0), limit),
            allowed: true,
        })
    }

    /// Gives back what is left of all leases, as this process wants no more of them.
    pub async fn give_back_leases(&self) {
        for (key, lease) in self.leases.all() {
            let number = lease.lock().await.number();
            self.give_back(&key, &lease, number).await;
        }
    }

    /// Asks for a lease, and counts a request of it.
    async fn ask(
        self,
        key: KeyId,
        day: NaiveDate,
        limit: NonZeroU32,
        mut lease: OwnedMutexGuard<Lease>,
    ) -> Result<Usage, StoreError> {
        let mut wanted = lease.wanted(limit);
        let mut used = self.lease(&key, day, limit, wanted).await?;
        if used.is_none() && wanted > 1 {
            wanted = 1;
            used = self.lease(&key, day, limit, wanted).await?;
        }
        match used {
            Some(used) => {
                let number = lease.grant(wanted, at_most(used, limit));
                if wanted > 1 {
                    self.give_back_later(key, number);
                }
            }
            None => lease.close(limit, Instant::now()),
        }
        let counted = lease.count(limit, Instant::now());
        Ok(counted.unwrap_or(Usage {
            limit,
            used: limit.get(),
            allowed: false,
        }))
    }

    /// Takes so many requests of the day, if there are as many left; the answer is how many are
    /// taken in all.
    async fn lease(
        &self,
        key: &KeyId,
        day: NaiveDate,
        limit: NonZeroU32,
        wanted: u32,
    ) -> Result<Option<i64>, StoreError> {
        // Served by api_key_usage_pkey. One statement, so that no two servers get the last one.
        let query = sqlx::query_scalar(
            "insert into api_key_usage (key_id, day, used) values ($1, $2, $4)
            on conflict (key_id, day) do update set used = api_key_usage.used + $4
                where api_key_usage.used + $4 <= $3
            returning used",
        )
        .bind(key.as_str())
        .bind(day)
        .bind(i64::from(limit.get()))
        .bind(i64::from(wanted))
        .persistent(self.pool.keeps_statements());
        self.pool
            .run(async |connection| query.fetch_optional(connection).await)
            .await
    }

    fn give_back_later(&self, key: KeyId, number: u64) {
        let store = self.clone();
        tokio::spawn(async move {
            sleep(LEASE).await;
            let lease = store.leases.of(&key);
            store.give_back(&key, &lease, number).await;
        });
    }

    async fn give_back(&self, key: &KeyId, lease: &AsyncMutex<Lease>, number: u64) {
        let Some((day, left)) = lease.lock().await.give_back(number) else {
            return;
        };
        // Served by api_key_usage_pkey.
        let query =
            sqlx::query("update api_key_usage set used = used - $3 where key_id = $1 and day = $2")
                .bind(key.as_str())
                .bind(day)
                .bind(i64::from(left))
                .persistent(self.pool.keeps_statements());
        let given = self
            .pool
            .run(async |connection| query.execute(connection).await)
            .await;
        if let Err(error) = given {
            // The key has lost a little of its day, and nobody has more than there is.
            tracing::warn!(%key, %error, "could not give back what is left of a daily limit");
        }
    }
}

fn at_most(used: i64, limit: NonZeroU32) -> u32 {
    u32::try_from(used).unwrap_or(u32::MAX).min(limit.get())
}
