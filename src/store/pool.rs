//! Connections, kept open and lent out.
//!
//! sqlx's own pool asks the server for a sign of life whenever a connection is taken and again when
//! it is given back: two round trips around a query that is one. Here a connection is only asked
//! when it has been idle, and one on which something went wrong is never used again.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    self, Manager, Metrics, PoolError, QueueMode, RecycleError, RecycleResult,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::runtime::Handle;

use super::StoreError;
use super::limits::{Limits, milliseconds};
use super::session::{Between, Session};

/// How long a query that nobody waits for keeps its connection's place.
const FINISH: Duration = Duration::from_mins(1);
/// After this long without use a connection may have been cut off unnoticed, and is asked.
const IDLE: Duration = Duration::from_secs(1);
/// A connection older than this is replaced: a server's memory for one session only grows.
const LIFETIME: Duration = Duration::from_mins(30);

/// A limited number of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    connections: managed::Pool<Connections>,
    limits: Limits,
    /// What a transaction that writes selects first. Made once: it is sent with each of them.
    timeouts: Arc<str>,
}

/// What connections do.
#[derive(Debug, Clone, Copy, Default)]
pub struct PoolStatus {
    /// The most there may be.
    pub max: usize,
    /// Those that are open,
    pub open: usize,
    /// and of these those that are lent.
    pub in_use: usize,
    /// Requests that wait for one.
    pub waiting: usize,
}

/// A connection on loan. Unless it is [settled](Self::settle) it is closed when it is dropped, and
/// the server with it ends whatever was left open: a transaction and its locks, an answer half read.
/// Its place in the pool is free once the server has done with it.
pub(super) struct Loan(Option<managed::Object<Connections>>);

#[derive(Debug)]
struct Connections {
    session: Session,
}

impl Pool {
    /// Connections within limits, made when they are needed.
    pub fn new(session: Session, limits: Limits) -> Self {
        let session = session.with_statement_timeout(limits.statement);
        let timeouts = timeouts(limits, session.between).into();
        let connections = managed::Pool::builder(Connections { session })
            .max_size(limits.connections)
            .wait_timeout(Some(limits.acquire))
            .create_timeout(Some(limits.acquire))
            .recycle_timeout(Some(limits.acquire))
            // The connection used last, whose server process has its data at hand.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .expect("timeouts want a runtime, and one is named");
        Self {
            connections,
            limits,
            timeouts,
        }
    }

    /// The most connections there will be.
    pub fn max_size(&self) -> usize {
        self.connections.status().max_size
    }

    /// What its connections do.
    pub fn status(&self) -> PoolStatus {
        let status = self.connections.status();
        PoolStatus {
            max: status.max_size,
            open: status.size,
            in_use: status.size.saturating_sub(status.available),
            waiting: status.waiting,
        }
    }

    /// One of so many shares of the connections to the same database, apart from these.
    pub fn share(&self, shares: usize) -> Self {
        let session = self.connections.manager().session.clone();
        Self::new(session, self.limits.share(shares))
    }

    /// What a transaction that writes selects before its locks.
    pub fn timeouts(&self) -> &str {
        &self.timeouts
    }

    /// Whether a statement that is prepared once may be used again: not when the session may be
    /// another by then.
    pub fn keeps_statements(&self) -> bool {
        self.between() == Between::Nothing
    }

    /// What a transaction behind a pooler, whose session has no limit of ours, sets for itself.
    pub fn local_timeout(&self) -> String {
        let limit = milliseconds(self.limits.statement);
        format!("set local statement_timeout = {limit}")
    }

    fn between(&self) -> Between {
        self.connections.manager().session.between
    }

    /// A connection. Behind a pooler everything has to be done in one transaction.
    ///
    /// # Errors
    /// When the database cannot be reached, all connections stay in use, or too many wait for one.
    pub async fn get(&self) -> Result<Loan, StoreError> {
        if self.connections.status().waiting >= self.limits.queue.max(1) {
            return Err(sqlx::Error::PoolTimedOut.into());
        }
        let connection = self.connections.get().await.map_err(unavailable)?;
        Ok(Loan(Some(connection)))
    }

    /// Does `work` with a connection.
    ///
    /// # Errors
    /// Those of `work`, and when there is no connection to be had.
    pub async fn run<T, E>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, StoreError>
    where
        StoreError: From<E>,
    {
        let mut loan = self.get().await?;
        // To prepare a statement and to run it are two messages, which must find one session.
        if self.between() == Between::Pooler {
            let begin = format!("begin; {}", self.local_timeout());
            sqlx::raw_sql(AssertSqlSafe(begin))
                .execute(&mut *loan)
                .await?;
        }
        let done = work(&mut loan).await?;
        if self.between() == Between::Pooler {
            sqlx::raw_sql("commit").execute(&mut *loan).await?;
        }
        loan.settle();
        Ok(done)
    }

    /// Lends no more, and closes what is not on loan.
    pub fn close(&self) {
        self.connections.close();
    }
}

/// Why a loan always has its connection: only what consumes the loan takes it.
const ON_LOAN: &str = "a connection until the loan ends";

impl Loan {
    /// Says that nothing was left behind: others may have the connection next.
    pub fn settle(mut self) {
        drop(self.0.take());
    }

    /// Closes the connection at once, whatever the server still has to send.
    pub fn abandon(mut self) {
        if let Some(connection) = self.0.take() {
            drop(managed::Object::take(connection));
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let Some(connection) = self.0.take() else {
            return;
        };
        // The server works on what its client has given up. Were the place free already, clients
        // that ask and go away could have the server do any number of things at once.
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(finish(connection))),
            Err(_) => drop(managed::Object::take(connection)),
        }
    }
}

/// Waits until the server has answered all that it was asked, and closes the connection.
async fn finish(mut connection: managed::Object<Connections>) {
    // An answer, an error and no answer in time are all reasons to close it.
    let _ = tokio::time::timeout(FINISH, connection.ping()).await;
    drop(managed::Object::take(connection));
}

impl Deref for Loan {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect(ON_LOAN)
    }
}

impl DerefMut for Loan {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect(ON_LOAN)
    }
}

impl Manager for Connections {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        // Boxed: it is twenty kilobytes of state, which every request would carry about for the one
        // that has to connect.
        Box::pin(self.session.begin()).await
    }

    async fn recycle(
        &self,
        connection: &mut PgConnection,
        metrics: &Metrics,
    ) -> RecycleResult<sqlx::Error> {
        if metrics.age() > LIFETIME {
            return Err(RecycleError::message("old"));
        }
        if metrics.last_used() > IDLE {
            connection.ping().await?;
        }
        Ok(())
    }
}

/// Nobody waits for ever: not for a lock that a stuck transaction holds, and not for a transaction
/// whose server is gone. Of one transaction only, like `set local`. A session of our own ends its
/// statements in time without being told again.
fn timeouts(limits: Limits, between: Between) -> String {
    let lock = milliseconds(limits.lock);
    let ours = format!(
        "set_config('lock_timeout', '{lock}', true), \
        set_config('idle_in_transaction_session_timeout', '10s', true)"
    );
    match between {
        Between::Nothing => ours,
        Between::Pooler => {
            let statement = milliseconds(limits.statement);
            format!("{ours}, set_config('statement_timeout', '{statement}', true)")
        }
    }
}

fn unavailable(error: PoolError<sqlx::Error>) -> StoreError {
    match error {
        PoolError::Backend(error) => error.into(),
        PoolError::Closed => sqlx::Error::PoolClosed.into(),
        PoolError::Timeout(_) | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            sqlx::Error::PoolTimedOut.into()
        }
    }
}
