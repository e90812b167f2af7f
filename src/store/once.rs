//! Requests that are done once, however often they are sent: the reply is kept in the transaction
//! that does what it tells of.

use chrono::TimeDelta;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::error::{StoreError, WriteError};
use super::transaction::Write;
use super::{Customers, Store, locks};
use crate::domain::customer::CustomerId;
use crate::domain::idempotency::{Once, Reply};

/// How long a reply is kept. A policy has it too (V20): until then a reply is its company's alone.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// The most replies that one statement deletes: for a moment's work, and no long transaction.
const DELETED_AT_ONCE: i64 = 1_000;

/// What became of a request.
pub enum Done<T> {
    /// It was done now, and this is the reply that is kept.
    Now(T, Reply),
    /// It had been done before; this is the reply of that time.
    Before(Reply),
}

impl<T: Send + 'static> Write<T> {
    /// Writes it unless a request with the same key did before. Who comes while that is under way
    /// waits for it.
    ///
    /// # Errors
    /// When the key is of another request, when that with the key stays under way for too long, or
    /// when the reply was erased with its customer (not found); else as without a key. Nothing is
    /// written then, and no reply is kept.
    pub async fn once(
        self,
        once: Once,
        reply: impl FnOnce(&T) -> Result<Reply, StoreError> + Send + 'static,
    ) -> Result<Done<T>, WriteError> {
        let Self {
            customers,
            locks,
            task,
            about,
        } = self;
        let work = async move |customers: &Customers, connection: &mut PgConnection| {
            if let Some(reply) = customers.replied(connection, &once).await? {
                return Ok(Done::Before(reply));
            }
            let waited = customers.lock_waits.start_timer();
            sqlx::raw_sql(AssertSqlSafe(locks))
                .execute(&mut *connection)
                .await?;
            waited.observe_duration();
            let done = task(customers, connection).await?;
            let reply = reply(&done)?;
            customers
                .keep_reply(connection, &once, &reply, &about(&done))
                .await?;
            Ok(Done::Now(done, reply))
        };
        customers
            .in_transaction("begin".to_owned(), |customers, connection| {
                Box::pin(work(customers, connection))
            })
            .await
    }
}

impl Customers {
    /// The reply to a request that was done before. Others with the same key wait from here on.
    async fn replied(
        &self,
        connection: &mut PgConnection,
        once: &Once,
    ) -> Result<Option<Reply>, WriteError> {
        let lock = locks::once(self.company.id, &once.key, self.pool.timeouts());
        let alone = sqlx::raw_sql(AssertSqlSafe(lock))
            .execute(&mut *connection)
            .await;
        match alone.map_err(StoreError::from) {
            Ok(_) => {}
            Err(error) if error.is_lock_timeout() => return Err(WriteError::KeyInUse),
            Err(error) => return Err(error.into()),
        }
        // Served by idempotency_keys_pkey.
        let found = sqlx::query(
            "select fingerprint, status, headers, body
            from idempotency_keys
            where company_id = $1 and key = $2 and created_at > clock_timestamp() - $3",
        )
        .bind(self.company.id.as_uuid())
        .bind(once.key.as_str())
        .bind(KEPT)
        .persistent(self.pool.keeps_statements())
        .fetch_optional(connection)
        .await?;
        let Some(found) = found else {
            return Ok(None);
        };
        let fingerprint: Option<&[u8]> = found.try_get(0)?;
        match fingerprint {
            None => return Err(WriteError::NotFound),
            Some(of) if of != once.fingerprint.as_bytes() => return Err(WriteError::KeyReused),
            Some(_) => {}
        }
        let status: i16 = found.try_get(1)?;
        let headers: Vec<String> = found.try_get(2)?;
        Ok(Some(Reply {
            status: status.unsigned_abs(),
            headers: pairs(headers),
            body: found.try_get(3)?,
        }))
    }

    async fn keep_reply(
        &self,
        connection: &mut PgConnection,
        once: &Once,
        reply: &Reply,
        about: &[CustomerId],
    ) -> Result<(), StoreError> {
        let headers: Vec<&str> = reply
            .headers
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value.as_str()])
            .collect();
        let about: Vec<Uuid> = about.iter().map(|id| id.as_uuid()).collect();
        // A reply that is still there is one that was kept long enough.
        sqlx::query(
            "insert into idempotency_keys
                (company_id, key, fingerprint, status, headers, body, customer_ids)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (company_id, key) do update set
                fingerprint = excluded.fingerprint, status = excluded.status,
                headers = excluded.headers, body = excluded.body,
                customer_ids = excluded.customer_ids, created_at = clock_timestamp()",
        )
        .bind(self.company.id.as_uuid())
        .bind(once.key.as_str())
        .bind(once.fingerprint.as_bytes())
        .bind(i16::try_from(reply.status).unwrap_or(i16::MAX))
        .bind(headers)
        .bind(&reply.body)
        .bind(about)
        .persistent(self.pool.keeps_statements())
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Erases what replies tell of a customer. The keys stay: sent again, such a request must not
    /// bring the customer back.
    pub(super) async fn erase_replies(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
    ) -> Result<(), StoreError> {
        // Served by idempotency_keys_customers.
        sqlx::query(
            "update idempotency_keys set fingerprint = null, headers = '{}', body = null
            where company_id = $1 and customer_ids @> array[$2]",
        )
        .bind(self.company.id.as_uuid())
        .bind(id.as_uuid())
        .persistent(self.pool.keeps_statements())
        .execute(connection)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Deletes the replies that were kept long enough.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_old_replies(&self) -> Result<(), StoreError> {
        loop {
            // Served by idempotency_keys_created, then by idempotency_keys_pkey. The age is asked
            // for again: the key may have come anew meanwhile.
            let query = sqlx::query(
                "delete from idempotency_keys
                where (company_id, key) in (
                        select company_id, key from idempotency_keys
                        where created_at < clock_timestamp() - $1
                        order by created_at
                        limit $2
                    )
                    and created_at < clock_timestamp() - $1",
            )
            .bind(KEPT)
            .bind(DELETED_AT_ONCE)
            .persistent(self.pool.keeps_statements());
            let done = self
                .pool
                .run(async |connection| query.execute(connection).await)
                .await?;
            if done.rows_affected() < DELETED_AT_ONCE.unsigned_abs() {
                return Ok(());
            }
        }
    }
}

fn pairs(headers: Vec<String>) -> Vec<(String, String)> {
    let mut headers = headers.into_iter();
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (headers.next(), headers.next()) {
        pairs.push((name, value));
    }
    pairs
}
