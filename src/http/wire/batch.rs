//! The body and the reply of `POST /customers/batch`.

use serde::Serialize;
use serde_json::Value;

use super::customer::FlatCustomer;
use super::fields;
use super::upsert::UpsertRequest;
use crate::domain::FieldError;
use crate::domain::matching::Outcome;
use crate::domain::phone::DefaultRegion;
use crate::domain::working_set::{Refusal, Row};
use crate::http::error::{ApiError, FieldBody};
use crate::store::Upserted;

/// The most customers in one batch.
const MOST: usize = 1_000;

/// Why a row was refused.
pub enum RowError {
    /// Fields of it cannot be accepted.
    Validation(Vec<FieldError>),
    /// There is no customer with its id.
    NotFound,
}

/// The reply.
#[derive(Serialize)]
pub struct BatchReply<'a> {
    results: Vec<RowReply<'a>>,
    summary: Summary,
    status: &'static str,
}

#[derive(Serialize)]
struct RowReply<'a> {
    index: usize,
    status: u16,
    outcome: &'static str,
    matched_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    also_matches: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<FlatCustomer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<FieldBody<'a>>>,
}

#[derive(Default, Serialize)]
struct Summary {
    total: usize,
    created: usize,
    updated: usize,
    unchanged: usize,
    refused: usize,
}

/// The rows of a batch: those that can be read, and why the others cannot.
///
/// # Errors
/// When it is no batch at all.
pub fn read(body: Value, region: DefaultRegion) -> Result<Vec<Result<Row, RowError>>, ApiError> {
    match fields::object(body)?.remove("customers") {
        Some(Value::Array(rows)) if (1..=MOST).contains(&rows.len()) => {
            Ok(rows.into_iter().map(|value| row(value, region)).collect())
        }
        _ => Err(ApiError::Validation(vec![FieldError::new(
            "customers",
            &format!("Must be an array of 1 to {MOST} customers"),
        )])),
    }
}

fn row(value: Value, region: DefaultRegion) -> Result<Row, RowError> {
    let Value::Object(fields) = value else {
        let error = FieldError::new("customers", "Each must be an object");
        return Err(RowError::Validation(vec![error]));
    };
    let request = UpsertRequest::from_fields(fields).map_err(RowError::Validation)?;
    Ok(Row::new(request.id, request.change, None, region))
}

impl From<&Refusal> for RowError {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::Field(error) => Self::Validation(vec![error.clone()]),
        }
    }
}

impl<'a> BatchReply<'a> {
    /// The reply that tells what became of each row, in their order.
    pub fn new(results: &'a [Result<&'a Upserted, RowError>]) -> Self {
        let mut summary = Summary {
            total: results.len(),
            ..Summary::default()
        };
        for result in results {
            *match result {
                Err(_) => &mut summary.refused,
                Ok(upserted) => match upserted.outcome {
                    Outcome::Created => &mut summary.created,
                    Outcome::Updated => &mut summary.updated,
                    Outcome::Unchanged => &mut summary.unchanged,
                },
            } += 1;
        }
        Self {
            results: results
                .iter()
                .enumerate()
                .map(|(index, result)| RowReply::new(index, result))
                .collect(),
            summary,
            status: "success",
        }
    }
}

impl<'a> RowReply<'a> {
    fn new(index: usize, result: &'a Result<&'a Upserted, RowError>) -> Self {
        match result {
            Ok(upserted) => Self {
                index,
                status: match upserted.outcome {
                    Outcome::Created => 201,
                    Outcome::Updated | Outcome::Unchanged => 200,
                },
                outcome: upserted.outcome.as_str(),
                matched_by: upserted.matched.map(|matched| matched.by.as_str()),
                also_matches: upserted
                    .matched
                    .and_then(|matched| matched.also)
                    .map(|other| other.to_string()),
                customer: Some(FlatCustomer::new(upserted)),
                errors: None,
            },
            Err(RowError::Validation(errors)) => {
                Self::refused(index, 400, errors.iter().map(FieldBody::from).collect())
            }
            Err(RowError::NotFound) => {
                let error = FieldBody {
                    field: "id",
                    message: "Not found",
                };
                Self::refused(index, 404, vec![error])
            }
        }
    }

    fn refused(index: usize, status: u16, errors: Vec<FieldBody<'a>>) -> Self {
        Self {
            index,
            status,
            outcome: "refused",
            matched_by: None,
            also_matches: None,
            customer: None,
            errors: Some(errors),
        }
    }
}
