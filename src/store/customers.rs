//! One customer by its id.

use std::sync::LazyLock;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection};

use super::listed;
use super::{Customers, StoreError, WriteError};
use crate::domain::customer::{CustomerId, Listed};
use crate::domain::expand::Expand;

/// Served by `customers_pkey`.
static GET: LazyLock<String> = LazyLock::new(|| get(Expand::default()));

/// A customer that was found.
#[derive(Debug)]
pub struct FoundCustomer {
    row: PgRow,
    expand: Expand,
}

impl FoundCustomer {
    /// The customer.
    ///
    /// # Errors
    /// When a column has not the type it should.
    pub fn customer(&self) -> Result<Listed<'_>, StoreError> {
        Ok(listed::read(&self.row, 0, self.expand)?)
    }
}

impl Customers {
    /// The customer with this id, archived or not; none when this company has no such customer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(
        &self,
        id: CustomerId,
        expand: Expand,
    ) -> Result<Option<FoundCustomer>, StoreError> {
        self.pool
            .run(async |connection| self.find(connection, id, expand).await)
            .await
    }

    /// The same within a transaction, which sees what it has written.
    pub(super) async fn find_written(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
    ) -> Result<FoundCustomer, WriteError> {
        let found = self.find(connection, id, Expand::default()).await?;
        found.ok_or(WriteError::NotFound)
    }

    async fn find(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
        expand: Expand,
    ) -> Result<Option<FoundCustomer>, sqlx::Error> {
        let expanded = (!expand.is_nothing()).then(|| get(expand));
        let sql = expanded.as_deref().unwrap_or(GET.as_str());
        let found = sqlx::query(AssertSqlSafe(sql))
            .bind(self.company.id.as_uuid())
            .bind(id.as_uuid())
            .persistent(self.pool.keeps_statements())
            .fetch_optional(connection)
            .await?;
        Ok(found.map(|row| FoundCustomer { row, expand }))
    }
}

fn get(expand: Expand) -> String {
    format!(
        "select {} from customers c where c.company_id = $1 and c.id = $2",
        listed::columns(expand)
    )
}
