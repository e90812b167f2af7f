//! `PgBouncer` in front of the cluster, in transaction mode: whoever asks next has the next free
//! connection, and nothing that a session keeps can be relied on.
//!
//! Like the cluster it belongs to a watchdog that ends it when this process does.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clientele::embedded::user;
use url::Url;

use super::postgres;

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
        // As root, it must run as someone else, as PostgreSQL must.
        let account = user::service_user().expect("an account to run PgBouncer as");
        let dir = tempfile::Builder::new()
            .prefix("clientele-tests-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in("/tmp") // Short: a socket's path has at most 107 bytes.
            .expect("a directory under /tmp")
            .keep();
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
        let mut watchdog = Command::new("/bin/sh");
        watchdog
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own, so that Ctrl-C does not reach it.
            .process_group(0);
        if let Some(account) = account {
            chown(&dir, Some(account.uid), Some(account.gid)).expect("the directory handed over");
            watchdog.uid(account.uid).gid(account.gid);
        }
        let pgbouncer = Self {
            watchdog: watchdog.spawn().expect("a shell"),
            dir,
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
