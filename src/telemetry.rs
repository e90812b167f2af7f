//! The log, to standard error as `RUST_LOG` asks, and traces, to where `OTEL_EXPORTER_OTLP_ENDPOINT`
//! says.

#[cfg_attr(feature = "otel", path = "telemetry/otlp.rs")]
#[cfg_attr(not(feature = "otel"), path = "telemetry/no_otlp.rs")]
mod otlp;

use std::env;
use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::{LogFormat, SettingsError};

pub use otlp::{Traces, answered, join, span_kind};

/// What is logged unless `RUST_LOG` says otherwise. To `actix_http` whatever is no HTTP is an error:
/// anybody who reaches the port could fill the log with them.
const DEFAULT_FILTER: &str = "info,sqlx=warn,refinery_core=warn,actix_server=warn,actix_http=off";

/// What says where traces go.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
];

/// Starts logging in a format, and sending traces. Standard output is left to what a command
/// answers. Traces that are not sent yet are sent when the answer is dropped.
///
/// # Errors
/// When `RUST_LOG` is no filter, or traces cannot be sent to where they should.
pub fn init(format: LogFormat) -> Result<Traces, SettingsError> {
    let filter = EnvFilter::try_new(set("RUST_LOG").as_deref().unwrap_or(DEFAULT_FILTER))
        .map_err(|error| SettingsError::Log(error.to_string()))?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Pretty => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
    };
    let traces = Traces::start()?;
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces.layer())
        .init();
    if cfg!(not(feature = "otel"))
        && let Some(variable) = endpoint()
    {
        tracing::warn!("{variable} is set, but this clientele was built without traces");
    }
    Ok(traces)
}

/// The variable that says where traces are to go.
fn endpoint() -> Option<&'static str> {
    ENDPOINTS.into_iter().find(|name| set(name).is_some())
}

/// A variable of the environment, unless it is blank.
fn set(variable: &str) -> Option<String> {
    let value = env::var(variable).ok()?;
    (!value.trim().is_empty()).then_some(value)
}
