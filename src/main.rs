//! The program: parses the command line and hands over.

use std::process::ExitCode;

use clap::Parser;
use clientele::cli::{self, Cli, CliError};
use clientele::config;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        // Unread: whoever reads has read enough.
        Ok(()) | Err(CliError::Unread) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clientele: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn start(cli: Cli) -> Result<(), CliError> {
    // The environment is settled before there are threads, and before anything reads it.
    config::load_dotenv()?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(cli::run(cli))
}
