//! The handlers that put customers away and bring them back.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::auth::Caller;
use super::customers::{ALSO_MATCHES, customer_id};
use super::error::ApiError;
use super::wire::customer::ItemReply;
use crate::store::Store;

/// `POST /customers/{id}/archive`
pub async fn archive(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = customer_id(&id)?;
    let archived = store.customers(caller.company()).archive(id).await?;
    Ok(HttpResponse::Ok().json(ItemReply::new(&archived.customer()?)))
}

/// `POST /customers/{id}/restore`
pub async fn restore(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = customer_id(&id)?;
    let restored = store.customers(caller.company()).restore(id).await?;
    let mut reply = HttpResponse::Ok();
    if let Some(other) = restored.also_matches {
        reply.insert_header((ALSO_MATCHES.clone(), other.to_string()));
    }
    Ok(reply.json(ItemReply::new(&restored.customer.customer()?)))
}
