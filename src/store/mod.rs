//! The store: everything that is written in SQL.
//!
//! [`Store`] keeps companies and keys; customers are reached through [`Customers`] alone, which
//! exists only for one company: no query about customers can be written without it.

mod archive;
mod audit;
mod by_key;
mod companies;
mod customers;
pub mod doctor;
mod error;
mod export;
mod imports;
mod keys;
mod lease;
mod limits;
mod list;
mod listed;
mod locks;
pub mod migrate;
mod once;
mod payment_methods;
mod personal_data;
mod pool;
mod recompute;
mod rehearsal;
mod row;
mod session;
mod tags;
mod transaction;
mod upsert;
mod upsert_many;
mod usage;
mod written;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::{Histogram, HistogramOpts};
use tokio::sync::Semaphore;

use crate::domain::Company;

pub use archive::Restored;
pub use audit::AuditEntry;
pub use companies::CompanySummary;
pub use customers::FoundCustomer;
use list::Totals;
use pool::Pool;
pub use pool::PoolStatus;
use session::Session;

pub use error::{StoreError, WriteError};
pub use export::Export;
pub use imports::{Checkpoint, Tally};
pub use keys::KeySummary;
pub use limits::Limits;
pub use list::{CustomerPage, Filters, ListQuery};
pub use once::Done;
pub use payment_methods::Saved;
pub use personal_data::PersonalData;
pub use rehearsal::Rehearsal;
pub use transaction::Write;
pub use upsert::Upserted;
pub use upsert_many::Results;
use usage::Leases;
pub use usage::Usage;

/// For so many connections one may be kept by an export.
const CONNECTIONS_OF_AN_EXPORT: usize = 4;

/// How long the readiness check waits for an answer.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The database, through a pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool,
    totals: Totals,
    leases: Leases,
    /// Turns for those who read everything: they must not take all connections.
    exports: Arc<Semaphore>,
    /// How long writers wait for their locks, in seconds.
    lock_waits: Histogram,
    /// The pools of all shares.
    shares: Arc<Mutex<Vec<Pool>>>,
}

/// The customers of one company: the only way to reach a customer.
#[derive(Debug, Clone)]
pub struct Customers {
    pool: Pool,
    totals: Totals,
    exports: Arc<Semaphore>,
    lock_waits: Histogram,
    company: Company,
}

impl Store {
    /// A store on the database at `database_url`, with at most `connections` connections. It
    /// connects when the first query needs it, so that a server can start before its database.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn connect(database_url: &str, connections: usize) -> Result<Self, StoreError> {
        Self::connect_within(database_url, Limits::of(connections))
    }

    /// The same within other limits than the default ones.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn connect_within(database_url: &str, limits: Limits) -> Result<Self, StoreError> {
        let session = Session::new(database_url, "clientele")?;
        let pool = Pool::new(session, limits);
        Ok(Self {
            totals: Totals::new(),
            leases: Leases::default(),
            exports: exports(&pool),
            lock_waits: lock_waits(),
            shares: Arc::default(),
            pool,
        })
    }

    /// A store on the same database with a share of the connections: one of `shares`. Each has its
    /// own, so that the thread which uses it wakes no other.
    #[must_use]
    pub fn share(&self, shares: usize) -> Self {
        let pool = self.pool.share(shares);
        let mut all = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(pool.clone());
        drop(all);
        Self {
            exports: exports(&pool),
            pool,
            ..self.clone()
        }
    }

    /// What the connections of all shares do; without shares, its own.
    #[must_use]
    pub fn pool_status(&self) -> PoolStatus {
        let shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if shares.is_empty() {
            return self.pool.status();
        }
        shares
            .iter()
            .map(Pool::status)
            .fold(PoolStatus::default(), |all, one| PoolStatus {
                max: all.max + one.max,
                open: all.open + one.open,
                in_use: all.in_use + one.in_use,
                waiting: all.waiting + one.waiting,
            })
    }

    /// How long writers wait for their locks.
    #[must_use]
    pub fn lock_waits(&self) -> &Histogram {
        &self.lock_waits
    }

    /// The most connections there will be.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.pool.max_size()
    }

    /// The customers of `company`.
    #[must_use]
    pub fn customers(&self, company: Company) -> Customers {
        Customers {
            pool: self.pool.clone(),
            totals: self.totals.clone(),
            exports: self.exports.clone(),
            lock_waits: self.lock_waits.clone(),
            company,
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When none comes within two seconds.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let answer = self.pool.run(async |connection| {
            sqlx::query("select 1")
                .persistent(self.pool.keeps_statements())
                .execute(connection)
                .await
        });
        tokio::time::timeout(PING_TIMEOUT, answer)
            .await
            .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))??;
        Ok(())
    }

    /// Lends no more connections, and closes each when nobody uses it any longer.
    pub fn close(&self) {
        self.pool.close();
    }
}

fn exports(pool: &Pool) -> Arc<Semaphore> {
    let turns = (pool.max_size() / CONNECTIONS_OF_AN_EXPORT).max(1);
    Arc::new(Semaphore::new(turns))
}

fn lock_waits() -> Histogram {
    let options = HistogramOpts::new(
        "clientele_lock_wait_seconds",
        "How long writers waited for the locks of their phone, e-mail and company.",
    );
    let buckets = vec![0.000_5, 0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 5.0];
    Histogram::with_opts(options.buckets(buckets))
        .expect("a name of letters, and bounds that ascend")
}
