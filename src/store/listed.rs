//! A customer as lists show it, read from its row without a copy of its texts.

use std::borrow::Cow;

use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::row::Columns;
use crate::domain::customer::{Listed, ListedBilling, ListedService, ListedTimes};
use crate::domain::expand::Expand;

/// The columns of a customer `c` that every list shows.
const LISTED: &str = "\
    c.id, c.created_at, c.has_payment_method, \
    c.first_name, c.last_name, c.company_name, c.email, c.phone, c.notes, c.source, c.status, \
    c.tags, c.property_street1, c.property_street2, c.property_city, c.property_state, \
    c.property_zip, c.property_country, c.latitude, c.longitude";

const BILLING: &str = "\
    c.billing_street1, c.billing_street2, c.billing_city, c.billing_state, c.billing_zip, \
    c.billing_country, c.billing_same_as_property";

const SERVICE: &str = "c.service_type, c.service_frequency";

const TIMES: &str = "c.updated_at, c.archived_at";

/// The columns of a customer `c` that a list shows, in the order in which [`read`] takes them.
pub fn columns(expand: Expand) -> Cow<'static, str> {
    let mut columns = Cow::Borrowed(LISTED);
    // The property's lines are among those of every list.
    for (asked, group) in [
        (expand.billing, BILLING),
        (expand.service, SERVICE),
        (expand.times, TIMES),
    ] {
        if asked {
            columns.to_mut().push_str(", ");
            columns.to_mut().push_str(group);
        }
    }
    columns
}

/// Reads the customer whose [`columns`] start at column `first`.
///
/// # Errors
/// When a column has not the type it should.
pub fn read(row: &PgRow, first: usize, expand: Expand) -> Result<Listed<'_>, sqlx::Error> {
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
        billing: expand.billing.then(|| billing(&mut columns)).transpose()?,
        service: expand.service.then(|| service(&mut columns)).transpose()?,
        times: expand.times.then(|| times(&mut columns)).transpose()?,
    })
}

fn billing<'r>(columns: &mut Columns<'r>) -> Result<ListedBilling<'r>, sqlx::Error> {
    Ok(ListedBilling {
        address: columns.address_of(Columns::take)?,
        same_as_property: columns.take()?,
    })
}

fn service<'r>(columns: &mut Columns<'r>) -> Result<ListedService<'r>, sqlx::Error> {
    Ok(ListedService {
        service_type: columns.take()?,
        frequency: columns.take()?,
    })
}

fn times(columns: &mut Columns<'_>) -> Result<ListedTimes, sqlx::Error> {
    Ok(ListedTimes {
        updated_at: columns.take()?,
        archived_at: columns.take()?,
    })
}
