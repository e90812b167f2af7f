//! In place of traces, in a build without the feature `otel`: nothing.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use tracing::{Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Identity;

use crate::config::SettingsError;

/// Nothing.
#[derive(Debug)]
pub struct Traces;

impl Traces {
    #[expect(clippy::unnecessary_wraps, reason = "as where traces are sent")]
    pub(super) const fn start() -> Result<Self, SettingsError> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "as where traces are sent")]
    pub(super) fn layer<S: Subscriber>(&self) -> impl Layer<S> + use<S> {
        Identity::new()
    }
}

/// Of no kind.
#[must_use]
pub const fn span_kind() -> Option<&'static str> {
    None
}

/// Joins nothing.
#[must_use]
pub const fn join(_: &Span, _: &HeaderMap) -> Option<String> {
    None
}

/// Tells nobody.
pub const fn answered(_: &Span, _: &HttpRequest, _: u16) {}
