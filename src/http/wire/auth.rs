//! The reply of `GET /auth/test`.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::timestamp;
use crate::domain::Company;
use crate::domain::key::Scope;
use crate::http::API_VERSION;

/// Who the caller is taken for.
#[derive(Serialize)]
pub struct AuthTest {
    status: &'static str,
    message: &'static str,
    authenticated: bool,
    company_id: String,
    /// Keys belong to companies, not to people.
    user_id: Option<String>,
    auth_method: &'static str,
    scopes: Vec<&'static str>,
    timestamp: String,
    rotor_api_version: &'static str,
}

impl AuthTest {
    /// The reply to a caller for `company`, with `scopes`.
    pub fn new(company: Company, scopes: &[Scope], now: DateTime<Utc>) -> Self {
        Self {
            status: "success",
            message: "Authentication successful",
            authenticated: true,
            company_id: company.id.to_string(),
            user_id: None,
            auth_method: "api_key",
            scopes: scopes.iter().map(|scope| scope.as_str()).collect(),
            timestamp: timestamp(now),
            rotor_api_version: API_VERSION,
        }
    }
}
