//! JSON and query strings in, JSON out: the only place that knows the documented shapes.

pub mod auth;
pub mod batch;
pub mod customer;
mod expanded;
mod fields;
pub mod list;
pub mod payment_method;
pub mod personal_data;
pub mod tags;
pub mod upsert;

use chrono::{DateTime, SecondsFormat, Utc};

/// A time as it is sent: RFC 3339, UTC, milliseconds.
fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
