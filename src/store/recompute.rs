//! Making match keys and search text anew, after an upgrade that changed their rules.

use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use super::companies::company;
use super::{Customers, Store, StoreError, locks, row};
use crate::domain::customer::Customer;
use crate::domain::matching::{MatchKeys, RULES_VERSION};
use crate::domain::search::search_text;

/// Customers in one transaction: short enough that no upsert waits for long.
const BATCH: i64 = 500;

impl Store {
    /// Makes match keys and search text anew wherever an older version of the rules made them; the
    /// answer is for how many customers. It may be interrupted and run again.
    ///
    /// # Errors
    /// When the database fails; what was done until then stays.
    pub async fn recompute(&self) -> Result<u64, StoreError> {
        let mut done = 0;
        for summary in self.companies().await? {
            let company = company(summary.id, &summary.default_region)?;
            done += self.customers(company).recompute().await?;
        }
        Ok(done)
    }
}

impl Customers {
    async fn recompute(&self) -> Result<u64, StoreError> {
        let mut done = 0;
        let mut after = Uuid::nil();
        while let Some((last, written)) = self.recompute_batch(after).await? {
            after = last;
            done += written;
        }
        Ok(done)
    }

    /// The next customers behind the id `after`: the last one's id, and how many were written.
    async fn recompute_batch(&self, after: Uuid) -> Result<Option<(Uuid, u64)>, StoreError> {
        let mut connection = self.pool.get().await?;
        // It waits as long as it takes: nobody waits for it.
        let mut transaction = connection
            .begin_with("begin; set local statement_timeout = 0")
            .await?;
        // Alone: a key must not change hands between the look-up of an upsert and its write.
        sqlx::query(AssertSqlSafe(locks::alone(self.company.id)))
            .persistent(self.pool.keeps_statements())
            .execute(&mut *transaction)
            .await?;
        // Served by customers_pkey.
        let sql = format!(
            "select {} from customers c
            where c.company_id = $1 and c.id > $2 and c.rules_version < $3
            order by c.id
            limit $4
            for update of c",
            row::COLUMNS
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(self.company.id.as_uuid())
            .bind(after)
            .bind(RULES_VERSION)
            .bind(BATCH)
            .persistent(self.pool.keeps_statements())
            .fetch_all(&mut *transaction)
            .await?;
        let customers: Vec<Customer> = rows
            .iter()
            .map(|found| row::read(found, 0))
            .collect::<Result<_, _>>()?;
        let Some(last) = customers.last().map(|customer| customer.id.as_uuid()) else {
            return Ok(None);
        };
        let mut ids: Vec<Uuid> = Vec::with_capacity(customers.len());
        let mut phones = Vec::with_capacity(customers.len());
        let mut emails = Vec::with_capacity(customers.len());
        let mut texts = Vec::with_capacity(customers.len());
        for customer in &customers {
            let keys = MatchKeys::of(&customer.profile, self.company.default_region);
            texts.push(search_text(&customer.profile, &keys));
            ids.push(customer.id.as_uuid());
            phones.push(keys.phone.map(|key| key.as_str().to_owned()));
            emails.push(keys.email.map(|key| key.as_str().to_owned()));
        }
        // Served by customers_pkey.
        let written = sqlx::query(
            "update customers c
            set phone_key = n.phone_key, email_key = n.email_key,
                search_text = n.search_text, rules_version = $6
            from unnest($2::uuid[], $3::text[], $4::text[], $5::text[])
                as n (id, phone_key, email_key, search_text)
            where c.company_id = $1 and c.id = n.id",
        )
        .bind(self.company.id.as_uuid())
        .bind(ids)
        .bind(phones)
        .bind(emails)
        .bind(texts)
        .bind(RULES_VERSION)
        .persistent(self.pool.keeps_statements())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        connection.settle();
        Ok(Some((last, written.rows_affected())))
    }
}
