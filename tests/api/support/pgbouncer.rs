//! `PgBouncer` in front of the cluster, in transaction mode: whoever asks next has the next free
//! connection, and nothing that a session keeps can be relied on.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use url::Url;

use super::postgres;
use super::watchdog::Scratch;

/// Starts `PgBouncer` in `$1`, and ends it when standard input does. Debian has it where only
/// root's shell looks.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
PATH="$PATH:/usr/sbin"
cd "$1" || exit 1
pgbouncer "$1/pgbouncer.ini" </dev/null >"$1/log" 2>&1 &
pgbouncer=$!
while read -r _; do :; done
kill -KILL $pgbouncer
wait $pgbouncer
cd /
rm -rf "$1"
"#;

/// Only in the name of the socket.
const PORT: u16 = 6432;

const PATIENCE: Duration = Duration::from_mins(1);

/// A running `PgBouncer`, until it is dropped.
pub struct PgBouncer {
    dir: PathBuf,
    watchdog: Child,
}

impl PgBouncer {
    /// Starts one with so many connections to each database.
    pub fn start(connections: u32) -> Self {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        let settings = format!(
            "[databases]
            * = host={} port=5432 user=clientele
            [pgbouncer]
            listen_addr =
            listen_port = {PORT}
            unix_socket_dir = {}
            auth_type = any
            pool_mode = transaction
            default_pool_size = {connections}
            query_wait_timeout = 30
            ",
            postgres::socket_dir().display(),
            dir.display()
        );
        std::fs::write(dir.join("pgbouncer.ini"), settings).expect("settings");
        let pgbouncer = Self {
            watchdog: scratch.watch(WATCHDOG, &[]),
            dir: scratch.dir,
        };
        pgbouncer.wait();
        pgbouncer
    }

    /// Where the same database is through it. No statement is prepared for later: the next request
    /// may come to another session.
    pub fn url(&self, database_url: &str) -> String {
        let database = Url::parse(database_url).expect("a URL");
        format!(
            "postgres://clientele@localhost{}?host={}&port={PORT}&statement-cache-capacity=0",
            database.path(),
            self.dir.display()
        )
    }

    fn wait(&self) {
        let socket = self.dir.join(format!(".s.PGSQL.{PORT}"));
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(&socket).is_err() {
            let log = || std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            assert!(
                Instant::now() < deadline,
                "PgBouncer did not start: {}",
                log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // Closes its standard input first.
        let _ = self.watchdog.wait();
    }
}
