//! One `PostgreSQL` cluster for the whole test process, and a database of its own for each test.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clientele::embedded::binaries;
use clientele::store::migrate;
use sqlx::{AssertSqlSafe, Connection, Decode, PgConnection, Postgres, Type};
use tokio::sync::Mutex;

use super::watchdog::Scratch;

/// Starts the cluster in `$1` with the programs `$2` (initdb) and `$3` (postgres), and ends it when
/// standard input does. A shell's background job ignores SIGQUIT, but postgres sets its own handler.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
cd "$1" || exit 1
"$2" -D "$1/data" --encoding=UTF8 --locale=C.UTF-8 --auth=trust -U clientele --no-sync >"$1/log" 2>&1
if [ $? -eq 0 ]; then
    "$3" -D "$1/data" -k "$1" -c listen_addresses= -c max_connections=400 -c shared_buffers=32MB \
        -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off \
        </dev/null >>"$1/log" 2>&1 &
    postgres=$!
    while read -r _; do :; done
    kill -QUIT $postgres
    wait $postgres
else
    cat "$1/log" >&2
fi
cd /
rm -rf "$1"
"#;

const PATIENCE: Duration = Duration::from_mins(1);

struct Cluster {
    dir: PathBuf,
    /// Kept for its standard input: the pipe that keeps the cluster alive.
    watchdog: Child,
}

/// A migrated database that goes when it is dropped.
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    /// A new database with the newest schema.
    pub async fn create() -> Self {
        Self::copy_of("pattern").await
    }

    /// A new database with nothing in it.
    pub async fn create_empty() -> Self {
        Self::copy_of("template0").await
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn copy_of(template: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        // PostgreSQL does not copy a database that another session is copying.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

        let cluster = cluster();
        let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let _turn = ONE_AT_A_TIME.lock().await;
        execute(
            &cluster.url("postgres"),
            &format!("create database {name} template {template}"),
        )
        .await;
        Self {
            url: cluster.url(&name),
            name,
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let url = cluster().url("postgres");
        let sql = format!("drop database {} with (force)", self.name);
        // A thread, because the test's own runtime is busy dropping this.
        apart(async move {
            if let Ok(mut connection) = PgConnection::connect(&url).await {
                let _ = sqlx::raw_sql(AssertSqlSafe(sql))
                    .execute(&mut connection)
                    .await;
            }
        });
    }
}

/// Runs `sql`, any number of statements, on a connection of its own.
pub async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.expect("a clean goodbye");
}

/// What `sql`, a query of one column, answers.
pub async fn column<T>(url: &str, sql: &str) -> Vec<T>
where
    T: for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
{
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let column = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_all(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.expect("a clean goodbye");
    column
}

/// The directory of the cluster's socket.
pub fn socket_dir() -> &'static Path {
    &cluster().dir
}

/// The cluster's log.
pub fn log() -> PathBuf {
    cluster().dir.join("log")
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

impl Cluster {
    fn start() -> Self {
        let binaries = binaries::find(None).expect("PostgreSQL's programs");
        let scratch = Scratch::new();
        let mut cluster = Self {
            watchdog: scratch.watch(
                WATCHDOG,
                &[binaries.path("initdb"), binaries.path("postgres")],
            ),
            dir: scratch.dir,
        };
        cluster.await_and_fill();
        cluster
    }

    fn await_and_fill(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let socket = self.dir.join(".s.PGSQL.5432");
        let (admin, pattern) = (self.url("postgres"), self.url("pattern"));
        while !socket.exists() {
            if let Some(status) = self.watchdog.try_wait().expect("the watchdog's state") {
                panic!("PostgreSQL did not start: {status}");
            }
            assert!(
                Instant::now() < deadline,
                "PostgreSQL took too long to start"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        apart(async move {
            // The socket is there a moment before the server takes connections.
            while PgConnection::connect(&admin).await.is_err() {
                assert!(
                    Instant::now() < deadline,
                    "PostgreSQL took too long to start"
                );
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            execute(&admin, "create database pattern").await;
            migrate::run(&pattern).await.expect("the migrations");
        });
    }

    fn url(&self, database: &str) -> String {
        url(&self.dir, database)
    }
}

fn url(dir: &Path, database: &str) -> String {
    format!(
        "postgres://clientele@localhost/{database}?host={}&port=5432",
        dir.display()
    )
}

/// Runs `work` to its end on a thread and a runtime of its own: nothing is left behind that is
/// bound to the runtime of one test.
fn apart(work: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(work);
    })
    .join()
    .expect("the work on its own thread");
}
