//! The upserts that the rows of a file are.

use chrono::{DateTime, Datelike, Utc};
use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::domain::FieldError;
use crate::domain::phone::DefaultRegion;
use crate::domain::working_set::{Origin, Refusal, Row};
use crate::http::wire::upsert::UpsertRequest;

/// What the ids in a file are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ids {
    /// They name customers to update, which must be there
    Update,
    /// They are another program's: customers are matched by phone and e-mail
    Ignore,
    /// Customers that are not there are made with them, and with their dates
    Restore,
}

impl Ids {
    /// The upsert that a row is; or why it is none.
    pub fn upsert(
        self,
        mut fields: Map<String, Value>,
        region: DefaultRegion,
    ) -> Result<Row, String> {
        let dates = (fields.remove("created_at"), fields.remove("archived_at"));
        let origin = match self {
            Self::Update => None,
            Self::Ignore => {
                fields.remove("id");
                None
            }
            Self::Restore => Some(origin(&fields, dates)?),
        };
        let request = UpsertRequest::from_fields(fields).map_err(|errors| reasons(&errors))?;
        Ok(Row::new(request.id, request.change, origin, region))
    }
}

fn origin(
    fields: &Map<String, Value>,
    (created_at, archived_at): (Option<Value>, Option<Value>),
) -> Result<Origin, String> {
    if !fields.contains_key("id") {
        return Err("id: There is none to restore".to_owned());
    }
    Ok(Origin {
        created_at: time("created_at", created_at)?,
        archived_at: time("archived_at", archived_at)?,
    })
}

fn time(name: &str, value: Option<Value>) -> Result<Option<DateTime<Utc>>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(|text| text.trim().parse::<DateTime<Utc>>().ok())
            // What a database can keep.
            .filter(|time| (1..=9_999).contains(&time.year()))
            .map(Some)
            .ok_or_else(|| format!("{name}: Must be a time as in 2026-01-31T12:00:00Z")),
    }
}

fn reasons(errors: &[FieldError]) -> String {
    let reasons: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {}", error.field, error.message))
        .collect();
    reasons.join("; ")
}

/// Why an upsert was refused.
pub fn why(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotFound => {
            "id: No such customer (--ids ignore matches by phone and e-mail, --ids restore makes it)"
                .to_owned()
        }
        Refusal::Field(error) => reasons(std::slice::from_ref(error)),
    }
}
