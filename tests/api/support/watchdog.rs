//! A server that a test starts, and that is sure to end with it.
//!
//! It belongs to a watchdog, a shell that reads from a pipe whose other end only this process holds.
//! However the process ends, the pipe closes then, and the watchdog ends the server and removes its
//! files.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use clientele::embedded::user::{self, ServiceUser};

/// A directory for a server. Its files are those of the account that the server runs as: root runs
/// neither `PostgreSQL` nor `PgBouncer`.
pub struct Scratch {
    /// Where it is.
    pub dir: PathBuf,
    account: Option<ServiceUser>,
}

impl Scratch {
    /// A new one.
    pub fn new() -> Self {
        let account = user::service_user().expect("an account to run a server as");
        let dir = tempfile::Builder::new()
            .prefix("clientele-tests-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in("/tmp") // Short: a socket's path has at most 107 bytes.
            .expect("a directory under /tmp")
            .keep();
        if let Some(account) = &account {
            chown(&dir, Some(account.uid), Some(account.gid)).expect("the directory handed over");
        }
        Self { dir, account }
    }

    /// Starts the shell `script`, which gets the directory as `$1` and `programs` behind it. Its
    /// standard input is the pipe that keeps the server alive.
    pub fn watch(&self, script: &str, programs: &[PathBuf]) -> Child {
        let mut watchdog = Command::new("/bin/sh");
        watchdog
            .args(["-c", script, "watchdog"])
            .arg(&self.dir)
            .args(programs)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // A group of its own, so that Ctrl-C does not reach it.
            .process_group(0);
        if let Some(account) = &self.account {
            watchdog.uid(account.uid).gid(account.gid);
        }
        watchdog.spawn().expect("a shell")
    }
}
