//! Files of customers: CSV, TSV and NDJSON, read and written.

mod bounded;
pub mod cell;
pub mod mapping;
pub mod reader;
pub mod rejects;
pub mod source;
pub mod writer;

use std::str::FromStr;

use thiserror::Error;

/// What a file of customers has for each: the fields of a post, with the location as two numbers,
/// and what else has to be kept when the customer is brought elsewhere.
pub const COLUMNS: [&str; 29] = [
    "id",
    "first_name",
    "last_name",
    "company_name",
    "email",
    "phone",
    "notes",
    "source",
    "status",
    "tags",
    "service_type",
    "service_frequency",
    "billing_street1",
    "billing_street2",
    "billing_city",
    "billing_state",
    "billing_zip",
    "billing_country",
    "billing_same_as_property",
    "property_street1",
    "property_street2",
    "property_city",
    "property_state",
    "property_zip",
    "property_country",
    "latitude",
    "longitude",
    "created_at",
    "archived_at",
];

/// How customers stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, or with semicolons or tabs where the first line has more of them.
    Csv,
    /// Tab-separated.
    Tsv,
    /// A JSON object a line.
    Ndjson,
}

/// No such format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be 'csv' or 'ndjson'")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(raw: &str) -> Result<Self, UnknownFormat> {
        match raw.trim().to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "tsv" => Ok(Self::Tsv),
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            _ => Err(UnknownFormat),
        }
    }
}
