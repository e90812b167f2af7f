//! The handlers of customers.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::auth::Caller;
use super::error::ApiError;
use super::wire::customer::{FlatCustomer, ItemReply, ListReply};
use super::wire::list::{expand_query, list_query};
use super::wire::upsert::UpsertRequest;
use crate::domain::CustomerId;
use crate::domain::matching::MatchedBy;
use crate::store::{Outcome, Store, Upserted};

static OUTCOME: HeaderName = HeaderName::from_static("clientele-outcome");
static MATCHED_BY: HeaderName = HeaderName::from_static("clientele-matched-by");
static ALSO_MATCHES: HeaderName = HeaderName::from_static("clientele-also-matches");

/// `POST /customers`
pub async fn upsert(
    store: Data<Store>,
    caller: Caller,
    body: Json<Value>,
) -> Result<HttpResponse, ApiError> {
    let request = UpsertRequest::from_json(body.into_inner())?;
    let upserted = store
        .customers(caller.company())
        .upsert(request.id, request.change)
        .await?;
    Ok(upsert_reply(&upserted))
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
    let id: CustomerId = id.parse().map_err(|_| ApiError::NotFound)?;
    let expand = expand_query(request.query_string())?;
    let found = store.customers(caller.company()).get(id, expand).await?;
    let found = found.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().json(ItemReply::new(&found.customer()?, expand)))
}

fn upsert_reply(upserted: &Upserted) -> HttpResponse {
    let (status, outcome) = match upserted.outcome {
        Outcome::Created => (StatusCode::CREATED, "created"),
        Outcome::Updated => (StatusCode::OK, "updated"),
        Outcome::Unchanged => (StatusCode::OK, "unchanged"),
    };
    let mut reply = HttpResponse::build(status);
    reply.insert_header((OUTCOME.clone(), HeaderValue::from_static(outcome)));
    if let Some(matched) = upserted.matched {
        let by = match matched.by {
            MatchedBy::Id => "id",
            MatchedBy::Phone => "phone",
            MatchedBy::Email => "email",
        };
        reply.insert_header((MATCHED_BY.clone(), HeaderValue::from_static(by)));
        if let Some(other) = matched.also {
            reply.insert_header((ALSO_MATCHES.clone(), other.to_string()));
        }
    }
    reply.json(FlatCustomer::new(upserted))
}
