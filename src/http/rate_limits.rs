//! How often a key may call within a second. Each server counts for itself, in memory, by the generic
//! cell rate algorithm: a burst of a second's requests, and then one in each part of it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;

use crate::domain::key::KeyId;

/// The most keys that are counted at once; those not seen for longest are forgotten.
const CAPACITY: u64 = 100_000;
/// A key that was not seen for longer than a second has all of it again.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// The requests of the last second, by key.
pub struct RateLimits {
    keys: Cache<KeyId, Arc<Counted>>,
}

struct Counted {
    limit: NonZeroU32,
    requests: DefaultDirectRateLimiter,
}

impl RateLimits {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self {
            keys: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_idle(FORGOTTEN)
                .build(),
        }
    }

    /// Counts a request of `key`.
    ///
    /// # Errors
    /// When it has made `limit` requests in the last second: how long until the next may come.
    pub fn count(&self, key: &KeyId, limit: NonZeroU32) -> Result<(), Duration> {
        let mut counted = self.counted(key, limit);
        if counted.limit != limit {
            self.keys.invalidate(key);
            counted = self.counted(key, limit);
        }
        wait(&counted.requests)
    }

    fn counted(&self, key: &KeyId, limit: NonZeroU32) -> Arc<Counted> {
        self.keys.get_with_by_ref(key, || {
            Arc::new(Counted {
                limit,
                requests: RateLimiter::direct(Quota::per_second(limit)),
            })
        })
    }
}

/// Counts one more.
///
/// # Errors
/// When it is one too many: how long until the next may come.
pub fn wait(limiter: &DefaultDirectRateLimiter) -> Result<(), Duration> {
    limiter
        .check()
        .map_err(|refused| refused.wait_time_from(DefaultClock::default().now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_seconds_requests_at_once_and_then_waits_for_a_part_of_one() {
        let limits = RateLimits::new();
        let key: KeyId = "0123456789abcdef".parse().unwrap();
        let other: KeyId = "fedcba9876543210".parse().unwrap();
        let limit = NonZeroU32::new(3).unwrap();
        for _ in 0..3 {
            assert_eq!(limits.count(&key, limit), Ok(()));
        }
        let wait = limits.count(&key, limit).unwrap_err();
        assert!(wait <= Duration::from_millis(334), "{wait:?}");
        assert_eq!(limits.count(&other, limit), Ok(()));
        let raised = NonZeroU32::new(4).unwrap();
        assert_eq!(limits.count(&key, raised), Ok(()));
    }
}
