//! The parameters of requests.

use serde_json::json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder};
use utoipa::openapi::{Components, Ref, RefOr, Required};

use super::fields::tag;
use super::schema::{
    AnySchema, NO_NUL, array, boolean, formatted, integer, named, one_of, string, uuid,
};
use crate::domain::page::{Limit, PageNumber};
use crate::domain::tags::MAX_TAGS;
use crate::http::API_VERSION;

/// The filters of lists and exports.
pub const FILTERS: [&str; 8] = [
    "search",
    "status",
    "tags",
    "archived",
    "created_after",
    "created_before",
    "updated_after",
    "updated_before",
];

const TIME: &str = "An RFC 3339 time with any offset, or a date, which means its midnight UTC. The \
bound itself is not included.";

/// Adds all of them.
pub fn add_to(components: &mut Components) {
    let time = || {
        AnyOfBuilder::new()
            .item(formatted("date"))
            .item(formatted("date-time"))
            .examples([json!("2026-11-01"), json!("2026-11-23T15:07:54.661Z")])
    };
    let queries: [(&str, &str, AnySchema); 14] = [
        (
            "page",
            "Counts from 1; 1 in a walk",
            integer(1, Some(PageNumber::MAX))
                .default(Some(json!(1)))
                .into(),
        ),
        (
            "limit",
            "Customers on a page",
            integer(1, Some(Limit::MAX)).default(Some(json!(50))).into(),
        ),
        (
            "search",
            "Words that must all occur in first name, last name, company name, e-mail or phone, in any \
             case, with or without accents; four or more digits also among the digits of the phone",
            string().max_length(Some(255)).pattern(Some(NO_NUL)).into(),
        ),
        ("status", "Only these", named("CustomerStatus")),
        (
            "tags",
            "Comma-separated: customers with any of them",
            array(tag().pattern(Some(r"^[^,\u0000]*$")))
                .max_items(Some(MAX_TAGS))
                .into(),
        ),
        (
            "archived",
            "Whether archived customers are included",
            boolean().default(Some(json!(false))).into(),
        ),
        ("created_after", TIME, time().into()),
        ("created_before", TIME, time().into()),
        ("updated_after", TIME, time().into()),
        ("updated_before", TIME, time().into()),
        (
            "sort",
            "With a leading `-` from the last to the first",
            one_of(&[
                "created_at",
                "-created_at",
                "updated_at",
                "-updated_at",
                "last_name",
                "-last_name",
                "company_name",
                "-company_name",
            ])
            .default(Some(json!("-created_at")))
            .into(),
        ),
        (
            "cursor",
            "A walk through the whole list: blank to start it, then the `next_cursor` of each reply",
            string().pattern(Some("^[A-Za-z0-9_-]*$")).into(),
        ),
        (
            "expand",
            "Comma-separated: groups of further fields for each item",
            array(one_of(&["billing", "property", "service", "times"])).into(),
        ),
        (
            "format",
            "The format of the file",
            one_of(&["csv", "tsv", "ndjson"])
                .default(Some(json!("csv")))
                .into(),
        ),
    ];
    for (name, about, schema) in queries {
        add(components, query(name, about, schema));
    }
    add(components, version());
    add(components, idempotency_key());
    add(components, path("id", "The customer"));
    add(components, path("payment_method", "The payment method"));
}

/// The parameter of this name.
pub fn parameter(name: &str) -> Ref {
    Ref::new(format!("#/components/parameters/{name}"))
}

fn add(components: &mut Components, parameter: Parameter) {
    let name = parameter.name.clone();
    components.parameters.insert(name, RefOr::T(parameter));
}

fn query(name: &str, about: &str, schema: AnySchema) -> Parameter {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema));
    if matches!(name, "tags" | "expand") {
        let form = parameter.style(Some(ParameterStyle::Form));
        return form.explode(Some(false)).build();
    }
    parameter.build()
}

fn path(name: &str, about: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(uuid()))
        .build()
}

fn idempotency_key() -> Parameter {
    let key = string()
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[ -~]*[!-~][ -~]*$"));
    let key = key.examples([json!("8e03978e-40d5-43dd-bc93-6894a57f9324")]);
    ParameterBuilder::new()
        .name("idempotency-key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Names the request: sent again within 24 hours, it is not done again, and told what it was \
             told first. Visible ASCII",
        ))
        .schema(Some(key))
        .build()
}

fn version() -> Parameter {
    let only = AllOfBuilder::new()
        .item(named("ApiVersion"))
        .default(Some(json!(API_VERSION)));
    ParameterBuilder::new()
        .name("rotor-api-version")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("The version of the API that the client speaks"))
        .schema(Some(only))
        .build()
}
