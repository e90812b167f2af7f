//! Values of settings, read from what is written.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use config::{Config, ConfigError};
use ipnet::IpNet;
use serde::de::DeserializeOwned;
use url::Url;

use super::SettingsError;

/// A value, if it is set.
pub(super) fn get<T: DeserializeOwned>(
    config: &Config,
    name: &'static str,
) -> Result<Option<T>, SettingsError> {
    match config.get(name) {
        Ok(value) => Ok(Some(value)),
        Err(ConfigError::NotFound(_)) => Ok(None),
        Err(error) => Err(malformed(name, &error)),
    }
}

/// The database, if one is named.
pub(super) fn database_url(config: &Config) -> Result<Option<String>, SettingsError> {
    let written: Option<String> = get(config, "database_url")?;
    let is_postgres = |url: &str| {
        Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"))
    };
    match written {
        // Not repeated in the error: it may hold a password.
        Some(url) if !is_postgres(&url) => Err(malformed(
            "database_url",
            "must be a URL such as postgres://user:password@host:5432/database",
        )),
        written => Ok(written),
    }
}

/// An address to listen on.
pub(super) fn address(
    config: &Config,
    name: &'static str,
    default: &str,
) -> Result<SocketAddr, SettingsError> {
    let written: Option<String> = get(config, name)?;
    written.as_deref().unwrap_or(default).parse().map_err(|_| {
        malformed(
            name,
            "must be an address and a port, such as 127.0.0.1:8080",
        )
    })
}

/// Comma-separated networks; an address is one of its own.
pub(super) fn networks(config: &Config, name: &'static str) -> Result<Vec<IpNet>, SettingsError> {
    let written: Option<String> = get(config, name)?;
    let parse = |part: &str| {
        let network = part.parse().or_else(|_| part.parse().map(IpAddr::into));
        network.map_err(|_| {
            malformed(
                name,
                "must be addresses or networks, such as 10.0.0.1, 10.1.0.0/16",
            )
        })
    };
    let written = written.unwrap_or_default();
    let parts = written.split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(parse).collect()
}

/// A time, longer than nothing.
pub(super) fn time(
    config: &Config,
    name: &'static str,
    default: Duration,
) -> Result<Duration, SettingsError> {
    let Some(written) = get::<String>(config, name)? else {
        return Ok(default);
    };
    let time = humantime::parse_duration(&written);
    let time = time.map_err(|_| malformed(name, "must be a time such as 5s or 500ms"))?;
    if time.is_zero() {
        return Err(malformed(name, "must be longer than nothing"));
    }
    Ok(time)
}

/// The error about a value that cannot be used.
pub(super) fn malformed(name: &'static str, reason: &(impl ToString + ?Sized)) -> SettingsError {
    SettingsError::Malformed {
        name,
        reason: reason.to_string(),
    }
}
