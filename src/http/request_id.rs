//! The request id: on every reply, and on every line that the request writes to the log.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest};
use tracing::Instrument;
use tracing::field::Empty;
use uuid::Uuid;

use crate::metrics::Metrics;
use crate::telemetry;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a caller.
const LONGEST: usize = 128;

/// Gives the request its id and, when it is done, a line in the log. The query is not logged: it
/// may hold a name or a phone.
pub async fn trace(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = given(&request).unwrap_or_else(fresh);
    let started = Instant::now();
    let is_probe = request.path().starts_with("/health/");
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        path = loggable(request.path(), request.match_pattern().as_deref()),
        otel.kind = telemetry::span_kind(),
        trace = Empty,
        // Known once its key is.
        company = Empty,
        key = Empty,
    );
    if let Some(trace) = telemetry::join(&span, request.headers()) {
        span.record("trace", trace);
    }
    let metrics = request.app_data::<Data<Metrics>>().cloned();
    let in_flight = metrics.as_ref().map(|metrics| metrics.begin());
    let mut response = next.call(request).instrument(span.clone()).await?;
    drop(in_flight);
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let (route, method) = labels(response.request());
    telemetry::answered(&span, method, &route, status);
    if let Some(metrics) = metrics {
        metrics.answered(&route, method, status, elapsed.as_secs_f64());
    }
    let microseconds = elapsed.as_micros();
    span.in_scope(|| {
        // Probes come every few seconds, for ever: of interest only when something is wrong.
        if is_probe && status < 400 {
            tracing::debug!(status, microseconds, "served");
        } else {
            tracing::info!(status, microseconds, "served");
        }
    });
    response.headers_mut().insert(REQUEST_ID.clone(), id);
    Ok(response)
}

/// The pattern of the path and the method, of which there are few, whatever is asked.
fn labels(request: &HttpRequest) -> (String, &'static str) {
    let route = request.match_pattern();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    (route.unwrap_or_else(|| "none".to_owned()), method)
}

/// A path as it may be logged, with a `*` for what could be a phone, an e-mail or a key that somebody
/// put there: what is of its route is shown, and our ids.
fn loggable(path: &str, route: Option<&str>) -> String {
    let mut of_route = route.unwrap_or_default().split('/');
    let shown = |part| match of_route.next() {
        Some(word) if word == part => part,
        _ if Uuid::try_parse(part).is_ok() => part,
        _ => "*",
    };
    path.split('/').map(shown).collect::<Vec<_>>().join("/")
}

/// The caller's own id, when it is one that can stand in a log.
fn given(request: &ServiceRequest) -> Option<HeaderValue> {
    let id = request.headers().get(&REQUEST_ID)?;
    is_sane(id.as_bytes()).then(|| id.clone())
}

fn is_sane(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=@".contains(b))
}

fn fresh() -> HeaderValue {
    let id = Uuid::now_v7().to_string();
    // Hexadecimal digits and hyphens are always a header value.
    HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_personal_in_a_path_is_not_logged() {
        let id = "01a208f3-07a4-718b-95cd-4cdb14d55504";
        let tags = format!("/open-api/customers/{id}/tags");
        for (path, route, logged) in [
            ("/customers", Some("/customers"), "/customers"),
            (&tags, Some("/open-api/customers/{id}/tags"), &tags),
            ("/customers/jane", Some("/customers/{id}"), "/customers/*"),
            (
                "/customers/a%40b.c",
                Some("/customers/{id}"),
                "/customers/*",
            ),
            ("/clientele_15b4dad54f2b7a4e_46f5", None, "/*"),
            ("/jane/customers", None, "/*/*"),
            ("/", Some("/"), "/"),
        ] {
            assert_eq!(loggable(path, route), logged);
        }
    }

    #[test]
    fn ids_that_could_forge_a_log_line_are_not_sane() {
        assert!(is_sane(b"0190b6c2-7b1e-7c50"));
        assert!(is_sane(b"web:42/a_b.c"));
        for id in [
            &b""[..],
            b"a b",
            b"a\tb",
            b"\x1b[31m",
            b"a\"b",
            &[b'a'; 129],
        ] {
            assert!(!is_sane(id), "{id:?}");
        }
    }
}
