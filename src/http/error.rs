//! Errors: the only place that maps one to a status and a body.

use std::io::ErrorKind;

use actix_web::error::{JsonPayloadError, PayloadError, ResponseError};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use actix_web::web::JsonConfig;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use thiserror::Error;

use super::API_VERSION;
use crate::domain::FieldError;
use crate::domain::key::Scope;
use crate::store::{StoreError, WriteError};

/// Seconds after which a client may try again what only takes a while.
const RETRY_SECONDS: u64 = 1;

/// Why a request was not served. The message is what the client reads.
#[derive(Debug, Error)]
pub enum ApiError {
    /// Fields that cannot be accepted: all of them, in documented order.
    #[error("Validation failed")]
    Validation(Vec<FieldError>),
    /// No key, or none that works.
    #[error("Authentication required. Provide x-api-key header.")]
    Unauthenticated,
    /// Another version than the one spoken here, or none.
    #[error("Unsupported API version. Provide rotor-api-version: {API_VERSION} header.")]
    UnsupportedVersion,
    /// The key works, but not for this.
    #[error("Forbidden: required scope '{}' not granted for this API key", .0.as_str())]
    Forbidden(Scope),
    /// The key has used up its day.
    #[error("Daily API key request limit of {limit} exceeded")]
    RateLimited {
        /// Requests on one UTC day.
        limit: u32,
        /// Seconds to the next one.
        retry_after: i64,
    },
    /// The key has made too many requests within a second.
    #[error("API key rate limit of {limit} requests per second exceeded")]
    TooFast {
        /// Requests in a second.
        limit: u32,
        /// Seconds until the next may come.
        retry_after: u64,
    },
    /// The client has tried too many keys that do not work.
    #[error("Too many failed authentications from this address")]
    TooManyFailures {
        /// Seconds until the next may come.
        retry_after: u64,
    },
    /// No such path, or no such customer of this company.
    #[error("Not found")]
    NotFound,
    /// The path is there, but not for this method.
    #[error("Method not allowed")]
    MethodNotAllowed {
        /// The methods it is there for.
        allow: &'static str,
    },
    /// The body is no JSON object.
    #[error("Invalid JSON: {0}")]
    UnreadableJson(String),
    /// The body was cut off.
    #[error("The request body could not be read")]
    UnreadableBody,
    /// The body did not come in time.
    #[error("The request body took too long")]
    BodyTooSlow,
    /// The body says that it is no JSON.
    #[error("Unsupported content type. Send application/json.")]
    UnsupportedMediaType,
    /// The body is larger than what is read.
    #[error("Request body too large")]
    BodyTooLarge,
    /// Another request was done under this idempotency key.
    #[error("This idempotency key was used for another request")]
    KeyReused,
    /// The request with this idempotency key is under way, and takes long.
    #[error("The request with this idempotency key is still under way. Please retry.")]
    KeyInUse,
    /// The database is away or too busy.
    #[error("Service temporarily unavailable. Please retry.")]
    Overloaded,
    /// It is not the client's fault, and the log says what it was.
    #[error("Internal server error")]
    Internal,
}

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<FieldBody<'a>>>,
}

/// A field that cannot be accepted, as replies tell of it.
#[derive(Serialize)]
pub struct FieldBody<'a> {
    /// Its name.
    pub field: &'a str,
    /// What is wrong with it.
    pub message: &'a str,
}

impl<'a> From<&'a FieldError> for FieldBody<'a> {
    fn from(error: &'a FieldError) -> Self {
        Self {
            field: &error.field,
            message: &error.message,
        }
    }
}

