//! The service as its clients know it: over HTTP, on a real `PostgreSQL`. One module a chapter of
//! what the API promises; the names of the tests are the promises.

mod support;

mod addresses;
mod archive;
mod auth;
mod batch;
mod businesses;
mod card_numbers;
mod cli;
mod concurrency;
mod console;
mod create;
mod cursor;
mod daily_limit;
mod dates;
mod docs;
mod doctor;
mod embedded;
mod erase;
mod errors;
mod expand;
mod export;
mod get;
mod health;
mod hostile;
mod idempotency;
mod import;
mod import_again;
mod list;
mod long_texts;
mod matching;
mod metrics;
mod migrations;
mod openapi;
mod order_of_checks;
mod outages;
mod overload;
mod pages;
mod payment_methods;
mod personal_data;
mod pgbouncer;
mod plans;
mod rate_limits;
mod retag;
mod retries;
mod search;
mod sorting;
mod tags;
mod tenancy;
mod totals;
#[cfg(feature = "otel")]
mod traces;
mod unicode;
mod update;
mod validation;
