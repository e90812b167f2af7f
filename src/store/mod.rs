//! The store: everything that is written in SQL.
//!
//! [`Store`] keeps companies and keys; customers are reached through [`Customers`] alone, which
//! exists only for one company: no query about customers can be written without it.

mod companies;
mod customers;
mod error;
mod keys;
mod list;
mod listed;
mod locks;
pub mod migrate;
mod pool;
mod recompute;
mod row;
mod session;
mod upsert;
mod upsert_many;
mod usage;
mod written;

use std::time::Duration;

use crate::domain::Company;

pub use companies::CompanySummary;
pub use customers::FoundCustomer;
use list::Totals;
use pool::Pool;
use session::Session;

pub use error::{StoreError, UpsertError};
pub use keys::KeySummary;
pub use list::{CustomerPage, Filters, ListQuery};
pub use upsert::Upserted;
pub use usage::Usage;

/// How long the readiness check waits for an answer.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The database, through a pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool,
    totals: Totals,
}

/// The customers of one company: the only way to reach a customer.
#[derive(Debug, Clone)]
pub struct Customers {
    pool: Pool,
    totals: Totals,
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
        Ok(Self {
            pool: Pool::new(session, connections),
            totals: Totals::new(),
        })
    }

    /// A store on the same database with a share of the connections: one of `shares`. Each has its
    /// own, so that the thread which uses it wakes no other.
    #[must_use]
    pub fn share(&self, shares: usize) -> Self {
        Self {
            pool: self.pool.apart((self.pool.max_size() / shares).max(1)),
            totals: self.totals.clone(),
        }
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
