//! Migrations: refinery's, run over a connection of our own.

use std::time::{Duration, Instant};

use refinery::{Migration, Runner};
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::session::{Between, Session};

mod embedded {
    #![allow(missing_docs)] // Made by the macro.
    refinery::embed_migrations!("migrations");
}

/// The lock that servers starting together wait for. The number means nothing, but must never
/// change.
const MIGRATION_LOCK: i64 = 0x0C11_E17E_0000_0001;

/// How often a server looks whether another has finished migrating.
const TURN: Duration = Duration::from_millis(50);

/// The first line of a migration that cannot run in a transaction. It is one statement, which must
/// do no harm when it runs again: whether it is done and whether that is noted are two things then.
const OUTSIDE: &str = "-- Outside a transaction:";

/// A migration takes as long as it takes, whatever the database allows its other sessions.
const NO_TIMEOUTS: &str = "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0";

/// Who waits for a table's lock has all others wait that come after: so not for long,
const SHORT_LOCKS: &str = "set local lock_timeout = '2s'";
/// but again after a pause in which they go ahead,
const PAUSE: Duration = Duration::from_millis(500);
/// for up to this time.
const LOCKED: Duration = Duration::from_mins(5);

/// How long a database that is starting is waited for.
const START_UP: Duration = Duration::from_mins(1);

/// Why the database is not at the schema that this program needs.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// It cannot be reached.
    #[error("cannot connect to the database: {0}")]
    Connect(#[source] sqlx::Error),
    /// A newer program has been here.
    #[error(
        "the database has schema version {found}, and this program knows versions up to {known}: \
        run a newer clientele"
    )]
    Newer {
        /// The database's version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Migrations are wanted first.
    #[error(
        "the database has schema version {found}, and this program needs version {known}: \
        run `clientele migrate`"
    )]
    Older {
        /// The database's version; 0 when it is empty.
        found: i64,
        /// The version that this program needs.
        known: i64,
    },
    /// Migrations are wanted first, and cannot be run from here.
    #[error(
        "the database has schema version {found}, and this program needs version {known}. A pooler \
        (statement-cache-capacity=0) cannot hold the lock of migrations: run `clientele migrate` \
        with a DATABASE_URL that leads to PostgreSQL itself"
    )]
    BehindPooler {
        /// The database's version; 0 when it is empty.
        found: i64,
        /// The version that this program needs.
        known: i64,
    },
    /// A migration failed, or one that was applied is not the one that this program has.
    #[error("migration failed: {0}")]
    Migration(#[from] refinery::Error),
    /// The database refused something else.
    #[error("the database reported an error: {0}")]
    Database(#[from] sqlx::Error),
}

/// Brings the database to the newest schema; the answer is how many migrations were applied.
/// Servers that start together wait for the first.
///
/// # Errors
/// When the database cannot be reached, is newer than this program, or a migration fails. A
/// migration that fails leaves nothing behind. Also when there is something to do behind a pooler.
pub async fn run(database_url: &str) -> Result<usize, MigrateError> {
    let session = session(database_url)?;
    if session.between == Between::Pooler {
        return match check(database_url).await {
            Err(MigrateError::Older { found, known }) => {
                Err(MigrateError::BehindPooler { found, known })
            }
            checked => checked.map(|()| 0),
        };
    }
    let mut connection = connect(&session).await?;
    sqlx::raw_sql(NO_TIMEOUTS).execute(&mut connection).await?;
    await_turn(&mut connection).await?;
    refuse_newer(schema_version(&mut connection).await?)?;
    let mut database = Database(connection);
    let report = embedded::migrations::runner()
        .run_async(&mut database)
        .await?;
    database.0.close().await?;
    Ok(report.applied_migrations().len())
}

/// Takes the lock of migrations. It is the session's, on a connection of its own: it goes when the
/// connection does.
///
/// Asked for again and again: who waits for it within a statement has a snapshot, and an index that
/// is made beside the writers waits for the end of every older one.
async fn await_turn(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    loop {
        let ours: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(MIGRATION_LOCK)
            .fetch_one(&mut *connection)
            .await?;
        if ours {
            return Ok(());
        }
        tokio::time::sleep(TURN).await;
    }
}

/// Makes sure that the database has just the schema that this program needs.
///
/// # Errors
/// When it has another, or cannot be reached.
pub async fn check(database_url: &str) -> Result<(), MigrateError> {
    let mut connection = connect(&session(database_url)?).await?;
    let found = schema_version(&mut connection).await?;
    connection.close().await?;
    refuse_newer(found)?;
    let known = newest_known();
    if found < known {
        return Err(MigrateError::Older { found, known });
    }
    Ok(())
}

fn session(database_url: &str) -> Result<Session, MigrateError> {
    Session::new(database_url, "clientele migrations").map_err(MigrateError::Connect)
}

async fn connect(session: &Session) -> Result<PgConnection, MigrateError> {
    let deadline = Instant::now() + START_UP;
    loop {
        match session.begin().await {
            Err(error) if is_starting(&error) && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            connected => return connected.map_err(MigrateError::Connect),
        }
    }
}

/// Whether the database says that it will be there in a moment.
fn is_starting(error: &sqlx::Error) -> bool {
    has_code(error, "57P03")
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|found| found == code)
}

