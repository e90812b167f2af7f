//! Clientele: the customer directory that a business hosts itself.
//!
//! Requests come in through [`http`], are decided by the rules of [`domain`], and are kept by
//! [`store`], which knows nothing of HTTP. [`embedded`] is the private
//! `PostgreSQL` of the zero-setup start, [`cli`] the program's commands.

pub mod cli;
pub mod config;
pub mod domain;
pub mod embedded;
pub mod files;
pub mod http;
pub mod metrics;
pub mod store;
pub mod telemetry;
