//! A `PostgreSQL` of one test's own, with the durability that it has by default: it may be killed, kept
//! waiting, and followed by a standby.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use clientele::embedded::binaries::{self, Binaries};
use clientele::embedded::user;
use clientele::store::migrate;

use super::postgres;
use super::watchdog::Scratch;

/// Ends the cluster in `$1` with the program `$2` (`pg_ctl`) when standard input ends.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
while read -r _; do :; done
"$2" -D "$1/data" -m immediate stop >/dev/null 2>&1
cd /
rm -rf "$1"
"#;

const SETTINGS: &str = "
listen_addresses = ''
max_connections = 50
shared_buffers = 32MB
";

/// What a socket is named after, where no port is set.
const PORT: u16 = 5432;

/// Megabytes of the small disk.
const SMALL_DISK: u32 = 8;

pub struct Cluster {
    pub dir: PathBuf,
    programs: Binaries,
    /// Kept for its standard input: the pipe that keeps the cluster alive.
    _watchdog: Child,
}

impl Cluster {
    /// A running one, with the newest schema.
    pub async fn start() -> Self {
        let cluster = Self::with_data(Self::initdb);
        run(cluster.pg_ctl("start"));
        cluster.migrate(PORT).await;
        cluster
    }

    /// The same with a tablespace `small` on a disk that is soon full; none where the machine does not
    /// let this process mount one.
    pub async fn with_small_disk() -> Option<Self> {
        // Within a namespace of the server's own: however the test ends, the disk goes with it.
        let account = user::service_user().ok().flatten()?;
        let allowed = Command::new("unshare").args(["--mount", "true"]).status();
        if !allowed.is_ok_and(|status| status.success()) {
            return None;
        }
        let cluster = Self::with_data(Self::initdb);
        let disk = cluster.dir.join("small");
        std::fs::create_dir(&disk).expect("a place for the disk");
        let (user, group) = (account.uid.to_string(), account.gid.to_string());
        let mount = format!("size={SMALL_DISK}m,mode=700,uid={user},gid={group}");
        let script = r#"mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@""#;
        let start = cluster.pg_ctl("start");
        let mut start_there = Command::new("unshare");
        start_there
            .args(["--mount", "sh", "-c", script, "small-disk", &mount])
            .arg(&disk)
            .args(["setpriv", "--reuid", &user, "--regid", &group])
            .arg("--clear-groups")
            .arg(start.get_program())
            .args(start.get_args());
        run(start_there);
        cluster.migrate(PORT).await;
        let place = format!("create tablespace small location '{}'", disk.display());
        postgres::execute(&cluster.url(), &place).await;
        Some(cluster)
    }

    /// The same with a port of `localhost` at which it speaks TLS and nothing else, under a
    /// certificate and its key; the answer names the port too.
    pub async fn with_tls(certificate: &str, key: &str) -> (Self, u16) {
        let cluster = Self::with_data(Self::initdb);
        cluster.keep("server.crt", certificate);
        cluster.keep("server.key", key);
        cluster.keep(
            "pg_hba.conf",
            "local all all trust\nhostssl all all 127.0.0.1/32 trust\n",
        );
        // A port that was free a moment ago may be taken by now.
        for _ in 0..20 {
            let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let port = free.local_addr().expect("its address").port();
            drop(free);
            cluster.set(&format!(
                "ssl = on\nlisten_addresses = '127.0.0.1'\nport = {port}\n"
            ));
            if succeeds(cluster.pg_ctl("start")) {
                cluster.migrate(port).await;
                return (cluster, port);
            }
        }
        panic!("PostgreSQL did not start");
    }

    /// A standby that has all that this one has, and must have all that is acknowledged from now on.
    /// This one is stopped for a moment, to copy its files.
    pub fn standby(&self) -> Self {
        run(self.pg_ctl("stop"));
        let standby = Self::with_data(|standby| {
            let mut copy = as_the_server("cp");
            copy.arg("-a").arg(self.data()).arg(standby.data());
            copy
        });
        let follow = format!(
            "primary_conninfo = 'host={} user=clientele'\n",
            self.dir.display()
        );
        standby.set(&follow);
        File::create(standby.data().join("standby.signal")).expect("a standby's mark");
        self.set("synchronous_standby_names = '*'\n");
        run(self.pg_ctl("start"));
        run(standby.pg_ctl("start"));
        standby
    }

