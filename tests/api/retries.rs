//! Clients that try again: whoever is told to come back is told when, whatever was asked for.

use std::num::NonZeroU32;

use clientele::domain::key::{NewKey, Scope};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Server, send, with_scopes};
use crate::support::{App, Reply, Tenant, bodies};

/// What a client that tries again waits for, rather than giving up.
const RETRIED: [&str; 3] = ["409", "429", "503"];

fn document() -> Value {
    let document = std::fs::read_to_string("docs/openapi.json").expect("the document");
    serde_json::from_str(&document).expect("JSON")
}

/// Every documented call: its method, its path, and what is documented of its replies.
fn calls(document: &Value) -> Vec<(Method, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let calls: Vec<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().expect("a path");
            item.iter().filter_map(move |(method, call)| {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).ok()?;
                call["responses"]
                    .is_object()
                    .then(|| (method, path.clone(), &call["responses"]))
            })
        })
        .collect();
    assert!(calls.len() > 10, "{calls:?}");
    calls
}

/// The calls that need a key, with ids for those who want one.
fn calls_with_a_key() -> Vec<(Method, String)> {
    let document = document();
    let nobody = uuid::Uuid::nil().to_string();
    calls(&document)
        .into_iter()
        .filter(|(_, _, replies)| replies["401"].is_object())
        .map(|(method, path, _)| {
            let path = path.replace("{id}", &nobody);
            (method, path.replace("{payment_method}", &nobody))
        })
        .collect()
}

async fn call(tenant: &Tenant, method: &Method, path: &str) -> Reply {
    let request = tenant.request(method.clone(), path);
    if method == Method::POST {
        return send(request.json(&json!({}))).await;
    }
    send(request).await
}

fn assert_told_to_come_back(reply: &Reply, longest: u32, what: &str) {
    let seconds = reply.header("retry-after");
    let seconds: u32 = seconds
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or_else(|| panic!("{what}: retry-after {seconds:?}"));
    assert!((1..=longest).contains(&seconds), "{what}: {seconds}");
}

#[test]
fn whatever_is_worth_trying_again_is_documented_to_say_when() {
    let document = document();
    for (method, path, replies) in calls(&document) {
        for (status, reply) in replies.as_object().expect("replies") {
            let reply = reply["$ref"].as_str().map_or(reply, |name| {
                document.pointer(&name[1..]).expect("a named reply")
            });
            let says_when = reply["headers"]["retry-after"].is_object();
            let worth_it = RETRIED.contains(&status.as_str());
            assert_eq!(says_when, worth_it, "{method} {path}: {status}");
        }
        let with_a_key = replies["401"].is_object();
        for status in ["429", "503"] {
            let documented = replies[status].is_object();
            assert!(documented || !with_a_key, "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn every_call_beyond_the_daily_limit_is_told_when_the_next_day_begins() {
    let app = App::start().await;
    let key = NewKey {
        daily_limit: NonZeroU32::new(1),
        ..with_scopes(&Scope::ALL)
    };
    let tenant = app.with_key(&app.key(key).await);
    assert_eq!(tenant.auth_test().await.status, 200);
    for (method, path) in calls_with_a_key() {
        let what = format!("{method} {path}");
        let reply = call(&tenant, &method, &path).await;
        assert_eq!(reply.status, 429, "{what}");
        assert_eq!(reply.body, bodies::over_limit(1), "{what}");
        assert_told_to_come_back(&reply, 86_400, &what);
    }
}

#[tokio::test]
async fn every_call_to_a_server_without_its_database_is_told_to_come_back_soon() {
    let app = App::start().await;
    let server = Server::start("postgres://clientele@localhost/x?host=/nowhere&port=5432");
    let cut_off = app.on(&server);
    let away = json!({
        "status": "error", "message": "Service temporarily unavailable. Please retry."
    });
    let ready = (Method::GET, "/health/ready".to_owned());
    for (method, path) in calls_with_a_key().into_iter().chain([ready]) {
        let what = format!("{method} {path}");
        let reply = call(&cut_off, &method, &path).await;
        assert_eq!((reply.status, &reply.body), (503, &away), "{what}");
        assert_told_to_come_back(&reply, 60, &what);
    }
}
