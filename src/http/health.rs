//! Health: for those who watch the service, not for those who use it.

use actix_web::guard::{self, Guard};
use actix_web::web::{Data, Json};
use serde::Serialize;

use super::error::ApiError;
use crate::store::Store;

/// What a healthy server answers.
#[derive(Serialize)]
pub struct Health {
    status: &'static str,
}

/// The methods that watchers probe with.
pub fn probe() -> impl Guard {
    guard::Any(guard::Get()).or(guard::Head())
}

/// `GET /health/live`: the process serves.
pub async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// `GET /health/ready`: the database answers, too.
pub async fn ready(store: Data<Store>) -> Result<Json<Health>, ApiError> {
    store.ping().await?;
    Ok(Json(Health { status: "ready" }))
}
