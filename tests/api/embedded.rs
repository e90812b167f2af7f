//! The zero-setup start: a private database that is found again, whatever happens.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::program::{Serve, answer, complaint, database_runs, run};

const PATIENCE: Duration = Duration::from_secs(30);

fn data_dir() -> TempDir {
    tempfile::Builder::new()
        .prefix("cl-")
        .permissions(Permissions::from_mode(0o755)) // PostgreSQL may run as another user.
        .tempdir_in("/tmp") // Short, as a socket's path must be.
        .expect("a directory")
}

fn path(dir: &TempDir) -> &str {
    dir.path().to_str().expect("a path")
}

/// Pastes a line into a shell; the answer is what it printed, as JSON.
fn paste(line: &str) -> Value {
    let pasted = Command::new("sh")
        .args(["-c", line])
        .output()
        .expect("a shell");
    let printed = String::from_utf8_lossy(&pasted.stdout);
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{line}: {printed}"))
}

/// Stops the database even when a test fails half-way: the last command that uses it does, and if
/// that fails too, a signal.
struct Stopped<'d>(&'d Path);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        if database_runs(self.0) {
            let dir = self.0.to_string_lossy();
            run(&[("CLIENTELE_DATA_DIR", &dir)], &["company", "list"]);
        }
        if let Some(pid) = postmaster(self.0) {
            let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        }
    }
}

/// The process that serves this data directory: not one that has the number of one that died.
fn postmaster(data_dir: &Path) -> Option<String> {
    let data = data_dir.join("postgres/data");
    let file = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid = file.lines().next()?.trim();
    serves(pid, &data).then(|| pid.to_owned())
}

/// Whether the process is there and works in `data`; one that only waits to be buried does not.
fn serves(pid: &str, data: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|works_in| works_in == data)
}

#[test]
fn the_line_printed_at_the_start_works_and_its_customer_outlives_a_kill() {
    let dir = data_dir();
    let _stopped = Stopped(dir.path());
    let settings = [("CLIENTELE_DATA_DIR", path(&dir))];

    let mut serve = Serve::start(&settings);
    let created = paste(&serve.curl);
    assert_eq!(created["message"], "Customer created successfully");
    serve.kill();

    let mut serve = Serve::start(&settings);
    let again = paste(&serve.curl);
    assert_eq!(again["message"], "Customer updated successfully");
    assert_eq!(again["id"], created["id"]);

    assert!(answer(&settings, &["company", "list"]).contains("demo"));
    assert!(database_runs(dir.path()), "the service still uses it");
    assert_eq!(paste(&serve.curl)["id"], created["id"]);

    let postgres = postmaster(dir.path()).expect("the database's process");
    assert_eq!(serve.stop(), Some(0));
    assert!(!database_runs(dir.path()));
    let deadline = Instant::now() + PATIENCE;
    while serves(&postgres, &dir.path().join("postgres/data")) {
        // Its pid file goes a moment before it does.
        assert!(Instant::now() < deadline, "{postgres} is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(answer(&settings, &["company", "list"]).contains("demo"));
    assert!(!database_runs(dir.path()));
}

#[test]
fn the_data_directory_can_be_moved() {
    let dir = data_dir();
    let (before, after) = (dir.path().join("a"), dir.path().join("b"));
    let _stopped = [Stopped(&before), Stopped(&after)];
    let at = |place: &Path| {
        answer(
            &[("CLIENTELE_DATA_DIR", place.to_str().expect("a path"))],
            &["company", "create", "Acme"],
        )
    };
    let first = at(&before);
    std::fs::rename(&before, &after).expect("a move");
    at(&after);
    let settings = [("CLIENTELE_DATA_DIR", after.to_str().expect("a path"))];
    assert!(answer(&settings, &["company", "list"]).contains(first.trim()));
}

#[test]
fn without_the_programs_the_ways_out_are_named() {
    let dir = data_dir();
    let settings = [
        ("CLIENTELE_DATA_DIR", path(&dir)),
        ("CLIENTELE_PG_BIN", "/nonexistent"),
    ];
    let complaint = complaint(&settings, &["company", "list"]);
    for way in ["install PostgreSQL", "CLIENTELE_PG_BIN", "DATABASE_URL"] {
        assert!(complaint.contains(way), "{complaint}");
    }
}

#[test]
fn a_path_too_long_for_a_socket_is_refused() {
    let dir = data_dir();
    let long = dir.path().join("x".repeat(120));
    let settings = [("CLIENTELE_DATA_DIR", long.to_str().expect("a path"))];
    let complaint = complaint(&settings, &["company", "list"]);
    assert!(complaint.contains("CLIENTELE_DATA_DIR"), "{complaint}");
}
