//! What Prometheus scrapes.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::json;

use crate::support::program::{Serve, complaint};
use crate::support::{App, Tenant};

/// A service as a process, with its metrics.
struct Scraped {
    app: App,
    base: String,
    metrics: String,
    _serve: Serve,
}

impl Scraped {
    async fn start() -> Self {
        let app = App::start().await;
        let serve = Serve::start(&[
            ("DATABASE_URL", &app.database_url),
            ("CLIENTELE_METRICS_BIND", "127.0.0.1:0"),
        ]);
        let url = |after: &str| {
            let (_, rest) = serve.greeting.split_once(after).expect("a greeting");
            let end = rest.find([',', '\n', ' ']).unwrap_or(rest.len());
            rest[..end].to_owned()
        };
        Self {
            base: url("listens on "),
            metrics: url("metrics on "),
            _serve: serve,
            app,
        }
    }

    async fn text(&self) -> String {
        let reply = reqwest::get(&self.metrics).await.expect("a reply");
        assert_eq!(reply.status(), 200);
        let kind = reply.headers()["content-type"].to_str().expect("text");
        assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
        reply.text().await.expect("a body")
    }

    /// Each sample by its name and labels.
    async fn samples(&self) -> HashMap<String, f64> {
        let text = self.text().await;
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').expect("a sample");
                (name.to_owned(), value.parse().expect("a number"))
            })
            .collect()
    }

    fn tenant(&self) -> Tenant {
        self.app.at(&self.base)
    }
}

#[tokio::test]
async fn requests_and_upserts_are_counted_by_what_they_were() {
    let scraped = Scraped::start().await;
    let tenant = scraped.tenant();
    let id = tenant.create(json!({"phone": "763-555-0100"})).await;
    tenant
        .post(json!({"phone": "763-555-0100", "tags": ["a"]}))
        .await;
    let rows = json!({"customers": [{"phone": "763-555-0100"}, {"email": "x"}, {}]});
    tenant.post_to("/customers/batch", rows).await;
    tenant.get(&id).await;
    tenant.with_key("wrong").get(&id).await;
    let samples = scraped.samples().await;
    for (name, value) in [
        (
            r#"clientele_http_requests_total{method="POST",route="/customers",status="201"}"#,
            1.0,
        ),
        (
            r#"clientele_http_requests_total{method="POST",route="/customers",status="200"}"#,
            1.0,
        ),
        (
            r#"clientele_http_requests_total{method="GET",route="/customers/{id}",status="200"}"#,
            1.0,
        ),
        (
            r#"clientele_http_requests_total{method="GET",route="/customers/{id}",status="401"}"#,
            1.0,
        ),
        (
            r#"clientele_http_request_duration_seconds_count{method="GET",route="/customers/{id}"}"#,
            2.0,
        ),
        (
            r#"clientele_upserts_total{matched_by="none",outcome="created"}"#,
            2.0,
        ),
        (
            r#"clientele_upserts_total{matched_by="phone",outcome="updated"}"#,
            1.0,
        ),
        (
            r#"clientele_upserts_total{matched_by="phone",outcome="unchanged"}"#,
            1.0,
        ),
        ("clientele_authentication_failures_total", 1.0),
        ("clientele_http_requests_in_flight", 0.0),
        ("clientele_lock_wait_seconds_count", 3.0),
        ("clientele_db_waiting", 0.0),
        (r#"clientele_db_connections{state="in_use"}"#, 0.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name}: {samples:#?}");
    }
    assert!(samples[r#"clientele_db_connections{state="open"}"#] >= 1.0);
    let version = format!(
        "clientele_build_info{{version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(samples.get(&version), Some(&1.0));
}

#[tokio::test]
async fn nothing_that_is_asked_makes_a_label_of_its_own() {
    let scraped = Scraped::start().await;
    let tenant = scraped.tenant();
    for n in 0..20 {
        tenant.fetch(&format!("/nowhere/{n}")).await;
        tenant.get(&format!("763-555-01{n:02}")).await;
        let method = Method::from_bytes(format!("M{n}").as_bytes()).expect("a method");
        let sent = tenant.request(method, "/customers").send().await;
        assert_eq!(sent.expect("a reply").status(), 405);
    }
    let text = scraped.text().await;
    assert!(
        !text.contains("nowhere") && !text.contains("763-555"),
        "{text}"
    );
    let counted = text
        .lines()
        .filter(|line| line.starts_with("clientele_http_requests_total"));
    assert_eq!(counted.count(), 3, "{text}");
}

#[tokio::test]
async fn metrics_are_not_on_the_public_address_and_nothing_else_is_on_theirs() {
    let scraped = Scraped::start().await;
    let reply = scraped.tenant().fetch("/metrics").await;
    assert_eq!(reply.status, 404);
    let other = scraped.metrics.replace("/metrics", "/customers");
    assert_eq!(reqwest::get(other).await.expect("a reply").status(), 404);
}

#[tokio::test]
async fn an_address_of_metrics_that_is_taken_is_said_so() {
    let app = App::start().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let settings = [
        ("DATABASE_URL", app.database_url.as_str()),
        ("CLIENTELE_BIND", "127.0.0.1:0"),
        ("CLIENTELE_METRICS_BIND", &address),
    ];
    let complaint = complaint(&settings, &["serve"]);
    assert!(complaint.contains("CLIENTELE_METRICS_BIND"), "{complaint}");
}

#[tokio::test]
async fn what_the_alerts_and_the_dashboard_ask_for_is_there() {
    let scraped = Scraped::start().await;
    let tenant = scraped.tenant();
    tenant.create(json!({"phone": "763-555-0100"})).await;
    let text = scraped.text().await;
    let files = [
        include_str!("../../deploy/prometheus-alerts.yml"),
        include_str!("../../deploy/grafana-dashboard.json"),
    ];
    let letter = |c: char| c.is_ascii_lowercase() || c == '_';
    let names: HashSet<&str> = files
        .iter()
        .flat_map(|file| file.split(|c: char| !letter(c)))
        .filter(|word| word.starts_with("clientele_"))
        .collect();
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        let is_there = |line: &str| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
        };
        assert!(text.lines().any(is_there), "{name}: {text}");
    }
}

#[tokio::test]
async fn prometheus_own_tool_finds_nothing_wrong_with_them() {
    let scraped = Scraped::start().await;
    scraped.tenant().create(json!({})).await;
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    // .ci/run installs it.
    let Ok(mut promtool) = promtool else {
        eprintln!("skipped: there is no promtool");
        return;
    };
    let mut input = promtool.stdin.take().expect("its input");
    input
        .write_all(scraped.text().await.as_bytes())
        .expect("metrics");
    drop(input);
    let checked = promtool.wait_with_output().expect("promtool");
    assert!(checked.status.success(), "{checked:?}");
}
