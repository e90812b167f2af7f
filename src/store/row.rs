//! A customer, read from its row.

use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row, Type};
use uuid::Uuid;

use crate::domain::address::AddressOf;
use crate::domain::customer::{Customer, Profile, Status};
use crate::domain::email::Email;
use crate::domain::location::Location;
use crate::domain::phone::Phone;
use crate::domain::tags::Tags;
use crate::domain::text::Text;

/// The columns of a customer `c`, in the order in which [`read`] takes them.
pub const COLUMNS: &str = "\
    c.id, c.created_at, c.archived_at, c.has_payment_method, \
    c.first_name, c.last_name, c.company_name, c.email, c.phone, c.notes, c.source, c.status, \
    c.tags, c.service_type, c.service_frequency, \
    c.billing_street1, c.billing_street2, c.billing_city, c.billing_state, c.billing_zip, \
    c.billing_country, c.billing_same_as_property, \
    c.property_street1, c.property_street2, c.property_city, c.property_state, c.property_zip, \
    c.property_country, c.latitude, c.longitude";

/// Reads the customer whose [`COLUMNS`] start at column `first`.
///
/// # Errors
/// When a column has not the type it should.
pub fn read(row: &PgRow, first: usize) -> Result<Customer, sqlx::Error> {
    let mut columns = Columns::new(row, first);
    Ok(Customer {
        id: columns.take::<Uuid>()?.into(),
        created_at: columns.take()?,
        archived_at: columns.take()?,
        has_payment_method: columns.take()?,
        profile: Profile {
            first_name: columns.text()?,
            last_name: columns.text()?,
            company_name: columns.text()?,
            email: columns.take::<Option<String>>()?.map(Email::from_stored),
            phone: columns.take::<Option<String>>()?.map(Phone::from_stored),
            notes: columns.text()?,
            source: columns.text()?,
            status: columns.status()?,
            tags: Tags::from_stored(columns.take()?),
            service_type: columns.text()?,
            service_frequency: columns.text()?,
            billing: columns.address_of(Columns::text)?,
            billing_same_as_property: columns.take()?,
            property: columns.address_of(Columns::text)?,
            location: columns.location()?,
        },
    })
}

/// Takes the columns of a row one after the other: a look-up by name for each of thirty columns of
/// a thousand rows is what a page of a thousand would spend its time on.
pub struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    /// The columns from `first` on.
    pub fn new(row: &'r PgRow, first: usize) -> Self {
        Self { row, next: first }
    }

    /// The next column, which is taken to have the type that the migrations gave it: to compare
    /// types for each of twenty columns of a thousand rows takes as long as to read them.
    pub fn take<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, sqlx::Error> {
        let value = self.row.try_get_unchecked(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The next column, as text.
    pub fn text<const MAX: usize>(&mut self) -> Result<Option<Text<MAX>>, sqlx::Error> {
        Ok(self.take::<Option<String>>()?.map(Text::from_stored))
    }

    /// The next column, as a status.
    pub fn status(&mut self) -> Result<Option<Status>, sqlx::Error> {
        self.take::<Option<&str>>()?
            .map(str::parse)
            .transpose()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }

    /// The next six columns, as the lines of an address.
    pub fn address_of<T>(
        &mut self,
        line: impl Fn(&mut Self) -> Result<T, sqlx::Error>,
    ) -> Result<AddressOf<T>, sqlx::Error> {
        Ok(AddressOf {
            street1: line(self)?,
            street2: line(self)?,
            city: line(self)?,
            state: line(self)?,
            zip: line(self)?,
            country: line(self)?,
        })
    }

    /// The next two columns, as a location.
    pub fn location(&mut self) -> Result<Option<Location>, sqlx::Error> {
        let latitude: Option<f64> = self.take()?;
        let longitude: Option<f64> = self.take()?;
        latitude
            .zip(longitude)
            .map(|(latitude, longitude)| Location::new(latitude, longitude))
            .transpose()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }
}
