//! One database cluster: its directory, its making, its start and stop.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use url::form_urlencoded::Serializer;

use super::binaries::Binaries;
use super::user::{ServiceUser, with_uid};
use super::{EmbeddedError, at, create_dir};

/// The superuser of the cluster, and the name of the database.
const NAME: &str = "clientele";
/// Only names the socket: nothing listens on a network.
const PORT: u16 = 5432;
/// How long a start may take: replaying the log after a crash can be long.
const START_SECONDS: &str = "600";
const STOP_SECONDS: &str = "60";
/// How long a server that is neither up nor down is waited for.
const CHANGING: Duration = Duration::from_secs(10);
/// Locales with Unicode's character classes, best first; the last is always there.
const LOCALES: [&str; 3] = ["C.UTF-8", "en_US.UTF-8", "C"];

/// A cluster in a directory, and the programs that run it.
#[derive(Debug)]
pub(super) struct Cluster {
    dir: PathBuf,
    user: Option<ServiceUser>,
    binaries: Binaries,
}

/// The socket on which the server of the cluster in `dir` listens.
pub(super) fn socket(dir: &Path) -> PathBuf {
    run_dir(dir).join(format!(".s.PGSQL.{PORT}"))
}

/// The major version of the programs that made the cluster in `dir`; none when it is still to be
/// made.
pub(super) fn major_version(dir: &Path) -> Result<Option<u32>, EmbeddedError> {
    let path = data_dir(dir).join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(version) => Ok(version.trim().parse().ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(&path, error)),
    }
}

