//! The limit: `pgbench`, with the same SQL on the same data.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clientele::embedded::binaries;

/// The program that belongs to the server, or else the one on the PATH.
fn program() -> anyhow::Result<PathBuf> {
    let beside = binaries::find(None)?.path("pgbench");
    Ok(if beside.is_file() {
        beside
    } else {
        "pgbench".into()
    })
}

/// Scripts, run in equal shares.
pub struct Scripts {
    program: PathBuf,
    files: Vec<PathBuf>,
}

impl Scripts {
    /// From texts in `pgbench`'s language.
    pub fn new(dir: &Path, name: &str, texts: &[String]) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let file = dir.join(format!("{name}.{number}.sql"));
            fs::write(&file, text)?;
            files.push(file);
        }
        Ok(Self {
            program: program()?,
            files,
        })
    }

    /// Transactions a second.
    pub fn run(&self, database_url: &str, clients: usize, seconds: u64) -> anyhow::Result<f64> {
        self.pgbench(database_url, clients, seconds, &[])
    }

    /// Milliseconds that half of the transactions take less than, one after the other.
    pub fn median(&self, database_url: &str, seconds: u64) -> anyhow::Result<f64> {
        let dir = tempfile::tempdir()?;
        let prefix = dir.path().join("log");
        let log = format!("--log-prefix={}", prefix.display());
        self.pgbench(database_url, 1, seconds, &["--log", &log])?;
        let mut times = Vec::new();
        for file in fs::read_dir(dir.path())? {
            // Client, number, microseconds, script, and when.
            for line in fs::read_to_string(file?.path())?.lines() {
                let time = line.split(' ').nth(2).context("a time")?;
                times.push(time.parse::<u32>()?);
            }
        }
        times.sort_unstable();
        let median = times.get(times.len() / 2).context("a transaction")?;
        Ok(f64::from(*median) / 1e3)
    }

    fn pgbench(
        &self,
        database_url: &str,
        clients: usize,
        seconds: u64,
        arguments: &[&str],
    ) -> anyhow::Result<f64> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut command = Command::new(&self.program);
        command
            .args(["--no-vacuum", "--protocol", "prepared"])
            .args(["--jobs", &threads.min(clients).to_string()])
            .args(["--client", &clients.to_string()])
            .args(["--time", &seconds.to_string()])
            .args(arguments);
        for file in &self.files {
            command.arg("--file").arg(file);
        }
        let output = command
            .arg(database_url)
            .output()
            .context("pgbench: it comes with PostgreSQL, on Debian in `postgresql`")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let rate = printed
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        match rate {
            Some(rate) if output.status.success() => Ok(rate),
            _ => bail!(
                "pgbench: {printed}{}",
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    }
}
