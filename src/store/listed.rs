//! A customer as lists show it, read from its row without a copy of its texts.

use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::row::Columns;
use crate::domain::customer::Listed;

/// The columns of a customer `c` that lists show, in the order in which [`read`] takes them.
pub const LISTED: &str = "\
    c.id, c.created_at, c.has_payment_method, \
    c.first_name, c.last_name, c.company_name, c.email, c.phone, c.notes, c.source, c.status, \
    c.tags, c.property_street1, c.property_street2, c.property_city, c.property_state, \
    c.property_zip, c.property_country, c.latitude, c.longitude";

/// Reads the customer whose [`LISTED`] columns start at column `first`.
///
/// # Errors
/// When a column has not the type it should.
pub fn read(row: &PgRow, first: usize) -> Result<Listed<'_>, sqlx::Error> {
    let mut columns = Columns::new(row, first);
    Ok(Listed {
        id: columns.take::<Uuid>()?.into(),
        created_at: columns.take()?,
        has_payment_method: columns.take()?,
        first_name: columns.take()?,
        last_name: columns.take()?,
        company_name: columns.take()?,
        email: columns.take()?,
        phone: columns.take()?,
        notes: columns.take()?,
        source: columns.take()?,
        status: columns.status()?,
        tags: columns.take()?,
        property: columns.address_of(Columns::take)?,
        location: columns.location()?,
    })
}
