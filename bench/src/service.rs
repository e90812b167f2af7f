//! The service under test, as a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use clientele::domain::CompanyId;
use clientele::domain::audit::Actor;
use clientele::domain::key::{NewKey, Scope};
use clientele::http::{self, Options};
use clientele::metrics::Metrics;
use clientele::store::Store;

/// The connections of its default configuration.
const DB_CONNECTIONS: usize = 16;

/// A service on one database; it ends when this is dropped.
pub struct Service {
    process: Child,
    /// Where it listens.
    pub base: String,
    store: Store,
}

impl Service {
    pub fn start(database_url: &str) -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", database_url])
            .stdout(Stdio::piped())
            // The log is written, as ever; what it says is not looked at.
            .stderr(Stdio::null())
            .spawn()?;
        let output = process.stdout.take().context("its output")?;
        let mut base = String::new();
        BufReader::new(output).read_line(&mut base)?;
        Ok(Self {
            process,
            base: base.trim().to_owned(),
            store: Store::connect(database_url, 1)?,
        })
    }

    /// A new key of `company`, for everything.
    pub async fn key(&self, company: CompanyId) -> anyhow::Result<String> {
        let new = NewKey {
            scopes: Scope::ALL.to_vec(),
            ..NewKey::default()
        };
        let by = Actor::Operator("bench".to_owned());
        Ok(self.store.create_key(company, new, &by).await?.expose())
    }

    /// Its resident memory, in kilobytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
        kilobytes.context("no VmRSS in its status")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the process does: it serves, and prints where.
pub async fn serve(database_url: &str) -> anyhow::Result<()> {
    clientele::telemetry::init(clientele::config::LogFormat::Pretty)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let store = Store::connect(database_url, DB_CONNECTIONS)?;
    let options = Options::for_connections(DB_CONNECTIONS);
    let metrics = Metrics::new(&store)?;
    http::serve(listener, store, metrics, options)?.await?;
    Ok(())
}
