//! The handler of tags.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde_json::Value;

use super::auth::Caller;
use super::customers::{customer_id, upsert_reply};
use super::error::ApiError;
use super::idempotency::{Idempotency, answer};
use super::wire::tags::TagsRequest;
use crate::store::Store;

/// `POST /customers/{id}/tags`
pub async fn retag(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
    idempotency: Idempotency,
    body: Json<Value>,
) -> Result<HttpResponse, ApiError> {
    let once = idempotency.once(&body);
    let request = TagsRequest::from_json(body.into_inner())?;
    let id = customer_id(&id)?;
    let customers = store.customers(caller.company());
    let retag = customers.retag(id, request.remove, request.add);
    let answer = answer(retag, once, |retagged| Ok(upsert_reply(retagged))).await?;
    Ok(answer.reply)
}
