//! One customer by its id.

use std::sync::LazyLock;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection};

use super::listed::{self, LISTED};
use super::{Customers, StoreError, UpsertError};
use crate::domain::customer::{CustomerId, Listed};

/// Served by `customers_pkey`.
static GET: LazyLock<String> = LazyLock::new(|| {
    format!("select {LISTED} from customers c where c.company_id = $1 and c.id = $2")
});

/// A customer that was found.
#[derive(Debug)]
pub struct FoundCustomer(PgRow);

impl FoundCustomer {
    /// The customer.
    ///
    /// # Errors
    /// When a column has not the type it should.
    pub fn customer(&self) -> Result<Listed<'_>, StoreError> {
        Ok(listed::read(&self.0, 0)?)
    }
}

impl Customers {
    /// The customer with this id, archived or not; none when this company has no such customer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, id: CustomerId) -> Result<Option<FoundCustomer>, StoreError> {
        self.pool
            .run(async |connection| self.find(connection, id).await)
            .await
    }

    /// The same within a transaction, which sees what it has written.
    pub(super) async fn find_written(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
    ) -> Result<FoundCustomer, UpsertError> {
        let found = self.find(connection, id).await?;
        found.ok_or(UpsertError::NotFound)
    }

    async fn find(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
    ) -> Result<Option<FoundCustomer>, sqlx::Error> {
        let found = sqlx::query(AssertSqlSafe(GET.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(id.as_uuid())
            .persistent(self.pool.keeps_statements())
            .fetch_optional(connection)
            .await?;
        Ok(found.map(FoundCustomer))
    }
}
