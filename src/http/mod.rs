//! HTTP: the routes, and the server's limits.

mod archive;
mod auth;
mod console;
mod customers;
mod docs;
mod error;
mod export;
mod failed_authentications;
mod health;
mod idempotency;
mod key_cache;
pub mod metrics;
pub mod openapi;
mod payment_methods;
mod privacy;
mod rate_limits;
mod request_id;
mod slow_bodies;
mod tags;
pub(crate) mod wire;

use std::net::TcpListener;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpServer, Resource, Route};
use ipnet::IpNet;

use crate::domain::key::Scope;
use crate::metrics::Metrics;
use crate::store::Store;
use auth::Gate;
use error::ApiError;
use failed_authentications::FailedAuthentications;
use rate_limits::RateLimits;
// For whoever wants to read what a request says without a server: the fuzz targets.
pub use wire::list::list_query;
pub use wire::upsert::UpsertRequest;

/// The version of the API that is spoken here, as clients must name it.
pub const API_VERSION: &str = "1.1.0";

/// Under this everything of the API is served too, as clients of the hosted one expect.
const PREFIX: &str = "/open-api";

/// The largest body that is read, in bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// The same for a batch.
const BATCH_LIMIT: usize = 8 * 1024 * 1024;

/// The fewest connections that are worth a worker (measured: with four it is as fast as with more).
const CONNECTIONS_OF_A_WORKER: usize = 4;

/// How the server is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads that serve requests.
    pub workers: usize,
    /// How many keys that do not work an address may try in a minute; none: any number.
    pub failed_authentications: Option<NonZeroU32>,
    /// Proxies that tell in `x-forwarded-for` for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// How long it waits for its clients.
    pub waits: Waits,
}

/// How long the service waits for its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For the head of a request,
    pub header: Duration,
    /// and for its whole body.
    pub body: Duration,
    /// For the next request on a connection.
    pub keep_alive: Duration,
    /// For requests under way, once it is told to stop.
    pub shutdown: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(5),
            body: Duration::from_secs(30),
            keep_alive: Duration::from_secs(5),
            shutdown: Duration::from_secs(30),
        }
    }
}

impl Options {
    /// One worker for each core, as far as there are connections to the database for them: a worker
    /// has its own, and with a few of them one that waits for a lock holds up nobody.
    #[must_use]
    pub fn for_connections(connections: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            workers: (connections / CONNECTIONS_OF_A_WORKER).clamp(1, cores),
            failed_authentications: None,
            trusted_proxies: Vec::new(),
            waits: Waits::default(),
        }
    }
}

