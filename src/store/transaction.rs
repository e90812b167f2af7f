//! Transactions that write customers.

use std::pin::Pin;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tracing::Instrument;

use super::Customers;
use super::error::{StoreError, WriteError};
use super::locks::{self, Locks};
use crate::domain::customer::CustomerId;
use crate::domain::matching::MatchKeys;

/// What is done within a transaction.
pub(super) type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, WriteError>> + Send + 't>>;

type Task<T> =
    Box<dyn for<'t> FnOnce(&'t Customers, &'t mut PgConnection) -> Work<'t, T> + Send + 'static>;

type About<T> = Box<dyn FnOnce(&T) -> Vec<CustomerId> + Send>;

/// Something that is to be written: all of it or nothing.
#[must_use = "nothing is written until this is awaited"]
pub struct Write<T> {
    pub(super) customers: Customers,
    /// The statement that takes the locks, before anything is looked at.
    pub(super) locks: String,
    pub(super) task: Task<T>,
    /// Whom the answer is about.
    pub(super) about: About<T>,
}

impl<T: Send + 'static> IntoFuture for Write<T> {
    type Output = Result<T, WriteError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// Writes it. Nothing is written when this fails.
    fn into_future(self) -> Self::IntoFuture {
        let begin = format!("begin; {}", self.locks);
        Box::pin(self.customers.in_transaction(begin, self.task))
    }
}

impl Customers {
    /// What `task` does in a transaction that has taken `locks`. The answer is about the customers
    /// that `about` names.
    pub(super) fn write<T>(
        &self,
        locks: String,
        about: impl FnOnce(&T) -> Vec<CustomerId> + Send + 'static,
        task: impl for<'t> FnOnce(&'t Self, &'t mut PgConnection) -> Work<'t, T> + Send + 'static,
    ) -> Write<T> {
        Write {
            customers: self.clone(),
            locks,
            task: Box::new(task),
            about: Box::new(about),
        }
    }

    /// The same about one customer, known by its id: nothing is looked for by a key, and the
    /// customer's row is lock enough.
    pub(super) fn write_one<T>(
        &self,
        id: CustomerId,
        task: impl for<'t> FnOnce(&'t Self, &'t mut PgConnection) -> Work<'t, T> + Send + 'static,
    ) -> Write<T> {
        let locks = Locks::new(self.company.id, &MatchKeys::default());
        self.write(locks.take(self.pool.timeouts()), move |_| vec![id], task)
    }

    /// The same while nobody else writes to the company.
    pub(super) fn write_alone<T>(
        &self,
        id: CustomerId,
        task: impl for<'t> FnOnce(&'t Self, &'t mut PgConnection) -> Work<'t, T> + Send + 'static,
    ) -> Write<T> {
        let locks = locks::take_alone(self.company.id, self.pool.timeouts());
        self.write(locks, move |_| vec![id], task)
    }

    /// Does `task` in a transaction, which `begin` begins.
    ///
    /// # Errors
    /// Those of `task`, and when the database fails. Nothing is written then.
    pub(super) async fn in_transaction<T: Send + 'static>(
        self,
        begin: String,
        task: impl for<'t> FnOnce(&'t Self, &'t mut PgConnection) -> Work<'t, T> + Send + 'static,
    ) -> Result<T, WriteError> {
        let writing = async move {
            let mut connection = self.pool.get().await?;
            let done = self.begin_and_commit(&mut connection, begin, task).await;
            let settled = match &done {
                Ok(_) => true,
                // It may have failed half-way into BEGIN: nobody else is to have such a connection.
                Err(WriteError::Store(_)) => false,
                // The rollback is only queued: it is sent with this, and its locks go at once.
                Err(_) => connection.ping().await.is_ok(),
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
        task: impl for<'t> FnOnce(&'t Self, &'t mut PgConnection) -> Work<'t, T>,
    ) -> Result<T, WriteError> {
        let waited = self.lock_waits.start_timer();
        let mut transaction = connection.begin_with(AssertSqlSafe(begin)).await?;
        waited.observe_duration();
        let done = task(self, &mut transaction).await?;
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
    ) -> Result<(), WriteError> {
        // Served by customers_pkey.
        let found = sqlx::query(
            "select c.id from customers c where c.company_id = $1 and c.id = $2 for update of c",
        )
        .bind(self.company.id.as_uuid())
        .bind(id.as_uuid())
        .persistent(self.pool.keeps_statements())
        .fetch_optional(connection)
        .await?;
        found.map(drop).ok_or(WriteError::NotFound)
    }
}
