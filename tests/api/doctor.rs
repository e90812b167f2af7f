//! `clientele doctor`, and the other help of the command line.

use std::process::Stdio;

use clientele::store::migrate;

use crate::support::App;
use crate::support::postgres::{Database, execute};
use crate::support::program::{clientele, run};

/// Its exit code, and what it says.
fn doctor(url: &str) -> (Option<i32>, String) {
    let settings = [("DATABASE_URL", url), ("CLIENTELE_BIND", "127.0.0.1:0")];
    let done = run(&settings, &["doctor"]);
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    (done.status.code(), out)
}

/// The line about something, and what it advises.
fn line(report: &str, name: &str) -> String {
    let mut lines = report.lines();
    let about = |line: &&str| line.split_whitespace().nth(1) == Some(name);
    let found = lines
        .find(about)
        .unwrap_or_else(|| panic!("{name}: {report}"));
    let advice = lines.next().filter(|line| line.contains("->"));
    format!("{found}{}", advice.unwrap_or_default())
}

#[tokio::test]
async fn a_healthy_database_has_no_failure() {
    let app = App::start().await;
    let (code, report) = doctor(&app.database_url);
    assert_eq!(code, Some(0), "{report}");
    for name in [
        "address",
        "database",
        "version",
        "text",
        "extensions",
        "rights",
        "connections",
        "clock",
        "indexes",
        "schema",
        "search",
    ] {
        assert!(line(&report, name).starts_with("ok"), "{report}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_a_failure_with_advice() {
    let (code, report) = doctor("postgres://nobody@127.0.0.1:1/nothing");
    assert_eq!(code, Some(1));
    let line = line(&report, "database");
    assert!(
        line.starts_with("FAIL") && line.contains("DATABASE_URL"),
        "{line}"
    );
}

#[tokio::test]
async fn an_older_schema_is_a_failure_and_so_is_a_newer_one() {
    let database = Database::create_empty().await;
    let (code, report) = doctor(database.url());
    assert_eq!(code, Some(1), "{report}");
    assert!(
        line(&report, "schema").contains("clientele migrate"),
        "{report}"
    );
    assert!(line(&report, "extensions").starts_with("warn"), "{report}");
    migrate::run(database.url()).await.expect("migrated");
    execute(
        database.url(),
        "insert into refinery_schema_history (version, name, applied_on, checksum)
        values (999, 'from_the_future', '2030-01-01T00:00:00Z', '1')",
    )
    .await;
    let (code, report) = doctor(database.url());
    assert_eq!(code, Some(1));
    assert!(
        line(&report, "schema").contains("upgrade this program"),
        "{report}"
    );
}

#[tokio::test]
async fn what_only_works_worse_is_a_warning() {
    let app = App::start().await;
    app.create(serde_json::json!({"first_name": "Ada"})).await;
    app.sql("update customers set rules_version = 1").await;
    app.sql(
        "update pg_index set indisvalid = false
        where indexrelid = 'customers_by_last_name'::regclass",
    )
    .await;
    let (code, report) = doctor(&app.database_url);
    assert_eq!(code, Some(0), "{report}");
    assert!(
        line(&report, "search").contains("clientele recompute"),
        "{report}"
    );
    assert!(
        line(&report, "indexes").contains("customers_by_last_name"),
        "{report}"
    );
}

#[tokio::test]
async fn a_role_that_may_not_write_is_a_failure() {
    let app = App::start().await;
    let role = format!("reader_{}", app.company.to_string().replace('-', ""));
    app.sql(&format!("create role {role} login")).await;
    let url = app
        .database_url
        .replacen("clientele@", &format!("{role}@"), 1);
    let (code, report) = doctor(&url);
    app.sql(&format!("drop role {role}")).await;
    assert_eq!(code, Some(1), "{report}");
    assert!(line(&report, "rights").starts_with("FAIL"), "{report}");
}

#[tokio::test]
async fn help_shows_examples_and_completions_are_printed() {
    for (arguments, words) in [
        (vec!["--help"], "Exit codes"),
        (vec!["import", "--help"], "--dry-run\n"),
        (vec!["export", "--help"], "Examples:"),
        (vec!["key", "--help"], "--daily-limit 10000"),
        (vec!["company", "--help"], "--default-region DE"),
        (vec!["completions", "bash"], "_clientele()"),
        (vec!["completions", "zsh"], "#compdef clientele"),
        (vec!["completions", "fish"], "complete -c clientele"),
    ] {
        let done = run(&[], &arguments);
        let out = String::from_utf8_lossy(&done.stdout).into_owned();
        assert_eq!(done.status.code(), Some(0), "{arguments:?}");
        assert!(out.contains(words), "{arguments:?}: {out}");
        assert!(
            !out.contains('\u{1b}'),
            "colours where there is no terminal"
        );
    }
    assert_eq!(run(&[], &["imprt"]).status.code(), Some(2));
}

#[tokio::test]
async fn one_who_reads_no_further_hears_no_complaint() {
    let app = App::start().await;
    let settings = [("DATABASE_URL", app.database_url.as_str())];
    let mut child = clientele(&settings, &["company", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    drop(child.stdout.take());
    let done = child.wait_with_output().expect("its end");
    assert_eq!(String::from_utf8_lossy(&done.stderr), "");
    assert_eq!(done.status.code(), Some(0));
}
