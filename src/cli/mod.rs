//! The command line: one file a subcommand.

mod audit;
mod company;
mod database;
mod demo;
mod doctor;
mod export;
mod import;
mod key;
mod serve;
mod stop;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use chrono::{DateTime, Utc};
use clap::{CommandFactory, Parser, Subcommand};
use thiserror::Error;

use crate::config::{Settings, SettingsError};
use crate::domain::{Company, CompanyId};
use crate::embedded::EmbeddedError;
use crate::store::migrate::MigrateError;
use crate::store::{Store, StoreError};
use crate::telemetry;
use database::Database;

/// The customer directory that a business hosts itself.
#[derive(Debug, Parser)]
#[command(name = "clientele", version, about, long_about = None, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do; without it, `serve`.
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all is done; 1 it failed, or an import refused rows, or the doctor found a failure;
2 the command line is wrong; 130 an import was told to stop.";

const SERVE_EXAMPLES: &str = "\
Examples:
  clientele serve
  DATABASE_URL=postgres://clientele@localhost/clientele CLIENTELE_BIND=0.0.0.0:8080 clientele serve";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API (the default); without `DATABASE_URL`, on a private `PostgreSQL`
    #[command(after_help = SERVE_EXAMPLES)]
    Serve,
    /// Bring the database to the newest schema
    Migrate,
    /// Check settings, database and machine, and tell what to do where not all is well
    Doctor,
    /// Print what makes a shell complete the commands
    #[command(
        after_help = "Example:\n  clientele completions bash > /etc/bash_completion.d/clientele"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the API as an `OpenAPI` document
    #[command(after_help = "Example:\n  clientele openapi > openapi.json")]
    Openapi,
    #[command(flatten)]
    OnStore(OnStore),
}

/// What is done on a database whose schema is right.
#[derive(Debug, Subcommand)]
enum OnStore {
    /// Make and list companies
    #[command(subcommand, after_help = company::EXAMPLES)]
    Company(company::Command),
    /// Make, list and revoke API keys
    #[command(subcommand, after_help = key::EXAMPLES)]
    Key(key::Command),
    /// List who made and revoked keys, made companies and erased customers
    #[command(after_help = audit::EXAMPLES)]
    Audit(audit::Audit),
    /// Read customers from a file
    #[command(after_help = import::EXAMPLES)]
    Import(import::Import),
    /// Write customers to a file
    #[command(after_help = export::EXAMPLES)]
    Export(export::Export),
    /// Make match keys and search text anew, where an older release made them
    #[command(
        after_help = "Run it after an upgrade whose changelog says so; the service may run meanwhile."
    )]
    Recompute,
}

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CliError {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is no private database.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The database has not the right schema.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address} ({setting}): {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        setting: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// What was named on the command line is not there.
    #[error("{0}")]
    Unknown(String),
    /// An argument cannot be used.
    #[error("{0}")]
    Argument(String),
    /// Some rows of a file were refused; the others are done.
    #[error("{0} rows were refused")]
    Refused(i64),
    /// Not all is well.
    #[error("{0} checks failed")]
    Unwell(usize),
    /// The operator stopped it.
    #[error("stopped after {0} rows: run it again, and it goes on from there")]
    Interrupted(i64),
    /// Nobody reads standard output any more, as `head` does not when it has read enough.
    #[error("standard output was closed")]
    Unread,
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl CliError {
    /// What the program exits with: 1, or what a shell takes for an interruption.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted(_) => 130,
            _ => 1,
        }
    }
}

/// Does what the command line asks for.
///
/// # Errors
/// When it cannot; the error says why, in words for the operator.
pub async fn run(cli: Cli) -> Result<(), CliError> {
    let command = cli.command.unwrap_or(Command::Serve);
    if let Command::Completions { shell } = command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "clientele", &mut script);
        return print(String::from_utf8_lossy(&script).trim_end());
    }
    if let Command::Openapi = command {
        return print(crate::http::openapi::json().trim_end());
    }
    let settings = Settings::load()?;
    // Held to the end, when what is left of the traces is sent.
    let _traces = telemetry::init(settings.log_format)?;
    match command {
        Command::Completions { .. } | Command::Openapi => Ok(()),
        Command::Doctor => doctor::run(&settings).await,
        Command::Serve => serve::run(&settings).await,
        Command::Migrate => Database::with(&settings, migrate).await,
        Command::OnStore(command) => {
            Database::with(&settings, async |database| {
                // To change the schema under running servers is for `serve` and `migrate`.
                let may_migrate = database.embedded().is_some();
                let store = database.store(&settings, may_migrate).await?;
                let done = run_on(&store, command).await;
                store.close();
                done
            })
            .await
        }
    }
}

async fn migrate(database: &Database) -> Result<(), CliError> {
    let applied = crate::store::migrate::run(database.url()).await?;
    print(&format!("{applied} migrations applied"))
}

async fn run_on(store: &Store, command: OnStore) -> Result<(), CliError> {
    match command {
        OnStore::Company(command) => company::run(store, command).await,
        OnStore::Key(command) => key::run(store, command).await,
        OnStore::Audit(audit) => audit::run(store, audit).await,
        OnStore::Import(import) => import::run(store, import).await,
        OnStore::Export(export) => export::run(store, export).await,
        OnStore::Recompute => {
            let customers = store.recompute().await?;
            print(&format!("{customers} customers recomputed"))
        }
    }
}

/// The company that a command is about.
async fn company(store: &Store, id: CompanyId) -> Result<Company, CliError> {
    let company = store.company(id).await?;
    company.ok_or_else(|| CliError::Unknown(format!("there is no company {id}")))
}

/// Answers on standard output; one who has stopped reading is an error, not a panic.
fn print(line: &str) -> Result<(), CliError> {
    writeln!(io::stdout().lock(), "{line}").map_err(unprinted)
}

/// Why standard output did not take something.
fn unprinted(error: io::Error) -> CliError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => CliError::Unread,
        _ => error.into(),
    }
}

/// A time in a list.
fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

/// What is wrong with a file.
fn at(path: &Path, error: &io::Error) -> CliError {
    CliError::Argument(format!("{}: {error}", path.display()))
}
