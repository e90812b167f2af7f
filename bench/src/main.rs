//! `bench/run`: Clientele at a million customers in one company, beside
//! Postgres itself doing the same on the same data.

// Figures for people to read, far from the limits of any type.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod calls;
mod dataset;
mod people;
mod pgbench;
mod report;
mod service;
mod steps;
mod wrk;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures the service beside pgbench, and writes docs/performance.md and docs/performance.svg.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where the customers are kept for the next run: 5 GB.
    #[arg(long, default_value = "/var/tmp/clientele-bench")]
    data_dir: PathBuf,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How often each is repeated; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Where the report goes.
    #[arg(long, default_value = "docs")]
    out: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// The service under test, which the benchmark starts.
    #[command(hide = true)]
    Serve { database_url: String },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Serve { database_url }) => service::serve(&database_url).await,
        None => {
            let plan = steps::Plan {
                data_dir: arguments.data_dir,
                seconds: arguments.seconds,
                rounds: arguments.rounds,
            };
            let report = steps::run(&plan).await?;
            print!("{}", report.table());
            report.write(&arguments.out)
        }
    }
}
