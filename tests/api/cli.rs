//! The command line: what operators type, and what scripts read of it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{Days, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::App;
use crate::support::postgres::Database;
use crate::support::program::{Serve, answer, clientele, complaint};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn company_create_prints_the_id_alone_and_list_shows_it() {
    let database = Database::create().await;
    let settings = [("DATABASE_URL", database.url())];
    let id = answer(
        &settings,
        &[
            "company",
            "create",
            "Müller & Söhne",
            "--default-region",
            "DE",
        ],
    );
    assert!(id.trim().parse::<uuid::Uuid>().is_ok(), "{id}");
    assert_eq!(id.lines().count(), 1);
    let list = answer(&settings, &["company", "list"]);
    let line = list
        .lines()
        .find(|line| line.contains(id.trim()))
        .expect("the company");
    assert!(
        line.contains("DE") && line.contains("Müller & Söhne"),
        "{line}"
    );
}

#[tokio::test]
async fn key_create_prints_a_key_alone_that_works_until_it_is_revoked() {
    let app = App::start().await;
    let settings = [("DATABASE_URL", app.database_url.as_str())];
    let company = app.company.to_string();
    let in_90_days = || (Utc::now() + Days::new(90)).format("%Y-%m-%d").to_string();
    let earliest = in_90_days();
    let key = answer(
        &settings,
        &[
            "key",
            "create",
            "--company",
            &company,
            "--scopes",
            "customers:read",
            "--daily-limit",
            "1000",
            "--expires",
            "90d",
            "--name",
            "web form",
        ],
    );
    let latest = in_90_days(); // Another day, when midnight came between.
    assert_eq!(key.lines().count(), 1);
    let key = key.trim();
    let (id, secret) = key
        .strip_prefix("clientele_")
        .and_then(|rest| rest.split_once('_'))
        .expect("a key");

    let caller = app.with_key(key);
    let known = caller.auth_test().await;
    assert_eq!(known.body["scopes"], serde_json::json!(["customers:read"]));
    assert_eq!(known.header("ratelimit-limit"), Some("1000"));

    let list = answer(&settings, &["key", "list", "--company", &company]);
    let line = list
        .lines()
        .find(|line| line.contains(id))
        .expect("the key");
    for shown in ["active", "customers:read", "1000", "web form"] {
        assert!(line.contains(shown), "{line}");
    }
    assert!(line.contains(&earliest) || line.contains(&latest), "{line}");
    assert!(!list.contains(secret), "{list}");

    answer(&settings, &["key", "revoke", id]);
    let list = answer(&settings, &["key", "list", "--company", &company]);
    let line = list
        .lines()
        .find(|line| line.contains(id))
        .expect("the key");
    assert!(line.contains("revoked"), "{line}");
    let deadline = Instant::now() + PATIENCE;
    while caller.auth_test().await.status != 401 {
        assert!(Instant::now() < deadline, "the key works on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_key_has_both_scopes_and_no_limit_unless_told_otherwise() {
    let app = App::start().await;
    let settings = [("DATABASE_URL", app.database_url.as_str())];
    let key = answer(
        &settings,
        &["key", "create", "--company", &app.company.to_string()],
    );
    let known = app.with_key(key.trim()).auth_test().await;
    assert_eq!(
        known.body["scopes"],
        serde_json::json!(["customers:read", "customers:write"])
    );
    assert_eq!(known.header("ratelimit-limit"), None);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let database = Database::create().await;
    let settings = [("DATABASE_URL", database.url())];
    let nobody = "01a208f0-4636-7152-8a58-8cdf2962205f";
    for (arguments, named) in [
        (&["key", "create", "--company", nobody][..], nobody),
        (&["key", "list", "--company", nobody], nobody),
        (&["key", "revoke", "0123456789abcdef"], "0123456789abcdef"),
        (
            &["key", "create", "--company", nobody, "--scopes", "all"],
            "\"all\"",
        ),
        (
            &["key", "create", "--company", nobody, "--expires", "soon"],
            "soon",
        ),
        (&["company", "create", "X", "--default-region", "ZZ"], "ZZ"),
        (&["company", "create", "  "], "blank"),
    ] {
        let complaint = complaint(&settings, arguments);
        assert!(complaint.contains(named), "{arguments:?}: {complaint}");
    }
}

#[test]
fn settings_that_are_unknown_or_malformed_are_named() {
    for (name, value) in [
        ("CLIENTELE_FOO", "1"),
        ("CLIENTELE_BIND", "8080"),
        ("CLIENTELE_DB_CONNECTIONS", "many"),
        ("CLIENTELE_MIGRATE", "perhaps"),
        ("DATABASE_URL", "nonsense"),
        ("RUST_LOG", "clientele=loud"),
    ] {
        let complaint = complaint(&[(name, value)], &["serve"]);
        assert!(complaint.contains(name), "{complaint}");
    }
}

#[tokio::test]
async fn serve_answers_and_exits_cleanly_when_told_to() {
    let database = Database::create_empty().await;
    let mut serve = Serve::start(&[("DATABASE_URL", database.url())]);
    let ready = Command::new("sh")
        .args(["-c", &serve.curl])
        .output()
        .expect("curl");
    assert!(
        String::from_utf8_lossy(&ready.stdout).contains("ready"),
        "{ready:?}"
    );
    assert_eq!(serve.stop(), Some(0));
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let database = Database::create().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let settings = [
        ("DATABASE_URL", database.url()),
        ("CLIENTELE_BIND", &address),
    ];
    let complaint = complaint(&settings, &["serve"]);
    assert!(complaint.contains(&address), "{complaint}");
}

#[tokio::test]
async fn migrations_can_be_left_to_the_operator() {
    let database = Database::create_empty().await;
    let settings = [
        ("DATABASE_URL", database.url()),
        ("CLIENTELE_MIGRATE", "false"),
    ];
    let complaint = complaint(&settings, &["company", "list"]);
    assert!(complaint.contains("clientele migrate"), "{complaint}");
    answer(&settings, &["migrate"]);
    answer(&settings, &["company", "list"]);
}

#[tokio::test]
async fn the_log_can_be_lines_of_json_that_name_request_company_and_key_and_no_person() {
    let app = App::start().await;
    let settings = [
        ("DATABASE_URL", app.database_url.as_str()),
        ("CLIENTELE_BIND", "127.0.0.1:0"),
        ("CLIENTELE_LOG_FORMAT", "json"),
        ("RUST_LOG", "info"),
    ];
    let mut child = clientele(&settings, &["serve"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut greeting = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    greeting.read_line(&mut line).expect("a greeting");
    let base = line.trim().rsplit(' ').next().expect("an address");
    let tenant = app.at(base);
    tenant
        .create(json!({"phone": "763-555-0142", "email": "ada@example.com"}))
        .await;
    let searched = tenant
        .request(Method::GET, "/customers?search=5550142")
        .header("x-request-id", "mine-42")
        .send()
        .await;
    assert_eq!(searched.expect("a reply").status(), 200);
    let stopped = Command::new("kill").arg(child.id().to_string()).status();
    assert!(stopped.expect("kill").success());
    let done = child.wait_with_output().expect("its end");
    let log = String::from_utf8(done.stderr).expect("text");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let served = lines.iter().find(|line| line["span"]["id"] == "mine-42");
    let served = served.unwrap_or_else(|| panic!("{log}"));
    assert_eq!(served["status"], 200);
    assert_eq!(served["span"]["path"], "/customers");
    assert_eq!(served["span"]["company"], tenant.company.to_string());
    let key = tenant.key.split('_').nth(1).expect("the id in a key");
    assert_eq!(served["span"]["key"], key);
    let secret = tenant.key.rsplit('_').next().expect("a secret");
    for private in [secret, "5550142", "763-555-0142", "ada@example.com"] {
        assert!(!log.contains(private), "{log}");
    }
}
