//! The program: parses the command line and hands over.

use std::process::ExitCode;

use clap::Parser;
use clientele::cli::{self, Cli};

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    clientele::telemetry::init();
    match cli::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clientele: {error}");
            ExitCode::FAILURE
        }
    }
}
