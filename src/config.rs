//! Settings: defaults, then `clientele.toml`, then the environment (and `.env`).

mod times;
mod values;

use std::collections::HashMap;
use std::env;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use config::{Config, ConfigError, Environment, File, FileFormat};
use ipnet::IpNet;
use thiserror::Error;

use crate::http::Waits;
use crate::store::Limits;
use values::{address, database_url, get, malformed, networks};

const FILE: &str = "clientele.toml";
const PREFIX: &str = "CLIENTELE_";
const DEFAULT_BIND: &str = "127.0.0.1:8080";
const DEFAULT_METRICS_BIND: &str = "127.0.0.1:9464";
/// Instead of the address of metrics.
const OFF: &str = "off";
const DEFAULT_DB_CONNECTIONS: usize = 16;
/// More than a client with an old key sends, and much less than somebody who tries keys.
const DEFAULT_FAILED_AUTHENTICATIONS: u32 = 60;

/// Every setting as it is named in the file; in the environment they are in capitals behind
/// `CLIENTELE_`, but for `DATABASE_URL`.
const NAMES: [&str; 11] = [
    "database_url",
    "bind",
    "metrics_bind",
    "data_dir",
    "db_connections",
    "migrate",
    "pg_bin",
    "log_format",
    "failed_authentications_per_minute",
    "trusted_proxies",
    "db_queue",
];

/// How the program runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database; none: the private one in the data directory.
    pub database_url: Option<String>,
    /// Where the API is served.
    pub bind: SocketAddr,
    /// Where metrics are served; none: nowhere.
    pub metrics_bind: Option<SocketAddr>,
    /// Where the private database lives.
    pub data_dir: PathBuf,
    /// What is taken of the database, and how long anybody waits for it.
    pub limits: Limits,
    /// How long the service waits for its clients.
    pub waits: Waits,
    /// Whether migrations are run at the start.
    pub migrate: bool,
    /// The directory of the `PostgreSQL` programs for the private database; none: looked for.
    pub pg_bin: Option<PathBuf>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// How many keys that do not work an address may try in a minute; none: any number.
    pub failed_authentications: Option<NonZeroU32>,
    /// Proxies that tell in `x-forwarded-for` for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// As a JSON object, for programs.
    Json,
}

/// A setting that cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// `.env` is there but cannot be read. Its text is not repeated: it holds passwords.
    #[error(".env: {0}")]
    DotEnv(String),
    /// `RUST_LOG` is no filter.
    #[error("setting RUST_LOG: {0}")]
    Log(String),
    /// Traces cannot be sent to where they should.
    #[error("setting OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
    Traces(String),
    /// `clientele.toml` is there but cannot be read.
    #[error("{FILE}: {0}")]
    File(String),
    /// There is no such setting.
    #[error("unknown setting {0}")]
    Unknown(String),
    /// The setting has not the form it should.
    #[error("setting {} ({name} in {FILE}): {reason}", variable(.name))]
    Malformed {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no place that the data directory could default to.
    #[error("setting CLIENTELE_DATA_DIR (data_dir in {FILE}): there is no HOME to default to")]
    NoDataDir,
}

/// Adds what stands in `.env`, if there is one, to the environment of this process. To be called
/// before there are threads.
///
/// # Errors
/// When the file is there but cannot be read.
pub fn load_dotenv() -> Result<(), SettingsError> {
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(dotenvy::Error::LineParse(..)) => Err(SettingsError::DotEnv(
            "a line is not of the form NAME=value".to_owned(),
        )),
        Err(error) => Err(SettingsError::DotEnv(error.to_string())),
    }
}

impl Settings {
    /// Reads the settings of this process, in its working directory.
    ///
    /// # Errors
    /// When one is unknown or malformed; the error names it.
    pub fn load() -> Result<Self, SettingsError> {
        Self::read(
            Path::new(FILE),
            env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            }),
        )
    }

    fn read(
        file: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let unreadable = |error: ConfigError| SettingsError::File(error.to_string());
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(SettingsError::File(error.to_string())),
        };
        let config = Config::builder()
            .add_source(File::from_str(&text, FileFormat::Toml))
            .add_source(Environment::default().source(Some(from_environment(environment)?)))
            .build()
            .map_err(unreadable)?;
        let set: HashMap<String, config::Value> =
            config.clone().try_deserialize().map_err(unreadable)?;
        if let Some(name) = set.keys().find(|name| !names().any(|known| known == *name)) {
            return Err(SettingsError::Unknown(format!("{name} in {FILE}")));
        }
        Ok(Self {
            database_url: database_url(&config)?,
            bind: address(&config, "bind", DEFAULT_BIND)?,
            metrics_bind: match get::<String>(&config, "metrics_bind")?.as_deref() {
                Some(OFF) => None,
                _ => Some(address(&config, "metrics_bind", DEFAULT_METRICS_BIND)?),
            },
            data_dir: match get(&config, "data_dir")? {
                Some(dir) => dir,
                None => default_data_dir().ok_or(SettingsError::NoDataDir)?,
            },
            limits: limits(&config)?,
            waits: times::waits(&config)?,
            log_format: get(&config, "log_format")?.unwrap_or(LogFormat::Pretty),
            migrate: get(&config, "migrate")?.unwrap_or(true),
            pg_bin: get(&config, "pg_bin")?,
            failed_authentications: NonZeroU32::new(
                get(&config, "failed_authentications_per_minute")?
                    .unwrap_or(DEFAULT_FAILED_AUTHENTICATIONS),
            ),
            trusted_proxies: networks(&config, "trusted_proxies")?,
        })
    }
}

