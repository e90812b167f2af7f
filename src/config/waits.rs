//! How long anybody waits for anything.

use std::time::Duration;

use config::Config;

use super::{SettingsError, get, malformed};

/// The names of these settings.
pub(super) const NAMES: [&str; 7] = [
    "acquire_timeout",
    "statement_timeout",
    "lock_timeout",
    "body_timeout",
    "header_timeout",
    "keep_alive",
    "shutdown_timeout",
];

/// The time after which each wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For a connection to the database.
    pub acquire: Duration,
    /// For a statement to end.
    pub statement: Duration,
    /// For a lock in the database.
    pub lock: Duration,
    /// For the whole body of a request.
    pub body: Duration,
    /// For the head of a request.
    pub header: Duration,
    /// For the next request on a connection.
    pub keep_alive: Duration,
    /// For requests under way, once the service is told to stop.
    pub shutdown: Duration,
}

impl Waits {
    /// Reads them.
    pub(super) fn read(config: &Config) -> Result<Self, SettingsError> {
        let [acquire, statement, lock, body, header, keep_alive, shutdown] = NAMES;
        Ok(Self {
            acquire: time(config, acquire, 5)?,
            statement: time(config, statement, 30)?,
            lock: time(config, lock, 5)?,
            body: time(config, body, 30)?,
            header: time(config, header, 5)?,
            keep_alive: time(config, keep_alive, 5)?,
            shutdown: time(config, shutdown, 30)?,
        })
    }
}

fn time(config: &Config, name: &'static str, seconds: u64) -> Result<Duration, SettingsError> {
    let Some(written) = get::<String>(config, name)? else {
        return Ok(Duration::from_secs(seconds));
    };
    let time = humantime::parse_duration(&written);
    let time = time.map_err(|_| malformed(name, "must be a time such as 5s or 500ms"))?;
    if time.is_zero() {
        return Err(malformed(name, "must be longer than nothing"));
    }
    Ok(time)
}
