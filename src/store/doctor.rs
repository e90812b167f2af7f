//! What can be seen of a database that has to do with whether Clientele runs well on it.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::StoreError;
use super::session::{Between, Session};
use crate::domain::matching::RULES_VERSION;

/// One row. `current_setting` with `true` is null for what this version does not know.
const FACTS: &str = "\
    select
        current_setting('server_version'),
        current_setting('server_version_num')::int,
        current_setting('server_encoding'),
        (select datctype::text from pg_database where datname = current_database()),
        current_setting('max_connections')::int,
        current_setting('fsync') = 'on',
        current_setting('synchronous_commit'),
        pg_is_in_recovery(),
        has_schema_privilege(current_schema(), 'create'),
        coalesce(has_table_privilege(to_regclass('customers'), 'insert, update, delete'), true),
        array(
            select name::text from unnest(array['pg_trgm', 'btree_gin']) as name
            where not exists (select from pg_extension where extname = name)
        ),
        array(
            select name::text from unnest(array['pg_trgm', 'btree_gin']) as name
            where not exists (select from pg_available_extensions e where e.name = name)
        ),
        array(
            select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid
            where not i.indisvalid and i.indrelid = to_regclass('customers')
        ),
        clock_timestamp()";

/// What was seen.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Facts, none of which follows from another.
pub struct Facts {
    /// How long an answer takes.
    pub round_trip: Duration,
    /// The server's version, for people,
    pub version: String,
    /// and to compare: 150004 is 15.4.
    pub version_number: i32,
    /// How it keeps text.
    pub encoding: String,
    /// Whose letters it knows.
    pub ctype: String,
    /// The most sessions it has.
    pub max_connections: i32,
    /// Whether a commit waits for the disk at all,
    pub fsync: bool,
    /// and for how much of it.
    pub synchronous_commit: String,
    /// Whether it is a standby, which takes no writes.
    pub is_standby: bool,
    /// Whether this role may make tables,
    pub may_create: bool,
    /// and write customers.
    pub may_write: bool,
    /// Extensions that are not in the database yet,
    pub missing_extensions: Vec<String>,
    /// and those that the server does not have.
    pub absent_extensions: Vec<String>,
    /// Indexes whose making was interrupted.
    pub invalid_indexes: Vec<String>,
    /// How far the server's clock is ahead of this machine's, in milliseconds.
    pub clock_ahead: i64,
    /// Whether a pooler gives each transaction another session.
    pub is_pooled: bool,
}

/// Looks at the database at `database_url`, whatever its schema is.
///
/// # Errors
/// When it cannot be reached.
pub async fn facts(database_url: &str) -> Result<Facts, StoreError> {
    let session = Session::new(database_url, "clientele doctor")?;
    let mut connection = session.begin().await?;
    // The first answer took as long as it took to prepare the question.
    let _ = look(&mut connection).await?;
    let (asked, started) = (Utc::now(), Instant::now());
    let row = look(&mut connection).await?;
    let round_trip = started.elapsed();
    let answered: DateTime<Utc> = row.try_get(13)?;
    connection.close().await?;
    Ok(Facts {
        round_trip,
        version: row.try_get(0)?,
        version_number: row.try_get(1)?,
        encoding: row.try_get(2)?,
        ctype: row.try_get(3)?,
        max_connections: row.try_get(4)?,
        fsync: row.try_get(5)?,
        synchronous_commit: row.try_get(6)?,
        is_standby: row.try_get(7)?,
        may_create: row.try_get::<Option<bool>, _>(8)?.unwrap_or(false),
        may_write: row.try_get(9)?,
        missing_extensions: row.try_get(10)?,
        absent_extensions: row.try_get(11)?,
        invalid_indexes: row.try_get(12)?,
        clock_ahead: (answered - asked).num_milliseconds(),
        is_pooled: session.between == Between::Pooler,
    })
}

async fn look(connection: &mut PgConnection) -> Result<PgRow, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query(FACTS)
        .persistent(false)
        .fetch_one(&mut *transaction)
        .await
}

/// Whether there are customers whose keys and search text an older release made; the newest schema
/// must be there.
///
/// # Errors
/// When the database fails.
pub async fn has_older_rules(database_url: &str) -> Result<bool, StoreError> {
    let session = Session::new(database_url, "clientele doctor")?;
    let mut connection = session.begin().await?;
    // Looks at all customers when there is none; no index is worth keeping for this.
    let sql = format!(
        "select exists (select from customers where rules_version < {RULES_VERSION}) as older"
    );
    let rows = sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(rows.try_get("older")?)
}
