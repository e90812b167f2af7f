//! The load: `wrk`, a generator that costs little of the cores it shares with what it measures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

const SCRIPT: &str = include_str!("requests.lua");

/// A running service, as a client with a key sees it.
pub struct Target<'a> {
    pub base: &'a str,
    pub key: &'a str,
}

/// What came of a load.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Load {
    requests: u64,
    microseconds: u64,
    /// Replies that were no success.
    refused: u64,
    /// Requests without a whole reply.
    broken: u64,
    /// Half of the replies took less, in microseconds.
    pub p50: u64,
    /// All but one in a hundred took less.
    pub p99: u64,
}

/// Requests to send, in a file for `wrk`.
pub struct Requests {
    file: PathBuf,
    script: PathBuf,
}

impl Load {
    pub fn requests(&self) -> u64 {
        self.requests
    }

    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.microseconds as f64 * 1e6
    }
}

impl Requests {
    /// Lines of method, path and body.
    pub fn new(dir: &Path, name: &str, lines: &[String]) -> anyhow::Result<Self> {
        let (file, script) = (dir.join(name), dir.join("requests.lua"));
        fs::write(&file, lines.join("\n"))?;
        fs::write(&script, SCRIPT)?;
        Ok(Self { file, script })
    }

    /// Sends them for some seconds over as many connections that stay open.
    pub fn send(&self, to: &Target<'_>, connections: usize, seconds: u64) -> anyhow::Result<Load> {
        let output = Command::new("wrk")
            .args(["--threads", "1", "--connections", &connections.to_string()])
            .args(["--duration", &format!("{seconds}s"), "--timeout", "10s"])
            .arg("--script")
            .arg(&self.script)
            .args([to.base, "--"])
            .arg(&self.file)
            .arg(to.key)
            .output()
            .context("wrk: install it, on Debian by `apt-get install wrk`")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let line = printed.lines().find(|line| line.starts_with('{'));
        let Some(line) = line else {
            bail!("wrk: {printed}{}", String::from_utf8_lossy(&output.stderr));
        };
        let load: Load = serde_json::from_str(line)?;
        if load.refused + load.broken > 0 {
            bail!(
                "{}: not every request was served: {line}",
                self.file.display()
            );
        }
        Ok(load)
    }
}
