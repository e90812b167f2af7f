//! The store: everything that is written in SQL.
//!
//! [`Store`] keeps companies and keys; customers are reached through [`Customers`] alone, which
//! exists only for one company: no query about customers can be written without it.

mod archive;
mod companies;
mod customers;
pub mod doctor;
mod error;
mod export;
mod imports;
mod keys;
mod list;
mod listed;
mod locks;
pub mod migrate;
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

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::domain::Company;

pub use archive::Restored;
pub use companies::CompanySummary;
pub use customers::FoundCustomer;
use list::Totals;
use pool::Pool;
use session::Session;

pub use error::{StoreError, UpsertError};
pub use export::Export;
pub use imports::{Checkpoint, Tally};
pub use keys::KeySummary;
pub use list::{CustomerPage, Filters, ListQuery};
pub use payment_methods::Saved;
pub use personal_data::PersonalData;
pub use rehearsal::Rehearsal;
pub use upsert::Upserted;
pub use upsert_many::Results;
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
    /// Turns for those who read everything: they must not take all connections.
    exports: Arc<Semaphore>,
}

/// The customers of one company: the only way to reach a customer.
#[derive(Debug, Clone)]
pub struct Customers {
    pool: Pool,
    totals: Totals,
    exports: Arc<Semaphore>,
    company: Company,
}

impl Store {
    /// A store on the database at `database_url`, with at most `connections` connections. It
    /// connects when the first query needs it, so that a server can start before its database.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn connect(database_url: &str, connections: usize) -> Result<Self, StoreError> {
        let session = Session::new(database_url, "clientele")?;
        Ok(Self::of(Pool::new(session, connections), Totals::new()))
    }

    fn of(pool: Pool, totals: Totals) -> Self {
        let exports = (pool.max_size() / CONNECTIONS_OF_AN_EXPORT).max(1);
        Self {
            pool,
            totals,
            exports: Arc::new(Semaphore::new(exports)),
        }
    }

    /// A store on the same database with a share of the connections: one of `shares`. Each has its
    /// own, so that the thread which uses it wakes no other.
    #[must_use]
    pub fn share(&self, shares: usize) -> Self {
        let pool = self.pool.apart((self.pool.max_size() / shares).max(1));
        Self::of(pool, self.totals.clone())
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
