//! Customers put away, brought back, and erased.

use std::sync::LazyLock;

use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::Customers;
use super::customers::FoundCustomer;
use super::error::{StoreError, WriteError};
use super::transaction::Write;
use crate::domain::audit::{Action, Actor};
use crate::domain::customer::CustomerId;

/// Served by `customers_pkey`, `customers_by_phone` and `customers_by_email`.
static ALSO_MATCHES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select coalesce(({}), ({}))
        from customers c
        where c.company_id = $1 and c.id = $2",
        first_other("phone_key"),
        first_other("email_key")
    )
});

/// The first-created other live customer with the same key as `c`. All of them are found before they
/// are sorted: Postgres may take `customers_newest` to be as good for the first one alone, and walk
/// all customers of the company, as long as it has not seen how many different keys there are.
fn first_other(key: &str) -> String {
    format!(
        "select o.id
        from (
            select created_at, id from customers
            where company_id = c.company_id and {key} = c.{key} and archived_at is null
                and id <> c.id
            offset 0
        ) as o
        order by o.created_at, o.id
        limit 1"
    )
}

/// A customer that is live again.
#[derive(Debug)]
pub struct Restored {
    /// The customer.
    pub customer: FoundCustomer,
    /// The first-created other live customer with its phone, else with its e-mail.
    pub also_matches: Option<CustomerId>,
}

impl Customers {
    /// Archives a customer; one that is archived stays as it is.
    ///
    /// # Errors
    /// When there is no such customer, or the database fails.
    pub fn archive(&self, id: CustomerId) -> Write<FoundCustomer> {
        self.write_one(id, move |customers, connection| {
            Box::pin(async move {
                // Served by customers_pkey.
                let archive = "update customers
                    set archived_at = clock_timestamp(), updated_at = clock_timestamp()
                    where company_id = $1 and id = $2 and archived_at is null";
                customers.execute(connection, archive, id).await?;
                customers.find_written(connection, id).await
            })
        })
    }

    /// Makes a customer live again; one that is live stays as it is.
    ///
    /// Alone, if there is such a customer, even one that is live: a post about its phone must not slip
    /// between the look at who has that phone and the commit, and create a customer that this answer
    /// does not name.
    ///
    /// # Errors
    /// When there is no such customer, or the database fails.
    pub async fn restore(&self, id: CustomerId) -> Result<Write<Restored>, WriteError> {
        if !self.is_there(id).await? {
            return Err(WriteError::NotFound);
        }
        Ok(self.write_alone(id, move |customers, connection| {
            Box::pin(async move {
                // Served by customers_pkey.
                let restore = "update customers
                    set archived_at = null, updated_at = clock_timestamp()
                    where company_id = $1 and id = $2 and archived_at is not null";
                customers.execute(connection, restore, id).await?;
                Ok(Restored {
                    customer: customers.find_written(connection, id).await?,
                    also_matches: customers.also_matches(connection, id).await?,
                })
            })
        }))
    }

    /// Erases a customer with all that is kept about it, and notes who did.
    ///
    /// Alone, if there is such a customer: a post that found it and waits for its row would take its
    /// absence for that of anybody with the phone.
    ///
    /// # Errors
    /// When there is no such customer, or the database fails.
    pub async fn erase(&self, id: CustomerId, by: Actor) -> Result<(), WriteError> {
        if !self.is_there(id).await? {
            return Err(WriteError::NotFound);
        }
        self.write_alone(id, move |customers, connection| {
            Box::pin(async move {
                // Served by customers_pkey; what refers to the customer goes with it.
                let erase = "delete from customers where company_id = $1 and id = $2";
                if customers.execute(&mut *connection, erase, id).await? == 0 {
                    return Err(WriteError::NotFound);
                }
                customers.erase_replies(&mut *connection, id).await?;
                let noted = customers.note(connection, &by, Action::CustomerErased, id);
                Ok(noted.await?)
            })
        })
        .await
    }

    /// Whether there is such a customer.
    async fn is_there(&self, id: CustomerId) -> Result<bool, StoreError> {
        // Served by customers_pkey.
        let query = sqlx::query_scalar(
            "select exists (select from customers where company_id = $1 and id = $2)",
        )
        .bind(self.company.id.as_uuid())
        .bind(id.as_uuid())
        .persistent(self.pool.keeps_statements());
        self.pool
            .run(async |connection| query.fetch_one(connection).await)
            .await
    }

    /// Executes a statement about the company `$1` and the customer `$2`; the answer is how many
    /// rows were written.
    async fn execute(
        &self,
        connection: &mut PgConnection,
        statement: &'static str,
        id: CustomerId,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(statement)
            .bind(self.company.id.as_uuid())
            .bind(id.as_uuid())
            .persistent(self.pool.keeps_statements())
            .execute(connection)
            .await?;
        Ok(done.rows_affected())
    }

    async fn also_matches(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
    ) -> Result<Option<CustomerId>, StoreError> {
        let found = sqlx::query(AssertSqlSafe(ALSO_MATCHES.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(id.as_uuid())
            .persistent(self.pool.keeps_statements())
            .fetch_one(connection)
            .await?;
        Ok(found.try_get::<Option<Uuid>, _>(0)?.map(CustomerId::from))
    }
}
