//! Connections, kept open and lent out.
//!
//! sqlx's own pool asks the server for a sign of life whenever a connection is taken and again when
//! it is given back: two round trips around a query that is one. Here a connection is only asked
//! when it has been idle, and one on which something went wrong is never used again.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    self, Manager, Metrics, PoolError, QueueMode, RecycleError, RecycleResult,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use super::StoreError;

/// How long a request waits for a connection before the server counts as overloaded.
const WAIT: Duration = Duration::from_secs(5);
/// After this long without use a connection may have been cut off unnoticed, and is asked.
const IDLE: Duration = Duration::from_secs(1);
/// A connection older than this is replaced: a server's memory for one session only grows.
const LIFETIME: Duration = Duration::from_mins(30);

/// A limited number of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    connections: managed::Pool<Connections>,
}

/// A connection on loan. Unless it is [settled](Self::settle) it is closed when it is given back.
pub(super) struct Loan(managed::Object<Connections>);

#[derive(Debug)]
struct Connections {
    options: PgConnectOptions,
}

#[derive(Debug)]
struct Lent {
    connection: PgConnection,
    /// Whether its last user left nothing behind: no half-read answer, no open transaction.
    settled: bool,
}

impl Pool {
    /// At most `size` connections, made when they are needed.
    pub fn new(options: PgConnectOptions, size: usize) -> Self {
        let connections = managed::Pool::builder(Connections { options })
            .max_size(size)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .recycle_timeout(Some(WAIT))
            // The connection used last, whose server process has its data at hand.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .expect("timeouts want a runtime, and one is named");
        Self { connections }
    }

    /// The most connections there will be.
    pub fn size(&self) -> usize {
        self.connections.status().max_size
    }

    /// As many connections to the same database, apart from these.
    pub fn apart(&self, size: usize) -> Self {
        Self::new(self.connections.manager().options.clone(), size)
    }

    /// A connection.
    ///
    /// # Errors
    /// When the database cannot be reached, or all connections stay in use.
    pub async fn get(&self) -> Result<Loan, StoreError> {
        let mut loan = Loan(self.connections.get().await.map_err(unavailable)?);
        loan.0.settled = false;
        Ok(loan)
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
        let done = work(&mut loan).await?;
        loan.settle();
        Ok(done)
    }

    /// Lends no more, and closes what is not on loan.
    pub fn close(&self) {
        self.connections.close();
    }
}

impl Loan {
    /// Says that nothing was left behind: others may have the connection next.
    pub fn settle(mut self) {
        self.0.settled = true;
    }
}

impl Deref for Loan {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0.connection
    }
}

impl DerefMut for Loan {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0.connection
    }
}

impl Manager for Connections {
    type Type = Lent;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Lent, sqlx::Error> {
        Ok(Lent {
            connection: PgConnection::connect_with(&self.options).await?,
            settled: true,
        })
    }

    async fn recycle(&self, lent: &mut Lent, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if !lent.settled {
            return Err(RecycleError::message(
                "given back in the middle of something",
            ));
        }
        if metrics.age() > LIFETIME {
            return Err(RecycleError::message("old"));
        }
        if metrics.last_used() > IDLE {
            lent.connection.ping().await?;
        }
        Ok(())
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
