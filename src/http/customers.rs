//! The handlers of customers.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::auth::Caller;
use super::error::ApiError;
use super::idempotency::{Idempotency, answer};
use super::wire::batch::{self, BatchReply, RowError};
use super::wire::customer::{FlatCustomer, ItemReply, ListReply};
use super::wire::list::{expand_query, list_query};
use super::wire::upsert::UpsertRequest;
use crate::domain::CustomerId;
use crate::domain::matching::Outcome;
use crate::metrics::Metrics;
use crate::store::{Results, Store, Upserted};

static OUTCOME: HeaderName = HeaderName::from_static("clientele-outcome");
static MATCHED_BY: HeaderName = HeaderName::from_static("clientele-matched-by");
/// The other customer that a phone or an e-mail is of.
pub static ALSO_MATCHES: HeaderName = HeaderName::from_static("clientele-also-matches");

/// `POST /customers`
pub async fn upsert(
    store: Data<Store>,
    metrics: Data<Metrics>,
    caller: Caller,
    idempotency: Idempotency,
    body: Json<Value>,
) -> Result<HttpResponse, ApiError> {
    let once = idempotency.once(&body);
    let request = UpsertRequest::from_json(body.into_inner())?;
    let customers = store.customers(caller.company());
    let upsert = customers.upsert(request.id, request.change);
    let answer = answer(upsert, once, |upserted| Ok(upsert_reply(upserted))).await?;
    if let Some(upserted) = answer.done {
        metrics.upserted(upserted.outcome, upserted.matched);
    }
    Ok(answer.reply)
}

/// `POST /customers/batch`
pub async fn batch(
    store: Data<Store>,
    metrics: Data<Metrics>,
    caller: Caller,
    idempotency: Idempotency,
    body: Json<Value>,
) -> Result<HttpResponse, ApiError> {
    let once = idempotency.once(&body);
    let read = batch::read(body.into_inner(), caller.company().default_region)?;
    let mut rows = Vec::with_capacity(read.len());
    let refused: Vec<Option<RowError>> = read
        .into_iter()
        .map(|row| row.map(|row| rows.push(row)).err())
        .collect();
    let upserts = store.customers(caller.company()).upsert_many(rows);
    let answer = answer(upserts, once, |done| Ok(batch_reply(refused, done))).await?;
    for upserted in answer.done.iter().flatten().flatten() {
        metrics.upserted(upserted.outcome, upserted.matched);
    }
    Ok(answer.reply)
}

/// `GET /customers`
pub async fn list(
    store: Data<Store>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let query = list_query(request.query_string(), caller.company().default_region)?;
    let found = store.customers(caller.company()).list(&query).await?;
    let customers = found.customers()?;
    Ok(HttpResponse::Ok().json(ListReply::new(&customers, &found, &query)))
}

/// `GET /customers/{id}`
pub async fn get(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let id = customer_id(&id)?;
    let expand = expand_query(request.query_string())?;
    let found = store.customers(caller.company()).get(id, expand).await?;
    let found = found.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().json(ItemReply::expanded(&found.customer()?, expand)))
}

/// The customer that a path names. What cannot be an id is nobody's.
pub fn customer_id(raw: &str) -> Result<CustomerId, ApiError> {
    raw.parse().map_err(|_| ApiError::NotFound)
}

/// The reply that tells of a batch. Each row that could not be read stands again where it stood.
fn batch_reply(refused: Vec<Option<RowError>>, done: &Results) -> HttpResponse {
    let mut done = done.iter();
    let results: Vec<Result<&Upserted, RowError>> = refused
        .into_iter()
        .filter_map(|refused| match refused {
            Some(error) => Some(Err(error)),
            None => done
                .next()
                .map(|result| result.as_ref().map_err(RowError::from)),
        })
        .collect();
    HttpResponse::Ok().json(BatchReply::new(&results))
}

/// The reply that tells of an upsert, and what it did in its headers.
pub fn upsert_reply(upserted: &Upserted) -> HttpResponse {
    let status = match upserted.outcome {
        Outcome::Created => StatusCode::CREATED,
        Outcome::Updated | Outcome::Unchanged => StatusCode::OK,
    };
    let mut reply = HttpResponse::build(status);
    let outcome = HeaderValue::from_static(upserted.outcome.as_str());
    reply.insert_header((OUTCOME.clone(), outcome));
    if let Some(matched) = upserted.matched {
        let by = HeaderValue::from_static(matched.by.as_str());
        reply.insert_header((MATCHED_BY.clone(), by));
        if let Some(other) = matched.also {
            reply.insert_header((ALSO_MATCHES.clone(), other.to_string()));
        }
    }
    reply.json(FlatCustomer::new(upserted))
}