fn limits(config: &Config) -> Result<Limits, SettingsError> {
    let connections = get(config, "db_connections")?.unwrap_or(DEFAULT_DB_CONNECTIONS);
    if connections == 0 {
        return Err(malformed("db_connections", "must be at least 1"));
    }
    let default = times::limits(config, Limits::of(connections))?;
    Ok(Limits {
        queue: get(config, "db_queue")?.unwrap_or(default.queue),
        ..default
    })
}

/// What of the environment is ours, under the names of the file. A blank value counts as absent:
/// that is what compose files make of a variable that is not set.
fn from_environment(
    environment: impl Iterator<Item = (String, String)>,
) -> Result<HashMap<String, String>, SettingsError> {
    let mut ours = HashMap::new();
    for (variable_name, value) in environment {
        let known = names().find(|name| variable(name) == variable_name);
        match known {
            Some(_) if value.trim().is_empty() => {}
            Some(name) => {
                ours.insert(name.to_owned(), value);
            }
            None if variable_name.starts_with(PREFIX) => {
                return Err(SettingsError::Unknown(variable_name));
            }
            None => {}
        }
    }
    Ok(ours)
}

/// The names of all settings.
fn names() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().chain(times::NAMES)
}

/// The environment's name of a setting.
fn variable(name: &str) -> String {
    match name {
        "database_url" => "DATABASE_URL".to_owned(),
        other => format!("{PREFIX}{}", other.to_uppercase()),
    }
}

/// `/var/lib/clientele` for root, whose home nobody else can enter; else the user's data directory.
fn default_data_dir() -> Option<PathBuf> {
    if nix::unistd::Uid::effective().is_root() {
        return Some(PathBuf::from("/var/lib/clientele"));
    }
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    let base = env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute())
        .or_else(home)?;
    Some(base.join("clientele"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(file: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        std::fs::write(&path, file).unwrap();
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&path, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_goes_over_the_file_and_the_file_over_the_defaults() {
        let file = "bind = '127.0.0.1:1'\ndb_connections = 3\nmigrate = false";
        let settings = read(file, &[("CLIENTELE_BIND", "127.0.0.1:2"), ("HOME", "/x")]).unwrap();
        assert_eq!(settings.bind.port(), 2);
        assert_eq!(settings.limits.connections, 3);
        assert!(!settings.migrate);
        let metrics = settings.metrics_bind.map(|address| address.to_string());
        assert_eq!(metrics.as_deref(), Some(DEFAULT_METRICS_BIND));
        assert_eq!(settings.log_format, LogFormat::Pretty);
        assert_eq!(settings.failed_authentications, NonZeroU32::new(60));
        assert!(settings.trusted_proxies.is_empty());
        let off = [("CLIENTELE_METRICS_BIND", "off"), ("HOME", "/x")];
        assert_eq!(read("", &off).unwrap().metrics_bind, None);
        assert_eq!(settings.database_url, None);
    }

    #[test]
    fn values_from_the_environment_have_their_types() {
        let settings = read(
            "",
            &[
                ("DATABASE_URL", "postgres://localhost/x"),
                ("CLIENTELE_DB_CONNECTIONS", "5"),
                ("CLIENTELE_MIGRATE", "false"),
                ("CLIENTELE_PG_BIN", ""),
                ("CLIENTELE_DATA_DIR", "/tmp/007"),
                ("CLIENTELE_FAILED_AUTHENTICATIONS_PER_MINUTE", "0"),
                ("CLIENTELE_TRUSTED_PROXIES", "10.0.0.1, fd00::/8"),
                ("CLIENTELE_LOCK_TIMEOUT", "250ms"),
            ],
        )
        .unwrap();
        assert_eq!(
            settings.database_url.as_deref(),
            Some("postgres://localhost/x")
        );
        assert_eq!(settings.limits.connections, 5);
        assert!(!settings.migrate);
        assert_eq!(settings.pg_bin, None);
        assert_eq!(settings.failed_authentications, None);
        assert_eq!(settings.limits.queue, 80);
        assert_eq!(settings.limits.lock, Duration::from_millis(250));
        assert_eq!(settings.limits.statement, Duration::from_secs(30));
        let proxies: Vec<String> = settings
            .trusted_proxies
            .iter()
            .map(IpNet::to_string)
            .collect();
        assert_eq!(proxies, ["10.0.0.1/32", "fd00::/8"]);
        assert_eq!(settings.data_dir, Path::new("/tmp/007"));
    }

    #[test]
    fn an_unknown_setting_is_named() {
        assert!(
            read("", &[("CLIENTELE_FOO", "1")])
                .unwrap_err()
                .contains("CLIENTELE_FOO")
        );
        assert!(read("foo = 1", &[]).unwrap_err().contains("foo"));
    }

    #[test]
    fn a_malformed_setting_is_named() {
        for (name, value) in [
            ("CLIENTELE_BIND", "8080"),
            ("CLIENTELE_METRICS_BIND", "x:y"),
            ("CLIENTELE_DB_CONNECTIONS", "many"),
            ("CLIENTELE_DB_CONNECTIONS", "0"),
            ("CLIENTELE_MIGRATE", "perhaps"),
            ("CLIENTELE_LOCK_TIMEOUT", "5"),
            ("CLIENTELE_KEEP_ALIVE", "0s"),
            ("CLIENTELE_DB_QUEUE", "long"),
            ("CLIENTELE_FAILED_AUTHENTICATIONS_PER_MINUTE", "-1"),
            ("CLIENTELE_TRUSTED_PROXIES", "proxy.example.com"),
            ("DATABASE_URL", "localhost"),
        ] {
            let error = read("", &[(name, value)]).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert!(read("bind = ", &[]).unwrap_err().contains(FILE));
    }
}