    /// Has commits wait, from soon on, until one of these standbys has them: for none, when there are no
    /// names.
    pub async fn wait_for_standbys(&self, names: &str) {
        for sql in [
            &format!("alter system set synchronous_standby_names = '{names}'"),
            "select pg_reload_conf()",
        ] {
            postgres::execute(&self.url(), sql).await;
        }
    }

    /// Where it is, unless it has a port of its own.
    pub fn url(&self) -> String {
        self.url_at(PORT)
    }

    fn url_at(&self, port: u16) -> String {
        format!(
            "postgres://clientele@localhost/postgres?host={}&port={port}",
            self.dir.display()
        )
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join(".s.PGSQL.5432")
    }

    /// Makes a standby one that writes.
    pub fn promote(&self) {
        assert!(self.order("promote"), "the standby is not promoted");
    }

    /// Has `pg_ctl` do this; the answer is whether it did.
    pub fn order(&self, order: &str) -> bool {
        let mut pg_ctl = self.pg_ctl(order);
        pg_ctl.stderr(Stdio::null());
        succeeds(pg_ctl)
    }

    /// Ends it as a crash would.
    pub fn kill(&self) {
        let file = std::fs::read_to_string(self.dir.join("data/postmaster.pid"));
        let file = file.expect("the server's process");
        let mut kill = Command::new("kill");
        kill.args(["-KILL", file.lines().next().expect("a number")]);
        run(kill);
    }

    /// A cluster that does not run yet, with the data that a command makes.
    fn with_data(make: impl FnOnce(&Self) -> Command) -> Self {
        let programs = binaries::find(None).expect("PostgreSQL's programs");
        let scratch = Scratch::new();
        let cluster = Self {
            _watchdog: scratch.watch(WATCHDOG, &[programs.path("pg_ctl")]),
            dir: scratch.dir,
            programs,
        };
        run(make(&cluster));
        let socket = format!("unix_socket_directories = '{}'\n", cluster.dir.display());
        cluster.set(&format!("{SETTINGS}{socket}"));
        cluster
    }

    fn initdb(&self) -> Command {
        let mut initdb = as_the_server(self.programs.path("initdb"));
        initdb.arg("-D").arg(self.data());
        initdb.args(["--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"]);
        initdb.args(["-U", "clientele", "--no-sync"]);
        initdb
    }

    fn pg_ctl(&self, order: &str) -> Command {
        let mut pg_ctl = as_the_server(self.programs.path("pg_ctl"));
        pg_ctl.arg("-D").arg(self.data());
        pg_ctl
            .args(["-w", "-m", "fast", "-l"])
            .arg(self.dir.join("log"));
        pg_ctl.arg(order);
        pg_ctl
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Keeps a file that is the server's alone.
    fn keep(&self, name: &str, text: &str) {
        let file = self.data().join(name);
        std::fs::write(&file, text).expect("a file of the server's");
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("its mode");
        if let Some(account) = user::service_user().expect("an account") {
            chown(&file, Some(account.uid), Some(account.gid)).expect("its owner");
        }
    }

    /// Adds to the settings; the last of a name counts.
    fn set(&self, lines: &str) {
        let settings = self.data().join("postgresql.conf");
        let mut settings = OpenOptions::new()
            .append(true)
            .open(settings)
            .expect("settings");
        settings
            .write_all(lines.as_bytes())
            .expect("written settings");
    }

    async fn migrate(&self, port: u16) {
        migrate::run(&self.url_at(port))
            .await
            .expect("the migrations");
    }
}

/// A command of the account that the server runs as.
fn as_the_server(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some(account) = user::service_user().expect("an account") {
        account.run(&mut command);
    }
    command
}

fn run(command: Command) {
    let told = format!("{command:?}");
    assert!(succeeds(command), "{told} failed");
}

fn succeeds(mut command: Command) -> bool {
    let quiet = command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    quiet.status().expect("the program").success()
}
