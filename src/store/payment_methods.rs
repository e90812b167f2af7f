//! Saved payment methods. Whether a customer has one is kept with the customer, under its lock.

use std::sync::LazyLock;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::Customers;
use super::error::{StoreError, WriteError};
use super::row::Columns;
use super::transaction::Write;
use crate::domain::FieldError;
use crate::domain::customer::CustomerId;
use crate::domain::payment_method::{
    Card, ExpiryMonth, ExpiryYear, Last4, MAX_PAYMENT_METHODS, NewPaymentMethod, PaymentMethod,
    PaymentMethodId, TooManyPaymentMethods,
};
use crate::domain::text::ShortText;

/// The columns of a payment method `p`, in the order in which [`read`] takes them.
const COLUMNS: &str =
    "p.id, p.provider, p.token, p.brand, p.last4, p.exp_month, p.exp_year, p.created_at";

/// Served by `customers_pkey` and the index of the unique constraint. A customer without payment
/// methods is one row of nulls, no customer is none.
static LIST: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {COLUMNS}
        from customers c
        left join payment_methods p on p.company_id = c.company_id and p.customer_id = c.id
        where c.company_id = $1 and c.id = $2
        order by p.created_at, p.id"
    )
});

/// Served by the index of the unique constraint.
static FIND: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {COLUMNS} from payment_methods p
        where p.company_id = $1 and p.customer_id = $2 and p.provider = $3 and p.token = $4"
    )
});

static SAVE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "insert into payment_methods as p
            (company_id, id, customer_id, provider, token, brand, last4, exp_month, exp_year)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (company_id, customer_id, provider, token) do update set
            brand = excluded.brand, last4 = excluded.last4,
            exp_month = excluded.exp_month, exp_year = excluded.exp_year
        returning {COLUMNS}"
    )
});

/// A payment method after it was saved.
pub struct Saved {
    /// The payment method as it is now.
    pub method: PaymentMethod,
    /// Whether it was not there before.
    pub is_new: bool,
}

