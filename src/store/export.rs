//! All customers that a list would show, one after the other from a single snapshot.

use std::io;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tracing::Instrument;

use super::list::{Filters, everyone};
use super::{Customers, StoreError, row};
use crate::domain::customer::Customer;

/// Customers that are handed over together.
const PORTION: usize = 200;
/// Portions that wait for their reader.
const AHEAD: usize = 2;
/// How long a reader may take for a portion: the connection is kept from others meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);
/// What a reader who took longer is told.
const CUT: &str = "what was exported was not taken within a minute";

/// Customers on their way. Memory is needed for a few hundred, however many there are.
#[derive(Debug)]
pub struct Export(Receiver<Portion>);

#[derive(Debug)]
enum Portion {
    Customers(Vec<Customer>),
    Failed(StoreError),
    End,
}

/// Why no more is read.
enum Ended {
    /// The reader is gone, or takes too long.
    Unread,
    Failed(StoreError),
}

impl From<sqlx::Error> for Ended {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Customers {
    /// Begins to read all customers that `filters` let through, oldest first: in that order they are
    /// matched when they are imported elsewhere.
    ///
    /// # Errors
    /// When others are being read already, as many as may, or the database fails.
    pub async fn export(&self, filters: &Filters) -> Result<Export, StoreError> {
        let turn = self.exports.clone().try_acquire_owned();
        let turn = turn.map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))?;
        let (sql, arguments) = everyone(self.company.id, filters)?;
        let mut connection = self.pool.get().await?;
        let pooled = !self.pool.keeps_statements();
        let (sender, portions) = mpsc::channel(AHEAD);
        let reading = async move {
            let ended = match read(&mut connection, pooled, sql, arguments, &sender).await {
                Ok(()) => {
                    connection.settle();
                    Portion::End
                }
                Err(Ended::Failed(error)) => Portion::Failed(error),
                Err(Ended::Unread) => return connection.abandon(),
            };
            // If nobody hears it, nobody needs to know.
            let _ = sender.send(ended).await;
            drop(turn);
        };
        tokio::spawn(reading.in_current_span());
        Ok(Export(portions))
    }
}

async fn read(
    connection: &mut PgConnection,
    pooled: bool,
    sql: String,
    arguments: PgArguments,
    sender: &Sender<Portion>,
) -> Result<(), Ended> {
    if pooled {
        // To prepare a statement and to run it are two messages, which must find one session.
        sqlx::raw_sql("begin").execute(&mut *connection).await?;
    }
    let mut rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
        .persistent(false)
        .fetch(&mut *connection);
    let mut portion = Vec::with_capacity(PORTION);
    while let Some(row) = rows.try_next().await? {
        portion.push(row::read(&row, 0)?);
        if portion.len() == PORTION {
            let full = std::mem::replace(&mut portion, Vec::with_capacity(PORTION));
            hand_over(full, sender).await?;
        }
    }
    drop(rows);
    if pooled {
        sqlx::raw_sql("commit").execute(&mut *connection).await?;
    }
    hand_over(portion, sender).await
}

async fn hand_over(portion: Vec<Customer>, sender: &Sender<Portion>) -> Result<(), Ended> {
    let sent = sender
        .send_timeout(Portion::Customers(portion), PATIENCE)
        .await;
    sent.map_err(|_| Ended::Unread)
}

impl Export {
    /// The next customers; none at the end.
    ///
    /// # Errors
    /// When the database fails, or this was asked too late: what came before is not all then.
    pub async fn next(&mut self) -> Result<Option<Vec<Customer>>, StoreError> {
        match self.0.recv().await {
            Some(Portion::Customers(customers)) => Ok(Some(customers)),
            Some(Portion::End) => Ok(None),
            Some(Portion::Failed(error)) => Err(error),
            None => Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, CUT)).into()),
        }
    }
}
