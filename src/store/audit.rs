//! The audit log: each entry is written in the transaction of what it tells of.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{Customers, Store, StoreError};
use crate::domain::CompanyId;
use crate::domain::audit::{Action, Actor};
use crate::domain::customer::CustomerId;

/// Something that was noted.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// In which company.
    pub company: CompanyId,
    /// The id of what it was done to.
    pub subject: String,
}

impl Store {
    /// The newest entries, of one company or of all, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_log(
        &self,
        company: Option<CompanyId>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        // Served by audit_log_company, or by audit_log_pkey for all companies.
        let query = sqlx::query(
            "select at, actor, action, company_id, subject from audit_log
            where $1::uuid is null or company_id = $1
            order by id desc
            limit $2",
        )
        .bind(company.map(CompanyId::as_uuid))
        .bind(i64::from(limit))
        .persistent(self.pool.keeps_statements());
        let rows = self
            .pool
            .run(async |connection| query.fetch_all(connection).await)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditEntry {
                    at: row.try_get(0)?,
                    actor: row.try_get(1)?,
                    action: row.try_get(2)?,
                    company: row.try_get::<Uuid, _>(3)?.into(),
                    subject: row.try_get(4)?,
                })
            })
            .collect()
    }
}

impl Customers {
    /// Notes what `by` did to a customer.
    pub(super) async fn note(
        &self,
        connection: &mut PgConnection,
        by: &Actor,
        action: Action,
        id: CustomerId,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into audit_log (actor, action, company_id, subject) values ($1, $2, $3, $4)",
        )
        .bind(by.to_string())
        .bind(action.as_str())
        .bind(self.company.id.as_uuid())
        .bind(id.to_string())
        .persistent(self.pool.keeps_statements())
        .execute(connection)
        .await?;
        Ok(())
    }
}
