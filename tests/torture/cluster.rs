//! A `PostgreSQL` of its own, which is killed and started again.

use std::io::Write;
use std::process::Child;
use std::time::{Duration, Instant};

use clientele::embedded::binaries;
use sqlx::{Connection, PgConnection};

use crate::support::watchdog::Scratch;

/// Keeps a cluster in `$1` with the programs `$2` (initdb) and `$3` (postgres): each line of standard
/// input is a signal for the server, which is then started again. At its end everything goes. Nothing
/// is synced, as it is programs that are killed here and no machine; but commits are waited for.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
cd "$1" || exit 1
"$2" -D "$1/data" --encoding=UTF8 --locale=C.UTF-8 --auth=trust -U clientele --no-sync >"$1/log" 2>&1 || exit 1
start() {
    "$3" -D "$1/data" -k "$1" -c listen_addresses= -c max_connections=100 -c shared_buffers=32MB \
        -c fsync=off </dev/null >>"$1/log" 2>&1 &
    postgres=$!
}
start "$@"
while read -r signal; do
    kill -"$signal" $postgres
    wait $postgres
    # What is left of a server that was killed ends by itself; until then no other can start.
    while start "$@"; sleep 0.2; ! kill -0 $postgres 2>/dev/null; do :; done
done
kill -QUIT $postgres
wait $postgres
cd /
rm -rf "$1"
"#;

const PATIENCE: Duration = Duration::from_mins(1);

pub struct Cluster {
    watchdog: Child,
    url: String,
}

impl Cluster {
    /// A new one, with an empty database.
    pub async fn start() -> Self {
        let binaries = binaries::find(None).expect("PostgreSQL's programs");
        let scratch = Scratch::new();
        let programs = [binaries.path("initdb"), binaries.path("postgres")];
        let url = format!(
            "postgres://clientele@localhost/postgres?host={}&port=5432",
            scratch.dir.display()
        );
        let cluster = Self {
            watchdog: scratch.watch(WATCHDOG, &programs),
            url,
        };
        cluster.is_there().await;
        cluster
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends the server a signal, and starts it again once it has ended: KILL as a crash would, INT for
    /// a fast shutdown.
    pub fn restart(&mut self, signal: &str) {
        let orders = self.watchdog.stdin.as_mut().expect("its input");
        writeln!(orders, "{signal}").expect("an order");
    }

    /// Waits until it takes connections.
    pub async fn is_there(&self) {
        let deadline = Instant::now() + PATIENCE;
        while PgConnection::connect(&self.url).await.is_err() {
            assert!(Instant::now() < deadline, "PostgreSQL does not come back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Kills one of the service's sessions. The server takes that for a crash, and begins anew with all
    /// others.
    pub async fn kill_a_session(&self) {
        let Ok(mut connection) = PgConnection::connect(&self.url).await else {
            return;
        };
        let pid: Result<i32, _> = sqlx::query_scalar(
            "select pid from pg_stat_activity where application_name = 'clientele' limit 1",
        )
        .fetch_one(&mut connection)
        .await;
        if let Ok(pid) = pid {
            let kill = std::process::Command::new("kill")
                .args(["-KILL", &pid.to_string()])
                .status();
            assert!(kill.expect("kill").success());
        }
    }
}
