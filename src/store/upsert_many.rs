//! Many upserts in one transaction: customers are read by sets, changed in memory, and written by
//! sets.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

use super::by_key::{BEGINNING, EMAIL_KEY, PHONE_KEY, next_by};
use super::row::{self, COLUMNS};
use super::transaction::Write;
use super::upsert::Upserted;
use super::written::{self, Many};
use super::{Customers, StoreError, locks};
use crate::domain::customer::{Customer, CustomerId};
use crate::domain::email::EmailKey;
use crate::domain::phone::PhoneKey;
use crate::domain::working_set::{Applied, Entry, Missing, Place, Refusal, Row, State, WorkingSet};

/// The first-created live customers with some phones and e-mails.
static FIRST_BY_KEYS: LazyLock<String> = LazyLock::new(|| {
    let first = |column, keys| {
        let next = next_by(column, "$1", "a.key", BEGINNING);
        format!(
            "select '{column}', a.key, c.id, c.created_at
            from unnest({keys}::text[]) as a (key)
            cross join lateral ({next}) as c
            where c.company_id = $1 and c.key = a.key"
        )
    };
    let (phones, emails) = (first(PHONE_KEY, "$2"), first(EMAIL_KEY, "$3"));
    format!("{phones} union all {emails}")
});

/// Before all customers.
const YEAR_ONE: DateTime<Utc> = DateTime::from_timestamp(-62_135_596_800, 0).unwrap();

/// The next live customer with a phone. Then served by `customers_pkey`.
static NEXT_BY_PHONE: LazyLock<String> = LazyLock::new(|| next_customer(PHONE_KEY));
/// Likewise with an e-mail.
static NEXT_BY_EMAIL: LazyLock<String> = LazyLock::new(|| next_customer(EMAIL_KEY));

fn next_customer(column: &str) -> String {
    format!(
        "select {COLUMNS} from ({}) as n
        join customers c on c.company_id = $1 and c.id = n.id
        where n.company_id = $1 and n.key = $2",
        next_by(column, "$1", "$2", "$3, $4")
    )
}

/// Served by `customers_pkey`. Not locked: nobody else of us writes meanwhile.
static BY_IDS: LazyLock<String> = LazyLock::new(|| {
    format!("select {COLUMNS} from customers c where c.company_id = $1 and c.id = any($2)")
});

/// In the order of the arrays, which is that of the rows.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "insert into customers (company_id, id, created_at, archived_at, {names})
        select $1, n.id, coalesce(n.created_at, clock_timestamp()), n.archived_at, {values}
        from unnest($2::uuid[], {arrays}, $33::timestamptz[], $34::timestamptz[])
            as n (id, {names}, created_at, archived_at)
        returning id, created_at",
        names = written::names(),
        values = written::from_arrays(),
        arrays = written::placeholders(3),
    )
});

/// Served by `customers_pkey`.
static UPDATE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "update customers c set ({names}, updated_at) = row ({values}, clock_timestamp())
        from unnest($2::uuid[], {arrays}) as n (id, {names})
        where c.company_id = $1 and c.id = n.id",
        names = written::names(),
        values = written::from_arrays(),
        arrays = written::placeholders(3),
    )
});

/// What came of each row, in the order of the rows.
pub type Results = Vec<Result<Upserted, Refusal>>;

impl Customers {
    /// Does the upserts of `rows` in order, as if they had been posted one after the other, in one
    /// transaction. A row that is refused does not hold up the others.
    ///
    /// # Errors
    /// When the database fails. Nothing is written then.
    pub fn upsert_many(&self, rows: Vec<Row>) -> Write<Results> {
        let about = |results: &Results| {
            let done = results.iter().flatten();
            done.map(|upserted| upserted.customer.id).collect()
        };
        let locks = locks::take_alone(self.company.id, self.pool.timeouts());
        self.write(locks, about, move |customers, connection| {
            Box::pin(async move { Ok(customers.do_all(connection, &rows).await?) })
        })
    }

