//! The handlers that put customers away and bring them back.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::Value;

use super::auth::Caller;
use super::customers::{ALSO_MATCHES, customer_id};
use super::error::ApiError;
use super::idempotency::{Idempotency, answer};
use super::wire::customer::ItemReply;
use crate::store::Store;

/// `POST /customers/{id}/archive`
pub async fn archive(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
    idempotency: Idempotency,
) -> Result<HttpResponse, ApiError> {
    let id = customer_id(&id)?;
    let archive = store.customers(caller.company()).archive(id);
    let answer = answer(archive, idempotency.once(&Value::Null), |archived| {
        Ok(HttpResponse::Ok().json(ItemReply::new(&archived.customer()?)))
    });
    Ok(answer.await?.reply)
}

/// `POST /customers/{id}/restore`
pub async fn restore(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
    idempotency: Idempotency,
) -> Result<HttpResponse, ApiError> {
    let id = customer_id(&id)?;
    let restore = store.customers(caller.company()).restore(id).await?;
    let answer = answer(restore, idempotency.once(&Value::Null), |restored| {
        let mut reply = HttpResponse::Ok();
        if let Some(other) = restored.also_matches {
            reply.insert_header((ALSO_MATCHES.clone(), other.to_string()));
        }
        Ok(reply.json(ItemReply::new(&restored.customer.customer()?)))
    });
    Ok(answer.await?.reply)
}
