//! A desk to import files at.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use super::App;
use super::program::clientele;

/// A service, a directory for files, and the program to import them with.
pub struct Desk {
    /// The service.
    pub app: App,
    dir: TempDir,
}

impl Desk {
    /// A new one.
    pub async fn new() -> Self {
        Self {
            app: App::start().await,
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    /// Where a file of this name is, or would be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file; the answer is where.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("a written file");
        path.to_str().expect("a path").to_owned()
    }

    /// The import with these arguments.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let company = self.app.company.to_string();
        let mut all = vec!["import", "--company", &company];
        all.extend(arguments);
        clientele(&[("DATABASE_URL", &self.app.database_url)], &all)
    }

    /// Imports to the end: exit code, standard output, standard error.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        said(&self.command(arguments).output().expect("the program"))
    }

    /// How many customers there are.
    pub async fn total(&self) -> Value {
        self.app.list("limit=1").await.body["pagination"]["total"].clone()
    }

    /// The customer, of whom there is just one.
    pub async fn only_item(&self) -> Value {
        let body = self.app.list("").await.body;
        assert_eq!(body["pagination"]["total"], 1, "{body}");
        body["data"][0].clone()
    }
}

/// Exit code, standard output, standard error.
pub fn said(done: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}
