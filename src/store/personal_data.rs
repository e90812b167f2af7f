//! Everything that is kept about one customer.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::row::{self, COLUMNS};
use super::{Customers, StoreError};
use crate::domain::customer::{Customer, CustomerId};
use crate::domain::payment_method::PaymentMethod;

/// Served by `customers_pkey`.
static FIND: LazyLock<String> = LazyLock::new(|| {
    format!("select c.updated_at, {COLUMNS} from customers c where c.company_id = $1 and c.id = $2")
});

/// All of a customer.
pub struct PersonalData {
    /// The customer.
    pub customer: Customer,
    /// When it was last changed, by the database's clock.
    pub updated_at: DateTime<Utc>,
    /// Its payment methods, oldest first.
    pub payment_methods: Vec<PaymentMethod>,
}

impl Customers {
    /// Everything that is kept about a customer, archived or not; none when this company has no
    /// such customer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn personal_data(&self, id: CustomerId) -> Result<Option<PersonalData>, StoreError> {
        let mut connection = self.pool.get().await?;
        // Two queries, one snapshot.
        let begin = format!(
            "begin isolation level repeatable read read only; {}",
            self.pool.local_timeout()
        );
        let mut transaction = connection.begin_with(AssertSqlSafe(begin)).await?;
        let everything = self.read_all(&mut transaction, id).await?;
        transaction.commit().await?;
        connection.settle();
        Ok(everything)
    }

    async fn read_all(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
    ) -> Result<Option<PersonalData>, StoreError> {
        let found = sqlx::query(AssertSqlSafe(FIND.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(id.as_uuid())
            .persistent(self.pool.keeps_statements())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(found) = found else {
            return Ok(None);
        };
        let methods = self.list_payment_methods(connection, id).await?;
        Ok(Some(PersonalData {
            customer: row::read(&found, 1)?,
            updated_at: found.try_get(0)?,
            payment_methods: methods.unwrap_or_default(),
        }))
    }
}
