//! What every chapter needs: a `PostgreSQL` of our own, a running service, and the documented
//! error bodies.

pub mod app;
pub mod bodies;
pub mod cluster;
pub mod desk;
pub mod explain;
pub mod forwarder;
pub mod pgbouncer;
pub mod postgres;
pub mod program;
pub mod watchdog;

pub use app::{App, Reply, Tenant};