impl Customers {
    /// The payment methods of a customer, oldest first; none when there is no such customer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payment_methods(
        &self,
        customer: CustomerId,
    ) -> Result<Option<Vec<PaymentMethod>>, StoreError> {
        self.pool
            .run(async |connection| self.list_payment_methods(connection, customer).await)
            .await
    }

    /// Saves a payment method of a customer; one with the same provider and token is updated.
    ///
    /// # Errors
    /// When there is no such customer, when it has too many already, or when the database fails.
    /// Nothing is written then.
    pub fn save_payment_method(&self, customer: CustomerId, new: NewPaymentMethod) -> Write<Saved> {
        self.write_one(customer, move |customers, connection| {
            Box::pin(customers.save_locked(connection, customer, new))
        })
    }

    /// Removes a payment method of a customer.
    ///
    /// # Errors
    /// When there is no such customer, or none with this payment method, or the database fails.
    pub fn remove_payment_method(
        &self,
        customer: CustomerId,
        method: PaymentMethodId,
    ) -> Write<()> {
        self.write_one(customer, move |customers, connection| {
            Box::pin(customers.remove_locked(connection, customer, method))
        })
    }

    /// The same as [`Self::payment_methods`], within a transaction.
    pub(super) async fn list_payment_methods(
        &self,
        connection: &mut PgConnection,
        customer: CustomerId,
    ) -> Result<Option<Vec<PaymentMethod>>, sqlx::Error> {
        let rows = sqlx::query(AssertSqlSafe(LIST.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(customer.as_uuid())
            .persistent(self.pool.keeps_statements())
            .fetch_all(connection)
            .await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut methods = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.try_get::<Option<Uuid>, _>(0)?.is_some() {
                methods.push(read(row)?);
            }
        }
        Ok(Some(methods))
    }

    async fn save_locked(
        &self,
        connection: &mut PgConnection,
        customer: CustomerId,
        new: NewPaymentMethod,
    ) -> Result<Saved, WriteError> {
        self.lock(connection, customer).await?;
        let known = self
            .find_payment_method(connection, customer, &new.provider, &new.token)
            .await?;
        let is_new = known.is_none();
        if is_new && self.count_payment_methods(connection, customer).await? >= MAX_PAYMENT_METHODS
        {
            return Err(WriteError::Refused(FieldError::new(
                "token",
                &TooManyPaymentMethods,
            )));
        }
        let card = known.map(|known| known.card).unwrap_or_default();
        let card = card.merge(new.card);
        let saved = sqlx::query(AssertSqlSafe(SAVE.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(PaymentMethodId::generate().as_uuid())
            .bind(customer.as_uuid())
            .bind(new.provider.as_str())
            .bind(new.token.as_str())
            .bind(card.brand.as_ref().map(ShortText::as_str))
            .bind(card.last4.as_ref().map(Last4::as_str))
            .bind(card.exp_month.map(ExpiryMonth::get))
            .bind(card.exp_year.map(ExpiryYear::get))
            .persistent(self.pool.keeps_statements())
            .fetch_one(&mut *connection)
            .await?;
        self.note_payment_methods(connection, customer).await?;
        Ok(Saved {
            method: read(&saved)?,
            is_new,
        })
    }

    async fn find_payment_method(
        &self,
        connection: &mut PgConnection,
        customer: CustomerId,
        provider: &ShortText,
        token: &ShortText,
    ) -> Result<Option<PaymentMethod>, StoreError> {
        let found = sqlx::query(AssertSqlSafe(FIND.as_str()))
            .bind(self.company.id.as_uuid())
            .bind(customer.as_uuid())
            .bind(provider.as_str())
            .bind(token.as_str())
            .persistent(self.pool.keeps_statements())
            .fetch_optional(connection)
            .await?;
        Ok(found.as_ref().map(read).transpose()?)
    }

    async fn count_payment_methods(
        &self,
        connection: &mut PgConnection,
        customer: CustomerId,
    ) -> Result<i64, StoreError> {
        // Served by the index of the unique constraint.
        let count = sqlx::query_scalar(
            "select count(*) from payment_methods where company_id = $1 and customer_id = $2",
        )
        .bind(self.company.id.as_uuid())
        .bind(customer.as_uuid())
        .persistent(self.pool.keeps_statements())
        .fetch_one(connection)
        .await?;
        Ok(count)
    }

    async fn remove_locked(
        &self,
        connection: &mut PgConnection,
        customer: CustomerId,
        method: PaymentMethodId,
    ) -> Result<(), WriteError> {
        self.lock(connection, customer).await?;
        // Served by payment_methods_pkey.
        let done = sqlx::query(
            "delete from payment_methods where company_id = $1 and customer_id = $2 and id = $3",
        )
        .bind(self.company.id.as_uuid())
        .bind(customer.as_uuid())
        .bind(method.as_uuid())
        .persistent(self.pool.keeps_statements())
        .execute(&mut *connection)
        .await?;
        if done.rows_affected() == 0 {
            return Err(WriteError::NotFound);
        }
        self.note_payment_methods(connection, customer).await?;
        Ok(())
    }

    /// Notes with a customer, which is locked, whether it has payment methods.
    async fn note_payment_methods(
        &self,
        connection: &mut PgConnection,
        customer: CustomerId,
    ) -> Result<(), StoreError> {
        // Served by customers_pkey and the index of the unique constraint.
        sqlx::query(
            "update customers c
            set has_payment_method = not c.has_payment_method, updated_at = clock_timestamp()
            where c.company_id = $1 and c.id = $2
                and c.has_payment_method <> exists (
                    select from payment_methods p
                    where p.company_id = c.company_id and p.customer_id = c.id
                )",
        )
        .bind(self.company.id.as_uuid())
        .bind(customer.as_uuid())
        .persistent(self.pool.keeps_statements())
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Reads a payment method from its [`COLUMNS`].
fn read(row: &PgRow) -> Result<PaymentMethod, sqlx::Error> {
    let mut columns = Columns::new(row, 0);
    Ok(PaymentMethod {
        id: columns.take::<Uuid>()?.into(),
        provider: ShortText::from_stored(columns.take()?),
        token: ShortText::from_stored(columns.take()?),
        card: Card {
            brand: columns.text()?,
            last4: columns.take::<Option<String>>()?.map(Last4::from_stored),
            exp_month: columns.take::<Option<i16>>()?.map(ExpiryMonth::from_stored),
            exp_year: columns.take::<Option<i16>>()?.map(ExpiryYear::from_stored),
        },
        created_at: columns.take()?,
    })
}
