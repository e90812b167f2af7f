//! The upsert: one READ COMMITTED transaction that locks, looks up, merges and writes.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::Customers;
use super::by_key::{EMAIL_KEY, PHONE_KEY, first_by};
use super::error::{StoreError, WriteError};
use super::locks::Locks;
use super::row::{self, COLUMNS};
use super::transaction::Write;
use super::written;
use crate::domain::customer::{Change, Customer, CustomerId, Profile};
use crate::domain::email::EmailKey;
use crate::domain::matching::{Match, MatchKeys, MatchedBy, Outcome};
use crate::domain::phone::PhoneKey;

/// How often a look-up is repeated because the customer it found was changed while it waited for
/// it. Each repetition means that somebody else got something done.
const MOST_LOOK_UPS: usize = 20;

/// Served by `customers_pkey`.
static FIND_BY_ID: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {COLUMNS} from customers c where c.company_id = $1 and c.id = $2 for update of c"
    )
});

/// Served by `customers_by_phone`, `customers_by_email` and then `customers_pkey`. What is computed
/// from `c` sees the row as it is once it is locked; the rest, as it was before.
static FIND_BY_KEYS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with by_phone as ({by_phone}), by_email as ({by_email})
        select
            (select id from by_phone),
            (select id from by_email),
            coalesce(c.archived_at is null and c.phone_key = $2, false),
            coalesce(c.archived_at is null and c.email_key = $3, false),
            {COLUMNS}
        from customers c
        where c.company_id = $1
            and c.id = coalesce((select id from by_phone), (select id from by_email))
        for update of c",
        by_phone = first_by(PHONE_KEY, "$1", "$2"),
        by_email = first_by(EMAIL_KEY, "$1", "$3"),
    )
});

static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "insert into customers (company_id, id, {}) values ($1, $2, {})
        returning created_at",
        written::names(),
        written::placeholders(3)
    )
});

/// Served by `customers_pkey`.
static UPDATE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "update customers set ({}, updated_at) = row ({}, clock_timestamp())
        where company_id = $1 and id = $2",
        written::names(),
        written::placeholders(3)
    )
});

/// The customer after an upsert, and how it came about.
#[derive(Debug, Clone)]
pub struct Upserted {
    /// The customer as it is now.
    pub customer: Customer,
    /// What was done.
    pub outcome: Outcome,
    /// By what it was matched; none when it was created, or needed no matching.
    pub matched: Option<Match>,
}

/// What a look-up by keys saw.
struct Found {
    by_phone: Option<CustomerId>,
    by_email: Option<CustomerId>,
    /// Whether the customer, now that it is locked, is live and has the phone asked for,
    has_phone: bool,
    /// or the e-mail.
    has_email: bool,
    customer: Customer,
}

impl Found {
    /// How the customer was matched; none when it no longer answers to what it was found by.
    fn matched(&self) -> Option<Match> {
        if self.by_phone.is_none() {
            return self.has_email.then_some(Match {
                by: MatchedBy::Email,
                also: None,
            });
        }
        if self.by_email == Some(self.customer.id) && !self.has_email {
            // It lost the e-mail meanwhile: whose that is now, only another look-up can tell.
            return None;
        }
        self.has_phone.then_some(Match {
            by: MatchedBy::Phone,
            // A customer with both phone and e-mail is no split, whoever else has the e-mail.
            also: self.by_email.filter(|_| !self.has_email),
        })
    }
}

impl Customers {
    /// Updates the customer with `id`, or without one the customer that has the phone or the
    /// e-mail of `change`, or else creates one.
    ///
    /// # Errors
    /// When there is no customer with `id`, when the result would not be allowed, or when the
    /// database fails. Nothing is written then.
    pub fn upsert(&self, id: Option<CustomerId>, change: Change) -> Write<Upserted> {
        let asked = MatchKeys::asked(&change, self.company.default_region);
        let locks = Locks::new(self.company.id, &asked).take(self.pool.timeouts());
        let about = |upserted: &Upserted| vec![upserted.customer.id];
        self.write(locks, about, move |customers, connection| {
            Box::pin(customers.upsert_locked(connection, id, asked, change))
        })
    }

