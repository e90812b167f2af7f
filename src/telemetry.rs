//! The log: to standard error, as `RUST_LOG` asks.

use std::env;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, SettingsError};

/// What is logged unless `RUST_LOG` says otherwise. To `actix_http` whatever is no HTTP is an error:
/// anybody who reaches the port could fill the log with them.
const DEFAULT_FILTER: &str = "info,sqlx=warn,refinery_core=warn,actix_server=warn,actix_http=off";

/// Starts logging in a format. Standard output is left to what a command answers.
///
/// # Errors
/// When `RUST_LOG` is no filter.
pub fn init(format: LogFormat) -> Result<(), SettingsError> {
    let asked = env::var("RUST_LOG")
        .ok()
        .filter(|asked| !asked.trim().is_empty());
    let filter = EnvFilter::try_new(asked.as_deref().unwrap_or(DEFAULT_FILTER))
        .map_err(|error| SettingsError::Log(error.to_string()))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Pretty => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .init(),
    }
    Ok(())
}