    /// Reads, changes and writes in a transaction in which nobody else writes to the company.
    pub(super) async fn do_all(
        &self,
        connection: &mut PgConnection,
        rows: &[Row],
    ) -> Result<Results, StoreError> {
        let mut set = WorkingSet::new(self.company.default_region);
        let mut done = self.do_in(connection, &mut set, rows).await?;
        let created = self.write_all(connection, set.entries()).await?;
        for upserted in done.iter_mut().flatten() {
            if let Some(created_at) = created.get(&upserted.customer.id) {
                upserted.customer.created_at = *created_at;
            }
        }
        Ok(done)
    }

    /// Does the upserts upon the set, into which is taken whoever is wanted. Nothing is written.
    pub(super) async fn do_in(
        &self,
        connection: &mut PgConnection,
        set: &mut WorkingSet,
        rows: &[Row],
    ) -> Result<Results, StoreError> {
        self.take_all(connection, set, rows).await?;
        let mut done = Vec::with_capacity(rows.len());
        for row in rows {
            let applied = self.upsert_in(connection, set, row).await?;
            done.push(applied.map(|applied| snapshot(set, applied)));
        }
        Ok(done)
    }

    /// One upsert upon the set, into which is taken what it wants.
    async fn upsert_in(
        &self,
        connection: &mut PgConnection,
        set: &mut WorkingSet,
        row: &Row,
    ) -> Result<Result<Applied, Refusal>, StoreError> {
        loop {
            match set.upsert(row) {
                Ok(done) => return Ok(done),
                Err(missing) => self.take_next(connection, set, missing).await?,
            }
        }
    }

