//! The bodies of requests and of the replies to those that were served.

use serde_json::json;
use utoipa::openapi::Components;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::fields::{FIELDS, location, sent_location, tag};
use super::schema::{
    AnySchema, NO_NUL, array, boolean, envelope, formatted, integer, named, named_or_null, object,
    one_of, or_null, string, string_or_null, time, uuid,
};
use crate::domain::key::Scope;
use crate::domain::tags::MAX_TAGS;
use crate::http::API_VERSION;

/// Adds all of them.
pub fn add_to(components: &mut Components) {
    let schemas: [(&str, AnySchema); 23] = [
        ("CustomerStatus", one_of(&["active", "inactive"]).into()),
        ("SuccessStatus", one_of(&["success"]).into()),
        ("ApiVersion", one_of(&[API_VERSION]).into()),
        ("Address", address()),
        ("Pagination", pagination()),
        ("MatchedBy", one_of(&["id", "phone", "email"]).into()),
        ("BatchSummary", batch_summary()),
        ("CustomerBody", customer_body()),
        ("Customer", customer()),
        ("CustomerItem", item()),
        ("CustomerItemReply", envelope(named("CustomerItem")).into()),
        ("CustomerList", list()),
        ("BatchBody", batch_body()),
        ("BatchReply", batch_reply()),
        ("BatchRow", batch_row()),
        ("TagsBody", tags_body()),
        ("PersonalData", envelope(personal_data()).into()),
        ("PaymentMethodBody", payment_method_body()),
        ("PaymentMethod", payment_method()),
        (
            "PaymentMethodReply",
            envelope(named("PaymentMethod")).into(),
        ),
        (
            "PaymentMethodList",
            envelope(array(named("PaymentMethod"))).into(),
        ),
        ("AuthTest", auth_test()),
        (
            "Health",
            object([("status", one_of(&["live", "ready"]).into())]).into(),
        ),
    ];
    for (name, schema) in schemas {
        components.schemas.insert(name.to_owned(), schema);
    }
}

fn customer_body() -> AnySchema {
    let empty = ObjectBuilder::new().schema_type(Type::Object);
    FIELDS
        .iter()
        .fold(empty, |body, field| {
            body.property(field.name, field.or_null())
        })
        .property("location", sent_location())
        .description(Some(
            "All fields are optional. One that is absent or blank stays as it is, null clears it; \
             unknown ones are ignored. Strings are trimmed.",
        ))
        .examples([json!({
            "first_name": "Grace",
            "last_name": "Hopper",
            "email": "grace@example.com",
            "phone": "+1 763-555-0177",
            "tags": ["vip"]
        })])
        .into()
}

/// Every field, absent ones null.
fn all_fields() -> ObjectBuilder {
    let fields = FIELDS.iter().skip(1);
    object(
        [("id", uuid().into())]
            .into_iter()
            .chain(fields.map(|field| (field.name, field.or_null()))),
    )
}

fn customer() -> AnySchema {
    all_fields()
        .property("created_at", time())
        .required("created_at")
        .property(
            "message",
            one_of(&[
                "Customer created successfully",
                "Customer updated successfully",
            ]),
        )
        .required("message")
        .into()
}

fn item() -> AnySchema {
    let known = |name| (name, string().into());
    let plain: [(&str, AnySchema); 7] = [
        ("address", named("Address")),
        known("company_name"),
        known("email"),
        known("first_name"),
        known("last_name"),
        known("phone"),
        known("source"),
    ];
    let always: [(&str, AnySchema); 6] = [
        ("id", uuid().into()),
        ("created_at", time().into()),
        ("has_payment_method", boolean().into()),
        ("location", location()),
        ("notes", string_or_null().into()),
        (
            "tags",
            array(string()).schema_type(or_null(Type::Array)).into(),
        ),
    ];
    let item = plain
        .into_iter()
        .fold(object(always), |item, (name, schema)| {
            item.property(name, schema)
        })
        .property("status", named("CustomerStatus"))
        .property("updated_at", time())
        .property("archived_at", time_or_null());
    // The groups of `expand`: service, billing and property are the last in the table.
    FIELDS
        .iter()
        .skip_while(|field| field.name != "service_type")
        .fold(item, |item, field| {
            item.property(field.name, field.or_null())
        })
        .description(Some(
            "What has no value is left out, but for the fields that may be null. The fields of \
             service, billing and property, `updated_at` and `archived_at` are there when `expand` \
             asks for them.",
        ))
        .into()
}

fn address() -> AnySchema {
    let line = |name| (name, string().into());
    object([
        line("city"),
        line("country"),
        line("state"),
        line("street1"),
        ("street2", string_or_null().into()),
        line("zip"),
    ])
    .description(Some("The property's; lines that are not known are blank"))
    .into()
}

