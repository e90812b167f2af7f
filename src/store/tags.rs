//! Tags put on and taken away.

use sqlx::PgConnection;

use super::error::{StoreError, WriteError};
use super::transaction::Write;
use super::{Customers, Upserted};
use crate::domain::customer::CustomerId;
use crate::domain::matching::Outcome;
use crate::domain::tags::Tags;

impl Customers {
    /// Takes the tags `removed` from a customer, and then puts those `added` on.
    ///
    /// # Errors
    /// When there is no such customer, when it would carry more tags than it may, or when the
    /// database fails. Nothing is written then.
    pub fn retag(&self, id: CustomerId, removed: Tags, added: Tags) -> Write<Upserted> {
        self.write_one(id, move |customers, connection| {
            Box::pin(customers.retag_locked(connection, id, removed, added))
        })
    }

    async fn retag_locked(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
        removed: Tags,
        added: Tags,
    ) -> Result<Upserted, WriteError> {
        let (mut customer, _) = self.find_by_id(connection, id).await?;
        let profile = customer
            .profile
            .retag(&removed, added)
            .map_err(WriteError::Refused)?;
        let outcome = if profile == customer.profile {
            Outcome::Unchanged
        } else {
            self.write_tags(connection, id, &profile.tags).await?;
            customer.profile = profile;
            Outcome::Updated
        };
        Ok(Upserted {
            customer,
            outcome,
            matched: None,
        })
    }

    async fn write_tags(
        &self,
        connection: &mut PgConnection,
        id: CustomerId,
        tags: &Tags,
    ) -> Result<(), StoreError> {
        let tags: Vec<&str> = tags.iter().collect();
        // Served by customers_pkey.
        sqlx::query(
            "update customers set tags = $3, updated_at = clock_timestamp()
            where company_id = $1 and id = $2",
        )
        .bind(self.company.id.as_uuid())
        .bind(id.as_uuid())
        .bind(tags)
        .persistent(self.pool.keeps_statements())
        .execute(connection)
        .await?;
        Ok(())
    }
}
