//! The store: everything that is written in SQL.
//!
//! [`Store`] keeps companies and keys; customers are reached through [`Customers`] alone, which
//! exists only for one company: no query about customers can be written without it.

mod companies;
mod customers;
mod error;
mod keys;
mod list;
mod locks;
pub mod migrate;
mod recompute;
mod row;
mod upsert;
mod usage;

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::domain::Company;

pub use companies::CompanySummary;
pub use error::{StoreError, UpsertError};
pub use keys::KeySummary;
pub use list::{CustomerPage, ListQuery};
pub use upsert::{Outcome, Upserted};
pub use usage::Usage;

/// How long a request waits for a connection before the server counts as overloaded.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the readiness check waits for an answer.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The database, through a pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

/// The customers of one company: the only way to reach a customer.
#[derive(Debug, Clone)]
pub struct Customers {
    pool: PgPool,
    company: Company,
}

impl Store {
    /// A store on the database at `database_url`, with at most `connections` connections. It
    /// connects when the first query needs it, so that a server can start before its database.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn connect(database_url: &str, connections: u32) -> Result<Self, StoreError> {
        let options: PgConnectOptions = database_url.parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.application_name("clientele"));
        Ok(Self { pool })
    }

    /// The customers of `company`.
    #[must_use]
    pub fn customers(&self, company: Company) -> Customers {
        Customers {
            pool: self.pool.clone(),
            company,
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When none comes within two seconds.
    pub async fn ping(&self) -> Result<(), StoreError> {
        tokio::time::timeout(PING_TIMEOUT, sqlx::query("select 1").execute(&self.pool))
            .await
            .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))??;
        Ok(())
    }

    /// Closes every connection, after what is under way.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
