//! `clientele serve`: the service.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use super::database::Database;
use super::stop::Stop;
use super::{CliError, demo, print};
use crate::config::Settings;
use crate::http;
use crate::metrics::Metrics;
use crate::store::Store;

/// How often what was kept long enough is deleted.
const HOUSEKEEPING: Duration = Duration::from_mins(10);

/// Where the service listens.
struct Listeners {
    api: TcpListener,
    metrics: Option<TcpListener>,
}

/// Serves until told to stop; what is under way then is finished first.
pub async fn run(settings: &Settings) -> Result<(), CliError> {
    let mut stop = Stop::listen()?;
    // First of all: an address that is taken is the commonest reason not to start.
    let listeners = Listeners {
        api: bind(settings.bind, "CLIENTELE_BIND")?,
        metrics: match settings.metrics_bind {
            Some(address) => Some(bind(address, "CLIENTELE_METRICS_BIND")?),
            None => None,
        },
    };
    Database::with(settings, async |database| {
        serve(settings, listeners, database, &mut stop).await
    })
    .await
}

fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, CliError> {
    TcpListener::bind(address).map_err(|source| CliError::Bind {
        address,
        setting,
        source,
    })
}

async fn serve(
    settings: &Settings,
    listeners: Listeners,
    database: &Database,
    stop: &mut Stop,
) -> Result<(), CliError> {
    let (store, demo_key) = tokio::select! {
        ready = prepare(settings, database) => ready?,
        () = stop.told() => return Ok(()),
    };
    let metrics = Metrics::new(&store).map_err(io::Error::other)?;
    let address = listeners.api.local_addr()?;
    let mut metrics_address = None;
    let mut scraped = None;
    if let Some(listener) = listeners.metrics {
        metrics_address = Some(listener.local_addr()?);
        let server = http::metrics::serve(listener, metrics.clone())?;
        scraped = Some(server.handle());
        tokio::spawn(server);
    }
    let housekeeping = tokio::spawn(keep_house(store.clone()));
    let options = http::Options {
        failed_authentications: settings.failed_authentications,
        trusted_proxies: settings.trusted_proxies.clone(),
        waits: settings.waits,
        ..http::Options::for_connections(store.connections())
    };
    let server = http::serve(listeners.api, store.clone(), metrics, options)?;
    greet(address, metrics_address, demo_key.as_deref());
    let stopped = until_stopped(server, stop).await;
    housekeeping.abort();
    stopped?;
    if let Some(scraped) = scraped {
        scraped.stop(false).await;
    }
    store.give_back_leases().await;
    store.close();
    tracing::info!("stopped");
    Ok(())
}

/// Deletes what was kept long enough, now and then. Every server does: they do not disturb each other.
async fn keep_house(store: Store) {
    let mut times = tokio::time::interval(HOUSEKEEPING);
    loop {
        times.tick().await;
        if let Err(error) = store.delete_old_replies().await {
            tracing::warn!(%error, "could not delete what was kept long enough");
        }
    }
}

/// The store, and the demo key when there is one.
async fn prepare(
    settings: &Settings,
    database: &Database,
) -> Result<(Store, Option<String>), CliError> {
    let store = database.store(settings, true).await?;
    let key = match database.embedded() {
        Some(embedded) => demo::key(&store, embedded.data_dir()).await?,
        None => None,
    };
    Ok((store, key))
}

async fn until_stopped(server: actix_web::dev::Server, stop: &mut Stop) -> Result<(), CliError> {
    let handle = server.handle();
    let mut server = tokio::spawn(server);
    tokio::select! {
        ended = &mut server => return Ok(ended.map_err(std::io::Error::other)??),
        () = stop.told() => {}
    }
    tracing::info!("stopping: no new requests, finishing those under way");
    tokio::select! {
        () = handle.stop(true) => {}
        () = stop.told() => {
            tracing::warn!("told again: stopping at once");
            handle.stop(false).await;
        }
    }
    Ok(server.await.map_err(std::io::Error::other)??)
}

/// Tells where the service is, and a line to try it with.
fn greet(address: SocketAddr, metrics: Option<SocketAddr>, demo_key: Option<&str>) {
    let url = format!("http://{}", reachable(address));
    let (invitation, arguments) = match demo_key {
        Some(key) => (
            "Try it, as the company \"demo\":",
            format!(
                "/customers -H 'x-api-key: {key}' -H 'rotor-api-version: {}' \
                -H 'content-type: application/json' \
                -d '{{\"first_name\": \"Ada\", \"phone\": \"(763) 555-0100\"}}'",
                http::API_VERSION
            ),
        ),
        None => ("Try it:", "/health/ready".to_owned()),
    };
    let metrics = metrics.map_or(String::new(), |address| {
        format!(", metrics on http://{}/metrics", reachable(address))
    });
    // The service goes on when nobody reads this.
    let _ = print(&format!(
        "Clientele {} listens on {url}{metrics}\n\n{invitation}\n\n  curl {url}{arguments}\n",
        env!("CARGO_PKG_VERSION")
    ));
}

/// The address as a client on this machine would write it.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
