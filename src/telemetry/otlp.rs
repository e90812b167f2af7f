//! Traces, sent over OTLP. The `OTEL_…` variables of the environment say where to, and how:
//! <https://opentelemetry.io/docs/languages/sdk-configuration/>.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use opentelemetry::KeyValue;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Status, TraceContextExt, TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::SettingsError;

/// Where our spans come from.
const OURS: &str = "clientele";
/// Methods that can stand in the name of a span: of others a client could make as many as it likes.
const KNOWN_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Whether traces are sent at all.
static ACTIVE: AtomicBool = AtomicBool::new(false);

/// The sender of traces, if there is somewhere to send them. Dropped, it sends what is left.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Begins to send, in batches and from a thread of its own.
    pub(super) fn start() -> Result<Self, SettingsError> {
        if super::endpoint().is_none() {
            return Ok(Self(None));
        }
        // The HTTP library panics without one where it was built with TLS for another's sake. A
        // second naming is refused, and meant to be.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .build()
            .map_err(|error| SettingsError::Traces(error.to_string()))?;
        let resource = Resource::builder()
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        // The variable goes over the name that we have.
        let resource = match super::set("OTEL_SERVICE_NAME") {
            Some(name) => resource.with_service_name(name),
            None => resource.with_service_name("clientele"),
        };
        ACTIVE.store(true, Ordering::Relaxed);
        Ok(Self(Some(
            SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(resource.build())
                .build(),
        )))
    }

    /// What makes traces of our spans: not of those of libraries, the sender's own among them, and not
    /// of lines of the log, which stay here.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.0.as_ref().map(|provider| {
            OpenTelemetryLayer::new(provider.tracer(OURS))
                .with_location(false)
                .with_threads(false)
                .with_filter(filter_fn(|of| {
                    of.is_span() && *of.level() <= Level::INFO && of.target().starts_with(OURS)
                }))
        })
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// The kind of a request's span, where spans are sent.
#[must_use]
pub fn span_kind() -> Option<&'static str> {
    is_active().then_some("server")
}

/// Makes the span of a request a part of its caller's trace, if that is what its headers say; the
/// answer is the trace's id.
#[must_use]
pub fn join(span: &Span, headers: &HeaderMap) -> Option<String> {
    if !is_active() {
        return None;
    }
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    if parent.span().span_context().is_valid() {
        // It fails where the span is not recorded, and then there is nothing to join.
        let _ = span.set_parent(parent);
    }
    let context = span.context().span().span_context().clone();
    context.is_valid().then(|| context.trace_id().to_string())
}

/// Tells the trace what was answered. Names and attributes are those of
/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>.
pub fn answered(span: &Span, request: &HttpRequest, status: u16) {
    if !is_active() {
        return;
    }
    let method = request.method().as_str();
    let is_known = KNOWN_METHODS.contains(&method);
    let mut name = if is_known { method } else { "HTTP" }.to_owned();
    if let Some(route) = request.match_pattern() {
        name.push(' ');
        name.push_str(&route);
        span.set_attribute("http.route", route);
    }
    span.context().span().update_name(name);
    let method = if is_known { method } else { "_OTHER" };
    span.set_attribute("http.request.method", method.to_owned());
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.set_status(Status::error(""));
    }
}

fn is_active() -> bool {
    ACTIVE.load(Ordering::Relaxed)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