    async fn upsert_locked(
        &self,
        connection: &mut PgConnection,
        id: Option<CustomerId>,
        asked: MatchKeys,
        change: Change,
    ) -> Result<Upserted, WriteError> {
        let found = match id {
            Some(id) => Some(self.find_by_id(connection, id).await?),
            None if asked.is_empty() => None,
            None => self.find_by_keys(connection, &asked).await?,
        };
        match found {
            Some((customer, matched)) => self.update(connection, customer, matched, change).await,
            None => self.create(connection, change).await,
        }
    }

    /// The customer with this id, locked.
    pub(super) async fn find_by_id(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
    ) -> Result<(Customer, Match), WriteError> {
        let found = sqlx::query(AssertSqlSafe(FIND_BY_ID.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(id.as_uuid())
            .persistent(self.pool.keeps_statements())
            .fetch_optional(connection)
            .await?
            .ok_or(WriteError::NotFound)?;
        let matched = Match {
            by: MatchedBy::Id,
            also: None,
        };
        Ok((row::read(&found, 0)?, matched))
    }

    /// The first-created live customer with the phone, else with the e-mail, of `asked`, locked.
    async fn find_by_keys(
        &self,
        connection: &mut PgConnection,
        asked: &MatchKeys,
    ) -> Result<Option<(Customer, Match)>, StoreError> {
        for _ in 0..MOST_LOOK_UPS {
            let Some(found) = self.look_up(connection, asked).await? else {
                return Ok(None);
            };
            // While the look-up waited for the row, another transaction may have changed it: the
            // row is the newest, but the search that led to it is not, and is repeated then.
            if let Some(matched) = found.matched() {
                return Ok(Some((found.customer, matched)));
            }
        }
        Err(StoreError::Unavailable(sqlx::Error::Protocol(
            "a customer changed faster than it could be matched".to_owned(),
        )))
    }

    async fn look_up(
        &self,
        connection: &mut PgConnection,
        asked: &MatchKeys,
    ) -> Result<Option<Found>, StoreError> {
        let found = sqlx::query(AssertSqlSafe(FIND_BY_KEYS.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(asked.phone.as_ref().map(PhoneKey::as_str))
            .bind(asked.email.as_ref().map(EmailKey::as_str))
            .persistent(self.pool.keeps_statements())
            .fetch_optional(connection)
            .await?;
        found
            .map(|found| {
                Ok(Found {
                    by_phone: found.try_get::<Option<Uuid>, _>(0)?.map(CustomerId::from),
                    by_email: found.try_get::<Option<Uuid>, _>(1)?.map(CustomerId::from),
                    has_phone: found.try_get(2)?,
                    has_email: found.try_get(3)?,
                    customer: row::read(&found, 4)?,
                })
            })
            .transpose()
    }

    async fn create(
        &self,
        connection: &mut PgConnection,
        change: Change,
    ) -> Result<Upserted, WriteError> {
        let profile = Profile::default()
            .merge(change)
            .map_err(WriteError::Refused)?;
        let keys = MatchKeys::of(&profile, self.company.default_region);
        let id = CustomerId::generate();
        let query = sqlx::query(AssertSqlSafe(INSERT.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(id.as_uuid());
        let written = written::bind(query, &profile, &keys)
            .persistent(self.pool.keeps_statements())
            .fetch_one(connection)
            .await?;
        let created_at: DateTime<Utc> = written.try_get(0)?;
        Ok(Upserted {
            customer: Customer {
                id,
                created_at,
                archived_at: None,
                has_payment_method: false,
                profile,
            },
            outcome: Outcome::Created,
            matched: None,
        })
    }

    async fn update(
        &self,
        connection: &mut PgConnection,
        mut customer: Customer,
        matched: Match,
        change: Change,
    ) -> Result<Upserted, WriteError> {
        let profile = customer
            .profile
            .merge(change)
            .map_err(WriteError::Refused)?;
        let outcome = if profile == customer.profile {
            Outcome::Unchanged
        } else {
            self.write_profile(connection, customer.id, &profile)
                .await?;
            customer.profile = profile;
            Outcome::Updated
        };
        Ok(Upserted {
            customer,
            outcome,
            matched: Some(matched),
        })
    }

    async fn write_profile(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
        profile: &Profile,
    ) -> Result<(), StoreError> {
        let keys = MatchKeys::of(profile, self.company.default_region);
        let query = sqlx::query(AssertSqlSafe(UPDATE.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(id.as_uuid());
        written::bind(query, profile, &keys)
            .persistent(self.pool.keeps_statements())
            .execute(connection)
            .await?;
        Ok(())
    }
}
