//! API keys.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::num::NonZeroU32;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::audit::{Action, Actor};
use crate::domain::key::{ApiKey, KeyId, KeyRecord, NewKey, Scope, SecretHash};
use crate::domain::text::ShortText;
use crate::domain::{Company, CompanyId};

/// A key, for a list of them. The secret is not among what can be listed.
#[derive(Debug, Clone)]
pub struct KeySummary {
    /// Its public part.
    pub id: String,
    /// What it is for.
    pub name: Option<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Requests on one UTC day.
    pub daily_limit: Option<i64>,
    /// Requests within a second.
    pub rate_limit: Option<i32>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last seen, to a minute or so.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Makes a key for `company`, and notes who did.
    ///
    /// # Errors
    /// When the database fails, or there is no such company.
    pub async fn create_key(
        &self,
        company: CompanyId,
        new: NewKey,
        by: &Actor,
    ) -> Result<ApiKey, StoreError> {
        let key = ApiKey::generate()
            .map_err(|error| StoreError::Internal(sqlx::Error::Io(error.into())))?;
        let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.as_str()).collect();
        let secret = key.secret_hash();
        let insert = sqlx::query(
            "with made as (
                insert into api_keys (
                    id, company_id, name, secret_sha256, scopes, daily_limit, rate_limit, expires_at
                )
                values ($1, $2, $3, $4, $5, $6, $7, $8)
                returning id, company_id
            )
            insert into audit_log (actor, action, company_id, subject)
            select $9, $10, company_id, id from made",
        )
        .bind(key.id().as_str())
        .bind(company.as_uuid())
        .bind(new.name.as_ref().map(ShortText::as_str))
        .bind(secret.as_bytes())
        .bind(scopes)
        .bind(new.daily_limit.map(|limit| i64::from(limit.get())))
        .bind(
            new.rate_limit
                .map(|limit| i32::try_from(limit.get()).unwrap_or(i32::MAX)),
        )
        .bind(new.expires_at)
        .bind(by.to_string())
        .bind(Action::KeyCreated.as_str())
        .persistent(self.pool.keeps_statements());
        self.pool
            .run(async |connection| insert.execute(connection).await)
            .await?;
        Ok(key)
    }

    /// What is stored about a key, whether it still works or not; none for an unknown one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn key(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        // Served by api_keys_pkey and companies_pkey.
        let query = sqlx::query(
            "select k.company_id, c.default_region, k.secret_sha256, k.scopes, k.daily_limit,
                k.rate_limit, k.expires_at, k.revoked_at
            from api_keys k
            join companies c on c.id = k.company_id
            where k.id = $1",
        )
        .bind(id.as_str())
        .persistent(self.pool.keeps_statements());
        let found = self
            .pool
            .run(async |connection| query.fetch_optional(connection).await)
            .await?;
        Ok(found.map(|row| read_record(id, &row)).transpose()?)
    }

    /// The keys of `company`, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keys(&self, company: CompanyId) -> Result<Vec<KeySummary>, StoreError> {
        // Served by api_keys_company.
        let query = sqlx::query(
            "select id, name, scopes, daily_limit, rate_limit, created_at, expires_at, revoked_at, last_used_at
            from api_keys
            where company_id = $1
            order by created_at, id",
        )
        .bind(company.as_uuid())
        .persistent(self.pool.keeps_statements());
        let rows = self
            .pool
            .run(async |connection| query.fetch_all(connection).await)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(KeySummary {
                    id: row.try_get("id")?,
                    name: row.try_get("name")?,
                    scopes: row.try_get("scopes")?,
                    daily_limit: row.try_get("daily_limit")?,
                    rate_limit: row.try_get("rate_limit")?,
                    created_at: row.try_get("created_at")?,
                    expires_at: row.try_get("expires_at")?,
                    revoked_at: row.try_get("revoked_at")?,
                    last_used_at: row.try_get("last_used_at")?,
                })
            })
            .collect()
    }

    /// Revokes a key for good, and notes who did; a key revoked before keeps its first date. The
    /// answer is whether there is such a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_key(&self, id: &KeyId, by: &Actor) -> Result<bool, StoreError> {
        // Served by api_keys_pkey.
        let query = sqlx::query_scalar(
            "with revoked as (
                update api_keys set revoked_at = clock_timestamp()
                where id = $1 and revoked_at is null
                returning id, company_id
            ),
            noted as (
                insert into audit_log (actor, action, company_id, subject)
                select $2, $3, company_id, id from revoked
            )
            select exists (select from api_keys where id = $1)",
        )
        .bind(id.as_str())
        .bind(by.to_string())
        .bind(Action::KeyRevoked.as_str())
        .persistent(self.pool.keeps_statements());
        self.pool
            .run(async |connection| query.fetch_one(connection).await)
            .await
    }

    /// Notes that a key was used, at most once a minute: a write per request would cost more than
    /// it tells.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_key(&self, id: &KeyId) -> Result<(), StoreError> {
        // Served by api_keys_pkey.
        let query = sqlx::query(
            "update api_keys set last_used_at = clock_timestamp()
            where id = $1
                and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')",
        )
        .bind(id.as_str())
        .persistent(self.pool.keeps_statements());
        self.pool
            .run(async |connection| query.execute(connection).await)
            .await?;
        Ok(())
    }
}

fn read_record(id: &KeyId, row: &PgRow) -> Result<KeyRecord, sqlx::Error> {
    let secret = SecretHash::from_stored(row.try_get("secret_sha256")?)
        .ok_or_else(|| sqlx::Error::Decode("a secret's hash has not 32 bytes".into()))?;
    let region: &str = row.try_get("default_region")?;
    let scopes: Vec<String> = row.try_get("scopes")?;
    let daily_limit: Option<i64> = row.try_get("daily_limit")?;
    let rate_limit: Option<i32> = row.try_get("rate_limit")?;
    Ok(KeyRecord {
        id: id.clone(),
        company: Company {
            id: row.try_get::<Uuid, _>("company_id")?.into(),
            default_region: region
                .parse()
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        },
        secret,
        // A scope of a newer release gives nothing here, and takes nothing away.
        scopes: scopes
            .iter()
            .filter_map(|name| name.parse::<Scope>().ok())
            .collect(),
        daily_limit: daily_limit
            .map(|limit| u32::try_from(limit).unwrap_or(u32::MAX))
            .and_then(NonZeroU32::new),
        rate_limit: rate_limit
            .and_then(|limit| u32::try_from(limit).ok())
            .and_then(NonZeroU32::new),
        expires_at: row.try_get("expires_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
