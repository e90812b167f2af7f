//! The order of things: data, then every call, then what the sizes of tables and the number of
//! connections do.

mod bulk;
mod reads;
mod sizes;
mod writes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clientele::embedded::Embedded;
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::calls::Call;
use crate::dataset::{self, Group};
use crate::pgbench::Scripts;
use crate::report::Report;

/// Connections of the load, and clients of pgbench.
const CONNECTIONS: usize = 16;
/// The settings of a server that has the machine to itself; everything else, above all that a commit
/// is on disk, is as Postgres comes.
const SETTINGS: [(&str, &str); 6] = [
    ("shared_buffers", "2GB"),
    ("effective_cache_size", "8GB"),
    ("maintenance_work_mem", "512MB"),
    ("max_wal_size", "8GB"),
    ("random_page_cost", "1.1"),
    ("max_connections", "200"),
];
/// The databases that latency over table size is measured on.
const SIZES: [(&str, usize); 3] = [
    ("customers_10k", 10_000),
    ("customers_100k", 100_000),
    ("million", 1_000_000),
];

/// How much to measure, and where.
pub struct Plan {
    pub data_dir: PathBuf,
    pub seconds: u64,
    pub rounds: u32,
}

/// The running parts that a measurement needs.
struct Bench<'p> {
    plan: &'p Plan,
    admin_url: String,
    /// For the files of `wrk` and `pgbench`.
    scratch: tempfile::TempDir,
    progress: ProgressBar,
}

pub async fn run(plan: &Plan) -> anyhow::Result<Report> {
    let embedded = start(&plan.data_dir).await?;
    let bench = Bench {
        plan,
        admin_url: embedded.url(),
        scratch: tempfile::tempdir()?,
        progress: ProgressBar::new_spinner(),
    };
    bench
        .progress
        .set_style(ProgressStyle::with_template("{spinner} {msg}")?);
    bench
        .progress
        .enable_steady_tick(Duration::from_millis(100));
    let measured = bench.measure().await;
    bench.progress.finish_and_clear();
    embedded.stop()?;
    measured
}

/// The private server, with the settings: they want a restart when they are new.
async fn start(dir: &Path) -> anyhow::Result<Embedded> {
    let embedded = Embedded::start(dir, None)?;
    let mut connection = PgConnection::connect(&embedded.url()).await?;
    for (name, value) in SETTINGS {
        let sql = format!("alter system set {name} = '{value}'");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await?;
    }
    connection.close().await?;
    embedded.stop()?;
    Ok(Embedded::start(dir, None)?)
}

impl Bench<'_> {
    async fn measure(&self) -> anyhow::Result<Report> {
        let url = self.prepare("million", &dataset::FULL).await?;
        for (name, customers) in &SIZES[..2] {
            let only = Group {
                name: "million",
                companies: 1,
                customers: *customers,
            };
            self.prepare(name, &[only]).await?;
        }
        let mut report = Report::new(&url).await?;
        self.reads(&url, &mut report).await?;
        self.first_counts(&url, &mut report).await?;
        self.upserts(&mut report).await?;
        self.batches(&mut report).await?;
        self.export(&url, &mut report).await?;
        for (name, customers) in SIZES {
            report.sizes.push(self.size(name, customers).await?);
        }
        report.memory = self.memory(&url).await?;
        Ok(report)
    }

    async fn prepare(&self, name: &str, groups: &[Group]) -> anyhow::Result<String> {
        let url = self.url(name);
        dataset::prepare(&self.admin_url, &url, name, groups).await?;
        Ok(url)
    }

    fn url(&self, database: &str) -> String {
        self.admin_url
            .replacen("/clientele?", &format!("/{database}?"), 1)
    }

    fn scripts(&self, call: &Call) -> anyhow::Result<Scripts> {
        Scripts::new(self.scratch.path(), "script", &call.scripts)
    }

    async fn copy(&self, name: &str) -> anyhow::Result<String> {
        self.drop_copy().await?;
        self.progress.set_message(format!("a copy of {name}"));
        self.admin(&format!(
            "create database scratch template {name} strategy file_copy"
        ))
        .await?;
        self.admin("checkpoint").await?;
        Ok(self.url("scratch"))
    }

    async fn drop_copy(&self) -> anyhow::Result<()> {
        self.admin("drop database if exists scratch with (force)")
            .await
    }

    async fn admin(&self, sql: &str) -> anyhow::Result<()> {
        let mut admin = PgConnection::connect(&self.admin_url).await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut admin)
            .await
            .context("as administrator")?;
        Ok(admin.close().await?)
    }
}
