//! Transactions that write customers.

use std::pin::Pin;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tracing::Instrument;

use super::Customers;
use super::error::{StoreError, UpsertError};
use super::locks::Locks;
use crate::domain::customer::CustomerId;
use crate::domain::matching::MatchKeys;

/// What is done within a transaction.
pub(super) type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, UpsertError>> + Send + 't>>;

impl Customers {
    /// The statement that begins a transaction about one customer, known by its id: nothing is
    /// looked for by a key, and the customer's row is lock enough.
    pub(super) fn begin_by_id(&self) -> String {
        Locks::new(self.company.id, &MatchKeys::default()).begin()
    }

    /// Does `work` in a transaction, which `begin` begins and takes the locks of.
    ///
    /// # Errors
    /// Those of `work`, and when the database fails. Nothing is written then.
    pub(super) async fn in_transaction<T: Send + 'static>(
        &self,
        begin: String,
        work: impl for<'t> FnOnce(&'t Self, &'t mut PgConnection) -> Work<'t, T> + Send + 'static,
    ) -> Result<T, UpsertError> {
        let customers = self.clone();
        let writing = async move {
            let mut connection = customers.pool.get().await?;
            let done = customers
                .begin_and_commit(&mut connection, begin, work)
                .await;
            let settled = match &done {
                Ok(_) => true,
                // The rollback is only queued: it is sent with this, and its locks go at once.
                Err(UpsertError::NotFound | UpsertError::Refused(_)) => {
                    connection.ping().await.is_ok()
                }
                // It may have failed half-way into BEGIN: nobody else is to have such a connection.
                Err(UpsertError::Store(_)) => false,
            };
            if settled {
                connection.settle();
            }
            done
        };
        // In a task of its own: a client that goes away must not leave a transaction half-way, with
        // its locks, on a connection that others are given next.
        tokio::spawn(writing.in_current_span())
            .await
            .map_err(|error| StoreError::Internal(sqlx::Error::Io(error.into())))?
    }

    async fn begin_and_commit<T>(
        &self,
        connection: &mut PgConnection,
        begin: String,
        work: impl for<'t> FnOnce(&'t Self, &'t mut PgConnection) -> Work<'t, T>,
    ) -> Result<T, UpsertError> {
        let waited = self.lock_waits.start_timer();
        let mut transaction = connection.begin_with(AssertSqlSafe(begin)).await?;
        waited.observe_duration();
        let done = work(self, &mut transaction).await?;
        transaction.commit().await?;
        Ok(done)
    }

    /// Locks the row of a customer until the transaction ends.
    ///
    /// # Errors
    /// When there is no such customer, or the database fails.
    pub(super) async fn lock(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
    ) -> Result<(), UpsertError> {
        // Served by customers_pkey.
        let found = sqlx::query(
            "select c.id from customers c where c.company_id = $1 and c.id = $2 for update of c",
        )
        .bind(self.company.id.as_uuid())
        .bind(id.as_uuid())
        .persistent(self.pool.keeps_statements())
        .fetch_optional(connection)
        .await?;
        found.map(drop).ok_or(UpsertError::NotFound)
    }
}
