//! How sessions of the database are begun.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use super::limits::milliseconds;

/// What a session has set, whatever the database's own settings are. Compiling a query takes longer
/// than any of ours runs, and a search shared out to parallel workers waits for their start on cores
/// that others want.
const SETTINGS: &str = "set jit = off; set max_parallel_workers_per_gather = 0";

/// What a session is begun with.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub options: PgConnectOptions,
    pub between: Between,
    settings: String,
}

/// What stands between a connection and a session of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    /// Nothing: each connection is a session.
    Nothing,
    /// A pooler, which gives each transaction another session: nothing may outlive one.
    Pooler,
}

impl Session {
    /// Sessions of the database at `database_url`, under the name `name` in the server's lists.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn new(database_url: &str, name: &str) -> Result<Self, sqlx::Error> {
        let options: PgConnectOptions = database_url.parse()?;
        let options = options
            .application_name(name)
            // Postgres has long sent floats exactly by itself, and PgBouncer refuses to be asked.
            .extra_float_digits(None)
            .disable_statement_logging();
        Ok(Self {
            options,
            between: between(database_url),
            settings: SETTINGS.to_owned(),
        })
    }

    /// The same, whose statements are ended after some time.
    pub fn with_statement_timeout(mut self, timeout: Duration) -> Self {
        let limit = milliseconds(timeout);
        self.settings = format!("{SETTINGS}; set statement_timeout = {limit}");
        self
    }

    /// Begins one.
    ///
    /// # Errors
    /// When the database cannot be reached, or refuses.
    pub async fn begin(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        // By a statement: as parameters of the connection a pooler may refuse them. Behind one that
        // gives each transaction another session, what a migration set for the database has to do.
        if self.between == Between::Nothing {
            let settings = AssertSqlSafe(self.settings.clone());
            sqlx::raw_sql(settings).execute(&mut connection).await?;
        }
        Ok(connection)
    }
}

/// A URL that forbids to keep statements is one of a pooler that gives each transaction another
/// session, like `PgBouncer`'s transaction mode: sqlx's own parameter says so.
fn between(database_url: &str) -> Between {
    let forbids = |url: url::Url| {
        url.query_pairs()
            .any(|(name, value)| name == "statement-cache-capacity" && value == "0")
    };
    if url::Url::parse(database_url).is_ok_and(forbids) {
        Between::Pooler
    } else {
        Between::Nothing
    }
}
