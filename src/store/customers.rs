//! One customer by its id.

use sqlx::AssertSqlSafe;

use super::{Customers, StoreError, row};
use crate::domain::customer::{Customer, CustomerId};

impl Customers {
    /// The customer with this id, archived or not; none when this company has no such customer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        // Served by customers_pkey.
        let sql = format!(
            "select {} from customers c where c.company_id = $1 and c.id = $2",
            row::COLUMNS
        );
        let found = sqlx::query(AssertSqlSafe(sql))
            .bind(self.company.id.as_uuid())
            .bind(id.as_uuid())
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.map(|found| row::read(&found, 0)).transpose()?)
    }
}
