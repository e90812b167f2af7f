//! Companies.

use chrono::{DateTime, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::audit::{Action, Actor};
use crate::domain::phone::DefaultRegion;
use crate::domain::text::ShortText;
use crate::domain::{Company, CompanyId};

/// A company, for a list of them.
#[derive(Debug, Clone)]
pub struct CompanySummary {
    /// Its id.
    pub id: CompanyId,
    /// Its name.
    pub name: String,
    /// The country whose rules read its national phone numbers.
    pub default_region: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Store {
    /// Makes a company, and notes who did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_company(
        &self,
        name: &ShortText,
        default_region: DefaultRegion,
        by: &Actor,
    ) -> Result<CompanyId, StoreError> {
        let id = CompanyId::generate();
        self.pool
            .run(async |connection| {
                sqlx::query(
                    "with made as (
                        insert into companies (id, name, default_region) values ($1, $2, $3)
                        returning id
                    )
                    insert into audit_log (actor, action, company_id, subject)
                    select $4, $5, id, id::text from made",
                )
                .bind(id.as_uuid())
                .bind(name.as_str())
                .bind(default_region.to_string())
                .bind(by.to_string())
                .bind(Action::CompanyCreated.as_str())
                .persistent(self.pool.keeps_statements())
                .execute(connection)
                .await
            })
            .await?;
        Ok(id)
    }

    /// All companies, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn companies(&self) -> Result<Vec<CompanySummary>, StoreError> {
        // An operator's call on a small table: no index is wanted.
        let query = sqlx::query(
            "select id, name, default_region, created_at from companies order by created_at, id",
        )
        .persistent(self.pool.keeps_statements());
        let rows = self
            .pool
            .run(async |connection| query.fetch_all(connection).await)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(CompanySummary {
                    id: row.try_get::<Uuid, _>("id")?.into(),
                    name: row.try_get("name")?,
                    default_region: row.try_get("default_region")?,
                    created_at: row.try_get("created_at")?,
                })
            })
            .collect()
    }

    /// The company with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn company(&self, id: CompanyId) -> Result<Option<Company>, StoreError> {
        // Served by companies_pkey.
        let query = sqlx::query("select default_region from companies where id = $1")
            .bind(id.as_uuid())
            .persistent(self.pool.keeps_statements());
        let found = self
            .pool
            .run(async |connection| query.fetch_optional(connection).await)
            .await?;
        found.map(|row| company(id, row.try_get(0)?)).transpose()
    }
}

/// A company as it is kept.
pub(super) fn company(id: CompanyId, default_region: &str) -> Result<Company, StoreError> {
    let default_region = default_region
        .parse()
        .map_err(|error| StoreError::Internal(sqlx::Error::Decode(Box::new(error))))?;
    Ok(Company { id, default_region })
}