fn refuse_newer(found: i64) -> Result<(), MigrateError> {
    let known = newest_known();
    if found > known {
        return Err(MigrateError::Newer { found, known });
    }
    Ok(())
}

fn newest_known() -> i64 {
    let runner: Runner = embedded::migrations::runner();
    runner
        .get_migrations()
        .iter()
        .map(|migration| i64::from(migration.version()))
        .max()
        .unwrap_or(0)
}

/// The version, read in one transaction and by statements that have no name: there may be a pooler.
async fn schema_version(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let history: Option<String> =
        sqlx::query_scalar("select to_regclass('refinery_schema_history')::text")
            .persistent(false)
            .fetch_one(&mut *transaction)
            .await?;
    if history.is_none() {
        return Ok(0);
    }
    sqlx::query_scalar("select coalesce(max(version), 0)::bigint from refinery_schema_history")
        .persistent(false)
        .fetch_one(&mut *transaction)
        .await
}

/// The connection, in the shape that refinery drives.
struct Database(PgConnection);

impl AsyncTransaction for Database {
    type Error = sqlx::Error;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, sqlx::Error> {
        let mut queries = queries.peekable();
        let mut executed = 0;
        if let Some(alone) = queries.next_if(|query| query.starts_with(OUTSIDE)) {
            self.execute_outside(alone).await?;
            executed += 1;
        }
        let queries: Vec<&str> = queries.collect();
        let deadline = Instant::now() + LOCKED;
        while let Err(error) = self.execute_together(&queries).await {
            if !is_locked(&error) || Instant::now() > deadline {
                return Err(error);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(executed + queries.len())
    }
}

impl Database {
    /// Runs the texts of migrations, many statements long, and refinery's own bookkeeping in one
    /// transaction.
    async fn execute_together(&mut self, queries: &[&str]) -> Result<(), sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        sqlx::raw_sql(SHORT_LOCKS)
            .execute(&mut *transaction)
            .await?;
        for query in queries {
            sqlx::raw_sql(AssertSqlSafe((*query).to_owned()))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// Runs a statement that no transaction may hold. What an index in the making left behind when
    /// it was interrupted is dropped first: it would be taken for the index.
    async fn execute_outside(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        let invalid: Vec<String> = sqlx::query_scalar(
            "select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid
            where not i.indisvalid and i.indrelid = 'customers'::regclass",
        )
        .fetch_all(&mut self.0)
        .await?;
        // Only its own: another may be in the making by the operator's hand.
        let its_own = |index: &String| names(statement).any(|name| name == index);
        for index in invalid.into_iter().filter(its_own) {
            let drop = format!("drop index concurrently {index}");
            sqlx::raw_sql(AssertSqlSafe(drop))
                .execute(&mut self.0)
                .await?;
        }
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut self.0)
            .await?;
        Ok(())
    }
}

/// The words of a statement that can be names.
fn names(statement: &str) -> impl Iterator<Item = &str> {
    statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// Whether a lock was not to be had in time.
fn is_locked(error: &sqlx::Error) -> bool {
    has_code(error, "55P03")
}

impl AsyncQuery<Vec<Migration>> for Database {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, sqlx::Error> {
        let rows = sqlx::query(AssertSqlSafe(query.to_owned()))
            .fetch_all(&mut self.0)
            .await?;
        rows.iter()
            .map(|row| {
                let applied_on: &str = row.try_get(2)?;
                let checksum: &str = row.try_get(3)?;
                Ok(Migration::applied(
                    row.try_get(0)?,
                    row.try_get(1)?,
                    OffsetDateTime::parse(applied_on, &Rfc3339).map_err(decode)?,
                    checksum.parse().map_err(decode)?,
                ))
            })
            .collect()
    }
}

impl AsyncMigrate for Database {}

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
