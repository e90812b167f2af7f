//! The limit: `pgbench`, with the same SQL on the same data.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clientele::embedded::binaries;

/// Scripts, run in equal shares.
pub struct Scripts {
    program: PathBuf,
    files: Vec<PathBuf>,
    variables: Vec<String>,
}

impl Scripts {
    /// From texts of `pgbench`'s language, with variables as `name=value`.
    pub fn new(
        dir: &Path,
        name: &str,
        texts: &[String],
        variables: Vec<String>,
    ) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let file = dir.join(format!("{name}.{number}.sql"));
            fs::write(&file, text)?;
            files.push(file);
        }
        Ok(Self {
            program: binaries::find(None)?.path("pgbench"),
            files,
            variables,
        })
    }

    /// Transactions a second.
    pub fn run(&self, database_url: &str, clients: usize, seconds: u64) -> anyhow::Result<f64> {
        let mut command = Command::new(&self.program);
        command
            .args(["--no-vacuum", "--protocol", "prepared", "--jobs", "1"])
            .args(["--client", &clients.to_string(), "--time", &seconds.to_string()]);
        for file in &self.files {
            command.arg("--file").arg(file);
        }
        for variable in &self.variables {
            command.args(["--define", variable]);
        }
        let output = command.arg(database_url).output().context("pgbench")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let rate = printed
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        match rate {
            Some(rate) if output.status.success() => Ok(rate),
            _ => bail!("pgbench: {printed}{}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}
