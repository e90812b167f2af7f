//! What stands before a database that may move: an address which leads elsewhere after a failover.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

pub struct Forwarder {
    port: u16,
    leads_to: watch::Sender<PathBuf>,
}

impl Forwarder {
    /// One that leads to this socket.
    pub async fn to(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let (leads_to, target) = watch::channel(socket.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, target.clone()));
            }
        });
        Self { port, leads_to }
    }

    /// Leads elsewhere from now on, and cuts the connections that it has.
    pub fn lead_to(&self, socket: &Path) {
        self.leads_to.send_replace(socket.to_owned());
    }

    /// The database behind it.
    pub fn url(&self) -> String {
        format!("postgres://clientele@127.0.0.1:{}/postgres", self.port)
    }
}

async fn forward(mut client: TcpStream, mut target: watch::Receiver<PathBuf>) -> io::Result<()> {
    let socket = target.borrow_and_update().clone();
    let mut server = UnixStream::connect(socket).await?;
    tokio::select! {
        end = copy_bidirectional(&mut client, &mut server) => end.map(drop),
        _ = target.changed() => Ok(()),
    }
}
