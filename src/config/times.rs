//! How long anybody waits for anything.

use config::Config;

use super::SettingsError;
use super::values::time;
use crate::http::Waits;
use crate::store::Limits;

const ACQUIRE: &str = "acquire_timeout";
const STATEMENT: &str = "statement_timeout";
const LOCK: &str = "lock_timeout";
const BODY: &str = "body_timeout";
const HEADER: &str = "header_timeout";
const KEEP_ALIVE: &str = "keep_alive";
const SHUTDOWN: &str = "shutdown_timeout";

/// The names of these settings.
pub(super) const NAMES: [&str; 7] = [ACQUIRE, STATEMENT, LOCK, BODY, HEADER, KEEP_ALIVE, SHUTDOWN];

/// The times of the database.
pub(super) fn limits(config: &Config, default: Limits) -> Result<Limits, SettingsError> {
    Ok(Limits {
        acquire: time(config, ACQUIRE, default.acquire)?,
        statement: time(config, STATEMENT, default.statement)?,
        lock: time(config, LOCK, default.lock)?,
        ..default
    })
}

/// The times of clients.
pub(super) fn waits(config: &Config) -> Result<Waits, SettingsError> {
    let default = Waits::default();
    Ok(Waits {
        header: time(config, HEADER, default.header)?,
        body: time(config, BODY, default.body)?,
        keep_alive: time(config, KEEP_ALIVE, default.keep_alive)?,
        shutdown: time(config, SHUTDOWN, default.shutdown)?,
    })
}
