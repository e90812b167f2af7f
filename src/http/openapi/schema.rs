//! The few kinds of values that the API knows.

use serde_json::{Value, json};
use utoipa::openapi::schema::{
    ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};

/// A schema or the name of one.
pub type AnySchema = RefOr<Schema>;

/// What all texts are: a NUL is refused.
pub const NO_NUL: &str = r"^[^\u0000]*$";

/// Of strings.
pub fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Of strings that may be absent.
pub fn string_or_null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(or_null(Type::String))
}

/// A type, or null.
pub fn or_null(kind: Type) -> SchemaType {
    SchemaType::from_iter([kind, Type::Null])
}

/// Of strings in a known form.
pub fn formatted(format: &str) -> ObjectBuilder {
    string().format(Some(SchemaFormat::Custom(format.to_owned())))
}

/// Of times, as replies have them.
pub fn time() -> ObjectBuilder {
    formatted("date-time").examples([json!("2026-11-23T15:07:54.661Z")])
}

/// Of ids.
pub fn uuid() -> ObjectBuilder {
    formatted("uuid").examples([json!("01a208f3-07a4-718b-95cd-4cdb14d55504")])
}

/// Of whole numbers in a range.
pub fn integer(least: i64, most: Option<i64>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least))
        .maximum(most)
}

/// Of `true` and `false`.
pub fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// Of one of a few strings.
pub fn one_of(values: &[&str]) -> ObjectBuilder {
    string()
        .enum_values::<Vec<Value>, Value>(Some(values.iter().map(|value| json!(value)).collect()))
}

/// Of arrays.
pub fn array(items: impl Into<AnySchema>) -> ArrayBuilder {
    ArrayBuilder::new().items(items.into())
}

/// A schema among the components.
pub fn named(name: &str) -> AnySchema {
    RefOr::Ref(Ref::from_schema_name(name))
}

/// A schema among the components, or null. Generators name a type after the component, and none after
/// each field of that type.
pub fn named_or_null(name: &str) -> AnySchema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(named(name)).item(null).into()
}

/// An object of which every named field is there.
pub fn object(fields: impl IntoIterator<Item = (&'static str, AnySchema)>) -> ObjectBuilder {
    fields.into_iter().fold(
        ObjectBuilder::new().schema_type(Type::Object),
        |object, (name, schema)| object.property(name, schema).required(name),
    )
}

/// What replies with something in them look like: it, and `status`.
pub fn envelope(data: impl Into<AnySchema>) -> ObjectBuilder {
    object([("data", data.into()), ("status", named("SuccessStatus"))])
}
