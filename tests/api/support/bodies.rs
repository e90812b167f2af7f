//! The documented error bodies, word for word.

use serde_json::{Value, json};

/// 400, for these fields.
pub fn invalid(errors: &[(&str, &str)]) -> Value {
    let errors: Vec<Value> = errors
        .iter()
        .map(|(field, message)| json!({"field": field, "message": message}))
        .collect();
    json!({"status": "error", "message": "Validation failed", "errors": errors})
}

/// 401.
pub fn unauthenticated() -> Value {
    json!({
        "status": "error",
        "message": "Authentication required. Provide x-api-key header.",
        "error_code": "AUTHENTICATION_REQUIRED",
    })
}

/// 403, for want of this scope.
pub fn forbidden(scope: &str) -> Value {
    json!({
        "status": "error",
        "message": format!("Forbidden: required scope '{scope}' not granted for this API key"),
        "error_code": "INSUFFICIENT_SCOPE",
    })
}

/// 404.
pub fn not_found() -> Value {
    json!({"status": "error", "message": "Not found"})
}

/// 429, for a key that may make so many requests a day.
pub fn over_limit(limit: u32) -> Value {
    json!({
        "status": "error",
        "message": format!("Daily API key request limit of {limit} exceeded"),
        "error_code": "RATE_LIMIT_EXCEEDED",
    })
}

/// 500.
pub fn internal() -> Value {
    json!({"status": "error", "message": "Internal server error"})
}
