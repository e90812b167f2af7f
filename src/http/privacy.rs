//! The handlers of what privacy laws give a person a right to: to be told everything, and to be
//! forgotten.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Data, Path};

use super::auth::Caller;
use super::customers::customer_id;
use super::error::ApiError;
use super::wire::personal_data::PersonalDataReply;
use crate::store::Store;

/// `GET /customers/{id}/export`
pub async fn export(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = customer_id(&id)?;
    let data = store.customers(caller.company()).personal_data(id).await?;
    let data = data.ok_or(ApiError::NotFound)?;
    let disposition = format!("attachment; filename=\"customer-{id}.json\"");
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, disposition))
        .json(PersonalDataReply::new(&data, caller.may_charge())))
}

/// `DELETE /customers/{id}`
pub async fn erase(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = customer_id(&id)?;
    let customers = store.customers(caller.company());
    customers.erase(id, caller.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}
