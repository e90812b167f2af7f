//! The `idempotency-key` header: requests that may be sent again without being done again.

use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::Value;

use super::PREFIX;
use super::error::ApiError;
use crate::domain::FieldError;
use crate::domain::idempotency::{Fingerprint, IdempotencyKey, Once, Reply};
use crate::store::{Done, StoreError, Write};

const HEADER: &str = "idempotency-key";
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a request says of being sent again.
pub struct Idempotency {
    key: Option<IdempotencyKey>,
    method: String,
    /// Without the prefix under which the same is served.
    path: String,
}

/// What came of a request.
pub struct Answer<T> {
    /// What the client is told.
    pub reply: HttpResponse,
    /// What was done now; none when it had been done before.
    pub done: Option<T>,
}

impl FromRequest for Idempotency {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let path = request.path();
        ready(key(request).map(|key| Self {
            key,
            method: request.method().to_string(),
            path: path.strip_prefix(PREFIX).unwrap_or(path).to_owned(),
        }))
    }
}

/// The key. One that cannot be kept is refused, not ignored: the client relies on it.
fn key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, ApiError> {
    let mut sent = request.headers().get_all(HEADER);
    let Some(value) = sent.next() else {
        return Ok(None);
    };
    let refused = |reason: &dyn ToString| {
        ApiError::Validation(vec![FieldError::new(HEADER, &reason.to_string())])
    };
    if sent.next().is_some() {
        return Err(refused(&"Must be sent once"));
    }
    let key = value.to_str().unwrap_or_default().parse();
    key.map(Some).map_err(|error| refused(&error))
}

impl Idempotency {
    /// The request, if it is one to be done once. In what order the fields of `body` stand does not
    /// matter, nor what white space is between them.
    pub fn once(self, body: &Value) -> Option<Once> {
        let key = self.key?;
        let body = body.to_string();
        let fingerprint = Fingerprint::of(&self.method, &self.path, body.as_bytes());
        Some(Once { key, fingerprint })
    }
}

/// Writes, and tells of it by `render`; or, when the same was done `once` before, tells what was
/// told then.
pub async fn answer<T: Send + 'static>(
    write: Write<T>,
    once: Option<Once>,
    render: impl FnOnce(&T) -> Result<HttpResponse, StoreError> + Send + 'static,
) -> Result<Answer<T>, ApiError> {
    let Some(once) = once else {
        let done = write.await?;
        return Ok(Answer {
            reply: render(&done)?,
            done: Some(done),
        });
    };
    let replayed = (REPLAYED.clone(), HeaderValue::from_static("true"));
    Ok(
        match write.once(once, |done| render(done).map(kept)).await? {
            Done::Now(done, reply) => Answer {
                reply: told(&reply).body(reply.body),
                done: Some(done),
            },
            Done::Before(reply) => Answer {
                reply: told(&reply).insert_header(replayed).body(reply.body),
                done: None,
            },
        },
    )
}

/// A reply as it is kept. Ours are JSON, with headers of ASCII.
fn kept(response: HttpResponse) -> Reply {
    let headers = response.headers().iter();
    Reply {
        status: response.status().as_u16(),
        headers: headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect(),
        body: response
            .into_body()
            .try_into_bytes()
            .map(|body| String::from_utf8_lossy(&body).into_owned())
            .unwrap_or_default(),
    }
}

/// The same reply, for the client; its body is still to come.
fn told(reply: &Reply) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap_or_default());
    for (name, value) in &reply.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response
}
