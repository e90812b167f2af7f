//! The fields of a customer: one table, for the body, the replies and the groups of `expand`.

use serde_json::json;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaFormat, Type};

use super::schema::{AnySchema, NO_NUL, array, named_or_null, or_null, string};
use crate::domain::tags::MAX_TAGS;

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Id,
    Text(usize),
    Status,
    Tags,
    Flag,
}

/// A field of the body of an upsert.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    kind: Kind,
    about: &'static str,
    example: &'static str,
}

const fn field(
    name: &'static str,
    kind: Kind,
    about: &'static str,
    example: &'static str,
) -> Field {
    Field {
        name,
        kind,
        about,
        example,
    }
}

const SHORT: Kind = Kind::Text(255);

/// In documented order, but for `location`, which is the last of the body and not in the reply.
pub const FIELDS: [Field; 25] = [
    field("id", Kind::Id, "The customer to update", ""),
    field("first_name", SHORT, "", "Grace"),
    field("last_name", SHORT, "", "Hopper"),
    field("company_name", SHORT, "", "Hopper Gardens"),
    field(
        "email",
        SHORT,
        "An address with a dot in its domain",
        "grace@example.com",
    ),
    field(
        "phone",
        SHORT,
        "Anything with a digit in it",
        "+1 763-555-0177",
    ),
    field("notes", Kind::Text(10_000), "", "Gate code at the office"),
    field("source", SHORT, "Where the customer comes from", "website"),
    field("status", Kind::Status, "", ""),
    field(
        "tags",
        Kind::Tags,
        "Added to those there, never taken away",
        "",
    ),
    field("service_type", SHORT, "", "Lawn care"),
    field("service_frequency", SHORT, "", "Weekly"),
    field("billing_street1", SHORT, "", "1 Main St"),
    field("billing_street2", SHORT, "", "Suite 2"),
    field("billing_city", SHORT, "", "Minneapolis"),
    field("billing_state", SHORT, "", "MN"),
    field("billing_zip", SHORT, "", "55401"),
    field("billing_country", SHORT, "", "US"),
    field(
        "billing_same_as_property",
        Kind::Flag,
        "While true and no billing field has a value, replies show the property address as billing",
        "",
    ),
    field("property_street1", SHORT, "", "1 Main St"),
    field("property_street2", SHORT, "", "Suite 2"),
    field("property_city", SHORT, "", "Minneapolis"),
    field("property_state", SHORT, "", "MN"),
    field("property_zip", SHORT, "", "55401"),
    field("property_country", SHORT, "", "US"),
];

impl Field {
    /// Its schema; in both directions null stands for no value.
    pub fn or_null(&self) -> AnySchema {
        let about = (!self.about.is_empty()).then_some(self.about);
        let schema = match self.kind {
            Kind::Tags => return tags(about),
            Kind::Text(most) => nullable(Type::String)
                .max_length(Some(most))
                .pattern(Some(NO_NUL))
                .examples([json!(self.example)]),
            Kind::Id => {
                nullable(Type::String).format(Some(SchemaFormat::Custom("uuid".to_owned())))
            }
            Kind::Flag => nullable(Type::Boolean),
            Kind::Status => return named_or_null("CustomerStatus"),
        };
        schema.description(about).into()
    }
}

fn nullable(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(or_null(kind))
}

/// One tag.
pub fn tag() -> ObjectBuilder {
    string().max_length(Some(100)).pattern(Some(NO_NUL))
}

fn tags(about: Option<&str>) -> AnySchema {
    array(tag())
        .schema_type(or_null(Type::Array))
        .max_items(Some(MAX_TAGS))
        .description(about)
        .examples([json!(["vip"])])
        .into()
}

/// `[latitude, longitude]`, or null, in a reply: an array of numbers to generators of clients, which do
/// not all know what has its own schema for each place.
pub fn location() -> AnySchema {
    two(array(degrees(180.0))).into()
}

/// The same in a request, with the bounds of each.
pub fn sent_location() -> AnySchema {
    two(array(degrees(180.0)).prefix_items([degrees(90.0)])).into()
}

fn degrees(most: f64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(-most))
        .maximum(Some(most))
}

fn two(numbers: ArrayBuilder) -> ArrayBuilder {
    numbers
        .schema_type(or_null(Type::Array))
        .min_items(Some(2))
        .max_items(Some(2))
        .description(Some(
            "Latitude (-90 to 90) and longitude (-180 to 180) of the property",
        ))
        .examples([json!([44.9778, -93.265])])
}
