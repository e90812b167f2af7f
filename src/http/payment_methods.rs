//! The handlers of payment methods.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde_json::Value;

use super::auth::Caller;
use super::customers::customer_id;
use super::error::ApiError;
use super::idempotency::{Idempotency, answer};
use super::wire::payment_method::{self, MethodReply, MethodsReply};
use crate::domain::payment_method::PaymentMethodId;
use crate::store::Store;

/// `GET /customers/{id}/payment-methods`
pub async fn list(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = customer_id(&id)?;
    let methods = store
        .customers(caller.company())
        .payment_methods(id)
        .await?
        .ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().json(MethodsReply::new(&methods, caller.may_charge())))
}

/// `POST /customers/{id}/payment-methods`
pub async fn save(
    store: Data<Store>,
    caller: Caller,
    id: Path<String>,
    idempotency: Idempotency,
    body: Json<Value>,
) -> Result<HttpResponse, ApiError> {
    let once = idempotency.once(&body);
    let new = payment_method::from_json(body.into_inner())?;
    let id = customer_id(&id)?;
    let customers = store.customers(caller.company());
    let answer = answer(customers.save_payment_method(id, new), once, |saved| {
        let mut reply = if saved.is_new {
            HttpResponse::Created()
        } else {
            HttpResponse::Ok()
        };
        Ok(reply.json(MethodReply::new(&saved.method)))
    });
    Ok(answer.await?.reply)
}

/// `DELETE /customers/{id}/payment-methods/{payment_method}`
pub async fn remove(
    store: Data<Store>,
    caller: Caller,
    ids: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (customer, method) = ids.into_inner();
    let customer = customer_id(&customer)?;
    let method: PaymentMethodId = method.parse().map_err(|_| ApiError::NotFound)?;
    store
        .customers(caller.company())
        .remove_payment_method(customer, method)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
