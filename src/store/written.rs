//! What is written of a customer: the columns, and their values for one customer or for many.

use std::borrow::Cow;

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Arguments, Postgres};

use super::StoreError;
use crate::domain::customer::{Profile, Status};
use crate::domain::email::{Email, EmailKey};
use crate::domain::location::Location;
use crate::domain::matching::{MatchKeys, RULES_VERSION};
use crate::domain::phone::{Phone, PhoneKey};
use crate::domain::search::search_text;
use crate::domain::tags::Tags;
use crate::domain::text::Text;

/// How many columns there are.
const COLUMNS: usize = 30;

/// The columns that are written, in the order of [`values`].
const NAMES: [&str; COLUMNS] = [
    "first_name",
    "last_name",
    "company_name",
    "email",
    "phone",
    "notes",
    "source",
    "status",
    TAGS,
    "service_type",
    "service_frequency",
    "billing_street1",
    "billing_street2",
    "billing_city",
    "billing_state",
    "billing_zip",
    "billing_country",
    "billing_same_as_property",
    "property_street1",
    "property_street2",
    "property_city",
    "property_state",
    "property_zip",
    "property_country",
    "latitude",
    "longitude",
    "phone_key",
    "email_key",
    "search_text",
    "rules_version",
];
const TAGS: &str = "tags";

/// The value of a column.
enum Value<'a> {
    Text(Option<Cow<'a, str>>),
    Tags(&'a Tags),
    Boolean(Option<bool>),
    Degrees(Option<f64>),
    Version(i16),
}

/// The values of a column for many customers.
enum Column {
    Text(Vec<Option<String>>),
    Boolean(Vec<Option<bool>>),
    Degrees(Vec<Option<f64>>),
    Version(Vec<i16>),
}

/// The values of all columns for many customers.
pub struct Many(Vec<Column>);

/// The columns as a list.
pub fn names() -> String {
    NAMES.join(", ")
}

/// Placeholders for their values, from `$first` on.
pub fn placeholders(first: usize) -> String {
    let all: Vec<String> = (first..first + COLUMNS).map(|n| format!("${n}")).collect();
    all.join(", ")
}

/// Binds the values for one customer.
pub fn bind<'q>(
    query: Query<'q, Postgres, PgArguments>,
    profile: &'q Profile,
    keys: &'q MatchKeys,
) -> Query<'q, Postgres, PgArguments> {
    values(profile, keys)
        .into_iter()
        .fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Tags(tags) => query.bind(tags.iter().collect::<Vec<_>>()),
            Value::Boolean(boolean) => query.bind(boolean),
            Value::Degrees(degrees) => query.bind(degrees),
            Value::Version(version) => query.bind(version),
        })
}

impl Many {
    /// The values for all of `customers`.
    pub fn of<'a>(customers: impl Iterator<Item = (&'a Profile, &'a MatchKeys)>) -> Self {
        let mut columns: Vec<Column> = Vec::with_capacity(COLUMNS);
        for (profile, keys) in customers {
            let values = values(profile, keys);
            if columns.is_empty() {
                columns.extend(values.iter().map(Column::for_such));
            }
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        Self(columns)
    }

    /// Adds them as arrays, one a column.
    ///
    /// # Errors
    /// When they cannot be encoded.
    pub fn add_to(self, arguments: &mut PgArguments) -> Result<(), StoreError> {
        for column in self.0 {
            match column {
                Column::Text(texts) => arguments.add(texts),
                Column::Boolean(booleans) => arguments.add(booleans),
                Column::Degrees(degrees) => arguments.add(degrees),
                Column::Version(versions) => arguments.add(versions),
            }
            .map_err(|error| StoreError::Internal(sqlx::Error::Encode(error)))?;
        }
        Ok(())
    }
}

/// Their values as columns of a table `n` that was made of such arrays.
pub fn from_arrays() -> String {
    let columns = NAMES.map(|name| match name {
        // Arrays of arrays must all be of one length; so each is the text of one.
        TAGS => format!("n.{TAGS}::text[]"),
        name => format!("n.{name}"),
    });
    columns.join(", ")
}

impl Column {
    fn for_such(value: &Value) -> Self {
        match value {
            Value::Text(_) | Value::Tags(_) => Self::Text(Vec::new()),
            Value::Boolean(_) => Self::Boolean(Vec::new()),
            Value::Degrees(_) => Self::Degrees(Vec::new()),
            Value::Version(_) => Self::Version(Vec::new()),
        }
    }

    /// A column has values of one kind only: those of one place in [`values`].
    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Text(column), Value::Text(text)) => column.push(text.map(Cow::into_owned)),
            (Self::Text(column), Value::Tags(tags)) => column.push(Some(array(tags))),
            (Self::Boolean(column), Value::Boolean(boolean)) => column.push(boolean),
            (Self::Degrees(column), Value::Degrees(degrees)) => column.push(degrees),
            (Self::Version(column), Value::Version(version)) => column.push(version),
            (Self::Text(_) | Self::Boolean(_) | Self::Degrees(_) | Self::Version(_), _) => {}
        }
    }
}

fn values<'a>(profile: &'a Profile, keys: &'a MatchKeys) -> [Value<'a>; COLUMNS] {
    let [b1, b2, b3, b4, b5, b6] = profile.billing.lines().map(borrowed);
    let [p1, p2, p3, p4, p5, p6] = profile.property.lines().map(borrowed);
    [
        text(profile.first_name.as_ref()),
        text(profile.last_name.as_ref()),
        text(profile.company_name.as_ref()),
        borrowed(profile.email.as_ref().map(Email::as_str)),
        borrowed(profile.phone.as_ref().map(Phone::as_str)),
        text(profile.notes.as_ref()),
        text(profile.source.as_ref()),
        borrowed(profile.status.map(Status::as_str)),
        Value::Tags(&profile.tags),
        text(profile.service_type.as_ref()),
        text(profile.service_frequency.as_ref()),
        b1,
        b2,
        b3,
        b4,
        b5,
        b6,
        Value::Boolean(profile.billing_same_as_property),
        p1,
        p2,
        p3,
        p4,
        p5,
        p6,
        Value::Degrees(profile.location.map(Location::latitude)),
        Value::Degrees(profile.location.map(Location::longitude)),
        borrowed(keys.phone.as_ref().map(PhoneKey::as_str)),
        borrowed(keys.email.as_ref().map(EmailKey::as_str)),
        Value::Text(Some(search_text(profile, keys).into())),
        Value::Version(RULES_VERSION),
    ]
}

fn text<const MAX: usize>(text: Option<&Text<MAX>>) -> Value<'_> {
    borrowed(text.map(Text::as_str))
}

fn borrowed(text: Option<&str>) -> Value<'_> {
    Value::Text(text.map(Cow::Borrowed))
}

/// Tags as Postgres writes an array.
/// See <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>.
fn array(tags: &Tags) -> String {
    let quoted: Vec<String> = tags
        .iter()
        .map(|tag| format!("\"{}\"", tag.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    format!("{{{}}}", quoted.join(","))
}