fn data_dir(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn run_dir(dir: &Path) -> PathBuf {
    dir.join("run")
}

impl Cluster {
    /// The cluster in `dir`, which need not be there yet. It runs as `user`, or as whom its data
    /// belong to.
    pub fn at(dir: PathBuf, user: Option<ServiceUser>, binaries: Binaries) -> Self {
        let owner = || {
            let made = fs::symlink_metadata(&dir).ok()?;
            with_uid(made.uid()).filter(|owner| owner.uid != 0)
        };
        let user = user.map(|user| owner().unwrap_or(user));
        Self {
            dir,
            user,
            binaries,
        }
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        let socket = Serializer::new(String::new())
            .append_pair("host", &run_dir(&self.dir).to_string_lossy())
            .finish();
        format!("postgres://{NAME}@localhost:{PORT}/{NAME}?{socket}")
    }

    /// Makes the cluster, unless it is there.
    ///
    /// All below its directory is made by the one who runs it: root writes nothing, and follows no
    /// link, where another user could have put one.
    pub fn prepare(&self) -> Result<(), EmbeddedError> {
        create_dir(&self.dir, 0o700)?;
        if let Some(user) = &self.user {
            let made = fs::symlink_metadata(&self.dir).map_err(|source| at(&self.dir, source))?;
            if made.uid() == 0 {
                lchown(&self.dir, Some(user.uid), Some(user.gid))
                    .map_err(|source| at(&self.dir, source))?;
            }
        }
        self.check_reachable()?;
        self.tool("mkdir", &["-p", "run", "log"])?;
        if data_dir(&self.dir).exists() {
            return Ok(());
        }
        // Made beside its place and then moved there: one that was interrupted is never taken for
        // a whole one.
        self.tool("rm", &["-rf", "data.new"])?;
        let new = self.dir.join("data.new");
        self.init(&new)?;
        self.create_database(&new)?;
        self.tool("mv", &["data.new", "data"])
    }

    /// Starts the server, unless it runs.
    pub fn start(&self) -> Result<(), EmbeddedError> {
        if self.is_listening()? {
            return Ok(());
        }
        let mut start = self.pg_ctl("start");
        start
            .args(["-w", "-t", START_SECONDS, "-l", "log/start.log", "-o"])
            .arg(self.options());
        let Err(mut failure) = self.succeed("pg_ctl start", start) else {
            return Ok(());
        };
        // It only says where the reason stands.
        if let EmbeddedError::Program { output, .. } = &mut failure {
            let mut tail = Command::new("tail");
            tail.args(["-n", "20", "log/start.log"]);
            output.push_str(&said(&self.run(tail)?));
        }
        Err(failure)
    }

    /// Stops the server: clients are sent away, what is committed is kept.
    pub fn stop(&self) -> Result<(), EmbeddedError> {
        let mut stop = self.pg_ctl("stop");
        stop.args(["-m", "fast", "-w", "-t", STOP_SECONDS]);
        self.succeed("pg_ctl stop", stop)
    }

    /// Whether the server runs and listens. Its pid file alone does not tell: after a crash of the
    /// machine the pid may be another's. One that is stopping, or only starting, is waited for.
    fn is_listening(&self) -> Result<bool, EmbeddedError> {
        let deadline = Instant::now() + CHANGING;
        loop {
            if !self.run(self.pg_ctl("status"))?.status.success() {
                return Ok(false);
            }
            if UnixStream::connect(socket(&self.dir)).is_ok() {
                return Ok(true);
            }
            if Instant::now() > deadline {
                // `pg_ctl start` knows what to make of it.
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Our settings, for the command line of the server, where they go over `postgresql.conf`; paths
    /// anew at each start, as the directory may have moved.
    fn options(&self) -> String {
        let settings = [
            ("listen_addresses", String::new()),
            ("port", PORT.to_string()),
            ("unix_socket_directories", in_list(&run_dir(&self.dir))),
            ("unix_socket_permissions", "0700".to_owned()),
            ("logging_collector", "on".to_owned()),
            (
                "log_directory",
                self.dir.join("log").to_string_lossy().into_owned(),
            ),
            ("log_filename", "postgresql-%a.log".to_owned()),
            ("log_rotation_age", "1d".to_owned()),
            ("log_truncate_on_rotation", "on".to_owned()),
        ];
        let options = settings.map(|(name, value)| format!("-c {name}={}", for_shell(&value)));
        options.join(" ")
    }

    /// Runs a program that comes with every system, in the cluster's directory.
    fn tool(&self, program: &'static str, arguments: &[&str]) -> Result<(), EmbeddedError> {
        let mut command = Command::new(program);
        command.args(arguments);
        self.succeed(program, command)
    }

    fn check_reachable(&self) -> Result<(), EmbeddedError> {
        let Some(user) = &self.user else {
            return Ok(());
        };
        let mut enter = Command::new("sh");
        enter
            .args(["-c", "cd \"$0\""])
            .arg(&self.dir)
            .current_dir("/");
        let entered = user.run(&mut enter).stderr(Stdio::null()).status();
        if entered.is_ok_and(|status| status.success()) {
            return Ok(());
        }
        Err(EmbeddedError::Unreachable {
            dir: self.dir.clone(),
            user: user.name.clone(),
        })
    }

    fn init(&self, new: &Path) -> Result<(), EmbeddedError> {
        let in_locale = |locale: &str| {
            let mut initdb = Command::new(self.binaries.path("initdb"));
            initdb
                .args(["--encoding=UTF8", "--auth=trust", "--username", NAME])
                .arg(format!("--locale={locale}"))
                .arg("--pgdata")
                .arg(new);
            self.succeed("initdb", initdb)
        };
        let [best, second, last] = LOCALES;
        in_locale(best)
            .or_else(|_| in_locale(second))
            .or_else(|_| in_locale(last))
    }

    /// Creates the database in the still unmoved cluster, without starting a server.
    fn create_database(&self, new: &Path) -> Result<(), EmbeddedError> {
        let mut single = Command::new(self.binaries.path("postgres"));
        single.args(["--single", "-D"]).arg(new).arg("postgres");
        single
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self
            .as_user(&mut single)
            .spawn()
            .map_err(|source| at(&self.binaries.path("postgres"), source))?;
        if let Some(mut input) = child.stdin.take() {
            writeln!(input, "create database {NAME}").map_err(|source| at(new, source))?;
        }
        let done = child.wait_with_output().map_err(|source| at(new, source))?;
        // In this mode errors are only printed.
        let output = said(&done);
        if done.status.success() && !output.contains("ERROR:") {
            return Ok(());
        }
        Err(EmbeddedError::Program {
            program: "postgres --single",
            output,
        })
    }

    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = Command::new(self.binaries.path("pg_ctl"));
        command.arg(action).arg("-D").arg(data_dir(&self.dir));
        command
    }

    /// Runs a program that must succeed; `name` is what an error calls it.
    fn succeed(&self, name: &'static str, command: Command) -> Result<(), EmbeddedError> {
        let done = self.run(command)?;
        if done.status.success() {
            return Ok(());
        }
        Err(EmbeddedError::Program {
            program: name,
            output: said(&done),
        })
    }

    /// Runs a program to its end, as the one to whom the cluster belongs.
    fn run(&self, mut command: Command) -> Result<Output, EmbeddedError> {
        let program = PathBuf::from(command.get_program());
        self.as_user(command.stdin(Stdio::null()))
            .output()
            .map_err(|source| at(&program, source))
    }

    fn as_user<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        // The working directory of a root shell is closed to others.
        command.current_dir(&self.dir);
        match &self.user {
            Some(user) => user.run(command),
            None => command,
        }
    }
}

fn said(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

/// A path as an element of a list of paths in a setting.
fn in_list(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('"', "\"\""))
}

/// A value as one word of a shell's command line, which is what `pg_ctl` makes of its options.
fn for_shell(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}