/// Serves `store` on `listener`, and counts in `metrics`. The server runs while the answer is
/// awaited; its handle stops it, gracefully or not. Signals are left to the caller.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    store: Store,
    metrics: Metrics,
    options: Options,
) -> std::io::Result<Server> {
    let metrics = Data::new(metrics);
    // For all workers together: a client's connections are spread over them.
    let limits = Arc::new(RateLimits::new());
    let failures = Arc::new(FailedAuthentications::new(
        options.failed_authentications,
        options.trusted_proxies,
    ));
    let (workers, waits) = (options.workers, options.waits);
    let server = HttpServer::new(move || {
        // Once for each worker, on its thread: what workers shared they would wake each other for.
        let store = store.share(workers);
        let gate = Data::new(Gate::new(store.clone(), limits.clone(), failures.clone()));
        let store = Data::new(store);
        App::new()
            .app_data(store.clone())
            .app_data(gate.clone())
            .app_data(metrics.clone())
            .app_data(error::json_config(BODY_LIMIT))
            .wrap(from_fn(move |request, next| {
                slow_bodies::limit(waits.body, request, next)
            }))
            .wrap(from_fn(request_id::trace))
            .configure(health_routes)
            .configure(docs_routes)
            .configure(console::routes)
            .configure(api_routes)
            .service(
                web::scope(PREFIX)
                    .configure(api_routes)
                    .default_service(web::to(not_found)),
            )
            .default_service(web::to(not_found))
    })
    .workers(workers)
    .client_request_timeout(waits.header)
    .keep_alive(waits.keep_alive)
    .shutdown_timeout(waits.shutdown.as_secs())
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

/// Every path of the API: served at the root and under [`PREFIX`].
fn api_routes(config: &mut ServiceConfig) {
    let read = Scope::CustomersRead;
    let write = Scope::CustomersWrite;
    config
        .service(api("/auth/test", "GET").route(web::get().to(auth::test)))
        .service(
            api("/customers", "GET, POST")
                // Only lists are long enough to be worth it.
                .route(scoped(web::get().to(customers::list), read).wrap(Compress::default()))
                .route(scoped(web::post().to(customers::upsert), write)),
        )
        .service(
            api("/customers/batch", "POST")
                .app_data(error::json_config(BATCH_LIMIT))
                .route(scoped(web::post().to(customers::batch), write)),
        )
        .service(api("/customers/export", "GET").route(scoped(web::get().to(export::export), read)))
        .configure(one_customer_routes)
        .configure(payment_method_routes);
}

/// The calls about one customer. Behind the others below `/customers`, which its id could be.
fn one_customer_routes(config: &mut ServiceConfig) {
    let read = Scope::CustomersRead;
    let write = Scope::CustomersWrite;
    config
        .service(
            api("/customers/{id}", "GET, DELETE")
                .route(scoped(web::get().to(customers::get), read))
                .route(scoped(
                    web::delete().to(privacy::erase),
                    Scope::CustomersDelete,
                )),
        )
        .service(
            api("/customers/{id}/archive", "POST")
                .route(scoped(web::post().to(archive::archive), write)),
        )
        .service(
            api("/customers/{id}/restore", "POST")
                .route(scoped(web::post().to(archive::restore), write)),
        )
        .service(
            api("/customers/{id}/export", "GET")
                .route(scoped(web::get().to(privacy::export), read)),
        )
        .service(
            api("/customers/{id}/tags", "POST").route(scoped(web::post().to(tags::retag), write)),
        );
}

fn payment_method_routes(config: &mut ServiceConfig) {
    let write = Scope::PaymentMethodsWrite;
    config
        .service(
            api("/customers/{id}/payment-methods", "GET, POST")
                .route(scoped(
                    web::get().to(payment_methods::list),
                    Scope::CustomersRead,
                ))
                .route(scoped(web::post().to(payment_methods::save), write)),
        )
        .service(
            api("/customers/{id}/payment-methods/{payment_method}", "DELETE")
                .route(scoped(web::delete().to(payment_methods::remove), write)),
        );
}

/// What needs neither key nor version.
fn health_routes(config: &mut ServiceConfig) {
    config
        .service(
            open("/health/live", "GET, HEAD")
                .route(web::route().guard(health::probe()).to(health::live)),
        )
        .service(
            open("/health/ready", "GET, HEAD")
                .route(web::route().guard(health::probe()).to(health::ready)),
        );
}

/// What browsers read: only at the root, and without a key too.
fn docs_routes(config: &mut ServiceConfig) {
    let get = || web::route().guard(health::probe());
    config
        .service(
            open("/openapi.json", "GET, HEAD")
                .route(get().to(docs::document).wrap(Compress::default())),
        )
        .service(open("/", "GET, HEAD").route(get().to(docs::root)))
        .service(open("/docs", "GET, HEAD").route(get().to(docs::page)))
        .service(open("/docs/{file}", "GET, HEAD").route(get().to(docs::file)));
}

/// A resource that checks key, version and daily limit before anything else.
fn api(
    path: &str,
    allow: &'static str,
) -> Resource<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    open(path, allow).wrap(from_fn(auth::authenticate))
}

fn open(path: &str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move {
        Err::<String, _>(ApiError::MethodNotAllowed { allow })
    }))
}

/// A route for keys with `scope`.
fn scoped(route: Route, scope: Scope) -> Route {
    route.wrap(from_fn(move |request, next| {
        auth::require(scope, request, next)
    }))
}

async fn not_found() -> Result<String, ApiError> {
    Err(ApiError::NotFound)
}