fn list() -> AnySchema {
    envelope(array(named("CustomerItem")))
        .property("pagination", named("Pagination"))
        .required("pagination")
        .into()
}

fn pagination() -> AnySchema {
    object([
        ("has_more", boolean().into()),
        ("limit", integer(1, Some(1000)).into()),
        ("page", integer(1, None).into()),
        ("total", integer(0, None).description(Some("Exact")).into()),
    ])
    .property(
        "next_cursor",
        string_or_null().description(Some(
            "In a walk: where it goes on, null at its end; absent without `cursor`",
        )),
    )
    .into()
}

fn batch_body() -> AnySchema {
    let rows = array(named("CustomerBody"))
        .min_items(Some(1))
        .max_items(Some(1000));
    object([("customers", rows.into())])
        .examples([json!({"customers": [{"first_name": "Grace"}, {"first_name": "Ada"}]})])
        .into()
}

fn batch_reply() -> AnySchema {
    object([
        ("results", array(named("BatchRow")).into()),
        ("summary", named("BatchSummary")),
        ("status", named("SuccessStatus")),
    ])
    .into()
}

fn batch_summary() -> AnySchema {
    let count = || integer(0, Some(1000)).into();
    object([
        ("total", count()),
        ("created", count()),
        ("updated", count()),
        ("unchanged", count()),
        ("refused", count()),
    ])
    .into()
}

fn batch_row() -> AnySchema {
    object([
        ("index", integer(0, Some(999)).into()),
        (
            "status",
            integer(200, Some(404))
                .description(Some("What the post alone would be answered with"))
                .into(),
        ),
        (
            "outcome",
            one_of(&["created", "updated", "unchanged", "refused"]).into(),
        ),
        ("matched_by", named_or_null("MatchedBy")),
    ])
    .property("also_matches", uuid())
    .property("customer", named("Customer"))
    .property("errors", array(named("FieldError")))
    .into()
}

fn tags_body() -> AnySchema {
    let tags = || {
        array(tag())
            .schema_type(or_null(Type::Array))
            .max_items(Some(MAX_TAGS))
    };
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("add", tags())
        .property("remove", tags())
        .examples([json!({"add": ["vip"], "remove": ["lead"]})])
        .into()
}

fn personal_data() -> AnySchema {
    let more: [(&str, AnySchema); 6] = [
        ("location", location()),
        ("created_at", time().into()),
        ("updated_at", time().into()),
        ("archived_at", time_or_null().into()),
        ("has_payment_method", boolean().into()),
        ("payment_methods", array(named("PaymentMethod")).into()),
    ];
    more.into_iter()
        .fold(all_fields(), |data, (name, schema)| {
            data.property(name, schema).required(name)
        })
        .into()
}

fn time_or_null() -> ObjectBuilder {
    formatted("date-time").schema_type(or_null(Type::String))
}

fn payment_method_body() -> AnySchema {
    let short = || string().max_length(Some(255)).pattern(Some(NO_NUL));
    let whole = |least, most| integer(least, Some(most)).schema_type(or_null(Type::Integer));
    object([
        ("provider", short().min_length(Some(1)).into()),
        ("token", short().min_length(Some(1)).into()),
    ])
    .property("brand", short().schema_type(or_null(Type::String)))
    .property("last4", string_or_null().pattern(Some("^[0-9]{4}$")))
    .property("exp_month", whole(1, 12))
    .property("exp_year", whole(2000, 2100))
    .description(Some("A card number anywhere in it is refused"))
    .examples([json!({
        "provider": "stripe", "token": "pm_1Nv0FGQ9RKHgCVdK", "brand": "visa",
        "last4": "4242", "exp_month": 8, "exp_year": 2030
    })])
    .into()
}

fn payment_method() -> AnySchema {
    let whole = |least, most| integer(least, Some(most)).schema_type(or_null(Type::Integer));
    object([
        ("id", uuid().into()),
        ("provider", string().into()),
        ("token", string_or_null().into()),
        ("brand", string_or_null().into()),
        ("last4", string_or_null().into()),
        ("exp_month", whole(1, 12).into()),
        ("exp_year", whole(2000, 2100).into()),
        ("created_at", time().into()),
    ])
    .into()
}

fn auth_test() -> AnySchema {
    let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let nothing = ObjectBuilder::new().schema_type(Type::Null);
    object([
        ("status", named("SuccessStatus")),
        ("message", string().into()),
        ("authenticated", boolean().into()),
        ("company_id", uuid().into()),
        ("user_id", nothing.into()),
        ("auth_method", one_of(&["api_key"]).into()),
        ("scopes", array(one_of(&scopes)).into()),
        ("timestamp", time().into()),
        ("rotor_api_version", named("ApiVersion")),
    ])
    .into()
}
