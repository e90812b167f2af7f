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
        let mut command = Command::new(&self.program);
        command
            .args(["--no-vacuum", "--protocol", "prepared", "--jobs", "1"])
            .args([
                "--client",
                &clients.to_string(),
                "--time",
                &seconds.to_string(),
            ]);
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
