//! Keys remembered for less than a second: no database on the hot path, and yet a revoked key
//! stops working within a second on every server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use moka::future::Cache;

use crate::domain::key::{KeyId, KeyRecord};
use crate::store::{Store, StoreError};

/// Old enough to be asked for again. The rest of the second is for the asking.
const FRESH: Duration = Duration::from_millis(750);
/// The most keys remembered, unknown ones included, so that guessing costs no memory.
const CAPACITY: u64 = 10_000;

/// What the store last said about keys.
pub struct KeyCache {
    store: Store,
    cache: Cache<KeyId, Arc<Known>>,
}

/// What the store said about a key, and when it was asked.
pub struct Known {
    /// The key; none when there is no such key.
    pub record: Option<Arc<KeyRecord>>,
    asked_at: Instant,
    used: AtomicBool,
}

impl KeyCache {
    /// An empty cache in front of `store`.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            cache: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(FRESH)
                .build(),
        }
    }

    /// What is known about a key. Requests that ask together wait for one answer.
    pub async fn get(&self, id: &KeyId) -> Result<Arc<Known>, Arc<StoreError>> {
        let known = self.ask(id).await?;
        if known.asked_at.elapsed() < FRESH {
            return Ok(known);
        }
        // The answer was slow to come, and is older than its place in the cache.
        self.cache.invalidate(id).await;
        self.ask(id).await
    }

    async fn ask(&self, id: &KeyId) -> Result<Arc<Known>, Arc<StoreError>> {
        self.cache
            .try_get_with_by_ref(id, async {
                let asked_at = Instant::now();
                let record = self.store.key(id).await?.map(Arc::new);
                Ok(Arc::new(Known {
                    record,
                    asked_at,
                    used: AtomicBool::new(false),
                }))
            })
            .await
    }
}

impl Known {
    /// Whether this is the first use of the key since it was asked for.
    pub fn is_first_use(&self) -> bool {
        !self.used.swap(true, Ordering::Relaxed)
    }
}
