//! `clientele export`: customers into a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use super::{CliError, at, unprinted};
use crate::domain::customer::Customer;
use crate::domain::period::{After, Before, Period};
use crate::domain::search;
use crate::domain::tags::Tags;
use crate::domain::{CompanyId, Status};
use crate::files::{Format, writer};
use crate::store::{self, Filters, Store};

/// How it is called.
pub const EXAMPLES: &str = "\
Examples:
  clientele export --company ID --output customers.csv
  clientele export --company ID --format ndjson --tags vip,lead | zstd > vip.ndjson.zst";

/// What to export.
#[derive(Debug, Args)]
pub struct Export {
    /// The company
    #[arg(long)]
    company: CompanyId,
    /// csv, tsv or ndjson; by the name of the file without it, else csv
    #[arg(long)]
    format: Option<Format>,
    /// The file; without it, standard output
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// Only customers that this search finds
    #[arg(long)]
    search: Option<String>,
    /// Only active or inactive ones
    #[arg(long)]
    status: Option<Status>,
    /// Only customers with one of these tags
    #[arg(long, value_delimiter = ',')]
    tags: Vec<String>,
    /// Archived ones too
    #[arg(long)]
    archived: bool,
    /// Only those created later than this date or time, such as 2026-01-31 or 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    created_after: Option<After>,
    /// Only those created before it
    #[arg(long, value_name = "TIME")]
    created_before: Option<Before>,
    /// Only those last written later than it
    #[arg(long, value_name = "TIME")]
    updated_after: Option<After>,
    /// Only those last written before it
    #[arg(long, value_name = "TIME")]
    updated_before: Option<Before>,
}

pub async fn run(store: &Store, export: Export) -> Result<(), CliError> {
    let company = super::company(store, export.company).await?;
    let search = export.search.as_deref().unwrap_or_default();
    let filters = Filters {
        search: search::parse(search, company.default_region)
            .map_err(|error| CliError::Argument(format!("--search: {error}")))?,
        status: export.status,
        tags: Tags::parse(export.tags.iter().map(String::as_str))
            .map_err(|error| CliError::Argument(format!("--tags: {error}")))?,
        archived: export.archived,
        created: Period {
            after: export.created_after,
            before: export.created_before,
        },
        updated: Period {
            after: export.updated_after,
            before: export.updated_before,
        },
    };
    let extension = export.output.as_ref().and_then(|path| path.extension());
    let by_name = extension.and_then(|extension| extension.to_str()?.parse().ok());
    let format = export.format.or(by_name).unwrap_or(Format::Csv);
    let mut customers = store.customers(company).export(&filters).await?;
    // Before the file is made: while there is nothing to write, one that is there stays.
    let first = customers.next().await?;
    let Some(path) = &export.output else {
        let output = io::stdout().lock();
        return write(output, format, first, &mut customers, unprinted).await;
    };
    let file = File::create(path).map_err(|error| at(path, &error))?;
    let written = write(
        BufWriter::new(file),
        format,
        first,
        &mut customers,
        CliError::from,
    );
    written.await.map_err(|error| {
        let name = path.display();
        CliError::Argument(format!("{error}: {name} has not all customers"))
    })
}

async fn write(
    mut output: impl Write,
    format: Format,
    first: Option<Vec<Customer>>,
    customers: &mut store::Export,
    failed: impl Fn(io::Error) -> CliError,
) -> Result<(), CliError> {
    output.write_all(&writer::header(format)).map_err(&failed)?;
    let mut portion = first;
    while let Some(some) = portion {
        output
            .write_all(&writer::body(format, &some))
            .map_err(&failed)?;
        portion = customers.next().await?;
    }
    output.flush().map_err(failed)
}