impl ApiError {
    fn error_code(&self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated => Some("AUTHENTICATION_REQUIRED"),
            Self::UnsupportedVersion => Some("UNSUPPORTED_API_VERSION"),
            Self::Forbidden(_) => Some("INSUFFICIENT_SCOPE"),
            Self::RateLimited { .. } | Self::TooFast { .. } | Self::TooManyFailures { .. } => {
                Some("RATE_LIMIT_EXCEEDED")
            }
            Self::KeyReused => Some("IDEMPOTENCY_KEY_REUSED"),
            Self::KeyInUse => Some("IDEMPOTENCY_KEY_IN_USE"),
            Self::Validation(_)
            | Self::NotFound
            | Self::MethodNotAllowed { .. }
            | Self::UnreadableJson(_)
            | Self::UnreadableBody
            | Self::BodyTooSlow
            | Self::UnsupportedMediaType
            | Self::BodyTooLarge
            | Self::Overloaded
            | Self::Internal => None,
        }
    }

    fn body(&self) -> Body<'_> {
        Body {
            status: "error",
            message: self.to_string(),
            error_code: self.error_code(),
            errors: self.field_errors(),
        }
    }

    /// What the client reads, for the documentation.
    pub fn body_as_json(&self) -> serde_json::Value {
        serde_json::to_value(self.body()).unwrap_or_default()
    }

    fn field_errors(&self) -> Option<Vec<FieldBody<'_>>> {
        let Self::Validation(errors) = self else {
            return None;
        };
        Some(errors.iter().map(FieldBody::from).collect())
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Validation(_)
            | Self::UnsupportedVersion
            | Self::UnreadableJson(_)
            | Self::UnreadableBody => StatusCode::BAD_REQUEST,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::RateLimited { .. } | Self::TooFast { .. } | Self::TooManyFailures { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::KeyInUse => StatusCode::CONFLICT,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::RateLimited { retry_after, .. } => {
                response.insert_header((RETRY_AFTER, retry_after.to_string()));
            }
            Self::TooFast { retry_after, .. } | Self::TooManyFailures { retry_after } => {
                response.insert_header((RETRY_AFTER, retry_after.to_string()));
            }
            Self::Overloaded | Self::KeyInUse => {
                response.insert_header((RETRY_AFTER, RETRY_SECONDS.to_string()));
            }
            Self::MethodNotAllowed { allow } => {
                response.insert_header((ALLOW, *allow));
            }
            _ => {}
        }
        response.json(self.body())
    }
}

impl From<&StoreError> for ApiError {
    /// The cause goes to the log, under the request's id, and never to the client.
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, "the database is unavailable");
                Self::Overloaded
            }
            StoreError::Internal(cause) => {
                tracing::error!(%cause, "the database reported an error");
                Self::Internal
            }
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::NotFound => Self::NotFound,
            WriteError::Refused(field) => Self::Validation(vec![field]),
            WriteError::KeyReused => Self::KeyReused,
            WriteError::KeyInUse => Self::KeyInUse,
            WriteError::Store(error) => error.into(),
        }
    }
}

impl From<JsonPayloadError> for ApiError {
    fn from(error: JsonPayloadError) -> Self {
        match error {
            JsonPayloadError::OverflowKnownLength { .. }
            | JsonPayloadError::Overflow { .. }
            | JsonPayloadError::Payload(PayloadError::Overflow) => Self::BodyTooLarge,
            JsonPayloadError::Payload(PayloadError::Io(error))
                if error.kind() == ErrorKind::TimedOut =>
            {
                Self::BodyTooSlow
            }
            JsonPayloadError::ContentType => Self::UnsupportedMediaType,
            JsonPayloadError::Deserialize(error) => Self::UnreadableJson(error.to_string()),
            // Of a body that was cut off, or never came; the enum is open, so what a later
            // actix adds is of that kind too.
            _ => Self::UnreadableBody,
        }
    }
}

/// How JSON bodies are read, and what is answered when one cannot be.
pub fn json_config(limit: usize) -> JsonConfig {
    JsonConfig::default()
        .limit(limit)
        .error_handler(|error, _: &HttpRequest| ApiError::from(error).into())
}
