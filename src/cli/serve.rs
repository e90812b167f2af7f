//! `clientele serve`: the service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::database::Database;
use super::{CliError, demo};
use crate::config::Settings;
use crate::http;
use crate::store::Store;

/// Serves until told to stop; what is under way then is finished first.
pub async fn run(settings: &Settings) -> Result<(), CliError> {
    let stop = Stop::listen()?;
    // First of all: an address that is taken is the commonest reason not to start.
    let listener = TcpListener::bind(settings.bind).map_err(|source| CliError::Bind {
        address: settings.bind,
        source,
    })?;
    let database = Database::open(settings).await?;
    let served = serve(settings, listener, &database, stop).await;
    database.close().await?;
    served
}

async fn serve(
    settings: &Settings,
    listener: TcpListener,
    database: &Database,
    stop: Stop,
) -> Result<(), CliError> {
    let store = database.store(settings).await?;
    let key = match database.embedded() {
        Some(embedded) => demo::key(&store, embedded.data_dir()).await?,
        None => None,
    };
    let address = listener.local_addr()?;
    let server = http::serve(listener, store.clone(), http::Options::default())?;
    greet(address, key.as_deref());
    until_stopped(server, stop).await?;
    close(&store).await;
    Ok(())
}

async fn until_stopped(server: actix_web::dev::Server, stop: Stop) -> Result<(), CliError> {
    let handle = server.handle();
    let mut server = tokio::spawn(server);
    tokio::select! {
        ended = &mut server => return Ok(ended.map_err(std::io::Error::other)??),
        () = stop.told() => {}
    }
    tracing::info!("stopping: no new requests, finishing those under way");
    handle.stop(true).await;
    Ok(server.await.map_err(std::io::Error::other)??)
}

async fn close(store: &Store) {
    store.close().await;
    tracing::info!("stopped");
}

/// Tells where the service is, and a line to try it with.
fn greet(address: SocketAddr, demo_key: Option<&str>) {
    let url = format!("http://{}", reachable(address));
    println!("Clientele {} listens on {url}", env!("CARGO_PKG_VERSION"));
    println!();
    match demo_key {
        Some(key) => {
            println!("Try it, as the company \"demo\":");
            println!();
            println!(
                "  curl {url}/customers -H 'x-api-key: {key}' -H 'rotor-api-version: {}' \
                -H 'content-type: application/json' \
                -d '{{\"first_name\": \"Ada\", \"phone\": \"(763) 555-0100\"}}'",
                http::API_VERSION
            );
        }
        None => println!("Try it:\n\n  curl {url}/health/ready"),
    }
    println!();
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

/// SIGINT and SIGTERM, heard from the start: one that comes while the database starts is obeyed as
/// soon as it can be, and leaves nothing behind.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn told(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
