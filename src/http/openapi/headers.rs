//! The headers of replies.

use serde_json::json;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{Components, Ref, RefOr};

use super::schema::{integer, one_of, string, uuid};

/// On every reply to a key with a daily limit, and the request's id.
const ALWAYS: [&str; 4] = [
    "x-request-id",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
];

/// Adds all of them.
pub fn add_to(components: &mut Components) {
    let seconds = || integer(0, None).examples([json!(3600)]);
    let headers: [(&str, &str, ObjectBuilder); 11] = [
        (
            "x-request-id",
            "The caller's own, if it sent one of up to 128 letters, digits and `-_.:/+=@`",
            string(),
        ),
        (
            "ratelimit-limit",
            "Requests on one UTC day; only for keys with a daily limit",
            integer(1, None),
        ),
        (
            "ratelimit-remaining",
            "What is left of them; only for keys with a daily limit",
            integer(0, None),
        ),
        (
            "ratelimit-reset",
            "Seconds to the next UTC midnight; only for keys with a daily limit",
            seconds(),
        ),
        ("retry-after", "Seconds after which to try again", seconds()),
        (
            "allow",
            "The methods that the path has",
            string().examples([json!("GET, POST")]),
        ),
        (
            "clientele-outcome",
            "What became of the customer: unchanged when all of it was known",
            one_of(&["created", "updated", "unchanged"]),
        ),
        (
            "clientele-matched-by",
            "What the customer was found by; only when one was found",
            one_of(&["id", "phone", "email"]),
        ),
        (
            "clientele-also-matches",
            "Another customer with the same phone or e-mail, which stays as it is; only when there is one",
            uuid(),
        ),
        (
            "idempotency-replayed",
            "The request was done before under its key; this is the reply of that time",
            one_of(&["true"]),
        ),
        (
            "content-disposition",
            "Makes it a file",
            string().examples([json!("attachment; filename=\"customers.csv\"")]),
        ),
    ];
    for (name, about, schema) in headers {
        let header: Header = HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(about))
            .build();
        components.headers.insert(name.to_owned(), RefOr::T(header));
    }
}

/// With the headers that are on every reply, and `more`.
pub fn with_headers(response: ResponseBuilder, more: &[&str]) -> ResponseBuilder {
    ALWAYS.iter().chain(more).fold(response, |response, name| {
        response.header_ref(*name, Ref::new(format!("#/components/headers/{name}")))
    })
}

/// With the request's id and `more`: replies that no key is needed for.
pub fn with_request_id(response: ResponseBuilder, more: &[&str]) -> ResponseBuilder {
    ALWAYS[..1]
        .iter()
        .chain(more)
        .fold(response, |response, name| {
            response.header_ref(*name, Ref::new(format!("#/components/headers/{name}")))
        })
}