    /// Takes in whom the rows ask for, as far as that can be told before they are done.
    async fn take_all(
        &self,
        connection: &mut PgConnection,
        set: &mut WorkingSet,
        rows: &[Row],
    ) -> Result<(), StoreError> {
        let mut ids: HashSet<CustomerId> = rows.iter().filter_map(Row::id).collect();
        let (phones, emails) = asked(rows, set);
        let found = sqlx::query(AssertSqlSafe(FIRST_BY_KEYS.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(phones.iter().map(PhoneKey::as_str).collect::<Vec<_>>())
            .bind(emails.iter().map(EmailKey::as_str).collect::<Vec<_>>())
            .persistent(self.pool.keeps_statements())
            .fetch_all(&mut *connection)
            .await?;
        let mut places = HashMap::with_capacity(found.len());
        for row in &found {
            let place = Place {
                id: row.try_get::<Uuid, _>(2)?.into(),
                created_at: row.try_get(3)?,
            };
            ids.insert(place.id);
            places.insert(
                (row.try_get::<&str, _>(0)?, row.try_get::<&str, _>(1)?),
                place,
            );
        }
        ids.retain(|id| !set.knows(*id));
        self.take_by_ids(connection, set, ids).await?;
        for key in phones {
            let place = places.get(&(PHONE_KEY, key.as_str())).copied();
            set.take_phone(key, place);
        }
        for key in emails {
            let place = places.get(&(EMAIL_KEY, key.as_str())).copied();
            set.take_email(key, place);
        }
        Ok(())
    }

    async fn take_by_ids(
        &self,
        connection: &mut PgConnection,
        set: &mut WorkingSet,
        ids: HashSet<CustomerId>,
    ) -> Result<(), StoreError> {
        let wanted: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
        let customers = sqlx::query(AssertSqlSafe(BY_IDS.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(wanted)
            .persistent(self.pool.keeps_statements())
            .fetch_all(connection)
            .await?;
        for row in &customers {
            set.take(row::read(row, 0)?);
        }
        for id in ids {
            set.take_absence(id);
        }
        Ok(())
    }

    async fn take_next(
        &self,
        connection: &mut PgConnection,
        set: &mut WorkingSet,
        missing: Missing,
    ) -> Result<(), StoreError> {
        let (sql, key, after) = match &missing {
            Missing::Phone(key, after) => (NEXT_BY_PHONE.as_str(), key.as_str(), after),
            Missing::Email(key, after) => (NEXT_BY_EMAIL.as_str(), key.as_str(), after),
        };
        let after = after.unwrap_or(Place {
            created_at: YEAR_ONE,
            id: Uuid::nil().into(),
        });
        let row: Option<PgRow> = sqlx::query(AssertSqlSafe(sql))
            .bind(self.company.id.as_uuid())
            .bind(key)
            .bind(after.created_at)
            .bind(after.id.as_uuid())
            .persistent(self.pool.keeps_statements())
            .fetch_optional(connection)
            .await?;
        let customer: Option<Customer> = row.map(|row| row::read(&row, 0)).transpose()?;
        let place = customer.as_ref().map(Place::of);
        if let Some(customer) = customer {
            set.take(customer);
        }
        match missing {
            Missing::Phone(key, _) => set.take_phone(key, place),
            Missing::Email(key, _) => set.take_email(key, place),
        }
        Ok(())
    }

    /// Writes what is new and what has changed; the answer is when the new ones were created.
    async fn write_all(
        &self,
        connection: &mut PgConnection,
        entries: &[Entry],
    ) -> Result<HashMap<CustomerId, DateTime<Utc>>, StoreError> {
        let changed: Vec<&Entry> = of_state(entries, |state| state == State::Changed);
        if !changed.is_empty() {
            let arguments = self.arguments(&changed)?;
            sqlx::query_with(AssertSqlSafe(UPDATE.as_str()), arguments)
                .persistent(self.pool.keeps_statements())
                .execute(&mut *connection)
                .await?;
        }
        let new: Vec<&Entry> = of_state(entries, |state| matches!(state, State::New(_)));
        if new.is_empty() {
            return Ok(HashMap::new());
        }
        let mut arguments = self.arguments(&new)?;
        let created_at: Vec<Option<DateTime<Utc>>> = new
            .iter()
            .map(|entry| match entry.state {
                State::New(created_at) => created_at,
                State::Kept | State::Changed => None,
            })
            .collect();
        let archived_at: Vec<_> = new.iter().map(|entry| entry.customer.archived_at).collect();
        add(&mut arguments, created_at)?;
        add(&mut arguments, archived_at)?;
        let written = sqlx::query_with(AssertSqlSafe(INSERT.as_str()), arguments)
            .persistent(self.pool.keeps_statements())
            .fetch_all(connection)
            .await?;
        written
            .iter()
            .map(|row| Ok((row.try_get::<Uuid, _>(0)?.into(), row.try_get(1)?)))
            .collect()
    }

    fn arguments(&self, entries: &[&Entry]) -> Result<PgArguments, StoreError> {
        let mut arguments = PgArguments::default();
        add(&mut arguments, self.company.id.as_uuid())?;
        let ids: Vec<Uuid> = entries.iter().map(|e| e.customer.id.as_uuid()).collect();
        add(&mut arguments, ids)?;
        let customers = entries.iter().map(|e| (&e.customer.profile, &e.keys));
        Many::of(customers).add_to(&mut arguments)?;
        Ok(arguments)
    }
}

fn add<'q, T>(arguments: &mut PgArguments, value: T) -> Result<(), StoreError>
where
    T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    arguments
        .add(value)
        .map_err(|error| StoreError::Internal(sqlx::Error::Encode(error)))
}

fn of_state(entries: &[Entry], wanted: impl Fn(State) -> bool) -> Vec<&Entry> {
    entries.iter().filter(|entry| wanted(entry.state)).collect()
}

/// The keys by which the rows ask for customers, as far as they are not known yet.
fn asked(rows: &[Row], set: &WorkingSet) -> (HashSet<PhoneKey>, HashSet<EmailKey>) {
    let asked = || rows.iter().filter_map(Row::asked);
    let phones = asked().filter_map(|keys| keys.phone.clone());
    let emails = asked().filter_map(|keys| keys.email.clone());
    (
        phones.filter(|key| !set.knows_phone(key)).collect(),
        emails.filter(|key| !set.knows_email(key)).collect(),
    )
}

fn snapshot(set: &WorkingSet, applied: Applied) -> Upserted {
    Upserted {
        customer: set.entry(applied.entry).customer.clone(),
        outcome: applied.outcome,
        matched: applied.matched,
    }
}
