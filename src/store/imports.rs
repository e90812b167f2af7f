//! Imports of files: how far they have come.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _};

use super::upsert_many::Results;
use super::{Customers, StoreError, locks};
use crate::domain::matching::Outcome;
use crate::domain::working_set::Row;

/// How far an import has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Rows that are done.
    pub done: i64,
    /// What became of them.
    pub tally: Tally,
    /// How many bytes the file of refused rows had by then.
    pub rejects_length: i64,
}

/// What became of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The names of the outcomes, and one for none of them.
pub struct Tally {
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub refused: i64,
}

impl Tally {
    /// Counts what became of one.
    pub fn count(&mut self, outcome: Option<Outcome>) {
        *match outcome {
            Some(Outcome::Created) => &mut self.created,
            Some(Outcome::Updated) => &mut self.updated,
            Some(Outcome::Unchanged) => &mut self.unchanged,
            None => &mut self.refused,
        } += 1;
    }
}

impl Customers {
    /// How far an import has come that broke off; none: it never began, or is through.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn import_so_far(
        &self,
        fingerprint: &[u8; 32],
    ) -> Result<Option<Checkpoint>, StoreError> {
        // Served by imports_pkey.
        let query = sqlx::query(
            "select done, created, updated, unchanged, refused, rejects_length
            from imports
            where company_id = $1 and fingerprint = $2",
        )
        .bind(self.company.id.as_uuid())
        .bind(fingerprint)
        .persistent(self.pool.keeps_statements());
        let row = self
            .pool
            .run(async |connection| query.fetch_optional(connection).await)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(Checkpoint {
            done: row.try_get(0)?,
            tally: Tally {
                created: row.try_get(1)?,
                updated: row.try_get(2)?,
                unchanged: row.try_get(3)?,
                refused: row.try_get(4)?,
            },
            rejects_length: row.try_get(5)?,
        }))
    }

    /// Does the upserts of `rows`, of an import that has come as far as `before`. `note` hears what
    /// became of them before that is kept, and says how far the import has come then: both are kept,
    /// or neither. None: somebody else goes on with the same import.
    ///
    /// # Errors
    /// Those of `note`, and when the database fails. Nothing is written then.
    pub async fn import<E: From<StoreError>>(
        &self,
        fingerprint: &[u8; 32],
        before: Checkpoint,
        rows: &[Row],
        note: impl FnOnce(&Results) -> Result<Checkpoint, E>,
    ) -> Result<Option<Checkpoint>, E> {
        let mut connection = self.pool.get().await?;
        let locks = locks::take_alone(self.company.id, self.pool.timeouts());
        let begin = format!("begin; {locks}");
        let transaction = connection.begin_with(AssertSqlSafe(begin)).await;
        let mut transaction = transaction.map_err(StoreError::from)?;
        let results = self.do_all(&mut transaction, rows).await?;
        let after = note(&results)?;
        if !self
            .checkpoint(&mut transaction, fingerprint, before, after)
            .await?
        {
            return Ok(None);
        }
        transaction.commit().await.map_err(StoreError::from)?;
        connection.settle();
        Ok(Some(after))
    }

    /// Forgets an import that is through.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_import(&self, fingerprint: &[u8; 32]) -> Result<(), StoreError> {
        // Served by imports_pkey.
        let query = sqlx::query("delete from imports where company_id = $1 and fingerprint = $2")
            .bind(self.company.id.as_uuid())
            .bind(fingerprint)
            .persistent(self.pool.keeps_statements());
        self.pool
            .run(async |connection| query.execute(connection).await)
            .await?;
        Ok(())
    }

    /// Whether the import was where it was thought to be. Served by `imports_pkey`.
    async fn checkpoint(
        &self,
        connection: &mut PgConnection,
        fingerprint: &[u8; 32],
        before: Checkpoint,
        after: Checkpoint,
    ) -> Result<bool, StoreError> {
        let written = sqlx::query(
            "insert into imports as i (
                company_id, fingerprint, done, created, updated, unchanged, refused, rejects_length
            )
            select $1, $2, $4, $5, $6, $7, $8, $9
            where $3 = 0 or exists (select from imports where company_id = $1 and fingerprint = $2)
            on conflict (company_id, fingerprint) do update set
                done = excluded.done,
                created = excluded.created,
                updated = excluded.updated,
                unchanged = excluded.unchanged,
                refused = excluded.refused,
                rejects_length = excluded.rejects_length
            where i.done = $3",
        )
        .bind(self.company.id.as_uuid())
        .bind(fingerprint)
        .bind(before.done)
        .bind(after.done)
        .bind(after.tally.created)
        .bind(after.tally.updated)
        .bind(after.tally.unchanged)
        .bind(after.tally.refused)
        .bind(after.rejects_length)
        .persistent(self.pool.keeps_statements())
        .execute(connection)
        .await?;
        Ok(written.rows_affected() == 1)
    }
}
