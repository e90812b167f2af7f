//! The replies to requests that were not served.

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder};
use utoipa::openapi::{Components, Ref, RefOr};

use super::headers::with_headers;
use super::schema::{AnySchema, array, named, object, one_of, string};
use crate::domain::FieldError;
use crate::domain::key::Scope;
use crate::http::error::ApiError;

/// An error as an example: its body is made by what makes the real ones.
struct Described {
    name: &'static str,
    about: &'static str,
    schema: &'static str,
    headers: &'static [&'static str],
    errors: Vec<(&'static str, ApiError)>,
}

/// Adds the bodies and the replies.
pub fn add_to(components: &mut Components) {
    let codes = [
        ("AuthenticationRequired", "AUTHENTICATION_REQUIRED"),
        ("UnsupportedApiVersion", "UNSUPPORTED_API_VERSION"),
        ("InsufficientScope", "INSUFFICIENT_SCOPE"),
        ("RateLimitExceeded", "RATE_LIMIT_EXCEEDED"),
        ("IdempotencyKeyInUse", "IDEMPOTENCY_KEY_IN_USE"),
        ("IdempotencyKeyReused", "IDEMPOTENCY_KEY_REUSED"),
    ];
    let mut schemas: Vec<(&str, AnySchema)> = codes
        .into_iter()
        .map(|(name, code)| (name, coded(code).into()))
        .collect();
    schemas.push(("ErrorStatus", one_of(&["error"]).into()));
    schemas.push(("Error", error().into()));
    let field = object([("field", string().into()), ("message", string().into())]);
    schemas.push(("FieldError", field.into()));
    let validation = error()
        .property("errors", array(named("FieldError")))
        .required("errors")
        .description(Some("Every bad field at once, in documented order"));
    schemas.push(("ValidationError", validation.into()));
    let bad = AnyOfBuilder::new()
        .item(named("ValidationError"))
        .item(named("UnsupportedApiVersion"))
        .item(named("Error"));
    schemas.push(("BadRequest", bad.into()));
    for (name, schema) in schemas {
        components.schemas.insert(name.to_owned(), schema);
    }
    for described in lasting().into_iter().chain(passing()) {
        let name = described.name.to_owned();
        let response = RefOr::T(described.response());
        components.responses.insert(name, response);
    }
}

/// The name of the reply with a status.
pub fn reply(name: &str) -> Ref {
    Ref::from_response_name(name)
}

fn error() -> ObjectBuilder {
    object([
        ("status", named("ErrorStatus")),
        ("message", string().into()),
    ])
}

fn coded(code: &str) -> ObjectBuilder {
    error()
        .property("error_code", one_of(&[code]))
        .required("error_code")
}

impl Described {
    fn response(self) -> Response {
        let examples = self.errors.into_iter().map(|(name, error)| {
            let example = ExampleBuilder::new().value(Some(error.body_as_json()));
            (name, RefOr::T(example.build()))
        });
        let content = ContentBuilder::new()
            .schema(Some(named(self.schema)))
            .examples_from_iter(examples)
            .build();
        let response = ResponseBuilder::new()
            .description(self.about)
            .content("application/json", content);
        with_headers(response, self.headers).build()
    }
}

fn described(
    name: &'static str,
    about: &'static str,
    schema: &'static str,
    error: ApiError,
) -> Described {
    Described {
        name,
        about,
        schema,
        headers: &[],
        errors: vec![("error", error)],
    }
}

/// Of requests that cannot be served as they are.
fn lasting() -> Vec<Described> {
    let bad_email = FieldError::new("email", "Invalid email format");
    vec![
        Described {
            errors: vec![
                ("validation", ApiError::Validation(vec![bad_email])),
                ("version", ApiError::UnsupportedVersion),
                (
                    "json",
                    ApiError::UnreadableJson("expected value at line 1 column 1".to_owned()),
                ),
            ],
            ..described(
                "BadRequest",
                "Fields that cannot be accepted, a body that is no JSON object, or another version",
                "BadRequest",
                ApiError::UnreadableBody,
            )
        },
        described(
            "Unauthenticated",
            "No key, an unknown, revoked or expired one",
            "AuthenticationRequired",
            ApiError::Unauthenticated,
        ),
        described(
            "Forbidden",
            "The key has not the scope",
            "InsufficientScope",
            ApiError::Forbidden(Scope::CustomersWrite),
        ),
        described(
            "NotFound",
            "No such customer or payment method of this company",
            "Error",
            ApiError::NotFound,
        ),
        Described {
            headers: &["allow"],
            ..described(
                "MethodNotAllowed",
                "The path is there, but not for this method",
                "Error",
                ApiError::MethodNotAllowed { allow: "GET" },
            )
        },
        described(
            "BodyTooSlow",
            "The body was not there in time",
            "Error",
            ApiError::BodyTooSlow,
        ),
        described(
            "BodyTooLarge",
            "A body of more than 256 KiB, a batch of more than 8 MiB",
            "Error",
            ApiError::BodyTooLarge,
        ),
        described(
            "UnsupportedMediaType",
            "The body is not said to be `application/json`",
            "Error",
            ApiError::UnsupportedMediaType,
        ),
    ]
}

/// Of requests that are in order, and yet were not served.
fn passing() -> Vec<Described> {
    vec![
        Described {
            headers: &["retry-after"],
            errors: vec![
                (
                    "day",
                    ApiError::RateLimited {
                        limit: 1000,
                        retry_after: 3600,
                    },
                ),
                (
                    "second",
                    ApiError::TooFast {
                        limit: 10,
                        retry_after: 1,
                    },
                ),
            ],
            ..described(
                "RateLimited",
                "The daily limit is used up, too many requests came within a second, or too many keys \
                 that do not work from one address",
                "RateLimitExceeded",
                ApiError::TooManyFailures { retry_after: 1 },
            )
        },
        Described {
            headers: &["retry-after"],
            ..described(
                "KeyInUse",
                "The request with this idempotency key is still under way: retry",
                "IdempotencyKeyInUse",
                ApiError::KeyInUse,
            )
        },
        described(
            "KeyReused",
            "Another request was done under this idempotency key",
            "IdempotencyKeyReused",
            ApiError::KeyReused,
        ),
        described(
            "InternalError",
            "Our fault; the log has the cause under the request id",
            "Error",
            ApiError::Internal,
        ),
        Described {
            headers: &["retry-after"],
            ..described(
                "Overloaded",
                "The database is away or too busy: retry",
                "Error",
                ApiError::Overloaded,
            )
        },
    ]
}
